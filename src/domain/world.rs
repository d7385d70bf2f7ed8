//! Everything observed so far: a fold of facts, and the relations between objects. It asks nobody.

use super::{
    fact::{Fact, FeedId, Object},
    identity::{Kind, ObjectId},
    problem::Problem,
    source::SourceSpec,
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// How fresh the data of one feed is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// Listed at this time and followed since.
    Live {
        listed: Timestamp,
    },
    /// The data is kept; it was true at `since`.
    Lost {
        since: Timestamp,
        problem: Problem,
    },
    NotInstalled,
    Refused(Problem),
}

/// What is known of an object that another one points at.
#[derive(Debug, Clone, Copy)]
pub enum Lookup<'a> {
    Here(&'a Arc<Object>),
    /// Its kind was listed where it should be, and it is not there.
    Gone,
    /// Not watched, not listed yet, or not ours to read.
    Unseen,
}

/// Which rows a fact touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Touched {
    /// These objects and what depends on them, in no order.
    Objects(Vec<ObjectId>),
    Everything,
}

#[derive(Debug, Clone, Default)]
pub struct World {
    objects: HashMap<ObjectId, Arc<Object>>,
    /// What takes from a source: consumers, and the HelmCharts of a HelmRepository.
    dependents: HashMap<ObjectId, BTreeSet<ObjectId>>,
    feeds: BTreeMap<FeedId, Feed>,
    unreadable: BTreeMap<FeedId, Problem>,
    narrowed: BTreeMap<Kind, Problem>,
}

impl World {
    /// Folds one fact in; says what has to be looked at again.
    pub fn observe(&mut self, fact: Fact) -> Touched {
        match fact {
            Fact::Listed { feed, objects, at } => {
                self.replace(&feed, objects);
                self.unreadable.remove(&feed);
                self.feeds.insert(feed, Feed::Live { listed: at });
                Touched::Everything
            }
            Fact::Changed(object) => {
                let id = object.id().clone();
                let mut touched = self.insert(object);
                touched.extend(self.affected_by(&id));
                Touched::Objects(touched)
            }
            Fact::Gone(id) => {
                let mut touched = self.affected_by(&id);
                self.remove(&id);
                touched.push(id);
                Touched::Objects(touched)
            }
            Fact::NotInstalled(feed) => {
                self.replace(&feed, Vec::new());
                self.feeds.insert(feed, Feed::NotInstalled);
                Touched::Everything
            }
            Fact::Refused { feed, problem } => {
                self.replace(&feed, Vec::new());
                self.feeds.insert(feed, Feed::Refused(problem));
                Touched::Everything
            }
            Fact::Unreadable { feed, problem } => {
                self.unreadable.insert(feed, problem);
                Touched::Objects(Vec::new())
            }
            Fact::WatchLost { feed, problem, since } => {
                self.feeds.insert(feed, Feed::Lost { since, problem });
                Touched::Objects(Vec::new())
            }
            Fact::WatchBack { feed } => {
                if let Some(Feed::Lost { since, .. }) = self.feeds.get(&feed) {
                    let listed = *since;
                    self.feeds.insert(feed, Feed::Live { listed });
                }
                Touched::Objects(Vec::new())
            }
            Fact::Narrowed { kind, namespaces: _, problem } => {
                self.feeds.remove(&FeedId { kind, namespace: None });
                self.narrowed.insert(kind, problem);
                Touched::Everything
            }
        }
    }

    pub fn get(&self, id: &ObjectId) -> Option<&Arc<Object>> {
        self.objects.get(id)
    }

    pub fn objects(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    pub fn len(&self) -> usize {
        self.objects.len()
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    pub fn feeds(&self) -> impl Iterator<Item = (&FeedId, &Feed)> {
        self.feeds.iter()
    }

    /// Objects that could not be read at all, by feed.
    pub fn unreadable(&self) -> impl Iterator<Item = (&FeedId, &Problem)> {
        self.unreadable.iter()
    }

    /// Kinds that may not be listed in all namespaces at once, and why.
    pub fn narrowed(&self) -> impl Iterator<Item = (Kind, &Problem)> {
        self.narrowed.iter().map(|(kind, problem)| (*kind, problem))
    }

    pub fn lookup(&self, id: &ObjectId) -> Lookup<'_> {
        if let Some(object) = self.objects.get(id) {
            return Lookup::Here(object);
        }
        let own = FeedId { kind: id.kind, namespace: Some(id.namespace.clone()) };
        let whole = FeedId { kind: id.kind, namespace: None };
        match self.feeds.get(&own).or_else(|| self.feeds.get(&whole)) {
            Some(Feed::Live { .. } | Feed::Lost { .. } | Feed::NotInstalled) => Lookup::Gone,
            Some(Feed::Refused(_)) | None => Lookup::Unseen,
        }
    }

    /// What takes directly from this object, sorted by kind and name.
    pub fn dependents(&self, id: &ObjectId) -> impl Iterator<Item = &ObjectId> {
        self.dependents.get(id).into_iter().flatten()
    }

    /// Kustomizations and HelmReleases that take from this source, through HelmCharts too.
    pub fn consumers(&self, id: &ObjectId) -> Vec<ObjectId> {
        self.dependents(id)
            .flat_map(|next| if next.kind.is_source() { self.consumers(next) } else { vec![next.clone()] })
            .collect()
    }

    /// From an object up to the first source of all: HelmRelease, HelmChart, HelmRepository.
    pub fn chain(&self, id: &ObjectId) -> Vec<ObjectId> {
        let mut chain = vec![id.clone()];
        while let Some(next) =
            chain.last().and_then(|last| self.get(last)).and_then(|object| takes_from(object))
        {
            if chain.contains(&next) {
                break;
            }
            chain.push(next);
        }
        chain
    }

    fn replace(&mut self, feed: &FeedId, objects: Vec<Arc<Object>>) {
        let inside = |id: &ObjectId| {
            id.kind == feed.kind && feed.namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
        };
        let old: Vec<ObjectId> = self.objects.keys().filter(|id| inside(id)).cloned().collect();
        for id in &old {
            self.remove(id);
        }
        for object in objects {
            self.insert(object);
        }
    }

    /// Returns the object and, if it changed its source, nothing more: sources do not depend on consumers.
    fn insert(&mut self, object: Arc<Object>) -> Vec<ObjectId> {
        let id = object.id().clone();
        self.remove(&id);
        if let Some(source) = takes_from(&object) {
            self.dependents.entry(source).or_default().insert(id.clone());
        }
        self.objects.insert(id.clone(), object);
        vec![id]
    }

    fn remove(&mut self, id: &ObjectId) {
        let Some(source) = self.objects.remove(id).and_then(|object| takes_from(&object)) else { return };
        if let Some(rest) = self.dependents.get_mut(&source) {
            rest.remove(id);
            if rest.is_empty() {
                self.dependents.remove(&source);
            }
        }
    }

    fn affected_by(&self, id: &ObjectId) -> Vec<ObjectId> {
        self.dependents(id)
            .flat_map(|next| std::iter::once(next.clone()).chain(self.affected_by(next)))
            .collect()
    }
}

/// What an object takes from directly.
pub fn takes_from(object: &Object) -> Option<ObjectId> {
    match object {
        Object::Consumer(consumer) => consumer.source.clone(),
        Object::Source(source) => match &source.spec {
            SourceSpec::HelmChart { source, .. } => source.clone(),
            _ => None,
        },
    }
}
