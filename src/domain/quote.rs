//! Text in quotes as Go's `%q` writes it, so that an error reads as Flux's. It is exact, not safe to show.

use regex::Regex;
use std::sync::LazyLock;

/// `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space.
static PRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$").ok());

pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&escape(c as u32)),
        }
    }
    out.push('"');
    out
}

fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return c == ' ' || c.is_ascii_graphic();
    }
    PRINTABLE.as_ref().is_some_and(|printable| printable.is_match(c.encode_utf8(&mut [0; 4])))
}

fn escape(code: u32) -> String {
    match code {
        0..0x80 => format!("\\x{code:02x}"),
        0x80..0x10000 => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_cannot_print_is_escaped_and_all_else_is_not() {
        assert_eq!(quote("1.x \"a\\b\"\n\u{1}"), r#""1.x \"a\\b\"\n\x01""#);
        assert_eq!(quote("\u{a0}\u{3000}\u{200b}\u{e0041}"), r#""\u00a0\u3000\u200b\U000e0041""#);
        assert_eq!(quote("é\u{301}€\u{fe0f}"), "\"é\u{301}€\u{fe0f}\"");
    }
}
