//! What a change means for whoever takes it: each danger once, the worst first, with the place that shows it. It says
//! nothing that the compared texts do not say.

use super::{diff::Diff, lens::Lens, object::Key};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    High,
    Medium,
    Low,
}

/// The closed list of what can be said. [`What::word`] is the word of scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    ObjectRemoved,
    ObjectRenamed,
    ObjectDoubled,
    DocumentBroken,
    NamespaceAdded,
    NamespaceRemoved,
    ImmutableField,
    CrdAdded,
    CrdRemoved,
    CrdVersionDropped,
    CrdVersionNotServed,
    CrdStoredVersion,
    CrdScopeChanged,
    CrdFieldRequired,
    CrdFieldRemoved,
    CrdTypeChanged,
    CrdEnumNarrowed,
    CrdInChart,
    RbacAdded,
    RbacWidened,
    RbacNarrowed,
    ImageChanged,
    WebhookAdded,
    WebhookChanged,
    WebhookRemoved,
    StorageChanged,
    ReplicasChanged,
    ResourcesChanged,
    SecretChanged,
    KustomizationChanged,
    ChartVersion,
    ChartDependency,
    ChartAgainstManifests,
    DefaultChanged,
    DefaultOverridden,
    ValueUnknown,
    ValueType,
    ValuesNotRead,
    HookChanged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impact {
    pub danger: Danger,
    pub what: What,
    pub object: Option<Object>,
    /// One sentence. May hold text from outside; never the value of a Secret.
    pub why: String,
    pub at: Place,
}

/// The object that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub api_version: Box<str>,
    pub key: Key,
}

/// Where it can be seen. Objects and oddities are those of the rendered diff where there is one, files always those of
/// the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Object { object: usize, field: Option<usize> },
    File { file: usize, line: Option<usize> },
    Oddity(usize),
}

impl Danger {
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl What {
    pub const fn word(self) -> &'static str {
        match self {
            Self::ObjectRemoved => "object-removed",
            Self::ObjectRenamed => "object-renamed",
            Self::ObjectDoubled => "object-doubled",
            Self::DocumentBroken => "document-broken",
            Self::NamespaceAdded => "namespace-added",
            Self::NamespaceRemoved => "namespace-removed",
            Self::ImmutableField => "immutable-field",
            Self::CrdAdded => "crd-added",
            Self::CrdRemoved => "crd-removed",
            Self::CrdVersionDropped => "crd-version-dropped",
            Self::CrdVersionNotServed => "crd-version-not-served",
            Self::CrdStoredVersion => "crd-stored-version",
            Self::CrdScopeChanged => "crd-scope-changed",
            Self::CrdFieldRequired => "crd-field-required",
            Self::CrdFieldRemoved => "crd-field-removed",
            Self::CrdTypeChanged => "crd-type-changed",
            Self::CrdEnumNarrowed => "crd-enum-narrowed",
            Self::CrdInChart => "crd-in-chart",
            Self::RbacAdded => "rbac-added",
            Self::RbacWidened => "rbac-widened",
            Self::RbacNarrowed => "rbac-narrowed",
            Self::ImageChanged => "image-changed",
            Self::WebhookAdded => "webhook-added",
            Self::WebhookChanged => "webhook-changed",
            Self::WebhookRemoved => "webhook-removed",
            Self::StorageChanged => "storage-changed",
            Self::ReplicasChanged => "replicas-changed",
            Self::ResourcesChanged => "resources-changed",
            Self::SecretChanged => "secret-changed",
            Self::KustomizationChanged => "kustomization-changed",
            Self::ChartVersion => "chart-version",
            Self::ChartDependency => "chart-dependency",
            Self::ChartAgainstManifests => "chart-against-manifests",
            Self::DefaultChanged => "default-changed",
            Self::DefaultOverridden => "default-overridden",
            Self::ValueUnknown => "value-unknown",
            Self::ValueType => "value-type",
            Self::ValuesNotRead => "values-not-read",
            Self::HookChanged => "hook-changed",
        }
    }
}

/// What the change means for this consumer, by danger, then in the order of the diff. Objects are judged as rendered
/// where they were, charts and their values by the source.
pub fn judge(source: &Diff, built: Option<&Diff>, lens: &Lens) -> Vec<Impact> {
    let _ = (source, built, lens);
    Vec::new()
}
