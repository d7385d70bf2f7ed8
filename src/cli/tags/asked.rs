//! Whose tags, and by which policy they are judged: a repository by its URL, or the source that takes from it.

use crate::{
    cli::{
        Ports,
        args::{ClusterArgs, TagsArgs},
        connect, namespace,
        subject::{Named, TagsOf},
    },
    domain::{
        fact::{Fact, Object},
        identity::ObjectId,
        policy::{Dialect, Policy},
        problem::{Cause, Problem},
        repository::Upstream,
        revision::Revision,
        source::{Follows, HELM_CHART_LAYER, OciSpec, Source, SourceSpec},
        world::World,
    },
    port::Cluster,
};

pub(super) struct Asked {
    pub(super) upstream: Upstream,
    pub(super) policy: Policy,
    pub(super) running: Option<Revision>,
}

impl Asked {
    pub(super) async fn of(args: &TagsArgs, place: &ClusterArgs, ports: &Ports) -> Result<Self, Problem> {
        match &args.of {
            TagsOf::Repository(repository) => {
                let upstream = Upstream { repository: repository.clone(), insecure: false };
                Ok(Self { upstream, policy: replaced(Policy::none(), None, args), running: None })
            }
            TagsOf::Object(named) => source(named, place, ports, args).await,
        }
    }
}

async fn source(
    named: &Named,
    place: &ClusterArgs,
    ports: &Ports,
    args: &TagsArgs,
) -> Result<Asked, Problem> {
    let cluster = connect(place, ports).await?;
    let id = ObjectId::new(named.kind, namespace(place, &*cluster), named.name.as_str());
    let wrong = |why: String| Problem::new(Cause::Invalid, format!("list the tags of {id}"), why);
    let world = read(&*cluster, &id).await?;
    let object = world.get(&id).ok_or_else(|| wrong("it could not be read".to_owned()))?;
    let source = object.as_source().ok_or_else(|| wrong("it is no source".to_owned()))?;
    let Some(upstream) = world.upstream(source) else {
        return Err(wrong(match &source.spec {
            SourceSpec::Oci(OciSpec { url, repository: Err(why), .. }) => {
                format!("spec.url {url} is not usable: {why}")
            }
            SourceSpec::HelmChart { .. } => "it does not take from a HelmRepository of type oci".to_owned(),
            SourceSpec::Oci(_)
            | SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => "it names no repository".to_owned(),
        }));
    };
    let own = Policy::of(source).unwrap_or_else(Policy::none);
    Ok(Asked { upstream, policy: replaced(own, Some(source), args), running: source.revision().cloned() })
}

/// The object, and what it takes from: a chart's repository is named by two objects.
async fn read(cluster: &dyn Cluster, id: &ObjectId) -> Result<World, Problem> {
    let mut world = World::default();
    let mut next = Some(id.clone());
    while let Some(id) = next.take() {
        let object = cluster.fetch(id).await?;
        next = match &*object {
            Object::Source(Source { spec: SourceSpec::HelmChart { source, .. }, .. }) => source.clone(),
            Object::Source(_) | Object::Consumer(_) => None,
        };
        world.observe(Fact::Changed(object));
    }
    Ok(world)
}

/// The flags stand in for the object's own values.
fn replaced(mut policy: Policy, source: Option<&Source>, args: &TagsArgs) -> Policy {
    if let Some(range) = &args.semver {
        policy.follows = Some(match (policy.dialect, range.as_str()) {
            (Dialect::Lenient | Dialect::HelmLayer, "") => without_range(policy.follows.take(), source),
            (Dialect::Lenient | Dialect::HelmLayer | Dialect::HelmChart, range) => {
                Follows::Semver(range.into())
            }
        });
    }
    if let Some(pattern) = &args.filter_regex {
        policy.filter = (!pattern.is_empty()).then(|| pattern.as_str().into());
    }
    if let Some(media_type) = &args.layer_media_type {
        policy.dialect = if media_type == HELM_CHART_LAYER { Dialect::HelmLayer } else { Dialect::Lenient };
    }
    policy
}

/// What Flux follows where `ref.semver` is empty: the digest or the tag beside it, else `latest`.
fn without_range(follows: Option<Follows>, source: Option<&Source>) -> Follows {
    match (follows, source.map(|source| &source.spec)) {
        (Some(Follows::Semver(_)), Some(SourceSpec::Oci(spec))) => {
            Follows::from_ref("", "", spec.ignored_tag.as_deref().unwrap_or_default())
        }
        (Some(own @ (Follows::Digest(_) | Follows::Tag(_))), _) => own,
        (Some(Follows::Semver(_) | Follows::Latest) | None, _) => Follows::Latest,
    }
}
