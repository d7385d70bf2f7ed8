//! What a registry says of a tag or digest: descriptor, manifest, layers, provenance. Never the files inside.

use super::{digest::Digest, repository::Upstream, source::LayerSelector};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

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

/// A manifest, and when it was made: what the list of tags shows beside a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    pub manifest: Manifest,
    /// As written: the manifest's annotation, else the `created` of its config.
    pub created: Option<Box<str>>,
}

/// Where an artifact is, once its reference was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A tag or a digest in a registry.
    Registry { upstream: Upstream, reference: Box<str> },
    /// An OCI image layout on disk; None: its only manifest.
    Layout { path: PathBuf, reference: Option<Box<str>> },
    /// A `.tgz` or `.tar.gz` on disk: one layer, no manifest.
    Archive(PathBuf),
    /// A folder on disk: files, no manifest.
    Directory(PathBuf),
}

/// What to open, and with whose eyes: the source's own selector and ignore rules decide what Flux would store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    pub origin: Origin,
    pub selector: LayerSelector,
    /// `spec.ignore` of the OCIRepository that was named; None: only `.sourceignore` files and Flux's defaults.
    pub ignore: Option<Box<str>>,
}

/// Where a credential stands when there is none.
pub const ANONYMOUS: &str = "anonymous";

/// How somebody asked, by where the credential stands: `asked with ~/.docker/config.json`, `asked without a login`.
pub fn asked_with(credential: &str) -> String {
    if credential == ANONYMOUS {
        return "asked without a login".to_owned();
    }
    format!("asked with {credential}")
}

impl Target {
    /// It names one content for good; a tag, a folder, an archive or a layout may hold something else by now.
    pub fn is_fixed(&self) -> bool {
        self.digest().is_some()
    }

    /// The digest by which it is named in a registry.
    pub fn digest(&self) -> Option<(&Upstream, &str)> {
        match &self.origin {
            Origin::Registry { upstream, reference } => {
                reference.contains(':').then_some((upstream, &**reference))
            }
            Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_) => None,
        }
    }
}

/// A manifest as Flux would take it, with everything that is said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    pub target: Target,
    /// Of what the reference names: for an index that of the index, as in Flux's revision.
    pub digest: Digest,
    /// The index that stood in between, where the reference names one.
    pub index: Option<Manifest>,
    /// Of the index's children, in their order, e.g. `linux/arm64/v8`; None: it does not say, which Flux takes for
    /// linux/amd64.
    pub platforms: Vec<Option<Box<str>>>,
    /// The image manifest in force: layers and annotations are its own.
    pub manifest: Manifest,
    /// The config document, where it is JSON and not too large.
    pub config: Option<Arc<serde_json::Value>>,
    /// The layer that Flux takes, by its place in `manifest.layers`, and what it does with it.
    pub taken: Result<Taken, Box<str>>,
    /// What is odd or was left out, each in one sentence: a config that was not read, layers kept elsewhere, an index
    /// with too many entries. From outside.
    pub notes: Vec<Box<str>>,
    /// Which credential was used: where it stands, never its value.
    pub asked_with: Option<Arc<str>>,
}

impl Artifact {
    /// Of the image manifest, else of the index that leads to it.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        let index = || self.index.as_ref().and_then(|index| index.annotation(name));
        self.manifest.annotation(name).or_else(index)
    }

    /// When it was made, as written: by an annotation, else by its config.
    pub fn created(&self) -> Option<&str> {
        let config = || self.config.as_ref()?.get("created")?.as_str();
        self.annotation("org.opencontainers.image.created").or_else(config)
    }

    /// The layer that Flux takes.
    pub fn taken_layer(&self) -> Option<&Descriptor> {
        self.manifest.layers.get(self.taken.as_ref().ok()?.layer)
    }

    /// What stands behind the size of its layer: that of a folder is the size before the archive is compressed.
    pub fn size_note(&self) -> &'static str {
        if matches!(self.target.origin, Origin::Directory(_)) { " not compressed" } else { "" }
    }

    /// Flux would store the same of both: the same bytes, read with the same rules.
    pub fn same_content(&self, other: &Self) -> bool {
        let rules = |artifact: &Self| {
            let taken = artifact.taken.as_ref().ok()?;
            Some((artifact.manifest.layers.get(taken.layer)?.digest.clone(), taken.operation))
        };
        rules(self).is_some_and(|one| rules(other) == Some(one)) && self.target.ignore == other.target.ignore
    }
}

/// Flux's choice of a layer (`reference/flux.md` §1.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub layer: usize,
    pub operation: Operation,
    /// One sentence: which rule chose it.
    pub reason: Box<str>,
}

/// `layerSelector.operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Operation {
    #[default]
    Extract,
    Copy,
}

/// What refers to a manifest: signatures, attestations, SBOMs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrers {
    pub found: Vec<Referrer>,
    /// How they were found, and what was cut, in words.
    pub note: Box<str>,
    pub complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    pub descriptor: Descriptor,
    /// `artifactType`, else the type of its config.
    pub artifact_type: Box<str>,
    /// Under which tag it was found, where that is how (cosign's tag schema).
    pub tag: Option<Box<str>>,
}

/// What a referrer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Signature,
    Attestation,
    Sbom,
    Other,
}

impl Role {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Attestation => "attestation",
            Self::Sbom => "SBOM",
            Self::Other => "other",
        }
    }
}

impl Referrer {
    /// By its type (`reference/registries.md` §7): cosign, sigstore, notation, in-toto, SPDX, CycloneDX.
    pub fn role(&self) -> Role {
        // one type for signatures and attestations of sigstore: what it says is told apart by the predicate
        let predicate = self.descriptor.annotations.get("dev.sigstore.bundle.predicateType");
        let kind = self.artifact_type.to_ascii_lowercase();
        let holds = |words: &[&str]| words.iter().any(|word| kind.contains(word));
        if holds(&["vnd.dev.sigstore.bundle"]) {
            return match predicate {
                Some(predicate) if !predicate.contains("/cosign/sign/") => Role::Attestation,
                Some(_) | None => Role::Signature,
            };
        }
        if holds(&["cosign.artifact.sig", "cosign.simplesigning", "cncf.notary.signature"]) {
            Role::Signature
        } else if holds(&["spdx", "cyclonedx", "syft", "sbom"]) {
            Role::Sbom
        } else if holds(&["in-toto", "dsse", "slsa", "attestation"]) {
            Role::Attestation
        } else {
            Role::Other
        }
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
