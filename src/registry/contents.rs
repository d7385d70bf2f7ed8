//! The way back to the files of a layer that was opened: one pass over its kept bytes per question, and for a small
//! archive one pass for all questions. It asks no registry.

use super::{
    keep::Kept,
    unpack::{self, Limits},
};
use crate::{
    domain::{problem::Problem, tree::Tree},
    port::Contents,
};
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::{
    collections::HashMap,
    ops::ControlFlow,
    sync::{Arc, OnceLock},
};
use tokio::{sync::mpsc, task::spawn_blocking};

/// An archive that unpacks to no more than this is unpacked once for all of its files.
const SMALL: u64 = 8 << 20;
/// Files between the reader of the archive and whoever asked.
const AHEAD: usize = 4;

pub(super) struct LayerContents(Arc<Layer>);

struct Layer {
    kept: Kept,
    tree: Arc<Tree>,
    limits: Limits,
    /// All files of a small archive, since the first of them was asked for.
    all: OnceLock<HashMap<usize, Bytes>>,
}

type Found = Result<(usize, Bytes), Problem>;

impl LayerContents {
    pub(super) fn new(kept: Kept, tree: Arc<Tree>, limits: Limits) -> Self {
        Self(Arc::new(Layer { kept, tree, limits, all: OnceLock::new() }))
    }
}

impl Contents for LayerContents {
    fn read(&self, entries: Vec<usize>) -> BoxStream<'static, Found> {
        let layer = Arc::clone(&self.0);
        let (send, found) = mpsc::channel(AHEAD);
        // started when the stream is asked for the first time; it ends when nobody listens any more
        let start = move || {
            spawn_blocking(move || layer.read(entries, &send));
            found
        };
        stream::once(async { start() })
            .flat_map(|found| stream::unfold(found, |mut found| async { Some((found.recv().await?, found)) }))
            .boxed()
    }
}

impl Layer {
    fn read(&self, entries: Vec<usize>, send: &mpsc::Sender<Found>) {
        let tell = |found| match send.blocking_send(found) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let known = (self.tree.unpacked <= SMALL).then(|| self.all.get_or_init(|| self.read_all()));
        let mut wanted = entries;
        wanted.sort_unstable_by_key(|&entry| self.tree.entries.get(entry).map(|entry| entry.at));
        let mut rest = Vec::new();
        for entry in wanted {
            match known.and_then(|known| known.get(&entry)) {
                Some(bytes) if tell(Ok((entry, bytes.clone()))).is_break() => return,
                Some(_) => {}
                None => rest.push(entry),
            }
        }
        if rest.is_empty() {
            return;
        }
        let mut found = |entry, bytes| tell(Ok((entry, bytes)));
        let read = unpack::contents(self.kept.reader(), &self.tree, &rest, &self.limits, &mut found);
        if let Err(problem) = read {
            let _ = tell(Err(problem));
        }
    }

    /// As far as it goes: what is missing is asked for by itself, and then says why.
    fn read_all(&self) -> HashMap<usize, Bytes> {
        let mut all = HashMap::new();
        let wanted: Vec<usize> = (0..self.tree.entries.len()).collect();
        let mut found = |entry, bytes| {
            all.insert(entry, bytes);
            ControlFlow::Continue(())
        };
        let _ = unpack::contents(self.kept.reader(), &self.tree, &wanted, &self.limits, &mut found);
        all
    }
}
