//! The program without a screen: what is typed, what is printed where, and the exit code.

mod cache;
mod cat;
mod depth;
mod diff;
pub(crate) mod fake;
mod files;
mod get;
mod history;
mod inspect;
mod outdated;
mod pull;
mod reconcile;
pub(crate) mod sealed;
mod tags;
mod usage;
mod values;
mod whole;

use fake::{Fake, Handle};
use fluxscope::{
    cli::{
        self, args,
        output::{Console, Terminals},
    },
    port::Ports,
};
use serde_json::Value;
use std::sync::Arc;

/// What a command left behind.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    /// `name standing` of each item.
    fn standings(&self) -> Vec<String> {
        let word = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
        let items = self.json()["items"].as_array().unwrap().clone();
        items.iter().map(|item| format!("{} {}", word(item, "name"), word(item, "standing"))).collect()
    }
}

fn words(line: &str) -> Vec<std::ffi::OsString> {
    std::iter::once("fluxscope").chain(line.split_whitespace()).map(Into::into).collect()
}

async fn run(fake: Fake, line: &str) -> Ran {
    run_on(&Handle(Arc::new(fake)), line).await
}

async fn run_on(world: &Handle, line: &str) -> Ran {
    let (code, out, err) = run_raw(world, line, Terminals::default()).await;
    Ran { code, out: String::from_utf8(out).unwrap(), err }
}

async fn run_with(ports: &Ports, line: &str) -> Ran {
    let (code, out, err) = run_raw_with(ports, line, Terminals::default()).await;
    Ran { code, out: String::from_utf8(out).unwrap(), err }
}

/// Stdout as bytes.
async fn run_raw(world: &Handle, line: &str, terminals: Terminals) -> (i32, Vec<u8>, String) {
    run_raw_with(&world.ports(), line, terminals).await
}

async fn run_raw_with(ports: &Ports, line: &str, terminals: Terminals) -> (i32, Vec<u8>, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = {
        let mut console = Console::new(&mut out, &mut err).on(terminals);
        match args::parse(words(line)) {
            Ok(typed) => cli::run(&typed, ports, &mut console).await,
            Err(error) => cli::explain(&error, &mut console),
        }
    };
    (code, out, String::from_utf8(err).unwrap())
}

/// Text that would move the cursor, reverse the line or hide.
const HOSTILE: &str = "bad\u{1b}[2J\u{202e}\u{e0041}\u{9b}31m\nsecond";

fn is_safe(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || !fluxscope::domain::plain::is_deceptive(c))
}
