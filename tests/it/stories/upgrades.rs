//! The upgrades: what is behind its registry, what would take it there, and who is affected.

use crate::story::{
    Story, condition, consumer, digest, feed, id, page, ready, repository, settings, source, status, upstream,
};
use fluxscope::{
    app::{effect::Effect, message::Message},
    domain::{
        artifact::TagPage,
        condition::ConditionStatus,
        fact::{Fact, Object},
        identity::{Kind, ObjectId},
        policy::Dialect,
        problem::{Cause, Problem},
        source::{Follows, Source, SourceSpec},
        upgrade::Carriers,
    },
};
use std::{sync::Arc, time::Instant};

fn semver(range: &str) -> Follows {
    Follows::Semver(range.into())
}

fn held(tag: &str, c: char) -> String {
    format!("{tag}@{}", digest(c))
}

fn managed(mut source: Source) -> Source {
    for (end, name) in [("name", "infra"), ("namespace", "flux-system")] {
        source.meta.labels.insert(format!("kustomize.toolkit.fluxcd.io/{end}").into(), name.into());
    }
    source
}

fn ks(path: &str, of: &ObjectId, revision: &str) -> Object {
    Object::Consumer(consumer(Kind::Kustomization, path, Some(of.clone()), revision, ready(3_600)))
}

/// One source for each way to stand, with consumers.
fn world() -> Vec<Object> {
    let oci = |path: &str| id(Kind::OciRepository, path);
    let mut config = repository("team-a/config", Follows::Latest, &held("latest", '9'), ready(86_400));
    config.suspended = true;
    let sources = [
        managed(repository("shop/podinfo", semver("6.9.x"), &held("6.9.1", 'a'), ready(60))),
        repository("shop/fixed", Follows::Tag("1.0.0".into()), &held("1.0.0", 'b'), ready(60)),
        repository("shop/base", Follows::Digest(digest('c').into()), &digest('c'), ready(60)),
        repository("infra/fresh", semver(">=1.0.0"), &held("2.0.0", 'd'), ready(60)),
        repository("infra/gone", Follows::Tag("0.9".into()), "", ready(60)),
        repository("infra/private", semver("1.x"), &held("1.0.0", 'e'), ready(60)),
        config,
    ];
    let mut objects: Vec<Object> = sources.into_iter().map(Object::Source).collect();
    let chart = SourceSpec::HelmChart {
        chart: "cert".into(),
        version: "1.14.x".into(),
        source: Some(id(Kind::HelmRepository, "infra/charts")),
        verify: None,
    };
    objects.push(Object::Source(source(Kind::HelmChart, "infra/infra-cert", chart, "1.14.4", ready(60))));
    let charts =
        SourceSpec::HelmRepository { url: "oci://ghcr.io/charts".into(), oci: true, insecure: false };
    objects.push(Object::Source(source(Kind::HelmRepository, "infra/charts", charts, "", status(vec![]))));
    let takes = Some(id(Kind::HelmChart, "infra/infra-cert"));
    let mut cert = consumer(Kind::HelmRelease, "infra/cert", takes, "1.14.4", ready(60));
    cert.chart = Some(("cert".into(), "1.14.x".into()));
    for (end, name) in [("name", "infra"), ("namespace", "flux-system")] {
        cert.meta.labels.insert(format!("kustomize.toolkit.fluxcd.io/{end}").into(), name.into());
    }
    objects.push(Object::Consumer(cert));
    objects.push(ks("shop/podinfo", &oci("shop/podinfo"), &held("6.9.1", 'a')));
    objects.push(ks("shop/podinfo-eu", &oci("shop/podinfo"), &held("6.9.0", '0')));
    objects.push(ks("team-a/web", &oci("team-a/config"), &held("latest", '9')));
    objects.push(ks("infra/private", &oci("infra/private"), &held("1.0.0", 'e')));
    let fleet = repository("flux-system/fleet", Follows::Tag("2.0.0".into()), &held("2.0.0", 'f'), ready(60));
    let mut infra = consumer(
        Kind::Kustomization,
        "flux-system/infra",
        Some(oci("flux-system/fleet")),
        &held("2.0.0", 'f'),
        ready(60),
    );
    infra.path = Some("./infra".into());
    objects.extend([Object::Source(fleet), Object::Consumer(infra)]);
    objects
}

const ANSWERS: [(&str, &[&str]); 8] = [
    ("ghcr.io/shop/podinfo", &["6.9.0", "6.9.1", "6.9.4", "7.0.0", "7.1.0-rc.1", "latest"]),
    ("ghcr.io/shop/fixed", &["1.0.0", "1.2.0"]),
    ("ghcr.io/shop/base", &["1.2.0", "1.3.0", "1.4.1", "latest"]),
    ("ghcr.io/infra/fresh", &["1.0.0", "2.0.0"]),
    ("ghcr.io/infra/gone", &["1.0.0"]),
    ("ghcr.io/team-a/config", &["latest", "main-1"]),
    ("ghcr.io/charts/cert", &["1.14.4", "1.14.5", "1.16.2"]),
    ("ghcr.io/flux-system/fleet", &["2.0.0"]),
];

fn refusal() -> Problem {
    let what = "list tags of ghcr.io/infra/private";
    Problem::new(Cause::Unauthorized, what, "401 UNAUTHORIZED: authentication required")
        .with_hint("log in to ghcr.io on this machine")
}

/// Answers for lists of tags as they are asked for, until none is. Other questions stay.
fn answer_lists(story: &mut Story, answer: impl Fn(&str) -> Result<TagPage, Problem>) {
    loop {
        let (lists, others): (Vec<Effect>, Vec<Effect>) =
            story.asked().into_iter().partition(|effect| matches!(effect, Effect::ListTags(_)));
        story.effects = others;
        if lists.is_empty() {
            return;
        }
        for effect in lists {
            let Effect::ListTags(upstream) = effect else { continue };
            let answer = answer(&upstream.repository.to_string());
            story.tell(Message::Tags(upstream, answer));
        }
    }
}

/// All lists of tags were answered, or refused.
fn answered(width: u16, height: u16) -> Story {
    let mut story = Story::with(settings(width, height), world());
    answer_lists(&mut story, |name| {
        let found = ANSWERS.iter().find(|(known, _)| *known == name);
        found.map(|(_, tags)| page(tags, false)).ok_or_else(refusal)
    });
    story
}

fn names(story: &mut Story, name: &str, tag: &str, c: char) {
    story.head(&upstream(name), tag, c);
}

/// What the running tags and the candidates name, too: a tag was moved, and a pin is an old version.
fn known(width: u16, height: u16) -> Story {
    let mut story = answered(width, height);
    story.press("U");
    for (name, tag, c) in [
        ("ghcr.io/shop/podinfo", "6.9.1", 'a'),
        ("ghcr.io/shop/fixed", "1.0.0", 'b'),
        ("ghcr.io/infra/fresh", "2.0.0", 'd'),
        ("ghcr.io/team-a/config", "latest", '8'),
        ("ghcr.io/flux-system/fleet", "2.0.0", 'f'),
        ("ghcr.io/shop/base", "1.4.1", '1'),
        ("ghcr.io/shop/base", "1.3.0", '2'),
        ("ghcr.io/shop/base", "1.2.0", 'c'),
        ("ghcr.io/shop/base", "latest", '1'),
    ] {
        names(&mut story, name, tag, c);
    }
    story.wait(8);
    story
}

/// Goes to the row of this source.
#[track_caller]
fn on(story: &mut Story, path: &str) {
    story.press("g");
    for _ in 0..12 {
        if story.selected().contains(path) {
            return;
        }
        story.press("j");
    }
    panic!("{path} has no row on\n{}", story.screen());
}

#[test]
fn every_way_to_stand_has_its_row_and_what_matters_comes_first() {
    let mut story = known(80, 24);
    story.snapshot("upgrades-80x24");
    let mut story = known(160, 45);
    story.shows("4 of 9 sources behind · 1 could not be asked · 1 finds no tag · 8s ago");
    on(&mut story, "shop/podinfo");
    story.snapshot("upgrades-160x45");
    let mut story = Story::with(fluxscope::app::Settings { ascii: true, ..settings(120, 24) }, world());
    story.press("U");
    assert!(story.screen().is_ascii(), "{}", story.screen());
}

#[test]
fn rows_fill_in_as_their_registries_answer() {
    let mut story = Story::with(settings(120, 30), world());
    story.press("U");
    story.shows("0 of 9 sources behind · asking 9 …");
    story.shows("shop/podinfo");
    story.tell(Message::Tags(upstream("ghcr.io/shop/podinfo"), Ok(page(&["6.9.1", "6.9.4"], true))));
    story.shows("asking 9 …");
    story.hides("6.9.4 patch");
    story.tell(Message::Tags(upstream("ghcr.io/shop/podinfo"), Ok(page(&["7.0.0"], false))));
    story.shows("6.9.4 patch");
    story.shows("1 of 9 sources behind · asking 8 …");
    story.tell(Message::Tags(upstream("ghcr.io/infra/private"), Err(refusal())));
    story.shows("could not ask");
    story.shows("asking 7 … · 1 could not be asked");
}

#[test]
fn a_refusal_stands_in_full_at_the_foot() {
    let mut story = known(100, 30);
    on(&mut story, "infra/private");
    story.shows("could not list tags of ghcr.io/infra/private");
    story.shows("Try: log in to ghcr.io on this machine");
    story.shows("used by ks infra/private ✓ ready");
}

#[test]
fn an_edit_is_shown_exactly_with_who_would_revert_it_and_where_it_belongs() {
    let mut story = known(160, 45);
    on(&mut story, "shop/podinfo");
    story.shows("PATCH ocirepositories.source.toolkit.fluxcd.io/podinfo -n shop  {\"spec\":{\"ref\":{\"semver\":\"7.0.x\"}}}");
    story.shows(
        "ks flux-system/infra would revert a change in the cluster: change it in ocirepo flux-system/fleet, ./infra.",
    );
    story.shows("used by ks shop/podinfo-eu ≈ stale · ks shop/podinfo ✓ ready");
    story.asked();
    story.press("C");
    assert_eq!(story.asked(), [Effect::Copy("spec:\n  ref:\n    semver: '7.0.x'\n".to_owned())]);
    story.shows("copied: spec: ref: semver: '7.0.x'");
    on(&mut story, "shop/fixed");
    story.shows("spec.ref: tag 1.0.0 → 1.2.0");
    story.shows("No label says that something else declares ocirepo shop/fixed.");
}

#[test]
fn a_chart_that_a_release_made_is_changed_in_the_release() {
    let mut story = known(160, 45);
    on(&mut story, "infra/infra-cert");
    story.shows("hr infra/cert spec.chart.spec.version: 1.14.x → 1.16.x");
    story.shows("PATCH helmreleases.helm.toolkit.fluxcd.io/cert -n infra  {\"spec\":{\"chart\":{\"spec\":{\"version\":\"1.16.x\"}}}}");
    story.asked();
    story.press("C");
    assert_eq!(
        story.asked(),
        [Effect::Copy("spec:\n  chart:\n    spec:\n      version: '1.16.x'\n".to_owned())]
    );
}

#[test]
fn whether_a_release_that_was_not_read_is_managed_is_not_known() {
    let mut objects = world();
    objects.retain(|object| object.id().kind != Kind::HelmRelease);
    let chart = objects.iter_mut().find(|object| object.id().kind == Kind::HelmChart);
    if let Some(Object::Source(chart)) = chart {
        for (end, value) in [("name", "cert"), ("namespace", "infra")] {
            chart.meta.labels.insert(format!("helm.toolkit.fluxcd.io/{end}").into(), value.into());
        }
    }
    let mut story = Story::with(settings(140, 30), objects);
    answer_lists(&mut story, |_| Ok(page(&["1.14.4", "1.16.2"], false)));
    story.press("U");
    on(&mut story, "infra/infra-cert");
    story.shows("hr infra/cert was not read: who would revert a change of it is not known.");
}

#[test]
fn what_its_kustomization_was_told_to_leave_alone_can_be_changed_in_the_cluster() {
    let mut objects = world();
    if let Object::Source(podinfo) = &mut objects[0] {
        podinfo.meta.detached = true;
    }
    let mut story = Story::with(settings(160, 45), objects);
    story.tags(&upstream("ghcr.io/shop/podinfo"), ANSWERS[0].1);
    story.press("U");
    on(&mut story, "shop/podinfo");
    story.shows("ks flux-system/infra was told to leave it alone (reconcile: disabled): a change in the cluster stays.");
}

#[test]
fn what_needs_no_edit_says_what_it_takes() {
    let mut story = known(160, 45);
    on(&mut story, "team-a/config");
    story.shows("same tag, new content: suspended, comes when it is resumed");
    story.press("C");
    story.shows("it comes by itself: no edit takes it");
    on(&mut story, "infra/fresh");
    story.shows("up to date");
    story.press("C");
    story.shows("nothing newer is known that an edit would take");
    on(&mut story, "infra/gone");
    story.shows("the registry has no tag 0.9");
}

/// A source pinned to a digest in a repository of 120 versions.
fn pinned(width: u16) -> (Story, Vec<String>) {
    let source = repository("shop/pin", Follows::Digest(digest('c').into()), &digest('c'), ready(60));
    let tags: Vec<String> = (0..120).map(|n| format!("1.{n}.0")).collect();
    let mut story = Story::with(settings(width, 30), vec![Object::Source(source)]);
    let all: Vec<&str> = tags.iter().map(String::as_str).collect();
    story.tags(&upstream("ghcr.io/shop/pin"), &all);
    story.press("U");
    (story, tags)
}

/// Answers the HEADs that were asked until none is asked any more.
fn answer_heads(story: &mut Story, c: impl Fn(&str) -> char) -> usize {
    let mut count = 0;
    loop {
        let asked: Vec<String> = story
            .asked()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::Head { reference, .. } | Effect::Describe { reference, .. } => Some(reference),
                _ => None,
            })
            .collect();
        if asked.is_empty() {
            return count;
        }
        for tag in asked {
            count += 1;
            let c = c(&tag);
            names(story, "ghcr.io/shop/pin", &tag, c);
        }
    }
}

#[test]
fn the_tags_that_may_carry_a_pin_are_asked_only_while_they_are_seen() {
    let (mut story, _) = pinned(120);
    let heads = |story: &mut Story| {
        let head = |effect: &Effect| matches!(effect, Effect::Head { .. });
        story.asked().iter().filter(|effect| head(effect)).count()
    };
    assert_eq!(heads(&mut story), 4, "a few of one host at a time");
    names(&mut story, "ghcr.io/shop/pin", "1.119.0", '1');
    assert_eq!(heads(&mut story), 1);
    story.press("Esc");
    names(&mut story, "ghcr.io/shop/pin", "1.118.0", '1');
    assert_eq!(heads(&mut story), 0, "nobody sees it");
    story.press("U");
    assert_eq!(heads(&mut story), 1);
}

#[test]
fn the_tag_of_a_pin_is_looked_for_among_the_fifty_newest_and_further_on_request() {
    let (mut story, _) = pinned(140);
    story.shows("pinned by digest: looking for its tag, looked at 0 of 120");
    let c = |tag: &str| if tag == "1.30.0" { 'c' } else { '1' };
    assert_eq!(answer_heads(&mut story, c), 50);
    story.shows("none of the newest tags carries it, looked at 50 of 120 (newest 1.119.0)");
    story.shows("looked at 50 of 120 tags: m looks at more");
    story.press("m");
    assert_eq!(answer_heads(&mut story, c), 50);
    story.shows("pinned by digest, which is tag 1.30.0 (newest 1.119.0)");
    story.shows("= 1.30.0");
    story.shows("spec.ref: digest @cccccccc → @11111111");
    story.asked();
    story.press("C");
    let yaml = format!("spec:\n  ref:\n    digest: '{}'\n", digest('1'));
    assert_eq!(story.asked(), [Effect::Copy(yaml)]);
    story.press("m");
    assert_eq!(answer_heads(&mut story, c), 20);
    story.press("m");
    story.shows("all 120 tags were looked at");
}

#[test]
fn the_tag_that_is_written_beside_the_digest_is_looked_at_first() {
    let mut source = repository("shop/pin", Follows::Digest(digest('c').into()), &digest('c'), ready(60));
    if let SourceSpec::Oci(spec) = &mut source.spec {
        spec.ignored_tag = Some("1.0.0".into());
    }
    let mut story = Story::with(settings(140, 30), vec![Object::Source(source)]);
    let tags = ["1.0.0", "edge", "1.2.0", "1.10.0"];
    story.tags(&upstream("ghcr.io/shop/pin"), &tags);
    story.asked();
    story.press("U");
    let asked: Vec<String> = story
        .asked()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Head { reference, .. } => Some(reference),
            _ => None,
        })
        .collect();
    let same = Carriers::candidates(&tags.map(Arc::from), Dialect::Lenient, Some("1.0.0"));
    assert_eq!(asked, same.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(asked, ["1.0.0", "1.10.0", "1.2.0", "edge"]);
}

#[test]
fn a_refusal_stops_the_search_and_the_key_goes_on_with_it() {
    let (mut story, _) = pinned(140);
    story.asked();
    let problem = Problem::new(Cause::RateLimited, "look up 1.119.0", "429 TOOMANYREQUESTS");
    let (about, reference) = (upstream("ghcr.io/shop/pin"), "1.119.0".to_owned());
    story.tell(Message::Headed { upstream: about, reference, answer: Err(problem) });
    for tag in ["1.118.0", "1.117.0", "1.116.0"] {
        names(&mut story, "ghcr.io/shop/pin", tag, '1');
    }
    assert!(story.asked().is_empty(), "after a refusal nothing is asked unasked");
    story.shows("looked at 3 of 120, then: 429 TOOMANYREQUESTS");
    story.shows("looked at 3 of 120 tags: m asks again");
    story.press("m");
    assert_eq!(answer_heads(&mut story, |tag| if tag == "1.100.0" { 'c' } else { '1' }), 47);
    story.shows("which is tag 1.100.0");
    story.hides("429");
}

#[test]
fn a_tag_that_is_gone_carries_nothing_and_does_not_end_the_search() {
    let (mut story, _) = pinned(140);
    let gone = Problem::new(Cause::NotFound, "look up 1.119.0", "404 MANIFEST_UNKNOWN");
    let (about, reference) = (upstream("ghcr.io/shop/pin"), "1.119.0".to_owned());
    story.tell(Message::Headed { upstream: about, reference, answer: Err(gone) });
    answer_heads(&mut story, |_| '1');
    story.shows("looked at 50 of 120 tags: m looks at more");
    story.press("m");
    assert_eq!(answer_heads(&mut story, |_| '1'), 50);
}

#[test]
fn a_pin_to_the_newest_and_one_that_flux_has_not_followed_yet_say_so() {
    let mut source = repository("shop/pin", Follows::Digest(digest('c').into()), &digest('d'), ready(60));
    let mut story = Story::with(settings(140, 30), vec![Object::Source(source.clone())]);
    story.tags(&upstream("ghcr.io/shop/pin"), &["1.0.0", "1.1.0"]);
    story.press("U");
    names(&mut story, "ghcr.io/shop/pin", "1.1.0", 'c');
    names(&mut story, "ghcr.io/shop/pin", "1.0.0", '0');
    story
        .shows("pinned by digest, which is tag 1.1.0, the newest; still runs @dddddddd: reconcile (Shift-R)");
    if let SourceSpec::Oci(spec) = &mut source.spec {
        spec.follows = Follows::Digest("sha256:short".into());
    }
    story.observe(vec![Fact::Changed(Arc::new(Object::Source(source)))]);
    story.shows("Flux takes none: found non-hex character in hash: s");
}

#[test]
fn marked_rows_are_reconciled_through_the_same_dialog() {
    let mut story = known(120, 30);
    on(&mut story, "shop/podinfo");
    story.press("Space");
    on(&mut story, "shop/fixed");
    story.press("Space R");
    story.shows("reconcile 2 objects");
    story.shows("PATCH ocirepositories.source.toolkit.fluxcd.io/podinfo -n shop");
    story.press("Esc");
    story.shows("*shop/podinfo");
    story.press("R Esc : w r i t e Enter R G Enter");
    let sent: Vec<ObjectId> = story
        .asked()
        .into_iter()
        .filter_map(|effect| match effect {
            Effect::Reconcile { plan, .. } => Some(plan.target),
            _ => None,
        })
        .collect();
    let expected = ["shop/fixed", "shop/podinfo"].map(|path| id(Kind::OciRepository, path));
    assert_eq!(sent, expected);
    story.hides("*shop/podinfo");
    story.shows("sending");
}

#[test]
fn where_there_is_no_column_for_it_an_action_is_followed_in_place_of_the_tags() {
    let mut story = known(80, 24);
    on(&mut story, "shop/fixed");
    story.press(": w r i t e Enter R Enter");
    let row = story.selected();
    assert!(row.starts_with("shop/fixed") && row.contains("sending"), "{row}");
}

#[test]
fn rows_are_filtered_by_what_they_say_and_narrowed_to_what_is_behind() {
    let mut story = known(120, 30);
    story.kind("/major");
    story.shows("<1/9>");
    story.shows("shop/podinfo");
    story.press("Enter Esc");
    story.kind("/1.16.2");
    story.shows("<1/9>");
    story.press("Enter Esc ^Z");
    story.shows("<6/9> behind only");
    story.hides("infra/fresh");
    story.hides("shop/base");
    story.kind("/fresh");
    story.press("Enter");
    story.shows("of 9 sources nothing that is behind matches fresh. Esc clears the filter, ^Z shows all.");
    story.press("Esc ^Z");
    story.shows("infra/fresh");
}

#[test]
fn rows_can_be_sorted_by_their_columns() {
    let mut story = known(140, 30);
    let first = |story: &mut Story| story.lines()[2].clone();
    story.press("N");
    assert!(first(&mut story).contains("flux-system/fleet"));
    story.shows("by name");
    story.press("N");
    assert!(first(&mut story).contains("team-a/config"));
    story.shows("by name, reversed");
    story.press("O");
    story.shows("by running");
    story.press("ShiftRight ShiftRight");
    story.shows("by consumers");
    assert!(first(&mut story).contains("shop/podinfo"));
    story.press("S");
    assert!(first(&mut story).contains("infra/private"));
    story.press("?");
    story.shows("sort by what matters: could not ask, no tag found, moved, major");
}

#[test]
fn the_view_is_reached_from_anywhere_and_opens_what_is_selected() {
    let mut story = known(120, 30);
    on(&mut story, "shop/fixed");
    story.press("Enter");
    story.shows("› ocirepo shop/fixed");
    story.press("Esc t");
    story.shows("tags of ghcr.io/shop/fixed");
    story.press("Esc a");
    story.shows("› upgrades › ");
    story.press("Esc Esc");
    story.kind(":ks");
    story.press("Enter");
    story.kind("/podinfo-eu");
    story.press("Enter U");
    assert!(story.selected().contains("shop/podinfo"), "{}", story.selected());
    story.kind(":outdated infra /gone");
    story.press("Enter");
    story.shows("<1/4>");
    story.shows("namespace infra");
    story.press("Esc 0");
    story.shows("4 of 9 behind");
    story.press("-");
    story.hides("of 9 behind");
    story.kind(":upgrades");
    story.press("Enter");
    story.shows("of 9 behind");
    story.press("g Enter");
    story.shows("upgrades › ocirepo infra/private");
    story.press("U");
    story.hides("› ocirepo infra/private");
    story.shows("of 9 behind");
}

#[test]
fn tags_that_were_asked_again_in_vain_stay_with_their_age() {
    let mut story = known(140, 30);
    story.press("^R");
    story.shows("asking 9 …");
    on(&mut story, "shop/podinfo");
    story.shows("6.9.4 patch");
    let problem = Problem::new(Cause::Unreachable, "list tags of ghcr.io/shop/podinfo", "connection refused");
    story.tell(Message::Tags(upstream("ghcr.io/shop/podinfo"), Err(problem)));
    story.shows("6.9.4 patch");
    story.shows("older tags are shown");
    story.shows("connection refused");
}

#[test]
fn a_failing_source_does_not_get_it_by_itself() {
    let failing = status(vec![condition("Ready", ConditionStatus::False, "ReadOperationFailed", "401", 60)]);
    let source = repository("shop/a", semver("1.x"), &held("1.0.0", 'a'), failing);
    let mut story = Story::with(settings(120, 30), vec![Object::Source(source)]);
    story.tags(&upstream("ghcr.io/shop/a"), &["1.0.0", "1.1.0"]);
    story.press("U");
    story.shows("failing: comes when that is mended");
    story.shows("used by nothing that is watched");
}

#[test]
fn a_range_that_flux_cannot_read_or_that_holds_nothing_is_said_in_its_words() {
    let one = repository("shop/a", semver("one.two"), &held("1.0.0", 'a'), ready(60));
    let two = repository("shop/b", semver("9.x"), &held("1.0.0", 'a'), ready(60));
    let mut story = Story::with(settings(140, 30), vec![Object::Source(one), Object::Source(two)]);
    story.tags(&upstream("ghcr.io/shop/a"), &["1.0.0"]);
    story.tags(&upstream("ghcr.io/shop/b"), &["1.0.0", "2.0.0"]);
    story.press("U");
    story.shows("Flux takes none: semver 'one.two' parse error: improper constraint: \"one.two\"");
    story.shows("Flux takes none: no match found for semver: 9.x");
    on(&mut story, "shop/b");
    story.shows("spec.ref: semver 9.x → 2.x");
}

#[test]
fn where_nothing_follows_a_registry_or_nothing_is_behind_it_is_said() {
    let mut story = Story::with(settings(100, 24), vec![]);
    story.press("U");
    story.shows("No source follows a registry: an OCIRepository does, and a HelmChart");
    let fresh = repository("infra/fresh", semver(">=1.0.0"), &held("2.0.0", 'd'), ready(60));
    let mut story = Story::with(settings(100, 24), vec![Object::Source(fresh)]);
    story.press("U ^Z");
    story.shows("nothing is behind so far, 1 still asked. ^Z shows all 1.");
    story.tags(&upstream("ghcr.io/infra/fresh"), &["1.0.0", "2.0.0"]);
    story.shows("0 of 1 source behind");
    story.shows("nothing is behind: ^Z shows all 1 source.");
    story.press("^Z");
    story.shows("up to date");
}

#[test]
fn without_a_cluster_or_without_rights_it_says_why_there_is_nothing() {
    let mut story = Story::begin(settings(100, 24));
    story.press("U");
    story.shows("connecting to the cluster");
    let problem = Problem::new(Cause::Unreachable, "reach the cluster prod-eu", "connection refused");
    story.tell(Message::Connected(Err(problem)));
    story.shows("could not reach the cluster prod-eu");
    let mut story = known(120, 30);
    let problem = Problem::new(Cause::Forbidden, "list kustomizations", "403: needs list");
    story.observe(vec![Fact::Refused { feed: feed(Kind::Kustomization), problem }]);
    story.shows("Kustomization not shown: could not list kustomizations");
    on(&mut story, "shop/podinfo");
    story.shows("not read");
    story.shows("used by nothing that was read (Kustomizations could not be read)");
}

#[test]
fn texts_from_outside_act_on_no_terminal() {
    let mut odd = repository("shop/odd", semver("1.x"), &held("1.0.0", 'a'), ready(60));
    if let SourceSpec::Oci(spec) = &mut odd.spec {
        spec.semver_filter = Some("\u{1b}[2J(".into());
    }
    let mut story = Story::with(settings(140, 30), vec![Object::Source(odd)]);
    story.tags(&upstream("ghcr.io/shop/odd"), &["1.0.0", "9.9.9\u{1b}[2J"]);
    story.press("U");
    let screen = story.screen();
    assert!(!screen.contains('\u{1b}') && screen.contains("\\x1b[2J"), "{screen}");
}

#[test]
fn ten_thousand_sources_are_arranged_moved_over_and_filtered() {
    let sources = (0..10_000).map(|n| {
        let path = format!("team-{:02}/app-{n:04}", n % 50);
        let mut source = repository(&path, semver("1.x"), &held("1.0.0", 'a'), ready(60));
        if let SourceSpec::Oci(spec) = &mut source.spec {
            let name = format!("ghcr.io/acme/app-{}", n % 20);
            spec.repository = fluxscope::domain::repository::Repository::parse_name(&name);
        }
        Object::Source(source)
    });
    let mut story = Story::with(settings(160, 45), sources.collect());
    story.press("U");
    let started = Instant::now();
    answer_lists(&mut story, |_| Ok(page(&["1.0.0", "1.1.0", "2.0.0"], false)));
    println!("20 answers for 10,000 sources in {:?}", started.elapsed());
    let arranged = story.app.arrangements();
    story.shows("10000 of 10000 sources behind");
    let started = Instant::now();
    story.press("j j j j j j j j j j");
    println!("10 moves in {:?}", started.elapsed());
    assert_eq!(story.app.arrangements(), arranged, "a move arranges nothing");
    let started = Instant::now();
    story.kind("/app-0042");
    println!("9 letters in {:?}", started.elapsed());
    story.shows("<1/10000>");
    story.press("Enter Esc G");
    assert!(story.selected().contains("app-9999"), "{}", story.selected());
}
