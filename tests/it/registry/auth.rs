//! Logins: found where containers and docker keep them, shown only to those they are for, and never more often than needed.

use super::{
    folder, good_pages, problem, registry,
    server::{Reply, Seen, Server, answer, complaint, json, manifest, tags},
    settings, upstream,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use fluxscope::{
    domain::problem::Cause,
    port::Registry,
    registry::{Environment, Limits, OciRegistry, Settings},
};
use futures::future::join_all;
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const PASSWORD: &str = "tr0ub4dor";

fn encoded(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// A registry that finds `content` in the file of REGISTRY_AUTH_FILE.
fn with_logins(test: &str, content: &Value) -> OciRegistry {
    let file = folder(test).join("auth.json");
    std::fs::write(&file, content.to_string()).unwrap();
    let environment = Environment { registry_auth_file: Some(file), ..Environment::default() };
    OciRegistry::new(Settings { environment, ..settings() }).unwrap()
}

fn with_login(test: &str, host: &str, entry: &Value) -> OciRegistry {
    with_logins(test, &json!({"auths": {host: entry}}))
}

fn password() -> Value {
    json!({"auth": encoded("robot", PASSWORD)})
}

/// A token service at `/token` beside the registry; it gives `token-1`, `token-2`, ... and accepts what `accepts` says.
fn bearer(
    accepts: impl Fn(&str) -> bool + Send + Sync + 'static,
    life: u32,
) -> impl Fn(&Seen, usize) -> Reply {
    let given = AtomicUsize::new(0);
    move |seen, _| {
        let host = seen.header("host").unwrap();
        if seen.path() == "/token" {
            let number = given.fetch_add(1, Ordering::Relaxed) + 1;
            return Some(json(&json!({"token": format!("token-{number}"), "expires_in": life})));
        }
        let token = seen.login().and_then(|login| login.strip_prefix("Bearer "));
        if token.is_some_and(&accepts) {
            return Some(if seen.path().contains("manifests") { manifest() } else { tags(&["a"]) });
        }
        let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"tests\"");
        Some(complaint(401, &[("www-authenticate", &challenge)], "UNAUTHORIZED", "authentication required"))
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where a server's answer does")]
fn basic(seen: &Seen, password: &str) -> Reply {
    if seen.login() == Some(&format!("Basic {}", encoded("robot", password))) {
        return Some(tags(&["a"]));
    }
    let challenge = [("www-authenticate", "Basic realm=\"tests\"")];
    Some(complaint(401, &challenge, "UNAUTHORIZED", "authentication required"))
}

fn count(server: &Server, part: &str) -> usize {
    server.requests().iter().filter(|request| request.contains(part)).count()
}

#[tokio::test]
async fn a_registry_that_asks_for_nothing_is_shown_nothing_and_asked_once_per_question() {
    let server = Server::start(|_, _| Some(manifest())).await;
    let registry = with_login("open", &server.address.to_string(), &password());
    for _ in 0..5 {
        registry.head(server.upstream("acme/fleet"), "1.0.0".into()).await.unwrap();
    }
    assert_eq!(server.logins(), vec![None; 5]);
}

#[tokio::test]
async fn sixteen_questions_at_once_need_one_challenge_and_one_token() {
    let server = Server::start(bearer(|_| true, 300)).await;
    let registry = with_login("single-flight", &server.address.to_string(), &password());
    let heads = (0..16).map(|_| registry.head(server.upstream("acme/fleet"), "1.0.0".into()));
    assert!(join_all(heads).await.iter().all(Result::is_ok));
    assert_eq!((count(&server, "/token"), count(&server, "/manifests/")), (1, 17));
    let token = server.seen().into_iter().find(|seen| seen.path() == "/token").unwrap();
    assert_eq!(token.query("scope").as_deref(), Some("repository:acme/fleet:pull"));
    assert_eq!(token.query("service").as_deref(), Some("tests"));
    assert_eq!(token.login(), Some(&*format!("Basic {}", encoded("robot", PASSWORD))));
}

#[tokio::test]
async fn the_next_repository_of_a_registry_needs_a_token_and_no_challenge() {
    let server = Server::start(bearer(|_| true, 300)).await;
    let registry = registry();
    for path in ["acme/fleet", "acme/other"] {
        let pages = good_pages(&registry, server.upstream(path)).await;
        assert_eq!(&*pages[0].asked_with, "anonymous");
    }
    assert_eq!(
        (count(&server, "/token"), count(&server, "fleet/tags"), count(&server, "other/tags")),
        (2, 2, 1)
    );
    assert!(server.seen().iter().all(|seen| seen.login().is_none_or(|login| login.starts_with("Bearer "))));
}

#[tokio::test]
async fn a_token_that_is_not_taken_any_more_is_renewed_once() {
    for status in [401, 403] {
        let over = Arc::new(AtomicUsize::new(0));
        let limit = Arc::clone(&over);
        let accepting = bearer(|_| true, 300);
        let server = Server::start(move |seen, before| {
            let old = limit.load(Ordering::Relaxed) == 1 && seen.login() == Some("Bearer token-1");
            if old {
                Some(complaint(status, &[], "DENIED", "your token has expired"))
            } else {
                accepting(seen, before)
            }
        })
        .await;
        let registry = registry();
        good_pages(&registry, server.upstream("acme/fleet")).await;
        over.store(1, Ordering::Relaxed);
        good_pages(&registry, server.upstream("acme/fleet")).await;
        assert_eq!((count(&server, "/token"), count(&server, "/tags/")), (2, 4), "{status}");
    }
}

#[tokio::test]
async fn a_token_past_its_life_is_renewed_before_it_is_shown() {
    let server = Server::start(bearer(|_| true, 0)).await;
    let registry = registry();
    good_pages(&registry, server.upstream("acme/fleet")).await;
    good_pages(&registry, server.upstream("acme/fleet")).await;
    assert_eq!((count(&server, "/token"), count(&server, "/tags/")), (2, 3));
}

#[tokio::test]
async fn a_token_nobody_takes_ends_in_a_problem_and_not_in_a_circle() {
    let server = Server::start(bearer(|_| false, 300)).await;
    let problem = problem(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(
        (problem.cause, problem.why.as_str()),
        (Cause::Unauthorized, "401 UNAUTHORIZED: authentication required")
    );
    assert!(server.seen().len() <= 4, "{:?}", server.requests());
}

#[tokio::test]
async fn a_password_is_asked_for_once_and_then_shown_at_once() {
    let server = Server::start(|seen, _| basic(seen, PASSWORD)).await;
    let registry = with_login("basic", &server.address.to_string(), &password());
    let pages = good_pages(&registry, server.upstream("acme/fleet")).await;
    assert!(pages[0].asked_with.ends_with(&format!("auth.json, auths \"{}\"", server.address)));
    good_pages(&registry, server.upstream("acme/fleet")).await;
    good_pages(&registry, server.upstream("acme/other")).await;
    assert_eq!(server.logins().iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true, true]);
}

#[tokio::test]
async fn a_refused_login_is_a_problem_that_offers_a_way_and_never_an_anonymous_question() {
    let server = Server::start(|seen, _| basic(seen, "another")).await;
    let registry = with_login("refused", &server.address.to_string(), &password());
    for _ in 0..2 {
        let problem = problem(&registry, server.upstream("acme/fleet")).await;
        assert_eq!(problem.cause, Cause::Unauthorized);
        let hint = problem.hint.clone().unwrap();
        for part in ["auth.json, auths", "docker login", "REGISTRY_AUTH_FILE=/dev/null", "stale"] {
            assert!(hint.contains(part), "{hint}");
        }
        let all = format!("{problem:?}");
        assert!(
            !all.contains(PASSWORD) && !all.contains("robot") && !all.contains(&encoded("robot", PASSWORD)),
            "{all}"
        );
    }
    assert_eq!(server.logins().iter().map(Option::is_some).collect::<Vec<_>>(), [false, true, true]);
}

#[tokio::test]
async fn without_a_login_the_problem_says_how_to_get_one() {
    let server = Server::start(|seen, _| basic(seen, PASSWORD)).await;
    let problem = problem(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(problem.cause, Cause::Unauthorized);
    assert!(problem.hint.unwrap().contains(&format!("`docker login {}`", server.address)));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_login_never_goes_to_a_realm_of_another_host_in_clear() {
    let stranger = Server::start(|_, _| Some(json(&json!({"token": "t"})))).await;
    let challenge = format!("Bearer realm=\"http://localhost:{}/token\"", stranger.address.port());
    let server = Server::start(move |_, _| {
        Some(complaint(401, &[("www-authenticate", &challenge)], "UNAUTHORIZED", ""))
    })
    .await;
    let problem = problem(
        &with_login("foreign", &server.address.to_string(), &password()),
        server.upstream("acme/fleet"),
    )
    .await;
    assert!(problem.why.contains("would go in clear to another host"), "{}", problem.why);
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn a_registry_that_names_another_token_service_later_does_not_get_the_login_there() {
    let stranger = Server::start(|_, _| Some(json(&json!({"token": "t"})))).await;
    let elsewhere = format!("Bearer realm=\"http://{}/token\"", stranger.address);
    let good = bearer(|token| token == "token-1", 300);
    let moved = Arc::new(AtomicUsize::new(0));
    let now = Arc::clone(&moved);
    let server = Server::start(move |seen, before| {
        if now.load(Ordering::Relaxed) == 0 {
            return good(seen, before);
        }
        Some(complaint(401, &[("www-authenticate", &elsewhere)], "UNAUTHORIZED", ""))
    })
    .await;
    let registry = with_login("moved", &server.address.to_string(), &password());
    good_pages(&registry, server.upstream("acme/fleet")).await;
    moved.store(1, Ordering::Relaxed);
    for _ in 0..2 {
        let problem = problem(&registry, server.upstream("acme/fleet")).await;
        for realm in [format!("http://{} before", server.address), format!("http://{} now", stranger.address)]
        {
            assert!(problem.why.contains(&realm), "{problem}");
        }
    }
    assert!(stranger.seen().is_empty());
}

#[tokio::test]
async fn a_registry_spoken_to_by_https_may_not_name_an_http_realm() {
    let plain = Server::start(|_, _| Some(json(&json!({"token": "t"})))).await;
    let challenge = format!("Bearer realm=\"http://{}/token\"", plain.address);
    let server = Server::start_tls(move |_, _| {
        Some(complaint(401, &[("www-authenticate", &challenge)], "UNAUTHORIZED", ""))
    })
    .await;
    let authorities =
        Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/registry/tls/authority.pem"));
    let registry = OciRegistry::new(Settings { authorities, ..settings() }).unwrap();
    let problem = problem(&registry, server.upstream("acme/fleet")).await;
    assert!(problem.why.contains("is not https"), "{}", problem.why);
    assert!(plain.seen().is_empty());
}

#[tokio::test]
async fn a_host_that_is_redirected_to_cannot_ask_for_the_login() {
    let stranger = Server::start(|seen, _| {
        let challenge = format!("Bearer realm=\"http://{}/token\"", seen.header("host").unwrap());
        Some(complaint(401, &[("www-authenticate", &challenge)], "UNAUTHORIZED", ""))
    })
    .await;
    let target = format!("http://{}/v2/acme/fleet/tags/list", stranger.address);
    let server = Server::start(move |_, _| Some(answer(307, &[("location", &target)], ""))).await;
    let problem = problem(
        &with_login("redirected", &server.address.to_string(), &password()),
        server.upstream("acme/fleet"),
    )
    .await;
    assert_eq!(problem.cause, Cause::Unauthorized);
    assert!(stranger.seen().iter().all(|seen| seen.login().is_none() && seen.path() != "/token"));
}

#[tokio::test]
async fn an_identity_token_is_exchanged_by_post_and_never_shown_to_the_registry() {
    for entry in
        [json!({"identitytoken": "refresh-me"}), json!({"username": "<token>", "password": "refresh-me"})]
    {
        let server = Server::start(bearer(|_| true, 300)).await;
        let registry = with_login("identity", &server.address.to_string(), &entry);
        good_pages(&registry, server.upstream("acme/fleet")).await;
        let token = server.seen().into_iter().find(|seen| seen.path() == "/token").unwrap();
        assert_eq!((token.method.as_str(), token.login()), ("POST", None));
        for part in
            ["grant_type=refresh_token", "refresh_token=refresh-me", "scope=repository%3Aacme%2Ffleet%3Apull"]
        {
            assert!(token.body.contains(part), "{}", token.body);
        }
        let elsewhere = server
            .seen()
            .iter()
            .filter(|seen| seen.path() != "/token")
            .any(|seen| format!("{seen:?}").contains("refresh-me"));
        assert!(!elsewhere);
    }
}

#[tokio::test]
async fn a_token_service_without_refresh_is_asked_with_the_password_beside_the_identity_token() {
    let good = bearer(|_| true, 300);
    let server =
        Server::start(
            move |seen, before| {
                if seen.method == "POST" { Some(answer(404, &[], "")) } else { good(seen, before) }
            },
        )
        .await;
    let entry = json!({"auth": encoded("robot", PASSWORD), "identitytoken": "refresh-me"});
    good_pages(&with_login("no-refresh", &server.address.to_string(), &entry), server.upstream("acme/fleet"))
        .await;
    let tokens: Vec<_> = server.seen().into_iter().filter(|seen| seen.path() == "/token").collect();
    assert_eq!(
        tokens.iter().map(|seen| (seen.method.as_str(), seen.login().is_some())).collect::<Vec<_>>(),
        [("POST", false), ("GET", true)]
    );
}

#[tokio::test]
async fn a_registry_token_is_shown_as_it_is() {
    let server = Server::start(bearer(|token| token == "as-it-is", 300)).await;
    good_pages(
        &with_login("as-it-is", &server.address.to_string(), &json!({"registrytoken": "as-it-is"})),
        server.upstream("acme/fleet"),
    )
    .await;
    assert_eq!(count(&server, "/token"), 0);
}

#[tokio::test]
async fn a_token_service_that_refuses_is_named_with_its_words() {
    let good = bearer(|_| true, 300);
    let server = Server::start(move |seen, before| {
        if seen.path() == "/token" {
            return Some(answer(401, &[], r#"{"details":"incorrect username or password"}"#));
        }
        good(seen, before)
    })
    .await;
    let problem = problem(
        &with_login("token-refused", &server.address.to_string(), &password()),
        server.upstream("acme/fleet"),
    )
    .await;
    assert_eq!(problem.cause, Cause::Unauthorized);
    let words = format!(
        "the token service at http://{} refused this login: 401 incorrect username or password",
        server.address
    );
    assert_eq!(problem.why, words);
    assert!(problem.hint.unwrap().contains("REGISTRY_AUTH_FILE=/dev/null"));
    assert!(server.seen().iter().filter(|seen| seen.path() == "/token").all(|seen| seen.login().is_some()));
}

#[tokio::test]
async fn a_token_services_answer_is_read_only_so_far() {
    let good = bearer(|_| true, 300);
    let server = Server::start(move |seen, before| {
        if seen.path() == "/token" { Some(answer(200, &[], "x".repeat(100_000))) } else { good(seen, before) }
    })
    .await;
    let problem = problem(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!((problem.cause, problem.why.as_str()), (Cause::Invalid, "the answer is longer than 64 KiB"));
}

#[tokio::test]
async fn a_registry_that_hides_what_it_has_is_asked_how_to_log_in() {
    let server = Server::start(|seen, _| match (seen.path(), seen.login()) {
        ("/v2/", _) => Some(complaint(401, &[("www-authenticate", "Basic")], "UNAUTHORIZED", "")),
        (_, Some(_)) => Some(tags(&["a"])),
        _ => Some(complaint(404, &[], "NAME_UNKNOWN", "")),
    })
    .await;
    let registry = with_login("hidden", &server.address.to_string(), &password());
    good_pages(&registry, server.upstream("acme/fleet")).await;
    good_pages(&registry, server.upstream("acme/fleet")).await;
    assert_eq!(server.seen().len(), 4);
    // without a login there is nothing to ask for
    problem(&super::registry(), server.upstream("acme/fleet")).await;
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn two_logins_of_one_registry_are_kept_apart() {
    let server = Server::start(|seen, _| {
        let expected = if seen.path().contains("/red/") { "red-password" } else { PASSWORD };
        basic(seen, expected)
    })
    .await;
    let host = server.address.to_string();
    let entries = json!({"auths": {format!("{host}/red"): {"auth": encoded("robot", "red-password")}, host: password()}});
    let registry = with_logins("apart", &entries);
    let red = good_pages(&registry, server.upstream("red/app")).await;
    assert!(red[0].asked_with.ends_with("/red\""), "{}", red[0].asked_with);
    good_pages(&registry, server.upstream("blue/app")).await;
    good_pages(&registry, server.upstream("red/app")).await;
}

#[tokio::test]
async fn a_new_login_in_the_file_is_seen_at_once() {
    let server = Server::start(|seen, _| basic(seen, PASSWORD)).await;
    let file = folder("new-login").join("auth.json");
    let environment = Environment { registry_auth_file: Some(file.clone()), ..Environment::default() };
    let registry = OciRegistry::new(Settings { environment, ..settings() }).unwrap();
    problem(&registry, server.upstream("acme/fleet")).await;
    std::fs::write(&file, json!({"auths": {server.address.to_string(): password()}}).to_string()).unwrap();
    good_pages(&registry, server.upstream("acme/fleet")).await;
}

/// The order of files, and which one is read, shown by the label of a login that is asked for.
#[tokio::test]
async fn files_are_asked_in_the_order_of_containers_and_docker() {
    let server = Server::start(|seen, _| basic(seen, PASSWORD)).await;
    let home = folder("order");
    let write = |path: &str| {
        let file = home.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, json!({"auths": {server.address.to_string(): password()}}).to_string())
            .unwrap();
    };
    let environment = Environment {
        home: Some(home.clone()),
        xdg_runtime_dir: Some(home.join("run")),
        ..Environment::default()
    };
    let registry = OciRegistry::new(Settings { environment, ..settings() }).unwrap();
    for path in [".docker/config.json", ".config/containers/auth.json", "run/containers/auth.json"] {
        write(path);
        let pages = good_pages(&registry, server.upstream("acme/fleet")).await;
        assert_eq!(&*pages[0].asked_with, format!("~/{path}, auths \"{}\"", server.address));
    }
    // alone if set; /dev/null means no login
    let environment = Environment {
        registry_auth_file: Some("/dev/null".into()),
        home: Some(home),
        ..Environment::default()
    };
    let registry = OciRegistry::new(Settings { environment, ..settings() }).unwrap();
    assert!(
        problem(&registry, server.upstream("acme/fleet")).await.hint.unwrap().contains("without a login")
    );
}

#[tokio::test]
async fn a_broken_file_is_named_with_its_line_and_nobody_is_asked() {
    let server = Server::start(|_, _| Some(tags(&["a"]))).await;
    let file = folder("broken").join("auth.json");
    std::fs::write(&file, "{\n  \"auths\": {\"x\": {\"auth\": \"c2VjcmV0\"}},,\n}").unwrap();
    let environment = Environment { registry_auth_file: Some(file), ..Environment::default() };
    let registry = OciRegistry::new(Settings { environment, ..settings() }).unwrap();
    let problem = problem(&registry, server.upstream("acme/fleet")).await;
    assert_eq!((problem.cause, problem.why.as_str()), (Cause::Usage, "this is not JSON (line 2, column 40)"));
    assert!(problem.what.ends_with("auth.json"), "{}", problem.what);
    assert!(server.seen().is_empty());
}

/// PATH: a folder for the helper's notes, the helpers of this test, and the system's tools.
fn with_helper(test: &str, content: &Value, patience: Duration) -> (OciRegistry, PathBuf) {
    let notes = folder(test);
    let file = notes.join("config.json");
    std::fs::write(&file, content.to_string()).unwrap();
    let helpers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/registry/helpers");
    let path: OsString =
        std::env::join_paths([notes.as_path(), &helpers, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let environment =
        Environment { docker_config: Some(notes.clone()), path: Some(path), ..Environment::default() };
    let settings = settings();
    let limits = Limits { helper: patience, ..settings.limits.clone() };
    (OciRegistry::new(Settings { environment, limits, ..settings }).unwrap(), notes.join("runs"))
}

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_helper_is_run_once_and_again_only_when_its_login_is_refused() {
    let current = Arc::new(AtomicUsize::new(1));
    let expected = Arc::clone(&current);
    let server =
        Server::start(move |seen, _| basic(seen, &format!("password-{}", expected.load(Ordering::Relaxed))))
            .await;
    let host = server.address.to_string();
    let (registry, runs) =
        with_helper("count", &json!({"credHelpers": {host.clone(): "count"}, "credsStore": "broken"}), SOON);
    let questions = ["a/a", "a/b", "a/c"].map(|path| good_pages(&registry, server.upstream(path)));
    let answers = join_all(questions).await;
    let label = &answers[0][0].asked_with;
    assert!(label.starts_with("credHelpers \"count\" of ") && label.ends_with("config.json"), "{label}");
    let asked = || std::fs::read_to_string(&runs).unwrap();
    assert_eq!(asked(), format!("{host}\n"));
    current.store(2, Ordering::Relaxed);
    good_pages(&registry, server.upstream("a/a")).await;
    assert_eq!(asked().lines().count(), 2);
}

#[tokio::test]
async fn a_helper_without_a_login_leaves_the_file_to_answer() {
    let server = Server::start(|seen, _| basic(seen, PASSWORD)).await;
    let content = json!({"credsStore": "none", "auths": {server.address.to_string(): password()}});
    let (registry, _) = with_helper("none", &content, SOON);
    let pages = good_pages(&registry, server.upstream("a/a")).await;
    assert!(pages[0].asked_with.contains("auths"));
}

#[tokio::test]
async fn a_helper_that_fails_is_named_and_its_stdout_is_not_repeated() {
    let server = Server::start(|_, _| Some(tags(&["a"]))).await;
    for (helper, patience, cause, words) in [
        ("broken", SOON, Cause::Other, "docker-credential-broken: the keychain is \\x1b[31mlocked"),
        (
            "hang",
            Duration::from_millis(100),
            Cause::Timeout,
            "docker-credential-hang did not answer within 100 ms",
        ),
        ("absent", SOON, Cause::Usage, "docker-credential-absent is not in PATH"),
        ("../x", SOON, Cause::Usage, "its name is not a helper's"),
    ] {
        let (registry, _) =
            with_helper(&format!("fails-{}", helper.len()), &json!({ "credsStore": helper }), patience);
        let problem = problem(&registry, server.upstream("a/a")).await;
        assert_eq!(problem.cause, cause);
        assert!(problem.why.starts_with(words), "{}", problem.why);
        assert!(problem.what.contains(&format!("credsStore {helper:?} of ")), "{}", problem.what);
        assert!(!format!("{problem:?}").contains("hunter2"));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_registry_nobody_logged_in_to_is_asked_without_the_others_logins() {
    let server = Server::start(|seen, _| basic(seen, PASSWORD)).await;
    let other = format!("localhost:{}", server.address.port());
    let registry = with_login("others", &other, &password());
    problem(&registry, server.upstream("acme/fleet")).await;
    assert_eq!(server.logins(), [None]);
    good_pages(&registry, upstream(&format!("{other}/acme/fleet"))).await;
}
