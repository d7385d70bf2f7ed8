//! Which tag Flux would take, and a verdict for every other one, with the rule that decided.
//! It asks nobody: tags come in the registry's order, as source-controller sees them.

use super::{
    constraint::{Constraint, Judgement},
    digest::refusal,
    pattern::{Pattern, PatternError},
    repository::{is_signature_tag, is_tag},
    source::{Follows, Source, SourceSpec},
    version::{NotAVersion, Version},
};
use std::{fmt, sync::Arc};

/// How a source picks from its repository.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Policy {
    /// None: nothing is followed, the tags are only listed.
    pub follows: Option<Follows>,
    /// `ref.semverFilter`: used with a range only.
    pub filter: Option<Box<str>>,
    pub dialect: Dialect,
}

/// Which tags count as versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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

    /// The one tag that Flux asks for without looking at the list, which need not name it.
    pub fn named_tag(&self) -> Option<Arc<str>> {
        match (self.dialect, self.follows.as_ref()?) {
            (Dialect::HelmChart, follows) => {
                let version = follows.text();
                Version::parse_tag(version).is_ok().then(|| version.replace('+', "_").into())
            }
            (Dialect::Lenient | Dialect::HelmLayer, follows @ (Follows::Tag(_) | Follows::Latest)) => {
                Some(follows.text().into())
            }
            (Dialect::Lenient | Dialect::HelmLayer, Follows::Semver(_) | Follows::Digest(_)) => None,
        }
    }

    /// What Flux would do with these tags.
    pub fn select(&self, tags: &[Arc<str>]) -> Selection {
        self.apply(&self.rule(), tags)
    }

    /// Every tag `not-judged`, for this reason.
    pub fn unjudged(&self, tags: &[Arc<str>], error: Option<String>, why: &str) -> Selection {
        self.apply(&Rule::Nothing { error, why: why.to_owned() }, tags)
    }

    /// Reads range and filter.
    pub(super) fn rule(&self) -> Rule {
        let Some(follows) = &self.follows else {
            return Rule::nothing(None, "no range and no tag was asked about");
        };
        match (self.dialect, follows) {
            (_, Follows::Digest(digest)) => match refusal(digest) {
                None => Rule::Digest(digest.clone()),
                words => Rule::nothing(words, "spec.ref.digest is none"),
            },
            (Dialect::HelmChart, follows) => Self::chart_rule(follows.text()),
            (_, Follows::Tag(tag)) => Rule::one(tag, format!("the tag {tag} is followed")),
            (_, Follows::Latest) => {
                Rule::one("latest", "no ref is set: the tag latest is followed".to_owned())
            }
            (_, Follows::Semver(range)) => self.range_rule(range),
        }
    }

    fn range_rule(&self, range: &str) -> Rule {
        let filter = match self.filter.as_deref().filter(|filter| !filter.is_empty()).map(Pattern::compile) {
            None => None,
            Some(Ok(filter)) => Some(filter),
            Some(Err(PatternError::Invalid(words))) => {
                return Rule::nothing(Some(words), "semverFilter cannot be read");
            }
            Some(Err(PatternError::CannotEvaluate(why))) => {
                return Rule::nothing(None, &format!("semverFilter: {why}"));
            }
        };
        match Constraint::parse(range) {
            Ok(constraint) => {
                Rule::Range { filter, constraint, nothing: format!("no match found for semver: {range}") }
            }
            Err(error) => {
                let words = format!("semver '{range}' parse error: {error}");
                Rule::nothing(Some(words), "the range cannot be read")
            }
        }
    }

    /// Helm's way: an exact version is a tag without asking; else the newest strict version in range.
    fn chart_rule(version: &str) -> Rule {
        if Version::parse_tag(version).is_ok() {
            return Rule::one(&version.replace('+', "_"), format!("the chart version {version} is followed"));
        }
        let range = if version.is_empty() { "*" } else { version };
        let nothing = format!("could not locate a version matching provided version string {version}");
        match Constraint::parse(range) {
            Ok(constraint) => Rule::Range { filter: None, constraint, nothing },
            Err(error) => Rule::nothing(Some(error.to_string()), "the range cannot be read"),
        }
    }

    fn apply(&self, rule: &Rule, tags: &[Arc<str>]) -> Selection {
        let judge = |tag: &Arc<str>| {
            let version = self.dialect.read(tag);
            let finding = rule.find(tag, &version);
            let reason = self.reason(&finding, tag, &version);
            Judged { tag: tag.clone(), version: version.ok(), verdict: finding.verdict(), reason }
        };
        let verdicts: Vec<Judged> = tags.iter().map(judge).collect();
        let unchosen = |error, verdicts| Selection { chosen: None, ambiguous: Vec::new(), error, verdicts };
        match rule {
            Rule::Nothing { error, .. } => unchosen(error.clone(), verdicts),
            Rule::Digest(digest) => {
                Selection { chosen: Some(Choice::Digest(digest.clone())), ..unchosen(None, verdicts) }
            }
            Rule::One { .. } => {
                let chosen = verdicts.iter().find(|judged| judged.verdict == Verdict::Chosen);
                let chosen = chosen.map(|judged| Choice::Tag(judged.tag.clone()));
                Selection { chosen, ..unchosen(None, verdicts) }
            }
            Rule::Range { nothing, .. } => choose(verdicts, nothing),
        }
    }

    /// Why; what was in range is told when the highest is known.
    pub(super) fn reason(
        &self,
        finding: &Finding<'_>,
        tag: &str,
        version: &Result<Version, NotAVersion>,
    ) -> String {
        match finding {
            Finding::FilteredOut(filter) => format!("does not match semverFilter {}", filter.as_str()),
            Finding::NotAVersion(why) => self.not_a_version(tag, *why),
            Finding::Judged(Judgement::InRange) => String::new(),
            Finding::Judged(Judgement::PreRelease { group }) => format!("{group} names no pre-release"),
            Finding::Judged(Judgement::OutOfRange { comparator }) => {
                let version = version.as_ref().map_or(tag, Version::original);
                format!("{version} does not satisfy {comparator}")
            }
            Finding::Unfit(_, why)
            | Finding::Followed(why)
            | Finding::NotFollowed(why)
            | Finding::NotJudged(why) => (*why).to_owned(),
        }
    }

    fn not_a_version(&self, tag: &str, why: NotAVersion) -> String {
        let as_chart = self.dialect == Dialect::Lenient && Version::parse_chart_tag(tag).is_ok();
        if as_chart {
            format!("{why}; `_` stands for `+` only with a layerSelector for Helm charts")
        } else {
            why.to_string()
        }
    }
}

/// A policy whose range and filter were read: what decides about each tag.
pub(super) enum Rule {
    /// No tag is judged: Flux's error, and why.
    Nothing {
        error: Option<String>,
        why: String,
    },
    Digest(Box<str>),
    /// One tag is followed whatever the others are.
    One {
        followed: Box<str>,
        why: String,
    },
    Range {
        filter: Option<Pattern>,
        constraint: Constraint,
        /// Flux's words where nothing is in range.
        nothing: String,
    },
}

/// What a rule makes of one tag, in no words yet.
pub(super) enum Finding<'a> {
    Unfit(Verdict, &'static str),
    FilteredOut(&'a Pattern),
    NotAVersion(NotAVersion),
    Judged(Judgement<'a>),
    Followed(&'a str),
    NotFollowed(&'a str),
    NotJudged(&'a str),
}

impl Rule {
    fn nothing(error: Option<String>, why: &str) -> Self {
        Self::Nothing { error, why: why.to_owned() }
    }

    fn one(followed: &str, why: String) -> Self {
        Self::One { followed: followed.into(), why }
    }

    pub(super) fn find(&self, tag: &str, version: &Result<Version, NotAVersion>) -> Finding<'_> {
        match self {
            Self::One { followed, why } if **followed == *tag => return Finding::Followed(why),
            Self::Nothing { .. } | Self::Digest(_) | Self::One { .. } | Self::Range { .. } => {}
        }
        if let Some((verdict, why)) = unfit(tag) {
            return Finding::Unfit(verdict, why);
        }
        match (self, version) {
            (Self::Nothing { why, .. }, _) => Finding::NotJudged(why),
            (Self::Digest(_), _) => Finding::NotFollowed("a digest is followed, no tag is"),
            (Self::One { why, .. }, _) => Finding::NotFollowed(why),
            (Self::Range { filter: Some(filter), .. }, _) if !filter.is_match(tag) => {
                Finding::FilteredOut(filter)
            }
            (Self::Range { .. }, Err(why)) => Finding::NotAVersion(*why),
            (Self::Range { constraint, .. }, Ok(version)) => Finding::Judged(constraint.judge(version)),
        }
    }
}

impl Finding<'_> {
    pub(super) fn verdict(&self) -> Verdict {
        match self {
            Self::Unfit(verdict, _) => *verdict,
            Self::FilteredOut(_) => Verdict::FilteredOut,
            Self::NotAVersion(_) => Verdict::NotAVersion,
            Self::Judged(Judgement::InRange) => Verdict::InRange,
            Self::Judged(Judgement::PreRelease { .. }) => Verdict::PreRelease,
            Self::Judged(Judgement::OutOfRange { .. }) => Verdict::OutOfRange,
            Self::Followed(_) => Verdict::Chosen,
            Self::NotFollowed(_) => Verdict::NotFollowed,
            Self::NotJudged(_) => Verdict::NotJudged,
        }
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
fn unfit(tag: &str) -> Option<(Verdict, &'static str)> {
    if is_signature_tag(tag) {
        return Some((Verdict::Signature, "made by a signing tool"));
    }
    (!is_tag(tag)).then_some((Verdict::Invalid, "not a valid tag"))
}

/// The highest wins; among equals the first in the registry's order.
pub(super) fn highest<'a>(versions: impl Iterator<Item = (usize, &'a Version)>) -> Option<usize> {
    let mut best: Option<(usize, &Version)> = None;
    for (at, version) in versions {
        if best.is_none_or(|(_, best)| version > best) {
            best = Some((at, version));
        }
    }
    best.map(|(at, _)| at)
}

/// How a tag in range stands to the winner.
pub(super) enum Place {
    Highest { of: usize },
    Equal,
    Below,
}

impl Place {
    pub(super) fn words(&self, winner: &str) -> String {
        match self {
            Self::Highest { of: 1 } => "the only one in range".to_owned(),
            Self::Highest { of } => format!("highest of {of} in range"),
            Self::Equal => format!("as high as {winner}: which of them is taken is not defined"),
            Self::Below => format!("in range, {winner} is higher"),
        }
    }
}

/// Names the winner, and tells what was in range how it stands to it.
fn choose(mut verdicts: Vec<Judged>, nothing: &str) -> Selection {
    let in_range = |judged: &Judged| judged.verdict == Verdict::InRange;
    let count = verdicts.iter().filter(|judged| in_range(judged)).count();
    let fitting = verdicts.iter().enumerate().filter(|(_, judged)| in_range(judged));
    let Some(best) = highest(fitting.filter_map(|(at, judged)| Some((at, judged.version.as_ref()?)))) else {
        let error = Some(nothing.to_owned());
        return Selection { chosen: None, ambiguous: Vec::new(), error, verdicts };
    };
    let (winner, version) = (verdicts[best].tag.clone(), verdicts[best].version.clone());
    let mut ambiguous = Vec::new();
    for (at, judged) in verdicts.iter_mut().enumerate().filter(|(_, judged)| in_range(judged)) {
        if at == best {
            judged.verdict = Verdict::Chosen;
            judged.reason = Place::Highest { of: count }.words(&winner);
        } else if judged.version == version {
            ambiguous.push(judged.tag.clone());
            judged.reason = Place::Equal.words(&winner);
        } else {
            judged.reason = Place::Below.words(&winner);
        }
    }
    Selection { chosen: Some(Choice::Tag(winner)), ambiguous, error: None, verdicts }
}
