//! What `diff` announces beside what changed in the cluster when Flux took it: the same objects, or the test ends.

use crate::cluster::{Kind, Place, standing};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Who an object is. The namespace is empty for what stands in none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    group: String,
    version: String,
    kind: String,
    namespace: String,
    name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    Added,
    Removed,
    Changed,
}

/// Objects and what happens to them, in words that can be compared.
pub type Fates = BTreeMap<String, Fate>;

impl Key {
    fn path(&self) -> String {
        let root = match self.group.as_str() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        let within = match self.namespace.as_str() {
            "" => String::new(),
            namespace => format!("/namespaces/{namespace}"),
        };
        format!("{root}{within}/{}/{}", plural(&self.kind), self.name)
    }

    /// uid and version of what stands there now. What is on its way out stands no longer.
    fn now(&self) -> Option<String> {
        let object = standing(&self.path())?;
        let meta = &object["metadata"];
        meta["deletionTimestamp"].is_null().then(|| format!("{} {}", meta["uid"], meta["resourceVersion"]))
    }
}

/// As Kubernetes guesses it too.
fn plural(kind: &str) -> String {
    let kind = kind.to_ascii_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if kind.ends_with('s') => format!("{kind}es"),
        None => format!("{kind}s"),
    }
}

fn stands_alone(kind: &str) -> bool {
    kind.starts_with("Cluster") || ["Namespace", "CustomResourceDefinition", "PriorityClass"].contains(&kind)
}

/// What a Diff says of objects: what has no namespace of its own gets that of its consumer.
pub fn announced(diff: &Value, namespace: &str) -> BTreeMap<Key, Fate> {
    let mut fates = BTreeMap::new();
    for object in diff["objects"].as_array().expect("objects") {
        let key = |named: &Value| key_of(object, named, namespace);
        match object["change"].as_str() {
            Some("added") => fates.insert(key(object), Fate::Added),
            Some("removed") => fates.insert(key(object), Fate::Removed),
            Some("changed") => fates.insert(key(object), Fate::Changed),
            // for the cluster it is another object
            Some("renamed") => {
                fates.insert(key(&object["renamedFrom"]), Fate::Removed);
                fates.insert(key(object), Fate::Added)
            }
            other => panic!("a change that is not known: {other:?} in {object:#}"),
        };
    }
    fates
}

/// The key of an object that is called as `named` says.
fn key_of(object: &Value, named: &Value, home: &str) -> Key {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let (version, kind, name) = (text(object, "apiVersion"), text(object, "kind"), text(named, "name"));
    let (group, version) = version.split_once('/').unwrap_or(("", &version));
    let namespace = match text(named, "namespace") {
        _ if stands_alone(&kind) => String::new(),
        own if own.is_empty() => home.to_owned(),
        own => own,
    };
    assert!(!name.is_empty(), "no name in {named:#}");
    Key { group: group.to_owned(), version: version.to_owned(), kind, namespace, name }
}

pub fn words(fates: &BTreeMap<Key, Fate>) -> Fates {
    fates.iter().map(|(key, fate)| (key.to_string(), *fate)).collect()
}

/// What a consumer keeps in the cluster, object by object, at one moment.
pub struct Snapshot {
    states: BTreeMap<Key, Option<String>>,
}

impl Snapshot {
    /// Of its inventory, and of others that may come.
    pub fn of(place: &Place, consumer: Kind, name: &str, others: impl IntoIterator<Item = Key>) -> Self {
        let object = place.object(consumer, name).expect("the consumer");
        let keys: BTreeSet<Key> = inventory(&object).into_iter().chain(others).collect();
        Self::take(keys)
    }

    fn take(keys: BTreeSet<Key>) -> Self {
        Self { states: keys.into_iter().map(|key| (key.clone(), key.now())).collect() }
    }

    /// What became of it since. What came without having been looked for before counts as added.
    pub fn since(&self, place: &Place, consumer: Kind, name: &str) -> Fates {
        let known = self.states.keys().cloned();
        let later = Self::of(place, consumer, name, known);
        let fate = |key: &Key, after: &Option<String>| match (
            self.states.get(key).and_then(Option::as_ref),
            after,
        ) {
            (None, Some(_)) => Some(Fate::Added),
            (Some(_), None) => Some(Fate::Removed),
            (Some(before), Some(after)) if before != after => Some(Fate::Changed),
            (Some(_), Some(_)) | (None, None) => None,
        };
        later.states.iter().filter_map(|(key, after)| Some((key.to_string(), fate(key, after)?))).collect()
    }

    /// How many objects stand.
    pub fn count(&self) -> usize {
        self.states.values().flatten().count()
    }
}

/// `<namespace>_<name>_<group>_<kind>`, with `__` for the colons of a name.
fn inventory(object: &Value) -> Vec<Key> {
    let entries = object["status"]["inventory"]["entries"].as_array().cloned().unwrap_or_default();
    let key = |entry: &Value| {
        let id = entry["id"].as_str()?;
        let (rest, kind) = id.rsplit_once('_')?;
        let (rest, group) = rest.rsplit_once('_')?;
        let (namespace, name) = rest.split_once('_')?;
        Some(Key {
            group: group.to_owned(),
            version: entry["v"].as_str()?.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.replace("__", ":"),
        })
    };
    entries
        .iter()
        .map(|entry| key(entry).unwrap_or_else(|| panic!("not an inventory entry: {entry}")))
        .collect()
}
