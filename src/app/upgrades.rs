//! Where every source stands against its registry, kept: judged anew only where its object, its list of tags or what its
//! running tag names changed. It asks nobody; it says which running tags are worth a question.

use super::{
    ledger::{Entry, Ledger},
    shelf::{
        Asking, Shelf, TagList,
        lookups::{Depth, Named, Want},
    },
};
use crate::domain::{
    digest::Digest,
    fact::Object,
    identity::ObjectId,
    outlook::{Outlook, Readings},
    policy::Policy,
    repository::{Upstream, is_tag},
    source::{Follows, Source},
    upgrade::Upgrade,
    world::Touched,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Tags that are judged at most before a frame gets its turn; the others follow with the next message.
const TAGS_AT_ONCE: usize = 50_000;

#[derive(Default)]
pub struct Upgrades {
    kept: HashMap<ObjectId, Kept>,
    outlooks: HashMap<Upstream, Outlooks>,
    /// Not judged yet: there was too much to judge at once.
    waiting: HashSet<ObjectId>,
    /// Grows when any of them changes.
    pub revision: u64,
    /// What was done since the start: what has to stay small.
    pub work: Work,
}

/// How much was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    pub sources: u64,
    /// Lists that were judged by a policy.
    pub outlooks: u64,
    pub tags: u64,
}

/// One source, judged.
pub struct Kept {
    pub upgrade: Upgrade,
    /// What its policy makes of the tags; sources of one policy and repository share it.
    pub outlook: Arc<Outlook>,
    /// What runs is newer than the list of tags: it says nothing until it is asked for again.
    pub outrun: bool,
}

/// What policies make of one list of tags.
#[derive(Default)]
struct Outlooks {
    revision: u64,
    cut: bool,
    of: HashMap<Policy, Arc<Outlook>>,
}

/// Sources to judge, with what the judgement needs.
struct Group<'a> {
    upstream: &'a Upstream,
    list: &'a TagList,
    readings: Readings<'a>,
}

impl Upgrades {
    /// None: it follows nothing in a registry, or the list of tags is not here.
    pub fn get(&self, id: &ObjectId) -> Option<&Upgrade> {
        self.kept.get(id).map(|kept| &kept.upgrade)
    }

    pub fn kept(&self, id: &ObjectId) -> Option<&Kept> {
        self.kept.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Upgrade> {
        self.kept.values().map(|kept| &kept.upgrade)
    }

    /// Some sources could not be judged at once.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Judges what changed since the last time.
    pub fn settle(&mut self, touched: &Touched, ledger: &Ledger, answers: &mut Shelf) {
        let groups = self.affected(touched, ledger, answers);
        let (mut left, mut afterwards) = (TAGS_AT_ONCE, Vec::new());
        for (upstream, ids) in &groups {
            let Some(list) = answers.tags(upstream).filter(|list| list.is_whole()) else {
                for id in ids {
                    self.forget(id);
                }
                continue;
            };
            let group = Group { upstream, list, readings: Readings::new(&list.listed) };
            for id in ids {
                let Some(entry) = ledger.get(id) else { continue };
                afterwards.extend(self.judge(entry, &group, ledger, answers, &mut left));
            }
        }
        for wish in afterwards {
            wish.fulfil(answers);
        }
    }

    /// Sources to judge, by repository. What is gone, or has no repository any more, is forgotten.
    fn affected(
        &mut self,
        touched: &Touched,
        ledger: &Ledger,
        answers: &mut Shelf,
    ) -> BTreeMap<Upstream, BTreeSet<ObjectId>> {
        let mut ids = std::mem::take(&mut self.waiting);
        match touched {
            Touched::Objects(objects) => ids.extend(objects.iter().cloned()),
            Touched::Everything => {
                ids.extend(self.kept.keys().cloned());
                let sources = ledger.entries().filter(|(_, entry)| entry.upstream.is_some());
                ids.extend(sources.map(|(id, _)| id.clone()));
            }
        }
        for upstream in answers.take_settled() {
            ids.extend(ledger.sources_of(&upstream).map(|entry| entry.object.id().clone()));
        }
        for (upstream, reference) in answers.lookups.take_changed() {
            let runs =
                |entry: &&Entry| reference.is_none() || running_tag(entry).as_deref() == reference.as_deref();
            ids.extend(ledger.sources_of(&upstream).filter(runs).map(|entry| entry.object.id().clone()));
        }
        let mut groups: BTreeMap<Upstream, BTreeSet<ObjectId>> = BTreeMap::new();
        for id in ids {
            match ledger.get(&id).and_then(|entry| entry.upstream.as_ref()) {
                Some(upstream) => {
                    groups.entry(upstream.clone()).or_default().insert(id);
                }
                None => self.forget(&id),
            }
        }
        groups
    }

    fn forget(&mut self, id: &ObjectId) {
        self.revision += u64::from(self.kept.remove(id).is_some());
    }

    fn judge(
        &mut self,
        entry: &Entry,
        group: &Group<'_>,
        ledger: &Ledger,
        answers: &Shelf,
        left: &mut usize,
    ) -> Vec<Wish> {
        let id = entry.object.id();
        let Some((source, policy)) = entry.object.as_source().and_then(|s| Some((s, Policy::of(s)?))) else {
            self.forget(id);
            return Vec::new();
        };
        let Some(outlook) = self.outlook(&policy, group, left) else {
            self.waiting.insert(id.clone());
            return Vec::new();
        };
        self.work.sources += 1;
        let before = self.kept.get(id);
        let tag = running_tag(entry);
        let named = tag.as_deref().and_then(|tag| answers.lookups.named(group.upstream, tag));
        let mut upgrade = Upgrade::from_outlook(&ledger.world, source, &policy, &outlook, digest(named));
        let replaced = before.is_some_and(|before| before.upgrade.running != upgrade.running);
        // what was said of the tag before this revision came says nothing of it
        let older = replaced && upgrade.moved == Some(true);
        if older {
            upgrade.moved = None;
        } else if matches!(named, None | Some(Named::Asked)) && !replaced {
            // it is being asked again: what was known stays until then
            upgrade.moved = before.and_then(|before| before.upgrade.moved);
        }
        let outrun = is_outrun(source, tag.as_deref(), group.list, replaced);
        let mut wishes = Vec::new();
        if outrun {
            wishes.push(Wish::Outrun(group.upstream.clone()));
        }
        let unasked = tag.as_deref().is_some_and(|tag| answers.lookups.is_unasked(group.upstream, tag));
        if let Some(tag) = tag.filter(|_| older) {
            wishes.push(Wish::Forget(group.upstream.clone(), tag));
        }
        if (older || unasked) && matches!(group.list.asking, Asking::Done(_)) {
            wishes.extend(head(&upgrade, &policy, group.upstream));
        }
        let same = before.is_some_and(|before| {
            before.upgrade == upgrade && before.outlook == outlook && before.outrun == outrun
        });
        self.revision += u64::from(!same);
        self.kept.insert(id.clone(), Kept { upgrade, outlook, outrun });
        wishes
    }

    /// None: too much was judged already.
    fn outlook(&mut self, policy: &Policy, group: &Group<'_>, left: &mut usize) -> Option<Arc<Outlook>> {
        let (revision, cut) = (group.list.revision, group.list.cut.is_some());
        let known = self.outlooks.entry(group.upstream.clone()).or_default();
        if (known.revision, known.cut) != (revision, cut) {
            *known = Outlooks { revision, cut, of: HashMap::new() };
        }
        if let Some(outlook) = known.of.get(policy) {
            return Some(outlook.clone());
        }
        if *left == 0 {
            return None;
        }
        *left = left.saturating_sub(group.readings.len().max(1));
        self.work.outlooks += 1;
        self.work.tags += group.readings.len() as u64;
        let outlook = match policy.outlook(&group.readings) {
            outlook if !cut => outlook,
            // a range is judged by the whole list or not at all: what is missing could be the winner
            Outlook { chosen: chosen @ Some(_), .. }
                if !matches!(policy.follows, Some(Follows::Semver(_))) =>
            {
                Outlook { chosen, ..Outlook::default() }
            }
            _ => Outlook::unjudged("the list of tags is not complete"),
        };
        let outlook = Arc::new(outlook);
        known.of.insert(policy.clone(), outlook.clone());
        Some(outlook)
    }
}

/// What the judgement of a source asks of the answers.
enum Wish {
    /// What its running tag names now.
    Head(Want),
    /// What was known of the tag is older than what runs.
    Forget(Upstream, Box<str>),
    /// The list is older than what runs.
    Outrun(Upstream),
}

impl Wish {
    fn fulfil(self, answers: &mut Shelf) {
        match self {
            Self::Head(want) => answers.lookups.want(want),
            Self::Forget(upstream, tag) => answers.lookups.forget_one(&upstream, &tag),
            Self::Outrun(upstream) => answers.outrun(&upstream),
        }
    }
}

/// The question what the running tag names now: none where it says nothing, for a pin or without a digest.
fn head(upgrade: &Upgrade, policy: &Policy, upstream: &Upstream) -> Option<Wish> {
    let running = upgrade.running.as_ref().filter(|running| running.digest().is_some())?;
    let reference: Box<str> = as_written(running.tag()?);
    let followed = matches!(&policy.follows, Some(Follows::Semver(_) | Follows::Tag(_) | Follows::Latest));
    (followed && is_tag(&reference))
        .then(|| Wish::Head(Want { upstream: upstream.clone(), reference, depth: Depth::Digest }))
}

fn digest(named: Option<&Named>) -> Option<&Digest> {
    match named? {
        Named::Here { digest, .. } => Some(digest),
        Named::Asked | Named::Failed { .. } => None,
    }
}

/// The tag that a source runs, as it is written in the registry.
fn running_tag(entry: &Entry) -> Option<Box<str>> {
    let Object::Source(source) = &*entry.object else { return None };
    Some(as_written(source.revision()?.tag()?))
}

/// A version's `+` is `_` in its tag.
fn as_written(tag: &str) -> Box<str> {
    tag.replace('+', "_").into()
}

/// A revision that came after the list, and that the list does not hold.
fn is_outrun(source: &Source, tag: Option<&str>, list: &TagList, replaced: bool) -> bool {
    let Some(tag) = tag else { return false };
    let stored = source.artifact.as_ref().and_then(|artifact| artifact.stored);
    let later = matches!((stored, list.listed_at), (Some(stored), Some(listed)) if stored > listed);
    (list.outrun || replaced || later) && !list.listed.iter().any(|other| **other == *tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Timestamp,
        artifact::TagPage,
        fact::Fact,
        sample::{kustomization, repository},
        source::SourceSpec,
    };

    struct World {
        ledger: Ledger,
        answers: Shelf,
        upgrades: Upgrades,
    }

    /// A source of `ghcr.io/shop/rN` that follows a range and holds `1.0.0`.
    fn source(name: &str, of: usize, range: &str) -> Arc<Object> {
        let Object::Source(mut source) = repository(name) else { unreachable!("a repository is a source") };
        let Object::Source(other) = repository(&format!("shop/r{of}")) else { unreachable!("as above") };
        source.spec = other.spec;
        if let SourceSpec::Oci(spec) = &mut source.spec {
            spec.follows = Follows::Semver(range.into());
        }
        Arc::new(Object::Source(source))
    }

    impl World {
        /// So many sources of so many repositories, each of so many tags; ranges repeat every `policies`.
        fn of(sources: usize, repositories: usize, tags: usize, policies: usize) -> Self {
            let mut world = Self {
                ledger: Ledger::default(),
                answers: Shelf::with(usize::MAX),
                upgrades: Upgrades::default(),
            };
            world.settle();
            for n in 0..sources {
                let range = format!(">={}.0.0", n % policies);
                world.observe(source(&format!("team/a{n}"), n % repositories, &range));
            }
            let upstreams: Vec<Upstream> = world.upstreams();
            for upstream in &upstreams {
                world.answers.want_tags(upstream);
            }
            world.answers.due(Timestamp::UNIX_EPOCH);
            world.settle();
            for upstream in &upstreams {
                world.list(upstream, tags);
            }
            world
        }

        fn upstreams(&self) -> Vec<Upstream> {
            let all: BTreeSet<Upstream> =
                self.ledger.entries().filter_map(|(_, entry)| entry.upstream.clone()).collect();
            all.into_iter().collect()
        }

        fn observe(&mut self, object: Arc<Object>) {
            self.ledger.observe(vec![Fact::Changed(object)]);
        }

        fn list(&mut self, upstream: &Upstream, tags: usize) {
            let page = TagPage {
                tags: (0..tags).map(|n| format!("1.{n}.0").into()).collect(),
                invalid: vec![],
                requests: 1,
                more: false,
                cut: None,
                asked_with: "anonymous".into(),
            };
            self.answers.take_tags(upstream, Ok(page), Timestamp::UNIX_EPOCH);
        }

        /// What one message costs.
        fn settle(&mut self) -> Work {
            let before = self.upgrades.work;
            let touched = self.ledger.take_touched();
            self.upgrades.settle(&touched, &self.ledger, &mut self.answers);
            let after = self.upgrades.work;
            Work {
                sources: after.sources - before.sources,
                outlooks: after.outlooks - before.outlooks,
                tags: after.tags - before.tags,
            }
        }
    }

    #[test]
    fn sources_of_one_repository_and_policy_share_the_judgement_of_its_tags() {
        let mut world = World::of(500, 20, 100, 1);
        assert_eq!(world.settle(), Work { sources: 500, outlooks: 20, tags: 2_000 });
        assert_eq!(world.settle(), Work::default(), "nothing changed");
    }

    #[test]
    fn a_message_costs_what_it_changed() {
        let mut world = World::of(500, 250, 100, 1);
        world.settle();
        world.observe(source("team/a7", 7, ">=0.0.0"));
        assert_eq!(world.settle(), Work { sources: 1, outlooks: 0, tags: 0 }, "the same policy again");
        world.observe(source("team/a7", 7, ">=1.0.0"));
        assert_eq!(world.settle(), Work { sources: 1, outlooks: 1, tags: 100 }, "another range");
        let upstream = world.upstreams()[3].clone();
        world.answers.want_tags_again(&upstream);
        world.answers.due(Timestamp::UNIX_EPOCH);
        world.list(&upstream, 100);
        assert_eq!(world.settle(), Work { sources: 2, outlooks: 0, tags: 0 }, "the same list again");
        world.answers.want_tags_again(&upstream);
        world.answers.due(Timestamp::UNIX_EPOCH);
        world.list(&upstream, 101);
        assert_eq!(world.settle(), Work { sources: 2, outlooks: 1, tags: 101 }, "another list");
        let revision = world.upgrades.revision;
        world.observe(Arc::new(kustomization("team/k", "team/a7")));
        assert_eq!(world.settle().sources, 1, "a source has a consumer more");
        assert!(world.upgrades.revision > revision);
        let id = ObjectId::new(crate::domain::identity::Kind::OciRepository, "team", "a7");
        assert_eq!(world.upgrades.get(&id).unwrap().consumers.len(), 1);
        let gone = ObjectId::new(crate::domain::identity::Kind::Kustomization, "team", "k");
        world.ledger.observe(vec![Fact::Gone(gone)]);
        world.settle();
        assert!(world.upgrades.get(&id).unwrap().consumers.is_empty());
    }

    #[test]
    fn an_answer_about_one_tag_judges_only_what_runs_it() {
        let mut world = World::of(500, 250, 10, 1);
        world.settle();
        assert_eq!(world.answers.due(Timestamp::UNIX_EPOCH).len(), 4, "four of a host at a time");
        let upstream = world.upstreams()[3].clone();
        let problem = || {
            let cause = crate::domain::problem::Cause::NotFound;
            crate::domain::problem::Problem::new(cause, "ask what it is", "404")
        };
        world.answers.lookups.take_head(&upstream, "9.9.9", Err(problem()), Timestamp::UNIX_EPOCH);
        assert_eq!(world.settle().sources, 0);
        world.answers.lookups.take_head(&upstream, "1.0.0", Err(problem()), Timestamp::UNIX_EPOCH);
        assert_eq!(world.settle().sources, 2);
    }

    #[test]
    fn ten_thousand_tags_and_a_hundred_policies_do_not_hold_up_a_frame() {
        let mut world = World::of(200, 1, 10_000, 100);
        let mut rounds = 0;
        let mut whole = Work::default();
        loop {
            let work = world.settle();
            assert!(work.tags <= TAGS_AT_ONCE as u64, "{work:?}");
            whole = Work {
                sources: whole.sources + work.sources,
                outlooks: whole.outlooks + work.outlooks,
                tags: whole.tags + work.tags,
            };
            rounds += 1;
            if !world.upgrades.is_waiting() {
                break;
            }
        }
        assert_eq!(whole, Work { sources: 200, outlooks: 100, tags: 1_000_000 });
        assert_eq!(rounds, 20);
    }
}
