//! A folder for one run of a tool: readable by this user alone, with a home that holds nothing, gone when it is
//! dropped. No symbolic link is ever made in it, and nothing outside of it is written.

use crate::domain::lens::Plan;
use std::{
    collections::hash_map::RandomState,
    ffi::OsString,
    fs::{self, DirBuilder, OpenOptions},
    hash::BuildHasher,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

const PREFIX: &str = "fluxscope-render-";

/// No run lasts as long: what is older was left by a process that was killed.
const LEFT_OVER: Duration = Duration::from_secs(60 * 60);

static COUNT: AtomicU64 = AtomicU64::new(0);

#[derive(Debug)]
pub(super) struct Room {
    path: PathBuf,
}

impl Room {
    /// Writes the files of a plan. Takes as long as the disk does.
    pub(super) fn open(plan: &Plan) -> io::Result<Self> {
        let parent = std::env::temp_dir().canonicalize()?;
        sweep(&parent);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let chance = RandomState::new().hash_one(number);
        let path = parent.join(format!("{PREFIX}{}-{number}-{chance:016x}", std::process::id()));
        // fails if there is anything of this name
        private_folders(false).create(&path)?;
        let room = Self { path };
        for name in ["files", "home", "tmp"] {
            private_folders(false).create(room.path.join(name))?;
        }
        private_folders(true).create(room.files(&plan.root))?;
        for (path, bytes) in &plan.files {
            let path = room.files(path);
            if let Some(folder) = path.parent() {
                private_folders(true).create(folder)?;
            }
            write_new(&path, bytes)?;
        }
        Ok(room)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the files of the plan are.
    pub(super) fn files(&self, below: &str) -> PathBuf {
        let files = self.path.join("files");
        if below.is_empty() { files } else { files.join(below) }
    }

    /// A file that is none of the plan's.
    pub(super) fn write_beside(&self, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.path.join(name);
        write_new(&path, bytes)?;
        Ok(path)
    }

    /// Everything that a tool may know of this machine.
    pub(super) fn environment(&self, folders: &[PathBuf]) -> Vec<(&'static str, OsString)> {
        let at = |name: &str| self.path.join(name).into_os_string();
        let home = |name: &str| self.path.join("home").join(name).into_os_string();
        vec![
            ("PATH", std::env::join_paths(folders).unwrap_or_default()),
            ("HOME", at("home")),
            ("TMPDIR", at("tmp")),
            ("XDG_CACHE_HOME", home("cache")),
            ("XDG_CONFIG_HOME", home("config")),
            ("XDG_DATA_HOME", home("data")),
            ("XDG_STATE_HOME", home("state")),
            ("HELM_CACHE_HOME", home("cache/helm")),
            ("HELM_CONFIG_HOME", home("config/helm")),
            ("HELM_DATA_HOME", home("data/helm")),
            ("HELM_NO_PLUGINS", "1".into()),
            // what names a repository is refused before; Git itself would refuse it too
            ("GIT_ALLOW_PROTOCOL", "none".into()),
            ("GIT_TERMINAL_PROMPT", "0".into()),
            ("LC_ALL", "C".into()),
        ]
    }

    /// Removes it off the tasks that answer.
    pub(super) async fn close(self) {
        // a panic there has removed it too
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // a tool that is just being killed may still have made a file
        if fs::remove_dir_all(&self.path).is_err() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

fn private_folders(recursive: bool) -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(recursive);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

/// Removes what killed processes of this user left behind; others' cannot be removed.
fn sweep(parent: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        let old = |entry: &fs::DirEntry| {
            let made = entry.metadata().ok().filter(fs::Metadata::is_dir)?.modified().ok()?;
            now.duration_since(made).ok()
        };
        if ours && old(&entry).is_some_and(|age| age > LEFT_OVER) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
