//! The CPU's part of a comparison, beside the tasks that wait: looking, comparing, judging. It ends soon after nobody
//! wants its answer any more.

use super::Rendered;
use crate::domain::{
    diff::{self, Diff, Side},
    impact::{self, Impact},
    lens::{Lens, Seen},
    problem::{Cause, Problem},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::task::spawn_blocking;

/// What the consumer gets of both sides, compared.
pub(super) struct Weighed {
    pub(super) lens: Lens,
    pub(super) source: Diff,
    pub(super) notes: Vec<String>,
}

pub(super) async fn weigh(lens: Lens, from: Side, to: Side) -> Result<Weighed, Problem> {
    aside(move |going| {
        let (from, to) = (lens.look(&from), lens.look(&to));
        let notes = notes(&from, &to);
        let source = diff::compare(&from.side, &to.side, going);
        Weighed { lens, source, notes }
    })
    .await
}

/// The lens and the diffs go in and come back.
pub(super) async fn judge(
    lens: Lens,
    source: Diff,
    rendered: Rendered,
) -> Result<(Lens, Diff, Option<Diff>, Vec<Impact>), Problem> {
    aside(move |going| {
        let built = rendered.map(|(from, to)| diff::compare(&from, &to, going));
        let impact = impact::judge(&source, built.as_ref(), &lens);
        (lens, source, built, impact)
    })
    .await
}

fn notes(from: &Seen, to: &Seen) -> Vec<String> {
    let mut notes = Vec::new();
    for note in &from.notes {
        notes.push(if to.notes.contains(note) { note.clone() } else { format!("before: {note}") });
    }
    let only = to.notes.iter().filter(|note| !from.notes.contains(note));
    notes.extend(only.map(|note| format!("after: {note}")));
    if from.left_out + to.left_out > 0 {
        notes.push(format!(
            "{} files before and {} after are in the artifact and do not concern this consumer",
            from.left_out, to.left_out
        ));
    }
    notes
}

/// Goes out when it is dropped.
struct Light(Arc<AtomicBool>);

impl Drop for Light {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce(&(dyn Fn() -> bool + Sync)) -> T + Send + 'static,
) -> Result<T, Problem> {
    let light = Light(Arc::new(AtomicBool::new(true)));
    let seen = Arc::clone(&light.0);
    let done = spawn_blocking(move || work(&|| seen.load(Ordering::Relaxed))).await;
    done.map_err(|error| Problem::new(Cause::Other, "compare the files", error.to_string()))
}
