//! The entries of an archive, one after the other, as Go's `archive/tar.Reader` gives them. Knows nothing of Flux.

use super::{
    Limits,
    header::{
        BLOCK, Block, FOLDER, GNU_LONG_LINK, GNU_LONG_NAME, GNU_SPARSE, Header, OLD_REGULAR, PAX_GLOBAL,
        PAX_NEXT, REGULAR, Records, invalid, string,
    },
    source::{Over, Source, Stop},
    sparse::{self, Form, Fragment},
};
use std::io::Read;

/// Go's bound on a long name and on PAX records, in bytes.
const SPECIAL: u64 = 1 << 20;
const ZEROS: [u8; 8 << 10] = [0; 8 << 10];

/// An entry whose data is read next.
#[derive(Debug)]
pub(super) struct Member {
    pub header: Header,
    /// Where what follows its header begins, in the unpacked archive.
    pub at: u64,
    pub sparse: bool,
}

pub(super) struct Archive<R> {
    source: Source<R>,
    limits: Limits,
    /// Bytes of the current entry that are in the archive and were not read yet.
    left: u64,
    padding: usize,
    /// The parts of the current entry, if it is sparse, and its size.
    sparse: Option<(Vec<Fragment>, u64)>,
    /// Zeros of sparse files that are not in the archive.
    expanded: u64,
    broken: bool,
}

/// What extended headers said about the entry that follows them.
#[derive(Default)]
struct Extended {
    records: Records,
    name: Vec<u8>,
    link: Vec<u8>,
}

impl<R: Read> Archive<R> {
    pub(super) fn new(source: Source<R>, limits: Limits) -> Self {
        Self { source, limits, left: 0, padding: 0, sparse: None, expanded: 0, broken: false }
    }

    /// Bytes unpacked so far, the zeros of sparse files included.
    pub(super) fn unpacked(&self) -> u64 {
        self.source.position() + self.expanded
    }

    /// No entry can follow: the archive failed, and not the entry.
    pub(super) fn is_broken(&self) -> bool {
        self.broken
    }

    pub(super) fn source(&mut self) -> &mut Source<R> {
        &mut self.source
    }

    /// The next entry. `Stop::End` is the regular end.
    pub(super) fn next(&mut self) -> Result<Member, Stop> {
        let mut extended = Extended::default();
        loop {
            self.skip()?;
            self.pad()?;
            let block = self.header_block()?;
            let mut header = Header::parse(&block)?;
            self.expect_data(&header)?;
            match header.kind {
                PAX_NEXT => extended.records = Records::parse(&self.special()?)?,
                PAX_GLOBAL => {
                    let records = Records::parse(&self.special()?)?;
                    // Go hands it out like a file without data, and drops what came before it
                    let _ = records.apply(&mut header);
                    let header = Header { name: header.name, kind: PAX_GLOBAL, ..Header::default() };
                    return Ok(Member { header, at: self.source.position(), sparse: false });
                }
                GNU_LONG_NAME => extended.name = string(&self.special()?).to_vec(),
                GNU_LONG_LINK => extended.link = string(&self.special()?).to_vec(),
                _ => return self.member(header, &block, &extended),
            }
        }
    }

    fn member(&mut self, mut header: Header, block: &Block, extended: &Extended) -> Result<Member, Stop> {
        extended.records.apply(&mut header)?;
        for (long, field) in [(&extended.name, &mut header.name), (&extended.link, &mut header.link)] {
            if !long.is_empty() {
                long.clone_into(field);
            }
        }
        if header.kind == OLD_REGULAR {
            header.kind = if header.name.ends_with(b"/") { FOLDER } else { REGULAR };
        }
        self.expect_data(&header)?;
        let fragments = self.fragments(&mut header, block, &extended.records)?;
        if let Some(fragments) = &fragments {
            sparse::check(fragments, &header)?;
        }
        let sparse = fragments.is_some();
        self.sparse = fragments.map(|fragments| (fragments, header.size.unsigned_abs()));
        Ok(Member { header, at: self.source.position(), sparse })
    }

    fn fragments(
        &mut self,
        header: &mut Header,
        block: &Block,
        records: &Records,
    ) -> Result<Option<Vec<Fragment>>, Stop> {
        if header.kind == GNU_SPARSE {
            let next = || self.block().map_err(Stop::or_unexpected);
            return sparse::map_of_header(block, header, next).map(Some);
        }
        match Form::of(records) {
            Form::None => Ok(None),
            Form::Records => {
                sparse::expand(header, records)?;
                sparse::map_of_records(records).map(Some)
            }
            Form::Data => {
                sparse::expand(header, records)?;
                sparse::map_of_data(|| self.data_block()).map(Some)
            }
        }
    }

    /// Hands out the data of the current entry, holes filled; returns how many bytes there were.
    pub(super) fn data(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<u64, Stop> {
        let read = self.expand(take);
        self.broken |= read.is_err();
        read
    }

    fn expand(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<u64, Stop> {
        let Some((fragments, size)) = self.sparse.take() else {
            let size = self.left;
            self.part(size, take)?;
            return Ok(size);
        };
        let mut done = 0;
        for part in fragments.iter().filter(|part| part.length > 0) {
            self.zeros(part.offset.unsigned_abs() - done, take)?;
            let length = part.length.unsigned_abs();
            if length > self.left {
                self.part(self.left, take)?;
                return Err(Stop::broken("archive/tar: sparse file references non-existent data"));
            }
            self.part(length, take)?;
            done = part.offset.unsigned_abs() + length;
        }
        self.zeros(size - done, take)?;
        if self.left > 0 {
            return Err(Stop::broken("archive/tar: sparse file contains unreferenced data"));
        }
        Ok(size)
    }

    fn part(&mut self, mut wanted: u64, take: &mut dyn FnMut(&[u8])) -> Result<(), Stop> {
        if wanted == 0 {
            return Ok(());
        }
        while wanted > 0 {
            let bytes = self.buffer().map_err(Stop::or_unexpected)?;
            let count = wanted.min(bytes.len() as u64);
            take(&bytes[..count as usize]);
            self.source.consume(count as usize);
            wanted -= count;
            self.left -= count;
        }
        self.source.failed_with_last().map_or(Ok(()), Err)
    }

    fn zeros(&mut self, mut wanted: u64, take: &mut dyn FnMut(&[u8])) -> Result<(), Stop> {
        if wanted > self.room() {
            return Err(Stop::Over(Over::Unpacked(self.limits.unpacked)));
        }
        self.expanded += wanted;
        while wanted > 0 {
            let count = wanted.min(ZEROS.len() as u64);
            take(&ZEROS[..count as usize]);
            wanted -= count;
        }
        Ok(())
    }

    fn expect_data(&mut self, header: &Header) -> Result<(), Stop> {
        let size = if header.is_header_only() { 0 } else { header.size };
        self.left = u64::try_from(size).map_err(|_| invalid())?;
        self.padding = (self.left.wrapping_neg() % BLOCK as u64) as usize;
        self.sparse = None;
        Ok(())
    }

    /// Drops what was not read of the current entry.
    fn skip(&mut self) -> Result<(), Stop> {
        while self.left > 0 {
            let length = self.buffer().map_err(Stop::or_unexpected)?.len();
            let count = self.left.min(length as u64);
            self.source.consume(count as usize);
            self.left -= count;
        }
        Ok(())
    }

    /// Drops the padding. Where it is cut short Go takes that for the end.
    fn pad(&mut self) -> Result<(), Stop> {
        if self.padding == 0 {
            return Ok(());
        }
        while self.padding > 0 {
            let count = self.buffer()?.len().min(self.padding);
            self.source.consume(count);
            self.padding -= count;
        }
        self.source.failed_with_last().map_or(Ok(()), Err)
    }

    /// The next header; two blocks of zeros are the end, and one at the end of the bytes is too.
    fn header_block(&mut self) -> Result<Block, Stop> {
        let block = self.block()?;
        if block != [0; BLOCK] {
            return Ok(block);
        }
        Err(if self.block()? == [0; BLOCK] { Stop::End } else { invalid() })
    }

    /// A block; `Stop::End` only if nothing of it is there. What comes together with its last byte is for the next
    /// read.
    fn block(&mut self) -> Result<Block, Stop> {
        let mut block = [0; BLOCK];
        let mut done = 0;
        while done < BLOCK {
            let bytes = match self.buffer() {
                Ok(bytes) => bytes,
                Err(Stop::End) if done > 0 => return Err(Stop::unexpected_end()),
                Err(stop) => return Err(stop),
            };
            let count = bytes.len().min(BLOCK - done);
            block[done..done + count].copy_from_slice(&bytes[..count]);
            self.source.consume(count);
            done += count;
        }
        Ok(block)
    }

    /// The next bytes, at least one.
    fn buffer(&mut self) -> Result<&[u8], Stop> {
        let room = self.room();
        let bytes = self.source.buffer()?;
        match bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX)) {
            0 => Err(Stop::Over(Over::Unpacked(self.limits.unpacked))),
            count => Ok(&bytes[..count]),
        }
    }

    /// Bytes that may still be unpacked.
    fn room(&self) -> u64 {
        self.limits.unpacked.saturating_sub(self.unpacked())
    }

    fn special(&mut self) -> Result<Vec<u8>, Stop> {
        let limit = self.limits.header.min(SPECIAL);
        let mut bytes = Vec::new();
        self.part(self.left.min(limit + 1), &mut |part| bytes.extend_from_slice(part))?;
        match bytes.len() as u64 {
            length if length > SPECIAL => Err(Stop::broken("archive/tar: header field too long")),
            length if length > limit => Err(Stop::Over(Over::Header(limit))),
            _ => Ok(bytes),
        }
    }

    fn data_block(&mut self) -> Result<Block, Stop> {
        let mut block = [0; BLOCK];
        let mut done = 0;
        let wanted = self.left.min(BLOCK as u64);
        self.part(wanted, &mut |part| {
            block[done..done + part.len()].copy_from_slice(part);
            done += part.len();
        })?;
        if done < BLOCK { Err(Stop::unexpected_end()) } else { Ok(block) }
    }
}
