//! What failed, why, and what to try. Stands wherever an answer would have stood; never replaces older answers.

use std::fmt;

/// A question that got no answer, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub cause: Cause,
    /// What was asked, e.g. `list tags of ghcr.io/acme/fleet`.
    pub what: String,
    /// The full cause, e.g. `401 UNAUTHORIZED: authentication required`. May hold text from outside.
    pub why: String,
    /// What to try next, if anything sensible is known.
    pub hint: Option<String>,
}

/// The kinds of failure that decide what happens next. Made from types and codes, never from message text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The credential is missing, wrong or expired (401).
    Unauthorized,
    /// The credential is known and not allowed (403).
    Forbidden,
    NotFound,
    /// The API server does not serve this kind.
    NotInstalled,
    Unreachable,
    Timeout,
    /// Too many requests (429, or a registry's `TOOMANYREQUESTS`).
    RateLimited,
    /// Certificates do not verify.
    Untrusted,
    /// The answer breaks the protocol or a limit of ours.
    Invalid,
    /// The question itself was wrong: a bad name, flag or file.
    Usage,
    /// The object is in a state that forbids the request (suspended, static).
    Refused,
    Other,
}

impl Cause {
    /// The thing asked for is not there at all.
    pub const fn is_absence(self) -> bool {
        matches!(self, Self::NotFound | Self::NotInstalled)
    }
}

impl Problem {
    pub fn new(cause: Cause, what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { cause, what: what.into(), why: why.into(), hint: None }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// An error and everything below it, joined by `: `, without repeating what the outer text already says.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(inner) = next {
        let words = inner.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = inner.source();
    }
    text
}
