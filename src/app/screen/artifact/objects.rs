//! The Kubernetes objects in the files: kind, name, where they stand, and what of them lives in the cluster.

use super::{super::moved, ArtifactScreen, View};
use crate::{
    app::{
        command::Command,
        memory::Memory,
        shelf::{
            Answer,
            artifacts::{FileObject, LayerId},
        },
    },
    domain::{identity::ObjectId, problem::Problem, tree::Tree},
    widgets::layout,
};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct ObjectList {
    all: Option<Arc<Vec<FileObject>>>,
    /// Places in `all` of those that are in what Flux stores.
    rows: Vec<usize>,
    at: usize,
    first: usize,
}

impl ObjectList {
    pub(super) fn settle(&mut self, layer: Option<&LayerId>, tree: Option<&Tree>, memory: &Memory) {
        let here = layer.and_then(|id| match memory.shelf.artifacts.objects.get(id) {
            Some(Answer::Here(objects)) => Some(objects),
            Some(Answer::Asked | Answer::Failed(_)) | None => None,
        });
        let same = match (here, &self.all) {
            (Some(here), Some(kept)) => Arc::ptr_eq(here, kept),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if same {
            return;
        }
        self.all = here.cloned();
        let stored = |object: &FileObject| {
            let entry = tree.and_then(|tree| tree.entries.get(object.entry));
            entry.is_some_and(|entry| entry.fate.is_stored())
        };
        let objects = self.all.iter().flat_map(|all| all.iter()).enumerate();
        self.rows = objects.filter(|(_, object)| stored(object)).map(|(at, _)| at).collect();
        self.at = self.at.min(self.rows.len().saturating_sub(1));
    }

    /// Objects in what Flux stores; None: not counted yet.
    pub(super) fn count(&self) -> Option<usize> {
        self.all.as_ref().map(|_| self.rows.len())
    }

    pub(super) fn rows(&self, height: usize) -> impl Iterator<Item = (bool, &FileObject)> {
        let first = layout::window(self.first, self.at, height, self.rows.len());
        let all = self.all.as_deref();
        let shown = self.rows.iter().enumerate().skip(first).take(height);
        shown.filter_map(move |(row, at)| Some((row == self.at, all?.get(*at)?)))
    }

    pub(super) fn step(&mut self, command: Command, height: usize) {
        if let Some(to) = moved(command, self.at, height, self.rows.len()) {
            self.at = to;
            self.first = layout::window(self.first, self.at, height, self.rows.len());
        }
    }

    /// Where the selected one stands: file and line.
    pub(super) fn place(&self) -> Option<(usize, usize)> {
        let object = self.selected()?;
        Some((object.entry, object.named.line))
    }

    fn selected(&self) -> Option<&FileObject> {
        self.all.as_ref()?.get(*self.rows.get(self.at)?)
    }

    /// The one in which a line of a file stands, from 1.
    fn around(&self, entry: usize, line: usize) -> Option<&FileObject> {
        let objects = self.all.as_ref()?.iter().filter(|object| object.entry == entry);
        objects.take_while(|object| object.named.line <= line).last()
    }

    /// The object of Flux in the cluster that the selected one describes, or the one in which the cursor stands.
    pub(super) fn live(&self, screen: &ArtifactScreen, memory: &Memory) -> Option<ObjectId> {
        live(self.meant(screen)?, screen, memory)
    }

    fn meant(&self, screen: &ArtifactScreen) -> Option<&FileObject> {
        match screen.view {
            View::Objects => self.selected(),
            View::Files => self.around(screen.selected_entry()?.0, screen.file.cursor + 1),
            View::Manifest => None,
        }
    }

    pub(super) fn no_live(&self, screen: &ArtifactScreen, memory: &Memory) -> Option<String> {
        if self.meant(screen).is_none() {
            return Some("no object is selected: Shift-K lists them".to_owned());
        }
        self.live(screen, memory)
            .is_none()
            .then(|| "no object of Flux in this cluster is described by it".to_owned())
    }
}

/// Why they could not be found.
pub(super) fn problem<'a>(layer: Option<&LayerId>, memory: &'a Memory) -> Option<&'a Problem> {
    match memory.shelf.artifacts.objects.get(layer?)? {
        Answer::Failed(problem) => Some(problem),
        Answer::Asked | Answer::Here(_) => None,
    }
}

/// Where the file names no namespace the consumer's own target, or the namespace one came from, is taken.
pub(super) fn live(object: &FileObject, screen: &ArtifactScreen, memory: &Memory) -> Option<ObjectId> {
    let mut namespaces: Vec<&str> =
        screen.known.used.iter().filter_map(|used| used.namespace.as_deref()).collect();
    namespaces.extend(screen.about.iter().map(|id| &*id.namespace));
    namespaces.push("");
    let candidates = namespaces.into_iter().filter_map(|namespace| object.named.live(namespace));
    candidates.into_iter().find(|id| memory.ledger.get(id).is_some())
}
