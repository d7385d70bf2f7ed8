//! The consumer through whose eyes is looked: its spec, and the values that it takes from elsewhere. Secrets are read
//! only where that was asked.

use super::Desk;
use crate::domain::{
    comparison::Tier,
    lens::Lens,
    problem::{Cause, Problem},
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
    if post_build {
        notes.push("postBuild is not substituted: Flux puts its values in after the build".to_owned());
    }
    notes
}
