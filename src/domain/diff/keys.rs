//! By what Kubernetes knows the items of a list: one table (`patchMergeKey` and `listMapKey` of k8s.io/api v0.36, and
//! what is unique in practice where the API replaces the whole list).

use serde_json::Value;
use std::collections::HashMap;

/// Names and values, as in [`super::Step::Item`].
pub(super) type ItemKey = Box<[(Box<str>, Box<str>)]>;

/// Fields of an item, each with what it is when it is left out; without that it must be there.
type By = &'static [(&'static str, Option<&'static str>)];

const NAME: By = &[("name", None)];
const TYPE: By = &[("type", None)];
const IP: By = &[("ip", None)];

/// The field that holds the list, and what its items are known by. Where a field stands twice (`ports` of a container,
/// `ports` of a Service), the first that all items have.
const TABLE: &[(&str, By)] = &[
    // core/v1
    ("ports", &[("containerPort", None), ("protocol", Some("TCP"))]),
    ("ports", &[("port", None), ("protocol", Some("TCP"))]),
    ("volumeMounts", &[("mountPath", None)]),
    ("volumeDevices", &[("devicePath", None)]),
    ("topologySpreadConstraints", &[("topologyKey", None), ("whenUnsatisfiable", None)]),
    ("hostAliases", IP),
    ("podIPs", IP),
    ("hostIPs", IP),
    ("conditions", TYPE),
    ("addresses", TYPE),
    ("ownerReferences", &[("uid", None)]),
    (
        "tolerations",
        &[("key", Some("")), ("operator", Some("Equal")), ("value", Some("")), ("effect", Some(""))],
    ),
    ("limits", TYPE),
    // resource.k8s.io/v1
    ("reservedFor", &[("uid", None)]),
    ("consumesCounters", &[("counterSet", None)]),
    // rbac.authorization.k8s.io/v1: replaced whole, but one subject stands once
    ("subjects", &[("kind", None), ("namespace", Some("")), ("name", None)]),
    // networking.k8s.io/v1: replaced whole
    ("rules", &[("host", None)]),
    ("tls", &[("secretName", None)]),
    ("paths", &[("path", None), ("pathType", Some(""))]),
    // Flux
    ("valuesFrom", &[("kind", None), ("name", None), ("valuesKey", Some("")), ("targetPath", Some(""))]),
    ("substituteFrom", &[("kind", None), ("name", None)]),
    ("dependsOn", &[("namespace", Some("")), ("name", None)]),
    // argo, prometheus, gateway and others
    ("httpHeaders", NAME),
    ("parentRefs", &[("namespace", Some("")), ("name", None), ("sectionName", Some(""))]),
];

/// Lists that are sets: an item was added or removed, never made into another.
const SETS: &[&str] = &[
    "accessModes",
    "allowedHostPaths",
    "apiGroups",
    "categories",
    "clientCIDRs",
    "drop",
    "add",
    "enum",
    "finalizers",
    "hosts",
    "nonResourceURLs",
    "operations",
    "policyTypes",
    "required",
    "resourceNames",
    "resources",
    "shortNames",
    "verbs",
    "x-kubernetes-list-map-keys",
];

pub(super) fn is_set(field: &str) -> bool {
    SETS.contains(&field)
}

/// What the items of both lists are known by, if each is known by something of its own.
pub(super) fn keys(field: &str, from: &[Value], to: &[Value]) -> Option<(Vec<ItemKey>, Vec<ItemKey>)> {
    ways(field).find_map(|by| Some((known(by, from)?, known(by, to)?)))
}

/// What the items of one list are known by, when these keys are among them.
pub(super) fn keys_with(field: &str, items: &[Value], among: &[&ItemKey]) -> Option<Vec<ItemKey>> {
    ways(field).find_map(|by| {
        let keys = known(by, items)?;
        let places = places(&keys);
        let all = among.iter().all(|key| places.contains_key(key));
        drop(places);
        all.then_some(keys)
    })
}

fn ways(field: &str) -> impl Iterator<Item = By> {
    let by_table = TABLE.iter().filter(move |(name, _)| *name == field).map(|(_, by)| *by);
    // containers, volumes, env, webhooks, versions, imagePullSecrets, ...: by name, and so is what names itself
    by_table.chain([NAME])
}

/// None: an item is not known by this, or two are known by the same.
fn known(by: By, items: &[Value]) -> Option<Vec<ItemKey>> {
    let keys: Vec<ItemKey> = items.iter().map(|item| key(by, item)).collect::<Option<_>>()?;
    (places(&keys).len() == keys.len()).then_some(keys)
}

fn key(by: By, item: &Value) -> Option<ItemKey> {
    let fields = item.as_object()?;
    let part = |(name, default): &(&str, Option<&str>)| {
        let value: Box<str> = match fields.get(*name) {
            Some(Value::String(text)) => text.as_str().into(),
            Some(Value::Number(number)) => number.to_string().into(),
            None => (*default)?.into(),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => return None,
        };
        Some((Box::from(*name), value))
    };
    let parts: Vec<(Box<str>, Box<str>)> = by.iter().map(part).collect::<Option<_>>()?;
    // what is left out everywhere needs not be said
    let said = |(name, value): &(Box<str>, Box<str>)| {
        !value.is_empty() || by.iter().any(|(n, default)| **n == **name && default.is_none())
    };
    let parts: ItemKey = parts.into_iter().filter(said).collect();
    (!parts.is_empty()).then_some(parts)
}

pub(super) fn places(keys: &[ItemKey]) -> HashMap<&ItemKey, usize> {
    keys.iter().enumerate().map(|(place, key)| (key, place)).collect()
}

/// As it is shown in the value of a reordered list.
pub(super) fn words(key: &ItemKey) -> Value {
    match &**key {
        [(_, value)] => Value::from(&**value),
        parts => {
            let parts: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
            Value::from(parts.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(field: &str, item: &Value, expected: Option<&str>) {
        let list = [item.clone()];
        let found = keys(field, &list, &[]).map(|(keys, _)| {
            let parts: Vec<String> = keys[0].iter().map(|(name, value)| format!("{name}={value}")).collect();
            parts.join(",")
        });
        assert_eq!(found.as_deref(), expected, "{field}");
    }

    #[test]
    fn items_are_known_as_kubernetes_merges_them() {
        check("containers", &json!({"name": "a"}), Some("name=a"));
        check("ports", &json!({"name": "x", "containerPort": 80}), Some("containerPort=80,protocol=TCP"));
        check("ports", &json!({"port": "80", "protocol": "UDP"}), Some("port=80,protocol=UDP"));
        check("volumeMounts", &json!({"name": "a", "mountPath": "/a"}), Some("mountPath=/a"));
        check("subjects", &json!({"kind": "User", "name": "a"}), Some("kind=User,name=a"));
        check("tolerations", &json!({"operator": "Exists"}), Some("operator=Exists"));
        check("rules", &json!({"verbs": ["get"]}), None);
        check("containers", &json!({"image": "a"}), None);
        check("containers", &json!("a"), None);
    }

    #[test]
    fn what_stands_twice_is_known_by_nothing() {
        let twice = [json!({"name": "a"}), json!({"name": "a"})];
        assert!(keys("env", &twice, &[]).is_none() && keys("env", &[], &twice).is_none());
        let ports = [json!({"port": 53, "protocol": "TCP"}), json!({"port": 53, "protocol": "UDP"})];
        assert!(keys("ports", &ports, &ports).is_some());
    }
}
