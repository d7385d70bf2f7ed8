//! The demo's registries: recorded OCI layouts, and two repositories that can only be failed to ask.

use super::{Shift, broken, recorded};
use crate::{
    domain::{
        artifact::{Descriptor, Manifest, TagPage},
        problem::{Cause, Problem},
        repository::{Repository, Upstream},
    },
    port::{Artifacts, Registry},
    registry::layout::{Layout, LayoutError},
};
use bytes::Bytes;
use futures::{
    future::{BoxFuture, FutureExt},
    stream::{self, BoxStream, StreamExt},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::time::sleep;

const PAGE: usize = 25;

/// All that the demo can pull from.
pub(super) struct Repositories {
    layouts: HashMap<Repository, Layout>,
    shift: Shift,
}

impl Repositories {
    pub(super) fn load(shift: Shift) -> Result<Self, Problem> {
        let mut layouts = HashMap::new();
        for (name, files) in recorded::LAYOUTS {
            let repository = Repository::parse_name(name).map_err(|error| broken(&error))?;
            let files = files.iter().map(|(path, bytes)| (*path, Bytes::from_static(bytes)));
            layouts.insert(repository, Layout::read(files).map_err(|error| broken(&error))?);
        }
        Ok(Self { layouts, shift })
    }

    pub(super) fn layout(&self, repository: &Repository) -> Option<&Layout> {
        self.layouts.get(repository)
    }

    /// The manifest of a tag or digest, its `created` moved along with the world.
    pub(super) fn pull(&self, repository: &Repository, reference: &str) -> Result<Manifest, Problem> {
        let what = format!("read {repository} at {reference}");
        let layout = self.ask(repository, &what)?;
        let mut manifest = layout.manifest(reference).map_err(|error| refused(what, &error))?;
        manifest.annotations = self.told(manifest.annotations);
        Ok(manifest)
    }

    fn describe(&self, repository: &Repository, reference: &str) -> Result<Descriptor, Problem> {
        let what = format!("look up {repository} at {reference}");
        let layout = self.ask(repository, &what)?;
        let mut descriptor = layout.describe(reference).map_err(|error| refused(what, &error))?;
        descriptor.annotations = self.told(descriptor.annotations);
        Ok(descriptor)
    }

    fn pages(&self, repository: &Repository) -> Vec<Result<TagPage, Problem>> {
        let layout = match self.ask(repository, &format!("list tags of {repository}")) {
            Ok(layout) => layout,
            Err(problem) => return vec![Err(problem)],
        };
        let tags: Vec<Arc<str>> = layout.tags().cloned().collect();
        let last = tags.len().div_ceil(PAGE).max(1);
        let page = |(index, tags): (usize, &[Arc<str>])| TagPage {
            tags: tags.to_vec(),
            invalid: Vec::new(),
            requests: index as u32 + 1,
            more: index + 1 < last,
            cut: None,
            asked_with: "no credential: recorded for the demo".into(),
        };
        tags.chunks(PAGE).enumerate().map(page).map(Ok).collect()
    }

    fn ask(&self, repository: &Repository, what: &str) -> Result<&Layout, Problem> {
        if let Some(layout) = self.layouts.get(repository) {
            return Ok(layout);
        }
        Err(match (repository.registry(), repository.path()) {
            ("ghcr.io", "acme/private/ledger") => {
                let why = "401 UNAUTHORIZED: authentication required; asked with no credential";
                Problem::new(Cause::Unauthorized, what, why)
                    .with_hint("log in to ghcr.io with an account that may read acme/private/ledger")
            }
            ("registry.edge.acme.example", _) => {
                let why = "no such host registry.edge.acme.example";
                Problem::new(Cause::Unreachable, what, why).with_hint("check the name and the way to it")
            }
            _ => Problem::new(Cause::NotFound, what, "404 NAME_UNKNOWN: not a repository of the demo"),
        })
    }

    fn told(&self, annotations: BTreeMap<Box<str>, Box<str>>) -> BTreeMap<Box<str>, Box<str>> {
        annotations.into_iter().map(|(name, text)| (name, self.shift.text(&text).into())).collect()
    }
}

fn refused(what: String, error: &LayoutError) -> Problem {
    let cause = match error {
        LayoutError::NotFound(_) => Cause::NotFound,
        LayoutError::Several(_) => Cause::Usage,
        LayoutError::Unreadable { .. } | LayoutError::Mismatch { .. } => Cause::Invalid,
    };
    Problem::new(cause, what, format!("MANIFEST_UNKNOWN: {error}"))
}

impl Registry for Repositories {
    fn tags(&self, upstream: Upstream) -> BoxStream<'static, Result<TagPage, Problem>> {
        stream::iter(self.pages(&upstream.repository))
            .then(|page| async {
                sleep(Duration::from_millis(120)).await;
                page
            })
            .boxed()
    }

    fn head(&self, upstream: Upstream, reference: String) -> BoxFuture<'static, Result<Descriptor, Problem>> {
        late(self.describe(&upstream.repository, &reference))
    }

    fn manifest(
        &self,
        upstream: Upstream,
        reference: String,
    ) -> BoxFuture<'static, Result<Manifest, Problem>> {
        late(self.pull(&upstream.repository, &reference))
    }
}

impl Artifacts for Repositories {}

fn late<T: Send + 'static>(answer: Result<T, Problem>) -> BoxFuture<'static, Result<T, Problem>> {
    async {
        sleep(Duration::from_millis(80)).await;
        answer
    }
    .boxed()
}
