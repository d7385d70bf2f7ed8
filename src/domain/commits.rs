//! The commits that two artifacts say they were made from, and where a person can see what lies between them. Whether
//! they say the truth is not known here.

use super::artifact::Artifact;

const SOURCE: &str = "org.opencontainers.image.source";
const REVISION: &str = "org.opencontainers.image.revision";

/// What stands between two artifacts, as far as both say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commits {
    /// The revisions as they are written. From outside.
    pub from: Option<Box<str>>,
    pub to: Option<Box<str>>,
    /// An https URL of a known kind of host, made of characters that mean nothing else.
    pub link: Option<String>,
}

impl Commits {
    pub fn between(from: &Artifact, to: &Artifact) -> Self {
        Self {
            from: from.annotation(REVISION).map(Into::into),
            to: to.annotation(REVISION).map(Into::into),
            link: link(from, to),
        }
    }
}

/// Of one repository on GitHub, or on a host named like GitHub or GitLab.
fn link(from: &Artifact, to: &Artifact) -> Option<String> {
    let page = page(from.annotation(SOURCE)?)?;
    if page != self::page(to.annotation(SOURCE)?)? {
        return None;
    }
    let (one, other) = (commit(from.annotation(REVISION)?)?, commit(to.annotation(REVISION)?)?);
    let host = page.strip_prefix("https://")?.split('/').next()?;
    let between = match host.split('.').next()? {
        _ if one == other => return None,
        "github" => "compare",
        "gitlab" => "-/compare",
        _ => return None,
    };
    Some(format!("{page}/{between}/{one}...{other}"))
}

/// The repository's page: https, a host, at least two names, nothing that a URL or a terminal could take for more.
fn page(source: &str) -> Option<String> {
    let rest = source.trim_end_matches('/').strip_prefix("https://")?;
    let rest = rest.strip_suffix(".git").unwrap_or(rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
    let named = rest.split('/').all(|name| !name.is_empty() && name != "." && name != "..");
    (rest.chars().all(plain) && named && rest.split('/').count() >= 3).then(|| format!("https://{rest}"))
}

/// `6.9.1@sha1:b3396adb…`, `main/b3396adb…` as older Flux wrote it, or the commit alone.
fn commit(revision: &str) -> Option<&str> {
    let behind = revision.rsplit(['@', '/']).next()?;
    let hex = behind.rsplit(':').next()?;
    let is_hex = hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (is_hex && (7..=64).contains(&hex.len())).then_some(hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_found_in_every_spelling_of_a_revision() {
        let hex = "b3396adb98a6a0f5eeedd1a600beaf5e954a1f28";
        for revision in
            [hex.to_owned(), format!("main@sha1:{hex}"), format!("a/b/{hex}"), format!("sha1:{hex}")]
        {
            assert_eq!(commit(&revision), Some(hex), "{revision}");
        }
        for revision in ["6.9.1", "main", "", "main@sha1:", "b3396a/../x", "B3396ADB98A6"] {
            assert_eq!(commit(revision), None, "{revision}");
        }
    }

    #[test]
    fn only_a_plain_https_page_is_linked() {
        for (source, expected) in [
            ("https://github.com/acme/app", Some("https://github.com/acme/app")),
            ("https://github.com/acme/app.git/", Some("https://github.com/acme/app")),
            ("https://github.com/acme/app.git", Some("https://github.com/acme/app")),
            ("https://gitlab.acme.example/a/b/c/", Some("https://gitlab.acme.example/a/b/c")),
            ("http://github.com/acme/app", None),
            ("https://github.com/acme", None),
            ("https://me:pass@github.com/acme/app", None),
            ("https://github.com/acme/app?x=1", None),
            ("https://github.com/acme/../app", None),
            ("https://github.com/acme/\u{202e}app", None),
            ("git@github.com:acme/app", None),
        ] {
            let expected = expected.map(ToOwned::to_owned);
            assert_eq!(page(source), expected, "{source}");
        }
    }
}
