//! The secret values of a text that is no YAML, as Helm's templates are: found by lines and indentation.
//! Where it cannot tell it covers too much, never too little.

use super::{
    FIELDS, LAST_APPLIED, Read,
    named::{is_flag, is_named_like_one},
    only_actions,
};
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

    /// `{{ with "…" }}`, `{{ range list "…" }}`: what is inside prints it.
    fn sets_the_dot(&self) -> bool {
        self.text.split("{{").skip(1).any(|action| {
            let action = action.trim_start_matches('-').trim_start();
            let action = action.strip_prefix("else").map_or(action, str::trim_start);
            let word = action.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            ["with", "range"].contains(&word)
        })
    }

    fn is_comment(&self) -> bool {
        let action = self.text.trim().trim_start_matches("{{");
        action.trim_start_matches('-').trim_start().starts_with("/*")
    }

    /// The texts in quotes of its actions, but for names of templates.
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
            let before = self.text.len() - rest.len() + at;
            found.extend((!calls_a_template(&self.text[..before])).then(|| self.place(text)));
            rest = end.map_or("", |end| &inside[end + 1..]);
        }
        found
    }

    /// Actions of a template and nothing else: they decide, or call for what is elsewhere.
    fn is_action(&self) -> bool {
        only_actions(self.text.trim())
    }
}

/// What is before a text in quotes says that it is the name of a template.
fn calls_a_template(before: &str) -> bool {
    ["include", "template", "define", "block"].iter().any(|word| {
        let rest = before.trim_end().strip_suffix(word);
        rest.is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || "._$".contains(c)))
    })
}

/// An action of a template goes on in the next line.
fn leaves_open(text: &str, was_open: bool) -> bool {
    match (text.rfind("{{"), text.rfind("}}")) {
        (None, None) => was_open,
        (begins, ends) => begins > ends,
    }
}

fn each(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let at = start;
        start += line.len();
        Line { start: at, text: line.trim_end_matches(['\n', '\r']) }
    });
    lines.collect()
}

pub(super) fn read(text: &str) -> Read {
    let (secret, generator) = (says_secret(text), says_generator(text));
    let patch = says_patch(text, secret);
    if !secret && !generator && !patch {
        return Read::default();
    }
    let names = Names { secret, generator, patch };
    let lines = each(text);
    let (mut values, mut places) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < lines.len() {
        let literals = Some(&lines[at]).filter(|line| line.sets_a_variable() || line.sets_the_dot());
        values.extend(literals.into_iter().flat_map(Line::quoted));
        let Some((indent, rest)) = names.field(&lines[at]) else {
            at += 1;
            continue;
        };
        let count = cover(&lines[at], rest, indent, &lines[at + 1..], &mut values);
        let last = &lines[at + count];
        places.push(lines[at].start..last.start + last.text.len());
        at += 1 + count;
    }
    Read { values, places, sops: false }
}

/// What stands under names that are those of secrets.
pub(super) fn named(text: &str) -> Vec<Range<usize>> {
    let lines = each(text);
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        let bare = line.text.trim_start_matches([' ', '\t', '-', '{', ',']);
        let Some((key, rest)) = bare.split_once(':') else { continue };
        let says = !rest.trim().is_empty() && !is_flag(rest.trim());
        if says && is_named_like_one(key.trim().trim_matches(['"', '\''])) {
            at += cover(line, rest, line.text.len() - bare.len(), &lines[at..], &mut values);
        }
    }
    values.extend(lines.iter().flat_map(in_brackets));
    values
}

/// `{user: me, password: shut}`
fn in_brackets(line: &Line<'_>) -> Vec<Range<usize>> {
    let parts = line.text.split(['{', ',', '}']).skip(1);
    let named = parts.filter_map(|part| {
        let (key, value) = part.split_once(':')?;
        let named = is_named_like_one(key.trim().trim_matches(['"', '\'']));
        (named && !is_flag(value.trim())).then(|| line.place(value.trim()))
    });
    named.collect()
}

/// `kind: Secret`, `"kind":"Secret"`, `kind: !!str Secret`, `kind: {{ .kind | default "Secret" }}`, anywhere.
fn says_secret(text: &str) -> bool {
    // a line is looked through once, whatever begins in it
    let mut done = 0;
    text.match_indices("kind").any(|(at, word)| {
        let rest = text[at + word.len()..].trim_start_matches(['"', '\'']).trim_start();
        let Some(value) = rest.strip_prefix(':') else { return false };
        let value = value.trim_start();
        if text.len() - value.len() < done {
            return false;
        }
        let line = value.split(['\n', '\r']).next().unwrap_or_default();
        done = text.len() - value.len() + line.len();
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

/// A patch with a target: it may be aimed at Secrets, and sets values of them.
fn says_patch(text: &str, secret: bool) -> bool {
    text.contains("target") && (secret || ["/data", "/stringData"].iter().any(|path| text.contains(path)))
}

/// Fields that hold values in this text.
struct Names {
    secret: bool,
    generator: bool,
    patch: bool,
}

impl Names {
    fn each(&self) -> impl Iterator<Item = &'static str> {
        let secret = FIELDS.into_iter().chain([LAST_APPLIED]).filter(|_| self.secret);
        let generator = Some("literals").filter(|_| self.generator);
        secret.chain(generator).chain(Some("patch").filter(|_| self.patch))
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
        if self.is_named_between_actions(line.text.trim()) {
            return Some((line.indent(), ""));
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

    /// `{{ if .x }}data{{ else }}stringData{{ end }}:`
    fn is_named_between_actions(&self, line: &str) -> bool {
        let is_field = |part: &str| self.each().any(|field| part.trim_matches([' ', '"', '\'']) == field);
        let key = line.strip_suffix(':').filter(|key| key.contains("{{"));
        key.is_some_and(|key| outside_actions(key).any(is_field))
    }
}

/// What stands outside of the actions of a template.
fn outside_actions(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").enumerate().map(|(place, part)| match part.split_once("}}") {
        Some((_, behind)) if place > 0 => behind,
        _ => part,
    })
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
    if !opens && !is_header(rest) {
        values.push(line.place(rest));
    }
    // a bracket that is still open holds what follows, however it is indented
    let flow = rest.starts_with('{') && !rest.starts_with("{{");
    let is_below = |line: &Line<'_>| {
        let text = line.text.trim();
        let item = opens && line.indent() == indent && text.starts_with("- ");
        text.is_empty() || text.starts_with('#') || text.starts_with("{{") || line.indent() > indent || item
    };
    let mut goes_on = leaves_open(rest, false);
    let belongs = |line: &&Line<'_>| {
        let belongs = flow || goes_on || is_below(line);
        goes_on = leaves_open(line.text, goes_on);
        belongs
    };
    let count = below.iter().take_while(belongs).count();
    cover_lines(&below[..count], indent, values);
    count
}

fn cover_lines(lines: &[Line<'_>], indent: usize, values: &mut Vec<Range<usize>>) {
    // an action stands where it likes: it does not say how far the keys are indented
    let is_indented = |line: &Line<'_>| line.indent() > indent || !line.text.trim().starts_with("{{");
    let first =
        lines.iter().find(|line| !line.text.trim().is_empty() && !line.is_action() && is_indented(line));
    let keys = first.map_or(0, Line::indent);
    for line in lines {
        let text = line.text.trim();
        if text.is_empty() || (text.starts_with('#') && line.indent() <= keys) {
            continue;
        }
        if text.starts_with("{{") && !line.is_comment() {
            values.extend(line.quoted());
        }
        let value = (line.indent() == keys).then(|| behind_key(text)).flatten();
        match value {
            _ if line.is_action() && line.indent() <= keys => {}
            _ if text.starts_with("- ") => values.push(line.place(text[2..].trim())),
            Some(value) if is_header(value) => {}
            Some(value) => values.push(line.place(value)),
            None => values.push(line.place(text)),
        }
    }
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
