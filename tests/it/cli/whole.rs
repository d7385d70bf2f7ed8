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

// ---- diff

/// `from` and `to` of one of the recorded projects; None: they are not here.
async fn released(kind: &str, from: &str, to: &str, options: &str) -> Option<Ran> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(kind);
    if !folder.is_dir() {
        println!("skipped: ../shared/data/{kind} is not here");
        return None;
    }
    let place = |name: &str| folder.join(name).display().to_string();
    Some(here(&format!("diff {} {} {options}", place(from), place(to))).await)
}

/// `danger what` of each impact.
fn impacts(document: &Value) -> Vec<String> {
    let word = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let impacts = document["impact"].as_array().unwrap().iter();
    impacts.map(|item| format!("{} {}", word(item, "danger"), word(item, "what"))).collect()
}

#[tokio::test]
async fn a_release_of_podinfo_changes_its_image() {
    let Some(ran) = released("podinfo/manifests", "6.9.1.tar.gz", "6.9.2.tar.gz", "-o json").await else {
        return;
    };
    let document = ran.json();
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(document["counts"]["objects"]["changed"], 1);
    assert_eq!(document["counts"]["objects"]["same"], 2);
    let object = &document["objects"][0];
    assert_eq!((&object["kind"], &object["name"]), (&json!("Deployment"), &json!("podinfo")));
    assert_eq!(
        object["fields"],
        json!([{"path": "spec.template.spec.containers[name=podinfod].image", "change": "changed",
                "from": "ghcr.io/stefanprodan/podinfo:6.9.1", "to": "ghcr.io/stefanprodan/podinfo:6.9.2"}])
    );
    assert_eq!(impacts(&document), ["medium image-changed"]);
}

#[tokio::test]
async fn a_release_of_podinfos_chart_changes_defaults_and_drops_a_template() {
    let ran = released("podinfo/charts", "podinfo-6.9.4.tgz", "podinfo-6.10.0.tgz", "-o json").await;
    let Some(document) = ran.map(|ran| ran.json()) else { return };
    assert_eq!(document["files"]["removed"], json!(["podinfo/templates/linkerd.yaml"]));
    assert_eq!(document["counts"]["files"]["changed"], 5);
    assert_eq!(document["objects"], json!([]), "templates are no objects before Helm rendered them");
    let impacts = impacts(&document);
    for expected in ["medium image-changed", "low chart-version", "low default-changed"] {
        assert!(impacts.iter().any(|impact| impact == expected), "{expected}: {impacts:?}");
    }
}

#[tokio::test]
async fn a_release_of_prometheus_operator_changes_its_definitions_and_widens_rights() {
    let ran = released("prometheus-operator/manifests", "0.86.2.tar.gz", "0.90.1.tar.gz", "-o json").await;
    let Some(document) = ran.map(|ran| ran.json()) else { return };
    let counts = &document["counts"]["objects"];
    assert_eq!(
        (&counts["changed"], &counts["same"], &counts["removed"]),
        (&json!(16), &json!(10), &json!(0))
    );
    let impacts = impacts(&document);
    for expected in ["high rbac-widened", "high crd-field-required", "medium image-changed"] {
        assert!(impacts.iter().any(|impact| impact == expected), "{expected}: {impacts:?}");
    }
    let comment =
        released("prometheus-operator/manifests", "0.86.2.tar.gz", "0.90.1.tar.gz", "-o markdown").await;
    let comment = comment.unwrap().out;
    assert!(comment.len() < 65_536 && comment.contains("more lines do not fit"), "{}", comment.len());
}

#[tokio::test]
async fn a_chart_against_plain_manifests_says_so() {
    let from = "manifests/6.9.1.tar.gz";
    let ran = released("podinfo", from, "charts/podinfo-6.9.1.tgz", "-o json").await;
    let Some(document) = ran.map(|ran| ran.json()) else { return };
    assert!(impacts(&document).contains(&"high chart-against-manifests".to_owned()), "{document}");
}

#[tokio::test(start_paused = true)]
async fn in_the_demo_a_tag_is_compared_with_what_runs() {
    let line = "diff ks/podinfo ocirepo/podinfo:6.9.4 -n shop --consumer ks/podinfo";
    let ran = demo(&format!("{line} -o json")).await;
    let document = ran.json();
    assert_eq!((ran.code, &document["tier"]), (1, &json!("source")), "{}", ran.err);
    assert_eq!(
        document["consumer"],
        json!({"kind": "Kustomization", "namespace": "shop", "name": "podinfo"})
    );
    assert!(impacts(&document).contains(&"medium image-changed".to_owned()), "{document}");
    assert!(document["compareUrl"].as_str().unwrap().starts_with("https://github.com/acme/podinfo/compare/"));
    assert!(document["tierWords"].as_str().unwrap().contains("no rendering tool may be used here"));
    let text = demo(line).await.out;
    assert!(text.contains("consumer  ks shop/podinfo\ntier      source diff"), "{text}");
    let insisted = demo(&format!("{line} --build -o json")).await;
    assert_eq!(insisted.code, 2);
    assert!(
        insisted.json()["problem"]["why"].as_str().unwrap().contains("no rendering tool"),
        "{}",
        insisted.err
    );
    let stored = demo(&format!("{line} --no-build -o json")).await.json();
    assert!(!stored["tierWords"].as_str().unwrap().contains("no rendering tool"), "nobody asked for one");
}

#[tokio::test(start_paused = true)]
async fn in_the_demo_a_consumer_that_would_never_get_the_artifact_is_told() {
    let document = async |line: &str| demo(&format!("diff {line} -n shop -o json")).await.json();
    let notes = async |line: &str| document(line).await["notes"].to_string();
    let chart = notes("hr/podinfo ocirepo/podinfo-chart:6.9.4 --consumer ks/podinfo").await;
    assert!(
        chart.contains("ks shop/podinfo takes from ocirepo shop/podinfo")
            && chart.contains("not from oci://"),
        "{chart}"
    );
    let own = notes("hr/podinfo ocirepo/podinfo-chart:6.9.4 --consumer hr/podinfo").await;
    assert!(!own.contains("takes from"), "{own}");
    let missing = demo("diff ks/podinfo ocirepo/podinfo:0.0.1 -n shop -o json").await;
    assert!(
        missing.code == 2 && missing.json()["problem"]["why"].to_string().contains("0.0.1"),
        "{}",
        missing.err
    );
    let private = demo("diff ocirepo/ledger:1 ocirepo/ledger:2 -n payments").await;
    assert!(private.code == 2 && private.err.contains("401 UNAUTHORIZED"), "{}", private.err);
}
