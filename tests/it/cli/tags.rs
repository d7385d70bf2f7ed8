//! `tags`: the order, the counts, what is chosen as far as no range is needed, and the exit code.

use super::{
    HOSTILE,
    fake::{Fake, Handle, chart, digest, head, helm_repository, id, kustomization, page, repository},
    is_safe, run, run_on,
};
use fluxscope::domain::{
    fact::Object,
    identity::Kind,
    problem::{Cause, Problem},
    source::{Follows, HELM_CHART_LAYER, SourceSpec},
};
use serde_json::{Value, json};
use std::sync::Arc;

const REPOSITORY: &str = "registry.test/shop/app";

fn with_tags(objects: Vec<Object>) -> Fake {
    let signature = format!("sha256-{}.sig", "a".repeat(64));
    let pages = vec![
        Ok(page(&["1.0.0", "1.10.0", "latest", &signature], &["../x\u{1b}[2J"], 1, true)),
        Ok(page(&["1.9.0", "1.10.0-rc.1"], &[], 2, false)),
    ];
    Fake { tags: [(REPOSITORY.to_owned(), pages)].into(), ..Fake::of(objects) }
}

fn column(document: &Value, name: &str) -> Vec<String> {
    let items = document["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item[name].as_str().map_or_else(|| item[name].to_string(), str::to_owned))
        .collect()
}

#[tokio::test]
async fn a_plain_repository_is_listed_newest_first_and_not_judged() {
    let ran = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} -o json")).await;
    let document = ran.json();
    assert_eq!(column(&document, "tag"), ["1.10.0", "1.10.0-rc.1", "1.9.0", "1.0.0", "latest"]);
    assert_eq!(column(&document, "version"), ["1.10.0", "1.10.0-rc.1", "1.9.0", "1.0.0", "null"]);
    assert!(column(&document, "verdict").iter().all(|verdict| verdict == "not-judged"));
    let mut top = document.clone();
    top.as_object_mut().unwrap().remove("items");
    assert_eq!(
        top,
        json!({
            "apiVersion": "fluxscope/v1", "kind": "TagList", "repository": REPOSITORY, "complete": true,
            "requests": 2, "hidden": 2, "chosen": null, "ambiguous": [], "error": null, "running": null,
            "askedWith": "nobody (anonymous)", "problems": [],
        })
    );
    assert_eq!(
        (ran.code, document["items"][0]["digest"].clone(), document["items"][0]["created"].clone()),
        (0, Value::Null, Value::Null)
    );
}

#[tokio::test]
async fn no_cluster_is_needed_for_a_repository() {
    let offline = Some(Problem::new(Cause::Unreachable, "connect", "refused"));
    let ran = run(Fake { offline, ..with_tags(vec![]) }, &format!("tags oci://{REPOSITORY} -o name")).await;
    assert_eq!((ran.code, ran.out.lines().next()), (0, Some("1.10.0")));
}

#[tokio::test]
async fn all_lists_signatures_and_invalid_names_too() {
    let document = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} --all -o json")).await.json();
    let verdicts = column(&document, "verdict");
    assert_eq!(document["hidden"], 0);
    assert_eq!(verdicts[5..], ["signature", "invalid"]);
    assert_eq!(document["items"][6]["tag"], "../x\u{1b}[2J", "unaltered for a script");
    for output in ["table", "wide", "name", "json", "yaml"] {
        let ran = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} --all -o {output}")).await;
        assert!(is_safe(&ran.out) && is_safe(&ran.err), "{output}");
    }
}

#[tokio::test]
async fn the_followed_tag_is_chosen_and_the_others_are_not_followed() {
    let source = || repository("shop/app", Follows::Tag("1.9.0".into()));
    let fake = || Fake { heads: [("1.9.0".to_owned(), Ok(head('b')))].into(), ..with_tags(vec![source()]) };
    let ran = run(fake(), "tags ocirepo/app -o json").await;
    let document = ran.json();
    assert_eq!(document["chosen"], json!({"tag": "1.9.0", "digest": digest('b')}));
    assert_eq!(
        column(&document, "verdict"),
        ["not-followed", "not-followed", "chosen", "not-followed", "not-followed"]
    );
    assert_eq!(document["items"][2]["digest"], digest('b'));
    assert_eq!(document["running"], json!({"tag": "1.0.0", "digest": digest('a')}));
    assert_eq!(column(&document, "running"), ["false", "false", "false", "true", "false"]);
    assert_eq!(ran.code, 0);
    let table = run(fake(), "tags ocirepo/app").await;
    assert!(table.out.contains("1.0.0         running   not-followed"), "{}", table.out);
    assert!(table.err.contains("5 of 7 tags of registry.test/shop/app"), "{}", table.err);
}

#[tokio::test]
async fn a_followed_tag_that_is_not_there_chooses_nothing() {
    let fake = with_tags(vec![repository("shop/app", Follows::Tag("9.9.9".into()))]);
    let ran = run(fake, "tags ocirepo/app -o json").await;
    assert_eq!((ran.code, ran.json()["chosen"].clone()), (1, Value::Null));
    assert_eq!(ran.json()["error"], "404 MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn a_digest_is_chosen_without_a_tag() {
    let fake = with_tags(vec![repository("shop/app", Follows::Digest(digest('c').into()))]);
    let ran = run(fake, "tags ocirepo/app -o json").await;
    assert_eq!((ran.code, ran.json()["chosen"].clone()), (0, json!({"tag": null, "digest": digest('c')})));
    assert!(column(&ran.json(), "verdict").iter().all(|verdict| verdict == "not-followed"));
}

#[tokio::test]
async fn a_digest_that_is_none_chooses_nothing_in_fluxs_words() {
    let fake = with_tags(vec![repository("shop/app", Follows::Digest("sha256:abc".into()))]);
    let ran = run(fake, "tags ocirepo/app -o json").await;
    assert_eq!((ran.code, ran.json()["chosen"].clone()), (1, Value::Null));
    assert_eq!(ran.json()["error"], "wrong number of hex digits for sha256: abc");
}

/// Helm asks for an exact version without looking at the list, so a list without it is not the last word.
#[tokio::test]
async fn an_exact_chart_version_is_asked_for_whatever_the_list_says() {
    let with = |version: &str, heads: &[&str]| {
        let mut chart = chart("shop/app", "shop/charts");
        if let Object::Source(source) = &mut chart
            && let SourceSpec::HelmChart { version: wanted, .. } = &mut source.spec
        {
            *wanted = version.into();
        }
        let tags = vec![Ok(page(&["1.0.0", "1.0.0_b"], &[], 1, false))];
        Fake {
            tags: [("registry.test/charts/app".to_owned(), tags)].into(),
            heads: heads.iter().map(|tag| ((*tag).to_owned(), Ok(head('b')))).collect(),
            ..Fake::of([chart, helm_repository("shop/charts", true)])
        }
    };
    let gone = run(with("1.0.1", &[]), "tags hc/app -o json").await;
    assert_eq!((gone.code, gone.json()["chosen"].clone()), (1, Value::Null));
    assert_eq!(gone.json()["error"], "404 MANIFEST_UNKNOWN");
    let unlisted = run(with("1.0.1", &["1.0.1"]), "tags hc/app -o json").await;
    assert_eq!((unlisted.code, &unlisted.json()["chosen"]["tag"]), (0, &json!("1.0.1")));
    let with_build = run(with("1.0.0+b", &["1.0.0_b"]), "tags hc/app -o json").await;
    assert_eq!(with_build.json()["chosen"], json!({"tag": "1.0.0_b", "digest": digest('b')}));
}

#[tokio::test]
async fn a_range_is_judged_tag_by_tag_with_the_rule_that_decided() {
    let fake = || with_tags(vec![repository("shop/app", Follows::Semver("1.9.x".into()))]);
    let ran = run(fake(), "tags ocirepo/app -o json").await;
    let document = ran.json();
    assert_eq!((ran.code, document["chosen"]["tag"].clone()), (0, json!("1.9.0")));
    let expected = ["out-of-range", "out-of-range", "chosen", "out-of-range", "not-a-version"];
    assert_eq!(column(&document, "verdict"), expected);
    assert_eq!(document["items"][0]["reason"], "1.10.0 does not satisfy 1.9.x");
    let other = run(fake(), "tags ocirepo/app -o json --semver >=1.10.0-0").await;
    assert_eq!(other.json()["chosen"]["tag"], "1.10.0", "the flag stands in for the object's own range");
}

#[tokio::test]
async fn a_policy_that_chooses_nothing_exits_1_with_flux_words() {
    let ran = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} --semver >=7 -o json")).await;
    assert_eq!((ran.code, ran.json()["error"].clone()), (1, json!("no match found for semver: >=7")));
    let bad =
        run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} --semver 1.x --filter-regex ( -o json"))
            .await;
    assert_eq!(
        (bad.code, bad.json()["error"].clone()),
        (1, json!("error parsing regexp: missing closing ): `(`"))
    );
    let broken = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} --semver >=1,<abc")).await;
    assert!(
        broken.err.contains("improper constraint: \">=1,<abc\"\n  >=1,<abc\n       ^\n"),
        "{}",
        broken.err
    );
    let none = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} --semver= -o json")).await;
    assert_eq!(
        none.json()["error"],
        "404 MANIFEST_UNKNOWN",
        "an empty range is no range: latest is asked for"
    );
}

#[tokio::test]
async fn a_filter_without_a_range_is_said_to_play_no_part() {
    let words = "the filter plays no part: it counts beside a range only (--semver)";
    for (flags, told) in [("--filter-regex (", true), ("--filter-regex 1 --semver=", true), ("", false)] {
        let ran = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} {flags}")).await;
        assert_eq!(ran.err.contains(words), told, "{flags}: {}", ran.err);
    }
    let ran = run(with_tags(vec![]), &format!("tags oci://{REPOSITORY} --semver 1.x --filter-regex 1")).await;
    assert!(!ran.err.contains("plays no part"), "{}", ran.err);
}

#[tokio::test]
async fn a_range_is_not_judged_by_half_a_list() {
    let broken = Problem::new(Cause::RateLimited, format!("list tags of {REPOSITORY}"), "429");
    let pages = vec![Ok(page(&["1.0.0"], &[], 1, true)), Err(broken)];
    let fake = Fake { tags: [(REPOSITORY.to_owned(), pages)].into(), ..Fake::default() };
    let ran = run(fake, &format!("tags oci://{REPOSITORY} --semver 1.x -o json")).await;
    assert_eq!((ran.code, ran.json()["chosen"].clone()), (2, Value::Null));
    assert_eq!(column(&ran.json(), "verdict"), ["not-judged"]);
}

#[tokio::test]
async fn a_tag_that_was_moved_is_not_what_runs() {
    let source = repository("shop/app", Follows::Tag("1.0.0".into()));
    let heads = [("1.0.0".to_owned(), Ok(head('b')))].into();
    let ran = run(Fake { heads, ..with_tags(vec![source]) }, "tags ocirepo/app -o json").await;
    assert_eq!(ran.json()["running"], json!({"tag": "1.0.0", "digest": digest('a')}));
    assert!(column(&ran.json(), "running").iter().all(|running| running == "false"));
}

#[tokio::test]
async fn tags_of_charts_are_read_with_plus_for_underscore() {
    let mut source = repository("shop/app", Follows::Semver("*".into()));
    if let Object::Source(source) = &mut source
        && let SourceSpec::Oci(spec) = &mut source.spec
    {
        spec.layer.media_type = Some(HELM_CHART_LAYER.into());
    }
    let tags = [(REPOSITORY.to_owned(), vec![Ok(page(&["0.1.0", "1.0.0_x"], &[], 1, false))])];
    let ran = run(Fake { tags: tags.into(), ..Fake::of([source]) }, "tags ocirepo/app -o json").await;
    assert_eq!(column(&ran.json(), "tag"), ["1.0.0_x", "0.1.0"]);
    assert_eq!(ran.json()["items"][0]["version"], "1.0.0+x");
}

#[tokio::test]
async fn a_list_that_breaks_off_keeps_what_came_and_exits_2() {
    let broken = Problem::new(Cause::RateLimited, format!("list tags of {REPOSITORY}"), HOSTILE);
    let pages = vec![Ok(page(&["1.0.0"], &[], 1, true)), Err(broken)];
    let fake = || Fake { tags: [(REPOSITORY.to_owned(), pages.clone())].into(), ..Fake::default() };
    let ran = run(fake(), &format!("tags oci://{REPOSITORY} -o json")).await;
    assert_eq!((ran.code, ran.json()["complete"].clone()), (2, json!(false)));
    assert_eq!(column(&ran.json(), "tag"), ["1.0.0"]);
    assert_eq!(ran.json()["problems"][0]["why"], HOSTILE);
    assert!(is_safe(&ran.err) && ran.err.contains("bad\\x1b[2J"));
}

#[tokio::test]
async fn a_list_that_was_cut_is_not_complete() {
    let mut cut = page(&["1.0.0"], &[], 500, false);
    cut.cut = Some("stopped after 500 pages".into());
    let fake = Fake { tags: [(REPOSITORY.to_owned(), vec![Ok(cut)])].into(), ..Fake::default() };
    let ran = run(fake, &format!("tags oci://{REPOSITORY} -o json")).await;
    assert_eq!((ran.code, ran.json()["complete"].clone()), (2, json!(false)));
    assert!(ran.err.contains("stopped after 500 pages"));
}

#[tokio::test]
async fn an_unknown_repository_or_source_is_exit_2_with_words() {
    let ran = run(Fake::default(), "tags oci://registry.test/nope -o json").await;
    assert_eq!((ran.code, ran.json()["items"].clone()), (2, json!([])));
    assert!(ran.err.contains("404 NAME_UNKNOWN"));
    let ran =
        run(Fake::of([kustomization("shop/a", id(Kind::Bucket, "shop/a"))]), "tags ocirepo/a -o json").await;
    assert_eq!((ran.code, ran.json()["problems"][0]["why"].clone()), (2, json!("not found")));
}

#[tokio::test]
async fn only_the_chosen_the_running_and_the_newest_tag_are_looked_at() {
    let fake = || {
        let heads = ["1.0.0", "1.9.0", "1.10.0", "latest"].map(|tag| (tag.to_owned(), Ok(head('a'))));
        let created = [("1.9.0".to_owned(), "2026-02-10T10:47:19Z".to_owned())].into();
        Fake {
            heads: heads.into(),
            created,
            ..with_tags(vec![repository("shop/app", Follows::Semver("1.9.x".into()))])
        }
    };
    let world = Handle(Arc::new(fake()));
    let ran = run_on(&world, "tags ocirepo/app -o json").await;
    let mut looked_at = world.0.described.lock().unwrap().clone();
    looked_at.sort();
    assert_eq!(looked_at, ["1.0.0", "1.10.0", "1.9.0"].map(|tag| format!("{REPOSITORY}:{tag}")));
    assert_eq!(column(&ran.json(), "digest"), [&digest('a'), "null", &digest('a'), &digest('a'), "null"]);
    assert_eq!(column(&ran.json(), "created"), ["null", "null", "2026-02-10T10:47:19Z", "null", "null"]);
    let wide = run(fake(), "tags ocirepo/app -o wide").await.out;
    let row = wide.lines().find(|line| line.starts_with("1.9.0")).unwrap();
    assert!(row.contains("aaaaaaaa   2026-02-10T10:47:19Z"), "{wide}");
}

#[tokio::test]
async fn what_a_closer_look_does_not_find_is_told_beside_its_tag_and_is_no_failure() {
    let refused = Err(Problem::new(Cause::Forbidden, "read the manifest", "403 DENIED"));
    let heads = [("1.10.0".to_owned(), refused)].into();
    let ran = run(Fake { heads, ..with_tags(vec![]) }, &format!("tags oci://{REPOSITORY} -o json")).await;
    assert_eq!((ran.code, ran.json()["complete"].clone()), (0, json!(true)));
    let newest = &ran.json()["items"][0];
    assert_eq!((&newest["digest"], &newest["problem"]["why"]), (&Value::Null, &json!("403 DENIED")));
    assert!(ran.err.contains("error: read the manifest: 403 DENIED"), "{}", ran.err);
}

#[tokio::test]
async fn an_empty_range_leaves_what_flux_would_follow_without_it() {
    for (own, ignored, expected) in [
        (Follows::Semver("1.9.x".into()), None, json!({"tag": "latest", "digest": digest('b')})),
        (Follows::Semver("1.9.x".into()), Some("1.0.0"), json!({"tag": "1.0.0", "digest": digest('b')})),
        (Follows::Tag("1.9.0".into()), None, json!({"tag": "1.9.0", "digest": digest('b')})),
        (Follows::Digest(digest('c').into()), None, json!({"tag": null, "digest": digest('c')})),
    ] {
        let mut source = repository("shop/app", own);
        if let Object::Source(source) = &mut source
            && let SourceSpec::Oci(spec) = &mut source.spec
        {
            spec.ignored_tag = ignored.map(Into::into);
        }
        let heads = ["latest", "1.0.0", "1.9.0"].map(|tag| (tag.to_owned(), Ok(head('b')))).into();
        let ran = run(Fake { heads, ..with_tags(vec![source]) }, "tags ocirepo/app -o json --semver=").await;
        assert_eq!((ran.code, ran.json()["chosen"].clone()), (0, expected));
    }
}

#[tokio::test]
async fn a_repository_of_signatures_only_has_nothing_to_list() {
    let signature = format!("sha256-{}.sig", "b".repeat(64));
    let tags = || [(REPOSITORY.to_owned(), vec![Ok(page(&[&signature], &[], 1, false))])].into();
    let ran =
        run(Fake { tags: tags(), ..Fake::default() }, &format!("tags oci://{REPOSITORY} -o json")).await;
    assert_eq!(
        (ran.code, ran.json()["items"].clone(), ran.json()["hidden"].clone()),
        (0, json!([]), json!(1))
    );
    let line = format!("tags oci://{REPOSITORY} --semver 1.x --all -o json");
    let ran = run(Fake { tags: tags(), ..Fake::default() }, &line).await;
    assert_eq!((ran.code, column(&ran.json(), "verdict")), (1, vec!["signature".to_owned()]));
}
