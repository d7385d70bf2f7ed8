//! Tables for a comment on a pull request. Nothing from outside is markup there: no HTML, no link, nobody is notified.

use crate::domain::plain::Plain;
use std::fmt::Write as _;

/// A comment on GitHub holds 65,536 characters; some are left for what stands around the table.
const LONGEST: usize = 60_000;
/// A cell longer than this is cut: a comment is no log.
const CELL: usize = 200;

/// A table that ends before the comment is full, and says how many rows are missing.
pub(super) struct Markdown {
    text: String,
    left_out: usize,
    rows: usize,
    room: usize,
}

impl Markdown {
    pub(super) fn new(titles: &[&str]) -> Self {
        let line = |cell: fn(&str) -> String| {
            titles.iter().fold("|".to_owned(), |line, title| line + " " + &cell(title) + " |") + "\n"
        };
        let text = line(|title| escaped(&capitalised(title))) + &line(|_| "---".to_owned());
        Self { text, left_out: 0, rows: 0, room: LONGEST }
    }

    /// In a comment that holds other things too: so many bytes are left.
    #[must_use]
    pub(super) fn within(mut self, bytes: usize) -> Self {
        self.room = bytes;
        self
    }

    /// Cells may come from outside; empty ones are `-`.
    pub(super) fn push(&mut self, cells: &[String]) {
        let mut line = "|".to_owned();
        for cell in cells {
            let cell = if cell.is_empty() { "-".to_owned() } else { escaped(&cut(cell)) };
            let _ = write!(line, " {cell} |");
        }
        if self.left_out > 0 || self.text.len() + line.len() > self.room {
            self.left_out += 1;
            return;
        }
        self.rows += 1;
        self.text.push_str(&line);
        self.text.push('\n');
    }

    /// Nothing where there is no row.
    pub(super) fn finish(self) -> String {
        match (self.rows, self.left_out) {
            (0, 0) => String::new(),
            (_, 0) => self.text,
            (_, more) => format!("{}\n{more} more rows do not fit into a comment.\n", self.text),
        }
    }

    /// A sentence by itself.
    pub(super) fn paragraph(text: &str) -> String {
        format!("{}\n\n", escaped(&cut(text)))
    }
}

fn capitalised(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_string() + &letters.as_str().to_lowercase())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(CELL) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// One line of plain words, whatever they are. An `@` in front of a name gets an invisible space, so that nobody is
/// called; one behind a tag is left alone.
pub(super) fn escaped(text: &str) -> String {
    let plain = Plain::line(text).into_string();
    let mut out = String::with_capacity(plain.len() + 16);
    let mut before = ' ';
    let mut rest = plain.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' if !before.is_alphanumeric() => out.push_str("@&#8203;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '$' => {
                out.push('\\');
                out.push(c);
            }
            ':' if rest.peek() == Some(&'/') => out.push_str("\\:"),
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// The same inside HTML, where no Markdown is read.
pub(super) fn html(text: &str) -> String {
    let plain = Plain::line(text).into_string();
    let mut out = String::with_capacity(plain.len() + 16);
    let mut before = ' ';
    for c in plain.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' | '#' if !before.is_alphanumeric() => {
                out.push(c);
                out.push_str("&#8203;");
            }
            c => out.push(c),
        }
        before = c;
    }
    out
}

/// A block that ends where it should: its fence is longer than any in the text. The text must be safe already.
pub(super) fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(escaped(text), expected, "{text}");
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        check("1.0.0_a|b", r"1.0.0\_a\|b");
        check("`rm -rf`", r"\`rm -rf\`");
        check("<img src=x>&amp;", "&lt;img src=x&gt;&amp;amp;");
        check("a\nb\u{202e}c", r"a\\nb\\u{202e}c");
        check("see [here](https://x.test)", r"see \[here\](https\://x.test)");
        check("ask @everyone, not 1.0@a", "ask @&#8203;everyone, not 1.0@a");
    }

    #[test]
    fn a_table_ends_before_the_comment_is_full_and_says_so() {
        let mut table = Markdown::new(&["SOURCE", "IN RANGE"]);
        table.push(&["a".into(), String::new()]);
        assert!(
            table.text.starts_with("| Source | In range |\n| --- | --- |\n| a | - |\n"),
            "{}",
            table.text
        );
        for _ in 0..2000 {
            table.push(&["x".repeat(300), "1.0.0".into()]);
        }
        let text = table.finish();
        assert!(text.len() < 65_536 && text.ends_with(" more rows do not fit into a comment.\n"));
    }

    #[test]
    fn a_table_without_rows_is_nothing() {
        assert_eq!(Markdown::new(&["A"]).finish(), "");
    }
}
