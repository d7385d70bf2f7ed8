//! `inspect`: how a reference is looked up, what is printed of the artifact, and what of it could not be asked.

use super::{
    HOSTILE,
    fake::{Fake, Handle, chart, digest, helm_repository, id, kustomization, release, repository},
    is_safe, run, run_on,
    sealed::{FLUX, Sealed, among, artifact, descriptor, holding},
};
use fluxscope::domain::{
    artifact::{Artifact, Manifest, Origin, Referrer, Referrers, Target},
    fact::Object,
    identity::Kind,
    problem::{Cause, Problem},
    source::{Follows, HELM_CHART_LAYER, SourceSpec},
};
use serde_json::{Value, json};
use std::sync::Arc;

fn sealed(artifact: Artifact) -> Fake {
    Fake { sealed: Sealed { artifact: Ok(artifact), ..Sealed::default() }, ..Fake::default() }
}

/// What the port was asked for.
async fn target(objects: Vec<Object>, line: &str) -> Target {
    let world = Handle(Arc::new(among(objects, holding(vec![]))));
    let ran = run_on(&world, line).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    world.0.targets.lock().unwrap().pop().unwrap()
}

fn upstream(target: &Target) -> (String, String) {
    match &target.origin {
        Origin::Registry { upstream, reference } => (upstream.repository.to_string(), reference.to_string()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reference_is_looked_up_with_the_eyes_of_its_object() {
    let mut object = repository("shop/app", Follows::Latest);
    if let Object::Source(source) = &mut object
        && let SourceSpec::Oci(spec) = &mut source.spec
    {
        spec.layer.copy = true;
        spec.ignore = Some("*.md".into());
    }
    let source = id(Kind::OciRepository, "shop/app");
    let objects =
        || vec![object.clone(), kustomization("team/k", source.clone()), release("shop/r", source.clone())];
    for (line, reference) in [
        ("inspect ocirepo/app", digest('a')),
        ("inspect ks/k -n team", digest('a')),
        ("inspect hr/r", digest('a')),
        ("inspect ocirepo/app:2.0.0", "2.0.0".to_owned()),
    ] {
        let target = target(objects(), line).await;
        assert_eq!(upstream(&target), ("registry.test/shop/app".to_owned(), reference), "{line}");
        assert!(target.selector.copy && target.ignore.as_deref() == Some("*.md"), "{line}");
    }
}

#[tokio::test]
async fn a_chart_is_read_through_its_repository_and_so_is_its_release() {
    let objects = || {
        let chart_id = id(Kind::HelmChart, "shop/c");
        vec![
            chart("shop/c", "shop/charts"),
            helm_repository("shop/charts", true),
            release("shop/r", chart_id),
        ]
    };
    let of_chart = target(objects(), "inspect hc/c").await;
    assert_eq!(upstream(&of_chart), ("registry.test/charts/app".to_owned(), "1.0.0".to_owned()));
    assert_eq!(of_chart.selector.media_type.as_deref(), Some(HELM_CHART_LAYER));
    let of_release = target(objects(), "inspect hr/r").await;
    assert_eq!(upstream(&of_release).1, "1.0.0_aaaaaaaaaaaa");
}

#[tokio::test]
async fn no_cluster_is_asked_where_none_is_named() {
    let offline = Problem::new(Cause::Unreachable, "connect", "refused");
    for (line, words) in [
        ("inspect oci://registry.test/a/b:1", ""),
        ("inspect oci://registry.test/a/b", "no tag is named: latest, which Flux takes without a ref"),
        ("inspect oci-layout:./made:1", ""),
        ("inspect ./app.tgz", ""),
        ("inspect ./app", ""),
    ] {
        let ran = run(Fake { offline: Some(offline.clone()), ..holding(vec![]) }, line).await;
        assert!(ran.code == 0 && ran.err.contains(words), "{line}: {}", ran.err);
    }
    let ran = run(Fake { offline: Some(offline), ..holding(vec![]) }, "inspect ks/app").await;
    assert_eq!((ran.code, ran.err.as_str()), (2, "error: connect: refused\n"));
}

#[tokio::test]
async fn the_selector_can_be_replaced() {
    let asked = target(vec![], "inspect ./app.tgz --layer-media-type a/b").await;
    assert_eq!(asked.selector.media_type.as_deref(), Some("a/b"));
    let objects = vec![chart("shop/c", "shop/charts"), helm_repository("shop/charts", true)];
    let asked = target(objects, "files hc/c --layer-media-type=").await;
    assert_eq!((asked.selector.media_type, asked.selector.copy), (None, true));
}

#[tokio::test]
async fn what_is_not_there_or_in_no_registry_is_a_sentence_and_exits_2() {
    let source = id(Kind::OciRepository, "shop/gone");
    let git = id(Kind::GitRepository, "shop/git");
    let denied =
        Problem::new(Cause::Forbidden, "get ocirepo shop/shut", "403").with_hint("the verb get is missing");
    let objects = vec![kustomization("shop/orphan", source), kustomization("shop/git", git)];
    let world = Handle(Arc::new(Fake {
        unreadable: [(id(Kind::OciRepository, "shop/shut"), denied)].into(),
        ..among(objects, holding(vec![]))
    }));
    for (line, words) in [
        ("inspect ks/none", "find the artifact of ks shop/none: it does not exist"),
        ("inspect ks/orphan", "it takes from ocirepo shop/gone, which does not exist"),
        ("inspect ks/git", "it takes from gitrepo shop/git, which is in no OCI registry"),
        ("inspect ocirepo/shut", "the verb get is missing"),
    ] {
        let ran = run_on(&world, line).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.contains(words), "{line}: {}", ran.err);
        let ran = run_on(&world, &format!("{line} -o json")).await;
        assert!(ran.json()["problem"]["why"].is_string() && ran.json()["kind"] == "Artifact", "{}", ran.out);
    }
}

fn noted(name: &str, value: &str) -> (Box<str>, Box<str>) {
    (name.into(), value.into())
}

fn rich() -> Artifact {
    let mut artifact = artifact();
    artifact.manifest.layers.push(descriptor('2', "application/vnd.cncf.helm.chart.provenance.v1.prov"));
    artifact.manifest.annotations = [
        noted("org.opencontainers.image.source", "https://github.com/acme/app"),
        noted("org.opencontainers.image.revision", "v1@sha1:abc"),
        noted("odd", HOSTILE),
    ]
    .into();
    artifact.config = Some(Arc::new(json!({"name": "app", "version": "1.0.0", "appVersion": "2"})));
    artifact
}

fn signed() -> Referrers {
    let referrer = Referrer {
        descriptor: descriptor('5', "application/vnd.oci.image.manifest.v1+json"),
        artifact_type: "application/vnd.cncf.notary.signature".into(),
        tag: None,
    };
    Referrers { found: vec![referrer], note: "asked by the API".into(), complete: true }
}

#[tokio::test]
async fn the_document_holds_what_design_says() {
    let world =
        Fake { sealed: Sealed { referrers: Ok(signed()), ..sealed(rich()).sealed }, ..Fake::default() };
    let ran = run(world, "inspect oci://registry.test/a/b:1 -o json").await;
    let document = ran.json();
    assert_eq!(
        (ran.code, &document["apiVersion"], &document["kind"]),
        (0, &json!("fluxscope/v1"), &json!("Artifact"))
    );
    assert_eq!(document["reference"], "oci://registry.test/a/b:1");
    assert_eq!(document["artifact"], format!("oci://registry.test/a/b@{}", digest('d')));
    assert_eq!(
        (&document["digest"], &document["mediaType"]),
        (&json!(digest('d')), &json!("application/vnd.oci.image.manifest.v1+json"))
    );
    assert_eq!(document["config"]["document"]["name"], "app");
    assert_eq!(
        document["layers"][0],
        json!({"number": 1, "mediaType": FLUX, "digest": digest('1'), "size": 1200, "selected": true,
               "reason": "the first layer"})
    );
    assert_eq!(
        (&document["layers"][1]["selected"], &document["layers"][1]["reason"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        (&document["layer"], &document["operation"], &document["error"]),
        (&json!(1), &json!("extract"), &Value::Null)
    );
    assert_eq!(document["annotations"]["odd"], HOSTILE);
    assert_eq!(
        (&document["source"], &document["created"]),
        (&json!("https://github.com/acme/app"), &Value::Null)
    );
    assert_eq!(document["referrers"][0]["role"], "signature");
    assert_eq!(document["referrers"][0]["artifactType"], "application/vnd.cncf.notary.signature");
    assert!(is_safe(&ran.out) && is_safe(&ran.err));
}

#[tokio::test]
async fn the_table_says_it_all_in_words() {
    let world =
        Fake { sealed: Sealed { referrers: Ok(signed()), ..sealed(rich()).sealed }, ..Fake::default() };
    let ran = run(world, "inspect oci://registry.test/a/b:1").await;
    for words in [
        "Config:       Flux config (application/vnd.cncf.flux.config.v1+json), 1.1 KiB",
        "Chart:        app 1.0.0, app 2",
        "Source:       https://github.com/acme/app",
        "Flux takes:   layer 1, extract: the first layer",
        "1       takes   Flux manifests (",
        "2       -       Helm provenance (",
        "odd                                 bad\\x1b[2J\\u{202e}",
        "signature   Notation signature (",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert!(is_safe(&ran.out));
    assert_eq!(ran.err, "asked by the API\nasked with nobody (anonymous)\n");
}

#[tokio::test]
async fn the_layer_of_a_folder_says_beside_its_size_that_it_is_not_compressed() {
    let mut folder = artifact();
    folder.target.origin = Origin::Directory("deploy".into());
    let ran = run(sealed(folder.clone()), "inspect ./deploy").await;
    assert!(ran.out.contains("  1.1 KiB not compressed  "), "{}", ran.out);
    let layers = run(sealed(folder), "inspect ./deploy -o json").await.json()["layers"].clone();
    let packed = run(sealed(artifact()), "inspect oci://registry.test/a/b:1").await;
    assert!(!packed.out.contains("not compressed"), "{}", packed.out);
    let of_registry = run(sealed(artifact()), "inspect oci://registry.test/a/b:1 -o json").await.json();
    assert_eq!(layers, of_registry["layers"], "the document keeps its shape");
}

#[tokio::test]
async fn the_failure_that_flux_would_give_is_the_answer() {
    let mut artifact = artifact();
    artifact.taken = Err("failed to find layer with media type 'a/b' in artifact".into());
    let ran = run(sealed(artifact.clone()), "inspect oci://registry.test/a/b:1").await;
    assert!(ran.code == 0 && ran.out.contains("Flux fails:   failed to find layer"), "{}", ran.out);
    let document = run(sealed(artifact), "inspect oci://registry.test/a/b:1 -o json").await.json();
    assert_eq!((&document["layer"], &document["operation"]), (&Value::Null, &Value::Null));
    assert!(document["error"].as_str().unwrap().starts_with("failed to find layer"));
}

#[tokio::test]
async fn an_index_is_named_by_its_own_digest_and_the_child_that_flux_takes_is_marked() {
    let mut artifact = artifact();
    let media_type = "application/vnd.oci.image.index.v1+json";
    artifact.index = Some(Manifest {
        digest: descriptor('e', "").digest,
        media_type: media_type.into(),
        children: vec![descriptor('9', "m"), descriptor('d', "m")],
        ..artifact.manifest.clone()
    });
    artifact.digest = descriptor('e', "").digest;
    artifact.platforms = vec![Some("linux/arm64".into()), None];
    artifact.notes = vec!["the index has 2000 entries".into()];
    let document = run(sealed(artifact.clone()), "inspect oci://registry.test/a/b:1 -o json").await.json();
    assert_eq!((&document["digest"], &document["mediaType"]), (&json!(digest('e')), &json!(media_type)));
    let chosen: Vec<&Value> =
        document["index"]["manifests"].as_array().unwrap().iter().map(|m| &m["selected"]).collect();
    assert_eq!(chosen, [&json!(false), &json!(true)]);
    assert_eq!(document["index"]["manifests"][0]["platform"], "linux/arm64");
    assert_eq!(document["notes"], json!(["the index has 2000 entries"]));
    let table = run(sealed(artifact), "inspect oci://registry.test/a/b:1").await.out;
    assert!(
        table.contains("linux/arm64    -       m") && table.contains("no platform    takes   m"),
        "{table}"
    );
    assert!(table.contains(&digest('9')), "{table}");
}

#[tokio::test]
async fn none_could_not_ask_and_not_all_are_three_answers() {
    let with =
        |referrers| Fake { sealed: Sealed { referrers, ..sealed(artifact()).sealed }, ..Fake::default() };
    let line = "inspect oci://registry.test/a/b:1 -o json";
    let none = run(sealed(artifact()), line).await;
    assert_eq!(
        (none.code, &none.json()["referrers"], &none.json()["problem"]),
        (0, &json!([]), &Value::Null)
    );
    assert!(none.err.contains("nothing refers to it: the registry says none"), "{}", none.err);
    let unasked = run(with(Err(Problem::new(Cause::Forbidden, "ask what refers to it", "403"))), line).await;
    assert_eq!((unasked.code, &unasked.json()["referrers"]), (2, &Value::Null));
    assert_eq!(unasked.json()["problem"]["why"], "403");
    assert!(unasked.json()["layers"][0]["selected"].as_bool().unwrap(), "the rest is told");
    let cut = run(with(Ok(Referrers { complete: false, ..signed() })), line).await;
    assert_eq!((cut.code, &cut.json()["referrersComplete"]), (2, &json!(false)));
    assert!(cut.err.contains("not all that refers to it is listed"), "{}", cut.err);
}

#[tokio::test]
async fn a_refusal_of_the_registry_says_with_what_was_asked_and_what_would_help() {
    let problem = Problem::new(
        Cause::Unauthorized,
        "inspect registry.test/a/b",
        "401, asked with ~/.docker/config.json",
    )
    .with_hint("docker login registry.test");
    let world = Fake { sealed: Sealed { artifact: Err(problem), ..Sealed::default() }, ..Fake::default() };
    let ran = run(world, "inspect oci://registry.test/a/b:1").await;
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("asked with ~/.docker/config.json") && ran.err.contains("try: docker login"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn bad_references_name_the_wrong_part_before_anything_is_asked() {
    for command in ["inspect", "files", "pull -d x"] {
        for (reference, words) in [
            ("ghcr.io/a/b:1", "put oci:// in front"),
            ("oci://ghcr.io/a/b:1+2", "is no tag; in a tag `+` is written `_`"),
            ("pods/x", "there is no kind"),
            ("helmrepo/x", "its charts do"),
            ("hr/x:1", "takes no tag"),
        ] {
            let ran = run(Fake::default(), &format!("{command} {reference}")).await;
            assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command} {reference}");
            assert!(ran.err.contains(words), "{command} {reference}: {}", ran.err);
        }
    }
    let ran = run(Fake::default(), "inspect ks/app -A").await;
    assert!(
        ran.code == 2 && ran.err.contains("ks/app stands in one namespace: use -n instead of -A"),
        "{}",
        ran.err
    );
    assert_eq!(run(holding(vec![]), "inspect ./app -A").await.code, 0);
    assert_eq!(run(Fake::default(), "files ./app --layer 0").await.code, 2);
}
