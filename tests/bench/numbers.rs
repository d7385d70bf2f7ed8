//! Lines of a report: a title, what was measured, and what was promised.

use crate::keys::Painted;
use std::{
    fmt::{self, Formatter, Write},
    time::Duration,
};

pub fn keys(f: &mut Formatter<'_>, name: &str, painted: &Painted, promised: &str) -> fmt::Result {
    let Painted { times, silent } = painted;
    let milliseconds = |part| format!("{:.1}", seconds(percentile(times, part)) * 1e3);
    let mut value = format!("{} / {} / {} ms", milliseconds(50), milliseconds(99), milliseconds(100));
    if *silent > 0 {
        let _ = write!(value, ", {silent} painted nothing");
    }
    let title = format!("key to paint, {} x {name}: p50 / p99 / worst", times.len() + silent);
    line(f, &title, &value, promised)
}

pub fn line(f: &mut Formatter<'_>, title: &str, value: &str, target: &str) -> fmt::Result {
    writeln!(f, "  {title:<52} {value:<26} {target}")
}

/// Best and median of what was sorted.
pub fn times(times: &[Duration]) -> String {
    format!("{:.0} / {:.0} ms", seconds(times[0]) * 1e3, seconds(middle(times)) * 1e3)
}

pub fn middle(times: &[Duration]) -> Duration {
    times[times.len() / 2]
}

/// The nearest rank; zero if nothing was measured.
fn percentile(times: &[Duration], part: usize) -> Duration {
    let rank = (times.len() * part).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

pub fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
