//! Signatures, attestations and SBOMs: by the API, by its tag schema and by cosign's tags; "none" is not "unknown".

use super::{
    registry,
    server::{OCI_IMAGE, Reply, Seen, Server, answer, complaint},
    store::{OCI_INDEX, Store, descriptor, sha256},
};
use axum::http::Response;
use fluxscope::{
    domain::{
        artifact::{Referrers, Role},
        digest::Digest,
        problem::{Cause, Problem},
    },
    port::Registry,
};
use serde_json::{Value, json};

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const NOTATION: &str = "application/vnd.cncf.notary.signature";
const SPDX: &str = "application/spdx+json";

fn subject() -> Digest {
    descriptor(b"the manifest that was signed").digest
}

fn entry(name: &str, kind: &str) -> Value {
    json!({"mediaType": OCI_IMAGE, "digest": sha256(name.as_bytes()), "size": 10, "artifactType": kind})
}

fn index(entries: &[Value]) -> Response<axum::body::Body> {
    let document = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    answer(200, &[("content-type", OCI_INDEX)], document.to_string())
}

fn is_api(seen: &Seen) -> bool {
    seen.path().contains("/referrers/")
}

fn unknown() -> Response<axum::body::Body> {
    complaint(404, &[], "MANIFEST_UNKNOWN", "manifest unknown")
}

async fn asked(
    answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
) -> (Result<Referrers, Problem>, Server) {
    let server = Server::start(move |seen, _| answer(seen)).await;
    let found = registry().referrers(server.upstream("acme/fleet"), subject()).await;
    (found, server)
}

/// The API answers so; everything else is unknown.
async fn api(
    answer: impl Fn(&Seen) -> Response<axum::body::Body> + Send + Sync + 'static,
) -> Result<Referrers, Problem> {
    let tags = move |seen: &Seen| Some(if is_api(seen) { answer(seen) } else { unknown() });
    asked(tags).await.0
}

fn types(found: &Referrers) -> Vec<&str> {
    found.found.iter().map(|one| &*one.artifact_type).collect()
}

#[tokio::test]
async fn the_api_lists_them_by_type() {
    let found = api(|_| {
        index(&[entry("a", BUNDLE), entry("b", NOTATION), entry("c", SPDX), entry("d", "application/x")])
    });
    let found = found.await.unwrap();
    assert_eq!(types(&found), [BUNDLE, NOTATION, SPDX, "application/x"]);
    let roles: Vec<Role> = found.found.iter().map(fluxscope::domain::artifact::Referrer::role).collect();
    assert_eq!(roles, [Role::Signature, Role::Signature, Role::Sbom, Role::Other]);
    assert!(found.complete);
    assert_eq!(&*found.note, "by the referrers API; no tag of cosign's");
}

#[tokio::test]
async fn none_is_an_answer_and_asks_for_cosigns_tags_once_each() {
    let (found, server) = asked(|seen| Some(if is_api(seen) { index(&[]) } else { unknown() })).await;
    let found = found.unwrap();
    assert!(found.found.is_empty() && found.complete);
    let mut requests = server.requests();
    requests.sort();
    let tag = subject().as_str().replace(':', "-");
    let head = |end: &str| format!("HEAD /v2/acme/fleet/manifests/{tag}.{end}");
    let listed = format!("GET /v2/acme/fleet/referrers/{}", subject());
    assert_eq!(requests, [listed, head("att"), head("sbom"), head("sig")]);
}

#[tokio::test]
async fn pages_are_followed_at_the_same_registry_only_and_each_once() {
    let pages = |seen: &Seen| {
        let tail = format!("/v2/acme/fleet/referrers/{}", subject());
        let (names, next) = match seen.query("page").as_deref() {
            None => (["a", "b"], Some(format!("<{tail}?page=2>; rel=\"next\""))),
            Some("2") => (["c", "a"], Some(format!("<{tail}?page=3>; rel=\"next\""))),
            _ => (["e", "f"], Some(format!("<{tail}?page=2>; rel=\"next\""))),
        };
        let mut response = index(&names.map(|name| entry(name, BUNDLE)));
        if let Some(next) = next {
            response.headers_mut().insert("link", next.parse().unwrap());
        }
        response
    };
    let found = api(pages).await.unwrap();
    assert_eq!(found.found.len(), 5);
    assert!(!found.complete && found.note.contains("repeats a page"), "{}", found.note);
    let foreign = api(|_| {
        let mut response = index(&[entry("a", BUNDLE)]);
        response.headers_mut().insert("link", "<http://192.0.2.1/v2/x>; rel=\"next\"".parse().unwrap());
        response
    });
    let foreign = foreign.await.unwrap();
    assert_eq!((foreign.found.len(), foreign.complete), (1, false));
    assert!(foreign.note.contains("not at this registry"), "{}", foreign.note);
}

#[tokio::test]
async fn of_a_list_without_end_the_signatures_are_asked_for_by_themselves() {
    let endless = |seen: &Seen| {
        if let Some(kind) = seen.query("artifactType") {
            // whether the registry filters or not, only what was asked for counts
            return index(&[entry("signature", &kind), entry("other", "application/x")]);
        }
        let page: usize = seen.query("page").map_or(0, |page| page.parse().unwrap());
        let entries: Vec<Value> =
            (0..100).map(|number| entry(&format!("{page}-{number}"), "application/x")).collect();
        let mut response = index(&entries);
        let next = format!("<{}?page={}>; rel=\"next\"", seen.path(), page + 1);
        response.headers_mut().insert("link", next.parse().unwrap());
        response
    };
    let found = api(endless).await.unwrap();
    assert!(
        !found.complete && found.note.contains("stopped after 1000 referrers: more exist"),
        "{}",
        found.note
    );
    assert_eq!(found.found.len(), 1001);
    assert_eq!(found.found.last().unwrap().role(), Role::Signature);
}

#[tokio::test]
async fn without_an_api_the_tag_schema_and_cosigns_tags_are_asked() {
    let mut store = Store::default();
    let tag = subject().as_str().replace(':', "-");
    store.index(&tag, &[entry("a", BUNDLE), entry("b", SPDX)]);
    store.image(&format!("{tag}.sig"), &[]);
    let refusals = [
        answer(404, &[("content-type", "text/plain")], "404 page not found"),
        complaint(405, &[], "UNSUPPORTED", "no"),
        answer(303, &[("location", "http://192.0.2.1/login")], ""),
        answer(200, &[("content-type", "text/html")], "<html>log in</html>"),
    ];
    for refusal in refusals {
        let (status, headers) = (refusal.status(), refusal.headers().clone());
        let store = store.clone();
        let (found, server) = asked(move |seen| {
            if !is_api(seen) {
                return store.answer(seen);
            }
            let mut response = answer(status.as_u16(), &[], if status.is_success() { "<html>" } else { "" });
            response.headers_mut().extend(headers.clone());
            Some(response)
        })
        .await;
        let found = found.unwrap();
        let roles: Vec<Role> = found.found.iter().map(fluxscope::domain::artifact::Referrer::role).collect();
        assert_eq!(roles, [Role::Signature, Role::Sbom, Role::Signature], "{status}");
        assert_eq!(found.found[2].tag.as_deref(), Some(format!("{tag}.sig").as_str()));
        assert!(
            found.complete && found.note.contains("by the tag schema; by cosign's tags"),
            "{}",
            found.note
        );
        assert_eq!(server.seen().len(), 5);
    }
}

#[tokio::test]
async fn a_registry_that_does_not_say_is_a_problem_and_never_none() {
    let limited = asked(|seen| {
        let slow_down = || complaint(429, &[("retry-after", "0")], "TOOMANYREQUESTS", "slow down");
        Some(if is_api(seen) { slow_down() } else { unknown() })
    });
    let problem = limited.await.0.unwrap_err();
    assert_eq!(problem.cause, Cause::RateLimited);
    assert!(problem.what.starts_with("ask what refers to sha256:"), "{problem}");
    let hidden = asked(|seen| {
        let signature = seen.path().rsplit('.').next() == Some("sig");
        Some(if signature { complaint(403, &[], "DENIED", "no") } else { unknown() })
    });
    assert_eq!(hidden.await.0.unwrap_err().cause, Cause::Forbidden);
}

#[tokio::test]
async fn what_was_found_is_shown_though_another_way_could_not_be_asked() {
    let found = asked(|seen| {
        Some(if is_api(seen) { index(&[entry("a", BUNDLE)]) } else { complaint(403, &[], "DENIED", "no") })
    });
    let found = found.await.0.unwrap();
    assert_eq!((found.found.len(), found.complete), (1, false));
    assert!(found.note.contains("not all could be asked: 403 Forbidden"), "{}", found.note);
}

#[tokio::test]
async fn a_type_that_the_list_does_not_say_is_read_from_the_manifest() {
    let mut store = Store::default();
    let empty = store.blob("application/vnd.oci.empty.v1+json", b"{}");
    let layer = store.blob(BUNDLE, b"a bundle");
    let document = json!({"schemaVersion": 2, "mediaType": OCI_IMAGE, "config": empty, "layers": [layer]});
    let mut unsaid = store.document("x", OCI_IMAGE, &document);
    let mut hidden = unsaid.clone();
    hidden["artifactType"] = "application/vnd.oci.empty.v1+json".into();
    unsaid["digest"] = sha256(b"gone").into();
    let (found, _server) =
        asked(
            move |seen| {
                if is_api(seen) { Some(index(&[hidden.clone(), unsaid.clone()])) } else { store.answer(seen) }
            },
        )
        .await;
    assert_eq!(types(&found.unwrap()), [BUNDLE, ""]);
}

#[tokio::test]
async fn a_git_digest_is_not_asked_for() {
    let server = Server::start(|_, _| None).await;
    let git = Digest::parse(&format!("sha1:{}", "a".repeat(40))).unwrap();
    let problem = registry().referrers(server.upstream("acme/fleet"), git).await.unwrap_err();
    assert_eq!(problem.cause, Cause::Usage);
    assert!(server.seen().is_empty());
}
