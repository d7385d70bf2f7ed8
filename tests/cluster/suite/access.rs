//! Users who may see only a part: they see that part, and what is missing has a name.

use crate::{
    artifacts::{Pushed, charts, manifests},
    cluster::{HELM_RELEASE, KUSTOMIZATION, OCI_REPOSITORY, Place},
    program::{as_user, item, items},
    screens::{filter, leave, row, wait_row, wait_top},
    specs,
};

#[test]
fn who_may_not_read_helm_releases_sees_the_rest_and_is_told() {
    let place = Place::new("no-helm");
    let repository = place.repository("REGISTRY_PAGED", "charts");
    let pushed = charts().push_first(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::chart_source(&repository, &specs::any_version()));
    place.apply(HELM_RELEASE, "hidden", &specs::release_of_source("app"));
    place.await_holds(HELM_RELEASE, "hidden", &pushed.digest);
    let viewer = as_user("viewer-no-helm");

    let ran = viewer.run(&["get", "all", "-A", "-o", "json"]).exits(2);
    let list = ran.json();
    assert_eq!(item(&list, "OCIRepository", &place.namespace, "app")["revision"], pushed.revision());
    assert!(!items(&list).any(|item| item["kind"] == "HelmRelease"), "{list:#}");
    assert_named(&ran.stdout, "in the JSON");
    assert_named(&ran.stderr, "on stderr");
    viewer.run(&["get", "ocirepo", "-A"]).exits(0).says(&place.namespace);
    assert_named(&viewer.run(&["get", "hr", "-A"]).exits(2).all(), "of the kind alone");

    let mut pty = viewer.screen(&[], 160, 45);
    wait_top(&mut pty, "live");
    pty.wait_until("the kind and the missing verb", names_the_refusal);
    filter(&mut pty, &place.namespace);
    let screen =
        pty.wait_until("the source", |screen| row(screen, &["app", pushed.short(), "ready"]).is_some());
    assert!(row(&screen, &["hidden"]).is_none(), "{screen}");
    leave(pty);
}

fn assert_named(text: &str, place: &str) {
    assert!(names_the_refusal(text), "the kind and the missing verb, {place}:\n{text}");
}

fn names_the_refusal(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.contains("helmrelease") && text.contains("list")
}

#[test]
fn who_may_read_one_namespace_sees_that_one_and_no_lie() {
    let place = Place::new("team").within("team-a");
    let (name, pushed) = settled(&place);
    let team = as_user("team-a");

    let list = team.run(&["get", "all", "-n", "team-a", "-o", "json"]).exits(0).json();
    for kind in ["OCIRepository", "Kustomization"] {
        let found = item(&list, kind, "team-a", &name);
        assert_eq!(
            (found["standing"].as_str(), found["revision"].as_str()),
            (Some("ready"), Some(pushed.revision().as_str()))
        );
    }
    let list = team.run(&["get", "-o", "json"]).exits(0).json();
    item(&list, "Kustomization", "team-a", &name);

    let ran = team.run(&["get", "all", "-A", "-o", "json"]).exits(2);
    item(&ran.json(), "Kustomization", "team-a", &name);
    assert!(
        ran.stderr.to_ascii_lowercase().contains("list"),
        "what may not be listed is told:\n{}",
        ran.stderr
    );

    let ran = team.run(&["get", "all", "-n", "team-b", "-o", "json"]).exits(2);
    assert_eq!(items(&ran.json()).count(), 0);
    ran.says("team-b");

    let mut pty = team.screen(&[], 100, 30);
    wait_row(&mut pty, &["ks ", &name, pushed.short(), "ready"]);
    let top = pty.screen().lines().next().unwrap_or_default().to_owned();
    assert!(
        !top.contains("all namespaces") || top.contains("team-a"),
        "the top line promises too much: {top}"
    );
    leave(pty);
    let mut pty = team.screen(&["-n", "team-a"], 100, 30);
    wait_row(&mut pty, &["ks ", &name, pushed.short(), "ready"]);
    wait_top(&mut pty, "live");
    leave(pty);
}

/// In a namespace that other runs use too, so its names carry the run.
fn settled(place: &Place) -> (String, Pushed) {
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let pushed = manifests().push_first(&repository);
    let name = repository.split('/').nth(1).expect("a prefix").to_owned();
    place.apply(OCI_REPOSITORY, &name, &specs::source(&repository, &specs::any_version()));
    place.apply(KUSTOMIZATION, &name, &specs::kustomization(&name, "team-a"));
    place.await_holds(KUSTOMIZATION, &name, &pushed.digest);
    (name, pushed)
}
