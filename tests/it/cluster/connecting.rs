//! Ways into a cluster: kubeconfig files as kubectl reads them, and login helpers.

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode};
use fluxscope::{
    cluster::{Environment, KubeGateway, Options},
    domain::problem::{Cause, Problem},
    port::Gateway,
};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("fluxscope-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn kubeconfig(context: &str, server: &str, user: &str) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: {context}
clusters:
- name: {context}
  cluster: {{server: \"{server}\"}}
contexts:
- name: {context}
  context: {{cluster: {context}, user: {context}, namespace: team-{context}}}
users:
- name: {context}
  user: {user}
"
    )
}

fn gateway(kubeconfig: Option<&Path>) -> KubeGateway {
    KubeGateway::new(Options { kubeconfig: kubeconfig.map(Path::to_owned), ..Options::default() })
}

async fn refusal(gateway: KubeGateway, context: Option<&str>) -> Problem {
    gateway.connect(context.map(str::to_owned)).await.err().unwrap()
}

#[tokio::test]
async fn the_files_of_kubeconfig_are_merged_and_missing_ones_skipped() {
    let folder = Folder::new("merge");
    let one = folder.write("one", &kubeconfig("one", "https://127.0.0.1:1", "{}"));
    let two = folder.write("two", &kubeconfig("two", "https://127.0.0.1:2", "{}"));
    let list = std::env::join_paths([one, folder.0.join("missing"), two]).unwrap();
    let environment = Environment { kubeconfig: Some(list), ..Environment::default() };
    let gateway = KubeGateway::new(Options { environment, ..Options::default() });
    assert_eq!(gateway.contexts().await.unwrap(), ["one", "two"]);
    let about = gateway.connect(Some("two".to_owned())).await.unwrap().about();
    assert_eq!((about.context.as_str(), about.namespace.as_str()), ("two", "team-two"));
    assert_eq!(about.server, "https://127.0.0.1:2");
    assert_eq!(gateway.connect(None).await.unwrap().about().context, "one");
}

#[tokio::test]
async fn no_kubeconfig_says_where_it_was_looked_for_and_what_to_do() {
    let folder = Folder::new("none");
    let environment = Environment { home: Some(folder.0.clone()), ..Environment::default() };
    let problem = refusal(KubeGateway::new(Options { environment, ..Options::default() }), None).await;
    assert_eq!(problem.cause, Cause::Usage);
    assert!(problem.why.contains(".kube") && problem.hint.unwrap().contains("--kubeconfig"));
}

#[tokio::test]
async fn a_wrong_context_lists_those_that_there_are() {
    let folder = Folder::new("wrong");
    let file = folder.write("config", &kubeconfig("prod", "https://127.0.0.1:1", "{}"));
    let problem = refusal(gateway(Some(&file)), Some("pord")).await;
    assert_eq!(problem.cause, Cause::NotFound);
    assert!(problem.why.contains("pord") && problem.hint.unwrap().contains("prod"));
}

#[tokio::test]
async fn a_file_that_is_no_kubeconfig_is_named_and_its_content_is_not_repeated() {
    let folder = Folder::new("broken");
    let file = folder.write("config", "users:\n- token: [hunter2\n: {{{");
    let problem = refusal(gateway(Some(&file)), None).await;
    assert!(problem.why.contains("is not a kubeconfig"), "{problem}");
    assert!(!problem.to_string().contains("hunter2"), "{problem}");
    let missing = refusal(gateway(Some(&folder.0.join("missing"))), None).await;
    assert!(missing.why.contains("missing"), "{missing}");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_told_apart() {
    let folder = Folder::new("unreachable");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = folder.write("config", &kubeconfig("prod", &format!("http://{free}"), "{}"));
    let cluster = gateway(Some(&file)).connect(None).await.unwrap();
    let problem = cluster.namespaces().await.unwrap_err();
    assert_eq!(problem.cause, Cause::Unreachable, "{problem}");
}

#[tokio::test]
async fn groups_without_a_user_are_refused() {
    let options = Options { impersonate_groups: vec!["ops".to_owned()], ..Options::default() };
    assert!(refusal(KubeGateway::new(options), None).await.why.contains("--as"));
}

#[tokio::test]
async fn a_login_helper_that_is_missing_or_fails_says_so_in_its_own_words() {
    let folder = Folder::new("helper");
    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-helper-here, \
                installHint: brew install it}}";
    let file = folder.write("missing", &kubeconfig("prod", "https://127.0.0.1:1", exec));
    let problem = refusal(gateway(Some(&file)), None).await;
    assert_eq!(problem.cause, Cause::Unauthorized);
    assert!(problem.why.contains("not installed"), "{problem}");
    assert_eq!(problem.hint.as_deref(), Some("brew install it"));

    let exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, interactiveMode: Always, \
                args: [-c, 'read line; echo \"token expired\" >&2; exit 3']}}";
    let file = folder.write("failing", &kubeconfig("prod", "https://127.0.0.1:1", exec));
    let problem = refusal(gateway(Some(&file)), None).await;
    assert!(problem.why.contains("token expired"), "nothing on stdin, so it ends: {problem}");
}

#[tokio::test]
async fn a_login_helper_is_a_process_group_of_its_own_and_may_talk_too_much() {
    let folder = Folder::new("group");
    let seen = folder.0.join("seen");
    let script = format!(
        "ps -o pgid= -p $$ | tr -d ' ' > {0}; echo $$ >> {0}; yes chatter | head -c 3000000 >&2; \
         printf '{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"t\"}}}}'; yes '' | head -c 3000000",
        seen.display()
    );
    let exec = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, {}]}}}}",
        serde_json::Value::from(script)
    );
    let file = folder.write("config", &kubeconfig("prod", "https://127.0.0.1:1", &exec));
    gateway(Some(&file)).connect(None).await.unwrap();
    let seen = std::fs::read_to_string(seen).unwrap();
    let mut lines = seen.lines();
    assert_eq!(lines.next(), lines.next(), "it leads a group, so our terminal is not its to read");
}

/// Answers whom it has let in, and sends everybody away once who comes with the first token.
async fn namespaces(State(asked): State<Arc<AtomicUsize>>, headers: HeaderMap) -> (StatusCode, String) {
    asked.fetch_add(1, Ordering::SeqCst);
    match headers.get("authorization").and_then(|value| value.to_str().ok()) {
        Some("Bearer login-2") => {
            let user = headers.get("impersonate-user").map_or("", |value| value.to_str().unwrap());
            let body = serde_json::json!({"items": [{"metadata": {"name": format!("seen-{user}")}}], "metadata": {}});
            (StatusCode::OK, body.to_string())
        }
        _ => {
            (StatusCode::UNAUTHORIZED, r#"{"kind":"Status","code":401,"message":"Unauthorized"}"#.to_owned())
        }
    }
}

#[tokio::test]
async fn a_refused_login_is_renewed_once_by_its_helper() {
    let asked = Arc::new(AtomicUsize::new(0));
    let router = Router::new().fallback(namespaces).with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await });
    let folder = Folder::new("renew");
    let count = folder.0.join("count");
    let script = format!(
        "echo x >> {0}; n=$(wc -l < {0} | tr -d ' '); \
         printf '{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"login-%s\"}}}}' $n",
        count.display()
    );
    let exec = format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, {}]}}}}",
        serde_json::Value::from(script)
    );
    let file = folder.write("config", &kubeconfig("prod", &server, &exec));
    let options =
        Options { kubeconfig: Some(file), impersonate: Some("jane".to_owned()), ..Options::default() };
    let cluster = KubeGateway::new(options).connect(None).await.unwrap();
    assert_eq!(cluster.namespaces().await.unwrap(), ["seen-jane"]);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "refused once, then let in");
    assert_eq!(cluster.namespaces().await.unwrap(), ["seen-jane"]);
    assert_eq!(std::fs::read_to_string(count).unwrap().lines().count(), 2, "the helper ran twice");
}
