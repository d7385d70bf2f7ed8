//! What came of an action, above the line of keys: as many lines as it needs, three at most. It never takes the focus.

use super::{
    text,
    theme::{Meaning, Theme},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    widgets::{Clear, Widget},
};

/// More than this would cover what one looks at.
const MOST: usize = 3;

/// Paints a safe text at the lower right end of the area; its lines hold nothing else.
pub fn paint(buffer: &mut Buffer, area: Rect, words: &str, meaning: Meaning, theme: &Theme) {
    let room = usize::from(area.width.saturating_sub(4));
    let lines = text::wrap_most(words, room, MOST);
    let widest = lines.iter().map(|line| text::width(line)).max().unwrap_or(0);
    let height = u16::try_from(lines.len()).unwrap_or(0).min(area.height);
    let width = u16::try_from(widest + 2).unwrap_or(area.width).min(area.width);
    let place = Rect { x: area.right() - width, y: area.bottom() - height, width, height };
    // half a line beside it would be read with it
    Clear.render(Rect { x: area.x, width: area.width, ..place }, buffer);
    for (line, y) in lines.iter().zip(place.top()..) {
        let words = format!(" {} ", text::pad(line, widest, false));
        let style = theme.style(meaning).add_modifier(REVERSED);
        buffer.set_stringn(place.x, y, &words, usize::from(width), style);
    }
}

const REVERSED: ratatui::style::Modifier = ratatui::style::Modifier::REVERSED;
