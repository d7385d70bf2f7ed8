//! The first screen: what stands where, in which order, at which width.

use crate::story::{
    NOW, Story, at, condition, consumer, digest, feed, id, ready, repository, settings, shop,
    shop_with_heads, shop_with_tags, source, status, upstream,
};
use fluxscope::{
    app::{ColourMode, Settings, effect::Effect, message::Message},
    domain::{
        condition::ConditionStatus,
        fact::{Fact, FeedId, Object},
        identity::Kind,
        problem::{Cause, Problem},
        repository::Repository,
        source::{Follows, SourceSpec},
    },
};
use std::sync::Arc;

#[test]
fn the_board_at_80_100_and_160_columns() {
    shop_with_heads(settings(80, 24)).snapshot("board-80x24");
    shop_with_heads(settings(100, 24)).snapshot("board-100x24");
    let mut wide = shop_with_heads(settings(160, 45));
    wide.press("j");
    wide.snapshot("board-160x45");
}

#[test]
fn ascii_shows_nothing_but_ascii() {
    let mut story = shop_with_heads(Settings { ascii: true, ..settings(80, 24) });
    story.press("j");
    assert!(story.screen().is_ascii());
    story.snapshot("board-ascii-80x24");
}

#[test]
fn without_colour_the_same_words_stand_there_and_the_selection_is_reversed() {
    let mut plain = shop_with_tags(Settings { colour: ColourMode::None, ..settings(80, 24) });
    let mut colour = shop_with_tags(settings(80, 24));
    assert_eq!(plain.screen(), colour.screen());
    assert!(plain.selected().starts_with("‼ stalled"));
    let terminal = plain.terminal();
    assert!(terminal.backend().buffer().content.iter().all(|cell| cell.fg == ratatui::style::Color::Reset));
}

#[test]
fn a_group_stands_where_its_worst_member_stands_and_the_source_comes_first() {
    let mut objects = shop();
    objects.push(Object::Source(repository(
        "zoo/fine",
        Follows::Latest,
        &format!("latest@{}", digest('b')),
        ready(5),
    )));
    let broken = status(vec![condition("Ready", ConditionStatus::False, "BuildFailed", "no such file", 60)]);
    let takes = Some(id(Kind::OciRepository, "zoo/fine"));
    objects.push(Object::Consumer(consumer(Kind::Kustomization, "zoo/app", takes, "", broken)));
    let lines = Story::with(settings(120, 30), objects).lines();
    let row = |words: &str| lines.iter().position(|line| line.contains(words)).unwrap();
    assert_eq!(row("zoo/app"), row("zoo/fine") + 1);
    assert!(row("zoo/fine") < row("team-a/config"), "its consumer needs somebody");
}

#[test]
fn a_chart_stands_under_its_repository_and_its_release_under_the_chart() {
    let spec = SourceSpec::HelmRepository { url: "oci://ghcr.io/charts".into(), oci: true, insecure: false };
    let repository = source(Kind::HelmRepository, "shop/charts", spec, "", status(vec![]));
    let of = Some(id(Kind::HelmRepository, "shop/charts"));
    let spec =
        SourceSpec::HelmChart { chart: "podinfo".into(), version: "6.x".into(), source: of, verify: None };
    let chart = source(Kind::HelmChart, "shop/shop-podinfo", spec, "6.9.1", ready(60));
    let takes = Some(id(Kind::HelmChart, "shop/shop-podinfo"));
    let release = consumer(Kind::HelmRelease, "shop/podinfo", takes, "6.9.1", ready(60));
    let objects = vec![Object::Consumer(release), Object::Source(chart), Object::Source(repository)];
    let mut story = Story::with(settings(120, 24), objects);
    let lines = story.lines();
    assert!(lines[2].contains("helmrepo  shop/charts"), "{lines:#?}");
    assert!(lines[3].contains("hc          shop/shop-podinfo"), "{lines:#?}");
    assert!(lines[4].contains("hr            shop/podinfo"), "{lines:#?}");
    assert!(story.asked().contains(&Effect::ListTags(upstream("ghcr.io/charts/podinfo"))));
}

#[test]
fn what_takes_from_something_that_is_not_watched_or_from_nothing_has_a_row_to_stand_under() {
    let git = Some(id(Kind::GitRepository, "flux-system/fleet"));
    let objects = vec![
        Object::Consumer(consumer(Kind::Kustomization, "shop/app", git, "main@sha1:abc", ready(9))),
        Object::Consumer(consumer(Kind::HelmRelease, "shop/lost", None, "1.0.0", ready(9))),
        Object::Consumer(consumer(
            Kind::Kustomization,
            "shop/orphan",
            Some(id(Kind::OciRepository, "shop/deleted")),
            "1.0.0",
            ready(9),
        )),
    ];
    let mut story = Story::with(settings(120, 24), objects);
    story.shows("- unwatched  gitrepo  flux-system/fleet");
    story.shows("no source");
    story.shows("- gone       ocirepo  shop/deleted");
    story.shows("≈ stale      ks         shop/orphan");
}

/// A world with a long name and a long tag.
fn long() -> Vec<Object> {
    let mut objects = shop();
    let tag = "2024-11-20-main-build.1234567890";
    objects.push(Object::Source(repository(
        "platform-team/observability-stack-base",
        Follows::Semver(">=1.0.0 <3.0.0".into()),
        &format!("{tag}@{}", digest('e')),
        ready(60),
    )));
    objects
}

#[test]
fn columns_go_by_need_before_a_name_or_a_digest_is_cut() {
    for width in [80, 90, 100, 110, 120, 130, 139, 160] {
        let mut story = Story::with(settings(width, 30), long());
        story.shows("ocirepo  platform-team/observability-stack-base ");
        story.shows("@eeeeeeee");
        story.shows("@aaaaaaaa");
    }
    let titles = |width: u16| {
        let mut story = shop_with_tags(settings(width, 30));
        story.lines()[1].split_whitespace().map(str::to_owned).collect::<Vec<String>>()
    };
    assert_eq!(
        titles(60),
        ["STATE", "KIND", "NAME"]
            .map(str::to_owned)
            .iter()
            .chain(&["RUNNING".to_owned()])
            .cloned()
            .collect::<Vec<_>>()
    );
    assert_eq!(titles(80), ["STATE", "KIND", "NAME", "RUNNING", "NEWEST"]);
    assert_eq!(titles(90), ["STATE", "KIND", "NAME", "FOLLOWS", "RUNNING", "NEWEST"]);
    assert_eq!(titles(99), ["STATE", "KIND", "NAME", "FOLLOWS", "RUNNING", "NEWEST", "AGE"]);
    let all = ["STATE", "KIND", "NAME", "FOLLOWS", "RUNNING", "NEWEST", "TAGS", "AGE", "MESSAGE"];
    assert_eq!(titles(139), all);
    assert_eq!(titles(160)[..9], all, "beside the pane too");
}

#[test]
fn the_wide_view_adds_something_or_says_why_not() {
    let mut story = shop_with_tags(settings(100, 24));
    story.hides("REASON");
    story.press("^W");
    story.shows("REASON");
    let mut narrow = shop_with_tags(settings(60, 24));
    narrow.press("^W");
    narrow.shows("no room for more columns in 60 cells");
}

#[test]
fn the_message_of_the_selected_row_stands_whole_at_the_foot() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j");
    story.shows("OCIArtifactPullFailed: failed to determine artifact digest");
    story.shows("Type:repository]]");
    story.shows("It still serves 6.9.1@aaaaaaaa; 2 consumers run on it.");
}

#[test]
fn a_message_of_5000_characters_leaves_the_rows_and_says_how_much_more_there_is() {
    let long = "the controller says this again and again, ".repeat(120);
    let failing = status(vec![condition("Ready", ConditionStatus::False, "Failed", &long, 60)]);
    let objects = vec![Object::Source(repository("shop/long", Follows::Latest, "", failing))];
    let mut story = Story::with(settings(80, 24), objects);
    story.shows("shop/long");
    story.shows("more lines by Enter");
    story.press("Enter G");
    story.shows("created 90d ago");
}

#[test]
fn a_name_with_control_characters_is_shown_and_does_nothing() {
    let mut odd = repository("shop/odd", Follows::Latest, "", ready(1));
    odd.meta.id = id(Kind::OciRepository, "shop/\u{1b}[2Jboom");
    let mut story = Story::with(settings(80, 24), vec![Object::Source(odd)]);
    story.shows("shop/\\x1b[2Jboom");
    story.press("c");
    assert!(!story.asked().iter().any(|effect| matches!(effect, Effect::Copy(_))));
    story.shows("not copied");
}

#[test]
fn the_selection_stays_on_its_object_when_rows_move_and_goes_to_the_neighbour_when_it_goes() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("j j");
    assert!(story.selected().contains("ks         shop/podinfo "), "{}", story.selected());
    let calm = repository("infra/dns", Follows::Tag("1.4".into()), &format!("1.4@{}", digest('c')), ready(1));
    story.observe(vec![Fact::Changed(Arc::new(Object::Source(calm)))]);
    assert!(story.selected().contains("ks         shop/podinfo "), "{}", story.selected());
    story.observe(vec![Fact::Gone(id(Kind::Kustomization, "shop/podinfo"))]);
    assert!(story.selected().contains("shop/podinfo-eu"), "{}", story.selected());
}

#[test]
fn a_relist_leaves_no_ghost_rows() {
    let mut story = shop_with_tags(settings(100, 24));
    story.observe(vec![Fact::Listed { feed: feed(Kind::Kustomization), objects: vec![], at: at(NOW) }]);
    story.hides("ks ");
    story.shows("4 sources · 1 consumer");
}

#[test]
fn before_anything_is_known_the_board_says_whom_it_asks_and_since_when() {
    let mut story = Story::begin(settings(80, 24));
    assert_eq!(story.asked(), [Effect::ListContexts, Effect::Connect { context: None }]);
    story.tell(fluxscope::app::message::Message::Contexts(Ok(vec!["prod-eu".to_owned()])));
    story.wait(3);
    story.shows("connecting to prod-eu since 3s");
    story.connect();
    story.wait(2);
    story.shows("reading OCIRepository, HelmRepository");
}

#[test]
fn without_a_kubeconfig_the_board_holds_the_problem_and_what_works_without() {
    let mut story = Story::begin(settings(80, 24));
    let problem = Problem::new(Cause::Usage, "read the kubeconfig", "~/.kube/config: no such file")
        .with_hint("set KUBECONFIG or --kubeconfig");
    story.tell(fluxscope::app::message::Message::Connected(Err(problem)));
    story.shows("could not read the kubeconfig");
    story.shows("set KUBECONFIG");
    story.shows(":tags oci://HOST/REPOSITORY");
    story.shows("not connected");
    story.snapshot("problem-80x24");
    story.asked();
    story.kind(":tags oci://ghcr.io/acme/fleet");
    story.press("Enter");
    assert_eq!(story.asked(), [Effect::ListTags(upstream("ghcr.io/acme/fleet"))]);
}

#[test]
fn an_empty_cluster_says_what_was_looked_for_and_where() {
    let mut story = Story::begin(settings(80, 24));
    story.connect();
    story.list(vec![]);
    story.observe(vec![Fact::NotInstalled(feed(Kind::ExternalArtifact))]);
    story.shows("no Flux objects in all namespaces of prod-eu; looked for OCIRepository");
    story.shows("Not installed:");
    assert_eq!(story.lines()[23].trim(), ": command  ? help");
    story.snapshot("empty-80x24");
}

#[test]
fn an_empty_answer_of_some_namespaces_names_them() {
    let mut story = Story::begin(settings(100, 24));
    story.connect();
    for kind in Kind::WATCHED {
        let problem = Problem::new(Cause::Forbidden, "list in all namespaces", "403");
        let namespaces: Vec<Arc<str>> = vec!["infra".into(), "shop".into()];
        story.observe(vec![Fact::Narrowed { kind, namespaces: namespaces.clone(), problem }]);
        for namespace in namespaces {
            let feed = FeedId { kind, namespace: Some(namespace) };
            story.observe(vec![Fact::Listed { feed, objects: vec![], at: at(NOW) }]);
        }
    }
    story.shows("no Flux objects in the readable namespaces (infra, shop) of prod-eu");
}

#[test]
fn a_kind_that_may_not_be_read_is_named_with_the_verb_and_the_others_are_shown() {
    let mut story = shop_with_tags(settings(120, 24));
    let problem = Problem::new(
        Cause::Forbidden,
        "list helmreleases in all namespaces",
        "403: no right to list helmreleases",
    );
    story.observe(vec![Fact::Refused { feed: feed(Kind::HelmRelease), problem }]);
    story.shows("HelmRelease not shown: could not list helmreleases in all namespaces: 403");
    story.shows("ocirepo  shop/podinfo");
    story.hides("hr ");
    story.shows("4 sources · 3+ consumers · 4+ need you");
    story.press("G Enter");
    story.shows("used by      nothing that was read … (HelmReleases could not be read)");
    story.hides("nothing that is watched");
}

#[test]
fn who_uses_a_source_is_only_known_where_it_could_be_asked() {
    let mut one = Story::begin(crate::story::one_namespace("infra"));
    one.connect();
    let namespace: Option<Arc<str>> = Some("infra".into());
    let objects: Vec<Arc<Object>> =
        shop().into_iter().filter(|object| &*object.id().namespace == "infra").map(Arc::new).collect();
    for kind in Kind::WATCHED {
        let feed = FeedId { kind, namespace: namespace.clone() };
        let objects = objects.iter().filter(|object| object.id().kind == kind).cloned().collect();
        one.observe(vec![Fact::Listed { feed, objects, at: at(NOW) }]);
    }
    one.press("Enter");
    one.shows("used by      nothing that was read … (only namespace infra was read)");
    let mut all = shop_with_tags(settings(100, 40));
    all.press("Enter");
    all.shows("used by      nothing that is watched");
}

#[test]
fn the_header_counts_what_is_shown() {
    let mut story = shop_with_tags(settings(120, 24));
    story.press("1");
    story.shows("2 sources · 3 consumers · 3 need you");
    story.press("0");
    story.shows("4 sources · 4 consumers · 4 need you");
    story.kind(":ks");
    story.press("Enter");
    story.shows("   3 consumers · 2 need you");
}

#[test]
fn what_is_stale_is_so_since_its_source_broke() {
    let mut story = shop_with_tags(settings(120, 40));
    story.press("j j");
    assert!(story.selected().ends_with("3m"), "{}", story.selected());
    story.press("Enter");
    story.shows("≈ stale for 3m · SourceFailing");
    let objects = vec![Object::Consumer(consumer(
        Kind::Kustomization,
        "shop/orphan",
        Some(id(Kind::OciRepository, "shop/deleted")),
        "1.0.0",
        ready(86_400),
    ))];
    let mut gone = Story::with(settings(120, 40), objects);
    gone.press("j Enter");
    gone.shows("≈ stale · SourceNotFound");
}

#[test]
fn a_lost_watch_keeps_the_rows_and_tells_their_age() {
    let mut story = shop_with_tags(settings(120, 24));
    let problem = Problem::new(Cause::Unreachable, "watch ocirepositories", "connection refused");
    story.observe(vec![Fact::WatchLost { feed: feed(Kind::OciRepository), problem, since: at(NOW) }]);
    story.wait(120);
    story.shows("2m old, reconnecting");
    story.shows("watch lost, the rows are kept: watch ocirepositories: connection refused");
    story.shows("ocirepo  shop/podinfo");
    story.observe(vec![Fact::WatchBack { feed: feed(Kind::OciRepository) }]);
    story.shows("live");
}

#[test]
fn a_terminal_of_20x5_gets_a_clear_word_and_comes_back() {
    let mut story = shop_with_tags(settings(80, 24));
    story.resize(20, 5);
    let screen = story.screen();
    assert!(screen.replace('\n', " ").contains("needs at least 60x15"), "{screen}");
    story.resize(60, 15);
    story.shows("shop/podinfo");
    story.resize(80, 24);
    story.shows("NEWEST");
}

#[test]
fn each_repository_is_asked_once_six_of_a_host_at_a_time_and_again_only_on_refresh() {
    let mut objects = Vec::new();
    for n in 0..40 {
        objects.push(Object::Source(repository(&format!("shop/r{n:02}"), Follows::Latest, "", ready(1))));
    }
    let mut story = Story::with(settings(100, 24), objects.clone());
    let asked = |story: &mut Story| {
        story.asked().into_iter().filter(|effect| matches!(effect, Effect::ListTags(_))).collect::<Vec<_>>()
    };
    assert_eq!(asked(&mut story).len(), 6);
    story.shows("…");
    for n in 0..40 {
        story.tags(&upstream(&format!("ghcr.io/shop/r{n:02}")), &["1.0.0"]);
    }
    story.list(objects);
    assert_eq!(asked(&mut story).len(), 34);
    story.press("j k");
    assert!(asked(&mut story).is_empty());
    story.press("^R");
    assert_eq!(asked(&mut story).len(), 6, "what can be seen, six at a time");
}

#[test]
fn nothing_is_drawn_while_nothing_changed() {
    let mut story = shop_with_tags(settings(100, 24));
    assert!(story.app.take_dirty());
    for _ in 0..3 {
        story.wait(1);
        assert!(!story.app.take_dirty(), "no visible age changed");
    }
    story.wait(60);
    assert!(story.app.take_dirty(), "3m became 4m");
    let same = shop().remove(0);
    story.observe(vec![Fact::Changed(Arc::new(same))]);
    assert!(!story.app.take_dirty(), "the same object again");
}

#[test]
fn a_url_that_flux_refuses_still_has_its_row() {
    let mut odd = repository("shop/odd", Follows::Latest, "", ready(1));
    if let SourceSpec::Oci(spec) = &mut odd.spec {
        spec.url = "oci://ghcr.io/Shop/odd:1.0".into();
        spec.repository = Repository::parse_url(&spec.url);
    }
    odd.oddities.push("status.conditions is a map, not a list".to_owned());
    let mut story = Story::with(settings(100, 30), vec![Object::Source(odd)]);
    story.shows("shop/odd");
    story.shows("bad url");
    story.press("t");
    story.shows("its url is not one that Flux accepts");
    story.press("Enter");
    story.shows("not a url that Flux accepts: repository can only contain the characters");
    story.shows("status.conditions is a map, not a list");
}

#[test]
fn a_watch_that_breaks_keeps_the_rows_and_says_so() {
    let mut story = Story::with(settings(120, 24), shop());
    let problem = Problem::new(Cause::Other, "watch the cluster", "this part of fluxscope broke");
    story.tell(Message::WatchBroke(problem));
    story.wait(4);
    story.shows("shop/podinfo");
    story.shows("4s old, reconnecting");
    story.shows("watch lost, the rows are kept");
    story.list(shop());
    story.shows("live");
    story.hides("watch lost");
}

#[test]
fn rows_are_sorted_by_what_runs_and_by_the_column_beside() {
    let mut story = Story::with(settings(120, 24), shop());
    story.press("O");
    story.shows("by running");
    let lines = story.lines();
    let row = |name: &str| lines.iter().position(|line| line.contains(name)).unwrap();
    assert!(row("6.9.1@") < row("6.9.4@") && row("6.9.4@") < row("latest@"), "{}", lines.join("\n"));
    story.press("O");
    story.shows("by running, reversed");
    story.press("ShiftRight");
    story.shows("by age");
    story.press("ShiftRight");
    story.hides(" by ");
    story.press("ShiftRight ShiftRight ShiftLeft");
    story.shows("by name");
}
