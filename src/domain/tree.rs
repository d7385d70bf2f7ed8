//! The files inside an artifact as Flux would store them, and those that it would not. Never their bytes.

use super::digest::Digest;

/// What Flux does with an entry of a layer (`reference/flux.md` §1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Stored as it is.
    Written,
    /// Stored, but empty: a hard link.
    Emptied,
    /// Left out while the archive is read: a symbolic link, or overwritten by a later entry of the same name.
    Skipped,
    /// Left out afterwards, by `.sourceignore`, `spec.ignore` or Flux's defaults.
    Ignored,
    /// Refused, and with it the whole artifact.
    Rejected,
}

impl Fate {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Emptied => "emptied",
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
            Self::Rejected => "rejected",
        }
    }

    /// It is in what consumers get.
    pub const fn is_stored(self) -> bool {
        matches!(self, Self::Written | Self::Emptied)
    }
}

/// One file of a layer. Directories are in the paths only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Cleaned as Flux cleans it; UTF-8, with U+FFFD for what is not.
    pub path: Box<str>,
    /// Bytes that Flux would write; for what it leaves out, the bytes that are there.
    pub size: u64,
    /// Of what Flux would write.
    pub sha256: Option<Digest>,
    pub fate: Fate,
    /// Why it has this fate and what is odd about it; the verbatim name where that is no UTF-8. From outside.
    pub note: Option<Box<str>>,
    /// Where its bytes begin in the unpacked archive; None: it has none.
    pub at: Option<u64>,
    pub executable: bool,
}

/// What a layer holds, in the order of the paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    pub entries: Vec<Entry>,
    /// Entries that exist and are not listed, where that is known.
    pub left: u64,
    /// Flux stores nothing of this layer.
    pub error: Option<Refusal>,
    /// All was read; false after a limit, an error or a cancellation.
    pub complete: bool,
    /// Which limit cut it, and the flag that raises it.
    pub cut: Option<Box<str>>,
    /// Bytes of the archive when unpacked, as far as it was read.
    pub unpacked: u64,
}

/// Why Flux refuses a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Short, ours.
    pub why: Box<str>,
    /// The words that Flux's condition would hold.
    pub flux: Box<str>,
}

impl Tree {
    /// What consumers get.
    pub fn stored(&self) -> impl Iterator<Item = &Entry> {
        let refused = self.error.is_some();
        self.entries.iter().filter(move |entry| !refused && entry.fate.is_stored())
    }

    pub fn find(&self, path: &str) -> Option<usize> {
        let at = self.entries.partition_point(|entry| *entry.path < *path);
        let same = self.entries.iter().enumerate().skip(at).take_while(|(_, entry)| *entry.path == *path);
        // of several entries of one name the stored one is meant
        same.max_by_key(|(_, entry)| entry.fate.is_stored()).map(|(at, _)| at)
    }
}
