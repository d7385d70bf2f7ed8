//! Text in cells: safe, measured, cut and wrapped. The only place where a foreign string becomes something to draw.

use crate::domain::plain::Plain;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// More than this of one line is never on a screen; the whole text stands where it wraps.
const LINE_LIMIT: usize = 600;

/// One safe line. Cut far beyond any terminal's width.
pub fn line(text: &str) -> String {
    let end = text.char_indices().nth(LINE_LIMIT).map_or(text.len(), |(at, _)| at);
    Plain::line(&text[..end]).into_string()
}

/// `1 tag`, `2 tags`.
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// `312 B`, `2.1 KiB`, `50 MiB`.
pub fn bytes(number: u64) -> String {
    let scaled = |unit: u64, word: &str| {
        let tenths = u128::from(number) * 10 / u128::from(unit);
        if tenths >= 100 {
            format!("{} {word}", tenths / 10)
        } else {
            format!("{}.{} {word}", tenths / 10, tenths % 10)
        }
    };
    match number {
        0..1024 => format!("{number} B"),
        1024..0x10_0000 => scaled(1 << 10, "KiB"),
        0x10_0000..0x4000_0000 => scaled(1 << 20, "MiB"),
        _ => scaled(1 << 30, "GiB"),
    }
}

/// `1 more line below`, `2 more lines below`.
pub fn more(number: usize, whither: &str) -> String {
    format!("{} {whither}", count(number, "more line"))
}

/// Cells that a safe text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// At most `room` cells; what was cut off leaves a `…`.
pub fn fit(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    if room == 0 {
        return String::new();
    }
    let mut out = take(text, room - 1).to_owned();
    out.push('…');
    out
}

/// As much of the end as `room` cells hold, behind a `…`.
pub fn fit_end(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    match room {
        0 => String::new(),
        room => format!("…{}", end(text, room - 1)),
    }
}

/// Its beginning and its end with a `…` between, a third and the rest of `room` cells.
pub fn fit_middle(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let begin = take(text, room / 3);
    match room.checked_sub(width(begin) + 1) {
        Some(left) => format!("{begin}…{}", end(text, left)),
        None => String::new(),
    }
}

/// A line of at most `room` cells; what was cut off leaves a `…`.
pub fn fit_line(line: Line<'static>, room: usize) -> Line<'static> {
    if line.width() <= room {
        return line;
    }
    let mut left = room;
    let mut spans = Vec::with_capacity(line.spans.len());
    for span in line.spans {
        let taken = width(&span.content);
        // one cell stays for the mark
        if taken < left {
            left -= taken;
            spans.push(span);
        } else {
            let cut = fit(&format!("{}…", span.content), left);
            spans.push(Span::styled(cut, span.style));
            break;
        }
    }
    Line { spans, ..line }
}

/// Exactly `room` cells: cut or filled with spaces.
pub fn pad(text: &str, room: usize, right: bool) -> String {
    let text = fit(text, room);
    let gap = " ".repeat(room.saturating_sub(width(&text)));
    if right { gap + &text } else { text + &gap }
}

/// The first graphemes that fit into `room` cells.
fn take(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > room {
            return &text[..at];
        }
    }
    text
}

/// The last graphemes that fit into `room` cells.
pub fn end(text: &str, room: usize) -> &str {
    let mut used = 0;
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += width(grapheme);
        if used > room {
            break;
        }
        start = at;
    }
    &text[start..]
}

/// As [`wrap`], at most so many lines; what was cut off leaves a `…`.
pub fn wrap_most(text: &str, room: usize, most: usize) -> Vec<String> {
    let mut lines = wrap(text, room);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = fit(&format!("{last} …"), room);
        }
    }
    lines
}

/// A foreign text as safe lines of at most `room` cells, broken between words where that is possible.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    if room == 0 {
        return Vec::new();
    }
    Plain::block(text).as_str().trim_end().lines().flat_map(|line| wrap_line(line, room)).collect()
}

fn wrap_line(line: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let bare = width(word.trim_end());
        if used + bare > room && used > 0 {
            lines.push(std::mem::take(&mut current).trim_end().to_owned());
            used = 0;
        }
        let mut rest = word;
        while width(rest.trim_end()) > room {
            let head = take(rest, room);
            let head = if head.is_empty() { &rest[..next_boundary(rest)] } else { head };
            lines.push(head.to_owned());
            rest = &rest[head.len()..];
        }
        current.push_str(rest);
        used += width(rest);
    }
    lines.push(current.trim_end().to_owned());
    lines
}

fn next_boundary(text: &str) -> usize {
    text.graphemes(true).next().map_or(text.len(), str::len)
}

/// The beginning of a text that fills so many cells; a long line costs no more than what is seen of it.
pub fn beginning(text: &str, cells: usize) -> &str {
    let mut taken = 0;
    for (at, c) in text.char_indices() {
        if taken >= cells {
            return &text[..at];
        }
        taken += width(c.encode_utf8(&mut [0; 4]));
    }
    text
}

/// Without its first cells.
pub fn scrolled(line: Line<'_>, left: usize) -> Line<'_> {
    if left == 0 {
        return line;
    }
    let mut skip = left;
    let mut spans: Vec<Span<'_>> = Vec::new();
    for span in line.spans {
        let style = span.style;
        let kept: String = span
            .content
            .chars()
            .filter(|c| {
                let hidden = skip > 0;
                skip = skip.saturating_sub(width(c.encode_utf8(&mut [0; 4])));
                !hidden
            })
            .collect();
        spans.push(Span::styled(kept, style));
    }
    Line::from(spans)
}

/// What a paste holds before its first line break; terminals write one as a carriage return.
pub fn first_line(pasted: &str) -> &str {
    pasted.split(['\n', '\r']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_marked_and_wide_characters_are_not_halved() {
        assert_eq!(fit("podinfo", 7), "podinfo");
        assert_eq!(fit("podinfo", 4), "pod…");
        assert_eq!(fit("東京都", 4), "東…");
        assert_eq!(fit_end("requested → handled", 9), "… handled");
        assert_eq!(fit_middle("data.application.properties", 13), "data…operties");
        assert_eq!(fit_middle("東京都東京都東京都", 8), "東…京都");
        assert_eq!((fit_middle("podinfo", 1), fit_middle("podinfo", 0)), ("…".to_owned(), String::new()));
        assert_eq!(pad("7", 3, true), "  7");
        assert_eq!(
            (beginning("東京都", 3), beginning("pod", 9), beginning("podinfo", 3)),
            ("東京", "pod", "pod")
        );
    }

    #[test]
    fn a_text_wraps_between_words_and_only_a_long_word_is_broken() {
        assert_eq!(wrap("the registry refused", 12), ["the registry", "refused"]);
        assert_eq!(wrap("sha256:abcdef x", 8), ["sha256:a", "bcdef x"]);
        assert_eq!(wrap("a\n\nb", 8), ["a", "", "b"]);
        assert_eq!(wrap("", 8), Vec::<String>::new());
    }

    #[test]
    fn lines_that_are_left_out_leave_a_mark_too() {
        assert_eq!(wrap_most("one two three", 5, 2), ["one", "two …"]);
        assert_eq!(wrap_most("one two", 5, 2), ["one", "two"]);
        assert_eq!(wrap_most("alpha betas gamma", 5, 2), ["alpha", "beta…"]);
        let line =
            |room| fit_line(Line::from(vec![Span::raw("one "), Span::raw("two"), Span::raw(" x")]), room);
        let words = [9, 8, 7, 4, 0].map(|room| line(room).to_string());
        assert_eq!(words, ["one two x", "one two…", "one tw…", "one…", ""]);
    }

    #[test]
    fn every_wrapped_line_fits_whatever_the_text() {
        let text = "failed to pull 東京都東京都東京都 artifact: \u{1b}[2J ".repeat(40);
        for room in [1, 2, 7, 60] {
            assert!(wrap(&text, room).iter().all(|line| width(line) <= room.max(2)), "{room}");
        }
    }
}
