//! Kubernetes objects in files: what a file is for ([`role()`]), its documents ([`documents`]), what each says in the dialect
//! of whoever reads it ([`parse`], [`unroll`], [`Key::of`]), and a cheap look at what it names ([`scan_document`]). A
//! document that is broken stays one document. A text that may be UTF-16 goes through [`super::secret::decoded`] first.

mod folded;
mod grammar;
mod reader;
mod role;
mod scalar;
mod scan;
mod stream;
mod token;

pub use role::role;
pub(in crate::domain) use scalar::unpacked;
pub use scan::{Named, scan, scan_document};
pub use stream::documents;

use super::secret;
use serde_json::Value;
use std::{fmt, ops::Range};

/// How YAML is read (`reference/crates.md` §4). The same text can mean two things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// kyaml: everything that Flux applies goes through kustomize, rendered charts too.
    Kustomize,
    /// sigs.k8s.io/yaml: Helm's own files (`values.yaml`, `Chart.yaml`), and kubectl.
    Helm,
}

/// What a file is for, judged by its path and by what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// YAML or JSON that may hold objects.
    Manifests,
    /// `kustomization.yaml` and its other spellings.
    Kustomization,
    /// `Chart.yaml` of a chart, or of a chart inside its `charts/`.
    Chart,
    Values,
    /// A Go template of a chart: no YAML before Helm rendered it.
    Template,
    /// In `crds/` of a chart: installed once, never upgraded by Helm itself.
    ChartCrd,
    /// Something else: text, or bytes.
    Other,
}

/// What two revisions must agree on to mean the same object. The group, not the version: another version of an API is
/// a change of the object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Empty for the core group.
    pub group: Box<str>,
    pub kind: Box<str>,
    /// None: the file names none.
    pub namespace: Option<Box<str>>,
    pub name: Box<str>,
}

/// A document of a stream, by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// On which it begins, from 1.
    pub line: usize,
    /// Bytes of the text, without the separator.
    pub at: Range<usize>,
}

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Of the text that was parsed, from 1; of the whole stream after [`Broken::under`].
    pub line: usize,
    /// May quote the file: from outside. It never quotes a value of a Secret.
    pub why: Box<str>,
    /// It goes over a limit that only this program has: whoever applies it may well read it.
    pub limit: bool,
}

impl Broken {
    /// What the readers of Flux say too.
    pub fn new(line: usize, why: impl Into<Box<str>>) -> Self {
        Self { line, why: why.into(), limit: false }
    }

    /// The same error with its line in the stream that the document is part of.
    #[must_use]
    pub fn under(self, document: &Document) -> Self {
        Self { line: document.line + self.line - 1, ..self }
    }
}

impl Key {
    /// Of a document that was read; None: it names no object, because its API version, its kind or its name is missing
    /// or is no text (`fluxcd/pkg/ssa`, `IsKubernetesObject`). An object that gets its name in the cluster is known by
    /// its `generateName`.
    pub fn of(value: &Value) -> Option<Self> {
        let kind = text(value, "kind")?;
        let metadata = value.get("metadata")?;
        let name = text(metadata, "name").or_else(|| text(metadata, "generateName"))?;
        let api_version = text(value, "apiVersion")?;
        Some(Self::new(api_version, kind, text(metadata, "namespace"), name))
    }

    /// `group/version` or `version`, as in `apiVersion`.
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        Self {
            group: group.into(),
            kind: kind.into(),
            namespace: namespace.map(Into::into),
            name: name.into(),
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field)?.as_str().filter(|text| !text.is_empty())
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// What one document says; None: it is empty. It is read as far as its first `...`, like the readers of Flux.
///
/// What Go's readers make of it is in `reference/crates.md` §4; kustomize also writes each object and reads it again,
/// with all that its writer changes: folded text, empty values in brackets, keys that are no strings. Not followed: what
/// comments do to that writer, and which of `1:` and `"1":` is last for Helm (Go tosses a coin).
///
/// As kubectl reads it (`Dialect::Helm`) JSON is JSON; for kustomize it is YAML, where a key may not stand twice and a
/// pair of surrogates is no character. Lines of an error are those of `text`: [`Broken::under`] makes them those of the
/// stream. At most 512 levels deep; aliases may write out 400,000 values or 64 MiB ([`Broken::limit`]).
pub fn parse(text: &str, dialect: Dialect) -> Result<Option<Value>, Broken> {
    reader::read(text, dialect).map_err(|broken| {
        let quoted = || "it is not said why: the words would quote a Secret".into();
        Broken { why: secret::unless_quoted(text, &broken.why).unwrap_or_else(quoted), ..broken }
    })
}

/// The objects that a document stands for: itself, or the items of a List, whatever it is a List of, also of Lists
/// (kustomize's `inlineAnyEmbeddedLists`; inner Lists come last). A List without `items` is an object; one with none is none.
pub fn unroll(document: Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut left = std::collections::VecDeque::from([document]);
    while let Some(mut value) = left.pop_front() {
        let lists = value["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
        match value.get_mut("items").filter(|_| lists).map(Value::take) {
            Some(Value::Array(items)) => left.extend(items.into_iter().filter(|item| !item.is_null())),
            Some(Value::Null) => {}
            Some(odd) => {
                value["items"] = odd;
                found.push(value);
            }
            None => found.push(value),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_stands_for_its_items() {
        let object = |name: &str| json!({"kind": "ConfigMap", "metadata": {"name": name}});
        let inner = json!({"kind": "ConfigMapList", "items": [object("b"), object("c")]});
        let list = json!({"kind": "List", "items": [inner, object("a"), null]});
        let names: Vec<_> = unroll(list).iter().map(|value| value["metadata"]["name"].clone()).collect();
        assert_eq!(names, ["a", "b", "c"], "inner lists come last, as with kustomize");
        assert!(unroll(json!({"kind": "List", "items": null})).is_empty());
        assert!(unroll(json!({"kind": "List", "items": []})).is_empty());
        let own = [
            json!({"kind": "AllowList", "spec": {}}),
            json!({"kind": "List", "items": "x"}),
            json!({"kind": "Menu", "items": [1]}),
            json!(["kind"]),
            json!("text"),
        ];
        for value in own {
            assert_eq!(unroll(value.clone()), [value]);
        }
    }

    #[test]
    fn an_object_is_known_by_group_kind_namespace_and_name() {
        let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}});
        assert_eq!(Key::of(&web), Some(Key::new("apps/v1beta1", "Deployment", Some("shop"), "web")));
        let job =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "job-", "namespace": ""}});
        assert_eq!(Key::of(&job), Some(Key::new("v1", "Pod", None, "job-")));
        let none = [
            json!({"kind": "Pod", "metadata": {"name": "x"}}),
            json!({"apiVersion": "v1", "metadata": {"name": "x"}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": 5}}),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": null}),
            json!({"apiVersion": "v1", "kind": "Pod"}),
            json!([1]),
            json!("text"),
        ];
        for value in none {
            assert_eq!(Key::of(&value), None, "{value}");
        }
    }

    #[test]
    fn a_broken_document_leaves_the_others_and_says_its_line() {
        let text = "a: 1\n---\nb: [\nc: 2\n---\nd: 4\n";
        let read: Vec<_> = documents(text)
            .iter()
            .map(|document| {
                parse(&text[document.at.clone()], Dialect::Kustomize)
                    .map_err(|broken| broken.under(document).line)
            })
            .collect();
        assert_eq!(read, [Ok(Some(json!({"a": 1}))), Err(5), Ok(Some(json!({"d": 4})))]);
    }

    #[test]
    fn a_hundred_thousand_documents_are_told_apart() {
        let one = "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n";
        let text = one.repeat(100_000);
        let found = documents(&text);
        assert_eq!((found.len(), found[99_999].line), (100_000, 499_997));
        assert_eq!(scan(&text).len(), 100_000);
    }
}
