//! Changes as rows that begin with `-`, `+`, a space or `@@`: what both a terminal and a comment show. Safe to print.

use super::{
    super::output::yaml_text,
    view::{Cell, View},
};
use crate::domain::{
    diff::{FieldChange, FieldFate, LineRow, ObjectChange, Sign, alike, beside, lines},
    plain::Plain,
    secret::shorten_sops,
};
use serde_json::Value;
use std::{fmt::Write as _, ops::Range};

/// Equal lines shown on either side of a change.
const AROUND: usize = 3;
/// Characters of one row; what is longer is cut, and says so.
const LONGEST: usize = 600;
/// Characters that stay before what differs far behind.
const BEFORE: usize = 60;

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Same,
    Removed,
    Added,
    /// Where the rows below stand.
    Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) mark: Mark,
    /// On one line, nothing in it acts on a terminal.
    pub(super) text: String,
    /// Bytes of the text that differ from the row that it replaces.
    pub(super) strong: Vec<Range<usize>>,
}

impl Row {
    fn new(mark: Mark, text: &str) -> Self {
        Self { mark, text: Plain::line(text).into_string(), strong: Vec::new() }
    }

    /// What of it is printed: not all with which its other side begins too, so that what differs is seen.
    fn shorten(&mut self, alike: usize) {
        let begin = &self.text[..alike];
        if begin.chars().count() + BEFORE > LONGEST {
            let head = begin.char_indices().nth(BEFORE).map_or(alike, |(at, _)| at);
            let tail = begin.char_indices().rev().nth(BEFORE - 1).map_or(0, |(at, _)| at);
            let left_out = begin[head..tail].chars().count();
            let words = format!("… ({left_out} more characters) …");
            self.text.replace_range(head..tail, &words);
            self.strong.clear();
        }
        if let Some((at, _)) = self.text.char_indices().nth(LONGEST) {
            let rest = self.text[at..].chars().count();
            self.text.truncate(at);
            let _ = write!(self.text, "… ({rest} more characters)");
            self.strong.clear();
        }
    }

    pub(super) const fn sign(&self) -> &'static str {
        match self.mark {
            Mark::Same => " ",
            Mark::Removed => "-",
            Mark::Added => "+",
            Mark::Place => "@@",
        }
    }
}

/// Long rows become short; what replaces something keeps the same of its beginning as that.
fn shortened(mut rows: Vec<Row>) -> Vec<Row> {
    let sign = |at: usize| match rows[at].mark {
        Mark::Removed => Sign::Removed,
        Mark::Added => Sign::Added,
        Mark::Same | Mark::Place => Sign::Same,
    };
    for (left, right) in beside(rows.len(), sign) {
        match (left, right) {
            (Some(left), Some(right)) if left != right => {
                let alike = alike(&rows[left].text, &rows[right].text);
                rows[left].shorten(alike);
                rows[right].shorten(alike);
            }
            (one, other) => one.or(other).into_iter().for_each(|at| rows[at].shorten(0)),
        }
    }
    rows
}

/// The fields of an object that differ.
pub(super) fn of_object(view: &View<'_>, object: &ObjectChange) -> Vec<Row> {
    let mut rows: Vec<Row> = object.fields.iter().flat_map(|field| of_field(view, field)).collect();
    if object.cut {
        rows.push(Row::new(Mark::Place, "not all of its fields were compared: it is too large"));
    }
    shortened(rows)
}

fn of_field(view: &View<'_>, field: &FieldChange) -> Vec<Row> {
    let path = field.path.to_string();
    let (from, to) = view.cells(field);
    if let (Cell::Open(Value::String(from)), Cell::Open(Value::String(to))) = (&from, &to)
        && (from.contains('\n') || to.contains('\n'))
    {
        let mut rows = vec![Row::new(Mark::Place, &path)];
        rows.extend(compared(from, to));
        return rows;
    }
    let mut rows = Vec::new();
    if field.change == FieldFate::Reordered {
        rows.push(Row::new(Mark::Place, &format!("{path}: the same items in another order")));
    }
    of_cell(&mut rows, Mark::Removed, &path, &from);
    of_cell(&mut rows, Mark::Added, &path, &to);
    rows
}

fn of_cell(rows: &mut Vec<Row>, mark: Mark, path: &str, cell: &Cell) {
    match cell {
        Cell::Absent => {}
        Cell::Masked(word, length) => {
            rows.push(Row::new(mark, &format!("{path}: {word}, {length} characters")));
        }
        Cell::Open(Value::String(text)) if text.contains('\n') => {
            rows.push(Row::new(mark, &format!("{path}: |")));
            rows.extend(shorten_sops(text).lines().map(|line| Row::new(mark, &format!("  {line}"))));
        }
        Cell::Open(value @ (Value::Array(_) | Value::Object(_))) if !is_small(value) => {
            rows.push(Row::new(mark, &format!("{path}:")));
            let text = yaml_text(value);
            rows.extend(shorten_sops(&text).lines().map(|line| Row::new(mark, &format!("  {line}"))));
        }
        Cell::Open(value) => {
            rows.push(Row::new(mark, &format!("{path}: {}", shorten_sops(&value.to_string()))));
        }
    }
}

/// It fits on one line: empty, or a few plain values.
fn is_small(value: &Value) -> bool {
    let plain = |value: &Value| !value.is_array() && !value.is_object();
    let flat = match value {
        Value::Array(items) => items.iter().all(plain),
        Value::Object(fields) => fields.len() <= 1 && fields.values().all(plain),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    flat && value.to_string().len() <= 60
}

/// Unified hunks of two texts.
pub(super) fn of_texts(from: &str, to: &str) -> Vec<Row> {
    shortened(compared(from, to))
}

fn compared(from: &str, to: &str) -> Vec<Row> {
    let compared = lines(from, to, AROUND);
    let mut rows = Vec::new();
    let hunks = compared.rows.split(|row| matches!(row.sign, Sign::Gap(_)));
    for hunk in hunks.filter(|hunk| hunk.iter().any(|row| row.sign != Sign::Same)) {
        rows.push(Row::new(Mark::Place, &header(hunk)));
        rows.extend(hunk.iter().map(of_line));
    }
    if rows.is_empty() {
        let empty = from.is_empty() && to.is_empty();
        let words = if empty { "it is empty" } else { "the lines are the same: only line breaks differ" };
        rows.push(Row::new(Mark::Place, words));
    }
    if compared.coarse {
        rows.push(Row::new(Mark::Place, "compared coarsely: it is too large, or too much differs"));
    }
    rows
}

/// `-1,3 +1,4`.
fn header(hunk: &[LineRow]) -> String {
    let side = |number: fn(&LineRow) -> Option<usize>| {
        let numbers = hunk.iter().filter_map(number);
        (numbers.clone().next().unwrap_or(0), numbers.count())
    };
    let ((from, removed), (to, added)) = (side(|row| row.from), side(|row| row.to));
    format!("-{from},{removed} +{to},{added} @@")
}

fn of_line(line: &LineRow) -> Row {
    let mark = match line.sign {
        Sign::Removed => Mark::Removed,
        Sign::Added => Mark::Added,
        Sign::Same | Sign::Gap(_) => Mark::Same,
    };
    let (text, strong) = if line.text.contains("ENC[") {
        (Plain::line(&shorten_sops(&line.text)).into_string(), Vec::new())
    } else {
        spelt(&line.text, &line.strong)
    };
    Row { mark, text, strong }
}

/// The text made safe, and where the marked parts went.
fn spelt(text: &str, strong: &[Range<usize>]) -> (String, Vec<Range<usize>>) {
    let (mut safe, mut moved) = (String::with_capacity(text.len()), Vec::new());
    let mut done = 0;
    for part in strong {
        let (Some(before), Some(within)) = (text.get(done..part.start), text.get(part.clone())) else {
            continue;
        };
        push(&mut safe, before);
        let start = safe.len();
        push(&mut safe, within);
        moved.push(start..safe.len());
        done = part.end;
    }
    push(&mut safe, text.get(done..).unwrap_or_default());
    (safe, moved)
}

/// A tab is shown as spaces; nothing else of a line is changed that can be seen.
fn push(safe: &mut String, text: &str) {
    safe.push_str(Plain::line(&text.replace('\t', "    ")).as_str());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_far_behind_in_long_lines_is_seen_and_the_beginnings_are_cut_alike() {
        let text = |last: &str| format!("key: {}{last}\n", "v".repeat(2_000));
        let rows = of_texts(&text("1 and"), &text("2 or"));
        let expected =
            |last: &str| format!("key: {}… (1885 more characters) …{}{last}", "v".repeat(55), "v".repeat(60));
        assert_eq!([&*rows[1].text, &*rows[2].text], [expected("1 and"), expected("2 or")]);
        let long = of_texts(&text(&"1".repeat(700)), &text("2"));
        assert!(long[1].text.ends_with("… (246 more characters)"), "{}", long[1].text);
        let near = of_texts("a1\n", &format!("a{}\n", "2".repeat(700)));
        assert!(near[2].text.starts_with("a2222") && near[2].text.ends_with("… (101 more characters)"));
    }

    #[test]
    fn an_empty_file_is_called_so() {
        assert_eq!(of_texts("", "")[0].text, "it is empty");
        assert_eq!(of_texts("a\n", "a\r\n").len(), 3);
    }
}
