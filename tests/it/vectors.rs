//! What Flux's own libraries answer, row by row: versions, their order, and `spec.url`.

use fluxscope::domain::{
    constraint::{Constraint, Judgement},
    policy::{Choice, Dialect, Policy, Selection},
    repository::Repository,
    source::{Follows, HELM_CHART_LAYER},
    version::{Version, newest_first},
};
use serde_json::Value;
use std::{cmp::Ordering, path::Path, sync::Arc};

/// A file beside the repository; absent from a clone of it alone.
fn shared(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: {} is absent", path.display());
        return None;
    };
    Some(serde_json::from_slice(&bytes).unwrap())
}

fn rows<'a>(data: &'a Value, name: &str) -> &'a [Value] {
    let rows = data[name].as_array().unwrap();
    assert!(rows.len() > 10, "{name} holds too little to prove anything");
    rows
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}

#[test]
fn versions_are_read_as_masterminds_reads_them() {
    let Some(data) = shared("semver_vectors.json") else { return };
    for row in rows(&data, "version_parse") {
        let input = row["input"].as_str().unwrap();
        let parsed = Version::parse(input);
        let valid = [parsed.is_ok(), Version::parse_tag(input).is_ok(), Version::parse_strict(input).is_ok()];
        assert_eq!(valid, ["valid", "flux_valid", "strict_valid"].map(|f| row[f] == true), "{row}");
        if let Ok(version) = parsed {
            let parts = [version.major(), version.minor(), version.patch()].map(|n| n.to_string());
            assert_eq!(parts, ["major", "minor", "patch"].map(|field| text(row, field).to_owned()), "{row}");
            assert_eq!(version.prerelease(), text(row, "prerelease"), "{row}");
            assert_eq!(version.metadata(), text(row, "metadata"), "{row}");
            assert_eq!(version.to_string(), text(row, "string"), "{row}");
            assert_eq!(version.original(), input);
        }
    }
}

#[test]
fn versions_are_ordered_as_masterminds_orders_them() {
    let Some(data) = shared("semver_vectors.json") else { return };
    for row in rows(&data, "version_compare") {
        let [a, b] = ["a", "b"].map(|field| Version::parse(text(row, field)).unwrap());
        let expected = row["compare"].as_i64().unwrap().cmp(&0);
        assert_eq!(a.cmp(&b), expected, "{row}");
        assert_eq!(b.cmp(&a), expected.reverse(), "{row}");
        assert_eq!(a == b, expected == Ordering::Equal, "{row}");
    }
}

#[test]
fn tags_are_sorted_newest_first() {
    let Some(data) = shared("semver_vectors.json") else { return };
    let list = |field: &str| -> Vec<String> {
        rows(&data["version_sort_desc"], field).iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
    };
    let mut tags = list("input");
    newest_first(&mut tags);
    assert_eq!(tags, list("output"));
}

#[test]
fn urls_are_read_as_flux_reads_them() {
    let Some(data) = shared("oci_url_vectors.json") else { return };
    for row in rows(&data, "rows") {
        match Repository::parse_url(text(row, "url")) {
            Ok(repository) => {
                assert_eq!(row["error"], Value::Null, "{row}");
                let name =
                    [repository.registry().to_owned(), repository.path().to_owned(), repository.to_string()];
                assert_eq!(
                    name,
                    ["registry", "repository", "name"].map(|f| text(row, f).to_owned()),
                    "{row}"
                );
                let insecure = row["insecure"].as_bool().unwrap();
                let scheme = if repository.allows_http(insecure) { "http" } else { "https" };
                assert_eq!(scheme, text(row, "scheme"), "{row}");
            }
            Err(error) => assert_eq!(error.to_string(), text(row, "error"), "{row}"),
        }
    }
}

#[test]
fn constraints_are_judged_as_masterminds_judges_them() {
    let Some(data) = shared("semver_vectors.json") else { return };
    for row in rows(&data, "constraints") {
        let constraint = Constraint::parse(text(row, "constraint")).unwrap();
        let version = Version::parse(text(row, "version")).unwrap();
        assert_eq!(constraint.matches(&version), row["matches"] == true, "{row}");
    }
}

/// What Masterminds answers where pre-releases are let in is the verdict `pre-release`.
#[test]
fn what_only_the_gate_for_pre_releases_keeps_out_is_told_apart() {
    let Some(data) = shared("semver_vectors.json") else { return };
    for row in data["constraints_with_include_prerelease_true"]["rows"].as_array().unwrap() {
        let constraint = Constraint::parse(text(row, "constraint")).unwrap();
        let version = Version::parse(text(row, "version")).unwrap();
        assert!(!constraint.matches(&version), "{row}");
        let gated = matches!(constraint.judge(&version), Judgement::PreRelease { .. });
        assert_eq!(gated, row["matches"] == true, "{row}");
    }
}

#[test]
fn constraints_are_read_and_refused_as_masterminds_does() {
    let Some(data) = shared("semver_vectors.json") else { return };
    for row in rows(&data, "constraint_syntax") {
        match Constraint::parse(text(row, "constraint")) {
            Ok(constraint) => assert_eq!(constraint.to_string(), text(row, "canonical"), "{row}"),
            Err(error) => assert_eq!(error.to_string(), text(row, "error"), "{row}"),
        }
    }
}

fn selection(row: &Value, filter: &str, range: &str, helm: bool) -> Selection {
    let tags: Vec<Arc<str>> =
        row["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().into()).collect();
    let dialect = if helm { Dialect::HelmLayer } else { Dialect::Lenient };
    let follows = Some(Follows::from_ref("", range, ""));
    Policy { follows, filter: (!filter.is_empty()).then(|| filter.into()), dialect }.select(&tags)
}

fn chosen(selection: &Selection) -> Option<&str> {
    match &selection.chosen {
        Some(Choice::Tag(tag)) => Some(tag),
        Some(Choice::Digest(_)) | None => None,
    }
}

#[test]
fn tags_are_chosen_as_flux_chooses_them() {
    let Some(data) = shared("semver_vectors.json") else { return };
    for row in rows(&data, "flux_tag_selection") {
        let helm = text(row, "layerSelectorMediaType") == HELM_CHART_LAYER;
        let selection = selection(row, text(row, "semverFilter"), text(row, "semver"), helm);
        assert_eq!(chosen(&selection), row["selected"].as_str().filter(|tag| !tag.is_empty()), "{row}");
    }
}

/// 200 answers of the real source-controller; those that end in a registry's error need a registry.
#[test]
fn tags_are_chosen_as_source_controller_chose_them() {
    let Some(data) = shared("flux_selection_observed.json") else { return };
    let mut judged = 0;
    for row in data.as_array().unwrap() {
        let message = text(row, "message");
        if message.contains(" GET http") {
            continue;
        }
        let mut row = row.clone();
        row["tags"].as_array_mut().unwrap().sort_by(|a, b| a.as_str().cmp(&b.as_str()));
        let selection = selection(&row, text(&row, "filter"), text(&row, "semver"), row["helm"] == true);
        let stored =
            message.strip_prefix("stored artifact for digest '").and_then(|rest| rest.split('@').next());
        let expected = row["revision"].as_str().and_then(|revision| revision.split('@').next()).or(stored);
        assert_eq!(chosen(&selection), expected, "{row}");
        let cause = message.split_once("': ").map(|(_, cause)| cause).filter(|_| expected.is_none());
        assert_eq!(selection.error.as_deref(), cause, "{row}");
        judged += 1;
    }
    assert!(judged > 180, "{judged}");
}
