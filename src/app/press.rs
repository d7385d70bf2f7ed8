//! What a key does: the overlay hears it first, then the screen, then everything else. One table says what it means.

use super::{
    App,
    command::{Command, OnUpgrades},
    effect::Effect,
    filter::Filter,
    keymap::{self, Scope},
    memory::Session,
    message::{Chord, Key},
    orders,
    overlay::{
        Overlay,
        dialog::Dialog,
        help::Help,
        prompt::{Prompt, Purpose},
    },
    screen::{Screen, Step},
    shelf::lookups::{Depth, Want},
};
use crate::{
    domain::{action::token, world::Feed},
    widgets::{layout, text::first_line, theme::Meaning},
};

impl App {
    pub(super) fn press(&mut self, chord: Chord, effects: &mut Vec<Effect>) {
        self.toast = None;
        // a terminal that is too small hears nothing but the way out
        if layout::areas(self.size).is_none() {
            if chord == Chord::control('c') || chord == Chord::char('q') {
                effects.push(Effect::Quit);
            }
            return;
        }
        let command = keymap::command(&self.listeners(), chord);
        match (self.overlay.take(), command) {
            (overlay, Some(Command::Quit)) => {
                self.overlay = overlay;
                effects.push(Effect::Quit);
            }
            (None, command) if self.top().is_typing() => self.in_screen(command, chord, effects),
            (None, Some(command)) => self.command(command, effects),
            (Some(Overlay::Line(prompt)), command) => self.in_line(prompt, command, chord, effects),
            (Some(Overlay::Help(help)), command) => self.in_help(help, command, chord),
            (Some(Overlay::Dialog(dialog)), command) => self.in_dialog(dialog, command, effects),
            (Some(Overlay::Question), Some(Command::ConfirmQuit)) => effects.push(Effect::Quit),
            (None, None) | (Some(Overlay::Question), Some(Command::Leave)) => {}
            (Some(Overlay::Question), _) => self.overlay = Some(Overlay::Question),
        }
    }

    /// Those who hear a key, the first of them first.
    pub(super) fn listeners(&self) -> Vec<Scope> {
        match &self.overlay {
            Some(overlay) => vec![overlay.scope()],
            None if self.top().is_typing() => vec![self.top().scope()],
            None => vec![self.top().scope(), Scope::Everywhere],
        }
    }

    /// Why a command does nothing here and now.
    pub(super) fn obstacle(&self, command: Command) -> Option<String> {
        match command {
            Command::HistoryBack if self.journey.before().is_none() => {
                Some("there is no view before".to_owned())
            }
            Command::HistoryForward if self.journey.after().is_none() => {
                Some("there is no view after".to_owned())
            }
            Command::LastView if self.journey.last().is_none() => Some("there was no other view".to_owned()),
            Command::Namespace(digit @ 1..) => {
                let count = self.memory.ledger.namespaces().len();
                (count < usize::from(digit)).then(|| format!("only {count} namespaces hold Flux objects"))
            }
            other => self.top().obstacle(other, &self.memory),
        }
    }

    fn command(&mut self, command: Command, effects: &mut Vec<Effect>) {
        if let Some(reason) = self.obstacle(command) {
            self.say(Meaning::Warning, reason);
            return;
        }
        match command {
            Command::Filter if matches!(self.top(), Screen::Artifact(artifact) if artifact.reads()) => {
                self.overlay = Some(Overlay::Line(Prompt::new(Purpose::Search, "")));
            }
            Command::Back => {
                self.back(effects);
            }
            Command::Close => {
                if !self.back(effects) {
                    self.overlay = Some(Overlay::Question);
                }
            }
            Command::CommandLine => self.overlay = Some(Overlay::Line(Prompt::new(Purpose::Command, ""))),
            Command::Filter => {
                let text = self.top().filter().map_or_else(String::new, |filter| filter.text.clone());
                self.overlay = Some(Overlay::Line(Prompt::new(Purpose::Filter, &text)));
            }
            Command::Help => self.open_help(),
            Command::OnUpgrades(OnUpgrades::Show) => self.open_upgrades(),
            Command::Refresh => self.refresh(effects),
            Command::Wide => self.widen(),
            Command::HistoryBack => self.travel(-1),
            Command::HistoryForward => self.travel(1),
            Command::LastView => self.last_view(),
            Command::Namespace(0) => self.focus(None, effects),
            Command::Namespace(digit) => {
                let names = self.memory.ledger.namespaces();
                let name = names.get(usize::from(digit) - 1).map(|(name, _)| name.clone());
                if let Some(name) = name {
                    self.focus(Some(name), effects);
                }
            }
            other => {
                let content = self.content();
                let last = self.stack.len() - 1;
                let step = self.stack[last].update(other, &self.memory, content);
                self.step(step, effects);
            }
        }
    }

    /// The screen is typed into: what is no key of it is text.
    fn in_screen(&mut self, command: Option<Command>, chord: Chord, effects: &mut Vec<Effect>) {
        match command {
            Some(command) => self.command(command, effects),
            None => {
                if let Some(c) = typed_char(chord) {
                    self.top_mut().insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
    }

    fn step(&mut self, step: Step, effects: &mut Vec<Effect>) {
        match step {
            Step::Stay => {}
            Step::Go(place) => self.open(&place),
            Step::Compare(chosen) => self.compare(*chosen),
            Step::Say(meaning, words) => self.say(meaning, words),
            Step::Copy(text) => {
                let words: Vec<&str> = text.split_whitespace().collect();
                self.say(Meaning::Success, format!("copied: {}", words.join(" ")));
                effects.push(Effect::Copy(text));
            }
            Step::View(mark) => self.memory.viewed.toggle(mark),
            Step::Search => self.overlay = Some(Overlay::Line(Prompt::new(Purpose::Search, ""))),
            Step::Cancel(id) => {
                self.memory.shelf.artifacts.cancel(&id);
                effects.push(Effect::StopLayer(id));
            }
            Step::CancelCompare(question) => self.cancel_compare(&question, effects),
            Step::Turn(question) => self.turn(*question),
            Step::AskAnew(question) => {
                self.memory.shelf.comparisons.forget(&question);
                self.turn(*question);
            }
            Step::Describe(upstream, reference) => {
                let want = Want { upstream, reference: reference.into(), depth: Depth::Details };
                self.memory.shelf.lookups.press(want);
            }
            Step::Reconcile { targets, with_source } => {
                self.memory.fetched.clear();
                let token = token(self.memory.now);
                self.overlay = Some(Overlay::Dialog(Dialog::new(targets, with_source, token)));
            }
        }
    }

    /// Clears the filter first, leaves second. False: this is the first screen, and nothing was there to clear.
    fn back(&mut self, effects: &mut Vec<Effect>) -> bool {
        let last = self.stack.len() - 1;
        if let Screen::Artifact(artifact) = &mut self.stack[last] {
            let step = artifact.back(&self.memory);
            return step.map(|step| self.step(step, effects)).is_some() || self.leave(effects);
        }
        if let Screen::Diff(diff) = &mut self.stack[last]
            && let Some(step) = diff.back(&self.memory)
        {
            self.step(step, effects);
            return true;
        }
        if self.top().filter().is_some_and(|filter| !filter.text.is_empty()) {
            self.top_mut().set_filter(Filter::default());
            return true;
        }
        self.top_mut().retreat() || self.leave(effects)
    }

    fn widen(&mut self) {
        self.memory.wide = !self.memory.wide;
        let width = self.content().width;
        let rows = match self.top() {
            Screen::Board(board) => &board.rows,
            Screen::List(list) => &list.rows,
            Screen::Object(_)
            | Screen::Yaml(_)
            | Screen::Tags(_)
            | Screen::Artifact(_)
            | Screen::Diff(_)
            | Screen::Revisions(_)
            | Screen::Upgrades(_) => return,
        };
        if self.memory.wide && !super::screen::table::has_more(rows, &self.memory, width) {
            let words = format!("no room for more columns in {width} cells");
            self.say(Meaning::Warning, words);
        }
    }

    pub(super) fn open_help(&mut self) {
        self.overlay = Some(Overlay::Help(Help::default()));
    }

    fn refresh(&mut self, effects: &mut Vec<Effect>) {
        let nothing_read =
            !self.memory.ledger.world.feeds().any(|(_, feed)| matches!(feed, Feed::Live { .. }));
        match &self.memory.session {
            Session::Down { context, .. } => {
                let context = context.clone();
                self.connect(context, effects);
            }
            Session::Up(_) if nothing_read && self.memory.is_listed() => {
                self.memory.ledger.clear();
                self.watch(effects);
            }
            Session::Up(_) | Session::Connecting { .. } => {}
        }
        self.ask_events_again();
        self.seek.again();
        if let Screen::Yaml(yaml) = self.top() {
            let id = yaml.id.clone();
            self.memory.shelf.raw.remove(&id);
            return;
        }
        if let Screen::Diff(diff) = self.top_mut() {
            diff.take_before();
            let question = diff.question.clone();
            if self.memory.shelf.comparisons.again(&question) {
                effects.push(Effect::StopCompare(Box::new(question)));
            }
            return;
        }
        if let Screen::Artifact(artifact) = self.top() {
            let target = artifact.target.clone();
            self.memory.shelf.artifacts.forget(&target);
            return;
        }
        let mut visible = self.top().visible_upstreams(&self.memory, self.content());
        visible.sort();
        visible.dedup();
        for upstream in &visible {
            self.memory.shelf.want_tags_again(upstream);
        }
        match visible.as_slice() {
            [] => {}
            [one] => self.say(Meaning::Success, format!("asking {} again", one.repository)),
            many => self.say(Meaning::Success, format!("asking {} repositories again", many.len())),
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        match &mut self.overlay {
            Some(Overlay::Line(prompt)) => prompt.insert(text),
            Some(Overlay::Help(help)) if help.is_typing() => {
                help.needle.extend(first_line(text).chars().filter(|c| !c.is_control()));
            }
            Some(Overlay::Help(_) | Overlay::Dialog(_) | Overlay::Question) => return,
            None => return self.top_mut().insert(text),
        }
        self.typed();
    }

    /// The filter holds while it is typed.
    fn typed(&mut self) {
        if let Some(Overlay::Line(prompt)) = &self.overlay
            && prompt.purpose == Purpose::Filter
        {
            let filter = Filter::parse(&prompt.input);
            self.top_mut().set_filter(filter);
        }
    }

    fn in_line(
        &mut self,
        mut prompt: Prompt,
        command: Option<Command>,
        chord: Chord,
        effects: &mut Vec<Effect>,
    ) {
        match command {
            Some(Command::Accept) => return self.accept(&prompt, effects),
            Some(Command::Leave) => {
                if prompt.purpose == Purpose::Filter {
                    self.top_mut().set_filter(Filter::default());
                }
                return;
            }
            Some(Command::Complete) => prompt.complete(&self.memory),
            Some(Command::CandidateUp) => prompt.choose(false, &self.memory),
            Some(Command::CandidateDown) => prompt.choose(true, &self.memory),
            // one more Backspace on an empty line leaves it
            Some(Command::Erase) if prompt.input.is_empty() => return,
            Some(Command::Erase) => prompt.erase(),
            Some(Command::EraseAll) => prompt.clear(),
            Some(_) => {}
            None => {
                if let Some(c) = typed_char(chord) {
                    prompt.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        self.overlay = Some(Overlay::Line(prompt));
        self.typed();
    }

    fn accept(&mut self, prompt: &Prompt, effects: &mut Vec<Effect>) {
        match prompt.purpose {
            Purpose::Filter => self.top_mut().set_filter(Filter::parse(&prompt.input)),
            Purpose::Search => {
                let height = usize::from(self.content().height);
                match self.top_mut() {
                    Screen::Yaml(yaml) => yaml.search(&prompt.input, height),
                    Screen::Artifact(artifact) => artifact.search(&prompt.input),
                    Screen::Board(_)
                    | Screen::List(_)
                    | Screen::Object(_)
                    | Screen::Tags(_)
                    | Screen::Diff(_)
                    | Screen::Revisions(_)
                    | Screen::Upgrades(_) => {}
                }
                if self.top().found().is_some_and(|(hits, _)| hits == 0) {
                    self.say(Meaning::Warning, format!("{} was not found", prompt.input));
                }
            }
            Purpose::Command => {
                let text = prompt.taken(&self.memory);
                if text.trim().is_empty() {
                    return;
                }
                match orders::parse(&text, &self.memory) {
                    Ok(order) => self.obey(order, effects),
                    Err(words) => self.say(Meaning::Problem, words),
                }
            }
        }
    }

    fn in_help(&mut self, mut help: Help, command: Option<Command>, chord: Chord) {
        if help.is_typing() {
            match command {
                Some(Command::Accept) => help.stop_typing(),
                Some(Command::Leave) => {
                    help.needle.clear();
                    help.stop_typing();
                }
                Some(Command::Erase) => {
                    help.needle.pop();
                }
                Some(Command::EraseAll) => help.needle.clear(),
                Some(_) => {}
                None => help.needle.extend(typed_char(chord)),
            }
        } else {
            match command {
                Some(Command::Leave) if help.needle.is_empty() => return,
                Some(Command::Leave) => help.needle.clear(),
                Some(Command::Search) => help.type_search(),
                Some(command) => {
                    let count = self.help_lines(&help).len();
                    let height = usize::from(self.content().height.saturating_sub(1));
                    help.step(command, height, count);
                }
                None => {}
            }
        }
        self.overlay = Some(Overlay::Help(help));
    }

    fn in_dialog(&mut self, mut dialog: Dialog, command: Option<Command>, effects: &mut Vec<Effect>) {
        match command {
            Some(Command::Leave) => return,
            Some(Command::Send) => match self.unready(&dialog) {
                None => return self.send(&dialog, effects),
                Some(reason) => self.say(Meaning::Warning, reason),
            },
            Some(Command::ToggleSource) if dialog.has_choice(&self.memory) => {
                dialog.toggle_source();
            }
            Some(Command::CopyCommand) => {
                let same =
                    dialog.targets.iter().map(|id| super::equivalent::reconcile(id, dialog.with_source));
                let step = match same.collect::<Option<Vec<String>>>() {
                    Some(commands) => Step::Copy(commands.join(" && ")),
                    None => super::screen::browse::refused(),
                };
                self.step(step, effects);
            }
            Some(other) => {
                dialog.step(other, &self.memory, self.content());
            }
            None => {}
        }
        self.overlay = Some(Overlay::Dialog(dialog));
    }

    /// Why Enter sends nothing now.
    pub(super) fn unready(&self, dialog: &Dialog) -> Option<String> {
        dialog.obstacle(&self.memory).or_else(|| dialog.unseen(&self.memory, self.content()))
    }

    fn send(&mut self, dialog: &Dialog, effects: &mut Vec<Effect>) {
        for rollout in dialog.rollouts(&self.memory) {
            let plan = rollout.plan.clone();
            self.memory.rollouts.insert(plan.target.clone(), rollout);
            effects.push(Effect::Reconcile { plan, token: dialog.token.clone() });
        }
        if let Screen::Board(board) = self.top_mut() {
            board.rows.marks.clear();
        }
        if let Screen::List(list) = self.top_mut() {
            list.rows.marks.clear();
        }
        if let Screen::Upgrades(upgrades) = self.top_mut() {
            upgrades.marks.clear();
        }
    }
}

fn typed_char(chord: Chord) -> Option<char> {
    match chord.key {
        Key::Char(c) if !chord.control && !chord.alt => Some(c),
        _ => None,
    }
}
