//! A layer on its way from its bytes to its tree: download, hash and inflate overlap, and nothing is kept twice.
//! Dropping the stream ends all of it.

use super::{
    cache::Cache,
    contents::{Coding, LayerContents},
    files,
    keep::{Keep, Kept},
    local::{self, Bounds},
    pack::Wanted,
    remote::Remote,
    unpack::{self, Rules},
};
use crate::{
    domain::{
        artifact::Descriptor,
        digest::Digest,
        problem::{Cause, Problem},
        tree::{Entry, Tree},
    },
    port::{Opened, Opening},
};
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::{
    io::{self, Read},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
    time::Instant,
};

/// Chunks between the network and the reader of the archive.
const AHEAD: usize = 32;
const BETWEEN_PROGRESS: Duration = Duration::from_millis(100);

pub(super) type Chunks = BoxStream<'static, Result<Bytes, Problem>>;

/// A layer that is to be read.
pub(super) struct Layer {
    pub(super) what: String,
    pub(super) blob: Descriptor,
    pub(super) rules: Rules,
    pub(super) source: Source,
    pub(super) bounds: Arc<Bounds>,
}

/// Where its bytes come from.
pub(super) enum Source {
    Registry(Remote),
    Layout(PathBuf),
    Archive(PathBuf),
    Folder(PathBuf),
}

pub(super) fn open(layer: Layer) -> BoxStream<'static, Result<Opening, Problem>> {
    let opener = Opener { layer, flow: None, last: None };
    stream::unfold(Some(opener), |opener| async move {
        let mut opener = opener?;
        match opener.next().await {
            Ok(progress @ Opening::Progress { .. }) => Some((Ok(progress), Some(opener))),
            last => Some((last, None)),
        }
    })
    .boxed()
}

impl Layer {
    async fn begin(&self) -> Result<Flow, Problem> {
        if let Some(cache) = self.cache()
            && let Some(chunks) = files::cached(Arc::clone(cache), &self.blob).await
        {
            return Ok(Flow { from_cache: true, ..Flow::start(self, chunks) });
        }
        self.begin_fresh().await
    }

    /// From where its bytes are, without the cache.
    async fn begin_fresh(&self) -> Result<Flow, Problem> {
        let Self { blob, bounds, .. } = self;
        Ok(match &self.source {
            Source::Registry(remote) => Flow::start(self, remote.layer(blob.clone())),
            Source::Layout(path) => Flow::start(self, local::layout_blob(path, blob, bounds)),
            Source::Archive(path) => Flow::start(self, local::archive_chunks(path, blob, bounds)),
            Source::Folder(path) => self.begin_folder(path.clone()).await?,
        })
    }

    /// What was packed is there already: nothing of it flows.
    async fn begin_folder(&self, path: PathBuf) -> Result<Flow, Problem> {
        let (bounds, digest) = (Arc::clone(&self.bounds), self.blob.digest.clone());
        let (_held, wanted) = Wanted::new();
        let packed = spawn_blocking(move || local::packed(&path, &digest, &bounds, &wanted)).await;
        let packed =
            packed.map_err(|error| Problem::new(Cause::Other, self.what.as_str(), error.to_string()))??;
        let (rules, limits) = (self.rules.clone(), self.bounds.unpack);
        let reading = spawn_blocking(move || {
            let tree = unpack::tree_of_plain(packed.archive.reader(), &rules, &limits)?;
            Ok((tree, packed.archive))
        });
        let (feed, _) = mpsc::channel(AHEAD);
        let chunks = stream::empty().boxed();
        Ok(Flow { chunks, besides: packed.besides, feed, reading, received: 0, from_cache: false })
    }

    async fn begin_anew(&self, problem: &Problem) -> Result<Flow, Problem> {
        tracing::warn!(%problem, "a damaged blob is dropped from the cache");
        if let Some(cache) = self.cache().cloned() {
            let digest = self.blob.digest.clone();
            let _ = spawn_blocking(move || cache.remove(&digest)).await;
        }
        self.begin_fresh().await
    }

    async fn finish(&self, flow: Flow, ended: bool) -> Result<Opening, Problem> {
        let Self { what, blob, bounds, .. } = self;
        let Flow { chunks, besides, feed, reading, received, from_cache } = flow;
        drop((chunks, feed));
        let read = reading.await.unwrap_or_else(|error| Err(io::Error::other(error.to_string())));
        let (mut tree, mut kept) = read.map_err(|error| unread(what, &error))?;
        let verified = ended && tree.cut.is_none() && self.is_vouched_for();
        if let Some(cache) = self.cache().filter(|_| verified && !from_cache) {
            kept = store(Arc::clone(cache), blob.digest.clone(), kept, received).await;
        }
        if !besides.is_empty() {
            tree.entries.extend(besides);
            tree.entries.sort_by(|one, other| one.path.cmp(&other.path));
        }
        let tree = Arc::new(tree);
        let coding = match &self.source {
            Source::Registry(_) | Source::Layout(_) | Source::Archive(_) => Coding::Compressed,
            Source::Folder(_) => Coding::Plain,
        };
        let contents = Arc::new(LayerContents::new((kept, coding), Arc::clone(&tree), bounds.unpack));
        Ok(Opening::Opened(Opened { tree, verified, contents }))
    }

    fn cache(&self) -> Option<&Arc<Cache>> {
        match &self.source {
            Source::Registry(remote) => remote.cache.as_ref(),
            Source::Layout(_) | Source::Archive(_) | Source::Folder(_) => None,
        }
    }

    /// Digest and size are those that a manifest gives, not our own of a file on disk.
    fn is_vouched_for(&self) -> bool {
        match &self.source {
            Source::Registry(_) | Source::Layout(_) => true,
            Source::Archive(_) | Source::Folder(_) => false,
        }
    }
}

struct Opener {
    layer: Layer,
    flow: Option<Flow>,
    /// When progress was told last.
    last: Option<Instant>,
}

/// What is under way.
struct Flow {
    chunks: Chunks,
    besides: Vec<Entry>,
    feed: mpsc::Sender<Piece>,
    reading: JoinHandle<io::Result<(Tree, Kept)>>,
    received: u64,
    from_cache: bool,
}

enum Piece {
    Bytes(Bytes),
    End,
}

/// Where the flow stands.
enum Tide {
    Going,
    /// All came, and is what it should be.
    Ended,
    /// The reader wants no more: a limit, or a failure of its own.
    Stopped,
    /// What the cache held is not what it should be.
    Damaged(Problem),
}

impl Opener {
    async fn next(&mut self) -> Result<Opening, Problem> {
        let mut flow = match self.flow.take() {
            Some(flow) => flow,
            None => self.layer.begin().await?,
        };
        loop {
            let is_due = self.last.is_none_or(|last| last.elapsed() >= BETWEEN_PROGRESS);
            if is_due {
                self.last = Some(Instant::now());
                let progress = flow.progress(&self.layer);
                self.flow = Some(flow);
                return Ok(progress);
            }
            match flow.advance().await? {
                Tide::Going => {}
                Tide::Ended => return self.layer.finish(flow, true).await,
                Tide::Stopped => return self.layer.finish(flow, false).await,
                Tide::Damaged(problem) => flow = self.layer.begin_anew(&problem).await?,
            }
        }
    }
}

impl Flow {
    fn start(layer: &Layer, chunks: Chunks) -> Self {
        let (feed, pieces) = mpsc::channel(AHEAD);
        let (rules, limits) = (layer.rules.clone(), layer.bounds.unpack);
        let keep = Keep::new(layer.bounds.place.clone());
        let mut feeder = Feed { pieces, current: Bytes::new(), keep, ended: false };
        let reading = spawn_blocking(move || {
            let tree = unpack::tree(&mut feeder, &rules, &limits)?;
            if tree.cut.is_none() {
                io::copy(&mut feeder, &mut io::sink())?;
            }
            Ok((tree, feeder.keep.finish()))
        });
        Self { chunks, besides: Vec::new(), feed, reading, received: 0, from_cache: false }
    }

    /// Moves one chunk.
    async fn advance(&mut self) -> Result<Tide, Problem> {
        match self.chunks.next().await {
            Some(Ok(bytes)) => {
                self.received += bytes.len() as u64;
                let taken = self.feed.send(Piece::Bytes(bytes)).await.is_ok();
                Ok(if taken { Tide::Going } else { Tide::Stopped })
            }
            None => {
                // the reader may have stopped with the last chunk: then it says why
                let taken = self.feed.send(Piece::End).await.is_ok();
                Ok(if taken { Tide::Ended } else { Tide::Stopped })
            }
            Some(Err(problem)) if self.from_cache => Ok(Tide::Damaged(problem)),
            Some(Err(problem)) => Err(problem),
        }
    }

    fn progress(&self, layer: &Layer) -> Opening {
        let of = match &layer.source {
            Source::Registry(_) | Source::Layout(_) | Source::Archive(_) => layer.blob.size,
            // nothing of it flows: it was packed before
            Source::Folder(_) => None,
        };
        Opening::Progress { bytes: self.received, of, from_cache: self.from_cache }
    }
}

/// Hands the bytes on to a reader that blocks, and keeps them.
struct Feed {
    pieces: mpsc::Receiver<Piece>,
    current: Bytes,
    keep: Keep,
    ended: bool,
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.ended {
            match self.pieces.blocking_recv() {
                Some(Piece::Bytes(bytes)) => {
                    self.keep.push(&bytes)?;
                    self.current = bytes;
                }
                Some(Piece::End) => self.ended = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::ConnectionAborted,
                        "nobody waits for it any more",
                    ));
                }
            }
        }
        let count = self.current.len().min(into.len());
        into[..count].copy_from_slice(&self.current.split_to(count));
        Ok(count)
    }
}

/// Without a place in the cache the bytes stay where they are.
async fn store(cache: Arc<Cache>, digest: Digest, kept: Kept, size: u64) -> Kept {
    let copy = kept.clone();
    let stored = spawn_blocking(move || cache.store(&digest, &mut copy.reader(), size)).await;
    match stored {
        Ok(Ok(file)) => Kept::file(file),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a blob is not kept in the cache");
            kept
        }
        Err(_) => kept,
    }
}

fn unread(what: &str, error: &io::Error) -> Problem {
    let problem = Problem::new(Cause::Other, what, error.to_string());
    if error.kind() == io::ErrorKind::StorageFull {
        return problem.with_hint("a layer of more than 64 MiB is kept in a temporary file while it is read");
    }
    problem
}
