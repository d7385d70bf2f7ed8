//! Definitions of custom resources: what their versions, scope and schemas do not allow any more. Of a large one it says
//! a few examples and how many there are. It knows no custom resource.

use super::{
    Danger, Impact, What, immutable,
    pair::{Pair, get, list, same, text},
    schema::{Loss, losses},
    words::{count, some},
};
use crate::domain::{diff::Change, lens::Lens};
use serde_json::Value;

/// Paths named in one sentence.
const MOST: usize = 3;

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    if !pair.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        return;
    }
    if pair.change.change == Change::Added {
        said.push(pair.say(Danger::Low, What::CrdAdded, &[], "a new kind of resource"));
    }
    let Some((from, to)) = pair.both() else { return };
    let scope = ["spec", "scope"];
    if let (Some(old), Some(new)) = (text(from, &scope), text(to, &scope))
        && old != new
    {
        let why = format!("scope {old} → {new}: {}", immutable::refused(pair));
        said.push(pair.say(Danger::High, What::CrdScopeChanged, &scope, why));
    }
    versions(pair, from, to, said);
    conversion(pair, from, to, said);
    schemas(pair, from, to, said);
}

/// A definition in `crds/` of a chart: Helm installs it and leaves it then; helm-controller goes by a policy.
pub(super) fn judge_in_chart(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let mut own = Vec::new();
    judge(pair, &mut own);
    let taken = match pair.lens {
        Lens::Release(lens) => lens.replaces_crds(),
        Lens::Whole | Lens::Kustomization(_) => false,
    };
    let (danger, why) = in_chart(pair, &own);
    said.push(pair.say(danger, What::CrdInChart, &[], why));
    said.extend(own.into_iter().filter(|impact| impact.what != What::CrdAdded).map(|impact| {
        if taken {
            return impact;
        }
        Impact {
            danger: Danger::Low,
            why: format!("{} (if the definition is upgraded)", impact.why),
            ..impact
        }
    }));
}

fn in_chart(pair: &Pair<'_>, own: &[Impact]) -> (Danger, String) {
    let (policy, client_side) = match pair.lens {
        Lens::Release(lens) => (Some(&*lens.upgrade_crds), lens.applies_client_side()),
        Lens::Whole | Lens::Kustomization(_) => (None, false),
    };
    let losses = own.iter().filter(|impact| impact.danger != Danger::Low).count();
    let losses = if losses == 0 { String::new() } else { format!(", with {}", count(losses, "danger")) };
    match (pair.change.change, policy) {
        (Change::Removed, _) => (Danger::Low, "no longer in crds/: Helm leaves it in the cluster".to_owned()),
        (Change::Added, None) => (
            Danger::Medium,
            "new in crds/: helm upgrade does not install it, a HelmRelease does unless spec.upgrade.crds is Skip".to_owned(),
        ),
        (Change::Added, Some("Create" | "CreateReplace")) => (Danger::Low, "new in crds/: Helm installs it".to_owned()),
        (Change::Added, Some(_)) => (
            Danger::Medium,
            "new in crds/: the upgrade does not install it, spec.upgrade.crds is Skip".to_owned(),
        ),
        (Change::Changed | Change::Renamed | Change::Moved | Change::Formatting, None) => (
            Danger::Medium,
            format!(
                "changed in crds/{losses}: helm upgrade leaves the old one, a HelmRelease may write over it (spec.upgrade.crds)"
            ),
        ),
        (Change::Changed | Change::Renamed | Change::Moved | Change::Formatting, Some("CreateReplace")) => (
            Danger::Low,
            format!("changed in crds/{losses}: the upgrade replaces it, spec.upgrade.crds is CreateReplace"),
        ),
        (Change::Changed | Change::Renamed | Change::Moved | Change::Formatting, Some("Create"))
            if !client_side => (
            Danger::Low,
            format!(
                "changed in crds/{losses}: the upgrade writes over it, spec.upgrade.crds is Create and Helm applies \
                 server-side (a release that Helm 3 installed keeps the old one)"
            ),
        ),
        (Change::Changed | Change::Renamed | Change::Moved | Change::Formatting, Some(policy)) => (
            Danger::Medium,
            format!("changed in crds/{losses}: the upgrade leaves the old one, spec.upgrade.crds is {policy}"),
        ),
    }
}

fn named<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    list(object, &["spec", "versions"]).iter().find(|version| text(version, &["name"]) == Some(name))
}

fn flag(version: &Value, name: &str) -> bool {
    get(version, &[name]).and_then(Value::as_bool) == Some(true)
}

fn versions(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    let path = ["spec", "versions"];
    for version in list(from, &path) {
        let Some(name) = text(version, &["name"]) else { continue };
        let at = ["spec", "versions", name];
        match named(to, name) {
            None if flag(version, "storage") => said.push(pair.say(
                Danger::High,
                What::CrdVersionDropped,
                &at,
                format!("version {name} is dropped and was the stored one: refused while objects may be stored in it"),
            )),
            None => {
                let who = if flag(version, "served") { "whoever still uses it fails" } else { "it was not served" };
                let danger = if flag(version, "served") { Danger::Medium } else { Danger::Low };
                said.push(pair.say(danger, What::CrdVersionDropped, &at, format!("version {name} is dropped: {who}")));
            }
            Some(new) if flag(version, "served") && !flag(new, "served") => said.push(pair.say(
                Danger::High,
                What::CrdVersionNotServed,
                &at,
                format!("version {name} is no longer served: whoever still uses it fails"),
            )),
            Some(_) => {}
        }
    }
    let stored = |side: &Value| {
        let stored = list(side, &path).iter().find(|version| flag(version, "storage"));
        stored.and_then(|version| text(version, &["name"])).map(str::to_owned)
    };
    if let (Some(old), Some(new)) = (stored(from), stored(to))
        && old != new
    {
        let why = format!(
            "stored version {old} → {new}: objects stay stored as {old} until they are written again"
        );
        said.push(pair.say(Danger::Medium, What::CrdStoredVersion, &["spec", "versions", &new], why));
    }
}

fn conversion(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    let path = ["spec", "conversion"];
    let strategy = |side| text(side, &["spec", "conversion", "strategy"]).unwrap_or("None");
    let (old, new) = (strategy(from), strategy(to));
    let why = if old != new {
        format!("conversion {old} → {new}: reads of every other version depend on it")
    } else if new == "Webhook" && !same(without_bundle(from).as_ref(), without_bundle(to).as_ref()) {
        "the conversion webhook changes: reads of every other version depend on it".to_owned()
    } else {
        return;
    };
    said.push(pair.say(Danger::Medium, What::CrdConversion, &path, why));
}

/// The certificate is injected in the cluster.
fn without_bundle(object: &Value) -> Option<Value> {
    let mut webhook = get(object, &["spec", "conversion", "webhook"])?.clone();
    if let Some(config) = webhook.get_mut("clientConfig").and_then(Value::as_object_mut) {
        config.remove("caBundle");
    }
    Some(webhook)
}

fn schemas(pair: &Pair<'_>, from: &Value, to: &Value, said: &mut Vec<Impact>) {
    let path = ["spec", "versions"];
    let is_one = list(to, &path).len() == 1;
    let mut all: Vec<(&str, Loss)> = Vec::new();
    for version in list(from, &path) {
        let Some(name) = text(version, &["name"]) else { continue };
        let schema = |side| get(side, &["schema", "openAPIV3Schema"]);
        if let Some((old, new)) = schema(version).zip(named(to, name).and_then(schema)) {
            all.extend(losses(old, new).into_iter().map(|loss| (name, loss)));
        }
    }
    for (what, danger, begin, end) in [
        (What::CrdFieldRequired, Danger::High, "now required", "objects that leave it out are refused"),
        (What::CrdTypeChanged, Danger::High, "another type", "objects that set it as before are refused"),
        (What::CrdEnumNarrowed, Danger::High, "fewer values allowed", "objects with others are refused"),
        (What::CrdFieldRemoved, Danger::Medium, "fields removed", "what objects set there is dropped"),
        (What::CrdTightened, Danger::Medium, "checked more strictly", "objects that break it are refused"),
    ] {
        let mut of: Vec<&(&str, Loss)> = all.iter().filter(|(_, loss)| loss.what == what).collect();
        // what a controller writes itself comes last
        of.sort_by_key(|(_, loss)| is_status(loss));
        let Some((version, first)) = of.first() else { continue };
        let danger = if is_status(first) { Danger::Low } else { danger };
        let paths: Vec<String> = of.iter().map(|(version, loss)| worded(version, loss, is_one)).collect();
        let mut field = [&path[..], &[version, "schema"], &steps(&first.path)].concat();
        if what == What::CrdFieldRequired {
            // it is named in the list beside the properties
            field.truncate(field.len().saturating_sub(2));
            field.push("required");
        }
        said.push(pair.say(danger, what, &field, format!("{begin}: {}; {end}", some(&paths, MOST))));
    }
}

fn is_status(loss: &Loss) -> bool {
    loss.path == "status" || loss.path.starts_with("status.")
}

fn worded(version: &str, loss: &Loss, is_one: bool) -> String {
    let at = if loss.path.is_empty() { "the whole object" } else { &loss.path };
    let version = if is_one { String::new() } else { format!("{version} ") };
    if loss.detail.is_empty() { format!("{version}{at}") } else { format!("{version}{at} ({})", loss.detail) }
}

/// Where a path of the resource stands in its schema.
fn steps(path: &str) -> Vec<&str> {
    let mut steps = vec!["openAPIV3Schema"];
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let (name, items) = (part.trim_end_matches("[]"), part.matches("[]").count());
        match name {
            "*" => steps.push("additionalProperties"),
            name => steps.extend(["properties", name]),
        }
        steps.extend(std::iter::repeat_n("items", items));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::impact::pair::tests::said;
    use crate::domain::impact::tests::release_crds;

    fn crd(spec: &str) -> String {
        format!(
            "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: a}}, spec: {{{spec}}}}}"
        )
    }

    fn check(from: &str, to: &str, want: &[&str]) {
        assert_eq!(said(judge, &Lens::Whole, &crd(from), &crd(to)), want);
    }

    const V1: &str = "{name: v1, served: true, storage: true}";

    #[test]
    fn versions_that_go_are_said() {
        let both = format!("versions: [{{name: v1beta1, served: true, storage: false}}, {V1}]");
        let v1 = format!("versions: [{V1}]");
        check(
            &both,
            &v1,
            &["medium crd-version-dropped: version v1beta1 is dropped: whoever still uses it fails"],
        );
        check(&v1, &both, &[]);
        let stored = "versions: [{name: v1beta1, served: true, storage: true}]";
        check(
            stored,
            &v1,
            &[
                "high crd-version-dropped: version v1beta1 is dropped and was the stored one: refused while objects may be stored in it",
                "medium crd-stored-version: stored version v1beta1 → v1: objects stay stored as v1beta1 until they are written again",
            ],
        );
        let unserved = format!("versions: [{{name: v1beta1, served: false, storage: false}}, {V1}]");
        check(
            &both,
            &unserved,
            &[
                "high crd-version-not-served: version v1beta1 is no longer served: whoever still uses it fails",
            ],
        );
        check(&unserved, &v1, &["low crd-version-dropped: version v1beta1 is dropped: it was not served"]);
    }

    #[test]
    fn scope_and_conversion_are_said() {
        let said = said(judge, &Lens::Whole, &crd("scope: Namespaced"), &crd("scope: Cluster"));
        assert!(
            said[0].starts_with("high crd-scope-changed: scope Namespaced → Cluster: Flux cannot apply it"),
            "{said:?}"
        );
        check(
            "scope: Cluster",
            "scope: Cluster, conversion: {strategy: Webhook}",
            &["medium crd-conversion: conversion None → Webhook: reads of every other version depend on it"],
        );
        let hook = |service: &str, bundle: &str| {
            format!(
                "conversion: {{strategy: Webhook, webhook: {{clientConfig: {{caBundle: {bundle}, service: {{name: {service}}}}}}}}}"
            )
        };
        check(&hook("a", "x"), &hook("a", "y"), &[]);
        check(
            &hook("a", "x"),
            &hook("b", "x"),
            &[
                "medium crd-conversion: the conversion webhook changes: reads of every other version depend on it",
            ],
        );
    }

    #[test]
    fn many_fields_are_a_few_words() {
        let versions = |spec: &str| {
            format!(
                "versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {{properties: {{spec: {spec}}}}}}}}}]"
            )
        };
        let fields: Vec<String> = (0..15).map(|i| format!("f{i:02}: {{type: string}}")).collect();
        let fields = fields.join(", ");
        check(
            &versions(&format!("{{properties: {{{fields}}}}}")),
            &versions("{properties: {}}"),
            &[
                "medium crd-field-removed: fields removed: spec.f00, spec.f01, spec.f02 and 12 more; what objects set there is dropped",
            ],
        );
        check(
            &versions("{}"),
            &versions("{required: [a], properties: {a: {}}}"),
            &["high crd-field-required: now required: spec.a; objects that leave it out are refused"],
        );
    }

    #[test]
    fn helm_leaves_definitions_of_a_chart_alone() {
        let check = |lens: &Lens, from: &str, to: &str, want: &[&str]| {
            assert_eq!(said(judge_in_chart, lens, from, to), want);
        };
        let stored = crd("versions: [{name: v1beta1, served: true, storage: false}]");
        let none = crd("versions: []");
        check(
            &Lens::Whole,
            &stored,
            &none,
            &[
                "medium crd-in-chart: changed in crds/, with 1 danger: helm upgrade leaves the old one, a HelmRelease may write over it (spec.upgrade.crds)",
                "low crd-version-dropped: version v1beta1 is dropped: whoever still uses it fails (if the definition is upgraded)",
            ],
        );
        check(
            &release_crds("Skip"),
            &stored,
            &none,
            &[
                "medium crd-in-chart: changed in crds/, with 1 danger: the upgrade leaves the old one, spec.upgrade.crds is Skip",
                "low crd-version-dropped: version v1beta1 is dropped: whoever still uses it fails (if the definition is upgraded)",
            ],
        );
        check(
            &release_crds("CreateReplace"),
            &stored,
            &none,
            &[
                "low crd-in-chart: changed in crds/, with 1 danger: the upgrade replaces it, spec.upgrade.crds is CreateReplace",
                "medium crd-version-dropped: version v1beta1 is dropped: whoever still uses it fails",
            ],
        );
        check(
            &release_crds("Create"),
            &stored,
            &none,
            &[
                "low crd-in-chart: changed in crds/, with 1 danger: the upgrade writes over it, spec.upgrade.crds is Create and Helm applies server-side (a release that Helm 3 installed keeps the old one)",
                "medium crd-version-dropped: version v1beta1 is dropped: whoever still uses it fails",
            ],
        );
        check(
            &release_crds("Skip"),
            "",
            &none,
            &[
                "medium crd-in-chart: new in crds/: the upgrade does not install it, spec.upgrade.crds is Skip",
            ],
        );
        check(
            &release_crds("Skip"),
            &none,
            "",
            &["low crd-in-chart: no longer in crds/: Helm leaves it in the cluster"],
        );
    }
}
