//! `get`: which objects there are and where they stand. Asks the cluster, and the registries with `--newest` only.

mod newest;
mod row;
mod watch;

use super::{
    Ports,
    args::{ClusterArgs, Format, GetArgs},
    connect, exit,
    output::{Console, Table, document, problem_fields},
    scope,
};
use crate::{
    domain::{
        fact::{Fact, Object, Scope},
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
        selector::Selector,
        source::Source,
        world::{Feed, Lookup, Touched, World},
    },
    port::{Cluster, Registry},
};
use futures::{StreamExt, stream};
use newest::Newest;
use row::{Row, Shape};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

/// GETs under way at the same time, for sources outside the scope.
const FETCHES: usize = 8;

pub(super) async fn run(
    args: &GetArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let cluster = match connect(place, ports).await {
        Ok(cluster) => cluster,
        Err(problem) => return unreachable(args, &problem, console),
    };
    let question = Question::new(args, scope(place, &*cluster));
    if args.watch {
        return watch::run(&question, &cluster, ports, console).await;
    }
    let mut answer = question.ask(&*cluster).await;
    if args.newest {
        answer.ask_newest(&*ports.registry, &question).await;
    }
    answer.print(&question, console);
    answer.code(&question)
}

/// What is asked for.
struct Question<'a> {
    args: &'a GetArgs,
    kinds: Vec<Kind>,
    name: Option<&'a str>,
    selector: Option<&'a Selector>,
    scope: Scope,
}

impl<'a> Question<'a> {
    fn new(args: &'a GetArgs, scope: Scope) -> Self {
        let kinds = args.subject.group.kinds();
        Self { args, kinds, name: args.wanted(), selector: args.selector.as_ref(), scope }
    }

    fn wants(&self, object: &Object) -> bool {
        let meta = object.meta();
        self.kinds.contains(&meta.id.kind)
            && self.scope.contains(&meta.id.namespace)
            && self.name.is_none_or(|name| name == &*meta.id.name)
            && self.selector.is_none_or(|selector| selector.matches(&meta.labels))
            // among others only those of type oci count; asked for by its kind, every one is there
            && (meta.id.kind != Kind::HelmRepository
                || self.kinds.len() == 1
                || object.as_source().is_some_and(Source::is_static))
    }

    /// Sorted by namespace, kind and name: a script may rely on it.
    fn wanted(&self, world: &World) -> Vec<Arc<Object>> {
        let mut objects: Vec<_> = world.objects().filter(|object| self.wants(object)).cloned().collect();
        objects.sort_by(|a, b| place_of(a.id()).cmp(&place_of(b.id())));
        objects
    }

    /// One GET where one object is meant, else the lists.
    async fn ask(&self, cluster: &dyn Cluster) -> Answer {
        let mut answer = Answer::default();
        match (&self.kinds[..], self.name, &self.scope) {
            ([kind], Some(name), Scope::Namespace(namespace)) => {
                let id = ObjectId::new(*kind, namespace.clone(), name);
                answer.fetched(id.clone(), cluster.fetch(id).await, Cause::is_absence);
            }
            _ => answer.list(cluster, self).await,
        }
        answer.read_sources(cluster, self).await;
        answer
    }

    fn shape(&self) -> Shape {
        Shape {
            namespace: self.scope == Scope::AllNamespaces,
            kind: self.kinds.len() > 1,
            follows: self.kinds.iter().any(|kind| kind.is_source()),
            source: self.kinds.iter().any(|kind| !kind.is_source() || *kind == Kind::HelmChart),
            newest: self.args.newest,
            wide: self.args.output == Format::Wide,
        }
    }

    fn place(&self) -> String {
        match &self.scope {
            Scope::AllNamespaces => "all namespaces".to_owned(),
            Scope::Namespace(namespace) => format!("namespace {namespace}"),
        }
    }
}

fn place_of(id: &ObjectId) -> (&str, Kind, &str) {
    (&id.namespace, id.kind, &id.name)
}

/// What came back.
#[derive(Default)]
struct Answer {
    world: World,
    /// What could not be asked, of the kinds in question.
    problems: Vec<Problem>,
    /// Kinds in question that this cluster does not know.
    missing: BTreeSet<Kind>,
    newest: Newest,
    /// What registries did not answer; the rows say so too.
    unanswered: Vec<Problem>,
}

impl Answer {
    async fn list(&mut self, cluster: &dyn Cluster, question: &Question<'_>) {
        let mut lists = cluster.list(question.scope.clone());
        while let Some(facts) = lists.next().await {
            for fact in facts {
                self.hear(fact, question);
            }
        }
        self.problems.extend(self.silence(question));
    }

    /// Kinds in question of which nothing was heard: no answer is not "nothing there".
    fn silence(&self, question: &Question<'_>) -> Option<Problem> {
        let answered = |kind: Kind| self.world.feeds().any(|(feed, _)| feed.kind == kind);
        let silent: Vec<&str> =
            question.kinds.iter().filter(|kind| !answered(**kind)).map(|kind| kind.plural()).collect();
        (!silent.is_empty()).then(|| {
            let what = format!("list {} in {}", silent.join(", "), question.place());
            Problem::new(Cause::Other, what, "the question ended without an answer")
        })
    }

    /// Folds a fact in; what went wrong with a kind in question is kept beside the rows.
    fn hear(&mut self, fact: Fact, question: &Question<'_>) -> Touched {
        let asked = |kind: Kind| question.kinds.contains(&kind);
        if let Some((_, problem)) = fact.failure().filter(|(kind, _)| asked(*kind)) {
            self.problems.push(problem.clone());
        }
        if let Fact::NotInstalled(feed) = &fact
            && asked(feed.kind)
        {
            self.missing.insert(feed.kind);
        }
        self.world.observe(fact)
    }

    /// Sources that the lists did not hold, so that staleness can be judged: not found is gone, and what may not be
    /// read is not judged.
    async fn read_sources(&mut self, cluster: &dyn Cluster, question: &Question<'_>) {
        let unseen = unseen_sources(&self.world, question);
        let answers: Vec<_> = stream::iter(unseen)
            .map(|id| async move { (id.clone(), cluster.fetch(id).await) })
            .buffer_unordered(FETCHES)
            .collect()
            .await;
        for (id, answer) in answers {
            self.fetched(id, answer, |cause| cause.is_absence() || cause == Cause::Forbidden);
        }
    }

    fn fetched(&mut self, id: ObjectId, answer: Result<Arc<Object>, Problem>, quiet: fn(Cause) -> bool) {
        match answer {
            Ok(object) => {
                self.world.observe(Fact::Changed(object));
            }
            Err(problem) => {
                if problem.cause.is_absence() {
                    self.world.observe(Fact::Gone(id));
                }
                if !quiet(problem.cause) {
                    self.problems.push(problem);
                }
            }
        }
    }

    async fn ask_newest(&mut self, registry: &dyn Registry, question: &Question<'_>) {
        let wanted = question.wanted(&self.world);
        let unanswered = self.newest.ask(registry, &self.world, &wanted).await;
        self.unanswered.extend(unanswered);
    }

    fn rows(&self, question: &Question<'_>) -> Vec<Row> {
        let wanted = question.wanted(&self.world);
        wanted.into_iter().map(|object| Row::new(&self.world, object, &self.newest)).collect()
    }

    fn print(&self, question: &Question<'_>, console: &mut Console<'_>) {
        let rows = self.rows(question);
        match question.args.output {
            Format::Table | Format::Wide => console.data(&table(&rows, question)),
            Format::Name => console.data(&rows.iter().map(Row::resource).collect::<String>()),
            Format::Json => console.json(&self.document(&rows)),
            Format::Yaml => console.yaml(&self.document(&rows)),
        }
        console.complain_all(&self.problems);
        console.complain_all(&self.unanswered);
        if rows.is_empty() && self.problems.is_empty() {
            console.say(&self.nothing(question));
        }
    }

    fn document(&self, rows: &[Row]) -> Value {
        object_list(&self.problems, &rows.iter().map(Row::fields).collect::<Vec<_>>())
    }

    fn nothing(&self, question: &Question<'_>) -> String {
        let words = question.args.subject.group.words();
        if let ([kind], true) = (&question.kinds[..], !self.missing.is_empty()) {
            return format!("{kind} is not installed in this cluster");
        }
        match question.name {
            Some(name) => format!("there is no {words} {name} in {}", question.place()),
            None if question.selector.is_some() => format!("no {words} matches in {}", question.place()),
            None => format!("there is no {words} in {}", question.place()),
        }
    }

    fn code(&self, question: &Question<'_>) -> i32 {
        if !self.problems.is_empty() || !self.unanswered.is_empty() {
            exit::NOT_ANSWERED
        } else if question.name.is_some() && question.wanted(&self.world).is_empty() {
            exit::NO
        } else {
            exit::ANSWERED
        }
    }
}

/// Sources of wanted consumers that nobody has read, and that may be asked for: where a list of their kind was
/// refused in this very place, a GET for each would be refused too.
fn unseen_sources(world: &World, question: &Question<'_>) -> BTreeSet<ObjectId> {
    let refused = |id: &ObjectId| {
        world.feeds().any(|(feed, state)| {
            feed.kind == id.kind
                && feed.namespace.as_ref().is_none_or(|namespace| *namespace == id.namespace)
                && matches!(state, Feed::Refused(_))
        })
    };
    world
        .objects()
        .filter(|object| question.wants(object))
        .filter_map(|object| object.as_consumer()?.source.clone())
        .filter(|id| id.kind.is_watched() && matches!(world.lookup(id), Lookup::Unseen) && !refused(id))
        .collect()
}

fn table(rows: &[Row], question: &Question<'_>) -> String {
    let shape = question.shape();
    let mut table = Table::new(shape.header());
    for row in rows {
        table.push(&row.cells(shape));
    }
    if rows.is_empty() { String::new() } else { table.take(!question.args.no_header) }
}

fn object_list(problems: &[Problem], items: &[Value]) -> Value {
    let complete = problems.is_empty();
    let problems: Vec<Value> = problems.iter().map(problem_fields).collect();
    document("ObjectList", json!({"complete": complete, "problems": problems, "items": items}))
}

/// No cluster to ask: a script still gets a document.
fn unreachable(args: &GetArgs, problem: &Problem, console: &mut Console<'_>) -> i32 {
    console.complain(problem);
    let document = || object_list(std::slice::from_ref(problem), &[]);
    match args.output {
        Format::Json | Format::Yaml if args.watch => {}
        Format::Json => console.json(&document()),
        Format::Yaml => console.yaml(&document()),
        Format::Table | Format::Wide | Format::Name => {}
    }
    exit::NOT_ANSWERED
}
