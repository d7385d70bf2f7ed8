//! What a tag names, and manifests: verified, and never believed twice.

use super::{
    registry,
    server::{MANIFEST, OCI_IMAGE, Server, answer, complaint, manifest, manifest_digest},
};
use fluxscope::{domain::problem::Cause, port::Registry};

#[tokio::test]
async fn a_head_tells_digest_type_and_size_in_one_request() {
    let server = Server::start(|_, _| Some(manifest())).await;
    let found = registry().head(server.upstream("acme/fleet"), "1.0.0".into()).await.unwrap();
    assert_eq!(found.digest.as_str(), manifest_digest());
    assert_eq!((&*found.media_type, found.size), (OCI_IMAGE, Some(MANIFEST.len() as u64)));
    assert_eq!(server.requests(), ["HEAD /v2/acme/fleet/manifests/1.0.0"]);
    let accept = server.seen()[0].header("accept").unwrap().to_owned();
    for kind in
        ["oci.image.manifest.v1", "oci.image.index.v1", "distribution.manifest.v2", "manifest.list.v2"]
    {
        assert!(accept.contains(kind), "{accept}");
    }
}

#[tokio::test]
async fn a_head_that_does_not_say_the_digest_is_followed_by_a_get_that_is_hashed() {
    for status in [200, 405] {
        let server = Server::start(move |seen, _| {
            let status = if seen.method == "HEAD" { status } else { 200 };
            Some(answer(status, &[("content-type", OCI_IMAGE)], MANIFEST))
        })
        .await;
        let found = registry().head(server.upstream("acme/fleet"), "1.0.0".into()).await.unwrap();
        assert_eq!(found.digest.as_str(), manifest_digest());
        assert_eq!(server.seen().len(), 2);
    }
}

#[tokio::test]
async fn a_missing_tag_is_told_in_the_registrys_words() {
    let server =
        Server::start(|_, _| Some(complaint(404, &[], "MANIFEST_UNKNOWN", "manifest unknown"))).await;
    let problem = registry().head(server.upstream("acme/fleet"), "9.9.9".into()).await.unwrap_err();
    assert_eq!(
        (problem.cause, problem.why.as_str()),
        (Cause::NotFound, "404 MANIFEST_UNKNOWN: manifest unknown")
    );
    assert!(problem.what.ends_with("/acme/fleet:9.9.9 is"), "{}", problem.what);
    let hint = problem.hint.unwrap();
    assert_eq!(hint, "nothing is under this name, or it may not be seen: asked without a login");
}

#[tokio::test]
async fn a_manifest_is_read_with_its_layers_and_annotations() {
    let server = Server::start(|_, _| Some(manifest())).await;
    for reference in ["1.0.0".to_owned(), manifest_digest()] {
        let read = registry().manifest(server.upstream("acme/fleet"), reference).await.unwrap();
        assert_eq!(read.digest.as_str(), manifest_digest());
        assert_eq!((read.layers.len(), read.created()), (1, Some("2026-02-10T10:47:19Z")));
        assert_eq!(&*read.config.unwrap().media_type, "application/vnd.cncf.flux.config.v1+json");
    }
}

#[tokio::test]
async fn another_content_than_was_asked_for_is_refused_with_both_digests() {
    let other = format!("sha256:{}", "a".repeat(64));
    let lie = other.clone();
    let server = Server::start(move |seen, _| {
        let lies = seen.path().contains("liar");
        let digest = if lies { lie.clone() } else { manifest_digest() };
        let headers = [("content-type", OCI_IMAGE), ("docker-content-digest", &*digest)];
        Some(answer(200, if seen.path().contains("silent") { &headers[..1] } else { &headers }, MANIFEST))
    })
    .await;
    let registry = registry();
    for (path, reference) in [("acme/liar", "1.0.0"), ("acme/silent", &other), ("acme/honest", &other)] {
        let problem = registry.manifest(server.upstream(path), reference.into()).await.unwrap_err();
        assert_eq!(problem.cause, Cause::Invalid);
        assert!(problem.why.contains(&other) && problem.why.contains(&manifest_digest()), "{}", problem.why);
    }
    let problem = registry.head(server.upstream("acme/honest"), other).await.unwrap_err();
    assert!(problem.why.contains("the registry says it sent"), "{}", problem.why);
}

#[tokio::test]
async fn a_reference_that_could_change_the_url_is_never_requested() {
    let server = Server::start(|_, _| Some(manifest())).await;
    let registry = registry();
    for bad in ["../../../secret/manifests/x?y=1#", "sha256:../../../../v2/other/blobs/zzz", "", "a b"] {
        let problem = registry.head(server.upstream("acme/fleet"), bad.into()).await.unwrap_err();
        assert_eq!(problem.cause, Cause::Usage, "{bad}");
        assert!(registry.manifest(server.upstream("acme/fleet"), bad.into()).await.is_err());
    }
    assert!(server.seen().is_empty());
}
