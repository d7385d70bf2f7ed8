//! What is inside: the tree that we show beside the one that source-controller stored, for artifacts that no tool would
//! push. The controller on a real registry has the word; nothing is expected here in advance.

use crate::{
    cluster::{OCI_REPOSITORY, Place, condition, env, push, scratch},
    odd::{self, CONTENT, Odd},
    program::{Ran, fluxscope, items},
    selection::settled,
    specs,
    tape::{file, tgz},
};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt::Write as _, io::Read, path::Path, process::Command};

const TAG: &str = "1.0.0";

#[test]
fn archives_are_read_as_flux_reads_them() {
    let mut all = odd::archives();
    let recorded = all.len();
    all.extend(corpus());
    compare("archives", &all, recorded);
}

#[test]
fn rules_that_ignore_leave_out_what_flux_leaves_out() {
    let all = odd::ignored();
    compare("ignored", &all, all.len());
}

#[test]
fn the_layer_is_the_one_that_flux_takes() {
    let all = odd::layers();
    compare("layers", &all, all.len());
}

/// The child for linux/amd64, the first one of it, or the refusal.
#[test]
fn of_an_index_the_child_is_the_one_that_flux_takes() {
    let place = Place::new("index");
    let repository = place.repository("REGISTRY_PAGED", "index");
    for child in ["one", "two", "three"] {
        let path = scratch("index").join(child);
        std::fs::write(&path, tgz(&[file("child.yaml", child)])).expect("a file in a temporary folder");
        push(&["layers", &repository, child, &format!("{CONTENT}={}", path.display())]);
    }
    let indexes: [(&str, &[&str]); 6] = [
        ("amd64-second", &["linux/arm64=one", "linux/amd64=two", "linux/s390x=three"]),
        ("amd64-twice", &["linux/arm64=one", "linux/amd64=three", "linux/amd64=two"]),
        ("amd64-of-windows", &["windows/amd64=one", "linux/amd64=two"]),
        ("no-platform", &["linux/arm64=one", "=three", "linux/amd64=two"]),
        ("no-amd64", &["linux/arm64=one", "linux/arm=two"]),
        ("unknown", &["unknown/unknown=one", "linux/amd64=three"]),
    ];
    let mut differ = Vec::new();
    for (tag, children) in indexes {
        let mut arguments = vec!["index", &repository, tag];
        arguments.extend(children);
        push(&arguments);
        place.apply(OCI_REPOSITORY, tag, &specs::source(&repository, &specs::tag(tag)));
    }
    for (tag, _) in indexes {
        differ.extend(Stored::of(&place, tag).difference(tag, &files(&place, tag, tag)));
    }
    assert!(differ.is_empty(), "{} differ\n{}", differ.len(), differ.join("\n"));
}

/// Archives of the same kind that were made before, where they are at hand.
fn corpus() -> Vec<Odd> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/archives");
    let Ok(folder) = std::fs::read_dir(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return Vec::new();
    };
    let archives = folder.filter_map(|entry| Some(entry.ok()?.path()));
    archives
        .filter(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().to_lowercase();
            Odd::new(&format!("corpus-{name}"), std::fs::read(&path).expect("a file"))
        })
        .collect()
}

/// What source-controller made of an artifact.
enum Stored {
    /// By path: size and sha256, in words.
    Files(BTreeMap<String, String>),
    /// Its message; the folder that it worked in as we write it.
    Refused(String),
}

impl Stored {
    fn of(place: &Place, name: &str) -> Self {
        let object = settled(place, OCI_REPOSITORY, name);
        let ready = condition(&object, "Ready").expect("a verdict");
        if ready["status"] != "True" {
            return Self::Refused(without_folder(text(&ready["message"])));
        }
        let url = text(&object["status"]["artifact"]["url"]);
        let output = Command::new("curl").args(["-sSf", url]).output().expect("curl");
        assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
        Self::Files(read(&output.stdout))
    }

    /// None: we say the same.
    fn difference(&self, name: &str, ours: &Ran) -> Option<String> {
        let list = ours.json();
        // what cannot be taken at all has no list: it is a problem
        let told = list["error"].as_str().or_else(|| list["problem"]["why"].as_str());
        let shown: BTreeMap<String, String> = items(&list)
            .filter(|item| ["written", "emptied"].contains(&text(&item["fate"])))
            .map(|item| {
                let sha256 = text(&item["sha256"]).trim_start_matches("sha256:");
                (
                    text(&item["path"]).to_owned(),
                    file_words(item["size"].as_u64().unwrap_or(u64::MAX), sha256),
                )
            })
            .collect();
        let same = match self {
            Self::Refused(message) => told.is_some_and(|told| !told.is_empty() && message.contains(told)),
            Self::Files(files) => told.is_none() && *files == shown,
        };
        (!same).then(|| match self {
            Self::Refused(message) => {
                format!("{name}\n  Flux: {message}\n  ours: {told:?}, {} files; {}", shown.len(), ours.stderr)
            }
            Self::Files(files) => {
                let only = |one: &BTreeMap<String, String>, other: &BTreeMap<String, String>| {
                    one.iter()
                        .filter(|(path, file)| other.get(*path) != Some(*file))
                        .map(|(path, file)| format!("{path:?} {file}"))
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                format!(
                    "{name}\n  only Flux: {}\n  only ours: {}; {told:?} {}",
                    only(files, &shown),
                    only(&shown, files),
                    ours.stderr
                )
            }
        })
    }

    fn record(&self) -> Value {
        match self {
            Self::Files(files) => json!({"files": files}),
            Self::Refused(message) => json!({"refused": message}),
        }
    }
}

/// The first of them are recorded: `cargo test` judges the same bytes by the record, without a cluster.
fn compare(name: &str, all: &[Odd], recorded: usize) {
    let place = Place::new(name);
    push_all(&place, all);
    for odd in all {
        let mut spec = specs::source(&place.repository("REGISTRY_PAGED", &odd.name), &specs::tag(TAG));
        for (field, value) in odd.spec.as_object().into_iter().flatten() {
            spec[field.as_str()] = value.clone();
        }
        place.apply(OCI_REPOSITORY, &odd.name, &spec);
    }
    let stored: Vec<Stored> = all.iter().map(|odd| Stored::of(&place, &odd.name)).collect();
    keep(name, all.iter().zip(&stored).take(recorded));
    let differ: Vec<String> = all
        .iter()
        .zip(&stored)
        .filter_map(|(odd, stored)| stored.difference(&odd.name, &files(&place, &odd.name, TAG)))
        .collect();
    assert!(differ.is_empty(), "{} of {} differ\n{}", differ.len(), all.len(), differ.join("\n"));
}

/// A few at a time: what takes its time is the start of a program for each.
fn push_all(place: &Place, all: &[Odd]) {
    let dir = scratch(&place.namespace);
    let push_one = |odd: &Odd| {
        let mut arguments =
            vec!["layers".to_owned(), place.repository("REGISTRY_PAGED", &odd.name), TAG.to_owned()];
        for (number, (media_type, bytes)) in odd.layers.iter().enumerate() {
            let file = dir.join(format!("{}-{number}", odd.name));
            std::fs::write(&file, bytes).expect("a file in a temporary folder");
            arguments.push(format!("{media_type}={}", file.display()));
        }
        push(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    };
    std::thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(4)) {
            scope.spawn(move || part.iter().for_each(push_one));
        }
    });
}

/// Holds the record, or writes it anew with `SNAPSHOTS=write`.
fn keep<'a>(name: &str, all: impl Iterator<Item = (&'a Odd, &'a Stored)>) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fixtures/odd").join(format!("{name}.json"));
    let now: BTreeMap<&str, Value> = all.map(|(odd, stored)| (odd.name.as_str(), stored.record())).collect();
    let now = format!("{}\n", serde_json::to_string_pretty(&now).expect("JSON"));
    if std::env::var("SNAPSHOTS").is_ok_and(|word| word == "write") {
        std::fs::write(&path, now).expect("a folder of fixtures");
        return;
    }
    let then = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(then == now, "Flux does otherwise than {} says: SNAPSHOTS=write renews it", path.display());
}

/// With the eyes of the source: its layer selector, its rules.
fn files(place: &Place, name: &str, tag: &str) -> Ran {
    fluxscope().run(&["files", &format!("ocirepo/{name}:{tag}"), "-n", &place.namespace, "-o", "json"])
}

/// source-controller names the temporary folder that it extracts into, or the one around it.
fn without_folder(message: &str) -> String {
    let temporary = env().dir.join("tmp").display().to_string();
    let Some((before, rest)) = message.split_once(&format!("{temporary}/ocirepository-")) else {
        return message.replace(&temporary, "/tmp");
    };
    let end = rest.find(['/', ':', ' ']).unwrap_or(rest.len());
    format!("{before}/tmp/ocirepository-…{}", &rest[end..])
}

/// The regular files of what was stored, which is never odd itself; a layer that was copied may be no archive.
fn read(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut archive = tar::Archive::new(MultiGzDecoder::new(bytes));
    let mut files = BTreeMap::new();
    for entry in archive.entries().into_iter().flatten() {
        let Ok(mut entry) = entry else { break };
        if entry.header().entry_type().is_file() {
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).expect("what Flux wrote can be read");
            let sha256 = Sha256::digest(&content).iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            });
            files.insert(path, file_words(content.len() as u64, &sha256));
        }
    }
    files
}

/// Short enough for a record.
fn file_words(size: u64, sha256: &str) -> String {
    format!("{size} {}", sha256.get(..12).unwrap_or(sha256))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
