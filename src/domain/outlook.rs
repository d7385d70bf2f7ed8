//! What a policy makes of a whole list, in short: its choice, and the newest outside of it. By the same rule as
//! [`Policy::select`], but without a sentence for each tag: for lists that many sources share.

use super::{
    digest::refusal,
    policy::{Choice, Dialect, Judged, Policy, Rule, Selection, Verdict, highest},
    revision::Revision,
    upgrade::{Candidate, Footing, Upgrade},
    version::{NotAVersion, Version},
};
use std::{cell::OnceCell, sync::Arc};

/// Flux's choice among the tags of a repository, and what it leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outlook {
    pub chosen: Option<Choice>,
    /// Tags of the same precedence as the chosen one.
    pub ambiguous: Vec<Arc<str>>,
    /// Flux's own words for why it chooses nothing.
    pub error: Option<String>,
    /// Why the tags could not be judged: their list is cut, the range or the filter cannot be read.
    pub unjudged: Option<String>,
    pub outside: Outside,
}

/// The newest versions that are neither in range nor filtered out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outside {
    pub stable: Option<Arc<str>>,
    /// Pre-releases count.
    pub any: Option<Arc<str>>,
}

/// What Flux would do now with one source, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect<'a> {
    /// Why no tag is judged.
    Unjudged(&'a str),
    /// It would choose nothing: Flux's own words.
    Nothing(&'a str),
    /// The tag that is followed is not there.
    Absent,
    Pinned,
    Take(&'a Candidate),
    /// It would take something older than what runs.
    GoBack(&'a Candidate),
    /// The running tag names other content now.
    Moved,
    /// The tag that is followed is no version, and what it names was not heard.
    Uncompared(&'a str),
    /// This tag runs, and is what would be chosen.
    Stay(&'a str),
}

/// Tags in the registry's order. Each is read once per dialect, however many policies ask.
pub struct Readings<'a> {
    tags: &'a [Arc<str>],
    read: [OnceCell<Vec<Result<Version, NotAVersion>>>; 3],
}

impl<'a> Readings<'a> {
    pub fn new(tags: &'a [Arc<str>]) -> Self {
        Self { tags, read: [const { OnceCell::new() }; 3] }
    }

    pub fn len(&self) -> usize {
        self.tags.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    fn of(&self, dialect: Dialect) -> &[Result<Version, NotAVersion>] {
        let at = match dialect {
            Dialect::Lenient => 0,
            Dialect::HelmLayer => 1,
            Dialect::HelmChart => 2,
        };
        self.read[at].get_or_init(|| self.tags.iter().map(|tag| dialect.read(tag)).collect())
    }
}

impl Policy {
    /// What Flux would do with these tags, without a verdict for each.
    pub fn outlook(&self, readings: &Readings<'_>) -> Outlook {
        let rule = self.rule();
        let read = readings.of(self.dialect);
        let (mut in_range, mut followed, mut outside) = (Vec::new(), None, Newest::default());
        for (at, (tag, version)) in readings.tags.iter().zip(read).enumerate() {
            match (rule.find(tag, version).verdict(), version) {
                (Verdict::InRange, Ok(version)) => in_range.push((at, version)),
                (Verdict::Chosen, _) => followed = Some(tag),
                (verdict, Ok(version)) => outside.rival(verdict, version, tag),
                (_, Err(_)) => {}
            }
        }
        let outlook = Outlook { outside: outside.tags(), ..Outlook::default() };
        match rule {
            Rule::Nothing { error, why } => Outlook { error, unjudged: Some(why), ..outlook },
            Rule::Digest(digest) => match refusal(&digest) {
                None => Outlook { chosen: Some(Choice::Digest(digest)), ..outlook },
                error @ Some(_) => Outlook { error, ..outlook },
            },
            Rule::One { .. } => Outlook { chosen: followed.cloned().map(Choice::Tag), ..outlook },
            Rule::Range { nothing, .. } => match highest(in_range.iter().copied()) {
                None => Outlook { error: Some(nothing), ..outlook },
                Some(best) => {
                    let equal = |&&(at, version): &&(usize, &Version)| {
                        at != best && Ok(version) == read[best].as_ref()
                    };
                    let ambiguous = in_range.iter().filter(equal).map(|(at, _)| readings.tags[*at].clone());
                    let chosen = Some(Choice::Tag(readings.tags[best].clone()));
                    Outlook { chosen, ambiguous: ambiguous.collect(), ..outlook }
                }
            },
        }
    }
}

impl Outlook {
    /// Nothing is judged, for this reason.
    pub fn unjudged(why: &str) -> Self {
        Self { unjudged: Some(why.to_owned()), ..Self::default() }
    }

    /// What Flux would do with this source, which was judged by this outlook.
    pub fn prospect<'a>(&'a self, upgrade: &'a Upgrade) -> Prospect<'a> {
        if let Some(why) = &self.unjudged {
            return Prospect::Unjudged(why);
        }
        if let Some(error) = &self.error {
            return Prospect::Nothing(error);
        }
        let chosen = match &self.chosen {
            Some(Choice::Digest(_)) => return Prospect::Pinned,
            None => return Prospect::Absent,
            Some(Choice::Tag(tag)) => tag,
        };
        let running = upgrade.running.as_ref().and_then(Revision::tag);
        // of equal tags any may be taken: the one that runs is as good
        let tied = running.filter(|running| self.ambiguous.iter().any(|other| **other == **running));
        if let (Some(candidate), None) = (&upgrade.in_range, tied) {
            let read = |tag: &str| Version::parse_chart_tag(tag).ok();
            let older = matches!(
                (read(&candidate.tag), running.and_then(read)),
                (Some(chosen), Some(running)) if chosen < running
            );
            return if older { Prospect::GoBack(candidate) } else { Prospect::Take(candidate) };
        }
        match (upgrade.moved, upgrade.footing) {
            (Some(true), _) => Prospect::Moved,
            (None, Footing::Tag) => Prospect::Uncompared(chosen),
            (Some(false), _) | (None, Footing::Version | Footing::Pinned | Footing::Nothing) => {
                Prospect::Stay(tied.unwrap_or(chosen))
            }
        }
    }

    /// The newest version outside the range that is above this one; pre-releases only where one is running.
    pub fn beyond(
        &self,
        running: &Version,
        floor: &Version,
        dialect: Dialect,
    ) -> Option<(&Arc<str>, Version)> {
        let newest = if running.is_prerelease() { &self.outside.any } else { &self.outside.stable };
        let tag = newest.as_ref()?;
        let version = dialect.read(tag).ok()?;
        (version > *floor).then_some((tag, version))
    }
}

impl From<&Selection> for Outlook {
    fn from(selection: &Selection) -> Self {
        let mut outside = Newest::default();
        for Judged { tag, version, verdict, .. } in &selection.verdicts {
            if let Some(version) = version {
                outside.rival(*verdict, version, tag);
            }
        }
        let unjudged = selection.verdicts.iter().find(|judged| judged.verdict == Verdict::NotJudged);
        Self {
            chosen: selection.chosen.clone(),
            ambiguous: selection.ambiguous.clone(),
            error: selection.error.clone(),
            unjudged: unjudged.map(|judged| judged.reason.clone()),
            outside: outside.tags(),
        }
    }
}

/// The newest so far: stable ones, and all.
#[derive(Default)]
struct Newest<'a>([Option<(&'a Version, &'a Arc<str>)>; 2]);

impl<'a> Newest<'a> {
    fn rival(&mut self, verdict: Verdict, version: &'a Version, tag: &'a Arc<str>) {
        match verdict {
            Verdict::OutOfRange | Verdict::PreRelease | Verdict::NotFollowed => {}
            Verdict::Chosen
            | Verdict::Signature
            | Verdict::Invalid
            | Verdict::FilteredOut
            | Verdict::NotAVersion
            | Verdict::InRange
            | Verdict::NotJudged => return,
        }
        for (best, counts) in self.0.iter_mut().zip([!version.is_prerelease(), true]) {
            if counts && best.is_none_or(|(best, _)| version > best) {
                *best = Some((version, tag));
            }
        }
    }

    fn tags(self) -> Outside {
        let [stable, any] = self.0.map(|best| best.map(|(_, tag)| tag.clone()));
        Outside { stable, any }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::source::Follows;
    use proptest::prelude::*;

    fn policy(follows: Follows, filter: &str, dialect: Dialect) -> Policy {
        Policy { follows: Some(follows), filter: (!filter.is_empty()).then(|| filter.into()), dialect }
    }

    /// Policies of every kind, broken ones too.
    fn policies() -> Vec<Policy> {
        let semver = |range: &str| Follows::Semver(range.into());
        let mut all = vec![Policy::none()];
        for dialect in [Dialect::Lenient, Dialect::HelmLayer, Dialect::HelmChart] {
            for follows in [
                semver("1.x"),
                semver(">=1.0.0-0 <2.0.0"),
                semver("*"),
                semver("9.x"),
                semver("nonsense!"),
                Follows::Tag("1.0.0".into()),
                Follows::Latest,
                Follows::Digest(format!("sha256:{}", "a".repeat(64)).into()),
            ] {
                for filter in ["", "^1", "("] {
                    all.push(policy(follows.clone(), filter, dialect));
                }
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn in_short_says_the_same_as_with_all_verdicts(
            tags in proptest::collection::vec("(v|)[012]\\.[01]\\.[01](-rc\\.[12]|_b|)|latest|sha256-[a]{64}\\.sig|-no", 0..12)
        ) {
            let tags: Vec<Arc<str>> = tags.iter().map(|tag| Arc::from(tag.as_str())).collect();
            let readings = Readings::new(&tags);
            for policy in policies() {
                let mut long = Outlook::from(&policy.select(&tags));
                let short = policy.outlook(&readings);
                if tags.iter().all(|tag| crate::domain::repository::is_signature_tag(tag) || &**tag == "-no") {
                    // no verdict holds the reason where no tag is fit to be judged
                    long.unjudged.clone_from(&short.unjudged);
                }
                prop_assert_eq!(long, short, "{:?}", policy);
            }
        }
    }
}
