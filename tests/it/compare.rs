//! The engine of comparisons over artifacts in memory: what it opens and reads, what it refuses, when it stops.

use crate::cli::{
    fake::{Fake, Handle, digest, id},
    sealed::{File, artifact, file, opened, refused},
};
use bytes::Bytes;
use fluxscope::{
    domain::{
        artifact::{Artifact, Operation, Origin, Referrers, Target},
        comparison::{Comparison, Question, Tier},
        diff::{Side, Which},
        digest::Digest,
        identity::Kind,
        lens::{Config, ConfigKind, ConfigRef, Lens},
        problem::{Cause, Problem},
        source::LayerSelector,
        tree::Tree,
    },
    port::{
        Artifacts, CacheInfo, Comparing, Contents, NoTools, Opened, Opening, Rendered, Renderer, Sides,
        compare,
    },
};
use futures::{
    FutureExt, StreamExt,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    fmt::Write as _,
    path::Path,
    sync::{Arc, Mutex},
};

type Edit = fn(&mut Tree);
/// What was opened, and what was read: `side path`.
type Log = Arc<Mutex<Vec<String>>>;

/// What may be the last word of reading files.
#[derive(Clone, Default)]
enum Fault {
    #[default]
    None,
    /// A file of this path is left out, and the reader says so at its end.
    Large(&'static str),
    Disk,
}

/// Two artifacts by the names `from` and `to`.
#[derive(Default)]
struct Shelf {
    layers: HashMap<&'static str, (Artifact, Vec<File>)>,
    edit: Option<Edit>,
    fault: Fault,
    /// Layers never end.
    endless: bool,
    log: Log,
}

fn hashed(path: &str, bytes: impl Into<Bytes>) -> File {
    let bytes = bytes.into();
    let mut hex = String::new();
    for byte in Sha256::digest(&bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    let mut file = file(path, bytes);
    file.entry.sha256 = Some(Digest::parse(&format!("sha256:{hex}")).unwrap());
    file
}

fn target(side: &str) -> Target {
    Target { origin: Origin::Directory(side.into()), selector: LayerSelector::default(), ignore: None }
}

fn side(target: &Target) -> &'static str {
    match &target.origin {
        Origin::Directory(path) if path == Path::new("from") => "from",
        _ => "to",
    }
}

impl Shelf {
    fn of(from: Vec<File>, to: Vec<File>) -> Self {
        let with = |layer: char| {
            let mut artifact = artifact();
            artifact.manifest.layers[0].digest = Digest::parse(&digest(layer)).unwrap();
            artifact
        };
        Self { layers: [("from", (with('1'), from)), ("to", (with('2'), to))].into(), ..Self::default() }
    }

    fn change(&mut self, side: &str, change: impl FnOnce(&mut Artifact)) {
        change(&mut self.layers.get_mut(side).unwrap().0);
    }
}

struct Traced {
    inner: Arc<dyn Contents>,
    tree: Arc<Tree>,
    side: &'static str,
    log: Log,
    fault: Fault,
}

impl Contents for Traced {
    fn read(&self, mut entries: Vec<usize>) -> BoxStream<'static, Result<(usize, Bytes), Problem>> {
        let path = |at: usize| self.tree.entries[at].path.to_string();
        let mut read: Vec<String> = entries.iter().map(|&at| format!("{} {}", self.side, path(at))).collect();
        read.sort();
        self.log.lock().unwrap().extend(read);
        let last = match self.fault {
            Fault::None => None,
            Fault::Large(name) => {
                let before = entries.len();
                entries.retain(|&at| path(at) != name);
                let problem =
                    Problem::new(Cause::Invalid, format!("show {name}"), "it has more than 9 bytes");
                (entries.len() < before).then(|| problem.with_hint("--max-file-bytes raises the limit"))
            }
            Fault::Disk => {
                Some(Problem::new(Cause::Other, "read the files of the layer", "the disk is gone"))
            }
        };
        self.inner.read(entries).chain(stream::iter(last.map(Err))).boxed()
    }
}

/// Writes down that it is gone.
struct Gone(&'static str, Log);

impl Drop for Gone {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(format!("{} dropped", self.0));
    }
}

impl Artifacts for Shelf {
    fn inspect(&self, target: Target) -> BoxFuture<'static, Result<Artifact, Problem>> {
        let found = self.layers.get(side(&target)).map(|(artifact, _)| artifact.clone());
        let missing = Problem::new(Cause::NotFound, "inspect", "404 MANIFEST_UNKNOWN");
        future::ready(found.map(|artifact| Artifact { target, ..artifact }).ok_or(missing)).boxed()
    }

    fn referrers(&self, _: &Artifact) -> BoxFuture<'static, Result<Referrers, Problem>> {
        future::pending().boxed()
    }

    fn open(&self, artifact: &Artifact, _: usize) -> BoxStream<'static, Result<Opening, Problem>> {
        let side = side(&artifact.target);
        self.log.lock().unwrap().push(format!("{side} opened"));
        let progress = Opening::Progress { bytes: 600, of: Some(1200), from_cache: false };
        if self.endless {
            let gone = Gone(side, self.log.clone());
            let never = stream::once(async move {
                let _gone = gone;
                future::pending().await
            });
            return stream::iter([Ok(progress)]).chain(never).boxed();
        }
        let read = opened(self.layers[side].1.clone(), self.edit.unwrap_or(|_| {}));
        let contents = Traced {
            inner: read.contents,
            tree: read.tree.clone(),
            side,
            log: self.log.clone(),
            fault: self.fault.clone(),
        };
        let read = Opened { contents: Arc::new(contents), ..read };
        stream::iter([Ok(progress), Ok(Opening::Opened(read))]).boxed()
    }

    fn cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        future::pending().boxed()
    }

    fn clear_cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        future::pending().boxed()
    }
}

fn question() -> Question {
    Question { from: target("from"), to: target("to"), consumer: None, read_secrets: false, build: false }
}

fn sides(shelf: Shelf) -> Sides {
    Sides { artifacts: Arc::new(shelf), renderer: Arc::new(NoTools), cluster: None }
}

/// The steps in a few words, and the last word.
async fn watched(sides: Sides, question: Question) -> (Vec<String>, Result<Arc<Comparison>, Problem>) {
    let mut steps = Vec::new();
    let mut stream = compare(sides, question);
    let mut last = None;
    while let Some(step) = stream.next().await {
        assert!(last.is_none(), "nothing comes behind the last word: {step:?}");
        match step {
            Ok(Comparing::Reading { which, bytes, .. }) => steps.push(format!("{which:?} {bytes}")),
            Ok(Comparing::Opened { which, files }) => steps.push(format!("{which:?} opened: {files}")),
            Ok(Comparing::Working(words)) => steps.push(words),
            Ok(Comparing::Done(comparison)) => last = Some(Ok(comparison)),
            Err(problem) => last = Some(Err(problem)),
        }
    }
    (steps, last.expect("a last word"))
}

async fn compared(shelf: Shelf) -> Result<Arc<Comparison>, Problem> {
    watched(sides(shelf), question()).await.1
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n";

#[tokio::test]
async fn both_sides_tell_how_far_they_are_and_the_answer_comes_last() {
    let shelf = Shelf::of(vec![hashed("a.yaml", MAP)], vec![hashed("a.yaml", MAP.replace("v\n", "w\n"))]);
    let (steps, last) = watched(sides(shelf), question()).await;
    let comparison = last.unwrap();
    assert!(steps.contains(&"From 600".into()) && steps.contains(&"To 600".into()), "{steps:?}");
    for words in [
        "From opened: 1",
        "To opened: 1",
        "looking into 1 and 1 files",
        "reading 2 documents",
        "comparing 2 documents",
    ] {
        assert!(steps.contains(&words.into()), "{words} is not in {steps:?}");
    }
    assert_eq!(comparison.is_same(), Some(false));
    assert_eq!(comparison.source.objects.len(), 1);
    assert_eq!(comparison.tier, Tier::Source { why: None });
    assert_eq!(comparison.lens, Lens::Whole);
}

#[tokio::test]
async fn only_the_bytes_that_are_needed_are_read_and_the_same_ones_once() {
    let big = vec![0_u8; 5 << 20];
    let mut other = big.clone();
    other[7] = 1;
    let from = vec![
        hashed("same.yaml", MAP),
        hashed("moved.txt", "text"),
        hashed("same.bin", "\0same"),
        hashed("changed.txt", "one"),
        hashed("large.bin", big),
    ];
    let to = vec![
        hashed("same.yaml", MAP),
        hashed("again.yaml", MAP),
        hashed("moved-here.txt", "text"),
        hashed("same.bin", "\0same"),
        hashed("changed.txt", "two"),
        hashed("large.bin", other),
    ];
    let shelf = Shelf::of(from, to);
    let log = shelf.log.clone();
    let comparison = compared(shelf).await.unwrap();
    let read: Vec<String> =
        log.lock().unwrap().iter().filter(|line| !line.contains("opened")).cloned().collect();
    assert_eq!(read, ["from changed.txt", "from same.yaml", "to changed.txt"]);
    assert!(comparison.source.files.iter().any(|file| file.path() == "large.bin"), "its digest tells");
}

#[tokio::test]
async fn a_file_that_changes_is_read_though_the_other_side_has_its_bytes_elsewhere() {
    let files =
        |files: &[(&str, &'static str)]| files.iter().map(|(path, text)| hashed(path, *text)).collect();
    let shelf = Shelf::of(
        files(&[("g.txt", ""), ("h.txt", "x"), ("kept.txt", "x"), ("a.txt", "gone"), ("b.txt", "gone")]),
        files(&[("g.txt", "hello"), ("h.txt", "y"), ("kept.txt", "x"), ("empty.txt", ""), ("c.txt", "gone")]),
    );
    let comparison = compared(shelf).await.unwrap();
    let of = |path: &str| {
        let file = comparison.source.files.iter().find(|file| file.path() == path);
        file.unwrap_or_else(|| panic!("{path} is not among {:?}", comparison.source.files)).texts()
    };
    assert_eq!(of("g.txt"), Ok((Some(""), Some("hello"))));
    assert_eq!(of("h.txt"), Ok((Some("x"), Some("y"))));
    assert_eq!(of("empty.txt"), Ok((None, Some(""))));
    assert_eq!(of("b.txt"), Ok((Some("gone"), None)), "a copy of what was renamed");
    let shelf = Shelf::of(files(&[("g.txt", "hello")]), files(&[("g.txt", ""), ("e.yaml", "")]));
    let comparison = compared(shelf).await.unwrap();
    assert_eq!(comparison.source.files[1].texts(), Ok((Some("hello"), Some(""))));
}

#[tokio::test]
async fn the_same_layer_is_opened_once_and_compared_with_nothing() {
    let mut shelf = Shelf::of(vec![hashed("a.yaml", MAP)], vec![hashed("a.yaml", MAP)]);
    shelf.change("to", |artifact| artifact.manifest.layers[0].digest = Digest::parse(&digest('1')).unwrap());
    let log = shelf.log.clone();
    let comparison = compared(shelf).await.unwrap();
    assert_eq!(*log.lock().unwrap(), ["from opened"]);
    assert_eq!((comparison.is_same(), comparison.source.same_files), (Some(true), 1));
    assert!(comparison.notes[0].contains("the same content"), "{:?}", comparison.notes);
}

#[tokio::test]
async fn the_same_layer_read_with_other_rules_is_compared() {
    let mut shelf = Shelf::of(vec![hashed("a.yaml", MAP)], vec![hashed("a.yaml", MAP)]);
    shelf.change("to", |artifact| {
        artifact.manifest.layers[0].digest = Digest::parse(&digest('1')).unwrap();
        artifact.taken.as_mut().unwrap().operation = Operation::Copy;
    });
    let log = shelf.log.clone();
    assert_eq!(compared(shelf).await.unwrap().is_same(), Some(true));
    assert_eq!(log.lock().unwrap().iter().filter(|line| line.ends_with("opened")).count(), 2);
    let mut shelf = Shelf::of(vec![hashed("a.yaml", MAP)], Vec::new());
    shelf.change("to", |artifact| artifact.manifest.layers[0].digest = Digest::parse(&digest('1')).unwrap());
    let mut question = question();
    question.to.ignore = Some("*.yaml".into());
    let comparison = watched(sides(shelf), question).await.1.unwrap();
    assert_eq!(comparison.is_same(), Some(false), "spec.ignore decides what is stored");
}

#[tokio::test]
async fn what_flux_refuses_is_a_problem_in_its_words() {
    let mut shelf = Shelf::of(Vec::new(), Vec::new());
    shelf.edit = Some(|tree| tree.error = Some(refused("a name leads out", "tar contained invalid name")));
    let problem = compared(shelf).await.unwrap_err();
    assert_eq!(problem.cause, Cause::Refused);
    assert_eq!(problem.why, "Flux would store nothing of it: tar contained invalid name");
    let mut shelf = Shelf::of(Vec::new(), Vec::new());
    shelf.change("to", |artifact| artifact.taken = Err("no layers found in artifact".into()));
    let problem = compared(shelf).await.unwrap_err();
    assert_eq!((problem.what.as_str(), problem.cause), ("compare to", Cause::Refused));
    assert!(problem.why.contains("no layers found in artifact"));
}

#[tokio::test]
async fn a_cut_layer_is_never_said_to_be_the_same() {
    let files = || vec![hashed("a.yaml", MAP)];
    let mut shelf = Shelf::of(files(), files());
    shelf.edit = Some(|tree| {
        (tree.complete, tree.left) = (false, 12);
        tree.cut = Some("more than 1 entry: --max-entries raises it".into());
    });
    let comparison = compared(shelf).await.unwrap();
    assert_eq!((comparison.is_same(), comparison.is_whole()), (None, false));
    let note = &comparison.from.notes[0];
    assert!(note.contains("--max-entries raises it") && note.contains("12 entries"), "{note}");
}

#[tokio::test]
async fn a_file_that_is_too_large_to_be_read_is_compared_by_its_digest_and_that_is_said() {
    let changed = MAP.replace("v\n", "w\n");
    let mut shelf = Shelf::of(vec![hashed("a.yaml", MAP)], vec![hashed("a.yaml", changed)]);
    shelf.fault = Fault::Large("a.yaml");
    let comparison = compared(shelf).await.unwrap();
    assert_eq!(comparison.is_same(), Some(false));
    let note = &comparison.from.notes[0];
    assert!(
        note.contains("only the digest was compared of a.yaml") && note.contains("--max-file-bytes"),
        "{note}"
    );
}

#[tokio::test]
async fn a_disk_that_fails_is_no_difference() {
    let mut shelf = Shelf::of(vec![hashed("a.yaml", MAP)], vec![hashed("a.yaml", "a: b")]);
    shelf.fault = Fault::Disk;
    assert_eq!(compared(shelf).await.unwrap_err().why, "the disk is gone");
}

#[tokio::test]
async fn documents_are_counted_while_they_are_read() {
    let many = |value: &str| {
        let of = |n| MAP.replace("name: a", &format!("name: a{n}")).replace("k: v", &format!("k: {value}"));
        hashed("a.yaml", (0..2_500).map(of).collect::<Vec<String>>().join("---\n"))
    };
    let (steps, last) = watched(sides(Shelf::of(vec![many("v")], vec![many("w")])), question()).await;
    assert_eq!(last.unwrap().source.objects.len(), 2_500);
    assert!(steps.iter().any(|step| step.starts_with("reading documents: ")), "{steps:?}");
    let at = |words: &str| steps.iter().position(|step| step == words);
    let (read, compared) = (at("reading 5000 documents"), at("comparing 5000 documents"));
    assert!(read.is_some() && read < compared, "{steps:?}");
}

#[tokio::test]
async fn whoever_stops_listening_ends_the_work() {
    let mut shelf = Shelf::of(Vec::new(), Vec::new());
    shelf.endless = true;
    let log = shelf.log.clone();
    let mut stream = compare(sides(shelf), question());
    assert!(matches!(stream.next().await, Some(Ok(Comparing::Reading { which: Which::From, .. }))));
    drop(stream);
    let gone = log.lock().unwrap().clone();
    assert!(gone.contains(&"from dropped".into()) && gone.contains(&"to dropped".into()), "{gone:?}");
}

#[tokio::test]
async fn one_side_that_fails_ends_the_other() {
    let mut shelf = Shelf::of(Vec::new(), Vec::new());
    shelf.layers.remove("to");
    assert_eq!(compared(shelf).await.unwrap_err().why, "404 MANIFEST_UNKNOWN");
}

/// Renders what it was told to, and writes down the sizes of what it got.
struct Oven {
    answers: Mutex<Vec<Result<Rendered, Problem>>>,
    got: Mutex<Vec<usize>>,
}

impl Renderer for Oven {
    fn render(&self, _: Lens, files: Side) -> BoxFuture<'static, Result<Rendered, Problem>> {
        assert!(files.files.iter().all(|file| file.bytes.is_some()), "whoever renders gets every byte");
        self.got.lock().unwrap().push(files.files.len());
        future::ready(self.answers.lock().unwrap().remove(0)).boxed()
    }
}

fn rendered(text: &str) -> Rendered {
    let manifests = Bytes::copy_from_slice(text.as_bytes());
    Rendered { manifests, by: "kustomize v5.8.1".into(), notes: vec!["said besides".into()] }
}

fn kustomization() -> Fake {
    let podinfo = id(Kind::Kustomization, "shop/podinfo");
    let raw = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "podinfo", "namespace": "shop"},
        "spec": {"prune": true, "path": "./", "postBuild": {"substitute": {"a": "b"}}, "patches": [{"patch": "x"}],
                 "sourceRef": {"kind": "OCIRepository", "name": "podinfo"}},
    });
    Fake { raws: [(podinfo, raw)].into(), ..Fake::default() }
}

async fn through_podinfo(
    build: bool,
    answers: Vec<Result<Rendered, Problem>>,
) -> (Arc<Comparison>, Vec<usize>) {
    let from = vec![hashed("a.yaml", MAP), hashed("b.bin", "\0")];
    let to = vec![hashed("a.yaml", MAP.replace("v\n", "w\n")), hashed("b.bin", "\0")];
    let oven = Arc::new(Oven { answers: Mutex::new(answers), got: Mutex::default() });
    let sides = Sides {
        artifacts: Arc::new(Shelf::of(from, to)),
        renderer: oven.clone(),
        cluster: Some(Arc::new(Handle(Arc::new(kustomization())))),
    };
    let consumer = Some(id(Kind::Kustomization, "shop/podinfo"));
    let comparison = watched(sides, Question { consumer, build, ..question() }).await.1.unwrap();
    let got = oven.got.lock().unwrap().clone();
    (comparison, got)
}

#[tokio::test]
async fn what_was_rendered_is_compared_beside_the_source() {
    let (comparison, got) =
        through_podinfo(true, vec![Ok(rendered(MAP)), Ok(rendered(&MAP.replace("v\n", "x\n")))]).await;
    assert_eq!(got, [2, 2]);
    assert_eq!(comparison.tier, Tier::Built { by: "kustomize v5.8.1".into() });
    let built = comparison.built.as_ref().unwrap();
    assert_eq!((built.objects.len(), comparison.source.objects.len()), (1, 1));
    let notes = comparison.notes.join("\n");
    assert!(notes.contains("said besides") && notes.contains("postBuild is not substituted"), "{notes}");
    assert!(!notes.contains("applies on top"), "it is in what was rendered: {notes}");
}

#[tokio::test]
async fn what_could_not_be_rendered_is_compared_as_it_is_stored_and_says_why() {
    let remote = Problem::new(Cause::Refused, "render the files", "kustomization.yaml names a remote base");
    let (comparison, _) = through_podinfo(true, vec![Err(remote), Ok(rendered(MAP))]).await;
    let why = "could not render the files: kustomization.yaml names a remote base".to_owned();
    assert_eq!((&comparison.tier, comparison.built.is_none()), (&Tier::Source { why: Some(why) }, true));
    let notes = comparison.notes.join("\n");
    assert!(
        notes.contains("applies on top, and is not in this diff") && notes.contains("1 patch"),
        "{notes}"
    );
}

#[tokio::test]
async fn nothing_is_rendered_unless_asked() {
    let (comparison, got) = through_podinfo(false, Vec::new()).await;
    assert_eq!((got.len(), &comparison.tier), (0, &Tier::Source { why: None }));
}

#[tokio::test]
async fn a_consumer_that_is_not_there_is_a_problem() {
    let fake = Arc::new(Handle(Arc::new(Fake::default())));
    let sides = Sides { cluster: Some(fake), ..sides(Shelf::of(Vec::new(), Vec::new())) };
    let consumer = Some(id(Kind::HelmRelease, "shop/nobody"));
    let problem = watched(sides, Question { consumer, ..question() }).await.1.unwrap_err();
    assert_eq!(problem.cause, Cause::NotFound);
}

#[tokio::test]
async fn a_rendering_that_fails_without_all_values_points_to_them() {
    for (cause, read, want) in [
        (
            Cause::Invalid,
            false,
            " (values are missing: Shift-V or --read-secrets reads the Secrets of valuesFrom)",
        ),
        (Cause::Invalid, true, ""),
        (Cause::NotFound, false, ""),
    ] {
        let failed = || Err(Problem::new(cause, "render hr shop/podinfo", "helm: nil pointer"));
        let oven = Oven { answers: Mutex::new(vec![failed(), failed()]), got: Mutex::default() };
        let raw = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "podinfo", "namespace": "shop"},
            "spec": {"chartRef": {"kind": "OCIRepository", "name": "podinfo"},
                     "valuesFrom": [{"kind": "Secret", "name": "shut"}]},
        });
        let values = Config([("values.yaml".into(), b"a: 1\n".to_vec())].into());
        let fake = Fake {
            raws: [(id(Kind::HelmRelease, "shop/podinfo"), raw)].into(),
            configs: [(config(ConfigKind::Secret, "shut"), Ok(values))].into(),
            ..Fake::default()
        };
        let files = |version: &str| {
            vec![hashed("podinfo/Chart.yaml", format!("name: podinfo\nversion: {version}\n"))]
        };
        let sides = Sides {
            artifacts: Arc::new(Shelf::of(files("1.0.0"), files("1.1.0"))),
            renderer: Arc::new(oven),
            cluster: Some(Arc::new(Handle(Arc::new(fake)))),
        };
        let consumer = Some(id(Kind::HelmRelease, "shop/podinfo"));
        let question = Question { consumer, build: true, read_secrets: read, ..question() };
        let comparison = watched(sides, question).await.1.unwrap();
        let why = format!("could not render hr shop/podinfo{want}: helm: nil pointer");
        assert_eq!(comparison.tier, Tier::Source { why: Some(why) });
    }
}

fn config(kind: ConfigKind, name: &str) -> ConfigRef {
    ConfigRef { kind, namespace: "shop".into(), name: name.into() }
}

#[tokio::test]
async fn secrets_are_read_only_when_that_was_asked() {
    for read_secrets in [false, true] {
        let values = Config([("values.yaml".into(), b"a: 1\n".to_vec())].into());
        let raw = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "podinfo", "namespace": "shop"},
            "spec": {"chartRef": {"kind": "OCIRepository", "name": "podinfo"}, "valuesFrom": [
                {"kind": "ConfigMap", "name": "open"}, {"kind": "Secret", "name": "shut"}]},
        });
        let fake = Fake {
            raws: [(id(Kind::HelmRelease, "shop/podinfo"), raw)].into(),
            configs: [
                (config(ConfigKind::ConfigMap, "open"), Ok(values.clone())),
                (config(ConfigKind::Secret, "shut"), Ok(values)),
            ]
            .into(),
            ..Fake::default()
        };
        let fake = Arc::new(Handle(Arc::new(fake)));
        let files = |version: &str| {
            vec![hashed("podinfo/Chart.yaml", format!("name: podinfo\nversion: {version}\n"))]
        };
        let sides = Sides { cluster: Some(fake.clone()), ..sides(Shelf::of(files("1.0.0"), files("1.1.0"))) };
        let consumer = Some(id(Kind::HelmRelease, "shop/podinfo"));
        let comparison = watched(sides, Question { consumer, read_secrets, ..question() }).await.1.unwrap();
        let asked = fake.0.configs_asked.lock().unwrap().clone();
        assert_eq!(asked.contains(&config(ConfigKind::Secret, "shut")), read_secrets);
        assert!(asked.contains(&config(ConfigKind::ConfigMap, "open")));
        assert_eq!(comparison.lens.is_blind(), !read_secrets);
    }
}
