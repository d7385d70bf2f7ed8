//! Which folder of an artifact each Kustomization applies, and what is there instead of one that is missing.

use super::{ArtifactScreen, nodes::nearest};
use crate::{
    app::memory::Memory,
    domain::{
        artifact::Origin, consumer::Consumer, fact::Object, identity::ObjectId, lens::cleaned, tree::Tree,
    },
    widgets::text,
};

/// A consumer and the folder it applies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) id: ObjectId,
    /// Cleaned: no `./` before it, no slash at its end; empty is the root.
    pub(super) path: String,
    pub(super) namespace: Option<Box<str>>,
}

/// Where it came from, if one came from an object.
pub(super) fn source(screen: &ArtifactScreen, memory: &Memory) -> Option<ObjectId> {
    let about = screen.about.as_ref()?;
    let chain = memory.ledger.world.chain(about);
    Some(chain.into_iter().find(|id| id.kind.is_source()).unwrap_or_else(|| about.clone()))
}

/// All that take from the source of this artifact; of one opened by its address, from any source of its repository.
pub(super) fn paths(screen: &ArtifactScreen, memory: &Memory) -> Vec<Used> {
    let world = &memory.ledger.world;
    let sources: Vec<ObjectId> = match (source(screen, memory), &screen.target.origin) {
        (Some(source), _) => vec![source],
        (None, Origin::Registry { upstream, .. }) => {
            memory.ledger.sources_of(upstream).map(|entry| entry.object.id().clone()).collect()
        }
        (None, Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_)) => Vec::new(),
    };
    let consumer = |id: &ObjectId| match &*memory.ledger.get(id)?.object {
        Object::Consumer(consumer) => Some(used(id, consumer)),
        Object::Source(_) => None,
    };
    let all = sources.iter().flat_map(|source| world.consumers(source));
    let mut used: Vec<Used> = all.filter_map(|id| consumer(&id)).flatten().collect();
    used.sort_by(|one, other| one.id.cmp(&other.id));
    used.dedup();
    used
}

fn used(id: &ObjectId, consumer: &Consumer) -> Option<Used> {
    let path = cleaned(consumer.path.as_deref()?);
    Some(Used { id: id.clone(), path, namespace: consumer.target_namespace.clone() })
}

/// For each consumer whose folder is not among what Flux stores: a sentence.
pub(super) fn missing(used: &[Used], tree: &Tree) -> Vec<String> {
    let folder = |path: &str| {
        let inside = format!("{path}/");
        path.is_empty() || tree.stored().any(|entry| entry.path.starts_with(&inside))
    };
    let gone = used.iter().filter(|used| !folder(&used.path));
    gone.map(|used| {
        let near = nearest(tree, &used.path)
            .map_or_else(String::new, |near| format!("; the nearest is {}", text::line(&near)));
        format!("{} applies {}, which is not in here{near}", used.id, text::line(&used.path))
    })
    .collect()
}
