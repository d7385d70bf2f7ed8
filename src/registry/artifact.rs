//! Documents -> the artifact as Flux would take it. Pure: it says which document is needed next, and asks nobody.

use super::{document::Document, failure::Failure, transport::size};
use crate::domain::{
    artifact::{Artifact, Descriptor, Manifest, Target},
    digest::Digest,
    layer,
    problem::Cause,
};
use serde_json::Value;
use std::sync::Arc;

/// Indexes in indexes that are followed (`reference/registries.md` §6).
const DEEPEST: usize = 4;
/// Platforms that are named where none of them fits.
const MOST_NAMED: usize = 8;

/// The way from what a reference names to the image manifest that Flux takes (`reference/flux.md` §1.4).
pub(super) struct Descent {
    /// Where the documents are, for Flux's words: `ghcr.io/acme/fleet`.
    place: String,
    index: Option<Document>,
    seen: Vec<Digest>,
}

/// What comes next.
pub(super) enum Step {
    /// This document has to be read.
    Child(Descriptor),
    Arrived(Box<Arrival>),
}

/// The image manifest, and how it was reached.
pub(super) struct Arrival {
    pub(super) image: Document,
    index: Option<Document>,
}

impl Descent {
    pub(super) fn new(place: impl Into<String>) -> Self {
        Self { place: place.into(), index: None, seen: Vec::new() }
    }

    pub(super) fn take(&mut self, document: Document) -> Result<Step, Failure> {
        if !document.is_index() {
            return Ok(Step::Arrived(Box::new(Arrival { image: document, index: self.index.take() })));
        }
        let digest = document.manifest.digest.clone();
        if self.seen.contains(&digest) {
            return Err(invalid(format!("the index {digest} holds itself")));
        }
        self.seen.push(digest);
        if self.seen.len() > DEEPEST {
            return Err(invalid(format!("more than {DEEPEST} indexes stand in each other")));
        }
        let Some(child) = document.chosen.clone() else { return Err(self.childless(&document)) };
        self.index.get_or_insert(document);
        Ok(Step::Child(child))
    }

    fn childless(&self, index: &Document) -> Failure {
        let digest = &index.manifest.digest;
        let why = format!("no child with platform linux/amd64 in index {}@{digest}", self.place);
        let mut named: Vec<&str> =
            index.children.iter().filter_map(|child| child.platform.as_deref()).take(MOST_NAMED).collect();
        named.dedup();
        let held = match (index.entries, named.join(", ")) {
            (0, _) => "it is empty".to_owned(),
            (entries, named) if entries > MOST_NAMED => {
                format!("it holds {named} and more ({entries} entries)")
            }
            (_, named) => format!("it holds {named}"),
        };
        invalid(why).with_hint(format!("Flux takes the child for linux/amd64 only; {held}"))
    }
}

impl Arrival {
    /// The config, if it can be read as what it should be.
    pub(super) fn config(&self) -> Option<&Descriptor> {
        self.image.manifest.config.as_ref()
    }

    pub(super) fn into_artifact(
        self,
        target: Target,
        config: Result<Value, String>,
        asked_with: Option<Arc<str>>,
    ) -> Artifact {
        let Self { image, index } = self;
        let mut notes = Vec::new();
        if let Some(index) = &index {
            let listed = index.manifest.children.len();
            if index.entries > listed {
                notes.push(format!("the index has {} entries: the first {listed} are listed", index.entries));
            }
        }
        for (layer, url) in &image.elsewhere {
            notes.push(format!("layer {} is said to be at {url}: it is never fetched from there", layer + 1));
        }
        let config = config.map_err(|why| notes.push(format!("the config was not read: {why}"))).ok();
        let (index, platforms) = match index {
            Some(index) => {
                (Some(index.manifest), index.children.into_iter().map(|child| child.platform).collect())
            }
            None => (None, Vec::new()),
        };
        let taken = layer::take(&image.manifest, &target.selector);
        Artifact {
            digest: index.as_ref().map_or(&image.manifest, |index| index).digest.clone(),
            target,
            index,
            platforms,
            manifest: image.manifest,
            config: config.filter(|value| !value.is_null()).map(Arc::new),
            taken,
            notes: notes.into_iter().map(Into::into).collect(),
            asked_with,
        }
    }
}

/// Why a config of this size is not read.
pub(super) fn too_large(config: &Descriptor, most: u64) -> Option<String> {
    let bytes = config.size.filter(|&bytes| bytes > most)?;
    let [is, limit] = [bytes, most].map(size);
    Some(format!("it is {is} large, and the limit is {limit} (--max-manifest-bytes)"))
}

/// Flux's config, Helm's Chart.yaml as JSON, an image's config; anything else is named.
pub(super) fn read_config(config: &Descriptor, bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("it ({}) is not JSON: {error}", config.media_type))
}

/// A file or a folder on disk: one layer, no manifest of its own.
pub(super) fn alone(target: Target, layer: Descriptor, notes: Vec<Box<str>>) -> Artifact {
    let manifest = Manifest {
        digest: layer.digest.clone(),
        media_type: "".into(),
        size: 0,
        config: None,
        layers: vec![layer],
        children: Vec::new(),
        annotations: std::collections::BTreeMap::new(),
    };
    Artifact {
        digest: manifest.digest.clone(),
        taken: layer::take(&manifest, &target.selector),
        target,
        index: None,
        platforms: Vec::new(),
        manifest,
        config: None,
        notes,
        asked_with: None,
    }
}

fn invalid(why: impl Into<String>) -> Failure {
    Failure::new(Cause::Invalid, why)
}
