//! Compressed bytes -> the bytes of the archive, with the failures that Go's `compress/gzip` would have and where.
//! Never more than the limits allow; never keeps what was read.

use super::Limits;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use std::{
    borrow::Cow,
    fmt,
    io::{self, Read},
};

/// Go's deflate reader hands out its window of 32 KiB when it is full; an error comes with the rest of a window.
const WINDOW: u64 = 32 << 10;
/// A ratio says nothing about less.
const RATIO_FROM: u64 = 16 << 20;
const UNEXPECTED_END: &str = "unexpected EOF";
const BAD_HEADER: &str = "gzip: invalid header";
/// Go reads the strings of a gzip header into so many bytes.
const HEADER_STRING: usize = 512;

/// Why no more bytes come.
#[derive(Debug)]
pub(super) enum Stop {
    /// The regular end.
    End,
    /// The bytes are wrong: Go's words.
    Broken(Cow<'static, str>),
    /// A limit of ours.
    Over(Over),
    /// The reader of the layer failed; nothing is known about the layer.
    Reader(io::Error),
}

/// A limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Unpacked(u64),
    Ratio(u32),
    Header(u64),
    Entries(usize),
    Folders(usize),
    /// Bytes of all `.sourceignore` files.
    Rules(u64),
    RuleCount(usize),
    /// The rules take too long to apply to these names.
    RuleWork(usize),
}

impl Stop {
    pub(super) fn broken(words: &'static str) -> Self {
        Self::Broken(Cow::Borrowed(words))
    }

    pub(super) fn unexpected_end() -> Self {
        Self::broken(UNEXPECTED_END)
    }

    /// The end where more has to come is a failure.
    pub(super) fn or_unexpected(self) -> Self {
        match self {
            Self::End => Self::unexpected_end(),
            other @ (Self::Broken(_) | Self::Over(_) | Self::Reader(_)) => other,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the archive ends before them"),
            Self::Broken(words) => f.write_str(words),
            Self::Over(over) => over.fmt(f),
            Self::Reader(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpacked(limit) => {
                write!(f, "more than {limit} bytes when unpacked; --max-unpacked-bytes raises the limit")
            }
            Self::Ratio(limit) => {
                write!(f, "one byte unpacks to more than {limit}; --max-ratio raises the limit")
            }
            Self::Header(limit) => {
                write!(f, "a header of more than {limit} bytes; --max-header-bytes raises the limit")
            }
            Self::Entries(limit) => write!(f, "more than {limit} entries; --max-entries raises the limit"),
            Self::Folders(limit) => write!(f, "more than {limit} folders; --max-entries raises the limit"),
            Self::Rules(limit) => {
                write!(f, "more than {limit} bytes of ignore rules; --max-file-bytes raises the limit")
            }
            Self::RuleCount(limit) => {
                write!(f, "more than {limit} ignore rules, none was applied; --max-entries raises the limit")
            }
            Self::RuleWork(_) => f.write_str(
                "the ignore rules take too long to apply and were not all; --max-entries raises the limit",
            ),
        }
    }
}

/// A layer that cannot be opened, by what it seems to be instead.
#[derive(Debug)]
pub(super) struct Closed<R> {
    pub stop: Stop,
    pub first: Vec<u8>,
    pub rest: Input<R>,
}

/// The bytes of an archive, in order.
pub(super) struct Source<R> {
    input: Input<R>,
    inflate: Decompress,
    crc: Crc,
    /// Bytes of this gzip member so far.
    member: u64,
    limits: Limits,
    out: Box<[u8]>,
    at: usize,
    end: usize,
    /// Bytes handed to the buffer so far, this buffer included.
    total: u64,
    /// The buffer ends where its gzip member ends.
    member_done: bool,
    fault: Option<Fault>,
}

struct Fault {
    stop: Stop,
    /// Go returns it together with the last bytes, not on the next read.
    with_last: bool,
    /// It is one of the deflate stream, which Go's `Close` repeats.
    deflate: bool,
}

impl<R: Read> Source<R> {
    pub(super) fn open(reader: R, limits: Limits) -> Result<Self, Closed<R>> {
        let mut input = Input::new(reader);
        let first = match input.peek(512) {
            Ok(first) => first.to_vec(),
            Err(error) => return Err(Closed { stop: Stop::Reader(error), first: Vec::new(), rest: input }),
        };
        if let Err(stop) = input.gzip_header() {
            return Err(Closed { stop, first, rest: input });
        }
        Ok(Self {
            input,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            member: 0,
            limits,
            out: vec![0; 128 << 10].into_boxed_slice(),
            at: 0,
            end: 0,
            total: 0,
            member_done: false,
            fault: None,
        })
    }

    /// Bytes that were consumed.
    pub(super) fn position(&self) -> u64 {
        self.total - (self.end - self.at) as u64
    }

    /// The next bytes, at least one.
    pub(super) fn buffer(&mut self) -> Result<&[u8], Stop> {
        if self.at == self.end && self.fault.is_none() {
            self.fill();
        }
        if self.at == self.end { Err(self.take_fault()) } else { Ok(&self.out[self.at..self.end]) }
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
    }

    /// The failure that Go returns together with the bytes that were consumed last, if there is one.
    pub(super) fn failed_with_last(&mut self) -> Option<Stop> {
        if self.at == self.end && self.fault.is_none() {
            self.fill();
        }
        let comes = self.at == self.end && self.fault.as_ref().is_some_and(|fault| fault.with_last);
        comes.then(|| self.take_fault())
    }

    /// What Go's `Close` says after the end of the archive: its deflate reader is up to a window ahead.
    pub(super) fn close(&mut self) -> Option<Stop> {
        let left = (self.end - self.at) as u64;
        if self.member_done || self.fault.as_ref().is_some_and(|fault| !fault.deflate) {
            return None;
        }
        let consumed = self.member - left;
        if consumed.is_multiple_of(WINDOW) {
            return None;
        }
        let boundary = consumed.next_multiple_of(WINDOW);
        while self.fault.is_none() && !self.member_done && self.member < boundary {
            self.fill();
        }
        let ahead = self.fault.as_ref().is_some_and(|fault| fault.deflate) && self.member < boundary;
        ahead.then(|| self.take_fault())
    }

    /// Reads the layer on to its end, without unpacking it.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        self.input.drain()
    }

    fn take_fault(&mut self) -> Stop {
        let fault = self.fault.replace(Fault { stop: Stop::End, with_last: false, deflate: false });
        fault.map_or(Stop::End, |fault| fault.stop)
    }

    /// Fills the buffer, or sets the fault, or both.
    fn fill(&mut self) {
        (self.at, self.end) = (0, 0);
        while self.end == 0 && self.fault.is_none() {
            self.member_done = false;
            if let Err(stop) = self.inflate() {
                let deflate = !self.member_done && matches!(stop, Stop::Broken(_));
                let with_last = matches!(stop, Stop::Broken(_)) && !self.member.is_multiple_of(WINDOW);
                self.fault = Some(Fault { stop, with_last, deflate });
            } else if self.member_done {
                self.member = 0;
            }
        }
        if let Some(over) = self.over() {
            self.end = 0;
            self.fault = Some(Fault { stop: Stop::Over(over), with_last: false, deflate: false });
        }
        self.total += self.end as u64;
    }

    fn over(&self) -> Option<Over> {
        let total = self.total + self.end as u64;
        let ratio = u64::from(self.limits.ratio);
        if self.end > 0 && total > self.limits.unpacked {
            Some(Over::Unpacked(self.limits.unpacked))
        } else if self.end > 0 && total > RATIO_FROM && total / self.input.taken.max(1) >= ratio {
            Some(Over::Ratio(self.limits.ratio))
        } else {
            None
        }
    }

    /// One step of the deflate stream; at its end what follows it.
    fn inflate(&mut self) -> Result<(), Stop> {
        let input = self.input.fill().map_err(Stop::Reader)?;
        let ended = input.is_empty();
        let (read, wrote) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, &mut self.out, FlushDecompress::None);
        let read = (self.inflate.total_in() - read) as usize;
        self.end = (self.inflate.total_out() - wrote) as usize;
        self.input.consume(read);
        self.crc.update(&self.out[..self.end]);
        self.member += self.end as u64;
        match status {
            Ok(Status::StreamEnd) => self.next_member(),
            Ok(Status::Ok | Status::BufError) if self.end > 0 || read > 0 => Ok(()),
            Ok(Status::Ok | Status::BufError) if ended => Err(Stop::unexpected_end()),
            Ok(Status::Ok | Status::BufError) | Err(_) => {
                let offset = self.inflate.total_in();
                Err(Stop::Broken(format!("flate: corrupt input before offset {offset}").into()))
            }
        }
    }

    fn next_member(&mut self) -> Result<(), Stop> {
        self.member_done = true;
        let mut trailer = [0; 8];
        self.input.exact(&mut trailer)?;
        let [a, b, c, d, e, f, g, h] = trailer;
        let written = self.member as u32;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.sum() || u32::from_le_bytes([e, f, g, h]) != written {
            return Err(Stop::broken("gzip: invalid checksum"));
        }
        self.input.gzip_header()?;
        self.inflate.reset(false);
        self.crc.reset();
        Ok(())
    }
}

/// The compressed bytes, buffered and counted.
#[derive(Debug)]
pub(super) struct Input<R> {
    reader: R,
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    /// Bytes that came from the reader.
    taken: u64,
}

impl<R: Read> Input<R> {
    fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; 64 << 10].into_boxed_slice(), at: 0, end: 0, taken: 0 }
    }

    /// What is buffered; if nothing is, what the reader gives. Empty at the end.
    fn fill(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            (self.at, self.end) = (0, 0);
            self.more()?;
        }
        Ok(&self.buffer[self.at..self.end])
    }

    /// The first bytes, as many as there are up to `wanted`, without consuming them.
    fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        while self.end < wanted && self.more()? > 0 {}
        Ok(&self.buffer[..self.end.min(wanted)])
    }

    fn more(&mut self) -> io::Result<usize> {
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(count) => {
                    self.end += count;
                    self.taken += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
    }

    pub(super) fn drain(&mut self) -> io::Result<()> {
        while !self.fill()?.is_empty() {
            self.at = self.end;
        }
        Ok(())
    }

    /// Fills `bytes`; ends with `Stop::End` only if there was none of them.
    fn read(&mut self, bytes: &mut [u8]) -> Result<(), Stop> {
        let mut done = 0;
        while done < bytes.len() {
            let input = self.fill().map_err(Stop::Reader)?;
            let count = input.len().min(bytes.len() - done);
            if count == 0 {
                return Err(if done == 0 { Stop::End } else { Stop::unexpected_end() });
            }
            bytes[done..done + count].copy_from_slice(&input[..count]);
            self.consume(count);
            done += count;
        }
        Ok(())
    }

    fn exact(&mut self, bytes: &mut [u8]) -> Result<(), Stop> {
        self.read(bytes).map_err(Stop::or_unexpected)
    }

    /// Go's `gzip.Reader.readHeader` (RFC 1952 §2.3.1): also the optional checksum of the header is held.
    fn gzip_header(&mut self) -> Result<(), Stop> {
        const CHECKSUM: u8 = 1 << 1;
        const EXTRA: u8 = 1 << 2;
        const NAME: u8 = 1 << 3;
        const COMMENT: u8 = 1 << 4;
        let mut fixed = [0; 10];
        self.read(&mut fixed)?;
        if !fixed.starts_with(&[0x1f, 0x8b, 8]) {
            return Err(Stop::broken(BAD_HEADER));
        }
        let flags = fixed[3];
        let mut crc = Crc::new();
        crc.update(&fixed);
        let mut two = [0; 2];
        if flags & EXTRA != 0 {
            self.exact(&mut two)?;
            crc.update(&two);
            let mut extra = vec![0; usize::from(u16::from_le_bytes(two))];
            self.exact(&mut extra)?;
            crc.update(&extra);
        }
        for flag in [NAME, COMMENT] {
            if flags & flag != 0 {
                self.header_string(&mut crc)?;
            }
        }
        if flags & CHECKSUM != 0 {
            self.exact(&mut two)?;
            if u32::from(u16::from_le_bytes(two)) != crc.sum() & 0xffff {
                return Err(Stop::broken(BAD_HEADER));
            }
        }
        Ok(())
    }

    fn header_string(&mut self, crc: &mut Crc) -> Result<(), Stop> {
        for _ in 0..HEADER_STRING {
            let mut byte = [0];
            self.exact(&mut byte)?;
            crc.update(&byte);
            if byte == [0] {
                return Ok(());
            }
        }
        Err(Stop::broken(BAD_HEADER))
    }
}
