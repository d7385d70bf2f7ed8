//! The comparison on the screen: what it is on top, what differs at the left, how at the right, and below how much is
//! shown. Only what can be seen is drawn.

use super::{
    super::{inner, paint_lines, problem_lines},
    DiffScreen, head,
    list::{Item, odd_words},
};
use crate::{
    app::{memory::Memory, page::Subject, shelf::comparisons::Compared},
    domain::{
        comparison::Comparison,
        diff::{Change, FileChange, Found, ObjectChange, Odd},
        impact::{Impact, Place},
        object::Key,
        plain::Plain,
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

/// From this width on the change stands beside the list.
const BESIDE_FROM: u16 = 100;

/// Cells of the list at most, and of the change before the list takes any of them.
const WIDEST: u16 = 64;
const CHANGE: u16 = 96;

/// From this height on the words above a change take nothing from it.
const ROOMY: u16 = 36;

/// Cells of a kind that say which one it is, and of a sentence that say something.
const KIND: usize = 12;
const SENTENCE: usize = 10;

/// Dangers that are told above the change of an object.
const TOLD: usize = 3;

/// Where things are.
pub(super) struct Areas {
    head: Rect,
    pub(super) list: Option<Rect>,
    /// The change, with the words above it.
    side: Option<Rect>,
    /// Its lines.
    pub(super) pane: Option<Rect>,
    foot: Rect,
}

pub(super) fn areas(screen: &DiffScreen, comparison: &Comparison, memory: &Memory, content: Rect) -> Areas {
    let area = inner(content);
    let lines =
        head::lines(&screen.list, comparison, memory, area.width, is_brief(screen, content)).len() as u16;
    let taken = lines.min(content.height / 2);
    let head = Rect { height: taken, ..area };
    let rest = Rect { y: content.y + taken + 1, height: content.height.saturating_sub(taken + 2), ..area };
    let foot = Rect { y: content.bottom().saturating_sub(1), height: 1, ..area };
    let (list, side) = if content.width >= BESIDE_FROM {
        // what the change does not need says more of what is in the list
        let spare = rest.width.saturating_sub(CHANGE + 3);
        let width = (content.width / 3).max(spare).clamp(36, WIDEST);
        let side = Rect { x: rest.x + width + 3, width: rest.width.saturating_sub(width + 3), ..rest };
        (Some(Rect { width, ..rest }), Some(side))
    } else if screen.reading {
        (None, Some(rest))
    } else {
        (Some(rest), None)
    };
    let pane = side.map(|side| {
        let words = words(screen, comparison, memory, side.width).len() as u16;
        let words = words.min(side.height / 2);
        Rect { y: side.y + words, height: side.height - words, ..side }
    });
    Areas { head, list, side, pane, foot }
}

/// Who reads a change on a small terminal needs its lines.
fn is_brief(screen: &DiffScreen, content: Rect) -> bool {
    screen.reading && content.width < BESIDE_FROM && content.height < ROOMY
}

impl DiffScreen {
    pub fn draw(&self, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let area = inner(content);
        let lines = match memory.shelf.comparisons.get(&self.question) {
            None => vec![Line::from(format!("asking {}", memory.theme.waiting()))],
            Some(Compared::Coming(coming)) => head::waiting(self, coming, memory, area.width),
            Some(Compared::Failed(problem)) => {
                let mut lines = problem_lines(problem, memory, area.width);
                lines.push(Line::from("^R asks again."));
                lines
            }
            Some(Compared::Here(comparison)) => {
                return self.draw_answer(comparison, memory, buffer, content);
            }
        };
        paint_lines(buffer, area, &lines);
    }

    fn draw_answer(&self, comparison: &Comparison, memory: &Memory, buffer: &mut Buffer, content: Rect) {
        let areas = areas(self, comparison, memory, content);
        let brief = is_brief(self, content);
        let head = head::lines(&self.list, comparison, memory, areas.head.width, brief);
        paint_lines(buffer, areas.head, &head);
        let rule = memory.theme.rule().repeat(usize::from(areas.head.width));
        let muted = memory.theme.style(Meaning::Muted);
        buffer.set_string(areas.head.x, areas.head.bottom(), rule, muted);
        let foot = text::fit(&self.foot(comparison, memory), usize::from(areas.foot.width));
        buffer.set_string(areas.foot.x, areas.foot.y, foot, muted);
        if let Some(list) = areas.list {
            self.draw_list(comparison, memory, buffer, list);
        }
        if let (Some(side), Some(pane)) = (areas.side, areas.pane) {
            if areas.list.is_some() {
                for y in side.top()..side.bottom() {
                    buffer.set_string(side.x - 2, y, memory.theme.pick("│", "|"), muted);
                }
            }
            let above = Rect { height: pane.y - side.y, ..side };
            paint_lines(buffer, above, &words(self, comparison, memory, side.width));
            self.pane.draw(self.reading, memory, buffer, pane);
        }
    }

    fn draw_list(&self, comparison: &Comparison, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        if self.list.view.is_empty() || self.list.total == 0 && self.list.groups.is_empty() {
            let lines: Vec<Line<'_>> = text::wrap(&self.nothing(comparison), usize::from(area.width))
                .into_iter()
                .map(Line::from)
                .collect();
            paint_lines(buffer, area, &lines);
            return;
        }
        let mut area = area;
        if self.list.counts.same != Some(false) && self.list.filter.is_empty() {
            let lines = text::wrap(&self.nothing(comparison), usize::from(area.width));
            let lines: Vec<Line<'_>> = lines.into_iter().map(Line::from).collect();
            paint_lines(buffer, area, &lines);
            let taken = (lines.len() as u16 + 1).min(area.height);
            area = Rect { y: area.y + taken, height: area.height - taken, ..area };
        }
        let height = usize::from(area.height);
        let first = layout::window(self.first, self.at, height, self.list.view.len());
        let rows = self.list.view.iter().enumerate().skip(first).take(height);
        for ((row, item), y) in rows.zip(area.top()..area.bottom()) {
            let line = Rect { y, height: 1, ..area };
            let selected = row == self.at;
            let meaning = if self.reading { Meaning::Marked } else { Meaning::Selected };
            let style = if selected { memory.theme.style(meaning) } else { Style::new() };
            buffer.set_style(line, style);
            let cells = self.cells(*item, comparison, memory.theme, usize::from(area.width));
            draw_cells(&cells, style, memory, buffer, line);
        }
    }

    fn cells(&self, item: Item, comparison: &Comparison, theme: Theme, room: usize) -> Cells {
        match item {
            Item::Group(at) => {
                let sign =
                    if self.list.is_open(at) { theme.pick("▾", "v") } else { theme.pick("▸", ">") };
                let group = &self.list.groups[at];
                let label = text::line(&group.label);
                let taken = text::width(&label) + 4 + group.count.to_string().len();
                // the name of a kind says more than its group, which stands beside it in full
                let kind = label.split_once('/').filter(|_| taken > room).map(|(_, kind)| kind.to_owned());
                let left = format!("{sign} {}", kind.unwrap_or(label));
                Cells { left, meaning: Meaning::Title, right: group.count.to_string(), danger: None }
            }
            Item::More(count) => {
                let left = format!("    {}: Enter shows them", text::count(count, "more danger"));
                Cells { left, meaning: Meaning::Muted, right: String::new(), danger: None }
            }
            Item::Impact(at) => {
                let told = &comparison.impact[at];
                let whence = match told.at {
                    Place::Object { object, .. } => self.list.whence(object),
                    Place::File { .. } | Place::Oddity(_) => None,
                };
                // the last cell stays free
                impact(told, whence, theme, room.saturating_sub(1))
            }
            Item::Object(at) => self.object(at, &comparison.diff().objects[at], theme, room),
            Item::File(at) => {
                let file = &comparison.source.files[at];
                let right = self.viewed(item, theme).to_owned();
                let left = named(file.change, &text::line(file.path()), None, room, &right);
                Cells { left, meaning: Meaning::Plain, right, danger: self.list.danger(item) }
            }
            Item::Oddity(at) => {
                let oddity = &comparison.diff().oddities[at];
                let left = format!("  ? {}", text::line(&oddity.path));
                Cells { left, meaning: Meaning::Warning, right: brief(&oddity.what).to_owned(), danger: None }
            }
            Item::Note(at) => {
                let left = format!("    {}", text::line(&self.list.notes[at]));
                Cells { left, meaning: Meaning::Plain, right: String::new(), danger: None }
            }
        }
    }

    fn object(&self, at: usize, object: &ObjectChange, theme: Theme, room: usize) -> Cells {
        let item = Item::Object(at);
        let fields = object.fields.len();
        let count = if fields > 0 { fields.to_string() } else { String::new() };
        let right = [self.viewed(item, theme), &count].join(" ").trim().to_owned();
        let name = text::line(object.found().map_or("", |found| &found.key.name));
        let whence = self.list.whence(at).map(|whence| text::line(&whence));
        let left = named(object.change, &name, whence, room, &right);
        let danger = self.list.danger(item);
        Cells { left, meaning: Meaning::Plain, right, danger }
    }

    fn viewed(&self, item: Item, theme: Theme) -> &'static str {
        if self.list.is_viewed(item) { theme.pick("✓", "viewed") } else { "" }
    }

    /// Why there is no row.
    fn nothing(&self, comparison: &Comparison) -> String {
        if !self.list.filter.is_empty() {
            let text = text::line(&self.list.filter.text);
            return format!(
                "none of {} matches {text}. Esc clears the filter.",
                text::count(self.list.total, "change")
            );
        }
        let same = match self.list.counts.same {
            Some(_) => "Nothing that is applied differs.",
            None => "Nothing differs in what was read, and not all was read.",
        };
        let rest = self::same(comparison);
        let are = if rest.starts_with("1 ") { "is" } else { "are" };
        format!("{same} {rest} {are} the same.")
    }

    /// How much is shown, how much was seen, and what is left out.
    fn foot(&self, comparison: &Comparison, memory: &Memory) -> String {
        let list = &self.list;
        let mut words = Vec::new();
        let narrowed = !list.filter.is_empty();
        words.push(if narrowed {
            format!("{} of {}", list.shown, text::count(list.total, "change"))
        } else {
            text::count(list.total, "change")
        });
        let dangers = comparison.impact.len();
        if list.dangers < dangers {
            words.push(format!("{} of {}", list.dangers, text::count(dangers, "danger")));
        }
        if list.viewed_shown > 0 {
            words.push(format!("{} viewed", list.viewed_shown));
        }
        let hidden = list.hidden;
        let mut left = Vec::new();
        for (count, words) in [(hidden.formatting, "formatting only"), (hidden.moved, "moved")] {
            if count > 0 {
                left.push(format!("{count} {words}"));
            }
        }
        if hidden.files > 0 {
            left.push(format!("{} of objects", text::count(hidden.files, "file")));
        }
        if !left.is_empty() {
            words.push(format!("f shows {}", left.join(", ")));
        } else if list.quiet {
            words.push("f hides what changes nothing".to_owned());
        }
        words.push(format!("{} the same", same(comparison)));
        if let Some((at, count)) = self.pane.hunk().filter(|_| self.reading) {
            words.insert(0, format!("hunk {at}/{count}"));
        }
        words.join(&format!(" {} ", memory.theme.dot()))
    }
}

/// How many are the same: objects, and files where there are none.
fn same(comparison: &Comparison) -> String {
    match comparison.diff().same_objects {
        0 => text::count(comparison.source.same_files, "file"),
        objects => text::count(objects, "object"),
    }
}

/// One row: a sign and words at the left, numbers at the right.
struct Cells {
    left: String,
    meaning: Meaning,
    right: String,
    danger: Option<crate::domain::impact::Danger>,
}

fn draw_cells(cells: &Cells, style: Style, memory: &Memory, buffer: &mut Buffer, line: Rect) {
    let theme = memory.theme;
    let danger = cells.danger.map_or("", |danger| head::glyph(danger, theme));
    let right = text::width(&cells.right) + 1 + if danger.is_empty() { 0 } else { text::width(danger) + 1 };
    let room = usize::from(line.width);
    let left = text::fit(&cells.left, room.saturating_sub(right));
    buffer.set_string(line.x, line.y, left, theme.style(cells.meaning).patch(style));
    let mut spans = Vec::new();
    if let Some(meant) = cells.danger {
        spans.push(Span::styled(format!("{danger} "), theme.style(head::meaning(meant)).patch(style)));
    }
    spans.push(Span::styled(cells.right.clone(), style));
    let ending = Line::from(spans);
    let width = ending.width() as u16;
    buffer.set_line(line.right().saturating_sub(width), line.y, &ending, width);
}

/// A row that names something: of a long name its beginning and its end, for they tell it from others.
fn named(change: Change, name: &str, whence: Option<String>, room: usize, right: &str) -> String {
    // the sign, and what stands at the right: a danger has two cells at most
    let left = room.saturating_sub(text::width(right) + 8);
    let name = text::fit_middle(name, left);
    let left = left.saturating_sub(text::width(&name) + 2);
    match whence.map(|whence| text::fit_end(&whence, left)).filter(|whence| !whence.is_empty()) {
        Some(whence) => format!("  {} {name}  {whence}", change.sign()),
        None => format!("  {} {name}", change.sign()),
    }
}

/// What it is and of which object; then the sentence, as far as there is room.
fn impact(impact: &Impact, whence: Option<String>, theme: Theme, room: usize) -> Cells {
    let glyph = text::pad(head::glyph(impact.danger, theme), if theme.ascii { 2 } else { 1 }, false);
    let mut left = format!("{glyph} {}", impact.what.word());
    if let Some(object) = &impact.object {
        let left_over = room.saturating_sub(text::width(&left) + 2);
        left = format!("{left}  {}", about(&object.key, whence, left_over));
    }
    let left_over = room.saturating_sub(text::width(&left) + 2);
    if impact.object.is_none() || left_over >= SENTENCE {
        left = format!("{left}  {}", text::fit(&text::line(&impact.why), left_over));
    }
    Cells { left, meaning: head::meaning(impact.danger), right: String::new(), danger: None }
}

/// An object in so many cells: its name is never left out, its kind shortened before. A sentence may stand behind it.
fn about(key: &Key, whence: Option<String>, room: usize) -> String {
    let kind = match text::line(&key.kind) {
        kind if kind == "CustomResourceDefinition" => "CRD".to_owned(),
        kind => kind,
    };
    let mut name = text::line(&match &key.namespace {
        Some(namespace) => format!("{namespace}/{}", key.name),
        None => key.name.to_string(),
    });
    if let Some(whence) = whence {
        let left = room.saturating_sub(text::width(&name) + 1);
        let whence = text::fit_end(&text::line(&whence), left);
        if !whence.is_empty() {
            name = format!("{name} {whence}");
        }
    }
    let left = room.saturating_sub(text::width(&name) + 1);
    // where kind and sentence do not both fit, some of each
    let short = if text::width(&kind) + 2 + SENTENCE > left {
        left.saturating_sub(SENTENCE + 2).max(KIND)
    } else {
        left
    };
    match short.min(left) {
        0 | 1 => text::fit_end(&name, room),
        left => format!("{} {name}", text::fit(&kind, left)),
    }
}

const fn brief(odd: &Odd) -> &'static str {
    match odd {
        Odd::Broken(_) => "broken",
        Odd::NoObject { .. } => "no object",
        Odd::Doubled { .. } => "twice",
        Odd::Limit(_) | Odd::Cut(_) => "cut",
    }
}

/// What is said above the lines of a change.
fn words(screen: &DiffScreen, comparison: &Comparison, memory: &Memory, width: u16) -> Vec<Line<'static>> {
    let room = usize::from(width);
    let Some(item) = screen.item else { return Vec::new() };
    let theme = memory.theme;
    let mut lines: Vec<Line<'static>> = Vec::new();
    let say = |lines: &mut Vec<Line<'static>>, words: &str, meaning: Meaning, most: usize| {
        let style = theme.style(meaning);
        // names from outside may hold line breaks: what looks like a row of the change must be one
        let wrapped = text::wrap_most(Plain::line(words).as_str(), room, most);
        lines.extend(wrapped.into_iter().map(|line| Line::styled(line, style)));
    };
    match screen.list.subject(item) {
        Some(Subject::Object(at)) => {
            let words = object_words(&comparison.diff().objects[at], theme, room);
            lines.extend(words.into_iter().map(|line| Line::styled(line, theme.style(Meaning::Title))));
        }
        Some(Subject::File(at)) => {
            say(&mut lines, &file_words(&comparison.source.files[at]), Meaning::Title, 2);
        }
        None => {}
    }
    match item {
        Item::Group(_) => say(&mut lines, "Enter opens or closes it; x all of them.", Meaning::Muted, 1),
        Item::More(_) => say(&mut lines, "Enter shows all dangers.", Meaning::Muted, 1),
        Item::Note(at) => say(&mut lines, &screen.list.notes[at], Meaning::Plain, 20),
        Item::Oddity(at) => say(&mut lines, &odd_words(&comparison.diff().oddities[at]), Meaning::Warning, 8),
        Item::Impact(at) => {
            let impact = &comparison.impact[at];
            say(&mut lines, &told(impact, theme), head::meaning(impact.danger), 6);
        }
        Item::Object(at) => {
            let impacts = screen.list.impacts_of(at);
            for impact in impacts.iter().take(TOLD).filter_map(|at| comparison.impact.get(*at)) {
                say(&mut lines, &told(impact, theme), head::meaning(impact.danger), 2);
            }
            if impacts.len() > TOLD {
                let words = format!("and {}", text::count(impacts.len() - TOLD, "more danger"));
                say(&mut lines, &words, Meaning::Muted, 1);
            }
        }
        Item::File(_) => {}
    }
    for note in screen.pane.page().iter().flat_map(|page| &page.notes) {
        say(&mut lines, note, Meaning::Muted, 2);
    }
    lines
}

fn told(impact: &Impact, theme: Theme) -> String {
    format!("{} {}: {}", head::glyph(impact.danger, theme), impact.what.word(), impact.why)
}

/// Which object, and where; two lines at most.
fn object_words(object: &ObjectChange, theme: Theme, room: usize) -> Vec<String> {
    let Some(found) = object.found() else { return Vec::new() };
    let place = |found: &Found| format!("{}:{}", found.path, found.line);
    let places = match (&object.from, &object.to) {
        (Some(from), Some(to)) if from.path != to.path => {
            format!("{} {} {}", place(from), theme.arrow(), place(to))
        }
        (_, Some(found)) | (Some(found), None) => place(found),
        (None, None) => String::new(),
    };
    let who = format!("{} {}", object.change.sign(), found.key);
    let change = object.change.word();
    let rest = format!("{}  {change}  {places}", found.api_version);
    let lines = text::wrap(Plain::line(&format!("{who}  {rest}")).as_str(), room);
    if lines.len() <= 2 {
        return lines;
    }
    // a long name takes nothing from where it stands
    let rest = text::line(&rest);
    let rest = if text::width(&rest) <= room {
        rest
    } else {
        let left = room.saturating_sub(text::width(change) + 2);
        format!("{change}  {}", text::fit_end(&text::line(&places), left))
    };
    vec![text::fit_middle(&text::line(&who), room), rest]
}

fn file_words(file: &FileChange) -> String {
    format!("{} {}  {}", file.change.sign(), file.path(), file.change.word())
}
