//! The foot below a table: why the selected row stands where it stands, whole, so that nobody must open it.

use super::{
    newest, paint_lines,
    rows::{Anchor, Rows},
    table,
};
use crate::{
    app::{ledger::Entry, memory::Memory, shelf::Asking},
    domain::standing::Standing,
    widgets::{text, theme::Meaning},
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

/// Fewer lines than this, and the table would jump at every step.
const LEAST: usize = 3;

/// Lines of the foot, the rule above them not counted.
pub fn lines(rows: &Rows, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let room = usize::from(width.saturating_sub(2));
    let mut lines = match rows.selected() {
        Some(Anchor::Object(id)) => {
            if let Some(entry) = memory.ledger.get(id) {
                object_lines(entry, memory, room)
            } else {
                let words = match table::absence(id, memory) {
                    "gone" => "does not exist: what takes from it keeps what it applied last",
                    "unwatched" => {
                        "is only pointed at: fluxscope watches OCI sources and what takes from them"
                    }
                    _ => "was not read, so freshness below it is not judged",
                };
                wrapped(&format!("{id} {words}"), room)
            }
        }
        Some(Anchor::NoSource) => {
            vec![Line::from("These name no source that fluxscope can read: Enter on one of them says more.")]
        }
        None => Vec::new(),
    };
    while lines.len() < LEAST {
        lines.push(Line::default());
    }
    lines
}

/// Rule and lines; what does not fit is said to be there.
pub fn paint(lines: &[Line<'_>], memory: &Memory, buffer: &mut Buffer, area: Rect) {
    paint_with(lines, "by Enter", memory, buffer, area);
}

/// The same, with the words for where the rest is.
pub fn paint_with(lines: &[Line<'_>], whither: &str, memory: &Memory, buffer: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    let rule = memory.theme.rule().repeat(usize::from(area.width.saturating_sub(2)));
    buffer.set_string(area.x + 1, area.y, rule, memory.theme.style(Meaning::Muted));
    let below = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(1),
    };
    let room = usize::from(below.height);
    if lines.len() <= room || room == 0 {
        paint_lines(buffer, below, lines);
        return;
    }
    // the last line says how much is missing, and shows what it has room for
    let hidden = lines.len() - room;
    let more = format!(" … {}", text::more(hidden, whither));
    let width = below.width.saturating_sub(u16::try_from(text::width(&more)).unwrap_or(0));
    paint_lines(buffer, Rect { height: below.height - 1, ..below }, lines);
    let last = Rect { y: below.bottom() - 1, height: 1, width, ..below };
    let words: String = lines[room - 1].spans.iter().map(|span| span.content.as_ref()).collect();
    let style = lines[room - 1].style;
    buffer.set_line(last.x, last.y, &Line::styled(text::fit(&words, usize::from(width)), style), width);
    buffer.set_string(last.right(), last.y, more, memory.theme.style(Meaning::Muted));
}

fn wrapped(words: &str, room: usize) -> Vec<Line<'static>> {
    text::wrap(words, room).into_iter().map(Line::from).collect()
}

fn object_lines(entry: &Entry, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let id = entry.object.id();
    if let Some(rollout) = memory.rollout(id) {
        let words = rollout.words(memory.theme, memory.now);
        lines.extend(text::wrap(&format!("{id}  {words}"), room).into_iter().map(Line::from));
        if let Some(message) = rollout.failure().and_then(|step| step.message.as_deref()) {
            let style = memory.theme.style(Meaning::Problem);
            lines.extend(text::wrap(message, room).into_iter().map(|line| Line::styled(line, style)));
        }
    }
    let judged = &entry.assessment;
    let said = match (judged.reason.as_str(), judged.message.as_str()) {
        ("", "") => format!("{id} is {}", judged.standing),
        (reason, "") => format!("{reason}: {id} is {}", judged.standing),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    };
    lines.extend(wrapped(&said, room));
    lines.extend(judged.note.iter().flat_map(|note| wrapped(note, room)));
    lines.extend(consequence(entry, memory).iter().flat_map(|words| wrapped(words, room)));
    lines.extend(newest::sentence(entry, memory).iter().flat_map(|words| wrapped(words, room)));
    if let Some(upstream) = &entry.upstream
        && let Some(Asking::Failed(_, problem)) = memory.shelf.tags(upstream).map(|list| &list.asking)
    {
        let again = newest::retry(upstream, memory).map_or_else(String::new, |words| format!("; {words}"));
        let words = format!("could not {problem}{again}");
        let style = memory.theme.style(Meaning::Warning);
        lines.extend(text::wrap(&words, room).into_iter().map(|line| Line::styled(line, style)));
    }
    lines
}

/// What a broken source means for those who take from it.
pub(super) fn consequence(entry: &Entry, memory: &Memory) -> Option<String> {
    let broken = matches!(entry.assessment.standing, Standing::Failing | Standing::Stalled);
    let revision = entry.object.as_source()?.revision().filter(|_| broken)?;
    let consumers = match memory.ledger.world.consumers(entry.object.id()).len() {
        0 if memory.unread_users().is_some() => "nothing that was read takes from it".to_owned(),
        0 => "nothing takes from it".to_owned(),
        1 => "1 consumer runs on it".to_owned(),
        more => format!("{more} consumers run on it"),
    };
    Some(format!("It still serves {}; {consumers}.", revision.short()))
}
