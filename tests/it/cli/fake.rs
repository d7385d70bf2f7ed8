//! Both ports in memory, and the objects that fill them. Nothing here opens a socket or waits in real time.

use super::sealed::Sealed;
use bytes::Bytes;
use fluxscope::{
    domain::{
        Timestamp,
        action::Patch,
        artifact::{Artifact, Descriptor, Manifest, Referrers, TagPage, Target},
        condition::{Condition, ConditionStatus, Status},
        consumer::{Applied, Consumer, Release},
        digest::Digest,
        event::Event,
        fact::{Fact, FeedId, Object, Scope},
        identity::{About, Kind, Meta, ObjectId},
        lens::{Config, ConfigRef},
        problem::{Cause, Problem},
        repository::{Repository, Upstream},
        revision::Revision,
        source::{Follows, LayerSelector, OciSpec, Source, SourceSpec, StoredArtifact},
    },
    port::{Artifacts, CacheInfo, Cluster, Gateway, NoTools, Opening, Ports, Registry},
};
use futures::{
    FutureExt, StreamExt,
    future::{self, BoxFuture},
    stream::{self, BoxStream},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

pub(crate) fn digest(c: char) -> String {
    format!("sha256:{}", String::from(c).repeat(64))
}

pub(crate) fn id(kind: Kind, path: &str) -> ObjectId {
    let (namespace, name) = path.split_once('/').unwrap();
    ObjectId::new(kind, namespace, name)
}

fn status(ready: ConditionStatus, reason: &str, message: &str) -> Status {
    let condition = Condition {
        kind: "Ready".into(),
        status: ready,
        reason: reason.into(),
        message: message.into(),
        observed_generation: Some(1),
        since: None,
    };
    Status { conditions: vec![condition], observed_generation: Some(1), last_handled_reconcile_at: None }
}

fn meta(kind: Kind, path: &str) -> Meta {
    Meta { generation: Some(1), ..Meta::new(id(kind, path)) }
}

fn source(kind: Kind, path: &str, spec: SourceSpec, revision: &str) -> Object {
    let artifact = StoredArtifact {
        revision: Revision::parse(revision),
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
        status: status(ConditionStatus::True, "Succeeded", "stored artifact"),
        oddities: Vec::new(),
    })
}

/// A ready OCIRepository of `registry.test/<path>` that holds `1.0.0@aaaa…`.
pub(crate) fn repository(path: &str, follows: Follows) -> Object {
    let url = format!("oci://registry.test/{path}");
    let spec = OciSpec {
        repository: Repository::parse_url(&url),
        url: url.into(),
        follows,
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
    source(Kind::OciRepository, path, SourceSpec::Oci(spec), &format!("1.0.0@{}", digest('a')))
}

pub(crate) fn helm_repository(path: &str, oci: bool) -> Object {
    let spec = SourceSpec::HelmRepository { url: "oci://registry.test/charts".into(), oci, insecure: false };
    source(Kind::HelmRepository, path, spec, "")
}

pub(crate) fn chart(path: &str, of: &str) -> Object {
    let of = Some(id(Kind::HelmRepository, of));
    let spec = SourceSpec::HelmChart { chart: "app".into(), version: "*".into(), source: of, verify: None };
    source(Kind::HelmChart, path, spec, "1.0.0")
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
        status: status(ConditionStatus::True, "ReconciliationSucceeded", "Applied revision"),
        oddities: Vec::new(),
    })
}

/// A ready Kustomization that applied what [`repository`] holds.
pub(crate) fn kustomization(path: &str, of: ObjectId) -> Object {
    let last_applied = Revision::parse(&format!("1.0.0@{}", digest('a')));
    consumer(Kind::Kustomization, path, of, Applied { last_applied, ..Applied::default() })
}

/// A ready HelmRelease that runs what [`repository`] holds.
pub(crate) fn release(path: &str, of: ObjectId) -> Object {
    let held = Digest::parse(&digest('a')).ok();
    let release = |status: &str, version: &str| Release {
        version: Some(1),
        status: status.into(),
        revision: Revision::parse(version),
        digest: held.clone(),
        ..Release::default()
    };
    let applied = Applied {
        last_attempted: Revision::parse("1.0.0"),
        last_attempted_digest: held.clone(),
        history: vec![release("failed", "1.0.1"), release("deployed", "1.0.0+aaaaaaaaaaaa")],
        ..Applied::default()
    };
    consumer(Kind::HelmRelease, path, of, applied)
}

pub(crate) trait Changed: Sized {
    fn with_status(self, ready: ConditionStatus, reason: &str, message: &str) -> Self;
    fn suspended(self) -> Self;
    fn labelled(self, key: &str, value: &str) -> Self;
    fn holding(self, revision: &str) -> Self;
}

impl Changed for Object {
    fn with_status(mut self, ready: ConditionStatus, reason: &str, message: &str) -> Self {
        *status_of(&mut self) = status(ready, reason, message);
        self
    }

    fn suspended(mut self) -> Self {
        match &mut self {
            Self::Source(source) => source.suspended = true,
            Self::Consumer(consumer) => consumer.suspended = true,
        }
        self
    }

    fn labelled(mut self, key: &str, value: &str) -> Self {
        let meta = match &mut self {
            Self::Source(source) => &mut source.meta,
            Self::Consumer(consumer) => &mut consumer.meta,
        };
        meta.labels.insert(key.into(), value.into());
        self
    }

    fn holding(mut self, revision: &str) -> Self {
        match &mut self {
            Self::Source(Source { artifact: Some(artifact), .. }) => {
                artifact.revision = Revision::parse(revision);
            }
            Self::Source(_) => {}
            Self::Consumer(consumer) => consumer.applied.last_applied = Revision::parse(revision),
        }
        self
    }
}

fn status_of(object: &mut Object) -> &mut Status {
    match object {
        Object::Source(source) => &mut source.status,
        Object::Consumer(consumer) => &mut consumer.status,
    }
}

/// What a controller does when it is asked to reconcile.
#[derive(Clone)]
pub(crate) enum Reaction {
    /// Becomes this object, with the token echoed.
    Becomes(Box<Object>),
    Silent,
    Lost(Problem),
}

/// A cluster with these objects; what is not there is not found, what is refused is refused.
#[derive(Default)]
pub(crate) struct Fake {
    pub(crate) objects: Mutex<HashMap<ObjectId, Arc<Object>>>,
    /// Kinds that may not be listed, and why.
    pub(crate) refused: HashMap<Kind, Problem>,
    pub(crate) missing: Vec<Kind>,
    /// Kinds of which nothing is told at all.
    pub(crate) silent: Vec<Kind>,
    /// Further facts of a list.
    pub(crate) facts: Vec<Fact>,
    /// Objects that cannot be got one by one.
    pub(crate) unreadable: HashMap<ObjectId, Problem>,
    /// What a watch tells after the lists, one batch a second.
    pub(crate) later: Vec<Vec<Fact>>,
    pub(crate) reactions: HashMap<ObjectId, Reaction>,
    pub(crate) patches: Mutex<Vec<Patch>>,
    pub(crate) denied: Option<Problem>,
    pub(crate) offline: Option<Problem>,
    pub(crate) tags: HashMap<String, Vec<Result<TagPage, Problem>>>,
    pub(crate) heads: HashMap<String, Result<Descriptor, Problem>>,
    /// When the manifests behind some tags were made.
    pub(crate) created: HashMap<String, String>,
    /// Repositories whose tags take their time.
    pub(crate) slow: HashMap<String, Duration>,
    /// The lists never end.
    pub(crate) endless: bool,
    pub(crate) asked: Mutex<Vec<String>>,
    /// What was asked by tag: `repository:tag`.
    pub(crate) headed: Mutex<Vec<String>>,
    /// Whose manifest was asked for.
    pub(crate) described: Mutex<Vec<String>>,
    pub(crate) fetched: Mutex<Vec<ObjectId>>,
    /// Objects as the API server prints them.
    pub(crate) raws: HashMap<ObjectId, serde_json::Value>,
    /// What ConfigMaps and Secrets hold; the others are not there.
    pub(crate) configs: HashMap<ConfigRef, Result<Config, Problem>>,
    pub(crate) configs_asked: Mutex<Vec<ConfigRef>>,
    /// What is found wherever an artifact is looked for, and its layers.
    pub(crate) sealed: Sealed,
    pub(crate) targets: Mutex<Vec<Target>>,
}

/// The handle that both ports are made of.
#[derive(Clone)]
pub(crate) struct Handle(pub(crate) Arc<Fake>);

impl Fake {
    pub(crate) fn of(objects: impl IntoIterator<Item = Object>) -> Self {
        let objects = objects.into_iter().map(|object| (object.id().clone(), Arc::new(object))).collect();
        Self { objects: Mutex::new(objects), ..Self::default() }
    }

    fn lists(&self, scope: &Scope) -> Vec<Vec<Fact>> {
        let namespace = match scope {
            Scope::AllNamespaces => None,
            Scope::Namespace(namespace) => Some(namespace.clone()),
        };
        let mut batches: Vec<Vec<Fact>> = Kind::WATCHED
            .into_iter()
            .filter(|kind| !self.silent.contains(kind))
            .map(|kind| {
                let feed = FeedId { kind, namespace: namespace.clone() };
                vec![match self.refused.get(&kind) {
                    Some(problem) => Fact::Refused { feed, problem: problem.clone() },
                    None if self.missing.contains(&kind) => Fact::NotInstalled(feed),
                    None => {
                        let all = self.objects.lock().unwrap();
                        let mine = |id: &ObjectId| id.kind == kind && scope.contains(&id.namespace);
                        let objects = all.values().filter(|o| mine(o.id())).cloned().collect();
                        Fact::Listed { feed, objects, at: Timestamp::UNIX_EPOCH }
                    }
                }]
            })
            .collect();
        batches.push(self.facts.clone());
        batches
    }
}

fn not_found(id: &ObjectId) -> Problem {
    Problem::new(Cause::NotFound, format!("get {id}"), "not found")
}

impl Cluster for Handle {
    fn watch(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>> {
        let later = stream::iter(self.0.later.clone());
        let second = || tokio::time::sleep(Duration::from_secs(1));
        stream::iter(self.0.lists(&scope))
            .chain(later.then(move |facts| async move {
                second().await;
                facts
            }))
            .chain(stream::once(second()).filter_map(|()| future::ready(None)))
            .boxed()
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>> {
        let lists = stream::iter(self.0.lists(&scope));
        if self.0.endless { lists.chain(stream::pending()).boxed() } else { lists.boxed() }
    }

    fn fetch(&self, id: ObjectId) -> BoxFuture<'static, Result<Arc<Object>, Problem>> {
        self.0.fetched.lock().unwrap().push(id.clone());
        let answer = match self.0.unreadable.get(&id) {
            Some(problem) => Err(problem.clone()),
            None => self.0.objects.lock().unwrap().get(&id).cloned().ok_or_else(|| not_found(&id)),
        };
        future::ready(answer).boxed()
    }

    fn raw(&self, id: ObjectId) -> BoxFuture<'static, Result<serde_json::Value, Problem>> {
        future::ready(self.0.raws.get(&id).cloned().ok_or_else(|| not_found(&id))).boxed()
    }

    fn follow(&self, id: ObjectId) -> BoxStream<'static, Result<Arc<Object>, Problem>> {
        let fake = self.0.clone();
        let now = stream::once(self.fetch(id.clone()));
        let token = fake.patches.lock().unwrap().iter().rev().find(|patch| patch.object == id).map(|patch| {
            patch.body["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"]
                .as_str()
                .unwrap()
                .to_owned()
        });
        let then = match (token, fake.reactions.get(&id).cloned()) {
            (Some(token), Some(Reaction::Becomes(mut object))) => {
                status_of(&mut object).last_handled_reconcile_at = Some(token.into());
                let object = Arc::new(*object);
                fake.objects.lock().unwrap().insert(id, object.clone());
                stream::once(future::ready(Ok(object))).boxed()
            }
            (Some(_), Some(Reaction::Lost(problem))) => stream::once(future::ready(Err(problem))).boxed(),
            (_, Some(Reaction::Becomes(_) | Reaction::Silent | Reaction::Lost(_)) | None) => {
                stream::pending().boxed()
            }
        };
        now.chain(then).boxed()
    }

    fn events(&self, _: ObjectId) -> BoxStream<'static, Result<Vec<Event>, Problem>> {
        stream::pending().boxed()
    }

    fn patch(&self, patch: Patch) -> BoxFuture<'static, Result<(), Problem>> {
        self.0.patches.lock().unwrap().push(patch);
        future::ready(self.0.denied.clone().map_or(Ok(()), Err)).boxed()
    }

    fn config(&self, config: ConfigRef) -> BoxFuture<'static, Result<Config, Problem>> {
        let problem = Problem::new(Cause::NotFound, format!("read {config}"), "404 Not Found");
        self.0.configs_asked.lock().unwrap().push(config.clone());
        future::ready(self.0.configs.get(&config).cloned().unwrap_or(Err(problem))).boxed()
    }

    fn namespaces(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
        future::ready(Ok(Vec::new())).boxed()
    }

    fn about(&self) -> About {
        About { context: "test".into(), namespace: "shop".into(), server: "https://test".into() }
    }
}

impl Gateway for Handle {
    fn contexts(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
        future::ready(Ok(vec!["test".into()])).boxed()
    }

    fn connect(&self, _: Option<String>) -> BoxFuture<'static, Result<Arc<dyn Cluster>, Problem>> {
        let answer = match &self.0.offline {
            Some(problem) => Err(problem.clone()),
            None => Ok(Arc::new(self.clone()) as Arc<dyn Cluster>),
        };
        future::ready(answer).boxed()
    }
}

impl Registry for Handle {
    fn tags(&self, upstream: Upstream) -> BoxStream<'static, Result<TagPage, Problem>> {
        let name = upstream.repository.to_string();
        self.0.asked.lock().unwrap().push(name.clone());
        let unknown = || {
            let problem = Problem::new(Cause::NotFound, format!("list tags of {name}"), "404 NAME_UNKNOWN");
            vec![Err(problem)]
        };
        let pages = stream::iter(self.0.tags.get(&name).cloned().unwrap_or_else(unknown));
        match self.0.slow.get(&name).copied() {
            None => pages.boxed(),
            Some(time) => stream::once(tokio::time::sleep(time)).flat_map(move |()| pages.clone()).boxed(),
        }
    }

    fn head(&self, upstream: Upstream, reference: String) -> BoxFuture<'static, Result<Descriptor, Problem>> {
        self.0.headed.lock().unwrap().push(format!("{}:{reference}", upstream.repository));
        let missing = || Err(Problem::new(Cause::NotFound, "head", "404 MANIFEST_UNKNOWN"));
        future::ready(self.0.heads.get(&reference).cloned().unwrap_or_else(missing)).boxed()
    }

    /// Of what has a head.
    fn manifest(
        &self,
        upstream: Upstream,
        reference: String,
    ) -> BoxFuture<'static, Result<Manifest, Problem>> {
        self.0.described.lock().unwrap().push(format!("{}:{reference}", upstream.repository));
        let missing = || Err(Problem::new(Cause::NotFound, "manifest", "404 MANIFEST_UNKNOWN"));
        let head = self.0.heads.get(&reference).cloned().unwrap_or_else(missing);
        let created = self.0.created.get(&reference).map(|time| time.as_str().into());
        future::ready(head.map(|head| Manifest {
            digest: head.digest,
            media_type: head.media_type,
            size: 2,
            config: None,
            layers: Vec::new(),
            children: Vec::new(),
            annotations:
                created.into_iter().map(|time| ("org.opencontainers.image.created".into(), time)).collect(),
        }))
        .boxed()
    }

    fn blob(&self, _: Upstream, _: Descriptor) -> BoxStream<'static, Result<Bytes, Problem>> {
        stream::iter([Err(missing("blob"))]).boxed()
    }

    fn referrers(&self, _: Upstream, _: Digest) -> BoxFuture<'static, Result<Referrers, Problem>> {
        future::ready(Err(missing("referrers"))).boxed()
    }
}

impl Artifacts for Handle {
    fn inspect(&self, target: Target) -> BoxFuture<'static, Result<Artifact, Problem>> {
        self.0.targets.lock().unwrap().push(target.clone());
        future::ready(self.0.sealed.artifact.clone().map(|artifact| Artifact { target, ..artifact })).boxed()
    }

    fn referrers(&self, _: &Artifact) -> BoxFuture<'static, Result<Referrers, Problem>> {
        future::ready(self.0.sealed.referrers.clone()).boxed()
    }

    fn open(&self, _: &Artifact, layer: usize) -> BoxStream<'static, Result<Opening, Problem>> {
        stream::iter(self.0.sealed.layers.get(&layer).cloned().unwrap_or_default()).boxed()
    }

    fn cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        future::ready(self.0.sealed.cache.lock().unwrap().clone()).boxed()
    }

    fn clear_cache(&self) -> BoxFuture<'static, Result<CacheInfo, Problem>> {
        let mut cache = self.0.sealed.cache.lock().unwrap();
        let before = cache.clone();
        if let Ok(info) = &mut *cache {
            (info.bytes, info.blobs) = (0, 0);
        }
        future::ready(before).boxed()
    }
}

fn missing(what: &str) -> Problem {
    Problem::new(Cause::NotFound, what, "404")
}

impl Handle {
    pub(crate) fn ports(&self) -> Ports {
        let one = Arc::new(self.clone());
        Ports { gateway: one.clone(), registry: one.clone(), artifacts: one, renderer: Arc::new(NoTools) }
    }
}

pub(crate) fn page(tags: &[&str], invalid: &[&str], requests: u32, more: bool) -> TagPage {
    TagPage {
        tags: tags.iter().map(|tag| Arc::from(*tag)).collect(),
        invalid: invalid.iter().map(ToString::to_string).collect(),
        requests,
        more,
        cut: None,
        asked_with: "nobody (anonymous)".into(),
    }
}

pub(crate) fn head(c: char) -> Descriptor {
    Descriptor {
        digest: Digest::parse(&digest(c)).unwrap(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size: None,
        annotations: BTreeMap::new(),
    }
}
