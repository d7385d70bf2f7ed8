//! The rules of the house, held: who may know whom, how a file opens, how long a function is, and what is never used.
//! Each rule is first shown to fail on a bad snippet.

use fluxscope::app::keymap::{Row, TABLE, markdown, name};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// A folder of `src`, what it may know inside the house, and which crates (`design.md` §4).
struct Part {
    folder: &'static str,
    knows: &'static [&'static str],
    crates: &'static [&'static str],
    /// Pure: no async, no files, no sockets, no threads, no clock.
    pure: bool,
}

const HOUSE: &[Part] = &[
    Part {
        folder: "domain",
        knows: &["domain"],
        crates: &[
            "base64",
            "bytes",
            "foldhash",
            "memchr",
            "jiff",
            "regex",
            "serde",
            "serde_json",
            "serde_saphyr",
            "sha2",
            "similar",
            "thiserror",
            "unicode_width",
        ],
        pure: true,
    },
    Part {
        folder: "port",
        knows: &["port", "domain"],
        crates: &["bytes", "futures", "jiff", "serde_json", "tokio"],
        pure: false,
    },
    Part {
        folder: "widgets",
        knows: &["widgets", "domain"],
        crates: &["jiff", "ratatui", "syntect", "unicode_segmentation", "unicode_width"],
        pure: true,
    },
    Part {
        folder: "app",
        knows: &["app", "widgets", "domain"],
        crates: &[
            "foldhash",
            "jiff",
            "ratatui",
            "regex",
            "serde_json",
            "serde_saphyr",
            "unicode_segmentation",
            "unicode_width",
        ],
        pure: true,
    },
    Part {
        folder: "runtime",
        knows: &["runtime", "app", "widgets", "port", "domain"],
        crates: &[
            "base64",
            "bytes",
            "crossterm",
            "etcetera",
            "futures",
            "jiff",
            "ratatui",
            "serde_json",
            "serde_saphyr",
            "tokio",
            "tracing",
            "tracing_subscriber",
        ],
        pure: false,
    },
    Part {
        folder: "cluster",
        knows: &["cluster", "port", "domain"],
        crates: &[
            "base64",
            "bytes",
            "etcetera",
            "futures",
            "http",
            "http_body_util",
            "jiff",
            "k8s_openapi",
            "kube",
            "rustls",
            "serde",
            "serde_json",
            "serde_saphyr",
            "thiserror",
            "tokio",
            "tracing",
            "url",
        ],
        pure: false,
    },
    Part {
        folder: "registry",
        knows: &["registry", "port", "domain"],
        crates: &[
            "base64",
            "bytes",
            "etcetera",
            "flate2",
            "futures",
            "http",
            "jiff",
            "oci_client",
            "reqwest",
            "rustls",
            "ruzstd",
            "serde",
            "serde_json",
            "sha2",
            "tar",
            "thiserror",
            "tokio",
            "tracing",
            "url",
        ],
        pure: false,
    },
    Part {
        folder: "render",
        knows: &["render", "port", "domain"],
        crates: &["bytes", "futures", "rustix", "tokio"],
        pure: false,
    },
    Part {
        folder: "demo",
        knows: &["demo", "port", "domain", "cluster::convert", "registry::layout", "registry::unpack"],
        crates: &["bytes", "futures", "jiff", "serde_json", "serde_saphyr", "tokio"],
        pure: false,
    },
    Part {
        folder: "cli",
        knows: &["cli", "port", "domain"],
        crates: &[
            "bytes",
            "clap",
            "clap_complete",
            "futures",
            "jiff",
            "serde",
            "serde_json",
            "serde_saphyr",
            "tokio",
            "unicode_width",
        ],
        pure: false,
    },
];

const LONGEST_FUNCTION: usize = 70;
const NO_NAMES: [&str; 5] = ["utils", "util", "common", "helpers", "types"];

/// A source file: where it stands below `src`, its text, and its code without comments, texts and inline tests.
struct File {
    path: String,
    text: String,
    code: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        let blank = blank(text);
        Self { path: path.to_owned(), text: text.to_owned(), code: blank }
    }

    /// `cluster/convert.rs` is in `cluster`; `main.rs` is in no folder.
    fn folder(&self) -> &str {
        self.path.split_once('/').map_or("", |(folder, _)| folder)
    }

    /// `demo/state.rs` is `["demo", "state"]`, `demo/mod.rs` is `["demo"]`.
    fn module(&self) -> Vec<&str> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.split('/').collect()
    }
}

// ---- reading code

/// The code with comments and the insides of literals blanked out; lines stay where they are.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = literal_end(&chars, at).max(at + 1);
        let is_code = end == at + 1;
        for &c in &chars[at..end] {
            out.push(if is_code || c == '\n' { c } else { ' ' });
        }
        at = end;
    }
    out
}

/// Where the comment or literal that begins here ends; `at` if none begins here.
fn literal_end(chars: &[char], at: usize) -> usize {
    let next = |ahead: usize| chars.get(at + ahead).copied().unwrap_or('\0');
    let until = |from: usize, stop: &dyn Fn(usize) -> bool| (from..chars.len()).find(|&i| stop(i));
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match (chars[at], next(1)) {
        ('/', '/') => until(at, &|i| chars[i] == '\n').unwrap_or(chars.len()),
        ('/', '*') => {
            until(at + 2, &|i| chars[i] == '/' && chars[i - 1] == '*').map_or(chars.len(), |i| i + 1)
        }
        ('r', '"' | '#') if !after_word || chars[at - 1] == 'b' => raw_end(chars, at + 1),
        ('"', _) => {
            let mut i = at + 1;
            while i < chars.len() && chars[i] != '"' {
                i += if chars[i] == '\\' { 2 } else { 1 };
            }
            (i + 1).min(chars.len())
        }
        ('\'', '\\') => until(at + 3, &|i| chars[i] == '\'').map_or(chars.len(), |i| i + 1),
        ('\'', _) if next(2) == '\'' => at + 3,
        _ => at,
    }
}

fn raw_end(chars: &[char], hashes_at: usize) -> usize {
    let hashes = chars[hashes_at..].iter().take_while(|&&c| c == '#').count();
    if chars.get(hashes_at + hashes) != Some(&'"') {
        return 0;
    }
    let closes = |i: usize| {
        chars[i] == '"' && chars[i + 1..].iter().take(hashes).filter(|&&c| c == '#').count() == hashes
    };
    (hashes_at + hashes + 1..chars.len()).find(|&i| closes(i)).map_or(chars.len(), |i| i + 1 + hashes)
}

/// Without the modules and functions that are compiled for tests only.
fn without_tests(code: &str) -> String {
    let mut rest = code;
    let mut out = String::new();
    while let Some(at) = rest.find("#[cfg(test)]") {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(['{', ';']).unwrap_or(rest.len());
        let end =
            if rest[end..].starts_with('{') { end + block(&rest[end..]) } else { (end + 1).min(rest.len()) };
        rest = &rest[end..];
    }
    out + rest
}

/// Length of the block that begins with the first character, its braces included.
fn block(code: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Every path of the code, `use` trees spelled out: `["crate", "domain", "world"]`.
fn paths(code: &str) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let mut rest = code;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let starts = is_word(c) && !is_word(before) && before != ':' && before != '.';
        let length = if starts { tree(rest, &[], &mut found) } else { 0 };
        let step = length.max(c.len_utf8());
        before = rest[..step].chars().next_back().unwrap_or(' ');
        rest = &rest[step..];
    }
    found.retain(|path| path.len() > 1);
    found
}

/// Reads one path, or the tree of paths of a `use`; returns its length.
fn tree(code: &str, above: &[String], found: &mut BTreeSet<Vec<String>>) -> usize {
    let mut path = above.to_vec();
    let mut at = 0;
    loop {
        let length = code[at..].find(|c| !is_word(c)).unwrap_or(code.len() - at);
        if length > 0 {
            path.push(code[at..at + length].to_owned());
            at += length;
        }
        if code[at..].starts_with("::{") {
            at += 3;
            while !code[at..].starts_with('}') && at < code.len() {
                let inner = code[at..].starts_with(is_word).then(|| tree(&code[at..], &path, found));
                at += inner.unwrap_or_else(|| code[at..].chars().next().map_or(1, char::len_utf8));
            }
            return (at + 1).min(code.len());
        }
        match code[at..].strip_prefix("::") {
            Some(next) if next.starts_with(is_word) => at += 2,
            _ => break,
        }
    }
    found.insert(path);
    at
}

/// `super::` and `crate::` made into the path from the root; other paths are as they are, with a mark.
fn inside(file: &File, path: &[String]) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    match path[0].as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => {
            let module = file.module();
            let kept = module.len().saturating_sub(ups);
            Some(
                module[..kept]
                    .iter()
                    .map(|part| (*part).to_owned())
                    .chain(path[ups..].iter().cloned())
                    .collect(),
            )
        }
        _ => None,
    }
}

/// Crate names of Cargo.toml, as they are written in code.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let section = manifest.split("\n[dependencies]").nth(1).unwrap_or_default();
    let section = section.split("\n[").next().unwrap_or_default();
    section
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.trim().replace('-', "_")))
        .filter(|name| !name.is_empty() && name.chars().all(is_word))
        .collect()
}

// ---- the rules

fn borders(file: &File, crates: &BTreeSet<String>) -> Vec<String> {
    let Some(part) = HOUSE.iter().find(|part| part.folder == file.folder()) else {
        let known = ["main.rs", "lib.rs"].contains(&file.path.as_str());
        return if known { Vec::new() } else { vec![format!("{} is in a folder without a rule", file.path)] };
    };
    let mut offences = Vec::new();
    for path in paths(&without_tests(&file.code)) {
        let words = path.join("::");
        if let Some(target) = inside(file, &path) {
            let target = target.join("::");
            let may = |known: &&str| target == **known || target.starts_with(&format!("{known}::"));
            if !part.knows.iter().any(may) {
                offences.push(format!("{}: {} may not know {words}", file.path, part.folder));
            }
        } else if crates.contains(&path[0]) && !part.crates.contains(&path[0].as_str()) {
            offences.push(format!("{}: {} may not use the crate {words}", file.path, part.folder));
        }
        let terminal = matches!(part.folder, "app" | "widgets")
            && ["ratatui::crossterm", "ratatui::backend", "ratatui::init", "ratatui::DefaultTerminal"]
                .iter()
                .any(|banned| words.starts_with(banned));
        let outside = part.pure
            && [
                "std::fs",
                "std::net::Tcp",
                "std::net::Udp",
                "std::net::ToSocket",
                "std::process",
                "std::thread",
                "std::env",
                "std::time::SystemTime",
            ]
            .iter()
            .any(|banned| words.starts_with(banned));
        if terminal || outside {
            offences.push(format!("{}: {} may not use {words}", file.path, part.folder));
        }
    }
    if part.pure && words(&without_tests(&file.code)).any(|word| matches!(word, "async" | "await")) {
        offences.push(format!("{}: {} never waits", file.path, part.folder));
    }
    offences
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

fn headers(file: &File) -> Vec<String> {
    let opens = file.text.starts_with("//! ") && file.text.lines().next().is_some_and(|line| line.len() > 12);
    if opens { Vec::new() } else { vec![format!("{} does not open with //! and what it is", file.path)] }
}

fn names(file: &File) -> Vec<String> {
    let module = file.module();
    let bad = module.iter().find(|name| NO_NAMES.contains(name));
    bad.map(|name| format!("{}: {name} says nothing about what is in it", file.path)).into_iter().collect()
}

fn lengths(file: &File) -> Vec<String> {
    let mut offences = Vec::new();
    let code = &file.code;
    for (at, _) in code.match_indices("fn ") {
        let starts = at == 0 || !code[..at].ends_with(is_word);
        let name: String = code[at + 3..].chars().take_while(|&c| is_word(c)).collect();
        let Some(open) =
            code[at..].find(['{', ';']).filter(|open| starts && code[at + open..].starts_with('{'))
        else {
            continue;
        };
        let lines = code[at..at + open + block(&code[at + open..])].lines().count();
        if !name.is_empty() && lines > LONGEST_FUNCTION {
            offences.push(format!("{}: {name} has {lines} lines, more than {LONGEST_FUNCTION}", file.path));
        }
    }
    offences
}

/// `GzDecoder` reads the first member of a gzip stream only; Flux reads them all.
fn gzip(file: &File) -> Vec<String> {
    let found = words(&file.code).any(|word| word == "GzDecoder");
    if found {
        vec![format!("{}: GzDecoder stops after one member: MultiGzDecoder", file.path)]
    } else {
        Vec::new()
    }
}

/// A chord that stands twice in one scope: the second would never be heard.
fn twice(rows: &[Row]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let place = |row: &Row| format!("{} in {}", name(row.chord), row.scope.words());
    rows.iter().map(place).filter(|place| !seen.insert(place.clone())).collect()
}

/// The table between the two marks of the README.
fn shown(readme: &str) -> Option<&str> {
    let (_, rest) = readme.split_once("<!-- keys -->")?;
    Some(rest.split_once("<!-- /keys -->")?.0.trim())
}

fn offences(files: &[File], crates: &BTreeSet<String>) -> Vec<String> {
    let of_one =
        |file| [borders(file, crates), headers(file), names(file), lengths(file), gzip(file)].concat();
    files.iter().flat_map(of_one).collect()
}

// ---- the house itself

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

fn read(folder: &str) -> Vec<File> {
    let folder = root().join(folder);
    let file = |path: PathBuf| {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        File::new(&name, &std::fs::read_to_string(&path).unwrap())
    };
    rust_files(&folder).into_iter().map(file).collect()
}

fn manifest() -> BTreeSet<String> {
    dependencies(&std::fs::read_to_string(root().join("Cargo.toml")).unwrap())
}

#[test]
fn the_house_is_in_order() {
    let files = read("src");
    assert!(files.len() > 30, "only {} files were found", files.len());
    let crates = manifest();
    assert!(crates.contains("kube") && crates.contains("serde_saphyr") && !crates.contains("proptest"));
    let offences = offences(&files, &crates);
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn tests_keep_the_rules_of_form() {
    let offences: Vec<String> =
        read("tests").iter().flat_map(|file| [headers(file), names(file), lengths(file)].concat()).collect();
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn no_key_stands_twice_and_the_readme_shows_the_keys_of_the_code() {
    assert_eq!(twice(TABLE), [""; 0]);
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let written = shown(&readme).unwrap();
    assert!(written == markdown().trim(), "put this between the marks of README.md:\n{}", markdown());
}

// ---- the rules can fail

fn judged(path: &str, code: &str) -> Vec<String> {
    let crates = ["kube", "tokio", "ratatui", "crossterm", "serde_json"].map(str::to_owned).into();
    offences(&[File::new(path, &format!("//! A file of a test.\n{code}"))], &crates)
}

#[track_caller]
fn refused(path: &str, code: &str) {
    assert_eq!(judged(path, code).len(), 1, "{path}: {code} gave {:?}", judged(path, code));
}

#[track_caller]
fn allowed(path: &str, code: &str) {
    assert_eq!(judged(path, code), [""; 0], "{path}: {code}");
}

#[test]
fn a_neighbour_that_may_not_be_known_is_found_however_it_is_written() {
    refused("domain/x.rs", "use crate::app::App;");
    refused("domain/x.rs", "fn f() { crate::port::carry_out(); }");
    refused("domain/x.rs", "use super::super::cluster;");
    refused("domain/x/y.rs", "use super::super::super::cluster::KubeCluster;");
    refused("app/x.rs", "use crate::{\n    domain::{fact::Fact, world::World},\n    port::Cluster,\n};");
    refused("demo/x.rs", "use crate::cluster::watch;");
    refused("demo/x.rs", "use crate::registry::{layout::Layout, transport};");
    refused("cluster/x.rs", "use crate::registry::layout::Layout;");
    allowed("domain/x.rs", "use super::{digest::Digest, world};\nuse crate::domain::fact::Fact;");
    allowed("demo/x.rs", "use crate::cluster::convert;\nuse super::registry::Repositories;");
    allowed("main.rs", "use fluxscope::cli;");
}

#[test]
fn a_crate_that_may_not_be_used_is_found_and_words_that_look_like_one_are_not() {
    refused("app/x.rs", "use tokio::time::sleep;");
    refused("domain/x.rs", "fn f() -> kube::Client { todo() }");
    refused("app/x.rs", "use ratatui::{layout::Rect, crossterm::event::Event};");
    refused("widgets/x.rs", "use std::{fs::File, fmt};");
    refused("domain/x.rs", "async fn f() {}");
    allowed("domain/x.rs", "// tokio::spawn is not used\nfn f() -> &'static str { \"kube::Client\" }");
    allowed("domain/x.rs", "fn f<'a>(c: char) -> bool { c == '\"' || c == '\\'' }\n// kube::Client\n");
    allowed("domain/x.rs", "fn f() -> &'static str { r#\"a \" tokio::x\"# }");
    allowed("domain/x.rs", "#[cfg(test)]\nmod tests {\n    use tokio::time;\n}\n");
    allowed("domain/x.rs", "use self::kube::Client;\nfn f() { own::tokio::x() }");
}

#[test]
fn a_crate_below_a_test_module_is_found() {
    refused("domain/x.rs", "#[cfg(test)]\nmod tests { fn f() {} }\nuse tokio::time;");
    refused("domain/x.rs", "#[cfg(test)]\nmod sample;\nuse tokio::time;");
}

#[test]
fn a_key_that_stands_twice_is_found() {
    let rows = [TABLE[0], TABLE[1], TABLE[0]];
    assert_eq!(twice(&rows).len(), 1);
    assert_eq!(shown("a <!-- keys -->\n| x |\n<!-- /keys --> b"), Some("| x |"));
    assert_eq!(shown("no marks"), None);
}

#[test]
fn a_folder_without_a_rule_is_found() {
    refused("cave/x.rs", "");
}

#[test]
fn a_long_function_is_found_and_a_long_file_is_not() {
    let body = |lines: usize| "    step();\n".repeat(lines);
    refused("domain/x.rs", &format!("pub fn long(x: u8) -> Vec<u8> {{\n{}}}\n", body(69)));
    allowed("domain/x.rs", &format!("fn short() {{\n{0}}}\nfn other() {{\n{0}}}\n", body(68)));
    let strings = format!("fn quoted() {{\n    let x = \"}}\";\n{}}}\n", body(69));
    refused("domain/x.rs", &strings);
}

#[test]
fn a_file_without_a_header_a_name_without_meaning_and_half_a_gzip_reader_are_found() {
    let crates = BTreeSet::new();
    assert_eq!(offences(&[File::new("domain/x.rs", "use std::fmt;\n")], &crates).len(), 1);
    assert_eq!(offences(&[File::new("domain/x.rs", "//! x\n")], &crates).len(), 1);
    refused("domain/utils.rs", "");
    refused("domain/types/x.rs", "");
    refused("registry/x.rs", "fn f() { let x = GzDecoder::new(y); }");
    allowed("registry/x.rs", "fn f() { let x = MultiGzDecoder::new(y); }");
}
