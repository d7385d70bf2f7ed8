//! What a registry says of a tag or digest: descriptor, manifest, layers, provenance. Never the files inside.

use super::digest::Digest;
use std::{collections::BTreeMap, sync::Arc};

/// The answer to a HEAD: what a tag points at now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    pub digest: Digest,
    pub media_type: Box<str>,
    pub size: Option<u64>,
    pub annotations: BTreeMap<Box<str>, Box<str>>,
}

/// A manifest or an index, verified against its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub digest: Digest,
    pub media_type: Box<str>,
    /// Bytes of the document.
    pub size: u64,
    pub config: Option<Descriptor>,
    pub layers: Vec<Descriptor>,
    /// Children of an index; empty for an image manifest.
    pub children: Vec<Descriptor>,
    pub annotations: BTreeMap<Box<str>, Box<str>>,
}

impl Manifest {
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(AsRef::as_ref)
    }

    /// `org.opencontainers.image.created`, as written.
    pub fn created(&self) -> Option<&str> {
        self.annotation("org.opencontainers.image.created")
    }
}

/// One page of a repository's tags, in the registry's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPage {
    /// Valid tags of this page.
    pub tags: Vec<Arc<str>>,
    /// Names that are no tags; never put into a URL.
    pub invalid: Vec<String>,
    /// Requests made so far for this list, tokens not counted.
    pub requests: u32,
    /// Another page follows.
    pub more: bool,
    /// The list was cut by a limit: what is missing, in words.
    pub cut: Option<String>,
    /// Which credential was used: where it stands, never its value.
    pub asked_with: Arc<str>,
}
