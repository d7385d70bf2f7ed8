//! Two revisions of one text or object with their secret values masked, so that it is seen which of them differ, and
//! not what they are. The words are those of `kubectl diff`.

use super::{
    GENERATOR, HIDDEN, LAST_APPLIED, Rule, SOPS, Secrets, is_generators, is_literals, is_patch, keeps_values,
    may_be_document, patches_secrets,
};
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashSet};

/// What stands for a value that is on both sides, or on one side only.
pub const MASK: &str = "***";
/// What stands for a value that is another one on the other side.
pub const BEFORE: &str = "*** (before)";
pub const AFTER: &str = "*** (after)";

/// Of what is encrypted so much is kept that two of them can be told apart.
const KEPT: usize = 8;

/// Both texts, masked. None: there is none on this side.
pub fn mask_texts(from: Option<&str>, to: Option<&str>, rule: Rule) -> (String, String) {
    let (one, other) = (Page::read(from, rule), Page::read(to, rule));
    let known = (one.known(), other.known());
    (one.masked(to.map(|_| (&known.1, BEFORE))), other.masked(from.map(|_| (&known.0, AFTER))))
}

/// Both objects, masked, and the parts of objects that hold whole Secrets.
pub fn mask_values(from: Option<&Value>, to: Option<&Value>) -> (Option<Value>, Option<Value>) {
    let known = |value: Option<&Value>| {
        let mut known = HashSet::new();
        if let Some(value) = value {
            collect(value, Context::Open, &mut known);
        }
        known
    };
    let (left, right) = (known(from), known(to));
    let mask = |value: &Value, other: Option<(&Known, &'static str)>| {
        let mut value = value.clone();
        cover(&mut value, Context::Open, &mut |name, value| word(other, name, value));
        value
    };
    let of_from = to.map(|_| (&right, BEFORE));
    let of_to = from.map(|_| (&left, AFTER));
    (from.map(|value| mask(value, of_from)), to.map(|value| mask(value, of_to)))
}

/// The text with everything that SOPS encrypted cut short.
pub fn shorten_sops(text: &str) -> Cow<'_, str> {
    if !text.contains(SOPS) {
        return text.into();
    }
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SOPS) {
        let (before, value) = rest.split_at(at);
        short.push_str(before);
        let line = value.find('\n').unwrap_or(value.len());
        let Some(end) = value[..line].find(']') else {
            short.push_str(SOPS);
            rest = &value[SOPS.len()..];
            continue;
        };
        let data = value[SOPS.len()..end].split(',').next().unwrap_or_default();
        short.push_str(SOPS);
        short.extend(data.chars().take(KEPT));
        short.push_str("…]");
        rest = &value[end + 1..];
    }
    short.push_str(rest);
    short.into()
}

/// Values, each with what stands before it: the same value under another name is another one.
type Known = HashSet<(String, String)>;

fn word(other: Option<(&Known, &'static str)>, name: &str, value: &str) -> &'static str {
    match other {
        Some((known, differs)) if !known.contains(&(name.to_owned(), value.to_owned())) => differs,
        Some(_) | None => MASK,
    }
}

struct Page<'a> {
    text: &'a str,
    secrets: Secrets,
}

impl<'a> Page<'a> {
    fn read(text: Option<&'a str>, rule: Rule) -> Self {
        let text = text.unwrap_or_default();
        Self { text, secrets: Secrets::by(rule, text) }
    }

    /// What stands before each piece in its line, and the piece.
    fn pieces(&self) -> impl Iterator<Item = (&'a str, &'a str, std::ops::Range<usize>)> {
        let mut done = 0;
        self.secrets.pieces.iter().map(move |piece| {
            // a line may hold thousands of them
            let start = self.text[done..piece.at.start].rfind('\n').map_or(done, |at| done + at + 1);
            done = piece.at.end;
            (self.text[start..piece.at.start].trim(), &self.text[piece.at.clone()], piece.at.clone())
        })
    }

    fn known(&self) -> Known {
        self.pieces().map(|(name, value, _)| (name.to_owned(), value.to_owned())).collect()
    }

    fn masked(&self, other: Option<(&Known, &'static str)>) -> String {
        let mut masked = String::with_capacity(self.text.len());
        let mut from = 0;
        for (name, value, at) in self.pieces() {
            masked.push_str(&self.text[from..at.start]);
            masked.push_str(word(other, name, value));
            from = at.end;
        }
        masked.push_str(&self.text[from..]);
        masked
    }
}

/// Where in a tree a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Open,
    /// An item of a SecretList: it may leave its kind out.
    Listed,
    /// An item of a `secretGenerator`.
    Generator,
}

pub(super) fn mask_tree(value: &mut Value) {
    cover(value, Context::Open, &mut |_, _| HIDDEN);
}

fn collect(value: &Value, context: Context, known: &mut Known) {
    let mut copy = value.clone();
    cover(&mut copy, context, &mut |name, value| {
        known.insert((name.to_owned(), value.to_owned()));
        MASK
    });
}

fn cover(value: &mut Value, context: Context, word: &mut dyn FnMut(&str, &str) -> &'static str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| cover(item, context, word)),
        Value::Object(fields) => {
            if patches_secrets(fields) {
                let patches = fields.iter_mut().filter(|(name, _)| is_patch(name));
                patches.for_each(|(name, patch)| hide(name, patch, word));
            }
            cover_object(fields, context, word);
        }
        Value::String(text) => cover_text(text, word),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cover_object(
    fields: &mut Map<String, Value>,
    context: Context,
    word: &mut dyn FnMut(&str, &str) -> &'static str,
) {
    let kind = fields.get("kind").and_then(Value::as_str);
    let (secret, list) = (context == Context::Listed || kind == Some("Secret"), kind == Some("SecretList"));
    let generator = context == Context::Generator || kind == Some(GENERATOR);
    let whole = fields.contains_key("metadata");
    let keeps = |name: &str| (secret && keeps_values(name, whole)) || (generator && is_literals(name));
    for (name, field) in fields.iter_mut().filter(|(name, _)| keeps(name)) {
        match field {
            Value::Object(values) => {
                values.iter_mut().for_each(|(key, value)| hide(&format!("{name}.{key}"), value, word));
            }
            Value::Null => {}
            other => hide(name, other, word),
        }
    }
    if secret {
        let annotations = fields.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
        if let Some(copy) = annotations.and_then(|annotations| annotations.get_mut(LAST_APPLIED)) {
            hide(LAST_APPLIED, copy, word);
        }
    }
    for (name, field) in fields.iter_mut().filter(|(name, _)| !keeps(name)) {
        let within = match name.as_str() {
            "items" if list => Context::Listed,
            name if is_generators(name) => Context::Generator,
            _ => Context::Open,
        };
        cover(field, within, word);
    }
}

/// What is encrypted stays.
fn hide(name: &str, value: &mut Value, word: &mut dyn FnMut(&str, &str) -> &'static str) {
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let encrypted = text.starts_with(SOPS) && text.ends_with(']');
    if !encrypted && !value.is_null() {
        *value = word(name, &text).into();
    }
}

fn cover_text(text: &mut String, word: &mut dyn FnMut(&str, &str) -> &'static str) {
    if !may_be_document(text) {
        return;
    }
    let page = Page::read(Some(text), Rule::Said);
    if page.secrets.is_empty() {
        return;
    }
    let mut masked = String::with_capacity(page.text.len());
    let mut from = 0;
    for (name, value, at) in page.pieces() {
        masked.push_str(&page.text[from..at.start]);
        masked.push_str(word(name, value));
        from = at.end;
    }
    masked.push_str(&page.text[from..]);
    *text = masked;
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BEFORE_TEXT: &str =
        "kind: Secret\nstringData:\n  user: me\n  password: hunter2\n  key: |\n    one\n    two\n";
    const AFTER_TEXT: &str =
        "kind: Secret\nstringData:\n  user: me\n  password: hunter3\n  key: |\n    one\n    three\n";

    #[test]
    fn what_differs_is_seen_and_what_it_is_is_not() {
        let (from, to) = mask_texts(Some(BEFORE_TEXT), Some(AFTER_TEXT), Rule::Said);
        assert_eq!(
            from,
            "kind: Secret\nstringData:\n  user: ***\n  password: *** (before)\n  key: |\n    ***\n    *** (before)\n"
        );
        assert_eq!(
            to,
            "kind: Secret\nstringData:\n  user: ***\n  password: *** (after)\n  key: |\n    ***\n    *** (after)\n"
        );
    }

    #[test]
    fn two_values_that_change_places_differ() {
        let (from, to) = mask_texts(
            Some("kind: Secret\ndata: \n  a: x\n  b: y\n"),
            Some("kind: Secret\ndata: \n  a: y\n  b: x\n"),
            Rule::Said,
        );
        assert_eq!((from.matches(BEFORE).count(), to.matches(AFTER).count()), (2, 2), "{from}{to}");
    }

    #[test]
    fn a_line_may_hold_a_hundred_thousand_values() {
        let text = |value: &str| {
            let values: Vec<String> = (0..100_000).map(|n| format!("k{n}: {value}{n}")).collect();
            format!("kind: Secret\ndata: {{{}}}\n", values.join(", "))
        };
        let (from, _) = mask_texts(Some(&text("a")), Some(&text("b")), Rule::Said);
        assert_eq!(from.matches(BEFORE).count(), 100_000);
    }

    #[test]
    fn a_file_that_is_secret_as_a_whole_keeps_its_lines_alone() {
        let (from, to) = mask_texts(Some("a=shut\n\nb=same\n"), Some("a=locked\n\nb=same\n"), Rule::Whole);
        assert_eq!((from.as_str(), to.as_str()), ("*** (before)\n\n***\n", "*** (after)\n\n***\n"));
    }

    #[test]
    fn a_text_alone_is_masked_without_a_side() {
        let (from, to) = mask_texts(None, Some("kind: Secret\ndata: {a: x}\n"), Rule::Said);
        assert_eq!((from.as_str(), to.as_str()), ("", "kind: Secret\ndata: {a: ***}\n"));
    }

    #[test]
    fn objects_are_masked_by_the_same_rule_also_inside_others_and_inside_texts() {
        let object = |value: &str| {
            json!({"kind": "List", "items": [
                {"kind": "Secret", "metadata": {"annotations": {LAST_APPLIED: value}}, "data": {"a": value, "b": "same"}},
                {"kind": "SecretList", "items": [{"stringData": {"a": value}}]},
                {"kind": "ConfigMap", "data": {"a.yaml": format!("kind: Secret\ndata:\n  a: {value}\n"), "b": "open"}},
                {"kind": "Secret", "data": "whole"},
            ]})
        };
        let (from, to) = mask_values(Some(&object("hunter2")), Some(&object("hunter3")));
        let (from, to) = (from.unwrap(), to.unwrap());
        assert!(!from.to_string().contains("hunter") && !to.to_string().contains("hunter"), "{from} {to}");
        assert_eq!(from["items"][0]["data"], json!({"a": BEFORE, "b": MASK}));
        assert_eq!(to["items"][1]["items"][0]["stringData"]["a"], AFTER);
        assert_eq!(
            to["items"][2]["data"],
            json!({"a.yaml": format!("kind: Secret\ndata:\n  a: {AFTER}\n"), "b": "open"})
        );
        assert_eq!(from["items"][3]["data"], MASK);
        assert_eq!(
            mask_values(None, Some(&json!({"kind": "Secret", "data": {"a": "x"}}))).1.unwrap()["data"]["a"],
            MASK
        );
    }

    #[test]
    fn what_sops_encrypted_is_shortened_and_can_still_be_told_apart() {
        let text = "a: ENC[AES256_GCM,data:0123456789,iv:x,tag:y,type:str] # b\nc: ENC[AES256_GCM,data:\nd: ENC[AES256_GCM,data:z]";
        assert_eq!(
            shorten_sops(text),
            "a: ENC[AES256_GCM,data:01234567…] # b\nc: ENC[AES256_GCM,data:\nd: ENC[AES256_GCM,data:z…]"
        );
    }
}
