//! `tags`: what a registry holds beside one source, or without any cluster, and what Flux makes of each tag.

use super::{
    Ports,
    args::{ClusterArgs, Format, TagsArgs},
    connect, exit, namespace,
    output::{Console, Table, document, problem_fields},
    subject::{Named, TagsOf},
};
use crate::{
    domain::{
        fact::{Fact, Object},
        identity::ObjectId,
        policy::{Choice, Dialect, Judged, Policy, Selection, Verdict},
        problem::{Cause, Problem},
        repository::Upstream,
        revision::Revision,
        source::{Follows, HELM_CHART_LAYER, OciSpec, Source, SourceSpec},
        version::Version,
        world::World,
    },
    port::{Cluster, Registry},
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{cmp::Reverse, sync::Arc};

pub(super) async fn run(
    args: &TagsArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let asked = match &args.of {
        TagsOf::Repository(repository) => {
            let upstream = Upstream { repository: repository.clone(), insecure: false };
            Ok(Asked { upstream, policy: replaced(Policy::none(), None, args), running: None })
        }
        TagsOf::Object(named) => source(named, place, ports, args).await,
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(problem) => return unasked(args, &problem, console),
    };
    let list = List::read(&*ports.registry, &asked).await;
    let answer = Answer::of(&*ports.registry, asked, list).await;
    let rows = answer.rows(args.all);
    match args.output {
        Format::Table | Format::Wide => console.data(&answer.table(&rows, args)),
        Format::Name => console.data(&rows.iter().map(|row| super::safe_line(&row.tag)).collect::<String>()),
        Format::Json => console.json(&answer.document(&rows)),
        Format::Yaml => console.yaml(&answer.document(&rows)),
    }
    answer.comment(rows.len(), console);
    match (answer.is_whole(), &answer.selection.error) {
        (false, _) => exit::NOT_ANSWERED,
        (true, Some(_)) => exit::NO,
        (true, None) => exit::ANSWERED,
    }
}

/// Whose tags, and by which policy they are judged.
struct Asked {
    upstream: Upstream,
    policy: Policy,
    running: Option<Revision>,
}

async fn source(
    named: &Named,
    place: &ClusterArgs,
    ports: &Ports,
    args: &TagsArgs,
) -> Result<Asked, Problem> {
    let cluster = connect(place, ports).await?;
    let id = ObjectId::new(named.kind, namespace(place, &*cluster), named.name.as_str());
    let wrong = |why: String| Problem::new(Cause::Invalid, format!("list the tags of {id}"), why);
    let world = read(&*cluster, &id).await?;
    let object = world.get(&id).ok_or_else(|| wrong("it could not be read".to_owned()))?;
    let source = object.as_source().ok_or_else(|| wrong("it is no source".to_owned()))?;
    let Some(upstream) = world.upstream(source) else {
        return Err(wrong(match &source.spec {
            SourceSpec::Oci(OciSpec { url, repository: Err(why), .. }) => {
                format!("spec.url {url} is not usable: {why}")
            }
            SourceSpec::HelmChart { .. } => "it does not take from a HelmRepository of type oci".to_owned(),
            SourceSpec::Oci(_)
            | SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => "it names no repository".to_owned(),
        }));
    };
    let own = Policy::of(source).unwrap_or_else(Policy::none);
    Ok(Asked { upstream, policy: replaced(own, Some(source), args), running: source.revision().cloned() })
}

/// The object, and what it takes from: a chart's repository is named by two objects.
async fn read(cluster: &dyn Cluster, id: &ObjectId) -> Result<World, Problem> {
    let mut world = World::default();
    let mut next = Some(id.clone());
    while let Some(id) = next.take() {
        let object = cluster.fetch(id).await?;
        next = match &*object {
            Object::Source(Source { spec: SourceSpec::HelmChart { source, .. }, .. }) => source.clone(),
            Object::Source(_) | Object::Consumer(_) => None,
        };
        world.observe(Fact::Changed(object));
    }
    Ok(world)
}

/// The flags stand in for the object's own values.
fn replaced(mut policy: Policy, source: Option<&Source>, args: &TagsArgs) -> Policy {
    let tag = match source.map(|source| &source.spec) {
        Some(SourceSpec::Oci(spec)) => spec.ignored_tag.as_deref().unwrap_or_default(),
        Some(
            SourceSpec::HelmRepository { .. }
            | SourceSpec::HelmChart { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. },
        )
        | None => "",
    };
    if let Some(range) = &args.semver {
        policy.follows = Some(match policy.dialect {
            Dialect::HelmChart => Follows::Semver(range.as_str().into()),
            Dialect::Lenient | Dialect::HelmLayer => Follows::from_ref("", range, tag),
        });
    }
    if let Some(pattern) = &args.filter_regex {
        policy.filter = (!pattern.is_empty()).then(|| pattern.as_str().into());
    }
    if let Some(media_type) = &args.layer_media_type {
        policy.dialect = if media_type == HELM_CHART_LAYER { Dialect::HelmLayer } else { Dialect::Lenient };
    }
    policy
}

/// What the registry holds, in its own order.
#[derive(Default)]
struct List {
    tags: Vec<Arc<str>>,
    requests: u32,
    cut: Option<String>,
    asked_with: Option<Arc<str>>,
    problems: Vec<Problem>,
}

impl List {
    async fn read(registry: &dyn Registry, asked: &Asked) -> Self {
        let mut list = Self::default();
        let mut pages = registry.tags(asked.upstream.clone());
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    list.requests = page.requests;
                    list.asked_with = Some(page.asked_with);
                    list.cut = page.cut.or(list.cut);
                    list.tags.extend(page.tags);
                    list.tags.extend(page.invalid.iter().map(|name| Arc::from(name.as_str())));
                }
                Err(problem) => list.problems.push(problem),
            }
        }
        list
    }

    fn is_whole(&self) -> bool {
        self.problems.is_empty() && self.cut.is_none()
    }
}

struct Answer {
    asked: Asked,
    list: List,
    selection: Selection,
    /// What the chosen tag names now, if it could be asked.
    digest: Option<String>,
}

/// One row; the text comes from outside.
struct Row {
    tag: Arc<str>,
    version: Option<Version>,
    verdict: Verdict,
    reason: String,
    digest: Option<String>,
    running: bool,
}

impl Answer {
    async fn of(registry: &dyn Registry, asked: Asked, list: List) -> Self {
        let selection = select(&asked.policy, &list);
        let mut answer = Self { asked, list, selection, digest: None };
        answer.look_at_choice(registry).await;
        answer
    }

    /// One HEAD of what is chosen. A followed tag need not be in the list: Flux asks for it directly.
    async fn look_at_choice(&mut self, registry: &dyn Registry) {
        let followed = self.asked.policy.named_tag();
        let tag = match &self.selection.chosen {
            Some(Choice::Tag(tag)) => tag.clone(),
            Some(Choice::Digest(digest)) => {
                self.digest = Some(digest.to_string());
                return;
            }
            None => match followed.clone() {
                Some(tag) => tag,
                None => return,
            },
        };
        if !crate::domain::repository::is_tag(&tag) {
            self.selection.error = Some(format!("spec.ref.tag {tag:?} is not a tag by the rules of OCI"));
            return;
        }
        match registry.head(self.asked.upstream.clone(), tag.to_string()).await {
            Ok(found) => {
                self.digest = Some(found.digest.as_str().to_owned());
                self.selection.chosen = Some(Choice::Tag(tag));
            }
            // the winner of a range stays the winner; what it is now is not known
            Err(_) if followed.is_none() => {}
            Err(problem) if problem.cause == Cause::NotFound => {
                self.selection.chosen = None;
                self.selection.error = Some(problem.why);
            }
            Err(problem) if self.list.problems.is_empty() => self.list.problems.push(problem),
            // the list failed for the same reason
            Err(_) => {}
        }
    }

    fn is_whole(&self) -> bool {
        self.list.is_whole()
    }

    /// Newest first by version as Flux reads it, then the others by name.
    fn rows(&self, all: bool) -> Vec<Row> {
        let hidden =
            |judged: &&Judged| all || !matches!(judged.verdict, Verdict::Signature | Verdict::Invalid);
        let mut rows: Vec<Row> =
            self.selection.verdicts.iter().filter(hidden).map(|judged| self.row(judged)).collect();
        rows.sort_by_cached_key(|row| match &row.version {
            Some(version) => (0, Some(Reverse(version.clone())), Arc::from("")),
            None => (row.rank(), None, row.tag.clone()),
        });
        rows
    }

    fn row(&self, judged: &Judged) -> Row {
        let digest = self.digest.clone().filter(|_| judged.verdict == Verdict::Chosen);
        let running = self.asked.running.as_ref().is_some_and(|running| {
            let named = running.tag().is_some_and(|tag| tag.replace('+', "_") == *judged.tag);
            // a tag that was moved no longer names what runs
            let moved =
                matches!((&digest, running.digest()), (Some(now), Some(then)) if now != then.as_str());
            named && !moved
        });
        Row {
            tag: judged.tag.clone(),
            version: judged.version.clone(),
            verdict: judged.verdict,
            reason: judged.reason.clone(),
            digest,
            running,
        }
    }

    fn document(&self, rows: &[Row]) -> Value {
        let running = self.asked.running.as_ref().map(
            |running| json!({"tag": running.tag(), "digest": running.digest().map(ToString::to_string)}),
        );
        let chosen = self.selection.chosen.as_ref().map(|choice| match choice {
            Choice::Tag(tag) => json!({"tag": &**tag, "digest": self.digest}),
            Choice::Digest(digest) => json!({"tag": null, "digest": &**digest}),
        });
        document(
            "TagList",
            json!({
                "repository": self.asked.upstream.repository.to_string(),
                "complete": self.is_whole(),
                "requests": self.list.requests,
                "hidden": self.selection.verdicts.len() - rows.len(),
                "chosen": chosen,
                "ambiguous": self.selection.ambiguous.iter().map(|tag| &**tag).collect::<Vec<_>>(),
                "error": self.selection.error,
                "running": running,
                "askedWith": self.list.asked_with.as_deref(),
                "problems": self.list.problems.iter().map(problem_fields).collect::<Vec<_>>(),
                "items": rows.iter().map(Row::fields).collect::<Vec<_>>(),
            }),
        )
    }

    fn table(&self, rows: &[Row], args: &TagsArgs) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let wide = args.output == Format::Wide;
        let judged = self.asked.policy.follows.is_some();
        let columns = [
            (true, "TAG"),
            (wide, "VERSION"),
            (self.asked.running.is_some(), "RUNNING"),
            (judged || wide || args.all, "VERDICT"),
            (judged || wide, "WHY"),
        ];
        let mut table =
            Table::new(columns.iter().filter_map(|(there, title)| there.then_some(*title)).collect());
        for row in rows {
            let cells = [
                row.tag.to_string(),
                row.version.as_ref().map(ToString::to_string).unwrap_or_default(),
                if row.running { "running".to_owned() } else { String::new() },
                row.verdict.word().to_owned(),
                row.reason.clone(),
            ];
            let shown = cells.into_iter().zip(columns).filter_map(|(cell, (there, _))| there.then_some(cell));
            table.push(&shown.collect::<Vec<String>>());
        }
        table.take(!args.no_header)
    }

    /// What the rows do not say.
    fn comment(&self, listed: usize, console: &mut Console<'_>) {
        console.complain_all(&self.list.problems);
        if let Some(cut) = &self.list.cut {
            console.say(&format!("not all tags are listed: {cut}"));
        }
        if let Some(error) = &self.selection.error {
            console.say(&format!("Flux would choose nothing: {error}"));
        }
        if let [first, ..] = &self.selection.ambiguous[..] {
            console
                .say(&format!("{first} is as high as the chosen tag: which of them is taken is not defined"));
        }
        let all = self.selection.verdicts.len();
        if self.list.asked_with.is_none() && all == 0 {
            return;
        }
        let mut words = format!("{listed} of {all} tags of {}", self.asked.upstream.repository);
        if listed < all {
            words.push_str(" (signatures and invalid names are hidden: --all)");
        }
        let with =
            self.list.asked_with.as_deref().map_or_else(String::new, |with| format!(", asked with {with}"));
        let plural = if self.list.requests == 1 { "" } else { "s" };
        console.say(&format!("{words}; {} request{plural}{with}", self.list.requests));
        if let Some(missing) = self.missing() {
            console.say(&format!("{missing} is running and no longer in the registry"));
        }
    }

    fn missing(&self) -> Option<&str> {
        let tag = self.asked.running.as_ref()?.tag().filter(|_| self.is_whole())?;
        let here = self.selection.verdicts.iter().any(|judged| tag.replace('+', "_") == *judged.tag);
        (!here).then_some(tag)
    }
}

impl Row {
    /// Behind the versions: other tags, then what no source would follow.
    const fn rank(&self) -> u8 {
        match self.verdict {
            Verdict::Chosen
            | Verdict::FilteredOut
            | Verdict::NotAVersion
            | Verdict::InRange
            | Verdict::PreRelease
            | Verdict::OutOfRange
            | Verdict::NotFollowed
            | Verdict::NotJudged => 1,
            Verdict::Signature => 2,
            Verdict::Invalid => 3,
        }
    }

    fn fields(&self) -> Value {
        json!({
            "tag": &*self.tag,
            "version": self.version.as_ref().map(ToString::to_string),
            "verdict": self.verdict.word(),
            "reason": self.reason,
            "digest": self.digest,
            "created": null,
            "running": self.running,
        })
    }
}

/// A range is judged by the whole list or not at all: what is missing could be the winner.
fn select(policy: &Policy, list: &List) -> Selection {
    match &policy.follows {
        Some(Follows::Semver(_)) if !list.is_whole() => {
            policy.unjudged(&list.tags, None, "the list of tags is not complete")
        }
        _ => policy.select(&list.tags),
    }
}

/// The repository is not known: a script still gets a document.
fn unasked(args: &TagsArgs, problem: &Problem, console: &mut Console<'_>) -> i32 {
    console.complain(problem);
    let answer = || {
        let fields = json!({
            "repository": null, "complete": false, "requests": 0, "hidden": 0, "chosen": null, "ambiguous": [],
            "error": null, "running": null, "askedWith": null, "problems": [problem_fields(problem)], "items": [],
        });
        document("TagList", fields)
    };
    match args.output {
        Format::Json => console.json(&answer()),
        Format::Yaml => console.yaml(&answer()),
        Format::Table | Format::Wide | Format::Name => {}
    }
    exit::NOT_ANSWERED
}
