//! What a page of a LIST and a line of a WATCH hold. It keeps no state: what a line means for the feed is `feed`'s.

use super::{ask, convert, crd};
use crate::domain::{
    fact::Object,
    identity::{Kind, ObjectId},
    problem::{Cause, Problem},
};
use serde_json::Value;
use std::sync::Arc;

/// Where a list stands and where it goes on.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Head {
    pub(super) version: String,
    pub(super) next: Option<String>,
}

/// Reads no item, so that the next page can be asked for before this one is converted.
pub(super) fn head(json: &[u8], what: &str) -> Result<Head, Problem> {
    let head: crd::ListHead = serde_json::from_slice(json)
        .map_err(|error| Problem::new(Cause::Invalid, what, format!("the answer is not a list: {error}")))?;
    let metadata = head.metadata.unwrap_or_default();
    Ok(Head {
        version: metadata.resource_version.unwrap_or_default().into(),
        next: metadata.next.filter(|token| !token.is_empty()).map(String::from),
    })
}

/// One line of a watch.
#[derive(Debug)]
pub(super) enum Change {
    Set(Arc<Object>),
    Gone(ObjectId),
    /// Nothing changed, and the watch lives.
    Bookmark,
    /// An object that cannot be read at all, by its name where it has one.
    Unreadable(Option<ObjectId>, Problem),
    /// The server ends the watch, with a code: 410 means that it must be listed again.
    Error(ask::Failure),
}

/// A change, and the version after it where the line tells one.
pub(super) fn change(kind: Kind, line: &[u8], what: &str) -> Result<(Change, Option<String>), Problem> {
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| Problem::new(Cause::Invalid, what, format!("not a watch event: {error}")))?;
    let object = &value["object"];
    let version = object["metadata"]["resourceVersion"].as_str().map(str::to_owned);
    let change = match value["type"].as_str().unwrap_or_default() {
        "ADDED" | "MODIFIED" => {
            let unreadable = |problem| Change::Unreadable(named(kind, object).ok(), problem);
            convert::object_of_tree(kind, object).map_or_else(unreadable, Change::Set)
        }
        "DELETED" => {
            named(kind, object).map_or_else(|problem| Change::Unreadable(None, problem), Change::Gone)
        }
        "BOOKMARK" => Change::Bookmark,
        "ERROR" => {
            let code = object["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
            Change::Error(ask::answered(code, object["message"].as_str().unwrap_or_default(), what))
        }
        other => {
            let why = format!("watch event of a kind that is not known: {other:?}");
            return Err(Problem::new(Cause::Invalid, what, why));
        }
    };
    Ok((change, version))
}

fn named(kind: Kind, object: &Value) -> Result<ObjectId, Problem> {
    let text = |key: &str| object["metadata"][key].as_str().unwrap_or_default();
    match (text("namespace"), text("name")) {
        (_, "") => Err(Problem::new(Cause::Invalid, format!("read a changed {kind}"), "it has no name")),
        (namespace, name) => Ok(ObjectId::new(kind, namespace, name)),
    }
}
