//! Flux's `Untar`, and what it archives afterwards: for every entry of a layer its fate, and why.
//! Writes nothing; keeps no contents but those of `.sourceignore` files.

use super::{
    Limits, Rules,
    archive::{Archive, Member},
    folder::{Folder, Path, Refused, TEMPORARY},
    header::{HARD_LINK, Header, PAX_GLOBAL},
    seeming::seeming,
    source::{Closed, Over, Source, Stop},
    words::{Mode, quoted},
};
use crate::domain::{
    artifact::Operation,
    digest::Digest,
    ignore::{self, Effort, Ignore, Origin, Pattern},
    tree::{Entry, Fate, Refusal, Tree},
};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// What source-controller says before the words of its `Untar`.
const FAILED: &str = "failed to extract layer contents from artifact: ";

pub(super) fn tree(layer: impl Read, rules: &Rules, limits: &Limits) -> io::Result<Tree> {
    let closed = match Source::open(layer, *limits) {
        Ok(source) => return unpacked(source, rules, limits),
        Err(Closed { stop: Stop::Reader(error), .. }) => return Err(error),
        Err(closed) => closed,
    };
    let why = seeming(&closed.first);
    let words = match &closed.stop {
        Stop::End => "EOF".to_owned(),
        stop @ (Stop::Broken(_) | Stop::Over(_) | Stop::Reader(_)) => stop.to_string(),
    };
    let refusal = Refusal {
        why: format!("{why}, and Flux reads gzip only").into(),
        flux: format!("{FAILED}requires gzip-compressed body: {words}").into(),
    };
    let refusal = (rules.operation == Operation::Extract).then_some(refusal);
    match Source::open_other(closed, *limits) {
        Ok(source) => {
            let rules = Rules { operation: Operation::Copy, ignore: None };
            let mut tree = unpacked(source, &rules, limits)?;
            if refusal.is_some() {
                unread(&mut tree.entries);
            }
            Ok(Tree { complete: tree.complete && refusal.is_none(), error: refusal, ..tree })
        }
        Err(mut closed) => {
            closed.rest.drain()?;
            let cut = refusal.is_none().then(|| format!("{why}: there is no list of files").into());
            Ok(Tree { error: refusal, cut, ..Tree::default() })
        }
    }
}

/// Flux does not get as far as these.
fn unread(entries: &mut [Entry]) {
    for entry in entries.iter_mut().filter(|entry| entry.fate.is_stored()) {
        entry.fate = Fate::Skipped;
        entry.note = Some("Flux cannot read this layer".into());
    }
}

pub(super) fn unpacked<R: Read>(source: Source<R>, rules: &Rules, limits: &Limits) -> io::Result<Tree> {
    let mut archive = Archive::new(source, *limits);
    let mut untar = Untar::new(rules.operation, limits);
    let ended = untar.all(&mut archive);
    if !matches!(ended, Err(End::Over(_) | End::Reader(_))) {
        archive.source().drain()?;
    }
    let mut tree = Tree { unpacked: archive.unpacked(), ..Tree::default() };
    match ended {
        Ok(()) => tree.complete = true,
        Err(End::Refused(why, flux)) => untar.refuse(&mut tree, &why, &flux),
        Err(End::Over(over)) => tree.cut = Some(over.to_string().into()),
        Err(End::Reader(error)) => return Err(error),
    }
    if rules.operation == Operation::Extract && tree.error.is_none() {
        untar.ignore(&mut tree, rules.ignore.as_deref());
    }
    tree.entries = untar.found.into_iter().map(|found| found.entry).collect();
    tree.entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(tree)
}

/// Why the reading ended before the end of the archive.
enum End {
    /// Flux stores nothing: why, and its words behind [`FAILED`].
    Refused(String, String),
    Over(Over),
    Reader(io::Error),
}

impl End {
    /// A failure of the archive is Flux's failure; one of ours is not.
    fn of(stop: Stop, why: &str, flux: &str) -> Self {
        match stop {
            Stop::Over(over) => Self::Over(over),
            Stop::Reader(error) => Self::Reader(error),
            Stop::End | Stop::Broken(_) => {
                let words = stop.or_unexpected();
                Self::Refused(format!("{why}: {words}"), format!("{flux}{words}"))
            }
        }
    }
}

/// An entry, and what is needed until all are known.
struct Found {
    entry: Entry,
    path: Path,
    /// Of the file that Flux has on its disk: the first of its name made it.
    mode: Mode,
    /// What a `.sourceignore` holds.
    rules: Option<Vec<u8>>,
}

struct Untar<'a> {
    operation: Operation,
    limits: &'a Limits,
    folder: Folder,
    members: usize,
    /// Bytes of all rules.
    rules: u64,
    found: Vec<Found>,
}

impl<'a> Untar<'a> {
    fn new(operation: Operation, limits: &'a Limits) -> Self {
        let folder = Folder::new(limits.entries);
        Self { operation, limits, folder, members: 0, rules: 0, found: Vec::new() }
    }

    fn all<R: Read>(&mut self, archive: &mut Archive<R>) -> Result<(), End> {
        loop {
            let member = match archive.next() {
                Ok(member) => member,
                Err(Stop::End) => break,
                Err(stop) => return Err(End::of(stop, "the archive is broken", "tar error: ")),
            };
            self.members += 1;
            if self.members > self.limits.entries {
                return Err(End::Over(Over::Entries(self.limits.entries)));
            }
            match self.one(archive, &member) {
                // what is copied is not unpacked: nothing is refused, and what is not usable is left out
                Err(End::Refused(..)) if self.operation == Operation::Copy && !archive.is_broken() => {}
                other => other?,
            }
        }
        archive.source().close().map_or(Ok(()), |stop| Err(End::of(stop, "the layer is broken", "")))
    }

    fn one<R: Read>(&mut self, archive: &mut Archive<R>, member: &Member) -> Result<(), End> {
        let header = &member.header;
        if let Some(why) = invalid_name(&header.name) {
            let name = quoted(&header.name);
            return self.rejected(
                header,
                format!("the name {name} {why}"),
                format!("tar contained invalid name error {name}"),
            );
        }
        let mode = Mode::of(header.kind, header.mode);
        if self.operation == Operation::Copy && is_without_bytes(header, mode) {
            self.keep(header, Fate::Skipped, Some(described(header, mode)));
            Ok(())
        } else if mode.is_regular() {
            self.file(archive, member, mode)
        } else if mode.is_folder() {
            self.folder(header)
        } else if mode.is_symlink() {
            self.keep(header, Fate::Skipped, Some(format!("{}: Flux skips it", described(header, mode))));
            Ok(())
        } else {
            let name = String::from_utf8_lossy(&header.name);
            let flux = format!("tar file entry {name} contained unsupported file type {mode}");
            self.rejected(
                header,
                format!("{} is {} ({mode})", quoted(&header.name), described(header, mode)),
                flux,
            )
        }
    }

    fn folder(&mut self, header: &Header) -> Result<(), End> {
        // what is above the folder exists
        let Some(path) = Path::clean(&header.name) else { return Ok(()) };
        match self.folder.make(&path).map_err(|stop| End::of(stop, "", ""))? {
            Ok(()) => Ok(()),
            Err(refused) => self.refused(header, &refused),
        }
    }

    fn file<R: Read>(&mut self, archive: &mut Archive<R>, member: &Member, mode: Mode) -> Result<(), End> {
        let header = &member.header;
        let place = self.found.len();
        let Some(path) = Path::clean(&header.name) else {
            return self.refused(header, &Refused::Above);
        };
        let before = match self.folder.write(&path, place).map_err(|stop| End::of(stop, "", ""))? {
            Ok(before) => before,
            Err(refused) => return self.refused(header, &refused),
        };
        let mode = before.map_or(mode, |before| self.overwritten(before));
        let emptied = is_without_bytes(header, mode);
        let fate = if emptied { Fate::Emptied } else { Fate::Written };
        self.found.push(Found {
            entry: Entry {
                at: (!emptied).then_some(member.at),
                executable: mode.is_executable(),
                ..entry(&path, fate)
            },
            path,
            mode,
            rules: None,
        });
        self.note(place, &notes(member, mode, self.operation));
        self.bytes(archive, place, header)
    }

    /// Reads the contents of the file that was found last.
    fn bytes<R: Read>(&mut self, archive: &mut Archive<R>, place: usize, header: &Header) -> Result<(), End> {
        let refusal = self.refusal();
        let found = &mut self.found[place];
        let is_rules = self.operation == Operation::Extract
            && found.path.parts().next_back() == Some(ignore::FILE.as_bytes());
        let mut rules = Vec::new();
        let room = self.limits.file.saturating_sub(self.rules);
        let mut hash = Sha256::new();
        let mut count = 0_u64;
        let read = archive.data(&mut |part| {
            hash.update(part);
            count += part.len() as u64;
            if is_rules && count <= room {
                rules.extend_from_slice(part);
            }
        });
        found.entry.size = count;
        let path = &found.entry.path;
        if let Err(stop) = read {
            let end = End::of(stop, &format!("{path} cannot be read"), "error copying buffer: ");
            if matches!(end, End::Refused(..)) {
                found.entry.fate = refusal;
            } else {
                found.entry.size = header.size.unsigned_abs();
            }
            self.note(place, &["it was not read to its end".to_owned()]);
            return Err(end);
        }
        if i64::try_from(count) != Ok(header.size) {
            let size = header.size;
            let flux = format!("only wrote {count} bytes to {TEMPORARY}/{path}; expected {size}");
            let why = format!("{path} has {count} bytes, but its header says {size}");
            found.entry.fate = refusal;
            self.note(place, std::slice::from_ref(&why));
            return Err(End::Refused(why, flux));
        }
        found.entry.sha256 = digest(&hash.finalize());
        if is_rules {
            self.rules += count;
            if self.rules > self.limits.file {
                return Err(End::Over(Over::Rules(self.limits.file)));
            }
            found.rules = Some(rules);
        }
        Ok(())
    }

    /// A later entry takes the place of this one; the mode of its file stays.
    fn overwritten(&mut self, place: usize) -> Mode {
        let found = &mut self.found[place];
        found.entry.fate = Fate::Skipped;
        found.entry.sha256 = None;
        found.rules = None;
        let mode = found.mode;
        self.note(place, &["overwritten by a later entry of the same name".to_owned()]);
        mode
    }

    fn refused(&mut self, header: &Header, refused: &Refused) -> Result<(), End> {
        let why = format!("{} {}", quoted(&header.name), refused.why());
        self.rejected(header, why, refused.flux())
    }

    /// Flux refuses this entry, and with it the artifact.
    fn rejected(&mut self, header: &Header, why: String, flux: String) -> Result<(), End> {
        self.keep(header, self.refusal(), Some(why.clone()));
        Err(End::Refused(why, flux))
    }

    /// The fate of what Flux would not unpack.
    const fn refusal(&self) -> Fate {
        match self.operation {
            Operation::Extract => Fate::Rejected,
            Operation::Copy => Fate::Skipped,
        }
    }

    /// An entry that has no bytes for anyone.
    fn keep(&mut self, header: &Header, fate: Fate, note: Option<String>) {
        let place = self.found.len();
        let path = Path::clean(&header.name).unwrap_or_default();
        let mut entry = entry(&path, fate);
        if invalid_name(&header.name).is_some() || entry.path.is_empty() {
            entry.path = String::from_utf8_lossy(&header.name).into();
        }
        self.found.push(Found { entry, path, mode: Mode::of(header.kind, header.mode), rules: None });
        self.note(place, &note.into_iter().chain(odd_name(&header.name)).collect::<Vec<_>>());
    }

    fn note(&mut self, place: usize, words: &[String]) {
        let note = &mut self.found[place].entry.note;
        let all: Vec<&str> = note.as_deref().into_iter().chain(words.iter().map(String::as_str)).collect();
        if !all.is_empty() {
            *note = Some(all.join("; ").into());
        }
    }

    fn refuse(&mut self, tree: &mut Tree, why: &str, flux: &str) {
        match self.operation {
            Operation::Extract => {
                tree.error = Some(Refusal { why: why.into(), flux: format!("{FAILED}{flux}").into() });
            }
            Operation::Copy => tree.cut = Some(format!("{why}; Flux copies it as it is").into()),
        }
    }

    /// What Flux leaves out when it archives the folder.
    fn ignore(&mut self, tree: &mut Tree, spec: Option<&str>) {
        let files = self.found.iter().filter_map(|found| {
            let rules = found.rules.as_deref()?;
            Some((found.path.parent(), rules))
        });
        let Some(ignore) = Ignore::new(files, spec, self.limits.entries) else {
            tree.complete = false;
            tree.cut.get_or_insert_with(|| Over::RuleCount(self.limits.entries).to_string().into());
            return;
        };
        let mut effort = Effort::for_files(self.limits.entries);
        for found in self.found.iter_mut().filter(|found| found.entry.fate.is_stored()) {
            if let Some(rule) = ignore.leaves_out(found.path.bytes(), &mut effort) {
                found.entry.fate = Fate::Ignored;
                let note = found.entry.note.take().map(|note| format!("{note}; ")).unwrap_or_default();
                found.entry.note = Some(format!("{note}{}", said_by(rule)).into());
            }
        }
        if effort.is_spent() {
            tree.complete = false;
            tree.cut.get_or_insert_with(|| Over::RuleWork(self.limits.entries).to_string().into());
        }
    }
}

fn entry(path: &Path, fate: Fate) -> Entry {
    Entry {
        path: String::from_utf8_lossy(path.bytes()).into(),
        size: 0,
        sha256: None,
        fate,
        note: None,
        at: None,
        executable: false,
    }
}

/// Flux's `validRelPath`.
fn invalid_name(name: &[u8]) -> Option<&'static str> {
    if name.is_empty() {
        Some("is empty")
    } else if name.contains(&b'\\') {
        Some("has a backslash")
    } else if name.starts_with(b"/") {
        Some("is absolute")
    } else if name.windows(3).any(|three| three == b"../") {
        Some("leads out of the folder")
    } else {
        None
    }
}

fn odd_name(name: &[u8]) -> Option<String> {
    std::str::from_utf8(name).is_err().then(|| format!("its name is {}", quoted(name)))
}

/// An entry that is in the archive by its header alone.
const fn is_without_bytes(header: &Header, mode: Mode) -> bool {
    matches!(header.kind, HARD_LINK | PAX_GLOBAL) || !(mode.is_regular() || mode.is_folder())
}

fn described(header: &Header, mode: Mode) -> String {
    let link = String::from_utf8_lossy(&header.link);
    match header.kind {
        HARD_LINK => format!("hard link to {link}"),
        PAX_GLOBAL => "a global PAX header".to_owned(),
        _ if mode.is_symlink() => format!("symbolic link to {link}"),
        _ => mode.kind().to_owned(),
    }
}

fn notes(member: &Member, mode: Mode, operation: Operation) -> Vec<String> {
    let header = &member.header;
    let mut notes = Vec::new();
    if is_without_bytes(header, mode) {
        notes.push(format!("{}: Flux writes an empty file", described(header, mode)));
    } else if member.sparse {
        notes.push("sparse: its holes are counted as zeros".to_owned());
    }
    if operation == Operation::Extract && !mode.is_readable() {
        let permissions = mode.permissions();
        notes.push(format!(
            "mode {permissions:03o}: a source-controller that is not root cannot read it back"
        ));
    }
    notes.extend(odd_name(&header.name));
    notes
}

fn said_by(rule: &Pattern) -> String {
    let text = &rule.text;
    match &rule.origin {
        Origin::Default => format!("ignored by {text}, a default of Flux"),
        Origin::File(path) => format!("ignored by {text} in {path}"),
        Origin::Spec => format!("ignored by {text} in spec.ignore"),
    }
}

fn digest(hash: &[u8]) -> Option<Digest> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(7 + 2 * hash.len());
    text.push_str("sha256:");
    for byte in hash {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
    Digest::parse(&text).ok()
}
