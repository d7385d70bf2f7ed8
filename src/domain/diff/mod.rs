//! Two trees -> what changed: files, Kubernetes objects, fields, lines. What it leaves out it counts. It judges nothing;
//! what a change means is said by [`super::impact`].

mod apply;
mod fields;
mod files;
mod keys;
mod likeness;
mod lines;
mod lists;
mod objects;
mod plan;
mod renames;
mod streams;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub(in crate::domain) use fields::is_same;
pub use fields::{Fields, fields};
pub use lines::{alike, beside, lines};
pub use plan::{Plan, Read};
pub(in crate::domain) use streams::is_named_yaml;

use super::{
    digest::Digest,
    object::{Broken, Key, Role},
};
use bytes::Bytes;
use serde_json::Value;
use std::{fmt, ops::Range, sync::Arc};

/// A file that holds no objects and is larger than this is compared by its digest alone.
pub const LARGE: u64 = 4 << 20;

/// One revision, as far as it was read.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// In the order of their paths, each path once.
    pub files: Vec<File>,
}

#[derive(Debug, Clone)]
pub struct File {
    pub path: Arc<str>,
    pub size: u64,
    pub sha256: Option<Digest>,
    pub executable: bool,
    /// None: it was not read; then its digest decides alone.
    pub bytes: Option<Bytes>,
}

/// What differs between two sides.
#[derive(Debug, Clone, Default)]
pub struct Diff {
    /// In the order of their paths; those that differ in formatting only are there too.
    pub files: Vec<FileChange>,
    /// By namespace, kind and name; those that moved or were formatted only are there too.
    pub objects: Vec<ObjectChange>,
    /// What could not be read or is odd, in the order of the paths; what is the same on both sides stands once.
    pub oddities: Vec<Oddity>,
    pub same_files: usize,
    pub same_objects: usize,
}

/// What happened to a file or an object, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    Removed,
    Added,
    Changed,
    /// It has another name or path; it may have changed besides.
    Renamed,
    /// The same object stands in another file.
    Moved,
    /// Other bytes that say the same.
    Formatting,
}

impl Change {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Removed => "removed",
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Renamed => "renamed",
            Self::Moved => "moved",
            Self::Formatting => "formatting only",
        }
    }

    /// The word in one character, as it stands in front of a line.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Removed => "-",
            Self::Added => "+",
            Self::Changed => "~",
            Self::Renamed | Self::Moved => ">",
            Self::Formatting => "=",
        }
    }

    /// It is not a change of what is applied.
    pub const fn is_quiet(self) -> bool {
        matches!(self, Self::Moved | Self::Formatting)
    }
}

#[derive(Debug, Clone)]
pub struct FileChange {
    pub change: Change,
    pub role: Role,
    pub from: Option<File>,
    pub to: Option<File>,
}

/// One object that is not the same on both sides.
#[derive(Debug, Clone)]
pub struct ObjectChange {
    pub change: Change,
    pub from: Option<Found>,
    pub to: Option<Found>,
    /// In the order of the first side, additions where they stand in the second; empty if the object is on one side
    /// only.
    pub fields: Vec<FieldChange>,
    /// Not all fields were compared: it is too large. The text is still there.
    pub cut: bool,
}

/// An object on one side.
#[derive(Clone)]
pub struct Found {
    pub key: Key,
    pub api_version: Box<str>,
    /// Its file.
    pub path: Arc<str>,
    /// Of its document, from 1.
    pub line: usize,
    /// Of an object that only moved it holds no more than its names: equal documents are not parsed.
    pub value: Arc<Value>,
    /// Its document as it is written; of an item of a List, that List.
    pub text: Text,
}

/// A part of a file that is UTF-8.
#[derive(Clone)]
pub struct Text {
    pub file: Bytes,
    pub at: Range<usize>,
}

/// One value that differs.
#[derive(Clone)]
pub struct FieldChange {
    pub path: FieldPath,
    pub change: FieldFate,
    /// None: it was not there. A null is there.
    pub from: Option<Value>,
    pub to: Option<Value>,
    /// The value of a Secret, or encrypted by SOPS: what is shown of it is decided by [`FieldChange::shown`] only.
    pub secret: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FieldFate {
    /// `at`: its place in the second side's list.
    Added {
        at: Option<usize>,
    },
    Removed,
    Changed,
    /// The items of a list stand in another order; `from` and `to` are lists of what they are known by.
    Reordered,
}

/// Where a value stands, e.g. `spec.template.spec.containers[name=main].image`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath(pub Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    Field(Box<str>),
    /// An item of a list that Kubernetes merges by these fields: their names and values as text.
    Item(Box<[(Box<str>, Box<str>)]>),
    /// An item of any other list: its place in the first side, or in the second if it was added.
    Place(usize),
}

/// Something that no change can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    pub which: Which,
    pub path: Arc<str>,
    pub what: Odd,
}

/// On which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Which {
    From,
    To,
    Both,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Odd {
    /// The document cannot be read; its text is compared.
    Broken(Broken),
    /// The document is more than is read here ([`Broken::limit`]); its text is compared.
    Limit(Broken),
    /// YAML that names no object, in a file that Flux would apply.
    NoObject { line: usize },
    /// The object stands in several places of one side, here and further on; each was compared with its like.
    Doubled { key: Key, line: usize },
    /// A limit: what was not compared, and why.
    Cut(Box<str>),
}

impl Odd {
    /// Of its place, if it has one.
    pub const fn line(&self) -> Option<usize> {
        match self {
            Self::Broken(broken) | Self::Limit(broken) => Some(broken.line),
            Self::NoObject { line } | Self::Doubled { line, .. } => Some(*line),
            Self::Cut(_) => None,
        }
    }

    pub fn why(&self) -> String {
        match self {
            Self::Broken(broken) => broken.why.to_string(),
            Self::Limit(broken) => format!(
                "{}: more than fluxscope reads, only its text is compared; whoever applies it may read it",
                broken.why
            ),
            Self::NoObject { .. } => "YAML that names no object: Flux would refuse it".to_owned(),
            Self::Doubled { key, .. } => {
                format!("{key} stands in several places; each was compared with its like")
            }
            Self::Cut(why) => why.to_string(),
        }
    }
}

impl Diff {
    /// Nothing that is applied changes. Files that differ in formatting only do not count.
    pub fn is_same(&self) -> bool {
        self.files.iter().all(|file| file.change.is_quiet())
            && self.objects.iter().all(|object| object.change.is_quiet())
    }
}

impl ObjectChange {
    /// The object after the change, or before if it is gone.
    pub fn found(&self) -> Option<&Found> {
        self.to.as_ref().or(self.from.as_ref())
    }
}

const NO_TEXT: &str = "not a text";

impl FileChange {
    /// Its path after the change, or before if it is gone.
    pub fn path(&self) -> &str {
        self.to.as_ref().or(self.from.as_ref()).map_or("", |file| &file.path)
    }

    /// What is written in it on each side, None where there is no file; or why that is not known.
    pub fn texts(&self) -> Result<(Option<&str>, Option<&str>), &'static str> {
        // what was not read says more than what is no text
        match (self.text(self.from.as_ref()), self.text(self.to.as_ref())) {
            (Ok(from), Ok(to)) => Ok((from, to)),
            (Err(why), Ok(_)) | (Ok(_), Err(why)) => Err(why),
            (Err(from), Err(to)) => Err(if from == NO_TEXT { to } else { from }),
        }
    }

    fn text<'a>(&self, side: Option<&'a File>) -> Result<Option<&'a str>, &'static str> {
        let Some(File { size, bytes, .. }) = side else { return Ok(None) };
        match bytes {
            None if *size > LARGE && self.role == Role::Other => {
                Err("its bytes were not read, for it is larger than 4 MiB and no manifest")
            }
            None => Err("its bytes were not read"),
            Some(bytes) => {
                let text = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
                text.map(Some).ok_or(NO_TEXT)
            }
        }
    }
}

impl Text {
    pub fn as_str(&self) -> &str {
        self.file.get(self.at.clone()).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// Values may be secret: they are not in what is logged.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {}:{})", self.key, self.api_version, self.path, self.line)
    }
}

impl fmt::Debug for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = if self.secret { &(None, None) } else { &(self.from.as_ref(), self.to.as_ref()) };
        write!(f, "{} {:?} {values:?}", self.path, self.change)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                // a key with dots is one key
                Step::Field(name) if name.contains(['.', '[', ']', '"']) => write!(f, "[{name:?}]")?,
                Step::Field(name) if place == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Item(by) => {
                    let by: Vec<String> = by.iter().map(|(name, value)| format!("{name}={value}")).collect();
                    write!(f, "[{}]", by.join(","))?;
                }
                Step::Place(place) => write!(f, "[{place}]")?,
            }
        }
        Ok(())
    }
}

/// What stands where a secret value stood: equal words mean equal values.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown<'a> {
    Open(&'a Value),
    /// Masked: how long it is, in characters.
    Masked {
        length: usize,
    },
    Absent,
}

impl FieldChange {
    /// Both values, masked where they are secret and not asked for.
    pub fn shown(&self, revealed: bool) -> (Shown<'_>, Shown<'_>) {
        (
            shown(self.from.as_ref(), self.secret && !revealed),
            shown(self.to.as_ref(), self.secret && !revealed),
        )
    }
}

fn shown(value: Option<&Value>, masked: bool) -> Shown<'_> {
    match value {
        None => Shown::Absent,
        Some(value) if masked => Shown::Masked { length: length(value) },
        Some(value) => Shown::Open(value),
    }
}

fn length(value: &Value) -> usize {
    value.as_str().map_or_else(|| value.to_string().chars().count(), |text| text.chars().count())
}

/// Compares two sides. CPU-heavy: off the UI. `going` is asked now and then: false ends it early, with what is known
/// and an oddity that says so. On several threads: [`Plan`].
pub fn compare(from: &Side, to: &Side, going: &(dyn Fn() -> bool + Sync)) -> Diff {
    let plan = Plan::new(from, to);
    let read = (0..plan.len()).map(|part| if going() { plan.read(part) } else { Read::skipped() }).collect();
    plan.finish(read, going)
}

/// Lines of two texts side by side.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    pub rows: Vec<LineRow>,
    /// The finest comparison was given up after its time or size: what is shown is right, but coarse.
    pub coarse: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    pub sign: Sign,
    /// Numbers of the line on each side, from 1.
    pub from: Option<usize>,
    pub to: Option<usize>,
    /// Without its line break. From outside.
    pub text: Box<str>,
    /// Bytes of it that differ from the line that it replaces.
    pub strong: Vec<Range<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    Same,
    Removed,
    Added,
    /// So many equal lines are left out here.
    Gap(usize),
}
