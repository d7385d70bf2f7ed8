//! What lies over a screen and has the keys: help, a line to type into, the reconcile dialog, the quit question.

pub mod dialog;
pub mod help;
pub mod prompt;

use super::keymap::Scope;
use crate::{
    app::memory::Memory,
    widgets::{layout, theme::Meaning},
};
use dialog::Dialog;
use help::Help;
use prompt::Prompt;
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::Line,
    widgets::{Block, Clear, Widget},
};

pub enum Overlay {
    Help(Help),
    Line(Prompt),
    Dialog(Dialog),
    /// `Quit?`
    Question,
}

impl Overlay {
    pub fn scope(&self) -> Scope {
        match self {
            Self::Help(help) if help.is_typing() => Scope::Line,
            Self::Help(_) => Scope::Help,
            Self::Line(_) => Scope::Line,
            Self::Dialog(_) => Scope::Dialog,
            Self::Question => Scope::Question,
        }
    }
}

/// A framed box in the middle with a title and lines; returns nothing, covers what lies below.
pub fn paint_box(buffer: &mut Buffer, content: Rect, title: &str, lines: &[Line<'_>], memory: &Memory) {
    let widest = lines.iter().map(Line::width).max().unwrap_or(0).max(title.len() + 2);
    let width = u16::try_from(widest).unwrap_or(u16::MAX).saturating_add(4);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let area = layout::centred(content, width, height);
    Clear.render(area, buffer);
    let set = if memory.theme.ascii { ASCII } else { ratatui::symbols::border::PLAIN };
    Block::bordered()
        .border_set(set)
        .border_style(memory.theme.style(Meaning::Muted))
        .title(Line::styled(format!(" {title} "), memory.theme.style(Meaning::Title)))
        .render(area, buffer);
    let inside = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    };
    for (line, y) in lines.iter().zip(inside.top()..inside.bottom()) {
        buffer.set_line(inside.x, y, line, inside.width);
    }
}

const ASCII: ratatui::symbols::border::Set<'static> = ratatui::symbols::border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
