//! What each entry's fate and note say, and what is said of a layer that is copied or that is no gzip.

use super::{bytes_of, named, read};
use fluxscope::{
    domain::{artifact::Operation, tree::Tree},
    registry::unpack::{Limits, Rules, tree},
};

fn layer(name: &str) -> Vec<u8> {
    let all = named();
    bytes_of(all.iter().find(|case| case["name"] == name).unwrap_or_else(|| panic!("no layer {name}")))
}

fn copied(layer: &[u8]) -> Tree {
    let rules = Rules { operation: Operation::Copy, ignore: Some("*".into()) };
    tree(layer, &rules, &Limits::default()).unwrap()
}

/// `path size fate: note` for every entry.
fn lines(tree: &Tree) -> Vec<String> {
    let line = |entry: &fluxscope::domain::tree::Entry| {
        let note = entry.note.as_deref().map(|note| format!(": {note}")).unwrap_or_default();
        format!("{} {} {}{note}", entry.path, entry.size, entry.fate.word())
    };
    tree.entries.iter().map(line).collect()
}

fn why(tree: &Tree) -> &str {
    &tree.error.as_ref().unwrap().why
}

#[test]
fn a_hard_link_is_emptied_and_a_symbolic_link_skipped() {
    let emptied = "h.yaml 0 emptied: hard link to a.yaml: Flux writes an empty file";
    assert_eq!(lines(&read(&layer("hard-link"), None)), ["a.yaml 1 written", emptied]);
    let skipped = "s 0 skipped: symbolic link to /etc/passwd: Flux skips it";
    assert_eq!(lines(&read(&layer("symlink"), None)), ["a.yaml 1 written", skipped]);
}

#[test]
fn a_global_pax_header_is_a_file_and_its_mode_is_no_good() {
    let global = "pax_global_header 0 emptied: a global PAX header: Flux writes an empty file; \
                  mode 000: a source-controller that is not root cannot read it back";
    assert_eq!(lines(&read(&layer("global-header"), None)), ["a.yaml 1 written", global]);
}

#[test]
fn of_two_entries_of_one_name_the_last_is_written_and_found() {
    let tree = read(&layer("duplicate"), None);
    let first = "a 1 skipped: overwritten by a later entry of the same name";
    assert_eq!(lines(&tree), [first, "a 2 written"]);
    assert_eq!(tree.find("a"), Some(1));
    assert_eq!(tree.entries[0].sha256, None);
}

#[test]
fn a_name_that_is_no_utf8_is_kept_in_the_note() {
    let tree = read(&layer("not-utf8"), None);
    assert_eq!(lines(&tree), ["\u{fffd}\u{fffd}.yaml 1 written: its name is \"\\xff\\xfe.yaml\""]);
}

#[test]
fn what_is_refused_is_listed_behind_what_was_read_before_it() {
    let tree = read(&layer("absolute"), None);
    assert_eq!(lines(&tree), ["/etc/e 0 rejected: the name \"/etc/e\" is absolute", "a.yaml 1 written"]);
    assert_eq!(why(&tree), "the name \"/etc/e\" is absolute");
    assert_eq!((tree.stored().count(), tree.complete), (0, false));
    assert_eq!(lines(&read(&layer("fifo"), None))[1], "f 0 rejected: \"f\" is a named pipe (prw-r--r--)");
    let wrong = read(&layer("hard-link-with-a-size"), None);
    assert_eq!(why(&wrong), "h.yaml has 0 bytes, but its header says 1");
}

#[test]
fn what_is_ignored_names_the_rule_and_where_it_stands() {
    let said = |name: &str, path: &str| {
        let all = named();
        let case = all.iter().find(|case| case["name"] == name).unwrap();
        let tree = read(&bytes_of(case), case["ignore"].as_str());
        let entry = &tree.entries[tree.find(path).unwrap()];
        format!("{}: {}", entry.fate.word(), entry.note.as_deref().unwrap_or_default())
    };
    assert_eq!(said("ignore-defaults", "b.png"), "ignored: ignored by *.png, a default of Flux");
    assert_eq!(said("ignore-defaults", ".git/config"), "ignored: ignored by .git/, a default of Flux");
    assert_eq!(said("ignore-spec", "docs/a.md"), "ignored: ignored by *.md in spec.ignore");
    assert_eq!(said("ignore-spec", "b.png"), "written: ");
    assert_eq!(said("ignore-nested", "docs/api/b.md"), "ignored: ignored by /api in docs/.sourceignore");
    assert_eq!(said("ignore-nested-keeps", "docs/a.md"), "written: ");
}

#[test]
fn a_copied_layer_is_listed_and_nothing_in_it_is_refused_or_ignored() {
    let tree = copied(&layer("ignore-spec"));
    assert!(tree.complete && tree.error.is_none());
    assert!(tree.entries.len() > 10 && tree.entries.iter().all(|entry| entry.fate.is_stored()));
    let tree = copied(&layer("absolute"));
    let skipped = "/etc/e 0 skipped: the name \"/etc/e\" is absolute";
    assert_eq!(lines(&tree), [skipped, "a.yaml 1 written", "b.yaml 1 written"]);
    assert!(tree.complete && tree.error.is_none() && tree.cut.is_none());
    let links = [lines(&copied(&layer("symlink"))), lines(&copied(&layer("hard-link")))].concat();
    assert_eq!(links[1], "s 0 skipped: symbolic link to /etc/passwd");
    assert_eq!(links[3], "h.yaml 0 skipped: hard link to a.yaml");
    let wrong = copied(&layer("hard-link-with-a-size"));
    assert_eq!(
        lines(&wrong),
        ["a.yaml 1 written", "b.yaml 1 written", "h.yaml 0 skipped: hard link to a.yaml"]
    );
}

#[test]
fn a_copied_layer_that_is_broken_is_listed_as_far_as_it_goes() {
    let tree = copied(&layer("one-zero-block-then-more"));
    assert_eq!(lines(&tree), ["a.yaml 1 written"]);
    let cut = "the archive is broken: archive/tar: invalid tar header; Flux copies it as it is";
    assert_eq!((tree.cut.as_deref(), tree.complete), (Some(cut), false));
    assert_eq!(tree.error, None);
}

#[test]
fn a_layer_that_is_no_gzip_is_refused_and_copied_it_has_no_list() {
    for (name, seems) in [
        ("provenance", "it is a signed text, as Helm's provenance files are"),
        ("no-gzip", "it is a tar archive that is not compressed"),
        ("no-bytes", "it is empty"),
        ("gzip-of-another-method", "its gzip header is broken"),
    ] {
        let layer = layer(name);
        let tree = read(&layer, None);
        assert_eq!(why(&tree), format!("{seems}, and Flux reads gzip only"));
        let tree = copied(&layer);
        assert_eq!((&tree.error, tree.complete), (&None, false), "{name}");
        assert_eq!(tree.cut.as_deref(), Some(&*format!("{seems}: there is no list of files")));
    }
}

#[test]
#[cfg(not(feature = "zstd"))]
fn a_layer_in_zstd_is_named() {
    let tree = read(&layer("zstd"), None);
    assert_eq!(why(&tree), "it is compressed with zstd, and Flux reads gzip only");
    assert_eq!(tree.entries, []);
}

#[test]
#[cfg(feature = "zstd")]
fn a_layer_in_zstd_is_listed_and_marked_as_what_flux_cannot_read() {
    // two frames with a frame between them that is to be skipped
    let archive = super::chance::archive(&[("a.yaml", b"a"), ("dir/b.yaml", b"b")]);
    let packed =
        |part: &[u8]| ruzstd::encoding::compress_to_vec(part, ruzstd::encoding::CompressionLevel::Fastest);
    let skipped = b"\x50\x2a\x4d\x18\x02\x00\x00\x00xx".to_vec();
    let layer = [packed(&archive[..700]), skipped, packed(&archive[700..])].concat();
    let tree = read(&layer, None);
    assert_eq!(why(&tree), "it is compressed with zstd, and Flux reads gzip only");
    let note = "skipped: Flux cannot read this layer";
    assert_eq!(lines(&tree), [format!("a.yaml 1 {note}"), format!("dir/b.yaml 1 {note}")]);
    assert_eq!(tree.stored().count(), 0);
    let copied = copied(&layer);
    assert_eq!(lines(&copied), ["a.yaml 1 written", "dir/b.yaml 1 written"]);
    assert!(copied.complete && copied.error.is_none());
    let cut = super::fates::copied(&layer[..layer.len() - 3]);
    assert!(!cut.complete && cut.cut.as_deref().is_some_and(|cut| cut.contains("zstd: ")));
}
