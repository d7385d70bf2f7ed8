//! `pull`: what Flux would store, written into a folder. It writes nothing that Flux would not, and never half a file.

use super::{
    Ports,
    args::{ClusterArgs, PullArgs, Summary},
    artifact::{Chosen, NoLayer, inspect, name, problem_or_null, size},
    exit,
    folder::Folder,
    output::{Console, document},
};
use crate::{
    domain::{
        problem::{Cause, Problem},
        tree::{Entry, Tree},
    },
    port::Opened,
};
use bytes::Bytes;
use futures::{FutureExt, StreamExt, future};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Obstacles that are named one by one.
const NAMED: usize = 5;

pub(super) async fn run(
    args: &PullArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let mut pulled = Pulled::default();
    let problem = pull(args, place, ports, console, &mut pulled).await.err();
    match args.output {
        Summary::Table if pulled.of > 0 => console.data(&super::safe_line(&pulled.words(args))),
        Summary::Table => {}
        Summary::Json => console.json(&pulled.document(args, problem.as_ref())),
        Summary::Yaml => console.yaml(&pulled.document(args, problem.as_ref())),
    }
    match problem {
        Some(problem) => {
            console.complain(&problem);
            exit::NOT_ANSWERED
        }
        None => exit::ANSWERED,
    }
}

/// What was written so far.
#[derive(Default)]
struct Pulled {
    artifact: Option<String>,
    layer: Value,
    files: usize,
    of: usize,
    bytes: u64,
}

async fn pull(
    args: &PullArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
    pulled: &mut Pulled,
) -> Result<(), Problem> {
    let folder = Folder::new(&args.directory, args.force).map_err(|why| refused(args, why))?;
    let artifact = inspect(&args.of, None, place, ports, console).await?;
    pulled.artifact = Some(name(&artifact));
    let chosen = Chosen::layer(artifact, None).map_err(no_layer)?;
    pulled.layer = chosen.fields();
    let opened = chosen.open(ports, console).await?;
    check(&chosen, &opened.tree)?;
    let stored: Vec<(usize, &Entry)> =
        opened.tree.entries.iter().enumerate().filter(|(_, entry)| entry.fate.is_stored()).collect();
    free(args, &folder, &stored)?;
    pulled.of = stored.len();
    tokio::select! {
        written = write(args, &folder, &opened, &stored, pulled) => return written,
        () = interrupted() => {}
    }
    // files are written between two waits: none is half at this point
    Err(partly(args, pulled, "it was interrupted"))
}

fn no_layer(none: NoLayer) -> Problem {
    match none {
        NoLayer::Problem(problem) => problem,
        NoLayer::Flux { artifact, words } => refuses(&name(&artifact), &words),
    }
}

fn refuses(artifact: &str, words: &str) -> Problem {
    Problem::new(
        Cause::Refused,
        format!("pull {artifact}"),
        format!("Flux would store nothing of it: {words}"),
    )
    .with_hint("fluxscope files and fluxscope cat show what is in it")
}

/// Half an artifact is none: neither for Flux nor in a folder.
fn check(chosen: &Chosen, tree: &Tree) -> Result<(), Problem> {
    let artifact = name(&chosen.artifact);
    if let Some(refusal) = &tree.error {
        return Err(refuses(&artifact, &refusal.flux));
    }
    if tree.complete && tree.cut.is_none() {
        return Ok(());
    }
    let cut = tree.cut.as_deref().unwrap_or("it ended early");
    Err(Problem::new(Cause::Invalid, format!("pull {artifact}"), format!("not all of it was read: {cut}")))
}

/// Looks at every place before anything is written.
fn free(args: &PullArgs, folder: &Folder, stored: &[(usize, &Entry)]) -> Result<(), Problem> {
    let mut names = HashSet::new();
    let obstacles = stored.iter().filter_map(|(_, entry)| {
        let why = match folder.obstacle(&entry.path) {
            None if names.insert(&entry.path) => return None,
            None => "two files have this name once what is not UTF-8 is written as U+FFFD".to_owned(),
            Some(why) => why,
        };
        Some(if why.starts_with(&*entry.path) { why } else { format!("{}: {why}", entry.path) })
    });
    let obstacles: Vec<String> = obstacles.collect();
    let Some(more) = obstacles.len().checked_sub(NAMED) else {
        if obstacles.is_empty() {
            return Ok(());
        }
        return Err(in_the_way(args, obstacles.join("; ")));
    };
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    Err(in_the_way(args, format!("{}{more}", obstacles[..NAMED].join("; "))))
}

fn in_the_way(args: &PullArgs, why: String) -> Problem {
    let hint = if args.force {
        "name another folder: nothing was written"
    } else {
        "nothing was written; --force overwrites files, or name another folder"
    };
    refused(args, why).with_hint(hint)
}

fn refused(args: &PullArgs, why: String) -> Problem {
    Problem::new(Cause::Refused, format!("write to {}", args.directory.display()), why)
}

async fn write(
    args: &PullArgs,
    folder: &Folder,
    opened: &Opened,
    stored: &[(usize, &Entry)],
    pulled: &mut Pulled,
) -> Result<(), Problem> {
    let (full, empty): (Vec<_>, Vec<_>) = stored.iter().partition(|(_, entry)| entry.at.is_some());
    for (_, entry) in empty {
        put(args, folder, entry, &Bytes::new(), pulled)?;
    }
    let mut missing: HashSet<usize> = full.iter().map(|(at, _)| *at).collect();
    let mut contents = opened.contents.read(full.iter().map(|(at, _)| *at).collect());
    while let Some(read) = contents.next().await {
        let (at, bytes) = read.map_err(|problem| partly(args, pulled, &problem.to_string()))?;
        let entry = opened.tree.entries.get(at).filter(|_| missing.remove(&at));
        let entry = entry.ok_or_else(|| partly(args, pulled, "a file came that was not asked for"))?;
        put(args, folder, entry, &bytes, pulled)?;
    }
    match missing.len() {
        0 => Ok(()),
        left => Err(partly(args, pulled, &format!("{left} files of the archive did not come"))),
    }
}

fn put(
    args: &PullArgs,
    folder: &Folder,
    entry: &Entry,
    bytes: &[u8],
    pulled: &mut Pulled,
) -> Result<(), Problem> {
    if bytes.len() as u64 != entry.size {
        let why = format!("{} has {} bytes, not {}", entry.path, bytes.len(), entry.size);
        return Err(partly(args, pulled, &why));
    }
    let written = folder.write(&entry.path, bytes, entry.executable);
    written.map_err(|why| partly(args, pulled, &format!("{}: {why}", entry.path)))?;
    pulled.files += 1;
    pulled.bytes += entry.size;
    Ok(())
}

/// What is there is whole; it is not all.
fn partly(args: &PullArgs, pulled: &Pulled, why: &str) -> Problem {
    let done = format!("{} of {} files were written", pulled.files, pulled.of);
    refused(args, why.to_owned()).with_hint(format!("{done}, each of them whole; --force writes them again"))
}

/// Ctrl-C or a polite kill. Where no signal can be heard nobody waits for one.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut asked), Ok(mut lost)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup()))
        {
            let signals = [asked.recv().boxed(), lost.recv().boxed(), pressed().map(|()| Some(())).boxed()];
            future::select_all(signals).await;
            return;
        }
    }
    pressed().await;
}

async fn pressed() {
    if tokio::signal::ctrl_c().await.is_err() {
        future::pending::<()>().await;
    }
}

impl Pulled {
    fn words(&self, args: &PullArgs) -> String {
        let artifact = self.artifact.as_deref().unwrap_or_default();
        let whole = if self.files == self.of { String::new() } else { format!(" of {}", self.of) };
        let plural = if self.files == 1 { "" } else { "s" };
        let (files, bytes, to) = (self.files, size(self.bytes), args.directory.display());
        format!("{artifact}: {files}{whole} file{plural}, {bytes}, written to {to}")
    }

    fn document(&self, args: &PullArgs, problem: Option<&Problem>) -> Value {
        document(
            "Pull",
            json!({
                "artifact": self.artifact.clone().unwrap_or_else(|| args.of.to_string()),
                "layer": self.layer,
                "directory": args.directory.display().to_string(),
                "complete": problem.is_none(),
                "files": self.files,
                "of": self.of,
                "bytes": self.bytes,
                "problem": problem_or_null(problem),
            }),
        )
    }
}
