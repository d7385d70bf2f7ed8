//! Effect -> task -> message. The only file that starts tasks; one task per subject, a newer one replaces it.

use crate::{
    app::{effect::Effect, message::Message},
    domain::{
        action::Plan,
        fact::Scope,
        identity::ObjectId,
        problem::{Cause, Problem, chain},
        repository::Upstream,
    },
    port::{Cluster, Gateway, Ports, Registry, carry_out},
};
use futures::{FutureExt, StreamExt};
use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::{
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender},
    },
    task::AbortHandle,
};

/// How long an action is followed.
const ACTION_TIMEOUT: Duration = Duration::from_secs(300);

/// What a task is about. A second task about the same subject replaces the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    Contexts,
    Connection,
    Watch,
    Tags(Upstream),
    Head(Upstream, String),
    Manifest(Upstream, String),
    Events,
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
            | Self::Events
            | Self::Raw(_)
            | Self::Object(_)
            | Self::Namespaces
            | Self::Action(_) => true,
            Self::Contexts | Self::Tags(_) | Self::Head(..) | Self::Manifest(..) | Self::Telling => false,
        }
    }
}

/// The connected cluster, handed to the tasks that need it. Only `connect` sets it.
type Connected = Arc<Mutex<Option<Arc<dyn Cluster>>>>;

pub(super) struct Performer {
    gateway: Arc<dyn Gateway>,
    registry: Arc<dyn Registry>,
    cluster: Connected,
    answers: Sender<Message>,
    tasks: HashMap<Subject, AbortHandle>,
}

impl Performer {
    pub(super) fn new(ports: Ports) -> (Self, Receiver<Message>) {
        let (answers, receiver) = mpsc::channel(1024);
        let Ports { gateway, registry } = ports;
        (Self { gateway, registry, cluster: Connected::default(), answers, tasks: HashMap::new() }, receiver)
    }

    /// Puts a message on the queue that every answer takes.
    pub(super) fn tell(&mut self, message: Message) {
        let answers = self.answers.clone();
        self.start(Subject::Telling, async move {
            let _ = answers.send(message).await;
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
            Effect::Open { upstream, reference } => self.open(upstream, reference),
            Effect::FollowEvents(id) => self.follow_events(id),
            Effect::StopEvents => self.stop(&Subject::Events),
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
            task.abort();
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place where tasks start")]
    fn start(&mut self, subject: Subject, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.retain(|_, task| !task.is_finished());
        let about = subject.clone();
        let guarded = AssertUnwindSafe(work).catch_unwind().map(move |result| {
            if result.is_err() {
                tracing::error!(?about, "a task panicked");
            }
        });
        let task = tokio::spawn(guarded).abort_handle();
        if subject == Subject::Telling {
            return;
        }
        if let Some(old) = self.tasks.insert(subject, task) {
            old.abort();
        }
    }

    fn list_contexts(&mut self) {
        let (gateway, answers) = (self.gateway.clone(), self.answers.clone());
        self.start(Subject::Contexts, async move {
            let _ = answers.send(Message::Contexts(gateway.contexts().await)).await;
        });
    }

    fn connect(&mut self, context: Option<String>) {
        let old: Vec<Subject> =
            self.tasks.keys().filter(|subject| subject.belongs_to_cluster()).cloned().collect();
        for subject in old {
            self.stop(&subject);
        }
        self.cluster = Connected::default();
        let (gateway, answers, slot) = (self.gateway.clone(), self.answers.clone(), self.cluster.clone());
        self.start(Subject::Connection, async move {
            let answer = match gateway.connect(context).await {
                Ok(cluster) => {
                    let about = cluster.about();
                    *slot.lock().await = Some(cluster);
                    Ok(about)
                }
                Err(problem) => Err(problem),
            };
            let _ = answers.send(Message::Connected(answer)).await;
        });
    }

    fn watch(&mut self, scope: Scope) {
        let (slot, answers) = (self.cluster.clone(), self.answers.clone());
        self.start(Subject::Watch, async move {
            let Some(cluster) = slot.lock().await.clone() else { return };
            let mut facts = cluster.watch(scope);
            while let Some(batch) = facts.next().await {
                if answers.send(Message::Observed(batch)).await.is_err() {
                    return;
                }
            }
        });
    }

    fn list_tags(&mut self, upstream: Upstream) {
        let (registry, answers) = (self.registry.clone(), self.answers.clone());
        self.start(Subject::Tags(upstream.clone()), async move {
            let mut pages = registry.tags(upstream.clone());
            while let Some(page) = pages.next().await {
                if answers.send(Message::Tags(upstream.clone(), page)).await.is_err() {
                    return;
                }
            }
        });
    }

    fn head(&mut self, upstream: Upstream, reference: String) {
        let (registry, answers) = (self.registry.clone(), self.answers.clone());
        self.start(Subject::Head(upstream.clone(), reference.clone()), async move {
            let answer = registry.head(upstream.clone(), reference.clone()).await;
            let _ = answers.send(Message::Described { upstream, reference, answer }).await;
        });
    }

    fn open(&mut self, upstream: Upstream, reference: String) {
        let (registry, answers) = (self.registry.clone(), self.answers.clone());
        self.start(Subject::Manifest(upstream.clone(), reference.clone()), async move {
            let answer = registry.manifest(upstream.clone(), reference.clone()).await;
            let _ = answers.send(Message::Opened { upstream, reference, answer }).await;
        });
    }

    fn follow_events(&mut self, id: ObjectId) {
        let (slot, answers) = (self.cluster.clone(), self.answers.clone());
        self.start(Subject::Events, async move {
            let Some(cluster) = slot.lock().await.clone() else { return };
            let mut events = cluster.events(id.clone());
            while let Some(answer) = events.next().await {
                if answers.send(Message::Events(id.clone(), answer)).await.is_err() {
                    return;
                }
            }
        });
    }

    fn read_raw(&mut self, id: ObjectId) {
        let (slot, answers) = (self.cluster.clone(), self.answers.clone());
        self.start(Subject::Raw(id.clone()), async move {
            let Some(cluster) = slot.lock().await.clone() else { return };
            let answer = match cluster.raw(id.clone()).await {
                Ok(value) => yaml(&id, &value),
                Err(problem) => Err(problem),
            };
            let _ = answers.send(Message::Raw(id, answer)).await;
        });
    }

    fn fetch(&mut self, id: ObjectId) {
        let (slot, answers) = (self.cluster.clone(), self.answers.clone());
        self.start(Subject::Object(id.clone()), async move {
            let Some(cluster) = slot.lock().await.clone() else { return };
            let answer = cluster.fetch(id.clone()).await;
            let _ = answers.send(Message::Fetched(id, answer)).await;
        });
    }

    fn list_namespaces(&mut self) {
        let (slot, answers) = (self.cluster.clone(), self.answers.clone());
        self.start(Subject::Namespaces, async move {
            let Some(cluster) = slot.lock().await.clone() else { return };
            let _ = answers.send(Message::Namespaces(cluster.namespaces().await)).await;
        });
    }

    fn reconcile(&mut self, plan: Plan, token: String) {
        let (slot, answers, target) = (self.cluster.clone(), self.answers.clone(), plan.target.clone());
        self.start(Subject::Action(target.clone()), async move {
            let Some(cluster) = slot.lock().await.clone() else { return };
            let mut steps = carry_out(cluster, plan, token, ACTION_TIMEOUT);
            while let Some(step) = steps.next().await {
                let _ = answers.send(Message::Stepped { target: target.clone(), step }).await;
            }
            let _ = answers.send(Message::Acted(target)).await;
        });
    }
}

fn yaml(id: &ObjectId, value: &serde_json::Value) -> Result<String, Problem> {
    serde_saphyr::to_string(value)
        .map_err(|error| Problem::new(Cause::Invalid, format!("write {id} as YAML"), chain(&error)))
}
