//! How the upgrades are drawn: columns in order of need, one line per visible row. Nothing else is formatted.

use super::{
    super::table::{behind, paint_steps},
    UpgradesScreen,
    glance::{Class, Glance, State},
    pin::Pin,
    rows::{Row, word},
    words,
};
use crate::{
    app::memory::Memory,
    domain::{
        outlook::Prospect,
        upgrade::{Candidate, Distance},
    },
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
    text::{Line, Span},
};

/// The column in which steps of an action stand.
const HOW: usize = 6;

/// So much of a name stays where even the name alone does not fit.
const SOURCE_LEAST: usize = 14;

/// Titles and the visible rows.
pub(super) fn paint(screen: &UpgradesScreen, memory: &Memory, buffer: &mut Buffer, area: Rect) {
    let body = super::super::inner(area);
    let (columns, widths) = columns(screen, body.width);
    table::paint_titles(buffer, body, &columns, &widths, &memory.theme);
    let height = usize::from(area.height.saturating_sub(1));
    for (at, y) in screen.visible(height).zip(area.y + 1..) {
        let row = &screen.view()[at];
        let line = Rect { y, height: 1, ..body };
        let mut style = Style::new();
        if memory.is_old(&row.id) {
            style = style.add_modifier(Modifier::DIM);
        }
        let selected = screen.cursor() == Some(at);
        if selected {
            style = memory.theme.style(Meaning::Selected);
        }
        let width = widths[HOW].map_or(0, usize::from);
        let cells = cells(row, screen, memory, width);
        let cells = if selected { cells.into_iter().map(table::without_style).collect() } else { cells };
        table::paint_row(buffer, line, &columns, &widths, &cells, style);
        if let (None, Some(rollout)) = (widths[HOW], memory.rollout(&row.id))
            && rollout.is_on_row(memory.now)
        {
            // without a column of its own the steps stand where the tags stood
            paint_steps(buffer, behind(line, &widths[..2]), rollout, memory, style);
        }
        if screen.marks.contains(&row.id) {
            buffer.set_string(area.x, y, "*", memory.theme.style(Meaning::Marked));
        }
    }
}

/// A name is cut only where everything but what runs and what is newer is gone.
fn columns(screen: &UpgradesScreen, room: u16) -> (Vec<Column>, Vec<Option<u16>>) {
    let whole = columns_with(screen, usize::MAX, room);
    let widths = table::widths(&whole, room);
    if table::taken(&widths) <= room {
        return (whole, widths);
    }
    let columns = columns_with(screen, SOURCE_LEAST, room);
    let widths = table::widths(&columns, room);
    (columns, widths)
}

fn columns_with(screen: &UpgradesScreen, least: usize, room: u16) -> Vec<Column> {
    let widest = screen.widest();
    let (source, running) = (widest.source.clamp(8, 60), widest.running.clamp(7, 20));
    let (in_range, beyond) = (widest.in_range.clamp(13, 26), widest.beyond.clamp(8, 26));
    vec![
        Column::left("SOURCE", source, 0).at_least(least.min(source)),
        Column::left("KIND", widest.kind, 3),
        Column::left("RUNNING", running, 0).at_least(running.min(9)),
        Column::left("IN RANGE", in_range, 0).at_least(in_range.min(16)),
        Column::left("BEYOND", beyond, 0).at_least(beyond.min(14)),
        Column::left(if room < 98 { "USED BY" } else { "CONSUMERS" }, 11, 2).at_least(7),
        Column::left("HOW", 14, 1).growing(),
    ]
}

fn cells(row: &Row, screen: &UpgradesScreen, memory: &Memory, width: usize) -> Vec<Line<'static>> {
    let Some(glance) = memory.ledger.get(&row.id).and_then(|entry| Glance::of(entry, memory)) else {
        return vec![Line::from(text::line(&row.id.path()))];
    };
    vec![
        Line::from(glance.entry.path.to_string()),
        Line::from(row.id.kind.short()),
        Line::from(glance.running().to_owned()),
        in_range(&glance, memory),
        beyond(&glance, screen, memory),
        consumers(row, memory),
        how(&glance, screen, memory, width),
    ]
}

fn in_range(glance: &Glance<'_>, memory: &Memory) -> Line<'static> {
    let say = |words: &'static str, meaning| Line::styled(words, memory.theme.style(meaning));
    match &glance.state {
        State::Asking(_) => say(memory.theme.pick("asking …", "asking ..."), Meaning::Muted),
        State::Outrun(_) => say("old tags", Meaning::Warning),
        State::Unasked(_) => say("could not ask", Meaning::Problem),
        State::Judged { prospect, .. } => match prospect {
            Prospect::Take(found) => candidate(found, word(found), memory),
            Prospect::GoBack(found) => candidate(found, "older", memory),
            Prospect::Nothing(_) => say("no match", Meaning::Problem),
            Prospect::Unjudged(_) => say("not judged", Meaning::Warning),
            Prospect::Absent => say("not there", Meaning::Problem),
            Prospect::Pinned => say("pinned", Meaning::Plain),
            Prospect::Moved => say("moved", Meaning::Warning),
            Prospect::Uncompared(_) | Prospect::Stay(_) => say("-", Meaning::Muted),
        },
    }
}

fn beyond(glance: &Glance<'_>, screen: &UpgradesScreen, memory: &Memory) -> Line<'static> {
    if let Some(pin) = Pin::of(glance, &screen.reach) {
        let carriers = pin.carriers(&memory.shelf.lookups);
        if let Some(tag) = carriers.tags.first() {
            return Line::from(format!("= {}", text::line(tag)));
        }
        let words = if pin.is_done(&memory.shelf.lookups) { "" } else { memory.theme.waiting() };
        return Line::styled(words, memory.theme.style(Meaning::Muted));
    }
    match &glance.state {
        State::Judged { upgrade, .. } => match &upgrade.beyond {
            Some(found) => candidate(found, word(found), memory),
            None => Line::styled("-", memory.theme.style(Meaning::Muted)),
        },
        State::Asking(_) | State::Outrun(_) | State::Unasked(_) => Line::default(),
    }
}

/// Tag and distance.
fn candidate(found: &Candidate, word: &'static str, memory: &Memory) -> Line<'static> {
    let meaning = if found.distance == Distance::Major { Meaning::Major } else { Meaning::Newer };
    Line::from(vec![
        Span::raw(text::line(&found.tag)),
        Span::raw(if word.is_empty() { "" } else { " " }),
        Span::styled(word, memory.theme.style(meaning)),
    ])
}

/// `2 ks 1 hr`, with the sign of trouble where some of them need somebody.
fn consumers(row: &Row, memory: &Memory) -> Line<'static> {
    use crate::domain::identity::Kind;
    let of = |kind: Kind| memory.ledger.world.dependents(&row.id).filter(|id| id.kind == kind).count();
    let more = if memory.unread_users().is_some() { "+" } else { "" };
    let words: Vec<String> = [Kind::Kustomization, Kind::HelmRelease]
        .into_iter()
        .map(|kind| (of(kind), kind.short()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count}{more} {kind}"))
        .collect();
    if words.is_empty() {
        let none = if more.is_empty() { "-" } else { "not read" };
        return Line::styled(none, memory.theme.style(Meaning::Muted));
    }
    let mut spans = vec![Span::raw(words.join(" "))];
    if row.red > 0 {
        let worst = memory.ledger.world.dependents(&row.id).filter_map(|id| memory.ledger.standing(id)).min();
        if let Some(worst) = worst {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(memory.theme.glyph(worst), memory.theme.style(Meaning::Standing(worst))));
        }
    }
    Line::from(spans)
}

/// Only an edit takes it: what comes by itself, and a pin, have other words.
fn is_edit(glance: &Glance<'_>) -> bool {
    match &glance.state {
        State::Judged { upgrade, prospect: Prospect::Stay(_) | Prospect::Uncompared(_), .. } => {
            upgrade.beyond.is_some()
        }
        State::Judged { .. } | State::Asking(_) | State::Outrun(_) | State::Unasked(_) => false,
    }
}

fn how(glance: &Glance<'_>, screen: &UpgradesScreen, memory: &Memory, width: usize) -> Line<'static> {
    if let Some(rollout) = memory.rollout(glance.id()).filter(|rollout| rollout.is_on_row(memory.now)) {
        return Line::from(rollout.words_in(memory.theme, memory.now, width));
    }
    if width == 0 {
        return Line::default();
    }
    let change = if is_edit(glance) { words::change(glance, &screen.reach, memory) } else { None };
    let parts = words::how(glance, change.as_ref(), &screen.reach, memory);
    // a row has room for the first; what else it takes stands at the foot
    let edited = change.as_ref().filter(|_| parts.len() == 1).map(words::managed).unwrap_or_default();
    let words = parts.first().map(|first| format!("{first}{edited}")).unwrap_or_default();
    let meaning = match glance.class() {
        Class::Unasked | Class::NoChoice => Meaning::Problem,
        Class::Asking => Meaning::Muted,
        Class::Moved
        | Class::Major
        | Class::Beyond
        | Class::InRange
        | Class::Pinned
        | Class::Floating
        | Class::Current => Meaning::Plain,
    };
    Line::styled(text::line(&words), memory.theme.style(meaning))
}
