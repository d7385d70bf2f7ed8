//! Making Flux act: what is sent, and how it is followed to its end.

use super::{
    BOUND, cluster,
    fake::{ApiServer, kustomization, ocirepository, ready},
};
use fluxscope::{
    domain::{
        action::{Patch, Step, What},
        identity::{Kind, ObjectId},
        problem::Cause,
    },
    port::{Cluster, carry_out, plan_reconcile},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

fn id(kind: Kind) -> ObjectId {
    ObjectId::new(kind, "apps", "app")
}

fn ready_world() -> ApiServer {
    let fake = ApiServer::new();
    fake.put(ocirepository("apps", "app"));
    fake.put(kustomization("apps", "app"));
    fake
}

/// Plans and carries out, to the end.
async fn reconcile(fake: &ApiServer, kind: Kind, with_source: bool, timeout: Duration) -> Vec<Step> {
    let cluster = cluster(fake);
    let (plan, _) = plan_reconcile(&*cluster, &id(kind), with_source).await.unwrap();
    let steps = carry_out(cluster, plan, "token-1".to_owned(), timeout).collect();
    tokio::time::timeout(BOUND, steps).await.unwrap()
}

fn whats(steps: &[Step]) -> Vec<(&'static str, &'static str)> {
    steps.iter().map(|step| (step.object.kind.short(), step.what.word())).collect()
}

fn echo(token: &str, object: &mut Value) {
    object["status"]["lastHandledReconcileAt"] = json!(token);
}

#[tokio::test]
async fn the_patch_is_a_merge_patch_of_one_annotation_by_our_field_manager() {
    let fake = ready_world();
    let patch = Patch::reconcile(id(Kind::OciRepository), "token-1");
    cluster(&fake).patch(patch).await.unwrap();
    let sent = fake.log().pop().unwrap();
    assert_eq!(sent.method, "PATCH");
    assert_eq!(
        sent.uri,
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/apps/ocirepositories/app?fieldManager=fluxscope"
    );
    assert_eq!(sent.content_type, "application/merge-patch+json");
    assert_eq!(sent.body, r#"{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"token-1"}}}"#);
}

#[tokio::test]
async fn a_refused_patch_names_the_missing_verb() {
    let fake = ready_world();
    fake.forbid("patch", "/app");
    let steps = reconcile(&fake, Kind::OciRepository, false, BOUND).await;
    assert_eq!(whats(&steps), [("ocirepo", "refused")]);
    assert!(steps[0].message.as_ref().unwrap().contains("verb patch"));
}

#[tokio::test]
async fn the_source_lands_before_its_consumer_is_asked() {
    let fake = ready_world();
    fake.react(echo);
    let steps = reconcile(&fake, Kind::Kustomization, true, BOUND).await;
    let expected = [
        ("ocirepo", "requested"),
        ("ocirepo", "handled"),
        ("ocirepo", "stored"),
        ("ks", "requested"),
        ("ks", "handled"),
        ("ks", "applied"),
    ];
    assert_eq!(whats(&steps), expected);
    assert!(steps[2].revision.as_ref().unwrap().starts_with("1.0.0@sha256:"));
    let patched: Vec<String> =
        fake.log().into_iter().filter(|asked| asked.method == "PATCH").map(|asked| asked.uri).collect();
    assert!(patched[0].contains("ocirepositories") && patched[1].contains("kustomizations"), "{patched:?}");
}

#[tokio::test]
async fn a_source_that_fails_ends_it_at_once_with_its_words_and_the_consumer_is_left_alone() {
    let fake = ready_world();
    fake.react(|token, object| {
        echo(token, object);
        object["status"]["conditions"] = json!([
            ready("False", "no such tag"),
            {"type": "Reconciling", "status": "True", "reason": "ProgressingWithRetry"},
        ]);
    });
    let steps = reconcile(&fake, Kind::Kustomization, true, BOUND).await;
    assert_eq!(whats(&steps), [("ocirepo", "requested"), ("ocirepo", "handled"), ("ocirepo", "failed")]);
    assert_eq!(steps[2].message.as_deref(), Some("no such tag"));
    let patches = fake.log().iter().filter(|asked| asked.method == "PATCH").count();
    assert_eq!(patches, 1);
}

#[tokio::test]
async fn an_object_that_is_suspended_after_the_plan_is_not_said_to_be_reconciled() {
    let fake = ready_world();
    fake.react(echo);
    let cluster = cluster(&fake);
    let (plan, _) = plan_reconcile(&*cluster, &id(Kind::Kustomization), true).await.unwrap();
    let mut suspended = ocirepository("apps", "app");
    suspended["spec"]["suspend"] = json!(true);
    fake.put(suspended);
    let steps: Vec<Step> = carry_out(cluster, plan, "token-1".to_owned(), BOUND).collect().await;
    assert_eq!(whats(&steps), [("ocirepo", "requested"), ("ocirepo", "handled"), ("ocirepo", "refused")]);
    assert!(steps[2].message.as_ref().unwrap().contains("did nothing"), "{:?}", steps[2]);
}

#[tokio::test]
async fn unknown_is_followed_until_it_is_decided() {
    let fake = ready_world();
    fake.react(|token, object| {
        echo(token, object);
        object["status"]["conditions"] = json!([ready("Unknown", "Reconciliation in progress")]);
    });
    let cluster = cluster(&fake);
    let (plan, _) = plan_reconcile(&*cluster, &id(Kind::Kustomization), false).await.unwrap();
    let mut steps = carry_out(cluster, plan, "token-1".to_owned(), BOUND);
    let mut seen = Vec::new();
    while let Some(step) = steps.next().await {
        let what = step.what;
        seen.push(step);
        if what == What::Progressing {
            let mut done = kustomization("apps", "app");
            echo("token-1", &mut done);
            fake.put(done);
        }
    }
    let expected = [("ks", "requested"), ("ks", "handled"), ("ks", "progressing"), ("ks", "applied")];
    assert_eq!(whats(&seen), expected);
}

#[tokio::test]
async fn a_controller_that_never_answers_is_a_timeout() {
    let fake = ready_world();
    let steps = reconcile(&fake, Kind::Kustomization, false, Duration::from_millis(300)).await;
    assert_eq!(whats(&steps), [("ks", "requested"), ("ks", "timed-out")]);
    assert!(steps[1].message.as_ref().unwrap().contains("no controller"));
}

#[tokio::test]
async fn a_timeout_beyond_all_clocks_is_waited_for() {
    let fake = ready_world();
    fake.react(echo);
    let steps = reconcile(&fake, Kind::OciRepository, false, Duration::MAX).await;
    assert_eq!(whats(&steps).last(), Some(&("ocirepo", "stored")));
}

#[tokio::test]
async fn an_object_that_is_deleted_on_the_way_is_lost() {
    let fake = ready_world();
    let cluster = cluster(&fake);
    let (plan, _) = plan_reconcile(&*cluster, &id(Kind::Kustomization), false).await.unwrap();
    let mut steps = carry_out(cluster, plan, "token-1".to_owned(), BOUND);
    assert_eq!(steps.next().await.unwrap().what, What::Requested);
    fake.delete(Kind::Kustomization, "apps", "app");
    let last = steps.next().await.unwrap();
    assert_eq!(last.what, What::Lost);
    assert!(steps.next().await.is_none());
}

#[tokio::test]
async fn a_restart_of_the_api_server_is_survived() {
    let fake = ready_world();
    let cluster = cluster(&fake);
    let mut objects = cluster.follow(id(Kind::Kustomization));
    objects.next().await.unwrap().unwrap();
    fake.stop();
    let mut changed = kustomization("apps", "app");
    echo("token-2", &mut changed);
    fake.put(changed);
    fake.start();
    let after = tokio::time::timeout(BOUND, objects.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(after.status().last_handled_reconcile_at.as_deref(), Some("token-2"));
}

#[tokio::test]
async fn who_may_not_watch_follows_by_reading() {
    let fake = ready_world();
    fake.forbid("watch", "kustomizations");
    let cluster = cluster(&fake);
    let mut objects = cluster.follow(id(Kind::Kustomization));
    objects.next().await.unwrap().unwrap();
    let mut changed = kustomization("apps", "app");
    echo("token-2", &mut changed);
    fake.put(changed);
    let after = tokio::time::timeout(BOUND, objects.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(after.status().last_handled_reconcile_at.as_deref(), Some("token-2"));
}

#[tokio::test]
async fn a_patch_of_what_does_not_exist_gives_the_answer_of_the_first_version() {
    let fake = ApiServer::new();
    let patch = Patch::reconcile(id(Kind::Kustomization), "token-1");
    let problem = cluster(&fake).patch(patch).await.unwrap_err();
    assert_eq!((problem.cause, problem.why.as_str()), (Cause::NotFound, "404 Not Found: not found"));
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let fake = ApiServer::new();
    let cluster = cluster(&fake);
    assert_eq!(cluster.fetch(id(Kind::Kustomization)).await.unwrap_err().cause, Cause::NotFound);
    let followed = cluster.follow(id(Kind::Kustomization)).next().await.unwrap();
    assert_eq!(followed.unwrap_err().cause, Cause::NotFound);
    let problem = plan_reconcile(&*cluster, &id(Kind::Kustomization), false).await.unwrap_err();
    assert_eq!(problem.cause, Cause::NotFound);
}

#[tokio::test]
async fn the_raw_object_is_whole_but_for_managed_fields() {
    let fake = ApiServer::new();
    let mut object = kustomization("apps", "app");
    object["metadata"]["managedFields"] = json!([{"manager": "x"}]);
    object["spec"]["unknown"] = json!({"kept": true});
    let secret = json!([{"kind": "Secret", "metadata": {"name": "a"}, "stringData": {"a": "b"}}]);
    object["spec"]["patchesStrategicMerge"] = secret.clone();
    fake.put(object);
    let raw = cluster(&fake).raw(id(Kind::Kustomization)).await.unwrap();
    assert_eq!(raw["spec"]["patchesStrategicMerge"], secret, "what is rendered is what is applied");
    assert_eq!(raw["metadata"].get("managedFields"), None);
    assert_eq!(raw["spec"]["unknown"]["kept"], true);
}

fn event(name: &str, at: &str, count: u64) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": "apps", "uid": name},
        "type": "Warning", "reason": "Failed", "message": name, "count": count, "lastTimestamp": at,
        "source": {"component": "source-controller"},
    })
}

#[tokio::test]
async fn events_are_whole_newest_first_and_live() {
    let fake = ready_world();
    fake.put(event("old", "2026-01-01T00:00:00Z", 1));
    fake.put(event("new", "2026-01-02T00:00:00Z", 1));
    let mut events = cluster(&fake).events(id(Kind::OciRepository));
    let first = events.next().await.unwrap().unwrap();
    assert_eq!(first.iter().map(|event| &*event.message).collect::<Vec<_>>(), ["new", "old"]);
    assert!(first[0].warning && &*first[0].from == "source-controller");
    fake.put(event("old", "2026-01-03T00:00:00Z", 2));
    let next = tokio::time::timeout(BOUND, events.next()).await.unwrap().unwrap().unwrap();
    assert_eq!((next.len(), &*next[0].message, next[0].count), (2, "old", 2));
    let asked = fake.log().into_iter().find(|asked| asked.uri.contains("events")).unwrap();
    assert!(asked.uri.contains("involvedObject.kind%3DOCIRepository"), "{}", asked.uri);
}

#[tokio::test]
async fn events_that_may_not_be_read_are_a_problem() {
    let fake = ready_world();
    fake.forbid("list", "events");
    let problem = cluster(&fake).events(id(Kind::OciRepository)).next().await.unwrap().unwrap_err();
    assert_eq!(problem.cause, Cause::Forbidden);
    assert!(problem.hint.unwrap().contains("events"));
}

#[tokio::test(start_paused = true)]
async fn events_outlast_a_long_outage_and_come_back_whole() {
    let fake = ready_world();
    fake.put(event("old", "2026-01-01T00:00:00Z", 1));
    let mut events = cluster(&fake).events(id(Kind::OciRepository));
    assert_eq!(events.next().await.unwrap().unwrap().len(), 1);
    fake.stop();
    let problem = events.next().await.unwrap().unwrap_err();
    assert_eq!(problem.cause, Cause::Unreachable);
    let silence = tokio::time::timeout(Duration::from_secs(600), events.next()).await;
    assert!(silence.is_err(), "it is told once, and the stream stays open: {silence:?}");
    fake.put(event("new", "2026-01-02T00:00:00Z", 1));
    fake.start();
    let back = events.next().await.unwrap().unwrap();
    assert_eq!(back.iter().map(|event| &*event.message).collect::<Vec<_>>(), ["new", "old"]);
    fake.put(event("newest", "2026-01-03T00:00:00Z", 1));
    assert_eq!(events.next().await.unwrap().unwrap().len(), 3, "and it is live again");
}

#[tokio::test]
async fn events_that_the_server_forgot_are_forgotten() {
    let fake = ready_world();
    fake.put(event("old", "2026-01-01T00:00:00Z", 1));
    fake.put(event("new", "2026-01-02T00:00:00Z", 1));
    let mut events = cluster(&fake).events(id(Kind::OciRepository));
    assert_eq!(events.next().await.unwrap().unwrap().len(), 2);
    fake.remove("events", "apps", "old");
    let left = tokio::time::timeout(BOUND, events.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(left.iter().map(|event| &*event.message).collect::<Vec<_>>(), ["new"]);
}

#[tokio::test]
async fn events_that_may_not_be_read_any_more_end() {
    let fake = ready_world();
    let mut events = cluster(&fake).events(id(Kind::OciRepository));
    assert!(events.next().await.unwrap().unwrap().is_empty());
    fake.forbid("watch", "events");
    fake.cut();
    let problem = tokio::time::timeout(BOUND, events.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!(problem.cause, Cause::Forbidden);
    assert!(events.next().await.is_none());
}
