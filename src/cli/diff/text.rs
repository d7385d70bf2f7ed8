//! A comparison for a person at a terminal, or in the log of a pipeline: words first, colours only on top.

use super::{
    super::artifact::{looked_up, size},
    count::{Counts, impact_words},
    hunk::{Mark, Row, of_object, of_texts},
    view::{Content, View, odd},
};
use crate::domain::{
    commits::Commits,
    comparison::Half,
    diff::{Change, File, FileChange, Found, ObjectChange, Which},
    impact::Danger,
    plain::Plain,
};
use std::fmt::Write as _;

/// Columns of the words in front of the first lines.
const LABEL: usize = 10;

pub(super) fn write(view: &View<'_>, ink: bool) -> String {
    let mut page = Page { text: String::new(), ink };
    page.head(view);
    if view.show.impact {
        page.impact(view);
    }
    if view.show.objects {
        page.objects(view);
    }
    if view.show.files.is_some() {
        page.files(view);
    }
    page.oddities(view);
    page.text
}

/// `1a2b3c4d, made 2025-01-02T03:04:05Z, 9.1 KiB`.
pub(super) fn about(half: &Half) -> String {
    let artifact = &half.artifact;
    let mut words = vec![artifact.digest.short().to_owned()];
    words.extend(artifact.created().map(|created| format!("made {created}")));
    let layer = artifact.taken_layer().and_then(|layer| layer.size);
    words.extend(layer.map(|bytes| format!("{}{}", size(bytes), artifact.size_note())));
    words.join(", ")
}

/// `main@sha1:1a2b… -> main@sha1:3c4d…`.
pub(super) fn commits(commits: &Commits) -> Option<String> {
    let word = |revision: &Option<Box<str>>| revision.as_deref().unwrap_or("not said").to_owned();
    (commits.from.is_some() || commits.to.is_some())
        .then(|| format!("{} -> {}", word(&commits.from), word(&commits.to)))
}

/// `Deployment shop/podinfo`, and for a renamed one what it was called.
pub(super) fn who(change: &ObjectChange) -> String {
    let name = |found: &Found| found.key.to_string();
    match (&change.from, &change.to) {
        (Some(from), Some(to)) if from.key != to.key => format!("{} -> {}", name(from), name(to)),
        (from, to) => to.as_ref().or(from.as_ref()).map(name).unwrap_or_default(),
    }
}

/// `apps/v1, deploy.yaml:12`, with what it was where that differs.
pub(super) fn whence(change: &ObjectChange) -> String {
    let place = |found: &Found| format!("{}:{}", found.path, found.line);
    let differs = |of: fn(&Found) -> &str| match (&change.from, &change.to) {
        (Some(from), Some(to)) if of(from) != of(to) => Some((from, to)),
        _ => None,
    };
    let version = match (differs(|found| &found.api_version), change.found()) {
        (Some((from, to)), _) => format!("{} -> {}", from.api_version, to.api_version),
        (None, found) => found.map(|found| found.api_version.to_string()).unwrap_or_default(),
    };
    let place = match (differs(|found| &found.path), change.found()) {
        (Some((from, to)), _) => format!("{} -> {}", place(from), place(to)),
        (None, found) => found.map(place).unwrap_or_default(),
    };
    format!("{version}, {place}")
}

/// `old.txt -> new.txt (1.0 KiB -> 1.1 KiB, executable now)`.
pub(super) fn of_file(change: &FileChange) -> String {
    let both = change.from.as_ref().zip(change.to.as_ref());
    let path = match both {
        Some((from, to)) if from.path != to.path => format!("{} -> {}", from.path, to.path),
        _ => change.path().to_owned(),
    };
    let mut words = match (both, change.to.as_ref().or(change.from.as_ref())) {
        (Some((from, to)), _) if from.size != to.size => {
            vec![format!("{} -> {}", size(from.size), size(to.size))]
        }
        (_, Some(file)) => vec![size(file.size)],
        (_, None) => Vec::new(),
    };
    if let Some((from, to)) = both {
        words.extend(mode(from, to).map(ToOwned::to_owned));
    }
    format!("{path} ({})", words.join(", "))
}

pub(super) fn mode(from: &File, to: &File) -> Option<&'static str> {
    match (from.executable, to.executable) {
        (false, true) => Some("executable now"),
        (true, false) => Some("not executable any more"),
        (true, true) | (false, false) => None,
    }
}

/// What a part of the text means; a terminal may colour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Title,
    Removed,
    Added,
    Changed,
    Place,
    Alarm,
    Quiet,
}

impl Tone {
    /// Of the 16 colours that every terminal has.
    const fn code(self) -> &'static str {
        match self {
            Self::Title => "1",
            Self::Removed => "31",
            Self::Added => "32",
            Self::Changed => "33",
            Self::Place => "36",
            Self::Alarm => "1;31",
            Self::Quiet => "2",
        }
    }

    const fn of(change: Change) -> Self {
        match change {
            Change::Removed => Self::Removed,
            Change::Added => Self::Added,
            Change::Changed | Change::Renamed => Self::Changed,
            Change::Moved | Change::Formatting => Self::Quiet,
        }
    }
}

struct Page {
    text: String,
    ink: bool,
}

impl Page {
    fn head(&mut self, view: &View<'_>) {
        let comparison = view.comparison;
        for (word, half) in view.halves() {
            self.label(word, &format!("{}  ({})", looked_up(&half.artifact.target), about(half)));
        }
        let between = Commits::between(&comparison.from.artifact, &comparison.to.artifact);
        if let Some(words) = commits(&between) {
            self.label("commits", &words);
        }
        if let Some(link) = &between.link {
            self.label("", link);
        }
        if let Some(consumer) = &comparison.question.consumer {
            self.label("consumer", &consumer.to_string());
        }
        self.label("tier", &view.tier());
        self.label("objects", &Counts::objects(view).words());
        self.label("files", &Counts::files(view).words());
        self.label("impact", &impact_words(&comparison.impact));
        for note in view.notes() {
            self.label("note", &note);
        }
    }

    fn label(&mut self, label: &str, words: &str) {
        let _ = writeln!(self.text, "{label:LABEL$}{}", Plain::line(words));
    }

    fn title(&mut self, words: &str) {
        self.text.push('\n');
        self.paint(Tone::Title, words);
        self.text.push('\n');
    }

    /// The words must be safe already.
    fn paint(&mut self, tone: Tone, words: &str) {
        if self.ink {
            let _ = write!(self.text, "\x1b[{}m{words}\x1b[0m", tone.code());
        } else {
            self.text.push_str(words);
        }
    }

    fn impact(&mut self, view: &View<'_>) {
        let impact = &view.comparison.impact;
        if impact.is_empty() {
            return;
        }
        self.title("IMPACT");
        let width = impact.iter().map(|impact| impact.what.word().len()).max().unwrap_or_default();
        for (one, object, why) in view.told() {
            let tone = match one.danger {
                Danger::High => Tone::Alarm,
                Danger::Medium => Tone::Changed,
                Danger::Low => Tone::Quiet,
            };
            self.text.push_str("  ");
            self.paint(tone, &format!("{:6}", one.danger.word()));
            let colon = if object.is_empty() { "" } else { ": " };
            let _ = writeln!(
                self.text,
                "  {:width$}  {}{colon}{}",
                one.what.word(),
                Plain::line(&object),
                Plain::line(&why)
            );
        }
    }

    fn objects(&mut self, view: &View<'_>) {
        if view.diff().objects.is_empty() {
            return;
        }
        self.title("OBJECTS");
        for change in view.objects() {
            self.change(change.change, &format!("{}  ({})", who(change), whence(change)));
            if !change.change.is_quiet() {
                self.rows(&of_object(view, change));
            }
        }
    }

    fn change(&mut self, change: Change, words: &str) {
        let line = format!("{} {:8}  {}", change.sign(), change.word(), Plain::line(words));
        self.paint(Tone::of(change), &line);
        self.text.push('\n');
    }

    fn files(&mut self, view: &View<'_>) {
        if view.comparison.source.files.is_empty() {
            return;
        }
        self.title("FILES");
        let told = view.told_by_text();
        for file in view.files() {
            self.change(file.change, &of_file(file));
            if told(file) && !is_same_content(file) {
                match view.content(file) {
                    Content::Text(from, to) => self.rows(&of_texts(&from, &to)),
                    Content::Bytes(why) => {
                        let _ = writeln!(self.text, "    {why}: compared by size and digest");
                    }
                }
            }
        }
    }

    fn rows(&mut self, rows: &[Row]) {
        for row in rows {
            self.text.push_str("    ");
            let tone = match row.mark {
                Mark::Same => None,
                Mark::Removed => Some(Tone::Removed),
                Mark::Added => Some(Tone::Added),
                Mark::Place => Some(Tone::Place),
            };
            match tone {
                None => {
                    let _ = write!(self.text, "  {}", row.text);
                }
                Some(tone) => self.row(tone, row),
            }
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
        }
    }

    /// What differs within a line is reversed where there are colours.
    fn row(&mut self, tone: Tone, row: &Row) {
        let mut text = format!("{} ", row.sign());
        let mut done = 0;
        for strong in row.strong.iter().filter(|_| self.ink) {
            let (before, within) = (&row.text[done..strong.start], &row.text[strong.clone()]);
            let _ = write!(text, "{before}\x1b[7m{within}\x1b[27m");
            done = strong.end;
        }
        text.push_str(&row.text[done..]);
        self.paint(tone, &text);
    }

    fn oddities(&mut self, view: &View<'_>) {
        if view.oddities().next().is_none() {
            return;
        }
        self.title("ODDITIES");
        for oddity in view.oddities() {
            let (what, line, why) = (odd(&oddity.what), oddity.what.line(), oddity.what.why());
            let side = match oddity.which {
                Which::From => "from",
                Which::To => "to",
                Which::Both => "both",
            };
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            let words = format!("{}{line}: {why}", oddity.path);
            let _ = writeln!(self.text, "  {side:4}  {what:9}  {}", Plain::line(&words));
        }
    }
}

/// It was renamed only.
pub(super) fn is_same_content(change: &FileChange) -> bool {
    let both = change.from.as_ref().zip(change.to.as_ref());
    both.is_some_and(|(from, to)| from.sha256.is_some() && from.sha256 == to.sha256)
}
