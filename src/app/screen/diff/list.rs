//! What differs, as rows: danger first, then objects by kind and namespace, then files and what is odd. Rows are arranged
//! when something changed, not for every frame; what is left out is counted.

use crate::{
    app::{
        filter::{Changed, Filter},
        page::Subject,
        viewed::Viewed,
    },
    domain::{
        comparison::Comparison,
        diff::{Change, FileChange, ObjectChange, Odd, Oddity, Which},
        impact::{Danger, Impact, Place},
        object::Key,
    },
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Dangers that are shown before somebody asks for all.
const DANGERS: usize = 8;

/// A row. Numbers are places in the comparison, of a group in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Item {
    Group(usize),
    Impact(usize),
    /// So many dangers are not shown.
    More(usize),
    Object(usize),
    File(usize),
    Oddity(usize),
    Note(usize),
}

/// An object or file by what it is, whatever is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Name {
    Object(Key),
    File(Box<str>),
}

pub(super) struct Group {
    /// From outside.
    pub(super) label: Box<str>,
    pub(super) count: usize,
    pub(super) danger: Option<Danger>,
    members: Vec<Item>,
}

/// What is not shown, and changes nothing that is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Quiet {
    pub(super) formatting: usize,
    pub(super) moved: usize,
    /// Files of which the objects are shown.
    pub(super) files: usize,
}

/// How much differs: counted once.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) added: usize,
    pub(super) removed: usize,
    pub(super) changed: usize,
    pub(super) renamed: usize,
    pub(super) files: usize,
    /// By the kinds that matter most, in their order.
    pub(super) kinds: [usize; KINDS.len()],
    pub(super) dangers: [usize; 3],
    /// Nothing that is applied differs; None: in what was read.
    pub(super) same: Option<bool>,
}

/// Kinds that are counted on their own, and how they are called.
pub(super) const KINDS: [(&str, &str); 3] =
    [("CustomResourceDefinition", "CRD"), ("Secret", "Secret"), ("Namespace", "Namespace")];

impl Counts {
    fn of(comparison: &Comparison) -> Self {
        let mut counts = Self { same: comparison.is_same(), ..Self::default() };
        for object in &comparison.diff().objects {
            match object.change {
                Change::Added => counts.added += 1,
                Change::Removed => counts.removed += 1,
                Change::Changed => counts.changed += 1,
                Change::Renamed => counts.renamed += 1,
                Change::Moved | Change::Formatting => continue,
            }
            let kind = object.found().map_or("", |found| &found.key.kind);
            if let Some(at) = KINDS.iter().position(|(name, _)| *name == kind) {
                counts.kinds[at] += 1;
            }
        }
        counts.files = comparison.source.files.iter().filter(|file| !file.change.is_quiet()).count();
        for impact in &comparison.impact {
            counts.dangers[impact.danger as usize] += 1;
        }
        counts
    }
}

#[derive(Default)]
pub(super) struct List {
    comparison: Option<Arc<Comparison>>,
    /// The worst that each object and file may do, by its place.
    objects: Vec<Option<Danger>>,
    files: Vec<Option<Danger>>,
    pub(super) counts: Counts,
    /// What holds for the whole answer or for one side. From outside.
    pub(super) notes: Vec<String>,
    /// Dangers of each object, by its place.
    of_object: HashMap<usize, Vec<usize>>,
    /// Places of objects that others are called like.
    doubled: HashSet<usize>,
    pub(super) groups: Vec<Group>,
    closed: HashSet<Box<str>>,
    all_dangers: bool,
    /// What changes nothing is shown too.
    pub(super) quiet: bool,
    pub(super) filter: Filter,
    pub(super) view: Vec<Item>,
    pub(super) hidden: Quiet,
    /// Objects and files that are shown, and that could be.
    pub(super) shown: usize,
    pub(super) total: usize,
    /// Dangers that pass the filter.
    pub(super) dangers: usize,
    /// Changes that are marked as viewed, and as of which revision of the marks.
    pub(super) viewed: HashSet<Subject>,
    marked: Option<u64>,
    /// Of the changes that pass the filter.
    pub(super) viewed_shown: usize,
}

impl List {
    /// True if it is another one than before.
    pub(super) fn take(&mut self, comparison: &Arc<Comparison>) -> bool {
        if self.comparison.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, comparison)) {
            return false;
        }
        self.comparison = Some(comparison.clone());
        self.marked = None;
        self.counts = Counts::of(comparison);
        self.notes = notes(comparison);
        self.doubled = doubled(comparison);
        self.weigh();
        self.arrange();
        true
    }

    /// Which of these changes are marked.
    pub(super) fn recall(&mut self, viewed: &Viewed) {
        let Some(comparison) = self.comparison.as_ref().filter(|_| self.marked != Some(viewed.revision))
        else {
            return;
        };
        self.marked = Some(viewed.revision);
        self.viewed.clear();
        if !viewed.is_empty() {
            let objects = (0..comparison.diff().objects.len()).map(Subject::Object);
            let files = (0..comparison.source.files.len()).map(Subject::File);
            self.viewed = objects.chain(files).filter(|subject| viewed.holds(comparison, *subject)).collect();
        }
        self.count_viewed();
    }

    fn count_viewed(&mut self) {
        let rows = self.groups.iter().flat_map(|group| &group.members);
        let own = rows.filter(|item| matches!(item, Item::Object(_) | Item::File(_)));
        self.viewed_shown = own.filter(|item| self.is_viewed(**item)).count();
    }

    /// There is none any more; what was folded is kept.
    pub(super) fn clear(&mut self) {
        self.comparison = None;
        self.marked = None;
        self.groups.clear();
        self.view.clear();
        (self.shown, self.total, self.hidden) = (0, 0, Quiet::default());
    }

    pub(super) fn danger(&self, item: Item) -> Option<Danger> {
        match item {
            Item::Object(at) => self.objects.get(at).copied().flatten(),
            Item::File(at) => self.files.get(at).copied().flatten(),
            Item::Impact(at) => Some(self.comparison.as_ref()?.impact.get(at)?.danger),
            Item::Group(at) => self.groups.get(at)?.danger,
            Item::More(_) | Item::Oddity(_) | Item::Note(_) => None,
        }
    }

    /// Where this object stands, if its name alone does not say which one it is.
    pub(super) fn whence(&self, object: usize) -> Option<String> {
        let found = self.comparison.as_ref()?.diff().objects.get(object)?.found()?;
        self.doubled.contains(&object).then(|| format!("{}:{}", found.path, found.line))
    }

    pub(super) fn impacts_of(&self, object: usize) -> &[usize] {
        self.of_object.get(&object).map_or(&[], Vec::as_slice)
    }

    /// What is looked at when this row is selected.
    pub(super) fn subject(&self, item: Item) -> Option<Subject> {
        let comparison = self.comparison.as_ref()?;
        match item {
            Item::Object(at) => Some(Subject::Object(at)),
            Item::File(at) => Some(Subject::File(at)),
            Item::Impact(at) => match comparison.impact.get(at)?.at {
                Place::Object { object, .. } => Some(Subject::Object(object)),
                Place::File { file, .. } => Some(Subject::File(file)),
                Place::Oddity(at) => self.file_of_oddity(at),
            },
            Item::Oddity(at) => self.file_of_oddity(at),
            Item::Group(_) | Item::More(_) | Item::Note(_) => None,
        }
    }

    /// What is said of a danger.
    pub(super) fn told(&self, item: Item) -> Option<String> {
        let Item::Impact(at) = item else { return None };
        let Impact { what, object, why, .. } = self.comparison.as_ref()?.impact.get(at)?;
        let about = object.as_ref().map(|object| object.key.to_string()).unwrap_or_default();
        Some(format!("{}\n{about}\n{why}", what.word()))
    }

    /// The row of the danger of which this is said, if it is shown.
    pub(super) fn find_danger(&self, words: &str) -> Option<usize> {
        self.view.iter().position(|item| self.told(*item).as_deref() == Some(words))
    }

    /// Where a danger can be seen.
    pub(super) fn place(&self, impact: usize) -> Option<Place> {
        Some(self.comparison.as_ref()?.impact.get(impact)?.at)
    }

    fn file_of_oddity(&self, at: usize) -> Option<Subject> {
        let comparison = self.comparison.as_ref()?;
        let path = &comparison.diff().oddities.get(at)?.path;
        let file = comparison.source.files.iter().position(|file| file.path() == &**path);
        file.map(Subject::File)
    }

    pub(super) fn name(&self, item: Item) -> Option<Name> {
        let comparison = self.comparison.as_ref()?;
        match self.subject(item)? {
            Subject::Object(at) => {
                Some(Name::Object(comparison.diff().objects.get(at)?.found()?.key.clone()))
            }
            Subject::File(at) => Some(Name::File(comparison.source.files.get(at)?.path().into())),
        }
    }

    /// The row of this name, if it is shown.
    pub(super) fn find(&self, name: &Name) -> Option<usize> {
        let own = |item: &Item| matches!(item, Item::Object(_) | Item::File(_));
        self.view.iter().position(|item| own(item) && self.name(*item).as_ref() == Some(name))
    }

    pub(super) fn is_viewed(&self, item: Item) -> bool {
        !self.viewed.is_empty() && self.subject(item).is_some_and(|subject| self.viewed.contains(&subject))
    }

    pub(super) fn is_open(&self, group: usize) -> bool {
        self.groups.get(group).is_some_and(|group| !self.closed.contains(&group.label))
    }

    pub(super) fn fold(&mut self, group: usize, open: bool) {
        let Some(label) = self.groups.get(group).map(|group| group.label.clone()) else { return };
        if open {
            self.closed.remove(&label);
        } else {
            self.closed.insert(label);
        }
        self.look();
    }

    /// Opens all groups; if all are open, closes them.
    pub(super) fn fold_all(&mut self) {
        if self.groups.iter().all(|group| !self.closed.contains(&group.label)) {
            self.closed = self.groups.iter().map(|group| group.label.clone()).collect();
        } else {
            self.closed.clear();
        }
        self.look();
    }

    pub(super) fn show_all_dangers(&mut self) {
        self.all_dangers = true;
        self.look();
    }

    /// The row of the group that holds this item, shown or not.
    pub(super) fn home(&self, item: Item) -> Option<usize> {
        let group = self.groups.iter().position(|group| group.members.contains(&item))?;
        self.view.iter().position(|row| *row == Item::Group(group))
    }

    /// The row of the next object or file, or of the one before, in groups that are closed too: its group is opened.
    /// None: there is none.
    pub(super) fn step(&mut self, from: Item, forward: bool) -> Option<usize> {
        let own = |item: &&Item| matches!(item, Item::Object(_) | Item::File(_));
        let (group, at) = self.spot(from)?;
        let members = |group: usize| self.groups.get(group).map_or(&[][..], |group| &group.members);
        let here = members(group);
        let (group, item) = if forward {
            let rest = (group + 1..self.groups.len()).map(|other| (other, members(other)));
            let mut all = std::iter::once((group, &here[at.min(here.len())..])).chain(rest);
            all.find_map(|(group, members)| Some((group, *members.iter().find(own)?)))
        } else {
            let rest = (0..group).rev().map(|other| (other, members(other)));
            let mut all = std::iter::once((group, &here[..at.saturating_sub(1)])).chain(rest);
            all.find_map(|(group, members)| Some((group, *members.iter().rfind(own)?)))
        }?;
        if !self.is_open(group) {
            self.fold(group, true);
        }
        self.view.iter().position(|other| *other == item)
    }

    /// Its group, and its place in it from 1; the heading is 0.
    fn spot(&self, item: Item) -> Option<(usize, usize)> {
        match item {
            Item::Group(group) => Some((group, 0)),
            // what it stands for are the last ones
            Item::More(_) => Some((0, self.groups.first()?.members.len())),
            Item::Impact(_) | Item::Object(_) | Item::File(_) | Item::Oddity(_) | Item::Note(_) => {
                let place = |members: &[Item]| members.iter().position(|other| *other == item);
                let mut groups = self.groups.iter().enumerate();
                groups.find_map(|(group, Group { members, .. })| Some((group, place(members)? + 1)))
            }
        }
    }

    /// The object or file of which this row tells, if it has a row of its own.
    pub(super) fn own(&self, item: Item) -> Option<Item> {
        let own = match self.subject(item)? {
            Subject::Object(at) => Item::Object(at),
            Subject::File(at) => Item::File(at),
        };
        self.spot(own).map(|_| own)
    }

    /// The row of the group in which this one stands.
    pub(super) fn parent(&self, row: usize) -> Option<usize> {
        self.view.get(..row)?.iter().rposition(|item| matches!(item, Item::Group(_)))
    }

    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.arrange();
    }

    pub(super) fn toggle_quiet(&mut self) {
        self.quiet = !self.quiet;
        self.arrange();
    }

    /// Which danger belongs to what.
    fn weigh(&mut self) {
        let Some(comparison) = &self.comparison else { return };
        self.objects = vec![None; comparison.diff().objects.len()];
        self.files = vec![None; comparison.source.files.len()];
        self.of_object.clear();
        let worse = |slot: Option<&mut Option<Danger>>, danger: Danger| {
            if let Some(slot) = slot {
                *slot = Some(slot.map_or(danger, |known| known.min(danger)));
            }
        };
        for (at, impact) in comparison.impact.iter().enumerate() {
            match impact.at {
                Place::Object { object, .. } => {
                    worse(self.objects.get_mut(object), impact.danger);
                    self.of_object.entry(object).or_default().push(at);
                }
                Place::File { file, .. } => worse(self.files.get_mut(file), impact.danger),
                Place::Oddity(_) => {}
            }
        }
    }

    /// Groups and rows anew.
    fn arrange(&mut self) {
        let Some(comparison) = self.comparison.clone() else { return };
        (self.shown, self.total, self.hidden) = (0, 0, Quiet::default());
        self.groups.clear();
        self.arrange_dangers(&comparison);
        self.arrange_objects(&comparison);
        self.arrange_files(&comparison);
        self.arrange_oddities(&comparison);
        if self.filter.is_empty() {
            let notes = (0..self.notes.len()).map(Item::Note).collect();
            self.push_group("notes", notes);
        }
        self.look();
        self.count_viewed();
    }

    fn push_group(&mut self, label: &str, members: Vec<Item>) {
        if members.is_empty() {
            return;
        }
        let danger = members.iter().filter_map(|item| self.danger(*item)).min();
        self.groups.push(Group { label: label.into(), count: members.len(), danger, members });
    }

    fn arrange_dangers(&mut self, comparison: &Comparison) {
        let passes = |at: &usize| {
            let impact = &comparison.impact[*at];
            let key = impact.object.as_ref().map(|object| &object.key);
            let words = format!("{}\n{}", impact.what.word(), impact.why);
            let diff = comparison.diff();
            let path = match impact.at {
                Place::Object { object, .. } => {
                    diff.objects.get(object).and_then(ObjectChange::found).map(|found| &*found.path)
                }
                Place::File { file, .. } => comparison.source.files.get(file).map(FileChange::path),
                Place::Oddity(at) => diff.oddities.get(at).map(|oddity| &*oddity.path),
            };
            self.filter.matches_change(&Changed {
                kind: key.map_or("", |key| &key.kind),
                namespace: key.and_then(|key| key.namespace.as_deref()).unwrap_or_default(),
                name: key.map_or("", |key| &key.name),
                path: path.unwrap_or_default(),
                danger: Some(impact.danger),
                words: &words,
            })
        };
        let members: Vec<_> = (0..comparison.impact.len()).filter(passes).map(Item::Impact).collect();
        self.dangers = members.len();
        self.push_group("impact", members);
    }

    fn arrange_objects(&mut self, comparison: &Comparison) {
        let mut groups: HashMap<(&str, &str, &str), Vec<usize>> = HashMap::new();
        for (at, object) in comparison.diff().objects.iter().enumerate() {
            let Some(found) = object.found() else { continue };
            match object.change {
                Change::Formatting if !self.quiet => self.hidden.formatting += 1,
                Change::Moved if !self.quiet => self.hidden.moved += 1,
                Change::Removed
                | Change::Added
                | Change::Changed
                | Change::Renamed
                | Change::Moved
                | Change::Formatting => {
                    self.total += 1;
                    if self.passes(at, object) {
                        let Key { group, kind, namespace, .. } = &found.key;
                        let namespace = namespace.as_deref().unwrap_or_default();
                        groups.entry((namespace, kind, group)).or_default().push(at);
                    }
                }
            }
        }
        let mut ordered: Vec<_> = groups.into_iter().collect();
        let rank = |at: &usize| (self.objects[*at].is_none(), self.objects[*at]);
        for (_, members) in &mut ordered {
            let objects = &comparison.diff().objects;
            let key = |at: &usize| objects[*at].found().map(|found| &found.key);
            members.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| key(a).cmp(&key(b))));
        }
        ordered.sort_by(|(a, of_a), (b, of_b)| {
            of_a.first().map(rank).cmp(&of_b.first().map(rank)).then_with(|| a.cmp(b))
        });
        for ((namespace, kind, group), members) in ordered {
            let slash = if group.is_empty() { "" } else { "/" };
            let label = match namespace {
                "" => format!("{group}{slash}{kind}"),
                namespace => format!("{group}{slash}{kind} in {namespace}"),
            };
            self.shown += members.len();
            self.push_group(&label, members.into_iter().map(Item::Object).collect());
        }
    }

    fn passes(&self, at: usize, object: &ObjectChange) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let Some(found) = object.found() else { return false };
        let mut words = object.change.word().to_owned();
        for field in &object.fields {
            words.push('\n');
            words.push_str(&field.path.to_string());
        }
        self.filter.matches_change(&Changed {
            kind: &found.key.kind,
            namespace: found.key.namespace.as_deref().unwrap_or_default(),
            name: &found.key.name,
            path: &found.path,
            danger: self.objects[at],
            words: &words,
        })
    }

    /// Files that hold no object which is shown, or all of them once somebody asks.
    fn arrange_files(&mut self, comparison: &Comparison) {
        let objects = &comparison.source.objects;
        let loud = objects.iter().filter(|object| self.quiet || !object.change.is_quiet());
        let paths: HashSet<&str> =
            loud.flat_map(|object| object.from.iter().chain(&object.to)).map(|found| &*found.path).collect();
        let mut members = Vec::new();
        for (at, file) in comparison.source.files.iter().enumerate() {
            let holds = [&file.from, &file.to].into_iter().flatten().any(|side| paths.contains(&*side.path));
            match file.change {
                _ if self.quiet => {}
                Change::Formatting => {
                    self.hidden.formatting += 1;
                    continue;
                }
                Change::Moved => {
                    self.hidden.moved += 1;
                    continue;
                }
                Change::Removed | Change::Added | Change::Changed | Change::Renamed if holds => {
                    self.hidden.files += 1;
                    continue;
                }
                Change::Removed | Change::Added | Change::Changed | Change::Renamed => {}
            }
            self.total += 1;
            let changed = Changed {
                path: file.path(),
                danger: self.files[at],
                words: file.change.word(),
                ..Changed::default()
            };
            if self.filter.matches_change(&changed) {
                members.push(at);
            }
        }
        let rank = |at: &usize| (self.files[*at].is_none(), self.files[*at]);
        members.sort_by_key(rank);
        self.shown += members.len();
        self.push_group("files", members.into_iter().map(Item::File).collect());
    }

    fn arrange_oddities(&mut self, comparison: &Comparison) {
        let passes = |at: &usize| {
            let oddity = &comparison.diff().oddities[*at];
            let key = match &oddity.what {
                Odd::Doubled { key, .. } => Some(key),
                Odd::Broken(_) | Odd::Limit(_) | Odd::NoObject { .. } | Odd::Cut(_) => None,
            };
            self.filter.matches_change(&Changed {
                path: &oddity.path,
                kind: key.map_or("", |key| &key.kind),
                name: key.map_or("", |key| &key.name),
                ..Changed::default()
            })
        };
        let members = (0..comparison.diff().oddities.len()).filter(passes).map(Item::Oddity).collect();
        self.push_group("odd", members);
    }

    /// Rows of the groups that are open.
    fn look(&mut self) {
        self.view.clear();
        for (at, group) in self.groups.iter().enumerate() {
            self.view.push(Item::Group(at));
            if self.closed.contains(&group.label) {
                continue;
            }
            let dangers = matches!(group.members.first(), Some(Item::Impact(_)));
            if dangers && !self.all_dangers && group.members.len() > DANGERS + 1 {
                self.view.extend(&group.members[..DANGERS]);
                self.view.push(Item::More(group.members.len() - DANGERS));
            } else {
                self.view.extend(&group.members);
            }
        }
    }
}

/// Objects that others are called like: they stand beside each other, and one that differs may stand elsewhere too,
/// unchanged.
fn doubled(comparison: &Comparison) -> HashSet<usize> {
    let diff = comparison.diff();
    let told = diff.oddities.iter().filter_map(|oddity| match &oddity.what {
        Odd::Doubled { key, .. } => Some(key),
        Odd::Broken(_) | Odd::Limit(_) | Odd::NoObject { .. } | Odd::Cut(_) => None,
    });
    let told: HashSet<&Key> = told.collect();
    let key = |at: usize| diff.objects.get(at)?.found().map(|found| &found.key);
    let is_doubled = |at: &usize| {
        key(*at).is_some_and(|own| {
            let before = at.checked_sub(1).and_then(key);
            !told.is_empty() && told.contains(own) || before == Some(own) || key(at + 1) == Some(own)
        })
    };
    (0..diff.objects.len()).filter(is_doubled).collect()
}

/// Of the whole answer first, then of each side.
fn notes(comparison: &Comparison) -> Vec<String> {
    let mut notes = comparison.notes.clone();
    if comparison.built.is_some() {
        // rows tell what is odd about what was rendered
        notes.extend(comparison.source.oddities.iter().map(odd_words));
    }
    let (from, to) = (&comparison.from, &comparison.to);
    // what is said of both sides is said once
    notes.extend(from.notes.iter().filter(|note| to.notes.contains(note)).cloned());
    for (word, half, other) in [("before", from, to), ("after", to, from)] {
        let own = half.notes.iter().filter(|note| !other.notes.contains(note));
        notes.extend(own.map(|note| format!("{word}: {note}")));
        if let Some(cut) = half.tree.cut.as_deref().filter(|cut| !half.notes.iter().any(|n| n.contains(*cut)))
        {
            notes.push(format!("{word}: not all was read: {cut}"));
        }
    }
    notes
}
/// What cannot be said by a change, and where.
pub(super) fn odd_words(oddity: &Oddity) -> String {
    let side = match oddity.which {
        Which::From => "before",
        Which::To => "after",
        Which::Both => "on both sides",
    };
    let line = oddity.what.line().map(|line| format!(":{line}")).unwrap_or_default();
    let why = oddity.what.why();
    let why = match oddity.what {
        Odd::Broken(_) => format!("the document cannot be read, its text is compared: {why}"),
        Odd::Limit(_) | Odd::NoObject { .. } | Odd::Doubled { .. } | Odd::Cut(_) => why,
    };
    format!("{}{line} {side}: {why}", oddity.path)
}
