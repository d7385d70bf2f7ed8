//! One YAML or JSON document as a tree with places -> where its secret values stand. A tree is walked node by node:
//! neither depth nor aliases that name themselves can hold it up.

use super::{FIELDS, LAST_APPLIED, lines};
use serde_saphyr::granit_parser::{Event, Parser, ScanError, Span};
use std::{
    borrow::Cow,
    cell::Cell,
    collections::{HashMap, HashSet},
    ops::Range,
};

pub(super) struct Read {
    pub(super) values: Vec<Range<usize>>,
    pub(super) sops: bool,
}

/// Entries that may be merged into maps of one document: more is an attack, not a manifest.
const MERGES: usize = 1_000_000;

/// None: it is no YAML, or more than can be looked through.
pub(super) fn values(text: &str) -> Option<Read> {
    let tree = Tree::read(text).ok()?;
    let mut marked = HashSet::new();
    for map in 0..tree.nodes.len() {
        tree.mark_secret(map, false, &mut marked);
        tree.mark_generator(map, &mut marked);
    }
    let mut values: Vec<Range<usize>> = marked.into_iter().map(|node| tree.nodes[node].at.clone()).collect();
    values.extend(tree.texts(text));
    let sops = tree.nodes.iter().any(|node| tree.says_sops(node));
    (tree.merged.get() <= MERGES).then_some(Read { values, sops })
}

struct Node<'a> {
    at: Range<usize>,
    content: Content<'a>,
}

enum Content<'a> {
    Scalar(Cow<'a, str>),
    List(Vec<usize>),
    /// Keys and values, in turn.
    Map(Vec<usize>),
}

#[derive(Default)]
struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    anchors: HashMap<usize, usize>,
    /// The collections that are open.
    open: Vec<usize>,
    merged: Cell<usize>,
}

impl<'a> Tree<'a> {
    fn read(text: &'a str) -> Result<Self, ScanError> {
        let mut tree = Self::default();
        for event in Parser::new_from_str(text) {
            let (event, span) = event?;
            tree.hear(event, span);
        }
        Ok(tree)
    }

    fn hear(&mut self, event: Event<'a>, span: Span) {
        let at = span.byte_range().unwrap_or_default();
        match event {
            Event::Scalar(text, _, anchor, _) => {
                self.add(Node { at, content: Content::Scalar(text) }, anchor);
            }
            Event::SequenceStart(_, anchor, _) => {
                let list = self.add(Node { at, content: Content::List(Vec::new()) }, anchor);
                self.open.push(list);
            }
            Event::MappingStart(_, anchor, _) => {
                let map = self.add(Node { at, content: Content::Map(Vec::new()) }, anchor);
                self.open.push(map);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(closed) = self.open.pop() {
                    self.nodes[closed].at.end = at.end;
                }
            }
            Event::Alias(anchor) => {
                if let Some(&node) = self.anchors.get(&anchor) {
                    self.place(node);
                }
            }
            // the parser's enum is open; the rest are no nodes
            _ => {}
        }
    }

    fn add(&mut self, node: Node<'a>, anchor: usize) -> usize {
        let number = self.nodes.len();
        self.nodes.push(node);
        if anchor > 0 {
            self.anchors.insert(anchor, number);
        }
        self.place(number);
        number
    }

    fn place(&mut self, node: usize) {
        if let Some(Content::List(inside) | Content::Map(inside)) =
            self.open.last().map(|open| &mut self.nodes[*open].content)
        {
            inside.push(node);
        }
    }

    fn text(&self, node: usize) -> Option<&str> {
        match &self.nodes[node].content {
            Content::Scalar(text) => Some(text),
            Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The entries of a map, with those that are merged in by `<<`.
    fn entries(&self, map: usize) -> Vec<(usize, usize)> {
        let (mut entries, mut seen, mut next) = (Vec::new(), HashSet::new(), vec![map]);
        while let Some(node) = next.pop() {
            if !seen.insert(node) || self.merged.get() > MERGES {
                continue;
            }
            match &self.nodes[node].content {
                Content::Map(inside) => {
                    self.merged.set(self.merged.get() + if node == map { 0 } else { inside.len() });
                    for pair in inside.chunks_exact(2) {
                        entries.push((pair[0], pair[1]));
                        next.extend((self.text(pair[0]) == Some("<<")).then_some(pair[1]));
                    }
                }
                // `<<: [*a, *b]`
                Content::List(inside) if node != map => next.extend(inside),
                Content::List(_) | Content::Scalar(_) => {}
            }
        }
        entries
    }

    fn under(&self, entries: &[(usize, usize)], key: &str) -> impl Iterator<Item = usize> {
        entries.iter().filter(move |(name, _)| self.text(*name) == Some(key)).map(|(_, value)| *value)
    }

    fn mark_secret(&self, map: usize, listed: bool, marked: &mut HashSet<usize>) {
        let Content::Map(_) = self.nodes[map].content else { return };
        let entries = self.entries(map);
        let says = |word| self.under(&entries, "kind").any(|kind| self.text(kind) == Some(word));
        if says("SecretList") {
            let items =
                self.under(&entries, "items").flat_map(|items| self.inside(items)).collect::<Vec<_>>();
            for item in items {
                self.mark_secret(item, true, marked);
            }
        }
        if !(listed || says("Secret")) {
            return;
        }
        for field in FIELDS {
            self.under(&entries, field).for_each(|values| self.mark_values(values, marked));
        }
        for metadata in self.under(&entries, "metadata") {
            for annotations in self.under(&self.entries(metadata), "annotations") {
                marked.extend(self.under(&self.entries(annotations), LAST_APPLIED));
            }
        }
    }

    fn mark_generator(&self, map: usize, marked: &mut HashSet<usize>) {
        for generators in self.under(&self.entries(map), "secretGenerator") {
            for generator in self.inside(generators) {
                for literals in self.under(&self.entries(generator), "literals") {
                    self.mark_values(literals, marked);
                }
            }
        }
    }

    fn inside(&self, list: usize) -> Vec<usize> {
        match &self.nodes[list].content {
            Content::List(inside) => inside.clone(),
            Content::Map(_) | Content::Scalar(_) => Vec::new(),
        }
    }

    /// The values themselves; whatever stands where a text should is covered whole.
    fn mark_values(&self, values: usize, marked: &mut HashSet<usize>) {
        match &self.nodes[values].content {
            Content::Scalar(_) => drop(marked.insert(values)),
            Content::List(inside) => marked.extend(inside),
            Content::Map(_) => {
                let merged = |key: usize| self.text(key) == Some("<<");
                marked.extend(
                    self.entries(values).into_iter().filter(|(key, _)| !merged(*key)).map(|(_, v)| v),
                );
            }
        }
    }

    /// Values in Kubernetes documents that are themselves texts: a template inside a ResourceSet.
    fn texts(&self, text: &str) -> Vec<Range<usize>> {
        let mut values = Vec::new();
        for node in &self.nodes {
            if matches!(&node.content, Content::Scalar(scalar) if scalar.contains('\n')) {
                let inside = lines::values(&text[node.at.clone()]);
                values.extend(inside.into_iter().map(|at| node.at.start + at.start..node.at.start + at.end));
            }
        }
        values
    }

    fn says_sops(&self, node: &Node<'_>) -> bool {
        let Content::Map(inside) = &node.content else { return false };
        inside.chunks_exact(2).any(|pair| {
            self.text(pair[0]) == Some("sops") && self.under(&self.entries(pair[1]), "mac").next().is_some()
        })
    }
}
