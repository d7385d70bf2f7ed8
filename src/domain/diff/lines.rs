//! Two texts -> their lines side by side, with the words that differ. What is too large is compared coarsely, never
//! wrongly.

use super::{LineRow, Lines, Sign};
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff};
use std::{ops::Range, time::Duration};

/// After so long the rest is taken as replaced.
const PATIENCE: Duration = Duration::from_millis(500);

/// More lines that differ, between what both texts begin and end with, are not compared one by one.
const MOST_LINES: usize = 200_000;

/// Words are looked for in replaced blocks of at most so many bytes and lines, and so many bytes in all.
const BLOCK: usize = 8_000;
const BLOCK_LINES: usize = 60;
const WORDS: usize = 400_000;

/// Compares line by line; equal lines farther than `around` from a change are left out.
pub fn lines(from: &str, to: &str, around: usize) -> Lines {
    let (from, to) = split(from, to);
    let before = from.iter().zip(&to).take_while(|(one, two)| one == two).count();
    let rest = from.len().min(to.len()) - before;
    let behind =
        from.iter().rev().zip(to.iter().rev()).take(rest).take_while(|(one, two)| one == two).count();
    let inner = (&from[before..from.len() - behind], &to[before..to.len() - behind]);
    let mut rows = Rows { from: &from, to: &to, around, done: Vec::new(), coarse: false, words: WORDS };
    rows.differing(before, inner);
    Lines { rows: rows.done, coarse: rows.coarse }
}

/// A text without a last line break ends in the middle of a line: where only one of two does, the other has one line
/// more, which is empty.
fn split<'a>(from: &'a str, to: &'a str) -> (Vec<&'a str>, Vec<&'a str>) {
    let open = |text: &str| !text.is_empty() && !text.ends_with('\n');
    let ends_alike = open(from) == open(to);
    let split = |text: &'a str, other_is_empty: bool| -> Vec<&'a str> {
        if text.is_empty() {
            return Vec::new();
        }
        let closed = ends_alike || other_is_empty;
        text.strip_suffix('\n').filter(|_| closed).unwrap_or(text).split('\n').collect()
    };
    (split(from, to.is_empty()), split(to, from.is_empty()))
}

struct Rows<'a> {
    from: &'a [&'a str],
    to: &'a [&'a str],
    around: usize,
    done: Vec<LineRow>,
    coarse: bool,
    /// Bytes that may still be looked through for words.
    words: usize,
}

impl<'a> Rows<'a> {
    fn differing(&mut self, before: usize, (from, to): (&[&'a str], &[&'a str])) {
        if from.is_empty() && to.is_empty() {
            self.gap(0..self.from.len(), 0);
            return;
        }
        let too_many = from.len().max(to.len()) > MOST_LINES;
        self.coarse = too_many;
        let diff = if too_many {
            // nothing to compare: the whole is replaced
            TextDiff::configure().diff_slices(&[], &[])
        } else {
            TextDiff::configure().algorithm(Algorithm::Myers).timeout(PATIENCE).diff_slices(from, to)
        };
        let whole = [DiffOp::Replace { old_index: 0, old_len: from.len(), new_index: 0, new_len: to.len() }];
        let ops = if too_many { &whole } else { diff.ops() };
        let (mut one, mut two) = (0, 0);
        for op in ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
            let (old, new) = (shift(&op.old_range(), before), shift(&op.new_range(), before));
            self.same(one..old.start, two, one > 0 || two > 0, true);
            self.replaced(&diff, op, before);
            (one, two) = (old.end, new.end);
        }
        self.same(one..self.from.len(), two, true, false);
    }

    /// Equal lines; those near a change are shown.
    fn same(&mut self, lines: Range<usize>, to: usize, change_before: bool, change_behind: bool) {
        let near = |is: bool| if is { self.around.min(lines.len()) } else { 0 };
        let (head, tail) = (near(change_before), near(change_behind));
        if head + tail >= lines.len() {
            self.show(lines, to);
            return;
        }
        let gap = lines.start + head..lines.end - tail;
        self.show(lines.start..gap.start, to);
        self.gap(gap.clone(), to + head);
        self.show(gap.end..lines.end, to + (gap.end - lines.start));
    }

    fn show(&mut self, lines: Range<usize>, to: usize) {
        for (place, line) in lines.enumerate() {
            self.push(Sign::Same, Some(line), Some(to + place), Vec::new());
        }
    }

    fn gap(&mut self, lines: Range<usize>, to: usize) {
        if self.around >= self.from.len().max(self.to.len()) {
            self.show(lines, to);
        } else if !lines.is_empty() {
            self.push(Sign::Gap(lines.len()), None, None, Vec::new());
        }
    }

    fn push(&mut self, sign: Sign, from: Option<usize>, to: Option<usize>, strong: Vec<Range<usize>>) {
        let text = from.map(|line| self.from[line]).or(to.map(|line| self.to[line])).unwrap_or_default();
        let number = |line: usize| line + 1;
        self.done.push(LineRow {
            sign,
            from: from.map(number),
            to: to.map(number),
            text: text.into(),
            strong,
        });
    }

    fn replaced(&mut self, diff: &TextDiff<'a, 'a, str>, op: &DiffOp, before: usize) {
        let (old, new) = (shift(&op.old_range(), before), shift(&op.new_range(), before));
        let (mut of_old, mut of_new) = (vec![Vec::new(); old.len()], vec![Vec::new(); new.len()]);
        let bytes: usize =
            [&self.from[old.clone()], &self.to[new.clone()]].concat().iter().map(|line| line.len()).sum();
        if bytes <= BLOCK && old.len() + new.len() <= BLOCK_LINES && bytes <= self.words {
            self.words -= bytes;
            words(diff, op, &mut of_old, &mut of_new);
        } else if let ([one], [two]) = (&self.from[old.clone()], &self.to[new.clone()]) {
            self.coarse = true;
            (of_old, of_new) = middle(one, two);
        }
        for (line, strong) in old.zip(of_old) {
            self.push(Sign::Removed, Some(line), None, strong);
        }
        for (line, strong) in new.zip(of_new) {
            self.push(Sign::Added, None, Some(line), strong);
        }
    }
}

fn shift(range: &Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// Words of replaced lines that are not in the others. Lines that share little have none.
fn words(
    diff: &TextDiff<'_, '_, str>,
    op: &DiffOp,
    of_old: &mut [Vec<Range<usize>>],
    of_new: &mut [Vec<Range<usize>>],
) {
    if !matches!(op, DiffOp::Replace { .. }) {
        return;
    }
    for change in diff.iter_inline_changes_deadline(op, None) {
        let strong = match change.tag() {
            ChangeTag::Delete => {
                change.old_index().and_then(|line| of_old.get_mut(line - op.old_range().start))
            }
            ChangeTag::Insert => {
                change.new_index().and_then(|line| of_new.get_mut(line - op.new_range().start))
            }
            ChangeTag::Equal => None,
        };
        let Some(strong) = strong else { continue };
        let mut at = 0;
        for (is_strong, text) in change.values() {
            if *is_strong && !text.is_empty() {
                strong.push(at..at + text.len());
            }
            at += text.len();
        }
    }
}

/// Which rows stand beside each other: what replaces something beside it, all else beside itself.
pub fn beside(rows: usize, sign: impl Fn(usize) -> Sign) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::with_capacity(rows);
    let run = |from: usize, own: Sign| (from..rows).take_while(|at| sign(*at) == own).count();
    let mut at = 0;
    while at < rows {
        let removed = run(at, Sign::Removed);
        let added = run(at + removed, Sign::Added);
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

/// Bytes with which both texts begin, whole characters.
pub fn alike(one: &str, other: &str) -> usize {
    let mut alike = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    while !(one.is_char_boundary(alike) && other.is_char_boundary(alike)) {
        alike -= 1;
    }
    alike
}

type Strong = Vec<Vec<Range<usize>>>;

/// Of two long lines: what stands between their common beginning and end.
fn middle(one: &str, two: &str) -> (Strong, Strong) {
    let same = |(a, b): &(u8, u8)| a == b;
    let start = alike(one, two);
    let (rest_one, rest_two) = (&one[start..], &two[start..]);
    let mut behind = rest_one.bytes().rev().zip(rest_two.bytes().rev()).take_while(same).count();
    while !(rest_one.is_char_boundary(rest_one.len() - behind)
        && rest_two.is_char_boundary(rest_two.len() - behind))
    {
        behind -= 1;
    }
    let of =
        |line: &str| vec![Some(start..line.len() - behind).filter(|at| !at.is_empty()).into_iter().collect()];
    (of(one), of(two))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn side(lines: &Lines, left_out: Sign) -> String {
        let rows = lines.rows.iter().filter(|row| row.sign != left_out);
        rows.map(|row| &*row.text).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn check(from: &str, to: &str, around: usize, expected: &[&str]) {
        let shown: Vec<String> = lines(from, to, around)
            .rows
            .iter()
            .map(|row| match row.sign {
                Sign::Same => format!(" {}", row.text),
                Sign::Removed => format!("-{}", row.text),
                Sign::Added => format!("+{}", row.text),
                Sign::Gap(lines) => format!("~{lines}"),
            })
            .collect();
        assert_eq!(shown, expected, "{from:?} {to:?}");
    }

    #[test]
    fn equal_lines_far_from_a_change_are_left_out_and_counted() {
        check("a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nX\ne\nf\ng\n", 1, &["~2", " c", "-d", "+X", " e", "~2"]);
        check("a\nb\nc\n", "a\nb\nc\n", 1, &["~3"]);
        check("a\nb\nc\nd\n", "X\nb\nc\nY\n", 1, &["-a", "+X", " b", " c", "-d", "+Y"]);
        check("a\nb\nc\nd\n", "X\nb\nc\nY\n", 0, &["-a", "+X", "~2", "-d", "+Y"]);
        check("", "a\nb\n", 3, &["+a", "+b"]);
        check("a", "", 3, &["-a"]);
        check("", "", 3, &[]);
    }

    #[test]
    fn a_line_break_at_the_end_that_only_one_has_is_seen() {
        check("a", "a\n", 3, &[" a", "+"]);
        check("a\n", "b", 3, &["-a", "-", "+b"]);
        check("a\r\n", "a\n", 3, &["-a\r", "+a"]);
    }

    #[test]
    fn words_that_differ_are_marked() {
        let found = lines("image: app:1.0\n", "image: app:1.1\n", 3);
        let strong: Vec<&str> =
            found.rows.iter().flat_map(|row| row.strong.iter().map(|at| &row.text[at.clone()])).collect();
        assert!(!strong.is_empty() && strong.iter().all(|word| word.contains("1.")), "{strong:?}");
        assert!(!found.coarse);
    }

    #[test]
    fn one_line_of_ten_megabytes_is_compared_by_its_ends() {
        let long = "é".repeat(5_000_000);
        let found = lines(&format!("a{long}b"), &format!("a{long}c{long}b"), 3);
        assert!(found.coarse);
        assert_eq!(found.rows[0].strong, [] as [Range<usize>; 0]);
        let middle = 1 + long.len()..2 + long.len() * 2;
        assert!(found.rows[1].strong.len() == 1 && found.rows[1].strong[0] == middle);
    }

    #[test]
    fn many_lines_that_all_differ_are_shown_whole() {
        let text = |word: &str| (0..300_000).map(|n| format!("{word}{n}")).collect::<Vec<_>>().join("\n");
        let found = lines(&text("a"), &text("b"), 3);
        assert!(found.coarse && found.rows.len() == 600_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_rows_of_one_side_are_its_text(
            from in "([ab]{0,2}(\n|\r\n|é)){0,8}[ab]?",
            to in "([ab]{0,2}(\n|\r\n|é)){0,8}[ab]?",
            around in 0..4_usize,
        ) {
            let found = lines(&from, &to, usize::MAX);
            let trimmed = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
            for (text, left_out) in [(&from, Sign::Added), (&to, Sign::Removed)] {
                let shown = side(&found, left_out);
                prop_assert!(&shown == text || shown == trimmed(text), "{:?} of {:?}", shown, text);
            }
            let numbers = |found: &Lines| -> Vec<(Option<usize>, Option<usize>)> {
                found.rows.iter().filter(|row| matches!(row.sign, Sign::Added | Sign::Removed))
                    .map(|row| (row.from, row.to)).collect()
            };
            let near = lines(&from, &to, around);
            prop_assert_eq!(numbers(&near), numbers(&found));
            let left: usize = near.rows.iter().map(|row| match row.sign { Sign::Gap(lines) => lines, _ => 1 }).sum();
            prop_assert_eq!(left, found.rows.len());
            for row in &near.rows {
                prop_assert!(row.strong.iter().all(|at| row.text.get(at.clone()).is_some()));
            }
        }
    }
}
