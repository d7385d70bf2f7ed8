//! Every object with its judgement and the texts of its row, kept up to date fact by fact: O(changed), not O(all).

use crate::{
    app::filter::words,
    domain::{
        Timestamp,
        fact::{Fact, FeedId, Object},
        identity::{Kind, ObjectId},
        problem::Problem,
        repository::Upstream,
        source::{Source, SourceSpec},
        standing::{Assessment, Standing, assess},
        world::{Touched, World, takes_from},
    },
    widgets::text,
};
use foldhash::fast::RandomState;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// One object as the tables need it. All texts are safe.
#[derive(Debug, Clone)]
pub struct Entry {
    pub object: Arc<Object>,
    pub assessment: Assessment,
    pub path: Box<str>,
    /// What a source follows; what a consumer takes from.
    pub follows: Box<str>,
    /// `tag@digest8`, or `-`.
    pub running: Box<str>,
    /// What a filter looks for text in.
    pub words: Box<str>,
    /// Under which row of the board it stands.
    pub parent: Option<ObjectId>,
    pub upstream: Option<Upstream>,
    /// Asked for alone, outside of what is watched: it judges others and is not counted.
    pub fetched: bool,
    /// Its tags are read as versions of a chart.
    pub chart: bool,
    /// Since when it stands as it stands; its creation where no condition says; none where nobody knows.
    pub since: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub sources: usize,
    pub consumers: usize,
    pub need_someone: usize,
}

impl Counts {
    pub(super) fn with(self, entry: &Entry) -> Self {
        if entry.fetched {
            return self;
        }
        let (source, needs) = Self::kinds(entry);
        Self {
            sources: self.sources + usize::from(source),
            consumers: self.consumers + usize::from(!source),
            need_someone: self.need_someone + usize::from(needs),
        }
    }

    fn without(self, entry: &Entry) -> Self {
        if entry.fetched {
            return self;
        }
        let (source, needs) = Self::kinds(entry);
        Self {
            sources: self.sources - usize::from(source),
            consumers: self.consumers - usize::from(!source),
            need_someone: self.need_someone - usize::from(needs),
        }
    }

    fn kinds(entry: &Entry) -> (bool, bool) {
        (entry.object.id().kind.is_source(), entry.assessment.standing.needs_someone())
    }
}

#[derive(Debug, Default)]
pub struct Ledger {
    pub world: World,
    entries: HashMap<ObjectId, Entry, RandomState>,
    /// The sources of each repository.
    sources: HashMap<Upstream, BTreeSet<ObjectId>>,
    fetched: HashSet<ObjectId>,
    /// Objects to look at again since somebody asked; none: all of them.
    touched: Option<HashSet<ObjectId>>,
    /// Grows when rows may have come, gone or moved; a kept view of an older shape is out of date.
    pub shape: u64,
    /// Grows with every change of any object.
    pub touches: u64,
    pub counts: Counts,
}

impl Ledger {
    pub fn get(&self, id: &ObjectId) -> Option<&Entry> {
        self.entries.get(id)
    }

    pub fn entries(&self) -> impl Iterator<Item = (&ObjectId, &Entry)> {
        self.entries.iter()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets everything: another cluster or another scope is looked at.
    pub fn clear(&mut self) {
        *self = Self { shape: self.shape + 1, touches: self.touches + 1, ..Self::default() };
    }

    /// Folds a batch in. Judges again only what was touched.
    pub fn observe(&mut self, facts: Vec<Fact>) {
        let mut touched: HashSet<ObjectId> = HashSet::new();
        let mut everything = false;
        for fact in facts {
            let answer = answered(&fact);
            match (self.world.observe(fact), answer) {
                (Touched::Objects(ids), _) => touched.extend(ids),
                (Touched::Everything, Some((feed, ids))) => {
                    touched.extend(self.of_feed(&feed));
                    for id in &ids {
                        self.fetched.remove(id);
                    }
                    touched.extend(ids);
                }
                (Touched::Everything, None) => everything = true,
            }
        }
        if everything {
            self.touched = None;
            self.entries = self
                .world
                .objects()
                .map(|object| (object.id().clone(), entry(&self.world, object)))
                .collect();
            for id in &self.fetched {
                if let Some(entry) = self.entries.get_mut(id) {
                    entry.fetched = true;
                }
            }
            self.counts = self.entries.values().fold(Counts::default(), Counts::with);
            self.sources.clear();
            for (id, entry) in &self.entries {
                if let Some(upstream) = &entry.upstream {
                    self.sources.entry(upstream.clone()).or_default().insert(id.clone());
                }
            }
            self.shape += 1;
        } else if !touched.iter().fold(true, |same, id| self.judge(id) & same) {
            self.shape += 1;
        }
        if everything || !touched.is_empty() {
            self.touches += 1;
        }
    }

    /// Folds the answer for one object in that no list holds. What may not be read stays unknown.
    pub fn take_fetched(&mut self, id: ObjectId, answer: &Result<Arc<Object>, Problem>) {
        let fact = match answer {
            Ok(object) => Fact::Changed(object.clone()),
            Err(problem) if problem.cause.is_absence() => Fact::Gone(id.clone()),
            Err(_) => return,
        };
        self.fetched.insert(id);
        self.observe(vec![fact]);
    }

    /// True if its row stays where it is.
    fn judge(&mut self, id: &ObjectId) -> bool {
        let Some(object) = self.world.get(id) else {
            let old = self.entries.remove(id);
            self.touch(id, old.as_ref().and_then(|old| old.parent.clone()));
            self.counts = old.iter().fold(self.counts, Counts::without);
            self.unlink(id, old.as_ref());
            return old.is_none();
        };
        let new = Entry { fetched: self.fetched.contains(id), ..entry(&self.world, object) };
        let same = self.entries.get(id).is_some_and(|old| {
            old.assessment.standing == new.assessment.standing
                && old.parent == new.parent
                && old.since == new.since
                && old.upstream == new.upstream
                && old.chart == new.chart
        });
        self.counts = self.counts.with(&new);
        let upstream = new.upstream.clone();
        let parent = new.parent.clone();
        let old = self.entries.insert(id.clone(), new);
        let left = old.as_ref().and_then(|old| old.parent.clone());
        let moved = left != parent;
        self.touch(id, [left, parent].into_iter().flatten().filter(|_| moved));
        self.counts = old.iter().fold(self.counts, Counts::without);
        self.unlink(id, old.as_ref());
        if let Some(upstream) = upstream {
            self.sources.entry(upstream).or_default().insert(id.clone());
        }
        same
    }

    /// It has to be looked at again, and so has what gained or lost it.
    fn touch(&mut self, id: &ObjectId, parents: impl IntoIterator<Item = ObjectId>) {
        if let Some(touched) = &mut self.touched {
            touched.insert(id.clone());
            touched.extend(parents);
        }
    }

    /// What has to be looked at again since the last time.
    pub fn take_touched(&mut self) -> Touched {
        match self.touched.replace(HashSet::new()) {
            Some(touched) => Touched::Objects(touched.into_iter().collect()),
            None => Touched::Everything,
        }
    }

    fn unlink(&mut self, id: &ObjectId, old: Option<&Entry>) {
        let Some(upstream) = old.and_then(|old| old.upstream.as_ref()) else { return };
        if let Some(sources) = self.sources.get_mut(upstream) {
            sources.remove(id);
            if sources.is_empty() {
                self.sources.remove(upstream);
            }
        }
    }

    /// What a whole answer of a feed may change: its objects, and what takes from objects of its kind there.
    fn of_feed(&self, feed: &FeedId) -> Vec<ObjectId> {
        let inside = |id: &ObjectId| {
            id.kind == feed.kind && feed.namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
        };
        let touched = self.entries.iter().filter(|(id, entry)| {
            inside(id) || takes_from(&entry.object).is_some_and(|source| inside(&source))
        });
        touched.map(|(id, _)| id.clone()).collect()
    }

    /// Namespaces by number of objects, most first; equal ones by name.
    pub fn namespaces(&self) -> Vec<(Arc<str>, usize)> {
        let mut counts: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for (id, _) in self.entries.iter().filter(|(_, entry)| !entry.fetched) {
            *counts.entry(&id.namespace).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().map(|(name, count)| (name.clone(), count)).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    pub fn standing(&self, id: &ObjectId) -> Option<Standing> {
        self.get(id).map(|entry| entry.assessment.standing)
    }

    /// The repository behind an object: its own, or for a consumer that of its source.
    pub fn upstream(&self, id: &ObjectId) -> Option<&Upstream> {
        self.world.chain(id).iter().find_map(|id| self.get(id)?.upstream.as_ref())
    }

    /// The sources of this repository.
    pub fn sources_of(&self, upstream: &Upstream) -> impl Iterator<Item = &Entry> {
        self.sources.get(upstream).into_iter().flatten().filter_map(|id| self.entries.get(id))
    }
}

/// The feed that a fact answers as a whole, and the objects that it brings.
fn answered(fact: &Fact) -> Option<(FeedId, Vec<ObjectId>)> {
    match fact {
        Fact::Listed { feed, objects, .. } => {
            Some((feed.clone(), objects.iter().map(|object| object.id().clone()).collect()))
        }
        Fact::NotInstalled(feed) | Fact::Refused { feed, .. } => Some((feed.clone(), Vec::new())),
        Fact::Changed(_)
        | Fact::Gone(_)
        | Fact::Unreadable { .. }
        | Fact::WatchLost { .. }
        | Fact::WatchBack { .. }
        | Fact::Narrowed { .. } => None,
    }
}

fn entry(world: &World, object: &Arc<Object>) -> Entry {
    let assessment = assess(world, object);
    let path = text::line(&object.id().path());
    let follows = text::line(&follows(object));
    let running = text::line(&object.revision().map_or_else(|| "-".to_owned(), |r| shown(&r.short())));
    Entry {
        words: words(object.id(), &assessment, &[&path, &follows, &running]),
        since: since(world, object, assessment.standing),
        assessment,
        path: path.into(),
        follows: follows.into(),
        running: running.into(),
        parent: parent(object),
        upstream: object.as_source().and_then(|source| world.upstream(source)),
        fetched: false,
        chart: object.as_source().is_some_and(Source::is_chart),
        object: object.clone(),
    }
}

/// A stale object was made so by its source: since the source broke, or since it holds something else.
fn since(world: &World, object: &Object, standing: Standing) -> Option<Timestamp> {
    if standing != Standing::Stale {
        return object.status().ready().and_then(|ready| ready.since).or(object.meta().created);
    }
    let source = world.get(&takes_from(object)?)?;
    let status = source.status();
    match assess(world, source).standing {
        Standing::Stalled => status.condition("Stalled").and_then(|stalled| stalled.since),
        Standing::Failing => status.ready().and_then(|ready| ready.since),
        Standing::Terminating => None,
        Standing::Stale
        | Standing::Unknown
        | Standing::Progressing
        | Standing::Suspended
        | Standing::Ready => source.as_source()?.artifact.as_ref()?.stored,
    }
}

/// Git writes `refs/heads/main`; the branch alone says as much. helm-controller puts 12 digits of the digest
/// behind a chart's version; they stand where a digest stands.
pub fn shown(revision: &str) -> String {
    let revision = revision.strip_prefix("refs/heads/").unwrap_or(revision);
    match revision.split_once('+') {
        Some((version, hex)) if hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("{version}@{}", &hex[..8])
        }
        _ => revision.to_owned(),
    }
}

fn follows(object: &Object) -> String {
    match object {
        Object::Source(source) => match (&source.spec, source.follows()) {
            (SourceSpec::HelmChart { chart, version, .. }, _) => format!("{chart} {version}"),
            (_, Some(follows)) => follows
                .text()
                .strip_prefix("sha256:")
                .map_or_else(|| follows.text().to_owned(), |hex| format!("@{}", hex.get(..8).unwrap_or(hex))),
            (SourceSpec::ExternalArtifact { generator }, None) => {
                generator.as_deref().map_or_else(String::new, |name| format!("by {name}"))
            }
            (SourceSpec::Oci(_) | SourceSpec::HelmRepository { .. } | SourceSpec::Other { .. }, None) => {
                String::new()
            }
        },
        Object::Consumer(consumer) => consumer.source.as_ref().map_or_else(String::new, ToString::to_string),
    }
}

/// A chart stands under its repository; anything odd stands alone rather than in a circle.
fn parent(object: &Object) -> Option<ObjectId> {
    let parent = takes_from(object)?;
    let sensible = match object {
        Object::Consumer(_) => parent.kind.is_source(),
        Object::Source(_) => matches!(parent.kind, Kind::HelmRepository | Kind::GitRepository | Kind::Bucket),
    };
    sensible.then_some(parent)
}
