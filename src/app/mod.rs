//! WHAT HAPPENS. The Elm loop as a value: messages in, effects out, a picture at any time. No async, no I/O.

pub mod command;
pub mod effect;
pub mod equivalent;
pub mod filter;
mod frame;
pub mod keymap;
pub mod ledger;
pub mod memory;
pub mod message;
pub mod orders;
pub mod overlay;
pub mod page;
mod press;
pub mod rollout;
pub mod screen;
mod seek;
pub mod shelf;
mod travel;
pub mod upgrades;
pub mod viewed;

pub use crate::widgets::theme::ColourMode;

use crate::{
    domain::{
        Timestamp,
        fact::{Fact, Scope},
        identity::{About, ObjectId},
        problem::{Cause, Problem},
        repository::Upstream,
        world::{Feed, Lookup, Touched, takes_from},
    },
    widgets::{
        text,
        theme::{Meaning, Theme},
    },
};
use effect::Effect;
use ledger::Entry;
use memory::{Memory, Session};
use message::Message;
use overlay::{Overlay, prompt::Purpose};
use ratatui::{Frame, buffer::Buffer, layout::Rect};
use screen::{Place, Screen};
use seek::Seek;
use shelf::Answer;
use std::collections::{BTreeSet, HashMap};
use travel::Journey;

/// How long a toast that asks for nothing stays, in seconds.
const TOAST: i64 = 6;

/// What is decided before the first frame.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Writes are allowed from the start.
    pub write: bool,
    /// The context asked for; None: the one in use.
    pub context: Option<String>,
    pub scope: Scope,
    pub colour: ColourMode,
    pub ascii: bool,
    pub demo: bool,
    pub width: u16,
    pub height: u16,
    pub start: Start,
    /// Questions to one registry at a time.
    pub registry_at_once: usize,
}

/// The first screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    Board,
    Tags(Upstream),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            write: false,
            context: None,
            scope: Scope::AllNamespaces,
            colour: ColourMode::default(),
            ascii: false,
            demo: false,
            width: 80,
            height: 24,
            start: Start::Board,
            registry_at_once: 6,
        }
    }
}

/// The whole program between a message and an effect.
pub struct App {
    memory: Memory,
    /// The board is always the first; the last is the one that is seen.
    stack: Vec<Screen>,
    journey: Journey,
    overlay: Option<Overlay>,
    toast: Option<Toast>,
    size: Rect,
    dirty: Dirty,
    /// The last picture, to see whether anything changed in it.
    painted: Option<Buffer>,
    /// Whose events are followed.
    followed: Option<ObjectId>,
    /// The events that are shown as followed came to an end.
    events_ended: bool,
    seek: Seek,
    /// Shape of the world, and whether all of it was read, for which sources were sought.
    sought: (u64, bool),
}

/// Whether the picture is out of date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Dirty {
    No,
    /// Something came that may not be visible; the picture decides.
    Perhaps,
    Yes,
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Toast {
    words: String,
    meaning: Meaning,
    since: Timestamp,
}

impl App {
    pub fn new(settings: Settings) -> Self {
        let now = Timestamp::UNIX_EPOCH;
        let memory = Memory {
            ledger: ledger::Ledger::default(),
            shelf: shelf::Shelf::with(settings.registry_at_once),
            upgrades: upgrades::Upgrades::default(),
            rollouts: HashMap::new(),
            viewed: viewed::Viewed::default(),
            session: Session::Connecting { context: settings.context, since: now },
            scope: settings.scope,
            namespace: None,
            contexts: Vec::new(),
            no_contexts: None,
            namespaces: Vec::new(),
            no_namespaces: None,
            fetched: HashMap::new(),
            write: settings.write,
            demo: settings.demo,
            theme: Theme { colour: settings.colour, ascii: settings.ascii },
            now,
            watched_since: None,
            wide: false,
        };
        let mut app = Self {
            memory,
            stack: vec![Screen::at(&Place::Board)],
            journey: Journey::default(),
            overlay: None,
            toast: None,
            size: Rect::new(0, 0, settings.width, settings.height),
            dirty: Dirty::Yes,
            painted: None,
            followed: None,
            events_ended: false,
            seek: Seek::default(),
            sought: (0, false),
        };
        app.journey.arrive(&Place::Board);
        if let Start::Tags(upstream) = settings.start {
            app.go(&Place::Tags { upstream, about: None });
        }
        app
    }

    /// The first questions. Nothing waits for their answers.
    #[must_use = "what is asked for and not performed is never answered"]
    pub fn start(&mut self) -> Vec<Effect> {
        let context = match &self.memory.session {
            Session::Connecting { context, .. } | Session::Down { context, .. } => context.clone(),
            Session::Up(about) => Some(about.context.clone()),
        };
        self.memory.session = Session::Connecting { context: context.clone(), since: self.memory.now };
        let mut effects = vec![Effect::ListContexts, Effect::Connect { context }];
        self.settle(&mut effects);
        effects
    }

    /// Takes one message in. Never waits.
    #[must_use = "what is asked for and not performed is never answered"]
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        let mut effects = Vec::new();
        let loud = matches!(message, Message::Key(_) | Message::Pasted(_) | Message::Resized { .. });
        if let Message::Tick(now) = message {
            self.tick(now);
            self.keep_up(&mut effects);
            return effects;
        }
        self.dirty = self.dirty.max(if loud { Dirty::Yes } else { Dirty::Perhaps });
        self.take(message, &mut effects);
        self.settle(&mut effects);
        effects
    }

    /// True if a frame may be due.
    pub fn is_dirty(&self) -> bool {
        self.dirty != Dirty::No
    }

    /// True if the next frame would differ from the last one asked about. Nothing is drawn while nothing changed.
    pub fn take_dirty(&mut self) -> bool {
        if self.dirty == Dirty::No {
            return false;
        }
        let certain = self.dirty == Dirty::Yes;
        self.dirty = Dirty::No;
        let mut picture = Buffer::empty(self.size);
        self.paint(&mut picture);
        let same = self.painted.as_ref() == Some(&picture);
        self.painted = Some(picture);
        certain || !same
    }

    pub fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let kept = self.painted.as_ref().filter(|kept| kept.area == area && self.dirty == Dirty::No);
        if let Some(kept) = kept {
            frame.buffer_mut().clone_from(kept);
        } else {
            self.paint_in(area, frame.buffer_mut());
        }
        if let Some(cursor) = self.cursor(area) {
            frame.set_cursor_position(cursor);
        }
    }

    fn tick(&mut self, now: Timestamp) {
        self.memory.now = now;
        let gone = self.toast.as_ref().is_some_and(|toast| {
            toast.meaning != Meaning::Problem && now.as_second() - toast.since.as_second() >= TOAST
        });
        if gone {
            self.toast = None;
        }
        self.dirty = self.dirty.max(Dirty::Perhaps);
    }

    /// What is due by the clock alone: old lists that are seen, and what was too much to judge at once.
    fn keep_up(&mut self, effects: &mut Vec<Effect>) {
        let seen = self.top().visible_upstreams(&self.memory, self.content());
        self.memory.shelf.refresh(&seen, self.memory.now);
        if self.memory.shelf.has_queue() || self.memory.upgrades.is_waiting() {
            self.settle(effects);
        }
    }

    fn take(&mut self, message: Message, effects: &mut Vec<Effect>) {
        match message {
            Message::Tick(now) => self.tick(now),
            Message::Key(chord) => self.press(chord, effects),
            Message::Pasted(text) => self.paste(&text),
            Message::Resized { width, height } => self.size = Rect::new(0, 0, width, height),
            Message::Contexts(answer) => (self.memory.contexts, self.memory.no_contexts) = parted(answer),
            Message::Connected(answer) => self.connected(answer, effects),
            Message::Observed(facts) => self.observed(facts),
            Message::WatchBroke(problem) => self.watch_broke(&problem),
            Message::Tags(upstream, answer) => {
                self.memory.shelf.take_tags(&upstream, answer, self.memory.now);
            }
            Message::Headed { upstream, reference, answer } => {
                self.memory.shelf.lookups.take_head(&upstream, &reference, answer, self.memory.now);
            }
            Message::Described { upstream, reference, answer } => {
                self.memory.shelf.lookups.take_details(&upstream, &reference, answer, self.memory.now);
            }
            Message::Artifact(news) => self.memory.shelf.artifacts.take(news),
            Message::Compared(question, news) => {
                self.memory.shelf.comparisons.take(&question, news);
                self.fall_back(&question);
            }
            Message::Page(id, answer) => self.memory.shelf.comparisons.take_page(id, answer),
            Message::Events(id, answer) => {
                self.events_ended |= answer.is_err() && self.followed.as_ref() == Some(&id);
                self.memory.shelf.take_events(id, answer, self.memory.now);
            }
            Message::Raw(id, answer) => self.memory.shelf.take_raw(id, answer),
            Message::Fetched(id, answer) => {
                if self.seek.answered(&id, answer.as_ref().err()) {
                    self.memory.ledger.take_fetched(id.clone(), &answer);
                }
                self.memory.fetched.insert(id, answer);
            }
            Message::Namespaces(answer) => {
                (self.memory.namespaces, self.memory.no_namespaces) = parted(answer);
            }
            Message::Stepped { target, step } => {
                if let Some(rollout) = self.memory.rollouts.get_mut(&target) {
                    rollout.steps.push(step);
                }
            }
            Message::Acted(target) => self.acted(&target),
            Message::Copied(Ok(())) => {}
            Message::Copied(Err(problem)) => self.say(Meaning::Problem, format!("could not {problem}")),
        }
    }

    fn connected(&mut self, answer: Result<About, Problem>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(about) => {
                self.memory.session = Session::Up(about);
                self.watch(effects);
                effects.push(Effect::ListNamespaces);
            }
            Err(problem) => {
                let context = match &self.memory.session {
                    Session::Connecting { context, .. } | Session::Down { context, .. } => context.clone(),
                    Session::Up(about) => Some(about.context.clone()),
                };
                self.memory.session = Session::Down { context, problem };
            }
        }
    }

    /// Facts of a cluster that was left, or of a scope that was left, are no longer ours.
    fn observed(&mut self, facts: Vec<Fact>) {
        if !matches!(self.memory.session, Session::Up(_)) {
            return;
        }
        let back = |fact: &Fact| matches!(fact, Fact::Listed { .. } | Fact::WatchBack { .. });
        if self.events_ended && facts.iter().any(back) {
            self.ask_events_again();
        }
        let scope = self.memory.scope.clone();
        self.memory.ledger.observe(facts.into_iter().filter(|fact| is_inside(&scope, fact)).collect());
    }

    /// What was read stays, and is old from now on; what was never read is not made out to be.
    fn watch_broke(&mut self, problem: &Problem) {
        self.say(Meaning::Problem, format!("could not {problem}"));
        let since = self.memory.now;
        let live = self.memory.ledger.world.feeds().filter(|(_, feed)| matches!(feed, Feed::Live { .. }));
        let lost =
            live.map(|(feed, _)| Fact::WatchLost { feed: feed.clone(), problem: problem.clone(), since });
        let lost = lost.collect();
        self.memory.ledger.observe(lost);
    }

    fn acted(&mut self, target: &ObjectId) {
        let now = self.memory.now;
        let Some(rollout) = self.memory.rollouts.get_mut(target) else { return };
        rollout.ended = Some(now);
        let (words, good) = (rollout.verdict(), rollout.succeeded());
        self.say(if good { Meaning::Success } else { Meaning::Problem }, words);
    }

    fn say(&mut self, meaning: Meaning, words: impl AsRef<str>) {
        self.toast = Some(Toast { words: text::line(words.as_ref()), meaning, since: self.memory.now });
    }

    fn watch(&mut self, effects: &mut Vec<Effect>) {
        self.memory.watched_since = Some(self.memory.now);
        effects.push(Effect::Watch(self.memory.scope.clone()));
    }

    /// How often the rows of the board and of the upgrades were arranged since they were opened. It grows with what
    /// moves rows, not with time.
    pub fn arrangements(&self) -> u64 {
        let of = |screen: &Screen| match screen {
            Screen::Board(board) => board.rows.arrangements,
            Screen::Upgrades(upgrades) => upgrades.arrangements,
            Screen::List(_)
            | Screen::Object(_)
            | Screen::Yaml(_)
            | Screen::Tags(_)
            | Screen::Artifact(_)
            | Screen::Diff(_)
            | Screen::Revisions(_) => 0,
        };
        self.stack.iter().map(of).sum()
    }

    fn top(&self) -> &Screen {
        // the board is never taken off the stack
        &self.stack[self.stack.len() - 1]
    }

    fn top_mut(&mut self) -> &mut Screen {
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    fn content(&self) -> Rect {
        crate::widgets::layout::areas(self.size).map_or(self.size, |areas| areas.content)
    }

    /// After every message: kept views are brought up to date, and what is now needed is asked.
    fn settle(&mut self, effects: &mut Vec<Effect>) {
        let content = self.content();
        let last = self.stack.len() - 1;
        let touched = self.memory.ledger.take_touched();
        self.memory.upgrades.settle(&touched, &self.memory.ledger, &mut self.memory.shelf);
        self.stack[last].settle(&self.memory, content);
        self.want_tags(&touched, content);
        let seen = self.stack[last].wants(&self.memory, content);
        self.memory.shelf.lookups.look(seen);
        effects.extend(self.memory.shelf.due(self.memory.now));
        self.want_events(effects);
        self.want_raw(effects);
        self.want_fetched(effects);
        self.want_artifact(content, effects);
        self.want_comparison(content, effects);
        self.want_sources(effects);
        if let Some(Overlay::Dialog(dialog)) = &mut self.overlay {
            dialog.settle(&self.memory, content);
        }
    }

    /// What can be seen first, then every other repository of the world.
    fn want_tags(&mut self, touched: &Touched, content: Rect) {
        let Memory { ledger, shelf, .. } = &mut self.memory;
        let entries: Vec<&Entry> = match touched {
            Touched::Objects(ids) => ids.iter().filter_map(|id| ledger.get(id)).collect(),
            Touched::Everything => ledger.entries().map(|(_, entry)| entry).collect(),
        };
        let named: BTreeSet<&Upstream> = entries.iter().filter_map(|entry| entry.upstream.as_ref()).collect();
        for upstream in named {
            shelf.want_tags_as(upstream, ledger.sources_of(upstream).any(|entry| entry.chart));
        }
        if !self.memory.shelf.has_queue() && !matches!(self.top(), Screen::Tags(_)) {
            return;
        }
        let visible = self.top().visible_upstreams(&self.memory, content);
        self.memory.shelf.look_at(visible);
    }

    fn want_events(&mut self, effects: &mut Vec<Effect>) {
        let wanted = match (self.top(), &self.memory.session) {
            (Screen::Object(object), Session::Up(_)) => Some(object.id.clone()),
            _ => None,
        };
        if wanted == self.followed {
            return;
        }
        match &wanted {
            Some(id) => {
                self.memory.shelf.events.entry(id.clone()).or_insert(Answer::Asked);
                effects.push(Effect::FollowEvents(id.clone()));
            }
            None => effects.push(Effect::StopEvents),
        }
        self.followed = wanted;
        self.events_ended = false;
    }

    /// Their stream ended, and there is reason to believe that it would not end now.
    fn ask_events_again(&mut self) {
        if self.events_ended {
            self.events_ended = false;
            self.followed = None;
        }
    }

    /// Sources that are not among what is watched, so that their consumers are judged as anywhere else.
    fn want_sources(&mut self, effects: &mut Vec<Effect>) {
        if !matches!(self.memory.session, Session::Up(_)) {
            return;
        }
        let now = (self.memory.ledger.shape, self.memory.is_listed());
        if self.sought != now && now.1 {
            self.sought = now;
            let world = &self.memory.ledger.world;
            let mut unseen: Vec<ObjectId> = world
                .objects()
                .filter_map(|object| takes_from(object))
                .filter(|id| id.kind.is_watched() && matches!(world.lookup(id), Lookup::Unseen))
                .collect();
            unseen.sort();
            for id in unseen {
                self.seek.want(id);
            }
        }
        effects.extend(self.seek.due().into_iter().map(Effect::Fetch));
    }

    fn want_raw(&mut self, effects: &mut Vec<Effect>) {
        let Screen::Yaml(yaml) = self.top() else { return };
        let id = yaml.id.clone();
        if self.memory.shelf.raw.contains_key(&id) {
            return;
        }
        if matches!(self.memory.session, Session::Up(_)) {
            self.memory.shelf.raw.insert(id.clone(), Answer::Asked);
            effects.push(Effect::ReadRaw(id));
        } else {
            let problem = Problem::new(Cause::Unreachable, format!("read {id}"), "there is no cluster");
            self.memory.shelf.raw.insert(id, Answer::Failed(problem));
        }
    }

    fn want_artifact(&mut self, content: Rect, effects: &mut Vec<Effect>) {
        let Screen::Artifact(artifact) = self.top() else { return };
        for effect in artifact.needs(&self.memory, content) {
            self.memory.shelf.artifacts.ask(&effect, self.memory.now);
            effects.push(effect);
        }
    }

    /// Asks what is looked at; nobody waits for what no open view shows.
    fn want_comparison(&mut self, content: Rect, effects: &mut Vec<Effect>) {
        for question in self.memory.shelf.comparisons.coming() {
            let open = |screen: &Screen| matches!(screen, Screen::Diff(diff) if diff.question == question);
            if !self.stack.iter().any(open) && self.memory.shelf.comparisons.give_up(&question) {
                effects.push(Effect::StopCompare(Box::new(question)));
            }
        }
        let Screen::Diff(diff) = self.top() else { return };
        for effect in diff.needs(&self.memory, content) {
            match &effect {
                Effect::Compare(question) => self.memory.shelf.comparisons.ask(question, self.memory.now),
                Effect::ReadPage { id, .. } => self.memory.shelf.comparisons.ask_page(id),
                _ => {}
            }
            effects.push(effect);
        }
    }

    fn want_fetched(&mut self, effects: &mut Vec<Effect>) {
        let Some(Overlay::Dialog(dialog)) = &mut self.overlay else { return };
        for id in dialog.reads(&self.memory) {
            if !dialog.asked.contains(&id) {
                dialog.asked.push(id.clone());
                effects.push(Effect::Fetch(id));
            }
        }
    }
}

/// What is offered, or why nothing is.
fn parted(answer: Result<Vec<String>, Problem>) -> (Vec<String>, Option<Problem>) {
    match answer {
        Ok(names) => (names, None),
        Err(problem) => (Vec::new(), Some(problem)),
    }
}

fn is_inside(scope: &Scope, fact: &Fact) -> bool {
    let feed = match fact {
        Fact::Listed { feed, .. }
        | Fact::NotInstalled(feed)
        | Fact::Refused { feed, .. }
        | Fact::Unreadable { feed, .. }
        | Fact::WatchLost { feed, .. }
        | Fact::WatchBack { feed } => feed,
        Fact::Changed(object) => return scope.contains(&object.id().namespace),
        Fact::Gone(id) => return scope.contains(&id.namespace),
        Fact::Narrowed { .. } => return *scope == Scope::AllNamespaces,
    };
    match (&feed.namespace, scope) {
        (Some(namespace), scope) => scope.contains(namespace),
        (None, Scope::AllNamespaces) => true,
        (None, Scope::Namespace(_)) => false,
    }
}
