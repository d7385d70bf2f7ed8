//! A reference -> where the artifact is and with whose eyes it is seen. What an object runs is what *it* applied, never
//! what its source holds meanwhile.

use super::{At, Reference};
use crate::domain::{
    artifact::{Origin, Target},
    consumer::{Consumer, Release},
    digest::Digest,
    fact::Object,
    identity::{Kind, ObjectId},
    problem::{Cause, Problem},
    repository::{Repository, Upstream, is_tag},
    revision::Revision,
    source::{HELM_CHART_LAYER, LayerSelector, OciSpec, Source, SourceSpec},
    world::{Lookup, World},
};
use std::sync::Arc;

/// What to open, and what was taken for granted on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    pub target: Target,
    /// A sentence for a person, where the answer may differ from what was meant.
    pub note: Option<Box<str>>,
}

/// Why a reference is not resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// This object has to be read first: read it and ask again.
    Needs(ObjectId),
    Problem(Problem),
}

impl Reference {
    /// True if it names the same artifact in every cluster.
    pub const fn stands_alone(&self) -> bool {
        match self {
            Self::Registry { .. } | Self::Layout { .. } | Self::Archive(_) | Self::Directory(_) => true,
            Self::Running { .. } | Self::Candidate { .. } => false,
        }
    }

    /// Looks it up among the objects that are known, in this namespace.
    pub fn resolve(&self, world: &World, namespace: &str) -> Result<Resolved, Unresolved> {
        let origin = match self {
            Self::Registry { repository, at } => return Ok(in_registry(repository, at)),
            Self::Running { kind, name } => {
                return Search { world, id: ObjectId::new(*kind, namespace, &**name) }.running();
            }
            Self::Candidate { name, at } => {
                let id = ObjectId::new(Kind::OciRepository, namespace, &**name);
                return Search { world, id }.candidate(at);
            }
            Self::Layout { path, at } => {
                Origin::Layout { path: path.clone(), reference: at.wanted().map(Into::into) }
            }
            Self::Archive(path) => Origin::Archive(path.clone()),
            Self::Directory(path) => Origin::Directory(path.clone()),
        };
        Ok(seen_by_nobody(origin, None))
    }
}

/// Where the artifact is that a consumer ran at some time, by an entry of its history: in what it takes from today.
pub fn ran(world: &World, consumer: &Consumer, entry: &Release) -> Result<Resolved, Unresolved> {
    Search { world, id: consumer.meta.id.clone() }.ran(consumer, entry)
}

/// Where the artifact is that a source holds now.
pub fn held(world: &World, source: &Source) -> Result<Resolved, Unresolved> {
    Search { world, id: source.meta.id.clone() }.held(source)
}

fn seen_by_nobody(origin: Origin, note: Option<Box<str>>) -> Resolved {
    Resolved { target: Target { origin, selector: LayerSelector::default(), ignore: None }, note }
}

fn in_registry(repository: &Repository, at: &At) -> Resolved {
    let note = at.is_empty().then(|| "no tag is named: latest, which Flux takes without a ref".into());
    let upstream = Upstream { repository: repository.clone(), insecure: false };
    let reference = at.wanted().unwrap_or("latest").into();
    seen_by_nobody(Origin::Registry { upstream, reference }, note)
}

/// One object whose artifact is looked for.
struct Search<'a> {
    world: &'a World,
    id: ObjectId,
}

impl<'a> Search<'a> {
    fn running(&self) -> Result<Resolved, Unresolved> {
        match &**self.find(&self.id)? {
            Object::Source(source) => self.held(source),
            Object::Consumer(consumer) => self.applied(consumer),
        }
    }

    fn candidate(&self, at: &At) -> Result<Resolved, Unresolved> {
        let Object::Source(Source { spec: SourceSpec::Oci(spec), .. }) = &**self.find(&self.id)? else {
            return Err(self.wrong(Cause::Invalid, "it is no OCIRepository"));
        };
        self.of_repository(spec, at.wanted().unwrap_or_default())
    }

    fn find(&self, id: &ObjectId) -> Result<&'a Arc<Object>, Unresolved> {
        match self.world.lookup(id) {
            Lookup::Here(object) => Ok(object),
            Lookup::Unseen => Err(Unresolved::Needs(id.clone())),
            Lookup::Gone if *id == self.id => {
                let problem = self.problem(Cause::NotFound, "it does not exist");
                let list =
                    format!("fluxscope get {} -n {} lists what is there", id.kind.short(), id.namespace);
                Err(Unresolved::Problem(problem.with_hint(list)))
            }
            Lookup::Gone => {
                Err(self.wrong(Cause::NotFound, format!("it takes from {id}, which does not exist")))
            }
        }
    }

    fn problem(&self, cause: Cause, why: impl Into<String>) -> Problem {
        Problem::new(cause, format!("find the artifact of {}", self.id), why)
    }

    fn wrong(&self, cause: Cause, why: impl Into<String>) -> Unresolved {
        Unresolved::Problem(self.problem(cause, why))
    }

    fn nothing(&self, why: &str) -> Unresolved {
        let hint = match self.id.kind {
            Kind::OciRepository => format!("ocirepo/{}:TAG looks at one tag", self.id.name),
            _ => format!(
                "fluxscope get {}/{} -n {} says why",
                self.id.kind.short(),
                self.id.name,
                self.id.namespace
            ),
        };
        Unresolved::Problem(self.problem(Cause::NotFound, why).with_hint(hint))
    }

    /// What a source holds now.
    fn held(&self, source: &Source) -> Result<Resolved, Unresolved> {
        match &source.spec {
            SourceSpec::Oci(spec) => {
                // a URL that is no repository is why nothing is stored
                self.repository(spec)?;
                let revision = source.revision().ok_or_else(|| self.nothing("nothing is stored yet"))?;
                let digest = revision.digest().filter(|digest| digest.is_oci());
                let digest = digest.ok_or_else(|| self.odd(revision))?;
                self.of_repository(spec, digest.as_str())
            }
            SourceSpec::HelmChart { .. } => {
                let version = source.revision().ok_or_else(|| self.nothing("nothing is stored yet"))?;
                self.of_chart(source, version)
            }
            SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => Err(self.other(source)),
        }
    }

    /// What a consumer applied, from wherever it takes it.
    fn applied(&self, consumer: &Consumer) -> Result<Resolved, Unresolved> {
        let source = self.taken_from(consumer)?;
        match &source.spec {
            SourceSpec::Oci(spec) => {
                let digest = self.digest(consumer)?;
                let mut resolved = self.of_repository(spec, digest.as_str())?;
                resolved.note = meanwhile(source, digest);
                Ok(resolved)
            }
            SourceSpec::HelmChart { .. } => {
                let version = consumer.revision().ok_or_else(|| self.nothing("no release is deployed"))?;
                self.of_chart(source, version)
            }
            SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => Err(self.other(source)),
        }
    }

    /// What it applied at some time. A digest is looked up as it is; a chart without one by its version.
    fn ran(&self, consumer: &Consumer, entry: &Release) -> Result<Resolved, Unresolved> {
        let source = self.taken_from(consumer)?;
        let Some(revision) = &entry.revision else {
            return Err(self.wrong(Cause::Invalid, "Flux recorded no revision there"));
        };
        let digest = entry.digest.as_ref().or_else(|| {
            let attempted = consumer.applied.last_attempted.as_ref() == Some(revision);
            consumer.applied.last_attempted_digest.as_ref().filter(|_| attempted)
        });
        let digest = digest.filter(|digest| digest.is_oci());
        match &source.spec {
            SourceSpec::Oci(spec) => {
                self.of_repository(spec, digest.ok_or_else(|| self.odd(revision))?.as_str())
            }
            SourceSpec::HelmChart { chart, .. } => {
                let named = chart.rsplit('/').next().unwrap_or(chart);
                if let Some(other) = entry.chart.as_deref().filter(|other| *other != named) {
                    let why = format!("it was the chart {other}, and {} is {named} now", source.meta.id);
                    return Err(self.wrong(Cause::Invalid, why));
                }
                let mut resolved = self.of_chart(source, revision)?;
                if let (Some(digest), Origin::Registry { reference, .. }) =
                    (digest, &mut resolved.target.origin)
                {
                    *reference = digest.as_str().into();
                    resolved.note = None;
                }
                Ok(resolved)
            }
            SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => Err(self.other(source)),
        }
    }

    fn taken_from(&self, consumer: &Consumer) -> Result<&'a Source, Unresolved> {
        let id = consumer.source.as_ref();
        let id = id.ok_or_else(|| self.wrong(Cause::Invalid, "it names no source that could be read"))?;
        if matches!(id.kind, Kind::GitRepository | Kind::Bucket) {
            return Err(
                self.wrong(Cause::Refused, format!("it takes from {id}, which is in no OCI registry"))
            );
        }
        let source = self.find(id)?.as_source();
        source.ok_or_else(|| self.wrong(Cause::Invalid, format!("{id} is no source")))
    }

    /// Of what runs. Older helm-controllers keep the digest of the last attempt only: it counts if that is what runs.
    fn digest<'c>(&self, consumer: &'c Consumer) -> Result<&'c Digest, Unresolved> {
        let none = match consumer.kind() {
            Kind::HelmRelease => "no release is deployed",
            _ => "nothing was applied yet",
        };
        let revision = consumer.revision().ok_or_else(|| self.nothing(none))?;
        let attempted = consumer.applied.last_attempted.as_ref() == Some(revision);
        let digest = consumer
            .digest()
            .or_else(|| consumer.applied.last_attempted_digest.as_ref().filter(|_| attempted))
            .filter(|digest| digest.is_oci());
        digest.ok_or_else(|| self.odd(revision))
    }

    fn odd(&self, revision: &Revision) -> Unresolved {
        self.wrong(Cause::Invalid, format!("its revision {revision} holds no digest of an OCI artifact"))
    }

    fn repository(&self, spec: &OciSpec) -> Result<Repository, Unresolved> {
        spec.repository.clone().map_err(|error| {
            self.wrong(Cause::Invalid, format!("spec.url {} is not usable: {error}", spec.url))
        })
    }

    fn of_repository(&self, spec: &OciSpec, reference: &str) -> Result<Resolved, Unresolved> {
        let repository = self.repository(spec)?;
        let upstream = Upstream { repository, insecure: spec.insecure };
        let origin = Origin::Registry { upstream, reference: reference.into() };
        let target = Target { origin, selector: spec.layer.clone(), ignore: spec.ignore.clone() };
        Ok(Resolved { target, note: None })
    }

    /// A chart of a HelmRepository is kept by its version; helm-controller stores its layer as it is.
    fn of_chart(&self, chart: &Source, version: &Revision) -> Result<Resolved, Unresolved> {
        if let SourceSpec::HelmChart { source: Some(id), .. } = &chart.spec
            && !matches!(id.kind, Kind::GitRepository | Kind::Bucket)
        {
            self.find(id)?;
        }
        let upstream = self.world.upstream(chart).ok_or_else(|| self.other(chart))?;
        let tag = version.as_str().replace('+', "_");
        if !is_tag(&tag) {
            return Err(self.wrong(Cause::Invalid, format!("its version {version} is no tag of a registry")));
        }
        let note = format!(
            "{version} is looked up as the tag {tag}: a HelmChart keeps no digest, the tag may have moved"
        );
        let selector = LayerSelector { media_type: Some(HELM_CHART_LAYER.into()), copy: true };
        let origin = Origin::Registry { upstream, reference: tag.into() };
        Ok(Resolved { target: Target { origin, selector, ignore: None }, note: Some(note.into()) })
    }

    /// A source that is in no OCI registry.
    fn other(&self, source: &Source) -> Unresolved {
        let id = &source.meta.id;
        let takes = if *id == self.id { String::new() } else { format!("it takes from {id}: ") };
        let why = match &source.spec {
            SourceSpec::HelmChart { source: Some(of), .. } => {
                format!("{takes}the chart comes from {of}, which is no HelmRepository of type oci")
            }
            SourceSpec::HelmChart { source: None, .. } => format!("{takes}the chart names no repository"),
            SourceSpec::HelmRepository { .. } => {
                format!("{takes}a HelmRepository holds no artifact by itself")
            }
            SourceSpec::ExternalArtifact { .. } => {
                format!("{takes}it is made in the cluster and in no registry")
            }
            SourceSpec::Oci(_) | SourceSpec::Other { .. } => format!("{takes}it is in no OCI registry"),
        };
        self.wrong(Cause::Refused, why)
    }
}

fn meanwhile(source: &Source, runs: &Digest) -> Option<Box<str>> {
    let held = source.revision()?;
    let differs = held.digest().is_some_and(|digest| digest != runs);
    differs.then(|| {
        format!("{} holds {} meanwhile; this is what is applied", source.meta.id, held.short()).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fact::Fact,
        sample::{
            chart, digest, helm_repository, id, kustomization, release, release_of_chart, repository, world,
        },
    };

    fn resolved(world: &World, text: &str) -> Result<Resolved, Unresolved> {
        Reference::parse(text).unwrap().resolve(world, "shop")
    }

    fn place(world: &World, text: &str) -> (String, String) {
        match resolved(world, text).unwrap().target.origin {
            Origin::Registry { upstream, reference } => {
                (upstream.repository.to_string(), reference.to_string())
            }
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refused(world: &World, text: &str, words: &str) {
        match resolved(world, text) {
            Err(Unresolved::Problem(problem)) => {
                assert!(problem.to_string().contains(words), "{text}: {problem}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    fn source(object: &mut Object) -> &mut Source {
        match object {
            Object::Source(source) => source,
            Object::Consumer(_) => panic!("a source"),
        }
    }

    fn consumer(object: &mut Object) -> &mut Consumer {
        match object {
            Object::Consumer(consumer) => consumer,
            Object::Source(_) => panic!("a consumer"),
        }
    }

    #[test]
    fn a_registry_needs_no_world_and_latest_is_said() {
        let nothing = World::default();
        assert_eq!(place(&nothing, "oci://ghcr.io/a/b").1, "latest");
        let note = |text| resolved(&nothing, text).unwrap().note;
        assert!(note("oci://ghcr.io/a/b").unwrap().contains("latest"));
        assert_eq!(note("oci://ghcr.io/a/b:1"), None);
        assert!(matches!(resolved(&nothing, "./x").unwrap().target.origin, Origin::Directory(_)));
        assert!(matches!(
            resolved(&nothing, "oci-layout:x:1").unwrap().target.origin,
            Origin::Layout { reference: Some(tag), .. } if &*tag == "1"
        ));
    }

    #[test]
    fn a_repository_is_seen_with_its_own_eyes_at_what_it_holds_or_at_a_tag() {
        let mut object = repository("shop/app");
        if let SourceSpec::Oci(spec) = &mut source(&mut object).spec {
            spec.insecure = true;
            spec.ignore = Some("*.md".into());
            spec.layer.media_type = Some("x/y".into());
        }
        let world = world(vec![object]);
        for (text, reference) in [("ocirepo/app", digest('a')), ("ocirepo/app:2.0.0", "2.0.0".to_owned())] {
            let Target { origin, selector, ignore } = resolved(&world, text).unwrap().target;
            let Origin::Registry { upstream, reference: named } = origin else { panic!("a registry") };
            assert_eq!((&*named, upstream.insecure), (reference.as_str(), true));
            assert_eq!((selector.media_type.as_deref(), ignore.as_deref()), (Some("x/y"), Some("*.md")));
        }
    }

    #[test]
    fn a_consumer_is_what_it_applied_and_not_what_its_source_holds_meanwhile() {
        let mut object = repository("shop/app");
        let newer = Revision::parse(&format!("2.0.0@{}", digest('b')));
        source(&mut object).artifact.as_mut().unwrap().revision = newer;
        let world = world(vec![object, kustomization("shop/k", "shop/app"), release("shop/r", "shop/app")]);
        for text in ["ks/k", "hr/r"] {
            assert_eq!(place(&world, text), ("ghcr.io/shop/app".to_owned(), digest('a')));
            let note = resolved(&world, text).unwrap().note.unwrap();
            assert!(note.contains("holds 2.0.0@bbbbbbbb meanwhile"), "{note}");
        }
        assert_eq!(place(&world, "ocirepo/app").1, digest('b'));
    }

    #[test]
    fn a_release_of_an_older_controller_is_known_by_its_attempt_if_that_is_what_runs() {
        let mut object = release("shop/r", "shop/app");
        consumer(&mut object).applied.history[0].digest = None;
        assert_eq!(place(&world(vec![repository("shop/app"), object.clone()]), "hr/r").1, digest('a'));
        consumer(&mut object).applied.last_attempted = Revision::parse("2.0.0");
        refused(&world(vec![repository("shop/app"), object]), "hr/r", "its revision 1.0.0 holds no digest");
    }

    #[test]
    fn a_chart_is_looked_up_by_its_version_below_its_repository() {
        let mut held = chart("shop/c", "shop/charts");
        source(&mut held).artifact.as_mut().unwrap().revision = Revision::parse("1.0.0+x.1");
        let world = world(vec![held, helm_repository("shop/charts"), release_of_chart("shop/r", "shop/c")]);
        assert_eq!(place(&world, "hc/c"), ("ghcr.io/charts/app".to_owned(), "1.0.0_x.1".to_owned()));
        assert_eq!(place(&world, "hr/r"), ("ghcr.io/charts/app".to_owned(), "1.0.0".to_owned()));
        let resolved = resolved(&world, "hr/r").unwrap();
        assert!(resolved.target.selector.is_helm() && resolved.note.unwrap().contains("may have moved"));
    }

    #[test]
    fn what_has_to_be_read_first_is_asked_for_one_by_one() {
        let needs = |world: &World| match resolved(world, "hr/r") {
            Err(Unresolved::Needs(id)) => id.to_string(),
            other => panic!("{other:?}"),
        };
        let mut known = vec![];
        assert_eq!(needs(&world(known.clone())), "hr shop/r");
        known.push(release_of_chart("shop/r", "infra/c"));
        assert_eq!(needs(&world(known.clone())), "hc infra/c");
        known.push(chart("infra/c", "infra/charts"));
        assert_eq!(needs(&world(known)), "helmrepo infra/charts");
    }

    #[test]
    fn what_is_in_no_registry_is_a_sentence() {
        let mut bare = repository("shop/bare");
        source(&mut bare).artifact = None;
        let mut old = repository("shop/old");
        source(&mut old).artifact.as_mut().unwrap().revision = Revision::parse("latest");
        let mut broken = repository("shop/broken");
        if let SourceSpec::Oci(spec) = &mut source(&mut broken).spec {
            spec.repository = Repository::parse_url("https://x");
        }
        source(&mut broken).artifact = None;
        let mut git = kustomization("shop/git", "shop/app");
        consumer(&mut git).source = Some(id(Kind::GitRepository, "shop/git"));
        let mut fresh = kustomization("shop/fresh", "shop/app");
        consumer(&mut fresh).applied.last_applied = None;
        let mut never = release("shop/never", "shop/app");
        consumer(&mut never).applied.history.clear();
        let mut made = repository("shop/made");
        source(&mut made).spec = SourceSpec::ExternalArtifact { generator: None };
        let http = {
            let mut http = helm_repository("shop/http");
            source(&mut http).spec =
                SourceSpec::HelmRepository { url: "https://x".into(), oci: false, insecure: false };
            http
        };
        let orphan = kustomization("shop/orphan", "shop/gone");
        let charts = vec![http, chart("shop/c", "shop/http"), release_of_chart("shop/r", "shop/c")];
        let objects = vec![
            repository("shop/app"),
            bare,
            old,
            broken,
            git,
            fresh,
            never,
            made,
            orphan,
            kustomization("shop/m", "shop/made"),
        ];
        let mut world = world(objects.into_iter().chain(charts).collect());
        for gone in [id(Kind::OciRepository, "shop/gone"), id(Kind::Kustomization, "shop/none")] {
            world.observe(Fact::Gone(gone));
        }
        refused(&world, "ocirepo/bare", "nothing is stored yet (ocirepo/bare:TAG looks at one tag)");
        refused(&world, "ocirepo/old", "its revision latest holds no digest");
        refused(&world, "ocirepo/broken", "spec.url oci://ghcr.io/shop/broken is not usable");
        refused(&world, "ks/git", "it takes from gitrepo shop/git, which is in no OCI registry");
        refused(&world, "ks/fresh", "nothing was applied yet (fluxscope get ks/fresh -n shop says why)");
        refused(&world, "hr/never", "no release is deployed");
        refused(
            &world,
            "ks/m",
            "it takes from ocirepo shop/made: it is made in the cluster and in no registry",
        );
        refused(&world, "ks/orphan", "it takes from ocirepo shop/gone, which does not exist");
        refused(&world, "ks/none", "it does not exist (fluxscope get ks -n shop");
        refused(&world, "hc/c", "helmrepo shop/http, which is no HelmRepository of type oci");
        refused(&world, "hr/r", "it takes from hc shop/c: the chart comes from helmrepo shop/http");
    }
}
