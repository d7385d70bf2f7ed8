//! The tags of a repository beside the cluster.

use crate::story::{
    Story, consumer, digest, id, page, ready, repository, settings, shop, shop_with_tags, source, upstream,
};
use fluxscope::{
    app::{Settings, Start, effect::Effect, message::Message},
    domain::{
        artifact::{Details, Manifest},
        digest::Digest,
        fact::Object,
        identity::Kind,
        problem::{Cause, Problem},
        repository::Upstream,
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
        assert!(row(" 7.0.0-rc.1") < row("▸ 6.9.4") && row(" 6.9.0") < row(" latest"));
        assert!(lines[row("● 6.9.1")].contains("running, 2 consumers"));
        assert!(lines[row("▸ 6.9.4")].contains("would be picked"));
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
    story.hides("asking ghcr.io … 2s");
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
fn what_a_tag_is_is_asked_when_it_can_be_seen_and_once() {
    let mut story = shop_with_tags(settings(120, 24));
    story.press("j");
    story.asked();
    story.press("t");
    let about = upstream("ghcr.io/shop/podinfo");
    // three are under way already: what the running tags name
    assert_eq!(
        described(story.asked()),
        ["7.0.0-rc.1"],
        "four at a time, the selected one before the others"
    );
    story.tell(Message::Described {
        upstream: about.clone(),
        reference: "7.0.0-rc.1".to_owned(),
        answer: Ok(details(manifest(&digest('c')))),
    });
    assert_eq!(described(story.asked()), ["6.9.4"], "then what would be picked");
    story.press("j");
    story.press("Enter Enter");
    assert_eq!(story.asked(), [], "it is on its way");
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
    assert_eq!(described(story.asked()), ["6.9.2"], "the next one that can be seen");
    story.press("C c");
    assert_eq!(
        story.asked(),
        [
            Effect::Copy("fluxscope tags oci://ghcr.io/shop/podinfo".to_owned()),
            Effect::Copy("6.9.4".to_owned())
        ]
    );
}

fn described(effects: Vec<Effect>) -> Vec<String> {
    let references = effects.into_iter().filter_map(|effect| match effect {
        Effect::Describe { reference, .. } => Some(reference),
        _ => None,
    });
    references.collect()
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

/// What a tag names, and when it was made.
fn tell(story: &mut Story, about: &Upstream, tag: &str, digest: char, created: &str) {
    let mut manifest = manifest(&crate::story::digest(digest));
    if !created.is_empty() {
        manifest.annotations.insert("org.opencontainers.image.created".into(), created.into());
    }
    let answer = Ok(details(manifest));
    story.tell(Message::Described { upstream: about.clone(), reference: tag.to_owned(), answer });
}

/// The tags of a source that follows this range and holds this revision.
fn following(range: &str, held: &str, tags: &[&str], settings: Settings) -> Story {
    let source = repository("shop/app", Follows::Semver(range.into()), held, ready(60));
    let mut story = Story::with(settings, vec![Object::Source(source)]);
    story.tags(&app(), tags);
    story.press("t");
    story
}

fn app() -> Upstream {
    upstream("ghcr.io/shop/app")
}

/// The line of a tag.
#[track_caller]
fn row(story: &mut Story, tag: &str) -> String {
    let lines = story.lines();
    let words = |line: &&String| {
        let line = line.trim_start_matches([' ', '●', '▸']);
        line.split_whitespace().next() == Some(tag) && !line.contains(&format!("{tag} is "))
    };
    lines.iter().find(words).unwrap_or_else(|| panic!("no row of {tag} in\n{}", lines.join("\n"))).clone()
}

#[test]
fn every_tag_has_a_verdict_and_the_selected_one_its_reason() {
    let held = format!("6.9.1@{}", digest('a'));
    let tags = ["1.2", "6.9.0", "6.9.1", "6.9.4", "6.9.5-rc.1", "7.0.0", "7.0.1-rc.1", "latest"];
    let mut story = following("6.9.x", &held, &tags, settings(100, 30));
    story.shows("8 tags · 6 versions · 3 in range · listed 0s ago · 1 request");
    story.shows("follows semver 6.9.x; takes 6.9.4; 6.9.1@aaaaaaaa is stored");
    for (tag, words) in [
        ("7.0.0", ["out-of-range", "not 6.9.x", "MAJOR"]),
        ("7.0.1-rc.1", ["out-of-range", "not 6.9.x", ""]),
        ("6.9.5-rc.1", ["pre-release", "6.9.x names no pre-release", ""]),
        ("6.9.4", ["chosen", "would be picked", "PATCH"]),
        ("6.9.1", ["in-range", "running, ocirepo shop/app (stored)", ""]),
        ("1.2", ["not-a-version", "needs x.y.z", ""]),
    ] {
        let line = row(&mut story, tag);
        assert!(words.iter().all(|word| line.contains(word)), "{line}");
    }
    assert!(!row(&mut story, "7.0.1-rc.1").contains("MAJOR"), "no pre-release is running");
    story.shows("7.0.1-rc.1 is out-of-range: 7.0.1-rc.1 does not satisfy 6.9.x");
    story.press("j j j");
    story.shows("6.9.4 is chosen: highest of 3 in range");
}

#[test]
fn the_same_content_is_seen_by_its_digest() {
    let held = format!("1.0.0@{}", digest('a'));
    let mut story = following("1.x", &held, &["1.0.0", "1.1.0", "latest"], settings(120, 24));
    tell(&mut story, &app(), "1.1.0", 'b', "2026-11-16T11:06:40Z");
    tell(&mut story, &app(), "latest", 'b', "2026-11-16T11:06:40Z");
    assert!(row(&mut story, "latest").contains("same content as 1.1.0"));
    assert!(row(&mut story, "1.1.0").contains("would be picked; same content as latest"));
    assert!(row(&mut story, "1.1.0").contains("2d"));
}

#[test]
fn the_winner_is_named_when_all_tags_are_known() {
    let source = repository("shop/app", Follows::Semver("1.x".into()), "", ready(60));
    let mut story = Story::with(settings(100, 24), vec![Object::Source(source)]);
    story.press("t");
    story.tell(Message::Tags(app(), Ok(page(&["1.0.0", "1.1.0"], true))));
    story.shows("what it takes is known once all tags are; nothing is stored");
    story.hides("chosen");
    story.tell(Message::Tags(app(), Ok(page(&["1.2.0"], false))));
    assert!(row(&mut story, "1.2.0").contains("chosen"));
    story.press("^R");
    let mut cut = page(&["1.0.0"], false);
    cut.cut = Some("only the first 1 tags were read".to_owned());
    story.tell(Message::Tags(app(), Ok(cut)));
    story.shows("only the first 1 tags were read");
    story.hides("chosen");
}

#[test]
fn tags_that_tie_are_named_and_the_first_in_the_registry_s_order_wins() {
    let mut story = following("1.x", "", &["1.0.0", "1.2.0", "v1.2.0"], settings(120, 24));
    story.shows("takes 1.2.0; nothing is stored; ties with v1.2.0: which is taken is not defined");
    assert!(row(&mut story, "1.2.0").contains("would be picked; ties with v1.2.0"));
    assert!(row(&mut story, "v1.2.0").contains("ties with 1.2.0"));
    story.shows("as high: v1.2.0; which of them is taken is not defined");
    story.press("j");
    story.shows("v1.2.0 is in-range: as high as 1.2.0: which of them is taken is not defined");
}

#[test]
fn what_is_hidden_can_be_shown_and_is_never_asked_for() {
    let mut story = Story::with(settings(120, 24), shop());
    story.press("j t");
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    let mut answer = page(&["1.0.0", &signature], false);
    answer.invalid = vec!["../\u{202e}gpj\u{1b}[2J".to_owned()];
    story.tell(Message::Tags(upstream("ghcr.io/shop/podinfo"), Ok(answer)));
    story.asked();
    story.press("v");
    story.shows("out-of-range <1/1>");
    story.press("v");
    story.shows(" signature <1/2>");
    story.shows("made by a signing tool");
    assert_eq!(described(story.asked()), [signature]);
    story.press("v");
    story.shows(" invalid <1/2>");
    story.shows("../\\u{202e}gpj\\x1b[2J");
    story.press("c Enter");
    story.shows("it is not a valid tag");
    assert_eq!(story.asked(), []);
    story.press("v");
    story.hides("made by a signing tool");
    story.shows("1.0.0");
}

#[test]
fn a_repository_of_signatures_only_says_so() {
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    let mut story = following("1.x", "", &[&signature], settings(100, 24));
    story.shows("this repository holds signatures only: 1 signature and no tag that a source could follow.");
    story.shows("takes nothing: no match found for semver: 1.x");
    story.press("v");
    story.shows("sha256-aaaa");
}

/// What can be seen changes with every page, and questions about it would only keep the next page waiting.
#[test]
fn nothing_is_asked_of_a_tag_before_the_first_list_is_whole() {
    let mut story = Story::with(settings(100, 24), shop());
    story.press("j t");
    let about = upstream("ghcr.io/shop/podinfo");
    story.tell(Message::Tags(about.clone(), Ok(page(&["6.9.0", "6.9.1"], true))));
    assert_eq!(described(story.asked()), <Vec<String>>::new());
    story.tell(Message::Tags(about, Ok(page(&["6.9.4"], false))));
    assert!(described(story.asked()).contains(&"6.9.4".to_owned()));
}

#[test]
fn a_registry_that_refuses_shows_what_is_known_and_why_not_more() {
    let held = format!("1.0.0@{}", digest('a'));
    let tags = ["1.0.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"];
    let mut story = following("1.x", &held, &tags, settings(100, 24));
    tell(&mut story, &app(), "1.0.0", 'a', "");
    story.asked();
    let problem = Problem::new(Cause::RateLimited, "read 1.5.0", "429 TOOMANYREQUESTS");
    story.tell(Message::Described { upstream: app(), reference: "1.5.0".to_owned(), answer: Err(problem) });
    story.shows("no more digests are asked: could not read 1.5.0: 429 TOOMANYREQUESTS; ^R asks again");
    assert!(row(&mut story, "1.0.0").contains("aaaaaaaa"));
    assert!(row(&mut story, "1.5.0").contains("unknown"));
    assert_eq!(described(story.asked()), <Vec<String>>::new(), "it is left alone");
    story.press("^R");
    assert!(row(&mut story, "1.0.0").contains("aaaaaaaa"), "until the new answer is here");
    let asked = story.asked();
    assert!(asked.contains(&Effect::ListTags(app())));
    let question = Effect::Head { upstream: app(), reference: "1.0.0".to_owned() };
    assert!(asked.contains(&question), "one HEAD for what is known: {asked:?}");
}

#[test]
fn a_moved_tag_says_what_is_stored() {
    let held = format!("1.0.0@{}", digest('a'));
    let mut story = following("1.x", &held, &["0.9.0", "1.0.0"], settings(120, 24));
    story.shows("takes 1.0.0, which is stored");
    tell(&mut story, &app(), "1.0.0", 'd', "");
    story.shows("takes 1.0.0; it was moved: 1.0.0@aaaaaaaa is stored");
    assert!(row(&mut story, "1.0.0").contains("moved, aaaaaaaa is running"));
    story.shows("moved: the source stored aaaaaaaa under this tag, which names something else now");
}

#[test]
fn rows_are_sorted_by_name_by_age_and_by_verdict() {
    let mut story = following("1.x", "", &["1.0.0", "1.10.0", "1.9.0", "2.0.0"], settings(140, 24));
    let order = |story: &mut Story| {
        let lines = story.lines();
        let tags = lines.iter().filter_map(|line| {
            line.split_whitespace().take(2).find(|word| word.starts_with(['1', '2']) && word.ends_with(".0"))
        });
        tags.map(str::to_owned).collect::<Vec<String>>().join(" ")
    };
    assert!(order(&mut story).starts_with("2.0.0 1.10.0 1.9.0 1.0.0"));
    story.press("N");
    story.shows(" by name");
    assert!(order(&mut story).starts_with("1.0.0 1.10.0 1.9.0 2.0.0"));
    story.press("S");
    assert!(order(&mut story).starts_with("1.10.0 1.9.0 1.0.0 2.0.0"));
    tell(&mut story, &app(), "1.9.0", 'a', "2026-11-16T11:06:40Z");
    tell(&mut story, &app(), "1.0.0", 'b', "2026-11-17T11:06:40Z");
    story.press("A");
    story.shows("the age of 2 is known");
    assert!(order(&mut story).starts_with("1.0.0 1.9.0 2.0.0 1.10.0"), "{}", order(&mut story));
    story.press("A");
    assert!(order(&mut story).starts_with("1.9.0 1.0.0 2.0.0 1.10.0"), "{}", order(&mut story));
    story.press("O");
    assert!(order(&mut story).starts_with("2.0.0 1.10.0 1.9.0 1.0.0"));
}

#[test]
fn ten_thousand_tags_are_judged_once_per_change_and_asked_where_they_are_seen() {
    let tags: Vec<String> = (0..10_000).map(|n| format!("1.{}.{}", n / 100, n % 100)).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let started = std::time::Instant::now();
    let mut story = following(">=1.2.0", "", &tags, settings(160, 45));
    println!("opened in {:?}", started.elapsed());
    story.shows("10000 tags · 10000 versions · 9800 in range");
    assert_eq!(described(story.asked()).len(), 4);
    let started = std::time::Instant::now();
    story.press("= ^U");
    story.kind(">=1.50.0 <1.60");
    println!("16 keys of a what-if in {:?}", started.elapsed());
    story.shows("takes 1.59.99 instead of 1.99.99 (minor, down)");
    story.shows("1000 in range, 8800 fewer");
    story.press("Enter G");
    assert!(story.selected().starts_with("1.0.0"), "{}", story.selected());
    tell(&mut story, &app(), "1.99.99", 'a', "");
    let asked = described(story.asked());
    assert!(asked.iter().all(|tag| tag.starts_with("1.0.") || tag.starts_with("1.59.")), "{asked:?}");
}

#[test]
fn a_what_if_moves_the_winner_and_all_verdicts_as_it_is_typed() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut story = shop_with_tags(settings(width, height));
        story.press("j t =");
        story.shows("takes 6.9.4, as today");
        story.shows("4 in range, as many as today");
        story.press("^U");
        story.kind(">=6.9.0-0");
        story.shows("takes 7.0.0-rc.1 instead of 6.9.4 (major)");
        story.shows("5 in range, 1 more");
        assert!(row(&mut story, "7.0.0-rc.1").contains("chosen"));
        story.press("Tab");
        story.kind("^6");
        story.shows("takes 6.9.4, as today");
        assert!(row(&mut story, "7.0.0-rc.1").contains("filtered-out"));
        story.press("Tab Left Backspace");
        story.snapshot(&format!("what-if-{width}x{height}"));
        // the keys go back to the table, and the what-if stays
        story.press("Enter j j");
        assert!(story.selected().contains("6.9.2"), "{}", story.selected());
        story.press("=");
        story.kind("1");
        story.shows(">=6.9.010");
        story.press("Esc");
        story.hides("what if  range");
        story.shows("follows semver 6.9.x; takes 6.9.4");
        story.shows("tags of ghcr.io/shop/podinfo");
    }
}

#[test]
fn escape_leaves_the_what_if_before_the_screen() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j t = Enter Esc");
    story.hides("what if  range");
    story.shows("tags of");
    story.press("Esc");
    story.hides("tags of");
}

#[test]
fn what_cannot_be_read_says_so_in_flux_s_words_with_a_caret_where_it_breaks() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j t = ^U");
    story.kind(">=6.9.0 <abc");
    let lines = story.lines();
    let at = lines.iter().position(|line| line.contains("what if  range")).unwrap();
    assert_eq!(lines[at].find("abc"), lines[at + 1].find('^'), "{}", lines.join("\n"));
    story.shows("semver '>=6.9.0 <abc' parse error: improper constraint: \">=6.9.0 <abc\"");
    assert!(row(&mut story, "6.9.4").contains("not-judged"));
    story.press("C");
    story.press("^U");
    story.kind("6.x");
    story.press("Tab");
    story.kind("^v?[0-9");
    let lines = story.lines();
    let at = lines.iter().position(|line| line.contains("what if  range")).unwrap();
    assert_eq!(lines[at].find("[0-9"), lines[at + 1].find('^'), "{}", lines.join("\n"));
    story.shows("error parsing regexp: missing closing ]: `[0-9`");
    story.press("Enter C");
    story.shows("not copied: error parsing regexp");
    assert!(!story.asked().iter().any(|effect| matches!(effect, Effect::Copy(_))));
}

#[test]
fn a_filter_that_cannot_be_evaluated_here_is_not_called_a_mismatch() {
    let mut source = repository("shop/app", Follows::Semver("1.x".into()), "", ready(60));
    if let SourceSpec::Oci(spec) = &mut source.spec {
        spec.semver_filter = Some(("(a".repeat(400) + &")".repeat(400)).into());
    }
    let mut story = Story::with(settings(100, 24), vec![Object::Source(source)]);
    story.tags(&app(), &["1.0.0"]);
    story.press("t");
    story.shows("the pattern cannot be evaluated here: its groups nest too deeply");
    assert!(row(&mut story, "1.0.0").contains("not-judged"));
    story.press("=");
    story.shows("the pattern cannot be evaluated here: its groups nest too deeply");
    story.hides("takes nothing");
}

#[test]
fn the_yaml_of_a_what_if_is_copied_as_texts() {
    let copied = |story: &mut Story| {
        let found = story.asked().into_iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text),
            _ => None,
        });
        found.unwrap_or_default()
    };
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j t = ^U Enter C");
    story.shows("not copied: no range is typed");
    story.press("= ^U");
    story.tell(Message::Pasted(">=6.9.0 <8\u{202e}\n  tag: evil".to_owned()));
    story.press("Tab");
    story.kind(r"^\d'#: ");
    story.press("Enter");
    story.shows("Shift-C copies spec.ref");
    story.asked();
    story.press("C");
    let yaml = copied(&mut story);
    assert_eq!(yaml, "ref:\n  semver: '>=6.9.0 <8'\n  semverFilter: '^\\d''#: '\n");
    let read: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(read["ref"]["semver"], ">=6.9.0 <8");
    assert_eq!(read["ref"]["semverFilter"], r"^\d'#: ");
    story.shows("copied: ref:");
}

#[test]
fn a_what_if_reads_tags_as_the_source_does() {
    let charts = |path: &str| {
        let mut source = repository(path, Follows::Semver("1.x".into()), "", ready(60));
        if let SourceSpec::Oci(spec) = &mut source.spec {
            spec.layer.media_type = Some(HELM_CHART_LAYER.into());
        }
        source
    };
    let mut story = Story::with(settings(100, 24), vec![Object::Source(charts("shop/app"))]);
    story.tags(&app(), &["1.0.0_a", "2.0.0_b"]);
    story.press("t = ^U");
    story.kind("2.x");
    story.shows("takes 2.0.0_b instead of 1.0.0_a (major)");
    let mut plain = following("1.x", "", &["1.0.0_a", "2.0.0_b"], settings(100, 24));
    plain.shows("takes nothing: no match found for semver: 1.x");
    plain.press("= ^U");
    plain.kind("2.x");
    plain.shows("takes nothing: no match found for semver: 2.x");
}

#[test]
fn tags_of_an_address_are_listed_without_a_cluster_and_judged_once_a_range_is_typed() {
    let mut story = Story::begin(settings(100, 24));
    let problem = Problem::new(Cause::Unreachable, "reach the cluster", "connection refused");
    story.tell(Message::Connected(Err(problem)));
    story.kind(":tags oci://ghcr.io/shop/app");
    story.press("Enter");
    assert!(story.asked().contains(&Effect::ListTags(app())));
    story.tags(&app(), &["1.0.0", "2.0.0"]);
    story.shows("no source decides here; = tries a range and a filter on these tags");
    assert!(row(&mut story, "1.0.0").contains("not-judged"));
    story.press("=");
    story.kind("1.x");
    story.shows("takes 1.0.0");
    assert!(row(&mut story, "1.0.0").contains("chosen"));
    story.press("^R");
    story.shows("what if  range  1.x");
}

#[test]
fn before_a_range_is_typed_the_what_if_says_what_is_missing() {
    let mut story = Story::begin(settings(100, 24));
    story.kind(":tags oci://ghcr.io/shop/app");
    story.press("Enter");
    story.tags(&app(), &["1.0.0", "2.0.0"]);
    story.press("=");
    story.shows("nothing is taken yet: type a range");
    story.press("Tab");
    story.kind("[");
    story.shows("the filter plays no part: it counts beside a range only");
    story.press("Tab");
    story.kind("1.x");
    story.hides("plays no part");
    story.shows("error parsing regexp: missing closing ]");
}

#[test]
fn a_paste_ends_at_its_first_line_break_whatever_the_terminal_writes_for_one() {
    for pasted in ["2.x\n  semverFilter: x", "2.x\r  semverFilter: x", "2.x\r\n  semverFilter: x"] {
        let mut story = following("1.x", "1.0.0", &["1.0.0", "2.0.0"], settings(100, 24));
        story.press("= ^U");
        story.tell(Message::Pasted(pasted.to_owned()));
        story.shows("takes 2.0.0 instead of 1.0.0 (major)");
    }
}

#[test]
fn without_an_answer_a_named_tag_is_told_and_no_verdict_is_offered() {
    let source = repository("shop/app", Follows::Tag("3.2.0".into()), "3.2.0", ready(60));
    let mut story = Story::with(settings(100, 24), vec![Object::Source(source)]);
    let problem = Problem::new(Cause::Unreachable, "list tags of ghcr.io/shop/app", "no such host");
    story.tell(Message::Tags(app(), Err(problem)));
    story.press("t v");
    story.shows("there are no tags");
    story.press("=");
    story.shows("takes 3.2.0, as today");
    story.hides("not listed");
    story.press("Enter ^R");
    story.tags(&app(), &["1.0.0"]);
    story.shows("takes 3.2.0, as today; that tag is not listed");
}

#[test]
fn the_selected_tag_says_when_it_was_made_though_only_its_config_does() {
    let mut story = following("1.x", "1.0.0", &["1.0.0"], settings(100, 24));
    let answer =
        Details { created: Some("2026-01-02T03:04:05Z".into()), ..details_of(&crate::story::digest('a')) };
    story.tell(Message::Described { upstream: app(), reference: "1.0.0".to_owned(), answer: Ok(answer) });
    story.shows("0 layers · created");
    story.shows("2026-01-02T03:04:05Z");
}

#[test]
fn the_cursor_stands_in_the_what_if() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j t =");
    let lines = story.lines();
    let at = lines.iter().position(|line| line.contains("what if  range")).unwrap();
    let mut terminal = story.terminal();
    let cursor = terminal.get_cursor_position().unwrap();
    assert_eq!((usize::from(cursor.x), usize::from(cursor.y)), (lines[at].find("6.9.x").unwrap() + 5, at));
}

#[test]
fn a_chart_of_a_helm_repository_is_judged_by_helm_s_strict_rule_and_has_no_filter() {
    let charts = Some(id(Kind::HelmRepository, "shop/charts"));
    let url = "oci://ghcr.io/shop".into();
    let helm = SourceSpec::HelmRepository { url, oci: true, insecure: false };
    let chart =
        SourceSpec::HelmChart { chart: "app".into(), version: "1.x".into(), source: charts, verify: None };
    let objects = vec![
        Object::Source(source(Kind::HelmRepository, "shop/charts", helm, "", ready(60))),
        Object::Source(source(Kind::HelmChart, "shop/app", chart, "1.0.0", ready(60))),
    ];
    let mut story = Story::with(settings(100, 24), objects);
    story.tags(&app(), &["1.0.0", "1.1.0_b", "v1.2.0", "2.0.0"]);
    story.kind(":hc");
    story.press("Enter t");
    story.shows("takes 1.1.0_b; 1.0.0 is stored");
    assert!(row(&mut story, "v1.2.0").contains("not-a-version"));
    story.press("= Tab");
    story.shows("a HelmChart knows no filter");
    story.press("^U");
    story.kind(">=1.5");
    story.hides("filter  none");
    story.shows("takes 2.0.0 instead of 1.1.0_b (major)");
    story.press("Enter");
    story.asked();
    story.press("C");
    assert_eq!(story.asked(), [Effect::Copy("version: '>=1.5'\n".to_owned())]);
}

#[test]
fn what_an_object_says_deceptively_is_shown_as_it_is_and_not_copied() {
    let mut source = repository("shop/app", Follows::Semver("1.x".into()), "", ready(60));
    if let SourceSpec::Oci(spec) = &mut source.spec {
        spec.semver_filter = Some("^\u{202e}1".into());
    }
    let mut story = Story::with(settings(100, 24), vec![Object::Source(source)]);
    story.tags(&app(), &["1.0.0"]);
    story.press("t =");
    story.shows("filter  ^\\u{202e}1");
    story.press("Enter C");
    story.shows("not copied: it holds characters that cannot be seen");
    assert!(!story.asked().iter().any(|effect| matches!(effect, Effect::Copy(_))));
}
