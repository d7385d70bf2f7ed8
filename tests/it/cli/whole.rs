//! The commands over the real adapters: the demo's world, and archives on disk that Flux's own code was asked about.

use super::{
    Ran,
    fake::{Fake, Handle},
    run_with,
};
use fluxscope::{
    demo::Demo,
    port::{NoTools, Ports},
    registry::{OciRegistry, Settings},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

async fn demo(line: &str) -> Ran {
    let Demo { gateway, registry, artifacts } = Demo::open("2030-01-02T03:04:05Z".parse().unwrap()).unwrap();
    run_with(&Ports { gateway, registry, artifacts, renderer: Arc::new(NoTools) }, line).await
}

/// Files on disk, and no registry that could be asked.
async fn here(line: &str) -> Ran {
    let fake = Arc::new(Handle(Arc::new(Fake::default())));
    let artifacts = Arc::new(OciRegistry::new(Settings::default()).unwrap());
    run_with(&Ports { gateway: fake.clone(), registry: fake, artifacts, renderer: Arc::new(NoTools) }, line)
        .await
}

fn fates(document: &Value) -> BTreeMap<String, String> {
    let word = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (word(item, "path"), word(item, "fate")))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn in_the_demo_everything_that_runs_can_be_looked_into() {
    for reference in
        ["ks/podinfo", "hr/podinfo", "ocirepo/podinfo", "ocirepo/podinfo:6.9.4", "ks/podinfo-load"]
    {
        let inspected = demo(&format!("inspect {reference} -n shop -o json")).await;
        assert_eq!(inspected.code, 0, "{reference}: {}", inspected.err);
        let listed = demo(&format!("files {reference} -n shop -o json")).await;
        assert_eq!(
            (listed.code, &listed.json()["complete"]),
            (0, &json!(true)),
            "{reference}: {}",
            listed.err
        );
        assert_eq!(listed.json()["artifact"], inspected.json()["artifact"]);
        assert!(!fates(&listed.json()).is_empty(), "{reference}");
    }
    let applied = demo("inspect ks/podinfo-load -n shop -o json").await;
    let held = demo("inspect ocirepo/podinfo -n shop -o json").await;
    assert_ne!(applied.json()["digest"], held.json()["digest"]);
    assert!(applied.err.contains("meanwhile"), "{}", applied.err);
    assert_eq!(demo("inspect hr/cert-manager -n infra -o json").await.json()["operation"], "copy");
    let chart = demo("cat hr/podinfo podinfo/Chart.yaml -n shop").await;
    assert!(chart.code == 0 && chart.out.contains("name: \"podinfo\""), "{}", chart.out);
}

#[tokio::test(start_paused = true)]
async fn in_the_demo_too_flux_makes_something_else_of_a_layer_than_tar_does() {
    let listed = demo("files oci://ghcr.io/acme/config/team-a:latest --all -o json").await;
    let fates = fates(&listed.json());
    let word = |path: &str| fates.get(path).map(String::as_str);
    assert_eq!((word("base.yaml"), word("current.yaml")), (Some("emptied"), Some("skipped")), "{fates:?}");
    assert_eq!(word("drafts/next.yaml"), Some("ignored"));
    let secret = demo("cat oci://ghcr.io/acme/config/team-a:latest token.yaml").await;
    assert_eq!((secret.code, secret.out.as_str()), (2, ""));
    let revealed = demo("cat oci://ghcr.io/acme/config/team-a:latest token.yaml --reveal").await;
    assert!(revealed.code == 0 && revealed.out.contains("token: example-only"), "{}", revealed.out);
}

#[tokio::test(start_paused = true)]
async fn in_the_demo_what_is_in_no_registry_or_shut_is_a_sentence() {
    for (line, words) in [
        ("files ks/rendered -n team-a", "it is made in the cluster and in no registry"),
        ("files ks/bootstrap -n flux-system", "which is in no OCI registry"),
        ("files ocirepo/reports -n team-a", "nothing is stored yet"),
        ("files ocirepo/dns -n infra", "spec.url oci://registry.acme.example/infra/dns:1.4 is not usable"),
        ("files ocirepo/ledger -n payments", "401 UNAUTHORIZED"),
    ] {
        let ran = demo(line).await;
        assert!(ran.code == 2 && ran.out.is_empty() && ran.err.contains(words), "{line}: {}", ran.err);
    }
}

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/archives");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: ../shared/data/archives is not here");
    None
}

fn expected(folder: &Path) -> Vec<Value> {
    serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn every_archive_of_the_corpus_is_listed_as_flux_stores_it() {
    let Some(folder) = corpus() else { return };
    for case in expected(&folder) {
        let archive = folder.join(case["archive"].as_str().unwrap());
        let ran = here(&format!("files {} -o json", archive.display())).await;
        let document = ran.json();
        assert_eq!(ran.code, 0, "{}: {}", archive.display(), ran.err);
        if case["flux_message"].is_string() {
            assert_eq!(document["error"], case["flux_message"], "{}", archive.display());
            assert!(ran.err.contains("Flux would store nothing of this layer"), "{}", ran.err);
            continue;
        }
        let pick = |item: &Value| (item["path"].clone(), item["size"].clone(), item["sha256"].clone());
        let all = |list: &Value| list.as_array().into_iter().flatten().map(pick).collect::<Vec<_>>();
        assert_eq!(all(&document["items"]), all(&case["files"]), "{}", archive.display());
    }
}

#[tokio::test]
async fn of_the_corpus_only_what_flux_stores_is_ever_written() {
    let Some(folder) = corpus() else { return };
    let desk = std::env::temp_dir().join(format!("fluxscope-whole-{}", std::process::id()));
    for case in expected(&folder) {
        let name = case["archive"].as_str().unwrap();
        let place = desk.join(name);
        let line = format!("pull {} -d {}", folder.join(name).display(), place.display());
        let ran = here(&line).await;
        if case["flux_message"].is_string() {
            assert!(ran.code == 2 && !place.exists(), "{name}: {}", ran.err);
            continue;
        }
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        for file in case["files"].as_array().into_iter().flatten() {
            let written = fs::symlink_metadata(place.join(file["path"].as_str().unwrap())).unwrap();
            assert!(written.is_file() && json!(written.len()) == file["size"], "{name}");
        }
    }
    let outside = fs::read_dir(&desk).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let named: Vec<String> =
        outside.filter(|name| !expected(&folder).iter().any(|case| case["archive"] == **name)).collect();
    assert_eq!(named, [""; 0], "nothing is written beside the folders");
    fs::remove_dir_all(&desk).unwrap();
}
