//! A line that is typed into: filter, command, search. It keeps the text and the candidates; others act on it.

use crate::{
    app::{memory::Memory, orders},
    widgets::{text, theme::Meaning},
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

/// Longer than this nobody types.
const LIMIT: usize = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Filter,
    Command,
    Search,
}

pub struct Prompt {
    pub purpose: Purpose,
    pub input: String,
    /// The candidate chosen with the arrows.
    chosen: Option<usize>,
    /// The text is an older one: what is typed replaces it.
    old: bool,
}

impl Prompt {
    pub fn new(purpose: Purpose, input: &str) -> Self {
        Self { purpose, input: input.to_owned(), chosen: None, old: !input.is_empty() }
    }

    /// Typed or pasted: only what can be seen, and never a line break.
    pub fn insert(&mut self, text: &str) {
        if std::mem::take(&mut self.old) {
            self.input.clear();
        }
        let seen = text::first_line(text).chars().filter(|c| !crate::domain::plain::is_deceptive(*c));
        self.input.extend(seen.take(LIMIT.saturating_sub(self.input.len())));
        self.chosen = None;
    }

    pub fn erase(&mut self) {
        self.old = false;
        self.input.pop();
        self.chosen = None;
    }

    pub fn clear(&mut self) {
        self.input.clear();
        self.chosen = None;
    }

    pub fn candidates(&self, memory: &Memory) -> Vec<String> {
        match self.purpose {
            Purpose::Command => orders::candidates(&self.input, memory),
            Purpose::Filter | Purpose::Search => Vec::new(),
        }
    }

    fn unoffered(&self, memory: &Memory) -> Option<String> {
        match self.purpose {
            Purpose::Command => orders::unoffered(&self.input, memory),
            Purpose::Filter | Purpose::Search => None,
        }
    }

    /// Takes the chosen candidate, else the longest beginning that all share.
    pub fn complete(&mut self, memory: &Memory) {
        let candidates = self.candidates(memory);
        let Some(first) = candidates.first() else { return };
        if let Some(chosen) = self.chosen.and_then(|at| candidates.get(at)) {
            self.input.clone_from(chosen);
            self.chosen = None;
            return;
        }
        let common = candidates.iter().fold(first.as_str(), |common, other| {
            let same = common.char_indices().zip(other.chars()).find(|((_, a), b)| a != b);
            &common[..same.map_or(common.len().min(other.len()), |((at, _), _)| at)]
        });
        if common.len() > self.input.len() {
            let common = common.to_owned();
            self.input = common;
        } else {
            self.choose(true, memory);
        }
    }

    pub fn choose(&mut self, forward: bool, memory: &Memory) {
        let count = self.candidates(memory).len();
        if count > 0 {
            let at = match self.chosen {
                Some(at) => (at + if forward { 1 } else { count - 1 }) % count,
                None if forward => 0,
                None => count - 1,
            };
            self.chosen = Some(at);
        }
    }

    /// What Enter takes.
    pub fn taken(&self, memory: &Memory) -> String {
        let candidates = self.candidates(memory);
        self.chosen.and_then(|at| candidates.get(at).cloned()).unwrap_or_else(|| self.input.clone())
    }

    /// Paints the line and, above it, the candidates or what is said of the text. Returns where the cursor is.
    pub fn draw(
        &self,
        note: &str,
        fault: bool,
        memory: &Memory,
        buffer: &mut Buffer,
        line: Rect,
    ) -> Position {
        let theme = &memory.theme;
        let sign = match self.purpose {
            Purpose::Filter | Purpose::Search => '/',
            Purpose::Command => ':',
        };
        let above = Rect { y: line.y.saturating_sub(1), height: 1, ..line };
        let candidates = self.candidates(memory);
        if !candidates.is_empty() || self.unoffered(memory).is_some() {
            wipe(buffer, above);
            buffer.set_line(
                above.x + 1,
                above.y,
                &self.candidate_line(&candidates, memory, above.width),
                above.width - 1,
            );
        }
        wipe(buffer, line);
        let note_width = text::width(note);
        let room = usize::from(line.width).saturating_sub(note_width + 6).max(10);
        let typed = text::fit_end(&text::line(&self.input), room);
        let style = if self.old { theme.style(Meaning::Selected) } else { theme.style(Meaning::Plain) };
        let typed = Line::from(vec![Span::raw(sign.to_string()), Span::styled(typed, style)]);
        let (x, _) = buffer.set_line(line.x + 1, line.y, &typed, line.width);
        let meaning = if fault { Meaning::Problem } else { Meaning::Muted };
        let at = line.right().saturating_sub(u16::try_from(note_width + 1).unwrap_or(0)).max(x + 2);
        let left = usize::from(line.right().saturating_sub(at));
        buffer.set_stringn(at, line.y, note, left, theme.style(meaning));
        Position { x, y: line.y }
    }

    fn candidate_line(&self, candidates: &[String], memory: &Memory, width: u16) -> Line<'static> {
        let theme = &memory.theme;
        let room = usize::from(width.saturating_sub(2));
        let first = self.chosen.map_or(0, |at| at.saturating_sub(3));
        let mut spans = Vec::new();
        let mut used = 0;
        for (at, candidate) in candidates.iter().enumerate().skip(first) {
            let words = text::line(candidate);
            if used + text::width(&words) + 2 > room {
                break;
            }
            used += text::width(&words) + 2;
            let meaning = if self.chosen == Some(at) { Meaning::Selected } else { Meaning::Muted };
            spans.push(Span::styled(words, theme.style(meaning)));
            spans.push(Span::raw("  "));
        }
        if let Some(why) = self.unoffered(memory) {
            let words = text::fit(&text::line(&why), room.saturating_sub(used));
            spans.push(Span::styled(words, theme.style(Meaning::Warning)));
        }
        Line::from(spans)
    }
}

fn wipe(buffer: &mut Buffer, line: Rect) {
    use ratatui::widgets::{Clear, Widget};
    Clear.render(line, buffer);
}
