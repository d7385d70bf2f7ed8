//! What a tag is, with the time at which it was made: the manifest, and its config only where the manifest does not say.

use super::Registry;
use crate::domain::{
    artifact::{Descriptor, Details},
    problem::Problem,
    repository::Upstream,
};
use futures::StreamExt;

/// A config that is larger than this is not read for one date.
const MOST: u64 = 1 << 20;

/// One or two requests. A config that cannot be read leaves the time unknown.
pub async fn details(
    registry: &dyn Registry,
    upstream: Upstream,
    reference: String,
) -> Result<Details, Problem> {
    let manifest = registry.manifest(upstream.clone(), reference).await?;
    let created = match (manifest.created(), &manifest.config) {
        (Some(written), _) => Some(written.into()),
        (None, Some(config)) => created_of(registry, upstream, config).await,
        (None, None) => None,
    };
    Ok(Details { manifest, created })
}

/// Flux's own configs and Helm's have no such field; an image's has.
async fn created_of(registry: &dyn Registry, upstream: Upstream, config: &Descriptor) -> Option<Box<str>> {
    if config.size.is_none_or(|size| size > MOST) {
        return None;
    }
    let mut body = Vec::new();
    let mut chunks = registry.blob(upstream, config.clone());
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk.ok()?);
    }
    let document: serde_json::Value = serde_json::from_slice(&body).ok()?;
    document.get("created")?.as_str().map(Into::into)
}
