//! The CPU's part of a comparison, beside the tasks that wait: looking, comparing, judging. It ends soon after nobody
//! wants its answer any more.

use super::{Comparing, Rendered};
use crate::domain::{
    diff::{Diff, Found, ObjectChange, Odd, Oddity, Plan, Read, Side, Which},
    impact::{self, Impact},
    lens::{self, Lens, SEALED, Seen},
    problem::{Cause, Problem},
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};
use tokio::{sync::mpsc, task::spawn_blocking};

/// Bytes of documents for which a second thread is worth its start.
const FEW: usize = 64 << 10;
/// More threads would only wait for memory.
const MOST_THREADS: usize = 8;
/// Documents after which it is said how many were read, at least.
const PACE: usize = 1_000;

/// Whom the work tells what it does.
pub(super) struct Telling {
    pub(super) tell: mpsc::Sender<Result<Comparing, Problem>>,
    /// Of which documents: `` or `rendered `.
    pub(super) of: &'static str,
}

impl Telling {
    /// What is done from now on: it waits until it is heard, or nobody listens any more.
    fn begin(&self, doing: &str, count: usize) {
        let words = format!("{doing} {count} {}document{}", self.of, if count == 1 { "" } else { "s" });
        let _ = self.tell.blocking_send(Ok(Comparing::Working(words)));
    }

    /// How far it is: nothing is lost if nobody hears it.
    fn pass(&self, part: usize, all: usize) {
        if part > 0 && part.is_multiple_of(PACE.max(all / 50)) {
            let words = format!("reading {}documents: {part} of {all}", self.of);
            let _ = self.tell.try_send(Ok(Comparing::Working(words)));
        }
    }
}

/// What the consumer gets of both sides, compared.
pub(super) struct Weighed {
    pub(super) lens: Lens,
    pub(super) source: Diff,
    pub(super) notes: Vec<String>,
    /// Paths of files that are secret as a whole.
    pub(super) sealed: BTreeSet<Box<str>>,
}

pub(super) async fn weigh(telling: Telling, lens: Lens, from: Side, to: Side) -> Result<Weighed, Problem> {
    aside(move |going| {
        let mut sealed = lens::sealed(&from);
        sealed.append(&mut lens::sealed(&to));
        let (from, to) = (lens.look(&from), lens.look(&to));
        let notes = notes(&from, &to);
        let mut source = compare(&from.side, &to.side, &telling, going);
        lens.settle_namespaces(&mut source);
        withhold(&mut source, &sealed);
        Weighed { lens, source, notes, sealed }
    })
    .await
}

/// The lens and the diffs go in and come back.
pub(super) async fn judge(
    telling: Telling,
    lens: Lens,
    source: Diff,
    rendered: Rendered,
) -> Result<(Lens, Diff, Option<Diff>, Vec<Impact>), Problem> {
    aside(move |going| {
        let mut built = rendered.map(|(from, to)| compare(&from, &to, &telling, going));
        if let Some(built) = &mut built {
            lens.settle_namespaces(built);
            lens.settle_definitions(built, &source);
        }
        let impact = impact::judge(&source, built.as_ref(), &lens);
        (lens, source, built, impact)
    })
    .await
}

/// Documents are read on all cores, the rest is done on one.
fn compare(from: &Side, to: &Side, telling: &Telling, going: &(dyn Fn() -> bool + Sync)) -> Diff {
    let plan = Plan::new(from, to);
    telling.begin("reading", plan.len());
    let cores = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let read = if plan.bytes() < FEW || cores < 2 {
        (0..plan.len()).map(|part| read(&plan, part, telling, going)).collect()
    } else {
        read_at_once(&plan, cores, telling, going)
    };
    telling.begin("comparing", plan.len());
    plan.finish(read, going)
}

fn read(plan: &Plan, part: usize, telling: &Telling, going: &(dyn Fn() -> bool + Sync)) -> Read {
    telling.pass(part, plan.len());
    if going() { plan.read(part) } else { Read::skipped() }
}

/// Each thread takes the next document that nobody has.
fn read_at_once(
    plan: &Plan,
    cores: usize,
    telling: &Telling,
    going: &(dyn Fn() -> bool + Sync),
) -> Vec<Read> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= plan.len() {
                return done;
            }
            done.push((part, read(plan, part, telling, going)));
        }
    };
    let mut all: Vec<Read> = (0..plan.len()).map(|_| Read::skipped()).collect();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        // what a thread could not finish stays skipped, and the comparison says so
        for (part, read) in threads.into_iter().filter_map(|thread| thread.join().ok()).flatten() {
            if let Some(place) = all.get_mut(part) {
                *place = read;
            }
        }
    });
    all
}

/// What stands in a file that is secret as a whole is no object to be shown: the file is compared, under its cover.
fn withhold(diff: &mut Diff, sealed: &BTreeSet<Box<str>>) {
    let is_sealed = |found: &Option<Found>| found.as_ref().is_some_and(|found| sealed.contains(&*found.path));
    let of = |object: &mut ObjectChange| is_sealed(&object.from) || is_sealed(&object.to);
    let paths: BTreeSet<Arc<str>> =
        diff.objects.extract_if(.., of).filter_map(|object| Some(object.found()?.path.clone())).collect();
    let what = Odd::Cut(format!("its objects are not shown: {SEALED}").into());
    let told = paths.into_iter().map(|path| Oddity { which: Which::Both, path, what: what.clone() });
    diff.oddities.extend(told);
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
