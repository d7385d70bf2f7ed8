//! One changed object or file as lines to look at: what was, what is, and which parts of them differ. Secret values are
//! covered here, unless one was asked for. It may take long and asks nobody.

mod cover;
mod rows;
mod value;

use crate::domain::{
    comparison::{Comparison, Question},
    diff::{Change, FieldChange, FieldFate, FileChange, Found, ObjectChange, Shown, Step},
    digest::Digest,
    lens::SEALED,
    secret::Rule,
};
use cover::Covered;
use rows::Rows;
use std::{collections::BTreeSet, ops::Range, sync::Arc};

/// What is looked at, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageId {
    pub question: Arc<Question>,
    pub subject: Subject,
    pub form: Form,
    /// Secret values that were asked for.
    pub revealed: BTreeSet<Mask>,
}

/// By its place in the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// Of [`Comparison::diff`].
    Object(usize),
    /// Of the stored files.
    File(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Form {
    /// By path, as Kubernetes reads it.
    #[default]
    Fields,
    /// Line by line, as it is written.
    Text,
}

/// One secret value of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mask {
    /// By its place among the fields.
    Field(usize),
    /// By its place among the secret values of a side's text.
    From(usize),
    To(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Rows side by side; one that stands on both sides is the same row twice.
    pub pairs: Vec<(Option<usize>, Option<usize>)>,
    /// Rows at which a change begins, in their order.
    pub hunks: Vec<usize>,
    /// The row of each field, in their order.
    pub fields: Vec<usize>,
    /// What holds for the whole page, each in a few words.
    pub notes: Vec<String>,
    /// Cells of the numbers of lines, with one before them; 0: rows have none.
    pub digits: usize,
}

/// One line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub what: What,
    /// Numbers of the line on each side, from 1.
    pub from: Option<usize>,
    pub to: Option<usize>,
    /// Safe.
    pub text: Box<str>,
    /// Bytes of it that differ from the line that it replaces.
    pub strong: Vec<Range<usize>>,
    /// Bytes with which the line that it replaces, or that replaces it, begins too.
    pub alike: usize,
    /// What is hidden in it, of each side on which it stands.
    pub masks: Vec<Mask>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// The path of a field: what stands below it, up to the next one, is its change.
    Path,
    Same,
    Removed,
    Added,
    /// So many equal lines are left out here.
    Gap(usize),
    /// Words of ours.
    Note,
}

/// Equal lines around a change.
const AROUND: usize = 3;

/// Bytes of a file of which the lines are compared.
const LARGEST: u64 = 32 << 20;

impl Page {
    /// Bytes, about.
    pub fn size(&self) -> usize {
        let own = |row: &Row| {
            row.text.len()
                + row.strong.len() * size_of::<Range<usize>>()
                + row.masks.len() * size_of::<Mask>()
        };
        let text: usize = self.rows.iter().map(own).sum();
        let notes: usize = self.notes.iter().map(String::len).sum();
        text + notes + self.rows.len() * (size_of::<Row>() + size_of::<(Option<usize>, Option<usize>)>())
    }

    /// Rows begin with the numbers of their lines.
    fn number_rows(&mut self) {
        let last = self.rows.iter().filter_map(|row| row.from.max(row.to)).max().unwrap_or(0);
        self.digits = last.to_string().len().max(4) + 1;
    }

    /// The last change that begins at or before this row, from 0.
    pub fn hunk_at(&self, row: usize) -> Option<usize> {
        self.hunks.partition_point(|start| *start <= row).checked_sub(1)
    }
}

/// Reads one page of a comparison.
pub fn read(comparison: &Comparison, id: &PageId) -> Page {
    let revealed = &id.revealed;
    let object = |at: usize| comparison.diff().objects.get(at);
    match (id.subject, id.form) {
        (Subject::Object(at), Form::Fields) => object(at).map(|object| by_field(object, revealed)),
        (Subject::Object(at), Form::Text) => object(at).map(|object| by_line(object, revealed)),
        (Subject::File(at), _) => {
            comparison.source.files.get(at).map(|file| of_file(file, comparison.rule(file), revealed))
        }
    }
    .unwrap_or_default()
}

fn by_field(object: &ObjectChange, revealed: &BTreeSet<Mask>) -> Page {
    let (from, to) = match (&object.from, &object.to) {
        (Some(_), Some(_)) if !object.fields.is_empty() => return fields(object, revealed),
        (Some(_), Some(_)) => return by_line(object, revealed),
        (from, to) => (from.as_ref().map(whole), to.as_ref().map(whole)),
    };
    texts(from.as_deref(), to.as_deref(), Rule::Said, revealed)
}

/// An object that is on one side only, as YAML.
fn whole(found: &Found) -> String {
    value::yaml(&found.value)
}

fn fields(object: &ObjectChange, revealed: &BTreeSet<Mask>) -> Page {
    let mut rows = Rows::default();
    if object.change == Change::Renamed
        && let (Some(from), Some(to)) = (&object.from, &object.to)
    {
        rows.note(&format!("renamed: {} is {} now", from.key, to.key));
    }
    for (place, field) in object.fields.iter().enumerate() {
        rows.path(&field.path.to_string());
        field_rows(&mut rows, place, field, revealed);
    }
    let mut page = rows.finish();
    if object.cut {
        page.notes.push("not all fields were compared: y shows the text".to_owned());
    }
    page
}

fn field_rows(rows: &mut Rows, place: usize, field: &FieldChange, revealed: &BTreeSet<Mask>) {
    let masks: &[Mask] = if field.secret { &[Mask::Field(place)] } else { &[] };
    let (from, to) = field.shown(masks.iter().any(|mask| revealed.contains(mask)));
    if field.change == FieldFate::Reordered {
        rows.note("the same items in another order");
    }
    if let (Shown::Open(from), Shown::Open(to)) = (&from, &to) {
        return rows.compared(&value::lines_of(from, to), masks);
    }
    let side = |shown: &Shown<'_>, value: Option<&serde_json::Value>| match shown {
        Shown::Absent => None,
        Shown::Open(value) => Some(value::text(value)),
        Shown::Masked { length } => Some(cover::masked(value, *length)),
    };
    rows.all(What::Removed, side(&from, field.from.as_ref()).as_deref(), masks);
    rows.all(What::Added, side(&to, field.to.as_ref()).as_deref(), masks);
}

fn by_line(object: &ObjectChange, revealed: &BTreeSet<Mask>) -> Page {
    let text = |found: &Option<Found>| found.as_ref().map(|found| found.text.as_str().to_owned());
    let (from, to) = (text(&object.from), text(&object.to));
    let mut page = texts(from.as_deref(), to.as_deref(), Rule::Said, revealed);
    page.fields = likely_rows(&page, &object.fields);
    let line = |found: &Option<Found>| found.as_ref().map_or(0, |found| found.line.saturating_sub(1));
    let (before, after) = (line(&object.from), line(&object.to));
    for row in &mut page.rows {
        row.from = row.from.map(|number| number + before);
        row.to = row.to.map(|number| number + after);
    }
    page.number_rows();
    page
}

/// Rows that are looked at for the fields of one object, all together: more would be felt.
const LOOKS: usize = 1_000_000;

/// Where the changes of the fields are seen. Fields stand in the text nearly in their order: each is looked for from
/// the one before it on, and at the beginning again.
fn likely_rows(page: &Page, fields: &[FieldChange]) -> Vec<usize> {
    let changed: Vec<usize> = (0..page.rows.len())
        .filter(|&at| matches!(page.rows[at].what, What::Removed | What::Added))
        .collect();
    let most = (LOOKS / fields.len().max(1)).max(1);
    let mut next = 0;
    let place = |field| {
        let ahead = changed[next..].iter().chain(&changed[..next]).take(most);
        let Some(row) = likely_row(page, field, ahead.copied()) else {
            return page.hunks.first().copied().unwrap_or(0);
        };
        next = changed.partition_point(|&at| at <= row);
        row
    };
    fields.iter().map(place).collect()
}

/// The first of these rows that names the field and its value, else its name, else its value.
fn likely_row(page: &Page, field: &FieldChange, rows: impl Iterator<Item = usize>) -> Option<usize> {
    let key = field.path.0.iter().rev().find_map(|step| match step {
        Step::Field(name) => Some(&**name),
        Step::Item(_) | Step::Place(_) => None,
    });
    let mut values: Vec<String> = [&field.from, &field.to].into_iter().flatten().map(value::text).collect();
    if let Some(Step::Item(names)) = field.path.0.last() {
        values.extend(names.iter().map(|(name, value)| format!("{name}: {value}")));
    }
    let fits = |row: &Row| {
        let named = key.is_some_and(|key| names(&row.text, key));
        let says = values.iter().any(|value| !value.is_empty() && row.text.contains(value.as_str()));
        2 * usize::from(named) + usize::from(says)
    };
    let mut best = (0, None);
    for at in rows {
        let fit = fits(&page.rows[at]);
        if fit > best.0 {
            best = (fit, Some(at));
        }
        if fit == 3 {
            break;
        }
    }
    best.1
}

/// `key:` stands in the line, quoted or not, and not as the end of another one.
fn names(line: &str, key: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    line.match_indices(key).any(|(at, _)| {
        let behind = line[at + key.len()..].trim_start_matches(['"', '\'']);
        behind.starts_with(':') && !line[..at].ends_with(is_part)
    })
}

fn texts(from: Option<&str>, to: Option<&str>, rule: Rule, revealed: &BTreeSet<Mask>) -> Page {
    let covered = Covered::of(from.unwrap_or_default(), to.unwrap_or_default(), rule, revealed);
    let mut rows = Rows::default();
    rows.covered(&covered, AROUND);
    let mut page = rows.finish();
    if covered.sops {
        page.notes.push("encrypted by SOPS: encrypting again changes every value".to_owned());
    }
    if page.hunks.is_empty() && from != to {
        let empty = from.unwrap_or_default().is_empty() && to.unwrap_or_default().is_empty();
        let words = if empty { "it is empty" } else { "only line breaks differ, or what is hidden" };
        page.notes.push(words.to_owned());
    }
    page
}

fn of_file(file: &FileChange, rule: Rule, revealed: &BTreeSet<Mask>) -> Page {
    let too_large = [&file.from, &file.to].into_iter().flatten().any(|side| side.size > LARGEST);
    if too_large {
        return described(file, "too large to be compared line by line");
    }
    let (from, to) = match file.texts() {
        Ok(texts) => texts,
        Err(why) => return described(file, why),
    };
    let mut page = texts(from, to, rule, revealed);
    page.number_rows();
    if rule == Rule::Whole {
        page.notes.push(SEALED.to_owned());
    }
    if let (Some(from), Some(to)) = (&file.from, &file.to) {
        if from.path != to.path {
            page.notes.push(format!("it was {}", from.path));
        }
        if from.executable != to.executable {
            let now = if to.executable { "executable" } else { "not executable any more" };
            page.notes.push(format!("it is {now}"));
        }
    }
    page
}

/// Bytes that are not shown as text: their size and digest.
fn described(file: &FileChange, why: &str) -> Page {
    let mut rows = Rows::default();
    rows.note(&format!("{why}: compared by size and digest"));
    for (what, side) in [(What::Removed, &file.from), (What::Added, &file.to)] {
        let Some(side) = side else { continue };
        let digest = side.sha256.as_ref().map_or("no digest", Digest::as_str);
        rows.all(what, Some(&format!("{} bytes, {digest}", side.size)), &[]);
    }
    rows.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_where_it_stands_whole() {
        for line in ["name: x", "  - name: x", "\"name\": \"x\"", "{a: b, name: x}", "'name' : x"] {
            assert_eq!(names(line, "name"), line != "'name' : x", "{line}");
        }
        for line in ["hostname: x", "first-name: x", "a.name: x", "name", "names: x", "x: name"] {
            assert!(!names(line, "name"), "{line}");
        }
    }
}
