//! The demo's registries: recorded OCI layouts, and two repositories that can only be failed to ask.

use super::{Shift, broken, recorded};
use crate::{
    domain::{
        artifact::{Artifact, Descriptor, Manifest, Origin, Referrers, TagPage, Target},
        digest::Digest,
        problem::{Cause, Problem},
        repository::{Repository, Upstream},
        tree::Tree,
    },
    port::{Artifacts, CacheInfo, Contents, Opened, Opening, Registry},
    registry::{
        layout::{Layout, LayoutError},
        unpack,
    },
};
use bytes::Bytes;
use futures::{
    future::{BoxFuture, FutureExt},
    stream::{self, BoxStream, StreamExt},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    ops::ControlFlow,
    sync::Arc,
    time::Duration,
};
use tokio::time::sleep;

const PAGE: usize = 25;
const ASKED_WITH: &str = "no credential: recorded for the demo";

/// All that the demo can pull from.
pub(super) struct Repositories {
    layouts: HashMap<Repository, Layout>,
    shift: Shift,
}

impl Repositories {
    pub(super) fn load(shift: Shift) -> Result<Self, Problem> {
        let mut layouts = HashMap::new();
        for (name, files) in recorded::LAYOUTS {
            let repository = Repository::parse_name(name).map_err(|error| broken(&error))?;
            let files = files.iter().map(|(path, bytes)| (*path, Bytes::from_static(bytes)));
            layouts.insert(repository, Layout::read(files).map_err(|error| broken(&error))?);
        }
        Ok(Self { layouts, shift })
    }

    pub(super) fn layout(&self, repository: &Repository) -> Option<&Layout> {
        self.layouts.get(repository)
    }

    /// The manifest of a tag or digest, its `created` moved along with the world.
    pub(super) fn pull(&self, repository: &Repository, reference: &str) -> Result<Manifest, Problem> {
        let what = format!("read {repository} at {reference}");
        let layout = self.ask(repository, &what)?;
        let mut manifest = layout.manifest(reference).map_err(|error| refused(what, &error))?;
        manifest.annotations = self.told(manifest.annotations);
        Ok(manifest)
    }

    fn describe(&self, repository: &Repository, reference: &str) -> Result<Descriptor, Problem> {
        let what = format!("look up {repository} at {reference}");
        let layout = self.ask(repository, &what)?;
        let mut descriptor = layout.describe(reference).map_err(|error| refused(what, &error))?;
        descriptor.annotations = self.told(descriptor.annotations);
        Ok(descriptor)
    }

    fn bytes(&self, repository: &Repository, digest: &Digest) -> Result<Bytes, Problem> {
        let what = format!("download {digest} of {repository}");
        let layout = self.ask(repository, &what)?;
        layout.blob(digest).cloned().map_err(|error| refused(what, &error))
    }

    fn refer_to(&self, repository: &Repository, digest: &Digest) -> Result<Referrers, Problem> {
        let what = format!("ask what refers to {digest} in {repository}");
        Ok(self.ask(repository, &what)?.refer_to(digest))
    }

    fn look_into(&self, target: Target) -> Result<Artifact, Problem> {
        let Origin::Registry { upstream, reference } = target.origin.clone() else { return Err(no_files()) };
        let place = upstream.repository.to_string();
        let layout = self.ask(&upstream.repository, &format!("inspect {place} at {reference}"))?;
        let mut artifact = layout.inspect(target, &place, &reference)?;
        artifact.manifest.annotations = self.told(artifact.manifest.annotations);
        artifact.config = artifact.config.map(|config| Arc::new(self.told_in(&config)));
        artifact.asked_with = Some(ASKED_WITH.into());
        Ok(artifact)
    }

    fn unpack(&self, artifact: &Artifact, layer: usize) -> Result<Opened, Problem> {
        let Origin::Registry { upstream, .. } = &artifact.target.origin else { return Err(no_files()) };
        let what = format!("read layer {} of {}", layer + 1, artifact.digest);
        let Some(blob) = artifact.manifest.layers.get(layer) else {
            return Err(Problem::new(
                Cause::Usage,
                what,
                format!("it has {}", artifact.manifest.layers.len()),
            ));
        };
        let bytes = self.bytes(&upstream.repository, &blob.digest)?;
        let Target { selector, ignore, .. } = &artifact.target;
        let rules = unpack::Rules { operation: selector.operation(), ignore: ignore.clone() };
        let tree = unpack::tree(&*bytes, &rules, &unpack::Limits::default())
            .map_err(|error| Problem::new(Cause::Other, what, error.to_string()))?;
        let tree = Arc::new(tree);
        let contents = Arc::new(Recorded { bytes, tree: tree.clone() });
        Ok(Opened { tree, verified: true, contents })
    }

    fn pages(&self, repository: &Repository) -> Vec<Result<TagPage, Problem>> {
        let layout = match self.ask(repository, &format!("list tags of {repository}")) {
            Ok(layout) => layout,
            Err(problem) => return vec![Err(problem)],
        };
        let tags: Vec<Arc<str>> = layout.tags().cloned().collect();
        let last = tags.len().div_ceil(PAGE).max(1);
        let page = |(index, tags): (usize, &[Arc<str>])| TagPage {
            tags: tags.to_vec(),
            invalid: Vec::new(),
            requests: index as u32 + 1,
            more: index + 1 < last,
            cut: None,
            asked_with: ASKED_WITH.into(),
        };
        tags.chunks(PAGE).enumerate().map(page).map(Ok).collect()
    }

    fn ask(&self, repository: &Repository, what: &str) -> Result<&Layout, Problem> {
        if let Some(layout) = self.layouts.get(repository) {
            return Ok(layout);
        }
        Err(match (repository.registry(), repository.path()) {
            ("ghcr.io", "acme/private/ledger") => {
                let why = "401 UNAUTHORIZED: authentication required; asked with no credential";
                Problem::new(Cause::Unauthorized, what, why)
                    .with_hint("log in to ghcr.io with an account that may read acme/private/ledger")
            }
            ("registry.edge.acme.example", _) => {
                let why = "no such host registry.edge.acme.example";
                Problem::new(Cause::Unreachable, what, why).with_hint("check the name and the way to it")
            }
            _ => Problem::new(Cause::NotFound, what, "404 NAME_UNKNOWN: not a repository of the demo"),
        })
    }

    /// The times of a config.
    fn told_in(&self, config: &Value) -> Value {
        match config {
            Value::String(text) => Value::String(self.shift.text(text)),
            Value::Array(items) => items.iter().map(|item| self.told_in(item)).collect(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), self.told_in(value))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => config.clone(),
        }
    }

    fn told(&self, annotations: BTreeMap<Box<str>, Box<str>>) -> BTreeMap<Box<str>, Box<str>> {
        annotations.into_iter().map(|(name, text)| (name, self.shift.text(&text).into())).collect()
    }
}

fn refused(what: String, error: &LayoutError) -> Problem {
    let cause = match error {
        LayoutError::NotFound(_) => Cause::NotFound,
        LayoutError::Several(_) => Cause::Usage,
        LayoutError::Unreadable { .. } | LayoutError::Mismatch { .. } => Cause::Invalid,
    };
    Problem::new(cause, what, format!("MANIFEST_UNKNOWN: {error}"))
}

impl Registry for Repositories {
    fn tags(&self, upstream: Upstream) -> BoxStream<'static, Result<TagPage, Problem>> {
        stream::iter(self.pages(&upstream.repository))
            .then(|page| async {
                sleep(Duration::from_millis(120)).await;
                page
            })
            .boxed()
    }

    fn head(&self, upstream: Upstream, reference: String) -> BoxFuture<'static, Result<Descriptor, Problem>> {
        late(self.describe(&upstream.repository, &reference))
    }

    fn manifest(
        &self,
        upstream: Upstream,
        reference: String,
    ) -> BoxFuture<'static, Result<Manifest, Problem>> {
        late(self.pull(&upstream.repository, &reference))
    }

    fn blob(&self, upstream: Upstream, blob: Descriptor) -> BoxStream<'static, Result<Bytes, Problem>> {
        stream::once(late(self.bytes(&upstream.repository, &blob.digest))).boxed()
    }

    fn referrers(
        &self,
        upstream: Upstream,
        digest: Digest,
    ) -> BoxFuture<'static, Result<Referrers, Problem>> {
        late(self.refer_to(&upstream.repository, &digest))
    }
}

impl Artifacts for Repositories {
    fn inspect(&self, target: Target) -> BoxFuture<'static, Result<Artifact, Problem>> {
        late(self.look_into(target))
    }

    fn referrers(&self, artifact: &Artifact) -> BoxFuture<'static, Result<Referrers, Problem>> {
        late(match &artifact.target.origin {
            Origin::Registry { upstream, .. } => self.refer_to(&upstream.repository, &artifact.digest),
            Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_) => Err(no_files()),
        })
    }

    fn open(&self, artifact: &Artifact, layer: usize) -> BoxStream<'static, Result<Opening, Problem>> {
        let (of, layer) = (artifact.manifest.layers.get(layer).and_then(|blob| blob.size), layer);
        let opened = self.unpack(artifact, layer);
        let begun = Opening::Progress { bytes: 0, of, from_cache: false };
        stream::iter([Ok(begun)]).chain(stream::once(late(opened.map(Opening::Opened)))).boxed()
    }

    fn cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        late(Ok(CacheInfo { path: None, bytes: 0, blobs: 0, limit: 0 }))
    }

    fn clear_cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        self.cache()
    }
}

/// The layer's bytes are part of the program: nothing has to be kept for the way back.
struct Recorded {
    bytes: Bytes,
    tree: Arc<Tree>,
}

impl Contents for Recorded {
    fn read(&self, entries: Vec<usize>) -> BoxStream<'static, Result<(usize, Bytes), Problem>> {
        let mut read = Vec::new();
        let mut found = |entry, bytes| {
            read.push(Ok((entry, bytes)));
            ControlFlow::Continue(())
        };
        let whole =
            unpack::contents(&*self.bytes, &self.tree, &entries, &unpack::Limits::default(), &mut found);
        read.extend(whole.err().map(Err));
        stream::iter(read).boxed()
    }
}

fn no_files() -> Problem {
    Problem::new(Cause::Refused, "read a file of this machine", "the demo shows its own recorded world only")
}

fn late<T: Send + 'static>(answer: Result<T, Problem>) -> BoxFuture<'static, Result<T, Problem>> {
    async {
        sleep(Duration::from_millis(80)).await;
        answer
    }
    .boxed()
}
