//! The patterns of Flux's OCI guide, from a plain HTTP registry on 127.0.0.1 to rows of the program.

use crate::{
    artifacts::{Pushed, charts, manifests, push_files},
    cluster::{
        HELM_CHART, HELM_RELEASE, HELM_REPOSITORY, KUSTOMIZATION, Kind, OCI_REPOSITORY, Place, eventually,
        object,
    },
    program::{fluxscope, item},
    screens::{filter, leave, wait_row, wait_top},
    specs,
};
use serde_json::{Value, json};

#[test]
fn manifests_through_a_kustomization() {
    let place = Place::new("ks");
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let pushed = manifests().push_first(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::source(&repository, &specs::any_version()));
    place.apply(KUSTOMIZATION, "app", &specs::kustomization("app", &place.namespace));
    place.await_holds(OCI_REPOSITORY, "app", &pushed.digest);
    place.await_holds(KUSTOMIZATION, "app", &pushed.digest);

    let list = everything();
    let source = item(&list, "OCIRepository", &place.namespace, "app");
    assert_ready(source, &pushed.revision(), &pushed);
    assert_eq!((&source["followsBy"], &source["follows"]), (&json!("semver"), &json!(specs::ANY)));
    let consumer = item(&list, "Kustomization", &place.namespace, "app");
    assert_ready(consumer, &pushed.revision(), &pushed);
    assert_taken_from(consumer, OCI_REPOSITORY, &place.namespace, "app");
    assert!(consumer["followsBy"].is_null(), "a consumer follows its source, not a tag: {consumer}");
    assert_shown(&place.namespace, &[("app", &pushed), ("ks ", &pushed)]);
}

#[test]
fn a_chart_through_a_source_and_a_release() {
    let place = Place::new("hr");
    let repository = place.repository("REGISTRY_PAGED", "charts");
    let pushed = charts().push_first(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::chart_source(&repository, &specs::any_version()));
    place.apply(HELM_RELEASE, "app", &specs::release_of_source("app"));
    place.await_holds(OCI_REPOSITORY, "app", &pushed.digest);
    place.await_holds(HELM_RELEASE, "app", &pushed.digest);

    let list = everything();
    assert_ready(item(&list, "OCIRepository", &place.namespace, "app"), &pushed.revision(), &pushed);
    let release = item(&list, "HelmRelease", &place.namespace, "app");
    assert_eq!(
        (&release["standing"], &release["revision"]),
        (&json!("ready"), &json!(pushed.chart_version()))
    );
    assert_taken_from(release, OCI_REPOSITORY, &place.namespace, "app");
    assert_shown(&place.namespace, &[("app", &pushed), ("hr ", &pushed)]);
}

/// One artifact that brings a namespace, a source in it and a release of that source.
#[test]
fn an_artifact_that_bundles_a_namespace_a_source_and_a_release() {
    let mut place = Place::new("bundle");
    let inner = format!("{}-apps", place.namespace);
    place.annexes.push(inner.clone());
    let chart = place.repository("REGISTRY_PAGED", "charts");
    let chart_pushed = charts().push_first(&chart);
    let bundle = place.repository("REGISTRY_PAGED", "bundle");
    let source = specs::chart_source(&chart, &specs::tag(chart_pushed.tag));
    let files = [
        ("namespace.yaml", json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inner}})),
        ("source.yaml", object(OCI_REPOSITORY, &inner, "app", &source)),
        ("release.yaml", object(HELM_RELEASE, &inner, "app", &specs::release_of_source("app"))),
    ]
    .map(|(name, content)| (name, content.to_string()));
    let pushed = push_files(&place, &bundle, "1.0.0", &files);
    place.apply(OCI_REPOSITORY, "bundle", &specs::source(&bundle, &specs::tag("1.0.0")));
    let mut kustomization = specs::kustomization("bundle", &inner);
    kustomization.as_object_mut().expect("an object").remove("targetNamespace");
    place.apply(KUSTOMIZATION, "bundle", &kustomization);
    place.await_holds(KUSTOMIZATION, "bundle", &pushed.digest);

    let list = eventually("the release of the bundle is ready", || {
        let list = everything();
        let ready = crate::program::items(&list).any(|item| {
            item["kind"] == "HelmRelease"
                && item["namespace"] == inner.as_str()
                && item["standing"] == "ready"
        });
        if ready { Ok(list) } else { Err(list.to_string()) }
    });
    assert_ready(item(&list, "Kustomization", &place.namespace, "bundle"), &pushed.revision(), &pushed);
    let source = item(&list, "OCIRepository", &inner, "app");
    assert_ready(source, &chart_pushed.revision(), &chart_pushed);
    assert_eq!((&source["followsBy"], &source["follows"]), (&json!("tag"), &json!(chart_pushed.tag)));
    let release = item(&list, "HelmRelease", &inner, "app");
    assert_eq!(release["revision"], chart_pushed.chart_version());
    assert_shown(&place.namespace, &[("bundle", &pushed), ("ks ", &pushed), ("hr ", &chart_pushed)]);
}

#[test]
fn a_chart_through_a_helm_repository_of_type_oci() {
    let place = Place::new("chart");
    let charts = charts();
    let pushed = charts.push_first(&place.repository("REGISTRY_PAGED", charts.name));
    let parent = place.repository("REGISTRY_PAGED", "");
    place.apply(HELM_REPOSITORY, "charts", &specs::helm_repository(parent.trim_end_matches('/')));
    place.apply(HELM_RELEASE, "app", &specs::release_of_chart("charts", charts.name));
    place.await_ready(HELM_RELEASE, "app");
    let chart_name = format!("{}-app", place.namespace);
    place.await_ready(HELM_CHART, &chart_name);

    let list = everything();
    let repository = item(&list, "HelmRepository", &place.namespace, "charts");
    assert_eq!((&repository["standing"], &repository["reason"]), (&json!("ready"), &json!("Static")));
    let chart = item(&list, "HelmChart", &place.namespace, &chart_name);
    assert_eq!((&chart["standing"], &chart["revision"]), (&json!("ready"), &json!(pushed.tag)));
    assert_taken_from(chart, HELM_REPOSITORY, &place.namespace, "charts");
    let release = item(&list, "HelmRelease", &place.namespace, "app");
    assert_eq!((&release["standing"], &release["revision"]), (&json!("ready"), &json!(pushed.tag)));
    assert_taken_from(release, HELM_CHART, &place.namespace, &chart_name);

    let mut pty = fluxscope().screen(&["-n", &place.namespace], 100, 30);
    wait_row(&mut pty, &["hr ", "app", pushed.tag, "ready"]);
    leave(pty);
}

fn everything() -> Value {
    fluxscope().run(&["get", "all", "-A", "-o", "json"]).exits(0).json()
}

fn assert_ready(item: &Value, revision: &str, pushed: &Pushed) {
    assert_eq!(item["standing"], "ready", "{item}");
    assert_eq!(item["revision"], revision, "{item}");
    assert_eq!((&item["tag"], &item["digest"]), (&json!(pushed.tag), &json!(pushed.digest)), "{item}");
}

fn assert_taken_from(item: &Value, kind: Kind, namespace: &str, name: &str) {
    let source = &item["source"];
    let named = (&source["kind"], &source["namespace"], &source["name"]);
    assert_eq!(named, (&json!(kind.name), &json!(namespace), &json!(name)), "{item}");
}

/// On a small terminal and on a large one: the rows are there, with what they run.
fn assert_shown(namespace: &str, rows: &[(&str, &Pushed)]) {
    for (columns, lines) in [(80, 24), (160, 45)] {
        let mut pty = fluxscope().screen(&[], columns, lines);
        wait_top(&mut pty, "live");
        filter(&mut pty, namespace);
        for (word, pushed) in rows {
            wait_row(&mut pty, &[namespace, word, pushed.tag, pushed.short(), "ready"]);
        }
        leave(pty);
    }
}
