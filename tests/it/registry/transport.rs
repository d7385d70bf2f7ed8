//! Schemes, certificates, redirects, proxies, retries, limits and deadlines, as the other side sees them.

use super::{
    good_pages, insecure, names, pages, problem, registry,
    server::{Server, answer, broken, complaint, dripping, manifest, tags},
    settings, upstream,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use fluxscope::{
    domain::problem::Cause,
    port::Registry,
    registry::{Environment, Limits, OciRegistry, Settings},
};
use futures::future::join_all;
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

fn authority() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/registry/tls/authority.pem")
}

fn trusting() -> OciRegistry {
    OciRegistry::new(Settings { authorities: Some(authority()), ..settings() }).unwrap()
}

fn limited(limits: impl Fn(Limits) -> Limits) -> OciRegistry {
    let settings = settings();
    OciRegistry::new(Settings { limits: limits(settings.limits.clone()), ..settings }).unwrap()
}

#[tokio::test]
async fn certificates_are_checked_unless_the_registry_is_called_insecure() {
    let server = Server::start_tls(|_, _| Some(tags(&["a"]))).await;
    let unknown = problem(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(unknown.cause, Cause::Untrusted);
    assert!(unknown.hint.unwrap().contains("--registry-ca"));
    assert!(server.seen().is_empty());
    good_pages(&trusting(), server.upstream("acme/fleet")).await;
    good_pages(&registry(), insecure(&format!("{}/acme/fleet", server.address))).await;
    let named = Settings { insecure_registries: vec![server.address.to_string()], ..settings() };
    good_pages(&OciRegistry::new(named).unwrap(), server.upstream("acme/fleet")).await;
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn insecure_holds_for_the_object_that_says_so_and_for_no_other() {
    let server = Server::start_tls(|_, _| Some(tags(&["a"]))).await;
    let registry = registry();
    let at = format!("{}/acme/fleet", server.address);
    good_pages(&registry, insecure(&at)).await;
    assert_eq!(problem(&registry, upstream(&at)).await.cause, Cause::Untrusted);
}

#[tokio::test]
async fn an_insecure_registry_does_not_make_the_hosts_it_points_to_trusted() {
    let other = Server::start_tls(|_, _| Some(tags(&["a"]))).await;
    let target = format!("https://localhost:{}/x", other.address.port());
    let server = Server::start_tls(move |_, _| Some(answer(307, &[("location", &target)], ""))).await;
    let refused = problem(&registry(), insecure(&format!("{}/acme/fleet", server.address))).await;
    assert_eq!(refused.cause, Cause::Untrusted);
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn plain_http_is_tried_only_where_flux_would() {
    let server = Server::start(|_, _| Some(tags(&["a"]))).await;
    let elsewhere = format!("0.0.0.0:{}/acme/fleet", server.address.port());
    let refused = problem(&registry(), upstream(&elsewhere)).await;
    assert_eq!((refused.cause, refused.why.as_str()), (Cause::Unreachable, "the port does not speak TLS"));
    assert!(server.seen().is_empty());
    good_pages(&registry(), insecure(&elsewhere)).await;
    good_pages(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_failure_told_over_https_is_not_tried_again_over_http() {
    let server = Server::start_tls(|_, _| Some(complaint(404, &[], "NAME_UNKNOWN", "unknown"))).await;
    assert_eq!(problem(&trusting(), server.upstream("acme/fleet")).await.cause, Cause::NotFound);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_registry_that_is_not_there_is_told_with_both_attempts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let problem = problem(&registry(), upstream(&format!("{address}/acme/fleet"))).await;
    assert_eq!(problem.cause, Cause::Unreachable);
    assert!(
        problem.why.contains("https: Connection refused") && problem.why.contains("http: Connection refused"),
        "{}",
        problem.why
    );
}

fn with_login(server: &Server, test: &str) -> OciRegistry {
    let file = super::folder(test).join("auth.json");
    let auth = STANDARD.encode("robot:secret");
    std::fs::write(&file, format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, server.address)).unwrap();
    let environment = Environment { registry_auth_file: Some(file), ..Environment::default() };
    OciRegistry::new(Settings { environment, authorities: Some(authority()), ..settings() }).unwrap()
}

#[tokio::test]
async fn a_redirect_to_another_host_takes_no_login_and_no_referer_along() {
    let other = Server::start(|_, _| Some(tags(&["a"]))).await;
    let target = format!("http://{}/signed?x=1", other.address);
    let server = Server::start(move |seen, _| match (seen.path(), seen.login()) {
        (_, None) => Some(complaint(401, &[("www-authenticate", "Basic")], "UNAUTHORIZED", "")),
        ("/moved", _) => Some(answer(302, &[("location", &target)], "")),
        _ => Some(answer(307, &[("location", "/moved")], "")),
    })
    .await;
    let pages = good_pages(&with_login(&server, "redirect"), server.upstream("acme/fleet")).await;
    assert_eq!(names(&pages), ["a"]);
    assert_eq!(server.logins().iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
    let seen = &other.seen()[0];
    assert_eq!((seen.login(), seen.header("referer"), seen.target.as_str()), (None, None, "/signed?x=1"));
    assert!(seen.header("user-agent").unwrap().starts_with("fluxscope/"));
}

#[tokio::test]
async fn redirects_end_and_never_step_down_to_http() {
    let around =
        Server::start(|_, before| Some(answer(307, &[("location", &format!("/{before}"))], ""))).await;
    let endless = problem(&registry(), around.upstream("acme/fleet")).await;
    assert!(endless.why.contains("more than 5 redirects"), "{}", endless.why);
    assert_eq!(around.seen().len(), 6);
    let plain = Server::start(|_, _| Some(tags(&["a"]))).await;
    let target = format!("http://{}/x?signature=s3cret", plain.address);
    let server = Server::start_tls(move |_, _| Some(answer(307, &[("location", &target)], ""))).await;
    let refused = problem(&trusting(), server.upstream("acme/fleet")).await;
    assert_eq!(refused.cause, Cause::Invalid);
    assert_eq!(refused.why, format!("redirect refused: from https to http://{}", plain.address));
    assert!(plain.seen().is_empty());
}

/// `registry.test`, a public name spoken to by http through `proxy`. The proxy for https is a closed port.
fn through(proxy: &Server, no_proxy: Option<&str>) -> OciRegistry {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let environment = Environment {
        http_proxy: Some(proxy.address.to_string()),
        https_proxy: Some(format!("http://{closed}")),
        no_proxy: no_proxy.map(str::to_owned),
        ..Environment::default()
    };
    let insecure_registries = vec!["registry.test".to_owned()];
    OciRegistry::new(Settings { environment, insecure_registries, ..settings() }).unwrap()
}

#[tokio::test]
async fn a_proxy_is_used_for_others_and_not_for_this_machine() {
    let proxy = Server::start(|_, _| Some(tags(&["by proxy"]))).await;
    let server = Server::start(|_, _| Some(tags(&["direct"]))).await;
    let registry = through(&proxy, None);
    assert_eq!(good_pages(&registry, server.upstream("acme/fleet")).await[0].tags.len(), 1);
    assert!(proxy.seen().is_empty());
    good_pages(&registry, upstream("registry.test/acme/fleet")).await;
    assert_eq!(proxy.requests(), ["GET http://registry.test/v2/acme/fleet/tags/list?n=1000"]);
    let past_it = through(&proxy, Some("example.com, .test"));
    assert_eq!(problem(&past_it, upstream("registry.test/acme/fleet")).await.cause, Cause::Unreachable);
    assert_eq!(proxy.seen().len(), 1);
}

#[tokio::test]
async fn a_public_registry_cannot_send_us_to_a_private_address() {
    for target in
        ["http://169.254.169.254/latest/meta-data", "http://[::ffff:10.0.0.1]/x", "http://localhost:1/x"]
    {
        let redirecting = Server::start(move |_, _| Some(answer(307, &[("location", target)], ""))).await;
        let refused = problem(&through(&redirecting, None), upstream("registry.test/acme/fleet")).await;
        assert_eq!(refused.cause, Cause::Invalid);
        assert!(refused.why.contains("to the private address"), "{}", refused.why);
        assert_eq!(redirecting.seen().len(), 1);
        let challenge = format!("Bearer realm=\"{target}\"");
        let asking =
            Server::start(move |_, _| Some(answer(401, &[("www-authenticate", &challenge)], ""))).await;
        let refused = problem(&through(&asking, None), upstream("registry.test/acme/fleet")).await;
        assert!(refused.why.contains("is a private address"), "{}", refused.why);
        assert_eq!(asking.seen().len(), 1);
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_not() {
    for status in [408, 429, 499, 500, 502, 503, 504, 522] {
        let server = Server::start(move |_, before| {
            Some(if before < 2 { answer(status, &[("retry-after", "0")], "") } else { tags(&["a"]) })
        })
        .await;
        let pages = good_pages(&registry(), server.upstream("acme/fleet")).await;
        assert_eq!((pages[0].requests, server.seen().len()), (3, 3), "{status}");
    }
    for (status, requests, cause) in [
        (500, 4, Cause::Other),
        (503, 4, Cause::Unreachable),
        (501, 1, Cause::Other),
        (404, 1, Cause::NotFound),
    ] {
        let server = Server::start(move |_, _| Some(answer(status, &[], ""))).await;
        assert_eq!(problem(&registry(), server.upstream("acme/fleet")).await.cause, cause);
        assert_eq!(server.seen().len(), requests, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let server = Server::start(|_, before| Some(if before == 0 { broken() } else { tags(&["a"]) })).await;
    assert_eq!(names(&good_pages(&registry(), server.upstream("acme/fleet")).await), ["a"]);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_registry_that_asks_for_a_long_pause_gets_it() {
    let server = Server::start(|_, _| {
        Some(complaint(429, &[("retry-after", "3600")], "TOOMANYREQUESTS", "slow down"))
    })
    .await;
    let registry = registry();
    let first = problem(&registry, server.upstream("acme/fleet")).await;
    assert_eq!((first.cause, first.why.as_str()), (Cause::RateLimited, "429 TOOMANYREQUESTS: slow down"));
    assert_eq!(first.hint.as_deref(), Some("the registry asks to wait 60 min"));
    let second = problem(&registry, server.upstream("acme/other")).await;
    assert_eq!(second.cause, Cause::RateLimited);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_registry_that_says_nothing_or_never_ends_is_given_up() {
    let silent = Server::start(|_, _| None).await;
    let quick = limited(|limits| Limits { first_byte: Duration::from_millis(80), ..limits });
    let problem_of_silence = problem(&quick, silent.upstream("acme/fleet")).await;
    assert_eq!(
        (problem_of_silence.cause, problem_of_silence.why.as_str()),
        (Cause::Timeout, "no answer within 80 ms")
    );
    let slow = Server::start(|_, _| Some(dripping())).await;
    let quick = limited(|limits| Limits { total: Duration::from_millis(200), ..limits });
    let started = Instant::now();
    assert_eq!(problem(&quick, slow.upstream("acme/fleet")).await.cause, Cause::Timeout);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn bodies_are_read_only_so_far() {
    let server = Server::start(|seen, _| {
        let failure = seen.path().contains("failure");
        Some(answer(if failure { 404 } else { 200 }, &[("content-type", "text/plain")], "x".repeat(5 << 20)))
    })
    .await;
    let registry = limited(|limits| Limits { tag_page: 1 << 20, ..limits });
    let large = problem(&registry, server.upstream("acme/fleet")).await;
    assert_eq!((large.cause, large.why.as_str()), (Cause::Invalid, "the answer is longer than 1 MiB"));
    let manifest = registry.manifest(server.upstream("acme/fleet"), "a".into()).await.unwrap_err();
    assert_eq!(manifest.why, "the answer is longer than 4 MiB");
    let failure = problem(&registry, server.upstream("acme/failure")).await;
    assert_eq!(failure.cause, Cause::NotFound);
    assert!(failure.why.len() < 500);
}

#[tokio::test]
async fn only_so_many_requests_are_in_flight_at_one_host() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counting, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::start(move |_, _| {
        highest.fetch_max(counting.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let leaving = Arc::clone(&counting);
        let body = futures::stream::once(async move {
            // others get their chance to arrive before this one is done
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            leaving.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, std::convert::Infallible>(r#"{"tags":["a"]}"#)
        });
        Some(answer(200, &[], axum::body::Body::from_stream(body)))
    })
    .await;
    let registry = limited(|limits| Limits { at_once: 3, ..limits });
    let questions = (0..30).map(|number| pages(&registry, server.upstream(&format!("acme/a{number}"))));
    assert!(join_all(questions).await.iter().flatten().all(Result::is_ok));
    assert!((2..=3).contains(&most.load(Ordering::SeqCst)), "{most:?}");
}

#[tokio::test]
async fn a_wrong_authority_file_or_proxy_is_a_problem_at_the_start() {
    let folder = super::folder("authorities");
    let (empty, broken) = (folder.join("empty.pem"), folder.join("broken.pem"));
    std::fs::write(&empty, "nothing here").unwrap();
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    for file in [empty, broken, folder.join("absent.pem")] {
        let problem =
            OciRegistry::new(Settings { authorities: Some(file.clone()), ..settings() }).err().unwrap();
        assert_eq!(problem.cause, Cause::Usage, "{problem}");
        assert!(problem.what.contains(file.to_str().unwrap()), "{problem}");
    }
    let environment =
        Environment { https_proxy: Some("http://user:s3cret@[x".to_owned()), ..Environment::default() };
    let problem = OciRegistry::new(Settings { environment, ..settings() }).err().unwrap();
    assert!(problem.what.contains("HTTPS_PROXY") && !problem.to_string().contains("s3cret"), "{problem}");
}

#[tokio::test]
async fn heads_over_tls_work_and_share_what_was_learned() {
    let server = Server::start_tls(|_, _| Some(manifest())).await;
    let registry = trusting();
    for _ in 0..3 {
        registry.head(server.upstream("acme/fleet"), "1.0.0".into()).await.unwrap();
    }
    assert_eq!(server.seen().len(), 3);
}
