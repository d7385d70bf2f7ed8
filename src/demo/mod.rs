//! A recorded world that answers both ports in process: no sockets, no files beside the binary.
//! Reconciles move it as Flux's controllers would. It never claims to be a cluster: the context is called `demo`.

mod cluster;
mod controller;
#[rustfmt::skip]
mod recorded;
mod registry;
mod state;

use crate::{
    domain::problem::{Cause, Problem},
    port::{Artifacts, Cluster, Gateway, Registry},
};
use cluster::DemoCluster;
use futures::future::{BoxFuture, FutureExt};
use jiff::{SignedDuration, Timestamp};
use registry::Repositories;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Name of the one context.
pub const CONTEXT: &str = "demo";

/// The adapters. They show one world: what is pushed in the registry is what a reconcile finds.
#[derive(Clone)]
pub struct Demo {
    pub gateway: Arc<dyn Gateway>,
    pub registry: Arc<dyn Registry>,
    pub artifacts: Arc<dyn Artifacts>,
}

impl Demo {
    /// Opens the world as if it had been recorded at `now`.
    pub fn open(now: Timestamp) -> Result<Self, Problem> {
        let clock = Clock { opened: now, started: Instant::now() };
        let shift = Shift::to(now)?;
        let repositories = Arc::new(Repositories::load(shift)?);
        let cluster = DemoCluster::load(shift, clock, repositories.clone())?;
        let gateway = Arc::new(DemoGateway { cluster: Arc::new(cluster) });
        Ok(Self { gateway, registry: repositories.clone(), artifacts: repositories })
    }
}

struct DemoGateway {
    cluster: Arc<DemoCluster>,
}

impl Gateway for DemoGateway {
    fn contexts(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
        async { Ok(vec![CONTEXT.to_owned()]) }.boxed()
    }

    fn connect(&self, context: Option<String>) -> BoxFuture<'static, Result<Arc<dyn Cluster>, Problem>> {
        let cluster: Arc<dyn Cluster> = self.cluster.clone();
        async move {
            sleep(Duration::from_millis(60)).await;
            match context {
                Some(other) if other != CONTEXT => {
                    let what = format!("open the context {other}");
                    Err(Problem::new(Cause::NotFound, what, format!("the demo has one context: {CONTEXT}")))
                }
                _ => Ok(cluster),
            }
        }
        .boxed()
    }
}

/// The time in the demo: handed in once, then carried on by the runtime's timer.
#[derive(Debug, Clone, Copy)]
struct Clock {
    opened: Timestamp,
    started: Instant,
}

impl Clock {
    fn now(&self) -> Timestamp {
        self.opened.checked_add(self.started.elapsed()).unwrap_or(self.opened)
    }
}

/// From the time of the recording to that of the program, so that ages stay what they were.
#[derive(Debug, Clone, Copy)]
struct Shift(SignedDuration);

impl Shift {
    fn to(now: Timestamp) -> Result<Self, Problem> {
        let recorded: Timestamp = recorded::RECORDED.parse().map_err(|error| broken(&error))?;
        Ok(Self(SignedDuration::from_secs(now.duration_since(recorded).as_secs())))
    }

    /// A time as RFC 3339 is shifted; any other text stays what it is.
    fn text(self, text: &str) -> String {
        let time = if text.ends_with('Z') { text.parse::<Timestamp>().ok() } else { None };
        match time.and_then(|time| time.checked_add(self.0).ok()) {
            Some(shifted) => shifted.to_string(),
            None => text.to_owned(),
        }
    }
}

/// The recording itself is wrong: a mistake of ours, told like any other problem.
fn broken(error: &dyn std::fmt::Display) -> Problem {
    Problem::new(Cause::Invalid, "open the demo", error.to_string())
}
