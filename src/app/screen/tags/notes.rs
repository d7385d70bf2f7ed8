//! What is to be said of a tag besides its verdict: who runs it, whether it moved, what else has its content.

use super::{
    runners::{Runners, Runs, runners, stored_tag},
    sheet::Sheet,
};
use crate::{
    app::memory::Memory,
    domain::{
        digest::Digest, identity::ObjectId, policy::Verdict, repository::Upstream, revision::Revision,
        upgrade::Distance, version::Version,
    },
    widgets::text,
};
use std::{collections::HashMap, sync::Arc};

/// Kept until the cluster, the list or the lookups say something else.
#[derive(Default)]
pub(super) struct Notes {
    runners: Runners,
    /// The tag of what the source holds, and the version that it is.
    pub(super) running: Option<(Arc<str>, Option<Version>)>,
    /// What the source holds, as Flux wrote it.
    pub(super) stored: Option<Revision>,
    /// Tags by what they name.
    twins: HashMap<Digest, Vec<Arc<str>>>,
    joined: Option<(u64, u64, Option<ObjectId>)>,
    compared: Option<(u64, u64)>,
}

impl Notes {
    pub(super) fn settle(
        &mut self,
        upstream: &Upstream,
        source: Option<&ObjectId>,
        sheet: &Sheet,
        memory: &Memory,
    ) {
        let joined = Some((memory.ledger.touches, sheet.revision, source.cloned()));
        if self.joined != joined {
            self.joined = joined;
            self.join(upstream, source, sheet, memory);
        }
        let compared = Some((memory.shelf.lookups.revision, sheet.revision));
        if self.compared != compared {
            self.compared = compared;
            self.twins.clear();
            let known = memory.shelf.lookups.known(upstream).filter(|(tag, _)| sheet.has(tag));
            for (tag, digest) in known {
                self.twins.entry(digest.clone()).or_default().push(tag.into());
            }
        }
    }

    fn join(&mut self, upstream: &Upstream, source: Option<&ObjectId>, sheet: &Sheet, memory: &Memory) {
        let has = |tag: &str| sheet.has(tag);
        self.runners = runners(upstream, &has, memory);
        let source = source.and_then(|id| memory.ledger.get(id)?.object.as_source());
        self.stored = source.and_then(|source| source.revision().cloned());
        let tag = source.and_then(|source| stored_tag(source, &has));
        self.running = tag.map(|tag| (tag.as_str().into(), sheet.version_of(&tag).cloned()));
    }

    pub(super) fn runs(&self, tag: &str, upstream: &Upstream, memory: &Memory) -> Runs<'_> {
        Runs::of(tag, upstream, &self.runners, memory)
    }

    /// The digest that the source stored under this tag, where the tag names another one now.
    pub(super) fn moved_from(&self, tag: &str, upstream: &Upstream, memory: &Memory) -> Option<&Digest> {
        let (running, _) = self.running.as_ref()?;
        let stored = self.stored.as_ref()?.digest().filter(|_| **running == *tag)?;
        let now = memory.shelf.lookups.digest(upstream, tag)?;
        (now != stored).then_some(stored)
    }

    /// Other tags with the same content, as far as that was asked; newest version first.
    pub(super) fn twins(
        &self,
        tag: &str,
        upstream: &Upstream,
        sheet: &Sheet,
        memory: &Memory,
    ) -> Vec<Arc<str>> {
        let digest = memory.shelf.lookups.digest(upstream, tag);
        let all = digest.and_then(|digest| self.twins.get(digest)).into_iter().flatten();
        let mut twins: Vec<Arc<str>> = all.filter(|other| ***other != *tag).cloned().collect();
        twins.sort_by(|a, b| sheet.compare(a, b));
        twins
    }

    /// How far a newer version is from what runs; of pre-releases only where one is running.
    pub(super) fn distance(&self, version: Option<&Version>) -> Option<Distance> {
        let (_, running) = self.running.as_ref()?;
        let (running, version) = (running.as_ref()?, version?);
        let counts = running.is_prerelease() || !version.is_prerelease();
        (counts && version > running).then(|| Distance::between(running, version))
    }

    /// A few words for the column; empty where nothing is to be said.
    pub(super) fn words(&self, at: usize, upstream: &Upstream, sheet: &Sheet, memory: &Memory) -> String {
        let tag = sheet.tag(at);
        let runs = self.runs(tag, upstream, memory);
        let mut parts: Vec<String> = Some(runs.note()).into_iter().filter(|note| !note.is_empty()).collect();
        if runs.moved.is_empty()
            && let Some(stored) = self.moved_from(tag, upstream, memory)
        {
            parts.push(format!("moved, {} is stored", stored.short()));
        }
        let ruling = &sheet.in_force().ruling;
        let stored = self.running.as_ref().is_some_and(|(running, _)| running == tag);
        if sheet.verdict(at) == Verdict::Chosen && !stored {
            parts.push("would be picked".to_owned());
        }
        if ruling.ambiguous.contains(&at) {
            let winner = ruling.winner.map_or_else(String::new, |winner| text::line(sheet.tag(winner)));
            parts.push(format!("ties with {winner}"));
        } else if ruling.winner == Some(at)
            && let Some(other) = ruling.ambiguous.first()
        {
            parts.push(format!("ties with {}", text::line(sheet.tag(*other))));
        }
        if let Some(words) = same_content(&self.twins(tag, upstream, sheet, memory)) {
            parts.push(words);
        }
        parts.join("; ")
    }
}

/// `same content as 6.9.4`.
pub(super) fn same_content(twins: &[Arc<str>]) -> Option<String> {
    match twins {
        [] => None,
        [one] => Some(format!("same content as {}", text::line(one))),
        [one, rest @ ..] => Some(format!("same content as {} and {} more", text::line(one), rest.len())),
    }
}
