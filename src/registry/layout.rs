//! An OCI image layout as bytes -> tags, descriptors, manifests and blobs, each verified against its digest.
//! Pure: it opens no file and asks no registry (OCI image spec, `image-layout.md`).

use super::{
    artifact::{self, Descent, Step},
    document::{self, Document},
    failure::Failure,
    referrers,
};
use crate::domain::{
    artifact::{Artifact, Descriptor, Manifest, Referrer, Referrers, Target},
    digest::Digest,
    problem::{Cause, Problem},
    repository::{is_signature_tag, is_tag},
};
use bytes::Bytes;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

/// Where an entry of `index.json` says its tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// Names that are listed where one has to be chosen.
const MOST_NAMED: usize = 12;
/// Manifests that are read to find what refers to another.
const MOST_READ: usize = 1000;
/// Configs that are larger are not read.
const LARGEST_CONFIG: u64 = 4 << 20;

/// One repository: what its tags point at, and the blobs below.
#[derive(Debug, Clone)]
pub struct Layout {
    tags: Vec<(Arc<str>, Descriptor)>,
    /// All entries of `index.json`, with and without a tag.
    entries: Vec<Descriptor>,
    blobs: HashMap<Digest, Bytes>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    #[error("{0} is not here")]
    NotFound(String),
    #[error("{file} cannot be read: {why}")]
    Unreadable { file: String, why: String },
    #[error("it holds {} manifests, so one has to be named: {}", .0.len(), names(.0))]
    Several(Vec<String>),
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
        let entries = entries_of(file("index.json")?)?;
        Ok(Self { tags: tags_of(&entries), entries, blobs })
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

    /// The entry that a reference means; without one the only manifest there is.
    pub fn named(&self, reference: Option<&str>) -> Result<Descriptor, LayoutError> {
        let Some(reference) = reference else { return self.only() };
        if let Some((_, descriptor)) = self.tags.iter().find(|(tag, _)| **tag == *reference) {
            return Ok(descriptor.clone());
        }
        let digest = Digest::parse(reference).ok().filter(Digest::is_oci);
        let digest = digest.ok_or_else(|| LayoutError::NotFound(reference.to_owned()))?;
        let listed = self.entries.iter().find(|entry| entry.digest == digest).cloned();
        // what stands below an index is not listed, but may be named
        Ok(listed.unwrap_or(Descriptor {
            digest,
            media_type: "".into(),
            size: None,
            annotations: BTreeMap::new(),
        }))
    }

    fn only(&self) -> Result<Descriptor, LayoutError> {
        let tag = |entry: &Descriptor| entry.annotations.get(REF_NAME).map(ToString::to_string);
        let mut candidates: Vec<&Descriptor> = self
            .entries
            .iter()
            .filter(|entry| !tag(entry).is_some_and(|tag| is_signature_tag(&tag)))
            .collect();
        candidates.sort_by(|one, other| one.digest.cmp(&other.digest));
        candidates.dedup_by(|one, other| one.digest == other.digest);
        match candidates.as_slice() {
            [] => Err(LayoutError::NotFound("any manifest".to_owned())),
            [only] => Ok((*only).clone()),
            several => Err(LayoutError::Several(
                several.iter().map(|entry| tag(entry).unwrap_or_else(|| entry.digest.to_string())).collect(),
            )),
        }
    }

    /// Manifest, config and Flux's choice of a layer; an index is followed to the child that Flux takes.
    pub fn inspect(&self, target: Target, place: &str, reference: &str) -> Result<Artifact, Problem> {
        let what = format!("inspect {place} at {reference}");
        let problem = |failure: Failure| failure.into_problem(&what);
        let mut wanted = self.named(Some(reference)).map_err(|error| problem(error.into()))?;
        let mut descent = Descent::new(place);
        let arrival = loop {
            let document = self.document(&wanted.digest).map_err(|error| problem(error.into()))?;
            match descent.take(document).map_err(problem)? {
                Step::Arrived(arrival) => break arrival,
                Step::Child(child) => wanted = child,
            }
        };
        let config = arrival.config().map_or(Ok(Value::Null), |config| self.config(config));
        Ok(arrival.into_artifact(target, config, None))
    }

    fn config(&self, config: &Descriptor) -> Result<Value, String> {
        if let Some(why) = artifact::too_large(config, LARGEST_CONFIG) {
            return Err(why);
        }
        let bytes = self.blob(&config.digest).map_err(|error| error.to_string())?;
        artifact::read_config(config, bytes)
    }

    /// What of this layout refers to a manifest: by cosign's tags, by the tag schema, and by its own word.
    pub fn refer_to(&self, digest: &Digest) -> Referrers {
        self.referrers(digest, |wanted| self.document(&wanted.digest).map_err(Failure::from))
    }

    /// The same, with the documents read by whoever has them.
    pub(super) fn referrers(
        &self,
        digest: &Digest,
        read: impl Fn(&Descriptor) -> Result<Document, Failure>,
    ) -> Referrers {
        let tags = self.tags.iter();
        let mut found: Vec<Referrer> =
            tags.filter_map(|(tag, descriptor)| referrers::under_tag(tag, descriptor, digest)).collect();
        let (mut unread, schema) = (0, referrers::schema_tag(digest));
        for entry in self.entries.iter().take(MOST_READ) {
            let Ok(document) = read(entry) else {
                unread += 1;
                continue;
            };
            let is_schema = entry.annotations.get(REF_NAME).is_some_and(|name| **name == *schema);
            if is_schema && document.is_index() {
                found.extend(referrers::listed(&document));
            } else if document.subject.as_ref() == Some(digest) {
                let artifact_type = referrers::type_of(&document);
                found.push(Referrer { descriptor: entry.clone(), artifact_type, tag: None });
            }
        }
        let unread = unread + self.entries.len().saturating_sub(MOST_READ);
        let note = match unread {
            0 => "by the manifests of this layout".to_owned(),
            unread => format!("by the manifests of this layout; {unread} of them could not be read"),
        };
        Referrers { found: referrers::distinct(found), note: note.into(), complete: unread == 0 }
    }

    fn document(&self, digest: &Digest) -> Result<Document, LayoutError> {
        document_of(digest.as_str(), self.blob(digest)?, digest.clone())
    }

    fn manifest_of(&self, digest: &Digest) -> Result<Manifest, LayoutError> {
        Ok(self.document(digest)?.manifest)
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

/// `index.json` is an index like any other.
fn entries_of(bytes: &[u8]) -> Result<Vec<Descriptor>, LayoutError> {
    let file = "index.json";
    let unreadable = |why: String| LayoutError::Unreadable { file: file.to_owned(), why };
    let digest = document::digest_of("sha256", bytes).map_err(|failure| unreadable(failure.why))?;
    let index = document_of(file, bytes, digest)?;
    if index.is_index() {
        return Ok(index.manifest.children);
    }
    Err(unreadable("it is not an index".to_owned()))
}

/// What is pointed at by a name is a tag.
fn tags_of(entries: &[Descriptor]) -> Vec<(Arc<str>, Descriptor)> {
    let tag = |entry: &Descriptor| entry.annotations.get(REF_NAME).filter(|name| is_tag(name)).cloned();
    entries.iter().filter_map(|entry| Some((tag(entry)?.into(), entry.clone()))).collect()
}

fn document_of(file: &str, bytes: &[u8], digest: Digest) -> Result<Document, LayoutError> {
    document::read(bytes, None, digest)
        .map_err(|failure| LayoutError::Unreadable { file: file.to_owned(), why: failure.why })
}

fn names(names: &[String]) -> String {
    let more = if names.len() > MOST_NAMED { ", …" } else { "" };
    format!("{}{more}", names.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", "))
}

impl From<LayoutError> for Failure {
    fn from(error: LayoutError) -> Self {
        let cause = match &error {
            LayoutError::NotFound(_) => Cause::NotFound,
            LayoutError::Several(_) => Cause::Usage,
            LayoutError::Unreadable { .. } | LayoutError::Mismatch { .. } => Cause::Invalid,
        };
        Self::new(cause, error.to_string())
    }
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
