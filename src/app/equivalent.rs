//! The commands of other tools that answer or do the same. Only validated names ever stand in one.

use crate::domain::{
    artifact::{Origin, Target},
    comparison::Question,
    identity::{Kind, ObjectId},
    repository::Upstream,
    source::LayerSelector,
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

/// `fluxscope history ks/podinfo -n shop`.
pub fn history(id: &ObjectId) -> Option<String> {
    is_safe(id).then(|| format!("fluxscope history {}/{} -n {}", id.kind.short(), id.name, id.namespace))
}

/// `fluxscope files oci://ghcr.io/acme/fleet:1.0.0`, judged as on the screen: of a source with its own selector and
/// ignore rules, otherwise with the media type that is looked for. A layer that Flux does not take is named, from 0.
pub fn files(target: &Target, about: Option<&ObjectId>, layer: Option<usize>) -> Option<String> {
    let layer = layer.map_or_else(String::new, |layer| format!(" --layer {}", layer + 1));
    let source = about.filter(|id| id.kind == Kind::OciRepository);
    let (reference, selector) = match (&target.origin, source) {
        (Origin::Registry { reference, .. }, Some(id)) => {
            let namespace = plain(&id.namespace)?;
            let name = format!("ocirepo/{}{}{reference}", id.name, sign(reference.as_ref()));
            return Some(format!("fluxscope files {} -n {namespace}{layer}", plain(&name)?));
        }
        (Origin::Registry { upstream, reference }, None) => {
            let name = format!("oci://{}{}{reference}", upstream.repository, sign(reference.as_ref()));
            (name, target.selector.media_type.as_deref())
        }
        (Origin::Layout { path, reference }, _) => {
            let tag = reference.as_ref().map_or_else(String::new, |tag| format!("{}{tag}", sign(tag)));
            (format!("oci-layout:{}{tag}", path.display()), target.selector.media_type.as_deref())
        }
        (Origin::Archive(path) | Origin::Directory(path), _) => (path.display().to_string(), None),
    };
    let selector = selector.map(|media_type| Some(format!(" --layer-media-type {}", plain(media_type)?)));
    let selector = selector.unwrap_or_else(|| Some(String::new()))?;
    Some(format!("fluxscope files {}{selector}{layer}", plain(&reference)?))
}

/// `fluxscope diff ocirepo/web@sha256:… ocirepo/web:1.3.0 -n shop --consumer ks/web`: both seen with the eyes of this
/// source, where one sees them so. None: no command says the same.
pub fn diff(question: &Question, source: Option<&ObjectId>) -> Option<String> {
    let namespace = question.consumer.as_ref().map(|id| &id.namespace);
    let source = source.filter(|id| namespace.is_none_or(|namespace| *namespace == id.namespace));
    let namespace = namespace.or(source.map(|id| &id.namespace));
    let side = |target: &Target| match (&target.origin, source) {
        (Origin::Registry { reference, .. }, Some(id)) => {
            Some(format!("ocirepo/{}{}{reference}", id.name, sign(reference)))
        }
        // without a source nobody names its selector and ignore rules
        (Origin::Registry { upstream, reference }, None) => {
            let bare = target.ignore.is_none() && target.selector == LayerSelector::default();
            bare.then(|| format!("oci://{}{}{reference}", upstream.repository, sign(reference)))
        }
        (Origin::Layout { path, reference }, _) => {
            let tag = reference.as_ref().map_or_else(String::new, |tag| format!("{}{tag}", sign(tag)));
            Some(format!("oci-layout:{}{tag}", path.display()))
        }
        (Origin::Archive(path) | Origin::Directory(path), _) => Some(path.display().to_string()),
    };
    let mut command =
        format!("fluxscope diff {} {}", plain(&side(&question.from)?)?, plain(&side(&question.to)?)?);
    if let Some(namespace) = namespace {
        command.push_str(" -n ");
        command.push_str(plain(namespace)?);
    }
    if let Some(id) = &question.consumer {
        command.push_str(&[" --consumer ", id.kind.short(), "/", plain(&id.name)?].concat());
        command.push_str(if question.build { "" } else { " --no-build" });
        command.push_str(if question.read_secrets { " --read-secrets" } else { "" });
    }
    Some(command)
}

fn sign(reference: &str) -> char {
    if reference.contains(':') { '@' } else { ':' }
}

/// Nothing that a shell would read as more than a word.
fn plain(name: &str) -> Option<&str> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:[]@+".contains(c));
    (fits && !name.is_empty() && !name.starts_with('-')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::source::LayerSelector;

    #[test]
    fn the_command_for_files_judges_as_the_screen_does() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let selector = LayerSelector { media_type: Some("application/x+gzip".into()), copy: false };
        let target = |origin| Target { origin, selector: selector.clone(), ignore: None };
        let repository = crate::domain::repository::Repository::parse_url("oci://ghcr.io/acme/web").unwrap();
        let upstream = crate::domain::repository::Upstream { repository, insecure: false };
        let registry = target(Origin::Registry { upstream, reference: digest.as_str().into() });
        let source = ObjectId::new(Kind::OciRepository, "shop", "web");
        let of_source = format!("fluxscope files ocirepo/web@{digest} -n shop");
        assert_eq!(files(&registry, Some(&source), None), Some(of_source));
        let of_address =
            format!("fluxscope files oci://ghcr.io/acme/web@{digest} --layer-media-type application/x+gzip");
        assert_eq!(files(&registry, None, None), Some(of_address));
        let layout = Origin::Layout { path: "/x".into(), reference: Some(digest.as_str().into()) };
        let layout = Target { selector: LayerSelector::default(), ..target(layout) };
        let of_layout = format!("fluxscope files oci-layout:/x@{digest} --layer 2");
        assert_eq!(files(&layout, None, Some(1)), Some(of_layout));
        assert_eq!(files(&target(Origin::Archive("a b.tgz".into())), None, None), None);
    }

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
