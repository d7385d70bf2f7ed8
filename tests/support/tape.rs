//! Archives byte by byte, so that they can be wrong: no writer of archives would write these. It reads nothing.

use flate2::{Compression, write::GzEncoder};
use std::io::Write;

const BLOCK: usize = 512;

/// One entry of an archive.
pub struct Entry<'a> {
    name: &'a [u8],
    kind: u8,
    mode: u32,
    link: &'a str,
    content: &'a [u8],
}

pub fn file<'a>(name: &'a str, content: &'a str) -> Entry<'a> {
    Entry { name: name.as_bytes(), kind: b'0', mode: 0o644, link: "", content: content.as_bytes() }
}

pub fn folder(name: &str) -> Entry<'_> {
    Entry { kind: b'5', mode: 0o755, ..file(name, "") }
}

impl<'a> Entry<'a> {
    /// The type flag of ustar, e.g. `1` for a hard link.
    pub fn kind(self, kind: char) -> Self {
        Self { kind: kind as u8, ..self }
    }

    pub fn mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    pub fn to(self, link: &'a str) -> Self {
        Self { link, ..self }
    }

    pub fn named(self, name: &'a [u8]) -> Self {
        Self { name, ..self }
    }

    /// Header and content, filled up to whole blocks.
    pub fn bytes(&self) -> Vec<u8> {
        let mut header = [0; BLOCK];
        header[..self.name.len()].copy_from_slice(self.name);
        header[100..108].copy_from_slice(format!("{:07o}\0", self.mode).as_bytes());
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", self.content.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = self.kind;
        header[157..157 + self.link.len()].copy_from_slice(self.link.as_bytes());
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut bytes = header.to_vec();
        bytes.extend_from_slice(self.content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }
}

/// A header of pax before the entry that it is about: `LENGTH KEY=VALUE`, the length counting itself.
pub fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let content: String = records.iter().map(|(key, value)| record(key, value)).collect();
    file("PaxHeaders/0", &content).kind('x').bytes()
}

fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let length =
        (1..20).find(|digits| (rest.len() + digits).to_string().len() == *digits).map(|d| rest.len() + d);
    format!("{}{rest}", length.unwrap_or_default())
}

/// The entries one after the other, without an end.
pub fn entries(all: &[Entry<'_>]) -> Vec<u8> {
    all.iter().flat_map(Entry::bytes).collect()
}

/// With the two empty blocks that end an archive.
pub fn ended(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len() + 2 * BLOCK, 0);
    bytes
}

pub fn zero_block() -> Vec<u8> {
    vec![0; BLOCK]
}

/// One member of gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// An archive as it should be.
pub fn tgz(all: &[Entry<'_>]) -> Vec<u8> {
    gzip(&ended(entries(all)))
}
