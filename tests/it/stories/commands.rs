//! The command line.

use crate::story::{Story, one_namespace, settings, shop, shop_with_tags};
use fluxscope::{
    app::{Settings, effect::Effect, message::Message},
    domain::{
        fact::Scope,
        problem::{Cause, Problem},
    },
};

fn order(story: &mut Story, text: &str) {
    story.kind(&format!(":{text}"));
    story.press("Enter");
}

#[test]
fn lists_of_one_kind_are_flat_and_name_the_source() {
    let mut story = shop_with_tags(settings(120, 24));
    order(&mut story, "ks");
    story.shows("prod-eu › board › ks › all namespaces");
    story.shows("ks    shop/podinfo-eu    ocirepo shop/podinfo");
    order(&mut story, "all");
    story.shows("ocirepo  infra/dns");
}

#[test]
fn an_unknown_word_is_never_silent() {
    let mut story = shop_with_tags(settings(100, 24));
    order(&mut story, "ocirep");
    story.shows("there is no command :ocirep; the nearest is ocirepo");
    order(&mut story, "gitrepo");
    story.shows("GitRepository is not watched");
    order(&mut story, "tags ghcr.io/x");
    story.shows("ghcr.io/x: needs oci:// in front");
    order(&mut story, "ctx");
    story.shows("which context?");
}

#[test]
fn an_error_stays_until_a_key_and_a_notice_goes_by_itself() {
    let mut story = shop_with_tags(settings(100, 24));
    order(&mut story, "nonsense");
    story.wait(60);
    story.shows("there is no command :nonsense");
    story.press("j");
    story.hides("there is no command :nonsense");
    story.press("c");
    story.shows("copied: podinfo");
    story.wait(10);
    story.hides("copied: podinfo");
}

#[test]
fn words_complete_and_candidates_are_listed() {
    let mut story = shop_with_tags(settings(100, 24));
    story.kind(":oc");
    story.press("Tab Enter");
    story.shows("board › ocirepo");
    story.kind(":tags ");
    story.shows("tags oci://ghcr.io/infra/dns  tags oci://ghcr.io/shop/podinfo");
    story.press("Down Down Enter");
    story.shows("tags of ghcr.io/shop/podinfo");
}

#[test]
fn a_namespace_of_a_watch_on_all_is_only_a_view_and_otherwise_asks_anew() {
    let mut story = shop_with_tags(settings(100, 24));
    story.asked();
    order(&mut story, "ns shop");
    story.shows("namespace shop");
    order(&mut story, "ns all");
    assert!(story.asked().is_empty());
    let mut story = Story::with(one_namespace("shop"), shop());
    story.asked();
    order(&mut story, "ns all");
    assert_eq!(story.asked(), [Effect::Watch(Scope::AllNamespaces)]);
    story.shows("reading OCIRepository");
}

#[test]
fn a_slip_in_a_namespace_or_context_names_the_nearest() {
    let mut story = shop_with_tags(settings(100, 24));
    story.tell(Message::Namespaces(Ok(vec![
        "shop".to_owned(),
        "infra".to_owned(),
        "kube-system".to_owned(),
    ])));
    story.tell(Message::Contexts(Ok(vec!["prod-eu".to_owned(), "prod-us".to_owned()])));
    order(&mut story, "ns shpo");
    story.shows("there is no namespace shpo; the nearest is shop");
    order(&mut story, "ctx prod-uk");
    story.shows("there is no context prod-uk; the nearest is prod-");
}

#[test]
fn another_context_leaves_everything_of_the_old_one_behind() {
    let mut story = shop_with_tags(settings(100, 24));
    story.asked();
    order(&mut story, "ctx staging");
    assert_eq!(story.asked(), [Effect::Connect { context: Some("staging".to_owned()) }]);
    story.shows("connecting to staging");
    story.list(shop());
    story.hides("shop/podinfo");
}

#[test]
fn a_context_that_was_asked_for_is_named_even_if_there_is_none() {
    let mut story = Story::begin(Settings { context: Some("nope".to_owned()), ..settings(100, 24) });
    assert!(story.asked().contains(&Effect::Connect { context: Some("nope".to_owned()) }));
    story.tell(Message::Contexts(Ok(vec!["prod-eu".to_owned()])));
    story.shows("nope › board");
    let problem = Problem::new(Cause::Usage, "connect to nope", "there is no context nope");
    story.tell(Message::Connected(Err(problem)));
    assert!(story.lines()[0].starts_with(" nope › board"), "{}", story.lines()[0]);
    story.shows("not connected");
}

#[test]
fn a_pasted_line_break_runs_nothing() {
    let mut story = shop_with_tags(settings(100, 24));
    story.asked();
    story.press(":");
    story.tell(Message::Pasted("q\rq\r".to_owned()));
    assert!(story.asked().is_empty());
    story.shows(":q");
    let mut idle = shop_with_tags(settings(100, 24));
    idle.tell(Message::Pasted("q".to_owned()));
    idle.hides("Quit fluxscope?");
}

#[test]
fn demo_and_write_are_said_on_the_screen() {
    let mut story = shop_with_tags(Settings { demo: true, ..settings(100, 24) });
    story.shows("DEMO");
    story.shows("RO");
    order(&mut story, "write");
    story.shows("WRITE");
    order(&mut story, "readonly");
    story.shows("RO");
    story.asked();
    order(&mut story, "q");
    assert_eq!(story.asked(), [Effect::Quit]);
}
