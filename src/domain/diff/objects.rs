//! Documents of two sides -> objects that differ, matched across files. What cannot be read makes no object look
//! removed.

use super::{
    super::{
        object::{self, Key, Named},
        secret,
    },
    Change, FieldChange, Found, ObjectChange, Odd, Oddity, Step, Which, fields,
    fields::Fields,
    plan::{self, Identity, Item, Parsed, Part},
    renames,
    streams::{self, Streams},
};
use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};
use serde_json::{Value, json};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Everything that was read.
pub(super) struct Sides<'a> {
    pub(super) from: &'a Streams,
    pub(super) to: &'a Streams,
    /// By the document of the first side.
    pub(super) named: &'a HashMap<usize, Vec<Named>>,
    pub(super) parsed: &'a HashMap<Part, plan::Found>,
}

#[derive(Default)]
pub(super) struct Objects {
    pub(super) changes: Vec<ObjectChange>,
    pub(super) oddities: Vec<Oddity>,
    pub(super) same: usize,
    pub(super) ended: bool,
}

/// Objects of a file that are named in one sentence.
const NAMED: usize = 3;

/// Between two questions whether to go on.
const STEP: usize = 64;

pub(super) fn compare(sides: &Sides<'_>, going: &(dyn Fn() -> bool + Sync)) -> Objects {
    let from = Half::read(sides, Which::From);
    let to = Half::read(sides, Which::To);
    let mut matching = Matching { sides, found: Objects::default(), gone: Vec::new(), fresh: Vec::new() };
    let mut withheld = Withheld::default();
    for (number, (ones, twos)) in by_key(&from.entries, &to.entries).enumerate() {
        if number % STEP == 0 && !going() {
            matching.found.ended = true;
            break;
        }
        match (ones, twos) {
            ([.., one], []) if !to.may_hold(one, from.path(one)) => matching.gone.push(one),
            ([], [.., two]) if !from.may_hold(two, to.path(two)) => matching.fresh.push(two),
            ([.., one], []) => withheld.add(one, &from, &to),
            ([], [.., two]) => withheld.add(two, &to, &from),
            ([one], [two]) => matching.pair(one, two),
            (ones, twos) => {
                matching.copies(ones, twos).into_iter().for_each(|(one, two)| matching.pair(one, two));
            }
        }
    }
    matching.leave_over();
    let mut found = matching.found;
    found.oddities.extend(withheld.oddities());
    found.oddities.extend(oddities(from.oddities, to.oddities));
    found.oddities.sort_by(by_place);
    found.changes.sort_by(|one, two| order(one).cmp(&order(two)));
    found
}

/// The places of each object in both sides.
fn by_key<'e>(from: &'e [Entry], to: &'e [Entry]) -> impl Iterator<Item = (&'e [Entry], &'e [Entry])> {
    let groups = |entries: &'e [Entry]| entries.chunk_by(|one, two| one.who.key == two.who.key).peekable();
    let (mut from, mut to) = (groups(from), groups(to));
    std::iter::from_fn(move || {
        let order = match (from.peek(), to.peek()) {
            (Some(ones), Some(twos)) => ones[0].order().cmp(&twos[0].order()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        let ones = from.next_if(|_| order.is_le()).unwrap_or_default();
        let twos = to.next_if(|_| order.is_ge()).unwrap_or_default();
        Some((ones, twos))
    })
}

/// What a document of the other side may hold that says nothing of itself: neither gone nor new, and said to be so.
#[derive(Default)]
struct Withheld(BTreeMap<(Arc<str>, Which), (usize, Vec<String>)>);

impl Withheld {
    fn add(&mut self, entry: &Entry, own: &Half<'_>, other: &Half<'_>) {
        // one that the broken document names is told by that one
        if !other.unread.contains(&entry.who.key) {
            let path = own.streams.stream(entry.document).path.clone();
            let line = other.unknown.get(&path).copied().unwrap_or(1);
            let (_, names) = self.0.entry((path, entry.which)).or_insert_with(|| (line, Vec::new()));
            names.push(entry.who.key.to_string());
        }
    }

    fn oddities(self) -> impl Iterator<Item = Oddity> {
        self.0.into_iter().map(|((path, which), (line, names))| {
            let fate = if which == Which::From { "gone" } else { "new" };
            let more = names.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = names.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
            let what = format!(
                "not called {fate}, because {path}:{line} of the other side, which cannot be read, may hold it: {named}{more}"
            );
            Oddity { which, path, what: Odd::Cut(what.into()) }
        })
    }
}

/// Namespace, kind, name, group.
type Place<'a> = (Option<&'a str>, &'a str, &'a str, &'a str);

fn order(change: &ObjectChange) -> Option<Place<'_>> {
    let key = &change.found()?.key;
    Some((key.namespace.as_deref(), &key.kind, &key.name, &key.group))
}

/// An object of one side, maybe not parsed yet.
pub(super) struct Entry {
    pub(super) who: Arc<Identity>,
    pub(super) which: Which,
    pub(super) document: usize,
    /// Which of the document's objects it is.
    pub(super) item: usize,
    pub(super) value: Option<Arc<Value>>,
}

impl Entry {
    fn order(&self) -> Place<'_> {
        let Key { group, kind, namespace, name } = &self.who.key;
        (namespace.as_deref(), kind, name, group)
    }
}

/// The objects of one side.
struct Half<'a> {
    streams: &'a Streams,
    /// By key, those of one key in the order of the documents: an object may stand in several places, as a base and its
    /// patch do, or one for each environment.
    entries: Vec<Entry>,
    oddities: Vec<Oddity>,
    /// Named by documents that could not be read.
    unread: HashSet<Key>,
    /// Files with a document that could not be read and does not say what it is, and the line of the first.
    unknown: HashMap<Arc<str>, usize>,
}

impl<'a> Half<'a> {
    fn read(sides: &'a Sides<'a>, which: Which) -> Self {
        let streams = sides.streams(which);
        let mut half = Self {
            streams,
            entries: Vec::new(),
            oddities: Vec::new(),
            unread: HashSet::new(),
            unknown: HashMap::new(),
        };
        for (path, why) in &streams.unreadable {
            let what = Odd::Broken(object::Broken::new(1, why.clone()));
            half.odd(which, path, what);
            half.unknown.insert(path.clone(), 1);
        }
        for document in 0..streams.documents.len() {
            if streams::holds_objects(streams.stream(document).role) {
                half.read_document(sides, which, document);
            }
        }
        half.entries.sort_by(|one, two| one.order().cmp(&two.order()));
        half.find_doubled(which);
        half
    }

    fn find_doubled(&mut self, which: Which) {
        let doubled = self.entries.windows(2).filter(|pair| pair[0].who.key == pair[1].who.key).map(|pair| {
            let Entry { who, document, .. } = &pair[0];
            let line = self.streams.documents[*document].place.line;
            let path = self.streams.stream(*document).path.clone();
            Oddity { which, path, what: Odd::Doubled { key: who.key.clone(), line } }
        });
        self.oddities.extend(doubled);
    }

    fn read_document(&mut self, sides: &Sides<'_>, which: Which, document: usize) {
        if let Some(named) = sides.named(which, document) {
            for (item, named) in named.iter().enumerate().filter(|(_, named)| is_object(&named.api_version)) {
                let who = Arc::new(Identity { key: named.key(), api_version: named.api_version.clone() });
                self.entries.push(Entry { who, which, document, item, value: None });
            }
            return;
        }
        let stream = self.streams.stream(document);
        match sides.parsed(which, document) {
            Some(plan::Found::Value(None)) => {}
            Some(plan::Found::Value(Some(parsed))) => self.add_parsed(which, document, parsed),
            Some(plan::Found::Broken(broken)) => {
                if streams::is_named_yaml(&stream.path) || sides.seems_to_hold_objects(which, document) {
                    let what = if broken.limit { Odd::Limit } else { Odd::Broken };
                    self.odd(which, &stream.path, what(broken.clone()));
                }
                self.miss(document, broken.line);
            }
            Some(plan::Found::Skipped) | None => {
                self.miss(document, self.streams.documents[document].place.line);
            }
        }
    }

    fn add_parsed(&mut self, which: Which, document: usize, parsed: &Parsed) {
        let mut nameless = false;
        for (item, Item { identity, value }) in parsed.items.iter().enumerate() {
            match identity {
                Some(who) if is_object(&who.api_version) => {
                    let (who, value) = (Arc::clone(who), Some(Arc::clone(value)));
                    self.entries.push(Entry { who, which, document, item, value });
                }
                Some(_) | None => nameless = true,
            }
        }
        let stream = self.streams.stream(document);
        if nameless && streams::is_named_yaml(&stream.path) {
            let line = self.streams.documents[document].place.line;
            self.odd(which, &stream.path, Odd::NoObject { line });
        }
    }

    /// What it names, as far as that can be seen, is neither there nor gone.
    fn miss(&mut self, document: usize, line: usize) {
        let named = object::scan(self.streams.text(document).as_str());
        if named.is_empty() {
            self.unknown.entry(self.streams.stream(document).path.clone()).or_insert(line);
        }
        let key =
            |named: Named| Key::new(&named.api_version, &named.kind, named.namespace.as_deref(), &named.name);
        self.unread.extend(named.into_iter().map(key));
    }

    fn may_hold(&self, entry: &Entry, path: &str) -> bool {
        self.unread.contains(&entry.who.key) || self.unknown.contains_key(path)
    }

    fn path(&self, entry: &Entry) -> &str {
        &self.streams.stream(entry.document).path
    }

    fn odd(&mut self, which: Which, path: &Arc<str>, what: Odd) {
        self.oddities.push(Oddity { which, path: path.clone(), what });
    }
}

impl Sides<'_> {
    /// Of JSON that cannot be read: most of it is configuration, and no object.
    fn seems_to_hold_objects(&self, which: Which, document: usize) -> bool {
        let stream = self.streams(which).stream(document);
        let text = self.streams(which).text(document);
        let says = |word: &str| text.as_str().contains(word);
        let other = if which == Which::To { Which::From } else { Which::To };
        let holds = |document| match (self.named(other, document), self.parsed(other, document)) {
            (Some(named), _) => !named.is_empty(),
            (None, Some(plan::Found::Value(Some(parsed)))) => {
                parsed.items.iter().any(|item| item.identity.is_some())
            }
            (None, Some(plan::Found::Value(None) | plan::Found::Broken(_) | plan::Found::Skipped) | None) => {
                false
            }
        };
        says("\"apiVersion\"") && says("\"kind\"")
            || self.streams(other).at_path(&stream.path).is_some_and(|it| it.documents.clone().any(holds))
    }

    pub(super) fn streams(&self, which: Which) -> &Streams {
        match which {
            Which::From | Which::Both => self.from,
            Which::To => self.to,
        }
    }

    /// Of a document that is on both sides: what it names.
    fn named(&self, which: Which, document: usize) -> Option<&[Named]> {
        let first = match which {
            Which::From | Which::Both => document,
            Which::To => self.to.documents[document].twin?,
        };
        self.named.get(&first).map(Vec::as_slice)
    }

    pub(super) fn parsed(&self, which: Which, document: usize) -> Option<&plan::Found> {
        match (which, self.streams(which).documents[document].twin) {
            (Which::To, Some(twin)) => self.parsed.get(&Part { which: Which::From, document: twin }),
            (which, _) => self.parsed.get(&Part { which, document }),
        }
    }

    /// Parsed now, if it was not before: an object whose document is on both sides but not at its place.
    fn value(&self, entry: &Entry) -> Arc<Value> {
        if let Some(value) = &entry.value {
            return value.clone();
        }
        let streams = self.streams(entry.which);
        let parsed = object::parse(streams.text(entry.document).as_str(), streams.dialect(entry.document));
        let items = parsed.ok().flatten().map(object::unroll).unwrap_or_default();
        Arc::new(items.into_iter().nth(entry.item).unwrap_or_default())
    }

    fn found(&self, entry: &Entry, value: Arc<Value>) -> Found {
        let streams = self.streams(entry.which);
        Found {
            key: entry.who.key.clone(),
            api_version: entry.who.api_version.clone(),
            path: streams.stream(entry.document).path.clone(),
            line: streams.documents[entry.document].place.line,
            value,
            text: streams.text(entry.document),
        }
    }
}

pub(super) fn unrolled(value: &Arc<Value>) -> Vec<Arc<Value>> {
    let list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    if list {
        object::unroll((**value).clone()).into_iter().map(Arc::new).collect()
    } else {
        vec![value.clone()]
    }
}

/// What kustomize reads itself is never applied.
fn is_object(api_version: &str) -> bool {
    !api_version.starts_with("kustomize.config.k8s.io/")
}

struct Matching<'a> {
    sides: &'a Sides<'a>,
    found: Objects,
    gone: Vec<&'a Entry>,
    fresh: Vec<&'a Entry>,
}

impl Matching<'_> {
    /// Of an object that stands in several places: what is the same, then what stands in the same file, then in order.
    /// A copy that is left over is none that is gone or new: the object is on both sides.
    fn copies<'e>(&self, ones: &'e [Entry], twos: &'e [Entry]) -> Vec<(&'e Entry, &'e Entry)> {
        let documents = &self.sides.from.documents;
        let mut by_place: HashMap<(usize, usize), &Entry> =
            twos.iter().map(|two| ((two.document, two.item), two)).collect();
        let (mut pairs, mut rest) = (Vec::new(), Vec::new());
        for one in ones {
            let twin = documents[one.document].twin.and_then(|twin| by_place.remove(&(twin, one.item)));
            match twin {
                Some(two) => pairs.push((one, two)),
                None => rest.push(one),
            }
        }
        let mut left: BTreeMap<(usize, usize), &Entry> = by_place.into_iter().collect();
        let mut by_path: HashMap<&str, VecDeque<(usize, usize)>> = HashMap::new();
        for (place, two) in &left {
            by_path.entry(&self.sides.to.stream(two.document).path).or_default().push_back(*place);
        }
        rest.retain(|one| {
            let path = &*self.sides.from.stream(one.document).path;
            let found = by_path.get_mut(path).and_then(VecDeque::pop_front);
            let two = found.and_then(|place| left.remove(&place));
            pairs.extend(two.map(|two| (*one, two)));
            two.is_none()
        });
        pairs.extend(rest.into_iter().zip(left.into_values()));
        pairs
    }

    fn pair(&mut self, one: &Entry, two: &Entry) {
        let streams = (self.sides.from, self.sides.to);
        let moved = streams.0.stream(one.document).path != streams.1.stream(two.document).path;
        let same_text = one.item == two.item
            && streams.0.dialect(one.document) == streams.1.dialect(two.document)
            && streams.0.bytes(one.document) == streams.1.bytes(two.document);
        if same_text && !moved {
            self.found.same += 1;
            return;
        }
        if same_text {
            // equal documents are not parsed; who it is is known
            let value = one.value.clone().unwrap_or_else(|| Arc::new(names(one)));
            self.change(Change::Moved, Some((one, value.clone())), Some((two, value)), Fields::default());
            return;
        }
        let (from, to) = (self.sides.value(one), self.sides.value(two));
        let fields = fields(&from, &to);
        let change = match (fields.changes.is_empty(), moved) {
            (false, _) => Change::Changed,
            (true, true) => Change::Moved,
            // an item of a List is formatted with its whole document
            (true, false) if self.is_same_item(one, two) => {
                self.found.same += 1;
                return;
            }
            (true, false) => Change::Formatting,
        };
        if is_reencrypted(&fields.changes) {
            let what = format!(
                "{}: every value that SOPS encrypted differs, and what is in them cannot be compared: they may say what they said, encrypted again",
                two.who.key
            );
            let path = streams.1.stream(two.document).path.clone();
            self.found.oddities.push(Oddity { which: Which::Both, path, what: Odd::Cut(what.into()) });
        }
        self.change(change, Some((one, from)), Some((two, to)), fields);
    }

    /// Of a List of several: another item is what differs in its text.
    fn is_same_item(&self, one: &Entry, two: &Entry) -> bool {
        let many = |entry: &Entry| match self.sides.parsed(entry.which, entry.document) {
            Some(plan::Found::Value(Some(Parsed { value, .. }))) => {
                value.get("items").and_then(Value::as_array).is_some_and(|items| items.len() > 1)
            }
            Some(plan::Found::Value(None) | plan::Found::Broken(_) | plan::Found::Skipped) | None => false,
        };
        let list = |entry: &Entry| !entry.who.key.kind.ends_with("List") && many(entry);
        list(one) || list(two)
    }

    fn leave_over(&mut self) {
        let gone: Vec<(&Entry, Arc<Value>)> = std::mem::take(&mut self.gone)
            .into_iter()
            .map(|entry| (entry, self.sides.value(entry)))
            .collect();
        let fresh: Vec<(&Entry, Arc<Value>)> = std::mem::take(&mut self.fresh)
            .into_iter()
            .map(|entry| (entry, self.sides.value(entry)))
            .collect();
        let renames = renames::find(&gone, &fresh);
        for (kind, removed, added) in renames.skipped {
            let what =
                format!("{removed} {kind} gone and {added} new: too many to look for renames among them");
            self.found.oddities.push(Oddity {
                which: Which::Both,
                path: Arc::from(""),
                what: Odd::Cut(what.into()),
            });
        }
        let (mut of_gone, mut of_fresh) = (HashSet::new(), HashSet::new());
        for (one, two) in renames.pairs {
            of_gone.insert(one);
            of_fresh.insert(two);
            let fields = fields(&gone[one].1, &fresh[two].1);
            self.change(Change::Renamed, Some(gone[one].clone()), Some(fresh[two].clone()), fields);
        }
        for (_, entry) in gone.into_iter().enumerate().filter(|(number, _)| !of_gone.contains(number)) {
            self.change(Change::Removed, Some(entry), None, Fields::default());
        }
        for (_, entry) in fresh.into_iter().enumerate().filter(|(number, _)| !of_fresh.contains(number)) {
            self.change(Change::Added, None, Some(entry), Fields::default());
        }
    }

    fn change(
        &mut self,
        change: Change,
        from: Option<(&Entry, Arc<Value>)>,
        to: Option<(&Entry, Arc<Value>)>,
        fields: Fields,
    ) {
        let found = |(entry, value): (&Entry, Arc<Value>)| self.sides.found(entry, value);
        let (from, to) = (from.map(found), to.map(found));
        self.found.changes.push(ObjectChange { change, from, to, fields: fields.changes, cut: fields.cut });
    }
}

/// Nothing differs but encrypted values and what SOPS keeps about them: so it looks after `sops rotate`, and
/// after an edit of each value.
fn is_reencrypted(changes: &[FieldChange]) -> bool {
    let encrypted =
        |value: &Option<Value>| value.as_ref().and_then(Value::as_str).is_some_and(secret::is_encrypted);
    let of_sops =
        |change: &FieldChange| matches!(change.path.0.first(), Some(Step::Field(name)) if &**name == "sops");
    let both = |change: &FieldChange| encrypted(&change.from) && encrypted(&change.to);
    changes.iter().any(of_sops)
        && changes.iter().any(both)
        && changes.iter().all(|one| of_sops(one) || both(one))
}

/// What is known of an object that nobody parsed.
fn names(entry: &Entry) -> Value {
    let Identity { key: Key { group: _, kind, namespace, name }, api_version } = &*entry.who;
    match namespace {
        Some(namespace) => {
            json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": namespace}})
        }
        None => json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}),
    }
}

/// Of both sides; what is on both stands once, with the line of the second.
fn oddities(from: Vec<Oddity>, to: Vec<Oddity>) -> Vec<Oddity> {
    let mut left: HashMap<(Arc<str>, String), Vec<Oddity>> = HashMap::new();
    for oddity in from.into_iter().rev() {
        left.entry((oddity.path.clone(), signature(&oddity.what))).or_default().push(oddity);
    }
    let mut all = Vec::new();
    for oddity in to {
        let own = left.get_mut(&(oddity.path.clone(), signature(&oddity.what))).and_then(Vec::pop);
        all.push(Oddity { which: own.map_or(Which::To, |_| Which::Both), ..oddity });
    }
    all.extend(left.into_values().flatten());
    all
}

fn by_place(one: &Oddity, two: &Oddity) -> std::cmp::Ordering {
    let what = |odd: &Oddity| (line(&odd.what), odd.which, signature(&odd.what));
    one.path.cmp(&two.path).then_with(|| what(one).cmp(&what(two)))
}

fn line(odd: &Odd) -> usize {
    match odd {
        Odd::Broken(broken) | Odd::Limit(broken) => broken.line,
        Odd::NoObject { line } | Odd::Doubled { line, .. } => *line,
        Odd::Cut(_) => 0,
    }
}

/// What it says, wherever it stands in its file.
fn signature(odd: &Odd) -> String {
    match odd {
        Odd::Broken(_) => "broken".to_owned(),
        Odd::Limit(_) => "limit".to_owned(),
        Odd::NoObject { .. } => "no object".to_owned(),
        Odd::Doubled { key, .. } => format!("doubled {key} {}", key.group),
        Odd::Cut(why) => why.to_string(),
    }
}
