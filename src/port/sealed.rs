//! Which files of a layer are Secrets as a whole, because a kustomization in it makes Secrets of them. It reads those
//! kustomizations and nothing else.

use super::Opened;
use crate::domain::lens::{may_seal, sealed_by};
use bytes::Bytes;
use futures::StreamExt;
use std::collections::BTreeSet;

/// Their paths in the tree. A kustomization that cannot be read names nothing.
pub async fn sealed(opened: &Opened) -> BTreeSet<Box<str>> {
    let entries = &opened.tree.entries;
    let may = entries.iter().enumerate().filter(|(_, entry)| entry.at.is_some() && may_seal(&entry.path));
    let wanted: Vec<usize> = may.map(|(at, _)| at).collect();
    if wanted.is_empty() {
        return BTreeSet::new();
    }
    let read: Vec<(usize, Bytes)> =
        opened.contents.read(wanted).filter_map(|file| async { file.ok() }).collect().await;
    sealed_by(read.iter().filter_map(|(at, bytes)| Some((&*entries.get(*at)?.path, &**bytes))))
}
