//! Two values -> what differs in them, field by field, secret values marked (the rule is [`super::super::secret`]'s).
//! It knows lists as Kubernetes merges them; it knows no schema.

use super::{
    super::secret,
    FieldChange, FieldFate, FieldPath, Step,
    keys::{self, ItemKey},
    lists,
};
use foldhash::{HashMap, HashMapExt};
use serde_json::{Map, Value};

/// More changes of one object are not looked at one by one.
const MOST: usize = 20_000;

/// What differs between two values.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    /// In the order of the first, additions where they stand in the second.
    pub changes: Vec<FieldChange>,
    /// There are more.
    pub cut: bool,
}

/// Compares two values: objects, or what else YAML holds (`values.yaml`). [`super::apply()`] is its reverse.
pub fn fields(from: &Value, to: &Value) -> Fields {
    let mut walk = Walk::default();
    walk.values(from, to, Within::Open);
    walk.found
}

/// Both are equal, and their fields stand in one order: nothing has to be looked up to know that.
pub(in crate::domain) fn is_same(from: &Value, to: &Value) -> bool {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let fields = || from.iter().zip(to);
            from.len() == to.len() && fields().all(|(one, two)| one.0 == two.0 && is_same(one.1, two.1))
        }
        (Value::Array(from), Value::Array(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(one, two)| is_same(one, two))
        }
        (from, to) => from == to,
    }
}

#[derive(Default)]
struct Walk {
    path: Vec<Step>,
    found: Fields,
}

/// Inside of what a value stands, as far as that makes it secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Open,
    /// It is a Secret, whatever it says.
    Listed,
    /// A list of Secrets.
    List,
    Metadata,
    Annotations,
    /// The map that holds the values of a Secret.
    Values,
    /// A value of a Secret.
    Hidden,
    Generators,
    Generator,
}

impl Walk {
    fn values(&mut self, from: &Value, to: &Value, within: Within) {
        match (from, to) {
            (Value::Object(from), Value::Object(to)) if within != Within::Hidden => {
                self.maps(from, to, within);
            }
            (Value::Array(from), Value::Array(to)) if within != Within::Hidden => {
                self.lists(from, to, within);
            }
            (from, to) if from == to => {}
            (from, to) => self.add(FieldFate::Changed, Some(from), Some(to), within),
        }
    }

    fn maps(&mut self, from: &Map<String, Value>, to: &Map<String, Value>, within: Within) {
        let inside = Inside::of(from, to, within);
        // the same names in the same order: nothing has to be looked up
        if from.len() == to.len() && from.keys().eq(to.keys()) {
            for ((name, one), two) in from.iter().zip(to.values()) {
                self.field(name, Some(one), Some(two), inside.of_field(name));
            }
            return;
        }
        let fresh = fresh(from, to);
        let add = |walk: &mut Self, after: Option<&str>| {
            for (name, value) in fresh.get(&after).into_iter().flatten() {
                walk.field(name, None, Some(value), inside.of_field(name));
            }
        };
        add(self, None);
        for (name, value) in from {
            self.field(name, Some(value), to.get(name), inside.of_field(name));
            add(self, Some(name));
        }
    }

    fn field(&mut self, name: &str, from: Option<&Value>, to: Option<&Value>, within: Within) {
        if let (Some(from), Some(to)) = (from, to)
            && is_same(from, to)
        {
            return;
        }
        self.path.push(Step::Field(name.into()));
        let empty = || Value::Object(Map::new());
        match (from, to) {
            (Some(from), Some(to)) => self.values(from, to, within),
            // the names of a Secret's values are no secret
            (Some(from @ Value::Object(_)), None) if within == Within::Values => {
                self.values(from, &empty(), within);
                self.add(FieldFate::Removed, Some(&empty()), None, Within::Open);
            }
            (None, Some(to @ Value::Object(_))) if within == Within::Values => {
                self.add(FieldFate::Added { at: None }, None, Some(&empty()), Within::Open);
                self.values(&empty(), to, within);
            }
            (Some(from), None) => self.add(FieldFate::Removed, Some(from), None, within),
            (None, to) => self.add(FieldFate::Added { at: None }, None, to, within),
        }
        self.path.pop();
    }

    fn lists(&mut self, from: &[Value], to: &[Value], within: Within) {
        let field = match self.path.last() {
            Some(Step::Field(name)) => name.clone(),
            Some(Step::Item(_) | Step::Place(_)) | None => Box::default(),
        };
        let within = match within {
            Within::List => Within::Listed,
            Within::Generators => Within::Generator,
            // values where a map of them should stand
            Within::Values => Within::Hidden,
            other => other,
        };
        if let Some((of_from, of_to)) = keys::keys(&field, from, to) {
            let places = keys::places(&of_to);
            let pairs: Vec<(usize, usize)> = of_from
                .iter()
                .enumerate()
                .filter_map(|(place, key)| Some((place, *places.get(key)?)))
                .collect();
            let items = Items { from, to, pairs, keys: Some((&of_from, &of_to)) };
            self.items(&items, within);
        } else {
            let pairs = lists::pairs(from, to, keys::is_set(&field));
            self.items(&Items { from, to, pairs, keys: None }, within);
        }
    }

    fn items(&mut self, items: &Items<'_>, within: Within) {
        let partner: HashMap<usize, usize> = items.pairs.iter().copied().collect();
        let mut added = items.added();
        let mut add_after = |walk: &mut Self, before: usize| {
            for place in added.remove(&before).unwrap_or_default() {
                walk.path.push(items.step_to(place));
                walk.add(FieldFate::Added { at: Some(place) }, None, items.to.get(place), within);
                walk.path.pop();
            }
        };
        add_after(self, 0);
        for (place, value) in items.from.iter().enumerate() {
            let other = partner.get(&place).map(|other| (*other, &items.to[*other]));
            if !other.is_some_and(|(_, other)| is_same(value, other)) {
                self.path.push(items.step_from(place));
                match other {
                    Some((_, other)) => self.values(value, other, within),
                    None => self.add(FieldFate::Removed, Some(value), None, within),
                }
                self.path.pop();
            }
            if let Some((other, _)) = other {
                add_after(self, other + 1);
            }
        }
        if let Some((from, to)) = items.orders() {
            self.add(FieldFate::Reordered, Some(&from), Some(&to), Within::Open);
        }
    }

    fn add(&mut self, change: FieldFate, from: Option<&Value>, to: Option<&Value>, within: Within) {
        if self.found.changes.len() >= MOST {
            self.found.cut = true;
            return;
        }
        let hidden = matches!(within, Within::Hidden | Within::Values);
        let secret = hidden
            || from.is_some_and(secret::holds_one)
            || to.is_some_and(secret::holds_one)
            || (within == Within::Listed && [from, to].into_iter().flatten().any(holds_values))
            || (within == Within::Generator && [from, to].into_iter().flatten().any(holds_literals));
        self.found.changes.push(FieldChange {
            path: FieldPath(self.path.clone()),
            change,
            from: from.cloned(),
            to: to.cloned(),
            secret,
        });
    }
}

fn holds_values(secret: &Value) -> bool {
    let whole = secret.get("metadata").is_some();
    secret.as_object().is_some_and(|fields| fields.keys().any(|name| secret::keeps_values(name, whole)))
}

fn holds_literals(generator: &Value) -> bool {
    generator.as_object().is_some_and(|fields| fields.keys().any(|name| secret::is_literals(name)))
}

/// Fields of the second map that the first does not have, by the last one before them that it has.
fn fresh<'a>(
    from: &Map<String, Value>,
    to: &'a Map<String, Value>,
) -> HashMap<Option<&'a str>, Vec<(&'a str, &'a Value)>> {
    let mut fresh: HashMap<Option<&str>, Vec<(&str, &Value)>> = HashMap::new();
    let mut last = None;
    for (name, value) in to {
        if from.contains_key(name) {
            last = Some(name.as_str());
        } else {
            fresh.entry(last).or_default().push((name, value));
        }
    }
    fresh
}

/// Maps of no more fields are looked through: that is quicker than to look up.
const FEW: usize = 24;

fn find<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if map.len() > FEW {
        return map.get(name);
    }
    map.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
}

/// What the fields of a map are inside of.
#[derive(Clone, Copy)]
struct Inside {
    within: Within,
    secret: Secrecy,
    list: bool,
    /// It is a patch of Secrets.
    patch: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Secrecy {
    None,
    /// A part of a Secret: only the fields that always hold values do.
    Part,
    /// A whole object: whatever is not known to be open may hold values.
    Whole,
}

impl Inside {
    fn of(from: &Map<String, Value>, to: &Map<String, Value>, within: Within) -> Self {
        let kinds = [from, to].map(|map| find(map, "kind").and_then(Value::as_str));
        let says = |kind: &str| kinds.contains(&Some(kind));
        let within =
            if says(secret::GENERATOR) && within == Within::Open { Within::Generator } else { within };
        let is_whole = || [from, to].iter().any(|map| find(map, "metadata").is_some());
        Self {
            within,
            secret: match within == Within::Listed || says("Secret") {
                true if is_whole() => Secrecy::Whole,
                true => Secrecy::Part,
                false => Secrecy::None,
            },
            list: says("SecretList"),
            patch: [from, to].into_iter().any(secret::patches_secrets),
        }
    }

    fn keeps_values(self, name: &str) -> bool {
        self.secret != Secrecy::None && secret::keeps_values(name, self.secret == Secrecy::Whole)
    }

    fn of_field(self, name: &str) -> Within {
        match self.within {
            Within::Values | Within::Hidden => return Within::Hidden,
            Within::Metadata if name == "annotations" => return Within::Annotations,
            Within::Annotations if name == secret::LAST_APPLIED => return Within::Hidden,
            Within::Generator if secret::is_literals(name) => return Within::Hidden,
            Within::Metadata
            | Within::Annotations
            | Within::Generator
            | Within::Generators
            | Within::Open
            | Within::Listed
            | Within::List => {}
        }
        match name {
            _ if self.keeps_values(name) => Within::Values,
            "metadata" if self.secret != Secrecy::None => Within::Metadata,
            "items" if self.list => Within::List,
            _ if self.patch && secret::is_patch(name) => Within::Hidden,
            _ if secret::is_generators(name) => Within::Generators,
            _ => Within::Open,
        }
    }
}

/// Two lists, and which of their items belong together.
struct Items<'a> {
    from: &'a [Value],
    to: &'a [Value],
    /// In the order of the first.
    pairs: Vec<(usize, usize)>,
    keys: Option<(&'a [ItemKey], &'a [ItemKey])>,
}

impl Items<'_> {
    fn step_from(&self, place: usize) -> Step {
        self.keys.map_or(Step::Place(place), |(from, _)| Step::Item(from[place].clone()))
    }

    fn step_to(&self, place: usize) -> Step {
        self.keys.map_or(Step::Place(place), |(_, to)| Step::Item(to[place].clone()))
    }

    /// Places of what was added, by the place behind the last item before them that was there before.
    fn added(&self) -> HashMap<usize, Vec<usize>> {
        let kept: std::collections::HashSet<usize> = self.pairs.iter().map(|(_, to)| *to).collect();
        let mut added: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut behind = 0;
        for place in 0..self.to.len() {
            if kept.contains(&place) {
                behind = place + 1;
            } else {
                added.entry(behind).or_default().push(place);
            }
        }
        added
    }

    /// What both lists hold, in both orders, if they differ: by key, or by the place in the first.
    fn orders(&self) -> Option<(Value, Value)> {
        if self.pairs.is_sorted_by_key(|(_, to)| *to) {
            return None;
        }
        let mut second = self.pairs.clone();
        second.sort_unstable_by_key(|(_, to)| *to);
        let words = |pairs: &[(usize, usize)]| {
            let word = |(place, _): &(usize, usize)| {
                self.keys.map_or(Value::from(*place), |(from, _)| keys::words(&from[*place]))
            };
            Value::Array(pairs.iter().map(word).collect())
        };
        Some((words(&self.pairs), words(&second)))
    }
}
