//! Who runs which tag of a repository, by what consumers and sources say of themselves. It compares; it asks nobody.

use crate::{
    app::memory::Memory,
    domain::{consumer::Consumer, fact::Object, repository::Upstream, source::Source},
    widgets::text,
};
use std::collections::HashMap;

/// An object that says it runs a tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Runner {
    /// Safe.
    who: String,
    /// The digest it runs, or the beginning of it that Flux recorded; hexadecimal.
    digest: Option<String>,
    /// A source that only holds it.
    stored: bool,
}

/// Tag -> who runs it.
pub(super) type Runners = HashMap<String, Vec<Runner>>;

/// Who runs what a tag names now, and who runs what it named before it was moved.
#[derive(Default)]
pub(super) struct Runs<'a> {
    pub(super) here: Vec<&'a str>,
    pub(super) moved: Vec<(&'a str, &'a str)>,
    /// The registry said what the tag is; otherwise only names were compared.
    compared: bool,
    /// One of them is a source that only holds it.
    stored: bool,
}

impl<'a> Runs<'a> {
    pub(super) fn of(tag: &str, upstream: &Upstream, runners: &'a Runners, memory: &Memory) -> Self {
        let known = memory.shelf.lookups.digest(upstream, tag);
        let mut runs = Self { compared: known.is_some(), ..Self::default() };
        for runner in runners.get(tag).into_iter().flatten() {
            match (known, &runner.digest) {
                (Some(known), Some(own)) if !known.hex().starts_with(own.as_str()) => {
                    runs.moved.push((&runner.who, own.get(..8).unwrap_or(own)));
                }
                _ => {
                    runs.stored |= runner.stored;
                    runs.here.push(&runner.who);
                }
            }
        }
        runs
    }

    /// For a column.
    pub(super) fn note(&self) -> String {
        match (self.here.as_slice(), self.moved.as_slice()) {
            ([one], _) => format!("running, {one}"),
            (many @ [_, _, ..], _) => {
                format!("running, {} {}", many.len(), if self.stored { "objects" } else { "consumers" })
            }
            ([], [(_, digest), ..]) => format!("moved, {digest} is running"),
            ([], []) => String::new(),
        }
    }

    /// In full, for the foot.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if !self.here.is_empty() {
            let by = if self.compared { "" } else { " (by the name of the tag)" };
            words.push(format!("running in {}{by}", self.here.join(", ")));
        }
        words
            .extend(self.moved.iter().map(|(who, digest)| format!("{who} runs {digest}; the tag has moved")));
        words
    }
}

/// By what is known of the cluster; `has` says whether the list holds a tag.
pub(super) fn runners(upstream: &Upstream, has: &dyn Fn(&str) -> bool, memory: &Memory) -> Runners {
    let mut runners = Runners::new();
    for source in memory.ledger.sources_of(upstream) {
        let mut any = false;
        for id in memory.ledger.world.consumers(source.object.id()) {
            let Some(entry) = memory.ledger.get(&id) else { continue };
            let own = entry.object.revision().and_then(|revision| revision.tag());
            if let Some(tag) = own.and_then(|own| same_tag(own, source.chart, has)) {
                let (who, digest) = (text::line(&id.to_string()), digest_of(&entry.object));
                runners.entry(tag).or_default().push(Runner { who, digest, stored: false });
                any = true;
            }
        }
        let Some(stored) = source.object.as_source().and_then(|own| stored_tag(own, has)) else { continue };
        if !any {
            let who = format!("{} (stored)", text::line(&source.object.id().to_string()));
            let digest = digest_of(&source.object);
            runners.entry(stored).or_default().push(Runner { who, digest, stored: true });
        }
    }
    for who in runners.values_mut() {
        who.sort();
    }
    runners
}

/// The tag of what a source holds, if the list has it.
pub(super) fn stored_tag(source: &Source, has: &dyn Fn(&str) -> bool) -> Option<String> {
    same_tag(source.revision()?.tag()?, source.is_chart(), has)
}

/// The manifest that an object runs: the digest of its revision, or the part of it behind a chart's version.
fn digest_of(object: &Object) -> Option<String> {
    let whole = object.as_consumer().and_then(Consumer::digest).or_else(|| object.revision()?.digest());
    if let Some(digest) = whole.filter(|digest| digest.is_oci()) {
        return Some(digest.hex().to_owned());
    }
    let (_, hex) = object.revision()?.as_str().rsplit_once('+')?;
    (hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit())).then(|| hex.to_owned())
}

/// A chart's version is its tag, but for the digest that helm-controller puts behind it, and for the `_` that
/// stands in a tag where a version has `+`.
fn same_tag(running: &str, chart: bool, has: &dyn Fn(&str) -> bool) -> Option<String> {
    let bare = running.rsplit_once('+').map_or(running, |(version, _)| version);
    let mut names = vec![running.to_owned(), bare.to_owned()];
    if chart {
        names = vec![running.replace('+', "_"), bare.replace('+', "_"), bare.to_owned()];
    }
    names.into_iter().find(|name| has(name))
}
