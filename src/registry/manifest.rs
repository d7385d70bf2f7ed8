//! HEAD and GET of a manifest. What is handed on was hashed here, or is a registry's word that says so itself.

use super::{
    auth::{Office, Question, Reply},
    document::{self, ACCEPTED, Document},
    failure::Failure,
    place::{Place, Reference},
    transport::{Answer, Call, Request},
};
use crate::domain::{
    artifact::{Descriptor, Manifest},
    digest::Digest,
    problem::{Cause, Problem},
    repository::Upstream,
};
use bytes::Bytes;
use reqwest::{Method, header::CONTENT_LENGTH};
use std::{collections::BTreeMap, sync::Arc};

const CONTENT_DIGEST: &str = "docker-content-digest";

/// What a reference names now. One HEAD; a GET where the HEAD does not say it.
pub(super) async fn head(
    office: &Office,
    upstream: Upstream,
    reference: &str,
) -> Result<Descriptor, Problem> {
    let errand = Errand::new(office, upstream, reference, |name| format!("ask what {name} is"))?;
    match errand.head().await? {
        Head::Is(descriptor) => Ok(descriptor),
        // no digest, no HEAD on this registry, or nothing there: a GET hashes, or says why in words
        Head::Absent | Head::Unsaid => Ok(errand.described().await?),
    }
}

/// The same, where it need not be there.
pub(super) async fn head_if_there(
    office: &Office,
    upstream: Upstream,
    reference: &str,
) -> Result<Option<Descriptor>, Problem> {
    let errand = Errand::new(office, upstream, reference, |name| format!("ask what {name} is"))?;
    match errand.head().await? {
        Head::Is(descriptor) => Ok(Some(descriptor)),
        Head::Absent => Ok(None),
        Head::Unsaid => match errand.described().await {
            Err(problem) if problem.cause == Cause::NotFound => Ok(None),
            described => described.map(Some),
        },
    }
}

/// What a HEAD says.
enum Head {
    Is(Descriptor),
    /// 404.
    Absent,
    /// It is not answered, or without a digest.
    Unsaid,
}

pub(super) async fn manifest(
    office: &Office,
    upstream: Upstream,
    reference: &str,
) -> Result<Manifest, Problem> {
    Ok(document(office, upstream, reference).await?.document.manifest)
}

/// A manifest or an index, its bytes and the login that got it.
pub(super) async fn document(
    office: &Office,
    upstream: Upstream,
    reference: &str,
) -> Result<Fetched, Problem> {
    Errand::new(office, upstream, reference, |name| format!("read the manifest of {name}"))?.fetch().await
}

/// The same, where it need not be there.
pub(super) async fn find(
    office: &Office,
    upstream: Upstream,
    reference: &str,
) -> Result<Option<Fetched>, Problem> {
    match document(office, upstream, reference).await {
        Err(problem) if problem.cause == Cause::NotFound => Ok(None),
        found => found.map(Some),
    }
}

pub(super) struct Fetched {
    pub(super) document: Document,
    pub(super) bytes: Bytes,
    pub(super) asked_with: Arc<str>,
}

struct Errand<'a> {
    office: &'a Office,
    question: Question,
    reference: Reference,
    call: Call,
}

impl<'a> Errand<'a> {
    fn new(
        office: &'a Office,
        upstream: Upstream,
        reference: &str,
        what: impl Fn(&str) -> String,
    ) -> Result<Self, Problem> {
        let name = upstream.repository.to_string();
        let wrong = |why: String| Problem::new(Cause::Usage, what(&name), why);
        let place = Place::of(&upstream.repository).map_err(wrong)?;
        let reference = Reference::parse(reference).map_err(wrong)?;
        let what = what(&format!("{name}{}", reference.suffix()));
        let question = Question { what, upstream, place };
        Ok(Self { office, question, reference, call: Call::new(&office.transport.limits) })
    }

    async fn ask(&self, request: &Request) -> Result<Reply, Problem> {
        let tail = self.question.place.manifest_tail(&self.reference);
        self.office.ask(&self.question, &self.call, &tail, request).await
    }

    async fn head(&self) -> Result<Head, Problem> {
        let request =
            Request { method: Method::HEAD, ..Request::document(ACCEPTED, &self.office.transport.limits) };
        let answer = self.ask(&request).await?.answer;
        match answer.status.as_u16() {
            404 => return Ok(Head::Absent),
            400 | 405 | 501 => return Ok(Head::Unsaid),
            _ if !answer.status.is_success() => return Err(self.problem(Failure::of_status(&answer))),
            _ => {}
        }
        let digest = self.digest_in(&answer).map_err(|failure| self.problem(failure))?;
        let (Some(digest), Some(kind)) = (digest, answer.content_type()) else { return Ok(Head::Unsaid) };
        let size = answer.header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
        Ok(Head::Is(Descriptor { digest, media_type: kind.into(), size, annotations: BTreeMap::new() }))
    }

    /// The same by a GET, which hashes what it gets.
    async fn described(&self) -> Result<Descriptor, Problem> {
        let Manifest { digest, media_type, size, .. } = self.fetch().await?.document.manifest;
        Ok(Descriptor { digest, media_type, size: Some(size), annotations: BTreeMap::new() })
    }

    async fn fetch(&self) -> Result<Fetched, Problem> {
        let reply = self.ask(&Request::document(ACCEPTED, &self.office.transport.limits)).await?;
        let answer = &reply.answer;
        if !answer.status.is_success() {
            return Err(self.problem(Failure::of_status(answer).asked_with(&reply.asked_with)));
        }
        let document = self.read(answer).map_err(|failure| self.problem(failure))?;
        Ok(Fetched { document, bytes: reply.answer.body, asked_with: reply.asked_with })
    }

    fn read(&self, answer: &Answer) -> Result<Document, Failure> {
        let claimed = self.digest_in(answer)?;
        let claimed = match &self.reference {
            Reference::Digest(digest) => Some(digest.clone()),
            Reference::Tag(_) => claimed,
        };
        let algorithm = claimed.as_ref().map_or("sha256", Digest::algorithm);
        let digest = document::digest_of(algorithm, &answer.body)?;
        if let Some(claimed) = claimed.filter(|claimed| *claimed != digest) {
            return Err(differ(&claimed, "its content is", &digest));
        }
        document::read(&answer.body, answer.content_type().as_deref(), digest)
    }

    /// The registry's own word for the digest. It must not contradict the digest that was asked for.
    fn digest_in(&self, answer: &Answer) -> Result<Option<Digest>, Failure> {
        let Some(text) = answer.header(CONTENT_DIGEST) else { return Ok(None) };
        let digest = Digest::parse(text).ok().filter(Digest::is_oci).ok_or_else(|| {
            Failure::new(
                Cause::Invalid,
                format!("the registry's Docker-Content-Digest is not a digest: {text:?}"),
            )
        })?;
        match &self.reference {
            Reference::Digest(asked) if asked.algorithm() == digest.algorithm() && *asked != digest => {
                Err(differ(asked, "the registry says it sent", &digest))
            }
            Reference::Digest(_) | Reference::Tag(_) => Ok(Some(digest)),
        }
    }

    fn problem(&self, failure: Failure) -> Problem {
        failure.into_problem(&self.question.what)
    }
}

fn differ(expected: &Digest, words: &str, found: &Digest) -> Failure {
    Failure::new(Cause::Invalid, format!("the digests differ: {expected} was expected, {words} {found}"))
        .with_hint("the answer was changed on the way or the registry is broken: it is not shown")
}
