//! What a person types to name an artifact, and what that is in this world: one parser for every command and screen.
//! Pure: it opens no file and asks no registry.

mod resolve;

pub use resolve::{Resolved, Unresolved, held, ran};

use super::{
    digest::Digest,
    identity::{Kind, is_dns_name},
    nearest::kind_like,
    plain::Plain,
    problem::{Cause, Problem},
    repository::{Repository, RepositoryError, is_tag},
};
use std::{fmt, path::PathBuf, str::FromStr};

/// A name for an artifact. Nothing says yet that it exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// `oci://HOST/REPOSITORY[:TAG][@DIGEST]`. Without either it is the tag `latest`, as in an OCIRepository without
    /// a ref (`reference/flux.md` §1.3).
    Registry {
        repository: Repository,
        at: At,
    },
    /// `ocirepo/NAME`, `hc/NAME`, `hr/NAME`, `ks/NAME`: what the object runs.
    Running {
        kind: Kind,
        name: Box<str>,
    },
    /// `ocirepo/NAME:TAG` or `ocirepo/NAME@DIGEST`: another artifact of its repository, seen with its eyes.
    Candidate {
        name: Box<str>,
        at: At,
    },
    /// `oci-layout:PATH[:TAG][@DIGEST]`; without either its only manifest.
    Layout {
        path: PathBuf,
        at: At,
    },
    /// A `.tgz` or `.tar.gz`.
    Archive(PathBuf),
    Directory(PathBuf),
}

/// Which artifact of a repository. A digest beats the tag beside it, as everywhere in OCI.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct At {
    pub tag: Option<Box<str>>,
    pub digest: Option<Digest>,
}

/// The part of a reference that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// It is none of the forms.
    Form,
    Host,
    Repository,
    Tag,
    Digest,
    Kind,
    Name,
    File,
}

/// Why a text names no artifact. Safe to print: what was typed is escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}; {hint}")]
pub struct ReferenceError {
    pub part: Part,
    pub why: String,
    /// What to type instead.
    pub hint: String,
}

impl ReferenceError {
    fn new(part: Part, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { part, why: why.into(), hint: hint.into() }
    }

    pub fn problem(&self) -> Problem {
        Problem::new(Cause::Usage, "read the reference", &self.why).with_hint(&self.hint)
    }
}

/// The kinds that run an artifact.
const RUNNERS: [&str; 4] = ["ocirepo", "hc", "hr", "ks"];

const FORMS: &str = "oci://HOST/REPOSITORY:TAG (or @sha256:…), ocirepo/NAME (:TAG, @sha256:…), hc/NAME, hr/NAME, \
                     ks/NAME, oci-layout:PATH, FILE.tgz or ./FOLDER";

impl Reference {
    /// Reads what was typed; the error says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        if let Some(rest) = text.strip_prefix("oci-layout:") {
            return layout(rest);
        }
        if let Some(rest) = text.strip_prefix("oci://") {
            return registry(rest);
        }
        if let Some((scheme, _)) = text.split_once("://") {
            let why = format!("{} is no scheme of an artifact", quoted(scheme));
            return Err(ReferenceError::new(Part::Form, why, "registries are named by oci://"));
        }
        match text.split_once('/') {
            _ if is_archive(text) => Ok(Self::Archive(text.into())),
            _ if is_place(text) => Ok(Self::Directory(text.into())),
            Some((word, name)) => match Kind::from_word(word) {
                Some(kind) => object(kind, name),
                None if name.is_empty() || name.ends_with('/') => Ok(Self::Directory(text.into())),
                None => Err(no_form(text, word)),
            },
            None => Err(no_form(text, text)),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

impl At {
    /// What a registry is asked for: the digest, else the tag.
    pub fn wanted(&self) -> Option<&str> {
        self.digest.as_ref().map(Digest::as_str).or(self.tag.as_deref())
    }

    const fn is_empty(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry { repository, at } => write!(f, "oci://{repository}{at}"),
            Self::Running { kind, name } => write!(f, "{}/{name}", kind.short()),
            Self::Candidate { name, at } => write!(f, "{}/{name}{at}", Kind::OciRepository.short()),
            Self::Layout { path, at } => write!(f, "oci-layout:{}{at}", path.display()),
            Self::Archive(path) | Self::Directory(path) => write!(f, "{}", path.display()),
        }
    }
}

fn is_archive(text: &str) -> bool {
    [".tgz", ".tar.gz"].iter().any(|end| text.ends_with(end))
}

/// A path that can be nothing else.
fn is_place(text: &str) -> bool {
    text == "." || text == ".." || ["./", "../", "/"].iter().any(|start| text.starts_with(start))
}

fn registry(rest: &str) -> Result<Reference, ReferenceError> {
    let (name, behind) = rest.split_at(end_of_name(rest, rest.find('@')));
    let at = at(behind)?;
    if !name.contains('/') && (name.contains('.') || name == "localhost") {
        let why = format!("{} is a host without a repository", quoted(name));
        return Err(ReferenceError::new(Part::Repository, why, "oci://HOST/REPOSITORY:TAG"));
    }
    let repository = Repository::parse_name(name).map_err(|error| not_a_repository(&error))?;
    Ok(Reference::Registry { repository, at })
}

fn not_a_repository(error: &RepositoryError) -> ReferenceError {
    let why = Plain::line(&error.to_string()).into_string();
    match error {
        RepositoryError::Authority(_) => {
            ReferenceError::new(Part::Host, why, "HOST or HOST:PORT, e.g. ghcr.io")
        }
        RepositoryError::Characters(path) if path.chars().any(|c| c.is_ascii_uppercase()) => {
            ReferenceError::new(Part::Repository, why, "repositories are written in lower case")
        }
        RepositoryError::NotOci
        | RepositoryError::Empty
        | RepositoryError::Length(_)
        | RepositoryError::Characters(_) => {
            ReferenceError::new(Part::Repository, why, "oci://HOST/REPOSITORY:TAG")
        }
    }
}

/// Where the name ends and `:TAG` or `@DIGEST` begins. A colon before the last slash is a port's.
fn end_of_name(text: &str, digest: Option<usize>) -> usize {
    let end = digest.unwrap_or(text.len());
    let last = text[..end].rfind('/').map_or(0, |slash| slash + 1);
    text[last..end].find(':').map_or(end, |colon| last + colon)
}

/// `:TAG`, `@DIGEST`, both or nothing.
fn at(text: &str) -> Result<At, ReferenceError> {
    let (tag, digest) = match text.split_once('@') {
        Some((tag, digest)) => (tag, Some(digest_of(digest)?)),
        None => (text, None),
    };
    let tag = tag.strip_prefix(':').map(tag_of).transpose()?;
    Ok(At { tag, digest })
}

fn digest_of(text: &str) -> Result<Digest, ReferenceError> {
    let hint = "sha256: and 64 hexadecimal digits in lower case";
    let digest = Digest::parse(text).ok().filter(Digest::is_oci);
    digest.ok_or_else(|| ReferenceError::new(Part::Digest, format!("{} is no digest", quoted(text)), hint))
}

fn tag_of(text: &str) -> Result<Box<str>, ReferenceError> {
    if is_tag(text) {
        return Ok(text.into());
    }
    let hint = if is_tag(&text.replace('+', "_")) {
        "in a tag `+` is written `_`"
    } else {
        "letters, digits, `_`, `.` and `-`, at most 128, no `.` or `-` in front"
    };
    Err(ReferenceError::new(Part::Tag, format!("{} is no tag", quoted(text)), hint))
}

fn object(kind: Kind, rest: &str) -> Result<Reference, ReferenceError> {
    if let Some(hint) = holds_nothing(kind) {
        return Err(ReferenceError::new(
            Part::Kind,
            format!("a {kind} holds no OCI artifact by itself"),
            hint,
        ));
    }
    let (name, behind) = rest.split_at(rest.find([':', '@']).unwrap_or(rest.len()));
    if !is_dns_name(name) {
        let why = match name {
            "" => format!("no {kind} is named"),
            name => format!("{} cannot be the name of an object", quoted(name)),
        };
        let hint = format!("{0}/NAME; a folder is named by ./{0}/", kind.short());
        return Err(ReferenceError::new(Part::Name, why, hint));
    }
    let at = at(behind)?;
    match kind {
        _ if at.is_empty() => Ok(Reference::Running { kind, name: name.into() }),
        Kind::OciRepository => Ok(Reference::Candidate { name: name.into(), at }),
        _ => {
            let why = format!("{}/{name} is what it runs: it takes no tag and no digest", kind.short());
            Err(ReferenceError::new(Part::Tag, why, "ocirepo/NAME:TAG or oci://HOST/REPOSITORY:TAG"))
        }
    }
}

/// What to name instead of a kind that runs no artifact of a registry.
const fn holds_nothing(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::OciRepository | Kind::HelmChart | Kind::Kustomization | Kind::HelmRelease => None,
        Kind::HelmRepository => Some("its charts do: hc/NAME or hr/NAME"),
        Kind::ExternalArtifact => {
            Some("it is made in the cluster; name the source it is made of: ocirepo/NAME")
        }
        Kind::GitRepository | Kind::Bucket => Some("fluxscope looks into OCI registries only: ocirepo/NAME"),
    }
}

/// `PATH[:TAG][@DIGEST]`. What follows a colon behind the last slash is a tag.
fn layout(text: &str) -> Result<Reference, ReferenceError> {
    let digest = text.rfind('@').filter(|sign| !text[*sign..].contains('/'));
    let (path, behind) = text.split_at(end_of_name(text, digest));
    let at = at(behind)?;
    if path.is_empty() {
        let hint = "oci-layout:PATH, oci-layout:PATH:TAG or oci-layout:PATH@sha256:…";
        return Err(ReferenceError::new(Part::File, "the folder of the layout is not named", hint));
    }
    Ok(Reference::Layout { path: path.into(), at })
}

/// The commonest slips: `oci://` left out, a kind misspelt, a file that is named like none.
fn no_form(text: &str, word: &str) -> ReferenceError {
    let shown = quoted(text);
    if text.is_empty() {
        return ReferenceError::new(Part::Form, "nothing is named", FORMS);
    }
    if word != text && word.contains(['.', ':']) {
        let hint = format!("put oci:// in front: oci://{}", Plain::line(text));
        return ReferenceError::new(Part::Form, format!("{shown} names no registry"), hint);
    }
    let ending = text.rsplit('/').next().and_then(|file| file.split_once('.'));
    if let Some((_, "tar" | "tar.zst" | "tar.xz" | "tar.bz2" | "zip")) = ending {
        let why = format!("{shown} is no archive that Flux could read");
        return ReferenceError::new(Part::File, why, "archives end in .tgz or .tar.gz");
    }
    if word == text {
        let hint =
            format!("ocirepo/{0} for what an OCIRepository runs, ./{0} for a folder", Plain::line(text));
        return ReferenceError::new(Part::Form, format!("{shown} alone names no artifact"), hint);
    }
    let kinds = RUNNERS.join(", ");
    let hint = match kind_like(word, &RUNNERS) {
        Some(near) => format!("did you mean {near}? Kinds: {kinds}"),
        None => format!("kinds: {kinds}; a registry begins with oci://, a folder with ./"),
    };
    ReferenceError::new(Part::Kind, format!("there is no kind {}", quoted(word)), hint)
}

fn quoted(text: &str) -> String {
    format!("{:?}", Plain::line(text).as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::digest;

    fn parsed(text: &str) -> Reference {
        Reference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[track_caller]
    fn refused(text: &str, part: Part, words: &str) {
        let error = Reference::parse(text).unwrap_err();
        assert_eq!(error.part, part, "{text}: {error}");
        assert!(error.to_string().contains(words), "{text}: {error}");
    }

    #[test]
    fn every_form_is_read_and_written_as_it_was() {
        let digest = digest('a');
        for text in [
            "oci://ghcr.io/acme/app".to_owned(),
            "oci://ghcr.io/acme/app:1.0.0".to_owned(),
            "oci://127.0.0.1:5000/app:1.0.0".to_owned(),
            format!("oci://ghcr.io/acme/app@{digest}"),
            format!("oci://ghcr.io/acme/app:1.0.0@{digest}"),
            "ocirepo/app".to_owned(),
            "ocirepo/app:1.0.0".to_owned(),
            format!("ocirepo/app@{digest}"),
            "hc/shop-app".to_owned(),
            "hr/app".to_owned(),
            "ks/a.b-1".to_owned(),
            "oci-layout:../made/here".to_owned(),
            "oci-layout:/a:b/c:1.0.0".to_owned(),
            format!("oci-layout:c:1.0.0@{digest}"),
            format!("oci-layout:./a@b/c@{digest}"),
            "app-1.0.0.tgz".to_owned(),
            "oci/app.tar.gz".to_owned(),
            "./app".to_owned(),
            "/srv/app".to_owned(),
            "../app/".to_owned(),
            "app/".to_owned(),
            ".".to_owned(),
        ] {
            assert_eq!(parsed(&text).to_string(), text);
        }
    }

    #[test]
    fn a_kind_may_be_written_as_kubectl_takes_it() {
        let running = Reference::Running { kind: Kind::Kustomization, name: "app".into() };
        for text in ["ks/app", "Kustomization/app", "kustomizations/app"] {
            assert_eq!(parsed(text), running);
        }
    }

    #[test]
    fn a_digest_beats_the_tag_beside_it() {
        let Reference::Candidate { at, .. } = parsed(&format!("ocirepo/app:1.0.0@{}", digest('a'))) else {
            panic!("a candidate");
        };
        assert_eq!(at.wanted(), Some(digest('a').as_str()));
    }

    #[test]
    fn a_path_is_an_archive_by_its_ending_and_a_folder_without() {
        assert!(matches!(parsed("./x.tgz"), Reference::Archive(_)));
        assert!(matches!(parsed("/a/x.tar.gz"), Reference::Archive(_)));
        assert!(matches!(parsed("x.tgz/"), Reference::Directory(_)));
        assert!(matches!(parsed("./ks/app"), Reference::Directory(_)));
    }

    #[test]
    fn an_error_says_which_part_is_wrong_and_what_to_type() {
        refused("", Part::Form, "nothing is named; oci://HOST/REPOSITORY:TAG");
        refused("app", Part::Form, "ocirepo/app for what an OCIRepository runs, ./app for a folder");
        refused("ghcr.io/acme/app:1", Part::Form, "put oci:// in front: oci://ghcr.io/acme/app:1");
        refused("localhost:5000/app", Part::Form, "oci://localhost:5000/app");
        refused("https://ghcr.io/a", Part::Form, "\"https\" is no scheme of an artifact");
        refused("oci://", Part::Repository, "a repository name must be specified");
        refused("oci://ghcr.io", Part::Repository, "is a host without a repository");
        refused("oci://localhost:5000", Part::Repository, "is a host without a repository");
        refused("oci://ghcr.io/Acme/app", Part::Repository, "lower case");
        refused("oci://gh cr.io/acme/app", Part::Host, "HOST:PORT");
        refused("oci://ghcr.io/acme/app:", Part::Tag, "\"\" is no tag");
        refused("oci://ghcr.io/acme/app:1:2", Part::Tag, "\"1:2\" is no tag");
        refused("oci://ghcr.io/acme/app:1.0+a", Part::Tag, "`+` is written `_`");
        refused("ocirepo/app:../x", Part::Tag, "is no tag");
        refused("oci://ghcr.io/acme/app@sha256:abc", Part::Digest, "64 hexadecimal digits");
        refused("ocirepo/app@1.0.0", Part::Digest, "\"1.0.0\" is no digest");
        refused(&format!("ocirepo/app@sha1:{}", "a".repeat(40)), Part::Digest, "is no digest");
        refused("pods/app", Part::Kind, "there is no kind \"pods\"; kinds: ocirepo, hc, hr, ks");
        refused("ocirep/app", Part::Kind, "did you mean ocirepo?");
        refused("helmrepo/charts", Part::Kind, "its charts do: hc/NAME or hr/NAME");
        refused("ea/app", Part::Kind, "made in the cluster");
        refused("gitrepo/app", Part::Kind, "OCI registries only");
        refused("ks/", Part::Name, "no Kustomization is named; ks/NAME; a folder is named by ./ks/");
        refused("ks/App", Part::Name, "\"App\" cannot be the name");
        refused("ks/a/b", Part::Name, "\"a/b\" cannot be the name");
        refused("hr/app:1.0.0", Part::Tag, "hr/app is what it runs");
        refused("oci-layout:", Part::File, "the folder of the layout is not named");
        refused("oci-layout:a:b:c", Part::Tag, "\"b:c\" is no tag");
        refused("oci-layout:a@b", Part::Digest, "\"b\" is no digest");
        refused("app.tar", Part::File, "archives end in .tgz or .tar.gz");
    }

    #[test]
    fn what_was_typed_is_escaped_in_the_error() {
        for text in ["oci://a\u{1b}[2J.io/x:1", "ks/\u{202e}", "\u{9b}", "a.io/\u{1b}", "oci-layout:x:\u{1b}"]
        {
            let error = Reference::parse(text).unwrap_err().to_string();
            assert!(!error.chars().any(crate::domain::plain::is_deceptive), "{error:?}");
        }
    }
}
