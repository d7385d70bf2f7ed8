//! What is known of one object, as lines: state, message, facts, relations, conditions, events. It keeps nothing.

use super::{foot::consequence, newest, object::Doc, problem_lines, table};
use crate::{
    app::{
        ledger::Entry,
        memory::Memory,
        shelf::{Answer, Asking},
    },
    domain::{
        condition::{Condition, ConditionStatus, is_abnormal},
        consumer::Consumer,
        event::Event,
        fact::Object,
        identity::{Manager, ObjectId},
        source::{Follows, OciSpec, Source, SourceSpec, Verified},
        standing::Standing,
    },
    widgets::{
        text,
        theme::{Meaning, Theme},
        time,
    },
};
use ratatui::text::{Line, Span};
use std::fmt::Write as _;

/// Cells of the names in front of facts.
const LABEL: usize = 13;

/// Events shown; the newest first.
const EVENTS: usize = 50;

pub fn doc(id: &ObjectId, memory: &Memory, width: u16) -> Doc {
    let mut doc = Doc::default();
    let room = usize::from(width);
    let Some(entry) = memory.ledger.get(id) else {
        let words = format!("{id} is {} here.", table::absence(id, memory));
        doc.wrapped(&words, room, 0);
        doc.wrapped("If it comes back, this screen shows it again. Esc goes back.", room, 0);
        return doc;
    };
    head(&mut doc, entry, memory, room);
    action(&mut doc, id, memory, room);
    match &*entry.object {
        Object::Source(source) => source_facts(&mut doc, source, entry, memory, room),
        Object::Consumer(consumer) => consumer_facts(&mut doc, consumer, entry, memory, room),
    }
    relations(&mut doc, entry, memory, room);
    for oddity in entry.object.oddities() {
        fact(&mut doc, memory, "odd", oddity, room);
    }
    conditions(&mut doc, entry, memory, room);
    events(&mut doc, id, memory, room);
    doc
}

fn head(doc: &mut Doc, entry: &Entry, memory: &Memory, room: usize) {
    let judged = &entry.assessment;
    let mut words = format!("{} {}", memory.theme.glyph(judged.standing), judged.standing);
    if let Some(since) = entry.since {
        let _ = write!(words, " for {}", memory.age(since));
    }
    if !judged.reason.is_empty() {
        let _ = write!(words, " {} {}", memory.theme.dot(), text::line(&judged.reason));
    }
    doc.line(Line::styled(text::fit(&words, room), memory.theme.style(Meaning::Standing(judged.standing))));
    doc.wrapped(&judged.message, room, 2);
    for words in judged.note.iter().chain(consequence(entry, memory).iter()) {
        doc.wrapped(words, room, 2);
    }
    doc.gap();
}

/// The last action on it, step by step.
fn action(doc: &mut Doc, id: &ObjectId, memory: &Memory, room: usize) {
    let Some(rollout) = memory.rollouts.get(id) else { return };
    let state = if rollout.is_over() { "over" } else { "under way" };
    let words =
        format!("reconcile, {state} {} {}", memory.theme.dot(), rollout.words(memory.theme, memory.now));
    fact(doc, memory, "last action", &words, room);
    for step in rollout.steps.iter().filter(|step| step.what.is_end()) {
        if let Some(message) = &step.message {
            doc.wrapped(&format!("{} {}: {message}", step.object, step.what.word()), room, LABEL);
        }
    }
    doc.gap();
}

/// A name and its text, which may come from outside.
fn fact(doc: &mut Doc, memory: &Memory, name: &str, words: &str, room: usize) {
    let muted = memory.theme.style(Meaning::Muted);
    let lines = text::wrap(words, room.saturating_sub(LABEL).max(1));
    for (at, line) in lines.into_iter().enumerate() {
        let label = if at == 0 { name } else { "" };
        doc.line(Line::from(vec![Span::styled(format!("{label:<LABEL$}"), muted), Span::raw(line)]));
    }
}

fn source_facts(doc: &mut Doc, source: &Source, entry: &Entry, memory: &Memory, room: usize) {
    match &source.spec {
        SourceSpec::Oci(spec) => oci_facts(doc, spec, memory, room),
        SourceSpec::HelmRepository { url, oci, insecure } => {
            let kind = if *oci { "oci, static: only its charts are fetched" } else { "an index over HTTP" };
            let plain = if *insecure { ", plain HTTP allowed" } else { "" };
            fact(doc, memory, "url", &format!("{url} ({kind}{plain})"), room);
        }
        SourceSpec::HelmChart { chart, version, .. } => {
            fact(doc, memory, "chart", &format!("{chart}   version {version}"), room);
        }
        SourceSpec::ExternalArtifact { generator } => {
            let by = generator.as_deref().unwrap_or("another controller");
            fact(doc, memory, "made by", by, room);
        }
        SourceSpec::Other { url } => fact(doc, memory, "url", url, room),
    }
    fact(doc, memory, "holds", &stored(source, memory), room);
    if let Some(artifact) = &source.artifact {
        for name in ["org.opencontainers.image.source", "org.opencontainers.image.revision"] {
            if let Some(value) = artifact.annotations.get(name) {
                fact(doc, memory, if name.ends_with("source") { "made from" } else { "commit" }, value, room);
            }
        }
    }
    registry(doc, entry, memory, room);
    if matches!(source.spec, SourceSpec::Oci(_) | SourceSpec::HelmChart { .. }) {
        fact(doc, memory, "verified", &verified(source), room);
    }
}

fn oci_facts(doc: &mut Doc, spec: &OciSpec, memory: &Memory, room: usize) {
    let follows = match &spec.follows {
        Follows::Latest => "tag latest (no ref is set)".to_owned(),
        Follows::Digest(_) | Follows::Semver(_) | Follows::Tag(_) => {
            format!("{} {}", spec.follows.by(), spec.follows.text())
        }
    };
    fact(doc, memory, "url", &spec.url, room);
    if let Err(error) = &spec.repository {
        fact(doc, memory, "", &format!("not a url that Flux accepts: {error}"), room);
    }
    fact(doc, memory, "follows", &follows, room);
    if let Some(filter) = &spec.semver_filter {
        fact(doc, memory, "", &format!("only tags that match {filter}"), room);
    }
    if let Some(tag) = &spec.ignored_tag {
        fact(
            doc,
            memory,
            "",
            &format!("ref.tag {tag} is set too and not used: the {} outranks it", spec.follows.by()),
            room,
        );
    }
    if let Some(media_type) = &spec.layer.media_type {
        let how = if spec.layer.copy { "copied as it is" } else { "extracted" };
        fact(doc, memory, "layer", &format!("{media_type}, {how}"), room);
    }
    let mut with = vec![format!("provider {}", spec.provider)];
    let named = [
        ("Secret", &spec.secret),
        ("ServiceAccount", &spec.service_account),
        ("CA of Secret", &spec.cert_secret),
        ("proxy of Secret", &spec.proxy_secret),
    ];
    with.extend(named.iter().filter_map(|(what, name)| Some(format!("{what} {}", name.as_deref()?))));
    if spec.insecure {
        with.push("plain HTTP allowed".to_owned());
    }
    fact(doc, memory, "asked with", &with.join(", "), room);
    let timeout = spec.timeout.as_deref().map_or_else(String::new, |timeout| format!(", timeout {timeout}"));
    fact(doc, memory, "checked", &format!("every {}{timeout}", spec.interval), room);
}

fn stored(source: &Source, memory: &Memory) -> String {
    let Some(artifact) = &source.artifact else { return "nothing yet".to_owned() };
    let mut words =
        artifact.revision.as_ref().map_or_else(|| "no revision".to_owned(), |r| r.as_str().to_owned());
    if let Some(at) = artifact.stored {
        let _ = write!(words, "   stored {} ago", memory.age(at));
    }
    if let Some(size) = artifact.size {
        let _ = write!(words, "   {size} bytes");
    }
    words
}

/// What the registry says beside what the cluster says.
fn registry(doc: &mut Doc, entry: &Entry, memory: &Memory, room: usize) {
    let Some(upstream) = &entry.upstream else { return };
    let list = memory.shelf.tags(upstream);
    let words = table::tags_words(list, upstream, memory);
    if let Some(sentence) = newest::sentence(entry, memory) {
        fact(doc, memory, "newest", &sentence, room);
    }
    fact(doc, memory, "registry", &words, room);
    if let Some(Asking::Failed(_, problem)) = list.map(|list| &list.asking) {
        fact(doc, memory, "", &format!("could not {problem}"), room);
    }
}

fn verified(source: &Source) -> String {
    let asked = source.verify().map_or_else(String::new, |verify| {
        let mut words = format!(" (asked: {}", verify.provider);
        for (issuer, subject) in &verify.identities {
            let _ = write!(words, ", issuer {issuer}, subject {subject}");
        }
        if let Some(secret) = &verify.secret {
            let _ = write!(words, ", keys of Secret {secret}");
        }
        words + ")"
    });
    match source.verified() {
        Verified::NotAsked => "not asked: spec.verify is not set".to_owned(),
        Verified::Unknown => format!("the cluster has not said yet{asked}"),
        Verified::Yes(message) => format!("by the cluster: {message}{asked}"),
        Verified::No(message) => format!("failed in the cluster: {message}{asked}"),
    }
}

fn consumer_facts(doc: &mut Doc, consumer: &Consumer, entry: &Entry, memory: &Memory, room: usize) {
    if let Some(path) = &consumer.path {
        fact(doc, memory, "path", path, room);
    }
    if let Some((chart, version)) = &consumer.chart {
        let from = consumer.chart_source.as_ref().map_or_else(String::new, |id| format!("   from {id}"));
        fact(doc, memory, "chart", &format!("{chart}   version {version}{from}"), room);
    }
    let applied = consumer.revision().map_or("nothing yet", |revision| revision.as_str());
    fact(doc, memory, "runs", applied, room);
    if let Some(digest) =
        consumer.digest().filter(|_| consumer.revision().is_some_and(|r| r.digest().is_none()))
    {
        fact(doc, memory, "", digest.as_str(), room);
    }
    if let Some(tried) = consumer.applied.last_attempted.as_ref().filter(|tried| tried.as_str() != applied) {
        fact(doc, memory, "tried last", tried.as_str(), room);
    }
    if let Some(failures) = consumer.applied.failures.filter(|failures| *failures > 0) {
        fact(doc, memory, "failures", &failures.to_string(), room);
    }
    if let Some(namespace) = &consumer.target_namespace {
        fact(doc, memory, "into", &format!("namespace {namespace}"), room);
    }
    if consumer.remote {
        fact(doc, memory, "into", "another cluster (spec.kubeConfig)", room);
    }
    if consumer.prune == Some(false) {
        fact(doc, memory, "prune", "off: what leaves the source stays in the cluster", room);
    }
    fact(doc, memory, "checked", &format!("every {}", consumer.interval), room);
    fact(doc, memory, "inventory", &format!("{} objects", consumer.inventory.len()), room);
    registry(doc, entry, memory, room);
    for release in consumer.applied.history.iter().take(5) {
        let mut words: Vec<String> = release.version.iter().map(|version| format!("v{version}")).collect();
        words.push(release.status.to_string());
        words.extend(release.revision.iter().map(crate::domain::revision::Revision::short));
        words.extend(release.when.iter().map(|at| format!("{} ago", memory.age(*at))));
        fact(doc, memory, "history", &words.join("  "), room);
    }
}

fn relations(doc: &mut Doc, entry: &Entry, memory: &Memory, room: usize) {
    let id = entry.object.id();
    doc.gap();
    let chain = memory.ledger.world.chain(id);
    for source in &chain[1..] {
        link(doc, memory, "source", source);
    }
    for next in memory.ledger.world.dependents(id) {
        link(doc, memory, "used by", next);
        for consumer in memory.ledger.world.dependents(next) {
            link(doc, memory, "used by", consumer);
        }
    }
    if id.kind.is_source() {
        let known = memory.ledger.world.dependents(id).next().is_some();
        match (known, memory.unread_users()) {
            (true, Some(partly)) => fact(doc, memory, "used by", &format!("… ({partly})"), room),
            (false, Some(partly)) => {
                fact(doc, memory, "used by", &format!("nothing that was read … ({partly})"), room);
            }
            (true, None) => {}
            (false, None) => fact(doc, memory, "used by", "nothing that is watched", room),
        }
    }
    match entry.object.meta().manager() {
        Some(Manager::Object(manager)) => {
            link(doc, memory, "managed by", &manager);
            let detached = entry.object.meta().detached;
            let words = if detached {
                "  (reconcile is disabled for it: a change here stays)"
            } else {
                "  (a change here is reverted)"
            };
            if let Some(line) = doc.lines.last_mut() {
                line.spans.push(Span::styled(words, memory.theme.style(Meaning::Muted)));
            }
        }
        Some(Manager::Other(words)) => fact(doc, memory, "managed by", &words, room),
        None => {}
    }
    if let Object::Consumer(consumer) = &*entry.object {
        for other in &consumer.depends_on {
            link(doc, memory, "depends on", other);
        }
    }
}

fn link(doc: &mut Doc, memory: &Memory, name: &str, id: &ObjectId) {
    let theme = &memory.theme;
    let mut spans = vec![
        Span::styled(format!("{name:<LABEL$}"), theme.style(Meaning::Muted)),
        Span::styled(text::line(&id.to_string()), theme.style(Meaning::Link)),
        Span::raw("  "),
    ];
    match memory.ledger.standing(id) {
        Some(standing) => spans.push(Span::styled(
            format!("{} {standing}", theme.glyph(standing)),
            theme.style(Meaning::Standing(standing)),
        )),
        None => spans.push(Span::styled(table::absence(id, memory), theme.style(Meaning::Muted))),
    }
    doc.links.push((doc.lines.len(), id.clone()));
    doc.line(Line::from(spans));
}

fn conditions(doc: &mut Doc, entry: &Entry, memory: &Memory, room: usize) {
    let title = memory.theme.style(Meaning::Title);
    doc.gap();
    doc.line(Line::styled("CONDITIONS", title));
    let conditions = &entry.object.status().conditions;
    if conditions.is_empty() {
        doc.line(Line::from("none: no controller has said anything about it"));
    }
    for condition in conditions {
        condition_lines(doc, condition, memory, room);
    }
    if let Some(at) = entry.object.meta().created {
        let generation =
            entry.object.meta().generation.map_or_else(String::new, |g| format!(", generation {g}"));
        doc.line(Line::styled(
            format!("created {} ago{generation}", memory.age(at)),
            memory.theme.style(Meaning::Muted),
        ));
    }
}

fn condition_lines(doc: &mut Doc, condition: &Condition, memory: &Memory, room: usize) {
    let (glyph, meaning) = weight(condition, memory.theme);
    let since = condition.since.map_or_else(String::new, |since| memory.age(since));
    let words = format!(
        "{:<20} {:<8} {:<28} {since:>4}",
        text::line(&condition.kind),
        condition.status.word(),
        text::line(&condition.reason)
    );
    doc.line(Line::from(vec![
        Span::styled(format!("{glyph} "), memory.theme.style(meaning)),
        Span::raw(words),
    ]));
    doc.wrapped(&condition.message, room, 4);
}

fn weight(condition: &Condition, theme: Theme) -> (&'static str, Meaning) {
    let standing = match (condition.status, is_abnormal(&condition.kind)) {
        (ConditionStatus::True, false) | (ConditionStatus::False, true) => Standing::Ready,
        (ConditionStatus::False, false) | (ConditionStatus::True, true) => Standing::Failing,
        (ConditionStatus::Unknown, _) => Standing::Progressing,
    };
    (theme.glyph(standing), Meaning::Standing(standing))
}

fn events(doc: &mut Doc, id: &ObjectId, memory: &Memory, room: usize) {
    doc.gap();
    doc.line(Line::styled("EVENTS", memory.theme.style(Meaning::Title)));
    if let Some((since, problem)) = memory.shelf.old_events.get(id) {
        let words = format!("not live for {}: could not {problem}. ^R asks again.", memory.age(*since));
        for line in text::wrap(&text::line(&words), room) {
            doc.line(Line::styled(line, memory.theme.style(Meaning::Warning)));
        }
    }
    match memory.shelf.events.get(id) {
        None | Some(Answer::Asked) => {
            doc.line(Line::from(format!("asking for them {}", memory.theme.waiting())));
        }
        Some(Answer::Failed(problem)) => {
            doc.lines.extend(problem_lines(problem, memory, u16::try_from(room).unwrap_or(u16::MAX)));
        }
        Some(Answer::Here(events)) if events.is_empty() => {
            doc.line(Line::from("none; Kubernetes keeps them for about an hour"));
        }
        Some(Answer::Here(events)) => {
            for event in events.iter().take(EVENTS) {
                event_lines(doc, event, memory, room);
            }
            if events.len() > EVENTS {
                doc.line(Line::from(format!("{} older ones not shown", events.len() - EVENTS)));
            }
        }
    }
}

fn event_lines(doc: &mut Doc, event: &Event, memory: &Memory, room: usize) {
    let at = event.last.map_or_else(|| "-".to_owned(), time::clock);
    let kind = if event.warning { "Warning" } else { "Normal" };
    let count = if event.count > 1 { format!(" x{}", event.count) } else { String::new() };
    let words = format!("{at}  {kind:<8} {}{count}  {}", text::line(&event.reason), text::line(&event.from));
    let meaning = if event.warning { Meaning::Warning } else { Meaning::Plain };
    doc.line(Line::styled(words, memory.theme.style(meaning)));
    doc.wrapped(&event.message, room, 4);
}
