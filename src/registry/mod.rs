//! OCI registries over HTTP: tags, what a tag names, manifests. Registry wire types and logins never leave this folder.

mod auth;
mod challenge;
mod clients;
mod credentials;
mod document;
mod failure;
mod helper;
mod host;
mod link;
mod manifest;
mod memory;
mod place;
mod secret;
mod settings;
mod tags;
mod token;
mod transport;

pub mod layout;
pub mod unpack;

pub use settings::{Environment, Limits, Settings};

use crate::{
    domain::{
        artifact::{Descriptor, Manifest, TagPage},
        problem::Problem,
        repository::Upstream,
    },
    port::{Artifacts, Registry},
};
use auth::Office;
use credentials::Keyring;
use futures::{FutureExt, future::BoxFuture, stream::BoxStream};
use std::sync::Arc;
use transport::Transport;

/// All registries of a session, asked with this workstation's logins.
#[derive(Clone)]
pub struct OciRegistry {
    office: Arc<Office>,
}

impl OciRegistry {
    /// Fails on a `--registry-ca` or a proxy that cannot be used; asks nobody yet.
    pub fn new(settings: Settings) -> Result<Self, Problem> {
        // the first provider wins, here as in main: without one the client cannot be made
        let _ = rustls::crypto::ring::default_provider().install_default();
        let keyring = Keyring::new(&settings);
        let transport = Transport::new(settings)?;
        Ok(Self { office: Arc::new(Office::new(transport, keyring)) })
    }
}

impl Registry for OciRegistry {
    fn tags(&self, upstream: Upstream) -> BoxStream<'static, Result<TagPage, Problem>> {
        tags::pages(Arc::clone(&self.office), upstream)
    }

    fn head(&self, upstream: Upstream, reference: String) -> BoxFuture<'static, Result<Descriptor, Problem>> {
        let office = Arc::clone(&self.office);
        async move { manifest::head(&office, upstream, &reference).await }.boxed()
    }

    fn manifest(
        &self,
        upstream: Upstream,
        reference: String,
    ) -> BoxFuture<'static, Result<Manifest, Problem>> {
        let office = Arc::clone(&self.office);
        async move { manifest::manifest(&office, upstream, &reference).await }.boxed()
    }
}

impl Artifacts for OciRegistry {}
