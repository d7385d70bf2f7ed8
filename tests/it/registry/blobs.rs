//! Blobs: bounded, verified by digest and size, resumed where they broke off, and never waited for in vain.

use super::{
    registry,
    server::{Reply, Seen, Server, answer, complaint},
    settings,
    store::{descriptor, noise, ranged, sha256},
};
use axum::body::{Body, Bytes};
use fluxscope::{
    domain::{
        artifact::Descriptor,
        digest::Digest,
        problem::{Cause, Problem},
    },
    port::Registry,
    registry::{Limits, OciRegistry, Settings},
};
use futures::{StreamExt, stream};
use std::{convert::Infallible, io, time::Duration};

fn limited(limits: impl Fn(Limits) -> Limits) -> OciRegistry {
    let settings = settings();
    OciRegistry::new(Settings { limits: limits(settings.limits.clone()), ..settings }).unwrap()
}

/// What was handed out, and how it ended.
async fn pull(registry: &OciRegistry, server: &Server, blob: &Descriptor) -> (Vec<u8>, Result<(), Problem>) {
    let mut bytes = Vec::new();
    let mut chunks = registry.blob(server.upstream("acme/fleet"), blob.clone());
    while let Some(chunk) = chunks.next().await {
        match chunk {
            Ok(chunk) => bytes.extend_from_slice(&chunk),
            Err(problem) => {
                assert!(chunks.next().await.is_none(), "a problem is the last item");
                return (bytes, Err(problem));
            }
        }
    }
    (bytes, Ok(()))
}

async fn good(registry: &OciRegistry, server: &Server, blob: &Descriptor) -> Vec<u8> {
    let (bytes, end) = pull(registry, server, blob).await;
    end.unwrap();
    bytes
}

async fn refused(
    answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
    blob: &Descriptor,
) -> Problem {
    let server = Server::start(answer).await;
    pull(&registry(), &server, blob).await.1.unwrap_err()
}

/// These bytes, then the connection breaks.
fn breaking(bytes: &[u8]) -> Body {
    let sent = stream::iter([Ok(Bytes::copy_from_slice(bytes))]);
    let end = stream::once(async {
        // what was written so far is sent before
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        Err(io::Error::other("gone"))
    });
    Body::from_stream(sent.chain(end))
}

/// Without a length.
fn chunked(bytes: &[u8]) -> Body {
    Body::from_stream(stream::iter([Ok::<_, Infallible>(Bytes::copy_from_slice(bytes))]))
}

#[tokio::test]
async fn a_blob_is_asked_for_once_by_its_digest() {
    let bytes = noise(300_000);
    let (blob, sent) = (descriptor(&bytes), bytes.clone());
    let server = Server::start(move |seen, _| Some(ranged(seen, &sent))).await;
    assert!(good(&registry(), &server, &blob).await == bytes);
    assert_eq!(server.requests(), [format!("GET /v2/acme/fleet/blobs/{}", blob.digest)]);
}

#[tokio::test]
async fn another_digest_is_told_with_both() {
    let blob = descriptor(b"what was meant");
    let blob = Descriptor { size: Some(13), ..blob };
    let problem = refused(|_, _| Some(answer(200, &[], "what has come")), &blob).await;
    assert_eq!(problem.cause, Cause::Invalid);
    let other = sha256(b"what has come");
    assert_eq!(
        problem.why,
        format!("the digests differ: {} was expected, its content is {other}", blob.digest)
    );
    assert!(problem.hint.unwrap().contains("it is not shown"));
}

#[tokio::test]
async fn another_size_is_told_before_it_is_read_or_as_soon_as_it_is_known() {
    let blob = descriptor(b"0123456789");
    let announced = refused(|_, _| Some(answer(200, &[], "0123456789abc")), &blob).await;
    assert_eq!(announced.why, "the sizes differ: 10 bytes were expected, the registry sends 13");
    let short = refused(|_, _| Some(answer(200, &[], chunked(b"0123456"))), &blob).await;
    let other = sha256(b"0123456");
    let words = format!(
        "the sizes differ: 10 bytes were expected, 7 came; their digest is {other} instead of {}",
        blob.digest
    );
    assert_eq!(short.why, words);
    let server = Server::start(|_, _| {
        let drops = stream::iter([b"01234567".as_slice(), b"89ab"]).map(Ok::<_, Infallible>);
        Some(answer(200, &[], Body::from_stream(drops.chain(stream::pending()))))
    })
    .await;
    let (handed, end) = pull(&registry(), &server, &blob).await;
    assert!(handed.len() <= 10);
    assert!(end.unwrap_err().why.starts_with("the sizes differ: 10 bytes were expected, more came"));
}

#[tokio::test]
async fn a_blob_over_the_limit_is_not_asked_for_and_the_flag_is_named() {
    let server = Server::start(|_, _| None).await;
    let blob = Descriptor { size: Some(3 << 30), ..descriptor(b"x") };
    let problem = pull(&registry(), &server, &blob).await.1.unwrap_err();
    assert_eq!(problem.cause, Cause::Invalid);
    assert_eq!(problem.why, "it is 3.0 GiB (3221225472 bytes) large, and the limit is 268435456 bytes");
    assert_eq!(problem.hint.as_deref(), Some("--max-layer-bytes 3221225472 would allow it"));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_blob_of_unknown_size_is_verified_by_its_digest_and_ends_at_the_limit() {
    let blob = Descriptor { size: None, ..descriptor(b"0123456789") };
    let server = Server::start(|_, _| Some(answer(200, &[], chunked(b"0123456789")))).await;
    assert_eq!(good(&registry(), &server, &blob).await, b"0123456789");
    let small = limited(|limits| Limits { layer: 9, ..limits });
    let problem = pull(&small, &server, &blob).await.1.unwrap_err();
    assert_eq!(problem.why, "it is larger than the limit of 9 bytes");
    assert!(problem.hint.unwrap().contains("--max-layer-bytes"));
}

#[tokio::test]
async fn a_web_page_in_place_of_a_blob_is_named() {
    let html = [("content-type", "text/html; charset=utf-8")];
    let problem =
        refused(move |_, _| Some(answer(200, &html, "<html>log in</html>")), &descriptor(b"abc")).await;
    assert!(problem.why.starts_with("the sizes differ"), "{problem}");
    assert!(problem.hint.unwrap().starts_with("a web page came instead of the blob"));
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let bytes = noise(500_000);
    let (blob, sent) = (descriptor(&bytes), bytes.clone());
    let server = Server::start(move |seen, before| {
        let mut answered = ranged(seen, &sent);
        if before < 3 {
            let from = 100_000 * before;
            *answered.body_mut() = breaking(&sent[from..from + 100_000]);
            answered.headers_mut().remove("content-length");
        }
        Some(answered)
    })
    .await;
    assert!(good(&registry(), &server, &blob).await == bytes);
    let ranges: Vec<_> = server.seen().iter().map(|seen| seen.header("range").map(str::to_owned)).collect();
    let range = |from: &str| Some(format!("bytes={from}-"));
    assert_eq!(ranges, [None, range("100000"), range("200000"), range("300000")]);
}

#[tokio::test]
async fn a_registry_without_ranges_starts_again_and_nothing_comes_twice() {
    let bytes = noise(500_000);
    for status in [200, 206, 416] {
        let (blob, sent) = (descriptor(&bytes), bytes.clone());
        let server = Server::start(move |seen, before| {
            let whole = || answer(200, &[], sent.clone());
            Some(match (before, seen.header("range"), status) {
                (0, ..) => answer(200, &[], breaking(&sent[..250_000])),
                (_, None, _) | (.., 200) => whole(),
                // another part than the one that was asked for
                (.., 206) => answer(206, &[("content-range", "bytes 0-499999/500000")], sent.clone()),
                _ => answer(416, &[], ""),
            })
        })
        .await;
        assert!(good(&registry(), &server, &blob).await == bytes, "{status}");
    }
}

#[tokio::test]
async fn a_download_that_always_breaks_is_given_up() {
    let blob = descriptor(&noise(1000));
    let server = Server::start(|seen, _| {
        let from = seen.header("range").map_or(0, |_| 1);
        Some(answer(
            if from > 0 { 206 } else { 200 },
            &[("content-range", "bytes 1-999/1000")],
            breaking(b"x"),
        ))
    })
    .await;
    let (handed, end) = pull(&registry(), &server, &blob).await;
    let problem = end.unwrap_err();
    assert_eq!(problem.cause, Cause::Unreachable, "{problem}");
    assert!(problem.why.ends_with("of 1000 bytes)"), "{problem}");
    assert!(handed.len() < 10 && server.seen().len() < 12, "{}", server.seen().len());
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_drips_is_not_waited_for() {
    let blob = Descriptor { size: Some(10 << 20), ..descriptor(b"x") };
    let server = Server::start(|_, _| {
        let drops = stream::unfold(0, |count| async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), count + 1))
        });
        Some(answer(200, &[], Body::from_stream(drops)))
    })
    .await;
    let problem = pull(&registry(), &server, &blob).await.1.unwrap_err();
    assert_eq!(problem.cause, Cause::Timeout);
    assert!(problem.why.starts_with("it comes too slowly:"), "{problem}");
    assert!(problem.why.contains("less than 8 KiB a second"), "{problem}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_its_time_is_no_slow_registry() {
    let bytes = noise(1 << 20);
    let (blob, sent) = (descriptor(&bytes), bytes.clone());
    let server = Server::start(move |seen, _| Some(ranged(seen, &sent))).await;
    let registry = registry();
    let mut chunks = registry.blob(server.upstream("acme/fleet"), blob);
    let mut read = 0;
    while let Some(chunk) = chunks.next().await {
        read += chunk.unwrap().len();
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    assert_eq!(read, bytes.len());
}

#[tokio::test]
async fn a_blob_that_is_not_there_or_refused_says_so() {
    let gone =
        refused(|_, _| Some(complaint(404, &[], "BLOB_UNKNOWN", "blob unknown")), &descriptor(b"x")).await;
    assert_eq!((gone.cause, gone.why.as_str()), (Cause::NotFound, "404 BLOB_UNKNOWN: blob unknown"));
    assert!(gone.what.starts_with("download sha256:"));
    let denied = refused(|_, _| Some(complaint(403, &[], "DENIED", "no")), &descriptor(b"x")).await;
    assert_eq!(denied.cause, Cause::Forbidden);
    let git = Descriptor {
        digest: Digest::parse(&format!("sha1:{}", "a".repeat(40))).unwrap(),
        ..descriptor(b"x")
    };
    let server = Server::start(|_, _| None).await;
    assert_eq!(pull(&registry(), &server, &git).await.1.unwrap_err().cause, Cause::Usage);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn storage_that_refuses_is_named_and_no_login_is_advised() {
    let storage =
        Server::start(|_, _| Some(answer(403, &[("content-type", "application/xml")], "<Error/>"))).await;
    let at = format!("http://{}", storage.address);
    let target = format!("{at}/bucket?signature=s3cret");
    let server = Server::start(move |_, _| Some(answer(307, &[("location", &target)], ""))).await;
    let problem = pull(&registry(), &server, &descriptor(b"x")).await.1.unwrap_err();
    assert_eq!((problem.cause, problem.why.as_str()), (Cause::Forbidden, "403 Forbidden"));
    assert_eq!(problem.hint, Some(format!("the registry points to {at}, which refused it")));
}

#[tokio::test]
async fn storage_that_a_registry_points_to_gets_the_range_and_no_login() {
    let bytes = noise(200_000);
    let (blob, sent) = (descriptor(&bytes), bytes.clone());
    let storage = Server::start(move |seen, before| {
        let mut answered = ranged(seen, &sent);
        if before == 0 {
            *answered.body_mut() = breaking(&sent[..50_000]);
            answered.headers_mut().remove("content-length");
        }
        Some(answered)
    })
    .await;
    let target = format!("http://{}/bucket?signature=1", storage.address);
    let server = Server::start(move |_, _| Some(answer(307, &[("location", &target)], ""))).await;
    assert!(good(&registry(), &server, &blob).await == bytes);
    let seen = storage.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].header("range"), Some("bytes=50000-"));
    assert!(seen.iter().all(|seen| seen.login().is_none() && seen.header("referer").is_none()));
    // every try asks the registry anew: an address of storage is good for a short time only
    assert_eq!(server.seen().len(), 2);
}
