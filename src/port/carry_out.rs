//! Carries a planned action out: sends each patch, follows the object until it landed, stops at a failure.
//! The order and the ends are decided by [`crate::domain::action`]; here is only the waiting.

use super::Cluster;
use crate::domain::{
    action::{Follower, Leg, Patch, Plan, Step, What, plan, unread},
    fact::Fact,
    identity::ObjectId,
    problem::{Cause, Problem},
    world::World,
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use jiff::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// Reads what the plan needs, then plans: for callers that hold no world.
pub async fn plan_reconcile(
    cluster: &dyn Cluster,
    target: &ObjectId,
    with_source: bool,
) -> Result<(Plan, World), Problem> {
    let mut world = World::default();
    while let Some(id) = unread(&world, target, with_source) {
        let object = cluster.fetch(id).await?;
        world.observe(Fact::Changed(object));
    }
    Ok((plan(&world, target, with_source)?, world))
}

/// The steps of a plan as they happen. The stream ends after the last one; a failure ends it early.
pub fn carry_out(
    cluster: Arc<dyn Cluster>,
    plan: Plan,
    token: String,
    timeout: Duration,
) -> BoxStream<'static, Step> {
    let journey = Journey {
        cluster,
        token,
        legs: plan.legs.into_iter(),
        deadline: deadline(timeout),
        current: None,
        over: false,
    };
    stream::unfold(journey, |mut journey| async move {
        let steps = journey.next().await?;
        Some((stream::iter(steps), journey))
    })
    .flatten()
    .boxed()
}

/// A timeout beyond what a clock can count to is as good as a year.
fn deadline(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout).unwrap_or(now + Duration::from_secs(365 * 24 * 3600))
}

struct Journey {
    cluster: Arc<dyn Cluster>,
    token: String,
    legs: std::vec::IntoIter<Leg>,
    deadline: Instant,
    current: Option<Underway>,
    over: bool,
}

struct Underway {
    object: ObjectId,
    started: Instant,
    follower: Follower,
    watch: BoxStream<'static, Result<Arc<crate::domain::fact::Object>, Problem>>,
}

impl Journey {
    async fn next(&mut self) -> Option<Vec<Step>> {
        if self.over {
            return None;
        }
        let steps = match self.current.take() {
            Some(underway) => self.follow(underway).await,
            None => self.start().await?,
        };
        self.over = steps.iter().any(|step| step.what.is_end() && !step.what.is_success());
        Some(steps)
    }

    async fn start(&mut self) -> Option<Vec<Step>> {
        let started = Instant::now();
        let object = match self.legs.next()? {
            Leg::Skip { object, why } => return Some(vec![step(&object, What::Skipped, started, Some(why))]),
            Leg::Reconcile(object) => object,
        };
        let sent = self.cluster.patch(Patch::reconcile(object.clone(), &self.token));
        match timeout_at(self.deadline, sent).await {
            Err(_) => {
                Some(vec![step(&object, What::TimedOut, started, Some("the patch was not answered".into()))])
            }
            Ok(Err(problem)) => {
                let what = match problem.cause {
                    Cause::Unreachable | Cause::Timeout => What::Lost,
                    _ => What::Refused,
                };
                Some(vec![step(&object, what, started, Some(problem.to_string()))])
            }
            Ok(Ok(())) => {
                let watch = self.cluster.follow(object.clone());
                let requested = step(&object, What::Requested, started, None);
                let follower = Follower::new(self.token.clone());
                self.current = Some(Underway { object, started, follower, watch });
                Some(vec![requested])
            }
        }
    }

    async fn follow(&mut self, mut underway: Underway) -> Vec<Step> {
        loop {
            let object = match timeout_at(self.deadline, underway.watch.next()).await {
                Err(_) => return vec![underway.end(What::TimedOut, timed_out(&underway.follower))],
                Ok(None) => return vec![underway.end(What::Lost, "the watch ended".to_owned())],
                Ok(Some(Err(problem))) => return vec![underway.end(What::Lost, problem.to_string())],
                Ok(Some(Ok(object))) => object,
            };
            let steps: Vec<Step> = underway
                .follower
                .observe(&object)
                .into_iter()
                .map(|seen| Step {
                    revision: seen.revision,
                    ..step(&underway.object, seen.what, underway.started, seen.message)
                })
                .collect();
            if steps.is_empty() {
                continue;
            }
            if !steps.iter().any(|step| step.what.is_end()) {
                self.current = Some(underway);
            }
            return steps;
        }
    }
}

impl Underway {
    fn end(&self, what: What, message: String) -> Step {
        step(&self.object, what, self.started, Some(message))
    }
}

fn timed_out(follower: &Follower) -> String {
    if follower.is_handled() {
        "handled, but not Ready before the timeout".to_owned()
    } else {
        "no controller has answered the request before the timeout".to_owned()
    }
}

#[expect(clippy::disallowed_methods, reason = "a step carries the time at which it happened")]
fn step(object: &ObjectId, what: What, started: Instant, message: Option<String>) -> Step {
    let elapsed = started.elapsed();
    Step { object: object.clone(), what, at: Timestamp::now(), elapsed, revision: None, message }
}
