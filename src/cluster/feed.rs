//! One kind in one scope: its LIST, its WATCH, and what is told of them. The machine behind "no ghost rows": a list
//! replaces everything, a lost watch keeps everything and says since when, and it comes back by itself.

use super::{
    ask::{self, Api, Failure, with_query},
    convert,
    lines::{Heard, Lines},
    page::{self, Change},
};
use crate::domain::{
    Timestamp,
    fact::{Fact, FeedId, Object},
    problem::{Cause, Problem},
};
use std::{
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

/// Objects per page, as kubectl asks.
const PAGE: &str = "500";

/// A server that never stops paging is not a server.
const MOST_PAGES: usize = 4_000;

/// Seconds after which the API server ends a watch by itself.
const WATCH_SECONDS: &str = "290";

/// Rights change rarely.
const REFUSED: Duration = Duration::from_secs(60);

/// So does what is installed.
const NOT_INSTALLED: Duration = Duration::from_secs(180);

/// A watch that lived this long was a good one.
const GOOD: Duration = Duration::from_secs(5);

/// Batches on their way to whoever reads the stream.
pub(super) type Outbox = mpsc::Sender<Vec<Fact>>;

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

    /// What a list says, and the version to follow it from.
    pub(super) fn told(&self, listing: Listing) -> (Vec<Fact>, String) {
        let listed = Fact::Listed { feed: self.id.clone(), objects: listing.objects, at: now() };
        let unreadable =
            listing.unreadable.map(|problem| Fact::Unreadable { feed: self.id.clone(), problem });
        (std::iter::once(listed).chain(unreadable).collect(), listing.version)
    }

    /// What a list that failed says before anything was listed.
    pub(super) fn told_failure(&self, failure: Failure) -> Fact {
        match failure.problem.cause {
            Cause::NotInstalled => Fact::NotInstalled(self.id.clone()),
            _ => Fact::Refused { feed: self.id.clone(), problem: failure.problem },
        }
    }

    fn what(&self, verb: &str) -> String {
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

/// Where a feed starts from.
pub(super) enum Start {
    /// The list was told already; it is followed from this version.
    Listed(String),
    /// The list failed, and that was told already.
    Failed(Failure),
}

/// A feed that lives until it is dropped.
pub(super) struct Follower {
    feed: Feed,
    out: Outbox,
    patience: Patience,
    said: Said,
    /// When the data was last known to be live.
    alive: Timestamp,
    /// The watch may not be opened: the list is asked again from time to time.
    unwatchable: Option<Problem>,
    /// The last list was asked for at once, and no good watch came of it yet.
    hasty: bool,
}

/// What was told last, so that nothing is told twice.
#[derive(PartialEq)]
enum Said {
    Nothing,
    Live,
    Lost,
    NotInstalled,
    Refused(Problem),
}

/// What to do after a watch ended.
enum Next {
    Relist,
    RelistAfter(Duration),
}

/// Nobody reads the stream any more.
struct Unheard;

impl Follower {
    pub(super) fn new(feed: Feed, out: Outbox) -> Self {
        Self {
            feed,
            out,
            patience: Patience::default(),
            said: Said::Nothing,
            alive: now(),
            unwatchable: None,
            hasty: false,
        }
    }

    /// Ends only when nobody listens.
    pub(super) async fn run(mut self, start: Start) {
        // that nobody listens is the end, not a failure
        let _ = self.run_until_unheard(start).await;
    }

    async fn run_until_unheard(&mut self, start: Start) -> Result<(), Unheard> {
        let mut next = match start {
            Start::Listed(version) => {
                self.said = Said::Live;
                self.follow(version).await?
            }
            Start::Failed(failure) => {
                self.said = said(&failure);
                self.after(&failure)
            }
        };
        loop {
            if let Next::RelistAfter(pause) = next {
                sleep(pause).await;
            }
            next = match self.feed.list().await {
                Ok(listing) => {
                    let version = self.listed(listing).await?;
                    self.follow(version).await?
                }
                Err(failure) => {
                    let next = self.after(&failure);
                    self.not_listed(failure).await?;
                    next
                }
            };
        }
    }

    async fn listed(&mut self, listing: Listing) -> Result<String, Unheard> {
        let (mut facts, version) = self.feed.told(listing);
        self.alive = now();
        self.said = Said::Live;
        if let Some(problem) = self.unwatchable.clone() {
            // known not to be live the moment it arrives
            let feed = self.feed.id.clone();
            facts.push(Fact::WatchLost { feed, problem, since: self.alive });
            self.said = Said::Lost;
        }
        self.tell(facts).await?;
        Ok(version)
    }

    async fn not_listed(&mut self, failure: Failure) -> Result<(), Unheard> {
        let held = matches!(self.said, Said::Live | Said::Lost);
        match failure.problem.cause {
            // what may not be read any more, or is gone, is not shown any more
            Cause::Forbidden | Cause::NotInstalled => {}
            _ if held => return self.lost(failure.problem).await,
            _ => {}
        }
        let said = said(&failure);
        if self.said != said {
            self.said = said;
            let fact = self.feed.told_failure(failure);
            self.tell(vec![fact]).await?;
        }
        Ok(())
    }

    fn after(&mut self, failure: &Failure) -> Next {
        Next::RelistAfter(match failure.problem.cause {
            Cause::Forbidden => REFUSED,
            Cause::NotInstalled => NOT_INSTALLED,
            _ => self.patience.next(),
        })
    }

    /// Keeps a watch open from this version on, until it has to be listed again.
    async fn follow(&mut self, mut version: String) -> Result<Next, Unheard> {
        let what = self.feed.what("watch");
        loop {
            let opened = Instant::now();
            let failure = match self.feed.api.watch(&self.path(&version), &what).await {
                Ok(body) => {
                    self.back().await?;
                    let ended = self.read(Lines::new(body), &mut version, &what).await?;
                    if opened.elapsed() > GOOD {
                        self.patience.reset();
                        self.hasty = false;
                    }
                    let Some(failure) = ended else {
                        // a server that closes at once is not asked at once
                        if opened.elapsed() < GOOD {
                            sleep(self.patience.next()).await;
                        }
                        continue;
                    };
                    failure
                }
                Err(failure) => failure,
            };
            match failure.code {
                Some(410) => return Ok(self.relist()),
                Some(404) => return Ok(Next::RelistAfter(self.patience.next())),
                Some(403) => {
                    let problem = self.feed.with_verb(failure, "watch").problem;
                    self.unwatchable = Some(problem.clone());
                    self.lost(problem).await?;
                    return Ok(Next::RelistAfter(REFUSED));
                }
                _ => {
                    self.lost(failure.problem).await?;
                    sleep(self.patience.next()).await;
                }
            }
        }
    }

    /// At once the first time; a server that says so again and again is given time.
    fn relist(&mut self) -> Next {
        if self.hasty {
            return Next::RelistAfter(self.patience.next());
        }
        self.hasty = true;
        Next::Relist
    }

    /// Reads until the watch ends; without a failure it may simply be opened again.
    async fn read(
        &mut self,
        mut lines: Lines,
        version: &mut String,
        what: &str,
    ) -> Result<Option<Failure>, Unheard> {
        loop {
            let heard = match lines.next(what).await {
                Heard::Closed => return Ok(None),
                // a cut connection is opened again; that it cannot be is the failure
                Heard::Failed(failure) if failure.code.is_none() => return Ok(None),
                Heard::Failed(failure) => return Ok(Some(failure)),
                Heard::Lines(lines) => lines,
            };
            self.alive = now();
            let (facts, failure) = self.understand(&heard, version, what);
            if !facts.is_empty() {
                self.tell(facts).await?;
            }
            if failure.is_some() {
                return Ok(failure);
            }
        }
    }

    fn understand(
        &self,
        lines: &[Vec<u8>],
        version: &mut String,
        what: &str,
    ) -> (Vec<Fact>, Option<Failure>) {
        let mut facts = Vec::with_capacity(lines.len());
        for line in lines {
            let (change, after) = match page::change(self.feed.id.kind, line, what) {
                Ok(read) => read,
                Err(problem) => {
                    facts.push(Fact::Unreadable { feed: self.feed.id.clone(), problem });
                    continue;
                }
            };
            match change {
                Change::Set(object) => facts.push(Fact::Changed(object)),
                Change::Gone(id) => facts.push(Fact::Gone(id)),
                Change::Bookmark => {}
                Change::Unreadable(problem) => {
                    facts.push(Fact::Unreadable { feed: self.feed.id.clone(), problem });
                }
                Change::Error(failure) => return (facts, Some(failure)),
            }
            if let Some(after) = after {
                *version = after;
            }
        }
        (facts, None)
    }

    fn path(&self, version: &str) -> String {
        let id = &self.feed.id;
        let served = id.kind.versions()[self.feed.version];
        with_query(
            &ask::collection(id.kind, served, id.namespace.as_deref()),
            &[
                ("watch", "true"),
                ("allowWatchBookmarks", "true"),
                ("timeoutSeconds", WATCH_SECONDS),
                ("resourceVersion", version),
            ],
        )
    }

    async fn lost(&mut self, problem: Problem) -> Result<(), Unheard> {
        if self.said == Said::Lost {
            return Ok(());
        }
        self.said = Said::Lost;
        let fact = Fact::WatchLost { feed: self.feed.id.clone(), problem, since: self.alive };
        self.tell(vec![fact]).await
    }

    async fn back(&mut self) -> Result<(), Unheard> {
        self.alive = now();
        self.unwatchable = None;
        if self.said != Said::Lost {
            return Ok(());
        }
        self.said = Said::Live;
        self.tell(vec![Fact::WatchBack { feed: self.feed.id.clone() }]).await
    }

    async fn tell(&self, facts: Vec<Fact>) -> Result<(), Unheard> {
        self.out.send(facts).await.map_err(|_| Unheard)
    }
}

fn said(failure: &Failure) -> Said {
    match failure.problem.cause {
        Cause::NotInstalled => Said::NotInstalled,
        _ => Said::Refused(failure.problem.clone()),
    }
}

/// Pauses that grow from half a second to 15 s, never in step with other feeds.
#[derive(Default)]
pub(super) struct Patience {
    tries: u32,
}

impl Patience {
    pub(super) fn next(&mut self) -> Duration {
        let whole = Duration::from_millis(500).saturating_mul(1 << self.tries.min(5));
        self.tries += 1;
        let percent = 75 + (RandomState::new().hash_one(self.tries) % 50) as u32;
        whole.min(Duration::from_secs(15)) * percent / 100
    }

    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }
}

#[expect(clippy::disallowed_methods, reason = "facts carry the time at which they were true")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_and_never_beyond_its_limit() {
        let mut patience = Patience::default();
        let pauses: Vec<Duration> = (0..12).map(|_| patience.next()).collect();
        assert!(pauses[0] <= Duration::from_millis(625), "{pauses:?}");
        assert!(pauses[11] > Duration::from_secs(8) && pauses[11] < Duration::from_secs(19), "{pauses:?}");
    }
}
