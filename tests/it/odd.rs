//! Odd artifacts, judged here as source-controller was seen to judge the very same bytes: `tests/cluster` makes the
//! record (`fixtures/odd`) and holds it against the real one.

use crate::odd_artifacts::{self, Odd};
use fluxscope::{
    domain::{
        artifact::{Descriptor, Manifest},
        digest::Digest,
        layer::take,
        source::LayerSelector,
    },
    registry::unpack::{Limits, Rules, tree},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fmt::Write as _, path::Path};

#[test]
fn archives_are_read_as_flux_read_them() {
    compare("archives", &odd_artifacts::archives());
}

#[test]
fn rules_that_ignore_leave_out_what_flux_left_out() {
    compare("ignored", &odd_artifacts::ignored());
}

#[test]
fn the_layer_is_the_one_that_flux_took() {
    compare("layers", &odd_artifacts::layers());
}

fn compare(name: &str, all: &[Odd]) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/odd").join(format!("{name}.json"));
    let record: BTreeMap<String, Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(record.len(), all.len(), "the record and the cases are of one time");
    let differ: Vec<String> = all
        .iter()
        .filter_map(|odd| {
            let (flux, ours) = (&record[&odd.name], judge(odd));
            (*flux != ours).then(|| format!("{}\n  Flux: {flux}\n  ours: {ours}", odd.name))
        })
        .collect();
    assert!(differ.is_empty(), "{} of {} differ\n{}", differ.len(), all.len(), differ.join("\n"));
}

/// As the record has it.
fn judge(odd: &Odd) -> Value {
    let layers = odd.layers.iter().map(|(media_type, bytes)| descriptor(media_type, bytes)).collect();
    let selector = &odd.spec["layerSelector"];
    let selector = LayerSelector {
        media_type: selector["mediaType"].as_str().map(Into::into),
        copy: selector["operation"] == "copy",
    };
    let taken = match take(&manifest(layers), &selector) {
        Ok(taken) => taken,
        Err(words) => return json!({"refused": words}),
    };
    let rules = Rules { operation: taken.operation, ignore: odd.spec["ignore"].as_str().map(Into::into) };
    let tree = tree(odd.layers[taken.layer].1.as_slice(), &rules, &Limits::default()).unwrap();
    if let Some(refusal) = &tree.error {
        return json!({"refused": refusal.flux});
    }
    let files: BTreeMap<&str, String> = tree
        .stored()
        .map(|entry| {
            let sha256 = entry.sha256.as_ref().map_or("", Digest::hex);
            (&*entry.path, format!("{} {}", entry.size, &sha256[..12]))
        })
        .collect();
    json!({"files": files})
}

fn manifest(layers: Vec<Descriptor>) -> Manifest {
    let Descriptor { digest, media_type, .. } =
        descriptor("application/vnd.oci.image.manifest.v1+json", b"{}");
    Manifest {
        digest,
        media_type,
        size: 2,
        config: Some(descriptor("application/vnd.cncf.flux.config.v1+json", b"{}")),
        layers,
        children: vec![],
        annotations: BTreeMap::new(),
    }
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Descriptor {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    Descriptor {
        digest: Digest::parse(&text).unwrap(),
        media_type: media_type.into(),
        size: Some(bytes.len() as u64),
        annotations: BTreeMap::new(),
    }
}
