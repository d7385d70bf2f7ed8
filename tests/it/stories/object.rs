//! One object in full, and its YAML.

use crate::story::{
    NOW, Story, at, condition, digest, id, ready, repository, settings, shop, shop_with_tags, status,
};
use fluxscope::{
    app::{ColourMode, Settings, effect::Effect, message::Message},
    domain::{
        condition::ConditionStatus,
        event::Event,
        fact::{Fact, Object},
        identity::Kind,
        problem::{Cause, Problem},
        source::{Follows, SourceSpec, Verify},
    },
};
use std::sync::Arc;

fn event(reason: &str, message: &str, ago: i64) -> Event {
    Event {
        uid: reason.into(),
        warning: reason.ends_with("Failed"),
        reason: reason.into(),
        message: message.into(),
        count: 3,
        last: Some(at(NOW - ago)),
        from: "source-controller".into(),
    }
}

#[test]
fn the_object_screen_of_a_failing_source() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut story = shop_with_tags(settings(width, height));
        story.press("j Enter");
        let about = id(Kind::OciRepository, "shop/podinfo");
        let events = vec![event("OCIArtifactPullFailed", "authentication required", 60)];
        story.tell(Message::Events(about, Ok(events)));
        story.snapshot(&format!("object-{width}x{height}"));
    }
}

#[test]
fn events_are_followed_while_the_screen_is_open() {
    let mut story = shop_with_tags(settings(100, 40));
    story.asked();
    story.press("j Enter");
    assert_eq!(story.asked(), [Effect::FollowEvents(id(Kind::OciRepository, "shop/podinfo"))]);
    story.tell(Message::Events(
        id(Kind::OciRepository, "shop/podinfo"),
        Ok(vec![event("PullFailed", "no", 1)]),
    ));
    story.shows("Warning  PullFailed x3");
    story.press("Esc");
    assert_eq!(story.asked(), [Effect::StopEvents]);
}

#[test]
fn events_that_may_not_be_read_leave_the_problem_where_they_would_stand() {
    let mut story = shop_with_tags(settings(100, 50));
    story.press("j Enter");
    let problem = Problem::new(Cause::Forbidden, "list events in shop", "403: no right to list events");
    story.tell(Message::Events(id(Kind::OciRepository, "shop/podinfo"), Err(problem)));
    story.shows("could not list events in shop");
    story.shows("UNAUTHORIZED");
}

#[test]
fn relations_lead_on_with_tab_and_enter() {
    let mut story = shop_with_tags(settings(100, 50));
    story.press("j Enter Tab");
    assert!(story.selected().contains("ks shop/podinfo"), "{}", story.selected());
    story.press("Enter");
    story.shows("› ks shop/podinfo");
    story.shows("source       ocirepo shop/podinfo  ✗ failing");
    story.press("Esc Esc");
    story.shows("infra/dns");
}

#[test]
fn what_verification_says_is_told_in_words() {
    let verify =
        Verify { provider: "cosign".into(), secret: None, identities: vec![("iss".into(), "sub".into())] };
    let cases: [(Option<Verify>, Option<ConditionStatus>, &str); 4] = [
        (None, None, "verified     not asked"),
        (
            Some(verify.clone()),
            None,
            "verified     the cluster has not said yet (asked: cosign, issuer iss, subject sub)",
        ),
        (
            Some(verify.clone()),
            Some(ConditionStatus::True),
            "verified     by the cluster: verified signature",
        ),
        (
            Some(verify),
            Some(ConditionStatus::False),
            "verified     failed in the cluster: verified signature",
        ),
    ];
    for (verify, verdict, words) in cases {
        let mut source =
            repository("shop/signed", Follows::Latest, &format!("latest@{}", digest('a')), ready(5));
        if let SourceSpec::Oci(spec) = &mut source.spec {
            spec.verify = verify;
        }
        source.status.conditions.extend(
            verdict.map(|status| condition("SourceVerified", status, "Signed", "verified signature", 5)),
        );
        let mut story = Story::with(settings(120, 40), vec![Object::Source(source)]);
        story.press("Enter");
        story.shows(words);
    }
}

#[test]
fn an_object_that_goes_while_it_is_looked_at_says_so() {
    let mut story = shop_with_tags(settings(100, 30));
    story.press("j Enter");
    story.observe(vec![Fact::Gone(id(Kind::OciRepository, "shop/podinfo"))]);
    story.shows("ocirepo shop/podinfo is gone here.");
}

#[test]
fn who_manages_it_and_what_that_means() {
    let mut source = repository("shop/owned", Follows::Latest, "", status(vec![]));
    for (end, value) in [("name", "infra"), ("namespace", "flux-system")] {
        source.meta.labels.insert(format!("kustomize.toolkit.fluxcd.io/{end}").into(), value.into());
    }
    let mut objects = shop();
    objects.push(Object::Source(source));
    let mut story = Story::with(settings(120, 40), objects);
    story.kind("/owned");
    story.press("Enter Enter");
    story.shows("managed by   ks flux-system/infra  ✓ ready  (a change here is reverted)");
}

#[test]
fn yaml_is_read_once_scrolled_searched_and_copied_as_a_command() {
    let mut story = shop_with_tags(settings(80, 24));
    story.press("j");
    story.asked();
    story.press("y");
    let about = id(Kind::OciRepository, "shop/podinfo");
    assert_eq!(story.asked(), [Effect::ReadRaw(about.clone())]);
    story.shows("asking prod-eu for ocirepo shop/podinfo");
    let text = format!("kind: OCIRepository\nspec:\n{}status: {{}}\n", "  url: oci://x\n".repeat(60));
    story.tell(Message::Raw(about, Ok(text)));
    story.shows("kind: OCIRepository");
    story.press("/");
    story.kind("status");
    story.press("Enter");
    story.shows("status: {}");
    story.shows("› yaml /status 1/1");
    story.press("g C");
    assert_eq!(
        story.asked(),
        [Effect::Copy(
            "kubectl get ocirepositories.source.toolkit.fluxcd.io podinfo -n shop -o yaml".to_owned()
        )]
    );
    story.press("/");
    story.kind("nowhere");
    story.press("Enter");
    story.shows("nowhere was not found");
}

#[test]
fn yaml_has_colours_and_none_of_them_without_colour() {
    for (colour, coloured) in [(ColourMode::Ansi16, true), (ColourMode::None, false)] {
        let mut story = shop_with_tags(Settings { colour, ..settings(80, 24) });
        story.press("j y");
        let text = "kind: OCIRepository\nreplicas: 3\n".to_owned();
        story.tell(Message::Raw(id(Kind::OciRepository, "shop/podinfo"), Ok(text)));
        let terminal = story.terminal();
        let cell = &terminal.backend().buffer()[(1, 1)];
        assert_eq!(cell.symbol(), "k");
        assert_eq!(cell.fg != ratatui::style::Color::Reset, coloured);
    }
}

#[test]
fn a_new_look_at_the_yaml_asks_again() {
    let mut story = shop_with_tags(settings(80, 24));
    story.press("j y");
    let about = id(Kind::OciRepository, "shop/podinfo");
    story.tell(Message::Raw(about.clone(), Ok("kind: A\n".to_owned())));
    story.asked();
    story.press("Esc y");
    assert_eq!(story.asked(), [Effect::ReadRaw(about.clone())]);
    story.tell(Message::Raw(
        about.clone(),
        Err(Problem::new(Cause::NotFound, "read ocirepo shop/podinfo", "404")),
    ));
    story.shows("could not read ocirepo shop/podinfo");
    story.asked();
    story.press("^R");
    assert_eq!(story.asked(), [Effect::ReadRaw(about)]);
}

#[test]
fn an_object_as_it_changes_is_the_object_that_is_shown() {
    let mut story = shop_with_tags(settings(100, 30));
    story.press("j Enter");
    story.shows("failing");
    let calm = repository("shop/podinfo", Follows::Latest, &format!("latest@{}", digest('c')), ready(1));
    story.observe(vec![Fact::Changed(Arc::new(Object::Source(calm)))]);
    story.shows("✓ ready");
}
