//! The compressed bytes of a layer while somebody looks into it: in memory, and beyond a limit in a file that nobody
//! else can open and that is gone with its last reader. It checks nothing.

use super::host::lock;
use bytes::Bytes;
use std::{
    fs::{File, OpenOptions},
    hash::{BuildHasher, RandomState},
    io::{self, Cursor, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// Where bytes are kept, and how many of them in memory.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) in_memory: u64,
    /// The folder for what is larger.
    pub(super) scratch: PathBuf,
}

/// What is being kept.
pub(super) struct Keep {
    place: Place,
    held: Held,
}

enum Held {
    Memory(Vec<u8>),
    File(Scratch),
}

/// What was kept; it can be read several times, also at once.
#[derive(Clone)]
pub(super) enum Kept {
    Memory(Bytes),
    File(Arc<Mutex<Scratch>>),
}

impl Keep {
    pub(super) fn new(place: Place) -> Self {
        Self { place, held: Held::Memory(Vec::new()) }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Held::Memory(kept) = &mut self.held {
            if (kept.len() + bytes.len()) as u64 <= self.place.in_memory {
                kept.extend_from_slice(bytes);
                return Ok(());
            }
            let mut scratch = Scratch::create(&self.place.scratch)?;
            scratch.file.write_all(kept)?;
            self.held = Held::File(scratch);
        }
        match &mut self.held {
            Held::Memory(_) => Ok(()),
            Held::File(scratch) => scratch.file.write_all(bytes),
        }
    }

    pub(super) fn finish(self) -> Kept {
        match self.held {
            Held::Memory(kept) => Kept::Memory(kept.into()),
            Held::File(scratch) => Kept::File(Arc::new(Mutex::new(scratch))),
        }
    }
}

impl Kept {
    /// A file that stays readable through this handle, whatever happens to its name.
    pub(super) fn file(file: File) -> Self {
        Self::File(Arc::new(Mutex::new(Scratch { file, path: None })))
    }

    /// Reads from the first byte on.
    pub(super) fn reader(&self) -> Box<dyn Read + Send> {
        match self {
            Self::Memory(bytes) => Box::new(Cursor::new(bytes.clone())),
            Self::File(file) => Box::new(Reader { file: Arc::clone(file), at: 0 }),
        }
    }
}

/// One of several readers of a file: it knows its own place.
struct Reader {
    file: Arc<Mutex<Scratch>>,
    at: u64,
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let file = &mut lock(&self.file).file;
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(into)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// A temporary file. Where the system allows it, it has no name from the beginning; else it loses it at the end.
pub(super) struct Scratch {
    file: File,
    path: Option<PathBuf>,
}

impl Scratch {
    fn create(folder: &Path) -> io::Result<Self> {
        let (file, path) = create_private(folder)?;
        let nameless = cfg!(unix) && std::fs::remove_file(&path).is_ok();
        Ok(Self { file, path: (!nameless).then_some(path) })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // what cannot be removed is in a folder for temporary files
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A new file of mode 0600 under a name that nobody can guess.
pub(super) fn create_private(folder: &Path) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = format!("fluxscope-{}-{:016x}", std::process::id(), RandomState::new().hash_one(folder));
    let path = folder.join(name);
    Ok((options.open(&path)?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(in_memory: u64) -> Place {
        let scratch = std::env::temp_dir().join(format!("fluxscope-keep-{}", std::process::id()));
        std::fs::create_dir_all(&scratch).unwrap();
        Place { in_memory, scratch }
    }

    fn all(kept: &Kept) -> Vec<u8> {
        let mut bytes = Vec::new();
        kept.reader().read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_kept_is_read_as_often_as_one_likes_wherever_it_is() {
        for in_memory in [0, 5, 100] {
            let mut keep = Keep::new(place(in_memory));
            for part in [&b"abc"[..], b"", b"defgh", b"i"] {
                keep.push(part).unwrap();
            }
            let kept = keep.finish();
            assert_eq!(matches!(kept, Kept::Memory(_)), in_memory == 100);
            let mut half = kept.reader();
            half.read_exact(&mut [0; 4]).unwrap();
            assert_eq!((all(&kept), all(&kept)), (b"abcdefghi".to_vec(), b"abcdefghi".to_vec()));
            let mut rest = String::new();
            half.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "efghi");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_temporary_file_is_for_its_owner_and_has_no_name() {
        use std::os::unix::fs::PermissionsExt;
        let folder = place(0).scratch.join("nameless");
        std::fs::create_dir_all(&folder).unwrap();
        let (file, path) = create_private(&folder).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::remove_file(path).unwrap();
        let mut keep = Keep::new(Place { in_memory: 0, scratch: folder.clone() });
        keep.push(b"x").unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        assert_eq!(all(&keep.finish()), b"x");
    }
}
