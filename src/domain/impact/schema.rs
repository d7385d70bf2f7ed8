//! Two OpenAPI schemas -> what was allowed and is not any more. It reads structural schemas, as CRDs must have them;
//! `anyOf` and its like it does not.

use super::{
    What,
    pair::list,
    words::{short, some},
};
use crate::domain::diff::is_same;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// One thing that the new schema takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Loss {
    pub(super) what: What,
    /// From the root of the custom resource, `[]` for the items of a list, `*` for the values of a map.
    pub(super) path: String,
    /// Behind the path; may be empty.
    pub(super) detail: String,
}

/// Where the walk is: the way back to the root.
#[derive(Clone, Copy)]
struct Trail<'a> {
    up: Option<&'a Trail<'a>>,
    name: &'a str,
}

pub(super) fn losses(from: &Value, to: &Value) -> Vec<Loss> {
    let mut found = Vec::new();
    walk(from, to, &Trail { up: None, name: "" }, &mut found);
    found
}

fn walk(from: &Value, to: &Value, at: &Trail<'_>, found: &mut Vec<Loss>) {
    if is_same(from, to) {
        return;
    }
    let (old, new) = (type_of(from), type_of(to));
    if !takes(new, old) {
        found.push(at.loss(
            What::CrdTypeChanged,
            format!("{} → {}", old.unwrap_or("anything"), new.unwrap_or("anything")),
        ));
        return;
    }
    narrowed(from, to, at, found);
    tightened(from, to, at, found);
    properties(from, to, at, found);
    for (key, name) in [("items", "[]"), ("additionalProperties", "*")] {
        if let (Some(from), Some(to)) = (from.get(key), to.get(key)) {
            walk(from, to, &Trail { up: Some(at), name }, found);
        }
    }
}

fn type_of(schema: &Value) -> Option<&str> {
    if flag(schema, "x-kubernetes-int-or-string") {
        return Some("int-or-string");
    }
    schema.get("type").and_then(Value::as_str)
}

fn flag(schema: &Value, name: &str) -> bool {
    schema.get(name).and_then(Value::as_bool) == Some(true)
}

/// What the old type allowed, the new one allows.
fn takes(new: Option<&str>, old: Option<&str>) -> bool {
    new == old
        || new.is_none()
        || matches!(
            (new, old),
            (Some("number" | "int-or-string"), Some("integer")) | (Some("int-or-string"), Some("string"))
        )
}

fn narrowed(from: &Value, to: &Value, at: &Trail<'_>, found: &mut Vec<Loss>) {
    let Some(new) = to.get("enum").and_then(Value::as_array) else { return };
    let Some(old) = from.get("enum").and_then(Value::as_array) else {
        let allowed: Vec<String> = new.iter().map(word).collect();
        found.push(at.loss(What::CrdEnumNarrowed, format!("only {}", some(&allowed, 4))));
        return;
    };
    let kept: BTreeSet<String> = new.iter().map(Value::to_string).collect();
    let gone: Vec<String> = old.iter().filter(|value| !kept.contains(&value.to_string())).map(word).collect();
    if !gone.is_empty() {
        found.push(at.loss(What::CrdEnumNarrowed, format!("no longer {}", some(&gone, 4))));
    }
}

fn word(value: &Value) -> String {
    super::words::quote(Some(value))
}

fn tightened(from: &Value, to: &Value, at: &Trail<'_>, found: &mut Vec<Loss>) {
    let number = |side: &Value, key: &str| side.get(key).and_then(Value::as_f64);
    let mut said = Vec::new();
    // no length is less than nothing
    for (key, least) in
        [("minimum", None), ("minLength", Some(0.0)), ("minItems", Some(0.0)), ("minProperties", Some(0.0))]
    {
        let old = number(from, key).or(least);
        if let Some(new) = number(to, key).filter(|new| old.is_none_or(|old| *new > old)) {
            said.push(format!("{key} {new}"));
        }
    }
    for key in ["maximum", "maxLength", "maxItems", "maxProperties"] {
        if let Some(new) = number(to, key).filter(|new| number(from, key).is_none_or(|old| *new < old)) {
            said.push(format!("{key} {new}"));
        }
    }
    for key in ["pattern", "format", "multipleOf"] {
        if let Some(new) = to.get(key).filter(|new| from.get(key) != Some(*new)) {
            said.push(format!("{key} {}", word(new)));
        }
    }
    for key in ["exclusiveMinimum", "exclusiveMaximum", "uniqueItems"] {
        if flag(to, key) && !flag(from, key) {
            said.push(key.to_owned());
        }
    }
    if flag(from, "nullable") && !flag(to, "nullable") {
        said.push("not null any more".to_owned());
    }
    if flag(from, "x-kubernetes-preserve-unknown-fields") && !flag(to, "x-kubernetes-preserve-unknown-fields")
    {
        said.push("unknown fields are dropped".to_owned());
    }
    let text = |rule: &'_ Value, field: &str| rule.get(field).and_then(Value::as_str).map(str::to_owned);
    let old: BTreeSet<Option<String>> =
        list(from, &["x-kubernetes-validations"]).iter().map(|rule| text(rule, "rule")).collect();
    for rule in list(to, &["x-kubernetes-validations"]) {
        let own = text(rule, "rule");
        if let Some(own) = own.filter(|own| !old.contains(&Some(own.clone()))) {
            said.push(format!("rule: {}", short(&text(rule, "message").unwrap_or(own))));
        }
    }
    if !said.is_empty() {
        found.push(at.loss(What::CrdTightened, some(&said, 2)));
    }
}

fn properties(from: &Value, to: &Value, at: &Trail<'_>, found: &mut Vec<Loss>) {
    let none = Map::new();
    let old = from.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let new = to.get("properties").and_then(Value::as_object).unwrap_or(&none);
    let was_required = list(from, &["required"]);
    for name in
        list(to, &["required"]).iter().filter(|name| !was_required.contains(name)).filter_map(Value::as_str)
    {
        let has_default = new.get(name).is_some_and(|schema| schema.get("default").is_some());
        if !has_default {
            found.push(at.down(name).loss(What::CrdFieldRequired, String::new()));
        }
    }
    // any field goes where unknown ones are kept, or where the values of a map are described
    let is_open = flag(to, "x-kubernetes-preserve-unknown-fields")
        || to.get("additionalProperties").is_some_and(|schema| schema.as_bool() != Some(false));
    for (name, schema) in old {
        match new.get(name) {
            Some(other) => walk(schema, other, &at.down(name), found),
            None if is_open => {}
            None => found.push(at.down(name).loss(What::CrdFieldRemoved, String::new())),
        }
    }
}

impl<'a> Trail<'a> {
    fn down(&'a self, name: &'a str) -> Self {
        Self { up: Some(self), name }
    }

    fn loss(&self, what: What, detail: String) -> Loss {
        Loss { what, path: self.path(), detail }
    }

    fn path(&self) -> String {
        let mut path = self.up.map(Trail::path).unwrap_or_default();
        if !path.is_empty() && self.name != "[]" {
            path.push('.');
        }
        path.push_str(self.name);
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: &str, to: &str, want: &[&str]) {
        let schema = |text: &str| -> Value { serde_saphyr::from_str(text).unwrap() };
        let said: Vec<String> = losses(&schema(from), &schema(to))
            .iter()
            .map(|loss| format!("{} {} {}", loss.what.word(), loss.path, loss.detail).trim_end().to_owned())
            .collect();
        assert_eq!(said, want, "{from} → {to}");
    }

    #[test]
    fn a_least_length_of_nothing_refuses_nothing() {
        let field = |rule: &str| format!("{{properties: {{a: {{type: string{rule}}}}}}}");
        check(&field(""), &field(", minLength: 0"), &[]);
        check(&field(""), &field(", minLength: 1"), &["crd-tightened a minLength 1"]);
        check(&field(", minLength: 1"), &field(", minLength: 0"), &[]);
    }

    #[test]
    fn a_required_field_counts_where_its_parent_was() {
        let old = "{properties: {spec: {properties: {a: {type: string}}}}}";
        check(
            old,
            "{properties: {spec: {required: [a], properties: {a: {type: string}}}}}",
            &["crd-field-required spec.a"],
        );
        check(old, "{properties: {spec: {required: [a], properties: {a: {type: string, default: x}}}}}", &[]);
        check(
            old,
            "{properties: {spec: {properties: {a: {type: string}, new: {required: [b], properties: {b: {}}}}}}}",
            &[],
        );
        check(
            "{properties: {list: {items: {properties: {a: {}}}}}}",
            "{properties: {list: {items: {required: [b], properties: {a: {}, b: {}}}}}}",
            &["crd-field-required list[].b"],
        );
    }

    #[test]
    fn enums_types_and_fields_are_compared() {
        check("{enum: [a, b]}", "{enum: [b, c]}", &["crd-enum-narrowed  no longer a"]);
        check("{properties: {x: {}}}", "{properties: {x: {enum: [a]}}}", &["crd-enum-narrowed x only a"]);
        check("{enum: [a]}", "{enum: [a, b]}", &[]);
        check("{enum: [a]}", "{}", &[]);
        check("{properties: {x: {type: string}}}", "{properties: {}}", &["crd-field-removed x"]);
        check("{properties: {x: {}}}", "{x-kubernetes-preserve-unknown-fields: true}", &[]);
        check(
            "{additionalProperties: {type: string}}",
            "{additionalProperties: {type: integer}}",
            &["crd-type-changed * string → integer"],
        );
        check("{type: integer}", "{type: number}", &[]);
        check("{type: integer}", "{x-kubernetes-int-or-string: true}", &[]);
        check(
            "{x-kubernetes-int-or-string: true}",
            "{type: string}",
            &["crd-type-changed  int-or-string → string"],
        );
    }

    #[test]
    fn tighter_rules_are_found() {
        check("{minimum: 1}", "{minimum: 2}", &["crd-tightened  minimum 2"]);
        check("{minimum: 2}", "{minimum: 1}", &[]);
        check(
            "{maxLength: 63}",
            "{maxLength: 20, pattern: ^a}",
            &["crd-tightened  maxLength 20 and pattern ^a"],
        );
        check(
            "{}",
            "{x-kubernetes-validations: [{rule: self == oldSelf}]}",
            &["crd-tightened  rule: self == oldSelf"],
        );
        check(
            "{x-kubernetes-validations: [{rule: a, message: b}]}",
            "{x-kubernetes-validations: [{rule: a, message: c}]}",
            &[],
        );
    }
}
