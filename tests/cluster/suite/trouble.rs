//! What goes wrong in a cluster, and what the program makes of it: failing sources, and objects that come and go.

use crate::{
    artifacts::manifests,
    cluster::{KUSTOMIZATION, OCI_REPOSITORY, Place, condition},
    program::{fluxscope, item, items},
    screens::{leave, row, wait_row},
    specs,
};
use serde_json::json;

#[test]
fn a_missing_tag_is_told_in_fluxs_words_and_makes_its_consumers_stale() {
    let place = Place::new("missing-tag");
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let pushed = manifests().push_first(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::source(&repository, &specs::any_version()));
    for name in ["one", "two"] {
        place.apply(KUSTOMIZATION, name, &specs::kustomization("app", &place.namespace));
        place.await_holds(KUSTOMIZATION, name, &pushed.digest);
    }
    let mut pty = fluxscope().screen(&["-n", &place.namespace], 160, 45);
    wait_row(&mut pty, &["one", "ready", pushed.short()]);

    place.merge(OCI_REPOSITORY, "app", &json!({"spec": {"ref": {"semver": null, "tag": "99.99.99"}}}));
    let failed = place.await_failed(OCI_REPOSITORY, "app");
    let ready = condition(&failed, "Ready").expect("a verdict");

    let list = fluxscope().run(&["get", "all", "-n", &place.namespace, "-o", "json"]).exits(0).json();
    let source = item(&list, "OCIRepository", &place.namespace, "app");
    assert_eq!((&source["standing"], &source["reason"]), (&json!("failing"), &ready["reason"]));
    assert_eq!(source["message"], ready["message"]);
    assert_eq!(source["revision"], pushed.revision(), "what it still serves");
    for name in ["one", "two"] {
        let consumer = item(&list, "Kustomization", &place.namespace, name);
        assert_eq!(consumer["standing"], "stale", "{consumer}");
        assert_eq!(consumer["revision"], pushed.revision());
    }

    wait_row(&mut pty, &["app", "failing", pushed.short()]);
    wait_row(&mut pty, &["one", "stale", pushed.short()]);
    wait_row(&mut pty, &["two", "stale", pushed.short()]);
    pty.wait_for("99.99.99");
    leave(pty);
}

#[test]
fn what_is_deleted_leaves_no_ghost_and_what_comes_back_comes_once() {
    let place = Place::new("ghosts");
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let pushed = manifests().push_first(&repository);
    let create = || {
        place.apply(OCI_REPOSITORY, "fleeting", &specs::source(&repository, &specs::any_version()));
        place.apply(KUSTOMIZATION, "fleeting", &specs::kustomization("fleeting", &place.namespace));
        place.await_holds(KUSTOMIZATION, "fleeting", &pushed.digest);
    };
    let rows = |screen: &str| {
        screen.lines().filter(|line| line.contains(&format!("{}/fleeting", place.namespace))).count()
    };
    place.apply(OCI_REPOSITORY, "lasting", &specs::source(&repository, &specs::any_version()));
    create();
    let mut pty = fluxscope().screen(&["-n", &place.namespace], 100, 30);
    wait_row(&mut pty, &["fleeting", "ks ", pushed.short()]);
    wait_row(&mut pty, &["lasting", pushed.short()]);

    place.delete(KUSTOMIZATION, "fleeting");
    place.delete(OCI_REPOSITORY, "fleeting");
    pty.wait_until("no row of what is gone", |screen| row(screen, &["fleeting"]).is_none());
    assert!(row(&pty.screen(), &["lasting"]).is_some(), "the other row stays:\n{}", pty.screen());
    let list = fluxscope().run(&["get", "all", "-n", &place.namespace, "-o", "json"]).exits(0).json();
    assert_eq!(items(&list).count(), 1, "{list:#}");

    create();
    wait_row(&mut pty, &["ks ", "fleeting", "ready", pushed.short()]);
    // The foot tells about the selected row, which is one of them: only rows of the list are counted.
    let screen = pty.wait_until("the source is back", |screen| rows(screen) >= 2);
    assert!(rows(&screen) <= 3, "each comes once:\n{screen}");
    let list = fluxscope().run(&["get", "all", "-n", &place.namespace, "-o", "json"]).exits(0).json();
    item(&list, "OCIRepository", &place.namespace, "fleeting");
    item(&list, "Kustomization", &place.namespace, "fleeting");
    leave(pty);
}
