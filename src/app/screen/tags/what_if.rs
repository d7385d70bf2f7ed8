//! What Flux would take by another range and filter, while they are typed. Nothing is sent or changed by it.

use super::{
    input::Input,
    sheet::{Ruled, Sheet},
};
use crate::{
    app::{
        command::{Command, OnTags},
        memory::Memory,
    },
    domain::{
        constraint::Constraint,
        pattern::{Pattern, PatternError},
        plain::is_deceptive,
        policy::{Choice, Dialect, Policy},
        source::Follows,
        upgrade::Distance,
        version::Version,
    },
    widgets::{text, theme::Meaning},
};
use ratatui::text::{Line, Span};
use std::{cmp::Ordering, fmt::Write as _};

/// What is typed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Range,
    Filter,
}

pub(super) struct WhatIf {
    range: Input,
    filter: Input,
    field: Field,
    /// It has the keys; otherwise the table has them.
    pub(super) typing: bool,
    dialect: Dialect,
    /// What is followed where no range is typed.
    without: Option<Follows>,
    /// Why what is typed cannot be read.
    fault: Option<Fault>,
}

struct Fault {
    field: Field,
    /// The byte at which reading stops.
    at: usize,
    /// Flux's own words, Go's, or ours where it cannot be evaluated here.
    words: String,
}

/// Where the two inputs stand in their line.
struct Places {
    range: (usize, usize),
    filter: (usize, usize),
}

impl WhatIf {
    /// Begins with today's range and filter. `tag` is what an object names beside its range.
    pub(super) fn new(today: &Policy, tag: Option<&str>) -> Self {
        let (range, without) = match &today.follows {
            Some(Follows::Semver(range)) => (&**range, Some(Follows::from_ref("", "", tag.unwrap_or("")))),
            other => ("", other.clone()),
        };
        let mut new = Self {
            range: Input::new(range),
            filter: Input::new(today.filter.as_deref().unwrap_or_default()),
            field: Field::Range,
            typing: true,
            dialect: today.dialect,
            without,
            fault: None,
        };
        new.fault = new.find_fault();
        new
    }

    /// A HelmChart knows no filter.
    pub(super) fn has_filter(&self) -> bool {
        self.dialect != Dialect::HelmChart
    }

    /// As Flux would read them: an empty text is none.
    pub(super) fn policy(&self) -> Policy {
        let follows = match (self.range.text(), self.dialect) {
            ("", Dialect::HelmChart) => Some(Follows::Semver("".into())),
            ("", Dialect::Lenient | Dialect::HelmLayer) => self.without.clone(),
            (range, _) => Some(Follows::Semver(range.into())),
        };
        let filter = Some(self.filter.text()).filter(|text| self.has_filter() && !text.is_empty());
        Policy { follows, filter: filter.map(Into::into), dialect: self.dialect }
    }

    /// Typed or pasted.
    pub(super) fn insert(&mut self, text: &str) {
        self.input().insert(text);
        self.fault = self.find_fault();
    }

    fn input(&mut self) -> &mut Input {
        match self.field {
            Field::Range => &mut self.range,
            Field::Filter => &mut self.filter,
        }
    }

    /// Edits. The table is moved by others.
    pub(super) fn update(&mut self, command: Command) {
        match command {
            Command::OnTags(OnTags::EndTyping) => self.typing = false,
            Command::OnTags(OnTags::NextInput) if self.has_filter() => {
                self.field = if self.field == Field::Range { Field::Filter } else { Field::Range };
            }
            Command::Erase | Command::EraseAll | Command::OnTags(OnTags::EraseNext) => {
                match command {
                    Command::EraseAll => self.input().clear(),
                    Command::Erase => self.input().erase(),
                    _ => self.input().erase_next(),
                }
                self.fault = self.find_fault();
            }
            Command::OnTags(OnTags::CursorLeft) => self.input().left(),
            Command::OnTags(OnTags::CursorRight) => self.input().right(),
            Command::OnTags(OnTags::CursorStart) => self.input().start(),
            Command::OnTags(OnTags::CursorEnd) => self.input().end(),
            _ => {}
        }
    }

    /// `spec.ref` of an OCIRepository, or `spec.version` of a HelmChart; or why it is not copied.
    pub(super) fn yaml(&self) -> Result<String, String> {
        let (range, filter) = (self.range.text(), self.filter.text());
        if range.is_empty() {
            return Err("not copied: no range is typed".to_owned());
        }
        if let Err(error) = Constraint::parse(range) {
            return Err(format!("not copied: {error}"));
        }
        if self.dialect == Dialect::HelmChart {
            return Ok(format!("version: {}\n", quoted(range)?));
        }
        let mut yaml = format!("ref:\n  semver: {}\n", quoted(range)?);
        if !filter.is_empty() {
            Pattern::compile(filter).map_err(|error| format!("not copied: {error}"))?;
            let _ = writeln!(yaml, "  semverFilter: {}", quoted(filter)?);
        }
        Ok(yaml)
    }

    /// Inputs, then what comes of them: three lines, more only where Flux's words need them.
    pub(super) fn lines(&self, sheet: &Sheet, memory: &Memory, room: usize) -> Vec<Line<'static>> {
        let mut lines = vec![self.inputs(memory, room)];
        let today = &sheet.today;
        let Some(ruled) = &sheet.what_if else { return lines };
        if let Some(fault) = &self.fault {
            let caret = format!("{}^", " ".repeat(self.cell_of(fault, room)));
            let style = memory.theme.style(Meaning::Problem);
            lines.push(Line::styled(caret, style));
            lines.extend(text::wrap(&fault.words, room).into_iter().map(|line| Line::styled(line, style)));
            return lines;
        }
        lines.extend(outcome(today, ruled, sheet, memory, room));
        let counts = self.counts(ruled, sheet, memory);
        lines.push(Line::styled(text::fit(&counts, room), memory.theme.style(Meaning::Muted)));
        lines
    }

    /// Where the cursor stands in the first line.
    pub(super) fn cursor(&self, room: usize) -> usize {
        let places = self.places(room);
        match self.field {
            Field::Range => places.range.0 + self.range.cursor_in(places.range.1),
            Field::Filter => places.filter.0 + self.filter.cursor_in(places.filter.1),
        }
    }

    fn places(&self, room: usize) -> Places {
        const HEAD: usize = "what if  range  ".len();
        const GAP: usize = "  filter  ".len();
        if !self.has_filter() {
            return Places { range: (HEAD, room.saturating_sub(HEAD)), filter: (room, 0) };
        }
        let left = room.saturating_sub(HEAD + GAP);
        let range = left * 3 / 5;
        Places { range: (HEAD, range), filter: (HEAD + range + GAP, left - range) }
    }

    fn inputs(&self, memory: &Memory, room: usize) -> Line<'static> {
        let theme = &memory.theme;
        let places = self.places(room);
        let label = |field: Field, words: &'static str| {
            let heard = self.typing && self.field == field;
            Span::styled(words, theme.style(if heard { Meaning::Key } else { Meaning::Muted }))
        };
        let typed = |input: &Input, width: usize| {
            let (words, meaning) = match input.shown_in(width) {
                words if words.is_empty() => ("none".to_owned(), Meaning::Muted),
                words => (words, Meaning::Plain),
            };
            Span::styled(text::pad(&words, width, false), theme.style(meaning))
        };
        let title = Span::styled("what if  ", theme.style(Meaning::Title));
        let mut spans = vec![title, label(Field::Range, "range  "), typed(&self.range, places.range.1)];
        if self.has_filter() {
            spans.push(label(Field::Filter, "  filter  "));
            spans.push(typed(&self.filter, places.filter.1));
        }
        Line::from(spans)
    }

    fn cell_of(&self, fault: &Fault, room: usize) -> usize {
        let places = self.places(room);
        let cell = match fault.field {
            Field::Range => places.range.0 + self.range.cell_in(places.range.1, fault.at),
            Field::Filter => places.filter.0 + self.filter.cell_in(places.filter.1, fault.at),
        };
        cell.min(room.saturating_sub(1))
    }

    /// Flux reads the filter first, and only beside a range.
    fn find_fault(&self) -> Option<Fault> {
        let range = self.range.text();
        let chart = self.dialect == Dialect::HelmChart;
        if range.is_empty() || chart && Version::parse_tag(range).is_ok() {
            return None;
        }
        if let Some(fault) = self.fault_of_filter() {
            return Some(fault);
        }
        let error = Constraint::parse(range).err()?;
        let words = if chart { error.to_string() } else { format!("semver '{range}' parse error: {error}") };
        Some(Fault { field: Field::Range, at: error.at(), words })
    }

    fn fault_of_filter(&self) -> Option<Fault> {
        let filter = self.filter.text();
        if filter.is_empty() || !self.has_filter() {
            return None;
        }
        let (at, words) = match Pattern::compile(filter).err()? {
            PatternError::Invalid(words) => (Pattern::breaks_at(filter).unwrap_or(0), words),
            PatternError::CannotEvaluate(why) => (0, why),
        };
        Some(Fault { field: Field::Filter, at, words })
    }

    /// How many there are of which verdict, and how many more or fewer are in range than today.
    fn counts(&self, ruled: &Ruled, sheet: &Sheet, memory: &Memory) -> String {
        let (today, mut parts) = (&sheet.today, Vec::new());
        if ruled.judge.is_range() && (sheet.len() > 0 || sheet.whole) {
            let now = ruled.ruling.in_range;
            let mut words = format!("{now} in range");
            if today.judge.is_range() {
                let before = today.ruling.in_range;
                let _ = match now.cmp(&before) {
                    Ordering::Greater => write!(words, ", {} more", now - before),
                    Ordering::Less => write!(words, ", {} fewer", before - now),
                    Ordering::Equal => write!(words, ", as many as today"),
                };
            }
            parts.push(words);
            let others = ruled.outside.iter().filter(|(_, count)| *count > 0);
            parts.extend(others.map(|(verdict, count)| format!("{count} {verdict}")));
        }
        if self.range.text().is_empty() && self.has_filter() && !self.filter.text().is_empty() {
            parts.push("the filter plays no part: it counts beside a range only".to_owned());
        }
        if !self.typing {
            let what = if self.dialect == Dialect::HelmChart { "spec.version" } else { "spec.ref" };
            parts.insert(0, format!("Shift-C copies {what}"));
        }
        parts.join(&format!(" {} ", memory.theme.dot()))
    }
}

/// What would be taken, and instead of what.
fn outcome(today: &Ruled, ruled: &Ruled, sheet: &Sheet, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let style = |meaning| memory.theme.style(meaning);
    let line = |words: String, meaning| {
        text::wrap(&words, room).into_iter().map(|line| Line::styled(line, style(meaning))).collect()
    };
    let before = today.ruling.chosen.as_ref().map(words);
    if ruled.judge.policy().follows.is_none() {
        return line(
            "nothing is taken yet: type a range, as 1.x or >=1.0.0 <2.0.0".to_owned(),
            Meaning::Muted,
        );
    }
    if let Some(why) = ruled.judge.is_silent() {
        return line(why.to_owned(), Meaning::Muted);
    }
    if let Some(error) = &ruled.ruling.error {
        let today = before.map_or_else(String::new, |tag| format!("; today {tag}"));
        return line(format!("takes nothing: {error}{today}"), Meaning::Problem);
    }
    let Some(chosen) = &ruled.ruling.chosen else {
        return line(unlisted(today, ruled, sheet), Meaning::Muted);
    };
    let tag = words(chosen);
    let mut said = match before {
        Some(before) if today.ruling.chosen.as_ref() == Some(chosen) => format!("takes {before}, as today"),
        Some(before) => format!("takes {tag} instead of {before}{}", way(today, chosen, sheet)),
        None if today.judge.policy().follows.is_some() => format!("takes {tag}; today nothing is taken"),
        None => format!("takes {tag}"),
    };
    if let Some(other) = ruled.ruling.ambiguous.first() {
        let other = sheet.tag(*other);
        let _ = write!(said, "; ties with {other}: which is taken is not defined");
    }
    line(said, Meaning::Plain)
}

/// A tag that is named is taken whether or not it was heard of.
fn unlisted(today: &Ruled, ruled: &Ruled, sheet: &Sheet) -> String {
    let Some(tag) = ruled.judge.policy().named_tag() else {
        return "the highest is known once all tags are".to_owned();
    };
    let same = if today.judge.policy().named_tag().as_ref() == Some(&tag) { ", as today" } else { "" };
    let listed = if sheet.whole { "; that tag is not listed" } else { "" };
    format!("takes {}{same}{listed}", text::line(&tag))
}

/// ` (major)`, ` (patch, down)`.
fn way(today: &Ruled, chosen: &Choice, sheet: &Sheet) -> String {
    let (Some(Choice::Tag(before)), Choice::Tag(after)) = (&today.ruling.chosen, chosen) else {
        return String::new();
    };
    match (sheet.version_of(before), sheet.version_of(after)) {
        (Some(before), Some(after)) if before == after => String::new(),
        (Some(before), Some(after)) => {
            let down = if after < before { ", down" } else { "" };
            format!(" ({}{down})", Distance::between(before, after))
        }
        (None, _) | (_, None) => String::new(),
    }
}

fn words(choice: &Choice) -> String {
    match choice {
        Choice::Tag(tag) => text::line(tag),
        Choice::Digest(digest) => {
            let hex = digest.rsplit(':').next().unwrap_or(digest);
            format!("@{}", text::line(hex.get(..8).unwrap_or(hex)))
        }
    }
}

/// A YAML string that means exactly this text.
fn quoted(text: &str) -> Result<String, String> {
    if text.chars().any(is_deceptive) {
        return Err("not copied: it holds characters that cannot be seen".to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}
