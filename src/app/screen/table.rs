//! How rows of objects are drawn: columns in order of need, one line per visible row. Nothing else is formatted.

use super::{
    newest,
    rows::{Anchor, Arrangement, Row, Rows},
};
use crate::{
    app::{
        ledger::Entry,
        memory::Memory,
        rollout::Rollout,
        shelf::{Asking, TagList},
    },
    domain::{identity::ObjectId, repository::Upstream, world::Lookup},
    widgets::{
        table::{self, Column},
        text,
        theme::Meaning,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::Line,
};

/// Which columns there are, in their order.
const RUNNING: usize = 4;
const NEWEST: usize = 5;

/// `…@a1b2c3d4`: so much of a revision stays whatever the width.
const DIGEST_LEAST: usize = 10;

/// So much of a name stays where even the name and the digest alone do not fit.
const NAME_LEAST: usize = 20;

/// Titles and the visible rows.
pub fn paint(rows: &Rows, memory: &Memory, buffer: &mut Buffer, area: Rect) {
    let body = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let (columns, widths) = columns(rows, memory, body.width);
    table::paint_titles(buffer, body, &columns, &widths, &memory.theme);
    let height = usize::from(area.height.saturating_sub(1));
    let cursor = rows.cursor();
    for (at, y) in rows.visible(height).zip(area.y + 1..) {
        let row = &rows.view()[at];
        let line = Rect { y, height: 1, ..body };
        let marked = row.anchor.object().is_some_and(|id| rows.marks.contains(id));
        let mut style = Style::new();
        if row.anchor.object().is_some_and(|id| memory.is_old(id)) {
            style = style.add_modifier(Modifier::DIM);
        }
        let selected = cursor == Some(at);
        if selected {
            style = memory.theme.style(Meaning::Selected);
        }
        let cells = cells(row, rows, memory, &widths);
        let cells = if selected { cells.into_iter().map(table::without_style).collect() } else { cells };
        table::paint_row(buffer, line, &columns, &widths, &cells, style);
        let rollout = row.anchor.object().and_then(|id| memory.rollout(id));
        if let Some(rollout) = rollout.filter(|rollout| rollout.is_on_row(memory.now)) {
            paint_steps(buffer, behind(line, &widths[..3]), rollout, memory, style);
        }
        if marked {
            buffer.set_string(area.x, y, "*", memory.theme.style(Meaning::Marked));
        }
    }
}

/// What is left of a line behind these columns.
pub(super) fn behind(line: Rect, columns: &[Option<u16>]) -> Rect {
    let before = columns.iter().flatten().map(|width| width + 2).sum::<u16>().min(line.width);
    Rect { x: line.x + before, width: line.width - before, ..line }
}

/// The steps of an action stand over what was known before: they are what is known now.
pub(super) fn paint_steps(buffer: &mut Buffer, area: Rect, rollout: &Rollout, memory: &Memory, style: Style) {
    let room = usize::from(area.width);
    let words = text::pad(&rollout.words_in(memory.theme, memory.now, room), room, false);
    buffer.set_string(area.x, area.y, words, Style::reset().patch(style));
}

/// What could run is said with all its words where every column has room, and in its shortest before its column
/// is given up.
fn columns(rows: &Rows, memory: &Memory, room: u16) -> (Vec<Column>, Vec<Option<u16>>) {
    let is_whole = |shown: &(Vec<Column>, Vec<Option<u16>>)| shown.1.last().is_some_and(Option::is_some);
    let roomy = columns_with(rows, memory, room, (newest::ROOMY, newest::WHOLE));
    let usual = columns_with(rows, memory, room, (newest::WANTED, newest::WHOLE));
    if is_whole(&usual) && !is_whole(&roomy) {
        return usual;
    }
    if roomy.1.get(NEWEST).is_some_and(Option::is_some) {
        return roomy;
    }
    let lean = columns_with(rows, memory, room, (newest::WANTED, newest::LEAST));
    if lean.1.get(NEWEST).is_some_and(Option::is_some) {
        return lean;
    }
    squeezed(rows, memory, room).unwrap_or(lean)
}

/// Before that column is given up, the revision gives up its tag.
fn squeezed(rows: &Rows, memory: &Memory, room: u16) -> Option<(Vec<Column>, Vec<Option<u16>>)> {
    let mut columns = list_columns(rows, memory, usize::MAX, DIGEST_LEAST);
    columns[NEWEST] = Column::left("NEWEST", newest::WANTED, 2).at_least(newest::LEAST);
    let widths = table::widths(&columns, room);
    let stands = widths[NEWEST].is_some() && table::taken(&widths) <= room;
    stands.then_some((columns, widths))
}

/// A name is cut only where everything but state, kind and revision is gone, and the revision is down to its digest.
fn columns_with(
    rows: &Rows,
    memory: &Memory,
    room: u16,
    (wanted, least): (usize, usize),
) -> (Vec<Column>, Vec<Option<u16>>) {
    let mut shown = (Vec::new(), Vec::new());
    for (name, running) in [(usize::MAX, usize::MAX), (usize::MAX, DIGEST_LEAST), (NAME_LEAST, DIGEST_LEAST)]
    {
        let mut columns = list_columns(rows, memory, name, running);
        columns[NEWEST] = Column::left("NEWEST", wanted, 2).at_least(least);
        let widths = table::widths(&columns, room);
        let fits = table::taken(&widths) <= room;
        shown = (columns, widths);
        if fits {
            break;
        }
    }
    shown
}

/// The wide view shows a column more than the other one has.
pub fn has_more(rows: &Rows, memory: &Memory, width: u16) -> bool {
    let (columns, widths) = columns(rows, memory, width.saturating_sub(2));
    let shown = columns.iter().zip(&widths).filter(|(_, width)| width.is_some());
    shown.into_iter().any(|(column, _)| matches!(column.title, "REASON" | "REPOSITORY"))
}

fn list_columns(rows: &Rows, memory: &Memory, name_least: usize, running_least: usize) -> Vec<Column> {
    let widest = &rows.widest;
    let tree = rows.arrangement == Arrangement::Tree;
    let name = widest.name.clamp(8, 60);
    let follows = widest.follows.clamp(7, if tree { 24 } else { 36 });
    let running = widest.running.clamp(8, 26);
    let mut columns = vec![
        Column::left("STATE", widest.state + if memory.theme.ascii { 3 } else { 2 }, 0),
        Column::left("KIND", widest.kind, 0),
        Column::left("NAME", name, 0).at_least(name_least.min(name)),
        Column::left("FOLLOWS", follows, 4).at_least(follows.min(12)),
        Column::left("RUNNING", running, 0).at_least(running_least),
        Column::left("NEWEST", newest::WANTED, 2),
        Column::right("TAGS", 5, 6),
        Column::right("AGE", 4, 5),
    ];
    if memory.wide {
        columns.push(Column::left("REASON", 20, 3).at_least(12));
        columns.push(Column::left("REPOSITORY", 36, 8).at_least(20));
    }
    columns.push(Column::left("MESSAGE", 16, 9).growing());
    columns
}

fn cells(row: &Row, rows: &Rows, memory: &Memory, widths: &[Option<u16>]) -> Vec<Line<'static>> {
    match &row.anchor {
        Anchor::NoSource => pseudo_cells(memory, "", "no source", "", row.depth),
        Anchor::Object(id) => match memory.ledger.get(id) {
            Some(entry) => object_cells(row, entry, rows, memory, widths),
            None => {
                pseudo_cells(memory, id.kind.short(), &text::line(&id.path()), absence(id, memory), row.depth)
            }
        },
    }
}

/// Why an object that others point at is not here.
pub fn absence(id: &ObjectId, memory: &Memory) -> &'static str {
    match memory.ledger.world.lookup(id) {
        _ if !id.kind.is_watched() => "unwatched",
        Lookup::Gone if memory.is_listed() => "gone",
        Lookup::Here(_) | Lookup::Gone | Lookup::Unseen => "not read",
    }
}

fn pseudo_cells(memory: &Memory, kind: &str, name: &str, state: &str, depth: u8) -> Vec<Line<'static>> {
    let muted = memory.theme.style(Meaning::Muted);
    let state = if state.is_empty() { String::new() } else { format!("- {state}") };
    let name = format!("{}{name}", "  ".repeat(usize::from(depth)));
    [state, kind.to_owned(), name].into_iter().map(|text| Line::styled(text, muted)).collect()
}

fn object_cells(
    row: &Row,
    entry: &Entry,
    rows: &Rows,
    memory: &Memory,
    widths: &[Option<u16>],
) -> Vec<Line<'static>> {
    let width = |column: usize| widths[column].map_or(0, usize::from);
    let id = entry.object.id();
    let tree = rows.arrangement == Arrangement::Tree;
    // under its source a consumer need not name it again
    let follows = if tree && row.depth > 0 && !id.kind.is_source() { "" } else { &*entry.follows };
    let mut cells = vec![
        state(entry, memory),
        Line::from(id.kind.short()),
        Line::from(format!("{}{}", "  ".repeat(usize::from(row.depth)), entry.path)),
        Line::from(follows.to_owned()),
        Line::from(revision(&entry.running, width(RUNNING))),
    ];
    cells.extend(newest::cells(entry, memory, width(NEWEST)));
    cells.push(Line::from(entry.since.map_or_else(String::new, |since| memory.age(since))));
    if memory.wide {
        cells.push(Line::from(text::line(&entry.assessment.reason)));
        cells.push(Line::from(
            entry.upstream.as_ref().map_or_else(String::new, |u| text::line(&u.repository.to_string())),
        ));
    }
    cells.push(Line::from(text::line(&entry.assessment.message)));
    cells
}

/// `tag@digest8`: where it does not fit the tag loses its end, never the digest.
fn revision(words: &str, room: usize) -> String {
    match words.rsplit_once('@') {
        Some((tag, digest)) if text::width(words) > room && !tag.is_empty() => {
            format!("{}@{digest}", text::fit(tag, room.saturating_sub(text::width(digest) + 1)))
        }
        _ => words.to_owned(),
    }
}

/// Glyph and word; the glyph has room for two cells in ASCII.
fn state(entry: &Entry, memory: &Memory) -> Line<'static> {
    let standing = entry.assessment.standing;
    let glyph = memory.theme.glyph(standing);
    let words =
        if memory.theme.ascii { format!("{glyph:<2} {standing}") } else { format!("{glyph} {standing}") };
    Line::styled(words, memory.theme.style(Meaning::Standing(standing)))
}

/// Where a list of tags stands, in words: for panes and screens.
pub fn tags_words(list: Option<&TagList>, upstream: &Upstream, memory: &Memory) -> String {
    let dot = memory.theme.dot();
    let Some(list) = list else { return "not asked".to_owned() };
    let mut parts = Vec::new();
    match &list.asking {
        Asking::Queued => parts.push("waits for its turn".to_owned()),
        Asking::Since(since) => {
            let host = text::line(upstream.repository.registry());
            parts.push(format!("asking {host} {} {}", memory.theme.waiting(), memory.age(*since)));
        }
        Asking::Done(_) | Asking::Failed(..) => {}
    }
    if list.has_answer() {
        parts.push(text::count(list.tags.len(), "tag"));
        parts.push(text::count(list.versions, "version"));
    }
    match &list.asking {
        Asking::Done(at) => parts.push(format!("{} ago", memory.age(*at))),
        Asking::Failed(at, _) => parts.push(format!("could not ask, {} ago", memory.age(*at))),
        Asking::Queued | Asking::Since(_) => {}
    }
    if list.requests > 0 {
        parts.push(text::count(list.requests as usize, "request"));
    }
    parts.join(&format!(" {dot} "))
}
