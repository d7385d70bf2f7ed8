//! The fields we read of each kind, as they stand in JSON (`reference/flux.md` §1, §3). Everything else is skipped
//! unread. It never judges: a value of another type than the CRD promises is [`super::shape`]'s work.

use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;

pub(super) type Text = Option<Box<str>>;
pub(super) type Words = Option<BTreeMap<Box<str>, Box<str>>>;

/// Which kind a document is of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypeMeta {
    pub(super) api_version: Text,
    pub(super) kind: Text,
}

#[derive(Deserialize)]
pub(super) struct Envelope<S> {
    pub(super) metadata: Option<Metadata>,
    pub(super) spec: Option<S>,
    pub(super) status: Option<Status>,
}

/// One page of a LIST.
#[derive(Deserialize)]
pub(super) struct List<S> {
    pub(super) items: Option<Vec<Envelope<S>>>,
}

/// What a page says of itself; its items are skipped.
#[derive(Deserialize)]
pub(super) struct ListHead {
    pub(super) metadata: Option<ListMetadata>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListMetadata {
    pub(super) resource_version: Text,
    #[serde(rename = "continue")]
    pub(super) next: Text,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub(super) name: Text,
    pub(super) namespace: Text,
    pub(super) generation: Option<i64>,
    pub(super) creation_timestamp: Option<Timestamp>,
    pub(super) deletion_timestamp: Text,
    pub(super) labels: Words,
    pub(super) annotations: Option<Annotations>,
}

#[derive(Deserialize)]
pub(super) struct Annotations {
    #[serde(rename = "reconcile.fluxcd.io/requestedAt")]
    pub(super) requested_at: Text,
    #[serde(rename = "kustomize.toolkit.fluxcd.io/reconcile")]
    pub(super) reconcile: Text,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct OciRepository {
    pub(super) url: Text,
    #[serde(rename = "ref")]
    pub(super) reference: Option<OciReference>,
    pub(super) layer_selector: Option<LayerSelector>,
    pub(super) provider: Text,
    pub(super) secret_ref: Option<Named>,
    pub(super) service_account_name: Text,
    pub(super) cert_secret_ref: Option<Named>,
    pub(super) proxy_secret_ref: Option<Named>,
    pub(super) insecure: Option<bool>,
    pub(super) verify: Option<Verify>,
    pub(super) ignore: Text,
    pub(super) interval: Text,
    pub(super) timeout: Text,
    pub(super) suspend: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct OciReference {
    pub(super) digest: Text,
    pub(super) semver: Text,
    pub(super) semver_filter: Text,
    pub(super) tag: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LayerSelector {
    pub(super) media_type: Text,
    pub(super) operation: Text,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: Text,
}

#[derive(Deserialize)]
pub(super) struct Verify {
    pub(super) provider: Text,
    #[serde(rename = "secretRef")]
    pub(super) secret_ref: Option<Named>,
    #[serde(rename = "matchOIDCIdentity")]
    pub(super) identities: Option<Vec<Identity>>,
}

#[derive(Deserialize)]
pub(super) struct Identity {
    pub(super) issuer: Text,
    pub(super) subject: Text,
}

#[derive(Deserialize, Default)]
pub(super) struct HelmRepository {
    pub(super) url: Text,
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) insecure: Option<bool>,
    pub(super) suspend: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct HelmChart {
    pub(super) chart: Text,
    pub(super) version: Text,
    pub(super) source_ref: Option<Reference>,
    pub(super) verify: Option<Verify>,
    pub(super) suspend: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExternalArtifact {
    pub(super) source_ref: Option<Reference>,
}

/// GitRepository and Bucket.
#[derive(Deserialize, Default)]
pub(super) struct OtherSource {
    pub(super) url: Text,
    pub(super) endpoint: Text,
    pub(super) suspend: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kustomization {
    pub(super) source_ref: Option<Reference>,
    pub(super) path: Text,
    pub(super) interval: Text,
    pub(super) prune: Option<bool>,
    pub(super) depends_on: Option<Vec<Reference>>,
    pub(super) target_namespace: Text,
    pub(super) kube_config: Option<Present>,
    pub(super) suspend: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct HelmRelease {
    pub(super) chart_ref: Option<Reference>,
    pub(super) chart: Option<ChartTemplate>,
    pub(super) interval: Text,
    pub(super) depends_on: Option<Vec<Reference>>,
    pub(super) target_namespace: Text,
    pub(super) kube_config: Option<Present>,
    pub(super) suspend: Option<bool>,
}

#[derive(Deserialize)]
pub(super) struct ChartTemplate {
    pub(super) spec: Option<ChartTemplateSpec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChartTemplateSpec {
    pub(super) chart: Text,
    pub(super) version: Text,
    pub(super) source_ref: Option<Reference>,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    pub(super) kind: Text,
    pub(super) name: Text,
    pub(super) namespace: Text,
}

/// An object of which only its being there counts.
#[derive(Deserialize)]
pub(super) struct Present {}

/// What the kinds report, all in one: no name means two things.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) observed_generation: Option<i64>,
    pub(super) conditions: Option<Vec<Condition>>,
    pub(super) last_handled_reconcile_at: Text,
    pub(super) artifact: Option<Artifact>,
    pub(super) last_applied_revision: Text,
    pub(super) last_attempted_revision: Text,
    pub(super) last_attempted_revision_digest: Text,
    /// Before `history` (v2beta1).
    pub(super) last_release_revision: Option<i64>,
    pub(super) helm_chart: Text,
    pub(super) failures: Option<i64>,
    pub(super) inventory: Option<Inventory>,
    pub(super) history: Option<Vec<Snapshot>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) status: Text,
    pub(super) reason: Text,
    pub(super) message: Text,
    pub(super) observed_generation: Option<i64>,
    pub(super) last_transition_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Artifact {
    pub(super) revision: Text,
    pub(super) digest: Text,
    /// Before `digest` (v1beta2 of old clusters): bare hex.
    pub(super) checksum: Text,
    pub(super) size: Option<i64>,
    pub(super) last_update_time: Option<Timestamp>,
    pub(super) url: Text,
    pub(super) metadata: Words,
}

#[derive(Deserialize)]
pub(super) struct Inventory {
    pub(super) entries: Option<Vec<InventoryEntry>>,
}

#[derive(Deserialize)]
pub(super) struct InventoryEntry {
    pub(super) id: Text,
    pub(super) v: Text,
}

/// One entry of `status.history` of either consumer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshot {
    pub(super) version: Option<i64>,
    pub(super) status: Text,
    pub(super) chart_name: Text,
    pub(super) chart_version: Text,
    pub(super) app_version: Text,
    pub(super) oci_digest: Text,
    pub(super) action: Text,
    pub(super) first_deployed: Option<Timestamp>,
    pub(super) last_deployed: Option<Timestamp>,
    /// Of the release in Helm's storage, or of the manifests that a Kustomization built.
    pub(super) digest: Text,
    pub(super) total_reconciliations: Option<i64>,
    pub(super) first_reconciled: Option<Timestamp>,
    pub(super) last_reconciled: Option<Timestamp>,
    pub(super) last_reconciled_status: Text,
    pub(super) metadata: Option<SnapshotMetadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SnapshotMetadata {
    pub(super) revision: Text,
    pub(super) origin_revision: Text,
}

/// `core/v1` Event, in its old and its new clothes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    pub(super) metadata: Option<EventMetadata>,
    #[serde(rename = "type")]
    pub(super) kind: Text,
    pub(super) reason: Text,
    pub(super) message: Text,
    pub(super) count: Option<i64>,
    pub(super) series: Option<Series>,
    pub(super) first_timestamp: Option<Timestamp>,
    pub(super) last_timestamp: Option<Timestamp>,
    #[serde(rename = "eventTime")]
    pub(super) time: Option<Timestamp>,
    pub(super) source: Option<EventSource>,
    pub(super) reporting_component: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventMetadata {
    pub(super) uid: Text,
    pub(super) name: Text,
    pub(super) creation_timestamp: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Series {
    pub(super) count: Option<i64>,
    pub(super) last_observed_time: Option<Timestamp>,
}

#[derive(Deserialize)]
pub(super) struct EventSource {
    pub(super) component: Text,
}
