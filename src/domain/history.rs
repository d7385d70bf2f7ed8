//! Which revisions ran: what Flux keeps of a consumer, or what the consumers of a source ran of it. It asks no
//! registry: whether an artifact is still there is not known here.

use super::{
    artifact::Target,
    consumer::{Consumer, Release},
    digest::{Digest, is_lower_hex},
    fact::Object,
    identity::{Kind, ObjectId},
    problem::{Cause, Problem},
    reference::{Unresolved, held, ran},
    revision::Revision,
    source::Source,
    world::{Lookup, World},
};
use jiff::Timestamp;
use std::cmp::Reverse;

/// What is known of one object, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    pub of: ObjectId,
    pub runs: Vec<Run>,
    /// Objects that would have to be read to say where the artifacts are.
    pub needs: Vec<ObjectId>,
}

/// One revision that ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Names it inside its history, whatever else comes or goes.
    pub id: Box<str>,
    /// As Flux keeps it; of a source: what its consumers ran last under this revision.
    pub entry: Release,
    /// The tag, or the chart's version without the digest that helm-controller puts behind it.
    pub tag: Option<Box<str>>,
    /// The tag that Flux took it by, where that was recorded: a chart's version need not be one.
    pub named: Option<Box<str>>,
    pub outcome: Outcome,
    /// It runs now; of a source: it is what the source holds now.
    pub current: bool,
    /// Other digests that stand under the same tag in this history: the tag was moved.
    pub others: Vec<Digest>,
    /// Of a source: the consumers that ran it, and whether they run it now.
    pub by: Vec<(ObjectId, bool)>,
    pub target: Result<Target, Problem>,
    /// What was taken for granted to find the artifact, in one sentence.
    pub note: Option<Box<str>>,
}

/// What came of applying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// It ended because something newer came.
    Replaced,
    UnderWay,
    Failed,
    /// Uninstalled.
    Removed,
    Unknown,
}

impl Outcome {
    /// Of a Ready reason of a Kustomization or a status of Helm's (`reference/flux.md` §3.1, §3.2).
    pub fn of(status: &str) -> Self {
        match status {
            "ReconciliationSucceeded" | "deployed" | APPLIED | STORED => Self::Succeeded,
            "superseded" | "HealthCheckCanceled" => Self::Replaced,
            "Progressing" | "ProgressingWithRetry" | "DependencyNotReady" => Self::UnderWay,
            "failed" => Self::Failed,
            "uninstalling" | "uninstalled" => Self::Removed,
            "" | "unknown" => Self::Unknown,
            pending if pending.starts_with("pending-") => Self::UnderWay,
            reason if reason.ends_with("Failed") || reason == "AccessDenied" => Self::Failed,
            _ => Self::Unknown,
        }
    }
}

/// Said of a revision that a Kustomization reports as applied and no longer keeps in its history.
const APPLIED: &str = "applied";
/// Said of what a source holds and no consumer ran.
const STORED: &str = "stored";

impl History {
    pub fn of(world: &World, id: &ObjectId) -> Result<Self, Unresolved> {
        let object = match world.lookup(id) {
            Lookup::Here(object) => object,
            Lookup::Unseen => return Err(Unresolved::Needs(id.clone())),
            Lookup::Gone => {
                let hint =
                    format!("fluxscope get {} -n {} lists what is there", id.kind.short(), id.namespace);
                let problem = Problem::new(Cause::NotFound, what(id), "it does not exist").with_hint(hint);
                return Err(Unresolved::Problem(problem));
            }
        };
        let mut history = match &**object {
            Object::Consumer(consumer) => of_consumer(world, consumer),
            Object::Source(source) => of_source(world, source)?,
        };
        history.compare_tags();
        Ok(history)
    }

    /// Why this kind has none; None: it has one, perhaps empty.
    pub fn refusal(kind: Kind) -> Option<&'static str> {
        match kind {
            Kind::Kustomization
            | Kind::HelmRelease
            | Kind::OciRepository
            | Kind::HelmChart
            | Kind::ExternalArtifact => None,
            Kind::HelmRepository => Some("a HelmRepository holds no artifact by itself: its charts do"),
            Kind::GitRepository | Kind::Bucket => Some("it is in no OCI registry"),
        }
    }

    pub fn find(&self, id: &str) -> Option<&Run> {
        self.runs.iter().find(|run| &*run.id == id)
    }

    /// What runs now.
    pub fn current(&self) -> Option<&Run> {
        self.runs.iter().find(|run| run.current)
    }

    fn compare_tags(&mut self) {
        let known: Vec<(Box<str>, Digest)> =
            self.runs.iter().filter_map(|run| Some((run.tag.clone()?, run.digest()?.clone()))).collect();
        for run in &mut self.runs {
            let (Some(tag), Some(own)) = (&run.tag, run.entry.digest.as_ref()) else { continue };
            for (_, digest) in known.iter().filter(|(other, digest)| other == tag && digest != own) {
                if !run.others.contains(digest) {
                    run.others.push(digest.clone());
                }
            }
        }
    }
}

impl Run {
    /// `6.9.1@a1b2c3d4`, as far as it is known.
    pub fn short(&self) -> String {
        match (&self.tag, &self.entry.digest) {
            (Some(tag), Some(digest)) => format!("{tag}@{}", digest.short()),
            (None, Some(digest)) => format!("@{}", digest.short()),
            (Some(tag), None) => tag.to_string(),
            (None, None) => "no revision".to_owned(),
        }
    }

    /// Of the artifact: a commit is none.
    pub fn digest(&self) -> Option<&Digest> {
        self.entry.digest.as_ref().filter(|digest| digest.is_oci())
    }

    pub fn when(&self) -> Option<Timestamp> {
        self.entry.when
    }
}

fn what(id: &ObjectId) -> String {
    format!("list the revisions of {id}")
}

fn of_consumer(world: &World, consumer: &Consumer) -> History {
    let id = &consumer.meta.id;
    let mut entries = consumer.applied.history.clone();
    let kept = entries.iter().any(|entry| entry.revision.is_some() && is_applied(consumer, entry));
    // before kustomize-controller kept a history, and where failures took all of its places
    if let (Kind::Kustomization, false, Some(applied)) = (id.kind, kept, &consumer.applied.last_applied) {
        entries.push(Release {
            status: APPLIED.into(),
            revision: Some(applied.clone()),
            digest: applied.digest().cloned(),
            ..Release::default()
        });
    }
    let current = current(consumer, &entries);
    let mut history = History { of: id.clone(), runs: Vec::new(), needs: Vec::new() };
    for (at, entry) in entries.into_iter().enumerate() {
        let (target, note) = place(ran(world, consumer, &entry), id, &mut history.needs);
        let run = Run {
            id: name(&entry, &history.runs),
            tag: tag(id.kind, &entry),
            named: named(&entry),
            outcome: Outcome::of(&entry.status),
            current: Some(at) == current,
            others: Vec::new(),
            by: Vec::new(),
            entry,
            target,
            note,
        };
        history.runs.push(run);
    }
    history
}

fn is_applied(consumer: &Consumer, entry: &Release) -> bool {
    entry.revision == consumer.applied.last_applied
}

/// The first `deployed` release; of a Kustomization what it applied, and of that what succeeded.
fn current(consumer: &Consumer, entries: &[Release]) -> Option<usize> {
    let applied = |entry: &Release| entry.revision.is_some() && is_applied(consumer, entry);
    match consumer.kind() {
        Kind::HelmRelease => entries.iter().position(|entry| &*entry.status == "deployed"),
        _ => entries
            .iter()
            .position(|entry| applied(entry) && Outcome::of(&entry.status) == Outcome::Succeeded)
            .or_else(|| entries.iter().position(applied)),
    }
}

/// Flux keeps one entry for each pair of built manifests and outcome, Helm one for each of its revisions.
fn name(entry: &Release, before: &[Run]) -> Box<str> {
    let name = match (entry.version, &entry.built, &entry.revision) {
        (Some(version), ..) => format!("v{version}"),
        (None, Some(built), _) => format!("{built} {}", entry.status),
        (None, None, Some(revision)) => format!("{revision} {}", entry.status),
        (None, None, None) => entry.status.to_string(),
    };
    let same = before.iter().filter(|run| run.id.split('#').next() == Some(&*name)).count();
    if same == 0 { name.into() } else { format!("{name}#{same}").into() }
}

fn tag(kind: Kind, entry: &Release) -> Option<Box<str>> {
    if entry.tag.is_some() {
        return entry.tag.clone();
    }
    let tag = entry.revision.as_ref()?.tag()?;
    Some(if kind == Kind::HelmRelease { without_digest(tag, entry.digest.as_ref()) } else { tag }.into())
}

fn named(entry: &Release) -> Option<Box<str>> {
    let of_revision = || {
        let revision = entry.revision.as_ref().filter(|revision| revision.digest().is_some())?;
        revision.tag().map(Into::into)
    };
    entry.tag.clone().or_else(of_revision)
}

/// helm-controller puts the first 12 digits of the digest behind the version of a chart.
fn without_digest<'a>(version: &'a str, digest: Option<&Digest>) -> &'a str {
    match version.rsplit_once('+') {
        Some((bare, hex))
            if hex.len() == 12
                && hex.bytes().all(is_lower_hex)
                && digest.is_none_or(|digest| digest.hex().starts_with(hex)) =>
        {
            bare
        }
        Some(_) | None => version,
    }
}

fn place(
    found: Result<super::reference::Resolved, Unresolved>,
    of: &ObjectId,
    needs: &mut Vec<ObjectId>,
) -> (Result<Target, Problem>, Option<Box<str>>) {
    match found {
        Ok(resolved) => (Ok(resolved.target), resolved.note),
        Err(Unresolved::Problem(problem)) => (Err(problem), None),
        Err(Unresolved::Needs(id)) => {
            let what = format!("find the artifact of {of}");
            let problem = Problem::new(Cause::Other, what, format!("{id} was not read"));
            if !needs.contains(&id) {
                needs.push(id);
            }
            (Err(problem), None)
        }
    }
}

/// What its consumers ran, each artifact once, and what it holds.
fn of_source(world: &World, source: &Source) -> Result<History, Unresolved> {
    let id = &source.meta.id;
    if let Some(why) = History::refusal(id.kind) {
        return Err(Unresolved::Problem(Problem::new(Cause::Refused, what(id), why)));
    }
    let mut history = History { of: id.clone(), runs: Vec::new(), needs: Vec::new() };
    for user in world.consumers(id) {
        let Some(consumer) = world.get(&user).and_then(|object| object.as_consumer()) else { continue };
        for run in of_consumer(world, consumer).runs {
            history.merge(run, &user);
        }
    }
    history.hold(world, source);
    history.runs.sort_by_key(|run| Reverse((run.when().is_some(), run.when())));
    Ok(history)
}

impl History {
    fn merge(&mut self, mut run: Run, user: &ObjectId) {
        let now = std::mem::take(&mut run.current);
        run.id = same_artifact(&run.entry);
        let Some(known) = self.runs.iter_mut().find(|known| known.id == run.id) else {
            run.by = vec![(user.clone(), now)];
            self.runs.push(run);
            return;
        };
        // the entries of one consumer come one after the other
        match known.by.last_mut().filter(|(last, _)| last == user) {
            Some((_, runs)) => *runs |= now,
            None => known.by.push((user.clone(), now)),
        }
        let named = known.named.take().or_else(|| run.named.clone());
        let first = [known.entry.first, run.entry.first].into_iter().flatten().min();
        if run.when() > known.when() {
            let by = std::mem::take(&mut known.by);
            *known = Run { by, ..run };
        }
        known.entry.first = first;
        known.named = named;
    }

    /// The row of what the source holds.
    fn hold(&mut self, world: &World, source: &Source) {
        let Some(revision) = source.revision() else { return };
        let entry = Release {
            status: STORED.into(),
            revision: Some(revision.clone()),
            digest: revision.digest().cloned(),
            when: source.artifact.as_ref().and_then(|artifact| artifact.stored),
            ..Release::default()
        };
        let own = same_artifact(&entry);
        let (target, note) = place(held(world, source), &source.meta.id, &mut self.needs);
        let tag: Option<Box<str>> = revision.tag().map(Into::into);
        if let Some(known) = self.runs.iter_mut().find(|run| run.id == own) {
            (known.current, known.target, known.note) = (true, target, note);
            // of a chart the release keeps the version, the source the tag
            known.named = named(&entry).or_else(|| known.named.take());
            known.tag = tag.or_else(|| known.tag.take());
            return;
        }
        self.runs.push(Run {
            id: own,
            tag,
            named: named(&entry),
            outcome: Outcome::of(&entry.status),
            current: true,
            others: Vec::new(),
            by: Vec::new(),
            entry,
            target,
            note,
        });
    }
}

/// The digest, else what Flux wrote.
fn same_artifact(entry: &Release) -> Box<str> {
    match (&entry.digest, &entry.revision) {
        (Some(digest), _) => digest.as_str().into(),
        (None, Some(revision)) => Revision::as_str(revision).into(),
        (None, None) => entry.status.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        artifact::Origin,
        consumer::Applied,
        sample::{
            chart, digest, helm_repository, id, kustomization, release, release_of_chart, repository, world,
        },
    };

    fn with(mut object: Object, change: impl FnOnce(&mut Applied)) -> Object {
        let Object::Consumer(consumer) = &mut object else { panic!("a consumer") };
        change(&mut consumer.applied);
        object
    }

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    fn applied(tag: &str, c: char, status: &str, second: i64) -> Release {
        let revision = Revision::parse(&format!("{tag}@{}", digest(c)));
        Release {
            status: status.into(),
            digest: revision.as_ref().and_then(|revision| revision.digest().cloned()),
            revision,
            built: digest(c).parse().ok(),
            when: at(second),
            ..Release::default()
        }
    }

    fn released(version: i64, chart: &str, status: &str, c: Option<char>) -> Release {
        Release {
            version: Some(version),
            status: status.into(),
            revision: Revision::parse(chart),
            chart: Some("app".into()),
            digest: c.and_then(|c| digest(c).parse().ok()),
            when: at(version),
            ..Release::default()
        }
    }

    fn history(world: &World, kind: Kind, path: &str) -> History {
        History::of(world, &id(kind, path)).unwrap()
    }

    fn places(history: &History) -> Vec<String> {
        let place = |run: &Run| match &run.target {
            Ok(Target { origin: Origin::Registry { upstream, reference }, .. }) => {
                let name = upstream.repository.to_string();
                format!("{}:{}", name.rsplit('/').next().unwrap(), reference.get(..9).unwrap_or(reference))
            }
            Ok(other) => format!("{other:?}"),
            Err(problem) => problem.why.clone(),
        };
        history.runs.iter().map(place).collect()
    }

    fn marks(history: &History) -> Vec<String> {
        let words = |run: &Run| {
            let current = if run.current { " current" } else { "" };
            let moved = if run.others.is_empty() { "" } else { " moved" };
            format!("{}{current}{moved}", run.short())
        };
        history.runs.iter().map(words).collect()
    }

    #[test]
    fn a_kustomization_runs_what_it_applied_and_not_what_failed_since() {
        let object = with(kustomization("shop/k", "shop/app"), |own| {
            own.history = vec![
                applied("1.1.0", 'b', "HealthCheckFailed", 30),
                applied("1.0.0", 'a', "ReconciliationSucceeded", 20),
                applied("1.0.0", 'a', "HealthCheckFailed", 10),
            ];
        });
        let history = history(&world(vec![repository("shop/app"), object]), Kind::Kustomization, "shop/k");
        assert_eq!(marks(&history), ["1.1.0@bbbbbbbb", "1.0.0@aaaaaaaa current", "1.0.0@aaaaaaaa"]);
        assert_eq!(places(&history), ["app:sha256:bb", "app:sha256:aa", "app:sha256:aa"]);
        assert_eq!(history.runs[0].outcome, Outcome::Failed);
        let ids: std::collections::BTreeSet<_> = history.runs.iter().map(|run| &run.id).collect();
        assert_eq!(ids.len(), 3, "the same manifests with another outcome are another entry");
    }

    #[test]
    fn what_is_applied_is_there_where_the_history_does_not_hold_it() {
        let bare = history(
            &world(vec![repository("shop/app"), kustomization("shop/k", "shop/app")]),
            Kind::Kustomization,
            "shop/k",
        );
        assert_eq!(marks(&bare), ["1.0.0@aaaaaaaa current"]);
        let failing = with(kustomization("shop/k", "shop/app"), |own| {
            own.history = vec![applied("1.1.0", 'b', "HealthCheckFailed", 30)];
        });
        let history = history(&world(vec![repository("shop/app"), failing]), Kind::Kustomization, "shop/k");
        assert_eq!(marks(&history), ["1.1.0@bbbbbbbb", "1.0.0@aaaaaaaa current"]);
    }

    #[test]
    fn a_tag_that_stands_there_with_two_digests_was_moved() {
        let object = with(kustomization("shop/k", "shop/app"), |own| {
            own.last_applied = Revision::parse(&format!("latest@{}", digest('b')));
            own.history = vec![
                applied("latest", 'b', "ReconciliationSucceeded", 30),
                applied("latest", 'a', "ReconciliationSucceeded", 20),
                applied("1.0.0", 'a', "ReconciliationSucceeded", 10),
            ];
        });
        let history = history(&world(vec![repository("shop/app"), object]), Kind::Kustomization, "shop/k");
        assert_eq!(
            marks(&history),
            ["latest@bbbbbbbb current moved", "latest@aaaaaaaa moved", "1.0.0@aaaaaaaa"]
        );
    }

    #[test]
    fn the_same_chart_version_with_other_content_was_moved_too() {
        let object = with(release("shop/r", "shop/app"), |own| {
            own.history = vec![
                released(3, "1.0.0+bbbbbbbbbbbb", "deployed", Some('b')),
                released(2, "1.0.0+aaaaaaaaaaaa", "superseded", Some('a')),
                released(1, "0.9.0+build", "superseded", Some('c')),
            ];
        });
        let history = history(&world(vec![repository("shop/app"), object]), Kind::HelmRelease, "shop/r");
        assert_eq!(
            marks(&history),
            ["1.0.0@bbbbbbbb current moved", "1.0.0@aaaaaaaa moved", "0.9.0+build@cccccccc"]
        );
        assert_eq!(places(&history)[1], "app:sha256:aa");
        assert_eq!(history.runs[1].outcome, Outcome::Replaced);
    }

    #[test]
    fn a_chart_of_a_repository_is_looked_up_by_its_version_and_that_is_said() {
        let object = with(release_of_chart("shop/r", "shop/c"), |own| {
            own.history = vec![
                released(2, "1.0.0+b1", "deployed", None),
                Release { chart: Some("other".into()), ..released(1, "0.9.0", "superseded", None) },
            ];
        });
        let objects = vec![helm_repository("shop/charts"), chart("shop/c", "shop/charts"), object];
        let history = history(&world(objects), Kind::HelmRelease, "shop/r");
        assert_eq!(places(&history), ["app:1.0.0_b1", "it was the chart other, and hc shop/c is app now"]);
        assert!(history.runs[0].note.as_ref().unwrap().contains("keeps no digest"));
    }

    #[test]
    fn what_cannot_be_found_says_why_and_stays_in_the_list() {
        let mut git = kustomization("shop/git", "shop/app");
        if let Object::Consumer(consumer) = &mut git {
            consumer.source = Some(id(Kind::GitRepository, "shop/git"));
        }
        let unread = world(vec![git, kustomization("shop/k", "shop/app")]);
        let of_git = history(&unread, Kind::Kustomization, "shop/git");
        assert_eq!(places(&of_git), ["it takes from gitrepo shop/git, which is in no OCI registry"]);
        let unseen = history(&unread, Kind::Kustomization, "shop/k");
        assert_eq!(places(&unseen), ["ocirepo shop/app was not read"]);
        assert_eq!(unseen.needs, [id(Kind::OciRepository, "shop/app")]);
    }

    #[test]
    fn a_source_shows_what_it_holds_and_what_its_consumers_ran_each_artifact_once() {
        let old = |path: &str, second| {
            with(kustomization(path, "shop/app"), |own| {
                own.last_applied = Revision::parse(&format!("0.9.0@{}", digest('b')));
                own.history = vec![applied("0.9.0", 'b', "ReconciliationSucceeded", second)];
            })
        };
        let objects =
            vec![repository("shop/app"), old("shop/a", 10), old("shop/b", 20), release("shop/r", "shop/app")];
        let history = history(&world(objects), Kind::OciRepository, "shop/app");
        assert_eq!(marks(&history), ["0.9.0@bbbbbbbb", "1.0.0@aaaaaaaa current"]);
        let by: Vec<String> = history.runs[0].by.iter().map(|(id, now)| format!("{id} {now}")).collect();
        assert_eq!(by, ["ks shop/a true", "ks shop/b true"]);
        assert_eq!(history.runs[0].when(), at(20));
        assert_eq!(history.runs[1].by.len(), 1, "the release runs what the source holds");
    }

    #[test]
    fn kinds_without_a_history_say_why() {
        let world = world(vec![helm_repository("shop/charts")]);
        let refused = History::of(&world, &id(Kind::HelmRepository, "shop/charts"));
        assert!(
            matches!(refused, Err(Unresolved::Problem(problem)) if problem.why.contains("its charts do"))
        );
        let gone = History::of(&world, &id(Kind::Kustomization, "shop/x"));
        assert!(matches!(gone, Err(Unresolved::Needs(_))));
    }

    #[test]
    fn every_word_of_flux_and_helm_has_its_outcome() {
        for (status, outcome) in [
            ("ReconciliationSucceeded", Outcome::Succeeded),
            ("HealthCheckFailed", Outcome::Failed),
            ("HealthCheckCanceled", Outcome::Replaced),
            ("PruneFailed", Outcome::Failed),
            ("deployed", Outcome::Succeeded),
            ("superseded", Outcome::Replaced),
            ("failed", Outcome::Failed),
            ("pending-upgrade", Outcome::UnderWay),
            ("uninstalled", Outcome::Removed),
            ("unknown", Outcome::Unknown),
            ("SomethingNew", Outcome::Unknown),
        ] {
            assert_eq!(Outcome::of(status), outcome, "{status}");
        }
    }
}
