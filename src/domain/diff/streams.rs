//! The YAML and JSON of one side: its files as text, their documents, and which of them stand in the other side byte by
//! byte. It parses nothing.

use super::{
    super::{
        object::{self, Dialect, Role},
        secret,
    },
    File, Side, Text,
};
use bytes::Bytes;
use foldhash::{HashMap, HashMapExt, HashSet};
use std::{collections::VecDeque, ops::Range, sync::Arc};

/// The folders of one side that hold a `Chart.yaml`.
pub(super) struct Charts<'a>(HashSet<&'a str>);

impl<'a> Charts<'a> {
    pub(super) fn of(side: &'a Side) -> Self {
        let folder = |file: &'a File| {
            let folder = file.path.strip_suffix("Chart.yaml")?;
            if folder.is_empty() { Some(folder) } else { folder.strip_suffix('/') }
        };
        Self(side.files.iter().filter_map(folder).collect())
    }

    /// Only the folders above a file say what it is for: there may be thousands of others.
    pub(super) fn role(&self, path: &str) -> Role {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        let charts: Vec<&str> = above.chain([""]).filter(|folder| self.0.contains(folder)).collect();
        object::role(path, &charts)
    }
}

/// One file that holds documents.
pub(super) struct Stream {
    pub(super) path: Arc<str>,
    pub(super) role: Role,
    /// UTF-8, whatever the file was.
    pub(super) text: Bytes,
    pub(super) documents: Range<usize>,
}

pub(super) struct Document {
    pub(super) stream: usize,
    pub(super) place: object::Document,
    /// The same bytes in the other side.
    pub(super) twin: Option<usize>,
}

#[derive(Default)]
pub(super) struct Streams {
    pub(super) files: Vec<Stream>,
    pub(super) documents: Vec<Document>,
    /// Files that should hold objects and are no text.
    pub(super) unreadable: Vec<(Arc<str>, Box<str>)>,
    by_path: HashMap<Arc<str>, usize>,
}

impl Streams {
    /// `wanted`: whether the documents of a file of this role are looked at.
    pub(super) fn of(side: &Side, charts: &Charts<'_>, wanted: impl Fn(&File, Role) -> bool) -> Self {
        let mut streams = Self::default();
        for file in &side.files {
            let role = charts.role(&file.path);
            if let (true, Some(bytes)) = (wanted(file, role), &file.bytes) {
                streams.add(file, role, bytes);
            }
        }
        streams
    }

    fn add(&mut self, file: &File, role: Role, bytes: &Bytes) {
        let Some(text) = text(bytes) else {
            if holds_objects(role) && is_named_yaml(&file.path) {
                self.unreadable.push((file.path.clone(), "it is neither UTF-8 nor UTF-16".into()));
            }
            return;
        };
        let (stream, first) = (self.files.len(), self.documents.len());
        for place in object::documents(std::str::from_utf8(&text).unwrap_or_default()) {
            self.documents.push(Document { stream, place, twin: None });
        }
        let documents = first..self.documents.len();
        self.by_path.insert(file.path.clone(), stream);
        self.files.push(Stream { path: file.path.clone(), role, text, documents });
    }

    pub(super) fn stream(&self, document: usize) -> &Stream {
        &self.files[self.documents[document].stream]
    }

    pub(super) fn at_path(&self, path: &str) -> Option<&Stream> {
        self.by_path.get(path).map(|stream| &self.files[*stream])
    }

    pub(super) fn text(&self, document: usize) -> Text {
        Text { file: self.stream(document).text.clone(), at: self.documents[document].place.at.clone() }
    }

    pub(super) fn bytes(&self, document: usize) -> &[u8] {
        self.stream(document).text.get(self.documents[document].place.at.clone()).unwrap_or_default()
    }

    /// As the reader of the file takes it.
    pub(super) fn dialect(&self, document: usize) -> Dialect {
        match self.stream(document).role {
            Role::Manifests | Role::Kustomization | Role::Template | Role::Other => Dialect::Kustomize,
            // Helm itself sends these to the cluster, without a post-renderer
            Role::ChartCrd | Role::Chart | Role::Values => Dialect::Helm,
        }
    }
}

/// Each document finds its like in the other side: at its place in the same file, elsewhere in it, in any other.
pub(super) fn find_twins(from: &mut Streams, to: &mut Streams) {
    let mut pairs = in_place(from, to);
    let taken: HashSet<usize> = pairs.iter().map(|(_, two)| *two).collect();
    let mut left: HashMap<(&str, &[u8]), VecDeque<usize>> = HashMap::new();
    for number in (0..to.documents.len()).filter(|number| !taken.contains(number)) {
        left.entry((&to.stream(number).path, to.bytes(number))).or_default().push_back(number);
    }
    let taken: HashSet<usize> = pairs.iter().map(|(one, _)| *one).collect();
    let mut rest = Vec::new();
    for number in (0..from.documents.len()).filter(|number| !taken.contains(number)) {
        let found = left.get_mut(&(&*from.stream(number).path, from.bytes(number)));
        match found.and_then(VecDeque::pop_front) {
            Some(twin) => pairs.push((number, twin)),
            None => rest.push(number),
        }
    }
    // what moved to another file; documents of different dialects say different things
    let mut elsewhere: HashMap<(Dialect, &[u8]), VecDeque<usize>> = HashMap::new();
    let mut free: Vec<usize> = left.into_values().flatten().collect();
    free.sort_unstable();
    for number in free {
        elsewhere.entry((to.dialect(number), to.bytes(number))).or_default().push_back(number);
    }
    for number in rest {
        let found = elsewhere.get_mut(&(from.dialect(number), from.bytes(number)));
        pairs.extend(found.and_then(VecDeque::pop_front).map(|twin| (number, twin)));
    }
    for (one, two) in pairs {
        from.documents[one].twin = Some(two);
        to.documents[two].twin = Some(one);
    }
}

/// Most documents stand where they stood: these are compared, and not looked up.
fn in_place(from: &Streams, to: &Streams) -> Vec<(usize, usize)> {
    let same_path = from.files.iter().filter_map(|one| Some((one, to.at_path(&one.path)?)));
    let places = same_path.flat_map(|(one, two)| one.documents.clone().zip(two.documents.clone()));
    places.filter(|(one, two)| from.bytes(*one) == to.bytes(*two)).collect()
}

/// None: bytes that are no text.
fn text(bytes: &Bytes) -> Option<Bytes> {
    match &bytes[..] {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Bytes::from(secret::decoded(bytes))),
        _ => std::str::from_utf8(bytes).is_ok().then(|| bytes.clone()),
    }
}

/// What is in it is applied as it stands.
pub(super) fn holds_objects(role: Role) -> bool {
    matches!(role, Role::Manifests | Role::ChartCrd)
}

/// Its text is YAML or JSON, whatever it is for.
pub(super) fn holds_documents(role: Role) -> bool {
    match role {
        Role::Manifests | Role::Kustomization | Role::Chart | Role::Values | Role::ChartCrd => true,
        Role::Template | Role::Other => false,
    }
}

/// Kustomize reads it without being told to; JSON must be named.
pub(in crate::domain) fn is_named_yaml(path: &str) -> bool {
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    ["yaml", "yml"].contains(&end)
}
