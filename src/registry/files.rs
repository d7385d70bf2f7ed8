//! Files on disk as streams of bytes that are verified on the way, like blobs of a registry. Nothing is written here.

use super::{cache::Cache, hash::Hasher, open::Chunks};
use crate::domain::{
    artifact::Descriptor,
    digest::Digest,
    problem::{Cause, Problem},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::{io::Read, sync::Arc};
use tokio::task::spawn_blocking;

/// Bytes that are read and hashed at once.
const PART: u64 = 512 << 10;

/// What the bytes have to be.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) digest: Digest,
    pub(super) size: Option<u64>,
}

impl Expected {
    pub(super) fn of(blob: &Descriptor) -> Self {
        Self { digest: blob.digest.clone(), size: blob.size }
    }
}

/// The blob as the cache holds it; None: it does not.
pub(super) async fn cached(cache: Arc<Cache>, blob: &Descriptor) -> Option<Chunks> {
    let expected = Expected::of(blob);
    let file = spawn_blocking(move || cache.open(&expected.digest, expected.size)).await.ok()??;
    Some(chunks(Box::new(file), format!("read {} from the cache", blob.digest), Some(Expected::of(blob))))
}

struct Walk {
    reader: Box<dyn Read + Send>,
    what: String,
    /// None: whatever they are.
    expected: Option<Expected>,
    hash: Hasher,
    read: u64,
}

/// All bytes of a reader; a problem at the end unless they are what is expected.
pub(super) fn chunks(reader: Box<dyn Read + Send>, what: String, expected: Option<Expected>) -> Chunks {
    let hash = Hasher::of(expected.as_ref().map_or("", |expected| expected.digest.algorithm()));
    let walk = Walk { reader, what, expected, hash, read: 0 };
    stream::unfold(Some(walk), |walk| async {
        let walk = walk?;
        let what = walk.what.clone();
        match spawn_blocking(move || walk.next()).await {
            Ok(Ok((Some(bytes), walk))) => Some((Ok(bytes), Some(walk))),
            Ok(Ok((None, _))) => None,
            Ok(Err(problem)) => Some((Err(problem), None)),
            Err(error) => Some((Err(Problem::new(Cause::Other, what, error.to_string())), None)),
        }
    })
    .boxed()
}

impl Walk {
    fn next(mut self) -> Result<(Option<Bytes>, Self), Problem> {
        let mut part = Vec::with_capacity(PART as usize);
        if let Err(error) = self.reader.by_ref().take(PART).read_to_end(&mut part) {
            return Err(self.problem(Cause::Other, error.to_string()));
        }
        if part.is_empty() {
            return self.verify().map(|walk| (None, walk));
        }
        if self.expected.is_some() {
            self.hash.update(&part);
        }
        self.read += part.len() as u64;
        let size = self.expected.as_ref().and_then(|expected| expected.size);
        if let Some(size) = size.filter(|&size| self.read > size) {
            return Err(self.problem(
                Cause::Invalid,
                format!("the sizes differ: {size} bytes were expected, more are there"),
            ));
        }
        Ok((Some(part.into()), self))
    }

    fn verify(self) -> Result<Self, Problem> {
        let Some(Expected { digest, size }) = &self.expected else { return Ok(self) };
        let found = self.hash.clone().finish();
        if found.as_ref() == Some(digest) && size.is_none_or(|size| size == self.read) {
            return Ok(self);
        }
        let found = found.as_ref().map_or("nothing", |digest| digest.as_str());
        let why = match size.filter(|&size| size != self.read) {
            Some(size) => format!(
                "the sizes differ: {size} bytes were expected, {} are there; their digest is {found} instead of {digest}",
                self.read
            ),
            None => format!("the digests differ: {digest} was expected, its content is {found}"),
        };
        Err(self.problem(Cause::Invalid, why))
    }

    fn problem(&self, cause: Cause, why: String) -> Problem {
        Problem::new(cause, self.what.as_str(), why)
    }
}
