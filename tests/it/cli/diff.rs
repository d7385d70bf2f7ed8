//! `diff`: what is printed in which format, what never is, and the exit code. The pair of folders that most tests compare
//! holds one of every kind of change.

use super::{
    HOSTILE, Ran,
    fake::{Fake, Handle},
    is_safe, words,
};
use fluxscope::{
    cli::{
        self, args,
        output::{Console, Surroundings, Terminals},
    },
    port::{NoTools, Ports, Renderer},
    registry::{OciRegistry, Settings},
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// Two folders of one test, gone with it.
pub(super) struct Desk(PathBuf);

impl Desk {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("fluxscope-cli-diff-{}-{number}", std::process::id()));
        for side in ["from", "to"] {
            fs::create_dir_all(path.join(side)).unwrap();
        }
        Self(path)
    }

    pub(super) fn with(from: &[(&str, &str)], to: &[(&str, &str)]) -> Self {
        let desk = Self::new();
        for (side, files) in [("from", from), ("to", to)] {
            for (path, text) in files {
                let path = desk.0.join(side).join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
        desk
    }

    /// One of every kind of change.
    fn rich() -> Self {
        Self::with(&FROM, &TO)
    }

    pub(super) fn line(&self, options: &str) -> String {
        format!("diff {0}/from {0}/to {options}", self.0.display())
    }

    pub(super) fn side(&self, side: &str) -> PathBuf {
        self.0.join(side)
    }

    async fn diff(&self, options: &str) -> Ran {
        self.ran(options, Surroundings::default(), Terminals::default()).await
    }

    async fn ran(&self, options: &str, surroundings: Surroundings, terminals: Terminals) -> Ran {
        run(&self.line(options), surroundings, terminals).await
    }

    /// Without what differs from run to run: the folder, and digests and sizes of the packing.
    fn plain(&self, text: &str) -> String {
        let text = text.replace(&self.0.display().to_string(), "DESK");
        let line = |line: &str| match line.find("DESK/") {
            Some(at) if line.starts_with("from ") || line.starts_with("to ") || line.starts_with("| ") => {
                let end = line[at..].find([' ', ')']).map_or(line.len(), |end| at + end);
                format!("{} …\n", &line[..end])
            }
            _ => format!("{line}\n"),
        };
        text.lines().map(line).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Files on disk, and neither a cluster nor a registry that could be asked.
async fn run(line: &str, surroundings: Surroundings, terminals: Terminals) -> Ran {
    run_with(line, surroundings, terminals, Fake::default(), Arc::new(NoTools)).await
}

pub(super) async fn run_with(
    line: &str,
    surroundings: Surroundings,
    terminals: Terminals,
    fake: Fake,
    renderer: Arc<dyn Renderer>,
) -> Ran {
    let fake = Arc::new(Handle(Arc::new(fake)));
    let artifacts = Arc::new(OciRegistry::new(Settings::default()).unwrap());
    let ports = Ports { gateway: fake.clone(), registry: fake, artifacts, renderer };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = {
        let mut console = Console::new(&mut out, &mut err).on(terminals).within(surroundings);
        match args::parse(words(line)) {
            Ok(typed) => cli::run(&typed, &ports, &mut console).await,
            Err(error) => cli::explain(&error, &mut console),
        }
    };
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

async fn here(line: &str) -> Ran {
    run(line, Surroundings::default(), Terminals::default()).await
}

/// Compares with the file, or writes it if SNAPSHOTS=write.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/snapshots").join(name);
    if std::env::var_os("SNAPSHOTS").is_some_and(|word| word == "write") {
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{} differs (SNAPSHOTS=write takes it). Now:\n{text}", path.display());
}

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.acme.example
spec:
  group: acme.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - {name: v1alpha1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
";
const CRD_AFTER: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.acme.example
spec:
  group: acme.example
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
";

const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: main
        image: ghcr.io/acme/web:1.0.0
        args: [\"--level\", \"info\"]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: shop
data:
  app.conf: |
    listen 80
    name web
    log info
  level: \"3\"
";
const WEB_AFTER: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: main
        image: ghcr.io/acme/web:1.1.0
        args: [\"--level\", \"info\"]
      - name: side
        image: ghcr.io/acme/side:0.1.0
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
  namespace: shop
data:
  app.conf: |
    listen 80
    name web
    log debug
  level: 3
";

const SECRET: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
stringData:
  user: hunter2-user-one
  password: hunter2-password
  same: hunter2-same
";
const SECRET_AFTER: &str = "\
apiVersion: v1
kind: Secret
metadata:
  name: db
  namespace: shop
stringData:
  user: hunter2-user-two
  password: hunter2-other
  same: hunter2-same
  added: hunter2-added
";

const SERVICE: &str =
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: gone\n  namespace: shop\nspec:\n  clusterIP: None\n";
const FLOW: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain, namespace: shop}\ndata: {a: b}\n";
const BLOCK: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\n  namespace: shop\ndata:\n  a: b\n";

const FROM: [(&str, &str); 9] = [
    ("app.yaml", WEB),
    ("blob.bin", "\0\u{1}\u{2}"),
    ("broken.yaml", "a: b\n"),
    ("crds/widgets.yaml", CRD),
    ("logo.txt", "a logo, and more text that stays\n"),
    ("NOTES.md", "old notes\nkept\n"),
    ("plain.yaml", FLOW),
    ("secret.yaml", SECRET),
    ("service.yaml", SERVICE),
];
const TO: [(&str, &str); 9] = [
    ("app.yaml", WEB_AFTER),
    ("blob.bin", "\0\u{1}\u{2}\u{3}"),
    ("brand.txt", "a logo, and more text that stays\n"),
    ("broken.yaml", "a: [\n"),
    ("crds/widgets.yaml", CRD_AFTER),
    ("namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: new\n"),
    ("NOTES.md", "new notes\nkept\n"),
    ("plain.yaml", BLOCK),
    ("secret.yaml", SECRET_AFTER),
];

#[tokio::test]
async fn what_says_the_same_of_objects_of_one_name_says_of_which() {
    let one = |value: &str| {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: dups}}\nstringData: {{p: {value}}}\n")
    };
    let (from, to) = (one("a") + "---\n" + &one("b"), one("c") + "---\n" + &one("d"));
    let (old, new) = (one("e").replace("dups", "one"), one("f").replace("dups", "one"));
    let desk = Desk::with(&[("d.yaml", &from), ("o.yaml", &old)], &[("d.yaml", &to), ("o.yaml", &new)]);
    let ran = desk.diff("").await;
    for row in ["Secret dups: keys changed: p (d.yaml:1)\n", "Secret dups: keys changed: p (d.yaml:6)\n"] {
        assert!(ran.out.contains(row), "{row} is not in {}", ran.out);
    }
    assert!(ran.out.contains("Secret one: keys changed: p\n"), "{}", ran.out);
    let comment = desk.diff("-o markdown").await.out;
    assert!(comment.contains("p (d.yaml:1)") && comment.contains("p (d.yaml:6)"), "{comment}");
}

#[tokio::test]
async fn passwords_among_the_defaults_of_a_chart_are_masked_wherever_they_are_shown() {
    let values = |value: &str| format!("auth:\n  adminPassword: hunter2-{value}\n  user: {value}\n");
    let (from, to) = (values("one"), values("two"));
    let chart = "apiVersion: v2\nname: c\nversion: 1.0.0\n";
    let desk = Desk::with(
        &[("Chart.yaml", chart), ("values.yaml", &from), ("other.txt", &from)],
        &[("Chart.yaml", chart), ("values.yaml", &to), ("other.txt", &to)],
    );
    let ran = desk.diff("").await;
    let (own, other) = ran.out.split_once("values.yaml (").map_or(("", ""), |(before, own)| (own, before));
    assert!(
        own.contains("-   adminPassword: *** (before)\n") && own.contains("+   user: two"),
        "{}",
        ran.out
    );
    assert!(
        !own.contains("hunter2") && other.contains("auth.adminPassword (hidden) → (hidden)"),
        "{}",
        ran.out
    );
    assert!(
        other.contains("+   adminPassword: hunter2-two"),
        "no other file is judged by names: {}",
        ran.out
    );
    assert!(desk.diff("--reveal").await.out.contains("-   adminPassword: hunter2-one"));
}

#[tokio::test]
async fn every_kind_of_change_is_told_in_text() {
    let desk = Desk::rich();
    let ran = desk.diff("").await;
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    golden("diff.txt", &desk.plain(&ran.out));
    golden("diff-files.txt", &desk.plain(&desk.diff("--files").await.out));
}

#[tokio::test]
async fn every_kind_of_change_is_told_in_a_comment() {
    let desk = Desk::rich();
    let ran = desk.diff("-o markdown").await;
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    golden("diff.md", &desk.plain(&ran.out));
}

#[tokio::test]
async fn every_kind_of_change_is_told_to_scripts() {
    let desk = Desk::rich();
    let ran = desk.diff("-o json").await;
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let mut document = ran.json();
    let sides = document["sides"].take();
    assert_eq!((&sides["from"]["complete"], &sides["to"]["verified"]), (&json!(true), &json!(false)));
    golden(
        "diff.json",
        &(serde_json::to_string_pretty(&document).unwrap().replace(&desk.0.display().to_string(), "DESK")
            + "\n"),
    );
    let yaml: Value = serde_saphyr::from_str(&desk.diff("-o yaml").await.out).unwrap();
    assert_eq!(Value::Null, document["sides"]);
    document["sides"] = sides;
    assert_eq!(yaml, document);
}

#[tokio::test]
async fn the_document_holds_what_design_says() {
    let document = Desk::rich().diff("-o json").await.json();
    assert_eq!((&document["apiVersion"], &document["kind"]), (&json!("fluxscope/v1"), &json!("Diff")));
    assert_eq!((&document["tier"], &document["problem"]), (&json!("source"), &Value::Null));
    let files = &document["files"];
    assert_eq!(files["added"], json!(["namespace.yaml"]));
    assert_eq!(files["removed"], json!(["service.yaml"]));
    assert_eq!(files["renamed"], json!([{"from": "logo.txt", "to": "brand.txt"}]));
    assert_eq!(files["formattingOnly"], json!(["plain.yaml"]));
    let changed = |name: &str| {
        let objects = document["objects"].as_array().unwrap();
        objects.iter().find(|object| object["kind"] == name).unwrap().clone()
    };
    let deployment = changed("Deployment");
    assert_eq!(
        deployment["fields"][1],
        json!({"path": "spec.template.spec.containers[name=main].image", "change": "changed",
               "from": "ghcr.io/acme/web:1.0.0", "to": "ghcr.io/acme/web:1.1.0"})
    );
    let level = changed("ConfigMap")["fields"][1].clone();
    assert_eq!((&level["from"], &level["to"]), (&json!("3"), &json!(3)), "a string is no number");
    assert_eq!(
        changed("Secret")["fields"][0],
        json!({"path": "stringData.user", "change": "changed", "from": "*** (before)", "to": "*** (after)",
               "masked": true, "lengths": {"from": 16, "to": 16}})
    );
}

#[tokio::test]
async fn parts_can_be_left_out_in_every_format() {
    let desk = Desk::rich();
    for (option, there, gone) in
        [("--objects", "OBJECTS", "FILES"), ("--files", "FILES", "OBJECTS"), ("--impact", "tier", "OBJECTS")]
    {
        let text = desk.diff(option).await.out;
        assert!(text.contains(there) && !text.contains(gone), "{option}: {text}");
    }
    let keys = |document: Value| ["files", "objects", "impact"].map(|part| document.get(part).is_some());
    assert_eq!(keys(desk.diff("--files -o json").await.json()), [true, false, false]);
    assert_eq!(keys(desk.diff("--objects --impact -o json").await.json()), [false, true, true]);
    let comment = desk.diff("--objects -o markdown").await.out;
    assert!(comment.contains("#### Objects") && !comment.contains("#### Files"), "{comment}");
}

#[tokio::test]
async fn the_exit_code_tells_whether_it_differs() {
    let map = ("a.yaml", FLOW);
    let other = ("a.yaml", &*FLOW.replace("a: b", "a: c"));
    let code = async |from: &[(&str, &str)], to: &[(&str, &str)], options: &str| {
        Desk::with(from, to).diff(options).await.code
    };
    assert_eq!(code(&[map], &[map], "").await, 0);
    assert_eq!(code(&[map], &[other], "").await, 1);
    assert_eq!(code(&[map], &[("a.yaml", BLOCK)], "").await, 0, "formatting only is the same");
    assert_eq!(code(&[map], &[("a.yaml", BLOCK)], "--objects").await, 0);
    assert_eq!(code(&[map], &[("a.yaml", BLOCK)], "--files").await, 1, "but for --files");
    let (readme, edited) = (("README.md", "a\n"), ("README.md", "b\n"));
    assert_eq!(code(&[map, readme], &[map, edited], "").await, 1);
    assert_eq!(code(&[map, readme], &[map, edited], "--objects").await, 0, "no object differs");
    assert_eq!(code(&[], &[], "").await, 0);
}

#[tokio::test]
async fn objects_that_nobody_saw_are_not_called_the_same() {
    let map = ("a.yaml", FLOW);
    let kustomization = |line: &'static str| ("kustomization.yaml", line);
    let (chart, broken) = (("Chart.yaml", "{apiVersion: v2, name: a, version: 1.0.0}"), ("b.yaml", "a: [\n"));
    let ran = async |from: &[(&str, &str)], to: &[(&str, &str)], options: &str| {
        Desk::with(from, to).diff(options).await
    };
    for (from, to) in [
        ([map, broken], [map, ("b.yaml", "b: [\n")]),
        (
            [map, kustomization("resources: [a.yaml]")],
            [map, kustomization("{resources: [a.yaml], namePrefix: x-}")],
        ),
        ([chart, ("values.yaml", "a: 1")], [chart, ("values.yaml", "a: 2")]),
        ([chart, ("templates/a.yaml", "a: 1")], [chart, ("templates/a.yaml", "a: 2")]),
    ] {
        let asked = ran(&from, &to, "--objects").await;
        assert_eq!(asked.code, 2, "{from:?} {}", asked.out);
        assert!(asked.err.contains("files do that objects are made of"), "{}", asked.err);
        assert_eq!(ran(&from, &to, "--objects -o json").await.json()["same"], Value::Null);
        assert_eq!(ran(&from, &to, "").await.code, 1);
        assert_eq!(ran(&from, &from, "--objects").await.code, 0);
    }
    let both = [map, broken];
    assert_eq!(
        ran(&both, &[("a.yaml", BLOCK), broken], "--objects").await.code,
        0,
        "the broken one is the same"
    );
}

#[tokio::test]
async fn what_could_not_be_compared_is_2_and_a_problem_in_every_format() {
    let desk = Desk::with(&[("a.yaml", FLOW)], &[]);
    let line = |options: &str| format!("diff {0}/from {0}/nothing {options}", desk.0.display());
    for options in ["", "-o json", "-o yaml", "-o markdown"] {
        let ran = here(&line(options)).await;
        assert_eq!(ran.code, 2, "{options}");
        assert!(ran.err.contains("error: ") && ran.err.contains("No such file"), "{}", ran.err);
    }
    let document = here(&line("-o json")).await.json();
    assert_eq!((&document["kind"], &document["same"]), (&json!("Diff"), &Value::Null));
    assert!(document["problem"]["why"].as_str().unwrap().contains("No such file"));
    assert_eq!((&document["objects"], &document["tier"]), (&json!([]), &Value::Null));
    let comment = here(&line("-o markdown")).await.out;
    assert!(comment.starts_with("### Diff of ") && comment.contains("No such file"), "{comment}");
}

#[tokio::test]
async fn a_limit_is_never_taken_for_sameness() {
    let desk = Desk::with(&[("a.yaml", FLOW), ("b.yaml", SERVICE)], &[("a.yaml", FLOW), ("c.yaml", SERVICE)]);
    let settings = Settings {
        unpack: fluxscope::registry::unpack::Limits { entries: 1, ..Default::default() },
        ..Settings::default()
    };
    let fake = Arc::new(Handle(Arc::new(Fake::default())));
    let artifacts = Arc::new(OciRegistry::new(settings).unwrap());
    let ports = Ports { gateway: fake.clone(), registry: fake, artifacts, renderer: Arc::new(NoTools) };
    let ran = super::run_with(&ports, &desk.line("-o json")).await;
    let document = ran.json();
    assert_eq!((ran.code, &document["same"], &document["complete"]), (2, &Value::Null, &json!(false)));
    assert!(ran.err.contains("nothing differs in what was read, but not all was read"), "{}", ran.err);
    assert!(document["sides"]["from"]["notes"].to_string().contains("--max-entries"), "{document}");
}

#[tokio::test]
async fn usage_errors_say_what_to_type() {
    for (line, words) in [
        ("diff ./a", "required arguments were not provided"),
        ("diff a ./b", "alone names no artifact"),
        ("diff ./a ./b --consumer ocirepo/x", "OCIRepository applies nothing"),
        ("diff ./a ./b --consumer podinfo", "needs KIND/NAME"),
        ("diff ./a ./b --read-secrets", "--consumer"),
        ("diff ./a ./b --build", "--consumer"),
        ("diff ./a ./b --consumer ks/x --build --no-build", "cannot be used with"),
        ("diff ./a ./b -o table", "possible values: text, json, yaml, markdown"),
        ("diff ./a ks/b -A", "use -n instead of -A"),
        ("diff ./a ./b --consumer ks/x -A", "use -n instead of -A"),
    ] {
        let ran = here(line).await;
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.contains(words), "{line}: {}", ran.err);
    }
}

#[tokio::test]
async fn a_consumer_or_a_source_that_is_not_there_is_named() {
    let desk = Desk::with(&[("a.yaml", FLOW)], &[("a.yaml", BLOCK)]);
    let ran = desk.diff("--consumer ks/nobody -o json").await;
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("ks shop/nobody"), "{}", ran.err);
    assert!(ran.json()["problem"].to_string().contains("nobody"));
    let ran = here(&format!("diff ocirepo/nobody {}/to", desk.0.display())).await;
    assert!(ran.code == 2 && ran.err.contains("ocirepo shop/nobody: it does not exist"), "{}", ran.err);
}

#[tokio::test]
async fn the_value_of_a_secret_is_in_no_format_unless_it_is_asked_for() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  apiVersion: v1\n  metadata: {name: l}\n  data: {a: V}\n";
    let set = "apiVersion: a/v1\nkind: Set\nmetadata: {name: s}\nspec:\n  items:\n  - kind: Secret\n    data: {a: V}\n  text: |\n    \
               kind: Secret\n    stringData:\n      a: V\n";
    let template = "{{ if .Values.on }}\nkind: Secret\nstringData:\n  a: V\n{{ end }}\n";
    let chart = "apiVersion: v2\nname: c\nversion: 1.0.0\n";
    let with = |value: &str| {
        let files = [
            ("list.yaml", list),
            ("set.yaml", set),
            ("chart/templates/secret.yaml", template),
            ("chart/Chart.yaml", chart),
            ("broken-secret.yaml", "kind: Secret\ndata:\n  a: V\n  b: [\n"),
            ("notes.txt", "kind: Secret\ndata:\n  a: V\n"),
            (
                "kustomization.yaml",
                "secretGenerator:\n- name: g\n  envs: [db.env]\n  literals:\n  - p: V\npatches:\n- target: {kind: Secret}\n  \
                 patch: |\n    - op: replace\n      path: /data/a\n      value: V\n",
            ),
            ("db.env", "password: V\n"),
            ("anchor.yaml", "kind: Secret\napiVersion: v1\nmetadata: {name: e}\ndata:\n  a: *V\n"),
            ("number.yaml", "kind: Secret\napiVersion: v1\nmetadata: {name: i}\ndata:\n  a: !!int V\n"),
            ("binary.yaml", "kind: Secret\napiVersion: v1\nmetadata: {name: b}\nbinaryData:\n  a: V\n"),
            (
                "merged.yaml",
                "kind: Secret\napiVersion: v1\nmetadata: {name: m}\nbase: &b\n  a: V\nstringData:\n  <<: *b\n  c: d\n",
            ),
        ];
        let files = files.map(|(path, text)| (path, text.replace("!!int V", &format!("!!int {value}"))));
        let files = files.map(|(path, text)| (path, text.replace("*V", &format!("*{value}"))));
        files.map(|(path, text)| (path, text.replace(": V", &format!(": {value}"))))
    };
    let (from, to) = (with("hunter2-before"), with("hunter2-after"));
    let all = |files: &'static [(&'static str, &'static str)],
               own: &'_ [(&'static str, String)]|
     -> Vec<(&'static str, String)> {
        let files = files.iter().map(|(path, text)| (*path, (*text).to_owned()));
        files.chain(own.iter().cloned()).collect()
    };
    let (from, to) = (all(&FROM, &from), all(&TO, &to));
    let borrow = |files: &[(&'static str, String)]| -> Vec<(&'static str, &'static str)> {
        files.iter().map(|(path, text)| (*path, &*text.clone().leak())).collect()
    };
    let desk = Desk::with(&borrow(&from), &borrow(&to));
    let none = Desk::with(&[], &borrow(&to));
    for parts in ["", "--files", "--objects", "--impact"] {
        for format in ["text", "json", "yaml", "markdown"] {
            let options = format!("{parts} -o {format}");
            for desk in [&desk, &none] {
                let ran = desk.diff(&options).await;
                assert!(
                    !ran.out.contains("hunter2") && !ran.err.contains("hunter2"),
                    "{options}: {}",
                    ran.out
                );
                assert_eq!(ran.code, 1, "{options}: {}", ran.err);
            }
        }
        let given = desk.ran(parts, external("cat-all.sh"), Terminals::default()).await;
        assert!(!given.out.contains("hunter2"), "{}", given.out);
    }
    for format in ["text", "json", "markdown"] {
        let open = desk.diff(&format!("--reveal -o {format}")).await.out;
        assert!(open.contains("hunter2-user-two"), "{format}: {open}");
    }
}

#[tokio::test]
async fn what_sops_encrypted_again_is_a_short_change() {
    let long = |c: &str| {
        format!("ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]", c.repeat(60), c.repeat(44), c.repeat(24))
    };
    let secret = |c: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\nstringData:\n  a: {}\nsops:\n  mac: {}\n",
            long(c),
            long(c)
        )
    };
    let notes = |c: &str| format!("key: {}\n", long(c));
    let desk = Desk::with(
        &[("s.yaml", &secret("x")), ("notes.txt", &notes("x"))],
        &[("s.yaml", &secret("y")), ("notes.txt", &notes("y"))],
    );
    for options in ["", "--files"] {
        let text = desk.diff(options).await.out;
        assert!(text.contains("data:xxxxxxxx…]") && !text.contains(&"x".repeat(20)), "{options}: {text}");
    }
}

#[tokio::test]
async fn an_object_in_a_file_that_becomes_a_secret_is_not_shown_beside_it() {
    let kustomization = "secretGenerator:\n- name: s\n  files: [settings.yaml]\n";
    let settings = |token: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata: {{token: {token}}}\n")
    };
    let desk = Desk::with(
        &[("kustomization.yaml", kustomization), ("settings.yaml", &settings("hunter2-before"))],
        &[("kustomization.yaml", kustomization), ("settings.yaml", &settings("hunter2-after"))],
    );
    for options in ["", "--files", "--objects", "--impact", "-o json", "-o markdown"] {
        let ran = desk.diff(options).await;
        assert!(!ran.out.contains("hunter2"), "{options}: {}", ran.out);
    }
    let whole = desk.diff("").await;
    assert_eq!(whole.code, 1, "the file differs");
    assert!(
        whole
            .out
            .contains("its objects are not shown: a kustomization puts it, or may put it, into a Secret"),
        "{}",
        whole.out
    );
    assert_eq!(desk.diff("--objects").await.code, 2, "not the same: it was not shown");
}

#[tokio::test]
async fn nothing_from_outside_acts_on_whoever_reads_it() {
    let quoted = serde_json::to_string(HOSTILE).unwrap();
    let object = |value: &str| {
        format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {{\"name\": {quoted}}}, \"data\": {{{quoted}: {value}, \
                 \"b\": {quoted}}}}}"
        )
    };
    let broken = format!("a: [{HOSTILE}");
    let odd = "a\u{1b}[2J`````</details>@everyone.txt";
    let desk = Desk::with(
        &[("a.json", &object("\"1\"")), (odd, "a\n```\n"), ("b.yaml", "a: b\n")],
        &[("a.json", &object(&quoted)), (odd, "`````\nb\u{202e}\n</details>\n"), ("b.yaml", &broken)],
    );
    for parts in ["", "--files"] {
        for format in ["text", "json", "yaml", "markdown"] {
            let ran = desk.diff(&format!("{parts} -o {format}")).await;
            assert!(is_safe(&ran.out) && is_safe(&ran.err), "{format}: {:?}", ran.out);
        }
    }
    let comment = desk.diff("--files -o markdown").await.out;
    assert!(comment.contains("``````diff"), "the fence is longer than what is in it: {comment}");
    assert!(!comment.contains("<summary>changed: a\\x1b[2J`````</details>"), "{comment}");
    assert!(comment.contains("&lt;/details&gt;@&#8203;everyone"), "{comment}");
    let coloured = desk.diff("--files --color always").await.out.replace("\u{1b}[", "");
    assert!(is_safe(&coloured), "{coloured:?}");
}

#[tokio::test]
async fn a_comment_fits_and_says_what_does_not() {
    let files: Vec<(String, String, String)> = (0..900)
        .map(|number| {
            let map = |value: &str| {
                format!(
                    "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{number}}}\ndata:\n  a: {}\n",
                    value.repeat(60)
                )
            };
            (format!("{number}.yaml"), map("x"), map("y"))
        })
        .collect();
    let desk = Desk::with(
        &files.iter().map(|(path, from, _)| (path.as_str(), from.as_str())).collect::<Vec<_>>(),
        &files.iter().map(|(path, _, to)| (path.as_str(), to.as_str())).collect::<Vec<_>>(),
    );
    for parts in ["", "--files", "--objects"] {
        let comment = desk.diff(&format!("{parts} -o markdown")).await.out;
        assert!(comment.len() < 65_536, "{} bytes", comment.len());
        assert!(comment.contains(" more do not fit into a comment."), "{}", &comment[comment.len() - 200..]);
        assert_eq!(comment.matches("<details>").count(), comment.matches("</details>").count());
    }
    let text = desk.diff("").await.out;
    assert!(
        text.contains("900 changed, 0 same") && text.matches("~ changed").count() == 1800,
        "text is whole"
    );
}

#[tokio::test]
async fn colours_come_with_a_terminal_or_when_asked_for() {
    let desk = Desk::rich();
    let terminal = Terminals { out: true, err: false };
    let quiet = Surroundings { no_colour: true, ..Surroundings::default() };
    for (options, surroundings, terminals, colours) in [
        ("", Surroundings::default(), Terminals::default(), false),
        ("", Surroundings::default(), terminal, true),
        ("", quiet.clone(), terminal, false),
        ("--color never", Surroundings::default(), terminal, false),
        ("--color always", quiet, Terminals::default(), true),
        ("--color always -o markdown", Surroundings::default(), terminal, false),
    ] {
        let ran = desk.ran(options, surroundings, terminals).await;
        assert_eq!(ran.out.contains("\u{1b}["), colours, "{options}");
        let mut plain = ran.out.clone();
        for code in ["0", "1", "2", "7", "27", "31", "32", "33", "36", "1;31"] {
            plain = plain.replace(&format!("\u{1b}[{code}m"), "");
        }
        if !options.contains("markdown") {
            assert_eq!(plain, desk.diff("").await.out, "the words are the same: {options}");
        }
    }
}

/// A program beside the tests, called as `KUBECTL_EXTERNAL_DIFF`.
pub(super) fn external(program: &str) -> Surroundings {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/diff").join(program);
    assert!(path.exists(), "{}", path.display());
    Surroundings { external_diff: Some(path.display().to_string()), ..Surroundings::default() }
}

#[tokio::test]
async fn the_program_of_kubectl_gets_masked_files_and_its_code_is_ours() {
    let desk = Desk::rich();
    let ran = desk.ran("", external("cat-all.sh"), Terminals::default()).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("tier: source diff"), "{}", ran.err);
    assert!(ran.out.contains("mode drwx------") && ran.out.contains("file -rw-------"), "{}", ran.out);
    assert!(!ran.out.contains("file -rw-r"), "{}", ran.out);
    for name in [
        "FROM/apps.v1.Deployment.shop.web",
        "TO/v1.Namespace..new",
        "FROM/v1.Service.shop.gone",
        "TO/NOTES.md",
    ] {
        assert!(ran.out.contains(&format!("== {name}\n")), "{name}: {}", ran.out);
    }
    assert!(!ran.out.contains("== TO/v1.Service.shop.gone") && !ran.out.contains("plain"), "{}", ran.out);
    assert!(
        ran.out.contains("password: \"*** (before)\"") && ran.out.contains("same: \"***\""),
        "{}",
        ran.out
    );
    let place = ran.out.lines().find_map(|line| line.strip_prefix("place ")).unwrap();
    assert!(!Path::new(place).exists(), "{place} is gone afterwards");
    assert_eq!(desk.ran("--objects", external("exit-0.sh"), Terminals::default()).await.code, 0);
    let failed = desk.ran("", external("exit-3.sh"), Terminals::default()).await;
    assert!(failed.code == 2 && failed.err.contains("KUBECTL_EXTERNAL_DIFF"), "{}", failed.err);
    let missing = Surroundings { external_diff: Some("/no/such/program".into()), ..Surroundings::default() };
    let failed = desk.ran("", missing, Terminals::default()).await;
    assert!(failed.code == 2 && failed.err.contains("/no/such/program"), "{}", failed.err);
    let json = desk.ran("-o json", external("exit-3.sh"), Terminals::default()).await;
    assert_eq!((json.code, &json.json()["kind"]), (1, &json!("Diff")), "text only");
}

#[tokio::test]
async fn what_the_program_cannot_be_given_differs_all_the_same() {
    let desk = Desk::with(&[("a.yaml", FLOW), ("logo.bin", "\0a")], &[("a.yaml", FLOW), ("logo.bin", "\0b")]);
    let ran = desk.ran("", external("exit-0.sh"), Terminals::default()).await;
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("logo.bin differs, and is not given to the program"), "{}", ran.err);
    assert_eq!(desk.ran("--objects", external("exit-0.sh"), Terminals::default()).await.code, 0);
}

#[tokio::test]
async fn a_file_that_only_moved_is_not_said_to_differ_in_its_bytes() {
    for bytes in ["\0a\0b\0c", "some words\nand more\n"] {
        let desk =
            Desk::with(&[("a.yaml", FLOW), ("logo.bin", bytes)], &[("a.yaml", FLOW), ("mark.bin", bytes)]);
        let ran = desk.ran("", external("exit-0.sh"), Terminals::default()).await;
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(ran.err.contains("mark.bin was logo.bin: the same bytes"), "{}", ran.err);
        assert!(!ran.err.contains("not given"), "{}", ran.err);
        assert_eq!(
            desk.ran("", Surroundings::default(), Terminals::default()).await.code,
            1,
            "as without it"
        );
    }
}

#[tokio::test]
async fn a_file_that_only_became_executable_is_said_to_have_the_same_bytes() {
    for (name, words) in [
        ("run.sh", "run.sh is executable now, its bytes are the same"),
        ("start.sh", "start.sh was run.sh and is executable now: the same bytes"),
    ] {
        let script = "#!/bin/sh\necho some words and more\n";
        let desk = Desk::with(&[("a.yaml", FLOW), ("run.sh", script)], &[("a.yaml", FLOW), (name, script)]);
        fs::set_permissions(desk.0.join("to").join(name), fs::Permissions::from_mode(0o755)).unwrap();
        let ran = desk.ran("", external("exit-0.sh"), Terminals::default()).await;
        assert_eq!(ran.code, 1, "{}", ran.err);
        assert!(ran.err.contains(words) && !ran.err.contains("not read"), "{}", ran.err);
        fs::set_permissions(desk.0.join("to").join(name), fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(desk.0.join("from/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
        let ran = desk.ran("", external("exit-0.sh"), Terminals::default()).await;
        let words = words.replace("executable now", "not executable any more");
        assert!(ran.code == 1 && ran.err.contains(&words), "{}", ran.err);
    }
}

#[tokio::test]
async fn the_program_gets_the_options_that_kubectl_would_give_it() {
    let mut surroundings = external("arguments.sh");
    surroundings.external_diff.as_mut().unwrap().push_str(" -u --x=1 $(touch) a;b  last");
    let ran = Desk::rich().ran("", surroundings, Terminals::default()).await;
    let said: Vec<&str> = ran.out.lines().collect();
    assert!(said[0].ends_with("/FROM") && said[1].ends_with("/TO"), "{said:?}");
    assert_eq!(said[2..], ["-u", "--x=1", "last"]);
    assert!(ran.err.contains("$(touch) is left out") && ran.err.contains("a;b is left out"), "{}", ran.err);
}

#[tokio::test]
async fn a_folder_is_read_as_flux_would_pack_it() {
    let desk = Desk::with(
        &[
            ("a.yaml", FLOW),
            (".git/config", "one"),
            ("picture.png", "one"),
            (".sourceignore", "skipped/\n"),
            ("skipped/b.yaml", SERVICE),
        ],
        &[
            ("a.yaml", FLOW),
            (".git/config", "two"),
            ("picture.png", "two"),
            (".sourceignore", "skipped/\n"),
            ("skipped/b.yaml", SECRET),
        ],
    );
    symlink("/etc/hostname", desk.0.join("to/link.yaml")).unwrap();
    let ran = desk.diff("--files").await;
    assert_eq!(ran.code, 0, "{}", ran.out);
    fs::set_permissions(desk.0.join("to/a.yaml"), fs::Permissions::from_mode(0o755)).unwrap();
    let ran = desk.diff("--files").await;
    assert!(ran.code == 1 && ran.out.contains("executable now"), "{}", ran.out);
}

#[tokio::test]
async fn the_same_folder_is_the_same_and_says_why() {
    let desk = Desk::rich();
    let line = format!("diff {0}/from {0}/from", desk.0.display());
    let ran = here(&line).await;
    assert!(ran.code == 0 && ran.out.contains("both have the same content"), "{}", ran.out);
    assert!(ran.out.contains("objects   all the same\n"), "none was counted: {}", ran.out);
    let counts = here(&format!("{line} -o json")).await.json()["counts"]["objects"].clone();
    assert_eq!((&counts["changed"], &counts["same"]), (&json!(0), &Value::Null));
}
