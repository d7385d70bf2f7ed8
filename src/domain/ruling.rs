//! A policy made ready to judge: its range, its filter and every tag are read once, however often the others change.
//! Only verdicts are kept; a sentence is made for a tag that somebody reads. It asks nobody.

use super::{
    constraint::Judgement,
    policy::{Choice, Dialect, Finding, Place, Policy, Rule, Verdict, highest},
    version::{NotAVersion, Version},
};
use std::sync::Arc;

/// A tag, and the version that Flux sees in it.
#[derive(Debug, Clone)]
pub struct Reading {
    pub tag: Arc<str>,
    pub version: Result<Version, NotAVersion>,
}

impl Reading {
    pub fn new(tag: Arc<str>, dialect: Dialect) -> Self {
        Self { version: dialect.read(&tag), tag }
    }
}

/// A policy whose range and filter were read.
pub struct Judge {
    policy: Policy,
    rule: Rule,
}

/// What a rule makes of a list of tags, by their places in it.
#[derive(Debug, Clone, Default)]
pub struct Ruling {
    pub verdicts: Vec<Verdict>,
    pub chosen: Option<Choice>,
    /// The place of the chosen tag, if it is in the list.
    pub winner: Option<usize>,
    /// Places of those that are as high as the winner.
    pub ambiguous: Vec<usize>,
    /// With the winner.
    pub in_range: usize,
    /// Flux's own words for why it chooses nothing.
    pub error: Option<String>,
}

impl Judge {
    pub fn new(policy: Policy) -> Self {
        Self { rule: policy.rule(), policy }
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// It judges by a range: the choice depends on all tags.
    pub fn is_range(&self) -> bool {
        matches!(self.rule, Rule::Range { .. })
    }

    /// Why no tag is judged.
    pub fn is_silent(&self) -> Option<&str> {
        match &self.rule {
            Rule::Nothing { why, .. } => Some(why),
            Rule::Digest(_) | Rule::One { .. } | Rule::Range { .. } => None,
        }
    }

    /// Which comparator refuses it, e.g. `not <2.0.0`; None where that is not what decided.
    pub fn refusal(&self, reading: &Reading) -> Option<String> {
        match self.rule.find(&reading.tag, &reading.version) {
            Finding::Judged(Judgement::OutOfRange { comparator }) => Some(format!("not {comparator}")),
            Finding::Judged(Judgement::InRange | Judgement::PreRelease { .. })
            | Finding::Unfit(..)
            | Finding::FilteredOut(_)
            | Finding::NotAVersion(_)
            | Finding::Followed(_)
            | Finding::NotFollowed(_)
            | Finding::NotJudged(_) => None,
        }
    }

    /// One sentence that names the comparator or the rule; holds text from outside.
    pub fn reason(&self, ruling: &Ruling, readings: &[Reading], at: usize) -> String {
        let Some(reading) = readings.get(at) else { return String::new() };
        match ruling.verdicts.get(at) {
            Some(Verdict::InRange | Verdict::Chosen) if self.is_range() => ruling.rank(readings, at),
            _ => {
                let finding = self.rule.find(&reading.tag, &reading.version);
                self.policy.reason(&finding, &reading.tag, &reading.version)
            }
        }
    }
}

impl Ruling {
    /// A whole list, judged and chosen from.
    pub fn of(judge: &Judge, readings: &[Reading]) -> Self {
        let mut ruling = Self::default();
        ruling.extend(judge, readings);
        ruling.choose(judge, readings);
        ruling
    }

    /// Judges what the list has grown by. Which one of a range wins is said by [`Ruling::choose`] alone.
    pub fn extend(&mut self, judge: &Judge, readings: &[Reading]) {
        if let Some(winner) = self.winner.take_if(|_| judge.is_range()) {
            self.verdicts[winner] = Verdict::InRange;
            self.chosen = None;
        }
        let from = self.verdicts.len();
        self.verdicts.extend(
            readings
                .iter()
                .skip(from)
                .map(|reading| judge.rule.find(&reading.tag, &reading.version).verdict()),
        );
        self.error = None;
        match &judge.rule {
            Rule::Digest(digest) => self.chosen = Some(Choice::Digest(digest.clone())),
            Rule::One { .. } => {
                let found = (from..self.verdicts.len()).find(|&at| self.verdicts[at] == Verdict::Chosen);
                if let Some(at) = found {
                    self.winner = Some(at);
                    self.chosen = Some(Choice::Tag(readings[at].tag.clone()));
                }
            }
            Rule::Nothing { error, .. } => self.error.clone_from(error),
            Rule::Range { .. } => {}
        }
        let in_range = |verdict: &&Verdict| matches!(verdict, Verdict::InRange | Verdict::Chosen);
        self.in_range = self.verdicts.iter().filter(in_range).count();
    }

    /// The list is whole: the highest in range wins; among equals the first in the registry's order.
    pub fn choose(&mut self, judge: &Judge, readings: &[Reading]) {
        let Rule::Range { nothing, .. } = &judge.rule else { return };
        let rivals: Vec<(usize, &Version)> = readings
            .iter()
            .enumerate()
            .filter(|(at, _)| self.verdicts.get(*at) == Some(&Verdict::InRange))
            .filter_map(|(at, reading)| Some((at, reading.version.as_ref().ok()?)))
            .collect();
        let Some(winner) = highest(rivals.iter().copied()) else {
            self.error = Some(nothing.clone());
            return;
        };
        let best = readings[winner].version.as_ref().ok();
        self.ambiguous = rivals
            .iter()
            .filter(|(at, version)| *at != winner && Some(*version) == best)
            .map(|(at, _)| *at)
            .collect();
        self.verdicts[winner] = Verdict::Chosen;
        self.winner = Some(winner);
        self.chosen = Some(Choice::Tag(readings[winner].tag.clone()));
    }

    /// Where one in range stands beside the winner.
    fn rank(&self, readings: &[Reading], at: usize) -> String {
        let Some(winner) = self.winner else {
            return "in range; which one wins is known once all tags are".to_owned();
        };
        let place = if at == winner {
            Place::Highest { of: self.in_range }
        } else if self.ambiguous.contains(&at) {
            Place::Equal
        } else {
            Place::Below
        };
        place.words(&readings[winner].tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::source::Follows;

    fn readings(tags: &[&str]) -> Vec<Reading> {
        tags.iter().map(|tag| Reading::new(Arc::from(*tag), Dialect::Lenient)).collect()
    }

    fn judge(range: &str) -> Judge {
        let follows = Some(Follows::Semver(range.into()));
        Judge::new(Policy { follows, filter: None, dialect: Dialect::Lenient })
    }

    #[test]
    fn page_by_page_or_at_once_the_ruling_is_the_same() {
        let all = readings(&["1.0.0", "1.2.0", "latest", "1.1.0", "v1.2.0", "2.0.0"]);
        let judge = judge("1.x");
        let once = Ruling::of(&judge, &all);
        let mut paged = Ruling::default();
        for end in [1, 2, 5, 6] {
            paged.extend(&judge, &all[..end]);
            assert_eq!(paged.chosen, None, "a winner is named once the list is whole");
        }
        paged.choose(&judge, &all);
        assert_eq!(
            (once.verdicts, once.chosen, once.ambiguous),
            (paged.verdicts, paged.chosen, paged.ambiguous)
        );
        assert_eq!((paged.winner, paged.in_range), (Some(1), 4));
    }

    #[test]
    fn more_tags_take_the_win_back_until_it_is_chosen_anew() {
        let all = readings(&["1.0.0", "1.2.0"]);
        let judge = judge("1.x");
        let mut ruling = Ruling::of(&judge, &all[..1]);
        assert_eq!(ruling.winner, Some(0));
        ruling.extend(&judge, &all);
        assert_eq!((ruling.winner, ruling.verdicts[0]), (None, Verdict::InRange));
        ruling.choose(&judge, &all);
        assert_eq!(judge.reason(&ruling, &all, 0), "in range, 1.2.0 is higher");
    }
}
