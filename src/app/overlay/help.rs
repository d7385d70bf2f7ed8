//! Help: the key table, for the view it was opened on, with the reason where a key does nothing now. Searchable.

use crate::{
    app::{
        command::Command,
        keymap::{self, Scope},
        memory::Memory,
        screen::{board, moved, paint_more},
    },
    domain::standing::Standing,
    widgets::{text, theme::Meaning},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{Clear, Widget},
};

/// Cells of the keys in front of the sentences.
const KEYS: usize = 22;

#[derive(Default)]
pub struct Help {
    first: usize,
    pub needle: String,
    typing: bool,
}

impl Help {
    pub fn is_typing(&self) -> bool {
        self.typing
    }

    pub fn type_search(&mut self) {
        self.typing = true;
    }

    pub fn stop_typing(&mut self) {
        self.typing = false;
        self.first = 0;
    }

    pub fn step(&mut self, command: Command, height: usize, count: usize) {
        if let Some(to) = moved(command, self.first, height, count) {
            self.first = to.min(count.saturating_sub(height));
        }
    }

    /// All lines that the search leaves.
    pub fn lines(
        &self,
        scope: Scope,
        memory: &Memory,
        room: usize,
        obstacle: impl Fn(Command) -> Option<String>,
    ) -> Vec<Line<'static>> {
        let needle = self.needle.to_lowercase();
        let mut lines = Vec::new();
        let here = scope;
        for scope in [scope, Scope::Everywhere, Scope::Line] {
            let mut section = Vec::new();
            for hint in keymap::lines(scope)
                .into_iter()
                .filter(|hint| !keymap::is_shadowed(here, scope, hint.command))
            {
                let keys = hint.keys.join(" ");
                let words = hint.command.words().1;
                let found = format!("{} {}", keys.to_lowercase(), words.to_lowercase()).contains(&needle);
                if found {
                    let reason = if scope == Scope::Line { None } else { obstacle(hint.command) };
                    section.extend(entry(&keys, words, reason.as_deref(), memory, room));
                }
            }
            if !section.is_empty() {
                lines.push(Line::styled(scope.words(), memory.theme.style(Meaning::Title)));
                lines.extend(section);
                lines.push(Line::default());
            }
        }
        if needle.is_empty() {
            lines.extend(legend(memory, room));
        } else if lines.is_empty() {
            lines.push(Line::from(format!("no key is about {}", text::line(&self.needle))));
        }
        lines
    }

    pub fn draw(&self, lines: &[Line<'_>], memory: &Memory, buffer: &mut Buffer, content: Rect) {
        Clear.render(content, buffer);
        let search = match (self.typing, self.needle.is_empty()) {
            (true, _) => format!("   /{}_", text::line(&self.needle)),
            (false, false) => format!("   /{}", text::line(&self.needle)),
            (false, true) => String::new(),
        };
        let title = format!("Help{search}");
        buffer.set_string(content.x + 1, content.y, title, memory.theme.style(Meaning::Title));
        let below = Rect {
            x: content.x + 1,
            y: content.y + 1,
            width: content.width.saturating_sub(2),
            height: content.height.saturating_sub(1),
        };
        for (line, y) in lines.iter().skip(self.first).zip(below.top()..below.bottom()) {
            buffer.set_line(below.x, y, line, below.width);
        }
        paint_more(buffer, below, lines.len(), self.first, memory);
    }
}

fn entry(keys: &str, words: &str, reason: Option<&str>, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let muted = memory.theme.style(Meaning::Muted);
    let words = reason.map_or_else(|| words.to_owned(), |reason| format!("{words} [not now: {reason}]"));
    let style = if reason.is_some() { muted } else { memory.theme.style(Meaning::Plain) };
    let wrapped = text::wrap(&words, room.saturating_sub(KEYS + 2).max(10));
    let key_style = if reason.is_some() { muted } else { memory.theme.style(Meaning::Key) };
    let labels = std::iter::once(keys.to_owned()).chain(std::iter::repeat(String::new()));
    let lines = wrapped.into_iter().zip(labels).map(|(line, keys)| {
        Line::from(vec![
            Span::styled(format!("  {:<KEYS$}", text::fit(&keys, KEYS - 1)), key_style),
            Span::styled(line, style),
        ])
    });
    lines.collect()
}

/// What glyphs, columns and numbers mean.
fn legend(memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let theme = &memory.theme;
    let mut lines = vec![Line::styled("signs", theme.style(Meaning::Title))];
    let mut glyphs = vec![Span::raw("  ")];
    for standing in Standing::ALL {
        let style = theme.style(Meaning::Standing(standing));
        glyphs.push(Span::styled(format!("{} {standing}", theme.glyph(standing)), style));
        glyphs.push(Span::raw("  "));
    }
    if Line::from(glyphs.clone()).width() > room {
        let rest = glyphs.split_off(9);
        lines.push(Line::from(glyphs));
        lines.push(Line::from([vec![Span::raw("  ")], rest].concat()));
    } else {
        lines.push(Line::from(glyphs));
    }
    for words in [
        format!(
            "  NEWEST {} Flux would take it, {} beyond the range, {} beyond by a major version,",
            theme.newer(),
            theme.beyond(),
            theme.beyond_major()
        ),
        format!("  {} Flux would go back to it; moved: the running tag names another digest.", theme.older()),
        "  RUNNING tag@digest. AGE since when it stands so.".to_owned(),
        "  stale: ready, but what it applied is not what its source holds, or its source is broken."
            .to_owned(),
        format!("  namespaces: {}", board::namespaces(memory)),
    ] {
        lines.extend(text::wrap(&words, room).into_iter().map(Line::from));
    }
    lines
}
