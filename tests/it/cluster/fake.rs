//! A small API server in this process: lists in pages, watches from a version, merge patches; and faults on demand. It
//! speaks HTTP through a function, so there are no sockets.

use bytes::Bytes;
use fluxscope::domain::identity::Kind;
use futures::stream;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    sync::{Arc, Mutex},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

type Body = UnsyncBoxBody<Bytes, Infallible>;
type Key = (String, String, String);
type Reaction = Box<dyn Fn(&str, &mut Value) + Send>;

#[derive(Clone)]
pub(super) struct ApiServer(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// By plural, namespace, name.
    objects: BTreeMap<Key, Value>,
    /// Every change since the beginning, by version.
    changes: Vec<(u64, String, Value)>,
    version: u64,
    /// Versions before this one are too old to watch from.
    oldest: u64,
    watchers: Vec<Watcher>,
    served: HashMap<String, String>,
    /// (verb, path) that are answered with a code.
    rules: Vec<(String, String, u16)>,
    down: bool,
    page: usize,
    log: Vec<Asked>,
    reaction: Option<Reaction>,
}

struct Watcher {
    plural: String,
    namespace: Option<String>,
    name: Option<String>,
    lines: UnboundedSender<Bytes>,
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) content_type: String,
    pub(super) body: String,
}

impl ApiServer {
    /// Serves every kind in its first version.
    pub(super) fn new() -> Self {
        let served =
            Kind::ALL.into_iter().map(|kind| (kind.plural().to_owned(), kind.versions()[0].to_owned()));
        let state = State { served: served.collect(), page: 500, version: 1, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn client(&self) -> kube::Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<kube::client::Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await.unwrap();
                server.answer(&parts, &body)
            }
        });
        kube::Client::new(service, "apps")
    }

    /// Creates or replaces an object; watchers are told.
    pub(super) fn put(&self, object: impl std::borrow::Borrow<Value>) {
        self.0.lock().unwrap().put(object.borrow());
    }

    pub(super) fn delete(&self, kind: Kind, namespace: &str, name: &str) {
        self.remove(kind.plural(), namespace, name);
    }

    pub(super) fn remove(&self, plural: &str, namespace: &str, name: &str) {
        let mut state = self.0.lock().unwrap();
        let key = (plural.to_owned(), namespace.to_owned(), name.to_owned());
        let object = state.objects.remove(&key).unwrap();
        state.record("DELETED", &key, object);
    }

    /// This verb on paths that end so is answered with this code.
    pub(super) fn forbid(&self, verb: &str, path: &str) {
        self.rule(verb, path, 403);
    }

    pub(super) fn rule(&self, verb: &str, path: &str, code: u16) {
        self.0.lock().unwrap().rules.push((verb.to_owned(), path.to_owned(), code));
    }

    /// From now on everything is answered as it should be.
    pub(super) fn allow(&self) {
        self.0.lock().unwrap().rules.clear();
    }

    /// None: not installed.
    pub(super) fn serve(&self, kind: Kind, version: Option<&str>) {
        let mut state = self.0.lock().unwrap();
        match version {
            Some(version) => state.served.insert(kind.plural().to_owned(), version.to_owned()),
            None => state.served.remove(kind.plural()),
        };
    }

    pub(super) fn page(&self, size: usize) {
        self.0.lock().unwrap().page = size;
    }

    /// Nothing answers, and open watches are cut.
    pub(super) fn stop(&self) {
        let mut state = self.0.lock().unwrap();
        state.down = true;
        state.watchers.clear();
    }

    pub(super) fn start(&self) {
        self.0.lock().unwrap().down = false;
    }

    /// Open watches end.
    pub(super) fn cut(&self) {
        self.0.lock().unwrap().watchers.clear();
    }

    /// All versions so far are too old, as after a compaction.
    pub(super) fn compact(&self) {
        let mut state = self.0.lock().unwrap();
        state.version += 1;
        state.oldest = state.version;
    }

    /// Open watches get this line.
    pub(super) fn say(&self, line: &Value) {
        let state = self.0.lock().unwrap();
        for watcher in &state.watchers {
            let _ = watcher.lines.send(format!("{line}\n").into());
        }
    }

    /// Plays the controller: called with the token of each request to reconcile, may change the object.
    pub(super) fn react(&self, reaction: impl Fn(&str, &mut Value) + Send + 'static) {
        self.0.lock().unwrap().reaction = Some(Box::new(reaction));
    }

    pub(super) fn log(&self) -> Vec<Asked> {
        self.0.lock().unwrap().log.clone()
    }

    pub(super) fn watchers(&self) -> usize {
        let mut state = self.0.lock().unwrap();
        state.watchers.retain(|watcher| !watcher.lines.is_closed());
        state.watchers.len()
    }

    fn answer(&self, parts: &http::request::Parts, body: &[u8]) -> Result<Response<Body>, std::io::Error> {
        let mut state = self.0.lock().unwrap();
        if state.down {
            return Err(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
        }
        let header =
            |name: &str| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        state.log.push(Asked {
            method: parts.method.to_string(),
            uri: parts.uri.to_string(),
            content_type: header("content-type"),
            body: String::from_utf8(body.to_vec()).unwrap(),
        });
        let query: HashMap<String, String> =
            url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        let target = Target::parse(parts.uri.path());
        let verb = match (parts.method.as_str(), query.contains_key("watch"), &target.name) {
            ("PATCH", ..) => "patch",
            (_, true, _) => "watch",
            (.., Some(_)) => "get",
            _ => "list",
        };
        let rule =
            |(on, path, _): &&(String, String, u16)| on == verb && parts.uri.path().ends_with(path.as_str());
        if let Some((.., code)) = state.rules.iter().find(rule) {
            return Ok(refuse(*code, &format!("{verb} {} is refused", target.plural)));
        }
        if target.version.is_some() && state.served.get(&target.plural) != target.version.as_ref() {
            let page = Full::new(Bytes::from("404 page not found\n")).boxed_unsync();
            return Ok(Response::builder().status(404).body(page).unwrap());
        }
        Ok(match verb {
            "patch" => state.patch(&target, body),
            "watch" => state.watch(&target, &query),
            "get" => state.get(&target),
            _ => state.list(&target, &query),
        })
    }
}

struct Target {
    version: Option<String>,
    plural: String,
    namespace: Option<String>,
    name: Option<String>,
}

impl Target {
    /// `/apis/G/V/[namespaces/N/]P[/NAME]` or `/api/v1/...`
    fn parse(path: &str) -> Self {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (version, rest) = match parts.as_slice() {
            ["apis", _, version, rest @ ..] => (Some((*version).to_owned()), rest),
            ["api", "v1", rest @ ..] => (None, rest),
            other => panic!("not an API path: {other:?}"),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some((*namespace).to_owned()), rest),
            rest => (None, rest),
        };
        Self {
            version,
            plural: rest[0].to_owned(),
            namespace,
            name: rest.get(1).map(|name| (*name).to_owned()),
        }
    }

    fn holds(&self, (plural, namespace, _): &Key) -> bool {
        *plural == self.plural && self.namespace.as_ref().is_none_or(|own| own == namespace)
    }
}

impl State {
    fn put(&mut self, object: &Value) {
        let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default().to_owned();
        let plural = match object["kind"].as_str().unwrap() {
            "Event" => "events".to_owned(),
            "Namespace" => "namespaces".to_owned(),
            "ConfigMap" => "configmaps".to_owned(),
            "Secret" => "secrets".to_owned(),
            kind => Kind::from_name(kind).unwrap().plural().to_owned(),
        };
        let key = (plural, text("namespace"), text("name"));
        let how = if self.objects.contains_key(&key) { "MODIFIED" } else { "ADDED" };
        self.record(how, &key, object.clone());
        let stored = self.changes.last().unwrap().2["object"].clone();
        self.objects.insert(key, stored);
    }

    fn record(&mut self, how: &str, key: &Key, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let line = json!({"type": how, "object": object});
        self.changes.push((self.version, key.0.clone(), line.clone()));
        self.watchers.retain(|watcher| {
            let fits = watcher.plural == key.0
                && watcher.namespace.as_ref().is_none_or(|own| *own == key.1)
                && watcher.name.as_ref().is_none_or(|own| *own == key.2);
            !fits || watcher.lines.send(format!("{line}\n").into()).is_ok()
        });
    }

    fn get(&self, target: &Target) -> Response<Body> {
        match self.objects.get(&key(target)) {
            Some(object) => answer(200, object),
            None => refuse(404, "not found"),
        }
    }

    fn list(&self, target: &Target, query: &HashMap<String, String>) -> Response<Body> {
        let all: Vec<&Value> =
            self.objects.iter().filter(|(key, _)| target.holds(key)).map(|(_, object)| object).collect();
        let from: usize = query.get("continue").map_or(0, |token| token.parse().unwrap());
        let to = (from + self.page).min(all.len());
        let mut metadata = json!({"resourceVersion": self.version.to_string()});
        if to < all.len() {
            metadata["continue"] = json!(to.to_string());
        }
        answer(200, &json!({"kind": "List", "items": all[from..to], "metadata": metadata}))
    }

    fn watch(&mut self, target: &Target, query: &HashMap<String, String>) -> Response<Body> {
        let from: u64 = query["resourceVersion"].parse().unwrap();
        let (lines, inbox) = unbounded_channel();
        if from < self.oldest {
            let status =
                json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}});
            lines.send(format!("{status}\n").into()).unwrap();
            return open(inbox);
        }
        let name = query.get("fieldSelector").and_then(|text| text.strip_prefix("metadata.name="));
        let old =
            self.changes.iter().filter(|(version, plural, _)| *version > from && *plural == target.plural);
        for (.., line) in old {
            let metadata = &line["object"]["metadata"];
            let own = target.namespace.as_deref().is_none_or(|own| metadata["namespace"] == own);
            if own && name.is_none_or(|name| metadata["name"] == name) {
                lines.send(format!("{line}\n").into()).unwrap();
            }
        }
        self.watchers.push(Watcher {
            plural: target.plural.clone(),
            namespace: target.namespace.clone(),
            name: name.map(str::to_owned),
            lines,
        });
        open(inbox)
    }

    fn patch(&mut self, target: &Target, body: &[u8]) -> Response<Body> {
        let Some(mut object) = self.objects.get(&key(target)).cloned() else {
            return refuse(404, "not found");
        };
        let patch: Value = serde_json::from_slice(body).unwrap();
        merge(&mut object, &patch);
        self.put(&object);
        let token = object["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].as_str();
        if let (Some(reaction), Some(token)) = (self.reaction.take(), token) {
            let mut after = object.clone();
            reaction(token, &mut after);
            self.reaction = Some(reaction);
            self.put(&after);
        }
        answer(200, &object)
    }
}

fn key(target: &Target) -> Key {
    (target.plural.clone(), target.namespace.clone().unwrap_or_default(), target.name.clone().unwrap())
}

/// RFC 7386
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(fields) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (name, value) in fields {
        if value.is_null() {
            into.as_object_mut().unwrap().shift_remove(name);
        } else {
            merge(&mut into[name.as_str()], value);
        }
    }
}

fn open(inbox: UnboundedReceiver<Bytes>) -> Response<Body> {
    let lines = stream::unfold(inbox, |mut inbox| async move {
        let line = inbox.recv().await?;
        Some((Ok(http_body::Frame::data(line)), inbox))
    });
    Response::new(StreamBody::new(lines).boxed_unsync())
}

fn refuse(code: u16, message: &str) -> Response<Body> {
    answer(code, &json!({"kind": "Status", "status": "Failure", "code": code, "message": message}))
}

fn answer(code: u16, value: &Value) -> Response<Body> {
    Response::builder().status(code).body(Full::new(Bytes::from(value.to_string())).boxed_unsync()).unwrap()
}

/// An OCIRepository that follows a tag and holds it.
pub(super) fn ocirepository(namespace: &str, name: &str) -> Value {
    let hex = "a".repeat(64);
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
        "metadata": {"name": name, "namespace": namespace, "generation": 1},
        "spec": {"url": "oci://ghcr.io/acme/app", "ref": {"tag": "1.0.0"}, "interval": "10m"},
        "status": {
            "observedGeneration": 1,
            "artifact": {"revision": format!("1.0.0@sha256:{hex}")},
            "conditions": [ready("True", "stored artifact")],
        },
    })
}

/// A Kustomization that applied what the source of the same name holds.
pub(super) fn kustomization(namespace: &str, name: &str) -> Value {
    let hex = "a".repeat(64);
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": name, "namespace": namespace, "generation": 1},
        "spec": {"sourceRef": {"kind": "OCIRepository", "name": name}, "interval": "10m", "prune": true},
        "status": {
            "observedGeneration": 1,
            "lastAppliedRevision": format!("1.0.0@sha256:{hex}"),
            "conditions": [ready("True", "Applied revision")],
        },
    })
}

pub(super) fn ready(status: &str, message: &str) -> Value {
    json!({"type": "Ready", "status": status, "reason": "Reason", "message": message, "observedGeneration": 1})
}

pub(super) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}
