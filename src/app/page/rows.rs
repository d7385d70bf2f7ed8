//! Rows of a page, one after the other: safe, not longer than anybody reads, with the places where changes begin. It
//! compares nothing.

use super::{Mask, Page, Row, What, cover::Covered, value};
use crate::domain::{
    diff::{LineRow, Lines, Sign},
    plain::{Plain, is_deceptive},
};
use std::ops::Range;

/// More rows than this nobody reads.
const MOST: usize = 100_000;

/// Bytes of one line that are shown, and of what stands before its first difference.
const LONGEST: usize = 4096;
const BEFORE: usize = 64;

#[derive(Default)]
pub(super) struct Rows {
    page: Page,
    /// Rows that were left out.
    left: usize,
}

impl Rows {
    pub(super) fn path(&mut self, path: &str) {
        self.page.fields.push(self.page.rows.len());
        self.page.hunks.push(self.page.rows.len());
        self.push(What::Path, (None, None), path, &[], None);
    }

    pub(super) fn note(&mut self, words: &str) {
        self.push(What::Note, (None, None), words, &[], None);
    }

    /// All lines of one side.
    pub(super) fn all(&mut self, what: What, text: Option<&str>, mask: Option<Mask>) {
        for line in text.into_iter().flat_map(str::lines) {
            self.push(what, (None, None), line, &[], mask);
        }
    }

    /// The lines of one field. They begin no change of their own, unless equal lines stand between.
    pub(super) fn compared(&mut self, lines: &Lines, mask: Option<Mask>) {
        let mut gap = false;
        for row in &lines.rows {
            let what = what(row.sign);
            if gap && is_change(what) {
                self.page.hunks.push(self.page.rows.len());
            }
            gap = matches!(what, What::Gap(_)) && !self.page.rows.is_empty() || gap && !is_change(what);
            self.push(what, (None, None), &row.text, &row.strong, mask);
        }
    }

    /// The lines of two whole texts.
    pub(super) fn covered(&mut self, covered: &Covered, around: usize) {
        let lines = value::compared(&covered.from, &covered.to, around);
        let mut before = false;
        for row in &lines.rows {
            let what = what(row.sign);
            if is_change(what) && !before {
                self.page.hunks.push(self.page.rows.len());
            }
            before = is_change(what);
            let mask = covered.mask(row.from, row.to);
            let LineRow { from, to, .. } = row;
            self.push(what, (*from, *to), &row.text, &row.strong, mask);
        }
        if lines.coarse && lines.rows.iter().any(|row| row.sign == Sign::Same) {
            self.page.notes.push("compared coarsely: it is large".to_owned());
        }
    }

    fn push(
        &mut self,
        what: What,
        (from, to): (Option<usize>, Option<usize>),
        text: &str,
        strong: &[Range<usize>],
        mask: Option<Mask>,
    ) {
        if self.page.rows.len() >= MOST {
            self.left += 1;
            return;
        }
        let (text, strong) = safe(text, strong);
        self.page.rows.push(Row { what, from, to, text, strong, mask });
    }

    pub(super) fn finish(mut self) -> Page {
        if self.left > 0 {
            let words = format!("{} more lines are not shown: fluxscope diff prints all", self.left);
            self.page.notes.push(words);
        }
        let rows = self.page.rows.len();
        self.page.hunks.retain(|row| *row < rows);
        self.page.fields.retain(|row| *row < rows);
        self.page.pairs = pairs(&self.page.rows);
        self.page
    }
}

const fn what(sign: Sign) -> What {
    match sign {
        Sign::Same => What::Same,
        Sign::Removed => What::Removed,
        Sign::Added => What::Added,
        Sign::Gap(count) => What::Gap(count),
    }
}

const fn is_change(what: What) -> bool {
    matches!(what, What::Removed | What::Added)
}

/// What replaces something stands beside it.
fn pairs(rows: &[Row]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::with_capacity(rows.len());
    let run = |from: usize, what: What| rows[from..].iter().take_while(|row| row.what == what).count();
    let mut at = 0;
    while at < rows.len() {
        let removed = run(at, What::Removed);
        let added = run(at + removed, What::Added);
        if removed + added == 0 {
            pairs.push((Some(at), Some(at)));
            at += 1;
            continue;
        }
        for place in 0..removed.max(added) {
            let left = (place < removed).then_some(at + place);
            let right = (place < added).then_some(at + removed + place);
            pairs.push((left, right));
        }
        at += removed + added;
    }
    pairs
}

/// A line to show, and where in it the differences are.
fn safe(text: &str, strong: &[Range<usize>]) -> (Box<str>, Vec<Range<usize>>) {
    let (part, start) = part(text, strong);
    let mut out = String::with_capacity(part.len() + 8);
    if start > 0 {
        out.push('…');
    }
    let mut kept = Vec::new();
    let end = start + part.len();
    if part.contains(is_deceptive) {
        let mut done = start;
        for range in strong.iter().filter(|range| range.end <= end) {
            let (Some(before), Some(own)) = (text.get(done..range.start), text.get(range.clone())) else {
                continue;
            };
            out.push_str(Plain::block(before).as_str());
            let from = out.len();
            out.push_str(Plain::block(own).as_str());
            kept.push(from..out.len());
            done = range.end;
        }
        out.push_str(Plain::block(text.get(done..end).unwrap_or_default()).as_str());
    } else {
        let shift = out.len();
        out.push_str(part);
        let inside = strong.iter().filter(|range| range.start >= start && range.end <= end);
        kept.extend(inside.map(|range| range.start - start + shift..range.end - start + shift));
    }
    if end < text.len() {
        out.push('…');
    }
    (out.into(), kept)
}

/// What is shown of a long line: from a little before its first difference.
fn part<'a>(text: &'a str, strong: &[Range<usize>]) -> (&'a str, usize) {
    if text.len() <= LONGEST {
        return (text, 0);
    }
    let first = strong.first().map_or(0, |range| range.start);
    let start = if first + BEFORE < LONGEST { 0 } else { first - BEFORE };
    let start = floor(text, start);
    let end = floor(text, (start + LONGEST).min(text.len()));
    (&text[start..end], start)
}

fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked_in_the_safe_text() {
        let (text, strong) = safe("a\u{1b}b\tc", &[3..4, 4..5]);
        assert_eq!((&*text, strong), ("a\\x1bb    c", vec![6..10, 10..11]));
        let (text, strong) = safe("plain", &[1..3, 4..5]);
        assert_eq!((&*text, strong), ("plain", vec![1..3, 4..5]));
    }

    #[test]
    fn of_a_long_line_the_part_with_the_difference_is_shown() {
        let line = format!("{}X{}", "ä".repeat(100_000), "b".repeat(100_000));
        let (text, strong) = safe(&line, &[200_000..200_001, 200_003..200_004]);
        assert!(text.len() < LONGEST + 16 && text.starts_with('…') && text.ends_with('…'));
        assert_eq!(&text[strong[0].clone()], "X");
    }

    #[test]
    fn what_replaces_something_stands_beside_it() {
        let row = |what| Row { what, from: None, to: None, text: "".into(), strong: vec![], mask: None };
        let rows: Vec<Row> =
            [What::Path, What::Removed, What::Removed, What::Added, What::Same].map(row).into();
        let expected = [(Some(0), Some(0)), (Some(1), Some(3)), (Some(2), None), (Some(4), Some(4))];
        assert_eq!(pairs(&rows), expected);
    }
}
