//! What an object is called: kind, namespace, name; and what Kubernetes says about it besides spec and status.

use jiff::Timestamp;
use std::{collections::BTreeMap, fmt, sync::Arc};

/// The kinds that fluxscope knows. Order is the order of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    OciRepository,
    HelmRepository,
    HelmChart,
    ExternalArtifact,
    GitRepository,
    Bucket,
    Kustomization,
    HelmRelease,
}

impl Kind {
    /// The kinds that are listed and watched. Git repositories and buckets are only pointed at.
    pub const WATCHED: [Self; 6] = [
        Self::OciRepository,
        Self::HelmRepository,
        Self::HelmChart,
        Self::ExternalArtifact,
        Self::Kustomization,
        Self::HelmRelease,
    ];

    pub const ALL: [Self; 8] = [
        Self::OciRepository,
        Self::HelmRepository,
        Self::HelmChart,
        Self::ExternalArtifact,
        Self::GitRepository,
        Self::Bucket,
        Self::Kustomization,
        Self::HelmRelease,
    ];

    /// As in `kind:` of a manifest.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OciRepository => "OCIRepository",
            Self::HelmRepository => "HelmRepository",
            Self::HelmChart => "HelmChart",
            Self::ExternalArtifact => "ExternalArtifact",
            Self::GitRepository => "GitRepository",
            Self::Bucket => "Bucket",
            Self::Kustomization => "Kustomization",
            Self::HelmRelease => "HelmRelease",
        }
    }

    /// The CRD's short name, and what a narrow column shows (`reference/flux.md` §0).
    pub const fn short(self) -> &'static str {
        match self {
            Self::OciRepository => "ocirepo",
            Self::HelmRepository => "helmrepo",
            Self::HelmChart => "hc",
            Self::ExternalArtifact => "ea",
            Self::GitRepository => "gitrepo",
            Self::Bucket => "bucket",
            Self::Kustomization => "ks",
            Self::HelmRelease => "hr",
        }
    }

    pub const fn plural(self) -> &'static str {
        match self {
            Self::OciRepository => "ocirepositories",
            Self::HelmRepository => "helmrepositories",
            Self::HelmChart => "helmcharts",
            Self::ExternalArtifact => "externalartifacts",
            Self::GitRepository => "gitrepositories",
            Self::Bucket => "buckets",
            Self::Kustomization => "kustomizations",
            Self::HelmRelease => "helmreleases",
        }
    }

    pub const fn group(self) -> &'static str {
        match self {
            Self::Kustomization => "kustomize.toolkit.fluxcd.io",
            Self::HelmRelease => "helm.toolkit.fluxcd.io",
            _ => "source.toolkit.fluxcd.io",
        }
    }

    /// Served versions to try, best first (`reference/flux.md` §0 and §1.9).
    pub const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::ExternalArtifact => &["v1"],
            Self::HelmRelease => &["v2", "v2beta2", "v2beta1"],
            Self::OciRepository
            | Self::HelmRepository
            | Self::HelmChart
            | Self::GitRepository
            | Self::Bucket
            | Self::Kustomization => &["v1", "v1beta2"],
        }
    }

    /// Sources hold artifacts; the others apply them.
    pub const fn is_source(self) -> bool {
        !matches!(self, Self::Kustomization | Self::HelmRelease)
    }

    pub fn is_watched(self) -> bool {
        Self::WATCHED.contains(&self)
    }

    /// Exactly the name of a manifest's `kind:`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What a person types: kind, plural, short name, in any case, or `oci`.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|kind| {
                word == kind.name().to_ascii_lowercase() || word == kind.plural() || word == kind.short()
            })
            .or_else(|| (word == "oci").then_some(Self::OciRepository))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Which object: the subject of facts, selections and actions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId {
    pub kind: Kind,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

impl ObjectId {
    pub fn new(kind: Kind, namespace: impl Into<Arc<str>>, name: impl Into<Arc<str>>) -> Self {
        Self { kind, namespace: namespace.into(), name: name.into() }
    }

    /// `namespace/name`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl fmt::Display for ObjectId {
    /// `ks shop/podinfo`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind.short(), self.namespace, self.name)
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Metadata, as much of it as is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    pub id: ObjectId,
    pub labels: BTreeMap<Box<str>, Box<str>>,
    pub generation: Option<i64>,
    pub created: Option<Timestamp>,
    /// `deletionTimestamp` is set.
    pub terminating: bool,
    /// Annotation `reconcile.fluxcd.io/requestedAt`.
    pub requested_at: Option<Box<str>>,
    /// Annotation `kustomize.toolkit.fluxcd.io/reconcile: disabled`: its Kustomization leaves it alone.
    pub detached: bool,
}

impl Meta {
    pub fn new(id: ObjectId) -> Self {
        Self {
            id,
            labels: BTreeMap::new(),
            generation: None,
            created: None,
            terminating: false,
            requested_at: None,
            detached: false,
        }
    }

    /// Who would revert a change made here, by the owner labels of `reference/flux.md` §3.3.
    pub fn manager(&self) -> Option<Manager> {
        let labels = |prefix: &str| {
            let label = |end: &str| self.labels.get(format!("{prefix}/{end}").as_str()).map(AsRef::as_ref);
            Some((label("namespace")?, label("name")?))
        };
        let object =
            |kind, (namespace, name): (&str, &str)| Manager::Object(ObjectId::new(kind, namespace, name));
        let other =
            |kind, (namespace, name): (&str, &str)| Manager::Other(format!("{kind} {namespace}/{name}"));
        labels("kustomize.toolkit.fluxcd.io")
            .map(|at| object(Kind::Kustomization, at))
            .or_else(|| Some(object(Kind::HelmRelease, labels("helm.toolkit.fluxcd.io")?)))
            .or_else(|| Some(other("ResourceSet", labels("resourceset.fluxcd.controlplane.io")?)))
            .or_else(|| Some(other("FluxInstance", labels("fluxcd.controlplane.io")?)))
    }
}

/// Where a cluster is and who asks, for the top line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Name of the kubeconfig context, or `in-cluster`, or `demo`.
    pub context: String,
    /// The namespace of the context.
    pub namespace: String,
    pub server: String,
}

/// What declares an object, so that a change in the cluster would not last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    Object(ObjectId),
    Other(String),
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(id) => write!(f, "{id}"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

/// A DNS subdomain name, as the API server demands of every object here (RFC 1123).
pub fn is_dns_name(text: &str) -> bool {
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            let bytes = label.as_bytes();
            matches!((bytes.first(), bytes.last()), (Some(&first), Some(&last)) if edge(first) && edge(last))
                && bytes.iter().all(|&b| edge(b) || b == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_every_name_that_kubectl_takes() {
        for word in ["ocirepo", "OCIRepository", "ocirepositories", "oci"] {
            assert_eq!(Kind::from_word(word), Some(Kind::OciRepository), "{word}");
        }
        assert_eq!(Kind::from_word("ks"), Some(Kind::Kustomization));
        assert_eq!(Kind::from_word("pods"), None);
    }

    #[test]
    fn the_owner_labels_name_the_manager() {
        let mut meta = Meta::new(ObjectId::new(Kind::OciRepository, "shop", "podinfo"));
        assert_eq!(meta.manager(), None);
        meta.labels.insert("kustomize.toolkit.fluxcd.io/name".into(), "infra".into());
        assert_eq!(meta.manager(), None, "half a label pair names nobody");
        meta.labels.insert("kustomize.toolkit.fluxcd.io/namespace".into(), "flux-system".into());
        assert_eq!(meta.manager().unwrap().to_string(), "ks flux-system/infra");
    }
}
