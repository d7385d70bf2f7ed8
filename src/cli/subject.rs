//! What a person names on the command line: kinds, KIND/NAME and repositories. It looks nothing up.

use crate::domain::{
    identity::{Kind, is_dns_name},
    nearest::kind_like,
    plain::Plain,
    repository::{Repository, RepositoryError},
    selector::Selector,
};

/// What `get` lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub group: Group,
    /// From `KIND/NAME`.
    pub name: Option<String>,
}

/// One kind or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    One(Kind),
    Sources,
    All,
}

/// One object of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub kind: Kind,
    pub name: String,
}

/// Whose tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagsOf {
    Repository(Repository),
    Object(Named),
}

impl Group {
    /// In the order of lists (`design.md` §10, "Scope").
    pub fn kinds(self) -> Vec<Kind> {
        match self {
            Self::One(kind) => vec![kind],
            Self::Sources => Kind::WATCHED.into_iter().filter(|kind| kind.is_source()).collect(),
            Self::All => Kind::WATCHED.to_vec(),
        }
    }

    /// For a sentence: `OCIRepository`, `sources`, `objects`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::One(kind) => kind.name(),
            Self::Sources => "source",
            Self::All => "object",
        }
    }
}

pub(super) fn subject(text: &str) -> Result<Subject, String> {
    let (word, name) = match text.split_once('/') {
        Some((word, name)) => (word, Some(check_name(name)?)),
        None => (text, None),
    };
    let group = match word {
        "all" => Group::All,
        "sources" | "source" => Group::Sources,
        word => Group::One(watched(word)?),
    };
    Ok(Subject { group, name })
}

pub(super) fn named(text: &str) -> Result<Named, String> {
    let (word, name) = text.split_once('/').ok_or("needs KIND/NAME, e.g. ks/podinfo")?;
    let kind = Kind::from_word(word).ok_or_else(|| unknown(word, &known_words(&Kind::ALL)))?;
    Ok(Named { kind, name: check_name(name)? })
}

pub(super) fn tags_of(text: &str) -> Result<TagsOf, String> {
    if text.contains("://") {
        return Repository::parse_url(text)
            .map(TagsOf::Repository)
            .map_err(|error| repository_words(text, &error));
    }
    let Some((word, name)) = text.split_once('/') else {
        return Err("needs oci://HOST/REPOSITORY, ocirepo/NAME or hc/NAME".to_owned());
    };
    match Kind::from_word(word) {
        Some(kind @ (Kind::OciRepository | Kind::HelmChart)) => {
            Ok(TagsOf::Object(Named { kind, name: check_name(name)? }))
        }
        Some(kind) => {
            Err(format!("a {kind} names no repository by itself: use ocirepo/NAME, hc/NAME or oci://…"))
        }
        None => {
            Err(format!("needs ocirepo/NAME or hc/NAME, or oci:// in front: oci://{}", Plain::line(text)))
        }
    }
}

pub(super) fn selector(text: &str) -> Result<Selector, String> {
    Selector::parse(text).map_err(|error| error.to_string())
}

pub(super) fn check_name(text: &str) -> Result<String, String> {
    if is_dns_name(text) {
        Ok(text.to_owned())
    } else {
        Err(format!("{:?} cannot be the name of an object", Plain::line(text).as_str()))
    }
}

/// A tag or a digest behind a repository is the commonest slip: say so instead of naming the bad character.
fn repository_words(url: &str, error: &RepositoryError) -> String {
    let last = url.rsplit('/').next().unwrap_or_default();
    let slip = matches!(error, RepositoryError::Characters(_)) && last.contains([':', '@']);
    let said = Plain::line(&error.to_string()).into_string();
    if slip { format!("{said}: leave the tag or the digest out") } else { said }
}

fn watched(word: &str) -> Result<Kind, String> {
    match Kind::from_word(word) {
        Some(kind) if kind.is_watched() => Ok(kind),
        Some(kind) => Err(format!("{kind} is not listed: fluxscope lists what takes from OCI registries")),
        None => {
            let mut words = known_words(&Kind::WATCHED);
            words.extend(["sources", "all"]);
            Err(unknown(word, &words))
        }
    }
}

fn known_words(kinds: &[Kind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.short()).collect()
}

fn unknown(word: &str, known: &[&str]) -> String {
    let word = Plain::line(word);
    let every = known.join(", ");
    match kind_like(word.as_str(), known) {
        Some(near) => format!("there is no kind {:?}; did you mean {near}? Kinds: {every}", word.as_str()),
        None => format!("there is no kind {:?}. Kinds: {every}", word.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_may_carry_a_name() {
        let expected = Subject { group: Group::One(Kind::Kustomization), name: Some("podinfo".into()) };
        assert_eq!(subject("ks/podinfo"), Ok(expected));
        assert_eq!(subject("all").unwrap().group, Group::All);
    }

    #[test]
    fn an_unknown_kind_names_the_nearest_and_all_others() {
        let words = subject("kustomisation").unwrap_err();
        assert!(words.contains("did you mean ks?") && words.contains("ocirepo, helmrepo"), "{words}");
        let words = subject("pods").unwrap_err();
        assert!(!words.contains("did you mean") && words.contains("sources, all"), "{words}");
        assert!(subject("gitrepo").unwrap_err().contains("GitRepository is not listed"));
    }

    #[test]
    fn a_name_that_could_change_a_url_is_refused() {
        for bad in ["ks/", "ks/../x", "ks/a?b", "ks/A", "ks/-a", "ks/a\u{1b}[2J"] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
        assert_eq!(named("hr/a.b-1").unwrap().name, "a.b-1");
    }

    #[test]
    fn a_repository_is_told_from_an_object() {
        assert!(matches!(tags_of("oci://ghcr.io/a/b"), Ok(TagsOf::Repository(_))));
        assert!(matches!(tags_of("ocirepo/podinfo"), Ok(TagsOf::Object(_))));
        assert!(tags_of("oci://ghcr.io/a/b:1.0").unwrap_err().contains("leave the tag"));
        assert!(tags_of("ghcr.io/a/b").unwrap_err().contains("oci://ghcr.io/a/b"));
        assert!(tags_of("ks/podinfo").unwrap_err().contains("names no repository"));
        assert!(tags_of("https://ghcr.io/a/b").is_err());
    }
}
