//! Tokens -> nodes, in the order in which they are written (libyaml's grammar). What they mean is [`super::reader`]'s.

use super::{
    Dialect,
    reader::{Reader, Scalar, Shape},
    token::{Fault, Kind, Scanner, Style},
};
use std::borrow::Cow;

type Parse<T> = Result<T, Fault>;

/// Feeds the first document of the text to the reader.
pub(super) fn feed<'a>(text: &'a str, dialect: Dialect, reader: &mut Reader<'a>) -> Parse<()> {
    let mut parser = Parser { scanner: Scanner::new(text, dialect), reader, line: 1, open: Vec::new() };
    if *parser.peek()? == Kind::DocumentStart {
        parser.skip()?;
        if matches!(parser.peek()?, Kind::DocumentStart | Kind::DocumentEnd | Kind::End) {
            return Ok(());
        }
    }
    match parser.peek()? {
        Kind::End => Ok(()),
        Kind::Directive => parser.fault("directives are not allowed: did not find expected <document start>"),
        _ => {
            parser.node(true, false)?;
            while let Some(part) = parser.open.pop() {
                parser.go_on(part)?;
            }
            // one token behind it must be readable
            if *parser.peek()? == Kind::End && parser.scanner.ends_commented() {
                parser.reader.end_commented();
            }
            Ok(())
        }
    }
}

struct Parser<'a, 'r> {
    scanner: Scanner<'a>,
    reader: &'r mut Reader<'a>,
    /// Of the token that was looked at.
    line: usize,
    /// What is still to be read of the collections that are open, the innermost last: however deep they are, the stack
    /// of the thread is not.
    open: Vec<Part>,
}

/// Where the reading of a collection goes on.
#[derive(Clone, Copy)]
enum Part {
    BlockList,
    /// At the margin of its key.
    FlushList,
    BlockMapping,
    BlockValue,
    FlowList {
        first: bool,
    },
    /// `key: value` without braces, in a list.
    PairValue,
    PairEnd,
    FlowMapping {
        first: bool,
    },
    FlowValue,
    /// A field without a value.
    Nothing,
}

impl<'a> Parser<'a, '_> {
    fn peek(&mut self) -> Parse<&Kind<'a>> {
        let token = self.scanner.peek()?;
        self.line = token.line;
        Ok(&token.kind)
    }

    fn skip(&mut self) -> Parse<()> {
        self.scanner.next().map(drop)
    }

    fn fault<T>(&self, why: &'static str) -> Parse<T> {
        Err(Fault { line: self.line, why: why.into() })
    }

    /// What the reader says about what was just given to it.
    fn told(&self, told: Result<(), String>) -> Parse<()> {
        told.map_err(|why| Fault { line: self.line, why: why.into() })
    }

    fn nothing(&mut self) -> Parse<()> {
        let scalar = Scalar { text: Cow::Borrowed(""), style: Style::Plain, tag: None };
        let told = self.reader.scalar(scalar, None);
        self.told(told)
    }

    fn begin(&mut self, shape: Shape, flow: bool, anchor: Option<&'a str>) -> Parse<()> {
        let told = self.reader.begin(shape, flow, anchor);
        self.told(told)
    }

    fn end(&mut self) -> Parse<()> {
        let told = self.reader.end();
        self.told(told)
    }

    fn enter(&mut self, shape: Shape, anchor: Option<&'a str>, part: Part) -> Parse<()> {
        let flow = matches!(part, Part::FlowList { .. } | Part::FlowMapping { .. });
        self.begin(shape, flow, anchor)?;
        self.open.push(part);
        Ok(())
    }

    /// A node that is in an open collection, which goes on with `then`.
    fn inside(&mut self, block: bool, flush: bool, then: Part) -> Parse<()> {
        self.open.push(then);
        self.node(block, flush)
    }

    /// Nothing, where a node could be.
    fn nothing_inside(&mut self, then: Part) -> Parse<()> {
        self.open.push(then);
        self.nothing()
    }

    /// A node with its anchor and tag; of a collection its beginning. `block`: blocks may begin here. `flush`: a list may begin at the margin of its
    /// key.
    fn node(&mut self, block: bool, flush: bool) -> Parse<()> {
        if let Kind::Alias(name) = *self.peek()? {
            let told = self.reader.alias(name);
            self.told(told)?;
            return self.skip();
        }
        let (anchor, tag) = self.properties()?;
        match self.peek()? {
            Kind::BlockEntry if flush => self.enter(Shape::List, anchor, Part::FlushList),
            Kind::Scalar(..) => {
                let line = self.line;
                let Kind::Scalar(text, style) = self.scanner.next()?.kind else { return Ok(()) };
                self.line = line;
                let told = self.reader.scalar(Scalar { text, style, tag }, anchor);
                self.told(told)
            }
            Kind::FlowList => {
                self.enter(Shape::List, anchor, Part::FlowList { first: true })?;
                self.skip()
            }
            Kind::FlowMapping => {
                self.enter(Shape::Mapping, anchor, Part::FlowMapping { first: true })?;
                self.skip()
            }
            Kind::BlockList if block => {
                self.enter(Shape::List, anchor, Part::BlockList)?;
                self.skip()
            }
            Kind::BlockMapping if block => {
                self.enter(Shape::Mapping, anchor, Part::BlockMapping)?;
                self.skip()
            }
            _ if anchor.is_some() || tag.is_some() => {
                let scalar = Scalar { text: Cow::Borrowed(""), style: Style::Plain, tag };
                let told = self.reader.scalar(scalar, anchor);
                self.told(told)
            }
            _ => self.fault("did not find expected node content"),
        }
    }

    fn properties(&mut self) -> Parse<(Option<&'a str>, Option<Cow<'a, str>>)> {
        let (mut anchor, mut tag) = (None, None);
        loop {
            match self.peek()? {
                Kind::Anchor(name) if anchor.is_none() => {
                    anchor = Some(*name);
                    self.skip()?;
                }
                Kind::Tag(_) if tag.is_none() => {
                    if let Kind::Tag(name) = self.scanner.next()?.kind {
                        tag = Some(name);
                    }
                }
                _ => return Ok((anchor, tag)),
            }
        }
    }

    fn go_on(&mut self, part: Part) -> Parse<()> {
        match part {
            Part::BlockList => self.block_list(),
            Part::FlushList => self.flush_list(),
            Part::BlockMapping => self.block_mapping(),
            Part::BlockValue => self.block_value(),
            Part::FlowList { first } => self.flow_list(first),
            Part::PairValue => self.pair_value(),
            Part::PairEnd => self.end(),
            Part::FlowMapping { first } => self.flow_mapping(first),
            Part::FlowValue => self.flow_value(),
            Part::Nothing => self.nothing(),
        }
    }

    fn block_list(&mut self) -> Parse<()> {
        match self.peek()? {
            Kind::BlockEntry => {
                self.skip()?;
                match self.peek()? {
                    Kind::BlockEntry | Kind::BlockEnd => self.nothing_inside(Part::BlockList),
                    _ => self.inside(true, false, Part::BlockList),
                }
            }
            Kind::BlockEnd => {
                self.end()?;
                self.skip()
            }
            _ => self.fault("did not find expected '-' indicator"),
        }
    }

    fn flush_list(&mut self) -> Parse<()> {
        if *self.peek()? != Kind::BlockEntry {
            return self.end();
        }
        self.skip()?;
        match self.peek()? {
            Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => {
                self.nothing_inside(Part::FlushList)
            }
            _ => self.inside(true, false, Part::FlushList),
        }
    }

    fn block_mapping(&mut self) -> Parse<()> {
        match self.peek()? {
            Kind::Key => {
                self.skip()?;
                self.block_part(Part::BlockValue)
            }
            Kind::BlockEnd => {
                self.end()?;
                self.skip()
            }
            _ => self.fault("did not find expected key"),
        }
    }

    fn block_value(&mut self) -> Parse<()> {
        if *self.peek()? != Kind::Value {
            return self.nothing_inside(Part::BlockMapping);
        }
        self.skip()?;
        self.block_part(Part::BlockMapping)
    }

    fn block_part(&mut self, then: Part) -> Parse<()> {
        match self.peek()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.nothing_inside(then),
            _ => self.inside(true, true, then),
        }
    }

    fn flow_list(&mut self, first: bool) -> Parse<()> {
        const THEN: Part = Part::FlowList { first: false };
        if !first && *self.peek()? != Kind::FlowListEnd {
            if *self.peek()? != Kind::FlowEntry {
                return self.fault("did not find expected ',' or ']'");
            }
            self.skip()?;
        }
        match self.peek()? {
            Kind::FlowListEnd => {
                self.end()?;
                self.skip()
            }
            Kind::Key => {
                self.begin(Shape::Mapping, true, None)?;
                self.skip()?;
                self.open.push(THEN);
                self.pair_key()
            }
            _ => self.inside(false, false, THEN),
        }
    }

    fn pair_key(&mut self) -> Parse<()> {
        match self.peek()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowListEnd => {
                // libyaml drops the token here: `[? , a]`
                self.skip()?;
                self.nothing_inside(Part::PairValue)
            }
            _ => self.inside(false, false, Part::PairValue),
        }
    }

    fn pair_value(&mut self) -> Parse<()> {
        if *self.peek()? == Kind::Value {
            self.skip()?;
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowListEnd) {
                return self.inside(false, false, Part::PairEnd);
            }
        }
        self.nothing_inside(Part::PairEnd)
    }

    fn flow_mapping(&mut self, first: bool) -> Parse<()> {
        if !first && *self.peek()? != Kind::FlowMappingEnd {
            if *self.peek()? != Kind::FlowEntry {
                return self.fault("did not find expected ',' or '}'");
            }
            self.skip()?;
        }
        if *self.peek()? == Kind::FlowMappingEnd {
            self.end()?;
            return self.skip();
        }
        self.open.push(Part::FlowMapping { first: false });
        if *self.peek()? != Kind::Key {
            return self.inside(false, false, Part::Nothing);
        }
        self.skip()?;
        match self.peek()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => self.nothing_inside(Part::FlowValue),
            _ => self.inside(false, false, Part::FlowValue),
        }
    }

    fn flow_value(&mut self) -> Parse<()> {
        if *self.peek()? == Kind::Value {
            self.skip()?;
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowMappingEnd) {
                return self.node(false, false);
            }
        }
        self.nothing()
    }
}
