//! The events about one object, whole and newest first after every change. It judges none of them.

use super::{
    ask::{self, Api, Failure, with_query},
    convert,
    lines::{Heard, Lines},
    page,
    relay::{Answers, Grace},
};
use crate::domain::{
    event::Event,
    identity::ObjectId,
    problem::{Cause, Problem},
};
use serde_json::Value;
use std::collections::HashMap;
use tokio::time::Instant;

/// More than this nobody reads; the API server keeps them for an hour.
const MOST: usize = 200;

/// Pages of 500: events are not listed by time, so all are read before the newest are known.
const MOST_PAGES: usize = 8;

type Known = HashMap<Box<str>, Event>;

pub(super) async fn follow(api: Api, id: ObjectId, answers: Answers<Vec<Event>>) -> Result<(), Problem> {
    let mut grace = Grace::default();
    loop {
        let (mut known, version) = match list(&api, &id).await {
            Ok(listed) => listed,
            Err(failure) => {
                grace.outlast(readable(failure), &answers).await?;
                continue;
            }
        };
        if answers.send(Ok(newest(&known))).await.is_err() {
            return Ok(());
        }
        if let Some(ended) = watch(&api, &id, &version, &mut known, &answers, &mut grace).await? {
            return ended;
        }
    }
}

/// Reopens the watch until it has to be listed again (None) or nobody listens.
async fn watch(
    api: &Api,
    id: &ObjectId,
    version: &str,
    known: &mut Known,
    answers: &Answers<Vec<Event>>,
    grace: &mut Grace,
) -> Result<Option<Result<(), Problem>>, Problem> {
    let mut version = version.to_owned();
    loop {
        let opened = Instant::now();
        let ended = watched(api, id, &mut version, known, answers).await;
        if opened.elapsed().as_secs() > 1 {
            grace.answered();
        }
        match ended {
            Ok(Watched::Unheard) => return Ok(Some(Ok(()))),
            Ok(Watched::Closed) => {
                let pause = Problem::new(Cause::Unreachable, what(id), "the watch ends at once");
                grace.outlast(pause.into(), answers).await?;
            }
            Err(failure) if failure.code == Some(410) => return Ok(None),
            Err(failure) => grace.outlast(readable(failure), answers).await?,
        }
        // whoever was told that nothing answers is given the whole list again
        if grace.is_told() {
            return Ok(None);
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
    version: &mut String,
    known: &mut Known,
    answers: &Answers<Vec<Event>>,
) -> Result<Watched, Failure> {
    let what = what(id);
    let query = [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", "290")];
    let path = path(id, &[&query[..], &[("resourceVersion", version.as_str())]].concat());
    let mut lines = Lines::new(api.watch(&path, &what).await?);
    loop {
        let heard = match lines.next(&what).await {
            Heard::Closed => return Ok(Watched::Closed),
            Heard::Failed(failure) if failure.code.is_none() => return Ok(Watched::Closed),
            Heard::Failed(failure) => return Err(failure),
            Heard::Lines(lines) => lines,
        };
        let mut changed = false;
        for line in heard {
            changed |= learn(known, &line, version, &what)?;
        }
        if changed && answers.send(Ok(newest(known))).await.is_err() {
            return Ok(Watched::Unheard);
        }
    }
}

/// True if the line adds, changes or ends an event.
fn learn(known: &mut Known, line: &[u8], version: &mut String, what: &str) -> Result<bool, Failure> {
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| Problem::new(Cause::Invalid, what, format!("not a watch event: {error}")))?;
    let object = &value["object"];
    let kind = value["type"].as_str().unwrap_or_default();
    if kind == "ERROR" {
        let code = object["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
        return Err(ask::answered(code, object["message"].as_str().unwrap_or_default(), what));
    }
    if let Some(after) = object["metadata"]["resourceVersion"].as_str() {
        after.clone_into(version);
    }
    let Some(event) = convert::event_in(object) else { return Ok(false) };
    Ok(match kind {
        "ADDED" | "MODIFIED" => {
            let before = known.insert(event.uid.clone(), event.clone());
            before.as_ref() != Some(&event)
        }
        "DELETED" => known.remove(&event.uid).is_some(),
        _ => false,
    })
}

async fn list(api: &Api, id: &ObjectId) -> Result<(Known, String), Failure> {
    let what = what(id);
    let mut known = Known::new();
    let mut next: Option<String> = None;
    let mut version = String::new();
    for _ in 0..MOST_PAGES {
        let mut query = vec![("limit", "500")];
        query.extend(next.as_deref().map(|token| ("continue", token)));
        let body = api.get(&path(id, &query), &what).await?;
        let page: Value = serde_json::from_slice(&body)
            .map_err(|error| Problem::new(Cause::Invalid, what.as_str(), error.to_string()))?;
        let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        known.extend(items.iter().filter_map(convert::event_in).map(|event| (event.uid.clone(), event)));
        let head = page::head(&body, &what)?;
        version = head.version;
        next = head.next;
        if next.is_none() {
            break;
        }
    }
    Ok((known, version))
}

fn newest(known: &Known) -> Vec<Event> {
    let mut events: Vec<Event> = known.values().cloned().collect();
    events.sort_by(|a, b| b.last.cmp(&a.last).then_with(|| a.uid.cmp(&b.uid)));
    events.truncate(MOST);
    events
}

fn what(id: &ObjectId) -> String {
    format!("read the events of {id}")
}

fn path(id: &ObjectId, query: &[(&str, &str)]) -> String {
    let selector = format!(
        "involvedObject.kind={},involvedObject.name={},involvedObject.namespace={}",
        id.kind.name(),
        id.name,
        id.namespace
    );
    let collection = format!("/api/v1/namespaces/{}/events", ask::segment(&id.namespace));
    with_query(&collection, &[query, &[("fieldSelector", &selector)]].concat())
}

fn readable(failure: Failure) -> Failure {
    if failure.code != Some(403) {
        return failure;
    }
    let problem = failure.problem.with_hint("the verbs list and watch on events are missing");
    Failure { problem, ..failure }
}
