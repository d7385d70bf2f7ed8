//! One line at the bottom right that says what came of an action. It never takes the focus.

use super::{
    text,
    theme::{Meaning, Theme},
};
use ratatui::{buffer::Buffer, layout::Rect};

/// Paints a safe text over the right end of the line.
pub fn paint(buffer: &mut Buffer, line: Rect, words: &str, meaning: Meaning, theme: &Theme) {
    let words = format!(" {} ", text::fit(words, usize::from(line.width.saturating_sub(2))));
    let width = u16::try_from(text::width(&words)).unwrap_or(line.width).min(line.width);
    let x = line.right() - width;
    buffer.set_stringn(x, line.y, &words, usize::from(width), theme.style(meaning).add_modifier(REVERSED));
}

const REVERSED: ratatui::style::Modifier = ratatui::style::Modifier::REVERSED;
