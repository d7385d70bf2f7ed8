//! The folder that Flux writes into, as names only: which files and folders are there, and what the system would refuse.
//! Nothing is written anywhere.

use super::source::{Over, Stop};
use std::collections::HashMap;

/// Longest name of one file, in bytes: what Linux takes.
const NAME: usize = 255;
/// Longest path, in bytes; Flux's temporary folder stands before it.
const PATH: usize = 4095 - TEMPORARY.len();
/// Where source-controller unpacks; the rest of the name is chosen at random.
pub(super) const TEMPORARY: &str = "/tmp/ocirepository-…";

/// A path as Go's `filepath.Join` leaves it: no empty, `.` or `..` parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct Path(Vec<u8>);

impl Path {
    /// None: it is above the folder.
    pub(super) fn clean(name: &[u8]) -> Option<Self> {
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in name.split(|&byte| byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(Self(parts.join(&b'/')))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Of the folder it is in.
    pub(super) fn parent(&self) -> &[u8] {
        let end = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        &self.0[..end]
    }

    pub(super) fn parts(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/').filter(|part| !part.is_empty())
    }
}

/// What the operating system says to a wrong path, as Go writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// `mkdir`, the path, and why.
    Folder(Vec<u8>, &'static str),
    /// `open`, the path, and why.
    File(Vec<u8>, &'static str),
    /// `open` of the folder above.
    Above,
}

impl Refused {
    pub(super) const fn why(&self) -> &'static str {
        match self {
            Self::Folder(_, why) | Self::File(_, why) => why,
            Self::Above => A_FOLDER,
        }
    }

    pub(super) fn flux(&self) -> String {
        let (call, path) = match self {
            Self::Folder(path, _) => ("mkdir", path),
            Self::File(path, _) => ("open", path),
            Self::Above => return format!("open /tmp: {A_FOLDER}"),
        };
        let slash = if path.is_empty() { "" } else { "/" };
        format!("{call} {TEMPORARY}{slash}{}: {}", String::from_utf8_lossy(path), self.why())
    }
}

const NO_FOLDER: &str = "not a directory";
const A_FOLDER: &str = "is a directory";
const TOO_LONG: &str = "file name too long";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder(u32),
    /// The place of the entry that was written last.
    File(usize),
}

#[derive(Debug, Default)]
pub(super) struct Folder {
    /// By the number of the folder and the name in it, see [`Folder::key`]; the folder itself is 0.
    nodes: HashMap<Box<[u8]>, Node>,
    key: Vec<u8>,
    folders: u32,
    limit: usize,
}

/// Written, refused by the system, or too much for us.
pub(super) type Outcome<T> = Result<Result<T, Refused>, Stop>;

impl Folder {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// `os.MkdirAll`.
    pub(super) fn make(&mut self, path: &Path) -> Outcome<()> {
        Ok(self.walk(path.parts())?.map(drop))
    }

    /// `os.MkdirAll` of the parent, then `os.OpenFile` to write: the entry that was there before.
    pub(super) fn write(&mut self, path: &Path, place: usize) -> Outcome<Option<usize>> {
        let mut parts = path.parts();
        let Some(name) = parts.next_back() else {
            return Ok(Err(Refused::File(Vec::new(), A_FOLDER)));
        };
        let parent = match self.walk(parts)? {
            Ok(parent) => parent,
            Err(refused) => return Ok(Err(refused)),
        };
        if name.len() > NAME || path.bytes().len() >= PATH {
            return Ok(Err(Refused::File(path.bytes().to_vec(), TOO_LONG)));
        }
        self.key(parent, name);
        match self.nodes.get_mut(self.key.as_slice()) {
            Some(Node::File(before)) => Ok(Ok(Some(std::mem::replace(before, place)))),
            Some(Node::Folder(_)) => Ok(Err(Refused::File(path.bytes().to_vec(), A_FOLDER))),
            None => {
                self.nodes.insert(self.key.as_slice().into(), Node::File(place));
                Ok(Ok(None))
            }
        }
    }

    /// Makes what is missing; the number of the last folder.
    fn walk<'a>(&mut self, parts: impl Iterator<Item = &'a [u8]>) -> Outcome<u32> {
        let mut path: Vec<u8> = Vec::new();
        let mut at = 0;
        for part in parts {
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(part);
            if part.len() > NAME || path.len() >= PATH {
                return Ok(Err(Refused::Folder(path, TOO_LONG)));
            }
            self.key(at, part);
            at = match self.nodes.get(self.key.as_slice()) {
                Some(Node::Folder(number)) => *number,
                Some(Node::File(_)) => return Ok(Err(Refused::Folder(path, NO_FOLDER))),
                None => self.add()?,
            };
        }
        Ok(Ok(at))
    }

    /// A folder under the key.
    fn add(&mut self) -> Result<u32, Stop> {
        if self.folders as usize >= self.limit {
            return Err(Stop::Over(Over::Folders(self.limit)));
        }
        self.folders += 1;
        self.nodes.insert(self.key.as_slice().into(), Node::Folder(self.folders));
        Ok(self.folders)
    }

    fn key(&mut self, parent: u32, name: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(&parent.to_le_bytes());
        self.key.extend_from_slice(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(paths: &[&str]) -> Folder {
        let mut folder = Folder::new(100);
        for path in paths {
            write(&mut folder, path).unwrap();
        }
        folder
    }

    fn write(folder: &mut Folder, path: &str) -> Result<Option<usize>, Refused> {
        folder.write(&Path::clean(path.as_bytes()).unwrap(), 7).unwrap()
    }

    #[test]
    fn a_path_is_cleaned_and_may_not_leave_the_folder() {
        let clean = |name: &str| Path::clean(name.as_bytes()).map(|path| String::from_utf8(path.0).unwrap());
        assert_eq!(clean("./a//b/./c/"), Some("a/b/c".to_owned()));
        assert_eq!(clean("a/.."), Some(String::new()));
        assert_eq!(clean(".."), None);
    }

    #[test]
    fn a_file_is_in_the_way_of_a_folder_and_a_folder_in_the_way_of_a_file() {
        let mut folder = folder(&["d/a"]);
        assert_eq!(write(&mut folder, "d/a"), Ok(Some(7)));
        assert_eq!(
            write(&mut folder, "d").unwrap_err().flux(),
            "open /tmp/ocirepository-…/d: is a directory"
        );
        assert_eq!(
            write(&mut folder, "d/a/b/c").unwrap_err().flux(),
            "mkdir /tmp/ocirepository-…/d/a: not a directory"
        );
        assert_eq!(write(&mut folder, ".").unwrap_err().flux(), "open /tmp/ocirepository-…: is a directory");
    }

    #[test]
    fn names_and_paths_have_the_lengths_that_linux_takes() {
        let mut folder = Folder::new(10_000);
        assert_eq!(write(&mut folder, &"n".repeat(255)), Ok(None));
        assert_eq!(write(&mut folder, &"n".repeat(256)).unwrap_err().why(), TOO_LONG);
        assert_eq!(write(&mut folder, &format!("{}/a", "n".repeat(256))).unwrap_err().why(), TOO_LONG);
        assert_eq!(write(&mut folder, &"n/".repeat(2000)), Ok(None));
        assert_eq!(write(&mut folder, &"m/".repeat(2100)).unwrap_err().why(), TOO_LONG);
    }

    #[test]
    fn folders_are_counted_also_those_that_no_entry_names() {
        let mut folder = Folder::new(3);
        assert_eq!(write(&mut folder, "a/b/c/d"), Ok(None));
        let fourth = folder.make(&Path::clean(b"e").unwrap());
        assert!(matches!(fourth, Err(Stop::Over(Over::Folders(3)))));
    }
}
