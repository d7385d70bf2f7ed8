//! What is kept on disk: by digest only, for its owner only, verified again, within its size, by many at once.

use super::{
    artifacts::{open, paths, target, text},
    folder,
    server::{Server, complaint},
    settings,
    store::{Store, noise, tgz},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use fluxscope::{
    domain::{artifact::Artifact, problem::Cause},
    port::{Artifacts, Registry},
    registry::{CacheSettings, Environment, OciRegistry, Settings},
};
use futures::{StreamExt, future::join_all};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

fn caching_up_to(folder: &Path, limit: u64) -> OciRegistry {
    let cache = Some(CacheSettings { folder: folder.to_owned(), limit });
    OciRegistry::new(Settings { cache, ..settings() }).unwrap()
}

fn caching(folder: &Path) -> OciRegistry {
    caching_up_to(folder, 512_000_000)
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

fn blobs(folder: &Path) -> Vec<PathBuf> {
    files_below(&folder.join("oci/blobs"))
}

fn blob_of(folder: &Path, artifact: &Artifact) -> PathBuf {
    folder.join("oci/blobs/sha256").join(artifact.manifest.layers[0].digest.hex())
}

async fn serve() -> Server {
    let mut store = Store::default();
    store.artifact("1.0.0", &[("a.yaml", "kind: A\n"), ("b.yaml", "kind: B\n")]);
    Server::start(move |seen, _| store.answer(seen)).await
}

#[tokio::test]
async fn a_tag_is_always_asked_for_and_a_digest_is_not() {
    let (folder, server) = (folder("cache-digest"), serve().await);
    let first = caching(&folder);
    let artifact = first.inspect(target(&server, "1.0.0")).await.unwrap();
    let (progress, opened) = open(&first, &artifact).await;
    assert!(!progress[0].2 && opened.unwrap().verified);
    assert_eq!(server.seen().len(), 3);
    // another run
    let second = caching(&folder);
    let again = second.inspect(target(&server, "1.0.0")).await.unwrap();
    assert_eq!(
        (again.manifest.clone(), again.config.clone()),
        (artifact.manifest.clone(), artifact.config.clone())
    );
    let (progress, opened) = open(&second, &again).await;
    let opened = opened.unwrap();
    assert!(progress[0].2 && opened.verified);
    assert_eq!(
        (paths(&opened), text(&opened, "b.yaml").await),
        (vec!["a.yaml", "b.yaml"], "kind: B\n".to_owned())
    );
    assert_eq!(server.requests()[3..], ["GET /v2/acme/fleet/manifests/1.0.0"]);
    let by_digest = second.inspect(target(&server, artifact.digest.as_str())).await.unwrap();
    assert_eq!(by_digest.asked_with.as_deref(), Some("nobody: it was in the cache"));
    let upstream = server.upstream("acme/fleet");
    second.manifest(upstream.clone(), artifact.digest.to_string()).await.unwrap();
    let config = second.blob(upstream, artifact.manifest.config.unwrap()).collect::<Vec<_>>().await;
    assert_eq!(config.len(), 1);
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn what_is_damaged_on_disk_is_dropped_and_fetched_anew() {
    let (folder, server) = (folder("cache-damage"), serve().await);
    let registry = caching(&folder);
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    open(&registry, &artifact).await.1.unwrap();
    let file = blob_of(&folder, &artifact);
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for damaged in [flipped, good[..10].to_vec(), Vec::new()] {
        fs::write(&file, damaged).unwrap();
        let before = server.seen().len();
        let opened = open(&registry, &artifact).await.1.unwrap();
        assert!(opened.verified);
        assert_eq!(paths(&opened), ["a.yaml", "b.yaml"]);
        assert_eq!(server.seen().len(), before + 1);
        assert!(fs::read(&file).unwrap() == good);
    }
    for file in blobs(&folder) {
        let length = fs::read(&file).unwrap().len();
        fs::write(&file, vec![b' '; length]).unwrap();
    }
    let again = registry.inspect(target(&server, artifact.digest.as_str())).await.unwrap();
    assert_eq!((again.manifest, again.config), (artifact.manifest, artifact.config));
}

#[tokio::test]
async fn only_blobs_by_their_digest_are_kept_and_no_login() {
    let folder = folder("cache-private");
    let mut store = Store::default();
    store.artifact("1.0.0", &[("a.yaml", "kind: A\n")]);
    let server = Server::start(move |seen, _| match seen.login() {
        None => Some(complaint(401, &[("www-authenticate", "Basic")], "UNAUTHORIZED", "")),
        Some(_) => store.answer(seen),
    })
    .await;
    let (login, auth) = (folder.join("auth.json"), STANDARD.encode("robot:hunter2"));
    fs::write(&login, format!(r#"{{"auths":{{"{}":{{"auth":"{auth}"}}}}}}"#, server.address)).unwrap();
    let environment = Environment { registry_auth_file: Some(login), ..Environment::default() };
    let cache = Some(CacheSettings { folder: folder.join("kept"), limit: 1 << 20 });
    let registry = OciRegistry::new(Settings { environment, cache, ..settings() }).unwrap();
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    open(&registry, &artifact).await.1.unwrap();
    let kept = files_below(&folder.join("kept"));
    let names: Vec<_> = kept.iter().map(|path| path.strip_prefix(folder.join("kept/oci")).unwrap()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("blobs/sha256")).count(), 3);
    assert_eq!(names.len(), 5, "{names:?}");
    for file in &kept {
        let bytes = fs::read(file).unwrap();
        for secret in ["hunter2", auth.as_str(), "127.0.0.1", "acme/fleet"] {
            assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{secret} is in {}", file.display());
        }
    }
    let layout: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("kept/oci/oci-layout")).unwrap()).unwrap();
    assert_eq!(layout["imageLayoutVersion"], "1.0.0");
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_is_for_its_owner_only_also_if_it_was_not() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, server) = (folder("cache-modes"), serve().await);
    fs::create_dir_all(folder.join("oci")).unwrap();
    fs::set_permissions(folder.join("oci"), fs::Permissions::from_mode(0o777)).unwrap();
    let registry = caching(&folder);
    registry.inspect(target(&server, "1.0.0")).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for below in ["oci", "oci/blobs", "oci/blobs/sha256", "oci/incomplete"] {
        assert_eq!(mode(&folder.join(below)), 0o700, "{below}");
    }
    assert!(blobs(&folder).iter().all(|file| mode(file) == 0o600));
}

#[tokio::test]
async fn what_was_not_used_for_longest_goes_first() {
    let folder = folder("cache-size");
    let contents: Vec<Vec<u8>> = (0..6_u8).map(|number| [vec![number], noise(100_000)].concat()).collect();
    let mut store = Store::default();
    for (number, content) in contents.iter().enumerate() {
        let layer = store.blob("application/x", content);
        store.image(&format!("{number}"), &[layer]);
    }
    let server = Server::start(move |seen, _| store.answer(seen)).await;
    let registry = caching_up_to(&folder, 400_000);
    let mut opened = Vec::new();
    for number in 0..5_u64 {
        let artifact = registry.inspect(target(&server, &number.to_string())).await.unwrap();
        open(&registry, &artifact).await.1.unwrap();
        // as if time had passed: the first was used just now, the others long ago
        let used = if number == 0 { 1000 } else { number };
        let file = fs::File::open(blob_of(&folder, &artifact)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(used)).unwrap();
        opened.push(artifact);
    }
    let here: Vec<bool> = opened.iter().map(|artifact| blob_of(&folder, artifact).exists()).collect();
    assert_eq!(here, [true, false, false, true, true]);
    let info = registry.cache().await.unwrap();
    assert!(info.bytes <= 400_000 && info.blobs > 3, "{info:?}");
    // larger than all of it: it is shown, and not kept
    let tiny = caching_up_to(&folder.join("tiny"), 1000);
    let artifact = tiny.inspect(target(&server, "5")).await.unwrap();
    assert!(open(&tiny, &artifact).await.1.unwrap().verified);
    assert!(!blob_of(&folder.join("tiny"), &artifact).exists());
}

#[tokio::test]
async fn the_cache_tells_what_it_holds_and_can_be_cleared() {
    let (folder, server) = (folder("cache-clear"), serve().await);
    let registry = caching(&folder);
    assert_eq!(registry.cache().await.unwrap().blobs, 0);
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    let opened = open(&registry, &artifact).await.1.unwrap();
    let info = registry.cache().await.unwrap();
    assert_eq!((info.path.as_deref(), info.blobs, info.limit), (Some(&*folder.join("oci")), 3, 512_000_000));
    let stray = folder.join("oci/blobs/sha256/notes.txt");
    fs::write(&stray, "not ours").unwrap();
    assert_eq!(registry.clear_cache().await.unwrap(), info);
    assert_eq!(registry.cache().await.unwrap().blobs, 0);
    assert!(stray.exists());
    // whoever looks into a layer goes on doing so
    assert_eq!(text(&opened, "a.yaml").await, "kind: A\n");
    let without = OciRegistry::new(settings()).unwrap();
    let none = without.cache().await.unwrap();
    assert_eq!((none.path, none.blobs, without.clear_cache().await.unwrap().bytes), (None, 0, 0));
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_no_reason_not_to_answer() {
    let (folder, server) = (folder("cache-unwritable"), serve().await);
    fs::write(folder.join("oci"), "a file").unwrap();
    let registry = caching(&folder);
    let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
    let opened = open(&registry, &artifact).await.1.unwrap();
    assert!(opened.verified);
    assert_eq!(text(&opened, "a.yaml").await, "kind: A\n");
    let problem = registry.cache().await.unwrap_err();
    assert_eq!((problem.cause, problem.what.as_str()), (Cause::Other, "look at the cache"));
}

#[tokio::test]
async fn many_at_once_see_whole_blobs_or_none() {
    let (folder, server) = (folder("cache-tasks"), serve().await);
    let runs = (0..12).map(|number| {
        // so small that they push each other out
        let registry = caching_up_to(&folder, if number % 3 == 0 { 600 } else { 1 << 20 });
        let target = target(&server, "1.0.0");
        async move {
            for round in 0..8 {
                let artifact = registry.inspect(target.clone()).await.unwrap();
                let opened = open(&registry, &artifact).await.1.unwrap();
                assert!(opened.verified);
                assert_eq!(text(&opened, "b.yaml").await, "kind: B\n");
                if (number + round) % 5 == 0 {
                    registry.clear_cache().await.unwrap();
                }
            }
        }
    });
    join_all(runs).await;
    let left = fs::read_dir(folder.join("oci/incomplete")).unwrap().count();
    assert_eq!(left, 0);
}

const SHARED: &str = "FLUXSCOPE_TEST_CACHE";

/// One of the processes of the next test.
#[tokio::test]
#[ignore = "is run by several_processes_share_one_folder"]
async fn one_process_of_several() {
    let Ok(folder) = std::env::var(SHARED) else { return };
    let bytes = [noise(50_000), tgz(&[("a.yaml", "kind: A\n")])].concat();
    let mut store = Store::default();
    let layer = store.blob("application/x", &bytes);
    store.image("1.0.0", &[layer]);
    let server = Server::start(move |seen, _| store.answer(seen)).await;
    for round in 0..20 {
        let registry = caching_up_to(Path::new(&folder), if round % 2 == 0 { 60_000 } else { 1 << 20 });
        let artifact = registry.inspect(target(&server, "1.0.0")).await.unwrap();
        assert!(open(&registry, &artifact).await.1.unwrap().verified);
        if round % 7 == 3 {
            registry.clear_cache().await.unwrap();
        }
    }
}

#[test]
fn several_processes_share_one_folder() {
    let folder = folder("cache-processes");
    let start = |_| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "registry::cache::one_process_of_several", "--ignored"])
            .env(SHARED, &folder)
            .output()
    };
    let runs: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..4).map(|number| scope.spawn(move || start(number))).collect();
        running.into_iter().map(|run| run.join().unwrap().unwrap()).collect()
    });
    for run in runs {
        let words = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && words.contains("1 passed"), "{words}");
    }
    assert_eq!(fs::read_dir(folder.join("oci/incomplete")).unwrap().count(), 0);
}
