//! The picture: top line, the screen, the line of keys, and what lies over them. It changes nothing.

use super::{
    App,
    command::Command,
    keymap::{self, Scope},
    memory::Freshness,
    overlay::{Overlay, help::Help, paint_box, prompt::Prompt},
    screen::Screen,
};
use crate::{
    domain::identity::Kind,
    widgets::{
        layout::{self, Areas, LEAST},
        text, theme,
        theme::Meaning,
        toast,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
};

impl App {
    pub(super) fn paint(&self, buffer: &mut Buffer) {
        self.paint_in(self.size, buffer);
    }

    pub(super) fn paint_in(&self, area: Rect, buffer: &mut Buffer) {
        match layout::areas(area) {
            Some(areas) => self.paint_areas(areas, buffer),
            None => too_small(area, buffer),
        }
        if self.memory.theme.ascii {
            only_ascii(buffer);
        }
    }

    /// Where the terminal's own cursor belongs: in the line that is typed into.
    pub(super) fn cursor(&self, area: Rect) -> Option<Position> {
        let areas = layout::areas(area)?;
        match &self.overlay {
            Some(Overlay::Line(prompt)) => {
                let mut scratch = Buffer::empty(area);
                Some(self.paint_prompt(prompt, &mut scratch, areas))
            }
            Some(Overlay::Help(_) | Overlay::Dialog(_) | Overlay::Question) => None,
            None => self.top().cursor(&self.memory, areas.content),
        }
    }

    fn paint_areas(&self, areas: Areas, buffer: &mut Buffer) {
        self.paint_top(areas.top, buffer);
        match &self.overlay {
            Some(Overlay::Help(help)) => {
                help.draw(&self.help_lines(help), &self.memory, buffer, areas.content);
            }
            Some(Overlay::Line(_) | Overlay::Dialog(_) | Overlay::Question) | None => {
                self.top().draw(&self.memory, buffer, areas.content);
            }
        }
        self.paint_keys(areas.keys, buffer);
        match &self.overlay {
            Some(Overlay::Line(prompt)) => {
                self.paint_prompt(prompt, buffer, areas);
            }
            Some(Overlay::Dialog(dialog)) => {
                let keys = self.key_line(&[Scope::Dialog], areas.content.width.saturating_sub(8));
                let lines = dialog.lines(&self.memory, areas.content, &keys);
                paint_box(buffer, areas.content, &dialog.title(), &lines, &self.memory);
            }
            Some(Overlay::Question) => {
                let under_way = self.memory.rollouts.values().filter(|rollout| !rollout.is_over()).count();
                let mut lines = vec![Line::from("y quits; Enter or Esc stays.")];
                if under_way > 0 {
                    let words = "A reconcile is under way: it goes on in the cluster, unseen.";
                    lines.insert(0, Line::from(words));
                }
                paint_box(buffer, areas.content, "Quit fluxscope?", &lines, &self.memory);
            }
            Some(Overlay::Help(_)) | None => {}
        }
        if let Some(toast) = &self.toast {
            toast::paint(buffer, areas.content, &toast.words, toast.meaning, &self.memory.theme);
        }
    }

    pub(super) fn help_lines(&self, help: &Help) -> Vec<Line<'static>> {
        let room = usize::from(self.size.width.saturating_sub(2));
        help.lines(self.top().scope(), &self.memory, room, |command| {
            if command.writes() && !self.memory.write {
                let shown = self.obstacle(command);
                return shown
                    .or_else(|| Some("read-only, it only shows what would be sent: :write".to_owned()));
            }
            self.obstacle(command)
        })
    }

    /// Where you are, how much there is, how fresh it is, and whether anything can be changed.
    fn paint_top(&self, line: Rect, buffer: &mut Buffer) {
        let theme = &self.memory.theme;
        let right = self.right_end();
        let right_width = right.width() + 1;
        let room = usize::from(line.width);
        let mut left = self.crumbs();
        let counts = self.counts();
        let spare = room.saturating_sub(right_width + text::width(&left) + 6);
        let counts = counts.iter().find(|words| text::width(words) <= spare).cloned().unwrap_or_default();
        left = text::fit_end(&left, room.saturating_sub(right_width + 2));
        buffer.set_stringn(line.x + 1, line.y, &left, room, theme.style(Meaning::Title));
        let at = line.right().saturating_sub(right_width as u16);
        buffer.set_line(at, line.y, &right, right_width as u16);
        let counts_at = at.saturating_sub(text::width(&counts) as u16 + 3);
        buffer.set_stringn(counts_at, line.y, &counts, room, theme.style(Meaning::Plain));
    }

    fn crumbs(&self) -> String {
        let mut crumbs = vec![text::line(&self.memory.context())];
        crumbs.extend(self.stack.iter().map(Screen::title));
        let narrowed = self.top().scope() == Scope::Upgrades && self.memory.focus().is_some();
        if self.top().scope() == Scope::Rows || narrowed {
            crumbs.push(text::line(&self.memory.scope_words()));
        }
        crumbs.join(&format!(" {} ", self.memory.theme.crumb()))
    }

    /// From long to short.
    fn counts(&self) -> Vec<String> {
        let (counts, kind) = match self.top() {
            Screen::Board(board) => (board.rows.counts, None),
            Screen::List(list) => (list.rows.counts, Some(list.kind)),
            Screen::Upgrades(upgrades) => return upgrades.summary(&self.memory),
            Screen::Object(_)
            | Screen::Yaml(_)
            | Screen::Tags(_)
            | Screen::Artifact(_)
            | Screen::Diff(_)
            | Screen::Revisions(_) => return Vec::new(),
        };
        if self.memory.ledger.is_empty() {
            return Vec::new();
        }
        let dot = self.memory.theme.dot();
        let some = |sources: bool| {
            Kind::WATCHED.into_iter().any(|kind| kind.is_source() == sources && self.memory.is_unread(kind))
        };
        let count = |sources: bool, number: usize, noun: &str| {
            if some(sources) { format!("{number}+ {noun}s") } else { text::count(number, noun) }
        };
        let number = counts.need_someone;
        let plus = if some(true) || some(false) { "+" } else { "" };
        let verb = if number == 1 && plus.is_empty() { "needs" } else { "need" };
        let need = format!("{number}{plus} {verb} you");
        let mut all = Vec::new();
        if kind.is_none_or(Kind::is_source) {
            all.push(count(true, counts.sources, "source"));
        }
        if kind.is_none_or(|kind| !kind.is_source()) {
            all.push(count(false, counts.consumers, "consumer"));
        }
        all.push(need.clone());
        vec![all.join(&format!(" {dot} ")), need]
    }

    fn right_end(&self) -> Line<'static> {
        let theme = &self.memory.theme;
        let (words, meaning) = match self.memory.freshness() {
            Freshness::Live => ("live".to_owned(), Meaning::Success),
            Freshness::Waiting(words) => (words, Meaning::Muted),
            Freshness::Old(words) => (words, Meaning::Warning),
            Freshness::Broken(words) => (words, Meaning::Problem),
        };
        let mut spans = vec![Span::styled(words, theme.style(meaning)), Span::raw("  ")];
        if self.memory.demo {
            spans.push(Span::styled(" DEMO ", theme.style(Meaning::Notice)));
            spans.push(Span::raw(" "));
        }
        spans.push(if self.memory.write {
            Span::styled("WRITE", theme.style(Meaning::Notice))
        } else {
            Span::styled("RO", theme.style(Meaning::Plain))
        });
        Line::from(spans)
    }

    fn paint_keys(&self, line: Rect, buffer: &mut Buffer) {
        let scopes = self.listeners();
        let keys = self.key_line(&scopes, line.width.saturating_sub(2));
        buffer.set_line(line.x + 1, line.y, &keys, line.width.saturating_sub(2));
    }

    /// The keys that these scopes hear, as many as fit; the way to help is never dropped.
    fn key_line(&self, scopes: &[Scope], width: u16) -> Line<'static> {
        let theme = &self.memory.theme;
        let help = scopes.contains(&Scope::Everywhere);
        let room = usize::from(width).saturating_sub(if help { 8 } else { 0 });
        let mut spans = Vec::new();
        let mut used = 0;
        for hint in scopes.iter().flat_map(|scope| keymap::lines(*scope)) {
            let mut words = self.short_words(hint.command).to_owned();
            if words.is_empty() || hint.command == Command::Help || self.is_idle(hint.command) {
                continue;
            }
            let Some(key) = hint.keys.first() else { continue };
            let dim = self.is_dim(hint.command);
            if hint.command.writes() && !self.memory.write {
                words.push_str(if width >= 100 { " (read-only: :write)" } else { " (read-only)" });
            }
            if let Some(reason) = self.refusal(hint.command) {
                words = format!("{words} (not now: {reason})");
            }
            let taken = text::width(key) + 1 + text::width(&words) + 2;
            if used + taken > room {
                continue;
            }
            used += taken;
            let (strong, weak) =
                if dim { (Meaning::Muted, Meaning::Muted) } else { (Meaning::Key, Meaning::Plain) };
            spans.push(Span::styled(key.clone(), theme.style(strong)));
            spans.push(Span::styled(format!(" {words}  "), theme.style(weak)));
        }
        if help {
            spans.push(Span::styled("?", theme.style(Meaning::Key)));
            spans.push(Span::raw(" help"));
        }
        Line::from(spans)
    }

    /// Where an answer failed, asking again is what is left to do.
    fn short_words(&self, command: Command) -> &'static str {
        match self.top() {
            Screen::Diff(diff) if command == Command::Refresh && diff.has_failed(&self.memory) => "ask again",
            Screen::Board(_)
            | Screen::List(_)
            | Screen::Object(_)
            | Screen::Yaml(_)
            | Screen::Tags(_)
            | Screen::Artifact(_)
            | Screen::Diff(_)
            | Screen::Revisions(_)
            | Screen::Upgrades(_) => command.words().0,
        }
    }

    /// There is nothing that it could do, now or later: no choice to make.
    fn is_idle(&self, command: Command) -> bool {
        match &self.overlay {
            Some(Overlay::Dialog(dialog)) => {
                command == Command::ToggleSource && !dialog.has_choice(&self.memory)
            }
            Some(Overlay::Line(_) | Overlay::Help(_) | Overlay::Question) => false,
            None => {
                let top = self.top();
                top.is_bare(&self.memory) && command.needs_row() || top.is_idle(command)
            }
        }
    }

    /// Why the dialog sends nothing, in a few words; its box says it in full.
    fn refusal(&self, command: Command) -> Option<String> {
        let Some(Overlay::Dialog(dialog)) = self.overlay.as_ref().filter(|_| command == Command::Send) else {
            return None;
        };
        let reason = text::line(&self.unready(dialog)?);
        let short = reason.split(':').next().unwrap_or(&reason);
        Some(text::fit(short, usize::from(self.size.width / 2).saturating_sub(4)))
    }

    fn is_dim(&self, command: Command) -> bool {
        match &self.overlay {
            Some(Overlay::Dialog(dialog)) => match command {
                Command::Send => self.unready(dialog).is_some(),
                _ => false,
            },
            Some(Overlay::Line(_) | Overlay::Help(_) | Overlay::Question) => false,
            None => self.obstacle(command).is_some() || (command.writes() && !self.memory.write),
        }
    }

    fn paint_prompt(&self, prompt: &Prompt, buffer: &mut Buffer, areas: Areas) -> Position {
        let screen = self.top();
        let fault = match prompt.purpose {
            super::Purpose::Filter => screen.filter().and_then(|filter| filter.fault.as_deref()),
            super::Purpose::Command | super::Purpose::Search => None,
        };
        let note = match (prompt.purpose, fault) {
            (_, Some(fault)) => format!("{}: nothing is filtered", text::line(fault)),
            (super::Purpose::Filter, None) => {
                let (shown, total) = screen.found().unwrap_or_default();
                format!("<{shown}/{total}>  Enter keeps it  Esc clears it")
            }
            (super::Purpose::Command, None) => "Tab completes  Enter takes it  Esc leaves".to_owned(),
            (super::Purpose::Search, None) => "Enter searches  Esc leaves".to_owned(),
        };
        prompt.draw(&note, fault.is_some(), &self.memory, buffer, areas.keys)
    }
}

/// A clear word instead of a broken layout.
fn too_small(area: Rect, buffer: &mut Buffer) {
    let words = format!(
        "fluxscope needs at least {}x{} cells; here are {}x{}. q quits.",
        LEAST.0, LEAST.1, area.width, area.height
    );
    for (line, y) in text::wrap(&words, usize::from(area.width)).into_iter().zip(area.top()..area.bottom()) {
        buffer.set_string(area.x, y, line, ratatui::style::Style::new());
    }
}

/// On a terminal that knows only ASCII nothing else reaches it, wherever it came from.
fn only_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            cell.set_symbol(theme::ascii(cell.symbol()));
        }
    }
}
