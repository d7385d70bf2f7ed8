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

/// Manifests of this test's own, as files by name.
pub fn push_files(place: &Place, repository: &str, tag: &'static str, files: &[(&str, String)]) -> Pushed {
    let dir = crate::cluster::scratch(&format!("{}-{tag}", place.namespace));
    for (name, content) in files {
        std::fs::write(dir.join(name), content).expect("a file in a temporary folder");
    }
    let digest = push(&["manifests", repository, tag, dir.to_str().expect("a plain path")]);
    Pushed { tag, digest }
}

fn podinfo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/podinfo")
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/artifacts")
}
