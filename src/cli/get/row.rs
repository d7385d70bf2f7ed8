//! One object as `get` tells it: the fields of a script and the cells of a person, from the same judgement.

use super::newest::Newest;
use crate::{
    cli::output::{problem_fields, shortened},
    domain::{
        Timestamp,
        digest::Digest,
        fact::Object,
        identity::ObjectId,
        problem::{Cause, Problem},
        revision::Revision,
        source::Follows,
        standing::{Assessment, assess},
        world::{World, takes_from},
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Room for a message where the table is not wide.
const MESSAGE: usize = 80;

pub(super) struct Row {
    pub(super) object: Arc<Object>,
    assessment: Assessment,
    newest: Option<String>,
    /// The same as a person reads it: with what Flux would take.
    newest_words: Option<String>,
    /// The registry was asked and gave no whole answer.
    unanswered: bool,
    problem: Option<Problem>,
}

/// Which columns there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a column that is there or not, in any combination"
)]
pub(super) struct Shape {
    pub(super) namespace: bool,
    pub(super) kind: bool,
    pub(super) follows: bool,
    pub(super) source: bool,
    pub(super) newest: bool,
    pub(super) wide: bool,
}

impl Row {
    pub(super) fn new(world: &World, object: Arc<Object>, newest: &Newest) -> Self {
        let assessment = assess(world, &object);
        let asked = newest.of(world, &object);
        let problem = problem(&object, &assessment, asked.and_then(Result::err));
        let unanswered = asked.is_some_and(|answer| answer.is_err());
        let tag = asked.and_then(Result::ok).flatten().map(str::to_owned);
        let newest_words = newest.words(world, &object);
        Self { object, assessment, newest: tag, newest_words, unanswered, problem }
    }

    pub(super) fn id(&self) -> &ObjectId {
        self.object.id()
    }

    /// One item of an ObjectList (`design.md` §9).
    pub(super) fn fields(&self) -> Value {
        let id = self.id();
        let follows = self.follows();
        let revision = self.object.revision();
        json!({
            "kind": id.kind.name(),
            "namespace": &*id.namespace,
            "name": &*id.name,
            "standing": self.assessment.standing.word(),
            "reason": self.assessment.reason,
            "message": self.assessment.message,
            "followsBy": follows.as_ref().map(Follows::by),
            "follows": follows.as_ref().map(Follows::text),
            "revision": revision.map(Revision::as_str),
            "tag": revision.and_then(|revision| revision.tag()),
            "digest": self.digest(),
            "source": takes_from(&self.object).as_ref().map(reference),
            "newest": self.newest,
            "problem": self.problem.as_ref().map(problem_fields),
        })
    }

    /// `kustomization.kustomize.toolkit.fluxcd.io/podinfo`, as kubectl writes names.
    pub(super) fn resource(&self) -> String {
        let id = self.id();
        let kind = id.kind.name().to_ascii_lowercase();
        crate::cli::safe_line(&format!("{kind}.{}/{}", id.kind.group(), id.name))
    }

    pub(super) fn cells(&self, shape: Shape) -> Vec<String> {
        self.cells_as(shape, self.assessment.standing.word())
    }

    /// The last that was known of an object that is no more.
    pub(super) fn cells_deleted(&self, shape: Shape) -> Vec<String> {
        self.cells_as(shape, "deleted")
    }

    fn cells_as(&self, shape: Shape, standing: &str) -> Vec<String> {
        let id = self.id();
        let revision = self.object.revision();
        let source = takes_from(&self.object);
        let mut cells = vec![id.name.to_string(), standing.to_owned()];
        if shape.kind {
            cells.insert(0, id.kind.name().to_owned());
        }
        if shape.namespace {
            cells.insert(0, id.namespace.to_string());
        }
        if shape.wide {
            cells.push(self.assessment.reason.clone());
        }
        if shape.follows {
            cells.push(self.followed(shape.wide));
        }
        cells.push(revision.map_or_else(String::new, |revision| {
            if shape.wide { revision.as_str().to_owned() } else { revision.short() }
        }));
        if shape.wide && shape.source {
            cells.push(source.map_or_else(String::new, |source| source.to_string()));
        }
        if shape.newest {
            cells.push(self.newest_cell());
        }
        if shape.wide {
            cells.push(age(self.object.meta().created));
        }
        cells.push(if shape.wide { self.message() } else { shortened(&self.message(), MESSAGE) });
        cells
    }

    fn follows(&self) -> Option<Follows> {
        self.object.as_source()?.follows()
    }

    fn followed(&self, wide: bool) -> String {
        match self.follows() {
            Some(follows) if wide => format!("{} {}", follows.by(), follows.text()),
            Some(Follows::Digest(text)) => shortened(&text, 20),
            Some(follows) => follows.text().to_owned(),
            None => String::new(),
        }
    }

    /// A HelmRelease's version carries no digest: Flux records it beside.
    fn digest(&self) -> Option<&str> {
        let digest = match &*self.object {
            Object::Source(source) => source.revision()?.digest(),
            Object::Consumer(consumer) => consumer.digest(),
        };
        digest.map(Digest::as_str)
    }

    fn newest_cell(&self) -> String {
        if self.unanswered {
            "could not ask".to_owned()
        } else {
            self.newest_words.clone().unwrap_or_default()
        }
    }

    fn message(&self) -> String {
        match (&self.problem, self.assessment.message.as_str()) {
            (None, message) => message.to_owned(),
            (Some(problem), "") => format!("({})", problem.why),
            (Some(problem), message) => format!("{message} ({})", problem.why),
        }
    }
}

impl Shape {
    pub(super) fn header(self) -> Vec<&'static str> {
        let columns = [
            (self.namespace, "NAMESPACE"),
            (self.kind, "KIND"),
            (true, "NAME"),
            (true, "STANDING"),
            (self.wide, "REASON"),
            (self.follows, "FOLLOWS"),
            (true, "REVISION"),
            (self.wide && self.source, "SOURCE"),
            (self.newest, "NEWEST"),
            (self.wide, "AGE"),
            (true, "MESSAGE"),
        ];
        columns.into_iter().filter_map(|(there, title)| there.then_some(title)).collect()
    }
}

fn reference(id: &ObjectId) -> Value {
    json!({"kind": id.kind.name(), "namespace": &*id.namespace, "name": &*id.name})
}

/// What is not known of a row: the registry first, then what could not be judged, then what could not be read.
fn problem(object: &Object, assessment: &Assessment, registry: Option<&Problem>) -> Option<Problem> {
    let own = |what: String, why: String| Problem::new(Cause::Other, what, why);
    let id = object.id();
    let unjudged = assessment.note.clone().map(|why| own(format!("judge whether {id} is stale"), why));
    let odd =
        (!object.oddities().is_empty()).then(|| own(format!("read {id}"), object.oddities().join("; ")));
    let mut known = registry.cloned().into_iter().chain(unjudged).chain(odd);
    let mut first = known.next()?;
    for other in known {
        first.why = format!("{}; {}: {}", first.why, other.what, other.why);
    }
    Some(first)
}

/// As kubectl shortens it; empty where the time is not known.
#[expect(clippy::disallowed_methods, reason = "an age is counted from the moment of printing")]
fn age(created: Option<Timestamp>) -> String {
    let Some(created) = created else { return String::new() };
    let seconds = Timestamp::now().duration_since(created).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
