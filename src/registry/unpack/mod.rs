//! A layer's bytes -> what Flux makes of them: which files it writes, skips, empties, ignores or refuses, in its words.
//! Nothing is ever unpacked to disk; no entry is trusted. Rules: Go's `compress/gzip` and `archive/tar`, Flux's
//! `pkg/tar` and `pkg/sourceignore` as source-controller 1.9 uses them (`reference/flux.md` §1.6).

mod archive;
mod folder;
mod gzip;
mod header;
mod input;
mod seeming;
mod source;
mod sparse;
mod untar;
mod words;
#[cfg(feature = "zstd")]
mod zstd;

use crate::domain::{
    artifact::Operation,
    problem::{Cause, Problem},
    tree::Tree,
};
use archive::Archive;
use bytes::Bytes;
use source::{Source, Stop};
use std::{
    io::{self, Read},
    ops::ControlFlow,
};

/// How much of a layer is read (`reference/registries.md` §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole archive, unpacked: `--max-unpacked-bytes`.
    pub unpacked: u64,
    /// Bytes of one file whose contents are asked for: `--max-file-bytes`.
    pub file: u64,
    /// Entries, and folders, of one archive: `--max-entries`.
    pub entries: usize,
    /// Bytes of one extended header (a long name, PAX records): `--max-header-bytes`.
    pub header: u64,
    /// Unpacked bytes per compressed byte, once there are more than 16 MiB of them: `--max-ratio`.
    pub ratio: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unpacked: 256 << 20, file: 32 << 20, entries: 100_000, header: 1 << 20, ratio: 200 }
    }
}

/// What the source says about its layer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    pub operation: Operation,
    /// `spec.ignore`.
    pub ignore: Option<Box<str>>,
}

/// Reads a compressed layer to its end, or to a limit, and says what Flux makes of it. Blocks while the reader does.
///
/// A layer that is broken or that Flux refuses is an answer ([`Tree::error`], [`Tree::cut`]); the only error is one
/// of the reader itself. After a refusal the rest of the layer is still read, so that its digest can be verified;
/// after a limit it is not.
pub fn tree(layer: impl Read, rules: &Rules, limits: &Limits) -> io::Result<Tree> {
    untar::tree(layer, rules, limits)
}

/// The same of an archive that is not compressed: one that was packed here.
pub(super) fn tree_of_plain(archive: impl Read, rules: &Rules, limits: &Limits) -> io::Result<Tree> {
    untar::unpacked(Source::plain(archive, *limits), rules, limits)
}

/// The bytes of these entries (places in `tree.entries`), in one pass in the archive's order; ends early when `found`
/// breaks. What has no bytes (an emptied file, a symbolic link) comes first. A file over the limit is left out, and
/// named by the problem at the end.
pub fn contents(
    layer: impl Read,
    tree: &Tree,
    wanted: &[usize],
    limits: &Limits,
    found: &mut dyn FnMut(usize, Bytes) -> ControlFlow<()>,
) -> Result<(), Problem> {
    let open = |limits| {
        let source = Source::open(layer, limits).or_else(|closed| Source::open_other(closed, limits));
        source.map_err(|closed| problem(&closed.stop))
    };
    contents_of(open, tree, wanted, limits, found)
}

/// The same of an archive that is not compressed.
pub(super) fn contents_of_plain(
    archive: impl Read,
    tree: &Tree,
    wanted: &[usize],
    limits: &Limits,
    found: &mut dyn FnMut(usize, Bytes) -> ControlFlow<()>,
) -> Result<(), Problem> {
    contents_of(|limits| Ok(Source::plain(archive, limits)), tree, wanted, limits, found)
}

fn contents_of<R: Read>(
    open: impl FnOnce(Limits) -> Result<Source<R>, Problem>,
    tree: &Tree,
    wanted: &[usize],
    limits: &Limits,
    found: &mut dyn FnMut(usize, Bytes) -> ControlFlow<()>,
) -> Result<(), Problem> {
    let mut places: Vec<(Option<u64>, usize)> =
        wanted.iter().filter_map(|&place| Some((tree.entries.get(place)?.at, place))).collect();
    places.sort_unstable();
    places.dedup();
    let large = places.iter().find(|(_, place)| tree.entries[*place].size > limits.file);
    let large = large.map(|(_, place)| too_large(&tree.entries[*place].path, limits));
    places.retain(|(at, place)| at.is_none() || tree.entries[*place].size <= limits.file);
    let mut places = places.into_iter().peekable();
    while let Some((_, place)) = places.next_if(|(at, _)| at.is_none()) {
        if found(place, Bytes::new()).is_break() {
            return Ok(());
        }
    }
    if places.peek().is_some() {
        // the ratio was looked at when the tree was read, and depends on how the bytes come
        let limits = Limits { ratio: u32::MAX, ..*limits };
        read(open(limits)?, limits, &mut places, found)?;
    }
    large.map_or(Ok(()), Err)
}

fn read(
    source: Source<impl Read>,
    limits: Limits,
    places: &mut std::iter::Peekable<impl Iterator<Item = (Option<u64>, usize)>>,
    found: &mut dyn FnMut(usize, Bytes) -> ControlFlow<()>,
) -> Result<(), Problem> {
    let mut archive = Archive::new(source, limits);
    while let Some(&(Some(at), _)) = places.peek() {
        let member = archive.next().map_err(|stop| problem(&stop))?;
        if member.at != at {
            continue;
        }
        let size = u64::try_from(member.header.size).unwrap_or_default().min(limits.file);
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        archive.data(&mut |part| bytes.extend_from_slice(part)).map_err(|stop| problem(&stop))?;
        let bytes = Bytes::from(bytes);
        while let Some((_, place)) = places.next_if(|(wanted, _)| *wanted == Some(at)) {
            if found(place, bytes.clone()).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn problem(stop: &Stop) -> Problem {
    let cause = match stop {
        Stop::Reader(_) => Cause::Other,
        Stop::End | Stop::Broken(_) | Stop::Over(_) => Cause::Invalid,
    };
    Problem::new(cause, "read the files of the layer", stop.to_string())
}

fn too_large(path: &str, limits: &Limits) -> Problem {
    let why = format!("it has more than {} bytes", limits.file);
    Problem::new(Cause::Invalid, format!("show {path}"), why).with_hint("--max-file-bytes raises the limit")
}
