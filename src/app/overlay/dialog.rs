//! The reconcile dialog: exactly what would be sent, to whom, in which order. It sends nothing itself.

use crate::{
    app::{command::Command, equivalent, memory::Memory, rollout::Rollout, screen::moved},
    domain::{
        action::{Leg, Plan, plan, unread},
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
        world::{Lookup, World, takes_from},
    },
    widgets::{text, theme::Meaning},
};
use ratatui::{
    layout::Rect,
    text::{Line, Span},
};

/// Cells of the words in front of what is sent.
const LABEL: usize = 12;

pub struct Dialog {
    pub targets: Vec<ObjectId>,
    pub with_source: bool,
    /// Shown and sent: made when the dialog was opened.
    pub token: String,
    /// What was asked for to make the plan.
    pub asked: Vec<ObjectId>,
    /// The first line of the plan that is shown, where not all fit.
    pub first: usize,
    /// So many lines of the plan were on the screen.
    pub seen: usize,
}

/// The plan, which scrolls, and what stands below it whatever the height.
pub struct Picture {
    plan: Vec<Line<'static>>,
    below: Vec<Line<'static>>,
    room: usize,
}

impl Picture {
    /// Lines of the plan that lie below the visible ones.
    fn left(&self, first: usize) -> usize {
        self.plan.len().saturating_sub(first + self.room)
    }

    fn last(&self) -> usize {
        self.plan.len().saturating_sub(self.room)
    }
}

/// What would happen to one target.
pub enum Planned {
    Ready(Plan),
    /// This object must be read first.
    Reads(ObjectId),
    Refused(Problem),
}

impl Dialog {
    pub fn new(targets: Vec<ObjectId>, with_source: bool, token: String) -> Self {
        Self { targets, with_source, token, asked: Vec::new(), first: 0, seen: 0 }
    }

    /// There is a choice only where something that would be reconciled takes from a source.
    pub fn has_choice(&self, memory: &Memory) -> bool {
        self.targets.iter().any(|id| {
            may_have_source(id)
                && memory.ledger.get(id).is_some_and(|entry| takes_from(&entry.object).is_some())
                && !matches!(planned(memory, id, false), Planned::Refused(_))
        })
    }

    pub fn toggle_source(&mut self) {
        self.with_source = !self.with_source;
        self.first = 0;
        self.seen = 0;
    }

    /// Keeps the lines inside, and remembers what was seen of them.
    pub fn settle(&mut self, memory: &Memory, content: Rect) {
        let picture = self.picture(memory, content, &Line::default());
        self.first = self.first.min(picture.last());
        // a plan that changed has to be seen again
        self.seen = self.seen.min(picture.plan.len()).max(self.first + picture.room);
    }

    /// Scrolls. False: not a movement.
    pub fn step(&mut self, command: Command, memory: &Memory, content: Rect) -> bool {
        let picture = self.picture(memory, content, &Line::default());
        match moved(command, self.first, picture.room, picture.plan.len()) {
            Some(to) => {
                self.first = to.min(picture.last());
                true
            }
            None => false,
        }
    }

    /// What was not on the screen yet must be before it is sent.
    pub fn unseen(&self, memory: &Memory, content: Rect) -> Option<String> {
        let left = self.picture(memory, content, &Line::default()).plan.len().saturating_sub(self.seen);
        (left > 0).then(|| {
            format!("{} below: j or Shift-G shows all that would be sent", text::count(left, "more line"))
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
        let with = self.with_source && self.targets.iter().any(may_have_source);
        let with = if with { " with its source" } else { "" };
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
            let why = planned.into_iter().find_map(|planned| match planned {
                Planned::Refused(problem) => Some(problem.why),
                Planned::Ready(_) | Planned::Reads(_) => None,
            });
            return Some(why.unwrap_or_else(|| "nothing can be sent".to_owned()));
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

    pub fn picture(&self, memory: &Memory, content: Rect, keys: &Line<'static>) -> Picture {
        let width = usize::from(content.width.saturating_sub(8));
        let mut plan = Vec::new();
        let planned = self.planned(memory);
        let ready = planned.iter().any(|planned| matches!(planned, Planned::Ready(_)));
        for (id, planned) in self.targets.iter().zip(planned) {
            self.target_lines(id, &planned, memory, width, &mut plan);
        }
        let mut below = Vec::new();
        if self.has_choice(memory) {
            let mark = if self.with_source { "[x]" } else { "[ ]" };
            below.push(Line::from(format!("{mark} with source")));
        }
        // why one is refused stands in its plan
        if let Some(obstacle) = self.obstacle(memory).filter(|_| ready) {
            let style = memory.theme.style(Meaning::Warning);
            below.extend(text::wrap(&obstacle, width).into_iter().map(|line| Line::styled(line, style)));
        }
        below.push(keys.clone());
        // the line between the two says how much more there is
        let room = usize::from(content.height).saturating_sub(2 + 1 + below.len()).max(1);
        Picture { plan, below, room }
    }

    pub fn lines(&self, memory: &Memory, content: Rect, keys: &Line<'static>) -> Vec<Line<'static>> {
        let picture = self.picture(memory, content, keys);
        let first = self.first.min(picture.last());
        let left = picture.left(first);
        let mut lines: Vec<Line<'static>> = picture.plan.into_iter().skip(first).take(picture.room).collect();
        lines.push(match (left, first) {
            (0, 0) => Line::default(),
            (0, above) => more(memory, above, "above: k"),
            (below, _) => more(memory, below, "below: j"),
        });
        lines.extend(picture.below);
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
        let patches = plan.patches(&self.token);
        for (at, patch) in patches.iter().enumerate() {
            let name = if at == 0 { "would send" } else { "then" };
            labelled(name, &patch.request(), memory, room, lines);
            // the same body for all is told once, behind the last
            if patches.get(at + 1).is_none_or(|next| next.body != patch.body) {
                let name = if at == 0 { "" } else { "each with" };
                labelled(name, &patch.body.to_string(), memory, room, lines);
            }
        }
        let same = equivalent::reconcile(id, self.with_source)
            .or_else(|| plan.patches(&self.token).last().map(crate::domain::action::Patch::kubectl));
        if let Some(same) = same {
            labelled("the same as", &same, memory, room, lines);
        }
    }
}

fn labelled(name: &str, words: &str, memory: &Memory, room: usize, lines: &mut Vec<Line<'static>>) {
    let muted = memory.theme.style(Meaning::Muted);
    for (n, line) in text::wrap(words, room.saturating_sub(LABEL)).into_iter().enumerate() {
        let label = if n == 0 { name } else { "" };
        lines.push(Line::from(vec![Span::styled(format!("{label:<LABEL$}"), muted), Span::raw(line)]));
    }
}

fn more(memory: &Memory, count: usize, whither: &str) -> Line<'static> {
    let words = format!("{} {} {whither}", memory.theme.waiting(), text::count(count, "more line"));
    Line::styled(words, memory.theme.style(Meaning::Warning))
}

/// Something that takes from a source; a source is the source itself.
fn may_have_source(id: &ObjectId) -> bool {
    !id.kind.is_source() || id.kind == Kind::HelmChart
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
