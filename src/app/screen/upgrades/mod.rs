//! Which sources are behind their registry, what would take them there, and who is affected. It sends nothing itself.

mod glance;
mod picture;
mod pin;
mod rows;
mod words;

use super::{Place, Step, board, browse, foot, inner, moved, paint_lines};
use crate::{
    app::{
        command::{Command, OnDiff, OnRevisions, OnUpgrades},
        filter::Filter,
        memory::Memory,
        shelf::lookups::{Depth, Want},
    },
    domain::{change::Change, identity::ObjectId, outlook::Prospect, repository::Upstream},
    widgets::{layout, text, theme::Meaning},
};
use glance::{Glance, State};
use pin::{Pin, Reach, STRIDE};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};
use rows::{Counts, Row, Sort, Widest, Wishes};
use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};
use words::Proposal;

#[derive(Default)]
pub struct UpgradesScreen {
    pub filter: Filter,
    pub marks: BTreeSet<ObjectId>,
    counts: Counts,
    behind_only: bool,
    sort: Sort,
    reversed: bool,
    /// How many tags are looked at for one that carries a pinned digest.
    reach: Reach,
    selected: Option<ObjectId>,
    /// Somebody chose the selection; before that it is the first row, whatever comes.
    chosen: bool,
    at: usize,
    offset: usize,
    view: Vec<Row>,
    widest: Widest,
    arranged: Option<Versions>,
    /// Of the selected row.
    proposal: Box<Proposal>,
    proposed: Option<(ObjectId, u64, u64)>,
    /// How often the rows were arranged: what has to stay small.
    pub arrangements: u64,
}

/// Of everything that rows are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Versions {
    objects: u64,
    upgrades: u64,
    answers: u64,
    namespace: Option<Arc<str>>,
}

impl UpgradesScreen {
    pub fn title(&self) -> String {
        let mut words = "upgrades".to_owned();
        if !self.filter.text.is_empty() {
            let fault = if self.filter.fault.is_some() { "?" } else { "" };
            let _ = write!(words, " /{}{fault}", text::fit(&text::line(&self.filter.text), 24));
        }
        if !self.filter.text.is_empty() || self.behind_only {
            let _ = write!(words, " <{}/{}>", self.view.len(), self.counts.total);
        }
        if self.behind_only {
            words.push_str(" behind only");
        }
        words.push_str(self.sort.words());
        if self.reversed {
            words.push_str(", reversed");
        }
        words
    }

    fn view(&self) -> &[Row] {
        &self.view
    }

    fn widest(&self) -> Widest {
        self.widest
    }

    /// Rows that are shown, and all that there are.
    pub fn found(&self) -> (usize, usize) {
        (self.view.len(), self.counts.total)
    }

    pub fn selected(&self) -> Option<&ObjectId> {
        self.selected.as_ref()
    }

    /// The selection, if there is a row with it.
    fn cursor(&self) -> Option<usize> {
        self.view.get(self.at).filter(|row| Some(&row.id) == self.selected.as_ref()).map(|_| self.at)
    }

    /// The rows that a window of this height shows.
    fn visible(&self, height: usize) -> std::ops::Range<usize> {
        let first = layout::window(self.offset, self.at, height, self.view.len());
        first..(first + height).min(self.view.len())
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.arranged = None;
    }

    /// Goes to the row of this object, if it has one.
    pub fn select(&mut self, id: &ObjectId) {
        self.selected = Some(id.clone());
        self.chosen = true;
        self.arranged = None;
    }

    pub fn settle(&mut self, memory: &Memory) {
        let now = Versions {
            objects: memory.ledger.touches,
            upgrades: memory.upgrades.revision,
            answers: memory.shelf.revision,
            namespace: memory.focus().cloned(),
        };
        if self.arranged.as_ref() != Some(&now) {
            self.arranged = Some(now);
            self.arrange(memory);
        }
        self.propose(memory);
    }

    fn arrange(&mut self, memory: &Memory) {
        let wishes = Wishes {
            filter: &self.filter,
            behind_only: self.behind_only,
            sort: self.sort,
            reversed: self.reversed,
        };
        let arranged = rows::arrange(memory, &wishes);
        (self.view, self.counts, self.widest) = (arranged.view, arranged.counts, arranged.widest);
        self.arrangements += 1;
        self.marks.retain(|id| memory.ledger.get(id).is_some());
        let found = self.selected.as_ref().and_then(|id| self.view.iter().position(|row| row.id == *id));
        match found {
            Some(at) if self.chosen => self.at = at,
            Some(_) => self.go(0),
            None => self.go(self.at),
        }
    }

    /// The edit of the selected row, kept: it looks at all tags.
    fn propose(&mut self, memory: &Memory) {
        let wanted = self
            .selected
            .clone()
            .map(|id| (id, memory.ledger.touches, memory.upgrades.revision + memory.shelf.lookups.revision));
        if self.proposed == wanted {
            return;
        }
        let glance = self.glance(memory);
        let proposal = glance.map(|glance| Proposal::of(&glance, &self.reach, memory));
        *self.proposal = proposal.unwrap_or_default();
        self.proposed = wanted;
    }

    fn glance<'a>(&self, memory: &'a Memory) -> Option<Glance<'a>> {
        Glance::of(memory.ledger.get(self.selected.as_ref()?)?, memory)
    }

    fn pin<'a>(&self, memory: &'a Memory) -> Option<Pin<'a>> {
        Pin::of(&self.glance(memory)?, &self.reach)
    }

    fn go(&mut self, to: usize) {
        self.at = to.min(self.view.len().saturating_sub(1));
        self.selected = self.view.get(self.at).map(|row| row.id.clone());
    }

    fn sort_by(&mut self, sort: Sort) {
        self.reversed = self.sort == sort && !self.reversed;
        self.sort = sort;
        self.arranged = None;
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let page = usize::from(parts(memory, content).1.height.saturating_sub(1));
        if let Some(to) = moved(command, self.at, page, self.view.len()) {
            self.chosen = true;
            self.go(to);
            self.offset = layout::window(self.offset, self.at, page, self.view.len());
            return Step::Stay;
        }
        let selected = self.selected.as_ref();
        match command {
            Command::Open => return to(selected, Place::Object),
            Command::Yaml => return to(selected, Place::Yaml),
            Command::Tags => return browse::tags_of(selected, memory),
            Command::Artifact => return browse::artifact_of(selected, memory),
            Command::OnDiff(OnDiff::Show) => return browse::diff_of(selected, memory),
            Command::OnRevisions(OnRevisions::Show) => return browse::revisions_of(selected),
            Command::Mark => self.toggle_mark(),
            Command::OnRevisions(OnRevisions::ClearMarks) => self.marks.clear(),
            Command::OnUpgrades(OnUpgrades::BehindOnly) => {
                self.behind_only = !self.behind_only;
                self.arranged = None;
            }
            Command::SortByName => self.sort_by(Sort::Name),
            Command::OnUpgrades(OnUpgrades::SortByWeight) => self.sort_by(Sort::Weight),
            Command::SortByRunning => self.sort_by(Sort::Running),
            Command::SortLeft | Command::SortRight => {
                self.sort = self.sort.beside(command == Command::SortRight);
                self.reversed = false;
                self.arranged = None;
            }
            Command::OnUpgrades(OnUpgrades::LookFurther) => return self.look_further(memory),
            Command::CopyName => return browse::copy_part(selected, |id| &id.name),
            Command::CopyNamespace => return browse::copy_part(selected, |id| &id.namespace),
            Command::OnUpgrades(OnUpgrades::CopyPatch) => return self.copy_patch(),
            Command::Reconcile => {
                let marked: Vec<ObjectId> = self.marks.iter().cloned().collect();
                let targets =
                    if marked.is_empty() { selected.into_iter().cloned().collect() } else { marked };
                return Step::Reconcile { targets, with_source: false };
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

    fn copy_patch(&self) -> Step {
        match self.proposal.change.as_ref().map(Change::yaml) {
            Some(Some(yaml)) => Step::Copy(yaml),
            Some(None) => {
                let words = "not copied: it holds characters that could mean something else in YAML";
                Step::Say(Meaning::Warning, words.to_owned())
            }
            None => Step::Stay,
        }
    }

    /// More tags are looked at for one that carries a pin; the first of them at once, even after a refusal.
    fn look_further(&mut self, memory: &Memory) -> Step {
        let Some((upstream, reach, next)) = self.pin(memory).and_then(|pin| {
            let lookups = &memory.shelf.lookups;
            let reach = pin.reach + if pin.is_through(lookups) { STRIDE } else { 0 };
            Some((pin.upstream.clone(), reach, pin.next(lookups)?.to_string()))
        }) else {
            return Step::Stay;
        };
        self.reach.insert(upstream.clone(), reach);
        self.proposed = None;
        Step::Describe(upstream, next)
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        let selected = self.selected.as_ref();
        match command {
            Command::Open | Command::Yaml | Command::Mark | Command::CopyName | Command::CopyNamespace
                if selected.is_none() =>
            {
                Some("nothing is selected".to_owned())
            }
            Command::Tags => browse::no_tags(selected, memory),
            Command::Artifact => browse::no_artifact(selected, memory),
            Command::OnDiff(OnDiff::Show) => browse::no_diff(selected, memory),
            Command::OnRevisions(OnRevisions::Show) => browse::no_revisions(selected, memory),
            Command::OnRevisions(OnRevisions::ClearMarks) => {
                self.marks.is_empty().then(|| "nothing is marked".to_owned())
            }
            Command::Reconcile if self.marks.is_empty() => browse::no_reconcile(selected, memory),
            Command::OnUpgrades(OnUpgrades::CopyPatch) => self.no_patch(memory),
            Command::OnUpgrades(OnUpgrades::LookFurther) => self.nothing_further(memory),
            _ => None,
        }
    }

    fn no_patch(&self, memory: &Memory) -> Option<String> {
        if self.proposal.change.is_some() {
            return None;
        }
        let Some(glance) = self.glance(memory) else { return Some("nothing is selected".to_owned()) };
        Some(match &glance.state {
            State::Judged { prospect: Prospect::Take(_) | Prospect::GoBack(_) | Prospect::Moved, .. } => {
                "it comes by itself: no edit takes it".to_owned()
            }
            State::Judged { .. } if self.pin(memory).is_some() => {
                "no newer digest is known for this pin".to_owned()
            }
            State::Judged { .. } => "nothing newer is known that an edit would take".to_owned(),
            State::Asking(_) | State::Outrun(_) => "its tags are not here yet".to_owned(),
            State::Unasked(_) => "its tags could not be asked for".to_owned(),
        })
    }

    fn nothing_further(&self, memory: &Memory) -> Option<String> {
        let Some(pin) = self.pin(memory) else {
            return Some("only for a source that is pinned by digest".to_owned());
        };
        let lookups = &memory.shelf.lookups;
        match pin.next(lookups) {
            None => {
                let count = pin.carriers(lookups).of;
                Some(format!("all {} were looked at", text::count(count, "tag")))
            }
            Some(_) if !pin.is_done(lookups) => Some("it is being looked for".to_owned()),
            Some(_) => None,
        }
    }

    /// What should be known more of, because it can be seen: the tags that run, and those that may carry a pin.
    pub fn wants(&self, memory: &Memory, content: Rect) -> Vec<Want> {
        let height = usize::from(parts(memory, content).1.height.saturating_sub(1));
        let visible = self.view[self.visible(height)].iter().map(|row| &row.id);
        let lookups = &memory.shelf.lookups;
        let mut wants = Vec::new();
        for id in self.selected.iter().chain(visible) {
            let Some(glance) = memory.ledger.get(id).and_then(|entry| Glance::of(entry, memory)) else {
                continue;
            };
            if let Some(pin) = Pin::of(&glance, &self.reach) {
                wants.extend(pin.wants(lookups));
                continue;
            }
            let State::Judged { upgrade, .. } = &glance.state else { continue };
            let digest = upgrade.running.as_ref().filter(|running| running.digest().is_some());
            let tag = digest.and_then(|running| running.tag());
            if let (Some(tag), Some(upstream), None) = (tag, glance.upstream(), upgrade.moved) {
                let (upstream, reference) = (upstream.clone(), tag.replace('+', "_").into());
                wants.push(Want { upstream, reference, depth: Depth::Digest });
            }
        }
        wants
    }

    pub fn visible_upstreams(&self, memory: &Memory, content: Rect) -> Vec<Upstream> {
        let rows = self.visible(usize::from(content.height));
        let visible = self.view[rows].iter().map(|row| &row.id);
        let upstream = |id: &ObjectId| memory.ledger.get(id)?.upstream.clone();
        visible.chain(&self.selected).filter_map(upstream).collect()
    }

    /// For the top line, from long to short.
    pub fn summary(&self, memory: &Memory) -> Vec<String> {
        let Counts { total, behind, unasked, without_choice, asking, oldest } = &self.counts;
        if *total == 0 {
            return Vec::new();
        }
        let mut long = vec![format!("{behind} of {} behind", text::count(*total, "source"))];
        let mut short = vec![format!("{behind} of {total} behind")];
        let mut say = |count: usize, words: String, brief: String| {
            if count > 0 {
                long.push(words);
                short.push(brief);
            }
        };
        let waiting = format!("asking {asking} {}", memory.theme.waiting());
        say(*asking, waiting.clone(), waiting);
        say(*unasked, format!("{unasked} could not be asked"), format!("{unasked} not asked"));
        let verb = if *without_choice == 1 { "finds" } else { "find" };
        say(*without_choice, format!("{without_choice} {verb} no tag"), format!("{without_choice} no tag"));
        let undated = long.clone();
        long.extend(oldest.map(|oldest| format!("{} ago", memory.age(oldest))));
        let dot = format!(" {} ", memory.theme.dot());
        let mut all = vec![long.join(&dot), undated.join(&dot)];
        all.extend((1..=short.len()).rev().map(|count| short[..count].join(&dot)));
        all
    }

    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let (above, table, below) = parts(memory, content);
        paint_lines(buffer, inner(content), &above);
        if self.view.is_empty() {
            let area =
                Rect { y: table.y + 1, height: (table.height + below.height).saturating_sub(1), ..table };
            paint_lines(buffer, inner(area), &self.nothing(memory, area.width.saturating_sub(2)));
            return;
        }
        picture::paint(self, memory, buffer, table);
        if let Some(glance) = self.glance(memory) {
            let room = usize::from(below.width.saturating_sub(2));
            let lines = words::foot(&glance, &self.proposal, &self.reach, memory, room);
            foot::paint(&lines, memory, buffer, below);
        }
    }

    /// Why there is no row, and what would bring some.
    fn nothing(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let total = self.counts.total;
        if total == 0 {
            let words = "No source follows a registry: an OCIRepository does, and a HelmChart of a HelmRepository of \
                         type oci.";
            return board::nothing_of(words, memory, width);
        }
        let words = match (self.behind_only, self.filter.is_empty()) {
            (true, true) if self.counts.asking > 0 => {
                format!("nothing is behind so far, {} still asked. ^Z shows all {total}.", self.counts.asking)
            }
            (true, true) => format!("nothing is behind: ^Z shows all {}.", text::count(total, "source")),
            (true, false) => format!(
                "of {} nothing that is behind matches {}. Esc clears the filter, ^Z shows all.",
                text::count(total, "source"),
                text::line(&self.filter.text)
            ),
            (false, _) => format!(
                "none of {} matches {}. Esc clears the filter.",
                text::count(total, "source"),
                text::line(&self.filter.text)
            ),
        };
        text::wrap(&words, usize::from(width)).into_iter().map(Line::from).collect()
    }
}

fn to(selected: Option<&ObjectId>, place: impl Fn(ObjectId) -> Place) -> Step {
    selected.map_or(Step::Stay, |id| Step::Go(place(id.clone())))
}

/// Notices, table and foot. The foot keeps its height, so that the table does not jump from row to row.
fn parts(memory: &Memory, content: Rect) -> (Vec<Line<'static>>, Rect, Rect) {
    let above = board::notices(memory, content.width);
    let taken = (above.len() as u16).min(content.height);
    let rest = Rect { y: content.y + taken, height: content.height - taken, ..content };
    let foot = (rest.height * 2 / 5).clamp(3, 12).min(rest.height);
    let table = Rect { height: rest.height - foot, ..rest };
    (above, table, Rect { y: table.bottom(), height: foot, ..rest })
}
