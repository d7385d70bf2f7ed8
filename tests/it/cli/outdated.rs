//! `outdated`: what is said of each source, what it is worth to a gate, and what is left when something did not answer.

use super::{
    HOSTILE, Ran,
    fake::{
        Changed, Fake, Handle, chart, digest, head, helm_repository, id, kustomization, page, release,
        repository,
    },
    is_safe, run, run_on, words,
};
use fluxscope::{
    cli::{
        self, args,
        output::{Console, Terminals},
    },
    domain::{
        artifact::TagPage,
        fact::{Fact, FeedId, Object},
        identity::Kind,
        problem::{Cause, Problem},
        source::{Follows, SourceSpec},
    },
};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc, time::Duration};

type Pages = Vec<Result<TagPage, Problem>>;

fn holds(name: &str, tags: &[&str]) -> (String, Pages) {
    (format!("registry.test/{name}"), vec![Ok(page(tags, &[], 1, false))])
}

fn fails(name: &str, cause: Cause, why: &str) -> (String, Pages) {
    let problem = Problem::new(cause, format!("list the tags of registry.test/{name}"), why);
    (format!("registry.test/{name}"), vec![Err(problem)])
}

fn semver(range: &str) -> Follows {
    Follows::Semver(range.into())
}

/// Five sources that run 1.0.0, one of each distance and one whose registry does not answer. No tag was moved.
fn fleet() -> Fake {
    let objects = [
        repository("shop/patch", semver("1.0.x")),
        repository("shop/minor", semver("1.0.x")),
        repository("shop/major", semver("1.0.x")),
        repository("shop/none", semver("1.0.x")),
        repository("shop/lost", semver("1.0.x")),
        kustomization("shop/web", id(Kind::OciRepository, "shop/minor")),
        release("shop/api", id(Kind::OciRepository, "shop/minor")),
    ];
    let tags = [
        holds("shop/patch", &["1.0.0", "1.0.1"]),
        holds("shop/minor", &["1.0.0", "1.0.4", "1.3.0", "1.4.0-rc.1"]),
        holds("shop/major", &["1.0.0", "1.1.0", "2.0.0"]),
        holds("shop/none", &["1.0.0", "0.9.0"]),
        fails("shop/lost", Cause::Unauthorized, "401 UNAUTHORIZED: who are you?"),
    ];
    let heads = [("1.0.0".to_owned(), Ok(head('a')))].into();
    Fake { tags: tags.into(), heads, ..Fake::of(objects) }
}

/// One field of every item, in the order of the list.
fn column(ran: &Ran, name: &str) -> Vec<Value> {
    ran.json()["items"].as_array().unwrap().iter().map(|item| item[name].clone()).collect()
}

fn names(ran: &Ran) -> Vec<String> {
    column(ran, "source").iter().map(|source| source["name"].as_str().unwrap().to_owned()).collect()
}

fn item(ran: &Ran, name: &str) -> Value {
    let items = ran.json()["items"].as_array().unwrap().clone();
    items.into_iter().find(|item| item["source"]["name"] == name).unwrap_or_else(|| panic!("{}", ran.out))
}

#[tokio::test]
async fn every_source_is_told_with_what_comes_by_itself_and_what_needs_a_change() {
    let ran = run(fleet(), "outdated -o json").await;
    let list = ran.json();
    assert_eq!(
        (list["apiVersion"].clone(), list["kind"].clone()),
        (json!("fluxscope/v1"), json!("UpgradeList"))
    );
    assert_eq!(
        (ran.code, list["complete"].clone(), list["namespace"].clone()),
        (0, json!(false), json!("shop"))
    );
    let expected = json!({
        "source": {"kind": "OCIRepository", "namespace": "shop", "name": "minor"},
        "repository": "registry.test/shop/minor",
        "followsBy": "semver",
        "follows": "1.0.x",
        "footing": "version",
        "running": "1.0.0",
        "revision": format!("1.0.0@{}", digest('a')),
        "inRange": "1.0.4",
        "beyond": "1.3.0",
        "distance": "minor",
        "moved": false,
        "names": digest('a'),
        "gone": false,
        "error": null,
        "consumers": [
            {"kind": "Kustomization", "namespace": "shop", "name": "web"},
            {"kind": "HelmRelease", "namespace": "shop", "name": "api"},
        ],
        "managedBy": null,
        "patch": {"spec": {"ref": {"semver": "1.3.x"}}},
        "patchOf": {"kind": "OCIRepository", "namespace": "shop", "name": "minor"},
        "pinnedTo": null,
        "problem": null,
    });
    assert_eq!(item(&ran, "minor"), expected);
    let current = item(&ran, "none");
    assert_eq!(
        (&current["inRange"], &current["beyond"], &current["distance"]),
        (&Value::Null, &Value::Null, &json!("none"))
    );
}

#[tokio::test]
async fn what_matters_most_comes_first() {
    let ran = run(fleet(), "outdated -o json").await;
    assert_eq!(names(&ran), ["major", "minor", "patch", "lost", "none"]);
    let mut moved = fleet();
    moved.heads = [("1.0.0".to_owned(), Ok(head('b')))].into();
    moved.objects.lock().unwrap().retain(|id, _| !["major", "patch"].contains(&&*id.name));
    let ran = run(moved, "outdated -o json").await;
    assert_eq!(
        names(&ran),
        ["minor", "none", "lost"],
        "moved versions first, of these the one with consumers"
    );
    assert_eq!(column(&ran, "moved"), [json!(true), json!(true), Value::Null]);
}

#[tokio::test]
async fn a_gate_fails_by_what_it_was_told_and_by_nothing_else() {
    let only = |name: &'static str| {
        let fake = fleet();
        fake.objects.lock().unwrap().retain(|id, _| &*id.name == name);
        fake
    };
    for (name, fails_at) in [
        ("patch", vec!["patch"]),
        ("minor", vec!["patch", "minor"]),
        ("major", vec!["patch", "minor", "major"]),
        ("none", vec![]),
        ("lost", vec!["unknown"]),
    ] {
        for rule in ["patch", "minor", "major", "moved", "unknown"] {
            let ran = run(only(name), &format!("outdated -o json --fail-on {rule}")).await;
            let expected = i32::from(fails_at.contains(&rule));
            assert_eq!(ran.code, expected, "{name} --fail-on {rule}");
            assert_eq!(
                ran.err.contains(&format!("--fail-on {rule}: 1 source")),
                expected == 1,
                "{}",
                ran.err
            );
        }
        assert_eq!(run(only(name), "outdated").await.code, 0, "{name}");
    }
    assert_eq!(
        run(only("patch"), "outdated --fail-on major --fail-on patch").await.code,
        1,
        "each rule counts"
    );
    assert_eq!(run(only("patch"), "outdated --fail-on major --fail-on moved").await.code, 0);
}

#[tokio::test]
async fn a_moved_tag_fails_only_where_that_is_asked_for() {
    let moved = || Fake { heads: [("1.0.0".to_owned(), Ok(head('b')))].into(), ..fleet() };
    assert_eq!(run(moved(), "outdated --fail-on moved").await.code, 1);
    assert_eq!(run(moved(), "outdated").await.code, 0);
    let ran = run(moved(), "outdated").await;
    assert!(ran.out.contains("the running tag was moved: it is sha256:bbbbbbbb now"), "{}", ran.out);
}

#[tokio::test]
async fn a_registry_that_does_not_answer_leaves_a_row_that_says_why() {
    let ran = run(fleet(), "outdated -o json").await;
    let lost = item(&ran, "lost");
    assert_eq!(lost["problem"]["why"], "401 UNAUTHORIZED: who are you?");
    assert_eq!((&lost["running"], &lost["moved"]), (&json!("1.0.0"), &Value::Null));
    let table = run(fleet(), "outdated").await;
    let row = table.out.lines().find(|line| line.contains("lost")).unwrap();
    assert!(row.contains("unknown    could not ask: 401 UNAUTHORIZED: who are you?"), "{row}");
    assert!(table.err.contains("error: list the tags of registry.test/shop/lost: 401"), "{}", table.err);
}

#[tokio::test]
async fn half_a_list_is_not_compared_but_its_running_tag_is_asked_for() {
    let mut fake = fleet();
    let cut =
        TagPage { cut: Some("stopped after 1 tags: more exist".into()), ..page(&["2.0.0"], &[], 1, false) };
    fake.tags.insert("registry.test/shop/lost".into(), vec![Ok(cut)]);
    let ran = run(fake, "outdated -o json").await;
    let half = item(&ran, "lost");
    assert_eq!(
        (&half["distance"], &half["beyond"], &half["moved"]),
        (&json!("unknown"), &Value::Null, &json!(false))
    );
    assert_eq!(half["problem"]["why"], "stopped after 1 tags: more exist");
}

#[tokio::test]
async fn sources_that_share_a_repository_ask_for_it_once_and_for_each_running_tag_once() {
    let share = |name: &str, revision: &str| {
        let mut object = repository(name, semver("1.x")).holding(&format!("{revision}@{}", digest('a')));
        if let (Object::Source(source), Object::Source(app)) =
            (&mut object, repository("shop/app", semver("*")))
        {
            let (SourceSpec::Oci(spec), SourceSpec::Oci(shared)) = (&mut source.spec, app.spec) else {
                return object;
            };
            (spec.url, spec.repository) = (shared.url, shared.repository);
        }
        object
    };
    let objects = [share("shop/a", "1.0.0"), share("shop/b", "1.0.0"), share("team/c", "1.1.0")];
    let tags = [holds("shop/app", &["1.0.0", "1.1.0", "1.2.0"])].into();
    let heads = ["1.0.0", "1.1.0"].map(|tag| (tag.to_owned(), Ok(head('a')))).into();
    let world = Handle(Arc::new(Fake { tags, heads, ..Fake::of(objects) }));
    let ran = run_on(&world, "outdated -A -o json").await;
    assert_eq!(column(&ran, "inRange"), vec![json!("1.2.0"); 3]);
    assert_eq!(*world.0.asked.lock().unwrap(), ["registry.test/shop/app"]);
    let mut headed = world.0.headed.lock().unwrap().clone();
    headed.sort();
    assert_eq!(headed, ["registry.test/shop/app:1.0.0", "registry.test/shop/app:1.1.0"]);
}

#[tokio::test]
async fn no_cluster_is_no_answer_and_still_a_document() {
    let offline = || Some(Problem::new(Cause::Unreachable, "connect to the cluster", "connection refused"));
    let ran = run(Fake { offline: offline(), ..fleet() }, "outdated -A -o json --fail-on unknown").await;
    assert_eq!(
        (ran.code, ran.json()["items"].clone(), ran.json()["complete"].clone()),
        (2, json!([]), json!(false))
    );
    assert_eq!(ran.json()["problems"][0]["why"], "connection refused");
    let table = run(Fake { offline: offline(), ..fleet() }, "outdated").await;
    assert_eq!((table.code, table.out.as_str()), (2, ""));
}

#[tokio::test]
async fn an_empty_cluster_is_an_answer() {
    for output in ["table", "json", "markdown"] {
        let ran =
            run(Fake::default(), &format!("outdated -A -o {output} --fail-on unknown --fail-on patch")).await;
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.err.contains("no source in all namespaces follows anything in a registry"),
            "{}",
            ran.err
        );
    }
    assert_eq!(run(Fake::default(), "outdated -o json").await.json()["complete"], true);
    let missing = Fake { missing: vec![Kind::OciRepository, Kind::HelmChart], ..Fake::default() };
    assert_eq!(run(missing, "outdated").await.code, 0, "what is not installed has no objects");
}

fn refused(kind: Kind) -> (Kind, Problem) {
    (kind, Problem::new(Cause::Forbidden, format!("list {}", kind.plural()), "403 Forbidden"))
}

#[tokio::test]
async fn kinds_that_may_not_be_listed_are_problems_and_the_rest_is_told() {
    let restricted =
        || Fake { refused: [refused(Kind::HelmChart), refused(Kind::HelmRelease)].into(), ..fleet() };
    let ran = run(restricted(), "outdated -o json").await;
    assert_eq!((ran.code, ran.json()["complete"].clone()), (0, json!(false)));
    assert_eq!(names(&ran).len(), 5);
    let whats: Vec<Value> =
        ran.json()["problems"].as_array().unwrap().iter().map(|problem| problem["what"].clone()).collect();
    assert_eq!(whats, ["list helmcharts", "list helmreleases"]);
    let fake = restricted();
    fake.objects.lock().unwrap().retain(|id, _| &*id.name == "none");
    assert_eq!(run(fake, "outdated --fail-on unknown").await.code, 1, "what could not be asked is unknown");
    let blind = Fake { refused: Kind::WATCHED.map(refused).into(), ..fleet() };
    assert_eq!(run(blind, "outdated --fail-on unknown").await.code, 2, "nothing was answered at all");
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_a_row_with_a_problem() {
    let feed = FeedId { kind: Kind::OciRepository, namespace: Some("shop".into()) };
    let problem = Problem::new(Cause::Invalid, "read ocirepo shop/odd", "spec.url is no text");
    let fact = Fact::Unreadable { feed, object: Some(id(Kind::OciRepository, "shop/odd")), problem };
    let ran = run(Fake { facts: vec![fact], ..fleet() }, "outdated -o json").await;
    let odd = item(&ran, "odd");
    assert_eq!((&odd["distance"], &odd["running"]), (&json!("unknown"), &Value::Null));
    assert_eq!(odd["problem"]["why"], "spec.url is no text");
}

#[tokio::test(start_paused = true)]
async fn what_was_not_reached_in_time_says_so_and_the_rest_is_told() {
    let slow = || HashMap::from([("registry.test/shop/minor".to_owned(), Duration::from_secs(60))]);
    let begun = tokio::time::Instant::now();
    let ran = run(Fake { slow: slow(), ..fleet() }, "outdated --timeout 20s -o json").await;
    assert_eq!((ran.code, begun.elapsed()), (0, Duration::from_secs(20)));
    let late = item(&ran, "minor");
    assert_eq!(late["problem"]["what"], "list the tags of registry.test/shop/minor");
    assert_eq!(late["problem"]["why"], "the time for the whole run was over (--timeout 20s)");
    assert_eq!((&late["distance"], late["consumers"].as_array().unwrap().len()), (&json!("unknown"), 2));
    assert_eq!(item(&ran, "major")["distance"], "major");
    let ran = run(Fake { slow: slow(), ..fleet() }, "outdated --timeout 20s --fail-on unknown").await;
    assert_eq!(ran.code, 1);
    let ran = run(Fake { slow: slow(), ..fleet() }, "outdated -o json").await;
    assert_eq!(item(&ran, "minor")["distance"], "minor", "without a limit of its own it waits");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_finish_its_lists_in_time_is_told_as_far_as_it_came() {
    let begun = tokio::time::Instant::now();
    let ran = run(Fake { endless: true, ..fleet() }, "outdated --timeout 1m30s -o json").await;
    assert_eq!((ran.code, begun.elapsed()), (0, Duration::from_secs(90)));
    assert_eq!(
        item(&ran, "major")["problem"]["why"],
        "the time for the whole run was over (--timeout 1m30s)"
    );
    let silent = Fake { endless: true, silent: Kind::WATCHED.to_vec(), ..fleet() };
    let ran = run(silent, "outdated --timeout 5s -o json").await;
    assert_eq!((ran.code, ran.json()["items"].clone()), (2, json!([])));
    assert!(ran.json()["problems"][0]["why"].as_str().unwrap().ends_with("(--timeout 5s)"));
}

#[tokio::test]
async fn kinds_of_which_nothing_was_heard_are_a_problem() {
    let ran = run(Fake { silent: vec![Kind::HelmChart], ..fleet() }, "outdated -o json").await;
    assert_eq!(ran.json()["problems"][0]["what"], "list helmcharts");
}

#[tokio::test]
async fn a_range_that_cannot_be_read_is_unknown_with_flux_words() {
    let objects = || [repository("shop/none", semver(">>1"))];
    let fake = || Fake { tags: [holds("shop/none", &["1.0.0", "2.0.0"])].into(), ..Fake::of(objects()) };
    let ran = run(fake(), "outdated -o json").await;
    let bad = item(&ran, "none");
    assert_eq!((&bad["distance"], &bad["problem"]), (&json!("unknown"), &Value::Null));
    assert_eq!(bad["error"], "semver '>>1' parse error: improper constraint: \">>1\"");
    assert_eq!(run(fake(), "outdated --fail-on unknown").await.code, 1);
}

#[tokio::test]
async fn a_tag_that_is_followed_or_runs_and_is_not_there_any_more_is_told() {
    let objects = [repository("shop/a", Follows::Tag("9.9.9".into()))];
    let ran =
        run(Fake { tags: [holds("shop/a", &["0.9.0"])].into(), ..Fake::of(objects) }, "outdated -o json")
            .await;
    let source = item(&ran, "a");
    assert_eq!(
        (&source["gone"], &source["error"]),
        (&json!(true), &json!("the tag 9.9.9 is not in the registry"))
    );
}

#[tokio::test]
async fn floating_tags_are_compared_by_digest_alone() {
    let objects = [repository("shop/a", Follows::Latest).holding(&format!("latest@{}", digest('a')))];
    let heads = [("latest".to_owned(), Ok(head('a')))].into();
    let fake = Fake { tags: [holds("shop/a", &["latest", "1.0.0"])].into(), heads, ..Fake::of(objects) };
    let world = Handle(Arc::new(fake));
    let ran = run_on(&world, "outdated -o json").await;
    let source = item(&ran, "a");
    assert_eq!(
        (&source["footing"], &source["distance"], &source["moved"]),
        (&json!("tag"), &json!("unknown"), &json!(false))
    );
    assert!(run_on(&world, "outdated").await.out.contains("no version, its digest is unchanged"));
}

fn pinned(to: char) -> Object {
    repository("shop/pin", Follows::Digest(digest(to).into())).holding(&digest(to))
}

#[tokio::test]
async fn the_tags_behind_a_pin_are_named_and_how_many_were_looked_at() {
    let tags: Vec<String> = (0..60).map(|minor| format!("1.{minor}.0")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let heads = |at: usize| {
        tags.iter()
            .map(|tag| ((*tag).to_owned(), Ok(head(if *tag == format!("1.{at}.0") { 'c' } else { 'd' }))))
            .collect()
    };
    let fake =
        |at| Fake { tags: [holds("shop/pin", &tags)].into(), heads: heads(at), ..Fake::of([pinned('c')]) };
    for (at, line, found, looked_at) in [
        (55, "outdated -o json", json!(["1.55.0"]), 10),
        (3, "outdated -o json", json!([]), 50),
        (3, "outdated -o json --look-at 60", json!(["1.3.0"]), 60),
        (55, "outdated -o json --look-at 0", json!([]), 0),
    ] {
        let world = Handle(Arc::new(fake(at)));
        let ran = run_on(&world, line).await;
        let pin = item(&ran, "pin");
        let expected =
            json!({"digest": digest('c'), "tags": found, "lookedAt": looked_at, "of": 60, "problem": null});
        assert_eq!((ran.code, &pin["pinnedTo"]), (0, &expected), "{line}");
        assert_eq!(
            (&pin["footing"], &pin["moved"], &pin["running"]),
            (&json!("pinned"), &Value::Null, &json!(digest('c')))
        );
        assert_eq!(world.0.headed.lock().unwrap().len(), looked_at, "{line}");
    }
    let table = run(fake(3), "outdated").await;
    assert!(table.out.contains("pinned; looked at 50 of 60 tags, none is it"), "{}", table.out);
}

#[tokio::test]
async fn charts_are_compared_by_the_strict_rule_and_below_their_repository() {
    let tags = || [holds("charts/app", &["1.0.0", "1.2.0", "v3.0.0"])].into();
    let objects = || [chart("shop/app", "shop/charts"), helm_repository("shop/charts", true)];
    let ran = run(Fake { tags: tags(), ..Fake::of(objects()) }, "outdated -o json").await;
    let row = item(&ran, "app");
    assert_eq!(
        (&row["inRange"], &row["beyond"], &row["distance"]),
        (&json!("1.2.0"), &Value::Null, &json!("minor"))
    );
    assert_eq!((&row["moved"], &row["repository"]), (&Value::Null, &json!("registry.test/charts/app")));
    let old = [chart("shop/app", "shop/charts").holding("1.0.0+3"), helm_repository("shop/charts", true)];
    let ran = run(Fake { tags: tags(), ..Fake::of(old) }, "outdated -o json").await;
    assert_eq!(item(&ran, "app")["gone"], false, "the generation behind a version is no part of its tag");
    let elsewhere = [chart("shop/app", "shop/charts"), helm_repository("shop/charts", false)];
    let ran = run(Fake::of(elsewhere), "outdated -o json").await;
    assert_eq!(ran.json()["items"], json!([]), "a chart of an HTTP repository is in no registry");
    let ran = run(Fake::of([chart("shop/app", "shop/charts")]), "outdated -o json").await;
    assert_eq!(
        item(&ran, "app")["problem"]["why"],
        "helmrepo shop/charts, which it takes from, is not there"
    );
    let fake = Fake {
        refused: [refused(Kind::HelmRepository)].into(),
        ..Fake::of([chart("shop/app", "shop/charts")])
    };
    let ran = run(fake, "outdated -o json").await;
    assert_eq!(
        item(&ran, "app")["problem"]["why"],
        "helmrepo shop/charts, which it takes from, could not be read"
    );
}

#[tokio::test]
async fn nothing_from_outside_reaches_the_terminal_or_a_comment_as_it_came() {
    let world = || {
        let objects = [repository("shop/a", semver(HOSTILE)), repository("shop/b", semver("1.x"))];
        let why = format!("{HOSTILE} <img src=x> [click](https://evil.test) | `rm` @everyone");
        let broken = fails("shop/b", Cause::Forbidden, &why);
        Fake { tags: [holds("shop/a", &["1.0.0", HOSTILE]), broken].into(), ..Fake::of(objects) }
    };
    for output in ["table", "json", "markdown"] {
        let ran = run(world(), &format!("outdated -o {output}")).await;
        assert!(is_safe(&ran.out) && is_safe(&ran.err), "{output}: {}", ran.out);
    }
    let ran = run(world(), "outdated -o json").await;
    assert!(
        item(&ran, "b")["problem"]["why"].as_str().unwrap().starts_with(HOSTILE),
        "unaltered for a script"
    );
    let text = run(world(), "outdated -o markdown").await.out;
    let row = text.lines().find(|line| line.contains("ocirepo/b")).unwrap();
    assert!(
        !row.contains("<img") && row.contains(r"\[click\](https\://evil.test) \| \`rm\` @&#8203;everyone"),
        "{row}"
    );
    assert_eq!(row.replace(r"\|", "").matches('|').count(), 8, "{row}");
}

#[tokio::test]
async fn a_comment_begins_with_the_sum_and_holds_one_line_for_each_source() {
    let ran = run(fleet(), "outdated -o markdown").await;
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "5 sources in namespace shop: 1 major, 1 minor, 1 patch, 1 unknown, 1 none");
    assert_eq!(
        lines[2..4],
        [
            "| Namespace | Source | Running | In range | Beyond | Distance | Note |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
    );
    assert_eq!(lines[5], "| shop | ocirepo/minor | 1.0.0 | 1.0.4 | 1.3.0 | minor | - |");
    assert_eq!(lines.len(), 9);
}

async fn on_terminal(fake: Fake, line: &str, width: usize) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let typed = args::parse(words(line)).unwrap();
    let ports = Handle(Arc::new(fake)).ports();
    let mut console =
        Console::new(&mut out, &mut err).on(Terminals { out: true, err: true }).with_width(Some(width));
    cli::run(&typed, &ports, &mut console).await;
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[tokio::test]
async fn rows_fit_the_terminal_and_a_note_stands_under_its_row_where_there_is_no_room_beside_it() {
    let why = "could not ask: 401 UNAUTHORIZED: who are you?";
    let (wide, _) = on_terminal(fleet(), "outdated -A", 120).await;
    let row = wide.lines().find(|line| line.contains("ocirepo/lost")).unwrap();
    assert!(row.ends_with(why), "{wide}");
    for width in [80, 66] {
        let mut fake = fleet();
        fake.objects = Fake::of([
            repository("shop/lost", semver("1.0.x")),
            repository("shop/a-name-of-thirty-one-characters", semver("*")),
        ])
        .objects;
        let (narrow, _) = on_terminal(fake, "outdated -A", width).await;
        assert!(narrow.lines().all(|line| line.chars().count() <= width), "{narrow}");
        let at = narrow.lines().position(|line| line.contains("ocirepo/lost")).unwrap();
        assert_eq!(narrow.lines().nth(at + 1).unwrap(), format!("    {why}"), "{narrow}");
    }
}

#[tokio::test]
async fn progress_is_on_stderr_and_one_line_on_a_terminal() {
    let ran = run(fleet(), "outdated").await;
    assert!(ran.err.starts_with("asking 5 repositories at 1 registry\n"), "{}", ran.err);
    assert!(ran.err.contains("registry.test: 5 repositories asked, 1 not answered\n"), "{}", ran.err);
    assert!(!ran.out.contains("repositories"), "{}", ran.out);
    let (_, err) = on_terminal(fleet(), "outdated", 80).await;
    assert!(err.starts_with("\rasked 0 of 5 repositories, waiting for registry.test\x1b[K"), "{err:?}");
    assert!(err.contains("\r\x1b[Kerror: "), "the line goes before words come: {err:?}");
}

#[tokio::test]
async fn bad_usage_is_told_before_anyone_is_asked() {
    for (line, why) in [
        ("outdated --fail-on everything", "possible values: patch, minor, major, moved, unknown"),
        ("outdated --timeout 0", "needs some time"),
        ("outdated --timeout soon", "needs a duration"),
        ("outdated -o yaml", "possible values: table, json, markdown"),
        ("outdated -n shop -A", "cannot be used together"),
        ("outdated ocirepo/a", "unexpected argument"),
    ] {
        let world = Handle(Arc::new(fleet()));
        let ran = run_on(&world, line).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.contains(why) && world.0.asked.lock().unwrap().is_empty(), "{line}: {}", ran.err);
    }
}
