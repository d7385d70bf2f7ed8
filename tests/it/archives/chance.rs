//! Layers made by chance: nothing panics, no limit is passed, every reading ends, and the bytes are those of the digest.

use super::{bytes_of, named};
use flate2::{Compression, write::GzEncoder};
use fluxscope::{
    domain::{artifact::Operation, tree::Tree},
    registry::unpack::{Limits, Rules, contents, tree},
};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::{
    io::{self, Read, Write},
    ops::ControlFlow,
};

/// Gives a few bytes at a time, and counts them.
pub(super) struct Counted<R> {
    pub reader: R,
    pub pulled: u64,
    pub at_once: usize,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let room = bytes.len().min(self.at_once);
        let count = self.reader.read(&mut bytes[..room])?;
        self.pulled += count as u64;
        Ok(count)
    }
}

pub(super) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn small() -> Limits {
    Limits { unpacked: 4096, file: 64, entries: 4, header: 512, ratio: 10 }
}

/// Reads it in every way there is. Never a panic, never an error, never beyond a limit.
fn check(layer: &[u8], at_once: usize) {
    for operation in [Operation::Extract, Operation::Copy] {
        for limits in [Limits::default(), small()] {
            let rules = Rules { operation, ignore: Some("a*\n!ab/\n".into()) };
            let mut counted = Counted { reader: layer, pulled: 0, at_once };
            let tree = tree(&mut counted, &rules, &limits).unwrap();
            assert!(tree.unpacked <= limits.unpacked && tree.entries.len() <= limits.entries);
            assert!(counted.pulled <= layer.len() as u64);
            let limited = tree.cut.as_deref().is_some_and(|cut| cut.contains("--max"));
            assert!(limited || counted.pulled == layer.len() as u64, "not read to its end: {:?}", tree.cut);
            assert_eq!(tree.complete, tree.error.is_none() && tree.cut.is_none());
            assert!(tree.entries.is_sorted_by(|a, b| a.path <= b.path));
            bytes_are_those_of_the_digest(layer, &tree, &limits);
        }
    }
}

fn bytes_are_those_of_the_digest(layer: &[u8], tree: &Tree, limits: &Limits) {
    let read =
        |entry: &&usize| tree.entries[**entry].sha256.is_some() && tree.entries[**entry].size <= limits.file;
    let wanted: Vec<usize> = (0..tree.entries.len()).collect();
    let wanted: Vec<usize> = wanted.iter().filter(read).copied().collect();
    let mut found = Vec::new();
    contents(layer, tree, &wanted, limits, &mut |place, bytes| {
        let entry = &tree.entries[place];
        assert_eq!(entry.size, bytes.len() as u64);
        assert_eq!(entry.sha256.as_ref().unwrap().hex(), super::contents::sha256(&bytes));
        found.push(place);
        ControlFlow::Continue(())
    })
    .unwrap();
    found.sort_unstable();
    assert_eq!(found, wanted);
}

#[test]
fn every_odd_layer_is_read_within_the_limits_however_it_comes() {
    for case in named() {
        for at_once in [1, 7, 1 << 20] {
            check(&bytes_of(case), at_once);
        }
    }
}

proptest! {
    #[test]
    fn bytes_made_by_chance_are_read_within_the_limits(bytes in vec(any::<u8>(), 0..2000), at_once in 1_usize..600) {
        check(&bytes, at_once);
        check(&gzip(&bytes), at_once);
    }

    #[test]
    fn damaged_layers_are_read_within_the_limits(
        which in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
        cut in any::<Index>(),
        shorter in any::<bool>(),
    ) {
        let cases = named();
        let mut layer = bytes_of(which.get(cases));
        prop_assume!(!layer.is_empty());
        for (at, byte) in changes {
            let at = at.index(layer.len());
            layer[at] = byte;
        }
        if shorter {
            layer.truncate(cut.index(layer.len()));
        }
        check(&layer, 100);
    }

    #[test]
    fn damaged_archives_are_read_within_the_limits(
        which in any::<Index>(),
        changes in vec((any::<Index>(), any::<u8>()), 1..8),
        mended in any::<bool>(),
    ) {
        let cases = named();
        let mut archive = Vec::new();
        // what is no gzip stays empty
        let _ = flate2::read::MultiGzDecoder::new(&*bytes_of(which.get(cases))).read_to_end(&mut archive);
        prop_assume!(!archive.is_empty() && archive.len() < 100_000);
        for (at, byte) in changes {
            let at = at.index(archive.len());
            archive[at] = byte;
            if mended {
                mend(&mut archive, at / 512 * 512);
            }
        }
        check(&gzip(&archive), 1000);
    }
}

/// Writes the checksum that belongs to the block.
fn mend(archive: &mut [u8], at: usize) {
    let Some(block) = archive.get_mut(at..at + 512) else { return };
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
