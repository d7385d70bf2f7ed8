//! How far a source is behind what its registry holds, and what would take it there. Pure: tags come from outside.

use super::{
    digest::Digest,
    identity::{Manager, ObjectId},
    outlook::{Outlook, Readings},
    policy::{Choice, Dialect, Policy, Selection},
    problem::Problem,
    repository::{is_signature_tag, is_tag},
    revision::Revision,
    source::{Follows, Source},
    version::Version,
    world::World,
};
use std::{cmp::Reverse, fmt, sync::Arc};

/// How far one version is from another. Order is weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distance {
    None,
    Patch,
    Minor,
    Major,
    /// Not comparable: what runs is no version, or could not be asked.
    Unknown,
}

impl Distance {
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Patch => "patch",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Unknown => "unknown",
        }
    }

    /// By the first part that differs; a pre-release of the same version is a patch away.
    pub fn between(one: &Version, other: &Version) -> Self {
        if one == other {
            Self::None
        } else if one.major() != other.major() {
            Self::Major
        } else if one.minor() != other.minor() {
            Self::Minor
        } else {
            Self::Patch
        }
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A tag that a source could run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub tag: Arc<str>,
    pub distance: Distance,
}

/// What a source runs can be compared with versions, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footing {
    Version,
    /// `ref.digest`: no tag is followed.
    Pinned,
    /// The running tag is no version, e.g. `latest`: only digests can be compared.
    Tag,
    /// Nothing is stored yet.
    Nothing,
}

/// Which tags name the digest that a source is pinned to, as far as they were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Carriers {
    /// Newest version first.
    pub tags: Vec<Arc<str>>,
    pub looked_at: usize,
    /// How many could be looked at: [`Carriers::candidates`].
    pub of: usize,
    /// Why some could not be asked; they are not counted as looked at.
    pub problem: Option<Problem>,
}

impl Carriers {
    /// How many tags are looked at unless more are asked for.
    pub const MOST: usize = 50;

    /// All tags that could carry a digest, in the order in which they are worth a look: `hint` (the tag written beside
    /// the digest) first, then versions, newest first, then other names. No signatures, no invalid names.
    pub fn candidates(tags: &[Arc<str>], dialect: Dialect, hint: Option<&str>) -> Vec<Arc<str>> {
        let fits = |tag: &&Arc<str>| is_tag(tag) && !is_signature_tag(tag);
        let mut candidates: Vec<Arc<str>> = tags.iter().filter(fits).cloned().collect();
        candidates.sort_by_cached_key(|tag| {
            let version = dialect.read(tag).ok();
            (hint != Some(&**tag), version.is_none(), Reverse(version), tag.clone())
        });
        candidates
    }

    /// Takes in what one tag names now. Tags come in the order of [`Carriers::candidates`].
    pub fn look(&mut self, pinned: &Digest, tag: &Arc<str>, names: Result<Digest, Problem>) {
        match names {
            Ok(digest) => {
                self.looked_at += 1;
                if digest == *pinned {
                    self.tags.push(tag.clone());
                }
            }
            Err(problem) => self.problem = self.problem.take().or(Some(problem)),
        }
    }
}

/// Where a source stands against its registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Upgrade {
    pub source: ObjectId,
    pub running: Option<Revision>,
    pub footing: Footing,
    /// What Flux would choose now, if that is not what runs.
    pub in_range: Option<Candidate>,
    /// The newest version outside the range; pre-releases only where one is running.
    pub beyond: Option<Candidate>,
    /// The running tag names another digest now; None: not asked.
    pub moved: Option<bool>,
    /// Flux's words for why it would choose nothing.
    pub error: Option<String>,
    pub consumers: Vec<ObjectId>,
    /// Who would revert a change of `spec.ref` in the cluster.
    pub managed_by: Option<Manager>,
}

impl Upgrade {
    /// Judges a source by the tags of its repository and, if asked, by what its running tag names now.
    /// None for sources that follow nothing in a registry.
    pub fn of(world: &World, source: &Source, tags: &[Arc<str>], now: Option<&Digest>) -> Option<Self> {
        let policy = Policy::of(source)?;
        let outlook = policy.outlook(&Readings::new(tags));
        Some(Self::from_outlook(world, source, &policy, &outlook, now))
    }

    /// The same for a caller that already has the selection of the source's own policy.
    pub fn from_selection(
        world: &World,
        source: &Source,
        policy: &Policy,
        selection: &Selection,
        now: Option<&Digest>,
    ) -> Self {
        Self::from_outlook(world, source, policy, &Outlook::from(selection), now)
    }

    /// The same for many sources of one policy: what it makes of the tags is found out once.
    pub fn from_outlook(
        world: &World,
        source: &Source,
        policy: &Policy,
        outlook: &Outlook,
        now: Option<&Digest>,
    ) -> Self {
        let running = source.revision().cloned();
        let version =
            running.as_ref().and_then(Revision::tag).and_then(|tag| policy.dialect.read(&as_tag(tag)).ok());
        let in_range = in_range(outlook, running.as_ref(), version.as_ref(), policy);
        let beyond = version.as_ref().and_then(|running| beyond(outlook, running, in_range.as_ref(), policy));
        let moved = now.and_then(|now| Some(running.as_ref()?.digest()? != now));
        Self {
            source: source.meta.id.clone(),
            footing: footing(policy, running.as_ref(), version.as_ref()),
            running,
            in_range,
            beyond,
            moved,
            error: outlook.error.clone(),
            consumers: world.consumers(&source.meta.id),
            managed_by: source.meta.manager(),
        }
    }

    /// To the farther of the two candidates.
    pub fn distance(&self) -> Distance {
        match self.footing {
            Footing::Version => {
                let candidates = [&self.in_range, &self.beyond];
                candidates.into_iter().flatten().map(|c| c.distance).max().unwrap_or(Distance::None)
            }
            Footing::Pinned | Footing::Tag | Footing::Nothing => Distance::Unknown,
        }
    }

    /// Something is newer than what runs, or the running tag was moved.
    pub fn is_behind(&self) -> bool {
        self.in_range.is_some() || self.beyond.is_some() || self.moved == Some(true)
    }
}

/// A HelmChart's revision is a version, its tag spells `+` as `_`.
fn as_tag(tag: &str) -> String {
    tag.replace('+', "_")
}

fn footing(policy: &Policy, running: Option<&Revision>, version: Option<&Version>) -> Footing {
    match (&policy.follows, running, version) {
        (Some(Follows::Digest(_)), ..) => Footing::Pinned,
        (_, _, Some(_)) => Footing::Version,
        (_, Some(_), None) => Footing::Tag,
        (_, None, _) => Footing::Nothing,
    }
}

fn in_range(
    outlook: &Outlook,
    running: Option<&Revision>,
    version: Option<&Version>,
    policy: &Policy,
) -> Option<Candidate> {
    let Some(Choice::Tag(tag)) = &outlook.chosen else { return None };
    if running.and_then(Revision::tag).is_some_and(|running| as_tag(running) == **tag) {
        return None;
    }
    // a chart's revision may carry the generation of its object as build metadata: that is no other version
    let same = |running: &Version| policy.dialect.read(tag).is_ok_and(|chosen| chosen == *running);
    if policy.dialect == Dialect::HelmChart && version.is_some_and(same) {
        return None;
    }
    let distance = match (version, policy.dialect.read(tag)) {
        (Some(running), Ok(chosen)) => Distance::between(running, &chosen),
        _ => Distance::Unknown,
    };
    Some(Candidate { tag: tag.clone(), distance })
}

/// The newest of what is neither in range nor filtered out, if it is newer than both what runs and what would come.
fn beyond(
    outlook: &Outlook,
    running: &Version,
    in_range: Option<&Candidate>,
    policy: &Policy,
) -> Option<Candidate> {
    let coming = in_range.and_then(|candidate| policy.dialect.read(&candidate.tag).ok());
    let floor = coming.as_ref().filter(|coming| *coming > running).unwrap_or(running);
    let (tag, version) = outlook.beyond(running, floor, policy.dialect)?;
    Some(Candidate { tag: tag.clone(), distance: Distance::between(running, &version) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        change::Change,
        fact::Object,
        problem::Cause,
        sample::{chart, digest, repository},
        source::SourceSpec,
    };

    /// A source that runs `1.0.0` and follows the ref, against these tags.
    fn judge(follows: Follows, tags: &[&str], now: Option<char>) -> (Upgrade, Source) {
        let Object::Source(mut source) = repository("shop/a") else {
            unreachable!("a repository is a source")
        };
        if let SourceSpec::Oci(spec) = &mut source.spec {
            spec.follows = follows;
        }
        let tags: Vec<Arc<str>> = tags.iter().map(|tag| Arc::from(*tag)).collect();
        let now = now.map(|c| Digest::parse(&digest(c)).unwrap());
        (Upgrade::of(&World::default(), &source, &tags, now.as_ref()).unwrap(), source)
    }

    fn check(
        follows: Follows,
        tags: &[&str],
        in_range: Option<&str>,
        beyond: Option<&str>,
        distance: Distance,
    ) {
        let (upgrade, _) = judge(follows, tags, None);
        let tag = |candidate: &Option<Candidate>| candidate.as_ref().map(|c| c.tag.to_string());
        assert_eq!(tag(&upgrade.in_range).as_deref(), in_range);
        assert_eq!(tag(&upgrade.beyond).as_deref(), beyond);
        assert_eq!(upgrade.distance(), distance);
    }

    #[test]
    fn what_comes_by_itself_and_what_needs_an_edit_are_told_apart() {
        let tags = ["1.0.0", "1.0.4", "1.2.0", "2.0.0", "3.0.0-rc.1"];
        check(Follows::Semver("1.0.x".into()), &tags, Some("1.0.4"), Some("2.0.0"), Distance::Major);
        check(Follows::Semver(">=1.0.0".into()), &tags, Some("2.0.0"), None, Distance::Major);
        check(Follows::Tag("1.0.0".into()), &tags, None, Some("2.0.0"), Distance::Major);
        check(Follows::Semver("1.0.0".into()), &["1.0.0"], None, None, Distance::None);
    }

    #[test]
    fn a_pin_and_a_floating_tag_are_not_compared_by_version() {
        check(
            Follows::Digest(digest('a').into()),
            &["1.0.0", "2.0.0"],
            None,
            Some("2.0.0"),
            Distance::Unknown,
        );
        let (upgrade, _) = judge(Follows::Digest(digest('a').into()), &["1.0.0"], None);
        assert_eq!(upgrade.footing, Footing::Pinned);
    }

    #[test]
    fn a_moved_tag_is_behind_although_no_version_is_newer() {
        let (moved, _) = judge(Follows::Tag("1.0.0".into()), &["1.0.0"], Some('b'));
        assert_eq!((moved.moved, moved.is_behind()), (Some(true), true));
        let (same, _) = judge(Follows::Tag("1.0.0".into()), &["1.0.0"], Some('a'));
        assert_eq!((same.moved, same.is_behind()), (Some(false), false));
    }

    fn spec(mut source: Source, change: impl FnOnce(&mut crate::domain::source::OciSpec)) -> Source {
        if let SourceSpec::Oci(spec) = &mut source.spec {
            change(spec);
        }
        source
    }

    fn names(tags: &[&str]) -> Vec<Arc<str>> {
        tags.iter().map(|tag| Arc::from(*tag)).collect()
    }

    #[test]
    fn what_the_filter_leaves_out_is_not_beyond_the_range() {
        let (_, source) = judge(Follows::Semver("1.0.x".into()), &[], None);
        let source = spec(source, |spec| spec.semver_filter = Some("-eu$".into()));
        let tags = names(&["1.0.0", "1.1.0-eu", "2.0.0-eu", "3.0.0"]);
        let upgrade = Upgrade::of(&World::default(), &source, &tags, None).unwrap();
        assert_eq!(
            (&upgrade.in_range, &upgrade.beyond),
            (&None, &None),
            "3.0.0 is filtered out, -eu are pre-releases"
        );
        let source = spec(source, |spec| spec.semver_filter = Some("^[12]".into()));
        let tags = names(&["1.0.0", "2.0.0", "3.0.0"]);
        let upgrade = Upgrade::of(&World::default(), &source, &tags, None).unwrap();
        assert_eq!(upgrade.beyond.as_ref().unwrap().tag.as_ref(), "2.0.0");
        let change = Change::beyond(&upgrade, &World::default(), &source).unwrap();
        assert_eq!(
            change.would_choose(&source, &tags).as_deref(),
            Some("2.0.0"),
            "the filter holds after it"
        );
    }

    #[test]
    fn the_generation_behind_a_charts_version_is_no_other_version() {
        let Object::Source(mut source) = chart("infra/app", "infra/charts") else {
            unreachable!("a chart is a source")
        };
        source.artifact.as_mut().unwrap().revision = Revision::parse("1.0.0+3");
        let upgrade = Upgrade::of(&World::default(), &source, &names(&["1.0.0"]), None).unwrap();
        assert_eq!(upgrade.in_range, None);
    }

    #[test]
    fn the_tags_behind_a_pin_are_looked_for_newest_first() {
        let signature = format!("sha256-{}.sig", "a".repeat(64));
        let tags = ["1.0.0", "latest", "1.10.0", "../x", &signature, "1.9.0", "edge"].map(Arc::from);
        let order = |hint| Carriers::candidates(&tags, Dialect::Lenient, hint);
        let names = |tags: Vec<Arc<str>>| tags.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(names(order(None)), "1.10.0 1.9.0 1.0.0 edge latest");
        assert_eq!(names(order(Some("1.0.0"))), "1.0.0 1.10.0 1.9.0 edge latest");
    }

    #[test]
    fn what_could_not_be_asked_was_not_looked_at() {
        let pinned = Digest::parse(&digest('a')).unwrap();
        let mut carriers = Carriers { of: 3, ..Carriers::default() };
        let other = Digest::parse(&digest('b')).unwrap();
        let problem = Problem::new(Cause::RateLimited, "ask what it is", "429");
        for (tag, names) in [("1.2.0", Ok(other)), ("1.1.0", Ok(pinned.clone())), ("1.0.0", Err(problem))] {
            carriers.look(&pinned, &tag.into(), names);
        }
        assert_eq!((carriers.looked_at, carriers.of, carriers.problem.is_some()), (2, 3, true));
        assert_eq!(carriers.tags, ["1.1.0".into()]);
    }
}
