//! Artifacts under way: what is asked of the port, told as news. It keeps the last layers that were opened, because
//! the way back to their bytes is no message.

use crate::{
    app::shelf::artifacts::{FileId, Hit, Hits, LayerId, News},
    domain::{
        artifact::{Artifact, Target},
        problem::{Cause, Problem},
    },
    port::{Artifacts, Opened, Opening},
};
use futures::{Stream, StreamExt, stream};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// Layers that are held open: the compressed bytes of each may lie in memory.
const HELD: usize = 4;

/// Hits of one search that are kept, and characters of a line that are shown around one.
const MOST_HITS: usize = 10_000;
const AROUND: usize = 200;

/// The layers that were opened last.
#[derive(Clone, Default)]
pub(super) struct Held(Arc<Mutex<VecDeque<(LayerId, Opened)>>>);

impl Held {
    fn keep(&self, id: LayerId, opened: Opened) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(other, _)| *other != id);
        held.push_front((id, opened));
        held.truncate(HELD);
    }

    fn get(&self, id: &LayerId) -> Option<Opened> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().find(|(other, _)| other == id).map(|(_, opened)| opened.clone())
    }
}

pub(super) async fn inspect(port: Arc<dyn Artifacts>, target: Target) -> News {
    let answer = port.inspect(target.clone()).await.map(Arc::new);
    News::Inspected(target, answer)
}

pub(super) async fn referrers(port: Arc<dyn Artifacts>, artifact: Arc<Artifact>) -> News {
    let answer = port.referrers(&artifact).await.map(Arc::new);
    News::Referred(artifact.target.clone(), answer)
}

/// Progress, then the tree.
pub(super) fn open(
    port: &Arc<dyn Artifacts>,
    held: Held,
    artifact: &Artifact,
    layer: usize,
) -> impl Stream<Item = News> + Send + 'static {
    let id = LayerId { target: artifact.target.clone(), layer };
    port.open(artifact, layer).map(move |opening| match opening {
        Ok(Opening::Progress { bytes, of, from_cache }) => {
            News::Progress { id: id.clone(), bytes, of, from_cache }
        }
        Ok(Opening::Opened(opened)) => {
            let answer = Ok((opened.tree.clone(), opened.verified));
            held.keep(id.clone(), opened);
            News::Opened(id.clone(), answer)
        }
        Err(problem) => News::Opened(id.clone(), Err(problem)),
    })
}

pub(super) async fn read(port: Arc<dyn Artifacts>, held: Held, artifact: Arc<Artifact>, id: FileId) -> News {
    let answer = match contents(&port, &held, &artifact, &id.layer, vec![id.entry]).await {
        Ok(mut contents) => match contents.next().await {
            Some(Ok((_, bytes))) => Ok(bytes.to_vec().into()),
            Some(Err(problem)) => Err(problem),
            None => {
                Err(Problem::new(Cause::Invalid, "read the file", "the archive does not hold it any more"))
            }
        },
        Err(problem) => Err(problem),
    };
    News::Read(id, answer)
}

/// All lines that hold the text, without regard to case.
pub(super) async fn search(
    port: Arc<dyn Artifacts>,
    held: Held,
    artifact: Arc<Artifact>,
    id: LayerId,
    text: Box<str>,
) -> News {
    let wanted = match held.get(&id) {
        Some(opened) => {
            (0..opened.tree.entries.len()).filter(|at| opened.tree.entries[*at].at.is_some()).collect()
        }
        None => Vec::new(),
    };
    let answer = match contents(&port, &held, &artifact, &id, wanted).await {
        Ok(contents) => collect(contents, &text).await,
        Err(problem) => Err(problem),
    };
    News::Searched((id, text), answer.map(Arc::new))
}

async fn collect(
    mut contents: stream::BoxStream<'static, Result<(usize, bytes::Bytes), Problem>>,
    text: &str,
) -> Result<Hits, Problem> {
    let needle = text.to_lowercase();
    let mut hits = Hits::default();
    while let Some(file) = contents.next().await {
        let (entry, bytes) = file?;
        if bytes.contains(&0) {
            continue;
        }
        for (number, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            let Some(at) = line.to_lowercase().find(&needle) else { continue };
            if hits.found.len() >= MOST_HITS {
                return Ok(Hits { cut: true, ..hits });
            }
            let before = line.char_indices().map(|(start, _)| start).take_while(|start| *start <= at).count();
            let text: String = line.chars().skip(before.saturating_sub(AROUND / 4)).take(AROUND).collect();
            hits.found.push(Hit { entry, line: number + 1, text: text.into() });
        }
    }
    Ok(hits)
}

/// The way back to the bytes; a layer that is not held any more is opened again.
async fn contents(
    port: &Arc<dyn Artifacts>,
    held: &Held,
    artifact: &Artifact,
    id: &LayerId,
    wanted: Vec<usize>,
) -> Result<stream::BoxStream<'static, Result<(usize, bytes::Bytes), Problem>>, Problem> {
    if let Some(opened) = held.get(id) {
        return Ok(opened.contents.read(wanted));
    }
    let mut opening = port.open(artifact, id.layer);
    while let Some(step) = opening.next().await {
        if let Opening::Opened(opened) = step? {
            held.keep(id.clone(), opened.clone());
            return Ok(opened.contents.read(wanted));
        }
    }
    Err(Problem::new(Cause::Other, "open the layer again", "it ended without an answer"))
}
