//! Who we are to the API server: a client, and the login helper that renews it. Helpers run as processes of their own
//! with nothing on stdin, and are ended at a deadline; they never hold a thread of ours.

use super::ask::{capped, failed};
use crate::domain::{
    Timestamp,
    problem::{Cause, Problem},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use kube::{
    Client, Config,
    config::{AuthInfo, ExecConfig},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

/// A browser login takes a person's time; a hung helper must end all the same.
const LOGIN_DEADLINE: Duration = Duration::from_secs(60);

/// Renewed this long before it would expire.
const EARLY: Duration = Duration::from_secs(20);

/// A token, or a certificate with its chain and key.
const LONGEST_CREDENTIAL: u64 = 1 << 20;

const LONGEST_COMPLAINT: u64 = 64 << 10;

/// A client whose login may have to be renewed.
pub(super) struct Access {
    current: Mutex<Current>,
    helper: Option<Helper>,
}

struct Current {
    client: Client,
    /// Counts logins, so that several refusals of one login renew it once.
    login: u64,
    expires: Option<Timestamp>,
}

/// How to log in again.
struct Helper {
    /// Without the helper: kube must not run it.
    config: Config,
    exec: ExecConfig,
}

impl Access {
    /// A client that needs no login of ours.
    pub(super) fn plain(client: Client) -> Self {
        Self { current: Mutex::new(Current { client, login: 0, expires: None }), helper: None }
    }

    /// Makes a client; runs the context's login helper first where it has one.
    pub(super) async fn open(mut config: Config, what: &str) -> Result<Self, Problem> {
        let Some(exec) = config.auth_info.exec.take() else {
            return Ok(Self::plain(build(config, what).await?));
        };
        let helper = Helper { config, exec };
        let (client, expires) = helper.log_in(what).await?;
        Ok(Self { current: Mutex::new(Current { client, login: 0, expires }), helper: Some(helper) })
    }

    /// The client to ask with, and the number of its login.
    pub(super) async fn client(&self) -> Result<(Client, u64), Problem> {
        let mut current = self.current.lock().await;
        if let (Some(helper), Some(expires)) = (&self.helper, current.expires)
            && expires <= now() + EARLY
        {
            current.renew(helper).await?;
        }
        Ok((current.client.clone(), current.login))
    }

    /// Replaces the login of this number; false if there is no way to.
    pub(super) async fn renew(&self, login: u64) -> Result<bool, Problem> {
        let Some(helper) = &self.helper else { return Ok(false) };
        let mut current = self.current.lock().await;
        if current.login == login {
            current.renew(helper).await?;
        }
        Ok(true)
    }
}

impl Current {
    async fn renew(&mut self, helper: &Helper) -> Result<(), Problem> {
        let (client, expires) = helper.log_in("log in again").await?;
        *self = Self { client, login: self.login + 1, expires };
        Ok(())
    }
}

impl Helper {
    async fn log_in(&self, what: &str) -> Result<(Client, Option<Timestamp>), Problem> {
        let credential = run(&self.exec, what).await?;
        let mut config = self.config.clone();
        let own = |problem| Problem::new(Cause::Unauthorized, what, problem);
        let auth: AuthInfo = serde_json::from_value(json!({
            "token": credential.token,
            "client-certificate-data": credential.client_certificate_data.map(|pem| STANDARD.encode(pem)),
            "client-key-data": credential.client_key_data.map(|pem| STANDARD.encode(pem)),
        }))
        .map_err(|_| own("the login helper's answer cannot be used".to_owned()))?;
        let given = &mut config.auth_info;
        given.token = auth.token.or(given.token.take());
        if auth.client_certificate_data.is_some() {
            given.client_certificate_data = auth.client_certificate_data;
            given.client_key_data = auth.client_key_data;
        }
        Ok((build(config, what).await?, credential.expiration_timestamp))
    }
}

/// Reads certificates and the system's trust store, so not on a thread that others wait for.
async fn build(mut config: Config, what: &str) -> Result<Client, Problem> {
    // lists and watches have a patience of their own, and an overloaded server must be seen
    config.default_retry = false;
    let handle = tokio::runtime::Handle::current();
    let client = tokio::task::spawn_blocking(move || {
        let _inside = handle.enter();
        Client::try_from(config)
    });
    match client.await {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(unusable(&error, what)),
        Err(error) => Err(Problem::new(Cause::Other, what, error.to_string())),
    }
}

/// What a context holds that no client can be made of.
fn unusable(error: &kube::Error, what: &str) -> Problem {
    let why = || capped(&crate::domain::problem::chain(error));
    match error {
        kube::Error::RustlsTls(_) => Problem::new(Cause::Untrusted, what, why())
            .with_hint("the certificates or the key in the kubeconfig cannot be used"),
        kube::Error::ProxyProtocolUnsupported { .. } | kube::Error::ProxyProtocolDisabled { .. } => {
            Problem::new(Cause::Usage, what, why()).with_hint("proxies may be http, https or socks5")
        }
        kube::Error::InferKubeconfig(_) => Problem::new(Cause::Usage, what, why()),
        _ => failed(error, what).problem,
    }
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Credential>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
    expiration_timestamp: Option<Timestamp>,
}

/// Runs a credential plugin by client-go's protocol (`client.authentication.k8s.io`).
async fn run(exec: &ExecConfig, what: &str) -> Result<Credential, Problem> {
    let name = exec.command.clone().unwrap_or_default();
    let problem = |why: String| Problem::new(Cause::Unauthorized, what, why);
    if name.is_empty() {
        return Err(problem("the context's login helper has no command".to_owned()));
    }
    let child = command(exec, &name).spawn().map_err(|error| not_started(exec, &name, &error, what))?;
    let output = match timeout(LOGIN_DEADLINE, output(child)).await {
        Err(_) => {
            let why = format!("login helper {name} did not end within {} s", LOGIN_DEADLINE.as_secs());
            return Err(problem(why).with_hint(format!("run {name} by hand once: it may want an answer")));
        }
        Ok(Err(error)) => return Err(problem(format!("login helper {name}: {error}"))),
        Ok(Ok(output)) => output,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let words = if said.trim().is_empty() { "it said nothing".to_owned() } else { capped(&said) };
        let why = format!("login helper {name} failed ({}): {words}", output.status);
        return Err(problem(why).with_hint("log in again with the tool of this cluster"));
    }
    // what it printed holds a secret: it is never repeated, not even where it cannot be read
    let printed = String::from_utf8_lossy(&output.stdout);
    let credential = serde_json::from_str::<ExecCredential>(&printed)
        .ok()
        .or_else(|| serde_saphyr::from_str(&printed).ok())
        .and_then(|read| read.status)
        .filter(|status| status.token.is_some() || status.client_certificate_data.is_some());
    credential.ok_or_else(|| problem(format!("login helper {name} printed no credential")))
}

/// As `wait_with_output`, but of what it prints only so much is kept.
async fn output(mut child: Child) -> std::io::Result<Output> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) =
        tokio::join!(beginning(stdout, LONGEST_CREDENTIAL), beginning(stderr, LONGEST_COMPLAINT));
    Ok(Output { status: child.wait().await?, stdout: stdout?, stderr: stderr? })
}

/// The rest is read and dropped: a helper that talks too much must not die of a closed pipe.
async fn beginning(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        (&mut pipe).take(limit).read_to_end(&mut bytes).await?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(bytes)
}

fn not_started(exec: &ExecConfig, name: &str, error: &std::io::Error, what: &str) -> Problem {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => format!("login helper {name} is not installed"),
        _ => format!("login helper {name} cannot be started: {error}"),
    };
    let hint = exec.install_hint.as_deref().map(capped).filter(|hint| !hint.is_empty());
    Problem::new(Cause::Unauthorized, what, why)
        .with_hint(hint.unwrap_or_else(|| format!("the kubeconfig wants {name} on the PATH")))
}

fn command(exec: &ExecConfig, name: &str) -> Command {
    let mut command = Command::new(name);
    command.args(exec.args.iter().flatten());
    for entry in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (entry.get("name"), entry.get("value")) {
            command.env(name, value);
        }
    }
    let mut spec = json!({"interactive": false});
    if exec.provide_cluster_info
        && let Some(cluster) = &exec.cluster
    {
        spec["cluster"] = serde_json::to_value(cluster).unwrap_or(Value::Null);
    }
    let version = exec.api_version.as_deref().unwrap_or("client.authentication.k8s.io/v1");
    let info = json!({"apiVersion": version, "kind": "ExecCredential", "spec": spec});
    command.env("KUBERNETES_EXEC_INFO", info.to_string());
    // its own group: it cannot read the keys from our terminal, and a ^C there is not for it
    command.process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[expect(clippy::disallowed_methods, reason = "whether a login expired is asked of the clock at the edge")]
fn now() -> Timestamp {
    Timestamp::now()
}
