//! A blob by its digest: bounded, resumed where it broke off, and verified before its stream ends well. Only the
//! registry itself is asked; what a manifest says about other places is never followed.

use super::{
    auth::{Office, Question},
    failure::{Failure, Retry, span},
    hash::Hasher,
    place::Place,
    transport::{Answer, Body, Call, Request, Rest, size},
};
use crate::domain::{
    artifact::Descriptor,
    problem::{Cause, Problem},
    repository::Upstream,
};
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use reqwest::{StatusCode, header::CONTENT_RANGE};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// A connection that brought this much before it broke does not count as a failed try.
const PROGRESS: u64 = 1 << 20;

/// The bytes, in order; a problem is the last item.
pub(super) fn stream(
    office: Arc<Office>,
    upstream: Upstream,
    blob: Descriptor,
) -> BoxStream<'static, Result<Bytes, Problem>> {
    match Pull::new(office, upstream, blob) {
        Err(problem) => stream::iter([Err(problem)]).boxed(),
        Ok(pull) => stream::unfold(Some(pull), |pull| async move {
            let mut pull = pull?;
            match pull.next().await {
                Ok(None) => None,
                Ok(Some(bytes)) => Some((Ok(bytes), Some(pull))),
                Err(failure) => Some((Err(failure.into_problem(&pull.question.what)), None)),
            }
        })
        .boxed(),
    }
}

/// A whole blob of at most `most` bytes.
pub(super) async fn small(
    office: Arc<Office>,
    upstream: Upstream,
    blob: Descriptor,
    most: u64,
) -> Result<Bytes, Problem> {
    let what = format!("read {} of {}", blob.digest, upstream.repository);
    let too_large =
        || Problem::new(Cause::Invalid, what.as_str(), format!("it is larger than {}", size(most)));
    if blob.size.is_some_and(|bytes| bytes > most) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    let mut chunks = stream(office, upstream, blob);
    while let Some(chunk) = chunks.next().await {
        body.extend_from_slice(&chunk?);
        if body.len() as u64 > most {
            return Err(too_large());
        }
    }
    Ok(body.into())
}

struct Pull {
    office: Arc<Office>,
    question: Question,
    blob: Descriptor,
    /// No more than this is taken: the size that the manifest says, else the limit.
    most: u64,
    rest: Option<Rest>,
    hash: Hasher,
    /// Handed out and hashed.
    received: u64,
    /// Bytes of the current answer that were handed out before.
    skip: u64,
    /// The registry answers ranges with something else.
    whole: bool,
    tries: u32,
    /// `received` when the current answer began.
    mark: u64,
    content_type: Option<String>,
    pace: Pace,
}

impl Pull {
    fn new(office: Arc<Office>, upstream: Upstream, blob: Descriptor) -> Result<Self, Problem> {
        let what = format!("download {} of {}", blob.digest, upstream.repository);
        let wrong = |why: String| Problem::new(Cause::Usage, what.clone(), why);
        let place = Place::of(&upstream.repository).map_err(wrong)?;
        if !blob.digest.is_oci() {
            return Err(wrong("registries know sha256, sha384 and sha512".to_owned()));
        }
        let limit = office.transport.limits.layer;
        if let Some(bytes) = blob.size.filter(|&bytes| bytes > limit) {
            let why = format!("it is {} ({bytes} bytes) large, and the limit is {limit} bytes", size(bytes));
            return Err(Problem::new(Cause::Invalid, what, why).with_hint(raise(bytes)));
        }
        Ok(Self {
            most: blob.size.unwrap_or(limit),
            hash: Hasher::of(blob.digest.algorithm()),
            pace: Pace::new(&office.transport.limits),
            question: Question { what, upstream, place },
            office,
            blob,
            rest: None,
            received: 0,
            skip: 0,
            whole: false,
            tries: 0,
            mark: 0,
            content_type: None,
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            let Some(rest) = &mut self.rest else {
                self.connect().await?;
                continue;
            };
            match self.pace.next(rest).await {
                Ok(Some(chunk)) => {
                    let bytes = self.unseen(chunk);
                    if bytes.is_empty() {
                        continue;
                    }
                    if self.received + bytes.len() as u64 > self.most {
                        return Err(self.too_long());
                    }
                    self.received += bytes.len() as u64;
                    self.hash.update(&bytes);
                    return Ok(Some(bytes));
                }
                Ok(None) => {
                    self.rest = None;
                    return self.verify().map(|()| None);
                }
                Err(failure) if failure.retry == Retry::Again => self.give_up_or_wait(failure).await?,
                Err(failure) => return Err(self.so_far(failure)),
            }
        }
    }

    /// Asks for the blob, or for what is missing of it.
    async fn connect(&mut self) -> Result<(), Failure> {
        let from = if self.whole { 0 } else { self.received };
        let limits = &self.office.transport.limits;
        let request = Request { body: Body::Stream { from }, ..Request::get("*/*", limits.failure) };
        let tail = self.question.place.blob_tail(&self.blob.digest);
        let reply = self.office.ask(&self.question, &Call::new(limits), &tail, &request).await;
        let mut answer = reply.map_err(Failure::from)?.answer;
        let skip = match answer.status {
            StatusCode::PARTIAL_CONTENT if from > 0 && self.continues(&answer) => 0,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => {
                self.whole = true;
                let why = "the registry does not continue where the connection broke";
                return self.give_up_or_wait(Failure::new(Cause::Invalid, why)).await;
            }
            StatusCode::OK => self.received,
            _ => return Err(refused(&answer)),
        };
        self.content_type = answer.content_type();
        let Some(rest) = answer.rest.take() else { return Err(refused(&answer)) };
        let left = self.blob.size.map(|size| size - self.received + skip);
        if let (Some(length), Some(left)) = (rest.length(), left)
            && length != left
        {
            let [length, left] = [length, left].map(|bytes| bytes + self.received - skip);
            let why = format!("the sizes differ: {left} bytes were expected, the registry sends {length}");
            return Err(self.suspicious(why));
        }
        (self.rest, self.skip, self.mark) = (Some(rest), skip, self.received);
        Ok(())
    }

    /// `Content-Range: bytes 100-199/200` goes on where we are, in the blob that we know.
    fn continues(&self, answer: &Answer) -> bool {
        let range = answer.header(CONTENT_RANGE.as_str()).and_then(read_range);
        range.is_some_and(|(start, total)| {
            start == self.received
                && total.is_none_or(|total| self.blob.size.is_none_or(|size| size == total))
        })
    }

    /// What of the chunk was not handed out by an earlier answer.
    fn unseen(&mut self, mut chunk: Bytes) -> Bytes {
        let known = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
        self.skip -= known as u64;
        chunk.split_off(known)
    }

    async fn give_up_or_wait(&mut self, failure: Failure) -> Result<(), Failure> {
        self.rest = None;
        if self.received >= self.mark + PROGRESS {
            self.tries = 0;
        }
        let limits = &self.office.transport.limits;
        if self.tries >= limits.retries {
            return Err(self.so_far(failure));
        }
        let wait = limits.retry_after * 2_u32.saturating_pow(self.tries.min(8));
        self.tries += 1;
        sleep(wait).await;
        Ok(())
    }

    fn verify(&self) -> Result<(), Failure> {
        let found = self.hash.clone().finish();
        let found = found.as_ref().map_or("nothing", |digest| digest.as_str());
        let expected = &self.blob.digest;
        if let Some(size) = self.blob.size.filter(|&size| size != self.received) {
            return Err(self.suspicious(format!(
                "the sizes differ: {size} bytes were expected, {} came; their digest is {found} instead of {expected}",
                self.received
            )));
        }
        if found != expected.as_str() {
            return Err(self
                .suspicious(format!("the digests differ: {expected} was expected, its content is {found}")));
        }
        Ok(())
    }

    fn too_long(&self) -> Failure {
        match self.blob.size {
            Some(size) => self.suspicious(format!(
                "the sizes differ: {size} bytes were expected, more came; {} cannot be what they are",
                self.blob.digest
            )),
            None => {
                Failure::new(Cause::Invalid, format!("it is larger than the limit of {} bytes", self.most))
                    .with_hint(raise(self.most * 2))
            }
        }
    }

    fn suspicious(&self, why: String) -> Failure {
        let html = self.content_type.as_deref() == Some("text/html");
        Failure::new(Cause::Invalid, why).with_hint(if html {
            "a web page came instead of the blob: a proxy or a login page answers in the registry's place"
        } else {
            "the answer was changed on the way or the registry is broken: it is not shown"
        })
    }

    /// A failure in the middle says how far it came.
    fn so_far(&self, failure: Failure) -> Failure {
        if self.received == 0 {
            return failure;
        }
        let of = self.blob.size.map(|size| format!(" of {size}")).unwrap_or_default();
        Failure { why: format!("{} (after {}{of} bytes)", failure.why, self.received), ..failure }
    }
}

fn refused(answer: &Answer) -> Failure {
    let failure = Failure::of_status(answer);
    match failure.cause {
        Cause::NotFound => {
            failure.with_hint("the manifest names this blob, but the registry does not have it")
        }
        _ => failure,
    }
}

fn raise(bytes: u64) -> String {
    format!("--max-layer-bytes {bytes} would allow it")
}

/// `bytes 100-199/200` -> (100, Some(200)); an unknown total is `*`.
fn read_range(header: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = header.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse::<u64>().ok()?),
    };
    (start <= end && total.is_none_or(|total| end < total)).then_some((start, total))
}

/// The slowest pace that is waited for. Only waiting counts: a reader that takes its time is no slow registry.
struct Pace {
    slowest: u64,
    window: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    fn new(limits: &super::settings::Limits) -> Self {
        Self { slowest: limits.slowest, window: limits.slow_for, waited: Duration::ZERO, bytes: 0 }
    }

    async fn next(&mut self, rest: &mut Rest) -> Result<Option<Bytes>, Failure> {
        let began = Instant::now();
        let came = timeout(self.window.saturating_sub(self.waited), rest.chunk()).await;
        self.waited += began.elapsed();
        if let Ok(Ok(Some(chunk))) = &came {
            self.bytes += chunk.len() as u64;
        }
        if self.waited >= self.window && !matches!(came, Ok(Ok(None) | Err(_))) {
            let needed = u128::from(self.slowest) * self.window.as_millis() / 1000;
            let bytes = std::mem::take(&mut self.bytes);
            self.waited = Duration::ZERO;
            if u128::from(bytes) < needed {
                return Err(self.too_slow(bytes));
            }
        }
        match came {
            Ok(came) => came,
            // the window is over and its bytes were enough: the next one begins
            Err(_) => Ok(Some(Bytes::new())),
        }
    }

    fn too_slow(&self, bytes: u64) -> Failure {
        let window = span(self.window);
        if bytes == 0 {
            let retry = Retry::Again;
            return Failure { retry, ..Failure::new(Cause::Timeout, format!("nothing came for {window}")) };
        }
        let why = format!(
            "it comes too slowly: {bytes} bytes in {window}, less than {} a second",
            size(self.slowest)
        );
        Failure::new(Cause::Timeout, why)
    }
}

#[cfg(test)]
mod tests {
    use super::read_range;
    use proptest::prelude::*;

    #[test]
    fn a_range_is_read_only_if_it_makes_sense() {
        assert_eq!(read_range("bytes 100-199/200"), Some((100, Some(200))));
        assert_eq!(read_range("bytes 0-0/*"), Some((0, None)));
        for bad in ["bytes */200", "bytes 5-4/10", "bytes 0-10/10", "0-1/2", "bytes a-b/c", "bytes 1-2", ""] {
            assert_eq!(read_range(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_range_breaks_the_parser(header in "(bytes )?[0-9*/ -]{0,64}") {
            let _ = read_range(&header);
        }
    }
}
