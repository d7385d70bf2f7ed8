//! The tags of the selected row's repository, beside the board: who runs what. It judges nothing.

use super::super::{paint_lines, problem_lines, table::tags_words};
use super::runners::{Runners, Runs, runners};
use crate::{
    app::{memory::Memory, shelf::Asking},
    domain::{identity::ObjectId, repository::Upstream},
    widgets::{text, theme::Meaning},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use std::{collections::HashSet, sync::Arc};

/// Who runs what, of the selected row's repository.
#[derive(Default)]
pub struct Pane {
    about: Option<Upstream>,
    /// Why there are no tags; empty without a row.
    why_none: String,
    /// The tags of the list of this revision.
    names: (u64, HashSet<Arc<str>>),
    runners: Runners,
    joined: Option<(u64, u64)>,
}

impl Pane {
    pub fn settle(&mut self, selected: Option<&ObjectId>, memory: &Memory) {
        let about = selected.and_then(|id| memory.ledger.upstream(id));
        self.why_none =
            selected.and_then(|id| super::super::browse::no_tags(Some(id), memory)).unwrap_or_default();
        let list = about.and_then(|upstream| memory.shelf.tags(upstream));
        let revision = list.map_or(0, |list| list.revision);
        let wanted = Some((memory.ledger.touches, revision));
        let same = self.about.as_ref() == about;
        if self.joined == wanted && same {
            return;
        }
        self.joined = wanted;
        if !same || self.names.0 != revision {
            self.names = (revision, list.into_iter().flat_map(|list| &list.tags).cloned().collect());
        }
        self.about = about.cloned();
        let names = &self.names.1;
        self.runners =
            about.map(|upstream| runners(upstream, &|tag| names.contains(tag), memory)).unwrap_or_default();
    }

    pub fn paint(&self, memory: &Memory, buffer: &mut Buffer, pane: Rect) {
        let muted = memory.theme.style(Meaning::Muted);
        let bar = memory.theme.pick("│", "|");
        for y in pane.top()..pane.bottom() {
            buffer.set_string(pane.x, y, bar, muted);
        }
        let area = Rect { x: pane.x + 2, width: pane.width.saturating_sub(3), ..pane };
        let room = usize::from(area.width);
        let Some(upstream) = &self.about else {
            let lines = text::wrap(&self.why_none, room);
            let lines: Vec<Line<'_>> = lines.into_iter().map(|line| Line::styled(line, muted)).collect();
            paint_lines(buffer, area, &lines);
            return;
        };
        let list = memory.shelf.tags(upstream);
        let name = text::line(&upstream.repository.to_string());
        let mut lines = vec![Line::styled(text::fit_end(&name, room), memory.theme.style(Meaning::Title))];
        let status = text::wrap(&tags_words(list, upstream, memory), room);
        lines.extend(status.into_iter().map(|line| Line::styled(line, muted)));
        if let Some(Asking::Failed(_, problem)) = list.map(|list| &list.asking) {
            lines.extend(problem_lines(problem, memory, area.width));
        }
        if let Some(list) = list {
            let left = usize::from(area.height).saturating_sub(lines.len());
            lines.extend(list.tags.iter().take(left).map(|tag| {
                let runs = Runs::of(tag, upstream, &self.runners, memory);
                pane_line(tag, &runs, room, memory)
            }));
        }
        paint_lines(buffer, area, &lines);
    }
}

/// The tag whole; what is said of it takes what is left.
fn pane_line(tag: &str, runs: &Runs<'_>, room: usize, memory: &Memory) -> Line<'static> {
    let mark = if runs.here.is_empty() { " " } else { memory.theme.running() };
    let note = match runs.here.as_slice() {
        [one] => (*one).to_owned(),
        [] => runs.note(),
        more => format!("{} consumers", more.len()),
    };
    let tag = text::fit(&text::line(tag), room.saturating_sub(2));
    let left = room.saturating_sub(4 + text::width(&tag));
    let note = if left < 4 { String::new() } else { format!("  {}", text::fit(&note, left)) };
    Line::from(vec![
        Span::styled(format!("{mark} "), memory.theme.style(Meaning::Success)),
        Span::raw(tag),
        Span::styled(note, memory.theme.style(Meaning::Muted)),
    ])
}
