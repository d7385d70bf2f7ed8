//! One consumer: a Kustomization or a HelmRelease, the source it takes from and what it applied.

use super::{
    condition::Status,
    digest::Digest,
    identity::{Kind, Meta, ObjectId},
    inventory::InventoryEntry,
    revision::Revision,
};
use jiff::Timestamp;

/// An object that applies what a source holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Consumer {
    pub meta: Meta,
    pub suspended: bool,
    /// What it takes from: `sourceRef`, `chartRef`, or for `spec.chart` the HelmChart made for it.
    pub source: Option<ObjectId>,
    /// For `spec.chart`: the repository that the HelmChart takes from.
    pub chart_source: Option<ObjectId>,
    /// `spec.path` of a Kustomization.
    pub path: Option<Box<str>>,
    /// `spec.chart.spec.chart` and its version range.
    pub chart: Option<(Box<str>, Box<str>)>,
    pub depends_on: Vec<ObjectId>,
    pub interval: Box<str>,
    pub target_namespace: Option<Box<str>>,
    /// `spec.kubeConfig` is set: what it applies lives in another cluster.
    pub remote: bool,
    pub prune: Option<bool>,
    pub applied: Applied,
    pub inventory: Vec<InventoryEntry>,
    pub status: Status,
    pub oddities: Vec<String>,
}

/// What was tried and what stands (`reference/flux.md` §3.1, §3.2).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Applied {
    /// `lastAppliedRevision` of a Kustomization.
    pub last_applied: Option<Revision>,
    pub last_attempted: Option<Revision>,
    /// Digest part of `lastAttemptedRevisionDigest` of a HelmRelease.
    pub last_attempted_digest: Option<Digest>,
    /// `status.history` of a HelmRelease or a Kustomization, newest first.
    pub history: Vec<Release>,
    pub failures: Option<i64>,
}

/// One entry of a history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Release {
    /// Helm's revision number.
    pub version: Option<i64>,
    /// `install`, `upgrade`, `rollback`, `uninstall`: what Helm did.
    pub action: Option<Box<str>>,
    /// `deployed`, `superseded`, `failed`, ... or a Ready reason of a Kustomization.
    pub status: Box<str>,
    /// Chart version, or the revision that a Kustomization applied.
    pub revision: Option<Revision>,
    pub chart: Option<Box<str>>,
    pub app_version: Option<Box<str>>,
    /// Of the OCI artifact.
    pub digest: Option<Digest>,
    /// The tag that stands before the digest in `ociDigest`; helm-controller writes it for tags that are no versions.
    pub tag: Option<Box<str>>,
    /// Of the manifests that a Kustomization built, after substitution.
    pub built: Option<Digest>,
    /// `org.opencontainers.image.revision` of the artifact that a Kustomization applied.
    pub origin: Option<Box<str>>,
    pub first: Option<Timestamp>,
    /// Last deployed, or last reconciled.
    pub when: Option<Timestamp>,
    /// How often a Kustomization applied the same.
    pub times: Option<i64>,
}

impl Consumer {
    pub fn kind(&self) -> Kind {
        self.meta.id.kind
    }

    /// What runs now: `lastAppliedRevision`, or the chart version of the first `deployed` release.
    pub fn revision(&self) -> Option<&Revision> {
        match self.kind() {
            Kind::HelmRelease => self.deployed()?.revision.as_ref(),
            _ => self.applied.last_applied.as_ref(),
        }
    }

    /// The digest of what runs now, where Flux recorded one.
    pub fn digest(&self) -> Option<&Digest> {
        match self.kind() {
            Kind::HelmRelease => self.deployed()?.digest.as_ref(),
            _ => self.applied.last_applied.as_ref()?.digest(),
        }
    }

    fn deployed(&self) -> Option<&Release> {
        self.applied.history.iter().find(|release| &*release.status == "deployed")
    }
}
