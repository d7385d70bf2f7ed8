//! `outdated` against a registry on loopback: how many requests it may make, whatever the registry answers.

use super::{
    server::{OCI_IMAGE, Seen, Server, answer, complaint, json, manifest_digest},
    settings,
};
use crate::cli::fake::{Changed, Fake, Handle, repository};
use axum::{body::Body, http::Response};
use fluxscope::{
    cli::{self, args, output::Console},
    domain::{
        fact::Object,
        repository::Repository,
        source::{Follows, SourceSpec},
    },
    port::{NoTools, Ports},
    registry::{Limits, OciRegistry, Settings},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

const SOURCES: usize = 500;
const REPOSITORIES: usize = 200;
const TAGS: [&str; 6] = ["1.0.0", "1.0.1", "1.0.2", "1.1.0", "2.0.0", "latest"];

/// `fleet-0` and so on: the sources share the repositories, and some share the running tag too.
fn source(host: &str, at: usize) -> Object {
    let running = TAGS[at / REPOSITORIES % 2];
    let follows = match at % 3 {
        0 => Follows::Semver("1.0.x".into()),
        1 => Follows::Tag(running.into()),
        _ => Follows::Semver(">=1.0.0".into()),
    };
    let object = repository(&format!("shop/source-{at}"), follows);
    let mut object = object.holding(&format!("{running}@{}", manifest_digest()));
    let url = format!("oci://{host}/acme/fleet-{}", at % REPOSITORIES);
    if let Object::Source(source) = &mut object
        && let SourceSpec::Oci(spec) = &mut source.spec
    {
        spec.repository = Repository::parse_url(&url);
        spec.url = url.into();
    }
    object
}

/// Runs the command on these sources and that registry.
async fn outdated(objects: Vec<Object>, registry: OciRegistry, line: &str) -> (i32, Value, String) {
    let registry = Arc::new(registry);
    let gateway = Arc::new(Handle(Arc::new(Fake::of(objects))));
    let ports =
        Ports { gateway, registry: registry.clone(), artifacts: registry, renderer: Arc::new(NoTools) };
    let typed = args::parse(line.split(' ').map(Into::into)).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = cli::run(&typed, &ports, &mut Console::new(&mut out, &mut err)).await;
    (code, serde_json::from_slice(&out).unwrap(), String::from_utf8(err).unwrap())
}

/// A registry with a token service; a request is let in with the token of its own repository only.
fn guarded(seen: &Seen, inside: impl FnOnce(&Seen) -> Response<Body>) -> Response<Body> {
    if seen.path() == "/token" {
        let scope = seen.query("scope").unwrap();
        return json(&json!({"token": scope.replace([':', '/'], "-"), "expires_in": 3600}));
    }
    let name = seen.path().strip_prefix("/v2/").unwrap();
    let name = name.split("/tags/").next().unwrap().split("/manifests/").next().unwrap();
    let token = format!("Bearer repository-{}-pull", name.replace('/', "-"));
    if seen.login() == Some(token.as_str()) {
        return inside(seen);
    }
    let host = seen.header("host").unwrap();
    let challenge =
        format!("Bearer realm=\"http://{host}/token\",service=\"test\",scope=\"repository:{name}:pull\"");
    complaint(401, &[("www-authenticate", &challenge)], "UNAUTHORIZED", "who are you?")
}

fn content(seen: &Seen) -> Response<Body> {
    if seen.path().ends_with("/tags/list") {
        json(&json!({"name": "any", "tags": TAGS}))
    } else {
        answer(200, &[("content-type", OCI_IMAGE), ("docker-content-digest", &manifest_digest())], "")
    }
}

/// How often each kind of request was made: `lists`, `heads`, `tokens`, and what was refused on the way.
fn counted(server: &Server) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for seen in server.seen() {
        let kind = match (seen.method.as_str(), seen.login()) {
            _ if seen.path() == "/token" => "token".to_owned(),
            (_, None) => "knock".to_owned(),
            (method, Some(_)) => format!("{method} {}", seen.target),
        };
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

/// What runs, by repository: each of these may be asked for once.
fn running(sources: &[Object]) -> BTreeSet<String> {
    let of = |object: &Object| {
        let source = object.as_source().unwrap();
        let repository = source.upstream().unwrap().repository;
        format!("HEAD /v2/{}/manifests/{}", repository.path(), source.revision().unwrap().tag().unwrap())
    };
    sources.iter().map(of).collect()
}

fn check(counts: &BTreeMap<String, usize>, heads: &BTreeSet<String>, again: usize) {
    let list = |at| format!("GET /v2/acme/fleet-{at}/tags/list?n=1000");
    let lists: BTreeSet<String> = (0..REPOSITORIES).map(list).collect();
    let mut rest = counts.clone();
    let mut sum = |names: &BTreeSet<String>| names.iter().map(|name| rest.remove(name).unwrap_or(0)).sum();
    let (lists, asked): (usize, usize) = (sum(&lists), sum(heads));
    let tokens = rest.remove("token").unwrap_or(0);
    let knocks = rest.remove("knock").unwrap_or(0);
    assert!(rest.is_empty(), "nothing else is asked: {rest:?}");
    assert_eq!(lists + asked, REPOSITORIES + heads.len() + again, "each list and each running tag once");
    assert_eq!(tokens, REPOSITORIES, "one token for each repository");
    assert!(knocks <= Limits::default().at_once, "{knocks} requests to learn how to log in");
}

#[tokio::test]
async fn five_hundred_sources_of_two_hundred_repositories_stay_within_the_budget() {
    let server = Server::start(|seen, _| Some(guarded(seen, content))).await;
    let host = server.address.to_string();
    let sources: Vec<Object> = (0..SOURCES).map(|at| source(&host, at)).collect();
    let heads = running(&sources);
    let registry = OciRegistry::new(settings()).unwrap();
    let (code, list, err) = outdated(sources, registry, "fluxscope outdated -A -o json").await;
    assert_eq!((code, list["complete"].clone()), (0, json!(true)), "{err}");
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), SOURCES);
    assert!(items.iter().all(|item| item["moved"] == false && item["distance"] == "major"), "{err}");
    check(&counted(&server), &heads, 0);
}

#[tokio::test]
async fn what_a_registry_puts_off_is_asked_once_more_and_no_oftener() {
    let refused = Arc::new(Mutex::new(BTreeSet::new()));
    let kept = refused.clone();
    let server = Server::start(move |seen, _| {
        Some(guarded(seen, |seen| {
            // every list and running tag of some repositories is put off once
            let first = seen.path().contains('7') && kept.lock().unwrap().insert(seen.target.clone());
            if first {
                return complaint(429, &[("retry-after", "0")], "TOOMANYREQUESTS", "later");
            }
            content(seen)
        }))
    })
    .await;
    let host = server.address.to_string();
    let sources: Vec<Object> = (0..SOURCES).map(|at| source(&host, at)).collect();
    let heads = running(&sources);
    let registry = OciRegistry::new(settings()).unwrap();
    let (code, list, err) = outdated(sources, registry, "fluxscope outdated -A -o json").await;
    assert_eq!((code, list["complete"].clone()), (0, json!(true)), "{err}");
    let again = refused.lock().unwrap().len();
    assert!(again > 50, "{again} were put off");
    check(&counted(&server), &heads, again);
}

#[tokio::test]
async fn a_registry_that_puts_everything_off_is_soon_left_alone_and_every_row_says_so() {
    let server = Server::start(|_, _| {
        Some(complaint(429, &[("retry-after", "0")], "TOOMANYREQUESTS", "come back never"))
    })
    .await;
    let host = server.address.to_string();
    let sources: Vec<Object> = (0..SOURCES).map(|at| source(&host, at)).collect();
    let registry = OciRegistry::new(settings()).unwrap();
    let line = "fluxscope outdated -A -o json --fail-on unknown";
    let (code, list, err) = outdated(sources, registry, line).await;
    let items = list["items"].as_array().unwrap();
    assert_eq!((code, items.len()), (1, SOURCES));
    assert!(items.iter().all(|item| item["problem"]["why"].as_str().unwrap().starts_with("429 ")));
    let Limits { at_once, retries, .. } = settings().limits;
    let most = (2 + at_once) * (1 + retries as usize);
    assert!(server.seen().len() <= most, "{} requests", server.seen().len());
    assert!(err.contains("and 194 more"), "equal reasons are told once: {err}");
}

const MANY: usize = 10_000;

/// Ten pages of a thousand tags, with `Link`.
fn paged(seen: &Seen) -> Response<Body> {
    if seen.method == "HEAD" {
        return content(seen);
    }
    let from: usize = seen.query("last").map_or(0, |last| last.rsplit('.').next().unwrap().parse().unwrap());
    let tags: Vec<String> =
        (from + 1..=(from + 1000).min(MANY)).map(|patch| format!("1.0.{patch}")).collect();
    let mut response = json(&json!({"name": "any", "tags": tags}));
    if from + 1000 < MANY {
        let next = format!("<{}?n=1000&last=1.0.{}>; rel=\"next\"", seen.path(), from + 1000);
        response.headers_mut().insert("link", next.parse().unwrap());
    }
    response
}

#[tokio::test]
async fn ten_thousand_tags_are_read_page_by_page_once_for_all_sources() {
    let server = Server::start(|seen, _| Some(paged(seen))).await;
    let host = server.address.to_string();
    let sources = (0..4).map(|at| source(&host, at * REPOSITORIES).holding(&running_one()));
    let registry = OciRegistry::new(settings()).unwrap();
    let (code, list, err) = outdated(sources.collect(), registry, "fluxscope outdated -A -o json").await;
    let items = list["items"].as_array().unwrap();
    assert_eq!((code, items.len()), (0, 4), "{err}");
    assert!(items.iter().any(|item| item["inRange"] == "1.0.10000"), "{list}");
    let heads = server.seen().iter().filter(|seen| seen.method == "HEAD").count();
    // a last page that is full is asked for what follows it: some registries cut in silence
    assert_eq!((server.seen().len() - heads, heads), (MANY / 1000 + 1, 1));
}

fn running_one() -> String {
    format!("1.0.1@{}", manifest_digest())
}

#[tokio::test]
async fn a_list_that_is_cut_by_a_limit_is_not_compared() {
    let server = Server::start(|seen, _| Some(paged(seen))).await;
    let host = server.address.to_string();
    let limits = Limits { tags: 1500, ..settings().limits };
    let registry = OciRegistry::new(Settings { limits, ..settings() }).unwrap();
    let sources = vec![source(&host, 0).holding(&running_one())];
    let (code, list, _) = outdated(sources, registry, "fluxscope outdated -A -o json").await;
    let item = &list["items"][0];
    assert_eq!((code, item["distance"].clone(), item["inRange"].clone()), (0, json!("unknown"), Value::Null));
    assert_eq!(item["moved"], false, "the running tag could be asked for");
    assert!(item["problem"]["why"].as_str().unwrap().contains("stopped after 1500 tags"), "{item}");
}
