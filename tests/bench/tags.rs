//! How the program does with many tags in one repository of a real registry that pages: numbers, and no verdicts.
//! `tests/bench/run tags` brings the registry; what the numbers mean stands in README.md.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot measure says so by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]
#![allow(unreachable_pub, reason = "modules of a bench have no outside")]

#[path = "../support/api.rs"]
#[allow(dead_code, reason = "the registry's address is all that is needed here")]
mod api;
#[path = "../support/pty.rs"]
#[allow(dead_code, reason = "the tests use the rest of it")]
mod pty;

mod keys;
mod numbers;
mod program;

use api::ClusterEnv;
use keys::{Painted, press};
use numbers::{line, middle, seconds, times};
use program::{command, fluxscope};
use pty::Pty;
use std::{
    fmt::{self, Display, Formatter},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const ROUNDS: usize = 9;
const OPENINGS: usize = 5;
const PAGE: usize = 1_000;

fn main() {
    let env = ClusterEnv::find().unwrap_or_else(|why| panic!("{why}"));
    // whatever else cargo hands over is not for us
    let count = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(10_000);
    eprintln!("{count} tags: pushing");
    let repository = format!("{}/bench/tags-{count}", env.get("REGISTRY_PAGED"));
    push(&repository, count);
    let pages = Pages::of(&repository);
    assert!(pages.urls.len() >= count.div_ceil(PAGE), "{} pages", pages.urls.len());
    eprintln!("{count} tags: {} pages; curl and the command in turns", pages.urls.len());
    let listings = Listings::measure(&env, &repository, &pages);
    eprintln!("{count} tags: the screen");
    println!("{}", Report { count, listings, screen: Screen::measure(&env, &repository, &pages, count) });
}

fn push(repository: &str, count: usize) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/push");
    let output = Command::new(script).args(["many", repository, &count.to_string()]).output().expect("push");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Where the pages are, which curl is told beforehand.
struct Pages {
    urls: Vec<String>,
    /// The newest version on the first page, and that of them all.
    newest_of_first: String,
    newest: String,
}

impl Pages {
    fn of(repository: &str) -> Self {
        let (host, name) = repository.split_once('/').expect("HOST/NAME");
        let mut next = Some(format!("http://{host}/v2/{name}/tags/list?n={PAGE}"));
        let (mut urls, mut newest) = (Vec::new(), Vec::new());
        while let Some(url) = next.take() {
            let output = Command::new("curl").args(["-sSfi", &url]).output().expect("curl");
            let answer = String::from_utf8_lossy(&output.stdout).into_owned();
            let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{url}: {answer}"));
            let list: serde_json::Value = serde_json::from_str(body).expect("a list of tags");
            let tags = list["tags"].as_array().expect("tags").iter().filter_map(|tag| tag.as_str());
            newest.extend(tags.max_by_key(|tag| version(tag)).map(str::to_owned));
            next = head
                .lines()
                .find_map(|header| header.strip_prefix("Link: <"))
                .map(|link| format!("http://{host}{}", link.split('>').next().unwrap_or_default()));
            urls.push(url);
        }
        let newest_of_first = newest.first().expect("a tag").clone();
        let newest = newest.into_iter().max_by_key(|tag| version(tag)).expect("a tag");
        Self { urls, newest_of_first, newest }
    }
}

/// As `push many` writes them.
fn version(tag: &str) -> Vec<u32> {
    tag.split('.').map(|part| part.parse().expect("a number")).collect()
}

/// From fastest to slowest, in turns, so that what else the machine does falls on all of them.
struct Listings {
    curl: Vec<Duration>,
    table: Vec<Duration>,
    json: Vec<Duration>,
}

impl Listings {
    fn measure(env: &ClusterEnv, repository: &str, pages: &Pages) -> Self {
        let url = format!("oci://{repository}");
        let mut all = Self { curl: Vec::new(), table: Vec::new(), json: Vec::new() };
        for _ in 0..ROUNDS {
            // one process and one connection for all pages: the least that anybody can do
            let mut curl = Command::new("curl");
            all.curl.push(ran(curl.arg("-sSf").args(&pages.urls)));
            all.table.push(ran(command(env).args(["tags", &url])));
            all.json.push(ran(command(env).args(["tags", &url, "--semver=1.x", "-o=json"])));
        }
        for times in [&mut all.curl, &mut all.table, &mut all.json] {
            times.sort();
        }
        all
    }
}

fn ran(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output().expect("a program that starts");
    let time = start.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    time
}

struct Screen {
    /// From Enter to the newest tag of the first page, and to the count of all.
    first: Vec<Duration>,
    whole: Vec<Duration>,
    curl_first: Vec<Duration>,
    keys: Vec<(&'static str, Painted)>,
}

impl Screen {
    fn measure(env: &ClusterEnv, repository: &str, pages: &Pages, count: usize) -> Self {
        let mut screen =
            Self { first: Vec::new(), whole: Vec::new(), curl_first: Vec::new(), keys: Vec::new() };
        for opening in 1..=OPENINGS {
            screen.curl_first.push(ran(Command::new("curl").arg("-sSf").arg(&pages.urls[0])));
            let mut pty = screen.open(env, repository, pages, count);
            if opening == OPENINGS {
                screen.press(&mut pty);
            }
            pty.press("\u{3}");
            pty.wait_end();
        }
        for times in [&mut screen.first, &mut screen.whole, &mut screen.curl_first] {
            times.sort();
        }
        screen
    }

    fn open(&mut self, env: &ClusterEnv, repository: &str, pages: &Pages, count: usize) -> Pty {
        let mut pty = Pty::start(fluxscope(env), 160, 45);
        pty.wait_until("the cluster was read", |screen| {
            screen.lines().next().is_some_and(|top| top.contains("live"))
        });
        pty.press(&format!(":tags oci://{repository}"));
        pty.wait_for(repository);
        let start = Instant::now();
        pty.press("\r");
        pty.wait_until("the first page", |screen| shows(screen, &pages.newest_of_first));
        self.first.push(start.elapsed());
        let title = format!("{count} tags");
        pty.wait_until("all tags", |screen| {
            screen.replace([',', '\u{202f}'], "").contains(&title) && shows(screen, &pages.newest)
        });
        self.whole.push(start.elapsed());
        pty
    }

    /// What the visible tags are is asked for first: its answers should not be taken for a key's.
    fn press(&mut self, pty: &mut Pty) {
        pty.watch_for(Duration::from_secs(5));
        let filter = ["/", "1", ".", "4", "2", ".", "7", "\r", "\u{1b}"].repeat(30);
        self.keys = vec![
            ("filter", press(pty, &filter)),
            ("j", press(pty, &["j"; 100])),
            ("G g ^F", press(pty, &["G", "g", "\u{6}", "g"].repeat(10))),
        ];
    }
}

/// As a word of its own in some row.
fn shows(screen: &str, tag: &str) -> bool {
    screen.lines().any(|row| row.split_whitespace().any(|word| word == tag))
}

struct Report {
    count: usize,
    listings: Listings,
    screen: Screen,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (listings, screen) = (&self.listings, &self.screen);
        let best_and_median = |all: &[Duration]| format!("best / median of {}", all.len());
        writeln!(f, "\n{} tags in one repository, pages of {PAGE}", self.count)?;
        let timed = |f: &mut Formatter<'_>, what: &str, all: &[Duration]| {
            line(f, &format!("{what}, {}", best_and_median(all)), &times(all), "")
        };
        timed(f, "curl, all pages", &listings.curl)?;
        for (what, all) in [("tags", &listings.table), ("tags --semver -o json", &listings.json)] {
            timed(f, what, all)?;
            line(f, &format!("{what} / curl"), &ratio(all, &listings.curl), "<= 1.2x")?;
        }
        timed(f, "curl, first page", &screen.curl_first)?;
        timed(f, "Enter to the first page on screen", &screen.first)?;
        timed(f, "Enter to all tags on screen", &screen.whole)?;
        line(f, "all tags on the screen / curl", &ratio(&screen.whole, &listings.curl), "")?;
        for (name, painted) in &screen.keys {
            numbers::keys(f, name, painted, if *name == "filter" { "< 5 ms" } else { "" })?;
        }
        Ok(())
    }
}

fn ratio(all: &[Duration], to: &[Duration]) -> String {
    let median = seconds(middle(all)) / seconds(middle(to));
    format!("{:.2}x / {median:.2}x", seconds(all[0]) / seconds(to[0]))
}
