//! How Go writes a name and a file mode into an error. Only words; decides nothing.

use std::fmt;

/// `%q`: quoted, with escapes for what cannot be printed and for bytes that are no UTF-8.
pub(super) fn quoted(name: &[u8]) -> String {
    let mut out = String::from('"');
    for chunk in name.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c);
        }
        for byte in chunk.invalid() {
            escape(&mut out, format_args!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{7}' => out.push_str("\\a"),
        '\u{8}' => out.push_str("\\b"),
        '\u{b}' => out.push_str("\\v"),
        '\u{c}' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_printed(c) => out.push(c),
        c if c.is_ascii() => escape(out, format_args!("\\x{:02x}", c as u32)),
        c if (c as u32) < 0x1_0000 => escape(out, format_args!("\\u{:04x}", c as u32)),
        c => escape(out, format_args!("\\U{:08x}", c as u32)),
    }
}

fn escape(out: &mut String, escape: fmt::Arguments<'_>) {
    // writing into a String cannot fail
    let _ = fmt::Write::write_fmt(out, escape);
}

/// Letters, marks, numbers, punctuation, symbols and the blank: what Rust's own `Debug` prints, once a mark does not
/// stand first.
fn is_printed(c: char) -> bool {
    c == '\'' || format!("a{c}").escape_debug().count() == 2
}

/// What kind of file a header describes: Go's `FileMode`, by its type flag and its mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mode(u32);

const DIRECTORY: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;
const DEVICE: u32 = 1 << 26;
const PIPE: u32 = 1 << 25;
const SOCKET: u32 = 1 << 24;
const SET_USER: u32 = 1 << 23;
const SET_GROUP: u32 = 1 << 22;
const CHARACTER: u32 = 1 << 21;
const STICKY: u32 = 1 << 20;
const TYPE: u32 = DIRECTORY | SYMLINK | DEVICE | PIPE | SOCKET | CHARACTER;

impl Mode {
    /// `Header.FileInfo().Mode()`: a type may also be written into the mode, which few expect.
    pub(super) const fn of(kind: u8, written: i64) -> Self {
        use super::header::{BLOCK_DEVICE, CHARACTER_DEVICE, FIFO, FOLDER, SYMBOLIC_LINK};
        // Go takes the lower half, too
        let written = written.cast_unsigned() as u32;
        let mut mode = written & 0o777;
        if written & 0o4000 != 0 {
            mode |= SET_USER;
        }
        if written & 0o2000 != 0 {
            mode |= SET_GROUP;
        }
        if written & 0o1000 != 0 {
            mode |= STICKY;
        }
        mode |= match written & !0o7777 {
            0o040_000 => DIRECTORY,
            0o010_000 => PIPE,
            0o120_000 => SYMLINK,
            0o060_000 => DEVICE,
            0o020_000 => DEVICE | CHARACTER,
            0o140_000 => SOCKET,
            _ => 0,
        };
        mode |= match kind {
            SYMBOLIC_LINK => SYMLINK,
            CHARACTER_DEVICE => DEVICE | CHARACTER,
            BLOCK_DEVICE => DEVICE,
            FOLDER => DIRECTORY,
            FIFO => PIPE,
            _ => 0,
        };
        Self(mode)
    }

    pub(super) const fn is_regular(self) -> bool {
        self.0 & TYPE == 0
    }

    pub(super) const fn is_folder(self) -> bool {
        self.0 & DIRECTORY != 0
    }

    pub(super) const fn is_symlink(self) -> bool {
        self.0 & SYMLINK != 0
    }

    pub(super) const fn is_executable(self) -> bool {
        self.0 & 0o111 != 0
    }

    /// Whoever wrote it may also read it.
    pub(super) const fn is_readable(self) -> bool {
        self.0 & 0o400 != 0
    }

    /// What it is, where it is neither a file nor a folder nor a link.
    pub(super) const fn kind(self) -> &'static str {
        match self.0 & TYPE {
            PIPE => "a named pipe",
            SOCKET => "a socket",
            DEVICE => "a block device",
            kind if kind & CHARACTER != 0 => "a character device",
            _ => "no file",
        }
    }

    pub(super) const fn permissions(self) -> u32 {
        self.0 & 0o777
    }
}

impl fmt::Display for Mode {
    /// Go's `FileMode.String`: `prw-r--r--`, `Dcrw-------`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = "dalTLDpSugct?".chars().enumerate().filter(|(at, _)| self.0 & (1 << (31 - at)) != 0);
        let mut text: String = kinds.map(|(_, letter)| letter).collect();
        if text.is_empty() {
            text.push('-');
        }
        let permissions = "rwxrwxrwx".chars().enumerate();
        text.extend(permissions.map(|(at, letter)| if self.0 & (1 << (8 - at)) == 0 { '-' } else { letter }));
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_as_go_quotes_it() {
        for (name, quoted_by_go) in [
            (b"/etc/e.yaml".as_slice(), r#""/etc/e.yaml""#),
            (b"a\\b\"c", r#""a\\b\"c""#),
            (b"\x07\x08\x0b\x0c\n\r\t\x1b\x7f\x00", r#""\a\b\v\f\n\r\t\x1b\x7f\x00""#),
            (b"\xff../a", r#""\xff../a""#),
            ("größe 東京's e\u{301}".as_bytes(), "\"größe 東京's e\u{301}\""),
            ("\u{202e}\u{a0}\u{e0041}\u{ad}".as_bytes(), r#""\u202e\u00a0\U000e0041\u00ad""#),
        ] {
            assert_eq!(quoted(name), quoted_by_go);
        }
    }

    #[test]
    fn a_mode_is_written_as_go_writes_it() {
        for (kind, mode, text) in [
            (b'6', 0o644, "prw-r--r--"),
            (b'3', 0o600, "Dcrw-------"),
            (b'4', 0o666, "Drw-rw-rw-"),
            (b'6', 0o7755, "pugtrwxr-xr-x"),
            (b'0', 0o140_755, "Srwxr-xr-x"),
            (b'0', 0o100_644, "-rw-r--r--"),
            (b'5', 0o755, "drwxr-xr-x"),
            (b'2', 0o777, "Lrwxrwxrwx"),
        ] {
            assert_eq!(Mode::of(kind, mode).to_string(), text);
        }
    }
}
