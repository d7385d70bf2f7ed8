//! Everything we may ask of the world. Effects are data: `runtime::perform` acts on them.

use crate::domain::{action::Plan, fact::Scope, identity::ObjectId, repository::Upstream};

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
