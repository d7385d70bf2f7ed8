//! One file of an artifact: text in colours where it is looked at, or bytes in hexadecimal. Secret values stay hidden
//! until somebody asks for one.

use super::super::{moved, problem_lines};
use crate::{
    app::{
        command::Command,
        memory::Memory,
        shelf::{
            Answer,
            artifacts::{Content, FileId, Hidden},
        },
    },
    domain::{problem::Problem, secret::HIDDEN},
    widgets::{
        highlight::Highlighter,
        layout, text,
        theme::{ColourMode, Meaning},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use std::{borrow::Cow, collections::HashSet, fmt::Write as _, sync::Arc};

/// Cells by which a long line moves sideways.
const SIDEWAYS: usize = 16;

/// Bytes in a line of hexadecimal.
const HEX: usize = 16;

#[derive(Default)]
pub(super) struct FileView {
    pub(super) id: Option<FileId>,
    content: Option<Arc<Content>>,
    /// The line on which the cursor stands, from 0.
    pub(super) cursor: usize,
    first: usize,
    left: usize,
    /// In lower case.
    needle: String,
    hits: Vec<usize>,
    hit: usize,
    /// Values that were asked for.
    revealed: HashSet<usize>,
    highlighter: Option<Highlighter>,
    /// A line to go to once the file is here.
    wanted: Option<usize>,
}

impl FileView {
    /// Another file: what was revealed and found in the one before is forgotten.
    pub(super) fn show(&mut self, id: Option<FileId>) {
        if self.id != id {
            let needle = std::mem::take(&mut self.needle);
            *self = Self { id, needle, ..Self::default() };
        }
    }

    /// Line from 1.
    pub(super) fn go_to(&mut self, line: usize) {
        self.wanted = Some(line.saturating_sub(1));
    }

    pub(super) fn lines(&self) -> usize {
        match self.content.as_deref() {
            Some(Content::Text { lines, .. }) => lines.len(),
            Some(Content::Binary(bytes)) => bytes.len().div_ceil(HEX),
            None => 0,
        }
    }

    /// How many places hold what was searched, and which of them one is at.
    pub(super) fn found(&self) -> Option<(usize, usize)> {
        (!self.needle.is_empty())
            .then_some((if self.hits.is_empty() { 0 } else { self.hit + 1 }, self.hits.len()))
    }

    pub(super) fn needle(&self) -> &str {
        &self.needle
    }

    pub(super) fn settle(&mut self, path: &str, memory: &Memory, height: usize) {
        let Some(id) = &self.id else { return };
        let Some(Answer::Here(content)) = memory.shelf.artifacts.file(id) else { return };
        if !self.content.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, content)) {
            self.content = Some(content.clone());
            self.highlighter = None;
            self.find();
        }
        if let Some(line) = self.wanted.take() {
            self.cursor = line;
        }
        self.cursor = self.cursor.min(self.lines().saturating_sub(1));
        self.first = layout::window(self.first, self.cursor, height, self.lines());
        if let (Some(Content::Text { lines, .. }), true) =
            (self.content.as_deref(), memory.theme.colour != ColourMode::None)
        {
            let highlighter = self.highlighter.get_or_insert_with(|| Highlighter::of(path));
            highlighter.reach(lines, self.first, self.first + height);
        }
    }

    /// True if the command was meant for a text.
    pub(super) fn update(&mut self, command: Command, height: usize) -> bool {
        if let Some(to) = moved(command, self.cursor, height, self.lines()) {
            self.cursor = to;
            return true;
        }
        match command {
            Command::Leftwards => self.left = self.left.saturating_sub(SIDEWAYS),
            Command::Rightwards => self.left = (self.left + SIDEWAYS).min(self.longest(height)),
            Command::NextHit => self.jump(self.hit + 1),
            Command::PreviousHit => self.jump((self.hit + self.hits.len()).saturating_sub(1)),
            Command::Unfold => self.reveal(),
            _ => return false,
        }
        true
    }

    fn longest(&self, height: usize) -> usize {
        let Some(Content::Text { lines, .. }) = self.content.as_deref() else { return 0 };
        let far = self.left + 2 * SIDEWAYS;
        let visible = lines.iter().skip(self.first).take(height);
        let widths = visible.map(|line| text::width(text::beginning(line, far)));
        widths.max().unwrap_or(0).saturating_sub(SIDEWAYS)
    }

    pub(super) fn search(&mut self, needle: &str) {
        self.needle = needle.to_lowercase();
        self.find();
        let after = self.hits.iter().position(|line| *line >= self.cursor).unwrap_or(0);
        self.jump(after);
    }

    /// In what is shown: a hidden value is not searched.
    fn find(&mut self) {
        self.hits.clear();
        let Some(Content::Text { lines, .. }) = self.content.as_deref() else { return };
        if self.needle.is_empty() {
            return;
        }
        let hit = |at: &usize| self.shown(*at).to_lowercase().contains(&self.needle);
        self.hits = (0..lines.len()).filter(hit).collect();
    }

    fn jump(&mut self, to: usize) {
        if !self.hits.is_empty() {
            self.hit = to % self.hits.len();
            self.cursor = self.hits[self.hit];
        }
    }

    /// Shows the value under the cursor, or hides it again.
    fn reveal(&mut self) {
        let under: Vec<usize> = self.hidden(self.cursor).map(|hidden| hidden.value).collect();
        for value in under {
            if !self.revealed.remove(&value) {
                self.revealed.insert(value);
            }
        }
        self.find();
    }

    pub(super) fn can_reveal(&self) -> bool {
        self.hidden(self.cursor).next().is_some()
    }

    fn hidden(&self, line: usize) -> impl Iterator<Item = &Hidden> {
        let all = match self.content.as_deref() {
            Some(Content::Text { hidden, .. }) => hidden.as_slice(),
            Some(Content::Binary(_)) | None => &[],
        };
        let first = all.partition_point(|hidden| hidden.line < line);
        all[first..].iter().take_while(move |hidden| hidden.line == line)
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.content.as_deref(), Some(Content::Text { sops: true, .. }))
    }

    pub(super) fn hides_something(&self) -> bool {
        matches!(self.content.as_deref(), Some(Content::Text { hidden, .. }) if !hidden.is_empty())
    }

    /// A line with its hidden parts masked.
    fn shown(&self, at: usize) -> Cow<'_, str> {
        let Some(Content::Text { lines, .. }) = self.content.as_deref() else { return Cow::Borrowed("") };
        let line = &lines[at];
        if self.hidden(at).all(|hidden| self.revealed.contains(&hidden.value)) {
            return Cow::Borrowed(line);
        }
        let mut out = String::with_capacity(line.len());
        let mut done = 0;
        for hidden in self.hidden(at).filter(|hidden| !self.revealed.contains(&hidden.value)) {
            let (Some(before), true) = (line.get(done..hidden.start), hidden.end <= line.len()) else {
                return Cow::Borrowed(HIDDEN);
            };
            out.push_str(before);
            out.push_str(HIDDEN);
            done = hidden.end;
        }
        out.push_str(line.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }

    pub(super) fn draw(&self, asked: Option<&str>, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        if self.content.is_some() {
            self.draw_content(memory, buffer, area);
            return;
        }
        let answer = self.id.as_ref().and_then(|id| memory.shelf.artifacts.file(id));
        let lines = match (answer, asked) {
            (Some(Answer::Failed(problem)), _) => failed(problem, memory, area.width),
            (_, Some(words)) => {
                text::wrap(words, usize::from(area.width)).into_iter().map(Line::from).collect()
            }
            (_, None) => vec![Line::from(format!("reading {}", memory.theme.waiting()))],
        };
        super::super::paint_lines(buffer, area, &lines);
    }

    fn draw_content(&self, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        let digits = self.lines().to_string().len().max(3);
        let muted = memory.theme.style(Meaning::Muted);
        for (at, y) in (self.first..self.lines()).zip(area.top()..area.bottom()) {
            let row = Rect { y, height: 1, ..area };
            let style = if at == self.cursor { memory.theme.style(Meaning::Marked) } else { muted };
            let hexadecimal = matches!(self.content.as_deref(), Some(Content::Binary(_)));
            let number =
                if hexadecimal { format!("{:08x} ", at * HEX) } else { format!("{:>digits$} ", at + 1) };
            let taken = number.len() as u16;
            buffer.set_stringn(row.x, y, number, usize::from(row.width), style);
            let rest = Rect { x: row.x + taken, width: row.width.saturating_sub(taken), ..row };
            match self.content.as_deref() {
                Some(Content::Binary(bytes)) => {
                    buffer.set_stringn(rest.x, y, hex(bytes, at), usize::from(rest.width), Style::new());
                }
                Some(Content::Text { .. }) => self.draw_line(at, memory, buffer, rest),
                None => {}
            }
        }
    }

    fn draw_line(&self, at: usize, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        let whole = self.shown(at);
        let line = text::beginning(&whole, self.left + usize::from(area.width));
        let masked = self.hidden(at).next().is_some();
        let mut spans = Vec::new();
        let mut done = 0;
        let pieces = self.highlighter.as_ref().map_or(&[][..], |highlighter| highlighter.line(at));
        // the pieces are those of the line as it is, not of its mask
        for &(end, meaning) in pieces.iter().filter(|_| !masked) {
            let end = end.min(line.len());
            if let Some(piece) = line.get(done..end) {
                spans.push(Span::styled(piece, memory.theme.style(meaning)));
                done = end;
            }
        }
        spans.push(Span::raw(&line[done..]));
        let visible = Line::from(spans);
        buffer.set_line(area.x, area.y, &text::scrolled(visible, self.left), area.width);
        if self.needle.is_empty() {
            return;
        }
        let current = self.hits.get(self.hit) == Some(&at);
        let lower = line.to_lowercase();
        for (start, hit) in lower.match_indices(&self.needle) {
            let (start, width) = (text::width(&lower[..start]), text::width(hit));
            let x = usize::from(area.x) + start.saturating_sub(self.left);
            if start >= self.left && x + width <= usize::from(area.right()) {
                let meaning = if current { Meaning::Selected } else { Meaning::Hit };
                let cells = Rect { x: x as u16, width: width as u16, ..area };
                buffer.set_style(cells, memory.theme.style(meaning));
            }
        }
    }
}

fn failed(problem: &Problem, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let mut lines = problem_lines(problem, memory, width);
    lines.push(Line::from("^R asks again."));
    lines
}

/// Sixteen bytes, and what of them can be seen.
fn hex(bytes: &[u8], line: usize) -> String {
    let start = line * HEX;
    let Some(row) = bytes.get(start..(start + HEX).min(bytes.len())) else { return String::new() };
    let mut out = String::with_capacity(70);
    for at in 0..HEX {
        match row.get(at) {
            Some(byte) => {
                // writing into a String cannot fail
                let _ = write!(out, "{byte:02x} ");
            }
            None => out.push_str("   "),
        }
        if at == HEX / 2 - 1 {
            out.push(' ');
        }
    }
    out.push(' ');
    out.extend(row.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '.' }));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(lines: &[&str], hidden: Vec<Hidden>) -> FileView {
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        FileView {
            content: Some(Arc::new(Content::Text { lines, hidden, sops: false })),
            ..FileView::default()
        }
    }

    #[test]
    fn a_hidden_value_is_neither_shown_nor_found_until_it_is_asked_for() {
        let hidden = Hidden { line: 1, start: 12, end: 20, value: 0 };
        let mut file = view(&["kind: Secret", "  password: czNjcjN0", "x: czNjcjN0"], vec![hidden]);
        assert_eq!(file.shown(1), "  password: (hidden)");
        file.search("czNjcjN0");
        assert_eq!(file.hits, [2]);
        file.cursor = 1;
        assert!(file.can_reveal() && file.update(Command::Unfold, 10));
        assert_eq!((&*file.shown(1), file.hits.len()), ("  password: czNjcjN0", 2));
        file.update(Command::Unfold, 10);
        assert_eq!(file.shown(1), "  password: (hidden)");
    }

    #[test]
    fn a_range_that_does_not_fit_hides_the_whole_line() {
        let hidden = Hidden { line: 0, start: 2, end: 99, value: 0 };
        assert_eq!(view(&["ab: cd"], vec![hidden]).shown(0), HIDDEN);
    }

    #[test]
    fn bytes_stand_in_lines_of_sixteen() {
        let bytes: Vec<u8> = (0..20).collect();
        assert_eq!(hex(&bytes, 1).split_whitespace().collect::<Vec<_>>(), ["10", "11", "12", "13", "...."]);
        assert!(hex(b"podinfo\x1b[2J", 0).ends_with("podinfo.[2J"));
    }
}
