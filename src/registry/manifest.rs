//! HEAD and GET of a manifest. What is handed on was hashed here, or is a registry's word that says so itself.

use super::{
    auth::{Office, Question, Reply},
    document::{self, ACCEPTED},
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
use reqwest::{Method, header::CONTENT_LENGTH};
use std::collections::BTreeMap;

const CONTENT_DIGEST: &str = "docker-content-digest";

/// What a reference names now. One HEAD; a GET where the HEAD does not say it.
pub(super) async fn head(
    office: &Office,
    upstream: Upstream,
    reference: &str,
) -> Result<Descriptor, Problem> {
    let errand = Errand::new(office, upstream, reference, |name| format!("ask what {name} is"))?;
    let request =
        Request { method: Method::HEAD, ..Request::get(ACCEPTED, office.transport.limits.manifest) };
    let reply = errand.ask(&request).await?;
    let answer = &reply.answer;
    if answer.status.is_success() {
        let digest = errand.digest_in(answer).map_err(|failure| errand.problem(failure))?;
        if let (Some(digest), Some(kind)) = (digest, answer.content_type()) {
            let size = answer.header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
            return Ok(Descriptor { digest, media_type: kind.into(), size, annotations: BTreeMap::new() });
        }
    } else if !matches!(answer.status.as_u16(), 400 | 404 | 405 | 501) {
        return Err(errand.problem(Failure::of_status(answer)));
    }
    // no digest, no HEAD on this registry, or nothing there: a GET hashes, or says why in words
    let manifest = errand.fetch().await?;
    Ok(Descriptor {
        digest: manifest.digest,
        media_type: manifest.media_type,
        size: Some(manifest.size),
        annotations: BTreeMap::new(),
    })
}

pub(super) async fn manifest(
    office: &Office,
    upstream: Upstream,
    reference: &str,
) -> Result<Manifest, Problem> {
    Errand::new(office, upstream, reference, |name| format!("read the manifest of {name}"))?.fetch().await
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

    async fn fetch(&self) -> Result<Manifest, Problem> {
        let reply = self.ask(&Request::get(ACCEPTED, self.office.transport.limits.manifest)).await?;
        let answer = &reply.answer;
        if !answer.status.is_success() {
            return Err(self.problem(Failure::of_status(answer)));
        }
        self.read(answer).map_err(|failure| self.problem(failure))
    }

    fn read(&self, answer: &Answer) -> Result<Manifest, Failure> {
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
