//! Files that a `secretGenerator` makes Secrets of: all that they say is secret, whatever they are called. It reads
//! nothing but kustomization files.

use super::{
    super::diff::Side,
    overlay::{self, Overlay},
    paths,
};
use std::collections::BTreeSet;

/// Their paths. What cannot be read names nothing.
pub fn sealed(side: &Side) -> BTreeSet<Box<str>> {
    sealed_by(side.files.iter().filter_map(|file| Some((&*file.path, &**file.bytes.as_ref()?))))
}

/// The same by paths and bytes; those that [`may_seal`] are enough.
pub fn sealed_by<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> BTreeSet<Box<str>> {
    let mut found = BTreeSet::new();
    for (path, bytes) in files.into_iter().filter(|(path, _)| may_seal(path)) {
        let Ok(overlay) = Overlay::read(bytes) else { continue };
        let folder = paths::folder_of(path);
        let mentions = overlay.mentions().into_iter();
        let secret = mentions.filter(|mention| mention.field.starts_with("secretGenerator["));
        found.extend(secret.filter_map(|mention| Some(paths::joined(folder, &mention.path)?.into())));
    }
    found
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
        let file = |path: &str, text: &str| File {
            path: path.into(),
            size: text.len() as u64,
            sha256: None,
            executable: false,
            bytes: Some(text.to_owned().into()),
        };
        let side = Side { files: vec![file("app/kustomization.yaml", text), file("kustomization.yml", "[")] };
        let found: Vec<_> = sealed(&side).into_iter().collect();
        assert_eq!(found, ["app/four.txt", "app/three.txt", "app/two.env", "one.env"].map(Box::from));
    }
}
