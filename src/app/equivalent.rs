//! The commands of other tools that answer or do the same. Only validated names ever stand in one.

use crate::domain::{
    artifact::Origin,
    identity::{Kind, ObjectId},
    repository::Upstream,
};

/// A DNS subdomain, as Kubernetes asks of names: nothing that a shell would read as more than a word.
pub fn is_name(name: &str) -> bool {
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    !name.is_empty()
        && name.len() <= 253
        && name.chars().all(|c| edge(c) || c == '-' || c == '.')
        && name.starts_with(edge)
        && name.ends_with(edge)
}

fn is_safe(id: &ObjectId) -> bool {
    is_name(&id.name) && is_name(&id.namespace)
}

/// `kubectl get ocirepositories.source.toolkit.fluxcd.io podinfo -n shop`.
pub fn get(id: &ObjectId, yaml: bool) -> Option<String> {
    let end = if yaml { " -o yaml" } else { "" };
    is_safe(id).then(|| {
        format!("kubectl get {}.{} {} -n {}{end}", id.kind.plural(), id.kind.group(), id.name, id.namespace)
    })
}

/// `flux reconcile kustomization podinfo -n shop --with-source`.
pub fn reconcile(id: &ObjectId, with_source: bool) -> Option<String> {
    let what = match id.kind {
        Kind::OciRepository => "source oci",
        Kind::HelmRepository => "source helm",
        Kind::HelmChart => "source chart",
        Kind::GitRepository => "source git",
        Kind::Bucket => "source bucket",
        Kind::Kustomization => "kustomization",
        Kind::HelmRelease => "helmrelease",
        Kind::ExternalArtifact => return None,
    };
    let end = if with_source && !id.kind.is_source() { " --with-source" } else { "" };
    is_safe(id).then(|| format!("flux reconcile {what} {} -n {}{end}", id.name, id.namespace))
}

/// `fluxscope tags oci://ghcr.io/acme/fleet`.
pub fn tags(upstream: &Upstream) -> Option<String> {
    let name = upstream.repository.to_string();
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:[]".contains(c));
    plain.then(|| format!("fluxscope tags oci://{name}"))
}

/// `fluxscope files oci://ghcr.io/acme/fleet:1.0.0`.
pub fn files(origin: &Origin) -> Option<String> {
    let plain = |name: &str| {
        let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:[]@".contains(c));
        (fits && !name.starts_with('-')).then(|| name.to_owned())
    };
    let reference = match origin {
        Origin::Registry { upstream, reference } => {
            let sign = if reference.contains(':') { '@' } else { ':' };
            format!("oci://{}{sign}{reference}", upstream.repository)
        }
        Origin::Layout { path, reference } => {
            let tag = reference.as_ref().map_or_else(String::new, |reference| format!(":{reference}"));
            format!("oci-layout:{}{tag}", path.display())
        }
        Origin::Archive(path) | Origin::Directory(path) => path.display().to_string(),
    };
    Some(format!("fluxscope files {}", plain(&reference)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_shell_would_run_never_stands_in_a_command() {
        let id = |name: &str| ObjectId::new(Kind::Kustomization, "shop", name);
        assert_eq!(
            reconcile(&id("podinfo"), true).as_deref(),
            Some("flux reconcile kustomization podinfo -n shop --with-source")
        );
        for bad in ["$(rm -rf ~)", "a b", "", "-rf", "a;b", "a\n", "Ünder"] {
            assert_eq!(get(&id(bad), false), None, "{bad:?}");
            assert_eq!(reconcile(&id(bad), false), None, "{bad:?}");
        }
    }
}
