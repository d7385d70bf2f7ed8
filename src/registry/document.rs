//! The bytes of a manifest or an index, read into our own values. Pure; what could be read in two ways is refused.

use super::{failure::Failure, hash::Hasher, spelling};
use crate::domain::{
    artifact::{Descriptor, Manifest},
    digest::Digest,
    problem::Cause,
};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// OCI's and Docker's manifests and indexes (`reference/flux.md` §1.10).
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

pub(super) fn digest_of(algorithm: &str, bytes: &[u8]) -> Result<Digest, Failure> {
    let mut hash = Hasher::of(algorithm);
    hash.update(bytes);
    hash.finish().ok_or_else(|| invalid("its digest cannot be computed"))
}

/// More entries of an index are counted, not listed (`reference/registries.md` §6).
const MOST_LISTED: usize = 1000;

/// What a document says, and what does not fit into a [`Manifest`].
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) manifest: Manifest,
    pub(super) artifact_type: Option<Box<str>>,
    /// What it refers to, if that is said.
    pub(super) subject: Option<Digest>,
    /// Of an index: its entries, as many as are listed.
    pub(super) children: Vec<Child>,
    /// Of an index: how many entries it has.
    pub(super) entries: usize,
    /// Of an index: the first entry that runs on linux/amd64, as Flux chooses it.
    pub(super) chosen: Option<Descriptor>,
    /// Layers that say where else they are: their place, and the first address.
    pub(super) elsewhere: Vec<(usize, Box<str>)>,
}

/// What an index says of one entry, besides its descriptor.
#[derive(Debug, Clone)]
pub(super) struct Child {
    pub(super) platform: Option<Box<str>>,
    pub(super) artifact_type: Option<Box<str>>,
}

impl Document {
    pub(super) fn is_index(&self) -> bool {
        Kind::named(&self.manifest.media_type).is_some_and(Kind::is_index)
    }
}

/// `digest` is that of `bytes`. The media type of the document and of the answer must not contradict each other.
pub(super) fn read(bytes: &[u8], content_type: Option<&str>, digest: Digest) -> Result<Document, Failure> {
    let document: Value = serde_json::from_slice(bytes).map_err(|error| not_json(&error, content_type))?;
    let media_type = media_type(&document, content_type)?;
    if let Some(words) = spelling::ambiguity(bytes) {
        return Err(invalid(format!("the document could be read in two ways: {words}")));
    }
    let manifest = Manifest {
        digest,
        media_type: media_type.name().into(),
        size: bytes.len() as u64,
        config: None,
        layers: Vec::new(),
        children: Vec::new(),
        annotations: BTreeMap::new(),
    };
    if media_type.is_index() { read_index(document, manifest) } else { read_image(document, manifest) }
}

/// The document says itself what it is.
pub(super) fn names_its_type(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        media_type: String,
    }
    serde_json::from_slice::<Named>(bytes).is_ok_and(|named| Kind::named(&named.media_type).is_some())
}

fn not_json(error: &serde_json::Error, content_type: Option<&str>) -> Failure {
    match content_type {
        Some("text/html") => invalid(
            "a web page came instead of a manifest: a proxy or a login page answers in the registry's place",
        ),
        _ => invalid(format!("the manifest is not JSON: {error}")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OciImage,
    OciIndex,
    DockerImage,
    DockerIndex,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        [Self::OciImage, Self::OciIndex, Self::DockerImage, Self::DockerIndex]
            .into_iter()
            .find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::OciImage => OCI_IMAGE_MEDIA_TYPE,
            Self::OciIndex => OCI_IMAGE_INDEX_MEDIA_TYPE,
            Self::DockerImage => IMAGE_MANIFEST_MEDIA_TYPE,
            Self::DockerIndex => IMAGE_MANIFEST_LIST_MEDIA_TYPE,
        }
    }

    fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerIndex)
    }
}

fn media_type(document: &Value, content_type: Option<&str>) -> Result<Kind, Failure> {
    let has = |name: &str| document.get(name).is_some_and(|value| !value.is_null());
    // types that say nothing about manifests: some registries and proxies send them for everything
    let sent = content_type
        .filter(|kind| !matches!(*kind, "application/json" | "application/octet-stream" | "text/plain"));
    let inside = document.get("mediaType").and_then(Value::as_str);
    let named = inside.or(sent);
    let schema1 = document.get("schemaVersion").and_then(Value::as_u64) == Some(1);
    if schema1
        || named.is_some_and(|name| name.starts_with("application/vnd.docker.distribution.manifest.v1+"))
    {
        return Err(invalid("a schema 1 manifest: the format is obsolete, and Flux cannot use it either"));
    }
    if !document.is_object() {
        return Err(invalid("the manifest is not a JSON object"));
    }
    if let (Some(inside), Some(sent)) = (inside, sent)
        && inside != sent
    {
        return Err(invalid(format!(
            "two media types: the document says {inside:?}, the registry sent it as {sent:?}"
        )));
    }
    if has("manifests") && (has("layers") || has("config")) {
        return Err(invalid("the document is both an image and an index: it could be read in two ways"));
    }
    let kind = match named {
        Some(name) => {
            Kind::named(name).ok_or_else(|| invalid(format!("media type {name:?} is not supported")))?
        }
        None if has("manifests") => Kind::OciIndex,
        None => Kind::OciImage,
    };
    if kind.is_index() && !has("manifests") || !kind.is_index() && has("manifests") {
        return Err(invalid(format!("the content is not what its media type says ({})", kind.name())));
    }
    Ok(kind)
}

/// As OCI and Docker write it; Go's readers take `null` for nothing, so it is here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    config: Pointer,
    layers: Option<Vec<Pointer>>,
    annotations: Option<BTreeMap<Box<str>, Box<str>>>,
    artifact_type: Option<Box<str>>,
    subject: Option<Pointer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    manifests: Vec<Pointer>,
    annotations: Option<BTreeMap<Box<str>, Box<str>>>,
    artifact_type: Option<Box<str>>,
    subject: Option<Pointer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pointer {
    #[serde(default)]
    media_type: Box<str>,
    digest: String,
    size: i64,
    urls: Option<Vec<String>>,
    annotations: Option<BTreeMap<Box<str>, Box<str>>>,
    artifact_type: Option<Box<str>>,
    platform: Option<Platform>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Platform {
    os: String,
    architecture: String,
    variant: String,
}

impl Platform {
    /// Only system and architecture are compared (`reference/flux.md` §1.4).
    fn is_flux(&self) -> bool {
        self.os == "linux" && self.architecture == "amd64"
    }

    fn words(&self) -> Box<str> {
        let parts = [&self.os, &self.architecture, &self.variant];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        parts.join("/").into()
    }
}

fn read_image(document: Value, empty: Manifest) -> Result<Document, Failure> {
    let image: Image = serde_json::from_value(document).map_err(|error| unreadable(&error))?;
    let subject = subject(image.subject)?;
    let config = descriptor("config", image.config)?;
    let (mut layers, mut elsewhere) = (Vec::new(), Vec::new());
    for (at, layer) in image.layers.into_iter().flatten().enumerate() {
        let address = layer.urls.as_ref().and_then(|urls| urls.first());
        elsewhere.extend(address.map(|url| (at, url.as_str().into())));
        layers.push(descriptor(&format!("layers[{at}]"), layer)?);
    }
    let annotations = image.annotations.unwrap_or_default();
    Ok(Document {
        manifest: Manifest { config: Some(config), layers, annotations, ..empty },
        artifact_type: image.artifact_type,
        subject,
        children: Vec::new(),
        entries: 0,
        chosen: None,
        elsewhere,
    })
}

fn read_index(document: Value, empty: Manifest) -> Result<Document, Failure> {
    let index: Index = serde_json::from_value(document).map_err(|error| unreadable(&error))?;
    let subject = subject(index.subject)?;
    let entries = index.manifests.len();
    let (mut descriptors, mut children, mut chosen) = (Vec::new(), Vec::new(), None);
    for (at, mut entry) in index.manifests.into_iter().enumerate() {
        let platform = entry.platform.take();
        let artifact_type = entry.artifact_type.take();
        let read = descriptor(&format!("manifests[{at}]"), entry)?;
        if chosen.is_none() && platform.as_ref().is_none_or(Platform::is_flux) {
            chosen = Some(read.clone());
        }
        if at < MOST_LISTED {
            children.push(Child { platform: platform.map(|platform| platform.words()), artifact_type });
            descriptors.push(read);
        }
    }
    let annotations = index.annotations.unwrap_or_default();
    Ok(Document {
        manifest: Manifest { children: descriptors, annotations, ..empty },
        artifact_type: index.artifact_type,
        subject,
        children,
        entries,
        chosen,
        elsewhere: Vec::new(),
    })
}

fn subject(read: Option<Pointer>) -> Result<Option<Digest>, Failure> {
    read.map(|pointer| Ok(descriptor("subject", pointer)?.digest)).transpose()
}

fn descriptor(at: &str, read: Pointer) -> Result<Descriptor, Failure> {
    let digest = Digest::parse(&read.digest).map_err(|error| invalid(format!("{at}: {error}")))?;
    if !digest.is_oci() {
        return Err(invalid(format!("{at}: {digest} is not a digest registries know")));
    }
    let size =
        u64::try_from(read.size).map_err(|_| invalid(format!("{at}: the size {} is negative", read.size)))?;
    let annotations = read.annotations.unwrap_or_default();
    Ok(Descriptor { digest, media_type: read.media_type, size: Some(size), annotations })
}

fn unreadable(error: &serde_json::Error) -> Failure {
    invalid(format!("the manifest cannot be read: {error}"))
}

fn invalid(why: impl Into<String>) -> Failure {
    Failure::new(Cause::Invalid, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn attempt(document: &Value, content_type: Option<&str>) -> Result<Manifest, String> {
        let bytes = document.to_string().into_bytes();
        let digest = digest_of("sha256", &bytes).unwrap();
        read(&bytes, content_type, digest).map(|read| read.manifest).map_err(|failure| failure.why)
    }

    fn layer() -> Value {
        json!({"mediaType": "application/x", "size": 3, "digest": format!("sha256:{}", "a".repeat(64))})
    }

    fn image() -> Value {
        json!({"schemaVersion": 2, "mediaType": OCI_IMAGE_MEDIA_TYPE, "config": layer(), "layers": [layer()],
               "annotations": {"org.opencontainers.image.created": "2026-01-01T00:00:00Z"}})
    }

    fn without(mut document: Value, field: &str) -> Value {
        document.as_object_mut().unwrap().remove(field);
        document
    }

    fn with(mut document: Value, field: &str, value: Value) -> Value {
        document[field] = value;
        document
    }

    #[test]
    fn an_image_and_an_index_are_read_whichever_way_their_type_is_given() {
        let manifest = attempt(&image(), Some(OCI_IMAGE_MEDIA_TYPE)).unwrap();
        assert_eq!((manifest.layers.len(), manifest.created()), (1, Some("2026-01-01T00:00:00Z")));
        let bare = without(image(), "mediaType");
        assert_eq!(
            &*attempt(&bare, Some(IMAGE_MANIFEST_MEDIA_TYPE)).unwrap().media_type,
            IMAGE_MANIFEST_MEDIA_TYPE
        );
        assert_eq!(&*attempt(&bare, Some("application/json")).unwrap().media_type, OCI_IMAGE_MEDIA_TYPE);
        let index = json!({"schemaVersion": 2, "manifests": [layer()]});
        let manifest = attempt(&index, None).unwrap();
        assert_eq!((manifest.children.len(), &*manifest.media_type), (1, OCI_IMAGE_INDEX_MEDIA_TYPE));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for (document, content_type, words) in [
            (with(image(), "manifests", json!([])), None, "both an image and an index"),
            (image(), Some(OCI_IMAGE_INDEX_MEDIA_TYPE), "two media types"),
            (
                with(without(image(), "config"), "mediaType", json!(OCI_IMAGE_INDEX_MEDIA_TYPE)),
                None,
                "not what its media type says",
            ),
            (json!({"schemaVersion": 1, "fsLayers": []}), None, "schema 1"),
            (with(image(), "mediaType", json!("text/html")), None, "not supported"),
            (without(image(), "config"), None, "cannot be read"),
            (
                with(image(), "layers", json!([with(layer(), "digest", json!("sha256:../x"))])),
                None,
                "layers[0]",
            ),
            (with(image(), "layers", json!([with(layer(), "size", json!(-1))])), None, "negative"),
            (json!([]), None, "not a JSON object"),
        ] {
            let why = attempt(&document, content_type).unwrap_err();
            assert!(why.contains(words), "{words}: {why}");
        }
    }

    #[test]
    fn fields_that_flux_would_read_otherwise_are_refused() {
        let text = image().to_string().replacen("\"layers\"", "\"layers\":[],\"Layers\"", 1);
        let digest = digest_of("sha256", text.as_bytes()).unwrap();
        let why = read(text.as_bytes(), None, digest).unwrap_err().why;
        assert!(why.starts_with("the document could be read in two ways"), "{why}");
    }

    #[test]
    fn what_gos_readers_take_for_nothing_is_nothing() {
        let bare = with(with(image(), "layers", Value::Null), "annotations", Value::Null);
        assert!(attempt(&bare, None).unwrap().layers.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            let digest = digest_of("sha256", &bytes).unwrap();
            let _ = read(&bytes, None, digest);
        }

        #[test]
        fn no_arrangement_of_its_own_words_breaks_the_reader(
            text in "([{}\\[\\],:]|\"(schemaVersion|mediaType|manifests|layers|config|digest|size|platform|os|linux|urls|annotations|sha256:a)\"|null|-?[0-9]{1,20}|2){0,40}",
            kind in proptest::option::of("(application/vnd.(oci.image.(manifest|index)|docker.distribution.manifest(.list)?).v[12]\\+json|text/html)"),
        ) {
            let digest = digest_of("sha256", text.as_bytes()).unwrap();
            let _ = read(text.as_bytes(), kind.as_deref(), digest);
        }

        #[test]
        fn a_document_that_is_read_has_only_digests_of_the_oci(
            digest in "(sha256|sha512|sha1|md5|\\.\\.):[0-9a-f/.]{0,130}", size in any::<i64>(),
        ) {
            let layer = json!({"mediaType": "application/x", "size": size, "digest": digest});
            if let Ok(manifest) = attempt(&with(image(), "layers", json!([layer])), None) {
                prop_assert!(manifest.layers[0].digest.is_oci() && size >= 0);
            }
        }
    }

    #[test]
    fn digests_are_of_the_algorithm_that_was_asked_for() {
        assert!(digest_of("sha256", b"").unwrap().as_str().starts_with("sha256:e3b0c442"));
        assert!(digest_of("sha512", b"").unwrap().as_str().starts_with("sha512:cf83e135"));
    }
}
