//! argv -> adapters -> front end; prints start-up errors.

use fluxscope::cli::{self, output::Console};
use std::{io, process::ExitCode};

fn main() -> ExitCode {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let mut console = Console::new(&mut out, &mut err);
    let code = match cli::args::parse(std::env::args_os()) {
        Err(error) => cli::explain(&error, &mut console),
        Ok(typed) => {
            cli::run_alone(&typed, &mut console).unwrap_or_else(|| cli::without_terminal(&mut console))
        }
    };
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
