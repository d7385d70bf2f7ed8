//! The objects and events of the demo's cluster, as JSON and as read. It decides nothing and knows no time of its own.

use super::{Shift, broken, recorded};
use crate::{
    cluster::convert,
    domain::{
        event::Event,
        fact::{Fact, Object},
        identity::{Kind, ObjectId},
        lens::{Config, ConfigKind, ConfigRef},
        problem::{Cause, Problem},
        world::World,
    },
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Everything in the cluster, and a counter that every change raises.
#[derive(Debug, Default)]
pub(super) struct State {
    held: BTreeMap<ObjectId, Held>,
    configs: BTreeMap<ConfigRef, Config>,
    events: Vec<Value>,
    version: u64,
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) json: Value,
    pub(super) object: Arc<Object>,
    /// The state's counter when it changed last.
    pub(super) version: u64,
}

impl State {
    pub(super) fn load(shift: Shift) -> Result<Self, Problem> {
        let mut state = Self::default();
        for file in recorded::OBJECTS {
            let documents: Vec<Value> = serde_saphyr::from_multiple(file).map_err(|error| broken(&error))?;
            for mut json in documents {
                shift_times(&mut json, shift);
                if json["kind"] == "Event" {
                    state.events.push(json);
                    continue;
                }
                if let Some((config, held)) = config_in(&json) {
                    state.configs.insert(config, held);
                    continue;
                }
                let object = convert::object_in(&json)?;
                state.held.insert(object.id().clone(), Held { json, object, version: 0 });
            }
        }
        Ok(state)
    }

    pub(super) fn config(&self, config: &ConfigRef) -> Result<Config, Problem> {
        let missing = || Problem::new(Cause::NotFound, format!("read {config}"), "404 Not Found");
        self.configs.get(config).cloned().ok_or_else(missing)
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, id: &ObjectId) -> Option<&Held> {
        self.held.get(id)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Held> {
        self.held.values()
    }

    pub(super) fn namespaces(&self) -> Vec<String> {
        let mut names: Vec<String> = self.held.keys().map(|id| id.namespace.to_string()).collect();
        names.dedup();
        names.sort();
        names.dedup();
        names
    }

    /// The objects as the program sees them.
    pub(super) fn world(&self) -> World {
        let mut world = World::default();
        for held in self.held.values() {
            world.observe(Fact::Changed(held.object.clone()));
        }
        world
    }

    /// Changes one object, as the API server would: with a new resourceVersion.
    pub(super) fn edit(&mut self, id: &ObjectId, change: impl FnOnce(&mut Value)) {
        self.version += 1;
        let Some(held) = self.held.get_mut(id) else { return };
        let mut json = held.json.clone();
        change(&mut json);
        json["metadata"]["resourceVersion"] = Value::from((100_000 + self.version).to_string());
        if let Ok(object) = convert::object_in(&json) {
            *held = Held { json, object, version: self.version };
        }
    }

    /// All events about an object, newest first.
    pub(super) fn events(&self, id: &ObjectId) -> Vec<Event> {
        let mut events: Vec<Event> =
            self.events.iter().filter(|json| is_about(json, id)).filter_map(convert::event_in).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.last));
        events
    }

    /// Says something about an object; the same words again only raise their count.
    pub(super) fn report(&mut self, id: &ObjectId, said: &Said, now: &str) {
        self.version += 1;
        let known = self.events.iter_mut().find(|json| {
            is_about(json, id) && json["reason"] == said.reason && json["message"] == said.message
        });
        if let Some(event) = known {
            event["count"] = Value::from(event["count"].as_u64().unwrap_or(1) + 1);
            event["lastTimestamp"] = Value::from(now);
            return;
        }
        let controller = match id.kind {
            Kind::Kustomization => "kustomize-controller",
            Kind::HelmRelease => "helm-controller",
            _ => "source-controller",
        };
        let name = format!("{}.demo{}", id.name, self.version);
        self.events.push(json!({
            "apiVersion": "v1", "kind": "Event", "count": 1, "firstTimestamp": now, "lastTimestamp": now,
            "message": said.message, "reason": said.reason,
            "type": if said.warning { "Warning" } else { "Normal" },
            "reportingComponent": controller, "source": {"component": controller},
            "involvedObject": {"kind": id.kind.name(), "namespace": &*id.namespace, "name": &*id.name},
            "metadata": {"name": name, "namespace": &*id.namespace, "uid": name, "creationTimestamp": now},
        }));
    }
}

/// The content of an event.
pub(super) struct Said {
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) warning: bool,
}

fn is_about(event: &Value, id: &ObjectId) -> bool {
    let about = &event["involvedObject"];
    about["kind"] == id.kind.name() && about["namespace"] == *id.namespace && about["name"] == *id.name
}

/// A recorded ConfigMap (`data`) or Secret (`stringData`).
fn config_in(json: &Value) -> Option<(ConfigRef, Config)> {
    let (kind, field) = match json["kind"].as_str()? {
        "ConfigMap" => (ConfigKind::ConfigMap, "data"),
        "Secret" => (ConfigKind::Secret, "stringData"),
        _ => return None,
    };
    let text = |field: &str| json["metadata"][field].as_str().map(Into::into);
    let held = json[field].as_object()?.iter();
    let held = held.filter_map(|(key, value)| Some((key.as_str().into(), value.as_str()?.into())));
    Some((ConfigRef { kind, namespace: text("namespace")?, name: text("name")? }, Config(held.collect())))
}

fn shift_times(json: &mut Value, shift: Shift) {
    match json {
        Value::String(text) => *text = shift.text(text),
        Value::Array(items) => items.iter_mut().for_each(|item| shift_times(item, shift)),
        Value::Object(fields) => fields.values_mut().for_each(|field| shift_times(field, shift)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
