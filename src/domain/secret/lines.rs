//! The secret values of a text that is no YAML, as Helm's templates are: found by lines and indentation.
//! Where it cannot tell it covers too much, never too little.

use super::{FIELDS, LAST_APPLIED};
use std::ops::Range;

/// One line of the text, without its end.
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start_matches([' ', '\t']).len()
    }

    /// A part of the line as a place in the text.
    fn place(&self, part: &str) -> Range<usize> {
        let at = self.start + (part.as_ptr() as usize - self.text.as_ptr() as usize);
        at..at + part.len()
    }

    /// Without the actions of a template that it begins with.
    fn behind_actions(&self) -> &'a str {
        let mut rest = self.text;
        while let Some((_, behind)) =
            rest.trim_start().strip_prefix("{{").and_then(|rest| rest.split_once("}}"))
        {
            rest = behind;
        }
        rest
    }

    /// `{{ $password := "…" }}`, also in `range` and `with`.
    fn sets_a_variable(&self) -> bool {
        self.text.contains("{{") && self.text.contains('=') && self.text.contains('$')
    }

    /// An action that stands for a text of its own, and does not merely decide or call another template.
    fn prints(&self) -> bool {
        let action = self.text.trim().trim_start_matches("{{").trim_start_matches('-').trim_start();
        let word = action.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        !["if", "else", "end", "range", "with", "include", "template", "define", "block"].contains(&word)
            && !action.starts_with("/*")
    }

    /// The texts in quotes of its actions.
    fn quoted(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut rest = self.text;
        while let Some(at) = rest.find(['"', '`']) {
            let quote = if rest[at..].starts_with('"') { '"' } else { '`' };
            let inside = &rest[at + 1..];
            let mut escaped = false;
            let end = inside.find(|c: char| {
                let ends = c == quote && !escaped;
                escaped = quote == '"' && c == '\\' && !escaped;
                ends
            });
            let text = &inside[..end.unwrap_or(inside.len())];
            found.push(self.place(text));
            rest = end.map_or("", |end| &inside[end + 1..]);
        }
        found
    }

    /// An action of a template and nothing else: it decides, it is no value.
    fn is_action(&self) -> bool {
        let text = self.text.trim();
        text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
    }
}

pub(super) fn values(text: &str) -> Vec<Range<usize>> {
    let (secret, generator) = (says_secret(text), says_generator(text));
    if !secret && !generator {
        return Vec::new();
    }
    let names = Names { secret, generator };
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
        let literals = Some(&lines[at]).filter(|line| line.sets_a_variable());
        values.extend(literals.into_iter().flat_map(Line::quoted));
        at += match names.field(&lines[at]) {
            Some((indent, rest)) => 1 + cover(&lines[at], rest, indent, &lines[at + 1..], &mut values),
            None => 1,
        };
    }
    values
}

/// `kind: Secret`, `"kind":"Secret"`, `kind: !!str Secret`, `kind: {{ .kind | default "Secret" }}`, anywhere.
fn says_secret(text: &str) -> bool {
    text.match_indices("kind").any(|(at, word)| {
        let rest = text[at + word.len()..].trim_start_matches(['"', '\'']).trim_start();
        let Some(value) = rest.strip_prefix(':') else { return false };
        let value = value.trim_start();
        let line = value.split(['\n', '\r']).next().unwrap_or_default();
        line.match_indices("Secret").any(|(at, word)| {
            let rest = &line[at + word.len()..];
            let rest = rest.strip_prefix("List").unwrap_or(rest);
            !line[..at].ends_with(char::is_alphanumeric) && !rest.starts_with(char::is_alphanumeric)
        })
    })
}

/// `secretGenerator`, or the plugin that is one.
fn says_generator(text: &str) -> bool {
    text.to_ascii_lowercase().contains("secretgenerator")
}

/// Fields that hold values in this text.
struct Names {
    secret: bool,
    generator: bool,
}

impl Names {
    fn each(&self) -> impl Iterator<Item = &'static str> {
        let secret = FIELDS.into_iter().chain([LAST_APPLIED]).filter(|_| self.secret);
        secret.chain(Some("literals").filter(|_| self.generator))
    }

    /// The indentation of `data:` or `stringData:` and what stands behind it; in brackets it may stand anywhere in the
    /// line.
    fn field<'a>(&self, line: &Line<'a>) -> Option<(usize, &'a str)> {
        let bare = line.behind_actions().trim_start_matches([' ', '\t', '-', '{', ',', '?']);
        if let Some(rest) = self.each().find_map(|field| behind(bare, field)) {
            // an action before it stands where it likes
            let acts = line.text.trim_start().starts_with("{{");
            let indent = if acts { line.indent() } else { line.text.len() - bare.len() };
            return Some((indent, rest));
        }
        let within = self.each().filter_map(|field| {
            let mut places = line.text.match_indices(field).map(|(at, _)| at);
            places.find_map(|at| {
                let before = line.text[..at].trim_end_matches(['"', '\'']);
                let is_field = before.trim_end().ends_with(['{', ',']);
                is_field.then(|| behind(&line.text[at..], field)).flatten()
            })
        });
        within.max_by_key(|rest| rest.len()).map(|rest| (line.indent(), rest))
    }
}

/// What stands behind `field:`, if this is it.
fn behind<'a>(text: &'a str, field: &str) -> Option<&'a str> {
    let rest = text.trim_start_matches(['"', '\'']).strip_prefix(field)?;
    rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')
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
        let item = opens && line.indent() == indent && text.starts_with("- ");
        text.is_empty() || text.starts_with('#') || line.is_action() || line.indent() > indent || item
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
            _ if line.is_action() && line.indent() <= keys => {
                values.extend(
                    Some(line)
                        .filter(|line| line.prints() || line.sets_a_variable())
                        .into_iter()
                        .flat_map(Line::quoted),
                );
            }
            _ if text.starts_with("- ") => values.push(line.place(text[2..].trim())),
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
