//! An artifact in memory: a manifest, layers and what is in them, with faults where a test wants them.

use super::fake::{Fake, digest};
use bytes::Bytes;
use fluxscope::{
    domain::{
        artifact::{Artifact, Descriptor, Manifest, Operation, Origin, Referrers, Taken, Target},
        digest::Digest,
        fact::Object,
        problem::{Cause, Problem},
        source::LayerSelector,
        tree::{Entry, Fate, Refusal, Tree},
    },
    port::{CacheInfo, Contents, Opened, Opening},
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex},
};

pub(crate) const FLUX: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// All that the port of artifacts answers.
pub(crate) struct Sealed {
    pub(crate) artifact: Result<Artifact, Problem>,
    pub(crate) referrers: Result<Referrers, Problem>,
    pub(crate) layers: HashMap<usize, Vec<Result<Opening, Problem>>>,
    pub(crate) cache: Mutex<Result<CacheInfo, Problem>>,
}

impl Default for Sealed {
    fn default() -> Self {
        let nobody = |what: &str| Problem::new(Cause::NotFound, what, "404 MANIFEST_UNKNOWN");
        let cache =
            CacheInfo { path: Some(PathBuf::from("/cache")), bytes: 3 << 20, blobs: 7, limit: 512 << 20 };
        Self {
            artifact: Err(nobody("inspect")),
            referrers: Ok(Referrers {
                found: Vec::new(),
                note: "the registry says none".into(),
                complete: true,
            }),
            layers: HashMap::new(),
            cache: Mutex::new(Ok(cache)),
        }
    }
}

pub(crate) fn descriptor(c: char, media_type: &str) -> Descriptor {
    Descriptor {
        digest: Digest::parse(&digest(c)).unwrap(),
        media_type: media_type.into(),
        size: Some(1200),
        annotations: BTreeMap::new(),
    }
}

/// One layer of Flux's own type, which Flux takes.
pub(crate) fn artifact() -> Artifact {
    let manifest = Manifest {
        digest: Digest::parse(&digest('d')).unwrap(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size: 600,
        config: Some(descriptor('c', "application/vnd.cncf.flux.config.v1+json")),
        layers: vec![descriptor('1', FLUX)],
        children: Vec::new(),
        annotations: BTreeMap::new(),
    };
    Artifact {
        // replaced by whatever is asked for
        target: Target {
            origin: Origin::Directory("".into()),
            selector: LayerSelector::default(),
            ignore: None,
        },
        digest: manifest.digest.clone(),
        index: None,
        platforms: Vec::new(),
        notes: Vec::new(),
        manifest,
        config: None,
        taken: Ok(Taken { layer: 0, operation: Operation::Extract, reason: "the first layer".into() }),
        asked_with: Some("nobody (anonymous)".into()),
    }
}

/// A file, its fate and what it holds; None: it has no bytes.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) entry: Entry,
    bytes: Option<Bytes>,
}

pub(crate) fn file(path: &str, bytes: impl Into<Bytes>) -> File {
    let bytes = bytes.into();
    let entry = Entry {
        path: path.into(),
        size: bytes.len() as u64,
        sha256: Some(Digest::parse(&digest('f')).unwrap()),
        fate: Fate::Written,
        note: None,
        at: Some(512),
        executable: false,
    };
    File { entry, bytes: Some(bytes) }
}

impl File {
    pub(crate) fn fate(mut self, fate: Fate, note: &str) -> Self {
        self.entry.fate = fate;
        self.entry.note = Some(note.into());
        self
    }

    /// Nothing of it is in the archive.
    pub(crate) fn hollow(mut self) -> Self {
        self.bytes = None;
        (self.entry.at, self.entry.size) = (None, 0);
        self
    }
}

struct InMemory(HashMap<usize, Bytes>);

impl Contents for InMemory {
    fn read(&self, entries: Vec<usize>) -> BoxStream<'static, Result<(usize, Bytes), Problem>> {
        let lost = || Problem::new(Cause::Invalid, "read", "damaged");
        let read = |at| self.0.get(&at).cloned().map(|bytes| (at, bytes)).ok_or_else(lost);
        stream::iter(entries.into_iter().map(read).collect::<Vec<_>>()).boxed()
    }
}

/// A layer that was read to its end, with something changed about it.
pub(crate) fn opened(files: Vec<File>, change: impl FnOnce(&mut Tree)) -> Opened {
    let mut files = files;
    files.sort_by(|one, other| one.entry.path.cmp(&other.entry.path));
    let contents =
        files.iter().enumerate().filter_map(|(at, file)| Some((at, file.bytes.clone()?))).collect();
    let entries = files.into_iter().map(|file| file.entry).collect();
    let mut tree = Tree { entries, complete: true, unpacked: 10_240, ..Tree::default() };
    change(&mut tree);
    Opened { tree: Arc::new(tree), verified: true, contents: Arc::new(InMemory(contents)) }
}

pub(crate) fn refused(why: &str, flux: &str) -> Refusal {
    Refusal { why: why.into(), flux: flux.into() }
}

/// These files in the one layer of [`artifact`].
pub(crate) fn holding(files: Vec<File>) -> Fake {
    with_layer(opened(files, |_| {}))
}

pub(crate) fn with_layer(opened: Opened) -> Fake {
    let progress = Opening::Progress { bytes: 600, of: Some(1200), from_cache: false };
    let layers = [(0, vec![Ok(progress), Ok(Opening::Opened(opened))])].into();
    Fake { sealed: Sealed { artifact: Ok(artifact()), layers, ..Sealed::default() }, ..Fake::default() }
}

pub(crate) fn among(objects: Vec<Object>, fake: Fake) -> Fake {
    Fake { objects: Fake::of(objects).objects, ..fake }
}
