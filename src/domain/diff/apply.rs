//! Changes put onto the value that they were found in: the proof that none is missing. It merges nothing, and what does
//! not fit is left out.

use super::{
    FieldChange, FieldFate, Step,
    keys::{self, ItemKey},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// The second value, from the first and what differs (in the order in which [`super::fields()`] found it).
pub fn apply(from: &Value, changes: &[FieldChange]) -> Value {
    let changes: Vec<&FieldChange> = changes.iter().collect();
    changed(from, &changes, 0, "")
}

/// `depth`: how many steps of the paths lead to this value. `field`: the name of the last.
fn changed(value: &Value, changes: &[&FieldChange], depth: usize, field: &str) -> Value {
    let whole = changes.iter().find(|change| {
        change.path.0.len() == depth && matches!(change.change, FieldFate::Changed | FieldFate::Added { .. })
    });
    let value = whole.and_then(|change| change.to.as_ref()).unwrap_or(value);
    match value {
        Value::Object(fields) => Value::Object(changed_map(fields, changes, depth)),
        Value::Array(items) => Value::Array(changed_list(items, changes, depth, field)),
        other => other.clone(),
    }
}

fn changed_map(fields: &Map<String, Value>, changes: &[&FieldChange], depth: usize) -> Map<String, Value> {
    let mut fields = fields.clone();
    let mut by_name: BTreeMap<&str, Vec<&FieldChange>> = BTreeMap::new();
    for change in changes {
        if let Some(Step::Field(name)) = change.path.0.get(depth) {
            by_name.entry(name).or_default().push(change);
        }
    }
    for (name, changes) in by_name {
        let ends = |change: &&&FieldChange| change.path.0.len() == depth + 1;
        if changes.iter().filter(ends).any(|change| change.change == FieldFate::Removed) {
            fields.shift_remove(name);
        } else {
            let before = fields.get(name).unwrap_or(&Value::Null);
            let after = changed(before, &changes, depth + 1, name);
            fields.insert(name.to_owned(), after);
        }
    }
    fields
}

fn changed_list(items: &[Value], changes: &[&FieldChange], depth: usize, field: &str) -> Vec<Value> {
    let here = Here::of(changes, depth);
    if here.is_empty() {
        return items.to_vec();
    }
    let own: Vec<&ItemKey> = here.of_items.keys().copied().collect();
    let keys = if here.is_keyed { keys::keys_with(field, items, &own) } else { None };
    let mut kept: Vec<(Value, Value)> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let key = keys.as_ref().map(|keys| &keys[place]);
        let own = key.map_or_else(|| here.of_places.get(&place), |key| here.of_items.get(key));
        let gone = own
            .into_iter()
            .flatten()
            .any(|change| change.path.0.len() == depth + 1 && change.change == FieldFate::Removed);
        if !gone {
            let word = key.map_or(Value::from(place), keys::words);
            let none = Vec::new();
            kept.push((word, changed(item, own.unwrap_or(&none), depth + 1, "")));
        }
    }
    if let Some(Value::Array(order)) = here.order {
        let places: HashMap<String, usize> =
            order.iter().enumerate().map(|(place, word)| (word.to_string(), place)).collect();
        kept.sort_by_key(|(word, _)| places.get(&word.to_string()).copied().unwrap_or(usize::MAX));
    }
    let mut list: Vec<Value> = kept.into_iter().map(|(_, item)| item).collect();
    for (at, value) in here.added {
        list.insert(at.min(list.len()), value.clone());
    }
    list
}

/// What happens in one list.
#[derive(Default)]
struct Here<'a> {
    is_keyed: bool,
    of_items: HashMap<&'a ItemKey, Vec<&'a FieldChange>>,
    of_places: HashMap<usize, Vec<&'a FieldChange>>,
    added: BTreeMap<usize, &'a Value>,
    order: Option<&'a Value>,
}

impl<'a> Here<'a> {
    fn of(changes: &[&'a FieldChange], depth: usize) -> Self {
        let mut here = Self::default();
        for change in changes {
            let ends = change.path.0.len() == depth + 1;
            match (change.path.0.get(depth), change.change, &change.to) {
                (None, FieldFate::Reordered, order) => here.order = order.as_ref(),
                (Some(step), FieldFate::Added { at: Some(at) }, Some(value)) if ends => {
                    here.is_keyed |= matches!(step, Step::Item(_));
                    here.added.insert(at, value);
                }
                (Some(Step::Item(key)), ..) => here.of_items.entry(key).or_default().push(change),
                (Some(Step::Place(place)), ..) => here.of_places.entry(*place).or_default().push(change),
                (Some(Step::Field(_)) | None, ..) => {}
            }
        }
        let words = here.order.and_then(Value::as_array);
        here.is_keyed |= !here.of_items.is_empty()
            || words.is_some_and(|words| words.first().is_some_and(Value::is_string));
        here
    }

    fn is_empty(&self) -> bool {
        self.of_items.is_empty() && self.of_places.is_empty() && self.added.is_empty() && self.order.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FieldFate, fields};
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[track_caller]
    fn check(from: &Value, to: &Value) {
        let found = fields(from, to);
        assert!(!found.cut);
        assert_eq!(&apply(from, &found.changes), to, "{:#?}", found.changes);
        assert_eq!(found.changes.is_empty(), from == to, "{:#?}", found.changes);
        let orders = |value: &Value| value.to_string();
        assert!(found.changes.iter().all(|change| {
            change.change != FieldFate::Reordered
                || change.from.as_ref().map(orders) != change.to.as_ref().map(orders)
        }));
    }

    fn scalar() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..4_i64).prop_map(Value::from),
            prop_oneof!["[a-c]", Just("1".to_owned()), Just("a\nb".to_owned())].prop_map(Value::from),
        ]
    }

    /// Names that have keys, names of sets, names of Secrets, and others.
    fn name() -> impl Strategy<Value = String> {
        const NAMES: [&str; 18] = [
            "name",
            "containers",
            "ports",
            "containerPort",
            "port",
            "protocol",
            "env",
            "verbs",
            "data",
            "kind",
            "metadata",
            "tolerations",
            "key",
            "operator",
            "items",
            "subjects",
            "a",
            "b.c",
        ];
        proptest::sample::select(&NAMES[..]).prop_map(str::to_owned)
    }

    fn value() -> impl Strategy<Value = Value> {
        scalar().prop_recursive(4, 60, 5, |inner| {
            let named = (prop_oneof!["[a-d]", Just("1".to_owned())], inner.clone())
                .prop_map(|(name, value)| json!({"name": name, "value": value}));
            let port =
                (0..3_u8, proptest::option::of("TCP|UDP"), inner.clone()).prop_map(|(port, of, value)| {
                    match of {
                        Some(of) => json!({"containerPort": port, "protocol": of, "x": value}),
                        None => json!({"containerPort": port, "x": value}),
                    }
                });
            let map = proptest::collection::vec((name(), inner.clone()), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect()));
            let secret = proptest::collection::vec(("[a-c]", inner.clone()), 0..3).prop_map(
                |fields| json!({"kind": "Secret", "data": Value::Object(fields.into_iter().collect())}),
            );
            let of =
                |item: BoxedStrategy<Value>| proptest::collection::vec(item, 0..5).prop_map(Value::Array);
            prop_oneof![
                2 => map,
                1 => secret,
                2 => of(inner.boxed()),
                2 => of(named.boxed()),
                1 => of(port.clone().boxed()),
                1 => of(port.boxed()).prop_map(|list| json!({"ports": list})),
            ]
        })
    }

    /// The same with something changed in it: two values by chance have little in common.
    fn edited(value: Value, edits: &[(u8, usize, Value)]) -> Value {
        edits.iter().fold(value, |value, (how, at, other)| edit(value, *how, *at, other))
    }

    fn edit(value: Value, how: u8, at: usize, other: &Value) -> Value {
        match value {
            Value::Array(mut items) if !items.is_empty() => {
                let place = at % items.len();
                match how {
                    0 => drop(items.remove(place)),
                    1 => items.insert(place, other.clone()),
                    2 => items.swap(0, place),
                    3 => items.push(items[place].clone()),
                    _ => items[place] = edit(items[place].clone(), how / 2, at / 2, other),
                }
                Value::Array(items)
            }
            Value::Object(mut fields) if !fields.is_empty() => {
                let name = fields.keys().nth(at % fields.len()).cloned().unwrap_or_default();
                match how {
                    0 => drop(fields.shift_remove(&name)),
                    1 => drop(fields.insert(format!("{name}x"), other.clone())),
                    _ => {
                        let inner = fields.get(&name).cloned().unwrap_or_default();
                        fields.insert(name, edit(inner, how / 2, at / 2, other));
                    }
                }
                Value::Object(fields)
            }
            _ => other.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_differs_makes_the_second_of_the_first(from in value(), to in value()) {
            check(&from, &to);
        }

        #[test]
        fn what_was_edited_is_found(
            from in value(),
            edits in proptest::collection::vec((0..12_u8, 0..40_usize, scalar()), 1..6),
        ) {
            let to = edited(from.clone(), &edits);
            check(&from, &to);
            check(&to, &from);
            check(&from, &from);
        }
    }

    #[test]
    fn lists_keep_their_order() {
        let named = |names: &[&str]| json!({"env": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()});
        check(&named(&["a", "b", "c"]), &named(&["c", "x", "a", "y"]));
        check(&json!([1, 2, 3, 1]), &json!([1, 1, 4, 3]));
        check(&json!({"a": null}), &json!({}));
        check(&json!({"a": []}), &json!({"a": [[], [null]]}));
    }
}
