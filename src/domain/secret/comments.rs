//! Comments beside and between the values of a Secret: they tend to say what a value is in the clear, or what it was.

use std::ops::Range;

/// What the comments say, by the values (or lines) they stand beside. A run of them belongs to the value above and below.
pub(super) fn beside(text: &str, values: &[Range<usize>]) -> Vec<Range<usize>> {
    let lines = lines(text);
    let mut held = vec![None; lines.len()];
    for value in values {
        let first = lines.partition_point(|line| line.end <= value.start);
        let last = lines.partition_point(|line| line.start < value.end);
        for end in held.get_mut(first..last).into_iter().flatten() {
            *end = (*end).max(Some(value.end));
        }
    }
    // a value may begin on the line below
    let begins = |at: usize| held.get(at + 1).is_some_and(Option::is_some);
    let open =
        |at: usize| Some(held[at].or_else(|| begins(at).then_some(lines[at].start))?.min(lines[at].end));
    let mut found: Vec<_> =
        (0..lines.len()).filter_map(|at| behind(text, open(at)?..lines[at].end)).collect();
    let is_loose = |at: &usize| {
        let line = text[lines[*at].clone()].trim();
        held[*at].is_none() && (line.is_empty() || line.starts_with('#'))
    };
    let mut at = 0;
    while at < lines.len() {
        let run = (at..lines.len()).take_while(is_loose).count();
        let above = at.checked_sub(1).is_some_and(|above| held[above].is_some());
        let below = held.get(at + run).is_some_and(Option::is_some);
        if above || below {
            found.extend(lines[at..at + run].iter().filter_map(|line| behind(text, line.clone())));
        }
        at += run.max(1);
    }
    found
}

/// Places where a Secret would say its values, also if it says none: the lines of `data` and `stringData`.
pub(super) fn fields_of_a_secret(text: &str) -> Vec<Range<usize>> {
    let is_kind = |line: &str| {
        let line = line.trim().trim_start_matches("- ");
        let kind = line.strip_prefix("kind:").and_then(|kind| kind.split_whitespace().next());
        kind.is_some_and(|kind| kind.trim_matches(['"', '\'']) == "Secret")
    };
    if !text.lines().any(is_kind) {
        return Vec::new();
    }
    let field = |line: Range<usize>| {
        let own = &text[line.clone()];
        let start = line.start + (own.len() - own.trim_start().len());
        let named = super::FIELDS
            .iter()
            .find(|field| own.trim_start().strip_prefix(**field).is_some_and(|rest| rest.starts_with(':')));
        named.map(|field| start..start + field.len())
    };
    lines(text).into_iter().filter_map(field).collect()
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let line = |line: &str| {
        let at = start..start + line.len();
        start = at.end;
        at
    };
    text.split_inclusive('\n').map(line).collect()
}

/// What stands behind `#` in this part of a line.
fn behind(text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let rest = &text[part.clone()];
    let hash = rest.match_indices('#').map(|(at, _)| at).find(|&at| {
        let before = text[..part.start + at].chars().next_back();
        before.is_none_or(char::is_whitespace)
    })?;
    Some(part.start + hash + 1..part.end)
}
