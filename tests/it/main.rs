//! The one test binary: stories, adapters against in-process servers, a pty, and the rules of the house.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail loudly"
)]

#[path = "../support/pty.rs"]
mod pty;

mod cli;
mod cluster;
mod demo;
mod house_rules;
mod objects;
mod registry;
mod situations;
mod stories;
mod story;
mod terminal;
mod vectors;
