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

/// How the bytes of an archive are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As a registry has it: compressed, if it is what Flux reads.
    Compressed,
    /// The archive itself, as it was packed here.
    Plain,
}

pub(super) struct LayerContents(Arc<Layer>);

struct Layer {
    kept: Kept,
    coding: Coding,
    tree: Arc<Tree>,
    limits: Limits,
    /// All files of a small archive, since the first of them was asked for.
    all: OnceLock<HashMap<usize, Bytes>>,
}

type Found = Result<(usize, Bytes), Problem>;

impl LayerContents {
    pub(super) fn new((kept, coding): (Kept, Coding), tree: Arc<Tree>, limits: Limits) -> Self {
        Self(Arc::new(Layer { kept, coding, tree, limits, all: OnceLock::new() }))
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
        let small = self.tree.unpacked <= SMALL && self.archive().is_none();
        let known = small.then(|| self.all.get_or_init(|| self.read_all()));
        let mut wanted = entries;
        wanted.sort_unstable_by_key(|&entry| self.tree.entries.get(entry).map(|entry| entry.at));
        let mut rest = Vec::new();
        for entry in wanted {
            let bytes = known.and_then(|known| known.get(&entry).cloned()).or_else(|| self.part(entry));
            let Some(bytes) = bytes else {
                rest.push(entry);
                continue;
            };
            if tell(Ok((entry, bytes))).is_break() {
                return;
            }
        }
        if rest.is_empty() {
            return;
        }
        let mut found = |entry, bytes| tell(Ok((entry, bytes)));
        let read = self.unpack(&rest, &mut found);
        if let Err(problem) = read {
            let _ = tell(Err(problem));
        }
    }

    fn unpack(
        &self,
        wanted: &[usize],
        found: &mut dyn FnMut(usize, Bytes) -> ControlFlow<()>,
    ) -> Result<(), Problem> {
        let (reader, limits) = (self.kept.reader(), &self.limits);
        match self.coding {
            Coding::Compressed => unpack::contents(reader, &self.tree, wanted, limits, found),
            Coding::Plain => unpack::contents_of_plain(reader, &self.tree, wanted, limits, found),
        }
    }

    /// The whole archive, where it is in memory and needs no unpacking.
    fn archive(&self) -> Option<&Bytes> {
        match (&self.kept, self.coding) {
            (Kept::Memory(archive), Coding::Plain) => Some(archive),
            (Kept::Memory(_), Coding::Compressed) | (Kept::File(_), _) => None,
        }
    }

    /// The file's part of that archive, without a copy.
    fn part(&self, entry: usize) -> Option<Bytes> {
        let entry = self.tree.entries.get(entry).filter(|entry| entry.size <= self.limits.file)?;
        let begin = usize::try_from(entry.at?).ok()?;
        let end = begin.checked_add(usize::try_from(entry.size).ok()?)?;
        self.archive().filter(|archive| end <= archive.len()).map(|archive| archive.slice(begin..end))
    }

    /// As far as it goes: what is missing is asked for by itself, and then says why.
    fn read_all(&self) -> HashMap<usize, Bytes> {
        let mut all = HashMap::new();
        let wanted: Vec<usize> = (0..self.tree.entries.len()).collect();
        let mut found = |entry, bytes| {
            all.insert(entry, bytes);
            ControlFlow::Continue(())
        };
        let _ = self.unpack(&wanted, &mut found);
        all
    }
}
