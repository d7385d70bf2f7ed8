//! The tags of a repository as they came, page by page. They are judged as a whole or not at all.

use crate::{
    domain::{
        policy::{Policy, Selection},
        problem::Problem,
        repository::Upstream,
        source::Follows,
    },
    port::Registry,
};
use futures::StreamExt;
use std::sync::Arc;

/// What the registry holds, in its own order.
#[derive(Default)]
pub(super) struct List {
    pub(super) tags: Vec<Arc<str>>,
    pub(super) requests: u32,
    pub(super) cut: Option<String>,
    pub(super) asked_with: Option<Arc<str>>,
    pub(super) problems: Vec<Problem>,
}

impl List {
    pub(super) async fn read(registry: &dyn Registry, upstream: &Upstream) -> Self {
        let mut list = Self::default();
        let mut pages = registry.tags(upstream.clone());
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    list.requests = page.requests;
                    list.asked_with = Some(page.asked_with);
                    list.cut = page.cut.or(list.cut);
                    list.tags.extend(page.tags);
                    list.tags.extend(page.invalid.iter().map(|name| Arc::from(name.as_str())));
                }
                Err(problem) => list.problems.push(problem),
            }
        }
        list
    }

    pub(super) fn is_whole(&self) -> bool {
        self.problems.is_empty() && self.cut.is_none()
    }

    /// A range is judged by the whole list or not at all: what is missing could be the winner.
    pub(super) fn select(&self, policy: &Policy) -> Selection {
        match &policy.follows {
            Some(Follows::Semver(_)) if !self.is_whole() => {
                policy.unjudged(&self.tags, None, "the list of tags is not complete")
            }
            _ => policy.select(&self.tags),
        }
    }
}
