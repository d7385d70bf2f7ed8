//! What could be run: `outdated`, the verdicts on the screen of tags, and what another range would take.

use crate::{
    cluster::{HELM_CHART, HELM_REPOSITORY, KUSTOMIZATION, OCI_REPOSITORY, Place, push},
    program::{fluxscope, items},
    screens::{leave, row, wait_row},
    selection::settled,
    specs,
};
use serde_json::{Value, json};

const TAGS: [&str; 7] = ["1.0.0", "1.0.4", "1.1.0", "2.0.0", "3.0.0-rc.1", "stable", "nightly"];

/// Seven tags, each with a digest of its own.
fn repository(place: &Place, name: &str) -> String {
    let repository = place.repository("REGISTRY_PAGED", name);
    let mut arguments = vec!["tags", &repository];
    arguments.extend(TAGS);
    push(&arguments);
    repository
}

fn source(place: &Place, name: &str, repository: &str, reference: &Value) -> Value {
    place.apply(OCI_REPOSITORY, name, &specs::source(repository, reference));
    settled(place, OCI_REPOSITORY, name)
}

fn revision(object: &Value) -> &str {
    object["status"]["artifact"]["revision"].as_str().expect("a revision")
}

/// The one row about that source.
fn row_of<'a>(list: &'a Value, place: &Place, name: &str) -> &'a Value {
    let found: Vec<&Value> = items(list)
        .filter(|item| {
            item["source"]["namespace"] == place.namespace.as_str() && item["source"]["name"] == name
        })
        .collect();
    assert_eq!(found.len(), 1, "{name} in {list:#}");
    found[0]
}

#[test]
fn each_source_is_told_what_it_could_run() {
    let place = Place::new("outdated");
    let (still, moving) = (repository(&place, "still"), repository(&place, "moving"));
    let digest = push(&["tag", &still, "1.0.0", "same"]);
    let pinned = json!({"digest": digest});
    for (name, repository, reference) in [
        ("ranged", &still, json!({"semver": "1.0.x"})),
        ("exact", &still, specs::tag("1.0.0")),
        ("newest", &still, json!({"semver": "*"})),
        ("unreleased", &still, json!({"semver": ">=3.0.0-0"})),
        ("floating", &still, specs::tag("stable")),
        ("pinned", &still, pinned),
        ("pending", &moving, json!({"semver": "1.x"})),
        ("moved", &moving, specs::tag("1.0.0")),
        ("moved-floating", &moving, specs::tag("stable")),
    ] {
        source(&place, name, repository, &reference);
    }
    place.apply(
        OCI_REPOSITORY,
        "refused",
        &specs::source(&place.repository("REGISTRY_PAGED", "no"), &specs::any_version()),
    );
    place.await_failed(OCI_REPOSITORY, "refused");
    place.apply(KUSTOMIZATION, "consumer", &specs::kustomization("ranged", &place.namespace));
    // behind Flux's back: a new version, and two tags that are something else from now on
    push(&["tag", &moving, "nightly", "1.2.0", "1.0.0", "stable"]);

    let list = fluxscope().run(&["outdated", "-A", "-o", "json"]).exits(0).json();
    assert_eq!(list["kind"], "UpgradeList");
    assert_told(&list, &place);
    let with = |arguments: &[&str]| {
        let all = [&["outdated", "-n", &place.namespace], arguments].concat();
        fluxscope().run(&all)
    };
    with(&["--fail-on", "moved"]).exits(1);
    with(&["--fail-on", "major"]).exits(1);
    with(&["-o", "markdown"]).exits(0).says("| ").says("1.2.0");
}

fn assert_told(list: &Value, place: &Place) {
    let told = |name: &str| {
        let row = row_of(list, place, name);
        ["inRange", "beyond", "distance", "moved"].map(|field| row[field].clone())
    };
    let expected = [
        ("ranged", json!([null, "2.0.0", "major", false])),
        ("exact", json!([null, "2.0.0", "major", false])),
        ("newest", json!([null, null, "none", false])),
        ("unreleased", json!([null, null, "none", false])),
        ("floating", json!([null, null, "unknown", false])),
        ("pending", json!(["1.2.0", "2.0.0", "major", false])),
        ("moved", json!([null, "2.0.0", "major", true])),
        ("moved-floating", json!([null, null, "unknown", true])),
    ];
    for (name, expected) in expected {
        assert_eq!(json!(told(name)), expected, "{name}: {:#}", row_of(list, place, name));
    }
    assert_eq!(row_of(list, place, "pinned")["distance"], "unknown");
    assert_eq!(row_of(list, place, "pinned")["pinnedTo"]["tags"], json!(["1.0.0", "same"]));
    assert!(
        row_of(list, place, "refused")["problem"]["why"]
            .as_str()
            .is_some_and(|why| why.contains("NAME_UNKNOWN"))
    );
    let consumer = json!({"kind": "Kustomization", "namespace": place.namespace, "name": "consumer"});
    assert_eq!(row_of(list, place, "ranged")["consumers"], json!([consumer]));
    for name in ["exact", "moved", "pending"] {
        let object = place.object(OCI_REPOSITORY, name).expect("it is there");
        let tag = revision(&object).split('@').next();
        assert_eq!(row_of(list, place, name)["running"].as_str(), tag, "{name} runs what Flux stored");
    }
}

/// A chart through a HelmRepository is compared with charts only, as Helm reads their tags.
#[test]
fn a_chart_is_told_what_it_could_run() {
    let place = Place::new("outdated-chart");
    let charts = crate::artifacts::charts();
    let repository = place.repository("REGISTRY_PAGED", charts.name);
    let first = charts.push_first(&repository);
    push(&["tag", &repository, first.tag, "v99.0.0", "98.0", "97.0.0_b.1", "98.0.0-rc.1"]);
    let parent = place.repository("REGISTRY_PAGED", "");
    place.apply(HELM_REPOSITORY, "charts", &specs::helm_repository(parent.trim_end_matches('/')));
    place.apply(HELM_CHART, "app", &specs::chart("charts", charts.name, first.tag));
    place.await_ready(HELM_CHART, "app");
    let list = fluxscope().run(&["outdated", "-n", &place.namespace, "-o", "json"]).exits(0).json();
    let row = row_of(&list, &place, "app");
    assert_eq!(
        json!([row["running"], row["inRange"], row["beyond"]]),
        json!([first.tag, null, "97.0.0_b.1"]),
        "{row:#}"
    );
}

#[test]
fn the_screen_of_tags_gives_a_verdict_to_each_and_says_what_another_range_would_take() {
    let place = Place::new("what-if");
    let repository = repository(&place, "app");
    let stored = source(&place, "app", &repository, &json!({"semver": "1.x", "semverFilter": "^1\\."}));
    assert!(revision(&stored).starts_with("1.1.0@"), "{stored:#}");
    let mut pty = fluxscope().screen(&["-n", &place.namespace], 160, 45);
    wait_row(&mut pty, &["app", "ready", "1.1.0"]);
    pty.press("t");
    wait_row(&mut pty, &["1.1.0", "chosen"]);
    for (tag, verdict) in [
        ("1.0.4", "in-range"),
        ("2.0.0", "filtered-out"),
        ("3.0.0-rc.1", "filtered-out"),
        ("stable", "filtered-out"),
    ] {
        assert!(row(&pty.screen(), &[tag, verdict]).is_some(), "{tag} is {verdict}:\n{}", pty.screen());
    }
    // another range, then no filter: the winner moves with each
    pty.press("=");
    pty.press(&"\u{7f}".repeat(3));
    pty.press("1.0.x");
    wait_row(&mut pty, &["1.0.4", "chosen"]);
    pty.press("\t");
    pty.press(&"\u{7f}".repeat(4));
    wait_row(&mut pty, &["2.0.0", "out-of-range"]);
    pty.press("\t");
    pty.press(&"\u{7f}".repeat(5));
    pty.press(">=3-0");
    wait_row(&mut pty, &["3.0.0-rc.1", "chosen"]);
    pty.press("(");
    pty.wait_for("improper constraint");
    pty.press("\u{1b}");
    wait_row(&mut pty, &["1.1.0", "chosen"]);
    leave(pty);

    let again = place.object(OCI_REPOSITORY, "app").expect("it is there");
    assert_eq!(again["spec"], stored["spec"], "nothing was changed");
}

/// The tag of what runs names something else now: the list says so, and so does the screen.
#[test]
fn a_tag_that_was_moved_is_shown_as_moved() {
    let place = Place::new("moved");
    let repository = repository(&place, "app");
    source(&place, "app", &repository, &specs::tag("1.1.0"));
    push(&["tag", &repository, "nightly", "1.1.0"]);
    let list = fluxscope().run(&["outdated", "-n", &place.namespace, "-o", "json"]).exits(0).json();
    assert_eq!(row_of(&list, &place, "app")["moved"], true, "{list:#}");
    let mut pty = fluxscope().screen(&["-n", &place.namespace], 160, 45);
    wait_row(&mut pty, &["app", "ready", "1.1.0"]);
    pty.press("t");
    wait_row(&mut pty, &["1.1.0", "moved"]);
    leave(pty);
    let mut pty = fluxscope().screen(&["-n", &place.namespace], 160, 45);
    wait_row(&mut pty, &["app", "ready", "1.1.0"]);
    pty.press(":outdated\r");
    wait_row(&mut pty, &["app", "moved"]);
    leave(pty);
}
