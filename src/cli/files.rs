//! `files`: what Flux would store of an artifact, file by file, and what it would not. It prints no file's content.

use super::{
    Ports,
    args::{ClusterArgs, FilesArgs, Listing},
    artifact::{Chosen, NoLayer, inspect, name, problem_or_null, size},
    exit,
    output::{Console, Table, document},
};
use crate::{
    domain::{
        artifact::Artifact,
        problem::Problem,
        tree::{Entry, Fate, Tree},
    },
    port::Opened,
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Digits of a digest in a column.
const DIGITS: usize = 12;

pub(super) async fn run(
    args: &FilesArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let media_type = args.layer_media_type.as_deref();
    let chosen = match inspect(&args.of, media_type, place, ports, console).await {
        Ok(artifact) => Chosen::layer(artifact, args.layer),
        Err(problem) => Err(problem.into()),
    };
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(NoLayer::Problem(problem)) => return unanswered(args, None, &problem, console),
        Err(NoLayer::Flux { artifact, words }) => return nothing(args, &artifact, &words, console),
    };
    match chosen.open(ports, console).await {
        Ok(opened) => Answer { args, chosen, opened }.print(console),
        Err(problem) => unanswered(args, Some(&chosen), &problem, console),
    }
}

struct Answer<'a> {
    args: &'a FilesArgs,
    chosen: Chosen,
    opened: Opened,
}

impl Answer<'_> {
    fn print(&self, console: &mut Console<'_>) -> i32 {
        let items = self.items();
        match self.args.output {
            Listing::Table => console.data(&self.table(&items)),
            Listing::Name => {
                console.data(&items.iter().map(|e| super::safe_line(&e.path)).collect::<String>());
            }
            Listing::Json => console.json(&self.document(&items)),
            Listing::Yaml => console.yaml(&self.document(&items)),
        }
        self.comment(items.len(), console);
        if self.tree().cut.is_none() && (self.tree().complete || self.tree().error.is_some()) {
            exit::ANSWERED
        } else {
            exit::NOT_ANSWERED
        }
    }

    fn tree(&self) -> &Tree {
        &self.opened.tree
    }

    /// What is written and emptied; the entry that Flux refuses is never left out.
    fn items(&self) -> Vec<&Entry> {
        let shown = |entry: &&Entry| self.args.all || entry.fate.is_stored() || entry.fate == Fate::Rejected;
        self.tree().entries.iter().filter(shown).collect()
    }

    fn document(&self, items: &[&Entry]) -> Value {
        let tree = self.tree();
        document(
            "FileList",
            json!({
                "artifact": name(&self.chosen.artifact),
                "layer": self.chosen.fields(),
                "complete": tree.complete,
                "error": tree.error.as_ref().map(|refusal| &refusal.flux),
                "left": tree.left,
                "cut": tree.cut,
                "verified": self.opened.verified,
                "problem": null,
                "items": items.iter().map(|entry| fields(entry)).collect::<Vec<_>>(),
            }),
        )
    }

    fn table(&self, items: &[&Entry]) -> String {
        if items.is_empty() {
            return String::new();
        }
        let fates = self.args.all || items.iter().any(|entry| entry.fate != Fate::Written);
        let notes = items.iter().any(|entry| entry.note.is_some());
        let columns = [(true, "PATH"), (true, "SIZE"), (fates, "FLUX"), (true, "SHA256"), (notes, "NOTE")];
        let shown = |columns: &[(bool, &'static str)]| {
            columns.iter().filter_map(|(there, title)| there.then_some(*title)).collect()
        };
        let mut table = Table::new(shown(&columns));
        for entry in items {
            let cells = [
                entry.path.to_string(),
                entry.size.to_string(),
                entry.fate.word().to_owned(),
                digest(entry).and_then(|hex| hex.get(..DIGITS)).unwrap_or_default().to_owned(),
                entry.note.as_deref().unwrap_or_default().to_owned(),
            ];
            let cells = cells.into_iter().zip(columns).filter_map(|(cell, (there, _))| there.then_some(cell));
            table.push(&cells.collect::<Vec<_>>());
        }
        table.take(!self.args.no_header)
    }

    /// What the rows do not say.
    fn comment(&self, listed: usize, console: &mut Console<'_>) {
        let tree = self.tree();
        if let Some(refusal) = &tree.error {
            console.say(&format!("Flux would store nothing of this layer: {}", refusal.why));
            console.say(&format!("  in its words: {}", refusal.flux));
        }
        if let Some(cut) = &tree.cut {
            console.say(&format!("not all of it was read: {cut}"));
        } else if !tree.complete && tree.error.is_none() {
            console.say("not all of it was read");
        }
        if tree.left > 0 {
            console.say(&format!("{} more entries are not listed", tree.left));
        }
        let plural = if listed == 1 { "" } else { "s" };
        let verified = if self.opened.verified { ", digest and size verified" } else { "" };
        let mut words = format!("{listed} file{plural} in {}", self.chosen.words());
        let hidden = tree.entries.len() - listed;
        if hidden > 0 {
            let _ = write!(words, ", {hidden} that Flux does not store are left out (--all)");
        }
        console.say(&format!("{words}; {} unpacked{verified}", size(tree.unpacked)));
    }
}

fn digest(entry: &Entry) -> Option<&str> {
    entry.sha256.as_ref().map(crate::domain::digest::Digest::hex)
}

fn fields(entry: &Entry) -> Value {
    json!({
        "path": entry.path,
        "size": entry.size,
        "sha256": digest(entry),
        "fate": entry.fate.word(),
        "note": entry.note,
    })
}

/// Flux finds no layer to take: that is the answer.
fn nothing(args: &FilesArgs, artifact: &Artifact, words: &str, console: &mut Console<'_>) -> i32 {
    print(args, &blank(&name(artifact), &Value::Null, Some(words), None), console);
    console.say(&format!("Flux would store nothing of this artifact: {words}"));
    if !artifact.manifest.layers.is_empty() {
        console.say("  try: --layer N looks into a layer all the same (fluxscope inspect lists them)");
    }
    exit::ANSWERED
}

/// A script still gets a document.
fn unanswered(
    args: &FilesArgs,
    chosen: Option<&Chosen>,
    problem: &Problem,
    console: &mut Console<'_>,
) -> i32 {
    console.complain(problem);
    let artifact = chosen.map_or_else(|| args.of.to_string(), |chosen| name(&chosen.artifact));
    let layer = chosen.map_or(Value::Null, Chosen::fields);
    print(args, &blank(&artifact, &layer, None, Some(problem)), console);
    exit::NOT_ANSWERED
}

fn blank(artifact: &str, layer: &Value, error: Option<&str>, problem: Option<&Problem>) -> Value {
    let fields = json!({
        "artifact": artifact, "layer": layer, "complete": problem.is_none(), "error": error, "left": 0, "cut": null,
        "verified": false, "problem": problem_or_null(problem), "items": [],
    });
    document("FileList", fields)
}

fn print(args: &FilesArgs, document: &Value, console: &mut Console<'_>) {
    match args.output {
        Listing::Json => console.json(document),
        Listing::Yaml => console.yaml(document),
        Listing::Table | Listing::Name => {}
    }
}
