//! ConfigMaps and Secrets: one GET each, read only, and what is not there or not allowed is told apart.

use super::{cluster, fake::ApiServer};
use fluxscope::{
    domain::{
        lens::{Config, ConfigKind, ConfigRef},
        problem::{Cause, Problem},
    },
    port::Cluster,
};
use serde_json::json;

async fn read(fake: &ApiServer, kind: ConfigKind, name: &str) -> Result<Config, Problem> {
    cluster(fake).config(ConfigRef { kind, namespace: "apps".into(), name: name.into() }).await
}

#[tokio::test]
async fn what_they_hold_comes_by_one_get() {
    let fake = ApiServer::new();
    let metadata = json!({"name": "values", "namespace": "apps"});
    fake.put(json!({"kind": "ConfigMap", "metadata": metadata, "data": {"values.yaml": "a: 1"}}));
    fake.put(json!({"kind": "Secret", "metadata": metadata, "data": {"values.yaml": "YjogMg=="}}));
    let map = read(&fake, ConfigKind::ConfigMap, "values").await.unwrap();
    assert_eq!(map.0["values.yaml"], b"a: 1");
    let secret = read(&fake, ConfigKind::Secret, "values").await.unwrap();
    assert_eq!(secret.0["values.yaml"], b"b: 2");
    let asked: Vec<String> =
        fake.log().iter().map(|asked| format!("{} {}", asked.method, asked.uri)).collect();
    assert_eq!(
        asked,
        ["GET /api/v1/namespaces/apps/configmaps/values", "GET /api/v1/namespaces/apps/secrets/values"]
    );
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_read_are_two_things() {
    let fake = ApiServer::new();
    let gone = read(&fake, ConfigKind::ConfigMap, "gone").await.unwrap_err();
    assert_eq!((gone.cause, &*gone.what), (Cause::NotFound, "read ConfigMap apps/gone"));
    fake.forbid("get", "/secrets/values");
    let forbidden = read(&fake, ConfigKind::Secret, "values").await.unwrap_err();
    assert_eq!(forbidden.cause, Cause::Forbidden);
    assert_eq!(
        forbidden.hint.as_deref(),
        Some("the verb get on secrets is missing: kubectl auth can-i get secrets/values -n apps")
    );
}
