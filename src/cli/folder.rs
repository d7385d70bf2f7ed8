//! Files from outside, written below one folder: never beside it, never through a link, never half.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Component, Path, PathBuf},
};

/// The folder that was named. It may be a link itself; nothing in it is followed.
pub(super) struct Folder {
    root: PathBuf,
    overwrite: bool,
}

impl Folder {
    /// Fails where something else than a folder stands there. Makes nothing yet.
    pub(super) fn new(root: &Path, overwrite: bool) -> Result<Self, String> {
        match fs::metadata(root) {
            Ok(about) if !about.is_dir() => Err("it is not a folder".to_owned()),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.to_string()),
            // a link to nothing would be followed when the folder is made
            Err(_) if fs::symlink_metadata(root).is_ok() => {
                Err("it is a symbolic link to nothing".to_owned())
            }
            Ok(_) | Err(_) => Ok(Self { root: root.to_owned(), overwrite }),
        }
    }

    /// Why this file may not be written, if so.
    pub(super) fn obstacle(&self, path: &str) -> Option<String> {
        self.clear(path).err()
    }

    /// Writes the whole file or nothing. It has its name only once it is whole.
    pub(super) fn write(&self, path: &str, bytes: &[u8], executable: bool) -> Result<(), String> {
        let target = self.clear(path)?;
        let parent = target.parent().unwrap_or(&self.root);
        make_folders(parent).map_err(|error| error.to_string())?;
        let part = parent.join(format!(".fluxscope-{}.part", std::process::id()));
        let written = fill(&part, bytes, executable).and_then(|()| fs::rename(&part, &target));
        written.map_err(|error| {
            // whoever held the name before us keeps what is his
            if error.kind() != ErrorKind::AlreadyExists {
                let _ = fs::remove_file(&part);
            }
            error.to_string()
        })
    }

    /// The place of a file, if it is inside, reached through real folders only, and free.
    fn clear(&self, path: &str) -> Result<PathBuf, String> {
        let inside = inside(path).ok_or("its name leads out of the folder")?;
        let mut place = self.root.clone();
        let mut names = inside.components().peekable();
        while let Some(name) = names.next() {
            place.push(name);
            let is_last = names.peek().is_none();
            let about = match fs::symlink_metadata(&place) {
                Ok(about) => about,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error.to_string()),
            };
            let found = self.shown(&place);
            match is_last {
                _ if about.is_symlink() => return Err(format!("{found} is a symbolic link")),
                true if !about.is_file() => return Err(format!("{found} is not a file")),
                true if !self.overwrite => return Err(format!("{found} exists")),
                false if !about.is_dir() => return Err(format!("{found} is not a folder")),
                true | false => {}
            }
        }
        Ok(place)
    }

    fn shown(&self, place: &Path) -> String {
        place.strip_prefix(&self.root).unwrap_or(place).display().to_string()
    }
}

/// A relative path of plain names; on Windows a colon or a backslash would mean something.
fn inside(path: &str) -> Option<&Path> {
    let is_plain = |component| matches!(component, Component::Normal(_));
    let strange = path.contains('\0') || (cfg!(windows) && path.contains([':', '\\']));
    let inside = Path::new(path);
    (!path.is_empty() && !path.ends_with('/') && !strange && inside.components().all(is_plain))
        .then_some(inside)
}

#[cfg(unix)]
fn make_folders(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

/// A new file: where one is, or a link, it is not touched.
fn fill(path: &Path, bytes: &[u8], executable: bool) -> io::Result<()> {
    let mut file = make(path, executable)?;
    file.write_all(bytes)
}

#[cfg(unix)]
fn make(path: &Path, executable: bool) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mode = if executable { 0o700 } else { 0o600 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn make(path: &Path, _: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}
