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
}

impl Grace {
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Waits a while after a failure that may pass; gives the others, and those that last, back.
    pub(super) async fn bear(&mut self, failure: Failure) -> Result<(), Problem> {
        let passing = matches!(
            failure.problem.cause,
            Cause::Unreachable | Cause::Timeout | Cause::RateLimited | Cause::Other
        );
        let since = *self.silent_since.get_or_insert_with(Instant::now);
        if !passing || since.elapsed() > GRACE {
            return Err(failure.problem);
        }
        sleep(self.patience.next()).await;
        Ok(())
    }
}
