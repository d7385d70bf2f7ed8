//! One run of a tool: no input, little environment, a deadline, limits on memory and on what it may say. Whatever ends
//! the run ends the tool and all that it started.

use crate::domain::{
    plain::Plain,
    problem::{Cause, Problem},
};
use bytes::{Bytes, BytesMut};
use std::{ffi::OsString, path::PathBuf, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    time::timeout,
};

/// What one run may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub deadline: Duration,
    /// Bytes of its output.
    pub output: usize,
    /// Bytes of address space, where the system can limit that.
    pub memory: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline: Duration::from_secs(30), output: 64 << 20, memory: 4 << 30 }
    }
}

/// Whoever is killed cannot end its tools: they may use so many processors until their deadline, and end then.
#[cfg(target_os = "linux")]
const CORES: u64 = 4;

/// Bytes of its complaints that are kept.
const COMPLAINTS: usize = 16 << 10;

/// Longer words of a tool help nobody; the last ones say most.
const LONGEST_WORDS: usize = 600;

pub(super) struct Job {
    pub(super) tool: PathBuf,
    pub(super) name: &'static str,
    pub(super) arguments: Vec<OsString>,
    pub(super) folder: PathBuf,
    pub(super) environment: Vec<(&'static str, OsString)>,
    /// A path that means nothing to a person.
    pub(super) hidden: PathBuf,
    pub(super) limits: Limits,
}

#[derive(Debug)]
pub(super) struct Said {
    pub(super) output: Bytes,
    /// What it complained of although it succeeded, in one sentence.
    pub(super) warning: Option<String>,
}

pub(super) async fn run(job: &Job, what: &str) -> Result<Said, Problem> {
    let name = job.name;
    let problem = |cause, why: String| Problem::new(cause, what, format!("{name}: {why}"));
    let mut tool = start(job).map_err(|error| problem(Cause::Other, error.to_string()))?;
    let group = Group::of(&tool);
    group.limit(&job.limits);
    let ended = timeout(job.limits.deadline, follow(&mut tool, job.limits.output)).await;
    drop(group);
    match ended {
        Err(_) => {
            let seconds = job.limits.deadline.as_secs_f32();
            Err(problem(Cause::Timeout, format!("it was not ready within {seconds} s, and was ended")))
        }
        Ok(Err(error)) => Err(problem(Cause::Other, error.to_string())),
        Ok(Ok(Ended::TooMuch)) => {
            let most = job.limits.output >> 20;
            Err(problem(Cause::Invalid, format!("it wrote more than {most} MiB, and was ended")))
        }
        Ok(Ok(Ended::Exit { success: true, output, complaints, .. })) => {
            let words = said(job, &complaints);
            let warning = (!words.is_empty()).then(|| format!("{name} says: {words}"));
            Ok(Said { output, warning })
        }
        Ok(Ok(Ended::Exit { status, complaints, .. })) => {
            let words = said(job, &complaints);
            let why = if words.is_empty() { status } else { words };
            Err(problem(Cause::Invalid, why))
        }
    }
}

fn start(job: &Job) -> std::io::Result<Child> {
    let mut command = Command::new(&job.tool);
    command
        .args(&job.arguments)
        .current_dir(&job.folder)
        .env_clear()
        .envs(job.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    command.spawn()
}

enum Ended {
    TooMuch,
    Exit { success: bool, status: String, output: Bytes, complaints: Bytes },
}

async fn follow(tool: &mut Child, most: usize) -> std::io::Result<Ended> {
    let (output, complaints) = (tool.stdout.take(), tool.stderr.take());
    let mut output = std::pin::pin!(all(output, most));
    let mut complaints = std::pin::pin!(last(complaints, COMPLAINTS));
    let (mut whole, mut words) = (None, None);
    while whole.is_none() || words.is_none() {
        tokio::select! {
            read = &mut output, if whole.is_none() => match read? {
                Some(bytes) => whole = Some(bytes),
                None => return Ok(Ended::TooMuch),
            },
            read = &mut complaints, if words.is_none() => words = Some(read?),
        }
    }
    let status = tool.wait().await?;
    Ok(Ended::Exit {
        success: status.success(),
        status: status.to_string(),
        output: whole.unwrap_or_default(),
        complaints: words.unwrap_or_default(),
    })
}

/// Everything to the end; None: it is more than `most`.
async fn all(from: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Option<Bytes>> {
    let mut bytes = BytesMut::new();
    let Some(mut from) = from else { return Ok(Some(Bytes::new())) };
    while from.read_buf(&mut bytes).await? > 0 {
        if bytes.len() > most {
            return Ok(None);
        }
    }
    Ok(Some(bytes.freeze()))
}

/// Everything is read, so that the tool goes on; at least the last `most` bytes are kept.
async fn last(from: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Bytes> {
    let mut bytes = BytesMut::new();
    let Some(mut from) = from else { return Ok(Bytes::new()) };
    while from.read_buf(&mut bytes).await? > 0 {
        if bytes.len() > 2 * most {
            let _ = bytes.split_to(bytes.len() - most);
        }
    }
    Ok(bytes.freeze())
}

/// What it complained of, on one line, safe to show, without where it was run.
fn said(job: &Job, complaints: &[u8]) -> String {
    let text = String::from_utf8_lossy(complaints);
    let hidden = job.hidden.to_string_lossy();
    let text = text.replace(&format!("{hidden}/files/"), "").replace(&*hidden, "…");
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let words = Plain::line(&lines.join("; ")).into_string();
    let count = words.chars().count();
    if count <= LONGEST_WORDS {
        return words;
    }
    let end: String = words.chars().skip(count - LONGEST_WORDS).collect();
    // half a word may be half a secret, which nobody would find
    let end = end.split_once(' ').map_or(&*end, |(_, whole)| whole);
    format!("…{end}")
}

/// The process group of a tool. Dropping it kills all of it.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    fn of(tool: &Child) -> Self {
        let id = tool.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    /// A document that unfolds without end must not take the machine with it.
    #[cfg(target_os = "linux")]
    fn limit(&self, limits: &Limits) {
        use rustix::process::{Resource, Rlimit, prlimit};
        let seconds = limits.deadline.as_secs().max(1) * CORES;
        for (resource, most) in [(Resource::As, limits.memory), (Resource::Cpu, seconds)] {
            let limit = Rlimit { current: Some(most), maximum: Some(most) };
            // a tool that is gone already needs no limit
            let _ = self.leader.map(|leader| prlimit(Some(leader), resource, limit));
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn limit(&self, _: &Limits) {}
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        // nobody left to kill is what is wanted
        let _ = self
            .leader
            .map(|leader| rustix::process::kill_process_group(leader, rustix::process::Signal::KILL));
    }
}

#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Self {
        Self {}
    }

    fn limit(&self, _: &Limits) {}
}
