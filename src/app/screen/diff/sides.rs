//! Which two revisions a key means: what runs and what is selected, what runs and what Flux would take. It opens
//! nothing.

use super::super::browse::{candidate_target, running};
use crate::{
    app::{ledger::Entry, memory::Memory, shelf::Asking, upgrades::Kept},
    domain::{
        artifact::{Origin, Target},
        comparison::Question,
        fact::Object,
        identity::{Kind, ObjectId},
        outlook::Prospect,
        repository::Upstream,
        source::SourceSpec,
        upgrade::Footing,
    },
    widgets::text,
};

/// Two artifacts that somebody chose to compare.
#[derive(Debug)]
pub struct Chosen {
    pub question: Question,
    /// The tags under which digests among them were chosen.
    pub tags: Vec<(Target, Box<str>)>,
}

impl From<Question> for Chosen {
    fn from(question: Question) -> Self {
        Self { question, tags: Vec::new() }
    }
}

/// The question that two artifacts make. `about`: the object from which one came; if it consumes them, what concerns
/// it is asked, built where that can be done.
pub fn between(from: Target, to: Target, about: Option<&ObjectId>) -> Question {
    let applies = |id: &&ObjectId| matches!(id.kind, Kind::Kustomization | Kind::HelmRelease);
    let consumer = about.filter(applies).cloned();
    let build = consumer.is_some();
    Question { from, to, consumer, read_secrets: false, build }
}

/// From what the object runs to this artifact; or why that makes no question.
pub fn from_running(to: Target, about: Option<&ObjectId>, memory: &Memory) -> Result<Question, String> {
    let Some(about) = about else {
        return Err("nothing is known to run from here: it was opened by its address".to_owned());
    };
    let from = running(about, memory)?;
    if is_same(&from, &to, memory) {
        return Err("it is what runs: the same digest".to_owned());
    }
    Ok(between(from, to, Some(about)))
}

/// From what the object runs to what Flux would take for it now, else to the newest beyond its range.
pub fn to_newer(about: Option<&ObjectId>, memory: &Memory) -> Result<Question, String> {
    let Some(about) = about else { return Err("nothing is selected".to_owned()) };
    let from = running(about, memory)?;
    let Some(upstream) = memory.ledger.upstream(about) else {
        return Err("no OCI repository with tags stands behind it".to_owned());
    };
    let chain = memory.ledger.world.chain(about);
    let kept = chain.iter().find_map(|id| Some((memory.upgrades.kept(id)?, memory.ledger.get(id)?)));
    let Some((kept, source)) = kept.filter(|(kept, _)| !kept.outrun) else {
        return Err(no_tags(upstream, memory));
    };
    let Some(tag) = newer(kept, source, upstream, memory) else {
        return held(about, &from, memory)
            .map(|held| between(from, held, Some(about)))
            .ok_or_else(|| nothing_newer(kept));
    };
    let to = candidate_target(upstream, tag, Some(about), memory);
    if is_same(&from, &to, memory) {
        return Err(nothing_newer(kept));
    }
    Ok(between(from, to, Some(about)))
}

/// The tag that it could run instead. Beside a digest no tag says what is newer: then it is the newest of all.
fn newer<'a>(kept: &'a Kept, source: &Entry, upstream: &Upstream, memory: &'a Memory) -> Option<&'a str> {
    let Kept { upgrade, .. } = kept;
    let running = upgrade.running.as_ref();
    let candidate = upgrade.in_range.as_ref().or(upgrade.beyond.as_ref()).map(|candidate| &*candidate.tag);
    let moved = || running.filter(|_| upgrade.moved == Some(true))?.tag();
    let newest = || {
        let unnamed = upgrade.footing == Footing::Pinned && running.is_none_or(|it| it.tag().is_none());
        let list = memory.shelf.tags(upstream).filter(|_| unnamed)?;
        list.newest(source.chart).map(|tag| &**tag)
    };
    candidate.or_else(moved).or_else(newest)
}

/// Why the tags of a repository say nothing.
fn no_tags(upstream: &Upstream, memory: &Memory) -> String {
    let list = memory.shelf.tags(upstream);
    match list.map(|list| (&list.asking, list.is_whole())) {
        Some((Asking::Failed(_, problem), _)) => {
            format!("its tags are not known: could not {}: {}", problem.what, problem.why)
        }
        Some((Asking::Done(_), true)) => {
            "its tags do not tell what runs: not judged yet, or older than it; ^R on the board asks again"
                .to_owned()
        }
        Some((Asking::Queued | Asking::Since(_) | Asking::Done(_), _)) | None => {
            "the tags of its repository are not here yet".to_owned()
        }
    }
}

fn nothing_newer(kept: &Kept) -> String {
    match kept.outlook.prospect(&kept.upgrade) {
        Prospect::Unjudged(why) => format!("no tag is judged: {why}"),
        Prospect::Nothing(error) => format!("Flux would choose nothing: {error}"),
        Prospect::Absent => "the tag that is followed is not there".to_owned(),
        Prospect::Pinned => "it is pinned, and no newer version is known".to_owned(),
        Prospect::Uncompared(tag) => format!("what {tag} names now is not known"),
        Prospect::Take(_) | Prospect::GoBack(_) | Prospect::Moved | Prospect::Stay(_) => {
            "nothing newer is known: it runs what Flux would take".to_owned()
        }
    }
}

/// A consumer may run less than its source holds.
fn held(about: &ObjectId, from: &Target, memory: &Memory) -> Option<Target> {
    let chain = memory.ledger.world.chain(about);
    let held = chain.iter().skip(1).find_map(|id| {
        let source = memory.ledger.get(id)?.object.as_source()?;
        matches!(source.spec, SourceSpec::Oci(_) | SourceSpec::HelmChart { .. }).then_some(id)
    });
    held.and_then(|id| running(id, memory).ok()).filter(|held| !is_same(from, held, memory))
}

/// Both name the same digest, as far as that is known.
pub fn is_same(one: &Target, other: &Target, memory: &Memory) -> bool {
    if one.origin == other.origin {
        return true;
    }
    match (digest(&one.origin, memory), digest(&other.origin, memory)) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => false,
    }
}

fn digest(origin: &Origin, memory: &Memory) -> Option<String> {
    let Origin::Registry { upstream, reference } = origin else { return None };
    if reference.contains(':') {
        return Some(reference.to_string());
    }
    memory.shelf.lookups.digest(upstream, reference).map(|digest| digest.as_str().to_owned())
}

/// Who takes from the repository of these two: first who runs the one of before, then by kind and name.
pub(super) fn consumers(question: &Question, memory: &Memory) -> Vec<ObjectId> {
    let mut all: Vec<ObjectId> = sources(question, memory)
        .flat_map(|entry| memory.ledger.world.consumers(entry.object.id()))
        .chain(question.consumer.clone())
        .collect();
    let runs =
        |id: &ObjectId| running(id, memory).is_ok_and(|target| is_same(&target, &question.from, memory));
    all.sort_by_cached_key(|id| (!runs(id), id.clone()));
    all.dedup();
    all
}

fn sources<'a>(question: &Question, memory: &'a Memory) -> impl Iterator<Item = &'a Entry> {
    let upstream = [&question.to, &question.from].into_iter().find_map(|target| match &target.origin {
        Origin::Registry { upstream, .. } => Some(upstream.clone()),
        Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_) => None,
    });
    upstream.into_iter().flat_map(|upstream| memory.ledger.sources_of(&upstream).collect::<Vec<_>>())
}

/// The source with whose eyes these two are seen, so that a command can see them so too.
pub(super) fn source(question: &Question, memory: &Memory) -> Option<ObjectId> {
    let sees = |entry: &&Entry| match entry.object.as_source().map(|source| &source.spec) {
        Some(SourceSpec::Oci(spec)) => {
            spec.layer == question.to.selector && spec.ignore == question.to.ignore
        }
        Some(
            SourceSpec::HelmRepository { .. }
            | SourceSpec::HelmChart { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. },
        )
        | None => false,
    };
    let near = question.consumer.as_ref().map(|consumer| consumer.namespace.clone());
    let mut fit: Vec<ObjectId> =
        sources(question, memory).filter(sees).map(|entry| entry.object.id().clone()).collect();
    fit.sort_by_key(|id| (Some(&id.namespace) != near.as_ref(), id.clone()));
    fit.into_iter().next()
}

/// In short, as it was chosen: `podinfo:6.9.1`, also where its digest is compared.
pub(super) fn name(target: &Target, memory: &Memory) -> String {
    let mut origin = target.origin.clone();
    if let (Some(tag), Origin::Registry { reference, .. }) =
        (memory.shelf.comparisons.tag(target), &mut origin)
    {
        *reference = tag.into();
    }
    text::line(&super::super::artifact::name(&origin))
}

/// In full: `oci://ghcr.io/shop/podinfo:6.9.1@sha256:…`.
pub(super) fn address(target: &Target, memory: &Memory) -> String {
    match &target.origin {
        Origin::Registry { upstream, reference } => {
            let sign = if reference.contains(':') { '@' } else { ':' };
            let tag = memory.shelf.comparisons.tag(target).map(|tag| format!(":{tag}")).unwrap_or_default();
            text::line(&format!("oci://{}{tag}{sign}{reference}", upstream.repository))
        }
        origin @ (Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_)) => {
            text::line(&super::super::artifact::name(origin))
        }
    }
}

/// The tag under which this digest is known here: the one under which it was chosen, what a source or a consumer runs,
/// or a tag that was asked about.
pub(super) fn tag_of(target: &Target, digest: &str, memory: &Memory) -> Option<String> {
    let Origin::Registry { upstream, .. } = &target.origin else { return None };
    if let Some(tag) = memory.shelf.comparisons.tag(target) {
        return Some(tag.to_owned());
    }
    let world = &memory.ledger.world;
    let own = memory.ledger.sources_of(upstream).flat_map(|entry| {
        let id = entry.object.id();
        std::iter::once(id.clone()).chain(world.consumers(id))
    });
    let runs = own.filter_map(|id| {
        let object = world.get(&id)?;
        let revision = object.revision()?;
        if revision.digest().is_some_and(|other| other.as_str() == digest) {
            return revision.tag().map(ToOwned::to_owned);
        }
        // a release names its version, and the digest beside it
        let Object::Consumer(consumer) = &**object else { return None };
        let same = consumer.digest().is_some_and(|other| other.as_str() == digest);
        same.then(|| revision.as_str().split('+').next().unwrap_or_default().to_owned())
    });
    let asked = memory.shelf.lookups.known(upstream);
    let asked = asked.filter(|(tag, known)| known.as_str() == digest && !tag.contains(':'));
    // of several always the same one
    runs.chain(asked.map(|(tag, _)| tag.to_owned()).min()).next()
}
