//! The tags of one repository: newest version first, what Flux makes of each, who runs which. It asks for what a tag is
//! only where it can be seen; what is judged is kept until the list, the policy or the what-if changes.

mod draw;
mod input;
mod notes;
mod pane;
mod runners;
mod sheet;
mod what_if;

pub use pane::Pane;

use super::{Step, diff::Chosen, moved};
use crate::{
    app::{
        command::{Command, OnDiff, OnRevisions, OnTags},
        equivalent,
        filter::Filter,
        memory::Memory,
        shelf::lookups::{Depth, Want},
    },
    domain::{
        Timestamp,
        artifact::Target,
        digest::Digest,
        identity::{Kind, ObjectId},
        policy::{Policy, Verdict},
        repository::{Upstream, is_tag},
        source::{Source, SourceSpec},
    },
    widgets::{layout, text, theme::Meaning},
};
use notes::Notes;
use ratatui::layout::{Position, Rect};
use sheet::Sheet;
use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeSet,
    fmt::Write as _,
    sync::Arc,
};
use what_if::WhatIf;

/// As many as can be compared.
const MARKS: usize = 2;

pub struct TagsScreen {
    pub upstream: Upstream,
    /// The object from which one came.
    pub about: Option<ObjectId>,
    pub filter: Filter,
    /// At most two, to be compared.
    marks: BTreeSet<Arc<str>>,
    shown: Shown,
    sort: Sort,
    reversed: bool,
    what_if: Option<WhatIf>,
    sheet: Sheet,
    notes: Notes,
    selected: Option<Arc<str>>,
    /// Somebody chose the selection; before that it is the first row, whatever comes.
    chosen: bool,
    at: usize,
    offset: usize,
    /// Places in the sheet.
    view: Vec<usize>,
    total: usize,
    /// Of the sheet, and of the lookups where the order depends on them.
    arranged: Option<(u64, u64)>,
    widest: usize,
}

/// Which verdicts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shown {
    /// All but signatures and invalid names.
    #[default]
    All,
    /// With the chosen one.
    InRange,
    Only(Verdict),
}

impl Shown {
    /// In the order of the key.
    const ALL: [Self; 10] = [
        Self::All,
        Self::InRange,
        Self::Only(Verdict::PreRelease),
        Self::Only(Verdict::OutOfRange),
        Self::Only(Verdict::FilteredOut),
        Self::Only(Verdict::NotAVersion),
        Self::Only(Verdict::NotFollowed),
        Self::Only(Verdict::NotJudged),
        Self::Only(Verdict::Signature),
        Self::Only(Verdict::Invalid),
    ];

    fn shows(self, verdict: Verdict) -> bool {
        match self {
            Self::All => !matches!(verdict, Verdict::Signature | Verdict::Invalid),
            Self::InRange => matches!(verdict, Verdict::InRange | Verdict::Chosen),
            Self::Only(only) => verdict == only,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::All => "",
            Self::InRange => "in-range",
            Self::Only(verdict) => verdict.word(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Sort {
    #[default]
    Version,
    Name,
    Created,
    Verdict,
}

impl Sort {
    /// In the order of their columns.
    const ALL: [Self; 4] = [Self::Version, Self::Name, Self::Created, Self::Verdict];

    const fn words(self) -> &'static str {
        match self {
            Self::Version => "",
            Self::Name => " by name",
            Self::Created => " by age, where it is known",
            Self::Verdict => " by verdict",
        }
    }
}

impl TagsScreen {
    pub fn new(upstream: Upstream, about: Option<ObjectId>) -> Self {
        Self {
            upstream,
            about,
            filter: Filter::default(),
            marks: BTreeSet::new(),
            shown: Shown::default(),
            sort: Sort::default(),
            reversed: false,
            what_if: None,
            sheet: Sheet::default(),
            notes: Notes::default(),
            selected: None,
            chosen: false,
            at: 0,
            offset: 0,
            view: Vec::new(),
            total: 0,
            arranged: None,
            widest: 0,
        }
    }

    pub fn title(&self) -> String {
        let mut title = format!("tags of {}", text::line(&self.upstream.repository.to_string()));
        if !self.filter.text.is_empty() {
            let text = text::fit(&text::line(&self.filter.text), 24);
            let _ = write!(title, " /{text}");
        }
        if self.shown != Shown::All {
            let _ = write!(title, " {}", self.shown.word());
        }
        if !self.filter.text.is_empty() || self.shown != Shown::All {
            let _ = write!(title, " <{}/{}>", self.view.len(), self.total);
        }
        title.push_str(self.sort.words());
        title.push_str(if self.reversed { ", reversed" } else { "" });
        title
    }

    pub fn found(&self) -> (usize, usize) {
        (self.view.len(), self.total)
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.arranged = None;
    }

    /// The what-if has the keys.
    pub fn is_typing(&self) -> bool {
        self.what_if.as_ref().is_some_and(|what_if| what_if.typing)
    }

    /// Typed or pasted into the what-if.
    pub fn insert(&mut self, text: &str) {
        if let Some(what_if) = self.what_if.as_mut().filter(|what_if| what_if.typing) {
            what_if.insert(text);
        }
    }

    /// Ends the what-if. False: there is none.
    pub fn retreat(&mut self) -> bool {
        self.what_if.take().is_some()
    }

    /// The source whose policy decides here.
    fn source<'a>(&self, memory: &'a Memory) -> Option<&'a Source> {
        let chain = memory.ledger.world.chain(self.about.as_ref()?);
        let sources = chain.iter().filter_map(|id| memory.ledger.get(id)?.object.as_source());
        sources.into_iter().find(|source| Policy::of(source).is_some())
    }

    pub fn settle(&mut self, memory: &Memory) {
        let list = memory.shelf.tags(&self.upstream).filter(|list| list.has_answer());
        let today = self.source(memory).and_then(Policy::of).unwrap_or_else(Policy::none);
        let what_if = self.what_if.as_ref().map(WhatIf::policy);
        self.sheet.settle(list, today, what_if);
        let source = self.source(memory).map(|source| source.meta.id.clone());
        self.notes.settle(&self.upstream, source.as_ref(), &self.sheet, memory);
        let answers = if self.sort == Sort::Created { memory.shelf.lookups.revision } else { 0 };
        let wanted = Some((self.sheet.revision, answers));
        if self.arranged != wanted {
            self.arranged = wanted;
            self.arrange(memory);
        }
    }

    fn arrange(&mut self, memory: &Memory) {
        let sheet = &self.sheet;
        let hidden = matches!(self.shown, Shown::Only(Verdict::Signature | Verdict::Invalid));
        let places = sheet.order().iter().copied().chain(sheet.hidden().filter(|_| hidden));
        self.total = if hidden { sheet.hidden().len() } else { sheet.len() };
        let filter = &self.filter;
        let fits = |at: &usize| {
            self.shown.shows(sheet.verdict(*at)) && (filter.is_empty() || filter.matches_text(sheet.tag(*at)))
        };
        self.view = places.filter(fits).collect();
        self.marks.retain(|tag| !sheet.whole || sheet.has(tag));
        self.sort_view(memory);
        self.widest = self.view.iter().map(|at| self.sheet.tag(*at).len()).max().unwrap_or(0);
        let found = self.selected.as_ref().filter(|_| self.chosen);
        let found = found.and_then(|tag| self.view.iter().position(|at| self.sheet.tag(*at) == tag));
        match found {
            Some(at) => self.at = at,
            None if self.chosen => self.go(self.at),
            None => self.go(0),
        }
    }

    /// The sheet's own order is by version.
    fn sort_view(&mut self, memory: &Memory) {
        let sheet = &self.sheet;
        match self.sort {
            Sort::Version => {}
            Sort::Name => self.view.sort_by(|a, b| sheet.tag(*a).cmp(sheet.tag(*b))),
            Sort::Verdict => self.view.sort_by_key(|at| rank(sheet.verdict(*at))),
            Sort::Created => {
                let made = |at: &usize| created(&self.upstream, sheet.tag(*at), memory);
                self.view.sort_by_cached_key(|at| {
                    let made = made(at);
                    (
                        made.is_none(),
                        made.map(|made| if self.reversed { Ok(made) } else { Err(Reverse(made)) }),
                    )
                });
                return;
            }
        }
        if self.reversed {
            self.view.reverse();
        }
    }

    fn go(&mut self, to: usize) {
        self.at = to.min(self.view.len().saturating_sub(1));
        self.selected = self.view.get(self.at).map(|at| self.sheet.tag(*at).clone());
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let page = self.page(memory, content);
        if let Some(to) = moved(command, self.at, page, self.view.len()) {
            self.chosen = true;
            self.go(to);
            self.offset = layout::window(self.offset, self.at, page, self.view.len());
            return Step::Stay;
        }
        match command {
            Command::OnTags(OnTags::WhatIf) => self.open_what_if(memory),
            Command::OnTags(OnTags::LeaveWhatIf) => {
                self.retreat();
            }
            Command::OnTags(OnTags::Verdicts) => self.show_next(),
            Command::OnTags(OnTags::SortByVersion) => self.sort_by(Sort::Version),
            Command::SortByName => self.sort_by(Sort::Name),
            Command::SortByAge => self.sort_by(Sort::Created),
            Command::OnTags(OnTags::SortByVerdict) => self.sort_by(Sort::Verdict),
            Command::SortLeft => self.sort_beside(false),
            Command::SortRight => self.sort_beside(true),
            Command::OnTags(OnTags::Describe) => return self.describe(),
            Command::OnTags(OnTags::CopyTag) => return self.copy_tag(),
            Command::OnRevisions(OnRevisions::Mark) => self.toggle_mark(),
            Command::OnRevisions(OnRevisions::ClearMarks) => self.marks.clear(),
            Command::Artifact => return self.open_artifact(memory),
            Command::OnDiff(OnDiff::Show) => return super::browse::compare(self.compared(memory)),
            Command::OnTags(OnTags::CopyRef) => return self.copy_ref(),
            Command::Reconcile => return self.reconcile(),
            other => {
                if let Some(what_if) = &mut self.what_if {
                    what_if.update(other);
                }
            }
        }
        Step::Stay
    }

    /// Begins with today's policy; where it is open, it is typed into again.
    fn open_what_if(&mut self, memory: &Memory) {
        if let Some(what_if) = &mut self.what_if {
            what_if.typing = true;
            return;
        }
        let source = self.source(memory);
        let tag = match source.map(|source| &source.spec) {
            Some(SourceSpec::Oci(spec)) => spec.ignored_tag.as_deref(),
            Some(
                SourceSpec::HelmRepository { .. }
                | SourceSpec::HelmChart { .. }
                | SourceSpec::ExternalArtifact { .. }
                | SourceSpec::Other { .. },
            )
            | None => None,
        };
        self.what_if = Some(WhatIf::new(self.sheet.today.judge.policy(), tag));
    }

    /// The next kind of verdict that any tag has.
    fn show_next(&mut self) {
        let here = Shown::ALL.iter().position(|shown| *shown == self.shown).unwrap_or(0);
        let places = || (0..self.sheet.len()).chain(self.sheet.hidden());
        let any =
            |shown: &Shown| *shown == Shown::All || places().any(|at| shown.shows(self.sheet.verdict(at)));
        let next = Shown::ALL.into_iter().cycle().skip(here + 1).take(Shown::ALL.len()).find(any);
        self.shown = next.unwrap_or_default();
        self.arranged = None;
    }

    fn sort_by(&mut self, sort: Sort) {
        self.reversed = self.sort == sort && !self.reversed;
        self.sort = sort;
        self.arranged = None;
    }

    fn sort_beside(&mut self, right: bool) {
        let count = Sort::ALL.len();
        let here = Sort::ALL.iter().position(|sort| *sort == self.sort).unwrap_or(0);
        self.sort = Sort::ALL[(here + if right { 1 } else { count - 1 }) % count];
        self.reversed = false;
        self.arranged = None;
    }

    /// Marks or unmarks, and goes on to the next row as k9s does.
    fn toggle_mark(&mut self) {
        if let Some(tag) = self.selected.clone()
            && !self.marks.remove(&tag)
        {
            self.marks.insert(tag);
        }
        self.chosen = true;
        self.go(self.at + 1);
    }

    fn describe(&self) -> Step {
        match self.selected.as_ref().filter(|tag| is_tag(tag)) {
            Some(tag) => Step::Describe(self.upstream.clone(), tag.to_string()),
            None => Step::Stay,
        }
    }

    fn open_artifact(&self, memory: &Memory) -> Step {
        match self.selected.as_ref().filter(|tag| is_tag(tag)) {
            Some(tag) => super::browse::candidate(&self.upstream, tag, self.about.as_ref(), memory),
            None => Step::Stay,
        }
    }

    /// From what runs to the selected tag; with marks from the older to the newer one of the two that are meant.
    fn compared(&self, memory: &Memory) -> Result<Chosen, String> {
        let Some(selected) = self.selected.as_ref() else { return Err("no tag is selected".to_owned()) };
        if self.marks.len() < MARKS && !is_tag(selected) {
            return Err("it is not a valid tag".to_owned());
        }
        let about = self.about.as_ref();
        let target = |tag: &str| self.target(tag, memory);
        if self.marks.is_empty() {
            let question = super::diff::from_running(target(selected), about, memory)?;
            return Ok(Chosen { tags: vec![(question.to.clone(), (&**selected).into())], question });
        }
        let Some([older, newer]) = self.pair(memory) else {
            return Err("this one is marked itself: move to the other one".to_owned());
        };
        let (from, to) = (target(older), target(newer));
        if super::diff::is_same(&from, &to, memory) {
            let [older, newer] = [older, newer].map(|tag| text::line(tag));
            return Err(format!("{older} and {newer} name the same content"));
        }
        let tags = vec![(from.clone(), (&**older).into()), (to.clone(), (&**newer).into())];
        Ok(Chosen { question: super::diff::between(from, to, about), tags })
    }

    /// What the row of this tag says that it names; the tag where that is not known.
    fn target(&self, tag: &str, memory: &Memory) -> Target {
        let digest = memory.shelf.lookups.digest(&self.upstream, tag);
        let reference = digest.map_or(tag, Digest::as_str);
        super::browse::candidate_target(&self.upstream, reference, self.about.as_ref(), memory)
    }

    /// The two that are marked, or the mark and the selected one; the older one first.
    fn pair(&self, memory: &Memory) -> Option<[&Arc<str>; 2]> {
        let mut marks = self.marks.iter();
        let one = marks.next()?;
        let other = marks.next().or(self.selected.as_ref()).filter(|other| *other != one)?;
        Some(if self.is_newer(one, other, memory) { [other, one] } else { [one, other] })
    }

    /// By version; where one is none, by age, as far as both are known.
    fn is_newer(&self, one: &str, other: &str, memory: &Memory) -> bool {
        let made = |tag: &str| created(&self.upstream, tag, memory);
        let versions = self.sheet.version_of(one).is_some() && self.sheet.version_of(other).is_some();
        match (versions, made(one), made(other)) {
            (false, Some(one), Some(other)) => one > other,
            _ => self.sheet.compare(one, other) == Ordering::Less,
        }
    }

    fn copy_tag(&self) -> Step {
        match self.selected.as_ref().filter(|tag| is_tag(tag)) {
            Some(tag) => Step::Copy(tag.to_string()),
            None => Step::Stay,
        }
    }

    fn copy_ref(&self) -> Step {
        match self.what_if.as_ref().map(WhatIf::yaml) {
            None => equivalent::tags(&self.upstream).map_or_else(super::browse::refused, Step::Copy),
            Some(Ok(yaml)) => Step::Copy(yaml),
            Some(Err(why)) => Step::Say(Meaning::Warning, why),
        }
    }

    fn reconcile(&self) -> Step {
        // a source is the source itself; a chart's is its repository
        let own = |id: &ObjectId| id.kind.is_source() && id.kind != Kind::HelmChart;
        let with_source = !self.about.as_ref().is_some_and(own);
        Step::Reconcile { targets: self.about.iter().cloned().collect(), with_source }
    }

    /// Candidates first, then what can be seen: names that are no tags are never asked for. While the first list is
    /// on its way, what is seen changes with every page, and each question about it would keep the next page waiting.
    pub fn wants(&self, memory: &Memory, content: Rect) -> Vec<Want> {
        if memory.shelf.tags(&self.upstream).is_some_and(|list| list.is_under_way() && !list.is_whole()) {
            return Vec::new();
        }
        let page = self.page(memory, content);
        let first = layout::window(self.offset, self.at, page, self.view.len());
        let visible = self.view.iter().skip(first).take(page).copied();
        let running = self.notes.running.as_ref();
        let beyond = running.and_then(|(_, version)| self.sheet.beyond(version.as_ref()?));
        let candidates = [self.view.get(self.at).copied(), self.sheet.winner(), beyond];
        let tags = candidates.into_iter().flatten().chain(visible).map(|at| self.sheet.tag(at));
        let running = running.map(|(tag, _)| tag);
        let mut wants: Vec<Want> = Vec::new();
        for tag in running.into_iter().chain(tags).filter(|tag| is_tag(tag)) {
            if wants.iter().all(|want| *want.reference != **tag) {
                let (upstream, reference) = (self.upstream.clone(), (&**tag).into());
                wants.push(Want { upstream, reference, depth: Depth::Details });
            }
        }
        wants
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        let is_tag = self.selected.as_ref().is_some_and(|tag| is_tag(tag));
        let marked = self.selected.as_ref().is_some_and(|tag| self.marks.contains(tag));
        match command {
            Command::OnRevisions(OnRevisions::Mark) if self.marks.len() >= MARKS && !marked => {
                Some("two are marked already: ^\\ unmarks both".to_owned())
            }
            Command::OnRevisions(OnRevisions::ClearMarks) => {
                self.marks.is_empty().then(|| "nothing is marked".to_owned())
            }
            Command::OnTags(OnTags::Describe | OnTags::CopyTag)
            | Command::Artifact
            | Command::OnRevisions(OnRevisions::Mark)
                if self.selected.is_none() =>
            {
                Some("no tag is selected".to_owned())
            }
            Command::OnTags(OnTags::Describe | OnTags::CopyTag)
            | Command::Artifact
            | Command::OnRevisions(OnRevisions::Mark)
                if !is_tag =>
            {
                Some("it is not a valid tag".to_owned())
            }
            Command::OnTags(OnTags::Verdicts) if self.sheet.len() + self.sheet.hidden().len() == 0 => {
                Some("there are no tags".to_owned())
            }
            Command::OnTags(OnTags::NextInput) => {
                let none = self.what_if.as_ref().is_some_and(|what_if| !what_if.has_filter());
                none.then(|| "a HelmChart knows no filter".to_owned())
            }
            Command::OnDiff(OnDiff::Show) => self.compared(memory).err(),
            Command::Reconcile => match &self.about {
                None => Some("no object: the repository was opened by its address".to_owned()),
                about => super::browse::no_reconcile(about.as_ref(), memory),
            },
            _ => None,
        }
    }

    /// Where the terminal's cursor belongs.
    pub fn cursor(&self, memory: &Memory, content: Rect) -> Option<Position> {
        let what_if = self.what_if.as_ref().filter(|what_if| what_if.typing)?;
        let above = u16::try_from(self.counts(memory, content.width).len()).ok()?;
        let x = u16::try_from(what_if.cursor(draw::room(content.width))).ok()?;
        Some(Position { x: content.x + 1 + x, y: content.y + above })
    }
}

/// When a tag's artifact was made, where that is known and a time.
fn created(upstream: &Upstream, tag: &str, memory: &Memory) -> Option<Timestamp> {
    memory.shelf.lookups.details(upstream, tag)?.created.as_deref()?.parse().ok()
}

/// What matters first.
const fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Chosen => 0,
        Verdict::InRange => 1,
        Verdict::PreRelease => 2,
        Verdict::OutOfRange => 3,
        Verdict::FilteredOut => 4,
        Verdict::NotAVersion => 5,
        Verdict::NotFollowed => 6,
        Verdict::NotJudged => 7,
        Verdict::Signature => 8,
        Verdict::Invalid => 9,
    }
}
