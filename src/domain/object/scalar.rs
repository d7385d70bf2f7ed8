//! What a plain or tagged scalar means to Go's YAML readers: their table of words, their numbers, their dates
//! (`go.yaml.in/yaml` v2 and v3, `resolve.go`). Nothing here knows where the scalar stands.

use super::Dialect;
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use std::borrow::Cow;

/// A scalar, resolved.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Meaning<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// Above [`i64::MAX`].
    Large(u64),
    /// May be infinite or no number: no JSON can say that.
    Float(f64),
    /// As RFC 3339 writes it, which is how kustomize gives it on.
    Time(Box<str>),
    Binary(String),
    Merge,
    Text(Cow<'a, str>),
}

impl Meaning<'_> {
    /// As Go's readers call it in their errors.
    const fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Int(_) | Self::Large(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Time(_) => "!!timestamp",
            Self::Binary(_) => "!!binary",
            Self::Merge => "!!merge",
            Self::Text(_) => "!!str",
        }
    }
}

/// What a plain scalar without a tag means.
pub(super) fn plain(text: &str, dialect: Dialect) -> Meaning<'_> {
    resolve(text, dialect, true)
}

/// What a scalar with a tag means, quoted or not. `tag` is short (`!!int`) or of somebody else (`!foo`).
pub(super) fn tagged<'a>(tag: &str, text: &'a str, dialect: Dialect) -> Result<Meaning<'a>, String> {
    match tag {
        "!!binary" => {
            return decode(text)
                .map(Meaning::Binary)
                .ok_or_else(|| "!!binary value contains invalid base64 data".to_owned());
        }
        "!!bool" | "!!int" | "!!float" | "!!null" | "!!timestamp" => {}
        _ => return Ok(Meaning::Text(Cow::Borrowed(text))),
    }
    let meaning = resolve(text, dialect, tag == "!!timestamp");
    match meaning {
        #[expect(clippy::cast_precision_loss, reason = "so does Go")]
        Meaning::Int(number) if tag == "!!float" => Ok(Meaning::Float(number as f64)),
        meaning if meaning.tag() == tag => Ok(meaning),
        meaning => Err(format!("cannot decode {} `{text}` as a {tag}", meaning.tag())),
    }
}

fn resolve(text: &str, dialect: Dialect, dates: bool) -> Meaning<'_> {
    let as_text = Meaning::Text(Cow::Borrowed(text));
    let Some(&first) = text.as_bytes().first() else { return Meaning::Null };
    match first {
        b'0'..=b'9' | b'+' | b'-' => number(text, dialect, dates).unwrap_or(as_text),
        b'.' => word(text, dialect).or_else(|| dotted(text).map(Meaning::Float)).unwrap_or(as_text),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(text, dialect).unwrap_or(as_text)
        }
        b'<' if text == "<<" => Meaning::Merge,
        _ => as_text,
    }
}

fn word(text: &str, dialect: Dialect) -> Option<Meaning<'static>> {
    Some(match text {
        "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "true" | "True" | "TRUE" => Meaning::Bool(true),
        "false" | "False" | "FALSE" => Meaning::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Meaning::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Meaning::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Meaning::Float(f64::NEG_INFINITY),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::Helm => {
            Meaning::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::Helm => {
            Meaning::Bool(false)
        }
        _ => return None,
    })
}

/// `.5` and `.5e3`; a number too large is text.
fn dotted(text: &str) -> Option<f64> {
    is_float(text).then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

fn number(text: &str, dialect: Dialect, dates: bool) -> Option<Meaning<'static>> {
    if let Some(found) = word(text, dialect) {
        return Some(found);
    }
    if dates && let Some(time) = timestamp(text) {
        return Some(Meaning::Time(time.into()));
    }
    let plain: Cow<'_, str> =
        if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    if let Some(found) = integer(&plain) {
        return Some(found);
    }
    if is_float(&plain) {
        let number = plain.parse().ok().filter(|number: &f64| number.is_finite());
        return number.map(Meaning::Float);
    }
    signed_digits(&plain, "0b", 2)
        .or_else(|| signed_digits(&plain, "0o", 8).filter(|_| dialect == Dialect::Kustomize))
}

/// As Go's `strconv.ParseInt(…, 0, 64)` and then `ParseUint`: the base is in the prefix, a lone zero means octal.
fn integer(text: &str) -> Option<Meaning<'static>> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, base) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    let size = u64::from_str_radix(digits, base).ok()?;
    match (i64::try_from(size), negative) {
        (Ok(size), false) => Some(Meaning::Int(size)),
        (Ok(size), true) => Some(Meaning::Int(-size)),
        (Err(_), true) => (size == 1 << 63).then_some(Meaning::Int(i64::MIN)),
        // ParseUint takes no sign
        (Err(_), false) => (!text.starts_with('+')).then_some(Meaning::Large(size)),
    }
}

/// What is left of Go's own prefixes: a sign behind `0b`, or behind `0o` in v3, is taken.
fn signed_digits(text: &str, prefix: &str, base: u32) -> Option<Meaning<'static>> {
    let digits = text.strip_prefix(prefix).filter(|digits| digits.starts_with(['+', '-']))?;
    i64::from_str_radix(digits, base).ok().map(Meaning::Int)
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = digits(rest);
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if whole == 0 && count == 0 {
            return false;
        }
        rest = &fraction[count..];
    } else if whole == 0 {
        return false;
    }
    let Some(exponent) = rest.strip_prefix(['e', 'E']) else { return rest.is_empty() };
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    !exponent.is_empty() && digits(exponent) == exponent.len()
}

/// One of the four forms that Go's readers take for a date, as RFC 3339.
fn timestamp(text: &str) -> Option<String> {
    if text.len() < 8 || text.as_bytes()[4] != b'-' {
        return None;
    }
    let mut rest = Digits(text);
    let year = rest.exactly(4)?;
    let month = rest.after('-')?.up_to_two()?;
    let day = rest.after('-')?.up_to_two()?;
    if !(1..=12).contains(&month) || day < 1 || day > days(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = rest.0.starts_with(['T', 't']);
    if !zoned && !rest.0.starts_with(' ') {
        return None;
    }
    rest.0 = if zoned { &rest.0[1..] } else { rest.0.trim_start_matches(' ') };
    let hour = rest.up_to_two()?;
    let minute = rest.after(':')?.up_to_two()?;
    let second = rest.after(':')?.up_to_two()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = if zoned { rest.zone()? } else { "Z".to_owned() };
    rest.0.is_empty().then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

/// A date as Go writes it into JSON.
pub(super) fn rfc3339(time: Box<str>) -> Result<String, String> {
    if time.contains("+24:") || time.contains("-24:") {
        return Err("timezone hour outside of range [0,23]".to_owned());
    }
    Ok(time.into())
}

const fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is left of a date.
struct Digits<'a>(&'a str);

impl Digits<'_> {
    fn exactly(&mut self, count: usize) -> Option<u32> {
        let digits = self.0.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.0 = &self.0[count..];
        digits.parse().ok()
    }

    fn up_to_two(&mut self) -> Option<u32> {
        self.exactly(2).or_else(|| self.exactly(1))
    }

    fn after(&mut self, mark: char) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(self)
    }

    /// With its point, to the nanosecond, without zeros at the end.
    fn fraction(&mut self) -> String {
        let Some(rest) = self.0.strip_prefix(['.', ',']) else { return String::new() };
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return String::new();
        }
        self.0 = &rest[count..];
        let digits = rest[..count.min(9)].trim_end_matches('0');
        if digits.is_empty() { String::new() } else { format!(".{digits}") }
    }

    fn zone(&mut self) -> Option<String> {
        if let Some(rest) = self.0.strip_prefix('Z') {
            self.0 = rest;
            return Some("Z".to_owned());
        }
        let sign = self.0.chars().next().filter(|sign| matches!(sign, '+' | '-'))?;
        let hours = self.after(sign)?.exactly(2)?;
        let minutes = self.after(':')?.exactly(2)?;
        if hours > 24 || minutes > 59 {
            return None;
        }
        Some(if hours + minutes == 0 { "Z".to_owned() } else { format!("{sign}{hours:02}:{minutes:02}") })
    }
}

/// What is no UTF-8 is replaced byte by byte, as Go writes it into JSON.
fn decode(text: &str) -> Option<String> {
    let bytes = unpacked(text)?;
    let mut found = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        found.push_str(chunk.valid());
        found.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    Some(found)
}

/// Base64 as Go's standard encoding reads it: line breaks are skipped, padding must be there, and what is beyond the
/// last byte may be anything.
pub(in crate::domain) fn unpacked(text: &str) -> Option<Vec<u8>> {
    const GOS: GeneralPurpose =
        GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    GOS.decode(digits).ok()
}

/// A number as a key, in Helm's reading: Go's `FormatFloat(…, 'g', -1, 32)`.
pub(super) fn float_key(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "so does sigs.k8s.io/yaml")]
    let number = number as f32;
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        exponent @ -4..=5 => {
            let _ = exponent;
            format!("{number}")
        }
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_as_go_reads_it() {
        let read = |text: &str| unpacked(text).map(|bytes| String::from_utf8(bytes).unwrap());
        for (text, said) in
            [("", ""), ("aGk=", "hi"), ("a\nG\rk=\n", "hi"), ("aGl=", "hi"), ("aGlo", "hih"), ("aB==", "h")]
        {
            assert_eq!(read(text).as_deref(), Some(said), "{text:?}");
        }
        for text in ["aGk", "aGk=a", "a===", "====", "=", "aG k", "aGk=\t", "a-_=", "aGk=aGk="] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
