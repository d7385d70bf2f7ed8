//! What of `valuesFrom` is not known, and why: the words for a person and for scripts. It reads nothing.

use super::{ConfigKind, Lens, ReleaseLens, ValuesFrom, ValuesState};
use crate::domain::{problem::Cause, quote::quote};

impl Lens {
    /// With which values it was looked, where that is not plain.
    pub fn values_words(&self) -> Option<&'static str> {
        let Self::Release(release) = self else { return None };
        let secrets = || release.values_from.iter().filter(|from| from.kind == ConfigKind::Secret);
        let was_read = secrets().any(|from| from.state == ValuesState::Read);
        let mut unread = release.unread().peekable();
        match (unread.peek().is_some(), was_read) {
            (false, true) => Some("with the Secrets of valuesFrom"),
            (false, false) => None,
            (true, false) if unread.all(|from| from.kind == ConfigKind::Secret) => {
                Some("without the Secrets of valuesFrom")
            }
            (true, _) => Some("not all of valuesFrom was read"),
        }
    }

    /// What of `valuesFrom` is not known, in sentences: each object once for each reason.
    pub fn unread_notes(&self) -> Vec<String> {
        let Self::Release(release) = self else { return Vec::new() };
        let (mut unasked, mut notes) = (Vec::new(), Vec::new());
        for from in release.unread() {
            match from.why_unread(&release.id.namespace) {
                Some(why) => push_new(&mut notes, format!("valuesFrom: {why}")),
                None => push_new(&mut unasked, from.to_string()),
            }
        }
        if let Some((last, before)) = unasked.split_last() {
            let names =
                if before.is_empty() { last.clone() } else { format!("{} and {last}", before.join(", ")) };
            let word = if before.is_empty() { "was" } else { "were" };
            let note = format!("valuesFrom: {names} {word} not read: {ASK} reads what they say");
            notes.insert(0, note);
        }
        notes
    }

    /// What could help a rendering that fails.
    pub fn unread_hint(&self) -> Option<String> {
        let Self::Release(release) = self else { return None };
        let mut unread = release.unread().peekable();
        unread.peek()?;
        let unasked = unread.any(|from| from.state == ValuesState::NotRead);
        let why = if unasked {
            format!("{ASK} reads the Secrets of valuesFrom")
        } else {
            "not all of valuesFrom could be read".to_owned()
        };
        Some(format!("values are missing: {why}"))
    }
}

/// Where it is asked for: the key of the screen, the option of the command.
const ASK: &str = "Shift-V or --read-secrets";

impl ReleaseLens {
    fn unread(&self) -> impl Iterator<Item = &ValuesFrom> {
        self.values_from.iter().filter(|from| !from.state.is_known())
    }

    /// `Secret own-values (forbidden)`, each once.
    pub fn unread_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for from in self.unread() {
            push_new(&mut names, format!("{from} ({})", from.state.words()));
        }
        names
    }
}

impl ValuesFrom {
    /// None: nobody asked.
    fn why_unread(&self, namespace: &str) -> Option<String> {
        const FAILS: &str = "helm-controller would fail on that, it is not optional";
        let name = || format!("{} {namespace}/{}", self.kind.name(), self.name);
        match &self.state {
            ValuesState::NotRead | ValuesState::Read | ValuesState::Absent => None,
            ValuesState::Missing => Some(format!("{} is not there: {FAILS}", name())),
            ValuesState::NoKey => Some(format!("{} has no key {}: {FAILS}", name(), quote(&self.key))),
            ValuesState::Failed(problem) => {
                let hint = problem.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
                Some(format!("could not {}: {}{hint}", problem.what, problem.why))
            }
        }
    }
}

impl std::fmt::Display for ValuesFrom {
    /// `Secret own-values`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.name)
    }
}

impl ValuesState {
    /// What it says is in the values, or rightly nothing is.
    pub const fn is_known(&self) -> bool {
        match self {
            Self::Read | Self::Absent => true,
            Self::NotRead | Self::Missing | Self::NoKey | Self::Failed(_) => false,
        }
    }

    /// As scripts know it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotRead => "not-asked",
            Self::Read => "read",
            Self::Absent => "absent",
            Self::Missing => "not-found",
            Self::NoKey => "no-key",
            Self::Failed(problem) if is_forbidden(problem.cause) => "forbidden",
            Self::Failed(_) => "unreadable",
        }
    }

    const fn words(&self) -> &'static str {
        match self {
            Self::NotRead => "not asked for",
            Self::Missing => "not there",
            Self::NoKey => "without the key",
            Self::Read | Self::Absent | Self::Failed(_) => self.word(),
        }
    }
}

const fn is_forbidden(cause: Cause) -> bool {
    matches!(cause, Cause::Forbidden)
}

fn push_new(all: &mut Vec<String>, one: String) {
    if !all.contains(&one) {
        all.push(one);
    }
}
