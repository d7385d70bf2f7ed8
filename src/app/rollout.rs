//! An action that is followed: what was sent, what came back so far, in words. It sends nothing itself.

use crate::{
    app::ledger::shown,
    domain::{
        Timestamp,
        action::{Plan, Step, What},
        identity::ObjectId,
        revision::Revision,
    },
    widgets::{text, theme::Theme, time},
};

/// How long a finished action stays at the foot, in seconds.
const LINGERS: i64 = 45;

/// How long it takes the columns of its row.
const LINGERS_ON_ROW: i64 = 6;

#[derive(Debug, Clone)]
pub struct Rollout {
    pub plan: Plan,
    pub steps: Vec<Step>,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
}

impl Rollout {
    pub fn new(plan: Plan, started: Timestamp) -> Self {
        Self { plan, steps: Vec::new(), started, ended: None }
    }

    pub fn is_over(&self) -> bool {
        self.ended.is_some()
    }

    /// It is at the foot: under way, or over a while ago.
    pub fn is_shown(&self, now: Timestamp) -> bool {
        self.lasts(now, LINGERS)
    }

    /// It is on its row: under way, or over a moment ago.
    pub fn is_on_row(&self, now: Timestamp) -> bool {
        self.lasts(now, LINGERS_ON_ROW)
    }

    fn lasts(&self, now: Timestamp, seconds: i64) -> bool {
        self.ended.is_none_or(|ended| now.as_second() - ended.as_second() < seconds)
    }

    /// The step that ended it badly.
    pub fn failure(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.what.is_end() && !step.what.is_success())
    }

    pub fn succeeded(&self) -> bool {
        self.is_over()
            && self.failure().is_none()
            && self.steps.iter().any(|step| step.object == self.plan.target && step.what.is_end())
    }

    /// `source: requested → handled 0.8 s → stored 6.9.1   ks: requested → …  4 s`, safe.
    pub fn words(&self, theme: Theme, now: Timestamp) -> String {
        let mut objects: Vec<&ObjectId> = Vec::new();
        for step in &self.steps {
            if !objects.contains(&&step.object) {
                objects.push(&step.object);
            }
        }
        let several = objects.len() > 1 || objects.first().is_some_and(|id| **id != self.plan.target);
        let mut parts: Vec<String> = objects.iter().map(|id| self.leg(id, several, theme)).collect();
        if parts.is_empty() {
            parts.push("sending".to_owned());
        }
        parts.join("   ") + &self.clock(theme, now)
    }

    /// ` → … 4 s` while it is under way.
    fn clock(&self, theme: Theme, now: Timestamp) -> String {
        if self.is_over() {
            return String::new();
        }
        let seconds = (now.as_second() - self.started.as_second()).max(0);
        format!(" {} {} {seconds} s", theme.arrow(), theme.waiting())
    }

    /// The same in a row: all, else the present leg, else its last steps; no step is ever cut before the last one.
    pub fn words_in(&self, theme: Theme, now: Timestamp, room: usize) -> String {
        let all = self.words(theme, now);
        let Some(last) = self.steps.last().filter(|_| text::width(&all) > room) else {
            return text::fit(&all, room);
        };
        let leg: Vec<String> =
            self.steps.iter().filter(|step| step.object == last.object).map(step_words).collect();
        let name = if last.object.kind.is_source() { "source" } else { last.object.kind.short() };
        let arrow = format!(" {} ", theme.arrow());
        let clock = self.clock(theme, now);
        let tail = |from: usize| leg[from..].join(&arrow) + &clock;
        let candidates = (0..leg.len()).map(|from| format!("{name}: {}", tail(from)));
        let fits = candidates.chain([tail(leg.len() - 1), leg[leg.len() - 1].clone()]);
        let mut shortest = all;
        for words in fits {
            if text::width(&words) <= room {
                return words;
            }
            shortest = words;
        }
        text::fit(&shortest, room)
    }

    fn leg(&self, id: &ObjectId, named: bool, theme: Theme) -> String {
        let steps: Vec<String> =
            self.steps.iter().filter(|step| step.object == *id).map(step_words).collect();
        let arrow = format!(" {} ", theme.arrow());
        let steps = steps.join(&arrow);
        match (named, *id == self.plan.target) {
            (false, _) => steps,
            (true, false) if id.kind.is_source() && self.is_direct_source(id) => format!("source: {steps}"),
            (true, _) => format!("{}: {steps}", id.kind.short()),
        }
    }

    fn is_direct_source(&self, id: &ObjectId) -> bool {
        let others = self.plan.legs.iter().filter(|leg| leg_object(leg) != &self.plan.target).count();
        others == 1 && *id != self.plan.target
    }

    /// One line for the end, safe.
    pub fn verdict(&self) -> String {
        let target = text::line(&self.plan.target.to_string());
        if let Some(step) = self.failure() {
            let whose = if step.object == self.plan.target {
                String::new()
            } else {
                format!("{} ", text::line(&step.object.to_string()))
            };
            let message =
                step.message.as_deref().map_or_else(String::new, |m| format!(": {}", text::line(m)));
            return format!("{target}: {whose}{}{message}", step.what.word());
        }
        match self.steps.iter().rev().find(|step| step.object == self.plan.target && step.what.is_end()) {
            Some(step) => format!("{target} {}", step_words(step)),
            None => format!("{target}: the action ended and did not say how"),
        }
    }
}

fn leg_object(leg: &crate::domain::action::Leg) -> &ObjectId {
    match leg {
        crate::domain::action::Leg::Reconcile(id) => id,
        crate::domain::action::Leg::Skip { object, .. } => object,
    }
}

/// `handled 0.8 s`, `stored 6.9.1`, `skipped (static)`.
fn step_words(step: &Step) -> String {
    let mut words = step.what.word().to_owned();
    match step.what {
        What::Stored | What::Applied => {
            if let Some(revision) = step.revision.as_deref().and_then(Revision::parse) {
                let name = revision.tag().map_or_else(|| revision.short(), str::to_owned);
                words.push(' ');
                words.push_str(&text::line(&shown(&name)));
            }
        }
        What::Handled => {
            words.push(' ');
            words.push_str(&time::took(step.elapsed));
        }
        What::Requested
        | What::Progressing
        | What::Failed
        | What::Skipped
        | What::Refused
        | What::TimedOut
        | What::Lost => {}
    }
    words
}
