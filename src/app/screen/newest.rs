//! What a source could run instead of what it runs: the cell below NEWEST, and the same in full for the foot.
//! It judges nothing: that is done, and kept, in [`crate::app::upgrades`].

use crate::{
    app::{
        ledger::Entry,
        memory::Memory,
        shelf::{
            Asking, TagList,
            lookups::{Lookups, Named},
        },
        upgrades::Kept,
    },
    domain::{
        Timestamp,
        outlook::Prospect,
        policy::Choice,
        repository::Upstream,
        revision::Revision,
        source::{Follows, Source, SourceSpec},
        standing::Standing,
        upgrade::{Candidate, Distance},
    },
    widgets::{
        text,
        theme::{Meaning, Theme},
    },
};
use ratatui::text::{Line, Span};

/// Cells of both candidates with their words.
pub const ROOMY: usize = 28;
/// Cells of both candidates with their signs.
pub const WANTED: usize = 15;
/// Room for all words but distances, and for the shortest.
pub const WHOLE: usize = 13;
pub const LEAST: usize = 8;

/// What a source could run, and how many tags there are.
pub fn cells(entry: &Entry, memory: &Memory, width: usize) -> [Line<'static>; 2] {
    let theme = memory.theme;
    let Some(upstream) = &entry.upstream else { return [not_asked(entry, memory), Line::default()] };
    let Some(list) = memory.shelf.tags(upstream) else {
        return [Words::waiting(theme).line(theme, width), Line::default()];
    };
    if !list.is_whole() {
        let words = match &list.asking {
            Asking::Failed(..) => Words::unanswered(),
            Asking::Done(_) | Asking::Queued | Asking::Since(_) => Words::waiting(theme),
        };
        return [words.line(theme, width), Line::default()];
    }
    let words = match memory.upgrades.kept(entry.object.id()) {
        Some(kept) => words(kept, entry, list, memory),
        None => Words::waiting(theme),
    };
    [words.line(theme, width), Line::from(list.tags.len().to_string())]
}

/// Nothing to ask, or nobody to ask it of: the url is none.
fn not_asked(entry: &Entry, memory: &Memory) -> Line<'static> {
    match entry.object.as_source().map(|source| &source.spec) {
        Some(SourceSpec::Oci(_)) => Line::styled("bad url", memory.theme.style(Meaning::Problem)),
        Some(
            SourceSpec::HelmRepository { .. }
            | SourceSpec::HelmChart { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. },
        )
        | None => Line::default(),
    }
}

/// What stands in the cell, before its width is known.
#[derive(Default)]
struct Words {
    first: Option<Part>,
    /// What is beyond the range.
    then: Option<Part>,
}

/// A tag or a word, with a sign and what the sign means.
struct Part {
    name: String,
    /// Instead of the name where there is no room for it; empty: the name is cut.
    short: &'static str,
    sign: &'static str,
    distance: &'static str,
    meaning: Meaning,
}

impl Part {
    fn word(name: impl Into<String>, short: &'static str, meaning: Meaning) -> Self {
        Self { name: name.into(), short, sign: "", distance: "", meaning }
    }

    fn tag(tag: &str) -> Self {
        Self::word(text::line(tag), "", Meaning::Plain)
    }

    fn candidate(candidate: &Candidate, sign: &'static str) -> Self {
        let distance = match candidate.distance {
            Distance::None | Distance::Unknown => "",
            Distance::Patch | Distance::Minor | Distance::Major => candidate.distance.word(),
        };
        let meaning = if candidate.distance == Distance::Major { Meaning::Major } else { Meaning::Newer };
        Self { sign, distance, meaning, ..Self::tag(&candidate.tag) }
    }

    /// With its distance; without.
    fn forms(&self) -> [String; 2] {
        let join = |parts: &[&str]| {
            let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
            parts.join(" ")
        };
        [join(&[&self.name, self.sign, self.distance]), join(&[&self.name, self.sign])]
    }

    /// As much of it as fits, the sign always.
    fn least(&self, room: usize) -> String {
        if !self.short.is_empty() {
            return self.short.to_owned();
        }
        let sign = text::width(self.sign);
        let room = room.saturating_sub(if sign > 0 { sign + 1 } else { 0 });
        let name = text::fit(&self.name, room);
        if sign > 0 { format!("{name} {}", self.sign) } else { name }
    }
}

impl Words {
    fn waiting(theme: Theme) -> Self {
        Self::only(Part::word(theme.waiting(), "", Meaning::Muted))
    }

    fn unanswered() -> Self {
        Self::only(Part::word("could not ask", "unknown", Meaning::Problem))
    }

    fn only(part: Part) -> Self {
        Self { first: Some(part), then: None }
    }

    /// The longest form that fits: distances go first, then the name of what is beyond, then its sign.
    fn line(&self, theme: Theme, width: usize) -> Line<'static> {
        let fits = |text: &str| text::width(text) <= width;
        let (first, then) = match (&self.first, &self.then) {
            (None, None) => return Line::default(),
            (Some(one), None) | (None, Some(one)) => {
                let form = one.forms().into_iter().find(|form| fits(form));
                return Line::from(spans(&form.unwrap_or_else(|| one.least(width)), one, theme));
            }
            (Some(first), Some(then)) => (first, then),
        };
        let [[long, short], [beyond, brief]] = [first.forms(), then.forms()];
        let (sign, nothing) = (then.sign.to_owned(), String::new());
        let forms = [
            (&long, "  ", &beyond),
            (&long, "  ", &brief),
            (&short, "  ", &brief),
            (&short, " ", &brief),
            (&short, " ", &sign),
            (&short, "", &sign),
            (&short, "", &nothing),
        ];
        let whole = forms.iter().find(|(one, gap, other)| fits(&format!("{one}{gap}{other}")));
        let Some((one, gap, other)) = whole else {
            return Line::from(spans(&first.least(width), first, theme));
        };
        let mut line = spans(one, first, theme);
        line.push(Span::raw(*gap));
        line.extend(spans(other, then, theme));
        Line::from(line)
    }
}

/// A tag stands plain; its sign, and all that is no tag, in the colour of what it means.
fn spans(form: &str, part: &Part, theme: Theme) -> Vec<Span<'static>> {
    let style = theme.style(part.meaning);
    match form.rsplit_once(part.sign) {
        Some((name, distance)) if !part.sign.is_empty() => {
            vec![Span::raw(name.to_owned()), Span::styled(format!("{}{distance}", part.sign), style)]
        }
        _ => vec![Span::styled(form.to_owned(), style)],
    }
}

fn words(kept: &Kept, entry: &Entry, list: &TagList, memory: &Memory) -> Words {
    let theme = memory.theme;
    if kept.outrun {
        return match &list.asking {
            Asking::Done(_) | Asking::Failed(..) => {
                let asked = list.listed_at.map_or_else(String::new, |at| memory.age(at));
                Words::only(Part::word(format!("asked {asked} ago"), "^R asks", Meaning::Muted))
            }
            Asking::Queued | Asking::Since(_) => Words::waiting(theme),
        };
    }
    if list.listed.is_empty() {
        return Words::only(Part::word("no tags", "", Meaning::Warning));
    }
    let then = kept.upgrade.beyond.as_ref().map(|beyond| {
        let major = beyond.distance == Distance::Major;
        Part::candidate(beyond, if major { theme.beyond_major() } else { theme.beyond() })
    });
    let first = match kept.outlook.prospect(&kept.upgrade) {
        Prospect::Unjudged(_) => Some(Part::word("not judged", "unjudged", Meaning::Warning)),
        Prospect::Nothing(_) => Some(Part::word("no match", "", Meaning::Warning)),
        Prospect::Absent => Some(Part::word("not there", "absent", Meaning::Warning)),
        Prospect::Pinned => Some(Part::word("pinned", "", Meaning::Muted)),
        Prospect::Take(candidate) => Some(Part::candidate(candidate, theme.newer())),
        Prospect::GoBack(candidate) => Some(Part::candidate(candidate, theme.older())),
        Prospect::Moved => Some(Part {
            sign: theme.newer(),
            meaning: Meaning::Newer,
            ..Part::word("moved", "", Meaning::Plain)
        }),
        Prospect::Uncompared(_) => {
            return match named(entry, &memory.shelf.lookups) {
                Some(Named::Failed { .. }) => Words::unanswered(),
                Some(Named::Asked | Named::Here { .. }) | None => Words::waiting(theme),
            };
        }
        Prospect::Stay(_) if then.is_some() => None,
        Prospect::Stay(tag) => Some(Part::tag(tag)),
    };
    Words { first, then }
}

/// What the registry said of the tag that a source runs.
fn named<'a>(entry: &Entry, lookups: &'a Lookups) -> Option<&'a Named> {
    let tag = entry.object.revision()?.tag()?.replace('+', "_");
    lookups.named(entry.upstream.as_ref()?, &tag)
}

/// The same in full: what Flux would take, what is beyond, of how many tags, and how old that knowledge is.
pub fn sentence(entry: &Entry, memory: &Memory) -> Option<String> {
    let upstream = entry.upstream.as_ref()?;
    let list = memory.shelf.tags(upstream).filter(|list| list.is_whole())?;
    let kept = memory.upgrades.kept(entry.object.id())?;
    let listed = list.listed_at.map_or_else(String::new, |at| listed(at, memory));
    if kept.outrun {
        return Some(format!("What runs is newer than the list of tags, {listed}: ^R asks again."));
    }
    let words = match list.listed.len() {
        0 => "The repository holds no tags".to_owned(),
        _ => [told(kept, entry, upstream, memory), beyond(kept, entry)].concat(),
    };
    Some(text::line(&format!("{words} ({}, {listed}).", text::count(list.listed.len(), "tag"))))
}

/// In minutes: a picture that changes every second says nothing more.
fn listed(at: Timestamp, memory: &Memory) -> String {
    if memory.now.as_second() - at.as_second() < 60 {
        return "listed just now".to_owned();
    }
    format!("listed {} ago", memory.age(at))
}

/// When a list that could not be asked for is asked for again by itself.
pub fn retry(upstream: &Upstream, memory: &Memory) -> Option<String> {
    let left = memory.shelf.retried(upstream)?.as_second() - memory.now.as_second();
    (left > 0).then(|| format!("asked again within {}m, by ^R at once", (left + 59) / 60))
}

fn told(kept: &Kept, entry: &Entry, upstream: &Upstream, memory: &Memory) -> String {
    let follows = entry.object.as_source().and_then(Source::follows);
    let followed = follows.as_ref().map_or("", Follows::text);
    let when = when(entry);
    match kept.outlook.prospect(&kept.upgrade) {
        Prospect::Unjudged(why) => match &kept.outlook.error {
            Some(error) => format!("No tag is judged, {why}: {error}"),
            None => format!("No tag is judged: {why}"),
        },
        Prospect::Nothing(error) => format!("Flux would choose nothing: {error}"),
        Prospect::Absent => format!("The tag {followed} that is followed is not there"),
        Prospect::Pinned => pinned(entry, followed, memory.shelf.tags(upstream)),
        Prospect::Take(candidate) => {
            format!("Flux would take {} {when}{}", with_distance(candidate), tie(kept))
        }
        Prospect::GoBack(candidate) => {
            format!("Flux would go back to {} {when}{}", with_distance(candidate), tie(kept))
        }
        Prospect::Moved => {
            let digest = match named(entry, &memory.shelf.lookups) {
                Some(Named::Here { digest, .. }) => digest.short(),
                Some(Named::Asked | Named::Failed { .. }) | None => "another digest",
            };
            format!("{} names {digest} now: Flux would take it {when}", running(kept))
        }
        Prospect::Uncompared(tag) => match named(entry, &memory.shelf.lookups) {
            Some(Named::Failed { problem, .. }) => {
                format!("Could not ask what {tag} names now: {}", problem.why)
            }
            Some(Named::Asked | Named::Here { .. }) | None => format!("What {tag} names now is being asked"),
        },
        Prospect::Stay(_) => match &follows {
            Some(Follows::Semver(range)) => format!("Nothing newer is in {range}{}", tie(kept)),
            Some(Follows::Tag(_) | Follows::Latest | Follows::Digest(_)) | None => {
                let same = kept.upgrade.moved == Some(false);
                if same {
                    format!("{followed} still names what runs")
                } else {
                    format!("Flux follows the tag {followed}")
                }
            }
        },
    }
}

/// When Flux would do it.
fn when(entry: &Entry) -> &'static str {
    match entry.assessment.standing {
        Standing::Suspended => "once it is resumed",
        Standing::Stalled => "once its spec is mended",
        Standing::Terminating => "if it were not being deleted",
        Standing::Failing | Standing::Stale | Standing::Progressing | Standing::Unknown | Standing::Ready => {
            "at its next check"
        }
    }
}

fn pinned(entry: &Entry, digest: &str, list: Option<&TagList>) -> String {
    let hex = digest.rsplit(':').next().unwrap_or(digest);
    let newest = list.and_then(|list| list.newest(entry.chart));
    let newest = newest.map_or_else(String::new, |tag| format!("; the newest version is {tag}"));
    format!("Pinned to @{}: no tag decides what runs{newest}", hex.get(..8).unwrap_or(hex))
}

fn running(kept: &Kept) -> &str {
    kept.upgrade.running.as_ref().and_then(Revision::tag).unwrap_or("what runs")
}

fn with_distance(candidate: &Candidate) -> String {
    match candidate.distance {
        Distance::None | Distance::Unknown => candidate.tag.to_string(),
        Distance::Patch | Distance::Minor | Distance::Major => {
            format!("{} ({})", candidate.tag, candidate.distance)
        }
    }
}

fn tie(kept: &Kept) -> String {
    let Some(Choice::Tag(tag)) = &kept.outlook.chosen else { return String::new() };
    match kept.outlook.ambiguous.as_slice() {
        [] => String::new(),
        [other] => format!("; {other} is as high as {tag}: which of them is taken is not defined"),
        [other, rest @ ..] => {
            format!("; {other} and {} more are as high as {tag}: which is taken is not defined", rest.len())
        }
    }
}

fn beyond(kept: &Kept, entry: &Entry) -> String {
    let Some(candidate) = &kept.upgrade.beyond else { return String::new() };
    match entry.object.as_source().and_then(Source::follows) {
        Some(Follows::Semver(range)) => format!("; {} is beyond {range}", with_distance(candidate)),
        Some(Follows::Tag(_) | Follows::Latest | Follows::Digest(_)) | None => {
            format!("; {} is the newest version", with_distance(candidate))
        }
    }
}
