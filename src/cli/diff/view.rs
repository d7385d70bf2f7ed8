//! What of a comparison is shown: its parts, and its values with those of Secrets masked. All formats look through it.

use super::super::args::DiffArgs;
use crate::domain::{
    comparison::{Comparison, Half, Tier},
    diff::{Change, Diff, FieldChange, FileChange, ObjectChange, Odd, Oddity, Shown, Which},
    impact::{Impact, Place},
    lens::Lens,
    object::Role,
    secret::{AFTER, BEFORE, MASK, mask_texts, mask_values},
};
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

pub(super) struct View<'a> {
    pub(super) comparison: &'a Comparison,
    pub(super) show: Show,
    /// Values of Secrets are shown.
    pub(super) revealed: bool,
}

/// Which parts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Show {
    pub(super) files: Option<Texts>,
    pub(super) objects: bool,
    pub(super) impact: bool,
}

/// Of which files the text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texts {
    /// Of those that no object tells about.
    Untold,
    Every,
}

impl Show {
    pub(super) fn of(args: &DiffArgs) -> Self {
        let all = !(args.files || args.objects || args.impact);
        Self {
            files: if args.files { Some(Texts::Every) } else { all.then_some(Texts::Untold) },
            objects: all || args.objects,
            impact: all || args.impact,
        }
    }
}

/// A value as it is printed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Absent,
    Open(Value),
    /// The word that stands for it, and its length in characters.
    Masked(&'static str, usize),
}

impl Cell {
    pub(super) const fn is_masked(&self) -> bool {
        matches!(self, Self::Masked(..))
    }
}

/// What is known of a file's content.
pub(super) enum Content {
    /// Both texts, masked; empty where there is none.
    Text(String, String),
    /// It is no text, or was not read: why.
    Bytes(&'static str),
}

impl<'a> View<'a> {
    /// By what is shown; None: nobody knows, for [`View::doubt`].
    pub(super) fn is_same(&self) -> Option<bool> {
        let Self { comparison, show, .. } = self;
        let files = || comparison.source.files.is_empty();
        let objects = || comparison.diff().objects.iter().all(|object| object.change.is_quiet());
        match (show.files == Some(Texts::Every), show.objects, show.impact) {
            (true, true, _) => comparison.certain(files() && objects()),
            (true, false, true) => comparison.certain(files() && comparison.is_same() != Some(false)),
            (true, false, false) => comparison.certain(files()),
            (false, true, false) if objects() && self.hides_objects() => None,
            (false, true, false) => comparison.certain(objects()),
            (false, _, _) => comparison.is_same(),
        }
    }

    /// Why nobody knows whether it is the same.
    pub(super) fn doubt(&self) -> &'static str {
        if self.comparison.is_whole() {
            "no object differs that was seen, but files do that objects are made of"
        } else {
            "nothing differs in what was read, but not all was read"
        }
    }

    /// Files differ from which objects come that nobody saw: documents that cannot be read, and what kustomize or Helm
    /// would make of them, with all values.
    pub(super) fn hides_objects(&self) -> bool {
        let broken = |oddity: &Oddity| match oddity.what {
            Odd::Broken(_) | Odd::Limit(_) | Odd::Cut(_) => true,
            // another copy came or went
            Odd::Doubled { .. } => oddity.which != Which::Both,
            Odd::NoObject { .. } => false,
        };
        let broken: HashSet<&str> =
            self.oddities().filter(|oddity| broken(oddity)).map(|oddity| &*oddity.path).collect();
        let is_unsure =
            matches!(self.comparison.tier, Tier::Source { .. }) || self.comparison.lens.is_blind();
        self.files().filter(|file| !file.change.is_quiet()).any(|file| match file.role {
            Role::Manifests | Role::ChartCrd => {
                [&file.from, &file.to].into_iter().flatten().any(|side| broken.contains(&*side.path))
            }
            Role::Kustomization | Role::Chart | Role::Values | Role::Template => is_unsure,
            Role::Other => false,
        })
    }

    /// Objects are read from what was rendered, where it was.
    pub(super) fn diff(&self) -> &'a Diff {
        self.comparison.diff()
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &'a ObjectChange> + use<'a> {
        self.diff().objects.iter()
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &'a FileChange> + use<'a> {
        self.comparison.source.files.iter()
    }

    /// Of both diffs: what is odd about the sources stays so when they were rendered.
    pub(super) fn oddities(&self) -> impl Iterator<Item = &'a Oddity> + use<'a> {
        let built = self.comparison.built.iter().flat_map(|diff| &diff.oddities);
        self.comparison.source.oddities.iter().chain(built)
    }

    /// Both values of a field. Where a whole Secret, or a text with one, is a value, it is masked inside.
    pub(super) fn cells(&self, field: &FieldChange) -> (Cell, Cell) {
        let (from, to) = field.shown(self.revealed);
        let (before, after) =
            if from != Shown::Absent && to != Shown::Absent { (BEFORE, AFTER) } else { (MASK, MASK) };
        let opened = match (&from, &to) {
            _ if self.revealed => None,
            (Shown::Masked { .. }, _) | (_, Shown::Masked { .. }) => None,
            (from, to) => Some(mask_values(value(from), value(to))),
        };
        let (left, right) = opened.unwrap_or_else(|| (value(&from).cloned(), value(&to).cloned()));
        (cell(&from, left, before), cell(&to, right, after))
    }

    /// Both texts of a file.
    pub(super) fn content(&self, change: &FileChange) -> Content {
        let (from, to) = match change.texts() {
            Ok(texts) => texts,
            Err(why) => return Content::Bytes(why),
        };
        if self.revealed {
            return Content::Text(from.unwrap_or_default().to_owned(), to.unwrap_or_default().to_owned());
        }
        let (from, to) = mask_texts(from, to, self.comparison.rule(change));
        Content::Text(from, to)
    }

    /// Paths of files whose text is shown although others are told by their objects.
    pub(super) fn told_by_text(&self) -> impl Fn(&FileChange) -> bool + use<'a> {
        let every = self.show.files == Some(Texts::Every);
        let source = &self.comparison.source;
        let found =
            |object: &'a ObjectChange| [object.from.as_ref(), object.to.as_ref()].into_iter().flatten();
        let objects: HashSet<&str> =
            source.objects.iter().flat_map(found).map(|found| &*found.path).collect();
        let broken =
            |oddity: &&Oddity| matches!(oddity.what, Odd::Broken(_) | Odd::Limit(_) | Odd::NoObject { .. });
        let broken: HashSet<&str> =
            source.oddities.iter().filter(broken).map(|oddity| &*oddity.path).collect();
        move |change| {
            let has = |paths: &HashSet<&str>| {
                let files = [change.from.as_ref(), change.to.as_ref()].into_iter().flatten();
                files.into_iter().any(|file| paths.contains(&*file.path))
            };
            match change.role {
                _ if every => true,
                _ if change.change == Change::Formatting => false,
                Role::Manifests | Role::ChartCrd => has(&broken) || !has(&objects),
                Role::Kustomization | Role::Chart | Role::Values | Role::Template | Role::Other => true,
            }
        }
    }

    /// Where an impact can be seen: its file and line, and the field.
    pub(super) fn place(&self, impact: &Impact) -> Seen<'a> {
        let diff = self.diff();
        match impact.at {
            Place::Object { object, field } => {
                let object = diff.objects.get(object);
                let found = object.and_then(ObjectChange::found);
                let field = object.zip(field).and_then(|(object, field)| object.fields.get(field));
                Seen {
                    path: found.map(|found| &*found.path),
                    line: found.map(|found| found.line),
                    field: field.map(|field| field.path.to_string()),
                }
            }
            Place::File { file, line } => {
                let file = self.comparison.source.files.get(file);
                Seen { path: file.map(FileChange::path), line, field: None }
            }
            Place::Oddity(oddity) => {
                let oddity = diff.oddities.get(oddity);
                Seen { path: oddity.map(|oddity| &*oddity.path), line: None, field: None }
            }
        }
    }

    /// Each impact in words: its object, or nothing, and the sentence. Where two say the same of objects of one name, it is
    /// said of which.
    pub(super) fn told(&self) -> Vec<(&'a Impact, String, String)> {
        let name =
            |one: &Impact| one.object.as_ref().map(|object| object.key.to_string()).unwrap_or_default();
        let impact = &self.comparison.impact;
        let mut count: HashMap<(String, &str), usize> = HashMap::with_capacity(impact.len());
        for one in impact {
            *count.entry((name(one), &one.why)).or_default() += 1;
        }
        let told = |one: &'a Impact| {
            let (object, mut why) = (name(one), one.why.clone());
            if count.get(&(object.clone(), &one.why)).is_some_and(|count| *count > 1)
                && let Seen { path: Some(path), line, .. } = self.place(one)
            {
                let line = line.map(|line| format!(":{line}")).unwrap_or_default();
                let _ = write!(why, " ({path}{line})");
            }
            (one, object, why)
        };
        impact.iter().map(told).collect()
    }

    /// How much of what happens in the cluster was looked at, in one sentence, and with which values.
    pub(super) fn tier(&self) -> String {
        let values = self.comparison.lens.values_words().map(|words| format!("; {words}"));
        format!("{}{}", self.tier_alone(), values.unwrap_or_default())
    }

    fn tier_alone(&self) -> String {
        let whole = match self.comparison.lens {
            Lens::Whole => "; what kustomize builds, postBuild puts in and Helm renders is not in it",
            Lens::Kustomization(_) => "; what the Kustomization builds of them is not in it",
            Lens::Release(_) => "; what Helm renders of them is not in it",
        };
        match &self.comparison.tier {
            Tier::Source { why: None } => format!("source diff, of the files as they are stored{whole}"),
            Tier::Source { why: Some(why) } => {
                format!("source diff, of the files as they are stored{whole} ({why})")
            }
            Tier::Built { by } => format!("built, both sides rendered by {by}"),
        }
    }

    pub(super) fn halves(&self) -> [(&'static str, &'a Half); 2] {
        [("from", &self.comparison.from), ("to", &self.comparison.to)]
    }

    /// Notes about the answer, then about each side; what is said of both sides is said once.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self.comparison.notes.clone();
        let (from, to) = (&self.comparison.from.notes, &self.comparison.to.notes);
        notes.extend(from.iter().filter(|note| to.contains(note)).cloned());
        notes.extend(from.iter().filter(|note| !to.contains(note)).map(|note| format!("from: {note}")));
        notes.extend(to.iter().filter(|note| !from.contains(note)).map(|note| format!("to: {note}")));
        notes
    }
}

/// Where something stands.
pub(super) struct Seen<'a> {
    pub(super) path: Option<&'a str>,
    pub(super) line: Option<usize>,
    pub(super) field: Option<String>,
}

/// What cannot be said by a change, in a word.
pub(super) const fn odd(what: &Odd) -> &'static str {
    match what {
        Odd::Broken(_) => "broken",
        Odd::NoObject { .. } => "no-object",
        Odd::Doubled { .. } => "doubled",
        Odd::Limit(_) | Odd::Cut(_) => "cut",
    }
}

fn value<'v>(shown: &Shown<'v>) -> Option<&'v Value> {
    match shown {
        Shown::Open(value) => Some(value),
        Shown::Masked { .. } | Shown::Absent => None,
    }
}

fn cell(shown: &Shown<'_>, value: Option<Value>, word: &'static str) -> Cell {
    match shown {
        Shown::Absent => Cell::Absent,
        Shown::Masked { length } => Cell::Masked(word, *length),
        Shown::Open(_) => value.map_or(Cell::Absent, Cell::Open),
    }
}
