//! Blobs and manifests by their digest in a folder like an OCI image layout, shared by all runs of this user. It holds
//! nothing else: no login, no tag, no URL. What is read from it is verified again; what is damaged is dropped.
//! It belongs to one user, so whoever finds something here was allowed to read it once.

use super::{hash::Hasher, host::lock, keep::create_private};
use crate::{domain::digest::Digest, port::CacheInfo};
use bytes::Bytes;
use std::{
    fs::{self, DirBuilder, DirEntry, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, SystemTime},
};

const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &[u8] = br#"{"schemaVersion":2,"manifests":[]}"#;
const ALGORITHMS: [&str; 3] = ["sha256", "sha384", "sha512"];
/// What was left over by a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

pub(super) struct Cache {
    root: PathBuf,
    limit: u64,
    /// Bytes stored by this process since the folder was last looked through; None: never yet.
    unseen: Mutex<Option<u64>>,
}

/// One stored blob.
struct Stored {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl Cache {
    /// Nothing is made before something is stored.
    pub(super) fn new(folder: &Path, limit: u64) -> Self {
        Self { root: folder.join("oci"), limit, unseen: Mutex::new(None) }
    }

    /// A blob that has the right size. Its bytes are not verified yet.
    pub(super) fn open(&self, digest: &Digest, size: Option<u64>) -> Option<File> {
        let path = self.path(digest);
        let about = fs::symlink_metadata(&path).ok()?;
        if !about.is_file() || size.is_some_and(|size| size != about.len()) {
            self.remove(digest);
            return None;
        }
        let file = File::open(&path).ok()?;
        // least recently used goes first; where the time cannot be set, the oldest does
        let _ = file.set_modified(SystemTime::now());
        Some(file)
    }

    /// A whole blob of at most `most` bytes, verified.
    pub(super) fn read(&self, digest: &Digest, size: Option<u64>, most: u64) -> Option<Bytes> {
        let mut bytes = Vec::new();
        self.open(digest, size)?.take(most + 1).read_to_end(&mut bytes).ok()?;
        if bytes.len() as u64 > most {
            return None;
        }
        let mut hash = Hasher::of(digest.algorithm());
        hash.update(&bytes);
        if hash.finish().as_ref() != Some(digest) {
            self.remove(digest);
            return None;
        }
        Some(bytes.into())
    }

    /// Drops what is damaged.
    pub(super) fn remove(&self, digest: &Digest) {
        let _ = fs::remove_file(self.path(digest));
    }

    /// Stores verified bytes and returns them as an open file. Whoever stores the same at once does no harm: a name
    /// appears with its whole content, or not at all.
    pub(super) fn store(&self, digest: &Digest, bytes: &mut dyn Read, size: u64) -> io::Result<File> {
        if size > self.limit {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "larger than the cache"));
        }
        self.prepare(digest)?;
        let (mut file, path) = create_private(&self.temporary())?;
        let written = io::copy(bytes, &mut file).and_then(|count| {
            if count == size { Ok(()) } else { Err(io::Error::from(io::ErrorKind::UnexpectedEof)) }
        });
        let stored = written.and_then(|()| fs::rename(&path, self.path(digest)));
        if let Err(error) = stored {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.trim_if_due(size);
        Ok(file)
    }

    pub(super) fn info(&self) -> io::Result<CacheInfo> {
        let stored = self.stored()?;
        Ok(self.about(&stored))
    }

    /// Removes everything; what was there is told.
    pub(super) fn clear(&self) -> io::Result<CacheInfo> {
        let stored = self.stored()?;
        for blob in &stored {
            absent_is_fine(fs::remove_file(&blob.path))?;
        }
        for entry in entries(&self.temporary())? {
            absent_is_fine(fs::remove_file(entry.path()))?;
        }
        *lock(&self.unseen) = None;
        Ok(self.about(&stored))
    }

    fn about(&self, stored: &[Stored]) -> CacheInfo {
        CacheInfo {
            path: Some(self.root.clone()),
            bytes: stored.iter().map(|blob| blob.bytes).sum(),
            blobs: stored.len() as u64,
            limit: self.limit,
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm()).join(digest.hex())
    }

    /// Beside the blobs, so that a rename crosses no border of file systems.
    fn temporary(&self) -> PathBuf {
        self.root.join("incomplete")
    }

    fn prepare(&self, digest: &Digest) -> io::Result<()> {
        private_folder(&self.root)?;
        private_folder(&self.temporary())?;
        private_folder(&self.root.join("blobs").join(digest.algorithm()))?;
        for (name, bytes) in [("oci-layout", LAYOUT), ("index.json", INDEX)] {
            let path = self.root.join(name);
            if !path.exists() {
                let (mut file, temporary) = create_private(&self.temporary())?;
                file.write_all(bytes)?;
                fs::rename(temporary, path)?;
            }
        }
        Ok(())
    }

    /// The folder is looked through once per process, and then whenever a sixteenth of the limit was added.
    fn trim_if_due(&self, added: u64) {
        let mut unseen = lock(&self.unseen);
        let since = unseen.map(|bytes| bytes + added);
        if since.is_some_and(|bytes| bytes < self.limit / 16) {
            *unseen = since;
            return;
        }
        *unseen = Some(0);
        // a cache that cannot be trimmed is no reason not to answer
        let _ = self.trim();
    }

    fn trim(&self) -> io::Result<()> {
        let now = SystemTime::now();
        for entry in entries(&self.temporary())? {
            let changed = entry.metadata().and_then(|about| about.modified());
            let age = changed.ok().and_then(|changed| now.duration_since(changed).ok());
            if age.is_some_and(|age| age > ABANDONED) {
                absent_is_fine(fs::remove_file(entry.path()))?;
            }
        }
        let mut stored = self.stored()?;
        let mut bytes: u64 = stored.iter().map(|blob| blob.bytes).sum();
        // what this process adds before it looks again must fit too
        let most = self.limit - self.limit / 16;
        stored.sort_unstable_by_key(|blob| std::cmp::Reverse(blob.used));
        while bytes > most
            && let Some(oldest) = stored.pop()
        {
            absent_is_fine(fs::remove_file(&oldest.path))?;
            bytes -= oldest.bytes;
        }
        Ok(())
    }

    fn stored(&self) -> io::Result<Vec<Stored>> {
        let mut stored = Vec::new();
        for algorithm in ALGORITHMS {
            for entry in entries(&self.root.join("blobs").join(algorithm))? {
                let name = entry.file_name();
                let is_digest = Digest::parse(&format!("{algorithm}:{}", name.to_string_lossy())).is_ok();
                // another process may have removed it since
                let about = entry.metadata().ok().filter(|about| about.is_file() && is_digest);
                stored.extend(about.map(|about| Stored {
                    path: entry.path(),
                    bytes: about.len(),
                    used: about.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                }));
            }
        }
        Ok(stored)
    }
}

/// A folder that is not there is empty.
fn entries(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn absent_is_fine(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// For its owner only, also if it was there before.
fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let about = fs::symlink_metadata(folder)?;
    if !about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "the cache's folder is something else"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if about.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}
