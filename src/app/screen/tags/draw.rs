//! How the tags are drawn: counts, the policy or the what-if, one line for each visible tag, and the selected one in
//! full. Nothing else is formatted.

use super::{
    super::{foot, inner, paint_lines, problem_lines},
    Shown, Sort, TagsScreen,
    notes::same_content,
};
use crate::{
    app::{
        memory::Memory,
        shelf::{Asking, TagList, lookups::Named},
    },
    domain::{
        artifact::Details,
        policy::{Choice, Verdict},
        repository::is_tag,
        source::Follows,
        upgrade::Distance,
    },
    widgets::{
        layout,
        table::{self, Column},
        text,
        theme::Meaning,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use std::fmt::Write as _;

/// Fewer lines than this, and the table would jump at every step.
const FOOT_LEAST: usize = 3;

/// Cells of a line inside the margins.
pub(super) fn room(width: u16) -> usize {
    usize::from(width.saturating_sub(2))
}

impl TagsScreen {
    /// Rows that fit.
    pub(super) fn page(&self, memory: &Memory, content: Rect) -> usize {
        let head = self.head(memory, content).len();
        let foot = self.foot(memory, content.width).len() + 1;
        let content = Rect { height: content.height.saturating_sub(head as u16), ..content };
        super::super::page(content, foot)
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let head = self.head(memory, content);
        paint_lines(buffer, inner(content), &head);
        let taken = (head.len() as u16).min(content.height);
        let content = Rect { y: content.y + taken, height: content.height - taken, ..content };
        if self.view.is_empty() {
            let words = text::wrap(&self.nothing(memory), room(content.width));
            let lines = std::iter::once(Line::default()).chain(words.into_iter().map(Line::from));
            paint_lines(buffer, inner(content), &lines.collect::<Vec<Line<'_>>>());
            return;
        }
        let foot = self.foot(memory, content.width);
        let (main, below) = layout::with_foot(content, foot.len() + 1);
        self.draw_rows(memory, buffer, main);
        foot::paint_with(&foot, "in a taller window", memory, buffer, below);
    }

    fn draw_rows(&self, memory: &Memory, buffer: &mut Buffer, main: Rect) {
        let columns = [
            Column::left("TAG", (self.widest + 2).clamp(12, 50), 0).at_least(12),
            Column::left("DIGEST", 8, 3),
            Column::right("CREATED", 7, 4),
            Column::left("VERDICT", 13, 0),
            Column::left("NOTE", 30, 0).at_least(10).growing(),
            Column::left("", 5, 5),
        ];
        let body = inner(main);
        let widths = table::widths(&columns, body.width);
        table::paint_titles(buffer, body, &columns, &widths, &memory.theme);
        let height = usize::from(main.height.saturating_sub(1));
        let first = layout::window(self.offset, self.at, height, self.view.len());
        for (at, y) in (first..self.view.len()).zip(main.y + 1..main.bottom()) {
            let selected = at == self.at;
            let style = if selected { memory.theme.style(Meaning::Selected) } else { Style::new() };
            let cells = self.cells(self.view[at], memory);
            let cells = if selected { cells.map(table::without_style) } else { cells };
            table::paint_row(buffer, Rect { y, height: 1, ..body }, &columns, &widths, &cells, style);
            if self.marks.contains(self.sheet.tag(self.view[at])) {
                buffer.set_string(main.x, y, "*", memory.theme.style(Meaning::Marked));
            }
        }
    }

    fn cells(&self, at: usize, memory: &Memory) -> [Line<'static>; 6] {
        let theme = &memory.theme;
        let (sheet, lookups) = (&self.sheet, &memory.shelf.lookups);
        let (tag, verdict) = (sheet.tag(at), sheet.verdict(at));
        let runs = self.notes.runs(tag, &self.upstream, memory);
        let (mark, meaning) = match (runs.here.is_empty(), verdict) {
            (false, _) => (theme.running(), Meaning::Success),
            (true, Verdict::Chosen) => (theme.chosen(), Meaning::Newer),
            (true, _) => (" ", Meaning::Plain),
        };
        let digest = match lookups.named(&self.upstream, tag) {
            None => String::new(),
            Some(Named::Asked) => theme.waiting().to_owned(),
            Some(Named::Failed { .. }) => "unknown".to_owned(),
            Some(Named::Here { digest, .. }) => digest.short().to_owned(),
        };
        let details = lookups.details(&self.upstream, tag);
        let created = details.map(|details| created(details, memory)).unwrap_or_default();
        let version = sheet.reading(at).and_then(|reading| reading.version.as_ref().ok());
        let distance = self.notes.distance(version);
        let (word, weight) = match distance {
            Some(Distance::Major) => ("MAJOR", Meaning::Major),
            Some(Distance::Minor) => ("MINOR", Meaning::Newer),
            Some(Distance::Patch) => ("PATCH", Meaning::Newer),
            Some(Distance::None | Distance::Unknown) | None => ("", Meaning::Plain),
        };
        [
            Line::from(vec![
                Span::styled(format!("{mark} "), theme.style(meaning)),
                Span::raw(text::line(tag)),
            ]),
            Line::from(digest),
            Line::from(created),
            Line::styled(verdict.word(), theme.style(weight_of(verdict))),
            self.note(at, verdict, memory),
            Line::styled(word, theme.style(weight)),
        ]
    }

    /// What is to be said of it, else why it stands outside.
    fn note(&self, at: usize, verdict: Verdict, memory: &Memory) -> Line<'static> {
        let note = self.notes.words(at, &self.upstream, &self.sheet, memory);
        if !note.is_empty() {
            return Line::from(note);
        }
        match verdict {
            Verdict::Chosen | Verdict::InRange | Verdict::NotFollowed | Verdict::NotJudged => Line::default(),
            Verdict::Signature
            | Verdict::Invalid
            | Verdict::FilteredOut
            | Verdict::NotAVersion
            | Verdict::PreRelease
            | Verdict::OutOfRange => {
                Line::styled(text::line(&self.sheet.brief(at)), memory.theme.style(Meaning::Muted))
            }
        }
    }

    /// Counts, the policy or the what-if, what failed.
    fn head(&self, memory: &Memory, Rect { width, height, .. }: Rect) -> Vec<Line<'static>> {
        let list = memory.shelf.tags(&self.upstream);
        let mut lines = self.counts(memory, width);
        match &self.what_if {
            Some(what_if) => lines.extend(what_if.lines(&self.sheet, memory, room(width))),
            None => lines.extend(self.policy(memory, width)),
        }
        if let Some(fault) = &self.filter.fault {
            lines.push(Line::styled(text::line(fault), memory.theme.style(Meaning::Problem)));
        }
        if let Some(cut) = list.and_then(|list| list.cut.as_ref()) {
            lines.push(Line::styled(text::line(cut), memory.theme.style(Meaning::Warning)));
        }
        if let Some(Asking::Failed(_, problem)) = list.map(|list| &list.asking) {
            lines.extend(problem_lines(problem, memory, width));
            lines.push(Line::from("^R asks again."));
        } else if let Some(problem) = memory.shelf.lookups.refusal(&self.upstream) {
            let again = "; ^R asks again";
            let words = text::line(&format!("no more digests are asked: could not {problem}"));
            let words = text::fit(&words, room(width).saturating_sub(again.len()));
            lines.push(Line::styled(words + again, memory.theme.style(Meaning::Warning)));
        }
        lines.truncate(usize::from(height / 2));
        lines
    }

    /// `412 tags · 380 versions · 61 in range · listed 14s ago · 3 requests`, and what is hidden.
    pub(super) fn counts(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let style = memory.theme.style(Meaning::Muted);
        let words = self.count_words(memory).join(&format!(" {} ", memory.theme.dot()));
        text::wrap(&words, room(width)).into_iter().map(|line| Line::styled(line, style)).collect()
    }

    fn count_words(&self, memory: &Memory) -> Vec<String> {
        let Some(list) = memory.shelf.tags(&self.upstream) else { return vec!["not asked".to_owned()] };
        let mut parts = Vec::new();
        match &list.asking {
            Asking::Queued => parts.push("waits for its turn".to_owned()),
            Asking::Since(since) => {
                let host = text::line(self.upstream.repository.registry());
                parts.push(format!("asking {host} {} {}", memory.theme.waiting(), memory.age(*since)));
            }
            Asking::Done(_) | Asking::Failed(..) => {}
        }
        if list.has_answer() {
            parts.push(text::count(self.sheet.len(), "tag"));
            parts.push(text::count(self.sheet.versions, "version"));
            let ruled = self.sheet.in_force();
            if ruled.judge.is_range() {
                parts.push(format!("{} in range", ruled.ruling.in_range));
            }
        }
        parts.extend(list.listed_at.map(|at| format!("listed {} ago", memory.age(at))));
        if let Asking::Failed(at, _) = &list.asking {
            parts.push(format!("could not ask, {} ago", memory.age(*at)));
        }
        if list.requests > 0 {
            parts.push(text::count(list.requests as usize, "request"));
        }
        let hidden = [(list.signatures, "signature"), (list.invalid, "invalid name")];
        for (count, what) in hidden.into_iter().filter(|(count, _)| *count > 0) {
            parts.push(format!("{} hidden", text::count(count, what)));
        }
        if !self.marks.is_empty() {
            let compares = self.pair(memory).map(|[older, newer]| {
                let [older, newer] = [older, newer].map(|tag| short(tag));
                format!(": Shift-D compares {older} {} {newer}", memory.theme.arrow())
            });
            parts.push(format!("{} marked{}", self.marks.len(), compares.unwrap_or_default()));
        }
        if self.sort == Sort::Created {
            let lookups = &memory.shelf.lookups;
            let made = |tag: &str| super::created(&self.upstream, tag, memory).is_some();
            let known = lookups.known(&self.upstream).filter(|(tag, _)| self.sheet.has(tag) && made(tag));
            let known = known.count();
            parts.push(format!("the age of {known} is known"));
        }
        parts.extend(list.asked_with.as_ref().map(|with| text::line(with)));
        parts
    }

    /// What is followed, and what Flux makes of it.
    fn policy(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let today = &self.sheet.today;
        let policy = today.judge.policy();
        let wrapped = |words: &str, meaning| {
            let style = memory.theme.style(meaning);
            let lines = text::wrap(words, room(width)).into_iter();
            lines.map(|line| Line::styled(line, style)).collect::<Vec<Line<'static>>>()
        };
        let Some(follows) = &policy.follows else {
            return wrapped(
                "no source decides here; = tries a range and a filter on these tags",
                Meaning::Muted,
            );
        };
        if let Follows::Digest(digest) = follows {
            let hex = digest.rsplit(':').next().unwrap_or(digest);
            let hex = text::line(hex.get(..8).unwrap_or(hex));
            return wrapped(&format!("pinned to @{hex}: no tag decides what runs"), Meaning::Plain);
        }
        let mut words = match follows {
            Follows::Semver(range) => format!("follows semver {}", short(range)),
            Follows::Tag(tag) => format!("follows the tag {}", short(tag)),
            Follows::Latest | Follows::Digest(_) => "follows latest, as no ref is set".to_owned(),
        };
        if let Some(filter) = policy.filter.as_ref().filter(|_| matches!(follows, Follows::Semver(_))) {
            let _ = write!(words, " with filter {}", short(filter));
        }
        match (&today.ruling.error, today.judge.is_silent()) {
            (Some(error), _) => {
                return wrapped(&format!("{words}; takes nothing: {error}"), Meaning::Problem);
            }
            (None, Some(why)) => return wrapped(&format!("{words}: {why}"), Meaning::Warning),
            (None, None) => {}
        }
        words.push_str(&self.choice_words(memory));
        let tie = !today.ruling.ambiguous.is_empty();
        wrapped(&words, if tie { Meaning::Warning } else { Meaning::Plain })
    }

    fn choice_words(&self, memory: &Memory) -> String {
        let today = &self.sheet.today;
        let stored = self.notes.stored.as_ref();
        let beside = |taken: Option<&str>| match stored {
            Some(stored) if taken.is_some_and(|tag| self.is_running(tag)) => {
                match stored.tag().and_then(|tag| self.notes.moved_from(tag, &self.upstream, memory)) {
                    Some(_) => format!("; it was moved: {} is stored", stored.short()),
                    None => ", which is stored".to_owned(),
                }
            }
            Some(stored) => format!("; {} is stored", stored.short()),
            None => "; nothing is stored".to_owned(),
        };
        match &today.ruling.chosen {
            Some(Choice::Tag(tag)) => {
                let mut words = format!("; takes {tag}{}", beside(Some(tag)));
                if let Some(other) = today.ruling.ambiguous.first() {
                    let other = self.sheet.tag(*other);
                    let _ = write!(words, "; ties with {other}: which is taken is not defined");
                }
                words
            }
            Some(Choice::Digest(_)) => String::new(),
            None if today.judge.is_range() => format!(
                "; {}{}",
                if self.sheet.whole || self.sheet.len() == 0 {
                    "what it takes is not known"
                } else {
                    "what it takes is known once all tags are"
                },
                beside(None)
            ),
            None if self.sheet.whole => format!("; that tag is not listed{}", beside(None)),
            None => beside(None),
        }
    }

    fn is_running(&self, tag: &str) -> bool {
        self.notes.running.as_ref().is_some_and(|(running, _)| **running == *tag)
    }

    /// Why there is no row, and what would bring some.
    fn nothing(&self, memory: &Memory) -> String {
        let list = memory.shelf.tags(&self.upstream);
        if self.sheet.len() > 0 || self.shown != Shown::All {
            let mut words = format!("none of {}", text::count(self.total, "tag"));
            if self.shown != Shown::All {
                let _ = write!(words, " is {} (v shows others)", self.shown.word());
            }
            if !self.filter.text.is_empty() {
                let and = if self.shown == Shown::All { "" } else { " and" };
                let _ =
                    write!(words, "{and} matches {}. Esc clears the filter", text::line(&self.filter.text));
            }
            return words + ".";
        }
        match list {
            Some(list @ TagList { asking: Asking::Done(_), .. }) if list.signatures > 0 => format!(
                "this repository holds signatures only: {} and no tag that a source could follow. v shows them.",
                text::count(list.signatures, "signature")
            ),
            Some(list @ TagList { asking: Asking::Done(_), .. }) if list.invalid > 0 => {
                "the registry named nothing that is a valid tag. v shows what it named.".to_owned()
            }
            Some(TagList { asking: Asking::Done(_), .. }) => {
                "the registry answered: this repository has no tags.".to_owned()
            }
            Some(TagList { asking: Asking::Failed(..), .. }) => String::new(),
            Some(_) | None => format!(
                "asking {} {}",
                text::line(self.upstream.repository.registry()),
                memory.theme.waiting()
            ),
        }
    }

    /// The selected tag in full: verdict and rule, who runs it, what it is.
    fn foot(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if let (Some(tag), Some(&at)) = (&self.selected, self.view.get(self.at)) {
            let mut words = self.judgement(at);
            words.extend(self.notes.runs(tag, &self.upstream, memory).words());
            if let Some(stored) = self.notes.moved_from(tag, &self.upstream, memory) {
                words.push(format!(
                    "moved: the source stored {} under this tag, which names something else now",
                    stored.short()
                ));
            }
            words.extend(same_content(&self.notes.twins(tag, &self.upstream, &self.sheet, memory)));
            let wrapped = words.iter().flat_map(|words| text::wrap(words, room(width)));
            lines.extend(wrapped.map(Line::from));
            lines.extend(self.contents(tag, memory, width));
        }
        while lines.len() < FOOT_LEAST {
            lines.push(Line::default());
        }
        lines
    }

    /// `6.9.4 is chosen: highest of 3 in range`.
    fn judgement(&self, at: usize) -> Vec<String> {
        let (verdict, reason) = (self.sheet.verdict(at), self.sheet.reason(at));
        let tag = text::line(self.sheet.tag(at));
        let sentence = if reason.is_empty() {
            format!("{tag} is {verdict}")
        } else {
            format!("{tag} is {verdict}: {reason}")
        };
        let ruling = &self.sheet.in_force().ruling;
        let mut words = vec![sentence];
        if ruling.winner == Some(at) && !ruling.ambiguous.is_empty() {
            let others: Vec<String> =
                ruling.ambiguous.iter().take(5).map(|at| text::line(self.sheet.tag(*at))).collect();
            words.push(format!("as high: {}; which of them is taken is not defined", others.join(", ")));
        }
        words
    }

    /// What is known of a tag beyond its name.
    fn contents(&self, tag: &str, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let muted = memory.theme.style(Meaning::Muted);
        let lookups = &memory.shelf.lookups;
        if let Some(details) = lookups.details(&self.upstream, tag) {
            return details_lines(details, memory, room(width));
        }
        match lookups.named(&self.upstream, tag) {
            _ if !is_tag(tag) => Vec::new(),
            None | Some(Named::Here { .. }) => {
                vec![Line::styled(format!("Enter asks the registry what {} is.", text::line(tag)), muted)]
            }
            Some(Named::Asked) => vec![Line::from(format!(
                "asking {} what {} is {}",
                text::line(self.upstream.repository.registry()),
                text::line(tag),
                memory.theme.waiting()
            ))],
            Some(Named::Failed { problem, .. }) => problem_lines(problem, memory, width),
        }
    }
}

/// What an object says may be long.
fn short(text: &str) -> String {
    text::fit(&text::line(text), 60)
}

const fn weight_of(verdict: Verdict) -> Meaning {
    match verdict {
        Verdict::Chosen => Meaning::Newer,
        Verdict::InRange => Meaning::Plain,
        Verdict::Signature
        | Verdict::Invalid
        | Verdict::FilteredOut
        | Verdict::NotAVersion
        | Verdict::PreRelease
        | Verdict::OutOfRange
        | Verdict::NotFollowed
        | Verdict::NotJudged => Meaning::Muted,
    }
}

/// The annotation says when it was made; some write no time there.
fn created(details: &Details, memory: &Memory) -> String {
    let Some(written) = details.created.as_deref() else { return String::new() };
    match written.parse() {
        Ok(at) => memory.age(at),
        Err(_) => text::fit(&text::line(written), 7),
    }
}

fn details_lines(details: &Details, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let manifest = &details.manifest;
    let dot = memory.theme.dot();
    let mut words = vec![format!("{}", manifest.digest)];
    let what = if manifest.children.is_empty() {
        let layers: Vec<String> = manifest.layers.iter().map(|layer| text::line(&layer.media_type)).collect();
        let colon = if layers.is_empty() { "" } else { ": " };
        format!("{}{colon}{}", text::count(layers.len(), "layer"), layers.join(", "))
    } else {
        format!("an index of {}", text::count(manifest.children.len(), "manifest"))
    };
    words.push(what);
    words.extend(details.created.iter().map(|created| format!("created {}", text::line(created))));
    for name in ["org.opencontainers.image.source", "org.opencontainers.image.revision"] {
        if let Some(value) = manifest.annotation(name) {
            let short = name.rsplit('.').next().unwrap_or(name);
            words.push(format!("{short} {}", text::line(value)));
        }
    }
    text::wrap(&words.join(&format!(" {dot} ")), room).into_iter().map(Line::from).collect()
}
