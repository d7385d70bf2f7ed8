//! The cluster that the suite runs on: objects go in, what the controllers made of them comes out.

use crate::api::{Answer, Api, ClusterEnv};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant, SystemTime},
};
use tokio::runtime::Runtime;

/// How long controllers may take for anything; after an outage their own back-off alone is up to a minute.
const PATIENCE: Duration = Duration::from_secs(120);

static ENV: LazyLock<ClusterEnv> = LazyLock::new(|| ClusterEnv::find().unwrap_or_else(|why| panic!("{why}")));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
static API: LazyLock<Api> = LazyLock::new(|| Api::admin(env()).unwrap_or_else(|why| panic!("{why}")));
/// Tests read, the one that takes the API server away writes: it never disturbs the others.
static SERVER: RwLock<()> = RwLock::new(());

pub fn env() -> &'static ClusterEnv {
    &ENV
}

/// Asks until there is an answer. The one place that sleeps: controllers work at their own pace, and all that
/// Kubernetes offers a bystander is to look again.
#[expect(
    clippy::disallowed_methods,
    reason = "waits for real controllers, bounded, with the last word on failure"
)]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(why) if Instant::now() > deadline => panic!("never: {what}\n{why}"),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// A kind, as far as its path goes.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    group: &'static str,
    version: &'static str,
    pub name: &'static str,
    plural: &'static str,
}

pub const OCI_REPOSITORY: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "OCIRepository",
    plural: "ocirepositories",
};
pub const HELM_REPOSITORY: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "HelmRepository",
    plural: "helmrepositories",
};
pub const HELM_CHART: Kind =
    Kind { group: "source.toolkit.fluxcd.io", version: "v1", name: "HelmChart", plural: "helmcharts" };
pub const KUSTOMIZATION: Kind = Kind {
    group: "kustomize.toolkit.fluxcd.io",
    version: "v1",
    name: "Kustomization",
    plural: "kustomizations",
};
pub const HELM_RELEASE: Kind =
    Kind { group: "helm.toolkit.fluxcd.io", version: "v2", name: "HelmRelease", plural: "helmreleases" };

impl Kind {
    fn api_version(self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    fn path(self, namespace: &str) -> String {
        format!("/apis/{}/namespaces/{namespace}/{}", self.api_version(), self.plural)
    }
}

/// Alone with the cluster: waits until no other test has a place in it.
pub struct Alone {
    _guard: RwLockWriteGuard<'static, ()>,
}

pub fn alone() -> Alone {
    Alone { _guard: SERVER.write().unwrap_or_else(PoisonError::into_inner) }
}

/// One test's place: a namespace and a prefix for repositories of its own. Its Flux objects go when it goes; the
/// namespace stays, since nobody here collects namespaces. A test has one place at most, or waits for itself.
pub struct Place {
    pub namespace: String,
    /// Other namespaces that hold objects of this place.
    pub annexes: Vec<String>,
    repositories: String,
    _guard: Option<RwLockReadGuard<'static, ()>>,
}

impl Place {
    pub fn new(name: &str) -> Self {
        Self::of(name, Some(SERVER.read().unwrap_or_else(PoisonError::into_inner)))
    }

    pub fn alone(name: &str, _alone: &Alone) -> Self {
        Self::of(name, None)
    }

    fn of(name: &str, guard: Option<RwLockReadGuard<'static, ()>>) -> Self {
        let namespace = format!("suite-{}-{name}", run());
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}});
        accepted(&block(API.apply(&format!("/api/v1/namespaces/{namespace}"), &body)), "a namespace");
        Self { repositories: namespace.clone(), namespace, annexes: Vec::new(), _guard: guard }
    }

    /// The same place, with its objects in a namespace that is there already.
    pub fn within(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// `HOST:PORT/REPOSITORY` in the named registry of the cluster.
    pub fn repository(&self, registry: &str, name: &str) -> String {
        format!("{}/{}/{name}", env().get(registry), self.repositories)
    }

    pub fn apply(&self, kind: Kind, name: &str, spec: &Value) {
        let body = object(kind, &self.namespace, name, spec);
        let path = format!("{}/{name}", kind.path(&self.namespace));
        accepted(&block(API.apply(&path, &body)), &path);
    }

    pub fn merge(&self, kind: Kind, name: &str, change: &Value) {
        let path = format!("{}/{name}", kind.path(&self.namespace));
        accepted(&block(API.merge(&path, change)), &path);
    }

    /// The object as it is now, or why there is none.
    pub fn object(&self, kind: Kind, name: &str) -> Result<Value, String> {
        read(&format!("{}/{name}", kind.path(&self.namespace)))
    }

    /// A ConfigMap or a Secret of these contents.
    pub fn configure(&self, kind: &str, name: &str, contents: &Value) {
        let mut body = contents.clone();
        body["apiVersion"] = json!("v1");
        body["kind"] = json!(kind);
        body["metadata"] = json!({"name": name, "namespace": self.namespace});
        let plural = format!("{}s", kind.to_ascii_lowercase());
        let path = format!("/api/v1/namespaces/{}/{plural}/{name}", self.namespace);
        accepted(&block(API.apply(&path, &body)), &path);
    }

    /// Deletes, and waits until the finalizers are through.
    pub fn delete(&self, kind: Kind, name: &str) {
        let path = format!("{}/{name}", kind.path(&self.namespace));
        accepted(&block(API.delete(&path)), &path);
        eventually(&format!("{path} goes"), || match block(API.get(&path))?.code {
            404 => Ok(()),
            code => Err(format!("still {code}")),
        });
    }

    /// Waits until the controller has said True about the present generation.
    pub fn await_ready(&self, kind: Kind, name: &str) -> Value {
        self.await_condition(kind, name, "True")
    }

    pub fn await_failed(&self, kind: Kind, name: &str) -> Value {
        self.await_condition(kind, name, "False")
    }

    fn await_condition(&self, kind: Kind, name: &str, status: &str) -> Value {
        eventually(&format!("{} {name}: Ready={status}", kind.name), || {
            let object = self.object(kind, name)?;
            let ready = condition(&object, "Ready").cloned().unwrap_or_default();
            let generation = &object["metadata"]["generation"];
            // controllers write their conditions first and the rest of the status behind them; a failure leaves it old
            let written = status == "False" || object["status"]["observedGeneration"] == *generation;
            let current = ready["observedGeneration"] == *generation && written;
            if current && ready["status"] == status { Ok(object) } else { Err(object["status"].to_string()) }
        })
    }

    /// Waits until the object is ready with a revision of this digest.
    pub fn await_holds(&self, kind: Kind, name: &str, digest: &str) -> Value {
        eventually(&format!("{} {name} holds {digest}", kind.name), || {
            let object = self.object(kind, name)?;
            let status = &object["status"];
            let held = [
                &status["artifact"]["revision"],
                &status["lastAppliedRevision"],
                &status["lastAttemptedRevisionDigest"],
            ];
            let holds = held.into_iter().any(|text| text.as_str().is_some_and(|text| text.ends_with(digest)));
            let ready = condition(&object, "Ready").is_some_and(|ready| ready["status"] == "True");
            if holds && ready { Ok(object) } else { Err(status.to_string()) }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for namespace in self.annexes.iter().chain([&self.namespace]) {
            for kind in [HELM_RELEASE, KUSTOMIZATION, HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY] {
                let _ = block(API.delete(&kind.path(namespace)));
            }
        }
    }
}

pub fn object(kind: Kind, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": kind.api_version(),
        "kind": kind.name,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    })
}

pub fn condition<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == name)
}

/// The annotation that a reconcile sets, if anybody ever asked for one.
pub fn requested_at(object: &Value) -> Option<&str> {
    object["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].as_str()
}

/// Pushes with `tests/cluster/push`; what it prints is the digest.
pub fn push(arguments: &[&str]) -> String {
    script("push", arguments).trim().to_owned()
}

pub fn api_server(verb: &str) {
    script("apiserver", &[verb, env().dir.to_str().expect("a folder with a plain name")]);
}

fn script(name: &str, arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster").join(name);
    let output = Command::new(script).args(arguments).output().expect("a script of ours starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {}: {said}", arguments.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A folder of this run, emptied by nobody but the operating system.
pub fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("fluxscope-suite-{}", run())).join(name);
    std::fs::create_dir_all(&dir).expect("a temporary folder");
    dir
}

/// Four letters that tell this run from the ones before it on the same cluster.
fn run() -> &'static str {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock after 1970");
        format!("{:04x}", (since.as_millis() / 100) & 0xffff)
    });
    &RUN
}

fn read(path: &str) -> Result<Value, String> {
    let answer = block(API.get(path))?;
    if answer.code == 200 { Ok(answer.json()) } else { Err(format!("{path}: {}", answer.code)) }
}

/// What stands at this path of the API; None: nothing.
pub fn standing(path: &str) -> Option<Value> {
    let answer = block(API.get(path)).unwrap_or_else(|why| panic!("{path}: {why}"));
    match answer.code {
        200 => Some(answer.json()),
        404 => None,
        code => panic!("{path}: {code} {}", String::from_utf8_lossy(&answer.body)),
    }
}

fn accepted(answer: &Result<Answer, String>, what: &str) {
    match answer {
        Ok(answer) if answer.code < 300 => {}
        Ok(answer) => panic!("{what}: {} {}", answer.code, String::from_utf8_lossy(&answer.body)),
        Err(why) => panic!("{what}: {why}"),
    }
}

fn block<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}
