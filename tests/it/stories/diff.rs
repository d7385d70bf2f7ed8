//! What would change between two revisions: from the key that asks to the last line of a change.

use crate::story::{Story, digest, settings, shop, upstream};
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
            Oddity, Step, Text, Which,
        },
        digest::Digest,
        identity::Kind,
        impact::{self, Danger, Impact, Place, What},
        lens::Lens,
        object::{Broken, Key, Role},
        problem::{Cause, Problem},
        source::LayerSelector,
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

fn crd(versions: Value) -> Found {
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
        changed(crd(old), crd(new), vec![versions]),
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

fn diff(objects: Vec<ObjectChange>, files: Vec<FileChange>) -> Diff {
    let why = "mapping values are not allowed here".into();
    let broken = Oddity {
        which: Which::To,
        path: "deploy/broken.yaml".into(),
        what: Odd::Broken(Broken { line: 7, why }),
    };
    Diff { files, objects, oddities: vec![broken], same_files: 4, same_objects: 21 }
}

/// Both sides of a question, as if they had been opened.
fn sample(question: &Question, source: Diff, impact: Vec<Impact>) -> Arc<Comparison> {
    Arc::new(Comparison {
        from: half(&question.from, '0', "main@sha1:8fa1c3d0", "2026-10-11T11:06:40Z"),
        to: half(&question.to, 'a', "main@sha1:9ab00c1d", "2026-11-19T08:00:00Z"),
        question: question.clone(),
        lens: Lens::Whole,
        tier: Tier::Source { why: None },
        source,
        built: None,
        impact,
        notes: vec!["postBuild is not substituted: values are put in after the build".to_owned()],
    })
}

fn registry(reference: &str) -> Target {
    let origin = Origin::Registry { upstream: upstream("ghcr.io/shop/podinfo"), reference: reference.into() };
    Target { origin, selector: LayerSelector::default(), ignore: None }
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
