//! What a controller says of an object: conditions and the generation it has seen.

use jiff::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// One entry of `status.conditions` (Kubernetes `metav1.Condition`).
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// `type`: Ready, Stalled, FetchFailed, ...
    pub kind: Box<str>,
    pub status: ConditionStatus,
    pub reason: Box<str>,
    /// Whole, as the controller wrote it; text from outside.
    pub message: Box<str>,
    pub observed_generation: Option<i64>,
    pub since: Option<Timestamp>,
}

/// The part of a status that all Flux kinds share.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status {
    pub conditions: Vec<Condition>,
    /// Absent, or -1 by the CRD's default, until a controller has finished with the object once.
    pub observed_generation: Option<i64>,
    /// Echo of the last `requestedAt` token (`reference/flux.md` §4.1).
    pub last_handled_reconcile_at: Option<Box<str>>,
}

impl Status {
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| &*condition.kind == kind)
    }

    pub fn ready(&self) -> Option<&Condition> {
        self.condition("Ready")
    }

    pub fn is_true(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition.status == ConditionStatus::True)
    }
}

impl ConditionStatus {
    pub const fn word(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// True for the condition types whose presence as `True` means trouble (`reference/flux.md` §1.8, §3).
pub fn is_abnormal(kind: &str) -> bool {
    matches!(
        kind,
        "Stalled" | "FetchFailed" | "StorageOperationFailed" | "ArtifactOutdated" | "BuildFailed" | "Drifted"
    )
}
