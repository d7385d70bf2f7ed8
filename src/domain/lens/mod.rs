//! Through whose eyes two revisions are compared: the whole artifact, or what one consumer makes of it. It reads the
//! consumer's spec; it asks nobody and renders nothing.

mod cover;
mod definitions;
mod generate;
mod home;
mod install;
mod literals;
mod look;
mod masked;
mod node;
mod overlay;
mod paths;
mod plan;
mod read;
mod sealed;
mod set;
mod unread;
mod values;
mod walk;

pub use definitions::definitions_apart;
pub use masked::is_masked;
pub use paths::cleaned;
pub use plan::Plan;
pub use sealed::{SEALED, may_seal, patches_of, sealed, sealed_by};
pub(in crate::domain) use values::is_values_file;

use super::{diff::Side, identity::ObjectId, problem::Problem};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

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
    /// `spec.values`, merged over those of `valuesFrom` that were read, as helm-controller does. Always a map.
    pub values: Value,
    /// Where values of Secrets stand in it.
    pub from_secrets: SecretPaths,
    pub values_from: Vec<ValuesFrom>,
    /// `spec.chart.spec.valuesFiles`: files of the chart that stand in for its `values.yaml`.
    pub values_files: Vec<Box<str>>,
    /// `spec.upgrade.crds`: `Create` if it is not set. The comment of the field says `Skip`; helm-controller's code
    /// (`internal/action/crds.go`, v1.6.3) does otherwise.
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
    /// It, or its key, is optional and not there: it counts as empty.
    Absent,
    /// It is not there, and not optional: helm-controller fails on it.
    Missing,
    /// It is there without the key, which is not optional: helm-controller fails on it.
    NoKey,
    Failed(Problem),
}

/// A ConfigMap or Secret that `valuesFrom` names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigRef {
    pub kind: ConfigKind,
    pub namespace: Box<str>,
    pub name: Box<str>,
}

/// The `data` of a ConfigMap or Secret, decoded.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Config(pub BTreeMap<Box<str>, Vec<u8>>);

/// Values may be secret: only the keys are in what is logged.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Places in merged values that hold what a Secret said. They are never shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SecretPaths {
    /// Keys from the root on; a list is one place.
    paths: BTreeSet<Vec<Box<str>>>,
}

impl SecretPaths {
    /// The value at this place comes from a Secret, or holds one that does. Keys of maps from the root on; what
    /// stands inside a list is asked for by the list.
    pub fn covers<S: AsRef<str>>(&self, path: &[S]) -> bool {
        let meets =
            |known: &Vec<Box<str>>| known.iter().zip(path).all(|(known, key)| **known == *key.as_ref());
        self.paths.iter().any(meets)
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}

/// Further notes of one kind on what was rendered are not said.
const MOST_OF_A_KIND: usize = 5;

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
    /// The release takes its defaults from this file of the chart.
    pub(in crate::domain) fn takes_values_from(&self, path: &str) -> bool {
        match self {
            Self::Release(release) => release.values_files.iter().any(|name| is_values_file(path, name)),
            Self::Whole | Self::Kustomization(_) => false,
        }
    }

    /// The consumer as the API server prints it: a Kustomization or a HelmRelease.
    pub fn read(object: &Value) -> Result<Self, Problem> {
        read::read(object)
    }

    /// What has to be read before [`Lens::fill`]: each object once. ConfigMaps always, Secrets only when asked.
    pub fn needs(&self, read_secrets: bool) -> Vec<ConfigRef> {
        match self {
            Self::Whole | Self::Kustomization(_) => Vec::new(),
            Self::Release(release) => release.needs(read_secrets),
        }
    }

    /// Takes what was read, all at once, and composes the values. What is not among the answers stays not read.
    pub fn fill(&mut self, answers: &[(ConfigRef, Result<Config, Problem>)]) {
        match self {
            Self::Whole | Self::Kustomization(_) => {}
            Self::Release(release) => release.fill(answers),
        }
    }

    /// Files that [`Lens::look`] has to read; of the others their paths are enough.
    pub fn reads(&self, path: &str) -> bool {
        match self {
            Self::Whole | Self::Release(_) => false,
            Self::Kustomization(_) => overlay::is_one(path),
        }
    }

    /// What of a side concerns this consumer.
    pub fn look(&self, side: &Side) -> Seen {
        match self {
            Self::Whole => Seen { side: side.clone(), ..Seen::default() },
            Self::Kustomization(lens) => lens.look(side),
            Self::Release(_) => look::chart(side),
        }
    }

    /// Some values are not known: what they could change is not certain.
    pub fn is_blind(&self) -> bool {
        match self {
            Self::Whole | Self::Kustomization(_) => false,
            Self::Release(release) => release.values_from.iter().any(|from| !from.state.is_known()),
        }
    }
}

impl ConfigKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    pub const fn plural(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmaps",
            Self::Secret => "secrets",
        }
    }
}

impl fmt::Display for ConfigRef {
    /// `ConfigMap shop/values`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.name(), self.namespace, self.name)
    }
}
