//! A revision as Flux writes it into a status, taken apart once. It never asks a registry what it means.

use super::digest::{Digest, is_lower_hex};
use std::fmt;

/// What a source stored or a consumer applied (`reference/flux.md` §1.4).
///
/// Forms: `tag@sha256:…`, `sha256:…`, `main@sha1:…`, a plain chart version, and the old `tag/<hex>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revision {
    text: Box<str>,
    /// Length of the name in front (tag, branch or version); 0 if there is none.
    name: usize,
    digest: Option<Digest>,
}

impl Revision {
    /// Never fails: what is not understood is a name without a digest. An empty string is no revision.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let (name, digest) = split(text);
        Some(Self { text: text.into(), name, digest })
    }

    /// Exactly what Flux wrote.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The tag, branch or chart version in front of the digest.
    pub fn tag(&self) -> Option<&str> {
        (self.name > 0).then(|| &self.text[..self.name])
    }

    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `tag@a1b2c3d4`, for a column.
    pub fn short(&self) -> String {
        match (self.tag(), &self.digest) {
            (Some(tag), Some(digest)) => format!("{tag}@{}", digest.short()),
            (None, Some(digest)) => format!("@{}", digest.short()),
            (_, None) => self.text.to_string(),
        }
    }
}

fn split(text: &str) -> (usize, Option<Digest>) {
    if let Some(at) = text.find('@') {
        let last = text.rfind('@').unwrap_or(at);
        return match Digest::parse(&text[last + 1..]) {
            Ok(digest) => (at, Some(digest)),
            Err(_) => (text.len(), None),
        };
    }
    if let Ok(digest) = Digest::parse(text) {
        return (0, Some(digest));
    }
    match text.rsplit_once('/') {
        Some((name, hex)) if !name.is_empty() => match old_digest(hex) {
            Some(digest) => (name.len(), Some(digest)),
            None => (text.len(), None),
        },
        _ => (text.len(), None),
    }
}

/// Before RFC-0005 Flux wrote `tag/<hex>`, without the algorithm.
fn old_digest(hex: &str) -> Option<Digest> {
    let algorithm = match hex.len() {
        40 => "sha1",
        64 => "sha256",
        _ => return None,
    };
    hex.bytes().all(is_lower_hex).then(|| Digest::parse(&format!("{algorithm}:{hex}")).ok())?
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, tag: Option<&str>, digest: Option<&str>) {
        let revision = Revision::parse(text).unwrap();
        assert_eq!((revision.tag(), revision.digest().map(Digest::as_str)), (tag, digest), "{text}");
        assert_eq!(revision.as_str(), text);
    }

    #[test]
    fn every_form_that_flux_writes_is_taken_apart() {
        let hex = "3b6cdcc7adcc9a84d3214ee1c029543789d90b5ae69debe9efa3f66e982875de";
        let git = "8e2b3c0f0a8b6a5b3f2d0a4a4a1e9a7c11aa22bb";
        let sha256 = format!("sha256:{hex}");
        let sha1 = format!("sha1:{git}");
        check(&format!("6.9.1@{sha256}"), Some("6.9.1"), Some(&sha256));
        check(&sha256, None, Some(&sha256));
        check(&format!("refs/heads/main@{sha1}"), Some("refs/heads/main"), Some(&sha1));
        check(&format!("latest/{hex}"), Some("latest"), Some(&sha256));
        check(&format!("feature/x/{git}"), Some("feature/x"), Some(&sha1));
        check("6.9.1+3b6cdcc7adcc", Some("6.9.1+3b6cdcc7adcc"), None);
        check("main@sha256:short", Some("main@sha256:short"), None);
        check("a/b", Some("a/b"), None);
        assert_eq!(Revision::parse(""), None);
    }
}
