//! Objects for tests: the smallest that say something. Compiled for tests only.

use super::{
    Timestamp,
    condition::{Condition, ConditionStatus, Status},
    consumer::{Applied, Consumer, Release},
    fact::{Fact, FeedId, Object},
    identity::{Kind, Meta, ObjectId},
    repository::Repository,
    revision::Revision,
    source::{Follows, LayerSelector, OciSpec, Source, SourceSpec, StoredArtifact},
    world::World,
};
use std::{collections::BTreeMap, sync::Arc};

/// `a` repeated: a digest that is easy to read in a failure.
pub(crate) fn digest(c: char) -> String {
    format!("sha256:{}", String::from(c).repeat(64))
}

/// Nothing was asked; these are known.
pub(crate) fn world(objects: Vec<Object>) -> World {
    told(World::default(), objects)
}

/// Every kind was listed, and these are all there are.
pub(crate) fn listed(objects: Vec<Object>) -> World {
    let mut world = World::default();
    for kind in Kind::WATCHED {
        let feed = FeedId { kind, namespace: None };
        world.observe(Fact::Listed { feed, objects: Vec::new(), at: Timestamp::UNIX_EPOCH });
    }
    told(world, objects)
}

fn told(mut world: World, objects: Vec<Object>) -> World {
    for object in objects {
        world.observe(Fact::Changed(Arc::new(object)));
    }
    world
}

pub(crate) fn id(kind: Kind, path: &str) -> ObjectId {
    let (namespace, name) = path.split_once('/').unwrap();
    ObjectId::new(kind, namespace, name)
}

pub(crate) fn condition(kind: &str, status: ConditionStatus, message: &str) -> Condition {
    let reason = if status == ConditionStatus::True { "Succeeded" } else { "Failed" };
    Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: message.into(),
        observed_generation: Some(1),
        since: None,
    }
}

fn ready() -> Status {
    Status {
        conditions: vec![condition("Ready", ConditionStatus::True, "fine")],
        observed_generation: Some(1),
        last_handled_reconcile_at: None,
    }
}

fn meta(kind: Kind, path: &str) -> Meta {
    Meta { generation: Some(1), ..Meta::new(id(kind, path)) }
}

fn source(kind: Kind, path: &str, spec: SourceSpec) -> Object {
    let artifact = StoredArtifact {
        revision: Revision::parse(&format!("1.0.0@{}", digest('a'))),
        digest: None,
        size: None,
        stored: None,
        url: "".into(),
        annotations: BTreeMap::new(),
    };
    Object::Source(Source {
        meta: meta(kind, path),
        suspended: false,
        spec,
        artifact: Some(artifact),
        status: ready(),
        oddities: Vec::new(),
    })
}

/// A ready OCIRepository that holds `1.0.0@aaaa…`.
pub(crate) fn repository(path: &str) -> Object {
    let url = format!("oci://ghcr.io/{path}");
    let spec = OciSpec {
        repository: Repository::parse_url(&url),
        url: url.into(),
        follows: Follows::Tag("1.0.0".into()),
        ignored_tag: None,
        semver_filter: None,
        layer: LayerSelector::default(),
        provider: "generic".into(),
        secret: None,
        service_account: None,
        cert_secret: None,
        proxy_secret: None,
        insecure: false,
        verify: None,
        ignore: None,
        interval: "10m".into(),
        timeout: None,
    };
    source(Kind::OciRepository, path, SourceSpec::Oci(spec))
}

pub(crate) fn helm_repository(path: &str) -> Object {
    let spec = SourceSpec::HelmRepository { url: "oci://ghcr.io/charts".into(), oci: true, insecure: false };
    source(Kind::HelmRepository, path, spec)
}

pub(crate) fn chart(path: &str, of: &str) -> Object {
    let of = id(Kind::HelmRepository, of);
    let spec =
        SourceSpec::HelmChart { chart: "app".into(), version: "*".into(), source: Some(of), verify: None };
    let mut chart = source(Kind::HelmChart, path, spec);
    if let Object::Source(Source { artifact: Some(artifact), .. }) = &mut chart {
        artifact.revision = Revision::parse("1.0.0");
    }
    chart
}

fn consumer(kind: Kind, path: &str, source: ObjectId, applied: Applied) -> Object {
    Object::Consumer(Consumer {
        meta: meta(kind, path),
        suspended: false,
        source: Some(source),
        chart_source: None,
        path: None,
        chart: None,
        depends_on: Vec::new(),
        interval: "10m".into(),
        target_namespace: None,
        remote: false,
        prune: None,
        applied,
        inventory: Vec::new(),
        status: ready(),
        oddities: Vec::new(),
    })
}

/// A ready Kustomization that applied what [`repository`] holds.
pub(crate) fn kustomization(path: &str, of: &str) -> Object {
    let last_applied = Revision::parse(&format!("1.0.0@{}", digest('a')));
    let applied = Applied { last_attempted: last_applied.clone(), last_applied, ..Applied::default() };
    consumer(Kind::Kustomization, path, id(Kind::OciRepository, of), applied)
}

fn released(digest: Option<&str>) -> Applied {
    let digest = digest.and_then(|text| text.parse().ok());
    let release = Release {
        version: Some(1),
        status: "deployed".into(),
        revision: Revision::parse("1.0.0"),
        chart: Some("app".into()),
        digest: digest.clone(),
        ..Release::default()
    };
    Applied {
        last_attempted: Revision::parse("1.0.0"),
        last_attempted_digest: digest,
        history: vec![release],
        ..Applied::default()
    }
}

/// A ready HelmRelease by `chartRef` that runs what [`repository`] holds.
pub(crate) fn release(path: &str, of: &str) -> Object {
    consumer(Kind::HelmRelease, path, id(Kind::OciRepository, of), released(Some(&digest('a'))))
}

/// A ready HelmRelease by `spec.chart` that runs what [`chart`] holds.
pub(crate) fn release_of_chart(path: &str, of: &str) -> Object {
    consumer(Kind::HelmRelease, path, id(Kind::HelmChart, of), released(None))
}
