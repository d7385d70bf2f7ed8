//! `oci://host/path`, read as Flux reads it, and the names that may be put into a registry's URL.
//! It never contacts a host.

use std::{fmt, sync::Arc};

/// Docker Hub's API host, under all its spellings (go-containerregistry `pkg/name`).
pub const DOCKER_HUB: &str = "index.docker.io";

/// A repository in a registry: no tag, no digest, no scheme.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: Arc<str>,
    path: Arc<str>,
}

/// Why Flux would refuse a `spec.url`; the texts are go-containerregistry's and source-controller's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    #[error("URL must be in format 'oci://<domain>/<org>/<repo>'")]
    NotOci,
    #[error("a repository name must be specified")]
    Empty,
    #[error("registries must be valid RFC 3986 URI authorities: {0}")]
    Authority(String),
    #[error("repository must be between 2 and 255 characters in length: {0}")]
    Length(String),
    #[error("repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-./`: {0}")]
    Characters(String),
}

impl Repository {
    /// Reads `spec.url` by the rule of `reference/flux.md` §1.3.
    pub fn parse_url(url: &str) -> Result<Self, RepositoryError> {
        Self::parse_name(url.strip_prefix("oci://").ok_or(RepositoryError::NotOci)?)
    }

    /// Reads `host/path` without a scheme, with Docker Hub's shorthands.
    pub fn parse_name(name: &str) -> Result<Self, RepositoryError> {
        if name.is_empty() {
            return Err(RepositoryError::Empty);
        }
        let (registry, path) = match name.split_once('/') {
            Some((host, rest)) if host.contains(['.', ':']) => (host, rest),
            _ => (DOCKER_HUB, name),
        };
        check_path(path)?;
        check_authority(registry)?;
        let registry = if registry == "docker.io" { DOCKER_HUB } else { registry };
        let library = registry == DOCKER_HUB && !path.contains('/');
        let path = if library { format!("library/{path}").into() } else { path.into() };
        Ok(Self { registry: registry.into(), path })
    }

    /// Host and port, e.g. `ghcr.io` or `127.0.0.1:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// e.g. `stefanprodan/manifests/podinfo`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The repository of one chart below a HelmRepository of type oci (`reference/flux.md` §7).
    pub fn join(&self, chart: &str) -> Result<Self, RepositoryError> {
        Self::parse_name(&format!("{}/{}/{chart}", self.registry, self.path.trim_end_matches('/')))
    }

    /// Whether Flux would try plain HTTP too (`reference/flux.md` §1.7).
    pub fn allows_http(&self, insecure: bool) -> bool {
        insecure || is_local(&self.registry)
    }
}

/// go-containerregistry `Registry.Scheme`: these hosts are tried over http as well.
fn is_local(registry: &str) -> bool {
    let address = registry.rsplit_once(':').map_or(registry, |(host, port)| {
        if port.bytes().all(|b| b.is_ascii_digit()) { host } else { registry }
    });
    let private = address.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_private());
    private
        || registry.starts_with("localhost:")
        || address.ends_with(".localhost")
        || registry.contains("127.0.0.1")
        || registry.contains("::1")
}

fn check_path(path: &str) -> Result<(), RepositoryError> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-./".contains(&b);
    if !(2..=255).contains(&path.chars().count()) {
        return Err(RepositoryError::Length(path.to_owned()));
    }
    if !path.bytes().all(allowed) {
        return Err(RepositoryError::Characters(path.to_owned()));
    }
    Ok(())
}

/// A host and an optional decimal port: no user, no path, no spaces (Go's `url.Parse("//"+name)`).
fn check_authority(registry: &str) -> Result<(), RepositoryError> {
    let bad = || RepositoryError::Authority(registry.to_owned());
    let rest = if let Some(v6) = registry.strip_prefix('[') {
        let (address, rest) = v6.split_once(']').ok_or_else(bad)?;
        if !address.bytes().all(|b| b.is_ascii_hexdigit() || b":.%".contains(&b)) {
            return Err(bad());
        }
        rest.strip_prefix(':').or_else(|| rest.is_empty().then_some("")).ok_or_else(bad)?
    } else {
        let (host, port) = registry.split_once(':').unwrap_or((registry, ""));
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&b) || b >= 0x80;
        if !host.bytes().all(plain) {
            return Err(bad());
        }
        port
    };
    if rest.bytes().all(|b| b.is_ascii_digit()) { Ok(()) } else { Err(bad()) }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.path)
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A repository, and what the object that names it allows: the subject of every question to a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Upstream {
    pub repository: Repository,
    /// `spec.insecure`: holds for this object's repository only.
    pub insecure: bool,
}

/// True if `tag` may stand in a registry's URL (OCI distribution spec, `<reference>` as a tag).
pub fn is_tag(tag: &str) -> bool {
    let first = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let rest = |b: u8| first(b) || b == b'.' || b == b'-';
    let bytes = tag.as_bytes();
    (1..=128).contains(&bytes.len()) && first(bytes[0]) && bytes[1..].iter().all(|&b| rest(b))
}

/// True for the tags that signing tools make: `sha256-<hex>` with or without `.sig`, `.att`, `.sbom`.
pub fn is_signature_tag(tag: &str) -> bool {
    let Some(rest) = tag.strip_prefix("sha256-") else { return false };
    let hex = [".sig", ".att", ".sbom"].iter().find_map(|end| rest.strip_suffix(end)).unwrap_or(rest);
    hex.len() == 64 && hex.bytes().all(super::digest::is_lower_hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_that_could_change_a_url_is_not_a_tag() {
        for good in ["latest", "1.0.0_a", "_x", "v1-2"] {
            assert!(is_tag(good), "{good}");
        }
        for bad in ["", "../x", "a/b", "a?b", "vé1", "-a", ".a", &"a".repeat(129)] {
            assert!(!is_tag(bad), "{bad}");
        }
    }

    #[test]
    fn signatures_are_known_by_their_tag() {
        let hex = "a".repeat(64);
        assert!(is_signature_tag(&format!("sha256-{hex}.sig")) && is_signature_tag(&format!("sha256-{hex}")));
        assert!(!is_signature_tag("sha256-abc.sig"));
    }

    #[test]
    fn a_chart_stands_below_its_helm_repository() {
        let charts = Repository::parse_url("oci://ghcr.io/acme/charts").unwrap();
        assert_eq!(charts.join("podinfo").unwrap().to_string(), "ghcr.io/acme/charts/podinfo");
    }
}
