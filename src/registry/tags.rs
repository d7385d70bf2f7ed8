//! A repository's tags, page by page, as far as a registry can be believed. Nothing from a list is put into a URL but
//! a tag that is one by the rules of OCI.

use super::{
    auth::{Office, Question},
    failure::Failure,
    link::next_page,
    place::Place,
    transport::{Answer, Call, Request, origin, size},
};
use crate::domain::{
    artifact::TagPage,
    problem::{Cause, Problem},
    repository::{Upstream, is_tag},
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use reqwest::{StatusCode, header::LINK};
use serde::Deserialize;
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, atomic::Ordering},
};

/// What registries that refuse larger pages accept.
const SMALL_PAGE: u32 = 100;

/// All pages; a problem is the last item.
pub(super) fn pages(office: Arc<Office>, upstream: Upstream) -> BoxStream<'static, Result<TagPage, Problem>> {
    let what = format!("list the tags of {}", upstream.repository);
    let place = match Place::of(&upstream.repository) {
        Ok(place) => place,
        Err(why) => return stream::iter([Err(Problem::new(Cause::Usage, what, why))]).boxed(),
    };
    let walk = Walk {
        office,
        question: Question { what, upstream, place },
        next: None,
        asked: HashSet::new(),
        pages: HashSet::new(),
        listed: HashSet::new(),
        requests: 0,
        page_size: 0,
        beyond: false,
        restarted: false,
    };
    stream::unfold(Some(walk), |walk| async move {
        let mut walk = walk?;
        let page = walk.page().await;
        let more = page.as_ref().is_ok_and(|page| page.more);
        Some((page, more.then_some(walk)))
    })
    .boxed()
}

struct Walk {
    office: Arc<Office>,
    question: Question,
    /// Path and query of the next page; None: the first one.
    next: Option<String>,
    asked: HashSet<String>,
    /// Hashes of the pages seen: a registry that ignores `last` sends the same one for ever.
    pages: HashSet<u64>,
    listed: HashSet<Arc<str>>,
    requests: u32,
    /// How many tags the last request asked for.
    page_size: u32,
    /// The last request was ours: what follows the last tag of a full page that named no next one.
    beyond: bool,
    restarted: bool,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Walk {
    async fn page(&mut self) -> Result<TagPage, Problem> {
        loop {
            let first = self.next.is_none();
            let (answer, asked_with) = self.ask().await?;
            if answer.status.is_success() {
                return self
                    .read(&answer, asked_with)
                    .map_err(|failure| failure.into_problem(&self.question.what));
            }
            if self.beyond {
                let cut = format!(
                    "the registry gave as many tags as were asked for and does not say what follows ({}): tags may \
                     be missing",
                    answer.status.as_u16()
                );
                return Ok(self.last_words(asked_with, cut));
            }
            if first || answer.status != StatusCode::NOT_FOUND {
                return Err(self.refused(&answer));
            }
            // a registry may lose its place when the tag it stood at is deleted
            if self.restarted {
                let cut =
                    "the registry lost its place in the list twice (404): tags after this page are missing";
                return Ok(self.last_words(asked_with, cut.to_owned()));
            }
            self.restarted = true;
            self.next = None;
            self.asked.clear();
            self.pages.clear();
        }
    }

    async fn ask(&mut self) -> Result<(Answer, Arc<str>), Problem> {
        let limits = &self.office.transport.limits;
        let host = self.office.transport.host(self.question.place.registry());
        // the first page keeps the pace; another would only add to the time that each takes by itself
        let paced = self.next.is_none();
        let request = Request { paced, ..Request::get("application/json", limits.tag_page) };
        loop {
            let small = host.small_pages.load(Ordering::Relaxed);
            let size = if small { SMALL_PAGE.min(limits.page_size) } else { limits.page_size };
            let tail = self.next.clone().unwrap_or_else(|| self.question.place.tags_tail(size));
            let call = Call::new(limits);
            let reply = self.office.ask(&self.question, &call, &tail, &request).await;
            self.requests += call.requests();
            let reply = reply?;
            let too_many =
                matches!(reply.answer.status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE);
            if too_many && self.next.is_none() && size > SMALL_PAGE {
                host.small_pages.store(true, Ordering::Relaxed);
                continue;
            }
            self.asked.insert(tail);
            self.page_size = size;
            return Ok((reply.answer, reply.asked_with));
        }
    }

    fn refused(&self, answer: &Answer) -> Problem {
        let failure = Failure::of_status(answer);
        let hint = (failure.cause == Cause::NotFound)
            .then(|| "nothing was ever pushed under this name, or this login may not see it".to_owned());
        let hint = failure.hint.clone().or(hint);
        Failure { hint, ..failure }.into_problem(&self.question.what)
    }

    fn read(&mut self, answer: &Answer, asked_with: Arc<str>) -> Result<TagPage, Failure> {
        let document: Document = serde_json::from_slice(&answer.body).map_err(|error| {
            let kind = answer.content_type().unwrap_or_else(|| "an unnamed type".to_owned());
            let much = size(answer.body.len() as u64);
            Failure::new(
                Cause::Invalid,
                format!("the answer ({kind}, {much}) is not a list of tags: {error}"),
            )
        })?;
        let names = document.tags.unwrap_or_default();
        let last = names.last().filter(|_| names.len() == self.page_size as usize).cloned();
        let repeated = !names.is_empty() && !self.pages.insert(hash(&names));
        let (tags, invalid, full) = self.sort_out(names);
        // With nothing new there, the full page was the last one; but on the same page again `last` may be ignored.
        let ended = self.beyond && tags.is_empty() && !(repeated && self.pages.len() == 1);
        self.beyond = false;
        let (next, cut) = if ended {
            (None, None)
        } else if repeated {
            (None, Some("the registry repeats a page instead of going on: tags may be missing".to_owned()))
        } else if full {
            (None, Some(format!("stopped after {} tags: more exist", self.listed.len())))
        } else {
            match (self.next_page(answer), last) {
                ((None, None), Some(last)) => self.after(&last),
                (linked, _) => linked,
            }
        };
        let more = next.is_some();
        self.next = next;
        Ok(TagPage { tags, invalid, requests: self.requests, more, cut, asked_with })
    }

    /// New tags, names that are no tags, and whether the cap was reached.
    fn sort_out(&mut self, names: Vec<String>) -> (Vec<Arc<str>>, Vec<String>, bool) {
        let most = self.office.transport.limits.tags;
        let (mut tags, mut invalid) = (Vec::new(), Vec::new());
        for name in names {
            if !is_tag(&name) {
                invalid.push(name);
                continue;
            }
            if self.listed.contains(name.as_str()) {
                continue;
            }
            if self.listed.len() >= most {
                return (tags, invalid, true);
            }
            let tag: Arc<str> = name.into();
            self.listed.insert(Arc::clone(&tag));
            tags.push(tag);
        }
        (tags, invalid, false)
    }

    /// Where the next page stands, or why it is not asked for.
    fn next_page(&self, answer: &Answer) -> (Option<String>, Option<String>) {
        let mut links = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let Some(target) = links.find_map(next_page) else { return (None, None) };
        let refuse =
            |why: String| (None, Some(format!("the next page is not asked for: {why}; tags are missing")));
        let Ok(url) = answer.url.join(target) else { return refuse("its address is not a URL".to_owned()) };
        let Some(tail) = self.question.place.own_tail(&url) else {
            return refuse(format!("it is said to be at {}, not at this registry", origin(&url)));
        };
        if self.asked.contains(&tail) {
            return refuse("the registry names one that was asked already".to_owned());
        }
        let most = self.office.transport.limits.pages;
        if self.asked.len() >= most {
            return refuse(format!("{most} pages are the limit"));
        }
        (Some(tail), None)
    }

    /// A full page without a `Link`: some registries cut so in silence, so what follows is asked for.
    fn after(&mut self, last: &str) -> (Option<String>, Option<String>) {
        let most = self.office.transport.limits.pages;
        if !is_tag(last) || self.asked.len() >= most {
            let cut = "the registry gave as many tags as were asked for and names no next page: tags may be missing";
            return (None, Some(cut.to_owned()));
        }
        self.beyond = true;
        (Some(self.question.place.tags_after(self.page_size, last)), None)
    }

    fn last_words(&self, asked_with: Arc<str>, cut: String) -> TagPage {
        TagPage {
            tags: Vec::new(),
            invalid: Vec::new(),
            requests: self.requests,
            more: false,
            cut: Some(cut),
            asked_with,
        }
    }
}

fn hash(names: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    names.hash(&mut hasher);
    hasher.finish()
}
