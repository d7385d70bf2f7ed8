//! Rows of a page, one after the other: safe, not longer than anybody reads, with the places where changes begin. It
//! compares nothing.

use super::{Mask, Page, Row, What, cover::Covered, value};
use crate::domain::{
    diff::{self, LineRow, Lines, Sign},
    plain::{Plain, is_deceptive},
};
use std::ops::Range;

/// More rows than this nobody reads.
const MOST: usize = 100_000;

/// Lines of one change, on each side: what replaces many lines is seen too.
const MOST_OF_A_CHANGE: usize = MOST / 2 - 1_000;

/// Bytes of one line that are shown, and of what stands before its first difference.
const LONGEST: usize = 4096;
const BEFORE: usize = 64;

#[derive(Default)]
pub(super) struct Rows {
    page: Page,
    /// Rows that were left out.
    left: usize,
    /// Lines of the change that is being written, removed and added.
    change: [usize; 2],
}

impl Rows {
    pub(super) fn path(&mut self, path: &str) {
        self.page.fields.push(self.page.rows.len());
        self.page.hunks.push(self.page.rows.len());
        self.push(What::Path, (None, None), &Part::of(Plain::line(path).as_str(), &[], None), &[]);
    }

    pub(super) fn note(&mut self, words: &str) {
        self.push(What::Note, (None, None), &Part::of(Plain::line(words).as_str(), &[], None), &[]);
    }

    /// All lines of one side.
    pub(super) fn all(&mut self, what: What, text: Option<&str>, masks: &[Mask]) {
        for line in text.into_iter().flat_map(str::lines) {
            self.push(what, (None, None), &Part::of(line, &[], None), masks);
        }
    }

    /// The lines of one field. They begin no change of their own, unless equal lines stand between.
    pub(super) fn compared(&mut self, lines: &Lines, masks: &[Mask]) {
        let mut gap = false;
        for (row, alike) in lines.rows.iter().zip(alike_in(&lines.rows)) {
            let what = what(row.sign);
            if gap && is_change(what) {
                self.page.hunks.push(self.page.rows.len());
            }
            gap = matches!(what, What::Gap(_)) && !self.page.rows.is_empty() || gap && !is_change(what);
            self.push(what, (None, None), &Part::of(&row.text, &row.strong, alike), masks);
        }
    }

    /// The lines of two whole texts.
    pub(super) fn covered(&mut self, covered: &Covered, around: usize) {
        let lines = value::compared(&covered.from, &covered.to, around);
        let mut before = false;
        for (row, alike) in lines.rows.iter().zip(alike_in(&lines.rows)) {
            let what = what(row.sign);
            if is_change(what) && !before {
                self.page.hunks.push(self.page.rows.len());
            }
            before = is_change(what);
            let masks = covered.masks(row.from, row.to);
            let LineRow { from, to, .. } = row;
            self.push(what, (*from, *to), &Part::of(&row.text, &row.strong, alike), &masks);
        }
        if lines.coarse && lines.rows.iter().any(|row| row.sign == Sign::Same) {
            self.page.notes.push("compared coarsely: it is large".to_owned());
        }
    }

    fn push(
        &mut self,
        what: What,
        (from, to): (Option<usize>, Option<usize>),
        part: &Part<'_>,
        masks: &[Mask],
    ) {
        let written = match what {
            What::Removed => &mut self.change[0],
            What::Added => &mut self.change[1],
            What::Same | What::Path | What::Note | What::Gap(_) => {
                self.end_change();
                &mut 0
            }
        };
        *written += 1;
        if *written > MOST_OF_A_CHANGE || self.page.rows.len() >= MOST {
            self.left += 1;
            return;
        }
        let (text, strong) = part.safe();
        self.page.rows.push(Row { what, from, to, text, strong, alike: 0, masks: masks.into() });
    }

    /// Says where it stands what of it is not shown.
    fn end_change(&mut self) {
        let [removed, added] =
            std::mem::take(&mut self.change).map(|lines| lines.saturating_sub(MOST_OF_A_CHANGE));
        if removed + added > 0 && self.page.rows.len() < MOST {
            let words = format!("{removed} more removed and {added} more added lines are not shown here");
            let text = words.into();
            self.page.rows.push(Row {
                what: What::Note,
                from: None,
                to: None,
                text,
                strong: vec![],
                alike: 0,
                masks: vec![],
            });
        }
    }

    pub(super) fn finish(mut self) -> Page {
        self.end_change();
        if self.left > 0 {
            let words = format!("{} more lines are not shown: fluxscope diff prints all", self.left);
            self.page.notes.push(words);
        }
        let rows = self.page.rows.len();
        self.page.hunks.retain(|row| *row < rows);
        self.page.fields.retain(|row| *row < rows);
        self.page.pairs = pairs(&self.page.rows);
        for (left, right) in &self.page.pairs {
            let (Some(left), Some(right)) = (*left, *right) else { continue };
            let alike = if left == right {
                0
            } else {
                diff::alike(&self.page.rows[left].text, &self.page.rows[right].text)
            };
            self.page.rows[left].alike = alike;
            self.page.rows[right].alike = alike;
        }
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

const fn sign(what: What) -> Sign {
    match what {
        What::Removed => Sign::Removed,
        What::Added => Sign::Added,
        What::Gap(count) => Sign::Gap(count),
        What::Same | What::Path | What::Note => Sign::Same,
    }
}

const fn is_change(what: What) -> bool {
    matches!(what, What::Removed | What::Added)
}

/// What replaces something stands beside it.
fn pairs(rows: &[Row]) -> Vec<(Option<usize>, Option<usize>)> {
    diff::beside(rows.len(), |at| sign(rows[at].what))
}

/// Bytes with which each row and what stands beside it both begin; None: nothing does.
fn alike_in(rows: &[LineRow]) -> Vec<Option<usize>> {
    let mut alike = vec![None; rows.len()];
    for (left, right) in diff::beside(rows.len(), |at| rows[at].sign) {
        let (Some(left), Some(right)) = (left, right) else { continue };
        if left != right {
            let bytes = diff::alike(&rows[left].text, &rows[right].text);
            (alike[left], alike[right]) = (Some(bytes), Some(bytes));
        }
    }
    alike
}

/// Of a line what is shown.
struct Part<'a> {
    text: &'a str,
    strong: &'a [Range<usize>],
    /// Bytes of the line.
    at: Range<usize>,
}

impl<'a> Part<'a> {
    /// Of a long line from a little before its first difference. `alike`: where it differs from the line beside it.
    fn of(text: &'a str, strong: &'a [Range<usize>], alike: Option<usize>) -> Self {
        if text.len() <= LONGEST {
            return Self { text, strong, at: 0..text.len() };
        }
        let first = alike.or_else(|| strong.first().map(|range| range.start)).unwrap_or(0);
        let start = if first + BEFORE < LONGEST { 0 } else { first - BEFORE };
        let start = floor(text, start);
        let end = floor(text, (start + LONGEST).min(text.len()));
        Self { text, strong, at: start..end }
    }

    /// Safe, and where in it the differences are.
    fn safe(&self) -> (Box<str>, Vec<Range<usize>>) {
        let Self { text, strong, at } = self;
        let part = &text[at.clone()];
        let mut out = String::with_capacity(part.len() + 8);
        if at.start > 0 {
            out.push('…');
        }
        let mut kept = Vec::new();
        let seen = strong.iter().map(|range| range.start.max(at.start)..range.end.min(at.end));
        let seen = seen.filter(|range| range.start < range.end);
        if part.contains(is_deceptive) {
            let mut done = at.start;
            for range in seen {
                let (Some(before), Some(own)) = (text.get(done..range.start), text.get(range.clone())) else {
                    continue;
                };
                out.push_str(Plain::block(before).as_str());
                let from = out.len();
                out.push_str(Plain::block(own).as_str());
                kept.push(from..out.len());
                done = range.end;
            }
            out.push_str(Plain::block(text.get(done..at.end).unwrap_or_default()).as_str());
        } else {
            let shift = out.len();
            out.push_str(part);
            kept.extend(seen.map(|range| range.start - at.start + shift..range.end - at.start + shift));
        }
        if at.end < text.len() {
            out.push('…');
        }
        (out.into(), kept)
    }
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
        let (text, strong) = Part::of("a\u{1b}b\tc", &[3..4, 4..5], None).safe();
        assert_eq!((&*text, strong), ("a\\x1bb    c", vec![6..10, 10..11]));
        let (text, strong) = Part::of("plain", &[1..3, 4..5], None).safe();
        assert_eq!((&*text, strong), ("plain", vec![1..3, 4..5]));
    }

    #[test]
    fn of_a_long_line_the_part_with_the_difference_is_shown() {
        let line = format!("{}X{}", "ä".repeat(100_000), "b".repeat(100_000));
        let (text, strong) = Part::of(&line, &[200_000..200_001, 200_003..200_004], None).safe();
        assert!(text.len() < LONGEST + 16 && text.starts_with('…') && text.ends_with('…'));
        assert_eq!(&text[strong[0].clone()], "X");
    }

    #[test]
    fn both_of_a_pair_of_long_lines_begin_at_the_same_place() {
        let text = |end: &str| format!("{}{end}", "a".repeat(9_000));
        let mut rows = Rows::default();
        rows.compared(&value::compared(&text("1"), &text(""), 3), &[]);
        let page = rows.finish();
        let shown: Vec<&str> = page.rows.iter().map(|row| &*row.text).collect();
        let begin = format!("…{}", "a".repeat(BEFORE));
        assert_eq!(shown, [format!("{begin}1"), begin.clone()]);
        assert_eq!(page.rows[0].alike, begin.len());
    }

    #[test]
    fn what_replaces_more_lines_than_are_shown_is_seen_too() {
        let mut rows = Rows::default();
        for (what, lines) in [(What::Removed, MOST), (What::Added, 2 * MOST), (What::Same, 1)] {
            rows.all(what, Some(&"line\n".repeat(lines)), &[]);
        }
        let page = rows.finish();
        let beside =
            page.pairs.iter().filter(|(left, right)| left != right && left.is_some() && right.is_some());
        assert_eq!(beside.count(), MOST_OF_A_CHANGE);
        let words = format!(
            "{} more removed and {} more added lines are not shown here",
            MOST - MOST_OF_A_CHANGE,
            2 * MOST - MOST_OF_A_CHANGE
        );
        assert_eq!(&*page.rows[2 * MOST_OF_A_CHANGE].text, words);
        assert_eq!(page.rows.last().unwrap().what, What::Same);
        assert_eq!(
            page.notes,
            [format!("{} more lines are not shown: fluxscope diff prints all", 201_000 + 1_000)]
        );
    }

    #[test]
    fn what_replaces_something_stands_beside_it() {
        let row = |what| Row {
            what,
            from: None,
            to: None,
            text: "".into(),
            strong: vec![],
            alike: 0,
            masks: vec![],
        };
        let rows: Vec<Row> =
            [What::Path, What::Removed, What::Removed, What::Added, What::Same].map(row).into();
        let expected = [(Some(0), Some(0)), (Some(1), Some(3)), (Some(2), None), (Some(4), Some(4))];
        assert_eq!(pairs(&rows), expected);
    }
}
