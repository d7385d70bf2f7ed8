//! Two artifacts -> their comparison: opens both, reads what differs, looks through the consumer's eyes, renders where
//! that was asked, judges. Screens and commands ask here; the rules are [`crate::domain::diff`]'s and its neighbours'.

use super::{Artifacts, Cluster, Renderer};
use crate::domain::{
    comparison::{Comparison, Question},
    diff::Which,
    problem::{Cause, Problem},
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::sync::Arc;

/// Who answers. Without a cluster there are no consumers.
#[derive(Clone)]
pub struct Sides {
    pub artifacts: Arc<dyn Artifacts>,
    pub renderer: Arc<dyn Renderer>,
    pub cluster: Option<Arc<dyn Cluster>>,
}

/// A comparison on its way.
#[derive(Debug, Clone)]
pub enum Comparing {
    /// Compressed bytes that came of one side, and how many there are.
    Reading { which: Which, bytes: u64, of: Option<u64>, from_cache: bool },
    /// What is done now, in a few words: `comparing 5000 objects`, `rendering with helm v4.2.2`.
    Working(String),
    /// The last word.
    Done(Arc<Comparison>),
}

/// Steps, then the answer or a problem. Dropping the stream ends all work for it.
pub fn compare(sides: Sides, question: Question) -> BoxStream<'static, Result<Comparing, Problem>> {
    let _ = (sides, question);
    let problem = Problem::new(Cause::Other, "compare two artifacts", "this is not built yet");
    stream::iter([Err(problem)]).boxed()
}
