//! Which sources are rows, in which order, and what they come to. Arranged when something changed, not per frame.

use super::glance::{Class, Glance, State};
use crate::{
    app::{
        filter::{Filter, Subject},
        ledger::Entry,
        memory::Memory,
        shelf::Asking,
    },
    domain::{
        Timestamp,
        identity::ObjectId,
        standing::Standing,
        upgrade::{Candidate, Upgrade},
    },
    widgets::text,
};
use std::{cmp::Ordering, cmp::Reverse};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) id: ObjectId,
    pub(super) class: Class,
    pub(super) consumers: u32,
    /// Consumers that need somebody.
    pub(super) red: u32,
}

/// What the rows of a view come to, whatever a filter hides of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Counts {
    pub(super) total: usize,
    pub(super) behind: usize,
    pub(super) unasked: usize,
    pub(super) without_choice: usize,
    /// Questions that are on their way or wait for their turn, by source.
    pub(super) asking: usize,
    /// When the oldest of the answers was given.
    pub(super) oldest: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    #[default]
    Weight,
    Name,
    Running,
    Consumers,
}

impl Sort {
    /// In the order of their columns.
    const ALL: [Self; 4] = [Self::Name, Self::Running, Self::Weight, Self::Consumers];

    pub(super) fn beside(self, right: bool) -> Self {
        let count = Self::ALL.len();
        let here = Self::ALL.iter().position(|sort| *sort == self).unwrap_or(0);
        Self::ALL[(here + if right { 1 } else { count - 1 }) % count]
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Weight => "",
            Self::Name => " by name",
            Self::Running => " by running",
            Self::Consumers => " by consumers",
        }
    }
}

/// The widest content of the columns whose width depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Widest {
    pub(super) kind: usize,
    pub(super) source: usize,
    pub(super) running: usize,
    pub(super) in_range: usize,
    pub(super) beyond: usize,
}

/// What narrows and orders the rows.
pub(super) struct Wishes<'a> {
    pub(super) filter: &'a Filter,
    pub(super) behind_only: bool,
    pub(super) sort: Sort,
    pub(super) reversed: bool,
}

pub(super) struct Arranged {
    pub(super) view: Vec<Row>,
    pub(super) counts: Counts,
    pub(super) widest: Widest,
}

/// All rows of the namespaces that are looked at, narrowed and sorted.
pub(super) fn arrange(memory: &Memory, wishes: &Wishes<'_>) -> Arranged {
    let mut counts = Counts::default();
    let mut widest = Widest::default();
    let mut shown: Vec<(Row, &Entry)> = Vec::new();
    let mut words = String::new();
    let focus = memory.focus();
    for (id, entry) in memory.ledger.entries().filter(|(_, entry)| !entry.fetched) {
        if focus.is_some_and(|namespace| *namespace != id.namespace) {
            continue;
        }
        let Some(glance) = Glance::of(entry, memory) else { continue };
        let class = glance.class();
        counts.add(&glance, class, memory);
        if (wishes.behind_only && !class.matters()) || !is_wanted(&glance, class, wishes.filter, &mut words) {
            continue;
        }
        widest.add(&glance);
        shown.push((row(&glance, class, memory), entry));
    }
    shown.sort_by(|(a, x), (b, y)| {
        let order = order(a, b, x, y, wishes.sort);
        if wishes.reversed { order.reverse() } else { order }
    });
    Arranged { view: shown.into_iter().map(|(row, _)| row).collect(), counts, widest }
}

fn row(glance: &Glance<'_>, class: Class, memory: &Memory) -> Row {
    let (mut consumers, mut red) = (0, 0);
    for id in memory.ledger.world.dependents(glance.id()).filter(|id| !id.kind.is_source()) {
        consumers += 1;
        red += u32::from(memory.ledger.standing(id).is_some_and(Standing::needs_someone));
    }
    Row { id: glance.id().clone(), class, consumers, red }
}

/// `words` is only room to write in, the same for all rows.
fn is_wanted(glance: &Glance<'_>, class: Class, filter: &Filter, words: &mut String) -> bool {
    if filter.is_empty() {
        return true;
    }
    words.clear();
    let mut say = |text: &str| {
        words.push_str(text);
        words.push('\n');
    };
    say(&glance.entry.words);
    say(class.word());
    if let State::Judged { upgrade, .. } = &glance.state {
        for candidate in upgrade.in_range.iter().chain(&upgrade.beyond) {
            say(&candidate.tag);
        }
    }
    let (object, assessment) = (&*glance.entry.object, &glance.entry.assessment);
    filter.matches(&Subject { object, assessment, words })
}

fn order(a: &Row, b: &Row, x: &Entry, y: &Entry, sort: Sort) -> Ordering {
    let by_name = || (&a.id.namespace, &a.id.name, a.id.kind).cmp(&(&b.id.namespace, &b.id.name, b.id.kind));
    let weight = |row: &Row| (row.class, row.red == 0, Reverse(row.consumers));
    match sort {
        Sort::Weight => weight(a).cmp(&weight(b)).then_with(by_name),
        Sort::Name => by_name(),
        Sort::Running => x.running.cmp(&y.running).then_with(by_name),
        Sort::Consumers => {
            (Reverse(a.consumers), a.red == 0).cmp(&(Reverse(b.consumers), b.red == 0)).then_with(by_name)
        }
    }
}

impl Counts {
    fn add(&mut self, glance: &Glance<'_>, class: Class, memory: &Memory) {
        self.total += 1;
        self.behind += usize::from(class.is_behind());
        self.unasked += usize::from(class == Class::Unasked);
        self.without_choice += usize::from(class == Class::NoChoice);
        let list = glance.upstream().and_then(|upstream| memory.shelf.tags(upstream));
        if list
            .map_or(class == Class::Asking, |list| matches!(list.asking, Asking::Queued | Asking::Since(_)))
        {
            self.asking += 1;
        } else if let Some(listed) = list.and_then(|list| list.listed_at) {
            self.oldest = Some(self.oldest.map_or(listed, |oldest| oldest.min(listed)));
        }
    }
}

impl Widest {
    fn add(&mut self, glance: &Glance<'_>) {
        self.kind = self.kind.max(glance.id().kind.short().len());
        self.source = self.source.max(text::width(&glance.entry.path));
        self.running = self.running.max(text::width(glance.running()));
        let State::Judged { upgrade, .. } = &glance.state else { return };
        let Upgrade { in_range, beyond, .. } = upgrade;
        let cells =
            |candidate: &Option<Candidate>| candidate.as_ref().map_or(0, |c| c.tag.len() + 1 + word(c).len());
        self.in_range = self.in_range.max(cells(in_range));
        self.beyond = self.beyond.max(cells(beyond));
    }
}

/// How far it is, or that it cannot be told.
pub(super) fn word(candidate: &Candidate) -> &'static str {
    use crate::domain::upgrade::Distance;
    match candidate.distance {
        Distance::None => "same",
        Distance::Unknown => "",
        Distance::Patch | Distance::Minor | Distance::Major => candidate.distance.word(),
    }
}
