//! Files that are secret whatever they are called: a `secretGenerator` makes Secrets of them, or they are patches that set
//! values of Secrets and do not say so themselves. It reads nothing but kustomization files and those patches.

use super::{
    super::{
        diff::Side,
        secret::{Aim, decoded, sets_values},
    },
    overlay::{self, Overlay},
    paths,
};
use std::collections::{BTreeMap, BTreeSet};

/// Why such a file is not shown, of the file: a patch need not say at what it is aimed.
pub const SEALED: &str = "a kustomization puts it, or may put it, into a Secret";

/// Their paths. What cannot be read names nothing.
pub fn sealed(side: &Side) -> BTreeSet<Box<str>> {
    sealed_by(side.files.iter().filter_map(|file| Some((&*file.path, &**file.bytes.as_ref()?))))
}

/// The same by paths and bytes; those that [`may_seal`] and [`patches_of`] them are enough.
pub fn sealed_by<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])> + Clone) -> BTreeSet<Box<str>> {
    let (mut found, mut patches) = (BTreeSet::new(), BTreeMap::new());
    for (folder, overlay) in overlays(files.clone()) {
        let mentions = overlay.mentions().into_iter();
        let secret = mentions.filter(|mention| mention.field.starts_with("secretGenerator["));
        found.extend(secret.filter_map(|mention| Some(paths::joined(folder, &mention.path)?.into())));
        aimed(folder, &overlay, &mut patches);
    }
    if patches.is_empty() {
        return found;
    }
    let sets = |(path, bytes): &(&str, &[u8])| {
        patches.get(*path).is_some_and(|aim| sets_values(&decoded(bytes), *aim))
    };
    found.extend(files.filter(sets).map(|(path, _)| path.into()));
    found
}

/// Files of patches that may be aimed at Secrets: what they say decides.
pub fn patches_of<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> BTreeSet<Box<str>> {
    let mut patches = BTreeMap::new();
    overlays(files).for_each(|(folder, overlay)| aimed(folder, &overlay, &mut patches));
    patches.into_keys().collect()
}

fn overlays<'a>(
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> impl Iterator<Item = (&'a str, Overlay)> {
    let steering = files.filter(|(path, _)| may_seal(path));
    steering.filter_map(|(path, bytes)| Some((paths::folder_of(path), Overlay::read(bytes).ok()?)))
}

/// A file that is named more than once is aimed as near as any of them.
fn aimed(folder: &str, overlay: &Overlay, patches: &mut BTreeMap<Box<str>, Aim>) {
    for (path, aim) in overlay.aimed_patches() {
        if let Some(path) = paths::joined(folder, path) {
            let known = patches.entry(path.into()).or_insert(aim);
            *known = aim.max(*known);
        }
    }
}

/// It is a kustomization file: what it says decides about others.
pub fn may_seal(path: &str) -> bool {
    overlay::is_one(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diff::File;

    #[test]
    fn every_file_that_becomes_a_secret_is_found() {
        let text = "secretGenerator:\n- name: a\n  env: ../one.env\n  envs: [two.env]\n  files: [key=three.txt, four.txt, /etc/passwd]\n\
                    configMapGenerator:\n- name: b\n  files: [open.txt]\n";
        let found = found(&[("app/kustomization.yaml", text), ("kustomization.yml", "[")]);
        assert_eq!(found, ["app/four.txt", "app/three.txt", "app/two.env", "one.env"].map(Box::from));
    }

    fn found(files: &[(&str, &str)]) -> Vec<Box<str>> {
        let file = |&(path, text): &(&str, &str)| File {
            path: path.into(),
            size: text.len() as u64,
            sha256: None,
            executable: false,
            bytes: Some(text.to_owned().into()),
        };
        sealed(&Side { files: files.iter().map(file).collect() }).into_iter().collect()
    }

    #[test]
    fn patches_in_files_of_their_own_are_judged_as_those_that_are_not() {
        let text = "patches:\n- {path: sure.json, target: {kind: Secret}}\n- {path: any.yaml, target: {kind: Secret}}\n\
                    - {path: perhaps.yaml, target: {name: db}}\n- {path: labels.yaml, target: {name: db}}\n\
                    - {path: other.yaml, target: {kind: Deployment}}\n- {path: own.yaml}\n- {path: ../../out.yaml, target: {kind: Secret}}\n\
                    PatchesJson6902:\n- {Path: old.yaml, Target: {version: v1, kind: Secret, name: a}}\n";
        let data = "- op: replace\n  path: /data/a\n  value: shut\n";
        let files = [
            ("app/kustomization.yaml", text),
            ("app/sure.json", "[{\"op\": \"add\", \"path\": \"/x\", \"value\": \"shut\"}]"),
            ("app/any.yaml", "kind: any\nmetadata: {name: any}\nstringData: {a: shut}\n"),
            ("app/perhaps.yaml", data),
            ("app/labels.yaml", "- op: add\n  path: /metadata/labels/a\n  value: open\n"),
            ("app/other.yaml", data),
            ("app/own.yaml", "kind: Secret\nmetadata: {name: a}\nstringData: {a: shut}\n"),
            ("app/old.yaml", data),
        ];
        let sealed = ["app/any.yaml", "app/old.yaml", "app/perhaps.yaml", "app/sure.json"];
        assert_eq!(found(&files), sealed.map(Box::from));
        let steering = files[..1].iter().map(|(path, text)| (*path, text.as_bytes()));
        assert!(sealed.iter().all(|path| patches_of(steering.clone()).contains(*path)));
    }
}
