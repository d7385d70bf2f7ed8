//! Making Flux act: which objects are asked in which order, what is sent, and when it has landed.
//! It decides; it sends nothing and reads no clock.

use super::{
    condition::ConditionStatus,
    fact::Object,
    identity::{Kind, ObjectId},
    problem::{Cause, Problem},
    source::Source,
    standing::{Standing, assess, is_current},
    world::{Lookup, World, takes_from},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Field manager of every write. Must not look like `kubectl`: Flux strips fields of that manager.
pub const FIELD_MANAGER: &str = "fluxscope";

/// A merge patch of one object: all that fluxscope ever sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    pub object: ObjectId,
    pub body: Value,
}

impl Patch {
    /// Asks for a reconcile with a token that must be new (`reference/flux.md` §4.1).
    pub fn reconcile(object: ObjectId, token: &str) -> Self {
        let body = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
        Self { object, body }
    }

    /// `PATCH kustomizations/podinfo -n shop  {...}`: exactly what would be sent.
    pub fn words(&self) -> String {
        format!("{}  {}", self.request(), self.body)
    }

    /// `PATCH kustomizations/podinfo -n shop`: the same without its body.
    pub fn request(&self) -> String {
        let id = &self.object;
        format!("PATCH {}.{}/{} -n {}", id.kind.plural(), id.kind.group(), id.name, id.namespace)
    }

    /// The same with kubectl.
    pub fn kubectl(&self) -> String {
        let id = &self.object;
        format!(
            "kubectl patch {}.{} {} -n {} --type merge --field-manager {FIELD_MANAGER} -p '{}'",
            id.kind.plural(),
            id.kind.group(),
            id.name,
            id.namespace,
            self.body
        )
    }
}

/// A token for `requestedAt`: RFC 3339 with nanoseconds.
pub fn token(now: Timestamp) -> String {
    format!("{now:.9}")
}

/// One object in the order of a reconcile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leg {
    Reconcile(ObjectId),
    /// Left out, with the reason in words.
    Skip {
        object: ObjectId,
        why: String,
    },
}

/// Sources first, the target last (`reference/flux.md` §4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub target: ObjectId,
    pub legs: Vec<Leg>,
}

impl Plan {
    /// What will be sent, in order, if the token is `token`.
    pub fn patches(&self, token: &str) -> Vec<Patch> {
        self.legs
            .iter()
            .filter_map(|leg| match leg {
                Leg::Reconcile(id) => Some(Patch::reconcile(id.clone(), token)),
                Leg::Skip { .. } => None,
            })
            .collect()
    }
}

/// Objects that must be read before [`plan`] can decide; ask again after each was read.
pub fn unread(world: &World, target: &ObjectId, with_source: bool) -> Option<ObjectId> {
    let chain = if with_source { world.chain(target) } else { vec![target.clone()] };
    chain.into_iter().find(|id| matches!(world.lookup(id), Lookup::Unseen))
}

/// The order in which Flux's own CLI would reconcile, or why nothing is sent at all.
pub fn plan(world: &World, target: &ObjectId, with_source: bool) -> Result<Plan, Problem> {
    let what = format!("reconcile {target}");
    let object = existing(world, target, &what)?;
    if with_source && target.kind.is_source() && target.kind != Kind::HelmChart {
        return plan(world, target, false);
    }
    refuse_unless_reconcilable(object, &what)?;
    let mut legs = vec![Leg::Reconcile(target.clone())];
    if with_source {
        let chain = world.chain(target);
        if chain.len() == 1 && takes_from(object).is_none() {
            return Err(Problem::new(Cause::Refused, what, "it names no source that can be reconciled"));
        }
        for id in &chain[1..] {
            legs.insert(0, source_leg(world, id, &what)?);
        }
    }
    Ok(Plan { target: target.clone(), legs })
}

fn source_leg(world: &World, id: &ObjectId, what: &str) -> Result<Leg, Problem> {
    if id.kind == Kind::ExternalArtifact {
        let why = "cannot reconcile source of kind ExternalArtifact";
        return Err(Problem::new(Cause::Refused, what, why).with_hint("reconcile without its source"));
    }
    let object = existing(world, id, what)?;
    if object.as_source().is_some_and(Source::is_static) {
        let why = "a HelmRepository of type oci is static: there is nothing to reconcile".to_owned();
        return Ok(Leg::Skip { object: id.clone(), why });
    }
    refuse_unless_reconcilable(object, what)?;
    Ok(Leg::Reconcile(id.clone()))
}

fn existing<'a>(world: &'a World, id: &ObjectId, what: &str) -> Result<&'a Object, Problem> {
    match world.lookup(id) {
        Lookup::Here(object) => Ok(object),
        Lookup::Gone => Err(Problem::new(Cause::NotFound, what, format!("{id} does not exist"))),
        Lookup::Unseen => Err(Problem::new(Cause::Other, what, format!("{id} was not read"))),
    }
}

fn refuse_unless_reconcilable(object: &Object, what: &str) -> Result<(), Problem> {
    let id = object.id();
    if object.suspended() {
        let problem = Problem::new(Cause::Refused, what, format!("{id} is suspended"));
        return Err(
            problem.with_hint("resume it first: a suspended object answers the request and does nothing")
        );
    }
    if object.as_source().is_some_and(Source::is_static) {
        return Err(Problem::new(
            Cause::Refused,
            what,
            format!("{id} is static: it has nothing to reconcile"),
        ));
    }
    if id.kind == Kind::ExternalArtifact {
        return Err(Problem::new(
            Cause::Refused,
            what,
            format!("{id} is made by another controller: reconcile that"),
        ));
    }
    if object.meta().terminating {
        return Err(Problem::new(Cause::Refused, what, format!("{id} is being deleted")));
    }
    Ok(())
}

/// What happened on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The patch was accepted.
    Requested,
    /// The controller echoed the token.
    Handled,
    /// Handled, and Ready is Unknown: it goes on.
    Progressing,
    /// A source is Ready: this is what it holds.
    Stored,
    /// A consumer is Ready: this is what it applied.
    Applied,
    Failed,
    Skipped,
    /// Nothing was sent: the object may not be reconciled, or the patch was refused.
    Refused,
    TimedOut,
    /// The object can no longer be followed.
    Lost,
}

impl What {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Handled => "handled",
            Self::Progressing => "progressing",
            Self::Stored => "stored",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Refused => "refused",
            Self::TimedOut => "timed-out",
            Self::Lost => "lost",
        }
    }

    /// Nothing more will happen to this object.
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Requested | Self::Handled | Self::Progressing)
    }

    pub const fn is_success(self) -> bool {
        matches!(self, Self::Stored | Self::Applied | Self::Skipped)
    }
}

/// One step of an action, as told to a person or a script.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub object: ObjectId,
    pub what: What,
    pub at: Timestamp,
    /// Since the request for this object.
    pub elapsed: std::time::Duration,
    pub revision: Option<String>,
    pub message: Option<String>,
}

/// Follows one object from the request to its end.
#[derive(Debug, Clone)]
pub struct Follower {
    token: String,
    handled: bool,
    progressing: bool,
}

/// What an observation of the followed object means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub what: What,
    pub revision: Option<String>,
    pub message: Option<String>,
}

impl Follower {
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into(), handled: false, progressing: false }
    }

    pub fn is_handled(&self) -> bool {
        self.handled
    }

    /// What this observation adds; empty while nothing new is known. The last element may be an end.
    ///
    /// After the echo Ready=False ends at once with its message; Unknown is followed; a suspended object echoes too and
    /// does nothing (`reference/flux.md` §4.3).
    pub fn observe(&mut self, object: &Object) -> Vec<Seen> {
        let status = object.status();
        let mut seen = Vec::new();
        let under_way = self.handled;
        if !self.handled {
            if status.last_handled_reconcile_at.as_deref() != Some(self.token.as_str()) {
                return seen;
            }
            self.handled = true;
            seen.push(Seen { what: What::Handled, revision: None, message: None });
        }
        if object.suspended() {
            let words = if under_way {
                "was suspended meanwhile: how it would have ended is not known"
            } else {
                "was suspended meanwhile: it answered and did nothing"
            };
            seen.push(Seen { what: What::Refused, revision: None, message: Some(words.to_owned()) });
            return seen;
        }
        let revision = object.revision().map(|revision| revision.as_str().to_owned());
        let ready = status.ready();
        let message = ready.map(|c| c.message.to_string());
        let current = ready.is_some_and(|ready| is_current(ready, object.meta().generation));
        match ready.map(|c| c.status) {
            Some(ConditionStatus::True) if current => {
                let what = if object.id().kind.is_source() { What::Stored } else { What::Applied };
                seen.push(Seen { what, revision, message });
            }
            Some(ConditionStatus::False) if current => {
                seen.push(Seen { what: What::Failed, revision, message });
            }
            _ if status.is_true("Stalled") => {
                let message = status.condition("Stalled").map(|c| c.message.to_string());
                seen.push(Seen { what: What::Failed, revision, message });
            }
            _ if !self.progressing => {
                self.progressing = true;
                seen.push(Seen { what: What::Progressing, revision: None, message });
            }
            _ => {}
        }
        seen
    }
}

/// Where the target stood when the action ended, for a summary.
pub fn ended_as(world: &World, target: &ObjectId) -> (Standing, String) {
    match world.get(target) {
        Some(object) => {
            let assessment = assess(world, object);
            (assessment.standing, assessment.message)
        }
        None => (Standing::Unknown, String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::{
        chart, helm_repository, id, kustomization, listed, release_of_chart, repository,
    };

    fn suspended(mut object: Object) -> Object {
        match &mut object {
            Object::Source(source) => source.suspended = true,
            Object::Consumer(consumer) => consumer.suspended = true,
        }
        object
    }

    /// The order in words, or why nothing is sent.
    fn check(objects: Vec<Object>, target: (Kind, &str), with_source: bool, expected: &str) {
        let words = match plan(&listed(objects), &id(target.0, target.1), with_source) {
            Ok(plan) => plan
                .legs
                .iter()
                .map(|leg| match leg {
                    Leg::Reconcile(id) => id.to_string(),
                    Leg::Skip { object, .. } => format!("(skip {object})"),
                })
                .collect::<Vec<_>>()
                .join(", "),
            Err(problem) => problem.why,
        };
        assert_eq!(words, expected);
    }

    #[test]
    fn sources_come_first_and_a_static_repository_is_skipped() {
        let ks = (Kind::Kustomization, "shop/k");
        check(vec![repository("shop/a"), kustomization("shop/k", "shop/a")], ks, false, "ks shop/k");
        check(
            vec![repository("shop/a"), kustomization("shop/k", "shop/a")],
            ks,
            true,
            "ocirepo shop/a, ks shop/k",
        );
        let all =
            vec![helm_repository("shop/r"), chart("shop/c", "shop/r"), release_of_chart("shop/h", "shop/c")];
        let hr = (Kind::HelmRelease, "shop/h");
        check(all, hr, true, "(skip helmrepo shop/r), hc shop/c, hr shop/h");
    }

    #[test]
    fn what_cannot_be_reconciled_is_refused_with_words() {
        let ks = (Kind::Kustomization, "shop/k");
        let k = || kustomization("shop/k", "shop/a");
        check(vec![repository("shop/a"), suspended(k())], ks, false, "ks shop/k is suspended");
        check(vec![suspended(repository("shop/a")), k()], ks, true, "ocirepo shop/a is suspended");
        check(vec![suspended(repository("shop/a")), k()], ks, false, "ks shop/k");
        check(vec![k()], ks, true, "ocirepo shop/a does not exist");
        check(vec![], ks, true, "ks shop/k does not exist");
        let static_one = (Kind::HelmRepository, "shop/r");
        check(
            vec![helm_repository("shop/r")],
            static_one,
            false,
            "helmrepo shop/r is static: it has nothing to reconcile",
        );
    }

    #[test]
    fn a_source_of_kind_external_artifact_cannot_be_reconciled() {
        let mut k = kustomization("shop/k", "shop/a");
        if let Object::Consumer(consumer) = &mut k {
            consumer.source = Some(id(Kind::ExternalArtifact, "shop/a"));
        }
        let expected = "cannot reconcile source of kind ExternalArtifact";
        check(vec![k], (Kind::Kustomization, "shop/k"), true, expected);
    }

    #[test]
    fn a_suspended_object_that_echoes_has_done_nothing() {
        let echoed = |mut object: Object| {
            if let Object::Consumer(consumer) = &mut object {
                consumer.status.last_handled_reconcile_at = Some("token".into());
            }
            object
        };
        let mut follower = Follower::new("token");
        let k = || kustomization("shop/k", "shop/a");
        assert_eq!(follower.observe(&suspended(k())), [], "it has not answered yet");
        let seen = follower.observe(&echoed(suspended(k())));
        assert_eq!(seen.iter().map(|seen| seen.what).collect::<Vec<_>>(), [What::Handled, What::Refused]);
        assert_eq!(seen[1].message.as_deref(), Some("was suspended meanwhile: it answered and did nothing"));
    }

    #[test]
    fn the_patch_holds_the_annotation_and_nothing_else() {
        let patch = Patch::reconcile(id(Kind::OciRepository, "shop/a"), "2026-11-20T10:00:00.123456789Z");
        assert_eq!(
            patch.words(),
            "PATCH ocirepositories.source.toolkit.fluxcd.io/a -n shop  \
             {\"metadata\":{\"annotations\":{\"reconcile.fluxcd.io/requestedAt\":\"2026-11-20T10:00:00.123456789Z\"}}}"
        );
        assert_eq!(token(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000000000Z");
    }
}
