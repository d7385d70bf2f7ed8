//! Which files Flux leaves out of an artifact: `.sourceignore`, `spec.ignore` and its own defaults, by the rules of
//! `fluxcd/pkg/sourceignore` 0.18 (a matcher that came from go-git, not Git's own). Works on bytes, reads no file.

/// The name of the files with rules, at any depth.
pub const FILE: &str = ".sourceignore";

/// Always in force; rules of the user come after it and win.
const VCS: &str = ".git/,.gitignore,.gitmodules,.gitattributes";
/// In force as long as the user has no rule at all.
const EXTRA: &str = "*.jpg,*.jpeg,*.gif,*.png,*.wmv,*.flv,*.tar.gz,*.zip,\
    .github/,.circleci/,.travis.yml,.gitlab-ci.yml,appveyor.yml,.drone.yml,cloudbuild.yaml,codeship-services.yml,\
    codeship-steps.yml,**/.goreleaser.yml,**/.sops.yaml,**/.flux.yaml";

/// Go's `bufio.Scanner` gives up at a line as long as its buffer, and with it Flux on the rest of the rules.
const LONGEST_LINE: usize = 64 << 10;

/// Rules in the order of their priority: the last one that says something about a path decides.
#[derive(Debug, Clone)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

/// One rule, where it holds, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// As written; may hold text from outside.
    pub text: Box<str>,
    pub origin: Origin,
    folder: Vec<Box<[u8]>>,
    parts: Vec<Box<[u8]>>,
    keeps: bool,
    folders_only: bool,
}

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In Flux itself.
    Default,
    /// In a `.sourceignore`; its path.
    File(Box<str>),
    /// In `spec.ignore`.
    Spec,
}

/// How much matching may cost, so that rules and names made for it cannot stop the program.
#[derive(Debug, Clone, Copy)]
pub struct Effort(u64);

impl Effort {
    /// Some seconds for 100,000 files; under 100 ordinary rules they need a hundredth of it.
    pub const fn for_files(files: usize) -> Self {
        Self((files as u64).saturating_mul(20_000))
    }

    pub const fn is_spent(self) -> bool {
        self.0 == 0
    }

    const fn spend(&mut self, cost: usize) {
        self.0 = self.0.saturating_sub(cost as u64);
    }
}

impl Ignore {
    /// The rules of an archive: every `.sourceignore` in it (its folder and its contents), and `spec.ignore`.
    /// None: the user has more rules than `limit`.
    pub fn new<'a>(
        files: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        spec: Option<&str>,
        limit: usize,
    ) -> Option<Self> {
        let mut files: Vec<(Vec<&[u8]>, &[u8])> =
            files.into_iter().map(|(folder, contents)| (parts_of(folder), contents)).collect();
        files.retain(|(folder, _)| folder.iter().all(|part| *part != b".git"));
        files.sort_by(|a, b| a.0.cmp(&b.0));
        let mut user = Vec::new();
        for (folder, contents) in &files {
            let path = [folder.as_slice(), &[FILE.as_bytes()]].concat().join(&b'/');
            let origin = Origin::File(String::from_utf8_lossy(&path).into());
            let room = limit.saturating_sub(user.len()).saturating_add(1);
            user.extend(lines(contents).take(room).map(|line| Pattern::new(line, folder, origin.clone())));
        }
        let spec = spec.unwrap_or_default().as_bytes();
        user.extend(lines(spec).map(|line| Pattern::new(line, &[], Origin::Spec)));
        if user.len() > limit {
            return None;
        }
        let own = |list: &'static str| {
            list.split(',').map(|line| Pattern::new(line.as_bytes(), &[], Origin::Default))
        };
        let mut patterns: Vec<Pattern> = own(VCS).collect();
        if user.is_empty() {
            patterns.extend(own(EXTRA));
        }
        patterns.extend(user);
        Some(Self { patterns })
    }

    /// The rule that leaves this file out; None: Flux keeps it.
    pub fn leaves_out(&self, path: &[u8], effort: &mut Effort) -> Option<&Pattern> {
        let path = parts_of(path);
        let mut patterns = self.patterns.iter().rev();
        let decides = patterns.find(|pattern| {
            effort.spend(1);
            !effort.is_spent() && pattern.matches(&path, effort)
        });
        decides.filter(|pattern| !pattern.keeps)
    }
}

fn parts_of(path: &[u8]) -> Vec<&[u8]> {
    path.split(|&byte| byte == b'/').filter(|part| !part.is_empty()).collect()
}

/// The lines that are rules: not blank, no `#` in the first column.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    let lines = std::iter::from_fn(move || {
        let text = rest.filter(|text| !text.is_empty())?;
        let end = text.iter().position(|&byte| byte == b'\n');
        if end.unwrap_or(text.len()) >= LONGEST_LINE {
            return None;
        }
        let line = &text[..end.unwrap_or(text.len())];
        rest = end.map(|end| &text[end + 1..]);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    });
    lines.filter(|line| !line.starts_with(b"#") && !is_blank(line))
}

/// `strings.TrimSpace` leaves nothing.
fn is_blank(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|line| line.trim().is_empty())
}

impl Pattern {
    fn new(line: &[u8], folder: &[&[u8]], origin: Origin) -> Self {
        let text = String::from_utf8_lossy(line).into();
        let keeps = line.starts_with(b"!");
        let mut line = if keeps { &line[1..] } else { line };
        if !line.ends_with(b"\\ ") {
            let end = line.iter().rposition(|&byte| byte != b' ').map_or(0, |at| at + 1);
            line = &line[..end];
        }
        let folders_only = line.ends_with(b"/");
        let line = line.strip_suffix(b"/").unwrap_or(line);
        let boxed = |part: &[u8]| -> Box<[u8]> { part.into() };
        Self {
            text,
            origin,
            folder: folder.iter().map(|part| boxed(part)).collect(),
            parts: line.split(|&byte| byte == b'/').map(boxed).collect(),
            keeps,
            folders_only,
        }
    }

    /// The path is that of a file. With one part it is compared with every name of the path, so that what is in a
    /// folder goes with it; with more parts it starts at the folder of the rule.
    fn matches(&self, path: &[&[u8]], effort: &mut Effort) -> bool {
        let inside = path.len() > self.folder.len() && self.folder.iter().zip(path).all(|(a, b)| **a == **b);
        if !inside {
            return false;
        }
        let path = &path[self.folder.len()..];
        if let [name] = self.parts.as_slice() {
            self.is_name_in(name, path, effort)
        } else {
            self.is_at(path, effort)
        }
    }

    fn is_name_in(&self, name: &[u8], path: &[&[u8]], effort: &mut Effort) -> bool {
        for (at, part) in path.iter().enumerate() {
            match glob(name, part, effort) {
                None => return false,
                Some(false) => {}
                Some(true) => return !self.folders_only || at + 1 < path.len(),
            }
        }
        false
    }

    fn is_at(&self, mut path: &[&[u8]], effort: &mut Effort) -> bool {
        let mut matched = false;
        let mut anywhere = false;
        for (at, part) in self.parts.iter().enumerate() {
            match &**part {
                b"" => anywhere = false,
                b"**" if at + 1 == self.parts.len() => break,
                b"**" => anywhere = true,
                part if part.windows(2).any(|two| two == b"**") => return false,
                _ if path.is_empty() => return false,
                part if anywhere => {
                    anywhere = false;
                    let mut found = false;
                    while let Some((name, rest)) = path.split_first() {
                        path = rest;
                        match glob(part, name, effort) {
                            None => return false,
                            Some(true) => {
                                found = true;
                                break;
                            }
                            Some(false) => {}
                        }
                    }
                    matched = found;
                }
                part => {
                    if glob(part, path[0], effort) != Some(true) {
                        return false;
                    }
                    matched = true;
                    path = &path[1..];
                }
            }
        }
        matched && !(self.folders_only && path.is_empty())
    }
}

/// Go's `filepath.Match` for one name of a path. None: the pattern is malformed, as far as it was looked at.
fn glob(mut pattern: &[u8], mut name: &[u8], effort: &mut Effort) -> Option<bool> {
    // most patterns are a name, or a star and the end of one
    match (is_plain(pattern), pattern.strip_prefix(b"*")) {
        (true, _) => return Some(pattern == name),
        (false, Some(end)) if is_plain(end) => return Some(name.ends_with(end)),
        (false, _) => {}
    }
    while !pattern.is_empty() {
        let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
        let (piece, rest) = pattern[stars..].split_at(piece_length(&pattern[stars..]));
        pattern = rest;
        if stars > 0 && piece.is_empty() {
            return Some(true);
        }
        let fits = |left: &[u8]| left.is_empty() || !rest.is_empty();
        let mut found = step(piece, name, effort)?.filter(|left| fits(left));
        // after stars the piece may also begin later; the first place that fits is taken, as Go does
        let mut from = 1;
        while found.is_none() && stars > 0 && from <= name.len() {
            found = step(piece, &name[from..], effort)?.filter(|left| fits(left));
            from += 1;
        }
        match found {
            Some(left) => name = left,
            None => return Some(false),
        }
    }
    Some(name.is_empty())
}

fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

/// Bytes up to the next star that is no character of a class.
fn piece_length(pattern: &[u8]) -> usize {
    let mut in_class = false;
    let mut at = 0;
    while at < pattern.len() {
        match pattern[at] {
            b'\\' if at + 1 < pattern.len() => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => return at,
            _ => {}
        }
        at += 1;
    }
    pattern.len()
}

/// What is left of the name behind a piece without stars; `Some(None)`: it does not fit.
/// A piece that does not fit is still read to its end, as a malformed one never fits.
#[expect(clippy::option_option, reason = "malformed, other, fits")]
fn step<'a>(mut piece: &[u8], mut name: &'a [u8], effort: &mut Effort) -> Option<Option<&'a [u8]>> {
    effort.spend(piece.len());
    let mut failed = effort.is_spent();
    while let Some((&first, rest)) = piece.split_first() {
        failed |= name.is_empty();
        match first {
            b'[' => {
                let (letter, length) = if failed { (0, 0) } else { letter(name) };
                name = &name[length..];
                let (fits, after) = class(rest, letter)?;
                failed |= !fits;
                piece = after;
            }
            b'?' => {
                if !failed {
                    name = &name[letter(name).1..];
                }
                piece = rest;
            }
            _ => {
                let (wanted, after) = if first == b'\\' { rest.split_first()? } else { (&first, rest) };
                if !failed {
                    failed = *wanted != name[0];
                    name = &name[1..];
                }
                piece = after;
            }
        }
    }
    Some((!failed).then_some(name))
}

/// A class behind its `[`: whether the letter is in it, and what follows it.
fn class(mut piece: &[u8], letter: u32) -> Option<(bool, &[u8])> {
    let negated = piece.first() == Some(&b'^');
    if negated {
        piece = &piece[1..];
    }
    let mut found = false;
    let mut ranges = 0;
    loop {
        if piece.first() == Some(&b']') && ranges > 0 {
            return Some((found != negated, &piece[1..]));
        }
        let (low, after) = bound(piece)?;
        let (high, after) = if after[0] == b'-' { bound(&after[1..])? } else { (low, after) };
        found |= (low..=high).contains(&letter);
        piece = after;
        ranges += 1;
    }
}

/// One character of a class, which never ends the pattern.
fn bound(piece: &[u8]) -> Option<(u32, &[u8])> {
    let piece = match piece.first()? {
        b'-' | b']' => return None,
        b'\\' => &piece[1..],
        _ => piece,
    };
    if piece.is_empty() {
        return None;
    }
    let (found, length) = letter(piece);
    let broken = found == REPLACEMENT && length == 1;
    (!broken && piece.len() > length).then(|| (found, &piece[length..]))
}

const REPLACEMENT: u32 = 0xfffd;

/// The first character and its length; a byte that is no UTF-8 is U+FFFD of length 1, as in Go.
fn letter(text: &[u8]) -> (u32, usize) {
    let longest = text.len().min(4);
    let valid = (1..=longest).find_map(|length| std::str::from_utf8(&text[..length]).ok());
    valid.and_then(|text| text.chars().next()).map_or((REPLACEMENT, 1), |c| (c as u32, c.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_out(files: &[(&str, &str)], spec: Option<&str>, path: &str) -> bool {
        let files = files.iter().map(|(folder, text)| (folder.as_bytes(), text.as_bytes()));
        let ignore = Ignore::new(files, spec, 100).unwrap();
        ignore.leaves_out(path.as_bytes(), &mut Effort::for_files(10)).is_some()
    }

    #[track_caller]
    fn rule(rule: &str, out: &[&str], kept: &[&str]) {
        for path in out {
            assert!(left_out(&[("", rule)], None, path), "{rule:?} leaves {path} out");
        }
        for path in kept {
            assert!(!left_out(&[("", rule)], None, path), "{rule:?} keeps {path}");
        }
    }

    #[test]
    fn a_name_without_a_slash_holds_at_every_depth_and_for_what_is_below() {
        rule("docs", &["docs", "docs/a", "x/docs/y/z"], &["docs2", "x/adocs"]);
        rule("docs/", &["docs/a", "x/docs/y"], &["docs", "x/docs"]);
        rule("*.md", &["a.md", "x/b.md", "c.md/d"], &["a.mdx"]);
    }

    #[test]
    fn a_rule_with_a_slash_begins_at_its_folder() {
        rule("/docs", &["docs", "docs/a"], &["x/docs"]);
        rule("x/*.md", &["x/a.md"], &["y/x/a.md", "x/y/a.md"]);
        rule("**/x/a", &["x/a", "y/z/x/a"], &["x/b"]);
        rule("x/**/a", &["x/a", "x/y/z/a"], &["y/a"]);
        rule("x/**", &["x/a", "x/y/z"], &["y/a"]);
    }

    #[test]
    fn the_last_rule_that_says_something_decides() {
        rule("*.md\n!a.md", &["b.md"], &["a.md", "x/a.md"]);
        rule("!a.md\n*.md", &["a.md"], &["a"]);
        rule("docs\n!docs/a", &["docs/b"], &["docs/a"]);
    }

    #[test]
    fn comments_stand_in_the_first_column_and_blanks_at_the_end_do_not_count() {
        rule("#a\n #b\n\\#c\n", &[" #b", "#c"], &["#a", "a", "b"]);
        rule("a  \nb\\ ", &["a", "b "], &["a  ", "b"]);
        rule("a\r\nb\r\n", &["a", "b"], &["a\r"]);
    }

    #[test]
    fn a_malformed_rule_says_nothing() {
        rule("a[\n[]a]\n[-]\na\\", &[], &["a", "a[", "-", "a\\"]);
        rule("a**b/c", &[], &["axb/c", "a**b/c"]);
    }

    #[test]
    fn classes_and_question_marks_take_one_character_of_any_length() {
        rule("[a-cé]?.x", &["bü.x", "é1.x"], &["d1.x", "b.x"]);
        rule("[^a]b", &["xb"], &["ab", "b"]);
        rule("[!a]b", &["!b", "ab"], &["xb"]);
    }

    #[test]
    fn the_defaults_hold_until_the_user_says_something_and_those_of_git_always() {
        for path in ["a.png", "x/b.tar.gz", ".github/w.yaml", "x/.sops.yaml", ".git/config", "x/.gitignore"] {
            assert!(left_out(&[], None, path), "{path}");
        }
        assert!(!left_out(&[], Some("x"), "a.png"));
        assert!(left_out(&[], Some("# nothing\n\n"), "a.png"));
        assert!(left_out(&[("", "x")], None, ".git/config"));
        assert!(!left_out(&[("", "!.git/")], None, ".git/config"));
    }

    #[test]
    fn rules_hold_below_their_folder_deeper_ones_win_and_those_of_the_spec_above_all() {
        let files = [("b", "!a.md"), ("", "*.md"), ("x/.git", "*")];
        assert!(left_out(&files, None, "a.md"));
        assert!(!left_out(&files, None, "b/a.md"));
        assert!(!left_out(&files, None, "x/.git2"));
        assert!(left_out(&files, Some("a.md"), "b/a.md"));
    }

    #[test]
    fn a_line_as_long_as_the_scanners_buffer_ends_the_rules() {
        let long = |length: usize| format!("a\n{}\nb", "x".repeat(length));
        assert!(left_out(&[("", &long(65_535))], None, "b"));
        assert!(!left_out(&[("", &long(65_536))], None, "b"));
        assert!(left_out(&[("", &long(65_536))], None, "a"));
    }

    #[test]
    fn too_many_rules_are_none() {
        assert!(Ignore::new([(b"".as_slice(), b"a\nb".as_slice())], Some("c"), 2).is_none());
    }
}
