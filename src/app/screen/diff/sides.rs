//! Which two revisions a key means: what runs and what is selected, what runs and what Flux would take. It opens
//! nothing.

use super::super::browse::{candidate_target, running};
use crate::{
    app::memory::Memory,
    domain::{
        artifact::{Origin, Target},
        comparison::Question,
        identity::{Kind, ObjectId},
        repository::Upstream,
        source::SourceSpec,
    },
};

/// The question that two artifacts make. `about`: the object from which one came; if it consumes them, what concerns
/// it is asked.
pub fn between(from: Target, to: Target, about: Option<&ObjectId>) -> Question {
    let consumes = |id: &&ObjectId| matches!(id.kind, Kind::Kustomization | Kind::HelmRelease);
    Question { from, to, consumer: about.filter(consumes).cloned(), read_secrets: false, build: false }
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
    let chain = memory.ledger.world.chain(about);
    let kept = chain.iter().find_map(|id| memory.upgrades.kept(id));
    let Some(kept) = kept.filter(|kept| !kept.outrun) else {
        return Err("the tags of its repository are not here yet".to_owned());
    };
    let upgrade = &kept.upgrade;
    let Some(upstream) = memory.ledger.upstream(about) else {
        return Err("no OCI repository with tags stands behind it".to_owned());
    };
    let newer = upgrade.in_range.as_ref().or(upgrade.beyond.as_ref()).map(|candidate| candidate.tag.clone());
    let moved = upgrade.running.as_ref().filter(|_| upgrade.moved == Some(true));
    let tag = newer.as_deref().or_else(|| moved.and_then(|running| running.tag()));
    let Some(tag) = tag else { return stale(about, from, upstream, memory) };
    let to = candidate_target(upstream, tag, Some(about), memory);
    if is_same(&from, &to, memory) {
        return Err("nothing newer is known: it runs what Flux would take".to_owned());
    }
    Ok(between(from, to, Some(about)))
}

/// A consumer may run less than its source holds.
fn stale(about: &ObjectId, from: Target, _: &Upstream, memory: &Memory) -> Result<Question, String> {
    let chain = memory.ledger.world.chain(about);
    let held = chain.iter().skip(1).find_map(|id| {
        let source = memory.ledger.get(id)?.object.as_source()?;
        matches!(source.spec, SourceSpec::Oci(_) | SourceSpec::HelmChart { .. }).then_some(id)
    });
    let held = held.and_then(|id| running(id, memory).ok()).filter(|held| !is_same(&from, held, memory));
    match held {
        Some(held) => Ok(between(from, held, Some(about))),
        None => Err("nothing newer is known: it runs what Flux would take".to_owned()),
    }
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
