//! JSON of an object -> domain: pure functions over bytes. Only an object without a kind or a name is an error; every
//! other oddity becomes a word beside what could be read. It asks nobody.

use super::{
    crd::{self, Envelope, Text},
    shape::{self, Shape},
};
use crate::domain::{
    condition::{Condition, ConditionStatus, Status},
    consumer::{Applied, Consumer, Release},
    digest::Digest,
    event::Event,
    fact::Object,
    identity::{Kind, Meta, ObjectId},
    inventory::InventoryEntry,
    problem::{Cause, Problem},
    repository::Repository,
    revision::Revision,
    source::{Follows, LayerSelector, OciSpec, Source, SourceSpec, StoredArtifact, Verify},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// Reads an object of any of the kinds we know, by its `apiVersion` and `kind`.
pub fn object(json: &[u8]) -> Result<Arc<Object>, Problem> {
    let kind = match serde_json::from_slice::<crd::TypeMeta>(json) {
        Ok(meta) => kind_of(&meta),
        Err(_) => serde_json::from_slice(json).ok().and_then(|value: Value| kind_in(&value)),
    };
    object_of(kind.ok_or_else(unknown_kind)?, json)
}

/// Reads an object whose kind is known from where it stood.
pub fn object_of(kind: Kind, json: &[u8]) -> Result<Arc<Object>, Problem> {
    read(kind, &Input::Bytes(json))
}

/// Like [`object`], from a document that was parsed already.
pub fn object_in(value: &Value) -> Result<Arc<Object>, Problem> {
    read(kind_in(value).ok_or_else(unknown_kind)?, &Input::Tree(value))
}

/// Reads a `core/v1` Event. Missing parts stay empty; only what is no JSON object is nothing.
pub fn event(json: &[u8]) -> Option<Event> {
    let (event, _) = Input::Bytes(json).take(&shape::EVENT).ok()?;
    Some(event_from(event))
}

/// Like [`event`], from a document that was parsed already.
pub fn event_in(value: &Value) -> Option<Event> {
    let (event, _) = Input::Tree(value).take(&shape::EVENT).ok()?;
    Some(event_from(event))
}

fn unknown_kind() -> Problem {
    Problem::new(Cause::Invalid, "read an object", "its apiVersion and kind are none of Flux's")
}

/// By kind and group: kustomize has a Kustomization too.
fn kind_of(meta: &crd::TypeMeta) -> Option<Kind> {
    let kind = Kind::from_name(meta.kind.as_deref()?)?;
    (meta.api_version.as_deref()?.split_once('/')?.0 == kind.group()).then_some(kind)
}

fn kind_in(value: &Value) -> Option<Kind> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(Box::from);
    kind_of(&crd::TypeMeta { api_version: text("apiVersion"), kind: text("kind") })
}

enum Input<'a> {
    Bytes(&'a [u8]),
    Tree(&'a Value),
}

impl Input<'_> {
    /// Typed at once where everything has its type; else through a tree whose bad fields are taken out.
    fn take<S: DeserializeOwned>(&self, shape: &Shape) -> Result<(S, Vec<String>), Problem> {
        let typed = match self {
            Self::Bytes(json) => serde_json::from_slice(json),
            Self::Tree(value) => S::deserialize(*value),
        };
        if let Ok(read) = typed {
            return Ok((read, Vec::new()));
        }
        let mut value = match self {
            Self::Bytes(json) => serde_json::from_slice(json).map_err(|error| unreadable(&error))?,
            Self::Tree(value) => (*value).clone(),
        };
        let mut oddities = Vec::new();
        shape::repair(&mut value, shape, &mut oddities);
        let read = S::deserialize(&value).map_err(|error| unreadable(&error))?;
        Ok((read, oddities))
    }
}

fn unreadable(error: &serde_json::Error) -> Problem {
    Problem::new(Cause::Invalid, "read an object", error.to_string())
}

/// The `spec` of one kind: how its document is shaped, and what is made of it.
trait Spec: DeserializeOwned + Default {
    const SHAPE: &'static Shape;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem>;
}

fn read(kind: Kind, input: &Input<'_>) -> Result<Arc<Object>, Problem> {
    match kind {
        Kind::OciRepository => read_as::<crd::OciRepository>(kind, input),
        Kind::HelmRepository => read_as::<crd::HelmRepository>(kind, input),
        Kind::HelmChart => read_as::<crd::HelmChart>(kind, input),
        Kind::ExternalArtifact => read_as::<crd::ExternalArtifact>(kind, input),
        Kind::GitRepository | Kind::Bucket => read_as::<crd::OtherSource>(kind, input),
        Kind::Kustomization => read_as::<crd::Kustomization>(kind, input),
        Kind::HelmRelease => read_as::<crd::HelmRelease>(kind, input),
    }
}

fn read_as<S: Spec>(kind: Kind, input: &Input<'_>) -> Result<Arc<Object>, Problem> {
    let (envelope, oddities) = input.take::<Envelope<S>>(S::SHAPE)?;
    S::build(kind, envelope, oddities).map(Arc::new)
}

/// The items of a LIST of one kind, each read or with the reason why not.
pub(super) fn items(kind: Kind, json: &[u8]) -> Result<Vec<Result<Arc<Object>, Problem>>, Problem> {
    match kind {
        Kind::OciRepository => items_as::<crd::OciRepository>(kind, json),
        Kind::HelmRepository => items_as::<crd::HelmRepository>(kind, json),
        Kind::HelmChart => items_as::<crd::HelmChart>(kind, json),
        Kind::ExternalArtifact => items_as::<crd::ExternalArtifact>(kind, json),
        Kind::GitRepository | Kind::Bucket => items_as::<crd::OtherSource>(kind, json),
        Kind::Kustomization => items_as::<crd::Kustomization>(kind, json),
        Kind::HelmRelease => items_as::<crd::HelmRelease>(kind, json),
    }
}

/// All at once where every object has its types; one odd object costs its page a second reading.
fn items_as<S: Spec>(kind: Kind, json: &[u8]) -> Result<Vec<Result<Arc<Object>, Problem>>, Problem> {
    if let Ok(list) = serde_json::from_slice::<crd::List<S>>(json) {
        let items = list.items.unwrap_or_default().into_iter();
        return Ok(items.map(|item| S::build(kind, item, Vec::new()).map(Arc::new)).collect());
    }
    let list: Value = serde_json::from_slice(json).map_err(|error| unreadable(&error))?;
    let items = list.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Ok(items.iter().map(|item| read_as::<S>(kind, &Input::Tree(item))).collect())
}

/// Like [`object_of`], from a document that was parsed already.
pub(super) fn object_of_tree(kind: Kind, value: &Value) -> Result<Arc<Object>, Problem> {
    read(kind, &Input::Tree(value))
}

impl Spec for crd::OciRepository {
    const SHAPE: &'static Shape = &shape::OCI_REPOSITORY;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem> {
        source(kind, envelope, oddities, oci_spec)
    }
}

impl Spec for crd::HelmRepository {
    const SHAPE: &'static Shape = &shape::HELM_REPOSITORY;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem> {
        source(kind, envelope, oddities, helm_repository_spec)
    }
}

impl Spec for crd::HelmChart {
    const SHAPE: &'static Shape = &shape::HELM_CHART;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem> {
        source(kind, envelope, oddities, helm_chart_spec)
    }
}

impl Spec for crd::ExternalArtifact {
    const SHAPE: &'static Shape = &shape::EXTERNAL_ARTIFACT;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem> {
        source(kind, envelope, oddities, external_artifact_spec)
    }
}

impl Spec for crd::OtherSource {
    const SHAPE: &'static Shape = &shape::OTHER_SOURCE;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem> {
        source(kind, envelope, oddities, other_spec)
    }
}

impl Spec for crd::Kustomization {
    const SHAPE: &'static Shape = &shape::KUSTOMIZATION;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem> {
        consumer(kind, envelope, oddities, kustomization)
    }
}

impl Spec for crd::HelmRelease {
    const SHAPE: &'static Shape = &shape::HELM_RELEASE;

    fn build(kind: Kind, envelope: Envelope<Self>, oddities: Vec<String>) -> Result<Object, Problem> {
        consumer(kind, envelope, oddities, helm_release)
    }
}

type SpecReader<S> = fn(S, &ObjectId, &mut Vec<String>) -> (SourceSpec, Option<bool>);

fn source<S: Spec>(
    kind: Kind,
    envelope: Envelope<S>,
    mut oddities: Vec<String>,
    spec: SpecReader<S>,
) -> Result<Object, Problem> {
    let meta = meta(kind, envelope.metadata, &mut oddities)?;
    let mut reported = envelope.status.unwrap_or_default();
    let artifact = reported.artifact.take().map(|artifact| stored(artifact, &mut oddities));
    let status = status(&mut reported, &mut oddities);
    let written = given(envelope.spec, &mut oddities);
    let (spec, suspend) = spec(written, &meta.id, &mut oddities);
    let suspended = suspend.unwrap_or(false);
    Ok(Object::Source(Source { meta, suspended, spec, artifact, status, oddities }))
}

type ConsumerReader<S> = fn(S, Meta, &mut crd::Status, Vec<String>) -> Consumer;

fn consumer<S: Spec>(
    kind: Kind,
    envelope: Envelope<S>,
    mut oddities: Vec<String>,
    build: ConsumerReader<S>,
) -> Result<Object, Problem> {
    let meta = meta(kind, envelope.metadata, &mut oddities)?;
    let mut reported = envelope.status.unwrap_or_default();
    let status = status(&mut reported, &mut oddities);
    let written = given(envelope.spec, &mut oddities);
    let mut consumer = build(written, meta, &mut reported, oddities);
    consumer.status = status;
    Ok(Object::Consumer(consumer))
}

fn given<S: Default>(spec: Option<S>, oddities: &mut Vec<String>) -> S {
    spec.unwrap_or_else(|| {
        if !oddities.iter().any(|oddity| oddity.starts_with("spec is ")) {
            oddities.push("spec is missing".to_owned());
        }
        S::default()
    })
}

fn meta(kind: Kind, metadata: Option<crd::Metadata>, oddities: &mut Vec<String>) -> Result<Meta, Problem> {
    let metadata = metadata.unwrap_or_default();
    let Some(name) = some(metadata.name) else {
        let place = some(metadata.namespace).map_or_else(String::new, |namespace| format!(" of {namespace}"));
        let what = format!("read a {kind}{place}");
        return Err(Problem::new(Cause::Invalid, what, "it has no name"));
    };
    let namespace = some(metadata.namespace).unwrap_or_else(|| {
        oddities.push("metadata.namespace is missing".to_owned());
        "".into()
    });
    let mut meta = Meta::new(ObjectId::new(kind, namespace, name));
    meta.labels = metadata.labels.unwrap_or_default();
    meta.generation = metadata.generation;
    meta.created = metadata.creation_timestamp;
    meta.terminating = metadata.deletion_timestamp.is_some();
    if let Some(annotations) = metadata.annotations {
        meta.requested_at = annotations.requested_at;
        meta.detached = annotations.reconcile.as_deref() == Some("disabled");
    }
    Ok(meta)
}

fn status(reported: &mut crd::Status, oddities: &mut Vec<String>) -> Status {
    let conditions = reported.conditions.take().unwrap_or_default();
    Status {
        conditions: conditions.into_iter().filter_map(|c| condition(c, oddities)).collect(),
        observed_generation: reported.observed_generation,
        last_handled_reconcile_at: reported.last_handled_reconcile_at.take(),
    }
}

fn condition(read: crd::Condition, oddities: &mut Vec<String>) -> Option<Condition> {
    let Some(kind) = some(read.kind) else {
        oddities.push("a condition has no type".to_owned());
        return None;
    };
    let status = match read.status.as_deref() {
        Some("True") => ConditionStatus::True,
        Some("False") => ConditionStatus::False,
        Some("Unknown") => ConditionStatus::Unknown,
        _ => {
            oddities.push(format!("condition {kind} is neither True, False nor Unknown"));
            ConditionStatus::Unknown
        }
    };
    Some(Condition {
        kind,
        status,
        reason: read.reason.unwrap_or_default(),
        message: read.message.unwrap_or_default(),
        observed_generation: read.observed_generation,
        since: read.last_transition_time,
    })
}

fn stored(artifact: crd::Artifact, oddities: &mut Vec<String>) -> StoredArtifact {
    let written =
        some(artifact.digest).or_else(|| Some(format!("sha256:{}", some(artifact.checksum)?).into()));
    let digest = written.and_then(|text| parse_digest(&text, "status.artifact.digest", oddities));
    StoredArtifact {
        revision: revision(artifact.revision),
        digest,
        size: artifact.size.and_then(|size| u64::try_from(size).ok()),
        stored: artifact.last_update_time,
        url: artifact.url.unwrap_or_default(),
        annotations: artifact.metadata.unwrap_or_default(),
    }
}

fn oci_spec(spec: crd::OciRepository, _: &ObjectId, _: &mut Vec<String>) -> (SourceSpec, Option<bool>) {
    let url = spec.url.unwrap_or_default();
    let written = spec.reference.unwrap_or_default();
    let text = |text: &Text| text.as_deref().unwrap_or_default().to_owned();
    let follows = Follows::from_ref(&text(&written.digest), &text(&written.semver), &text(&written.tag));
    let outranked = matches!(follows, Follows::Digest(_) | Follows::Semver(_));
    let layer = spec.layer_selector.map_or_else(LayerSelector::default, |layer| LayerSelector {
        media_type: some(layer.media_type),
        copy: layer.operation.as_deref() == Some("copy"),
    });
    let oci = OciSpec {
        repository: Repository::parse_url(&url),
        url,
        follows,
        ignored_tag: some(written.tag).filter(|_| outranked),
        semver_filter: some(written.semver_filter),
        layer,
        provider: some(spec.provider).unwrap_or_else(|| "generic".into()),
        secret: named(spec.secret_ref),
        service_account: some(spec.service_account_name),
        cert_secret: named(spec.cert_secret_ref),
        proxy_secret: named(spec.proxy_secret_ref),
        insecure: spec.insecure.unwrap_or(false),
        verify: spec.verify.map(verify),
        ignore: spec.ignore,
        interval: spec.interval.unwrap_or_default(),
        timeout: some(spec.timeout),
    };
    (SourceSpec::Oci(oci), spec.suspend)
}

fn helm_repository_spec(
    spec: crd::HelmRepository,
    _: &ObjectId,
    _: &mut Vec<String>,
) -> (SourceSpec, Option<bool>) {
    let read = SourceSpec::HelmRepository {
        url: spec.url.unwrap_or_default(),
        oci: spec.kind.as_deref() == Some("oci"),
        insecure: spec.insecure.unwrap_or(false),
    };
    (read, spec.suspend)
}

fn helm_chart_spec(
    spec: crd::HelmChart,
    id: &ObjectId,
    oddities: &mut Vec<String>,
) -> (SourceSpec, Option<bool>) {
    let read = SourceSpec::HelmChart {
        chart: spec.chart.unwrap_or_default(),
        version: some(spec.version).unwrap_or_else(|| "*".into()),
        source: spec.source_ref.and_then(|r| refer(r, None, &id.namespace, "spec.sourceRef", oddities)),
        verify: spec.verify.map(verify),
    };
    (read, spec.suspend)
}

fn external_artifact_spec(
    spec: crd::ExternalArtifact,
    id: &ObjectId,
    _: &mut Vec<String>,
) -> (SourceSpec, Option<bool>) {
    let generator = spec.source_ref.and_then(|r| {
        let namespace = some(r.namespace).unwrap_or_else(|| (&*id.namespace).into());
        Some(format!("{} {namespace}/{}", some(r.kind)?, some(r.name)?).into())
    });
    (SourceSpec::ExternalArtifact { generator }, None)
}

fn other_spec(spec: crd::OtherSource, _: &ObjectId, _: &mut Vec<String>) -> (SourceSpec, Option<bool>) {
    let url = some(spec.url).or_else(|| some(spec.endpoint)).unwrap_or_default();
    (SourceSpec::Other { url }, spec.suspend)
}

fn kustomization(
    spec: crd::Kustomization,
    meta: Meta,
    reported: &mut crd::Status,
    mut oddities: Vec<String>,
) -> Consumer {
    let namespace = meta.id.namespace.clone();
    let source = spec.source_ref.and_then(|r| refer(r, None, &namespace, "spec.sourceRef", &mut oddities));
    let depends_on = depends_on(spec.depends_on, &meta.id, &mut oddities);
    let entries = reported.history.take().unwrap_or_default().into_iter();
    let history = entries.map(|entry| applied_snapshot(entry, &mut oddities)).collect();
    Consumer {
        meta,
        suspended: spec.suspend.unwrap_or(false),
        source,
        chart_source: None,
        path: some(spec.path),
        chart: None,
        depends_on,
        interval: spec.interval.unwrap_or_default(),
        target_namespace: some(spec.target_namespace),
        remote: spec.kube_config.is_some(),
        prune: spec.prune,
        applied: Applied {
            last_applied: revision(reported.last_applied_revision.take()),
            last_attempted: revision(reported.last_attempted_revision.take()),
            last_attempted_digest: None,
            history,
            failures: None,
        },
        inventory: inventory(reported),
        status: Status::default(),
        oddities,
    }
}

fn helm_release(
    spec: crd::HelmRelease,
    meta: Meta,
    reported: &mut crd::Status,
    mut oddities: Vec<String>,
) -> Consumer {
    let namespace = meta.id.namespace.clone();
    let template = spec.chart.and_then(|chart| chart.spec);
    let chart_ref = spec.chart_ref.and_then(|r| refer(r, None, &namespace, "spec.chartRef", &mut oddities));
    let (chart, chart_source) = template.map_or((None, None), |template| {
        let version = some(template.version).unwrap_or_else(|| "*".into());
        let from = template
            .source_ref
            .and_then(|r| refer(r, None, &namespace, "spec.chart.spec.sourceRef", &mut oddities));
        (Some((template.chart.unwrap_or_default(), version)), from)
    });
    let source = chart_ref.or_else(|| {
        chart.is_some().then(|| made_chart(&meta.id, reported.helm_chart.as_deref(), chart_source.as_ref()))
    });
    let depends_on = depends_on(spec.depends_on, &meta.id, &mut oddities);
    Consumer {
        suspended: spec.suspend.unwrap_or(false),
        source,
        chart_source,
        path: None,
        chart,
        depends_on,
        interval: spec.interval.unwrap_or_default(),
        target_namespace: some(spec.target_namespace),
        remote: spec.kube_config.is_some(),
        prune: None,
        applied: released(reported, &mut oddities),
        inventory: inventory(reported),
        status: Status::default(),
        meta,
        oddities,
    }
}

/// The HelmChart that helm-controller makes for `spec.chart` (`reference/flux.md` §3.2).
fn made_chart(release: &ObjectId, reported: Option<&str>, from: Option<&ObjectId>) -> ObjectId {
    if let Some((namespace, name)) = reported.and_then(|path| path.split_once('/')) {
        return ObjectId::new(Kind::HelmChart, namespace, name);
    }
    let namespace = from.map_or_else(|| release.namespace.clone(), |source| source.namespace.clone());
    ObjectId::new(Kind::HelmChart, namespace, format!("{}-{}", release.namespace, release.name))
}

fn released(reported: &mut crd::Status, oddities: &mut Vec<String>) -> Applied {
    let mut history: Vec<Release> =
        reported.history.take().unwrap_or_default().into_iter().map(|s| release(s, oddities)).collect();
    let last_applied = revision(reported.last_applied_revision.take());
    if history.is_empty() && last_applied.is_some() {
        history.push(deployed_before_history(last_applied.clone(), reported.last_release_revision));
    }
    Applied {
        last_applied,
        last_attempted: revision(reported.last_attempted_revision.take()),
        last_attempted_digest: reported
            .last_attempted_revision_digest
            .take()
            .and_then(|text| manifest_digest(Some(text), "status.lastAttemptedRevisionDigest", oddities)),
        history,
        failures: reported.failures,
    }
}

fn release(snapshot: crd::Snapshot, oddities: &mut Vec<String>) -> Release {
    let tag = snapshot.oci_digest.as_deref().and_then(|written| written.rsplit_once('@')).map(|(tag, _)| tag);
    Release {
        version: snapshot.version,
        action: some(snapshot.action),
        status: snapshot.status.unwrap_or_default(),
        revision: revision(snapshot.chart_version),
        chart: some(snapshot.chart_name),
        app_version: some(snapshot.app_version),
        tag: tag.filter(|tag| !tag.is_empty()).map(Into::into),
        digest: manifest_digest(snapshot.oci_digest, "status.history[].ociDigest", oddities),
        first: snapshot.first_deployed,
        when: snapshot.last_deployed,
        ..Release::default()
    }
}

/// v2beta1 said only what was applied last.
fn deployed_before_history(revision: Option<Revision>, version: Option<i64>) -> Release {
    Release { version, status: "deployed".into(), revision, ..Release::default() }
}

fn applied_snapshot(snapshot: crd::Snapshot, oddities: &mut Vec<String>) -> Release {
    let (written, origin) =
        snapshot.metadata.map_or((None, None), |metadata| (metadata.revision, metadata.origin_revision));
    let revision = revision(written);
    let built = some(snapshot.digest);
    Release {
        status: snapshot.last_reconciled_status.unwrap_or_default(),
        digest: revision.as_ref().and_then(|revision| revision.digest().cloned()),
        revision,
        built: built.and_then(|text| parse_digest(&text, "status.history[].digest", oddities)),
        origin: some(origin),
        first: snapshot.first_reconciled,
        when: snapshot.last_reconciled,
        times: snapshot.total_reconciliations,
        ..Release::default()
    }
}

/// `sha256:…` or `latest@sha256:…`: the digest stands after the last `@`.
fn manifest_digest(text: Text, field: &str, oddities: &mut Vec<String>) -> Option<Digest> {
    let text = some(text)?;
    let digest = text.rsplit_once('@').map_or(&*text, |(_, digest)| digest);
    parse_digest(digest, field, oddities)
}

fn parse_digest(text: &str, field: &str, oddities: &mut Vec<String>) -> Option<Digest> {
    let digest = Digest::parse(text).ok();
    if digest.is_none() {
        oddities.push(format!("{field} is not a digest"));
    }
    digest
}

fn depends_on(
    references: Option<Vec<crd::Reference>>,
    own: &ObjectId,
    oddities: &mut Vec<String>,
) -> Vec<ObjectId> {
    let references = references.unwrap_or_default().into_iter();
    references
        .filter_map(|r| refer(r, Some(own.kind), &own.namespace, "spec.dependsOn[]", oddities))
        .collect()
}

/// The object that a reference means; its namespace defaults to `namespace`, its kind to `kind`.
fn refer(
    reference: crd::Reference,
    kind: Option<Kind>,
    namespace: &Arc<str>,
    field: &str,
    oddities: &mut Vec<String>,
) -> Option<ObjectId> {
    let kind = match some(reference.kind) {
        Some(name) => Kind::from_name(&name),
        None => kind,
    };
    let Some(name) = some(reference.name) else {
        oddities.push(format!("{field} names nothing"));
        return None;
    };
    let Some(kind) = kind else {
        oddities.push(format!("{field} is of a kind that is not known here"));
        return None;
    };
    let namespace = some(reference.namespace).map_or_else(|| namespace.clone(), Arc::from);
    Some(ObjectId::new(kind, namespace, name))
}

fn inventory(reported: &mut crd::Status) -> Vec<InventoryEntry> {
    let entries = reported.inventory.take().and_then(|inventory| inventory.entries).unwrap_or_default();
    let named = entries.into_iter().filter_map(|entry| {
        Some(InventoryEntry { id: some(entry.id)?, version: entry.v.unwrap_or_default() })
    });
    named.collect()
}

fn verify(read: crd::Verify) -> Verify {
    let identities = read.identities.unwrap_or_default().into_iter();
    Verify {
        provider: some(read.provider).unwrap_or_else(|| "cosign".into()),
        secret: named(read.secret_ref),
        identities: identities
            .map(|identity| (identity.issuer.unwrap_or_default(), identity.subject.unwrap_or_default()))
            .collect(),
    }
}

fn event_from(event: crd::Event) -> Event {
    let (uid, name, created) =
        event.metadata.map_or((None, None, None), |m| (m.uid, m.name, m.creation_timestamp));
    let (repeats, repeated) = event.series.map_or((None, None), |s| (s.count, s.last_observed_time));
    let count = repeats.max(event.count).and_then(|count| u64::try_from(count).ok());
    Event {
        uid: some(uid).or_else(|| some(name)).unwrap_or_default(),
        warning: event.kind.as_deref() == Some("Warning"),
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        count: count.unwrap_or(1).max(1),
        last: repeated.max(event.last_timestamp).or(event.time).or(event.first_timestamp).or(created),
        from: event
            .source
            .and_then(|source| some(source.component))
            .or_else(|| some(event.reporting_component))
            .unwrap_or_default(),
    }
}

/// Empty counts as unset, as for Flux.
fn some(text: Text) -> Text {
    text.filter(|text| !text.is_empty())
}

fn named(reference: Option<crd::Named>) -> Text {
    some(reference?.name)
}

fn revision(text: Text) -> Option<Revision> {
    Revision::parse(&text?)
}
