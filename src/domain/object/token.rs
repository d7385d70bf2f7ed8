//! YAML text -> tokens, by the rules of libyaml, which both of Go's readers carry on: YAML 1.1 with its limits on keys.
//! It knows no grammar and no meaning.

use super::Dialect;
use memchr::{memchr, memchr3};
use std::{borrow::Cow, collections::VecDeque};

/// Bytes that end no plain scalar, wherever it stands and whatever follows.
const IN_WORDS: [bool; 256] = {
    let mut is = [true; 256];
    let ends = b" \t\r\n\0\xc2\xe2:,?[]{}";
    let mut at = 0;
    while at < ends.len() {
        is[ends[at] as usize] = false;
        at += 1;
    }
    is
};

/// How far a key may reach before its colon.
const KEY: usize = 1024;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    DocumentStart,
    DocumentEnd,
    /// Nobody of Flux reads one: documents are split before.
    Directive,
    BlockList,
    BlockMapping,
    BlockEnd,
    FlowList,
    FlowListEnd,
    FlowMapping,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    /// Whole: `!`, `!foo`, `!!int`, `tag:example.com,2000:x`.
    Tag(Cow<'a, str>),
    Scalar(Cow<'a, str>, Style),
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Quoted,
    Literal,
    Folded,
}

#[derive(Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind<'a>,
    pub line: usize,
}

/// Where and why the text is no YAML.
pub(super) struct Fault {
    pub line: usize,
    pub why: Cow<'static, str>,
}

type Scan<T> = Result<T, Fault>;

/// What may turn out to be a key once its colon is seen.
#[derive(Clone, Copy)]
struct Candidate {
    /// Nothing else may stand there.
    required: bool,
    /// Of the token that it begins with, counted from the first.
    number: usize,
    at: usize,
    line: usize,
    column: isize,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the place")]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    /// Where the line begins.
    margin: usize,
    tokens: VecDeque<Token<'a>>,
    /// Whether the first of them can be given away.
    ready: bool,
    taken: usize,
    indent: isize,
    indents: Vec<isize>,
    /// One for each level of brackets, and one outside.
    candidates: Vec<Option<Candidate>>,
    key_allowed: bool,
    ended: bool,
    dialect: Dialect,
    /// A comment stands before what is fetched.
    commented: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            margin: 0,
            tokens: VecDeque::new(),
            ready: false,
            taken: 0,
            indent: -1,
            indents: Vec::new(),
            candidates: vec![None],
            key_allowed: true,
            ended: false,
            dialect,
            commented: false,
        }
    }

    pub(super) fn peek(&mut self) -> Scan<&Token<'a>> {
        while !self.ready && !self.ended && (self.tokens.len() < self.ahead() || self.head_may_be_key()?) {
            self.fetch()?;
        }
        self.ready = true;
        Ok(self.tokens.front().unwrap_or(const { &Token { kind: Kind::End, line: 1 } }))
    }

    /// The token that was peeked at.
    pub(super) fn next(&mut self) -> Scan<Token<'a>> {
        self.peek()?;
        self.ready = false;
        self.taken += 1;
        Ok(self.tokens.pop_front().unwrap_or(Token { kind: Kind::End, line: self.line }))
    }

    /// How many tokens are looked at before the first is given away: v3 looks for comments.
    const fn ahead(&self) -> usize {
        match self.dialect {
            Dialect::Kustomize => 3,
            Dialect::Helm => 1,
        }
    }

    /// apimachinery ends the last line if the text does not.
    fn ends_line(&self) -> bool {
        self.dialect == Dialect::Helm
    }

    /// The text ends with a comment.
    pub(super) const fn ends_commented(&self) -> bool {
        self.ended && self.commented
    }

    fn fault<T>(&self, why: impl Into<Cow<'static, str>>) -> Scan<T> {
        Err(Fault { line: self.line, why: why.into() })
    }

    fn byte(&self, ahead: usize) -> u8 {
        // the text holds no NUL: that is its end
        self.text.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    /// How long the line break here is; 0: there is none.
    fn line_break(&self, ahead: usize) -> usize {
        match self.byte(ahead) {
            b'\r' if self.byte(ahead + 1) == b'\n' => 2,
            b'\r' | b'\n' => 1,
            0xc2 if self.byte(ahead + 1) == 0x85 => 2,
            0xe2 if self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9) => 3,
            _ => 0,
        }
    }

    fn is_end(&self) -> bool {
        self.at >= self.text.len()
    }

    fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    fn is_gap(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b' ' | b'\t' | b'\r' | b'\n' => true,
            0 => self.at + ahead >= self.text.len(),
            0xc2 | 0xe2 => self.line_break(ahead) > 0,
            _ => false,
        }
    }

    fn column(&self) -> isize {
        isize::try_from(self.at - self.margin).unwrap_or(isize::MAX)
    }

    /// What the break stands for in a text: all but two of them are a line feed.
    fn take_break(&mut self, into: &mut String) {
        let length = self.line_break(0);
        match length {
            0 => return,
            3 => into.push_str(&self.text[self.at..self.at + 3]),
            _ => into.push('\n'),
        }
        self.skip_break(length);
    }

    fn skip_break(&mut self, length: usize) {
        self.at += length;
        self.line += 1;
        self.margin = self.at;
    }

    fn push(&mut self, kind: Kind<'a>) {
        self.tokens.push_back(Token { kind, line: self.line });
    }

    /// Pushes a sign of this many bytes.
    fn sign(&mut self, kind: Kind<'a>, length: usize) {
        self.push(kind);
        self.at += length;
    }

    fn head_may_be_key(&mut self) -> Scan<bool> {
        for level in 0..self.candidates.len() {
            if self.candidates[level].is_some_and(|candidate| candidate.number == self.taken) {
                return self.is_live(level);
            }
        }
        Ok(false)
    }

    /// The candidate can still become a key; else it is dropped.
    fn is_live(&mut self, level: usize) -> Scan<bool> {
        let Some(candidate) = self.candidates[level] else { return Ok(false) };
        let bytes = self.at - candidate.at;
        let reaches = candidate.line == self.line
            && (bytes <= KEY || self.text[candidate.at..self.at].chars().count() <= KEY);
        if !reaches {
            self.drop_candidate(level)?;
        }
        Ok(reaches)
    }

    fn drop_candidate(&mut self, level: usize) -> Scan<()> {
        match self.candidates[level].take() {
            Some(Candidate { required: true, line, .. }) => {
                Err(Fault { line, why: "could not find expected ':'".into() })
            }
            _ => Ok(()),
        }
    }

    fn forget_key(&mut self) -> Scan<()> {
        self.drop_candidate(self.candidates.len() - 1)
    }

    fn note_key(&mut self) -> Scan<()> {
        if !self.key_allowed {
            return Ok(());
        }
        self.forget_key()?;
        let candidate = Candidate {
            required: !self.in_flow() && self.indent == self.column(),
            number: self.taken + self.tokens.len(),
            at: self.at,
            line: self.line,
            column: self.column(),
        };
        if let Some(last) = self.candidates.last_mut() {
            *last = Some(candidate);
        }
        Ok(())
    }

    fn in_flow(&self) -> bool {
        self.candidates.len() > 1
    }

    /// Begins a block if this stands further to the right. `number`: before which token.
    fn indent_to(&mut self, column: isize, number: Option<usize>, kind: Kind<'a>, line: usize) {
        if self.in_flow() || self.indent >= column {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column;
        let at = number.map_or(self.tokens.len(), |number| number - self.taken);
        self.tokens.insert(at, Token { kind, line });
    }

    fn dedent_to(&mut self, column: isize) {
        while !self.in_flow() && self.indent > column {
            self.push(Kind::BlockEnd);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn fetch(&mut self) -> Scan<()> {
        self.commented = false;
        self.skip_to_token();
        self.dedent_to(self.column());
        if self.is_end() {
            self.dedent_to(-1);
            self.forget_key()?;
            self.key_allowed = false;
            self.ended = true;
            self.push(Kind::End);
            return Ok(());
        }
        if self.column() == 0 {
            if self.byte(0) == b'%' {
                return self.fetch_directive();
            }
            if let Some(kind) = self.document_mark() {
                self.dedent_to(-1);
                self.forget_key()?;
                self.key_allowed = false;
                self.sign(kind, 3);
                return Ok(());
            }
        }
        self.fetch_by_first()
    }

    fn fetch_directive(&mut self) -> Scan<()> {
        self.dedent_to(-1);
        self.forget_key()?;
        self.key_allowed = false;
        let known = ["%YAML ", "%TAG "].iter().any(|name| self.text[self.at..].starts_with(name));
        if !known {
            return self.fault("found unknown directive name");
        }
        self.push(Kind::Directive);
        self.skip_line();
        Ok(())
    }

    fn fetch_by_first(&mut self) -> Scan<()> {
        let flow = self.in_flow();
        match self.byte(0) {
            b'[' => self.fetch_flow_start(Kind::FlowList),
            b'{' => self.fetch_flow_start(Kind::FlowMapping),
            b']' => self.fetch_flow_end(Kind::FlowListEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => {
                self.forget_key()?;
                self.key_allowed = true;
                self.sign(Kind::FlowEntry, 1);
                Ok(())
            }
            b'-' if self.is_gap(1) => self.fetch_entry(),
            b'?' if flow || self.is_gap(1) => self.fetch_key(),
            b':' if flow || self.is_gap(1) => self.fetch_value(),
            b'*' | b'&' => self.fetch_anchor(),
            b'!' => self.fetch_tag(),
            b'|' | b'>' if !flow => self.fetch_block_scalar(),
            b'\'' | b'"' => {
                self.note_key()?;
                self.key_allowed = false;
                self.fetch_quoted()
            }
            b'|' | b'>' | b'%' | b'@' | b'`' | b'#' | b'\t' => {
                self.fault("found character that cannot start any token")
            }
            b'?' | b':' if flow => self.fault("found character that cannot start any token"),
            _ => {
                self.note_key()?;
                self.key_allowed = false;
                self.fetch_plain()
            }
        }
    }

    fn skip_to_token(&mut self) {
        loop {
            let tabs = self.in_flow() || !self.key_allowed;
            self.at += self.spaces();
            while tabs && self.byte(0) == b'\t' {
                self.at += 1;
                self.at += self.spaces();
            }
            if self.byte(0) == b'#' {
                self.commented = true;
                self.skip_line();
            }
            match self.line_break(0) {
                0 => return,
                length => self.skip_break(length),
            }
            self.key_allowed |= !self.in_flow();
        }
    }

    /// How many of them come next: a third of a manifest is indentation.
    fn spaces(&self) -> usize {
        const WORD: usize = size_of::<u64>();
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let (words, end) = rest.as_chunks::<WORD>();
        let whole = words.iter().take_while(|word| **word == [b' '; WORD]).count();
        let next = words.get(whole).map_or(end, |word| word.as_slice());
        whole * WORD + next.iter().take_while(|byte| **byte == b' ').count()
    }

    /// To its break.
    fn skip_line(&mut self) {
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let rest = &rest[..memchr3(b'\n', 0xc2, 0xe2, rest).unwrap_or(rest.len())];
            self.at += memchr(b'\r', rest).unwrap_or(rest.len());
            if self.is_end() || self.line_break(0) > 0 {
                return;
            }
            self.at += 1;
        }
    }

    fn skip_while(&mut self, is: impl Fn(u8) -> bool) {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|&byte| !is(byte)).unwrap_or(rest.len());
    }

    /// `---` or `...` here, with nothing glued to it.
    fn document_mark(&self) -> Option<Kind<'a>> {
        let kind = match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'-', b'-', b'-') => Kind::DocumentStart,
            (b'.', b'.', b'.') => Kind::DocumentEnd,
            _ => return None,
        };
        self.is_gap(3).then_some(kind)
    }

    fn fetch_flow_start(&mut self, kind: Kind<'a>) -> Scan<()> {
        self.note_key()?;
        self.candidates.push(None);
        self.key_allowed = true;
        self.sign(kind, 1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind<'a>) -> Scan<()> {
        self.forget_key()?;
        if self.in_flow() {
            self.candidates.pop();
        }
        self.key_allowed = false;
        self.sign(kind, 1);
        Ok(())
    }

    fn fetch_entry(&mut self) -> Scan<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                return self.fault("block sequence entries are not allowed in this context");
            }
            self.indent_to(self.column(), None, Kind::BlockList, self.line);
        }
        self.forget_key()?;
        self.key_allowed = true;
        self.sign(Kind::BlockEntry, 1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Scan<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                return self.fault("mapping keys are not allowed in this context");
            }
            self.indent_to(self.column(), None, Kind::BlockMapping, self.line);
        }
        self.forget_key()?;
        self.key_allowed = !self.in_flow();
        self.sign(Kind::Key, 1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Scan<()> {
        let level = self.candidates.len() - 1;
        if self.is_live(level)?
            && let Some(key) = self.candidates[level].take()
        {
            self.tokens.insert(key.number - self.taken, Token { kind: Kind::Key, line: key.line });
            self.indent_to(key.column, Some(key.number), Kind::BlockMapping, key.line);
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return self.fault("mapping values are not allowed in this context");
                }
                self.indent_to(self.column(), None, Kind::BlockMapping, self.line);
            }
            self.key_allowed = !self.in_flow();
        }
        self.sign(Kind::Value, 1);
        Ok(())
    }

    fn fetch_anchor(&mut self) -> Scan<()> {
        self.note_key()?;
        self.key_allowed = false;
        let alias = self.byte(0) == b'*';
        let begin = self.at + 1;
        let length = letters(&self.text[begin..]);
        self.at = begin + length;
        let ends =
            self.is_gap(0) || matches!(self.byte(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if length == 0 || !ends {
            return self.fault("did not find expected alphabetic or numeric character");
        }
        let name = &self.text[begin..self.at];
        self.push(if alias { Kind::Alias(name) } else { Kind::Anchor(name) });
        Ok(())
    }

    fn fetch_tag(&mut self) -> Scan<()> {
        self.note_key()?;
        self.key_allowed = false;
        let tag = if self.byte(1) == b'<' {
            self.at += 2;
            let uri = self.uri(true)?;
            if self.byte(0) != b'>' {
                return self.fault("did not find the expected '>'");
            }
            self.at += 1;
            uri
        } else {
            let handle = 1 + letters(&self.text[self.at + 1..]);
            match self.byte(handle) {
                b'!' if handle == 1 => {
                    self.at += 2;
                    Cow::Owned(format!("tag:yaml.org,2002:{}", self.uri(true)?))
                }
                b'!' => return self.fault("found undefined tag handle"),
                _ => {
                    self.at += 1;
                    Cow::Owned(format!("!{}", self.uri(false)?))
                }
            }
        };
        if !self.is_gap(0) {
            return self.fault("did not find expected whitespace or line break");
        }
        let short = tag.strip_prefix("tag:yaml.org,2002:").map(|name| Cow::Owned(format!("!!{name}")));
        self.push(Kind::Tag(short.unwrap_or(tag)));
        Ok(())
    }

    fn uri(&mut self, required: bool) -> Scan<Cow<'a, str>> {
        let mut found = Vec::new();
        loop {
            match self.byte(0) {
                b'%' => {
                    let octet = self.text.get(self.at + 1..self.at + 3);
                    let Some(octet) = octet.and_then(|hex| u8::from_str_radix(hex, 16).ok()) else {
                        return self.fault("did not find URI escaped octet");
                    };
                    found.push(octet);
                    self.at += 3;
                }
                byte if byte.is_ascii_alphanumeric() || b"_-;/?:@&=+$,.!~*'()[]".contains(&byte) => {
                    found.push(byte);
                    self.at += 1;
                }
                _ => break,
            }
        }
        if found.is_empty() && required {
            return self.fault("did not find expected tag URI");
        }
        match String::from_utf8(found) {
            Ok(uri) => Ok(Cow::Owned(uri)),
            Err(_) => self.fault("found an incorrect UTF-8 octet"),
        }
    }

    fn fetch_block_scalar(&mut self) -> Scan<()> {
        self.forget_key()?;
        self.key_allowed = true;
        let line = self.line;
        let folded = self.byte(0) == b'>';
        self.at += 1;
        let (keeps, strips, step) = self.block_header()?;
        let mut indent = step.map(|step| self.indent.max(0) + step);
        let (mut text, mut first, mut more) = (String::new(), String::new(), String::new());
        self.block_breaks(&mut indent, &mut more)?;
        let mut was_blank = false;
        while Some(self.column()) == indent && !self.is_end() {
            let blank = self.is_blank(0);
            if folded && !was_blank && !blank && first == "\n" {
                if more.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&first);
            }
            first.clear();
            text.push_str(&more);
            more.clear();
            was_blank = blank;
            let begin = self.at;
            self.skip_line();
            text.push_str(&self.text[begin..self.at]);
            if self.is_end() && self.ends_line() {
                first.push('\n');
                break;
            }
            self.take_break(&mut first);
            self.block_breaks(&mut indent, &mut more)?;
        }
        if !strips {
            text.push_str(&first);
        }
        if keeps {
            text.push_str(&more);
        }
        let style = if folded { Style::Folded } else { Style::Literal };
        self.tokens.push_back(Token { kind: Kind::Scalar(Cow::Owned(text), style), line });
        Ok(())
    }

    /// What stands behind `|` or `>`, and its line break: keeps all breaks, strips all, how far it is indented.
    fn block_header(&mut self) -> Scan<(bool, bool, Option<isize>)> {
        let (mut chomping, mut step) = (0, None);
        for _ in 0..2 {
            match self.byte(0) {
                sign @ (b'+' | b'-') if chomping == 0 => chomping = sign,
                b'0' if step.is_none() => return self.fault("found an indentation indicator equal to 0"),
                digit @ b'1'..=b'9' if step.is_none() => {
                    step = Some(isize::from(u8::cast_signed(digit - b'0')));
                }
                _ => break,
            }
            self.at += 1;
        }
        while self.is_blank(0) {
            self.at += 1;
        }
        if self.byte(0) == b'#' {
            self.skip_line();
        }
        let length = self.line_break(0);
        if length == 0 && !self.is_end() {
            return self.fault("did not find expected comment or line break");
        }
        if length > 0 {
            self.skip_break(length);
        }
        Ok((chomping == b'+', chomping == b'-', step))
    }

    /// Empty lines, and the indentation of the first that is not.
    fn block_breaks(&mut self, indent: &mut Option<isize>, breaks: &mut String) -> Scan<()> {
        let mut widest = 0;
        loop {
            let left = indent.map(|indent| usize::try_from(indent - self.column()).unwrap_or_default());
            self.at += self.spaces().min(left.unwrap_or(usize::MAX));
            widest = widest.max(self.column());
            if indent.is_none_or(|indent| self.column() < indent) && self.byte(0) == b'\t' {
                return self.fault("found a tab character where an indentation space is expected");
            }
            if self.line_break(0) == 0 {
                let is_empty = self.text[self.margin..self.at].bytes().all(|byte| byte == b' ');
                if self.is_end() && self.column() > 0 && self.ends_line() && is_empty {
                    breaks.push('\n');
                }
                break;
            }
            self.take_break(breaks);
        }
        indent.get_or_insert(widest.max(self.indent + 1).max(1));
        Ok(())
    }

    fn fetch_quoted(&mut self) -> Scan<()> {
        let line = self.line;
        let quote = self.byte(0);
        self.at += 1;
        // most are one piece
        let begin = self.at;
        let plain = self.text.as_bytes()[begin..]
            .iter()
            .position(|&byte| byte == quote || matches!(byte, b'\\' | b'\r' | b'\n' | 0xc2 | 0xe2));
        if let Some(length) = plain
            && self.text.as_bytes()[begin + length] == quote
            && self.text.as_bytes().get(begin + length + 1) != Some(&b'\'')
        {
            let text = &self.text[begin..begin + length];
            self.at = begin + length + 1;
            self.tokens.push_back(Token { kind: Kind::Scalar(Cow::Borrowed(text), Style::Quoted), line });
            return Ok(());
        }
        let mut text = String::new();
        loop {
            if self.column() == 0 && self.document_mark().is_some() {
                return Err(Fault { line, why: "found unexpected document indicator".into() });
            }
            if self.is_end() {
                return Err(Fault { line, why: "found unexpected end of stream".into() });
            }
            let joined = self.quoted_words(quote, &mut text)?;
            if self.byte(0) == quote {
                break;
            }
            self.quoted_gap(joined, &mut text);
        }
        self.at += 1;
        self.tokens.push_back(Token { kind: Kind::Scalar(Cow::Owned(text), Style::Quoted), line });
        Ok(())
    }

    /// To the next gap or the closing quote. True: an escaped line break joins what follows.
    fn quoted_words(&mut self, quote: u8, text: &mut String) -> Scan<bool> {
        loop {
            let begin = self.at;
            while !self.is_gap(0) && self.byte(0) != quote && (quote == b'\'' || self.byte(0) != b'\\') {
                self.at += 1;
            }
            text.push_str(&self.text[begin..self.at]);
            match self.byte(0) {
                b'\'' if quote == b'\'' && self.byte(1) == b'\'' => {
                    text.push('\'');
                    self.at += 2;
                }
                b'\\' if quote == b'"' => match self.line_break(1) {
                    0 => self.escape(text)?,
                    length => {
                        self.at += 1;
                        self.skip_break(length);
                        return Ok(true);
                    }
                },
                _ => return Ok(false),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Scan<()> {
        let digits = match self.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            other => {
                let Some(c) = escaped(other) else { return self.fault("found unknown escape character") };
                text.push(c);
                self.at += 2;
                return Ok(());
            }
        };
        let begin = self.at + 2;
        let hex = self.text.get(begin..begin + digits);
        let hex = hex.filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(hex) = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()) else {
            return self.fault("did not find expected hexdecimal number");
        };
        let Some(c) = char::from_u32(hex) else {
            return self.fault("found invalid Unicode character escape code");
        };
        text.push(c);
        self.at = begin + digits;
        Ok(())
    }

    /// Blanks stay, a break becomes a blank, more breaks stay but one.
    fn quoted_gap(&mut self, joined: bool, text: &mut String) {
        let begin = self.at;
        while self.is_blank(0) {
            self.at += 1;
        }
        if self.line_break(0) == 0 && !joined {
            text.push_str(&self.text[begin..self.at]);
            return;
        }
        let (mut first, mut more) = (String::new(), String::new());
        if !joined {
            self.take_break(&mut first);
        }
        self.skip_gap(&mut more);
        fold(&first, &more, text);
    }

    fn skip_gap(&mut self, breaks: &mut String) {
        loop {
            if self.is_blank(0) {
                self.at += 1;
            } else if self.line_break(0) > 0 {
                self.take_break(breaks);
            } else {
                return;
            }
        }
    }

    fn fetch_plain(&mut self) -> Scan<()> {
        let line = self.line;
        let (mut text, mut broken) = (Cow::Borrowed(""), false);
        let (mut first, mut more) = (String::new(), String::new());
        loop {
            if self.column() == 0 && self.document_mark().is_some() || self.byte(0) == b'#' {
                break;
            }
            let (begin, end) = self.plain_line();
            if end > begin {
                if broken {
                    let text = text.to_mut();
                    fold(&first, &more, text);
                    text.push_str(&self.text[begin..end]);
                    first.clear();
                    more.clear();
                    broken = false;
                } else {
                    text = Cow::Borrowed(&self.text[begin..end]);
                }
            }
            if self.line_break(0) == 0 {
                break;
            }
            self.take_break(&mut first);
            broken = true;
            self.plain_gap(&mut more)?;
            if !self.in_flow() && self.column() < self.indent + 1 {
                break;
            }
        }
        self.key_allowed |= broken;
        self.tokens.push_back(Token { kind: Kind::Scalar(text, Style::Plain), line });
        Ok(())
    }

    /// The words of one line, as far as they are plain: where they begin and end. Blanks behind them are skipped.
    fn plain_line(&mut self) -> (usize, usize) {
        let begin = self.at;
        let mut end = self.at;
        loop {
            if self.skip_words() {
                end = self.at;
            }
            if !self.is_blank(0) {
                return (begin, end);
            }
            while self.is_blank(0) {
                self.at += 1;
            }
            if self.byte(0) == b'#' {
                return (begin, end);
            }
        }
    }

    /// To what ends a plain scalar, or to a blank; false: it stands there already.
    fn skip_words(&mut self) -> bool {
        let begin = self.at;
        loop {
            self.skip_while(|byte| IN_WORDS[usize::from(byte)]);
            if self.is_gap(0) || self.ends_plain() {
                return self.at > begin;
            }
            self.at += 1;
        }
    }

    fn ends_plain(&self) -> bool {
        match self.byte(0) {
            b':' => self.is_gap(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.in_flow(),
            _ => false,
        }
    }

    fn plain_gap(&mut self, breaks: &mut String) -> Scan<()> {
        loop {
            if self.is_blank(0) {
                if self.byte(0) == b'\t' && self.column() < self.indent + 1 {
                    return self.fault("found a tab character that violates indentation");
                }
                self.at += 1;
            } else if self.line_break(0) > 0 {
                self.take_break(breaks);
            } else {
                return Ok(());
            }
        }
    }
}

/// What lines become in one text: the first break a blank if no other follows, unless it is no line feed.
fn fold(first: &str, more: &str, text: &mut String) {
    match first {
        "\n" if more.is_empty() => text.push(' '),
        "\n" => text.push_str(more),
        first => {
            text.push_str(first);
            text.push_str(more);
        }
    }
}

fn letters(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count()
}

const fn escaped(byte: u8) -> Option<char> {
    Some(match byte {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        b' ' => ' ',
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
