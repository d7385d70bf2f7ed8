//! One kind in one scope, and its LIST: all pages, in a version that is served. It says what it read; it does not wait.

use super::{
    ask::{self, Api, Failure, with_query},
    convert,
    lines::Lines,
    page,
};
use crate::domain::{
    Timestamp,
    fact::{Fact, FeedId, Object},
    problem::{Cause, Problem},
};
use std::sync::Arc;

/// Seconds after which the API server ends a watch by itself.
const WATCH_SECONDS: &str = "290";

/// Objects per page, as kubectl asks.
const PAGE: &str = "500";

/// A server that never stops paging is not a server.
const MOST_PAGES: usize = 4_000;

/// A whole answer to a LIST.
pub(super) struct Listing {
    objects: Vec<Arc<Object>>,
    unreadable: Option<Problem>,
    version: String,
}

pub(super) struct Feed {
    api: Api,
    pub(super) id: FeedId,
    /// Index of the served version among the kind's.
    version: usize,
}

impl Feed {
    pub(super) fn new(api: Api, id: FeedId) -> Self {
        Self { api, id, version: 0 }
    }

    /// Every page, in the first version that is served.
    pub(super) async fn list(&mut self) -> Result<Listing, Failure> {
        let what = self.what("list");
        let versions = self.id.kind.versions();
        let mut restarts = 0;
        let mut tried = 0;
        loop {
            match self.pages(versions[self.version], &what).await {
                Err(failure) if failure.code == Some(404) => {
                    tried += 1;
                    if tried >= versions.len() {
                        let why = "the API server does not serve this kind";
                        return Err(Problem::new(Cause::NotInstalled, what, why).into());
                    }
                    self.version = (self.version + 1) % versions.len();
                }
                // the list grew too old between two pages
                Err(failure) if failure.code == Some(410) && restarts < 3 => restarts += 1,
                Err(failure) => return Err(self.with_verb(failure, "list")),
                Ok(listing) => return Ok(listing),
            }
        }
    }

    /// Converts a page while the next one is on its way.
    async fn pages(&self, version: &str, what: &str) -> Result<Listing, Failure> {
        let kind = self.id.kind;
        let path = ask::collection(kind, version, self.id.namespace.as_deref());
        let mut converted = Vec::new();
        let mut at = page::Head::default();
        for _ in 0..MOST_PAGES {
            let mut query = vec![("limit", PAGE)];
            query.extend(at.next.as_deref().map(|token| ("continue", token)));
            let body = self.api.get(&with_query(&path, &query), what).await?;
            at = page::head(&body, what)?;
            converted.push(tokio::task::spawn_blocking(move || convert::items(kind, &body)));
            if at.next.is_none() {
                break;
            }
        }
        let mut listing = Listing { objects: Vec::new(), unreadable: None, version: at.version };
        let mut bad = Vec::new();
        for page in converted {
            let page = page.await.map_err(|e| Problem::new(Cause::Other, what, e.to_string()))??;
            for item in page {
                match item {
                    Ok(object) => listing.objects.push(object),
                    Err(problem) => bad.push(problem),
                }
            }
        }
        listing.unreadable = sum_up(bad);
        Ok(listing)
    }

    /// An open watch, from this version on.
    pub(super) async fn watch(&self, from: &str) -> Result<Lines, Failure> {
        let served = self.id.kind.versions()[self.version];
        let path = ask::collection(self.id.kind, served, self.id.namespace.as_deref());
        let query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", WATCH_SECONDS),
            ("resourceVersion", from),
        ];
        let opened = self.api.watch(&with_query(&path, &query), &self.what("watch")).await;
        opened.map(Lines::new).map_err(|failure| self.with_verb(failure, "watch"))
    }

    /// What a list says, and the version to follow it from.
    pub(super) fn told(&self, listing: Listing) -> (Vec<Fact>, String) {
        let listed = Fact::Listed { feed: self.id.clone(), objects: listing.objects, at: now() };
        let unreadable = listing.unreadable.map(|problem| Fact::Unreadable {
            feed: self.id.clone(),
            object: None,
            problem,
        });
        (std::iter::once(listed).chain(unreadable).collect(), listing.version)
    }

    /// What a list that failed says before anything was listed.
    pub(super) fn told_failure(&self, failure: Failure) -> Fact {
        match failure.problem.cause {
            Cause::NotInstalled => Fact::NotInstalled(self.id.clone()),
            _ => Fact::Refused { feed: self.id.clone(), problem: failure.problem },
        }
    }

    pub(super) fn what(&self, verb: &str) -> String {
        match &self.id.namespace {
            None => format!("{verb} {} in all namespaces", self.id.kind.plural()),
            Some(namespace) => format!("{verb} {} in {namespace}", self.id.kind.plural()),
        }
    }

    fn with_verb(&self, failure: Failure, verb: &str) -> Failure {
        if failure.code != Some(403) {
            return failure;
        }
        let kind = self.id.kind;
        let place = if self.id.namespace.is_none() { " in all namespaces" } else { "" };
        let hint = format!("the verb {verb} on {}.{} is missing{place}", kind.plural(), kind.group());
        Failure { problem: failure.problem.with_hint(hint), ..failure }
    }
}

fn sum_up(mut bad: Vec<Problem>) -> Option<Problem> {
    let count = bad.len();
    let mut first = (count > 0).then(|| bad.swap_remove(0))?;
    if count > 1 {
        first.why = format!("{}; and {} more objects cannot be read", first.why, count - 1);
    }
    Some(first)
}

#[expect(clippy::disallowed_methods, reason = "facts carry the time at which they were true")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
