//! One object: where it stands and why, in full; then what it follows, runs, belongs to, and what happened to it.

use super::{Place, Step, browse, facts, inner, moved, paint_more};
use crate::{
    app::{
        command::{Command, OnDiff, OnRevisions},
        equivalent,
        memory::Memory,
    },
    domain::identity::ObjectId,
    widgets::{layout, text, theme::Meaning},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

pub struct ObjectScreen {
    pub id: ObjectId,
    first: usize,
    /// The relation that Enter opens.
    link: Option<ObjectId>,
}

/// The screen as lines, and which of them lead somewhere.
#[derive(Default)]
pub struct Doc {
    pub lines: Vec<Line<'static>>,
    pub links: Vec<(usize, ObjectId)>,
}

impl Doc {
    pub fn line(&mut self, line: impl Into<Line<'static>>) {
        self.lines.push(line.into());
    }

    pub fn wrapped(&mut self, words: &str, room: usize, indent: usize) {
        let gap = " ".repeat(indent);
        for line in text::wrap(words, room.saturating_sub(indent)) {
            self.lines.push(Line::from(format!("{gap}{line}")));
        }
    }

    pub fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }
}

impl ObjectScreen {
    pub fn new(id: ObjectId) -> Self {
        Self { id, first: 0, link: None }
    }

    pub fn settle(&mut self, memory: &Memory, content: Rect) {
        let doc = facts::doc(&self.id, memory, inner(content).width);
        if self.link.as_ref().is_some_and(|link| !doc.links.iter().any(|(_, id)| id == link)) {
            self.link = None;
        }
        self.first = self.first.min(doc.lines.len().saturating_sub(usize::from(content.height)));
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let height = usize::from(content.height);
        match command {
            Command::Open => {
                return match &self.link {
                    Some(link) => Step::Go(Place::Object(link.clone())),
                    None => Step::Stay,
                };
            }
            Command::NextLink => self.step_link(memory, content, true),
            Command::PreviousLink => self.step_link(memory, content, false),
            Command::Yaml => return Step::Go(Place::Yaml(self.id.clone())),
            Command::Tags => return browse::tags_of(Some(&self.id), memory),
            Command::Artifact => return browse::artifact_of(Some(&self.id), memory),
            Command::OnDiff(OnDiff::Show) => return browse::diff_of(Some(&self.id), memory),
            Command::OnRevisions(OnRevisions::Show) => return browse::revisions_of(Some(&self.id)),
            Command::CopyName => return browse::copy_part(Some(&self.id), |id| &id.name),
            Command::CopyNamespace => return browse::copy_part(Some(&self.id), |id| &id.namespace),
            Command::CopyCommand => {
                return equivalent::get(&self.id, false).map_or_else(browse::refused, Step::Copy);
            }
            Command::Reconcile => {
                return Step::Reconcile { targets: vec![self.id.clone()], with_source: false };
            }
            Command::ReconcileSource => return browse::reconcile_source(Some(&self.id), memory),
            other => {
                let count = facts::doc(&self.id, memory, inner(content).width).lines.len();
                if let Some(to) = moved(other, self.first, height, count) {
                    self.first = to.min(count.saturating_sub(height));
                }
            }
        }
        Step::Stay
    }

    fn step_link(&mut self, memory: &Memory, content: Rect, forward: bool) {
        let doc = facts::doc(&self.id, memory, inner(content).width);
        let mut ids: Vec<&ObjectId> = Vec::new();
        for (_, id) in &doc.links {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.is_empty() {
            return;
        }
        let here = self.link.as_ref().and_then(|link| ids.iter().position(|id| *id == link));
        let next = match (here, forward) {
            (Some(at), true) => (at + 1) % ids.len(),
            (Some(at), false) => (at + ids.len() - 1) % ids.len(),
            (None, true) => 0,
            (None, false) => ids.len() - 1,
        };
        let link = ids[next].clone();
        if let Some((line, _)) = doc.links.iter().find(|(_, id)| *id == link) {
            self.first = layout::window(self.first, *line, usize::from(content.height), doc.lines.len());
        }
        self.link = Some(link);
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        match command {
            Command::Open => match &self.link {
                None => Some("no relation is selected: Tab selects one".to_owned()),
                Some(link) if memory.ledger.get(link).is_none() => {
                    Some(format!("{link} is {} here", super::table::absence(link, memory)))
                }
                Some(_) => None,
            },
            Command::NextLink | Command::PreviousLink => {
                let none = facts::doc(&self.id, memory, 80).links.is_empty();
                none.then(|| "it has no relations".to_owned())
            }
            Command::Tags => browse::no_tags(Some(&self.id), memory),
            Command::Artifact => browse::no_artifact(Some(&self.id), memory),
            Command::OnDiff(OnDiff::Show) => browse::no_diff(Some(&self.id), memory),
            Command::OnRevisions(OnRevisions::Show) => browse::no_revisions(Some(&self.id), memory),
            Command::Reconcile => browse::no_reconcile(Some(&self.id), memory),
            Command::ReconcileSource => browse::no_source(Some(&self.id), memory),
            _ => None,
        }
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let area = inner(content);
        let doc = facts::doc(&self.id, memory, area.width);
        let selected = memory.theme.style(Meaning::Selected);
        for (at, y) in (self.first..doc.lines.len()).zip(area.top()..area.bottom()) {
            buffer.set_line(area.x, y, &doc.lines[at], area.width);
            let linked = doc.links.iter().find(|(line, _)| *line == at).map(|(_, id)| id);
            if linked.is_some() && linked == self.link.as_ref() {
                let bare: String = doc.lines[at].spans.iter().map(|span| span.content.as_ref()).collect();
                buffer.set_line(area.x, y, &Line::from(Span::raw(bare)), area.width);
                buffer.set_style(Rect { y, height: 1, ..area }, selected);
            }
        }
        paint_more(buffer, area, doc.lines.len(), self.first, memory);
    }
}
