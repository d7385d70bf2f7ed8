//! One YAML or JSON document as a tree with places -> where its secret values stand. A tree is walked node by node:
//! neither depth nor aliases that name themselves can hold it up.

use super::{
    Aim, FIELDS, GENERATOR, LAST_APPLIED, Read,
    aim::{is_patch, is_target, leads_to_values},
    is_generators, is_literals, is_value, keeps_values, lines, may_be_document,
    named::{is_flag, is_named_like_one},
};
use serde_saphyr::granit_parser::{Event, Parser, ScanError, Span};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::{HashMap, HashSet},
    ops::Range,
};

/// Visits that aliases and merges may add to those that every node gets: more is an attack, not a manifest.
const VISITS: usize = 500_000;
const VISITS_OF_A_NODE: usize = 16;

/// None: it is no YAML, or more than can be looked through.
pub(super) fn values(text: &str) -> Option<Read> {
    let tree = Tree::read(text).ok().filter(|tree| !tree.is_template_of_one(text))?;
    let Marks { values, places } = tree.marks();
    let mut values: Vec<_> = values.into_iter().map(|node| tree.nodes[node].at.clone()).collect();
    values.extend(tree.texts(text));
    let sops = tree.nodes.iter().any(|node| tree.says_sops(node));
    (!tree.is_spent()).then_some(Read { values, places, sops })
}

/// Scalars under names that are those of secrets. None: it is no YAML.
pub(super) fn named(text: &str) -> Option<Vec<Range<usize>>> {
    let tree = Tree::read(text).ok()?;
    let mut found = Vec::new();
    for node in &tree.nodes {
        let Content::Map(inside) = &node.content else { continue };
        for pair in inside.chunks_exact(2) {
            let (key, value) = (pair[0], pair[1]);
            if tree.text(key).is_some_and(is_named_like_one) && tree.text(value).is_some() {
                let at = tree.nodes[value].at.clone();
                found.extend((!is_flag(&text[at.clone()])).then_some(at));
            }
        }
    }
    Some(found)
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
    /// Where documents begin.
    roots: Vec<usize>,
    /// Nodes that were visited, each time counted.
    visits: Cell<usize>,
    /// What is known of targets, and which patches were looked at already.
    aims: RefCell<HashMap<usize, Aim>>,
    judged: RefCell<HashSet<(usize, Aim)>>,
}

#[derive(Default)]
struct Marks {
    values: HashSet<usize>,
    places: Vec<Range<usize>>,
}

/// Of a text inside a document; what is inside that is not looked into.
fn holds_values(text: &str) -> bool {
    let Some(tree) = Tree::read(text).ok().filter(|tree| !tree.is_template_of_one(text)) else {
        return !lines::read(text).values.is_empty();
    };
    let marks = tree.marks();
    marks.values.iter().any(|node| is_value(&text[tree.nodes[*node].at.clone()])) || tree.is_spent()
}

/// A patch, which is aimed so, sets values of Secrets. What it says cannot be told from what it looks like: its kind need
/// not be theirs. What cannot be read may do anything.
pub(in crate::domain) fn sets_values(patch: &str, aim: Aim) -> bool {
    let Ok(tree) = Tree::read(patch) else { return aim != Aim::Elsewhere };
    let mut roots =
        tree.roots.iter().filter(|root| !matches!(tree.nodes[**root].content, Content::Scalar(_)));
    let first = roots.next();
    let sets = first.into_iter().chain(roots).any(|root| tree.sets_values(*root, aim));
    sets || tree.is_spent() || (first.is_none() && aim == Aim::Secrets)
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

    fn marks(&self) -> Marks {
        let mut marks = Marks::default();
        for map in 0..self.nodes.len() {
            self.mark_secret(map, false, &mut marks);
            self.mark_generator(map, &mut marks);
            self.mark_patch(map, &mut marks);
        }
        marks
    }

    /// More was visited than a manifest needs: nothing is found any more.
    fn is_spent(&self) -> bool {
        self.visits.get() > VISITS + VISITS_OF_A_NODE * self.nodes.len()
    }

    fn visit(&self, nodes: usize) {
        self.visits.set(self.visits.get() + nodes);
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
        match self.open.last().map(|open| &mut self.nodes[*open].content) {
            Some(Content::List(inside) | Content::Map(inside)) => inside.push(node),
            Some(Content::Scalar(_)) | None => self.roots.push(node),
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
        self.visit(1);
        while let Some(node) = next.pop() {
            if !seen.insert(node) || self.is_spent() {
                continue;
            }
            match &self.nodes[node].content {
                Content::Map(inside) => {
                    self.visit(inside.len());
                    for pair in inside.chunks_exact(2) {
                        entries.push((pair[0], pair[1]));
                        next.extend((self.text(pair[0]) == Some("<<")).then_some(pair[1]));
                    }
                }
                // `<<: [*a, *b]`
                Content::List(inside) if node != map => {
                    self.visit(inside.len());
                    next.extend(inside);
                }
                Content::List(_) | Content::Scalar(_) => {}
            }
        }
        entries
    }

    fn under(&self, entries: &[(usize, usize)], key: &str) -> impl Iterator<Item = usize> {
        entries.iter().filter(move |(name, _)| self.text(*name) == Some(key)).map(|(_, value)| *value)
    }

    fn mark_secret(&self, map: usize, listed: bool, marks: &mut Marks) {
        let Content::Map(_) = self.nodes[map].content else { return };
        let entries = self.entries(map);
        let says = |word| self.under(&entries, "kind").any(|kind| self.text(kind) == Some(word));
        if says("SecretList") {
            let items =
                self.under(&entries, "items").flat_map(|items| self.inside(items)).collect::<Vec<_>>();
            for item in items {
                self.mark_secret(item, true, marks);
            }
        }
        if !(listed || says("Secret")) {
            return;
        }
        let whole = self.under(&entries, "metadata").next().is_some();
        let keeps =
            |name: usize| self.text(name).is_some_and(|name| name != "<<" && keeps_values(name, whole));
        // SOPS encrypts comments too
        let open = self.under(&entries, "sops").next().is_none();
        for (name, values) in entries.iter().filter(|(name, _)| keeps(*name)) {
            self.mark_values(*values, marks);
            marks.places.extend(self.place_of(*name, *values).into_iter().filter(|_| open));
        }
        for metadata in self.under(&entries, "metadata") {
            for annotations in self.under(&self.entries(metadata), "annotations") {
                marks.values.extend(self.under(&self.entries(annotations), LAST_APPLIED));
            }
        }
    }

    fn mark_generator(&self, map: usize, marks: &mut Marks) {
        let entries = self.entries(map);
        let named = |is: fn(&str) -> bool, name: usize| self.text(name).is_some_and(is);
        let mut mark = |entries: &[(usize, usize)]| {
            for (name, literals) in entries.iter().filter(|(name, _)| named(is_literals, *name)) {
                self.mark_values(*literals, marks);
                marks.places.extend(self.place_of(*name, *literals));
            }
        };
        if self.under(&entries, "kind").any(|kind| self.text(kind) == Some(GENERATOR)) {
            mark(&entries);
        }
        for (_, generators) in entries.iter().filter(|(name, _)| named(is_generators, *name)) {
            self.inside(*generators).into_iter().for_each(|generator| mark(&self.entries(generator)));
        }
    }

    /// As [`super::patches_secrets`].
    fn mark_patch(&self, map: usize, marks: &mut Marks) {
        let Content::Map(_) = self.nodes[map].content else { return };
        let entries = self.entries(map);
        let named = |is: fn(&str) -> bool| {
            let is = move |name: usize| self.text(name).is_some_and(is);
            entries.iter().filter(move |(name, _)| is(*name)).map(|(_, value)| *value)
        };
        let is_map = |target: &usize| matches!(self.nodes[*target].content, Content::Map(_));
        let mut aims: Vec<Aim> = named(is_target).filter(is_map).map(|target| self.aim(target)).collect();
        aims.sort_unstable();
        aims.dedup();
        for aim in aims.into_iter().filter(|aim| *aim != Aim::Elsewhere) {
            // one patch may be named a thousand times
            let fresh = |patch: &usize| self.judged.borrow_mut().insert((*patch, aim));
            for patch in named(is_patch).filter(fresh) {
                let before = marks.values.len();
                match &self.nodes[patch].content {
                    Content::Scalar(text) if sets_values(text, aim) => drop(marks.values.insert(patch)),
                    Content::List(_) if self.sets_values(patch, aim) => {
                        marks.values.extend(self.inside(patch));
                    }
                    Content::Scalar(_) | Content::List(_) | Content::Map(_) => {}
                }
                let place = self.nodes[map].at.clone();
                marks.places.extend((marks.values.len() > before).then_some(place));
            }
        }
    }

    /// From a key to the end of what stands under it; what an alias names stands elsewhere.
    fn place_of(&self, key: usize, value: usize) -> [Range<usize>; 2] {
        let (key, value) = (&self.nodes[key].at, &self.nodes[value].at);
        let end = if value.start >= key.end { value.end } else { key.end };
        [key.start..end, value.clone()]
    }

    fn aim(&self, target: usize) -> Aim {
        if let Some(aim) = self.aims.borrow().get(&target) {
            return *aim;
        }
        let fields = self.entries(target);
        let fields = fields.iter().filter_map(|(name, value)| Some((self.text(*name)?, self.text(*value))));
        let aim = Aim::of(fields);
        self.aims.borrow_mut().insert(target, aim);
        aim
    }

    /// Operations (RFC 6902), or a part of an object that is laid over one.
    fn sets_values(&self, patch: usize, aim: Aim) -> bool {
        if aim == Aim::Elsewhere {
            return false;
        }
        match &self.nodes[patch].content {
            Content::Scalar(_) => aim == Aim::Secrets,
            Content::List(operations) => {
                self.visit(operations.len());
                aim == Aim::Secrets || operations.iter().any(|operation| self.writes_values(*operation))
            }
            Content::Map(_) => {
                let entries = self.entries(patch);
                let says =
                    |kind: &str| self.under(&entries, "kind").any(|said| self.text(said) == Some(kind));
                let [data, texts] = FIELDS.map(|field| self.under(&entries, field).next().is_some());
                // a Secret is found by its kind, value by value
                let own = !says("Secret") && (texts || (data && (aim == Aim::Secrets || !says("ConfigMap"))));
                // kustomize takes a list apart
                let mut items = self.under(&entries, "items").flat_map(|items| self.inside(items));
                own || items.any(|item| self.says_values(item))
            }
        }
    }

    fn says_values(&self, item: usize) -> bool {
        let entries = self.entries(item);
        FIELDS.iter().any(|field| self.under(&entries, field).next().is_some())
    }

    fn writes_values(&self, operation: usize) -> bool {
        let entries = self.entries(operation);
        let leads = self.under(&entries, "path").all(|path| self.text(path).is_none_or(leads_to_values));
        leads && self.under(&entries, "value").next().is_some()
    }

    fn inside(&self, list: usize) -> Vec<usize> {
        match &self.nodes[list].content {
            Content::List(inside) if !self.is_spent() => {
                self.visit(inside.len());
                inside.clone()
            }
            Content::List(_) | Content::Map(_) | Content::Scalar(_) => Vec::new(),
        }
    }

    /// The values themselves; whatever stands where a text should is covered whole.
    fn mark_values(&self, values: usize, marks: &mut Marks) {
        match &self.nodes[values].content {
            Content::Scalar(_) => drop(marks.values.insert(values)),
            Content::List(_) => marks.values.extend(self.inside(values)),
            Content::Map(_) => {
                // what is merged in is among the entries; a text there is a mistake, and may be a value
                let merged =
                    |key: usize, value: usize| self.text(key) == Some("<<") && self.text(value).is_none();
                let entries = self.entries(values).into_iter();
                let own = entries.filter(|(key, value)| !merged(*key, *value)).map(|(_, value)| value);
                marks.values.extend(own);
            }
        }
    }

    /// Values in Kubernetes documents that are themselves texts: a template inside a ResourceSet.
    fn texts(&self, text: &str) -> Vec<Range<usize>> {
        let mut values = Vec::new();
        for node in &self.nodes {
            let Content::Scalar(scalar) = &node.content else { continue };
            if !may_be_document(scalar) {
                continue;
            }
            let inside = lines::read(&text[node.at.clone()]).values;
            // what is written in one line, or with escapes, is covered whole
            if inside.is_empty() || !scalar.contains('\n') {
                values.extend(holds_values(scalar).then(|| node.at.clone()));
            } else {
                values.extend(inside.into_iter().map(|at| node.at.start + at.start..node.at.start + at.end));
            }
        }
        values
    }

    /// `kind: {{ .kind | default "Secret" }}` is YAML too: a map in a map.
    fn is_template_of_one(&self, text: &str) -> bool {
        let acts = |value: usize| {
            let node = &self.nodes[value];
            let said = &text[node.at.clone()];
            matches!(node.content, Content::Map(_)) && said.starts_with("{{") && said.contains("Secret")
        };
        self.nodes.iter().any(|node| {
            let Content::Map(inside) = &node.content else { return false };
            inside.chunks_exact(2).any(|pair| self.text(pair[0]) == Some("kind") && acts(pair[1]))
        })
    }

    fn says_sops(&self, node: &Node<'_>) -> bool {
        let Content::Map(inside) = &node.content else { return false };
        inside.chunks_exact(2).any(|pair| {
            self.text(pair[0]) == Some("sops") && self.under(&self.entries(pair[1]), "mac").next().is_some()
        })
    }
}
