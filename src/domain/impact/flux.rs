//! Flux's own objects inside the artifact: what they fetch, from where, and whether they still act. Values of releases
//! it does not quote: they may be secret.

use super::{
    Danger, Impact, What,
    pair::{Pair, get, same},
    words::quote,
};
use serde_json::Value;

/// A field of the spec that decides much, and how much.
struct Weight {
    path: &'static [&'static str],
    danger: Danger,
    /// It may be a long list or hold anything: only that it changes is said.
    is_quoted: bool,
    note: &'static str,
}

const fn weight(path: &'static [&'static str], danger: Danger, note: &'static str) -> Weight {
    Weight { path, danger, is_quoted: true, note }
}

const fn changes(path: &'static [&'static str], danger: Danger, note: &'static str) -> Weight {
    Weight { path, danger, is_quoted: false, note }
}

const KUSTOMIZATION: &[Weight] = &[
    weight(&["path"], Danger::High, "with prune what the old path applied is deleted"),
    weight(&["sourceRef", "kind"], Danger::High, "with prune what the old source applied is deleted"),
    weight(&["sourceRef", "name"], Danger::High, "with prune what the old source applied is deleted"),
    weight(&["sourceRef", "namespace"], Danger::High, "with prune what the old source applied is deleted"),
    weight(&["targetNamespace"], Danger::High, "its objects move, with prune the old ones are deleted"),
    weight(&["namePrefix"], Danger::High, "its objects are renamed, with prune the old ones are deleted"),
    weight(&["nameSuffix"], Danger::High, "its objects are renamed, with prune the old ones are deleted"),
    weight(&["prune"], Danger::Medium, ""),
    weight(&["suspend"], Danger::Medium, ""),
    weight(&["force"], Danger::Medium, "what cannot be updated is deleted and created again"),
    weight(&["deletionPolicy"], Danger::Medium, ""),
    changes(&["kubeConfig"], Danger::High, "another cluster may be meant"),
    weight(&["serviceAccountName"], Danger::Medium, ""),
    changes(&["patches"], Danger::Medium, "what they change is not seen here"),
    changes(&["images"], Danger::Medium, "what they change is not seen here"),
    changes(&["components"], Danger::Medium, "what they change is not seen here"),
    changes(&["postBuild"], Danger::Medium, "what it puts in is not seen here"),
    changes(&["dependsOn"], Danger::Low, ""),
];

const RELEASE: &[Weight] = &[
    weight(&["chart", "spec", "chart"], Danger::High, "another chart"),
    weight(&["chart", "spec", "version"], Danger::Medium, ""),
    weight(&["chart", "spec", "sourceRef", "name"], Danger::Medium, "another source"),
    weight(&["chartRef", "kind"], Danger::Medium, "another source"),
    weight(&["chartRef", "name"], Danger::Medium, "another source"),
    weight(&["chartRef", "namespace"], Danger::Medium, "another source"),
    weight(&["releaseName"], Danger::High, "the old release is uninstalled and a new one installed"),
    weight(&["targetNamespace"], Danger::High, "the old release is uninstalled and a new one installed"),
    weight(&["storageNamespace"], Danger::High, "the old release is uninstalled and a new one installed"),
    weight(&["suspend"], Danger::Medium, ""),
    weight(&["upgrade", "crds"], Danger::Medium, ""),
    weight(&["upgrade", "force"], Danger::Medium, ""),
    weight(&["install", "crds"], Danger::Low, ""),
    weight(&["serviceAccountName"], Danger::Medium, ""),
    changes(&["kubeConfig"], Danger::High, "another cluster may be meant"),
    changes(&["values"], Danger::Medium, "what they change is not seen here"),
    changes(&["valuesFrom"], Danger::Medium, "what they change is not seen here"),
    changes(&["postRenderers"], Danger::Medium, "what they change is not seen here"),
    changes(&["dependsOn"], Danger::Low, ""),
];

const SOURCE: &[Weight] = &[
    weight(&["url"], Danger::High, "it is fetched from elsewhere"),
    weight(&["ref", "tag"], Danger::Medium, ""),
    weight(&["ref", "semver"], Danger::Medium, ""),
    weight(&["ref", "semverFilter"], Danger::Medium, ""),
    weight(&["ref", "digest"], Danger::Medium, ""),
    weight(&["ref", "branch"], Danger::Medium, ""),
    weight(&["ref", "commit"], Danger::Medium, ""),
    weight(&["ref", "name"], Danger::Medium, ""),
    weight(&["chart"], Danger::High, "another chart"),
    weight(&["version"], Danger::Medium, ""),
    weight(&["insecure"], Danger::Medium, ""),
    changes(&["verify"], Danger::High, "who must have signed it changes"),
    changes(&["layerSelector"], Danger::Medium, "another layer may be taken"),
    changes(&["ignore"], Danger::Medium, "other files are left out"),
    weight(&["suspend"], Danger::Medium, ""),
];

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let Some((from, to)) = pair.both() else { return };
    let table = match (pair.group(), pair.kind()) {
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => KUSTOMIZATION,
        ("helm.toolkit.fluxcd.io", "HelmRelease") => RELEASE,
        (
            "source.toolkit.fluxcd.io",
            "OCIRepository" | "GitRepository" | "Bucket" | "HelmRepository" | "HelmChart",
        ) => SOURCE,
        _ => return,
    };
    for weight in table {
        let path = [&["spec"], weight.path].concat();
        let (old, new) = (get(from, &path), get(to, &path));
        if same(old, new) || is_off(old) && is_off(new) {
            continue;
        }
        let name = path.join(".");
        let note = if weight.note.is_empty() { String::new() } else { format!(": {}", weight.note) };
        let why = if weight.is_quoted {
            format!("{name} {} → {}{note}", quote(old), quote(new))
        } else {
            format!("{name} {}{note}", verb(old, new))
        };
        said.push(pair.say(weight.danger, What::FluxChanged, &path, why));
    }
}

fn is_off(value: Option<&Value>) -> bool {
    matches!(value, None | Some(Value::Bool(false)))
}

const fn verb(old: Option<&Value>, new: Option<&Value>) -> &'static str {
    match (old, new) {
        (None, _) => "is added",
        (_, None) => "is removed",
        (Some(_), Some(_)) => "changes",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{impact::pair::tests::said, lens::Lens};

    #[test]
    fn what_flux_is_told_is_said() {
        let check = |kind: &str, from: &str, to: &str, want: &[&str]| {
            let object = |spec: &str| {
                format!(
                    "{{apiVersion: {}.toolkit.fluxcd.io/v1, kind: {}, spec: {{{spec}}}}}",
                    kind.split('/').next().unwrap(),
                    kind.split('/').nth(1).unwrap()
                )
            };
            assert_eq!(said(judge, &Lens::Whole, &object(from), &object(to)), want);
        };
        check(
            "source/OCIRepository",
            "ref: {tag: 6.9.1}",
            "ref: {semver: 6.x}",
            &[
                "medium flux-changed: spec.ref.tag 6.9.1 → not set",
                "medium flux-changed: spec.ref.semver not set → 6.x",
            ],
        );
        check(
            "kustomize/Kustomization",
            "path: ./a, prune: true",
            "path: ./b, prune: false, suspend: false",
            &[
                "high flux-changed: spec.path ./a → ./b: with prune what the old path applied is deleted",
                "medium flux-changed: spec.prune true → false",
            ],
        );
        check(
            "helm/HelmRelease",
            "values: {password: s3cr3t}",
            "values: {password: other}, suspend: true",
            &[
                "medium flux-changed: spec.suspend not set → true",
                "medium flux-changed: spec.values changes: what they change is not seen here",
            ],
        );
        check("apps/Deployment", "path: a", "path: b", &[]);
    }
}
