//! The consumer through whose eyes is looked: its spec, and the values that it takes from elsewhere. Secrets are read
//! only where that was asked.

use super::Desk;
use crate::domain::{
    artifact::Origin,
    comparison::{Question, Tier},
    consumer::Consumer,
    fact::Object,
    identity::ObjectId,
    lens::Lens,
    problem::{Cause, Problem},
    source::{OciSpec, Source, SourceSpec},
};
use futures::future::join_all;

impl Desk {
    pub(super) async fn lens(&self) -> Result<Lens, Problem> {
        let Some(id) = &self.question.consumer else { return Ok(Lens::Whole) };
        let Some(cluster) = &self.sides.cluster else {
            let why = "no cluster is connected that could say what it applies";
            return Err(Problem::new(Cause::Unreachable, format!("look through the eyes of {id}"), why));
        };
        let raw = cluster.raw(id.clone()).await?;
        let mut lens = Lens::read(&raw)?;
        let wanted = lens.needs(self.question.read_secrets).into_iter();
        let answers = join_all(wanted.map(|config| async {
            let answer = cluster.config(config.clone()).await;
            (config, answer)
        }));
        lens.fill(&answers.await);
        Ok(lens)
    }
}

impl Desk {
    /// What the consumer would never get, because it takes from elsewhere or with other rules. What cannot be read of it
    /// is no reason to say nothing else.
    pub(super) async fn strangers(&self) -> Vec<String> {
        let Some((id, cluster)) = self.question.consumer.as_ref().zip(self.sides.cluster.as_ref()) else {
            return Vec::new();
        };
        let Ok(object) = cluster.fetch(id.clone()).await else { return Vec::new() };
        let Object::Consumer(Consumer { source: Some(source), .. }) = &*object else { return Vec::new() };
        match cluster.fetch(source.clone()).await.as_deref() {
            Ok(Object::Source(Source { spec: SourceSpec::Oci(spec), .. })) => {
                strange(&self.question, source, spec)
            }
            Ok(Object::Source(_) | Object::Consumer(_)) | Err(_) => Vec::new(),
        }
    }
}

fn strange(question: &Question, source: &ObjectId, spec: &OciSpec) -> Vec<String> {
    let Some(consumer) = &question.consumer else { return Vec::new() };
    let mut notes = Vec::new();
    for target in [&question.from, &question.to] {
        let Origin::Registry { upstream, .. } = &target.origin else { continue };
        let note = if spec.repository.as_ref() != Ok(&upstream.repository) {
            format!(
                "{consumer} takes from {source}, which is {}, not from oci://{}",
                spec.url, upstream.repository
            )
        } else if target.selector != spec.layer || target.ignore != spec.ignore {
            let name = &source.name;
            format!(
                "layerSelector and ignore of {source} are not used here: ocirepo/{name}:TAG would use them"
            )
        } else {
            continue;
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// What the spec does besides, and no diff of files shows.
pub(super) fn notes(lens: &Lens, tier: &Tier) -> Vec<String> {
    let (on_top, suspended, post_build) = match lens {
        Lens::Whole => return Vec::new(),
        Lens::Kustomization(lens) => (&lens.on_top, lens.suspended, lens.post_build),
        Lens::Release(lens) => (&lens.on_top, lens.suspended, false),
    };
    let mut notes = Vec::new();
    if suspended {
        notes.push("it is suspended: nothing is applied before it is resumed".to_owned());
    }
    if !on_top.is_empty() && matches!(tier, Tier::Source { .. }) {
        notes.push(format!("applies on top, and is not in this diff: {}", on_top.join(", ")));
    }
    if let (Lens::Release(lens), Tier::Built { .. }) = (lens, tier) {
        notes.extend(lens.cover_note());
    }
    if post_build {
        notes.push("postBuild is not substituted: Flux puts its values in after the build".to_owned());
    }
    notes
}
