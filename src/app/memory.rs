//! What the program knows while it runs: the world, the answers, the actions, the clock it was told. Screens read it.

use super::{ledger::Ledger, rollout::Rollout, shelf::Shelf, upgrades::Upgrades, viewed::Viewed};
use crate::{
    domain::{
        Timestamp,
        fact::Scope,
        identity::{About, Kind, ObjectId},
        problem::Problem,
        world::Feed,
    },
    widgets::{theme::Theme, time},
};
use std::{collections::HashMap, sync::Arc};

/// Where the way to a cluster stands.
#[derive(Debug, Clone)]
pub enum Session {
    Connecting { context: Option<String>, since: Timestamp },
    Up(About),
    Down { context: Option<String>, problem: Problem },
}

pub struct Memory {
    pub ledger: Ledger,
    pub shelf: Shelf,
    pub upgrades: Upgrades,
    pub rollouts: HashMap<ObjectId, Rollout>,
    pub viewed: Viewed,
    pub session: Session,
    /// What is watched.
    pub scope: Scope,
    /// Narrows the view of what is watched; nothing is asked again for it.
    pub namespace: Option<Arc<str>>,
    pub contexts: Vec<String>,
    /// Why no context can be offered.
    pub no_contexts: Option<Problem>,
    /// Names of all namespaces, where that may be asked.
    pub namespaces: Vec<String>,
    /// Why their names are not all known.
    pub no_namespaces: Option<Problem>,
    /// Sources that are not watched, read for a plan.
    pub fetched: HashMap<ObjectId, Result<Arc<crate::domain::fact::Object>, Problem>>,
    pub write: bool,
    pub demo: bool,
    pub theme: Theme,
    pub now: Timestamp,
    /// When the watch in force was asked for.
    pub watched_since: Option<Timestamp>,
    pub wide: bool,
}

/// How fresh the screen is, in one word and its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Freshness {
    Live,
    Waiting(String),
    Old(String),
    Broken(String),
}

impl Memory {
    pub fn age(&self, since: Timestamp) -> String {
        time::age(since, self.now)
    }

    /// Name of the context, or what stands for it while it is not known.
    pub fn context(&self) -> String {
        let named = match &self.session {
            Session::Up(about) => Some(about.context.clone()),
            Session::Connecting { context, .. } | Session::Down { context, .. } => context.clone(),
        };
        named.or_else(|| self.contexts.first().cloned()).unwrap_or_else(|| "no cluster".to_owned())
    }

    /// The namespace that is looked at, if it is one.
    pub fn focus(&self) -> Option<&Arc<str>> {
        match (&self.namespace, &self.scope) {
            (Some(namespace), _) | (None, Scope::Namespace(namespace)) => Some(namespace),
            (None, Scope::AllNamespaces) => None,
        }
    }

    pub fn scope_words(&self) -> String {
        match self.focus() {
            Some(namespace) => format!("namespace {namespace}"),
            None if self.ledger.world.narrowed().next().is_some() => "all readable namespaces".to_owned(),
            None => "all namespaces".to_owned(),
        }
    }

    /// Every watched kind has answered, one way or another.
    pub fn is_listed(&self) -> bool {
        Kind::WATCHED.iter().all(|kind| self.ledger.world.feeds().any(|(feed, _)| feed.kind == *kind))
    }

    /// A kind that was asked for and could not be read, anywhere or in one namespace.
    pub fn is_unread(&self, kind: Kind) -> bool {
        self.ledger.world.feeds().any(|(feed, state)| feed.kind == kind && matches!(state, Feed::Refused(_)))
    }

    /// Why there may be more consumers than are known: a kind was refused, or not all namespaces were read.
    pub fn unread_users(&self) -> Option<String> {
        let consumers = Kind::WATCHED.into_iter().filter(|kind| !kind.is_source());
        let refused: Vec<String> =
            consumers.filter(|kind| self.is_unread(*kind)).map(|kind| format!("{kind}s")).collect();
        if !refused.is_empty() {
            return Some(format!("{} could not be read", refused.join(", ")));
        }
        let names: Vec<String> = match &self.scope {
            Scope::Namespace(name) => vec![name.to_string()],
            Scope::AllNamespaces => self.read_namespaces(),
        };
        match names.as_slice() {
            [] => None,
            [one] => Some(format!("only namespace {one} was read")),
            many => Some(format!("only namespaces {} were read", many.join(", "))),
        }
    }

    /// Where not all may be read at once: the namespaces that were, by name.
    pub fn read_namespaces(&self) -> Vec<String> {
        let read = self.ledger.world.feeds().filter_map(|(feed, state)| {
            let name = feed.namespace.as_ref()?;
            matches!(state, Feed::Live { .. } | Feed::Lost { .. }).then(|| name.to_string())
        });
        read.collect::<std::collections::BTreeSet<String>>().into_iter().collect()
    }

    pub fn freshness(&self) -> Freshness {
        match &self.session {
            Session::Connecting { since, .. } => {
                return Freshness::Waiting(format!("connecting {}", self.age(*since)));
            }
            Session::Down { .. } => return Freshness::Broken("not connected".to_owned()),
            Session::Up(_) => {}
        }
        let lost = self.ledger.world.feeds().filter_map(|(_, feed)| match feed {
            Feed::Lost { since, .. } => Some(*since),
            Feed::Live { .. } | Feed::NotInstalled | Feed::Refused(_) => None,
        });
        if let Some(since) = lost.min() {
            return Freshness::Old(format!("{} old, reconnecting", self.age(since)));
        }
        if !self.is_listed() {
            let since = self.watched_since.unwrap_or(self.now);
            return Freshness::Waiting(format!("reading {}", self.age(since)));
        }
        let live = self.ledger.world.feeds().any(|(_, feed)| matches!(feed, Feed::Live { .. }));
        if live { Freshness::Live } else { Freshness::Broken("nothing can be read".to_owned()) }
    }

    /// The kind's data is kept from before its watch was lost.
    pub fn is_old(&self, id: &ObjectId) -> bool {
        self.ledger.world.feeds().any(|(feed, state)| {
            feed.kind == id.kind
                && feed.namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
                && matches!(state, Feed::Lost { .. })
        })
    }

    /// The action on this row that should be seen now.
    pub fn rollout(&self, id: &ObjectId) -> Option<&Rollout> {
        self.rollouts.get(id).filter(|rollout| rollout.is_shown(self.now))
    }
}
