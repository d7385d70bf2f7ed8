//! Puts the objects into the API server, status included. Objects that are there already are left as they are.

use crate::{
    api::{Api, ClusterEnv},
    objects::{NAMESPACES, Planned, REPOSITORIES, namespace, planned, repository},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use std::{path::Path, process::Command};

const AT_ONCE: usize = 16;
const TAGS: &str = "20";

/// The repositories of all sources: the registry answers, and each is asked once.
pub fn push_repositories(env: &ClusterEnv) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/push");
    for number in 0..REPOSITORIES {
        let repository = format!("{}/{}", env.get("REGISTRY_PAGED"), repository(number));
        let output = Command::new(&script).args(["many", &repository, TAGS]).output().expect("push starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

pub async fn objects(api: &Api, env: &ClusterEnv, count: usize) {
    for index in 0..NAMESPACES {
        let name = namespace(index * 10);
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let answer = api.apply(&format!("/api/v1/namespaces/{name}"), &body).await;
        assert!(answer.as_ref().is_ok_and(|answer| answer.code < 300), "{answer:?}");
    }
    let registry = env.get("REGISTRY_PAGED");
    let filled = stream::iter((0..count).map(|index| create(api, planned(index, registry))))
        .buffer_unordered(AT_ONCE)
        .try_for_each(|()| async { Ok(()) })
        .await;
    filled.unwrap_or_else(|why| panic!("{why}"));
}

async fn create(api: &Api, planned: Planned) -> Result<(), String> {
    let answer = api.post(&planned.path, &planned.body).await?;
    if answer.code == 409 {
        return Ok(());
    }
    let mut stored = answer.json();
    let Some(name) = stored["metadata"]["name"].as_str().filter(|_| answer.code < 300) else {
        return Err(format!("{}: {}", planned.path, String::from_utf8_lossy(&answer.body)));
    };
    let path = format!("{}/{name}/status", planned.path);
    stored["status"] = planned.status;
    let answer = api.put(&path, &stored).await?;
    match answer.code {
        ..300 => Ok(()),
        code => Err(format!("{path}: {code} {}", String::from_utf8_lossy(&answer.body))),
    }
}
