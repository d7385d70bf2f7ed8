//! Kubernetes objects in files: what a file is for, its documents, and what each says in the dialect of whoever reads
//! it. A document that is broken stays one document.

mod scan;

pub use scan::{Named, scan};

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
    /// Of the whole text, from 1.
    pub line: usize,
    /// May quote the file: from outside.
    pub why: Box<str>,
}

impl Key {
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

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// The documents of a stream; a JSON document is one.
pub fn documents(text: &str) -> Vec<Document> {
    vec![Document { line: 1, at: 0..text.len() }]
}

/// What one document says; None: it is empty. Limits on depth and aliases are part of it.
pub fn parse(text: &str, dialect: Dialect) -> Result<Option<Value>, Broken> {
    let _ = dialect;
    serde_saphyr::from_str(text).map(Some).map_err(|error| Broken { line: 1, why: error.to_string().into() })
}

/// The objects that a document stands for: itself, or the items of a List.
pub fn unroll(document: Value) -> Vec<Value> {
    vec![document]
}

/// What the file of this path is for. `charts`: folders that hold a `Chart.yaml`, without a slash behind; the root is
/// empty.
pub fn role(path: &str, charts: &[&str]) -> Role {
    let _ = (path, charts);
    Role::Manifests
}
