//! `match`: which versions a range takes, as Flux judges it. It asks nobody: no cluster, no registry.

use super::{
    args::{MatchArgs, Summary},
    exit,
    output::{Console, Table, document},
};
use crate::domain::{
    constraint::{Constraint, Judgement},
    repository::is_tag,
    version::Version,
};
use serde_json::{Value, json};
use std::io::{self, BufRead};

/// A line longer than this is no version.
const LONGEST_LINE: usize = 1024;
/// More is not read: 200,000 tags of 128 characters are fewer.
const LONGEST_INPUT: u64 = 64 << 20;

pub(super) fn run(args: &MatchArgs, console: &mut Console<'_>) -> i32 {
    let constraint = match Constraint::parse(&args.constraint) {
        Ok(constraint) => constraint,
        Err(error) => {
            let code = refused(args, &error.to_string(), console);
            console.point(&args.constraint, error.at());
            return code;
        }
    };
    let mut rows = Vec::new();
    for word in &args.versions {
        if word == "-" {
            match read_lines(io::stdin().lock()) {
                Ok(lines) => rows.extend(lines.iter().map(|line| Row::of(line, &constraint))),
                Err(error) => return refused(args, &format!("read versions from stdin: {error}"), console),
            }
        } else {
            rows.push(Row::of(word, &constraint));
        }
    }
    match args.output {
        Summary::Table if args.versions.is_empty() => {
            console.data(&super::safe_line(&format!("{} is a range", args.constraint)));
        }
        Summary::Table if rows.is_empty() => {}
        Summary::Table => console.data(&table(&rows)),
        Summary::Json => console.json(&answer(args, None, &rows)),
        Summary::Yaml => console.yaml(&answer(args, None, &rows)),
    }
    if args.versions.is_empty() || rows.iter().any(|row| row.matches) { exit::ANSWERED } else { exit::NO }
}

/// One version; the text comes from outside.
struct Row {
    version: String,
    valid: bool,
    matches: bool,
    reason: String,
}

impl Row {
    /// Read leniently, as inside Masterminds; where Flux would skip a tag of this name, the reason says so.
    fn of(text: &str, constraint: &Constraint) -> Self {
        let row = |valid, matches, reason| Self { version: text.to_owned(), valid, matches, reason };
        let version = match Version::parse(text) {
            Ok(version) => version,
            Err(why) => return row(false, false, format!("not a version: {why}")),
        };
        let skipped = match Version::parse_tag(text) {
            Err(why) => format!("; as a tag Flux skips it: {why}"),
            Ok(_) if !is_tag(text) => "; no tag can be called so".to_owned(),
            Ok(_) => String::new(),
        };
        match constraint.judge(&version) {
            Judgement::InRange => row(true, true, format!("in range{skipped}")),
            Judgement::PreRelease { group } => {
                row(true, false, format!("{group} names no pre-release{skipped}"))
            }
            Judgement::OutOfRange { comparator } => {
                row(true, false, format!("{version} does not satisfy {comparator}{skipped}"))
            }
        }
    }
}

/// One version a line; empty lines are none.
fn read_lines(input: impl BufRead) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    for line in input.take(LONGEST_INPUT).split(b'\n') {
        let line = line?;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() {
            lines.push(text.chars().take(LONGEST_LINE).collect());
        }
    }
    Ok(lines)
}

fn table(rows: &[Row]) -> String {
    let mut table = Table::new(vec!["VERSION", "MATCHES", "WHY"]);
    for row in rows {
        let matches = if row.matches { "yes" } else { "no" };
        table.push(&[row.version.clone(), matches.to_owned(), row.reason.clone()]);
    }
    table.take(true)
}

fn answer(args: &MatchArgs, error: Option<&str>, rows: &[Row]) -> Value {
    let items: Vec<Value> = rows
        .iter()
        .map(|row| json!({"version": row.version, "valid": row.valid, "matches": row.matches, "reason": row.reason}))
        .collect();
    let fields =
        json!({"constraint": args.constraint, "valid": error.is_none(), "error": error, "items": items});
    document("MatchList", fields)
}

fn refused(args: &MatchArgs, error: &str, console: &mut Console<'_>) -> i32 {
    console.say(&format!("error: {error}"));
    match args.output {
        Summary::Table => {}
        Summary::Json => console.json(&answer(args, Some(error), &[])),
        Summary::Yaml => console.yaml(&answer(args, Some(error), &[])),
    }
    exit::NOT_ANSWERED
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(words: &[&str]) -> (i32, String, String) {
        let argv = ["fluxscope", "match"].iter().chain(words).map(std::ffi::OsString::from);
        let cli = crate::cli::args::parse(argv).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = crate::cli::run_alone(&cli, &mut Console::new(&mut out, &mut err)).unwrap();
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn any_match_is_0_none_is_1_and_a_bad_range_is_2() {
        assert_eq!(ask(&["1.x", "1.2.3", "2.0.0"]).0, 0);
        assert_eq!(ask(&["1.x", "2.0.0"]).0, 1);
        assert_eq!(ask(&["1.x"]).0, 0, "without versions only the range is checked");
        let (code, _, err) = ask(&[">>1", "1.0.0"]);
        assert_eq!((code, err.as_str()), (2, "error: improper constraint: \">>1\"\n  >>1\n   ^\n"));
    }

    #[test]
    fn a_script_learns_why() {
        let (_, out, _) =
            ask(&["6.9.x", "6.9.4", "7.0.0", "6.9", "v", "6.9.5-rc.1", "6.9.4+b", "-o", "json"]);
        let answer: Value = serde_json::from_str(&out).unwrap();
        let reasons: Vec<&str> =
            answer["items"].as_array().unwrap().iter().map(|item| item["reason"].as_str().unwrap()).collect();
        assert_eq!(reasons[..2], ["in range", "7.0.0 does not satisfy 6.9.x"]);
        assert_eq!(reasons[2], "in range; as a tag Flux skips it: needs x.y.z");
        assert!(reasons[3].starts_with("not a version: "));
        assert_eq!(reasons[4], "6.9.x names no pre-release");
        assert_eq!(reasons[5], "in range; no tag can be called so");
        assert_eq!(
            (&answer["kind"], &answer["valid"], &answer["error"]),
            (&json!("MatchList"), &json!(true), &Value::Null)
        );
    }

    #[test]
    fn versions_are_read_one_a_line_whatever_else_is_there() {
        let input = b"1.0.0\r\n\n  v2.0.0 \n\xff\x1b[2J\nlatest".as_slice();
        assert_eq!(read_lines(input).unwrap(), ["1.0.0", "v2.0.0", "\u{fffd}\u{1b}[2J", "latest"]);
        let long = "1".repeat(5000);
        assert_eq!(read_lines(long.as_bytes()).unwrap()[0].len(), LONGEST_LINE);
    }
}
