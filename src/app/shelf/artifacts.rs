//! Artifacts that were opened: what they are, the trees in them, the files that were looked at. Bytes are kept for a
//! while only.

use super::Answer;
use crate::domain::{
    Timestamp,
    artifact::{Artifact, Referrers, Target},
    problem::Problem,
    tree::Tree,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Bytes of files that are kept for showing them again.
const KEPT: usize = 32 << 20;

/// One layer of one artifact, by its place in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LayerId {
    pub target: Target,
    pub layer: usize,
}

/// One file, by its place in the layer's tree.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FileId {
    pub layer: LayerId,
    pub entry: usize,
}

/// A layer, or where it is.
#[derive(Debug, Clone)]
pub enum Layer {
    Coming { since: Timestamp, bytes: u64, of: Option<u64>, from_cache: bool },
    Here { tree: Arc<Tree>, verified: bool },
    Failed(Problem),
}

/// Where a text stands in the files of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub entry: usize,
    /// From 1.
    pub line: usize,
    /// The line, or the part of it around the text; from outside.
    pub text: Box<str>,
}

/// All hits of one text, and whether there are more than were kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hits {
    pub found: Vec<Hit>,
    pub cut: bool,
}

/// What can be heard of an artifact.
#[derive(Debug, Clone)]
pub enum News {
    Inspected(Target, Result<Arc<Artifact>, Problem>),
    Referred(Target, Result<Arc<Referrers>, Problem>),
    Progress {
        id: LayerId,
        bytes: u64,
        of: Option<u64>,
        from_cache: bool,
    },
    /// The tree of a layer, and whether digest and size were what the manifest says.
    Opened(LayerId, Result<(Arc<Tree>, bool), Problem>),
    Read(FileId, Result<Arc<[u8]>, Problem>),
    Searched((LayerId, Box<str>), Result<Arc<Hits>, Problem>),
}

#[derive(Debug, Default)]
pub struct Artifacts {
    pub inspected: HashMap<Target, Answer<Arc<Artifact>>>,
    pub referrers: HashMap<Target, Answer<Arc<Referrers>>>,
    pub layers: HashMap<LayerId, Layer>,
    /// By layer and the text that was searched.
    pub hits: HashMap<(LayerId, Box<str>), Answer<Arc<Hits>>>,
    files: HashMap<FileId, Answer<Arc<[u8]>>>,
    /// Files in the order in which they came.
    order: VecDeque<FileId>,
    size: usize,
    /// Grows with every answer.
    pub revision: u64,
}

impl Artifacts {
    pub fn file(&self, id: &FileId) -> Option<&Answer<Arc<[u8]>>> {
        self.files.get(id)
    }

    /// True if it was not asked before.
    pub fn want_file(&mut self, id: &FileId) -> bool {
        let new = !self.files.contains_key(id);
        if new {
            self.files.insert(id.clone(), Answer::Asked);
        }
        new
    }

    pub fn take(&mut self, news: News) {
        self.revision += 1;
        match news {
            News::Inspected(target, answer) => {
                self.inspected.insert(target, Answer::from_result(answer));
            }
            News::Referred(target, answer) => {
                self.referrers.insert(target, Answer::from_result(answer));
            }
            // progress of a layer that nobody waits for any more is not kept
            News::Progress { id, bytes: came, of: whole, from_cache: cached } => {
                if let Some(Layer::Coming { bytes, of, from_cache, .. }) = self.layers.get_mut(&id) {
                    (*bytes, *of, *from_cache) = (came, whole, cached);
                }
            }
            News::Opened(id, Ok((tree, verified))) => {
                self.layers.insert(id, Layer::Here { tree, verified });
            }
            News::Opened(id, Err(problem)) => {
                self.layers.insert(id, Layer::Failed(problem));
            }
            News::Read(id, answer) => self.take_file(id, answer),
            News::Searched(about, answer) => {
                self.hits.insert(about, Answer::from_result(answer));
            }
        }
    }

    /// Keeps it, and forgets what came first when there is too much.
    fn take_file(&mut self, id: FileId, answer: Result<Arc<[u8]>, Problem>) {
        if let Ok(bytes) = &answer {
            self.size += bytes.len();
            self.order.push_back(id.clone());
        }
        self.files.insert(id, Answer::from_result(answer));
        while self.size > KEPT && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(Answer::Here(bytes)) = self.files.remove(&oldest) {
                self.size = self.size.saturating_sub(bytes.len());
            }
        }
    }

    /// What a tag names may have changed: it is asked again, and its layers with it.
    pub fn forget(&mut self, target: &Target) {
        self.inspected.remove(target);
        self.referrers.remove(target);
        self.layers.retain(|id, _| id.target != *target);
        self.hits.retain(|(id, _), _| id.target != *target);
        self.files.retain(|id, _| id.layer.target != *target);
        let files = &self.files;
        self.order.retain(|id| files.contains_key(id));
        self.size =
            self.files.values().map(|file| if let Answer::Here(b) = file { b.len() } else { 0 }).sum();
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{artifact::Origin, source::LayerSelector};

    fn file(entry: usize) -> FileId {
        let origin = Origin::Directory("manifests".into());
        let target = Target { origin, selector: LayerSelector::default(), ignore: None };
        FileId { layer: LayerId { target, layer: 0 }, entry }
    }

    #[test]
    fn bytes_are_kept_up_to_a_size_and_the_last_file_always() {
        let mut artifacts = Artifacts::default();
        for entry in 0..5 {
            assert!(artifacts.want_file(&file(entry)) && !artifacts.want_file(&file(entry)));
            artifacts.take_file(file(entry), Ok(vec![0; KEPT / 2].into()));
        }
        assert!(artifacts.file(&file(4)).is_some() && artifacts.file(&file(3)).is_some());
        assert!(artifacts.file(&file(2)).is_none() && artifacts.want_file(&file(2)));
        artifacts.take_file(file(9), Ok(vec![0; KEPT * 2].into()));
        assert!(artifacts.file(&file(9)).is_some() && artifacts.file(&file(4)).is_none());
        artifacts.forget(&file(0).layer.target);
        assert!(artifacts.file(&file(9)).is_none() && artifacts.size == 0);
    }
}
