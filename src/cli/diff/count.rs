//! How many of everything: nothing is left out without being counted.

use super::view::View;
use crate::domain::{
    diff::Change,
    impact::{Danger, Impact},
};
use serde_json::{Value, json};

/// The worst first, as in the lists.
const CHANGES: [Change; 6] =
    [Change::Removed, Change::Added, Change::Changed, Change::Renamed, Change::Moved, Change::Formatting];
const DANGERS: [Danger; 3] = [Danger::High, Danger::Medium, Danger::Low];

pub(super) struct Counts {
    changes: [usize; CHANGES.len()],
    /// None: all of them, uncounted.
    same: Option<usize>,
}

impl Counts {
    pub(super) fn objects(view: &View<'_>) -> Self {
        let comparison = view.comparison;
        let unread = comparison.from.artifact.same_content(&comparison.to.artifact);
        let same = view.diff().same_objects;
        Self::of(view.objects().map(|object| object.change), (same > 0 || !unread).then_some(same))
    }

    pub(super) fn files(view: &View<'_>) -> Self {
        Self::of(view.files().map(|file| file.change), Some(view.comparison.source.same_files))
    }

    fn of(changes: impl Iterator<Item = Change>, same: Option<usize>) -> Self {
        let mut counts = Self { changes: [0; CHANGES.len()], same };
        for change in changes {
            if let Some(at) = CHANGES.iter().position(|other| *other == change) {
                counts.changes[at] += 1;
            }
        }
        counts
    }

    /// `1 removed, 2 changed, 120 same`; `all the same`.
    pub(super) fn words(&self) -> String {
        let changes = CHANGES.iter().zip(self.changes).filter(|(_, count)| *count > 0);
        let changes = changes.map(|(change, count)| format!("{count} {}", change.word()));
        let same = self.same.map_or_else(|| "all the same".to_owned(), |count| format!("{count} same"));
        changes.chain([same]).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn fields(&self) -> Value {
        let [removed, added, changed, renamed, moved, formatting] = self.changes;
        json!({
            "added": added, "removed": removed, "changed": changed, "renamed": renamed, "moved": moved,
            "formattingOnly": formatting, "same": self.same,
        })
    }
}

fn dangers(impact: &[Impact]) -> [usize; DANGERS.len()] {
    DANGERS.map(|danger| impact.iter().filter(|impact| impact.danger == danger).count())
}

/// `1 high, 2 low`.
pub(super) fn impact_words(impact: &[Impact]) -> String {
    let counts = DANGERS.iter().zip(dangers(impact)).filter(|(_, count)| *count > 0);
    let words: Vec<String> = counts.map(|(danger, count)| format!("{count} {}", danger.word())).collect();
    if words.is_empty() { "none found".to_owned() } else { words.join(", ") }
}

pub(super) fn impact_fields(impact: &[Impact]) -> Value {
    let [high, medium, low] = dangers(impact);
    json!({"high": high, "medium": medium, "low": low})
}
