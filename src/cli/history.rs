//! `history`: the revisions that ran. Asks the cluster only: whether an artifact is still in its registry is not known.

use super::{
    Ports,
    args::{ClusterArgs, Format, HistoryArgs},
    connect, exit, namespace,
    output::{Console, Table, document, problem_fields},
    safe_line,
};
use crate::{
    domain::{
        Timestamp,
        artifact::{Origin, Target},
        digest::Digest,
        fact::{Fact, Scope},
        history::{History, Run},
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
        reference::Unresolved,
        revision::Revision,
        world::{Feed, World},
    },
    port::Cluster,
};
use futures::StreamExt;
use serde_json::{Value, json};

/// Who takes from a source, and through what.
const USERS: [Kind; 3] = [Kind::HelmChart, Kind::Kustomization, Kind::HelmRelease];

pub(super) async fn run(
    args: &HistoryArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    match ask(args, place, ports).await {
        Ok((history, problems)) => {
            print(&history, problems.is_empty(), args, console);
            console.complain_all(&problems);
            if problems.is_empty() { exit::ANSWERED } else { exit::NOT_ANSWERED }
        }
        Err(problem) => {
            console.complain(&problem);
            if problem.cause == Cause::NotFound { exit::NO } else { exit::NOT_ANSWERED }
        }
    }
}

/// The history, and what of it could not be asked.
async fn ask(
    args: &HistoryArgs,
    place: &ClusterArgs,
    ports: &Ports,
) -> Result<(History, Vec<Problem>), Problem> {
    let cluster = connect(place, ports).await?;
    let id = ObjectId::new(args.of.kind, namespace(place, &*cluster), args.of.name.as_str());
    if let Some(why) = History::refusal(id.kind) {
        return Err(Problem::new(Cause::Refused, format!("list the revisions of {id}"), why));
    }
    let mut world = World::default();
    let mut problems = Vec::new();
    if id.kind.is_source() {
        problems = read_users(&*cluster, &mut world).await;
        if let Some(problem) = fetch(&*cluster, &id, &mut world).await {
            return Err(problem);
        }
    }
    let mut asked: Vec<ObjectId> = Vec::new();
    loop {
        let needed = match History::of(&world, &id) {
            Ok(history) if history.needs.iter().all(|need| asked.contains(need)) => {
                return Ok((history, problems));
            }
            Ok(history) => history.needs,
            Err(Unresolved::Needs(need)) if !asked.contains(&need) => vec![need],
            Err(Unresolved::Needs(need)) => {
                let why = format!("{need} could not be read");
                return Err(Problem::new(Cause::Other, format!("list the revisions of {id}"), why));
            }
            Err(Unresolved::Problem(problem)) => return Err(problem),
        };
        for need in needed.into_iter().filter(|need| !asked.contains(need)).collect::<Vec<_>>() {
            let problem = fetch(&*cluster, &need, &mut world).await;
            match problem {
                Some(problem) if need == id => return Err(problem),
                // what it took from is not needed to say what ran
                Some(problem) => problems.push(problem),
                None => {}
            }
            asked.push(need);
        }
    }
}

async fn fetch(cluster: &dyn Cluster, id: &ObjectId, world: &mut World) -> Option<Problem> {
    match cluster.fetch(id.clone()).await {
        Ok(object) => world.observe(Fact::Changed(object)),
        Err(problem) if problem.cause == Cause::NotFound => world.observe(Fact::Gone(id.clone())),
        Err(problem) => return Some(problem),
    };
    None
}

/// Consumers may stand in every namespace.
async fn read_users(cluster: &dyn Cluster, world: &mut World) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut lists = cluster.list(Scope::AllNamespaces);
    while let Some(facts) = lists.next().await {
        for fact in facts {
            if let Some((_, problem)) = fact.failure().filter(|(kind, _)| USERS.contains(kind)) {
                problems.push(problem.clone());
            }
            world.observe(fact);
        }
    }
    let heard = |kind: &Kind| {
        world.feeds().any(|(feed, state)| feed.kind == *kind && !matches!(state, Feed::Refused(_)))
    };
    let silent: Vec<&str> = USERS.iter().filter(|kind| !heard(kind)).map(|kind| kind.plural()).collect();
    if problems.is_empty() && !silent.is_empty() {
        let why = "the question ended without an answer";
        problems.push(Problem::new(Cause::Other, format!("list {}", silent.join(", ")), why));
    }
    problems
}

fn print(history: &History, complete: bool, args: &HistoryArgs, console: &mut Console<'_>) {
    let fields = || {
        let items: Vec<Value> = history.runs.iter().map(fields).collect();
        document("RevisionList", json!({"object": named(&history.of), "complete": complete, "items": items}))
    };
    match args.output {
        Format::Json => console.json(&fields()),
        Format::Yaml => console.yaml(&fields()),
        Format::Name => {
            let names: String =
                history.runs.iter().filter_map(reference).map(|name| safe_line(&name)).collect();
            console.data(&names);
        }
        Format::Table | Format::Wide if history.runs.is_empty() => {
            console.say(&format!("nothing ran of {} yet", history.of));
        }
        Format::Table | Format::Wide => {
            let shape = Shape { kind: history.of.kind, wide: args.output == Format::Wide };
            let mut table = Table::new(shape.header());
            for run in &history.runs {
                table.push(&shape.cells(run));
            }
            console.data(&table.take(!args.no_header));
        }
    }
}

fn named(id: &ObjectId) -> Value {
    json!({"kind": id.kind.name(), "namespace": &*id.namespace, "name": &*id.name})
}

/// One item of a RevisionList.
fn fields(run: &Run) -> Value {
    let entry = &run.entry;
    let by = run.by.iter().map(|(id, now)| {
        let mut consumer = named(id);
        consumer["current"] = json!(now);
        consumer
    });
    json!({
        "revision": entry.revision.as_ref().map(Revision::as_str),
        "tag": run.tag,
        "digest": entry.digest.as_ref().map(Digest::as_str),
        "current": run.current,
        "moved": !run.others.is_empty(),
        "otherDigests": run.others.iter().map(Digest::as_str).collect::<Vec<_>>(),
        "status": entry.status,
        "chart": entry.chart,
        "appVersion": entry.app_version,
        "release": entry.version,
        "action": entry.action,
        "built": entry.built.as_ref().map(Digest::as_str),
        "originRevision": entry.origin,
        "first": entry.first.map(|at| at.to_string()),
        "last": entry.when.map(|at| at.to_string()),
        "times": entry.times,
        "consumers": by.collect::<Vec<Value>>(),
        "reference": reference(run),
        "note": run.note,
        "problem": run.target.as_ref().err().map(problem_fields),
    })
}

/// As `diff`, `files` and the others take it.
fn reference(run: &Run) -> Option<String> {
    match &run.target {
        Ok(Target { origin: Origin::Registry { upstream, reference }, .. }) => {
            let sign = if reference.contains(':') { '@' } else { ':' };
            Some(format!("oci://{}{sign}{reference}", upstream.repository))
        }
        Ok(Target { origin: Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_), .. })
        | Err(_) => None,
    }
}

struct Shape {
    kind: Kind,
    wide: bool,
}

impl Shape {
    fn header(&self) -> Vec<&'static str> {
        let mut header = vec!["LAST", "REVISION", "STATUS"];
        header.extend(match self.kind {
            Kind::HelmRelease => ["CHART", "APP", "RELEASE"].as_slice(),
            Kind::Kustomization => &["TIMES"],
            _ => &["RAN IN"],
        });
        if self.wide {
            header.extend(["FIRST", "BUILT", "ORIGIN", "REFERENCE"]);
        }
        header.push("NOTE");
        header
    }

    fn cells(&self, run: &Run) -> Vec<String> {
        let entry = &run.entry;
        let text = |words: &Option<Box<str>>| words.as_deref().unwrap_or_default().to_owned();
        let number = |number: Option<i64>| number.map_or_else(String::new, |number| number.to_string());
        let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        let revision = match &entry.revision {
            Some(revision) if self.wide => revision.as_str().to_owned(),
            Some(_) | None => run.short(),
        };
        let mut cells = vec![time(entry.when), revision, entry.status.to_string()];
        match self.kind {
            Kind::HelmRelease => {
                cells.extend([text(&entry.chart), text(&entry.app_version), number(entry.version)]);
            }
            Kind::Kustomization => cells.push(number(entry.times)),
            _ => {
                let by: Vec<String> = run.by.iter().map(|(id, _)| id.to_string()).collect();
                cells.push(match by.len() {
                    0..=2 => by.join(", "),
                    many if !self.wide => format!("{many} consumers"),
                    _ => by.join(", "),
                });
            }
        }
        if self.wide {
            cells.push(time(entry.first));
            cells.push(entry.built.as_ref().map_or_else(String::new, |built| built.short().to_owned()));
            cells.push(text(&entry.origin));
            cells.push(reference(run).unwrap_or_default());
        }
        cells.push(self.note(run));
        cells
    }

    fn note(&self, run: &Run) -> String {
        let mut words = Vec::new();
        if run.current {
            words.push(if self.kind.is_source() { "stored now" } else { "running" }.to_owned());
        }
        let users = run.by.iter().filter(|(_, now)| *now).count();
        if users > 0 {
            words.push(format!("running in {users}"));
        }
        if !run.others.is_empty() {
            words.push("moved".to_owned());
        }
        words.extend(run.target.as_ref().err().map(|problem| problem.why.clone()));
        words.join("; ")
    }
}
