//! The table of one size, with what was promised beside what was measured.

use crate::{
    board::Board,
    lists::Lists,
    numbers::{keys, line, middle, seconds, times},
};
use std::fmt::{self, Display, Formatter};

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
        for (name, painted) in &board.keys {
            keys(f, name, painted, "")?;
        }
        keys(f, "all", &board.keys.iter().map(|(_, painted)| painted).collect(), "p99 < 16 ms")?;
        line(f, "idle CPU over 10 s", &format!("{:.1} % of a core", board.idle_cpu_percent), "< 1 %")?;
        let memory = format!("{} / {} MB", board.rss_kib / 1024, board.peak_kib / 1024);
        line(f, "RSS / peak", &memory, "< 100 MB")
    }
}
