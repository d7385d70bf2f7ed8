//! The first screen: every source with its consumers under it, the registry beside them. It holds no object itself.

use super::{
    Place, Step, foot, inner, page, paint_lines, problem_lines,
    rows::{Arrangement, Rows},
    table, tags,
};
use crate::{
    app::{
        command::Command,
        memory::{Memory, Session},
    },
    domain::{identity::Kind, problem::Problem, world::Feed},
    widgets::{layout, text, theme::Meaning},
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};
use std::fmt::Write as _;

pub struct Board {
    pub rows: Rows,
    pane: tags::Pane,
}

impl Default for Board {
    fn default() -> Self {
        Self { rows: Rows::new(Arrangement::Tree), pane: tags::Pane::default() }
    }
}

impl Board {
    pub fn settle(&mut self, memory: &Memory, content: Rect) {
        self.rows.settle(memory);
        if !memory.wide && layout::with_pane(content).1.is_some() {
            self.pane.settle(self.rows.selected_object(), memory);
        }
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        self.rows.update(command, memory, content)
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let (main, pane) = if memory.wide { (content, None) } else { layout::with_pane(content) };
        draw_rows(&self.rows, memory, buffer, main);
        if let Some(pane) = pane {
            self.pane.paint(memory, buffer, pane);
        }
    }
}

/// Notices, rows, foot; or, where there are no rows, why and what would bring some.
pub fn draw_rows(rows: &Rows, memory: &Memory, buffer: &mut Buffer, content: Rect) {
    let above = notices(memory, content.width);
    paint_lines(buffer, inner(content), &above);
    let content = below(content, above.len());
    if rows.view().is_empty() {
        paint_lines(
            buffer,
            inner(below(content, 1)),
            &nothing(rows, memory, content.width.saturating_sub(2)),
        );
        return;
    }
    let lines = foot::lines(rows, memory, content.width);
    let (main, foot) = layout::with_foot(content, lines.len() + 1);
    table::paint(rows, memory, buffer, main);
    foot::paint(&lines, memory, buffer, foot);
}

fn below(content: Rect, lines: usize) -> Rect {
    let lines = u16::try_from(lines).unwrap_or(0).min(content.height);
    Rect { y: content.y + lines, height: content.height - lines, ..content }
}

/// Rows that one page holds.
pub fn page_of(rows: &Rows, memory: &Memory, content: Rect) -> usize {
    let content = below(content, notices(memory, content.width).len());
    page(content, foot::lines(rows, memory, content.width).len() + 1)
}

/// What is missing on this screen and why: one line each, three at most. The wide view also names the namespaces.
pub(super) fn notices(memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let room = usize::from(width.saturating_sub(2));
    let mut words = Vec::new();
    if !memory.ledger.is_empty() {
        words.extend(
            grouped(&refused(memory))
                .into_iter()
                .map(|(kinds, problem)| format!("{kinds} not shown: could not {problem}")),
        );
    }
    words.extend(
        grouped(&memory.ledger.world.narrowed().collect::<Vec<_>>())
            .into_iter()
            .map(|(kinds, problem)| format!("{kinds} read namespace by namespace: could not {problem}")),
    );
    words.extend(
        memory
            .ledger
            .world
            .unreadable()
            .map(|(feed, problem)| format!("one {} cannot be read at all: {problem}", feed.kind)),
    );
    words.extend(memory.ledger.world.feeds().find_map(|(_, feed)| match feed {
        Feed::Lost { problem, .. } => Some(format!("watch lost, the rows are kept: {problem}")),
        Feed::Live { .. } | Feed::NotInstalled | Feed::Refused(_) => None,
    }));
    let more = words.len().saturating_sub(3);
    words.truncate(3);
    if more > 0
        && let Some(last) = words.last_mut()
    {
        *last = format!("(and {more} more) {last}");
    }
    let style = memory.theme.style(Meaning::Warning);
    let mut lines: Vec<Line<'_>> =
        words.iter().map(|words| Line::styled(text::fit(&text::line(words), room), style)).collect();
    if memory.wide {
        lines.insert(
            0,
            Line::styled(text::fit(&namespaces(memory), room), memory.theme.style(Meaning::Muted)),
        );
    }
    lines
}

/// `0 all  1 shop (12)  2 infra (7)`.
pub fn namespaces(memory: &Memory) -> String {
    let mut words = vec!["0 all".to_owned()];
    for (digit, (name, count)) in (1..10).zip(memory.ledger.namespaces()) {
        words.push(format!("{digit} {} ({count})", text::line(&name)));
    }
    words.join("  ")
}

fn refused(memory: &Memory) -> Vec<(Kind, &Problem)> {
    let refused = memory.ledger.world.feeds().filter_map(|(id, feed)| match feed {
        Feed::Refused(problem) => Some((id.kind, problem)),
        Feed::Live { .. } | Feed::Lost { .. } | Feed::NotInstalled => None,
    });
    refused.collect()
}

/// Kinds with the same cause are one sentence.
fn grouped(problems: &[(Kind, &Problem)]) -> Vec<(String, Problem)> {
    let mut groups: Vec<(Vec<&str>, Problem)> = Vec::new();
    for (kind, problem) in problems {
        let same = groups.iter_mut().find(|(_, other)| other.why == problem.why || other == *problem);
        match same {
            Some((kinds, _)) if kinds.contains(&kind.name()) => {}
            Some((kinds, _)) => kinds.push(kind.name()),
            None => groups.push((vec![kind.name()], (*problem).clone())),
        }
    }
    groups.into_iter().map(|(kinds, problem)| (kinds.join(", "), problem)).collect()
}

/// Why there is no row.
fn nothing(rows: &Rows, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    if rows.total > 0 && matches!(memory.session, Session::Up(_)) {
        return wrapped(&filtered_away(rows), width);
    }
    nothing_of(&empty(rows, memory), memory, width)
}

fn wrapped(words: &str, width: u16) -> Vec<Line<'static>> {
    text::wrap(words, usize::from(width)).into_iter().map(Line::from).collect()
}

/// Why a view of the whole cluster is empty; the words are for where all of it was read.
pub(super) fn nothing_of(words: &str, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    match &memory.session {
        Session::Down { problem, .. } => return without_cluster(problem, memory, width),
        Session::Connecting { context, since } => {
            let whom = context.clone().or_else(|| memory.contexts.first().cloned());
            let whom = whom.unwrap_or_else(|| "the cluster".to_owned());
            let words =
                format!("connecting to {whom} since {} {}", memory.age(*since), memory.theme.waiting());
            return wrapped(&words, width);
        }
        Session::Up(_) => {}
    }
    let refused = refused(memory);
    if !memory.is_listed() {
        let missing: Vec<&str> = Kind::WATCHED
            .iter()
            .filter(|kind| !memory.ledger.world.feeds().any(|(feed, _)| feed.kind == **kind))
            .map(|kind| kind.name())
            .collect();
        let since = memory.watched_since.unwrap_or(memory.now);
        let words = format!(
            "reading {} from {} since {} {}",
            missing.join(", "),
            memory.context(),
            memory.age(since),
            memory.theme.waiting()
        );
        return wrapped(&words, width);
    }
    let mut lines = Vec::new();
    if refused.is_empty() || memory.ledger.world.feeds().any(|(_, feed)| matches!(feed, Feed::Live { .. })) {
        lines.extend(wrapped(words, width));
    }
    for (kinds, problem) in grouped(&refused) {
        lines.push(Line::default());
        lines.extend(wrapped(&format!("{kinds}:"), width));
        lines.extend(problem_lines(&problem, memory, width));
    }
    if !refused.is_empty() {
        lines.push(Line::default());
        let words = "^R tries again; :ctx NAME goes to another cluster; :tags oci://HOST/REPO needs none.";
        lines.extend(wrapped(words, width));
    }
    lines
}

fn filtered_away(rows: &Rows) -> String {
    match (rows.faults, rows.filter.is_empty()) {
        (true, true) => {
            format!("nothing needs you: all {} are well, suspended or under way. ^Z shows them.", rows.total)
        }
        (true, false) => {
            format!(
                "of {} nothing that needs somebody matches {}. Esc clears the filter, ^Z shows all.",
                rows.total, rows.filter.text
            )
        }
        (false, _) => format!("none of {} matches {}. Esc clears the filter.", rows.total, rows.filter.text),
    }
}

/// Says what was looked for and where, and what would fill the screen.
fn empty(rows: &Rows, memory: &Memory) -> String {
    let absent: Vec<Kind> = memory
        .ledger
        .world
        .feeds()
        .filter(|(_, feed)| **feed == Feed::NotInstalled)
        .map(|(id, _)| id.kind)
        .collect();
    let names = |kinds: &[Kind]| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let looked: Vec<Kind> = match rows.arrangement {
        Arrangement::Tree => Kind::WATCHED.to_vec(),
        Arrangement::Flat(kind) => vec![kind],
    };
    let here: Vec<Kind> = looked.iter().copied().filter(|kind| !absent.contains(kind)).collect();
    let missing: Vec<Kind> = looked.into_iter().filter(|kind| absent.contains(kind)).collect();
    let read = memory.read_namespaces();
    let scope = match (memory.focus(), read.as_slice()) {
        (Some(_), _) | (None, []) => memory.scope_words(),
        (None, names) => format!("the readable namespaces ({})", names.join(", ")),
    };
    let place = format!("{scope} of {}", memory.context());
    let mut words = match (here.is_empty(), rows.arrangement) {
        (true, _) => format!("{} does not serve any Flux kind.", memory.context()),
        (false, Arrangement::Tree) => format!("no Flux objects in {place}; looked for {}.", names(&here)),
        (false, Arrangement::Flat(kind)) => format!("no {kind} in {place}."),
    };
    if !missing.is_empty() {
        let _ = write!(words, " Not installed: {}.", names(&missing));
    }
    if memory.focus().is_some() {
        words.push_str(" 0 or :ns all shows all namespaces.");
    }
    words
}

fn without_cluster(problem: &Problem, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let mut lines = problem_lines(problem, memory, width);
    lines.push(Line::default());
    for words in [
        "Without a cluster this works: :tags oci://HOST/REPOSITORY lists what a registry holds.",
        "^R tries again; :ctx NAME goes to another context.",
    ] {
        lines.extend(text::wrap(words, usize::from(width)).into_iter().map(Line::from));
    }
    if !memory.contexts.is_empty() {
        let names = format!("Contexts: {}", memory.contexts.join("  "));
        lines.extend(text::wrap(&names, usize::from(width)).into_iter().map(Line::from));
    }
    lines
}

/// Enter on a row of the board or a list.
pub fn open(rows: &Rows, memory: &Memory) -> Step {
    match rows.selected_object() {
        Some(id) if memory.ledger.get(id).is_some() => Step::Go(Place::Object(id.clone())),
        Some(_) | None => Step::Stay,
    }
}
