//! What the eye looks for on a screen. It knows words and rows, never columns: those may move.

use crate::pty::Pty;

/// The first row with all of these words.
pub fn row<'a>(screen: &'a str, words: &[&str]) -> Option<&'a str> {
    screen.lines().find(|line| words.iter().all(|word| line.contains(word)))
}

/// Waits for a row with all of these words.
pub fn wait_row(pty: &mut Pty, words: &[&str]) -> String {
    let screen = pty.wait_until(&format!("a row with {words:?}"), |screen| row(screen, words).is_some());
    row(&screen, words).unwrap_or_default().to_owned()
}

/// Waits until the line on top has this word.
pub fn wait_top(pty: &mut Pty, word: &str) -> String {
    pty.wait_until(&format!("{word:?} in the line on top"), |screen| {
        screen.lines().next().is_some_and(|line| line.contains(word))
    })
}

/// Types a filter and keeps it.
pub fn filter(pty: &mut Pty, text: &str) {
    pty.press("/");
    pty.press(text);
    pty.press("\r");
}

/// Leaves by `^C`, and ends the test if the program does not end well.
pub fn leave(mut pty: Pty) {
    pty.press("\u{3}");
    let status = pty.wait_end();
    assert!(status.success(), "left with {status:?}\n{}", pty.screen());
    assert!(!pty.is_on_alternate_screen(), "the shell's screen is back");
}
