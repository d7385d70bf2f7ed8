//! `reconcile`: tells what it will send, sends it, and follows it until it landed. Naming the command is the consent.

use super::{
    Ports,
    args::{ClusterArgs, ReconcileArgs, Summary},
    connect, exit, namespace,
    output::{Console, document, problem_fields},
};
use crate::{
    domain::{
        Timestamp,
        action::{Leg, Patch, Plan, Step, What, ended_as, token},
        fact::Fact,
        identity::ObjectId,
        problem::{Cause, Problem},
        revision::Revision,
        standing::Standing,
        world::World,
    },
    port::{Cluster, carry_out, plan_reconcile},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

pub(super) async fn run(
    args: &ReconcileArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let cluster = match connect(place, ports).await {
        Ok(cluster) => cluster,
        Err(problem) => return refused(args, None, &problem, console),
    };
    let target = ObjectId::new(args.target.kind, namespace(place, &*cluster), args.target.name.as_str());
    let (plan, world) = match plan_reconcile(&*cluster, &target, args.with_source).await {
        Ok(planned) => planned,
        Err(problem) => return refused(args, Some(&target), &problem, console),
    };
    let token = new_token();
    announce(&plan, &token, args.dry_run, console);
    let mut action = Action::new(target, token, world);
    if args.dry_run {
        action.settle();
        action.print(args, console);
        return exit::ANSWERED;
    }
    action.follow(&cluster, plan, args.timeout, console).await;
    action.look_again(&*cluster).await;
    action.print(args, console);
    action.code()
}

/// The exact patches, before anything is sent.
fn announce(plan: &Plan, token: &str, dry: bool, console: &mut Console<'_>) {
    let mut first = true;
    for leg in &plan.legs {
        match leg {
            Leg::Reconcile(id) => {
                let verb = match (dry, std::mem::take(&mut first)) {
                    (true, _) => "would send",
                    (false, true) => "sends",
                    (false, false) => "then, once that is done,",
                };
                console.say(&format!("{verb}  {}", Patch::reconcile(id.clone(), token).words()));
            }
            Leg::Skip { object, why } => console.say(&format!("skips  {object}: {why}")),
        }
    }
}

struct Action {
    target: ObjectId,
    token: String,
    world: World,
    steps: Vec<Step>,
    standing: Standing,
    message: String,
    problem: Option<Problem>,
}

impl Action {
    fn new(target: ObjectId, token: String, world: World) -> Self {
        let (standing, message) = (Standing::Unknown, String::new());
        Self { target, token, world, steps: Vec::new(), standing, message, problem: None }
    }

    async fn follow(
        &mut self,
        cluster: &Arc<dyn Cluster>,
        plan: Plan,
        timeout: Duration,
        console: &mut Console<'_>,
    ) {
        let mut steps = carry_out(cluster.clone(), plan, self.token.clone(), timeout);
        while let Some(step) = steps.next().await {
            console.say(&told(&step));
            self.steps.push(step);
        }
    }

    /// Where the target and its source are now. The end of a step is not the end of the story: a consumer may be
    /// Ready while its source has moved on.
    async fn look_again(&mut self, cluster: &dyn Cluster) {
        let source = self.world.chain(&self.target).get(1).cloned().filter(|id| id.kind.is_watched());
        for id in source.into_iter().chain([self.target.clone()]) {
            match cluster.fetch(id.clone()).await {
                Ok(object) => {
                    self.world.observe(Fact::Changed(object));
                }
                Err(problem) if problem.cause.is_absence() => {
                    self.world.observe(Fact::Gone(id));
                }
                // never read, so nothing stale is judged by it
                Err(problem) if problem.cause == Cause::Forbidden && self.world.get(&id).is_none() => {}
                Err(problem) => {
                    self.problem = Some(problem);
                    return;
                }
            }
        }
        self.settle();
    }

    fn settle(&mut self) {
        (self.standing, self.message) = ended_as(&self.world, &self.target);
        if let Some(last) = self.steps.last().filter(|step| !step.what.is_success()) {
            self.message = last.message.clone().unwrap_or_default();
        }
    }

    /// The last step decides; *stale* counts as Ready, because its condition is.
    fn code(&self) -> i32 {
        match self.steps.last() {
            Some(step) => match step.what {
                What::Stored | What::Applied | What::Skipped if self.problem.is_some() => exit::NOT_ANSWERED,
                What::Stored | What::Applied | What::Skipped => match self.standing {
                    Standing::Ready | Standing::Stale => exit::ANSWERED,
                    Standing::Stalled
                    | Standing::Failing
                    | Standing::Terminating
                    | Standing::Unknown
                    | Standing::Progressing
                    | Standing::Suspended => exit::NO,
                },
                What::Failed => exit::NO,
                What::Requested
                | What::Handled
                | What::Progressing
                | What::Refused
                | What::TimedOut
                | What::Lost => exit::NOT_ANSWERED,
            },
            None => exit::NOT_ANSWERED,
        }
    }

    fn print(&self, args: &ReconcileArgs, console: &mut Console<'_>) {
        if let Some(problem) = &self.problem {
            console.complain(problem);
        }
        match args.output {
            Summary::Table => console.data(&super::safe_line(&self.summary(args.dry_run))),
            Summary::Json => console.json(&self.document(args.dry_run)),
            Summary::Yaml => console.yaml(&self.document(args.dry_run)),
        }
    }

    fn summary(&self, dry: bool) -> String {
        let (target, standing) = (&self.target, self.standing);
        if dry {
            return format!("{target} is {standing}; nothing was sent");
        }
        let Some(last) = self.steps.last() else { return format!("{target}: nothing was sent") };
        if last.what == What::Refused && !self.steps.iter().any(|step| step.what == What::Requested) {
            return format!(
                "{target} was not reconciled, it stands as {standing}: refused: {}",
                self.message
            );
        }
        let time =
            seconds(self.steps.iter().filter(|step| step.what.is_end()).map(|step| step.elapsed).sum());
        match last.what {
            What::Stored | What::Applied | What::Skipped => {
                let revision =
                    last.revision.as_deref().map_or_else(String::new, |r| format!(" {}", short(r)));
                format!("{target} is {standing}: {}{revision} after {time}", last.what.word())
            }
            What::Requested
            | What::Handled
            | What::Progressing
            | What::Failed
            | What::Refused
            | What::TimedOut
            | What::Lost => {
                let at = if last.object == *target {
                    String::new()
                } else {
                    format!(" at its source {}", last.object)
                };
                format!("{target} is {standing}: {}{at} after {time}: {}", last.what.word(), self.message)
            }
        }
    }

    fn document(&self, dry: bool) -> Value {
        let fields = json!({
            "object": reference(&self.target),
            "token": self.token,
            "dryRun": dry,
            "steps": self.steps.iter().map(step_fields).collect::<Vec<_>>(),
            "standing": self.standing.word(),
            "message": self.message,
            "problem": self.problem.as_ref().map(problem_fields),
        });
        document("Action", fields)
    }
}

fn reference(id: &ObjectId) -> Value {
    json!({"kind": id.kind.name(), "namespace": &*id.namespace, "name": &*id.name})
}

fn step_fields(step: &Step) -> Value {
    json!({
        "what": step.what.word(),
        "at": step.at.to_string(),
        "revision": step.revision,
        "object": reference(&step.object),
        "message": step.message,
    })
}

/// `ks shop/podinfo  handled after 0.8 s`.
fn told(step: &Step) -> String {
    let revision =
        step.revision.as_deref().map_or_else(String::new, |revision| format!(" {}", short(revision)));
    let after = match step.what {
        What::Requested | What::Skipped => String::new(),
        What::Handled
        | What::Progressing
        | What::Stored
        | What::Applied
        | What::Failed
        | What::Refused
        | What::TimedOut
        | What::Lost => format!(" after {}", seconds(step.elapsed)),
    };
    let words = format!("{}  {}{revision}{after}", step.object, step.what.word());
    match step.message.as_deref() {
        Some(message) if !step.what.is_success() || step.what == What::Skipped => {
            format!("{words}: {message}")
        }
        Some(_) | None => words,
    }
}

fn short(revision: &str) -> String {
    Revision::parse(revision).map_or_else(String::new, |revision| revision.short())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Nothing was sent at all.
fn refused(
    args: &ReconcileArgs,
    target: Option<&ObjectId>,
    problem: &Problem,
    console: &mut Console<'_>,
) -> i32 {
    console.complain(problem);
    let document = || {
        let fields = json!({
            "object": target.map(reference), "token": null, "dryRun": args.dry_run, "steps": [],
            "standing": Standing::Unknown.word(), "message": problem.why, "problem": problem_fields(problem),
        });
        document("Action", fields)
    };
    match args.output {
        Summary::Table => {}
        Summary::Json => console.json(&document()),
        Summary::Yaml => console.yaml(&document()),
    }
    exit::NOT_ANSWERED
}

#[expect(clippy::disallowed_methods, reason = "a token carries the time of asking, so that it is new")]
fn new_token() -> String {
    token(Timestamp::now())
}
