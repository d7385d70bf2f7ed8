//! Everything we may ask of the world. Effects are data: `runtime::perform` acts on them.

use super::{
    page::PageId,
    shelf::artifacts::{FileId, LayerId},
};
use crate::domain::{
    action::Plan,
    artifact::{Artifact, Target},
    comparison::{Comparison, Question},
    fact::Scope,
    identity::ObjectId,
    repository::Upstream,
};
use std::sync::Arc;

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    ListContexts,
    /// Leaves the cluster in use, with all its streams, and opens another one.
    Connect {
        context: Option<String>,
    },
    /// Replaces the watch in force.
    Watch(Scope),
    ListTags(Upstream),
    /// Gives up waiting for the tags of this repository.
    StopTags(Upstream),
    /// What a tag or digest names now: one HEAD.
    Head {
        upstream: Upstream,
        reference: String,
    },
    /// Its manifest, and when it was made.
    Describe {
        upstream: Upstream,
        reference: String,
    },
    Inspect(Target),
    /// Signatures, attestations, SBOMs.
    Refer(Arc<Artifact>),
    OpenLayer {
        artifact: Arc<Artifact>,
        layer: usize,
    },
    /// Gives up waiting for this layer.
    StopLayer(LayerId),
    ReadFile {
        artifact: Arc<Artifact>,
        id: FileId,
    },
    /// Names the Kubernetes objects in all files of a layer.
    ScanObjects {
        artifact: Arc<Artifact>,
        id: LayerId,
    },
    /// Looks for a text in all files of a layer; replaces the search in force.
    SearchFiles {
        artifact: Arc<Artifact>,
        id: LayerId,
        text: Box<str>,
    },
    Compare(Box<Question>),
    /// Gives up waiting for this comparison.
    StopCompare(Box<Question>),
    /// The lines of one changed object or file.
    ReadPage {
        comparison: Whole,
        id: PageId,
    },
    /// Live while its screen is open; replaces the one in force.
    FollowEvents(ObjectId),
    StopEvents,
    ReadRaw(ObjectId),
    Fetch(ObjectId),
    ListNamespaces,
    /// Sends the plan's patches with this token and follows them.
    Reconcile {
        plan: Plan,
        token: String,
    },
    /// Stops following; what was sent stays sent.
    StopFollowing(ObjectId),
    Copy(String),
    Quit,
}

/// A comparison is the same as itself only: nobody compares two of them.
#[derive(Debug, Clone)]
pub struct Whole(pub Arc<Comparison>);

impl PartialEq for Whole {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
