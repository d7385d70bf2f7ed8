//! `cat`: one file of an artifact. What holds a Secret is printed only when that is asked for by name.

use super::{
    Ports,
    args::{CatArgs, ClusterArgs},
    artifact::{Chosen, NoLayer, inspect, name},
    exit,
    output::Console,
};
use crate::{
    domain::{
        lens::SEALED,
        nearest::{folder_above, path_like},
        plain::Plain,
        problem::{Cause, Problem},
        secret::{Secrets, decoded},
        tree::{Entry, Fate, Tree},
    },
    port::{Opened, sealed},
};
use bytes::Bytes;
use futures::StreamExt;
use std::fmt::Write as _;

pub(super) async fn run(
    args: &CatArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    match ask(args, place, ports, console).await {
        Ok(code) => code,
        Err(problem) => {
            console.complain(&problem);
            exit::NOT_ANSWERED
        }
    }
}

async fn ask(
    args: &CatArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> Result<i32, Problem> {
    let artifact = inspect(&args.of, None, place, ports, console).await?;
    let chosen = Chosen::layer(artifact, args.layer).map_err(no_layer)?;
    let opened = chosen.open(ports, console).await?;
    let Some((at, entry)) = find(&opened.tree, &args.path) else {
        return Ok(missing(args, &chosen, &opened.tree, console));
    };
    comment(&opened.tree, entry, console);
    if entry.at.is_none() {
        let is_empty = entry.size == 0 && entry.fate.is_stored();
        return Ok(if is_empty { exit::ANSWERED } else { exit::NO });
    }
    let bytes = read(args, &opened, at).await?;
    if !args.reveal {
        refuse_secret(args, &bytes)?;
        refuse_sealed(args, entry, &opened).await?;
    }
    print(&bytes, console);
    Ok(exit::ANSWERED)
}

fn no_layer(none: NoLayer) -> Problem {
    match none {
        NoLayer::Problem(problem) => problem,
        NoLayer::Flux { artifact, words } => {
            let what = format!("choose a layer of {}", name(&artifact));
            Problem::new(Cause::Refused, what, format!("Flux would fail: {words}"))
                .with_hint("--layer N looks into a layer all the same (fluxscope inspect lists them)")
        }
    }
}

fn find<'a>(tree: &'a Tree, path: &str) -> Option<(usize, &'a Entry)> {
    let at = tree.find(path).or_else(|| tree.find(path.trim_start_matches("./").trim_start_matches('/')))?;
    Some((at, tree.entries.get(at)?))
}

/// No file of this name: a folder, a slip, or not read.
fn missing(args: &CatArgs, chosen: &Chosen, tree: &Tree, console: &mut Console<'_>) -> i32 {
    let what = format!("{} is not in {} of {}", args.path, chosen.words(), name(&chosen.artifact));
    let folder = format!("{}/", args.path.trim_matches('/'));
    let below = tree.entries.iter().filter(|entry| entry.path.starts_with(&folder)).count();
    let paths = tree.entries.iter().map(|entry| &*entry.path);
    if below > 0 {
        console.say(&format!("{} is a folder of {below} files; fluxscope files lists them", args.path));
    } else {
        console.say(&format!("error: {what}"));
        let path = args.path.trim_start_matches("./").trim_start_matches('/');
        if let Some(near) = path_like(path, paths.clone()) {
            console.say(&format!("  try: {near}"));
        } else if let Some(folder) = folder_above(path, &paths) {
            console.say(&format!("  try: what is in {folder}/ (fluxscope files lists it)"));
        }
    }
    if tree.complete || tree.error.is_some() {
        return exit::NO;
    }
    let cut = tree.cut.as_deref().unwrap_or("it ended early");
    console.say(&format!("not all of it was read: {cut}"));
    exit::NOT_ANSWERED
}

/// What a person would not see in the bytes.
fn comment(tree: &Tree, entry: &Entry, console: &mut Console<'_>) {
    if let Some(refusal) = &tree.error {
        console.say(&format!("Flux would store nothing of this layer: {}", refusal.why));
    }
    let note = entry.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
    match entry.fate {
        Fate::Written => {}
        Fate::Emptied => console.say(&format!("Flux writes an empty file here{note}")),
        Fate::Skipped | Fate::Ignored | Fate::Rejected => {
            console.say(&format!("Flux does not store it ({}){note}", entry.fate.word()));
        }
    }
}

async fn read(args: &CatArgs, opened: &Opened, at: usize) -> Result<Bytes, Problem> {
    match opened.contents.read(vec![at]).next().await {
        Some(Ok((_, bytes))) => Ok(bytes),
        Some(Err(problem)) => Err(problem),
        None => {
            let what = format!("read {}", args.path);
            Err(Problem::new(Cause::Invalid, what, "the archive does not hold it any more"))
        }
    }
}

fn refuse_secret(args: &CatArgs, bytes: &[u8]) -> Result<(), Problem> {
    let secrets = Secrets::find(&decoded(bytes));
    if secrets.is_empty() {
        return Ok(());
    }
    let them = if secrets.values == 1 { "it" } else { "them" };
    let plural = |number| if number == 1 { "" } else { "s" };
    let why = match secrets.values - secrets.comments {
        0 => format!(
            "it holds {} comment{} beside values of a Kubernetes Secret",
            secrets.comments,
            plural(secrets.comments)
        ),
        values => format!("it holds {values} secret value{} of a Kubernetes Secret", plural(values)),
    };
    let hint = format!("--reveal prints {them}");
    Err(Problem::new(Cause::Refused, format!("print {}", args.path), why).with_hint(hint))
}

/// Nothing in it says so, but a kustomization beside it does.
async fn refuse_sealed(args: &CatArgs, entry: &Entry, opened: &Opened) -> Result<(), Problem> {
    if !sealed(opened).await.contains(&entry.path) {
        return Ok(());
    }
    Err(Problem::new(Cause::Refused, format!("print {}", args.path), SEALED).with_hint("--reveal prints it"))
}

/// A terminal gets text that cannot act on it, a pipe the bytes.
fn print(bytes: &[u8], console: &mut Console<'_>) {
    if !console.is_terminal() {
        return console.bytes(bytes);
    }
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        safe.push_str(Plain::block(chunk.valid()).as_str());
        for byte in chunk.invalid() {
            // writing into a String cannot fail
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    if !safe.is_empty() && !safe.ends_with('\n') {
        safe.push('\n');
    }
    console.data(&safe);
}
