//! How alike two values are. Keys of maps have no order here, and what a list holds counts wherever it stands.

use serde_json::{Map, Value};
use std::hash::{DefaultHasher, Hash, Hasher};

/// From here on two things are taken for one that changed, in percent.
pub(super) const ALIKE: usize = 60;

/// More leaves than these are not looked at: what is so large is alike by its beginning.
const LEAVES: usize = 4_000;

/// Equal values have equal numbers.
pub(super) fn hash(value: &Value) -> u64 {
    match value {
        Value::Null => digest(&(0_u8,)),
        Value::Bool(flag) => digest(&(1_u8, flag)),
        Value::Number(number) => digest(&(2_u8, number)),
        Value::String(text) => digest(&(3_u8, text)),
        Value::Array(items) => {
            let mut hasher = DefaultHasher::new();
            (4_u8, items.len()).hash(&mut hasher);
            for item in items {
                hasher.write_u64(hash(item));
            }
            hasher.finish()
        }
        Value::Object(fields) => digest(&(5_u8, hash_fields(fields, &[]))),
    }
}

/// What an object says, but for its name.
pub(super) fn hash_body(object: &Value) -> u64 {
    let Value::Object(fields) = object else { return hash(object) };
    let metadata = match fields.get("metadata") {
        Some(Value::Object(metadata)) => hash_fields(metadata, &["name", "namespace"]),
        other => other.map_or(0, hash),
    };
    digest(&(metadata, hash_fields(fields, &["apiVersion", "metadata"])))
}

fn hash_fields(fields: &Map<String, Value>, without: &[&str]) -> u64 {
    let kept = fields.iter().filter(|(name, _)| !without.contains(&name.as_str()));
    kept.fold(0, |sum: u64, (name, value)| sum.wrapping_add(digest(&(name, hash(value)))))
}

fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// The values at the ends of a tree, each with the names above it, as sorted numbers.
pub(super) struct Leaves(Vec<u64>);

impl Leaves {
    pub(super) fn of(value: &Value) -> Self {
        let mut leaves = Vec::new();
        collect(value, 0, &mut leaves);
        leaves.sort_unstable();
        Self(leaves)
    }

    /// Without what says which object it is.
    pub(super) fn of_object(object: &Value) -> Self {
        let mut leaves = Vec::new();
        for (name, value) in object.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("apiVersion" | "kind", _) => {}
                ("metadata", Value::Object(metadata)) => {
                    for (name, value) in metadata {
                        if !["name", "namespace"].contains(&name.as_str()) {
                            collect(value, digest(&(1_u8, name)), &mut leaves);
                        }
                    }
                }
                _ => collect(value, digest(&(0_u8, name)), &mut leaves),
            }
        }
        leaves.sort_unstable();
        Self(leaves)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In percent: how much of both is the same.
    pub(super) fn likeness(&self, other: &Self) -> usize {
        let all = self.0.len() + other.0.len();
        (self.common(other) * 200).checked_div(all).unwrap_or(100)
    }

    fn common(&self, other: &Self) -> usize {
        let (mut own, mut others, mut common) = (self.0.iter().peekable(), other.0.iter().peekable(), 0);
        while let (Some(one), Some(two)) = (own.peek(), others.peek()) {
            match one.cmp(two) {
                std::cmp::Ordering::Less => drop(own.next()),
                std::cmp::Ordering::Greater => drop(others.next()),
                std::cmp::Ordering::Equal => {
                    common += 1;
                    own.next();
                    others.next();
                }
            }
        }
        common
    }
}

fn collect(value: &Value, above: u64, leaves: &mut Vec<u64>) {
    if leaves.len() >= LEAVES {
        return;
    }
    match value {
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                collect(item, above.rotate_left(7), leaves);
            }
        }
        Value::Object(fields) if !fields.is_empty() => {
            for (name, field) in fields {
                collect(field, digest(&(above, name)), leaves);
            }
        }
        // a text of many lines is as alike as its lines are
        Value::String(text) if text.contains('\n') => {
            for line in text.lines().take(LEAVES.saturating_sub(leaves.len())) {
                leaves.push(digest(&(above, line)));
            }
        }
        _ => leaves.push(digest(&(above, hash(value)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_of_keys_says_nothing_and_order_of_items_does() {
        assert_eq!(hash(&json!({"a": 1, "b": [1, 2]})), hash(&json!({"b": [1, 2], "a": 1})));
        assert_ne!(hash(&json!([1, 2])), hash(&json!([2, 1])));
        assert_ne!(hash(&json!("1")), hash(&json!(1)));
    }

    #[test]
    fn an_object_is_as_alike_as_what_it_says_beside_its_name() {
        let object = |name: &str, image: &str| json!({"kind": "Pod", "metadata": {"name": name, "labels": {"a": "b"}}, "spec": {"image": image, "x": 1, "y": 2}});
        let (one, two) = (object("a", "i:1"), object("b", "i:1"));
        assert_eq!(hash_body(&one), hash_body(&two));
        let likeness = |a: &Value, b: &Value| Leaves::of_object(a).likeness(&Leaves::of_object(b));
        assert_eq!((likeness(&one, &two), likeness(&one, &object("a", "i:2"))), (100, 75));
    }
}
