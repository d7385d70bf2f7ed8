//! Registries as they are: one that pages, one that does not, one that wants a password, one that cuts in silence.

use crate::{
    artifacts::manifests,
    cluster::{OCI_REPOSITORY, Place, env, push, scratch},
    program::{fluxscope, items},
    screens::{leave, wait_top},
    specs,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::json;
use std::collections::BTreeSet;

const MANY: usize = 2_500;

#[test]
fn a_registry_that_pages_is_read_to_its_end() {
    let place = Place::new("paged");
    let list = many_tags(&place, "REGISTRY_PAGED");
    assert_eq!(list["complete"], true);
    assert!(list["requests"].as_u64().is_some_and(|requests| requests > 1), "{}", list["requests"]);
    assert_all_there(&list);
}

#[test]
fn a_registry_that_does_not_page_is_read_at_once() {
    if env().get("REGISTRY_UNPAGED").is_empty() {
        eprintln!("SKIPPED: this cluster has no registry that does not page tags");
        return;
    }
    let place = Place::new("unpaged");
    let list = many_tags(&place, "REGISTRY_UNPAGED");
    assert_eq!(list["complete"], true);
    assert_all_there(&list);
}

/// It gives `n` tags and no `Link`: more may be there, and a list that ends here must not be called complete.
#[test]
fn a_registry_that_cuts_in_silence_is_not_called_complete() {
    let place = Place::new("cut");
    let list = many_tags(&place, "REGISTRY_REFERRERS");
    if list["complete"] == true {
        assert_all_there(&list);
    } else {
        let told = items(&list).count();
        assert!(told > 0 && told < MANY, "{told} of {MANY} tags, not complete");
    }
}

fn many_tags(place: &Place, registry: &str) -> serde_json::Value {
    let repository = place.repository(registry, "many");
    push(&["many", &repository, &MANY.to_string()]);
    let list = fluxscope().run(&["tags", &format!("oci://{repository}"), "-o", "json"]).exits(0).json();
    assert_eq!(list["kind"], "TagList");
    assert!(
        list["repository"].as_str().is_some_and(|named| named.contains(&repository)),
        "{}",
        list["repository"]
    );
    list
}

fn assert_all_there(list: &serde_json::Value) {
    let tags: BTreeSet<&str> = items(list).filter_map(|item| item["tag"].as_str()).collect();
    assert_eq!(tags.len(), MANY, "each tag once");
    assert_eq!(items(list).count(), MANY, "each tag once");
    // The last of them by version, which is not the last by name.
    assert_eq!(items(list).next().expect("a tag")["tag"], "1.24.99", "newest first, by version");
}

#[test]
fn a_password_opens_the_registry_and_is_never_shown() {
    let place = Place::new("password");
    let (user, password) = (env().get("REGISTRY_AUTH_USER"), env().get("REGISTRY_AUTH_PASSWORD"));
    let repository = place.repository("REGISTRY_AUTH", "secret");
    let creds = format!("{user}:{password}");
    push(&["many", &repository, "7", "--creds", &creds]);
    let url = format!("oci://{repository}");

    let refused = fluxscope().run(&["tags", &url, "-o", "json"]).exits(2);
    refused.says("401");
    let text = refused.all();
    assert!(text.contains("hint") || text.contains("REGISTRY_AUTH_FILE") || text.contains("login"), "{text}");

    let secret = BASE64_STANDARD.encode(&creds);
    let with = |secret: &str, name: &str| {
        let file = scratch("auth").join(name);
        let host = env().get("REGISTRY_AUTH");
        std::fs::write(&file, json!({"auths": {host: {"auth": secret}}}).to_string()).expect("a file");
        fluxscope().with("REGISTRY_AUTH_FILE", file.display().to_string())
    };
    let right = with(&secret, "right.json");
    let ran = right.run(&["tags", &url, "-o", "json"]).exits(0);
    assert_eq!(items(&ran.json()).count(), 7);
    assert_silent(&ran.all(), &[password, &secret]);

    let wrong = BASE64_STANDARD.encode(format!("{user}:not-the-password"));
    let ran = with(&wrong, "wrong.json").run(&["tags", &url, "-o", "json"]).exits(2);
    ran.says("401");
    assert_silent(&ran.all(), &["not-the-password", &wrong]);

    let mut pty = right.screen(&[], 100, 30);
    wait_top(&mut pty, "RO");
    pty.press(&format!(":tags {url}\r"));
    pty.wait_for("1.0.6");
    let bytes = String::from_utf8_lossy(&pty.bytes).into_owned();
    assert_silent(&bytes, &[password, &secret]);
    leave(pty);
}

fn assert_silent(text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "a secret is in what it wrote");
    }
}

#[test]
fn an_object_names_its_repository() {
    let place = Place::new("named");
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let pair = manifests();
    let first = pair.push_first(&repository);
    let second = pair.push_second(&repository);
    place.apply(OCI_REPOSITORY, "app", &specs::source(&repository, &specs::tag(first.tag)));
    place.await_holds(OCI_REPOSITORY, "app", &first.digest);
    let list =
        fluxscope().run(&["tags", "ocirepo/app", "-n", &place.namespace, "-o", "json"]).exits(0).json();
    let tags: Vec<_> = items(&list).filter_map(|item| item["tag"].as_str()).collect();
    assert_eq!(tags, [second.tag, first.tag]);

    let mut pty = fluxscope().screen(&["-n", &place.namespace], 100, 30);
    pty.wait_for(first.short());
    pty.press("t");
    pty.wait_until("both tags", |screen| screen.contains(first.tag) && screen.contains(second.tag));
    leave(pty);
}

#[test]
fn what_the_registry_does_not_know_is_a_problem() {
    let place = Place::new("unknown");
    let url = format!("oci://{}", place.repository("REGISTRY_PAGED", "nothing"));
    let ran = fluxscope().run(&["tags", &url]).exits(2);
    ran.says("404");
}
