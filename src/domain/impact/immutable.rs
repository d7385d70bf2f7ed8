//! Fields that the API server refuses to change, from its own validation (k8s.io/kubernetes v1.36 `pkg/apis/*/validation`,
//! `Validate…Update`). Rules of custom resources, and of admission webhooks, it does not know.

use super::{
    Danger, Impact, What,
    pair::{Pair, annotation, get, list, same, same_within, text},
    secret,
    words::some,
};
use crate::domain::lens::Lens;
use serde_json::{Value, json};

/// A field that stays as it was created.
enum Fixed {
    Field(&'static [&'static str]),
    /// Not set means this, written as JSON.
    Default(&'static [&'static str], &'static str),
    /// It may be set once: what was not set before is not known here.
    Once(&'static [&'static str]),
    /// Every field of this map but these.
    AllBut(&'static str, &'static [&'static str]),
}

use Fixed::{AllBut, Default, Field, Once};

struct Rule {
    group: &'static str,
    kind: &'static str,
    fixed: &'static [Fixed],
}

const fn rule(group: &'static str, kind: &'static str, fixed: &'static [Fixed]) -> Rule {
    Rule { group, kind, fixed }
}

const SELECTOR: &[Fixed] = &[Field(&["spec", "selector"])];
const ROLE_REF: &[Fixed] =
    &[Field(&["roleRef", "kind"]), Field(&["roleRef", "name"]), Field(&["roleRef", "apiGroup"])];
const SPEC: &[Fixed] = &[Field(&["spec"])];

const RULES: &[Rule] = &[
    rule("apps", "Deployment", SELECTOR),
    rule("apps", "DaemonSet", SELECTOR),
    rule("apps", "ReplicaSet", SELECTOR),
    rule(
        "apps",
        "StatefulSet",
        &[
            Default(&["spec", "podManagementPolicy"], "\"OrderedReady\""),
            Default(&["spec", "serviceName"], "\"\""),
            AllBut(
                "spec",
                &[
                    "replicas",
                    "ordinals",
                    "template",
                    "updateStrategy",
                    "revisionHistoryLimit",
                    "persistentVolumeClaimRetentionPolicy",
                    "minReadySeconds",
                    "podManagementPolicy",
                    "serviceName",
                    // judged below: the API server fills in what is not written
                    "volumeClaimTemplates",
                ],
            ),
        ],
    ),
    rule("apps", "ControllerRevision", &[Field(&["data"])]),
    rule(
        "batch",
        "Job",
        &[
            Once(&["spec", "selector"]),
            Default(&["spec", "completionMode"], "\"NonIndexed\""),
            Field(&["spec", "podFailurePolicy"]),
            Field(&["spec", "backoffLimitPerIndex"]),
            Field(&["spec", "managedBy"]),
            Field(&["spec", "successPolicy"]),
        ],
    ),
    rule(
        "",
        "PersistentVolumeClaim",
        &[
            Default(&["spec", "volumeMode"], "\"Filesystem\""),
            Once(&["spec", "storageClassName"]),
            Once(&["spec", "volumeName"]),
            AllBut(
                "spec",
                &["resources", "volumeAttributesClassName", "volumeMode", "storageClassName", "volumeName"],
            ),
        ],
    ),
    rule(
        "",
        "PersistentVolume",
        &[
            Default(&["spec", "volumeMode"], "\"Filesystem\""),
            Once(&["spec", "nodeAffinity"]),
            AllBut(
                "spec",
                &[
                    "capacity",
                    "accessModes",
                    "claimRef",
                    "persistentVolumeReclaimPolicy",
                    "storageClassName",
                    "mountOptions",
                    "volumeMode",
                    "nodeAffinity",
                    "volumeAttributesClassName",
                ],
            ),
        ],
    ),
    rule("", "Secret", &[Default(&["type"], "\"Opaque\"")]),
    rule("rbac.authorization.k8s.io", "RoleBinding", ROLE_REF),
    rule("rbac.authorization.k8s.io", "ClusterRoleBinding", ROLE_REF),
    rule(
        "storage.k8s.io",
        "StorageClass",
        &[
            Field(&["parameters"]),
            Field(&["provisioner"]),
            Default(&["reclaimPolicy"], "\"Delete\""),
            Default(&["volumeBindingMode"], "\"Immediate\""),
        ],
    ),
    rule(
        "storage.k8s.io",
        "CSIDriver",
        &[
            Default(&["spec", "attachRequired"], "true"),
            Default(&["spec", "volumeLifecycleModes"], "[\"Persistent\"]"),
        ],
    ),
    rule("storage.k8s.io", "VolumeAttributesClass", &[Field(&["driverName"]), Field(&["parameters"])]),
    rule("storage.k8s.io", "VolumeAttachment", SPEC),
    rule("storage.k8s.io", "CSIStorageCapacity", &[Field(&["nodeTopology"]), Field(&["storageClassName"])]),
    rule(
        "scheduling.k8s.io",
        "PriorityClass",
        &[Default(&["value"], "0"), Default(&["preemptionPolicy"], "\"PreemptLowerPriority\"")],
    ),
    rule("networking.k8s.io", "IngressClass", &[Field(&["spec", "controller"])]),
    rule("networking.k8s.io", "IPAddress", &[Field(&["spec", "parentRef"])]),
    rule("node.k8s.io", "RuntimeClass", &[Field(&["handler"])]),
    rule("discovery.k8s.io", "EndpointSlice", &[Field(&["addressType"])]),
    rule("resource.k8s.io", "ResourceClaim", SPEC),
    rule("resource.k8s.io", "ResourceClaimTemplate", SPEC),
    rule("certificates.k8s.io", "ClusterTrustBundle", &[Default(&["spec", "signerName"], "\"\"")]),
    rule("certificates.k8s.io", "CertificateSigningRequest", SPEC),
    rule(
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &[Field(&["spec", "group"]), Field(&["spec", "names", "kind"]), Field(&["spec", "names", "plural"])],
    ),
];

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let Some((from, to)) = pair.stays() else { return };
    // Helm deletes and creates a hook's object each time it runs
    if annotation(to, "helm.sh/hook").is_some() {
        return;
    }
    let mut touched: Vec<Vec<&str>> = Vec::new();
    for rule in RULES.iter().filter(|rule| pair.is(rule.group, rule.kind)) {
        for fixed in rule.fixed {
            fixed.touched(from, to, &mut touched);
        }
    }
    touched.extend(special(pair, from, to));
    let Some(first) = touched.first() else { return };
    let names: Vec<String> = touched.iter().map(|path| path.join(".")).collect();

    let why = format!("{} may not change: {}", some(&names, 3), refused(pair));
    said.push(pair.say(Danger::High, What::ImmutableField, first, why));
}

/// What becomes of an update that the API server refuses.
pub(super) fn refused(pair: &Pair<'_>) -> String {
    let loss = match pair.kind() {
        "PersistentVolumeClaim" => ", and its data with it",
        "CustomResourceDefinition" => ", and all its custom resources with it",
        "Namespace" => ", and everything in it",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Pod" => ", and its pods with it",
        _ => "",
    };
    match pair.lens {
        Lens::Release(_) => "the Helm upgrade fails until the object is deleted by hand".to_owned(),
        Lens::Kustomization(_) | Lens::Whole if forced(pair) => {
            format!("force is set, so Flux deletes the object{loss} and creates it again")
        }
        Lens::Kustomization(_) | Lens::Whole => format!(
            "Flux cannot apply it without force (spec.force, or the annotation kustomize.toolkit.fluxcd.io/force: \
             enabled), which deletes the object{loss} and creates it again"
        ),
    }
}

/// `spec.force` of the Kustomization, or a mark on the object, old or new (`fluxcd/pkg/ssa`, `shouldForceApply`).
fn forced(pair: &Pair<'_>) -> bool {
    const MARK: &str = "kustomize.toolkit.fluxcd.io/force";
    let marked = |object: &Value| {
        ["annotations", "labels"].iter().any(|part| {
            text(object, &["metadata", part, MARK]).is_some_and(|mark| mark.eq_ignore_ascii_case("enabled"))
        })
    };
    let spec = match pair.lens {
        Lens::Kustomization(lens) => lens.spec.get("force").and_then(Value::as_bool) == Some(true),
        Lens::Whole | Lens::Release(_) => false,
    };
    spec || pair.from.is_some_and(marked) || pair.to.is_some_and(marked)
}

impl Fixed {
    fn touched<'a>(&self, from: &'a Value, to: &'a Value, touched: &mut Vec<Vec<&'a str>>) {
        match self {
            Field(path) if !same_within(get(from, path), get(to, path)) => touched.push(path.to_vec()),
            Once(path) if get(from, path).is_some() && !same_within(get(from, path), get(to, path)) => {
                touched.push(path.to_vec());
            }
            Default(path, default) if !same_or(get(from, path), get(to, path), default) => {
                touched.push(path.to_vec());
            }
            AllBut(map, free) => touched.extend(other_keys(get(from, &[map]), get(to, &[map]), free, map)),
            Field(_) | Once(_) | Default(..) => {}
        }
    }
}

fn same_or(from: Option<&Value>, to: Option<&Value>, default: &str) -> bool {
    let word = |value: Option<&Value>| value.map_or_else(|| default.to_owned(), Value::to_string);
    word(from) == word(to)
}

fn other_keys<'a>(
    from: Option<&'a Value>,
    to: Option<&'a Value>,
    free: &[&str],
    map: &'static str,
) -> impl Iterator<Item = Vec<&'a str>> {
    let (from, to) = (from.and_then(Value::as_object), to.and_then(Value::as_object));
    let at = |side: Option<&'a serde_json::Map<String, Value>>, key: &str| side.and_then(|map| map.get(key));
    let mut keys: Vec<&str> =
        [from, to].into_iter().flatten().flat_map(serde_json::Map::keys).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| !free.contains(key) && !same_within(at(from, key), at(to, key)));
    keys.into_iter().map(move |key| vec![map, key])
}

/// Rules that one table cannot say.
fn special(pair: &Pair<'_>, from: &Value, to: &Value) -> Vec<Vec<&'static str>> {
    match (pair.group(), pair.kind()) {
        ("", "Service") => service(from, to),
        ("", "ConfigMap" | "Secret") => sealed(pair, from, to),
        ("", "Pod") => pod(from, to),
        ("", "PersistentVolumeClaim") => claim(from, to),
        ("apps", "StatefulSet") => claim_templates(from, to),
        ("batch", "Job") => job(from, to),
        _ => Vec::new(),
    }
}

/// `ValidateServiceUpdate`. What is not set any more is kept by the API server (`patchAllocatedValues`).
fn service(from: &Value, to: &Value) -> Vec<Vec<&'static str>> {
    let kind = |side| text(side, &["spec", "type"]).unwrap_or("ClusterIP");
    if kind(from) == "ExternalName" || kind(to) == "ExternalName" {
        return Vec::new();
    }
    let mut touched = Vec::new();
    let address = |side| {
        let first = list(side, &["spec", "clusterIPs"]).first().and_then(Value::as_str);
        text(side, &["spec", "clusterIP"]).or(first).filter(|address| !address.is_empty())
    };
    if address(to).is_some() && address(from) != address(to) {
        touched.push(vec![
            "spec",
            if get(to, &["spec", "clusterIP"]).is_some() { "clusterIP" } else { "clusterIPs" },
        ]);
    }
    let family = |side| list(side, &["spec", "ipFamilies"]).first();
    let headless = |side| address(side) == Some("None");
    if !headless(from) && !headless(to) && family(from).zip(family(to)).is_some_and(|(old, new)| old != new) {
        touched.push(vec!["spec", "ipFamilies"]);
    }
    let class = ["spec", "loadBalancerClass"];
    if kind(from) == "LoadBalancer" && kind(to) == "LoadBalancer" && text(from, &class) != text(to, &class) {
        touched.push(class.to_vec());
    }
    let port = ["spec", "healthCheckNodePort"];
    if get(from, &port).zip(get(to, &port)).is_some_and(|(old, new)| old != new) {
        touched.push(port.to_vec());
    }
    touched
}

/// `immutable: true` of a ConfigMap or Secret.
fn sealed(pair: &Pair<'_>, from: &Value, to: &Value) -> Vec<Vec<&'static str>> {
    let is_sealed = |side| get(side, &["immutable"]).and_then(Value::as_bool) == Some(true);
    if !is_sealed(from) {
        return Vec::new();
    }
    let mut touched: Vec<Vec<&str>> = ["data", "binaryData", "stringData"]
        .into_iter()
        .filter(|part| !same(get(from, &[part]), get(to, &[part])))
        .filter(|_| pair.kind() != "Secret" || !secret::says_the_same(from, to))
        .map(|part| vec![part])
        .collect();
    if !is_sealed(to) {
        touched.push(vec!["immutable"]);
    }
    touched
}

/// `ValidatePodUpdate`: images, a shorter deadline and more tolerations; nothing else.
fn pod(from: &Value, to: &Value) -> Vec<Vec<&'static str>> {
    let free =
        ["containers", "initContainers", "tolerations", "activeDeadlineSeconds", "ephemeralContainers"];
    let mut touched = Vec::new();
    if other_keys(get(from, &["spec"]), get(to, &["spec"]), &free, "spec").next().is_some() {
        touched.push(vec!["spec"]);
    }
    for containers in ["containers", "initContainers"] {
        let without_images = |side: &Value| {
            let mut items = list(side, &["spec", containers]).to_vec();
            items.iter_mut().filter_map(Value::as_object_mut).for_each(|item| drop(item.remove("image")));
            items
        };
        if without_images(from) != without_images(to) {
            touched.push(vec!["spec", containers]);
        }
    }
    let (old, new) = (list(from, &["spec", "tolerations"]), list(to, &["spec", "tolerations"]));
    if !old.iter().all(|one| new.contains(one)) {
        touched.push(vec!["spec", "tolerations"]);
    }
    touched
}

/// All of `resources` but the size.
fn claim(from: &Value, to: &Value) -> Vec<Vec<&'static str>> {
    let fixed = |side: &Value| {
        let mut resources = get(side, &["spec", "resources"]).cloned().unwrap_or_default();
        if let Some(requests) = resources.get_mut("requests").and_then(Value::as_object_mut) {
            requests.remove("storage");
        }
        if resources.get("requests").is_some_and(|requests| same(Some(requests), None))
            && let Some(resources) = resources.as_object_mut()
        {
            resources.remove("requests");
        }
        resources
    };
    let (old, new) = (fixed(from), fixed(to));
    if same_within(Some(&old), Some(&new)) { Vec::new() } else { vec![vec!["spec", "resources"]] }
}

/// The API server fills in what a template does not say; only what is said can be compared.
fn claim_templates(from: &Value, to: &Value) -> Vec<Vec<&'static str>> {
    let said = |side: &Value| -> Vec<Value> {
        let mut templates = list(side, &["spec", "volumeClaimTemplates"]).to_vec();
        for template in templates.iter_mut().filter_map(Value::as_object_mut) {
            for filled in ["apiVersion", "kind", "status"] {
                template.remove(filled);
            }
            if let Some(metadata) = template.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.remove("creationTimestamp");
            }
            if let Some(spec) = template.get_mut("spec").and_then(Value::as_object_mut) {
                spec.entry("volumeMode").or_insert_with(|| json!("Filesystem"));
            }
        }
        templates
    };
    let (old, new) = (Value::Array(said(from)), Value::Array(said(to)));
    if same_within(Some(&old), Some(&new)) { Vec::new() } else { vec![vec!["spec", "volumeClaimTemplates"]] }
}

/// `validateCompletions` and `validatePodTemplateUpdate`: where a suspended Job may run can still be said.
fn job(from: &Value, to: &Value) -> Vec<Vec<&'static str>> {
    let mut touched = Vec::new();
    let completions = ["spec", "completions"];
    let is_indexed = text(to, &["spec", "completionMode"]) == Some("Indexed");
    if !is_indexed && get(from, &completions).is_some() && get(from, &completions) != get(to, &completions) {
        touched.push(completions.to_vec());
    }
    let suspended = get(from, &["spec", "suspend"]).and_then(Value::as_bool) == Some(true);
    let template = |side: &Value| {
        let mut template = get(side, &["spec", "template"]).cloned().unwrap_or_default();
        if suspended {
            for (part, names) in [
                ("metadata", &["labels", "annotations"][..]),
                ("spec", &["nodeSelector", "tolerations", "affinity", "schedulingGates"]),
            ] {
                if let Some(part) = template.get_mut(part).and_then(Value::as_object_mut) {
                    for name in names {
                        part.remove(*name);
                    }
                }
            }
        }
        template
    };
    if !same_within(Some(&template(from)), Some(&template(to))) {
        touched.push(vec!["spec", "template"]);
    }
    touched
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::impact::pair::tests::said;
    use crate::domain::impact::tests::{forcing, pruning, release};

    /// The fields that are said to be refused.
    fn touched(kind: &str, from: &str, to: &str) -> String {
        let (api, kind) = kind.rsplit_once(' ').unwrap();
        let object =
            |rest: &str| format!("{{apiVersion: {api}, kind: {kind}, metadata: {{name: a}}, {rest}}}");
        let said = said(judge, &Lens::Whole, &object(from), &object(to));
        assert!(said.len() <= 1, "{said:?}");
        let fields = said.first().and_then(|said| said.strip_prefix("high immutable-field: "));
        fields.and_then(|said| said.split_once(" may not")).map_or("", |(fields, _)| fields).to_owned()
    }

    fn check(kind: &str, from: &str, to: &str, want: &str) {
        assert_eq!(touched(kind, from, to), want, "{kind}: {from} → {to}");
    }

    #[test]
    fn fields_of_workloads_that_stay_are_found() {
        let app = "spec: {selector: {matchLabels: {app: a}}}";
        check("apps/v1 Deployment", app, "spec: {selector: {matchLabels: {app: b}}}", "spec.selector");
        check("apps/v1 Deployment", app, "spec: {replicas: 3, selector: {matchLabels: {app: a}}}", "");
        check("apps/v1 StatefulSet", "spec: {replicas: 1}", "spec: {replicas: 2, minReadySeconds: 3}", "");
        check("apps/v1 StatefulSet", "spec: {replicas: 1}", "spec: {podManagementPolicy: OrderedReady}", "");
        check("apps/v1 StatefulSet", "spec: {serviceName: a}", "spec: {serviceName: b}", "spec.serviceName");
        check(
            "apps/v1 StatefulSet",
            "spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {resources: {requests: {storage: 1Gi}}}}]}",
            "spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {resources: {requests: {storage: 2Gi}}}}]}",
            "spec.volumeClaimTemplates",
        );
        check(
            "apps/v1 StatefulSet",
            "spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {accessModes: [ReadWriteOnce]}}]}",
            "spec: {volumeClaimTemplates: [{kind: PersistentVolumeClaim, apiVersion: v1, metadata: {name: d}, spec: {accessModes: [ReadWriteOnce], volumeMode: Filesystem}}]}",
            "",
        );
    }

    #[test]
    fn what_is_only_written_is_no_change_of_a_field_that_stays() {
        let (app, empty) = ("matchLabels: {app: a}", "matchLabels: {app: a}, matchExpressions: []");
        check(
            "apps/v1 Deployment",
            &format!("spec: {{selector: {{{app}}}}}"),
            &format!("spec: {{selector: {{{empty}}}}}"),
            "",
        );
        check(
            "apps/v1 StatefulSet",
            "spec: {volumeClaimTemplates: [{metadata: {name: d, labels: {}}, spec: {storageClassName: null}}]}",
            "spec: {volumeClaimTemplates: [{metadata: {name: d}, spec: {}}]}",
            "",
        );
        let job = |template: &str| format!("spec: {{template: {{{template}}}}}");
        check("batch/v1 Job", &job("metadata: {labels: {}}, spec: {a: [], b: null}"), &job("spec: {}"), "");
        check(
            "batch/v1 Job",
            &job("spec: {volumes: [{name: a, emptyDir: {}}]}"),
            &job("spec: {volumes: [{name: a}]}"),
            "spec.template",
        );
        check(
            "v1 Secret",
            "immutable: true, stringData: {a: hello}",
            "immutable: true, data: {a: aGVsbG8=}",
            "",
        );
        check(
            "v1 Secret",
            "immutable: true, stringData: {a: hello}",
            "immutable: true, data: {}",
            "stringData",
        );
    }

    #[test]
    fn fields_of_jobs_that_stay_are_found() {
        check(
            "batch/v1 Job",
            "spec: {template: {spec: {a: 1}}}",
            "spec: {template: {spec: {a: 2}}}",
            "spec.template",
        );
        check(
            "batch/v1 Job",
            "spec: {suspend: true, template: {spec: {nodeSelector: {a: b}}}}",
            "spec: {template: {spec: {}}}",
            "",
        );
        check("batch/v1 Job", "spec: {completions: 1}", "spec: {completions: 2}", "spec.completions");
        check(
            "batch/v1 Job",
            "spec: {completionMode: Indexed, completions: 1, parallelism: 1}",
            "spec: {completionMode: Indexed, completions: 2, parallelism: 2}",
            "",
        );
        check(
            "batch/v1 CronJob",
            "spec: {jobTemplate: {spec: {a: 1}}}",
            "spec: {jobTemplate: {spec: {a: 2}}}",
            "",
        );
    }

    #[test]
    fn fields_of_storage_secrets_and_pods_that_stay_are_found() {
        let claim = "v1 PersistentVolumeClaim";
        check(claim, "spec: {storageClassName: a}", "spec: {storageClassName: b}", "spec.storageClassName");
        check(claim, "spec: {accessModes: [a]}", "spec: {accessModes: [a], storageClassName: b}", "");
        check(
            claim,
            "spec: {resources: {requests: {storage: 1Gi}}}",
            "spec: {resources: {requests: {storage: 2Gi}}}",
            "",
        );
        check(
            claim,
            "spec: {accessModes: [ReadWriteOnce]}",
            "spec: {accessModes: [ReadWriteMany]}",
            "spec.accessModes",
        );
        check(
            "v1 PersistentVolume",
            "spec: {hostPath: {path: /a}}",
            "spec: {hostPath: {path: /b}}",
            "spec.hostPath",
        );
        check(
            "v1 PersistentVolume",
            "spec: {capacity: {storage: 1Gi}}",
            "spec: {capacity: {storage: 2Gi}}",
            "",
        );
        check("v1 Secret", "type: Opaque", "data: {}", "");
        check("v1 Secret", "type: Opaque", "type: kubernetes.io/tls", "type");
        check("v1 ConfigMap", "immutable: true, data: {a: b}", "immutable: true, data: {a: c}", "data");
        check("v1 ConfigMap", "immutable: true", "immutable: false", "immutable");
        check("v1 ConfigMap", "data: {a: b}", "data: {a: c}, immutable: true", "");
        check(
            "v1 Pod",
            "spec: {containers: [{name: a, image: b}]}",
            "spec: {containers: [{name: a, image: c}]}",
            "",
        );
        check(
            "v1 Pod",
            "spec: {containers: [{name: a, image: b}]}",
            "spec: {nodeName: n, containers: [{name: a, image: b, tty: true}]}",
            "spec and spec.containers",
        );
    }

    #[test]
    fn fields_of_other_kinds_that_stay_are_found() {
        let binding = "rbac.authorization.k8s.io/v1 ClusterRoleBinding";
        check(
            binding,
            "roleRef: {kind: ClusterRole, name: a}",
            "roleRef: {kind: ClusterRole, name: b}",
            "roleRef.name",
        );
        let class = "storage.k8s.io/v1 StorageClass";
        check(
            class,
            "provisioner: a",
            "provisioner: a, reclaimPolicy: Delete, allowVolumeExpansion: true",
            "",
        );
        check(
            class,
            "provisioner: a",
            "provisioner: b, reclaimPolicy: Retain",
            "provisioner and reclaimPolicy",
        );
        check("scheduling.k8s.io/v1 PriorityClass", "value: 1", "value: 2", "value");
        check(
            "networking.k8s.io/v1 IngressClass",
            "spec: {controller: a}",
            "spec: {controller: b}",
            "spec.controller",
        );
        check("node.k8s.io/v1 RuntimeClass", "handler: a", "handler: b", "handler");
        check("discovery.k8s.io/v1 EndpointSlice", "addressType: IPv4", "addressType: IPv6", "addressType");
        check(
            "apiextensions.k8s.io/v1 CustomResourceDefinition",
            "spec: {group: a.b, names: {kind: A, plural: as, shortNames: [a]}}",
            "spec: {group: a.b, names: {kind: B, plural: as}}",
            "spec.names.kind",
        );
        check("example.org/v1 StatefulSet", "spec: {serviceName: a}", "spec: {serviceName: b}", "");
    }

    #[test]
    fn addresses_of_a_service_stay_as_the_api_server_keeps_them() {
        let check = |from: &str, to: &str, want: &str| {
            assert_eq!(
                touched("v1 Service", &format!("spec: {{{from}}}"), &format!("spec: {{{to}}}")),
                want,
                "{from} → {to}"
            );
        };
        check("clusterIP: 10.0.0.1", "clusterIP: 10.0.0.2", "spec.clusterIP");
        check("clusterIP: None", "type: ClusterIP", "");
        check("type: ClusterIP", "clusterIP: None", "spec.clusterIP");
        check("clusterIP: 10.0.0.1", "type: ExternalName, externalName: a", "");
        check("ipFamilies: [IPv4]", "ipFamilies: [IPv6]", "spec.ipFamilies");
        check("ipFamilies: [IPv4]", "ipFamilies: [IPv4, IPv6]", "");
        check("clusterIP: None, ipFamilies: [IPv4]", "clusterIP: None, ipFamilies: [IPv6]", "");
        check("type: LoadBalancer", "type: LoadBalancer, loadBalancerClass: a", "spec.loadBalancerClass");
        check("type: NodePort", "type: LoadBalancer, loadBalancerClass: a", "");
    }

    #[test]
    fn who_can_still_apply_it_is_said() {
        let object = |image: &str, mark: &str| {
            format!(
                "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a, annotations: {{{mark}}}}}, spec: {{template: {{i: {image}}}}}}}"
            )
        };
        let check = |lens: &Lens, mark: &str, want: &str| {
            let said = said(judge, lens, &object("a", mark), &object("b", mark));
            assert!(said.concat().contains(want), "{said:?}");
        };
        check(&Lens::Whole, "", "Flux cannot apply it without force");
        check(&pruning(true), "", "Flux cannot apply it without force");
        check(&forcing(), "", "force is set, so Flux deletes the object and creates it again");
        check(&pruning(true), "kustomize.toolkit.fluxcd.io/force: Enabled", "force is set");
        check(&release("{}"), "", "the Helm upgrade fails until the object is deleted by hand");
        assert_eq!(
            said(
                judge,
                &release("{}"),
                &object("a", "helm.sh/hook: pre-upgrade"),
                &object("b", "helm.sh/hook: pre-upgrade")
            ),
            [""; 0]
        );
    }
}
