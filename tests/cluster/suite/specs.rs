//! The specs of Flux's OCI guide, with long intervals: what moves here moves because somebody asked.

use serde_json::{Value, json};

/// Any version there is.
pub const ANY: &str = ">=0.1.0";

pub fn source(repository: &str, reference: &Value) -> Value {
    json!({"interval": "1h", "url": format!("oci://{repository}"), "ref": reference})
}

/// The chart as it was pushed, for helm-controller.
pub fn chart_source(repository: &str, reference: &Value) -> Value {
    let mut spec = source(repository, reference);
    spec["layerSelector"] =
        json!({"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation": "copy"});
    spec
}

pub fn any_version() -> Value {
    json!({"semver": ANY})
}

pub fn tag(tag: &str) -> Value {
    json!({"tag": tag})
}

pub fn kustomization(source: &str, namespace: &str) -> Value {
    json!({
        "interval": "1h",
        "retryInterval": "1h",
        "prune": true,
        "path": "./",
        "targetNamespace": namespace,
        "sourceRef": {"kind": "OCIRepository", "name": source},
    })
}

/// Nothing here ever starts a pod, so nobody waits for one.
pub fn release_of_source(source: &str) -> Value {
    release(&json!({"chartRef": {"kind": "OCIRepository", "name": source}}))
}

pub fn release_of_chart(repository: &str, chart: &str) -> Value {
    release(&json!({"chart": {"spec": {
        "chart": chart,
        "version": ANY,
        "interval": "1h",
        "sourceRef": {"kind": "HelmRepository", "name": repository},
    }}}))
}

fn release(chart: &Value) -> Value {
    let mut spec = json!({
        "interval": "1h",
        "install": {"disableWait": true},
        "upgrade": {"disableWait": true},
    });
    for (name, value) in chart.as_object().into_iter().flatten() {
        spec[name.as_str()] = value.clone();
    }
    spec
}

/// A chart of a HelmRepository, without a release.
pub fn chart(repository: &str, chart: &str, version: &str) -> Value {
    json!({
        "chart": chart,
        "version": version,
        "interval": "1h",
        "sourceRef": {"kind": "HelmRepository", "name": repository},
    })
}

/// Static: helm-controller asks the registry through it, nobody reconciles it.
pub fn helm_repository(repository: &str) -> Value {
    json!({"type": "oci", "insecure": true, "interval": "1h", "url": format!("oci://{repository}")})
}
