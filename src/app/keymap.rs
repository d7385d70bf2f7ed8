//! The one table of keys: dispatch, the line of keys, help and the README read it. No chord stands twice in a scope.

use super::{
    command::{Command, OnDiff, OnRevisions, OnTags, OnUpgrades},
    message::{Chord, Key},
};

/// Who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Every screen, unless an overlay has the keys.
    Everywhere,
    /// The board and the lists.
    Rows,
    Object,
    Yaml,
    Tags,
    /// The two inputs of the what-if, while they have the keys.
    WhatIf,
    Artifact,
    Diff,
    Revisions,
    Upgrades,
    Help,
    /// A line that is typed into: filter, command, search.
    Line,
    /// The reconcile dialog.
    Dialog,
    /// `Quit?`
    Question,
}

impl Scope {
    pub const ALL: [Self; 14] = [
        Self::Everywhere,
        Self::Rows,
        Self::Object,
        Self::Yaml,
        Self::Tags,
        Self::WhatIf,
        Self::Artifact,
        Self::Diff,
        Self::Revisions,
        Self::Upgrades,
        Self::Help,
        Self::Line,
        Self::Dialog,
        Self::Question,
    ];

    pub const fn words(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Rows => "board and lists",
            Self::Object => "object",
            Self::Yaml => "yaml",
            Self::Tags => "tags",
            Self::WhatIf => "what-if on tags",
            Self::Artifact => "artifact",
            Self::Diff => "diff",
            Self::Revisions => "revisions",
            Self::Upgrades => "upgrades",
            Self::Help => "help",
            Self::Line => "filter, command and search line",
            Self::Dialog => "reconcile dialog",
            Self::Question => "quit question",
        }
    }
}

/// One key, where it is heard, and what it means there.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub scope: Scope,
    pub chord: Chord,
    pub command: Command,
}

const fn char(scope: Scope, c: char, command: Command) -> Row {
    Row { scope, chord: Chord::char(c), command }
}

const fn control(scope: Scope, c: char, command: Command) -> Row {
    Row { scope, chord: Chord::control(c), command }
}

const fn key(scope: Scope, key: Key, command: Command) -> Row {
    Row { scope, chord: Chord::key(key), command }
}

const fn shifted(scope: Scope, key: Key, command: Command) -> Row {
    Row { scope, chord: Chord { shift: true, ..Chord::key(key) }, command }
}

use Scope::{
    Artifact, Dialog, Diff, Everywhere, Help, Line, Object, Question, Revisions, Rows, Tags, Upgrades,
    WhatIf, Yaml,
};

/// The order inside a scope is the order of the line of keys and of the help.
pub static TABLE: &[Row] = &[
    key(Rows, Key::Enter, Command::Open),
    char(Rows, 't', Command::Tags),
    char(Rows, 'a', Command::Artifact),
    char(Rows, 'D', Command::OnDiff(OnDiff::Show)),
    char(Rows, 'y', Command::Yaml),
    char(Rows, 'R', Command::Reconcile),
    char(Rows, 'Z', Command::ReconcileSource),
    char(Rows, '/', Command::Filter),
    char(Rows, 'r', Command::OnRevisions(OnRevisions::Show)),
    char(Rows, 'U', Command::OnUpgrades(OnUpgrades::Show)),
    char(Rows, ' ', Command::Mark),
    control(Rows, '\\', Command::OnRevisions(OnRevisions::ClearMarks)),
    control(Rows, 'z', Command::Faults),
    control(Rows, 'w', Command::Wide),
    char(Rows, 'N', Command::SortByName),
    char(Rows, 'A', Command::SortByAge),
    char(Rows, 'S', Command::SortByState),
    char(Rows, 'O', Command::SortByRunning),
    shifted(Rows, Key::Left, Command::SortLeft),
    shifted(Rows, Key::Right, Command::SortRight),
    char(Rows, 'h', Command::Left),
    key(Rows, Key::Left, Command::Left),
    char(Rows, 'l', Command::Right),
    key(Rows, Key::Right, Command::Right),
    char(Rows, 'c', Command::CopyName),
    char(Rows, 'n', Command::CopyNamespace),
    char(Rows, 'C', Command::CopyCommand),
    char(Rows, '0', Command::Namespace(0)),
    char(Rows, '1', Command::Namespace(1)),
    char(Rows, '2', Command::Namespace(2)),
    char(Rows, '3', Command::Namespace(3)),
    char(Rows, '4', Command::Namespace(4)),
    char(Rows, '5', Command::Namespace(5)),
    char(Rows, '6', Command::Namespace(6)),
    char(Rows, '7', Command::Namespace(7)),
    char(Rows, '8', Command::Namespace(8)),
    char(Rows, '9', Command::Namespace(9)),
    key(Object, Key::Tab, Command::NextLink),
    key(Object, Key::Enter, Command::Open),
    char(Object, 't', Command::Tags),
    char(Object, 'a', Command::Artifact),
    char(Object, 'D', Command::OnDiff(OnDiff::Show)),
    char(Object, 'y', Command::Yaml),
    char(Object, 'R', Command::Reconcile),
    char(Object, 'Z', Command::ReconcileSource),
    char(Object, 'r', Command::OnRevisions(OnRevisions::Show)),
    char(Object, 'U', Command::OnUpgrades(OnUpgrades::Show)),
    char(Object, 'l', Command::NextLink),
    key(Object, Key::Right, Command::NextLink),
    key(Object, Key::BackTab, Command::PreviousLink),
    char(Object, 'h', Command::PreviousLink),
    key(Object, Key::Left, Command::PreviousLink),
    control(Object, 'd', Command::HalfDown),
    control(Object, 'u', Command::HalfUp),
    char(Object, 'c', Command::CopyName),
    char(Object, 'n', Command::CopyNamespace),
    char(Object, 'C', Command::CopyCommand),
    char(Yaml, '/', Command::Search),
    char(Yaml, 'n', Command::NextHit),
    char(Yaml, 'N', Command::PreviousHit),
    char(Yaml, 'h', Command::Leftwards),
    key(Yaml, Key::Left, Command::Leftwards),
    char(Yaml, 'l', Command::Rightwards),
    key(Yaml, Key::Right, Command::Rightwards),
    control(Yaml, 'd', Command::HalfDown),
    control(Yaml, 'u', Command::HalfUp),
    char(Yaml, 'c', Command::CopyName),
    char(Yaml, 'C', Command::CopyCommand),
    char(Tags, '=', Command::OnTags(OnTags::WhatIf)),
    key(Tags, Key::Enter, Command::OnTags(OnTags::Describe)),
    char(Tags, 'a', Command::Artifact),
    char(Tags, 'D', Command::OnDiff(OnDiff::Show)),
    char(Tags, 'v', Command::OnTags(OnTags::Verdicts)),
    char(Tags, '/', Command::Filter),
    char(Tags, ' ', Command::OnRevisions(OnRevisions::Mark)),
    control(Tags, '\\', Command::OnRevisions(OnRevisions::ClearMarks)),
    char(Tags, 'c', Command::OnTags(OnTags::CopyTag)),
    char(Tags, 'R', Command::Reconcile),
    char(Tags, 'C', Command::OnTags(OnTags::CopyRef)),
    char(Tags, 'O', Command::OnTags(OnTags::SortByVersion)),
    char(Tags, 'N', Command::SortByName),
    char(Tags, 'A', Command::SortByAge),
    char(Tags, 'S', Command::OnTags(OnTags::SortByVerdict)),
    shifted(Tags, Key::Left, Command::SortLeft),
    shifted(Tags, Key::Right, Command::SortRight),
    key(WhatIf, Key::Enter, Command::OnTags(OnTags::EndTyping)),
    key(WhatIf, Key::Tab, Command::OnTags(OnTags::NextInput)),
    key(WhatIf, Key::BackTab, Command::OnTags(OnTags::NextInput)),
    key(WhatIf, Key::Esc, Command::OnTags(OnTags::LeaveWhatIf)),
    key(WhatIf, Key::Down, Command::Down),
    key(WhatIf, Key::Up, Command::Up),
    key(WhatIf, Key::PageDown, Command::PageDown),
    key(WhatIf, Key::PageUp, Command::PageUp),
    key(WhatIf, Key::Left, Command::OnTags(OnTags::CursorLeft)),
    key(WhatIf, Key::Right, Command::OnTags(OnTags::CursorRight)),
    key(WhatIf, Key::Home, Command::OnTags(OnTags::CursorStart)),
    key(WhatIf, Key::End, Command::OnTags(OnTags::CursorEnd)),
    key(WhatIf, Key::Backspace, Command::Erase),
    key(WhatIf, Key::Delete, Command::OnTags(OnTags::EraseNext)),
    control(WhatIf, 'u', Command::EraseAll),
    control(WhatIf, 'c', Command::Quit),
    key(Artifact, Key::Enter, Command::Open),
    char(Artifact, '/', Command::Filter),
    char(Artifact, 'K', Command::Objects),
    char(Artifact, 'd', Command::Manifest),
    char(Artifact, 'x', Command::Unfold),
    char(Artifact, 'i', Command::Whole),
    char(Artifact, 'D', Command::OnDiff(OnDiff::Show)),
    char(Artifact, 'J', Command::LiveObject),
    key(Artifact, Key::Tab, Command::SwitchPane),
    char(Artifact, 'n', Command::NextHit),
    char(Artifact, 'N', Command::PreviousHit),
    char(Artifact, 'h', Command::Left),
    key(Artifact, Key::Left, Command::Left),
    char(Artifact, 'l', Command::Right),
    key(Artifact, Key::Right, Command::Right),
    control(Artifact, 'd', Command::HalfDown),
    control(Artifact, 'u', Command::HalfUp),
    char(Artifact, 'c', Command::CopyName),
    char(Artifact, 'C', Command::CopyCommand),
    key(Diff, Key::Enter, Command::OnDiff(OnDiff::Enter)),
    char(Diff, ']', Command::OnDiff(OnDiff::NextObject)),
    char(Diff, '[', Command::OnDiff(OnDiff::PreviousObject)),
    char(Diff, 'n', Command::OnDiff(OnDiff::NextHunk)),
    char(Diff, 'N', Command::OnDiff(OnDiff::PreviousHunk)),
    char(Diff, 'v', Command::OnDiff(OnDiff::Viewed)),
    char(Diff, 's', Command::OnDiff(OnDiff::Beside)),
    char(Diff, '/', Command::Filter),
    char(Diff, 'f', Command::OnDiff(OnDiff::Quiet)),
    char(Diff, 'y', Command::OnDiff(OnDiff::Raw)),
    char(Diff, 'b', Command::OnDiff(OnDiff::Build)),
    char(Diff, 'u', Command::OnDiff(OnDiff::Consumer)),
    key(Diff, Key::Tab, Command::OnDiff(OnDiff::SwitchPane)),
    char(Diff, 'x', Command::OnDiff(OnDiff::Fold)),
    char(Diff, 'V', Command::OnDiff(OnDiff::ReadSecrets)),
    char(Diff, 'S', Command::OnDiff(OnDiff::Swap)),
    char(Diff, 'h', Command::OnDiff(OnDiff::Close)),
    key(Diff, Key::Left, Command::OnDiff(OnDiff::Close)),
    char(Diff, 'l', Command::OnDiff(OnDiff::Expand)),
    key(Diff, Key::Right, Command::OnDiff(OnDiff::Expand)),
    control(Diff, 'd', Command::HalfDown),
    control(Diff, 'u', Command::HalfUp),
    char(Diff, 'o', Command::OnDiff(OnDiff::CopyLink)),
    char(Diff, 'c', Command::CopyName),
    char(Diff, 'C', Command::CopyCommand),
    key(Revisions, Key::Enter, Command::Artifact),
    char(Revisions, 'a', Command::Artifact),
    char(Revisions, 'D', Command::OnDiff(OnDiff::Show)),
    char(Revisions, ' ', Command::OnRevisions(OnRevisions::Mark)),
    control(Revisions, '\\', Command::OnRevisions(OnRevisions::ClearMarks)),
    char(Revisions, 't', Command::Tags),
    char(Revisions, 'y', Command::Yaml),
    char(Revisions, 'c', Command::OnRevisions(OnRevisions::Copy)),
    char(Revisions, 'C', Command::CopyCommand),
    key(Upgrades, Key::Enter, Command::Open),
    char(Upgrades, 't', Command::Tags),
    char(Upgrades, 'a', Command::Artifact),
    char(Upgrades, 'D', Command::OnDiff(OnDiff::Show)),
    char(Upgrades, 'y', Command::Yaml),
    char(Upgrades, 'R', Command::Reconcile),
    char(Upgrades, '/', Command::Filter),
    char(Upgrades, 'r', Command::OnRevisions(OnRevisions::Show)),
    char(Upgrades, 'C', Command::OnUpgrades(OnUpgrades::CopyPatch)),
    char(Upgrades, ' ', Command::Mark),
    control(Upgrades, '\\', Command::OnRevisions(OnRevisions::ClearMarks)),
    control(Upgrades, 'z', Command::OnUpgrades(OnUpgrades::BehindOnly)),
    char(Upgrades, 'm', Command::OnUpgrades(OnUpgrades::LookFurther)),
    char(Upgrades, 'S', Command::OnUpgrades(OnUpgrades::SortByWeight)),
    char(Upgrades, 'N', Command::SortByName),
    char(Upgrades, 'O', Command::SortByRunning),
    shifted(Upgrades, Key::Left, Command::SortLeft),
    shifted(Upgrades, Key::Right, Command::SortRight),
    char(Upgrades, 'c', Command::CopyName),
    char(Upgrades, 'n', Command::CopyNamespace),
    char(Upgrades, '0', Command::Namespace(0)),
    char(Upgrades, '1', Command::Namespace(1)),
    char(Upgrades, '2', Command::Namespace(2)),
    char(Upgrades, '3', Command::Namespace(3)),
    char(Upgrades, '4', Command::Namespace(4)),
    char(Upgrades, '5', Command::Namespace(5)),
    char(Upgrades, '6', Command::Namespace(6)),
    char(Upgrades, '7', Command::Namespace(7)),
    char(Upgrades, '8', Command::Namespace(8)),
    char(Upgrades, '9', Command::Namespace(9)),
    char(Everywhere, ':', Command::CommandLine),
    char(Everywhere, '?', Command::Help),
    char(Everywhere, 'j', Command::Down),
    key(Everywhere, Key::Down, Command::Down),
    char(Everywhere, 'k', Command::Up),
    key(Everywhere, Key::Up, Command::Up),
    char(Everywhere, 'g', Command::Top),
    key(Everywhere, Key::Home, Command::Top),
    char(Everywhere, 'G', Command::Bottom),
    key(Everywhere, Key::End, Command::Bottom),
    control(Everywhere, 'f', Command::PageDown),
    key(Everywhere, Key::PageDown, Command::PageDown),
    control(Everywhere, 'b', Command::PageUp),
    key(Everywhere, Key::PageUp, Command::PageUp),
    key(Everywhere, Key::Esc, Command::Back),
    char(Everywhere, 'q', Command::Close),
    control(Everywhere, 'r', Command::Refresh),
    char(Everywhere, '[', Command::HistoryBack),
    char(Everywhere, ']', Command::HistoryForward),
    char(Everywhere, '-', Command::LastView),
    control(Everywhere, 'c', Command::Quit),
    key(Help, Key::Esc, Command::Leave),
    char(Help, 'q', Command::Leave),
    char(Help, '?', Command::Leave),
    char(Help, '/', Command::Search),
    char(Help, 'j', Command::Down),
    key(Help, Key::Down, Command::Down),
    char(Help, 'k', Command::Up),
    key(Help, Key::Up, Command::Up),
    char(Help, 'g', Command::Top),
    key(Help, Key::Home, Command::Top),
    char(Help, 'G', Command::Bottom),
    key(Help, Key::End, Command::Bottom),
    control(Help, 'f', Command::PageDown),
    key(Help, Key::PageDown, Command::PageDown),
    control(Help, 'b', Command::PageUp),
    key(Help, Key::PageUp, Command::PageUp),
    control(Help, 'c', Command::Quit),
    key(Line, Key::Enter, Command::Accept),
    key(Line, Key::Esc, Command::Leave),
    key(Line, Key::Tab, Command::Complete),
    key(Line, Key::Up, Command::CandidateUp),
    key(Line, Key::BackTab, Command::CandidateUp),
    key(Line, Key::Down, Command::CandidateDown),
    key(Line, Key::Backspace, Command::Erase),
    control(Line, 'u', Command::EraseAll),
    control(Line, 'c', Command::Quit),
    key(Dialog, Key::Enter, Command::Send),
    key(Dialog, Key::Tab, Command::ToggleSource),
    char(Dialog, ' ', Command::ToggleSource),
    key(Dialog, Key::Esc, Command::Leave),
    char(Dialog, 'q', Command::Leave),
    char(Dialog, 'C', Command::CopyCommand),
    char(Dialog, 'j', Command::Down),
    key(Dialog, Key::Down, Command::Down),
    char(Dialog, 'k', Command::Up),
    key(Dialog, Key::Up, Command::Up),
    char(Dialog, 'g', Command::Top),
    key(Dialog, Key::Home, Command::Top),
    char(Dialog, 'G', Command::Bottom),
    key(Dialog, Key::End, Command::Bottom),
    control(Dialog, 'f', Command::PageDown),
    key(Dialog, Key::PageDown, Command::PageDown),
    control(Dialog, 'b', Command::PageUp),
    key(Dialog, Key::PageUp, Command::PageUp),
    control(Dialog, 'c', Command::Quit),
    char(Question, 'y', Command::ConfirmQuit),
    key(Question, Key::Enter, Command::Leave),
    key(Question, Key::Esc, Command::Leave),
    char(Question, 'n', Command::Leave),
    char(Question, 'q', Command::Leave),
    control(Question, 'c', Command::Quit),
];

/// What a chord means to those who listen, the first of them first.
pub fn command(listeners: &[Scope], chord: Chord) -> Option<Command> {
    let chord = Chord { alt: false, ..chord };
    listeners.iter().find_map(|scope| rows(*scope).find(|row| row.chord == chord)).map(|row| row.command)
}

/// A key that is heard everywhere, but means something else here: on a comparison those of history step from object to
/// object, as in other tools that show one.
pub fn is_shadowed(here: Scope, scope: Scope, command: Command) -> bool {
    here == Diff && scope == Everywhere && matches!(command, Command::HistoryBack | Command::HistoryForward)
}

pub fn rows(scope: Scope) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.scope == scope)
}

/// One line of help: all keys of a command in one scope. The nine namespace keys are one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    pub command: Command,
    pub keys: Vec<String>,
}

/// The keys of a scope, in the order of the table.
pub fn lines(scope: Scope) -> Vec<Hint> {
    let mut lines: Vec<Hint> = Vec::new();
    for row in rows(scope) {
        match lines.iter_mut().find(|line| is_one_line(line.command, row.command)) {
            Some(line) => line.keys.push(name(row.chord)),
            None => lines.push(Hint { command: row.command, keys: vec![name(row.chord)] }),
        }
    }
    for line in &mut lines {
        if let (Command::Namespace(_), [first, .., last]) = (line.command, line.keys.as_slice()) {
            line.keys = vec![format!("{first}-{last}")];
        }
    }
    lines
}

fn is_one_line(a: Command, b: Command) -> bool {
    a == b || matches!((a, b), (Command::Namespace(1..), Command::Namespace(1..)))
}

/// As people write it: `Shift-R`, `^R`, `Enter`, `Space`.
pub fn name(chord: Chord) -> String {
    let plain = match chord.key {
        Key::Char(' ') => "Space".to_owned(),
        Key::Char(c) if chord.control => c.to_ascii_uppercase().to_string(),
        Key::Char(c) if c.is_ascii_uppercase() => format!("Shift-{c}"),
        Key::Char(c) => c.to_string(),
        Key::Enter => "Enter".to_owned(),
        Key::Esc => "Esc".to_owned(),
        Key::Tab => "Tab".to_owned(),
        Key::BackTab => "Shift-Tab".to_owned(),
        Key::Backspace => "Backspace".to_owned(),
        Key::Delete => "Delete".to_owned(),
        Key::Up => "Up".to_owned(),
        Key::Down => "Down".to_owned(),
        Key::Left => "Left".to_owned(),
        Key::Right => "Right".to_owned(),
        Key::Home => "Home".to_owned(),
        Key::End => "End".to_owned(),
        Key::PageUp => "PgUp".to_owned(),
        Key::PageDown => "PgDn".to_owned(),
    };
    let plain = if chord.shift { format!("Shift-{plain}") } else { plain };
    if chord.control { format!("^{plain}") } else { plain }
}

/// The key table of the README, as Markdown. A test of the house compares the two.
pub fn markdown() -> String {
    let mut out = String::from("| where | key | what it does |\n|---|---|---|\n");
    for scope in Scope::ALL {
        for line in lines(scope) {
            let keys: Vec<String> = line.keys.iter().map(|key| format!("`{key}`")).collect();
            let words = line.command.words().1.replace('|', "\\|");
            let row = ["", scope.words(), &keys.join(" "), &words, ""].join(" | ");
            out.push_str(row.trim());
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_chord_stands_twice_where_both_would_be_heard() {
        for scope in Scope::ALL {
            let mut seen = HashSet::new();
            let shared =
                matches!(scope, Rows | Object | Yaml | Tags | Artifact | Diff | Revisions | Upgrades);
            let everywhere =
                rows(Everywhere).filter(|row| shared && !is_shadowed(scope, row.scope, row.command));
            for row in rows(scope).chain(everywhere) {
                assert!(seen.insert(row.chord), "{} twice in {}", name(row.chord), scope.words());
            }
        }
    }

    #[test]
    fn on_a_comparison_only_the_keys_of_history_mean_something_else() {
        let own: HashSet<Chord> = rows(Diff).map(|row| row.chord).collect();
        let hidden = rows(Everywhere).filter(|row| own.contains(&row.chord));
        let commands: Vec<Command> = hidden.map(|row| row.command).collect();
        assert_eq!(commands, [Command::HistoryBack, Command::HistoryForward]);
        assert!(commands.iter().all(|command| is_shadowed(Diff, Everywhere, *command)));
    }

    #[test]
    fn no_lower_case_key_writes() {
        for row in TABLE.iter().filter(|row| row.command.writes()) {
            assert!(matches!(row.chord.key, Key::Char(c) if c.is_ascii_uppercase()), "{}", name(row.chord));
        }
    }

    #[test]
    fn keys_that_are_enter_tab_or_escape_on_old_terminals_are_not_bound() {
        for bad in ['i', 'm', '[', 'j', 'h'] {
            assert!(TABLE.iter().all(|row| row.chord != Chord::control(bad)), "^{bad}");
        }
    }

    #[test]
    fn help_and_readme_hold_every_command_of_the_table() {
        let table = markdown();
        for row in TABLE {
            assert!(!row.command.words().1.is_empty());
            assert!(table.contains(row.command.words().1), "{:?}", row.command);
        }
        assert!(table.contains("| board and lists | `1-9` |"), "{table}");
    }
}
