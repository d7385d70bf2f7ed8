//! How long it takes until a large artifact can be browsed, beside the tools that one would use without fluxscope:
//! numbers, and no verdicts. `tests/bench/run artifact` brings the registry; README.md says what the numbers mean.

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
use flate2::{Compression, write::GzEncoder};
use keys::{Painted, press};
use numbers::{line, middle, seconds, times};
use program::{command, fluxscope};
use pty::Pty;
use sha2::{Digest, Sha256};
use std::{
    fmt::{self, Display, Formatter, Write as _},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const ROUNDS: usize = 7;
const FILES: usize = 20_000;
/// Of one file; half of it does not compress.
const SIZE: usize = 4_600;

fn main() {
    let env = ClusterEnv::find().unwrap_or_else(|why| panic!("{why}"));
    let folder = std::env::temp_dir().join("fluxscope-bench/artifact");
    fs::create_dir_all(&folder).expect("a temporary folder");
    eprintln!("{FILES} files: packing and pushing");
    let pushed = Pushed::to(env.get("REGISTRY_PAGED"), &folder);
    eprintln!("{FILES} files: the tools and the command in turns");
    let commands = Commands::measure(&env, &pushed, &folder);
    eprintln!("{FILES} files: the screen");
    println!("{}", Report { size: pushed.size, commands, screen: Screen::measure(&env, &pushed) });
}

/// A blob that is the one layer of a tag.
struct Pushed {
    url: String,
    reference: String,
    file: PathBuf,
    size: usize,
}

impl Pushed {
    fn to(host: &str, folder: &Path) -> Self {
        let layer = layer();
        let file = folder.join("layer.tgz");
        fs::write(&file, &layer).expect("a file");
        let name = "bench/artifact";
        let digest = upload(host, name, &file, &layer);
        let empty = folder.join("config.json");
        fs::write(&empty, "{}").expect("a file");
        let config = upload(host, name, &empty, b"{}");
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.cncf.flux.config.v1+json", "digest": config, "size": 2},
            "layers": [{
                "mediaType": "application/vnd.cncf.flux.content.v1.tar+gzip",
                "digest": digest,
                "size": layer.len(),
            }],
        });
        let place = format!("http://{host}/v2/{name}/manifests/1.0.0");
        let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json";
        curl(&["-X", "PUT", "-H", kind, "--data-binary", &manifest.to_string(), &place]);
        let url = format!("http://{host}/v2/{name}/blobs/{digest}");
        Self { url, reference: format!("oci://{host}/{name}:1.0.0"), file, size: layer.len() }
    }
}

/// Objects as they are pushed every day, but for a text in each that no compressor makes smaller.
fn layer() -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for number in 0..FILES {
        let mut text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-{number}\n  namespace: team-{}\ndata:\n",
            number % 50
        );
        while text.len() < SIZE {
            text.push_str("  key: ");
            for _ in 0..8 {
                // xorshift64
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                // writing into a String cannot fail
                let _ = write!(text, "{seed:x}");
            }
            text.push('\n');
        }
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        let path = format!("apps/team-{}/settings-{number}.yaml", number % 50);
        archive.append_data(&mut header, path, text.as_bytes()).expect("an entry");
    }
    archive.into_inner().expect("an archive").finish().expect("a gzip stream")
}

fn upload(host: &str, name: &str, file: &Path, bytes: &[u8]) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        let _ = write!(digest, "{byte:02x}");
    }
    let head =
        curl(&["-D-", "-o/dev/null", "-X", "POST", &format!("http://{host}/v2/{name}/blobs/uploads/")]);
    let place = head.lines().find_map(|l| l.strip_prefix("Location: ")).expect("a place to upload to").trim();
    let place = if place.starts_with('/') { format!("http://{host}{place}") } else { place.to_owned() };
    let joint = if place.contains('?') { '&' } else { '?' };
    let file = file.to_str().expect("a plain path");
    curl(&["-T", file, &format!("{place}{joint}digest={digest}")]);
    digest
}

fn curl(args: &[&str]) -> String {
    let output = Command::new("curl").arg("-sSf").args(args).output().expect("curl");
    assert!(output.status.success(), "curl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// From fastest to slowest, in turns, so that what else the machine does falls on all of them.
struct Commands {
    /// Download, hash and list at the same time.
    tools: Vec<Duration>,
    fresh: Vec<Duration>,
    /// Hash and list what lies on the disk.
    tools_on_disk: Vec<Duration>,
    cached: Vec<Duration>,
}

impl Commands {
    fn measure(env: &ClusterEnv, pushed: &Pushed, folder: &Path) -> Self {
        let cache = folder.join("cache");
        let tools = format!("curl -sSf '{}' | tee >(sha256sum >&2) | gunzip | tar t", pushed.url);
        let file = pushed.file.display();
        let on_disk = format!("sha256sum '{file}'; gunzip <'{file}' | tar t");
        let ours = |extra: &[&str]| {
            let mut command = command(env);
            command.args(["files", &pushed.reference, "-o", "name"]).args(extra);
            ran(&mut command)
        };
        let kept = format!("--cache-dir={}", cache.display());
        ours(&[&kept]);
        let mut all =
            Self { tools: Vec::new(), fresh: Vec::new(), tools_on_disk: Vec::new(), cached: Vec::new() };
        for _ in 0..ROUNDS {
            all.tools.push(ran(Command::new("bash").args(["-c", &tools])));
            all.fresh.push(ours(&["--no-cache"]));
            all.tools_on_disk.push(ran(Command::new("bash").args(["-c", &on_disk])));
            all.cached.push(ours(&[&kept]));
        }
        for times in [&mut all.tools, &mut all.fresh, &mut all.tools_on_disk, &mut all.cached] {
            times.sort();
        }
        all
    }
}

fn ran(command: &mut Command) -> Duration {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().expect("a program that starts");
    let time = start.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = output.stdout.split(|byte| *byte == b'\n').count();
    assert!(lines >= FILES, "{command:?} listed {lines} files");
    time
}

struct Screen {
    first: Duration,
    /// Back to it in the same run.
    again: Vec<Duration>,
    /// Memory that was resident at the most, in KiB.
    peak: u64,
    keys: Vec<(&'static str, Painted)>,
}

impl Screen {
    fn measure(env: &ClusterEnv, pushed: &Pushed) -> Self {
        let mut start = fluxscope(env);
        start.arg("--no-cache");
        let mut pty = Pty::start(start, 160, 45);
        pty.wait_until("the cluster was read", |screen| {
            screen.lines().next().is_some_and(|top| top.contains("live"))
        });
        let first = open(&mut pty, &pushed.reference);
        pty.watch_for(Duration::from_secs(5));
        let keys = vec![
            ("j", press(&mut pty, &["j"; 50])),
            ("x G g", press(&mut pty, &["x", "G", "g"].repeat(10))),
            ("filter", press(&mut pty, &["/", "s", "-", "1", "9", "\r", "\u{1b}"].repeat(10))),
        ];
        let mut again: Vec<Duration> = (0..10)
            .map(|_| {
                pty.press("\u{1b}");
                pty.wait_until("the board", |screen| !shows(screen));
                open(&mut pty, &pushed.reference)
            })
            .collect();
        again.sort();
        let peak = peak(pty.pid());
        pty.press("\u{3}");
        pty.wait_end();
        Self { first, again, peak, keys }
    }
}

fn open(pty: &mut Pty, reference: &str) -> Duration {
    pty.press(&format!(":artifact {reference}"));
    pty.wait_for(&format!(":artifact {reference}"));
    let start = Instant::now();
    pty.press("\r");
    pty.wait_until("the tree", shows);
    start.elapsed()
}

fn shows(screen: &str) -> bool {
    screen.contains("team-0/")
}

fn peak(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the status of a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
    peak.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

struct Report {
    size: usize,
    commands: Commands,
    screen: Screen,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (commands, screen) = (&self.commands, &self.screen);
        writeln!(f, "\n{FILES} files in one layer of {} MB", self.size / 1_000_000)?;
        let mut pair = |what: &str, ours: &[Duration], tools: &str, theirs: &[Duration]| {
            line(f, &format!("{what}, best / median of {ROUNDS}"), &times(ours), "")?;
            line(f, tools, &times(theirs), "")?;
            line(f, "  ratio", &ratio(ours, theirs), "<= 1.2x")
        };
        pair("files", &commands.fresh, "curl | tee >(sha256sum) | gunzip | tar t", &commands.tools)?;
        pair(
            "files, from the cache",
            &commands.cached,
            "sha256sum; gunzip | tar t",
            &commands.tools_on_disk,
        )?;
        line(f, "Enter to the tree on the screen", &times(&[screen.first]), "")?;
        line(f, "back to it, best / median of 10", &times(&screen.again), "< 100 ms")?;
        line(f, "memory at the most", &format!("{} MB", screen.peak / 1_000), "< 150 MB")?;
        for (name, painted) in &screen.keys {
            numbers::keys(f, name, painted, "")?;
        }
        Ok(())
    }
}

fn ratio(ours: &[Duration], theirs: &[Duration]) -> String {
    let median = seconds(middle(ours)) / seconds(middle(theirs));
    format!("{:.2}x / {median:.2}x", seconds(ours[0]) / seconds(theirs[0]))
}
