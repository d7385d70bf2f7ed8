//! The column NEWEST: what Flux would take, what is beyond the range, and how often registries are asked for it.

use crate::story::{Story, digest, page, ready, repository, settings, upstream};
use fluxscope::{
    app::{Settings, effect::Effect, message::Message},
    domain::{
        fact::{Fact, Object},
        identity::Kind,
        problem::{Cause, Problem},
        source::{Follows, Source},
    },
};
use std::{collections::HashMap, sync::Arc};

fn semver(range: &str) -> Follows {
    Follows::Semver(range.into())
}

fn tag(tag: &str) -> Follows {
    Follows::Tag(tag.into())
}

/// A source, what it follows, what it runs, and the tags of its repository.
type Case = (&'static str, Follows, &'static str, &'static [&'static str]);

/// Every state of the column.
fn cases() -> Vec<Case> {
    vec![
        ("shop/a-both", semver("6.9.x"), "6.9.1", &["6.9.1", "6.9.4", "7.0.0"]),
        ("shop/b-beyond", semver("1.0.x"), "1.0.4", &["1.0.4", "1.2.0"]),
        ("shop/c-current", semver("6.x"), "6.9.4", &["6.9.0", "6.9.4"]),
        ("shop/d-major", semver(">=1.0.0"), "1.0.0", &["1.0.0", "2.0.0"]),
        ("shop/e-moved", Follows::Latest, "latest", &["latest"]),
        ("shop/f-moved-and-more", tag("1.0.0"), "1.0.0", &["1.0.0", "2.0.0"]),
        ("shop/g-same", Follows::Latest, "latest", &["latest", "1.0.0"]),
        ("shop/h-pinned", Follows::Digest(digest('a').into()), "", &["1.0.0", "1.4.1"]),
        ("shop/i-no-match", semver("9.x"), "1.0.0", &["1.0.0", "2.0.0"]),
        ("shop/j-bad-range", semver("nonsense!"), "1.0.0", &["1.0.0"]),
        ("shop/k-absent", tag("1.4"), "1.4", &["1.5.0"]),
        ("shop/l-back", semver(">=1.0.0"), "1.2.0", &["1.1.0"]),
        ("shop/m-tied", semver("1.x"), "1.0.0", &["v1.0.0", "1.0.0"]),
        ("shop/n-empty", semver("1.x"), "1.0.0", &[]),
        (
            "shop/o-long",
            semver(">=2024.1.0 <2025.0.0"),
            "2024.11.1",
            &["2024.11.1", "2024.11.20-build.1234567890", "2024.12.3", "2025.1.17-hotfix.2"],
        ),
    ]
}

fn source(path: &str, follows: Follows, runs: &str) -> Source {
    let revision = format!("{runs}@{}", digest('a'));
    repository(
        path,
        follows,
        if runs.is_empty() { revision.trim_start_matches('@') } else { &revision },
        ready(60),
    )
}

fn ask(path: &str) -> fluxscope::domain::repository::Upstream {
    upstream(&format!("ghcr.io/{path}"))
}

/// All states, answered, one that cannot be asked and one of which nothing is heard.
fn states(settings: Settings) -> Story {
    let mut objects: Vec<Object> = Vec::new();
    for (path, follows, runs, _) in cases() {
        objects.push(Object::Source(source(path, follows, runs)));
    }
    objects.push(Object::Source(source("shop/p-refused", semver("1.x"), "1.0.0")));
    objects.push(Object::Source(source("shop/q-asked", semver("1.x"), "1.0.0")));
    objects.push(Object::Source(source("shop/r-not-heard", Follows::Latest, "latest")));
    let mut story = Story::with(settings, objects);
    for (path, _, runs, tags) in cases() {
        story.tags(&ask(path), tags);
        if !runs.is_empty() {
            story.head(&ask(path), runs, if path.contains("moved") { 'b' } else { 'a' });
        }
    }
    story.tags(&ask("shop/r-not-heard"), &["latest"]);
    let refused =
        |what: &str| Problem::new(Cause::Unauthorized, what, "401 UNAUTHORIZED: authentication required");
    let answer = Err(refused("list tags of ghcr.io/shop/p-refused"));
    story.tell(Message::Tags(ask("shop/p-refused"), answer));
    story.tell(Message::Headed {
        upstream: ask("shop/r-not-heard"),
        reference: "latest".to_owned(),
        answer: Err(refused("ask what latest is")),
    });
    story
}

#[test]
fn every_state_at_80_100_and_160_columns() {
    states(settings(80, 30)).snapshot("newest-80x30");
    states(settings(100, 30)).snapshot("newest-100x30");
    states(settings(160, 30)).snapshot("newest-160x30");
    states(Settings { ascii: true, ..settings(120, 30) }).snapshot("newest-ascii-120x30");
}

#[test]
fn a_long_name_squeezes_the_revision_before_it_takes_the_column_away() {
    for (ascii, length) in [(false, 28), (false, 31), (true, 28), (true, 31)] {
        let (name, held) = (format!("shop/{}", "n".repeat(length)), format!("1.0.0@{}", digest('a')));
        let source = repository(&name, semver("1.x"), &held, ready(60));
        let mut story = Story::with(Settings { ascii, ..settings(80, 24) }, vec![Object::Source(source)]);
        story.tags(&upstream(&format!("ghcr.io/{name}")), &["1.0.0", "1.1.0"]);
        for words in [name.as_str(), "NEWEST", "1.1.0", "aaaaaaaa"] {
            story.shows(words);
        }
    }
}

#[test]
fn the_foot_says_it_in_full() {
    let mut story = states(settings(250, 45));
    for words in [
        "Flux would take 6.9.4 (patch) at its next check; 7.0.0 (major) is beyond 6.9.x (3 tags, listed just now).",
        "Nothing newer is in 1.0.x; 1.2.0 (minor) is beyond 1.0.x (2 tags,",
        "Nothing newer is in 6.x (2 tags,",
        "Flux would take 2.0.0 (major) at its next check (2 tags,",
        "latest names bbbbbbbb now: Flux would take it at its next check (1 tag,",
        "1.0.0 names bbbbbbbb now: Flux would take it at its next check; 2.0.0 (major) is the newest version",
        "latest still names what runs (2 tags,",
        "Pinned to @aaaaaaaa: no tag decides what runs; the newest version is 1.4.1 (2 tags,",
        "Flux would choose nothing: no match found for semver: 9.x; 2.0.0 (major) is beyond 9.x",
        "No tag is judged, the range cannot be read: semver 'nonsense!' parse error: improper constraint",
        "The tag 1.4 that is followed is not there (1 tag,",
        "Flux would go back to 1.1.0 (minor) at its next check (1 tag,",
        "Nothing newer is in 1.x; 1.0.0 is as high as v1.0.0: which of them is taken is not defined (2 tags,",
        "The repository holds no tags (0 tags,",
        "Flux would take 2024.12.3 (minor) at its next check (4 tags,",
        "could not list tags of ghcr.io/shop/p-refused: 401 UNAUTHORIZED: authentication required; asked again within 1m, by ^R at once",
        "Succeeded: stored artifact",
        "Could not ask what latest names now: 401 UNAUTHORIZED: authentication required (1 tag,",
    ] {
        story.shows(words);
        story.press("j");
    }
    story.press("g");
    story.wait(180);
    story.shows("(3 tags, listed 3m ago).");
}

#[test]
fn a_tag_is_not_cut_for_what_is_beyond_it() {
    let mut story = Story::with(
        settings(80, 24),
        vec![
            Object::Source(source("platform-team/long-name-of-a-base", semver("6.9.x"), "6.9.1")),
            Object::Source(source("platform-team/also-name-of-a-base", semver("1.14.x"), "1.14.4")),
        ],
    );
    story.tags(&ask("platform-team/long-name-of-a-base"), &["6.9.1", "6.9.4", "7.0.0"]);
    story.tags(&ask("platform-team/also-name-of-a-base"), &["1.14.4", "1.14.5", "1.15.0"]);
    let ends = |words: &str, story: &mut Story| {
        let lines = story.lines();
        assert!(lines.iter().any(|line| line.ends_with(words)), "{}", lines.join("\n"));
    };
    ends(" 6.9.4 ↑⇈", &mut story);
    ends(" 1.14.5 ↑", &mut story);
}

#[test]
fn a_suspended_source_would_take_it_once_it_is_resumed() {
    let mut held = source("shop/a", semver("1.x"), "1.0.0");
    held.suspended = true;
    let mut story = Story::with(settings(120, 24), vec![Object::Source(held)]);
    story.tags(&ask("shop/a"), &["1.0.0", "1.1.0"]);
    story.shows("Flux would take 1.1.0 (minor) once it is resumed");
}

#[test]
fn a_range_is_not_judged_by_a_list_that_is_cut_or_still_coming() {
    let objects = vec![Object::Source(source("shop/a", semver("1.x"), "1.0.0"))];
    let mut story = Story::with(settings(120, 24), objects);
    story.tell(Message::Tags(ask("shop/a"), Ok(page(&["1.0.0", "1.1.0"], true))));
    story.hides("1.1.0 ↑");
    let mut last = page(&["1.2.0"], false);
    last.cut = Some("the registry stopped after 3 tags".to_owned());
    story.tell(Message::Tags(ask("shop/a"), Ok(last)));
    story.hides("1.2.0 ↑");
    story.shows("No tag is judged: the list of tags is not complete (3 tags");
    story.press("^R");
    story.tags(&ask("shop/a"), &["1.0.0", "1.1.0"]);
    story.shows("1.1.0 ↑ minor");
}

#[test]
fn a_list_that_is_cut_does_not_say_that_a_tag_is_not_there() {
    let mut story = Story::with(settings(120, 24), vec![Object::Source(source("shop/a", tag("1.4"), "1.4"))]);
    let mut cut = page(&["1.0.0", "9.0.0"], false);
    cut.cut = Some("the registry stopped after 2 tags".to_owned());
    story.tell(Message::Tags(ask("shop/a"), Ok(cut)));
    story.hides("not there");
    story.shows("not judged");
}

fn heads(effects: &[Effect]) -> Vec<(String, String)> {
    let head = |effect: &Effect| match effect {
        Effect::Head { upstream, reference } => Some((upstream.repository.to_string(), reference.clone())),
        _ => None,
    };
    effects.iter().filter_map(head).collect()
}

fn lists(effects: &[Effect]) -> Vec<String> {
    let list = |effect: &Effect| match effect {
        Effect::ListTags(upstream) => Some(upstream.repository.to_string()),
        _ => None,
    };
    effects.iter().filter_map(list).collect()
}

#[test]
fn what_the_running_tag_names_is_asked_once_after_its_list_came_and_never_for_a_pin() {
    let chart = fluxscope::domain::source::SourceSpec::HelmChart {
        chart: "podinfo".into(),
        version: "6.x".into(),
        source: None,
        verify: None,
    };
    let mut objects = vec![
        Object::Source(source("shop/a", semver("1.x"), "1.0.0")),
        Object::Source(source("shop/pin", Follows::Digest(digest('a').into()), "1.0.0")),
        Object::Source(source("shop/new", semver("1.x"), "")),
        Object::Source(crate::story::source(Kind::HelmChart, "shop/chart", chart, "6.9.1", ready(1))),
    ];
    let mut twin = source("shop/twin", tag("1.0.0"), "1.0.0");
    twin.spec = source("shop/a", tag("1.0.0"), "1.0.0").spec;
    objects.push(Object::Source(twin));
    let mut story = Story::with(settings(120, 24), objects);
    assert_eq!(heads(&story.asked()), []);
    for name in ["shop/a", "shop/pin", "shop/new"] {
        story.tags(&ask(name), &["1.0.0"]);
    }
    assert_eq!(heads(&story.asked()), [("ghcr.io/shop/a".to_owned(), "1.0.0".to_owned())]);
    story.head(&ask("shop/a"), "1.0.0", 'a');
    story.press("j j k");
    story.wait(30);
    assert_eq!(story.asked(), []);
}

/// Answers whatever is asked until nothing is asked any more; returns all that was asked.
fn answered(
    story: &mut Story,
    mut list: impl FnMut(&str) -> Result<&'static [&'static str], Problem>,
    mut head: impl FnMut(&str, &str) -> Option<Problem>,
) -> Vec<Effect> {
    let mut all = Vec::new();
    loop {
        let asked = story.asked();
        if asked.is_empty() {
            return all;
        }
        for effect in &asked {
            match effect {
                Effect::ListTags(upstream) => {
                    let answer = list(upstream.repository.path()).map(|tags| page(tags, false));
                    story.tell(Message::Tags(upstream.clone(), answer));
                }
                Effect::Head { upstream, reference } => match head(upstream.repository.path(), reference) {
                    None => story.head(upstream, reference, 'a'),
                    Some(problem) => story.tell(Message::Headed {
                        upstream: upstream.clone(),
                        reference: reference.clone(),
                        answer: Err(problem),
                    }),
                },
                _ => {}
            }
        }
        all.extend(asked);
    }
}

fn counted<T: std::hash::Hash + Eq>(all: Vec<T>) -> HashMap<T, usize> {
    let mut counts = HashMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

fn too_many(what: &str) -> Problem {
    Problem::new(Cause::RateLimited, what, "429 TOOMANYREQUESTS: slow down")
}

#[test]
fn five_hundred_sources_of_200_repositories_stay_within_their_budget_429s_included() {
    let mut objects = Vec::new();
    for n in 0..500 {
        let mut one =
            source(&format!("team-{:02}/app-{n:03}", n / 25), semver("1.x"), ["1.0.0", "1.1.0"][n % 3 % 2]);
        one.spec = source(&format!("shop/r{:03}", n % 200), semver(["1.x", "*"][n % 2]), "1.0.0").spec;
        objects.push(Object::Source(one));
    }
    let mut running: Vec<(String, String)> = Vec::new();
    for (n, _) in objects.iter().enumerate() {
        running.push((format!("ghcr.io/shop/r{:03}", n % 200), ["1.0.0", "1.1.0"][n % 3 % 2].to_owned()));
    }
    let distinct = counted(running);
    let mut story = Story::with(settings(100, 24), objects.clone());
    let busy = |path: &str| path.ends_with('7');
    let asked = answered(
        &mut story,
        |path| if busy(path) { Err(too_many("list tags")) } else { Ok(&["1.0.0", "1.1.0", "2.0.0"]) },
        |path, _| path.ends_with('5').then(|| too_many("ask what it is")),
    );
    let lists_of = counted(lists(&asked));
    assert_eq!((lists_of.len(), lists_of.values().max()), (200, Some(&1)), "each repository once");
    let heads_of = counted(heads(&asked));
    assert!(
        heads_of.values().all(|count| *count == 1) && heads_of.keys().all(|head| distinct.contains_key(head))
    );
    assert!(heads_of.keys().all(|(name, _)| !busy(name)), "after its list came");
    assert!(heads_of.len() > 250, "{}", heads_of.len());
    // objects come and go, keys are pressed, most of a minute passes: nothing is asked
    story.list(objects);
    story.press("j j G k g");
    story.wait(59);
    assert_eq!(story.asked(), []);
    // only what is seen is tried again, after a minute, then after two
    story.wait(1);
    let again = answered(&mut story, |_| Err(too_many("list tags")), |_, _| None);
    let again = counted(lists(&again));
    assert!(!again.is_empty() && again.len() <= 4, "{again:?}");
    assert!(again.iter().all(|(name, count)| busy(name) && *count == 1), "{again:?}");
    story.wait(119);
    assert_eq!(lists(&story.asked()), Vec::<String>::new());
    story.wait(1);
    assert_eq!(lists(&story.asked()).len(), again.len());
}

#[test]
fn a_list_that_is_seen_is_asked_for_again_after_ten_minutes_and_after_failures_ever_later() {
    let objects = vec![Object::Source(source("shop/a", semver("1.x"), "1.0.0"))];
    let mut story = Story::with(settings(100, 24), objects);
    story.tags(&ask("shop/a"), &["1.0.0"]);
    story.head(&ask("shop/a"), "1.0.0", 'a');
    story.asked();
    let waited = |story: &mut Story| {
        let mut seconds = 0;
        while lists(&story.asked()).is_empty() {
            story.wait(10);
            seconds += 10;
            assert!(seconds < 4_000);
        }
        seconds
    };
    assert_eq!(waited(&mut story), 600);
    for wait in [60, 120, 240, 480, 960, 1_800, 1_800] {
        story.tell(Message::Tags(ask("shop/a"), Err(too_many("list tags of ghcr.io/shop/a"))));
        story.shows("1.0.0            ");
        story.shows("429 TOOMANYREQUESTS");
        assert_eq!(waited(&mut story), wait);
    }
    story.tell(Message::Tags(ask("shop/a"), Err(too_many("list tags of ghcr.io/shop/a"))));
    story.press("^R");
    assert_eq!(lists(&story.asked()).len(), 1, "^R asks at once");
    story.tags(&ask("shop/a"), &["1.0.0", "1.1.0"]);
    story.shows("1.1.0 ↑ minor");
    assert_eq!(heads(&story.asked()).len(), 1, "with its list the running tag is asked again");
    story.head(&ask("shop/a"), "1.0.0", 'a');
    assert_eq!(waited(&mut story), 600);
}

#[test]
fn a_revision_that_is_newer_than_its_list_makes_the_list_old_and_asks_once_a_minute_at_most() {
    let held = |runs: &str| Object::Source(source("shop/a", semver("1.x"), runs));
    let mut story = Story::with(settings(120, 24), vec![held("1.0.0")]);
    story.tags(&ask("shop/a"), &["1.0.0"]);
    story.head(&ask("shop/a"), "1.0.0", 'a');
    story.asked();
    story.wait(20);
    story.observe(vec![Fact::Changed(Arc::new(held("1.1.0")))]);
    story.shows("asked 20s ago");
    story.shows("What runs is newer than the list of tags, listed just now: ^R asks again.");
    story.wait(39);
    assert_eq!(lists(&story.asked()), Vec::<String>::new());
    story.wait(1);
    assert_eq!(lists(&story.asked()).len(), 1);
    story.tags(&ask("shop/a"), &["1.0.0", "1.1.0"]);
    story.hides("ago  ");
    story.wait(300);
    assert_eq!(lists(&story.asked()), Vec::<String>::new());
}

#[test]
fn a_moved_tag_that_was_stored_is_asked_again_and_not_called_moved_meanwhile() {
    let held = |c: char| {
        let revision = format!("latest@{}", digest(c));
        Object::Source(repository("shop/a", Follows::Latest, &revision, ready(60)))
    };
    let mut story = Story::with(settings(120, 24), vec![held('a')]);
    story.tags(&ask("shop/a"), &["latest"]);
    story.head(&ask("shop/a"), "latest", 'b');
    story.shows("moved ↑");
    story.asked();
    story.observe(vec![Fact::Changed(Arc::new(held('b')))]);
    story.hides("moved ↑");
    assert_eq!(heads(&story.asked()), [], "what is stored is what the tag named");
    story.observe(vec![Fact::Changed(Arc::new(held('c')))]);
    story.hides("moved ↑");
    assert_eq!(heads(&story.asked()).len(), 1);
    story.head(&ask("shop/a"), "latest", 'c');
    story.shows("latest still names what runs");
    // while it is asked again, what was known stays
    story.press("^R");
    story.shows("latest still names what runs");
}
