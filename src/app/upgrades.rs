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
const TAGS_AT_ONCE: usize = 100_000;

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
                ids.iter().for_each(|id| self.forget(id));
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
        if let Some(tag) = tag.filter(|_| older) {
            wishes.push(Wish::Forget(group.upstream.clone(), tag));
        }
        if (older || named.is_none()) && matches!(group.list.asking, Asking::Done(_)) {
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
        let outlook = match &policy.follows {
            // a range is judged by the whole list or not at all: what is missing could be the winner
            Some(Follows::Semver(_)) if cut => Outlook::unjudged("the list of tags is not complete"),
            Some(_) | None => policy.outlook(&group.readings),
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
