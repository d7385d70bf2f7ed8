//! The change of one object or file: its lines, where the cursor stands in them, what of it is revealed. It draws and
//! moves; what the lines are is read elsewhere.

use crate::{
    app::{
        command::Command,
        memory::Memory,
        page::{Form, Mask, Page, PageId, Row, Subject, What},
        screen::{moved, paint_lines, paint_more, problem_lines},
        shelf::Answer,
    },
    domain::comparison::Question,
    widgets::{layout, text, theme::Meaning},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
    text::{Line, Span},
};
use std::{collections::BTreeSet, ops::Range, sync::Arc};

/// Cells by which a long line moves sideways.
const SIDEWAYS: usize = 16;

/// Cells that both sides beside each other need.
pub(super) const BESIDE: u16 = 84;

/// Where the cursor goes once the page is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Landing {
    #[default]
    Top,
    /// The last change.
    Last,
    Field(usize),
    /// Of the file after the change, from 1.
    Line(usize),
}

#[derive(Default)]
pub(super) struct Pane {
    question: Option<Arc<Question>>,
    subject: Option<Subject>,
    pub(super) form: Form,
    revealed: BTreeSet<Mask>,
    page: Option<Arc<Page>>,
    /// Both sides beside each other, where there is room.
    pub(super) beside: bool,
    /// It is drawn so now.
    pairs: bool,
    /// Of the lines as they are drawn.
    cursor: usize,
    first: usize,
    left: usize,
    landing: Option<Landing>,
}

impl Pane {
    pub(super) fn id(&self) -> Option<PageId> {
        Some(PageId {
            question: self.question.clone()?,
            subject: self.subject?,
            form: if matches!(self.subject?, Subject::File(_)) { Form::Text } else { self.form },
            revealed: self.revealed.clone(),
        })
    }

    /// Another subject: what was revealed in the one before is hidden again.
    pub(super) fn show(&mut self, question: &Arc<Question>, subject: Option<Subject>) {
        let same = self.question.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, question));
        if same && self.subject == subject {
            return;
        }
        self.question = Some(question.clone());
        self.subject = subject;
        self.revealed.clear();
        self.page = None;
        (self.cursor, self.first, self.left) = (0, 0, 0);
        self.landing.get_or_insert_default();
    }

    pub(super) fn land(&mut self, landing: Landing) {
        self.landing = Some(landing);
    }

    pub(super) fn settle(&mut self, memory: &Memory, area: Rect) {
        self.pairs = self.beside && area.width >= BESIDE;
        let id = self.id();
        let here = id.as_ref().and_then(|id| memory.shelf.comparisons.page(id));
        if let Some(Answer::Here(page)) = here
            && !self.page.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, page))
        {
            self.page = Some(page.clone());
        }
        let page = self.page.clone();
        if let (Some(page), Some(landing)) = (&page, self.landing)
            && matches!(here, Some(Answer::Here(_)))
        {
            self.landing = None;
            self.cursor = self.line_of(Self::landed(page, landing));
            // a change stands at the top, not at the foot of what is seen
            self.first = self.cursor;
        }
        let height = usize::from(area.height);
        self.cursor = self.cursor.min(self.lines().saturating_sub(1));
        self.first = layout::window(self.first, self.cursor, height, self.lines());
    }

    fn landed(page: &Page, landing: Landing) -> usize {
        let first = page.hunks.first().copied().unwrap_or(0);
        match landing {
            Landing::Top => first.saturating_sub(if first <= 3 { first } else { 0 }),
            Landing::Last => page.hunks.last().copied().unwrap_or(0),
            Landing::Field(field) => page.fields.get(field).copied().unwrap_or(first),
            Landing::Line(line) => {
                page.rows.iter().position(|row| row.to.or(row.from) == Some(line)).unwrap_or(first)
            }
        }
    }

    pub(super) fn lines(&self) -> usize {
        self.page.as_ref().map_or(0, |page| if self.pairs { page.pairs.len() } else { page.rows.len() })
    }

    fn line_of(&self, row: usize) -> usize {
        match &self.page {
            Some(page) if self.pairs => {
                let holds =
                    |pair: &(Option<usize>, Option<usize>)| pair.0 == Some(row) || pair.1 == Some(row);
                page.pairs.iter().position(holds).unwrap_or(0)
            }
            Some(_) | None => row,
        }
    }

    fn row_of(&self, line: usize) -> usize {
        match &self.page {
            Some(page) if self.pairs => {
                page.pairs.get(line).and_then(|(left, right)| left.or(*right)).unwrap_or(0)
            }
            Some(_) | None => line,
        }
    }

    /// One below the other, or beside each other: the cursor stays on its line.
    pub(super) fn toggle_beside(&mut self, width: u16) {
        let row = self.row_of(self.cursor);
        self.beside = !self.beside;
        self.pairs = self.beside && width >= BESIDE;
        self.cursor = self.line_of(row);
    }

    pub(super) fn toggle_form(&mut self) {
        self.form = match self.form {
            Form::Fields => Form::Text,
            Form::Text => Form::Fields,
        };
        self.revealed.clear();
        self.page = None;
        self.landing = Some(Landing::Top);
    }

    /// True if the command was meant for it.
    pub(super) fn update(&mut self, command: Command, height: usize) -> bool {
        match moved(command, self.cursor, height, self.lines()) {
            Some(to) => self.cursor = to,
            None => return false,
        }
        true
    }

    pub(super) fn sideways(&mut self, right: bool, height: usize) {
        self.left = if right {
            (self.left + SIDEWAYS).min(self.longest(height))
        } else {
            self.left.saturating_sub(SIDEWAYS)
        };
    }

    fn longest(&self, height: usize) -> usize {
        let far = self.left + 2 * SIDEWAYS;
        let visible = (self.first..self.lines()).take(height).filter_map(|line| self.row(self.row_of(line)));
        let widths = visible.map(|row| text::width(text::beginning(&row.text, far)));
        widths.max().unwrap_or(0).saturating_sub(SIDEWAYS)
    }

    fn row(&self, row: usize) -> Option<&Row> {
        self.page.as_ref()?.rows.get(row)
    }

    /// To the next change or the one before. False: there is none in this page.
    pub(super) fn step_hunk(&mut self, forward: bool) -> bool {
        let Some(page) = &self.page else { return false };
        let row = self.row_of(self.cursor);
        let next = page.hunks.partition_point(|start| *start <= row);
        let target = if forward {
            page.hunks.get(next).copied()
        } else {
            page.hunks.iter().rev().find(|start| **start < row).copied()
        };
        let Some(target) = target else { return false };
        self.cursor = self.line_of(target);
        true
    }

    /// Which change the cursor is in, and of how many.
    pub(super) fn hunk(&self) -> Option<(usize, usize)> {
        let page = self.page.as_ref()?;
        let at = page.hunk_at(self.row_of(self.cursor)).map_or(0, |at| at + 1);
        (!page.hunks.is_empty()).then_some((at.max(1), page.hunks.len()))
    }

    pub(super) fn page(&self) -> Option<&Page> {
        self.page.as_deref()
    }

    fn masks(&self) -> Vec<Mask> {
        let Some(page) = &self.page else { return Vec::new() };
        let (left, right) = match page.pairs.get(self.cursor) {
            Some(pair) if self.pairs => *pair,
            Some(_) | None => (Some(self.cursor), None),
        };
        let own = |row: usize| match page.rows.get(row) {
            // on a heading: what stands below it
            Some(heading) if heading.what == What::Path => {
                let below = page.rows[row + 1..].iter().take_while(|row| row.what != What::Path);
                below.flat_map(|row| row.masks.iter().copied()).collect()
            }
            Some(row) => row.masks.iter().copied().collect(),
            None => BTreeSet::new(),
        };
        [left, right].into_iter().flatten().flat_map(own).collect::<BTreeSet<Mask>>().into_iter().collect()
    }

    pub(super) fn can_reveal(&self) -> bool {
        !self.masks().is_empty()
    }

    /// Shows the value under the cursor, or hides it again.
    pub(super) fn reveal(&mut self) {
        let masks = self.masks();
        let open = masks.iter().all(|mask| self.revealed.contains(mask));
        for mask in masks {
            if open {
                self.revealed.remove(&mask);
            } else {
                self.revealed.insert(mask);
            }
        }
        // the page before stays until the new one is here: its lines are the same
    }

    pub(super) fn draw(&self, focused: bool, memory: &Memory, buffer: &mut Buffer, area: Rect) {
        let answer = self.id().and_then(|id| memory.shelf.comparisons.page(&id).cloned());
        if let Some(Answer::Failed(problem)) = answer {
            paint_lines(buffer, area, &problem_lines(&problem, memory, area.width));
            return;
        }
        let Some(page) = &self.page else {
            if self.subject.is_some() {
                paint_lines(buffer, area, &[Line::from(format!("reading {}", memory.theme.waiting()))]);
            }
            return;
        };
        let first = layout::window(self.first, self.cursor, usize::from(area.height), self.lines());
        for (line, y) in (first..self.lines()).zip(area.top()..area.bottom()) {
            let area = Rect { y, height: 1, ..area };
            // with or without the keys
            let here = (line == self.cursor).then_some(focused);
            if self.pairs {
                self.draw_pair(page, line, here, memory, buffer, area);
            } else if let Some(row) = page.rows.get(line) {
                self.draw_row(page, row, here, memory, buffer, area);
            }
        }
        let more = focused && first + usize::from(area.height) < self.lines();
        if more && self.cursor + 1 < first + usize::from(area.height) {
            paint_more(buffer, area, self.lines(), first, memory);
        }
    }

    fn draw_pair(
        &self,
        page: &Page,
        line: usize,
        here: Option<bool>,
        memory: &Memory,
        buffer: &mut Buffer,
        area: Rect,
    ) {
        let Some((left, right)) = page.pairs.get(line) else { return };
        let row = |at: &Option<usize>| at.and_then(|at| page.rows.get(at));
        let whole = matches!(row(left).map(|row| row.what), Some(What::Path | What::Note | What::Gap(_)));
        if left == right && whole {
            if let Some(row) = row(left) {
                self.draw_row(page, row, here, memory, buffer, area);
            }
            return;
        }
        let half = (area.width - 1) / 2;
        let other = Rect { x: area.x + half + 2, width: area.width - half - 2, ..area };
        // as wide as the other: both are cut at the same place
        let one = Rect { width: other.width, ..area };
        buffer.set_string(
            area.x + half,
            area.y,
            memory.theme.pick("│", "|"),
            memory.theme.style(Meaning::Muted),
        );
        if let Some(row) = row(left) {
            self.draw_row(page, row, here, memory, buffer, one);
        }
        if let Some(row) = row(right) {
            self.draw_row(page, row, here, memory, buffer, other);
        }
    }

    fn draw_row(
        &self,
        page: &Page,
        row: &Row,
        here: Option<bool>,
        memory: &Memory,
        buffer: &mut Buffer,
        area: Rect,
    ) {
        let theme = &memory.theme;
        let muted = theme.style(Meaning::Muted);
        let (sign, meaning) = match row.what {
            What::Path => return path(row, here, memory, buffer, area),
            What::Gap(count) => {
                let dots = theme.pick("···", "...");
                let words = format!("{dots} {} {dots}", text::count(count, "equal line"));
                return note(&words, here, memory, buffer, area);
            }
            What::Note => return note(&row.text, here, memory, buffer, area),
            What::Same => (" ", Meaning::Plain),
            What::Removed => ("-", Meaning::Problem),
            What::Added => ("+", Meaning::Success),
        };
        let style = unbold(theme.style(meaning));
        let here = here == Some(true);
        let gutter = if here { style.add_modifier(Modifier::REVERSED) } else { style };
        buffer.set_string(area.x, area.y, sign, gutter);
        let mut x = area.x + 1;
        if page.digits > 0 {
            let number = if row.what == What::Removed { row.from } else { row.to };
            let words = number.map_or_else(String::new, |number| number.to_string());
            let digits = page.digits;
            buffer.set_string(x, area.y, format!("{words:>digits$}"), if here { gutter } else { muted });
            x += digits as u16;
        }
        x += 1;
        if x >= area.right() {
            return;
        }
        let width = area.right() - x;
        // who goes sideways sees the line as it is
        let short = (self.left == 0).then(|| shortened(row, usize::from(width))).flatten();
        let (words, strong) =
            short.as_ref().map_or((&*row.text, &*row.strong), |(words, strong)| (words, strong));
        let line = spans(words, strong, style, self.left + usize::from(width));
        buffer.set_line(x, area.y, &text::scrolled(line, self.left), width);
        let beyond = text::width(text::beginning(words, self.left + usize::from(width) + 2));
        if beyond > self.left + usize::from(width) {
            buffer.set_string(area.right() - 1, area.y, "…", muted);
        }
    }
}

/// Where what differs lies beyond the room, less of what both sides begin with: some of its beginning and its end.
fn shortened(row: &Row, room: usize) -> Option<(String, Vec<Range<usize>>)> {
    let begin = row.text.get(..row.alike).filter(|begin| text::width(begin) + 2 > room)?;
    let head = text::beginning(begin, room / 4).len();
    let tail = head + begin.get(head..)?.len() - text::end(&begin[head..], room / 4).len();
    let mark = "…";
    let words = [&begin[..head], mark, &row.text[tail..]].concat();
    let moved = |at: usize| at - tail + head + mark.len();
    let strong = row.strong.iter().flat_map(|range| {
        let (before, behind) = (range.start..range.end.min(head), range.start.max(tail)..range.end);
        let behind = (behind.start < behind.end).then(|| moved(behind.start)..moved(behind.end));
        [Some(before).filter(|before| before.start < before.end), behind].into_iter().flatten()
    });
    let strong = strong.collect();
    Some((words, strong))
}

/// The words that differ are underlined too: colour alone says nothing to some.
fn spans<'a>(words: &'a str, strong_at: &[Range<usize>], style: Style, cells: usize) -> Line<'a> {
    let line = text::beginning(words, cells);
    let strong = style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
    let mut spans = Vec::new();
    let mut done = 0;
    for range in strong_at {
        let end = range.end.min(line.len());
        let (Some(before), Some(own)) = (line.get(done..range.start), line.get(range.start..end)) else {
            continue;
        };
        spans.push(Span::styled(before, style));
        spans.push(Span::styled(own, strong));
        done = end;
    }
    spans.push(Span::styled(line.get(done..).unwrap_or_default(), style));
    Line::from(spans)
}

/// Words of ours.
fn note(words: &str, here: Option<bool>, memory: &Memory, buffer: &mut Buffer, area: Rect) {
    let muted = memory.theme.style(Meaning::Muted);
    let style = if here == Some(true) { muted.add_modifier(Modifier::REVERSED) } else { muted };
    buffer.set_string(area.x, area.y, text::fit(words, usize::from(area.width)), style);
}

/// A heading, and a rule up to the end of the line: each change is apart from the one before.
fn path(row: &Row, here: Option<bool>, memory: &Memory, buffer: &mut Buffer, area: Rect) {
    let theme = &memory.theme;
    let style = match here {
        Some(true) => theme.style(Meaning::Title).add_modifier(Modifier::REVERSED),
        // where one would begin to read
        Some(false) => theme.style(Meaning::Marked),
        None => theme.style(Meaning::Title),
    };
    let words = text::fit_middle(&row.text, usize::from(area.width));
    buffer.set_string(area.x, area.y, &words, style);
    let taken = text::width(&words) as u16 + 1;
    if let Some(left) = area.width.checked_sub(taken) {
        let rule = theme.rule().repeat(usize::from(left));
        buffer.set_string(area.x + taken, area.y, rule, theme.style(Meaning::Muted));
    }
}

fn unbold(style: Style) -> Style {
    Style { add_modifier: Modifier::empty(), ..style }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_of_a_pair_lose_the_same_of_their_common_beginning_and_nothing_else() {
        let row = |text: &str, strong: Range<usize>, alike| Row {
            what: What::Removed,
            from: None,
            to: None,
            text: text.into(),
            strong: vec![strong],
            alike,
            masks: vec![],
        };
        let long = format!("key: {}", "v".repeat(95));
        let short = |end: &str, strong| {
            let (words, strong) = shortened(&row(&format!("{long}{end}"), strong, 100), 20).unwrap();
            let marked: Vec<String> = strong.iter().map(|at| words[at.clone()].to_owned()).collect();
            (words, marked.join("|"))
        };
        let pair = |words: &str, marked: &str| (words.to_owned(), marked.to_owned());
        assert_eq!(short("1", 5..101), pair("key: …vvvvv1", "vvvvv1"));
        assert_eq!(short("two", 100..103), pair("key: …vvvvvtwo", "two"));
        assert_eq!(short("1", 2..101), pair("key: …vvvvv1", "y: |vvvvv1"));
        assert_eq!(shortened(&row("key: 1", 5..6, 5), 20), None);
        assert_eq!(shortened(&row("all of it differs and is long", 0..29, 0), 20), None);
    }
}
