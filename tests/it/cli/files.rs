//! `files`: what is listed of a layer and what is not, its fates, its faults and its exit codes.

use super::{
    HOSTILE,
    fake::{Fake, Handle, digest},
    is_safe, run, run_raw,
    sealed::{FLUX, Sealed, artifact, descriptor, file, holding, opened, refused, with_layer},
};
use fluxscope::{
    cli::output::Terminals,
    domain::{
        problem::{Cause, Problem},
        tree::Fate,
    },
    port::Opening,
};
use serde_json::{Value, json};
use std::sync::Arc;

const REF: &str = "oci://registry.test/a/b:1";

fn mixed() -> Vec<super::sealed::File> {
    vec![
        file("a.yaml", "a: b\n"),
        file("h.yaml", "").hollow().fate(Fate::Emptied, "a hard link to a.yaml"),
        file("l.yaml", "").hollow().fate(Fate::Skipped, "a symbolic link to a.yaml"),
        file("x.png", "png").fate(Fate::Ignored, "*.png, Flux's default"),
    ]
}

fn paths(document: &Value) -> Vec<&str> {
    document["items"].as_array().unwrap().iter().map(|item| item["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_document_is_what_design_says() {
    let ran = run(holding(mixed()), &format!("files {REF} -o json")).await;
    let document = ran.json();
    assert_eq!(
        document,
        json!({
            "apiVersion": "fluxscope/v1", "kind": "FileList",
            "artifact": format!("oci://registry.test/a/b@{}", digest('d')),
            "layer": {"number": 1, "mediaType": FLUX, "digest": digest('1'), "size": 1200, "selected": true,
                      "reason": "the first layer"},
            "complete": true, "error": null, "left": 0, "cut": null, "verified": true, "problem": null,
            "items": [
                {"path": "a.yaml", "size": 5, "sha256": "f".repeat(64), "fate": "written", "note": null},
                {"path": "h.yaml", "size": 0, "sha256": "f".repeat(64), "fate": "emptied",
                 "note": "a hard link to a.yaml"},
            ],
        })
    );
    assert_eq!(ran.code, 0);
    let all = run(holding(mixed()), &format!("files {REF} --all -o json")).await.json();
    assert_eq!(paths(&all), ["a.yaml", "h.yaml", "l.yaml", "x.png"]);
    assert_eq!(all["items"][3]["fate"], "ignored");
}

#[tokio::test]
async fn yaml_is_the_same_document_and_names_are_paths() {
    let json = run(holding(mixed()), &format!("files {REF} -o json")).await.json();
    let yaml = run(holding(mixed()), &format!("files {REF} -o yaml")).await.out;
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), json);
    assert_eq!(run(holding(mixed()), &format!("files {REF} -o name")).await.out, "a.yaml\nh.yaml\n");
}

#[tokio::test]
async fn the_table_has_the_columns_that_say_something() {
    let plain = run(holding(vec![file("a.yaml", "a: b\n")]), &format!("files {REF}")).await;
    assert_eq!(plain.out, "PATH     SIZE   SHA256\na.yaml   5      ffffffffffff\n");
    let words = "1 file in layer 1 of 1 (Flux manifests); 10.0 KiB unpacked, digest and size verified\n";
    assert_eq!(plain.err, words);
    let all = run(holding(mixed()), &format!("files {REF} --all --no-header")).await;
    let line = "x.png    3   ignored   ffffffffffff   *.png, Flux's default";
    assert!(all.out.contains(line) && !all.out.contains("PATH"), "{}", all.out);
    let left_out = run(holding(mixed()), &format!("files {REF}")).await.err;
    assert!(left_out.contains("2 that Flux does not store are left out (--all)"), "{left_out}");
}

#[tokio::test]
async fn a_layer_that_flux_refuses_lists_what_was_read_and_the_entry_that_is_refused() {
    let flux = "failed to extract layer contents from artifact: tar contained invalid name error \"../x\"";
    let files = vec![file("a.yaml", "a"), file("../x", "b").fate(Fate::Rejected, "it leads out")];
    let layer =
        opened(files, |tree| (tree.error, tree.complete) = (Some(refused("a name leads out", flux)), false));
    let ran = run(with_layer(layer), &format!("files {REF} -o json")).await;
    let document = ran.json();
    assert_eq!((ran.code, &document["error"], &document["complete"]), (0, &json!(flux), &json!(false)));
    assert_eq!(paths(&document), ["../x", "a.yaml"]);
    assert_eq!(document["items"][0]["fate"], "rejected");
    assert!(
        ran.err.contains("Flux would store nothing of this layer: a name leads out")
            && ran.err.contains(flux)
    );
}

#[tokio::test]
async fn a_limit_names_its_flag_and_exits_2() {
    let layer = opened(vec![file("a.yaml", "a")], |tree| {
        (tree.complete, tree.left) = (false, 12);
        tree.cut = Some("more than 100000 entries: --max-entries raises it".into());
    });
    let ran = run(with_layer(layer), &format!("files {REF} -o json")).await;
    assert_eq!((ran.code, &ran.json()["complete"], &ran.json()["left"]), (2, &json!(false), &json!(12)));
    assert!(
        ran.err.contains("--max-entries raises it") && ran.err.contains("12 more entries"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn a_layer_that_cannot_be_had_is_a_problem_beside_what_is_known() {
    let damaged = Problem::new(Cause::Invalid, "read the layer", "sha256:1… was expected, sha256:2… came");
    let sealed =
        Sealed { artifact: Ok(artifact()), layers: [(0, vec![Err(damaged)])].into(), ..Sealed::default() };
    let ran = run(Fake { sealed, ..Fake::default() }, &format!("files {REF} -o json")).await;
    let document = ran.json();
    assert_eq!(
        (ran.code, &document["complete"], &document["layer"]["number"]),
        (2, &json!(false), &json!(1))
    );
    assert!(
        document["problem"]["why"].as_str().unwrap().contains("sha256:2…") && ran.err.contains("sha256:2…")
    );
    let silent = Sealed { artifact: Ok(artifact()), ..Sealed::default() };
    let ran = run(Fake { sealed: silent, ..Fake::default() }, &format!("files {REF}")).await;
    assert!(ran.code == 2 && ran.err.contains("the answer ended before the layer did"), "{}", ran.err);
}

#[tokio::test]
async fn a_layer_is_chosen_by_its_number_and_one_that_is_not_there_is_said() {
    let mut two = artifact();
    two.manifest.layers.push(descriptor('2', "application/vnd.cncf.helm.chart.provenance.v1.prov"));
    let layer = opened(vec![file("in-the-second", "x")], |_| {});
    let layers = [(1, vec![Ok(Opening::Opened(layer))])];
    let world = || Fake {
        sealed: Sealed { artifact: Ok(two.clone()), layers: layers.clone().into(), ..Sealed::default() },
        ..Fake::default()
    };
    let second = run(world(), &format!("files {REF} --layer 2 -o json")).await;
    assert_eq!((second.code, paths(&second.json())), (0, vec!["in-the-second"]));
    assert_eq!(second.json()["layer"]["selected"], json!(false));
    let third = run(world(), &format!("files {REF} --layer 3")).await;
    assert_eq!((third.code, third.out.as_str()), (2, ""));
    assert!(
        third.err.contains("look into layer 3 of") && third.err.contains("the artifact has 2 layers"),
        "{}",
        third.err
    );
}

#[tokio::test]
async fn where_flux_finds_no_layer_that_is_the_answer_and_a_layer_can_be_named() {
    let words = "failed to find layer with media type 'a/b' in artifact";
    let mut sealed = holding(vec![file("a.yaml", "a")]).sealed;
    sealed.artifact.as_mut().unwrap().taken = Err(words.into());
    let world = Handle(Arc::new(Fake { sealed, ..Fake::default() }));
    let ran = super::run_on(&world, &format!("files {REF} -o json")).await;
    assert_eq!((ran.code, &ran.json()["error"], &ran.json()["layer"]), (0, &json!(words), &Value::Null));
    assert!(ran.err.contains("--layer N"), "{}", ran.err);
    let named = super::run_on(&world, &format!("files {REF} --layer 1 -o name")).await;
    assert_eq!((named.code, named.out.as_str()), (0, "a.yaml\n"));
}

#[tokio::test]
async fn hostile_names_and_notes_reach_nobody_unescaped() {
    let files = || vec![file(HOSTILE, "a").fate(Fate::Ignored, HOSTILE), file(&format!("b{HOSTILE}"), "b")];
    for output in ["table", "name", "json", "yaml"] {
        let ran = run(holding(files()), &format!("files {REF} --all -o {output}")).await;
        assert!(is_safe(&ran.out) && is_safe(&ran.err), "{output}: {:?}", ran.out);
    }
    let names = run(holding(files()), &format!("files {REF} --all -o name")).await.out;
    assert_eq!(names.lines().count(), 2, "{names}");
    let json = run(holding(files()), &format!("files {REF} --all -o json")).await.json();
    assert_eq!(json["items"][1]["path"], HOSTILE.replace("bad", "bbad").as_str());
}

#[tokio::test]
async fn progress_is_shown_to_a_person_only_and_gone_in_the_end() {
    let line = format!("files {REF} -o name");
    let world = Handle(Arc::new(holding(vec![file("a.yaml", "a")])));
    let (_, out, err) = run_raw(&world, &line, Terminals { out: false, err: true }).await;
    assert_eq!(out, b"a.yaml\n");
    assert!(err.starts_with("\rreading 600 B of 1.1 KiB  "), "{err:?}");
    assert!(err.contains("\r\x1b[K1 file in layer"), "{err:?}");
    assert!(!run(holding(vec![]), &line).await.err.contains('\r'));
}
