//! `targetPath` of `valuesFrom`: the syntax of `helm --set` as Helm parses it (`pkg/strvals`), with its dots, indices,
//! commas and backslashes. It is Helm's own behaviour, oddities included; it reads nothing else.

use super::node::{Fields, Items, Node};
use serde_json::Value;

/// `strvals.MaxIndex` and `strvals.MaxNestedNameLevel`.
const LAST_INDEX: usize = 65_536;
const DEEPEST: usize = 30;

/// Helm has no such limits; values that reach them are made to do harm.
const NESTED: usize = 256;
const GROWN: usize = 1 << 22;

/// Sets a value at a path (`chartutil.ReplacePathValue`, `ReplacePathLiteralValue`).
pub(super) fn at_path(
    values: &Fields,
    path: &str,
    value: &str,
    literal: bool,
    secret: bool,
) -> Result<(), String> {
    let quoted = |quote: char| value.starts_with(quote) && value.ends_with(quote);
    let (line, typed) = if literal {
        (format!("{path}={}", escaped(value)), false)
    } else if quoted('\'') || quoted('"') {
        (format!("{path}={}", value.trim_matches(['\'', '"'])), false)
    } else {
        (format!("{path}={value}"), true)
    };
    let mut parser =
        Parser { rest: line.chars().collect::<Vec<_>>().into_iter(), typed, secret, nested: 0, grown: 0 };
    loop {
        match parser.key(values, 0) {
            Ok(()) => {}
            Err(Stop::End) => return Ok(()),
            Err(Stop::Wrong(why)) => return Err(why),
        }
    }
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '[' | ']' | '{' | '}') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Why a step went no further: the text is over, or it is wrong.
enum Stop {
    End,
    Wrong(String),
}

fn wrong<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Wrong(why.into()))
}

struct Parser {
    rest: std::vec::IntoIter<char>,
    /// `true`, `null`, numbers mean what they say; otherwise all is text.
    typed: bool,
    secret: bool,
    /// How deep in lists and maps it is.
    nested: usize,
    /// Items that were made room for.
    grown: usize,
}

/// A word, and the character that ended it; None: the text did.
type Word = (String, Option<char>);

impl Parser {
    fn key(&mut self, fields: &Fields, depth: usize) -> Result<(), Stop> {
        self.deeper(|it| it.key_here(fields, depth))
    }

    /// What follows an index. The list is what it is also after an error: the caller keeps it.
    fn item(&mut self, list: &mut Items, place: usize, depth: usize) -> Result<(), Stop> {
        self.deeper(|it| it.item_here(list, place, depth))
    }

    fn deeper(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Stop>) -> Result<(), Stop> {
        if self.nested == NESTED {
            return wrong("it is nested too deep");
        }
        self.nested += 1;
        let done = step(self);
        self.nested -= 1;
        done
    }

    fn key_here(&mut self, fields: &Fields, depth: usize) -> Result<(), Stop> {
        let (key, end) = self.until(&['=', '[', ',', '.']);
        match end {
            None if key.is_empty() => Err(Stop::End),
            None => wrong("a key has no value"),
            Some('[') => {
                let place = self.index()?;
                let list = match fields.get(&key) {
                    None => Items::new(self.secret),
                    Some(Node::List(list)) => list,
                    Some(_) => return wrong("what is there is no list"),
                };
                let mut kept = list;
                let ended = self.item(&mut kept, place, depth);
                fields.set(&key, Node::List(kept));
                ended
            }
            Some('=') => {
                let (node, ended) = self.value()?;
                fields.set(&key, node);
                ended.map_or(Ok(()), Err)
            }
            Some(',') => {
                fields.set(&key, self.leaf(Value::String(String::new())));
                wrong("a key has no value (cannot end with ,)")
            }
            Some(_) => self.below(fields, &key, depth + 1),
        }
    }

    /// After a dot.
    fn below(&mut self, fields: &Fields, key: &str, depth: usize) -> Result<(), Stop> {
        if depth > DEEPEST {
            return wrong(format!("it is deeper than {DEEPEST} levels"));
        }
        let inner = match fields.get(key) {
            None => Fields::new(self.secret),
            Some(Node::Map(inner)) => inner,
            Some(_) => return wrong("what is there is no map"),
        };
        let ended = self.key(&inner, depth);
        if ended.is_ok() && inner.is_empty() {
            return wrong("a key has no value");
        }
        if !inner.is_empty() {
            fields.set(key, Node::Map(inner));
        }
        ended
    }

    fn item_here(&mut self, list: &mut Items, place: usize, depth: usize) -> Result<(), Stop> {
        let (word, end) = self.until(&['[', '.', '=']);
        if !word.is_empty() {
            return wrong("unexpected data at end of array index");
        }
        match end {
            None => Err(Stop::End),
            Some('=') => {
                let (node, ended) = self.value()?;
                self.put(list, place, node)?;
                // the end of the text is no error here, and found again by the next key
                match ended {
                    Some(Stop::Wrong(why)) => Err(Stop::Wrong(why)),
                    Some(Stop::End) | None => Ok(()),
                }
            }
            Some('[') => {
                let next = self.index()?;
                let mut inner = match list.get(place) {
                    Some(Node::List(inner)) => inner,
                    None | Some(Node::Leaf { value: Value::Null, .. }) => Items::new(self.secret),
                    Some(_) => return wrong("what is there is no list"),
                };
                self.item(&mut inner, next, depth)?;
                self.put(list, place, Node::List(inner))
            }
            Some(_) => {
                let inner = match list.get(place) {
                    Some(Node::Map(inner)) => inner,
                    Some(_) => {
                        let fresh = Fields::new(self.secret);
                        self.put(list, place, Node::Map(fresh.clone()))?;
                        fresh
                    }
                    None => Fields::new(self.secret),
                };
                self.key(&inner, depth)?;
                self.put(list, place, Node::Map(inner))
            }
        }
    }

    /// A value or a `{list,of,them}`, and whether the text ended with it.
    fn value(&mut self) -> Result<(Node, Option<Stop>), Stop> {
        match self.rest.as_slice().first() {
            None => Ok((self.leaf(Value::String(String::new())), Some(Stop::End))),
            Some('{') => {
                self.rest.next();
                Ok((self.list()?, None))
            }
            Some(_) => {
                let (word, _) = self.until(&[',']);
                Ok((self.meant(word), None))
            }
        }
    }

    fn list(&mut self) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            let (word, end) = self.until(&[',', '}']);
            match end {
                None => return wrong("list must terminate with '}'"),
                Some('}') => {
                    if self.rest.as_slice().first() == Some(&',') {
                        self.rest.next();
                    }
                    items.push(self.meant(word));
                    return Ok(Node::List(Items::of(items, self.secret)));
                }
                Some(_) => items.push(self.meant(word)),
            }
        }
    }

    fn index(&mut self) -> Result<usize, Stop> {
        let (word, end) = self.until(&[']']);
        if end.is_none() {
            return Err(Stop::Wrong("error parsing index: EOF".to_owned()));
        }
        match word.parse::<i64>().map(usize::try_from) {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) => wrong("a negative index is not allowed"),
            Err(_) => wrong("error parsing index"),
        }
    }

    /// A backslash takes the next character as it is.
    fn until(&mut self, stops: &[char]) -> Word {
        let mut word = String::new();
        while let Some(c) = self.rest.next() {
            if stops.contains(&c) {
                return (word, Some(c));
            }
            if c == '\\' {
                match self.rest.next() {
                    Some(next) => word.push(next),
                    None => return (word, None),
                }
            } else {
                word.push(c);
            }
        }
        (word, None)
    }

    fn leaf(&self, value: Value) -> Node {
        Node::Leaf { value, secret: self.secret }
    }

    /// `strvals.typedVal`.
    fn meant(&self, word: String) -> Node {
        let value = match word.to_ascii_lowercase().as_str() {
            _ if !self.typed => Value::String(word),
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "0" => Value::from(0),
            _ if word.starts_with('0') => Value::String(word),
            _ => match word.parse::<i64>() {
                Ok(number) => Value::from(number),
                Err(_) => Value::String(word),
            },
        };
        self.leaf(value)
    }

    fn put(&mut self, list: &mut Items, place: usize, node: Node) -> Result<(), Stop> {
        if place > LAST_INDEX {
            return wrong(format!("index of {place} is greater than {LAST_INDEX}"));
        }
        if list.get(place).is_none() {
            self.grown += place + 1;
        }
        if self.grown > GROWN {
            return wrong("its lists are too long");
        }
        *list = list.set(place, node);
        Ok(())
    }
}
