//! An OCI image layout as bytes -> tags, descriptors, manifests and blobs, each verified against its digest.
//! Pure: it opens no file and asks no registry (OCI image spec, `image-layout.md`).

use super::document;
use crate::domain::{
    artifact::{Descriptor, Manifest},
    digest::Digest,
    repository::is_tag,
};
use bytes::Bytes;
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};

/// Where an entry of `index.json` says its tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// One repository: what its tags point at, and the blobs below.
#[derive(Debug, Clone)]
pub struct Layout {
    tags: Vec<(Arc<str>, Descriptor)>,
    blobs: HashMap<Digest, Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error("{0} is not here")]
    NotFound(String),
    #[error("{file} cannot be read: {why}")]
    Unreadable { file: String, why: String },
    #[error("{wanted} holds other bytes: they are {found}")]
    Mismatch { wanted: Digest, found: Digest },
}

impl Layout {
    /// Reads the files of a layout, named relative to it. Blobs are verified when they are asked for.
    pub fn read<'a>(files: impl IntoIterator<Item = (&'a str, Bytes)>) -> Result<Self, LayoutError> {
        let mut blobs = HashMap::new();
        let mut named = HashMap::new();
        for (path, bytes) in files {
            match path.strip_prefix("blobs/").and_then(|rest| Digest::parse(&rest.replacen('/', ":", 1)).ok())
            {
                Some(digest) => drop(blobs.insert(digest, bytes)),
                None => drop(named.insert(path, bytes)),
            }
        }
        let file = |name: &str| named.get(name).ok_or_else(|| LayoutError::NotFound(name.to_owned()));
        check_version(file("oci-layout")?)?;
        Ok(Self { tags: tags_of(file("index.json")?)?, blobs })
    }

    /// All tags, in the order of `index.json`.
    pub fn tags(&self) -> impl Iterator<Item = &Arc<str>> {
        self.tags.iter().map(|(tag, _)| tag)
    }

    /// What a tag or a digest names.
    pub fn describe(&self, reference: &str) -> Result<Descriptor, LayoutError> {
        if let Some((_, descriptor)) = self.tags.iter().find(|(tag, _)| **tag == *reference) {
            return Ok(descriptor.clone());
        }
        let digest = Digest::parse(reference).map_err(|_| LayoutError::NotFound(reference.to_owned()))?;
        let manifest = self.manifest_of(&digest)?;
        Ok(Descriptor {
            digest,
            media_type: manifest.media_type,
            size: Some(manifest.size),
            annotations: manifest.annotations,
        })
    }

    /// The manifest of a tag or a digest, verified.
    pub fn manifest(&self, reference: &str) -> Result<Manifest, LayoutError> {
        self.manifest_of(&self.describe(reference)?.digest)
    }

    /// Any blob, verified.
    pub fn blob(&self, digest: &Digest) -> Result<&Bytes, LayoutError> {
        let bytes = self.blobs.get(digest).ok_or_else(|| LayoutError::NotFound(digest.to_string()))?;
        verify(bytes, digest)?;
        Ok(bytes)
    }

    fn manifest_of(&self, digest: &Digest) -> Result<Manifest, LayoutError> {
        read(digest.as_str(), self.blob(digest)?, digest.clone())
    }
}

/// Fails unless the bytes are those that the digest names.
fn verify(bytes: &[u8], wanted: &Digest) -> Result<(), LayoutError> {
    let unreadable = |why: String| LayoutError::Unreadable { file: wanted.to_string(), why };
    if !wanted.is_oci() {
        return Err(unreadable("no digest that the OCI knows".to_owned()));
    }
    let found = document::digest_of(wanted.algorithm(), bytes).map_err(|failure| unreadable(failure.why))?;
    if found == *wanted { Ok(()) } else { Err(LayoutError::Mismatch { wanted: wanted.clone(), found }) }
}

fn check_version(bytes: &[u8]) -> Result<(), LayoutError> {
    let unreadable = |why: String| LayoutError::Unreadable { file: "oci-layout".to_owned(), why };
    let read: Value = serde_json::from_slice(bytes).map_err(|error| unreadable(error.to_string()))?;
    match read["imageLayoutVersion"].as_str() {
        Some("1.0.0") => Ok(()),
        other => Err(unreadable(format!("imageLayoutVersion is {}, not 1.0.0", other.unwrap_or("missing")))),
    }
}

/// `index.json` is an index like any other: what it points at by a name is a tag.
fn tags_of(bytes: &[u8]) -> Result<Vec<(Arc<str>, Descriptor)>, LayoutError> {
    let file = "index.json";
    let unreadable = |why: String| LayoutError::Unreadable { file: file.to_owned(), why };
    let digest = document::digest_of("sha256", bytes).map_err(|failure| unreadable(failure.why))?;
    let index = read(file, bytes, digest)?;
    let tag = |entry: &Descriptor| entry.annotations.get(REF_NAME).filter(|name| is_tag(name)).cloned();
    Ok(index.children.into_iter().filter_map(|entry| Some((tag(&entry)?.into(), entry))).collect())
}

fn read(file: &str, bytes: &[u8], digest: Digest) -> Result<Manifest, LayoutError> {
    document::read(bytes, None, digest)
        .map_err(|failure| LayoutError::Unreadable { file: file.to_owned(), why: failure.why })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"c","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[],"annotations":{"a":"b"}}"#;

    fn digest() -> Digest {
        document::digest_of("sha256", MANIFEST.as_bytes()).unwrap()
    }

    fn layout(manifest: &'static str) -> Result<Layout, LayoutError> {
        let entry = |notes: &str| {
            format!(r#"{{"mediaType":"m","digest":"{}","size":{}{notes}}}"#, digest(), MANIFEST.len())
        };
        let tagged = entry(&format!(r#","annotations":{{"{REF_NAME}":"1.0.0"}}"#));
        let hostile = entry(&format!(r#","annotations":{{"{REF_NAME}":"../x"}}"#));
        let index = format!(r#"{{"schemaVersion":2,"manifests":[{tagged},{hostile},{}]}}"#, entry(""));
        let path = format!("blobs/{}", digest().as_str().replace(':', "/"));
        Layout::read([
            ("oci-layout", Bytes::from_static(br#"{"imageLayoutVersion":"1.0.0"}"#)),
            ("index.json", Bytes::from(index)),
            (path.as_str(), Bytes::from_static(manifest.as_bytes())),
        ])
    }

    #[test]
    fn a_manifest_is_found_by_its_tag_and_by_its_digest() {
        let layout = layout(MANIFEST).unwrap();
        assert_eq!(layout.tags().map(AsRef::as_ref).collect::<Vec<_>>(), ["1.0.0"]);
        for reference in ["1.0.0", digest().as_str()] {
            let manifest = layout.manifest(reference).unwrap();
            assert_eq!((&manifest.digest, manifest.annotation("a")), (&digest(), Some("b")));
            assert_eq!(layout.describe(reference).unwrap().size, Some(manifest.size));
        }
        assert_eq!(layout.describe("2.0.0"), Err(LayoutError::NotFound("2.0.0".to_owned())));
    }

    #[test]
    fn other_bytes_than_the_digest_names_are_refused() {
        let layout = layout(r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
        assert!(matches!(layout.manifest("1.0.0"), Err(LayoutError::Mismatch { .. })));
    }

    #[test]
    fn a_folder_that_is_no_layout_says_what_is_missing() {
        let error = Layout::read([("index.json", Bytes::new())]).unwrap_err();
        assert_eq!(error.to_string(), "oci-layout is not here");
        let old = Bytes::from_static(br#"{"imageLayoutVersion":"0.9"}"#);
        let error = Layout::read([("oci-layout", old)]).unwrap_err();
        assert_eq!(error.to_string(), "oci-layout cannot be read: imageLayoutVersion is 0.9, not 1.0.0");
    }
}
