//! Artifacts that no tool would push: archives wrong in every way, rules that ignore, layers in odd order.
//! What Flux makes of each is recorded by `tests/cluster`; nothing is expected here.

use crate::tape::{Entry, ended, entries, file, folder, gzip, pax, tgz, zero_block};
use serde_json::{Value, json};

pub const CONTENT: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// One artifact, and what its source says of it.
pub struct Odd {
    pub name: String,
    pub layers: Vec<(&'static str, Vec<u8>)>,
    /// Fields of `spec` beyond the url and the ref.
    pub spec: Value,
}

impl Odd {
    pub fn new(name: &str, layer: Vec<u8>) -> Self {
        Self { name: name.to_owned(), layers: vec![(CONTENT, layer)], spec: json!({}) }
    }

    fn of(name: &str, all: &[Entry<'_>]) -> Self {
        Self::new(name, tgz(all))
    }

    fn layers(name: &str, layers: Vec<(&'static str, Vec<u8>)>, selector: Value) -> Self {
        let fields = (!selector.is_null()).then(|| ("layerSelector".to_owned(), selector));
        let spec = fields.into_iter().collect();
        Self { name: name.to_owned(), layers, spec }
    }

    fn ignoring(self, rules: &str) -> Self {
        Self { spec: json!({"ignore": rules}), ..self }
    }
}

/// Archives that are wrong, or only unusual.
pub fn archives() -> Vec<Odd> {
    [kinds(), ends(), extended(), names()].into_iter().flatten().collect()
}

/// Entries of every kind, and entries in each other's way.
fn kinds() -> Vec<Odd> {
    let (a, b) = (file("a.yaml", "a"), file("b.yaml", "bb"));
    vec![
        Odd::of("hard-link", &[file("a.yaml", "a"), file("h.yaml", "").kind('1').to("a.yaml")]),
        Odd::of("hard-link-to-nothing", &[file("h.yaml", "").kind('1').to("../../etc/passwd")]),
        Odd::of("hard-link-over-a-file", &[file("a.yaml", "a"), file("a.yaml", "").kind('1').to("b.yaml")]),
        Odd::of("symbolic-link", &[file("a.yaml", "a"), file("s.yaml", "").kind('2').to("a.yaml")]),
        Odd::of("link-as-a-folder", &[file("d", "").kind('2').to("/tmp"), file("d/x.yaml", "x")]),
        Odd::of("symbolic-link-over-a-file", &[file("a", "a"), file("a", "").kind('2').to("b")]),
        Odd::of("fifo", &[a, file("pipe", "").kind('6')]),
        Odd::of("device", &[b, file("null", "").kind('3')]),
        Odd::of("block-device", &[file("disk", "").kind('4'), file("b.yaml", "b")]),
        Odd::of("contiguous", &[file("a.yaml", "a").kind('7')]),
        Odd::of("of-no-known-kind", &[file("a.yaml", "a").kind('Z'), file("b.yaml", "b")]),
        Odd::of("of-an-old-kind", &[file("a.yaml", "a").kind('\0')]),
        Odd::of("executable", &[file("run.sh", "#!/bin/sh").mode(0o755), file("set", "s").mode(0o4755)]),
        Odd::of("no-permissions", &[file("a.yaml", "a").mode(0), file("a.yaml", "b").mode(0o444)]),
        Odd::of("mode-says-folder", &[file("a.yaml", "a").mode(0o040_755), file("b", "b").mode(0o120_777)]),
        Odd::of("doubled", &[file("a", "first"), file("b", "b"), file("a", "2"), file("./a", "third")]),
        Odd::of("file-as-a-folder", &[file("a", "a"), file("a/b", "b")]),
        Odd::of("folder-as-a-file", &[folder("a/"), file("a", "b")]),
        Odd::of("folder-over-a-file", &[file("a", "a"), folder("a/")]),
        Odd::of("only-folders", &[folder("./"), folder("d/"), folder("d/e/f/")]),
        Odd::of("folder-with-content", &[folder("d"), file("d/x", "x"), file("slash/", "content")]),
    ]
}

/// Where the archive ends, and where gzip does.
fn ends() -> Vec<Odd> {
    let one = |content| entries(&[file("a.yaml", content)]);
    let joined = |parts: &[Vec<u8>]| gzip(&ended(parts.concat()));
    vec![
        Odd::new("two-members", [gzip(&one("a")), gzip(&ended(entries(&[file("b.yaml", "b")])))].concat()),
        Odd::new(
            "member-behind-the-end",
            [tgz(&[file("a.yaml", "a")]), tgz(&[file("b.yaml", "b")])].concat(),
        ),
        Odd::new("empty-archive", tgz(&[])),
        Odd::new("empty-gzip", gzip(&[])),
        Odd::new("no-bytes", Vec::new()),
        Odd::new("one-byte", vec![0x1f]),
        Odd::new("no-end", gzip(&one("a"))),
        Odd::new("one-zero-block", gzip(&[one("a"), zero_block()].concat())),
        Odd::new("zero-block-then-more", joined(&[one("a"), zero_block(), entries(&[file("b", "b")])])),
        Odd::new("zero-block-then-garbage", gzip(&[one("a"), zero_block(), vec![b'x'; 512]].concat())),
        Odd::new("begins-with-zeros", joined(&[zero_block(), zero_block(), one("a")])),
        Odd::new("garbage-behind-the-end", gzip(&[ended(one("a")), b"garbage".to_vec()].concat())),
        Odd::new(
            "garbage-behind-gzip",
            [tgz(&[file("a", "a")]), b"garbage, and more of it".to_vec()].concat(),
        ),
        Odd::new("zeros-behind-gzip", [tgz(&[file("a", "a")]), vec![0; 700]].concat()),
        Odd::new("plain-tar", ended(one("a"))),
        Odd::new("text", b"apiVersion: v1\nkind: ConfigMap\n".to_vec()),
        Odd::new("gzip-of-text", gzip(b"apiVersion: v1\nkind: ConfigMap\n")),
        Odd::new("cut-in-gzip", cut(tgz(&[file("a", "a"), file("b", &noise(9_000))]), 3_000)),
        Odd::new("cut-in-a-file", gzip(&cut(one(&"a".repeat(700)), 600))),
        Odd::new("cut-in-a-header", gzip(&cut(entries(&[file("a", "a"), file("b", "b")]), 1_100))),
        Odd::new("bad-checksum", gzip(&ended(broken(one("a"), 150)))),
        Odd::new("gzip-checksum", broken_end(tgz(&[file("a", "a")]))),
    ]
}

/// Headers of pax and GNU before the header that they are about.
fn extended() -> Vec<Odd> {
    let one = |content| entries(&[file("a.yaml", content)]);
    let joined = |parts: &[Vec<u8>]| gzip(&ended(parts.concat()));
    vec![
        Odd::new("pax-name", joined(&[pax(&[("path", &format!("{}/é.yaml", "d".repeat(200)))]), one("a")])),
        Odd::new("pax-size", joined(&[pax(&[("size", "0")]), one("a")])),
        Odd::new(
            "pax-size-larger",
            joined(&[
                pax(&[("size", "600")]),
                entries(&[file("a", &"a".repeat(500))]),
                zero_block(),
                entries(&[file("b", "b")]),
            ]),
        ),
        Odd::new("pax-twice", joined(&[pax(&[("path", "x")]), pax(&[("path", "y")]), one("a")])),
        Odd::new("pax-of-nothing", joined(&[pax(&[("path", "")]), one("a")])),
        Odd::new("pax-absolute", joined(&[pax(&[("path", "/etc/a")]), one("a")])),
        Odd::new("pax-malformed", joined(&[file("P", "7 path=x").kind('x').bytes(), one("a")])),
        Odd::new(
            "pax-link",
            joined(&[pax(&[("linkpath", "far")]), entries(&[file("s", "").kind('2').to("near")])]),
        ),
        Odd::new("pax-alone", joined(&[one("a"), pax(&[("path", "x")])])),
        Odd::new(
            "pax-for-all",
            joined(&[file("pax_global_header", "19 comment=0123456\n").kind('g').bytes(), one("a")]),
        ),
        Odd::new(
            "long-name",
            joined(&[
                entries(&[file("././@LongLink", &format!("{}\0", "n".repeat(150))).kind('L')]),
                one("a"),
            ]),
        ),
        Odd::new(
            "long-link",
            joined(&[
                entries(&[file("././@LongLink", "far\0").kind('K')]),
                entries(&[file("s", "").kind('2')]),
            ]),
        ),
    ]
}

fn names() -> Vec<Odd> {
    let named = |name: &str, path: &str| Odd::of(name, &[file("a.yaml", "a"), file(path, "b")]);
    let bytes = |name: &str, path: &[u8]| Odd::of(name, &[file("a.yaml", "a"), file("", "b").named(path)]);
    vec![
        named("absolute", "/etc/b"),
        named("parent", "../b"),
        named("parent-inside", "x/../b"),
        named("parent-at-the-end", "x/.."),
        named("parent-alone", ".."),
        named("dots-in-a-name", "..b/...c"),
        named("dots-before-a-slash", "x../b"),
        named("here", "."),
        named("here-with-a-slash", "./"),
        named("dot-slash", "./d/./e.yaml"),
        named("slashes", "d//e.yaml"),
        named("slash-at-the-end", "d/"),
        named("backslash", r"d\e.yaml"),
        named("no-name", ""),
        named("space", " b "),
        named("newline", "b\nc"),
        named("escape", "b\u{1b}[31mc"),
        named("reversed", "b\u{202e}lmay.c"),
        named("composed", "e\u{301}"),
        named("long", &"n".repeat(100)),
        named("deep", &format!("{}e", "d/".repeat(40))),
        bytes("not-utf8", b"\xff\xfe.yaml"),
        bytes("latin", b"caf\xe9.yaml"),
        bytes("nul-inside", b"a\0b"),
    ]
}

/// One of each kind that a rule, or a default of Flux, could mean.
const TREE: &str = "a.yaml|b.yaml|a.txt|README.md|keep.md|logo.png|archive.tar.gz|a.zip|.sops.yaml|d/.sops.yaml|\
                    .flux.yaml|.github/workflow.yaml|d/.github/x.yaml|.git/config|d/.git/config|.gitignore|\
                    d/.gitattributes|.travis.yml|cloudbuild.yaml|d/cloudbuild.yaml|d/a.yaml|d/e/a.yaml|d/e/b.txt|\
                    docs/a.yaml|docs/x/b.md|f/docs/a.yaml|A.YAML|a b.yaml|#a|!a";

/// What rules in `spec.ignore` and in files leave out.
pub fn ignored() -> Vec<Odd> {
    [ignored_by_spec(), ignored_by_files()].into_iter().flatten().collect()
}

fn with_files(more: &[(&str, &str)]) -> Vec<u8> {
    let usual = TREE.split('|').map(|path| file(path, path));
    let more = more.iter().map(|(path, content)| file(path, content));
    tgz(&usual.chain(more).collect::<Vec<_>>())
}

fn ignored_by_spec() -> Vec<Odd> {
    let plain = |name: &str, rules: &str| Odd::new(name, with_files(&[])).ignoring(rules);
    vec![
        Odd::new("defaults", with_files(&[])),
        plain("empty", ""),
        plain("comment", "# only a comment\n\n   \n"),
        plain("one", "*.md\n"),
        plain("kept", "*.md\n!keep.md\n!logo.png"),
        plain("folder", "docs/\n"),
        plain("folder-at-the-top", "/docs\n/d/e/\n"),
        plain("kept-in-a-folder", "docs/\n!docs/a.yaml\n"),
        plain("all-but", "/*\n!/d\n!/*.yaml\n"),
        plain("all", "*"),
        plain("all-but-deep", "*\n!*/\n!*.txt\n"),
        plain("stars", "**/a.yaml\nf/**\nd/**/b.txt\n"),
        plain("classes", "[ab].yaml\n?.txt\n[!a].zip\n"),
        plain("case", "a.yaml\n*.YML\n"),
        plain("spaces", "*.md \na b.yaml\n \n"),
        plain("escapes", "\\#a\n\\!a\na\\ b.yaml\n"),
        plain("hash-and-bang", "#a\n!a\n!!a\n"),
        plain("vcs-kept", "!.git/\n!.gitignore\n!.git/config\n"),
        plain("carriage-returns", "*.md\r\ndocs/\r\n"),
        plain("middle", "d/e\nd/*.yaml\n"),
    ]
}

fn ignored_by_files() -> Vec<Odd> {
    let inside = |name: &str, rules: &str| Odd::new(name, with_files(&[(".sourceignore", rules)]));
    vec![
        inside("file", "*.md\n/docs/\n"),
        inside("file-empty", ""),
        inside("file-of-windows", "*.md\r\n!keep.md\r\n"),
        inside("file-with-a-mark", "\u{feff}*.md\n*.txt\n"),
        inside("file-of-itself", ".sourceignore\n*.md\n"),
        inside("file-and-spec", "*.md\n!*.yaml\n").ignoring("!keep.md\n/a.yaml\n"),
        Odd::new(
            "files-at-depth",
            with_files(&[
                ("d/.sourceignore", "a.yaml\n!/e/a.yaml\n/b.txt\n"),
                ("docs/x/.sourceignore", "*\n"),
            ]),
        ),
        Odd::new(
            "files-in-each-other",
            with_files(&[(".sourceignore", "d/\n"), ("d/.sourceignore", "!e/a.yaml\n!*\n")]),
        ),
        Odd::new(
            "file-below-git",
            with_files(&[(".git/.sourceignore", "*\n"), ("d/.git/.sourceignore", "/a.yaml\n")]),
        ),
        Odd::of(
            "file-emptied",
            &[file("a.md", "a"), file(".sourceignore", "").kind('1').to("x"), file("a.png", "")],
        ),
        Odd::of(
            "file-linked",
            &[
                file("a.md", "a"),
                file("x", "*.md"),
                file(".sourceignore", "").kind('2').to("x"),
                file("a.png", ""),
            ],
        ),
        Odd::of(
            "file-doubled",
            &[
                file(".sourceignore", "*.md"),
                file("a.md", ""),
                file("a.txt", ""),
                file(".sourceignore", "*.txt"),
            ],
        ),
        Odd::of(
            "file-is-a-folder",
            &[folder(".sourceignore/"), file(".sourceignore/x", "*.md"), file("a.md", ""), file("a.png", "")],
        ),
    ]
}

/// Which layer is taken.
pub fn layers() -> Vec<Odd> {
    let first = || tgz(&[file("first.yaml", "1")]);
    let second =
        || tgz(&[file("app/Chart.yaml", "name: app\nversion: 1.0.0\n"), file("app/logo.png", "logo")]);
    let signature = || b"-----BEGIN PGP SIGNED MESSAGE-----".to_vec();
    let provenance_first = || vec![(PROVENANCE, signature()), (CHART, second())];
    let select = |media_type: &str, operation: &str| json!({"mediaType": media_type, "operation": operation});
    vec![
        Odd::layers("first-of-two", vec![(CONTENT, first()), (CONTENT, second())], Value::Null),
        Odd::layers("second-by-type", vec![(CONTENT, first()), (CHART, second())], select(CHART, "extract")),
        Odd::layers("first-of-the-type", vec![(CHART, first()), (CHART, second())], select(CHART, "extract")),
        Odd::layers(
            "of-another-case",
            vec![(CONTENT, first())],
            json!({"mediaType": CONTENT.to_uppercase()}),
        ),
        Odd::layers("no-such-type", vec![(CONTENT, first())], select(CHART, "copy")),
        Odd::layers("provenance-first", provenance_first(), Value::Null),
        Odd::layers("provenance-first-extracted", provenance_first(), select(CHART, "extract")),
        Odd::layers("provenance-first-copied", provenance_first(), select(CHART, "copy")),
        Odd::layers("provenance-copied", provenance_first(), select(PROVENANCE, "copy")),
        Odd::layers("copied-without-a-type", vec![(CHART, second())], json!({"operation": "copy"})),
        Odd::layers("no-layers", Vec::new(), Value::Null),
        Odd::layers("no-layers-by-type", Vec::new(), select(CHART, "copy")),
        // Flux's library looks a layer's type up by its digest, and finds the first one's; `{}` is the config
        Odd::layers("same-bytes-as-the-config", vec![(CHART, b"{}".to_vec())], select(CHART, "copy")),
        Odd::layers(
            "same-bytes-of-two-types",
            vec![(CONTENT, first()), (CHART, first())],
            select(CHART, "extract"),
        ),
        Odd::layers(
            "same-bytes-first-type",
            vec![(CONTENT, first()), (CHART, first())],
            select(CONTENT, "extract"),
        ),
        Odd {
            spec: json!({"layerSelector": select(CHART, "copy"), "ignore": "*"}),
            ..Odd::layers("copied-and-ignored", provenance_first(), Value::Null)
        },
    ]
}

fn cut(mut bytes: Vec<u8>, length: usize) -> Vec<u8> {
    bytes.truncate(length);
    bytes
}

fn broken(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes[at] ^= 1;
    bytes
}

/// The checksum of gzip stands eight bytes before its end.
fn broken_end(bytes: Vec<u8>) -> Vec<u8> {
    let at = bytes.len() - 8;
    broken(bytes, at)
}

/// Text that does not compress.
fn noise(length: usize) -> String {
    let mut state = 1_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'!' + (state >> 24) as u8 % 90)
        })
        .collect()
}
