//! A stream fed by one task that ends with it, and how long a task bears a server that does not answer.

use super::{ask::Failure, follower::Patience};
use crate::domain::problem::{Cause, Problem};
use futures::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use std::time::Duration;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};

/// An API server that restarts is back within this time.
const GRACE: Duration = Duration::from_secs(30);

/// Answers on their way; a slow reader slows the task down.
pub(super) type Answers<T> = mpsc::Sender<Result<T, Problem>>;

/// Starts the task when the stream is first read, and ends it when the stream is dropped. Its problem is the last item.
pub(super) fn relay<T, F>(task: F) -> BoxStream<'static, Result<T, Problem>>
where
    T: Send + 'static,
    F: FnOnce(Answers<T>) -> BoxFuture<'static, Result<(), Problem>> + Send + 'static,
{
    stream::once(async move {
        let (answers, inbox) = mpsc::channel(16);
        let mut tasks = JoinSet::new();
        let last = answers.clone();
        let work = task(answers);
        tasks.spawn(async move {
            if let Err(problem) = work.await {
                // nobody listening is as good an end
                let _ = last.send(Err(problem)).await;
            }
        });
        stream::unfold((inbox, tasks), |(mut inbox, tasks)| async move {
            let answer = inbox.recv().await?;
            Some((answer, (inbox, tasks)))
        })
    })
    .flatten()
    .boxed()
}

/// How long the server has been silent, and how long to wait before it is asked again.
#[derive(Default)]
pub(super) struct Grace {
    silent_since: Option<Instant>,
    patience: Patience,
    /// The silence outlasted the grace, and that was told.
    told: bool,
}

impl Grace {
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Waits a while after a failure that may pass; gives the others, and those that last, back.
    pub(super) async fn bear(&mut self, failure: Failure) -> Result<(), Problem> {
        if !may_pass(&failure) || self.is_over() {
            return Err(failure.problem);
        }
        self.rest().await;
        Ok(())
    }

    /// Like [`Self::bear`], but bears for ever what may pass: once the grace is over that is told, and told once.
    pub(super) async fn outlast<T>(&mut self, failure: Failure, answers: &Answers<T>) -> Result<(), Problem> {
        if !may_pass(&failure) {
            return Err(failure.problem);
        }
        if self.is_over() && !self.told {
            self.told = true;
            // that nobody listens is found out by the next answer
            let _ = answers.send(Err(failure.problem)).await;
        }
        self.rest().await;
        Ok(())
    }

    pub(super) fn is_told(&self) -> bool {
        self.told
    }

    fn is_over(&mut self) -> bool {
        self.silent_since.get_or_insert_with(Instant::now).elapsed() > GRACE
    }

    async fn rest(&mut self) {
        sleep(self.patience.next()).await;
    }
}

fn may_pass(failure: &Failure) -> bool {
    matches!(failure.problem.cause, Cause::Unreachable | Cause::Timeout | Cause::RateLimited | Cause::Other)
}
