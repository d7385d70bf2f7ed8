//! Changes as rows that begin with `-`, `+`, a space or `@@`: what both a terminal and a comment show. Safe to print.

use super::{
    super::output::yaml_text,
    view::{Cell, View},
};
use crate::domain::{
    diff::{FieldChange, FieldFate, LineRow, ObjectChange, Sign, lines},
    plain::Plain,
    secret::shorten_sops,
};
use serde_json::Value;
use std::ops::Range;

/// Equal lines shown on either side of a change.
const AROUND: usize = 3;
/// Characters of one row; what is longer is cut, and says so.
const LONGEST: usize = 600;

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
        Self { mark, text: cut(Plain::line(text).as_str()), strong: Vec::new() }
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

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}… ({} more characters)", &text[..at], text[at..].chars().count()),
        None => text.to_owned(),
    }
}

/// The fields of an object that differ.
pub(super) fn of_object(view: &View<'_>, object: &ObjectChange) -> Vec<Row> {
    let mut rows: Vec<Row> = object.fields.iter().flat_map(|field| of_field(view, field)).collect();
    if object.cut {
        rows.push(Row::new(Mark::Place, "not all of its fields were compared: it is too large"));
    }
    rows
}

fn of_field(view: &View<'_>, field: &FieldChange) -> Vec<Row> {
    let path = field.path.to_string();
    let (from, to) = view.cells(field);
    if let (Cell::Open(Value::String(from)), Cell::Open(Value::String(to))) = (&from, &to)
        && (from.contains('\n') || to.contains('\n'))
    {
        let mut rows = vec![Row::new(Mark::Place, &path)];
        rows.extend(of_texts(from, to));
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
    let compared = lines(from, to, AROUND);
    let mut rows = Vec::new();
    let hunks = compared.rows.split(|row| matches!(row.sign, Sign::Gap(_)));
    for hunk in hunks.filter(|hunk| hunk.iter().any(|row| row.sign != Sign::Same)) {
        rows.push(Row::new(Mark::Place, &header(hunk)));
        rows.extend(hunk.iter().map(of_line));
    }
    if rows.is_empty() {
        rows.push(Row::new(Mark::Place, "the lines are the same: only line breaks differ"));
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
    if text.chars().count() > LONGEST {
        return Row { mark, text: cut(&text), strong: Vec::new() };
    }
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
