//! Answers kept by what they are about: a repository, an object. Each question is asked once; it asks nobody itself.

pub mod artifacts;
pub mod comparisons;
pub mod lookups;
mod pace;
mod tag_list;

pub use tag_list::{Asking, TagList, version};

use super::effect::Effect;
use crate::domain::{
    Timestamp, artifact::TagPage, event::Event, identity::ObjectId, problem::Problem, repository::Upstream,
};
use artifacts::Artifacts;
use comparisons::Comparisons;
use lookups::Lookups;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

/// An answer, or where it is.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    Asked,
    Here(T),
    Failed(Problem),
}

impl<T> Answer<T> {
    fn from_result(result: Result<T, Problem>) -> Self {
        match result {
            Ok(value) => Self::Here(value),
            Err(problem) => Self::Failed(problem),
        }
    }
}

/// All answers.
#[derive(Debug)]
pub struct Shelf {
    /// Lists of tags that may be on their way from one host at a time (`reference/registries.md` §9).
    at_once: usize,
    tags: HashMap<Upstream, TagList>,
    /// Repositories that wait for their turn, by host.
    queues: HashMap<String, VecDeque<Upstream>>,
    under_way: HashMap<String, usize>,
    looked_at: Vec<Upstream>,
    /// Repositories of which the list became whole, or is no longer there, since somebody asked.
    settled: HashSet<Upstream>,
    /// Grows when a list of tags was asked for again or answered.
    pub revision: u64,
    pub lookups: Lookups,
    pub artifacts: Artifacts,
    pub comparisons: Comparisons,
    pub events: HashMap<ObjectId, Answer<Vec<Event>>>,
    /// Since when the events shown are not live, and why.
    pub old_events: HashMap<ObjectId, (Timestamp, Problem)>,
    pub raw: HashMap<ObjectId, Answer<Arc<Vec<String>>>>,
}

impl Shelf {
    pub fn with(at_once: usize) -> Self {
        Self {
            at_once: at_once.max(1),
            tags: HashMap::new(),
            queues: HashMap::new(),
            under_way: HashMap::new(),
            looked_at: Vec::new(),
            settled: HashSet::new(),
            revision: 0,
            lookups: Lookups::default(),
            artifacts: Artifacts::default(),
            comparisons: Comparisons::default(),
            events: HashMap::new(),
            old_events: HashMap::new(),
            raw: HashMap::new(),
        }
    }

    pub fn tags(&self, upstream: &Upstream) -> Option<&TagList> {
        self.tags.get(upstream)
    }

    /// Puts a repository in line, unless it was asked before.
    pub fn want_tags(&mut self, upstream: &Upstream) {
        if !self.tags.contains_key(upstream) {
            self.tags.insert(upstream.clone(), TagList::queued());
            self.queue(upstream);
        }
    }

    /// Puts it in line, and says how its tags are read.
    pub fn want_tags_as(&mut self, upstream: &Upstream, chart: bool) {
        self.want_tags(upstream);
        if let Some(list) = self.tags.get_mut(upstream) {
            list.read_as(chart);
        }
    }

    /// Somebody looks at these: they go before all others.
    pub fn look_at(&mut self, upstreams: Vec<Upstream>) {
        for upstream in &upstreams {
            self.want_tags(upstream);
        }
        self.looked_at = upstreams;
    }

    fn queue(&mut self, upstream: &Upstream) {
        let host = upstream.repository.registry().to_owned();
        self.queues.entry(host).or_default().push_back(upstream.clone());
    }

    /// Asks again, whatever is known; what is known stays until then.
    pub fn want_tags_again(&mut self, upstream: &Upstream) {
        if let Some(list) = self.tags.get_mut(upstream) {
            if !list.ask_again() {
                return;
            }
            self.queue(upstream);
        } else {
            self.want_tags(upstream);
        }
        self.revision += 1;
        self.lookups.forget(upstream);
    }

    /// Asks again for those among what is seen that are due.
    pub fn refresh(&mut self, seen: &[Upstream], now: Timestamp) {
        for upstream in seen {
            if self.tags.get(upstream).is_some_and(|list| pace::is_due(list, now)) {
                self.want_tags_again(upstream);
            }
        }
    }

    /// Something newer than the list was seen elsewhere.
    pub fn outrun(&mut self, upstream: &Upstream) {
        if let Some(list) = self.tags.get_mut(upstream) {
            list.outrun = true;
        }
    }

    /// When a list that failed is asked for again, while it is seen.
    pub fn retried(&self, upstream: &Upstream) -> Option<Timestamp> {
        pace::retried(self.tags.get(upstream)?)
    }

    /// Repositories to look at again: those whose list became whole since the last time.
    pub fn take_settled(&mut self) -> HashSet<Upstream> {
        std::mem::take(&mut self.settled)
    }

    /// Some repository has not been asked yet.
    pub fn has_queue(&self) -> bool {
        !self.queues.is_empty()
    }

    /// Nobody looks at it any more. True if a question was under way.
    pub fn give_up(&mut self, upstream: &Upstream) -> bool {
        let under_way = self.tags.get(upstream).is_some_and(TagList::is_under_way);
        if under_way {
            self.tags.remove(upstream);
            self.settled.insert(upstream.clone());
            if let Some(count) = self.under_way.get_mut(upstream.repository.registry()) {
                *count = count.saturating_sub(1);
            }
        }
        under_way
    }

    /// Questions whose turn has come: what is looked at, then the others in line.
    pub fn due(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = self.lookups.due();
        if self.queues.is_empty() {
            return effects;
        }
        for upstream in std::mem::take(&mut self.looked_at) {
            effects.extend(self.ask(&upstream, now));
        }
        let hosts: Vec<String> = self.queues.keys().cloned().collect();
        for host in hosts {
            while self.under_way.get(&host).is_none_or(|count| *count < self.at_once) {
                let Some(upstream) = self.queues.get_mut(&host).and_then(VecDeque::pop_front) else { break };
                effects.extend(self.ask(&upstream, now));
            }
        }
        self.queues.retain(|_, queue| !queue.is_empty());
        effects
    }

    /// Asks if it still waits and its host has room. What was asked out of turn stays in line and is skipped there.
    fn ask(&mut self, upstream: &Upstream, now: Timestamp) -> Option<Effect> {
        let list = self.tags.get_mut(upstream).filter(|list| list.asking == Asking::Queued)?;
        let under_way = self.under_way.entry(upstream.repository.registry().to_owned()).or_default();
        if *under_way >= self.at_once {
            return None;
        }
        *under_way += 1;
        list.asking = Asking::Since(now);
        Some(Effect::ListTags(upstream.clone()))
    }

    pub fn take_tags(&mut self, upstream: &Upstream, answer: Result<TagPage, Problem>, now: Timestamp) {
        let Some(list) = self.tags.get_mut(upstream) else { return };
        if !list.is_under_way() {
            return;
        }
        self.revision += 1;
        match answer {
            Ok(page) => list.take(page, now),
            Err(problem) => list.fail(problem, now),
        }
        if list.is_under_way() {
            return;
        }
        self.settled.insert(upstream.clone());
        if let Some(count) = self.under_way.get_mut(upstream.repository.registry()) {
            *count = count.saturating_sub(1);
        }
    }

    /// What belongs to a cluster goes with it; what registries said stays.
    pub fn leave_cluster(&mut self) {
        self.events.clear();
        self.old_events.clear();
        self.raw.clear();
        self.comparisons.leave_cluster();
    }

    pub fn take_events(&mut self, id: ObjectId, answer: Result<Vec<Event>, Problem>, now: Timestamp) {
        match (answer, self.events.get(&id)) {
            // the events that were there stay; what failed is only their life
            (Err(problem), Some(Answer::Here(_))) => {
                self.old_events.insert(id, (now, problem));
            }
            (answer, _) => {
                self.old_events.remove(&id);
                self.events.insert(id, Answer::from_result(answer));
            }
        }
    }

    pub fn take_raw(&mut self, id: ObjectId, answer: Result<String, Problem>) {
        let lines = answer.map(|text| {
            let safe = crate::domain::plain::Plain::block(&text);
            Arc::new(safe.as_str().lines().map(str::to_owned).collect())
        });
        self.raw.insert(id, Answer::from_result(lines));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{problem::Cause, repository::Repository};

    fn upstream(name: &str) -> Upstream {
        Upstream {
            repository: Repository::parse_name(&format!("ghcr.io/acme/{name}")).unwrap(),
            insecure: false,
        }
    }

    fn page(tags: &[&str], more: bool) -> TagPage {
        TagPage {
            tags: tags.iter().map(|t| Arc::from(*t)).collect(),
            invalid: vec![],
            requests: 1,
            more,
            cut: None,
            asked_with: "anonymous".into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_repository_is_asked_once_and_six_of_a_host_at_a_time() {
        let mut shelf = Shelf::with(6);
        for n in 0..20 {
            shelf.want_tags(&upstream(&format!("r{n}")));
            shelf.want_tags(&upstream(&format!("r{n}")));
        }
        assert_eq!(shelf.due(at(0)).len(), 6);
        assert!(shelf.due(at(0)).is_empty());
        shelf.look_at(vec![upstream("r19")]);
        shelf.take_tags(&upstream("r0"), Ok(page(&["1.0.0"], false)), at(1));
        assert_eq!(shelf.due(at(1)), [Effect::ListTags(upstream("r19"))], "a visible row goes first");
    }

    #[test]
    fn the_old_list_stays_until_the_new_one_is_whole() {
        let mut shelf = Shelf::with(6);
        let about = upstream("podinfo");
        shelf.want_tags(&about);
        shelf.due(at(0));
        shelf.take_tags(&about, Ok(page(&["1.0.0"], true)), at(1));
        assert_eq!(shelf.tags(&about).unwrap().tags.len(), 1, "pages stream in");
        shelf.take_tags(&about, Ok(page(&["1.1.0"], false)), at(1));
        shelf.want_tags_again(&about);
        shelf.due(at(2));
        shelf.take_tags(&about, Ok(page(&["2.0.0"], true)), at(2));
        assert_eq!(shelf.tags(&about).unwrap().tags.len(), 2);
        let problem = Problem::new(Cause::Timeout, "list tags", "no answer");
        shelf.take_tags(&about, Err(problem), at(3));
        assert_eq!(shelf.tags(&about).unwrap().newest(false).unwrap().as_ref(), "1.1.0");
    }

    #[test]
    fn the_newest_is_stable_where_there_is_a_stable_one_and_signatures_are_only_counted() {
        let mut shelf = Shelf::with(6);
        let about = upstream("podinfo");
        shelf.want_tags(&about);
        shelf.due(at(0));
        let signature = format!("sha256-{}.sig", "a".repeat(64));
        let tags = ["latest", "6.9.1", "7.0.0-rc.1", "6.10.0", signature.as_str()];
        shelf.take_tags(&about, Ok(page(&tags, false)), at(1));
        let list = shelf.tags(&about).unwrap();
        assert_eq!(list.newest(false).unwrap().as_ref(), "6.10.0");
        assert_eq!((list.tags.len(), list.versions, list.signatures), (4, 3, 1));
        assert_eq!(list.tags[0].as_ref(), "7.0.0-rc.1");
    }

    #[test]
    fn the_registry_s_own_order_is_kept_beside_the_order_for_reading() {
        let mut shelf = Shelf::with(6);
        let about = upstream("podinfo");
        shelf.want_tags(&about);
        shelf.due(at(0));
        shelf.take_tags(&about, Ok(page(&["1.0.0", "v1.2.0"], true)), at(1));
        shelf.take_tags(&about, Ok(page(&["1.2.0", "latest", "1.1.0"], false)), at(1));
        let list = shelf.tags(&about).unwrap();
        let texts = |tags: &[Arc<str>]| tags.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&list.listed), ["1.0.0", "v1.2.0", "1.2.0", "latest", "1.1.0"]);
        assert_eq!(texts(&list.tags), ["v1.2.0", "1.2.0", "1.1.0", "1.0.0", "latest"]);
    }

    #[test]
    fn a_chart_reads_underscores() {
        let all = ["1.0.0_b", "0.9.0", "latest", "1.1.0-rc.1", "1.0.0", "2.0.0_x", "a", "v0.1.0"];
        let mut shelf = Shelf::with(6);
        let about = upstream("chart");
        shelf.want_tags(&about);
        shelf.due(at(0));
        shelf.take_tags(&about, Ok(page(&all, false)), at(1));
        shelf.want_tags_as(&about, true);
        let list = shelf.tags(&about).unwrap();
        assert_eq!((list.tags[0].as_ref(), list.versions), ("2.0.0_x", 6));
        assert_eq!(list.newest(true).unwrap().as_ref(), "2.0.0_x");
        assert_eq!(list.newest(false).unwrap().as_ref(), "1.0.0");
    }
}
