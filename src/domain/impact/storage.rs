//! Where data lies: claims and their sizes, classes, what happens to a volume that is let go, and which claims pods
//! mount. What the API server refuses to change is judged by [`super::immutable`].

use super::{
    Danger, Impact, What, images,
    pair::{Pair, annotation, get, list, text},
    words::quote,
    workload::quantity,
};
use serde_json::Value;

const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    if pair.is("storage.k8s.io", "StorageClass") && pair.from.is_none() && pair.to.is_some_and(is_default) {
        let why = "a new default class: claims that name none get it";
        said.push(pair.say(Danger::Medium, What::StorageChanged, &["metadata"], why));
    }
    let Some((from, to)) = pair.both() else { return };
    match (pair.group(), pair.kind()) {
        ("", "PersistentVolumeClaim") => said.extend(size(pair, from, to)),
        ("", "PersistentVolume") => said.extend(reclaim(pair, from, to)),
        ("storage.k8s.io", "StorageClass") => class(pair, from, to, said),
        ("apps", "StatefulSet") => retention(pair, from, to, said),
        _ => {}
    }
    mounts(pair, from, to, said);
}

fn size(pair: &Pair<'_>, from: &Value, to: &Value) -> Option<Impact> {
    let path = ["spec", "resources", "requests", "storage"];
    let (old, new) = (get(from, &path)?, get(to, &path)?);
    let (was, is) = (quantity(old)?, quantity(new)?);
    let words = format!("size {} → {}", quote(Some(old)), quote(Some(new)));
    match is.total_cmp(&was) {
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Less => {
            let why = format!("{words}: a claim may not shrink, the API server refuses it");
            Some(pair.say(Danger::High, What::StorageChanged, &path, why))
        }
        std::cmp::Ordering::Greater => {
            let why = format!("{words}: refused unless its storage class allows expansion");
            Some(pair.say(Danger::Low, What::StorageChanged, &path, why))
        }
    }
}

fn reclaim(pair: &Pair<'_>, from: &Value, to: &Value) -> Option<Impact> {
    let path = ["spec", "persistentVolumeReclaimPolicy"];
    let (old, new) = (text(from, &path).unwrap_or("Retain"), text(to, &path).unwrap_or("Retain"));
    if old == new {
        return None;
    }
    let (danger, note) = match new {
        "Retain" => (Danger::Low, "the data stays when its claim goes"),
        _ => (Danger::High, "the data goes when its claim goes"),
    };
    Some(pair.say(danger, What::StorageChanged, &path, format!("reclaim policy {old} → {new}: {note}")))
}

fn is_default(class: &Value) -> bool {
    annotation(class, DEFAULT_CLASS) == Some("true")
}

fn class(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    let path = ["metadata", "annotations", DEFAULT_CLASS];
    match (is_default(from), is_default(to)) {
        (false, true) => {
            let why = "is now a default class: claims that name none get it";
            said.push(pair.say(Danger::Medium, What::StorageChanged, &path, why));
        }
        (true, false) => {
            let why = "is no longer the default class: claims that name none wait, or get another";
            said.push(pair.say(Danger::Medium, What::StorageChanged, &path, why));
        }
        (true, true) | (false, false) => {}
    }
    let expansion = ["allowVolumeExpansion"];
    let is_on = |side| get(side, &expansion).and_then(Value::as_bool) == Some(true);
    if is_on(from) && !is_on(to) {
        let why = "no longer allows expansion: its claims cannot grow";
        said.push(pair.say(Danger::Medium, What::StorageChanged, &expansion, why));
    }
}

fn retention(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    for (field, when) in [("whenDeleted", "it is deleted"), ("whenScaled", "it is scaled down")] {
        let path = ["spec", "persistentVolumeClaimRetentionPolicy", field];
        let policy = |side| text(side, &path).unwrap_or("Retain");
        match (policy(from), policy(to)) {
            (old, new) if old == new => {}
            (_, "Delete") => {
                let why = format!("its volume claims are deleted when {when}");
                said.push(pair.say(Danger::High, What::StorageChanged, &path, why));
            }
            (_, _) => {
                let why = format!("its volume claims stay when {when}");
                said.push(pair.say(Danger::Low, What::StorageChanged, &path, why));
            }
        }
    }
}

/// A volume of a pod that is another claim now, or none.
fn mounts(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    let (Some((path, old)), Some((_, new))) = (images::pod(from), images::pod(to)) else { return };
    for volume in list(old, &["volumes"]) {
        let (Some(name), Some(claim)) =
            (text(volume, &["name"]), text(volume, &["persistentVolumeClaim", "claimName"]))
        else {
            continue;
        };
        let other = list(new, &["volumes"]).iter().find(|other| text(other, &["name"]) == Some(name));
        let why = match other.map(|other| text(other, &["persistentVolumeClaim", "claimName"])) {
            Some(Some(other)) if other == claim => continue,
            Some(Some(other)) => {
                format!("volume {name}: claim {claim} → {other}, the data of the old one is not there")
            }
            Some(None) => {
                format!("volume {name} was claim {claim} and is none any more: its data is not there")
            }
            None => format!("volume {name}, claim {claim}, is no longer mounted"),
        };
        said.push(pair.say(Danger::High, What::StorageChanged, &[path, &["volumes", name]].concat(), why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{impact::pair::tests::said, lens::Lens};

    #[test]
    fn what_happens_to_data_is_said() {
        let check = |kind: &str, from: &str, to: &str, want: &[&str]| {
            let (api, kind) = kind.split_once(' ').unwrap();
            let object = |rest: &str| format!("{{apiVersion: {api}, kind: {kind}, {rest}}}");
            assert_eq!(said(judge, &Lens::Whole, &object(from), &object(to)), want, "{from} → {to}");
        };
        let claim = |size: &str| format!("spec: {{resources: {{requests: {{storage: {size}}}}}}}");
        check(
            "v1 PersistentVolumeClaim",
            &claim("2Gi"),
            &claim("1Gi"),
            &["high storage-changed: size 2Gi → 1Gi: a claim may not shrink, the API server refuses it"],
        );
        check(
            "v1 PersistentVolumeClaim",
            &claim("1Gi"),
            &claim("2Gi"),
            &["low storage-changed: size 1Gi → 2Gi: refused unless its storage class allows expansion"],
        );
        check("v1 PersistentVolumeClaim", &claim("1Gi"), &claim("1024Mi"), &[]);
        check(
            "v1 PersistentVolume",
            "spec: {persistentVolumeReclaimPolicy: Retain}",
            "spec: {persistentVolumeReclaimPolicy: Delete}",
            &["high storage-changed: reclaim policy Retain → Delete: the data goes when its claim goes"],
        );
        check(
            "storage.k8s.io/v1 StorageClass",
            "allowVolumeExpansion: true",
            "metadata: {annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}",
            &[
                "medium storage-changed: is now a default class: claims that name none get it",
                "medium storage-changed: no longer allows expansion: its claims cannot grow",
            ],
        );
        check(
            "apps/v1 StatefulSet",
            "spec: {}",
            "spec: {persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}}",
            &["high storage-changed: its volume claims are deleted when it is scaled down"],
        );
        let pod = |volume: &str| format!("spec: {{containers: [], volumes: [{{name: data, {volume}}}]}}");
        check(
            "v1 Pod",
            &pod("persistentVolumeClaim: {claimName: a}"),
            &pod("persistentVolumeClaim: {claimName: b}"),
            &["high storage-changed: volume data: claim a → b, the data of the old one is not there"],
        );
        check(
            "v1 Pod",
            &pod("persistentVolumeClaim: {claimName: a}"),
            &pod("emptyDir: {}"),
            &["high storage-changed: volume data was claim a and is none any more: its data is not there"],
        );
    }
}
