//! Label selectors as kubectl reads them: `app=web,env!=dev,tier in (a,b),!legacy`.

use std::collections::BTreeMap;

type Labels = BTreeMap<Box<str>, Box<str>>;

/// All requirements must hold (Kubernetes `labels.Parse`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a label selector: {0:?} (e.g. app=web,env!=dev,tier in (a,b),!legacy)")]
pub struct SelectorError(pub String);

impl Selector {
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let bad = || SelectorError(text.to_owned());
        let parts = split_outside_brackets(text).ok_or_else(bad)?;
        parts
            .into_iter()
            .map(|part| requirement(part.trim()).ok_or_else(bad))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.get(requirement.key.as_str()).map(AsRef::as_ref);
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Missing => value.is_none(),
                Test::In(wanted) => value.is_some_and(|v| wanted.iter().any(|w| w == v)),
                Test::NotIn(unwanted) => value.is_none_or(|v| unwanted.iter().all(|u| u != v)),
            }
        })
    }
}

fn split_outside_brackets(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0i32);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        if !(0..=1).contains(&depth) {
            return None;
        }
    }
    parts.push(&text[start..]);
    (depth == 0).then_some(parts)
}

fn requirement(part: &str) -> Option<Requirement> {
    if let Some(key) = part.strip_prefix('!') {
        return Some(Requirement { key: key_of(key)?, test: Test::Missing });
    }
    if let Some((head, values)) = part.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        let values = values.split(',').map(|v| v.trim().to_owned()).collect();
        let test = match word {
            "in" => Test::In(values),
            "notin" => Test::NotIn(values),
            _ => return None,
        };
        return Some(Requirement { key: key_of(key)?, test });
    }
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(operator) {
            let value = vec![value_of(value)?];
            let test = if negated { Test::NotIn(value) } else { Test::In(value) };
            return Some(Requirement { key: key_of(key)?, test });
        }
    }
    Some(Requirement { key: key_of(part)?, test: Test::Exists })
}

fn key_of(text: &str) -> Option<String> {
    let text = text.trim();
    let valid = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    (!text.is_empty() && text.chars().all(valid)).then(|| text.to_owned())
}

fn value_of(text: &str) -> Option<String> {
    let text = text.trim();
    text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(selector: &str, expected: bool) {
        let labels = BTreeMap::from([("app".into(), "web".into()), ("env".into(), "prod".into())]);
        assert_eq!(Selector::parse(selector).unwrap().matches(&labels), expected, "{selector}");
    }

    #[test]
    fn selectors_read_as_kubectl_reads_them() {
        check("app=web", true);
        check("app==web,env!=dev", true);
        check("app in (api, web),env notin (dev)", true);
        check("app", true);
        check("!app", false);
        check("tier", false);
        check("tier!=x", true);
        check("tier notin (x)", true);
        check("app=", false);
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "app=web,,b=c", "app in web", "a b=c", "app in (a", "=x", "app=a=b"] {
            assert!(Selector::parse(bad).is_err(), "{bad}");
        }
    }
}
