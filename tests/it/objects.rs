//! Objects as they come: whatever stands in one field, the rest of the object is read.

use fluxscope::{
    cluster::convert,
    domain::{
        fact::Object,
        identity::{Kind, ObjectId},
        source::SourceSpec,
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

const FIXTURES: [&str; 4] = [
    include_str!("fixtures/ocirepository.yaml"),
    include_str!("fixtures/helmrelease.yaml"),
    include_str!("fixtures/kustomization.yaml"),
    include_str!("fixtures/helmchart.yaml"),
];

fn documents() -> Vec<Value> {
    FIXTURES.iter().flat_map(|yaml| serde_saphyr::from_multiple::<Value>(yaml).unwrap()).collect()
}

fn read(document: &Value) -> Arc<Object> {
    convert::object(document.to_string().as_bytes()).unwrap()
}

fn document(kind: &str) -> Value {
    documents().into_iter().find(|document| document["kind"] == kind).unwrap()
}

/// JSON pointers of everything inside.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(list) => list.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, child) in children {
        let place = format!("{at}/{key}");
        places(child, &place, found);
        found.push(place);
    }
}

#[test]
fn bytes_and_trees_are_read_alike_and_without_a_remark() {
    for document in documents() {
        let object = read(&document);
        assert_eq!(object, convert::object_in(&document).unwrap());
        assert_eq!(object.oddities(), [""; 0], "{}", object.id());
    }
}

#[test]
fn no_field_can_cost_the_object() {
    let weird = [
        json!(null),
        json!(true),
        json!(7),
        json!(1.5),
        json!(u64::MAX),
        json!(""),
        json!("\u{1b}[2J\u{202e}"),
        json!("x".repeat(5000)),
        json!([]),
        json!([null, 1, "x", {}, []]),
        json!({}),
        json!({"name": 1, "": null}),
    ];
    for document in documents() {
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let needed = ["/apiVersion", "/kind", "/metadata", "/metadata/name"];
        for place in all.iter().filter(|place| !needed.contains(&place.as_str())) {
            for value in &weird {
                let mut odd = document.clone();
                *odd.pointer_mut(place).unwrap() = value.clone();
                let object = convert::object(odd.to_string().as_bytes());
                let object = object.unwrap_or_else(|problem| panic!("{place} = {value}: {problem}"));
                assert_eq!(&*object.id().name, document["metadata"]["name"].as_str().unwrap());
            }
        }
    }
}

#[test]
fn an_object_without_a_name_or_a_known_kind_is_a_problem() {
    let mut nameless = document("OCIRepository");
    nameless["metadata"]["name"] = json!(7);
    assert!(convert::object_in(&nameless).unwrap_err().why.contains("no name"));
    let other = json!({"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"});
    assert!(convert::object_in(&other).is_err(), "kustomize's own kind is not Flux's");
    assert!(convert::object(b"[]").is_err() && convert::object(b"{").is_err());
}

#[test]
fn what_is_odd_is_named_by_its_place() {
    let mut odd = document("Kustomization");
    odd["status"]["conditions"] = json!({"Ready": "True"});
    odd["spec"]["interval"] = json!(10);
    odd["spec"]["sourceRef"]["kind"] = json!("Wormhole");
    let object = read(&odd);
    assert_eq!(
        object.oddities(),
        [
            "spec.interval is a number, not a text",
            "status.conditions is a map, not a list",
            "spec.sourceRef is of a kind that is not known here"
        ]
    );
    assert_eq!(object.revision().unwrap().tag(), Some("6.9.1"), "the rest of the status is read");
}

#[test]
fn a_kustomization_is_read_with_its_references() {
    let object = read(&document("Kustomization"));
    let ks = object.as_consumer().unwrap();
    assert_eq!(ks.source, Some(ObjectId::new(Kind::OciRepository, "apps", "podinfo")));
    assert_eq!(ks.depends_on[0].to_string(), "ks flux-system/infra");
    assert!(ks.remote && ks.meta.terminating && ks.meta.detached);
    assert_eq!(ks.prune, Some(true));
    assert_eq!(ks.inventory[0].parse().unwrap().to_string(), "Deployment web/podinfo");
    let entry = &ks.applied.history[0];
    assert_eq!(entry.revision, ks.applied.last_applied);
    assert_eq!(entry.digest.as_ref(), ks.applied.last_applied.as_ref().unwrap().digest());
    assert_eq!(entry.built.as_ref().unwrap().short(), "7ec44695");
    assert_eq!((entry.times, entry.first, entry.when.is_some()), (Some(1), entry.when, true));
}

#[test]
fn a_release_keeps_what_ran_and_the_tag_that_stands_before_its_digest() {
    let object = read(&document("HelmRelease"));
    let history = &object.as_consumer().unwrap().applied.history;
    let tags: Vec<Option<&str>> = history.iter().map(|entry| entry.tag.as_deref()).collect();
    assert_eq!(tags, [None, Some("latest")], "helm-controller writes it for tags that are no versions");
    let digests: Vec<&str> = history.iter().map(|entry| entry.digest.as_ref().unwrap().short()).collect();
    assert_eq!((digests, history[0].version), (vec!["bbbbbbbb", "aaaaaaaa"], Some(3)));
}

#[test]
fn a_release_by_chart_points_at_the_chart_that_flux_makes() {
    let charted = documents().into_iter().rfind(|document| document["kind"] == "HelmRelease").unwrap();
    let object = read(&charted);
    let hr = object.as_consumer().unwrap();
    assert_eq!(hr.source, Some(ObjectId::new(Kind::HelmChart, "infra", "apps-podinfo")));
    assert_eq!(hr.chart_source, Some(ObjectId::new(Kind::HelmRepository, "infra", "charts")));
    let mut named = charted;
    named["status"] = json!({"helmChart": "elsewhere/other"});
    let object = read(&named);
    let chart = Some(ObjectId::new(Kind::HelmChart, "elsewhere", "other"));
    assert_eq!(object.as_consumer().unwrap().source, chart, "what Flux reports wins");
}

#[test]
fn older_versions_are_read() {
    let mut old = document("OCIRepository");
    old["apiVersion"] = json!("source.toolkit.fluxcd.io/v1beta2");
    let artifact = old["status"]["artifact"].as_object_mut().unwrap();
    artifact.shift_remove("digest");
    artifact.insert("checksum".to_owned(), json!("ab".repeat(32)));
    artifact.insert("revision".to_owned(), json!(format!("6.9.1/{}", "cd".repeat(32))));
    let object = read(&old);
    let artifact = object.as_source().unwrap().artifact.as_ref().unwrap();
    assert_eq!(artifact.digest.as_ref().unwrap().short(), "abababab");
    assert_eq!(artifact.revision.as_ref().unwrap().short(), "6.9.1@cdcdcdcd");

    let mut old = document("HelmRelease");
    old["apiVersion"] = json!("helm.toolkit.fluxcd.io/v2beta1");
    old["status"] = json!({"lastAppliedRevision": "6.9.0", "lastReleaseRevision": 3});
    assert_eq!(read(&old).revision().unwrap().as_str(), "6.9.0");
}

#[test]
fn other_sources_are_read_as_far_as_they_are_pointed_at() {
    let git = read(&document("GitRepository"));
    assert!(git.suspended());
    assert!(
        matches!(&git.as_source().unwrap().spec, SourceSpec::Other { url } if url.contains("acme/fleet"))
    );
    let made = read(&document("ExternalArtifact"));
    let SourceSpec::ExternalArtifact { generator } = &made.as_source().unwrap().spec else { panic!() };
    assert_eq!(generator.as_deref(), Some("ArtifactGenerator apps/generator"));
}

#[test]
fn events_of_either_fashion_are_read() {
    let old = json!({"metadata": {"uid": "u", "name": "n"}, "type": "Normal", "reason": "NewArtifact",
        "message": "stored", "count": 3, "lastTimestamp": "2026-01-02T00:00:00Z", "eventTime": null,
        "firstTimestamp": "2026-01-01T00:00:00Z", "source": {"component": "source-controller"}});
    let event = convert::event_in(&old).unwrap();
    assert_eq!(
        (&*event.uid, event.count, event.last.unwrap().to_string().as_str()),
        ("u", 3, "2026-01-02T00:00:00Z")
    );
    let new = json!({"metadata": {"name": "n"}, "type": "Warning", "eventTime": "2026-01-01T00:00:00.000001Z",
        "series": {"count": 9, "lastObservedTime": "2026-01-05T00:00:00Z"}, "reportingComponent": "kustomize-controller"});
    let event = convert::event(new.to_string().as_bytes()).unwrap();
    assert_eq!((&*event.uid, event.count, event.warning), ("n", 9, true));
    assert_eq!(
        (&*event.from, event.last.unwrap().to_string().as_str()),
        ("kustomize-controller", "2026-01-05T00:00:00Z")
    );
    assert!(convert::event_in(&json!({"count": "many", "message": 4})).is_some(), "lenient too");
}
