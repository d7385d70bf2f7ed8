//! The bytes of single files, in one pass.

use super::{
    bytes_of,
    chance::{Counted, archive, gzip},
    named, read,
};
use fluxscope::{
    domain::problem::{Cause, Problem},
    registry::unpack::{Limits, contents},
};
use sha2::{Digest, Sha256};
use std::{fmt::Write, io::Read, ops::ControlFlow};

pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

fn of(
    layer: impl Read,
    bytes: &[u8],
    wanted: &[&str],
    limits: &Limits,
    most: usize,
) -> (Vec<String>, Option<Problem>) {
    let tree = read(bytes, None);
    let wanted: Vec<usize> = wanted.iter().map(|path| tree.find(path).unwrap()).collect();
    let mut found = Vec::new();
    let read = contents(layer, &tree, &wanted, limits, &mut |place, bytes| {
        found.push(format!("{}={}", tree.entries[place].path, String::from_utf8_lossy(&bytes)));
        if found.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (found, read.err())
}

fn three() -> Vec<u8> {
    gzip(&archive(&[("c", b"1"), ("a", b"22"), ("b", b"333")]))
}

#[test]
fn files_come_in_the_order_of_the_archive_each_once() {
    let layer = three();
    let (found, problem) = of(&*layer, &layer, &["a", "b", "c", "a"], &Limits::default(), 9);
    assert_eq!((found, problem), (vec!["c=1".to_owned(), "a=22".to_owned(), "b=333".to_owned()], None));
}

#[test]
fn a_pass_ends_with_the_last_file_or_when_it_is_told_to() {
    let layer = [three(), vec![0; 100_000]].concat();
    for (wanted, most, files) in [(vec!["c"], 9, 1), (vec!["a", "b", "c"], 2, 2)] {
        let mut counted = Counted { reader: &*layer, pulled: 0, at_once: 100 };
        let (found, problem) = of(&mut counted, &layer, &wanted, &Limits::default(), most);
        assert_eq!((found.len(), problem), (files, None));
        assert!(counted.pulled < 1000, "{} bytes were pulled", counted.pulled);
    }
}

#[test]
fn what_has_no_bytes_needs_no_reading() {
    let all = named();
    let layer = bytes_of(all.iter().find(|case| case["name"] == "hard-link").unwrap());
    let (found, problem) = of(std::io::empty(), &layer, &["h.yaml"], &Limits::default(), 9);
    assert_eq!((found, problem), (vec!["h.yaml=".to_owned()], None));
}

#[test]
fn a_file_that_is_too_large_is_named_and_the_others_come() {
    let layer = three();
    let limits = Limits { file: 2, ..Limits::default() };
    let (found, problem) = of(&*layer, &layer, &["a", "b", "c"], &limits, 9);
    assert_eq!(found, ["c=1", "a=22"]);
    let problem = problem.unwrap();
    assert_eq!(problem.cause, Cause::Invalid);
    assert_eq!(problem.to_string(), "show b: it has more than 2 bytes (--max-file-bytes raises the limit)");
}

#[test]
fn holes_are_zeros() {
    let all = named();
    for name in ["sparse-old", "sparse-0.0", "sparse-0.1", "sparse-1.0"] {
        let layer = bytes_of(all.iter().find(|case| case["name"] == name).unwrap());
        let tree = read(&layer, None);
        let place = tree.entries.iter().position(|entry| entry.size == 10).unwrap();
        let mut digest = String::new();
        contents(&*layer, &tree, &[place], &Limits::default(), &mut |_, bytes| {
            digest = sha256(&bytes);
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(
            Some(digest.as_str()),
            tree.entries[place].sha256.as_ref().map(fluxscope::domain::digest::Digest::hex),
            "{name}"
        );
    }
}

#[test]
fn other_bytes_than_those_of_the_tree_are_a_problem() {
    let layer = three();
    let (found, problem) = of(&gzip(&archive(&[]))[..], &layer, &["a"], &Limits::default(), 9);
    assert_eq!(found, [""; 0]);
    assert_eq!(problem.unwrap().to_string(), "read the files of the layer: the archive ends before them");
    let (_, problem) = of(&b"no gzip at all"[..], &layer, &["a"], &Limits::default(), 9);
    assert_eq!(problem.unwrap().why, "gzip: invalid header");
}
