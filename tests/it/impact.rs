//! What upgrades of real releases mean, word for word: podinfo's manifests and charts, prometheus-operator's definitions.

use bytes::Bytes;
use fluxscope::domain::{
    diff::{self, File, Side},
    impact::{self, Danger, Impact, Place, What},
    lens::Lens,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::Path,
};

/// The files of an archive of ../shared/data.
fn archive(path: &str) -> Option<Side> {
    let Ok(bytes) = std::fs::File::open(Path::new("../shared/data").join(path)) else {
        println!("skipped: ../shared/data is not here");
        return None;
    };
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(bytes));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().unwrap().to_str().unwrap().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(path, bytes);
    }
    let file = |(path, bytes): (String, Vec<u8>)| File {
        path: path.into(),
        size: bytes.len() as u64,
        sha256: None,
        executable: false,
        bytes: Some(Bytes::from(bytes)),
    };
    Some(Side { files: files.into_iter().map(file).collect() })
}

fn judged(from: &str, to: &str, lens: &Lens) -> Option<(diff::Diff, Vec<Impact>)> {
    let diff = diff::compare(&lens.look(&archive(from)?).side, &lens.look(&archive(to)?).side, &|| true);
    let said = impact::judge(&diff, None, lens);
    Some((diff, said))
}

fn check(from: &str, to: &str, lens: &Lens, want: &[&str]) {
    let Some((_, said)) = judged(from, to, lens) else { return };
    assert_eq!(said.iter().map(words).collect::<Vec<_>>(), want);
}

fn words(impact: &Impact) -> String {
    let object = impact.object.as_ref().map_or_else(String::new, |object| format!(" {}", object.key));
    format!("{} {}{object}: {}", impact.danger.word(), impact.what.word(), impact.why)
}

fn manifests(version: &str) -> String {
    format!("podinfo/manifests/{version}.tar.gz")
}

fn chart(version: &str) -> String {
    format!("podinfo/charts/podinfo-{version}.tgz")
}

/// A HelmRelease of podinfo with these values.
fn release(values: &Value, values_from: &Value) -> Lens {
    let mut lens = Lens::read(&json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"namespace": "apps", "name": "podinfo"},
        "spec": {
            "interval": "1h",
            "chartRef": {"kind": "OCIRepository", "name": "podinfo"},
            "values": values,
            "valuesFrom": values_from,
        },
    }))
    .unwrap();
    lens.fill(&[]);
    lens
}

#[test]
fn an_upgrade_of_manifests_is_an_image() {
    let image = |from: &str, to: &str, danger: &str, note: &str| {
        format!(
            "{danger} image-changed Deployment podinfo: container podinfod: ghcr.io/stefanprodan/podinfo {from} → {to}{note}"
        )
    };
    let check =
        |from: &str, to: &str, want: String| check(&manifests(from), &manifests(to), &Lens::Whole, &[&want]);
    check("6.9.1", "6.9.4", image("6.9.1", "6.9.4", "medium", ""));
    check("6.5.0", "6.12.0", image("6.5.0", "6.12.0", "medium", ""));
    check("6.9.4", "6.9.1", image("6.9.4", "6.9.1", "high", ", a downgrade"));
}

#[test]
fn the_same_says_nothing() {
    check(&chart("6.9.1"), &chart("6.9.1"), &Lens::Whole, &[]);
    check(&manifests("6.9.1"), &manifests("6.9.1"), &Lens::Whole, &[]);
}

#[test]
fn an_upgrade_of_a_chart_is_versions_images_and_defaults() {
    check(
        &chart("6.9.1"),
        &chart("6.9.4"),
        &Lens::Whole,
        &[
            "medium image-changed: default image: ghcr.io/stefanprodan/podinfo 6.9.1 → 6.9.4",
            "medium image-changed: default redis: docker.io/redis 7.0.7 → 8.4.0, a major version",
            "low chart-version: chart podinfo 6.9.1 → 6.9.4, a patch",
            "low chart-version: appVersion 6.9.1 → 6.9.4, a patch",
            "low templates-changed: 5 templates changed: what they render is not seen here",
            "low default-changed: new defaults: image.pullSecrets, service.trafficDistribution, service.additionalLabels, redis.imagePullSecrets and httpRoute",
        ],
    );
}

#[test]
fn the_release_decides_which_defaults_it_takes() {
    let values = json!({
        "image": {"tag": "s3cr3t"},
        "redis": "s3cr3t",
        "linkerd": {"profile": {"enabled": true}},
        "httpRoute": ["s3cr3t"],
    });
    let Some((_, said)) = judged(&chart("6.5.0"), &chart("6.12.0"), &release(&values, &json!([]))) else {
        return;
    };
    let said: Vec<String> = said.iter().filter(|impact| is_of_values(impact.what)).map(words).collect();
    assert!(!said.concat().contains("s3cr3t"));
    assert_eq!(
        said,
        [
            "high value-type: your value for httpRoute is a list, the default is a map",
            "medium value-unknown: your value for linkerd is unknown now: the chart's values.yaml no longer has it",
            "low default-overridden: your value for image.tag stays; its default 6.5.0 → 6.12.0",
            "low default-overridden: what you set above them stays while these defaults change: redis.repository, redis.tag and redis.imagePullSecrets",
            "low default-changed: new defaults: image.pullSecrets, service.additionalLabels, service.trafficDistribution, service.externalTrafficPolicy, config and 8 more",
        ]
    );
}

#[test]
fn what_was_not_read_casts_doubt_on_every_default() {
    let from = json!([{"kind": "Secret", "name": "podinfo-values"}]);
    let Some((_, said)) = judged(&chart("6.9.1"), &chart("6.9.4"), &release(&json!({}), &from)) else {
        return;
    };
    let doubted: Vec<&Impact> = said.iter().filter(|impact| is_of_values(impact.what)).collect();
    assert!(doubted.len() > 2);
    assert!(doubted.iter().all(|impact| impact.why.contains("valuesFrom not read")), "{doubted:#?}");
    assert_eq!(said.iter().filter(|impact| impact.what == What::ValuesNotRead).count(), 1);
}

fn is_of_values(what: What) -> bool {
    matches!(
        what,
        What::DefaultChanged
            | What::DefaultOverridden
            | What::ValueType
            | What::ValueUnknown
            | What::ValuesNotRead
            | What::ImageChanged
    )
}

#[test]
fn a_chart_against_manifests_is_one_item() {
    check(
        &chart("6.9.1"),
        &manifests("6.9.1"),
        &Lens::Whole,
        &[
            "high chart-against-manifests: a chart is replaced by plain manifests: a HelmRelease cannot take it",
        ],
    );
    check(
        &manifests("6.9.1"),
        &chart("6.9.1"),
        &Lens::Whole,
        &[
            "high chart-against-manifests: plain manifests are replaced by a chart: a Kustomization cannot take it",
        ],
    );
}

/// One definition differs in hundreds of places: a handful of sentences.
#[test]
fn definitions_say_what_they_no_longer_take_in_few_words() {
    let (old, new) =
        ("prometheus-operator/manifests/0.86.2.tar.gz", "prometheus-operator/manifests/0.90.1.tar.gz");
    let Some((diff, said)) = judged(old, new, &Lens::Whole) else { return };
    let high: Vec<String> = said.iter().filter(|impact| impact.danger == Danger::High).map(words).collect();
    assert_eq!(
        high,
        [
            "high rbac-widened ClusterRole prometheus-operator: a wildcard: now also grants every verb on prometheusrules/status.monitoring.coreos.com",
            "high crd-field-required CustomResourceDefinition alertmanagerconfigs.monitoring.coreos.com: now required: spec.receivers[].victoropsConfigs[].routingKey; objects that leave it out are refused",
            "high crd-enum-narrowed CustomResourceDefinition prometheuses.monitoring.coreos.com: fewer values allowed: spec.alerting.alertmanagers[].scheme (only http, https, HTTP and HTTPS); objects with others are refused",
        ]
    );
    let mut kinds = BTreeSet::new();
    for impact in &said {
        assert!(impact.why.chars().count() < 500, "{}", impact.why);
        let name = impact.object.as_ref().map(|object| object.key.clone());
        assert!(kinds.insert((name, impact.what)), "{}", words(impact));
        let Place::Object { object, field } = impact.at else { panic!("{impact:?}") };
        assert_eq!(
            Some(&diff.objects[object].found().unwrap().key),
            impact.object.as_ref().map(|object| &object.key)
        );
        assert!(field.is_some(), "no place: {}", words(impact));
    }
}

#[test]
fn the_readme_names_every_word_of_an_impact() {
    let readme = include_str!("../../README.md");
    let missing: Vec<&str> =
        What::ALL.into_iter().map(What::word).filter(|word| !readme.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
