//! `reconcile`: the patch first, the steps as they happen, the end in words and as exit code.

use super::{
    HOSTILE, Handle,
    fake::{Changed, Fake, Reaction, chart, digest, helm_repository, id, kustomization, release, repository},
    is_safe, run_on,
};
use fluxscope::domain::{
    condition::ConditionStatus,
    fact::Object,
    identity::{Kind, ObjectId},
    problem::{Cause, Problem},
    source::Follows,
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc};

fn ks() -> ObjectId {
    id(Kind::Kustomization, "shop/app")
}

fn oci() -> ObjectId {
    id(Kind::OciRepository, "shop/app")
}

fn objects() -> Vec<Object> {
    vec![repository("shop/app", Follows::Latest), kustomization("shop/app", oci())]
}

fn newer(object: Object) -> Reaction {
    Reaction::Becomes(Box::new(object.holding(&format!("1.1.0@{}", digest('b')))))
}

fn world(objects: Vec<Object>, reactions: impl IntoIterator<Item = (ObjectId, Reaction)>) -> Handle {
    let reactions: HashMap<_, _> = reactions.into_iter().collect();
    Handle(Arc::new(Fake { reactions, ..Fake::of(objects) }))
}

fn patched(world: &Handle) -> Vec<String> {
    world.0.patches.lock().unwrap().iter().map(|patch| patch.object.to_string()).collect()
}

fn steps(document: &Value) -> Vec<String> {
    let steps = document["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|s| format!("{} {}", s["object"]["kind"].as_str().unwrap(), s["what"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn the_patch_is_told_first_then_the_steps_and_the_summary_is_data() {
    let world = world(objects(), [(ks(), newer(kustomization("shop/app", oci())))]);
    world.0.objects.lock().unwrap().insert(
        oci(),
        Arc::new(repository("shop/app", Follows::Latest).holding(&format!("1.1.0@{}", digest('b')))),
    );
    let ran = run_on(&world, "reconcile ks/app").await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    let patch = world.0.patches.lock().unwrap()[0].words();
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(lines[0], format!("sends  {patch}"), "exactly what was sent");
    assert_eq!(lines[1], "ks shop/app  requested");
    assert!(lines[2].starts_with("ks shop/app  handled after 0."), "{}", ran.err);
    assert!(lines[3].starts_with("ks shop/app  applied 1.1.0@bbbbbbbb after"), "{}", ran.err);
    assert!(ran.out.starts_with("ks shop/app is ready: applied 1.1.0@bbbbbbbb after"), "{}", ran.out);
}

#[tokio::test]
async fn a_script_gets_the_action() {
    let world = world(objects(), [(ks(), Reaction::Becomes(Box::new(kustomization("shop/app", oci()))))]);
    let ran = run_on(&world, "reconcile ks/app -o json").await;
    let document = ran.json();
    assert_eq!(
        (document["apiVersion"].as_str(), document["kind"].as_str()),
        (Some("fluxscope/v1"), Some("Action"))
    );
    assert_eq!(document["object"], json!({"kind": "Kustomization", "namespace": "shop", "name": "app"}));
    assert_eq!(
        steps(&document),
        ["Kustomization requested", "Kustomization handled", "Kustomization applied"]
    );
    assert_eq!(document["steps"][2]["revision"], format!("1.0.0@{}", digest('a')));
    assert!(document["steps"][0]["at"].is_string());
    assert_eq!(
        (document["standing"].as_str(), document["message"].as_str()),
        (Some("ready"), Some("Applied revision"))
    );
    let token = document["token"].as_str().unwrap();
    let sent =
        world.0.patches.lock().unwrap()[0].body["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"]
            .clone();
    assert_eq!(sent, token);
}

#[tokio::test]
async fn with_its_source_the_source_comes_first() {
    let reactions = [
        (oci(), newer(repository("shop/app", Follows::Latest))),
        (ks(), newer(kustomization("shop/app", oci()))),
    ];
    let world = world(objects(), reactions);
    let ran = run_on(&world, "reconcile ks/app --with-source -o json").await;
    assert_eq!(
        (ran.code, patched(&world)),
        (0, vec!["ocirepo shop/app".to_owned(), "ks shop/app".to_owned()])
    );
    assert_eq!(ran.json()["standing"], "ready");
}

#[tokio::test]
async fn a_static_repository_in_the_chain_is_skipped_with_a_word() {
    let hc = id(Kind::HelmChart, "shop/c");
    let hr = id(Kind::HelmRelease, "shop/h");
    let all =
        || vec![helm_repository("shop/r", true), chart("shop/c", "shop/r"), release("shop/h", hc.clone())];
    let reactions = [
        (hc.clone(), Reaction::Becomes(Box::new(chart("shop/c", "shop/r")))),
        (hr, Reaction::Becomes(Box::new(release("shop/h", hc.clone())))),
    ];
    let world = world(all(), reactions);
    let ran = run_on(&world, "reconcile hr/h --with-source").await;
    assert_eq!((ran.code, patched(&world)), (0, vec!["hc shop/c".to_owned(), "hr shop/h".to_owned()]));
    assert!(
        ran.err.starts_with("skips  helmrepo shop/r: a HelmRepository of type oci is static"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn a_failing_source_stops_the_action_and_is_exit_1() {
    let failed =
        repository("shop/app", Follows::Latest).with_status(ConditionStatus::False, "Failed", HOSTILE);
    let world = world(objects(), [(oci(), Reaction::Becomes(Box::new(failed)))]);
    let ran = run_on(&world, "reconcile ks/app --with-source").await;
    assert_eq!(
        (ran.code, patched(&world)),
        (1, vec!["ocirepo shop/app".to_owned()]),
        "the consumer is left alone"
    );
    assert!(
        ran.out.starts_with("ks shop/app is stale: failed at its source ocirepo shop/app"),
        "{}",
        ran.out
    );
    assert!(is_safe(&ran.out) && is_safe(&ran.err));
}

#[tokio::test]
async fn an_object_that_is_not_ready_afterwards_is_exit_1() {
    let failed =
        kustomization("shop/app", oci()).with_status(ConditionStatus::False, "BuildFailed", "no such path");
    let world = world(objects(), [(ks(), Reaction::Becomes(Box::new(failed)))]);
    let ran = run_on(&world, "reconcile ks/app -o json").await;
    assert_eq!(
        (ran.code, ran.json()["standing"].clone(), ran.json()["message"].clone()),
        (1, json!("failing"), json!("no such path"))
    );
}

#[tokio::test]
async fn a_suspended_object_is_refused_and_nothing_is_sent() {
    let suspended =
        vec![repository("shop/app", Follows::Latest), kustomization("shop/app", oci()).suspended()];
    let world = world(suspended, []);
    let ran = run_on(&world, "reconcile ks/app -o json").await;
    assert_eq!((ran.code, patched(&world).len()), (2, 0));
    assert!(
        ran.err.contains("ks shop/app is suspended") && ran.err.contains("try: resume it first"),
        "{}",
        ran.err
    );
    assert_eq!(
        (ran.json()["steps"].clone(), ran.json()["message"].clone()),
        (json!([]), json!("ks shop/app is suspended"))
    );
}

#[tokio::test]
async fn an_object_that_does_not_exist_is_exit_2() {
    let world = world(vec![], []);
    let ran = run_on(&world, "reconcile ks/nope").await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "error: get ks shop/nope: not found\n");
}

#[tokio::test]
async fn a_dry_run_tells_everything_and_sends_nothing() {
    let world = world(objects(), []);
    let ran = run_on(&world, "reconcile ks/app --with-source --dry-run -o json").await;
    assert_eq!((ran.code, patched(&world).len()), (0, 0));
    let told: Vec<&str> = ran.err.lines().collect();
    assert!(
        told.len() == 2
            && told[0].starts_with("would send  PATCH ocirepositories.source.toolkit.fluxcd.io/app -n shop")
    );
    assert!(told[1].starts_with("would send  PATCH kustomizations.kustomize.toolkit.fluxcd.io/app -n shop"));
    assert_eq!((ran.json()["dryRun"].clone(), ran.json()["standing"].clone()), (json!(true), json!("ready")));
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_does_not_answer_is_a_timeout() {
    let world = world(objects(), [(ks(), Reaction::Silent)]);
    let before = tokio::time::Instant::now();
    let ran = run_on(&world, "reconcile ks/app --timeout 90s").await;
    assert_eq!((ran.code, before.elapsed().as_secs()), (2, 90));
    assert!(ran.out.contains("timed-out after 90.0 s: no controller has answered"), "{}", ran.out);
}

#[tokio::test]
async fn a_lost_watch_is_told_and_exit_2() {
    let lost = Problem::new(Cause::Unreachable, "follow ks shop/app", "connection reset");
    let world = world(objects(), [(ks(), Reaction::Lost(lost))]);
    let ran = run_on(&world, "reconcile ks/app").await;
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("lost after") && ran.out.contains("connection reset"), "{}", ran.out);
}

#[tokio::test]
async fn an_end_that_cannot_be_checked_is_exit_2() {
    let down = Problem::new(Cause::Unreachable, "get ocirepo shop/app", "connection refused");
    let reactions = [(ks(), Reaction::Becomes(Box::new(kustomization("shop/app", oci()))))].into();
    let unreadable = [(oci(), down)].into();
    let world = Handle(Arc::new(Fake { unreadable, reactions, ..Fake::of(objects()) }));
    let ran = run_on(&world, "reconcile ks/app -o json").await;
    assert_eq!((ran.code, ran.json()["standing"].clone()), (2, json!("unknown")));
    assert_eq!(ran.json()["problem"]["why"], "connection refused");
}

#[tokio::test]
async fn a_refused_patch_is_exit_2() {
    let denied =
        Some(Problem::new(Cause::Forbidden, "patch ks shop/app", "may not: the verb patch is missing"));
    let world = Handle(Arc::new(Fake { denied, ..Fake::of(objects()) }));
    let ran = run_on(&world, "reconcile ks/app -o json").await;
    assert_eq!((ran.code, steps(&ran.json())), (2, vec!["Kustomization refused".to_owned()]));
    assert!(ran.json()["message"].as_str().unwrap().contains("the verb patch is missing"));
}
