//! Everything observed so far: a fold of facts, and the relations between objects. It asks nobody.

use super::{
    fact::{Fact, FeedId, Object},
    identity::{Kind, ObjectId},
    problem::Problem,
    repository::{Repository, Upstream},
    source::{Source, SourceSpec},
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
    unreadable: BTreeMap<FeedId, BTreeMap<Option<ObjectId>, Problem>>,
    narrowed: BTreeMap<Kind, Problem>,
    /// Asked for one by one, outside every feed, and not there.
    absent: BTreeSet<ObjectId>,
}

impl World {
    /// Folds one fact in; says what has to be looked at again.
    pub fn observe(&mut self, fact: Fact) -> Touched {
        match fact {
            Fact::Listed { feed, objects, at } => {
                self.replace(&feed, objects);
                self.feeds.insert(feed, Feed::Live { listed: at });
                Touched::Everything
            }
            Fact::Changed(object) => {
                let id = object.id().clone();
                self.forget_unreadable(&id);
                let mut touched = self.insert(object);
                touched.extend(self.downstream(&id));
                Touched::Objects(touched)
            }
            Fact::Gone(id) => {
                let mut touched = self.downstream(&id);
                self.remove(&id);
                self.forget_unreadable(&id);
                if matches!(self.lookup(&id), Lookup::Unseen) {
                    self.absent.insert(id.clone());
                }
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
            Fact::Unreadable { feed, object, problem } => {
                let touched = object.iter().flat_map(|id| {
                    self.remove(id);
                    let mut touched = self.downstream(id);
                    touched.push(id.clone());
                    touched
                });
                let touched = Touched::Objects(touched.collect());
                self.unreadable.entry(feed).or_default().insert(object, problem);
                touched
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
            Fact::Narrowed { kind, namespaces, problem } => {
                self.feeds.remove(&FeedId { kind, namespace: None });
                self.keep_only(kind, &namespaces);
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
        self.unreadable
            .iter()
            .flat_map(|(feed, objects)| objects.values().map(move |problem| (feed, problem)))
    }

    /// Kinds that may not be listed in all namespaces at once, and why.
    pub fn narrowed(&self) -> impl Iterator<Item = (Kind, &Problem)> {
        self.narrowed.iter().map(|(kind, problem)| (*kind, problem))
    }

    pub fn lookup(&self, id: &ObjectId) -> Lookup<'_> {
        if let Some(object) = self.objects.get(id) {
            return Lookup::Here(object);
        }
        if self.absent.contains(id) {
            return Lookup::Gone;
        }
        if self.unreadable.values().flat_map(BTreeMap::keys).flatten().any(|unreadable| unreadable == id) {
            return Lookup::Unseen;
        }
        let own = FeedId { kind: id.kind, namespace: Some(id.namespace.clone()) };
        let whole = FeedId { kind: id.kind, namespace: None };
        match self.feeds.get(&own).or_else(|| self.feeds.get(&whole)) {
            Some(Feed::Live { .. } | Feed::Lost { .. } | Feed::NotInstalled) => Lookup::Gone,
            Some(Feed::Refused(_)) | None => Lookup::Unseen,
        }
    }

    /// The repository of a source; a chart stands below its HelmRepository of type oci (`reference/flux.md` §7).
    pub fn upstream(&self, source: &Source) -> Option<Upstream> {
        let SourceSpec::HelmChart { chart, source: Some(id), .. } = &source.spec else {
            return source.upstream();
        };
        match &self.get(id)?.as_source()?.spec {
            SourceSpec::HelmRepository { url, oci: true, insecure } => {
                let repository = Repository::parse_url(url).ok()?.join(chart).ok()?;
                Some(Upstream { repository, insecure: *insecure })
            }
            SourceSpec::HelmRepository { .. }
            | SourceSpec::Oci(_)
            | SourceSpec::HelmChart { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => None,
        }
    }

    /// What takes directly from this object, sorted by kind and name.
    pub fn dependents(&self, id: &ObjectId) -> impl Iterator<Item = &ObjectId> {
        self.dependents.get(id).into_iter().flatten()
    }

    /// Kustomizations and HelmReleases that take from this source, through HelmCharts too.
    pub fn consumers(&self, id: &ObjectId) -> Vec<ObjectId> {
        self.downstream(id).into_iter().filter(|next| !next.kind.is_source()).collect()
    }

    /// Everything that takes from this object, directly or not; each once, even where references go in a circle.
    fn downstream(&self, id: &ObjectId) -> Vec<ObjectId> {
        let mut found: Vec<ObjectId> = self.dependents(id).filter(|next| *next != id).cloned().collect();
        let mut at = 0;
        while let Some(next) = found.get(at).cloned() {
            at += 1;
            // Only a source can have dependents, so only sources can close a circle.
            let new = |further: &&ObjectId| {
                *further != id && !(further.kind.is_source() && found.contains(further))
            };
            let further: Vec<ObjectId> = self.dependents(&next).filter(new).cloned().collect();
            found.extend(further);
        }
        found
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
        self.unreadable.remove(feed);
        if feed.namespace.is_none() {
            self.widen(feed.kind);
        }
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

    fn forget_unreadable(&mut self, id: &ObjectId) {
        for objects in self.unreadable.values_mut() {
            objects.retain(|unreadable, _| unreadable.as_ref() != Some(id));
        }
    }

    /// All namespaces are asked at once again.
    fn widen(&mut self, kind: Kind) {
        self.narrowed.remove(&kind);
        self.feeds.retain(|feed, _| feed.kind != kind || feed.namespace.is_none());
        self.unreadable.retain(|feed, _| feed.kind != kind || feed.namespace.is_none());
    }

    /// What is asked no longer is not known any more.
    fn keep_only(&mut self, kind: Kind, namespaces: &[Arc<str>]) {
        let asked: BTreeSet<&Arc<str>> = namespaces.iter().collect();
        let outside = |id: &&ObjectId| id.kind == kind && !asked.contains(&id.namespace);
        let old: Vec<ObjectId> = self.objects.keys().filter(outside).cloned().collect();
        for id in &old {
            self.remove(id);
        }
    }

    /// Returns the object and, if it changed its source, nothing more: sources do not depend on consumers.
    fn insert(&mut self, object: Arc<Object>) -> Vec<ObjectId> {
        let id = object.id().clone();
        self.remove(&id);
        self.absent.remove(&id);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        identity::Meta,
        problem::Cause,
        sample::{chart, helm_repository, kustomization, release, release_of_chart, repository},
    };

    fn feed(kind: Kind) -> FeedId {
        FeedId { kind, namespace: None }
    }

    fn listed(kind: Kind, objects: Vec<Object>) -> Fact {
        let objects = objects.into_iter().map(Arc::new).collect();
        Fact::Listed { feed: feed(kind), objects, at: Timestamp::UNIX_EPOCH }
    }

    fn names(ids: &[ObjectId]) -> Vec<String> {
        ids.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_relist_replaces_its_kind_and_leaves_no_ghost() {
        let mut world = World::default();
        world.observe(listed(Kind::OciRepository, vec![repository("shop/a"), repository("shop/b")]));
        world.observe(listed(Kind::Kustomization, vec![kustomization("shop/k", "shop/b")]));
        world.observe(listed(Kind::OciRepository, vec![repository("shop/a")]));
        assert_eq!(world.len(), 2);
        let gone = ObjectId::new(Kind::OciRepository, "shop", "b");
        assert!(matches!(world.lookup(&gone), Lookup::Gone));
        assert_eq!(names(&world.consumers(&gone)), ["ks shop/k"], "its consumer still points at it");
    }

    #[test]
    fn a_list_of_one_namespace_replaces_that_namespace_only() {
        let mut world = World::default();
        world.observe(listed(Kind::OciRepository, vec![repository("shop/a"), repository("team/b")]));
        let feed = FeedId { kind: Kind::OciRepository, namespace: Some("team".into()) };
        world.observe(Fact::Listed { feed, objects: Vec::new(), at: Timestamp::UNIX_EPOCH });
        assert_eq!(world.objects().map(|o| o.id().path()).collect::<Vec<_>>(), ["shop/a"]);
    }

    #[test]
    fn what_is_narrowed_away_leaves_no_ghost_and_is_not_gone() {
        let mut world = World::default();
        world.observe(listed(Kind::OciRepository, vec![repository("shop/a"), repository("team/b")]));
        let problem = Problem::new(Cause::Forbidden, "list ocirepositories", "403");
        let namespaces = vec!["team".into()];
        world.observe(Fact::Narrowed { kind: Kind::OciRepository, namespaces, problem });
        assert_eq!(world.objects().map(|o| o.id().path()).collect::<Vec<_>>(), ["team/b"]);
        let hidden = ObjectId::new(Kind::OciRepository, "shop", "a");
        assert!(matches!(world.lookup(&hidden), Lookup::Unseen));
    }

    #[test]
    fn what_cannot_be_read_any_more_is_neither_shown_nor_gone_until_it_is_read_again() {
        let unreadable = || Fact::Unreadable {
            feed: feed(Kind::OciRepository),
            object: Some(ObjectId::new(Kind::OciRepository, "shop", "a")),
            problem: Problem::new(Cause::Invalid, "read an object", "it is odd"),
        };
        let id = ObjectId::new(Kind::OciRepository, "shop", "a");
        let mut world = World::default();
        world.observe(listed(Kind::OciRepository, vec![repository("shop/a")]));
        world.observe(listed(Kind::Kustomization, vec![kustomization("shop/k", "shop/a")]));
        let Touched::Objects(touched) = world.observe(unreadable()) else { panic!("one object") };
        assert_eq!(names(&touched), ["ks shop/k", "ocirepo shop/a"]);
        assert!(matches!(world.lookup(&id), Lookup::Unseen), "its consumers are not called stale");
        assert_eq!(world.unreadable().count(), 1);
        world.observe(Fact::Changed(Arc::new(repository("shop/b"))));
        assert_eq!(world.unreadable().count(), 1, "another object changes nothing");
        world.observe(Fact::Changed(Arc::new(repository("shop/a"))));
        assert_eq!(world.unreadable().count(), 0);
        world.observe(unreadable());
        world.observe(Fact::Gone(id.clone()));
        assert_eq!(world.unreadable().count(), 0);
        assert!(matches!(world.lookup(&id), Lookup::Gone));
    }

    #[test]
    fn what_was_not_read_is_not_said_to_be_gone() {
        let mut world = World::default();
        let id = ObjectId::new(Kind::OciRepository, "shop", "a");
        assert!(matches!(world.lookup(&id), Lookup::Unseen), "nothing was asked yet");
        let problem = Problem::new(Cause::Forbidden, "list ocirepositories", "403");
        world.observe(Fact::Refused { feed: feed(Kind::OciRepository), problem });
        assert!(matches!(world.lookup(&id), Lookup::Unseen), "it may not be read");
        world.observe(Fact::NotInstalled(feed(Kind::OciRepository)));
        assert!(matches!(world.lookup(&id), Lookup::Gone), "what is not installed cannot exist");
    }

    #[test]
    fn what_was_asked_for_alone_and_not_found_is_gone_until_it_is_seen() {
        let mut world = World::default();
        let id = ObjectId::new(Kind::OciRepository, "shop", "a");
        world.observe(Fact::Gone(id.clone()));
        assert!(matches!(world.lookup(&id), Lookup::Gone));
        world.observe(Fact::Changed(Arc::new(repository("shop/a"))));
        assert!(matches!(world.lookup(&id), Lookup::Here(_)));
    }

    #[test]
    fn a_lost_watch_keeps_the_data_and_its_return_makes_it_live_again() {
        let mut world = World::default();
        world.observe(listed(Kind::OciRepository, vec![repository("shop/a")]));
        let feed = feed(Kind::OciRepository);
        let problem = Problem::new(Cause::Unreachable, "watch ocirepositories", "connection refused");
        world.observe(Fact::WatchLost { feed: feed.clone(), problem, since: Timestamp::UNIX_EPOCH });
        assert_eq!(world.len(), 1);
        assert!(matches!(world.feeds().next(), Some((_, Feed::Lost { .. }))));
        world.observe(Fact::WatchBack { feed });
        assert!(matches!(world.feeds().next(), Some((_, Feed::Live { .. }))));
    }

    #[test]
    fn a_release_is_found_through_its_chart_and_its_repository() {
        let mut world = World::default();
        world.observe(listed(Kind::HelmRepository, vec![helm_repository("shop/charts")]));
        world.observe(listed(Kind::HelmChart, vec![chart("shop/shop-app", "shop/charts")]));
        world.observe(listed(Kind::HelmRelease, vec![release_of_chart("shop/app", "shop/shop-app")]));
        let release = ObjectId::new(Kind::HelmRelease, "shop", "app");
        assert_eq!(
            names(&world.chain(&release)),
            ["hr shop/app", "hc shop/shop-app", "helmrepo shop/charts"]
        );
        let charts = ObjectId::new(Kind::HelmRepository, "shop", "charts");
        assert_eq!(names(&world.consumers(&charts)), ["hr shop/app"]);
    }

    #[test]
    fn a_change_of_a_source_touches_what_depends_on_it() {
        let mut world = World::default();
        world.observe(listed(Kind::Kustomization, vec![kustomization("shop/k", "shop/a")]));
        world.observe(listed(Kind::HelmRelease, vec![release("shop/r", "shop/a")]));
        let Touched::Objects(mut touched) = world.observe(Fact::Changed(Arc::new(repository("shop/a"))))
        else {
            panic!("one object changed, not everything");
        };
        touched.sort();
        assert_eq!(names(&touched), ["ocirepo shop/a", "ks shop/k", "hr shop/r"]);
    }

    #[test]
    fn an_object_that_changes_its_source_leaves_the_old_one() {
        let mut world = World::default();
        world.observe(Fact::Changed(Arc::new(kustomization("shop/k", "shop/a"))));
        world.observe(Fact::Changed(Arc::new(kustomization("shop/k", "shop/b"))));
        let consumers = |name: &str| world.consumers(&ObjectId::new(Kind::OciRepository, "shop", name)).len();
        assert_eq!((consumers("a"), consumers("b")), (0, 1));
    }

    #[test]
    fn a_circle_of_references_ends() {
        let mut world = World::default();
        let own = ObjectId::new(Kind::HelmChart, "shop", "c");
        let mut circle = chart("shop/c", "shop/x");
        if let Object::Source(source) = &mut circle {
            source.meta = Meta::new(own.clone());
            source.spec = SourceSpec::HelmChart {
                chart: "c".into(),
                version: "*".into(),
                source: Some(own.clone()),
                verify: None,
            };
        }
        world.observe(Fact::Changed(Arc::new(circle)));
        assert_eq!(world.chain(&own).len(), 1);
        assert!(world.consumers(&own).is_empty());
    }
}
