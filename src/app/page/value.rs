//! A value of a field as text: what it would be in YAML, so that the string "1" and the number 1 are told apart.

use crate::domain::diff::{self, LineRow, Lines, Sign};
use serde_json::Value;

/// A value in as many lines as it takes.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('\n') => text.clone(),
        Value::String(text) if is_ambiguous(text) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if !items.is_empty() => yaml(value),
        Value::Object(fields) if !fields.is_empty() => yaml(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// Block style; what cannot be written so is written as JSON.
pub(super) fn yaml(value: &Value) -> String {
    let text = serde_saphyr::to_string(value).unwrap_or_else(|_| format!("{value:#}"));
    text.trim_end_matches('\n').to_owned()
}

/// Bare, it would be read as something else.
fn is_ambiguous(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "~", "y"];
    let lower = text.to_ascii_lowercase();
    text.trim() != text
        || text.is_empty()
        || WORDS.contains(&lower.as_str())
        || text.parse::<f64>().is_ok()
        || lower.starts_with("0x")
        || lower.starts_with("0o")
}

/// Two values, line by line.
pub(super) fn lines_of(from: &Value, to: &Value) -> Lines {
    let (before, after) = (text(from), text(to));
    // what looks the same is not the same: quotes show where it differs
    let (before, after) = if before.trim_end_matches('\n') == after.trim_end_matches('\n') {
        (from.to_string(), to.to_string())
    } else {
        (before, after)
    };
    compared(&before, &after, super::AROUND)
}

/// Line by line; where nothing can be matched, all of one side and all of the other.
pub(super) fn compared(from: &str, to: &str, around: usize) -> Lines {
    let lines = diff::lines(from, to, around);
    if from == to || lines.rows.iter().any(|row| matches!(row.sign, Sign::Removed | Sign::Added)) {
        return lines;
    }
    if !lines.rows.is_empty() && from.lines().eq(to.lines()) {
        return lines;
    }
    let side = |text: &str, sign: Sign| {
        let number = |at: usize, own: Sign| (sign == own).then_some(at + 1);
        text.lines()
            .enumerate()
            .map(|(at, line)| LineRow {
                sign,
                from: number(at, Sign::Removed),
                to: number(at, Sign::Added),
                text: line.into(),
                strong: Vec::new(),
            })
            .collect::<Vec<_>>()
    };
    let rows = [side(from, Sign::Removed), side(to, Sign::Added)].concat();
    Lines { rows, coarse: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_string_that_looks_like_something_else_stands_in_quotes() {
        for (value, expected) in [
            (json!("8080"), "\"8080\""),
            (json!(8080), "8080"),
            (json!("true"), "\"true\""),
            (json!(true), "true"),
            (json!("podinfo:6.9.1"), "podinfo:6.9.1"),
            (json!(""), "\"\""),
            (json!(" a"), "\" a\""),
            (json!({}), "{}"),
            (json!([]), "[]"),
            (json!({"a": 1}), "a: 1"),
        ] {
            assert_eq!(text(&value), expected);
        }
    }

    #[test]
    fn texts_that_differ_at_their_end_only_are_told_apart() {
        let lines = lines_of(&json!("a\nb\n"), &json!("a\nb"));
        let texts: Vec<&str> = lines.rows.iter().map(|row| &*row.text).collect();
        assert_eq!(texts, ["\"a\\nb\\n\"", "\"a\\nb\""]);
    }
}
