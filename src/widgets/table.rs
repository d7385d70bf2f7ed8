//! Rows in columns: only what is visible is ever formatted. Columns drop by need; names are cut last.

use super::{
    text,
    theme::{Meaning, Theme},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// Cells between two columns.
const GAP: u16 = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub title: &'static str,
    /// Cells that the widest content takes.
    pub wanted: u16,
    /// Fewer than this, and the column is dropped instead.
    pub least: u16,
    /// Columns with the highest number are dropped first; 0 is never dropped.
    pub drop: u8,
    pub right: bool,
    /// Stands only where all others have what they want, and takes what is left.
    pub grows: bool,
}

impl Column {
    pub fn left(title: &'static str, wanted: usize, drop: u8) -> Self {
        let wanted = cells(wanted.max(title.len()));
        Self { title, wanted, least: wanted, drop, right: false, grows: false }
    }

    pub fn right(title: &'static str, wanted: usize, drop: u8) -> Self {
        Self { right: true, ..Self::left(title, wanted, drop) }
    }

    /// May be as narrow as `least`.
    #[must_use]
    pub fn at_least(mut self, least: usize) -> Self {
        self.least = cells(least).min(self.wanted);
        self
    }

    #[must_use]
    pub fn growing(mut self) -> Self {
        self.grows = true;
        self
    }
}

fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// The width of each column, or None where it was dropped.
pub fn widths(columns: &[Column], room: u16) -> Vec<Option<u16>> {
    let mut kept: Vec<bool> = vec![true; columns.len()];
    let generous = |column: &Column| if column.grows { column.least } else { column.wanted };
    if total(columns, &kept, generous) > u32::from(room) {
        for (column, kept) in columns.iter().zip(&mut kept) {
            *kept = !column.grows || column.drop == 0;
        }
    }
    while total(columns, &kept, |column| column.least) > u32::from(room) {
        let victim =
            (0..columns.len()).filter(|&i| kept[i] && columns[i].drop > 0).max_by_key(|&i| columns[i].drop);
        let Some(victim) = victim else { break };
        kept[victim] = false;
    }
    let mut widths: Vec<Option<u16>> =
        columns.iter().zip(&kept).map(|(column, &kept)| kept.then_some(column.least)).collect();
    let mut spare = u32::from(room).saturating_sub(total(columns, &kept, |column| column.least));
    for (column, width) in columns.iter().zip(&mut widths) {
        if let Some(width) = width {
            let more = spare.min(u32::from(column.wanted - column.least));
            *width += more as u16;
            spare -= more;
        }
    }
    if let Some(width) =
        columns.iter().zip(&mut widths).filter(|(c, _)| c.grows).find_map(|(_, w)| w.as_mut())
    {
        *width = width.saturating_add(spare as u16);
    }
    widths
}

/// Cells that these columns take, with the gaps between them.
pub fn taken(widths: &[Option<u16>]) -> u16 {
    let kept = widths.iter().flatten();
    kept.map(|width| width.saturating_add(GAP)).fold(0, u16::saturating_add).saturating_sub(GAP)
}

fn total(columns: &[Column], kept: &[bool], width: impl Fn(&Column) -> u16) -> u32 {
    let widths =
        columns.iter().zip(kept).filter(|&(_, &kept)| kept).map(|(column, _)| u32::from(width(column) + GAP));
    widths.sum::<u32>().saturating_sub(u32::from(GAP))
}

/// The line of titles.
pub fn paint_titles(
    buffer: &mut Buffer,
    area: Rect,
    columns: &[Column],
    widths: &[Option<u16>],
    theme: &Theme,
) {
    let cells: Vec<Line<'_>> = columns.iter().map(|column| Line::from(column.title)).collect();
    paint_row(buffer, area, columns, widths, &cells, theme.style(Meaning::Muted));
}

/// The words alone: what is selected has one style from end to end.
pub fn without_style(line: Line<'_>) -> Line<'_> {
    line.spans.into_iter().map(|span| Span::raw(span.content)).collect()
}

/// One row. `style` lies below the cells' own styles and fills the whole line.
pub fn paint_row(
    buffer: &mut Buffer,
    area: Rect,
    columns: &[Column],
    widths: &[Option<u16>],
    cells: &[Line<'_>],
    style: Style,
) {
    buffer.set_style(Rect { height: 1, ..area }, style);
    let mut x = area.x;
    for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
        let Some(width) = *width else { continue };
        let width = width.min(area.right().saturating_sub(x));
        let taken = cells_of(cell);
        let start = if column.right { x + width.saturating_sub(taken) } else { x };
        let (end, _) = buffer.set_line(start, area.y, cell, width);
        if taken > width && width > 0 && end > 0 {
            buffer.set_string(x + width - 1, area.y, "…", Style::new());
        }
        x = x.saturating_add(width + GAP);
    }
}

fn cells_of(line: &Line<'_>) -> u16 {
    cells(line.spans.iter().map(|span| text::width(&span.content)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::left("STATE", 13, 0),
            Column::left("NAME", 30, 0).at_least(20),
            Column::left("FOLLOWS", 10, 1),
            Column::right("AGE", 4, 3),
            Column::left("MESSAGE", 20, 4).growing(),
        ]
    }

    #[test]
    fn columns_drop_by_need_and_the_name_shrinks_last() {
        assert_eq!(widths(&columns(), 120), [Some(13), Some(30), Some(10), Some(4), Some(55)]);
        assert_eq!(widths(&columns(), 70), [Some(13), Some(30), Some(10), Some(4), None]);
        assert_eq!(widths(&columns(), 50), [Some(13), Some(23), Some(10), None, None]);
        assert_eq!(widths(&columns(), 36), [Some(13), Some(21), None, None, None]);
    }
}
