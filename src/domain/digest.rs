//! `sha256:<hex>`: the name of some bytes. Parsed once; never computed here.

use super::quote::quote;
use std::{fmt, str::FromStr, sync::Arc};

/// A content digest as OCI and Flux write it (OCI image spec, `descriptor.md`; `sha1` for Git revisions).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Arc<str>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a digest: {0:?} (needs sha256:<64 hex digits>)")]
pub struct DigestError(pub String);

impl Digest {
    /// Accepts `sha1`, `sha256`, `sha384` and `sha512` with lower-case hex of the right length.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let valid = text.split_once(':').is_some_and(|(algorithm, hex)| {
            hex_length(algorithm) == Some(hex.len()) && hex.bytes().all(is_lower_hex)
        });
        if valid { Ok(Self(text.into())) } else { Err(DigestError(text.to_owned())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The first 8 hex digits: what a column has room for.
    pub fn short(&self) -> &str {
        self.hex().get(..8).unwrap_or_default()
    }

    /// Usable in a registry URL: Git's `sha1` is not.
    pub fn is_oci(&self) -> bool {
        self.algorithm() != "sha1"
    }
}

/// Why Flux can pull nothing by this `ref.digest`, in the words of its library (`v1.NewHash` of go-containerregistry).
pub fn refusal(text: &str) -> Option<String> {
    let Some((algorithm, hex)) = text.split_once(':').filter(|(a, hex)| !a.is_empty() && !hex.is_empty())
    else {
        return Some(format!("cannot parse hash: {}", quote(text)));
    };
    if let Some(odd) = hex.bytes().find(|byte| !is_lower_hex(*byte)) {
        return Some(format!("found non-hex character in hash: {}", char::from(odd)));
    }
    if algorithm != "sha256" {
        return Some(format!("unsupported hash: {}", quote(algorithm)));
    }
    (hex.len() != 64).then(|| format!("wrong number of hex digits for {algorithm}: {hex}"))
}

fn hex_length(algorithm: &str) -> Option<usize> {
    match algorithm {
        "sha1" => Some(40),
        "sha256" => Some(64),
        "sha384" => Some(96),
        "sha512" => Some(128),
        _ => None,
    }
}

pub(crate) fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_needs_its_algorithms_length_and_lower_case_hex() {
        let hex = "a1b2c3d4".repeat(8);
        assert_eq!(Digest::parse(&format!("sha256:{hex}")).unwrap().short(), "a1b2c3d4");
        for bad in ["", "sha256:", "sha256:abc", "md5:00", "sha256", "sha256:../../x"] {
            assert!(Digest::parse(bad).is_err(), "{bad}");
        }
        assert!(Digest::parse(&format!("sha256:{}", hex.to_uppercase())).is_err());
        assert!(Digest::parse(&format!("sha512:{hex}")).is_err());
    }

    #[test]
    fn what_flux_cannot_pull_by_is_refused_in_its_words() {
        let check = |text: &str, words: &str| assert_eq!(refusal(text).as_deref(), Some(words), "{text}");
        check("main", "cannot parse hash: \"main\"");
        check("sha256:", "cannot parse hash: \"sha256:\"");
        check("sha256:00G", "found non-hex character in hash: G");
        check("sha512:00", "unsupported hash: \"sha512\"");
        check("sha256:00", "wrong number of hex digits for sha256: 00");
        assert_eq!(refusal(&format!("sha256:{}", "0".repeat(64))), None);
    }
}
