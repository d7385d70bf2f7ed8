//! Changes that somebody marked as viewed, until the program ends: each by what it is called and by what both sides say.
//! The mark holds wherever the same change is seen again, and not for another change of the same name.

use super::page::Subject;
use crate::domain::{
    comparison::Comparison,
    diff::{File, Found},
};
use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, Hash, RandomState},
};

/// One change. It holds nothing of what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    name: u64,
    content: u64,
}

#[derive(Debug, Default)]
pub struct Viewed {
    hasher: RandomState,
    /// Contents by their names.
    marks: HashMap<u64, HashSet<u64>>,
    /// Grows with every mark that is set or taken back.
    pub revision: u64,
}

impl Viewed {
    /// None: it is not in this comparison.
    pub fn mark(&self, comparison: &Comparison, subject: Subject) -> Option<Mark> {
        Some(Mark { name: self.name(comparison, subject)?, content: self.content(comparison, subject)? })
    }

    pub fn holds(&self, comparison: &Comparison, subject: Subject) -> bool {
        // contents are read only where a name is known
        let known = self.name(comparison, subject).and_then(|name| self.marks.get(&name));
        known.is_some_and(|known| self.content(comparison, subject).is_some_and(|own| known.contains(&own)))
    }

    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    pub fn toggle(&mut self, mark: Mark) {
        self.revision += 1;
        let known = self.marks.entry(mark.name).or_default();
        if !known.remove(&mark.content) {
            known.insert(mark.content);
        }
        if known.is_empty() {
            self.marks.remove(&mark.name);
        }
    }

    fn name(&self, comparison: &Comparison, subject: Subject) -> Option<u64> {
        Some(match subject {
            Subject::Object(at) => {
                let found = comparison.diff().objects.get(at)?.found()?;
                // several may have the same key
                self.hash(&(&found.key, &found.path))
            }
            Subject::File(at) => self.hash(comparison.source.files.get(at)?.path()),
        })
    }

    /// The same if the sides are swapped.
    fn content(&self, comparison: &Comparison, subject: Subject) -> Option<u64> {
        let mut sides = match subject {
            Subject::Object(at) => {
                let object = comparison.diff().objects.get(at)?;
                let side = |found: &Option<Found>| found.as_ref().map(|found| self.hash(found.text.as_str()));
                [side(&object.from), side(&object.to)]
            }
            Subject::File(at) => {
                let file = comparison.source.files.get(at)?;
                let side = |file: &Option<File>| {
                    file.as_ref().map(|file| match &file.sha256 {
                        Some(digest) => self.hash(digest.as_str()),
                        None => self.hash(&(&file.bytes, file.size)),
                    })
                };
                [side(&file.from), side(&file.to)]
            }
        };
        sides.sort_unstable();
        Some(self.hash(&sides))
    }

    fn hash<T: Hash + ?Sized>(&self, what: &T) -> u64 {
        self.hasher.hash_one(what)
    }
}
