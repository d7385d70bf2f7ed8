//! The rendering tools: what reaches them, what ends them, what is left behind; and the real ones, where they are built
//! (`tests/cluster/build helm kustomize`).

use super::lens::{consumer, file, side};
use fluxscope::{
    domain::{
        diff::Side,
        lens::{Config, ConfigKind, ConfigRef, Lens},
        problem::{Cause, Problem},
    },
    port::{Rendered, Renderer},
    render::{Limits, Tools},
};
use serde_json::json;
use std::{
    ffi::{OsStr, OsString},
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::time::timeout;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";
const BOUND: Duration = Duration::from_secs(20);

/// A folder with fake tools.
pub(crate) struct Bench(PathBuf);

impl Bench {
    pub(crate) fn new(tools: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("fluxscope-tools-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        for (name, script) in tools {
            let file = path.join(name);
            fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// `PATH`: these tools, and those of the system for the scripts.
    pub(crate) fn tools(&self, limits: Limits) -> Tools {
        let path = OsString::from(format!("{}:/usr/bin:/bin", self.0.display()));
        Tools::new(Some(&path)).with_limits(limits)
    }

    async fn render(&self, lens: Lens, files: Side) -> Result<Rendered, Problem> {
        let tools = self.tools(Limits { deadline: Duration::from_secs(10), ..Limits::default() });
        timeout(BOUND, tools.render(lens, files)).await.unwrap()
    }

    fn said(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_default()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn one() -> (Lens, Side) {
    (consumer("Kustomization", &json!({})), side(&[("a.yaml", MAP)]))
}

/// A kustomize that answers for its version, and otherwise does this.
fn kustomize(script: &str) -> String {
    format!("if [ \"$1\" = version ]; then echo v5.8.0; exit; fi\n{script}")
}

#[tokio::test]
async fn a_tool_knows_nothing_of_this_machine() {
    let bench = Bench::new(&[]);
    let out = bench.at("seen");
    let script = format!(
        "{{ env; echo \"args $*\"; echo \"stdin $(cat)\"; ls; stat -c 'mode %a' .. ; }} > {}",
        out.display()
    );
    let tools = Bench::new(&[("kustomize", &kustomize(&script))]);
    let (lens, files) = one();
    let rendered = tools.render(lens, files).await.unwrap();
    assert_eq!(rendered.by, "kustomize v5.8.0");
    let seen = bench.said("seen");
    let mut names: Vec<&str> =
        seen.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    names.sort_unstable();
    // those of the shell itself besides
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    assert_eq!(
        names,
        [
            "GIT_ALLOW_PROTOCOL",
            "GIT_TERMINAL_PROMPT",
            "HELM_CACHE_HOME",
            "HELM_CONFIG_HOME",
            "HELM_DATA_HOME",
            "HELM_NO_PLUGINS",
            "HOME",
            "LC_ALL",
            "PATH",
            "TMPDIR",
            "XDG_CACHE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
            "XDG_STATE_HOME",
        ]
    );
    for line in seen.lines().filter(|line| line.contains("HOME=") || line.starts_with("TMPDIR=")) {
        assert!(line.contains("/fluxscope-render-"), "{line}");
    }
    assert!(seen.contains("args build --load-restrictor LoadRestrictionsNone .\nstdin \na.yaml\nkustomization.yaml\nmode 700\n"), "{seen}");
    assert_gone(&seen);
}

/// The room that a tool was run in does not exist any more.
fn assert_gone(seen: &str) {
    let home = seen.lines().find_map(|line| line.strip_prefix("HOME=")).unwrap();
    let room = Path::new(home).parent().unwrap();
    assert!(room.file_name().unwrap().to_str().unwrap().starts_with("fluxscope-render-"));
    assert!(!room.exists(), "{} is left behind", room.display());
}

#[tokio::test]
async fn a_tool_that_fails_says_why_on_one_line_and_not_where() {
    let script = "printf 'Error: \\033[31mred\\n' >&2; echo \"in $PWD/a.yaml\" >&2; exit 3";
    let bench = Bench::new(&[("kustomize", &kustomize(script))]);
    let (lens, files) = one();
    let problem = bench.render(lens, files).await.unwrap_err();
    assert_eq!(problem.to_string(), "render ks shop/web: kustomize: Error: \\x1b[31mred; in a.yaml");
}

#[tokio::test]
async fn a_tool_that_quotes_a_secret_is_not_quoted() {
    let script = "cat *.yaml db.env >&2; ulimit -t >&2; exit 1";
    let bench = Bench::new(&[("kustomize", &kustomize(script))]);
    let overlay = "secretGenerator:\n- name: db\n  envs: [db.env]\n  literals: [hunter2]\n";
    let files = side(&[("kustomization.yaml", overlay), ("db.env", "password=hunter3\n")]);
    let problem = bench.render(consumer("Kustomization", &json!({})), files).await.unwrap_err();
    assert_eq!(problem.to_string(), "render ks shop/web: kustomize failed, and its words quote a Secret");
    let (lens, files) = one();
    let problem = bench.render(lens, files).await.unwrap_err();
    assert!(problem.why.contains("kind: ConfigMap"), "{problem}");
    // whoever is killed cannot end it
    assert!(cfg!(not(target_os = "linux")) || problem.why.ends_with("; 40"), "{problem}");
}

#[tokio::test]
async fn a_tool_that_warns_quotes_no_secret_either() {
    let script = "cat a.yaml; cat db.env >&2; true";
    let overlay = "resources: [a.yaml]\nsecretGenerator:\n- name: db\n  envs: [db.env]\n";
    let files = [("kustomization.yaml", overlay), ("a.yaml", MAP), ("db.env", "password=hunter3\n")];
    let quoting = |tool: &str| format!("{tool} says something that quotes a Secret");
    for (name, script) in [("kustomize", kustomize(script)), ("flux", in_folder(script))] {
        let bench = Bench::new(&[(name, &script)]);
        let rendered = bench.render(consumer("Kustomization", &json!({})), side(&files)).await.unwrap();
        assert_eq!((&*rendered.manifests, rendered.notes), (MAP.as_bytes(), vec![quoting(name)]));
        let open =
            [("kustomization.yaml", "resources: [a.yaml]\n"), ("a.yaml", MAP), ("db.env", "mode=plain\n")];
        let rendered = bench.render(consumer("Kustomization", &json!({})), side(&open)).await.unwrap();
        assert!(!rendered.notes.contains(&quoting(name)), "{:?}", rendered.notes);
    }
    let values = json!({"values": {"extra": {"kind": "Secret", "stringData": {"a": "hunter3"}}}});
    let bench = Bench::new(&[("helm", &kustomize("cat ../values.json >&2"))]);
    let rendered = bench.render(consumer("HelmRelease", &values), side(&[("c/Chart.yaml", "name: c")])).await;
    let notes = rendered.unwrap().notes;
    assert!(notes.contains(&quoting("helm")) && !notes.concat().contains("hunter3"), "{notes:?}");
}

const SECRET_TEMPLATE: &str = "{{- if .Values.token }}\napiVersion: v1\nkind: Secret\nmetadata:\n  \
    name: {{ include \"c.fullname\" . }}\n  labels: {{- include \"c.labels\" . | nindent 4 }}\ntype: Opaque\nstringData:\n  \
    password: hunter-literal-in-a-chart\n  \
    token: {{ required \"a token is required\" .Values.token | default \"hunter-by-default\" | b64enc | quote }}\n  \
    config.yaml: |\n    password: {{ .Values.password | toYaml }}\n    error: execution\n{{- end }}\n";

#[tokio::test]
async fn what_a_template_of_a_secret_says_by_itself_is_not_quoted() {
    let files = side(&[("c/Chart.yaml", "name: c"), ("c/templates/secret.yaml", SECRET_TEMPLATE)]);
    for quoting in [
        "cat templates/secret.yaml",
        "echo 'at <\"hunter-literal-in-...>: wrong type'",
        "echo 'unexpected \"hunter-by\"... in operand'",
    ] {
        let bench = Bench::new(&[("helm", &kustomize(&format!("{quoting} >&2; exit 1")))]);
        let problem = bench.render(consumer("HelmRelease", &json!({})), files.clone()).await.unwrap_err();
        assert_eq!(problem.why, "helm failed, and its words quote a Secret", "{quoting}");
        let bench = Bench::new(&[("helm", &kustomize(&format!("{quoting} >&2")))]);
        let rendered = bench.render(consumer("HelmRelease", &json!({})), files.clone()).await.unwrap();
        let notes = rendered.notes;
        assert!(notes.contains(&"helm says something that quotes a Secret".to_owned()), "{notes:?}");
    }
}

/// As Helm 4 says it.
#[tokio::test]
async fn what_helm_says_of_any_failure_stays_readable_beside_a_template_of_a_secret() {
    let files = side(&[("c/Chart.yaml", "name: c"), ("c/templates/secret.yaml", SECRET_TEMPLATE)]);
    for words in [
        "Error: execution error at (c/templates/secret.yaml:3:10): a token is required",
        "Error: template: c/templates/secret.yaml:4:11: executing \"c/templates/secret.yaml\" at <include \"c.fullname\" .>: error calling include: template: no template \"c.fullname\" associated with template \"gotpl\"",
        "Error: c/templates/secret.yaml:8:13: executing \"c/templates/secret.yaml\" at <.Values.password.token>: nil pointer evaluating interface {}.token",
        "Error: parse error at (c/templates/secret.yaml:7): function \"quotes\" not defined",
        "Error: YAML parse error on c/templates/secret.yaml: error converting YAML to JSON: yaml: line 5: could not find expected ':'",
        "Error: An error occurred while checking for chart dependencies. You may need to run `helm dependency build` to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: sub",
        "Error: values don't meet the specifications of the schema(s) in the following chart(s): c: - at '/size': got string, want integer",
    ] {
        let script = format!("cat >&2 <<'END'\n{words}\nEND\nexit 1");
        let bench = Bench::new(&[("helm", &kustomize(&script))]);
        let problem = bench.render(consumer("HelmRelease", &json!({})), files.clone()).await.unwrap_err();
        assert_eq!(problem.why, format!("helm: {words}"));
    }
}

/// A flux that does this where the files are.
fn in_folder(script: &str) -> String {
    format!(
        "if [ \"$1\" = --version ]; then echo flux version 2.6.0; exit; fi\n\
         while [ \"$1\" != --path ]; do shift; done; cd \"$2\" || exit 1\n{script}"
    )
}

#[tokio::test]
async fn what_a_tool_says_at_length_begins_with_a_whole_word() {
    let words = "word ".repeat(118);
    let script =
        format!("[ \"$1\" = version ] && echo v4.2.2 && exit; echo hunter2-secret {words} >&2; exit 1");
    let bench = Bench::new(&[("helm", &script)]);
    let mut lens = consumer("HelmRelease", &json!({"valuesFrom": [{"kind": "Secret", "name": "s"}]}));
    let config = ConfigRef { kind: ConfigKind::Secret, namespace: "shop".into(), name: "s".into() };
    lens.fill(&[(config, Ok(Config([("values.yaml".into(), b"a: hunter2-secret".to_vec())].into())))]);
    let problem = bench.render(lens, side(&[("c/Chart.yaml", "name: c")])).await.unwrap_err();
    assert!(problem.why.starts_with("helm: …word word"), "{problem}");
}

#[tokio::test]
async fn a_tool_that_takes_too_long_is_ended_with_all_that_it_started() {
    let bench = Bench::new(&[]);
    let note = bench.at("note");
    let script = format!("env > {0}.env; sh -c 'echo $$ > {0}; exec sleep 600' & sleep 600", note.display());
    let slow = Bench::new(&[("kustomize", &kustomize(&script))]);
    let tools = slow.tools(Limits { deadline: Duration::from_millis(700), ..Limits::default() });
    let (lens, files) = one();
    let problem = timeout(BOUND, tools.render(lens, files)).await.unwrap().unwrap_err();
    assert_eq!(problem.cause, Cause::Timeout);
    assert_eq!(problem.why, "kustomize: it was not ready within 0.7 s, and was ended");
    assert_ended(&bench.said("note")).await;
    assert_gone(&bench.said("note.env"));
}

#[tokio::test]
async fn nobody_who_waits_any_more_leaves_a_tool_running_or_a_file_behind() {
    let bench = Bench::new(&[]);
    let note = bench.at("note");
    let script =
        format!("env > {0}.env; echo $$ > {0}.part; mv {0}.part {0}; exec sleep 600", note.display());
    let slow = Bench::new(&[("kustomize", &kustomize(&script))]);
    let (lens, files) = one();
    let tools = slow.tools(Limits::default());
    tokio::select! {
        _ = tools.render(lens, files) => panic!("it cannot end"),
        () = until(|| note.exists()) => {}
    }
    assert_ended(&bench.said("note")).await;
    assert_gone(&bench.said("note.env"));
}

async fn until(is_so: impl Fn() -> bool) {
    let polled = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(BOUND, polled).await.expect("it did not come about");
}

/// The process is gone, or only its entry in the table is left.
async fn assert_ended(pid: &str) {
    let stat = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
    assert!(!pid.trim().is_empty());
    until(|| fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))).await;
}

#[tokio::test]
async fn a_tool_that_says_too_much_is_ended() {
    let bench = Bench::new(&[("kustomize", &kustomize("exec yes"))]);
    let tools = bench.tools(Limits { output: 1 << 20, ..Limits::default() });
    let (lens, files) = one();
    let problem = timeout(BOUND, tools.render(lens, files)).await.unwrap().unwrap_err();
    assert_eq!(problem.why, "kustomize: it wrote more than 1 MiB, and was ended");
}

#[tokio::test]
async fn complaints_without_end_keep_no_tool_from_ending() {
    let script =
        "head -c 3000000 /dev/zero | tr '\\0' 'x' >&2; echo '{apiVersion: v1, kind: A, metadata: {name: b}}'";
    let bench = Bench::new(&[("kustomize", &kustomize(script))]);
    let (lens, files) = one();
    let rendered = bench.render(lens, files).await.unwrap();
    assert_eq!(&rendered.manifests[..], b"{apiVersion: v1, kind: A, metadata: {name: b}}\n");
    assert!(rendered.notes[0].len() < 1000, "{}", rendered.notes[0].len());
}

#[tokio::test]
async fn what_is_refused_starts_no_tool() {
    let bench = Bench::new(&[]);
    let note = bench.at("note");
    let tools = Bench::new(&[("kustomize", &format!("echo > {}", note.display()))]);
    let lens = consumer("Kustomization", &json!({}));
    let files = side(&[("kustomization.yaml", "resources: [https://example.com/a.yaml]")]);
    let problem = tools.render(lens, files).await.unwrap_err();
    assert_eq!(problem.cause, Cause::Refused);
    assert!(!note.exists());
}

#[tokio::test]
async fn a_path_that_leads_out_is_never_written() {
    let bench = Bench::new(&[("helm", "echo")]);
    for path in ["c/../../../out.yaml", "c//x.yaml", "c/./x.yaml"] {
        let files = Side { files: vec![file("c/Chart.yaml", b"name: c"), file(path, b"")] };
        let problem = bench.render(consumer("HelmRelease", &json!({})), files).await.unwrap_err();
        assert_eq!(problem.cause, Cause::Refused, "{path}");
    }
}

#[tokio::test]
async fn tools_are_not_looked_for_where_the_program_was_started() {
    let tools = Tools::new(Some(OsStr::new(":.:bin")));
    let (lens, files) = one();
    let problem = tools.render(lens, files).await.unwrap_err();
    assert_eq!((problem.cause, &*problem.why), (Cause::NotFound, "neither kustomize nor flux is on PATH"));
    let problem = tools.render(consumer("HelmRelease", &json!({})), Side::default()).await.unwrap_err();
    assert_eq!(problem.why, "helm is not on PATH");
    let problem = tools.render(Lens::Whole, Side::default()).await.unwrap_err();
    assert_eq!(problem.cause, Cause::Usage);
}

#[tokio::test]
async fn flux_builds_where_there_is_no_kustomize() {
    let script = "if [ \"$1\" = --version ]; then echo 'flux version 2.7.1'; exit; fi\n\
                  echo \"args: $*\" | sed 's#/[^ ]*/fluxscope-render-[^/ ]*##g'\n\
                  while [ \"$1\" != --kustomization-file ]; do shift; done; cat $2";
    let bench = Bench::new(&[("flux", script)]);
    let path = OsString::from(format!("{}:/nowhere", bench.0.display()));
    // the scripts of this test need `sed` and `cat`: only those are beside flux
    for tool in ["sed", "cat"] {
        let found =
            ["/usr/bin", "/bin"].iter().map(|folder| Path::new(folder).join(tool)).find(|path| path.exists());
        std::os::unix::fs::symlink(found.unwrap(), bench.at(tool)).unwrap();
    }
    let lens = consumer("Kustomization", &json!({"path": "d", "postBuild": {"substitute": {"a": "b"}}}));
    let tools = Tools::new(Some(&path));
    let rendered = timeout(BOUND, tools.render(lens, side(&[("d/a.yaml", MAP)]))).await.unwrap().unwrap();
    assert_eq!(rendered.by, "flux v2.7.1");
    let said = String::from_utf8(rendered.manifests.to_vec()).unwrap();
    let (arguments, object) = said.split_once('\n').unwrap();
    assert_eq!(
        arguments,
        "args: build kustomization --dry-run --namespace shop --path /files/d --kustomization-file \
         /kustomization.json -- web"
    );
    assert!(!object.contains("postBuild") && object.contains("\"path\":\"./d\""), "{object}");
}

/// Both sides would look the same.
#[tokio::test]
async fn what_flux_hides_is_not_compared() {
    for mask in
        ["stringData: {a: '**SOPS**'}", "data: {a: KipTT1BTKio=}", "data: {a: eyJtYXNrIjoiKipTT1BTKioifQ==}"]
    {
        let script = format!("echo \"kind: Secret\"; echo \"{mask}\"");
        let bench = Bench::new(&[("flux", &script)]);
        let path = OsString::from(bench.0.display().to_string());
        let problem =
            timeout(BOUND, Tools::new(Some(&path)).render(one().0, one().1)).await.unwrap().unwrap_err();
        assert_eq!(problem.cause, Cause::Refused);
        assert_eq!(problem.why, "flux build hides what SOPS encrypted, and so whether that changed");
        assert!(problem.hint.unwrap().contains("kustomize"));
    }
}

/// Nothing is hidden in what only says the same words.
#[tokio::test]
async fn words_like_those_of_flux_outside_of_a_secret_keep_nothing_from_being_compared() {
    let head = |kind: &str| format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: a\n");
    let noted = "  annotations: {a: '**SOPS**'}\n";
    for manifests in [
        format!("{}data: {{a: '**SOPS**', b: KipTT1BTKio=}}\n", head("ConfigMap")),
        format!("{}{noted}stringData: {{a: open}}\n", head("Secret")),
        format!("{}stringData: {{a: open}}\n---\n{}{noted}", head("Secret"), head("ConfigMap")),
        format!("# **SOPS**\n{}stringData: {{a: open}}\n", head("Secret")),
    ] {
        let bench = Bench::new(&[]);
        let script = in_folder(&format!("cat {}", bench.at("built").display()));
        fs::write(bench.at("built"), &manifests).unwrap();
        let flux = Bench::new(&[("flux", &script)]);
        let (lens, files) = one();
        let rendered = flux.render(lens, files).await.unwrap();
        assert_eq!(&*rendered.manifests, manifests.as_bytes());
        assert_eq!(rendered.by, "flux v2.6.0");
    }
}

#[tokio::test]
async fn helm_is_asked_for_an_upgrade_of_this_release() {
    let script = "if [ \"$1\" = version ]; then echo v4.2.2+g1; exit; fi\n\
                  echo \"args: $*\" | sed 's#/[^ ]*/fluxscope-render-[^/ ]*##g'\n\
                  while [ \"$1\" != --values ]; do shift; done; cat $2";
    let bench = Bench::new(&[("helm", script)]);
    let lens = consumer(
        "HelmRelease",
        &json!({
            "releaseName": "own", "targetNamespace": "apps", "values": {"a": 1}, "upgrade": {"crds": "CreateReplace"},
            "commonMetadata": {"labels": {"a": "b"}},
        }),
    );
    let rendered = bench.render(lens, side(&[("c/Chart.yaml", "name: c")])).await.unwrap();
    let said = String::from_utf8(rendered.manifests.to_vec()).unwrap();
    assert_eq!(
        said,
        "args: template --is-upgrade --namespace apps --values /values.json --include-crds -- own .\n{\"a\":1}\n"
    );
    assert_eq!(rendered.by, "helm v4.2.2");
    assert!(
        rendered.notes.iter().any(|note| note.contains("commonMetadata are not applied")),
        "{:?}",
        rendered.notes
    );
}

// ---- the real ones

/// Folders of the tools that `tests/cluster/build` made.
fn real() -> Option<Tools> {
    let cache = std::env::var_os("FLUXSCOPE_PARTS_CACHE").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/fluxscope/parts"),
        PathBuf::from,
    );
    let built = |name: &str| {
        let entries = fs::read_dir(&cache).ok()?.flatten().map(|entry| entry.path());
        let hash = |path: &PathBuf| {
            path.file_name()?.to_str()?.strip_prefix(name)?.strip_prefix('-').map(str::to_owned)
        };
        entries
            .filter(|path| hash(path).is_some_and(|hash| !hash.contains('-')) && path.join(name).is_file())
            .max_by_key(|path| path.metadata().and_then(|file| file.modified()).ok())
    };
    let (Some(helm), Some(kustomize)) = (built("helm"), built("kustomize")) else {
        println!("skipped: helm and kustomize are not built (tests/cluster/build helm kustomize)");
        return None;
    };
    Some(Tools::new(Some(&std::env::join_paths([helm, kustomize]).unwrap())))
}

/// The files of an archive of ../shared/data.
fn archive(path: &str) -> Option<Side> {
    let Ok(bytes) = fs::File::open(Path::new("../shared/data").join(path)) else {
        println!("skipped: ../shared/data is not here");
        return None;
    };
    let mut archive = tar::Archive::new(flate2::read::MultiGzDecoder::new(bytes));
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path().unwrap().to_string_lossy().trim_start_matches("./").to_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push(file(&path, &bytes));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Some(Side { files })
}

/// `Kind namespace/name` of every object, in the order of the stream.
fn names(manifests: &[u8]) -> Vec<String> {
    let documents: Vec<serde_json::Value> =
        serde_saphyr::from_multiple(std::str::from_utf8(manifests).unwrap()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    documents
        .iter()
        .filter(|document| !document.is_null())
        .map(|it| {
            format!(
                "{} {}/{}",
                text(&it["kind"]),
                text(&it["metadata"]["namespace"]),
                text(&it["metadata"]["name"])
            )
        })
        .collect()
}

#[tokio::test]
async fn kustomize_renders_podinfo_as_its_kustomization_wants_it() {
    let (Some(tools), Some(files)) = (real(), archive("podinfo/manifests/6.9.4.tar.gz")) else { return };
    let lens = consumer(
        "Kustomization",
        &json!({
            "path": "./", "targetNamespace": "apps", "namePrefix": "my-",
            "images": [{"name": "ghcr.io/stefanprodan/podinfo", "newTag": "9.9.9"}],
            "patches": [{"patch": "- op: add\n  path: /spec/replicas\n  value: 7\n", "target": {"kind": "Deployment"}}],
            "commonMetadata": {"labels": {"team": "shop"}, "annotations": {"note": "x"}},
        }),
    );
    let rendered = timeout(BOUND, tools.render(lens, files)).await.unwrap().unwrap();
    assert_eq!(rendered.by, "kustomize v5.8.1");
    assert_eq!(
        names(&rendered.manifests),
        ["Service apps/my-podinfo", "Deployment apps/my-podinfo", "HorizontalPodAutoscaler apps/my-podinfo",]
    );
    let text = String::from_utf8(rendered.manifests.to_vec()).unwrap();
    assert!(text.contains("ghcr.io/stefanprodan/podinfo:9.9.9") && text.contains("replicas: 7"), "{text}");
    assert_eq!(text.matches("team: shop").count(), 3, "labels of the objects, not of their pods");
    assert_eq!(text.matches("note: x").count(), 3);
}

#[tokio::test]
async fn helm_renders_the_chart_of_podinfo_with_the_values_of_its_release() {
    let (Some(tools), Some(files)) = (real(), archive("podinfo/charts/podinfo-6.9.4.tgz")) else { return };
    let lens = consumer(
        "HelmRelease",
        &json!({
            "targetNamespace": "apps", "values": {"replicaCount": 3, "ingress": {"enabled": true}},
            "postRenderers": [{"kustomize": {"images": [{"name": "ghcr.io/stefanprodan/podinfo", "newTag": "8.8.8"}]}}],
            "commonMetadata": {"labels": {"team": "shop"}},
        }),
    );
    let rendered = timeout(BOUND, tools.render(lens, files)).await.unwrap().unwrap();
    assert_eq!(rendered.by, "helm v4.2.2 and kustomize v5.8.1");
    let names = names(&rendered.manifests);
    assert!(names.contains(&"Deployment apps/apps-web-podinfo".to_owned()), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("Ingress ")), "{names:?}");
    assert!(names.iter().all(|name| !name.contains("test")), "{names:?}");
    let text = String::from_utf8(rendered.manifests.to_vec()).unwrap();
    assert!(
        text.contains("podinfo:8.8.8") && text.contains("replicas: 3") && text.contains("team: shop"),
        "{text}"
    );
}

#[tokio::test]
async fn a_chart_that_fails_says_what_helm_says() {
    let Some(tools) = real() else { return };
    let files = side(&[
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("c/templates/a.yaml", "{{ fail \"no\" }}"),
    ]);
    let problem =
        timeout(BOUND, tools.render(consumer("HelmRelease", &json!({})), files)).await.unwrap().unwrap_err();
    assert!(problem.why.starts_with("helm: ") && problem.why.contains("no"), "{}", problem.why);
}

/// One mistake after the other in a chart with a Secret: Helm's own words stay readable and quote no value of it.
#[tokio::test]
async fn a_template_of_a_secret_that_fails_says_why_and_not_what() {
    let Some(tools) = real() else { return };
    for (line, words) in [
        ("{{ include \"c.none\" . }}", Some("error calling include")),
        ("{{ .Values.a.b.c }}", Some("nil pointer evaluating")),
        ("{{ required \"a token is required\" .Values.token }}", Some("a token is required")),
        ("{{ quotes .Values.token }}", Some("\"quotes\" not defined")),
        ("{{ if }}", Some("missing value for if")),
        ("{{ index .Values.list 3 }}", Some("error calling index")),
        ("- {", Some("YAML parse error")),
        ("{{ \"hunter-literal\" 5 }}", None),
        ("{{ int64 5 | substr 1 \"hunter-literal\" }}", None),
        ("{{ fromJson \"hunter-literal\" | get \"a\" }}", None),
    ] {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: {{{{ .Release.Name }}}}\nstringData:\n  \
             token: {{{{ .Values.token | default \"hunter-default\" | quote }}}}\n  password: hunter-password\n  \
             wrong: {line}\n"
        );
        let files = side(&[
            ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
            ("c/templates/secret.yaml", &secret),
        ]);
        let made = tools.render(consumer("HelmRelease", &json!({})), files);
        let problem = timeout(BOUND, made).await.unwrap().unwrap_err();
        assert!(!problem.why.contains("hunter"), "{line}: {}", problem.why);
        assert!(words.is_none_or(|words| problem.why.contains(words)), "{line}: {}", problem.why);
    }
}

#[tokio::test]
async fn a_dependency_that_is_not_in_the_chart_is_not_fetched() {
    let Some(tools) = real() else { return };
    let chart = "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n- name: sub\n  version: 1.x\n  repository: https://charts.example.com\n";
    let made = tools.render(consumer("HelmRelease", &json!({})), side(&[("c/Chart.yaml", chart)]));
    let problem = timeout(BOUND, made).await.unwrap().unwrap_err();
    assert!(problem.why.contains("missing in charts/ directory: sub"), "{}", problem.why);
}

#[tokio::test]
async fn a_schema_that_the_values_break_is_told() {
    let Some(tools) = real() else { return };
    let files = side(&[
        ("c/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n"),
        ("c/values.schema.json", "{\"properties\": {\"size\": {\"type\": \"integer\"}}}"),
    ]);
    let lens = consumer("HelmRelease", &json!({"values": {"size": "large"}}));
    let problem = timeout(BOUND, tools.render(lens, files)).await.unwrap().unwrap_err();
    assert!(problem.why.contains("size"), "{}", problem.why);
}
