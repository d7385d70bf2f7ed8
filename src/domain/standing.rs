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

pub(super) fn is_current(condition: &Condition, generation: Option<i64>) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fact::{Fact, FeedId},
        problem::{Cause, Problem},
        revision::Revision,
        sample::{
            chart, condition, digest, helm_repository, id, kustomization, listed, release, release_of_chart,
            repository,
        },
    };
    use std::sync::Arc;

    type Change = fn(&mut Object);

    fn parts(object: &mut Object) -> (&mut Status, &mut crate::domain::identity::Meta, &mut bool) {
        match object {
            Object::Source(source) => (&mut source.status, &mut source.meta, &mut source.suspended),
            Object::Consumer(consumer) => (&mut consumer.status, &mut consumer.meta, &mut consumer.suspended),
        }
    }

    fn set(object: &mut Object, kind: &str, status: ConditionStatus) {
        let conditions = &mut parts(object).0.conditions;
        conditions.retain(|condition| &*condition.kind != kind);
        conditions.push(condition(kind, status, kind));
    }

    fn terminating(object: &mut Object) {
        parts(object).1.terminating = true;
    }

    fn suspended(object: &mut Object) {
        *parts(object).2 = true;
    }

    fn stalled(object: &mut Object) {
        set(object, "Stalled", ConditionStatus::True);
    }

    fn failing(object: &mut Object) {
        set(object, "Ready", ConditionStatus::False);
    }

    fn reconciling(object: &mut Object) {
        set(object, "Reconciling", ConditionStatus::True);
    }

    fn in_doubt(object: &mut Object) {
        set(object, "Ready", ConditionStatus::Unknown);
    }

    fn changed_since(object: &mut Object) {
        parts(object).1.generation = Some(2);
    }

    /// Flux leaves observedGeneration behind while a retryable failure lasts.
    fn never_observed(object: &mut Object) {
        parts(object).0.observed_generation = Some(-1);
    }

    fn not_looked_at(object: &mut Object) {
        *parts(object).0 = Status { observed_generation: Some(-1), ..Status::default() };
    }

    fn check(changes: &[Change], expected: Standing) {
        let mut object = repository("shop/app");
        for change in changes {
            change(&mut object);
        }
        let found = assess(&World::default(), &object);
        assert_eq!(found.standing, expected, "{found:?}");
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        check(&[], Standing::Ready);
        check(&[terminating, suspended, stalled, failing], Standing::Terminating);
        check(&[suspended, stalled, failing, reconciling], Standing::Suspended);
        check(&[stalled, failing, reconciling], Standing::Stalled);
        check(&[failing], Standing::Failing);
        check(&[failing, reconciling], Standing::Failing);
        check(&[failing, never_observed], Standing::Failing);
        check(&[in_doubt], Standing::Progressing);
        check(&[reconciling], Standing::Progressing);
        check(&[not_looked_at], Standing::Unknown);
    }

    #[test]
    fn a_verdict_about_an_older_spec_is_progress() {
        check(&[changed_since], Standing::Progressing);
        check(&[failing, changed_since], Standing::Progressing);
        check(&[never_observed], Standing::Progressing);
        check(&[stalled, changed_since], Standing::Stalled);
    }

    #[test]
    fn a_failure_without_a_generation_is_current() {
        let mut object = repository("shop/app");
        failing(&mut object);
        parts(&mut object).0.conditions[0].observed_generation = None;
        assert_eq!(assess(&World::default(), &object).standing, Standing::Failing);
    }

    #[test]
    fn a_static_repository_is_ready_whatever_its_old_conditions_say() {
        let mut object = helm_repository("shop/charts");
        failing(&mut object);
        let found = assess(&World::default(), &object);
        assert_eq!((found.standing, found.reason.as_str()), (Standing::Ready, "Static"));
    }

    fn judged(source: Option<Object>, consumer: Object) -> Assessment {
        let consumer = Arc::new(consumer);
        let world = listed(source.into_iter().chain([(*consumer).clone()]).collect());
        assess(&world, &consumer)
    }

    fn with(mut object: Object, change: Change) -> Object {
        change(&mut object);
        object
    }

    fn holding(mut object: Object, revision: &str) -> Object {
        if let Object::Source(Source { artifact: Some(artifact), .. }) = &mut object {
            artifact.revision = Revision::parse(revision);
        }
        object
    }

    fn check_stale(source: Option<Object>, consumer: Object, reason: &str) {
        let found = judged(source, consumer);
        assert_eq!((found.standing, found.reason.as_str()), (Standing::Stale, reason), "{found:?}");
    }

    fn check_fresh(source: Object, consumer: Object) {
        let found = judged(Some(source), consumer);
        assert_eq!((found.standing, found.note.as_ref()), (Standing::Ready, None), "{found:?}");
    }

    #[test]
    fn a_consumer_is_stale_when_its_source_does_not_stand() {
        let source = || repository("shop/app");
        let consumer = || kustomization("shop/app", "shop/app");
        check_fresh(source(), consumer());
        check_stale(None, consumer(), "SourceNotFound");
        check_stale(Some(with(source(), failing)), consumer(), "SourceFailing");
        check_stale(Some(with(source(), stalled)), consumer(), "SourceStalled");
        check_stale(Some(with(source(), terminating)), consumer(), "SourceTerminating");
        check_fresh(with(source(), suspended), consumer());
        check_fresh(with(source(), reconciling), consumer());
    }

    #[test]
    fn a_kustomization_is_stale_by_the_whole_revision() {
        let held = |revision: &str| Some(holding(repository("shop/app"), revision));
        let consumer = || kustomization("shop/app", "shop/app");
        check_stale(held(&format!("2.0.0@{}", digest('b'))), consumer(), "RevisionBehind");
        check_stale(held(&format!("1.0.1@{}", digest('a'))), consumer(), "RevisionBehind");
    }

    #[test]
    fn a_release_is_stale_by_the_digest_alone() {
        let moved = holding(repository("shop/app"), &format!("1.0.1@{}", digest('a')));
        check_fresh(moved, release("shop/app", "shop/app"));
        let newer = holding(repository("shop/app"), &format!("1.0.0@{}", digest('b')));
        check_stale(Some(newer), release("shop/app", "shop/app"), "RevisionBehind");
    }

    #[test]
    fn a_release_of_a_chart_is_stale_by_the_charts_version() {
        let charts = || chart("shop/app", "shop/charts");
        check_fresh(charts(), release_of_chart("shop/app", "shop/app"));
        let newer = holding(charts(), "1.1.0");
        check_stale(Some(newer), release_of_chart("shop/app", "shop/app"), "RevisionBehind");
        check_stale(Some(with(charts(), failing)), release_of_chart("shop/app", "shop/app"), "SourceFailing");
    }

    #[test]
    fn what_fails_by_itself_is_not_called_stale() {
        let consumer = with(kustomization("shop/app", "shop/app"), failing);
        assert_eq!(judged(None, consumer).standing, Standing::Failing);
    }

    #[test]
    fn a_source_that_is_not_watched_or_may_not_be_read_makes_nothing_stale() {
        let mut by_git = kustomization("shop/app", "shop/app");
        if let Object::Consumer(consumer) = &mut by_git {
            consumer.source = Some(id(Kind::GitRepository, "shop/app"));
        }
        let found = judged(None, by_git);
        assert_eq!(found.standing, Standing::Ready);
        assert!(found.note.unwrap().contains("not watched"));

        let mut world = World::default();
        let feed = FeedId { kind: Kind::OciRepository, namespace: None };
        let problem = Problem::new(Cause::Forbidden, "list ocirepositories", "403 Forbidden");
        world.observe(Fact::Refused { feed, problem });
        let found = assess(&world, &kustomization("shop/app", "shop/app"));
        assert_eq!(found.standing, Standing::Ready);
        assert!(found.note.unwrap().contains("was not read"));
    }
}
