//! What can be typed after `:`, what completes it, and what an unknown word was probably meant to be.

use super::{
    equivalent::is_name,
    memory::{Memory, Session},
    screen::{Place, diff::between},
};
use crate::{
    domain::{
        artifact::Target,
        history::History,
        identity::{Kind, ObjectId},
        nearest::edits,
        reference::{Reference, Unresolved},
        repository::{Repository, Upstream},
    },
    widgets::text,
};
use std::fmt::Write as _;
use std::sync::Arc;

/// A command line, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    Go {
        place: Place,
        /// `:ks shop`
        namespace: Option<Arc<str>>,
        /// `:ks /podinfo`
        filter: Option<String>,
    },
    /// None: all.
    Namespace(Option<Arc<str>>),
    Context(String),
    /// Search in all files of the artifact that is looked at.
    Grep(String),
    Write(bool),
    Help,
    Quit,
}

/// First words and what follows them, for completion.
const WORDS: [&str; 19] = [
    "all",
    "ocirepo",
    "ks",
    "hr",
    "helmrepo",
    "hc",
    "ea",
    "outdated",
    "tags",
    "artifact",
    "diff",
    "revisions",
    "grep",
    "ns",
    "ctx",
    "write",
    "readonly",
    "help",
    "q",
];

pub fn parse(text: &str, memory: &Memory) -> Result<Order, String> {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    match word {
        "" => Err("no command was typed".to_owned()),
        "all" | "board" => going(Place::Board, rest),
        "outdated" | "upgrades" => going(Place::Upgrades, rest),
        "ns" | "namespace" => namespace(rest, memory),
        "ctx" | "context" => context(rest, memory),
        "tags" => tags(rest),
        "artifact" => artifact(rest, memory),
        "diff" => diff(rest, memory),
        "revisions" | "history" => revisions(rest, memory),
        "grep" if rest.is_empty() => Err("what? :grep TEXT".to_owned()),
        "grep" => Ok(Order::Grep(rest.to_owned())),
        "write" => bare(rest, word, Order::Write(true)),
        "readonly" => bare(rest, word, Order::Write(false)),
        "help" | "?" => bare(rest, word, Order::Help),
        "q" | "quit" | "q!" | "exit" => bare(rest, word, Order::Quit),
        other => match Kind::from_word(other) {
            Some(kind) if kind.is_watched() => going(Place::List(kind), rest),
            Some(kind) => {
                Err(format!("{kind} is not watched: fluxscope shows OCI sources and what takes from them"))
            }
            None => Err(unknown(other)),
        },
    }
}

fn going(place: Place, rest: &str) -> Result<Order, String> {
    let (namespace, filter) = match rest.split_once('/') {
        Some((before, filter)) => (before.trim(), Some(filter.trim().to_owned())),
        None => (rest, None),
    };
    match namespace {
        "" => Ok(Order::Go { place, namespace: None, filter }),
        name if is_name(name) => Ok(Order::Go { place, namespace: Some(name.into()), filter }),
        name => Err(format!("{name} is not the name of a namespace; a filter begins with /")),
    }
}

fn bare(rest: &str, word: &str, order: Order) -> Result<Order, String> {
    if rest.is_empty() { Ok(order) } else { Err(format!(":{word} takes no word behind it")) }
}

fn namespace(name: &str, memory: &Memory) -> Result<Order, String> {
    let known = known_namespaces(memory);
    match name {
        "" => Err(format!("which namespace? all {}", shortened(&known))),
        "all" | "*" => Ok(Order::Namespace(None)),
        name if !is_name(name) => Err(format!("{name} is not the name of a namespace")),
        // where all names are known, a wrong one is a slip of the finger
        name if !memory.namespaces.is_empty() && !known.iter().any(|other| other == name) => {
            Err(meant(&format!("there is no namespace {name}"), name, known.iter().map(String::as_str)))
        }
        name => Ok(Order::Namespace(Some(name.into()))),
    }
}

fn context(name: &str, memory: &Memory) -> Result<Order, String> {
    let known = &memory.contexts;
    match name {
        "" => Err(format!("which context? {}", shortened(known))),
        name if !known.is_empty() && !known.iter().any(|other| other == name) => {
            Err(meant(&format!("there is no context {name}"), name, known.iter().map(String::as_str)))
        }
        name => Ok(Order::Context(name.to_owned())),
    }
}

fn tags(address: &str) -> Result<Order, String> {
    if address.is_empty() {
        return Err("whose tags? :tags oci://HOST/REPOSITORY".to_owned());
    }
    if !address.starts_with("oci://") {
        return Err(format!(
            "{address}: needs oci:// in front; t lists the tags of what is selected on the board"
        ));
    }
    let repository = Repository::parse_url(address).map_err(|error| format!("{address}: {error}"))?;
    let upstream = Upstream { repository, insecure: false };
    Ok(Order::Go { place: Place::Tags { upstream, about: None }, namespace: None, filter: None })
}

/// Any form of a reference; an object is looked up in the namespace that is looked at.
fn artifact(text: &str, memory: &Memory) -> Result<Order, String> {
    if text.is_empty() {
        return Err(
            "which artifact? :artifact oci://HOST/REPOSITORY:TAG, ocirepo/NAME, ks/NAME, FILE.tgz".to_owned()
        );
    }
    let (words, namespace) = namespaced(text)?;
    let namespace = namespace.unwrap_or_else(|| namespace_here(memory));
    let (target, about) = resolved(words, &namespace, memory)?;
    Ok(Order::Go { place: Place::Artifact { target, about }, namespace: None, filter: None })
}

/// Two references of any form, and through whose eyes: as the command takes them.
fn diff(text: &str, memory: &Memory) -> Result<Order, String> {
    const USAGE: &str = "which two? :diff A B [--consumer ks/NAME] [-n NAMESPACE]; each as for :artifact";
    let (mut sides, mut consumer, mut namespace) = (Vec::new(), None, None);
    let words = split(text)?;
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--consumer" => consumer = Some(words.next().ok_or(USAGE)?),
            "-n" => namespace = Some(words.next().ok_or(USAGE)?),
            other if other.starts_with("--consumer=") => consumer = other.split_once('=').map(|(_, id)| id),
            other if other.starts_with('-') => {
                return Err(format!("{} is not known; {USAGE}", text::line(other)));
            }
            other => sides.push(other),
        }
    }
    let [from, to] = sides[..] else { return Err(USAGE.to_owned()) };
    let namespace = match namespace {
        Some(name) if is_name(name) => name.to_owned(),
        Some(name) => return Err(format!("{} cannot be the name of a namespace", text::line(name))),
        None => namespace_here(memory),
    };
    let (from, _) = resolved(from, &namespace, memory)?;
    let (to, _) = resolved(to, &namespace, memory)?;
    let consumer = consumer.map(|words| consumer_named(words, &namespace)).transpose()?;
    let place = Place::Diff(Box::new(between(from, to, consumer.as_ref())));
    Ok(Order::Go { place, namespace: None, filter: None })
}

/// Words as a shell takes them, as far as quotes go: a path may hold blanks.
fn split(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut open) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (open, c) {
            (Some(quote), c) if c == quote => open = None,
            (None, '"' | '\'') => {
                open = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    open.map_or(Ok(words), |quote| Err(format!("the quote {quote} is not closed")))
}

fn consumer_named(words: &str, namespace: &str) -> Result<ObjectId, String> {
    let wrong = || format!("{} is no consumer: ks/NAME or hr/NAME", text::line(words));
    let (word, name) = words.split_once('/').ok_or_else(wrong)?;
    match Kind::from_word(word) {
        Some(kind @ (Kind::Kustomization | Kind::HelmRelease)) if is_name(name) => {
            Ok(ObjectId::new(kind, namespace, name))
        }
        Some(_) | None => Err(wrong()),
    }
}

fn namespace_here(memory: &Memory) -> String {
    memory.focus().map_or_else(|| own_namespace(memory), ToString::to_string)
}

/// What a reference names here, and the object that it names.
fn resolved(words: &str, namespace: &str, memory: &Memory) -> Result<(Target, Option<ObjectId>), String> {
    let reference = Reference::parse(words).map_err(|error| error.to_string())?;
    match reference.resolve(&memory.ledger.world, namespace) {
        Ok(resolved) => Ok((resolved.target, named(&reference, namespace))),
        Err(Unresolved::Needs(id)) => {
            Err(format!("there is no {id} among what was read; -n names another namespace"))
        }
        Err(Unresolved::Problem(problem)) => Err(format!("could not {problem}")),
    }
}

/// What ran of an object in the namespace that is looked at.
fn revisions(text: &str, memory: &Memory) -> Result<Order, String> {
    const USAGE: &str = "whose revisions? :revisions ks/NAME, hr/NAME or ocirepo/NAME";
    let (words, namespace) = namespaced(text)?;
    let (word, name) = words.split_once('/').ok_or(USAGE)?;
    let kind = Kind::from_word(word).ok_or(USAGE)?;
    if let Some(why) = History::refusal(kind) {
        return Err(why.to_owned());
    }
    if !is_name(name) {
        return Err(format!("{} cannot be the name of an object", text::line(name)));
    }
    let namespace = namespace
        .or_else(|| memory.focus().map(ToString::to_string))
        .unwrap_or_else(|| own_namespace(memory));
    let id = ObjectId::new(kind, namespace, name);
    if memory.ledger.get(&id).is_none() {
        return Err(format!("there is no {id} among what was read; -n names another namespace"));
    }
    Ok(Order::Go { place: Place::Revisions(id), namespace: None, filter: None })
}

/// `ks/podinfo -n shop`, as the commands take it.
fn namespaced(text: &str) -> Result<(&str, Option<String>), String> {
    let Some((reference, name)) = text.rsplit_once(" -n ") else { return Ok((text, None)) };
    let name = name.trim();
    if is_name(name) {
        Ok((reference.trim_end(), Some(name.to_owned())))
    } else {
        Err(format!("{} cannot be the name of a namespace", text::line(name)))
    }
}

fn own_namespace(memory: &Memory) -> String {
    match &memory.session {
        Session::Up(about) => about.namespace.clone(),
        Session::Connecting { .. } | Session::Down { .. } => "default".to_owned(),
    }
}

fn named(reference: &Reference, namespace: &str) -> Option<ObjectId> {
    match reference {
        Reference::Running { kind, name } => Some(ObjectId::new(*kind, namespace, &**name)),
        Reference::Candidate { name, .. } => Some(ObjectId::new(Kind::OciRepository, namespace, &**name)),
        Reference::Registry { .. }
        | Reference::Layout { .. }
        | Reference::Archive(_)
        | Reference::Directory(_) => None,
    }
}

fn unknown(word: &str) -> String {
    let words = format!("there is no command :{word}");
    let near = WORDS.into_iter().any(|other| edits(word, other) <= (word.chars().count() / 2).clamp(1, 3));
    if near {
        meant(&words, word, WORDS.into_iter())
    } else {
        format!("{words}; there are {}", WORDS.join(" "))
    }
}

fn meant<'a>(words: &str, typed: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.min_by_key(|other| edits(typed, other));
    nearest.map_or_else(|| words.to_owned(), |nearest| format!("{words}; the nearest is {nearest}"))
}

fn shortened(names: &[String]) -> String {
    let mut words = names.iter().take(12).cloned().collect::<Vec<_>>().join(" ");
    if names.len() > 12 {
        let _ = write!(words, " and {} more", names.len() - 12);
    }
    words
}

/// What begins with the text; where nothing does, what holds it.
pub fn candidates(text: &str, memory: &Memory) -> Vec<String> {
    let all: Vec<String> = match text.split_once(' ') {
        None => WORDS.iter().map(|word| (*word).to_owned()).collect(),
        Some((word @ ("ns" | "namespace"), _)) => {
            let all = std::iter::once("all".to_owned()).chain(known_namespaces(memory));
            all.map(|name| format!("{word} {name}")).collect()
        }
        Some((word @ ("ctx" | "context"), _)) => {
            memory.contexts.iter().map(|name| format!("{word} {name}")).collect()
        }
        Some(("tags", _)) => {
            let mut known: Vec<String> = memory
                .ledger
                .entries()
                .filter_map(|(_, entry)| Some(format!("tags oci://{}", entry.upstream.as_ref()?.repository)))
                .collect();
            known.sort();
            known.dedup();
            known
        }
        Some((word, _))
            if Kind::from_word(word).is_some_and(Kind::is_watched)
                || matches!(word, "all" | "outdated" | "upgrades") =>
        {
            known_namespaces(memory).into_iter().map(|name| format!("{word} {name}")).collect()
        }
        Some(_) => Vec::new(),
    };
    let begins: Vec<String> = all.iter().filter(|word| word.starts_with(text)).cloned().collect();
    if begins.is_empty() { all.into_iter().filter(|word| word.contains(text)).collect() } else { begins }
}

/// Why what could complete the text is not known.
pub fn unoffered(text: &str, memory: &Memory) -> Option<String> {
    let problem = match text.split_once(' ')?.0 {
        "ns" | "namespace" => memory.no_namespaces.as_ref(),
        "ctx" | "context" => memory.no_contexts.as_ref(),
        _ => None,
    };
    problem.map(|problem| format!("could not {problem}"))
}

fn known_namespaces(memory: &Memory) -> Vec<String> {
    let mut names: Vec<String> = memory.namespaces.clone();
    names.extend(memory.ledger.namespaces().into_iter().map(|(name, _)| name.to_string()));
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_word_names_the_nearest_command() {
        assert_eq!(unknown("ocirep"), "there is no command :ocirep; the nearest is ocirepo");
        assert_eq!(unknown("wirte"), "there is no command :wirte; the nearest is write");
        assert_eq!(
            unknown("foo"),
            "there is no command :foo; there are all ocirepo ks hr helmrepo hc ea outdated tags artifact diff revisions grep ns ctx write readonly help q"
        );
    }

    #[test]
    fn quotes_hold_a_path_with_blanks_together() {
        let split = |text: &str| split(text);
        let words = |words: &[&str]| Ok(words.iter().map(ToString::to_string).collect());
        assert_eq!(split(" ./a   ./b "), words(&["./a", "./b"]));
        assert_eq!(split("\"./a b\" './c d'/e \"it's\" ''"), words(&["./a b", "./c d/e", "it's", ""]));
        assert_eq!(split("'./a b"), Err("the quote ' is not closed".to_owned()));
    }

    #[test]
    fn a_list_takes_a_namespace_and_a_filter_as_in_k9s() {
        assert_eq!(
            going(Place::List(Kind::Kustomization), "shop /podinfo"),
            Ok(Order::Go {
                place: Place::List(Kind::Kustomization),
                namespace: Some("shop".into()),
                filter: Some("podinfo".to_owned())
            })
        );
        assert!(going(Place::Board, "Not A Name").is_err());
    }

    #[test]
    fn an_object_may_be_named_with_its_namespace_as_the_commands_take_it() {
        assert_eq!(namespaced("ks/podinfo -n shop"), Ok(("ks/podinfo", Some("shop".to_owned()))));
        assert_eq!(namespaced("ks/podinfo"), Ok(("ks/podinfo", None)));
        assert_eq!(namespaced("./a-n.tgz"), Ok(("./a-n.tgz", None)));
        assert!(namespaced("ks/podinfo -n Not/One").is_err());
    }

    #[test]
    fn an_address_that_flux_would_refuse_is_refused_with_its_words() {
        let refused = tags("oci://ghcr.io/Acme/fleet").unwrap_err();
        assert!(refused.starts_with("oci://ghcr.io/Acme/fleet: repository can only contain"), "{refused}");
        assert_eq!(
            tags("ghcr.io/acme/fleet"),
            Err("ghcr.io/acme/fleet: needs oci:// in front; t lists the tags of what is selected on the board".to_owned())
        );
    }
}
