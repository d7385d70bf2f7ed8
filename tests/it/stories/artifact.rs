//! What is inside an artifact: tree, files, objects, manifest.

use crate::story::{Story, digest, settings, shop, upstream};
use fluxscope::{
    app::{
        effect::Effect,
        message::Message,
        shelf::artifacts::{Content, FileId, FileObject, Hidden, Hit, Hits, LayerId, News},
    },
    domain::{
        artifact::{Artifact, Descriptor, Manifest, Operation, Origin, Referrer, Referrers, Taken, Target},
        digest::Digest,
        fact::Object,
        identity::Kind,
        object::Named,
        problem::{Cause, Problem},
        source::LayerSelector,
        tree::{Entry, Fate, Refusal, Tree},
    },
};
use std::{collections::BTreeMap, sync::Arc};

const LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

fn descriptor(c: char, media_type: &str) -> Descriptor {
    Descriptor {
        digest: Digest::parse(&digest(c)).unwrap(),
        media_type: media_type.into(),
        size: Some(2_150),
        annotations: BTreeMap::new(),
    }
}

fn artifact(target: Target, layers: Vec<Descriptor>, taken: Result<usize, &str>) -> Arc<Artifact> {
    let manifest = Manifest {
        digest: Digest::parse(&digest('a')).unwrap(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size: 740,
        config: Some(descriptor('c', "application/vnd.cncf.flux.config.v1+json")),
        layers,
        children: vec![],
        annotations: BTreeMap::from([
            ("org.opencontainers.image.created".into(), "2026-11-16T11:06:40Z".into()),
            ("org.opencontainers.image.revision".into(), "6.9.1@sha1:8fa1c3d".into()),
        ]),
    };
    let taken = taken.map_err(Into::into).map(|layer| Taken {
        layer,
        operation: Operation::Extract,
        reason: "the first layer, no selector is set".into(),
    });
    let config = Some(Arc::new(serde_json::json!({})));
    let asked_with = Some("anonymous".into());
    Arc::new(Artifact {
        target,
        digest: manifest.digest.clone(),
        index: None,
        platforms: vec![],
        notes: vec!["the config was not read: it is larger than 4 MiB".into()],
        manifest,
        config,
        taken,
        asked_with,
    })
}

fn entry(path: &str, fate: Fate, note: Option<&str>) -> Entry {
    Entry {
        path: path.into(),
        size: 312,
        sha256: Some(Digest::parse(&digest('e')).unwrap()),
        fate,
        note: note.map(Into::into),
        at: (fate != Fate::Skipped).then_some(512),
        executable: false,
    }
}

fn tree() -> Tree {
    let mut entries = vec![
        entry("deploy/configmap.yaml", Fate::Written, None),
        entry("deploy/secret.yaml", Fate::Written, None),
        entry("kustomization.yaml", Fate::Written, None),
        entry("link.yaml", Fate::Skipped, Some("a symbolic link to deploy/secret.yaml")),
        entry(".github/ci.yaml", Fate::Ignored, Some("by Flux's defaults: .github/")),
    ];
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Tree { entries, complete: true, unpacked: 4096, ..Tree::default() }
}

/// The shop's podinfo with one layer, opened from the board.
struct Opened {
    story: Story,
    target: Target,
    artifact: Arc<Artifact>,
}

impl Opened {
    fn with(width: u16, height: u16, tree: Tree) -> Self {
        let mut story = Story::with(settings(width, height), shop());
        story.asked();
        story.press("j a");
        Self::of(story, tree)
    }

    fn of(mut story: Story, tree: Tree) -> Self {
        let target = story
            .asked()
            .into_iter()
            .find_map(|effect| if let Effect::Inspect(target) = effect { Some(target) } else { None })
            .expect("it is asked what it is");
        story.shows("asking what it is …");
        let artifact = artifact(target.clone(), vec![descriptor('b', LAYER)], Ok(0));
        story.tell(Message::Artifact(News::Inspected(target.clone(), Ok(artifact.clone()))));
        let mut opened = Self { story, target, artifact };
        opened.open(tree);
        opened
    }

    fn open(&mut self, tree: Tree) {
        let asked = self.story.asked();
        let wanted = Effect::OpenLayer { artifact: self.artifact.clone(), layer: 0 };
        assert!(asked.contains(&wanted), "{asked:?}");
        let id = self.layer();
        self.news(News::Progress { id: id.clone(), bytes: 1_024, of: Some(2_150), from_cache: false });
        self.story.wait(1);
        self.story.shows("reading 1.0 KiB of 2.0 KiB from the registry, 1.0 KiB/s. Esc cancels.");
        self.news(News::Opened(id, Ok((Arc::new(tree), true))));
    }

    fn layer(&self) -> LayerId {
        LayerId { target: self.target.clone(), layer: 0 }
    }

    fn news(&mut self, news: News) {
        self.story.tell(Message::Artifact(news));
    }

    fn read(&mut self, entry: usize, lines: &[&str], hidden: Vec<Hidden>) {
        let id = FileId { layer: self.layer(), entry };
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        self.news(News::Read(id, Ok(Arc::new(Content::Text { lines, hidden, sops: false }))));
    }
}

#[test]
fn the_tree_shows_what_flux_stores_and_on_demand_what_it_does_not() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut opened = Opened::with(width, height, tree());
        opened.story.shows("aaaaaaaa verified");
        opened.story.shows("2 entries that Flux does not store are hidden: i shows them");
        opened.story.hides("link.yaml");
        opened.story.press("i");
        opened.story.shows("link.yaml");
        opened.story.shows("skipped");
        opened.story.press("G");
        opened.story.shows("skipped: a symbolic link to deploy/secret.yaml");
        opened.story.press("Enter");
        opened.story.shows("a symbolic link");
        opened.story.press("g j j");
        opened.story.snapshot(&format!("artifact-{width}x{height}"));
    }
}

#[test]
fn a_file_is_read_when_it_is_looked_at_and_its_secrets_stay_hidden_until_asked_for() {
    let mut opened = Opened::with(80, 24, tree());
    opened.story.asked();
    opened.story.press("j j Enter");
    let path = "deploy/secret.yaml";
    let at = tree().find(path).unwrap();
    let id = FileId { layer: opened.layer(), entry: at };
    let wanted = Effect::ReadFile { artifact: opened.artifact.clone(), id };
    assert_eq!(opened.story.asked(), [wanted], "only this one");
    let lines = ["kind: Secret", "stringData:", "  password: hunter2", "type: Opaque"];
    opened.read(at, &lines, vec![Hidden { line: 2, start: 12, end: 19, value: 0 }]);
    opened.story.shows("password: (hidden)");
    opened.story.hides("hunter2");
    opened.story.shows("secret values are hidden: x shows the one under the cursor");
    opened.story.press("x");
    opened.story.shows("there is no hidden value under the cursor");
    opened.story.press("j j x");
    opened.story.shows("password: hunter2");
    opened.story.press("/");
    opened.story.kind("opaque");
    opened.story.press("Enter");
    opened.story.shows("/opaque 1/1");
    opened.story.press("Esc Esc Esc");
    opened.story.shows("prod-eu › board");
}

#[test]
fn a_filter_keeps_the_way_to_each_hit_and_a_search_goes_through_all_files() {
    let mut opened = Opened::with(120, 30, tree());
    opened.story.press("/");
    opened.story.kind("config");
    opened.story.press("Enter");
    opened.story.shows("/config <1/3>");
    opened.story.hides("secret.yaml");
    opened.story.press("Esc :");
    opened.story.kind("grep token");
    opened.story.press("Enter");
    opened.story.shows("looking for token in all files");
    let text: Box<str> = "token".into();
    let wanted =
        Effect::SearchFiles { artifact: opened.artifact.clone(), id: opened.layer(), text: text.clone() };
    assert!(opened.story.asked().contains(&wanted));
    let at = tree().find("kustomization.yaml").unwrap();
    let hit = |line| Hit { entry: at, line, text: "token".into() };
    let hits = Hits { found: vec![hit(2), hit(4)], cut: false };
    opened.news(News::Searched((opened.layer(), text), Ok(Arc::new(hits))));
    opened.read(at, &["a: 1", "token: x", "b: 2", "token: y"], vec![]);
    opened.story.shows("2 hits");
    opened.story.shows("kustomization.yaml /token 1/2");
    opened.story.press("n");
    opened.story.shows("/token 2/2");
    opened.story.press("Esc Esc");
    opened.story.shows("configmap.yaml");
}

#[test]
fn objects_are_listed_with_their_place_and_lead_to_the_file_and_to_the_cluster() {
    let mut opened = Opened::with(120, 30, tree());
    let asked = opened.story.asked();
    assert!(asked.contains(&Effect::ScanObjects { artifact: opened.artifact.clone(), id: opened.layer() }));
    let object = |path: &str, kind: &str, name: &str, line| FileObject {
        entry: tree().find(path).unwrap(),
        named: Named {
            api_version: if kind == "Kustomization" {
                "kustomize.toolkit.fluxcd.io/v1".into()
            } else {
                "v1".into()
            },
            kind: kind.into(),
            namespace: None,
            name: name.into(),
            line,
        },
    };
    let objects = vec![
        object("deploy/configmap.yaml", "ConfigMap", "settings", 1),
        object("kustomization.yaml", "Kustomization", "podinfo", 7),
        object(".github/ci.yaml", "ConfigMap", "not-stored", 1),
    ];
    opened.news(News::Scanned(opened.layer(), Ok(Arc::new(objects))));
    opened.story.shows("2 objects");
    opened.story.press("K");
    opened.story.shows("ConfigMap");
    opened.story.hides("not-stored");
    opened.story.press("J");
    opened.story.shows("no object of Flux in this cluster is described by it");
    opened.story.press("j");
    opened.story.snapshot("artifact-objects-120x30");
    opened.story.press("Enter");
    opened.story.shows("kustomization.yaml");
    opened.story.press("J");
    opened.story.shows("no object is selected: Shift-K lists them");
    let at = tree().find("kustomization.yaml").unwrap();
    opened.read(at, &["# 1", "# 2", "# 3", "# 4", "# 5", "# 6", "kind: Kustomization"], vec![]);
    opened.story.press("G C");
    opened.story.shows("copied: fluxscope files ocirepo/podinfo@sha256:");
    opened.story.press("J");
    opened.story.shows("ks shop/podinfo");
    opened.story.press("Esc K J");
    opened.story.shows("ks shop/podinfo");
}

#[test]
fn an_artifact_that_flux_rejects_says_so_with_its_words_and_shows_what_was_read() {
    let mut broken = tree();
    broken.entries.push(entry("x/../../e.yaml", Fate::Rejected, Some("it leaves the folder")));
    broken.error = Some(Refusal {
        why: "invalid name \"x/../../e.yaml\"".into(),
        flux: "tar contained invalid name error \"x/../../e.yaml\"".into(),
    });
    broken.complete = false;
    let mut opened = Opened::with(100, 30, broken);
    opened.story.shows("Flux will reject this artifact: invalid name");
    opened.story.shows("Its words: tar contained invalid");
    opened.story.shows("rejected: it leaves the folder");
    opened.story.snapshot("artifact-rejected-100x30");
}

#[test]
fn of_several_layers_one_chooses_and_the_one_that_flux_takes_is_marked() {
    let mut story = Story::with(settings(100, 30), shop());
    story.press("j a");
    let target = Target {
        origin: Origin::Registry { upstream: upstream("ghcr.io/shop/chart"), reference: "6.9.4".into() },
        selector: LayerSelector::default(),
        ignore: None,
    };
    story.press(":");
    story.kind("artifact oci://ghcr.io/shop/chart:6.9.4");
    story.press("Enter");
    let provenance = "application/vnd.cncf.helm.chart.provenance.v1.prov";
    let layers = vec![descriptor('1', provenance), descriptor('2', LAYER)];
    let both = artifact(target.clone(), layers, Ok(0));
    story.tell(Message::Artifact(News::Inspected(target.clone(), Ok(both.clone()))));
    assert!(story.asked().contains(&Effect::Refer(both.clone())), "the manifest view asks what refers to it");
    let found = vec![Referrer {
        descriptor: descriptor('f', "application/vnd.oci.image.manifest.v1+json"),
        artifact_type: "application/vnd.dev.sigstore.bundle.v0.3+json".into(),
        tag: None,
    }];
    let referrers = Referrers { found, note: "asked by the referrers API".into(), complete: true };
    story.tell(Message::Artifact(News::Referred(target.clone(), Ok(Arc::new(referrers)))));
    story.shows("the config was not read");
    story.snapshot("artifact-manifest-100x30");
    story.press("j Enter");
    assert!(story.asked().contains(&Effect::OpenLayer { artifact: both, layer: 1 }));
    story.shows("Flux takes layer 1, not this one: layer 2");
    story.press("C");
    story.shows("copied: fluxscope files oci://ghcr.io/shop/chart:6.9.4 --layer 2");
    let problem = Problem::new(Cause::Unauthorized, "read the layer", "401 UNAUTHORIZED")
        .with_hint("log in to ghcr.io");
    story.tell(Message::Artifact(News::Opened(LayerId { target, layer: 1 }, Err(problem))));
    story.shows("could not read the layer");
    story.shows("Try: log in to ghcr.io");
    story.press("^R");
    assert!(story.asked().iter().any(|effect| matches!(effect, Effect::Inspect(_))));
}

#[test]
fn the_layer_of_a_folder_says_beside_its_size_that_it_is_not_compressed() {
    let mut story = Story::with(settings(100, 30), shop());
    story.press(":");
    story.kind("artifact ./deploy");
    story.press("Enter");
    let target = Target {
        origin: Origin::Directory("./deploy".into()),
        selector: LayerSelector::default(),
        ignore: None,
    };
    assert!(story.asked().contains(&Effect::Inspect(target.clone())));
    let folder = artifact(target.clone(), vec![descriptor('1', LAYER)], Ok(0));
    story.tell(Message::Artifact(News::Inspected(target, Ok(folder))));
    story.press("d");
    story.shows("2.0 KiB not compressed  Flux manifests");
    story.shows("manifest  none, only files on disk");
    let config = story.lines().into_iter().find(|line| line.contains("Flux config")).unwrap();
    assert!(!config.contains("not compressed"), "{config}");
}

#[test]
fn a_layer_on_its_way_can_be_given_up_by_a_key_and_is_when_one_leaves() {
    let mut story = Story::with(settings(80, 24), shop());
    story.press("j a");
    let Some(Effect::Inspect(target)) = story.asked().into_iter().find(|e| matches!(e, Effect::Inspect(_)))
    else {
        panic!("not asked")
    };
    let known = artifact(target.clone(), vec![descriptor('b', LAYER)], Ok(0));
    story.tell(Message::Artifact(News::Inspected(target.clone(), Ok(known))));
    story.press("Esc");
    let id = LayerId { target, layer: 0 };
    assert!(story.asked().contains(&Effect::StopLayer(id.clone())));
    story.shows("it was cancelled by a key");
    story.press("Esc");
    story.hides("cancelled");
    story.press("a ^R");
    assert!(story.asked().iter().any(|effect| matches!(effect, Effect::Inspect(_))));
}

#[test]
fn all_of_the_manifest_can_be_reached_with_one_layer_too() {
    let mut opened = Opened::with(80, 18, tree());
    opened.story.press("d");
    opened.story.shows("more lines below");
    opened.story.hides("WHAT REFERS TO IT");
    opened.story.press("j");
    opened.story.shows("more lines below");
    opened.story.press("G");
    opened.story.shows("WHAT REFERS TO IT");
    opened.story.hides("more lines below");
    opened.story.press("x");
    opened.story.shows("it works in the files");
    opened.story.press("g");
    opened.story.shows("digest");
    opened.story.press("G Enter");
    opened.story.shows("kustomization.yaml");
}

#[test]
fn files_to_which_a_search_led_stay_alone_when_what_flux_ignores_is_shown() {
    let mut opened = Opened::with(120, 30, tree());
    opened.story.press(":");
    opened.story.kind("grep token");
    opened.story.press("Enter");
    let hit = |path: &str| Hit { entry: tree().find(path).unwrap(), line: 1, text: "token".into() };
    let hits = Hits { found: vec![hit(".github/ci.yaml"), hit("kustomization.yaml")], cut: false };
    opened.news(News::Searched((opened.layer(), "token".into()), Ok(Arc::new(hits))));
    opened.story.press("Esc i");
    opened.story.shows("ci.yaml");
    opened.story.hides("configmap.yaml");
    opened.story.press("i");
    opened.story.hides("configmap.yaml");
}

#[test]
fn a_search_that_failed_says_why() {
    let mut opened = Opened::with(120, 30, tree());
    opened.story.press(":");
    opened.story.kind("grep token");
    opened.story.press("Enter");
    let problem = Problem::new(Cause::Other, "open the layer again", "the connection was closed");
    opened.news(News::Searched((opened.layer(), "token".into()), Err(problem)));
    opened.story.shows("could not open the layer again: the connection was closed");
    opened.story.hides("looking for token");
}

#[test]
fn asking_again_keeps_what_was_folded_and_selected() {
    let mut opened = Opened::with(120, 30, tree());
    opened.story.press("g h");
    opened.story.hides("configmap.yaml");
    opened.story.press("j");
    opened.story.shows("kustomization.yaml · 312 B");
    opened.story.asked();
    opened.story.press("^R");
    opened.story.asked();
    let known = opened.artifact.clone();
    opened.news(News::Inspected(opened.target.clone(), Ok(known)));
    opened.open(tree());
    opened.story.shows("kustomization.yaml · 312 B");
    opened.story.hides("configmap.yaml");
}

#[test]
fn a_line_of_many_megabytes_is_moved_in_without_being_read_whole() {
    let mut opened = Opened::with(80, 24, tree());
    opened.story.press("j j Enter");
    let at = tree().find("deploy/secret.yaml").unwrap();
    let long = format!("a: {}end", "0123456789abcdef".repeat(1 << 20));
    opened.read(at, &[&long], vec![]);
    opened.story.shows("   1 a: 0123");
    let before = std::time::Instant::now();
    for _ in 0..50 {
        opened.story.press("l");
    }
    opened.story.shows("   1 def0123");
    assert!(before.elapsed().as_secs() < 10, "{:?}", before.elapsed());
}

#[test]
fn the_tree_opens_where_the_one_from_whom_one_came_looks_and_says_what_is_missing() {
    for (path, said) in [
        ("./deploy/", "applied by ks shop/podinfo"),
        (
            "./deploy/overlay",
            "ks shop/podinfo applies deploy/overlay, which is not in here; the nearest is deploy",
        ),
    ] {
        let mut objects = shop();
        for object in &mut objects {
            if let Object::Consumer(consumer) = object
                && consumer.meta.id.kind == Kind::Kustomization
            {
                consumer.path = Some(path.into());
            }
        }
        let mut story = Story::with(settings(120, 30), objects);
        story.asked();
        story.press(":");
        story.kind("artifact ks/podinfo -n shop");
        story.press("Enter");
        Opened::of(story, tree()).story.shows(said);
    }
}

#[test]
fn who_applies_a_folder_is_marked_in_an_artifact_that_was_opened_by_its_address_too() {
    let mut objects = shop();
    for object in &mut objects {
        if let Object::Consumer(consumer) = object {
            consumer.path = Some("./deploys".into());
        }
    }
    let mut story = Story::with(settings(120, 30), objects);
    story.press(":");
    story.kind("artifact oci://ghcr.io/shop/podinfo:6.9.4");
    story.press("Enter");
    let asked = story.asked().into_iter().find_map(|effect| match effect {
        Effect::Inspect(target) => Some(target),
        _ => None,
    });
    let target = asked.unwrap();
    let known = artifact(target.clone(), vec![descriptor('b', LAYER)], Ok(0));
    story.tell(Message::Artifact(News::Inspected(target.clone(), Ok(known))));
    let id = LayerId { target, layer: 0 };
    story.tell(Message::Artifact(News::Opened(id, Ok((Arc::new(tree()), true)))));
    story.shows("ks shop/podinfo applies deploys, which is not in here; the nearest is deploy");
}
