//! The reconcile dialog: exactly what would be sent, to whom, in which order. It sends nothing itself.

use crate::{
    app::{equivalent, memory::Memory, rollout::Rollout},
    domain::{
        action::{Leg, Plan, plan, unread},
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
        world::{Lookup, World, takes_from},
    },
    widgets::{text, theme::Meaning},
};
use ratatui::text::{Line, Span};

pub struct Dialog {
    pub targets: Vec<ObjectId>,
    pub with_source: bool,
    /// Shown and sent: made when the dialog was opened.
    pub token: String,
    /// What was asked for to make the plan.
    pub asked: Vec<ObjectId>,
}

/// What would happen to one target.
pub enum Planned {
    Ready(Plan),
    /// This object must be read first.
    Reads(ObjectId),
    Refused(Problem),
}

impl Dialog {
    /// There is a choice only where something takes from a source.
    pub fn has_choice(&self, memory: &Memory) -> bool {
        self.targets.iter().any(|id| {
            (!id.kind.is_source() || id.kind == Kind::HelmChart)
                && memory.ledger.get(id).is_some_and(|entry| takes_from(&entry.object).is_some())
        })
    }

    pub fn planned(&self, memory: &Memory) -> Vec<Planned> {
        self.targets.iter().map(|id| planned(memory, id, self.with_source)).collect()
    }

    /// Sources that are not watched and must be read before the plan is known.
    pub fn reads(&self, memory: &Memory) -> Vec<ObjectId> {
        let reads = self.planned(memory).into_iter().filter_map(|planned| match planned {
            Planned::Reads(id) => Some(id),
            Planned::Ready(_) | Planned::Refused(_) => None,
        });
        reads.collect()
    }

    pub fn title(&self) -> String {
        let with = if self.with_source { " with its source" } else { "" };
        match self.targets.as_slice() {
            [one] => format!("reconcile {}{with}", text::line(&one.to_string())),
            many => format!("reconcile {} objects{with}", many.len()),
        }
    }

    /// Why Enter sends nothing.
    pub fn obstacle(&self, memory: &Memory) -> Option<String> {
        let planned = self.planned(memory);
        let ready = planned.iter().any(|planned| matches!(planned, Planned::Ready(_)));
        if planned.iter().any(|planned| matches!(planned, Planned::Reads(_))) {
            return Some("its source is still being read".to_owned());
        }
        if !ready {
            return Some("nothing can be sent".to_owned());
        }
        if !memory.write {
            return Some("read-only: :write allows it for this session, --write from the start".to_owned());
        }
        let busy = self.targets.iter().find(|id| memory.rollouts.get(id).is_some_and(|r| !r.is_over()));
        busy.map(|id| format!("{id} is being reconciled already"))
    }

    pub fn rollouts(&self, memory: &Memory) -> Vec<Rollout> {
        let ready = self.planned(memory).into_iter().filter_map(|planned| match planned {
            Planned::Ready(plan) => Some(Rollout::new(plan, memory.now)),
            Planned::Reads(_) | Planned::Refused(_) => None,
        });
        ready.collect()
    }

    pub fn lines(&self, memory: &Memory, width: u16, keys: &Line<'static>) -> Vec<Line<'static>> {
        let room = usize::from(width.saturating_sub(8));
        let mut lines = Vec::new();
        for (id, planned) in self.targets.iter().zip(self.planned(memory)) {
            self.target_lines(id, &planned, memory, room, &mut lines);
        }
        lines.push(Line::default());
        if self.has_choice(memory) {
            let mark = if self.with_source { "[x]" } else { "[ ]" };
            lines.push(Line::from(format!("{mark} with source")));
        }
        if let Some(obstacle) = self.obstacle(memory) {
            let style = memory.theme.style(Meaning::Warning);
            lines.extend(text::wrap(&obstacle, room).into_iter().map(|line| Line::styled(line, style)));
        }
        lines.push(keys.clone());
        lines
    }

    fn target_lines(
        &self,
        id: &ObjectId,
        planned: &Planned,
        memory: &Memory,
        room: usize,
        lines: &mut Vec<Line<'static>>,
    ) {
        match planned {
            Planned::Reads(source) => {
                let words = format!("reading {source} {}", memory.theme.waiting());
                lines.push(Line::from(text::line(&words)));
            }
            Planned::Refused(problem) => {
                let style = memory.theme.style(Meaning::Problem);
                let words = format!("nothing is sent: {}", problem.why);
                lines.extend(text::wrap(&words, room).into_iter().map(|line| Line::styled(line, style)));
                let hint = problem.hint.as_deref().unwrap_or_default();
                lines.extend(text::wrap(hint, room).into_iter().map(Line::from));
            }
            Planned::Ready(plan) => self.plan_lines(id, plan, memory, room, lines),
        }
    }

    fn plan_lines(
        &self,
        id: &ObjectId,
        plan: &Plan,
        memory: &Memory,
        room: usize,
        lines: &mut Vec<Line<'static>>,
    ) {
        let muted = memory.theme.style(Meaning::Muted);
        for leg in &plan.legs {
            if let Leg::Skip { object, why } = leg {
                let words = format!("skips {object}: {why}");
                lines.extend(text::wrap(&words, room).into_iter().map(|line| Line::styled(line, muted)));
            }
        }
        for (at, patch) in plan.patches(&self.token).iter().enumerate() {
            let label = match at {
                0 => "would send  ",
                _ => "then        ",
            };
            for (n, line) in text::wrap(&patch.words(), room.saturating_sub(12)).into_iter().enumerate() {
                let label = if n == 0 { label } else { "            " };
                lines.push(Line::from(vec![Span::styled(label, muted), Span::raw(line)]));
            }
        }
        let same = equivalent::reconcile(id, self.with_source)
            .or_else(|| plan.patches(&self.token).last().map(crate::domain::action::Patch::kubectl));
        if let Some(same) = same {
            for (n, line) in text::wrap(&same, room.saturating_sub(12)).into_iter().enumerate() {
                let label = if n == 0 { "the same as " } else { "            " };
                lines.push(Line::from(vec![Span::styled(label, muted), Span::raw(line)]));
            }
        }
    }
}

/// Plans over the chain of the target only, read from the world or fetched for this.
fn planned(memory: &Memory, target: &ObjectId, with_source: bool) -> Planned {
    let mut chain = World::default();
    while let Some(id) = unread(&chain, target, with_source) {
        let object = match (memory.ledger.world.lookup(&id), memory.fetched.get(&id)) {
            (Lookup::Here(object), _) | (Lookup::Unseen | Lookup::Gone, Some(Ok(object))) => object.clone(),
            (Lookup::Unseen | Lookup::Gone, Some(Err(problem))) => return Planned::Refused(problem.clone()),
            (Lookup::Gone, None) => {
                let what = format!("reconcile {target}");
                let problem = Problem::new(Cause::NotFound, what, format!("{id} does not exist"));
                return Planned::Refused(problem);
            }
            (Lookup::Unseen, None) => return Planned::Reads(id),
        };
        chain.observe(crate::domain::fact::Fact::Changed(object));
    }
    match plan(&chain, target, with_source) {
        Ok(plan) => Planned::Ready(plan),
        Err(problem) => Planned::Refused(problem),
    }
}
