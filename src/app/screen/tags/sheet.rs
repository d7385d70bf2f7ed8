//! The tags of one list, read once, judged by the policy in force, and in the order for reading. Judging again reads
//! nothing again, and a list that grows is judged where it grew.

use crate::{
    app::shelf::TagList,
    domain::{
        policy::{Dialect, Policy, Verdict},
        repository::is_signature_tag,
        ruling::{Judge, Reading, Ruling},
        version::Version,
    },
};
use foldhash::fast::RandomState;
use std::{cmp::Ordering, collections::HashMap, sync::Arc};

/// A policy, and what it makes of the tags.
pub(super) struct Ruled {
    pub(super) judge: Judge,
    pub(super) ruling: Ruling,
    /// How many there are of what a range leaves out.
    pub(super) outside: [(Verdict, usize); 4],
    whole: bool,
}

/// What a range leaves out, in the order in which it is told.
const OUTSIDE: [(Verdict, usize); 4] = [
    (Verdict::PreRelease, 0),
    (Verdict::OutOfRange, 0),
    (Verdict::FilteredOut, 0),
    (Verdict::NotAVersion, 0),
];

impl Ruled {
    fn new(policy: Policy) -> Self {
        Self { judge: Judge::new(policy), ruling: Ruling::default(), outside: OUTSIDE, whole: false }
    }

    fn settle(&mut self, readings: &[Reading], whole: bool) {
        if self.ruling.verdicts.len() == readings.len() && self.whole == whole {
            return;
        }
        self.whole = whole;
        self.ruling.extend(&self.judge, readings);
        if whole {
            self.ruling.choose(&self.judge, readings);
        }
        self.outside = OUTSIDE;
        for (verdict, count) in &mut self.outside {
            *count = self.ruling.verdicts.iter().filter(|other| *other == verdict).count();
        }
    }
}

/// What the sheet was made from: the revision of the list, and how many hidden ones there were.
type Made = (u64, usize);

pub(super) struct Sheet {
    dialect: Dialect,
    /// In the registry's order: what the choice is made over.
    readings: Vec<Reading>,
    /// Signatures, and names that are no tags: their places lie behind those of the tags.
    hidden: Vec<Reading>,
    places: HashMap<Arc<str>, usize, RandomState>,
    /// Places, newest version first, then what is no version, by name.
    order: Vec<usize>,
    pub(super) versions: usize,
    pub(super) today: Ruled,
    pub(super) what_if: Option<Ruled>,
    made: Option<Made>,
    /// All tags were heard, and none was cut off: the highest can be named.
    pub(super) whole: bool,
    /// Grows when rows or verdicts change.
    pub(super) revision: u64,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            readings: Vec::new(),
            hidden: Vec::new(),
            places: HashMap::default(),
            order: Vec::new(),
            versions: 0,
            today: Ruled::new(Policy::none()),
            what_if: None,
            made: None,
            whole: false,
            revision: 0,
        }
    }
}

impl Sheet {
    /// Brings everything up to date; cheap where nothing changed.
    pub(super) fn settle(&mut self, list: Option<&TagList>, today: Policy, what_if: Option<Policy>) {
        let before = (self.made, self.whole);
        let mut changed = false;
        if today.dialect != self.dialect {
            *self = Self { dialect: today.dialect, revision: self.revision, ..Self::default() };
            changed = true;
        }
        if let Some(list) = list {
            self.read(list);
        }
        if *self.today.judge.policy() != today {
            self.today = Ruled::new(today);
            changed = true;
        }
        let same = match (&self.what_if, &what_if) {
            (Some(old), Some(new)) => old.judge.policy() == new,
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !same {
            self.what_if = what_if.map(Ruled::new);
            changed = true;
        }
        for ruled in [Some(&mut self.today), self.what_if.as_mut()].into_iter().flatten() {
            ruled.settle(&self.readings, self.whole);
        }
        self.revision += u64::from(changed || before != (self.made, self.whole));
    }

    fn read(&mut self, list: &TagList) {
        self.whole = list.is_whole() && list.cut.is_none();
        let made = Some((list.revision, list.hidden.len()));
        if self.made == made {
            return;
        }
        self.made = made;
        if !self.has_grown_into(&list.listed) {
            self.readings.clear();
            self.order.clear();
            self.places.clear();
            self.versions = 0;
            for ruled in [Some(&mut self.today), self.what_if.as_mut()].into_iter().flatten() {
                (ruled.ruling, ruled.whole) = (Ruling::default(), false);
            }
        }
        let from = self.readings.len();
        let dialect = self.dialect;
        let new = list.listed[from..].iter().map(|tag| Reading::new(tag.clone(), dialect));
        self.readings.extend(new);
        for (at, reading) in self.readings.iter().enumerate().skip(from) {
            self.versions += usize::from(reading.version.is_ok());
            self.places.insert(reading.tag.clone(), at);
        }
        self.order.extend(from..self.readings.len());
        let readings = &self.readings;
        // a stable sort finds the part that is in order already
        self.order.sort_by(|a, b| compare(&readings[*a], &readings[*b]));
        self.hidden = list.hidden.iter().map(|name| Reading::new(name.clone(), dialect)).collect();
        self.hidden.sort_by(|a, b| a.tag.cmp(&b.tag));
    }

    /// The same tags, and perhaps more behind them.
    fn has_grown_into(&self, listed: &[Arc<str>]) -> bool {
        let ends = [0, self.readings.len().saturating_sub(1)];
        listed.len() >= self.readings.len()
            && (self.readings.is_empty()
                || ends.iter().all(|&at| Arc::ptr_eq(&self.readings[at].tag, &listed[at])))
    }

    /// The policy that the rows are judged by.
    pub(super) fn in_force(&self) -> &Ruled {
        self.what_if.as_ref().unwrap_or(&self.today)
    }

    /// Tags that a source could follow.
    pub(super) fn len(&self) -> usize {
        self.readings.len()
    }

    pub(super) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Places of what is hidden.
    pub(super) fn hidden(&self) -> std::ops::Range<usize> {
        self.readings.len()..self.readings.len() + self.hidden.len()
    }

    pub(super) fn has(&self, tag: &str) -> bool {
        self.places.contains_key(tag)
    }

    pub(super) fn reading(&self, at: usize) -> Option<&Reading> {
        self.readings.get(at).or_else(|| self.hidden.get(at.checked_sub(self.readings.len())?))
    }

    pub(super) fn tag(&self, at: usize) -> &Arc<str> {
        static NONE: std::sync::LazyLock<Arc<str>> = std::sync::LazyLock::new(|| "".into());
        self.reading(at).map_or(&NONE, |reading| &reading.tag)
    }

    pub(super) fn version_of(&self, tag: &str) -> Option<&Version> {
        self.readings.get(*self.places.get(tag)?)?.version.as_ref().ok()
    }

    pub(super) fn verdict(&self, at: usize) -> Verdict {
        match self.in_force().ruling.verdicts.get(at) {
            Some(verdict) => *verdict,
            None if is_signature_tag(self.tag(at)) => Verdict::Signature,
            None => Verdict::Invalid,
        }
    }

    /// One sentence; holds text from outside.
    pub(super) fn reason(&self, at: usize) -> String {
        match self.hidden.get(at.wrapping_sub(self.readings.len())) {
            Some(hidden) if is_signature_tag(&hidden.tag) => "made by a signing tool".to_owned(),
            Some(_) => "not a valid tag: it is never asked for".to_owned(),
            None => {
                let ruled = self.in_force();
                ruled.judge.reason(&ruled.ruling, &self.readings, at)
            }
        }
    }

    /// The same for a column.
    pub(super) fn brief(&self, at: usize) -> String {
        let refusal = self.readings.get(at).and_then(|reading| self.in_force().judge.refusal(reading));
        refusal.unwrap_or_else(|| self.reason(at))
    }

    /// The tag that wins, if it is in the list.
    pub(super) fn winner(&self) -> Option<usize> {
        self.in_force().ruling.winner
    }

    /// The newest version that is newer than this one and left out; a pre-release only where one is running.
    pub(super) fn beyond(&self, running: &Version) -> Option<usize> {
        let outside = |at: &&usize| {
            matches!(self.verdict(**at), Verdict::OutOfRange | Verdict::PreRelease | Verdict::NotFollowed)
        };
        let newer = |at: &&usize| {
            let version = self.readings[**at].version.as_ref().ok();
            version.is_some_and(|version| version > running)
        };
        let fits = |at: &&usize| {
            let version = self.readings[**at].version.as_ref().ok();
            version.is_some_and(|version| running.is_prerelease() || !version.is_prerelease())
        };
        self.order.iter().take_while(newer).filter(fits).find(outside).copied()
    }

    /// The order for reading, of two tags.
    pub(super) fn compare(&self, a: &str, b: &str) -> Ordering {
        let reading = |tag: &str| self.places.get(tag).and_then(|at| self.readings.get(*at));
        match (reading(a), reading(b)) {
            (Some(a), Some(b)) => compare(a, b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
}

fn compare(a: &Reading, b: &Reading) -> Ordering {
    match (&a.version, &b.version) {
        (Ok(a), Ok(b)) => b.cmp(a),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.tag.cmp(&b.tag),
    }
}
