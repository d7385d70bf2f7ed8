//! From a folder of an artifact along everything that its kustomization files name: which files it takes to build it,
//! and what of it is missing, remote or not to be run. It never leaves the artifact, and visits a folder once.

use super::{
    overlay::{self, Barred, Mention, NAMES, Overlay, Use},
    paths,
};
use crate::domain::diff::{File, Side};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// A file is read through for each; nobody reads as many.
const WITH_LINE: usize = 50;

/// A side, by path and by folder.
pub(super) struct Tree<'a> {
    files: BTreeMap<&'a str, &'a File>,
    folders: BTreeSet<&'a str>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(side: &'a Side) -> Self {
        let mut folders = BTreeSet::from([""]);
        for file in &side.files {
            let mut folder = paths::folder_of(&file.path);
            while folders.insert(folder) {
                folder = paths::folder_of(folder);
            }
        }
        Self { files: side.files.iter().map(|file| (&*file.path, file)).collect(), folders }
    }

    pub(super) fn file(&self, path: &str) -> Option<&'a File> {
        self.files.get(path).copied()
    }

    pub(super) fn has_folder(&self, path: &str) -> bool {
        self.folders.contains(path)
    }

    pub(super) fn below(&self, folder: &str) -> impl Iterator<Item = &'a File> {
        let first = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let prefix = first.clone();
        self.files
            .range::<str, _>((std::ops::Bound::Included(&*first), std::ops::Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(&prefix))
            .map(|(_, file)| *file)
    }

    /// Kustomization files of a folder, in kustomize's order.
    fn overlays(&self, folder: &str) -> Vec<&'a File> {
        let path =
            |name: &&str| if folder.is_empty() { (*name).to_owned() } else { format!("{folder}/{name}") };
        NAMES.iter().filter_map(|name| self.file(&path(name))).collect()
    }
}

/// Something that is not as it should be, where, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snag {
    /// The kustomization file, or the consumer's spec.
    pub(super) file: Arc<str>,
    /// Empty: the file as a whole.
    pub(super) field: String,
    /// From 1, where it could be found.
    pub(super) line: Option<usize>,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Remote(String),
    /// It would be looked for outside of the artifact.
    Outside(String),
    Missing(String),
    /// A folder without a kustomization file.
    NoOverlay(String),
    Barred(Barred),
    /// A kustomization file that cannot be read.
    Unread(String),
    /// The folder has several.
    Several,
}

/// Everything that it takes to build a folder.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) used: BTreeSet<Arc<str>>,
    pub(super) snags: Vec<Snag>,
    /// By path: every kustomization file that could be read.
    pub(super) overlays: BTreeMap<Arc<str>, Overlay>,
    /// By path: configuration of plugins, as objects.
    pub(super) plugins: BTreeMap<Arc<str>, Vec<serde_json::Value>>,
    /// The folder has no kustomization file: what Flux would name in the one that it generates.
    pub(super) generated: Option<Vec<String>>,
}

/// A folder that is still to be read; its files configure plugins, or are resources.
type Visit = (String, bool);

struct Walker<'t, 's> {
    tree: &'t Tree<'s>,
    walk: Walk,
    todo: Vec<Visit>,
    seen: BTreeSet<Visit>,
}

/// What it takes to build `root`, which is a folder of the tree; `more` is named besides by the consumer itself.
pub(super) fn walk(tree: &Tree<'_>, root: &str, more: &[Mention]) -> Walk {
    let mut walker = Walker { tree, walk: Walk::default(), todo: Vec::new(), seen: BTreeSet::new() };
    if tree.overlays(root).is_empty() {
        walker.generate(root);
    } else {
        walker.later(root, false);
    }
    for mention in more {
        walker.follow(&Arc::from(""), root, mention);
    }
    while let Some((folder, plugins)) = walker.todo.pop() {
        walker.visit(&folder, plugins);
    }
    walker.walk.snags.sort_by(|a, b| a.file.cmp(&b.file));
    walker.walk
}

impl Walker<'_, '_> {
    fn later(&mut self, folder: &str, plugins: bool) {
        let visit = (folder.to_owned(), plugins);
        if self.seen.insert(visit.clone()) {
            self.todo.push(visit);
        }
    }

    /// `scanManifests` of Flux's `pkg/kustomize`: YAML of the whole folder, but of folders with a kustomization file
    /// only that.
    fn generate(&mut self, root: &str) {
        let mut named: Vec<String> = Vec::new();
        let mut closed: Option<String> = None;
        let mut open: BTreeSet<String> = BTreeSet::from([root.to_owned()]);
        for file in self.tree.below(root) {
            if closed.as_deref().is_some_and(|closed| paths::is_below(&file.path, closed)) {
                continue;
            }
            if let Some(folder) = self.first_overlay(root, &file.path, &mut open) {
                named.push(format!("./{}", paths::relative(root, &folder)));
                self.later(&folder, false);
                closed = Some(folder);
            } else if file.path.ends_with(".yaml") || file.path.ends_with(".yml") {
                named.push(format!("./{}", paths::relative(root, &file.path)));
                self.walk.used.insert(file.path.clone());
            }
        }
        self.walk.generated = Some(named);
    }

    /// The uppermost folder between the root and a file that has a kustomization file. `open`: those known to have none.
    fn first_overlay(&self, root: &str, path: &str, open: &mut BTreeSet<String>) -> Option<String> {
        let mut folders = Vec::new();
        let mut folder = paths::folder_of(path);
        while folder.len() > root.len() && !open.contains(folder) {
            folders.push(folder);
            folder = paths::folder_of(folder);
        }
        for folder in folders.into_iter().rev() {
            if !self.tree.overlays(folder).is_empty() {
                return Some(folder.to_owned());
            }
            open.insert(folder.to_owned());
        }
        None
    }

    fn visit(&mut self, folder: &str, plugins: bool) {
        let found = self.tree.overlays(folder);
        let Some(file) = found.first() else { return };
        for other in &found {
            self.walk.used.insert(other.path.clone());
        }
        if found.len() > 1 {
            self.snag(&file.path, "", None, What::Several);
        }
        let read = file.bytes.as_ref().ok_or_else(|| "it was not read".to_owned());
        let overlay = match read.and_then(|bytes| Overlay::read(bytes)) {
            Ok(overlay) => overlay,
            Err(why) => {
                // what it names is not known: all that it might
                self.walk.used.extend(self.tree.below(folder).map(|file| file.path.clone()));
                return self.snag(&file.path, "", None, What::Unread(why));
            }
        };
        for (field, barred) in overlay.barred() {
            self.snag(&file.path, &field, None, What::Barred(barred));
        }
        for home in overlay.chart_homes() {
            if let Some(home) = paths::joined(folder, &home) {
                self.walk.used.extend(self.tree.below(&home).map(|file| file.path.clone()));
            }
        }
        for mut mention in overlay.mentions() {
            if plugins && mention.used == Use::Resource {
                mention.used = Use::Plugin;
            }
            self.follow(&file.path, folder, &mention);
        }
        self.walk.overlays.insert(file.path.clone(), overlay);
    }

    fn follow(&mut self, by: &Arc<str>, folder: &str, mention: &Mention) {
        let path = &mention.path;
        let at = paths::joined(folder, path);
        let file = at.as_deref().and_then(|at| self.tree.file(at));
        if overlay::is_remote(path) || (file.is_none() && overlay::is_login(path)) {
            return self.snag(by, &mention.field, Some(path), What::Remote(path.clone()));
        }
        let Some(at) = at else {
            return self.snag(by, &mention.field, Some(path), What::Outside(path.clone()));
        };
        match (file, mention.used) {
            (Some(file), Use::File | Use::Resource) => {
                self.walk.used.insert(file.path.clone());
            }
            (Some(file), Use::Plugin) => {
                self.walk.used.insert(file.path.clone());
                self.plugin(file, folder);
            }
            (None, Use::Resource | Use::Folder | Use::Plugin) if self.tree.has_folder(&at) => {
                if self.tree.overlays(&at).is_empty() {
                    self.snag(by, &mention.field, Some(path), What::NoOverlay(path.clone()));
                } else {
                    self.later(&at, mention.used == Use::Plugin);
                }
            }
            (Some(_), Use::Folder) | (None, _) => {
                self.snag(by, &mention.field, Some(path), What::Missing(path.clone()));
            }
        }
    }

    /// The configuration of plugins; its paths are those of the folder that names it.
    fn plugin(&mut self, file: &File, folder: &str) {
        let text = file.bytes.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let Some(objects) = text.and_then(overlay::objects) else {
            return self.snag(&file.path, "", None, What::Unread("it holds no objects".to_owned()));
        };
        for object in &objects {
            if let Some(barred) = overlay::barred_plugin(object) {
                self.snag(&file.path, "", None, What::Barred(barred));
            }
            for mut mention in overlay::of_plugin("", object).unwrap_or_default() {
                mention.field = mention.field.trim_start_matches('.').to_owned();
                self.follow(&file.path, folder, &mention);
            }
        }
        self.walk.plugins.insert(file.path.clone(), objects);
    }

    fn snag(&mut self, file: &Arc<str>, field: &str, text: Option<&str>, what: What) {
        let told = self.walk.snags.len() < WITH_LINE;
        let line = text.filter(|_| told).and_then(|text| line_of(self.tree.file(file)?, text));
        self.walk.snags.push(Snag { file: file.clone(), field: field.to_owned(), line, what });
    }
}

/// The first line of a file that says this.
fn line_of(file: &File, text: &str) -> Option<usize> {
    let bytes = file.bytes.as_ref()?;
    let lines = std::str::from_utf8(bytes).ok()?.lines();
    lines.zip(1..).find(|(line, _)| line.contains(text)).map(|(_, number)| number)
}
