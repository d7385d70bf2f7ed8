//! What is not known is asked for where it can be, and said where it cannot.

use crate::story::{
    Story, at, consumer, digest, feed, id, one_namespace, ready, repository, settings, shop, shop_with_tags,
    upstream,
};
use fluxscope::{
    app::{Settings, effect::Effect, message::Message},
    domain::{
        event::Event,
        fact::{Fact, FeedId, Object},
        identity::Kind,
        problem::{Cause, Problem},
        source::Follows,
    },
};
use std::sync::Arc;

/// One namespace, whose consumer takes from a source in another one.
fn narrow() -> Story {
    let mut story = Story::begin(one_namespace("shop"));
    story.connect();
    let old = format!("1.0.0@{}", digest('a'));
    let takes = Some(id(Kind::OciRepository, "flux-system/app"));
    let app = Object::Consumer(consumer(Kind::Kustomization, "shop/app", takes, &old, ready(60)));
    let facts = Kind::WATCHED.into_iter().map(|kind| Fact::Listed {
        feed: FeedId { namespace: Some("shop".into()), ..feed(kind) },
        objects: if kind == Kind::Kustomization { vec![Arc::new(app.clone())] } else { Vec::new() },
        at: at(crate::story::NOW),
    });
    story.observe(facts.collect());
    story
}

#[test]
fn a_source_outside_the_scope_is_asked_for_once_and_judges_its_consumer() {
    let mut story = narrow();
    let source = id(Kind::OciRepository, "flux-system/app");
    let fetch = Effect::Fetch(source.clone());
    assert_eq!(story.asked().iter().filter(|effect| **effect == fetch).count(), 1);
    let new = format!("1.1.0@{}", digest('b'));
    let object = Object::Source(repository("flux-system/app", Follows::Latest, &new, ready(30)));
    story.tell(Message::Fetched(source, Ok(Arc::new(object))));
    story.shows("stale");
    story.shows("0 sources · 1 consumer");
    assert!(!story.asked().contains(&fetch));
    story.press("^R");
    assert!(story.asked().contains(&fetch), "^R asks again");
}

#[test]
fn a_source_outside_the_scope_that_is_not_there_is_gone_and_one_that_may_not_be_read_is_not_judged() {
    let source = id(Kind::OciRepository, "flux-system/app");
    for (cause, word, other) in
        [(Cause::NotFound, "gone", "not read"), (Cause::Forbidden, "not read", "gone")]
    {
        let mut story = narrow();
        let problem = Problem::new(cause, "read ocirepo flux-system/app", "no");
        story.tell(Message::Fetched(source.clone(), Err(problem)));
        story.shows(word);
        story.hides(other);
    }
}

#[test]
fn events_that_are_no_longer_live_say_so_and_are_asked_for_when_the_cluster_is_back() {
    let mut story = Story::with(settings(120, 50), shop());
    story.press("j Enter");
    let about = story.asked().into_iter().find_map(|effect| match effect {
        Effect::FollowEvents(about) => Some(about),
        _ => None,
    });
    let about = about.unwrap();
    let event = Event {
        last: Some(at(crate::story::NOW)),
        uid: "1".into(),
        warning: false,
        reason: "Seen".into(),
        message: "it was seen".into(),
        from: "source-controller".into(),
        count: 1,
    };
    story.tell(Message::Events(about.clone(), Ok(vec![event.clone()])));
    let problem = Problem::new(Cause::Unreachable, "watch events", "connection refused");
    story.tell(Message::Events(about.clone(), Err(problem)));
    story.wait(3);
    story.press("G");
    story.shows("not live for 3s: could not watch events: connection refused");
    story.shows("it was seen");
    assert!(!story.asked().iter().any(|effect| matches!(effect, Effect::FollowEvents(_))));
    story.observe(vec![Fact::WatchBack { feed: feed(Kind::OciRepository) }]);
    assert!(story.asked().contains(&Effect::FollowEvents(about.clone())));
    story.tell(Message::Events(about, Ok(vec![event])));
    story.hides("not live");
}

#[test]
fn why_no_name_is_offered_stands_where_the_names_would() {
    let mut story = Story::with(settings(120, 24), shop());
    let refused = |what: &str| Err(Problem::new(Cause::Forbidden, what, "403"));
    story.tell(Message::Namespaces(refused("list namespaces")));
    story.tell(Message::Contexts(refused("read the kubeconfig")));
    story.kind(":ns ");
    story.shows("could not list namespaces: 403");
    story.shows("ns shop");
    story.press("^U");
    story.kind("ctx ");
    story.shows("could not read the kubeconfig: 403");
}

#[test]
fn as_many_repositories_are_asked_at_a_time_as_was_said() {
    for at_once in [1, 3] {
        let mut story = Story::with(Settings { registry_at_once: at_once, ..settings(120, 24) }, shop());
        let asked = story.asked().into_iter().filter(|effect| matches!(effect, Effect::ListTags(_)));
        assert_eq!(asked.count(), at_once);
    }
}

#[test]
fn a_list_that_was_outrun_by_what_runs_has_no_newest() {
    let mut story = shop_with_tags(settings(120, 24));
    story.wait(180);
    let held = format!("8.0.0@{}", digest('8'));
    let newer = repository("shop/podinfo-chart", Follows::Semver("*".into()), &held, ready(1));
    story.observe(vec![Fact::Changed(Arc::new(Object::Source(newer)))]);
    let lines = story.lines();
    let row = lines.iter().find(|line| line.contains("8.0.0@")).unwrap();
    assert!(row.contains("asked 3m ago") && !row.contains("7.0.0"), "{row}");
    story.press("^R");
    story.tags(&upstream("ghcr.io/shop/podinfo-chart"), &["7.0.0", "8.0.0"]);
    story.hides("asked 3m ago");
}
