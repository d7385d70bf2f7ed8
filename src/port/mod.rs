//! WHAT WE NEED from outside, in domain words. Two implementations live behind it: the real one and the demo.

mod carry_out;

pub use carry_out::{carry_out, plan_reconcile};

use crate::domain::{
    action::Patch,
    artifact::{Descriptor, Manifest, TagPage},
    event::Event,
    fact::{Fact, Object, Scope},
    identity::{About, ObjectId},
    problem::Problem,
    repository::Upstream,
};
use futures::{future::BoxFuture, stream::BoxStream};
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

    /// The object as the API server prints it, without `managedFields`.
    fn raw(&self, id: ObjectId) -> BoxFuture<'static, Result<serde_json::Value, Problem>>;

    /// The object now and after every change. Ends after a problem: the follower lost it.
    fn follow(&self, id: ObjectId) -> BoxStream<'static, Result<Arc<Object>, Problem>>;

    /// All events about the object, newest first, whole after every change. A problem does not end it unless it cannot
    /// come back (may not be read, does not exist): after an outage the whole list comes again.
    fn events(&self, id: ObjectId) -> BoxStream<'static, Result<Vec<Event>, Problem>>;

    /// Sends a merge patch with field manager `fluxscope`. The only write there is.
    fn patch(&self, patch: Patch) -> BoxFuture<'static, Result<(), Problem>>;

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
}
