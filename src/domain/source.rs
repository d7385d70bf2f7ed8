//! One source: what it follows and what it holds. Never what the registry holds.

use super::{
    condition::{ConditionStatus, Status},
    digest::Digest,
    identity::{Kind, Meta, ObjectId},
    repository::{Repository, RepositoryError, Upstream},
    revision::Revision,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The media type of a Helm chart's layer: exactly with this selector Flux maps `_` to `+` in tags.
pub const HELM_CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// An object that holds an artifact for others to apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub meta: Meta,
    pub suspended: bool,
    pub spec: SourceSpec,
    /// What is stored and served now; kept by Flux while later fetches fail.
    pub artifact: Option<StoredArtifact>,
    pub status: Status,
    /// What could not be read in this object, in words.
    pub oddities: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SourceSpec {
    Oci(OciSpec),
    HelmRepository {
        url: Box<str>,
        oci: bool,
        insecure: bool,
    },
    HelmChart {
        chart: Box<str>,
        version: Box<str>,
        source: Option<ObjectId>,
        verify: Option<Verify>,
    },
    ExternalArtifact {
        generator: Option<Box<str>>,
    },
    /// GitRepository and Bucket: only pointed at.
    Other {
        url: Box<str>,
    },
}

/// `spec` of an OCIRepository (`reference/flux.md` §1.1).
#[derive(Debug, Clone, PartialEq)]
pub struct OciSpec {
    pub url: Box<str>,
    pub repository: Result<Repository, RepositoryError>,
    pub follows: Follows,
    /// `ref.tag` beside a digest or range that outranks it; shown, never used.
    pub ignored_tag: Option<Box<str>>,
    pub semver_filter: Option<Box<str>>,
    pub layer: LayerSelector,
    pub provider: Box<str>,
    pub secret: Option<Box<str>>,
    pub service_account: Option<Box<str>>,
    pub cert_secret: Option<Box<str>>,
    pub proxy_secret: Option<Box<str>>,
    pub insecure: bool,
    pub verify: Option<Verify>,
    pub ignore: Option<Box<str>>,
    /// As written, e.g. `10m`.
    pub interval: Box<str>,
    pub timeout: Option<Box<str>>,
}

/// `spec.ref` by Flux's precedence: digest, semver, tag, `latest` (`reference/flux.md` §1.3).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Follows {
    Digest(Box<str>),
    Semver(Box<str>),
    Tag(Box<str>),
    /// No ref at all: the tag `latest`.
    Latest,
}

impl Follows {
    /// Empty strings count as unset.
    pub fn from_ref(digest: &str, semver: &str, tag: &str) -> Self {
        match (digest, semver, tag) {
            ("", "", "") => Self::Latest,
            ("", "", tag) => Self::Tag(tag.into()),
            ("", semver, _) => Self::Semver(semver.into()),
            (digest, ..) => Self::Digest(digest.into()),
        }
    }

    /// `tag`, `semver` or `digest`.
    pub const fn by(&self) -> &'static str {
        match self {
            Self::Digest(_) => "digest",
            Self::Semver(_) => "semver",
            Self::Tag(_) | Self::Latest => "tag",
        }
    }

    /// The string in force.
    pub fn text(&self) -> &str {
        match self {
            Self::Digest(text) | Self::Semver(text) | Self::Tag(text) => text,
            Self::Latest => "latest",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct LayerSelector {
    pub media_type: Option<Box<str>>,
    /// `operation: copy`; otherwise the layer is extracted.
    pub copy: bool,
}

impl LayerSelector {
    pub fn is_helm(&self) -> bool {
        self.media_type.as_deref() == Some(HELM_CHART_LAYER)
    }
}

/// `spec.verify`: who must have signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verify {
    pub provider: Box<str>,
    pub secret: Option<Box<str>>,
    /// `issuer` and `subject` patterns of `matchOIDCIdentity`.
    pub identities: Vec<(Box<str>, Box<str>)>,
}

/// `status.artifact`.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredArtifact {
    pub revision: Option<Revision>,
    /// Of the stored file, not of the manifest (`reference/flux.md` §1.2).
    pub digest: Option<Digest>,
    pub size: Option<u64>,
    pub stored: Option<Timestamp>,
    pub url: Box<str>,
    /// Annotations of the OCI manifest.
    pub annotations: BTreeMap<Box<str>, Box<str>>,
}

/// The cluster's own verdict on a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified<'a> {
    NotAsked,
    /// Asked for; the controller has not said yet.
    Unknown,
    Yes(&'a str),
    No(&'a str),
}

impl Source {
    pub fn kind(&self) -> Kind {
        self.meta.id.kind
    }

    /// What it holds now.
    pub fn revision(&self) -> Option<&Revision> {
        self.artifact.as_ref()?.revision.as_ref()
    }

    /// A HelmRepository of type oci has no status and cannot be reconciled (`reference/flux.md` §7).
    pub fn is_static(&self) -> bool {
        matches!(self.spec, SourceSpec::HelmRepository { oci: true, .. })
    }

    pub fn follows(&self) -> Option<Follows> {
        match &self.spec {
            SourceSpec::Oci(spec) => Some(spec.follows.clone()),
            SourceSpec::HelmChart { version, .. } => Some(Follows::Semver(version.clone())),
            SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => None,
        }
    }

    /// The repository to ask for tags, if this kind names one by itself.
    pub fn upstream(&self) -> Option<Upstream> {
        match &self.spec {
            SourceSpec::Oci(spec) => {
                Some(Upstream { repository: spec.repository.clone().ok()?, insecure: spec.insecure })
            }
            _ => None,
        }
    }

    /// Its tags are versions of a Helm chart: there `_` stands for `+` (`reference/flux.md` §1.5).
    pub fn is_chart(&self) -> bool {
        match &self.spec {
            SourceSpec::Oci(spec) => spec.layer.is_helm(),
            SourceSpec::HelmChart { .. } => true,
            SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => false,
        }
    }

    pub fn verify(&self) -> Option<&Verify> {
        match &self.spec {
            SourceSpec::Oci(spec) => spec.verify.as_ref(),
            SourceSpec::HelmChart { verify, .. } => verify.as_ref(),
            _ => None,
        }
    }

    /// `SourceVerified` is re-checked by Flux on a new revision or generation only.
    pub fn verified(&self) -> Verified<'_> {
        if self.verify().is_none() {
            return Verified::NotAsked;
        }
        match self.status.condition("SourceVerified") {
            Some(c) if c.status == ConditionStatus::True => Verified::Yes(&c.message),
            Some(c) if c.status == ConditionStatus::False => Verified::No(&c.message),
            _ => Verified::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_outranks_a_range_and_a_range_outranks_a_tag() {
        assert_eq!(Follows::from_ref("sha256:x", "1.x", "1.0"), Follows::Digest("sha256:x".into()));
        assert_eq!(Follows::from_ref("", "1.x", "1.0"), Follows::Semver("1.x".into()));
        assert_eq!(Follows::from_ref("", "", "1.0"), Follows::Tag("1.0".into()));
        assert_eq!(Follows::from_ref("", "", "").text(), "latest");
    }
}
