//! What is compared, how far it was seen, and how much differs: the lines above the list. Words only.

use super::{
    DiffScreen,
    list::{Counts, KINDS, List},
    sides::{address, tag_of},
};
use crate::{
    app::{
        memory::Memory,
        shelf::comparisons::{Coming, Received},
    },
    domain::{
        artifact::{Origin, Target},
        commits::Commits,
        comparison::{Comparison, Half, Tier},
        impact::Danger,
        lens::Lens,
    },
    widgets::{
        text,
        theme::{Meaning, Theme},
    },
};
use ratatui::text::{Line, Span};

/// Lines of notes above the list; all of them stand in it.
const NOTES: usize = 2;

pub(super) fn glyph(danger: Danger, theme: Theme) -> &'static str {
    match danger {
        Danger::High => theme.pick("‼", "!!"),
        Danger::Medium => "!",
        Danger::Low => "i",
    }
}

pub(super) const fn meaning(danger: Danger) -> Meaning {
    match danger {
        Danger::High => Meaning::Problem,
        Danger::Medium => Meaning::Warning,
        Danger::Low => Meaning::Muted,
    }
}

/// `brief`: one line of each, and nothing that stands in the list too.
pub(super) fn lines(
    list: &List,
    comparison: &Comparison,
    memory: &Memory,
    width: u16,
    brief: bool,
) -> Vec<Line<'static>> {
    let room = usize::from(width);
    let theme = memory.theme;
    let mut lines = vec![Line::styled(revisions(comparison, memory, room), theme.style(Meaning::Title))];
    let values = comparison.lens.values_words().map(|words| format!(", {words}")).unwrap_or_default();
    let (tier, why) = tier(&comparison.tier);
    let seen: Vec<String> =
        [Some(format!("{tier}{values}")), Some(eyes(&comparison.lens)), why].into_iter().flatten().collect();
    let seen = seen.join(&format!(" {} ", theme.dot()));
    lines.extend(text::wrap_most(&seen, room, if brief { 1 } else { 2 }).into_iter().map(Line::from));
    lines.push(text::fit_line(counts(&list.counts, theme), room));
    if brief {
        return lines;
    }
    lines.extend(commits(comparison, memory, room));
    let count = list.notes.len();
    for (at, note) in list.notes.iter().take(NOTES).enumerate() {
        let more = if at + 1 == NOTES && count > NOTES {
            format!(" (and {}, below)", text::count(count - NOTES, "more note"))
        } else {
            String::new()
        };
        let left = room.saturating_sub(text::width(&more));
        let words = format!("{}{more}", text::fit(&text::line(note), left));
        lines.push(Line::styled(words, theme.style(Meaning::Warning)));
    }
    lines
}

/// `6.9.1@0ddba110 (2026-10-11, 2.1 KiB) → 6.9.4@a1b2c3d4 (2026-11-19, 2.3 KiB)`; shorter where there is less room.
fn revisions(comparison: &Comparison, memory: &Memory, room: usize) -> String {
    let [from, to] = [&comparison.from, &comparison.to];
    let arrow = memory.theme.arrow();
    for part in [described, dated] {
        let whole = format!("{} {arrow} {}", part(from, memory), part(to, memory));
        if text::width(&whole) <= room {
            return whole;
        }
    }
    let (from, to) = (named(from, memory), named(to, memory));
    let left = room.saturating_sub(text::width(arrow) + 2);
    // a short one leaves its room to the other
    let most = (left / 2).max(left.saturating_sub(text::width(&to)));
    let from = text::fit_middle(&from, most);
    let to = text::fit_middle(&to, left.saturating_sub(text::width(&from)));
    text::fit(&format!("{from} {arrow} {to}"), room)
}

fn day(half: &Half) -> Option<String> {
    half.artifact.manifest.created().map(|made| text::line(made.get(..10).unwrap_or(made)))
}

fn dated(half: &Half, memory: &Memory) -> String {
    let name = named(half, memory);
    day(half).map_or_else(|| name.clone(), |day| format!("{name} ({day})"))
}

fn described(half: &Half, memory: &Memory) -> String {
    let mut said: Vec<String> = day(half).into_iter().collect();
    said.push(format!("{}{}", text::bytes(size(half)), half.artifact.size_note()));
    if !half.verified && matches!(half.artifact.target.origin, Origin::Registry { .. }) {
        said.push("not verified".to_owned());
    }
    format!("{} ({})", named(half, memory), said.join(", "))
}

/// Of the layer that Flux takes, as it is stored; of a folder all its files.
fn size(half: &Half) -> u64 {
    let taken = half.artifact.taken.as_ref().ok();
    let layer = taken.and_then(|taken| half.artifact.manifest.layers.get(taken.layer)?.size);
    layer.unwrap_or_else(|| half.tree.stored().map(|entry| entry.size).sum())
}

/// Tag and digest, or the place of a local one.
fn named(half: &Half, memory: &Memory) -> String {
    let short = half.artifact.digest.short();
    let digest = short.rsplit(':').next().unwrap_or_default();
    match &half.artifact.target.origin {
        Origin::Registry { reference, .. } => {
            let known = tag_of(&half.artifact.target, half.artifact.digest.as_str(), memory);
            let own = (!reference.contains(':')).then(|| reference.to_string());
            own.or(known).map_or_else(|| format!("@{digest}"), |tag| format!("{}@{digest}", text::line(&tag)))
        }
        origin @ (Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_)) => {
            text::line(&super::super::artifact::name(origin))
        }
    }
}

/// And why it is no better one: that may be long.
fn tier(tier: &Tier) -> (String, Option<String>) {
    match tier {
        Tier::Source { why } => ("source diff".to_owned(), why.clone()),
        Tier::Built { by } => (format!("built by {by}"), None),
    }
}

/// Through whose eyes.
fn eyes(lens: &Lens) -> String {
    let paused = |suspended: bool| if suspended { ", suspended" } else { "" };
    match lens {
        Lens::Whole => "whole artifact".to_owned(),
        Lens::Kustomization(lens) => {
            let path = if lens.path.is_empty() { "its root" } else { &lens.path };
            let prune = if lens.prune { "prunes" } else { "does not prune" };
            format!("for {}: path {path}, {prune}{}", lens.id, paused(lens.suspended))
        }
        Lens::Release(lens) => format!("for {}{}", lens.id, paused(lens.suspended)),
    }
}

/// `+3 ~17 -1 objects · ‼ 2 high · 2 CRDs · 1 Secret · 4 files`: what matters less stands behind.
fn counts(counts: &Counts, theme: Theme) -> Line<'static> {
    let Counts { added, changed, removed, renamed, .. } = counts;
    let renamed = if *renamed > 0 { format!(" >{renamed}") } else { String::new() };
    let dot = format!(" {} ", theme.dot());
    let mut spans = vec![Span::raw(format!("+{added} ~{changed} -{removed}{renamed} objects"))];
    for danger in [Danger::High, Danger::Medium, Danger::Low] {
        let count = counts.dangers[danger as usize];
        if count > 0 {
            spans.push(Span::raw(dot.clone()));
            let words = format!("{} {count} {}", glyph(danger, theme), danger.word());
            spans.push(Span::styled(words, theme.style(meaning(danger))));
        }
    }
    let kinds = KINDS.iter().zip(counts.kinds).filter(|(_, count)| *count > 0);
    let kinds = kinds.map(|((_, noun), count)| text::count(count, noun));
    for words in kinds.chain([text::count(counts.files, "file")]) {
        spans.push(Span::raw(format!("{dot}{words}")));
    }
    Line::from(spans)
}

fn commits(comparison: &Comparison, memory: &Memory, room: usize) -> Option<Line<'static>> {
    let Commits { from, to, link } = between(comparison);
    if from.is_none() && to.is_none() {
        return None;
    }
    let words = |revision: Option<Box<str>>| revision.map_or_else(|| "?".to_owned(), |text| short(&text));
    let commits = format!("commits {} {} {}", words(from), memory.theme.arrow(), words(to));
    let left = room.saturating_sub(text::width(&commits));
    let fits = |words: &String| text::width(words) <= left;
    let link = link
        .map(|link| format!("  {link}"))
        .map(|link| if fits(&link) { link } else { "  o copies the link".to_owned() });
    let link = link.filter(fits).unwrap_or_default();
    let style = memory.theme.style(Meaning::Link);
    Some(Line::from(vec![Span::raw(text::fit(&commits, room)), Span::styled(link, style)]))
}

fn between(comparison: &Comparison) -> Commits {
    Commits::between(&comparison.from.artifact, &comparison.to.artifact)
}

pub(super) fn link(comparison: &Comparison) -> Option<String> {
    between(comparison).link
}

/// `main@8fa1c3d` of `main@sha1:8fa1c3d0…`.
fn short(revision: &str) -> String {
    let words = match revision.rsplit_once(':') {
        Some((before, hash)) => {
            let name = before.rsplit_once('@').map_or("", |(name, _)| name);
            format!("{name}@{}", hash.get(..8).unwrap_or(hash))
        }
        None => revision.to_owned(),
    };
    text::fit(&text::line(&words), 32)
}

/// While the answer is on its way: what is asked, since when, and how much of it came.
pub(super) fn waiting(
    screen: &DiffScreen,
    coming: &Coming,
    memory: &Memory,
    width: u16,
) -> Vec<Line<'static>> {
    let room = usize::from(width);
    let theme = memory.theme;
    let question = &screen.question;
    let age = memory.age(coming.since);
    let head = format!("comparing, for {age} {}", theme.waiting());
    let mut lines = vec![Line::styled(head, theme.style(Meaning::Title))];
    let seconds = (memory.now.as_second() - coming.since.as_second()).max(1);
    let [of_from, of_to] = coming.files;
    for (word, target, side, files) in
        [("from", &question.from, coming.from, of_from), ("to  ", &question.to, coming.to, of_to)]
    {
        lines.push(Line::from(text::fit(&format!("{word}  {}", address(target, memory)), room)));
        let came = match files {
            Some(files) => whole(side, files),
            None => received(side, target, seconds),
        };
        lines.push(Line::styled(text::fit(&format!("      {came}"), room), theme.style(Meaning::Muted)));
    }
    if let Some(consumer) = &question.consumer {
        lines.push(Line::from(text::fit(&text::line(&format!("for   {consumer}")), room)));
    }
    if let Some(work) = &coming.work {
        lines.push(Line::from(text::fit(&format!("now   {}", text::line(work)), room)));
    }
    lines.push(Line::default());
    lines.push(Line::from("Esc cancels."));
    lines
}

/// While it comes. A rate is said of what flows only: a folder does not, and what is kept here is not waited for.
fn received(side: Received, target: &Target, seconds: i64) -> String {
    let whole = side.of.map_or_else(String::new, |of| format!(" of {}", text::bytes(of)));
    let local = match &target.origin {
        Origin::Registry { .. } => false,
        Origin::Layout { .. } | Origin::Archive(_) | Origin::Directory(_) => true,
    };
    match (side.bytes, side.from_cache, local) {
        (0, false, false) => "asked; nothing came yet".to_owned(),
        (0, false, true) => "being read from this disk".to_owned(),
        (bytes, true, _) => format!("{}{whole} from the cache", text::bytes(bytes)),
        (bytes, false, true) => format!("{}{whole} read", text::bytes(bytes)),
        (bytes, false, false) => {
            let rate = text::bytes(bytes / seconds.unsigned_abs());
            format!("{}{whole} read, {rate}/s", text::bytes(bytes))
        }
    }
}

/// All of it came.
fn whole(side: Received, files: usize) -> String {
    let bytes = side.of.unwrap_or(0).max(side.bytes);
    let cache = if side.from_cache { " from the cache" } else { "" };
    let bytes = if bytes == 0 { String::new() } else { format!("{}{cache}, ", text::bytes(bytes)) };
    format!("read: {bytes}{}", text::count(files, "file"))
}
