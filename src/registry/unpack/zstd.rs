//! Layers that are compressed with zstd, which Flux cannot read: for looking into them, where the feature is built in.
//! Keeps no more than a window of what it read.

use super::{gzip::Step, input::Input, source::Stop};
use ruzstd::decoding::{
    BlockDecodingStrategy, FrameDecoder,
    errors::{FrameDecoderError, ReadFrameHeaderError},
};
use std::io::{self, Read};

const MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";
/// Bytes of a window; more is asked for only by archives that were packed for it.
const WINDOW: u64 = 32 << 20;

/// By the first bytes of a layer.
pub(super) fn is(first: &[u8]) -> bool {
    first.starts_with(MAGIC)
}

pub(super) struct Zstd<R> {
    input: Compressed<R>,
    decoder: FrameDecoder,
}

/// Keeps an error of the reader apart from one of the bytes.
struct Compressed<R> {
    input: Input<R>,
    failed: Option<io::Error>,
}

impl<R: Read> Zstd<R> {
    pub(super) fn new(input: Input<R>) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { input: Compressed { input, failed: None }, decoder }
    }

    pub(super) fn input(&mut self) -> &mut Input<R> {
        &mut self.input.input
    }

    pub(super) fn step(&mut self, out: &mut [u8]) -> Step {
        let (wrote, stop) = match self.bytes(out) {
            Ok(wrote) => (wrote, None),
            Err(stop) => (0, Some(self.input.failed.take().map_or(stop, Stop::Reader))),
        };
        Step { wrote, member_done: false, stop }
    }

    fn bytes(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(out).map_err(|error| broken(&error));
            }
            if !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.input, one).map_err(|error| broken(&error))?;
            } else if self.input.input.fill().map_err(Stop::Reader)?.is_empty() {
                return Err(Stop::End);
            } else {
                self.frame()?;
            }
        }
    }

    /// The next frame; one that holds nothing for us is skipped.
    fn frame(&mut self) -> Result<(), Stop> {
        match self.decoder.reset(&mut self.input) {
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => self.input.input.skip(u64::from(length)),
            other => other.map_err(|error| broken(&error)),
        }
    }
}

impl<R: Read> Read for Compressed<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self.input.fill() {
            Ok(input) => {
                let count = input.len().min(bytes.len());
                bytes[..count].copy_from_slice(&input[..count]);
                self.input.consume(count);
                Ok(count)
            }
            Err(error) => {
                let again = io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(again)
            }
        }
    }
}

fn broken(error: &dyn std::fmt::Display) -> Stop {
    Stop::Broken(format!("zstd: {error}").into())
}
