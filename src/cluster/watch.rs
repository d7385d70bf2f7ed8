//! All watched kinds at once, as one stream of facts; and the way out for who may not list a whole cluster. What one
//! feed does is `feed`'s.

use super::{
    act,
    ask::{Api, Failure},
    feed::{Feed, Listing},
    follower::{Follower, Outbox, Patience, Start},
};
use crate::domain::{
    fact::{Fact, FeedId, Scope},
    identity::Kind,
    problem::{Cause, Problem},
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
    time::sleep,
};

/// Batches that may wait for a slow reader.
const WAITING: usize = 64;

/// Namespaces asked at a time where each has to be asked by itself.
const AT_ONCE: usize = 8;

/// New namespaces and new rights are looked for this often.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// Whether the lists are followed, or asked once.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    Once,
    Follow,
}

/// Dropping the stream ends every request behind it.
pub(super) fn observe(api: Api, own: Arc<str>, scope: Scope, mode: Mode) -> BoxStream<'static, Vec<Fact>> {
    stream::once(async move {
        let (out, inbox) = mpsc::channel(WAITING);
        let mut tasks = JoinSet::new();
        let bell = Arc::new(Notify::new());
        for kind in Kind::WATCHED {
            let (api, own, out, bell) = (api.clone(), own.clone(), out.clone(), bell.clone());
            tasks.spawn(Watcher { api, own, kind, mode, out, bell }.run(scope.clone()));
        }
        stream::unfold((inbox, tasks), |(mut inbox, tasks)| async move {
            let mut ready = Vec::new();
            let count = inbox.recv_many(&mut ready, WAITING).await;
            (count > 0).then(|| (ready.into_iter().flatten().collect(), (inbox, tasks)))
        })
    })
    .flatten()
    .boxed()
}

/// One kind.
struct Watcher {
    api: Api,
    /// The namespace of the context.
    own: Arc<str>,
    kind: Kind,
    mode: Mode,
    out: Outbox,
    /// Rings when a feed reaches the server again.
    bell: Arc<Notify>,
}

impl Watcher {
    async fn run(self, scope: Scope) {
        let namespace = match scope {
            Scope::AllNamespaces => None,
            Scope::Namespace(namespace) => Some(namespace),
        };
        let whole = namespace.is_none();
        let mut feed = self.feed(namespace);
        let mut next = match feed.list().await {
            Err(failure) if whole && failure.code == Some(403) => self.narrow(failure.problem).await,
            answer => Some(begin(feed, answer)),
        };
        while let Some((feed, facts, start)) = next {
            if self.out.send(facts).await.is_err() || self.mode == Mode::Once {
                return;
            }
            // rights may be taken away, or be known only when the server is up
            let Some(why) = self.follower(feed).run(start).await else { return };
            next = self.narrow(why).await;
        }
    }

    fn follower(&self, feed: Feed) -> Follower {
        Follower::new(feed, self.out.clone(), self.bell.clone())
    }

    fn feed(&self, namespace: Option<Arc<str>>) -> Feed {
        Feed::new(self.api.clone(), FeedId { kind: self.kind, namespace })
    }

    /// Namespace by namespace, those that may be read; until all may be listed at once, or nobody listens (None).
    async fn narrow(&self, why: Problem) -> Option<Begun> {
        let mut running = BTreeSet::new();
        let mut tasks = JoinSet::new();
        let mut first = true;
        loop {
            let names = self.namespaces(first).await?;
            let fresh: Vec<Arc<str>> = names.into_iter().filter(|name| !running.contains(name)).collect();
            let answers: Vec<(Feed, Answer)> = stream::iter(fresh)
                .map(|namespace| {
                    let mut feed = self.feed(Some(namespace));
                    async move {
                        let answer = feed.list().await;
                        (feed, answer)
                    }
                })
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            let forbidden = answers.iter().filter(|(_, answer)| is_forbidden(answer)).count();
            let facts = self.start(answers, &mut running, &mut tasks);
            let changed = !facts.is_empty();
            let mut batch = Vec::with_capacity(facts.len() + 1);
            if running.is_empty() {
                batch.extend(first.then(|| self.refused(&why, forbidden)));
            } else if changed {
                batch.push(self.narrowed(&why, running.iter().cloned().collect(), forbidden));
            }
            batch.extend(facts);
            if self.out.send(batch).await.is_err() || self.mode == Mode::Once {
                return None;
            }
            first = false;
            sleep(LOOK_AGAIN).await;
            // a server that starts refuses for a moment what it allows
            let mut whole = self.feed(None);
            if let Ok(listing) = whole.list().await {
                return Some(begin(whole, Ok(listing)));
            }
        }
    }

    /// Starts the feeds that may be read, and says what was found in them.
    fn start(
        &self,
        answers: Vec<(Feed, Answer)>,
        running: &mut BTreeSet<Arc<str>>,
        tasks: &mut JoinSet<()>,
    ) -> Vec<Fact> {
        let mut all = Vec::new();
        for (feed, answer) in answers {
            if is_forbidden(&answer) {
                continue;
            }
            let (feed, facts, start) = begin(feed, answer);
            all.extend(facts);
            running.extend(feed.id.namespace.clone());
            if self.mode == Mode::Follow {
                let follower = self.follower(feed);
                tasks.spawn(async move { drop(follower.run(start).await) });
            }
        }
        all
    }

    /// All there are, or the context's where that may not be asked; what else fails passes. None: nobody waits for it.
    async fn namespaces(&self, mut telling: bool) -> Option<Vec<Arc<str>>> {
        let mut patience = Patience::default();
        loop {
            let problem = match act::namespaces(&self.api).await {
                Ok(names) => return Some(names.into_iter().map(Arc::from).collect()),
                Err(problem) if problem.cause == Cause::Forbidden => return Some(vec![self.own.clone()]),
                Err(problem) => problem,
            };
            if std::mem::take(&mut telling) {
                let feed = FeedId { kind: self.kind, namespace: None };
                self.out.send(vec![Fact::Refused { feed, problem }]).await.ok()?;
            }
            if self.mode == Mode::Once {
                return None;
            }
            sleep(patience.next()).await;
        }
    }

    fn narrowed(&self, why: &Problem, namespaces: Vec<Arc<str>>, forbidden: usize) -> Fact {
        let count = namespaces.len();
        let others = if forbidden > 0 { format!(", {forbidden} may not") } else { String::new() };
        let words = format!("{}; asked namespace by namespace: {count} may be read{others}", why.why);
        let problem = Problem { why: words, ..why.clone() };
        Fact::Narrowed { kind: self.kind, namespaces, problem }
    }

    fn refused(&self, why: &Problem, forbidden: usize) -> Fact {
        let words = match forbidden {
            0 | 1 => format!("{}; nor in {}", why.why, self.own),
            count => format!("{}; nor in any of {count} namespaces", why.why),
        };
        let problem = Problem { cause: Cause::Forbidden, why: words, ..why.clone() };
        Fact::Refused { feed: FeedId { kind: self.kind, namespace: None }, problem }
    }
}

type Answer = Result<Listing, Failure>;

/// A feed whose first list was answered: what that says, and where to go on from.
type Begun = (Feed, Vec<Fact>, Start);

fn begin(feed: Feed, answer: Answer) -> Begun {
    match answer {
        Ok(listing) => {
            let (facts, version) = feed.told(listing);
            (feed, facts, Start::Listed(version))
        }
        Err(failure) => {
            let facts = vec![feed.told_failure(failure.clone())];
            (feed, facts, Start::Failed(failure))
        }
    }
}

fn is_forbidden(answer: &Answer) -> bool {
    matches!(answer, Err(failure) if failure.code == Some(403))
}
