//! A stream of documents -> each by its place. Split as the readers of Flux do it, at lines: nothing is parsed.

use super::Document;
use memchr::memmem;
use std::ops::Range;

/// The documents of a stream, in order; those that hold comments and blanks only are left out.
///
/// A line that begins with `---` separates, wherever it stands, also inside quotes: kyaml and apimachinery look at lines
/// only. Behind it there may be blanks and a comment. `...` ends what is read of a document ([`super::parse`]), not
/// the document. JSON is split alike.
pub fn documents(text: &str) -> Vec<Document> {
    let mut found = Vec::new();
    let mut begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let (mut line, mut opened) = (1, false);
    let mut keep = |line: usize, at: Range<usize>, opened: bool| {
        if says_something(&text[at.clone()], opened) {
            found.push(Document { line, at });
        }
    };
    // looked for in whole, not line by line: most lines are none
    let mut from = begin;
    while let Some(at) = next_mark(text, from) {
        let end = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
        from = end;
        // glued to the comment it is a word where a document begins, but not behind a first line that separates
        let glued = at == begin && !opened && text[at..].starts_with("---#");
        if glued || !separates(&text[at..end]) {
            continue;
        }
        opened = at == 0;
        keep(line, begin..at, opened);
        line += breaks(&text[begin..end]);
        begin = end;
    }
    keep(line, begin..text.len(), opened);
    found
}

/// Where the next line begins that begins with `---`.
fn next_mark(text: &str, from: usize) -> Option<usize> {
    if text[from..].starts_with("---") {
        return Some(from);
    }
    memmem::find(&text.as_bytes()[from..], b"\n---").map(|at| from + at + 1)
}

/// A line that begins with `---`: only blanks or a comment are behind.
pub(super) fn separates(line: &str) -> bool {
    let rest = line.trim_start_matches("---").trim();
    line.starts_with("---") && !line.starts_with("----") && (rest.is_empty() || rest.starts_with('#'))
}

/// A line that begins with `---` and something that may not stand there: number and text of the first, from 1.
pub(super) fn misplaced(text: &str, from: usize) -> Option<(usize, &str)> {
    let mut at = from;
    while let Some(mark) = next_mark(text, at) {
        let end = text[mark..].find('\n').map_or(text.len(), |length| mark + length + 1);
        if !separates(&text[mark..end]) {
            return Some((breaks(&text[..mark]) + 1, text[mark..end].trim_end()));
        }
        at = end;
    }
    None
}

pub(super) fn breaks(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.as_bytes()).count()
}

/// `opened`: the first line of the text is `---`, and `...` may end it.
fn says_something(text: &str, opened: bool) -> bool {
    // a tab alone is an error
    let said = text.lines().map(|line| line.trim_start_matches(' '));
    let mut said = said.filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.next().is_some_and(|line| !opened || !line.starts_with("..."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(usize, &str)> {
        documents(text).into_iter().map(|document| (document.line, &text[document.at])).collect()
    }

    #[test]
    fn documents_know_their_line_and_their_bytes() {
        assert_eq!(
            split("a: 1\n--- # next\nb: 2\n---\t\r\n\nc: 3"),
            [(1, "a: 1\n"), (3, "b: 2\n"), (5, "\nc: 3")]
        );
        assert_eq!(split("\u{feff}---\r\na: 1\r\n"), [(2, "a: 1\r\n")]);
        assert_eq!(split("# head\n\n---\na: 1\n---\n"), [(4, "a: 1\n")]);
        assert!(split("---\n---\n# only\n").is_empty());
        assert!(split("").is_empty());
    }

    #[test]
    fn only_a_line_that_begins_with_it_separates() {
        let one = [
            "a: 1\n ---\nb: 2\n",
            "a: 1\n---foo\n",
            "a: |\n  x\n  ---\n  y\n",
            "--- |\n  x\n",
            "a: 1\n...\nb: 2\n",
        ];
        for text in one {
            assert_eq!(split(text), [(1, text)]);
        }
        assert_eq!(split("a: \"x\n---\ny\"\n").len(), 2, "also inside quotes");
    }

    #[test]
    fn what_may_not_stand_behind_a_separator_is_found() {
        assert_eq!(misplaced("a: 1\n--- # fine\n---foo\n", 0), Some((3, "---foo")));
        assert_eq!(misplaced("a: 1\n---\n", 0), None);
        assert_eq!(misplaced("----\n", 0), Some((1, "----")));
    }
}
