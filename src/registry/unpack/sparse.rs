//! The maps of sparse files, in the four forms that Go reads (old GNU, PAX 0.0, 0.1 and 1.0). Decides which parts of a
//! file are in the archive; reads no contents.

use super::{
    header::{self, BLOCK, Block, Header, Records, decimal, invalid, numeric},
    source::Stop,
};

/// Go's bound on a map, in bytes.
const MAP: usize = 1 << 20;

/// A part of a file that is in the archive; between them are zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fragment {
    pub offset: i64,
    pub length: i64,
}

/// A map in a PAX header, or where it stands.
pub(super) enum Form {
    None,
    /// Versions 0.0 and 0.1: in the records.
    Records,
    /// Version 1.0: before the data.
    Data,
}

impl Form {
    pub(super) fn of(records: &Records) -> Self {
        match (records.get(b"GNU.sparse.major"), records.get(b"GNU.sparse.minor")) {
            (b"0", b"0" | b"1") => Self::Records,
            (b"1", b"0") => Self::Data,
            (b"", b"") if !records.get(b"GNU.sparse.map").is_empty() => Self::Records,
            _ => Self::None,
        }
    }
}

/// The name and the size that such a file has when it is expanded.
pub(super) fn expand(header: &mut Header, records: &Records) -> Result<(), Stop> {
    let name = records.get(b"GNU.sparse.name");
    if !name.is_empty() {
        name.clone_into(&mut header.name);
    }
    let sizes = [records.get(b"GNU.sparse.size"), records.get(b"GNU.sparse.realsize")];
    if let Some(size) = sizes.into_iter().find(|size| !size.is_empty()) {
        header.size = decimal(size)?;
    }
    Ok(())
}

/// The map of version 0.1, into which 0.0 was turned.
pub(super) fn map_of_records(records: &Records) -> Result<Vec<Fragment>, Stop> {
    let count = count(decimal(records.get(b"GNU.sparse.numblocks"))?)?;
    let map = records.get(b"GNU.sparse.map");
    let numbers: Vec<&[u8]> =
        if map.is_empty() { Vec::new() } else { map.split(|&byte| byte == b',').collect() };
    if numbers.len() != 2 * count {
        return Err(invalid());
    }
    numbers.chunks_exact(2).map(|pair| fragment(pair[0], pair[1])).collect()
}

/// The map of version 1.0: lines of numbers, to the end of the block that holds the last one.
pub(super) fn map_of_data(mut next: impl FnMut() -> Result<Block, Stop>) -> Result<Vec<Fragment>, Stop> {
    let mut text: Vec<u8> = Vec::new();
    let mut lines = 0_usize;
    let mut feed = |text: &mut Vec<u8>, wanted: usize| {
        while lines < wanted {
            if text.len() + BLOCK > MAP {
                return Err(too_long());
            }
            let block = next()?;
            text.extend_from_slice(&block);
            lines += block.split(|&byte| byte == b'\n').count() - 1;
        }
        Ok(())
    };
    feed(&mut text, 1)?;
    let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = count(decimal(first)?)?;
    feed(&mut text, (2 * count).saturating_add(1))?;
    let numbers: Vec<&[u8]> = text.split(|&byte| byte == b'\n').skip(1).take(2 * count).collect();
    numbers.chunks_exact(2).map(|pair| fragment(pair[0], pair[1])).collect()
}

/// The map of the old GNU format: in the header, and in blocks that follow it.
pub(super) fn map_of_header(
    block: &Block,
    header: &mut Header,
    mut next: impl FnMut() -> Result<Block, Stop>,
) -> Result<Vec<Fragment>, Stop> {
    if !header::is_gnu(block) {
        return Err(invalid());
    }
    header.size = numeric(&block[483..495])?;
    let mut fragments = Vec::new();
    let mut total = 4 * 24 + 1;
    let mut extended = add(&block[386..483], &mut fragments)?;
    while extended {
        let block = next()?;
        total += BLOCK;
        if total >= MAP {
            return Err(too_long());
        }
        extended = add(&block, &mut fragments)?;
    }
    Ok(fragments)
}

/// Adds the entries of a part of a map; true if more of it follows.
fn add(map: &[u8], fragments: &mut Vec<Fragment>) -> Result<bool, Stop> {
    let entries = map.len() / 24;
    for entry in map.chunks_exact(24).take_while(|entry| entry[0] != 0) {
        fragments.push(Fragment { offset: numeric(&entry[..12])?, length: numeric(&entry[12..])? });
    }
    Ok(map.get(entries * 24).is_some_and(|more| *more > 0))
}

/// Fails unless the fragments are in order, apart, and inside the file.
pub(super) fn check(fragments: &[Fragment], header: &Header) -> Result<(), Stop> {
    let mut before = 0;
    for part in fragments {
        let end = part.offset.checked_add(part.length).ok_or_else(invalid)?;
        if part.offset < before || part.length < 0 || end > header.size {
            return Err(invalid());
        }
        before = end;
    }
    if header.size < 0 || header.is_header_only() { Err(invalid()) } else { Ok(()) }
}

fn fragment(offset: &[u8], length: &[u8]) -> Result<Fragment, Stop> {
    Ok(Fragment { offset: decimal(offset)?, length: decimal(length)? })
}

fn count(number: i64) -> Result<usize, Stop> {
    usize::try_from(number).ok().filter(|count| *count <= isize::MAX as usize / 2).ok_or_else(invalid)
}

fn too_long() -> Stop {
    Stop::broken("archive/tar: sparse map too long")
}
