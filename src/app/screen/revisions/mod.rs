//! The revisions that ran: of a consumer, or of a source with what its consumers ran. Any two can be compared. What
//! is listed comes from the cluster; the registry is asked only what the tags name now.

mod draw;

use super::{Place, Step, browse, diff::Chosen, moved};
use crate::{
    app::{
        command::{Command, OnDiff, OnRevisions},
        equivalent,
        memory::Memory,
        shelf::lookups::{Depth, Want},
    },
    domain::{
        artifact::{Origin, Target},
        history::{History, Run},
        identity::ObjectId,
        problem::{Cause, Problem},
        reference::Unresolved,
        repository::{Upstream, is_tag},
    },
    widgets::{layout, text},
};
use ratatui::layout::Rect;
use std::collections::BTreeSet;

/// As many as can be compared.
const MARKS: usize = 2;

pub struct RevisionsScreen {
    pub id: ObjectId,
    history: Result<History, Problem>,
    /// Names of runs.
    marks: BTreeSet<Box<str>>,
    selected: Option<Box<str>>,
    /// Somebody chose the selection; before that it is the first row, whatever comes.
    chosen: bool,
    at: usize,
    offset: usize,
    /// Of the ledger that it was made from.
    read: Option<u64>,
}

impl RevisionsScreen {
    pub fn new(id: ObjectId) -> Self {
        let history = Ok(History { of: id.clone(), runs: Vec::new(), needs: Vec::new() });
        let (marks, selected) = (BTreeSet::new(), None);
        Self { id, history, marks, selected, chosen: false, at: 0, offset: 0, read: None }
    }

    pub fn title(&self) -> String {
        format!("revisions of {}", text::line(&self.id.to_string()))
    }

    fn runs(&self) -> &[Run] {
        self.history.as_ref().map_or(&[], |history| &history.runs)
    }

    fn run(&self) -> Option<&Run> {
        self.runs().get(self.at)
    }

    /// Nothing can be selected.
    pub fn is_bare(&self) -> bool {
        self.runs().is_empty()
    }

    pub fn settle(&mut self, memory: &Memory) {
        if self.read == Some(memory.ledger.touches) {
            return;
        }
        self.read = Some(memory.ledger.touches);
        self.history = History::of(&memory.ledger.world, &self.id).map_err(|unresolved| match unresolved {
            Unresolved::Problem(problem) => problem,
            Unresolved::Needs(id) => {
                Problem::new(Cause::Other, format!("list the revisions of {}", self.id), unread(&id, memory))
            }
        });
        let Ok(history) = &self.history else { return };
        self.marks.retain(|mark| history.find(mark).is_some());
        let found = self.selected.as_ref().filter(|_| self.chosen);
        match found.and_then(|id| history.runs.iter().position(|run| run.id == *id)) {
            Some(at) => self.at = at,
            None => self.go(if self.chosen { self.at } else { 0 }),
        }
    }

    fn go(&mut self, to: usize) {
        self.at = to.min(self.runs().len().saturating_sub(1));
        self.selected = self.run().map(|run| run.id.clone());
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let page = self.page(memory, content);
        if let Some(to) = moved(command, self.at, page, self.runs().len()) {
            self.chosen = true;
            self.go(to);
            self.offset = layout::window(self.offset, self.at, page, self.runs().len());
            return Step::Stay;
        }
        match command {
            Command::OnRevisions(OnRevisions::Mark) => self.toggle_mark(),
            Command::OnRevisions(OnRevisions::ClearMarks) => self.marks.clear(),
            Command::OnDiff(OnDiff::Show) => return browse::compare(self.compared()),
            Command::Artifact => return self.open_artifact(),
            Command::Tags => return browse::tags_of(Some(&self.id), memory),
            Command::Yaml => return Step::Go(Place::Yaml(self.id.clone())),
            Command::OnRevisions(OnRevisions::Copy) => {
                return self.run().and_then(copied).map_or(Step::Stay, Step::Copy);
            }
            Command::CopyCommand => {
                return equivalent::history(&self.id).map_or_else(browse::refused, Step::Copy);
            }
            _ => {}
        }
        Step::Stay
    }

    /// Marks or unmarks, and goes on to the next row as k9s does.
    fn toggle_mark(&mut self) {
        if let Some(id) = self.selected.clone()
            && !self.marks.remove(&id)
        {
            self.marks.insert(id);
        }
        self.chosen = true;
        self.go(self.at + 1);
    }

    fn open_artifact(&self) -> Step {
        match self.run().map(|run| &run.target) {
            Some(Ok(target)) => {
                Step::Go(Place::Artifact { target: target.clone(), about: Some(self.id.clone()) })
            }
            Some(Err(_)) | None => Step::Stay,
        }
    }

    /// Which two Shift-D compares: those that are marked, else the mark or what runs beside the selected one. The
    /// older one first.
    fn pair(&self) -> Result<[&Run; 2], String> {
        let runs = self.runs();
        let marked: Vec<usize> = (0..runs.len()).filter(|at| self.marks.contains(&runs[*at].id)).collect();
        let (one, other) = match marked[..] {
            [] => {
                let current = runs.iter().position(|run| run.current);
                let current = current.ok_or_else(|| {
                    "what runs now is not among them: Space marks two to compare".to_owned()
                })?;
                if current == self.at {
                    let words = "this is what runs now: move to another one, or mark two with Space";
                    return Err(words.to_owned());
                }
                (current, self.at)
            }
            [mark] if mark == self.at => {
                return Err("this one is marked itself: move to the other one".to_owned());
            }
            [mark] => (mark, self.at),
            [one, other, ..] => (one, other),
        };
        let (newer, older) = (one.min(other), one.max(other));
        let pair = [runs.get(older), runs.get(newer)];
        let [Some(older), Some(newer)] = pair else { return Err("nothing is selected".to_owned()) };
        for run in [older, newer] {
            if let Err(problem) = &run.target {
                return Err(format!("{} cannot be fetched: {}", run.short(), problem.why));
            }
        }
        if older.target == newer.target {
            return Err(format!("both are the same artifact, {}", newer.short()));
        }
        Ok([older, newer])
    }

    fn compared(&self) -> Result<Chosen, String> {
        let [older, newer] = self.pair()?;
        match (&older.target, &newer.target) {
            (Ok(from), Ok(to)) => {
                let named = |run: &Run, target: &Target| Some((target.clone(), run.tag.clone()?));
                let tags = [named(older, from), named(newer, to)].into_iter().flatten().collect();
                let question = super::diff::between(from.clone(), to.clone(), Some(&self.id));
                Ok(Chosen { question, tags })
            }
            (Err(problem), _) | (_, Err(problem)) => Err(problem.why.clone()),
        }
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        let run = self.run();
        let nothing = || Some("nothing is selected".to_owned());
        match command {
            Command::OnRevisions(OnRevisions::Mark) => match run {
                None => nothing(),
                Some(run) if self.marks.len() >= MARKS && !self.marks.contains(&run.id) => {
                    Some("two are marked already: ^\\ unmarks both".to_owned())
                }
                Some(_) => None,
            },
            Command::OnRevisions(OnRevisions::ClearMarks) => {
                self.marks.is_empty().then(|| "nothing is marked".to_owned())
            }
            Command::OnDiff(OnDiff::Show) => self.pair().err(),
            Command::Artifact => match run.map(|run| &run.target) {
                None => nothing(),
                Some(Err(problem)) => Some(problem.why.clone()),
                Some(Ok(_)) => None,
            },
            Command::OnRevisions(OnRevisions::Copy) => match run {
                None => nothing(),
                Some(run) if copied(run).is_none() => Some("it names no tag and no digest".to_owned()),
                Some(_) => None,
            },
            Command::Tags => browse::no_tags(Some(&self.id), memory),
            _ => None,
        }
    }

    /// What the tags name now, of the rows that can be seen: a tag that was moved since is worth a word.
    pub fn wants(&self, memory: &Memory, content: Rect) -> Vec<Want> {
        let page = self.page(memory, content);
        let first = layout::window(self.offset, self.at, page, self.runs().len());
        let mut wants: Vec<Want> = Vec::new();
        for run in self.runs().iter().skip(first).take(page) {
            let Some((upstream, tag)) = comparable(run) else { continue };
            if wants.iter().all(|want| *want.reference != *tag) {
                let upstream = upstream.clone();
                wants.push(Want { upstream, reference: tag.into(), depth: Depth::Digest });
            }
        }
        wants
    }
}

/// Where the tag of a run can be looked up.
fn comparable(run: &Run) -> Option<(&Upstream, &str)> {
    run.digest()?;
    let tag = run.named.as_deref()?;
    match &run.target {
        Ok(Target { origin: Origin::Registry { upstream, .. }, .. }) => {
            is_tag(tag).then_some((upstream, tag))
        }
        Ok(_) | Err(_) => None,
    }
}

/// `6.9.1@sha256:…`: nothing of it is free text.
fn copied(run: &Run) -> Option<String> {
    let tag = run.tag.as_deref().filter(|tag| is_tag(&tag.replace('+', "_")));
    match (tag, run.digest()) {
        (Some(tag), Some(digest)) => Some(format!("{tag}@{digest}")),
        (None, Some(digest)) => Some(digest.to_string()),
        (Some(tag), None) => Some(tag.to_owned()),
        (None, None) => None,
    }
}

fn unread(id: &ObjectId, memory: &Memory) -> String {
    format!("{id} is {} here", super::table::absence(id, memory))
}
