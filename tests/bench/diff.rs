//! What comparing two artifacts costs beside parsing them, and beside `dyff` and `diff -r`: numbers, and no verdicts.
//! `tests/bench/run diff` builds dyff; README.md says what the numbers mean.

#![allow(clippy::expect_used, clippy::panic, reason = "a bench that cannot measure says so by panicking")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the table is what it is for")]

use flate2::read::MultiGzDecoder;
use fluxscope::domain::{
    diff::{Diff, File, Side, compare},
    object::{Dialect, documents, parse},
};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const ROUNDS: usize = 9;
const OBJECTS: usize = 5_000;
const PER_FILE: usize = 10;

fn main() {
    let from = side(|_| false);
    for (what, changed, promised) in
        [("2 % changed", 50, "<= 0.2x"), ("all changed", 1, "<= 1.5x")] as [(&str, usize, &str); 2]
    {
        let to = side(|number| number % changed == 0);
        eprintln!("{OBJECTS} objects, {what}");
        Cost::measure(&from, &to).print(what, promised);
    }
    match Releases::unpack().zip(std::env::var_os("FLUXSCOPE_DYFF")) {
        Some((releases, dyff)) => releases.compare(&PathBuf::from(dyff)),
        None => {
            println!("LEFT OUT: the releases need ../shared/data/prometheus-operator and $FLUXSCOPE_DYFF");
        }
    }
}

// ---- objects that are made up

fn side(changed: impl Fn(usize) -> bool) -> Side {
    let file = |file: usize| {
        let numbers = file * PER_FILE..(file + 1) * PER_FILE;
        let texts: Vec<String> = numbers.map(|number| object(number, changed(number))).collect();
        let text = texts.join("---\n");
        File {
            path: format!("apps/{file:04}.yaml").into(),
            size: text.len() as u64,
            sha256: None,
            executable: false,
            bytes: Some(text.into()),
        }
    };
    Side { files: (0..OBJECTS / PER_FILE).map(file).collect() }
}

fn object(number: usize, changed: bool) -> String {
    let tag = if changed { "1.2.4" } else { "1.2.3" };
    let app = format!("app.kubernetes.io/name: app-{number}");
    let head = |api: &str, kind: &str| {
        format!(
            "apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: app-{number}\n  namespace: team-{}\n  labels:\n    \
             {app}\n    app.kubernetes.io/version: {tag}\n",
            number % 50
        )
    };
    match number % 4 {
        0 => format!(
            "{}data:\n  app.properties: |\n    log.level=info\n    cache.size=128\n    release={tag}\n  url: \
             https://example.com/{number}\n  timeout: \"30\"\n",
            head("v1", "ConfigMap")
        ),
        1 => format!(
            "{}spec:\n  type: ClusterIP\n  selector:\n    {app}\n  ports:\n  - name: http\n    port: 80\n    \
             targetPort: http\n  - name: metrics\n    port: 9090\n    targetPort: metrics\n",
            head("v1", "Service")
        ),
        _ => head("apps/v1", "Deployment") + &deployment(number, tag, &app),
    }
}

fn deployment(number: usize, tag: &str, app: &str) -> String {
    format!(
        "spec:
  replicas: 2
  selector:
    matchLabels:
      {app}
  template:
    metadata:
      labels:
        {app}
    spec:
      serviceAccountName: app-{number}
      containers:
      - name: app
        image: registry.example.com/team/app-{number}:{tag}
        args: [\"--port=8080\", \"--level=info\"]
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: REGION
          value: \"1\"
        - name: PASSWORD
          valueFrom:
            secretKeyRef:
              name: app-{number}
              key: password
        resources:
          requests:
            cpu: 100m
            memory: 64Mi
          limits:
            memory: 128Mi
        volumeMounts:
        - name: config
          mountPath: /etc/app
      volumes:
      - name: config
        configMap:
          name: settings-{number}
"
    )
}

/// From fastest to slowest, in turns, so that what else the machine does falls on both.
struct Cost {
    parse: Vec<Duration>,
    compare: Vec<Duration>,
    objects: usize,
}

impl Cost {
    fn measure(from: &Side, to: &Side) -> Self {
        let mut cost = Self { parse: Vec::new(), compare: Vec::new(), objects: 0 };
        for _ in 0..ROUNDS {
            cost.parse.push(time(|| (read(from), read(to))).0);
            let (time, diff): (Duration, Diff) = time(|| compare(from, to, &|| true));
            cost.compare.push(time);
            cost.objects = diff.objects.len();
            assert_eq!(diff.objects.len() + diff.same_objects, OBJECTS, "objects were lost");
        }
        cost.parse.sort();
        cost.compare.sort();
        cost
    }

    fn print(&self, what: &str, promised: &str) {
        println!("\n{OBJECTS} objects on each side, {what}: {} differ", self.objects);
        line("parsing both sides once", &times(&self.parse), "");
        line("comparing them", &times(&self.compare), "");
        line("  compare / parse", &ratio(&self.compare, &self.parse), promised);
    }
}

fn read(side: &Side) -> Vec<Option<Value>> {
    let texts = side.files.iter().filter_map(|file| std::str::from_utf8(file.bytes.as_ref()?).ok());
    let documents = texts.flat_map(|text| documents(text).into_iter().map(|document| &text[document.at]));
    documents.map(|text| parse(text, Dialect::Kustomize).expect("a document")).collect()
}

fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = black_box(work());
    (start.elapsed(), done)
}

// ---- two releases

/// Folders of CRDs.
struct Releases {
    from: PathBuf,
    to: PathBuf,
}

/// One of the programs.
struct Ran {
    times: Vec<Duration>,
    /// Memory that was resident at the most, in KiB.
    peak: u64,
}

impl Releases {
    fn unpack() -> Option<Self> {
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/prometheus-operator/manifests");
        let folder = std::env::temp_dir().join("fluxscope-bench/diff");
        let unpack = |version: &str| {
            let archive = fs::File::open(data.join(format!("{version}.tar.gz"))).ok()?;
            let to = folder.join(version);
            fs::create_dir_all(&to).ok()?;
            tar::Archive::new(MultiGzDecoder::new(archive)).unpack(&to).ok()?;
            Some(to.join("prometheus-operator-crd"))
        };
        Some(Self { from: unpack("0.86.2")?, to: unpack("0.90.1")? })
    }

    fn compare(&self, dyff: &Path) {
        let ours = Path::new(env!("CARGO_BIN_EXE_fluxscope"));
        let (ours, theirs, plain) = (
            self.command(ours, &["diff"]),
            self.command(dyff, &["between"]),
            self.command(Path::new("diff"), &["-r"]),
        );
        let mut all = [ours, theirs, plain].map(|command| (command, Ran { times: Vec::new(), peak: 0 }));
        for _ in 0..ROUNDS {
            for (command, ran) in &mut all {
                ran.times.push(ran_for(command));
            }
        }
        for (command, ran) in &mut all {
            ran.times.sort();
            ran.peak = (0..3).map(|_| peak(command)).max().unwrap_or_default();
        }
        let [(_, ours), (_, theirs), (_, plain)] = &all;
        println!("\nprometheus-operator's CRDs, 0.86.2 and 0.90.1");
        for (what, ran) in [("fluxscope diff", ours), ("dyff between", theirs), ("diff -r", plain)] {
            line(&format!("{what}, best / median of {ROUNDS}"), &times(&ran.times), "");
            line("  memory at the most", &format!("{} MB", ran.peak / 1_000), "");
        }
        line("dyff / fluxscope", &ratio(&theirs.times, &ours.times), ">= 5x");
        let memory = format!("{:.2}x", number(theirs.peak) / number(ours.peak));
        line("dyff's memory / fluxscope's", &memory, "> 1x");
        line("diff -r / fluxscope", &ratio(&plain.times, &ours.times), "");
    }

    fn command(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(words).args([&self.from, &self.to]).env_remove("KUBECONFIG").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

fn ran_for(command: &mut Command) -> Duration {
    let (time, status) = time(|| command.status().expect("a program that starts"));
    // dyff says 0 whatever it finds
    assert!(matches!(status.code(), Some(0 | 1)), "{command:?} ended with {status}");
    time
}

/// Looked at all the time: a run of its own, because that takes a core.
fn peak(command: &mut Command) -> u64 {
    let mut child = command.spawn().expect("a program that starts");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse().ok());
        peak = peak.max(size.unwrap_or_default());
    }
    peak
}

// ---- the report

fn line(title: &str, value: &str, target: &str) {
    let mut text = String::new();
    // writing into a String cannot fail
    let _ = write!(text, "  {title:<52} {value:<26} {target}");
    println!("{}", text.trim_end());
}

/// Best and median of what was sorted.
fn times(times: &[Duration]) -> String {
    format!("{:.1} / {:.1} ms", milliseconds(times[0]), milliseconds(times[times.len() / 2]))
}

fn ratio(ours: &[Duration], theirs: &[Duration]) -> String {
    let of = |place: fn(&[Duration]) -> Duration| milliseconds(place(ours)) / milliseconds(place(theirs));
    format!("{:.2}x / {:.2}x", of(|times| times[0]), of(|times| times[times.len() / 2]))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[allow(clippy::cast_precision_loss, reason = "kilobytes of one process")]
fn number(kilobytes: u64) -> f64 {
    kilobytes as f64
}
