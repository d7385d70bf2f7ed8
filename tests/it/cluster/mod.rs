//! The cluster adapter against an API server in this process, and against kubeconfig files of its own.

mod acting;
mod configs;
mod connecting;
mod fake;
mod watching;

use fluxscope::{
    cluster::KubeCluster,
    domain::{
        fact::{Fact, FeedId, Scope},
        identity::{About, Kind, ObjectId},
        world::World,
    },
    port::Cluster,
};
use futures::{StreamExt, stream::BoxStream};
use std::{sync::Arc, time::Duration};

/// Long enough for every pause of ours; only a failure waits for it.
const BOUND: Duration = Duration::from_secs(10);

fn cluster(fake: &fake::ApiServer) -> Arc<KubeCluster> {
    patient_cluster(fake, Duration::from_secs(2))
}

fn patient_cluster(fake: &fake::ApiServer, timeout: Duration) -> Arc<KubeCluster> {
    let about =
        About { context: "fake".to_owned(), namespace: "apps".to_owned(), server: "https://fake".to_owned() };
    Arc::new(KubeCluster::from_client(fake.client(), about, timeout))
}

/// A stream of facts, and the world that they make.
struct Watching {
    facts: BoxStream<'static, Vec<Fact>>,
    seen: Vec<Fact>,
    world: World,
}

impl Watching {
    fn start(fake: &fake::ApiServer, scope: Scope) -> Self {
        Self { facts: cluster(fake).watch(scope), seen: Vec::new(), world: World::default() }
    }

    /// Reads on until the world is as it should be.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        self.within(BOUND, what, holds).await;
    }

    async fn within(&mut self, bound: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let wait = async {
            while !holds(self) {
                for fact in self.facts.next().await.unwrap() {
                    self.world.observe(fact.clone());
                    self.seen.push(fact);
                }
            }
        };
        let in_time = tokio::time::timeout(bound, wait).await.is_ok();
        assert!(in_time, "never: {what}; seen {:#?}", self.seen);
    }

    fn has(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.world.get(&ObjectId::new(kind, namespace, name)).is_some()
    }

    fn count(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.seen.iter().filter(|fact| is(fact)).count()
    }
}

fn whole(kind: Kind) -> FeedId {
    FeedId { kind, namespace: None }
}
