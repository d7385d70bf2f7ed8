//! The bytes of a manifest or an index, read into our own values. Pure; what could be read in two ways is refused.

use super::failure::Failure;
use crate::domain::{
    artifact::{Descriptor, Manifest},
    digest::Digest,
    problem::Cause,
};
use oci_client::manifest::{
    IMAGE_MANIFEST_LIST_MEDIA_TYPE, IMAGE_MANIFEST_MEDIA_TYPE, OCI_IMAGE_INDEX_MEDIA_TYPE,
    OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageIndex, OciImageManifest,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::{collections::BTreeMap, fmt::Write};

/// OCI's and Docker's manifests and indexes (`reference/flux.md` §1.10).
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

pub(super) fn digest_of(algorithm: &str, bytes: &[u8]) -> Result<Digest, Failure> {
    let hex = |hash: &[u8]| {
        hash.iter().fold(format!("{algorithm}:"), |mut text, byte| {
            // writing into a String cannot fail
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let text = match algorithm {
        "sha384" => hex(&Sha384::digest(bytes)),
        "sha512" => hex(&Sha512::digest(bytes)),
        _ => hex(&Sha256::digest(bytes)),
    };
    Digest::parse(&text).map_err(|error| invalid(error.to_string()))
}

/// `digest` is that of `bytes`. The media type of the document and of the answer must not contradict each other.
pub(super) fn read(bytes: &[u8], content_type: Option<&str>, digest: Digest) -> Result<Manifest, Failure> {
    let document: Value = serde_json::from_slice(bytes)
        .map_err(|error| invalid(format!("the manifest is not JSON: {error}")))?;
    let media_type = media_type(&document, content_type)?;
    let size = bytes.len() as u64;
    let empty = Manifest {
        digest,
        media_type: media_type.name().into(),
        size,
        config: None,
        layers: Vec::new(),
        children: Vec::new(),
        annotations: BTreeMap::new(),
    };
    if media_type.is_index() { read_index(document, empty) } else { read_image(document, empty) }
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

fn read_image(document: Value, empty: Manifest) -> Result<Manifest, Failure> {
    let image: OciImageManifest = serde_json::from_value(document).map_err(|error| unreadable(&error))?;
    let config = descriptor("config", &image.config)?;
    let layers = image.layers.iter().enumerate();
    let layers =
        layers.map(|(at, layer)| descriptor(&format!("layers[{at}]"), layer)).collect::<Result<_, _>>()?;
    Ok(Manifest { config: Some(config), layers, annotations: boxed(image.annotations.as_ref()), ..empty })
}

fn read_index(document: Value, empty: Manifest) -> Result<Manifest, Failure> {
    let index: OciImageIndex = serde_json::from_value(document).map_err(|error| unreadable(&error))?;
    let children = index.manifests.into_iter().enumerate().map(|(at, entry)| {
        let child = OciDescriptor {
            media_type: entry.media_type,
            digest: entry.digest,
            size: entry.size,
            annotations: entry.annotations,
            ..OciDescriptor::default()
        };
        descriptor(&format!("manifests[{at}]"), &child)
    });
    let children = children.collect::<Result<_, _>>()?;
    Ok(Manifest { children, annotations: boxed(index.annotations.as_ref()), ..empty })
}

fn descriptor(at: &str, read: &OciDescriptor) -> Result<Descriptor, Failure> {
    let digest = Digest::parse(&read.digest).map_err(|error| invalid(format!("{at}: {error}")))?;
    if !digest.is_oci() {
        return Err(invalid(format!("{at}: {digest} is not a digest registries know")));
    }
    let size =
        u64::try_from(read.size).map_err(|_| invalid(format!("{at}: the size {} is negative", read.size)))?;
    let annotations = boxed(read.annotations.as_ref());
    Ok(Descriptor { digest, media_type: read.media_type.as_str().into(), size: Some(size), annotations })
}

fn boxed(annotations: Option<&BTreeMap<String, String>>) -> BTreeMap<Box<str>, Box<str>> {
    let pairs = annotations.into_iter().flatten();
    pairs.map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect()
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
    use serde_json::json;

    fn attempt(document: &Value, content_type: Option<&str>) -> Result<Manifest, String> {
        let bytes = document.to_string().into_bytes();
        let digest = digest_of("sha256", &bytes).unwrap();
        read(&bytes, content_type, digest).map_err(|failure| failure.why)
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
    fn digests_are_of_the_algorithm_that_was_asked_for() {
        assert!(digest_of("sha256", b"").unwrap().as_str().starts_with("sha256:e3b0c442"));
        assert!(digest_of("sha512", b"").unwrap().as_str().starts_with("sha512:cf83e135"));
    }
}
