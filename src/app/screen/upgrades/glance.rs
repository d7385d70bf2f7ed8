//! What is known of one source and its registry at this moment, and what that makes of it. It keeps nothing.

use crate::{
    app::{
        ledger::Entry,
        memory::Memory,
        shelf::{Asking, TagList},
        upgrades::Kept,
    },
    domain::{
        identity::{Kind, ObjectId},
        outlook::Prospect,
        problem::Problem,
        repository::Upstream,
        source::{Source, SourceSpec},
        upgrade::{Distance, Footing, Upgrade},
        world::Lookup,
    },
};

/// Where a source stands against its registry. Order is what matters first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    Unasked,
    /// Flux finds nothing to take, or what it would take cannot be told.
    NoChoice,
    Moved,
    Major,
    /// Newer, but outside of what is followed.
    Beyond,
    /// Newer, and it comes by itself.
    InRange,
    Pinned,
    /// What runs is no version: only digests can be compared.
    Floating,
    Asking,
    Current,
}

impl Class {
    /// For a filter.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Unasked => "could not ask",
            Self::NoChoice => "no choice",
            Self::Moved => "moved",
            Self::Major => "major",
            Self::Beyond => "beyond",
            Self::InRange => "in range",
            Self::Pinned => "pinned",
            Self::Floating => "not comparable",
            Self::Asking => "asking",
            Self::Current => "up to date",
        }
    }

    pub(super) const fn is_behind(self) -> bool {
        matches!(self, Self::Moved | Self::Major | Self::Beyond | Self::InRange)
    }

    /// Behind, or nobody knows.
    pub(super) const fn matters(self) -> bool {
        self.is_behind() || matches!(self, Self::Unasked | Self::NoChoice)
    }
}

/// The question to the registry, as far as it came.
pub(super) enum State<'a> {
    Asking(Option<&'a TagList>),
    /// What runs came after the list: it says nothing until it is asked for again.
    Outrun(&'a TagList),
    Unasked(Why<'a>),
    Judged {
        upgrade: &'a Upgrade,
        prospect: Prospect<'a>,
        list: &'a TagList,
    },
}

/// Why there is no list of tags.
pub(super) enum Why<'a> {
    Problem(&'a Problem),
    /// No repository can be named.
    Nowhere,
}

pub(super) struct Glance<'a> {
    pub(super) entry: &'a Entry,
    pub(super) source: &'a Source,
    pub(super) state: State<'a>,
}

impl<'a> Glance<'a> {
    /// None: it follows nothing in a registry.
    pub(super) fn of(entry: &'a Entry, memory: &'a Memory) -> Option<Self> {
        let source = entry.object.as_source()?;
        follows_a_registry(source, entry, memory).then(|| Self { entry, source, state: state(entry, memory) })
    }

    pub(super) fn id(&self) -> &'a ObjectId {
        self.entry.object.id()
    }

    pub(super) fn upstream(&self) -> Option<&'a Upstream> {
        self.entry.upstream.as_ref()
    }

    pub(super) fn class(&self) -> Class {
        match &self.state {
            State::Asking(_) | State::Outrun(_) => Class::Asking,
            State::Unasked(_) => Class::Unasked,
            State::Judged { upgrade, prospect, .. } => class(upgrade, prospect),
        }
    }

    /// What runs, without its digest where it has a name: the column's text.
    pub(super) fn running(&self) -> &'a str {
        match self.entry.running.rsplit_once('@') {
            Some((tag, _)) if !tag.is_empty() => tag,
            Some(_) | None => &self.entry.running,
        }
    }

    /// Why there is no list of tags, in words.
    pub(super) fn why(&self, memory: &Memory) -> Option<String> {
        match &self.state {
            State::Unasked(Why::Problem(problem)) => Some(problem.why.clone()),
            State::Unasked(Why::Nowhere) => Some(nowhere(self.source, memory)),
            State::Asking(_) | State::Outrun(_) | State::Judged { .. } => None,
        }
    }
}

fn class(upgrade: &Upgrade, prospect: &Prospect<'_>) -> Class {
    let beyond = upgrade.beyond.as_ref().map(|candidate| candidate.distance);
    let coming = match prospect {
        Prospect::Unjudged(_) | Prospect::Nothing(_) | Prospect::Absent => return Class::NoChoice,
        Prospect::Pinned => return Class::Pinned,
        // going back is no upgrade, however far
        Prospect::GoBack(_) => Some(Distance::None),
        Prospect::Take(candidate) => Some(candidate.distance),
        Prospect::Moved | Prospect::Uncompared(_) | Prospect::Stay(_) => None,
    };
    if upgrade.moved == Some(true) {
        return Class::Moved;
    }
    match (coming, beyond) {
        (Some(Distance::Major), _) | (_, Some(Distance::Major)) => Class::Major,
        (_, Some(_)) => Class::Beyond,
        (Some(_), None) => Class::InRange,
        (None, None) if upgrade.footing == Footing::Tag => Class::Floating,
        (None, None) => Class::Current,
    }
}

/// A chart of a repository that is not read might follow one; a chart of Git or of an HTTP repository does not.
fn follows_a_registry(source: &Source, entry: &Entry, memory: &Memory) -> bool {
    match &source.spec {
        SourceSpec::Oci(_) => true,
        SourceSpec::HelmChart { source: Some(repository), .. } => {
            let here = memory.ledger.world.get(repository).and_then(|object| object.as_source());
            entry.upstream.is_some()
                || repository.kind == Kind::HelmRepository && here.is_none_or(Source::is_static)
        }
        SourceSpec::HelmChart { source: None, .. }
        | SourceSpec::HelmRepository { .. }
        | SourceSpec::ExternalArtifact { .. }
        | SourceSpec::Other { .. } => false,
    }
}

/// A list is an answer once it is whole: of half a list nobody can say that nothing is newer.
fn state<'a>(entry: &'a Entry, memory: &'a Memory) -> State<'a> {
    let Some(upstream) = &entry.upstream else { return State::Unasked(Why::Nowhere) };
    let list = memory.shelf.tags(upstream);
    let Some(known) = list.filter(|list| list.is_whole()) else {
        return match list.map(|list| &list.asking) {
            Some(Asking::Failed(_, problem)) => State::Unasked(Why::Problem(problem)),
            Some(Asking::Queued | Asking::Since(_) | Asking::Done(_)) | None => State::Asking(list),
        };
    };
    match memory.upgrades.kept(entry.object.id()) {
        Some(Kept { outrun: true, .. }) => State::Outrun(known),
        Some(kept) => {
            let prospect = kept.outlook.prospect(&kept.upgrade);
            State::Judged { upgrade: &kept.upgrade, prospect, list: known }
        }
        None => State::Asking(list),
    }
}

fn nowhere(source: &Source, memory: &Memory) -> String {
    match &source.spec {
        SourceSpec::Oci(spec) => match &spec.repository {
            Err(error) => format!("its url is not one that Flux accepts: {error}"),
            Ok(_) => "its url is not one that Flux accepts".to_owned(),
        },
        SourceSpec::HelmChart { source: Some(repository), .. } => {
            match memory.ledger.world.lookup(repository) {
                Lookup::Gone => format!("its {repository} does not exist"),
                Lookup::Unseen => format!("its {repository} was not read"),
                Lookup::Here(_) => format!("the url of its {repository} is not one that Flux accepts"),
            }
        }
        SourceSpec::HelmChart { source: None, .. }
        | SourceSpec::HelmRepository { .. }
        | SourceSpec::ExternalArtifact { .. }
        | SourceSpec::Other { .. } => "it names no repository".to_owned(),
    }
}
