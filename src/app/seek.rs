//! Sources that no list holds, asked for one by one so that their consumers can be judged. It asks nobody itself.

use crate::domain::{
    identity::ObjectId,
    problem::{Cause, Problem},
};
use std::collections::{HashSet, VecDeque};

/// Objects that may be on their way at a time.
const AT_ONCE: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Seek {
    asked: HashSet<ObjectId>,
    waiting: VecDeque<ObjectId>,
    under_way: HashSet<ObjectId>,
}

impl Seek {
    /// Puts it in line, unless it was asked before.
    pub(super) fn want(&mut self, id: ObjectId) {
        if self.asked.insert(id.clone()) {
            self.waiting.push_back(id);
        }
    }

    /// Asks for all of them once more.
    pub(super) fn again(&mut self) {
        let mut all: Vec<ObjectId> = self.asked.difference(&self.under_way).cloned().collect();
        all.sort();
        self.waiting = all.into();
    }

    /// Those whose turn has come.
    pub(super) fn due(&mut self) -> Vec<ObjectId> {
        let room = AT_ONCE.saturating_sub(self.under_way.len()).min(self.waiting.len());
        let due: Vec<ObjectId> = self.waiting.drain(..room).collect();
        self.under_way.extend(due.iter().cloned());
        due
    }

    /// True if this was the answer to a question from here. Where one may not be read, its neighbours are not asked.
    pub(super) fn answered(&mut self, id: &ObjectId, problem: Option<&Problem>) -> bool {
        if problem.is_some_and(|problem| problem.cause == Cause::Forbidden) {
            self.waiting.retain(|other| other.kind != id.kind || other.namespace != id.namespace);
        }
        self.under_way.remove(id)
    }
}
