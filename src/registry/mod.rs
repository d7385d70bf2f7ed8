//! OCI registries over HTTP: tags, what a tag names, manifests. Registry wire types and logins never leave this folder.

mod artifact;
mod auth;
mod blob;
mod cache;
mod challenge;
mod clients;
mod contents;
mod credentials;
mod document;
mod failure;
mod files;
mod hash;
mod helper;
mod host;
mod keep;
mod link;
mod local;
mod manifest;
mod memory;
mod open;
mod pack;
mod place;
mod referrers;
mod remote;
mod secret;
mod settings;
mod spelling;
mod tags;
mod token;
mod transport;

pub mod layout;
pub mod unpack;

pub use settings::{CacheSettings, Environment, Limits, Settings};

use crate::{
    domain::{
        artifact::{Artifact, Descriptor, Manifest, Origin, Referrers, TagPage, Target},
        digest::Digest,
        problem::{Cause, Problem},
        repository::Upstream,
    },
    port::{Artifacts, CacheInfo, Opening, Registry},
};
use auth::Office;
use bytes::Bytes;
use cache::Cache;
use credentials::Keyring;
use futures::{
    FutureExt, StreamExt,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use local::Bounds;
use open::{Layer, Source};
use pack::Wanted;
use remote::Remote;
use std::sync::Arc;
use tokio::task::spawn_blocking;
use transport::Transport;
use unpack::Rules;

/// All registries of a session, asked with this workstation's logins, and what is on this machine.
#[derive(Clone)]
pub struct OciRegistry {
    office: Arc<Office>,
    cache: Option<Arc<Cache>>,
    bounds: Arc<Bounds>,
}

impl OciRegistry {
    /// Fails on a `--registry-ca` or a proxy that cannot be used; asks nobody yet.
    pub fn new(settings: Settings) -> Result<Self, Problem> {
        // the first provider wins, here as in main: without one the client cannot be made
        let _ = rustls::crypto::ring::default_provider().install_default();
        let keyring = Keyring::new(&settings);
        let cache = settings.cache.as_ref().map(|cache| Arc::new(Cache::new(&cache.folder, cache.limit)));
        let bounds = Arc::new(Bounds::of(&settings));
        let transport = Transport::new(settings)?;
        Ok(Self { office: Arc::new(Office::new(transport, keyring)), cache, bounds })
    }

    fn remote(&self, upstream: Upstream) -> Remote {
        Remote { office: Arc::clone(&self.office), cache: self.cache.clone(), upstream }
    }
}

impl Registry for OciRegistry {
    fn tags(&self, upstream: Upstream) -> BoxStream<'static, Result<TagPage, Problem>> {
        tags::pages(Arc::clone(&self.office), upstream)
    }

    fn head(&self, upstream: Upstream, reference: String) -> BoxFuture<'static, Result<Descriptor, Problem>> {
        let office = Arc::clone(&self.office);
        async move { manifest::head(&office, upstream, &reference).await }.boxed()
    }

    fn manifest(
        &self,
        upstream: Upstream,
        reference: String,
    ) -> BoxFuture<'static, Result<Manifest, Problem>> {
        let remote = self.remote(upstream);
        async move { remote.manifest(&reference).await }.boxed()
    }

    fn blob(&self, upstream: Upstream, blob: Descriptor) -> BoxStream<'static, Result<Bytes, Problem>> {
        self.remote(upstream).blob(blob)
    }

    fn referrers(
        &self,
        upstream: Upstream,
        digest: Digest,
    ) -> BoxFuture<'static, Result<Referrers, Problem>> {
        referrers::find(Arc::clone(&self.office), upstream, digest).boxed()
    }
}

impl Artifacts for OciRegistry {
    fn inspect(&self, target: Target) -> BoxFuture<'static, Result<Artifact, Problem>> {
        let bounds = Arc::clone(&self.bounds);
        match target.origin.clone() {
            Origin::Registry { upstream, reference } => {
                let remote = self.remote(upstream);
                async move { remote.inspect(target, &reference).await }.boxed()
            }
            Origin::Layout { path, reference } => {
                blocking(move || local::inspect_layout(target, &path, reference.as_deref(), &bounds))
            }
            Origin::Archive(path) => blocking(move || local::inspect_archive(target, &path, &bounds)),
            Origin::Directory(path) => {
                wanted_blocking(move |wanted| local::inspect_folder(target, &path, &bounds, wanted))
            }
        }
    }

    fn referrers(&self, artifact: &Artifact) -> BoxFuture<'static, Result<Referrers, Problem>> {
        let (bounds, digest) = (Arc::clone(&self.bounds), artifact.digest.clone());
        match artifact.target.origin.clone() {
            Origin::Registry { upstream, .. } => Registry::referrers(self, upstream, digest),
            Origin::Layout { path, .. } => blocking(move || local::layout_referrers(&path, &digest, &bounds)),
            Origin::Archive(_) | Origin::Directory(_) => {
                let note = "it is not in a registry".into();
                future::ready(Ok(Referrers { found: Vec::new(), note, complete: true })).boxed()
            }
        }
    }

    fn open(&self, artifact: &Artifact, layer: usize) -> BoxStream<'static, Result<Opening, Problem>> {
        let Some(blob) = artifact.manifest.layers.get(layer).cloned() else {
            let what = format!("open layer {} of {}", layer + 1, artifact.digest);
            let why = format!("it has {}", artifact.manifest.layers.len());
            return stream::iter([Err(Problem::new(Cause::Usage, what, why))]).boxed();
        };
        let bounds = Arc::clone(&self.bounds);
        let source = match artifact.target.origin.clone() {
            Origin::Registry { upstream, .. } => Source::Registry(self.remote(upstream)),
            Origin::Layout { path, .. } => Source::Layout(path),
            Origin::Archive(path) => Source::Archive(path),
            Origin::Directory(path) => Source::Folder(path),
        };
        let what = format!("read layer {} of {}", layer + 1, artifact.digest);
        open::open(Layer { what, blob, rules: rules_of(artifact, layer), source, bounds })
    }

    fn cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        self.ask_cache("look at the cache", Cache::info)
    }

    fn clear_cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        self.ask_cache("clear the cache", Cache::clear)
    }
}

impl OciRegistry {
    fn ask_cache(
        &self,
        what: &'static str,
        question: fn(&Cache) -> std::io::Result<CacheInfo>,
    ) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        let Some(cache) = self.cache.clone() else {
            return future::ready(Ok(CacheInfo { path: None, bytes: 0, blobs: 0, limit: 0 })).boxed();
        };
        blocking(move || {
            question(&cache).map_err(|error| Problem::new(pack::cause_of(&error), what, error.to_string()))
        })
    }
}

/// Flux's own way with the layer that it takes; the same way for the others, which it never reads.
fn rules_of(artifact: &Artifact, layer: usize) -> Rules {
    let Target { selector, ignore, .. } = &artifact.target;
    let operation = match &artifact.taken {
        Ok(taken) if taken.layer == layer => taken.operation,
        Ok(_) | Err(_) => selector.operation(),
    };
    Rules { operation, ignore: ignore.clone() }
}

/// Files are read where nobody waits for them.
fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> BoxFuture<'static, Result<T, Problem>> {
    wanted_blocking(|_| work())
}

/// The same for work that asks from time to time whether somebody still waits for its answer.
fn wanted_blocking<T: Send + 'static>(
    work: impl FnOnce(&Wanted) -> Result<T, Problem> + Send + 'static,
) -> BoxFuture<'static, Result<T, Problem>> {
    async {
        let (_held, wanted) = Wanted::new();
        let done = spawn_blocking(move || work(&wanted)).await;
        done.unwrap_or_else(|error| Err(Problem::new(Cause::Other, "read from disk", error.to_string())))
    }
    .boxed()
}
