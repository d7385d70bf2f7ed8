//! A text that is typed: where its cursor stands, and which part of it fits. It knows no keys.

use crate::{domain::plain::is_deceptive, widgets::text};

/// Longer than this nobody types.
const LIMIT: usize = 500;

#[derive(Debug, Clone, Default)]
pub(super) struct Input {
    text: String,
    /// A byte between two characters.
    at: usize,
}

impl Input {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), at: text.len() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Typed or pasted: only what can be seen, and never a line break.
    pub(super) fn insert(&mut self, new: &str) {
        let first = text::first_line(new);
        let room = LIMIT.saturating_sub(self.text.len());
        let seen: String = first.chars().filter(|c| !is_deceptive(*c)).take(room).collect();
        self.text.insert_str(self.at, &seen);
        self.at += seen.len();
    }

    pub(super) fn erase(&mut self) {
        let end = self.at;
        self.left();
        self.text.replace_range(self.at..end, "");
    }

    pub(super) fn erase_next(&mut self) {
        let start = self.at;
        self.right();
        self.text.replace_range(start..self.at, "");
        self.at = start;
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.at = 0;
    }

    pub(super) fn left(&mut self) {
        self.at = self.text[..self.at].char_indices().next_back().map_or(0, |(at, _)| at);
    }

    pub(super) fn right(&mut self) {
        self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
    }

    pub(super) fn start(&mut self) {
        self.at = 0;
    }

    pub(super) fn end(&mut self) {
        self.at = self.text.len();
    }

    /// The part that is shown in so many cells, safe: the cursor is always in it.
    pub(super) fn shown_in(&self, cells: usize) -> String {
        text::fit(&text::line(&self.text[self.first(cells)..]), cells)
    }

    /// The cell of the cursor.
    pub(super) fn cursor_in(&self, cells: usize) -> usize {
        self.cell_in(cells, self.at)
    }

    /// The cell of this byte; the nearest end for one that is not shown.
    pub(super) fn cell_in(&self, cells: usize, byte: usize) -> usize {
        let first = self.first(cells);
        let before = self.text.get(first..byte.max(first)).unwrap_or_default();
        text::width(&text::line(before)).min(cells.saturating_sub(1))
    }

    fn first(&self, cells: usize) -> usize {
        let mut first = 0;
        while text::width(&text::line(&self.text[first..self.at])) >= cells.max(1) && first < self.at {
            first += self.text[first..].chars().next().map_or(1, char::len_utf8);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_edited_where_the_cursor_stands() {
        let mut input = Input::new("6.9.x");
        input.left();
        input.erase();
        input.insert("9");
        assert_eq!((input.text(), input.cursor_in(20)), ("6.99x", 4));
        input.start();
        input.erase();
        input.erase_next();
        input.insert("größer\u{202e}\u{7}\nzwei");
        assert_eq!((input.text(), input.cursor_in(20)), ("größer.99x", 6));
        input.end();
        input.right();
        input.erase_next();
        assert_eq!(input.text(), "größer.99x");
    }

    #[test]
    fn a_long_text_shows_the_part_with_the_cursor() {
        let mut input = Input::new(">=1.0.0 <2.0.0 || >=3.0.0");
        assert_eq!((input.shown_in(10).as_str(), input.cursor_in(10)), ("| >=3.0.0", 9));
        assert_eq!(input.cell_in(10, 0), 0, "what is not shown is beyond the edge");
        input.start();
        assert_eq!((input.shown_in(10).as_str(), input.cursor_in(10)), (">=1.0.0 <…", 0));
    }
}
