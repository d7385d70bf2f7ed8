//! Layers of every odd kind -> what fluxscope says Flux makes of them, against what Flux's own code made of the same bytes.

mod chance;
mod contents;
mod fates;
mod limits;

use base64::{Engine, engine::general_purpose::STANDARD};
use fluxscope::{
    domain::tree::{Entry, Tree},
    registry::unpack::{Limits, Rules, tree},
};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::LazyLock,
};

fn read(layer: &[u8], ignore: Option<&str>) -> Tree {
    let rules = Rules { ignore: ignore.map(Into::into), ..Rules::default() };
    tree(layer, &rules, &Limits::default()).unwrap()
}

/// What `expected.json` says of each archive: files with size and digest, or the error.
fn differences(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(expected.len() > 10, "only {} archives", expected.len());
    let wrong = |case: &Value| {
        let name = case["archive"].as_str().unwrap();
        let tree = read(&std::fs::read(folder.join(name)).unwrap(), None);
        let error = tree.error.as_ref().map(|refusal| refusal.flux.to_string());
        let file = |(path, size, sha256, _): Stored| json!({ "path": path, "size": size, "sha256": sha256 });
        let files: Vec<Value> = stored(&tree).into_iter().map(file).collect();
        let wanted = case["files"].as_array().cloned().unwrap_or_default();
        let same = error.as_deref() == case["flux_message"].as_str() && files == wanted;
        (!same).then(|| format!("{name}: {error:?} {files:?}"))
    };
    expected.iter().filter_map(wrong).collect()
}

/// Path, size, digest, executable.
type Stored = (String, u64, String, bool);

fn stored(tree: &Tree) -> Vec<Stored> {
    let file = |entry: &Entry| {
        let sha256 = entry.sha256.as_ref().unwrap().hex().to_owned();
        (entry.path.to_string(), entry.size, sha256, entry.executable)
    };
    tree.stored().map(file).collect()
}

/// What `tests/cluster/parts/untar` wrote: layers, and what Flux's own code made of them.
fn judged(path: &Path) -> Vec<Value> {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// None: we say the same.
fn difference(case: &Value) -> Option<String> {
    let tree = read(&bytes_of(case), case["ignore"].as_str());
    let error = tree.error.as_ref().map(|refusal| refusal.flux.to_string());
    let wanted = case["error"].as_str().map(|words| String::from_utf8_lossy(words.as_bytes()).into_owned());
    let files = stored(&tree);
    let same = error == wanted
        && files == flux_files(case)
        && tree.complete == error.is_none()
        && tree.cut.is_none();
    let name = case["name"].as_str().unwrap();
    (!same).then(|| {
        format!(
            "{name}: we say {error:?} {:?} {files:?}\n    Flux {wanted:?} {:?}",
            tree.cut,
            flux_files(case)
        )
    })
}

fn flux_files(case: &Value) -> Vec<Stored> {
    let file = |file: &Value| {
        let hex = file["path"].as_str().unwrap();
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        let path = String::from_utf8_lossy(&bytes).into_owned();
        let executable = file["executable"].as_bool().unwrap_or_default();
        (path, file["size"].as_u64().unwrap(), file["sha256"].as_str().unwrap().to_owned(), executable)
    };
    let mut files: Vec<Stored> = case["files"].as_array().into_iter().flatten().map(file).collect();
    files.sort();
    files
}

/// Layers that somebody thought of; `tests/cluster/parts/untar` made the file.
fn named() -> &'static [Value] {
    static NAMED: LazyLock<Vec<Value>> = LazyLock::new(|| {
        judged(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/archives/named.json"))
    });
    &NAMED
}

fn bytes_of(case: &Value) -> Vec<u8> {
    STANDARD.decode(case["layer"].as_str().unwrap_or_default()).unwrap()
}

#[test]
fn the_layers_that_somebody_thought_of_give_what_flux_made_of_them() {
    let cases = named();
    assert!(cases.len() > 200, "only {} layers", cases.len());
    let differences: Vec<String> = cases.iter().filter_map(difference).collect();
    assert!(differences.is_empty(), "{} of {}\n{}", differences.len(), cases.len(), differences.join("\n"));
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

/// `untar random SEED COUNT >FILE` (or `broken`, or `ignore`), then
/// FLUXSCOPE_LAYERS=FILE cargo test --test it archives -- --ignored`
#[test]
#[ignore = "needs layers made by chance: tests/cluster/parts/untar"]
fn layers_made_by_chance_give_what_flux_made_of_them() {
    let cases = judged(&PathBuf::from(std::env::var_os("FLUXSCOPE_LAYERS").unwrap()));
    let differences: Vec<String> = cases.iter().filter_map(difference).collect();
    assert!(differences.is_empty(), "{} of {}\n{}", differences.len(), cases.len(), differences.join("\n"));
}
