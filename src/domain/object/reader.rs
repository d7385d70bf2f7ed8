//! One YAML document -> what a reader of Flux makes of it: what its nodes mean, as go-yaml v2 (Helm, kubectl) and kyaml
//! (kustomize) decide it. How they are written is [`super::grammar`]'s. Depth and aliases are limited.

use super::{
    Broken, Dialect, folded, grammar,
    scalar::{self, Meaning},
    stream,
    token::Style,
};
use serde_json::{Map, Number, Value};
use std::{borrow::Cow, collections::HashMap};

/// Of mappings and lists in each other, aliases written out. Go's readers go to 10,000; whoever walks a value here calls
/// itself for each level, at up to 1.7 KiB of a stack of 2 MiB.
const DEPTH: usize = 512;
/// What aliases may write out in one document. Kustomize has no such limit but its memory.
const NODES: usize = 400_000;
const BYTES: usize = 64 << 20;
/// Fields of one mapping that are compared with each new one instead of being looked up.
const FEW: usize = 16;

type Read<T> = Result<T, String>;

/// See [`super::parse`].
pub(super) fn read(text: &str, dialect: Dialect) -> Result<Option<Value>, Broken> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if dialect == Dialect::Helm
        && text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        let settled = settle(value).map_err(|why| Broken::new(1, why))?;
        return Ok(Some(settled));
    }
    check(text, dialect)?;
    let mut reader = Reader::new(dialect);
    let read = grammar::feed(text, dialect, &mut reader);
    read.map_err(|fault| Broken { line: fault.line, why: fault.why.into(), limit: reader.at_limit })?;
    reader.finish()
}

/// What is refused before a token is read.
fn check(text: &str, dialect: Dialect) -> Result<(), Broken> {
    // kyaml leaves the first line to the parser
    let from = match dialect {
        Dialect::Kustomize => text.find('\n').unwrap_or(text.len()),
        Dialect::Helm => 0,
    };
    if let Some((line, found)) = stream::misplaced(text, from) {
        return Err(Broken::new(line, format!("invalid document separator: {found}")));
    }
    match control(text) {
        Some(at) => Err(Broken::new(stream::breaks(&text[..at]) + 1, "control characters are not allowed")),
        None => Ok(()),
    }
}

/// Bytes that are looked at together: most texts hold none that matters.
const TOGETHER: usize = 64;

/// Where the first character is that may not stand in YAML, escaped or not.
fn control(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let next = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let is_one = |at: usize| match bytes[at] {
        0xc2 => matches!(next(at + 1), 0x80..=0x84 | 0x86..=0x9f),
        0xef => next(at + 1) == 0xbf && next(at + 2) >= 0xbe,
        byte => may_be_control(byte),
    };
    // without a branch for each byte
    let holds_some = |chunk: &[u8]| chunk.iter().fold(false, |some, &byte| some | may_be_control(byte));
    let chunks = bytes.chunks(TOGETHER).enumerate().filter(|(_, chunk)| holds_some(chunk));
    chunks.flat_map(|(number, chunk)| (number * TOGETHER..).take(chunk.len())).find(|&at| is_one(at))
}

/// It is a control character, or one may begin with it.
#[expect(clippy::needless_bitwise_bool, reason = "without a branch for each byte")]
const fn may_be_control(byte: u8) -> bool {
    (byte < b' ') & (byte != b'\t') & (byte != b'\n') & (byte != b'\r')
        | (byte == 0x7f)
        | (byte == 0xc2)
        | (byte == 0xef)
}

/// A value that is complete, and what must be known of it if it is used elsewhere.
struct Node {
    value: Value,
    /// Of a scalar: what it is as a key.
    key: Option<Key>,
    /// A plain scalar of no characters: inside brackets, or as a key, kustomize makes it an empty string.
    blank: bool,
    weight: Weight,
}

#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
    height: usize,
}

#[derive(Clone)]
enum Key {
    Field(String),
    /// A field by its text, but no string: kustomize writes JSON of it at the top only.
    Odd(String),
    Merge,
    /// `"<<"` in quotes: kustomize drops it with its value.
    Dropped,
    Bad(Cow<'static, str>),
}

/// What a name stands for.
enum Anchored {
    Node(Node),
    /// A collection that is being read, by its place: it would contain itself.
    Open(usize),
}

/// What a collection is that begins.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    List,
    Mapping,
}

/// A collection that is being read.
struct Open<'a> {
    collection: Collection,
    anchor: Option<&'a str>,
    /// In brackets, itself or what it is in.
    flow: bool,
    weight: Weight,
}

enum Collection {
    /// Where its items begin in [`Reader::items`].
    List(usize),
    Mapping(Mapping),
}

type Field = (String, Value);

struct Mapping {
    /// Where its fields begin in [`Reader::fields`].
    from: usize,
    /// The fields of one that has many, to look them up.
    many: Option<Map<String, Value>>,
    key: Option<Key>,
    /// Kustomize: what `<<` brings, applied at the end.
    merged: Option<Vec<Map<String, Value>>>,
}

/// A scalar as it was written.
pub(super) struct Scalar<'a> {
    pub text: Cow<'a, str>,
    pub style: Style,
    /// As [`super::token::Kind::Tag`] has it.
    pub tag: Option<Cow<'a, str>>,
}

pub(super) struct Reader<'a> {
    dialect: Dialect,
    open: Vec<Open<'a>>,
    /// What is in the lists and mappings that are being read, the outermost first: each is made when it is known how
    /// much it holds.
    items: Vec<Value>,
    fields: Vec<Field>,
    anchors: HashMap<&'a str, Anchored>,
    root: Option<Node>,
    /// Nodes as go-yaml counts them.
    nodes: usize,
    /// Those of them that aliases brought.
    expanded: Weight,
    /// What stands in [`Reader::anchors`].
    kept: Weight,
    /// The last that was read is text in a block that keeps empty lines at its end.
    ends_open: bool,
    /// What was refused last goes over a limit that is not Go's.
    at_limit: bool,
}

impl<'a> Reader<'a> {
    fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            open: Vec::new(),
            items: Vec::new(),
            fields: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            nodes: 1,
            expanded: Weight::default(),
            kept: Weight::default(),
            ends_open: false,
            at_limit: false,
        }
    }

    fn finish(self) -> Result<Option<Value>, Broken> {
        let value = match self.root {
            None | Some(Node { value: Value::Null, .. }) => return Ok(None),
            Some(Node { value, .. }) => value,
        };
        if self.dialect == Dialect::Kustomize && !(value.is_object() || value.is_array()) {
            return Err(Broken::new(1, "neither a mapping nor a list"));
        }
        Ok(Some(value))
    }

    /// A comment ends the document. Kustomize writes it behind an empty line, which is read again as part of the text.
    pub(super) fn end_commented(&mut self) {
        let mut last = self.root.as_mut().map(|node| &mut node.value).filter(|_| self.ends_open);
        while let Some(value) = last {
            last = match value {
                Value::Object(fields) => fields.values_mut().next_back(),
                Value::Array(items) => items.last_mut(),
                Value::String(text) => {
                    text.push('\n');
                    None
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => None,
            };
        }
    }

    fn in_flow(&self) -> bool {
        self.open.last().is_some_and(|open| open.flow)
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { collection: Collection::Mapping(mapping), .. }) if mapping.key.is_none())
    }

    pub(super) fn scalar(&mut self, mut scalar: Scalar<'_>, anchor: Option<&'a str>) -> Read<()> {
        self.nodes += 1;
        if self.dialect == Dialect::Kustomize && !self.wants_key() {
            scalar.written_again()?;
        }
        self.ends_open = self.dialect == Dialect::Kustomize && scalar.is_open();
        let blank = scalar.style == Style::Plain && scalar.tag.is_none() && scalar.text.is_empty();
        let weight = Weight { nodes: 1, bytes: scalar.text.len(), height: 0 };
        if scalar.is_text() && anchor.is_none() && !self.wants_key() {
            let value = Value::String(scalar.text.into_owned());
            return self.complete(Node { value, key: None, blank, weight }, None, false);
        }
        let (value, key) = match self.judge(&scalar, anchor.is_some()) {
            Err(_) if self.is_dropped() => (Value::Null, None),
            judged => judged?,
        };
        self.complete(Node { value, key, blank, weight }, anchor, false)
    }

    /// What a scalar is where it stands, as a key and as a value; `both`: it may be used elsewhere.
    fn judge(&self, scalar: &Scalar<'_>, both: bool) -> Read<(Value, Option<Key>)> {
        let mut meaning = scalar.meaning(self.dialect)?;
        if matches!(meaning, Meaning::Time(_)) && self.in_flow() && scalar.is_quoted_in_flow() {
            meaning = Meaning::Text(Cow::Borrowed(&*scalar.text));
        }
        let wants_key = self.wants_key();
        let key = (wants_key || both).then(|| scalar.key(&meaning, self.dialect));
        let value = if wants_key && !both { Value::Null } else { scalar.value(meaning, self.dialect)? };
        Ok((value, key))
    }

    pub(super) fn begin(&mut self, shape: Shape, flow: bool, anchor: Option<&'a str>) -> Read<()> {
        self.ends_open = false;
        self.nodes += 1;
        if self.open.len() >= DEPTH {
            self.at_limit = true;
            return Err(too_deep());
        }
        if let Some(name) = anchor {
            self.anchors.insert(name, Anchored::Open(self.open.len()));
        }
        let flow = flow || self.in_flow();
        let weight = Weight { nodes: 1, bytes: 0, height: 0 };
        let collection = match shape {
            Shape::List => Collection::List(self.items.len()),
            Shape::Mapping => {
                Collection::Mapping(Mapping { from: self.fields.len(), many: None, key: None, merged: None })
            }
        };
        self.open.push(Open { collection, anchor, flow, weight });
        Ok(())
    }

    pub(super) fn end(&mut self) -> Read<()> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.collection {
            Collection::List(from) => Value::Array(self.items.drain(from..).collect()),
            Collection::Mapping(mapping) => Value::Object(mapping.finish(&mut self.fields)),
        };
        let key = Some(Key::Bad("invalid map key: a list or a mapping".into()));
        let weight = Weight { height: open.weight.height + 1, ..open.weight };
        let place = self.open.len();
        let stands = |name: &&str| matches!(self.anchors.get(name), Some(Anchored::Open(at)) if *at == place);
        let anchor = open.anchor.filter(stands);
        self.complete(Node { value, key, blank: false, weight }, anchor, false)
    }

    pub(super) fn alias(&mut self, name: &str) -> Read<()> {
        self.ends_open = false;
        let Node { value, key, blank, weight } = match self.anchors.get(name) {
            Some(Anchored::Node(node)) => node,
            Some(Anchored::Open(_)) => return Err(format!("anchor '{name}' value contains itself")),
            None => return Err(format!("unknown anchor '{name}' referenced")),
        };
        self.nodes += 1 + weight.nodes;
        self.expanded.nodes += weight.nodes;
        self.expanded.bytes += weight.bytes;
        if self.dialect == Dialect::Helm && is_excessive(self.nodes, self.expanded.nodes) {
            return Err("document contains excessive aliasing".to_owned());
        }
        if self.expanded.nodes > NODES || self.expanded.bytes > BYTES {
            self.at_limit = true;
            return Err(format!("aliases write out more than {NODES} values or {} MiB", BYTES >> 20));
        }
        if self.open.len() + weight.height > DEPTH {
            self.at_limit = true;
            return Err(too_deep());
        }
        let weight = Weight { nodes: weight.nodes + 1, ..*weight };
        let node = Node { value: value.clone(), key: key.clone(), blank: *blank, weight };
        self.complete(node, None, true)
    }

    /// The fields that are read are those of the document, also if they come by `<<`.
    fn is_outermost(&self) -> bool {
        let merges = |open: &Open<'_>| {
            matches!(&open.collection, Collection::Mapping(Mapping { key: Some(Key::Merge), .. }))
        };
        self.open.len() == 1 || self.open.len() == 2 && self.open.first().is_some_and(merges)
    }

    /// `<<` brings the fields that are read out of their brackets.
    fn is_unpacked(&self) -> bool {
        let merges = |open: &Open<'_>| {
            let mapping =
                matches!(&open.collection, Collection::Mapping(Mapping { key: Some(Key::Merge), .. }));
            mapping && !open.flow
        };
        match self.open.as_slice() {
            [.., into, _] if merges(into) => true,
            [.., into, Open { collection: Collection::List(_), .. }, _] => merges(into),
            _ => false,
        }
    }

    /// Puts a value where it stands.
    fn complete(&mut self, node: Node, anchor: Option<&'a str>, alias: bool) -> Read<()> {
        if let Some(name) = anchor {
            self.kept.nodes += node.weight.nodes;
            self.kept.bytes += node.weight.bytes;
            if self.kept.nodes > NODES || self.kept.bytes > BYTES {
                self.at_limit = true;
                return Err("too much of the document has anchors".to_owned());
            }
            let copy = Node { value: node.value.clone(), key: node.key.clone(), ..node };
            self.anchors.insert(name, Anchored::Node(copy));
        }
        let (dialect, outermost) = (self.dialect, self.is_outermost());
        let unpacked = node.blank && self.is_unpacked();
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight.nodes += node.weight.nodes;
        open.weight.bytes += node.weight.bytes;
        open.weight.height = open.weight.height.max(node.weight.height);
        let quoted = node.blank && open.flow && dialect == Dialect::Kustomize && !unpacked;
        let value = if quoted { Value::String(String::new()) } else { node.value };
        let told = match &mut open.collection {
            Collection::List(_) => {
                self.items.push(value);
                Ok(())
            }
            Collection::Mapping(mapping) => match mapping.key.take() {
                None => mapping.begin(node.key, outermost),
                Some(key) => mapping.insert(key, value, alias, dialect, &mut self.fields),
            },
        };
        if told.is_err() && self.is_dropped() { Ok(()) } else { told }
    }

    /// Kustomize drops what is read before anybody judges it.
    fn is_dropped(&self) -> bool {
        let drops = |open: &Open<'_>| {
            matches!(
                &open.collection,
                Collection::Mapping(Mapping { key: Some(Key::Dropped), merged: None, .. })
            )
        };
        self.dialect == Dialect::Kustomize && self.open.iter().any(drops)
    }
}

impl Mapping {
    fn begin(&mut self, key: Option<Key>, outermost: bool) -> Read<()> {
        let told = match &key {
            Some(Key::Bad(why)) => Err(why.clone().into_owned()),
            Some(Key::Odd(name)) if !outermost => {
                Err(format!("the key {name} is no string, and not at the top"))
            }
            _ => Ok(()),
        };
        self.key = Some(key.unwrap_or(Key::Bad("".into())));
        told
    }

    fn insert(
        &mut self,
        key: Key,
        value: Value,
        alias: bool,
        dialect: Dialect,
        fields: &mut Vec<Field>,
    ) -> Read<()> {
        match (key, dialect) {
            (Key::Field(name) | Key::Odd(name), Dialect::Helm) => self.push(name, value, fields),
            (Key::Field(name) | Key::Odd(name), Dialect::Kustomize) => {
                if self.holds(&name, fields) {
                    return Err(format!("mapping key {name:?} already defined"));
                }
                self.push(name, value, fields);
            }
            (Key::Merge, Dialect::Helm) => {
                // the first of a list wins, and all of it over what was there
                for (name, value) in mergeable(value, alias)?.into_iter().rev().flatten() {
                    self.push(name, value, fields);
                }
            }
            (Key::Merge, Dialect::Kustomize) => {
                if self.merged.replace(mergeable(value, alias)?).is_some() {
                    return Err("duplicate merge key".to_owned());
                }
            }
            // of two only the first goes
            (Key::Dropped, Dialect::Kustomize) if self.merged.is_some() => {
                self.push("<<".to_owned(), value, fields);
            }
            (Key::Dropped | Key::Bad(_), _) => {}
        }
        Ok(())
    }

    fn holds(&self, name: &str, fields: &[Field]) -> bool {
        match &self.many {
            Some(many) => many.contains_key(name),
            None => fields[self.from..].iter().any(|(other, _)| other == name),
        }
    }

    /// In the place of one that has this name.
    fn push(&mut self, name: String, value: Value, fields: &mut Vec<Field>) {
        if let Some(many) = &mut self.many {
            many.insert(name, value);
            return;
        }
        fields.push((name, value));
        if fields.len() - self.from > FEW {
            self.many = Some(fields.drain(self.from..).collect());
        }
    }

    fn finish(mut self, fields: &mut Vec<Field>) -> Map<String, Value> {
        let mut own = self.many.take().unwrap_or_else(|| fields.drain(self.from..).collect());
        for (name, value) in self.merged.into_iter().flatten().flatten() {
            if !own.contains_key(&name) {
                own.insert(name, value);
            }
        }
        own
    }
}

fn mergeable(value: Value, alias: bool) -> Read<Vec<Map<String, Value>>> {
    let refused = || "map merge requires map or sequence of maps as the value".to_owned();
    let map = |value| if let Value::Object(map) = value { Ok(map) } else { Err(refused()) };
    match value {
        Value::Array(items) if !alias => items.into_iter().map(map).collect(),
        value => Ok(vec![map(value)?]),
    }
}

/// go-yaml v2's own limit (`decode.go`, `allowedAliasRatio`).
#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn is_excessive(nodes: usize, expanded: usize) -> bool {
    const LOW: f64 = 400_000.0;
    const HIGH: f64 = 4_000_000.0;
    let (nodes, expanded) = (nodes as f64, expanded as f64);
    let allowed = 0.99 - 0.89 * ((nodes - LOW) / (HIGH - LOW)).clamp(0.0, 1.0);
    expanded > 100.0 && nodes > 1000.0 && expanded / nodes > allowed
}

impl Scalar<'_> {
    fn is_open(&self) -> bool {
        let is_block = matches!(self.style, Style::Literal | Style::Folded);
        is_block && (self.text.ends_with("\n\n") || self.text == "\n") && !folded::is_quoted(&self.text)
    }

    /// It is text however it reads.
    fn is_text(&self) -> bool {
        self.style != Style::Plain && self.tag.is_none()
    }

    fn written_again(&mut self) -> Read<()> {
        let is_block = matches!(self.style, Style::Literal | Style::Folded);
        if is_block && folded::is_lost(&self.text) {
            return Err("kustomize cannot read its own writing of a block that begins with a tab".to_owned());
        }
        if self.style == Style::Folded {
            self.text = folded::refolded(std::mem::take(&mut self.text));
        }
        Ok(())
    }

    /// Kustomize writes quotes around what holds a colon and stands in brackets: then it is text.
    fn is_quoted_in_flow(&self) -> bool {
        self.style == Style::Plain && self.tag.is_none() && self.text.contains(':')
    }

    fn meaning(&self, dialect: Dialect) -> Read<Meaning<'_>> {
        let text = || Ok(Meaning::Text(Cow::Borrowed(&*self.text)));
        match self.tag.as_deref() {
            None if self.style == Style::Plain => Ok(scalar::plain(&self.text, dialect)),
            // v3 takes the tag `!` for none, v2 for a string
            Some("!") if self.style == Style::Plain && dialect == Dialect::Kustomize => {
                Ok(scalar::plain(&self.text, dialect))
            }
            None | Some("!" | "!!str") => text(),
            Some("!!merge") if self.text == "<<" || dialect == Dialect::Kustomize => Ok(Meaning::Merge),
            Some(tag) => scalar::tagged(tag, &self.text, dialect),
        }
    }

    fn value(&self, meaning: Meaning<'_>, dialect: Dialect) -> Read<Value> {
        Ok(match meaning {
            Meaning::Null => Value::Null,
            Meaning::Bool(is) => Value::Bool(is),
            Meaning::Int(number) => number.into(),
            Meaning::Large(number) => number.into(),
            Meaning::Float(number) => float(number)?,
            Meaning::Time(time) if dialect == Dialect::Kustomize => Value::String(scalar::rfc3339(time)?),
            Meaning::Binary(text) => Value::String(text),
            Meaning::Time(_) | Meaning::Merge => Value::String(self.text.as_ref().to_owned()),
            Meaning::Text(text) => Value::String(text.into_owned()),
        })
    }

    fn key(&self, meaning: &Meaning<'_>, dialect: Dialect) -> Key {
        let text = || self.text.as_ref().to_owned();
        let ours = |tag: &str| matches!(tag, "!" | "!!str" | "!!merge");
        match (meaning, dialect) {
            (Meaning::Merge, _) => Key::Merge,
            (Meaning::Null, Dialect::Kustomize) if self.text.is_empty() => Key::Field(String::new()),
            (Meaning::Null, _) => Key::Bad("a key may not be null".into()),
            (Meaning::Binary(text), Dialect::Helm) => Key::Field(text.clone()),
            (Meaning::Binary(text), Dialect::Kustomize) => Key::Odd(text.clone()),
            (Meaning::Bool(is), Dialect::Helm) => Key::Field(is.to_string()),
            (Meaning::Int(number), Dialect::Helm) => Key::Field(number.to_string()),
            (Meaning::Large(_), Dialect::Helm) => Key::Bad("unsupported map key: a number too large".into()),
            (Meaning::Float(number), Dialect::Helm) => Key::Field(scalar::float_key(*number)),
            (Meaning::Time(_) | Meaning::Text(_), Dialect::Helm) => Key::Field(text()),
            (Meaning::Text(_), Dialect::Kustomize) => match self.tag.as_deref() {
                Some(tag) if !ours(tag) => Key::Odd(text()),
                _ if self.text == "<<" => Key::Dropped,
                _ => Key::Field(text()),
            },
            (
                Meaning::Bool(_) | Meaning::Int(_) | Meaning::Large(_) | Meaning::Float(_) | Meaning::Time(_),
                Dialect::Kustomize,
            ) => Key::Odd(text()),
        }
    }
}

/// As Go's JSON prints it: without a point if there is nothing behind it. No number and infinity cannot be said.
fn float(number: f64) -> Read<Value> {
    if number.fract() == 0.0 && number.abs() < 1e20 {
        // large ones are printed with their shortest digits, and then zeros
        let digits = if number == 0.0 { "0".to_owned() } else { number.to_string() };
        let whole =
            digits.parse::<u64>().map(Value::from).or_else(|_| digits.parse::<i64>().map(Value::from));
        if let Ok(whole) = whole {
            return Ok(whole);
        }
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| format!("unsupported value: {number}"))
}

fn too_deep() -> String {
    format!("nested deeper than {DEPTH}")
}

/// JSON that was read as JSON: numbers as Go prints them. `serde_json` goes 127 levels down; deeper JSON is read as YAML.
fn settle(value: Value) -> Read<Value> {
    match value {
        Value::Array(items) => items.into_iter().map(settle).collect::<Read<_>>().map(Value::Array),
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| Ok((name, settle(value)?)));
            fields.collect::<Read<_>>().map(Value::Object)
        }
        Value::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or_default()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn why(text: &str, dialect: Dialect) -> String {
        let broken = read(text, dialect).unwrap_err();
        format!("{}: {}", broken.line, broken.why)
    }

    /// Whether the limit is ours, and why.
    fn at_limit(text: &str, dialect: Dialect) -> (bool, String) {
        let broken = read(text, dialect).unwrap_err();
        (broken.limit, broken.why.into())
    }

    fn of(text: &str, dialect: Dialect) -> Value {
        read(text, dialect).unwrap().unwrap()
    }

    #[test]
    fn the_same_text_means_two_things() {
        let cases = [
            ("a: yes\n", json!({"a": true}), json!({"a": "yes"})),
            ("a: 0o17\n", json!({"a": 15}), json!({"a": 15})),
            ("a: 2024-01-01\n", json!({"a": "2024-01-01"}), json!({"a": "2024-01-01T00:00:00Z"})),
            ("on: 1\n0644: 2\n", json!({"true": 1, "420": 2}), json!({"on": 1, "0644": 2})),
            (
                "b: &x {r: 1}\nd:\n  r: 2\n  <<: *x\n",
                json!({"b": {"r": 1}, "d": {"r": 1}}),
                json!({"b": {"r": 1}, "d": {"r": 2}}),
            ),
            ("a: |\n  x", json!({"a": "x\n"}), json!({"a": "x"})),
            ("a: {b}\n", json!({"a": {"b": null}}), json!({"a": {"b": ""}})),
            ("a: >\n x\n  y\n", json!({"a": "x\n y\n"}), json!({"a": "x\n\n y\n"})),
            (
                "a: 1.0\nb: 1e20\nc: 0.5\n",
                json!({"a": 1, "b": 1e20, "c": 0.5}),
                json!({"a": 1, "b": 1e20, "c": 0.5}),
            ),
        ];
        for (text, helm, kustomize) in cases {
            assert_eq!(of(text, Dialect::Helm), helm, "{text}");
            assert_eq!(of(text, Dialect::Kustomize), kustomize, "{text}");
        }
    }

    #[test]
    fn what_is_broken_says_where_and_why() {
        let cases = [
            ("a: 1\nb:\n  c: 2\n  c: 3\n", "4: mapping key \"c\" already defined"),
            ("a: 1\n b: 2\n", "2: mapping values are not allowed in this context"),
            ("a: 1\nb: \"x\n", "2: found unexpected end of stream"),
            ("a: 1\nb: [1,\n", "3: did not find expected node content"),
            ("a: 1\nb: x\u{7}\n", "2: control characters are not allowed"),
            ("a: 1\n---x\n", "2: invalid document separator: ---x"),
            ("a: &x [*x]\n", "1: anchor 'x' value contains itself"),
            ("a:\n  b: *x\n", "2: unknown anchor 'x' referenced"),
            ("a:\n  1: x\n", "2: the key 1 is no string, and not at the top"),
            ("a: .inf\n", "1: unsupported value: inf"),
            ("%YAML 1.2\n", "1: directives are not allowed: did not find expected <document start>"),
            ("text\n", "1: neither a mapping nor a list"),
            ("{{- if .Values.x }}\na: 1\n", "1: did not find expected node content"),
        ];
        for (text, expected) in cases {
            assert_eq!(why(text, Dialect::Kustomize), expected, "{text}");
        }
    }

    #[test]
    fn nothing_said_is_nothing() {
        for text in ["", "\n\n", "# c\n", "---\n", "--- # c\n...\n", "null\n", "~"] {
            for dialect in [Dialect::Helm, Dialect::Kustomize] {
                assert_eq!(read(text, dialect), Ok(None), "{text}");
            }
        }
    }

    /// Each name stands for ten times the one before.
    fn bomb(levels: usize) -> String {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..levels {
            let uses = vec![format!("*a{}", level - 1); 10].join(", ");
            text = format!("{text}a{level}: &a{level} [{uses}]\n");
        }
        text
    }

    #[test]
    fn aliases_are_written_out_within_limits() {
        let often = format!("a: &x {{k: v}}\nb: [{}]\n", vec!["*x"; 300].join(", "));
        for dialect in [Dialect::Helm, Dialect::Kustomize] {
            assert_eq!(of(&often, dialect)["b"].as_array().unwrap().len(), 300);
        }
        assert_eq!(
            at_limit(&bomb(9), Dialect::Helm),
            (false, "document contains excessive aliasing".to_owned())
        );
        let ours = (true, "aliases write out more than 400000 values or 64 MiB".to_owned());
        assert_eq!(at_limit(&bomb(9), Dialect::Kustomize), ours);
        assert!(read(&bomb(4), Dialect::Kustomize).is_ok());
        let long = format!("a: &x {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*x"; 1000].join(", "));
        assert_eq!(at_limit(&long, Dialect::Kustomize), ours);
        let mut deep = "a0: &a0 {}\n".to_owned();
        for level in 1..600 {
            deep = format!("{deep}a{level}: &a{level} {{b: *a{}}}\n", level - 1);
        }
        assert_eq!(at_limit(&deep, Dialect::Kustomize), (true, "nested deeper than 512".to_owned()));
        let kept: Vec<String> = (0..60).map(|level| format!("{}k: &k{level}\n", " ".repeat(level))).collect();
        let kept = format!("{}{}k: {}\n", kept.concat(), " ".repeat(60), "x".repeat(2 << 20));
        assert_eq!(
            at_limit(&kept, Dialect::Kustomize),
            (true, "too much of the document has anchors".to_owned())
        );
    }

    #[test]
    fn depth_ends_before_the_stack_does() {
        let texts = [
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            "- ".repeat(100_000),
            (0..1000).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<Vec<_>>().concat(),
            format!("{{\"a\": {}", "[".repeat(100_000)),
        ];
        for text in texts {
            for dialect in [Dialect::Helm, Dialect::Kustomize] {
                let ours = (true, "nested deeper than 512".to_owned());
                assert_eq!(at_limit(&text, dialect), ours, "{}", &text[..20]);
            }
        }
        let mut open = "a: ".to_owned();
        open.push_str(&"[".repeat(511));
        open.push_str(&"]".repeat(511));
        for dialect in [Dialect::Helm, Dialect::Kustomize] {
            assert!(read(&open, dialect).is_ok());
        }
        assert!(!at_limit("a: &x [*x]\n", Dialect::Kustomize).0, "who applies it says the same");
    }

    #[test]
    fn a_long_line_is_read_to_its_end() {
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(10 << 20));
        assert!(read(&long, Dialect::Kustomize).is_ok());
        let word = "x".repeat(1 << 20);
        let lines = [
            format!("a: {word}"),
            format!("a: \"{word}\\n\""),
            format!("a: [{}]", "1, ".repeat(1 << 17)),
            format!("{{\"a\": \"{word}\"}}"),
            format!("a: |\n  {word}\n"),
        ];
        for line in lines {
            assert!(read(&line, Dialect::Kustomize).is_ok(), "{}", &line[..20]);
        }
        assert!(why(&format!("{word}: 1"), Dialect::Kustomize).starts_with("1: "), "a key is short");
    }
}
