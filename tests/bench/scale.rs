//! How the program does with many objects on a real API server: numbers, and no verdicts.
//! `tests/bench/run` brings the cluster; what the numbers mean stands in README.md.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot measure says so by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]
#![allow(unreachable_pub, reason = "modules of a bench have no outside")]

#[path = "../support/api.rs"]
#[allow(dead_code, reason = "the suite uses the rest of it")]
mod api;
#[path = "../support/pty.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod pty;

mod board;
mod fill;
mod keys;
mod lists;
mod numbers;
mod objects;
mod program;
mod report;

use api::{Api, ClusterEnv};
use report::Report;
use tokio::runtime::Runtime;

fn main() {
    let env = ClusterEnv::find().unwrap_or_else(|why| panic!("{why}"));
    assert!(
        env.get("CONTROLLERS") == "false",
        "this cluster has controllers, which would touch every object: use `tests/cluster/up --no-controllers`"
    );
    let api = Api::admin(&env).unwrap_or_else(|why| panic!("{why}"));
    let runtime = Runtime::new().expect("a runtime");
    fill::push_repositories(&env);
    for count in counts() {
        eprintln!("{count}: filling");
        runtime.block_on(fill::objects(&api, &env, count));
        eprintln!("{count}: bare LISTs");
        let lists = runtime.block_on(lists::measure(&api));
        assert_eq!(lists.objects, count, "other objects are in this cluster: take a fresh one");
        eprintln!("{count}: {} bytes in {:.2?}; the board", lists.bytes, lists.times);
        println!("{}", Report { count, lists, board: board::measure(&env, count) });
    }
}

/// In ascending order, since objects are only added. Whatever else cargo hands over is not for us.
fn counts() -> Vec<usize> {
    let mut counts: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    if counts.is_empty() {
        counts = vec![100, 1_000, 10_000];
    }
    counts.sort_unstable();
    counts
}
