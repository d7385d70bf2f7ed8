//! What the cluster says for `outdated`: one LIST per kind, and which repository each source takes from.

use super::{Limit, row::Row, survey::Repository};
use crate::{
    domain::{
        fact::{Fact, Object, Scope},
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
        repository::Upstream,
        source::{OciSpec, Source, SourceSpec},
        world::{Feed, Lookup, World},
    },
    port::Cluster,
};
use futures::StreamExt;
use std::{collections::BTreeMap, sync::Arc};
use tokio::time::timeout_at;

/// What follows something in a registry, what it takes from, and who takes from it.
const KINDS: [Kind; 5] =
    [Kind::OciRepository, Kind::HelmRepository, Kind::HelmChart, Kind::Kustomization, Kind::HelmRelease];

#[derive(Default)]
pub(super) struct Objects {
    pub(super) world: World,
    /// What could not be asked, in the order in which it was heard.
    pub(super) problems: Vec<Problem>,
    /// Sources that are there and could not be read.
    unreadable: BTreeMap<ObjectId, Problem>,
}

/// Where a source's tags are.
enum Place {
    Registry(Upstream),
    /// It follows nothing in an OCI registry.
    Elsewhere,
    Lost(Problem),
}

impl Objects {
    pub(super) async fn read(cluster: &dyn Cluster, scope: &Scope, limit: &Limit) -> Self {
        let mut objects = Self::default();
        let mut lists = cluster.list(scope.clone());
        let late = loop {
            match timeout_at(limit.deadline, lists.next()).await {
                Ok(Some(facts)) => facts.into_iter().for_each(|fact| objects.hear(fact)),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        let silent: Vec<&str> =
            KINDS.iter().filter(|kind| !objects.heard(**kind)).map(|k| k.plural()).collect();
        if !silent.is_empty() {
            let what = format!("list {}", silent.join(", "));
            let ended = "the question ended without an answer";
            objects.problems.push(if late {
                limit.late(what)
            } else {
                Problem::new(Cause::Other, what, ended)
            });
        }
        objects
    }

    /// At least one of the kinds that follow something in a registry was answered.
    pub(super) fn is_answered(&self) -> bool {
        self.world.feeds().any(|(feed, state)| {
            matches!(feed.kind, Kind::OciRepository | Kind::HelmChart)
                && matches!(state, Feed::Live { .. } | Feed::Lost { .. } | Feed::NotInstalled)
        })
    }

    fn heard(&self, kind: Kind) -> bool {
        self.world.feeds().any(|(feed, _)| feed.kind == kind)
    }

    fn hear(&mut self, fact: Fact) {
        if let Fact::Unreadable { object: Some(id), problem, .. } = &fact
            && follows_something(id.kind)
        {
            self.unreadable.insert(id.clone(), problem.clone());
        } else if let Some((_, problem)) = fact.failure().filter(|(kind, _)| KINDS.contains(kind)) {
            self.problems.push(problem.clone());
        }
        self.world.observe(fact);
    }

    /// The repositories to ask, each with all sources that take from it; and the rows of those that name none.
    pub(super) fn errands(&self) -> (Vec<Repository>, Vec<Row>) {
        let mut repositories: BTreeMap<Upstream, Vec<Arc<Object>>> = BTreeMap::new();
        let lost = |(id, problem): (&ObjectId, &Problem)| Row::unreadable(id.clone(), problem.clone());
        let mut rows: Vec<Row> = self.unreadable.iter().map(lost).collect();
        for object in self.world.objects() {
            let Some(source) = object.as_source() else { continue };
            match self.place(source) {
                Place::Registry(upstream) => repositories.entry(upstream).or_default().push(object.clone()),
                Place::Elsewhere => {}
                Place::Lost(problem) => rows.push(Row::unasked(&self.world, source, None, problem)),
            }
        }
        let repositories =
            repositories.into_iter().map(|(upstream, sources)| Repository { upstream, sources });
        (repositories.collect(), rows)
    }

    fn place(&self, source: &Source) -> Place {
        if let Some(upstream) = self.world.upstream(source) {
            return Place::Registry(upstream);
        }
        let lost = |cause, why: String| {
            Place::Lost(Problem::new(cause, format!("list the tags for {}", source.meta.id), why))
        };
        match &source.spec {
            SourceSpec::Oci(OciSpec { url, repository, .. }) => {
                let why = repository.as_ref().err().map_or_else(String::new, ToString::to_string);
                lost(Cause::Invalid, format!("spec.url {url} is not usable: {why}"))
            }
            SourceSpec::HelmChart { source: Some(id), .. } if id.kind == Kind::HelmRepository => {
                match self.world.lookup(id) {
                    Lookup::Here(object) if object.as_source().is_some_and(Source::is_static) => {
                        lost(Cause::Invalid, format!("{id} and spec.chart name no usable repository"))
                    }
                    Lookup::Here(_) => Place::Elsewhere,
                    Lookup::Gone => lost(Cause::NotFound, format!("{id}, which it takes from, is not there")),
                    Lookup::Unseen => {
                        lost(Cause::Forbidden, format!("{id}, which it takes from, could not be read"))
                    }
                }
            }
            SourceSpec::HelmChart { .. }
            | SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => Place::Elsewhere,
        }
    }
}

const fn follows_something(kind: Kind) -> bool {
    matches!(kind, Kind::OciRepository | Kind::HelmChart)
}
