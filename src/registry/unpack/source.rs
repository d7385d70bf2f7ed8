//! Compressed bytes -> the bytes of the archive, with the failures that Go's `compress/gzip` would have and where.
//! Never more than the limits allow; never keeps what was read.

#[cfg(feature = "zstd")]
use super::zstd::Zstd;
use super::{
    Limits,
    gzip::{Gzip, Step, WINDOW},
    input::Input,
};
use std::{
    borrow::Cow,
    fmt,
    io::{self, Read},
};

/// A ratio says nothing about less.
const RATIO_FROM: u64 = 16 << 20;
const UNEXPECTED_END: &str = "unexpected EOF";

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

/// A layer that cannot be opened, its first bytes, and the rest of it.
pub(super) struct Closed<R> {
    pub stop: Stop,
    pub first: Vec<u8>,
    pub rest: Input<R>,
}

/// The bytes of an archive, in order.
pub(super) struct Source<R> {
    decoder: Decoder<R>,
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

enum Decoder<R> {
    Gzip(Box<Gzip<R>>),
    Plain(Input<R>),
    #[cfg(feature = "zstd")]
    Zstd(Box<Zstd<R>>),
}

impl<R: Read> Decoder<R> {
    fn step(&mut self, out: &mut [u8]) -> Step {
        match self {
            Self::Gzip(gzip) => gzip.step(out),
            Self::Plain(input) => copy(input, out),
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => zstd.step(out),
        }
    }

    fn input(&mut self) -> &mut Input<R> {
        match self {
            Self::Gzip(gzip) => gzip.input(),
            Self::Plain(input) => input,
            #[cfg(feature = "zstd")]
            Self::Zstd(zstd) => zstd.input(),
        }
    }

    /// Bytes of the current gzip member so far.
    const fn member(&self) -> u64 {
        match self {
            Self::Gzip(gzip) => gzip.member(),
            Self::Plain(_) => 0,
            #[cfg(feature = "zstd")]
            Self::Zstd(_) => 0,
        }
    }
}

fn copy(input: &mut Input<impl Read>, out: &mut [u8]) -> Step {
    match input.fill() {
        Ok([]) => Step { wrote: 0, member_done: true, stop: Some(Stop::End) },
        Ok(bytes) => {
            let wrote = bytes.len().min(out.len());
            out[..wrote].copy_from_slice(&bytes[..wrote]);
            input.consume(wrote);
            Step { wrote, member_done: false, stop: None }
        }
        Err(error) => Step { wrote: 0, member_done: false, stop: Some(Stop::Reader(error)) },
    }
}

struct Fault {
    stop: Stop,
    /// Go returns it together with the last bytes, not on the next read.
    with_last: bool,
    /// It is one of the deflate stream, which Go's `Close` repeats.
    deflate: bool,
}

impl<R: Read> Source<R> {
    /// A gzip archive, as Flux reads it.
    pub(super) fn open(reader: R, limits: Limits) -> Result<Self, Closed<R>> {
        let mut input = Input::new(reader);
        let first = match input.peek(512) {
            Ok(first) => first.to_vec(),
            Err(error) => return Err(Closed { stop: Stop::Reader(error), first: Vec::new(), rest: input }),
        };
        match Gzip::open(input) {
            Ok(gzip) => Ok(Self::new(Decoder::Gzip(Box::new(gzip)), limits)),
            Err((stop, mut rest)) => {
                rest.rewind();
                Err(Closed { stop, first, rest })
            }
        }
    }

    /// An archive that is not compressed.
    pub(super) fn plain(reader: R, limits: Limits) -> Self {
        Self::new(Decoder::Plain(Input::new(reader)), limits)
    }

    /// What Flux cannot read and we can, if this program was built with it.
    #[cfg(feature = "zstd")]
    pub(super) fn open_other(closed: Closed<R>, limits: Limits) -> Result<Self, Closed<R>> {
        if !super::zstd::is(&closed.first) {
            return Err(closed);
        }
        Ok(Self::new(Decoder::Zstd(Box::new(Zstd::new(closed.rest))), limits))
    }

    /// What Flux cannot read and we can: nothing, as this program was built.
    #[cfg(not(feature = "zstd"))]
    pub(super) const fn open_other(closed: Closed<R>, _: Limits) -> Result<Self, Closed<R>> {
        Err(closed)
    }

    fn new(decoder: Decoder<R>, limits: Limits) -> Self {
        let out = vec![0; 128 << 10].into_boxed_slice();
        Self { decoder, limits, out, at: 0, end: 0, total: 0, member_done: false, fault: None }
    }

    /// Bytes that were consumed.
    pub(super) const fn position(&self) -> u64 {
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
        if self.member_done || self.fault.as_ref().is_some_and(|fault| !fault.deflate) {
            return None;
        }
        let consumed = self.decoder.member() - (self.end - self.at) as u64;
        let boundary = consumed.next_multiple_of(WINDOW);
        while self.fault.is_none() && !self.member_done && self.decoder.member() < boundary {
            self.fill();
        }
        let failed = self.fault.as_ref().is_some_and(|fault| fault.deflate);
        (failed && self.decoder.member() < boundary).then(|| self.take_fault())
    }

    /// Reads the layer on to its end, without unpacking it.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        self.decoder.input().drain()
    }

    fn take_fault(&mut self) -> Stop {
        let fault = self.fault.replace(Fault { stop: Stop::End, with_last: false, deflate: false });
        fault.map_or(Stop::End, |fault| fault.stop)
    }

    /// Fills the buffer, or sets the fault, or both.
    fn fill(&mut self) {
        (self.at, self.end) = (0, 0);
        while self.end == 0 && self.fault.is_none() {
            let step = self.decoder.step(&mut self.out);
            self.end = step.wrote;
            self.member_done = step.member_done;
            if let Some(stop) = step.stop {
                let broken = matches!(stop, Stop::Broken(_));
                let with_last = broken && !self.decoder.member().is_multiple_of(WINDOW);
                self.fault = Some(Fault { stop, with_last, deflate: broken && !step.member_done });
            }
        }
        self.total += self.end as u64;
        if self.end > 0 {
            self.limit();
        }
    }

    /// Bytes up to the limit are handed on, however they come.
    fn limit(&mut self) {
        let beyond = self.total.saturating_sub(self.limits.unpacked);
        let ratio = self.total / self.decoder.input().taken().max(1);
        let over = if beyond > 0 {
            self.end = self.end.saturating_sub(beyond as usize);
            self.total = self.limits.unpacked;
            Over::Unpacked(self.limits.unpacked)
        } else if self.total > RATIO_FROM && ratio >= u64::from(self.limits.ratio) {
            Over::Ratio(self.limits.ratio)
        } else {
            return;
        };
        self.fault = Some(Fault { stop: Stop::Over(over), with_last: false, deflate: false });
    }
}
