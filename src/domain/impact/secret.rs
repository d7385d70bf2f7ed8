//! Secrets: which keys come, go and change. It never says a value, nor how long one is.

use super::{
    Danger, Impact, What,
    pair::{Pair, get, text},
    words::some,
};
use crate::domain::{diff::Change, object::unpacked};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap};

/// Keys named in one sentence.
const MOST: usize = 5;

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    if !pair.is("", "Secret") {
        return;
    }
    let (before, after) =
        (pair.from.map(values).unwrap_or_default(), pair.to.map(values).unwrap_or_default());
    if pair.change.change == Change::Added {
        let keys: Vec<&str> = after.keys().copied().collect();
        let why = if keys.is_empty() {
            "new, without keys".to_owned()
        } else {
            format!("new, with {}", some(&keys, MOST))
        };
        said.push(pair.say(Danger::Low, What::SecretChanged, &["data"], why));
    }
    if pair.both().is_none() {
        return;
    }
    let added: Vec<&str> = after.keys().filter(|key| !before.contains_key(*key)).copied().collect();
    let gone: Vec<&str> = before.keys().filter(|key| !after.contains_key(*key)).copied().collect();
    let (sealed, other): (Vec<&str>, Vec<&str>) = before
        .iter()
        .filter(|(key, old)| after.get(*key).is_some_and(|new| !is_same(**old, *new)))
        .map(|(key, _)| *key)
        .partition(|key| is_sealed(before.get(key)) && is_sealed(after.get(key)));
    let mut words = Vec::new();
    for (word, keys) in [("changed", &other), ("removed", &gone), ("added", &added)] {
        if !keys.is_empty() {
            words.push(format!("{word}: {}", some(keys, MOST)));
        }
    }
    if !sealed.is_empty() {
        words.push(format!("encrypted anew by SOPS, values may be the same: {}", some(&sealed, MOST)));
    }
    if words.is_empty() {
        return;
    }
    let danger =
        if gone.is_empty() && other.is_empty() && sealed.is_empty() { Danger::Low } else { Danger::Medium };
    let first = other.iter().chain(&gone).chain(&added).chain(&sealed).next().copied().unwrap_or_default();
    let part = if pair.to.is_some_and(|to| get(to, &["stringData", first]).is_some()) {
        "stringData"
    } else {
        "data"
    };
    said.push(pair.say(danger, What::SecretChanged, &[part, first], format!("keys {}", words.join("; "))));
}

/// Every key holds what it held, however that is written.
pub(super) fn says_the_same(from: &Value, to: &Value) -> bool {
    let (before, after) = (values(from), values(to));
    before.keys().eq(after.keys())
        && before.iter().all(|(key, old)| after.get(key).is_some_and(|new| is_same(*old, *new)))
}

/// Whether it is plain text, and the text.
type Entry<'a> = (bool, &'a Value);

/// `data` is base64 of what `stringData` says plainly.
fn is_same(old: Entry<'_>, new: Entry<'_>) -> bool {
    old == new || content(old).is_some_and(|own| content(new) == Some(own))
}

fn content((is_plain, value): Entry<'_>) -> Option<Cow<'_, [u8]>> {
    let text = value.as_str()?;
    if is_plain { Some(text.as_bytes().into()) } else { unpacked(text).map(Cow::from) }
}

/// `stringData` wins over `data`, as in the API server.
fn values(secret: &Value) -> BTreeMap<&str, Entry<'_>> {
    let mut values = BTreeMap::new();
    for (is_plain, part) in [(false, "data"), (true, "stringData")] {
        let entries = get(secret, &[part]).and_then(Value::as_object);
        values.extend(entries.into_iter().flatten().map(|(key, value)| (key.as_str(), (is_plain, value))));
    }
    values
}

fn is_sealed(value: Option<&Entry<'_>>) -> bool {
    value.and_then(|(_, value)| text(value, &[])).is_some_and(|text| text.starts_with("ENC["))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{impact::pair::tests::said, lens::Lens};

    #[test]
    fn keys_are_said_and_values_never() {
        let secret = |rest: &str| {
            if rest.is_empty() {
                return String::new();
            }
            format!("{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, {rest}}}")
        };
        let check = |from: &str, to: &str, want: &[&str]| {
            let said = said(judge, &Lens::Whole, &secret(from), &secret(to));
            assert_eq!(said, want);
            assert!(!said.concat().contains("s3cr3t"));
        };
        check(
            "data: {a: s3cr3t1, b: x, same: y}",
            "data: {a: s3cr3t2, c: s3cr3t3, same: y}",
            &["medium secret-changed: keys changed: a; removed: b; added: c"],
        );
        check("", "stringData: {a: s3cr3t}", &["low secret-changed: new, with a"]);
        check("data: {a: s3cr3t}", "data: {a: s3cr3t, b: s3cr3t}", &["low secret-changed: keys added: b"]);
        check("data: {a: s3cr3t}", "data: {a: s3cr3t}", &[]);
        check("stringData: {a: hello}", "data: {a: aGVsbG8=}", &[]);
        check("data: {a: aGVsbG8=}", "data: {a: \"aGVs\\nbG8=\"}", &[]);
        check("data: {a: aGVsbG8=}", "stringData: {a: hallo}", &["medium secret-changed: keys changed: a"]);
        check(
            "stringData: {a: 'ENC[s3cr3t1]'}",
            "stringData: {a: 'ENC[s3cr3t2]'}",
            &["medium secret-changed: keys encrypted anew by SOPS, values may be the same: a"],
        );
    }
}
