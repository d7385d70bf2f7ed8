//! The one test binary: stories, adapters against in-process servers, a pty, and the rules of the house.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

#[path = "../support/odd.rs"]
#[allow(unreachable_pub, reason = "the suite on a cluster uses it too")]
mod odd_artifacts;
#[path = "../support/pty.rs"]
#[allow(dead_code, unreachable_pub, reason = "the suite and the bench use the rest of it")]
mod pty;
#[path = "../support/tape.rs"]
#[allow(unreachable_pub, reason = "the suite on a cluster uses it too")]
mod tape;

mod archives;
mod changes;
mod cli;
mod cluster;
mod compare;
mod demo;
mod flux;
mod house_rules;
mod impact;
mod lens;
mod objects;
mod odd;
mod registry;
mod render;
mod situations;
mod stories;
mod story;
mod terminal;
mod vectors;
mod yaml;
