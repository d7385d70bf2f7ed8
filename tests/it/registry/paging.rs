//! Every dialect of paging ends, and says so when tags are missing.

use super::{
    good_pages, names, pages, problem, registry,
    server::{Seen, Server, answer, complaint, json, tags},
    settings,
};
use fluxscope::{
    domain::problem::Cause,
    registry::{Limits, OciRegistry, Settings},
};
use serde_json::json;

const ALL: [&str; 7] = ["1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.2.0", "latest", "main"];

/// Pages of three, `Link` written by the test.
fn paged(seen: &Seen, link: impl Fn(&str) -> String) -> axum::http::Response<axum::body::Body> {
    let last = seen.query("last").unwrap_or_default();
    let rest: Vec<&str> = ALL.into_iter().filter(|tag| *tag > last.as_str()).collect();
    let page = &rest[..rest.len().min(3)];
    let mut response = tags(page);
    if rest.len() > 3 {
        response.headers_mut().insert("link", link(page[2]).parse().unwrap());
    }
    response
}

#[tokio::test]
async fn a_list_is_read_page_by_page_with_relative_links() {
    let link = |last: &str| format!("</v2/acme/fleet/tags/list?last={last}&n=3>; rel=\"next\"");
    let server = Server::start(move |seen, _| Some(paged(seen, link))).await;
    let pages = good_pages(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(names(&pages), ALL);
    assert_eq!(
        pages.iter().map(|page| (page.requests, page.more)).collect::<Vec<_>>(),
        [(1, true), (2, true), (3, false)]
    );
    assert!(pages.iter().all(|page| page.cut.is_none() && &*page.asked_with == "anonymous"));
    assert_eq!(
        server.requests()[..2],
        ["GET /v2/acme/fleet/tags/list?n=1000", "GET /v2/acme/fleet/tags/list?last=1.0.2&n=3"]
    );
}

#[tokio::test]
async fn absolute_links_to_the_registry_itself_are_followed_whatever_their_scheme() {
    for scheme in ["http", "https"] {
        let server = Server::start(move |seen, _| {
            let host = seen.header("host").unwrap();
            Some(paged(seen, |last| {
                format!("<{scheme}://{host}/v2/acme/fleet/tags/list?last={last}>; rel=next")
            }))
        })
        .await;
        assert_eq!(names(&good_pages(&registry(), server.upstream("acme/fleet")).await), ALL, "{scheme}");
    }
}

#[tokio::test]
async fn a_next_page_on_another_host_is_not_asked_for_and_the_list_says_what_is_missing() {
    let stranger = Server::start(|_, _| Some(tags(&["stolen"]))).await;
    let there = stranger.address;
    let server = Server::start(move |seen, _| {
        Some(paged(seen, |last| format!("<http://{there}/v2/acme/fleet/tags/list?last={last}>; rel=next")))
    })
    .await;
    let pages = good_pages(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(names(&pages), ["1.0.0", "1.0.1", "1.0.2"]);
    let cut = pages[0].cut.as_deref().unwrap();
    assert!(cut.contains(&format!("http://{there}, not at this registry")), "{cut}");
    assert!(!pages[0].more && stranger.seen().is_empty());
}

#[tokio::test]
async fn a_link_that_leads_in_a_circle_ends_with_a_word() {
    let circle = "</v2/acme/fleet/tags/list?n=1000>; rel=next";
    let server = Server::start(move |_, _| Some(answer(200, &[("link", circle)], r#"{"tags":["a"]}"#))).await;
    let pages = good_pages(&registry(), server.upstream("acme/fleet")).await;
    assert!(pages[0].cut.as_deref().unwrap().contains("asked already"));
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_registry_that_ignores_last_ends_with_a_word_instead_of_never() {
    let server = Server::start(|_, before| {
        let next = format!("</v2/acme/fleet/tags/list?last={before}>; rel=next");
        Some(answer(200, &[("link", &next)], r#"{"tags":["a","b"]}"#))
    })
    .await;
    let pages = good_pages(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(names(&pages), ["a", "b"]);
    assert!(pages[1].cut.as_deref().unwrap().contains("repeats a page"));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_registry_without_paging_answers_once() {
    let server = Server::start(|_, _| Some(tags(&ALL))).await;
    let pages = good_pages(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!((names(&pages).len(), pages.len(), server.seen().len()), (7, 1, 1));
}

/// Pages of `n` without any `Link`, from the tag after `last`; `respects` says whether it knows `last`.
fn cutting(seen: &Seen, respects: bool) -> axum::http::Response<axum::body::Body> {
    let size = seen.query("n").unwrap().parse().unwrap();
    let last = seen.query("last").filter(|_| respects).unwrap_or_default();
    let page: Vec<&str> = ALL.into_iter().filter(|tag| *tag > last.as_str()).take(size).collect();
    tags(&page)
}

#[tokio::test]
async fn a_full_page_without_a_link_is_not_taken_for_the_end() {
    for (size, requests) in [(3, 3), (4, 2), (7, 2), (8, 1)] {
        let server = Server::start(|seen, _| Some(cutting(seen, true))).await;
        let registry = limited(|limits| Limits { page_size: size, ..limits });
        let pages = good_pages(&registry, server.upstream("acme/fleet")).await;
        assert_eq!(names(&pages), ALL, "pages of {size}");
        assert_eq!(server.seen().len(), requests, "pages of {size}");
        assert!(pages.iter().all(|page| page.cut.is_none()), "pages of {size}");
    }
}

#[tokio::test]
async fn a_registry_that_cuts_and_does_not_go_on_is_not_called_complete() {
    let deaf = Server::start(|seen, _| Some(cutting(seen, false))).await;
    let rude = Server::start(|seen, _| match seen.query("last") {
        Some(_) => Some(complaint(400, &[], "UNSUPPORTED", "no last here")),
        None => Some(cutting(seen, false)),
    })
    .await;
    for server in [deaf, rude] {
        let registry = limited(|limits| Limits { page_size: 3, ..limits });
        let pages = good_pages(&registry, server.upstream("acme/fleet")).await;
        assert_eq!(names(&pages), ["1.0.0", "1.0.1", "1.0.2"]);
        let last = pages.last().unwrap();
        assert!(
            last.cut.as_deref().is_some_and(|cut| cut.contains("may be missing")) && !last.more,
            "{last:?}"
        );
    }
}

/// Debian's registry knows neither `n` nor `last`. With as many tags as were asked for it looks like one that cuts.
#[tokio::test]
async fn a_registry_that_always_sends_all_is_asked_once_more_at_most_and_lists_no_tag_twice() {
    for (size, requests) in [(7, 2), (3, 1), (8, 1)] {
        let server = Server::start(|_, _| Some(tags(&ALL))).await;
        let registry = limited(|limits| Limits { page_size: size, ..limits });
        let pages = good_pages(&registry, server.upstream("acme/fleet")).await;
        assert_eq!(names(&pages), ALL, "pages of {size}");
        assert_eq!(server.seen().len(), requests, "pages of {size}");
        let cut = pages.last().unwrap().cut.as_deref();
        assert_eq!(cut.is_some_and(|cut| cut.contains("may be missing")), size == 7, "{cut:?}");
    }
}

#[tokio::test]
async fn a_registry_that_refuses_large_pages_is_asked_for_small_ones_from_then_on() {
    for status in [400, 413] {
        let server = Server::start(move |seen, _| {
            let size: u32 = seen.query("n").unwrap().parse().unwrap();
            Some(if size > 100 {
                complaint(status, &[], "PAGINATION_NUMBER_INVALID", "too many")
            } else {
                tags(&["a"])
            })
        })
        .await;
        let registry = registry();
        let first = good_pages(&registry, server.upstream("acme/fleet")).await;
        good_pages(&registry, server.upstream("acme/other")).await;
        assert_eq!(first[0].requests, 2);
        assert_eq!(
            server.requests(),
            [
                "GET /v2/acme/fleet/tags/list?n=1000",
                "GET /v2/acme/fleet/tags/list?n=100",
                "GET /v2/acme/other/tags/list?n=100"
            ]
        );
    }
}

#[tokio::test]
async fn null_is_no_tags_and_names_that_are_no_tags_are_set_apart() {
    let server = Server::start(|seen, _| {
        let null = seen.path().contains("empty");
        let tags = if null { json!(null) } else { json!(["1.0.0", "../../x", "vé1", "1.0.0"]) };
        Some(json(&json!({ "tags": tags })))
    })
    .await;
    let registry = registry();
    assert!(names(&good_pages(&registry, server.upstream("acme/empty")).await).is_empty());
    let pages = good_pages(&registry, server.upstream("acme/odd")).await;
    assert_eq!(
        (names(&pages), &pages[0].invalid[..]),
        (vec!["1.0.0"], &["../../x".to_owned(), "vé1".to_owned()][..])
    );
}

fn limited(limits: impl Fn(Limits) -> Limits) -> OciRegistry {
    let settings = settings();
    OciRegistry::new(Settings { limits: limits(settings.limits.clone()), ..settings }).unwrap()
}

#[tokio::test]
async fn endless_paging_stops_at_the_limits_and_says_so() {
    let server = Server::start(|_, before| {
        let next = format!("</v2/acme/fleet/tags/list?last={before}>; rel=next");
        Some(answer(
            200,
            &[("link", &next)],
            json!({"tags": [format!("t{before}"), format!("u{before}")]}).to_string(),
        ))
    })
    .await;
    let few_pages = limited(|limits| Limits { pages: 4, ..limits });
    let pages = good_pages(&few_pages, server.upstream("acme/fleet")).await;
    assert_eq!((pages.len(), server.seen().len()), (4, 4));
    assert!(pages[3].cut.as_deref().unwrap().contains("4 pages are the limit"));
    let few_tags = limited(|limits| Limits { tags: 5, ..limits });
    let pages = good_pages(&few_tags, server.upstream("acme/fleet")).await;
    assert_eq!(names(&pages).len(), 5);
    assert_eq!(pages[2].cut.as_deref(), Some("stopped after 5 tags: more exist"));
}

#[tokio::test]
async fn a_list_that_loses_its_place_is_begun_again_once_and_no_tag_comes_twice() {
    let link = |last: &str| format!("</v2/acme/fleet/tags/list?last={last}>; rel=next");
    let lost = || complaint(404, &[], "NAME_UNKNOWN", "no such tag");
    let once =
        Server::start(move |seen, before| Some(if before == 1 { lost() } else { paged(seen, link) })).await;
    let pages = good_pages(&registry(), once.upstream("acme/fleet")).await;
    assert_eq!((names(&pages), pages.last().unwrap().cut.is_none()), (ALL.to_vec(), true));
    let always = Server::start(move |seen, _| {
        Some(if seen.query("last").is_some() { lost() } else { paged(seen, link) })
    })
    .await;
    let pages = good_pages(&registry(), always.upstream("acme/fleet")).await;
    assert_eq!(names(&pages), &ALL[..3]);
    assert!(pages.last().unwrap().cut.as_deref().unwrap().contains("lost its place"));
    assert_eq!(always.seen().len(), 4);
}

#[tokio::test]
async fn a_problem_ends_the_list_and_the_pages_before_it_hold() {
    let link = |last: &str| format!("</v2/acme/fleet/tags/list?last={last}>; rel=next");
    let server = Server::start(move |seen, before| {
        Some(if before == 1 { complaint(403, &[], "DENIED", "enough") } else { paged(seen, link) })
    })
    .await;
    let pages = pages(&registry(), server.upstream("acme/fleet")).await;
    assert_eq!(pages.len(), 2);
    assert_eq!(pages[0].as_ref().unwrap().tags.len(), 3);
    let problem = pages[1].as_ref().unwrap_err();
    assert_eq!((problem.cause, problem.why.as_str()), (Cause::Forbidden, "403 DENIED: enough"));
}

#[tokio::test]
async fn what_is_no_list_and_what_does_not_exist_is_said_in_words() {
    let server = Server::start(|seen, _| {
        Some(match seen.path() {
            path if path.contains("html") => {
                answer(200, &[("content-type", "text/html; charset=utf-8")], "<html>")
            }
            path if path.contains("text") => {
                answer(404, &[("content-type", "text/plain")], "404 page not found\n")
            }
            _ => complaint(404, &[], "NAME_UNKNOWN", "repository name not known to registry"),
        })
    })
    .await;
    let registry = registry();
    let html = problem(&registry, server.upstream("acme/html")).await;
    assert_eq!(html.cause, Cause::Invalid);
    assert!(html.why.starts_with("the answer (text/html, 6 bytes) is not a list of tags"), "{}", html.why);
    let text = problem(&registry, server.upstream("acme/text")).await;
    assert_eq!(text.why, "404 Not Found: 404 page not found");
    let gone = problem(&registry, server.upstream("acme/gone")).await;
    assert_eq!(
        (gone.cause, gone.why.as_str()),
        (Cause::NotFound, "404 NAME_UNKNOWN: repository name not known to registry")
    );
    assert_eq!(gone.what, format!("list the tags of {}/acme/gone", server.address));
}

#[tokio::test]
async fn a_path_that_could_change_the_url_is_refused_before_anyone_is_asked() {
    let server = Server::start(|_, _| Some(tags(&ALL))).await;
    let problem = problem(&registry(), server.upstream("acme/../secret")).await;
    assert_eq!(problem.cause, Cause::Usage);
    assert!(problem.why.contains("\"..\""), "{}", problem.why);
    assert!(server.seen().is_empty());
}
