//! What a registry of a test holds: blobs and manifests by digest and tag, answered as a good registry does.

use super::server::{OCI_IMAGE, Reply, Seen, answer, complaint};
use axum::{body::Body, http::Response};
use flate2::{Compression, write::GzEncoder};
use fluxscope::domain::{artifact::Descriptor, digest::Digest};
use serde_json::{Value, json};
use sha2::Digest as _;
use std::collections::{BTreeMap, HashMap};

pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const FLUX_LAYER: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
pub(super) const FLUX_CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";

pub(super) fn sha256(bytes: &[u8]) -> String {
    let hash = sha2::Sha256::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// A gzipped tar of these files.
pub(super) fn tgz(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

/// Bytes that no compression makes smaller.
pub(super) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count).map(next).collect()
}

pub(super) fn descriptor(bytes: &[u8]) -> Descriptor {
    Descriptor {
        digest: Digest::parse(&sha256(bytes)).unwrap(),
        media_type: FLUX_LAYER.into(),
        size: Some(bytes.len() as u64),
        annotations: BTreeMap::new(),
    }
}

#[derive(Default, Clone)]
pub(super) struct Store {
    blobs: HashMap<String, Vec<u8>>,
    manifests: HashMap<String, (String, Vec<u8>)>,
}

impl Store {
    pub(super) fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        self.blobs.insert(digest.clone(), bytes.to_vec());
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Any document, under its digest and a tag; what an index would say of it.
    pub(super) fn document(&mut self, tag: &str, media_type: &str, document: &Value) -> Value {
        let bytes = document.to_string().into_bytes();
        let digest = sha256(&bytes);
        for name in [tag, &digest] {
            self.manifests.insert(name.to_owned(), (media_type.to_owned(), bytes.clone()));
        }
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    pub(super) fn image(&mut self, tag: &str, layers: &[Value]) -> Value {
        let config = self.blob(FLUX_CONFIG, br#"{"created":"2026-02-10T10:47:19Z"}"#);
        let document = json!({"schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config, "layers": layers,
                              "annotations": {"org.opencontainers.image.revision": "main@sha1:b3b00fe35424a45d373bf4c7214178bc36fd7872"}});
        self.document(tag, OCI_IMAGE, &document)
    }

    /// An artifact of one layer with these files.
    pub(super) fn artifact(&mut self, tag: &str, files: &[(&str, &str)]) -> Value {
        let layer = self.blob(FLUX_LAYER, &tgz(files));
        self.image(tag, &[layer])
    }

    pub(super) fn index(&mut self, tag: &str, entries: &[Value]) -> Value {
        let document = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
        self.document(tag, OCI_INDEX, &document)
    }

    pub(super) fn answer(&self, seen: &Seen) -> Reply {
        let (kind, name) = seen.path().rsplit_once('/')?;
        let head = seen.method == "HEAD";
        Some(match kind.rsplit('/').next()? {
            "manifests" => match self.manifests.get(name) {
                Some((media_type, bytes)) => {
                    let (digest, length) = (sha256(bytes), bytes.len().to_string());
                    let body = if head { Vec::new() } else { bytes.clone() };
                    let headers = [
                        ("content-type", media_type.as_str()),
                        ("docker-content-digest", &digest),
                        ("content-length", &length),
                    ];
                    answer(200, &headers, body)
                }
                None => complaint(404, &[], "MANIFEST_UNKNOWN", "manifest unknown"),
            },
            "blobs" => match self.blobs.get(name) {
                Some(bytes) => ranged(seen, bytes),
                None => complaint(404, &[], "BLOB_UNKNOWN", "blob unknown to registry"),
            },
            _ => answer(404, &[("content-type", "text/plain")], "404 page not found"),
        })
    }
}

/// The bytes from where the request wants them.
pub(super) fn ranged(seen: &Seen, bytes: &[u8]) -> Response<Body> {
    let from =
        seen.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    match from {
        None => answer(200, &[("content-type", "application/octet-stream")], bytes.to_vec()),
        Some(from) if from < bytes.len() => {
            let range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
            answer(206, &[("content-range", &range)], bytes[from..].to_vec())
        }
        Some(_) => answer(416, &[], ""),
    }
}
