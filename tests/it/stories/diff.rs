//! What would change between two revisions: from the key that asks to the last line of a change.

use crate::story::{Story, digest, id, ready, repository, settings, shop, shop_with_heads, upstream};
use fluxscope::{
    app::{
        effect::Effect,
        message::Message,
        page,
        shelf::comparisons::{News, Received},
    },
    domain::{
        artifact::{Artifact, Descriptor, Manifest, Operation, Origin, Taken, Target},
        comparison::{Comparison, Half, Question, Tier},
        diff::{
            Change, Diff, FieldChange, FieldFate, FieldPath, File, FileChange, Found, ObjectChange, Odd,
            Oddity, Side, Step, Text, Which, compare,
        },
        digest::Digest,
        fact::Object,
        identity::Kind,
        impact::{self, Danger, Impact, Place, What},
        lens::{
            Config, ConfigKind, ConfigRef, KustomizationLens, Lens, ReleaseLens, SecretPaths, ValuesFrom,
            ValuesState,
        },
        object::{Broken, Key, Role},
        problem::{Cause, Problem},
        source::Follows,
        tree::Tree,
    },
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

fn half(target: &Target, own: char, revision: &str, created: &str) -> Half {
    let descriptor = |c: char| Descriptor {
        digest: Digest::parse(&digest(c)).unwrap(),
        media_type: "application/vnd.cncf.flux.content.v1.tar+gzip".into(),
        size: Some(2_150),
        annotations: BTreeMap::new(),
    };
    let annotations = [
        ("org.opencontainers.image.created", created),
        ("org.opencontainers.image.source", "https://github.com/acme/podinfo.git"),
        ("org.opencontainers.image.revision", revision),
    ];
    let manifest = Manifest {
        digest: Digest::parse(&digest(own)).unwrap(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size: 740,
        config: None,
        layers: vec![descriptor('b')],
        children: vec![],
        annotations: annotations.map(|(name, value)| (name.into(), value.into())).into(),
    };
    let taken = Taken { layer: 0, operation: Operation::Extract, reason: "the first layer".into() };
    let artifact = Artifact {
        target: target.clone(),
        digest: manifest.digest.clone(),
        index: None,
        platforms: vec![],
        manifest,
        config: None,
        taken: Ok(taken),
        notes: vec![],
        asked_with: None,
    };
    let tree = Tree { complete: true, ..Tree::default() };
    Half { artifact: Arc::new(artifact), tree: Arc::new(tree), verified: true, notes: vec![] }
}

fn found(api_version: &str, kind: &str, namespace: Option<&str>, name: &str, value: Value) -> Found {
    let text = serde_saphyr::to_string(&value).unwrap();
    Found {
        key: Key::new(api_version, kind, namespace, name),
        api_version: api_version.into(),
        path: format!("deploy/{}.yaml", kind.to_lowercase()).into(),
        line: 1,
        value: Arc::new(value),
        text: Text { at: 0..text.len(), file: text.into_bytes().into() },
    }
}

fn path(text: &str) -> FieldPath {
    let step = |word: &str| match word.split_once('=') {
        Some((key, name)) => Step::Item([(key.into(), name.into())].into()),
        None => Step::Field(word.into()),
    };
    FieldPath(text.split('/').map(step).collect())
}

fn field(at: &str, from: Value, to: Value) -> FieldChange {
    let (from, to) = ((!from.is_null()).then_some(from), (!to.is_null()).then_some(to));
    let change = match (&from, &to) {
        (None, _) => FieldFate::Added { at: None },
        (_, None) => FieldFate::Removed,
        (Some(_), Some(_)) => FieldFate::Changed,
    };
    FieldChange { path: path(at), change, from, to, secret: at.starts_with("stringData/") }
}

fn changed(from: Found, to: Found, fields: Vec<FieldChange>) -> ObjectChange {
    ObjectChange { change: Change::Changed, from: Some(from), to: Some(to), fields, cut: false }
}

fn deployment(image: &str) -> Found {
    let container = json!({"name": "podinfo", "image": image, "ports": [{"containerPort": 9898}]});
    let spec = json!({"replicas": 2, "template": {"spec": {"containers": [container]}}});
    let meta = json!({"name": "podinfo", "namespace": "shop"});
    let value = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec});
    found("apps/v1", "Deployment", Some("shop"), "podinfo", value)
}

fn secret(token: &str) -> Found {
    let value = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "podinfo", "namespace": "shop"},
        "stringData": {"token": token, "user": "admin"}
    });
    found("v1", "Secret", Some("shop"), "podinfo", value)
}

fn config(motd: &str) -> Found {
    let value = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "podinfo", "namespace": "shop"},
        "data": {"motd": motd}
    });
    found("v1", "ConfigMap", Some("shop"), "podinfo", value)
}

fn crd(versions: &Value) -> Found {
    let value = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.acme.io"}, "spec": {"versions": versions}
    });
    found("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "widgets.acme.io", value)
}

fn objects() -> Vec<ObjectChange> {
    let (old, new) = (json!([{"name": "v1"}, {"name": "v1beta1"}]), json!([{"name": "v1"}]));
    let versions =
        field("spec/versions/name=v1beta1", json!({"name": "v1beta1", "served": true}), Value::Null);
    let motd = |third: &str| format!("one\ntwo\n{third}\nfour\n");
    let image = |tag: &str| format!("ghcr.io/stefanprodan/podinfo:{tag}");
    let at = "spec/template/spec/containers/name=podinfo";
    let fields = vec![
        field(&format!("{at}/image"), json!(image("6.9.1")), json!(image("6.9.4"))),
        field(&format!("{at}/resources/limits/memory"), Value::Null, json!("512Mi")),
        field(&format!("{at}/env/name=PORT/value"), json!("8080"), json!(8080)),
    ];
    let gone = found("v1", "Service", Some("shop"), "podinfo-old", json!({"kind": "Service", "spec": {}}));
    let new_map = found("v1", "ConfigMap", Some("shop"), "podinfo-extra", json!({"data": {"a": "b"}}));
    let quiet = |change, from: Found| ObjectChange {
        change,
        to: Some(from.clone()),
        from: Some(from),
        fields: vec![],
        cut: false,
    };
    let plain = found("v1", "ServiceAccount", Some("shop"), "podinfo", json!({"kind": "ServiceAccount"}));
    let moved = found("v1", "Service", Some("shop"), "podinfo", json!({"kind": "Service"}));
    vec![
        changed(crd(&old), crd(&new), vec![versions]),
        changed(deployment(&image("6.9.1")), deployment(&image("6.9.4")), fields),
        changed(
            secret("old-token"),
            secret("another-token"),
            vec![field("stringData/token", json!("old-token"), json!("another-token"))],
        ),
        changed(
            config(&motd("three")),
            config(&motd("drei")),
            vec![field("data/motd", json!(motd("three")), json!(motd("drei")))],
        ),
        ObjectChange { change: Change::Removed, from: Some(gone), to: None, fields: vec![], cut: false },
        ObjectChange { change: Change::Added, from: None, to: Some(new_map), fields: vec![], cut: false },
        quiet(Change::Formatting, plain),
        quiet(Change::Moved, moved),
    ]
}

fn file(path: &str, text: &str) -> File {
    let bytes = Some(text.as_bytes().to_vec().into());
    File { path: path.into(), size: text.len() as u64, sha256: None, executable: false, bytes }
}

fn files() -> Vec<FileChange> {
    let readme = (file("README.md", "# podinfo\nold\n"), file("README.md", "# podinfo\nnew \u{1b}[2J\n"));
    let manifests = (file("deploy/deployment.yaml", "a: 1\n"), file("deploy/deployment.yaml", "a: 2\n"));
    let change = |change, role, (from, to)| FileChange { change, role, from: Some(from), to: Some(to) };
    vec![
        change(Change::Changed, Role::Other, readme),
        change(Change::Changed, Role::Manifests, manifests),
        change(
            Change::Formatting,
            Role::Manifests,
            (file("deploy/serviceaccount.yaml", "a: 1\n"), file("deploy/serviceaccount.yaml", "a:  1\n")),
        ),
    ]
}

fn impacts() -> Vec<Impact> {
    let about = |api_version: &str, kind: &str, namespace, name: &str| {
        Some(impact::Object {
            api_version: api_version.into(),
            key: Key::new(api_version, kind, namespace, name),
        })
    };
    let at = |object, field| Place::Object { object, field };
    let impact =
        |danger, what, object, why: &str, at| Impact { danger, what, object, why: why.to_owned(), at };
    let shop = Some("shop");
    vec![
        impact(
            Danger::High,
            What::CrdVersionDropped,
            about("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, "widgets.acme.io"),
            "v1beta1 is not served any more: objects that are written in it are refused",
            at(0, Some(0)),
        ),
        impact(
            Danger::High,
            What::ObjectRemoved,
            about("v1", "Service", shop, "podinfo-old"),
            "Service shop/podinfo-old is not in it any more; ks shop/podinfo prunes it",
            at(4, None),
        ),
        impact(
            Danger::Medium,
            What::ImageChanged,
            about("apps/v1", "Deployment", shop, "podinfo"),
            "container podinfo: ghcr.io/stefanprodan/podinfo 6.9.1 -> 6.9.4",
            at(1, Some(0)),
        ),
        impact(
            Danger::Medium,
            What::SecretChanged,
            about("v1", "Secret", shop, "podinfo"),
            "key token holds another value",
            at(2, Some(0)),
        ),
    ]
}

pub(super) fn diff(objects: Vec<ObjectChange>, files: Vec<FileChange>) -> Diff {
    let why = "mapping values are not allowed here";
    let broken = Oddity {
        which: Which::To,
        path: "deploy/broken.yaml".into(),
        what: Odd::Broken(Broken::new(7, why)),
    };
    Diff { files, objects, oddities: vec![broken], same_files: 4, same_objects: 21 }
}

/// Both sides of a question, as if they had been opened.
pub(super) fn sample(question: &Question, source: Diff, impact: Vec<Impact>) -> Arc<Comparison> {
    Arc::new(Comparison {
        from: half(&question.from, '0', "main@sha1:8fa1c3d0", "2026-10-11T11:06:40Z"),
        to: half(&question.to, 'a', "main@sha1:9ab00c1d", "2026-11-19T08:00:00Z"),
        question: question.clone(),
        lens: Lens::Whole,
        tier: Tier::Source { why: None },
        source,
        built: None,
        impact,
        sealed: std::collections::BTreeSet::default(),
        notes: vec!["postBuild is not substituted: values are put in after the build".to_owned()],
    })
}

/// A comparison that was asked for by hand and answered.
struct Compared {
    story: Story,
    question: Question,
}

impl Compared {
    fn with(width: u16, height: u16) -> Self {
        Self::of(width, height, |question| sample(question, diff(objects(), files()), impacts()))
    }

    fn of(width: u16, height: u16, answer: impl Fn(&Question) -> Arc<Comparison>) -> Self {
        let mut story = Story::with(settings(width, height), shop());
        story.press(":");
        story.kind("diff oci://ghcr.io/shop/podinfo:6.9.1 oci://ghcr.io/shop/podinfo:6.9.4");
        story.press("Enter");
        let mut asked = story.asked().into_iter();
        let question = asked.find_map(|effect| match effect {
            Effect::Compare(question) => Some(*question),
            _ => None,
        });
        let question = question.expect("a comparison is asked for");
        let news = News::Answered(Ok(answer(&question)));
        story.tell(Message::Compared(Box::new(question.clone()), news));
        let mut compared = Self { story, question };
        compared.read();
        compared
    }

    /// Answers for the pages that are asked for.
    fn read(&mut self) {
        for effect in self.story.asked() {
            if let Effect::ReadPage { comparison, id } = effect {
                let page = page::read(&comparison.0, &id);
                self.story.tell(Message::Page(id, Ok(Arc::new(page))));
            }
        }
    }

    fn press(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            self.story.press(key);
            self.read();
        }
    }
}

fn kustomization() -> KustomizationLens {
    KustomizationLens {
        id: id(Kind::Kustomization, "shop/podinfo"),
        path: "deploy".into(),
        prune: true,
        target_namespace: None,
        post_build: false,
        on_top: vec![],
        spec: json!({}),
        suspended: false,
    }
}

#[test]
fn danger_comes_first_and_what_is_selected_is_shown_beside_it() {
    let mut compared = Compared::with(160, 45);
    compared.story.snapshot("diff-160x45");
    assert!(compared.story.selected().contains("crd-version-dropped"), "{}", compared.story.selected());
    compared.story.shows("spec.versions[name=v1beta1]");
    compared.press("j j");
    compared.story.shows("- ghcr.io/stefanprodan/podinfo:6.9.1");
    compared.story.shows("+ ghcr.io/stefanprodan/podinfo:6.9.4");
    compared.press("Enter");
    compared.story.snapshot("diff-image-160x45");
}

#[test]
fn at_80_columns_one_pane_is_shown_at_a_time() {
    let mut compared = Compared::with(80, 24);
    compared.story.snapshot("diff-80x24");
    compared.story.hides("spec.versions");
    compared.press("j j Enter");
    compared.story.snapshot("diff-image-80x24");
    compared.press("Tab");
    compared.story.shows("image-changed");
    compared.press("Enter Esc");
    compared.story.shows("▾ impact");
    compared.press("Esc");
    compared.story.shows("board");
    compared.story.hides("▾ impact");
}

#[test]
fn brackets_go_from_object_to_object_and_n_from_change_to_change() {
    let mut compared = Compared::with(120, 30);
    compared.press("]");
    assert!(compared.story.selected().contains("widgets.acme.io"), "{}", compared.story.selected());
    compared.press("] ]");
    assert!(compared.story.selected().contains("~ podinfo"), "{}", compared.story.selected());
    compared.press("n");
    compared.story.shows("hunk 1/3");
    compared.press("n n");
    compared.story.shows("hunk 3/3");
    compared.press("n");
    compared.story.shows("~ Secret shop/podinfo");
    compared.press("N");
    compared.story.shows("~ Deployment shop/podinfo");
    compared.story.shows("hunk 3/3");
    compared.press("[");
    compared.story.shows("- Service shop/podinfo-old");
    compared.press("Esc");
    assert!(compared.story.selected().contains("- podinfo-old"), "history keys do not hold here");
}

#[test]
fn on_a_narrow_list_groups_and_kinds_give_way_to_names() {
    let mut compared = Compared::with(100, 30);
    compared.story.shows("▾ CustomResourceDefinition  ");
    compared.story.shows("image-changed  Depl… shop/podinfo  │");
    compared.story.shows("object-removed  shop/podinfo-old  ");
    compared.story.shows("crd-version-dropped  …ets.acme.io ");
}

#[test]
fn who_reads_a_danger_goes_on_behind_the_object_that_it_is_told_of() {
    let mut compared = Compared::with(80, 24);
    compared.press("j j Enter");
    compared.story.shows("~ Deployment shop/podinfo");
    compared.press("]");
    compared.story.shows("~ Secret shop/podinfo");
}

/// Objects of which a name alone says too little: long kinds, and two that are called alike.
fn hard_to_tell(question: &Question) -> Arc<Comparison> {
    let copy = |file: &str, value: &str| {
        let value = json!({"kind": "ConfigMap", "data": {"a": value}});
        Found { path: file.into(), ..found("v1", "ConfigMap", Some("shop"), "settings", value) }
    };
    let fields = || vec![field("data/a", json!("1"), json!("2"))];
    let scaler = ("autoscaling/v2", "HorizontalPodAutoscaler", Some("shop"), "podinfo");
    let gone = found(scaler.0, scaler.1, scaler.2, scaler.3, json!({"spec": {}}));
    let objects = vec![
        ObjectChange { change: Change::Removed, from: Some(gone), to: None, fields: vec![], cut: false },
        changed(copy("base/one.yaml", "1"), copy("base/one.yaml", "2"), fields()),
        changed(copy("base/other.yaml", "1"), copy("base/other.yaml", "2"), fields()),
        changed(secret("old"), secret("new"), vec![field("stringData/a", json!("1"), json!("2"))]),
    ];
    let tell = |danger, what, at: usize, why: &str| Impact {
        danger,
        what,
        object: objects[at]
            .found()
            .map(|found| impact::Object { api_version: found.api_version.clone(), key: found.key.clone() }),
        why: why.to_owned(),
        at: Place::Object { object: at, field: None },
    };
    let told = vec![
        tell(Danger::High, What::ObjectRemoved, 0, "removed: it is deleted where the consumer prunes"),
        tell(Danger::Medium, What::SecretChanged, 3, "keys changed: a"),
        tell(Danger::Medium, What::ImageChanged, 2, "container podinfo: 6.9.1 -> 6.9.4"),
        tell(Danger::Low, What::ObjectDoubled, 1, "stands in several places, also in base/other.yaml:1"),
    ];
    sample(question, diff(objects, files()), told)
}

#[test]
fn each_danger_names_its_object_and_objects_of_one_name_their_files() {
    let mut compared = Compared::of(80, 24, hard_to_tell);
    compared.story.snapshot("diff-names-80x24");
    compared.story.shows("object-removed  HorizontalPodAutoscaler shop/podinfo");
    compared.story.shows("secret-changed  Secret shop/podinfo  keys changed: a");
    compared.story.shows("~ settings  base/one.yaml:1");
    compared.story.shows("~ settings  base/other.yaml:1");
    let mut compared = Compared::of(160, 45, hard_to_tell);
    compared.story.snapshot("diff-names-160x45");
    compared.story.shows("object-removed  HorizontalPodA… shop/podinfo  removed");
    let mut compared = Compared::of(100, 30, hard_to_tell);
    compared.story.shows("object-removed  Hor… shop/podinfo");
}

#[test]
fn what_differs_far_behind_in_a_line_is_seen_and_its_beginning_is_shortened_alike() {
    let far = |question: &Question| {
        let long = |last: &str| format!("{}{last}", "v".repeat(300));
        let fields = vec![field("data/motd", json!(long("1 and more")), json!(long("2")))];
        let object = changed(config(&long("1 and more")), config(&long("2")), fields);
        sample(question, diff(vec![object], Vec::new()), Vec::new())
    };
    for (width, height, keys, begin) in [
        (80, 24, "Enter", "vvvv…vvvv"),
        (160, 45, "Enter", "vvvv…vvvv"),
        (160, 45, "Enter s", "vvvv…vvvv"),
        (80, 24, "Enter y", "vvvv…vvvv"),
    ] {
        let mut compared = Compared::of(width, height, far);
        compared.press(keys);
        compared.story.shows("1 and more");
        let screen = compared.story.screen();
        let cut = |sign: &str, last: &str| {
            let line = screen.lines().find(|line| line.contains(sign) && line.contains("vvvv")).unwrap();
            let begin = line.split(sign).nth(1).unwrap().trim_start();
            begin
                .split(last)
                .next()
                .unwrap()
                .trim_start_matches(|c: char| c.is_numeric() || c == ' ')
                .to_owned()
        };
        assert_eq!(cut("- ", "1 and"), cut("+ ", "2"), "{screen}");
        assert!(cut("- ", "1 and").contains(begin), "{screen}");
    }
    let mut compared = Compared::of(80, 24, far);
    compared.press("Enter");
    compared.story.snapshot("diff-far-80x24");
    // sideways the line is what it is
    compared.press("l");
    compared.story.hides("1 and more");
    compared.press("h");
    compared.story.shows("1 and more");
    let mut compared = Compared::of(160, 45, far);
    compared.press("s Enter");
    compared.story.snapshot("diff-far-160x45");
}

#[test]
fn keys_to_the_next_change_open_the_group_that_it_stands_in() {
    let mut compared = Compared::with(120, 34);
    compared.press("x g ]");
    assert!(compared.story.selected().contains("~ widgets.acme.io"), "{}", compared.story.selected());
    compared.story.shows("▸ Service in shop");
    compared.press("]");
    assert!(compared.story.selected().contains("- podinfo-old"), "{}", compared.story.selected());
    compared.press("x x g n");
    compared.story.shows("~ CustomResourceDefinition widgets.acme.io");
    compared.story.shows("hunk 1/1");
    compared.press("n");
    compared.story.shows("- Service shop/podinfo-old");
    compared.press("Esc x x G [");
    assert!(compared.story.selected().contains("~ README.md"), "{}", compared.story.selected());
    compared.press("N");
    compared.press("N");
    compared.story.shows("+ ConfigMap shop/podinfo-extra");
    compared.press("Esc G n");
    compared.story.shows("no change stands behind this one");
    compared.press("g [");
    compared.story.shows("no change stands before this one");
    // who reads a danger goes on behind its object, in closed groups too
    let mut compared = Compared::with(120, 34);
    compared.press("x g l j j j Enter");
    compared.story.shows("~ Deployment shop/podinfo");
    compared.press("]");
    compared.story.shows("~ Secret shop/podinfo");
}

#[test]
fn an_unchanged_secret_is_revealed_on_both_sides_and_nothing_seems_to_change() {
    let mut compared = Compared::with(120, 30);
    compared.press("/");
    compared.story.kind("kind:secret");
    compared.press("Enter y Enter");
    let at = |compared: &mut Compared| {
        let screen = compared.story.screen();
        screen.lines().find(|line| line.contains("user: ")).unwrap_or_default().to_owned()
    };
    assert!(at(&mut compared).contains("user: (hidden)"), "{}", compared.story.screen());
    compared.press("G x");
    let screen = compared.story.screen();
    assert_eq!((screen.matches("user: admin").count(), screen.matches("user: ").count()), (1, 1), "{screen}");
    compared.story.shows("hunk 1/1");
    compared.press("x");
    compared.story.hides("admin");
}

#[test]
fn header_lines_that_are_cut_say_so_and_what_matters_most_stands_first() {
    let wide = |question: &Question| {
        let mut objects = objects();
        for (at, kind) in
            ["Secret", "Namespace", "CustomResourceDefinition"].iter().cycle().take(90).enumerate()
        {
            let object = found("v1", kind, None, &format!("extra-{at}"), json!({"kind": kind}));
            let to = Some(object);
            objects.push(ObjectChange { change: Change::Added, from: None, to, fields: vec![], cut: false });
        }
        let mut told = impacts();
        told.extend((0..30).map(|_| Impact { danger: Danger::Low, object: None, ..impacts()[2].clone() }));
        let mut answer = Arc::unwrap_or_clone(sample(question, diff(objects, files()), told));
        answer.lens = Lens::Kustomization(Box::new(kustomization()));
        answer.tier =
            Tier::Source { why: Some(format!("{} is not in the artifact", "a long reason ".repeat(12))) };
        Arc::new(answer)
    };
    let mut compared = Compared::of(80, 24, wide);
    compared.story.snapshot("diff-head-80x24");
    compared.story.shows("+91 ~4 -1 objects · ‼ 2 high · ! 2 medium · i 30 low · 31 CRDs · 31 Secrets ·…");
    compared.story.shows("source diff · for ks shop/podinfo: path deploy, prunes · a long reason");
    let head = compared.story.lines()[2..5].join("\n");
    assert!(head.contains("a long reason …"), "{head}");
    let mut compared = Compared::of(160, 45, wide);
    compared.story.snapshot("diff-head-160x45");
}

#[test]
fn a_long_name_leaves_room_for_where_its_object_stands_and_a_path_for_its_beginning() {
    let long = |question: &Question| {
        let name = "l".repeat(253);
        let side = |value: &str| {
            let value = json!({"kind": "ConfigMap", "data": {"a": value}});
            found("v1", "ConfigMap", Some("shop"), &name, value)
        };
        let at = format!("data/{}", "k".repeat(300));
        let object = changed(side("1"), side("2"), vec![field(&at, json!("1"), json!("2"))]);
        sample(question, diff(vec![object], Vec::new()), Vec::new())
    };
    let mut compared = Compared::of(80, 24, long);
    compared.press("Enter");
    compared.story.shows("~ ConfigMap shop/l");
    compared.story.shows("v1  changed  deploy/configmap.yaml:1");
    compared.story.shows("data.kkk");
    compared.story.snapshot("diff-long-80x24");
    // names that begin alike are told apart in the list
    let mut compared = Compared::of(100, 30, |question| {
        let named = |end: &str| {
            let name = format!("kube-prometheus-stack-prometheus-node-{end}");
            let to = Some(found("v1", "ConfigMap", Some("shop"), &name, json!({})));
            ObjectChange { change: Change::Added, from: None, to, fields: vec![], cut: false }
        };
        sample(question, diff(vec![named("exporter"), named("rules")], Vec::new()), Vec::new())
    });
    for end in ["exporter", "rules"] {
        let rows = compared.story.lines();
        let is_own = |line: &&String| line.contains("+ kube-") && line.contains(&format!("{end}  "));
        assert!(rows.iter().any(|line| is_own(&line)), "{}", compared.story.screen());
    }
}

#[test]
fn a_file_without_text_says_why_and_an_empty_one_that_it_is_empty() {
    let mut compared = Compared::of(120, 30, |question| {
        let large = |digit| File {
            size: 10 << 20,
            sha256: Some(Digest::parse(&digest(digit)).unwrap()),
            bytes: None,
            ..file("large.txt", "")
        };
        let bytes = |bytes: &'static [u8]| File { bytes: Some(bytes.into()), ..file("picture.png", "") };
        let change = |change, from, to| FileChange { change, role: Role::Other, from, to };
        let files = vec![
            change(Change::Added, None, Some(file("empty.txt", ""))),
            change(Change::Changed, Some(large('a')), Some(large('b'))),
            change(Change::Changed, Some(bytes(b"\0")), Some(bytes(b"\xff"))),
        ];
        sample(question, diff(Vec::new(), files), Vec::new())
    });
    compared.story.shows("+ empty.txt");
    compared.story.shows("it is empty");
    compared.press("]");
    compared.story.shows("its bytes were not read, for it is larger than 4 MiB and no manifest");
    compared.press("]");
    compared.story.shows("not a text: compared by size and digest");
}

#[test]
fn flags_are_written_out_for_no_terminal_agrees_on_their_width() {
    let flag = "\u{1f1e9}\u{1f1ea}";
    let mut compared = Compared::of(120, 30, |question| {
        let fields = vec![field("data/motd", json!(format!("{flag} 1")), json!(format!("{flag} 2")))];
        let object = changed(config("1"), config("2"), fields);
        sample(question, diff(vec![object], Vec::new()), Vec::new())
    });
    compared.press("Enter");
    compared.story.shows("+ \\u{1f1e9}\\u{1f1ea} 2");
}

#[test]
fn a_notice_shares_its_line_with_nothing() {
    let mut compared = Compared::with(120, 30);
    compared.press(":");
    compared.story.kind("diff");
    compared.press("Enter");
    let lines = compared.story.lines();
    let line = lines.iter().find(|line| line.contains("which two?")).cloned().unwrap_or_default();
    assert!(line.trim_start().starts_with("which two?"), "{line:?}");
}

#[test]
fn the_line_of_keys_offers_what_can_be_done_with_a_change() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut compared = Compared::with(width, height);
        compared.press("j");
        compared.story.shows("Enter change");
        compared.press("Enter");
        compared.story.hides("Enter change");
    }
}

#[test]
fn a_danger_is_found_in_the_text_as_it_is_written_too() {
    let mut compared = Compared::of(120, 40, |question| {
        let side = |number: u32| {
            let (first, equal, last) = (json!({"size": number}), json!([1, 2, 3, 4, 5, 6, 7, 8, 9]), number);
            let data = json!({"alpha": first, "equal": equal, "omega": last});
            found("v1", "ConfigMap", Some("shop"), "podinfo", json!({"kind": "ConfigMap", "data": data}))
        };
        let fields = ["data/alpha/size", "data/omega"].map(|at| field(at, json!(1), json!(2)));
        let object = changed(side(1), side(2), fields.into());
        let danger = Impact {
            danger: Danger::High,
            what: What::ImageChanged,
            object: None,
            why: "omega".to_owned(),
            at: Place::Object { object: 0, field: Some(1) },
        };
        sample(question, diff(vec![object], Vec::new()), vec![danger])
    });
    compared.press("y Enter");
    compared.story.shows("hunk 2/2");
    compared.press("y");
    compared.story.shows("hunk 2/2");
}

#[test]
fn a_filter_by_path_keeps_the_dangers_of_what_it_shows_and_counts_the_others() {
    let mut compared = Compared::with(120, 30);
    compared.press("/");
    compared.story.kind("path:deployment");
    compared.press("Enter");
    compared.story.shows("image-changed");
    compared.story.hides("secret-changed");
    compared.story.shows("1 of 4 dangers");
}

#[test]
fn the_selected_danger_stays_selected_when_the_same_is_asked_for_somebody_else() {
    let mut compared = Compared::with(120, 30);
    compared.press("j j");
    compared.story.press("u");
    let question = asked(&mut compared.story);
    let answer = sample(&question, diff(objects(), files()), impacts());
    compared.story.tell(Message::Compared(question, News::Answered(Ok(answer))));
    assert!(compared.story.selected().contains("image-changed"), "{}", compared.story.selected());
}

#[test]
fn a_secret_value_is_hidden_until_it_is_asked_for_and_then_only_that_one() {
    let mut compared = Compared::with(120, 30);
    compared.press("j j j");
    compared.story.shows("stringData.token");
    compared.story.shows("- (hidden) 9 characters");
    compared.story.shows("+ (hidden) 13 characters");
    compared.press("Enter x");
    compared.story.shows("- old-token");
    compared.story.shows("+ another-token");
    compared.press("x");
    compared.story.hides("old-token");
    compared.press("j x");
    compared.story.shows("- old-token");
    compared.story.shows("+ another-token");
    compared.press("x");
    compared.story.hides("old-token");
    compared.press("y");
    compared.story.shows("token: (hidden) (before)");
    compared.story.shows("token: (hidden) (after)");
    compared.story.hides("old-token");
    compared.story.hides("admin");
    compared.press("x ] [ y");
    compared.story.hides("old-token");
}

#[test]
fn what_was_revealed_is_hidden_again_in_another_answer() {
    let mut compared = Compared::with(120, 30);
    compared.press("j j j Enter j x");
    compared.story.shows("- old-token");
    compared.story.press("^R");
    let answer = sample(&compared.question, diff(objects(), files()), impacts());
    let question = Box::new(compared.question.clone());
    compared.story.tell(Message::Compared(question, News::Answered(Ok(answer))));
    compared.read();
    compared.story.shows("- (hidden) 9 characters");
    compared.story.hides("old-token");
}

#[test]
fn texts_in_a_field_are_compared_by_line_and_the_text_as_it_is_written_is_a_key_away() {
    let mut compared = Compared::with(120, 30);
    compared.press("/");
    compared.story.kind("kind:configmap name:podinfo$");
    compared.press("Enter");
    compared.story.shows("data.motd");
    compared.story.shows("- three");
    compared.story.shows("+ drei");
    compared.story.shows("1 of 7 changes");
    compared.press("y");
    compared.story.shows("... 6 equal lines".replace("...", "···").as_str());
    compared.story.shows("motd: |");
    compared.press("Esc");
    compared.story.shows("7 changes");
}

#[test]
fn what_changes_nothing_is_counted_and_shown_by_a_key() {
    let mut compared = Compared::with(120, 34);
    compared.story.shows("f shows 2 formatting only, 1 moved, 1 file of objects");
    compared.story.hides("ServiceAccount");
    compared.press("f");
    compared.story.shows("ServiceAccount in shop");
    compared.story.shows("= deploy/serviceaccount.yaml");
    compared.story.shows("f hides what changes nothing");
    compared.press("f");
    compared.story.hides("ServiceAccount");
}

#[test]
fn what_was_viewed_is_marked_counted_and_kept_when_something_else_is_asked() {
    let mut compared = Compared::with(120, 30);
    compared.press("] v");
    compared.story.shows("1 viewed");
    assert!(compared.story.selected().contains("- podinfo-old"), "{}", compared.story.selected());
    compared.press("v");
    compared.story.shows("2 viewed");
    compared.story.press("S");
    let asked = compared.story.asked();
    let Some(Effect::Compare(question)) = asked.into_iter().find(|e| matches!(e, Effect::Compare(_))) else {
        panic!("the sides swapped are another question")
    };
    assert_eq!((&question.from, &question.to), (&compared.question.to, &compared.question.from));
    let answer = sample(&question, diff(objects(), files()), impacts());
    compared.story.tell(Message::Compared(question, News::Answered(Ok(answer))));
    compared.story.shows("6.9.4@00000000");
    compared.story.shows("2 viewed");
    compared.press("Esc");
    compared.story.hides("6.9.4@00000000");
}

/// A mark is about a change, not about a name.
#[test]
fn what_was_viewed_stays_so_where_the_same_change_is_seen_again_and_only_there() {
    let mut compared = Compared::with(120, 30);
    compared.press("] v v");
    compared.story.shows("2 viewed");
    compared.story.press("Esc -");
    compared.story.shows("2 viewed");
    compared.story.press("/");
    compared.story.kind("name:podinfo-old");
    compared.story.press("Enter");
    compared.story.shows("1 viewed");
    compared.story.press("Esc");
    compared.story.shows("2 viewed");
    compared.story.press("^R");
    let question = asked(&mut compared.story);
    let mut others = objects();
    for object in &mut others {
        for found in [&mut object.from, &mut object.to].into_iter().flatten() {
            let text = format!("{}# another text\n", found.text.as_str());
            found.text = Text { at: 0..text.len(), file: text.into() };
        }
    }
    let answer = sample(&question, diff(others, files()), impacts());
    compared.story.tell(Message::Compared(question, News::Answered(Ok(answer))));
    compared.story.hides("2 viewed");
    compared.story.press("^R");
    let question = asked(&mut compared.story);
    let answer = sample(&question, diff(objects(), files()), impacts());
    compared.story.tell(Message::Compared(question, News::Answered(Ok(answer))));
    compared.story.shows("2 viewed");
}

#[test]
fn groups_fold_and_a_filter_knows_terms_of_changes() {
    let mut compared = Compared::with(120, 34);
    compared.press("x");
    compared.story.hides("podinfo-old");
    compared.story.shows("▸ impact");
    compared.press("x");
    compared.press("h");
    compared.story.shows("▸ impact");
    compared.press("l");
    compared.story.shows("▾ impact");
    for (typed, shown, hidden) in [
        ("danger:high", "podinfo-old", "README"),
        ("path:README", "README", "podinfo-old"),
        ("!kind:service ns:shop", "apps/Deployment", "widgets"),
        ("image", "image-changed", "podinfo-extra"),
    ] {
        compared.story.press("/");
        compared.story.kind(typed);
        compared.press("Enter");
        compared.story.shows(shown);
        compared.story.hides(hidden);
        compared.press("Esc");
    }
    compared.story.press("/");
    compared.story.kind("danger:red");
    compared.story.shows("danger:red is none of high, medium, low: nothing is filtered");
}

#[test]
fn side_by_side_needs_room_and_says_so() {
    let mut compared = Compared::with(80, 24);
    compared.press("s");
    compared.story.shows("side by side needs 84 cells for the change; here are 78");
    let mut compared = Compared::with(160, 30);
    compared.press("j j s Enter");
    compared.story.snapshot("diff-beside-160x30");
    compared.press("s");
    compared.story.shows("+ ghcr.io/stefanprodan/podinfo:6.9.4");
}

#[test]
fn no_colour_and_ascii_say_the_same() {
    let mut compared = Compared::with(120, 30);
    compared.press("j j Enter");
    let plain = Compared::of(120, 30, |question| sample(question, diff(objects(), files()), impacts()));
    let mut story = plain.story;
    assert!(story.terminal().backend().buffer().content.iter().all(|cell| !cell.symbol().is_empty()));
    let settings = fluxscope::app::Settings { ascii: true, ..settings(120, 30) };
    let mut ascii = Story::with(settings, shop());
    ascii.press(":");
    ascii.kind("diff ./a ./b");
    ascii.press("Enter");
    let question = Box::new(compared.question.clone());
    let asked = ascii.asked().into_iter().find_map(|effect| match effect {
        Effect::Compare(question) => Some(question),
        _ => None,
    });
    let asked = asked.unwrap_or(question);
    let answer = sample(&asked, diff(objects(), files()), impacts());
    ascii.tell(Message::Compared(asked, News::Answered(Ok(answer))));
    assert!(ascii.screen().is_ascii(), "{}", ascii.screen());
    ascii.shows("!! crd-version-dropped");
}

#[test]
fn hostile_names_and_texts_reach_the_screen_as_words_only() {
    // a row of a change, if the line break were one
    let evil = "x\u{1b}[2J\u{202e}y\n+ forged";
    let mut compared = Compared::of(120, 30, |question| {
        let name = format!("evil{evil}");
        let value = json!({"kind": "ConfigMap", "data": {"a": evil}});
        let object = ObjectChange {
            change: Change::Added,
            from: None,
            to: Some(found("v1", evil, Some(evil), &name, value)),
            fields: vec![],
            cut: false,
        };
        let danger = Impact {
            danger: Danger::High,
            what: What::ImageChanged,
            object: None,
            why: evil.to_owned(),
            at: Place::Object { object: 0, field: None },
        };
        let mut files = files();
        files.push(FileChange {
            change: Change::Renamed,
            role: Role::Other,
            from: Some(file(evil, "a\n")),
            to: Some(file(&format!("z{evil}"), "b\n")),
        });
        let mut answer = Arc::unwrap_or_clone(sample(question, diff(vec![object], files), vec![danger]));
        answer.notes = vec![evil.to_owned()];
        Arc::new(answer)
    });
    for keys in ["g", "j", "j", "j", "j", "j", "j", "Enter", "Esc G", "k", "k", "Enter", "y", "s"] {
        compared.press(keys);
        let screen = compared.story.screen();
        assert!(!screen.contains(['\u{1b}', '\u{202e}']), "{screen}");
        let forged =
            |line: &str| line.rsplit('│').next().is_some_and(|part| part.trim().starts_with("+ forged"));
        // of a value the lines are lines
        let in_value = |line: &str| line.contains("+   + forged") || line.contains("+  + forged");
        assert!(!screen.lines().any(|line| forged(line) && !in_value(line)), "{keys}: {screen}");
    }
    compared.story.shows("\\x1b[2J\\u{202e}");
}

#[test]
fn what_is_said_of_both_sides_is_said_once() {
    let mut compared = Compared::of(120, 50, |question| {
        let mut answer = Arc::unwrap_or_clone(sample(question, diff(objects(), files()), impacts()));
        answer.from.notes = vec!["of both".to_owned(), "of one".to_owned()];
        answer.to.notes = vec!["of both".to_owned(), "of other".to_owned()];
        Arc::new(answer)
    });
    let screen = compared.story.screen();
    for (words, times) in [("of both", 1), ("before: of one", 1), ("after: of other", 1), (": of both", 0)] {
        // in the list, beside what is above it
        let list = screen.lines().skip_while(|line| !line.contains("▾ notes")).collect::<String>();
        assert_eq!(list.matches(words).count(), times, "{words}: {screen}");
    }
}

#[test]
fn nothing_that_differs_is_an_answer_too() {
    let mut compared = Compared::of(80, 24, |question| {
        let quiet: Vec<ObjectChange> = objects().into_iter().filter(|o| o.change.is_quiet()).collect();
        let files = files().into_iter().filter(|file| file.change.is_quiet()).collect();
        let mut source = diff(quiet, files);
        source.oddities.clear();
        sample(question, source, Vec::new())
    });
    compared.story.shows("Nothing that is applied differs. 21 objects are the same.");
    compared.story.shows("f shows 2 formatting only, 1 moved");
    compared.story.snapshot("diff-same-80x24");
    compared.press("f");
    compared.story.shows("ServiceAccount in shop");
}

#[test]
fn while_it_works_it_says_what_is_asked_since_when_and_how_much_came() {
    let mut story = Story::with(settings(80, 24), shop());
    story.press(":");
    story.kind("diff oci://ghcr.io/shop/podinfo:6.9.1 oci://ghcr.io/shop/podinfo:6.9.4");
    story.press("Enter");
    let Some(Effect::Compare(question)) = story.asked().into_iter().find(|e| matches!(e, Effect::Compare(_)))
    else {
        panic!("not asked")
    };
    let received = Received { bytes: 1 << 20, of: Some(2 << 20), from_cache: false };
    story.tell(Message::Compared(question.clone(), News::Reading { which: Which::From, received }));
    story.tell(Message::Compared(question.clone(), News::Opened { which: Which::To, files: 12 }));
    story.tell(Message::Compared(question.clone(), News::Working("comparing 5000 documents".to_owned())));
    story.wait(2);
    story.snapshot("diff-waiting-80x24");
    story.press("Esc");
    assert!(story.asked().contains(&Effect::StopCompare(question.clone())));
    story.shows("it was cancelled by a key");
    story.press("^R");
    assert!(story.asked().contains(&Effect::Compare(question.clone())));
    let problem = Problem::new(Cause::Unauthorized, "read the layer", "401 UNAUTHORIZED")
        .with_hint("log in to ghcr.io");
    story.tell(Message::Compared(question.clone(), News::Answered(Err(problem))));
    story.shows("could not read the layer");
    story.shows("Try: log in to ghcr.io");
    story.shows("^R asks again");
    story.press("^R Esc Esc");
    story.hides("could not read");
    story.press(":");
    story.kind("diff ./a");
    story.press("Enter");
    story.shows("which two? :diff A B");
}

#[test]
fn what_does_not_flow_has_no_rate_and_what_came_is_whole() {
    let mut story = Story::with(settings(80, 24), shop());
    story.press(":");
    story.kind("diff ./a oci://ghcr.io/shop/podinfo:6.9.4");
    story.press("Enter");
    let question = asked(&mut story);
    let tell = |story: &mut Story, news| story.tell(Message::Compared(question.clone(), news));
    let reading =
        |which, bytes, of, from_cache| News::Reading { which, received: Received { bytes, of, from_cache } };
    tell(&mut story, reading(Which::From, 0, None, false));
    tell(&mut story, reading(Which::To, 0, Some(554), true));
    story.wait(30);
    story.shows("being read from this disk");
    story.shows("0 B of 554 B from the cache\n");
    tell(&mut story, News::Opened { which: Which::From, files: 2_500 });
    tell(&mut story, News::Opened { which: Which::To, files: 1 });
    tell(&mut story, News::Working("reading documents: 1000 of 5000".to_owned()));
    story.snapshot("diff-waiting-opened-80x24");
    story.hides("B/s");
}

#[test]
fn leaving_ends_the_work() {
    let mut story = Story::with(settings(80, 24), shop());
    story.press(":");
    story.kind("diff ./a ./b");
    story.press("Enter");
    story.asked();
    story.press("-");
    story.press(":");
    story.kind("all");
    story.press("Enter");
    let stopped = story.asked().into_iter().any(|effect| matches!(effect, Effect::StopCompare(_)));
    assert!(stopped, "nobody looks at it any more");
}

#[test]
fn the_selected_tag_is_three_keys_away_and_an_upgrade_one() {
    let mut story = Story::with(settings(120, 30), shop());
    story.press("j t");
    let asked = story.asked().into_iter().find_map(|effect| match effect {
        Effect::ListTags(upstream) if upstream.repository.to_string().contains("podinfo") => Some(upstream),
        _ => None,
    });
    let upstream = asked.unwrap_or_else(|| upstream("ghcr.io/shop/podinfo"));
    story.tags(&upstream, &["6.9.1", "6.9.4", "7.0.0"]);
    story.press("D");
    let question = story.asked().into_iter().find_map(|effect| match effect {
        Effect::Compare(question) => Some(question),
        _ => None,
    });
    let question = question.unwrap_or_else(|| panic!("{}", story.screen()));
    let Origin::Registry { reference, .. } = &question.to.origin else { panic!("{question:?}") };
    assert_eq!(&**reference, "7.0.0");
    let Origin::Registry { reference, .. } = &question.from.origin else { panic!("{question:?}") };
    assert!(reference.starts_with("sha256:"), "{reference}");
    story.press("Esc Esc Esc U");
    story.shows("upgrades");
    story.press("D");
    let from_board = story.asked().into_iter().any(|effect| matches!(effect, Effect::Compare(_)));
    assert!(from_board, "{}", story.screen());
}

#[test]
fn five_thousand_objects_stay_smooth() {
    let many: Vec<ObjectChange> = (0..5_000)
        .map(|n| {
            let name = format!("config-{n:04}");
            let value = |text: &str| json!({"kind": "ConfigMap", "data": {"a": text}});
            let side = |text: &str| found("v1", "ConfigMap", Some("shop"), &name, value(text));
            changed(side("old"), side("new"), vec![field("data/a", json!("old"), json!("new"))])
        })
        .collect();
    let mut compared =
        Compared::of(120, 40, |question| sample(question, diff(many.clone(), files()), Vec::new()));
    compared.story.shows("~5000");
    let frame = |compared: &mut Compared| {
        let began = std::time::Instant::now();
        for _ in 0..20 {
            compared.press("j");
            compared.story.lines();
        }
        began.elapsed() / 20
    };
    let top = frame(&mut compared);
    compared.press("G");
    compared.story.shows("config-4999");
    let end = frame(&mut compared);
    println!("a key and a frame: {top:?} at the top, {end:?} at the end");
    assert!(end < top * 10 + std::time::Duration::from_millis(20), "{top:?} {end:?}");
}

/// What a key asks instead.
#[track_caller]
pub(super) fn asked(story: &mut Story) -> Box<Question> {
    let asked = story.asked().into_iter().find_map(|effect| match effect {
        Effect::Compare(question) => Some(question),
        _ => None,
    });
    asked.unwrap_or_else(|| panic!("nothing is compared on\n{}", story.screen()))
}

#[track_caller]
pub(super) fn reference(target: &Target) -> &str {
    let Origin::Registry { reference, .. } = &target.origin else { panic!("{target:?}") };
    reference
}

#[test]
fn the_consumers_of_the_repository_are_one_key_after_the_other_and_each_is_built() {
    let mut compared = Compared::with(120, 30);
    compared.story.press("b");
    compared.story.shows("it is built for a consumer: u chooses one");
    let mut seen = Vec::new();
    for _ in 0..2 {
        compared.story.press("u");
        let question = asked(&mut compared.story);
        seen.push((question.consumer.as_ref().map(ToString::to_string), question.build));
        let answer = sample(&question, diff(objects(), files()), impacts());
        compared.story.tell(Message::Compared(question, News::Answered(Ok(answer))));
    }
    let expected = ["ks shop/podinfo", "ks shop/podinfo-eu"].map(|name| (Some(name.to_owned()), true));
    assert_eq!(seen, expected);
    compared.press("u");
    assert_eq!(compared.story.asked().len(), 0, "the whole artifact was answered before");
    compared.story.shows("whole artifact");
    compared.press("u");
    compared.story.press("b");
    assert!(!asked(&mut compared.story).build);
}

/// Values come from one Secret.
fn release_with(state: ValuesState) -> Lens {
    let from = ValuesFrom {
        kind: ConfigKind::Secret,
        name: "values".into(),
        key: "values.yaml".into(),
        target_path: None,
        optional: false,
        literal: false,
        state,
    };
    Lens::Release(Box::new(ReleaseLens {
        id: id(Kind::HelmRelease, "shop/podinfo"),
        release_name: "podinfo".into(),
        target_namespace: "shop".into(),
        values: json!({}),
        from_secrets: SecretPaths::default(),
        values_files: vec![],
        values_from: vec![from],
        upgrade_crds: "Skip".into(),
        on_top: vec![],
        spec: json!({}),
        suspended: false,
    }))
}

#[test]
fn secrets_of_values_are_read_only_after_a_word() {
    let mut compared = Compared::with(120, 30);
    compared.press("V");
    compared.story.shows("only a HelmRelease takes values from Secrets: u chooses one");
    let mut compared = Compared::of(120, 30, |question| {
        let mut answer = Arc::unwrap_or_clone(sample(question, diff(objects(), files()), impacts()));
        answer.lens = release_with(ValuesState::NotRead);
        Arc::new(answer)
    });
    compared.story.shows("for hr shop/podinfo");
    compared.story.shows("source diff, without the Secrets of valuesFrom");
    compared.press("V");
    compared.story.shows("Shift-V once more reads the Secrets that valuesFrom names");
    compared.press("j");
    compared.press("V");
    compared.story.shows("Shift-V once more");
    compared.story.press("V");
    assert!(asked(&mut compared.story).read_secrets);
}

#[test]
fn secrets_that_could_not_be_read_leave_the_answer_without_them() {
    let mut compared = Compared::of(120, 30, |question| {
        let mut answer = Arc::unwrap_or_clone(sample(question, diff(objects(), files()), impacts()));
        answer.lens = release_with(ValuesState::NotRead);
        Arc::new(answer)
    });
    for cancelled in [false, true] {
        compared.story.press("V V");
        let question = asked(&mut compared.story);
        assert!(question.read_secrets);
        compared.story.shows("comparing, for");
        let why = if cancelled {
            compared.story.press("Esc");
            assert!(compared.story.asked().contains(&Effect::StopCompare(question)));
            "it was cancelled by a key"
        } else {
            let problem = Problem::new(Cause::Unreachable, "read hr shop/podinfo", "Connection refused");
            compared.story.tell(Message::Compared(question, News::Answered(Err(problem))));
            "could not read hr shop/podinfo: Connection refused"
        };
        compared.story.shows("the Secrets were not read");
        compared.story.shows(why);
        compared.story.shows("for hr shop/podinfo");
        compared.press("j");
    }
    compared.press("-");
    compared.press("-");
    compared.story.shows("for hr shop/podinfo");
    assert!(!compared.story.asked().iter().any(|effect| matches!(effect, Effect::Compare(_))));
}

#[test]
fn the_failure_to_read_secrets_may_come_while_another_view_is_open() {
    for (there, back) in [("?", "Esc"), ("-", "-"), ("over", "Esc"), ("over", "-")] {
        let mut compared = Compared::of(120, 30, |question| {
            let mut answer = Arc::unwrap_or_clone(sample(question, diff(objects(), files()), impacts()));
            answer.lens = release_with(ValuesState::NotRead);
            Arc::new(answer)
        });
        compared.story.press("V V");
        let question = asked(&mut compared.story);
        if there == "over" {
            compared.story.press(":");
            compared.story.kind("upgrades");
            compared.story.press("Enter");
            compared.story.shows("upgrades");
        } else {
            compared.story.press(there);
        }
        let problem = Problem::new(Cause::Unreachable, "read hr shop/podinfo", "Connection refused");
        compared.story.tell(Message::Compared(question, News::Answered(Err(problem))));
        compared.story.press(back);
        compared.story.shows("for hr shop/podinfo");
        compared.story.shows("source diff, without the Secrets of valuesFrom");
    }
}

#[test]
fn an_answer_with_some_secrets_stays_when_the_others_cannot_be_read_either() {
    let mut compared = Compared::of(120, 30, |question| {
        let question = Question { read_secrets: true, ..question.clone() };
        let mut answer = Arc::unwrap_or_clone(sample(&question, diff(objects(), files()), impacts()));
        answer.lens = release_with(ValuesState::Missing);
        Arc::new(answer)
    });
    for _ in 0..2 {
        compared.story.press("V V");
        let question = asked(&mut compared.story);
        let problem = Problem::new(Cause::Unreachable, "read hr shop/podinfo", "Connection refused");
        compared.story.tell(Message::Compared(question, News::Answered(Err(problem))));
        compared.story.shows("could not read hr shop/podinfo: Connection refused");
        compared.story.shows("for hr shop/podinfo");
        compared.press("j");
    }
}

#[test]
fn where_nothing_came_the_foot_offers_what_is_left_to_do() {
    let mut story = Story::with(settings(80, 24), shop());
    story.press(":");
    story.kind("diff ./a ./b");
    story.press("Enter");
    let question = asked(&mut story);
    let foot = |story: &mut Story| story.lines().pop().unwrap();
    assert_eq!(foot(&mut story), " : command  ? help");
    story.press("y");
    story.shows("there is no answer yet");
    let problem = Problem::new(Cause::Other, "read ./b", "no such folder");
    story.tell(Message::Compared(question, News::Answered(Err(problem))));
    assert_eq!(foot(&mut story), " : command  ^R ask again  ? help");
    story.press("y");
    story.shows("there is no answer: ^R asks again");
    story.press("/");
    story.shows("there is no answer: ^R asks again");
}

#[test]
fn secrets_that_could_not_be_read_are_asked_for_again() {
    let mut compared = Compared::of(120, 30, |question| {
        let mut answer = Arc::unwrap_or_clone(sample(question, diff(objects(), files()), impacts()));
        answer.question.read_secrets = true;
        let problem = Problem::new(Cause::Forbidden, "read Secret shop/values", "403 Forbidden");
        answer.lens = release_with(ValuesState::Failed(problem));
        Arc::new(answer)
    });
    compared.press("V");
    compared.story.shows("Shift-V once more reads the Secrets that valuesFrom names");
    compared.story.press("V");
    assert!(asked(&mut compared.story).read_secrets);
    // and once more, because it is the same question that has no whole answer
    let question = Question { read_secrets: true, ..compared.question.clone() };
    let mut answer = Arc::unwrap_or_clone(sample(&question, diff(objects(), files()), impacts()));
    answer.lens = release_with(ValuesState::Missing);
    let news = News::Answered(Ok(Arc::new(answer)));
    compared.story.tell(Message::Compared(Box::new(question), news));
    compared.story.press("V V");
    assert!(asked(&mut compared.story).read_secrets);
}

/// Rendered with two values of a Secret in the names of two objects.
fn with_hidden_names(question: &Question) -> Arc<Comparison> {
    let raw = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "podinfo", "namespace": "shop"},
        "spec": {"valuesFrom": [{"kind": "Secret", "name": "s"}]},
    });
    let mut lens = Lens::read(&raw).unwrap();
    let config = ConfigRef { kind: ConfigKind::Secret, namespace: "shop".into(), name: "s".into() };
    let said = b"a: hunter2-one\nb: hunter2-two\n".to_vec();
    lens.fill(&[(config, Ok(Config([("values.yaml".into(), said)].into())))]);
    let side = |tag: &str| {
        let pod = |name: &str| {
            format!(
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: z-{name}\n  namespace: shop\nspec:\n  containers:\n  - \
                 name: {name}\n    image: acme/web:{tag}\n---\n"
            )
        };
        let text = [pod("hunter2-one"), pod("hunter2-two")].concat();
        let Lens::Release(release) = &lens else { panic!("{lens:?}") };
        let covered = release.covered(text.into());
        Side { files: vec![file("rendered.yaml", std::str::from_utf8(&covered).unwrap())] }
    };
    let built = compare(&side("1.0.0"), &side("1.1.0"), &|| true);
    let mut answer = Arc::unwrap_or_clone(sample(question, diff(vec![], files()), vec![]));
    answer.impact = impact::judge(&answer.source, Some(&built), &lens);
    (answer.tier, answer.built) = (Tier::Built { by: "helm v4.2.2".into() }, Some(built));
    answer.lens = lens;
    Arc::new(answer)
}

#[test]
fn names_that_hold_a_secret_are_covered_and_found_viewed_and_reached_as_any_other() {
    for (width, height) in [(80, 24), (120, 30)] {
        let mut compared = Compared::of(width, height, with_hidden_names);
        let hides = |compared: &mut Compared| {
            let screen = compared.story.screen();
            assert!(!screen.contains("hunter2"), "{screen}");
        };
        compared.story.shows("built by helm v4.2.2, with the Secrets of valuesFrom");
        compared.story.shows("z-(hidden-2)");
        hides(&mut compared);
        // from the danger of the second to its change, as fields and as it is written
        compared.press("j Enter");
        compared.story.shows("acme/web:1.1.0");
        compared.story.shows("(hidden-2)");
        compared.press("y");
        compared.story.shows("Pod shop/z-(hidden-2)");
        compared.story.shows("- name: (hidden-2)");
        hides(&mut compared);
        compared.press("c");
        compared.story.shows("not copied: the name holds characters");
        compared.press("v Esc /");
        compared.story.kind("name:hidden-2");
        compared.press("Enter");
        compared.story.shows("1 viewed");
        compared.story.shows("<1/");
        hides(&mut compared);
    }
}

#[test]
fn the_command_that_answers_the_same_and_the_link_are_copied() {
    let mut compared = Compared::with(120, 30);
    compared.press("C");
    compared.story.shows("copied: fluxscope diff ocirepo/podinfo:6.9.1 ocirepo/podinfo:6.9.4 -n shop");
    compared.press("o");
    compared.story.shows("copied: https://github.com/acme/podinfo/compare/8fa1c3d0...9ab00c1d");
    compared.press("j j c");
    compared.story.shows("copied: podinfo");
    let mut local = Story::with(settings(120, 30), shop());
    local.press(":");
    local.kind("diff ./a ./b");
    local.press("Enter C");
    local.shows("copied: fluxscope diff ./a ./b");
    local.press(":");
    local.kind("diff ks/podinfo oci://ghcr.io/shop/podinfo:6.9.4 -n shop --consumer ks/podinfo");
    local.press("Enter");
    local.asked();
    local.press("C");
    local.shows("copied: fluxscope diff ocirepo/podinfo@sha256:aaaa");
}

#[test]
fn a_row_is_compared_with_what_flux_would_take_and_says_why_it_cannot_be() {
    let mut story = shop_with_heads(settings(120, 30));
    story.press("j D");
    let question = asked(&mut story);
    assert_eq!((reference(&question.from), reference(&question.to)), (&*digest('a'), "6.9.4"));
    assert_eq!(question.consumer, None);
    story.press("Esc Esc j D");
    let question = asked(&mut story);
    assert_eq!(question.consumer, Some(id(Kind::Kustomization, "shop/podinfo")));
    assert!(question.build, "what concerns a consumer is built where that can be done");
    story.press("Esc Esc Home D");
    story.shows("nothing is stored yet");
    story.press("G D");
    let question = asked(&mut story);
    assert_eq!(reference(&question.to), "7.0.0");
}

#[test]
fn a_row_without_tags_says_why_and_a_pinned_one_is_compared_with_the_newest() {
    let semver = || Follows::Semver("1.x".into());
    let one = format!("1.0.0@{}", digest('a'));
    let sources = [
        repository("edge/gateway", semver(), &one, ready(60)),
        repository("edge/late", semver(), &one, ready(60)),
        repository("edge/nothing", Follows::Semver(">=9".into()), &one, ready(60)),
        repository("edge/pinned", Follows::Digest(digest('a').into()), &digest('a'), ready(60)),
    ];
    let mut story = Story::with(settings(140, 30), sources.map(Object::Source).into());
    let problem = Problem::new(Cause::Unreachable, "list tags of ghcr.io/edge/gateway", "no such host");
    story.tell(Message::Tags(upstream("ghcr.io/edge/gateway"), Err(problem)));
    story.tags(&upstream("ghcr.io/edge/nothing"), &["1.0.0"]);
    story.tags(&upstream("ghcr.io/edge/pinned"), &["6.8.0", "6.9.0", "7.0.0", "7.1.0-rc.1", "latest"]);
    let mut ordered = |name: &str| {
        story.press("Home /");
        story.kind(&format!("edge/{name}"));
        story.press("Enter");
        assert!(story.selected().contains(name), "{}", story.selected());
        story.press("D");
        let screen = story.screen();
        (story.asked().into_iter().find(|effect| matches!(effect, Effect::Compare(_))), screen)
    };
    for (name, words) in [
        ("gateway", "could not list tags of ghcr.io/edge/gateway: no such host"),
        ("late", "the tags of its repository are not here yet"),
        ("nothing", "Flux would choose nothing"),
    ] {
        let (asked, screen) = ordered(name);
        assert!(asked.is_none() && screen.contains(words), "{name}: {words:?} is not on\n{screen}");
    }
    let Some(Effect::Compare(question)) = ordered("pinned").0 else { panic!("{}", ordered("pinned").1) };
    assert_eq!((reference(&question.from), reference(&question.to)), (&*digest('a'), "7.0.0"));
    story.press("Esc Esc");
    story.head(&upstream("ghcr.io/edge/pinned"), "7.0.0", 'a');
    story.press("D");
    story.shows("it is pinned, and no newer version is known");
}

#[test]
fn a_tag_or_an_artifact_that_runs_is_not_compared_with_itself() {
    let mut story = shop_with_heads(settings(120, 30));
    story.press("j a");
    story.press("D");
    story.shows("it is what runs: the same digest");
    story.press("Esc :");
    story.kind("tags oci://ghcr.io/shop/podinfo");
    story.press("Enter D");
    story.shows("nothing is known to run from here");
}

#[test]
fn the_commands_words_are_understood_and_a_wrong_one_is_named() {
    for (typed, words) in [
        ("diff", "which two? :diff A B"),
        ("diff ./a ./b ./c", "which two?"),
        ("diff ./a ./b --fast", "--fast is not known"),
        ("diff ./a ./b --consumer oci/x", "oci/x is no consumer: ks/NAME or hr/NAME"),
        ("diff ks/none ./b -n shop", "ks shop/none"),
        ("diff ./a nothing", "nothing"),
        ("diff ./a ./b -n Not/One", "cannot be the name of a namespace"),
    ] {
        let mut story = Story::with(settings(120, 30), shop());
        story.press(":");
        story.kind(typed);
        story.press("Enter");
        story.shows(words);
        assert!(!story.asked().iter().any(|effect| matches!(effect, Effect::Compare(_))), "{typed}");
    }
    let mut story = Story::with(settings(120, 30), shop());
    story.press(":");
    story.kind("diff ks/podinfo ocirepo/podinfo:6.9.4 -n shop --consumer=ks/podinfo");
    story.press("Enter");
    let question = asked(&mut story);
    assert_eq!((reference(&question.from), reference(&question.to)), (&*digest('a'), "6.9.4"));
    assert_eq!(question.consumer, Some(id(Kind::Kustomization, "shop/podinfo")));
}

#[test]
fn back_and_forward_lead_through_a_comparison_that_was_turned() {
    let mut compared = Compared::with(120, 30);
    compared.story.press("S");
    let question = asked(&mut compared.story);
    let answer = sample(&question, diff(objects(), files()), impacts());
    compared.story.tell(Message::Compared(question, News::Answered(Ok(answer))));
    compared.story.press("-");
    compared.story.shows("board › all namespaces");
    compared.story.press("-");
    compared.story.shows("diff podinfo:6.9.4 podinfo:6.9.1");
    assert!(!compared.story.asked().iter().any(|effect| matches!(effect, Effect::Compare(_))));
}
