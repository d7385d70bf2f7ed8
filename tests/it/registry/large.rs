//! A large artifact, measured: 50 MB of layer, 20,000 files. It prints numbers; only memory passes or fails.
//! `cargo test --release --test it -- --ignored --nocapture large_artifact`

use super::{
    artifacts::target,
    folder,
    server::Server,
    settings,
    store::{FLUX_LAYER, Store},
};
use fluxscope::{
    domain::{
        repository::{Repository, Upstream},
        source::LayerSelector,
    },
    port::{Artifacts, Opened, Opening},
    registry::{CacheSettings, OciRegistry, Settings},
};
use futures::StreamExt;
use std::{fmt::Write, fs, path::Path, process::Command, time::Instant};

const AT: &str = "FLUXSCOPE_TEST_LARGE";
const FILES: usize = 20_000;
/// MiB of the whole process.
const MOST_MEMORY: u64 = 150;

/// Files of 2.6 KB that compress badly, packed by the system's own tools: this is no test of ours.
fn layer(folder: &Path) -> Vec<u8> {
    let script = format!(
        "mkdir -p f && cd f && head -c 39000000 /dev/urandom | base64 -w 99 | split -a 5 -l 26 - x \
         && ls | head -n -{FILES} | xargs -r rm && ls | wc -l && cd .. && tar -cf - f | gzip -1 > layer.tgz"
    );
    let made = Command::new("sh").current_dir(folder).args(["-c", &script]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::read(folder.join("layer.tgz")).unwrap()
}

fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
}

async fn open(registry: &OciRegistry, server: &str, log: &mut String, word: &str) -> Opened {
    let upstream = Upstream { repository: Repository::parse_name(server).unwrap(), insecure: false };
    let origin = fluxscope::domain::artifact::Origin::Registry { upstream, reference: "1.0.0".into() };
    let target =
        fluxscope::domain::artifact::Target { origin, selector: LayerSelector::default(), ignore: None };
    let started = Instant::now();
    let artifact = registry.inspect(target).await.unwrap();
    let mut opening = registry.open(&artifact, 0);
    while let Some(step) = opening.next().await {
        if let Opening::Opened(opened) = step.unwrap() {
            let files = opened.tree.stored().count();
            writeln!(log, "{word}: {files} files after {:?}, peak {} MiB", started.elapsed(), peak_memory())
                .unwrap();
            return opened;
        }
    }
    panic!("not opened")
}

/// The process that is measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is run by a_large_artifact_fits_into_little_memory"]
async fn one_reader() {
    let Ok(at) = std::env::var(AT) else { return };
    let (server, folder) = at.split_once(' ').unwrap();
    let mut log = format!("\nat the start: peak {} MiB\n", peak_memory());
    let cache = Some(CacheSettings { folder: folder.into(), limit: 512_000_000 });
    for (word, cache) in
        [("without a cache", None), ("from the registry", cache.clone()), ("from the cache", cache)]
    {
        let registry = OciRegistry::new(Settings { cache, ..settings() }).unwrap();
        let opened = open(&registry, server, &mut log, word).await;
        let started = Instant::now();
        let last = opened.tree.entries.len() - 1;
        let read: Vec<_> = opened.contents.read(vec![last / 2, last]).collect().await;
        assert!(opened.verified && read.len() == 2 && read.iter().all(Result::is_ok));
        writeln!(log, "two of its files after {:?}", started.elapsed()).unwrap();
    }
    println!("{log}");
    assert!(peak_memory() < MOST_MEMORY, "{log}");
}

#[test]
#[ignore = "takes half a minute: measures"]
fn a_large_artifact_fits_into_little_memory() {
    let folder = folder("large");
    let bytes = layer(&folder);
    println!("{} bytes", bytes.len());
    let mut store = Store::default();
    let layer = store.blob(FLUX_LAYER, &bytes);
    store.image("1.0.0", &[layer]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start(move |seen, _| store.answer(seen)));
    let name = target(&server, "1.0.0");
    let fluxscope::domain::artifact::Origin::Registry { upstream, .. } = name.origin else { panic!() };
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "registry::large::one_reader", "--ignored", "--nocapture"])
        .env(AT, format!("{} {}", upstream.repository, folder.join("cache").display()))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&run.stdout);
    println!("{words}");
    assert!(run.status.success() && words.contains("1 passed"), "{}", String::from_utf8_lossy(&run.stderr));
    let _ = fs::remove_dir_all(folder);
}
