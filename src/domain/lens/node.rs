//! Values as Go holds them while they are merged: maps and lists are shared, not copied, and what is set in one place
//! is set in the other. helm-controller's result depends on it. Each value knows whether a Secret said it.

use serde_json::{Map, Value};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Anything but a map or a list.
    Leaf {
        value: Value,
        secret: bool,
    },
    Map(Fields),
    List(Items),
}

/// A Go map: clones are the same map.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    fields: Rc<RefCell<BTreeMap<String, Node>>>,
    /// A Secret said that it is there; that matters while it is empty.
    secret: bool,
}

/// A Go slice: clones are the same list until one grows.
#[derive(Debug, Clone, Default)]
pub(super) struct Items {
    items: Rc<RefCell<Vec<Node>>>,
    secret: bool,
}

impl Node {
    pub(super) fn of(value: Value, secret: bool) -> Self {
        match value {
            Value::Object(map) => {
                let fields = map.into_iter().map(|(key, value)| (key, Self::of(value, secret))).collect();
                Self::Map(Fields { fields: Rc::new(RefCell::new(fields)), secret })
            }
            Value::Array(items) => {
                let items = items.into_iter().map(|value| Self::of(value, secret)).collect();
                Self::List(Items { items: Rc::new(RefCell::new(items)), secret })
            }
            value => Self::Leaf { value, secret },
        }
    }

    pub(super) fn map(fields: Fields) -> Self {
        Self::Map(fields)
    }

    pub(super) fn fields(self) -> Option<Fields> {
        match self {
            Self::Map(fields) => Some(fields),
            Self::Leaf { .. } | Self::List(_) => None,
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Leaf { value, .. } => value.clone(),
            Self::Map(map) => {
                let fields = map.fields.borrow();
                let fields = fields.iter().map(|(key, node)| (key.clone(), node.value()));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            Self::List(list) => Value::Array(list.items.borrow().iter().map(Self::value).collect()),
        }
    }

    /// Where something that a Secret said stands; a list is one place.
    pub(super) fn secret_paths(&self) -> BTreeSet<Vec<Box<str>>> {
        let mut paths = BTreeSet::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, path: &mut Vec<Box<str>>, paths: &mut BTreeSet<Vec<Box<str>>>) {
        match self {
            Self::Map(map) if !map.is_empty() => {
                for (key, node) in map.fields.borrow().iter() {
                    path.push(key.as_str().into());
                    node.collect(path, paths);
                    path.pop();
                }
            }
            Self::Map(_) | Self::List(_) | Self::Leaf { .. } => {
                if self.is_secret() && !path.is_empty() {
                    paths.insert(path.clone());
                }
            }
        }
    }

    fn is_secret(&self) -> bool {
        match self {
            Self::Leaf { secret, .. } => *secret,
            Self::Map(map) => map.secret || map.fields.borrow().values().any(Self::is_secret),
            Self::List(list) => list.secret || list.items.borrow().iter().any(Self::is_secret),
        }
    }
}

impl Fields {
    pub(super) fn new(secret: bool) -> Self {
        Self { fields: Rc::default(), secret }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.borrow().is_empty()
    }

    pub(super) fn get(&self, key: &str) -> Option<Node> {
        self.fields.borrow().get(key).cloned()
    }

    /// An empty key sets nothing (`strvals.set`).
    pub(super) fn set(&self, key: &str, node: Node) {
        if !key.is_empty() {
            self.fields.borrow_mut().insert(key.to_owned(), node);
        }
    }

    /// `chartutil.MergeMaps`: a new map; of the two only maps are merged, everything else of `over` replaces. What is
    /// in one of them only is shared with it.
    pub(super) fn merged(&self, over: &Self) -> Self {
        let mut out = self.fields.borrow().clone();
        for (key, node) in over.fields.borrow().iter() {
            let both = match (out.get(key), node) {
                (Some(Node::Map(below)), Node::Map(over)) => Some(Node::Map(below.merged(over))),
                _ => None,
            };
            out.insert(key.clone(), both.unwrap_or_else(|| node.clone()));
        }
        Self { fields: Rc::new(RefCell::new(out)), secret: self.secret || over.secret }
    }
}

impl Items {
    pub(super) fn new(secret: bool) -> Self {
        Self { items: Rc::default(), secret }
    }

    pub(super) fn of(items: Vec<Node>, secret: bool) -> Self {
        Self { items: Rc::new(RefCell::new(items)), secret }
    }

    pub(super) fn get(&self, place: usize) -> Option<Node> {
        self.items.borrow().get(place).cloned()
    }

    /// In place where there is one; a list that must grow is a new one, filled with nulls.
    pub(super) fn set(&self, place: usize, node: Node) -> Self {
        if place < self.items.borrow().len() {
            self.items.borrow_mut()[place] = node;
            return self.clone();
        }
        let mut items = self.items.borrow().clone();
        items.resize(place + 1, Node::Leaf { value: Value::Null, secret: false });
        items[place] = node;
        Self::of(items, self.secret)
    }
}
