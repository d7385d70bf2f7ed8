//! Comparisons that were asked for, and what was read of them to be looked at. Both are kept for a while only: one of
//! them may hold two whole artifacts.

use super::{
    super::page::{Page, PageId},
    Answer,
};
use crate::domain::{
    Timestamp,
    artifact::Target,
    comparison::{Comparison, Question},
    diff::Which,
    problem::Problem,
    repository::Upstream,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Comparisons that are kept.
const KEPT: usize = 4;

/// Bytes of pages that are kept, the last one always.
const PAGES: usize = 16 << 20;

/// A comparison, or where it is.
#[derive(Debug, Clone)]
pub enum Compared {
    Coming(Box<Coming>),
    Here(Arc<Comparison>),
    Failed(Problem),
}

/// What is known of a comparison on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    pub since: Timestamp,
    pub from: Received,
    pub to: Received,
    /// Files in what is here whole, by side.
    pub files: [Option<usize>; 2],
    /// What is done now, in a few words.
    pub work: Option<String>,
}

/// How much of one side came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Received {
    pub bytes: u64,
    pub of: Option<u64>,
    pub from_cache: bool,
}

/// What can be heard of a comparison.
#[derive(Debug, Clone)]
pub enum News {
    Reading {
        which: Which,
        received: Received,
    },
    /// All of it came.
    Opened {
        which: Which,
        files: usize,
    },
    /// What is done now, in a few words.
    Working(String),
    /// The last word.
    Answered(Result<Arc<Comparison>, Problem>),
}

#[derive(Debug, Default)]
pub struct Comparisons {
    kept: HashMap<Question, Compared>,
    /// Answers, the oldest first.
    order: VecDeque<Question>,
    pages: HashMap<PageId, Answer<Arc<Page>>>,
    page_order: VecDeque<PageId>,
    size: usize,
    /// By repository and digest: the tag under which it was chosen last.
    tags: HashMap<(Upstream, Box<str>), Box<str>>,
    /// Grows with every answer.
    pub revision: u64,
}

impl Comparisons {
    /// This digest was chosen under this tag.
    pub fn call(&mut self, target: &Target, tag: Box<str>) {
        if let Some((upstream, digest)) = target.digest() {
            self.tags.insert((upstream.clone(), digest.into()), tag);
        }
    }

    /// The tag under which a digest was chosen.
    pub fn tag(&self, target: &Target) -> Option<&str> {
        let (upstream, digest) = target.digest()?;
        self.tags.get(&(upstream.clone(), digest.into())).map(|tag| &**tag)
    }

    /// A fresh order for it: what failed, and what may be another answer by now, is asked anew. So is what was kept of
    /// the same two with other eyes, so that no older answer stands one key away.
    pub fn renew(&mut self, question: &Question) {
        let is_old = |(other, state): &(&Question, &Compared)| match state {
            Compared::Coming(_) => false,
            Compared::Failed(_) => other.is_of_same(question),
            Compared::Here(_) => other.is_of_same(question) && !other.is_fixed(),
        };
        self.forget_those(is_old);
    }

    /// What is known of these two is asked anew, whatever it is. True if this question was on its way.
    pub fn again(&mut self, question: &Question) -> bool {
        let on_its_way = self.give_up(question);
        self.forget_those(|(other, state)| {
            other.is_of_same(question) && !matches!(state, Compared::Coming(_))
        });
        on_its_way
    }

    /// Other eyes on what is looked at: only what failed is asked anew.
    pub fn retry(&mut self, question: &Question) {
        if matches!(self.kept.get(question), Some(Compared::Failed(_))) {
            self.forget(question);
        }
    }

    fn forget_those(&mut self, is_old: impl Fn(&(&Question, &Compared)) -> bool) {
        let old: Vec<Question> = self.kept.iter().filter(is_old).map(|(other, _)| other.clone()).collect();
        for question in &old {
            self.forget(question);
        }
    }

    pub fn get(&self, question: &Question) -> Option<&Compared> {
        self.kept.get(question)
    }

    pub fn here(&self, question: &Question) -> Option<&Arc<Comparison>> {
        match self.kept.get(question)? {
            Compared::Here(comparison) => Some(comparison),
            Compared::Coming(_) | Compared::Failed(_) => None,
        }
    }

    /// Those that are on their way.
    pub fn coming(&self) -> Vec<Question> {
        let coming = self.kept.iter().filter(|(_, state)| matches!(state, Compared::Coming(_)));
        coming.map(|(question, _)| question.clone()).collect()
    }

    pub fn page(&self, id: &PageId) -> Option<&Answer<Arc<Page>>> {
        self.pages.get(id)
    }

    /// Remembers that it was asked.
    pub fn ask(&mut self, question: &Question, since: Timestamp) {
        let nothing = Received::default();
        let coming = Coming { since, from: nothing, to: nothing, files: [None; 2], work: None };
        self.kept.insert(question.clone(), Compared::Coming(Box::new(coming)));
        self.revision += 1;
    }

    pub fn ask_page(&mut self, id: &PageId) {
        self.pages.insert(id.clone(), Answer::Asked);
    }

    pub fn take(&mut self, question: &Question, news: News) {
        self.revision += 1;
        match news {
            // progress of one that nobody waits for any more is not kept
            News::Reading { which, received } => {
                if let Some(Compared::Coming(coming)) = self.kept.get_mut(question) {
                    match which {
                        Which::From => coming.from = received,
                        Which::To => coming.to = received,
                        Which::Both => (coming.from, coming.to) = (received, received),
                    }
                }
            }
            News::Opened { which, files } => {
                if let Some(Compared::Coming(coming)) = self.kept.get_mut(question) {
                    let files = Some(files);
                    match which {
                        Which::From => coming.files[0] = files,
                        Which::To => coming.files[1] = files,
                        Which::Both => coming.files = [files; 2],
                    }
                }
            }
            News::Working(work) => {
                if let Some(Compared::Coming(coming)) = self.kept.get_mut(question) {
                    coming.work = Some(work);
                }
            }
            News::Answered(Ok(comparison)) => {
                self.order.retain(|other| other != question);
                self.order.push_back(question.clone());
                self.kept.insert(question.clone(), Compared::Here(comparison));
                while self.order.len() > KEPT {
                    let Some(oldest) = self.order.pop_front() else { break };
                    self.drop_one(&oldest);
                }
            }
            News::Answered(Err(problem)) => {
                self.kept.insert(question.clone(), Compared::Failed(problem));
            }
        }
    }

    /// Keeps it, and forgets what came first when there is too much.
    pub fn take_page(&mut self, id: PageId, answer: Result<Arc<Page>, Problem>) {
        // of a comparison that was forgotten meanwhile: the next one may have something else at this place
        if !matches!(self.pages.get(&id), Some(Answer::Asked)) {
            return;
        }
        if let Ok(page) = &answer {
            self.size += page.size();
            self.page_order.push_back(id.clone());
        }
        self.pages.insert(id, Answer::from_result(answer));
        while self.size > PAGES && self.page_order.len() > 1 {
            let Some(oldest) = self.page_order.pop_front() else { break };
            self.drop_page(&oldest);
        }
    }

    fn drop_page(&mut self, id: &PageId) {
        if let Some(Answer::Here(page)) = self.pages.remove(id) {
            self.size = self.size.saturating_sub(page.size());
        }
    }

    /// It is asked again.
    pub fn forget(&mut self, question: &Question) {
        self.order.retain(|other| other != question);
        self.drop_one(question);
        self.revision += 1;
    }

    fn drop_one(&mut self, question: &Question) {
        self.kept.remove(question);
        let pages: Vec<PageId> = self.pages.keys().filter(|id| *id.question == *question).cloned().collect();
        for id in pages {
            self.page_order.retain(|other| *other != id);
            self.drop_page(&id);
        }
    }

    /// Somebody would not wait for it any longer. True if it was on its way.
    pub fn give_up(&mut self, question: &Question) -> bool {
        let coming = matches!(self.kept.get(question), Some(Compared::Coming(_)));
        if coming {
            self.kept.remove(question);
            self.revision += 1;
        }
        coming
    }

    /// Somebody would not wait for it any longer, and still looks at it.
    pub fn cancel(&mut self, question: &Question, problem: Problem) {
        if matches!(self.kept.get(question), Some(Compared::Coming(_))) {
            self.kept.insert(question.clone(), Compared::Failed(problem));
            self.revision += 1;
        }
    }

    /// What a consumer of another cluster makes of it is asked there.
    pub fn leave_cluster(&mut self) {
        let seen: Vec<Question> =
            self.kept.keys().filter(|question| question.consumer.is_some()).cloned().collect();
        for question in &seen {
            self.forget(question);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::page::Form, *};
    use crate::domain::{
        artifact::{Origin, Target},
        problem::Cause,
        source::LayerSelector,
    };
    use std::collections::BTreeSet;

    fn question(name: &str) -> Question {
        let target = |name: &str| Target {
            origin: Origin::Directory(name.into()),
            selector: LayerSelector::default(),
            ignore: None,
        };
        let (from, to) = (target("before"), target(name));
        Question { from, to, consumer: None, read_secrets: false, build: false }
    }

    fn page(question: &Question, at: usize, bytes: usize) -> (PageId, Arc<Page>) {
        let subject = super::super::super::page::Subject::Object(at);
        let question = Arc::new(question.clone());
        let id = PageId { question, subject, form: Form::Fields, revealed: BTreeSet::new() };
        (id, Arc::new(Page { notes: vec!["x".repeat(bytes)], ..Page::default() }))
    }

    fn keep(comparisons: &mut Comparisons, (id, read): (PageId, Arc<Page>)) {
        comparisons.ask_page(&id);
        comparisons.take_page(id, Ok(read));
    }

    #[test]
    fn a_page_of_a_comparison_that_was_forgotten_is_not_kept() {
        let mut comparisons = Comparisons::default();
        let about = question("after");
        let (id, read) = page(&about, 0, 1);
        comparisons.ask_page(&id);
        comparisons.forget(&about);
        comparisons.take_page(id.clone(), Ok(read));
        assert!(comparisons.page(&id).is_none() && comparisons.size == 0);
    }

    #[test]
    fn pages_are_kept_up_to_a_size_and_the_last_one_always() {
        let mut comparisons = Comparisons::default();
        let about = question("after");
        for at in 0..5 {
            keep(&mut comparisons, page(&about, at, PAGES / 2));
        }
        let kept = |comparisons: &Comparisons, at| comparisons.page(&page(&about, at, 0).0).is_some();
        assert!(kept(&comparisons, 4) && !kept(&comparisons, 1));
        keep(&mut comparisons, page(&about, 9, PAGES * 2));
        assert!(kept(&comparisons, 9) && !kept(&comparisons, 4));
        comparisons.forget(&about);
        assert!(!kept(&comparisons, 9) && comparisons.size == 0);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_not_kept() {
        let mut comparisons = Comparisons::default();
        let about = question("after");
        let now = Timestamp::from_second(0).unwrap();
        comparisons.ask(&about, now);
        assert_eq!(comparisons.coming(), std::slice::from_ref(&about));
        assert!(comparisons.give_up(&about) && !comparisons.give_up(&about));
        let received = Received { bytes: 1, of: None, from_cache: false };
        comparisons.take(&about, News::Reading { which: Which::From, received });
        assert!(comparisons.get(&about).is_none());
        comparisons.ask(&about, now);
        comparisons.cancel(&about, Problem::new(Cause::Other, "compare", "no"));
        assert!(matches!(comparisons.get(&about), Some(Compared::Failed(_))));
    }
}
