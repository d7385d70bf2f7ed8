//! What the manifest says: digests, layers and which of them Flux takes, config, annotations, what refers to it.

use super::ArtifactScreen;
use crate::{
    app::{memory::Memory, shelf::Answer},
    domain::{
        artifact::{Artifact, Descriptor, Operation, Origin},
        layer,
    },
    widgets::{layout, text, theme::Meaning},
};
use ratatui::text::{Line, Span};

/// The lines of the view, and which of them are the layers.
pub(super) struct Doc {
    pub(super) lines: Vec<Line<'static>>,
    pub(super) layers: Vec<usize>,
}

pub(super) fn doc(screen: &ArtifactScreen, artifact: &Artifact, memory: &Memory, room: usize) -> Doc {
    let mut doc = Doc { lines: Vec::new(), layers: Vec::new() };
    head(&mut doc, artifact, memory, room);
    layers(&mut doc, screen, artifact, memory, room);
    annotations(&mut doc, artifact, memory, room);
    config(&mut doc, artifact, memory, room);
    referrers(&mut doc, screen, memory, room);
    doc
}

impl Doc {
    /// The first line that is shown. One goes through the layers, then through the lines below them.
    pub(super) fn first(&self, row: usize, height: usize) -> usize {
        let last = self.lines.len().saturating_sub(height);
        let below = row.saturating_sub(self.layers.len().saturating_sub(1));
        (self.first_of_layers(row, height) + below).min(last)
    }

    /// How many rows one can go through.
    pub(super) fn rows(&self, height: usize) -> usize {
        let last = self.lines.len().saturating_sub(height);
        self.layers.len().max(1) + last.saturating_sub(self.first_of_layers(usize::MAX, height))
    }

    fn first_of_layers(&self, row: usize, height: usize) -> usize {
        let row = row.min(self.layers.len().saturating_sub(1));
        match self.layers.get(row) {
            Some(cursor) if row > 0 => layout::window(0, *cursor, height, self.lines.len()),
            Some(_) | None => 0,
        }
    }

    fn title(&mut self, words: &str, memory: &Memory) {
        self.lines.push(Line::default());
        self.lines.push(Line::styled(words.to_owned(), memory.theme.style(Meaning::Title)));
    }

    fn wrapped(&mut self, words: &str, room: usize, indent: usize, meaning: Meaning, memory: &Memory) {
        let gap = " ".repeat(indent);
        for line in text::wrap(words, room.saturating_sub(indent)) {
            self.lines.push(Line::styled(format!("{gap}{line}"), memory.theme.style(meaning)));
        }
    }
}

fn head(doc: &mut Doc, artifact: &Artifact, memory: &Memory, room: usize) {
    doc.wrapped(&format!("digest    {}", artifact.digest), room, 0, Meaning::Plain, memory);
    let manifest = match artifact.target.origin {
        Origin::Registry { .. } | Origin::Layout { .. } => {
            format!("{}, {}", artifact.manifest.media_type, text::bytes(artifact.manifest.size))
        }
        Origin::Archive(_) | Origin::Directory(_) => "none, only files on disk".to_owned(),
    };
    doc.wrapped(&format!("manifest  {manifest}"), room, 0, Meaning::Plain, memory);
    if let Some(index) = &artifact.index {
        let words = format!(
            "index     of {}: Flux takes the first for linux/amd64, {}",
            text::count(index.children.len(), "manifest"),
            artifact.manifest.digest
        );
        doc.wrapped(&words, room, 0, Meaning::Plain, memory);
    }
    for note in &artifact.notes {
        doc.wrapped(&text::line(note), room, 0, Meaning::Warning, memory);
    }
    if let Some(with) = &artifact.asked_with {
        doc.wrapped(&format!("asked     {with}"), room, 0, Meaning::Muted, memory);
    }
}

fn layers(doc: &mut Doc, screen: &ArtifactScreen, artifact: &Artifact, memory: &Memory, room: usize) {
    let all = &artifact.manifest.layers;
    doc.title(&text::count(all.len(), "layer").to_uppercase(), memory);
    for (at, one) in all.iter().enumerate() {
        doc.layers.push(doc.lines.len());
        let taken = artifact.taken.as_ref().ok().filter(|taken| taken.layer == at);
        let mark = if taken.is_some() { memory.theme.running() } else { " " };
        let words = format!("{mark} {}  {}", at + 1, layer_words(one, artifact.size_note()));
        let style = if screen.row.min(all.len() - 1) == at {
            memory.theme.style(Meaning::Selected)
        } else {
            memory.theme.style(Meaning::Plain)
        };
        doc.lines.push(Line::styled(text::fit(&words, room), style));
        if let Some(taken) = taken {
            let does = match taken.operation {
                Operation::Extract => "extracts",
                Operation::Copy => "stores unchanged",
            };
            let words = format!("Flux {does} this one: {}", taken.reason);
            doc.wrapped(&words, room, 5, Meaning::Muted, memory);
        }
    }
    if let Err(why) = &artifact.taken {
        doc.wrapped(&format!("Flux fails here: {why}"), room, 2, Meaning::Problem, memory);
    }
}

/// Digest, size, type.
fn layer_words(one: &Descriptor, size_note: &str) -> String {
    let size = one.size.map_or_else(|| "size unknown".to_owned(), text::bytes);
    let kind = text::line(&one.media_type);
    let known = layer::name(&one.media_type).map_or_else(String::new, |name| format!("{name}, "));
    format!("{}  {size:>9}{size_note}  {known}{kind}", one.digest.short())
}

/// The meaning of the annotations that tools agree on; the others as they are.
fn annotations(doc: &mut Doc, artifact: &Artifact, memory: &Memory, room: usize) {
    const KNOWN: [(&str, &str); 6] = [
        ("org.opencontainers.image.source", "made from"),
        ("org.opencontainers.image.revision", "revision"),
        ("org.opencontainers.image.created", "made at"),
        ("org.opencontainers.image.version", "version"),
        ("org.opencontainers.image.title", "title"),
        ("org.opencontainers.image.description", "description"),
    ];
    let all = &artifact.manifest.annotations;
    if all.is_empty() {
        return;
    }
    doc.title("ANNOTATIONS", memory);
    for (name, words) in KNOWN {
        if let Some(value) = all.get(name) {
            let age = value.parse().ok().filter(|_| words == "made at").map(|at| memory.age(at));
            let age = age.map_or_else(String::new, |age| format!(" ({age} ago)"));
            let line = format!("{words:<12} {}{age}", text::line(value));
            doc.wrapped(&line, room, 2, Meaning::Plain, memory);
        }
    }
    for (name, value) in all.iter().filter(|(name, _)| KNOWN.iter().all(|(known, _)| ***name != **known)) {
        doc.wrapped(&format!("{}: {}", text::line(name), text::line(value)), room, 2, Meaning::Muted, memory);
    }
}

fn config(doc: &mut Doc, artifact: &Artifact, memory: &Memory, room: usize) {
    const MOST: usize = 40;
    let Some(descriptor) = &artifact.manifest.config else { return };
    doc.title("CONFIG", memory);
    let words = layer_words(descriptor, "");
    doc.wrapped(&words, room, 2, Meaning::Muted, memory);
    let Some(document) = &artifact.config else { return };
    let written = serde_json::to_string_pretty(&**document).unwrap_or_default();
    let count = written.lines().count();
    for line in written.lines().take(MOST) {
        doc.lines.push(Line::from(vec![Span::raw("  "), Span::raw(text::fit(&text::line(line), room))]));
    }
    if count > MOST {
        doc.lines.push(Line::from(format!("  {}", text::more(count - MOST, "in it"))));
    }
}

fn referrers(doc: &mut Doc, screen: &ArtifactScreen, memory: &Memory, room: usize) {
    doc.title("WHAT REFERS TO IT", memory);
    match memory.shelf.artifacts.referrers.get(&screen.target) {
        None | Some(Answer::Asked) => {
            doc.lines.push(Line::from(format!("  asking {}", memory.theme.waiting())));
        }
        Some(Answer::Failed(problem)) => {
            doc.wrapped(&format!("could not {problem}"), room, 2, Meaning::Problem, memory);
        }
        Some(Answer::Here(found)) => {
            for one in &found.found {
                let tag =
                    one.tag.as_ref().map_or_else(String::new, |tag| format!(" (tag {})", text::line(tag)));
                let words =
                    format!("{}  {}{tag}", one.descriptor.digest.short(), text::line(&one.artifact_type));
                doc.wrapped(&words, room, 2, Meaning::Plain, memory);
            }
            if found.found.is_empty() {
                doc.lines.push(Line::from("  nothing: no signature, attestation or SBOM"));
            }
            doc.wrapped(&found.note, room, 2, Meaning::Muted, memory);
        }
    }
}
