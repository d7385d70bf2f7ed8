//! Where an object stands, in one word and the controller's own reason: the rules of `design.md` §10.

use super::{
    condition::{Condition, ConditionStatus, Status},
    consumer::Consumer,
    fact::Object,
    identity::{Kind, ObjectId},
    source::Source,
    world::{Lookup, World},
};
use std::fmt;

/// Order is urgency: what needs somebody first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    Stalled,
    Failing,
    Stale,
    Terminating,
    Unknown,
    Progressing,
    Suspended,
    Ready,
}

impl Standing {
    pub const ALL: [Self; 8] = [
        Self::Stalled,
        Self::Failing,
        Self::Stale,
        Self::Terminating,
        Self::Unknown,
        Self::Progressing,
        Self::Suspended,
        Self::Ready,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Stalled => "stalled",
            Self::Failing => "failing",
            Self::Stale => "stale",
            Self::Terminating => "terminating",
            Self::Unknown => "unknown",
            Self::Progressing => "progressing",
            Self::Suspended => "suspended",
            Self::Ready => "ready",
        }
    }

    /// Somebody should look at it.
    pub const fn needs_someone(self) -> bool {
        matches!(self, Self::Stalled | Self::Failing | Self::Stale)
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A standing and why. The texts come from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub standing: Standing,
    pub reason: String,
    pub message: String,
    /// What could not be judged, e.g. that the source may not be read.
    pub note: Option<String>,
}

/// Judges an object among everything observed.
pub fn assess(world: &World, object: &Object) -> Assessment {
    let mut assessment = on_its_own(object);
    if assessment.standing != Standing::Ready {
        return assessment;
    }
    if let Object::Consumer(consumer) = object {
        match freshness(world, consumer) {
            Freshness::Fresh => {}
            Freshness::NotJudged(why) => assessment.note = Some(why),
            Freshness::Stale { reason, message } => {
                return Assessment {
                    standing: Standing::Stale,
                    reason: reason.to_owned(),
                    message,
                    note: None,
                };
            }
        }
    }
    assessment
}

/// By its own status alone: everything but *stale*.
fn on_its_own(object: &Object) -> Assessment {
    let status = object.status();
    let meta = object.meta();
    let ready = status.ready();
    let from = |standing, condition: Option<&Condition>| Assessment {
        standing,
        reason: condition.map_or_else(String::new, |c| c.reason.to_string()),
        message: condition.map_or_else(String::new, |c| c.message.to_string()),
        note: None,
    };
    let behind = is_behind(status, ready, meta.generation);
    if meta.terminating {
        return from(Standing::Terminating, ready);
    }
    if object.suspended() {
        return from(Standing::Suspended, ready);
    }
    if object.as_source().is_some_and(Source::is_static) {
        return Assessment {
            standing: Standing::Ready,
            reason: "Static".to_owned(),
            message: String::new(),
            note: None,
        };
    }
    if let Some(stalled) = status.condition("Stalled").filter(|c| c.status == ConditionStatus::True) {
        return from(Standing::Stalled, Some(stalled));
    }
    if let Some(failed) =
        ready.filter(|c| c.status == ConditionStatus::False && is_current(c, meta.generation))
    {
        return from(Standing::Failing, Some(failed));
    }
    let reconciling = status.condition("Reconciling").filter(|c| c.status == ConditionStatus::True);
    match ready.map(|c| c.status) {
        Some(ConditionStatus::Unknown) => from(Standing::Progressing, ready),
        _ if reconciling.is_some() => from(Standing::Progressing, reconciling),
        _ if behind => Assessment {
            standing: Standing::Progressing,
            reason: "GenerationNotObserved".to_owned(),
            message: "the last change of the spec has not been looked at yet".to_owned(),
            note: None,
        },
        Some(ConditionStatus::True) => from(Standing::Ready, ready),
        Some(ConditionStatus::False) => from(Standing::Failing, ready),
        None => Assessment {
            standing: Standing::Unknown,
            reason: "NotObserved".to_owned(),
            message: "no controller has said anything about this object yet".to_owned(),
            note: None,
        },
    }
}

fn is_current(condition: &Condition, generation: Option<i64>) -> bool {
    match (condition.observed_generation, generation) {
        (Some(observed), Some(generation)) => observed >= generation,
        _ => true,
    }
}

/// `observedGeneration < generation`. The CRD's default of -1 is "never", which only counts once a
/// condition is there: an object that nobody has looked at is unknown, not progressing.
fn is_behind(status: &Status, ready: Option<&Condition>, generation: Option<i64>) -> bool {
    let observed = match status.observed_generation {
        Some(observed) if observed < 0 && status.conditions.is_empty() => None,
        Some(observed) => Some(observed),
        None => ready.and_then(|c| c.observed_generation),
    };
    matches!((observed, generation), (Some(observed), Some(generation)) if observed < generation)
}

enum Freshness {
    Fresh,
    NotJudged(String),
    Stale { reason: &'static str, message: String },
}

fn freshness(world: &World, consumer: &Consumer) -> Freshness {
    let Some(id) = &consumer.source else {
        return Freshness::NotJudged("names no source that is known here".to_owned());
    };
    let source = match world.lookup(id) {
        Lookup::Gone => {
            return Freshness::Stale {
                reason: "SourceNotFound",
                message: format!("its source {id} is gone"),
            };
        }
        Lookup::Unseen if !id.kind.is_watched() => {
            return Freshness::NotJudged(format!("its source {id} is not watched: freshness not judged"));
        }
        Lookup::Unseen => {
            return Freshness::NotJudged(format!("its source {id} was not read: freshness not judged"));
        }
        Lookup::Here(object) => object,
    };
    let state = on_its_own(source);
    if matches!(state.standing, Standing::Failing | Standing::Stalled | Standing::Terminating) {
        let reason = match state.standing {
            Standing::Failing => "SourceFailing",
            Standing::Stalled => "SourceStalled",
            _ => "SourceTerminating",
        };
        let message = match state.message.as_str() {
            "" => format!("its source {id} is {}", state.standing),
            said => format!("its source {id} is {}: {said}", state.standing),
        };
        return Freshness::Stale { reason, message };
    }
    match source.as_source().and_then(|source| differs(consumer, id, source)) {
        Some(message) => Freshness::Stale { reason: "RevisionBehind", message },
        None => Freshness::Fresh,
    }
}

/// The source holds another revision than was applied: by string for a Kustomization and a HelmChart, by
/// digest for a HelmRelease (`reference/flux.md` §3.2: a new tag of the same digest does not trigger it).
fn differs(consumer: &Consumer, id: &ObjectId, source: &Source) -> Option<String> {
    let held = source.revision()?;
    let applied = match consumer.kind() {
        Kind::HelmRelease if id.kind == Kind::HelmChart => consumer.applied.last_attempted.as_ref()?.as_str(),
        Kind::HelmRelease => {
            let digest = held.digest()?;
            let tried = consumer.applied.last_attempted_digest.as_ref()?;
            return (digest != tried)
                .then(|| format!("its source {id} holds {}, tried was @{}", held.short(), tried.short()));
        }
        _ => consumer.applied.last_applied.as_ref().map_or("", |revision| revision.as_str()),
    };
    if applied == held.as_str() {
        return None;
    }
    let shown = super::revision::Revision::parse(applied).map_or_else(|| "nothing".to_owned(), |r| r.short());
    Some(format!("its source {id} holds {}, applied is {shown}", held.short()))
}
