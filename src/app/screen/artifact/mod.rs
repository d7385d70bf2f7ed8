//! What is inside an artifact: its manifest and layers, the files that Flux would store, each file's text. It asks for
//! what it needs and shows what came; it never writes.

mod consumers;
mod draw;
mod file;
mod manifest;
mod nodes;
mod objects;

use super::{Place, Step, diff::Chosen, moved};
use crate::{
    app::{
        command::{Command, OnDiff},
        effect::Effect,
        equivalent,
        filter::Filter,
        memory::Memory,
        shelf::{
            Answer,
            artifacts::{FileId, Hits, Layer, LayerId},
        },
    },
    domain::{
        artifact::{Artifact, Origin, Target},
        identity::ObjectId,
        problem::Problem,
        tree::{Entry, Fate, Tree},
    },
    widgets::{layout, text, theme::Meaning},
};
use consumers::Used;
use draw::areas;
use file::FileView;
use nodes::{Node, Nodes, What};
use objects::ObjectList;
use ratatui::layout::Rect;
use std::{collections::HashSet, fmt::Write as _, sync::Arc};

pub struct ArtifactScreen {
    pub target: Target,
    /// The object from which one came.
    pub about: Option<ObjectId>,
    view: View,
    /// The layer whose files are shown.
    layer: Option<usize>,
    /// Everything that the layer holds, not only what Flux stores.
    whole: bool,
    tree: Option<Arc<Tree>>,
    nodes: Nodes,
    known: Known,
    /// Path of the selected row.
    selected: Option<Box<str>>,
    at: usize,
    first: usize,
    file: FileView,
    /// The keys go to the file.
    reading: bool,
    /// Row of the manifest view.
    row: usize,
    objects: ObjectList,
    grep: Option<Grep>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Manifest,
    Files,
    Objects,
}

/// What is said of the tree on every frame: found once, not again for each.
#[derive(Default)]
struct Known {
    /// Entries that Flux stores, and their bytes.
    stored: usize,
    bytes: u64,
    used: Vec<Used>,
    /// A sentence for each folder that is used and not there.
    missing: Vec<String>,
}

/// A search in all files.
struct Grep {
    text: Box<str>,
    hits: Option<Arc<Hits>>,
    at: usize,
}

impl ArtifactScreen {
    pub fn new(target: Target, about: Option<ObjectId>) -> Self {
        Self {
            target,
            about,
            view: View::Files,
            layer: None,
            whole: false,
            tree: None,
            nodes: Nodes::default(),
            known: Known::default(),
            selected: None,
            at: 0,
            first: 0,
            file: FileView::default(),
            reading: false,
            row: 0,
            objects: ObjectList::default(),
            grep: None,
        }
    }

    /// Its crumb: what it is, and what is looked at in it.
    pub fn title(&self) -> String {
        let mut title = format!("artifact {}", text::line(&name(&self.target.origin)));
        match self.view {
            View::Manifest => title.push_str(" manifest"),
            View::Objects => title.push_str(" objects"),
            View::Files if self.reading => {
                let _ = write!(title, " {}", text::line(self.selected.as_deref().unwrap_or_default()));
                let searched =
                    self.grep.as_ref().and_then(|grep| Some((grep.at + 1, grep.hits.as_ref()?.found.len())));
                if let Some((at, count)) = searched.or_else(|| self.file.found()) {
                    let _ =
                        write!(title, " /{} {at}/{count}", text::fit(&text::line(self.file.needle()), 24));
                }
            }
            View::Files => {
                if let Some(grep) = &self.grep {
                    let hits = grep.hits.as_ref().map_or(0, |hits| hits.found.len());
                    let _ = write!(title, " :grep {} <{hits}>", text::fit(&text::line(&grep.text), 24));
                }
                let filter = &self.nodes.filter().text;
                if !filter.is_empty() {
                    let (shown, total) = (self.nodes.shown, self.nodes.total);
                    let _ = write!(title, " /{} <{shown}/{total}>", text::fit(&text::line(filter), 24));
                }
            }
        }
        title
    }

    pub fn place(&self) -> Place {
        Place::Artifact { target: self.target.clone(), about: self.about.clone() }
    }

    pub fn filter(&self) -> &Filter {
        self.nodes.filter()
    }

    pub fn set_filter(&mut self, filter: Filter) {
        self.nodes.set_filter(filter);
        self.reselect();
    }

    pub fn found(&self) -> Option<(usize, usize)> {
        if self.reads() {
            return self.file.found().map(|(_, count)| (count, self.file.lines()));
        }
        Some((self.nodes.shown, self.nodes.total))
    }

    /// There is nothing yet to move in.
    pub fn is_bare(&self, memory: &Memory) -> bool {
        match self.view {
            View::Manifest => self.artifact(memory).is_none(),
            View::Files | View::Objects => self.tree.is_none(),
        }
    }

    /// Keys go to the text of a file.
    pub fn reads(&self) -> bool {
        self.view == View::Files && self.reading
    }

    pub fn search(&mut self, needle: &str) {
        self.file.search(needle);
    }

    pub fn grep(&mut self, text: &str) {
        self.view = View::Files;
        self.reading = false;
        self.nodes.set_only(None);
        self.grep = Some(Grep { text: text.into(), hits: None, at: 0 });
    }

    fn artifact<'a>(&self, memory: &'a Memory) -> Option<&'a Arc<Artifact>> {
        match memory.shelf.artifacts.inspected.get(&self.target)? {
            Answer::Here(artifact) => Some(artifact),
            Answer::Asked | Answer::Failed(_) => None,
        }
    }

    /// The layer that is looked at, if Flux takes another one or none.
    fn layer_beside(&self, memory: &Memory) -> Option<usize> {
        let taken = self.artifact(memory)?.taken.as_ref().ok().map(|taken| taken.layer);
        self.layer.filter(|layer| Some(*layer) != taken)
    }

    fn layer_id(&self) -> Option<LayerId> {
        Some(LayerId { target: self.target.clone(), layer: self.layer? })
    }

    fn selected_entry(&self) -> Option<(usize, &Entry)> {
        let Some(Node { what: What::File(at), .. }) = self.nodes.get(self.at) else { return None };
        Some((*at, self.tree.as_ref()?.entries.get(*at)?))
    }

    /// What is asked for now, because it can be seen.
    pub fn needs(&self, memory: &Memory, content: Rect) -> Vec<Effect> {
        let answers = &memory.shelf.artifacts;
        if !answers.inspected.contains_key(&self.target) {
            return vec![Effect::Inspect(self.target.clone())];
        }
        let Some(artifact) = self.artifact(memory) else { return Vec::new() };
        let mut needs = Vec::new();
        if self.view == View::Manifest && !answers.referrers.contains_key(&self.target) {
            needs.push(Effect::Refer(artifact.clone()));
        }
        let (Some(id), Some(layer)) = (self.layer_id(), self.layer) else { return needs };
        match answers.layers.get(&id) {
            None if self.view != View::Manifest => {
                needs.push(Effect::OpenLayer { artifact: artifact.clone(), layer });
            }
            Some(Layer::Here { .. }) => self.needs_of_layer(artifact, id, memory, content, &mut needs),
            None | Some(Layer::Coming { .. } | Layer::Failed(_)) => {}
        }
        needs
    }

    fn needs_of_layer(
        &self,
        artifact: &Arc<Artifact>,
        id: LayerId,
        memory: &Memory,
        content: Rect,
        needs: &mut Vec<Effect>,
    ) {
        let answers = &memory.shelf.artifacts;
        if let Some(file) = self.file.id.clone().filter(|file| answers.file(file).is_none())
            && (self.reading || areas(content, self, memory).file.is_some())
        {
            needs.push(Effect::ReadFile { artifact: artifact.clone(), id: file });
        }
        if !answers.objects.contains_key(&id) {
            needs.push(Effect::ScanObjects { artifact: artifact.clone(), id: id.clone() });
        }
        if let Some(grep) = &self.grep
            && !answers.hits.contains_key(&(id.clone(), grep.text.clone()))
        {
            needs.push(Effect::SearchFiles { artifact: artifact.clone(), id, text: grep.text.clone() });
        }
    }

    pub fn settle(&mut self, memory: &Memory, content: Rect) {
        self.choose_layer(memory);
        let used = consumers::paths(self, memory);
        self.take_tree(used, memory);
        self.take_hits(memory);
        self.objects.settle(self.layer_id().as_ref(), self.tree.as_deref(), memory);
        let parts = areas(content, self, memory);
        // while the tree is asked for again the place in the file is kept
        if self.tree.is_some() {
            let shown = if self.reading || parts.file.is_some() { self.shown_file() } else { None };
            self.file.show(shown);
        }
        let height = usize::from(parts.file.unwrap_or(parts.main).height);
        let path = self.selected.clone().unwrap_or_default();
        self.file.settle(&path, memory, height);
        self.first = layout::window(self.first, self.at, usize::from(parts.main.height), self.nodes.len());
    }

    /// Files without bytes of their own have nothing to show.
    fn shown_file(&self) -> Option<FileId> {
        let (entry, kept) = self.selected_entry()?;
        kept.at?;
        Some(FileId { layer: self.layer_id()?, entry })
    }

    /// With one layer the tree is what one came for; of several one chooses.
    fn choose_layer(&mut self, memory: &Memory) {
        let Some(artifact) = self.artifact(memory) else { return };
        // asked again it may be another one, with fewer layers
        if self.layer.is_some_and(|layer| layer < artifact.manifest.layers.len()) {
            return;
        }
        self.layer = None;
        let (count, taken) = (artifact.manifest.layers.len(), artifact.taken.as_ref().ok());
        match (count, taken) {
            (1, _) => self.layer = Some(0),
            (_, Some(taken)) => {
                self.layer = Some(taken.layer);
                self.row = taken.layer;
                self.view = View::Manifest;
            }
            (_, None) => self.view = View::Manifest,
        }
    }

    fn take_tree(&mut self, used: Vec<Used>, memory: &Memory) {
        let here = self.layer_id().and_then(|id| match memory.shelf.artifacts.layers.get(&id) {
            Some(Layer::Here { tree, .. }) => Some(tree.clone()),
            Some(Layer::Coming { .. } | Layer::Failed(_)) | None => None,
        });
        let Some(here) = here else {
            // what was open and selected is kept until it is here again
            self.tree = None;
            self.known.used = used;
            return;
        };
        let same = self.tree.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, &here));
        if !same || used != self.known.used {
            self.known = Known {
                stored: here.stored().count(),
                bytes: here.stored().map(|entry| entry.size).sum(),
                missing: consumers::missing(&used, &here),
                used,
            };
        }
        if !same {
            self.tree = Some(here);
            self.nodes.set_only(None);
            if let Some(grep) = &mut self.grep {
                grep.hits = None;
            }
            let first_look = self.selected.is_none();
            self.rebuild();
            if first_look {
                self.open_path();
            }
        }
    }

    fn rebuild(&mut self) {
        let mut nodes = self.tree.as_ref().map_or_else(Nodes::default, |tree| Nodes::of(tree, self.whole));
        nodes.take_view_of(&self.nodes);
        self.nodes = nodes;
        self.reselect();
    }

    /// Where the consumer from which one came looks.
    fn open_path(&mut self) {
        let refused = self.tree.as_ref().and_then(|tree| {
            let mut entries = tree.entries.iter();
            Some(entries.find(|entry| entry.fate == Fate::Rejected)?.path.clone())
        });
        if let Some(path) = refused {
            self.nodes.reveal(&path);
            return self.select(&path);
        }
        let own = self.known.used.iter().find(|used| Some(&used.id) == self.about.as_ref());
        if let Some(path) = own.map(|used| used.path.clone()).filter(|path| !path.is_empty()) {
            self.nodes.reveal(&format!("{path}/."));
            self.select(&path);
        } else {
            self.go_to(0);
        }
    }

    fn take_hits(&mut self, memory: &Memory) {
        let Some(id) = self.layer_id() else { return };
        let Some(grep) = &mut self.grep else { return };
        if grep.hits.is_some() {
            return;
        }
        let key = (id, grep.text.clone());
        if let Some(Answer::Here(hits)) = memory.shelf.artifacts.hits.get(&key) {
            grep.hits = Some(hits.clone());
            let only: HashSet<usize> = hits.found.iter().map(|hit| hit.entry).collect();
            self.nodes.set_only(Some(only));
            self.go_to_hit(0);
        }
    }

    /// Why the search in all files has no answer.
    fn failed_grep<'a>(&self, memory: &'a Memory) -> Option<&'a Problem> {
        let key = (self.layer_id()?, self.grep.as_ref()?.text.clone());
        match memory.shelf.artifacts.hits.get(&key)? {
            Answer::Failed(problem) => Some(problem),
            Answer::Asked | Answer::Here(_) => None,
        }
    }

    fn go_to_hit(&mut self, to: usize) {
        let Some(grep) = &mut self.grep else { return };
        let Some(hits) = grep.hits.as_ref().filter(|hits| !hits.found.is_empty()) else { return };
        grep.at = to % hits.found.len();
        let (entry, line) = (hits.found[grep.at].entry, hits.found[grep.at].line);
        let needle = grep.text.to_string();
        let Some(path) = self.tree.as_ref().and_then(|tree| tree.entries.get(entry)).map(|e| e.path.clone())
        else {
            return;
        };
        self.open_file(&path, line);
        self.file.search(&needle);
        self.file.go_to(line);
    }

    /// Shows a file at a line, from 1.
    fn open_file(&mut self, path: &str, line: usize) {
        let hidden =
            self.nodes.row(path).is_none_or(|row| self.nodes.get(row).is_none_or(|node| &*node.path != path));
        if hidden {
            self.nodes.reveal(path);
            if self.nodes.row(path).and_then(|row| self.nodes.get(row)).is_none_or(|node| &*node.path != path)
            {
                self.nodes.set_filter(Filter::default());
                self.nodes.reveal(path);
            }
        }
        self.view = View::Files;
        self.reading = true;
        self.select(path);
        self.file.show(self.shown_file());
        self.file.go_to(line);
    }

    fn select(&mut self, path: &str) {
        self.selected = Some(path.into());
        self.reselect();
    }

    fn reselect(&mut self) {
        let row = self.selected.as_deref().and_then(|path| self.nodes.row(path));
        self.go_to(row.unwrap_or(self.at));
    }

    fn go_to(&mut self, row: usize) {
        self.at = row.min(self.nodes.len().saturating_sub(1));
        self.selected = self.nodes.get(self.at).map(|node| node.path.clone());
    }

    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        match command {
            Command::Manifest => {
                self.view = if self.view == View::Manifest { View::Files } else { View::Manifest };
                return Step::Stay;
            }
            Command::Objects => {
                self.view = if self.view == View::Objects { View::Files } else { View::Objects };
                return Step::Stay;
            }
            Command::CopyName => return self.copy_digest(memory),
            Command::OnDiff(OnDiff::Show) => return super::browse::compare(self.compared(memory)),
            Command::LiveObject => {
                return self.objects.live(self, memory).map_or(Step::Stay, |id| Step::Go(Place::Object(id)));
            }
            Command::CopyCommand => {
                let source = consumers::source(self, memory);
                return equivalent::files(&self.target, source.as_ref(), self.layer_beside(memory))
                    .map_or_else(
                        || {
                            Step::Say(
                                Meaning::Warning,
                                "not copied: a shell would read more than a name in it".into(),
                            )
                        },
                        Step::Copy,
                    );
            }
            Command::Back | Command::Close => return Step::Stay,
            _ => {}
        }
        match self.view {
            View::Manifest => self.in_manifest(command, memory, content),
            View::Objects => self.in_objects(command, memory, content),
            View::Files if self.reading => self.in_file(command, memory, content),
            View::Files => self.in_tree(command, memory, content),
        }
    }

    /// From what runs to this one: to what is seen here, whatever its tag names by now.
    fn compared(&self, memory: &Memory) -> Result<Chosen, String> {
        let mut target = self.target.clone();
        let mut tags = Vec::new();
        if let (Origin::Registry { reference, .. }, Some(artifact)) =
            (&mut target.origin, self.artifact(memory))
        {
            let asked = std::mem::replace(reference, artifact.digest.as_str().into());
            tags.extend((!asked.contains(':')).then_some(asked));
        }
        let question = super::diff::from_running(target, self.about.as_ref(), memory)?;
        let tags = tags.into_iter().map(|tag| (question.to.clone(), tag)).collect();
        Ok(Chosen { question, tags })
    }

    fn copy_digest(&self, memory: &Memory) -> Step {
        match self.artifact(memory) {
            Some(artifact) => Step::Copy(artifact.digest.to_string()),
            None => Step::Stay,
        }
    }

    fn in_manifest(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let Some(artifact) = self.artifact(memory) else { return Step::Stay };
        let area = areas(content, self, memory).main;
        let height = usize::from(area.height);
        let rows = manifest::doc(self, artifact, memory, usize::from(area.width)).rows(height);
        let last = artifact.manifest.layers.len().checked_sub(1);
        if let Some(to) = moved(command, self.row, height, rows) {
            self.row = to;
        } else if let (Command::Open, Some(last)) = (command, last) {
            self.open_layer(self.row.min(last));
        }
        Step::Stay
    }

    fn open_layer(&mut self, layer: usize) {
        if self.layer != Some(layer) {
            self.layer = Some(layer);
            self.tree = None;
            self.nodes = Nodes::default();
            self.selected = None;
            self.grep = None;
            self.reading = false;
        }
        self.view = View::Files;
    }

    fn in_objects(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let height = usize::from(areas(content, self, memory).main.height);
        match command {
            Command::Open => {
                let Some((entry, line)) = self.objects.place() else { return Step::Stay };
                let path = self.tree.as_ref().and_then(|tree| Some(tree.entries.get(entry)?.path.clone()));
                if let Some(path) = path {
                    self.open_file(&path, line);
                }
            }
            other => self.objects.step(other, height),
        }
        Step::Stay
    }

    fn in_file(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let parts = areas(content, self, memory);
        let height = usize::from(parts.file.unwrap_or(parts.main).height);
        let command = match command {
            Command::Left => Command::Leftwards,
            Command::Right => Command::Rightwards,
            other => other,
        };
        match command {
            Command::SwitchPane => self.reading = false,
            Command::NextHit if self.grep.is_some() => self.go_to_hit(self.grep_at() + 1),
            Command::PreviousHit if self.grep.is_some() => {
                let count =
                    self.grep.as_ref().and_then(|g| g.hits.as_ref()).map_or(1, |h| h.found.len().max(1));
                self.go_to_hit(self.grep_at() + count - 1);
            }
            Command::Whole => self.toggle_whole(),
            other => {
                self.file.update(other, height);
            }
        }
        Step::Stay
    }

    fn grep_at(&self) -> usize {
        self.grep.as_ref().map_or(0, |grep| grep.at)
    }

    fn toggle_whole(&mut self) {
        self.whole = !self.whole;
        self.rebuild();
    }

    fn in_tree(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let height = usize::from(areas(content, self, memory).main.height);
        if let Some(to) = moved(command, self.at, height, self.nodes.len()) {
            self.go_to(to);
            return Step::Stay;
        }
        match command {
            Command::Open | Command::SwitchPane => self.enter(command),
            Command::Left => self.fold(),
            Command::Right => self.unfold(),
            Command::Unfold => {
                self.nodes.fold_all();
                self.reselect();
            }
            Command::Whole => self.toggle_whole(),
            Command::NextHit | Command::PreviousHit => self.go_to_hit(self.grep_at()),
            _ => {}
        }
        Step::Stay
    }

    fn enter(&mut self, command: Command) {
        let Some(node) = self.nodes.get(self.at).cloned() else { return };
        if node.is_folder() {
            if command == Command::Open {
                let open = self.nodes.is_open(&node.path);
                self.nodes.fold(&node.path, !open);
                self.reselect();
            }
        } else if self.shown_file().is_some() {
            self.reading = true;
        }
    }

    fn fold(&mut self) {
        let Some(node) = self.nodes.get(self.at).cloned() else { return };
        if node.is_folder() && self.nodes.is_open(&node.path) && self.nodes.filter().is_empty() {
            self.nodes.fold(&node.path, false);
            self.reselect();
        } else if let Some(parent) = node.parent() {
            self.select(parent);
        }
    }

    fn unfold(&mut self) {
        let Some(node) = self.nodes.get(self.at).cloned() else { return };
        if node.is_folder() && !self.nodes.is_open(&node.path) {
            self.nodes.fold(&node.path, true);
            self.reselect();
        } else {
            self.go_to(self.at + 1);
        }
    }

    /// What Esc leaves first. None: the screen itself.
    pub fn back(&mut self, memory: &Memory) -> Option<Step> {
        let coming = self
            .layer_id()
            .filter(|id| matches!(memory.shelf.artifacts.layers.get(id), Some(Layer::Coming { .. })));
        if let (Some(id), View::Files) = (coming, self.view) {
            return Some(Step::Cancel(id));
        }
        match self.view {
            View::Objects => self.view = View::Files,
            View::Files if self.reading && self.file.found().is_some() && self.grep.is_none() => {
                self.file.search("");
            }
            View::Files if self.reading => self.reading = false,
            View::Files if self.grep.is_some() => {
                self.grep = None;
                self.nodes.set_only(None);
                self.file.search("");
                self.reselect();
            }
            View::Files if !self.nodes.filter().text.is_empty() => self.set_filter(Filter::default()),
            View::Manifest | View::Files => return None,
        }
        Some(Step::Stay)
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        let no_tree = self.tree.is_none();
        match command {
            Command::Filter | Command::Unfold | Command::Whole | Command::Objects if no_tree => {
                Some("there are no files yet".to_owned())
            }
            Command::Filter | Command::Unfold | Command::Whole | Command::NextHit | Command::PreviousHit
                if self.view != View::Files =>
            {
                Some("it works in the files: Esc or d goes to them".to_owned())
            }
            Command::Unfold if self.reads() && !self.file.can_reveal() => {
                Some("there is no hidden value under the cursor".to_owned())
            }
            Command::SwitchPane if self.view != View::Files || self.shown_file().is_none() => {
                Some("no file is selected".to_owned())
            }
            Command::NextHit | Command::PreviousHit if self.grep.is_none() && self.file.found().is_none() => {
                Some("nothing was searched for: / in a file, :grep TEXT in all".to_owned())
            }
            Command::LiveObject => self.objects.no_live(self, memory),
            Command::OnDiff(OnDiff::Show) => self.compared(memory).err(),
            Command::CopyName if self.artifact(memory).is_none() => Some("there is no digest yet".to_owned()),
            Command::Open if self.view == View::Files && !self.reading => self.no_file(),
            _ => None,
        }
    }

    fn no_file(&self) -> Option<String> {
        let Some(node) = self.nodes.get(self.at) else { return Some("there are no files".to_owned()) };
        if node.is_folder() || self.shown_file().is_some() {
            return None;
        }
        let words = self.selected_entry().and_then(|(_, entry)| entry.note.as_deref());
        Some(text::line(words.unwrap_or("there are no bytes behind it")))
    }
}

/// A tag, a digest or a path, as one would say it.
pub(in crate::app) fn name(origin: &Origin) -> String {
    match origin {
        Origin::Registry { upstream, reference } => {
            let last = upstream.repository.path().rsplit('/').next().unwrap_or_default();
            match reference.strip_prefix("sha256:") {
                Some(hex) => format!("{last}@{}", hex.get(..8).unwrap_or(hex)),
                None => format!("{last}:{reference}"),
            }
        }
        Origin::Layout { path, reference } => {
            let path = path.display();
            reference.as_ref().map_or_else(|| path.to_string(), |reference| format!("{path}:{reference}"))
        }
        Origin::Archive(path) | Origin::Directory(path) => path.display().to_string(),
    }
}
