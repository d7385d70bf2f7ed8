//! WHAT WE NEED from outside, in domain words. Two implementations live behind it: the real one and the demo.

mod carry_out;
mod compare;
mod describe;
mod sealed;

pub use carry_out::{carry_out, plan_reconcile};
pub use compare::{Comparing, Sides, compare};
pub use describe::details;
pub use sealed::sealed;

use crate::domain::{
    action::Patch,
    artifact::{Artifact, Descriptor, Manifest, Referrers, TagPage, Target},
    diff::Side,
    digest::Digest,
    event::Event,
    fact::{Fact, Object, Scope},
    identity::{About, ObjectId},
    lens::{Config, ConfigRef, Lens},
    problem::{Cause, Problem},
    repository::Upstream,
    tree::Tree,
};
use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture, stream::BoxStream};
use std::sync::Arc;

/// One cluster, as one user may see it. All methods return at once; waiting happens in what they return.
/// Dropping a stream ends the requests behind it.
pub trait Cluster: Send + Sync {
    /// Lists every watched kind once and follows it for ever. A batch is what was ready together.
    /// Losing a watch is a fact; the stream itself does not end.
    fn watch(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>>;

    /// The lists alone: ends when each watched kind of the scope has answered (listed, refused, not installed).
    fn list(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>>;

    /// One object by a GET, of any kind. Not found is a problem with that cause.
    fn fetch(&self, id: ObjectId) -> BoxFuture<'static, Result<Arc<Object>, Problem>>;

    /// The object as the API server prints it, without `managedFields`. Inline values of Secrets are in it, because it is
    /// what is rendered: whoever shows it covers them.
    fn raw(&self, id: ObjectId) -> BoxFuture<'static, Result<serde_json::Value, Problem>>;

    /// The object now and after every change. Ends after a problem: the follower lost it.
    fn follow(&self, id: ObjectId) -> BoxStream<'static, Result<Arc<Object>, Problem>>;

    /// All events about the object, newest first, whole after every change. A problem does not end it unless it cannot
    /// come back (may not be read, does not exist): after an outage the whole list comes again.
    fn events(&self, id: ObjectId) -> BoxStream<'static, Result<Vec<Event>, Problem>>;

    /// Sends a merge patch with field manager `fluxscope`. The only write there is.
    fn patch(&self, patch: Patch) -> BoxFuture<'static, Result<(), Problem>>;

    /// What a ConfigMap or a Secret holds, by one GET. It is never logged. Only what `valuesFrom` of a HelmRelease names
    /// is asked for, Secrets only where a person said so.
    fn config(&self, config: ConfigRef) -> BoxFuture<'static, Result<Config, Problem>>;

    /// Names of all namespaces, where that may be asked.
    fn namespaces(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>>;

    fn about(&self) -> About;
}

/// Registries, with the credentials of this workstation.
pub trait Registry: Send + Sync {
    /// All tags, page by page in the registry's order. A problem ends the stream; pages before it hold.
    fn tags(&self, upstream: Upstream) -> BoxStream<'static, Result<TagPage, Problem>>;

    /// What a tag or a digest names now, without its content.
    fn head(&self, upstream: Upstream, reference: String) -> BoxFuture<'static, Result<Descriptor, Problem>>;

    /// The manifest of a tag or a digest, size-capped and verified.
    fn manifest(
        &self,
        upstream: Upstream,
        reference: String,
    ) -> BoxFuture<'static, Result<Manifest, Problem>>;

    /// A blob's bytes, in order, by its digest. The stream ends without a problem only if digest and size are what the
    /// descriptor says; until then nothing of it is verified.
    fn blob(&self, upstream: Upstream, blob: Descriptor) -> BoxStream<'static, Result<Bytes, Problem>>;

    /// What refers to this manifest. None found is an answer; a registry that does not say is a problem.
    fn referrers(&self, upstream: Upstream, digest: Digest)
    -> BoxFuture<'static, Result<Referrers, Problem>>;
}

/// Artifacts wherever they are: in a registry, in an OCI layout, in a file, in a folder.
pub trait Artifacts: Send + Sync {
    /// Manifest, config and Flux's choice of a layer. An index is followed to the child that Flux takes. What a tag
    /// names is asked of the registry every time; what a digest names may come from the cache.
    fn inspect(&self, target: Target) -> BoxFuture<'static, Result<Artifact, Problem>>;

    /// Signatures, attestations and SBOMs of what the reference names; to a file or a folder on disk nothing refers.
    fn referrers(&self, artifact: &Artifact) -> BoxFuture<'static, Result<Referrers, Problem>>;

    /// Reads one layer (its place in the manifest): progress, then what is in it. Dropping the stream cancels.
    fn open(&self, artifact: &Artifact, layer: usize) -> BoxStream<'static, Result<Opening, Problem>>;

    /// What is kept on disk.
    fn cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>>;

    /// Removes all of it; the answer is what was there.
    fn clear_cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>>;
}

/// A layer on its way.
#[derive(Clone)]
pub enum Opening {
    /// Compressed bytes that came, and how many there are.
    Progress { bytes: u64, of: Option<u64>, from_cache: bool },
    /// The last word. A digest or size that differs is a problem instead.
    Opened(Opened),
}

/// A layer that was read.
#[derive(Clone)]
pub struct Opened {
    pub tree: Arc<Tree>,
    /// Digest and size are what the manifest says. False for a file on disk, and after a limit.
    pub verified: bool,
    pub contents: Arc<dyn Contents>,
}

/// The way back to the bytes of a layer that was opened.
pub trait Contents: Send + Sync {
    /// The bytes of these entries (by their place in the tree), in the order of the archive, in one pass.
    fn read(&self, entries: Vec<usize>) -> BoxStream<'static, Result<(usize, Bytes), Problem>>;
}

/// The rendering tools of this machine: `kustomize`, `flux`, `helm`.
pub trait Renderer: Send + Sync {
    /// What this consumer would apply of the files, as a YAML stream. A tool that is not there, files that must not be
    /// rendered (remote bases, generators that run programs) and a tool that fails or takes too long are problems; they
    /// say which. Nothing of the workstation's configuration or credentials reaches the tool.
    fn render(&self, lens: Lens, files: Side) -> BoxFuture<'static, Result<Rendered, Problem>>;
}

/// What a tool made of files.
#[derive(Debug, Clone)]
pub struct Rendered {
    pub manifests: Bytes,
    /// Its name and version, e.g. `helm v4.2.2`.
    pub by: String,
    /// What it said besides, and what it could not know (no cluster's API versions, ...), each in one sentence.
    pub notes: Vec<String>,
}

/// A machine without any of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTools;

impl Renderer for NoTools {
    fn render(&self, _: Lens, _: Side) -> BoxFuture<'static, Result<Rendered, Problem>> {
        let why = "no rendering tool may be used here";
        futures::future::ready(Err(Problem::new(Cause::NotFound, "render the files", why))).boxed()
    }
}

/// The cache on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheInfo {
    /// Where it is; None: nothing is kept.
    pub path: Option<std::path::PathBuf>,
    pub bytes: u64,
    pub blobs: u64,
    pub limit: u64,
}

/// The ways into clusters: what a kubeconfig holds.
pub trait Gateway: Send + Sync {
    /// Names of all contexts, the current one first.
    fn contexts(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>>;

    /// Opens a context (None: the current one). May run a login helper, never on our stdin.
    fn connect(&self, context: Option<String>) -> BoxFuture<'static, Result<Arc<dyn Cluster>, Problem>>;
}

/// Who answers: the real world or the demo.
#[derive(Clone)]
pub struct Ports {
    pub gateway: Arc<dyn Gateway>,
    pub registry: Arc<dyn Registry>,
    pub artifacts: Arc<dyn Artifacts>,
    pub renderer: Arc<dyn Renderer>,
}
