//! Artifacts on this machine: layouts, archives and folders are judged like those of a registry, and nothing outside of
//! them is read.

use super::{
    artifacts::{open, paths, text},
    folder, registry,
    server::OCI_IMAGE,
    settings,
    store::{FLUX_CONFIG, FLUX_LAYER, OCI_INDEX, sha256, tgz},
};
use fluxscope::{
    domain::{
        artifact::{Operation, Origin, Role, Target},
        problem::{Cause, Problem},
        source::LayerSelector,
        tree::Fate,
    },
    port::Artifacts,
    registry::{Limits, OciRegistry, Settings, unpack},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn target(origin: Origin) -> Target {
    Target { origin, selector: LayerSelector::default(), ignore: None }
}

fn layout(path: &Path, reference: Option<&str>) -> Target {
    target(Origin::Layout { path: path.to_owned(), reference: reference.map(Into::into) })
}

async fn refused(target: Target) -> Problem {
    registry().inspect(target).await.unwrap_err()
}

/// A layout on disk.
struct Layout {
    path: PathBuf,
    entries: Vec<Value>,
}

impl Layout {
    fn new(test: &str) -> Self {
        let path = folder(test);
        fs::create_dir_all(path.join("blobs/sha256")).unwrap();
        fs::write(path.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { path, entries: Vec::new() }
    }

    fn blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        fs::write(self.path.join("blobs/sha256").join(&digest[7..]), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    fn image(&self, files: &[(&str, &str)]) -> Value {
        let layer = self.blob(FLUX_LAYER, &tgz(files));
        let config = self.blob(FLUX_CONFIG, br#"{"created":"2026-02-10T10:47:19Z"}"#);
        let document =
            json!({"schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config, "layers": [layer]});
        self.blob(OCI_IMAGE, document.to_string().as_bytes())
    }

    fn tag(&mut self, tag: &str, mut entry: Value) {
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
        self.entries.push(entry);
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.entries});
        fs::write(self.path.join("index.json"), index.to_string()).unwrap();
    }
}

#[tokio::test]
async fn a_layout_is_read_by_tag_by_digest_and_without_a_reference() {
    let mut folder = Layout::new("layout");
    let image = folder.image(&[("a.yaml", "kind: A\n")]);
    folder.tag("1.0.0", image.clone());
    for reference in [None, Some("1.0.0"), image["digest"].as_str()] {
        let artifact = registry().inspect(layout(&folder.path, reference)).await.unwrap();
        assert_eq!(
            (artifact.digest.as_str(), artifact.asked_with.as_ref()),
            (image["digest"].as_str().unwrap(), None)
        );
        assert_eq!(artifact.config.as_ref().unwrap()["created"], "2026-02-10T10:47:19Z");
        let opened = open(&registry(), &artifact).await.1.unwrap();
        assert!(opened.verified);
        assert_eq!((paths(&opened), text(&opened, "a.yaml").await), (vec!["a.yaml"], "kind: A\n".to_owned()));
    }
    let other = folder.image(&[("b.yaml", "")]);
    folder.tag("2.0.0", other);
    let several = refused(layout(&folder.path, None)).await;
    assert_eq!(several.cause, Cause::Usage);
    assert!(several.why.starts_with("it holds 2 manifests, so one has to be named: "), "{several}");
    let absent = refused(layout(&folder.path, Some("3.0.0"))).await;
    assert_eq!((absent.cause, absent.why.as_str()), (Cause::NotFound, "3.0.0 is not here"));
}

#[tokio::test]
async fn an_index_in_a_layout_is_followed_as_in_a_registry() {
    let mut folder = Layout::new("layout-index");
    let (mut arm, image) = (folder.image(&[("arm", "")]), folder.image(&[("amd", "")]));
    arm["platform"] = json!({"os": "linux", "architecture": "arm64"});
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [arm, image]});
    let index = folder.blob(OCI_INDEX, index.to_string().as_bytes());
    folder.tag("1.0.0", index.clone());
    let artifact = registry().inspect(layout(&folder.path, None)).await.unwrap();
    assert_eq!(artifact.digest.as_str(), index["digest"]);
    assert_eq!(artifact.manifest.digest.as_str(), image["digest"]);
}

#[tokio::test]
async fn a_layout_tells_what_refers_to_a_manifest() {
    let mut folder = Layout::new("layout-referrers");
    let image = folder.image(&[]);
    folder.tag("1.0.0", image.clone());
    let signature = folder.image(&[("signature", "")]);
    folder.tag(&format!("{}.sig", image["digest"].as_str().unwrap().replace(':', "-")), signature);
    let empty = folder.blob("application/vnd.oci.empty.v1+json", b"{}");
    let document = json!({"schemaVersion": 2, "mediaType": OCI_IMAGE, "config": empty, "layers": [],
                          "artifactType": "application/spdx+json", "subject": image});
    let sbom = folder.blob(OCI_IMAGE, document.to_string().as_bytes());
    folder.entries.push(sbom);
    folder.tag("2.0.0", image.clone());
    let registry = registry();
    let artifact = registry.inspect(layout(&folder.path, Some("1.0.0"))).await.unwrap();
    let found = Artifacts::referrers(&registry, &artifact).await.unwrap();
    let roles: Vec<Role> = found.found.iter().map(fluxscope::domain::artifact::Referrer::role).collect();
    assert_eq!((roles, found.complete), (vec![Role::Signature, Role::Sbom], true));
}

#[tokio::test]
async fn a_folder_that_is_no_layout_or_a_damaged_one_says_so() {
    let empty = folder("no-layout");
    let problem = refused(layout(&empty, None)).await;
    assert_eq!(
        (problem.cause, problem.why.as_str()),
        (Cause::NotFound, "oci-layout is not here: this is no OCI image layout")
    );
    let mut damaged = Layout::new("damaged-layout");
    let image = damaged.image(&[("a.yaml", "kind: A\n")]);
    damaged.tag("1.0.0", image.clone());
    let good = registry().inspect(layout(&damaged.path, None)).await.unwrap();
    let blob = |digest: &str| damaged.path.join("blobs/sha256").join(&digest[7..]);
    fs::write(blob(good.manifest.layers[0].digest.as_str()), tgz(&[("a.yaml", "kind: B\n")])).unwrap();
    let other = open(&registry(), &good).await.1.err().unwrap();
    assert!(
        other.why.starts_with("the digests differ") || other.why.starts_with("the sizes differ"),
        "{other}"
    );
    fs::write(blob(image["digest"].as_str().unwrap()), "{}").unwrap();
    let problem = refused(layout(&damaged.path, None)).await;
    assert!(problem.why.contains("holds other bytes"), "{problem}");
    fs::remove_file(blob(image["digest"].as_str().unwrap())).unwrap();
    assert_eq!(refused(layout(&damaged.path, None)).await.cause, Cause::NotFound);
    fs::write(damaged.path.join("index.json"), vec![b' '; 5 << 20]).unwrap();
    let problem = refused(layout(&damaged.path, None)).await;
    assert!(
        problem.why == "index.json is larger than 4 MiB"
            && problem.hint.unwrap().contains("--max-manifest-bytes")
    );
}

#[tokio::test]
async fn an_archive_is_judged_as_the_one_layer_of_an_artifact() {
    let path = folder("archive").join("app.tgz");
    let bytes = tgz(&[("a.yaml", "kind: A\n"), ("logo.png", "x")]);
    fs::write(&path, &bytes).unwrap();
    let artifact = registry().inspect(target(Origin::Archive(path.clone()))).await.unwrap();
    assert_eq!((artifact.digest.as_str(), artifact.manifest.layers.len()), (sha256(&bytes).as_str(), 1));
    assert_eq!(artifact.taken.as_ref().unwrap().operation, Operation::Extract);
    assert!(artifact.notes[0].contains("nobody vouches for it"));
    let opened = open(&registry(), &artifact).await.1.unwrap();
    // nothing says what the bytes should be
    assert!(!opened.verified && opened.tree.complete);
    assert_eq!(paths(&opened), ["a.yaml"]);
    let found = Artifacts::referrers(&registry(), &artifact).await.unwrap();
    assert!(found.found.is_empty() && found.complete);
    let chart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let selector = LayerSelector { media_type: Some(chart.into()), copy: true };
    let copied =
        registry().inspect(Target { selector, ..target(Origin::Archive(path.clone())) }).await.unwrap();
    assert_eq!(
        (&*copied.manifest.layers[0].media_type, copied.taken.unwrap().operation),
        (chart, Operation::Copy)
    );
    fs::write(&path, tgz(&[("b.yaml", "kind: B\n"), ("logo.png", "x")])).unwrap();
    let changed = open(&registry(), &artifact).await.1.err().unwrap();
    assert!(changed.why.contains("differ"), "{changed}");
}

#[tokio::test]
async fn a_file_that_is_not_there_no_file_or_too_large_says_so() {
    let folder = folder("files");
    let absent = refused(target(Origin::Archive(folder.join("absent.tgz")))).await;
    assert_eq!(absent.cause, Cause::NotFound);
    assert!(absent.what.contains("absent.tgz"));
    let no_file = refused(target(Origin::Archive(folder.clone()))).await;
    assert_eq!(no_file.why, "it is not a file");
    let large = folder.join("large.tgz");
    fs::write(&large, vec![0; 100]).unwrap();
    let small = Settings { limits: Limits { layer: 10, ..Limits::default() }, ..settings() };
    let problem = OciRegistry::new(small).unwrap().inspect(target(Origin::Archive(large))).await.unwrap_err();
    assert!(problem.hint.unwrap().starts_with("--max-layer-bytes 100"), "{}", problem.why);
    fs::write(folder.join("a.txt"), "x").unwrap();
    let file = refused(target(Origin::Directory(folder.join("a.txt")))).await;
    assert_eq!((file.cause, file.why.as_str()), (Cause::Usage, "it is not a folder"));
    assert_eq!(refused(target(Origin::Directory(folder.join("absent")))).await.cause, Cause::NotFound);
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn fate(opened: &fluxscope::port::Opened, path: &str) -> (Fate, String) {
    let entry =
        &opened.tree.entries[opened.tree.find(path).unwrap_or_else(|| panic!("{path} is not listed"))];
    (entry.fate, entry.note.as_deref().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_folder_is_packed_in_mind_as_flux_would_and_nothing_outside_of_it_is_read() {
    let root = folder("directory");
    let folder = root.join("deploy");
    write(
        &folder,
        &[
            ("app/a.yaml", "kind: A\n"),
            ("app/skip.yaml", "kind: S\n"),
            ("z.yaml", "kind: Z\n"),
            ("logo.png", "x"),
            (".git/config", "[core]"),
            (".gitignore", "target"),
            (".sourceignore", "skip.yaml\n"),
        ],
    );
    write(&root, &[("outside/secret.yaml", "kind: Secret\n")]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root.join("outside"), folder.join("link")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.join("app/passwd")).unwrap();
        std::os::unix::fs::symlink(&folder, folder.join("loop")).unwrap();
    }
    let registry = registry();
    let artifact = registry.inspect(target(Origin::Directory(folder.clone()))).await.unwrap();
    assert!(artifact.notes[0].contains("packed as flux build artifact would"));
    let opened = open(&registry, &artifact).await.1.unwrap();
    assert!(!opened.verified && opened.tree.error.is_none());
    assert_eq!(paths(&opened), [".sourceignore", "app/a.yaml", "z.yaml"]);
    assert_eq!(text(&opened, "app/a.yaml").await, "kind: A\n");
    assert_eq!(fate(&opened, "app/skip.yaml").0, Fate::Ignored);
    for left in ["logo.png", ".gitignore"] {
        assert_eq!(fate(&opened, left), (Fate::Ignored, "flux build artifact leaves it out".to_owned()));
    }
    #[cfg(unix)]
    for link in ["link", "loop", "app/passwd"] {
        assert_eq!(
            fate(&opened, link),
            (Fate::Skipped, "a symbolic link: flux build artifact leaves it out".into())
        );
    }
    assert!(
        opened
            .tree
            .entries
            .iter()
            .all(|entry| !entry.path.contains("secret") && !entry.path.contains(".git/"))
    );
    assert!(opened.tree.entries.is_sorted_by_key(|entry| entry.path.clone()));
    let ignoring = Target { ignore: Some("*.yaml\n!z.yaml\n".into()), ..target(Origin::Directory(folder)) };
    let artifact = registry.inspect(ignoring).await.unwrap();
    assert_eq!(paths(&open(&registry, &artifact).await.1.unwrap()), [".sourceignore", "z.yaml"]);
}

#[tokio::test]
async fn a_folder_beyond_a_limit_is_cut_and_says_which() {
    let folder = folder("wide");
    for number in 0..50 {
        write(&folder, &[(&format!("{number:02}.yaml"), "kind: A\n")]);
    }
    let unpack = unpack::Limits { entries: 20, ..unpack::Limits::default() };
    let registry = OciRegistry::new(Settings { unpack, ..settings() }).unwrap();
    let artifact = registry.inspect(target(Origin::Directory(folder))).await.unwrap();
    let opened = open(&registry, &artifact).await.1.unwrap();
    assert!(!opened.tree.complete && opened.tree.cut.as_ref().unwrap().contains("--max-entries"));
    assert_eq!(opened.tree.entries.len(), 20);
}

#[tokio::test]
async fn what_is_opened_of_a_folder_is_what_was_told_also_if_it_changed_meanwhile() {
    let folder = folder("changing");
    write(&folder, &[("a.yaml", "kind: A\n")]);
    let registry = registry();
    let artifact = registry.inspect(target(Origin::Directory(folder.clone()))).await.unwrap();
    write(&folder, &[("a.yaml", "kind: B\n")]);
    let opened = open(&registry, &artifact).await.1.unwrap();
    assert_eq!(text(&opened, "a.yaml").await, "kind: A\n");
    let again = registry.inspect(target(Origin::Directory(folder))).await.unwrap();
    assert_ne!(again.digest, artifact.digest);
    assert_eq!(text(&open(&registry, &again).await.1.unwrap(), "a.yaml").await, "kind: B\n");
}

#[tokio::test]
async fn a_folder_larger_than_memory_is_read_like_any_other() {
    let root = folder("heavy");
    let (folder, scratch) = (root.join("deploy"), root.join("scratch"));
    let large = "kind: A\n".repeat(50_000);
    write(&folder, &[("a.yaml", &large), ("b.yaml", "kind: B\n"), ("c.yaml", "")]);
    fs::create_dir_all(&scratch).unwrap();
    let mut small = settings();
    small.limits.in_memory = 100_000;
    small.environment.temporary = Some(scratch.clone());
    let mut digests = Vec::new();
    for registry in [OciRegistry::new(small).unwrap(), registry()] {
        let artifact = registry.inspect(target(Origin::Directory(folder.clone()))).await.unwrap();
        let opened = open(&registry, &artifact).await.1.unwrap();
        assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "the file has no name");
        assert_eq!(paths(&opened), ["a.yaml", "b.yaml", "c.yaml"]);
        assert!(text(&opened, "a.yaml").await == large);
        assert_eq!(text(&opened, "b.yaml").await, "kind: B\n");
        assert_eq!(text(&opened, "c.yaml").await, "");
        let size = artifact.manifest.layers[0].size.unwrap();
        assert!(size > 400_000, "{size} bytes");
        assert_eq!(artifact.size_note(), " not compressed");
        digests.push(artifact.digest.clone());
    }
    assert_eq!(digests[0], digests[1]);
}
