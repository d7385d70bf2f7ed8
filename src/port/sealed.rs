//! Which files of a layer are Secrets as a whole, because a kustomization in it makes Secrets of them or patches Secrets
//! with them. It reads those kustomizations and patches, and nothing else.

use super::Opened;
use crate::domain::{
    lens::{may_seal, patches_of, sealed_by},
    tree::Entry,
};
use bytes::Bytes;
use futures::StreamExt;
use std::collections::BTreeSet;

/// Their paths in the tree. A kustomization that cannot be read names nothing.
pub async fn sealed(opened: &Opened) -> BTreeSet<Box<str>> {
    let mut read = files(opened, |entry| may_seal(&entry.path)).await;
    let patches = patches_of(pairs(opened, &read));
    read.extend(files(opened, |entry| patches.contains(&entry.path)).await);
    sealed_by(pairs(opened, &read))
}

async fn files(opened: &Opened, is_wanted: impl Fn(&Entry) -> bool) -> Vec<(usize, Bytes)> {
    let entries = opened.tree.entries.iter().enumerate();
    let wanted = entries.filter(|(_, entry)| entry.at.is_some() && is_wanted(entry));
    let wanted: Vec<usize> = wanted.map(|(at, _)| at).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    opened.contents.read(wanted).filter_map(|file| async { file.ok() }).collect().await
}

fn pairs<'a>(
    opened: &'a Opened,
    read: &'a [(usize, Bytes)],
) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone {
    let entries = &opened.tree.entries;
    read.iter().filter_map(|(at, bytes)| Some((&*entries.get(*at)?.path, &**bytes)))
}
