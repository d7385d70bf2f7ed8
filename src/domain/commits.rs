//! From which commits two artifacts were made, and the page that compares them: read from their annotations, which
//! anybody may write. It asks nobody.

use super::artifact::Artifact;

/// Where a page that compares commits is to be found.
const SOURCE: &str = "org.opencontainers.image.source";
const REVISION: &str = "org.opencontainers.image.revision";

/// What stands between two artifacts, as far as both say it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commits {
    /// The revisions as they are written. From outside.
    pub from: Option<Box<str>>,
    pub to: Option<Box<str>>,
    pub link: Option<String>,
}

impl Commits {
    pub fn between(from: &Artifact, to: &Artifact) -> Self {
        Self {
            from: from.annotation(REVISION).map(Into::into),
            to: to.annotation(REVISION).map(Into::into),
            link: compare_link(&Says::of(from), &Says::of(to)),
        }
    }
}

/// What one artifact says of its origin, as written (`main@sha1:8fa1…`).
struct Says<'a> {
    source: Option<&'a str>,
    revision: Option<&'a str>,
}

impl<'a> Says<'a> {
    fn of(artifact: &'a Artifact) -> Self {
        Self { source: artifact.annotation(SOURCE), revision: artifact.annotation(REVISION) }
    }
}

/// The page that compares both commits: of forges that have one, over https only, of characters that no shell or
/// terminal would read as more than a link.
fn compare_link(from: &Says<'_>, to: &Says<'_>) -> Option<String> {
    let (before, after) = (hash(from.revision?)?, hash(to.revision?)?);
    let source = to.source?;
    let same = from.source.is_none_or(|other| repository(other) == repository(source));
    let (host, path) = repository(source)?;
    let compare = match forge(&host)? {
        Forge::GitHub | Forge::Gitea => "compare",
        Forge::GitLab => "-/compare",
    };
    (same && before != after).then(|| format!("https://{host}/{path}/{compare}/{before}...{after}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forge {
    GitHub,
    GitLab,
    /// And Forgejo.
    Gitea,
}

/// By its name: nobody is asked.
fn forge(host: &str) -> Option<Forge> {
    let name = host.split(':').next().unwrap_or(host);
    let labels: Vec<&str> = name.split('.').collect();
    let called = |word: &str| labels.contains(&word);
    match name {
        "github.com" => Some(Forge::GitHub),
        "gitlab.com" => Some(Forge::GitLab),
        "codeberg.org" | "gitea.com" => Some(Forge::Gitea),
        _ if called("github") => Some(Forge::GitHub),
        _ if called("gitlab") => Some(Forge::GitLab),
        _ if called("gitea") || called("forgejo") => Some(Forge::Gitea),
        _ => None,
    }
}

/// Host and path of `https://host/owner/name.git`, `git@host:owner/name`, `ssh://git@host/owner/name`.
fn repository(source: &str) -> Option<(String, String)> {
    let (host, path) = if let Some(rest) = source.strip_prefix("https://") {
        rest.split_once('/')?
    } else if let Some(rest) = source.strip_prefix("ssh://git@") {
        let (host, path) = rest.split_once('/')?;
        // the port of ssh is not that of the pages
        (host.split(':').next()?, path)
    } else {
        source.strip_prefix("git@")?.split_once(':')?
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let plain = |text: &str, more: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    let parts: Vec<&str> = path.split('/').collect();
    let named = parts.len() >= 2 && parts.iter().all(|part| !part.is_empty() && !part.starts_with('.'));
    (plain(host, "-.:") && plain(path, "-_./") && named).then(|| (host.to_ascii_lowercase(), path.to_owned()))
}

/// The hash in `main@sha1:8fa1…`, `main/8fa1…` or alone.
fn hash(revision: &str) -> Option<&str> {
    let hash = revision.rsplit([':', '/', '@']).next()?;
    let hexadecimal = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hexadecimal && (7..=64).contains(&hash.len())).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    fn says<'a>(source: &'a str, revision: &'a str) -> Says<'a> {
        Says { source: Some(source), revision: Some(revision) }
    }

    fn check(source: &str, expected: Option<&str>) {
        let link = compare_link(&says(source, "main@sha1:8fa1c3d0"), &says(source, "main@sha1:9ab00c1d"));
        assert_eq!(link.as_deref(), expected, "{source}");
    }

    #[test]
    fn forges_have_a_page_that_compares_two_commits() {
        check(
            "https://github.com/acme/web.git",
            Some("https://github.com/acme/web/compare/8fa1c3d0...9ab00c1d"),
        );
        check("git@github.com:acme/web.git", Some("https://github.com/acme/web/compare/8fa1c3d0...9ab00c1d"));
        check(
            "ssh://git@gitlab.acme.io:2222/a/b/web.git",
            Some("https://gitlab.acme.io/a/b/web/-/compare/8fa1c3d0...9ab00c1d"),
        );
        check(
            "https://codeberg.org/acme/web",
            Some("https://codeberg.org/acme/web/compare/8fa1c3d0...9ab00c1d"),
        );
    }

    #[test]
    fn what_is_no_known_forge_or_no_plain_link_makes_none() {
        for source in [
            "http://github.com/acme/web",
            "https://example.org/acme/web",
            "https://github.com/acme",
            "https://github.com/../../web",
            "https://github.com/acme/web?x=$(id)",
            "https://user:pass@github.com/acme/web",
            "https://github.com.evil.io@x/acme/web",
            "javascript:alert(1)",
        ] {
            check(source, None);
        }
    }

    #[test]
    fn a_revision_without_a_hash_or_the_same_one_makes_none() {
        let source = "https://github.com/acme/web";
        let of = |from, to| compare_link(&says(source, from), &says(source, to));
        assert_eq!(of("6.9.1", "main@sha1:9ab00c1d"), None);
        assert_eq!(of("main@sha1:9ab00c1d", "main@sha1:9ab00c1d"), None);
        assert!(of("main/8fa1c3d", "8fa1c3de").is_some());
        let other = says("https://github.com/acme/other", "8fa1c3d0");
        assert_eq!(compare_link(&other, &says(source, "9ab00c1d")), None);
    }
}
