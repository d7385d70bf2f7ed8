//! Both sides rendered for one consumer, where that is asked and can be done. What kept it from being done is a sentence,
//! not an error: the source is compared anyway.

use super::{super::Rendered as Made, Desk, Rendered};
use crate::domain::{
    comparison::Tier,
    diff::{File, Side},
    lens::Lens,
    problem::{Cause, Problem},
};
use futures::future::try_join;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the rendered stream is called.
const STREAM: &str = "rendered.yaml";

pub(super) struct Outcome {
    pub(super) tier: Tier,
    pub(super) sides: Rendered,
    pub(super) notes: Vec<String>,
}

impl Desk {
    /// Of the whole artifact: a consumer's folder may use what stands beside it.
    pub(super) async fn build(&self, lens: &Lens, from: Side, to: Side) -> Outcome {
        if !self.builds(lens) {
            return source(self.question.build.then(|| "no consumer is named to render for".to_owned()));
        }
        self.say("rendering both sides".to_owned()).await;
        let one_is_done = AtomicBool::new(false);
        let render = async |files| {
            let made = self.sides.renderer.render(lens.clone(), files).await?;
            if !one_is_done.swap(true, Ordering::Relaxed) {
                self.say("rendering: one side is done, the other is not".to_owned()).await;
            }
            Ok(made)
        };
        match try_join(render(from), render(to)).await {
            Ok((from, to)) => built(from, to),
            Err(problem) => source(Some(words(&problem, lens))),
        }
    }
}

fn source(why: Option<String>) -> Outcome {
    Outcome { tier: Tier::Source { why }, sides: None, notes: Vec::new() }
}

/// A tool that ran and refused may only have missed a value.
fn words(problem: &Problem, lens: &Lens) -> String {
    let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let unread = lens.unread_hint().filter(|_| problem.cause == Cause::Invalid);
    // what a tool says may be long, and is cut where there is no room
    let unread = unread.map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("could not {}{unread}: {}{hint}", problem.what, problem.why)
}

fn built(from: Made, to: Made) -> Outcome {
    let mut notes = from.notes;
    notes.extend(to.notes.into_iter().filter(|note| !notes.contains(note)).collect::<Vec<_>>());
    let by = to.by;
    Outcome { tier: Tier::Built { by }, sides: Some((side(from.manifests), side(to.manifests))), notes }
}

fn side(manifests: bytes::Bytes) -> Side {
    let file = File {
        path: STREAM.into(),
        size: manifests.len() as u64,
        sha256: None,
        executable: false,
        bytes: Some(manifests),
    };
    Side { files: vec![file] }
}
