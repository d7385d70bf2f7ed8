//! Text in blocks (`|`, `>`) -> what kustomize makes of it: it writes every object and reads it again, and its writer does
//! not keep all line breaks of a folded text (go-yaml v3, `yaml_emitter_write_folded_scalar`), nor a tab in front.

use super::{
    Dialect,
    token::{Kind, Scanner},
};
use std::borrow::Cow;

/// A block that begins with a tab is written so that it cannot be read again.
pub(super) fn is_lost(text: &str) -> bool {
    text.starts_with('\t') && !is_quoted(text)
}

pub(super) fn refolded(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.trim_end_matches('\n').contains('\n') && !text.ends_with("\n\n") || is_quoted(&text) {
        return text;
    }
    let written = written(&text);
    match Scanner::new(&written, Dialect::Kustomize).next().map(|token| token.kind) {
        Ok(Kind::Scalar(read, _)) => Cow::Owned(read.into_owned()),
        _ => text,
    }
}

/// The writer takes quotes instead, and those keep everything.
pub(super) fn is_quoted(text: &str) -> bool {
    let special = |c: char| match c {
        '\n' | '\t' => false,
        c => c < ' ' || matches!(c, '\u{7f}'..='\u{9f}' | '\u{feff}') || u32::from(c) > 0xffff,
    };
    text.is_empty() || text.ends_with(' ') || text.contains(" \n") || text.contains(special)
}

fn written(text: &str) -> String {
    let mut out = String::from(">");
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    match text.strip_suffix('\n') {
        None => out.push('-'),
        Some(rest) if rest.is_empty() || rest.ends_with('\n') => out.push('+'),
        Some(_) => {}
    }
    out.push('\n');
    // what follows a line decides whether its break is doubled; the writer looks at what the whole text begins with
    let doubles = !text.trim_start_matches('\n').starts_with([' ', '\t']);
    let (mut at_margin, mut indented) = (true, true);
    for c in text.chars() {
        if c == '\n' {
            if doubles && !at_margin && !indented {
                out.push('\n');
            }
            at_margin = true;
        } else if at_margin {
            out.push_str("  ");
            indented = matches!(c, ' ' | '\t');
            at_margin = false;
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_before_an_indented_line_is_doubled() {
        assert_eq!(refolded("x y\nz\n more\nw\n".into()), "x y\nz\n\n more\nw\n");
        assert_eq!(refolded("x\ny\n".into()), "x\ny\n");
        assert_eq!(refolded(" x\ny\nz".into()), " x\ny z", "the writer doubles none if the text begins so");
        assert_eq!(refolded("x\n \u{1f600}\n".into()), "x\n \u{1f600}\n", "in quotes all is kept");
        assert!(is_lost("\tx\n") && !is_lost("\tx \n") && !is_lost("x\t"));
    }
}
