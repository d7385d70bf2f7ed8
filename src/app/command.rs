//! Everything a user can mean, with its words. What it does is decided by the screen that hears it.

/// Closed: each key of the key table names one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    Top,
    Bottom,
    Left,
    Right,
    /// Sideways in a text.
    Leftwards,
    Rightwards,
    Open,
    Back,
    /// As `Back`; at the first screen the way to the quit question.
    Close,
    Quit,
    /// Yes to the question whether to quit.
    ConfirmQuit,
    CommandLine,
    Filter,
    Help,
    Refresh,
    Wide,
    Faults,
    Mark,
    HistoryBack,
    HistoryForward,
    LastView,
    Yaml,
    Artifact,
    OnDiff(OnDiff),
    /// Manifest and layers instead of the files, and back.
    Manifest,
    /// The Kubernetes objects in the files, and back.
    Objects,
    LiveObject,
    /// Also what Flux does not store.
    Whole,
    Unfold,
    SwitchPane,
    Tags,
    OnRevisions(OnRevisions),
    OnUpgrades(OnUpgrades),
    OnTags(OnTags),
    CopyName,
    CopyNamespace,
    CopyCommand,
    SortByName,
    SortByAge,
    SortByState,
    SortByRunning,
    SortLeft,
    SortRight,
    Namespace(u8),
    Reconcile,
    ReconcileSource,
    NextLink,
    PreviousLink,
    Search,
    NextHit,
    PreviousHit,
    Accept,
    Leave,
    Complete,
    CandidateUp,
    CandidateDown,
    Erase,
    EraseAll,
    Send,
    ToggleSource,
}

/// What only the screen of tags hears, its what-if included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnTags {
    Describe,
    CopyTag,
    WhatIf,
    /// The next verdict only.
    Verdicts,
    /// `spec.ref` as typed in the what-if, else the command that lists the tags.
    CopyRef,
    SortByVersion,
    SortByVerdict,
    /// Gives the keys back to the table.
    EndTyping,
    NextInput,
    LeaveWhatIf,
    CursorLeft,
    CursorRight,
    CursorStart,
    CursorEnd,
    EraseNext,
}

impl OnTags {
    #[rustfmt::skip]
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Describe => ("digest", "ask the registry what the selected tag is: digest, age, layers"),
            Self::CopyTag => ("copy tag", "copy the tag"),
            Self::WhatIf => ("what if", "what if: type another range and filter, and see what Flux would take"),
            Self::Verdicts => ("verdict", "show tags of the next verdict only: in range, then each other one, then all"),
            Self::CopyRef => ("", "copy what was typed in the what-if as YAML of spec.ref; without one, the command that lists the tags"),
            Self::SortByVersion => ("", "sort by version, newest first; once more turns the order round"),
            Self::SortByVerdict => ("", "sort by verdict, the chosen one first; once more turns the order round"),
            Self::EndTyping => ("to the table", "keep the what-if and give the keys back to the table"),
            Self::NextInput => ("range or filter", "to the other input"),
            Self::LeaveWhatIf => ("leave", "leave the what-if: today's policy decides again"),
            Self::CursorLeft => ("", "one character to the left"),
            Self::CursorRight => ("", "one character to the right"),
            Self::CursorStart => ("", "to the start of the input"),
            Self::CursorEnd => ("", "to the end of the input"),
            Self::EraseNext => ("", "erase the character under the cursor"),
        }
    }
}

/// The way to the comparison of two revisions, and what only it hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnDiff {
    Show,
    Enter,
    NextObject,
    PreviousObject,
    NextHunk,
    PreviousHunk,
    Viewed,
    /// Side by side.
    Beside,
    /// The text as it is written.
    Raw,
    /// What changes nothing that is applied.
    Quiet,
    Build,
    Consumer,
    ReadSecrets,
    Swap,
    Close,
    Expand,
    Fold,
    SwitchPane,
    CopyLink,
}

impl OnDiff {
    #[rustfmt::skip]
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Show => ("diff", "what would change: from what runs to the selected tag or artifact, else to what Flux would take; of revisions and marks always from the older to the newer"),
            Self::Enter => ("change", "to the change of what is selected; a group is opened or closed"),
            Self::NextObject => ("object", "to the next object or file"),
            Self::PreviousObject => ("", "to the object or file before"),
            Self::NextHunk => ("hunk", "to the next change, across objects"),
            Self::PreviousHunk => ("", "to the change before, across objects"),
            Self::Viewed => ("viewed", "mark as viewed, or take that back, and go on to the next one that is not"),
            Self::Beside => ("side by side", "both sides beside each other, or one below the other"),
            Self::Raw => ("raw text", "the text as it is written instead of fields, and back"),
            Self::Quiet => ("hidden", "show or hide what changes nothing that is applied: formatting only, moved"),
            Self::Build => ("build", "compare what kustomize or helm make of both sides, or the files as they are stored"),
            Self::Consumer => ("consumer", "through whose eyes: the whole artifact, then each consumer of its source"),
            Self::ReadSecrets => ("", "read the Secrets that valuesFrom names, with your own credential; asks once more first"),
            Self::Swap => ("", "swap the two sides"),
            Self::Close => ("", "close the group, or go to it; in the diff to the left in long lines"),
            Self::Expand => ("", "open the group; in the diff to the right in long lines"),
            Self::Fold => ("fold", "open or close all groups; in the diff show or hide the secret value under the cursor"),
            Self::SwitchPane => ("", "between the list and the diff"),
            Self::CopyLink => ("", "copy the link that compares the commits of both sides"),
        }
    }
}

/// The way to the upgrades, and what only they hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnUpgrades {
    Show,
    BehindOnly,
    /// More tags, for one that carries a pinned digest.
    LookFurther,
    /// The edit, as YAML.
    CopyPatch,
    SortByWeight,
}

impl OnUpgrades {
    #[rustfmt::skip]
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Show => ("upgrades", "upgrades: what is behind its registry, and what would take it there"),
            Self::BehindOnly => ("", "only what is behind, could not be asked, or finds no tag"),
            Self::LookFurther => ("", "look at 50 more tags for one that carries a pinned digest; after a refusal ask again"),
            Self::CopyPatch => ("copy patch", "copy the YAML of the edit that would take the upgrade"),
            Self::SortByWeight => ("", "sort by what matters: could not ask, no tag found, moved, major, beyond, in range, pinned, not comparable, still asked, up to date; in each those with red consumers first, then those with most; once more turns the order round"),
        }
    }
}

/// The way to the revisions that ran, what only they hear, and marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnRevisions {
    Show,
    Mark,
    ClearMarks,
    Copy,
}

impl OnRevisions {
    #[rustfmt::skip]
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Show => ("revisions", "the revisions that ran: what Flux keeps of a consumer, or what the consumers of a source ran"),
            Self::Mark => ("mark", "mark or unmark a revision, at most two: Shift-D then compares the two, or the one with the selected"),
            Self::ClearMarks => ("", "take all marks off"),
            Self::Copy => ("copy", "copy the revision: tag and digest"),
        }
    }
}

impl Command {
    /// A short word for the line of keys (empty: not worth its place there) and a sentence for help and README.
    #[rustfmt::skip]
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Down => ("", "one line down"),
            Self::Up => ("", "one line up"),
            Self::PageDown => ("", "one page down"),
            Self::PageUp => ("", "one page up"),
            Self::HalfDown => ("", "half a page down"),
            Self::HalfUp => ("", "half a page up"),
            Self::Top => ("", "to the first line"),
            Self::Bottom => ("", "to the last line"),
            Self::Left => ("", "to the source of a row"),
            Self::Right => ("", "to the first consumer of a row"),
            Self::Leftwards => ("", "to the left in long lines"),
            Self::Rightwards => ("", "to the right in long lines"),
            Self::Open => ("open", "open what is selected: why it stands where it stands"),
            Self::Back => ("", "clear the filter, else leave the what-if, else go back; at the first screen nothing"),
            Self::Close => ("", "clear the filter, else leave the what-if, else go back; at the first screen ask whether to quit"),
            Self::Quit => ("", "quit at once"),
            Self::ConfirmQuit => ("quit", "yes: quit"),
            Self::CommandLine => ("command", "type a command: :ks  :ocirepo  :ns shop  :tags oci://…  :q"),
            Self::Filter => ("filter", "filter: text or regex, !not, kind:ks, ns:shop; of objects -l app=web, ready:false; of a diff name: path: danger:high"),
            Self::Help => ("help", "this help"),
            Self::Refresh => ("", "ask the registry again (and the cluster, if it could not be reached)"),
            Self::Wide => ("", "wide: more columns instead of the pane, and the namespaces of keys 1-9"),
            Self::Faults => ("", "only what needs somebody: stalled, failing, stale"),
            Self::Mark => ("", "mark or unmark a row; Shift-R then acts on all marked rows"),
            Self::HistoryBack => ("", "to the view before this one"),
            Self::HistoryForward => ("", "to the view after this one"),
            Self::LastView => ("", "to the last view and back again"),
            Self::Yaml => ("yaml", "the object as YAML, secrets masked"),
            Self::Artifact => ("artifact", "what is inside: layers, files, objects"),
            Self::OnDiff(meant) => meant.words(),
            Self::Manifest => ("manifest", "the manifest, its layers and what refers to it; once more: the files"),
            Self::Objects => ("objects", "the Kubernetes objects in all files; once more: the files"),
            Self::LiveObject => ("live", "open the object in the cluster that the selected one describes"),
            Self::Whole => ("all entries", "show or hide what Flux does not store"),
            Self::Unfold => ("unfold", "open or close all folders; in a file show or hide the secret value under the cursor"),
            Self::SwitchPane => ("", "between the tree and the file"),
            Self::Tags => ("tags", "the tags of its repository in the registry"),
            Self::OnRevisions(meant) => meant.words(),
            Self::OnUpgrades(meant) => meant.words(),
            Self::OnTags(meant) => meant.words(),
            Self::CopyName => ("", "copy the name"),
            Self::CopyNamespace => ("", "copy the namespace"),
            Self::CopyCommand => ("", "copy the command that answers or does the same"),
            Self::SortByName => ("", "sort by name; once more turns the order round"),
            Self::SortByAge => ("", "sort by age; once more turns the order round"),
            Self::SortByState => ("", "sort by state, problems first; once more turns the order round"),
            Self::SortByRunning => ("", "sort by what is running; once more turns the order round"),
            Self::SortLeft => ("", "sort by the column to the left"),
            Self::SortRight => ("", "sort by the column to the right"),
            Self::Namespace(digit) => ("", if digit == 0 { "all namespaces" } else { "the namespaces with the most objects, by number" }),
            Self::Reconcile => ("reconcile", "reconcile: shows exactly what would be sent, then follows it"),
            Self::ReconcileSource => ("", "reconcile the source of the selected row"),
            Self::NextLink => ("next relation", "to the next relation"),
            Self::PreviousLink => ("", "to the relation before"),
            Self::Search => ("search", "search in this text"),
            Self::NextHit => ("next", "to the next place found"),
            Self::PreviousHit => ("", "to the place found before"),
            Self::Accept => ("take it", "take what was typed"),
            Self::Leave => ("leave", "leave without doing anything; in a filter: clear it"),
            Self::Complete => ("complete", "complete the word"),
            Self::CandidateUp => ("", "to the candidate before"),
            Self::CandidateDown => ("", "to the next candidate"),
            Self::Erase => ("", "erase the last character"),
            Self::EraseAll => ("", "erase all that was typed"),
            Self::Send => ("send", "yes: do it"),
            Self::ToggleSource => ("with source", "with or without the source"),
        }
    }

    /// It means nothing where there is nothing to select.
    pub const fn needs_row(self) -> bool {
        matches!(
            self,
            Self::Open
                | Self::Tags
                | Self::Artifact
                | Self::OnDiff(
                    OnDiff::Show
                        | OnDiff::Enter
                        | OnDiff::NextObject
                        | OnDiff::NextHunk
                        | OnDiff::Viewed
                        | OnDiff::Beside
                        | OnDiff::Raw
                        | OnDiff::Quiet
                        | OnDiff::Build
                        | OnDiff::Consumer
                        | OnDiff::SwitchPane
                        | OnDiff::Fold
                )
                | Self::OnRevisions(OnRevisions::Show | OnRevisions::Mark | OnRevisions::Copy)
                | Self::Unfold
                | Self::Whole
                | Self::Objects
                | Self::LiveObject
                | Self::OnUpgrades(OnUpgrades::Show | OnUpgrades::CopyPatch)
                | Self::Yaml
                | Self::Filter
                | Self::Search
                | Self::NextHit
                | Self::OnTags(OnTags::Describe | OnTags::CopyTag)
                | Self::Reconcile
                | Self::ReconcileSource
        )
    }

    /// It may write to the cluster.
    pub const fn writes(self) -> bool {
        matches!(self, Self::Reconcile | Self::ReconcileSource)
    }
}
