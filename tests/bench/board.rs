//! The release binary in a pseudo-terminal: how long until everything is there, until a key paints, and what it costs.

use crate::{
    api::ClusterEnv,
    keys::{Painted, press},
    program::fluxscope,
    pty::Pty,
};
use std::{
    fs,
    time::{Duration, Instant},
};

const TIMES: usize = 3;
const IDLE: Duration = Duration::from_secs(10);
/// Registries are asked at their own pace: after the keys, nothing should be under way any more.
const SETTLE: Duration = Duration::from_secs(5);

pub struct Board {
    /// From spawning the program to the full count in its top line; from fastest to slowest.
    pub full: Vec<Duration>,
    /// By what was pressed.
    pub keys: Vec<(&'static str, Painted)>,
    pub idle_cpu_percent: f64,
    pub rss_kib: u64,
    pub peak_kib: u64,
}

pub fn measure(env: &ClusterEnv, count: usize) -> Board {
    let mut full: Vec<Duration> = (1..TIMES).map(|_| open(env, count).1).collect();
    let (mut pty, last) = open(env, count);
    full.push(last);
    full.sort();
    pty.watch_for(SETTLE);
    let keys = vec![
        ("j", press(&mut pty, &["j"; 200])),
        ("G g ^F", press(&mut pty, &["G", "g", "\u{6}", "g"].repeat(10))),
        ("filter", press(&mut pty, &["/", "a", "p", "p", "-", "0", "0", "1", "\r", "\u{1b}"].repeat(6))),
    ];
    pty.watch_for(SETTLE);
    let idle_cpu_percent = idle_cpu(&mut pty);
    let memory = fs::read_to_string(format!("/proc/{}/status", pty.pid())).expect("its status");
    let kib = |name: &str| {
        let line = memory.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    let (rss_kib, peak_kib) = (kib("VmRSS:"), kib("VmHWM:"));
    pty.press("\u{3}");
    pty.wait_end();
    Board { full, keys, idle_cpu_percent, rss_kib, peak_kib }
}

fn open(env: &ClusterEnv, count: usize) -> (Pty, Duration) {
    let mut command = fluxscope(env);
    command.arg("-A");
    let sources = format!("{} sources", count / 5);
    let consumers = format!("{} consumers", count - count / 5);
    let start = Instant::now();
    let mut pty = Pty::start(command, 160, 45);
    pty.wait_until("all objects are counted", |screen| {
        let top = screen.lines().next().unwrap_or_default().replace([',', '\u{202f}'], "");
        top.contains(&sources) && top.contains(&consumers)
    });
    (pty, start.elapsed())
}

fn idle_cpu(pty: &mut Pty) -> f64 {
    let (before, start) = (ticks(pty.pid()), Instant::now());
    pty.watch_for(IDLE);
    let ticks = u32::try_from(ticks(pty.pid()) - before).expect("less than a year of work");
    100.0 * f64::from(ticks) / TICKS_PER_SECOND / start.elapsed().as_secs_f64()
}

/// `USER_HZ`, which is 100 on every Linux that is not built by hand.
const TICKS_PER_SECOND: f64 = 100.0;

/// In user and kernel together. The program's name stands in brackets and may hold spaces.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running program");
    let (_, rest) = stat.rsplit_once(") ").expect("the name ends with a bracket");
    rest.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
}
