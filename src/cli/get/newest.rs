//! The newest tag of every repository in question, each asked once. It knows no ranges.

use crate::{
    domain::{
        fact::Object,
        problem::{Cause, Problem},
        repository::Upstream,
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
    Ok(Tags {
        plain: newest(&tags, Version::parse_tag).cloned(),
        chart: newest(&tags, Version::parse_chart_tag).cloned(),
        cut: cut.map(|why| Problem::new(Cause::Invalid, what, why)),
    })
}
