//! What was typed after `/`: terms that must all hold. It says why it cannot be read, and then filters nothing.

use crate::domain::{
    condition::ConditionStatus,
    fact::Object,
    identity::{Kind, ObjectId},
    impact::Danger,
    selector::Selector,
    standing::{Assessment, Standing},
};
use regex::{Regex, RegexBuilder};

/// A filter as typed, and as understood.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub text: String,
    terms: Vec<Term>,
    /// Why the text cannot be read. Nothing is filtered then.
    pub fault: Option<String>,
}

#[derive(Debug, Clone)]
struct Term {
    wanted: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Text(Regex),
    Labels(Selector),
    Ready(bool),
    Kind(Kind),
    Namespace(Regex),
    Reason(Regex),
    Standing(Vec<Standing>),
    /// Of a change.
    Change(OfChange, Regex),
    Danger(Danger),
}

/// Which part of a change a term looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfChange {
    Kind,
    Namespace,
    Name,
    Path,
}

/// What a changed object or file offers to a filter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Changed<'a> {
    pub kind: &'a str,
    pub namespace: &'a str,
    pub name: &'a str,
    /// Of its file.
    pub path: &'a str,
    /// The worst that it may do.
    pub danger: Option<Danger>,
    /// What else text is looked for in.
    pub words: &'a str,
}

/// What a row offers to a filter.
pub struct Subject<'a> {
    pub object: &'a Object,
    pub assessment: &'a Assessment,
    /// All that text is looked for in, a line each: see [`words`].
    pub words: &'a str,
}

/// What a row says in all its columns, line by line, so that one look finds a text in any of them.
pub fn words(id: &ObjectId, assessment: &Assessment, columns: &[&str]) -> Box<str> {
    let said = [
        id.kind.short(),
        id.kind.name(),
        assessment.standing.word(),
        &assessment.reason,
        &assessment.message,
    ];
    columns.iter().copied().chain(said).collect::<Vec<&str>>().join("\n").into()
}

impl Filter {
    pub fn parse(text: &str) -> Self {
        Self::read(text, rows(text))
    }

    /// For what differs between two revisions: `kind: ns: name: path: danger:` and text.
    pub fn of_changes(text: &str) -> Self {
        Self::read(text, changes(text))
    }

    fn read(text: &str, terms: Result<Vec<Term>, String>) -> Self {
        match terms {
            Ok(terms) => Self { text: text.to_owned(), terms, fault: None },
            Err(fault) => Self { text: text.to_owned(), terms: Vec::new(), fault: Some(fault) },
        }
    }

    /// It lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        self.terms.iter().all(|term| term.test.holds(subject) == term.wanted)
    }

    /// For rows that are only a text, such as tags.
    pub fn matches_text(&self, text: &str) -> bool {
        self.terms.iter().all(|term| match &term.test {
            Test::Text(regex) => regex.is_match(text) == term.wanted,
            Test::Labels(_)
            | Test::Ready(_)
            | Test::Kind(_)
            | Test::Namespace(_)
            | Test::Reason(_)
            | Test::Standing(_)
            | Test::Change(..)
            | Test::Danger(_) => true,
        })
    }

    pub fn matches_change(&self, changed: &Changed<'_>) -> bool {
        self.terms.iter().all(|term| term.test.holds_for(changed) == term.wanted)
    }
}

impl Test {
    fn holds(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Text(regex) => regex.is_match(subject.words),
            Self::Labels(selector) => selector.matches(&subject.object.meta().labels),
            Self::Ready(wanted) => is_ready(subject) == *wanted,
            Self::Kind(kind) => subject.object.id().kind == *kind,
            Self::Namespace(regex) => regex.is_match(&subject.object.id().namespace),
            Self::Reason(regex) => regex.is_match(&subject.assessment.reason),
            Self::Standing(words) => words.contains(&subject.assessment.standing),
            Self::Change(..) | Self::Danger(_) => true,
        }
    }

    fn holds_for(&self, changed: &Changed<'_>) -> bool {
        let Changed { kind, namespace, name, path, danger, words } = changed;
        match self {
            Self::Text(regex) => [kind, namespace, name, path, words].iter().any(|text| regex.is_match(text)),
            Self::Change(OfChange::Kind, regex) => regex.is_match(kind),
            Self::Change(OfChange::Namespace, regex) => regex.is_match(namespace),
            Self::Change(OfChange::Name, regex) => regex.is_match(name),
            Self::Change(OfChange::Path, regex) => regex.is_match(path),
            Self::Danger(wanted) => danger.as_ref() == Some(wanted),
            Self::Labels(_)
            | Self::Ready(_)
            | Self::Kind(_)
            | Self::Namespace(_)
            | Self::Reason(_)
            | Self::Standing(_) => true,
        }
    }
}

/// A static object has no condition and is ready all the same.
fn is_ready(subject: &Subject<'_>) -> bool {
    match subject.object.status().ready() {
        Some(condition) => condition.status == ConditionStatus::True,
        None => subject.assessment.standing == Standing::Ready,
    }
}

fn rows(text: &str) -> Result<Vec<Term>, String> {
    let mut terms = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if word == "-l" {
            let rest: Vec<&str> = words.by_ref().collect();
            if rest.is_empty() {
                return Err("-l needs a label selector, e.g. -l app=web".to_owned());
            }
            let (selector, left) = selector(&rest)?;
            terms.push(Term { wanted: true, test: Test::Labels(selector) });
            terms.extend(rows(&left)?);
            break;
        }
        let (wanted, word) = sign(word)?;
        terms.push(Term { wanted, test: test(word)? });
    }
    Ok(terms)
}

fn changes(text: &str) -> Result<Vec<Term>, String> {
    let term = |word: &str| {
        let (wanted, word) = sign(word)?;
        Ok(Term { wanted, test: test_of_change(word)? })
    };
    text.split_whitespace().map(term).collect()
}

/// Whether it is wanted, and what.
fn sign(word: &str) -> Result<(bool, &str), String> {
    match word.strip_prefix('!') {
        Some("") => Err("! needs something to exclude".to_owned()),
        Some(rest) => Ok((false, rest)),
        None => Ok((true, word)),
    }
}

fn test_of_change(word: &str) -> Result<Test, String> {
    let Some((field, value)) = word.split_once(':') else { return regex(word).map(Test::Text) };
    let part = match field {
        "kind" => OfChange::Kind,
        "ns" | "namespace" => OfChange::Namespace,
        "name" => OfChange::Name,
        "path" => OfChange::Path,
        "danger" => return danger(value),
        _ => return regex(word).map(Test::Text),
    };
    if value.is_empty() {
        return Err(format!("{field}: needs a value"));
    }
    // `kind:ks` as everywhere else
    let kind = Kind::from_word(value).filter(|_| part == OfChange::Kind);
    let regex = match kind {
        Some(kind) => regex(&format!("^{}$", kind.name())),
        None => regex(value),
    };
    Ok(Test::Change(part, regex?))
}

fn danger(value: &str) -> Result<Test, String> {
    let all = [Danger::High, Danger::Medium, Danger::Low];
    let found = all.into_iter().find(|danger| !value.is_empty() && danger.word().starts_with(value));
    found.map(Test::Danger).ok_or_else(|| format!("danger:{value} is none of high, medium, low"))
}

/// The longest run of words that is a selector (`tier in (a, b)` has spaces), and the rest.
fn selector(words: &[&str]) -> Result<(Selector, String), String> {
    let mut problem = String::new();
    for count in (1..=words.len()).rev() {
        match Selector::parse(&words[..count].join(" ")) {
            Ok(selector) => return Ok((selector, words[count..].join(" "))),
            Err(error) => problem = error.to_string(),
        }
    }
    Err(problem)
}

fn test(word: &str) -> Result<Test, String> {
    let Some((field, value)) = word.split_once(':') else { return regex(word).map(Test::Text) };
    if value.is_empty() && is_field(field) {
        return Err(format!("{field}: needs a value"));
    }
    match field {
        "ready" => {
            yes(value).map(Test::Ready).ok_or_else(|| format!("ready:{value} is neither true nor false"))
        }
        "kind" => Kind::from_word(value).map(Test::Kind).ok_or_else(|| format!("no kind is called {value}")),
        "ns" | "namespace" => regex(value).map(Test::Namespace),
        "reason" => regex(value).map(Test::Reason),
        "standing" | "state" => standing(value),
        _ => match (Standing::ALL.into_iter().find(|s| s.word() == field), yes(value)) {
            (Some(own), Some(true)) => Ok(Test::Standing(vec![own])),
            (Some(own), Some(false)) => {
                Ok(Test::Standing(Standing::ALL.into_iter().filter(|s| *s != own).collect()))
            }
            _ => regex(word).map(Test::Text),
        },
    }
}

fn is_field(field: &str) -> bool {
    matches!(field, "ready" | "kind" | "ns" | "namespace" | "reason" | "standing" | "state")
}

fn standing(value: &str) -> Result<Test, String> {
    let fits: Vec<Standing> = Standing::ALL.into_iter().filter(|s| s.word().starts_with(value)).collect();
    if fits.is_empty() {
        let words: Vec<&str> = Standing::ALL.into_iter().map(Standing::word).collect();
        return Err(format!("no standing is called {value}: {}", words.join(" ")));
    }
    Ok(Test::Standing(fits))
}

fn yes(value: &str) -> Option<bool> {
    match value {
        "true" | "yes" => Some(true),
        "false" | "no" => Some(false),
        _ => None,
    }
}

fn regex(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| format!("not a regular expression: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        condition::Status,
        consumer::{Applied, Consumer},
        identity::{Meta, ObjectId},
    };

    fn check(filter: &str, expected: bool) {
        let mut meta = Meta::new(ObjectId::new(Kind::Kustomization, "shop", "podinfo"));
        meta.labels.insert("app".into(), "web".into());
        meta.labels.insert("tier".into(), "a".into());
        let object = Object::Consumer(Consumer {
            meta,
            suspended: false,
            source: None,
            chart_source: None,
            path: None,
            chart: None,
            depends_on: vec![],
            interval: "10m".into(),
            target_namespace: None,
            remote: false,
            prune: None,
            applied: Applied::default(),
            inventory: vec![],
            status: Status::default(),
            oddities: vec![],
        });
        let assessment = Assessment {
            standing: Standing::Failing,
            reason: "BuildFailed".to_owned(),
            message: "kustomize build failed".to_owned(),
            note: None,
        };
        let words = words(object.id(), &assessment, &["shop/podinfo", "", "6.9.1@a1b2c3d4"]);
        let subject = Subject { object: &object, assessment: &assessment, words: &words };
        let filter = Filter::parse(filter);
        assert_eq!(filter.fault, None);
        assert_eq!(filter.matches(&subject), expected, "{}", filter.text);
    }

    #[test]
    fn all_terms_must_hold() {
        check("", true);
        check("POD", true);
        check("^shop/.*info$", true);
        check("dns|podinfo", true);
        check("!podinfo", false);
        check("podinfo !shop", false);
        check("kind:ks ns:shop", true);
        check("kind:hr", false);
        check("!kind:hr", true);
        check("ready:false", true);
        check("ready:true", false);
        check("standing:failing", true);
        check("state:stale", false);
        check("failing:yes", true);
        check("suspended:no", true);
        check("reason:build", true);
        check("6.9.1@", true);
    }

    #[test]
    fn labels_are_read_as_kubectl_reads_them_and_more_terms_may_follow() {
        check("-l app=web", true);
        check("-l app=api", false);
        check("-l tier in (a, b) podinfo", true);
        check("podinfo -l app=web,tier!=b", true);
        check("-l app=web podinfo dns", false);
    }

    #[test]
    fn changes_have_terms_of_their_own() {
        let changed = Changed {
            kind: "CustomResourceDefinition",
            namespace: "shop",
            name: "widgets.acme.io",
            path: "crds/widgets.yaml",
            danger: Some(Danger::High),
            words: "spec.versions",
        };
        let check = |text: &str, expected: bool| {
            let filter = Filter::of_changes(text);
            assert_eq!(filter.fault, None, "{text}");
            assert_eq!(filter.matches_change(&changed), expected, "{text}");
        };
        check("kind:custom ns:shop name:widgets path:crds/ danger:high", true);
        check("danger:h spec.versions", true);
        check("danger:low", false);
        check("!kind:custom", false);
        check("kind:ks", false);
        check("Deployment", false);
        for bad in ["danger:", "danger:red", "kind:", "(", "!"] {
            assert!(Filter::of_changes(bad).fault.is_some(), "{bad}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_so_and_filters_nothing() {
        for bad in ["(", "kind:pod", "ready:maybe", "standing:", "-l", "-l a=b=c", "!", "standing:green"] {
            let filter = Filter::parse(bad);
            assert!(filter.fault.is_some() && filter.is_empty(), "{bad}");
        }
    }
}
