//! The spec of a consumer, as the API server prints it, into what decides how it sees an artifact. Every field may be
//! missing; one of another type than Flux's is named. It never guesses.

use super::{ConfigKind, KustomizationLens, Lens, ReleaseLens, SecretPaths, ValuesFrom, ValuesState, paths};
use crate::domain::{
    identity::{Kind, ObjectId},
    problem::{Cause, Problem},
    quote::quote,
};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

pub(super) fn read(object: &Value) -> Result<Lens, Problem> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let known = Kind::from_name(kind).filter(|kind| matches!(kind, Kind::Kustomization | Kind::HelmRelease));
    let Some(kind) = known else {
        let why = format!("{} is neither a Kustomization nor a HelmRelease", quote(kind));
        return Err(Problem::new(Cause::Usage, "read the consumer", why));
    };
    let metadata = &object["metadata"];
    let (namespace, name) = (metadata["namespace"].as_str(), metadata["name"].as_str());
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(Problem::new(Cause::Invalid, "read the consumer", "metadata.name is not there"));
    };
    let id = ObjectId::new(kind, namespace.unwrap_or("default"), name);
    let spec = Spec::new(&id, &object["spec"])?;
    if kind == Kind::Kustomization {
        kustomization(id.clone(), &spec).map(|lens| Lens::Kustomization(Box::new(lens)))
    } else {
        release(id.clone(), &spec).map(|lens| Lens::Release(Box::new(lens)))
    }
}

fn kustomization(id: ObjectId, spec: &Spec<'_>) -> Result<KustomizationLens, Problem> {
    let path = spec.text("path")?.unwrap_or_default();
    Ok(KustomizationLens {
        path: paths::cleaned(path).into(),
        prune: spec.flag("prune")?,
        target_namespace: spec.filled("targetNamespace")?.map(Into::into),
        on_top: on_top_of_kustomization(spec)?,
        post_build: spec.map("postBuild")?.is_some(),
        suspended: spec.flag("suspend")?,
        spec: spec.whole(),
        id,
    })
}

/// In the order in which they take effect.
fn on_top_of_kustomization(spec: &Spec<'_>) -> Result<Vec<Box<str>>, Problem> {
    let mut words: Vec<Box<str>> = Vec::new();
    counted(&mut words, spec.list("components")?.len(), "component");
    if let Some(namespace) = spec.filled("targetNamespace")? {
        words.push(format!("targetNamespace {}", quote(namespace)).into());
    }
    for name in ["namePrefix", "nameSuffix"] {
        if let Some(text) = spec.filled(name)? {
            words.push(format!("{name} {}", quote(text)).into());
        }
    }
    let old = spec.list("patchesStrategicMerge")?.len() + spec.list("patchesJson6902")?.len();
    counted(&mut words, spec.list("patches")?.len() + old, "patch");
    counted(&mut words, spec.list("images")?.len(), "image");
    if !spec.list("buildMetadata")?.is_empty() {
        words.push("buildMetadata".into());
    }
    if spec.map("decryption")?.is_some() {
        words.push("decryption".into());
    }
    if spec.map("postBuild")?.is_some() {
        words.push("postBuild substitution".into());
    }
    if spec.map("commonMetadata")?.is_some_and(|map| !map.is_empty()) {
        words.push("commonMetadata".into());
    }
    counted(&mut words, spec.list("ignore")?.len(), "ignore rule");
    Ok(words)
}

fn release(id: ObjectId, spec: &Spec<'_>) -> Result<ReleaseLens, Problem> {
    let target = spec.filled("targetNamespace")?;
    let name = match (spec.filled("releaseName")?, target) {
        (Some(name), _) => name.to_owned(),
        (None, Some(target)) => format!("{target}-{}", id.name),
        (None, None) => id.name.to_string(),
    };
    let chart = spec.inside("chart")?.inside("spec")?;
    let values = match spec.map("values")? {
        Some(values) => Value::Object(values.clone()),
        None => Value::Object(Map::new()),
    };
    Ok(ReleaseLens {
        release_name: shortened(&name).into(),
        target_namespace: target.unwrap_or(&id.namespace).into(),
        values,
        from_secrets: SecretPaths::default(),
        values_from: values_from(spec)?,
        values_files: chart.texts("valuesFiles")?,
        upgrade_crds: spec.inside("upgrade")?.filled("crds")?.unwrap_or("Create").into(),
        on_top: on_top_of_release(spec)?,
        suspended: spec.flag("suspend")?,
        spec: spec.whole(),
        id,
    })
}

fn values_from(spec: &Spec<'_>) -> Result<Vec<ValuesFrom>, Problem> {
    let mut all = Vec::new();
    for entry in spec.items("valuesFrom")? {
        let kind = match entry.text("kind")?.unwrap_or_default() {
            "ConfigMap" => ConfigKind::ConfigMap,
            "Secret" => ConfigKind::Secret,
            other => {
                let why = format!("{} is neither ConfigMap nor Secret", quote(other));
                return Err(entry.wrong("kind", &why));
            }
        };
        let Some(name) = entry.filled("name")? else {
            return Err(entry.wrong("name", "it is not there"));
        };
        all.push(ValuesFrom {
            kind,
            name: name.into(),
            key: entry.filled("valuesKey")?.unwrap_or("values.yaml").into(),
            target_path: entry.filled("targetPath")?.map(Into::into),
            optional: entry.flag("optional")?,
            literal: entry.flag("literal")?,
            state: ValuesState::NotRead,
        });
    }
    Ok(all)
}

fn on_top_of_release(spec: &Spec<'_>) -> Result<Vec<Box<str>>, Problem> {
    let mut words: Vec<Box<str>> = Vec::new();
    let files = spec.inside("chart")?.inside("spec")?.texts("valuesFiles")?;
    counted(&mut words, files.len(), "values file");
    if spec.inside("upgrade")?.flag("preserveValues")? {
        words.push("values of the last release (upgrade.preserveValues)".into());
    }
    counted(&mut words, spec.list("postRenderers")?.len(), "post-renderer");
    if spec.map("commonMetadata")?.is_some_and(|map| !map.is_empty()) {
        words.push("commonMetadata".into());
    }
    Ok(words)
}

/// `2 patches`; nothing for none.
fn counted(words: &mut Vec<Box<str>>, count: usize, what: &str) {
    match count {
        0 => {}
        1 => words.push(format!("1 {what}").into()),
        _ if what.ends_with("ch") => words.push(format!("{count} {what}es").into()),
        _ => words.push(format!("{count} {what}s").into()),
    }
}

/// Helm's limit on names, and what helm-controller makes of longer ones (`internal/release/name.go`).
fn shortened(name: &str) -> String {
    const LONGEST: usize = 53;
    const HASH: usize = 12;
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let hash = Sha256::digest(name.as_bytes()).iter().take(HASH / 2).fold(String::new(), |mut hex, byte| {
        // writing into a String cannot fail
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let head: String = name.chars().take(LONGEST - HASH - 1).collect();
    format!("{head}-{hash}")
}

/// A map of the spec, and where it stands, so that what is wrong can be named.
struct Spec<'a> {
    id: &'a ObjectId,
    at: String,
    map: Option<&'a Map<String, Value>>,
}

impl<'a> Spec<'a> {
    fn new(id: &'a ObjectId, value: &'a Value) -> Result<Self, Problem> {
        let top = Self { id, at: String::new(), map: None };
        Ok(Self { map: top.as_map("spec", value)?, at: "spec".to_owned(), id })
    }

    fn whole(&self) -> Value {
        Value::Object(self.map.cloned().unwrap_or_default())
    }

    fn get(&self, field: &str) -> &'a Value {
        const ABSENT: &Value = &Value::Null;
        self.map.and_then(|map| map.get(field)).unwrap_or(ABSENT)
    }

    fn named(&self, field: &str) -> String {
        if self.at.is_empty() { field.to_owned() } else { format!("{}.{field}", self.at) }
    }

    fn wrong(&self, field: &str, why: &str) -> Problem {
        let what = format!("read {}", self.id);
        Problem::new(Cause::Invalid, what, format!("{}: {why}", self.named(field)))
    }

    fn as_map(&self, field: &str, value: &'a Value) -> Result<Option<&'a Map<String, Value>>, Problem> {
        match value {
            Value::Null => Ok(None),
            Value::Object(map) => Ok(Some(map)),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(self.wrong(field, "it is not a map"))
            }
        }
    }

    fn map(&self, field: &str) -> Result<Option<&'a Map<String, Value>>, Problem> {
        self.as_map(field, self.get(field))
    }

    fn inside(&self, field: &str) -> Result<Self, Problem> {
        Ok(Self { id: self.id, at: self.named(field), map: self.map(field)? })
    }

    fn list(&self, field: &str) -> Result<&'a [Value], Problem> {
        match self.get(field) {
            Value::Null => Ok(&[]),
            Value::Array(items) => Ok(items),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                Err(self.wrong(field, "it is not a list"))
            }
        }
    }

    /// The items of a list of maps.
    fn items(&self, field: &str) -> Result<Vec<Self>, Problem> {
        let items = self.list(field)?.iter().enumerate();
        let item = |(place, value): (usize, &'a Value)| {
            let name = format!("{field}[{place}]");
            match self.as_map(&name, value)? {
                Some(map) => Ok(Self { id: self.id, at: self.named(&name), map: Some(map) }),
                None => Err(self.wrong(&name, "it is not a map")),
            }
        };
        items.map(item).collect()
    }

    fn texts(&self, field: &str) -> Result<Vec<Box<str>>, Problem> {
        let items = self.list(field)?.iter().enumerate();
        let text = |(place, value): (usize, &Value)| {
            let text = value.as_str().map(Into::into);
            text.ok_or_else(|| self.wrong(&format!("{field}[{place}]"), "it is not a text"))
        };
        items.map(text).collect()
    }

    fn text(&self, field: &str) -> Result<Option<&'a str>, Problem> {
        match self.get(field) {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                Err(self.wrong(field, "it is not a text"))
            }
        }
    }

    /// A text that says something: to Flux an empty one is as good as none.
    fn filled(&self, field: &str) -> Result<Option<&'a str>, Problem> {
        Ok(self.text(field)?.filter(|text| !text.is_empty()))
    }

    fn flag(&self, field: &str) -> Result<bool, Problem> {
        match self.get(field) {
            Value::Null => Ok(false),
            Value::Bool(set) => Ok(*set),
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Err(self.wrong(field, "it is neither true nor false"))
            }
        }
    }
}
