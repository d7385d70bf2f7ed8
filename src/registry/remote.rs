//! An artifact in a registry: manifest, config and layers, from the cache where a digest names them. What a tag names
//! is always asked of the registry.

use super::{
    artifact::{self, Arrival, Descent, Step},
    auth::Office,
    blob,
    cache::Cache,
    document::{self, Document},
    failure::Failure,
    manifest,
    open::Chunks,
    place::Reference,
};
use crate::domain::{
    artifact::{Artifact, Descriptor, Manifest, Target},
    digest::Digest,
    problem::{Cause, Problem},
    repository::Upstream,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// One repository.
#[derive(Clone)]
pub(super) struct Remote {
    pub(super) office: Arc<Office>,
    pub(super) cache: Option<Arc<Cache>>,
    pub(super) upstream: Upstream,
}

impl Remote {
    pub(super) async fn inspect(&self, target: Target, reference: &str) -> Result<Artifact, Problem> {
        let name = self.upstream.repository.to_string();
        let what = format!("inspect {name}{}", suffix(reference));
        let problem = |failure: Failure| failure.into_problem(&what);
        let mut descent = Descent::new(name);
        let (mut document, mut asked_with) = self.document(reference).await?;
        let arrival = loop {
            match descent.take(document).map_err(problem)? {
                Step::Arrived(arrival) => break arrival,
                Step::Child(child) => {
                    let (next, with) = self.document(child.digest.as_str()).await?;
                    check_size(&child, &next).map_err(problem)?;
                    asked_with = asked_with.or(with);
                    document = next;
                }
            }
        };
        let config = self.config(&arrival).await;
        let asked_with = asked_with.or_else(|| Some("nobody: it was in the cache".into()));
        Ok(arrival.into_artifact(target, config, asked_with))
    }

    /// A tag is asked of the registry; what a digest names may be in the cache, and nothing is put there.
    pub(super) async fn manifest(&self, reference: &str) -> Result<Manifest, Problem> {
        if let Some(document) = self.known(reference).await {
            return Ok(document.manifest);
        }
        manifest::manifest(&self.office, self.upstream.clone(), reference).await
    }

    /// The same for a blob: a small one may be in the cache.
    pub(super) fn blob(self, blob: Descriptor) -> Chunks {
        let most = self.office.transport.limits.manifest;
        if self.cache.is_none() || blob.size.is_none_or(|size| size > most) {
            return self.layer(blob);
        }
        stream::once(async move {
            match self.cached(&blob.digest, blob.size).await {
                Some(bytes) => stream::iter([Ok(bytes)]).boxed(),
                None => self.layer(blob),
            }
        })
        .flatten()
        .boxed()
    }

    /// Any blob, from the registry.
    pub(super) fn layer(&self, blob: Descriptor) -> Chunks {
        blob::stream(Arc::clone(&self.office), self.upstream.clone(), blob)
    }

    async fn known(&self, reference: &str) -> Option<Document> {
        let digest = Digest::parse(reference).ok().filter(Digest::is_oci)?;
        let bytes = self.cached(&digest, None).await?;
        document::read(&bytes, None, digest).ok()
    }

    /// The document, and who asked for it; None: it was in the cache.
    async fn document(&self, reference: &str) -> Result<(Document, Option<Arc<str>>), Problem> {
        if let Some(document) = self.known(reference).await {
            return Ok((document, None));
        }
        let fetched = manifest::document(&self.office, self.upstream.clone(), reference).await?;
        // without its own media type it could be read differently once the registry's word for it is gone
        if document::names_its_type(&fetched.bytes) {
            self.keep(&fetched.document.manifest.digest, fetched.bytes).await;
        }
        Ok((fetched.document, Some(fetched.asked_with)))
    }

    async fn config(&self, arrival: &Arrival) -> Result<Value, String> {
        let Some(config) = arrival.config() else { return Ok(Value::Null) };
        let most = self.office.transport.limits.manifest;
        if let Some(why) = artifact::too_large(config, most) {
            return Err(why);
        }
        if let Some(bytes) = self.cached(&config.digest, config.size).await {
            return artifact::read_config(config, &bytes);
        }
        let office = Arc::clone(&self.office);
        let fetched = blob::small(office, self.upstream.clone(), config.clone(), most).await;
        let bytes = fetched.map_err(|problem| match problem.hint {
            Some(hint) => format!("{} ({hint})", problem.why),
            None => problem.why,
        })?;
        self.keep(&config.digest, bytes.clone()).await;
        artifact::read_config(config, &bytes)
    }

    async fn cached(&self, digest: &Digest, size: Option<u64>) -> Option<Bytes> {
        let (cache, digest) = (Arc::clone(self.cache.as_ref()?), digest.clone());
        let most = self.office.transport.limits.manifest;
        spawn_blocking(move || cache.read(&digest, size, most)).await.ok()?
    }

    async fn keep(&self, digest: &Digest, bytes: Bytes) {
        let Some(cache) = self.cache.clone() else { return };
        let digest = digest.clone();
        let size = bytes.len() as u64;
        let stored = spawn_blocking(move || cache.store(&digest, &mut bytes.as_ref(), size)).await;
        if let Ok(Err(error)) = stored {
            tracing::warn!(%error, "a document is not kept in the cache");
        }
    }
}

fn suffix(reference: &str) -> String {
    Reference::parse(reference).map_or_else(|_| format!(" at {reference:?}"), |reference| reference.suffix())
}

/// The index says how large its child is.
fn check_size(child: &Descriptor, document: &Document) -> Result<(), Failure> {
    match child.size {
        Some(size) if size != document.manifest.size => Err(Failure::new(
            Cause::Invalid,
            format!(
                "the sizes differ: the index says that {} has {size} bytes, and it has {}",
                child.digest, document.manifest.size
            ),
        )),
        _ => Ok(()),
    }
}
