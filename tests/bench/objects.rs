//! What the cluster is filled with: the mix, the size and the status of a real one. Nobody reconciles it.

use serde_json::{Value, json};

/// Groups of ten stand together in one of these namespaces: two sources, six Kustomizations, two HelmReleases.
pub const NAMESPACES: usize = 50;
/// Many sources share one repository, as they do where an artifact is rolled out per team or region.
pub const REPOSITORIES: usize = 20;

pub struct Planned {
    /// Of the collection in its namespace.
    pub path: String,
    pub body: Value,
    pub status: Value,
}

pub fn namespace(index: usize) -> String {
    format!("bench-{:02}", index / 10 % NAMESPACES)
}

pub fn repository(number: usize) -> String {
    format!("bench/app-{number:02}")
}

/// The object of this index, always the same.
pub fn planned(index: usize, registry: &str) -> Planned {
    match index % 10 {
        0 | 1 => source(index, registry),
        2..=7 => kustomization(index),
        _ => release(index),
    }
}

fn source(index: usize, registry: &str) -> Planned {
    let name = name(index);
    let namespace = namespace(index);
    let revision = revision(index);
    let spec = json!({
        "interval": "10m",
        "url": format!("oci://{registry}/{}", repository(index % REPOSITORIES)),
        "provider": "generic",
        "timeout": "60s",
        "ref": {"semver": ">=1.0.0 <2.0.0"},
    });
    let digest = hex(index);
    let path = format!("ocirepository/{namespace}/{name}/sha256:{digest}.tar.gz");
    let stored = format!("stored artifact for digest '{revision}'");
    let mut status = json!({
        "observedGeneration": 1,
        "artifact": {
            "digest": format!("sha256:{}", hex(index + 1)),
            "lastUpdateTime": "2026-06-14T11:23:36Z",
            "path": path,
            "revision": revision,
            "size": 11_050,
            "url": format!("http://source-controller.flux-system.svc.cluster.local./{path}"),
            "metadata": {
                "org.opencontainers.image.created": "2026-06-10T08:00:00Z",
                "org.opencontainers.image.revision": format!("main@sha1:{}", &digest[..40]),
                "org.opencontainers.image.source": "https://github.com/example/apps.git",
            },
        },
        "conditions": [ready("Succeeded", &stored), condition("ArtifactInStorage", "True", "Succeeded", &stored)],
    });
    if fails(index) {
        let message =
            format!("failed to determine the artifact tag for 'oci://{registry}': no match found for semver");
        status["conditions"][0] = condition("Ready", "False", "ReadOperationFailed", &message);
    }
    object("source.toolkit.fluxcd.io/v1", "OCIRepository", "ocirepositories", index, &spec, status)
}

fn kustomization(index: usize) -> Planned {
    let source = index / 10 * 10 + index % 2;
    let revision = revision(source);
    let namespace = namespace(index);
    let spec = json!({
        "interval": "10m",
        "retryInterval": "2m",
        "timeout": "5m",
        "path": "./deploy",
        "prune": true,
        "wait": true,
        "force": false,
        "targetNamespace": namespace,
        "sourceRef": {"kind": "OCIRepository", "name": name(source)},
    });
    let applied = format!("Applied revision: {revision}");
    let status = json!({
        "observedGeneration": 1,
        "lastAppliedRevision": revision,
        "lastAttemptedRevision": revision,
        "lastAppliedOriginRevision": format!("main@sha1:{}", &hex(source)[..40]),
        "conditions": [ready("ReconciliationSucceeded", &applied)],
        "history": [{
            "digest": format!("sha256:{}", hex(index)),
            "firstReconciled": "2026-06-14T11:23:40Z",
            "lastReconciled": "2026-06-20T09:13:40Z",
            "lastReconciledDuration": "1.52s",
            "lastReconciledStatus": "ReconciliationSucceeded",
            "totalReconciliations": 812,
        }],
        "inventory": {"entries": inventory(&namespace)},
    });
    object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", "kustomizations", index, &spec, status)
}

fn release(index: usize) -> Planned {
    let source = index / 10 * 10 + index % 2;
    let namespace = namespace(index);
    let name = name(index);
    let digest = hex(source);
    let version = format!("{}+{}", tag(source), &digest[..12]);
    let spec = json!({
        "interval": "10m",
        "chartRef": {"kind": "OCIRepository", "name": self::name(source)},
        "values": {"replicaCount": 2, "image": {"tag": tag(source)}},
    });
    let done = format!("Helm install succeeded for release {namespace}/{name}.v1 with chart app@{version}");
    let status = json!({
        "observedGeneration": 1,
        "lastAttemptedGeneration": 1,
        "lastAttemptedRevision": version,
        "lastAttemptedRevisionDigest": format!("sha256:{digest}"),
        "lastAttemptedConfigDigest": format!("sha256:{}", hex(index)),
        "lastAttemptedReleaseAction": "install",
        "storageNamespace": namespace,
        "conditions": [ready("InstallSucceeded", &done)],
        "history": [{
            "digest": format!("sha256:{}", hex(index + 7)),
            "name": name,
            "namespace": namespace,
            "version": 1,
            "status": "deployed",
            "chartName": "app",
            "chartVersion": version,
            "appVersion": tag(source),
            "configDigest": format!("sha256:{}", hex(index)),
            "firstDeployed": "2026-06-14T11:23:40Z",
            "lastDeployed": "2026-06-14T11:23:40Z",
            "ociDigest": format!("sha256:{digest}"),
        }],
        "inventory": {"entries": inventory(&namespace)},
    });
    object("helm.toolkit.fluxcd.io/v2", "HelmRelease", "helmreleases", index, &spec, status)
}

fn object(api_version: &str, kind: &str, plural: &str, index: usize, spec: &Value, status: Value) -> Planned {
    let namespace = namespace(index);
    let body = json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name(index),
            "namespace": namespace,
            "labels": {"app.kubernetes.io/part-of": "bench"},
        },
        "spec": spec,
    });
    Planned { path: format!("/apis/{api_version}/namespaces/{namespace}/{plural}"), body, status }
}

fn inventory(namespace: &str) -> Vec<Value> {
    ["apps_Deployment", "_Service", "_ConfigMap", "batch_CronJob", "apps_StatefulSet"]
        .iter()
        .flat_map(|kind| {
            ["frontend", "backend"].map(|part| json!({"id": format!("{namespace}_{part}_{kind}"), "v": "v1"}))
        })
        .collect()
}

fn ready(reason: &str, message: &str) -> Value {
    condition("Ready", "True", reason, message)
}

fn condition(name: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": name,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-06-14T11:23:40Z",
    })
}

fn name(index: usize) -> String {
    format!("app-{index:05}")
}

/// One source in fifty fails, and what takes from it is stale.
fn fails(index: usize) -> bool {
    index / 10 % 25 == 3 && index % 2 == 1
}

fn revision(index: usize) -> String {
    format!("{}@sha256:{}", tag(index), hex(index))
}

fn tag(index: usize) -> String {
    format!("1.0.{}", index / 10 % 20)
}

/// 64 hex digits that look like a digest and are always the same for an index.
fn hex(index: usize) -> String {
    let parts: Vec<String> = (0..4)
        .map(|part| {
            let mixed = (index as u64 * 4 + part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            format!("{:016x}", (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9))
        })
        .collect();
    parts.concat()
}
