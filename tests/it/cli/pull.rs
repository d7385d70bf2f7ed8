//! `pull`: what is written where, what never is, and what is left when it fails half-way.

use super::{
    Ran,
    fake::{Fake, digest},
    run,
    sealed::{File, file, holding, opened, refused, with_layer},
};
use fluxscope::domain::tree::Fate;
use serde_json::json;
use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder of one test, gone with it.
struct Desk(PathBuf);

impl Desk {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("fluxscope-pull-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Every file and link below, with what is in it.
    fn holds(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let name = entry.strip_prefix(root).unwrap().display().to_string();
                match fs::symlink_metadata(&entry).unwrap() {
                    about if about.is_dir() => walk(&entry, root, found),
                    about if about.is_symlink() => found.push(format!("{name}: link")),
                    _ => found.push(format!("{name}: {}", fs::read_to_string(&entry).unwrap())),
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.0, &self.0, &mut found);
        found.sort();
        found
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn pull_of(fake: Fake, desk: &Desk, more: &str) -> Ran {
    run(fake, &format!("pull oci://registry.test/a/b:1 -d {} {more}", desk.0.display())).await
}

async fn pull(files: Vec<File>, desk: &Desk, more: &str) -> Ran {
    pull_of(holding(files), desk, more).await
}

fn executable(mut file: File) -> File {
    file.entry.executable = true;
    file
}

#[tokio::test]
async fn what_flux_would_write_is_written_and_nothing_else() {
    let desk = Desk::new();
    let files = vec![
        file("deploy/a.yaml", "a: b\n"),
        executable(file("run.sh", "#!/bin/sh\n")),
        file("hard", "").hollow().fate(Fate::Emptied, "a hard link"),
        file("link", "").hollow().fate(Fate::Skipped, "a symbolic link"),
        file("x.png", "png").fate(Fate::Ignored, "*.png"),
    ];
    let ran = pull(files, &desk, "").await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(desk.holds(), ["deploy/a.yaml: a: b\n", "hard: ", "run.sh: #!/bin/sh\n"]);
    let place = desk.0.display();
    let words = format!("oci://registry.test/a/b@{}: 3 files, 15 B, written to {place}\n", digest('d'));
    assert_eq!(ran.out, words);
    let mode = |name: &str| fs::metadata(desk.at(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("deploy/a.yaml"), mode("run.sh"), mode("deploy")), (0o600, 0o700, 0o700));
}

#[tokio::test]
async fn the_folder_is_made_and_the_summary_is_a_document() {
    let desk = Desk::new();
    let inner = Desk(desk.at("new/folder"));
    let ran = pull(vec![file("a", "abc")], &inner, "-o json").await;
    let document = ran.json();
    assert_eq!((ran.code, document["kind"].as_str()), (0, Some("Pull")));
    assert_eq!((&document["files"], &document["of"], &document["bytes"]), (&json!(1), &json!(1), &json!(3)));
    assert_eq!((&document["complete"], &document["layer"]["number"]), (&json!(true), &json!(1)));
    assert_eq!(inner.holds(), ["a: abc"]);
}

#[tokio::test]
async fn nothing_is_overwritten_unless_that_is_asked_for() {
    let desk = Desk::new();
    fs::write(desk.at("b"), "mine").unwrap();
    let files = || vec![file("a", "new"), file("b", "new")];
    let ran = pull(files(), &desk, "").await;
    assert_eq!(
        (ran.code, desk.holds()),
        (2, vec!["b: mine".to_owned()]),
        "all is looked at before anything is written"
    );
    assert!(ran.err.contains("b exists") && ran.err.contains("nothing was written; --force"), "{}", ran.err);
    let ran = pull(files(), &desk, "--force").await;
    assert_eq!((ran.code, desk.holds()), (0, vec!["a: new".to_owned(), "b: new".to_owned()]));
}

#[tokio::test]
async fn many_obstacles_are_counted() {
    let desk = Desk::new();
    let names: Vec<String> = (0..8).map(|number| format!("f{number}")).collect();
    for name in &names {
        fs::write(desk.at(name), "mine").unwrap();
    }
    let ran = pull(names.iter().map(|name| file(name, "new")).collect(), &desk, "").await;
    assert!(
        ran.err.contains("f0 exists; f1 exists; f2 exists; f3 exists; f4 exists; and 3 more"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn no_name_leads_out_of_the_folder() {
    let desk = Desk::new();
    let inner = Desk(desk.at("inner"));
    let outside = desk.at("outside").display().to_string();
    for name in ["../outside", "a/../../outside", outside.as_str(), "..", ".", "", "a/", "a\0b"] {
        for more in ["", "--force"] {
            let ran = pull(vec![file("good", "x"), file(name, "evil")], &inner, more).await;
            assert_eq!(ran.code, 2, "{name:?}");
            assert!(ran.err.contains("its name leads out of the folder"), "{name:?}: {}", ran.err);
            assert_eq!(desk.holds(), [""; 0], "{name:?}");
        }
    }
}

#[tokio::test]
async fn no_link_in_the_folder_is_followed() {
    let (desk, elsewhere) = (Desk::new(), Desk::new());
    fs::write(elsewhere.at("file"), "theirs").unwrap();
    symlink(&elsewhere.0, desk.at("folder")).unwrap();
    symlink(elsewhere.at("file"), desk.at("file")).unwrap();
    symlink(elsewhere.at("none"), desk.at("dangling")).unwrap();
    for name in ["folder/file", "folder/new", "folder/deep/new", "file", "dangling"] {
        for more in ["", "--force"] {
            let ran = pull(vec![file(name, "evil")], &desk, more).await;
            assert!(ran.code == 2 && ran.err.contains("is a symbolic link"), "{name}: {}", ran.err);
        }
    }
    assert_eq!(elsewhere.holds(), ["file: theirs"]);
}

#[tokio::test]
async fn a_folder_where_a_file_should_be_and_a_file_where_a_folder_should_be_are_left_alone() {
    let desk = Desk::new();
    fs::create_dir(desk.at("a")).unwrap();
    fs::write(desk.at("b"), "mine").unwrap();
    for (name, words) in [("a", "a is not a file"), ("b/c", "b is not a folder")] {
        let ran = pull(vec![file(name, "x")], &desk, "--force").await;
        assert!(ran.code == 2 && ran.err.contains(words), "{}", ran.err);
    }
    let ran = pull(vec![file("x", "x")], &Desk(desk.at("b")), "").await;
    assert!(ran.code == 2 && ran.err.contains("it is not a folder"), "{}", ran.err);
}

#[tokio::test]
async fn an_artifact_that_flux_refuses_or_that_was_not_read_whole_is_not_written() {
    let desk = Desk::new();
    let flux = "tar contained invalid name error \"../x\"";
    let layer = opened(vec![file("a", "a")], |tree| tree.error = Some(refused("a name leads out", flux)));
    let ran = pull_of(with_layer(layer), &desk, "").await;
    assert!(
        ran.code == 2 && ran.err.contains(&format!("Flux would store nothing of it: {flux}")),
        "{}",
        ran.err
    );
    let layer = opened(vec![file("a", "a")], |tree| {
        (tree.complete, tree.cut) = (false, Some("more than 1 entry: --max-entries raises it".into()));
    });
    let ran = pull_of(with_layer(layer), &desk, "-o json").await;
    assert!(ran.code == 2 && ran.err.contains("--max-entries"), "{}", ran.err);
    assert!(ran.json()["problem"]["why"].as_str().unwrap().contains("--max-entries"));
    let mut fake = holding(vec![file("a", "a")]);
    fake.sealed.artifact.as_mut().unwrap().taken = Err("no layers found in artifact".into());
    let ran = pull_of(fake, &desk, "").await;
    assert!(ran.code == 2 && ran.err.contains("no layers found in artifact"), "{}", ran.err);
    assert_eq!(desk.holds(), [""; 0]);
}

#[tokio::test]
async fn what_fails_half_way_says_what_was_written_and_leaves_whole_files() {
    let desk = Desk::new();
    let mut lost = file("b", "abc").hollow();
    (lost.entry.at, lost.entry.size) = (Some(512), 3);
    let ran = pull(vec![file("a", "whole"), lost, file("c", "never")], &desk, "-o json").await;
    assert_eq!((ran.code, desk.holds()), (2, vec!["a: whole".to_owned()]));
    assert!(ran.err.contains("1 of 3 files were written, each of them whole"), "{}", ran.err);
    assert_eq!((&ran.json()["files"], &ran.json()["complete"]), (&json!(1), &json!(false)));
    let mut short = file("b", "abc");
    short.entry.size = 99;
    let ran = pull(vec![short], &Desk(desk.at("next")), "").await;
    assert!(ran.code == 2 && ran.err.contains("b has 3 bytes, not 99"), "{}", ran.err);
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_leaves_nothing_behind() {
    let desk = Desk::new();
    fs::set_permissions(&desk.0, fs::Permissions::from_mode(0o500)).unwrap();
    let root = fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0);
    let ran = pull(vec![file("a", "x")], &desk, "").await;
    fs::set_permissions(&desk.0, fs::Permissions::from_mode(0o700)).unwrap();
    if root {
        println!("skipped: root may write anywhere");
        return;
    }
    assert!(ran.code == 2 && ran.err.contains("0 of 1 files were written"), "{}", ran.err);
    assert_eq!(desk.holds(), [""; 0]);
}

#[tokio::test]
async fn names_that_are_no_utf8_are_written_with_a_mark_and_two_that_become_one_are_refused() {
    let desk = Desk::new();
    let odd = || file("\u{fffd}.yaml", "x").fate(Fate::Written, "the name is \\xff.yaml");
    assert_eq!(pull(vec![odd()], &desk, "").await.code, 0);
    assert_eq!(desk.holds(), ["\u{fffd}.yaml: x"]);
    let ran = pull(vec![odd(), odd()], &desk, "--force").await;
    assert!(ran.code == 2 && ran.err.contains("two files have this name"), "{}", ran.err);
}

#[tokio::test]
async fn hostile_names_are_escaped_in_every_sentence() {
    let desk = Desk::new();
    let name = "a\u{1b}[2J\u{202e}";
    fs::write(desk.at(name), "mine").unwrap();
    let ran = pull(vec![file(name, "x")], &desk, "").await;
    assert!(ran.code == 2 && super::is_safe(&ran.err) && ran.err.contains("\\x1b[2J"), "{:?}", ran.err);
}
