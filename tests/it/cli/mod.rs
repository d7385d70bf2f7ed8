//! The program without a screen: what is typed, what is printed where, and the exit code.

pub(crate) mod fake;
mod get;
mod outdated;
mod reconcile;
mod tags;
mod usage;

use fake::{Fake, Handle};
use fluxscope::cli::{self, args, output::Console};
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
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = {
        let mut console = Console::new(&mut out, &mut err);
        match args::parse(words(line)) {
            Ok(typed) => {
                let ports = world.ports();
                cli::run(&typed, &ports, &mut console).await
            }
            Err(error) => cli::explain(&error, &mut console),
        }
    };
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// Text that would move the cursor, reverse the line or hide.
const HOSTILE: &str = "bad\u{1b}[2J\u{202e}\u{e0041}\u{9b}31m\nsecond";

fn is_safe(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || !fluxscope::domain::plain::is_deceptive(c))
}
