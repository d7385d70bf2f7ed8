//! The secret values of a text that is no YAML, as Helm's templates are: found by lines and indentation.
//! Where it cannot tell it covers too much, never too little.

use super::FIELDS;
use std::ops::Range;

/// One line of the text, without its end.
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl Line<'_> {
    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches([' ', '\t']).len()
    }

    /// A part of the line as a place in the text.
    fn place(&self, part: &str) -> Range<usize> {
        let at = self.start + (part.as_ptr() as usize - self.text.as_ptr() as usize);
        at..at + part.len()
    }

    /// An action of a template and nothing else: it decides, it is no value.
    fn is_action(&self) -> bool {
        let text = self.text.trim();
        text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
    }
}

pub(super) fn values(text: &str) -> Vec<Range<usize>> {
    if !says_secret(text) {
        return Vec::new();
    }
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let at = start;
        start += line.len();
        Line { start: at, text: line.trim_end_matches(['\n', '\r']) }
    });
    let lines: Vec<Line<'_>> = lines.collect();
    let mut values = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        at += match field(&lines[at]) {
            Some((indent, rest)) => 1 + cover(&lines[at], rest, indent, &lines[at + 1..], &mut values),
            None => 1,
        };
    }
    values
}

/// `kind: Secret`, `"kind":"Secret"`, anywhere.
fn says_secret(text: &str) -> bool {
    text.match_indices("kind").any(|(at, word)| {
        let rest = text[at + word.len()..].trim_start_matches(['"', '\'']).trim_start();
        let Some(value) = rest.strip_prefix(':') else { return false };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        value.strip_prefix("Secret").is_some_and(|rest| {
            let rest = rest.strip_prefix("List").unwrap_or(rest);
            !rest.starts_with(|c: char| c.is_alphanumeric())
        })
    })
}

/// The indentation of `data:` or `stringData:` and what stands behind it; in JSON it may stand anywhere in the line.
fn field<'a>(line: &Line<'a>) -> Option<(usize, &'a str)> {
    let bare = line.text.trim_start_matches([' ', '\t', '-', '{', ',']);
    let own = FIELDS.iter().find_map(|field| {
        let rest = bare.trim_start_matches(['"', '\'']).strip_prefix(field)?;
        rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')
    });
    if let Some(rest) = own {
        return Some((line.text.len() - bare.len(), rest));
    }
    let within = FIELDS.iter().filter_map(|field| {
        let at = line.text.find(&format!("\"{field}\""))?;
        line.text[at + field.len() + 2..].trim_start().strip_prefix(':')
    });
    within.max_by_key(|rest| rest.len()).map(|rest| (line.indent(), rest))
}

/// Covers what belongs to a field; says how many of the lines below that are.
fn cover(
    line: &Line<'_>,
    rest: &str,
    indent: usize,
    below: &[Line<'_>],
    values: &mut Vec<Range<usize>>,
) -> usize {
    let rest = rest.trim();
    let opens = rest.is_empty() || rest.starts_with('#');
    if !opens {
        values.push(line.place(rest));
    }
    // a bracket that is still open holds what follows, however it is indented
    let flow = rest.starts_with('{') && !rest.starts_with("{{");
    let is_below = |line: &Line<'_>| {
        let text = line.text.trim();
        text.is_empty() || text.starts_with('#') || line.is_action() || line.indent() > indent
    };
    let count = below.iter().take_while(|line| flow || is_below(line)).count();
    let first = below[..count].iter().find(|line| !line.text.trim().is_empty() && !line.is_action());
    let keys = first.map_or(0, Line::indent);
    for line in &below[..count] {
        let text = line.text.trim();
        if text.is_empty() || (text.starts_with('#') && line.indent() <= keys) {
            continue;
        }
        let value = (line.indent() == keys).then(|| behind_key(text)).flatten();
        match value {
            _ if line.is_action() && line.indent() <= keys => {}
            Some(value) if is_header(value) => {}
            Some(value) => values.push(line.place(value)),
            None => values.push(line.place(text)),
        }
    }
    count
}

/// What stands behind `key:`; the key may be a template.
fn behind_key(text: &str) -> Option<&str> {
    let from = text.strip_prefix("{{").and_then(|rest| rest.find("}}")).map_or(0, |end| end + 4);
    let colon = from + text[from..].find(": ").or_else(|| text[from..].strip_suffix(':').map(str::len))?;
    Some(text[colon + 1..].trim())
}

/// `|`, `>-`, `|2`: the value is in the lines below.
fn is_header(value: &str) -> bool {
    let value = value.split(" #").next().unwrap_or_default().trim();
    value.is_empty()
        || (value.starts_with(['|', '>']) && value[1..].bytes().all(|b| b"+-0123456789".contains(&b)))
}
