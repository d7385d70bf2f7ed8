//! What the suite pushes: podinfo's manifests and charts where they are at hand, else small ones of our own.

use crate::cluster::{Place, push};
use std::path::{Path, PathBuf};

/// A version of something that can be pushed.
pub struct Version {
    pub tag: &'static str,
    path: PathBuf,
}

/// Two versions of the same thing; the second comes after the first.
pub struct Pair {
    verb: &'static str,
    /// Of the chart, or of what the manifests are called.
    pub name: &'static str,
    pub first: Version,
    pub second: Version,
}

/// What was pushed.
#[derive(Debug, Clone)]
pub struct Pushed {
    pub tag: &'static str,
    pub digest: String,
}

impl Pushed {
    /// As source-controller writes it.
    pub fn revision(&self) -> String {
        format!("{}@{}", self.tag, self.digest)
    }

    /// As helm-controller names a chart that came through `chartRef`.
    pub fn chart_version(&self) -> String {
        format!("{}+{}", self.tag, &self.hex()[..12])
    }

    /// As a row shows it.
    pub fn short(&self) -> &str {
        &self.hex()[..8]
    }

    fn hex(&self) -> &str {
        self.digest.strip_prefix("sha256:").expect("a sha256 digest")
    }
}

impl Pair {
    pub fn push_first(&self, repository: &str) -> Pushed {
        self.push(&self.first, repository)
    }

    pub fn push_second(&self, repository: &str) -> Pushed {
        self.push(&self.second, repository)
    }

    fn push(&self, version: &Version, repository: &str) -> Pushed {
        let path = version.path.to_str().expect("a plain path");
        Pushed { tag: version.tag, digest: push(&[self.verb, repository, version.tag, path]) }
    }
}

pub fn manifests() -> Pair {
    if podinfo().is_dir() {
        let version = |tag| Version { tag, path: podinfo().join(format!("manifests/{tag}.tar.gz")) };
        Pair { verb: "manifests", name: "podinfo", first: version("6.9.1"), second: version("6.9.4") }
    } else {
        let version = |tag| Version { tag, path: own().join(format!("settings/{tag}")) };
        Pair { verb: "manifests", name: "settings", first: version("1.0.0"), second: version("1.1.0") }
    }
}

pub fn charts() -> Pair {
    if podinfo().is_dir() {
        let version = |tag| Version { tag, path: podinfo().join(format!("charts/podinfo-{tag}.tgz")) };
        Pair { verb: "chart", name: "podinfo", first: version("6.9.1"), second: version("6.9.4") }
    } else {
        let version = |tag| Version { tag, path: own().join(format!("greeting/{tag}")) };
        Pair { verb: "chart", name: "greeting", first: version("0.1.0"), second: version("0.2.0") }
    }
}

/// Every pair of manifests that is at hand: steps of our own, and of podinfo a small and a large one.
pub fn manifest_pairs() -> Vec<Pair> {
    let own = |tag| Version { tag, path: own().join(format!("settings/{tag}")) };
    let step =
        |first, second| Pair { verb: "manifests", name: "settings", first: own(first), second: own(second) };
    let mut pairs = vec![step("1.0.0", "1.1.0"), step("1.1.0", "2.0.0"), step("2.0.0", "1.0.0")];
    if podinfo().is_dir() {
        let version = |tag| Version { tag, path: podinfo().join(format!("manifests/{tag}.tar.gz")) };
        let step = |first, second| Pair {
            verb: "manifests",
            name: "podinfo",
            first: version(first),
            second: version(second),
        };
        pairs.extend([step("6.9.1", "6.9.4"), step("6.5.0", "6.12.0")]);
    }
    pairs
}

/// The same of charts.
pub fn chart_pairs() -> Vec<Pair> {
    let own = |tag| Version { tag, path: own().join(format!("greeting/{tag}")) };
    let mut pairs = vec![Pair { verb: "chart", name: "greeting", first: own("0.1.0"), second: own("0.2.0") }];
    if podinfo().is_dir() {
        let version = |tag| Version { tag, path: podinfo().join(format!("charts/podinfo-{tag}.tgz")) };
        let step = |first, second| Pair {
            verb: "chart",
            name: "podinfo",
            first: version(first),
            second: version(second),
        };
        pairs.extend([step("6.9.1", "6.9.4"), step("6.5.0", "6.12.0")]);
    }
    pairs
}

/// Files in folders of this test's own; `verb`: as manifests or as a chart.
pub fn push_tree(
    place: &Place,
    verb: &str,
    repository: &str,
    tag: &'static str,
    files: &[(String, String)],
) -> Pushed {
    let dir = crate::cluster::scratch(&format!("{}-{}-{tag}", place.namespace, verb));
    for (path, content) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a temporary folder");
        std::fs::write(path, content).expect("a file in a temporary folder");
    }
    Pushed { tag, digest: push(&[verb, repository, tag, dir.to_str().expect("a plain path")]) }
}

/// Manifests of this test's own, as files by name.
pub fn push_files(place: &Place, repository: &str, tag: &'static str, files: &[(&str, String)]) -> Pushed {
    let files: Vec<_> = files.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
    push_tree(place, "manifests", repository, tag, &files)
}

fn podinfo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/podinfo")
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/artifacts")
}
