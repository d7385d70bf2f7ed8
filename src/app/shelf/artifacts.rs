//! Artifacts that were opened: what they are, the trees in them, the files that were looked at. Bytes are kept for a
//! while only.

use super::{super::effect::Effect, Answer};
use crate::domain::{
    Timestamp,
    artifact::{Artifact, Referrers, Target},
    object::Named,
    problem::{Cause, Problem},
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

/// A file as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Safe lines, and what is hidden in them.
    Text {
        lines: Vec<String>,
        hidden: Vec<Hidden>,
        /// SOPS encrypted something in it.
        sops: bool,
    },
    Binary(Vec<u8>),
}

/// A secret value, or one line of it, in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// From 0.
    pub line: usize,
    /// Bytes of the line that hold it.
    pub start: usize,
    pub end: usize,
    /// Lines of one value share it.
    pub value: usize,
}

impl Content {
    fn size(&self) -> usize {
        match self {
            Self::Text { lines, .. } => lines.iter().map(|line| line.len() + size_of::<String>()).sum(),
            Self::Binary(bytes) => bytes.len(),
        }
    }
}

/// A Kubernetes object in a file of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileObject {
    pub entry: usize,
    pub named: Named,
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
    Read(FileId, Result<Arc<Content>, Problem>),
    Searched((LayerId, Box<str>), Result<Arc<Hits>, Problem>),
    /// In the order of the files.
    Scanned(LayerId, Result<Arc<Vec<FileObject>>, Problem>),
}

#[derive(Debug, Default)]
pub struct Artifacts {
    pub inspected: HashMap<Target, Answer<Arc<Artifact>>>,
    pub referrers: HashMap<Target, Answer<Arc<Referrers>>>,
    pub layers: HashMap<LayerId, Layer>,
    /// By layer and the text that was searched.
    pub hits: HashMap<(LayerId, Box<str>), Answer<Arc<Hits>>>,
    pub objects: HashMap<LayerId, Answer<Arc<Vec<FileObject>>>>,
    files: HashMap<FileId, Answer<Arc<Content>>>,
    /// Files in the order in which they came.
    order: VecDeque<FileId>,
    size: usize,
    /// Grows with every answer.
    pub revision: u64,
}

impl Artifacts {
    pub fn file(&self, id: &FileId) -> Option<&Answer<Arc<Content>>> {
        self.files.get(id)
    }

    /// Remembers that it was asked.
    pub fn ask(&mut self, effect: &Effect, since: Timestamp) {
        match effect {
            Effect::Inspect(target) => {
                self.inspected.insert(target.clone(), Answer::Asked);
            }
            Effect::Refer(artifact) => {
                self.referrers.insert(artifact.target.clone(), Answer::Asked);
            }
            Effect::OpenLayer { artifact, layer } => {
                let of = artifact.manifest.layers.get(*layer).and_then(|descriptor| descriptor.size);
                let id = LayerId { target: artifact.target.clone(), layer: *layer };
                self.layers.insert(id, Layer::Coming { since, bytes: 0, of, from_cache: false });
            }
            Effect::ReadFile { id, .. } => {
                self.files.insert(id.clone(), Answer::Asked);
            }
            Effect::ScanObjects { id, .. } => {
                self.objects.insert(id.clone(), Answer::Asked);
            }
            Effect::SearchFiles { id, text, .. } => {
                self.hits.insert((id.clone(), text.clone()), Answer::Asked);
            }
            _ => {}
        }
    }

    /// Somebody would not wait for it any longer.
    pub fn cancel(&mut self, id: &LayerId) {
        if let Some(layer @ Layer::Coming { .. }) = self.layers.get_mut(id) {
            let problem = Problem::new(Cause::Other, "open the layer", "it was cancelled by a key");
            *layer = Layer::Failed(problem);
        }
    }

    /// Nobody looks at it any more: what is still coming is not waited for.
    pub fn give_up(&mut self, target: &Target) -> Vec<LayerId> {
        let coming = |(id, layer): (&LayerId, &Layer)| {
            (id.target == *target && matches!(layer, Layer::Coming { .. })).then(|| id.clone())
        };
        let ids: Vec<LayerId> = self.layers.iter().filter_map(coming).collect();
        for id in &ids {
            self.layers.remove(id);
        }
        ids
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
            News::Scanned(id, answer) => {
                self.objects.insert(id, Answer::from_result(answer));
            }
            News::Searched(about, answer) => {
                self.hits.insert(about, Answer::from_result(answer));
            }
        }
    }

    /// Keeps it, and forgets what came first when there is too much.
    fn take_file(&mut self, id: FileId, answer: Result<Arc<Content>, Problem>) {
        if let Ok(content) = &answer {
            self.size += content.size();
            self.order.push_back(id.clone());
        }
        self.files.insert(id, Answer::from_result(answer));
        while self.size > KEPT && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else { break };
            if let Some(Answer::Here(content)) = self.files.remove(&oldest) {
                self.size = self.size.saturating_sub(content.size());
            }
        }
    }

    /// A fresh order for it: what its reference may not name any more is asked anew, and what failed. What is on its
    /// way is waited for.
    pub fn renew(&mut self, target: &Target) {
        let coming =
            |(id, layer): (&LayerId, &Layer)| id.target == *target && matches!(layer, Layer::Coming { .. });
        let asked = matches!(self.inspected.get(target), Some(Answer::Asked));
        if !target.is_fixed() && !asked && !self.layers.iter().any(coming) {
            return self.forget(target);
        }
        if matches!(self.inspected.get(target), Some(Answer::Failed(_))) {
            self.inspected.remove(target);
        }
        if matches!(self.referrers.get(target), Some(Answer::Failed(_))) {
            self.referrers.remove(target);
        }
        let own = |id: &LayerId| id.target == *target;
        self.layers.retain(|id, layer| !own(id) || !matches!(layer, Layer::Failed(_)));
        self.hits.retain(|(id, _), hits| !own(id) || !matches!(hits, Answer::Failed(_)));
        self.objects.retain(|id, objects| !own(id) || !matches!(objects, Answer::Failed(_)));
        self.files.retain(|id, file| !own(&id.layer) || !matches!(file, Answer::Failed(_)));
        self.revision += 1;
    }

    /// What a tag names may have changed: it is asked again, and its layers with it.
    pub fn forget(&mut self, target: &Target) {
        self.inspected.remove(target);
        self.referrers.remove(target);
        self.layers.retain(|id, _| id.target != *target);
        self.hits.retain(|(id, _), _| id.target != *target);
        self.objects.retain(|id, _| id.target != *target);
        self.files.retain(|id, _| id.layer.target != *target);
        let files = &self.files;
        self.order.retain(|id| files.contains_key(id));
        let sizes = self.files.values().map(|file| match file {
            Answer::Here(content) => content.size(),
            Answer::Asked | Answer::Failed(_) => 0,
        });
        self.size = sizes.sum();
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
            artifacts.take_file(file(entry), Ok(Arc::new(Content::Binary(vec![0; KEPT / 2]))));
        }
        assert!(artifacts.file(&file(4)).is_some() && artifacts.file(&file(3)).is_some());
        assert!(artifacts.file(&file(2)).is_none(), "it is asked for again when it is looked at");
        artifacts.take_file(file(9), Ok(Arc::new(Content::Binary(vec![0; KEPT * 2]))));
        assert!(artifacts.file(&file(9)).is_some() && artifacts.file(&file(4)).is_none());
        artifacts.forget(&file(0).layer.target);
        assert!(artifacts.file(&file(9)).is_none() && artifacts.size == 0);
    }
}
