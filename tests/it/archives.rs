//! Layers of every odd kind -> what fluxscope says Flux makes of them, against what Flux's own code made of the same bytes.

use fluxscope::{
    domain::{artifact::Operation, tree::Tree},
    registry::unpack::{Limits, Rules, tree},
};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn read(layer: &[u8]) -> Tree {
    tree(layer, &Rules::default(), &Limits::default()).unwrap()
}

/// What `expected.json` says of each archive: files with size and digest, or the error.
fn differences(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(expected.len() > 10, "only {} archives", expected.len());
    let wrong = |case: &Value| {
        let name = case["archive"].as_str().unwrap();
        let tree = read(&std::fs::read(folder.join(name)).unwrap());
        let error = tree.error.as_ref().map(|refusal| refusal.flux.to_string());
        let files: Vec<Value> = tree
            .stored()
            .map(|entry| {
                let sha256 = entry.sha256.as_ref().unwrap().hex().to_owned();
                serde_json::json!({ "path": &*entry.path, "size": entry.size, "sha256": sha256 })
            })
            .collect();
        let wanted = case["files"].as_array().cloned().unwrap_or_default();
        let same = error.as_deref() == case["flux_message"].as_str() && files == wanted;
        (!same).then(|| format!("{name}: {error:?} {files:?}"))
    };
    expected.iter().filter_map(wrong).collect()
}

#[test]
fn the_recorded_archives_give_what_flux_made_of_them() {
    let folder = PathBuf::from("../shared/data/archives");
    if !folder.exists() {
        println!("skipped: {} is not here", folder.display());
        return;
    }
    assert_eq!(differences(&folder), [""; 0]);
}
