//! The newest tag of every repository in question, each asked once, and what Flux would take of them. It knows no rule.

use crate::{
    domain::{
        fact::Object,
        outlook::{Prospect, Readings},
        policy::Policy,
        problem::{Cause, Problem},
        repository::{Upstream, is_signature_tag},
        upgrade::{Candidate, Distance, Upgrade},
        version::{Version, newest},
        world::World,
    },
    port::Registry,
};
use futures::{StreamExt, stream};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Repositories asked at the same time; the registry's own limits hold below it.
const REPOSITORIES: usize = 6;

#[derive(Default)]
pub(super) struct Newest(BTreeMap<Upstream, Result<Tags, Problem>>);

/// One repository, read in both ways: `_` stands for `+` in the tags of charts only.
struct Tags {
    /// In the registry's order.
    listed: Vec<Arc<str>>,
    plain: Option<Arc<str>>,
    chart: Option<Arc<str>>,
    /// Why the list is not whole.
    cut: Option<Problem>,
}

impl Newest {
    /// Asks for what these objects take from and was not asked before. Returns what was not answered.
    pub(super) async fn ask(
        &mut self,
        registry: &dyn Registry,
        world: &World,
        objects: &[Arc<Object>],
    ) -> Vec<Problem> {
        let upstreams: BTreeSet<Upstream> = objects
            .iter()
            .filter_map(|object| world.upstream(object.as_source()?))
            .filter(|upstream| !self.0.contains_key(upstream))
            .collect();
        let answers: Vec<_> = stream::iter(upstreams)
            .map(|upstream| async move { (upstream.clone(), read(registry, upstream).await) })
            .buffer_unordered(REPOSITORIES)
            .collect()
            .await;
        let problems = answers.iter().filter_map(|(_, answer)| match answer {
            Ok(tags) => tags.cut.clone(),
            Err(problem) => Some(problem.clone()),
        });
        let problems = problems.collect();
        self.0.extend(answers);
        problems
    }

    /// What the registry holds for this object, or why that is not known. None: nothing was asked.
    pub(super) fn of(&self, world: &World, object: &Object) -> Option<Result<Option<&str>, &Problem>> {
        let source = object.as_source()?;
        Some(match self.0.get(&world.upstream(source)?)? {
            Err(problem) | Ok(Tags { cut: Some(problem), .. }) => Err(problem),
            Ok(tags) if source.is_chart() => Ok(tags.chart.as_deref()),
            Ok(tags) => Ok(tags.plain.as_deref()),
        })
    }

    /// The same for a person: what Flux would take now, and what is beyond its range; else the newest tag.
    pub(super) fn words(&self, world: &World, object: &Object) -> Option<String> {
        let source = object.as_source()?;
        let newest = self.of(world, object)?.ok()?;
        let Ok(tags) = self.0.get(&world.upstream(source)?)? else { return None };
        let Some(policy) = Policy::of(source) else { return newest.map(str::to_owned) };
        let outlook = policy.outlook(&Readings::new(&tags.listed));
        let upgrade = Upgrade::from_outlook(world, source, &policy, &outlook, None);
        let first = match outlook.prospect(&upgrade) {
            Prospect::Unjudged(_) => "not judged".to_owned(),
            Prospect::Nothing(_) => "no match".to_owned(),
            Prospect::Absent => "not there".to_owned(),
            Prospect::Pinned => "pinned".to_owned(),
            Prospect::Take(candidate) => with_distance(candidate),
            Prospect::GoBack(candidate) => format!("back to {}", with_distance(candidate)),
            Prospect::Moved => "moved".to_owned(),
            Prospect::Uncompared(tag) | Prospect::Stay(tag) => tag.to_owned(),
        };
        let beyond = upgrade.beyond.as_ref().map(|beyond| format!(", beyond: {}", with_distance(beyond)));
        Some(first + &beyond.unwrap_or_default())
    }
}

fn with_distance(candidate: &Candidate) -> String {
    match candidate.distance {
        Distance::None | Distance::Unknown => candidate.tag.to_string(),
        Distance::Patch | Distance::Minor | Distance::Major => {
            format!("{} {}", candidate.tag, candidate.distance)
        }
    }
}

async fn read(registry: &dyn Registry, upstream: Upstream) -> Result<Tags, Problem> {
    let mut pages = registry.tags(upstream.clone());
    let (mut tags, mut cut) = (Vec::new(), None);
    while let Some(page) = pages.next().await {
        let page = page?;
        tags.extend(page.tags);
        cut = page.cut.or(cut);
    }
    let what = format!("list all tags of {}", upstream.repository);
    tags.retain(|tag| !is_signature_tag(tag));
    Ok(Tags {
        plain: newest(&tags, Version::parse_tag).cloned(),
        chart: newest(&tags, Version::parse_chart_tag).cloned(),
        listed: tags,
        cut: cut.map(|why| Problem::new(Cause::Invalid, what, why)),
    })
}
