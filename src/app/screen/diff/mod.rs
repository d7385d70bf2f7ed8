//! What would change between two revisions: danger first, the objects left, their fields right. It asks for what it
//! shows; it compares nothing itself and never writes.

mod draw;
mod head;
mod list;
mod pane;
mod sides;

pub use sides::{Chosen, between, from_running, is_same, to_newer};

use super::{Step, browse, moved};
use crate::{
    app::{
        command::{Command, OnDiff},
        effect::{Effect, Whole},
        equivalent,
        filter::Filter,
        memory::Memory,
        page::{Form, Subject},
        shelf::comparisons::Compared,
    },
    domain::{
        comparison::{Comparison, Question},
        impact::Place,
        lens::{ConfigKind, Lens},
    },
    widgets::{layout, text, theme::Meaning},
};
use draw::areas;
use list::{Item, List, Name};
use pane::{BESIDE, Landing, Pane};
use ratatui::layout::Rect;
use std::{fmt::Write as _, sync::Arc};

pub struct DiffScreen {
    pub question: Question,
    /// The same, shared with what is asked for.
    asked: Arc<Question>,
    list: List,
    item: Option<Item>,
    /// What was selected, whatever is compared meanwhile.
    name: Option<Name>,
    /// The danger that was selected, in its words.
    danger: Option<String>,
    at: usize,
    first: usize,
    pane: Pane,
    /// The keys go to the change, not to the list.
    reading: bool,
    /// `V` was pressed once.
    warned: bool,
    /// What was seen when Secrets were to be read, until they were.
    before: Option<Arc<Comparison>>,
    /// How the two are called in the title.
    names: [String; 2],
}

impl DiffScreen {
    pub fn new(question: Question) -> Self {
        Self {
            asked: Arc::new(question.clone()),
            question,
            list: List::default(),
            item: None,
            name: None,
            danger: None,
            at: 0,
            first: 0,
            pane: Pane::default(),
            reading: false,
            warned: false,
            before: None,
            names: [String::new(), String::new()],
        }
    }

    pub fn title(&self) -> String {
        let mut title = format!("diff {}", self.names.join(" "));
        let filter = &self.list.filter;
        if !filter.text.is_empty() {
            let fault = if filter.fault.is_some() { "?" } else { "" };
            let text = text::fit(&text::line(&filter.text), 24);
            let _ = write!(title, " /{text}{fault} <{}/{}>", self.list.shown, self.list.total);
        }
        title
    }

    pub fn filter(&self) -> &Filter {
        &self.list.filter
    }

    /// Its terms are those of changes.
    pub fn set_filter(&mut self, filter: &Filter) {
        self.list.set_filter(Filter::of_changes(&filter.text));
        self.reselect();
    }

    pub fn found(&self) -> Option<(usize, usize)> {
        Some((self.list.shown, self.list.total))
    }

    pub fn is_bare(&self, memory: &Memory) -> bool {
        self.here(memory).is_none()
    }

    pub fn has_failed(&self, memory: &Memory) -> bool {
        matches!(memory.shelf.comparisons.get(&self.question), Some(Compared::Failed(_)))
    }

    fn here<'a>(&self, memory: &'a Memory) -> Option<&'a Arc<Comparison>> {
        memory.shelf.comparisons.here(&self.question)
    }

    /// What is asked for now, because it can be seen.
    pub fn needs(&self, memory: &Memory, content: Rect) -> Vec<Effect> {
        let comparison = match memory.shelf.comparisons.get(&self.question) {
            None => return vec![Effect::Compare(Box::new(self.question.clone()))],
            Some(Compared::Coming(_) | Compared::Failed(_)) => return Vec::new(),
            Some(Compared::Here(comparison)) => comparison,
        };
        let seen = areas(self, comparison, memory, content).pane.is_some();
        let wanted = self.pane.id().filter(|id| seen && memory.shelf.comparisons.page(id).is_none());
        let read = |id| Effect::ReadPage { comparison: Whole(comparison.clone()), id };
        wanted.map(read).into_iter().collect()
    }

    pub fn settle(&mut self, memory: &Memory, content: Rect) {
        self.names = [&self.question.from, &self.question.to].map(|target| sides::name(target, memory));
        if *self.asked != self.question {
            self.asked = Arc::new(self.question.clone());
        }
        let Some(comparison) = self.here(memory).cloned() else {
            self.list.clear();
            self.item = None;
            // what was revealed of this answer may be something else in the next
            self.pane.show(&self.asked, None);
            return;
        };
        if self.list.take(&comparison) {
            self.arrive();
        }
        self.list.recall(&memory.viewed);
        let subject = self.item.and_then(|item| self.list.subject(item));
        self.pane.show(&self.asked, subject);
        let areas = areas(self, &comparison, memory, content);
        if let Some(list) = areas.list {
            let height = usize::from(list.height);
            self.first = layout::window(self.first, self.at, height, self.list.view.len());
        }
        if let Some(pane) = areas.pane {
            self.pane.settle(memory, pane);
        }
    }

    /// A new answer: what was selected in the one before, else the first row that is no heading.
    fn arrive(&mut self) {
        let danger = self.danger.as_deref().and_then(|danger| self.list.find_danger(danger));
        let kept = danger.or_else(|| self.name.as_ref().and_then(|name| self.list.find(name)));
        self.go_to(kept.or_else(|| self.first_row()).unwrap_or(0));
    }

    /// That is no heading.
    fn first_row(&self) -> Option<usize> {
        self.list.view.iter().position(|item| !matches!(item, Item::Group(_)))
    }

    fn go_to(&mut self, row: usize) {
        self.at = row.min(self.list.view.len().saturating_sub(1));
        let before = self.item;
        self.item = self.list.view.get(self.at).copied();
        if let Some(item) = self.item {
            self.name = self.list.name(item).or(self.name.take());
            self.danger = self.list.told(item);
        }
        if before != self.item {
            self.pane.land(self.landing());
        }
    }

    /// Other rows: the selection stays on what it was on.
    fn reselect(&mut self) {
        let row = self.item.and_then(|item| self.list.view.iter().position(|other| *other == item));
        let row = row.or_else(|| self.item.and_then(|item| self.list.home(item)));
        let row = row.or_else(|| self.name.as_ref().and_then(|name| self.list.find(name)));
        self.go_to(row.or_else(|| self.first_row()).unwrap_or(0));
    }

    fn landing(&self) -> Landing {
        match self.item {
            Some(Item::Impact(at)) => match self.list.place(at) {
                Some(Place::Object { field: Some(field), .. }) => Landing::Field(field),
                Some(Place::File { line: Some(line), .. }) => Landing::Line(line),
                Some(Place::Object { .. } | Place::File { .. } | Place::Oddity(_)) | None => Landing::Top,
            },
            Some(
                Item::Group(_)
                | Item::More(_)
                | Item::Object(_)
                | Item::File(_)
                | Item::Oddity(_)
                | Item::Note(_),
            )
            | None => Landing::Top,
        }
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let warned = std::mem::take(&mut self.warned);
        if let Command::OnDiff(meant) = command
            && let Some(question) = self.turned(meant, memory)
        {
            self.before = None;
            return Step::Turn(Box::new(question));
        }
        let Some(comparison) = self.here(memory).cloned() else {
            return self.copy(command, None, memory).unwrap_or(Step::Stay);
        };
        if let Some(step) = self.copy(command, Some(&comparison), memory) {
            return step;
        }
        let areas = areas(self, &comparison, memory, content);
        let pane = areas.pane.unwrap_or_default();
        let height = usize::from(pane.height);
        match command {
            Command::OnDiff(OnDiff::ReadSecrets) => return self.read_secrets(warned, &comparison),
            Command::OnDiff(OnDiff::Beside) => return self.toggle_beside(areas.pane, content),
            Command::OnDiff(OnDiff::Viewed) => return self.toggle_viewed(&comparison, memory),
            Command::OnDiff(meant) => return self.meant(meant, height),
            other if self.reading => {
                self.pane.update(other, height);
            }
            other => {
                let rows = areas.list.map_or(1, |list| usize::from(list.height));
                if let Some(to) = moved(other, self.at, rows, self.list.view.len()) {
                    self.go_to(to);
                }
            }
        }
        Step::Stay
    }

    /// What is asked instead, if the key asks something else.
    fn turned(&self, meant: OnDiff, memory: &Memory) -> Option<Question> {
        let question = self.question.clone();
        match meant {
            OnDiff::Swap => {
                let Question { from, to, .. } = question;
                Some(Question { from: to, to: from, ..self.question.clone() })
            }
            OnDiff::Build => Some(Question { build: !question.build, ..question }),
            OnDiff::Consumer => {
                let all = sides::consumers(&question, memory);
                let here = question.consumer.as_ref().and_then(|id| all.iter().position(|other| other == id));
                let next = match (&question.consumer, here) {
                    (None, _) => all.first().cloned(),
                    (Some(_), Some(at)) => all.get(at + 1).cloned(),
                    (Some(_), None) => None,
                };
                let build = next.is_some() && (question.build || question.consumer.is_none());
                Some(Question { consumer: next, read_secrets: false, build, ..question })
            }
            _ => None,
        }
    }

    fn meant(&mut self, meant: OnDiff, height: usize) -> Step {
        match meant {
            OnDiff::NextObject => return self.step_object(true),
            OnDiff::PreviousObject => return self.step_object(false),
            OnDiff::NextHunk => return self.step_hunk(true),
            OnDiff::PreviousHunk => return self.step_hunk(false),
            OnDiff::Raw => {
                self.pane.toggle_form();
                self.pane.land(self.landing());
            }
            OnDiff::Quiet => {
                self.list.toggle_quiet();
                self.reselect();
            }
            OnDiff::SwitchPane => self.reading = !self.reading,
            OnDiff::Enter => self.enter(),
            OnDiff::Close if self.reading => self.pane.sideways(false, height),
            OnDiff::Expand if self.reading => self.pane.sideways(true, height),
            OnDiff::Fold if self.reading => self.pane.reveal(),
            OnDiff::Close => self.close(),
            OnDiff::Expand => self.expand(),
            OnDiff::Fold => {
                self.list.fold_all();
                self.reselect();
            }
            // asked before, or told by a step
            OnDiff::Show
            | OnDiff::Beside
            | OnDiff::Viewed
            | OnDiff::Build
            | OnDiff::Consumer
            | OnDiff::ReadSecrets
            | OnDiff::Swap
            | OnDiff::CopyLink => {}
        }
        Step::Stay
    }

    fn enter(&mut self) {
        match self.item {
            Some(Item::Group(at)) => {
                let open = self.list.is_open(at);
                self.list.fold(at, !open);
                self.reselect();
            }
            Some(Item::More(_)) => {
                self.list.show_all_dangers();
                self.go_to(self.at);
            }
            Some(Item::Impact(_) | Item::Object(_) | Item::File(_) | Item::Oddity(_) | Item::Note(_)) => {
                self.reading = true;
            }
            None => {}
        }
    }

    fn close(&mut self) {
        match (self.item, self.list.parent(self.at)) {
            (Some(Item::Group(at)), _) => {
                self.list.fold(at, false);
                self.reselect();
            }
            (_, Some(parent)) => self.go_to(parent),
            (_, None) => {}
        }
    }

    fn expand(&mut self) {
        match self.item {
            Some(Item::Group(at)) if !self.list.is_open(at) => {
                self.list.fold(at, true);
                self.reselect();
            }
            Some(Item::More(_)) => self.enter(),
            _ => self.go_to(self.at + 1),
        }
    }

    /// To the next object or file in the list; who reads goes on behind what is read.
    fn step_object(&mut self, forward: bool) -> Step {
        self.step_object_from(if self.reading { self.own() } else { self.item }, forward, None)
    }

    /// A danger is told of an object: the row of that one.
    fn own(&self) -> Option<Item> {
        self.item.map(|item| self.list.own(item).unwrap_or(item))
    }

    fn step_object_from(&mut self, from: Option<Item>, forward: bool, landing: Option<Landing>) -> Step {
        let Some(row) = from.and_then(|item| self.list.step(item, forward)) else {
            let words = format!("no change stands {} this one", if forward { "behind" } else { "before" });
            return Step::Say(Meaning::Warning, words);
        };
        self.go_to(row);
        if let Some(landing) = landing {
            self.pane.land(landing);
        }
        Step::Stay
    }

    /// From the list the first change of what is selected; then on, across objects.
    fn step_hunk(&mut self, forward: bool) -> Step {
        let was_reading = std::mem::replace(&mut self.reading, true);
        if !was_reading && self.shown().is_some() || self.pane.step_hunk(forward) {
            return Step::Stay;
        }
        let landing = if forward { Landing::Top } else { Landing::Last };
        let step = self.step_object_from(self.own(), forward, Some(landing));
        // where nothing can be read the keys stay with the list
        self.reading = was_reading || self.shown().is_some();
        step
    }

    fn shown(&self) -> Option<Subject> {
        self.item.and_then(|item| self.list.subject(item))
    }

    fn toggle_viewed(&mut self, comparison: &Comparison, memory: &Memory) -> Step {
        let Some(subject) = self.shown() else { return Step::Stay };
        let Some(mark) = memory.viewed.mark(comparison, subject) else { return Step::Stay };
        if !self.list.viewed.contains(&subject) {
            let own = |item: &Item| matches!(item, Item::Object(_) | Item::File(_));
            let rows = (self.at + 1..self.list.view.len()).chain(0..self.at);
            let next = rows.into_iter().find(|row| {
                let item = self.list.view[*row];
                own(&item) && self.list.subject(item) != Some(subject) && !self.list.is_viewed(item)
            });
            if let Some(row) = next {
                self.go_to(row);
            }
        }
        Step::View(mark)
    }

    fn toggle_beside(&mut self, pane: Option<Rect>, content: Rect) -> Step {
        let width = pane.map_or(content.width.saturating_sub(2), |pane| pane.width);
        if width < BESIDE && !self.pane.beside {
            let words = format!("side by side needs {BESIDE} cells for the change; here are {width}");
            return Step::Say(Meaning::Warning, words);
        }
        self.pane.toggle_beside(width);
        Step::Stay
    }

    /// The first press says what would be read.
    fn read_secrets(&mut self, warned: bool, comparison: &Arc<Comparison>) -> Step {
        if warned {
            self.before = Some(comparison.clone());
            return Step::AskAnew(Box::new(Question { read_secrets: true, ..self.question.clone() }));
        }
        self.warned = true;
        let words = "Shift-V once more reads the Secrets that valuesFrom names, with your credential";
        Step::Say(Meaning::Warning, words.to_owned())
    }

    fn copy(&self, command: Command, comparison: Option<&Comparison>, memory: &Memory) -> Option<Step> {
        match command {
            Command::CopyCommand => {
                let source = sides::source(&self.question, memory);
                let none = || {
                    let words = "not copied: no command names both with the same eyes and plain characters";
                    Step::Say(Meaning::Warning, words.to_owned())
                };
                Some(equivalent::diff(&self.question, source.as_ref()).map_or_else(none, Step::Copy))
            }
            Command::OnDiff(OnDiff::CopyLink) => head::link(comparison?).map(Step::Copy),
            Command::CopyName => {
                let Some(Subject::Object(at)) = self.shown() else { return Some(Step::Stay) };
                let name = &comparison?.diff().objects.get(at)?.found()?.key.name;
                Some(if equivalent::is_name(name) { Step::Copy(name.to_string()) } else { browse::refused() })
            }
            _ => None,
        }
    }

    /// What was seen when Secrets were to be read: it is not needed any more.
    pub fn take_before(&mut self) -> Option<Arc<Comparison>> {
        self.before.take()
    }

    /// What Esc leaves first. None: the screen itself, or the filter.
    pub fn back(&mut self, memory: &Memory) -> Option<Step> {
        if let Some(Compared::Coming(_)) = memory.shelf.comparisons.get(&self.question) {
            return Some(Step::CancelCompare(Box::new(self.question.clone())));
        }
        std::mem::take(&mut self.reading).then_some(Step::Stay)
    }

    /// It is for the list, and the keys are the change's.
    pub fn is_idle(&self, command: Command) -> bool {
        self.reading && matches!(command, Command::OnDiff(OnDiff::Enter))
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        let Command::OnDiff(meant) = command else { return self.no_command(command, memory) };
        match meant {
            OnDiff::Consumer if self.question.consumer.is_none() => {
                let none = sides::consumers(&self.question, memory).is_empty();
                return none.then(|| "no consumer of this repository is known here".to_owned());
            }
            OnDiff::Build if self.question.consumer.is_none() => {
                return Some("it is built for a consumer: u chooses one".to_owned());
            }
            OnDiff::Consumer | OnDiff::Build | OnDiff::Swap => return None,
            _ => {}
        }
        let Some(comparison) = self.here(memory) else { return Some(self.unanswered(memory)) };
        let file = matches!(self.shown(), Some(Subject::File(_)));
        match meant {
            OnDiff::ReadSecrets => no_secrets(comparison),
            OnDiff::CopyLink => head::link(comparison)
                .is_none()
                .then(|| "their annotations name no two commits of a forge that compares them".to_owned()),
            OnDiff::Quiet if !self.list.quiet && self.list.hidden == list::Quiet::default() => {
                Some("nothing is hidden".to_owned())
            }
            OnDiff::Enter if self.reading => Some("Esc goes back to the list".to_owned()),
            OnDiff::Raw if file => Some("a file is shown as it is written".to_owned()),
            OnDiff::Raw | OnDiff::Viewed if self.shown().is_none() => {
                Some("no change is selected".to_owned())
            }
            OnDiff::Fold if self.reading && !self.pane.can_reveal() => {
                Some("there is no hidden value under the cursor".to_owned())
            }
            _ if self.list.view.is_empty() && meant != OnDiff::Quiet => Some("nothing differs".to_owned()),
            _ => None,
        }
    }

    fn unanswered(&self, memory: &Memory) -> String {
        let words = if self.has_failed(memory) {
            "there is no answer: ^R asks again"
        } else {
            "there is no answer yet"
        };
        words.to_owned()
    }

    fn no_command(&self, command: Command, memory: &Memory) -> Option<String> {
        match command {
            Command::Filter if self.is_bare(memory) => Some(self.unanswered(memory)),
            Command::CopyName if !matches!(self.shown(), Some(Subject::Object(_))) => {
                Some("no object is selected".to_owned())
            }
            _ => None,
        }
    }

    /// How the change is shown.
    pub fn form(&self) -> Form {
        self.pane.form
    }
}

/// Why there is no Secret to read.
fn no_secrets(comparison: &Comparison) -> Option<String> {
    let Lens::Release(release) = &comparison.lens else {
        return Some("only a HelmRelease takes values from Secrets: u chooses one".to_owned());
    };
    let mut secrets = release.values_from.iter().filter(|from| from.kind == ConfigKind::Secret).peekable();
    if secrets.peek().is_none() {
        return Some("its valuesFrom names no Secret".to_owned());
    }
    secrets.all(|from| from.state.is_known()).then(|| "they were read already".to_owned())
}
