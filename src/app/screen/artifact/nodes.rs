//! A tree of files as rows: folders with what is in them, files with what Flux does to them. Only the rows that a fold
//! or a filter leaves are in the view; nothing is read here.

use crate::{
    app::filter::Filter,
    domain::{
        nearest::edits,
        tree::{Entry, Fate, Tree},
    },
};
use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// A folder or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// From the root, without a slash at the end; from outside.
    pub(super) path: Box<str>,
    pub(super) depth: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Files below it that are shown, and their bytes.
    Folder { files: usize, bytes: u64 },
    /// By its place in the tree.
    File(usize),
}

impl Node {
    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub(super) fn parent(&self) -> Option<&str> {
        self.path.rsplit_once('/').map(|(parent, _)| parent)
    }

    pub(super) const fn is_folder(&self) -> bool {
        matches!(self.what, What::Folder { .. })
    }
}

/// All nodes in the order of the screen, and those that are seen.
#[derive(Default)]
pub(super) struct Nodes {
    all: Vec<Node>,
    /// Places in `all`.
    view: Vec<usize>,
    open: HashSet<Box<str>>,
    filter: Filter,
    /// Nothing but these files, by their places in the tree: those in which a text was found.
    only: Option<HashSet<usize>>,
    /// Files that pass the filter, and all.
    pub(super) shown: usize,
    pub(super) total: usize,
}

impl Nodes {
    /// Of what Flux stores; with `whole` of everything that the layer holds.
    pub(super) fn of(tree: &Tree, whole: bool) -> Self {
        // of a layer that Flux refuses nothing is stored: what was read is shown all the same
        let refused = tree.error.is_some();
        let entries = tree.entries.iter().enumerate();
        let mut files: Vec<(usize, &Entry)> =
            entries.filter(|(_, entry)| whole || refused || entry.fate.is_stored()).collect();
        let chart = chart_root(&files);
        files.sort_by(|(_, a), (_, b)| in_order(&a.path, &b.path, chart.as_deref()));
        let mut folders: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
        for (_, entry) in &files {
            for folder in folders_of(&entry.path) {
                let sum = folders.entry(folder).or_default();
                sum.0 += 1;
                sum.1 += entry.size;
            }
        }
        let mut nodes = Self { total: files.len(), ..Self::default() };
        let mut before: Vec<&str> = Vec::new();
        for (at, entry) in files {
            let path: Vec<&str> = folders_of(&entry.path).collect();
            let shared = path.iter().zip(&before).take_while(|(a, b)| a == b).count();
            for (depth, folder) in path.iter().enumerate().skip(shared) {
                let (files, bytes) = folders[folder];
                let what = What::Folder { files, bytes };
                nodes.all.push(Node { path: (*folder).into(), depth, what });
            }
            let depth = path.len();
            nodes.all.push(Node { path: entry.path.clone(), depth, what: What::File(at) });
            before = path;
        }
        nodes.open_first();
        nodes.look();
        nodes
    }

    pub(super) fn view(&self) -> impl ExactSizeIterator<Item = &Node> + DoubleEndedIterator {
        self.view.iter().map(|at| &self.all[*at])
    }

    pub(super) fn len(&self) -> usize {
        self.view.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.view.is_empty()
    }

    pub(super) fn get(&self, row: usize) -> Option<&Node> {
        self.view.get(row).map(|at| &self.all[*at])
    }

    /// The row of a path, or of the nearest folder above it that is seen.
    pub(super) fn row(&self, path: &str) -> Option<usize> {
        self.view().position(|node| &*node.path == path).or_else(|| {
            let (parent, _) = path.rsplit_once('/')?;
            self.row(parent)
        })
    }

    pub(super) fn is_open(&self, path: &str) -> bool {
        self.is_narrowed() || self.open.contains(path)
    }

    fn is_narrowed(&self) -> bool {
        !self.filter.is_empty() || self.only.is_some()
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Keeps what was open, the filter and the files to which it was narrowed, for another set of the same files.
    pub(super) fn take_view_of(&mut self, other: &Self) {
        if !other.all.is_empty() {
            self.open.clone_from(&other.open);
        }
        self.filter = other.filter.clone();
        self.only.clone_from(&other.only);
        self.look();
    }

    /// Of what passes the folders above it stay.
    pub(super) fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.look();
    }

    pub(super) fn set_only(&mut self, only: Option<HashSet<usize>>) {
        self.only = only;
        self.look();
    }

    pub(super) fn fold(&mut self, path: &str, open: bool) {
        if open {
            self.open.insert(path.into());
        } else {
            self.open.remove(path);
        }
        self.look();
    }

    /// Opens all folders; if all are open, closes them.
    pub(super) fn fold_all(&mut self) {
        let folders: Vec<Box<str>> =
            self.all.iter().filter(|node| node.is_folder()).map(|node| node.path.clone()).collect();
        if folders.iter().all(|path| self.open.contains(path)) {
            self.open.clear();
        } else {
            self.open.extend(folders);
        }
        self.look();
    }

    /// Makes a path visible.
    pub(super) fn reveal(&mut self, path: &str) {
        self.open.extend(folders_of(path).map(Into::into));
        self.look();
    }

    /// Folders that hold nothing but one folder, and the first level if it is small: one would open them anyway.
    fn open_first(&mut self) {
        const SMALL: usize = 40;
        if self.total <= SMALL {
            let folders = self.all.iter().filter(|node| node.is_folder());
            self.open.extend(folders.map(|node| node.path.clone()));
            return;
        }
        let mut depth = 0;
        while let [only] = self.all.iter().filter(|node| node.depth == depth).take(2).collect::<Vec<_>>()[..]
        {
            if !only.is_folder() {
                break;
            }
            self.open.insert(only.path.clone());
            depth += 1;
        }
    }

    fn look(&mut self) {
        self.view.clear();
        if !self.is_narrowed() {
            self.shown = self.total;
            let mut closed: Option<usize> = None;
            for (at, node) in self.all.iter().enumerate() {
                if closed.is_some_and(|depth| node.depth > depth) {
                    continue;
                }
                closed = (node.is_folder() && !self.open.contains(&node.path)).then_some(node.depth);
                self.view.push(at);
            }
            return;
        }
        let passes = |node: &Node| {
            let found = match (&self.only, node.what) {
                (Some(only), What::File(at)) => only.contains(&at),
                (Some(_) | None, _) => true,
            };
            found && self.filter.matches_text(&node.path)
        };
        // a folder is shown when a file in it is: its place is kept until one comes
        let mut pending: Vec<usize> = Vec::new();
        self.shown = 0;
        for (at, node) in self.all.iter().enumerate() {
            pending.retain(|folder| self.all[*folder].depth < node.depth);
            if node.is_folder() {
                pending.push(at);
            } else if passes(node) {
                self.view.append(&mut pending);
                self.view.push(at);
                self.shown += 1;
            }
        }
    }
}

/// `a`, `a/b` of `a/b/c`.
fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).filter(|folder| !folder.is_empty())
}

/// The folder of a chart: the only one at the top, with a `Chart.yaml` in it.
fn chart_root(files: &[(usize, &Entry)]) -> Option<String> {
    let root = files.first()?.1.path.split_once('/')?.0.to_owned();
    let prefix = format!("{root}/");
    let chart = format!("{root}/Chart.yaml");
    let inside = files.iter().all(|(_, entry)| entry.path.starts_with(&prefix));
    let named = files.iter().any(|(_, entry)| *entry.path == *chart && entry.fate != Fate::Rejected);
    (inside && named).then_some(root)
}

/// Folders before files, by name; in a chart in the order in which it is read.
fn in_order(a: &str, b: &str, chart: Option<&str>) -> Ordering {
    if let Some(rest) = chart.map(str::len) {
        let rank = |path: &str| chart_rank(path.get(rest + 1..).unwrap_or_default());
        let order = rank(a).cmp(&rank(b));
        if order != Ordering::Equal {
            return order;
        }
    }
    let (mut left, mut right) = (a.split('/').peekable(), b.split('/').peekable());
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(one), Some(other)) => {
                let folders = right.peek().is_some().cmp(&left.peek().is_some());
                let order = folders.then_with(|| one.cmp(other));
                if order != Ordering::Equal {
                    return order;
                }
            }
        }
    }
}

/// Chart.yaml, values, templates, CRDs, dependencies, the rest.
fn chart_rank(path: &str) -> u8 {
    match path {
        "Chart.yaml" => 0,
        "values.yaml" => 1,
        "values.schema.json" => 2,
        "Chart.lock" => 5,
        path if path.starts_with("templates/") => 3,
        path if path.starts_with("crds/") => 4,
        path if path.starts_with("charts/") => 6,
        _ => 7,
    }
}

/// The existing folder or file that is nearest to a path that does not exist: the longest part of it that is there, or
/// a name of few other letters beside it.
pub(super) fn nearest(tree: &Tree, path: &str) -> Option<Arc<str>> {
    let folders: HashSet<&str> = tree.stored().flat_map(|entry| folders_of(&entry.path)).collect();
    let mut above = path;
    loop {
        let parent = above.rsplit_once('/').map_or("", |(parent, _)| parent);
        let beside = folders.iter().filter(|folder| {
            folder.rsplit_once('/').map_or("", |(parent, _)| parent) == parent && **folder != parent
        });
        let name = above.rsplit('/').next().unwrap_or(above);
        let named = |folder: &str| edits(name, folder.rsplit('/').next().unwrap_or(folder));
        let most = (name.chars().count() / 2).max(2);
        let best = beside.min_by_key(|folder| (named(folder), **folder));
        if let Some(best) = best.filter(|best| named(best) <= most) {
            return Some((*best).into());
        }
        if parent.is_empty() {
            return None;
        }
        if folders.contains(parent) {
            return Some(parent.into());
        }
        above = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> Tree {
        let entry = |path: &&str| Entry {
            path: path.trim_end_matches('?').into(),
            size: 10,
            sha256: None,
            fate: if path.ends_with('?') { Fate::Ignored } else { Fate::Written },
            note: None,
            at: Some(0),
            executable: false,
        };
        let mut entries: Vec<Entry> = paths.iter().map(entry).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Tree { entries, complete: true, ..Tree::default() }
    }

    fn rows(nodes: &Nodes) -> Vec<&str> {
        nodes.view().map(|node| &*node.path).collect()
    }

    #[test]
    fn folders_come_first_with_what_is_in_them_and_ignored_files_only_when_asked_for() {
        let tree = tree(&["b.yaml", "deploy/a.yaml", "deploy/base/k.yaml", ".github/x.yml?"]);
        let mut nodes = Nodes::of(&tree, false);
        assert_eq!(rows(&nodes), ["deploy", "deploy/base", "deploy/base/k.yaml", "deploy/a.yaml", "b.yaml"]);
        assert_eq!(nodes.get(0).unwrap().what, What::Folder { files: 2, bytes: 20 });
        nodes.fold("deploy", false);
        assert_eq!(rows(&nodes), ["deploy", "b.yaml"]);
        assert_eq!(nodes.row("deploy/base/k.yaml"), Some(0), "what is folded away stands at its folder");
        let mut whole = Nodes::of(&tree, true);
        whole.take_view_of(&nodes);
        assert_eq!(rows(&whole), [".github", "deploy", "b.yaml"]);
    }

    #[test]
    fn a_filter_keeps_the_way_to_each_hit() {
        let tree = tree(&["a/b/one.yaml", "a/two.yaml", "c/three.yaml"]);
        let mut nodes = Nodes::of(&tree, false);
        nodes.fold_all();
        nodes.set_filter(Filter::parse("ONE"));
        assert_eq!(rows(&nodes), ["a", "a/b", "a/b/one.yaml"]);
        assert_eq!((nodes.shown, nodes.total), (1, 3));
        nodes.set_filter(Filter::parse("!two"));
        assert_eq!(rows(&nodes), ["a", "a/b", "a/b/one.yaml", "c", "c/three.yaml"]);
    }

    #[test]
    fn a_chart_is_read_in_its_own_order() {
        let paths = [
            "web/charts/redis/Chart.yaml",
            "web/Chart.yaml",
            "web/README.md",
            "web/crds/x.yaml",
            "web/templates/d.yaml",
            "web/values.yaml",
        ];
        let nodes = Nodes::of(&tree(&paths), false);
        let files: Vec<&str> = nodes.view().filter(|node| !node.is_folder()).map(Node::name).collect();
        assert_eq!(files, ["Chart.yaml", "values.yaml", "d.yaml", "x.yaml", "Chart.yaml", "README.md"]);
    }

    #[test]
    fn many_files_are_folded_below_the_only_folder() {
        let paths: Vec<String> = (0..100).map(|n| format!("app/part-{}/file-{n}.yaml", n % 10)).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let nodes = Nodes::of(&tree(&paths), false);
        assert_eq!(nodes.len(), 11);
        assert!(nodes.is_open("app") && !nodes.is_open("app/part-1"));
    }

    #[test]
    fn a_path_that_is_missing_names_what_is_there_instead() {
        let tree = tree(&["deploy/overlays/prod/k.yaml", "deploy/base/k.yaml"]);
        assert_eq!(nearest(&tree, "deploy/overlays/prd").as_deref(), Some("deploy/overlays/prod"));
        assert_eq!(nearest(&tree, "deploy/overlays/qwertyuiop").as_deref(), Some("deploy/overlays"));
        assert_eq!(nearest(&tree, "xxxxxxxxxx"), None);
    }
}
