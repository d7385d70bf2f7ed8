//! One source in `outdated`: the fields of a script and the cells of a person, from the same judgement.

use crate::{
    cli::{
        args::FailOn,
        output::{problem_fields, shortened},
    },
    domain::{
        change::Change,
        digest::Digest,
        identity::{Kind, Manager, ObjectId},
        outlook::Outlook,
        policy::{Dialect, Policy},
        problem::{Cause, Problem},
        repository::Upstream,
        revision::Revision,
        source::{Follows, Source},
        upgrade::{Candidate, Carriers, Distance, Footing, Upgrade},
        world::World,
    },
};
use serde_json::{Value, json};
use std::{cmp::Reverse, collections::HashSet, sync::Arc};

/// What [`Row::cells`] are.
pub(super) const TITLES: [&str; 7] =
    ["NAMESPACE", "SOURCE", "RUNNING", "IN RANGE", "BEYOND", "DISTANCE", "NOTE"];
/// Room for a tag.
const TAG: usize = 24;
pub(super) struct Row {
    id: ObjectId,
    repository: Option<String>,
    follows: Option<Follows>,
    /// None: the object could not be read.
    upgrade: Option<Upgrade>,
    /// False: the tags could not be asked for or judged, so that nothing is known of distances.
    judged: bool,
    /// What the running tag names now.
    names: Option<Digest>,
    /// The running tag is not in the registry any more.
    gone: bool,
    pinned: Option<(Digest, Carriers)>,
    /// The edit that would take what is beyond the range.
    change: Option<Change>,
    pub(super) problem: Option<Problem>,
}

impl Row {
    pub(super) fn judged(
        world: &World,
        source: &Source,
        upstream: &Upstream,
        upgrade: Upgrade,
        unjudged: Option<&str>,
    ) -> Self {
        let problem = unjudged
            .filter(|_| upgrade.error.is_none())
            .map(|why| Problem::new(Cause::Invalid, format!("judge the tags for {}", source.meta.id), why));
        Self {
            id: source.meta.id.clone(),
            repository: Some(upstream.repository.to_string()),
            follows: source.follows(),
            change: Change::beyond(&upgrade, world, source),
            judged: unjudged.is_none(),
            upgrade: Some(upgrade),
            names: None,
            gone: false,
            pinned: None,
            problem,
        }
    }

    /// Its tags could not be asked for, or not all of them.
    pub(super) fn unasked(
        world: &World,
        source: &Source,
        upstream: Option<&Upstream>,
        problem: Problem,
    ) -> Self {
        let upgrade = Policy::of(source).map(|policy| {
            let nothing = Outlook::unjudged(&problem.why);
            Upgrade::from_outlook(world, source, &policy, &nothing, None)
        });
        Self {
            repository: upstream.map(|upstream| upstream.repository.to_string()),
            follows: source.follows(),
            upgrade,
            ..Self::unreadable(source.meta.id.clone(), problem)
        }
    }

    pub(super) fn unreadable(id: ObjectId, problem: Problem) -> Self {
        Self {
            id,
            repository: None,
            follows: None,
            upgrade: None,
            judged: false,
            names: None,
            gone: false,
            pinned: None,
            change: None,
            problem: Some(problem),
        }
    }

    /// Whether what runs, and the one tag that is followed, are still in the list.
    pub(super) fn look_for(&mut self, source: &Source, policy: &Policy, listed: &HashSet<&str>) {
        let running = source.revision().and_then(Revision::tag).map(|tag| tag.replace('+', "_"));
        self.gone = running.is_some_and(|tag| !listed.contains(&*tag) && !holds_chart(policy, &tag, listed));
        let missing = policy.named_tag().filter(|tag| !listed.contains(&**tag));
        if let (Some(upgrade), Some(tag)) = (&mut self.upgrade, missing)
            && upgrade.error.is_none()
        {
            upgrade.error = Some(format!("the tag {tag} is not in the registry"));
        }
    }

    /// What the running tag names now, if that was asked.
    pub(super) fn take_name(&mut self, answer: Option<&Result<Digest, Problem>>) {
        match answer {
            None => {}
            Some(Ok(digest)) => {
                if let Some(upgrade) = &mut self.upgrade {
                    let running = upgrade.running.as_ref().and_then(Revision::digest);
                    upgrade.moved = running.map(|running| running != digest);
                }
                self.names = Some(digest.clone());
            }
            Some(Err(problem)) if problem.cause == Cause::NotFound => self.gone = true,
            Some(Err(problem)) => self.problem = self.problem.take().or_else(|| Some(problem.clone())),
        }
    }

    pub(super) fn take_carriers(&mut self, pinned: Digest, carriers: Carriers) {
        self.problem = self.problem.take().or_else(|| carriers.problem.clone());
        self.pinned = Some((pinned, carriers));
    }

    /// Who would revert the patch; without one, who declares the source.
    fn managed_by(&self) -> Option<&Manager> {
        match &self.change {
            Some(change) => change.managed_by.as_ref(),
            None => self.upgrade.as_ref()?.managed_by.as_ref(),
        }
    }

    pub(super) fn distance(&self) -> Distance {
        match &self.upgrade {
            Some(upgrade) if self.judged => upgrade.distance(),
            Some(_) | None => Distance::Unknown,
        }
    }

    pub(super) fn is_moved(&self) -> bool {
        self.upgrade.as_ref().is_some_and(|upgrade| upgrade.moved == Some(true))
    }

    pub(super) fn fails(&self, rule: FailOn) -> bool {
        let reaches = |least| self.distance() != Distance::Unknown && self.distance() >= least;
        match rule {
            FailOn::Patch => reaches(Distance::Patch),
            FailOn::Minor => reaches(Distance::Minor),
            FailOn::Major => reaches(Distance::Major),
            FailOn::Moved => self.is_moved(),
            FailOn::Unknown => self.distance() == Distance::Unknown || self.problem.is_some(),
        }
    }

    /// What matters most comes first: versions that were moved, then by distance, then other names that were moved, then
    /// what is not known, then what is current; of equals that with more consumers.
    pub(super) fn place(&self) -> (u8, Reverse<usize>, Arc<str>, Arc<str>, Kind) {
        let version = self.upgrade.as_ref().is_some_and(|upgrade| upgrade.footing == Footing::Version);
        let rank = match self.distance() {
            _ if self.is_moved() && version => 0,
            Distance::Major => 1,
            Distance::Minor => 2,
            Distance::Patch => 3,
            Distance::None | Distance::Unknown if self.is_moved() => 4,
            Distance::None if self.needs_a_look() => 5,
            Distance::Unknown if self.problem.is_some() => 6,
            Distance::Unknown if self.needs_a_look() => 7,
            Distance::Unknown => 8,
            Distance::None => 9,
        };
        let consumers = self.upgrade.as_ref().map_or(0, |upgrade| upgrade.consumers.len());
        (rank, Reverse(consumers), self.id.namespace.clone(), self.id.name.clone(), self.id.kind)
    }

    /// Nothing newer, but Flux would not get what it has again.
    fn needs_a_look(&self) -> bool {
        self.gone
            || self.problem.is_some()
            || self
                .upgrade
                .as_ref()
                .is_some_and(|upgrade| upgrade.error.is_some() || upgrade.in_range.is_some())
    }

    /// One item of an UpgradeList (`design.md` §9).
    pub(super) fn fields(&self) -> Value {
        let upgrade = self.upgrade.as_ref();
        let running = upgrade.and_then(|upgrade| upgrade.running.as_ref());
        let tag = |candidate: Option<&Candidate>| candidate.map(|candidate| candidate.tag.to_string());
        json!({
            "source": reference(&self.id),
            "repository": self.repository,
            "followsBy": self.follows.as_ref().map(Follows::by),
            "follows": self.follows.as_ref().map(Follows::text),
            "footing": upgrade.map(|upgrade| footing(upgrade.footing)),
            "running": running.map(|running| running.tag().unwrap_or_else(|| running.as_str())),
            "revision": running.map(Revision::as_str),
            "inRange": tag(upgrade.and_then(|upgrade| upgrade.in_range.as_ref())),
            "beyond": tag(upgrade.and_then(|upgrade| upgrade.beyond.as_ref())),
            "distance": self.distance().word(),
            "moved": upgrade.and_then(|upgrade| upgrade.moved),
            "names": self.names.as_ref().map(Digest::as_str),
            "gone": self.gone,
            "error": upgrade.and_then(|upgrade| upgrade.error.as_deref()),
            "consumers": upgrade.map_or_else(Vec::new, |u| u.consumers.iter().map(reference).collect()),
            "managedBy": self.managed_by().map(ToString::to_string),
            "patch": self.change.as_ref().map(|change| &change.patch.body),
            "patchOf": self.change.as_ref().map(|change| reference(&change.patch.object)),
            "pinnedTo": self.pinned.as_ref().map(|(digest, carriers)| pinned_fields(digest, carriers)),
            "problem": self.problem.as_ref().map(problem_fields),
        })
    }

    /// One for each of [`TITLES`].
    pub(super) fn cells(&self) -> Vec<String> {
        let upgrade = self.upgrade.as_ref();
        let tag = |candidate: Option<&Candidate>| {
            candidate.map_or_else(String::new, |candidate| shortened(&candidate.tag, TAG))
        };
        vec![
            self.id.namespace.to_string(),
            format!("{}/{}", self.id.kind.short(), self.id.name),
            self.running(),
            tag(upgrade.and_then(|upgrade| upgrade.in_range.as_ref())),
            tag(upgrade.and_then(|upgrade| upgrade.beyond.as_ref())),
            self.distance().word().to_owned(),
            self.note(),
        ]
    }

    fn running(&self) -> String {
        let running = self.upgrade.as_ref().and_then(|upgrade| upgrade.running.as_ref());
        match running.map(|running| (running, running.tag())) {
            Some((_, Some(tag))) => shortened(tag, TAG),
            Some((running, None)) => running.short(),
            None => String::new(),
        }
    }

    /// What the columns do not say, the most telling first. Empty where all is well.
    pub(super) fn note(&self) -> String {
        let mut words = Vec::new();
        let upgrade = self.upgrade.as_ref();
        if self.is_moved() {
            words.push(self.names.as_ref().map_or_else(
                || "the running tag was moved".to_owned(),
                |now| format!("the running tag was moved: it is {} now", short(now)),
            ));
        }
        if let Some(problem) = &self.problem {
            words.push(format!("could not ask: {}", problem.why));
        }
        if let Some(error) = upgrade.and_then(|upgrade| upgrade.error.as_deref()) {
            words.push(format!("Flux would choose nothing: {error}"));
        }
        if self.gone {
            words.push("the running tag is not in the registry any more".to_owned());
        }
        if let Some((_, carriers)) = self.pinned.as_ref().filter(|(_, carriers)| carriers.of > 0) {
            words.push(carried(carriers));
        }
        match upgrade.map(|upgrade| (upgrade.footing, upgrade.moved)) {
            Some((Footing::Tag, Some(false))) => words.push("no version, its digest is unchanged".to_owned()),
            Some((Footing::Tag, _)) => words.push("no version".to_owned()),
            Some((Footing::Nothing, _)) => words.push("nothing is stored yet".to_owned()),
            Some((Footing::Version | Footing::Pinned, _)) | None => {}
        }
        if let Some(manager) = upgrade.filter(|u| u.beyond.is_some()).and_then(|u| u.managed_by.as_ref()) {
            words.push(format!("managed by {manager}"));
        }
        words.join("; ")
    }
}

/// A chart's revision may carry the generation of its object as build metadata: that is no other version.
fn holds_chart(policy: &Policy, running: &str, listed: &HashSet<&str>) -> bool {
    let read = |tag: &str| policy.dialect.read(tag).ok();
    policy.dialect == Dialect::HelmChart
        && read(running).is_some_and(|running| listed.iter().any(|tag| read(tag).as_ref() == Some(&running)))
}

/// `sha256:0cde437e`
fn short(digest: &Digest) -> String {
    format!("{}:{}", digest.algorithm(), digest.short())
}

const fn footing(footing: Footing) -> &'static str {
    match footing {
        Footing::Version => "version",
        Footing::Pinned => "pinned",
        Footing::Tag => "tag",
        Footing::Nothing => "nothing",
    }
}

fn reference(id: &ObjectId) -> Value {
    json!({"kind": id.kind.name(), "namespace": &*id.namespace, "name": &*id.name})
}

fn pinned_fields(digest: &Digest, carriers: &Carriers) -> Value {
    json!({
        "digest": digest.as_str(),
        "tags": carriers.tags.iter().map(|tag| &**tag).collect::<Vec<_>>(),
        "lookedAt": carriers.looked_at,
        "of": carriers.of,
        "problem": carriers.problem.as_ref().map(problem_fields),
    })
}

fn carried(carriers: &Carriers) -> String {
    let Carriers { tags, looked_at, of, .. } = carriers;
    match &tags[..] {
        [] if *looked_at == 0 => format!("pinned; none of {of} tags was looked at"),
        [] => format!("pinned; looked at {looked_at} of {of} tags, none is it"),
        tags => format!("pinned to {}; looked at {looked_at} of {of} tags", tags.join(", ")),
    }
}
