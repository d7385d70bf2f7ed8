//! Both sides of one object, as the rules of each subject read them. It judges nothing.

use super::{Danger, Impact, Object, Place, What};
use crate::domain::{
    diff::{Change, ObjectChange, Step},
    lens::Lens,
};
use serde_json::Value;

/// One object before and after, and where what is said of it can be seen.
pub(super) struct Pair<'a> {
    pub(super) change: &'a ObjectChange,
    pub(super) from: Option<&'a Value>,
    pub(super) to: Option<&'a Value>,
    pub(super) lens: &'a Lens,
    at: Where,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Where {
    /// Its place in the diff that is shown.
    Object(usize),
    /// It is not in that diff: its file in the source.
    File { file: usize, line: usize },
}

impl<'a> Pair<'a> {
    pub(super) fn new(change: &'a ObjectChange, lens: &'a Lens, at: Where) -> Self {
        let value =
            |found: &'a Option<crate::domain::diff::Found>| found.as_ref().map(|found| found.value.as_ref());
        Self { change, from: value(&change.from), to: value(&change.to), lens, at }
    }

    pub(super) fn kind(&self) -> &'a str {
        self.change.found().map_or("", |found| &found.key.kind)
    }

    pub(super) fn group(&self) -> &'a str {
        self.change.found().map_or("", |found| &found.key.group)
    }

    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.kind() == kind && self.group() == group
    }

    /// Both sides are the same object, so what is fixed in the cluster stays fixed.
    pub(super) fn stays(&self) -> Option<(&'a Value, &'a Value)> {
        let renamed = self.change.change == Change::Renamed;
        self.both().filter(|_| !renamed)
    }

    pub(super) fn both(&self) -> Option<(&'a Value, &'a Value)> {
        self.from.zip(self.to)
    }

    pub(super) fn say(&self, danger: Danger, what: What, path: &[&str], why: impl Into<String>) -> Impact {
        let at = match self.at {
            Where::Object(object) => Place::Object { object, field: self.field(path) },
            Where::File { file, line } => Place::File { file, line: Some(line) },
        };
        Impact { danger, what, object: self.object(), why: why.into(), at }
    }

    fn object(&self) -> Option<Object> {
        let found = self.change.found()?;
        Some(Object { api_version: found.api_version.clone(), key: found.key.clone() })
    }

    /// The first change at, above or below this path; an item of a list is named by one of its keys.
    fn field(&self, path: &[&str]) -> Option<usize> {
        if path.is_empty() {
            return None;
        }
        self.change
            .fields
            .iter()
            .position(|field| field.path.0.iter().zip(path).all(|(step, name)| is(step, name)))
    }
}

fn is(step: &Step, name: &str) -> bool {
    match step {
        Step::Field(field) => &**field == name,
        Step::Item(keys) => keys.iter().any(|(_, value)| &**value == name),
        Step::Place(_) => true,
    }
}

/// What stands there; a null is not there, as for the API server.
pub(super) fn get<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, name| value.get(name)).filter(|value| !value.is_null())
}

pub(super) fn text<'a>(value: &'a Value, path: &[&str]) -> Option<&'a str> {
    get(value, path).and_then(Value::as_str)
}

/// Items that are compared one with another; real objects stay far below.
const MOST: usize = 2_000;

/// Its items, as many as are compared.
pub(super) fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    get(value, path).and_then(Value::as_array).map_or(&[], |items| &items[..items.len().min(MOST)])
}

/// All its items: for rules that bound what they do by themselves.
pub(super) fn whole_list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
    get(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn annotation<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    text(object, &["metadata", "annotations", name])
}

/// Nothing is written there, or nothing is in it: the API server reads both the same.
pub(super) fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Object(map)) => map.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => false,
    }
}

/// The same to the API server: what is not set is empty.
pub(super) fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    one == other || (is_empty(one) && is_empty(other))
}

/// Maps that say nothing when they are empty, wherever they stand.
const MAPS: [&str; 8] =
    ["annotations", "labels", "limits", "matchLabels", "metadata", "nodeSelector", "requests", "resources"];

/// The same to the API server, all the way down. Other empty maps mean something: `emptyDir: {}`.
pub(super) fn same_within(one: Option<&Value>, other: Option<&Value>) -> bool {
    let bare = |value: Option<&Value>| value.map(bare);
    same(one, other) || same(bare(one).as_ref(), bare(other).as_ref())
}

fn bare(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let said = |name: &str, value: &Value| {
                !is_empty(Some(value)) || value.is_object() && !MAPS.contains(&name)
            };
            let fields = fields.iter().map(|(name, value)| (name.clone(), bare(value)));
            fields.filter(|(name, value)| said(name, value)).collect()
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{
        diff::{File, Side, compare},
        object::{Dialect, parse},
    };
    use bytes::Bytes;

    /// One object of a file, as the diff sees it. What has no name gets one.
    fn side(object: &str) -> Side {
        let value = parse(object, Dialect::Kustomize).unwrap();
        let bytes = value.map(|mut value| {
            if text(&value, &["metadata", "name"]).is_none() {
                value["metadata"]["name"] = "unnamed".into();
            }
            Bytes::from(value.to_string())
        });
        let file = bytes.map(|bytes| File {
            path: "all.yaml".into(),
            size: bytes.len() as u64,
            sha256: None,
            executable: false,
            bytes: Some(bytes),
        });
        Side { files: file.into_iter().collect() }
    }

    /// A change of one object, either side may be empty. One with another name is taken for renamed.
    pub(in crate::domain::impact) fn change(from: &str, to: &str) -> Option<ObjectChange> {
        let mut objects = compare(&side(from), &side(to), &|| true).objects;
        let mut change = objects.pop()?;
        if let Some(other) = objects.pop() {
            let (from, to) =
                if other.to.is_some() { (change.from, other.to) } else { (other.from, change.to) };
            change = ObjectChange { change: Change::Renamed, from, to, fields: Vec::new(), cut: false };
        }
        Some(change)
    }

    /// What a subject says of one object, as `danger what: why`.
    pub(in crate::domain::impact) fn said(
        judge: fn(&Pair<'_>, &mut Vec<Impact>),
        lens: &Lens,
        from: &str,
        to: &str,
    ) -> Vec<String> {
        let mut said = Vec::new();
        let Some(change) = change(from, to) else { return Vec::new() };
        judge(&Pair::new(&change, lens, Where::Object(0)), &mut said);
        said.iter().map(words).collect()
    }

    pub(in crate::domain::impact) fn words(impact: &Impact) -> String {
        format!("{} {}: {}", impact.danger.word(), impact.what.word(), impact.why)
    }

    #[test]
    fn the_place_is_the_nearest_change_of_the_path() {
        let object = |label: &str, rest: &str| {
            format!(
                "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a, labels: {{l: {label}}}}}, spec: {{{rest}}}}}"
            )
        };
        let containers = |image: &str| {
            format!(
                "template: {{spec: {{containers: [{{name: one, image: a}}, {{name: two, image: {image}}}]}}}}"
            )
        };
        let from = object("old", &format!("replicas: 1, {}", containers("b")));
        let to = object("new", &format!("replicas: 2, {}", containers("c")));
        let change = change(&from, &to).unwrap();
        let pair = Pair::new(&change, &Lens::Whole, Where::Object(7));
        let check = |path: &[&str], want: Option<&str>| {
            let Place::Object { object: 7, field } = pair.say(Danger::Low, What::ImageChanged, path, "").at
            else {
                panic!("{path:?}");
            };
            assert_eq!(field.map(|field| change.fields[field].path.to_string()).as_deref(), want, "{path:?}");
        };
        check(&["spec", "replicas"], Some("spec.replicas"));
        let image = ["spec", "template", "spec", "containers", "two", "image"];
        check(&image, Some("spec.template.spec.containers[name=two].image"));
        check(&image[..3], Some("spec.template.spec.containers[name=two].image"));
        check(&["metadata"], Some("metadata.labels.l"));
        check(&["data"], None);
        check(&[], None);
    }
}
