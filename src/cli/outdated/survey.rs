//! The registries' side of `outdated`: each repository's tags once, each running tag at most once, and the tags behind
//! digest pins as far as they are looked at. It judges one repository at a time, so that no tags pile up.

use super::{Limit, progress::Progress, row::Row};
use crate::{
    domain::{
        digest::Digest,
        fact::Object,
        outlook::{Outlook, Readings},
        policy::Policy,
        problem::{Cause, Problem},
        repository::{Upstream, is_tag},
        source::{Follows, Source, SourceSpec},
        upgrade::{Carriers, Upgrade},
        world::World,
    },
    port::Registry,
};
use futures::{StreamExt, stream};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// Registries asked at the same time.
const HOSTS: usize = 32;
/// Repositories of one registry that may go without an answer before the others are not asked for.
const PATIENCE: usize = 3;
/// Tags looked at together, to see whether one carries a pinned digest.
const GLANCE: usize = 10;

/// A repository, and the sources that take from it.
pub(super) struct Repository {
    pub(super) upstream: Upstream,
    pub(super) sources: Vec<Arc<Object>>,
}

pub(super) struct Survey<'a> {
    pub(super) registry: &'a dyn Registry,
    pub(super) world: &'a World,
    pub(super) limit: &'a Limit,
    /// Repositories of one registry asked at the same time.
    pub(super) at_once: usize,
    /// Tags looked at for one digest pin.
    pub(super) look_at: usize,
}

/// Registries that gave no answer for some repositories in a row, and why: after a few they are left alone.
#[derive(Default)]
struct Silences(RefCell<BTreeMap<String, Vec<Problem>>>);

impl Silences {
    /// Why this registry is not asked any more.
    fn of(&self, host: &str) -> Option<Problem> {
        self.0.borrow().get(host).filter(|problems| problems.len() >= PATIENCE)?.first().cloned()
    }

    fn heard(&self, host: &str, answer: Result<(), &Problem>) {
        let mut hosts = self.0.borrow_mut();
        match answer {
            Err(problem) if is_silence(problem.cause) => {
                hosts.entry(host.to_owned()).or_default().push(problem.clone());
            }
            Ok(()) | Err(_) => {
                hosts.remove(host);
            }
        }
    }
}

/// It is about the registry, not about one of its repositories.
const fn is_silence(cause: Cause) -> bool {
    match cause {
        Cause::Unreachable | Cause::Timeout | Cause::RateLimited | Cause::Untrusted => true,
        Cause::Unauthorized
        | Cause::Forbidden
        | Cause::NotFound
        | Cause::NotInstalled
        | Cause::Invalid
        | Cause::Usage
        | Cause::Refused
        | Cause::Other => false,
    }
}

/// What a repository holds, as far as it was told.
struct List {
    tags: Vec<Arc<str>>,
    /// Why the list is not whole.
    problem: Option<Problem>,
}

/// What tags name now, each asked at most once.
type Names = BTreeMap<Arc<str>, Result<Digest, Problem>>;

impl Survey<'_> {
    pub(super) async fn run(&self, repositories: &[Repository], mut progress: Progress<'_, '_>) -> Vec<Row> {
        let mut hosts: BTreeMap<&str, Vec<&Repository>> = BTreeMap::new();
        for repository in repositories {
            let host = repository.upstream.repository.registry();
            progress.expect(host);
            hosts.entry(host).or_default().push(repository);
        }
        progress.begin();
        let silences = Silences::default();
        let hosts = hosts.into_iter().map(|(host, repositories)| {
            let silences = &silences;
            stream::iter(repositories)
                .map(move |repository| async move { (host, self.visit(repository, silences).await) })
                .buffer_unordered(self.at_once.max(1))
        });
        let mut answers = stream::iter(hosts).flatten_unordered(HOSTS);
        let mut rows = Vec::new();
        while let Some((host, found)) = answers.next().await {
            progress.done(host, found.iter().all(|row| row.problem.is_none()));
            rows.extend(found);
        }
        rows
    }

    async fn visit(&self, repository: &Repository, silences: &Silences) -> Vec<Row> {
        let Repository { upstream, sources } = repository;
        let sources: Vec<&Source> = sources.iter().filter_map(|object| object.as_source()).collect();
        let list = self.list(upstream, silences).await;
        let mut names = self.names(upstream, running(&sources, &list)).await;
        let mut rows = self.judge(upstream, &sources, &list, &names);
        for (row, source) in rows.iter_mut().zip(&sources) {
            if let Some((pinned, hint)) = pin(source) {
                let carriers = self.carriers(upstream, source, &list, &pinned, hint, &mut names).await;
                row.take_carriers(pinned, carriers);
            }
        }
        rows
    }

    async fn list(&self, upstream: &Upstream, silences: &Silences) -> List {
        let host = upstream.repository.registry();
        let what = || format!("list the tags of {}", upstream.repository);
        let mut list = List { tags: Vec::new(), problem: None };
        if let Some(known) = silences.of(host) {
            list.problem = Some(Problem { what: what(), ..known });
            return list;
        }
        let read = async {
            let mut pages = self.registry.tags(upstream.clone());
            while let Some(page) = pages.next().await {
                let page = page?;
                list.tags.extend(page.tags);
                list.tags.extend(page.invalid.iter().map(|name| Arc::from(name.as_str())));
                list.problem =
                    page.cut.map(|why| Problem::new(Cause::Invalid, what(), why)).or(list.problem.take());
            }
            Ok(())
        };
        let answer = self.limit.keep(what, read).await;
        silences.heard(host, answer.as_ref().copied());
        list.problem = answer.err().or(list.problem);
        list
    }

    async fn names(&self, upstream: &Upstream, tags: impl IntoIterator<Item = Arc<str>>) -> Names {
        stream::iter(tags)
            .map(|tag| async move {
                let what = || format!("ask what {}:{tag} is", upstream.repository);
                let asked = self.registry.head(upstream.clone(), tag.to_string());
                let names = self.limit.keep(what, asked).await.map(|found| found.digest);
                (tag, names)
            })
            .buffer_unordered(self.at_once.max(1))
            .collect()
            .await
    }

    /// What Flux makes of the tags is found out once for all sources of one policy.
    fn judge(&self, upstream: &Upstream, sources: &[&Source], list: &List, names: &Names) -> Vec<Row> {
        let readings = Readings::new(&list.tags);
        let mut outlooks: HashMap<Policy, Outlook> = HashMap::new();
        let listed: HashSet<&str> = list.tags.iter().map(|tag| &**tag).collect();
        let row = |source: &&Source| {
            let policy = Policy::of(source).unwrap_or_else(Policy::none);
            let mut row = if let Some(problem) = &list.problem {
                Row::unasked(self.world, source, Some(upstream), problem.clone())
            } else {
                let outlook = outlooks.entry(policy.clone()).or_insert_with(|| policy.outlook(&readings));
                let upgrade = Upgrade::from_outlook(self.world, source, &policy, outlook, None);
                Row::judged(self.world, source, upstream, upgrade, outlook.unjudged.as_deref())
            };
            if list.problem.is_none() {
                row.look_for(source, &policy, &listed);
            }
            row.take_name(named(source, names));
            row
        };
        sources.iter().map(row).collect()
    }

    /// Newest first, some at a time, until one is found or enough were looked at.
    async fn carriers(
        &self,
        upstream: &Upstream,
        source: &Source,
        list: &List,
        pinned: &Digest,
        hint: Option<&str>,
        names: &mut Names,
    ) -> Carriers {
        let dialect = Policy::of(source).map(|policy| policy.dialect).unwrap_or_default();
        let candidates = Carriers::candidates(&list.tags, dialect, hint);
        let mut carriers = Carriers { of: candidates.len(), ..Carriers::default() };
        for some in candidates[..candidates.len().min(self.look_at)].chunks(GLANCE) {
            let unknown = some.iter().filter(|tag| !names.contains_key(*tag)).cloned().collect::<Vec<_>>();
            names.extend(self.names(upstream, unknown).await);
            for tag in some {
                if let Some(answer) = names.get(tag) {
                    carriers.look(pinned, tag, answer.clone());
                }
            }
            if !carriers.tags.is_empty() || carriers.problem.as_ref().is_some_and(concerns_all) {
                break;
            }
        }
        carriers
    }
}

/// The running tags whose digest is worth a question: those with a digest to compare, and in the list.
fn running(sources: &[&Source], list: &List) -> BTreeSet<Arc<str>> {
    if list.problem.as_ref().is_some_and(concerns_all) {
        return BTreeSet::new();
    }
    let listed: HashSet<&str> = list.tags.iter().map(|tag| &**tag).collect();
    let tags = sources.iter().filter_map(|source| running_tag(source));
    tags.filter(|tag| list.problem.is_some() || listed.contains(tag)).map(Arc::from).collect()
}

fn running_tag(source: &Source) -> Option<&str> {
    let revision = source.revision()?;
    let comparable = revision.digest().is_some_and(Digest::is_oci) && pin(source).is_none();
    revision.tag().filter(|tag| comparable && is_tag(tag))
}

fn named<'a>(source: &Source, names: &'a Names) -> Option<&'a Result<Digest, Problem>> {
    names.get(running_tag(source)?)
}

/// The digest that is followed, and the tag that is written beside it.
fn pin(source: &Source) -> Option<(Digest, Option<&str>)> {
    let Some(Follows::Digest(digest)) = source.follows() else { return None };
    let hint = match &source.spec {
        SourceSpec::Oci(spec) => spec.ignored_tag.as_deref(),
        SourceSpec::HelmRepository { .. }
        | SourceSpec::HelmChart { .. }
        | SourceSpec::ExternalArtifact { .. }
        | SourceSpec::Other { .. } => None,
    };
    Some((Digest::parse(&digest).ok()?, hint))
}

/// Another question about the same repository would fail in the same way.
fn concerns_all(problem: &Problem) -> bool {
    !matches!(problem.cause, Cause::NotFound | Cause::Invalid | Cause::Other)
}
