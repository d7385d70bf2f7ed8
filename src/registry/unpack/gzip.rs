//! The gzip members of a layer, one after the other, as Go's `compress/gzip` reads them. Hands on bytes, keeps none.

use super::{input::Input, source::Stop};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::io::Read;

/// Go's deflate reader hands out its window of 32 KiB when it is full; an error comes with the rest of a window.
pub(super) const WINDOW: u64 = 32 << 10;
/// Go reads a string of a header into so many bytes.
const HEADER_STRING: usize = 512;
const BAD_HEADER: &str = "gzip: invalid header";

/// What came of one step of unpacking; a stop comes behind the bytes.
pub(super) struct Step {
    pub wrote: usize,
    /// The gzip member ended with these bytes.
    pub member_done: bool,
    pub stop: Option<Stop>,
}

pub(super) struct Gzip<R> {
    input: Input<R>,
    inflate: Decompress,
    crc: Crc,
    /// Bytes of this member so far.
    member: u64,
    /// What follows begins another member.
    between: bool,
}

impl<R: Read> Gzip<R> {
    pub(super) fn open(mut input: Input<R>) -> Result<Self, (Stop, Input<R>)> {
        match header(&mut input) {
            Ok(()) => Ok(Self {
                input,
                inflate: Decompress::new(false),
                crc: Crc::new(),
                member: 0,
                between: false,
            }),
            Err(stop) => Err((stop, input)),
        }
    }

    pub(super) fn input(&mut self) -> &mut Input<R> {
        &mut self.input
    }

    pub(super) const fn member(&self) -> u64 {
        self.member
    }

    /// One step of the deflate stream; at its end what follows it.
    pub(super) fn step(&mut self, out: &mut [u8]) -> Step {
        if self.between {
            (self.between, self.member) = (false, 0);
            self.inflate.reset(false);
            self.crc.reset();
        }
        let input = match self.input.fill() {
            Ok(input) => input,
            Err(error) => return Step { wrote: 0, member_done: false, stop: Some(Stop::Reader(error)) },
        };
        let ended = input.is_empty();
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, out, FlushDecompress::None);
        let read = (self.inflate.total_in() - before.0) as usize;
        let wrote = (self.inflate.total_out() - before.1) as usize;
        self.input.consume(read);
        self.crc.update(&out[..wrote]);
        self.member += wrote as u64;
        let member_done = matches!(status, Ok(Status::StreamEnd));
        let stop = match status {
            Ok(Status::StreamEnd) => self.next_member().err(),
            Ok(Status::Ok | Status::BufError) if wrote > 0 || read > 0 => None,
            Ok(Status::Ok | Status::BufError) if ended => Some(Stop::unexpected_end()),
            Ok(Status::Ok | Status::BufError) | Err(_) => {
                let offset = self.inflate.total_in();
                Some(Stop::Broken(format!("flate: corrupt input before offset {offset}").into()))
            }
        };
        Step { wrote, member_done, stop }
    }

    fn next_member(&mut self) -> Result<(), Stop> {
        let (mut checksum, mut length) = ([0; 4], [0; 4]);
        self.input.exact(&mut checksum)?;
        self.input.exact(&mut length)?;
        // the length is written modulo 2^32
        let written = (u32::from_le_bytes(checksum), u32::from_le_bytes(length));
        if written != (self.crc.sum(), self.member as u32) {
            return Err(Stop::broken("gzip: invalid checksum"));
        }
        header(&mut self.input)?;
        self.between = true;
        Ok(())
    }
}

/// Go's `gzip.Reader.readHeader` (RFC 1952 §2.3.1): also the optional checksum of the header is held.
fn header<R: Read>(input: &mut Input<R>) -> Result<(), Stop> {
    const CHECKSUM: u8 = 1 << 1;
    const EXTRA: u8 = 1 << 2;
    const NAME: u8 = 1 << 3;
    const COMMENT: u8 = 1 << 4;
    let mut fixed = [0; 10];
    input.read(&mut fixed)?;
    if !fixed.starts_with(&[0x1f, 0x8b, 8]) {
        return Err(Stop::broken(BAD_HEADER));
    }
    let flags = fixed[3];
    let mut crc = Crc::new();
    crc.update(&fixed);
    let mut two = [0; 2];
    if flags & EXTRA != 0 {
        input.exact(&mut two)?;
        crc.update(&two);
        let mut extra = vec![0; usize::from(u16::from_le_bytes(two))];
        input.exact(&mut extra)?;
        crc.update(&extra);
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            string(input, &mut crc)?;
        }
    }
    if flags & CHECKSUM != 0 {
        input.exact(&mut two)?;
        if u32::from(u16::from_le_bytes(two)) != crc.sum() & 0xffff {
            return Err(Stop::broken(BAD_HEADER));
        }
    }
    Ok(())
}

fn string<R: Read>(input: &mut Input<R>, crc: &mut Crc) -> Result<(), Stop> {
    for _ in 0..HEADER_STRING {
        let mut byte = [0];
        input.exact(&mut byte)?;
        crc.update(&byte);
        if byte == [0] {
            return Ok(());
        }
    }
    Err(Stop::broken(BAD_HEADER))
}
