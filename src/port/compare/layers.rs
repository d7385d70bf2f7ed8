//! The layer that Flux takes of each artifact, opened: both at once, and only one of them where they are the same. What
//! Flux would refuse is a problem in its words.

use super::{
    super::{Opened, Opening},
    Comparing, Desk,
};
use crate::domain::{
    artifact::{Artifact, Origin, Taken, Target},
    comparison::Half,
    diff::Which,
    problem::{Cause, Problem},
    tree::Tree,
};
use futures::{StreamExt, future::try_join};
use std::sync::Arc;

/// An artifact whose layer was read.
pub(super) struct Layer {
    pub(super) artifact: Arc<Artifact>,
    pub(super) opened: Opened,
}

/// Two artifacts with one content.
pub(super) struct Both {
    layer: Layer,
    to: Arc<Artifact>,
}

pub(super) enum Pair {
    Same(Both),
    Differ { from: Layer, to: Layer },
}

impl Desk {
    /// Manifests first: they may say that there is one content only.
    pub(super) async fn open(&self) -> Result<Pair, Problem> {
        let ask = |target: &Target| self.sides.artifacts.inspect(target.clone());
        let (from, to) = try_join(ask(&self.question.from), ask(&self.question.to)).await?;
        let (from, to) = (Arc::new(from), Arc::new(to));
        let (left, right) = (taken(&from)?.layer, taken(&to)?.layer);
        if from.same_content(&to) {
            let layer = Layer { opened: self.open_layer(&from, left, Which::Both).await?, artifact: from };
            return Ok(Pair::Same(Both { layer, to }));
        }
        let (one, other) =
            try_join(self.open_layer(&from, left, Which::From), self.open_layer(&to, right, Which::To))
                .await?;
        Ok(Pair::Differ {
            from: Layer { artifact: from, opened: one },
            to: Layer { artifact: to, opened: other },
        })
    }

    async fn open_layer(&self, artifact: &Artifact, layer: usize, which: Which) -> Result<Opened, Problem> {
        let mut opening = self.sides.artifacts.open(artifact, layer);
        while let Some(step) = opening.next().await {
            match step? {
                Opening::Progress { bytes, of, from_cache } => {
                    let _ = self.tell.send(Ok(Comparing::Reading { which, bytes, of, from_cache })).await;
                }
                Opening::Opened(opened) => {
                    let files = opened.tree.stored().count();
                    let _ = self.tell.send(Ok(Comparing::Opened { which, files })).await;
                    return unless_refused(artifact, opened);
                }
            }
        }
        let what = format!("open the layer of {}", name(artifact));
        Err(Problem::new(Cause::Other, what, "the answer ended before the layer did"))
    }
}

/// Flux's choice, or its words where it has none.
fn taken(artifact: &Artifact) -> Result<&Taken, Problem> {
    artifact.taken.as_ref().map_err(|words| refused(artifact, words))
}

fn unless_refused(artifact: &Artifact, opened: Opened) -> Result<Opened, Problem> {
    match &opened.tree.error {
        Some(refusal) => Err(refused(artifact, &refusal.flux)),
        None => Ok(opened),
    }
}

fn refused(artifact: &Artifact, words: &str) -> Problem {
    let why = format!("Flux would store nothing of it: {words}");
    Problem::new(Cause::Refused, format!("compare {}", name(artifact)), why)
        .with_hint("fluxscope files --all shows what is in it")
}

/// As the question named it.
fn name(artifact: &Artifact) -> String {
    match &artifact.target.origin {
        Origin::Registry { upstream, reference } => {
            let sign = if reference.contains(':') { '@' } else { ':' };
            format!("oci://{}{sign}{reference}", upstream.repository)
        }
        Origin::Layout { path, .. } => format!("oci-layout:{}@{}", path.display(), artifact.digest),
        Origin::Archive(path) | Origin::Directory(path) => path.display().to_string(),
    }
}

impl Pair {
    /// What is kept of them; `unread` is what could not be read of each.
    pub(super) fn halves(self, (from_notes, to_notes): (Vec<String>, Vec<String>)) -> (Half, Half) {
        match self {
            Self::Same(both) => (both.from(), both.to()),
            Self::Differ { from, to } => {
                (half(from.artifact, &from.opened, from_notes), half(to.artifact, &to.opened, to_notes))
            }
        }
    }
}

impl Both {
    pub(super) fn tree(&self) -> &Tree {
        &self.layer.opened.tree
    }

    pub(super) fn from(&self) -> Half {
        half(Arc::clone(&self.layer.artifact), &self.layer.opened, Vec::new())
    }

    pub(super) fn to(&self) -> Half {
        half(Arc::clone(&self.to), &self.layer.opened, Vec::new())
    }

    pub(super) fn note(&self) -> String {
        let layer = self.layer.artifact.taken_layer().map_or("", |layer| layer.digest.short());
        format!("both have the same content, layer {layer}: nothing had to be compared")
    }
}

fn half(artifact: Arc<Artifact>, opened: &Opened, unread: Vec<String>) -> Half {
    let tree = Arc::clone(&opened.tree);
    let mut notes: Vec<String> = artifact.notes.iter().map(ToString::to_string).collect();
    notes.extend(missing(&tree));
    notes.extend(unread);
    Half { artifact, tree, verified: opened.verified, notes }
}

/// What a limit kept away: it may differ, and it looks as if it were not there.
fn missing(tree: &Tree) -> Option<String> {
    let why = match &tree.cut {
        Some(cut) => cut,
        None if tree.complete => return None,
        None => "it ended early",
    };
    let left = if tree.left > 0 { format!("; {} entries are not listed", tree.left) } else { String::new() };
    Some(format!(
        "not all of it was read ({why}{left}): what is missing here may only not have been read, and what was not read \
         was not compared"
    ))
}
