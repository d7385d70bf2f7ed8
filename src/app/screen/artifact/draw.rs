//! The artifact on the screen: what it is on top, the tree and beside it the file, and below what is said of the row.

use super::{
    super::{foot, inner, paint_lines, problem_lines},
    ArtifactScreen, View, manifest,
    nodes::{Node, What},
    objects,
};
use crate::{
    app::{
        memory::Memory,
        shelf::{
            Answer,
            artifacts::{FileObject, Layer},
        },
    },
    domain::{
        artifact::Artifact,
        tree::{Fate, Tree},
    },
    widgets::{
        layout, text,
        theme::{Meaning, Theme},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

/// From this width on the file stands beside the tree.
const BESIDE_FROM: u16 = 110;

/// Lines of the foot, with the rule above them.
const FOOT: usize = 3;

/// Where things are.
pub(super) struct Areas {
    pub(super) head: Rect,
    /// The tree, the objects or, where there is no room for both, the file.
    pub(super) main: Rect,
    /// The file beside the tree.
    pub(super) file: Option<Rect>,
    foot: Rect,
}

pub(super) fn areas(content: Rect, screen: &ArtifactScreen, memory: &Memory) -> Areas {
    let lines = head(screen, memory, inner(content).width).len() as u16;
    let taken = lines.min(content.height / 2);
    let head = Rect { height: taken, ..inner(content) };
    let rest = Rect { y: content.y + taken, height: content.height - taken, ..content };
    let with_foot = screen.view == View::Files && screen.tree.is_some();
    let (body, foot) = layout::with_foot(rest, if with_foot { FOOT } else { 0 });
    let body = inner(body);
    if screen.view != View::Files || screen.tree.is_none() || body.width < BESIDE_FROM {
        return Areas { head, main: body, file: None, foot };
    }
    let width = (body.width * 2 / 5).clamp(40, 64);
    let main = Rect { width, ..body };
    let file = Rect { x: body.x + width + 1, width: body.width - width - 1, ..body };
    Areas { head, main, file: Some(file), foot }
}

impl ArtifactScreen {
    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let parts = areas(content, self, memory);
        paint_lines(buffer, parts.head, &head(self, memory, parts.head.width));
        match self.view {
            View::Manifest => self.draw_manifest(memory, buffer, parts.main),
            View::Objects => self.draw_objects(memory, buffer, parts.main),
            View::Files if self.tree.is_some() => self.draw_files(memory, buffer, &parts),
            View::Files => {}
        }
    }

    fn draw_files(&self, memory: &Memory, buffer: &mut Buffer, parts: &Areas) {
        let about = self.words_of_file();
        match parts.file {
            Some(area) => {
                self.draw_tree(memory, buffer, parts.main);
                let bar = memory.theme.pick("│", "|");
                for y in area.top()..area.bottom() {
                    buffer.set_string(area.x - 1, y, bar, memory.theme.style(Meaning::Muted));
                }
                let area = Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area };
                self.file.draw(about.as_deref(), memory, buffer, area);
            }
            None if self.reading => self.file.draw(about.as_deref(), memory, buffer, parts.main),
            None => self.draw_tree(memory, buffer, parts.main),
        }
        foot::paint(&self.foot(memory, parts.foot.width), memory, buffer, parts.foot);
    }

    /// What stands where no file is shown.
    fn words_of_file(&self) -> Option<String> {
        match self.nodes.get(self.at)?.what {
            What::Folder { files, bytes } => {
                Some(format!("{}, {}", text::count(files, "file"), text::bytes(bytes)))
            }
            What::File(_) if self.file.id.is_none() => {
                let note = self.selected_entry()?.1.note.as_deref();
                Some(note.unwrap_or("there are no bytes behind it").to_owned())
            }
            What::File(_) => None,
        }
    }

    fn draw_tree(&self, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        if self.nodes.is_empty() {
            let words = self.no_rows();
            let lines: Vec<Line<'_>> =
                text::wrap(&words, usize::from(area.width)).into_iter().map(Line::from).collect();
            paint_lines(buffer, area, &lines);
            return;
        }
        let height = usize::from(area.height);
        let first = layout::window(self.first, self.at, height, self.nodes.len());
        for (row, y) in (first..self.nodes.len()).zip(area.top()..area.bottom()) {
            let Some(node) = self.nodes.get(row) else { break };
            let line = Rect { y, height: 1, ..area };
            let selected = row == self.at;
            let style = match (selected, self.reading) {
                (true, false) => memory.theme.style(Meaning::Selected),
                (true, true) => memory.theme.style(Meaning::Marked),
                (false, _) => Style::new(),
            };
            buffer.set_style(line, style);
            self.draw_node(node, memory, buffer, line, style);
        }
    }

    fn draw_node(&self, node: &Node, memory: &Memory, buffer: &mut Buffer, line: Rect, style: Style) {
        let theme = &memory.theme;
        let entry = match node.what {
            What::File(at) => self.tree.as_ref().and_then(|tree| tree.entries.get(at)),
            What::Folder { .. } => None,
        };
        let (sign, size) = match node.what {
            What::Folder { files, .. } => {
                let open = self.nodes.is_open(&node.path);
                (if open { theme.pick("▾", "v") } else { theme.pick("▸", ">") }, text::count(files, "file"))
            }
            What::File(_) => (" ", entry.map_or_else(String::new, |entry| text::bytes(entry.size))),
        };
        let slash = if node.is_folder() { "/" } else { "" };
        let name = format!("{}{sign} {}{slash}", "  ".repeat(node.depth), text::line(node.name()));
        let by =
            self.known.used.iter().filter(|used| used.path == *node.path).map(|used| used.id.to_string());
        let by: Vec<String> = by.collect();
        let said = match entry {
            Some(entry) if entry.fate != Fate::Written => entry.fate.word().to_owned(),
            Some(_) => self.hits_in(node.what).unwrap_or_default(),
            None if by.is_empty() => String::new(),
            None => format!("{} {}", theme.pick("←", "<-"), by.join(", ")),
        };
        let room = usize::from(line.width);
        let right = text::width(&size) + 1;
        let left = text::fit(&name, room.saturating_sub(right));
        let spare = room.saturating_sub(text::width(&left) + right + 2);
        let said = if spare >= 6 { text::fit(&said, spare) } else { String::new() };
        let meaning = entry.map_or(Meaning::Muted, |entry| fate_meaning(entry.fate));
        let left_style = if node.is_folder() { theme.style(Meaning::Title) } else { Style::new() };
        let words = Line::from(vec![
            Span::styled(left, left_style.patch(style)),
            Span::raw("  "),
            Span::styled(said, theme.style(meaning).patch(style)),
        ]);
        buffer.set_line(line.x, line.y, &words, line.width);
        let at = line.right().saturating_sub(text::width(&size) as u16);
        buffer.set_string(at, line.y, size, theme.style(Meaning::Muted).patch(style));
    }

    /// How often the text of a search stands in a file.
    fn hits_in(&self, what: What) -> Option<String> {
        let What::File(at) = what else { return None };
        // in the order of the entries
        let found = &self.grep.as_ref()?.hits.as_ref()?.found;
        let before = found.partition_point(|hit| hit.entry < at);
        let count = found[before..].partition_point(|hit| hit.entry == at);
        (count > 0).then(|| text::count(count, "hit"))
    }

    fn no_rows(&self) -> String {
        let filter = &self.nodes.filter().text;
        if !filter.is_empty() {
            let total = text::count(self.nodes.total, "file");
            return format!("none of {total} matches {}. Esc clears the filter.", text::line(filter));
        }
        if let Some(grep) = &self.grep {
            return format!(
                "{} stands in no file; hidden values are not searched. Esc ends the search.",
                text::line(&grep.text)
            );
        }
        let hidden = self.tree.as_ref().map_or(0, |tree| tree.entries.len());
        if hidden > 0 {
            return format!("Flux stores nothing of {}: i shows them.", text::count(hidden, "entry"));
        }
        "there are no files in this layer.".to_owned()
    }

    /// What is said of the selected row, in full.
    fn foot(&self, memory: &Memory, width: u16) -> Vec<Line<'static>> {
        let room = usize::from(width.saturating_sub(2));
        let mut lines: Vec<Line<'static>> = Vec::new();
        if let Some((_, entry)) = self.selected_entry() {
            let dot = memory.theme.dot();
            let digest = entry.sha256.as_ref().map_or_else(String::new, |d| format!(" {dot} {}", d.as_str()));
            let mode = if entry.executable { format!(" {dot} executable") } else { String::new() };
            let line = format!("{} {dot} {}{mode}{digest}", text::line(&entry.path), text::bytes(entry.size));
            lines.push(Line::from(text::fit(&line, room)));
            let note = entry.note.as_deref().map_or_else(String::new, |note| format!(": {note}"));
            let style = memory.theme.style(fate_meaning(entry.fate));
            if entry.fate != Fate::Written || !note.is_empty() {
                let words = format!("{}{note}", entry.fate.word());
                lines.extend(text::wrap(&words, room).into_iter().map(|line| Line::styled(line, style)));
            } else if self.file.hides_something() {
                lines.push(Line::from("secret values are hidden: x shows the one under the cursor"));
            } else if self.file.is_encrypted() {
                lines.push(Line::from("encrypted by SOPS: fluxscope does not decrypt"));
            }
        } else if let Some(node) = self.nodes.get(self.at) {
            let used = self.known.used.iter().filter(|used| used.path == *node.path);
            let by: Vec<String> = used.map(|used| used.id.to_string()).collect();
            lines.push(Line::from(text::line(&node.path)));
            if !by.is_empty() {
                lines.push(Line::from(text::fit(&format!("applied by {}", by.join(", ")), room)));
            }
        }
        while lines.len() < FOOT - 1 {
            lines.push(Line::default());
        }
        lines
    }

    fn draw_manifest(&self, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        let Some(artifact) = self.artifact(memory) else { return };
        let doc = manifest::doc(self, artifact, memory, usize::from(area.width));
        let first = doc.first(self.row, usize::from(area.height));
        paint_lines(buffer, area, &doc.lines[first..]);
        super::super::paint_more(buffer, area, doc.lines.len(), first, memory);
    }

    fn draw_objects(&self, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        let waiting = match (self.objects.count(), objects::problem(self.layer_id().as_ref(), memory)) {
            (Some(0), _) => Some("no Kubernetes object stands in these files.".to_owned()),
            (Some(_), _) => None,
            (None, Some(problem)) => Some(format!("could not {problem}")),
            (None, None) => Some(format!("looking through the files {}", memory.theme.waiting())),
        };
        if let Some(words) = waiting {
            let lines: Vec<Line<'_>> =
                text::wrap(&words, usize::from(area.width)).into_iter().map(Line::from).collect();
            paint_lines(buffer, area, &lines);
            return;
        }
        let height = usize::from(area.height);
        let cells: Vec<[String; 3]> =
            self.objects.rows(height).map(|(_, object)| self.cells_of(object, memory)).collect();
        let widest = |column: usize| cells.iter().map(|cells| text::width(&cells[column])).max().unwrap_or(0);
        let room = usize::from(area.width);
        // the place of an object is the way to it: kind and name leave it room
        let [kind, name, state] = [widest(0).min(26), widest(1).min(36).min(room / 3), widest(2)];
        for (((selected, object), cells), y) in self.objects.rows(height).zip(&cells).zip(area.top()..) {
            let line = Rect { y, height: 1, ..area };
            let style = if selected { memory.theme.style(Meaning::Selected) } else { Style::new() };
            let path = self.tree.as_ref().and_then(|tree| tree.entries.get(object.entry));
            let path = path.map_or_else(String::new, |entry| format!("{}:{}", entry.path, object.named.line));
            let mut words = String::new();
            for (cell, width) in cells.iter().zip([kind, name, state]).filter(|(_, width)| *width > 0) {
                words.push_str(&text::pad(&text::fit(cell, width), width, false));
                words.push_str("  ");
            }
            let left = room.saturating_sub(text::width(&words));
            words.push_str(&text::fit_end(&text::line(&path), left));
            buffer.set_style(line, style);
            buffer.set_stringn(line.x, y, words, room, style);
        }
    }

    /// Kind, name, and where it stands in the cluster.
    fn cells_of(&self, object: &FileObject, memory: &Memory) -> [String; 3] {
        let named = &object.named;
        let name = match &named.namespace {
            Some(namespace) => format!("{namespace}/{}", named.name),
            None => named.name.to_string(),
        };
        let standing = objects::live(object, self, memory).and_then(|id| memory.ledger.standing(&id));
        let state = standing.map_or_else(String::new, |s| format!("{} {}", memory.theme.glyph(s), s.word()));
        [text::line(&named.kind), text::line(&name), state]
    }
}

fn fate_meaning(fate: Fate) -> Meaning {
    match fate {
        Fate::Written => Meaning::Muted,
        Fate::Emptied | Fate::Skipped | Fate::Ignored => Meaning::Warning,
        Fate::Rejected => Meaning::Problem,
    }
}

/// What it is, how far one can trust it, and what Flux makes of it; or where the answer stands.
fn head(screen: &ArtifactScreen, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let theme = &memory.theme;
    let room = usize::from(width);
    let artifact = match memory.shelf.artifacts.inspected.get(&screen.target) {
        Some(Answer::Here(artifact)) => artifact,
        Some(Answer::Failed(problem)) => {
            let mut lines = problem_lines(problem, memory, width);
            lines.push(Line::from("^R asks again."));
            return lines;
        }
        Some(Answer::Asked) | None => {
            let words = format!("asking what it is {}", theme.waiting());
            return vec![Line::styled(words, theme.style(Meaning::Muted))];
        }
    };
    let mut lines =
        vec![Line::styled(text::fit(&summary(screen, artifact, memory), room), theme.style(Meaning::Muted))];
    if screen.view == View::Manifest {
        return lines;
    }
    if let Err(why) = &artifact.taken {
        lines.extend(wrapped(&format!("Flux fails here: {why}"), room, Meaning::Problem, *theme));
    }
    if let (Ok(taken), Some(beside)) = (&artifact.taken, screen.layer_beside(memory)) {
        let words = format!("Flux takes layer {}, not this one: layer {}", taken.layer + 1, beside + 1);
        lines.extend(wrapped(&words, room, Meaning::Warning, *theme));
    }
    let layer = screen.layer_id().and_then(|id| memory.shelf.artifacts.layers.get(&id));
    match layer {
        Some(Layer::Here { tree, .. }) => lines.extend(said_of(screen, tree, memory, room)),
        Some(Layer::Failed(problem)) => {
            lines.extend(problem_lines(problem, memory, width));
            lines.push(Line::from("^R asks again."));
        }
        Some(Layer::Coming { since, bytes, of, from_cache }) => {
            let from = if *from_cache { "the cache" } else { "the registry" };
            let whole = of.map_or_else(String::new, |of| format!(" of {}", text::bytes(of)));
            let seconds = (memory.now.as_second() - since.as_second()).max(1);
            let rate = text::bytes(bytes / seconds.unsigned_abs());
            let words = format!("reading {}{whole} from {from}, {rate}/s. Esc cancels.", text::bytes(*bytes));
            lines.push(Line::from(words));
        }
        None => {}
    }
    lines
}

fn wrapped(words: &str, room: usize, meaning: Meaning, theme: Theme) -> Vec<Line<'static>> {
    text::wrap(words, room).into_iter().map(|line| Line::styled(line, theme.style(meaning))).collect()
}

/// `sha256:a1b2c3d4 verified · layer 1 of 1 … · main@8fa1c3d · 4 files · 3 objects · 2.1 KiB`.
fn summary(screen: &ArtifactScreen, artifact: &Artifact, memory: &Memory) -> String {
    let mut words = Vec::new();
    let layer = screen.layer_id().and_then(|id| memory.shelf.artifacts.layers.get(&id));
    let checked = match layer {
        Some(Layer::Here { verified: true, .. }) => " verified",
        Some(Layer::Here { verified: false, .. }) => " not verified",
        Some(Layer::Coming { .. } | Layer::Failed(_)) | None => "",
    };
    words.push(format!("{}{checked}", artifact.digest.short()));
    if screen.tree.is_some() {
        words.push(text::count(screen.known.stored, "file"));
        if let Some(objects) = screen.objects.count() {
            words.push(text::count(objects, "object"));
        }
        words.push(text::bytes(screen.known.bytes));
    }
    let layers = artifact.manifest.layers.len();
    if let Some(at) = screen.layer {
        let kind =
            artifact.manifest.layers.get(at).map_or_else(String::new, |one| text::line(&one.media_type));
        words.push(format!("layer {} of {layers} {kind}", at + 1));
    }
    if let Some(revision) = artifact.manifest.annotation("org.opencontainers.image.revision") {
        words.push(text::fit(&text::line(revision), 40));
    }
    words.join(&format!(" {} ", memory.theme.dot()))
}

/// What Flux makes of the layer, if it is not simply stored.
fn said_of(screen: &ArtifactScreen, tree: &Tree, memory: &Memory, room: usize) -> Vec<Line<'static>> {
    let theme = &memory.theme;
    let mut lines = Vec::new();
    if let Some(refusal) = &tree.error {
        let words = format!("Flux will reject this artifact: {}. Its words: {}", refusal.why, refusal.flux);
        lines.extend(wrapped(&words, room, Meaning::Problem, *theme));
    }
    if let Some(cut) = &tree.cut {
        lines.extend(wrapped(&format!("not all was read: {cut}"), room, Meaning::Warning, *theme));
    }
    for words in &screen.known.missing {
        lines.extend(wrapped(words, room, Meaning::Problem, *theme));
    }
    let out = tree.entries.len() - screen.known.stored;
    if out > 0 && tree.error.is_none() {
        let shown = if screen.whole { "shown: i hides them" } else { "hidden: i shows them" };
        let entries = if out == 1 { "1 entry".to_owned() } else { format!("{out} entries") };
        let are = if out == 1 { "is" } else { "are" };
        let words = format!("{entries} that Flux does not store {are} {shown}");
        lines.push(Line::styled(text::fit(&words, room), theme.style(Meaning::Warning)));
    }
    if let Some(problem) = screen.failed_grep(memory) {
        lines.extend(wrapped(&format!("could not {problem}"), room, Meaning::Problem, *theme));
    } else if let Some(grep) = screen.grep.as_ref().filter(|grep| grep.hits.is_none()) {
        let words = format!("looking for {} in all files {}", text::line(&grep.text), theme.waiting());
        lines.push(Line::from(text::fit(&words, room)));
    } else if let Some(hits) = screen.grep.as_ref().and_then(|grep| grep.hits.as_ref()) {
        let cut = if hits.cut { " and more" } else { "" };
        let words = format!("{}{cut}: n and N go through them", text::count(hits.found.len(), "hit"));
        lines.push(Line::from(words));
    }
    lines
}
