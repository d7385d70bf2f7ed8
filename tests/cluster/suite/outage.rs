//! The API server goes away under a running screen and comes back. The one part that must be alone with the cluster.

use crate::{
    artifacts::manifests,
    cluster::{KUSTOMIZATION, OCI_REPOSITORY, Place, alone, api_server, eventually},
    program::fluxscope,
    screens::{leave, row, wait_row, wait_top},
    specs,
};
use serde_json::json;

/// Brings the server back whatever becomes of the test.
struct Down;

impl Down {
    fn now() -> Self {
        api_server("stop");
        Self
    }
}

impl Drop for Down {
    fn drop(&mut self) {
        api_server("start");
    }
}

#[test]
fn without_its_server_the_screen_keeps_what_it_has_and_comes_back_by_itself() {
    let alone = alone();
    let place = Place::alone("outage", &alone);
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let pushed = manifests().push_first(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::source(&repository, &specs::any_version()));
    place.apply(KUSTOMIZATION, "app", &specs::kustomization("app", &place.namespace));
    place.await_holds(KUSTOMIZATION, "app", &pushed.digest);
    let mut pty = fluxscope().screen(&["-n", &place.namespace], 100, 30);
    wait_row(&mut pty, &["ks ", "app", pushed.short(), "ready"]);
    wait_top(&mut pty, "live");

    let down = Down::now();
    let screen = wait_top(&mut pty, "reconnecting");
    assert!(row(&screen, &["ks ", "app", pushed.short()]).is_some(), "the rows stay:\n{screen}");
    pty.press("?");
    pty.wait_for("help");
    pty.press("\u{1b}");
    let said = fluxscope().run(&["get", "all", "-n", &place.namespace]).exits(2);
    assert!(said.stdout.is_empty() || !said.stdout.contains("app"), "nothing is made up: {}", said.stdout);
    drop(down);

    wait_top(&mut pty, "live");
    let screen = pty.screen();
    assert!(!screen.contains("reconnecting"), "{screen}");
    assert!(row(&screen, &["ks ", "app", pushed.short()]).is_some(), "{screen}");
    place.merge(OCI_REPOSITORY, "app", &json!({"spec": {"suspend": true}}));
    wait_row(&mut pty, &["app", "suspended", pushed.short()]);
    place.apply(OCI_REPOSITORY, "newcomer", &specs::source(&repository, &specs::any_version()));
    wait_row(&mut pty, &["newcomer"]);
    leave(pty);
    await_controllers(&place);
}

/// Controllers back off while the server is away: the next run on this cluster should not meet them asleep.
fn await_controllers(place: &Place) {
    place.await_ready(OCI_REPOSITORY, "newcomer");
    place.merge(
        KUSTOMIZATION,
        "app",
        &json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "awake"}}}),
    );
    eventually("kustomize-controller is back", || {
        let object = place.object(KUSTOMIZATION, "app")?;
        let handled = object["status"]["lastHandledReconcileAt"] == "awake";
        if handled { Ok(()) } else { Err(object["status"].to_string()) }
    });
}
