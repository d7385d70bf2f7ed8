//! Tools by their names in the folders of `PATH`. Nothing relative is looked into, and nothing is run here.

use crate::domain::plain::Plain;
use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    sync::Arc,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) path: PathBuf,
}

/// The folders that are named from the root: the others would depend on where the program was started.
pub(super) fn folders(path: Option<&OsStr>) -> Arc<[PathBuf]> {
    path.into_iter().flat_map(env::split_paths).filter(|folder| folder.is_absolute()).collect()
}

pub(super) fn tool(folders: &[PathBuf], name: &'static str) -> Option<Tool> {
    let path = folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path))?;
    Some(Tool { name, path })
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && is_executable(&file))
}

#[cfg(unix)]
fn is_executable(file: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

/// The name, and the first word of what the tool said that looks like a version.
pub(super) fn version(name: &str, said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let bare = said
        .split_whitespace()
        .map(|word| word.trim_start_matches("{Version:").trim_start_matches("kustomize/"));
    let numbers = |word: &&str| {
        let word = word.strip_prefix('v').unwrap_or(word);
        word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.') && word.len() < 40
    };
    match bare.map(|word| word.split('+').next().unwrap_or(word)).find(numbers) {
        Some(version) => format!("{name} v{}", Plain::line(version.trim_start_matches('v'))),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_that_depend_on_where_we_are_do_not_count() {
        let path = env::join_paths(["", ".", "bin", "../bin", "/usr/bin"]).unwrap();
        assert_eq!(folders(Some(&path)).to_vec(), [PathBuf::from("/usr/bin")]);
        assert!(folders(None).is_empty());
    }

    #[test]
    fn a_version_is_found_in_what_each_tool_says() {
        for (name, said, version_) in [
            ("helm", "v4.2.2+g1234567\n", "helm v4.2.2"),
            ("kustomize", "v5.8.0\n", "kustomize v5.8.0"),
            ("kustomize", "{Version:kustomize/v4.5.7 GitCommit:56d82a8}", "kustomize v4.5.7"),
            ("flux", "flux version 2.7.1\n", "flux v2.7.1"),
            ("kustomize", "(devel)\n", "kustomize"),
            ("helm", "", "helm"),
        ] {
            assert_eq!(version(name, said.as_bytes()), version_);
        }
    }
}
