//! Effect -> task -> message. The only file that starts tasks; one task per subject, a newer one replaces it.
//! A task that was replaced or stopped is not heard any more, and one that breaks still answers.

use super::artifacts::{self, Held};
use crate::{
    app::{
        effect::{Effect, Whole},
        message::Message,
        page::{self, PageId},
        shelf::{
            artifacts::{FileId, LayerId, News},
            comparisons::{self, Received},
        },
    },
    domain::{
        Timestamp,
        action::{Plan, Step, What},
        artifact::{Artifact, Target},
        comparison::Question,
        fact::Scope,
        identity::ObjectId,
        problem::{Cause, Problem, chain},
        repository::Upstream,
        secret,
    },
    port::{self, Cluster, Comparing, Ports, Sides, carry_out},
};
use futures::{FutureExt, StreamExt};
use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
    task::AbortHandle,
    time::sleep,
};

/// How long an action is followed.
const ACTION_TIMEOUT: Duration = Duration::from_secs(300);

/// A watch that broke is begun anew after this time.
const PAUSE: Duration = Duration::from_secs(5);

/// Why a panicked task does not answer.
const BROKEN: &str = "this part of fluxscope broke; its log says where";

/// What a task is about. A second task about the same subject replaces the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    Contexts,
    Connection,
    Watch,
    Tags(Upstream),
    Head(Upstream, String),
    Inspection(Target),
    Referrers(Target),
    Layer(LayerId),
    File(FileId),
    Objects(LayerId),
    /// One search at a time in a layer.
    Search(LayerId, Box<str>),
    Comparison(Box<Question>),
    /// One page at a time.
    Page(PageId),
    Details(Upstream, String),
    Events(ObjectId),
    Raw(ObjectId),
    Object(ObjectId),
    Namespaces,
    Action(ObjectId),
    Telling,
}

impl Subject {
    /// Ends with the cluster it asks.
    fn belongs_to_cluster(&self) -> bool {
        match self {
            Self::Connection
            | Self::Watch
            | Self::Events(_)
            | Self::Raw(_)
            | Self::Object(_)
            | Self::Namespaces
            | Self::Action(_) => true,
            // a consumer is read in the cluster
            Self::Comparison(question) => question.consumer.is_some(),
            Self::Contexts
            | Self::Tags(_)
            | Self::Head(..)
            | Self::Details(..)
            | Self::Inspection(_)
            | Self::Referrers(_)
            | Self::Layer(_)
            | Self::File(_)
            | Self::Objects(_)
            | Self::Search(..)
            | Self::Page(_)
            | Self::Telling => false,
        }
    }
}

/// What is answered for a task that cannot answer itself. Nothing that waits may wait for ever.
fn lost(subject: &Subject, why: &str) -> Vec<Message> {
    let problem = |what: String| Problem::new(Cause::Other, what, why);
    match subject {
        Subject::Contexts => vec![Message::Contexts(Err(problem("read the kubeconfig".to_owned())))],
        Subject::Connection => vec![Message::Connected(Err(problem("connect to the cluster".to_owned())))],
        Subject::Watch => vec![Message::WatchBroke(problem("watch the cluster".to_owned()))],
        Subject::Tags(upstream) => {
            let problem = problem(format!("list tags of {}", upstream.repository));
            vec![Message::Tags(upstream.clone(), Err(problem))]
        }
        Subject::Head(upstream, reference) => {
            let problem = problem(format!("ask what {reference} of {} is", upstream.repository));
            let (upstream, reference) = (upstream.clone(), reference.clone());
            vec![Message::Headed { upstream, reference, answer: Err(problem) }]
        }
        Subject::Details(upstream, reference) => {
            let problem = problem(format!("read {reference} of {}", upstream.repository));
            let (upstream, reference) = (upstream.clone(), reference.clone());
            vec![Message::Described { upstream, reference, answer: Err(problem) }]
        }
        Subject::Inspection(target) => {
            vec![Message::Artifact(News::Inspected(
                target.clone(),
                Err(problem("read the artifact".to_owned())),
            ))]
        }
        Subject::Referrers(target) => {
            vec![Message::Artifact(News::Referred(
                target.clone(),
                Err(problem("ask what refers to it".to_owned())),
            ))]
        }
        Subject::Layer(id) => {
            vec![Message::Artifact(News::Opened(id.clone(), Err(problem("open the layer".to_owned()))))]
        }
        Subject::File(id) => {
            vec![Message::Artifact(News::Read(id.clone(), Err(problem("read the file".to_owned()))))]
        }
        Subject::Objects(id) => {
            let answer = Err(problem("name the objects in the files".to_owned()));
            vec![Message::Artifact(News::Scanned(id.clone(), answer))]
        }
        Subject::Search(id, text) => {
            let about = (id.clone(), text.clone());
            vec![Message::Artifact(News::Searched(about, Err(problem("search the files".to_owned()))))]
        }
        Subject::Comparison(question) => {
            let answer = Err(problem("compare the two".to_owned()));
            vec![Message::Compared(question.clone(), comparisons::News::Answered(answer))]
        }
        Subject::Page(id) => {
            vec![Message::Page(id.clone(), Err(problem("read the change line by line".to_owned())))]
        }
        Subject::Events(id) => {
            vec![Message::Events(id.clone(), Err(problem(format!("read events of {id}"))))]
        }
        Subject::Raw(id) => vec![Message::Raw(id.clone(), Err(problem(format!("read {id}"))))],
        Subject::Object(id) => vec![Message::Fetched(id.clone(), Err(problem(format!("read {id}"))))],
        Subject::Namespaces => vec![Message::Namespaces(Err(problem("list namespaces".to_owned())))],
        Subject::Action(target) => vec![
            Message::Stepped { target: target.clone(), step: lost_step(target, why) },
            Message::Acted(target.clone()),
        ],
        Subject::Telling => Vec::new(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a step carries the time at which it happened")]
fn lost_step(target: &ObjectId, why: &str) -> Step {
    Step {
        object: target.clone(),
        what: What::Lost,
        at: Timestamp::now(),
        elapsed: Duration::ZERO,
        revision: None,
        message: Some(format!("{why}: it goes on in the cluster, unseen")),
    }
}

/// What a task says, and which task it is.
#[derive(Debug)]
pub(super) struct Answer {
    subject: Subject,
    task: u64,
    /// None: it is over.
    message: Option<Message>,
}

/// The way from a task to the loop.
#[derive(Clone)]
struct Line {
    answers: Sender<Answer>,
    subject: Subject,
    task: u64,
}

impl Line {
    /// False: nobody listens any more.
    async fn send(&self, message: Message) -> bool {
        self.put(Some(message)).await
    }

    async fn put(&self, message: Option<Message>) -> bool {
        let answer = Answer { subject: self.subject.clone(), task: self.task, message };
        self.answers.send(answer).await.is_ok()
    }

    /// Answers for a task that cannot.
    async fn lose(&self, why: &str) {
        for message in lost(&self.subject, why) {
            self.send(message).await;
        }
    }
}

/// The connected cluster, handed to the tasks that need it. Only `connect` sets it.
type Connected = Arc<Mutex<Option<Arc<dyn Cluster>>>>;

struct Task {
    number: u64,
    handle: AbortHandle,
}

pub(super) struct Performer {
    ports: Ports,
    held: Held,
    cluster: Connected,
    answers: Sender<Answer>,
    /// Tasks that are heard: until they are over, replaced or stopped.
    tasks: HashMap<Subject, Task>,
    started: u64,
}

impl Performer {
    pub(super) fn new(ports: Ports) -> (Self, Receiver<Answer>) {
        let (answers, receiver) = mpsc::channel(1024);
        let performer = Self {
            ports,
            held: Held::default(),
            cluster: Connected::default(),
            answers,
            tasks: HashMap::new(),
            started: 0,
        };
        (performer, receiver)
    }

    /// What an answer says, unless its task was replaced or stopped since: a cluster or a scope that was left is silent.
    pub(super) fn hear(&mut self, answer: Answer) -> Option<Message> {
        let Answer { subject, task, message } = answer;
        let current = self.tasks.get(&subject).is_some_and(|known| known.number == task);
        if !current && subject != Subject::Telling {
            return None;
        }
        if message.is_none() {
            self.tasks.remove(&subject);
        }
        message
    }

    /// Keeps the queue full for as long as somebody reads it.
    #[cfg(test)]
    pub(super) fn flood(&mut self) {
        self.start(Subject::Contexts, |line| async move {
            while line.send(Message::Contexts(Ok(vec!["one".to_owned()]))).await {}
        });
    }

    /// Puts a message on the queue that every answer takes.
    pub(super) fn tell(&mut self, message: Message) {
        self.start(Subject::Telling, |line| async move {
            line.send(message).await;
        });
    }

    pub(super) fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::ListContexts => self.list_contexts(),
            Effect::Connect { context } => self.connect(context),
            Effect::Watch(scope) => self.watch(scope),
            Effect::ListTags(upstream) => self.list_tags(upstream),
            Effect::StopTags(upstream) => self.stop(&Subject::Tags(upstream)),
            Effect::Head { upstream, reference } => self.head(upstream, reference),
            Effect::Describe { upstream, reference } => self.describe(upstream, reference),
            Effect::Inspect(target) => self.inspect(target),
            Effect::Refer(artifact) => self.refer(artifact),
            Effect::OpenLayer { artifact, layer } => self.open_layer(&artifact, layer),
            Effect::StopLayer(id) => self.stop(&Subject::Layer(id)),
            Effect::ReadFile { artifact, id } => self.read_file(artifact, id),
            Effect::ScanObjects { artifact, id } => self.scan_objects(artifact, id),
            Effect::SearchFiles { artifact, id, text } => self.search_files(artifact, id, text),
            Effect::Compare(question) => self.compare(*question),
            Effect::StopCompare(question) => self.stop(&Subject::Comparison(question)),
            Effect::ReadPage { comparison, id } => self.read_page(comparison, id),
            Effect::FollowEvents(id) => self.follow_events(id),
            Effect::StopEvents => self.stop_events(),
            Effect::ReadRaw(id) => self.read_raw(id),
            Effect::Fetch(id) => self.fetch(id),
            Effect::ListNamespaces => self.list_namespaces(),
            Effect::Reconcile { plan, token } => self.reconcile(plan, token),
            Effect::StopFollowing(id) => self.stop(&Subject::Action(id)),
            // Both belong to the terminal and are taken by the loop.
            Effect::Copy(_) | Effect::Quit => {}
        }
    }

    fn stop(&mut self, subject: &Subject) {
        if let Some(task) = self.tasks.remove(subject) {
            task.handle.abort();
        }
    }

    /// Stops all tasks about these.
    fn stop_all(&mut self, which: impl Fn(&Subject) -> bool) {
        let old: Vec<Subject> = self.tasks.keys().filter(|subject| which(subject)).cloned().collect();
        for subject in &old {
            self.stop(subject);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place where tasks start")]
    fn start<W>(&mut self, subject: Subject, work: impl FnOnce(Line) -> W)
    where
        W: Future<Output = ()> + Send + 'static,
    {
        self.started += 1;
        let line = Line { answers: self.answers.clone(), subject: subject.clone(), task: self.started };
        let work = work(line.clone());
        let guarded = async move {
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(about = ?line.subject, "a task panicked");
                line.lose(BROKEN).await;
            }
            line.put(None).await;
        };
        let handle = tokio::spawn(guarded).abort_handle();
        if subject == Subject::Telling {
            return;
        }
        if let Some(old) = self.tasks.insert(subject, Task { number: self.started, handle }) {
            old.handle.abort();
        }
    }

    /// Starts what needs the connected cluster; without one the subject is answered with that.
    fn start_in_cluster<W>(
        &mut self,
        subject: Subject,
        work: impl FnOnce(Arc<dyn Cluster>, Line) -> W + Send + 'static,
    ) where
        W: Future<Output = ()> + Send + 'static,
    {
        let slot = self.cluster.clone();
        self.start(subject, |line| async move {
            let cluster = slot.lock().await.clone();
            match cluster {
                Some(cluster) => work(cluster, line).await,
                None => line.lose("there is no cluster").await,
            }
        });
    }

    fn list_contexts(&mut self) {
        let gateway = self.ports.gateway.clone();
        self.start(Subject::Contexts, |line| async move {
            line.send(Message::Contexts(gateway.contexts().await)).await;
        });
    }

    fn connect(&mut self, context: Option<String>) {
        self.stop_all(Subject::belongs_to_cluster);
        self.cluster = Connected::default();
        let (gateway, slot) = (self.ports.gateway.clone(), self.cluster.clone());
        self.start(Subject::Connection, |line| async move {
            let answer = match gateway.connect(context).await {
                Ok(cluster) => {
                    let about = cluster.about();
                    *slot.lock().await = Some(cluster);
                    Ok(about)
                }
                Err(problem) => Err(problem),
            };
            line.send(Message::Connected(answer)).await;
        });
    }

    /// A watch that breaks is told and begun anew.
    fn watch(&mut self, scope: Scope) {
        self.start_in_cluster(Subject::Watch, |cluster, line| async move {
            loop {
                let watched = AssertUnwindSafe(observe(&cluster, scope.clone(), &line)).catch_unwind().await;
                if watched.is_ok() {
                    return;
                }
                tracing::error!("the watch panicked");
                line.lose(BROKEN).await;
                sleep(PAUSE).await;
            }
        });
    }

    fn list_tags(&mut self, upstream: Upstream) {
        let registry = self.ports.registry.clone();
        self.start(Subject::Tags(upstream.clone()), |line| async move {
            let mut pages = registry.tags(upstream.clone());
            while let Some(page) = pages.next().await {
                if !line.send(Message::Tags(upstream.clone(), page)).await {
                    return;
                }
            }
        });
    }

    fn head(&mut self, upstream: Upstream, reference: String) {
        let registry = self.ports.registry.clone();
        self.start(Subject::Head(upstream.clone(), reference.clone()), |line| async move {
            let answer = registry.head(upstream.clone(), reference.clone()).await;
            line.send(Message::Headed { upstream, reference, answer }).await;
        });
    }

    fn describe(&mut self, upstream: Upstream, reference: String) {
        let registry = self.ports.registry.clone();
        self.start(Subject::Details(upstream.clone(), reference.clone()), |line| async move {
            let answer = port::details(&*registry, upstream.clone(), reference.clone()).await;
            line.send(Message::Described { upstream, reference, answer }).await;
        });
    }

    fn inspect(&mut self, target: Target) {
        let port = self.ports.artifacts.clone();
        self.start(Subject::Inspection(target.clone()), |line| async move {
            line.send(Message::Artifact(artifacts::inspect(port, target).await)).await;
        });
    }

    fn refer(&mut self, artifact: Arc<Artifact>) {
        let port = self.ports.artifacts.clone();
        self.start(Subject::Referrers(artifact.target.clone()), |line| async move {
            line.send(Message::Artifact(artifacts::referrers(port, artifact).await)).await;
        });
    }

    fn open_layer(&mut self, artifact: &Artifact, layer: usize) {
        let steps = artifacts::open(&self.ports.artifacts, self.held.clone(), artifact, layer);
        let id = LayerId { target: artifact.target.clone(), layer };
        self.start(Subject::Layer(id), |line| async move {
            let mut steps = std::pin::pin!(steps);
            while let Some(news) = steps.next().await {
                if !line.send(Message::Artifact(news)).await {
                    return;
                }
            }
        });
    }

    fn read_file(&mut self, artifact: Arc<Artifact>, id: FileId) {
        let (port, held) = (self.ports.artifacts.clone(), self.held.clone());
        self.start(Subject::File(id.clone()), |line| async move {
            line.send(Message::Artifact(artifacts::read_file(port, held, artifact, id).await)).await;
        });
    }

    fn scan_objects(&mut self, artifact: Arc<Artifact>, id: LayerId) {
        let (port, held) = (self.ports.artifacts.clone(), self.held.clone());
        self.start(Subject::Objects(id.clone()), |line| async move {
            line.send(Message::Artifact(artifacts::scan(port, held, artifact, id).await)).await;
        });
    }

    fn search_files(&mut self, artifact: Arc<Artifact>, id: LayerId, text: Box<str>) {
        self.stop_all(|subject| matches!(subject, Subject::Search(..)));
        let (port, held) = (self.ports.artifacts.clone(), self.held.clone());
        self.start(Subject::Search(id.clone(), text.clone()), |line| async move {
            line.send(Message::Artifact(artifacts::search(port, held, artifact, id, text).await)).await;
        });
    }

    fn compare(&mut self, question: Question) {
        let (artifacts, renderer) = (self.ports.artifacts.clone(), self.ports.renderer.clone());
        let slot = self.cluster.clone();
        let subject = Subject::Comparison(Box::new(question.clone()));
        self.start(subject, |line| async move {
            let cluster = slot.lock().await.clone();
            let mut steps = port::compare(Sides { artifacts, renderer, cluster }, question.clone());
            while let Some(step) = steps.next().await {
                let news = match step {
                    Ok(Comparing::Reading { which, bytes, of, from_cache }) => {
                        comparisons::News::Reading { which, received: Received { bytes, of, from_cache } }
                    }
                    Ok(Comparing::Opened { which, files }) => comparisons::News::Opened { which, files },
                    Ok(Comparing::Working(words)) => comparisons::News::Working(words),
                    Ok(Comparing::Done(comparison)) => comparisons::News::Answered(Ok(comparison)),
                    Err(problem) => comparisons::News::Answered(Err(problem)),
                };
                let last = matches!(news, comparisons::News::Answered(_));
                if !line.send(Message::Compared(Box::new(question.clone()), news)).await || last {
                    return;
                }
            }
            line.lose("it ended without an answer").await;
        });
    }

    /// What is left behind while one steps from object to object is not read to its end.
    fn read_page(&mut self, comparison: Whole, id: PageId) {
        self.start(Subject::Page(id.clone()), |line| async move {
            let asked = id.clone();
            let read = tokio::task::spawn_blocking(move || page::read(&comparison.0, &asked)).await;
            match read {
                Ok(page) => {
                    line.send(Message::Page(id, Ok(Arc::new(page)))).await;
                }
                Err(_) => line.lose(BROKEN).await,
            }
        });
    }

    fn stop_events(&mut self) {
        self.stop_all(|subject| matches!(subject, Subject::Events(_)));
    }

    fn follow_events(&mut self, id: ObjectId) {
        self.stop_events();
        self.start_in_cluster(Subject::Events(id.clone()), |cluster, line| async move {
            let mut events = cluster.events(id.clone());
            while let Some(answer) = events.next().await {
                if !line.send(Message::Events(id.clone(), answer)).await {
                    return;
                }
            }
        });
    }

    fn read_raw(&mut self, id: ObjectId) {
        self.start_in_cluster(Subject::Raw(id.clone()), |cluster, line| async move {
            let answer = match cluster.raw(id.clone()).await {
                Ok(value) => yaml(&id, value),
                Err(problem) => Err(problem),
            };
            line.send(Message::Raw(id, answer)).await;
        });
    }

    fn fetch(&mut self, id: ObjectId) {
        self.start_in_cluster(Subject::Object(id.clone()), |cluster, line| async move {
            let answer = cluster.fetch(id.clone()).await;
            line.send(Message::Fetched(id, answer)).await;
        });
    }

    fn list_namespaces(&mut self) {
        self.start_in_cluster(Subject::Namespaces, |cluster, line| async move {
            line.send(Message::Namespaces(cluster.namespaces().await)).await;
        });
    }

    fn reconcile(&mut self, plan: Plan, token: String) {
        let target = plan.target.clone();
        self.start_in_cluster(Subject::Action(target.clone()), |cluster, line| async move {
            let mut steps = carry_out(cluster, plan, token, ACTION_TIMEOUT);
            while let Some(step) = steps.next().await {
                line.send(Message::Stepped { target: target.clone(), step }).await;
            }
            line.send(Message::Acted(target)).await;
        });
    }
}

async fn observe(cluster: &Arc<dyn Cluster>, scope: Scope, line: &Line) {
    let mut facts = cluster.watch(scope);
    while let Some(batch) = facts.next().await {
        if !line.send(Message::Observed(batch)).await {
            return;
        }
    }
}

/// Values of Secrets are covered here: nobody asked to see them.
fn yaml(id: &ObjectId, mut value: serde_json::Value) -> Result<String, Problem> {
    secret::mask(&mut value);
    serde_saphyr::to_string(&value)
        .map_err(|error| Problem::new(Cause::Invalid, format!("write {id} as YAML"), chain(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            artifact::{Artifact, Descriptor, Manifest, Origin, Referrers, TagPage, Target},
            digest::Digest,
            event::Event,
            fact::{Fact, FeedId, Object},
            identity::{About, Kind},
            repository::Repository,
            sample::repository,
            source::LayerSelector,
        },
        port,
    };
    use futures::{
        future::BoxFuture,
        stream::{self, BoxStream},
    };
    use tokio::time::timeout;

    /// A world that breaks wherever it is touched, but for the connection if it is a cluster that connects.
    struct Broken {
        connects: bool,
    }

    impl port::Gateway for Broken {
        fn contexts(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
            panic!("contexts")
        }
        fn connect(&self, _: Option<String>) -> BoxFuture<'static, Result<Arc<dyn Cluster>, Problem>> {
            assert!(self.connects, "connect");
            async { Ok(Arc::new(Broken { connects: true }) as Arc<dyn Cluster>) }.boxed()
        }
    }

    impl port::Artifacts for Broken {
        fn inspect(&self, _: Target) -> BoxFuture<'static, Result<Artifact, Problem>> {
            panic!("inspect")
        }
        fn referrers(&self, _: &Artifact) -> BoxFuture<'static, Result<Referrers, Problem>> {
            panic!("referrers")
        }
        fn open(&self, _: &Artifact, _: usize) -> BoxStream<'static, Result<port::Opening, Problem>> {
            panic!("open")
        }
        fn cache(&self) -> BoxFuture<'static, Result<port::CacheInfo, Problem>> {
            panic!("cache")
        }
        fn clear_cache(&self) -> BoxFuture<'static, Result<port::CacheInfo, Problem>> {
            panic!("clear")
        }
    }

    impl port::Renderer for Broken {
        fn render(
            &self,
            _: crate::domain::lens::Lens,
            _: crate::domain::diff::Side,
        ) -> BoxFuture<'static, Result<port::Rendered, Problem>> {
            panic!("render")
        }
    }

    impl port::Registry for Broken {
        fn tags(&self, _: Upstream) -> BoxStream<'static, Result<TagPage, Problem>> {
            panic!("tags")
        }
        fn head(&self, _: Upstream, _: String) -> BoxFuture<'static, Result<Descriptor, Problem>> {
            panic!("head")
        }
        fn manifest(&self, _: Upstream, _: String) -> BoxFuture<'static, Result<Manifest, Problem>> {
            panic!("manifest")
        }
        fn blob(&self, _: Upstream, _: Descriptor) -> BoxStream<'static, Result<bytes::Bytes, Problem>> {
            panic!("blob")
        }
        fn referrers(&self, _: Upstream, _: Digest) -> BoxFuture<'static, Result<Referrers, Problem>> {
            panic!("referrers")
        }
    }

    impl Cluster for Broken {
        /// One fact for all namespaces, and for ever nothing; a namespace breaks it.
        fn watch(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>> {
            assert_eq!(scope, Scope::AllNamespaces);
            let feed = FeedId { kind: Kind::OciRepository, namespace: None };
            stream::iter([vec![Fact::NotInstalled(feed)]]).chain(stream::pending()).boxed()
        }
        fn list(&self, _: Scope) -> BoxStream<'static, Vec<Fact>> {
            panic!("list")
        }
        fn fetch(&self, _: ObjectId) -> BoxFuture<'static, Result<Arc<Object>, Problem>> {
            panic!("fetch")
        }
        fn raw(&self, _: ObjectId) -> BoxFuture<'static, Result<serde_json::Value, Problem>> {
            panic!("raw")
        }
        fn follow(&self, _: ObjectId) -> BoxStream<'static, Result<Arc<Object>, Problem>> {
            panic!("follow")
        }
        fn events(&self, _: ObjectId) -> BoxStream<'static, Result<Vec<Event>, Problem>> {
            panic!("events")
        }
        fn patch(&self, _: crate::domain::action::Patch) -> BoxFuture<'static, Result<(), Problem>> {
            panic!("patch")
        }
        fn config(
            &self,
            _: crate::domain::lens::ConfigRef,
        ) -> BoxFuture<'static, Result<crate::domain::lens::Config, Problem>> {
            panic!("config")
        }
        fn namespaces(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
            panic!("namespaces")
        }
        fn about(&self) -> About {
            About { context: "broken".into(), namespace: "default".into(), server: String::new() }
        }
    }

    type Is = fn(&Message) -> bool;

    fn broken(connects: bool) -> (Performer, Receiver<Answer>) {
        let broken = Arc::new(Broken { connects });
        let ports = Ports {
            gateway: broken.clone(),
            registry: broken.clone(),
            artifacts: broken.clone(),
            renderer: broken,
        };
        Performer::new(ports)
    }

    async fn heard(performer: &mut Performer, answers: &mut Receiver<Answer>) -> Message {
        loop {
            let answer = timeout(Duration::from_secs(20), answers.recv()).await.expect("an answer").unwrap();
            if let Some(message) = performer.hear(answer) {
                return message;
            }
        }
    }

    fn podinfo() -> Upstream {
        Upstream { repository: Repository::parse_name("ghcr.io/acme/podinfo").unwrap(), insecure: false }
    }

    #[test]
    fn yaml_of_the_cluster_covers_what_secrets_are_to_say() {
        let id = ObjectId { kind: Kind::Kustomization, namespace: "shop".into(), name: "web".into() };
        let object = serde_json::json!({"kind": "Kustomization", "spec": {"patches": [
            {"target": {"kind": "Secret"}, "patch": "- op: add\n  path: /data/a\n  value: shut\n"},
            {"target": {"kind": "Deployment"}, "patch": "- op: add\n  path: /spec/replicas\n  value: open\n"},
        ]}});
        let text = yaml(&id, object).unwrap();
        assert!(!text.contains("shut") && text.contains("value: open"), "{text}");
    }

    #[tokio::test]
    async fn a_task_that_breaks_still_answers_under_its_subject() {
        let (mut performer, mut answers) = broken(true);
        performer.perform(Effect::Connect { context: None });
        assert!(matches!(heard(&mut performer, &mut answers).await, Message::Connected(Ok(_))));
        let id = ObjectId::new(Kind::OciRepository, "shop", "podinfo");
        let head = Effect::Head { upstream: podinfo(), reference: "1.0.0".to_owned() };
        let describe = Effect::Describe { upstream: podinfo(), reference: "1.0.0".to_owned() };
        let question = |name: &str| {
            let origin = Origin::Registry { upstream: podinfo(), reference: name.into() };
            Target { origin, selector: LayerSelector::default(), ignore: None }
        };
        let (from, to) = (question("1.0.0"), question("1.1.0"));
        let compared = Question { from, to, consumer: None, read_secrets: false, build: false };
        let broken =
            |message: &Message| matches!(message, Message::Compared(_, comparisons::News::Answered(Err(_))));
        let cases: [(Effect, Is); 10] = [
            (Effect::Compare(Box::new(compared)), broken),
            (Effect::ListContexts, |m| matches!(m, Message::Contexts(Err(_)))),
            (Effect::ListTags(podinfo()), |m| matches!(m, Message::Tags(_, Err(_)))),
            (head, |m| matches!(m, Message::Headed { answer: Err(_), .. })),
            (describe, |m| matches!(m, Message::Described { answer: Err(_), .. })),
            (Effect::FollowEvents(id.clone()), |m| matches!(m, Message::Events(_, Err(_)))),
            (Effect::ReadRaw(id.clone()), |m| matches!(m, Message::Raw(_, Err(_)))),
            (Effect::Fetch(id.clone()), |m| matches!(m, Message::Fetched(_, Err(_)))),
            (Effect::ListNamespaces, |m| matches!(m, Message::Namespaces(Err(_)))),
            (Effect::Watch(Scope::Namespace("shop".into())), |m| matches!(m, Message::WatchBroke(_))),
        ];
        for (effect, is) in cases {
            let asked = format!("{effect:?}");
            performer.perform(effect);
            let answer = heard(&mut performer, &mut answers).await;
            assert!(is(&answer), "{asked}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn an_action_that_breaks_is_lost_and_over() {
        let (mut performer, mut answers) = broken(true);
        performer.perform(Effect::Connect { context: None });
        heard(&mut performer, &mut answers).await;
        let mut world = crate::domain::world::World::default();
        world.observe(Fact::Changed(Arc::new(repository("shop/podinfo"))));
        let id = ObjectId::new(Kind::OciRepository, "shop", "podinfo");
        let plan = crate::domain::action::plan(&world, &id, false).unwrap();
        performer.perform(Effect::Reconcile { plan, token: "t".to_owned() });
        let step = heard(&mut performer, &mut answers).await;
        assert!(matches!(step, Message::Stepped { step: Step { what: What::Lost, .. }, .. }), "{step:?}");
        assert!(matches!(heard(&mut performer, &mut answers).await, Message::Acted(_)));
    }

    #[tokio::test]
    async fn a_connection_that_breaks_is_no_connection() {
        let (mut performer, mut answers) = broken(false);
        performer.perform(Effect::Connect { context: None });
        assert!(matches!(heard(&mut performer, &mut answers).await, Message::Connected(Err(_))));
        performer.perform(Effect::ListNamespaces);
        assert!(matches!(heard(&mut performer, &mut answers).await, Message::Namespaces(Err(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_breaks_is_told_and_begun_anew() {
        let (mut performer, mut answers) = broken(true);
        performer.perform(Effect::Connect { context: None });
        heard(&mut performer, &mut answers).await;
        performer.perform(Effect::Watch(Scope::Namespace("shop".into())));
        for _ in 0..2 {
            assert!(matches!(heard(&mut performer, &mut answers).await, Message::WatchBroke(_)));
        }
    }

    #[tokio::test]
    async fn what_a_cluster_or_a_scope_that_was_left_still_says_is_not_heard() {
        let (mut performer, mut answers) = broken(true);
        for left in [Effect::Connect { context: None }, Effect::Watch(Scope::AllNamespaces)] {
            performer.perform(Effect::Connect { context: None });
            heard(&mut performer, &mut answers).await;
            performer.perform(Effect::Watch(Scope::AllNamespaces));
            let late = loop {
                let answer = answers.recv().await.unwrap();
                if matches!(answer.message, Some(Message::Observed(_))) {
                    break answer;
                }
            };
            performer.perform(left);
            assert!(performer.hear(late).is_none(), "it was queued before");
            performer.stop_all(|_| true);
        }
    }
}
