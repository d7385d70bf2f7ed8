//! Which type each field that we read must have, and the removal of what has another one: so that one bad field never
//! costs the object. Only used where the typed read failed.

use jiff::Timestamp;
use serde_json::Value;

/// The type that a CRD promises for a field.
pub(super) enum Shape {
    Text,
    Number,
    Flag,
    Time,
    /// A map of texts.
    Words,
    List(&'static Shape),
    /// Fields that are not named are not looked at.
    Object(&'static [(&'static str, Shape)]),
}

/// More words than this about one object help nobody.
const MOST_ODDITIES: usize = 12;

/// Takes out of `value` what does not have its shape, and says so in `oddities`.
pub(super) fn repair(value: &mut Value, shape: &Shape, oddities: &mut Vec<String>) {
    if !fit(value, shape, "", oddities) {
        *value = Value::Object(serde_json::Map::new());
    }
}

/// False if the value has to go as a whole.
fn fit(value: &mut Value, shape: &Shape, path: &str, oddities: &mut Vec<String>) -> bool {
    let fits = match (shape, &mut *value) {
        (_, Value::Null) | (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => true,
        (Shape::Number, Value::Number(number)) => number.is_i64(),
        (Shape::Time, Value::String(text)) => text.parse::<Timestamp>().is_ok(),
        (Shape::Words, Value::Object(map)) => {
            map.retain(|key, value| value.is_string() || remark(oddities, path, key, value, &Shape::Text));
            true
        }
        (Shape::List(of), Value::Array(list)) => {
            list.retain_mut(|item| !item.is_null() && fit(item, of, &format!("{path}[]"), oddities));
            true
        }
        (Shape::Object(fields), Value::Object(map)) => {
            for (name, shape) in *fields {
                let path = if path.is_empty() { (*name).to_owned() } else { format!("{path}.{name}") };
                if map.get_mut(*name).is_some_and(|value| !fit(value, shape, &path, oddities)) {
                    map.remove(*name);
                }
            }
            true
        }
        _ => false,
    };
    fits || remark(oddities, path, "", value, shape)
}

/// Always false: what was remarked on does not stay.
fn remark(oddities: &mut Vec<String>, path: &str, key: &str, value: &Value, shape: &Shape) -> bool {
    if oddities.len() < MOST_ODDITIES {
        let dot = if key.is_empty() || path.is_empty() { "" } else { "." };
        let place = if path.is_empty() && key.is_empty() { "the object" } else { path };
        oddities.push(format!("{place}{dot}{key} is {}, not {}", found(value), wanted(shape)));
    }
    false
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn wanted(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text => "a text",
        Shape::Number => "a whole number",
        Shape::Flag => "true or false",
        Shape::Time => "a time",
        Shape::Words => "a map of texts",
        Shape::List(_) => "a list",
        Shape::Object(_) => "a map",
    }
}

use Shape::{Flag, List, Number, Object, Text, Time, Words};

const NAMED: Shape = Object(&[("name", Text)]);
const REFERENCE: Shape = Object(&[("kind", Text), ("name", Text), ("namespace", Text)]);
const REFERENCES: Shape = List(&REFERENCE);
const PRESENT: Shape = Object(&[]);

const METADATA: Shape = Object(&[
    ("name", Text),
    ("namespace", Text),
    ("generation", Number),
    ("creationTimestamp", Time),
    ("deletionTimestamp", Text),
    ("labels", Words),
    (
        "annotations",
        Object(&[("reconcile.fluxcd.io/requestedAt", Text), ("kustomize.toolkit.fluxcd.io/reconcile", Text)]),
    ),
]);

const VERIFY: Shape = Object(&[
    ("provider", Text),
    ("secretRef", NAMED),
    ("matchOIDCIdentity", List(&Object(&[("issuer", Text), ("subject", Text)]))),
]);

const STATUS: Shape = Object(&[
    ("observedGeneration", Number),
    (
        "conditions",
        List(&Object(&[
            ("type", Text),
            ("status", Text),
            ("reason", Text),
            ("message", Text),
            ("observedGeneration", Number),
            ("lastTransitionTime", Time),
        ])),
    ),
    ("lastHandledReconcileAt", Text),
    (
        "artifact",
        Object(&[
            ("revision", Text),
            ("digest", Text),
            ("checksum", Text),
            ("size", Number),
            ("lastUpdateTime", Time),
            ("url", Text),
            ("metadata", Words),
        ]),
    ),
    ("lastAppliedRevision", Text),
    ("lastAttemptedRevision", Text),
    ("lastAttemptedRevisionDigest", Text),
    ("lastReleaseRevision", Number),
    ("helmChart", Text),
    ("failures", Number),
    ("inventory", Object(&[("entries", List(&Object(&[("id", Text), ("v", Text)])))])),
    (
        "history",
        List(&Object(&[
            ("version", Number),
            ("status", Text),
            ("chartName", Text),
            ("chartVersion", Text),
            ("appVersion", Text),
            ("ociDigest", Text),
            ("action", Text),
            ("firstDeployed", Time),
            ("lastDeployed", Time),
            ("digest", Text),
            ("totalReconciliations", Number),
            ("firstReconciled", Time),
            ("lastReconciled", Time),
            ("lastReconciledStatus", Text),
            ("metadata", Object(&[("revision", Text), ("originRevision", Text)])),
        ])),
    ),
]);

/// The shapes of [`super::crd`]'s structs, one per kind.
pub(super) const OCI_REPOSITORY: Shape = Object(&[
    ("metadata", METADATA),
    (
        "spec",
        Object(&[
            ("url", Text),
            ("ref", Object(&[("digest", Text), ("semver", Text), ("semverFilter", Text), ("tag", Text)])),
            ("layerSelector", Object(&[("mediaType", Text), ("operation", Text)])),
            ("provider", Text),
            ("secretRef", NAMED),
            ("serviceAccountName", Text),
            ("certSecretRef", NAMED),
            ("proxySecretRef", NAMED),
            ("insecure", Flag),
            ("verify", VERIFY),
            ("ignore", Text),
            ("interval", Text),
            ("timeout", Text),
            ("suspend", Flag),
        ]),
    ),
    ("status", STATUS),
]);

pub(super) const HELM_REPOSITORY: Shape = Object(&[
    ("metadata", METADATA),
    ("spec", Object(&[("url", Text), ("type", Text), ("insecure", Flag), ("suspend", Flag)])),
    ("status", STATUS),
]);

pub(super) const HELM_CHART: Shape = Object(&[
    ("metadata", METADATA),
    (
        "spec",
        Object(&[
            ("chart", Text),
            ("version", Text),
            ("sourceRef", REFERENCE),
            ("verify", VERIFY),
            ("suspend", Flag),
        ]),
    ),
    ("status", STATUS),
]);

pub(super) const EXTERNAL_ARTIFACT: Shape =
    Object(&[("metadata", METADATA), ("spec", Object(&[("sourceRef", REFERENCE)])), ("status", STATUS)]);

pub(super) const OTHER_SOURCE: Shape = Object(&[
    ("metadata", METADATA),
    ("spec", Object(&[("url", Text), ("endpoint", Text), ("suspend", Flag)])),
    ("status", STATUS),
]);

pub(super) const KUSTOMIZATION: Shape = Object(&[
    ("metadata", METADATA),
    (
        "spec",
        Object(&[
            ("sourceRef", REFERENCE),
            ("path", Text),
            ("interval", Text),
            ("prune", Flag),
            ("dependsOn", REFERENCES),
            ("targetNamespace", Text),
            ("kubeConfig", PRESENT),
            ("suspend", Flag),
        ]),
    ),
    ("status", STATUS),
]);

pub(super) const HELM_RELEASE: Shape = Object(&[
    ("metadata", METADATA),
    (
        "spec",
        Object(&[
            ("chartRef", REFERENCE),
            (
                "chart",
                Object(&[("spec", Object(&[("chart", Text), ("version", Text), ("sourceRef", REFERENCE)]))]),
            ),
            ("interval", Text),
            ("dependsOn", REFERENCES),
            ("targetNamespace", Text),
            ("kubeConfig", PRESENT),
            ("suspend", Flag),
        ]),
    ),
    ("status", STATUS),
]);

pub(super) const EVENT: Shape = Object(&[
    ("metadata", Object(&[("uid", Text), ("name", Text), ("creationTimestamp", Time)])),
    ("type", Text),
    ("reason", Text),
    ("message", Text),
    ("count", Number),
    ("series", Object(&[("count", Number), ("lastObservedTime", Time)])),
    ("firstTimestamp", Time),
    ("lastTimestamp", Time),
    ("eventTime", Time),
    ("source", Object(&[("component", Text)])),
    ("reportingComponent", Text),
]);
