//! The log: always to a file under the state directory, never to the terminal.

use std::{
    fs::{File, OpenOptions, create_dir_all},
    io,
    path::{Path, PathBuf},
    sync::Mutex,
};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

/// A log that grew beyond this is started anew; one older file is kept.
const LIMIT: u64 = 5 * 1024 * 1024;

/// Starts writing to `<state>/fluxscope.log`. Without a state directory there is no log, and that is fine.
pub fn open(state: &Path, level: &str) -> io::Result<PathBuf> {
    create_dir_all(state)?;
    let path = state.join("fluxscope.log");
    if path.metadata().is_ok_and(|about| about.len() > LIMIT) {
        std::fs::rename(&path, state.join("fluxscope.log.1"))?;
    }
    let filter = EnvFilter::try_new(format!("off,fluxscope={level}"))
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let writer = fmt::layer().with_writer(Mutex::new(private(&path)?)).with_ansi(false).with_target(false);
    let _ = tracing_subscriber::registry().with(filter).with(writer).try_init();
    Ok(path)
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}
