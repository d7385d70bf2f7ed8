//! Rows of objects, as a tree or flat: which are shown, in which order, which one is selected.
//! The arranged view is kept; a frame formats only what is visible.

use super::moved;
use crate::{
    app::{
        command::Command,
        filter::{Filter, Subject},
        ledger::{Counts, Entry},
        memory::Memory,
    },
    domain::{
        Timestamp,
        identity::{Kind, ObjectId},
        standing::Standing,
    },
    widgets::{layout, text},
};
use foldhash::fast::RandomState;
use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// What stands under a row.
type Children<'a> = HashMap<Anchor, Vec<(&'a ObjectId, &'a Entry)>, RandomState>;

/// What a row is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Anchor {
    /// An object, or one that others point at and that is not here.
    Object(ObjectId),
    /// Consumers that name no source.
    NoSource,
}

impl Anchor {
    pub fn object(&self) -> Option<&ObjectId> {
        match self {
            Self::Object(id) => Some(id),
            Self::NoSource => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub anchor: Anchor,
    pub depth: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// Sources with their consumers under them.
    Tree,
    Flat(Kind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    #[default]
    State,
    Name,
    Running,
    Age,
}

impl Sort {
    /// In the order of their columns.
    const ALL: [Self; 4] = [Self::State, Self::Name, Self::Running, Self::Age];
}

/// The widest content of the columns whose width depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Widest {
    pub state: usize,
    pub kind: usize,
    pub name: usize,
    pub follows: usize,
    pub running: usize,
}

#[derive(Debug)]
pub struct Rows {
    pub arrangement: Arrangement,
    pub filter: Filter,
    pub faults: bool,
    pub sort: Sort,
    pub reversed: bool,
    pub marks: BTreeSet<ObjectId>,
    selected: Option<Anchor>,
    /// Where the selection was when the view was last arranged.
    at: usize,
    offset: usize,
    view: Vec<Row>,
    /// Objects of the view, and of the same view without filter.
    pub shown: usize,
    pub total: usize,
    /// Of the same view without filter.
    pub counts: Counts,
    pub widest: Widest,
    arranged: Option<(u64, Option<Arc<str>>)>,
    /// How often the view was arranged: what has to stay small.
    pub arrangements: u64,
    /// Somebody chose the selection; before that it is the first row, whatever comes.
    chosen: bool,
}

impl Rows {
    pub fn new(arrangement: Arrangement) -> Self {
        Self {
            arrangement,
            filter: Filter::default(),
            faults: false,
            sort: Sort::default(),
            reversed: false,
            marks: BTreeSet::new(),
            selected: None,
            at: 0,
            offset: 0,
            view: Vec::new(),
            shown: 0,
            total: 0,
            counts: Counts::default(),
            widest: Widest::default(),
            arranged: None,
            arrangements: 0,
            chosen: false,
        }
    }

    pub fn view(&self) -> &[Row] {
        &self.view
    }

    pub fn selected(&self) -> Option<&Anchor> {
        self.selected.as_ref()
    }

    pub fn selected_object(&self) -> Option<&ObjectId> {
        self.selected.as_ref().and_then(Anchor::object)
    }

    pub fn select(&mut self, id: &ObjectId) {
        self.selected = Some(Anchor::Object(id.clone()));
        self.chosen = true;
        self.arranged = None;
    }

    /// The selection, if there is a row with it.
    pub fn cursor(&self) -> Option<usize> {
        (self.view.get(self.at).map(|row| &row.anchor) == self.selected.as_ref() && !self.view.is_empty())
            .then_some(self.at)
    }

    /// The rows that a window of this height shows.
    pub fn visible(&self, height: usize) -> std::ops::Range<usize> {
        let first = layout::window(self.offset, self.at, height, self.view.len());
        first..(first + height).min(self.view.len())
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.arranged = None;
    }

    pub fn toggle_faults(&mut self) {
        self.faults = !self.faults;
        self.arranged = None;
    }

    pub fn sort_by(&mut self, sort: Sort) {
        self.reversed = self.sort == sort && !self.reversed;
        self.sort = sort;
        self.arranged = None;
    }

    /// Sorts by the next column that rows can be sorted by; behind the last comes the first.
    pub fn sort_beside(&mut self, right: bool) {
        let count = Sort::ALL.len();
        let here = Sort::ALL.iter().position(|sort| *sort == self.sort).unwrap_or(0);
        self.sort = Sort::ALL[(here + if right { 1 } else { count - 1 }) % count];
        self.reversed = false;
        self.arranged = None;
    }

    /// Marks or unmarks, and goes on to the next row as k9s does.
    pub fn toggle_mark(&mut self) {
        if let Some(id) = self.selected_object().cloned()
            && !self.marks.remove(&id)
        {
            self.marks.insert(id);
        }
        self.chosen = true;
        self.go(self.at + 1);
    }

    /// Moves the selection. False: not a movement.
    pub fn step(&mut self, command: Command, page: usize) -> bool {
        let to = match command {
            Command::Left => self.above(),
            Command::Right => self.below(),
            other => match moved(other, self.at, page, self.view.len()) {
                Some(to) => to,
                None => return false,
            },
        };
        self.chosen = true;
        self.go(to);
        self.offset = layout::window(self.offset, self.at, page, self.view.len());
        true
    }

    fn go(&mut self, to: usize) {
        self.at = to.min(self.view.len().saturating_sub(1));
        self.selected = self.view.get(self.at).map(|row| row.anchor.clone());
    }

    /// The row it stands under.
    fn above(&self) -> usize {
        let depth = self.view.get(self.at).map_or(0, |row| row.depth);
        (0..self.at).rev().find(|&at| self.view[at].depth < depth).unwrap_or(self.at)
    }

    /// The first row under it.
    fn below(&self) -> usize {
        let depth = self.view.get(self.at).map_or(0, |row| row.depth);
        let next = self.at + 1;
        if self.view.get(next).is_some_and(|row| row.depth > depth) { next } else { self.at }
    }

    /// Arranges the view again if what it shows may have changed, and keeps the selection on its object.
    pub fn settle(&mut self, memory: &Memory) {
        let wanted = (self.version(memory), memory.focus().cloned());
        if self.arranged.as_ref() == Some(&wanted) {
            return;
        }
        self.arranged = Some(wanted);
        self.view = self.arrange(memory);
        self.arrangements += 1;
        self.marks.retain(|id| memory.ledger.get(id).is_some());
        let found =
            self.selected.as_ref().and_then(|wanted| self.view.iter().position(|r| r.anchor == *wanted));
        match found {
            Some(at) if self.chosen => self.at = at,
            Some(_) => self.go(0),
            None => self.go(self.at),
        }
    }

    /// With a filter every change of an object may bring or take a row; without one only a change of shape.
    fn version(&self, memory: &Memory) -> u64 {
        if self.filter.is_empty() { memory.ledger.shape } else { memory.ledger.touches }
    }

    fn arrange(&mut self, memory: &Memory) -> Vec<Row> {
        let focus = memory.focus();
        let kind = match self.arrangement {
            Arrangement::Tree => None,
            Arrangement::Flat(kind) => Some(kind),
        };
        let mut inside: Vec<(&ObjectId, &Entry)> = memory
            .ledger
            .entries()
            .filter(|(id, _)| focus.is_none_or(|namespace| *namespace == id.namespace))
            .filter(|(id, _)| kind.is_none_or(|kind| kind == id.kind))
            .collect();
        self.total = inside.len();
        self.counts = inside.iter().fold(Counts::default(), |counts, (_, entry)| counts.with(entry));
        inside.retain(|(_, entry)| self.shows(entry));
        self.shown = inside.len();
        self.widest = widest(&inside);
        let view = match self.arrangement {
            Arrangement::Tree => self.tree(memory, &inside),
            Arrangement::Flat(_) => self.flat(inside),
        };
        for row in &view {
            let Anchor::Object(id) = &row.anchor else { continue };
            let entry = memory.ledger.get(id);
            if let Some(entry) = entry.filter(|_| row.depth == 0) {
                self.widest.follows = self.widest.follows.max(text::width(&entry.follows));
            }
            let own = entry.map(|entry| text::width(&entry.path));
            let name = own.unwrap_or(id.namespace.len() + 1 + id.name.len());
            self.widest.name = self.widest.name.max(name + 2 * usize::from(row.depth));
            self.widest.kind = self.widest.kind.max(id.kind.short().len());
            if entry.is_none() {
                self.widest.state = self.widest.state.max("unwatched".len());
            }
        }
        view
    }

    fn shows(&self, entry: &Entry) -> bool {
        let standing = entry.assessment.standing;
        if self.faults && !standing.needs_someone() {
            return false;
        }
        self.filter.is_empty()
            || self.filter.matches(&Subject {
                object: &entry.object,
                assessment: &entry.assessment,
                words: &entry.words,
            })
    }

    fn flat(&self, inside: Vec<(&ObjectId, &Entry)>) -> Vec<Row> {
        let sorted = self.sorted(inside).into_iter();
        sorted.map(|(id, _)| Row { anchor: Anchor::Object(id.clone()), depth: 0 }).collect()
    }

    /// A key is made once for each, not for each comparison.
    fn sorted<'a>(&self, members: Vec<(&'a ObjectId, &'a Entry)>) -> Vec<(&'a ObjectId, &'a Entry)> {
        let mut keyed: Vec<_> =
            members.into_iter().map(|(id, entry)| (key(id, entry), (id, entry))).collect();
        keyed.sort_by(|(a, _), (b, _)| self.order(a, b));
        keyed.into_iter().map(|(_, member)| member).collect()
    }

    /// Groups by the source they begin at. A group sorts by its worst member; inside it the source stays first.
    fn tree(&self, memory: &Memory, inside: &[(&ObjectId, &Entry)]) -> Vec<Row> {
        let shown: HashSet<&ObjectId, RandomState> = inside.iter().map(|(id, _)| *id).collect();
        let whole = self.filter.is_empty() && !self.faults;
        let mut children: Children<'_> = HashMap::default();
        let mut roots: Vec<(Anchor, Option<&Entry>)> = Vec::new();
        for &(id, entry) in inside {
            let parent = match &entry.parent {
                Some(parent) => Some(Anchor::Object(parent.clone())),
                None if id.kind.is_source() => None,
                None => Some(Anchor::NoSource),
            };
            match parent {
                Some(parent) if parent.object().is_some_and(|id| shown.contains(id)) => {
                    children.entry(parent).or_default().push((id, entry));
                }
                // its source is not among the rows: a row stands for it, unless a filter took it away
                Some(parent) if whole && !is_elsewhere(memory, &parent) => {
                    if !children.contains_key(&parent) {
                        roots.push((parent.clone(), None));
                    }
                    children.entry(parent).or_default().push((id, entry));
                }
                Some(_) | None => roots.push((Anchor::Object(id.clone()), Some(entry))),
            }
        }
        let mut groups: Vec<Group<'_>> =
            roots.into_iter().map(|(root, entry)| self.group(&root, entry, &mut children)).collect();
        groups.sort_by(|a, b| self.order(&a.key, &b.key));
        groups.into_iter().flat_map(|group| group.rows).collect()
    }

    fn group<'a>(&self, root: &Anchor, entry: Option<&'a Entry>, children: &mut Children<'a>) -> Group<'a> {
        let own = match (root, entry) {
            (Anchor::Object(id), Some(entry)) => key(id, entry),
            (Anchor::Object(id), None) => Key { standing: Standing::Ready, since: None, ..Key::of(id) },
            (Anchor::NoSource, _) => Key::last(),
        };
        let mut group = Group { key: own, rows: vec![Row { anchor: root.clone(), depth: 0 }] };
        self.descend(root, 1, children, &mut group);
        group
    }

    fn descend<'a>(&self, parent: &Anchor, depth: u8, children: &mut Children<'a>, group: &mut Group<'a>) {
        let Some(members) = children.remove(parent) else { return };
        for (id, entry) in self.sorted(members) {
            group.key.standing = group.key.standing.min(entry.assessment.standing);
            group.key.since = group.key.since.max(entry.since);
            let anchor = Anchor::Object(id.clone());
            group.rows.push(Row { anchor: anchor.clone(), depth });
            self.descend(&anchor, depth + 1, children, group);
        }
    }

    fn order(&self, a: &Key<'_>, b: &Key<'_>) -> Ordering {
        let by_name =
            || (a.last, &a.namespace, &a.name, a.kind).cmp(&(b.last, &b.namespace, &b.name, b.kind));
        let order = match self.sort {
            Sort::State => a.standing.cmp(&b.standing).then_with(by_name),
            Sort::Name => by_name(),
            Sort::Running => a.running.cmp(b.running).then_with(by_name),
            Sort::Age => b.since.cmp(&a.since).then_with(by_name),
        };
        if self.reversed { order.reverse() } else { order }
    }
}

struct Group<'a> {
    key: Key<'a>,
    rows: Vec<Row>,
}

/// What rows are ordered by.
struct Key<'a> {
    running: &'a str,
    standing: Standing,
    last: bool,
    namespace: Arc<str>,
    name: Arc<str>,
    kind: Kind,
    since: Option<Timestamp>,
}

impl Key<'_> {
    fn of(id: &ObjectId) -> Self {
        Self {
            running: "",
            standing: Standing::Ready,
            last: false,
            namespace: id.namespace.clone(),
            name: id.name.clone(),
            kind: id.kind,
            since: None,
        }
    }

    fn last() -> Self {
        Self { last: true, ..Self::of(&ObjectId::new(Kind::HelmRelease, "", "")) }
    }
}

fn key<'a>(id: &ObjectId, entry: &'a Entry) -> Key<'a> {
    Key { running: &entry.running, standing: entry.assessment.standing, since: entry.since, ..Key::of(id) }
}

/// It is known, only not in the namespace that is looked at.
fn is_elsewhere(memory: &Memory, anchor: &Anchor) -> bool {
    anchor.object().is_some_and(|id| memory.ledger.get(id).is_some())
}

fn widest(inside: &[(&ObjectId, &Entry)]) -> Widest {
    inside.iter().fold(Widest::default(), |widest, (id, entry)| Widest {
        state: widest.state.max(entry.assessment.standing.word().len()),
        kind: widest.kind.max(id.kind.short().len()),
        name: widest.name,
        follows: widest.follows.max(if id.kind.is_source() { text::width(&entry.follows) } else { 0 }),
        running: widest.running.max(text::width(&entry.running)),
    })
}
