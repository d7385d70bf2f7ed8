//! Bytes -> their digest, as they come. It compares nothing.

use crate::domain::digest::Digest;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::{fmt::Write as _, io};

#[derive(Clone)]
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// For the algorithm of a digest of the OCI; any other name counts as SHA-256.
    pub(super) fn of(algorithm: &str) -> Self {
        match algorithm {
            "sha384" => Self::Sha384(Sha384::new()),
            "sha512" => Self::Sha512(Sha512::new()),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// None cannot happen: what is written here is a digest.
    pub(super) fn finish(self) -> Option<Digest> {
        let text = match self {
            Self::Sha256(hash) => text("sha256", &hash.finalize()),
            Self::Sha384(hash) => text("sha384", &hash.finalize()),
            Self::Sha512(hash) => text("sha512", &hash.finalize()),
        };
        Digest::parse(&text).ok()
    }
}

/// What was written: its digest and how many bytes it was. It keeps none of them.
pub(super) struct Sum {
    hash: Hasher,
    bytes: u64,
}

impl Sum {
    pub(super) fn new() -> Self {
        Self { hash: Hasher::of("sha256"), bytes: 0 }
    }

    pub(super) fn finish(self) -> io::Result<(Digest, u64)> {
        let digest = self.hash.finish().ok_or_else(|| io::Error::other("no digest"))?;
        Ok((digest, self.bytes))
    }
}

impl io::Write for Sum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text(algorithm: &str, hash: &[u8]) -> String {
    hash.iter().fold(format!("{algorithm}:"), |mut text, byte| {
        // writing into a String cannot fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}
