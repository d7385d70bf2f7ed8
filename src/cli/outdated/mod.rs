//! `outdated`: how far every source is behind its registry, and whether that is too far. It changes nothing.

mod objects;
mod progress;
mod row;
mod survey;
mod table;

use super::{
    Ports,
    args::{FailOn, Global, OutdatedArgs, Report},
    connect, exit,
    markdown::Markdown,
    output::{Console, document, problem_fields},
    scope,
};
use crate::{
    domain::{
        fact::Scope,
        problem::{Cause, Problem},
        upgrade::Distance,
    },
    port::Cluster,
};
use objects::Objects;
use progress::Progress;
use row::Row;
use serde_json::{Value, json};
use std::{fmt::Write as _, future::Future, sync::Arc, time::Duration};
use survey::Survey;
use tokio::time::{Instant, timeout_at};

pub(super) async fn run(
    args: &OutdatedArgs,
    global: &Global,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let limit = Limit { deadline: Instant::now() + args.timeout, whole: args.timeout };
    let connected = limit.keep(|| "connect to the cluster".to_owned(), connect(&global.cluster, ports)).await;
    let answer = match connected {
        Ok(cluster) => ask(args, global, ports, cluster, &limit, console).await,
        Err(problem) => Answer { problems: vec![problem], ..Answer::default() },
    };
    answer.print(args.output, console);
    answer.code(&args.fail_on, console)
}

async fn ask(
    args: &OutdatedArgs,
    global: &Global,
    ports: &Ports,
    cluster: Arc<dyn Cluster>,
    limit: &Limit,
    console: &mut Console<'_>,
) -> Answer {
    let scope = scope(&global.cluster, &*cluster);
    let objects = Objects::read(&*cluster, &scope, limit).await;
    let (repositories, mut rows) = objects.errands();
    let survey = Survey {
        registry: &*ports.registry,
        world: &objects.world,
        limit,
        at_once: usize::from(global.registry.concurrency),
        look_at: args.look_at,
    };
    rows.extend(survey.run(&repositories, Progress::new(console)).await);
    rows.sort_by_cached_key(Row::place);
    let answered = objects.is_answered();
    Answer { scope: Some(scope), answered, problems: objects.problems, rows }
}

/// The time that the whole run may take.
struct Limit {
    deadline: Instant,
    whole: Duration,
}

impl Limit {
    /// What is asked when the time is over is not asked at all.
    async fn keep<T>(
        &self,
        what: impl Fn() -> String,
        asked: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        if self.is_over() {
            return Err(self.late(what()));
        }
        timeout_at(self.deadline, asked).await.unwrap_or_else(|_| Err(self.late(what())))
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    fn late(&self, what: String) -> Problem {
        let why = format!("the time for the whole run was over (--timeout {})", span(self.whole));
        Problem::new(Cause::Timeout, what, why)
    }
}

/// As it may be typed again, e.g. `1m30s`.
fn span(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60, time.subsec_millis()) {
        (0, 0, milliseconds) => format!("{milliseconds}ms"),
        (0, seconds, _) => format!("{seconds}s"),
        (minutes, 0, _) => format!("{minutes}m"),
        (minutes, seconds, _) => format!("{minutes}m{seconds}s"),
    }
}

/// What came back.
#[derive(Default)]
struct Answer {
    /// None: the cluster could not be reached.
    scope: Option<Scope>,
    /// At least one kind that follows something in a registry could be listed.
    answered: bool,
    /// What could not be asked of the cluster.
    problems: Vec<Problem>,
    rows: Vec<Row>,
}

impl Answer {
    fn print(&self, output: Report, console: &mut Console<'_>) {
        match output {
            Report::Table => {
                let namespaces = self.scope == Some(Scope::AllNamespaces);
                console.data(&table::table(&self.rows, namespaces, console.width()));
            }
            Report::Json => console.json(&self.document()),
            Report::Markdown => console.data(&self.markdown()),
        }
        console.complain_all(&self.problems);
        let unanswered: Vec<Problem> = self.rows.iter().filter_map(|row| row.problem.clone()).collect();
        console.complain_all(&unanswered);
        if let Some(scope) = &self.scope
            && (!self.rows.is_empty() || self.answered)
        {
            console.say(&self.summary(scope));
        }
    }

    fn markdown(&self) -> String {
        let mut text = match &self.scope {
            Some(scope) => Markdown::paragraph(&self.summary(scope)),
            None => String::new(),
        };
        let mut table = Markdown::new(&row::TITLES);
        for row in &self.rows {
            table.push(&row.cells());
        }
        text.push_str(&table.finish());
        for problem in &self.problems {
            text.push_str(&Markdown::paragraph(&format!("could not {}: {}", problem.what, problem.why)));
        }
        text
    }

    fn document(&self) -> Value {
        let namespace = match &self.scope {
            Some(Scope::Namespace(namespace)) => Some(&**namespace),
            Some(Scope::AllNamespaces) | None => None,
        };
        let complete = self.problems.is_empty() && self.rows.iter().all(|row| row.problem.is_none());
        document(
            "UpgradeList",
            json!({
                "complete": complete,
                "namespace": namespace,
                "problems": self.problems.iter().map(problem_fields).collect::<Vec<_>>(),
                "items": self.rows.iter().map(Row::fields).collect::<Vec<_>>(),
            }),
        )
    }

    /// `13 sources in all namespaces: 1 moved, 3 major, 2 unknown, 7 none`.
    fn summary(&self, scope: &Scope) -> String {
        let place = match scope {
            Scope::AllNamespaces => "all namespaces".to_owned(),
            Scope::Namespace(namespace) => format!("namespace {namespace}"),
        };
        if self.rows.is_empty() {
            return format!("no source in {place} follows anything in a registry");
        }
        let plural = if self.rows.len() == 1 { "" } else { "s" };
        let mut words = format!("{} source{plural} in {place}:", self.rows.len());
        let moved = self.rows.iter().filter(|row| row.is_moved()).count();
        if moved > 0 {
            let _ = write!(words, " {moved} moved,");
        }
        for distance in [Distance::Major, Distance::Minor, Distance::Patch, Distance::Unknown, Distance::None]
        {
            let count = self.rows.iter().filter(|row| row.distance() == distance).count();
            let _ = if count > 0 { write!(words, " {count} {distance},") } else { Ok(()) };
        }
        words.trim_end_matches(',').to_owned()
    }

    /// What could not be asked is `unknown`, and fails only where that is asked for.
    fn code(&self, rules: &[FailOn], console: &mut Console<'_>) -> i32 {
        if !self.answered {
            return exit::NOT_ANSWERED;
        }
        let mut code = exit::ANSWERED;
        for rule in FailOn::ALL.into_iter().filter(|rule| rules.contains(rule)) {
            let rows = self.rows.iter().filter(|row| row.fails(rule)).count();
            let lists = if rule == FailOn::Unknown { self.problems.len() } else { 0 };
            if rows + lists == 0 {
                continue;
            }
            code = exit::NO;
            let words = match (rows, lists) {
                (rows, 0) => sources(rows),
                (0, lists) => format!("{lists} of the cluster's answers"),
                (rows, lists) => format!("{} and {lists} of the cluster's answers", sources(rows)),
            };
            console.say(&format!("--fail-on {}: {words}", rule.word()));
        }
        code
    }
}

fn sources(count: usize) -> String {
    if count == 1 { "1 source".to_owned() } else { format!("{count} sources") }
}
