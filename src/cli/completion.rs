//! `completion`: a script that lets a shell complete our words. It asks nobody.

use super::{args::Cli, exit, output::Console};
use clap::CommandFactory;
use clap_complete::{Shell, generate};

pub(super) fn run(shell: Shell, console: &mut Console<'_>) -> i32 {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "fluxscope", &mut script);
    console.data(&String::from_utf8_lossy(&script));
    exit::ANSWERED
}
