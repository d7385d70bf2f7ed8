//! `KUBECTL_EXTERNAL_DIFF`: the comparison is shown by a program of the user's choice, called as kubectl calls it. It
//! gets folders of masked files that nobody else may read, and that are gone when it ends.

use super::{
    super::{
        exit,
        folder::Folder,
        output::{Console, yaml_text},
        pull::interrupted,
    },
    text::mode,
    view::{Content, View},
};
use crate::domain::{
    diff::{FileChange, Found, ObjectChange},
    plain::is_deceptive,
    problem::{Cause, Problem},
    secret::mask_values,
};
use serde_json::Value;
use std::{
    collections::HashMap,
    fs::{self, DirBuilder},
    hash::{BuildHasher, RandomState},
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};
use tokio::process::Command;

/// Bytes of a file's name that are taken from an object: file systems have limits.
const LONGEST: usize = 200;

/// Runs it. Its exit code 0 or 1 is the answer.
pub(super) async fn run(program: &str, view: &View<'_>, console: &mut Console<'_>) -> i32 {
    for note in view.notes() {
        console.say(&format!("note: {note}"));
    }
    console.say(&format!("tier: {}", view.tier()));
    match shown(program, view, console).await {
        Ok(code) => code,
        Err(problem) => {
            console.complain(&problem);
            exit::NOT_ANSWERED
        }
    }
}

async fn shown(program: &str, view: &View<'_>, console: &mut Console<'_>) -> Result<i32, Problem> {
    let what = || format!("run KUBECTL_EXTERNAL_DIFF ({program})");
    let problem = |why: String| Problem::new(Cause::Other, what(), why);
    let desk = Desk::new().map_err(|error| problem(error.to_string()))?;
    let unseen = desk.fill(view).map_err(problem)?;
    for words in &unseen {
        console.say(words);
    }
    let line = Line::read(program);
    for word in &line.left_out {
        console
            .say(&format!("{word} is left out, as by kubectl: options have letters, digits, - and = only"));
    }
    let mut command = Command::new(&line.program);
    command.args([desk.from(), desk.to()]).args(&line.options).kill_on_drop(true);
    // whoever pages or colours needs the terminal itself
    let inherits = console.is_terminal();
    if !inherits {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    }
    let child = command.spawn().map_err(|error| {
        problem(format!("{}: {error}", line.program))
            .with_hint("unset KUBECTL_EXTERNAL_DIFF for our own text")
    })?;
    let ended = tokio::select! {
        ended = child.wait_with_output() => ended.map_err(|error| problem(error.to_string()))?,
        () = interrupted() => return Err(problem("it was interrupted".to_owned())),
    };
    if !inherits {
        console.bytes(&ended.stdout);
    }
    code(ended.status, view, !unseen.is_empty())
        .ok_or_else(|| problem(format!("it ended with {}", ended.status)))
}

/// It may find nothing only where all was read, and where it saw all.
fn code(status: ExitStatus, view: &View<'_>, differs_besides: bool) -> Option<i32> {
    match status.code()? {
        0 if differs_besides => Some(exit::NO),
        0 if !view.comparison.is_whole() || view.is_same().is_none() => Some(exit::NOT_ANSWERED),
        0 => Some(exit::ANSWERED),
        1 => Some(exit::NO),
        _ => None,
    }
}

/// What is called, by kubectl's rule (`DiffProgram.getCommand`): split at each space, and no shell.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    program: String,
    options: Vec<String>,
    left_out: Vec<String>,
}

impl Line {
    fn read(text: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '=';
        let mut words = text.split(' ').map(ToOwned::to_owned);
        let program = words.next().unwrap_or_default();
        let (options, left_out): (Vec<String>, Vec<String>) =
            words.filter(|word| !word.is_empty()).partition(|word| word.chars().all(plain));
        Self { program, options, left_out }
    }
}

/// A folder for the user alone (0700), gone with its last word.
struct Desk(PathBuf);

impl Desk {
    fn new() -> io::Result<Self> {
        let place = std::env::temp_dir();
        let name =
            format!("fluxscope-diff-{}-{:016x}", std::process::id(), RandomState::new().hash_one(&place));
        let desk = Self(place.join(name));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&desk.0)?;
        for side in [desk.from(), desk.to()] {
            builder.create(side)?;
        }
        Ok(desk)
    }

    fn from(&self) -> PathBuf {
        self.0.join("FROM")
    }

    fn to(&self) -> PathBuf {
        self.0.join("TO")
    }

    /// Returns what differs and cannot be given, a sentence for each.
    fn fill(&self, view: &View<'_>) -> Result<Vec<String>, String> {
        let (mut pages, mut unseen) = (Pages::default(), Vec::new());
        if view.show.objects || view.show.impact {
            view.objects()
                .filter(|object| !object.change.is_quiet())
                .for_each(|object| pages.object(view, object));
        }
        if view.show.files.is_some() {
            let told = view.told_by_text();
            for file in view.files().filter(|file| told(file)) {
                if let Some(words) = of_same_bytes(file) {
                    unseen.push(words);
                    continue;
                }
                match view.content(file) {
                    Content::Text(from, to) => pages.add(
                        file_name(file.path()),
                        file.from.is_some().then_some(from),
                        file.to.is_some().then_some(to),
                    ),
                    Content::Bytes(why) => unseen
                        .push(format!("{} differs, and is not given to the program: {why}", file.path())),
                }
            }
        }
        write(&self.from(), &pages.from)?;
        write(&self.to(), &pages.to)?;
        Ok(unseen)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // what cannot be removed is in a folder for temporary files, and its values are masked
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The same bytes under another name, or with another mode: there is nothing in it to compare.
fn of_same_bytes(file: &FileChange) -> Option<String> {
    let (from, to) = (file.from.as_ref()?, file.to.as_ref()?);
    if from.sha256.is_none() || from.sha256 != to.sha256 {
        return None;
    }
    match (from.path != to.path, mode(from, to)) {
        (true, Some(mode)) => Some(format!("{} was {} and is {mode}: the same bytes", to.path, from.path)),
        (true, None) => Some(format!("{} was {}: the same bytes", to.path, from.path)),
        (false, Some(mode)) => Some(format!("{} is {mode}, its bytes are the same", to.path)),
        (false, None) => None,
    }
}

fn write(side: &Path, pages: &[(String, String)]) -> Result<(), String> {
    let folder = Folder::new(side, false)?;
    for (path, text) in pages {
        folder.write(path, text.as_bytes(), false).map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(())
}

/// Files of both sides, each under its own name.
#[derive(Default)]
struct Pages {
    from: Vec<(String, String)>,
    to: Vec<(String, String)>,
    taken: HashMap<String, usize>,
}

impl Pages {
    /// Under one name, also if it was renamed: what differs is to be seen side by side.
    fn object(&mut self, view: &View<'_>, change: &ObjectChange) {
        let Some(found) = change.found() else { return };
        let value = |found: &Option<Found>| found.as_ref().map(|found| found.value.clone());
        let (from, to) = (value(&change.from), value(&change.to));
        let (from, to) = if view.revealed {
            (from.map(|value| (*value).clone()), to.map(|value| (*value).clone()))
        } else {
            mask_values(from.as_deref(), to.as_deref())
        };
        let text = |value: Option<Value>| value.map(|value| yaml_text(&value));
        self.add(object_name(found), text(from), text(to));
    }

    fn add(&mut self, name: String, from: Option<String>, to: Option<String>) {
        let times = self.taken.entry(name.to_lowercase()).or_insert(0);
        *times += 1;
        let name = if *times == 1 { name } else { format!("{name}.{times}") };
        self.from.extend(from.map(|text| (name.clone(), text)));
        self.to.extend(to.map(|text| (name, text)));
    }
}

/// As kubectl names it: `apps.v1.Deployment.shop.podinfo`.
fn object_name(found: &Found) -> String {
    let (group, version) = found.api_version.rsplit_once('/').unwrap_or(("", &found.api_version));
    let group = if group.is_empty() { String::new() } else { format!("{group}.") };
    let namespace = found.key.namespace.as_deref().unwrap_or_default();
    file_name(&format!("{group}{version}.{}.{namespace}.{}", found.key.kind, found.key.name))
}

/// All on one level, because `diff` looks no deeper. Nothing in a name may lead elsewhere or act on a terminal.
fn file_name(name: &str) -> String {
    let safe = |c: char| if "/\\:".contains(c) || is_deceptive(c) { '_' } else { c };
    let mut short = String::new();
    for c in name.chars().map(safe) {
        if short.len() + c.len_utf8() > LONGEST {
            break;
        }
        short.push(c);
    }
    if short.chars().all(|c| c == '.') { "_".to_owned() } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_read_as_kubectl_reads_it() {
        let line = Line::read("colordiff -N --color=always  a;b $(x) -u");
        assert_eq!(line.program, "colordiff");
        assert_eq!(line.options, ["-N", "--color=always", "-u"]);
        assert_eq!(line.left_out, ["a;b", "$(x)"]);
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        assert_eq!(file_name("v1.ConfigMap.a/../b.\u{1b}x"), "v1.ConfigMap.a_.._b._x");
        assert_eq!(file_name("../..//x"), ".._..__x");
        assert_eq!(file_name(".."), "_");
        assert!(file_name(&"東".repeat(5000)).len() < 256);
    }
}
