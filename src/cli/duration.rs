//! Durations as Go and kubectl write them: `30s`, `1m30s`, `1.5h`, and plain seconds. It reads no clock.

use std::time::Duration;

/// Nobody waits longer, and no clock can add much more to what it shows.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Go's `time.ParseDuration` without a sign; digits alone are seconds, as in kubectl's `--request-timeout`. At most a
/// year.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    whole(text).map(|duration| duration.min(LONGEST))
}

fn whole(text: &str) -> Result<Duration, String> {
    let bad = || format!("needs a duration such as 30s or 1m30s, not {text:?}");
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().map(Duration::from_secs).map_err(|_| bad());
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(bad)?;
        let amount: f64 = rest[..end].parse().map_err(|_| bad())?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += amount * unit(&rest[..end]).ok_or_else(bad)?;
        rest = &rest[end..];
    }
    if text.is_empty() {
        return Err(bad());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| bad())
}

fn unit(word: &str) -> Option<f64> {
    Some(match word {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, milliseconds: u64) {
        assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
    }

    #[test]
    fn durations_read_as_go_reads_them() {
        check("30s", 30_000);
        check("1m30s", 90_000);
        check("1.5h", 5_400_000);
        check("250ms", 250);
        check("0", 0);
        check("0s", 0);
        check("20", 20_000);
    }

    #[test]
    fn nothing_lasts_longer_than_a_year() {
        let year = 365 * 24 * 3600 * 1000;
        check("18446744073709551615", year);
        check("9999999999h", year);
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for bad in ["", "s", "1x", "1m30", "-5s", "5 s", "1..5s", ".", "1h ", "99999999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad:?}");
        }
    }
}
