//! `history`: what ran, where it is, and the exit code.

use super::{
    fake::{Changed, Fake, chart, digest, helm_repository, id, kustomization, release, repository},
    is_safe, run,
};
use fluxscope::domain::{
    consumer::Release,
    fact::Object,
    identity::Kind,
    problem::{Cause, Problem},
    revision::Revision,
    source::Follows,
};
use serde_json::json;

fn entry(tag: &str, c: char, status: &str) -> Release {
    let revision = Revision::parse(&format!("{tag}@{}", digest(c)));
    Release {
        status: status.into(),
        digest: revision.as_ref().and_then(|revision| revision.digest().cloned()),
        revision,
        built: digest(c).parse().ok(),
        when: "2026-11-20T09:56:00Z".parse().ok(),
        times: Some(3),
        ..Release::default()
    }
}

fn with(mut object: Object, history: Vec<Release>) -> Object {
    if let Object::Consumer(consumer) = &mut object {
        consumer.applied.history = history;
    }
    object
}

fn app() -> Vec<Object> {
    let of = id(Kind::OciRepository, "shop/app");
    let history =
        vec![entry("1.0.0", 'b', "HealthCheckFailed"), entry("1.0.0", 'a', "ReconciliationSucceeded")];
    let web = release("team/web", of.clone());
    vec![repository("shop/app", Follows::Latest), with(kustomization("shop/app", of), history), web]
}

#[tokio::test]
async fn a_kustomization_lists_its_history_with_where_each_artifact_is() {
    let ran = run(Fake::of(app()), "history ks/app -n shop -o json").await;
    let document = ran.json();
    let reference = |c: char| format!("oci://registry.test/shop/app@{}", digest(c));
    assert_eq!(
        (ran.code, &document["kind"], &document["complete"]),
        (0, &json!("RevisionList"), &json!(true))
    );
    assert_eq!(document["object"], json!({"kind": "Kustomization", "namespace": "shop", "name": "app"}));
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_eq!(
        items[0],
        json!({
            "revision": format!("1.0.0@{}", digest('b')), "tag": "1.0.0", "digest": digest('b'), "current": false,
            "moved": true, "otherDigests": [digest('a')], "status": "HealthCheckFailed", "chart": null,
            "appVersion": null, "release": null, "action": null, "built": digest('b'), "originRevision": null,
            "first": null, "last": "2026-11-20T09:56:00Z", "times": 3, "consumers": [],
            "reference": reference('b'), "note": null, "problem": null,
        })
    );
    assert_eq!((&items[1]["current"], &items[1]["reference"]), (&json!(true), &json!(reference('a'))));
    let names = run(Fake::of(app()), "history ks/app -n shop -o name").await;
    assert_eq!(names.out, format!("{}\n{}\n", reference('b'), reference('a')));
}

#[tokio::test]
async fn a_source_lists_what_its_consumers_ran_in_every_namespace() {
    let ran = run(Fake::of(app()), "history ocirepo/app -n shop -o json").await;
    let document = ran.json();
    let stored = document["items"].as_array().unwrap().iter().find(|item| item["current"] == true).unwrap();
    assert_eq!(stored["digest"], digest('a'));
    assert_eq!(
        stored["consumers"],
        json!([
            {"kind": "Kustomization", "namespace": "shop", "name": "app", "current": true},
            {"kind": "HelmRelease", "namespace": "team", "name": "web", "current": true},
        ])
    );
    let denied = Problem::new(Cause::Forbidden, "list helmreleases", "403");
    let fake = Fake { refused: [(Kind::HelmRelease, denied)].into(), ..Fake::of(app()) };
    let partly = run(fake, "history ocirepo/app -n shop -o json").await;
    assert_eq!((partly.code, &partly.json()["complete"]), (2, &json!(false)));
    assert!(partly.err.contains("list helmreleases: 403"), "{}", partly.err);
}

#[tokio::test]
async fn a_chart_of_a_repository_is_named_by_its_tag_and_the_note_says_so() {
    let mut objects = vec![helm_repository("shop/charts", true), chart("shop/c", "shop/charts")];
    let mut entry = Release { revision: Revision::parse("1.0.0+b1"), ..entry("x", 'a', "deployed") };
    (entry.digest, entry.built, entry.version) = (None, None, Some(4));
    objects.push(with(release("shop/r", id(Kind::HelmChart, "shop/c")), vec![entry]));
    let document = run(Fake::of(objects), "history hr/r -n shop -o json").await.json();
    let item = &document["items"][0];
    assert_eq!(
        (&item["reference"], &item["release"]),
        (&json!("oci://registry.test/charts/app:1.0.0_b1"), &json!(4))
    );
    assert!(item["note"].as_str().unwrap().contains("keeps no digest"), "{item}");
}

#[tokio::test]
async fn the_history_stays_where_its_source_cannot_be_read() {
    let of = id(Kind::OciRepository, "shop/app");
    let refusal = Problem::new(Cause::Forbidden, "get ocirepo shop/app", "403");
    let fake = Fake { unreadable: [(of, refusal)].into(), ..Fake::of(app()) };
    let ran = run(fake, "history ks/app -n shop -o json").await;
    assert_eq!((ran.code, ran.json()["items"].as_array().unwrap().len()), (2, 2));
    assert!(ran.json()["items"][0]["problem"]["why"].as_str().unwrap().contains("was not read"));
    let gone = app().into_iter().filter(|object| object.id().kind != Kind::OciRepository);
    let ran = run(Fake::of(gone), "history ks/app -n shop").await;
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("which does not exist"), "{}", ran.out);
}

#[tokio::test]
async fn what_is_not_there_is_a_no_and_what_has_no_history_is_refused() {
    let ran = run(Fake::of(app()), "history ks/none -n shop").await;
    assert_eq!(ran.code, 1);
    let ran = run(Fake::of(app()), "history helmrepo/charts -n shop").await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("its charts do"), "{}", ran.err);
    let fresh = kustomization("shop/new", id(Kind::OciRepository, "shop/app")).holding("");
    let ran = run(Fake::of([repository("shop/app", Follows::Latest), fresh]), "history ks/new -n shop").await;
    assert_eq!((ran.code, &*ran.out), (0, ""));
    assert!(ran.err.contains("nothing ran of ks shop/new yet"), "{}", ran.err);
}

#[tokio::test]
async fn hostile_words_of_a_status_are_shown_escaped() {
    let of = id(Kind::OciRepository, "shop/app");
    let bad = with(kustomization("shop/app", of), vec![entry("1\u{1b}[2J", 'a', "\u{202e}deployed")]);
    for output in ["table", "wide", "json", "yaml", "name"] {
        let ran = run(
            Fake::of([repository("shop/app", Follows::Latest), bad.clone()]),
            &format!("history ks/app -n shop -o {output}"),
        )
        .await;
        assert!(is_safe(&ran.out) && is_safe(&ran.err), "{output}: {}", ran.out);
    }
}
