//! One object as YAML: scrolled, searched, coloured where it is looked at. It never shows what the port masked.

use super::{Step, browse, inner, moved, paint_lines, problem_lines};
use crate::{
    app::{command::Command, equivalent, memory::Memory, shelf::Answer},
    domain::identity::ObjectId,
    widgets::{
        highlight::Highlighter,
        layout, text,
        theme::{ColourMode, Meaning},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};
use std::sync::Arc;

/// Cells by which the text moves sideways.
const SIDEWAYS: usize = 16;

pub struct YamlScreen {
    pub id: ObjectId,
    lines: Arc<Vec<String>>,
    first: usize,
    left: usize,
    needle: String,
    hits: Vec<usize>,
    hit: usize,
    highlighter: Option<Highlighter>,
}

impl YamlScreen {
    pub fn new(id: ObjectId) -> Self {
        Self {
            id,
            lines: Arc::default(),
            first: 0,
            left: 0,
            needle: String::new(),
            hits: Vec::new(),
            hit: 0,
            highlighter: None,
        }
    }

    /// Its crumb: with the place found and how many there are.
    pub fn title(&self) -> String {
        if self.needle.is_empty() {
            return "yaml".to_owned();
        }
        let at = if self.hits.is_empty() { 0 } else { self.hit + 1 };
        format!("yaml /{} {at}/{}", text::fit(&text::line(&self.needle), 24), self.hits.len())
    }

    pub fn found(&self) -> Option<(usize, usize)> {
        (!self.needle.is_empty()).then_some((self.hits.len(), self.lines.len()))
    }

    pub fn settle(&mut self, memory: &Memory, content: Rect) {
        let Some(Answer::Here(lines)) = memory.shelf.raw.get(&self.id) else { return };
        if !Arc::ptr_eq(lines, &self.lines) {
            self.lines = lines.clone();
            self.highlighter = None;
            self.find();
        }
        let height = usize::from(content.height);
        self.first = self.first.min(self.lines.len().saturating_sub(height));
        if memory.theme.colour != ColourMode::None {
            let highlighter = self.highlighter.get_or_insert_with(|| Highlighter::of("x.yaml"));
            highlighter.reach(&self.lines, self.first, self.first + height);
        }
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let height = usize::from(content.height);
        if let Some(to) = moved(command, self.first, height, self.lines.len()) {
            self.first = to.min(self.lines.len().saturating_sub(height));
            return Step::Stay;
        }
        match command {
            Command::Leftwards => self.left = self.left.saturating_sub(SIDEWAYS),
            Command::Rightwards => self.left = (self.left + SIDEWAYS).min(self.longest(content)),
            Command::Search => return Step::Search,
            Command::NextHit => self.jump(self.hit + 1, height),
            Command::PreviousHit => self.jump((self.hit + self.hits.len()).saturating_sub(1), height),
            Command::CopyName => return browse::copy_part(Some(&self.id), |id| &id.name),
            Command::CopyCommand => {
                return equivalent::get(&self.id, true).map_or_else(browse::refused, Step::Copy);
            }
            _ => {}
        }
        self.settle(memory, content);
        Step::Stay
    }

    fn longest(&self, content: Rect) -> usize {
        let visible = self.lines.iter().skip(self.first).take(usize::from(content.height));
        visible.map(|line| text::width(line)).max().unwrap_or(0).saturating_sub(SIDEWAYS)
    }

    pub fn search(&mut self, needle: &str, height: usize) {
        self.needle = needle.to_lowercase();
        self.find();
        let after = self.hits.iter().position(|line| *line >= self.first).unwrap_or(0);
        self.jump(after, height);
    }

    fn find(&mut self) {
        self.hits.clear();
        if !self.needle.is_empty() {
            let hit = |(at, line): (usize, &String)| line.to_lowercase().contains(&self.needle).then_some(at);
            self.hits = self.lines.iter().enumerate().filter_map(hit).collect();
        }
    }

    fn jump(&mut self, to: usize, height: usize) {
        if self.hits.is_empty() {
            return;
        }
        self.hit = to % self.hits.len();
        self.first = layout::window(self.first, self.hits[self.hit], height, self.lines.len());
    }

    pub fn obstacle(&self, command: Command, _memory: &Memory) -> Option<String> {
        match command {
            Command::NextHit | Command::PreviousHit if self.needle.is_empty() => {
                Some("nothing was searched for: /".to_owned())
            }
            Command::NextHit | Command::PreviousHit if self.hits.is_empty() => {
                Some(format!("{} was not found", text::line(&self.needle)))
            }
            Command::Search if self.lines.is_empty() => Some("there is no text yet".to_owned()),
            _ => None,
        }
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let area = inner(content);
        match memory.shelf.raw.get(&self.id) {
            Some(Answer::Here(_)) => {
                for (at, y) in (self.first..self.lines.len()).zip(area.top()..area.bottom()) {
                    self.draw_line(at, memory, buffer, Rect { y, height: 1, ..area });
                }
            }
            Some(Answer::Failed(problem)) => {
                let mut lines = problem_lines(problem, memory, area.width);
                lines.push(Line::from("^R asks again."));
                paint_lines(buffer, area, &lines);
            }
            Some(Answer::Asked) | None => {
                let words = format!("asking {} for {} {}", memory.context(), self.id, memory.theme.waiting());
                paint_lines(buffer, area, &[Line::from(text::line(&words))]);
            }
        }
    }

    fn draw_line(&self, at: usize, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        let line = &self.lines[at];
        let mut spans = Vec::new();
        let mut done = 0;
        let pieces = self.highlighter.as_ref().map_or(&[][..], |highlighter| highlighter.line(at));
        for &(end, meaning) in pieces {
            if let Some(piece) = line.get(done..end) {
                spans.push(Span::styled(piece, memory.theme.style(meaning)));
                done = end;
            }
        }
        spans.push(Span::raw(&line[done..]));
        let hits = self.hit_ranges(line);
        let current = self.hits.get(self.hit) == Some(&at);
        buffer.set_line(area.x, area.y, &text::scrolled(Line::from(spans), self.left), area.width);
        for (start, width) in hits {
            let x = usize::from(area.x) + start.saturating_sub(self.left);
            if start >= self.left && x + width <= usize::from(area.right()) {
                let meaning = if current { Meaning::Selected } else { Meaning::Hit };
                let hit = Rect { x: x as u16, width: width as u16, ..area };
                buffer.set_style(hit, memory.theme.style(meaning));
            }
        }
    }

    /// Cells of each place found in a line.
    fn hit_ranges(&self, line: &str) -> Vec<(usize, usize)> {
        if self.needle.is_empty() {
            return Vec::new();
        }
        let lower = line.to_lowercase();
        let found = lower.match_indices(&self.needle);
        found.map(|(at, hit)| (text::width(&lower[..at]), text::width(hit))).collect()
    }
}
