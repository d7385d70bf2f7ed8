//! The cluster's answers, by kube: how a context is opened, objects are listed and followed, and patches are sent.
//! Types of Kubernetes end here; what leaves is in domain words.

mod connect;
mod feed;
mod follower;
mod watch;

mod act;
mod config;
mod events;

mod access;
mod ask;
mod lines;
mod relay;

pub mod convert;
mod crd;
mod page;
mod shape;

pub use connect::{Environment, KubeGateway, Options};

use crate::{
    domain::{
        action::Patch,
        event::Event,
        fact::{Fact, Object, Scope},
        identity::{About, ObjectId},
        lens::{Config, ConfigRef},
        problem::Problem,
    },
    port::Cluster,
};
use access::Access;
use ask::Api;
use futures::{FutureExt, future::BoxFuture, stream::BoxStream};
use std::{sync::Arc, time::Duration};

/// One cluster, as one user may see it.
pub struct KubeCluster {
    api: Api,
    about: About,
}

impl KubeCluster {
    fn new(access: Access, about: About, timeout: Duration) -> Self {
        Self { api: Api::new(access, timeout, &about.server), about }
    }

    /// For a client made elsewhere: a test's, with no server behind it.
    pub fn from_client(client: kube::Client, about: About, timeout: Duration) -> Self {
        Self::new(Access::plain(client), about, timeout)
    }

    fn observe(&self, scope: Scope, mode: watch::Mode) -> BoxStream<'static, Vec<Fact>> {
        watch::observe(self.api.clone(), self.about.namespace.as_str().into(), scope, mode)
    }
}

impl Cluster for KubeCluster {
    fn watch(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>> {
        self.observe(scope, watch::Mode::Follow)
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>> {
        self.observe(scope, watch::Mode::Once)
    }

    fn fetch(&self, id: ObjectId) -> BoxFuture<'static, Result<Arc<Object>, Problem>> {
        let api = self.api.clone();
        async move { act::fetch(&api, &id).await }.boxed()
    }

    fn raw(&self, id: ObjectId) -> BoxFuture<'static, Result<serde_json::Value, Problem>> {
        let api = self.api.clone();
        async move { act::raw(&api, &id).await }.boxed()
    }

    fn follow(&self, id: ObjectId) -> BoxStream<'static, Result<Arc<Object>, Problem>> {
        let api = self.api.clone();
        relay::relay(|answers| act::follow(api, id, answers).boxed())
    }

    fn events(&self, id: ObjectId) -> BoxStream<'static, Result<Vec<Event>, Problem>> {
        let api = self.api.clone();
        relay::relay(|answers| events::follow(api, id, answers).boxed())
    }

    fn patch(&self, patch: Patch) -> BoxFuture<'static, Result<(), Problem>> {
        let api = self.api.clone();
        async move { act::patch(&api, &patch).await }.boxed()
    }

    fn config(&self, config: ConfigRef) -> BoxFuture<'static, Result<Config, Problem>> {
        let api = self.api.clone();
        async move { config::read(&api, &config).await }.boxed()
    }

    fn namespaces(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
        let api = self.api.clone();
        async move { act::namespaces(&api).await }.boxed()
    }

    fn about(&self) -> About {
        self.about.clone()
    }
}
