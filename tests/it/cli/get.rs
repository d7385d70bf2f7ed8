//! `get`: rows, fields, what could not be asked, and the exit code.

use super::{
    HOSTILE, Handle,
    fake::{Changed, Fake, chart, digest, helm_repository, id, kustomization, page, release, repository},
    is_safe, run, run_on,
};
use fluxscope::cli::{self, args, output::Console};
use fluxscope::domain::{
    condition::ConditionStatus,
    fact::{Fact, FeedId, Object},
    identity::Kind,
    problem::{Cause, Problem},
    source::Follows,
};
use serde_json::{Value, json};
use std::{
    io::{self, Write},
    sync::Arc,
};

fn semver() -> Follows {
    Follows::Semver("1.x".into())
}

fn of(path: &str) -> fluxscope::domain::identity::ObjectId {
    id(Kind::OciRepository, path)
}

fn forbidden(what: &str) -> Problem {
    Problem::new(Cause::Forbidden, what, "may not: the verb list is missing").with_hint("ask for it")
}

fn shop() -> Fake {
    Fake::of([
        repository("shop/app", semver()),
        kustomization("shop/app", of("shop/app")).labelled("team", "web"),
        release("shop/app", of("shop/app")),
        kustomization("infra/dns", of("shop/app")),
    ])
}

#[tokio::test]
async fn an_item_has_exactly_the_promised_fields() {
    let ran = run(shop(), "get ocirepo app -o json").await;
    let revision = format!("1.0.0@{}", digest('a'));
    assert_eq!(
        ran.json(),
        json!({
            "apiVersion": "fluxscope/v1", "kind": "ObjectList", "complete": true, "problems": [],
            "items": [{
                "kind": "OCIRepository", "namespace": "shop", "name": "app",
                "standing": "ready", "reason": "Succeeded", "message": "stored artifact",
                "followsBy": "semver", "follows": "1.x",
                "revision": revision, "tag": "1.0.0", "digest": digest('a'),
                "source": null, "newest": null, "problem": null,
            }],
        })
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[tokio::test]
async fn a_release_shows_its_chart_version_and_the_digest_beside_it() {
    let item = run(shop(), "get hr/app -o json").await.json()["items"][0].clone();
    assert_eq!(item["revision"], "1.0.0+aaaaaaaaaaaa");
    assert_eq!(item["tag"], "1.0.0+aaaaaaaaaaaa");
    assert_eq!(item["digest"], digest('a'));
    assert_eq!(item["source"], json!({"kind": "OCIRepository", "namespace": "shop", "name": "app"}));
    assert_eq!((&item["followsBy"], &item["follows"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_source_without_a_ref_follows_latest() {
    let fake = Fake::of([repository("shop/app", Follows::Latest)]);
    let item = run(fake, "get ocirepo -o json").await.json()["items"][0].clone();
    assert_eq!((item["followsBy"].as_str(), item["follows"].as_str()), (Some("tag"), Some("latest")));
}

#[tokio::test]
async fn the_scope_is_the_contexts_namespace_or_n_or_all() {
    assert_eq!(run(shop(), "get ks -o name").await.out, "kustomization.kustomize.toolkit.fluxcd.io/app\n");
    assert_eq!(run(shop(), "get ks -n infra -o json").await.standings(), ["dns ready"]);
    assert_eq!(run(shop(), "get ks -A -o json").await.standings(), ["dns ready", "app ready"]);
    assert_eq!(run(shop(), "-A get -o json").await.standings().len(), 4, "all is the default");
}

#[tokio::test]
async fn yaml_is_the_same_document() {
    let json = run(shop(), "get -A -o json").await.json();
    let yaml = run(shop(), "get -A -o yaml").await;
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml.out).unwrap(), json);
}

#[tokio::test]
async fn a_table_is_aligned_and_wide_adds_columns() {
    let ran = run(shop(), "get -A").await;
    let mut lines = ran.out.lines();
    let header = lines.next().unwrap();
    assert_eq!(
        header.split_whitespace().collect::<Vec<_>>(),
        ["NAMESPACE", "KIND", "NAME", "STANDING", "FOLLOWS", "REVISION", "MESSAGE"]
    );
    let column = header.find("STANDING").unwrap();
    assert!(lines.all(|line| line[column..].starts_with("ready")), "{}", ran.out);
    assert!(ran.out.contains("1.0.0@aaaaaaaa "), "{}", ran.out);
    let wide = run(shop(), "get ks -o wide").await.out;
    assert!(wide.contains("SOURCE") && wide.contains("ocirepo shop/app") && wide.contains(&digest('a')));
    let bare = run(shop(), "get ks --no-header").await.out;
    assert!(bare.starts_with("app   ready") && bare.lines().count() == 1, "{bare}");
}

#[tokio::test]
async fn a_selector_picks_by_label() {
    assert_eq!(run(shop(), "get all -A -l team=web -o json").await.standings(), ["app ready"]);
    let ran = run(shop(), "get ks -l team=api").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    assert!(ran.err.contains("no Kustomization matches"), "{}", ran.err);
}

#[tokio::test]
async fn a_name_that_is_not_there_is_exit_1_with_words() {
    for line in ["get ks nope -o json", "get ks/nope -A -o json", "get all nope -o json"] {
        let ran = run(shop(), line).await;
        assert_eq!(ran.code, 1, "{line}");
        assert_eq!(ran.json()["items"], json!([]), "{line}");
        assert!(ran.err.contains(" nope in "), "{line}: {}", ran.err);
    }
}

#[tokio::test]
async fn one_named_object_costs_no_lists() {
    let world = Handle(Arc::new(Fake { refused: all_refused(), ..shop() }));
    let ran = run_on(&world, "get ks app -o json").await;
    assert_eq!((ran.code, ran.standings()), (0, vec!["app ready".to_owned()]));
    assert_eq!(*world.0.fetched.lock().unwrap(), [id(Kind::Kustomization, "shop/app"), of("shop/app")]);
}

fn all_refused() -> std::collections::HashMap<Kind, Problem> {
    Kind::WATCHED.into_iter().map(|kind| (kind, forbidden(&format!("list {kind}")))).collect()
}

#[tokio::test]
async fn failing_objects_are_an_answer() {
    let failing = repository("shop/app", semver()).with_status(ConditionStatus::False, "Failed", HOSTILE);
    let fake = || Fake::of([failing.clone(), kustomization("shop/app", of("shop/app"))]);
    let ran = run(fake(), "get -o json").await;
    assert_eq!(ran.code, 0);
    assert_eq!(ran.standings(), ["app failing", "app stale"]);
    assert_eq!(ran.json()["items"][0]["message"], HOSTILE, "a script gets the text unaltered");
    for output in ["table", "wide", "json", "yaml", "name"] {
        let ran = run(fake(), &format!("get -o {output}")).await;
        assert!(is_safe(&ran.out) && is_safe(&ran.err), "{output}: {:?}", ran.out);
    }
}

#[tokio::test]
async fn a_source_in_another_namespace_is_read_to_judge_its_consumer() {
    let moved = repository("shop/app", semver()).holding(&format!("1.0.1@{}", digest('b')));
    let fake = Fake::of([moved, kustomization("infra/dns", of("shop/app"))]);
    assert_eq!(run(fake, "get ks -n infra -o json").await.standings(), ["dns stale"]);
}

#[tokio::test]
async fn a_source_in_another_namespace_that_is_gone_makes_stale() {
    let fake = Fake::of([kustomization("infra/dns", of("shop/app"))]);
    let ran = run(fake, "get ks -n infra -o json").await;
    assert_eq!((ran.code, ran.standings()), (0, vec!["dns stale".to_owned()]));
    assert_eq!(ran.json()["items"][0]["reason"], "SourceNotFound");
}

#[tokio::test]
async fn a_source_that_may_not_be_read_is_not_judged_and_the_row_says_so() {
    let fake = Fake {
        unreadable: [(of("shop/app"), forbidden("get ocirepo"))].into(),
        ..Fake::of([kustomization("infra/dns", of("shop/app"))])
    };
    let ran = run(fake, "get ks -n infra -o json").await;
    assert_eq!((ran.code, ran.standings()), (0, vec!["dns ready".to_owned()]));
    let why = ran.json()["items"][0]["problem"]["why"].clone();
    assert!(why.as_str().unwrap().contains("freshness not judged"), "{why}");
}

#[tokio::test]
async fn a_source_that_could_not_be_asked_is_exit_2() {
    let down = Problem::new(Cause::Unreachable, "get ocirepo", "connection refused");
    let fake = Fake {
        unreadable: [(of("shop/app"), down)].into(),
        ..Fake::of([kustomization("infra/dns", of("shop/app"))])
    };
    let ran = run(fake, "get ks -n infra -o json").await;
    assert_eq!((ran.code, ran.json()["complete"].clone()), (2, json!(false)));
    assert!(ran.err.contains("connection refused"));
}

#[tokio::test]
async fn a_kind_that_may_not_be_listed_leaves_the_others_alone() {
    let fake = || Fake {
        refused: [(Kind::HelmRelease, forbidden("list helmreleases"))].into(),
        missing: vec![Kind::ExternalArtifact],
        ..shop()
    };
    let ran = run(fake(), "get all -o json").await;
    assert_eq!((ran.code, ran.standings().len()), (2, 2));
    let document = ran.json();
    assert_eq!(document["complete"], false);
    assert_eq!(
        document["problems"],
        json!([{"what": "list helmreleases", "why": "may not: the verb list is missing", "hint": "ask for it"}])
    );
    assert_eq!(
        ran.err, "error: list helmreleases: may not: the verb list is missing\n  try: ask for it\n",
        "what is not installed is quiet"
    );
    let ran = run(fake(), "get ks -o json").await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "what was not asked for is no problem");
}

#[tokio::test]
async fn a_kind_that_never_answered_is_not_nothing_there() {
    let fake = || Fake { silent: vec![Kind::HelmRelease], ..shop() };
    let ran = run(fake(), "get all -o json").await;
    assert_eq!((ran.code, ran.json()["complete"].clone(), ran.standings().len()), (2, json!(false), 2));
    assert!(ran.err.contains("list helmreleases in namespace shop"), "{}", ran.err);
    let ran = run(fake(), "get ks -o json").await;
    assert_eq!((ran.code, ran.json()["complete"].clone()), (0, json!(true)), "it was not asked for");
}

#[tokio::test]
async fn an_object_that_cannot_be_read_is_told() {
    let feed = FeedId { kind: Kind::Kustomization, namespace: Some("shop".into()) };
    let problem = Problem::new(Cause::Invalid, "read a Kustomization", HOSTILE);
    let fake = Fake { facts: vec![Fact::Unreadable { feed, object: None, problem }], ..shop() };
    let ran = run(fake, "get ks").await;
    assert_eq!((ran.code, ran.out.lines().count()), (2, 2));
    assert!(is_safe(&ran.err) && ran.err.contains("bad\\x1b[2J\\u{202e}"), "{}", ran.err);
}

#[tokio::test]
async fn without_a_cluster_a_script_still_gets_a_document() {
    let offline =
        || Problem::new(Cause::Unreachable, "connect to test", "connection refused").with_hint("is it up?");
    let ran = run(Fake { offline: Some(offline()), ..Fake::default() }, "get -o json").await;
    assert_eq!(ran.code, 2);
    assert_eq!(ran.json()["problems"][0]["why"], "connection refused");
    assert_eq!(ran.err, "error: connect to test: connection refused\n  try: is it up?\n");
    let ran = run(Fake { offline: Some(offline()), ..Fake::default() }, "get").await;
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
}

#[tokio::test]
async fn among_sources_only_helm_repositories_of_type_oci_count() {
    let fake = || Fake::of([helm_repository("shop/a", true), helm_repository("shop/b", false)]);
    assert_eq!(run(fake(), "get sources -o json").await.standings(), ["a ready"]);
    assert_eq!(run(fake(), "get helmrepo -o json").await.standings(), ["a ready", "b ready"]);
    let item = run(fake(), "get helmrepo a -o json").await.json()["items"][0].clone();
    assert_eq!(item["reason"], "Static");
}

#[tokio::test]
async fn registries_are_asked_with_newest_only_and_each_repository_once() {
    let second = match repository("shop/app", semver()) {
        Object::Source(mut source) => {
            source.meta.id = of("shop/same");
            Object::Source(source)
        }
        Object::Consumer(_) => unreachable!(),
    };
    let tags = [
        (
            "registry.test/shop/app".to_owned(),
            vec![
                Ok(page(&["1.9.0", "latest"], &[], 1, true)),
                Ok(page(&["1.10.0", "2.0.0-rc.1"], &[], 2, false)),
            ],
        ),
        ("registry.test/charts/app".to_owned(), vec![Ok(page(&["3.0.0_build"], &[], 1, false))]),
    ];
    let objects = [
        repository("shop/app", semver()),
        second,
        chart("shop/c", "shop/r"),
        helm_repository("shop/r", true),
    ];
    let world = Handle(Arc::new(Fake { tags: tags.into(), ..Fake::of(objects) }));
    let ran = run_on(&world, "get sources -o json").await;
    assert!(ran.json()["items"].as_array().unwrap().iter().all(|item| item["newest"].is_null()));
    assert!(world.0.asked.lock().unwrap().is_empty());
    let ran = run_on(&world, "get sources --newest -o json").await;
    let newest: Vec<Value> =
        ran.json()["items"].as_array().unwrap().iter().map(|i| i["newest"].clone()).collect();
    assert_eq!(newest, [json!("1.10.0"), json!("1.10.0"), json!(null), json!("3.0.0_build")]);
    assert_eq!((ran.code, world.0.asked.lock().unwrap().len()), (0, 2));
}

#[tokio::test]
async fn the_table_tells_what_flux_would_take_and_what_is_beyond() {
    let tags = vec![Ok(page(&["1.0.0", "1.10.0", "2.0.0"], &[], 1, false))];
    let world = || Fake { tags: [("registry.test/shop/app".to_owned(), tags.clone())].into(), ..shop() };
    let table = run(world(), "get ocirepo --newest").await;
    assert!(table.out.contains("1.10.0 minor, beyond: 2.0.0 major"), "{}", table.out);
    let item = run(world(), "get ocirepo --newest -o json").await.json()["items"][0].clone();
    assert_eq!(item["newest"], "2.0.0");
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_a_problem_of_its_row() {
    let ran = run(shop(), "get ocirepo --newest -o json").await;
    let item = ran.json()["items"][0].clone();
    assert_eq!(
        (ran.code, &item["newest"], item["problem"]["why"].as_str()),
        (2, &Value::Null, Some("404 NAME_UNKNOWN"))
    );
    let table = run(shop(), "get ocirepo --newest").await;
    assert!(table.out.contains("could not ask") && table.err.contains("404 NAME_UNKNOWN"), "{}", table.out);
}

fn changed(object: Object) -> Vec<Fact> {
    vec![Fact::Changed(Arc::new(object))]
}

#[tokio::test(start_paused = true)]
async fn a_watch_prints_each_object_once_and_then_what_changed() {
    let later = vec![
        changed(kustomization("shop/app", of("shop/app")).labelled("team", "web")),
        changed(kustomization("shop/app", of("shop/app")).with_status(
            ConditionStatus::False,
            "Bad",
            HOSTILE,
        )),
        vec![Fact::Gone(id(Kind::Kustomization, "shop/app"))],
    ];
    let fake = || Fake { later: later.clone(), ..shop() };
    let ran = run(fake(), "get ks -w -o json").await;
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> =
        lines.iter().map(|l| (l["standing"].as_str().unwrap(), l["deleted"].as_bool().unwrap())).collect();
    assert_eq!(told, [("ready", false), ("failing", false), ("failing", true)], "no line without a change");
    assert!(
        is_safe(&ran.out) && lines[0]["apiVersion"] == "fluxscope/v1" && lines[0]["kind"] == "Kustomization"
    );
    let table = run(fake(), "get ks -w").await.out;
    let standing = |line: &str| line.split_whitespace().nth(1).unwrap().to_owned();
    assert_eq!(table.lines().map(standing).collect::<Vec<_>>(), ["STANDING", "ready", "failing", "deleted"]);
}

#[tokio::test(start_paused = true)]
async fn a_watch_follows_sources_in_other_namespaces() {
    let moved = repository("shop/app", semver()).holding(&format!("1.0.1@{}", digest('b')));
    let fake =
        Fake { later: vec![Vec::new()], ..Fake::of([moved, kustomization("infra/dns", of("shop/app"))]) };
    let ran = run(fake, "get ks -n infra -w -o json").await;
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["standing"], "stale");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_wide_list_that_was_narrowed_is_not_complete() {
    let narrowed = |namespaces: &[&str]| Fact::Narrowed {
        kind: Kind::HelmRelease,
        namespaces: namespaces.iter().map(|name| Arc::from(*name)).collect(),
        problem: forbidden("list helmreleases in all namespaces"),
    };
    let ran = run(Fake { facts: vec![narrowed(&["shop"])], ..shop() }, "get all -A -o json").await;
    assert_eq!((ran.code, ran.json()["complete"].clone()), (2, json!(false)));
    let later = vec![vec![narrowed(&["shop"])]];
    let ran = run(Fake { later, ..shop() }, "get ks -A -w -o name").await;
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "another kind's refusal stops nothing");
}

#[tokio::test]
async fn six_narrowed_kinds_are_one_error_and_six_problems_of_the_document() {
    let narrowed = |kind: Kind| {
        let (plural, group) = (kind.plural(), kind.group());
        let why = format!(
            "403 Forbidden: {plural}.{group} is forbidden: User \"jane\" cannot list resource \"{plural}\" \
             in API group \"{group}\" at the cluster scope; asked namespace by namespace: 1 may be read"
        );
        let problem = Problem::new(Cause::Forbidden, format!("list {plural} in all namespaces"), why)
            .with_hint(format!("the verb list on {plural}.{group} is missing in all namespaces"));
        Fact::Narrowed { kind, namespaces: vec!["shop".into()], problem }
    };
    let listed = |kind: Kind| {
        let feed = FeedId { kind, namespace: Some("shop".into()) };
        Fact::Listed { feed, objects: Vec::new(), at: fluxscope::domain::Timestamp::UNIX_EPOCH }
    };
    let facts = Kind::WATCHED.into_iter().flat_map(|kind| [narrowed(kind), listed(kind)]).collect();
    let fake = Fake { facts, silent: Kind::WATCHED.to_vec(), ..shop() };
    let ran = run(fake, "get -A -o json").await;
    assert_eq!((ran.code, ran.json()["problems"].as_array().unwrap().len()), (2, Kind::WATCHED.len()));
    let lines: Vec<&str> = ran.err.lines().collect();
    let all = Kind::WATCHED.map(Kind::plural).join(", ");
    assert_eq!(lines.len(), 2, "{}", ran.err);
    assert!(
        lines[0].starts_with(&format!("error: list {all} in all namespaces: 403 Forbidden")),
        "{}",
        ran.err
    );
    assert!(lines[0].ends_with("1 may be read (and alike for the others)"), "{}", ran.err);
    assert_eq!(lines[1], format!("  try: the verb list on {all} is missing in all namespaces"));
}

#[tokio::test(start_paused = true)]
async fn a_watch_says_when_it_is_lost_and_when_it_is_back() {
    let feed = FeedId { kind: Kind::Kustomization, namespace: Some("shop".into()) };
    let problem = Problem::new(Cause::Unreachable, "watch kustomizations", "connection reset");
    let since = fluxscope::domain::Timestamp::UNIX_EPOCH;
    let lost = vec![Fact::WatchLost { feed: feed.clone(), problem, since }];
    let fake = Fake { later: vec![lost, vec![Fact::WatchBack { feed }]], ..shop() };
    let ran = run(fake, "get ks -w").await;
    assert_eq!(
        ran.err,
        "error: watch kustomizations: connection reset\nthe watch of Kustomization is back\n"
    );
}

/// Stdout of a reader that has gone.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_when_its_reader_goes_away() {
    let world = Handle(Arc::new(Fake { later: vec![Vec::new(); 100], ..shop() }));
    let typed = args::parse(super::words("get ks -w")).unwrap();
    let ports = world.ports();
    let (before, mut err) = (tokio::time::Instant::now(), Vec::new());
    let code = cli::run(&typed, &ports, &mut Console::new(&mut Gone, &mut err)).await;
    assert_eq!((code, err.len(), before.elapsed().as_secs()), (0, 0, 0));
}
