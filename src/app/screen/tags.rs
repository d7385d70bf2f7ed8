//! The tags of one repository, newest version first, and who runs which. What a tag is, is asked on demand only.

use super::{Step, foot, inner, moved, paint_lines, problem_lines, table::tags_words};
use crate::{
    app::{
        command::Command,
        equivalent,
        filter::Filter,
        memory::Memory,
        shelf::{Answer, Asking, TagList},
    },
    domain::{
        artifact::Manifest,
        identity::ObjectId,
        repository::{Upstream, is_tag},
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
use std::fmt::Write as _;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub struct TagsScreen {
    pub upstream: Upstream,
    /// The object from which one came.
    pub about: Option<ObjectId>,
    pub filter: Filter,
    selected: Option<Arc<str>>,
    at: usize,
    offset: usize,
    view: Vec<Arc<str>>,
    total: usize,
    arranged: Option<u64>,
    runners: Runners,
    joined: Option<(u64, u64)>,
    widest: usize,
}

impl TagsScreen {
    pub fn new(upstream: Upstream, about: Option<ObjectId>) -> Self {
        Self {
            upstream,
            about,
            filter: Filter::default(),
            selected: None,
            at: 0,
            offset: 0,
            view: Vec::new(),
            total: 0,
            arranged: None,
            runners: Runners::new(),
            joined: None,
            widest: 0,
        }
    }

    pub fn title(&self) -> String {
        let mut title = format!("tags of {}", text::line(&self.upstream.repository.to_string()));
        if !self.filter.text.is_empty() {
            let text = text::fit(&text::line(&self.filter.text), 24);
            let _ = write!(title, " /{text} <{}/{}>", self.view.len(), self.total);
        }
        title
    }

    pub fn found(&self) -> (usize, usize) {
        (self.view.len(), self.total)
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.arranged = None;
    }

    pub fn settle(&mut self, memory: &Memory) {
        let Some(list) = memory.shelf.tags(&self.upstream) else { return };
        if self.arranged != Some(list.revision) {
            self.arranged = Some(list.revision);
            self.total = list.tags.len();
            self.view = list.tags.iter().filter(|tag| self.filter.matches_text(tag)).cloned().collect();
            self.widest = self.view.iter().map(|tag| tag.len()).max().unwrap_or(0);
            let found =
                self.selected.as_ref().and_then(|tag| self.view.iter().position(|other| other == tag));
            match found {
                Some(at) => self.at = at,
                None => self.go(self.at),
            }
        }
        let world = (memory.ledger.touches, list.revision);
        if self.joined != Some(world) {
            self.joined = Some(world);
            self.runners = runners(&self.upstream, list, memory);
        }
    }

    fn go(&mut self, to: usize) {
        self.at = to.min(self.view.len().saturating_sub(1));
        self.selected = self.view.get(self.at).cloned();
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let page = self.page(memory, content);
        if let Some(to) = moved(command, self.at, page, self.view.len()) {
            self.go(to);
            self.offset = layout::window(self.offset, self.at, page, self.view.len());
            return Step::Stay;
        }
        match (command, &self.selected) {
            (Command::Describe, Some(tag)) => Step::Describe(self.upstream.clone(), tag.to_string()),
            (Command::CopyTag, Some(tag)) if is_tag(tag) => Step::Copy(tag.to_string()),
            (Command::CopyCommand, _) => {
                equivalent::tags(&self.upstream).map_or_else(super::browse::refused, Step::Copy)
            }
            (Command::Reconcile, _) => {
                Step::Reconcile { targets: self.about.iter().cloned().collect(), with_source: true }
            }
            _ => Step::Stay,
        }
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        match command {
            Command::Describe | Command::CopyTag if self.selected.is_none() => {
                Some("no tag is selected".to_owned())
            }
            Command::Reconcile => match &self.about {
                None => Some("no object: the repository was opened by its address".to_owned()),
                about => super::browse::no_reconcile(about.as_ref(), memory),
            },
            _ => None,
        }
    }

    fn page(&self, memory: &Memory, content: Rect) -> usize {
        let head = self.head(memory, content).len();
        let foot = self.foot(memory, content.width).len() + 1;
        let content = Rect { height: content.height.saturating_sub(head as u16), ..content };
        super::page(content, foot)
    }

    /// Where the answer stands, what is hidden, what failed.
    fn head(&self, memory: &Memory, Rect { width, height, .. }: Rect) -> Vec<Line<'static>> {
        let list = memory.shelf.tags(&self.upstream);
        let mut words = tags_words(list, &self.upstream, memory);
        let dot = memory.theme.dot();
        for (count, what) in
            list.map_or([(0, ""); 2], |list| [(list.signatures, "signature"), (list.invalid, "invalid name")])
        {
            if count > 0 {
                let _ = write!(words, " {dot} {} hidden", text::count(count, what));
            }
        }
        if let Some(with) = list.and_then(|list| list.asked_with.as_ref()) {
            let _ = write!(words, " {dot} {}", text::line(with));
        }
        let room = usize::from(width.saturating_sub(2));
        let style = memory.theme.style(Meaning::Muted);
        let mut lines: Vec<Line<'static>> =
            text::wrap(&words, room).into_iter().map(|line| Line::styled(line, style)).collect();
        if let Some(fault) = &self.filter.fault {
            lines.push(Line::styled(text::line(fault), memory.theme.style(Meaning::Problem)));
        }
        if let Some(cut) = list.and_then(|list| list.cut.as_ref()) {
            lines.push(Line::styled(text::line(cut), memory.theme.style(Meaning::Warning)));
        }
        if let Some(Asking::Failed(_, problem)) = list.map(|list| &list.asking) {
            lines.extend(problem_lines(problem, memory, width));
            lines.push(Line::from("^R asks again."));
        }
        lines.truncate(usize::from(height / 2));
        lines
    }

    fn foot(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if let Some(tag) = &self.selected {
            lines = describe(&self.upstream, tag, memory, width);
            if let Some(who) = self.runners.get(&**tag) {
                let words = format!("running in {}", who.join(", "));
                let room = usize::from(width.saturating_sub(2));
                lines.splice(0..0, text::wrap(&words, room).into_iter().map(Line::from));
            }
        }
        while lines.len() < 2 {
            lines.push(Line::default());
        }
        lines
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let head = self.head(memory, content);
        paint_lines(buffer, inner(content), &head);
        let taken = (head.len() as u16).min(content.height);
        let content = Rect { y: content.y + taken, height: content.height - taken, ..content };
        if self.view.is_empty() {
            let words = self.nothing(memory);
            paint_lines(buffer, inner(content), &[Line::default(), Line::from(words)]);
            return;
        }
        let foot = self.foot(memory, content.width);
        let (main, below) = layout::with_foot(content, foot.len() + 1);
        let columns = [
            Column::left("TAG", (self.widest + 2).clamp(12, 50), 0).at_least(12),
            Column::left("DIGEST", 8, 1),
            Column::right("CREATED", 7, 2),
            Column::left("RUNNING", 30, 0).at_least(10).growing(),
        ];
        let body = inner(main);
        let widths = table::widths(&columns, body.width);
        table::paint_titles(buffer, body, &columns, &widths, &memory.theme);
        let height = usize::from(main.height.saturating_sub(1));
        let first = layout::window(self.offset, self.at, height, self.view.len());
        for (at, y) in (first..self.view.len()).zip(main.y + 1..main.bottom()) {
            let style = if at == self.at { memory.theme.style(Meaning::Selected) } else { Style::new() };
            let cells = self.cells(&self.view[at], memory);
            table::paint_row(buffer, Rect { y, height: 1, ..body }, &columns, &widths, &cells, style);
        }
        foot::paint(&foot, memory, buffer, below);
    }

    fn nothing(&self, memory: &Memory) -> String {
        match memory.shelf.tags(&self.upstream) {
            Some(list) if !list.tags.is_empty() => {
                format!(
                    "none of {} tags matches {}. Esc clears the filter.",
                    list.tags.len(),
                    text::line(&self.filter.text)
                )
            }
            Some(TagList { asking: Asking::Done(_), .. }) => {
                "the registry answered: this repository has no tags.".to_owned()
            }
            Some(TagList { asking: Asking::Failed(..), .. }) => String::new(),
            Some(_) | None => format!(
                "asking {} {}",
                text::line(self.upstream.repository.registry()),
                memory.theme.waiting()
            ),
        }
    }

    fn cells(&self, tag: &Arc<str>, memory: &Memory) -> Vec<Line<'static>> {
        let runs = self.runners.get(&**tag);
        let mark = if runs.is_some() { memory.theme.running() } else { " " };
        let (digest, created) = match memory.shelf.manifests.get(&(self.upstream.clone(), tag.to_string())) {
            None => (String::new(), String::new()),
            Some(Answer::Asked) => (memory.theme.waiting().to_owned(), String::new()),
            Some(Answer::Failed(_)) => ("unknown".to_owned(), String::new()),
            Some(Answer::Here(manifest)) => (manifest.digest.short().to_owned(), created(manifest, memory)),
        };
        let note = runs.map_or_else(String::new, |who| match who.as_slice() {
            [one] => one.clone(),
            [one, rest @ ..] => format!("{one} and {} more", rest.len()),
            [] => String::new(),
        });
        vec![
            Line::from(vec![
                Span::styled(format!("{mark} "), memory.theme.style(Meaning::Success)),
                Span::raw(text::line(tag)),
            ]),
            Line::from(digest),
            Line::from(created),
            Line::from(note),
        ]
    }
}

/// The annotation says when it was made; some write no time there.
fn created(manifest: &Manifest, memory: &Memory) -> String {
    let Some(written) = manifest.created() else { return String::new() };
    match written.parse() {
        Ok(at) => memory.age(at),
        Err(_) => text::fit(&text::line(written), 10),
    }
}

/// What is known of a tag beyond its name.
fn describe(upstream: &Upstream, tag: &str, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let muted = memory.theme.style(Meaning::Muted);
    match memory.shelf.manifests.get(&(upstream.clone(), tag.to_owned())) {
        None => vec![Line::styled(format!("Enter asks the registry what {} is.", text::line(tag)), muted)],
        Some(Answer::Asked) => vec![Line::from(format!(
            "asking {} what {} is {}",
            text::line(upstream.repository.registry()),
            text::line(tag),
            memory.theme.waiting()
        ))],
        Some(Answer::Failed(problem)) => problem_lines(problem, memory, width),
        Some(Answer::Here(manifest)) => {
            manifest_lines(manifest, memory, usize::from(width.saturating_sub(2)))
        }
    }
}

fn manifest_lines(manifest: &Manifest, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let dot = memory.theme.dot();
    let mut words = vec![format!("{}", manifest.digest)];
    let what = if manifest.children.is_empty() {
        let layers: Vec<String> = manifest.layers.iter().map(|layer| text::line(&layer.media_type)).collect();
        format!("{} layers: {}", manifest.layers.len(), layers.join(", "))
    } else {
        format!("an index of {} manifests", manifest.children.len())
    };
    words.push(what);
    for name in [
        "org.opencontainers.image.created",
        "org.opencontainers.image.source",
        "org.opencontainers.image.revision",
    ] {
        if let Some(value) = manifest.annotation(name) {
            let short = name.rsplit('.').next().unwrap_or(name);
            words.push(format!("{short} {}", text::line(value)));
        }
    }
    text::wrap(&words.join(&format!(" {dot} ")), room).into_iter().map(Line::from).collect()
}

/// Tag -> who runs it.
type Runners = HashMap<String, Vec<String>>;

/// Who runs which tag, by what consumers and sources of this repository say of themselves.
fn runners(upstream: &Upstream, list: &TagList, memory: &Memory) -> Runners {
    let mut runners = Runners::new();
    let tags: HashSet<&str> = list.tags.iter().map(|tag| &**tag).collect();
    for source in memory.ledger.sources_of(upstream) {
        let mut any = false;
        for id in memory.ledger.world.consumers(source.object.id()) {
            let own = memory.ledger.get(&id).and_then(|entry| entry.object.revision()?.tag());
            if let Some(tag) = own.and_then(|own| same_tag(own, source.chart, &tags)) {
                runners.entry(tag).or_default().push(text::line(&id.to_string()));
                any = true;
            }
        }
        let stored = source.object.revision().and_then(|revision| revision.tag());
        if let (Some(tag), false) = (stored.and_then(|tag| same_tag(tag, source.chart, &tags)), any) {
            runners
                .entry(tag)
                .or_default()
                .push(format!("{} (stored)", text::line(&source.object.id().to_string())));
        }
    }
    for who in runners.values_mut() {
        who.sort();
    }
    runners
}

/// A chart's version is its tag, but for the digest that helm-controller puts behind it, and for the `_` that
/// stands in a tag where a version has `+`.
fn same_tag(running: &str, chart: bool, tags: &HashSet<&str>) -> Option<String> {
    let bare = running.rsplit_once('+').map_or(running, |(version, _)| version);
    let mut names = vec![running.to_owned(), bare.to_owned()];
    if chart {
        names = vec![running.replace('+', "_"), bare.replace('+', "_"), bare.to_owned()];
    }
    names.into_iter().find(|name| tags.contains(name.as_str()))
}

/// Who runs what, of the selected row's repository: kept beside the board.
#[derive(Default)]
pub struct Pane {
    about: Option<Upstream>,
    runners: Runners,
    joined: Option<(u64, u64)>,
}

impl Pane {
    pub fn settle(&mut self, selected: Option<&ObjectId>, memory: &Memory) {
        let about = selected.and_then(|id| memory.ledger.upstream(id));
        let list = about.and_then(|upstream| memory.shelf.tags(upstream));
        let wanted = Some((memory.ledger.touches, list.map_or(0, |list| list.revision)));
        if self.joined == wanted && self.about.as_ref() == about {
            return;
        }
        self.joined = wanted;
        self.about = about.cloned();
        self.runners = match (about, list) {
            (Some(upstream), Some(list)) => runners(upstream, list, memory),
            (Some(_) | None, _) => Runners::new(),
        };
    }
}

/// The tags of the selected row's repository, beside the board.
pub fn paint_pane(kept: &Pane, memory: &Memory, buffer: &mut Buffer, pane: Rect) {
    let muted = memory.theme.style(Meaning::Muted);
    let bar = memory.theme.pick("│", "|");
    for y in pane.top()..pane.bottom() {
        buffer.set_string(pane.x, y, bar, muted);
    }
    let area = Rect { x: pane.x + 2, width: pane.width.saturating_sub(3), ..pane };
    let room = usize::from(area.width);
    let Some(upstream) = &kept.about else {
        let words = "no OCI repository with tags stands behind this row";
        let lines: Vec<Line<'_>> =
            text::wrap(words, room).into_iter().map(|l| Line::styled(l, muted)).collect();
        paint_lines(buffer, area, &lines);
        return;
    };
    let list = memory.shelf.tags(upstream);
    let name = text::line(&upstream.repository.to_string());
    let mut lines = vec![Line::styled(text::fit_end(&name, room), memory.theme.style(Meaning::Title))];
    let status = text::wrap(&tags_words(list, upstream, memory), room);
    lines.extend(status.into_iter().map(|line| Line::styled(line, muted)));
    if let Some(Asking::Failed(_, problem)) = list.map(|list| &list.asking) {
        lines.extend(problem_lines(problem, memory, area.width));
    }
    if let Some(list) = list {
        let left = usize::from(area.height).saturating_sub(lines.len());
        lines.extend(list.tags.iter().take(left).map(|tag| pane_line(tag, &kept.runners, room, memory)));
    }
    paint_lines(buffer, area, &lines);
}

fn pane_line(tag: &str, runners: &Runners, room: usize, memory: &Memory) -> Line<'static> {
    let runs = runners.get(tag);
    let mark = if runs.is_some() { memory.theme.running() } else { " " };
    let note = runs.map_or_else(String::new, |who| match who.as_slice() {
        [one] => format!("  {one}"),
        who => format!("  {} consumers", who.len()),
    });
    let tag = text::fit(&text::line(tag), room.saturating_sub(2 + text::width(&note)).max(8));
    Line::from(vec![
        Span::styled(format!("{mark} "), memory.theme.style(Meaning::Success)),
        Span::raw(tag),
        Span::styled(text::fit(&note, room), memory.theme.style(Meaning::Muted)),
    ])
}
