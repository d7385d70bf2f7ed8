//! Going from view to view: the stack of screens, the history, other namespaces and other clusters.

use super::{
    App,
    effect::Effect,
    memory::Session,
    orders::Order,
    screen::{Place, Screen, diff::Chosen},
    seek::Seek,
    shelf::comparisons::{Compared, News},
};
use crate::{
    app::filter::Filter,
    domain::{
        comparison::Question,
        fact::Scope,
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
        world::Feed,
    },
    widgets::theme::Meaning,
};
use std::sync::Arc;

/// Views in the order in which they were opened, and where in it one is.
#[derive(Debug, Default)]
pub(super) struct Journey {
    places: Vec<Place>,
    at: usize,
    last: Option<Place>,
}

impl Journey {
    /// A view was opened: what lay ahead is forgotten.
    pub(super) fn arrive(&mut self, place: &Place) {
        if self.places.get(self.at) == Some(place) {
            return;
        }
        self.last = self.places.get(self.at).cloned();
        self.places.truncate(self.at + 1);
        self.places.push(place.clone());
        self.at = self.places.len() - 1;
    }

    /// One went back to a view: what was left lies ahead.
    fn return_to(&mut self, place: &Place) {
        self.last = self.places.get(self.at).cloned();
        if let Some(at) = self.places[..self.at].iter().rposition(|other| other == place) {
            self.at = at;
        } else {
            self.arrive(place);
        }
    }

    /// The view became another one without being left.
    fn turn_into(&mut self, place: Place) {
        if let Some(here) = self.places.get_mut(self.at) {
            *here = place;
        }
    }

    pub(super) fn before(&self) -> Option<&Place> {
        self.places.get(self.at.checked_sub(1)?)
    }

    pub(super) fn after(&self) -> Option<&Place> {
        self.places.get(self.at + 1)
    }

    pub(super) fn last(&self) -> Option<&Place> {
        self.last.as_ref()
    }

    /// Moves along the history without changing it.
    fn step(&mut self, by: isize) {
        self.last = self.places.get(self.at).cloned();
        self.at = self.at.saturating_add_signed(by).min(self.places.len().saturating_sub(1));
    }
}

impl App {
    /// A fresh order for a view: what is kept of it and may be old, or failed, is asked anew.
    pub(super) fn open(&mut self, place: &Place) {
        let kept = &mut self.memory.shelf;
        if let Place::Diff(question) = place {
            kept.comparisons.renew(question);
        }
        if let Place::Artifact { target, .. } = place {
            kept.artifacts.renew(target);
        }
        self.go(place);
    }

    /// Two artifacts were chosen to be compared.
    pub(super) fn compare(&mut self, chosen: Chosen) {
        for (target, tag) in chosen.tags {
            self.memory.shelf.comparisons.call(&target, tag);
        }
        self.open(&Place::Diff(Box::new(chosen.question)));
    }

    /// Opens a view with what is kept of it, and remembers it.
    pub(super) fn go(&mut self, place: &Place) {
        self.journey.arrive(place);
        self.show(place);
    }

    /// Opens the upgrades, on the row of what is selected here.
    pub(super) fn open_upgrades(&mut self) {
        let chain = self.top().subject().map(|id| self.memory.ledger.world.chain(id)).unwrap_or_default();
        self.go(&Place::Upgrades);
        let follows = |id: &&ObjectId| matches!(id.kind, Kind::OciRepository | Kind::HelmChart);
        if let (Screen::Upgrades(upgrades), Some(id)) = (self.top_mut(), chain.iter().find(follows)) {
            upgrades.select(id);
        }
    }

    /// Brings a view to the front: the one that is open, else a new one.
    fn show(&mut self, place: &Place) {
        if let Some(at) = self.stack.iter().position(|screen| screen.place() == *place) {
            self.stack.truncate(at + 1);
            self.fall_back_here();
            return;
        }
        if let Place::Yaml(id) = place {
            self.memory.shelf.raw.remove(id);
        }
        // a list replaces the views above the board, as a command in k9s does
        if let Place::List(_) = place {
            self.stack.truncate(1);
        }
        self.stack.push(Screen::at(place));
        self.fall_back_here();
    }

    /// Leaves the top view. False: it is the first one.
    pub(super) fn leave(&mut self, effects: &mut Vec<Effect>) -> bool {
        if self.stack.len() == 1 {
            return false;
        }
        let left = self.stack.pop();
        if let Some(Screen::Artifact(artifact)) = &left {
            for id in self.memory.shelf.artifacts.give_up(&artifact.target) {
                effects.push(Effect::StopLayer(id));
            }
        }
        if let Some(Screen::Tags(tags)) = left {
            let needed =
                self.memory.ledger.entries().any(|(_, e)| e.upstream.as_ref() == Some(&tags.upstream));
            if !needed && self.memory.shelf.give_up(&tags.upstream) {
                effects.push(Effect::StopTags(tags.upstream));
            }
        }
        let place = self.top().place();
        self.journey.return_to(&place);
        self.fall_back_here();
        true
    }

    /// The answer may have come while another view lay over it.
    fn fall_back_here(&mut self) {
        if let Screen::Diff(diff) = self.top() {
            let question = diff.question.clone();
            self.fall_back(&question);
        }
    }

    /// Esc while it works: the screen stays and says so.
    pub(super) fn cancel_compare(&mut self, question: &Question, effects: &mut Vec<Effect>) {
        let problem = Problem::new(Cause::Other, "compare the two", "it was cancelled by a key");
        self.memory.shelf.comparisons.cancel(question, problem);
        effects.push(Effect::StopCompare(Box::new(question.clone())));
        self.fall_back(question);
    }

    /// An answer without Secrets is not given up for the failure to read them.
    pub(super) fn fall_back(&mut self, answered: &Question) {
        let failed = match self.memory.shelf.comparisons.get(answered) {
            None | Some(Compared::Coming(_)) => return,
            Some(Compared::Here(_)) => None,
            Some(Compared::Failed(problem)) => {
                Some(format!("the Secrets were not read: could not {problem}"))
            }
        };
        let Screen::Diff(diff) = self.top_mut() else { return };
        if diff.question != *answered {
            return;
        }
        let without = Question { read_secrets: false, ..answered.clone() };
        let before = diff.take_before();
        let before = before.or_else(|| self.memory.shelf.comparisons.here(&without).cloned());
        if let (Some(before), Some(words)) = (before, failed.filter(|_| answered.read_secrets)) {
            let question = before.question.clone();
            self.memory.shelf.comparisons.take(&question, News::Answered(Ok(before)));
            self.turn(question);
            self.say(Meaning::Problem, words);
        }
    }

    /// The comparison that is looked at asks something else: other eyes, other sides.
    pub(super) fn turn(&mut self, question: Question) {
        self.memory.shelf.comparisons.retry(&question);
        let Screen::Diff(diff) = self.top_mut() else { return };
        diff.question.clone_from(&question);
        self.journey.turn_into(Place::Diff(Box::new(question)));
    }

    pub(super) fn travel(&mut self, by: isize) {
        let place = if by < 0 { self.journey.before() } else { self.journey.after() };
        if let Some(place) = place.cloned() {
            self.journey.step(by);
            self.show(&place);
        }
    }

    pub(super) fn last_view(&mut self) {
        if let Some(place) = self.journey.last().cloned() {
            self.go(&place);
        }
    }

    pub(super) fn obey(&mut self, order: Order, effects: &mut Vec<Effect>) {
        match order {
            Order::Go { place, namespace, filter } => {
                if let Some(namespace) = namespace {
                    self.focus(Some(namespace), effects);
                }
                self.open(&place);
                if let Some(filter) = filter {
                    self.top_mut().set_filter(Filter::parse(&filter));
                }
            }
            Order::Namespace(namespace) => self.focus(namespace, effects),
            Order::Context(context) => self.connect(Some(context), effects),
            Order::Write(write) => {
                self.memory.write = write;
                let words = if write {
                    "writes are allowed in this session: :readonly takes that back"
                } else {
                    "read-only: nothing is sent"
                };
                self.say(if write { Meaning::Warning } else { Meaning::Success }, words);
            }
            Order::Grep(text) => match self.top_mut() {
                Screen::Artifact(artifact) => artifact.grep(&text),
                _ => self.say(Meaning::Warning, ":grep searches the files of an artifact: open one with a"),
            },
            Order::Help => self.open_help(),
            Order::Quit => effects.push(Effect::Quit),
        }
    }

    /// Looks at one namespace or at all. Asks anew only where what is watched does not hold it.
    pub(super) fn focus(&mut self, wanted: Option<Arc<str>>, effects: &mut Vec<Effect>) {
        let held = match (&self.memory.scope, &wanted) {
            (Scope::AllNamespaces, None) => true,
            (Scope::AllNamespaces, Some(namespace)) => self.is_read(namespace),
            (Scope::Namespace(own), Some(namespace)) => own == namespace,
            (Scope::Namespace(_), None) => false,
        };
        if held {
            let whole = matches!(self.memory.scope, Scope::Namespace(_));
            self.memory.namespace = if whole { None } else { wanted };
            return;
        }
        self.memory.namespace = None;
        self.memory.scope = wanted.map_or(Scope::AllNamespaces, Scope::Namespace);
        self.memory.ledger.clear();
        self.seek = Seek::default();
        if matches!(self.memory.session, Session::Up(_)) {
            self.watch(effects);
        }
    }

    /// Where not all namespaces may be read at once, one that was not named has to be asked for.
    fn is_read(&self, namespace: &Arc<str>) -> bool {
        let world = &self.memory.ledger.world;
        world.narrowed().next().is_none()
            || world.feeds().any(|(feed, state)| {
                feed.namespace.as_ref() == Some(namespace)
                    && matches!(state, Feed::Live { .. } | Feed::Lost { .. })
            })
    }

    /// Leaves the cluster in use and opens another one, or the same again.
    pub(super) fn connect(&mut self, context: Option<String>, effects: &mut Vec<Effect>) {
        self.memory.session = Session::Connecting { context: context.clone(), since: self.memory.now };
        self.memory.ledger.clear();
        self.memory.shelf.leave_cluster();
        self.memory.rollouts.clear();
        self.memory.fetched.clear();
        self.memory.namespaces.clear();
        self.memory.no_namespaces = None;
        self.seek = Seek::default();
        self.memory.namespace = None;
        self.memory.watched_since = None;
        self.followed = None;
        let stays = match self.top() {
            Screen::Tags(_) | Screen::Artifact(_) => true,
            Screen::Diff(diff) => diff.question.consumer.is_none(),
            Screen::Board(_)
            | Screen::List(_)
            | Screen::Object(_)
            | Screen::Yaml(_)
            | Screen::Revisions(_)
            | Screen::Upgrades(_) => false,
        };
        if !stays {
            self.go(&Place::Board);
        }
        effects.push(Effect::Connect { context });
    }
}
