//! Where each source stands against its registry, kept: judged anew only when its tags or the object changed.

use super::{
    ledger::{Entry, Ledger},
    shelf::Shelf,
};
use crate::domain::{fact::Object, identity::ObjectId, upgrade::Upgrade};
use std::{collections::HashMap, sync::Arc};

#[derive(Default)]
pub struct Upgrades {
    kept: HashMap<ObjectId, Kept>,
    /// Grows when any of them changes.
    pub revision: u64,
}

struct Kept {
    object: Arc<Object>,
    /// Of the list of tags, and of the lookups.
    revisions: (u64, u64),
    upgrade: Upgrade,
}

impl Upgrades {
    /// None: it follows nothing in a registry, or the list of tags is not here.
    pub fn get(&self, id: &ObjectId) -> Option<&Upgrade> {
        self.kept.get(id).map(|kept| &kept.upgrade)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Upgrade> {
        self.kept.values().map(|kept| &kept.upgrade)
    }

    pub fn settle(&mut self, ledger: &Ledger, answers: &Shelf) {
        let before = self.kept.len();
        self.kept.retain(|id, _| ledger.get(id).is_some());
        let mut changed = before != self.kept.len();
        for (id, entry) in ledger.entries() {
            changed |= self.judge(id, entry, ledger, answers);
        }
        self.revision += u64::from(changed);
    }

    fn judge(&mut self, id: &ObjectId, entry: &Entry, ledger: &Ledger, answers: &Shelf) -> bool {
        let Some(upstream) = &entry.upstream else { return false };
        let Some(source) = entry.object.as_source() else { return false };
        let Some(list) = answers.tags(upstream).filter(|list| list.has_answer()) else { return false };
        let revisions = (list.revision, answers.lookups.revision);
        let same = |kept: &Kept| kept.revisions == revisions && Arc::ptr_eq(&kept.object, &entry.object);
        if self.kept.get(id).is_some_and(same) {
            return false;
        }
        let tag = source.revision().and_then(|revision| revision.tag());
        let now = tag.and_then(|tag| answers.lookups.digest(upstream, tag));
        let Some(upgrade) = Upgrade::of(&ledger.world, source, &list.listed, now) else { return false };
        self.kept.insert(id.clone(), Kept { object: entry.object.clone(), revisions, upgrade });
        true
    }
}
