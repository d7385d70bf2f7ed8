//! A folder on disk -> the archive that `flux build artifact` would make of it. It follows no symbolic link, and what
//! it leaves out it names (fluxcd/flux2 `cmd/flux/build_artifact.go`, fluxcd/pkg `oci/build.go`).

use super::{
    hash::Sum,
    host::lock,
    keep::{Keep, Kept, Place},
    unpack::Limits,
};
use crate::domain::{
    digest::Digest,
    problem::{Cause, Problem},
    tree::{Entry, Fate},
};
use std::{
    collections::VecDeque,
    ffi::OsStr,
    fmt,
    fs::{self, File, FileType},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak},
};
use tar::{Builder, EntryType, Header};

/// Never packed: what belongs to Git, and files that are no manifests by their ending.
const OWN_TO_GIT: [&str; 4] = [".git", ".gitignore", ".gitmodules", ".gitattributes"];
const ENDINGS: [&str; 8] = [".jpg", ".jpeg", ".gif", ".png", ".wmv", ".flv", ".tar.gz", ".zip"];
const IGNORED: &str = "flux build artifact leaves it out";
const LINK: &str = "a symbolic link: flux build artifact leaves it out";
const SPECIAL: &str = "neither a file nor a folder: flux build artifact leaves it out";

/// The archive, and what is in the folder and not in it.
#[derive(Clone)]
pub(super) struct Packed {
    /// Not compressed: nobody sends it, and it is read again at once.
    pub(super) archive: Kept,
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) besides: Vec<Entry>,
}

/// Folders that were packed to be told what they are, until somebody opens them: what is opened is what was told.
#[derive(Clone, Default)]
pub(super) struct Shelf(Arc<Mutex<VecDeque<(PathBuf, Packed)>>>);

/// Both sides of a comparison.
const ON_SHELF: usize = 2;

impl Shelf {
    pub(super) fn keep(&self, path: &Path, packed: Packed) {
        let mut packings = lock(&self.0);
        packings.retain(|(other, _)| other != path);
        packings.push_front((path.to_owned(), packed));
        packings.truncate(ON_SHELF);
    }

    pub(super) fn take(&self, path: &Path, digest: &Digest) -> Option<Packed> {
        let mut packings = lock(&self.0);
        let at = packings.iter().position(|(of, packed)| of == path && packed.digest == *digest)?;
        packings.remove(at).map(|(_, packed)| packed)
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} folders", lock(&self.0).len())
    }
}

/// Whether somebody still waits: true as long as what [`Wanted::new`] gave with it is held.
pub(super) struct Wanted(Weak<()>);

impl Wanted {
    pub(super) fn new() -> (Arc<()>, Self) {
        let held = Arc::new(());
        let wanted = Self(Arc::downgrade(&held));
        (held, wanted)
    }

    fn is_over(&self) -> bool {
        self.0.strong_count() == 0
    }
}

/// Stops soon after a limit was reached: whoever unpacks it reaches the same. A folder may be a whole disk: it also stops
/// soon after nobody waits any longer.
pub(super) fn pack(folder: &Path, place: Place, limits: &Limits, wanted: &Wanted) -> Result<Packed, Problem> {
    let sink = Summed { sum: Sum::new(), kept: Keep::new(place) };
    let mut packer = Packer {
        root: folder,
        builder: Builder::new(sink),
        besides: Vec::new(),
        entries: 0,
        bytes: 0,
        limits: *limits,
        at: folder.to_owned(),
        wanted,
    };
    let walked = packer.walk();
    let Packer { builder, besides, at, .. } = packer;
    match walked.and_then(|()| builder.into_inner()?.finish()) {
        Ok((archive, (digest, size))) => Ok(Packed { archive, digest, size, besides }),
        Err(error) => {
            Err(Problem::new(cause_of(&error), format!("read {}", at.display()), error.to_string()))
        }
    }
}

pub(super) fn cause_of(error: &io::Error) -> Cause {
    match error.kind() {
        io::ErrorKind::NotFound => Cause::NotFound,
        io::ErrorKind::PermissionDenied => Cause::Forbidden,
        _ => Cause::Other,
    }
}

/// What is written is kept, and summed on the way.
struct Summed {
    sum: Sum,
    kept: Keep,
}

impl Summed {
    fn finish(self) -> io::Result<(Kept, (Digest, u64))> {
        Ok((self.kept.finish(), self.sum.finish()?))
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sum.write_all(bytes)?;
        self.kept.push(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Packer<'a> {
    root: &'a Path,
    builder: Builder<Summed>,
    besides: Vec<Entry>,
    entries: usize,
    bytes: u64,
    limits: Limits,
    /// What is being read: for a problem.
    at: PathBuf,
    wanted: &'a Wanted,
}

impl Packer<'_> {
    /// In the order of the names, depth first.
    fn walk(&mut self) -> io::Result<()> {
        let mut folders = vec![self.root.to_owned()];
        while let Some(folder) = folders.pop() {
            self.at.clone_from(&folder);
            let mut entries = fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
            entries.sort_unstable_by_key(fs::DirEntry::file_name);
            let mut below = Vec::new();
            for entry in entries {
                self.at = entry.path();
                let kind = entry.file_type()?;
                if self.wanted.is_over() {
                    return Err(io::Error::other("nobody waits for it any longer"));
                }
                if self.is_full() {
                    return Ok(());
                }
                if self.leaves_out(&entry.file_name(), kind) {
                    continue;
                }
                self.entries += 1;
                if kind.is_dir() {
                    self.folder()?;
                    below.push(entry.path());
                } else {
                    self.file()?;
                }
            }
            folders.extend(below.into_iter().rev());
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.entries > self.limits.entries || self.bytes > self.limits.unpacked
    }

    fn leaves_out(&mut self, name: &OsStr, kind: FileType) -> bool {
        let name = name.to_string_lossy();
        let ignored = OWN_TO_GIT.contains(&&*name) || ENDINGS.iter().any(|ending| name.ends_with(ending));
        let (fate, note) = if ignored {
            (Fate::Ignored, IGNORED)
        } else if kind.is_symlink() {
            (Fate::Skipped, LINK)
        } else if kind.is_file() || kind.is_dir() {
            return false;
        } else {
            (Fate::Skipped, SPECIAL)
        };
        // a folder is in the paths of its files only
        if !kind.is_dir() && self.besides.len() < self.limits.entries {
            let size = fs::symlink_metadata(&self.at)
                .map_or(0, |about| if kind.is_file() { about.len() } else { 0 });
            let path = self.relative().to_string_lossy().into();
            let note = Some(note.into());
            self.besides.push(Entry { path, size, sha256: None, fate, note, at: None, executable: false });
        }
        true
    }

    fn relative(&self) -> &Path {
        self.at.strip_prefix(self.root).unwrap_or(&self.at)
    }

    fn folder(&mut self) -> io::Result<()> {
        let path = self.relative().to_owned();
        let mut header = header(EntryType::Directory, 0, 0o750);
        self.builder.append_data(&mut header, path, io::empty())
    }

    fn file(&mut self) -> io::Result<()> {
        let file = open_without_following(&self.at)?;
        let size = file.metadata()?.len();
        let mut header = header(EntryType::Regular, size, if is_executable(&file) { 0o700 } else { 0o600 });
        let path = self.relative().to_owned();
        self.bytes += size;
        // a file that is being written meanwhile keeps the size it had
        let content = file.take(size).chain(io::repeat(0)).take(size);
        self.builder.append_data(&mut header, path, content)
    }
}

/// Normalised as Flux does it: no owner, no time.
fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_mtime(0);
    header
}

/// Whoever puts a link in a file's place meanwhile gets nothing read that is elsewhere.
fn open_without_following(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    let (seen, opened) = (fs::symlink_metadata(path)?, file.metadata()?);
    if !seen.is_file() || !is_same(&seen, &opened) {
        return Err(io::Error::other("it changed while it was being read"));
    }
    Ok(file)
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &fs::Metadata, _: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn is_executable(file: &File) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|about| about.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_as_long_as_somebody_waits() {
        let folder = std::env::temp_dir().join(format!("fluxscope-pack-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a.yaml"), "kind: A\n").unwrap();
        let place = Place { in_memory: 1 << 20, scratch: folder.clone() };
        let (held, wanted) = Wanted::new();
        let packed = |wanted: &Wanted| pack(&folder, place.clone(), &Limits::default(), wanted);
        assert!(packed(&wanted).is_ok());
        drop(held);
        let left = packed(&wanted);
        fs::remove_dir_all(&folder).unwrap();
        assert!(left.is_err_and(|problem| problem.why.contains("nobody waits")));
    }
}
