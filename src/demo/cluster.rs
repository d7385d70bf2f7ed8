//! The demo's cluster: lists, watches and patches of the recorded world. What a patch leads to is the controllers' part.

use super::{
    CONTEXT, Clock, Shift,
    controller::{self, Pass},
    registry::Repositories,
    state::State,
};
use crate::{
    domain::{
        action::Patch,
        event::Event,
        fact::{Fact, FeedId, Object, Scope},
        identity::{About, Kind, ObjectId},
        lens::{Config, ConfigRef},
        problem::{Cause, Problem},
    },
    port::Cluster,
};
use futures::{
    future::{BoxFuture, FutureExt},
    stream::{self, BoxStream, StreamExt},
};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, time::sleep};

/// How long the first lists take: long enough to see that something is being asked.
const LIST: Duration = Duration::from_millis(200);
const ANSWER: Duration = Duration::from_millis(50);
/// From a request to its echo, and from there to the result.
const HANDLE: Duration = Duration::from_millis(600);
const WORK: Duration = Duration::from_millis(900);
/// Until a consumer notices that its source holds something new.
const NOTICE: Duration = Duration::from_millis(300);

#[derive(Clone)]
pub(super) struct DemoCluster {
    state: Arc<watch::Sender<State>>,
    clock: Clock,
    repositories: Arc<Repositories>,
}

impl DemoCluster {
    pub(super) fn load(shift: Shift, clock: Clock, repositories: Arc<Repositories>) -> Result<Self, Problem> {
        Ok(Self { state: Arc::new(watch::Sender::new(State::load(shift)?)), clock, repositories })
    }

    /// Answers a question after a moment, from the state as it is then.
    fn later<T: Send + 'static>(
        &self,
        answer: impl FnOnce(&State) -> Result<T, Problem> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, Problem>> {
        let state = self.state.clone();
        async move {
            sleep(ANSWER).await;
            answer(&state.borrow())
        }
        .boxed()
    }

    /// A controller looks at an object after `delay`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the controllers act on their own, after the patch was answered"
    )]
    fn wake(&self, id: ObjectId, delay: Duration) {
        let cluster = self.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            let repositories = &cluster.repositories;
            if cluster.change(|state, now| controller::begin(state, repositories, &id, now)) == Pass::Over {
                return;
            }
            sleep(WORK).await;
            for consumer in cluster.change(|state, now| controller::finish(state, repositories, &id, now)) {
                cluster.wake(consumer, NOTICE);
            }
        });
    }

    fn change<T: Default>(&self, act: impl FnOnce(&mut State, &str) -> T) -> T {
        let now = format!("{:.0}", self.clock.now());
        let mut result = T::default();
        self.state.send_modify(|state| result = act(state, &now));
        result
    }
}

impl Cluster for DemoCluster {
    fn watch(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>> {
        let cluster = self.clone();
        let changes = self.state.subscribe();
        stream::unfold((cluster, changes, None), move |(cluster, mut changes, seen)| {
            let scope = scope.clone();
            async move {
                let Some(seen) = seen else {
                    sleep(LIST).await;
                    let (facts, version) = {
                        let state = changes.borrow_and_update();
                        (listed(&state, &scope, &cluster.clock), state.version())
                    };
                    return Some((facts, (cluster, changes, Some(version))));
                };
                changes.changed().await.ok()?;
                let (facts, version) = {
                    let state = changes.borrow_and_update();
                    (changed(&state, &scope, seen), state.version())
                };
                Some((facts, (cluster, changes, Some(version))))
            }
        })
        .filter(|facts| std::future::ready(!facts.is_empty()))
        .boxed()
    }

    fn list(&self, scope: Scope) -> BoxStream<'static, Vec<Fact>> {
        let cluster = self.clone();
        stream::once(async move {
            sleep(LIST).await;
            listed(&cluster.state.borrow(), &scope, &cluster.clock)
        })
        .boxed()
    }

    fn fetch(&self, id: ObjectId) -> BoxFuture<'static, Result<Arc<Object>, Problem>> {
        self.later(move |state| Ok(state.get(&id).ok_or_else(|| missing("read", &id))?.object.clone()))
    }

    fn raw(&self, id: ObjectId) -> BoxFuture<'static, Result<Value, Problem>> {
        self.later(move |state| Ok(state.get(&id).ok_or_else(|| missing("read", &id))?.json.clone()))
    }

    fn follow(&self, id: ObjectId) -> BoxStream<'static, Result<Arc<Object>, Problem>> {
        live(&self.state, move |state| {
            let held = state.get(&id).ok_or_else(|| missing("follow", &id))?;
            Ok((held.version, held.object.clone()))
        })
    }

    fn events(&self, id: ObjectId) -> BoxStream<'static, Result<Vec<Event>, Problem>> {
        live(&self.state, move |state| {
            let events = state.events(&id);
            let said: u64 = events.iter().map(|event| event.count).sum();
            Ok((said, events))
        })
    }

    fn patch(&self, patch: Patch) -> BoxFuture<'static, Result<(), Problem>> {
        let cluster = self.clone();
        async move {
            sleep(ANSWER).await;
            let id = patch.object.clone();
            if cluster.state.borrow().get(&id).is_none() {
                return Err(missing("patch", &id));
            }
            cluster.change(|state, _| state.edit(&id, |json| merge(json, &patch.body)));
            cluster.wake(id, HANDLE);
            Ok(())
        }
        .boxed()
    }

    fn config(&self, config: ConfigRef) -> BoxFuture<'static, Result<Config, Problem>> {
        self.later(move |state| state.config(&config))
    }

    fn namespaces(&self) -> BoxFuture<'static, Result<Vec<String>, Problem>> {
        self.later(|state| Ok(state.namespaces()))
    }

    fn about(&self) -> About {
        About {
            context: CONTEXT.to_owned(),
            namespace: "shop".to_owned(),
            server: "a recorded world, no network".to_owned(),
        }
    }
}

/// Now and after every change of its first part. Ends after a problem.
fn live<T: Send + 'static>(
    state: &watch::Sender<State>,
    read: impl Fn(&State) -> Result<(u64, T), Problem> + Send + Sync + 'static,
) -> BoxStream<'static, Result<T, Problem>> {
    let read = Arc::new(read);
    stream::unfold(Some((state.subscribe(), None)), move |following| {
        let read = read.clone();
        async move {
            let (mut changes, seen) = following?;
            loop {
                match seen {
                    None => sleep(ANSWER).await,
                    Some(_) => changes.changed().await.ok()?,
                }
                let answer = read(&changes.borrow_and_update());
                match answer {
                    Err(problem) => return Some((Err(problem), None)),
                    Ok((version, _)) if seen == Some(version) => {}
                    Ok((version, answer)) => return Some((Ok(answer), Some((changes, Some(version))))),
                }
            }
        }
    })
    .boxed()
}

fn listed(state: &State, scope: &Scope, clock: &Clock) -> Vec<Fact> {
    let namespace = match scope {
        Scope::AllNamespaces => None,
        Scope::Namespace(name) => Some(name.clone()),
    };
    let list = |kind: Kind| {
        let inside =
            |object: &&Arc<Object>| object.id().kind == kind && scope.contains(&object.id().namespace);
        Fact::Listed {
            feed: FeedId { kind, namespace: namespace.clone() },
            objects: state.all().map(|held| &held.object).filter(inside).cloned().collect(),
            at: clock.now(),
        }
    };
    Kind::WATCHED.into_iter().map(list).collect()
}

fn changed(state: &State, scope: &Scope, seen: u64) -> Vec<Fact> {
    state
        .all()
        .filter(|held| held.version > seen)
        .map(|held| &held.object)
        .filter(|object| object.id().kind.is_watched() && scope.contains(&object.id().namespace))
        .map(|object| Fact::Changed(object.clone()))
        .collect()
}

fn missing(what: &str, id: &ObjectId) -> Problem {
    Problem::new(Cause::NotFound, format!("{what} {id}"), format!("404 NotFound: {id} does not exist"))
}

/// A JSON merge patch (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(own) = target else { return };
    for (name, value) in fields {
        if value.is_null() {
            own.remove(name);
        } else {
            merge(own.entry(name.as_str()).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_merge_patch_adds_replaces_and_removes() {
        let mut json = json!({"a": 1, "b": {"c": 1, "d": 2}});
        merge(&mut json, &json!({"a": null, "b": {"c": [3]}, "e": {"f": {"g": 4, "h": null}}}));
        assert_eq!(json, json!({"b": {"c": [3], "d": 2}, "e": {"f": {"g": 4}}}));
    }
}
