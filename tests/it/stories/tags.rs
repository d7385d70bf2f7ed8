//! The tags of a repository beside the cluster.

use crate::story::{
    Story, consumer, digest, id, page, ready, repository, settings, shop, shop_with_tags, upstream,
};
use fluxscope::{
    app::{Settings, Start, effect::Effect, message::Message},
    domain::{
        artifact::{Details, Manifest},
        digest::Digest,
        fact::Object,
        identity::Kind,
        problem::{Cause, Problem},
        source::{Follows, HELM_CHART_LAYER, SourceSpec},
    },
};
use std::collections::BTreeMap;

#[test]
fn tags_newest_first_with_the_running_one_marked() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut story = shop_with_tags(settings(width, height));
        story.press("j t");
        story.snapshot(&format!("tags-{width}x{height}"));
        story.shows("● 6.9.1");
        let lines = story.lines();
        let row = |tag: &str| lines.iter().position(|line| line.contains(tag)).unwrap();
        assert!(row(" 7.0.0-rc.1") < row(" 6.9.4") && row(" 6.9.0") < row(" latest"));
        assert!(lines[row("● 6.9.1")].contains("ks shop/podinfo and 1 more"));
    }
}

#[test]
fn pages_stream_in_and_what_is_asked_is_told() {
    let mut story = Story::with(settings(100, 24), shop());
    story.press("j t");
    story.wait(2);
    story.shows("asking ghcr.io … 2s");
    let about = upstream("ghcr.io/shop/podinfo");
    story.tell(Message::Tags(about.clone(), Ok(page(&["1.0.0"], true))));
    story.shows("1.0.0");
    story.shows("1 tag ·");
    story.tell(Message::Tags(about, Ok(page(&["1.1.0"], false))));
    story.shows("2 tags");
    story.hides("asking");
}

#[test]
fn signatures_and_invalid_names_are_counted_and_not_shown() {
    let mut story = Story::with(settings(120, 24), shop());
    story.press("j t");
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    let mut answer = page(&["1.0.0", &signature], false);
    answer.invalid = vec!["../../etc".to_owned()];
    story.tell(Message::Tags(upstream("ghcr.io/shop/podinfo"), Ok(answer)));
    story.shows("1 signature hidden · 1 invalid name hidden");
    story.hides("sha256-");
}

#[test]
fn a_problem_stands_where_the_tags_would_and_older_tags_stay() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j t ^R");
    let about = upstream("ghcr.io/shop/podinfo");
    assert!(story.asked().contains(&Effect::ListTags(about.clone())));
    let problem =
        Problem::new(Cause::RateLimited, "list tags of ghcr.io/shop/podinfo", "429 TOOMANYREQUESTS");
    story.tell(Message::Tags(about, Err(problem)));
    story.shows("429 TOOMANYREQUESTS");
    story.shows("6.9.4");
}

#[test]
fn what_a_tag_is_is_asked_on_demand_and_once() {
    let mut story = shop_with_tags(settings(120, 24));
    story.press("j t j");
    assert!(!story.asked().iter().any(|e| matches!(e, Effect::Describe { .. })));
    story.press("Enter Enter");
    let about = upstream("ghcr.io/shop/podinfo");
    assert_eq!(story.asked(), [Effect::Describe { upstream: about.clone(), reference: "6.9.4".to_owned() }]);
    let manifest = Manifest {
        digest: Digest::parse(&crate::story::digest('d')).unwrap(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size: 500,
        config: None,
        layers: vec![],
        children: vec![],
        annotations: BTreeMap::from([(
            "org.opencontainers.image.created".into(),
            "2026-11-16T11:06:40Z".into(),
        )]),
    };
    story.tell(Message::Described {
        upstream: about,
        reference: "6.9.4".to_owned(),
        answer: Ok(details(manifest)),
    });
    story.shows("dddddddd");
    story.shows("2d");
    story.press("C c");
    assert_eq!(
        story.asked(),
        [
            Effect::Copy("fluxscope tags oci://ghcr.io/shop/podinfo".to_owned()),
            Effect::Copy("6.9.4".to_owned())
        ]
    );
}

fn details(manifest: Manifest) -> Details {
    let created = manifest.created().map(Into::into);
    Details { manifest, created }
}

fn details_of(digest: &str) -> Details {
    details(manifest(digest))
}

fn manifest(digest: &str) -> Manifest {
    Manifest {
        digest: Digest::parse(digest).unwrap(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size: 500,
        config: None,
        layers: vec![],
        children: vec![],
        annotations: BTreeMap::new(),
    }
}

#[test]
fn a_tag_that_was_moved_is_not_said_to_run() {
    for (digest, marked) in [('a', true), ('d', false)] {
        let mut story = shop_with_tags(settings(160, 45));
        story.press("j t j j j");
        story.shows("● 6.9.1");
        story.shows("running in ks shop/podinfo, ks shop/podinfo-eu (by the name of the tag)");
        story.press("Enter");
        let answer = Ok(details_of(&crate::story::digest(digest)));
        let about = upstream("ghcr.io/shop/podinfo");
        story.tell(Message::Described { upstream: about, reference: "6.9.1".to_owned(), answer });
        if marked {
            story.shows("● 6.9.1");
            story.shows("running in ks shop/podinfo, ks shop/podinfo-eu");
            story.hides("by the name of the tag");
        } else {
            story.hides("●");
            story.hides("running in");
            story.shows("ks shop/podinfo-eu runs aaaaaaaa; the tag has moved");
            story.press("Esc");
            story.hides("●");
        }
    }
}

#[test]
fn a_release_of_a_moved_chart_is_told_by_the_digest_behind_its_version() {
    let mut story = shop_with_tags(settings(120, 24));
    story.press("G t j Enter");
    let answer = Ok(details_of(&crate::story::digest('d')));
    let about = upstream("ghcr.io/shop/podinfo-chart");
    story.tell(Message::Described { upstream: about, reference: "6.9.4".to_owned(), answer });
    story.shows("hr shop/podinfo runs 44444444; the tag has moved");
    story.hides("●");
}

#[test]
fn the_pane_says_why_there_are_no_tags_and_nothing_without_a_row() {
    let mut odd = crate::story::repository(
        "shop/odd",
        fluxscope::domain::source::Follows::Latest,
        "",
        crate::story::ready(1),
    );
    if let fluxscope::domain::source::SourceSpec::Oci(spec) = &mut odd.spec {
        spec.repository = fluxscope::domain::repository::Repository::parse_url("oci://ghcr.io/Shop/odd:1.0");
    }
    let objects = vec![fluxscope::domain::fact::Object::Source(odd)];
    let mut story = Story::with(settings(160, 45), objects);
    story.shows("its url is not one that Flux");
    story.hides("no OCI repository with tags");
    Story::with(settings(160, 45), vec![]).hides("no OCI repository with tags");
}

#[test]
fn the_program_starts_on_the_tags_of_an_address_without_a_cluster() {
    let about = upstream("ghcr.io/acme/fleet");
    let mut story = Story::begin(Settings { start: Start::Tags(about.clone()), ..settings(100, 24) });
    assert!(story.asked().contains(&Effect::ListTags(about.clone())));
    let problem = Problem::new(Cause::Usage, "read the kubeconfig", "no such file");
    story.tell(Message::Connected(Err(problem)));
    story.tags(&about, &["1.0.0"]);
    story.shows("1.0.0");
    story.press("R");
    story.shows("no object: the repository was opened by its address");
    story.press("Esc");
    story.shows("could not read the kubeconfig");
}

#[test]
fn leaving_a_slow_repository_gives_up_asking() {
    let about = upstream("ghcr.io/acme/slow");
    let mut story = Story::begin(Settings { start: Start::Tags(about.clone()), ..settings(100, 24) });
    story.asked();
    story.press("Esc");
    assert_eq!(story.asked(), [Effect::StopTags(about)]);
}

#[test]
fn a_source_that_is_pinned_to_a_digest_says_so() {
    use fluxscope::domain::{fact::Object, source::Follows};
    let digest = crate::story::digest('6');
    let pinned = crate::story::repository(
        "shop/pin",
        Follows::Digest(digest.as_str().into()),
        &digest,
        crate::story::ready(1),
    );
    let mut story = Story::with(settings(100, 24), vec![Object::Source(pinned)]);
    story.press("t");
    story.shows("pinned to @66666666");
}

#[test]
fn tags_are_filtered_by_their_text() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j t");
    story.kind("/!rc ^[67]");
    story.shows("<4/6>");
    story.hides("7.0.0-rc.1");
}

#[test]
fn beside_a_wide_board_stand_the_tags_of_the_selected_row() {
    let mut story = shop_with_tags(settings(160, 45));
    story.press("j j");
    story.shows("│ ghcr.io/shop/podinfo");
    story.shows("● 6.9.1  2 consumers");
    story.press("^W");
    story.hides("│ ghcr.io/shop/podinfo");
}

#[test]
fn the_tags_of_a_chart_are_read_as_versions_of_a_chart() {
    let held = format!("1.0.0_a@{}", digest('a'));
    let mut charts = repository("shop/app", Follows::Semver("*".into()), &held, ready(60));
    if let SourceSpec::Oci(spec) = &mut charts.spec {
        spec.layer.media_type = Some(HELM_CHART_LAYER.into());
    }
    let takes = Some(id(Kind::OciRepository, "shop/app"));
    let release = consumer(Kind::HelmRelease, "shop/app", takes, "1.0.0+a", ready(60));
    let mut story = Story::with(settings(160, 45), vec![Object::Source(charts), Object::Consumer(release)]);
    story.tags(&upstream("ghcr.io/shop/app"), &["0.9.0", "1.0.0_a", "1.1.0_b", "latest"]);
    let lines = story.lines();
    assert!(lines.iter().any(|line| line.contains("1.1.0_b ↑")), "{}", lines.join("\n"));
    story.shows("4 tags · 3 versions");
    story.shows("● 1.0.0_a  hr shop/app");
}
