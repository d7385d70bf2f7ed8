//! Artifacts on this machine: an OCI image layout, an archive, a folder. They are read, never changed, and nothing
//! outside of them is followed.

use super::{
    artifact::{self, Descent, Step},
    document::{self, Document},
    failure::Failure,
    files::{self, Expected},
    hash::Sum,
    keep::Place,
    layout::{Layout, LayoutError},
    open::Chunks,
    pack::{self, Wanted, cause_of},
    settings::Settings,
    transport::size,
    unpack,
};
use crate::domain::{
    artifact::{Artifact, Descriptor, Referrers, Target},
    digest::Digest,
    problem::{Cause, Problem},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// What `flux push artifact` makes: how a file or a folder without a manifest is judged.
const FLUX_LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// Bytes that may be read of documents and of layers, and where they are meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    pub(super) document: u64,
    pub(super) layer: u64,
    pub(super) unpack: unpack::Limits,
    pub(super) place: Place,
    pub(super) shelf: pack::Shelf,
}

impl Bounds {
    pub(super) fn of(settings: &Settings) -> Self {
        let Settings { limits, unpack, environment, .. } = settings;
        let scratch = environment.temporary.clone().unwrap_or_else(|| PathBuf::from("/tmp"));
        Self {
            document: limits.manifest,
            layer: limits.layer,
            unpack: *unpack,
            place: Place { in_memory: limits.in_memory, scratch },
            shelf: pack::Shelf::default(),
        }
    }
}

// ---- an OCI image layout

/// A layout whose documents are read when they are needed.
struct Folder<'a> {
    path: &'a Path,
    bounds: &'a Bounds,
}

/// Blocks. None as reference: the only manifest there is.
pub(super) fn inspect_layout(
    target: Target,
    path: &Path,
    reference: Option<&str>,
    bounds: &Bounds,
) -> Result<Artifact, Problem> {
    let name = reference.map(|reference| format!(" at {reference}")).unwrap_or_default();
    let what = format!("inspect the OCI layout {}{name}", path.display());
    let folder = Folder { path, bounds };
    folder.inspect(target, reference).map_err(|failure| failure.into_problem(&what))
}

impl Folder<'_> {
    fn inspect(&self, target: Target, reference: Option<&str>) -> Result<Artifact, Failure> {
        let layout = self.layout()?;
        let first = layout.named(reference).map_err(Failure::from)?;
        let mut descent = Descent::new(self.path.display().to_string());
        let mut wanted = first;
        let arrival = loop {
            match descent.take(self.document(&wanted)?)? {
                Step::Arrived(arrival) => break arrival,
                Step::Child(child) => wanted = child,
            }
        };
        let config = match arrival.config() {
            Some(config) => self.config(config),
            None => Ok(Value::Null),
        };
        Ok(arrival.into_artifact(target, config, None))
    }

    fn layout(&self) -> Result<Layout, Failure> {
        let file = |name| match self.read(Path::new(name)) {
            Err(failure) if failure.cause == Cause::NotFound => {
                Err(Failure::new(Cause::NotFound, format!("{name} is not here: this is no OCI image layout")))
            }
            read => read,
        };
        let named = [("oci-layout", file("oci-layout")?), ("index.json", file("index.json")?)];
        Layout::read(named).map_err(Failure::from)
    }

    fn document(&self, wanted: &Descriptor) -> Result<Document, Failure> {
        let bytes = self.blob(wanted)?;
        document::read(&bytes, None, wanted.digest.clone())
    }

    fn config(&self, config: &Descriptor) -> Result<Value, String> {
        if let Some(why) = artifact::too_large(config, self.bounds.document) {
            return Err(why);
        }
        let bytes = self.blob(config).map_err(|failure| failure.why)?;
        artifact::read_config(config, &bytes)
    }

    /// A small blob, verified.
    fn blob(&self, wanted: &Descriptor) -> Result<Bytes, Failure> {
        let bytes = self.read(&blob_path(&wanted.digest))?;
        let found = document::digest_of(wanted.digest.algorithm(), &bytes)?;
        if found != wanted.digest {
            return Err(Failure::from(LayoutError::Mismatch { wanted: wanted.digest.clone(), found }));
        }
        match wanted.size.filter(|&size| size != bytes.len() as u64) {
            Some(size) => Err(Failure::new(
                Cause::Invalid,
                format!(
                    "the sizes differ: {size} bytes were expected, {} has {}",
                    wanted.digest,
                    bytes.len()
                ),
            )),
            None => Ok(bytes),
        }
    }

    fn read(&self, name: &Path) -> Result<Bytes, Failure> {
        let path = self.path.join(name);
        let why = |error: &io::Error| Failure::new(cause_of(error), format!("{}: {error}", name.display()));
        let most = self.bounds.document;
        let file = open_file(&path).map_err(|error| why(&error))?;
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map_err(|error| why(&error))?;
        if bytes.len() as u64 > most {
            let why = format!("{} is larger than {}", name.display(), size(most));
            return Err(Failure::new(Cause::Invalid, why).with_hint("--max-manifest-bytes raises the limit"));
        }
        Ok(bytes.into())
    }
}

/// What the layout itself says that refers to a manifest.
pub(super) fn layout_referrers(path: &Path, digest: &Digest, bounds: &Bounds) -> Result<Referrers, Problem> {
    let what = format!("look for what refers to {digest} in {}", path.display());
    let folder = Folder { path, bounds };
    let layout = folder.layout().map_err(|failure| failure.into_problem(&what))?;
    Ok(layout.referrers(digest, |wanted| folder.document(wanted)))
}

fn blob_path(digest: &Digest) -> PathBuf {
    Path::new("blobs").join(digest.algorithm()).join(digest.hex())
}

/// A device or a pipe is no file: it could be read for ever.
fn open_file(path: &Path) -> io::Result<File> {
    let about = fs::metadata(path)?;
    if !about.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    File::open(path)
}

/// A layer of a layout, verified on the way.
pub(super) fn layout_blob(path: &Path, blob: &Descriptor, bounds: &Bounds) -> Chunks {
    let what = format!("read {} of {}", blob.digest, path.display());
    file_chunks(&path.join(blob_path(&blob.digest)), what, blob, bounds)
}

fn file_chunks(path: &Path, what: String, blob: &Descriptor, bounds: &Bounds) -> Chunks {
    if let Some(bytes) = blob.size.filter(|&bytes| bytes > bounds.layer) {
        let why =
            format!("it is {} ({bytes} bytes) large, and the limit is {} bytes", size(bytes), bounds.layer);
        let problem = Problem::new(Cause::Invalid, what, why);
        return failed(problem.with_hint(format!("--max-layer-bytes {bytes} would allow it")));
    }
    match open_file(path) {
        Ok(file) => files::chunks(Box::new(file), what, Some(Expected::of(blob))),
        Err(error) => failed(Problem::new(cause_of(&error), what, error.to_string())),
    }
}

fn failed(problem: Problem) -> Chunks {
    stream::iter([Err(problem)]).boxed()
}

// ---- an archive

/// Blocks: the whole file is read for its digest.
pub(super) fn inspect_archive(target: Target, path: &Path, bounds: &Bounds) -> Result<Artifact, Problem> {
    let what = format!("read {}", path.display());
    let problem = |error: io::Error| Problem::new(cause_of(&error), what.as_str(), error.to_string());
    let mut file = open_file(path).map_err(problem)?;
    let bytes = file.metadata().map_err(problem)?.len();
    if bytes > bounds.layer {
        let why =
            format!("it is {} ({bytes} bytes) large, and the limit is {} bytes", size(bytes), bounds.layer);
        let hint = format!("--max-layer-bytes {bytes} would allow it");
        return Err(Problem::new(Cause::Invalid, what, why).with_hint(hint));
    }
    let mut sum = Sum::new();
    let summed = io::copy(&mut file, &mut sum).and_then(|_| sum.finish());
    let layer = summary(summed.map_err(problem)?, layer_type(&target));
    let note = "a file on disk: judged as the one layer of an artifact, and nobody vouches for it";
    Ok(artifact::alone(target, layer, vec![note.into()]))
}

/// The file's bytes, which must be those that were inspected.
pub(super) fn archive_chunks(path: &Path, blob: &Descriptor, bounds: &Bounds) -> Chunks {
    file_chunks(path, format!("read {}", path.display()), blob, bounds)
}

/// `--layer-media-type` says what it is; else it is what `flux push artifact` would make of it.
fn layer_type(target: &Target) -> &str {
    target.selector.media_type.as_deref().unwrap_or(FLUX_LAYER)
}

fn summary((digest, bytes): (Digest, u64), media_type: &str) -> Descriptor {
    let annotations = std::collections::BTreeMap::new();
    Descriptor { digest, media_type: media_type.into(), size: Some(bytes), annotations }
}

// ---- a folder

/// Blocks: the folder is packed for its digest, as `flux build artifact` would pack it.
pub(super) fn inspect_folder(
    target: Target,
    path: &Path,
    bounds: &Bounds,
    wanted: &Wanted,
) -> Result<Artifact, Problem> {
    let packed = pack_folder(path, bounds, wanted)?;
    let layer = summary((packed.digest.clone(), packed.size), layer_type(&target));
    bounds.shelf.keep(path, packed);
    let note = "a folder on disk: packed as flux build artifact would, size and digest are those of the archive before it is compressed";
    Ok(artifact::alone(target, layer, vec![note.into()]))
}

/// The packing of this digest, once; else the folder is packed anew.
pub(super) fn packed(
    path: &Path,
    digest: &Digest,
    bounds: &Bounds,
    wanted: &Wanted,
) -> Result<pack::Packed, Problem> {
    bounds.shelf.take(path, digest).map_or_else(|| pack_folder(path, bounds, wanted), Ok)
}

fn pack_folder(path: &Path, bounds: &Bounds, wanted: &Wanted) -> Result<pack::Packed, Problem> {
    let what = format!("read {}", path.display());
    let problem = |error: io::Error| Problem::new(cause_of(&error), what.as_str(), error.to_string());
    // the folder that was named may be a link; what is in it may not lead out
    let root = fs::canonicalize(path).map_err(problem)?;
    if !root.is_dir() {
        return Err(Problem::new(Cause::Usage, what, "it is not a folder"));
    }
    pack::pack(&root, bounds.place.clone(), &bounds.unpack, wanted)
}
