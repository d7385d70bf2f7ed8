//! What Flux's own libraries answer, row by row: versions, their order, and `spec.url`.

use fluxscope::domain::{
    constraint::Constraint,
    repository::Repository,
    version::{Version, newest_first},
};
use serde_json::Value;
use std::{cmp::Ordering, path::Path};

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
