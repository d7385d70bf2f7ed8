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

pub(super) fn list<'a>(value: &'a Value, path: &[&str]) -> &'a [Value] {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::{
        diff::{FieldChange, FieldFate, FieldPath, Found, Text},
        object::Key,
    };
    use bytes::Bytes;
    use std::sync::Arc;

    fn found(object: Value) -> Found {
        let api_version = text(&object, &["apiVersion"]).unwrap().to_owned();
        let key = Key::new(
            &api_version,
            text(&object, &["kind"]).unwrap(),
            text(&object, &["metadata", "namespace"]),
            text(&object, &["metadata", "name"]).unwrap_or("x"),
        );
        Found {
            key,
            api_version: api_version.into(),
            path: "all.yaml".into(),
            line: 1,
            value: Arc::new(object),
            text: Text { file: Bytes::new(), at: 0..0 },
        }
    }

    fn yaml(text: &str) -> Option<Found> {
        let value: Option<Value> = serde_saphyr::from_str(text).unwrap();
        value.filter(|value| !value.is_null()).map(found)
    }

    /// A change of one object, either side may be empty; the fields are named by their paths.
    pub(in crate::domain::impact) fn change(from: &str, to: &str, fields: &[&str]) -> ObjectChange {
        let (from, to) = (yaml(from), yaml(to));
        let fields = fields.iter().map(|path| FieldChange {
            path: FieldPath(path.split('.').map(|step| Step::Field(step.into())).collect()),
            change: FieldFate::Changed,
            from: None,
            to: None,
            secret: false,
        });
        let change = match (&from, &to) {
            (Some(_), None) => Change::Removed,
            (None, _) => Change::Added,
            (Some(from), Some(to)) if from.key != to.key => Change::Renamed,
            _ => Change::Changed,
        };
        ObjectChange { change, from, to, fields: fields.collect(), cut: false }
    }

    /// What a subject says of one object, as `danger what: why`.
    pub(in crate::domain::impact) fn said(
        judge: fn(&Pair<'_>, &mut Vec<Impact>),
        lens: &Lens,
        from: &str,
        to: &str,
    ) -> Vec<String> {
        let change = change(from, to, &[]);
        let mut said = Vec::new();
        judge(&Pair::new(&change, lens, Where::Object(0)), &mut said);
        said.iter().map(words).collect()
    }

    pub(in crate::domain::impact) fn words(impact: &Impact) -> String {
        format!("{} {}: {}", impact.danger.word(), impact.what.word(), impact.why)
    }

    #[test]
    fn the_place_is_the_nearest_change_of_the_path() {
        let change = change(
            "{apiVersion: v1, kind: A}",
            "{apiVersion: v1, kind: A}",
            &["metadata.labels", "spec.replicas", "spec.template.spec.containers"],
        );
        let pair = Pair::new(&change, &Lens::Whole, Where::Object(7));
        let check = |path: &[&str], field| {
            let at = pair.say(Danger::Low, What::ImageChanged, path, "").at;
            assert_eq!(at, Place::Object { object: 7, field });
        };
        check(&["spec", "replicas"], Some(1));
        check(&["spec", "template", "spec", "containers", "main", "image"], Some(2));
        check(&["metadata"], Some(0));
        check(&["data"], None);
        check(&[], None);
    }
}
