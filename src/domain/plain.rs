//! Text from outside, made safe to show: the one way a foreign string reaches a screen, a log or stdout.
//! It never drops a character: what could act on a terminal, deceive the eye or take a width that terminals do not
//! agree on is written out as an escape.

use std::fmt;

/// A string without control, bidirectional, invisible or private-use characters, and none whose width is a guess.
///
/// Rule: `reference/registries.md` §6 ("Terminal escapes").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Plain(String);

impl Plain {
    /// One line: line breaks and tabs are escaped too.
    pub fn line(text: &str) -> Self {
        Self(escape(text, |_| false))
    }

    /// Several lines: `\n` stays, a tab becomes spaces, everything else is escaped as in [`Plain::line`].
    pub fn block(text: &str) -> Self {
        Self(escape(&text.replace("\r\n", "\n").replace('\t', "    "), |c| c == '\n'))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    if !text.chars().any(|c| is_deceptive(c) && !keep(c)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if keep(c) || !is_deceptive(c) {
            out.push(c);
        } else {
            match c {
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if (c as u32) < 0x100 => write_escape(&mut out, format_args!("\\x{:02x}", c as u32)),
                c => write_escape(&mut out, format_args!("\\u{{{:x}}}", c as u32)),
            }
        }
    }
    out
}

fn write_escape(out: &mut String, escape: fmt::Arguments<'_>) {
    // writing into a String cannot fail
    let _ = fmt::Write::write_fmt(out, escape);
}

/// True for characters that act on a terminal, change the reading order, cannot be seen, or take another width beside
/// their like: the letters of flags and the tones of skin, of which terminals leave halves behind.
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_sequence_is_written_out_and_nothing_is_dropped() {
        assert_eq!(Plain::line("1.0.0\u{1b}[2J\u{7}").as_str(), "1.0.0\\x1b[2J\\x07");
    }

    #[test]
    fn bidi_and_invisible_characters_are_visible() {
        assert_eq!(Plain::line("a\u{202e}b\u{200b}c\u{e0041}").as_str(), "a\\u{202e}b\\u{200b}c\\u{e0041}");
    }

    #[test]
    fn what_terminals_give_different_widths_is_written_out() {
        assert_eq!(Plain::line("a\u{1f1e9}\u{1f1ea}b").as_str(), "a\\u{1f1e9}\\u{1f1ea}b");
        assert_eq!(Plain::block("\u{1f44d}\u{1f3fd}").as_str(), "\u{1f44d}\\u{1f3fd}");
    }

    #[test]
    fn a_block_keeps_its_lines_and_a_line_does_not() {
        assert_eq!(Plain::block("a\r\nb\tc").as_str(), "a\nb    c");
        assert_eq!(Plain::line("a\nb").as_str(), "a\\nb");
    }

    #[test]
    fn ordinary_text_of_any_script_is_untouched() {
        assert_eq!(Plain::line("größe 東京 ✓").as_str(), "größe 東京 ✓");
    }
}
