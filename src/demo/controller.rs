//! What Flux's controllers would do with an object of the demo, in two steps: take the request up, then end it.
//! A change of the state at a time that is handed in; it waits for nothing.

use super::{
    registry::Repositories,
    state::{Said, State},
};
use crate::domain::{
    artifact::{Descriptor, Manifest},
    constraint::Constraint,
    consumer::Consumer,
    digest::Digest,
    fact::Object,
    identity::{Kind, ObjectId},
    repository::Repository,
    revision::Revision,
    source::{Follows, OciSpec, Source, SourceSpec},
    standing::{Standing, assess},
    version::Version,
    world::World,
};
use serde_json::{Value, json};

/// Whether a look at an object is over, or ends later with [`finish`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pass {
    #[default]
    Over,
    GoesOn,
}

enum Judgement {
    UpToDate,
    FailsAgain,
    /// Something has to be fetched or applied: what the controller says meanwhile.
    Works(String),
}

/// Takes a request up: the token is echoed, and what has to change is in progress.
pub(super) fn begin(state: &mut State, repositories: &Repositories, id: &ObjectId, now: &str) -> Pass {
    let Some(object) = state.get(id).map(|held| held.object.clone()) else { return Pass::Over };
    let judgement = judge(&state.world(), &object, repositories);
    state.edit(id, echo);
    match judgement {
        Judgement::UpToDate => Pass::Over,
        Judgement::FailsAgain => {
            if let Some(ready) = object.status().ready() {
                let (reason, message) = (ready.reason.to_string(), ready.message.to_string());
                state.report(id, &Said { reason, message, warning: true }, now);
            }
            Pass::Over
        }
        Judgement::Works(words) => {
            state.edit(id, |json| {
                let ready = if id.kind.is_source() { &words } else { "Reconciliation in progress" };
                set(json, "Reconciling", "True", "Progressing", &words, now);
                set(json, "Ready", "Unknown", "Progressing", ready, now);
            });
            Pass::GoesOn
        }
    }
}

/// Ends what [`begin`] left in progress. Returns the consumers that have something new to apply.
pub(super) fn finish(
    state: &mut State,
    repositories: &Repositories,
    id: &ObjectId,
    now: &str,
) -> Vec<ObjectId> {
    let world = state.world();
    let Some(object) = world.get(id) else { return Vec::new() };
    if !matches!(judge(&world, object, repositories), Judgement::Works(_)) {
        return Vec::new();
    }
    let said = match &**object {
        Object::Source(source) => match newest(&world, source, repositories) {
            Some(pushed) => store(state, source, &pushed, now),
            None => return Vec::new(),
        },
        Object::Consumer(consumer) => match wanted(&world, consumer) {
            Some((_, source)) => apply(state, consumer, source, now),
            None => return Vec::new(),
        },
    };
    state.report(id, &said, now);
    let behind = |consumer: &ObjectId| world.get(consumer).is_some_and(|object| !object.suspended());
    world.dependents(id).filter(|consumer| behind(consumer)).cloned().collect()
}

fn judge(world: &World, object: &Object, repositories: &Repositories) -> Judgement {
    let standing = assess(world, object).standing;
    if matches!(standing, Standing::Terminating | Standing::Suspended) {
        return Judgement::UpToDate;
    }
    match object {
        Object::Source(source) => judge_source(world, source, standing, repositories),
        Object::Consumer(consumer) => judge_consumer(world, consumer, standing),
    }
}

fn judge_source(
    world: &World,
    source: &Source,
    standing: Standing,
    repositories: &Repositories,
) -> Judgement {
    let from = match &source.spec {
        SourceSpec::Oci(spec) => &spec.url,
        SourceSpec::HelmChart { chart, .. } => chart,
        SourceSpec::HelmRepository { .. }
        | SourceSpec::ExternalArtifact { .. }
        | SourceSpec::Other { .. } => return Judgement::UpToDate,
    };
    let held = source.revision().map(Revision::as_str);
    match newest(world, source, repositories) {
        None => Judgement::FailsAgain,
        Some(pushed) if held == Some(&pushed.revision) && standing == Standing::Ready => Judgement::UpToDate,
        Some(pushed) => {
            Judgement::Works(format!("building artifact: new revision '{}' for '{from}'", pushed.revision))
        }
    }
}

/// What was recorded as failing fails again: nothing in the demo repairs it.
fn judge_consumer(world: &World, consumer: &Consumer, standing: Standing) -> Judgement {
    let works = || match wanted(world, consumer) {
        Some(_) if consumer.kind() == Kind::HelmRelease => {
            Judgement::Works("Running 'upgrade' action with timeout of 5m0s".to_owned())
        }
        Some((revision, _)) => Judgement::Works(format!("Building manifests for revision {revision}")),
        None => Judgement::UpToDate,
    };
    match standing {
        Standing::Stalled | Standing::Failing => Judgement::FailsAgain,
        Standing::Progressing | Standing::Unknown => works(),
        Standing::Ready | Standing::Stale | Standing::Terminating | Standing::Suspended => {
            if wanted(world, consumer).is_some_and(|(revision, _)| tried(consumer) != Some(revision)) {
                works()
            } else {
                Judgement::UpToDate
            }
        }
    }
}

/// What a consumer should run: the revision of its source, of which a HelmRelease compares the digest alone.
fn wanted<'a>(world: &'a World, consumer: &Consumer) -> Option<(&'a str, &'a Source)> {
    let source = world.get(consumer.source.as_ref()?)?.as_source()?;
    let revision = source.revision()?;
    let by_digest = consumer.kind() == Kind::HelmRelease && source.kind() != Kind::HelmChart;
    let text = if by_digest { revision.digest()?.as_str() } else { revision.as_str() };
    Some((text, source))
}

fn tried(consumer: &Consumer) -> Option<&str> {
    let applied = &consumer.applied;
    match consumer.kind() {
        Kind::HelmRelease => match &applied.last_attempted_digest {
            Some(digest) => Some(digest.as_str()),
            None => applied.last_attempted.as_ref().map(Revision::as_str),
        },
        _ => applied.last_applied.as_ref().map(Revision::as_str),
    }
}

/// What a source would store now.
struct Pushed {
    revision: String,
    manifest: Manifest,
}

impl Pushed {
    fn layer(&self) -> Option<&Descriptor> {
        self.manifest.layers.first()
    }
}

fn newest(world: &World, source: &Source, repositories: &Repositories) -> Option<Pushed> {
    match &source.spec {
        SourceSpec::Oci(spec) => {
            let repository = spec.repository.as_ref().ok()?;
            let reference = follow(spec, repository, repositories)?;
            let manifest = repositories.pull(repository, &reference).ok()?;
            let revision = match spec.follows {
                Follows::Digest(_) => manifest.digest.to_string(),
                Follows::Semver(_) | Follows::Tag(_) | Follows::Latest => {
                    format!("{reference}@{}", manifest.digest)
                }
            };
            Some(Pushed { revision, manifest })
        }
        SourceSpec::HelmChart { chart, version, source: Some(from), .. } => {
            let SourceSpec::HelmRepository { url, .. } = &world.get(from)?.as_source()?.spec else {
                return None;
            };
            let repository = Repository::parse_url(url).ok()?.join(chart).ok()?;
            let tag = highest(&repository, version, repositories, |tag| {
                Version::parse_strict(&tag.replace('_', "+")).ok()
            })?;
            let manifest = repositories.pull(&repository, &tag).ok()?;
            Some(Pushed { revision: tag.replace('_', "+"), manifest })
        }
        SourceSpec::HelmChart { source: None, .. }
        | SourceSpec::HelmRepository { .. }
        | SourceSpec::ExternalArtifact { .. }
        | SourceSpec::Other { .. } => None,
    }
}

fn follow(spec: &OciSpec, repository: &Repository, repositories: &Repositories) -> Option<String> {
    match &spec.follows {
        Follows::Digest(digest) => Some(digest.to_string()),
        Follows::Tag(_) | Follows::Latest => Some(spec.follows.text().to_owned()),
        Follows::Semver(range) if spec.layer.is_helm() => {
            highest(repository, range, repositories, |tag| Version::parse_chart_tag(tag).ok())
        }
        Follows::Semver(range) => {
            highest(repository, range, repositories, |tag| Version::parse_tag(tag).ok())
        }
    }
}

/// The first tag of the highest version in range.
fn highest(
    repository: &Repository,
    range: &str,
    repositories: &Repositories,
    read: impl Fn(&str) -> Option<Version>,
) -> Option<String> {
    let range = Constraint::parse(range).ok()?;
    let mut best: Option<(Version, &str)> = None;
    for tag in repositories.layout(repository)?.tags() {
        let Some(version) = read(tag).filter(|version| range.matches(version)) else { continue };
        if best.as_ref().is_none_or(|(highest, _)| version > *highest) {
            best = Some((version, tag));
        }
    }
    best.map(|(_, tag)| tag.to_owned())
}

fn store(state: &mut State, source: &Source, pushed: &Pushed, now: &str) -> Said {
    let id = &source.meta.id;
    let revision = &pushed.revision;
    let (reason, message) = match &source.spec {
        SourceSpec::HelmChart { chart, .. } => {
            ("ChartPullSucceeded", format!("pulled '{chart}' chart with version '{revision}'"))
        }
        _ => ("Succeeded", format!("stored artifact for digest '{revision}'")),
    };
    let folder = if id.kind == Kind::HelmChart { "helmchart" } else { "ocirepository" };
    let path = format!("{folder}/{}/{}.tar.gz", id.path(), pushed.manifest.digest);
    let annotations: serde_json::Map<String, Value> =
        pushed.manifest.annotations.iter().map(|(name, text)| (name.to_string(), json!(text))).collect();
    let artifact = json!({
        "digest": pushed.layer().map(|layer| layer.digest.as_str()),
        "lastUpdateTime": now,
        "metadata": annotations,
        "path": path,
        "revision": revision,
        "size": pushed.layer().and_then(|layer| layer.size),
        "url": format!("http://source-controller.flux-system.svc.cluster.local./{path}"),
    });
    state.edit(id, |json| {
        json["status"]["artifact"] = artifact;
        succeed(json, "ArtifactInStorage", reason, &message, now);
        if source.verify().is_some() {
            let words = format!("verified signature of revision {revision}");
            set(json, "SourceVerified", "True", "Succeeded", &words, now);
        }
    });
    let from = match &source.spec {
        SourceSpec::Oci(spec) => format!("stored artifact with revision '{revision}' from '{}'", spec.url),
        _ => message,
    };
    let reason = if id.kind == Kind::HelmChart { reason } else { "NewArtifact" };
    Said { reason: reason.to_owned(), message: from, warning: false }
}

fn apply(state: &mut State, consumer: &Consumer, source: &Source, now: &str) -> Said {
    match consumer.kind() {
        Kind::HelmRelease => release(state, consumer, source, now),
        _ => kustomize(state, consumer, source, now),
    }
}

fn kustomize(state: &mut State, consumer: &Consumer, source: &Source, now: &str) -> Said {
    let revision = source.revision().map_or("", |revision| revision.as_str());
    let message = format!("Applied revision: {revision}");
    state.edit(&consumer.meta.id, |json| {
        let status = &mut json["status"];
        status["lastAppliedRevision"] = json!(revision);
        status["lastAttemptedRevision"] = json!(revision);
        remember(
            status,
            json!({
                "firstReconciled": now, "lastReconciled": now, "lastReconciledDuration": "900ms",
                "lastReconciledStatus": "ReconciliationSucceeded", "metadata": {"revision": revision},
                "totalReconciliations": 1,
            }),
        );
        unset(json, &["Healthy"]);
        succeed(json, "Ready", "ReconciliationSucceeded", &message, now);
    });
    let words = format!("Reconciliation finished in 900ms, next run in {}", consumer.interval);
    Said { reason: "ReconciliationSucceeded".to_owned(), message: words, warning: false }
}

fn release(state: &mut State, consumer: &Consumer, source: &Source, now: &str) -> Said {
    let id = &consumer.meta.id;
    let digest = source.revision().and_then(Revision::digest).map(Digest::as_str);
    let version = chart_version(source);
    let newest = consumer.applied.history.first();
    let number = newest.and_then(|release| release.version).unwrap_or_default() + 1;
    let chart = newest.and_then(|release| release.chart.as_deref()).unwrap_or(&id.name);
    let message =
        format!("Helm upgrade succeeded for release {}.v{number} with chart {chart}@{version}", id.path());
    let mut entry = json!({
        "action": "upgrade", "apiVersion": "v2", "chartName": chart, "chartVersion": version,
        "appVersion": version.split('+').next(), "firstDeployed": now, "lastDeployed": now,
        "name": &*id.name, "namespace": &*id.namespace, "status": "deployed", "version": number,
    });
    if let Some(digest) = digest {
        entry["ociDigest"] = json!(digest);
    }
    state.edit(id, |json| {
        let status = &mut json["status"];
        for old in status["history"].as_array_mut().into_iter().flatten() {
            if old["status"] == "deployed" {
                old["status"] = json!("superseded");
            }
        }
        remember(status, entry);
        status["lastAttemptedRevision"] = json!(version);
        if let Some(digest) = digest {
            status["lastAttemptedRevisionDigest"] = json!(digest);
        }
        succeed(json, "Released", "UpgradeSucceeded", &message, now);
    });
    Said { reason: "UpgradeSucceeded".to_owned(), message, warning: false }
}

/// The chart's version as helm-controller writes it: with the digest's beginning for metadata (`reference/flux.md` §3.2).
fn chart_version(source: &Source) -> String {
    let Some(revision) = source.revision() else { return String::new() };
    let Some(digest) = revision.digest() else { return revision.as_str().to_owned() };
    let tag = revision.tag().unwrap_or_default();
    let version = tag.split('_').next().unwrap_or_default().trim_start_matches('v');
    format!("{version}+{}", digest.hex().get(..12).unwrap_or_default())
}

/// Puts an entry in front of a history, which keeps five.
fn remember(status: &mut Value, entry: Value) {
    let mut entries = vec![entry];
    entries.extend(status["history"].as_array().into_iter().flatten().take(4).cloned());
    status["history"] = Value::Array(entries);
}

/// The request's token comes back, whatever becomes of the request.
fn echo(json: &mut Value) {
    if let Some(token) = json.pointer("/metadata/annotations/reconcile.fluxcd.io~1requestedAt").cloned() {
        json["status"]["lastHandledReconcileAt"] = token;
    }
}

/// Ready, and the condition that is its reason.
fn succeed(json: &mut Value, kind: &str, reason: &str, message: &str, now: &str) {
    unset(json, &["Reconciling", "ArtifactOutdated", "FetchFailed", "Stalled"]);
    for kind in ["Ready", kind] {
        set(json, kind, "True", reason, message, now);
    }
    json["status"]["observedGeneration"] = json["metadata"]["generation"].clone();
}

fn set(json: &mut Value, kind: &str, status: &str, reason: &str, message: &str, now: &str) {
    let generation = json["metadata"]["generation"].clone();
    let conditions = &mut json["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(list) = conditions.as_array_mut() else { return };
    let old = list.iter().position(|condition| condition["type"] == kind);
    let kept =
        old.filter(|&at| list[at]["status"] == status).map(|at| list[at]["lastTransitionTime"].clone());
    let condition = json!({
        "lastTransitionTime": kept.unwrap_or_else(|| json!(now)), "message": message,
        "observedGeneration": generation, "reason": reason, "status": status, "type": kind,
    });
    match old {
        Some(at) => list[at] = condition,
        None => list.push(condition),
    }
}

fn unset(json: &mut Value, kinds: &[&str]) {
    if let Some(list) = json["status"]["conditions"].as_array_mut() {
        list.retain(|condition| !kinds.iter().any(|kind| condition["type"] == *kind));
    }
}
