//! One thing observed. Facts are the only way in which the world changes.

use super::{
    condition::Status,
    consumer::Consumer,
    identity::{Kind, Meta, ObjectId},
    problem::Problem,
    revision::Revision,
    source::Source,
};
use jiff::Timestamp;
use std::sync::Arc;

/// A source or a consumer, as read.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    Source(Source),
    Consumer(Consumer),
}

impl Object {
    pub fn meta(&self) -> &Meta {
        match self {
            Self::Source(source) => &source.meta,
            Self::Consumer(consumer) => &consumer.meta,
        }
    }

    pub fn id(&self) -> &ObjectId {
        &self.meta().id
    }

    pub fn status(&self) -> &Status {
        match self {
            Self::Source(source) => &source.status,
            Self::Consumer(consumer) => &consumer.status,
        }
    }

    pub fn suspended(&self) -> bool {
        match self {
            Self::Source(source) => source.suspended,
            Self::Consumer(consumer) => consumer.suspended,
        }
    }

    /// What it holds or what it applied (`design.md` §10).
    pub fn revision(&self) -> Option<&Revision> {
        match self {
            Self::Source(source) => source.revision(),
            Self::Consumer(consumer) => consumer.revision(),
        }
    }

    pub fn oddities(&self) -> &[String] {
        match self {
            Self::Source(source) => &source.oddities,
            Self::Consumer(consumer) => &consumer.oddities,
        }
    }

    pub fn as_source(&self) -> Option<&Source> {
        match self {
            Self::Source(source) => Some(source),
            Self::Consumer(_) => None,
        }
    }

    pub fn as_consumer(&self) -> Option<&Consumer> {
        match self {
            Self::Consumer(consumer) => Some(consumer),
            Self::Source(_) => None,
        }
    }
}

/// Where objects are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    AllNamespaces,
    Namespace(Arc<str>),
}

impl Scope {
    pub fn contains(&self, namespace: &str) -> bool {
        match self {
            Self::AllNamespaces => true,
            Self::Namespace(own) => &**own == namespace,
        }
    }
}

/// One LIST and WATCH: a kind, in all namespaces or in one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedId {
    pub kind: Kind,
    /// None: all namespaces at once.
    pub namespace: Option<Arc<str>>,
}

/// One thing observed.
#[derive(Debug, Clone)]
pub enum Fact {
    /// A whole answer: replaces everything known of the feed.
    Listed {
        feed: FeedId,
        objects: Vec<Arc<Object>>,
        at: Timestamp,
    },
    Changed(Arc<Object>),
    Gone(ObjectId),
    /// The API server does not serve the kind: quiet, not a failure.
    NotInstalled(FeedId),
    /// May not be read, or could not be listed; other feeds go on.
    Refused {
        feed: FeedId,
        problem: Problem,
    },
    /// An object that cannot be read at all, by its name where it has one: what was known of it is not true any more.
    Unreadable {
        feed: FeedId,
        object: Option<ObjectId>,
        problem: Problem,
    },
    /// The data of this feed is from `since` and no longer live.
    WatchLost {
        feed: FeedId,
        problem: Problem,
        since: Timestamp,
    },
    WatchBack {
        feed: FeedId,
    },
    /// A cluster-wide list was refused; from now on these namespaces are asked one by one.
    Narrowed {
        kind: Kind,
        namespaces: Vec<Arc<str>>,
        problem: Problem,
    },
}

impl Fact {
    /// The kind of which not all is known, and why.
    pub fn failure(&self) -> Option<(Kind, &Problem)> {
        match self {
            Self::Refused { feed, problem }
            | Self::Unreadable { feed, problem, .. }
            | Self::WatchLost { feed, problem, .. } => Some((feed.kind, problem)),
            Self::Narrowed { kind, problem, .. } => Some((*kind, problem)),
            Self::Listed { .. }
            | Self::Changed(_)
            | Self::Gone(_)
            | Self::NotInstalled(_)
            | Self::WatchBack { .. } => None,
        }
    }
}
