//! One request to the API server and its answer: deadlines, paths, and errors told apart by type and code, never by
//! their words.

use super::access::Access;
use crate::domain::{
    identity::{Kind, ObjectId},
    problem::{Cause, Problem, chain},
};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use kube::client::Body;
use serde::Deserialize;
use std::{error::Error as StdError, fmt::Write, sync::Arc, time::Duration};
use tokio::time::timeout;

/// Longer words of a server or a plugin help nobody.
const LONGEST_WORDS: usize = 800;

/// A question that failed; the code of the answer where there was one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Failure {
    pub(super) code: Option<u16>,
    pub(super) problem: Problem,
}

/// Asks the API server in the name of one user.
#[derive(Clone)]
pub(super) struct Api {
    access: Arc<Access>,
    /// For every request but a watch.
    timeout: Duration,
    /// Its URL, for words.
    server: Arc<str>,
}

impl Api {
    pub(super) fn new(access: Access, timeout: Duration, server: &str) -> Self {
        Self { access: Arc::new(access), timeout, server: server.into() }
    }

    /// The whole body of a successful answer.
    pub(super) async fn get(&self, path: &str, what: &str) -> Result<Bytes, Failure> {
        self.whole(&Question { path, what, method: Method::GET, patch: None, watch: false }).await
    }

    pub(super) async fn merge_patch(&self, path: &str, body: Vec<u8>, what: &str) -> Result<(), Failure> {
        let question = Question { path, what, method: Method::PATCH, patch: Some(body.into()), watch: false };
        self.whole(&question).await.map(drop)
    }

    /// An open watch: the answer's head is waited for, its body is as long as the server likes.
    pub(super) async fn watch(&self, path: &str, what: &str) -> Result<Body, Failure> {
        let question = Question { path, what, method: Method::GET, patch: None, watch: true };
        let answer = timeout(self.timeout, self.answer(&question)).await;
        answer.unwrap_or_else(|_| Err(self.timed_out(what))).map_err(|failure| self.named(failure))
    }

    async fn whole(&self, question: &Question<'_>) -> Result<Bytes, Failure> {
        let what = question.what;
        let read = async {
            let body = self.answer(question).await?;
            body.collect_bytes().await.map_err(|error| failed(&error, what))
        };
        let answer = timeout(self.timeout, read).await;
        answer.unwrap_or_else(|_| Err(self.timed_out(what))).map_err(|failure| self.named(failure))
    }

    /// What concerns every question alike is said of the server, so that it is one problem and not one per question.
    fn named(&self, mut failure: Failure) -> Failure {
        let whole = matches!(
            failure.problem.cause,
            Cause::Unauthorized | Cause::Untrusted | Cause::Unreachable | Cause::Timeout
        );
        if whole {
            failure.problem.what = format!("ask the API server {}", self.server);
        }
        failure
    }

    /// A login that can be renewed is renewed once when it is refused.
    async fn answer(&self, question: &Question<'_>) -> Result<Body, Failure> {
        let (client, login) = self.access.client().await.map_err(Failure::from)?;
        let first = send(&client, question).await;
        match first {
            Err(failure) if failure.code == Some(401) && self.access.renew(login).await? => {
                let (client, _) = self.access.client().await?;
                send(&client, question).await
            }
            other => other,
        }
    }

    fn timed_out(&self, what: &str) -> Failure {
        let why = format!("no answer within {} s", self.timeout.as_secs_f32());
        Problem::new(Cause::Timeout, what, why).with_hint("--request-timeout sets how long to wait").into()
    }
}

struct Question<'a> {
    path: &'a str,
    what: &'a str,
    method: Method,
    patch: Option<Bytes>,
    watch: bool,
}

async fn send(client: &kube::Client, question: &Question<'_>) -> Result<Body, Failure> {
    let mut request = Request::builder()
        .method(question.method.clone())
        .uri(question.path)
        .header(header::ACCEPT, "application/json");
    if question.watch {
        // newer servers gzip each event by itself, which the decoder below kube cannot read
        request = request.header(header::ACCEPT_ENCODING, "identity");
    }
    if question.patch.is_some() {
        request = request.header(header::CONTENT_TYPE, "application/merge-patch+json");
    }
    let body = question.patch.clone().map_or_else(Body::empty, Body::from);
    let request =
        request.body(body).map_err(|error| Problem::new(Cause::Usage, question.what, error.to_string()))?;
    let answer = client.send(request).await.map_err(|error| failed(&error, question.what))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer.into_body());
    }
    let body = answer.into_body().collect_bytes().await.unwrap_or_default();
    Err(refused(status, &body, question.what))
}

/// The words of a `metav1.Status`, as much of it as is read.
#[derive(Deserialize, Default)]
struct StatusWords {
    #[serde(default)]
    message: String,
}

fn refused(status: StatusCode, body: &[u8], what: &str) -> Failure {
    let said = serde_json::from_slice::<StatusWords>(body).unwrap_or_default().message;
    answered(status.as_u16(), &said, what)
}

/// What an answer with this code means, whether it came as one or as an ERROR event inside a watch.
pub(super) fn answered(code: u16, said: &str, what: &str) -> Failure {
    let cause = match code {
        401 => Cause::Unauthorized,
        403 => Cause::Forbidden,
        404 => Cause::NotFound,
        429 => Cause::RateLimited,
        408 | 504 => Cause::Timeout,
        502 | 503 => Cause::Unreachable,
        400 | 422 => Cause::Invalid,
        _ => Cause::Other,
    };
    let name = StatusCode::from_u16(code).ok().and_then(|status| status.canonical_reason());
    let name = name.map_or_else(|| code.to_string(), |name| format!("{code} {name}"));
    let why = if said.is_empty() { name } else { format!("{name}: {}", capped(said)) };
    let problem = Problem::new(cause, what, why);
    let problem = match cause {
        Cause::Unauthorized => problem.with_hint("the credentials expired or are wrong: log in again"),
        Cause::RateLimited => problem.with_hint("the API server is busy: it will be asked again"),
        _ => problem,
    };
    Failure { code: Some(code), problem }
}

/// An error below HTTP, or inside kube.
pub(super) fn failed(error: &kube::Error, what: &str) -> Failure {
    if let kube::Error::Api(status) = error {
        return answered(status.code, &status.message, what);
    }
    let why = match error {
        kube::Error::Service(inner) => capped(&chain(&**inner)),
        _ => capped(&chain(error)),
    };
    let problem = match cause_of(error) {
        Cause::Untrusted => Problem::new(Cause::Untrusted, what, why)
            .with_hint("the kubeconfig's certificate authority does not fit the server's certificate"),
        Cause::Unauthorized => Problem::new(Cause::Unauthorized, what, why)
            .with_hint("the login of this context failed: log in again"),
        Cause::Timeout => Problem::new(Cause::Timeout, what, why),
        _ => Problem::new(Cause::Unreachable, what, why)
            .with_hint("is the server of this context running and reachable from here?"),
    };
    problem.into()
}

fn cause_of(error: &kube::Error) -> Cause {
    if matches!(error, kube::Error::Auth(_)) {
        return Cause::Unauthorized;
    }
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return Cause::Untrusted;
        }
        if error.is::<kube::client::AuthError>() {
            return Cause::Unauthorized;
        }
        next = match error.downcast_ref::<std::io::Error>() {
            Some(io) if io.kind() == std::io::ErrorKind::TimedOut => return Cause::Timeout,
            // an io::Error names the source of what it wraps, and skips the thing itself
            Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    Cause::Unreachable
}

/// At most so many characters as a person would read.
pub(super) fn capped(words: &str) -> String {
    let words = words.trim();
    match words.char_indices().nth(LONGEST_WORDS) {
        Some((at, _)) => format!("{}…", &words[..at]),
        None => words.to_owned(),
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { code: None, problem }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        failure.problem
    }
}

/// Path of a collection, in all namespaces or in one.
pub(super) fn collection(kind: Kind, version: &str, namespace: Option<&str>) -> String {
    let mut path = format!("/apis/{}/{version}/", kind.group());
    if let Some(namespace) = namespace {
        let _ = write!(path, "namespaces/{}/", segment(namespace));
    }
    path.push_str(kind.plural());
    path
}

/// Path of one object.
pub(super) fn object(id: &ObjectId, version: &str) -> String {
    format!("{}/{}", collection(id.kind, version, Some(&id.namespace)), segment(&id.name))
}

/// A name as one piece of a path, whatever it holds.
pub(super) fn segment(name: &str) -> String {
    let dots = name.bytes().all(|b| b == b'.');
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && !dots) {
            out.push(byte as char);
        } else {
            // writing into a String cannot fail
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// `path?key=value&…`, encoded.
pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_place_in_a_path() {
        let id = ObjectId::new(Kind::Kustomization, "../x", "a/b?c");
        let path = object(&id, "v1");
        assert_eq!(path, "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/..%2Fx/kustomizations/a%2Fb%3Fc");
        assert_eq!(segment(".."), "%2E%2E");
    }

    #[test]
    fn codes_decide_what_a_failure_is() {
        let cause = |code| answered(code, "words", "ask").problem.cause;
        assert_eq!(
            [401, 403, 404, 429, 503, 500].map(cause),
            [
                Cause::Unauthorized,
                Cause::Forbidden,
                Cause::NotFound,
                Cause::RateLimited,
                Cause::Unreachable,
                Cause::Other
            ]
        );
        assert_eq!(answered(403, "", "ask").problem.why, "403 Forbidden");
    }

    #[test]
    fn a_certificate_that_does_not_verify_is_told_by_its_type() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let io = std::io::Error::new(std::io::ErrorKind::InvalidData, tls);
        let error = kube::Error::Service(Box::new(io));
        assert_eq!(failed(&error, "ask").problem.cause, Cause::Untrusted);
        let io = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(failed(&kube::Error::Service(Box::new(io)), "ask").problem.cause, Cause::Unreachable);
    }
}
