//! Why a request got no good answer: errors of the transport and statuses of a registry, told apart by type and code.
//! Bodies are quoted only as far as a registry's error envelope or a plain sentence goes.

use super::transport::Answer;
use crate::domain::{
    artifact::asked_with,
    problem::{Cause, Problem},
};
use reqwest::{StatusCode, header};
use serde::Deserialize;
use std::{error::Error, io, time::Duration};

/// More than this of a foreign sentence is not repeated.
const LONGEST_WORDS: usize = 400;

/// A [`Problem`] that does not know yet what was asked.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) cause: Cause,
    pub(super) why: String,
    pub(super) hint: Option<String>,
    pub(super) retry: Retry,
}

/// What was told whole already: it is not tried again.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { cause: problem.cause, why: problem.why, hint: problem.hint, retry: Retry::Never }
    }
}

/// What may be tried after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Retry {
    Never,
    /// The connection broke: the same request again.
    Again,
    /// No connection, or nothing that speaks TLS: plain HTTP, where it is allowed.
    PlainHttp,
}

/// What helps where nobody answers at all.
const UNREACHABLE: &str = "check the name, the port and the way there (proxy, VPN): a registry that only the cluster \
                           reaches cannot be asked from here";

impl Failure {
    pub(super) fn new(cause: Cause, why: impl Into<String>) -> Self {
        Self { cause, why: why.into(), hint: None, retry: Retry::Never }
    }

    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn into_problem(self, what: &str) -> Problem {
        let hint = self.hint.or_else(|| (self.cause == Cause::Unreachable).then(|| UNREACHABLE.to_owned()));
        Problem { cause: self.cause, what: what.to_owned(), why: self.why, hint }
    }

    /// What is not there may only be hidden from the login that asked.
    #[must_use]
    pub(super) fn asked_with(self, login: &str) -> Self {
        if self.cause != Cause::NotFound || self.hint.is_some() {
            return self;
        }
        self.with_hint(format!("nothing is under this name, or it may not be seen: {}", asked_with(login)))
    }

    pub(super) fn timed_out(why: &str, after: Duration) -> Self {
        Self::new(Cause::Timeout, format!("{why} within {}", span(after)))
    }

    /// Reads an error of the HTTP client by its types.
    pub(super) fn of(error: &reqwest::Error) -> Self {
        let why = root(error);
        if let Some(tls) = find::<rustls::Error>(error) {
            return Self::of_tls(tls, why);
        }
        if error.is_timeout() {
            let (why, retry) = if error.is_connect() {
                ("no connection in time", Retry::PlainHttp)
            } else {
                ("no answer in time", Retry::Never)
            };
            return Self { retry, ..Self::new(Cause::Timeout, why) };
        }
        let mut failure = Self::new(Cause::Unreachable, why);
        if error.is_connect() && causes(error).any(is_no_tls) {
            failure.retry = Retry::PlainHttp;
        } else if !error.is_connect() && (error.is_request() || error.is_body() || error.is_decode()) {
            failure.retry = Retry::Again;
        }
        failure
    }

    fn of_tls(error: &rustls::Error, why: String) -> Self {
        match error {
            rustls::Error::InvalidCertificate(_) => Self::new(Cause::Untrusted, why)
                .with_hint("--registry-ca FILE adds a certificate authority to the system's own"),
            rustls::Error::InvalidMessage(_) => {
                let retry = Retry::PlainHttp;
                Self { retry, ..Self::new(Cause::Unreachable, "the port does not speak TLS") }
            }
            _ => Self::new(Cause::Unreachable, why),
        }
    }

    /// A status that is not the answer asked for.
    pub(super) fn of_status(answer: &Answer) -> Self {
        let envelope = Envelope::read(&answer.body);
        let too_many = envelope.errors.iter().any(|error| error.code == "TOOMANYREQUESTS");
        let cause = if too_many { Cause::RateLimited } else { cause_of(answer.status) };
        let why = match envelope.words() {
            Some(words) => format!("{} {words}", answer.status.as_u16()),
            None => describe(answer),
        };
        let failure = Self::new(cause, why);
        match answer.asked_to_wait().filter(|_| cause == Cause::RateLimited) {
            Some(delay) => failure.with_hint(format!("the registry asks to wait {}", span(delay))),
            None => failure,
        }
    }
}

fn cause_of(status: StatusCode) -> Cause {
    match status.as_u16() {
        401 => Cause::Unauthorized,
        403 => Cause::Forbidden,
        404 => Cause::NotFound,
        429 => Cause::RateLimited,
        408 | 499 => Cause::Timeout,
        502..=504 | 522 => Cause::Unreachable,
        400..=499 => Cause::Invalid,
        _ => Cause::Other,
    }
}

/// The status line, and a plain-text body's first line.
fn describe(answer: &Answer) -> String {
    let status = answer.status.canonical_reason().unwrap_or("");
    let line = format!("{} {status}", answer.status.as_u16()).trim_end().to_owned();
    let text = answer.content_type().filter(|kind| kind == "text/plain");
    let words = text.and_then(|_| std::str::from_utf8(&answer.body).ok()?.lines().next());
    match words.map(str::trim) {
        Some(words) if !words.is_empty() && !line.contains(words) => format!("{line}: {}", shorten(words)),
        _ => line,
    }
}

/// The error document of the OCI distribution spec; token services use the same, or OAuth's two words.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    errors: Vec<Complaint>,
    /// Some registries and token services answer with one sentence instead.
    details: Option<String>,
    error_description: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Complaint {
    code: String,
    message: String,
}

impl Envelope {
    fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// `UNAUTHORIZED: authentication required`
    fn words(&self) -> Option<String> {
        let complaints = self.errors.iter().map(|error| match (&*error.code, &*error.message) {
            ("", message) => message.to_owned(),
            (code, "") => code.to_owned(),
            (code, message) => format!("{code}: {message}"),
        });
        let mut words = complaints.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("; ");
        if words.is_empty() {
            words = self.details.clone().or_else(|| self.error_description.clone())?;
        }
        (!words.is_empty()).then(|| shorten(&words))
    }
}

/// The message of a failure, if it has an envelope: GHCR writes its delay there.
pub(super) fn message_of(body: &[u8]) -> Option<String> {
    Envelope::read(body).words()
}

pub(super) fn shorten(words: &str) -> String {
    match words.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// `30 s`, `250 ms`, `4 min`.
pub(super) fn span(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        1000..120_000 => format!("{} s", time.as_secs()),
        _ => format!("{} min", time.as_secs() / 60),
    }
}

/// An error and everything below it. An `io::Error` hides what it wraps from `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref::<T>())
}

/// The innermost cause: the one that names what happened. It holds no URL.
fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or_else(String::new, |cause| shorten(&cause.to_string()))
}

fn is_no_tls(cause: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, UnexpectedEof};
    cause.downcast_ref::<io::Error>().is_some_and(|error| {
        let kinds = [ConnectionRefused, ConnectionReset, ConnectionAborted, BrokenPipe, UnexpectedEof];
        kinds.contains(&error.kind())
    })
}

/// How long a failed answer asks to wait: `Retry-After` as seconds or a date, or GHCR's words.
pub(super) fn delay_of(headers: &header::HeaderMap, body: &[u8]) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok();
    match text(header::RETRY_AFTER) {
        Some(value) => match value.trim().parse::<u64>() {
            Ok(seconds) => Some(Duration::from_secs(seconds)),
            Err(_) => until(value, text(header::DATE)),
        },
        None => delay_in_words(&message_of(body)?),
    }
}

/// From the answer's own clock where it has one, else from ours.
fn until(date: &str, now: Option<&str>) -> Option<Duration> {
    let read = |text: &str| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let wait = read(date)?.duration_since(now.and_then(read).unwrap_or_else(clock));
    Some(Duration::try_from(wait).unwrap_or_default())
}

#[expect(clippy::disallowed_methods, reason = "a date in a header means something only against the clock")]
fn clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// `retry-after: 10.3ms, allowed: 2000/minute`
fn delay_in_words(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("retry-after:")?;
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let number: f64 = rest[..end].parse().ok()?;
    let unit = rest[end..].split(|c: char| !c.is_alphabetic()).next().unwrap_or("");
    let seconds = match unit {
        "ms" => number / 1e3,
        "µs" | "us" => number / 1e6,
        "" | "s" => number,
        "m" => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    #[test]
    fn a_delay_is_read_from_seconds_a_date_or_words() {
        let header = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
            headers.insert(header::DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
            delay_of(&headers, b"")
        };
        assert_eq!(header("7"), Some(Duration::from_secs(7)));
        assert_eq!(header("Sun, 06 Nov 1994 08:49:40 GMT"), Some(Duration::from_secs(3)));
        assert_eq!(header("Sun, 06 Nov 1994 08:49:30 GMT"), Some(Duration::ZERO));
        assert_eq!(header("soon"), None);
        let body = br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"retry-after: 10.5ms, allowed: 2000/minute"}]}"#;
        assert_eq!(delay_of(&HeaderMap::new(), body), Some(Duration::from_micros(10_500)));
    }

    #[test]
    fn an_envelope_becomes_code_and_words_and_other_documents_do_not() {
        let body = br#"{"errors":[{"code":"NAME_UNKNOWN","message":"","detail":{}},{"message":"odd"}]}"#;
        assert_eq!(message_of(body).as_deref(), Some("NAME_UNKNOWN; odd"));
        assert_eq!(
            message_of(br#"{"details":"incorrect username or password"}"#).as_deref(),
            Some("incorrect username or password")
        );
        for other in [&b"<html>"[..], b"[]", b"{}", b"", br#"{"errors":"x"}"#] {
            assert_eq!(message_of(other), None);
        }
    }

    #[test]
    fn foreign_words_are_repeated_only_so_far() {
        assert_eq!(shorten(&"é".repeat(1000)).chars().count(), LONGEST_WORDS + 1);
    }
}
