//! The compressed bytes of a layer, buffered and counted. Knows nothing of what they mean.

use super::source::Stop;
use std::io::{self, Read};

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
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; 64 << 10].into_boxed_slice(), at: 0, end: 0, taken: 0 }
    }

    /// Bytes that came from the reader.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// What is buffered; if nothing is, what the reader gives. Empty at the end.
    pub(super) fn fill(&mut self) -> io::Result<&[u8]> {
        if self.at == self.end {
            (self.at, self.end) = (0, 0);
            self.more()?;
        }
        Ok(&self.buffer[self.at..self.end])
    }

    /// The first bytes, as many as there are up to `wanted`, without consuming them.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
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

    /// What was consumed of the buffer is there again.
    pub(super) const fn rewind(&mut self) {
        self.at = 0;
    }

    /// Consumes so many bytes; fewer are an unexpected end.
    #[cfg(feature = "zstd")]
    pub(super) fn skip(&mut self, mut bytes: u64) -> Result<(), Stop> {
        while bytes > 0 {
            let count = bytes.min(self.fill().map_err(Stop::Reader)?.len() as u64);
            if count == 0 {
                return Err(Stop::unexpected_end());
            }
            self.consume(count as usize);
            bytes -= count;
        }
        Ok(())
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.end);
    }

    pub(super) fn drain(&mut self) -> io::Result<()> {
        while !self.fill()?.is_empty() {
            self.at = self.end;
        }
        Ok(())
    }

    /// Fills `bytes`; ends with `Stop::End` only if there was none of them.
    pub(super) fn read(&mut self, bytes: &mut [u8]) -> Result<(), Stop> {
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

    pub(super) fn exact(&mut self, bytes: &mut [u8]) -> Result<(), Stop> {
        self.read(bytes).map_err(Stop::or_unexpected)
    }
}
