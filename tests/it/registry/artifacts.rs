//! Artifacts in a registry: from a reference to its manifest, its config and the files that Flux would write.

use super::{
    registry,
    server::{OCI_IMAGE, Reply, Seen, Server, answer, broken, complaint},
    settings,
    store::{FLUX_CONFIG, FLUX_LAYER, OCI_INDEX, Store, noise, sha256, tgz},
};
use axum::body::{Body, Bytes};
use fluxscope::{
    domain::{
        artifact::{Artifact, Operation, Origin, Target},
        problem::{Cause, Problem},
        source::LayerSelector,
        tree::Fate,
    },
    port::{Artifacts, Opened, Opening, Registry},
    registry::{Limits, OciRegistry, Settings, unpack},
};
use futures::{StreamExt, stream};
use serde_json::json;
use std::{convert::Infallible, sync::mpsc, time::Duration};

pub(super) fn target(server: &Server, reference: &str) -> Target {
    let origin = Origin::Registry { upstream: server.upstream("acme/fleet"), reference: reference.into() };
    Target { origin, selector: LayerSelector::default(), ignore: None }
}

async fn serve(store: &Store) -> Server {
    let store = store.clone();
    Server::start(move |seen, _| store.answer(seen)).await
}

async fn inspect(store: &Store, reference: &str) -> Result<Artifact, Problem> {
    let server = serve(store).await;
    registry().inspect(target(&server, reference)).await
}

pub(super) async fn open(
    registry: &OciRegistry,
    artifact: &Artifact,
) -> (Vec<(u64, Option<u64>, bool)>, Result<Opened, Problem>) {
    let mut progress = Vec::new();
    let mut opening = registry.open(artifact, 0);
    while let Some(step) = opening.next().await {
        match step {
            Ok(Opening::Progress { bytes, of, from_cache }) => progress.push((bytes, of, from_cache)),
            Ok(Opening::Opened(opened)) => return (progress, Ok(opened)),
            Err(problem) => return (progress, Err(problem)),
        }
    }
    panic!("the stream ended without a last word")
}

pub(super) fn paths(opened: &Opened) -> Vec<&str> {
    opened.tree.stored().map(|entry| &*entry.path).collect()
}

pub(super) async fn text(opened: &Opened, path: &str) -> String {
    let entry = opened.tree.find(path).unwrap();
    let read: Vec<_> = opened.contents.read(vec![entry]).collect().await;
    let [Ok((found, bytes))] = read.as_slice() else { panic!("{read:?}") };
    assert_eq!(*found, entry);
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_tag_becomes_a_manifest_a_config_and_the_layer_that_flux_takes() {
    let mut store = Store::default();
    store.artifact("1.0.0", &[("a/x.yaml", "kind: A\n")]);
    let artifact = inspect(&store, "1.0.0").await.unwrap();
    assert_eq!(artifact.digest, artifact.manifest.digest);
    assert_eq!((artifact.index.is_none(), artifact.manifest.layers.len()), (true, 1));
    assert_eq!(artifact.config.unwrap()["created"], "2026-02-10T10:47:19Z");
    let taken = artifact.taken.unwrap();
    assert_eq!((taken.layer, taken.operation), (0, Operation::Extract));
    assert_eq!(artifact.asked_with.as_deref(), Some("anonymous"));
    assert!(artifact.notes.is_empty());
    assert!(
        artifact.manifest.annotation("org.opencontainers.image.revision").unwrap().starts_with("main@sha1:")
    );
}

#[tokio::test]
async fn a_layer_is_opened_with_progress_and_its_files_are_read_without_another_request() {
    let mut store = Store::default();
    store.artifact("1.0.0", &[("b.yaml", "kind: B\n"), ("a/x.yaml", "kind: A\n"), (".gitignore", "x\n")]);
    let server = serve(&store).await;
    let registry = registry();
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    let (progress, opened) = open(&registry, &artifact).await;
    let opened = opened.unwrap();
    assert_eq!(progress[0], (0, artifact.manifest.layers[0].size, false));
    assert!(opened.verified && opened.tree.complete && opened.tree.error.is_none());
    assert_eq!(paths(&opened), ["a/x.yaml", "b.yaml"]);
    let ignored = &opened.tree.entries[opened.tree.find(".gitignore").unwrap()];
    assert_eq!(ignored.fate, Fate::Ignored);
    let requests = server.seen().len();
    assert_eq!(
        (text(&opened, "b.yaml").await, text(&opened, "a/x.yaml").await),
        ("kind: B\n".into(), "kind: A\n".into())
    );
    let all: Vec<_> = opened.contents.read(vec![0, 1, 2]).map(|read| read.unwrap().0).collect().await;
    assert_eq!(all.len(), 3);
    assert_eq!(server.seen().len(), requests);
}

#[tokio::test]
async fn the_sources_own_selector_and_ignore_rules_decide() {
    let mut store = Store::default();
    let first = store.blob("application/vnd.cncf.helm.chart.provenance.v1.prov", b"-----BEGIN PGP");
    let chart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let second =
        store.blob(chart, &tgz(&[("podinfo/Chart.yaml", "name: podinfo\n"), ("podinfo/x.txt", "x")]));
    store.image("1.0.0", &[first, second]);
    let server = serve(&store).await;
    let registry = registry();
    let plain = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    assert_eq!(plain.taken.as_ref().unwrap().layer, 0);
    let opened = open(&registry, &plain).await.1.unwrap();
    assert!(
        opened.verified && opened.tree.error.as_ref().unwrap().flux.contains("requires gzip-compressed body")
    );
    let selector = LayerSelector { media_type: Some(chart.into()), copy: false };
    let of_chart = Target { selector, ignore: Some("*.txt".into()), ..target(&server, "1.0.0") };
    let artifact = registry.inspect(of_chart.clone()).await.unwrap();
    assert_eq!(artifact.taken.as_ref().unwrap().layer, 1);
    let mut steps = registry.open(&artifact, 1);
    let mut last = None;
    while let Some(step) = steps.next().await {
        last = Some(step.unwrap());
    }
    let Some(Opening::Opened(opened)) = last else { panic!("not opened") };
    assert_eq!(paths(&opened), ["podinfo/Chart.yaml"]);
    let selector = LayerSelector { media_type: Some("application/none".into()), copy: false };
    let none = registry.inspect(Target { selector, ..of_chart }).await.unwrap();
    let words = "failed to find layer with media type 'application/none' in artifact";
    assert_eq!(none.taken.unwrap_err().as_ref(), words);
    let beyond = registry.open(&artifact, 7).next().await.unwrap().err().unwrap();
    assert_eq!((beyond.cause, beyond.why.as_str()), (Cause::Usage, "it has 2"));
}

// ---- indexes

fn on(platform: &str, mut entry: serde_json::Value) -> serde_json::Value {
    let mut parts = platform.split('/');
    let (os, architecture) = (parts.next().unwrap(), parts.next().unwrap());
    entry["platform"] = json!({"os": os, "architecture": architecture});
    if let Some(variant) = parts.next() {
        entry["platform"]["variant"] = variant.into();
    }
    entry
}

#[tokio::test]
async fn of_an_index_flux_takes_the_first_child_for_linux_amd64_or_without_a_platform() {
    let mut store = Store::default();
    let arm = on("linux/arm64/v8", store.artifact("arm", &[("arm", "")]));
    let first = on("linux/amd64/v3", store.artifact("first", &[("first", "")]));
    let second = on("linux/amd64", store.artifact("second", &[("second", "")]));
    let bare = store.artifact("bare", &[("bare", "")]);
    let index = store.index("both", &[arm.clone(), first.clone(), second, bare.clone()]);
    store.index("bare-first", &[arm, bare.clone(), first.clone()]);
    let artifact = inspect(&store, "both").await.unwrap();
    // the digest is that of what the tag names, as in Flux's revision
    assert_eq!(artifact.digest.as_str(), index["digest"]);
    assert_eq!(artifact.manifest.digest.as_str(), first["digest"]);
    assert_eq!(artifact.index.unwrap().children.len(), 4);
    let platforms: Vec<_> = artifact.platforms.iter().map(Option::as_deref).collect();
    assert_eq!(platforms, [Some("linux/arm64/v8"), Some("linux/amd64/v3"), Some("linux/amd64"), None]);
    let artifact = inspect(&store, "bare-first").await.unwrap();
    assert_eq!(artifact.manifest.digest.as_str(), bare["digest"]);
}

#[tokio::test]
async fn an_index_without_a_child_for_flux_says_so_in_its_words() {
    let mut store = Store::default();
    let child = store.artifact("arm", &[]);
    let index = store.index("1.0.0", &[on("linux/arm64", child.clone()), on("windows/amd64", child)]);
    store.index("empty", &[]);
    let server = serve(&store).await;
    let problem = registry().inspect(target(&server, "1.0.0")).await.unwrap_err();
    let name = server.upstream("acme/fleet").repository;
    let digest = index["digest"].as_str().unwrap();
    assert_eq!(problem.why, format!("no child with platform linux/amd64 in index {name}@{digest}"));
    assert!(problem.hint.unwrap().ends_with("it holds linux/arm64, windows/amd64"));
    let empty = inspect(&store, "empty").await.unwrap_err();
    assert!(empty.hint.unwrap().ends_with("it is empty"));
}

#[tokio::test]
async fn indexes_in_indexes_are_followed_only_so_deep_and_a_long_one_is_cut() {
    let mut store = Store::default();
    let mut below = store.artifact("image", &[]);
    for depth in 1..=5 {
        below = store.index(&format!("deep-{depth}"), &[below]);
    }
    assert_eq!(inspect(&store, "deep-4").await.unwrap().index.unwrap().children.len(), 1);
    let deep = inspect(&store, "deep-5").await.unwrap_err();
    assert_eq!((deep.cause, deep.why.as_str()), (Cause::Invalid, "more than 4 indexes stand in each other"));
    let image = store.artifact("image", &[("x", "")]);
    let mut entries = vec![on("linux/arm64", image.clone()); 1200];
    entries.push(image.clone());
    store.index("long", &entries);
    let long = inspect(&store, "long").await.unwrap();
    assert_eq!(long.index.unwrap().children.len(), 1000);
    assert_eq!(long.manifest.digest.as_str(), image["digest"]);
    assert_eq!(&*long.notes[0], "the index has 1201 entries: the first 1000 are listed");
}

#[tokio::test]
async fn an_index_that_holds_itself_is_not_followed_for_ever() {
    // what no hash allows, a registry that lies about digests could try: the answer must not match
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_INDEX, "digest": sha256(b"x"), "size": 100}]});
    let server =
        Server::start(move |_, _| Some(answer(200, &[("content-type", OCI_INDEX)], index.to_string()))).await;
    let problem = registry().inspect(target(&server, "loop")).await.unwrap_err();
    assert!(problem.why.starts_with("the digests differ"), "{problem}");
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_child_of_another_size_than_the_index_says_is_refused() {
    let mut store = Store::default();
    let mut child = store.artifact("image", &[]);
    child["size"] = 7.into();
    store.index("1.0.0", &[child]);
    let problem = inspect(&store, "1.0.0").await.unwrap_err();
    assert!(problem.why.starts_with("the sizes differ: the index says"), "{problem}");
}

// ---- documents that are not what they should be

async fn refused(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Problem {
    let server = Server::start(move |seen, _| answer(seen)).await;
    let problem = registry().inspect(target(&server, "1.0.0")).await.unwrap_err();
    assert_eq!(problem.cause, Cause::Invalid, "{problem}");
    problem
}

#[tokio::test]
async fn documents_that_flux_or_we_cannot_use_are_named() {
    let v1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    let cases = [
        (v1, json!({"schemaVersion": 1, "fsLayers": []}), "a schema 1 manifest"),
        (OCI_IMAGE, json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}), "two media types"),
        (
            OCI_IMAGE,
            json!({"schemaVersion": 2, "config": {}, "layers": [], "manifests": []}),
            "both an image and an index",
        ),
        ("application/x-unknown", json!({"schemaVersion": 2}), "\"application/x-unknown\" is not supported"),
        (
            OCI_IMAGE,
            json!({"schemaVersion": 2, "layers": [], "config": {"digest": "sha256:../../../../v2/other/blobs/z", "size": 1}}),
            "config: not a digest",
        ),
    ];
    for (media_type, document, words) in cases {
        let problem =
            refused(move |_| Some(answer(200, &[("content-type", media_type)], document.to_string()))).await;
        assert!(problem.why.contains(words), "{problem}");
    }
    let html = refused(|_| Some(answer(200, &[("content-type", "text/html")], "<html>log in</html>"))).await;
    assert!(html.why.starts_with("a web page came instead of a manifest"), "{html}");
    let huge = refused(|_| Some(answer(200, &[("content-type", OCI_IMAGE)], vec![b' '; 5 << 20]))).await;
    assert!(huge.why.contains("longer than 4 MiB"), "{huge}");
    assert_eq!(huge.hint.as_deref(), Some("--max-manifest-bytes raises the limit"));
}

#[tokio::test]
async fn a_config_that_cannot_be_read_is_a_note_and_no_failure() {
    let mut store = Store::default();
    let layer = store.blob(FLUX_LAYER, &tgz(&[]));
    let missing = json!({"mediaType": FLUX_CONFIG, "digest": sha256(b"gone"), "size": 4});
    let huge = json!({"mediaType": FLUX_CONFIG, "digest": sha256(b"huge"), "size": 5 << 20});
    let text = store.blob("text/plain", b"no JSON");
    for (config, words) in [
        (missing, "the config was not read: 404 BLOB_UNKNOWN"),
        (huge, "the config was not read: it is 5 MiB large, and the limit is 4 MiB (--max-manifest-bytes)"),
        (text, "the config was not read: it (text/plain) is not JSON"),
    ] {
        let document =
            json!({"schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config, "layers": [layer]});
        store.document("1.0.0", OCI_IMAGE, &document);
        let artifact = inspect(&store, "1.0.0").await.unwrap();
        assert!(artifact.config.is_none() && artifact.notes[0].starts_with(words), "{:?}", artifact.notes);
    }
}

#[tokio::test]
async fn a_layer_that_is_said_to_be_elsewhere_is_named_and_never_fetched_there() {
    let elsewhere = Server::start(|_, _| Some(answer(200, &[], "x"))).await;
    let mut store = Store::default();
    let url = format!("http://{}/layer", elsewhere.address);
    let foreign = json!({"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                         "digest": sha256(b"x"), "size": 1, "urls": [url]});
    store.image("1.0.0", &[foreign]);
    let server = serve(&store).await;
    let registry = registry();
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    assert_eq!(
        &*artifact.notes[0],
        format!("layer 1 is said to be at {url}: it is never fetched from there")
    );
    let problem = open(&registry, &artifact).await.1.err().unwrap();
    assert_eq!(problem.cause, Cause::NotFound, "{problem}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_manifest_without_layers_is_shown_with_what_flux_says() {
    let mut store = Store::default();
    store.image("1.0.0", &[]);
    let artifact = inspect(&store, "1.0.0").await.unwrap();
    assert_eq!(artifact.taken.unwrap_err().as_ref(), "no layers found in artifact");
}

#[tokio::test]
async fn a_reference_that_is_none_is_refused_before_anything_is_asked() {
    let server = Server::start(|_, _| None).await;
    for bad in ["../../secret/manifests/x", "sha256:abc", "a b", "", "-x"] {
        let problem = registry().inspect(target(&server, bad)).await.unwrap_err();
        assert_eq!(problem.cause, Cause::Usage, "{problem}");
    }
    assert!(server.seen().is_empty());
}

// ---- layers that are not what they should be

/// The store's answers, with another one for blobs of layers.
async fn with_layer(
    store: &Store,
    layer: impl Fn(&Seen) -> axum::http::Response<Body> + Send + Sync + 'static,
) -> (OciRegistry, Artifact, Server) {
    let store = store.clone();
    let answer = move |seen: &Seen, _| {
        if seen.path().contains("/blobs/") { Some(layer(seen)) } else { store.answer(seen) }
    };
    let server = Server::start(answer).await;
    let registry = registry();
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    (registry, artifact, server)
}

#[tokio::test]
async fn a_layer_of_other_bytes_has_no_tree_but_both_digests() {
    let mut store = Store::default();
    store.artifact("1.0.0", &[("a.yaml", "kind: A\n")]);
    let (meant, other) = (tgz(&[("a.yaml", "kind: A\n")]), tgz(&[("a.yaml", "kind: B\n")]));
    assert_eq!(meant.len(), other.len());
    let sent = other.clone();
    let (registry, artifact, _server) = with_layer(&store, move |_| answer(200, &[], sent.clone())).await;
    let problem = open(&registry, &artifact).await.1.err().unwrap();
    assert_eq!(problem.cause, Cause::Invalid);
    assert!(problem.why.contains(&sha256(&meant)) && problem.why.contains(&sha256(&other)), "{problem}");
}

#[tokio::test]
async fn a_layer_that_breaks_off_for_good_is_a_problem_and_no_half_tree() {
    let mut store = Store::default();
    store.artifact("1.0.0", &[("a.yaml", "kind: A\n")]);
    let (registry, artifact, _server) = with_layer(&store, |_| broken()).await;
    assert_eq!(open(&registry, &artifact).await.1.err().unwrap().cause, Cause::Unreachable);
    let (registry, artifact, _server) =
        with_layer(&store, |_| complaint(404, &[], "BLOB_UNKNOWN", "blob unknown")).await;
    assert_eq!(open(&registry, &artifact).await.1.err().unwrap().cause, Cause::NotFound);
}

#[tokio::test]
async fn a_limit_leaves_a_part_of_the_tree_that_says_which_flag_raises_it() {
    let mut store = Store::default();
    let files: Vec<(String, &str)> =
        (0..100).map(|number| (format!("{number:03}.yaml"), "kind: A\n")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    store.artifact("1.0.0", &files);
    let server = serve(&store).await;
    let unpack = unpack::Limits { entries: 10, ..unpack::Limits::default() };
    let registry = OciRegistry::new(Settings { unpack, ..settings() }).unwrap();
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    let opened = open(&registry, &artifact).await.1.unwrap();
    assert!(!opened.verified && !opened.tree.complete);
    assert_eq!(opened.tree.entries.len(), 10);
    assert!(opened.tree.cut.as_ref().unwrap().contains("--max-entries"), "{:?}", opened.tree.cut);
    assert_eq!(text(&opened, "003.yaml").await, "kind: A\n");
}

#[tokio::test]
async fn a_layer_over_the_limit_is_refused_with_the_flag() {
    let mut store = Store::default();
    store.artifact("1.0.0", &[("a.yaml", "kind: A\n")]);
    let server = serve(&store).await;
    let limits = Limits { layer: 20, ..settings().limits };
    let registry = OciRegistry::new(Settings { limits, ..settings() }).unwrap();
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    // the limit is one of blobs: it holds for a config too
    assert!(artifact.notes[0].contains("the limit is 20 bytes (--max-layer-bytes 34 would allow it)"));
    let problem = open(&registry, &artifact).await.1.err().unwrap();
    assert!(problem.hint.unwrap().starts_with("--max-layer-bytes "), "{}", problem.why);
}

#[tokio::test]
async fn a_layer_larger_than_memory_is_kept_in_a_file_without_a_name() {
    let folder = super::folder("spool");
    let mut store = Store::default();
    let large = String::from_utf8(noise(3 << 20).iter().map(|byte| 32 + byte % 90).collect()).unwrap();
    store.artifact("1.0.0", &[("large.txt", &large), ("small.yaml", "kind: A\n")]);
    let server = serve(&store).await;
    let mut with_spool = settings();
    with_spool.limits.in_memory = 100_000;
    with_spool.environment.temporary = Some(folder.clone());
    let registry = OciRegistry::new(with_spool).unwrap();
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    assert!(artifact.manifest.layers[0].size.unwrap() > 1 << 20);
    let opened = open(&registry, &artifact).await.1.unwrap();
    assert!(opened.verified);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(text(&opened, "small.yaml").await, "kind: A\n");
    assert!(text(&opened, "large.txt").await == large);
}

#[test]
fn dropping_the_stream_ends_the_download_and_the_reader_behind_it() {
    let (done, ended) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut store = Store::default();
            let bytes = tgz(&[("a.yaml", "kind: A\n")]);
            store.artifact("1.0.0", &[("a.yaml", "kind: A\n")]);
            let half = bytes[..bytes.len() / 2].to_vec();
            let (registry, artifact, _server) = with_layer(&store, move |_| {
                let sent = stream::iter([Ok::<_, Infallible>(Bytes::from(half.clone()))]);
                answer(200, &[], Body::from_stream(sent.chain(stream::pending())))
            })
            .await;
            let mut opening = registry.open(&artifact, 0);
            assert!(matches!(opening.next().await, Some(Ok(Opening::Progress { bytes: 0, .. }))));
            let next = tokio::time::timeout(Duration::from_millis(50), opening.next()).await;
            assert!(!matches!(next, Ok(Some(Ok(Opening::Opened(_))))));
        });
        // a runtime waits for its blocking threads: this returns only if the reader has ended
        drop(runtime);
        done.send(()).unwrap();
    });
    ended.recv_timeout(Duration::from_secs(20)).expect("the reader of the layer is still there");
}

#[tokio::test]
async fn what_a_digest_names_is_read_the_same_way_by_all_questions() {
    let mut store = Store::default();
    let entry = store.artifact("1.0.0", &[("a.yaml", "kind: A\n")]);
    let server = serve(&store).await;
    let registry = registry();
    let digest = entry["digest"].as_str().unwrap();
    let manifest = registry.manifest(server.upstream("acme/fleet"), digest.into()).await.unwrap();
    let artifact = registry.inspect(target(&server, digest)).await.unwrap();
    assert_eq!(manifest, artifact.manifest);
    let config = artifact.manifest.config.unwrap();
    let bytes: Vec<_> = registry.blob(server.upstream("acme/fleet"), config).collect().await;
    assert_eq!(bytes.into_iter().map(Result::unwrap).collect::<Vec<_>>().concat().len(), 34);
}
