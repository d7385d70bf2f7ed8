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
    let mut parser = Parser { scanner: Scanner::new(text, dialect), reader, line: 1 };
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

    /// A node with its anchor and tag. `block`: blocks may begin here. `flush`: a list may begin at the margin of its
    /// key.
    fn node(&mut self, block: bool, flush: bool) -> Parse<()> {
        if let Kind::Alias(name) = *self.peek()? {
            let told = self.reader.alias(name);
            self.told(told)?;
            return self.skip();
        }
        let (anchor, tag) = self.properties()?;
        match self.peek()? {
            Kind::BlockEntry if flush => {
                self.begin(Shape::List, false, anchor)?;
                self.flush_list()
            }
            Kind::Scalar(..) => {
                let line = self.line;
                let Kind::Scalar(text, style) = self.scanner.next()?.kind else { return Ok(()) };
                self.line = line;
                let told = self.reader.scalar(Scalar { text, style, tag }, anchor);
                self.told(told)
            }
            Kind::FlowList => {
                self.begin(Shape::List, true, anchor)?;
                self.flow_list()
            }
            Kind::FlowMapping => {
                self.begin(Shape::Mapping, true, anchor)?;
                self.flow_mapping()
            }
            Kind::BlockList if block => {
                self.begin(Shape::List, false, anchor)?;
                self.block_list()
            }
            Kind::BlockMapping if block => {
                self.begin(Shape::Mapping, false, anchor)?;
                self.block_mapping()
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

    fn block_list(&mut self) -> Parse<()> {
        self.skip()?;
        loop {
            match self.peek()? {
                Kind::BlockEntry => {
                    self.skip()?;
                    match self.peek()? {
                        Kind::BlockEntry | Kind::BlockEnd => self.nothing()?,
                        _ => self.node(true, false)?,
                    }
                }
                Kind::BlockEnd => {
                    self.end()?;
                    return self.skip();
                }
                _ => return self.fault("did not find expected '-' indicator"),
            }
        }
    }

    fn flush_list(&mut self) -> Parse<()> {
        while *self.peek()? == Kind::BlockEntry {
            self.skip()?;
            match self.peek()? {
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd => self.nothing()?,
                _ => self.node(true, false)?,
            }
        }
        self.end()
    }

    fn block_mapping(&mut self) -> Parse<()> {
        self.skip()?;
        loop {
            match self.peek()? {
                Kind::Key => {
                    self.skip()?;
                    self.block_part()?;
                }
                Kind::BlockEnd => {
                    self.end()?;
                    return self.skip();
                }
                _ => return self.fault("did not find expected key"),
            }
            if *self.peek()? == Kind::Value {
                self.skip()?;
                self.block_part()?;
            } else {
                self.nothing()?;
            }
        }
    }

    fn block_part(&mut self) -> Parse<()> {
        match self.peek()? {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.nothing(),
            _ => self.node(true, true),
        }
    }

    fn flow_list(&mut self) -> Parse<()> {
        self.skip()?;
        let mut first = true;
        while *self.peek()? != Kind::FlowListEnd {
            if !first {
                if *self.peek()? != Kind::FlowEntry {
                    return self.fault("did not find expected ',' or ']'");
                }
                self.skip()?;
            }
            first = false;
            match self.peek()? {
                Kind::Key => {
                    self.begin(Shape::Mapping, true, None)?;
                    self.skip()?;
                    self.flow_pair()?;
                    self.end()?;
                }
                Kind::FlowListEnd => break,
                _ => self.node(false, false)?,
            }
        }
        self.end()?;
        self.skip()
    }

    /// `key: value` without braces, in a list.
    fn flow_pair(&mut self) -> Parse<()> {
        match self.peek()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowListEnd => {
                // libyaml drops the token here: `[? , a]`
                self.skip()?;
                self.nothing()?;
            }
            _ => self.node(false, false)?,
        }
        if *self.peek()? == Kind::Value {
            self.skip()?;
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowListEnd) {
                return self.node(false, false);
            }
        }
        self.nothing()
    }

    fn flow_mapping(&mut self) -> Parse<()> {
        self.skip()?;
        let mut first = true;
        while *self.peek()? != Kind::FlowMappingEnd {
            if !first {
                if *self.peek()? != Kind::FlowEntry {
                    return self.fault("did not find expected ',' or '}'");
                }
                self.skip()?;
            }
            first = false;
            match self.peek()? {
                Kind::Key => {
                    self.skip()?;
                    self.flow_field()?;
                }
                Kind::FlowMappingEnd => break,
                _ => {
                    self.node(false, false)?;
                    self.nothing()?;
                }
            }
        }
        self.end()?;
        self.skip()
    }

    fn flow_field(&mut self) -> Parse<()> {
        match self.peek()? {
            Kind::Value | Kind::FlowEntry | Kind::FlowMappingEnd => self.nothing()?,
            _ => self.node(false, false)?,
        }
        if *self.peek()? == Kind::Value {
            self.skip()?;
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowMappingEnd) {
                return self.node(false, false);
            }
        }
        self.nothing()
    }
}
