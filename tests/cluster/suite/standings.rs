//! The standing of objects as the controllers of this very cluster left them, reason by reason.

use crate::{
    artifacts::{charts, manifests},
    cluster::{
        HELM_RELEASE, HELM_REPOSITORY, KUSTOMIZATION, Kind, OCI_REPOSITORY, Place, condition, eventually,
    },
    program::{fluxscope, item, items},
    specs,
};
use serde_json::{Value, json};

/// What became of an object: kind, name, standing, and the reason where Flux gives one.
const EXPECTED: [(Kind, &str, &str, &str); 16] = [
    (OCI_REPOSITORY, "good", "ready", "Succeeded"),
    (OCI_REPOSITORY, "no-tag", "failing", "OCIArtifactPullFailed"),
    (OCI_REPOSITORY, "no-match", "failing", "ReadOperationFailed"),
    (OCI_REPOSITORY, "tag-in-url", "stalled", "URLInvalid"),
    (OCI_REPOSITORY, "refused", "failing", ""),
    (OCI_REPOSITORY, "asleep", "suspended", ""),
    (OCI_REPOSITORY, "chart", "ready", "Succeeded"),
    (HELM_REPOSITORY, "charts", "ready", "Static"),
    (KUSTOMIZATION, "good", "ready", "ReconciliationSucceeded"),
    (KUSTOMIZATION, "no-path", "failing", "ArtifactFailed"),
    (KUSTOMIZATION, "no-source", "failing", "ArtifactFailed"),
    (KUSTOMIZATION, "waits", "failing", "DependencyNotReady"),
    (KUSTOMIZATION, "asleep", "suspended", ""),
    (HELM_RELEASE, "good", "ready", "InstallSucceeded"),
    (HELM_RELEASE, "no-source", "failing", "ArtifactFailed"),
    (HELM_RELEASE, "no-chart", "failing", "SourceNotReady"),
];

#[test]
fn each_object_stands_as_its_controller_left_it() {
    let place = Place::new("standings");
    create(&place);
    for (kind, name, standing, _) in EXPECTED {
        match (name, standing) {
            (_, "suspended") | ("charts", _) => {}
            (_, "ready") => drop(place.await_ready(kind, name)),
            _ => drop(await_verdict(&place, kind, name)),
        }
    }
    let (list, objects) = read_between_retries(&place);
    let mut wrong = Vec::new();
    for (kind, name, standing, reason) in EXPECTED {
        let found = item(&list, kind.name, &place.namespace, name);
        if found["standing"] != standing || (!reason.is_empty() && found["reason"] != reason) {
            wrong.push(format!("{} {name}: expected {standing} {reason}, got {found}", kind.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_messages_are_fluxs(&list, &objects);
}

/// The program's list, and the objects in the order of `EXPECTED`, of one moment: nothing is in the middle of a retry,
/// and the objects are the same before and after the list was read.
fn read_between_retries(place: &Place) -> (Value, Vec<Value>) {
    let read = || EXPECTED.map(|(kind, name, ..)| place.object(kind, name).expect("it is there"));
    eventually("a list that was read between two retries", || {
        let before = read();
        let busy = before
            .iter()
            .find(|object| condition(object, "Ready").is_some_and(|ready| ready["status"] == "Unknown"));
        if let Some(busy) = busy {
            return Err(format!("{busy:#}"));
        }
        let list = fluxscope().run(&["get", "all", "-n", &place.namespace, "-o", "json"]).exits(0).json();
        let after = read();
        let versions = |objects: &[Value]| -> Vec<Value> {
            objects.iter().map(|object| object["metadata"]["resourceVersion"].clone()).collect()
        };
        if versions(&before) == versions(&after) {
            Ok((list, after.to_vec()))
        } else {
            Err("objects changed while they were read".to_owned())
        }
    })
}

fn create(place: &Place) {
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    manifests().push_first(&repository);
    let chart = place.repository("REGISTRY_PAGED", "chart");
    charts().push_first(&chart);
    let any = specs::any_version();
    let sources = [
        ("good", specs::source(&repository, &any)),
        ("no-tag", specs::source(&repository, &specs::tag("99.99.99"))),
        ("no-match", specs::source(&repository, &json!({"semver": ">=99"}))),
        ("tag-in-url", specs::source(&format!("{repository}:1.0.0"), &any)),
        ("refused", specs::source("127.0.0.1:9/nobody/listens", &any)),
        ("asleep", suspended(specs::source(&repository, &any))),
        ("chart", specs::chart_source(&chart, &any)),
    ];
    for (name, spec) in &sources {
        place.apply(OCI_REPOSITORY, name, spec);
    }
    place.apply(
        HELM_REPOSITORY,
        "charts",
        &specs::helm_repository(&place.repository("REGISTRY_PAGED", "none")),
    );
    place.await_ready(OCI_REPOSITORY, "good");
    place.await_ready(OCI_REPOSITORY, "chart");
    let kustomization = |source| specs::kustomization(source, &place.namespace);
    let kustomizations = [
        ("good", kustomization("good")),
        ("no-path", changed(kustomization("good"), "path", json!("./not/there"))),
        ("no-source", kustomization("nobody")),
        ("waits", changed(kustomization("good"), "dependsOn", json!([{"name": "no-path"}]))),
        ("asleep", suspended(kustomization("good"))),
    ];
    for (name, spec) in &kustomizations {
        place.apply(KUSTOMIZATION, name, spec);
    }
    place.apply(HELM_RELEASE, "good", &specs::release_of_source("chart"));
    place.apply(HELM_RELEASE, "no-source", &specs::release_of_source("nobody"));
    place.apply(HELM_RELEASE, "no-chart", &specs::release_of_chart("charts", "nothing"));
}

fn suspended(spec: Value) -> Value {
    changed(spec, "suspend", json!(true))
}

fn changed(mut spec: Value, field: &str, value: Value) -> Value {
    spec[field] = value;
    spec
}

/// Waits for Ready=False of any generation: a failing object is retried, and its generation is then not observed.
fn await_verdict(place: &Place, kind: Kind, name: &str) -> Value {
    eventually(&format!("{} {name}: a verdict", kind.name), || {
        let object = place.object(kind, name)?;
        let failed = condition(&object, "Ready").is_some_and(|ready| ready["status"] == "False");
        if failed { Ok(object) } else { Err(object["status"].to_string()) }
    })
}

/// JSON gives Flux's text unaltered.
fn assert_messages_are_fluxs(list: &Value, objects: &[Value]) {
    let mut compared = 0;
    for found in items(list).filter(|found| found["standing"] == "failing") {
        let same =
            |object: &&Value| found["kind"] == object["kind"] && found["name"] == object["metadata"]["name"];
        // what Flux made besides, as the chart of a release, is nobody's expectation
        let Some(object) = objects.iter().find(same) else { continue };
        let ready = condition(object, "Ready").expect("a verdict");
        assert!(ready["message"].as_str().is_some_and(|words| !words.is_empty()), "{object:#}");
        assert_eq!(found["message"], ready["message"], "{} {}", found["kind"], found["name"]);
        compared += 1;
    }
    let failing = EXPECTED.iter().filter(|(_, _, standing, _)| *standing == "failing");
    assert_eq!(compared, failing.count(), "{list:#}");
}
