//! Single objects: read one, follow one, patch one. The merge patch here is the only write there is.

use super::{
    ask::{self, Api, Failure, with_query},
    convert,
    lines::{Heard, Lines},
    page::{self, Change},
    relay::{Answers, Grace},
};
use crate::domain::{
    action::{FIELD_MANAGER, Patch},
    fact::Object,
    identity::ObjectId,
    problem::{Cause, Problem},
};
use serde::Deserialize;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// How often an object is read that may not be watched.
const POLL: Duration = Duration::from_secs(2);

/// Seconds after which the API server ends the watch of one object.
const WATCH_SECONDS: &str = "290";

pub(super) async fn fetch(api: &Api, id: &ObjectId) -> Result<Arc<Object>, Problem> {
    let (value, _) = read(api, id).await?;
    convert::object_of_tree(id.kind, &value)
}

/// The object as the API server prints it, without `managedFields`.
pub(super) async fn raw(api: &Api, id: &ObjectId) -> Result<Value, Problem> {
    let (mut value, _) = read(api, id).await?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("managedFields");
    }
    Ok(value)
}

pub(super) async fn patch(api: &Api, patch: &Patch) -> Result<(), Problem> {
    let what = format!("patch {}", patch.object);
    let mut missing = None;
    for version in patch.object.kind.versions() {
        let object = ask::object(&patch.object, version);
        let target = with_query(&object, &[("fieldManager", FIELD_MANAGER)]);
        match api.merge_patch(&target, patch.body.to_string().into_bytes(), &what).await {
            Err(failure) if failure.code == Some(404) => missing = missing.or(Some(failure.problem)),
            Err(failure) if failure.code == Some(403) => {
                let kind = patch.object.kind;
                let hint = format!("the verb patch on {}.{} is missing", kind.plural(), kind.group());
                return Err(failure.problem.with_hint(hint));
            }
            other => return other.map_err(Problem::from),
        }
    }
    Err(missing.unwrap_or_else(|| not_found(&what)))
}

fn not_found(what: &str) -> Problem {
    Problem::new(Cause::NotFound, what, "it does not exist")
}

/// The document, and the version in which it is served.
async fn read(api: &Api, id: &ObjectId) -> Result<(Value, &'static str), Failure> {
    let what = format!("read {id}");
    let mut missing = None;
    for version in id.kind.versions() {
        match api.get(&ask::object(id, version), &what).await {
            Err(failure) if failure.code == Some(404) => missing = missing.or(Some(failure)),
            Err(failure) => return Err(failure),
            Ok(body) => {
                let value = serde_json::from_slice(&body)
                    .map_err(|error| Problem::new(Cause::Invalid, what, error.to_string()))?;
                return Ok((value, version));
            }
        }
    }
    Err(missing.unwrap_or_else(|| not_found(&what).into()))
}

/// The object now and after every change, through restarts of the API server.
pub(super) async fn follow(api: Api, id: ObjectId, answers: Answers<Arc<Object>>) -> Result<(), Problem> {
    let mut grace = Grace::default();
    let mut known = String::new();
    loop {
        let (value, served) = match read(&api, &id).await {
            Ok(read) => read,
            Err(failure) => {
                grace.bear(failure).await?;
                continue;
            }
        };
        let version = value["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if version.is_empty() || version != known {
            known = version.to_owned();
            let object = convert::object_of_tree(id.kind, &value)?;
            if answers.send(Ok(object)).await.is_err() {
                return Ok(());
            }
        }
        let opened = Instant::now();
        let ended = watched(&api, &id, served, &mut known, &answers).await;
        let lived = opened.elapsed() > POLL;
        if lived {
            grace.answered();
        }
        match ended {
            Ok(Watched::Unheard) => return Ok(()),
            Ok(Watched::Closed) if lived => {}
            Ok(Watched::Closed) => sleep(POLL).await,
            // who may read and not watch sees it all the same
            Err(failure) if failure.code == Some(403) => sleep(POLL).await,
            // too old a version: it is read again
            Err(failure) if failure.code == Some(410) => known.clear(),
            Err(failure) => grace.bear(failure).await?,
        }
    }
}

enum Watched {
    Closed,
    Unheard,
}

async fn watched(
    api: &Api,
    id: &ObjectId,
    served: &str,
    known: &mut String,
    answers: &Answers<Arc<Object>>,
) -> Result<Watched, Failure> {
    let what = format!("follow {id}");
    let selector = format!("metadata.name={}", id.name);
    let path = with_query(
        &ask::collection(id.kind, served, Some(&id.namespace)),
        &[
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", WATCH_SECONDS),
            ("fieldSelector", &selector),
            ("resourceVersion", known),
        ],
    );
    let mut lines = Lines::new(api.watch(&path, &what).await?);
    loop {
        let heard = match lines.next(&what).await {
            Heard::Closed => return Ok(Watched::Closed),
            Heard::Failed(failure) if failure.code.is_none() => return Ok(Watched::Closed),
            Heard::Failed(failure) => return Err(failure),
            Heard::Lines(lines) => lines,
        };
        for line in heard {
            let (change, version) = page::change(id.kind, &line, &what)?;
            let object = match change {
                Change::Set(object) if object.id() == id => object,
                Change::Gone(gone) if gone == *id => {
                    return Err(Problem::new(Cause::NotFound, what, "it was deleted").into());
                }
                Change::Set(_) | Change::Gone(_) | Change::Bookmark => continue,
                Change::Unreadable(_, problem) => return Err(problem.into()),
                Change::Error(failure) => return Err(failure),
            };
            *known = version.unwrap_or_default();
            if answers.send(Ok(object)).await.is_err() {
                return Ok(Watched::Unheard);
            }
        }
    }
}

#[derive(Deserialize)]
struct Names {
    #[serde(default)]
    items: Vec<NamedItem>,
}

#[derive(Deserialize)]
struct NamedItem {
    metadata: ItemMetadata,
}

#[derive(Deserialize)]
struct ItemMetadata {
    name: String,
}

/// Names of all namespaces, sorted.
pub(super) async fn namespaces(api: &Api) -> Result<Vec<String>, Problem> {
    let what = "list namespaces";
    let mut names = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let mut query = vec![("limit", "500")];
        query.extend(next.as_deref().map(|token| ("continue", token)));
        let body = api.get(&with_query("/api/v1/namespaces", &query), what).await?;
        let page: Names = serde_json::from_slice(&body)
            .map_err(|error| Problem::new(Cause::Invalid, what, error.to_string()))?;
        names.extend(page.items.into_iter().map(|item| item.metadata.name));
        let after = page::head(&body, what)?.next;
        if after.is_none() || after == next {
            names.sort();
            return Ok(names);
        }
        next = after;
    }
}
