//! The rows of `outdated` as a person reads them, as wide as the terminal allows. It judges nothing.

use super::row::{Row, TITLES};
use crate::cli::output::{Table, shortened};
use unicode_width::UnicodeWidthStr;

/// Room for a note where nobody says how wide the screen is.
const NOTE: usize = 100;
/// A note with less room than this stands on a line of its own.
const NARROW: usize = 24;
/// A name is not cut shorter.
const NAME: usize = 16;

/// The place of the note, the last column.
const LAST: usize = TITLES.len() - 1;
/// The place of the source's name.
const SOURCE: usize = 1;

pub(super) fn table(rows: &[Row], namespaces: bool, width: Option<usize>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let cells: Vec<Vec<String>> = rows.iter().map(Row::cells).collect();
    let first = usize::from(!namespaces);
    let text = columns(&cells, first, width);
    let beside = text.lines().map(UnicodeWidthStr::width).max().unwrap_or_default() + 3;
    let title = TITLES[LAST].to_owned();
    let notes = std::iter::once(&title).chain(cells.iter().map(|cells| &cells[LAST]));
    let mut out = String::new();
    for (at, (line, note)) in text.lines().zip(notes).enumerate() {
        let room = width.map_or(NOTE, |width| width.saturating_sub(beside));
        out.push_str(line);
        match width {
            _ if note.is_empty() => {}
            // under its row, and then without a title
            Some(_) if room < NARROW && at == 0 => {}
            Some(width) if room < NARROW => {
                out.push_str("\n    ");
                out.push_str(&shortened(note, width.saturating_sub(4)));
            }
            Some(_) | None => {
                out.extend(std::iter::repeat_n(' ', beside.saturating_sub(line.width())));
                out.push_str(&shortened(note, room));
            }
        }
        out.push('\n');
    }
    out
}

/// All columns but the note. Where they do not fit they stand closer, and then names are cut.
fn columns(cells: &[Vec<String>], first: usize, width: Option<usize>) -> String {
    let print = |mut table: Table, longest: usize| {
        for cells in cells {
            let cut = |(at, cell): (usize, &String)| {
                if at == SOURCE { shortened(cell, longest) } else { cell.clone() }
            };
            table.push(&cells.iter().enumerate().map(cut).collect::<Vec<_>>()[first..LAST]);
        }
        table.take(true)
    };
    let titles = || TITLES[first..LAST].to_vec();
    let over = |text: &str| {
        let widest = text.lines().map(UnicodeWidthStr::width).max().unwrap_or_default();
        width.map_or(0, |width| widest.saturating_sub(width))
    };
    let roomy = print(Table::new(titles()), usize::MAX);
    if over(&roomy) == 0 {
        return roomy;
    }
    let tight = print(Table::tight(titles()), usize::MAX);
    match over(&tight) {
        0 => tight,
        more => {
            let longest = cells.iter().map(|cells| cells[SOURCE].width()).max().unwrap_or_default();
            print(Table::tight(titles()), longest.saturating_sub(more).max(NAME))
        }
    }
}
