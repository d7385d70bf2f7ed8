//! The WATCH of one feed, and what is told of it. The machine behind "no ghost rows": a list replaces everything, a lost
//! watch keeps everything and says since when, and it comes back by itself.

use super::{
    ask::Failure,
    feed::{Feed, Listing, now},
    lines::{Heard, Lines},
    page::{self, Change},
};
use crate::domain::{
    Timestamp,
    fact::Fact,
    problem::{Cause, Problem},
};
use std::{
    convert::Infallible,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep},
};

/// Rights change rarely.
const REFUSED: Duration = Duration::from_secs(60);

/// So does what is installed.
const NOT_INSTALLED: Duration = Duration::from_secs(180);

/// Nobody asks again sooner after a failure.
const SHORTEST_PAUSE: Duration = Duration::from_millis(300);

/// A watch that lived this long was a good one.
const GOOD: Duration = Duration::from_secs(5);

/// Batches on their way to whoever reads the stream.
pub(super) type Outbox = mpsc::Sender<Vec<Fact>>;

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
    /// Shared by all feeds: rings when one of them reaches the server again.
    bell: Arc<Notify>,
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
    /// When the server answers somebody, or patience ends.
    RelistSoon,
}

/// Why a feed is followed no longer.
enum End {
    /// Nobody reads the stream any more.
    Unheard,
    /// The whole cluster may not be listed, or not any more.
    Forbidden(Problem),
}

impl Follower {
    pub(super) fn new(feed: Feed, out: Outbox, bell: Arc<Notify>) -> Self {
        Self {
            feed,
            out,
            patience: Patience::default(),
            said: Said::Nothing,
            alive: now(),
            unwatchable: None,
            hasty: false,
            bell,
        }
    }

    /// Ends when nobody listens, or with the reason why the whole cluster may not be listed.
    pub(super) async fn run(mut self, start: Start) -> Option<Problem> {
        let Err(end) = self.run_to_the_end(start).await;
        match end {
            End::Unheard => None,
            End::Forbidden(why) => Some(why),
        }
    }

    async fn run_to_the_end(&mut self, start: Start) -> Result<Infallible, End> {
        let mut next = match start {
            Start::Listed(version) => {
                self.said = Said::Live;
                self.follow(version).await?
            }
            Start::Failed(failure) => {
                self.said = said(&failure);
                after(&failure)
            }
        };
        loop {
            match next {
                Next::Relist => {}
                Next::RelistAfter(pause) => sleep(pause).await,
                Next::RelistSoon => self.rest().await,
            }
            next = match self.feed.list().await {
                Ok(listing) => {
                    let version = self.listed(listing).await?;
                    self.follow(version).await?
                }
                Err(failure) if self.feed.id.namespace.is_none() && failure.code == Some(403) => {
                    return Err(End::Forbidden(failure.problem));
                }
                Err(failure) => {
                    let next = after(&failure);
                    self.not_listed(failure).await?;
                    next
                }
            };
        }
    }

    async fn listed(&mut self, listing: Listing) -> Result<String, End> {
        let (mut facts, version) = self.feed.told(listing);
        self.alive = now();
        self.ring();
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

    async fn not_listed(&mut self, failure: Failure) -> Result<(), End> {
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

    /// Until patience ends, or another feed reached the server.
    async fn rest(&mut self) {
        let pause = self.patience.next();
        let mut rung = std::pin::pin!(self.bell.notified());
        rung.as_mut().enable();
        // feeds that wake each other must not do so in a circle without a breath
        let breath = pause.min(SHORTEST_PAUSE);
        sleep(breath).await;
        tokio::select! {
            () = sleep(pause.saturating_sub(breath)) => {}
            () = rung => {}
        }
    }

    /// Keeps a watch open from this version on, until it has to be listed again.
    async fn follow(&mut self, mut version: String) -> Result<Next, End> {
        let what = self.feed.what("watch");
        loop {
            let opened = Instant::now();
            let failure = match self.feed.watch(&version).await {
                Ok(lines) => {
                    self.back().await?;
                    let ended = self.read(lines, &mut version, &what).await?;
                    if opened.elapsed() > GOOD {
                        self.patience.reset();
                        self.hasty = false;
                    }
                    let Some(failure) = ended else {
                        // a server that closes at once is not asked at once
                        if opened.elapsed() < GOOD {
                            self.rest().await;
                        }
                        continue;
                    };
                    failure
                }
                Err(failure) => failure,
            };
            match failure.code {
                Some(410) => return Ok(self.relist()),
                Some(404) => return Ok(Next::RelistSoon),
                Some(403) => {
                    self.unwatchable = Some(failure.problem.clone());
                    self.lost(failure.problem).await?;
                    return Ok(Next::RelistAfter(REFUSED));
                }
                // a busy server is asked once more before anybody is told
                Some(429) if self.patience.is_fresh() => self.rest().await,
                _ => {
                    self.lost(failure.problem).await?;
                    self.rest().await;
                }
            }
        }
    }

    /// At once the first time; a server that says so again and again is given time.
    fn relist(&mut self) -> Next {
        if self.hasty {
            return Next::RelistSoon;
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
    ) -> Result<Option<Failure>, End> {
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
                    facts.push(Fact::Unreadable { feed: self.feed.id.clone(), object: None, problem });
                    continue;
                }
            };
            match change {
                Change::Set(object) => facts.push(Fact::Changed(object)),
                Change::Gone(id) => facts.push(Fact::Gone(id)),
                Change::Bookmark => {}
                Change::Unreadable(object, problem) => {
                    facts.push(Fact::Unreadable { feed: self.feed.id.clone(), object, problem });
                }
                Change::Error(failure) => return (facts, Some(failure)),
            }
            if let Some(after) = after {
                *version = after;
            }
        }
        (facts, None)
    }

    async fn lost(&mut self, problem: Problem) -> Result<(), End> {
        if self.said == Said::Lost {
            return Ok(());
        }
        self.said = Said::Lost;
        let fact = Fact::WatchLost { feed: self.feed.id.clone(), problem, since: self.alive };
        self.tell(vec![fact]).await
    }

    async fn back(&mut self) -> Result<(), End> {
        self.alive = now();
        self.unwatchable = None;
        if self.said != Said::Lost {
            return Ok(());
        }
        self.ring();
        self.said = Said::Live;
        self.tell(vec![Fact::WatchBack { feed: self.feed.id.clone() }]).await
    }

    /// Whoever waits for the server need not wait any longer.
    fn ring(&self) {
        if self.said != Said::Live {
            self.bell.notify_waiters();
        }
    }

    async fn tell(&self, facts: Vec<Fact>) -> Result<(), End> {
        self.out.send(facts).await.map_err(|_| End::Unheard)
    }
}

fn after(failure: &Failure) -> Next {
    match failure.problem.cause {
        Cause::Forbidden => Next::RelistAfter(REFUSED),
        Cause::NotInstalled => Next::RelistAfter(NOT_INSTALLED),
        _ => Next::RelistSoon,
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
        self.tries = self.tries.saturating_add(1);
        let percent = 75 + (RandomState::new().hash_one(self.tries) % 50) as u32;
        whole.min(Duration::from_secs(15)) * percent / 100
    }

    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    fn is_fresh(&self) -> bool {
        self.tries == 0
    }
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
