//! What of an artifact concerns one consumer: for a Kustomization the files that it takes to build `spec.path`, for a
//! HelmRelease its chart. The rest is counted. It renders nothing.

use super::{
    KustomizationLens, Seen,
    overlay::{self, Barred, Mention, Use},
    paths,
    walk::{self, Snag, Tree, Walk, What},
};
use crate::domain::{
    diff::{File, Side},
    quote::quote,
};
use serde_json::Value;

/// Further ones are counted.
const MOST_SNAGS: usize = 12;

impl KustomizationLens {
    pub(super) fn look(&self, side: &Side) -> Seen {
        let tree = Tree::new(side);
        if !tree.has_folder(&self.path) {
            let note = if tree.file(&self.path).is_some() {
                format!("spec.path {} is a file: Flux would fail", quote(&self.path))
            } else {
                format!("spec.path {} is not in the artifact: Flux would fail", quote(&self.path))
            };
            return Seen { side: Side::default(), left_out: side.files.len(), notes: vec![note] };
        }
        let walk = self.walk(&tree);
        let mut notes: Vec<String> = self.outside(&walk).into_iter().collect();
        notes.extend(walk.snags.iter().take(MOST_SNAGS).map(Snag::note));
        if let Some(more) = walk.snags.len().checked_sub(MOST_SNAGS).filter(|&more| more > 0) {
            notes.push(format!("{more} more of this kind"));
        }
        kept(side, notes, |file| walk.used.contains(&file.path))
    }

    pub(super) fn walk(&self, tree: &Tree<'_>) -> Walk {
        walk::walk(tree, &self.path, &self.components(tree))
    }

    /// `spec.components`; those that may be missing and are, are left out.
    pub(super) fn components(&self, tree: &Tree<'_>) -> Vec<Mention> {
        let may_miss = self.spec.get("ignoreMissingComponents").and_then(Value::as_bool).unwrap_or_default();
        let named = self.spec.get("components").and_then(Value::as_array).into_iter().flatten().enumerate();
        let named = named.filter_map(|(place, path)| {
            Some(Mention {
                field: format!("spec.components[{place}]"),
                path: path.as_str()?.to_owned(),
                used: Use::Folder,
            })
        });
        // what is not even a path in the artifact is refused, missing or not
        let there = |mention: &Mention| {
            overlay::is_remote(&mention.path)
                || mention.path.starts_with('/')
                || paths::joined(&self.path, &mention.path)
                    .is_some_and(|at| tree.has_folder(&at) || tree.file(&at).is_some())
        };
        named.filter(|mention| !may_miss || there(mention)).collect()
    }

    fn outside(&self, walk: &Walk) -> Option<String> {
        let outside = walk.used.iter().filter(|path| !paths::is_below(path, &self.path));
        let mut folders: Vec<&str> = outside.clone().map(|path| paths::folder_of(path)).collect();
        folders.dedup();
        let count = outside.count();
        let first = folders.first()?;
        let first = if first.is_empty() { "the root".to_owned() } else { quote(first) };
        let more = match folders.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more folders"),
        };
        Some(format!("{count} files outside of spec.path are used too, from {first}{more}"))
    }
}

impl Snag {
    /// Where it stands, for a person.
    pub(super) fn place(&self) -> String {
        let mut place = if self.file.is_empty() { String::new() } else { self.file.to_string() };
        if let Some(line) = self.line {
            place = format!("{place}:{line}");
        }
        match (place.is_empty(), self.field.is_empty()) {
            (false, false) => format!("{place} ({})", self.field),
            (true, _) => self.field.clone(),
            (false, true) => place,
        }
    }

    /// What is wrong, without where.
    pub(super) fn words(&self) -> String {
        match &self.what {
            What::Remote(path) => format!("names {}, which is not in the artifact but remote", quote(path)),
            What::Outside(path) => format!("names {}, which lies outside of the artifact", quote(path)),
            What::Missing(path) => format!("names {}, which is not there", quote(path)),
            What::NoOverlay(path) => {
                format!("names the folder {}, which has no kustomization file", quote(path))
            }
            What::Barred(Barred::HelmCharts) => "renders Helm charts".to_owned(),
            What::Barred(Barred::Plugin(kind)) => format!("runs the plugin {}", quote(kind.trim())),
            What::Unread(why) => format!("cannot be read: {why}"),
            What::Several => "is not the only kustomization file of its folder: Flux would fail".to_owned(),
        }
    }

    fn note(&self) -> String {
        let unseen = match &self.what {
            What::Remote(_) => ": what it holds is not compared",
            What::Barred(_) => ": what that makes is not compared",
            What::Unread(_) => ": all files of its folder are taken",
            What::Outside(_) | What::Missing(_) | What::NoOverlay(_) => ": Flux would fail",
            What::Several => "",
        };
        format!("{} {}{unseen}", self.place(), self.words())
    }
}

/// The whole chart.
pub(super) fn chart(side: &Side) -> Seen {
    let Some(root) = chart_root(side) else {
        let note = "there is no Chart.yaml: a HelmRelease cannot use this artifact".to_owned();
        return kept(side, vec![note], |_| true);
    };
    kept(side, Vec::new(), |file| paths::is_below(&file.path, root))
}

/// The folder of the chart: where the uppermost `Chart.yaml` is.
pub(super) fn chart_root(side: &Side) -> Option<&str> {
    let charts = side.files.iter().filter(|file| file.path.rsplit('/').next() == Some("Chart.yaml"));
    let uppermost = charts.min_by_key(|file| file.path.matches('/').count());
    uppermost.map(|file| paths::folder_of(&file.path))
}

fn kept(side: &Side, notes: Vec<String>, keep: impl Fn(&File) -> bool) -> Seen {
    let files: Vec<File> = side.files.iter().filter(|file| keep(file)).cloned().collect();
    let left_out = side.files.len() - files.len();
    Seen { side: Side { files }, left_out, notes }
}
