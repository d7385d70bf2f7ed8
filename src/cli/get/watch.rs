//! `get -w`: every row once, then each row that changed. It ends with the watch or with its reader.

use super::{Answer, Question, Row, place_of, unseen_sources};
use crate::{
    cli::{
        Ports,
        args::Format,
        exit,
        output::{API_VERSION, Console, Table},
    },
    domain::{
        fact::{Fact, Object},
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
        world::Touched,
    },
    port::Cluster,
};
use futures::{
    StreamExt,
    stream::{self, BoxStream, SelectAll},
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// A source in another namespace that got lost is looked for again after this time.
const AGAIN: Duration = Duration::from_secs(30);

pub(super) async fn run(
    question: &Question<'_>,
    cluster: &Arc<dyn Cluster>,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let mut watching = Watching::new(question, cluster.clone());
    let mut feed = cluster.watch(question.scope.clone());
    while !console.is_closed() {
        tokio::select! {
            batch = feed.next() => match batch {
                Some(facts) => watching.hear(facts, console),
                None => break,
            },
            Some((id, answer)) = watching.sources.next() => watching.see(id, answer),
        }
        if watching.is_complete() {
            watching.follow_sources();
            if question.args.newest {
                watching.answer.ask_newest(&*ports.registry, question).await;
            }
            watching.print(console);
        }
    }
    if watching.failed { exit::NOT_ANSWERED } else { exit::ANSWERED }
}

type Sighting = (ObjectId, Result<Arc<Object>, Problem>);

struct Watching<'a> {
    question: &'a Question<'a>,
    cluster: Arc<dyn Cluster>,
    answer: Answer,
    /// Sources outside the scope.
    sources: SelectAll<BoxStream<'static, Sighting>>,
    followed: BTreeSet<ObjectId>,
    /// What may have changed since the last print. None: everything.
    touched: Option<BTreeSet<ObjectId>>,
    /// As printed last.
    shown: BTreeMap<ObjectId, (Row, Value)>,
    table: Table,
    failed: bool,
}

impl<'a> Watching<'a> {
    fn new(question: &'a Question<'a>, cluster: Arc<dyn Cluster>) -> Self {
        Self {
            question,
            cluster,
            answer: Answer::default(),
            sources: SelectAll::new(),
            followed: BTreeSet::new(),
            touched: None,
            shown: BTreeMap::new(),
            table: Table::new(question.shape().header()),
            failed: false,
        }
    }

    fn hear(&mut self, facts: Vec<Fact>, console: &mut Console<'_>) {
        for fact in facts {
            if let Fact::WatchBack { feed } = &fact {
                console.say(&format!("the watch of {} is back", feed.kind));
            }
            let touched = self.answer.hear(fact, self.question);
            self.touch(touched);
        }
        let problems = std::mem::take(&mut self.answer.problems);
        self.failed |= !problems.is_empty();
        console.complain_all(&problems);
    }

    /// What a source outside the scope is now; while it cannot be read, its consumers are not judged.
    fn see(&mut self, id: ObjectId, answer: Result<Arc<Object>, Problem>) {
        let fact = match answer {
            Ok(object) => Fact::Changed(object),
            Err(problem) => {
                if problem.cause != Cause::Forbidden {
                    self.sources.push(follow(self.cluster.clone(), id.clone(), AGAIN));
                }
                if !problem.cause.is_absence() {
                    return;
                }
                Fact::Gone(id)
            }
        };
        let touched = self.answer.world.observe(fact);
        self.touch(touched);
    }

    fn touch(&mut self, touched: Touched) {
        match (touched, &mut self.touched) {
            (Touched::Everything, all) => *all = None,
            (Touched::Objects(ids), Some(known)) => known.extend(ids),
            (Touched::Objects(_), None) => {}
        }
    }

    /// Every watched kind has answered once: before that a consumer could look ready that is stale.
    fn is_complete(&self) -> bool {
        let answered = |kind: Kind| self.answer.world.feeds().any(|(feed, _)| feed.kind == kind);
        Kind::WATCHED.into_iter().all(answered)
    }

    fn follow_sources(&mut self) {
        for id in unseen_sources(&self.answer.world, self.question) {
            if self.followed.insert(id.clone()) {
                self.sources.push(follow(self.cluster.clone(), id, Duration::ZERO));
            }
        }
    }

    fn print(&mut self, console: &mut Console<'_>) {
        let unanswered = std::mem::take(&mut self.answer.unanswered);
        self.failed |= !unanswered.is_empty();
        console.complain_all(&unanswered);
        let world = &self.answer.world;
        let candidates: Vec<ObjectId> = if let Some(ids) = self.touched.replace(BTreeSet::new()) {
            ids.into_iter().collect()
        } else {
            let known = world.objects().map(|object| object.id().clone());
            known.chain(self.shown.keys().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
        };
        let (mut rows, mut deleted) = (Vec::new(), Vec::new());
        for id in candidates {
            match world.get(&id).filter(|object| self.question.wants(object)) {
                Some(object) => rows.push(Row::new(world, object.clone(), &self.answer.newest)),
                None => deleted.extend(self.shown.remove(&id)),
            }
        }
        rows.sort_by(|a, b| place_of(a.id()).cmp(&place_of(b.id())));
        for (row, _) in deleted {
            self.emit(&row, true, console);
        }
        for row in rows {
            let fields = row.fields();
            if self.shown.get(row.id()).is_none_or(|(_, shown)| *shown != fields) {
                self.emit(&row, false, console);
                self.shown.insert(row.id().clone(), (row, fields));
            }
        }
        self.flush(console);
    }

    fn emit(&mut self, row: &Row, deleted: bool, console: &mut Console<'_>) {
        let shape = self.question.shape();
        match self.question.args.output {
            Format::Table | Format::Wide if deleted => self.table.push(&row.cells_deleted(shape)),
            Format::Table | Format::Wide => self.table.push(&row.cells(shape)),
            Format::Name => console.data(&row.resource()),
            Format::Json => console.json_line(&line(row, deleted)),
            Format::Yaml => {
                console.data("---\n");
                console.yaml(&line(row, deleted));
            }
        }
    }

    fn flush(&mut self, console: &mut Console<'_>) {
        if !self.table.is_empty() {
            let text = self.table.take(!self.question.args.no_header);
            console.data(&text);
        }
    }
}

fn line(row: &Row, deleted: bool) -> Value {
    let mut line = json!({"apiVersion": API_VERSION});
    if let (Value::Object(line), Value::Object(fields)) = (&mut line, row.fields()) {
        line.extend(fields);
        line.insert("deleted".to_owned(), deleted.into());
    }
    line
}

fn follow(cluster: Arc<dyn Cluster>, id: ObjectId, pause: Duration) -> BoxStream<'static, Sighting> {
    let named = id.clone();
    stream::once(tokio::time::sleep(pause))
        .flat_map(move |()| cluster.follow(id.clone()))
        .map(move |answer| (named.clone(), answer))
        .boxed()
}
