//! The program in a real pseudo-terminal: keys in, screens out. Waits on output, never on a clock alone.

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use std::{
    io::{Read, Write},
    num::NonZero,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// How long a screen may take to show what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Pty {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    output: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    /// Every byte that the program wrote.
    pub bytes: Vec<u8>,
}

impl Pty {
    pub fn start(mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        if command.get_env("TERM").is_none() {
            command.env("TERM", "xterm-256color");
        }
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 16 * 1024];
            while let Ok(read @ 1..) = reader.read(&mut chunk) {
                if sender.send((Instant::now(), chunk[..read].to_vec())).is_err() {
                    return;
                }
            }
        });
        let some = |cells| NonZero::new(cells).expect("a terminal has rows and columns");
        let parser = vt100::Parser::new(some(rows), some(columns), 0);
        Self { master: pair.master, writer, child, output, parser, bytes: Vec::new() }
    }

    /// Types text and control characters as a keyboard would.
    pub fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("the program reads its keys");
        self.writer.flush().expect("the program reads its keys");
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("a resize");
        let some = |cells| NonZero::new(cells).expect("a terminal has rows and columns");
        self.parser.screen_mut().set_size(some(rows), some(columns));
    }

    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// True while the program shows its own screen instead of the shell's.
    pub fn is_on_alternate_screen(&self) -> bool {
        self.parser.screen().alternate_screen()
    }

    /// Waits until the screen holds the text, and returns that screen.
    pub fn wait_for(&mut self, text: &str) -> String {
        self.wait_until(text, |screen| screen.contains(text))
    }

    pub fn wait_until(&mut self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok((_, chunk)) => self.take(&chunk),
                Err(RecvTimeoutError::Timeout) => panic!("never shown: {what}\n{screen}"),
                Err(RecvTimeoutError::Disconnected) => panic!("ended before: {what}\n{screen}"),
            }
        }
    }

    /// Waits until the program has ended and everything it wrote was read.
    pub fn wait_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while let Ok((_, chunk)) =
            self.output.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.take(&chunk);
        }
        match self.child.try_wait().expect("its status") {
            Some(status) => status,
            None if Instant::now() < deadline => self.child.wait().expect("its status"),
            None => panic!("the program did not end\n{}", self.screen()),
        }
    }

    /// From a key to the first bytes of what it changed; None if nothing is written within a second.
    /// What is still on its way from before, and what follows, is read and not counted.
    pub fn paint_after(&mut self, key: &str) -> Option<Duration> {
        while self.take_within(Duration::from_millis(5)) {}
        let pressed = Instant::now();
        self.press(key);
        let (painted, chunk) = self.output.recv_timeout(Duration::from_secs(1)).ok()?;
        self.take(&chunk);
        while self.take_within(Duration::from_millis(5)) {}
        Some(painted.saturating_duration_since(pressed))
    }

    /// Reads what the program writes meanwhile, as a terminal would.
    pub fn watch_for(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while self.take_within(end.saturating_duration_since(Instant::now())) {}
    }

    fn take_within(&mut self, time: Duration) -> bool {
        let Ok((_, chunk)) = self.output.recv_timeout(time) else { return false };
        self.take(&chunk);
        true
    }

    /// Bytes written within the next two seconds, after a short settling.
    pub fn bytes_after_quiet(&mut self) -> usize {
        self.watch_for(Duration::from_millis(500));
        let before = self.bytes.len();
        self.watch_for(Duration::from_secs(2));
        self.bytes.len() - before
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a running program")
    }

    fn take(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
        self.parser.process(chunk);
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
