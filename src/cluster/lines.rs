//! The lines of an open watch, as many as came together. It does not know what a line means.

use super::ask::{Failure, failed};
use crate::domain::problem::{Cause, Problem};
use http_body_util::BodyExt;
use kube::client::Body;
use std::time::Duration;
use tokio::time::timeout;

/// The API server sends a bookmark about every minute: longer silence is a dead connection.
const LONGEST_SILENCE: Duration = Duration::from_secs(90);

/// No object is larger than etcd's 1.5 MB; this leaves room for every escape.
const LONGEST_LINE: usize = 32 << 20;

pub(super) struct Lines {
    body: Body,
    rest: Vec<u8>,
}

/// What came of waiting for lines.
pub(super) enum Heard {
    Lines(Vec<Vec<u8>>),
    /// The server ended the watch, or nothing was heard for too long: it may be opened again.
    Closed,
    Failed(Failure),
}

impl Lines {
    pub(super) fn new(body: Body) -> Self {
        Self { body, rest: Vec::new() }
    }

    /// Waits for the next whole lines.
    pub(super) async fn next(&mut self, what: &str) -> Heard {
        loop {
            let frame = match timeout(LONGEST_SILENCE, self.body.frame()).await {
                Err(_) | Ok(None) => return Heard::Closed,
                Ok(Some(Err(error))) => return Heard::Failed(failed(&error, what)),
                Ok(Some(Ok(frame))) => frame,
            };
            let Ok(data) = frame.into_data() else { continue };
            self.rest.extend_from_slice(&data);
            if let Some(end) = self.rest.iter().rposition(|&b| b == b'\n') {
                let rest = self.rest.split_off(end + 1);
                let whole = std::mem::replace(&mut self.rest, rest);
                let lines = whole.split(|&b| b == b'\n').filter(|line| !line.trim_ascii().is_empty());
                return Heard::Lines(lines.map(<[u8]>::to_vec).collect());
            }
            if self.rest.len() > LONGEST_LINE {
                return Heard::Failed(Problem::new(Cause::Invalid, what, "a line without an end").into());
            }
        }
    }
}
