//! An upgrade is announced by `diff` first and then taken by Flux: the objects that changed in the cluster are those
//! that were announced. Afterwards what ran can be compared, too.

use crate::{
    announced::{Fate, Fates, Snapshot, announced, words},
    artifacts::{Pair, Pushed, chart_pairs, charts, manifest_pairs, manifests, push_files, push_tree},
    cluster::{HELM_RELEASE, KUSTOMIZATION, Kind, OCI_REPOSITORY, Place, env},
    program::{Program, Ran, as_user, fluxscope, items},
    screens::{leave, wait_row},
    specs,
};
use serde_json::{Value, json};
use std::process::Command;

/// A source and its consumer, both called `app` and ready.
struct Standing {
    place: Place,
    consumer: Kind,
    repository: String,
    name: String,
}

impl Standing {
    fn of_manifests(place: Place, name: &str, first: &Pushed, repository: &str) -> Self {
        place.apply(OCI_REPOSITORY, name, &specs::source(repository, &specs::tag(first.tag)));
        place.apply(KUSTOMIZATION, name, &specs::kustomization(name, &place.namespace));
        let (repository, name) = (repository.to_owned(), name.to_owned());
        let standing = Self { place, consumer: KUSTOMIZATION, repository, name };
        standing.await_runs(first);
        standing
    }

    fn of_chart(place: Place, name: &str, first: &Pushed, repository: &str, more: &Value) -> Self {
        place.apply(OCI_REPOSITORY, name, &specs::chart_source(repository, &specs::tag(first.tag)));
        let mut spec = specs::release_of_source(name);
        for (field, value) in more.as_object().into_iter().flatten() {
            spec[field.as_str()] = value.clone();
        }
        place.apply(HELM_RELEASE, name, &spec);
        let (repository, name) = (repository.to_owned(), name.to_owned());
        let standing = Self { place, consumer: HELM_RELEASE, repository, name };
        standing.await_runs(first);
        standing
    }

    fn await_runs(&self, pushed: &Pushed) {
        self.place.await_holds(self.consumer, &self.name, &pushed.digest);
    }

    /// As a person names it: `ks/app`.
    fn own(&self) -> String {
        let kind = if self.consumer.name == KUSTOMIZATION.name { "ks" } else { "hr" };
        format!("{kind}/{}", self.name)
    }

    /// What upgrading to this tag would change, through the consumer's eyes.
    fn ask(&self, program: &Program, to: &Pushed, more: &[&str]) -> Ran {
        let (own, to) = (self.own(), format!("ocirepo/{}:{}", self.name, to.tag));
        let namespace = &self.place.namespace;
        let all = ["diff", &own, &to, "-n", namespace, "--consumer", &own, "-o", "json"];
        program.run(&[&all, more].concat())
    }

    /// Flux takes it.
    fn take(&self, second: &Pushed) {
        let reference = json!({"spec": {"ref": {"tag": second.tag}}});
        self.place.merge(OCI_REPOSITORY, &self.name, &reference);
        self.await_runs(second);
    }

    /// Announces, takes, compares. `tier`: by files alone or rendered.
    fn upgrade(&self, second: &Pushed, asked: &Value) -> Fates {
        let fates = announced(asked, &self.place.namespace);
        let before = Snapshot::of(&self.place, self.consumer, &self.name, fates.keys().cloned());
        assert!(before.count() > 0, "nothing stands before the upgrade");
        self.take(second);
        let happened = before.since(&self.place, self.consumer, &self.name);
        assert_eq!(words(&fates), happened, "announced, and then happened\n{asked:#}");
        happened
    }
}

/// The program with the rendering tools of these parts, and no others.
fn with_tools() -> Program {
    let tools = env().get("TOOLS");
    assert!(!tools.is_empty(), "no TOOLS in the cluster's env: bring it up again");
    fluxscope().with("PATH", tools)
}

fn without_tools() -> Program {
    fluxscope().with("PATH", "/nonexistent")
}

fn pushed(pair: &Pair, repository: &str) -> (Pushed, Pushed) {
    (pair.push_first(repository), pair.push_second(repository))
}

#[test]
fn plain_manifests_change_what_was_announced() {
    for (number, pair) in manifest_pairs().iter().enumerate() {
        let place = Place::new(&format!("diff-{number}"));
        let repository = place.repository("REGISTRY_PAGED", "manifests");
        let (first, second) = pushed(pair, &repository);
        let standing = Standing::of_manifests(place, "app", &first, &repository);
        let source = standing.ask(&without_tools(), &second, &["--no-build"]).exits(1).json();
        assert_eq!(source["tier"], "source");
        let namespace = &standing.place.namespace;
        for tools in ["TOOLS", "FLUX_TOOLS"] {
            let program = fluxscope().with("PATH", env().get(tools));
            let built = standing.ask(&program, &second, &["--build"]).exits(1).json();
            assert_eq!(built["tier"], "built", "{built:#}");
            assert_eq!(
                words(&announced(&source, namespace)),
                words(&announced(&built, namespace)),
                "{tools}"
            );
        }
        let happened = standing.upgrade(&second, &source);
        assert!(!happened.is_empty(), "{} {} changes something", pair.name, second.tag);
    }
}

/// A base, an overlay that changes it, and a spec that changes both.
fn overlay(image: &str, extra: &str) -> Vec<(&'static str, String)> {
    let deployment = format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, labels: {{app: web}}}}\nspec:\n  replicas: 0\n  \
         selector: {{matchLabels: {{app: web}}}}\n  template:\n    metadata: {{labels: {{app: web}}}}\n    spec:\n      \
         containers:\n      - {{name: main, image: \"{image}\"}}\n"
    );
    let base = "resources: [deployment.yaml, extra.yaml]\nconfigMapGenerator:\n- name: made\n  \
                files: [words.txt]\nsecretGenerator:\n- name: sealed\n  literals: [word=hunter2]\n";
    let top = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\nnamePrefix: top-\n\
               replacements: []\n";
    vec![
        ("base/deployment.yaml", deployment),
        ("base/extra.yaml", format!("{MAP}{extra}\ndata: {{here: \"yes\", word: \"${{nobody}}\"}}\n")),
        ("base/words.txt", format!("{image} of {extra}\n")),
        ("base/kustomization.yaml", base.to_owned()),
        ("overlay/kustomization.yaml", top.to_owned()),
        ("elsewhere/map.yaml", format!("{MAP}elsewhere\ndata: {{here: {image:?}}}\n")),
    ]
}

#[test]
fn flux_builds_what_kustomize_builds_and_what_the_controller_applies() {
    let place = Place::new("diff-flux");
    let repository = place.repository("REGISTRY_PAGED", "overlay");
    let first = push_files(&place, &repository, "1.0.0", &overlay("web:1", "old-extra"));
    let second = push_files(&place, &repository, "2.0.0", &overlay("web:2", "new-extra"));
    let standing = Standing::of_manifests(place, "app", &first, &repository);
    let patch = "- {op: add, path: /data/patched, value: \"yes\"}\n";
    let spec = json!({
        "path": "./overlay",
        "commonMetadata": {"labels": {"team": "shop"}},
        "nameSuffix": "-x",
        "patches": [{"patch": patch, "target": {"kind": "ConfigMap", "name": "top-.*extra"}}],
        "images": [{"name": "web", "newName": "registry.test/web"}],
    });
    standing.place.merge(KUSTOMIZATION, "app", &json!({"spec": spec}));
    let namespace = standing.place.namespace.clone();
    fluxscope().run(&["reconcile", "ks/app", "-n", &namespace]).exits(0);

    let by = |tools: &str, word: &str| {
        let program = fluxscope().with("PATH", env().get(tools));
        let asked = standing.ask(&program, &second, &["--build"]).exits(1);
        assert!(!asked.all().contains("hunter2"), "no value of a Secret is printed");
        let asked = asked.json();
        assert!(asked["renderedBy"].as_str().is_some_and(|by| by.starts_with(word)), "{asked:#}");
        asked
    };
    let (kustomize, flux) = (by("TOOLS", "kustomize v5"), by("FLUX_TOOLS", "flux v2"));
    for list in ["objects", "impact"] {
        assert!(flux[list].as_array().is_some_and(|found| !found.is_empty()), "{list}: {flux:#}");
    }
    for part in ["objects", "impact", "oddities", "same"] {
        assert!(!flux[part].is_null(), "{part}: {flux:#}");
        assert_eq!(without_lines(&kustomize[part]), without_lines(&flux[part]), "{part}");
    }
    let happened = standing.upgrade(&second, &flux);
    let named = |name: &str| format!("ConfigMap {namespace}/{name}");
    assert_eq!(happened.get(&format!("Deployment {namespace}/top-web-x")), Some(&Fate::Changed));
    assert_eq!(happened.get(&named("top-new-extra-x")), Some(&Fate::Added));
    assert_eq!(happened.get(&named("top-old-extra-x")), Some(&Fate::Removed));

    let mut files = overlay("web:2", "new-extra");
    let encrypted = "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]";
    let secret = format!(
        "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{token: \"{encrypted}\"}}\n\
         sops: {{mac: \"{encrypted}\"}}\n"
    );
    files[1].1.push_str(&secret);
    let third = push_files(&standing.place, &repository, "3.0.0", &files);
    let asked = standing.ask(&fluxscope().with("PATH", env().get("FLUX_TOOLS")), &third, &[]).exits(1);
    assert_eq!(asked.says("flux build hides what SOPS encrypted").json()["tier"], "source");
}

/// Where it stands in what was built is the tool's own choice.
fn without_lines(part: &Value) -> Value {
    let mut part = part.clone();
    for item in part.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        item.retain(|field, _| !["line", "lines"].contains(&field.as_str()));
    }
    part
}

const BEFORE: [(&str, &str); 5] = [
    (
        "maps.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: same\ndata:\n  a: one\n  b: \"2\"\n---\napiVersion: v1\n\
         kind: ConfigMap\nmetadata: {name: changes, labels: {app: x}}\ndata: {text: \"first\\nline\\n\", on: \"yes\"}\n\
         ---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: goes}\ndata: {only: here}\n",
    ),
    (
        "service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports:\n  \
         - {name: http, port: 80}\n  - {name: metrics, port: 9797}\n",
    ),
    (
        "secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: not-so-secret}\n",
    ),
    (
        "access.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\nrules:\n\
         - {apiGroups: [\"\"], resources: [configmaps], verbs: [get, list]}\n",
    ),
    (
        "list.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}, data: {n: \"1\"}}\n\
         - {apiVersion: v1, kind: ConfigMap, metadata: {name: listed-too}, data: {n: \"1\"}}\n",
    ),
];

/// The same formatted otherwise, moved into another file, changed in a list, widened, renamed, gone and new.
const AFTER: [(&str, &str); 5] = [
    (
        "maps.yaml",
        "# a comment\nkind: ConfigMap\napiVersion: \"v1\"\ndata: {\"b\": '2', a: one}\nmetadata:\n  name: same\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {name: changes, labels: {app: x}}\n\
         data: {text: \"second\\nline\\n\", on: \"yes\"}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: comes}\n\
         data: {other: there}\n",
    ),
    (
        "moved/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports:\n  \
         - {name: http, port: 80}\n  - {name: metrics, port: 9797}\n",
    ),
    ("secret.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {token: another}\n"),
    (
        "access.yaml",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader}\nrules:\n\
         - {apiGroups: [\"\"], resources: [configmaps, secrets], verbs: [get, list]}\n",
    ),
    (
        "list.yaml",
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: listed}, data: {n: \"2\"}}\n\
         - {apiVersion: v1, kind: ConfigMap, metadata: {name: listed-too}, data: {n: \"1\"}}\n",
    ),
];

#[test]
fn what_only_looks_different_stays_and_everything_else_changes_as_announced() {
    let place = Place::new("diff-kinds");
    let repository = place.repository("REGISTRY_PAGED", "kinds");
    let files = |files: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect()
    };
    let first = push_files(&place, &repository, "1.0.0", &files(&BEFORE));
    let second = push_files(&place, &repository, "2.0.0", &files(&AFTER));
    let standing = Standing::of_manifests(place, "app", &first, &repository);
    let asked = standing.ask(&without_tools(), &second, &["--no-build"]).exits(1);
    assert!(!asked.all().contains("not-so-secret"), "no value of a Secret is printed");
    let happened = standing.upgrade(&second, &asked.json());
    let namespace = &standing.place.namespace;
    let expected: Fates = [
        ("ConfigMap", "changes", Fate::Changed),
        ("ConfigMap", "comes", Fate::Added),
        ("ConfigMap", "goes", Fate::Removed),
        ("ConfigMap", "listed", Fate::Changed),
        ("Role", "reader", Fate::Changed),
        ("Secret", "token", Fate::Changed),
    ]
    .into_iter()
    .map(|(kind, name, fate)| (format!("{kind} {namespace}/{name}"), fate))
    .collect();
    assert_eq!(happened, expected);
}

#[test]
fn a_chart_changes_what_was_announced_by_what_helm_renders() {
    for (number, pair) in chart_pairs().iter().enumerate() {
        let place = Place::new(&format!("diff-chart-{number}"));
        let repository = place.repository("REGISTRY_PAGED", pair.name);
        let (first, second) = pushed(pair, &repository);
        let standing = Standing::of_chart(place, "app", &first, &repository, &json!({}));
        let asked = standing.ask(&with_tools(), &second, &[]).exits(1).json();
        assert_eq!(asked["tier"], "built", "{asked:#}");
        assert!(asked["renderedBy"].as_str().is_some_and(|by| by.starts_with("helm v4")), "{asked:#}");
        let happened = standing.upgrade(&second, &asked);
        assert!(!happened.is_empty(), "{} {} changes something", pair.name, second.tag);
    }
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ";

/// A chart with what charts have: defaults that are overridden or not, a template that goes and one that comes,
/// a definition in `crds/`, and a test that nobody runs.
struct Shop<'a> {
    /// Of the definition, which belongs to the whole cluster.
    group: &'a str,
    version: &'static str,
    size: u8,
    colour: &'static str,
    extra: &'static str,
}

impl<'a> Shop<'a> {
    fn first(group: &'a str) -> Self {
        Self { group, version: "1.0.0", size: 1, colour: "red", extra: "old-extra" }
    }

    fn second(group: &'a str) -> Self {
        Self { group, version: "1.1.0", size: 2, colour: "blue", extra: "new-extra" }
    }

    fn push(&self, place: &Place, repository: &str) -> Pushed {
        push_tree(place, "chart", repository, self.version, &self.files())
    }

    fn files(&self) -> Vec<(String, String)> {
        let Self { group, version, size, colour, extra } = self;
        let crd = format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  \
             name: widgets.{group}.test\nspec:\n  group: {group}.test\n  scope: Namespaced\n  \
             names: {{kind: Widget, plural: widgets, singular: widget}}\n  versions:\n  - name: v1\n    \
             served: true\n    storage: true\n    \
             schema: {{openAPIV3Schema: {{type: object, description: {version:?}}}}}\n"
        );
        [
            ("Chart.yaml", format!("apiVersion: v2\nname: shop\nversion: {version}\n")),
            ("values.yaml", format!("size: {size}\ncolour: {colour}\n")),
            ("crds/widgets.yaml", crd),
            ("templates/size.yaml", format!("{MAP}size\ndata:\n  size: {{{{ .Values.size | quote }}}}\n")),
            (
                "templates/colour.yaml",
                format!("{MAP}colour\ndata:\n  colour: {{{{ .Values.colour | quote }}}}\n"),
            ),
            (
                "templates/same.yaml",
                format!("{MAP}same\ndata:\n  release: {{{{ .Release.Name | quote }}}}\n"),
            ),
            ("templates/extra.yaml", format!("{MAP}{extra}\ndata:\n  here: \"yes\"\n")),
            (
                "templates/tests/test.yaml",
                format!(
                    "{MAP}test\n  annotations: {{\"helm.sh/hook\": test}}\ndata:\n  version: {version:?}\n"
                ),
            ),
        ]
        .map(|(path, text)| (path.to_owned(), text))
        .into()
    }
}

#[test]
fn defaults_that_a_release_overrides_change_nothing_and_nothing_is_announced() {
    let place = Place::new("diff-values");
    let repository = place.repository("REGISTRY_PAGED", "shop");
    let group = place.namespace.clone();
    let (first, second) =
        (Shop::first(&group).push(&place, &repository), Shop::second(&group).push(&place, &repository));
    let values = json!({"values": {"size": 7}});
    let standing = Standing::of_chart(place, "app", &first, &repository, &values);
    let asked = standing.ask(&with_tools(), &second, &[]).exits(1).json();
    let happened = standing.upgrade(&second, &asked);
    let namespace = &standing.place.namespace;
    let named = |name: &str| format!("ConfigMap {namespace}/{name}");
    let definition = format!("CustomResourceDefinition /widgets.{namespace}.test");
    let expected: Fates = [
        (named("colour"), Fate::Changed),
        (named("new-extra"), Fate::Added),
        (named("old-extra"), Fate::Removed),
        // without a policy helm-controller writes over a definition that is there: Helm applies server-side
        (definition, Fate::Changed),
    ]
    .into();
    assert_eq!(happened, expected);
}

#[test]
fn definitions_of_a_chart_are_left_alone_or_written_over_as_announced() {
    for (policy, more, changes) in [
        ("Skip", json!({}), false),
        ("Create", json!({}), true),
        ("Create", json!({"serverSideApply": "disabled"}), false),
        ("CreateReplace", json!({}), true),
    ] {
        let word = more["serverSideApply"].as_str().unwrap_or("auto");
        let place = Place::new(&format!("crds-{}-{word}", policy.to_ascii_lowercase()));
        let repository = place.repository("REGISTRY_PAGED", "shop");
        let group = place.namespace.clone();
        let first = Shop::first(&group).push(&place, &repository);
        let second = Shop { version: "1.1.0", ..Shop::first(&group) }.push(&place, &repository);
        let mut upgrade = json!({"disableWait": true, "crds": policy});
        upgrade.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
        let standing = Standing::of_chart(place, "app", &first, &repository, &json!({"upgrade": upgrade}));
        let asked = standing.ask(&with_tools(), &second, &[]).json();
        let happened = standing.upgrade(&second, &asked);
        assert_eq!(!happened.is_empty(), changes, "{policy} {word}: {happened:?}\n{asked:#}");
    }
}

/// Nobody deletes a definition that a chart holds no longer, and nobody says so.
#[test]
fn a_definition_that_leaves_its_chart_stays_in_the_cluster() {
    let place = Place::new("crds-gone");
    let repository = place.repository("REGISTRY_PAGED", "shop");
    let group = place.namespace.clone();
    let first = Shop::first(&group).push(&place, &repository);
    let mut files = Shop { version: "1.1.0", ..Shop::first(&group) }.files();
    files.retain(|(path, _)| !path.starts_with("crds/"));
    let second = push_tree(&place, "chart", &repository, "1.1.0", &files);
    let standing = Standing::of_chart(place, "app", &first, &repository, &json!({}));
    let asked = standing.ask(&with_tools(), &second, &[]);
    asked.says("crd-in-chart");
    let happened = standing.upgrade(&second, &asked.json());
    assert_eq!(happened, Fates::new());
}

/// Both entries, the newer one first: references that `diff` takes.
fn history(standing: &Standing) -> Value {
    let namespace = &standing.place.namespace;
    fluxscope().run(&["history", &standing.own(), "-n", namespace, "-o", "json"]).exits(0).json()
}

fn assert_ran(standing: &Standing, first: &Pushed, second: &Pushed) {
    let list = history(standing);
    let told: Vec<_> = items(&list)
        .map(|item| (item["digest"].as_str(), item["tag"].as_str(), item["current"].as_bool()))
        .collect();
    assert_eq!(
        told,
        [
            (Some(&*second.digest), Some(second.tag), Some(true)),
            (Some(&*first.digest), Some(first.tag), Some(false)),
        ],
        "{list:#}"
    );
    let reference = |at: usize| list["items"][at]["reference"].as_str().expect("a reference").to_owned();
    let (older, newer) = (reference(1), reference(0));
    fluxscope().run(&["diff", &older, &newer]).exits(1);
    fluxscope().run(&["diff", &newer, &newer]).exits(0);
    let mut pty = fluxscope().screen(&["-n", &standing.place.namespace], 160, 45);
    wait_row(&mut pty, &[&format!(" {} ", &standing.own()[..2]), second.tag, "ready"]);
    pty.press(&format!(":revisions {} -n {}\r", standing.own(), standing.place.namespace));
    wait_row(&mut pty, &[second.tag, second.short(), "running"]);
    wait_row(&mut pty, &[first.tag, first.short()]);
    pty.press("j");
    pty.wait_for(&format!("Shift-D compares {}@{}", first.tag, first.short()));
    pty.press("D");
    pty.wait_for("diff ");
    leave(pty);
}

#[test]
fn what_ran_of_a_kustomization_is_listed_and_compared_after_an_upgrade() {
    let place = Place::new("history-ks");
    let repository = place.repository("REGISTRY_PAGED", "manifests");
    let (first, second) = pushed(&manifests(), &repository);
    let standing = Standing::of_manifests(place, "app", &first, &repository);
    standing.take(&second);
    assert_ran(&standing, &first, &second);
    let of_source = ["history", "ocirepo/app", "-n", &standing.place.namespace, "-o", "json"];
    let list = fluxscope().run(&of_source).exits(0).json();
    assert_eq!(items(&list).count(), 2, "{list:#}");
    assert_eq!(list["items"][0]["consumers"][0]["current"], true, "{list:#}");
    // the older artifact goes from its registry: the list stays, and the comparison says what is missing
    let (host, name) = standing.repository.split_once('/').expect("a repository in a registry");
    let url = format!("http://{host}/v2/{name}/manifests/{}", first.digest);
    let deleted = Command::new("curl").args(["-sSf", "-X", "DELETE", &url]).output().expect("curl");
    assert!(deleted.status.success(), "{url}: {}", String::from_utf8_lossy(&deleted.stderr));
    let gone = history(&standing);
    let reference = |at: usize| gone["items"][at]["reference"].as_str().expect("a reference").to_owned();
    let ran = fluxscope().run(&["diff", &reference(1), &reference(0), "--no-cache"]).exits(2);
    ran.says("404");
}

#[test]
fn what_ran_of_a_release_is_listed_and_compared_after_an_upgrade() {
    let place = Place::new("history-hr");
    let pair = charts();
    let repository = place.repository("REGISTRY_PAGED", pair.name);
    let (first, second) = pushed(&pair, &repository);
    let standing = Standing::of_chart(place, "app", &first, &repository, &json!({}));
    standing.take(&second);
    assert_ran(&standing, &first, &second);
    let list = history(&standing);
    assert_eq!(
        (&list["items"][0]["status"], &list["items"][1]["status"]),
        (&json!("deployed"), &json!("superseded"))
    );
    assert_eq!(list["items"][0]["release"], 2);
}

/// A tag that was moved: the release upgraded with the same version, and the history says so.
#[test]
fn a_moved_tag_stands_twice_in_the_history_and_its_contents_can_be_compared() {
    let place = Place::new("history-moved");
    let repository = place.repository("REGISTRY_PAGED", "moved");
    let map = |text: &str| [("map.yaml", format!("{MAP}map\ndata: {{text: {text}}}\n"))];
    let first = push_files(&place, &repository, "stable", &map("one"));
    let standing = Standing::of_manifests(place, "app", &first, &repository);
    let second = push_files(&standing.place, &repository, "stable", &map("two"));
    let namespace = &standing.place.namespace;
    fluxscope().run(&["reconcile", "ks/app", "-n", namespace, "--with-source"]).exits(0);
    standing.await_runs(&second);
    let list = history(&standing);
    let moved: Vec<_> = items(&list).map(|item| (item["tag"].as_str(), item["moved"].as_bool())).collect();
    assert_eq!(moved, [(Some("stable"), Some(true)), (Some("stable"), Some(true))], "{list:#}");
    let reference = |at: usize| list["items"][at]["reference"].as_str().expect("a reference").to_owned();
    let asked = fluxscope().run(&["diff", &reference(1), &reference(0), "-o", "json"]).exits(1).json();
    assert_eq!(asked["objects"][0]["fields"][0]["path"], "data.text", "{asked:#}");
}

/// Who may read no Secret and no ConfigMap is told so and still gets the rest; who may is not asked for Secrets
/// unless that was said.
#[test]
fn without_the_right_to_read_secrets_the_diff_still_answers() {
    let place = Place::new("diff-secrets").within("team-a");
    let repository = place.repository("REGISTRY_PAGED", "shop");
    let name = repository.split('/').nth(1).expect("a prefix").to_owned();
    let (first, second) =
        (Shop::first(&name).push(&place, &repository), Shop::second(&name).push(&place, &repository));
    place.configure("Secret", &name, &json!({"stringData": {"values.yaml": "colour: hidden-green\n"}}));
    place.configure("ConfigMap", &name, &json!({"data": {"values.yaml": "size: 9\n"}}));
    let from = |kind: &str| json!({"kind": kind, "name": name, "valuesKey": "values.yaml"});
    let values =
        json!({"valuesFrom": [from("ConfigMap"), from("Secret")], "targetNamespace": place.namespace});
    let standing = Standing::of_chart(place, &name, &first, &repository, &values);

    let team = standing.ask(&as_user("team-a").with("PATH", env().get("TOOLS")), &second, &[]);
    assert!([1, 2].contains(&team.code), "{}", team.all());
    team.says("not read");
    assert!(team.json()["objects"].as_array().is_some_and(|found| !found.is_empty()), "{}", team.all());
    assert_eq!(states(&team), ["ConfigMap forbidden", "Secret not-asked"]);
    let team = standing.ask(&as_user("team-a"), &second, &["--read-secrets"]);
    assert_eq!(states(&team), ["ConfigMap forbidden", "Secret forbidden"]);
    let admin = standing.ask(&with_tools(), &second, &[]).exits(1);
    admin.says("not read");
    assert_eq!(states(&admin), ["ConfigMap read", "Secret not-asked"]);
    assert!(!admin.all().contains("hidden-green"));
    let told = standing.ask(&with_tools(), &second, &["--read-secrets"]).exits(1);
    assert_eq!(states(&told), ["ConfigMap read", "Secret read"]);
    assert!(!told.all().contains("hidden-green"), "its value is used, not printed");
    let happened = standing.upgrade(&second, &told.json());
    let kept = |name: &str| !happened.keys().any(|key| key.ends_with(&format!("/{name}")));
    assert!(kept("colour") && kept("size"), "both are overridden: {happened:?}");
}

/// Each state of `valuesFrom`, as `KIND STATE`.
fn states(ran: &Ran) -> Vec<String> {
    let asked = ran.json();
    let word = |from: &Value, field: &str| from[field].as_str().unwrap_or_default().to_owned();
    let states = asked["valuesFrom"].as_array().into_iter().flatten();
    states.map(|from| format!("{} {}", word(from, "kind"), word(from, "state"))).collect()
}

/// helm-controller fails on them, and the diff says on which and goes on.
#[test]
fn values_that_are_not_there_are_named_with_what_is_missing() {
    let place = Place::new("diff-missing");
    let repository = place.repository("REGISTRY_PAGED", "shop");
    let group = place.namespace.clone();
    let (first, second) =
        (Shop::first(&group).push(&place, &repository), Shop::second(&group).push(&place, &repository));
    let standing = Standing::of_chart(place, "app", &first, &repository, &json!({}));
    let place = &standing.place;
    place.configure("ConfigMap", "values", &json!({"data": {"other.yaml": "size: 9\n"}}));
    let from =
        |kind: &str, name: &str, optional: bool| json!({"kind": kind, "name": name, "optional": optional});
    let values = [
        from("ConfigMap", "values", false),
        from("ConfigMap", "nobody", false),
        from("Secret", "nobody", true),
        from("Secret", "nobody", false),
    ];
    place.merge(HELM_RELEASE, "app", &json!({"spec": {"valuesFrom": values}}));
    let failed = place.await_failed(HELM_RELEASE, "app");
    // it ends at the first of them: the object is there, its key is not (`chartutil.ErrValuesReference`)
    let ready = crate::cluster::condition(&failed, "Ready").expect("a verdict");
    assert_eq!(ready["reason"], "ValuesError", "{ready:#}");
    let why = format!(
        "could not resolve ConfigMap chart values reference '{}/values' with key 'values.yaml': key not found",
        place.namespace
    );
    assert_eq!(ready["message"], why);
    let ran = standing.ask(&without_tools(), &second, &["--read-secrets"]).exits(1);
    assert_eq!(
        states(&ran),
        ["ConfigMap no-key", "ConfigMap not-found", "Secret absent", "Secret not-found"],
        "{}",
        ran.all()
    );
    assert!(ran.json()["files"]["changed"].as_array().is_some_and(|files| !files.is_empty()));
}
