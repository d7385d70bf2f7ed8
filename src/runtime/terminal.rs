//! The terminal: taken once, given back always. Knows nothing of what is drawn.

use crate::domain::problem::{Cause, Problem};
use crossterm::{
    clipboard::CopyToClipboard,
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, EnableBracketedPaste},
    execute,
    style::force_color_output,
    terminal::{
        BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, SetTitle,
        disable_raw_mode, enable_raw_mode,
    },
};
use ratatui::{Frame, Terminal, backend::CrosstermBackend};
use std::{
    io::{self, BufWriter, Stdout, Write},
    mem::ManuallyDrop,
    panic,
    sync::Once,
};

/// More than this does not fit the OSC 52 buffer of common terminals.
const COPY_LIMIT: usize = 74_994;

/// Columns of the terminal, if there is one.
pub fn width() -> Option<usize> {
    crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns)).filter(|columns| *columns > 0)
}

pub(super) struct Screen {
    /// Never dropped: its own way out prints, and panics where the terminal is gone. [`give_back`] does the work.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    open: bool,
}

impl Screen {
    /// Takes the terminal: raw mode, alternate screen, pasted text as text.
    pub(super) fn open() -> io::Result<Self> {
        restore_on_panic();
        // Under NO_COLOR crossterm would turn a colour into a bare reset and lose reverse and bold with it;
        // whether colours are used is decided by the theme.
        force_color_output(true);
        enable_raw_mode()?;
        let mut out = BufWriter::with_capacity(64 * 1024, io::stdout());
        let entered = execute!(out, EnterAlternateScreen, EnableBracketedPaste, Hide, SetTitle("fluxscope"));
        let terminal = entered.and_then(|()| Terminal::new(CrosstermBackend::new(out)));
        match terminal {
            Ok(terminal) => Ok(Self { terminal: ManuallyDrop::new(terminal), open: true }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// One frame, as one update of the terminal so that it does not tear.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        crossterm::queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(draw)?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Asks the terminal to take the text (OSC 52): works over SSH, cannot be confirmed.
    pub(super) fn copy(&mut self, text: &str) -> Result<(), Problem> {
        let problem = |why: String| Problem::new(Cause::Other, "copy to the clipboard", why);
        if text.len() > COPY_LIMIT {
            return Err(problem(format!("{} bytes are more than a terminal takes", text.len())));
        }
        execute!(self.terminal.backend_mut(), CopyToClipboard::to_clipboard_from(text))
            .map_err(|error| problem(error.to_string()))
    }

    pub(super) fn close(mut self) -> io::Result<()> {
        self.open = false;
        self.terminal.backend_mut().flush()?;
        give_back();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.open {
            give_back();
        }
    }
}

/// Undoes [`Screen::open`]. Errors are ignored: there is nobody left to tell.
fn give_back() {
    let _ = disable_raw_mode();
    let _ = execute!(io::stdout(), EndSynchronizedUpdate, DisableBracketedPaste, Show, LeaveAlternateScreen);
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        panic::set_hook(Box::new(|panic| {
            tracing::error!(
                at = panic.location().map(ToString::to_string),
                thread = std::thread::current().name(),
                words = words(panic),
                "a part of the program panicked"
            );
            if is_ours() {
                give_back();
                // A terminal that is gone takes no words; the default hook would panic over that.
                let _ = writeln!(io::stderr(), "fluxscope {panic}");
            }
        }));
    });
}

fn words<'a>(panic: &'a panic::PanicHookInfo<'_>) -> &'a str {
    let payload = panic.payload();
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("")
}

/// A panic in a background task ends that task, not the program: the terminal stays ours.
fn is_ours() -> bool {
    std::thread::current().name() == Some("main")
}
