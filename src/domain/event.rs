//! A Kubernetes Event about one object.

use jiff::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `metadata.uid`, else its name: what an update replaces.
    pub uid: Box<str>,
    pub warning: bool,
    pub reason: Box<str>,
    pub message: Box<str>,
    pub count: u64,
    pub last: Option<Timestamp>,
    pub from: Box<str>,
}
