//! Two artifacts -> their comparison: opens both, reads what differs, looks through the consumer's eyes, renders where
//! that was asked, judges. Screens and commands ask here; the rules are [`crate::domain::diff`]'s and its neighbours'.

mod build;
mod consumer;
mod layers;
mod reading;
mod weigh;

use super::{Artifacts, Cluster, Renderer};
use crate::domain::{
    comparison::{Comparison, Half, Question, Tier},
    diff::{Diff, Side, Which},
    lens::Lens,
    problem::Problem,
};
use futures::{
    StreamExt,
    future::{ready, try_join},
    stream::{self, BoxStream},
};
use layers::Pair;
use std::{collections::BTreeSet, iter, sync::Arc};
use tokio::sync::mpsc;
use weigh::{Telling, Weighed, weigh};

/// Steps between the work and whoever looks at it.
const AHEAD: usize = 8;

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
    /// All of one side came: so many files are in it.
    Opened { which: Which, files: usize },
    /// What is done now, in a few words: `comparing 5000 documents`, `rendering both sides`.
    Working(String),
    /// The last word.
    Done(Arc<Comparison>),
}

/// Steps, then the answer or a problem. Dropping the stream ends all work for it.
pub fn compare(sides: Sides, question: Question) -> BoxStream<'static, Result<Comparing, Problem>> {
    let (tell, told) = mpsc::channel(AHEAD);
    let work = async move {
        let last = tell.clone();
        let answer = Desk { sides, question, tell }.answer().await;
        // nobody listens any more: then nobody wants to know
        let _ = last.send(answer.map(|comparison| Comparing::Done(Arc::new(comparison)))).await;
    };
    let steps = stream::unfold(told, |mut told| async { Some((told.recv().await?, told)) });
    stream::select(steps, stream::once(work).filter_map(|()| ready(None))).boxed()
}

/// One question while it is worked on.
struct Desk {
    sides: Sides,
    question: Question,
    tell: mpsc::Sender<Result<Comparing, Problem>>,
}

impl Desk {
    async fn answer(self) -> Result<Comparison, Problem> {
        let seen = async { Ok((self.lens().await?, self.strangers().await)) };
        let ((lens, strangers), pair) = try_join(seen, self.open()).await?;
        if let Pair::Same(opened) = &pair {
            return Ok(self.nothing_to_compare(lens, opened, strangers));
        }
        let files = reading::read(&self, &pair, self.builds(&lens)).await?;
        let halves = pair.halves(files.notes);
        self.say(format!("looking into {} and {} files", files.from.files.len(), files.to.files.len())).await;
        let mut weighed = weigh(self.telling(""), lens, files.from.clone(), files.to.clone()).await?;
        weighed.notes.splice(0..0, strangers);
        let built = self.build(&weighed.lens, files.from, files.to).await;
        self.judge(halves, weighed, built).await
    }

    async fn say(&self, words: String) {
        let _ = self.tell.send(Ok(Comparing::Working(words))).await;
    }

    fn telling(&self, of: &'static str) -> Telling {
        Telling { tell: self.tell.clone(), of }
    }

    /// A consumer is there to render for. Without one nobody says how.
    fn builds(&self, lens: &Lens) -> bool {
        self.question.build && *lens != Lens::Whole
    }

    /// The same bytes, read with the same rules: no file of the one can differ from the other's.
    fn nothing_to_compare(self, lens: Lens, opened: &layers::Both, strangers: Vec<String>) -> Comparison {
        let stored = opened.tree().stored().count();
        Comparison {
            from: opened.from(),
            to: opened.to(),
            tier: Tier::Source { why: None },
            source: Diff { same_files: stored, ..Diff::default() },
            built: None,
            impact: Vec::new(),
            sealed: BTreeSet::new(),
            notes: iter::once(opened.note()).chain(strangers).collect(),
            question: self.question,
            lens,
        }
    }

    async fn judge(
        self,
        (from, to): (Half, Half),
        weighed: Weighed,
        built: build::Outcome,
    ) -> Result<Comparison, Problem> {
        let Weighed { lens, source, mut notes, sealed } = weighed;
        let build::Outcome { tier, sides, notes: said } = built;
        notes.extend(said);
        let telling = self.telling("rendered ");
        let (lens, source, built, impact) = weigh::judge(telling, lens, source, sides).await?;
        notes.extend(consumer::notes(&lens, &tier));
        // what may change every verdict is said first
        notes.splice(0..0, lens.unread_notes());
        Ok(Comparison { question: self.question, from, to, lens, tier, source, built, impact, sealed, notes })
    }
}

/// Both sides as one consumer gets them.
type Rendered = Option<(Side, Side)>;
