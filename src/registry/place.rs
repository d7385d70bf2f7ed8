//! Names from outside become URLs here, and nowhere else. Nothing is percent-encoded: what does not fit is refused.

use crate::domain::{
    digest::Digest,
    repository::{Repository, is_tag},
};
use std::net::{Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// A repository whose name is safe to put into a URL.
#[derive(Debug, Clone)]
pub(super) struct Place {
    registry: String,
    host: Host<String>,
    path: String,
}

/// What a manifest is asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    Tag(String),
    Digest(Digest),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Https,
    Http,
}

impl Scheme {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

impl Place {
    /// The error names the part that is wrong.
    pub(super) fn of(repository: &Repository) -> Result<Self, String> {
        let registry = repository.registry().to_owned();
        let host = read_host(&registry).ok_or_else(|| {
            format!("the registry's name {registry:?} cannot be used in a URL as it stands")
        })?;
        let path = repository.path();
        if let Some(bad) = path.split('/').find(|segment| !is_segment(segment)) {
            return Err(format!(
                "the part {bad:?} of {path:?} is not a repository name \
                 (lower-case letters and digits, with `.`, `_`, `__` or `-` between them)"
            ));
        }
        Ok(Self { registry, host, path: path.to_owned() })
    }

    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    pub(super) fn host(&self) -> &Host<String> {
        &self.host
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn tags_tail(&self, page_size: u32) -> String {
        format!("/v2/{}/tags/list?n={page_size}", self.path)
    }

    /// What follows a tag, for registries that cut without a `Link`. The tag must be one by the rules of OCI: then it
    /// holds nothing that means anything in a URL.
    pub(super) fn tags_after(&self, page_size: u32, last: &str) -> String {
        format!("{}&last={last}", self.tags_tail(page_size))
    }

    pub(super) fn manifest_tail(&self, reference: &Reference) -> String {
        let name = match reference {
            Reference::Tag(tag) => tag,
            Reference::Digest(digest) => digest.as_str(),
        };
        format!("/v2/{}/manifests/{name}", self.path)
    }

    pub(super) fn blob_tail(&self, digest: &Digest) -> String {
        format!("/v2/{}/blobs/{digest}", self.path)
    }

    pub(super) fn referrers_tail(&self, digest: &Digest) -> String {
        format!("/v2/{}/referrers/{digest}", self.path)
    }

    /// Path and query, if the URL is this registry's. A registry behind a proxy may write `http` where we came by
    /// https: only path and query are used, so that is no step down.
    pub(super) fn own_tail(&self, url: &Url) -> Option<String> {
        let schemes = [Scheme::Https, Scheme::Http];
        let own = schemes.iter().filter_map(|&scheme| self.url(scheme, "/v2/").ok());
        if !own.into_iter().any(|own| own.origin() == url.origin()) || !url.path().starts_with("/v2/") {
            return None;
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{}{query}", url.path()))
    }

    /// `tail` starts with `/v2/` and was made by this type, or by a page of this registry.
    pub(super) fn url(&self, scheme: Scheme, tail: &str) -> Result<Url, String> {
        Url::parse(&format!("{}://{}{tail}", scheme.name(), self.registry)).map_err(|error| error.to_string())
    }
}

impl Reference {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains(':') {
            return match Digest::parse(text) {
                Ok(digest) if digest.is_oci() => Ok(Self::Digest(digest)),
                Ok(digest) => {
                    Err(format!("{digest} is a Git digest; registries know sha256, sha384 and sha512"))
                }
                Err(error) => Err(error.to_string()),
            };
        }
        if is_tag(text) {
            Ok(Self::Tag(text.to_owned()))
        } else {
            Err(format!("{text:?} is not a tag (letters, digits, `_`, `.`, `-`; at most 128)"))
        }
    }

    /// `:tag` or `@digest`, as it follows a repository's name.
    pub(super) fn suffix(&self) -> String {
        match self {
            Self::Tag(tag) => format!(":{tag}"),
            Self::Digest(digest) => format!("@{digest}"),
        }
    }
}

/// The host, if the URL parser reads the name exactly as it is written: no `0x7f.1`, no user, no other letters.
fn read_host(registry: &str) -> Option<Host<String>> {
    let url = Url::parse(&format!("http://{registry}/")).ok()?;
    let host = url.host()?.to_owned();
    let name = url.host_str()?;
    let port = registry.get(name.len()..)?;
    let same = registry.get(..name.len())?.eq_ignore_ascii_case(name);
    let plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    let numbered = port.is_empty() || port.strip_prefix(':')?.parse::<u16>().is_ok();
    (same && plain && numbered).then_some(host)
}

/// One path component (OCI distribution spec, `<name>`).
fn is_segment(segment: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<&u8>| b.is_some_and(|&b| alphanumeric(b));
    let bytes = segment.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .split(|&b| alphanumeric(b))
            .all(|between| matches!(between, b"" | b"." | b"_" | b"__") || between.iter().all(|&b| b == b'-'))
}

/// True for addresses that only mean something near this machine: private, loopback, link-local, `localhost`.
/// A public name that resolves to such an address is not looked at: in-cluster registries are named like that.
pub(super) fn is_private(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => is_private_v4(*address),
        Host::Ipv6(address) => is_private_v6(*address),
    }
}

/// Whether a name from outside can stand in a command that is suggested: no mark of the shell, and no option.
pub(super) fn fits_a_command(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".:_-[]".contains(&b);
    !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain)
}

/// This machine itself: what goes there crosses no wire. A name below `localhost` is up to the resolver.
pub(super) fn is_loopback(host: &Host<String>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || a == 0
        || shared
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    match address.to_ipv4() {
        Some(v4) if !address.is_loopback() => is_private_v4(v4),
        _ => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> Result<Place, String> {
        Place::of(&Repository::parse_url(&format!("oci://{name}")).unwrap())
    }

    #[test]
    fn a_repository_name_that_could_change_a_url_is_refused_by_its_part() {
        for good in
            ["ghcr.io/acme/fleet", "127.0.0.1:5000/a__b/c.d", "[::1]:5000/a/b---c", "ghcr.io:443/a/b1"]
        {
            assert!(place(good).is_ok(), "{good}");
        }
        for (bad, part) in [
            ("ghcr.io/../secret", "\"..\""),
            ("ghcr.io//acme", "\"\""),
            ("ghcr.io/acme/", "\"\""),
            ("ghcr.io/acme/-x", "\"-x\""),
            ("ghcr.io/acme/x._y", "\"x._y\""),
            ("0x7f.1/acme/x", "\"0x7f.1\""),
            ("a.b%41/acme/x", "\"a.b%41\""),
        ] {
            match Repository::parse_url(&format!("oci://{bad}")) {
                Err(_) => {}
                Ok(repository) => {
                    let error = Place::of(&repository).unwrap_err();
                    assert!(error.contains(part), "{bad}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_reference_is_a_tag_or_an_oci_digest_and_nothing_else() {
        assert_eq!(Reference::parse("1.0.0_a"), Ok(Reference::Tag("1.0.0_a".to_owned())));
        assert!(matches!(Reference::parse(&format!("sha256:{}", "a".repeat(64))), Ok(Reference::Digest(_))));
        let git = format!("sha1:{}", "a".repeat(40));
        for bad in ["../../x", "a b", "", "x?y=1#", "sha256:../../../../v2/other/blobs/zzz", git.as_str()] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_near_this_machine_are_private_in_every_spelling() {
        let host = |text: &str| Url::parse(&format!("http://{text}/")).unwrap().host().unwrap().to_owned();
        let private = [
            "10.1.2.3",
            "127.0.0.1",
            "0x7f.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "localhost",
            "x.localhost",
        ];
        for near in private {
            assert!(is_private(&host(near)), "{near}");
        }
        for far in ["ghcr.io", "8.8.8.8", "[2606:4700::1]", "100.128.0.1"] {
            assert!(!is_private(&host(far)), "{far}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        let host = |text: &str| Url::parse(&format!("http://{text}/")).unwrap().host().unwrap().to_owned();
        for here in ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST"] {
            assert!(is_loopback(&host(here)), "{here}");
        }
        for elsewhere in [
            "10.1.2.3",
            "192.168.0.1",
            "0.0.0.0",
            "x.localhost",
            "127.0.0.1.example.com",
            "[::ffff:7f00:1]",
            "[fe80::1]",
        ] {
            assert!(!is_loopback(&host(elsewhere)), "{elsewhere}");
        }
    }
}
