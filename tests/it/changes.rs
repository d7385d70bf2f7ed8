//! Real releases compared: what is small is pinned whole, of what is large that nothing is missing. The releases lie in
//! `../shared/data`; without it these tests say so and pass.

use flate2::read::MultiGzDecoder;
use fluxscope::domain::diff::{Change, Diff, File, Side, apply, compare};
use std::{io::Read as _, path::Path};

/// The files of an archive in `../shared/data`.
fn release(archive: &str) -> Option<Side> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(archive);
    let Ok(archive) = std::fs::File::open(&path) else {
        println!("SKIPPED: {} is not there", path.display());
        return None;
    };
    let mut files = Vec::new();
    for entry in tar::Archive::new(MultiGzDecoder::new(archive)).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if entry.header().entry_type().is_file() {
            let size = bytes.len() as u64;
            let (path, bytes) = (path.into(), Some(bytes.into()));
            files.push(File { path, size, sha256: None, executable: false, bytes });
        }
    }
    files.sort_by(|one, two| one.path.cmp(&two.path));
    Some(Side { files })
}

/// Compares two releases; each object that differs becomes the second by its changes.
fn between(folder: &str, from: &str, to: &str) -> Option<Diff> {
    let (from, to) = (release(&format!("{folder}{from}"))?, release(&format!("{folder}{to}"))?);
    let diff = compare(&from, &to, &|| true);
    for object in &diff.objects {
        if let (Some(from), Some(to)) = (&object.from, &object.to) {
            assert_eq!(apply(&from.value, &object.fields), *to.value, "{}", to.key);
        }
    }
    Some(diff)
}

fn said(diff: &Diff) -> Vec<String> {
    let files = diff.files.iter().map(|file| format!("{} {}", file.path(), file.change.word()));
    let objects = diff.objects.iter().flat_map(|object| {
        let head = format!("{} {}", object.found().unwrap().key, object.change.word());
        std::iter::once(head).chain(object.fields.iter().map(|field| field.path.to_string()))
    });
    files.chain(objects).collect()
}

#[test]
fn podinfos_manifests_over_seven_releases() {
    let Some(diff) = between("podinfo/manifests/", "6.5.0.tar.gz", "6.12.0.tar.gz") else { return };
    assert_eq!(
        said(&diff),
        [
            "deployment.yaml changed",
            "kustomization.yaml formatting only",
            "Deployment podinfo changed",
            "spec.template.spec.containers[name=podinfod].image",
            "spec.template.spec.containers[name=podinfod].volumeMounts",
            "spec.template.spec.volumes",
        ]
    );
    assert_eq!((diff.same_objects, diff.same_files, diff.oddities.len()), (2, 2, 0));
}

#[test]
fn podinfos_chart_is_values_templates_and_no_object() {
    let Some(diff) = between("podinfo/charts/podinfo-", "6.5.0.tgz", "6.12.0.tgz") else { return };
    assert!(diff.objects.is_empty() && diff.oddities.is_empty(), "{:?} {:?}", diff.objects, diff.oddities);
    let values = diff.files.iter().find(|file| file.path() == "podinfo/values.yaml").unwrap();
    assert_eq!(values.change, Change::Changed);
}

#[test]
fn prometheus_operators_definitions_are_compared_whole() {
    let folder = "prometheus-operator/manifests/";
    let Some(diff) = between(folder, "0.86.2.tar.gz", "0.90.1.tar.gz") else { return };
    assert!(diff.objects.iter().all(|object| object.change == Change::Changed && !object.cut));
    assert_eq!((diff.objects.len(), diff.same_objects, diff.files.len()), (16, 10, 16));
    assert_eq!(diff.objects.iter().map(|object| object.fields.len()).sum::<usize>(), 372);
    let definition =
        diff.objects.iter().find(|object| object.found().unwrap().key.name.starts_with("probes.")).unwrap();
    let paths: Vec<String> = definition.fields.iter().map(|field| field.path.to_string()).collect();
    assert_eq!(paths[0], "metadata.annotations[\"operator.prometheus.io/version\"]");
    assert!(paths[1..].iter().all(|path| path.starts_with("spec.versions[name=v1].schema.openAPIV3Schema.")));
}
