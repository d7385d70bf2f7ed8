//! Which tag Flux would take, and a verdict for every other one, with the rule that decided.
//! It asks nobody: tags come in the registry's order, as source-controller sees them.

use super::{
    constraint::{Constraint, Judgement},
    pattern::{Pattern, PatternError},
    repository::{is_signature_tag, is_tag},
    source::{Follows, Source, SourceSpec},
    version::{NotAVersion, Version},
};
use std::{fmt, sync::Arc};

/// How a source picks from its repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// None: nothing is followed, the tags are only listed.
    pub follows: Option<Follows>,
    /// `ref.semverFilter`: used with a range only.
    pub filter: Option<Box<str>>,
    pub dialect: Dialect,
}

/// Which tags count as versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// An OCIRepository (`reference/flux.md` §1.5).
    #[default]
    Lenient,
    /// An OCIRepository with a selector for the Helm chart layer: `_` stands for `+`.
    HelmLayer,
    /// A HelmChart of an oci HelmRepository: Helm's own strict list (`reference/flux.md` §7).
    HelmChart,
}

/// The words of `design.md` §10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Chosen,
    Signature,
    Invalid,
    FilteredOut,
    NotAVersion,
    InRange,
    PreRelease,
    OutOfRange,
    NotFollowed,
    NotJudged,
}

impl Verdict {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Signature => "signature",
            Self::Invalid => "invalid",
            Self::FilteredOut => "filtered-out",
            Self::NotAVersion => "not-a-version",
            Self::InRange => "in-range",
            Self::PreRelease => "pre-release",
            Self::OutOfRange => "out-of-range",
            Self::NotFollowed => "not-followed",
            Self::NotJudged => "not-judged",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// One tag and what Flux makes of it.
#[derive(Debug, Clone)]
pub struct Judged {
    pub tag: Arc<str>,
    pub version: Option<Version>,
    pub verdict: Verdict,
    /// One sentence that names the comparator or the rule; holds text from outside.
    pub reason: String,
}

/// What Flux would follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Tag(Arc<str>),
    Digest(Box<str>),
}

/// Flux's answer for a list of tags.
#[derive(Debug, Clone)]
pub struct Selection {
    pub chosen: Option<Choice>,
    /// Tags of the same precedence as the chosen one: between more than twelve matches Go's sort may take any.
    pub ambiguous: Vec<Arc<str>>,
    /// Flux's own words for why it chooses nothing.
    pub error: Option<String>,
    /// One for each tag, in the order given.
    pub verdicts: Vec<Judged>,
}

impl Policy {
    /// The policy in force; None for kinds that follow nothing in a registry.
    pub fn of(source: &Source) -> Option<Self> {
        let follows = source.follows()?;
        match &source.spec {
            SourceSpec::Oci(spec) => {
                let dialect = if spec.layer.is_helm() { Dialect::HelmLayer } else { Dialect::Lenient };
                Some(Self { follows: Some(follows), filter: spec.semver_filter.clone(), dialect })
            }
            SourceSpec::HelmChart { .. } => {
                Some(Self { follows: Some(follows), filter: None, dialect: Dialect::HelmChart })
            }
            SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => None,
        }
    }

    /// A plain listing: no tag is judged.
    pub const fn none() -> Self {
        Self { follows: None, filter: None, dialect: Dialect::Lenient }
    }

    /// What Flux would do with these tags.
    pub fn select(&self, tags: &[Arc<str>]) -> Selection {
        let Some(follows) = &self.follows else {
            return self.unjudged(tags, None, "no range and no tag was asked about");
        };
        match (self.dialect, follows) {
            (_, Follows::Digest(digest)) => {
                let selection = self.follow_one(tags, None, "a digest is followed, no tag is");
                Selection { chosen: Some(Choice::Digest(digest.clone())), ..selection }
            }
            (Dialect::HelmChart, follows) => self.select_chart(tags, follows.text()),
            (_, Follows::Tag(tag)) => self.follow_one(tags, Some(tag), &format!("the tag {tag} is followed")),
            (_, Follows::Latest) => {
                self.follow_one(tags, Some("latest"), "no ref is set: the tag latest is followed")
            }
            (_, Follows::Semver(range)) => self.select_range(tags, range),
        }
    }

    fn select_range(&self, tags: &[Arc<str>], range: &str) -> Selection {
        let filter = match self.filter.as_deref().filter(|filter| !filter.is_empty()).map(Pattern::compile) {
            None => None,
            Some(Ok(filter)) => Some(filter),
            Some(Err(PatternError::Invalid(words))) => {
                return self.unjudged(tags, Some(words), "semverFilter cannot be read");
            }
            Some(Err(PatternError::CannotEvaluate(why))) => {
                return self.unjudged(tags, None, &format!("semverFilter cannot be evaluated here: {why}"));
            }
        };
        let constraint = match Constraint::parse(range) {
            Ok(constraint) => constraint,
            Err(error) => {
                let words = format!("semver '{range}' parse error: {error}");
                return self.unjudged(tags, Some(words), "the range cannot be read");
            }
        };
        let verdicts = tags.iter().map(|tag| self.judge(tag, filter.as_ref(), &constraint)).collect();
        choose(verdicts, || format!("no match found for semver: {range}"))
    }

    /// Helm's way: an exact version is a tag without asking; else the newest strict version in range.
    fn select_chart(&self, tags: &[Arc<str>], version: &str) -> Selection {
        if Version::parse_tag(version).is_ok() {
            let tag = version.replace('+', "_");
            return self.follow_one(tags, Some(&tag), &format!("the chart version {version} is followed"));
        }
        let range = if version.is_empty() { "*" } else { version };
        match Constraint::parse(range) {
            Err(error) => self.unjudged(tags, Some(error.to_string()), "the range cannot be read"),
            Ok(constraint) => {
                let verdicts = tags.iter().map(|tag| self.judge(tag, None, &constraint)).collect();
                choose(verdicts, || {
                    format!("could not locate a version matching provided version string {version}")
                })
            }
        }
    }

    fn judge(&self, tag: &Arc<str>, filter: Option<&Pattern>, constraint: &Constraint) -> Judged {
        let version = self.dialect.read(tag);
        let (verdict, reason) = match (unfit(tag), &version) {
            (Some(unfit), _) => unfit,
            _ if filter.is_some_and(|filter| !filter.is_match(tag)) => {
                let pattern = filter.map_or("", Pattern::as_str);
                (Verdict::FilteredOut, format!("does not match semverFilter {pattern}"))
            }
            (None, Err(why)) => (Verdict::NotAVersion, self.not_a_version(tag, *why)),
            (None, Ok(version)) => match constraint.judge(version) {
                Judgement::InRange => (Verdict::InRange, String::new()),
                Judgement::PreRelease { group } => {
                    (Verdict::PreRelease, format!("{group} names no pre-release"))
                }
                Judgement::OutOfRange { comparator } => {
                    (Verdict::OutOfRange, format!("{version} does not satisfy {comparator}"))
                }
            },
        };
        Judged { tag: tag.clone(), version: version.ok(), verdict, reason }
    }

    fn not_a_version(&self, tag: &str, why: NotAVersion) -> String {
        let as_chart = self.dialect == Dialect::Lenient && Version::parse_chart_tag(tag).is_ok();
        if as_chart {
            format!("{why}; `_` stands for `+` only with a layerSelector for Helm charts")
        } else {
            why.to_string()
        }
    }

    /// One tag, or none of them, is followed whatever the others are.
    fn follow_one(&self, tags: &[Arc<str>], followed: Option<&str>, why: &str) -> Selection {
        let mut chosen = None;
        let verdicts = tags
            .iter()
            .map(|tag| {
                let (verdict, reason) = if followed == Some(&**tag) {
                    chosen = Some(Choice::Tag(tag.clone()));
                    (Verdict::Chosen, why.to_owned())
                } else {
                    unfit(tag).unwrap_or_else(|| (Verdict::NotFollowed, why.to_owned()))
                };
                Judged { tag: tag.clone(), version: self.dialect.read(tag).ok(), verdict, reason }
            })
            .collect();
        Selection { chosen, ambiguous: Vec::new(), error: None, verdicts }
    }

    /// Every tag `not-judged`, for this reason.
    pub fn unjudged(&self, tags: &[Arc<str>], error: Option<String>, why: &str) -> Selection {
        let verdicts = tags
            .iter()
            .map(|tag| {
                let (verdict, reason) = unfit(tag).unwrap_or_else(|| (Verdict::NotJudged, why.to_owned()));
                Judged { tag: tag.clone(), version: self.dialect.read(tag).ok(), verdict, reason }
            })
            .collect();
        Selection { chosen: None, ambiguous: Vec::new(), error, verdicts }
    }
}

impl Dialect {
    /// The version that Flux sees in a tag.
    pub fn read(self, tag: &str) -> Result<Version, NotAVersion> {
        match self {
            Self::Lenient => Version::parse_tag(tag),
            Self::HelmLayer => Version::parse_chart_tag(tag),
            Self::HelmChart => Version::parse_strict(&tag.replace('_', "+")),
        }
    }
}

/// What is no tag of the source's own, whatever the policy says.
fn unfit(tag: &str) -> Option<(Verdict, String)> {
    if is_signature_tag(tag) {
        return Some((Verdict::Signature, "made by a signing tool".to_owned()));
    }
    (!is_tag(tag)).then(|| (Verdict::Invalid, "not a valid tag".to_owned()))
}

/// The highest in range wins; among equals the first in the registry's order.
fn choose(mut verdicts: Vec<Judged>, nothing: impl Fn() -> String) -> Selection {
    let in_range = |judged: &Judged| judged.verdict == Verdict::InRange;
    let count = verdicts.iter().filter(|judged| in_range(judged)).count();
    let mut best: Option<usize> = None;
    for (at, judged) in verdicts.iter().enumerate().filter(|(_, judged)| in_range(judged)) {
        if best.is_none_or(|best| judged.version > verdicts[best].version) {
            best = Some(at);
        }
    }
    let Some(best) = best else {
        return Selection { chosen: None, ambiguous: Vec::new(), error: Some(nothing()), verdicts };
    };
    let (winner, version) = (verdicts[best].tag.clone(), verdicts[best].version.clone());
    let mut ambiguous = Vec::new();
    for (at, judged) in verdicts.iter_mut().enumerate().filter(|(_, judged)| in_range(judged)) {
        if at == best {
            judged.verdict = Verdict::Chosen;
            judged.reason = if count == 1 {
                "the only one in range".to_owned()
            } else {
                format!("highest of {count} in range")
            };
        } else if judged.version == version {
            ambiguous.push(judged.tag.clone());
            judged.reason = format!("as high as {winner}: which of them is taken is not defined");
        } else {
            judged.reason = format!("in range, {winner} is higher");
        }
    }
    Selection { chosen: Some(Choice::Tag(winner)), ambiguous, error: None, verdicts }
}
