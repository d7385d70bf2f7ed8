//! Patterns as Go's `regexp` reads them (Go 1.26), for Flux's `semverFilter` on raw tags (`reference/flux.md` §1.5).
//! It never hands a pattern to another dialect as written: what is matched is built anew from what Go would read.

use regex::{Regex, RegexBuilder};
use std::ops::{BitOr, Not};

/// A tag is ASCII (OCI distribution specification): outside it, no character is matched by any part of a pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: Box<str>,
    regex: Regex,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Go refuses it: Go's own words.
    #[error("{0}")]
    Invalid(String),
    /// Go accepts it, or may, and it cannot be evaluated here: why.
    #[error("{0}")]
    CannotEvaluate(String),
}

impl Pattern {
    pub fn compile(text: &str) -> Result<Self, PatternError> {
        let translated = Reader::new(text).read()?;
        match RegexBuilder::new(&translated).unicode(false).build() {
            Ok(regex) => Ok(Self { text: text.into(), regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err(cannot("its repetitions make it too large")),
            // what `Reader` writes can only be refused for its depth
            Err(_) => Err(cannot("its groups nest too deeply")),
        }
    }

    /// The byte at which Go stops reading a pattern that it refuses; None: it does not refuse it.
    pub fn breaks_at(text: &str) -> Option<usize> {
        Reader::new(text).breaks_at()
    }

    /// Whether it is found anywhere in the tag, as `MatchString` of Go.
    pub fn is_match(&self, tag: &str) -> bool {
        self.regex.is_match(tag)
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn cannot(why: &str) -> PatternError {
    PatternError::CannotEvaluate(format!("the pattern cannot be evaluated here: {why}"))
}

/// Go's limits, from `regexp/syntax/parse.go`.
const MAX_REPEAT: u64 = 1000;
const MAX_HEIGHT: u64 = 1000;
const MAX_SIZE: u64 = (128 << 20) / 40;
/// Go counts the ranges of all classes; below this length no pattern reaches its limit.
const MAX_LENGTH: usize = 30_000;

/// Go's error codes that text in UTF-8 can meet.
#[derive(Clone, Copy)]
enum Code {
    CharRange,
    Escape,
    NamedCapture,
    PerlSyntax,
    RepeatOperator,
    RepeatSize,
    MissingBracket,
    MissingParen,
    MissingArgument,
    TrailingBackslash,
    UnexpectedParen,
    NestingDepth,
    Large,
}

impl Code {
    fn words(self) -> &'static str {
        match self {
            Self::CharRange => "invalid character class range",
            Self::Escape => "invalid escape sequence",
            Self::NamedCapture => "invalid named capture",
            Self::PerlSyntax => "invalid or unsupported Perl syntax",
            Self::RepeatOperator => "invalid nested repetition operator",
            Self::RepeatSize => "invalid repeat count",
            Self::MissingBracket => "missing closing ]",
            Self::MissingParen => "missing closing )",
            Self::MissingArgument => "missing argument to repetition operator",
            Self::TrailingBackslash => "trailing backslash at end of expression",
            Self::UnexpectedParen => "unexpected )",
            Self::NestingDepth => "expression nests too deeply",
            Self::Large => "expression too large",
        }
    }

    fn at(self, expression: &str) -> PatternError {
        PatternError::Invalid(format!("error parsing regexp: {}: `{expression}`", self.words()))
    }
}

/// The flags that decide what matches; `U` only decides what is captured.
#[derive(Clone, Copy, Default)]
struct Flags {
    fold_case: bool,
    multi_line: bool,
    dot_newline: bool,
}

/// What stands between `(` and `)`, or the whole pattern.
#[derive(Default)]
struct Group {
    captures: bool,
    /// The flags that hold again behind it.
    outer: Flags,
    alternatives: Vec<Piece>,
    pieces: Vec<Piece>,
}

/// One walk over the pattern in Go's order, so that the first error is Go's first error.
struct Reader<'p> {
    pattern: &'p str,
    at: usize,
    flags: Flags,
    group: Group,
    around: Vec<Group>,
    /// Where the repetition began that ended just before `at`.
    repetition: Option<usize>,
    /// Product of all counted repetitions: from `MAX_SIZE` on, Go is sure to measure the size.
    repeats: u64,
    /// Go may find it too deep or too large.
    is_doubtful: bool,
}

impl<'p> Reader<'p> {
    fn new(pattern: &'p str) -> Self {
        Self {
            pattern,
            at: 0,
            flags: Flags::default(),
            group: Group::default(),
            around: Vec::new(),
            repetition: None,
            repeats: 1,
            is_doubtful: false,
        }
    }

    /// The pattern in the syntax of the `regex` crate.
    fn read(mut self) -> Result<String, PatternError> {
        while let Some(next) = self.peek() {
            let start = self.at;
            let is_repetition = self.read_item(next)?;
            self.repetition = is_repetition.then_some(start);
        }
        let group = std::mem::take(&mut self.group);
        let whole = self.close(group)?;
        if !self.around.is_empty() {
            return Err(Code::MissingParen.at(self.pattern));
        }
        if self.is_doubtful {
            return Err(cannot("it is at the limit of what Go accepts"));
        }
        if self.pattern.len() > MAX_LENGTH {
            return Err(cannot("it is too long"));
        }
        Ok(whole.text)
    }

    /// Where the item begins that cannot be read; the end where something is left open.
    fn breaks_at(mut self) -> Option<usize> {
        while let Some(next) = self.peek() {
            let start = self.at;
            match self.read_item(next) {
                Ok(is_repetition) => self.repetition = is_repetition.then_some(start),
                Err(PatternError::Invalid(_)) => return Some(start),
                Err(PatternError::CannotEvaluate(_)) => return None,
            }
        }
        (!self.around.is_empty()).then_some(self.at)
    }

    fn rest(&self) -> &'p str {
        self.pattern.get(self.at..).unwrap_or_default()
    }

    fn since(&self, start: usize) -> &'p str {
        self.pattern.get(start..self.at).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn skip(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Whether the item was a repetition.
    fn read_item(&mut self, next: char) -> Result<bool, PatternError> {
        match next {
            '(' => self.open_group()?,
            ')' => self.close_group()?,
            '[' => self.read_bracket()?,
            '\\' => self.read_backslash()?,
            '*' | '+' | '?' => {
                self.at += 1;
                self.repeat(self.at - 1, Repeat::of(next))?;
                return Ok(true);
            }
            '{' => return self.read_braces(),
            '|' => {
                self.at += 1;
                let pieces = std::mem::take(&mut self.group.pieces);
                let alternative = self.concat(pieces)?;
                self.group.alternatives.push(alternative);
            }
            '^' => self.push_assertion(1, if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
            '$' => self.push_assertion(1, if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
            '.' => {
                self.at += 1;
                self.push_class(if self.flags.dot_newline { Ascii::ALL } else { !Ascii::of("\n") });
            }
            other => {
                self.at += other.len_utf8();
                self.push_literal(other.into());
            }
        }
        Ok(false)
    }

    fn push_assertion(&mut self, length: usize, text: &str) {
        self.at += length;
        self.group.pieces.push(Piece { node: Node::Other, ..Piece::one(text.to_owned()) });
    }

    fn push_class(&mut self, class: Ascii) {
        self.group.pieces.push(Piece::one(class.to_syntax()));
    }

    fn push_literal(&mut self, point: u32) {
        self.push_class(self.span(point, point));
    }

    fn span(&self, first: u32, last: u32) -> Ascii {
        if self.flags.fold_case { Ascii::folded_span(first, last) } else { Ascii::span(first, last) }
    }

    fn with_case(&self, class: Ascii) -> Ascii {
        if self.flags.fold_case { class.folded() } else { class }
    }
}

/// Groups and flags.
impl Reader<'_> {
    fn open_group(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        if !self.skip("(?") {
            self.at += 1;
            self.enter(true, self.flags);
            return Ok(());
        }
        let behind = self.rest();
        // Go asks for one character more before it takes it for a name
        let opening =
            ["P<", "<"].into_iter().find(|open| behind.starts_with(open) && behind.len() > open.len());
        match opening {
            Some(opening) => self.read_name(start, opening.len()),
            None => self.read_flags(start),
        }
    }

    fn read_name(&mut self, start: usize, opening: usize) -> Result<(), PatternError> {
        let behind = self.rest();
        let Some(end) = behind.find('>') else {
            return Err(Code::NamedCapture.at(self.pattern.get(start..).unwrap_or_default()));
        };
        self.at += end + 1;
        let name = behind.get(opening..end).unwrap_or_default();
        if name.is_empty() || !name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            return Err(Code::NamedCapture.at(self.since(start)));
        }
        self.enter(true, self.flags);
        Ok(())
    }

    fn read_flags(&mut self, start: usize) -> Result<(), PatternError> {
        let (mut flags, mut value, mut is_flag_missing) = (self.flags, true, false);
        while let Some(next) = self.next() {
            match next {
                'i' => flags.fold_case = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_newline = value,
                'U' => {}
                '-' if value => {
                    (value, is_flag_missing) = (false, true);
                    continue;
                }
                ':' | ')' if !is_flag_missing => {
                    if next == ':' {
                        self.enter(false, self.flags);
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            is_flag_missing = false;
        }
        Err(Code::PerlSyntax.at(self.since(start)))
    }

    fn enter(&mut self, captures: bool, outer: Flags) {
        let group = Group { captures, outer, ..Group::default() };
        self.around.push(std::mem::replace(&mut self.group, group));
    }

    fn close_group(&mut self) -> Result<(), PatternError> {
        let Some(around) = self.around.pop() else {
            return Err(Code::UnexpectedParen.at(self.pattern));
        };
        self.at += 1;
        let group = std::mem::replace(&mut self.group, around);
        self.flags = group.outer;
        let captures = group.captures;
        let inner = self.close(group)?;
        let piece = if captures { self.measured(inner.captured())? } else { inner };
        self.group.pieces.push(piece);
        Ok(())
    }

    fn close(&mut self, group: Group) -> Result<Piece, PatternError> {
        let last = self.concat(group.pieces)?;
        let mut alternatives = group.alternatives;
        alternatives.push(last);
        self.measured(Piece::alternate(alternatives))
    }

    fn concat(&mut self, pieces: Vec<Piece>) -> Result<Piece, PatternError> {
        self.measured(Piece::concat(pieces))
    }

    /// Go looks at height and size whenever it has put a piece together.
    fn measured(&mut self, piece: Piece) -> Result<Piece, PatternError> {
        if piece.size.low > MAX_SIZE && self.repeats >= MAX_SIZE {
            return Err(Code::Large.at(self.pattern));
        }
        if piece.height.low > MAX_HEIGHT {
            return Err(Code::NestingDepth.at(self.pattern));
        }
        self.is_doubtful |= piece.size.high > MAX_SIZE || piece.height.high > MAX_HEIGHT;
        Ok(piece)
    }
}

/// `min` and `max` of a repetition; no `max` is no limit.
#[derive(Clone, Copy)]
struct Repeat {
    min: u64,
    max: Option<u64>,
    is_counted: bool,
}

impl Repeat {
    fn of(sign: char) -> Self {
        let (min, max) = match sign {
            '+' => (1, None),
            '?' => (0, Some(1)),
            _ => (0, None),
        };
        Self { min, max, is_counted: false }
    }

    /// `{min}`, `{min,}` or `{min,max}` at the beginning of the text, and its length.
    fn parse(text: &str) -> Option<(Self, usize)> {
        let (min, rest) = Self::count(text.strip_prefix('{')?)?;
        let (max, rest) = match rest.strip_prefix(',') {
            None => (Some(min), rest),
            Some(rest) if rest.starts_with('}') => (None, rest),
            Some(rest) => Self::count(rest).map(|(max, rest)| (Some(max), rest))?,
        };
        let rest = rest.strip_prefix('}')?;
        Some((Self { min, max, is_counted: true }, text.len() - rest.len()))
    }

    /// No leading zeros; what is too large for a number is too large for Go.
    fn count(text: &str) -> Option<(u64, &str)> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        if digits.is_empty() || digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        Some((digits.parse().unwrap_or(u64::MAX), rest))
    }

    fn is_in_bounds(self) -> bool {
        self.min <= MAX_REPEAT && self.max.is_none_or(|max| self.min <= max && max <= MAX_REPEAT)
    }

    fn copies(self) -> u64 {
        self.max.unwrap_or(self.min)
    }

    fn to_syntax(self) -> String {
        let Self { min, max, .. } = self;
        max.map_or_else(|| format!("{{{min},}}"), |max| format!("{{{min},{max}}}"))
    }
}

/// Repetitions.
impl Reader<'_> {
    fn read_braces(&mut self) -> Result<bool, PatternError> {
        let start = self.at;
        let Some((repeat, length)) = Repeat::parse(self.rest()) else {
            self.at += 1;
            self.push_literal('{'.into());
            return Ok(false);
        };
        self.at += length;
        if !repeat.is_in_bounds() {
            return Err(Code::RepeatSize.at(self.since(start)));
        }
        self.repeat(start, repeat)?;
        Ok(true)
    }

    fn repeat(&mut self, start: usize, repeat: Repeat) -> Result<(), PatternError> {
        self.skip("?");
        if let Some(previous) = self.repetition {
            return Err(Code::RepeatOperator.at(self.since(previous)));
        }
        let Some(piece) = self.group.pieces.pop() else {
            return Err(Code::MissingArgument.at(self.since(start)));
        };
        if repeat.is_counted {
            self.repeats = self.repeats.saturating_mul(repeat.copies().max(1));
        }
        let repeated = self.measured(piece.repeated(repeat))?;
        if repeat.is_counted && repeat.copies() >= 2 && repeated.copies > MAX_REPEAT {
            return Err(Code::RepeatSize.at(self.since(start)));
        }
        self.group.pieces.push(repeated);
        Ok(())
    }
}

/// Escapes and classes.
impl Reader<'_> {
    fn read_backslash(&mut self) -> Result<(), PatternError> {
        let mut behind = self.rest().chars().skip(1);
        match behind.next() {
            Some('A') => self.push_assertion(2, r"\A"),
            Some('b') => self.push_assertion(2, r"\b"),
            Some('B') => self.push_assertion(2, r"\B"),
            Some('z') => self.push_assertion(2, r"\z"),
            Some('Q') => self.read_quotation(),
            _ => {
                if let Some(class) = self.read_class_escape()? {
                    self.push_class(class);
                } else {
                    let point = self.read_escape()?;
                    self.push_literal(point);
                }
            }
        }
        Ok(())
    }

    fn read_quotation(&mut self) {
        self.at += 2;
        let quoted = self.rest().split_once(r"\E").map_or(self.rest(), |(quoted, _)| quoted);
        for literal in quoted.chars() {
            self.push_literal(literal.into());
        }
        self.at += quoted.len();
        self.skip(r"\E");
    }

    /// `\d`, `\pN`, `\p{Greek}` and their like; nothing is read if it is another escape.
    fn read_class_escape(&mut self) -> Result<Option<Ascii>, PatternError> {
        let class = match self.rest().as_bytes() {
            [b'\\', b'p' | b'P', ..] => return self.read_property().map(Some),
            [b'\\', b'd' | b'D', ..] => Ascii::spans(&["09"]),
            [b'\\', b's' | b'S', ..] => Ascii::of("\t\n\x0c\r "),
            [b'\\', b'w' | b'W', ..] => Ascii::spans(&["09", "AZ", "__", "az"]),
            _ => return Ok(None),
        };
        let is_negated = self.rest().as_bytes().get(1).is_some_and(u8::is_ascii_uppercase);
        self.at += 2;
        let class = self.with_case(class);
        Ok(Some(if is_negated { !class } else { class }))
    }

    fn read_property(&mut self) -> Result<Ascii, PatternError> {
        let start = self.at;
        let mut is_negated = self.rest().starts_with(r"\P");
        self.at += 2;
        let name = if self.skip("{") {
            let rest = self.rest();
            let Some((name, _)) = rest.split_once('}') else {
                return Err(Code::CharRange.at(self.pattern.get(start..).unwrap_or_default()));
            };
            self.at += name.len() + 1;
            name
        } else {
            let rest = self.rest();
            self.next();
            rest.get(..rest.len() - self.rest().len()).unwrap_or_default()
        };
        let positive = name.strip_prefix('^');
        is_negated ^= positive.is_some();
        let Some(class) = property(positive.unwrap_or(name)) else {
            return Err(Code::CharRange.at(self.since(start)));
        };
        let class = self.with_case(class);
        Ok(if is_negated { !class } else { class })
    }

    /// One character behind a backslash; it may lie outside Unicode's scalars, then nothing is it.
    fn read_escape(&mut self) -> Result<u32, PatternError> {
        let start = self.at;
        self.at += 1;
        let Some(next) = self.next() else {
            return Err(Code::TrailingBackslash.at(""));
        };
        let point = match next {
            '0' => Some(self.read_octal(next)),
            // a digit alone would refer back to a group
            '1'..='7' => self.peek().is_some_and(is_octal).then(|| self.read_octal(next)),
            'x' => self.read_hexadecimal(),
            'a' => Some(0x07),
            'f' => Some(0x0c),
            'n' => Some(0x0a),
            'r' => Some(0x0d),
            't' => Some(0x09),
            'v' => Some(0x0b),
            other => (other.is_ascii() && !other.is_ascii_alphanumeric()).then_some(other.into()),
        };
        point.ok_or_else(|| Code::Escape.at(self.since(start)))
    }

    /// Up to three digits, of which the first is read.
    fn read_octal(&mut self, first: char) -> u32 {
        let mut point = first.to_digit(8).unwrap_or_default();
        for _ in 0..2 {
            let Some(digit) = self.peek().and_then(|next| next.to_digit(8)) else { break };
            point = point * 8 + digit;
            self.at += 1;
        }
        point
    }

    /// Two digits, or any number of them in braces; on an error, as much is read as Go shows.
    fn read_hexadecimal(&mut self) -> Option<u32> {
        let first = self.next()?;
        if first != '{' {
            let second = self.next()?;
            return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
        }
        let mut point = None;
        loop {
            let next = self.next()?;
            if next == '}' {
                return point;
            }
            let wider = point.unwrap_or(0) * 16 + next.to_digit(16)?;
            point = Some(wider).filter(|point| *point <= u32::from(char::MAX));
            point?;
        }
    }

    fn read_bracket(&mut self) -> Result<(), PatternError> {
        let start = self.at;
        self.at += 1;
        let is_negated = self.skip("^");
        let mut class = Ascii::NONE;
        let mut is_first = true;
        while is_first || !self.rest().starts_with(']') {
            is_first = false;
            let member = if let Some(named) = self.read_named_class()? {
                named
            } else if let Some(escaped) = self.read_class_escape()? {
                escaped
            } else {
                self.read_range(start)?
            };
            class = class | member;
        }
        self.at += 1;
        self.push_class(if is_negated { !class } else { class });
        Ok(())
    }

    /// `[:alpha:]`; a `[:` that nothing closes is no name.
    fn read_named_class(&mut self) -> Result<Option<Ascii>, PatternError> {
        let Some((name, _)) = self.rest().strip_prefix("[:").and_then(|rest| rest.split_once(":]")) else {
            return Ok(None);
        };
        let start = self.at;
        self.at += name.len() + 4;
        let positive = name.strip_prefix('^');
        let Some(class) = posix(positive.unwrap_or(name)) else {
            return Err(Code::CharRange.at(self.since(start)));
        };
        let class = self.with_case(class);
        Ok(Some(if positive.is_some() { !class } else { class }))
    }

    fn read_range(&mut self, bracket: usize) -> Result<Ascii, PatternError> {
        let start = self.at;
        let first = self.read_member(bracket)?;
        let mut last = first;
        // before the closing bracket, `-` is itself
        if matches!(self.rest().as_bytes(), [b'-', behind, ..] if *behind != b']') {
            self.at += 1;
            last = self.read_member(bracket)?;
        }
        if last < first {
            return Err(Code::CharRange.at(self.since(start)));
        }
        Ok(self.span(first, last))
    }

    fn read_member(&mut self, bracket: usize) -> Result<u32, PatternError> {
        if self.rest().starts_with('\\') {
            return self.read_escape();
        }
        let missing = || Code::MissingBracket.at(self.pattern.get(bracket..).unwrap_or_default());
        let member = self.peek().ok_or_else(missing)?;
        self.at += member.len_utf8();
        Ok(member.into())
    }
}

fn is_octal(character: char) -> bool {
    character.is_digit(8)
}

/// How strongly the outermost operator of a piece binds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Alternation,
    Concatenation,
    Repetition,
    Atom,
}

/// Between what and what a number lies: Go rewrites alternations while it reads, here they stay as written.
#[derive(Clone, Copy)]
struct Bounds {
    low: u64,
    high: u64,
}

impl Bounds {
    const ONE: Self = Self { low: 1, high: 1 };

    fn map(self, change: impl Fn(u64) -> u64) -> Self {
        Self { low: change(self.low), high: change(self.high) }
    }

    fn max(self, other: Self) -> Self {
        Self { low: self.low.max(other.low), high: self.high.max(other.high) }
    }

    fn plus(self, other: Self) -> Self {
        Self { low: self.low.saturating_add(other.low), high: self.high.saturating_add(other.high) }
    }
}

/// What Go makes of a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Node {
    /// Characters, which may be one node.
    Text,
    Concatenation,
    Other,
}

/// A part of the pattern: its translation, and Go's measures of it.
struct Piece {
    text: String,
    binding: Binding,
    node: Node,
    /// How often the innermost part stands there once counted repetitions are written out.
    copies: u64,
    height: Bounds,
    size: Bounds,
}

impl Piece {
    fn one(text: String) -> Self {
        let (height, size) = (Bounds::ONE, Bounds::ONE);
        Self { text, binding: Binding::Atom, node: Node::Text, copies: 1, height, size }
    }

    fn write(&self, to: &mut String, least: Binding) {
        if self.binding >= least {
            to.push_str(&self.text);
        } else {
            to.extend(["(?:", &self.text, ")"]);
        }
    }

    fn concat(mut pieces: Vec<Self>) -> Self {
        if pieces.len() == 1 {
            return pieces.swap_remove(0);
        }
        let mut whole =
            Self { binding: Binding::Concatenation, node: Node::Other, ..Self::one(String::new()) };
        if pieces.is_empty() {
            return whole;
        }
        let is_text = pieces.iter().all(|piece| piece.node == Node::Text);
        whole.node = if is_text { Node::Text } else { Node::Concatenation };
        (whole.height, whole.size) = (Bounds { low: 1, high: 2 }, Bounds { low: 0, high: 0 });
        for piece in &pieces {
            piece.write(&mut whole.text, Binding::Repetition);
            // Go lifts a concatenation out of a concatenation, and may hold text as one node
            let is_lifted = piece.node == Node::Concatenation;
            let height = Bounds {
                low: piece.height.low + u64::from(!is_text && !is_lifted),
                high: piece.height.high + u64::from(!is_lifted),
            };
            whole.height = whole.height.max(height);
            whole.size = whole.size.plus(piece.size);
            whole.copies = whole.copies.max(piece.copies);
        }
        whole
    }

    fn alternate(mut pieces: Vec<Self>) -> Self {
        if pieces.len() == 1 {
            return pieces.swap_remove(0);
        }
        let mut whole = Self { binding: Binding::Alternation, node: Node::Other, ..Self::one(String::new()) };
        if pieces.iter().all(|piece| piece.node == Node::Text) {
            whole.node = Node::Text;
        }
        let mut longest = 0;
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                whole.text.push('|');
            }
            piece.write(&mut whole.text, Binding::Concatenation);
            longest = longest.max(piece.text.len() as u64);
            whole.height = whole.height.max(piece.height);
            let low = whole.size.low.max(piece.size.low);
            whole.size = whole.size.plus(piece.size.map(|size| size.saturating_add(3)));
            whole.size.low = low;
            whole.copies = whole.copies.max(piece.copies);
        }
        // each common prefix that Go takes out adds two nodes, and takes a character at least
        let prefixes = longest.min(pieces.len() as u64 - 1);
        whole.height.high = whole.height.high.saturating_add(1 + 2 * prefixes);
        whole
    }

    fn captured(self) -> Self {
        Self {
            node: Node::Other,
            height: self.height.map(|height| height + 1),
            size: self.size.map(|size| size.saturating_add(2)),
            ..self
        }
    }

    fn repeated(self, repeat: Repeat) -> Self {
        let mut text = String::new();
        self.write(&mut text, Binding::Atom);
        text.push_str(&repeat.to_syntax());
        let copies = repeat.copies().max(1).saturating_mul(self.copies);
        Self {
            text,
            binding: Binding::Repetition,
            node: Node::Other,
            copies: if repeat.max == Some(0) { 1 } else { copies },
            height: self.height.map(|height| height + 1),
            size: self.size.map(|size| repeated_size(repeat, size)),
        }
    }
}

/// `calcSize` of Go.
fn repeated_size(repeat: Repeat, size: u64) -> u64 {
    match repeat.max {
        Some(max) => max.saturating_mul(size).saturating_add(max - repeat.min).max(1),
        None if repeat.min == 0 => size.saturating_add(2),
        None => repeat.min.saturating_mul(size).saturating_add(1),
    }
}

/// A set of ASCII characters, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ascii(u128);

impl Ascii {
    const NONE: Self = Self(0);
    const ALL: Self = Self(u128::MAX);

    fn span(first: u32, last: u32) -> Self {
        if first > 127 || last < first {
            return Self::NONE;
        }
        let last = last.min(127);
        Self((u128::MAX >> (127 - (last - first))) << first)
    }

    /// Two characters outside ASCII are other cases of ASCII letters: the long s and the Kelvin sign.
    fn folded_span(first: u32, last: u32) -> Self {
        let holds = |point: char| (first..=last).contains(&point.into());
        let long_s = if holds('\u{17f}') { Self::of("sS") } else { Self::NONE };
        let kelvin = if holds('\u{212a}') { Self::of("kK") } else { Self::NONE };
        Self::span(first, last).folded() | long_s | kelvin
    }

    fn of(characters: &str) -> Self {
        characters.chars().fold(Self::NONE, |set, point| set | Self::span(point.into(), point.into()))
    }

    /// Of pairs of first and last character.
    fn spans(pairs: &[&str]) -> Self {
        pairs.iter().fold(Self::NONE, |set, pair| match pair.as_bytes() {
            [first, last] => set | Self::span((*first).into(), (*last).into()),
            _ => set,
        })
    }

    fn folded(self) -> Self {
        const LETTERS: u128 = 0x07ff_fffe;
        let letters = ((self.0 >> 64) | (self.0 >> 96)) & LETTERS;
        Self(self.0 | letters << 64 | letters << 96)
    }

    fn holds(self, byte: u8) -> bool {
        self.0 >> byte & 1 == 1
    }

    fn to_syntax(self) -> String {
        let one = |byte: u8| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            _ => format!(r"\x{byte:02x}"),
        };
        match self.0.count_ones() {
            0 => "[a&&b]".to_owned(),
            1 => one(self.0.trailing_zeros() as u8),
            _ => {
                let begins =
                    (0..128).filter(|byte| self.holds(*byte) && (*byte == 0 || !self.holds(byte - 1)));
                let ends =
                    (0..128).filter(|byte| self.holds(*byte) && (*byte == 127 || !self.holds(byte + 1)));
                let spans = begins.zip(ends).map(|(first, last)| format!("{}-{}", one(first), one(last)));
                format!("[{}]", spans.collect::<String>())
            }
        }
    }
}

impl BitOr for Ascii {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Not for Ascii {
    type Output = Self;

    fn not(self) -> Self {
        Self(!self.0)
    }
}

fn posix(name: &str) -> Option<Ascii> {
    Some(match name {
        "alnum" => Ascii::spans(&["09", "AZ", "az"]),
        "alpha" => Ascii::spans(&["AZ", "az"]),
        "ascii" => Ascii::ALL,
        "blank" => Ascii::of("\t "),
        "cntrl" => Ascii::spans(&["\0\x1f", "\x7f\x7f"]),
        "digit" => Ascii::spans(&["09"]),
        "graph" => Ascii::spans(&["!~"]),
        "lower" => Ascii::spans(&["az"]),
        "print" => Ascii::spans(&[" ~"]),
        "punct" => Ascii::spans(&["!/", ":@", "[`", "{~"]),
        "space" => Ascii::spans(&["\t\r", "  "]),
        "upper" => Ascii::spans(&["AZ"]),
        "word" => Ascii::spans(&["09", "AZ", "__", "az"]),
        "xdigit" => Ascii::spans(&["09", "AF", "af"]),
        _ => return None,
    })
}

/// The ASCII characters of a Unicode category or script, by Go's loose reading of its name.
fn property(name: &str) -> Option<Ascii> {
    let name: String =
        name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    Some(match name.as_str() {
        "any" | "ascii" | "assigned" => Ascii::ALL,
        "c" | "cc" | "cntrl" | "control" | "other" => Ascii::spans(&["\0\x1f", "\x7f\x7f"]),
        "l" | "lc" | "letter" | "casedletter" | "latin" => Ascii::spans(&["AZ", "az"]),
        "ll" | "lowercaseletter" => Ascii::spans(&["az"]),
        "lu" | "uppercaseletter" => Ascii::spans(&["AZ"]),
        "n" | "nd" | "number" | "decimalnumber" | "digit" => Ascii::spans(&["09"]),
        "p" | "punct" | "punctuation" => Ascii::of(r##"!"#%&'()*,-./:;?@[\]_{}"##),
        "pc" | "connectorpunctuation" => Ascii::of("_"),
        "pd" | "dashpunctuation" => Ascii::of("-"),
        "pe" | "closepunctuation" => Ascii::of(")]}"),
        "po" | "otherpunctuation" => Ascii::of(r##"!"#%&'*,./:;?@\"##),
        "ps" | "openpunctuation" => Ascii::of("([{"),
        "s" | "symbol" => Ascii::of("$+<=>^`|~"),
        "sc" | "currencysymbol" => Ascii::of("$"),
        "sk" | "modifiersymbol" => Ascii::of("^`"),
        "sm" | "mathsymbol" => Ascii::of("+<=>|~"),
        "z" | "zs" | "separator" | "spaceseparator" => Ascii::of(" "),
        "common" => !Ascii::spans(&["AZ", "az"]),
        other if OUTSIDE_ASCII.split_ascii_whitespace().any(|known| known == other) => Ascii::NONE,
        _ => return None,
    })
}

/// Categories, their long names, and scripts of Unicode 15 without a character in ASCII. Go 1.25 and 1.26 refuse the
/// scripts whose names have two words, such as `Old_Italic`: their loose reading never finds them.
const OUTSIDE_ASCII: &str = "
    cf cn co cs lm lo lt m mc me mn nl no pf pi so zl zp
    combiningmark enclosingmark finalpunctuation format initialpunctuation letternumber lineseparator mark
    modifierletter nonspacingmark otherletter othernumber othersymbol paragraphseparator privateuse spacingmark
    surrogate titlecaseletter unassigned
    adlam ahom arabic armenian avestan balinese bamum batak bengali bhaiksuki bopomofo brahmi braille buginese buhid
    carian chakma cham cherokee chorasmian coptic cuneiform cypriot cyrillic deseret devanagari dogra duployan elbasan
    elymaic ethiopic georgian glagolitic gothic grantha greek gujarati gurmukhi han hangul hanunoo hatran hebrew
    hiragana inherited javanese kaithi kannada katakana kawi kharoshthi khmer khojki khudawadi lao lepcha limbu lisu
    lycian lydian mahajani makasar malayalam mandaic manichaean marchen medefaidrin miao modi mongolian mro multani
    myanmar nabataean nandinagari newa nko nushu ogham oriya osage osmanya palmyrene phoenician rejang runic samaritan
    saurashtra sharada shavian siddham sinhala sogdian soyombo sundanese syriac tagalog tagbanwa takri tamil tangsa
    tangut telugu thaana thai tibetan tifinagh tirhuta toto ugaritic vai vithkuqi wancho yezidi yi";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_that_go_refuses_says_where_it_breaks() {
        for (pattern, at) in [
            ("*a", Some(0)),
            ("^1\\.[0-9", Some(4)),
            ("a(b", Some(3)),
            ("ab)", Some(2)),
            ("(?=x)", Some(0)),
            ("a{2,1}", Some(1)),
            ("^v?1", None),
        ] {
            assert_eq!(Pattern::breaks_at(pattern), at, "{pattern}");
            assert_eq!(Pattern::compile(pattern).is_err(), at.is_some(), "{pattern}");
        }
    }

    const TAGS: &str = "1.2.3 v1.2.3 1.2.3-rc.1 2.0.0-beta RELEASE-0a1b main_2024 latest K s --~~&& [a]{,3}";

    /// What Go 1.26 finds each pattern in.
    const ACCEPTED: &[(&str, &str)] = &[
        (r"^v?\d+\.\d+\.\d+$", "1.2.3 v1.2.3"),
        ("-(rc|beta)", "1.2.3-rc.1 2.0.0-beta"),
        ("^[0-9.]+$", "1.2.3"),
        ("(?i)^release-[0-9a-f]{4}$", "RELEASE-0a1b"),
        ("(?i:release)-0A", ""),
        ("(?i)main(?-i)_2", "main_2024"),
        ("(?i)MAIN(?-i:_X)", ""),
        ("", "all"),
        ("|x", "all"),
        ("(|a)+$", "all"),
        ("^*1", "1.2.3 v1.2.3 1.2.3-rc.1 RELEASE-0a1b"),
        ("(?:^)?v", "v1.2.3"),
        (r"\bmain\b", ""),
        (r"\Blatest", ""),
        (r"main\B_", "main_2024"),
        ("t$", "latest"),
        (r"t\z", "latest"),
        ("(?m)^s$", "s"),
        ("(?s).+-.+", "1.2.3-rc.1 2.0.0-beta RELEASE-0a1b --~~&&"),
        ("(?U)1+?", "1.2.3 v1.2.3 1.2.3-rc.1 RELEASE-0a1b"),
        ("(?)K", "K"),
        ("[[:alpha:]]$", "2.0.0-beta RELEASE-0a1b latest K s"),
        ("^[[:^alpha:]]+$", "1.2.3 --~~&&"),
        ("[[:word:]]_", "main_2024"),
        ("^[[:upper:][:digit:]-]+", "1.2.3 1.2.3-rc.1 2.0.0-beta RELEASE-0a1b K --~~&&"),
        (r"^[\d.-]+$", "1.2.3"),
        (r"^[^\W_]+$", "latest K s"),
        (r"[^\x00-\x{10FFFF}]", ""),
        ("[&&]", "--~~&&"),
        ("[a&&b]", "2.0.0-beta RELEASE-0a1b main_2024 latest --~~&& [a]{,3}"),
        ("[--~]$", "1.2.3 v1.2.3 1.2.3-rc.1 2.0.0-beta RELEASE-0a1b main_2024 latest K s [a]{,3}"),
        ("[~~-]$", ""),
        ("^[[a]", "[a]{,3}"),
        ("[[]", "[a]{,3}"),
        ("[]a]{2}", "[a]{,3}"),
        ("[^]a]$", "1.2.3 v1.2.3 1.2.3-rc.1 RELEASE-0a1b main_2024 latest K s --~~&& [a]{,3}"),
        ("[a-]", "1.2.3-rc.1 2.0.0-beta RELEASE-0a1b main_2024 latest --~~&& [a]{,3}"),
        ("{,3}", "[a]{,3}"),
        ("]{", "[a]{,3}"),
        ("x{0}K", "K"),
        ("a{,", ""),
        ("0{3}", ""),
        (r"(?:\.\d){2}$", "1.2.3 v1.2.3"),
        ("(a{10}){100}", ""),
        ("a{0,1000}$", "all"),
        (r"\Q[a]{,\E\d", "[a]{,3}"),
        (r"\Q--", "--~~&&"),
        (r"\Q\E^K", "K"),
        (r"\x4b", "K"),
        (r"\x{4B}|\163$", "K s"),
        (r"\0|\x{10FFFF}", ""),
        (r"\x{D800}|v", "v1.2.3"),
        ("(?i)\u{212a}", "K"),
        ("(?i)^[\u{17f}]$", "s"),
        ("(?i)^[\u{140}-\u{180}]", "s"),
        ("\u{17f}|\u{e9}", ""),
        (r"^\pN", "1.2.3 1.2.3-rc.1 2.0.0-beta"),
        (r"^\PN", "v1.2.3 RELEASE-0a1b main_2024 latest K s --~~&& [a]{,3}"),
        (r"^\p{Lu}", "RELEASE-0a1b K"),
        (r"(?i)^\p{Lu}$", "K s"),
        (r"^\p{^Lu}$", "s"),
        (r"^\P{^Lu}$", "K"),
        (r"\p{Greek}", ""),
        (r"\P{latin}$", "1.2.3 v1.2.3 1.2.3-rc.1 main_2024 --~~&& [a]{,3}"),
        (r"\p{uppercase letter}", "RELEASE-0a1b K"),
        (r"[\p{Punctuation}]{2}", "--~~&& [a]{,3}"),
        ("(?P<n>a)(?<n>t)", "latest"),
        ("(?P<1_>v)", "v1.2.3"),
        (r"\_|\~", "main_2024 --~~&&"),
        ("(a*)*K", "K"),
        ("(?:a*)(?i)*k$", "K"),
        ("a*|b", "all"),
        (
            r"^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$",
            "1.2.3 v1.2.3 1.2.3-rc.1 2.0.0-beta",
        ),
    ];

    /// How Go 1.26 refuses each pattern.
    const REFUSED: &[(&str, &str)] = &[
        ("(", "missing closing ): `(`"),
        (")", "unexpected ): `)`"),
        ("a)b", "unexpected ): `a)b`"),
        ("(?:a", "missing closing ): `(?:a`"),
        ("(a|b", "missing closing ): `(a|b`"),
        ("[", "missing closing ]: `[`"),
        ("[a", "missing closing ]: `[a`"),
        ("x[^", "missing closing ]: `[^`"),
        ("[]", "missing closing ]: `[]`"),
        ("[a-", "missing closing ]: `[a-`"),
        (r"\", "trailing backslash at end of expression: ``"),
        (r"a\", "trailing backslash at end of expression: ``"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a|*", "missing argument to repetition operator: `*`"),
        ("(+)", "missing argument to repetition operator: `+`"),
        ("(?i)?", "missing argument to repetition operator: `?`"),
        ("{1}", "missing argument to repetition operator: `{1}`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("a+*?", "invalid nested repetition operator: `+*?`"),
        ("a??+", "invalid nested repetition operator: `??+`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("a{2}?{3}x", "invalid nested repetition operator: `{2}?{3}`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("a{1001,}", "invalid repeat count: `{1001,}`"),
        ("a{99999999999}", "invalid repeat count: `{99999999999}`"),
        ("(a{1000}){1000}", "invalid repeat count: `{1000}`"),
        ("(a{500}b){3}?", "invalid repeat count: `{3}?`"),
        ("((a{10}){10}){11}", "invalid repeat count: `{11}`"),
        ("(?u)a", "invalid or unsupported Perl syntax: `(?u`"),
        ("(?x)", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?R)", "invalid or unsupported Perl syntax: `(?R`"),
        ("(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?--i)", "invalid or unsupported Perl syntax: `(?--`"),
        ("(?", "invalid or unsupported Perl syntax: `(?`"),
        ("(?i", "invalid or unsupported Perl syntax: `(?i`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?!a)", "invalid or unsupported Perl syntax: `(?!`"),
        ("(?<=a)b", "invalid named capture: `(?<=a)b`"),
        ("(?<!a)b>", "invalid named capture: `(?<!a)b>`"),
        ("(?>a)", "invalid or unsupported Perl syntax: `(?>`"),
        ("(?#a)", "invalid or unsupported Perl syntax: `(?#`"),
        ("(?'n'a)", "invalid or unsupported Perl syntax: `(?'`"),
        ("(?P=n)", "invalid or unsupported Perl syntax: `(?P`"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
        ("(?P<>a)", "invalid named capture: `(?P<>`"),
        ("(?P<x-y>a)", "invalid named capture: `(?P<x-y>`"),
        ("(?<\u{e9}>a)", "invalid named capture: `(?<\u{e9}>`"),
        ("(?P<", "invalid or unsupported Perl syntax: `(?P`"),
        ("(?<", "invalid or unsupported Perl syntax: `(?<`"),
        (r"(a)\1", r"invalid escape sequence: `\1`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        (r"\E", r"invalid escape sequence: `\E`"),
        (r"\e", r"invalid escape sequence: `\e`"),
        ("\\\u{e9}", "invalid escape sequence: `\\\u{e9}`"),
        (r"\h", r"invalid escape sequence: `\h`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        (r"[\C]", r"invalid escape sequence: `\C`"),
        (r"[\Qa\E]", r"invalid escape sequence: `\Q`"),
        (r"\x", r"invalid escape sequence: `\x`"),
        (r"\x4", r"invalid escape sequence: `\x4`"),
        (r"\xg0", r"invalid escape sequence: `\xg0`"),
        (r"\x{", r"invalid escape sequence: `\x{`"),
        (r"\x{}", r"invalid escape sequence: `\x{}`"),
        (r"\x{4g}", r"invalid escape sequence: `\x{4g`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        (r"[a-\d]", r"invalid escape sequence: `\d`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        ("[[:Alpha:]]", "invalid character class range: `[:Alpha:]`"),
        ("[[:^nope:]a]", "invalid character class range: `[:^nope:]`"),
        (r"\pX", r"invalid character class range: `\pX`"),
        (r"\p", r"invalid character class range: `\p`"),
        (r"\p{", r"invalid character class range: `\p{`"),
        (r"[\p{Foo}]", r"invalid character class range: `\p{Foo}`"),
        (r"\P{^}", r"invalid character class range: `\P{^}`"),
        (r"\p{Old_Italic}", r"invalid character class range: `\p{Old_Italic}`"),
    ];

    fn words(pattern: &str) -> String {
        Pattern::compile(pattern).map_or_else(|error| error.to_string(), |_| "accepted".to_owned())
    }

    #[test]
    fn a_pattern_is_found_where_go_finds_it() {
        for (text, expected) in ACCEPTED {
            let pattern = Pattern::compile(text).unwrap();
            let found: Vec<_> = TAGS.split(' ').filter(|tag| pattern.is_match(tag)).collect();
            let expected = if *expected == "all" { TAGS } else { expected };
            assert_eq!(found.join(" "), expected, "{text}");
            assert_eq!(pattern.as_str(), *text);
        }
    }

    #[test]
    fn a_pattern_go_refuses_is_refused_in_its_words() {
        for (text, expected) in REFUSED {
            let expected = PatternError::Invalid(format!("error parsing regexp: {expected}"));
            assert_eq!(Pattern::compile(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn lines_and_spaces_are_those_of_go() {
        let check = |pattern: &str, tag: &str, expected: bool| {
            assert_eq!(Pattern::compile(pattern).unwrap().is_match(tag), expected, "{pattern} in {tag:?}");
        };
        check("b$", "b\n", false);
        check("(?m)b$", "b\n", true);
        check("(?m)^b", "a\nb", true);
        check("^b", "a\nb", false);
        check("a.b", "a\nb", false);
        check("(?s)a.b", "a\nb", true);
        check("a[^x]b", "a\nb", true);
        check(r"\s", "\x0b", false);
        check("[[:space:]]", "\x0b", true);
        check(r"\a\f\t\n\r\v", "\x07\x0c\t\n\r\x0b", true);
    }

    #[test]
    fn limits_are_those_of_go() {
        let nested = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
        assert_eq!(words(&nested(999)), "accepted");
        let (deep, large) = (nested(1000), r"\b{1000}".repeat(3400));
        assert_eq!(words(&deep), format!("error parsing regexp: expression nests too deeply: `{deep}`"));
        assert_eq!(words(&large), format!("error parsing regexp: expression too large: `{large}`"));
    }

    #[test]
    fn a_list_of_a_thousand_tags_is_a_pattern() {
        let tags: Vec<_> = (0..1000).map(|patch| format!(r"1\.0\.{patch}")).collect();
        assert!(Pattern::compile(&format!("^({})$", tags.join("|"))).unwrap().is_match("1.0.999"));
    }

    #[test]
    fn what_go_accepts_beyond_our_means_is_told_apart() {
        let why = |pattern: &str| match Pattern::compile(pattern) {
            Err(PatternError::CannotEvaluate(why)) => why,
            other => format!("{other:?}"),
        };
        assert!(why(&("(a".repeat(400) + &")".repeat(400))).ends_with("nest too deeply"));
        assert!(why(&"[a-z]{1000}".repeat(1000)).ends_with("too large"));
        assert!(why(&"a".repeat(30_001)).ends_with("too long"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            text in any::<String>(),
            odd in r"([ab1\-^$.|*+?(){}\[\]\\:&~,<>=é]|\(\?|\[\[:|\\[pPxQECbz01dw]|\{1){0,16}",
            tag in any::<String>(),
        ) {
            for pattern in [&text, &odd] {
                if let Ok(pattern) = Pattern::compile(pattern) {
                    pattern.is_match(&tag);
                }
            }
        }

        #[test]
        fn a_quoted_tag_is_found_in_itself(tag in "[!-\\[\\]-~]{0,30}", around in "[a-z]{0,3}") {
            let pattern = Pattern::compile(&format!(r"^{around}\Q{tag}\E$")).unwrap();
            let tag = format!("{around}{tag}");
            prop_assert!(pattern.is_match(&tag));
        }
    }
}
