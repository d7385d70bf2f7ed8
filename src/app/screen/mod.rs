//! One file per screen: its state, its update, its draw. A screen answers a command with a step; it sends nothing.

pub mod artifact;
pub mod board;
pub mod browse;
pub mod diff;
pub mod facts;
pub mod foot;
pub mod list;
pub mod newest;
pub mod object;
pub mod revisions;
pub mod rows;
pub mod table;
pub mod tags;
pub mod upgrades;
pub mod yaml;

use super::{
    command::Command,
    filter::Filter,
    keymap::Scope,
    memory::Memory,
    shelf::{artifacts::LayerId, lookups::Want},
    viewed::Mark,
};
use crate::{
    domain::{
        artifact::Target,
        comparison::Question,
        identity::{Kind, ObjectId},
        problem::Problem,
        repository::Upstream,
    },
    widgets::{layout, text, theme::Meaning},
};
use artifact::ArtifactScreen;
use board::Board;
use diff::{Chosen, DiffScreen};
use list::List;
use object::ObjectScreen;
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::Line,
    widgets::{Clear, Widget},
};
use revisions::RevisionsScreen;
use tags::TagsScreen;
use upgrades::UpgradesScreen;
use yaml::YamlScreen;

/// What is shown. One of eight.
pub enum Screen {
    Board(Board),
    List(List),
    Object(ObjectScreen),
    Yaml(YamlScreen),
    Tags(Box<TagsScreen>),
    Artifact(Box<ArtifactScreen>),
    Diff(Box<DiffScreen>),
    Upgrades(UpgradesScreen),
    Revisions(RevisionsScreen),
}

/// Where one can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Board,
    List(Kind),
    Object(ObjectId),
    Yaml(ObjectId),
    Tags {
        upstream: Upstream,
        /// The object from which one came.
        about: Option<ObjectId>,
    },
    Artifact {
        target: Target,
        /// The object from which one came.
        about: Option<ObjectId>,
    },
    Diff(Box<Question>),
    Upgrades,
    /// What ran.
    Revisions(ObjectId),
}

/// What a screen asks of the program.
#[derive(Debug)]
pub enum Step {
    Stay,
    /// A fresh order for a view.
    Go(Place),
    Compare(Box<Chosen>),
    Say(Meaning, String),
    Copy(String),
    /// Open the dialog for these.
    Reconcile {
        targets: Vec<ObjectId>,
        with_source: bool,
    },
    /// Ask the registry what a tag is.
    Describe(Upstream, String),
    /// Mark a change as viewed, or take that back.
    View(Mark),
    /// Type a search.
    Search,
    /// Give up waiting for this layer.
    Cancel(LayerId),
    /// Give up waiting for this comparison.
    CancelCompare(Box<Question>),
    /// The comparison that is looked at asks something else.
    Turn(Box<Question>),
    /// The same, whatever was answered to it before.
    AskAnew(Box<Question>),
}

impl Screen {
    pub fn at(place: &Place) -> Self {
        match place {
            Place::Board => Self::Board(Board::default()),
            Place::List(kind) => Self::List(List::new(*kind)),
            Place::Object(id) => Self::Object(ObjectScreen::new(id.clone())),
            Place::Yaml(id) => Self::Yaml(YamlScreen::new(id.clone())),
            Place::Tags { upstream, about } => {
                Self::Tags(Box::new(TagsScreen::new(upstream.clone(), about.clone())))
            }
            Place::Artifact { target, about } => {
                Self::Artifact(Box::new(ArtifactScreen::new(target.clone(), about.clone())))
            }
            Place::Diff(question) => Self::Diff(Box::new(DiffScreen::new((**question).clone()))),
            Place::Upgrades => Self::Upgrades(UpgradesScreen::default()),
            Place::Revisions(id) => Self::Revisions(RevisionsScreen::new(id.clone())),
        }
    }

    pub fn place(&self) -> Place {
        match self {
            Self::Board(_) => Place::Board,
            Self::List(list) => Place::List(list.kind),
            Self::Object(object) => Place::Object(object.id.clone()),
            Self::Yaml(yaml) => Place::Yaml(yaml.id.clone()),
            Self::Artifact(artifact) => artifact.place(),
            Self::Tags(tags) => Place::Tags { upstream: tags.upstream.clone(), about: tags.about.clone() },
            Self::Diff(diff) => Place::Diff(Box::new(diff.question.clone())),
            Self::Upgrades(_) => Place::Upgrades,
            Self::Revisions(revisions) => Place::Revisions(revisions.id.clone()),
        }
    }

    pub fn scope(&self) -> Scope {
        match self {
            Self::Board(_) | Self::List(_) => Scope::Rows,
            Self::Object(_) => Scope::Object,
            Self::Yaml(_) => Scope::Yaml,
            Self::Tags(tags) if tags.is_typing() => Scope::WhatIf,
            Self::Tags(_) => Scope::Tags,
            Self::Artifact(_) => Scope::Artifact,
            Self::Diff(_) => Scope::Diff,
            Self::Upgrades(_) => Scope::Upgrades,
            Self::Revisions(_) => Scope::Revisions,
        }
    }

    /// Its crumb, safe.
    pub fn title(&self) -> String {
        match self {
            Self::Board(board) => format!("board{}", board.rows.suffix()),
            Self::List(list) => format!("{}{}", list.kind.short(), list.rows.suffix()),
            Self::Object(object) => text::line(&object.id.to_string()),
            Self::Yaml(yaml) => yaml.title(),
            Self::Tags(tags) => tags.title(),
            Self::Artifact(artifact) => artifact.title(),
            Self::Diff(diff) => diff.title(),
            Self::Upgrades(upgrades) => upgrades.title(),
            Self::Revisions(revisions) => revisions.title(),
        }
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        match self {
            Self::Board(board) => board.update(command, memory, content),
            Self::List(list) => list.update(command, memory, content),
            Self::Object(object) => object.update(command, memory, content),
            Self::Yaml(yaml) => yaml.update(command, memory, content),
            Self::Tags(tags) => tags.update(command, memory, content),
            Self::Artifact(artifact) => artifact.update(command, memory, content),
            Self::Diff(diff) => diff.update(command, memory, content),
            Self::Upgrades(upgrades) => upgrades.update(command, memory, content),
            Self::Revisions(revisions) => revisions.update(command, memory, content),
        }
    }

    /// The only screen that is typed into by itself.
    fn tags(&self) -> Option<&TagsScreen> {
        match self {
            Self::Tags(tags) => Some(tags),
            Self::Board(_)
            | Self::List(_)
            | Self::Object(_)
            | Self::Yaml(_)
            | Self::Artifact(_)
            | Self::Diff(_)
            | Self::Revisions(_)
            | Self::Upgrades(_) => None,
        }
    }

    fn tags_mut(&mut self) -> Option<&mut TagsScreen> {
        match self {
            Self::Tags(tags) => Some(tags),
            Self::Board(_)
            | Self::List(_)
            | Self::Object(_)
            | Self::Yaml(_)
            | Self::Artifact(_)
            | Self::Diff(_)
            | Self::Revisions(_)
            | Self::Upgrades(_) => None,
        }
    }

    /// It takes what is typed as text: no other key means anything then.
    pub fn is_typing(&self) -> bool {
        self.tags().is_some_and(TagsScreen::is_typing)
    }

    /// Typed or pasted.
    pub fn insert(&mut self, text: &str) {
        if let Some(tags) = self.tags_mut() {
            tags.insert(text);
        }
    }

    /// Closes what is open inside of it. False: nothing is.
    pub fn retreat(&mut self) -> bool {
        self.tags_mut().is_some_and(TagsScreen::retreat)
    }

    /// Where the terminal's own cursor belongs.
    pub fn cursor(&self, memory: &Memory, content: Rect) -> Option<Position> {
        self.tags()?.cursor(memory, content)
    }

    /// Brings what is kept up to date; called after every change, before every draw.
    pub fn settle(&mut self, memory: &Memory, content: Rect) {
        match self {
            Self::Board(board) => board.settle(memory, content),
            Self::List(list) => list.rows.settle(memory),
            Self::Object(object) => object.settle(memory, content),
            Self::Yaml(yaml) => yaml.settle(memory, content),
            Self::Tags(tags) => tags.settle(memory),
            Self::Artifact(artifact) => artifact.settle(memory, content),
            Self::Diff(diff) => diff.settle(memory, content),
            Self::Upgrades(upgrades) => upgrades.settle(memory),
            Self::Revisions(revisions) => revisions.settle(memory),
        }
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        match self {
            Self::Board(board) => board.draw(memory, buffer, content),
            Self::List(list) => list.draw(memory, buffer, content),
            Self::Object(object) => object.draw(memory, buffer, content),
            Self::Yaml(yaml) => yaml.draw(memory, buffer, content),
            Self::Tags(tags) => tags.draw(memory, buffer, content),
            Self::Artifact(artifact) => artifact.draw(memory, buffer, content),
            Self::Diff(diff) => diff.draw(memory, buffer, content),
            Self::Upgrades(upgrades) => upgrades.draw(memory, buffer, content),
            Self::Revisions(revisions) => revisions.draw(memory, buffer, content),
        }
    }

    /// The object that an action would act on.
    pub fn subject(&self) -> Option<&ObjectId> {
        match self {
            Self::Board(board) => board.rows.selected_object(),
            Self::List(list) => list.rows.selected_object(),
            Self::Object(object) => Some(&object.id),
            Self::Yaml(yaml) => Some(&yaml.id),
            Self::Tags(tags) => tags.about.as_ref(),
            Self::Artifact(artifact) => artifact.about.as_ref(),
            Self::Diff(diff) => diff.question.consumer.as_ref(),
            Self::Upgrades(upgrades) => upgrades.selected(),
            Self::Revisions(revisions) => Some(&revisions.id),
        }
    }

    /// There is nothing to select and nothing that a filter hides: an error, an empty answer, a question under way.
    pub fn is_bare(&self, memory: &Memory) -> bool {
        match self {
            Self::Board(board) => board.rows.total == 0 && board.rows.view().is_empty(),
            Self::List(list) => list.rows.total == 0 && list.rows.view().is_empty(),
            Self::Tags(tags) => tags.found().1 == 0,
            Self::Upgrades(upgrades) => upgrades.found().1 == 0,
            Self::Revisions(revisions) => revisions.is_bare(),
            Self::Yaml(yaml) => {
                !matches!(memory.shelf.raw.get(&yaml.id), Some(super::shelf::Answer::Here(_)))
            }
            Self::Artifact(artifact) => artifact.is_bare(memory),
            Self::Diff(diff) => diff.is_bare(memory),
            Self::Object(_) => false,
        }
    }

    /// The command is for another part of the screen than the one that has the keys.
    pub fn is_idle(&self, command: Command) -> bool {
        match self {
            Self::Diff(diff) => diff.is_idle(command),
            Self::Board(_)
            | Self::List(_)
            | Self::Object(_)
            | Self::Yaml(_)
            | Self::Tags(_)
            | Self::Artifact(_)
            | Self::Upgrades(_)
            | Self::Revisions(_) => false,
        }
    }

    /// Why a command does nothing here and now.
    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        match self {
            Self::Board(board) => board.rows.obstacle(command, memory),
            Self::List(list) => list.rows.obstacle(command, memory),
            Self::Object(object) => object.obstacle(command, memory),
            Self::Yaml(yaml) => yaml.obstacle(command, memory),
            Self::Tags(tags) => tags.obstacle(command, memory),
            Self::Artifact(artifact) => artifact.obstacle(command, memory),
            Self::Diff(diff) => diff.obstacle(command, memory),
            Self::Upgrades(upgrades) => upgrades.obstacle(command, memory),
            Self::Revisions(revisions) => revisions.obstacle(command, memory),
        }
    }

    pub fn filter(&self) -> Option<&Filter> {
        match self {
            Self::Board(board) => Some(&board.rows.filter),
            Self::List(list) => Some(&list.rows.filter),
            Self::Tags(tags) => Some(&tags.filter),
            Self::Artifact(artifact) => Some(artifact.filter()),
            Self::Diff(diff) => Some(diff.filter()),
            Self::Upgrades(upgrades) => Some(&upgrades.filter),
            Self::Object(_) | Self::Yaml(_) | Self::Revisions(_) => None,
        }
    }

    pub fn set_filter(&mut self, filter: Filter) {
        match self {
            Self::Board(board) => board.rows.set_filter(filter),
            Self::List(list) => list.rows.set_filter(filter),
            Self::Tags(tags) => tags.set_filter(filter),
            Self::Artifact(artifact) => artifact.set_filter(filter),
            Self::Diff(diff) => diff.set_filter(&filter),
            Self::Upgrades(upgrades) => upgrades.set_filter(filter),
            Self::Object(_) | Self::Yaml(_) | Self::Revisions(_) => {}
        }
    }

    /// Shown and total, for the title of a filter.
    pub fn found(&self) -> Option<(usize, usize)> {
        match self {
            Self::Board(board) => Some((board.rows.shown, board.rows.total)),
            Self::List(list) => Some((list.rows.shown, list.rows.total)),
            Self::Tags(tags) => Some(tags.found()),
            Self::Artifact(artifact) => artifact.found(),
            Self::Diff(diff) => diff.found(),
            Self::Upgrades(upgrades) => Some(upgrades.found()),
            Self::Yaml(yaml) => yaml.found(),
            Self::Object(_) | Self::Revisions(_) => None,
        }
    }

    /// Tags and digests of which more should be known, because they can be seen now.
    pub fn wants(&self, memory: &Memory, content: Rect) -> Vec<Want> {
        match self {
            Self::Board(_)
            | Self::List(_)
            | Self::Object(_)
            | Self::Yaml(_)
            | Self::Artifact(_)
            | Self::Diff(_) => Vec::new(),
            Self::Tags(tags) => tags.wants(memory, content),
            Self::Upgrades(upgrades) => upgrades.wants(memory, content),
            Self::Revisions(revisions) => revisions.wants(memory, content),
        }
    }

    /// Repositories whose tags can be seen now.
    pub fn visible_upstreams(&self, memory: &Memory, content: Rect) -> Vec<Upstream> {
        match self {
            Self::Board(board) => board.rows.visible_upstreams(memory, content),
            Self::List(list) => list.rows.visible_upstreams(memory, content),
            Self::Tags(tags) => vec![tags.upstream.clone()],
            Self::Upgrades(upgrades) => upgrades.visible_upstreams(memory, content),
            Self::Object(object) => memory.ledger.upstream(&object.id).cloned().into_iter().collect(),
            Self::Yaml(_) | Self::Artifact(_) | Self::Diff(_) | Self::Revisions(_) => Vec::new(),
        }
    }
}

/// Lines one below the other, as many as fit.
pub(super) fn paint_lines(buffer: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        buffer.set_line(area.x, y, line, area.width);
    }
}

/// How much lies below, in the last line of the area, which it takes whole.
pub(crate) fn paint_more(buffer: &mut Buffer, area: Rect, count: usize, first: usize, memory: &Memory) {
    let below = count.saturating_sub(first + usize::from(area.height));
    if below == 0 || area.height == 0 {
        return;
    }
    // the line that is covered is below too
    let words = text::more(below + 1, "below");
    let line = Rect { y: area.bottom() - 1, height: 1, ..area };
    Clear.render(line, buffer);
    let width = u16::try_from(text::width(&words)).unwrap_or(area.width).min(area.width);
    buffer.set_string(area.right() - width, line.y, words, memory.theme.style(Meaning::Muted));
}

/// What failed, why and what to try, as lines.
pub(super) fn problem_lines(problem: &Problem, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let theme = &memory.theme;
    let room = usize::from(width.saturating_sub(2));
    let mut lines = Vec::new();
    for line in text::wrap(&format!("could not {}", problem.what), room) {
        lines.push(Line::styled(line, theme.style(Meaning::Problem)));
    }
    lines.extend(text::wrap(&problem.why, room).into_iter().map(|line| Line::from(format!("  {line}"))));
    if let Some(hint) = &problem.hint {
        lines.extend(text::wrap(&format!("Try: {hint}"), room).into_iter().map(Line::from));
    }
    lines
}

/// A margin of one cell at each side.
pub(super) fn inner(content: Rect) -> Rect {
    Rect { x: content.x + 1, width: content.width.saturating_sub(2), ..content }
}

/// One page of a table: what is left without titles and foot.
pub(super) fn page(content: Rect, foot: usize) -> usize {
    usize::from(layout::with_foot(content, foot).0.height.saturating_sub(1))
}

/// Where a movement leads among so many lines; None: not a movement.
pub(crate) fn moved(command: Command, at: usize, page: usize, count: usize) -> Option<usize> {
    let page = page.max(1);
    let to = match command {
        Command::Down => at + 1,
        Command::Up => at.saturating_sub(1),
        Command::PageDown => at + page,
        Command::PageUp => at.saturating_sub(page),
        Command::HalfDown => at + (page / 2).max(1),
        Command::HalfUp => at.saturating_sub((page / 2).max(1)),
        Command::Top => 0,
        Command::Bottom => count,
        _ => return None,
    };
    Some(to.min(count.saturating_sub(1)))
}
