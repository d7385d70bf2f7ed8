//! Reconciles that are followed until they landed: from the command line and from the screen.

use crate::{
    artifacts::{Pair, Pushed, charts, manifests},
    cluster::{
        HELM_CHART, HELM_RELEASE, HELM_REPOSITORY, KUSTOMIZATION, OCI_REPOSITORY, Place, env, requested_at,
    },
    program::{Ran, fluxscope},
    screens::{leave, row, wait_row},
    specs,
};
use serde_json::{Value, json};

/// A source and a Kustomization that run the first of two versions.
struct Settled {
    place: Place,
    pair: Pair,
    repository: String,
    first: Pushed,
}

fn settled_kustomization(name: &str) -> Settled {
    let place = Place::new(name);
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let pair = manifests();
    let first = pair.push_first(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::source(&repository, &specs::any_version()));
    place.apply(KUSTOMIZATION, "app", &specs::kustomization("app", &place.namespace));
    place.await_holds(KUSTOMIZATION, "app", &first.digest);
    Settled { place, pair, repository, first }
}

fn settled_release(name: &str) -> Settled {
    let place = Place::new(name);
    let repository = place.repository("REGISTRY_PAGED", "charts");
    let pair = charts();
    let first = pair.push_first(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::chart_source(&repository, &specs::any_version()));
    place.apply(HELM_RELEASE, "app", &specs::release_of_source("app"));
    place.await_holds(HELM_RELEASE, "app", &first.digest);
    Settled { place, pair, repository, first }
}

#[test]
fn a_new_tag_reaches_the_kustomization_with_its_source() {
    let settled = settled_kustomization("with-source");
    let second = settled.pair.push_second(&settled.repository);
    let ran = reconcile(&settled.place, "ks/app", &["--with-source", "-o", "json"]).exits(0);

    let action = ran.json();
    assert_eq!(action["kind"], "Action");
    assert_eq!(action["standing"], "ready", "{action:#}");
    let done = without_progress(&action);
    assert_eq!(done, ["requested", "handled", "stored", "requested", "handled", "applied"], "{action:#}");
    assert_eq!(revision_at(&action, "stored"), second.revision());
    assert_eq!(revision_at(&action, "applied"), second.revision());
    for kind in [OCI_REPOSITORY, KUSTOMIZATION] {
        let object = settled.place.object(kind, "app").expect("it is there");
        assert_eq!(requested_at(&object), action["token"].as_str(), "the token that it says it sent");
        assert_eq!(object["status"]["lastHandledReconcileAt"], action["token"]);
    }
    assert!(ran.stderr.contains("requestedAt"), "the exact patch goes to stderr:\n{}", ran.stderr);
}

#[test]
fn a_reconcile_tells_its_steps_in_words() {
    let settled = settled_kustomization("in-words");
    let second = settled.pair.push_second(&settled.repository);
    let ran = reconcile(&settled.place, "ks/app", &["--with-source"]).exits(0);
    for word in ["PATCH", "reconcile.fluxcd.io/requestedAt", "requested", "handled", "stored", "applied"] {
        ran.says(word);
    }
    ran.says(second.tag).says(second.short());
}

/// Without its source nothing new is fetched, and the program does not pretend otherwise.
#[test]
fn a_reconcile_without_its_source_stays_where_it_is() {
    let settled = settled_kustomization("alone");
    settled.pair.push_second(&settled.repository);
    let action = reconcile(&settled.place, "ks/app", &["-o", "json"]).exits(0).json();
    assert_eq!(without_progress(&action), ["requested", "handled", "applied"], "{action:#}");
    assert_eq!(revision_at(&action, "applied"), settled.first.revision());
    let source = settled.place.object(OCI_REPOSITORY, "app").expect("it is there");
    assert_eq!(requested_at(&source), None, "the source was not asked");
}

#[test]
fn a_new_tag_reaches_the_release_with_its_source() {
    let settled = settled_release("hr-source");
    let second = settled.pair.push_second(&settled.repository);
    let action = reconcile(&settled.place, "hr/app", &["--with-source", "-o", "json"]).exits(0).json();
    let done = without_progress(&action);
    assert_eq!(done, ["requested", "handled", "stored", "requested", "handled", "applied"], "{action:#}");
    assert_eq!(revision_at(&action, "stored"), second.revision());
    assert_eq!(revision_at(&action, "applied"), second.chart_version());
}

/// The static HelmRepository is passed over with a word; the HelmChart is what finds the new version.
#[test]
fn a_new_tag_reaches_the_release_through_its_chart() {
    let place = Place::new("hr-chart");
    let pair = charts();
    let repository = place.repository("REGISTRY_PAGED", pair.name);
    pair.push_first(&repository);
    let parent = repository.trim_end_matches(&format!("/{}", pair.name));
    place.apply(HELM_REPOSITORY, "charts", &specs::helm_repository(parent));
    place.apply(HELM_RELEASE, "app", &specs::release_of_chart("charts", pair.name));
    place.await_ready(HELM_RELEASE, "app");
    let second = pair.push_second(&repository);

    let action = reconcile(&place, "hr/app", &["--with-source", "-o", "json"]).exits(0).json();
    let done = without_progress(&action);
    let expected = ["skipped", "requested", "handled", "stored", "requested", "handled", "applied"];
    assert_eq!(done, expected, "{action:#}");
    assert_eq!(revision_at(&action, "stored"), second.tag);
    assert_eq!(revision_at(&action, "applied"), second.tag);
    let chart = place.object(HELM_CHART, &format!("{}-app", place.namespace)).expect("its chart");
    assert_eq!(chart["status"]["artifact"]["revision"], second.tag);
}

#[test]
fn a_new_tag_reaches_the_kustomization_from_the_screen() {
    let settled = settled_kustomization("screen");
    let mut pty = fluxscope().screen(&["-n", &settled.place.namespace, "--write"], 160, 45);
    wait_row(&mut pty, &["ks", "app", settled.first.short(), "ready"]);
    pty.press(":ks\r");
    pty.wait_until("the list of Kustomizations alone", |screen| {
        row(screen, &["app", settled.first.short()]).is_some() && !screen.contains(specs::ANY)
    });
    let second = settled.pair.push_second(&settled.repository);
    pty.press("R");
    let dialog = pty.wait_for("with source");
    if !dialog.contains("[x] with source") {
        pty.press(" ");
    }
    pty.wait_for("[x] with source");
    pty.wait_until("the exact patches", |screen| {
        screen.contains("PATCH ocirepositories") && screen.contains("PATCH kustomizations")
    });
    pty.press("\r");
    pty.wait_for("applied");
    wait_row(&mut pty, &["app", second.tag, second.short(), "ready"]);
    leave(pty);
    let source = settled.place.object(OCI_REPOSITORY, "app").expect("it is there");
    assert_eq!(source["status"]["artifact"]["revision"], second.revision());
}

/// Read-only until told otherwise: the dialog may open, and nothing is sent.
#[test]
fn without_write_the_screen_sends_nothing() {
    let settled = settled_kustomization("read-only");
    let mut pty = fluxscope().screen(&["-n", &settled.place.namespace], 100, 30);
    // the cursor is on the source, whose kind may be read after the other
    wait_row(&mut pty, &["ks", "app", settled.first.short()]);
    wait_row(&mut pty, &["ocirepo", "app", "ready"]);
    pty.press("R");
    pty.wait_for(":write");
    pty.press("\r");
    pty.press("\r");
    pty.press("\u{1b}");
    leave(pty);
    for kind in [OCI_REPOSITORY, KUSTOMIZATION] {
        assert_eq!(requested_at(&settled.place.object(kind, "app").expect("it is there")), None);
    }
}

#[test]
fn a_dry_run_says_what_it_would_send_and_sends_nothing() {
    let settled = settled_kustomization("dry");
    let ran = reconcile(&settled.place, "ks/app", &["--with-source", "--dry-run"]).exits(0);
    ran.says("PATCH ocirepositories").says("PATCH kustomizations").says("reconcile.fluxcd.io/requestedAt");
    for kind in [OCI_REPOSITORY, KUSTOMIZATION] {
        assert_eq!(requested_at(&settled.place.object(kind, "app").expect("it is there")), None);
    }
}

#[test]
fn a_suspended_object_is_refused() {
    let settled = settled_kustomization("suspended");
    settled.place.merge(KUSTOMIZATION, "app", &json!({"spec": {"suspend": true}}));
    reconcile(&settled.place, "ks/app", &["--with-source"]).exits(2).says("suspended");
    for kind in [OCI_REPOSITORY, KUSTOMIZATION] {
        assert_eq!(requested_at(&settled.place.object(kind, "app").expect("it is there")), None);
    }
}

#[test]
fn a_suspended_source_is_refused_before_anything_is_sent() {
    let settled = settled_kustomization("suspended-source");
    settled.place.merge(OCI_REPOSITORY, "app", &json!({"spec": {"suspend": true}}));
    reconcile(&settled.place, "ks/app", &["--with-source"]).exits(2).says("suspended");
    let consumer = settled.place.object(KUSTOMIZATION, "app").expect("it is there");
    assert_eq!(requested_at(&consumer), None);
}

/// Flux's own words come back, and the consumer behind the failing source is left alone.
#[test]
fn a_failing_source_ends_the_reconcile_with_fluxs_message() {
    let settled = settled_kustomization("fails");
    settled.place.merge(
        OCI_REPOSITORY,
        "app",
        &json!({"spec": {"ref": {"semver": null, "tag": "99.99.99"}}}),
    );
    let failed = settled.place.await_failed(OCI_REPOSITORY, "app");
    let message = crate::cluster::condition(&failed, "Ready").expect("a verdict")["message"].clone();
    let message = message.as_str().expect("words").split("http").next().expect("a beginning").trim();

    let ran = reconcile(&settled.place, "ks/app", &["--with-source", "-o", "json"]).exits(1);
    let action = ran.json();
    assert_eq!(without_progress(&action), ["requested", "handled", "failed"], "{action:#}");
    assert!(action.to_string().contains(&message.replace('"', "\\\"")), "{message} is not in {action:#}");
    let consumer = settled.place.object(KUSTOMIZATION, "app").expect("it is there");
    assert_eq!(requested_at(&consumer), None, "the consumer was not asked");

    reconcile(&settled.place, "ocirepo/app", &[]).exits(1).says(message);
}

#[test]
fn an_object_that_is_not_there_is_named() {
    let place = Place::new("nobody");
    let ran = reconcile(&place, "ks/nobody", &[]);
    assert_ne!(ran.code, 0);
    ran.says("nobody");
}

fn reconcile(place: &Place, target: &str, options: &[&str]) -> Ran {
    let mut words = vec!["reconcile", target, "-n", &place.namespace, "--timeout", "90s"];
    words.extend(options);
    let ran = fluxscope().run(&words);
    assert!(!ran.all().contains(env().get("ADMIN_TOKEN")), "the token of the user stays out of sight");
    ran
}

fn words(action: &Value) -> Vec<&str> {
    let steps = action["steps"].as_array().into_iter().flatten();
    steps.filter_map(|step| step["what"].as_str()).collect()
}

/// How often an object was seen on its way is the controllers' affair.
fn without_progress(action: &Value) -> Vec<&str> {
    words(action).into_iter().filter(|word| *word != "progressing").collect()
}

fn revision_at(action: &Value, what: &str) -> String {
    let mut steps = action["steps"].as_array().into_iter().flatten().rev();
    let step = steps.find(|step| step["what"] == what);
    step.and_then(|step| step["revision"].as_str()).unwrap_or_default().to_owned()
}
