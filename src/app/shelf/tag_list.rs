//! What is known of one repository's tags, page by page: in the order for reading and in the registry's own.

use crate::domain::{
    Timestamp, artifact::TagPage, problem::Problem, repository::is_signature_tag, version::Version,
};
use std::{cmp::Reverse, sync::Arc};

/// Where the question for tags stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asking {
    /// It waits for its turn.
    Queued,
    Since(Timestamp),
    Done(Timestamp),
    Failed(Timestamp, Problem),
}

/// What is known of a repository's tags. Older tags stay until a newer list is whole.
#[derive(Debug, Clone)]
pub struct TagList {
    pub asking: Asking,
    /// Newest version first, then what is no version, by name.
    pub tags: Vec<Arc<str>>,
    /// The same tags in the registry's own order, as source-controller sees them: of equals its first one wins.
    pub listed: Vec<Arc<str>>,
    /// What no source would follow: tags of signatures, and names that are no tags and never stand in a URL.
    pub hidden: Vec<Arc<str>>,
    pub signatures: usize,
    pub invalid: usize,
    pub versions: usize,
    pub requests: u32,
    pub cut: Option<String>,
    pub asked_with: Option<Arc<str>>,
    /// The tags are versions of a chart: `_` stands for `+` (what the sources of this repository say).
    chart: bool,
    newest: [Option<Arc<str>>; 2],
    /// A list that replaces the one shown once it is whole.
    coming: Coming,
    /// The tags shown are a whole answer, perhaps an older one.
    whole: bool,
    /// When the tags shown were whole.
    pub listed_at: Option<Timestamp>,
    /// Something newer than these tags was seen in the cluster.
    pub outrun: bool,
    /// Failed answers in a row.
    pub failures: u32,
    /// Grows when the tags shown change.
    pub revision: u64,
}

/// Where a tag stands: versions first, newest first, then the others by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Version(Reverse<Version>),
    Other(Arc<str>),
}

impl Rank {
    fn of(tag: &Arc<str>, chart: bool) -> Self {
        version(tag, chart)
            .map_or_else(|| Self::Other(tag.clone()), |version| Self::Version(Reverse(version)))
    }
}

/// That it is stable, its version, and the tag.
type Best = ((bool, Version), Arc<str>);

/// A list as it grows page by page. Each tag is parsed once per way of reading.
#[derive(Debug, Clone, Default)]
struct Coming {
    ranked: Vec<(Rank, Arc<str>)>,
    /// As the registry gave them.
    listed: Vec<Arc<str>>,
    hidden: Vec<Arc<str>>,
    /// The newest as a plain tag, and as a version of a chart.
    best: [Option<Best>; 2],
    signatures: usize,
    invalid: usize,
}

impl Coming {
    fn add(&mut self, page: Vec<Arc<str>>, chart: bool) {
        for tag in page {
            if is_signature_tag(&tag) {
                self.signatures += 1;
                self.hidden.push(tag);
                continue;
            }
            let rank = Rank::of(&tag, chart);
            // only where there is an underscore do both ways of reading differ
            let other = if tag.contains('_') { Rank::of(&tag, !chart) } else { rank.clone() };
            for (chart, rank) in [(chart, &rank), (!chart, &other)] {
                self.rival(chart, rank, &tag);
            }
            self.listed.push(tag.clone());
            self.ranked.push((rank, tag));
        }
        // a stable sort finds the part that is in order already and merges the page into it
        self.ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
    }

    /// Of equal ones the last holds, as in [`crate::domain::version::newest`].
    fn rival(&mut self, chart: bool, rank: &Rank, tag: &Arc<str>) {
        let Rank::Version(Reverse(version)) = rank else { return };
        let rank = (!version.is_prerelease(), version.clone());
        let best = &mut self.best[usize::from(chart)];
        if best.as_ref().is_none_or(|(old, _)| rank >= *old) {
            *best = Some((rank, tag.clone()));
        }
    }
}

impl TagList {
    pub(super) fn queued() -> Self {
        Self {
            asking: Asking::Queued,
            tags: Vec::new(),
            listed: Vec::new(),
            hidden: Vec::new(),
            signatures: 0,
            invalid: 0,
            versions: 0,
            requests: 0,
            cut: None,
            asked_with: None,
            chart: false,
            newest: [None, None],
            coming: Coming::default(),
            whole: false,
            listed_at: None,
            outrun: false,
            failures: 0,
            revision: 0,
        }
    }

    /// The highest stable version; if there is none, the highest of all. A chart reads its tags in its own way.
    pub fn newest(&self, chart: bool) -> Option<&Arc<str>> {
        self.newest[usize::from(chart)].as_ref()
    }

    pub fn is_under_way(&self) -> bool {
        matches!(self.asking, Asking::Since(_))
    }

    /// There is something to show, even if it is not all.
    pub fn has_answer(&self) -> bool {
        self.whole || !self.tags.is_empty() || self.signatures + self.invalid > 0
    }

    /// All tags were heard, now or before: they can be judged.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// False: it is under way, or in line.
    pub(super) fn ask_again(&mut self) -> bool {
        match self.asking {
            Asking::Queued | Asking::Since(_) => return false,
            Asking::Done(_) | Asking::Failed(..) => self.asking = Asking::Queued,
        }
        self.coming = Coming::default();
        true
    }

    pub(super) fn take(&mut self, page: TagPage, now: Timestamp) {
        self.coming.add(page.tags, self.chart);
        self.coming.invalid += page.invalid.len();
        self.coming.hidden.extend(page.invalid.into_iter().map(Arc::from));
        self.requests = page.requests;
        self.asked_with = Some(page.asked_with);
        if page.more {
            if !self.whole {
                self.show();
            }
            return;
        }
        self.asking = Asking::Done(now);
        self.cut = page.cut;
        (self.listed_at, self.outrun, self.failures) = (Some(now), false, 0);
        self.show();
        self.whole = true;
        self.coming = Coming::default();
    }

    pub(super) fn fail(&mut self, problem: Problem, now: Timestamp) {
        self.asking = Asking::Failed(now, problem);
        self.failures += 1;
        self.coming = Coming::default();
    }

    fn show(&mut self) {
        let coming = &self.coming;
        (self.signatures, self.invalid) = (coming.signatures, coming.invalid);
        // most answers are the same as the one before
        if self.whole && self.listed == coming.listed && self.hidden == coming.hidden {
            return;
        }
        self.versions = coming.ranked.partition_point(|(rank, _)| matches!(rank, Rank::Version(_)));
        self.tags = coming.ranked.iter().map(|(_, tag)| tag.clone()).collect();
        self.listed.clone_from(&coming.listed);
        self.hidden.clone_from(&coming.hidden);
        self.newest = coming.best.each_ref().map(|best| best.as_ref().map(|(_, tag)| tag.clone()));
        self.revision += 1;
    }

    /// From now on the tags are read like this, those that are here too.
    pub(super) fn read_as(&mut self, chart: bool) {
        if self.chart == chart {
            return;
        }
        self.chart = chart;
        for (rank, tag) in &mut self.coming.ranked {
            *rank = Rank::of(tag, chart);
        }
        self.coming.ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.tags.sort_by_cached_key(|tag| Rank::of(tag, chart));
        self.versions = self.tags.iter().take_while(|tag| version(tag, chart).is_some()).count();
        self.revision += 1;
    }
}

/// The version that a tag names, as Flux reads it.
pub fn version(tag: &str, chart: bool) -> Option<Version> {
    if chart { Version::parse_chart_tag(tag).ok() } else { Version::parse_tag(tag).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_by_page_or_at_once_the_order_is_the_same_and_a_chart_reads_underscores() {
        let all = ["1.0.0_b", "0.9.0", "latest", "1.1.0-rc.1", "1.0.0", "2.0.0_x", "a", "v0.1.0"];
        for chart in [false, true] {
            let (mut once, mut paged) = (Coming::default(), Coming::default());
            once.add(all.map(Arc::from).to_vec(), chart);
            for two in all.chunks(2) {
                paged.add(two.iter().map(|tag| Arc::from(*tag)).collect(), chart);
            }
            assert_eq!(once.ranked, paged.ranked);
            let read =
                |tag: &str| Version::parse_tag(&if chart { tag.replace('_', "+") } else { tag.into() });
            let newest = crate::domain::version::newest(&all, read).unwrap();
            let best = once.best[usize::from(chart)].as_ref().map(|(_, tag)| tag.as_ref());
            assert_eq!(best, Some(*newest));
        }
    }
}
