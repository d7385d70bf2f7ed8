//! A comparison in steps: what has to be parsed, each of it by itself (on any thread), and the rest. It starts no thread.

use super::{
    super::object::{self, Broken, Key, Named, Role},
    Change, Diff, File, FileChange, ObjectChange, Odd, Oddity, Side, Which, files,
    objects::{self, Sides},
    streams::{self, Charts, Streams, find_twins},
};
use foldhash::{HashMap, HashMapExt, HashSet};
use serde_json::Value;
use std::sync::Arc;

/// What has to be done to compare two sides.
pub struct Plan {
    files: Vec<FileChange>,
    same_files: usize,
    from: Streams,
    to: Streams,
    /// Of each document that is not parsed because it stands in the other side too: what it names.
    named: HashMap<usize, Vec<Named>>,
    parts: Vec<Part>,
}

/// A document that must be parsed. What is the same on both sides is read once, in the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) which: Which,
    pub(super) document: usize,
}

/// A parsed document.
#[derive(Debug, Clone)]
pub struct Read(pub(super) Found);

#[derive(Debug, Clone)]
pub(super) enum Found {
    /// None: it is empty.
    Value(Option<Parsed>),
    Broken(Broken),
    /// It was not read: somebody ended it early.
    Skipped,
}

#[derive(Debug, Clone)]
pub(super) struct Parsed {
    pub(super) value: Arc<Value>,
    /// What a List stands for, or itself. Of a document that holds no objects: nothing.
    pub(super) items: Vec<Item>,
}

/// One of the objects of a document.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// None: it names no object.
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) value: Arc<Value>,
}

#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) key: Key,
    pub(super) api_version: Box<str>,
}

impl Parsed {
    fn new(value: Value, holds_objects: bool) -> Self {
        let value = Arc::new(value);
        let items = if holds_objects { objects::unrolled(&value) } else { Vec::new() };
        // who they are is asked while they are still at hand
        let items =
            items.into_iter().map(|value| Item { identity: Identity::of(&value).map(Arc::new), value });
        Self { items: items.collect(), value }
    }
}

impl Identity {
    fn of(value: &Value) -> Option<Self> {
        let key = Key::of(value)?;
        Some(Self { key, api_version: value.get("apiVersion")?.as_str()?.into() })
    }
}

impl Read {
    pub fn skipped() -> Self {
        Self(Found::Skipped)
    }
}

impl Plan {
    /// Compares bytes, finds documents, names those that are on both sides.
    pub fn new(from: &Side, to: &Side) -> Self {
        let (own, others) = (Charts::of(from), Charts::of(to));
        let (files, same_files) = files::compare(from, to, (&own, &others));
        let changed: HashSet<&str> =
            files.iter().filter(|file| file.change == Change::Changed).map(FileChange::path).collect();
        let wanted = |file: &File, role: Role| {
            streams::holds_objects(role) || (streams::holds_documents(role) && changed.contains(&*file.path))
        };
        let (mut of_from, mut of_to) = (Streams::of(from, &own, wanted), Streams::of(to, &others, wanted));
        find_twins(&mut of_from, &mut of_to);
        let mut plan =
            Self { files, same_files, from: of_from, to: of_to, named: HashMap::new(), parts: Vec::new() };
        plan.lay_out();
        plan
    }

    /// How many documents must be parsed.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many bytes these documents have: whether threads are worth their start.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(|part| self.streams(part.which).bytes(part.document).len()).sum()
    }

    /// Parses one of them; each can be done on a thread of its own. A number that is none is skipped.
    pub fn read(&self, part: usize) -> Read {
        let Some(part) = self.parts.get(part) else { return Read::skipped() };
        let streams = self.streams(part.which);
        let text = streams.text(part.document);
        Read(match object::parse(text.as_str(), streams.dialect(part.document)) {
            Ok(value) => {
                let holds_objects = streams::holds_objects(streams.stream(part.document).role);
                Found::Value(value.map(|value| Parsed::new(value, holds_objects)))
            }
            Err(broken) => Found::Broken(broken.under(&streams.documents[part.document].place)),
        })
    }

    /// The rest. `read`: what [`Plan::read`] gave, in the order of the numbers; what is missing was not read.
    pub fn finish(mut self, read: Vec<Read>, going: &(dyn Fn() -> bool + Sync)) -> Diff {
        let skipped =
            read.len() < self.parts.len() || read.iter().any(|read| matches!(read.0, Found::Skipped));
        let parsed: HashMap<Part, Found> =
            self.parts.iter().copied().zip(read.into_iter().map(|read| read.0)).collect();
        let sides = Sides { from: &self.from, to: &self.to, named: &self.named, parsed: &parsed };
        let mut found = objects::compare(&sides, going);
        files::find_formatting(&mut self.files, &sides, &touched(&found.changes));
        if skipped || found.ended {
            let what = Odd::Cut("it was ended before everything was compared".into());
            found.oddities.push(Oddity { which: Which::Both, path: Arc::from(""), what });
        }
        Diff {
            files: self.files,
            objects: found.changes,
            oddities: found.oddities,
            same_files: self.same_files,
            same_objects: found.same,
        }
    }

    fn streams(&self, which: Which) -> &Streams {
        match which {
            Which::From | Which::Both => &self.from,
            Which::To => &self.to,
        }
    }

    fn lay_out(&mut self) {
        for document in 0..self.from.documents.len() {
            let stream = self.from.stream(document);
            if self.from.documents[document].twin.is_none() {
                self.parts.push(Part { which: Which::From, document });
            } else if streams::holds_objects(stream.role) {
                let text = self.from.text(document);
                let named = object::scan(text.as_str());
                // why it names nothing is known by reading it only
                if named.is_empty() && streams::is_named_yaml(&stream.path) {
                    self.parts.push(Part { which: Which::From, document });
                } else {
                    self.named.insert(document, named);
                }
            }
        }
        let fresh = |(_, document): &(usize, &streams::Document)| document.twin.is_none();
        let of_to = self.to.documents.iter().enumerate().filter(fresh);
        self.parts.extend(of_to.map(|(document, _)| Part { which: Which::To, document }));
        // several threads end together when the small ones come last
        let (from, to) = (&self.from, &self.to);
        self.parts.sort_by_cached_key(|part| {
            let streams = if part.which == Which::To { to } else { from };
            std::cmp::Reverse(streams.bytes(part.document).len())
        });
    }
}

/// Files of objects that are not only written differently.
fn touched(objects: &[ObjectChange]) -> HashSet<Arc<str>> {
    let differ = objects.iter().filter(|object| object.change != Change::Formatting);
    let found = differ.flat_map(|object| [&object.from, &object.to]);
    found.flatten().map(|found| found.path.clone()).collect()
}
