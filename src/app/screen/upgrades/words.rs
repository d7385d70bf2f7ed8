//! What a source's upgrade takes, in words: one line for its row, all of it for the foot.

use super::{
    super::newest,
    glance::{Glance, State, Why},
    pin::{Pin, Reach},
};
use crate::{
    app::{
        memory::Memory,
        shelf::{Asking, TagList, lookups::Named},
    },
    domain::{
        action::Patch,
        change::Change,
        fact::Object,
        identity::{Kind, Manager, ObjectId},
        outlook::Prospect,
        policy::Choice,
        standing::Standing,
        upgrade::{Carriers, Footing, Upgrade},
    },
    widgets::{text, theme::Meaning},
};
use ratatui::text::{Line, Span};
use std::sync::Arc;

/// A change of the selected row, and what Flux would then choose.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Proposal {
    pub(super) change: Option<Change>,
    pub(super) takes: Option<Arc<str>>,
}

impl Proposal {
    pub(super) fn of(glance: &Glance<'_>, reach: &Reach, memory: &Memory) -> Self {
        let change = change(glance, reach, memory);
        let takes = match (&glance.state, &change) {
            (State::Judged { list, .. }, Some(change)) => change.would_choose(glance.source, &list.listed),
            (State::Judged { .. } | State::Asking(_) | State::Outrun(_) | State::Unasked(_), _) => None,
        };
        Self { change, takes }
    }
}

/// The edit that would take what is beyond, or for a pin the newest version.
pub(super) fn change(glance: &Glance<'_>, reach: &Reach, memory: &Memory) -> Option<Change> {
    let State::Judged { upgrade, .. } = &glance.state else { return None };
    if let Some(pin) = Pin::of(glance, reach) {
        return pin.change(&pin.carriers(&memory.shelf.lookups), memory, glance.source);
    }
    Change::beyond(upgrade, &memory.ledger.world, glance.source)
}

/// What it takes, the most important first: a row has room for one of them. Not safe yet.
pub(super) fn how(
    glance: &Glance<'_>,
    change: Option<&Change>,
    reach: &Reach,
    memory: &Memory,
) -> Vec<String> {
    match &glance.state {
        State::Asking(list) => vec![asking(glance, *list, memory)],
        State::Outrun(list) => {
            let asked = list.listed_at.map_or_else(String::new, |at| format!(" ({} ago)", memory.age(at)));
            vec![format!("what runs is newer than the list of tags{asked}: ^R asks again")]
        }
        State::Unasked(_) => vec![glance.why(memory).unwrap_or_default()],
        State::Judged { upgrade, prospect, .. } => {
            let mut parts = judged(glance, upgrade, prospect, reach, memory);
            parts.extend(change.map(|change| edit(glance.id(), change, memory)));
            if parts.is_empty() {
                parts.push(nothing_newer(glance, upgrade, memory));
            }
            parts
        }
    }
}

fn asking(glance: &Glance<'_>, list: Option<&TagList>, memory: &Memory) -> String {
    let host = glance.upstream().map_or("the registry", |upstream| upstream.repository.registry());
    let waiting = memory.theme.waiting();
    match list.map(|list| &list.asking) {
        Some(Asking::Since(since)) => format!("asking {host} {waiting} {}", memory.age(*since)),
        Some(Asking::Queued) | None => format!("waits for its turn at {host}"),
        Some(Asking::Done(_) | Asking::Failed(..)) => format!("{host} has answered {waiting}"),
    }
}

/// What is to be said beside an edit.
fn judged(
    glance: &Glance<'_>,
    upgrade: &Upgrade,
    prospect: &Prospect<'_>,
    reach: &Reach,
    memory: &Memory,
) -> Vec<String> {
    let (comes, short) = by_itself(glance.entry.assessment.standing);
    let first = match prospect {
        Prospect::Unjudged(why) => match &upgrade.error {
            Some(error) => format!("Flux takes none: {error}"),
            None => format!("cannot be judged: {why}"),
        },
        Prospect::Nothing(error) => format!("Flux takes none: {error}"),
        Prospect::Absent => {
            let followed =
                glance.source.follows().map_or_else(String::new, |follows| follows.text().to_owned());
            format!("the registry has no tag {followed}")
        }
        Prospect::Pinned => pinned(glance, reach, memory),
        Prospect::Take(_) | Prospect::GoBack(_) if upgrade.moved == Some(true) => {
            format!("{comes}; and the running tag has new content")
        }
        Prospect::Take(_) if upgrade.footing == Footing::Nothing => format!("nothing is stored yet: {short}"),
        Prospect::Take(_) => comes.to_owned(),
        Prospect::GoBack(_) => format!("goes back by itself: {short}"),
        Prospect::Moved => format!("same tag, new content: {short}"),
        Prospect::Uncompared(_) | Prospect::Stay(_) => return Vec::new(),
    };
    vec![first]
}

/// What Flux does without an edit, and where it cannot, why: as a sentence, and behind a colon.
fn by_itself(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::Suspended => ("suspended: comes when it is resumed", "suspended, comes when it is resumed"),
        Standing::Stalled => ("stalled: comes when that is mended", "stalled, comes when that is mended"),
        Standing::Failing => ("failing: comes when that is mended", "failing, comes when that is mended"),
        Standing::Terminating => ("is being deleted", "is being deleted"),
        Standing::Progressing => ("comes by itself: under way", "under way"),
        Standing::Stale | Standing::Unknown | Standing::Ready => {
            ("comes by itself: reconcile (Shift-R)", "reconcile (Shift-R)")
        }
    }
}

/// `spec.ref: semver 1.14.x → 1.16.x`.
fn edit(id: &ObjectId, change: &Change, memory: &Memory) -> String {
    let object = if change.patch.object == *id { String::new() } else { format!("{} ", change.patch.object) };
    let short = |text: &str| match text.strip_prefix("sha256:") {
        Some(hex) => format!("@{}", hex.get(..8).unwrap_or(hex)),
        None => text.to_owned(),
    };
    let (from, to) = (short(&change.from), short(change.to.text()));
    format!("{object}{} {from} {} {to}", change.field, memory.theme.arrow())
}

/// For the row; the foot says it in full.
pub(super) fn managed(change: &Change) -> String {
    match (&change.managed_by, change.detached) {
        (Some(manager), false) => format!(", managed by {manager}: change it in its source"),
        (Some(_), true) | (None, _) => String::new(),
    }
}

fn nothing_newer(glance: &Glance<'_>, upgrade: &Upgrade, memory: &Memory) -> String {
    let tag = upgrade.running.as_ref().and_then(|revision| revision.tag()).unwrap_or("its tag");
    match (upgrade.footing, upgrade.moved) {
        (Footing::Tag, Some(_)) => format!("{tag} still names what runs"),
        (Footing::Tag, None) => match head_problem(glance, upgrade, memory) {
            Some(problem) => format!("{tag} could not be compared: {problem}"),
            None => format!("asking what {tag} names now {}", memory.theme.waiting()),
        },
        (Footing::Nothing, _) => "nothing is stored".to_owned(),
        (Footing::Version | Footing::Pinned, _) => "up to date".to_owned(),
    }
}

/// Why the digest of the running tag is not known.
fn head_problem(glance: &Glance<'_>, upgrade: &Upgrade, memory: &Memory) -> Option<String> {
    let upstream = glance.upstream()?;
    let tag = upgrade.running.as_ref()?.tag()?.replace('+', "_");
    match memory.shelf.lookups.named(upstream, &tag) {
        Some(Named::Failed { problem, .. }) => Some(problem.why.clone()),
        Some(Named::Asked | Named::Here { .. }) => None,
        None => memory.shelf.lookups.refusal(upstream).map(|problem| problem.why.clone()),
    }
}

fn pinned(glance: &Glance<'_>, reach: &Reach, memory: &Memory) -> String {
    let Some(pin) = Pin::of(glance, reach) else { return "spec.ref.digest is not a digest".to_owned() };
    let stored = glance.source.revision().and_then(|revision| revision.digest());
    let pending = match stored {
        Some(stored) if *stored != pin.digest => {
            format!("; still runs @{}: {}", stored.short(), by_itself(glance.entry.assessment.standing).1)
        }
        Some(_) | None => String::new(),
    };
    let carriers = pin.carriers(&memory.shelf.lookups);
    let words = match (carriers.tags.as_slice(), pin.newest()) {
        ([], newest) => format!("pinned by digest: {}{}", sought(&pin, &carriers, memory), newest_is(newest)),
        (tags, Some(newest)) if tags.contains(newest) => {
            format!("pinned by digest, which is {}, the newest", tags_words(tags))
        }
        (tags, newest) => format!("pinned by digest, which is {}{}", tags_words(tags), newest_is(newest)),
    };
    format!("{words}{pending}")
}

fn newest_is(newest: Option<&Arc<str>>) -> String {
    newest.map_or_else(String::new, |newest| format!(" (newest {newest})"))
}

fn tags_words(tags: &[Arc<str>]) -> String {
    match tags {
        [one] => format!("tag {one}"),
        many => format!("tags {}", many.iter().map(|tag| &**tag).collect::<Vec<&str>>().join(", ")),
    }
}

/// How far the search for the tag has come.
fn sought(pin: &Pin<'_>, carriers: &Carriers, memory: &Memory) -> String {
    let Carriers { looked_at, of, problem, .. } = carriers;
    let so_far = format!("looked at {looked_at} of {of}");
    match problem {
        _ if *of == 0 => "the repository holds no tags".to_owned(),
        Some(problem) => format!("{so_far}, then: {}", problem.why),
        None if !pin.is_through(&memory.shelf.lookups) => {
            format!("looking for its tag, {so_far} {}", memory.theme.waiting())
        }
        None if looked_at < of => format!("none of the newest tags carries it, {so_far}"),
        None => format!("no tag carries it, {so_far}"),
    }
}

/// All of it: the whole sentence, the patch, who would revert it, who is affected.
pub(super) fn foot(
    glance: &Glance<'_>,
    proposal: &Proposal,
    reach: &Reach,
    memory: &Memory,
    room: usize,
) -> Vec<Line<'static>> {
    let mut lines = vec![subject(glance, memory, room)];
    if let Some(rollout) = memory.rollout(glance.id()) {
        let words = rollout.words(memory.theme, memory.now);
        lines.extend(text::wrap(&words, room).into_iter().map(Line::from));
        if let Some(message) = rollout.failure().and_then(|step| step.message.as_deref()) {
            let style = memory.theme.style(Meaning::Problem);
            lines.extend(text::wrap(message, room).into_iter().map(|line| Line::styled(line, style)));
        }
    }
    lines.extend(whole_how(glance, proposal, reach, memory, room));
    if let Some(change) = &proposal.change {
        patch_lines(change, proposal.takes.as_deref(), glance, memory, room, &mut lines);
    }
    for note in notes(glance, reach, memory) {
        let style = memory.theme.style(Meaning::Warning);
        lines.extend(text::wrap(&note, room).into_iter().map(|line| Line::styled(line, style)));
    }
    lines.extend(used_by(glance, memory, room));
    lines
}

/// What it is and what it follows, in one line.
fn subject(glance: &Glance<'_>, memory: &Memory, room: usize) -> Line<'static> {
    let repository =
        glance.upstream().map_or_else(String::new, |upstream| format!(" of {}", upstream.repository));
    let follows = glance.source.follows().map_or_else(String::new, |follows| {
        let filter = match &glance.source.spec {
            crate::domain::source::SourceSpec::Oci(spec) => spec.semver_filter.as_deref(),
            _ => None,
        };
        let filter = filter.filter(|_| follows.by() == "semver");
        let filtered = filter.map_or_else(String::new, |filter| format!(" filtered by {filter}"));
        format!(" follows {} {}{filtered}", follows.by(), follows.text())
    });
    let words = format!("{}{follows}{repository}", glance.id());
    Line::styled(text::fit(&text::line(&words), room), memory.theme.style(Meaning::Muted))
}

fn whole_how(
    glance: &Glance<'_>,
    proposal: &Proposal,
    reach: &Reach,
    memory: &Memory,
    room: usize,
) -> Vec<Line<'static>> {
    let plain = |words: &str| text::wrap(words, room).into_iter().map(Line::from).collect::<Vec<_>>();
    if let State::Unasked(Why::Problem(problem)) = &glance.state {
        return super::super::problem_lines(problem, memory, u16::try_from(room + 2).unwrap_or(u16::MAX));
    }
    plain(&how(glance, proposal.change.as_ref(), reach, memory).join("; "))
}

/// Exactly what would be sent, and whether it would last.
fn patch_lines(
    change: &Change,
    takes: Option<&str>,
    glance: &Glance<'_>,
    memory: &Memory,
    room: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let muted = memory.theme.style(Meaning::Muted);
    let patch: &Patch = &change.patch;
    let label = "patch  ";
    let wrapped = text::wrap(&patch.words(), room.saturating_sub(label.len()));
    for (at, line) in wrapped.into_iter().enumerate() {
        let label = if at == 0 { label.to_owned() } else { " ".repeat(label.len()) };
        lines.push(Line::from(vec![Span::styled(label, muted), Span::raw(line)]));
    }
    let wanted = match &glance.state {
        State::Judged { upgrade, .. } => upgrade.beyond.as_ref().map(|candidate| &*candidate.tag),
        State::Asking(_) | State::Outrun(_) | State::Unasked(_) => None,
    };
    let mut words = kept(change, memory);
    if let (Some(takes), Some(wanted)) = (takes, wanted)
        && takes != wanted
    {
        words = format!("With it Flux would take {takes}, not {wanted}. {words}");
    }
    lines.extend(text::wrap(&words, room).into_iter().map(Line::from));
}

/// Whether a change in the cluster would last, and where to make one that does.
fn kept(change: &Change, memory: &Memory) -> String {
    match (&change.managed_by, change.detached) {
        (None, _) if !change.read => {
            format!("{} was not read: who would revert a change of it is not known.", change.patch.object)
        }
        (None, _) => format!("No label says that something else declares {}.", change.patch.object),
        (Some(manager), true) => {
            format!(
                "{manager} was told to leave it alone (reconcile: disabled): a change in the cluster stays."
            )
        }
        (Some(Manager::Other(manager)), false) => {
            format!("{manager} would revert a change in the cluster: change it there.")
        }
        (Some(Manager::Object(manager)), false) if manager.kind == Kind::HelmRelease => {
            format!("{manager} would revert a change in the cluster: change its values or its chart.")
        }
        (Some(Manager::Object(manager)), false) => {
            let object = memory.ledger.get(manager).map(|entry| &*entry.object);
            let (when, where_from) = match object {
                Some(Object::Consumer(consumer)) => {
                    let suspended = if consumer.suspended { ", suspended now," } else { "" };
                    let path = consumer.path.as_deref().map_or_else(String::new, |path| format!(", {path}"));
                    let from = consumer.source.as_ref().map(|source| format!(" {source}{path}"));
                    (suspended, from.unwrap_or_else(|| " its source".to_owned()))
                }
                Some(Object::Source(_)) | None => ("", " its source".to_owned()),
            };
            format!("{manager}{when} would revert a change in the cluster: change it in{where_from}.")
        }
    }
}

/// What else has to be known before one believes the row.
fn notes(glance: &Glance<'_>, reach: &Reach, memory: &Memory) -> Vec<String> {
    let (upgrade, list) = match &glance.state {
        State::Judged { upgrade, list, .. } => (*upgrade, *list),
        State::Unasked(_) => {
            return glance
                .upstream()
                .and_then(|upstream| newest::retry(upstream, memory))
                .into_iter()
                .collect();
        }
        State::Asking(_) | State::Outrun(_) => return Vec::new(),
    };
    let mut notes = Vec::new();
    let outlook = memory.upgrades.kept(glance.id()).map(|kept| &kept.outlook);
    if let Some((Choice::Tag(chosen), equals @ [_, ..])) =
        outlook.and_then(|outlook| Some((outlook.chosen.as_ref()?, outlook.ambiguous.as_slice())))
    {
        let equals = tags_words(equals);
        notes.push(format!("{chosen} is as high as {equals}: which of them Flux takes is not defined"));
    }
    if let Asking::Failed(at, problem) = &list.asking {
        notes.push(format!("older tags are shown: {} ago could not {problem}", memory.age(*at)));
    }
    notes.extend(list.cut.iter().cloned());
    if upgrade.footing == Footing::Version
        && upgrade.moved.is_none()
        && let Some(problem) = head_problem(glance, upgrade, memory)
    {
        notes.push(format!("whether the running tag was moved could not be asked: {problem}"));
    }
    if let Some(pin) = Pin::of(glance, reach) {
        let carriers = pin.carriers(&memory.shelf.lookups);
        let lookups = &memory.shelf.lookups;
        if pin.is_done(lookups) && carriers.looked_at < carriers.of {
            let what = if lookups.refusal(pin.upstream).is_some() { "asks again" } else { "looks at more" };
            notes.push(format!("looked at {} of {} tags: m {what}", carriers.looked_at, carriers.of));
        }
    }
    notes
}

/// Everything that takes from it, with where it stands.
fn used_by(glance: &Glance<'_>, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let theme = &memory.theme;
    let mut ids: Vec<&ObjectId> =
        memory.ledger.world.dependents(glance.id()).filter(|id| !id.kind.is_source()).collect();
    let standing = |id: &ObjectId| memory.ledger.standing(id).unwrap_or(Standing::Unknown);
    ids.sort_by_key(|id| (standing(id), (*id).clone()));
    let words: Vec<String> =
        ids.iter().map(|id| format!("{id} {} {}", theme.glyph(standing(id)), standing(id))).collect();
    let partly = memory.unread_users().map_or_else(String::new, |why| format!(" ({why})"));
    let all = match words.is_empty() {
        true if partly.is_empty() => "used by nothing that is watched".to_owned(),
        true => format!("used by nothing that was read{partly}"),
        false => format!("used by {}{partly}", words.join(&format!(" {} ", theme.dot()))),
    };
    text::wrap(&all, room).into_iter().map(Line::from).collect()
}
