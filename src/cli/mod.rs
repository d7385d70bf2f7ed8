//! The same questions without a screen: one file per command. Data on stdout, all other words on stderr.
//! It knows the ports and the domain, never an adapter.

pub mod args;
pub mod exit;
pub mod output;

mod artifact;
mod artifact_args;
mod cache;
mod cat;
mod completion;
mod diff;
mod diff_args;
mod duration;
mod files;
mod folder;
mod get;
mod history;
mod inspect;
mod markdown;
mod matching;
mod outdated;
mod pull;
mod reconcile;
mod subject;
mod tags;
mod version;

use crate::{
    domain::{fact::Scope, plain::Plain, problem::Problem},
    port::Cluster,
};
use args::{Cli, ClusterArgs, Command};
use clap::error::{Error, ErrorKind};
use output::Console;
use std::sync::Arc;

pub use crate::port::Ports;

/// Runs the command that was typed and returns the exit code. Without one there is nothing to do here.
pub async fn run(cli: &Cli, ports: &Ports, console: &mut Console<'_>) -> i32 {
    let place = &cli.global.cluster;
    let code = match &cli.command {
        Some(Command::Get(args)) => get::run(args, place, ports, console).await,
        Some(Command::Tags(args)) => tags::run(args, place, ports, console).await,
        Some(Command::Inspect(args)) => inspect::run(args, place, ports, console).await,
        Some(Command::Files(args)) => files::run(args, place, ports, console).await,
        Some(Command::Cat(args)) => cat::run(args, place, ports, console).await,
        Some(Command::Pull(args)) => pull::run(args, place, ports, console).await,
        Some(Command::Cache(args)) => cache::run(args, ports, console).await,
        Some(Command::Diff(args)) => diff::run(args, &cli.global, ports, console).await,
        Some(Command::History(args)) => history::run(args, place, ports, console).await,
        Some(Command::Outdated(args)) => outdated::run(args, &cli.global, ports, console).await,
        Some(Command::Reconcile(args)) => reconcile::run(args, place, ports, console).await,
        Some(Command::Match(args)) => matching::run(args, console),
        Some(Command::Version(args)) => version::run(args, console),
        Some(Command::Completion { shell }) => completion::run(*shell, console),
        None => without_terminal(console),
    };
    settle(code, console)
}

/// The commands that need nobody: they run before anything is connected. None for all others.
pub fn run_alone(cli: &Cli, console: &mut Console<'_>) -> Option<i32> {
    let code = match &cli.command {
        Some(Command::Match(args)) => matching::run(args, console),
        Some(Command::Version(args)) => version::run(args, console),
        Some(Command::Completion { shell }) => completion::run(*shell, console),
        Some(
            Command::Get(_)
            | Command::Tags(_)
            | Command::History(_)
            | Command::Outdated(_)
            | Command::Inspect(_)
            | Command::Files(_)
            | Command::Cat(_)
            | Command::Pull(_)
            | Command::Cache(_)
            | Command::Diff(_)
            | Command::Reconcile(_),
        )
        | None => return None,
    };
    Some(settle(code, console))
}

/// The board was wanted where nothing can be drawn.
pub fn without_terminal(console: &mut Console<'_>) -> i32 {
    console.say(
        "error: the board needs a terminal. Without one use the commands get, tags, history, outdated, match, \
         inspect, files, cat, pull, diff, cache, reconcile, version or completion (fluxscope --help)",
    );
    exit::NOT_ANSWERED
}

/// Prints why the arguments were not understood, or the help or version that they asked for.
pub fn explain(error: &Error, console: &mut Console<'_>) -> i32 {
    let words = Plain::block(&error.render().to_string()).into_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            console.data(&words);
            settle(exit::ANSWERED, console)
        }
        _ => {
            for line in words.trim_end().lines() {
                console.say(line);
            }
            exit::NOT_ANSWERED
        }
    }
}

/// A full disk is worth a word and a code, a closed pipe is not.
fn settle(code: i32, console: &mut Console<'_>) -> i32 {
    match console.fault() {
        Some(error) => {
            console.say(&format!("error: write the answer: {error}"));
            exit::NOT_ANSWERED
        }
        None => code,
    }
}

async fn connect(place: &ClusterArgs, ports: &Ports) -> Result<Arc<dyn Cluster>, Problem> {
    ports.gateway.connect(place.context.clone()).await
}

/// The namespace of `-n`, else the context's.
fn namespace(place: &ClusterArgs, cluster: &dyn Cluster) -> Arc<str> {
    if let Some(named) = &place.namespace {
        return named.as_str().into();
    }
    match cluster.about().namespace.as_str() {
        "" => "default".into(),
        own => own.into(),
    }
}

fn scope(place: &ClusterArgs, cluster: &dyn Cluster) -> Scope {
    if place.all_namespaces { Scope::AllNamespaces } else { Scope::Namespace(namespace(place, cluster)) }
}

fn safe_line(text: &str) -> String {
    format!("{}\n", Plain::line(text))
}
