//! How the revisions are drawn: what is compared, one line for each, and the selected one in full.

use super::{
    super::{foot, inner, paint_lines, problem_lines},
    RevisionsScreen, comparable,
};
use crate::{
    app::memory::Memory,
    domain::{
        artifact::{Origin, Target},
        digest::Digest,
        fact::Object,
        history::{Outcome, Run},
        identity::Kind,
        revision::Revision,
        standing::Standing,
    },
    widgets::{
        layout,
        table::{self, Column},
        text,
        theme::Meaning,
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// Fewer lines than this, and the table would jump at every step.
const FOOT_LEAST: usize = 4;

fn room(width: u16) -> usize {
    usize::from(width.saturating_sub(2))
}

impl RevisionsScreen {
    /// Rows that fit.
    pub(super) fn page(&self, memory: &Memory, content: Rect) -> usize {
        let head = self.head(memory, content.width).len();
        let foot = self.foot(memory, content.width).len();
        let content = Rect { height: content.height.saturating_sub(head as u16), ..content };
        usize::from(self.split(content, foot).0.height.saturating_sub(1))
    }

    /// Table and foot: what the rows leave free belongs to the foot, and a third of all in any case.
    fn split(&self, content: Rect, foot: usize) -> (Rect, Rect) {
        let rows = u16::try_from(self.runs().len() + 1).unwrap_or(u16::MAX);
        let most = content.height.saturating_sub(rows).max(content.height / 3);
        let foot = u16::try_from(foot + 1).unwrap_or(u16::MAX).min(most);
        let table = Rect { height: content.height - foot, ..content };
        (table, Rect { y: table.bottom(), height: foot, ..content })
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let head = self.head(memory, content.width);
        paint_lines(buffer, inner(content), &head);
        let taken = (head.len() as u16).min(content.height);
        let content = Rect { y: content.y + taken, height: content.height - taken, ..content };
        if self.is_bare() {
            return;
        }
        let foot = self.foot(memory, content.width);
        let (main, below) = self.split(content, foot.len());
        self.draw_rows(memory, buffer, main);
        foot::paint_with(&foot, "in a taller window", memory, buffer, below);
    }

    fn draw_rows(&self, memory: &Memory, buffer: &mut Buffer, main: Rect) {
        let columns = self.columns(memory);
        let body = inner(main);
        let widths = table::widths(&columns, body.width);
        table::paint_titles(buffer, body, &columns, &widths, &memory.theme);
        let height = usize::from(main.height.saturating_sub(1));
        let first = layout::window(self.offset, self.at, height, self.runs().len());
        for (at, y) in (first..self.runs().len()).zip(main.y + 1..main.bottom()) {
            let run = &self.runs()[at];
            let selected = at == self.at;
            let style = if selected { memory.theme.style(Meaning::Selected) } else { Style::new() };
            let cells = self.cells(run, memory);
            let cells = if selected { cells.into_iter().map(table::without_style).collect() } else { cells };
            table::paint_row(buffer, Rect { y, height: 1, ..body }, &columns, &widths, &cells, style);
            if self.marks.contains(&run.id) {
                buffer.set_string(main.x, y, "*", memory.theme.style(Meaning::Marked));
            }
        }
    }

    fn columns(&self, memory: &Memory) -> Vec<Column> {
        let widest = |of: &dyn Fn(&Run) -> String| {
            self.runs().iter().map(|run| text::width(&text::line(&of(run)))).max().unwrap_or(0)
        };
        let tag = widest(&|run| tag(run)) + 2;
        let status = widest(&|run| format!("{} {}", glyph(run.outcome, memory).0, run.entry.status));
        let mut columns = vec![
            Column::right("WHEN", 5, 0),
            Column::left("REVISION", tag.clamp(8, 42), 0).at_least(8),
            Column::left("DIGEST", 8, 3),
            Column::left("STATUS", status.clamp(8, 28), 0).at_least(status.min(24)),
        ];
        match self.id.kind {
            Kind::HelmRelease => {
                let chart = widest(&|run| chart(run));
                let app = widest(&|run| run.entry.app_version.as_deref().unwrap_or("-").to_owned());
                columns.push(Column::left("CHART", chart.clamp(5, 40), 6));
                columns.push(Column::left("APP", app.clamp(3, 20), 4));
                columns.push(Column::right("RELEASE", 7, 5));
            }
            Kind::Kustomization => columns.push(Column::right("TIMES", 5, 4)),
            _ => columns.push(Column::left("RAN IN", widest(&by).clamp(6, 40), 2).at_least(6)),
        }
        columns.push(Column::left("NOTE", 30, 0).at_least(7).growing());
        columns
    }

    fn cells(&self, run: &Run, memory: &Memory) -> Vec<Line<'static>> {
        let theme = &memory.theme;
        let mark = if run.current { theme.running() } else { " " };
        let (glyph, meaning) = glyph(run.outcome, memory);
        let mut cells = vec![
            Line::from(run.when().map_or_else(|| "-".to_owned(), |at| memory.age(at))),
            Line::from(vec![
                Span::styled(format!("{mark} "), theme.style(Meaning::Success)),
                Span::raw(text::line(&tag(run))),
            ]),
            Line::from(run.entry.digest.as_ref().map_or("-", Digest::short).to_owned()),
            Line::styled(format!("{glyph} {}", text::line(&run.entry.status)), theme.style(meaning)),
        ];
        match self.id.kind {
            Kind::HelmRelease => {
                cells.push(Line::from(text::line(&chart(run))));
                cells.push(Line::from(text::line(run.entry.app_version.as_deref().unwrap_or("-"))));
                cells.push(Line::from(
                    run.entry.version.map_or_else(|| "-".to_owned(), |version| format!("v{version}")),
                ));
            }
            Kind::Kustomization => {
                cells.push(Line::from(
                    run.entry.times.map_or_else(|| "-".to_owned(), |times| times.to_string()),
                ));
            }
            _ => cells.push(Line::from(text::line(&by(run)))),
        }
        let (words, meaning) = self.note(run, memory);
        cells.push(Line::styled(words, theme.style(meaning)));
        cells
    }

    /// What is to be said of it in a few words.
    fn note(&self, run: &Run, memory: &Memory) -> (String, Meaning) {
        let mut words = Vec::new();
        let mut meaning = Meaning::Plain;
        if run.current {
            words.push(if self.id.kind.is_source() { "stored now" } else { "running" }.to_owned());
        }
        let users = run.by.iter().filter(|(_, now)| *now).count();
        if users > 0 {
            words.push(format!("running in {users}"));
        }
        if !run.others.is_empty() || named_now(run, memory).is_some() {
            words.push("moved".to_owned());
            meaning = Meaning::Warning;
        }
        if let Err(problem) = &run.target {
            words.push(text::line(&problem.why));
            meaning = Meaning::Muted;
        }
        (words.join("; "), meaning)
    }

    /// How many there are, what Shift-D would compare, and what is not among them.
    fn head(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        if let Err(problem) = &self.history {
            return problem_lines(problem, memory, width);
        }
        let theme = &memory.theme;
        let wrapped = |words: &str, meaning| {
            let style = theme.style(meaning);
            text::wrap(words, room(width)).into_iter().map(move |line| Line::styled(line, style))
        };
        let dot = format!(" {} ", theme.dot());
        let count = match self.runs().len() {
            0 => "nothing ran yet".to_owned(),
            some => text::count(some, "revision"),
        };
        let mut words = vec![count, self.kept().to_owned()];
        if !self.marks.is_empty() {
            words.push(format!("{} marked", self.marks.len()));
        }
        let mut lines: Vec<Line<'static>> = wrapped(&words.join(&dot), Meaning::Muted).collect();
        lines.extend(self.tried(memory).into_iter().flat_map(|words| wrapped(&words, Meaning::Warning)));
        if self.is_bare() {
            return lines;
        }
        let pair = match self.pair() {
            Ok([older, newer]) => {
                let runs = |run: &Run| if run.current { self.now() } else { "" };
                let words = format!(
                    "Shift-D compares {}{} {} {}{}",
                    older.short(),
                    runs(older),
                    theme.arrow(),
                    newer.short(),
                    runs(newer)
                );
                wrapped(&words, Meaning::Plain).collect()
            }
            Err(why) => wrapped(&format!("Shift-D: {why}"), Meaning::Muted).collect::<Vec<_>>(),
        };
        lines.extend(pair);
        lines
    }

    fn now(&self) -> &'static str {
        if self.id.kind.is_source() { " (stored now)" } else { " (running)" }
    }

    /// What the list is and how long it can be.
    fn kept(&self) -> &'static str {
        match self.id.kind {
            Kind::Kustomization => "Flux keeps up to 5; what builds the same again counts up",
            Kind::HelmRelease => "helm-controller keeps the last and the last good release",
            Kind::OciRepository
            | Kind::HelmRepository
            | Kind::HelmChart
            | Kind::ExternalArtifact
            | Kind::GitRepository
            | Kind::Bucket => "what it holds, and what its consumers ran",
        }
    }

    /// A revision that was tried last and never came as far as the history.
    fn tried(&self, memory: &Memory) -> Option<String> {
        let entry = memory.ledger.get(&self.id)?;
        let Object::Consumer(consumer) = &*entry.object else { return None };
        let tried = consumer.applied.last_attempted.as_ref()?;
        let known = self.runs().iter().any(|run| run.entry.revision.as_ref() == Some(tried));
        (!known).then(|| format!("{} was tried last and did not come so far", tried.short()))
    }

    /// The selected one in full.
    fn foot(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let mut lines: Vec<Line<'static>> = Vec::new();
        if let Some(run) = self.run() {
            let say = |words: String, meaning| {
                let style = memory.theme.style(meaning);
                text::wrap(&words, room(width)).into_iter().map(move |line| Line::styled(line, style))
            };
            if let Some(revision) = &run.entry.revision {
                lines.extend(say(revision.to_string(), Meaning::Plain));
            }
            let dot = format!(" {} ", memory.theme.dot());
            lines.extend(say(self.facts(run, memory).join(&dot), Meaning::Plain));
            if !run.by.is_empty() {
                lines.extend(say(format!("ran in {}", users(run)), Meaning::Plain));
            }
            lines.extend(moved(run, memory).into_iter().flat_map(|words| say(words, Meaning::Warning)));
            match &run.target {
                Ok(target) => lines.extend(say(found(target), Meaning::Muted)),
                Err(problem) => lines.extend(problem_lines(problem, memory, width)),
            }
            lines.extend(run.note.iter().flat_map(|note| say(note.to_string(), Meaning::Muted)));
        }
        while lines.len() < FOOT_LEAST {
            lines.push(Line::default());
        }
        lines
    }

    fn facts(&self, run: &Run, memory: &Memory) -> Vec<String> {
        let entry = &run.entry;
        let mut words = vec![format!("{} {}", glyph(run.outcome, memory).0, entry.status)];
        if run.current {
            words.push(if self.id.kind.is_source() { "stored now" } else { "running now" }.to_owned());
        }
        if let Some(version) = entry.version {
            let by = entry.action.as_ref().map_or_else(String::new, |action| format!(" by {action}"));
            words.push(format!("release v{version}{by}"));
        }
        if let (Some(name), Some(version)) = (&entry.chart, &entry.revision) {
            words.push(format!("chart {name} {version}"));
        }
        words.extend(entry.app_version.iter().map(|version| format!("app {version}")));
        words.extend(entry.times.map(|times| match times {
            1 => "applied once".to_owned(),
            times => format!("applied {times} times"),
        }));
        words.extend(entry.first.map(|at| format!("first {} ago", memory.age(at))));
        words.extend(entry.when.map(|at| format!("last {} ago", memory.age(at))));
        words.extend(entry.built.iter().map(|built| format!("built {}", built.short())));
        words.extend(entry.origin.iter().map(|origin| format!("from {origin}")));
        words
    }
}

fn tag(run: &Run) -> String {
    run.tag.as_deref().unwrap_or("-").to_owned()
}

/// `podinfo 6.9.3`: the version without what helm-controller puts behind it.
fn chart(run: &Run) -> String {
    let version = run.entry.revision.as_ref().map(Revision::as_str).unwrap_or_default();
    let bare = match version.rsplit_once('+') {
        Some((bare, hex))
            if run.entry.digest.as_ref().is_some_and(|digest| digest.hex().starts_with(hex)) =>
        {
            bare
        }
        Some(_) | None => version,
    };
    match &run.entry.chart {
        Some(name) => format!("{name} {bare}"),
        None => "-".to_owned(),
    }
}

/// `ks shop/podinfo`, `3 consumers`.
fn by(run: &Run) -> String {
    match &run.by[..] {
        [] => "-".to_owned(),
        [(one, _)] => one.to_string(),
        many => format!("{} consumers", many.len()),
    }
}

/// Who ran it, and who runs it now.
fn users(run: &Run) -> String {
    const NAMED: usize = 12;
    let name = |(id, now): &(crate::domain::identity::ObjectId, bool)| {
        format!("{id}{}", if *now { " (now)" } else { "" })
    };
    let mut words: Vec<String> = run.by.iter().take(NAMED).map(name).collect();
    if run.by.len() > NAMED {
        words.push(format!("{} more", run.by.len() - NAMED));
    }
    words.join(", ")
}

/// What the tag names now, where that is something else.
fn named_now<'a>(run: &Run, memory: &'a Memory) -> Option<&'a Digest> {
    let (upstream, tag) = comparable(run)?;
    let now = memory.shelf.lookups.digest(upstream, tag)?;
    (Some(now) != run.digest()).then_some(now)
}

fn moved(run: &Run, memory: &Memory) -> Option<String> {
    let tag = run.tag.as_deref()?;
    let mut words = Vec::new();
    if !run.others.is_empty() {
        let others: Vec<&str> = run.others.iter().map(Digest::short).collect();
        words.push(format!("{tag} stands here with {} too", others.join(", ")));
    }
    words.extend(named_now(run, memory).map(|now| format!("{tag} names {} now", now.short())));
    (!words.is_empty()).then(|| format!("moved: {}", words.join("; ")))
}

fn found(target: &Target) -> String {
    match &target.origin {
        Origin::Registry { upstream, reference } => {
            let sign = if reference.contains(':') { '@' } else { ':' };
            format!("oci://{}{sign}{reference}", upstream.repository)
        }
        Origin::Layout { path, .. } | Origin::Archive(path) | Origin::Directory(path) => {
            path.display().to_string()
        }
    }
}

fn glyph(outcome: Outcome, memory: &Memory) -> (&'static str, Meaning) {
    let of = |standing| (memory.theme.glyph(standing), Meaning::Standing(standing));
    match outcome {
        Outcome::Succeeded => of(Standing::Ready),
        Outcome::Replaced => (memory.theme.dot(), Meaning::Muted),
        Outcome::UnderWay => of(Standing::Progressing),
        Outcome::Failed => of(Standing::Failing),
        Outcome::Removed => of(Standing::Terminating),
        Outcome::Unknown => of(Standing::Unknown),
    }
}
