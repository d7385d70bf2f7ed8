//! `diff`: what would change between two artifacts, and what that means. It judges nothing itself, and prints no value
//! of a Secret unless that is asked for.

mod comment;
mod count;
mod document;
mod external;
mod hunk;
mod text;
mod view;

use super::{
    Ports,
    args::{ClusterArgs, Color, DiffArgs, Global, Shape},
    artifact::{look_up, size},
    connect, exit, namespace,
    output::Console,
    pull::interrupted,
};
use crate::{
    domain::{
        comparison::{Comparison, Question, Tier},
        diff::Which,
        identity::ObjectId,
        problem::{Cause, Problem},
        reference::{Reference, Resolved},
        world::World,
    },
    port::{Cluster, Comparing, Sides, compare},
};
use futures::StreamExt;
use std::sync::Arc;
use view::{Show, View};

pub(super) async fn run(args: &DiffArgs, global: &Global, ports: &Ports, console: &mut Console<'_>) -> i32 {
    match ask(args, &global.cluster, ports, console).await {
        Ok(comparison) => {
            let view = View { comparison: &comparison, show: Show::of(args), revealed: args.reveal };
            let code = answer(args, global.program.color, &view, console).await;
            // the process ends now: giving back a million small pieces one by one is all that would be left to do
            std::mem::forget(comparison);
            code
        }
        Err(problem) => unanswered(args, &problem, console),
    }
}

async fn ask(
    args: &DiffArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> Result<Arc<Comparison>, Problem> {
    let (question, cluster) = question(args, place, ports, console).await?;
    let sides = Sides { artifacts: ports.artifacts.clone(), renderer: ports.renderer.clone(), cluster };
    let mut steps = compare(sides, question);
    // a tool that renders ends only when the steps are dropped
    let mut asked_to_end = std::pin::pin!(interrupted());
    let mut so_far = Progress::default();
    loop {
        let step = tokio::select! {
            step = steps.next() => step,
            () = &mut asked_to_end => {
                return Err(Problem::new(Cause::Other, what(args), "it was interrupted"));
            }
        };
        let Some(step) = step else { break };
        match step? {
            Comparing::Reading { which, bytes, of, .. } => {
                console.progress(&so_far.reading(which, bytes, of));
            }
            Comparing::Opened { which, files } => console.progress(&so_far.opened(which, files)),
            Comparing::Working(words) => console.progress(&words),
            Comparing::Done(comparison) => return insist(args, comparison),
        }
    }
    Err(Problem::new(Cause::Other, what(args), "it ended without an answer"))
}

fn what(args: &DiffArgs) -> String {
    format!("compare {} and {}", args.from, args.to)
}

/// `--build` means it.
fn insist(args: &DiffArgs, comparison: Arc<Comparison>) -> Result<Arc<Comparison>, Problem> {
    match &comparison.tier {
        Tier::Source { why }
            if args.build && !comparison.from.artifact.same_content(&comparison.to.artifact) =>
        {
            let why = why.clone().unwrap_or_else(|| "nothing was rendered".to_owned());
            Err(Problem::new(Cause::Refused, "render both sides", why)
                .with_hint("without --build the files are compared as they are stored"))
        }
        Tier::Source { .. } | Tier::Built { .. } => Ok(comparison),
    }
}

/// Looks up what was named. The cluster is asked only if something in it was.
async fn question(
    args: &DiffArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> Result<(Question, Option<Arc<dyn Cluster>>), Problem> {
    let alone = args.consumer.is_none() && args.from.stands_alone() && args.to.stands_alone();
    let cluster = if alone { None } else { Some(connect(place, ports).await?) };
    let namespace = cluster.as_ref().map(|cluster| namespace(place, &**cluster)).unwrap_or_default();
    let mut targets = Vec::new();
    for of in [&args.from, &args.to] {
        let Resolved { target, note } = resolve(of, cluster.as_deref(), &namespace).await?;
        if let Some(note) = note {
            console.say(&format!("{of}: {note}"));
        }
        targets.push(target);
    }
    let (Some(to), Some(from)) = (targets.pop(), targets.pop()) else {
        return Err(Problem::new(Cause::Usage, what(args), "two artifacts are needed"));
    };
    let consumer =
        args.consumer.as_ref().map(|named| ObjectId::new(named.kind, namespace, named.name.as_str()));
    let build = !args.no_build && consumer.is_some();
    Ok((Question { from, to, consumer, read_secrets: args.read_secrets, build }, cluster))
}

async fn resolve(
    of: &Reference,
    cluster: Option<&dyn Cluster>,
    namespace: &str,
) -> Result<Resolved, Problem> {
    match cluster.filter(|_| !of.stands_alone()) {
        Some(cluster) => look_up(of, cluster, namespace).await,
        None => {
            of.resolve(&World::default(), "").map_err(|unresolved| super::artifact::unread(of, unresolved))
        }
    }
}

/// How far both sides are.
#[derive(Default)]
struct Progress {
    from: Way,
    to: Way,
}

/// How far one side is.
#[derive(Default, Clone, Copy)]
enum Way {
    #[default]
    Asked,
    Reading {
        bytes: u64,
        of: Option<u64>,
    },
    Opened {
        files: usize,
    },
}

impl Progress {
    fn reading(&mut self, which: Which, bytes: u64, of: Option<u64>) -> String {
        // a folder is not read by bytes: none ever come
        self.take(which, if bytes == 0 && of.is_none() { Way::Asked } else { Way::Reading { bytes, of } })
    }

    fn opened(&mut self, which: Which, files: usize) -> String {
        self.take(which, Way::Opened { files })
    }

    fn take(&mut self, which: Which, way: Way) -> String {
        match which {
            Which::From => self.from = way,
            Which::To => self.to = way,
            Which::Both => (self.from, self.to) = (way, way),
        }
        format!("reading {} and {}", self.from.words(), self.to.words())
    }
}

impl Way {
    fn words(self) -> String {
        match self {
            Self::Asked => "…".to_owned(),
            Self::Reading { bytes, of: Some(of) } => format!("{} of {}", size(bytes), size(of)),
            Self::Reading { bytes, of: None } => size(bytes),
            Self::Opened { files: 1 } => "1 file".to_owned(),
            Self::Opened { files } => format!("{files} files"),
        }
    }
}

async fn answer(args: &DiffArgs, color: Color, view: &View<'_>, console: &mut Console<'_>) -> i32 {
    match args.output {
        Shape::Text => {
            if let Some(program) = console.surroundings().external_diff.clone() {
                return external::run(&program, view, console).await;
            }
            let ink = match color {
                Color::Always => true,
                Color::Auto => console.is_terminal() && !console.surroundings().no_colour,
                Color::Never => false,
            };
            console.data(&text::write(view, ink));
        }
        Shape::Json => console.json(&document::write(view)),
        Shape::Yaml => console.yaml(&document::write(view)),
        Shape::Markdown => console.data(&comment::write(view)),
    }
    code(view, console)
}

/// The same is said only of what was read.
fn code(view: &View<'_>, console: &mut Console<'_>) -> i32 {
    match view.is_same() {
        Some(true) => exit::ANSWERED,
        Some(false) => exit::NO,
        None => {
            console.say(view.doubt());
            exit::NOT_ANSWERED
        }
    }
}

/// A script still gets a document.
fn unanswered(args: &DiffArgs, problem: &Problem, console: &mut Console<'_>) -> i32 {
    console.complain(problem);
    match args.output {
        Shape::Json => console.json(&document::blank(args, problem)),
        Shape::Yaml => console.yaml(&document::blank(args, problem)),
        Shape::Markdown => console.data(&comment::blank(args, problem)),
        Shape::Text => {}
    }
    exit::NOT_ANSWERED
}
