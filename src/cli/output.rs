//! Everything that is printed: tables, JSON, YAML and names on stdout, words on stderr.
//! The only writer of `cli`; nothing from outside passes it without being made safe.

use crate::domain::{
    identity::Kind,
    plain::{Plain, is_deceptive},
    problem::Problem,
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};
use serde_saphyr::DoubleQuoted;
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, ErrorKind, Write},
};
use unicode_width::UnicodeWidthStr;

/// `apiVersion` of every document (`design.md` §9).
pub const API_VERSION: &str = "fluxscope/v1";

/// Of more questions that failed for the same reason only the first are named.
const MOST_NAMED: usize = 6;

/// Columns shown on either side of a caret.
const POINTED: usize = 36;

/// Stdout and stderr. A reader that goes away (`| head`) ends the output quietly.
pub struct Console<'a> {
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
    fault: Option<io::Error>,
    /// Which of the two are terminals.
    terminals: Terminals,
    /// Columns of the terminal that shows stdout.
    width: Option<usize>,
    /// A line of progress stands on stderr.
    progress: bool,
    surroundings: Surroundings,
}

/// What the environment asks of those that print.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `NO_COLOR` and the like.
    pub no_colour: bool,
    /// `KUBECTL_EXTERNAL_DIFF`.
    pub external_diff: Option<String>,
}

/// What is written to by a person's eyes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminals {
    pub out: bool,
    pub err: bool,
}

impl<'a> Console<'a> {
    pub fn new(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out,
            err,
            fault: None,
            terminals: Terminals::default(),
            width: None,
            progress: false,
            surroundings: Surroundings::default(),
        }
    }

    #[must_use]
    pub fn on(mut self, terminals: Terminals) -> Self {
        self.terminals = terminals;
        self
    }

    /// Stdout is a terminal of so many columns.
    #[must_use]
    pub fn with_width(mut self, width: Option<usize>) -> Self {
        self.width = width;
        self
    }

    #[must_use]
    pub fn within(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = surroundings;
        self
    }

    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Whether stdout is looked at by a person.
    pub fn is_terminal(&self) -> bool {
        self.terminals.out
    }

    /// Whether stderr is read by a person as it comes.
    pub(super) fn is_watched(&self) -> bool {
        self.terminals.err
    }

    pub(super) fn width(&self) -> Option<usize> {
        self.width
    }

    /// How far something is, on one line that is written over; only where somebody looks at it.
    pub(super) fn progress(&mut self, words: &str) {
        if self.terminals.err {
            let line = shortened(words, self.width.unwrap_or(80).saturating_sub(1));
            let _ = write!(self.err, "\r{line}\x1b[K").and_then(|()| self.err.flush());
            self.progress = true;
        }
    }

    fn end_progress(&mut self) {
        if std::mem::take(&mut self.progress) {
            let _ = write!(self.err, "\r\x1b[K").and_then(|()| self.err.flush());
        }
    }

    /// The bytes of a file, as they are: never for a terminal.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.end_progress();
        if self.fault.is_some() {
            return;
        }
        if let Err(error) = self.out.write_all(bytes).and_then(|()| self.out.flush()) {
            self.fault = Some(error);
        }
    }

    /// Text that is safe already, on stdout.
    pub fn data(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// One sentence on stderr. Whoever closed stderr does not want to know.
    pub fn say(&mut self, sentence: &str) {
        self.end_progress();
        let _ = writeln!(self.err, "{}", Plain::line(sentence)).and_then(|()| self.err.flush());
    }

    /// A text, and under it a caret at the byte where reading it stopped.
    pub(super) fn point(&mut self, text: &str, at: usize) {
        let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
        let (before, behind) = (Plain::line(before), Plain::line(behind));
        let skipped = before.as_str().width().saturating_sub(POINTED);
        let start = before.as_str().char_indices().map(|(at, _)| at);
        let start = start.chain([before.as_str().len()]).find(|at| before.as_str()[..*at].width() >= skipped);
        let before = &before.as_str()[start.unwrap_or_default()..];
        let cut = if skipped > 0 { "…" } else { "" };
        self.say(&format!("  {cut}{before}{}", shortened(behind.as_str(), POINTED)));
        self.say(&format!("  {}^", " ".repeat(cut.width() + before.width())));
    }

    /// What failed and why; on a second line what to try.
    pub fn complain(&mut self, problem: &Problem) {
        self.say(&format!("error: {}: {}", problem.what, problem.why));
        if let Some(hint) = &problem.hint {
            self.say(&format!("  try: {hint}"));
        }
    }

    /// Several problems: those with the same reason and advice in one, and so those that differ in their kind alone.
    pub fn complain_all(&mut self, problems: &[Problem]) {
        for problem in &sum_up_kinds(sum_up_reasons(problems)) {
            self.complain(problem);
        }
    }

    /// Nobody reads stdout any more, or it cannot be written.
    pub fn is_closed(&self) -> bool {
        self.fault.is_some()
    }

    /// Why stdout could not be written, if that is worth a word: a closed pipe is not.
    pub(super) fn fault(&mut self) -> Option<io::Error> {
        self.fault.take().filter(|error| error.kind() != ErrorKind::BrokenPipe)
    }

    /// A whole document, as JSON.
    pub fn json(&mut self, document: &impl Serialize) {
        match serde_json::to_string_pretty(document) {
            Ok(mut text) => {
                text.push('\n');
                self.data(&escaped(&text, json_escape));
            }
            Err(error) => self.fault = Some(io::Error::other(error)),
        }
    }

    /// A whole document on one line.
    pub fn json_line(&mut self, document: &Value) {
        self.data(&format!("{}\n", escaped(&document.to_string(), json_escape)));
    }

    /// The same document as YAML.
    pub fn yaml(&mut self, document: &impl Serialize) {
        let text = serde_json::to_value(document).map_err(io::Error::other);
        match text.and_then(|document| yaml(&document).map_err(|error| io::Error::other(error.to_string()))) {
            Ok(text) => self.data(&text),
            Err(error) => self.fault = Some(error),
        }
    }
}

/// One for each reason, naming what failed for it, or the first of many.
fn sum_up_reasons(problems: &[Problem]) -> Vec<Problem> {
    let mut merged: Vec<(&Problem, Vec<&str>)> = Vec::new();
    for problem in problems {
        match merged.iter_mut().find(|(other, _)| other.why == problem.why && other.hint == problem.hint) {
            Some((_, whats)) if whats.contains(&problem.what.as_str()) => {}
            Some((_, whats)) => whats.push(&problem.what),
            None => merged.push((problem, vec![&problem.what])),
        }
    }
    let named = |(problem, whats): (&Problem, Vec<&str>)| {
        let what = match whats.get(MOST_NAMED..).map_or(0, <[_]>::len) {
            0 | 1 => whats.join("; "),
            more => format!("{}; and {more} more", whats[..MOST_NAMED].join("; ")),
        };
        Problem { what, ..problem.clone() }
    };
    merged.into_iter().map(named).collect()
}

/// One for all problems that say the same of different kinds. The reason is that of the first, and says so.
fn sum_up_kinds(problems: Vec<Problem>) -> Vec<Problem> {
    let mut shapes: Vec<(Option<Problem>, Vec<Kind>, Problem)> = Vec::new();
    for problem in problems {
        let kind = Kind::ALL.into_iter().find(|kind| problem.what.contains(kind.plural()));
        let shape = kind.map(|kind| shape(&problem, kind));
        match shapes.iter_mut().find(|(other, ..)| shape.is_some() && *other == shape) {
            Some((_, kinds, _)) => kinds.extend(kind),
            None => shapes.push((shape, Vec::from_iter(kind), problem)),
        }
    }
    shapes.into_iter().map(|(_, kinds, problem)| of_kinds(problem, &kinds)).collect()
}

/// The problem without what names its kind.
fn shape(problem: &Problem, kind: Kind) -> Problem {
    let general = |text: &str| {
        let full = format!("{}.{}", kind.plural(), kind.group());
        text.replace(&full, "…").replace(kind.plural(), "…").replace(kind.group(), "…")
    };
    Problem {
        cause: problem.cause,
        what: general(&problem.what),
        why: general(&problem.why),
        hint: problem.hint.as_deref().map(general),
    }
}

fn of_kinds(problem: Problem, kinds: &[Kind]) -> Problem {
    let [first, _, ..] = kinds else { return problem };
    let plurals = kinds.iter().map(|kind| kind.plural()).collect::<Vec<_>>().join(", ");
    let full = format!("{}.{}", first.plural(), first.group());
    let all = |text: &str| text.replacen(&full, first.plural(), 1).replacen(first.plural(), &plurals, 1);
    Problem {
        what: all(&problem.what),
        why: format!("{} (and alike for the others)", problem.why),
        hint: problem.hint.as_deref().map(all),
        cause: problem.cause,
    }
}

/// A document: `apiVersion`, `kind`, then the fields.
pub(super) fn document(kind: &str, fields: Value) -> Value {
    let mut document = json!({"apiVersion": API_VERSION, "kind": kind});
    if let (Value::Object(whole), Value::Object(fields)) = (&mut document, fields) {
        whole.extend(fields);
    }
    document
}

/// `{what, why, hint}`.
pub(super) fn problem_fields(problem: &Problem) -> Value {
    json!({"what": problem.what, "why": problem.why, "hint": problem.hint})
}

/// Writes what could deceive as escapes. Line breaks between the tokens stay: inside strings they are escaped already.
fn escaped(text: &str, escape: fn(&mut String, char)) -> Cow<'_, str> {
    if !text.chars().any(|c| c != '\n' && is_deceptive(c)) {
        return text.into();
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c != '\n' && is_deceptive(c) { escape(&mut safe, c) } else { safe.push(c) }
    }
    safe.into()
}

/// RFC 8259 §7: characters beyond the basic plane as a surrogate pair.
fn json_escape(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // writing into a String cannot fail
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// YAML 1.2 §5.7, inside double quotes.
fn yaml_escape(text: &mut String, c: char) {
    let code = u32::from(c);
    let _ = if code > 0xffff { write!(text, "\\U{code:08X}") } else { write!(text, "\\u{code:04X}") };
}

fn yaml(document: &Value) -> Result<String, serde_saphyr::ser::Error> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(&Quoted(document, is_deceptive), options)?;
    Ok(escaped(&text, yaml_escape).into_owned())
}

/// A value as YAML that is safe to print, texts of several lines as a person would write them.
pub(super) fn yaml_text(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    let acts = |c| c != '\n' && is_deceptive(c);
    match serde_saphyr::to_string_with_options(&Quoted(value, acts), options) {
        Ok(text) => escaped(&text, yaml_escape).into_owned(),
        Err(_) => format!("{}\n", escaped(&value.to_string(), json_escape)),
    }
}

/// A value whose deceptive strings are double-quoted, so that they can be escaped; which are, the function says.
struct Quoted<'a>(&'a Value, fn(char) -> bool);

impl Serialize for Quoted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) if text.chars().any(self.1) => DoubleQuoted(text).serialize(serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(|item| Quoted(item, self.1))),
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, &Quoted(value, self.1))?;
                }
                map.end()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.serialize(serializer)
            }
        }
    }
}

/// Rows of text in columns, as kubectl prints them: three spaces apart, upper-case header.
#[derive(Debug)]
pub(super) struct Table {
    header: Vec<&'static str>,
    gap: usize,
    rows: Vec<Vec<Plain>>,
    /// Kept between prints, so that what a watch adds stays in its columns.
    widths: Vec<usize>,
}

impl Table {
    pub(super) fn new(header: Vec<&'static str>) -> Self {
        Self { header, gap: 3, rows: Vec::new(), widths: Vec::new() }
    }

    /// Two spaces apart, where room is short.
    pub(super) fn tight(header: Vec<&'static str>) -> Self {
        Self { gap: 2, ..Self::new(header) }
    }

    /// Cells may come from outside; empty ones are printed as `-`.
    pub(super) fn push(&mut self, cells: &[String]) {
        let cell = |text: &String| if text.is_empty() { Plain::line("-") } else { Plain::line(text) };
        self.rows.push(cells.iter().map(cell).collect());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The header, once, if it is wanted, and the rows since the last time.
    pub(super) fn take(&mut self, header: bool) -> String {
        let first = self.widths.is_empty();
        if first {
            self.widths = self.header.iter().map(|title| if header { title.width() } else { 0 }).collect();
        }
        for row in &self.rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.as_str().width());
            }
        }
        let mut text = String::new();
        if first && header {
            self.line(&mut text, self.header.iter().copied());
        }
        for row in &self.rows {
            self.line(&mut text, row.iter().map(Plain::as_str));
        }
        self.rows.clear();
        text
    }

    fn line<'a>(&self, text: &mut String, cells: impl Iterator<Item = &'a str>) {
        let mut line = String::new();
        for (cell, width) in cells.zip(&self.widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + self.gap));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// Cuts at a display width; a cut text ends in `…`.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let text = Plain::line(text).into_string();
    if text.width() <= width {
        return text;
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if short.width() >= width {
            short.pop();
            break;
        }
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\u{202e}b\u{e0041}c\u{7f}\n\"d";

    fn printed(print: impl FnOnce(&mut Console<'_>)) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        print(&mut Console::new(&mut out, &mut err));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn json_strings_are_unaltered_and_deceptive_characters_are_escapes() {
        let document = json!({"a": HOSTILE, "ü": "東"});
        for text in [printed(|c| c.json(&document)), printed(|c| c.json_line(&document))] {
            assert!(text.chars().all(|c| c == '\n' || !is_deceptive(c)), "{text:?}");
            assert!(text.contains(r"\u202eb\udb40\udc41c\u007f") && text.contains("東"), "{text}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);
        }
    }

    #[test]
    fn yaml_is_the_same_document_and_as_safe() {
        let folded = "many words ".repeat(30);
        let document =
            json!({"a": HOSTILE, "b": [null, true, 3, "yes", "1.0", "\u{200b}"], "c": {}, "d": folded});
        let text = printed(|c| c.yaml(&document));
        assert!(text.chars().all(|c| c == '\n' || !is_deceptive(c)), "{text:?}");
        assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), document, "{text}");
    }

    #[test]
    fn texts_of_several_lines_are_blocks_unless_something_in_them_acts() {
        let folded = "many words ".repeat(30);
        let document = json!({"a": "one\ntwo\n", "b": HOSTILE, "c": folded, "d": {"e": "x\n\n  y"}});
        let text = yaml_text(&document);
        assert!(text.starts_with("a: |\n  one\n  two\nb: \"a\\e[2J"), "{text}");
        assert!(text.chars().all(|c| c == '\n' || !is_deceptive(c)), "{text:?}");
        assert_eq!(serde_saphyr::from_str::<Value>(&text).unwrap(), document, "{text}");
    }

    #[test]
    fn columns_are_aligned_by_what_the_eye_sees() {
        let mut table = Table::new(vec!["NAME", "STATE"]);
        table.push(&["東京".into(), "ready".into()]);
        table.push(&["a\u{1b}".into(), String::new()]);
        assert_eq!(table.take(true), "NAME    STATE\n東京    ready\na\\x1b   -\n");
        table.push(&["b".into(), "stale".into()]);
        assert_eq!(table.take(true), "b       stale\n");
    }

    #[test]
    fn a_cut_text_says_so_and_keeps_its_width() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 6), "abcde…");
        assert!(shortened("東京東京", 5).width() <= 5);
    }

    #[test]
    fn a_caret_stands_under_the_character_that_is_meant() {
        for (text, at, expected) in [
            (">=1.0.0 <abc", 9, "  >=1.0.0 <abc\n           ^\n"),
            ("1.x ||", 6, "  1.x ||\n        ^\n"),
            ("東京 x", 7, "  東京 x\n       ^\n"),
            ("a\u{1b}b", 2, "  a\\x1bb\n       ^\n"),
            ("", 0, "  \n  ^\n"),
        ] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            Console::new(&mut out, &mut err).point(text, at);
            assert_eq!(String::from_utf8(err).unwrap(), expected, "{text:?}");
        }
        let (mut out, mut err) = (Vec::new(), Vec::new());
        Console::new(&mut out, &mut err).point(&format!("{}?{}", "1.0 ".repeat(100), "x".repeat(100)), 400);
        let said = String::from_utf8(err).unwrap();
        let [line, caret] = [0, 1].map(|at| said.lines().nth(at).unwrap());
        assert_eq!(line.chars().nth(caret.chars().count() - 1), Some('?'), "{said}");
        assert!(line.width() <= 80, "{said}");
    }

    #[test]
    fn equal_reasons_are_told_once() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let refused = |what: &str| {
            Problem::new(crate::domain::problem::Cause::Unreachable, what, "connection refused")
                .with_hint("is it up?")
        };
        Console::new(&mut out, &mut err).complain_all(&[refused("list a"), refused("list b")]);
        assert_eq!(
            String::from_utf8(err).unwrap(),
            "error: list a; list b: connection refused\n  try: is it up?\n"
        );
    }
}
