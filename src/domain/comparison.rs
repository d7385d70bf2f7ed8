//! Two artifacts, compared: the question, and the whole answer. Where it comes from is [`crate::port::compare`].

use super::{
    artifact::{Artifact, Target},
    diff::{Diff, FileChange},
    identity::ObjectId,
    impact::Impact,
    lens::Lens,
    object::Role,
    secret::Rule,
    tree::Tree,
};
use std::{collections::BTreeSet, sync::Arc};

/// What is asked. Answers are kept under it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    pub from: Target,
    pub to: Target,
    /// A Kustomization or HelmRelease: what of it concerns this one.
    pub consumer: Option<ObjectId>,
    /// Secrets named in `valuesFrom` may be read.
    pub read_secrets: bool,
    /// Render both sides where that can be done.
    pub build: bool,
}

impl Question {
    /// Its answer holds for good: two digests, and no consumer whose spec may be another one by now.
    pub fn is_fixed(&self) -> bool {
        self.from.is_fixed() && self.to.is_fixed() && self.consumer.is_none()
    }

    /// The same two artifacts, whichever comes first and whoever looks.
    pub fn is_of_same(&self, other: &Self) -> bool {
        let (own, others) = ((&self.from, &self.to), (&other.from, &other.to));
        own == others || own == (others.1, others.0)
    }
}

/// How much of what happens in the cluster the answer has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tier {
    /// The files as they are stored. `why`: what kept it from being built, in one sentence; None: nobody asked.
    Source { why: Option<String> },
    /// Both sides were rendered, e.g. by `helm v4.2.2`.
    Built { by: String },
}

/// One of the two artifacts.
#[derive(Debug, Clone)]
pub struct Half {
    pub artifact: Arc<Artifact>,
    pub tree: Arc<Tree>,
    /// Digest and size are what the manifest says.
    pub verified: bool,
    /// What is odd about what was read of it, each in one sentence.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct Comparison {
    pub question: Question,
    pub from: Half,
    pub to: Half,
    pub lens: Lens,
    pub tier: Tier,
    /// The stored files, as far as they concern the consumer.
    pub source: Diff,
    /// What was rendered of them, when the tier is `Built`.
    pub built: Option<Diff>,
    /// Of [`Comparison::diff`], and of the source where only that can say it.
    pub impact: Vec<Impact>,
    /// Paths of stored files that are secret as a whole: a `secretGenerator` names them.
    pub sealed: BTreeSet<Box<str>>,
    /// What holds for the whole answer, each in one sentence: `postBuild` is not substituted, ...
    pub notes: Vec<String>,
}

impl Tier {
    /// As scripts know it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Source { .. } => "source",
            Self::Built { .. } => "built",
        }
    }
}

impl Comparison {
    /// True or false where that is certain; None: nothing differs in what was read, and not all was read.
    pub fn is_same(&self) -> Option<bool> {
        let differs = !self.source.is_same() || self.built.as_ref().is_some_and(|built| !built.is_same());
        self.certain(!differs)
    }

    /// Of a verdict on what was read: whether it holds for the artifacts.
    pub fn certain(&self, same: bool) -> Option<bool> {
        (!same || self.is_whole()).then_some(same)
    }

    /// All of both sides was read, or needed not to be: they are the same bytes.
    pub fn is_whole(&self) -> bool {
        let whole = |half: &Half| half.tree.complete && half.tree.cut.is_none();
        (whole(&self.from) && whole(&self.to)) || self.from.artifact.same_content(&self.to.artifact)
    }

    /// What of the text of this file is secret.
    pub fn rule(&self, file: &FileChange) -> Rule {
        match file.role {
            _ if self.is_sealed(file) => Rule::Whole,
            Role::Values => Rule::Named,
            _ if self.lens.takes_values_from(file.path()) => Rule::Named,
            Role::Manifests
            | Role::Kustomization
            | Role::Chart
            | Role::Template
            | Role::ChartCrd
            | Role::Other => Rule::Said,
        }
    }

    /// Nothing of the text of this file is to be shown.
    pub fn is_sealed(&self, file: &FileChange) -> bool {
        [&file.from, &file.to].into_iter().flatten().any(|file| self.sealed.contains(&*file.path))
    }

    /// What objects are read from: the rendered ones where there are some.
    pub fn diff(&self) -> &Diff {
        self.built.as_ref().unwrap_or(&self.source)
    }
}
