//! The revisions that ran: what is listed, what two keys compare, and marks on revisions and tags.

use crate::story::{
    Story, at, consumer, digest, id, page, ready, repository, settings, shop_with_tags, source, upstream,
};
use fluxscope::{
    app::{Settings, effect::Effect, message::Message},
    domain::{
        artifact::{Origin, Target},
        comparison::Question,
        consumer::{Consumer, Release},
        fact::{Fact, Object},
        identity::Kind,
        revision::Revision,
        source::{Follows, SourceSpec},
    },
    widgets::theme::ColourMode,
};
use std::sync::Arc;

const DAY: i64 = 86_400;

fn applied(tag: &str, c: char, status: &str, built: char, ago: i64) -> Release {
    let revision = Revision::parse(&format!("{tag}@{}", digest(c)));
    Release {
        status: status.into(),
        digest: revision.as_ref().and_then(|revision| revision.digest().cloned()),
        revision,
        built: digest(built).parse().ok(),
        first: Some(at(crate::story::NOW - ago - DAY)),
        when: Some(at(crate::story::NOW - ago)),
        times: Some(12),
        origin: Some("main@sha1:8e2b3c0f".into()),
        ..Release::default()
    }
}

fn released(version: i64, chart: &str, status: &str, c: char) -> Release {
    Release {
        version: Some(version),
        action: Some("upgrade".into()),
        status: status.into(),
        revision: Revision::parse(&format!("{chart}+{}", String::from(c).repeat(12))),
        chart: Some("podinfo".into()),
        app_version: Some(chart.into()),
        digest: digest(c).parse().ok(),
        first: Some(at(crate::story::NOW - 90 * DAY)),
        when: Some(at(crate::story::NOW - (9 - version) * DAY)),
        ..Release::default()
    }
}

fn ks(path: &str, of: &str, history: Vec<Release>) -> Consumer {
    let running = history.iter().find(|entry| &*entry.status == "ReconciliationSucceeded");
    let running = running.and_then(|entry| entry.revision.clone()).unwrap();
    let source = Some(id(Kind::OciRepository, of));
    let mut ks = consumer(Kind::Kustomization, path, source, running.as_str(), ready(60));
    ks.applied.history = history;
    ks
}

/// A Kustomization whose tag was moved and that fails since, a release, a chart of a repository.
fn world() -> Vec<Object> {
    let held = format!("latest@{}", digest('c'));
    let app = repository("shop/app", Follows::Tag("latest".into()), &held, ready(60));
    let charts = repository(
        "shop/charts",
        Follows::Semver("6.x".into()),
        &format!("6.9.4@{}", digest('4')),
        ready(60),
    );
    let app_ks = ks(
        "shop/app",
        "shop/app",
        vec![
            applied("latest", 'c', "HealthCheckFailed", '3', 60),
            applied("latest", 'b', "ReconciliationSucceeded", '2', DAY),
            applied("1.0.0", 'a', "ReconciliationSucceeded", '1', 20 * DAY),
        ],
    );
    let other =
        ks("shop/other", "shop/app", vec![applied("1.0.0", 'a', "ReconciliationSucceeded", '9', 40 * DAY)]);
    let source_of = Some(id(Kind::OciRepository, "shop/charts"));
    let mut release = consumer(Kind::HelmRelease, "shop/web", source_of, "6.9.4+444444444444", ready(60));
    release.applied.history =
        vec![released(7, "6.9.4", "deployed", '4'), released(6, "6.9.3", "superseded", '3')];
    vec![
        Object::Source(app),
        Object::Source(charts),
        Object::Consumer(app_ks),
        Object::Consumer(other),
        Object::Consumer(release),
    ]
}

pub(super) fn open(words: &str, settings: Settings) -> Story {
    let mut story = Story::with(settings, world());
    story.press(":");
    story.kind(&format!("revisions {words} -n shop"));
    story.press("Enter");
    story
}

/// What was asked to be compared since: the two references and the consumer.
fn compared(story: &mut Story) -> Option<(String, String, Option<String>)> {
    let place = |target: &Target| match &target.origin {
        Origin::Registry { upstream, reference } => {
            let short = reference.strip_prefix("sha256:").map_or(&**reference, |hex| &hex[..8]);
            format!("{}:{short}", upstream.repository)
        }
        other => format!("{other:?}"),
    };
    story.asked().into_iter().find_map(|effect| match effect {
        Effect::Compare(question) => {
            let Question { from, to, consumer, .. } = &*question;
            Some((place(from), place(to), consumer.as_ref().map(ToString::to_string)))
        }
        _ => None,
    })
}

#[test]
fn r_lists_what_ran_of_a_consumer_and_marks_what_runs_now() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut story = open("ks/app", settings(width, height));
        story.press("j");
        story.snapshot(&format!("revisions-{width}x{height}"));
        let lines = story.lines();
        let row = |words: &str| lines.iter().find(|line| line.contains(words)).unwrap().clone();
        assert!(row("bbbbbbbb ").contains("● latest"), "what was applied runs, not what failed since");
        assert!(row(" cccccccc ").contains("HealthCheckFailed") && row(" cccccccc ").contains("moved"));
        assert!(!row(" aaaaaaaa ").contains("moved"));
    }
}

#[test]
fn r_is_a_key_of_rows_and_of_objects_and_says_why_where_there_is_nothing() {
    let mut story = Story::with(settings(100, 24), world());
    story.press("/");
    story.kind("kind:hr");
    story.press("Enter G r");
    story.shows("revisions of hr shop/web");
    story.shows("podinfo 6.9.4");
    story.shows("· superseded");
    story.press("Esc Enter r");
    story.shows("revisions of hr shop/web");
    let charts = SourceSpec::HelmRepository { url: "oci://ghcr.io/c".into(), oci: true, insecure: false };
    let charts = source(Kind::HelmRepository, "shop/charts", charts, "", ready(60));
    let mut story = Story::with(settings(100, 24), vec![Object::Source(charts)]);
    story.press("r");
    story.shows("a HelmRepository holds no artifact by itself");
}

#[test]
fn without_marks_what_runs_is_compared_with_the_selected_the_older_first() {
    let mut story = open("ks/app", settings(120, 30));
    story.press("j");
    story.shows("Shift-D: this is what runs now");
    story.press("D");
    assert_eq!(compared(&mut story), None);
    story.press("j");
    story.shows("Shift-D compares 1.0.0@aaaaaaaa → latest@bbbbbbbb (running)");
    story.press("D");
    let places = |older: &str, newer: &str| {
        let place = |short: &str| format!("ghcr.io/shop/app:{short}");
        Some((place(older), place(newer), Some("ks shop/app".to_owned())))
    };
    assert_eq!(compared(&mut story), places("aaaaaaaa", "bbbbbbbb"));
    story.press("Esc Esc g");
    story.shows("Shift-D compares latest@bbbbbbbb (running) → latest@cccccccc");
    story.press("D");
    assert_eq!(compared(&mut story), places("bbbbbbbb", "cccccccc"), "a moved tag by its digests");
}

#[test]
fn a_mark_is_compared_with_the_selected_and_two_marks_with_each_other() {
    let mut story = open("ks/app", settings(120, 30));
    story.press("G Space");
    story.shows("1 marked");
    story.shows("Shift-D: this one is marked itself");
    story.press("g");
    story.shows("Shift-D compares 1.0.0@aaaaaaaa → latest@cccccccc");
    story.press("Space");
    story.shows("2 marked");
    story.press("Space");
    story.shows("two are marked already: ^\\ unmarks both");
    story.press("D");
    let (from, to, _) = compared(&mut story).unwrap();
    assert!(from.ends_with("aaaaaaaa") && to.ends_with("cccccccc"), "{from} {to}");
    story.press("Esc Esc ^\\");
    story.hides("marked");
}

#[test]
fn marks_are_seen_without_colour_and_stay_with_what_was_marked() {
    let mut story = open("ks/app", Settings { colour: ColourMode::None, ascii: true, ..settings(80, 24) });
    story.press("j j Space");
    let marked = |story: &mut Story| story.lines().into_iter().find(|line| line.starts_with('*')).unwrap();
    assert!(marked(&mut story).contains("aaaaaaaa"));
    // a newer revision comes: the mark and the selection stay where they were
    let mut newer = world();
    let Object::Consumer(ks) = &mut newer[2] else { panic!("a Kustomization") };
    ks.applied.history.insert(0, applied("2.0.0", 'd', "ReconciliationSucceeded", '4', 5));
    story.observe(vec![Fact::Changed(Arc::new(newer.remove(2)))]);
    assert!(marked(&mut story).contains("aaaaaaaa"));
    assert!(story.selected().contains("aaaaaaaa"));
    story.shows("dddddddd");
    // it is kept no longer: so is the mark
    let mut shorter = world();
    let Object::Consumer(ks) = &mut shorter[2] else { panic!("a Kustomization") };
    ks.applied.history.truncate(2);
    story.observe(vec![Fact::Changed(Arc::new(shorter.remove(2)))]);
    assert!(story.lines().iter().all(|line| !line.starts_with('*')));
}

#[test]
fn a_source_lists_what_it_holds_and_what_its_consumers_ran() {
    let mut story = open("ocirepo/app", settings(120, 30));
    let row =
        |story: &mut Story, words: &str| story.lines().into_iter().find(|line| line.contains(words)).unwrap();
    assert!(row(&mut story, " cccccccc ").contains("● latest"));
    assert!(row(&mut story, " cccccccc ").contains("stored now"));
    assert!(row(&mut story, " aaaaaaaa ").contains("2 consumers"));
    assert!(row(&mut story, " bbbbbbbb ").contains("running in 1; moved"));
    story.press("G D");
    let (from, to, consumer) = compared(&mut story).unwrap();
    assert!(from.ends_with("aaaaaaaa") && to.ends_with("cccccccc") && consumer.is_none(), "{from} {to}");
}

#[test]
fn a_tag_that_names_something_else_in_the_registry_now_is_marked_as_moved() {
    let mut story = open("ocirepo/charts", settings(120, 30));
    story.hides("moved");
    story.head(&upstream("ghcr.io/shop/charts"), "6.9.4", 'f');
    story.shows("moved");
    story.shows("6.9.4 names ffffffff now");
}

#[test]
fn what_cannot_be_fetched_says_why_and_is_not_compared() {
    let git = Some(id(Kind::GitRepository, "flux-system/flux-system"));
    let main = "refs/heads/main@sha1:8e2b3c0f0a8b6a5b3f2d0a4a4a1e9a7c11aa22bb";
    let ks = consumer(Kind::Kustomization, "shop/git", git, main, ready(60));
    let mut story = Story::with(settings(140, 30), vec![Object::Consumer(ks)]);
    story.press("j r");
    story.shows("it takes from gitrepo flux-system/flux-system, which is in no OCI registry");
    story.press("a");
    story.shows("revisions of ks shop/git");
}

#[test]
fn a_artifact_opens_and_c_copies_tag_and_digest() {
    let mut story = open("ks/app", settings(120, 30));
    story.asked();
    story.press("G c");
    let expected = format!("1.0.0@{}", digest('a'));
    assert!(story.asked().contains(&Effect::Copy(expected)));
    story.press("C");
    assert!(story.asked().contains(&Effect::Copy("fluxscope history ks/app -n shop".to_owned())));
    story.press("a");
    story.shows("app@aaaaaaaa");
}

#[test]
fn what_was_applied_once_was_not_applied_1_times() {
    for (times, words) in [(1, "applied once"), (2, "applied 2 times")] {
        let mut objects = world();
        let entry =
            Release { times: Some(times), ..applied("1.0.0", 'a', "ReconciliationSucceeded", '1', DAY) };
        objects.push(Object::Consumer(ks("shop/once", "shop/app", vec![entry])));
        let mut story = Story::with(settings(160, 45), objects);
        story.press(":");
        story.kind("revisions ks/once -n shop");
        story.press("Enter");
        story.shows(words);
    }
}

#[test]
fn on_tags_a_mark_is_compared_with_the_selected_and_two_marks_with_each_other() {
    let mut story = shop_with_tags(settings(140, 30));
    story.press("j t");
    story.tell(Message::Tags(
        upstream("ghcr.io/shop/podinfo"),
        Ok(page(&["6.9.0", "6.9.1", "6.9.2", "6.9.4", "7.0.0-rc.1", "latest"], false)),
    ));
    story.press("g Space");
    story.shows("1 marked: Shift-D compares 6.9.4 → 7.0.0-rc.1");
    story.press("j j");
    story.asked();
    story.press("D");
    let (from, to, _) = compared(&mut story).unwrap();
    assert_eq!((&*from, &*to), ("ghcr.io/shop/podinfo:6.9.1", "ghcr.io/shop/podinfo:7.0.0-rc.1"));
    story.press("Esc Esc Space");
    story.shows("2 marked: Shift-D compares 6.9.1 → 7.0.0-rc.1");
    let marked = story.lines().iter().filter(|line| line.starts_with('*')).count();
    assert_eq!(marked, 2);
    story.press("Space");
    story.shows("two are marked already");
    story.press("^\\ D");
    let (from, to, _) = compared(&mut story).unwrap();
    assert!(from.ends_with(&"a".repeat(8)) && to.ends_with(":6.9.0"), "without marks: {from} {to}");
}

#[test]
fn the_order_takes_an_object_and_says_what_it_needs() {
    let mut story = Story::with(settings(120, 30), world());
    for (words, answer) in [
        ("revisions", "whose revisions? :revisions ks/NAME"),
        ("revisions ks/nope -n shop", "there is no ks shop/nope among what was read"),
        ("revisions helmrepo/x", "a HelmRepository holds no artifact by itself"),
        ("history hr/web -n shop", "revisions of hr shop/web"),
    ] {
        story.press(":");
        story.kind(words);
        story.press("Enter");
        story.shows(answer);
    }
}
