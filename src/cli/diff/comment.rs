//! A comparison as a comment on a pull request: it fits, says what did not, and nothing from outside is markup in it.

use super::{
    super::{
        args::DiffArgs,
        artifact::looked_up,
        markdown::{Markdown, escaped, fenced, html},
    },
    count::{Counts, impact_words},
    hunk::{Row, of_object, of_texts},
    text::{about, commits, is_same_content, of_file, whence, who},
    view::{Content, View, odd},
};
use crate::domain::{commits::Commits, problem::Problem};
use std::fmt::Write as _;

/// A comment on GitHub holds 65,536 characters; bytes are never fewer.
const LONGEST: usize = 65_000;
/// Kept for the sentences about what did not fit.
const RESERVE: usize = 600;
/// Rows of one object or file.
const ROWS: usize = 200;
/// How much of it the impact may take: the objects are to be seen too.
const IMPACT: usize = 20_000;

pub(super) fn write(view: &View<'_>) -> String {
    let mut comment = Comment { text: head(view) };
    if view.show.impact {
        comment.impact(view);
    }
    if view.show.objects {
        let loud = view.objects().filter(|object| !object.change.is_quiet());
        let items = loud.map(|object| {
            let title = format!("{}: {}", object.change.word(), who(object));
            item(&title, &whence(object), &of_object(view, object))
        });
        comment.list("Objects", &Counts::objects(view).words(), items);
    }
    if view.show.files.is_some() {
        let told = view.told_by_text();
        let items = view.files().map(|file| {
            let (why, rows) = match view.content(file) {
                _ if !told(file) || is_same_content(file) => ("", Vec::new()),
                Content::Text(from, to) => ("", of_texts(&from, &to)),
                Content::Bytes(why) => (why, Vec::new()),
            };
            item(&format!("{}: {}", file.change.word(), of_file(file)), why, &rows)
        });
        comment.list("Files", &Counts::files(view).words(), items);
    }
    let oddities = view.oddities().map(|oddity| {
        let (what, line, why) = (odd(&oddity.what), oddity.what.line(), oddity.what.why());
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        format!("- {}\n", escaped(&format!("{what}: {}{line}: {why}", oddity.path)))
    });
    comment.list("Oddities", "what could not be read or is odd", oddities);
    comment.text
}

/// Nothing could be compared: the comment says why.
pub(super) fn blank(args: &DiffArgs, problem: &Problem) -> String {
    let mut text =
        format!("### Diff of {} and {}\n\n", escaped(&args.from.to_string()), escaped(&args.to.to_string()));
    text.push_str(&Markdown::paragraph(&format!("Could not {}: {}", problem.what, problem.why)));
    text
}

fn head(view: &View<'_>) -> String {
    let comparison = view.comparison;
    let verdict = match view.is_same() {
        Some(true) => "nothing changes",
        Some(false) => "it changes",
        None => view.doubt(),
    };
    let mut text = format!("### Diff: {verdict}\n\n");
    let mut table = Markdown::new(&["", "Artifact", "What it is"]);
    for (word, half) in view.halves() {
        table.push(&[word.to_owned(), looked_up(&half.artifact.target), about(half)]);
    }
    text.push_str(&table.finish());
    text.push('\n');
    let mut facts = vec![("Tier", view.tier())];
    if let Some(consumer) = &comparison.question.consumer {
        facts.push(("Consumer", consumer.to_string()));
    }
    let between = Commits::between(&comparison.from.artifact, &comparison.to.artifact);
    facts.extend(commits(&between).map(|words| ("Commits", words)));
    facts.push(("Objects", Counts::objects(view).words()));
    facts.push(("Files", Counts::files(view).words()));
    facts.push(("Impact", impact_words(&comparison.impact)));
    facts.extend(view.notes().into_iter().map(|note| ("Note", note)));
    for (label, words) in facts {
        let _ = writeln!(text, "- **{label}:** {}", escaped(&words));
    }
    if let Some(link) = between.link {
        let _ = writeln!(text, "- <{link}>");
    }
    text
}

/// Something that can be opened; without rows a line.
fn item(title: &str, place: &str, rows: &[Row]) -> String {
    let place = if place.is_empty() { String::new() } else { format!(" ({place})") };
    if rows.is_empty() {
        return format!("- {}\n", escaped(&format!("{title}{place}")));
    }
    let mut patch = String::new();
    for row in rows.iter().take(ROWS) {
        let _ = writeln!(
            patch,
            "{}{}",
            row.sign(),
            if row.sign() == "@@" { format!(" {}", row.text) } else { row.text.clone() }
        );
    }
    if rows.len() > ROWS {
        let _ = writeln!(patch, "@@ {} more lines do not fit into a comment", rows.len() - ROWS);
    }
    let fenced = fenced("diff", &patch);
    format!("\n<details><summary>{}{}</summary>\n\n{fenced}\n</details>\n\n", html(title), html(&place))
}

struct Comment {
    text: String,
}

impl Comment {
    fn room(&self) -> usize {
        LONGEST.saturating_sub(self.text.len() + RESERVE)
    }

    fn impact(&mut self, view: &View<'_>) {
        if view.comparison.impact.is_empty() {
            return;
        }
        self.text.push_str("\n#### Impact\n\n");
        let mut table = Markdown::new(&["Danger", "What", "Object", "Why"]).within(IMPACT.min(self.room()));
        for (one, object, why) in view.told() {
            table.push(&[one.danger.word().to_owned(), one.what.word().to_owned(), object, why]);
        }
        self.text.push_str(&table.finish());
    }

    /// As many as there is room for, in their order; the others are counted.
    fn list(&mut self, title: &str, words: &str, items: impl Iterator<Item = String>) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        let heading = format!("\n#### {title}: {words}\n\n");
        if heading.len() > self.room() {
            return;
        }
        self.text.push_str(&heading);
        let mut left_out = 0;
        for item in items {
            if left_out == 0 && item.len() <= self.room() {
                self.text.push_str(&item);
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            let _ = writeln!(self.text, "\n{left_out} more do not fit into a comment.");
        }
    }
}
