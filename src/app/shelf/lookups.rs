//! What tags and digests are, asked for when somebody looks. A tag is asked what it names; what a digest holds is asked
//! once and kept for good.

use super::super::effect::Effect;
use crate::domain::{
    Timestamp,
    artifact::{Descriptor, Details},
    digest::Digest,
    problem::{Cause, Problem},
    repository::Upstream,
};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

/// Lookups that may be on their way to one host at a time.
const AT_ONCE: usize = 4;

/// How much is wanted of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Depth {
    /// What it names now: one HEAD.
    Digest,
    /// The manifest too, and when it was made.
    Details,
}

/// A tag or a digest in a repository, and how much of it is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Want {
    pub upstream: Upstream,
    pub reference: Box<str>,
    pub depth: Depth,
}

/// Where the question what a reference names stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Named {
    Asked,
    Here { digest: Digest, at: Timestamp },
    Failed { problem: Problem, at: Timestamp },
}

/// What was said last, and whether it is asked anew.
#[derive(Debug)]
struct Entry {
    said: Named,
    /// On its way; what was said before stands until then.
    asked: bool,
    /// From before the tags were asked for again.
    old: bool,
}

#[derive(Debug, Default)]
pub struct Lookups {
    named: HashMap<Upstream, HashMap<Box<str>, Entry>>,
    contents: HashMap<Digest, Arc<Details>>,
    /// Asked for by hand: before all others, and after a refusal too.
    pressed: VecDeque<Want>,
    /// Seen now; replaced whenever something else is seen.
    seen: Vec<Want>,
    /// Wanted whether it is seen or not, in line by host; each once.
    background: HashMap<Box<str>, VecDeque<Want>>,
    in_line: HashSet<Want>,
    under_way: HashMap<Box<str>, usize>,
    /// Repositories that refused one: nothing more is asked there unasked.
    refused: HashMap<Upstream, Problem>,
    /// References of which something else may be known than before; none stands for all of the repository.
    changed: HashSet<(Upstream, Option<Box<str>>)>,
    /// Grows with every answer.
    pub revision: u64,
}

impl Lookups {
    pub fn named(&self, upstream: &Upstream, reference: &str) -> Option<&Named> {
        self.entry(upstream, reference).map(|entry| &entry.said)
    }

    fn entry(&self, upstream: &Upstream, reference: &str) -> Option<&Entry> {
        self.named.get(upstream)?.get(reference)
    }

    /// Nobody asked since the tags of its repository were asked for again.
    pub fn is_unasked(&self, upstream: &Upstream, reference: &str) -> bool {
        self.entry(upstream, reference).is_none_or(|entry| entry.old && !entry.asked)
    }

    /// What the reference names, as last heard.
    pub fn digest(&self, upstream: &Upstream, reference: &str) -> Option<&Digest> {
        match self.named(upstream, reference)? {
            Named::Here { digest, .. } => Some(digest),
            Named::Asked | Named::Failed { .. } => None,
        }
    }

    /// All that is known of what references of a repository name.
    pub fn known(&self, upstream: &Upstream) -> impl Iterator<Item = (&str, &Digest)> {
        let named = self.named.get(upstream).into_iter().flatten();
        named.filter_map(|(reference, entry)| match &entry.said {
            Named::Here { digest, .. } => Some((&**reference, digest)),
            Named::Asked | Named::Failed { .. } => None,
        })
    }

    pub fn details(&self, upstream: &Upstream, reference: &str) -> Option<&Arc<Details>> {
        self.contents.get(self.digest(upstream, reference)?)
    }

    /// What is known of the content of a digest, wherever it was met.
    pub fn content(&self, digest: &Digest) -> Option<&Arc<Details>> {
        self.contents.get(digest)
    }

    /// Why nothing more is asked of this repository by itself.
    pub fn refusal(&self, upstream: &Upstream) -> Option<&Problem> {
        self.refused.get(upstream)
    }

    /// Somebody pressed a key for it.
    pub fn press(&mut self, want: Want) {
        self.pressed.push_back(want);
    }

    /// These can be seen now, the most wanted first.
    pub fn look(&mut self, wants: Vec<Want>) {
        self.seen = wants;
    }

    /// Wanted in the background, once.
    pub fn want(&mut self, want: Want) {
        if !self.is_answered(&want) && self.in_line.insert(want.clone()) {
            let host = want.upstream.repository.registry().into();
            self.background.entry(host).or_default().push_back(want);
        }
    }

    /// What tags name may have changed; what digests hold has not. What was said stands until it is said anew.
    pub fn forget(&mut self, upstream: &Upstream) {
        for entry in self.named.get_mut(upstream).into_iter().flat_map(HashMap::values_mut) {
            entry.old = !entry.asked;
        }
        self.refused.remove(upstream);
        self.changed.insert((upstream.clone(), None));
        self.revision += 1;
    }

    /// This one names something else now, as was seen elsewhere.
    pub fn forget_one(&mut self, upstream: &Upstream, reference: &str) {
        let Some(named) = self.named.get_mut(upstream) else { return };
        if named.get(reference).is_some_and(|entry| !entry.asked) {
            named.remove(reference);
            self.changed.insert((upstream.clone(), Some(reference.into())));
            self.revision += 1;
        }
    }

    /// What may be known anew since the last time; without a reference all of the repository.
    pub fn take_changed(&mut self) -> HashSet<(Upstream, Option<Box<str>>)> {
        std::mem::take(&mut self.changed)
    }

    /// Questions whose turn has come.
    pub fn due(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for want in std::mem::take(&mut self.pressed) {
            self.refused.remove(&want.upstream);
            if self.entry(&want.upstream, &want.reference).is_some_and(|entry| entry.asked) {
                continue;
            }
            effects.push(self.ask(&want, Depth::Details));
        }
        let seen = std::mem::take(&mut self.seen);
        for want in &seen {
            effects.extend(self.ask_unasked(want));
        }
        let hosts: Vec<Box<str>> = self.background.keys().cloned().collect();
        for host in hosts {
            while self.under_way.get(&host).is_none_or(|n| *n < AT_ONCE) {
                let Some(want) = self.background.get_mut(&host).and_then(VecDeque::pop_front) else { break };
                self.in_line.remove(&want);
                effects.extend(self.ask_unasked(&want));
            }
        }
        self.background.retain(|_, line| !line.is_empty());
        effects
    }

    fn ask_unasked(&mut self, want: &Want) -> Option<Effect> {
        let busy = self.under_way.get(want.upstream.repository.registry()).is_some_and(|n| *n >= AT_ONCE);
        if busy || self.is_answered(want) || self.refused.contains_key(&want.upstream) {
            return None;
        }
        // what it named before is known: most often it names that still
        let known = self.details(&want.upstream, &want.reference).is_some();
        Some(self.ask(want, if known { Depth::Digest } else { want.depth }))
    }

    /// It is here, on its way, or failed.
    fn is_answered(&self, want: &Want) -> bool {
        let Some(entry) = self.entry(&want.upstream, &want.reference) else { return false };
        if entry.asked || entry.old {
            return entry.asked;
        }
        match &entry.said {
            Named::Asked | Named::Failed { .. } => true,
            Named::Here { digest, .. } => want.depth == Depth::Digest || self.contents.contains_key(digest),
        }
    }

    fn ask(&mut self, want: &Want, depth: Depth) -> Effect {
        *self.under_way.entry(want.upstream.repository.registry().into()).or_default() += 1;
        let (upstream, reference) = (want.upstream.clone(), want.reference.clone());
        let entries = self.named.entry(upstream.clone()).or_default();
        let first = Entry { said: Named::Asked, asked: true, old: false };
        entries.entry(reference.clone()).or_insert(first).asked = true;
        match depth {
            Depth::Digest => Effect::Head { upstream, reference: reference.into() },
            Depth::Details => Effect::Describe { upstream, reference: reference.into() },
        }
    }

    pub fn take_head(
        &mut self,
        upstream: &Upstream,
        reference: &str,
        answer: Result<Descriptor, Problem>,
        now: Timestamp,
    ) {
        self.answered(upstream, reference, answer.map(|descriptor| descriptor.digest), now);
    }

    pub fn take_details(
        &mut self,
        upstream: &Upstream,
        reference: &str,
        answer: Result<Details, Problem>,
        now: Timestamp,
    ) {
        let answer = answer.map(|details| {
            let digest = details.manifest.digest.clone();
            self.contents.insert(digest.clone(), Arc::new(details));
            digest
        });
        self.answered(upstream, reference, answer, now);
    }

    fn answered(
        &mut self,
        upstream: &Upstream,
        reference: &str,
        answer: Result<Digest, Problem>,
        at: Timestamp,
    ) {
        if let Some(count) = self.under_way.get_mut(upstream.repository.registry()) {
            *count = count.saturating_sub(1);
        }
        let entries = self.named.entry(upstream.clone()).or_default();
        let first = || Entry { said: Named::Asked, asked: true, old: false };
        let entry = entries.entry(reference.into()).or_insert_with(first);
        entry.asked = false;
        match (answer, &entry.said) {
            (Ok(digest), _) => (entry.said, entry.old) = (Named::Here { digest, at }, false),
            // the registry, not this tag, is why: what was known stays, and is asked again when it answers again
            (Err(problem), Named::Here { .. }) if concerns_all(&problem) => {
                entry.old = true;
                self.refused.insert(upstream.clone(), problem);
            }
            (Err(problem), _) => {
                if concerns_all(&problem) {
                    self.refused.insert(upstream.clone(), problem.clone());
                }
                (entry.said, entry.old) = (Named::Failed { problem, at }, false);
            }
        }
        self.changed.insert((upstream.clone(), Some(reference.into())));
        self.revision += 1;
    }
}

/// Another reference of the same repository would fail in the same way.
fn concerns_all(problem: &Problem) -> bool {
    !matches!(problem.cause, Cause::NotFound | Cause::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{artifact::Manifest, repository::Repository, sample::digest};

    fn upstream() -> Upstream {
        Upstream { repository: Repository::parse_name("ghcr.io/acme/podinfo").unwrap(), insecure: false }
    }

    fn want(tag: &str) -> Want {
        Want { upstream: upstream(), reference: tag.into(), depth: Depth::Details }
    }

    fn details(c: char) -> Details {
        let manifest = Manifest {
            digest: Digest::parse(&digest(c)).unwrap(),
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            size: 2,
            config: None,
            layers: vec![],
            children: vec![],
            annotations: std::collections::BTreeMap::new(),
        };
        Details { manifest, created: None }
    }

    fn descriptor(c: char) -> Descriptor {
        Descriptor {
            digest: Digest::parse(&digest(c)).unwrap(),
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            size: Some(2),
            annotations: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn few_are_asked_at_once_and_what_scrolled_away_is_not_asked() {
        let mut lookups = Lookups::default();
        lookups.look((0..20).map(|n| want(&format!("1.0.{n}"))).collect());
        assert_eq!(lookups.due().len(), AT_ONCE);
        lookups.look(vec![want("2.0.0")]);
        assert!(lookups.due().is_empty());
        lookups.take_details(&upstream(), "1.0.0", Ok(details('a')), Timestamp::UNIX_EPOCH);
        lookups.look(vec![want("1.0.0"), want("2.0.0")]);
        let asked = lookups.due();
        assert!(matches!(&asked[..], [Effect::Describe { reference, .. }] if reference == "2.0.0"));
    }

    #[test]
    fn after_a_refusal_only_a_key_asks_again() {
        let mut lookups = Lookups::default();
        lookups.look(vec![want("1.0.0")]);
        lookups.due();
        let refused = Problem::new(Cause::Unauthorized, "read", "401");
        lookups.take_details(&upstream(), "1.0.0", Err(refused), Timestamp::UNIX_EPOCH);
        lookups.look(vec![want("1.1.0")]);
        assert!(lookups.due().is_empty() && lookups.refusal(&upstream()).is_some());
        lookups.press(want("1.1.0"));
        assert_eq!(lookups.due().len(), 1);
    }

    #[test]
    fn a_tag_that_moved_is_asked_again_and_its_content_is_not() {
        let mut lookups = Lookups::default();
        lookups.press(want("1.0.0"));
        lookups.due();
        lookups.take_details(&upstream(), "1.0.0", Ok(details('a')), Timestamp::UNIX_EPOCH);
        lookups.forget(&upstream());
        assert_eq!(
            lookups.digest(&upstream(), "1.0.0").unwrap().hex(),
            "a".repeat(64),
            "until it is said anew"
        );
        lookups.look(vec![want("1.0.0")]);
        let asked = lookups.due();
        assert!(matches!(&asked[..], [Effect::Head { reference, .. }] if reference == "1.0.0"));
        assert!(lookups.digest(&upstream(), "1.0.0").is_some());
        lookups.take_head(&upstream(), "1.0.0", Ok(descriptor('b')), Timestamp::UNIX_EPOCH);
        assert_eq!(lookups.digest(&upstream(), "1.0.0").unwrap().hex(), "b".repeat(64));
        lookups.look(vec![want("1.0.0")]);
        assert!(matches!(&lookups.due()[..], [Effect::Describe { .. }]), "what is new is read");
        assert!(lookups.content(&Digest::parse(&digest('a')).unwrap()).is_some());
    }

    #[test]
    fn a_refusal_takes_no_digest_away_and_a_tag_that_is_gone_is_gone() {
        let mut lookups = Lookups::default();
        for tag in ["1.0.0", "1.1.0"] {
            lookups.press(want(tag));
            lookups.due();
            lookups.take_details(&upstream(), tag, Ok(details('a')), Timestamp::UNIX_EPOCH);
        }
        lookups.forget(&upstream());
        lookups.look(vec![want("1.0.0"), want("1.1.0")]);
        assert_eq!(lookups.due().len(), 2);
        let problem = |cause| Err(Problem::new(cause, "read", "no"));
        lookups.take_head(&upstream(), "1.0.0", problem(Cause::RateLimited), Timestamp::UNIX_EPOCH);
        lookups.take_head(&upstream(), "1.1.0", problem(Cause::NotFound), Timestamp::UNIX_EPOCH);
        assert!(lookups.digest(&upstream(), "1.0.0").is_some() && lookups.refusal(&upstream()).is_some());
        assert!(matches!(lookups.named(&upstream(), "1.1.0"), Some(Named::Failed { .. })));
        lookups.look(vec![want("1.0.0")]);
        assert!(lookups.due().is_empty());
        lookups.forget(&upstream());
        lookups.look(vec![want("1.0.0")]);
        assert_eq!(lookups.due().len(), 1, "asked again by hand, it is asked again");
    }
}
