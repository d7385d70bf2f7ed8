//! Layers that are too much: what was read is kept, the limit and its flag are named, and no more is asked for.

use super::chance::{Counted, archive, gzip};
use fluxscope::{
    domain::tree::{Fate, Tree},
    registry::unpack::{Limits, Rules, tree},
};
use std::io::{self, Read};

fn cut(layer: &[u8], limits: &Limits) -> (Tree, String, u64) {
    let mut counted = Counted { reader: layer, pulled: 0, at_once: 64 };
    let tree = tree(&mut counted, &Rules::default(), limits).unwrap();
    assert!(!tree.complete && tree.error.is_none(), "{tree:?}");
    let words = tree.cut.clone().unwrap().into_string();
    (tree, words, counted.pulled)
}

fn files(count: usize, size: usize) -> Vec<u8> {
    let names: Vec<String> = (0..count).map(|at| format!("f{at}")).collect();
    let bytes = vec![b'a'; size];
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), bytes.as_slice())).collect();
    archive(&files)
}

/// The same compressed bytes for ever: members of zeros.
struct Bomb {
    head: Vec<u8>,
    member: Vec<u8>,
    at: usize,
}

impl Read for Bomb {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let from = if self.at < self.head.len() {
            &self.head[self.at..]
        } else {
            &self.member[(self.at - self.head.len()) % self.member.len()..]
        };
        let count = from.len().min(bytes.len());
        bytes[..count].copy_from_slice(&from[..count]);
        self.at += count;
        Ok(count)
    }
}

/// A file of an exbibyte whose bytes never end.
fn bomb() -> Counted<Bomb> {
    let mut header = tar::Header::new_gnu();
    header.set_path("bomb").unwrap();
    header.set_size(1 << 60);
    header.set_mode(0o644);
    header.set_cksum();
    let (head, member) = (gzip(header.as_bytes()), gzip(&vec![0; 1 << 20]));
    Counted { reader: Bomb { head, member, at: 0 }, pulled: 0, at_once: 1 << 20 }
}

#[test]
fn unpacked_bytes_are_counted_and_what_was_read_is_kept() {
    let limits = Limits { unpacked: 5500, ..Limits::default() };
    let (tree, words, _) = cut(&gzip(&files(10, 1000)), &limits);
    assert_eq!(words, "more than 5500 bytes when unpacked; --max-unpacked-bytes raises the limit");
    let whole = tree.entries.iter().filter(|entry| entry.sha256.is_some()).count();
    assert_eq!((tree.entries.len(), whole, tree.unpacked), (4, 3, 5500));
    let last = tree.entries.last().unwrap();
    assert_eq!(
        (last.fate, last.size, last.note.as_deref()),
        (Fate::Written, 1000, Some("it was not read to its end"))
    );
}

#[test]
fn a_bomb_ends_at_the_ratio_and_at_the_size() {
    for (ratio, unpacked, words, most) in [
        (200, 1 << 40, "one byte unpacks to more than 200; --max-ratio raises the limit", 300_000),
        (
            2000,
            40 << 20,
            "more than 41943040 bytes when unpacked; --max-unpacked-bytes raises the limit",
            300_000,
        ),
    ] {
        let mut bomb = bomb();
        let limits = Limits { ratio, unpacked, ..Limits::default() };
        let tree = tree(&mut bomb, &Rules::default(), &limits).unwrap();
        assert_eq!((tree.cut.as_deref(), tree.complete), (Some(words), false));
        assert!(bomb.pulled < most, "{} bytes were pulled", bomb.pulled);
    }
}

#[test]
fn a_sparse_file_of_an_exbibyte_costs_nothing() {
    let mut header = tar::Header::new_gnu();
    header.set_path("holes").unwrap();
    header.set_entry_type(tar::EntryType::GNUSparse);
    header.set_size(0);
    header.set_mode(0o644);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(1 << 60);
    header.set_cksum();
    let (tree, words, _) = cut(&gzip(header.as_bytes()), &Limits::default());
    assert!(words.contains("--max-unpacked-bytes"), "{words}");
    assert!(tree.unpacked <= 512);
}

#[test]
fn entries_and_folders_are_counted() {
    let limits = Limits { entries: 3, ..Limits::default() };
    let (tree, words, pulled) = cut(&gzip(&files(200, 1)), &limits);
    assert_eq!(words, "more than 3 entries; --max-entries raises the limit");
    assert_eq!(tree.entries.len(), 3);
    assert!(pulled < 1000);
    let (_, words, _) = cut(&gzip(&archive(&[("a/b/c/d/e", b"")])), &limits);
    assert_eq!(words, "more than 3 folders; --max-entries raises the limit");
}

#[test]
fn a_long_header_is_not_read() {
    let limits = Limits { header: 100, ..Limits::default() };
    let long = "n/".repeat(100) + "n".repeat(120).as_str();
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    builder.append_data(&mut header, &long, io::empty()).unwrap();
    let (_, words, _) = cut(&gzip(&builder.into_inner().unwrap()), &limits);
    assert_eq!(words, "a header of more than 100 bytes; --max-header-bytes raises the limit");
}

#[test]
fn ignore_rules_are_bounded_in_number_in_bytes_and_in_work() {
    let rules =
        |text: &str| gzip(&archive(&[(".sourceignore", text.as_bytes()), ("a", b""), ("b.png", b"")]));
    let limits = Limits { entries: 10, ..Limits::default() };
    let (tree, words, _) = cut(&rules(&"x\n".repeat(11)), &limits);
    assert_eq!(words, "more than 10 ignore rules, none was applied; --max-entries raises the limit");
    assert_eq!(tree.stored().count(), 3);
    let limits = Limits { file: 10, ..Limits::default() };
    let (_, words, _) = cut(&rules(&"x\n".repeat(11)), &limits);
    assert_eq!(words, "more than 10 bytes of ignore rules; --max-file-bytes raises the limit");
    let deep = format!("{}a", "a/".repeat(1000));
    let slow = format!("*{}\n", "[b]".repeat(20_000)).repeat(40);
    let layer = gzip(&archive(&[(".sourceignore", slow.as_bytes())]));
    assert!(tree_of(&layer).complete, "no file has many names");
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in [(".sourceignore", slow.as_bytes()), (&deep, b"")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, bytes).unwrap();
    }
    let limits = Limits { entries: 1100, ..Limits::default() };
    let (_, words, _) = cut(&gzip(&builder.into_inner().unwrap()), &limits);
    assert_eq!(
        words,
        "the ignore rules take too long to apply and were not all; --max-entries raises the limit"
    );
}

fn tree_of(layer: &[u8]) -> Tree {
    tree(layer, &Rules::default(), &Limits::default()).unwrap()
}

#[test]
fn a_failure_of_the_reader_is_no_failure_of_the_layer() {
    struct Lost;
    impl Read for Lost {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "the line is dead"))
        }
    }
    let layer = gzip(&files(10, 1000));
    for read in [0, 5, 20, layer.len() / 2, layer.len() - 4, layer.len()] {
        let reader = io::Read::chain(&layer[..read], Lost);
        let error = tree(reader, &Rules::default(), &Limits::default()).unwrap_err();
        assert_eq!(error.to_string(), "the line is dead", "after {read} of {} bytes", layer.len());
    }
}

#[test]
fn a_layer_is_read_to_its_end_also_behind_the_archive_and_behind_a_refusal() {
    for files in [files(2, 10), archive(&[("a\\b", b"x")])] {
        let layer = [gzip(&files), vec![b'x'; 100_000]].concat();
        let mut counted = Counted { reader: &*layer, pulled: 0, at_once: 5000 };
        tree(&mut counted, &Rules::default(), &Limits::default()).unwrap();
        assert_eq!(counted.pulled, layer.len() as u64);
    }
}
