//! What would change between two revisions: danger first, the objects left, their fields right. It asks for what it
//! shows; it compares nothing itself and never writes.

mod sides;

pub use sides::{between, from_running, is_same, to_newer};

use super::{Step, inner, paint_lines, problem_lines};
use crate::{
    app::{
        command::Command,
        effect::Effect,
        filter::Filter,
        memory::Memory,
        shelf::comparisons::{Coming, Compared, Received},
    },
    domain::{artifact::Target, comparison::Question},
    widgets::text,
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

pub struct DiffScreen {
    pub question: Question,
    filter: Filter,
}

impl DiffScreen {
    pub fn new(question: Question) -> Self {
        Self { question, filter: Filter::default() }
    }

    pub fn title(&self) -> String {
        format!("diff {} {}", name(&self.question.from), name(&self.question.to))
    }

    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
    }

    pub fn found(&self) -> Option<(usize, usize)> {
        None
    }

    pub fn is_bare(&self, memory: &Memory) -> bool {
        memory.shelf.comparisons.here(&self.question).is_none()
    }

    /// What is asked for now, because it can be seen.
    pub fn needs(&self, memory: &Memory, _: Rect) -> Vec<Effect> {
        match memory.shelf.comparisons.get(&self.question) {
            None => vec![Effect::Compare(Box::new(self.question.clone()))],
            Some(Compared::Coming(_) | Compared::Here(_) | Compared::Failed(_)) => Vec::new(),
        }
    }

    pub fn settle(&mut self, _: &Memory, _: Rect) {}

    pub fn update(&mut self, _: Command, _: &Memory, _: Rect) -> Step {
        Step::Stay
    }

    /// What Esc leaves first. None: the screen itself.
    pub fn back(&mut self, memory: &Memory) -> Option<Step> {
        let coming = matches!(memory.shelf.comparisons.get(&self.question), Some(Compared::Coming(_)));
        coming.then(|| Step::CancelCompare(Box::new(self.question.clone())))
    }

    pub fn obstacle(&self, _: Command, _: &Memory) -> Option<String> {
        None
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let area = inner(content);
        let lines = match memory.shelf.comparisons.get(&self.question) {
            None => vec![Line::from(format!("asking {}", memory.theme.waiting()))],
            Some(Compared::Coming(coming)) => waiting(coming, memory),
            Some(Compared::Failed(problem)) => problem_lines(problem, memory, area.width),
            Some(Compared::Here(comparison)) => {
                vec![Line::from(text::count(comparison.diff().objects.len(), "object"))]
            }
        };
        paint_lines(buffer, area, &lines);
    }
}

fn waiting(coming: &Coming, memory: &Memory) -> Vec<Line<'static>> {
    let received = |word: &str, side: &Received| {
        let whole = side.of.map_or_else(String::new, |of| format!(" of {}", text::bytes(of)));
        Line::from(format!("{word} {}{whole}", text::bytes(side.bytes)))
    };
    let work = coming.work.as_deref().unwrap_or("reading both");
    vec![
        received("from", &coming.from),
        received("to  ", &coming.to),
        Line::from(format!("{} {} {}", text::line(work), memory.theme.waiting(), memory.age(coming.since))),
    ]
}

fn name(target: &Target) -> String {
    text::line(&super::artifact::name(&target.origin))
}
