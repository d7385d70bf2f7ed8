//! How sentences about changes are made: lists that end, values that are short. It knows no Secrets: who quotes a value
//! has made sure that it is none.

use serde_json::Value;

/// Longest quote of a value, in characters.
const QUOTE: usize = 60;

/// `a, b and 12 more`; the order is the caller's.
pub(super) fn some<T: AsRef<str>>(items: &[T], most: usize) -> String {
    let shown: Vec<&str> = items.iter().take(most).map(AsRef::as_ref).collect();
    match (items.len() - shown.len(), shown.split_last()) {
        (_, None) => String::new(),
        (0, Some((last, []))) => (*last).to_owned(),
        (0, Some((last, before))) => format!("{} and {last}", before.join(", ")),
        (rest, Some(_)) => format!("{} and {rest} more", shown.join(", ")),
    }
}

/// `1 object`, `2 objects`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A value in a sentence.
pub(super) fn quote(value: Option<&Value>) -> String {
    match value {
        None => "not set".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "\"\"".to_owned(),
        Some(Value::String(text)) => short(text),
        Some(Value::Array(items)) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            format!("a list of {}", items.len())
        }
        Some(Value::Object(map)) if !map.is_empty() => format!("a map of {}", count(map.len(), "key")),
        Some(other) => short(&other.to_string()),
    }
}

/// Its beginning, on one line.
pub(super) fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let cut: String = line.chars().take(QUOTE).collect();
    if cut.len() < text.trim_end().len() { format!("{cut}…") } else { cut }
}

/// What a value is, where only that matters.
pub(super) const fn type_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_list_ends() {
        let check = |items: &[&str], most, want: &str| assert_eq!(some(items, most), want);
        check(&[], 3, "");
        check(&["a"], 3, "a");
        check(&["a", "b", "c"], 3, "a, b and c");
        check(&["a", "b", "c", "d"], 2, "a, b and 2 more");
    }

    #[test]
    fn a_quote_is_short_and_one_line() {
        let check = |value: Value, want: &str| assert_eq!(quote(Some(&value)), want);
        check(json!("6.9.4"), "6.9.4");
        check(json!(""), "\"\"");
        check(json!(3), "3");
        check(json!({}), "{}");
        check(json!({"a": 1, "b": 2}), "a map of 2 keys");
        check(json!(["a", "b"]), "[\"a\",\"b\"]");
        check(json!("one\ntwo"), "one…");
        check(json!("x".repeat(61)), &format!("{}…", "x".repeat(60)));
    }
}
