//! Credential helpers: `docker-credential-<name> get`, named by local files only. Its stdout is never repeated.

use super::{
    credentials::{Asked, DOCKER_HUB_SERVER, Login, login_of},
    failure::{Failure, shorten, span},
    host::lock,
    memory::Memory,
    place::fits_a_command,
    secret::Secret,
};
use crate::domain::{plain::Plain, problem::Cause};
use serde::Deserialize;
use std::{ffi::OsString, path::PathBuf, process::Stdio, sync::Mutex, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    time::{Instant, timeout},
};

/// Servers are named by objects of the cluster: no more of them are remembered.
const MOST_ANSWERS: usize = 256;
const LONGEST_ANSWER: u64 = 64 << 10;
const LONGEST_COMPLAINT: u64 = 4 << 10;
/// A helper without a login, or one that fails, is not run again before this.
const MEMORY_OF_NOTHING: Duration = Duration::from_secs(20);

type Outcome = Result<Option<Login>, Failure>;
type Place = tokio::sync::Mutex<Option<(Instant, Outcome)>>;

/// Helpers and what they said. A login is kept until a registry refuses it; each question is asked once at a time.
pub(super) struct Helpers {
    path: Option<OsString>,
    patience: Duration,
    said: Mutex<Memory<Asked, Place>>,
}

impl Helpers {
    pub(super) fn new(path: Option<OsString>, patience: Duration) -> Self {
        Self { path, patience, said: Mutex::new(Memory::new(MOST_ANSWERS)) }
    }

    /// None: the helper holds no login for this server.
    pub(super) async fn get(&self, asked: &Asked) -> Outcome {
        let place = lock(&self.said).of(asked.clone(), Place::default);
        let mut said = place.lock().await;
        if let Some((when, outcome)) = &*said
            && (matches!(outcome, Ok(Some(_))) || when.elapsed() < MEMORY_OF_NOTHING)
        {
            return outcome.clone();
        }
        let outcome = self.run(asked).await;
        *said = Some((Instant::now(), outcome.clone()));
        outcome
    }

    /// The login was refused: the helper is asked again the next time.
    pub(super) fn forget(&self, asked: &Asked) {
        lock(&self.said).remove(asked);
    }

    async fn run(&self, asked: &Asked) -> Outcome {
        if !is_helper_name(&asked.helper) {
            let why = "its name is not a helper's (lower-case letters, digits, `.`, `_`, `-`)";
            return Err(Failure::new(Cause::Usage, why));
        }
        let name = format!("docker-credential-{}", asked.helper);
        let Some(program) = self.search(&name) else {
            return Err(Failure::new(Cause::Usage, format!("{name} is not in PATH")));
        };
        let mut command = Command::new(program);
        command
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // its own group: it cannot read from our terminal, and a ^C there is not for it
        command.process_group(0);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let child = command.spawn();
        let child =
            child.map_err(|error| Failure::new(Cause::Usage, format!("{name} did not start: {error}")))?;
        match timeout(self.patience, converse(child, &asked.server)).await {
            Ok(said) => read_answer(
                &name,
                said.map_err(|error| Failure::new(Cause::Other, format!("{name}: {error}")))?,
            ),
            Err(_) => Err(Failure::new(
                Cause::Timeout,
                format!("{name} did not answer within {}", span(self.patience)),
            )
            .with_hint(by_hand(&name, &asked.server))),
        }
    }

    fn search(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(self.path.as_ref()?).map(|folder| folder.join(name)).find(|file| file.is_file())
    }
}

fn by_hand(name: &str, server: &str) -> String {
    if server == DOCKER_HUB_SERVER || fits_a_command(server) {
        format!("try `echo {server} | {name} get` by hand: it may wait for you")
    } else {
        format!("run {name} by hand: it may wait for you")
    }
}

struct Said {
    ok: bool,
    status: String,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Dropping this future kills the helper.
async fn converse(mut child: Child, server: &str) -> std::io::Result<Said> {
    if let Some(mut stdin) = child.stdin.take() {
        // a helper that does not read its stdin still answers
        let _ = stdin.write_all(server.as_bytes()).await;
    }
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (stdout, stderr) =
        tokio::join!(read_up_to(stdout, LONGEST_ANSWER + 1), read_up_to(stderr, LONGEST_COMPLAINT));
    let status = child.wait().await?;
    Ok(Said { ok: status.success(), status: status.to_string(), stdout, stderr })
}

/// What comes after the limit is not read: the pipe is closed.
async fn read_up_to(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.take(limit).read_to_end(&mut bytes).await;
    }
    bytes
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

fn read_answer(name: &str, said: Said) -> Outcome {
    let unusable = |why: &str| Failure::new(Cause::Other, format!("{name}: {why}"));
    if !said.ok {
        // the protocol has no other sign for "none here" than these words on stdout
        if said.stdout.trim_ascii().starts_with(b"credentials not found") {
            return Ok(None);
        }
        let complaint = shorten(String::from_utf8_lossy(&said.stderr).trim());
        let words = if complaint.is_empty() { said.status } else { Plain::line(&complaint).into_string() };
        return Err(unusable(&words));
    }
    if said.stdout.len() as u64 > LONGEST_ANSWER {
        return Err(unusable("its answer is longer than 64 KiB"));
    }
    let given: Given = serde_json::from_slice(&said.stdout)
        .map_err(|_| unusable("its answer is not {\"ServerURL\", \"Username\", \"Secret\"}"))?;
    Ok(login_of(given.username, Secret::new(given.secret)))
}

fn is_helper_name(name: &str) -> bool {
    let first = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|&b| first(b)) && bytes.iter().all(|&b| first(b) || b"._-".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::{by_hand, is_helper_name};

    #[test]
    fn a_servers_name_with_marks_of_the_shell_stands_in_no_command() {
        assert!(by_hand("docker-credential-x", "ghcr.io:443").contains("`echo ghcr.io:443 | "));
        assert!(by_hand("docker-credential-x", "https://index.docker.io/v1/").contains('`'));
        for bad in ["a.b;id", "$(id).io", "a'b.io", "-x.io", ""] {
            assert!(!by_hand("docker-credential-x", bad).contains('`'), "{bad}");
        }
    }

    #[test]
    fn a_helpers_name_is_not_a_path_and_not_an_option() {
        for good in ["ecr-login", "gcloud", "osxkeychain", "a.b_c"] {
            assert!(is_helper_name(good), "{good}");
        }
        for bad in ["", "../x", "-x", "a b", "A", "a/b", "x;y"] {
            assert!(!is_helper_name(bad), "{bad}");
        }
    }
}
