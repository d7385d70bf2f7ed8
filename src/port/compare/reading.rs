//! Which bytes a comparison needs, read in one pass per side: all that may hold objects, and what differs besides. The
//! same bytes are read once. What cannot be read is compared by its digest, and that is said.

use super::{
    super::Opened,
    Desk,
    layers::{Layer, Pair},
};
use crate::domain::{
    diff::{File, LARGE, Side},
    digest::Digest,
    object::{Role, role},
    problem::{Cause, Problem},
    tree::{Entry, Tree},
};
use bytes::Bytes;
use futures::{StreamExt, future::try_join};
use std::collections::{HashMap, HashSet};

/// Paths that are named in one sentence.
const NAMED: usize = 3;

pub(super) struct Files {
    pub(super) from: Side,
    pub(super) to: Side,
    /// What could not be read, by side.
    pub(super) notes: (Vec<String>, Vec<String>),
}

/// `all`: whoever renders needs every file.
pub(super) async fn read(desk: &Desk, pair: &Pair, all: bool) -> Result<Files, Problem> {
    let Pair::Differ { from, to } = pair else { return Ok(Files::none()) };
    let (left, right) = (&*from.opened.tree, &*to.opened.tree);
    let of_from = wanted(left, right, all);
    let known: HashSet<&Digest> = of_from.iter().filter_map(|&at| digest(left, at)).collect();
    let mut of_to = wanted(right, left, all);
    of_to.retain(|&at| digest(right, at).is_none_or(|digest| !known.contains(digest)));
    desk.say(format!("reading {} files", of_from.len() + of_to.len())).await;
    let (one, other) = try_join(fetch(from, of_from), fetch(to, of_to)).await?;
    let by_digest: HashMap<&Digest, &Bytes> =
        one.bytes.iter().filter_map(|(at, bytes)| Some((digest(left, *at)?, bytes))).collect();
    let (from, mut from_notes) = side(left, &one.bytes, &HashMap::new());
    let (to, mut to_notes) = side(right, &other.bytes, &by_digest);
    from_notes.extend(one.unread);
    to_notes.extend(other.unread);
    Ok(Files { from, to, notes: (from_notes, to_notes) })
}

impl Files {
    fn none() -> Self {
        Self { from: Side::default(), to: Side::default(), notes: (Vec::new(), Vec::new()) }
    }
}

fn digest(tree: &Tree, at: usize) -> Option<&Digest> {
    tree.entries.get(at)?.sha256.as_ref()
}

/// Entries whose bytes are needed, by their place.
fn wanted(tree: &Tree, other: &Tree, all: bool) -> Vec<usize> {
    let of_other = Others::of(tree, other);
    let charts: Vec<&str> = charts(tree);
    let is_wanted = |entry: &Entry| {
        all || match role(&entry.path, &charts) {
            Role::Other => entry.size <= LARGE && !of_other.has_all_of(entry),
            Role::Manifests
            | Role::Kustomization
            | Role::Chart
            | Role::Values
            | Role::Template
            | Role::ChartCrd => true,
        }
    };
    let entries = tree.entries.iter().enumerate();
    let entries = entries.filter(|(_, entry)| entry.fate.is_stored() && entry.at.is_some());
    entries.filter(|(_, entry)| is_wanted(entry)).map(|(at, _)| at).collect()
}

/// What the other side says of a file without its bytes.
struct Others<'a> {
    by_path: HashMap<&'a str, Option<&'a Digest>>,
    /// Files of the other side that have no path here, less those of this side that have none there: where that is
    /// none or more, each of these was renamed.
    moved: HashMap<&'a Digest, i64>,
}

impl<'a> Others<'a> {
    fn of(tree: &'a Tree, other: &'a Tree) -> Self {
        let paths = |tree: &'a Tree| -> HashMap<&'a str, Option<&'a Digest>> {
            tree.stored().map(|entry| (&*entry.path, entry.sha256.as_ref())).collect()
        };
        let (own, by_path) = (paths(tree), paths(other));
        let mut moved: HashMap<&Digest, i64> = HashMap::new();
        for (one, two, count) in [(&by_path, &own, 1), (&own, &by_path, -1)] {
            for digest in one.iter().filter(|(path, _)| !two.contains_key(*path)).filter_map(|(_, of)| *of) {
                *moved.entry(digest).or_default() += count;
            }
        }
        Self { by_path, moved }
    }

    /// It is the same there, at its path or at another one.
    fn has_all_of(&self, entry: &Entry) -> bool {
        let Some(digest) = &entry.sha256 else { return false };
        match self.by_path.get(&*entry.path) {
            Some(other) => *other == Some(digest),
            None => self.moved.get(digest).is_some_and(|left| *left >= 0),
        }
    }
}

/// Folders of charts, without a slash behind; the root is empty.
fn charts(tree: &Tree) -> Vec<&str> {
    let folder = |entry: &'_ Entry| -> Option<usize> {
        let rest = entry.path.strip_suffix("Chart.yaml")?;
        (rest.is_empty() || rest.ends_with('/')).then(|| rest.len().saturating_sub(1))
    };
    tree.stored().filter_map(|entry| entry.path.get(..folder(entry)?)).collect()
}

/// What came, by its place in the tree.
struct Fetched {
    bytes: HashMap<usize, Bytes>,
    unread: Option<String>,
}

/// A file over the limit of one file is left out; what else goes wrong ends the comparison.
async fn fetch(layer: &Layer, wanted: Vec<usize>) -> Result<Fetched, Problem> {
    let Opened { tree, contents, .. } = &layer.opened;
    let mut bytes = HashMap::with_capacity(wanted.len());
    let mut ended = None;
    if !wanted.is_empty() {
        let mut found = contents.read(wanted.clone());
        while let Some(file) = found.next().await {
            match file {
                Ok((at, file)) => drop(bytes.insert(at, file)),
                Err(problem) => ended = Some(problem),
            }
        }
    }
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|at| !bytes.contains_key(at))
        .filter_map(|&at| Some(&*tree.entries.get(at)?.path))
        .collect();
    let unread = match (ended, missing.is_empty()) {
        (None, true) => None,
        (Some(problem), _) if problem.cause != Cause::Invalid => return Err(problem),
        (problem, _) => Some(unread(&missing, problem)),
    };
    Ok(Fetched { bytes, unread })
}

fn unread(missing: &[&str], problem: Option<Problem>) -> String {
    let named = missing.get(..NAMED).unwrap_or(missing).join(", ");
    let more = missing.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let why = problem.map_or_else(
        || "the archive does not hold it any more".to_owned(),
        |problem| {
            let hint = problem.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("{}{hint}", problem.why)
        },
    );
    format!("only the digest was compared of {named}{more}: {why}")
}

/// What Flux stores, each path once.
fn side(tree: &Tree, bytes: &HashMap<usize, Bytes>, known: &HashMap<&Digest, &Bytes>) -> (Side, Vec<String>) {
    let (mut files, mut notes): (Vec<File>, Vec<String>) = (Vec::new(), Vec::new());
    for (at, entry) in tree.entries.iter().enumerate().filter(|(_, entry)| entry.fate.is_stored()) {
        let shared = || entry.sha256.as_ref().and_then(|digest| known.get(digest).copied());
        let file = File {
            path: (&*entry.path).into(),
            size: entry.size,
            sha256: entry.sha256.clone(),
            executable: entry.executable,
            bytes: match entry.at {
                _ if entry.size == 0 => Some(Bytes::new()),
                None => Some(Bytes::new()),
                Some(_) => bytes.get(&at).or_else(shared).cloned(),
            },
        };
        match files.last_mut().filter(|last| last.path == file.path) {
            Some(last) => {
                notes.push(format!("two files are called {}: the last one was compared", file.path));
                *last = file;
            }
            None => files.push(file),
        }
    }
    (Side { files }, notes)
}
