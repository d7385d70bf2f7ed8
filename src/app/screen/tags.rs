//! The tags of one repository, newest version first, and who runs which. What a tag is, is asked on demand only.

use super::{Step, foot, inner, moved, paint_lines, problem_lines, table::tags_words};
use crate::{
    app::{
        command::Command,
        equivalent,
        filter::Filter,
        memory::Memory,
        shelf::{
            Asking, TagList,
            lookups::{Named, Want},
        },
    },
    domain::{
        artifact::{Details, Manifest},
        consumer::Consumer,
        fact::Object,
        identity::{Kind, ObjectId},
        repository::{Upstream, is_tag},
        source::Follows,
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
    /// Tag -> who runs it, by its name.
    runners: Runners,
    joined: Option<(u64, u64)>,
    widest: usize,
}

/// An object that says it runs a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Runner {
    /// Safe.
    who: String,
    /// The digest it runs, or the beginning of it that Flux recorded; hexadecimal.
    digest: Option<String>,
}

/// Who runs what a tag names now, and who runs what it named before it was moved.
#[derive(Default)]
struct Runs<'a> {
    here: Vec<&'a str>,
    moved: Vec<(&'a str, &'a str)>,
    /// The registry said what the tag is; otherwise only names were compared.
    compared: bool,
}

impl<'a> Runs<'a> {
    fn of(
        tag: &str,
        upstream: &Upstream,
        runners: &'a HashMap<String, Vec<Runner>>,
        memory: &Memory,
    ) -> Self {
        let known = memory.shelf.lookups.digest(upstream, tag);
        let mut runs = Self { compared: known.is_some(), ..Self::default() };
        for runner in runners.get(tag).into_iter().flatten() {
            match (known, &runner.digest) {
                (Some(known), Some(own)) if !known.hex().starts_with(own.as_str()) => {
                    runs.moved.push((&runner.who, own.get(..8).unwrap_or(own)));
                }
                _ => runs.here.push(&runner.who),
            }
        }
        runs
    }

    /// For a column.
    fn note(&self) -> String {
        match (self.here.as_slice(), self.moved.as_slice()) {
            ([one], _) => (*one).to_owned(),
            ([one, rest @ ..], _) => format!("{one} and {} more", rest.len()),
            ([], [(_, digest), ..]) => format!("runs {digest}; the tag has moved"),
            ([], []) => String::new(),
        }
    }

    /// In full, for the foot.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.here.is_empty() {
            let by = if self.compared { "" } else { " (by the name of the tag)" };
            words.push(format!("running in {}{by}", self.here.join(", ")));
        }
        words
            .extend(self.moved.iter().map(|(who, digest)| format!("{who} runs {digest}; the tag has moved")));
        words
    }
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
                // a source is the source itself; a chart's is its repository
                let own = |id: &ObjectId| id.kind.is_source() && id.kind != Kind::HelmChart;
                let with_source = !self.about.as_ref().is_some_and(own);
                Step::Reconcile { targets: self.about.iter().cloned().collect(), with_source }
            }
            _ => Step::Stay,
        }
    }

    pub fn wants(&self, _memory: &Memory, _content: Rect) -> Vec<Want> {
        Vec::new()
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
        if let Some(pin) = self.pin(memory) {
            lines.push(Line::from(format!("pinned to {pin}: no tag decides what runs")));
        }
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

    /// The digest that the source one came from is pinned to.
    fn pin(&self, memory: &Memory) -> Option<String> {
        let chain = memory.ledger.world.chain(self.about.as_ref()?);
        let source = chain.iter().find_map(|id| memory.ledger.get(id)?.object.as_source());
        match source?.follows()? {
            Follows::Digest(digest) => {
                let hex = digest.rsplit(':').next().unwrap_or(&digest);
                Some(format!("@{}", text::line(hex.get(..8).unwrap_or(hex))))
            }
            Follows::Semver(_) | Follows::Tag(_) | Follows::Latest => None,
        }
    }

    fn foot(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if let Some(tag) = &self.selected {
            lines = describe(&self.upstream, tag, memory, width);
            let runs = Runs::of(tag, &self.upstream, &self.runners, memory);
            let room = usize::from(width.saturating_sub(2));
            let words = runs.words();
            lines.splice(0..0, words.iter().flat_map(|words| text::wrap(words, room)).map(Line::from));
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
        let runs = Runs::of(tag, &self.upstream, &self.runners, memory);
        let mark = if runs.here.is_empty() { " " } else { memory.theme.running() };
        let lookups = &memory.shelf.lookups;
        let digest = match lookups.named(&self.upstream, tag) {
            None => String::new(),
            Some(Named::Asked) => memory.theme.waiting().to_owned(),
            Some(Named::Failed { .. }) => "unknown".to_owned(),
            Some(Named::Here { digest, .. }) => digest.short().to_owned(),
        };
        let details = lookups.details(&self.upstream, tag);
        let created = details.map(|details| created(details, memory)).unwrap_or_default();
        vec![
            Line::from(vec![
                Span::styled(format!("{mark} "), memory.theme.style(Meaning::Success)),
                Span::raw(text::line(tag)),
            ]),
            Line::from(digest),
            Line::from(created),
            Line::from(runs.note()),
        ]
    }
}

/// The annotation says when it was made; some write no time there.
fn created(details: &Details, memory: &Memory) -> String {
    let Some(written) = details.created.as_deref() else { return String::new() };
    match written.parse() {
        Ok(at) => memory.age(at),
        Err(_) => text::fit(&text::line(written), 10),
    }
}

/// What is known of a tag beyond its name.
fn describe(upstream: &Upstream, tag: &str, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let muted = memory.theme.style(Meaning::Muted);
    let lookups = &memory.shelf.lookups;
    if let Some(details) = lookups.details(upstream, tag) {
        return manifest_lines(&details.manifest, memory, usize::from(width.saturating_sub(2)));
    }
    match lookups.named(upstream, tag) {
        None | Some(Named::Here { .. }) => {
            vec![Line::styled(format!("Enter asks the registry what {} is.", text::line(tag)), muted)]
        }
        Some(Named::Asked) => vec![Line::from(format!(
            "asking {} what {} is {}",
            text::line(upstream.repository.registry()),
            text::line(tag),
            memory.theme.waiting()
        ))],
        Some(Named::Failed { problem, .. }) => problem_lines(problem, memory, width),
    }
}

fn manifest_lines(manifest: &Manifest, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let dot = memory.theme.dot();
    let mut words = vec![format!("{}", manifest.digest)];
    let what = if manifest.children.is_empty() {
        let layers: Vec<String> = manifest.layers.iter().map(|layer| text::line(&layer.media_type)).collect();
        format!("{}: {}", text::count(layers.len(), "layer"), layers.join(", "))
    } else {
        format!("an index of {}", text::count(manifest.children.len(), "manifest"))
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
type Runners = HashMap<String, Vec<Runner>>;

/// Who runs which tag, by what consumers and sources of this repository say of themselves.
fn runners(upstream: &Upstream, list: &TagList, memory: &Memory) -> Runners {
    let mut runners = Runners::new();
    let tags: HashSet<&str> = list.tags.iter().map(|tag| &**tag).collect();
    for source in memory.ledger.sources_of(upstream) {
        let mut any = false;
        for id in memory.ledger.world.consumers(source.object.id()) {
            let Some(entry) = memory.ledger.get(&id) else { continue };
            let own = entry.object.revision().and_then(|revision| revision.tag());
            if let Some(tag) = own.and_then(|own| same_tag(own, source.chart, &tags)) {
                let runner = Runner { who: text::line(&id.to_string()), digest: digest_of(&entry.object) };
                runners.entry(tag).or_default().push(runner);
                any = true;
            }
        }
        let stored = source.object.revision().and_then(|revision| revision.tag());
        if let (Some(tag), false) = (stored.and_then(|tag| same_tag(tag, source.chart, &tags)), any) {
            let who = format!("{} (stored)", text::line(&source.object.id().to_string()));
            runners.entry(tag).or_default().push(Runner { who, digest: digest_of(&source.object) });
        }
    }
    for who in runners.values_mut() {
        who.sort();
    }
    runners
}

/// The manifest that an object runs: the digest of its revision, or the part of it behind a chart's version.
fn digest_of(object: &Object) -> Option<String> {
    let whole = object.as_consumer().and_then(Consumer::digest).or_else(|| object.revision()?.digest());
    if let Some(digest) = whole.filter(|digest| digest.is_oci()) {
        return Some(digest.hex().to_owned());
    }
    let (_, hex) = object.revision()?.as_str().rsplit_once('+')?;
    (hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit())).then(|| hex.to_owned())
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
    /// Why there are no tags; empty without a row.
    why_none: String,
    runners: Runners,
    joined: Option<(u64, u64)>,
}

impl Pane {
    pub fn settle(&mut self, selected: Option<&ObjectId>, memory: &Memory) {
        let about = selected.and_then(|id| memory.ledger.upstream(id));
        self.why_none = selected.and_then(|id| super::browse::no_tags(Some(id), memory)).unwrap_or_default();
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
        let words = &kept.why_none;
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
        lines.extend(list.tags.iter().take(left).map(|tag| {
            let runs = Runs::of(tag, upstream, &kept.runners, memory);
            pane_line(tag, &runs, room, memory)
        }));
    }
    paint_lines(buffer, area, &lines);
}

/// The tag whole; what is said of it takes what is left.
fn pane_line(tag: &str, runs: &Runs<'_>, room: usize, memory: &Memory) -> Line<'static> {
    let mark = if runs.here.is_empty() { " " } else { memory.theme.running() };
    let note = match runs.here.len() {
        0 | 1 => runs.note(),
        more => format!("{more} consumers"),
    };
    let tag = text::fit(&text::line(tag), room.saturating_sub(2));
    let left = room.saturating_sub(4 + text::width(&tag));
    let note = if left < 4 { String::new() } else { format!("  {}", text::fit(&note, left)) };
    Line::from(vec![
        Span::styled(format!("{mark} "), memory.theme.style(Meaning::Success)),
        Span::raw(tag),
        Span::styled(note, memory.theme.style(Meaning::Muted)),
    ])
}
