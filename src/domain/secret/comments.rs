//! Comments beside the values of a Secret: they tend to say what a value is in the clear, or what it was. It finds them in
//! the places that it is given; which places these are it does not judge.

use std::ops::Range;

/// What the comments say that stand in these places, and in lines of their own right below.
pub(super) fn within(text: &str, places: &[Range<usize>]) -> Vec<Range<usize>> {
    if places.is_empty() {
        return Vec::new();
    }
    let lines = lines(text);
    let mut found = Vec::new();
    let mut places: Vec<_> = places.iter().filter_map(|place| trimmed(text, place)).collect();
    places.sort_by_key(|place| place.start);
    let mut next = 0;
    for place in places {
        let first = lines.partition_point(|line| line.end <= place.start).max(next);
        let last = lines.partition_point(|line| line.start < place.end);
        let is_loose = |line: &&Range<usize>| {
            let line = text[(*line).clone()].trim();
            line.is_empty() || line.starts_with('#')
        };
        let below = lines[last..].iter().take_while(is_loose).count();
        for line in lines.get(first..last + below).unwrap_or_default() {
            found.extend(behind_hash(text, line.start.max(place.start)..line.end));
            found.extend(of_a_template(text, line.start.max(place.start)..line.end));
        }
        next = next.max(last + below);
    }
    found
}

/// Ends of maps lie behind blank lines.
fn trimmed(text: &str, place: &Range<usize>) -> Option<Range<usize>> {
    let own = text.get(place.clone())?.trim_end();
    Some(place.start..place.start + own.len().max(1))
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
fn behind_hash(text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let rest = &text[part.clone()];
    let hash = rest.match_indices('#').map(|(at, _)| at).find(|&at| {
        let before = text[..part.start + at].chars().next_back();
        before.is_none_or(char::is_whitespace)
    })?;
    Some(part.start + hash + 1..part.end)
}

/// `{{/* ... */}}`, as much of it as stands in this part of a line.
fn of_a_template(text: &str, part: Range<usize>) -> Option<Range<usize>> {
    let rest = &text[part.clone()];
    let begin = rest.find("/*").filter(|at| rest[..*at].trim_end_matches([' ', '-']).ends_with("{{"))? + 2;
    let end = rest.rfind("*/").filter(|end| *end >= begin).unwrap_or(rest.len());
    Some(part.start + begin..part.start + end)
}
