//! Which tags carry the digest that a source is pinned to: looked for newest version first, a few at a time.

use super::glance::{Glance, State};
use crate::{
    app::{
        memory::Memory,
        shelf::{
            TagList,
            lookups::{Depth, Lookups, Named, Want},
        },
    },
    domain::{
        change::Change,
        digest::Digest,
        repository::Upstream,
        source::{Follows, Source, SourceSpec},
        upgrade::{Carriers, Footing},
    },
};
use std::{collections::HashMap, sync::Arc};

/// So many tags are looked at unasked, and so many more at each press of the key.
pub(super) const STRIDE: usize = Carriers::MOST;

/// Tags of one repository that are put in line at a time; more are not on their way anyway.
const IN_LINE: usize = 8;

/// How many tags of a repository are looked at, where it is not one stride.
pub(super) type Reach = HashMap<Upstream, usize>;

/// A source that is pinned, what it is pinned to, and the repository it is in.
pub(super) struct Pin<'a> {
    pub(super) digest: Digest,
    pub(super) upstream: &'a Upstream,
    list: &'a TagList,
    /// How many tags are looked at.
    pub(super) reach: usize,
    /// The tag written beside the digest, if there is one like it.
    hint: Option<&'a Arc<str>>,
    chart: bool,
}

impl<'a> Pin<'a> {
    /// None: not pinned, its digest is none, or its tags are not known.
    pub(super) fn of(glance: &Glance<'a>, reach: &Reach) -> Option<Self> {
        let State::Judged { upgrade, list, .. } = &glance.state else { return None };
        if upgrade.footing != Footing::Pinned {
            return None;
        }
        let upstream = glance.upstream()?;
        let reach = reach.get(upstream).copied().unwrap_or(STRIDE);
        let written = match &glance.source.spec {
            SourceSpec::Oci(spec) => spec.ignored_tag.as_deref(),
            _ => None,
        };
        let hint = list.tags.iter().find(|tag| Some(&***tag) == written);
        let chart = glance.entry.chart;
        Some(Self { digest: pinned_to(glance.source)?, upstream, list, reach, hint, chart })
    }

    /// The order of [`Carriers::candidates`], which is that of the list but for the hint.
    fn all(&self) -> impl Iterator<Item = &'a Arc<str>> {
        let hint = self.hint;
        hint.into_iter().chain(self.list.tags.iter().filter(move |tag| Some(*tag) != hint))
    }

    fn within_reach(&self) -> impl Iterator<Item = &'a Arc<str>> {
        self.all().take(self.reach)
    }

    pub(super) fn newest(&self) -> Option<&'a Arc<str>> {
        self.list.newest(self.chart)
    }

    pub(super) fn carriers(&self, lookups: &Lookups) -> Carriers {
        let mut carriers = Carriers { of: self.list.tags.len(), ..Carriers::default() };
        for tag in self.within_reach() {
            match lookups.named(self.upstream, tag) {
                Some(Named::Here { digest, .. }) => carriers.look(&self.digest, tag, Ok(digest.clone())),
                // it is not there any more, so it carries nothing
                Some(Named::Failed { problem, .. }) if problem.cause.is_absence() => carriers.looked_at += 1,
                Some(Named::Failed { problem, .. }) => carriers.look(&self.digest, tag, Err(problem.clone())),
                Some(Named::Asked) | None => {}
            }
        }
        if let Some(refusal) = lookups.refusal(self.upstream) {
            carriers.problem = Some(refusal.clone());
        }
        carriers
    }

    /// Nothing more is asked unasked.
    pub(super) fn is_done(&self, lookups: &Lookups) -> bool {
        lookups.refusal(self.upstream).is_some() || self.is_through(lookups)
    }

    /// Each of those within reach was answered, in whatever way.
    pub(super) fn is_through(&self, lookups: &Lookups) -> bool {
        let answered = |tag: &Arc<str>| {
            matches!(lookups.named(self.upstream, tag), Some(Named::Here { .. } | Named::Failed { .. }))
        };
        self.within_reach().all(answered)
    }

    /// Tags to ask about next.
    pub(super) fn wants(&self, lookups: &Lookups) -> Vec<Want> {
        let open = self.within_reach().filter(|tag| lookups.named(self.upstream, tag).is_none());
        let want = |tag: &Arc<str>| Want {
            upstream: self.upstream.clone(),
            reference: (&**tag).into(),
            depth: Depth::Digest,
        };
        open.take(IN_LINE).map(want).collect()
    }

    /// What a press of the key asks about: a tag that could not be looked at, else the first that was not.
    pub(super) fn next(&self, lookups: &Lookups) -> Option<&'a Arc<str>> {
        let named = |tag: &&Arc<str>| lookups.named(self.upstream, tag);
        let failed = |tag: &&Arc<str>| match named(tag) {
            Some(Named::Failed { problem, .. }) => !problem.cause.is_absence(),
            Some(Named::Here { .. } | Named::Asked) | None => false,
        };
        self.all().find(failed).or_else(|| self.all().find(|tag| named(tag).is_none()))
    }

    /// The digest of the newest version, if the pin is known to be an older one.
    pub(super) fn change(&self, carriers: &Carriers, memory: &Memory, source: &Source) -> Option<Change> {
        let newest = self.newest()?;
        if carriers.tags.is_empty() || carriers.tags.contains(newest) {
            return None;
        }
        let digest = memory.shelf.lookups.digest(self.upstream, newest)?;
        let to = Follows::Digest(digest.as_str().into());
        (*digest != self.digest).then(|| Change::of(&memory.ledger.world, source, to)).flatten()
    }
}

/// What the spec says, not what is stored.
pub(super) fn pinned_to(source: &Source) -> Option<Digest> {
    match source.follows()? {
        Follows::Digest(text) => Digest::parse(&text).ok(),
        Follows::Semver(_) | Follows::Tag(_) | Follows::Latest => None,
    }
}
