//! The table of one size, with what was promised beside what was measured.

use crate::{board::Board, lists::Lists};
use std::{
    fmt::{self, Display, Formatter, Write},
    time::Duration,
};

pub struct Report {
    pub count: usize,
    pub lists: Lists,
    pub board: Board,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (lists, board) = (&self.lists, &self.board);
        let each = lists.bytes / lists.objects.max(1);
        let (kilobytes, megabytes) = (lists.bytes / 1_000 % 1_000 / 100, lists.bytes / 1_000_000);
        writeln!(f, "\n{} objects, {megabytes}.{kilobytes} MB of JSON, {each} bytes each", self.count)?;
        line(f, "bare LISTs, best / median of 3", &times(&lists.times), "")?;
        line(f, "full list, best / median of 3", &times(&board.full), "")?;
        let ratio = seconds(board.full[0]) / seconds(lists.times[0]);
        let median = seconds(middle(&board.full)) / seconds(middle(&lists.times));
        line(f, "full list / bare LISTs", &format!("{ratio:.2}x / {median:.2}x"), "<= 1.5x")?;
        let mut all = Vec::new();
        for (name, painted) in &board.keys {
            all.extend_from_slice(&painted.times);
            keys(f, name, &painted.times, painted.silent)?;
        }
        all.sort();
        let silent = board.keys.iter().map(|(_, painted)| painted.silent).sum();
        keys(f, "all", &all, silent)?;
        line(f, "idle CPU over 10 s", &format!("{:.1} % of a core", board.idle_cpu_percent), "< 1 %")?;
        let memory = format!("{} / {} MB", board.rss_kib / 1024, board.peak_kib / 1024);
        line(f, "RSS / peak", &memory, "< 100 MB")
    }
}

fn keys(f: &mut Formatter<'_>, name: &str, times: &[Duration], silent: usize) -> fmt::Result {
    let milliseconds = |part| format!("{:.1}", seconds(percentile(times, part)) * 1e3);
    let mut value = format!("{} / {} / {} ms", milliseconds(50), milliseconds(99), milliseconds(100));
    if silent > 0 {
        let _ = write!(value, ", {silent} painted nothing");
    }
    let title = format!("key to paint, {} x {name}: p50 / p99 / worst", times.len() + silent);
    line(f, &title, &value, if name == "all" { "p99 < 16 ms" } else { "" })
}

fn line(f: &mut Formatter<'_>, title: &str, value: &str, target: &str) -> fmt::Result {
    writeln!(f, "  {title:<52} {value:<26} {target}")
}

fn times(times: &[Duration]) -> String {
    format!("{:.2} / {:.2} s", seconds(times[0]), seconds(middle(times)))
}

fn middle(times: &[Duration]) -> Duration {
    times[times.len() / 2]
}

/// The nearest rank; zero if nothing was measured.
fn percentile(times: &[Duration], part: usize) -> Duration {
    let rank = (times.len() * part).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}
