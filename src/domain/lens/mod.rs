//! Through whose eyes two revisions are compared: the whole artifact, or what one consumer makes of it. It reads the
//! consumer's spec; it asks nobody and renders nothing.

use super::{diff::Side, identity::ObjectId, problem::Problem};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Default)]
pub enum Lens {
    #[default]
    Whole,
    Kustomization(Box<KustomizationLens>),
    Release(Box<ReleaseLens>),
}

/// What of a Kustomization's spec decides what it applies (`reference/flux.md` §3.1).
#[derive(Debug, Clone, PartialEq)]
pub struct KustomizationLens {
    pub id: ObjectId,
    /// `spec.path`, cleaned: no `./` before, no slash behind, empty for the root.
    pub path: Box<str>,
    pub prune: bool,
    pub target_namespace: Option<Box<str>>,
    /// The object's JSON: the rest of the spec, for rendering.
    pub spec: Value,
    /// What applies on top and is not in a source diff, each in a few words: `2 patches`, `namePrefix`, ...
    pub on_top: Vec<Box<str>>,
    /// `postBuild` is set: values are put in after the build, never here.
    pub post_build: bool,
    pub suspended: bool,
}

/// What of a HelmRelease's spec decides what it installs (`reference/flux.md` §3.2).
#[derive(Debug, Clone, PartialEq)]
pub struct ReleaseLens {
    pub id: ObjectId,
    pub release_name: Box<str>,
    pub target_namespace: Box<str>,
    /// `spec.values`, merged over those of `valuesFrom` that were read, as helm-controller does.
    pub values: Value,
    pub values_from: Vec<ValuesFrom>,
    /// `spec.upgrade.crds`: `Skip` if it is not set.
    pub upgrade_crds: Box<str>,
    pub on_top: Vec<Box<str>>,
    pub spec: Value,
    pub suspended: bool,
}

/// One entry of `spec.valuesFrom`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuesFrom {
    pub kind: ConfigKind,
    pub name: Box<str>,
    pub key: Box<str>,
    pub target_path: Option<Box<str>>,
    pub optional: bool,
    pub literal: bool,
    pub state: ValuesState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigKind {
    ConfigMap,
    Secret,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuesState {
    /// Nobody asked: a Secret without `--read-secrets`, or not yet.
    NotRead,
    Read,
    /// It is optional and not there.
    Absent,
    Failed(Problem),
}

/// What the consumer gets of one side.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub side: Side,
    /// Files of the artifact that it does not touch.
    pub left_out: usize,
    /// What is odd, each in one sentence: the path is not there, a base outside of it is used, ...
    pub notes: Vec<String>,
}

impl Lens {
    /// The consumer as the API server prints it.
    pub fn read(object: &Value) -> Result<Self, Problem> {
        let _ = object;
        Ok(Self::Whole)
    }

    /// What of a side concerns this consumer.
    pub fn look(&self, side: &Side) -> Seen {
        Seen { side: side.clone(), ..Seen::default() }
    }

    /// Some values are not known: what they could change is not certain.
    pub fn is_blind(&self) -> bool {
        match self {
            Self::Whole | Self::Kustomization(_) => false,
            Self::Release(release) => release
                .values_from
                .iter()
                .any(|from| matches!(from.state, ValuesState::NotRead | ValuesState::Failed(_))),
        }
    }
}
