//! The files of the source that are no manifests, as the rules of charts read them. It judges nothing.

use crate::domain::{
    diff::{Diff, File, FileChange},
    object::{Dialect, Role, parse},
};
use serde_json::Value;

/// The changed files, by what they are for.
pub(super) struct Sheet<'a> {
    pub(super) diff: &'a Diff,
}

impl<'a> Sheet<'a> {
    pub(super) const fn new(diff: &'a Diff) -> Self {
        Self { diff }
    }

    /// With its place in the diff.
    pub(super) fn of(&self, role: Role) -> impl Iterator<Item = (usize, &'a FileChange)> + use<'a> {
        self.diff
            .files
            .iter()
            .enumerate()
            .filter(move |(_, file)| file.role == role && !file.change.is_quiet())
    }

    pub(super) fn named(&self, path: &str) -> Option<(usize, &'a FileChange)> {
        self.diff.files.iter().enumerate().find(|(_, file)| file.path() == path)
    }

    /// Folders of charts whose `Chart.yaml` changes; the root is empty.
    pub(super) fn charts(&self) -> Vec<&'a str> {
        self.of(Role::Chart).map(|(_, file)| folder(file.path())).collect()
    }

    /// The chart that carries this one in its `charts/`, and by which name.
    pub(super) fn carrier(&self, chart: &'a str) -> Option<(&'a str, &'a str)> {
        let (above, name) = match chart.rsplit_once("/charts/") {
            Some(split) => split,
            None => ("", chart.strip_prefix("charts/")?),
        };
        (!name.contains('/') && self.charts().contains(&above)).then_some((above, name))
    }
}

/// The folder of a path; the root is empty.
pub(super) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

pub(super) fn text(file: &File) -> Option<&str> {
    std::str::from_utf8(file.bytes.as_ref()?).ok()
}

/// What the file says on one side; what cannot be read says nothing here, it is an oddity of the diff.
pub(super) fn read(file: Option<&File>, dialect: Dialect) -> Option<Value> {
    parse(text(file?)?, dialect).ok().flatten()
}

/// On which line, from 1, this path of a YAML file written in blocks begins; of what is not found, the nearest above.
pub(super) fn line(text: &str, path: &[&str]) -> Option<usize> {
    let mut found = None;
    let mut wanted = path.iter();
    let mut name = wanted.next()?;
    let mut floor = 0;
    let mut level = None;
    for (number, line) in text.lines().enumerate() {
        let body = line.trim_start();
        if body.is_empty() || body.starts_with('#') {
            continue;
        }
        let indent = line.len() - body.len();
        // the block that was entered is over
        if found.is_some() && indent < floor {
            return found;
        }
        if *level.get_or_insert(indent) != indent {
            continue;
        }
        let key = body.split_once(':').map(|(key, _)| key.trim().trim_matches(['"', '\'']));
        if key == Some(name) {
            found = Some(number + 1);
            let Some(next) = wanted.next() else { return found };
            (name, floor, level) = (next, indent + 1, None);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_path_is_found() {
        let text = "# a\nimage:\n  repository: x\n  # tag\n  tag: 1\nui:\n  color: red\n  \"a.b\": c\n";
        let check = |path: &[&str], want| assert_eq!(line(text, path), want, "{path:?}");
        check(&["image"], Some(2));
        check(&["image", "tag"], Some(5));
        check(&["ui", "color"], Some(7));
        check(&["ui", "a.b"], Some(8));
        check(&["ui", "tag"], Some(6));
        check(&["image", "color"], Some(2));
        check(&["none"], None);
        check(&[], None);
    }
}
