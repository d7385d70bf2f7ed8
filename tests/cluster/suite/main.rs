//! The program against a real API server, Flux's controllers and real registries. Never part of `cargo test`:
//! `tests/cluster/run` brings a cluster up, runs this, and takes it down.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test may fail loudly")]
#![allow(unreachable_pub, reason = "modules of a test have no outside")]

#[path = "../../support/api.rs"]
#[allow(dead_code, reason = "the bench uses the rest of it")]
mod api;
#[path = "../../support/odd.rs"]
mod odd;
#[path = "../../support/pty.rs"]
#[allow(dead_code, reason = "the other tests use the rest of it")]
mod pty;
#[path = "../../support/tape.rs"]
mod tape;

mod access;
mod announced;
mod artifacts;
mod cluster;
mod diff;
mod guide;
mod inside;
mod outage;
mod program;
mod reconcile;
mod screens;
mod selection;
mod specs;
mod standings;
mod tags;
mod trouble;
mod upgrades;
