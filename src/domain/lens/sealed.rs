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
    let mut found = BTreeSet::new();
    for file in side.files.iter().filter(|file| overlay::is_one(&file.path)) {
        let Some(Ok(overlay)) = file.bytes.as_ref().map(|bytes| Overlay::read(bytes)) else { continue };
        let folder = paths::folder_of(&file.path);
        let mentions = overlay.mentions().into_iter();
        let secret = mentions.filter(|mention| mention.field.starts_with("secretGenerator["));
        found.extend(secret.filter_map(|mention| Some(paths::joined(folder, &mention.path)?.into())));
    }
    found
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
