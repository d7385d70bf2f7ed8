//! `values.schema.json` of a chart: Helm refuses values that break it. It reads types, enums, required and unknown
//! fields; `anyOf` and its like it does not, and it quotes no value of a release.

use super::{
    Danger, Impact, Place, UNREAD, What,
    pair::{get, list},
    schema::losses,
    source::{Sheet, folder, join, read},
    values::merge,
    words::{quote, some, type_word},
};
use crate::domain::{
    lens::{Lens, ReleaseLens},
    object::Dialect,
};
use serde_json::{Map, Value};

const FILE: &str = "values.schema.json";

/// How deep references may lead, and how many values are looked at: references may meet in circles.
const DEEPEST: usize = 32;
const MOST: usize = 100_000;

pub(super) fn judge(sheet: &Sheet<'_>, lens: &Lens, said: &mut Vec<Impact>) {
    for (file, change) in sheet.diff.files.iter().enumerate() {
        let name = change.path().rsplit('/').next();
        if name != Some(FILE) || change.change.is_quiet() {
            continue;
        }
        let Some(new) = read(change.to.as_ref(), Dialect::Helm) else { continue };
        let old = read(change.from.as_ref(), Dialect::Helm);
        let home = folder(change.path());
        if sheet.carrier(home).is_some() {
            continue;
        }
        let at = Place::File { file, line: None };
        match lens {
            Lens::Release(release) => {
                let home = Home { sheet, folder: home, is_blind: lens.is_blind() };
                said.extend(refused(&home, release, old.as_ref(), &new, at));
            }
            Lens::Whole | Lens::Kustomization(_) => said.extend(stricter(old.as_ref(), &new, at)),
        }
    }
}

fn stricter(old: Option<&Value>, new: &Value, at: Place) -> Option<Impact> {
    let nothing = Value::Object(Map::new());
    let losses = losses(old.unwrap_or(&nothing), new);
    // a field that is gone is no loss: Helm lets unknown values pass
    let known = [
        (What::CrdFieldRequired, "required"),
        (What::CrdEnumNarrowed, "fewer values"),
        (What::CrdTypeChanged, "another type"),
        (What::CrdTightened, "stricter"),
    ];
    let word = |what| known.iter().find(|(one, _)| *one == what).map(|(_, word)| *word);
    let words: Vec<String> = losses
        .iter()
        .filter_map(|loss| {
            let path = if loss.path.is_empty() { "the values" } else { &loss.path };
            Some(format!("{path} ({})", word(loss.what)?))
        })
        .collect();
    let why = format!("{FILE} is stricter: {}; Helm refuses values that break it", some(&words, 3));
    (!words.is_empty()).then_some(Impact {
        danger: Danger::Medium,
        what: What::ValueRefused,
        object: None,
        why,
        at,
    })
}

/// The chart whose schema it is.
struct Home<'a> {
    sheet: &'a Sheet<'a>,
    folder: &'a str,
    is_blind: bool,
}

fn refused(
    home: &Home<'_>,
    release: &ReleaseLens,
    old: Option<&Value>,
    new: &Value,
    at: Place,
) -> Vec<Impact> {
    let defaults = home.sheet.named(&join(home.folder, "values.yaml")).map(|(_, change)| change);
    let side = |file: Option<&crate::domain::diff::File>| {
        let mut values = read(file, Dialect::Helm).unwrap_or_else(|| Value::Object(Map::new()));
        merge(&mut values, &release.values);
        values
    };
    // without the defaults nobody knows what is missing
    let is_whole = defaults.is_some();
    let mut before = Vec::new();
    if let Some(old) = old {
        let values = side(defaults.and_then(|change| change.from.as_ref()));
        Check { root: old, is_whole, found: &mut before, seen: 0 }.value(&values, old, "", 0);
    }
    let mut after = Vec::new();
    let values = side(defaults.and_then(|change| change.to.as_ref()));
    Check { root: new, is_whole, found: &mut after, seen: 0 }.value(&values, new, "", 0);
    after.retain(|one| !before.contains(one));
    let doubt = if home.is_blind { UNREAD } else { "" };
    after
        .into_iter()
        .map(|one| Impact {
            danger: Danger::High,
            what: What::ValueRefused,
            object: None,
            why: format!("Helm refuses your values by {FILE}: {one}{doubt}"),
            at,
        })
        .take(20)
        .collect()
}

struct Check<'a> {
    root: &'a Value,
    /// The defaults are known, so what is missing is missing.
    is_whole: bool,
    found: &'a mut Vec<String>,
    seen: usize,
}

impl Check<'_> {
    fn value(&mut self, value: &Value, schema: &Value, path: &str, depth: usize) {
        self.seen += 1;
        if depth > DEEPEST || self.seen > MOST {
            return;
        }
        if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
            let to = to.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)).cloned();
            if let Some(to) = to {
                self.value(value, &to, path, depth + 1);
            }
        }
        if !is_of_type(value, schema.get("type")) {
            let wanted = schema.get("type").map(wanted).unwrap_or_default();
            self.found.push(format!("{} must be {wanted} and is {}", named(path), type_word(value)));
            return;
        }
        if let Some(allowed) =
            schema.get("enum").and_then(Value::as_array).filter(|allowed| !allowed.contains(value))
        {
            let allowed: Vec<String> = allowed.iter().map(|one| quote(Some(one))).collect();
            self.found.push(format!("{} must be one of {}", named(path), some(&allowed, 5)));
        }
        self.bounds(value, schema, path);
        match value {
            Value::Object(map) => self.map(map, schema, path, depth),
            Value::Array(items) => {
                if let Some(schema) = schema.get("items").filter(|items| items.is_object()) {
                    let path = format!("{path}[]");
                    for item in items {
                        self.value(item, schema, &path, depth + 1);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn bounds(&mut self, value: &Value, schema: &Value, path: &str) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
        let (number, unit) = match value {
            Value::Number(number) => (number.as_f64(), ["minimum", "maximum"]),
            Value::String(text) => {
                (u32::try_from(text.chars().count()).ok().map(f64::from), ["minLength", "maxLength"])
            }
            _ => return,
        };
        let Some(number) = number else { return };
        for (name, breaks) in [
            (unit[0], bound(unit[0]).is_some_and(|least| number < least)),
            (unit[1], bound(unit[1]).is_some_and(|most| number > most)),
        ] {
            if breaks {
                self.found.push(format!("{} breaks {name} {}", named(path), quote(schema.get(name))));
            }
        }
    }

    fn map(&mut self, map: &Map<String, Value>, schema: &Value, path: &str, depth: usize) {
        let down = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let required = list(schema, &["required"]).iter().filter_map(Value::as_str);
        for name in required.filter(|name| !map.contains_key(*name)) {
            if self.is_whole {
                self.found.push(format!("{} is required", down(name)));
            }
        }
        let is_closed = schema.get("additionalProperties").and_then(Value::as_bool) == Some(false);
        for (name, value) in map {
            match get(schema, &["properties", name]) {
                Some(schema) => self.value(value, schema, &down(name), depth + 1),
                None if is_closed && schema.get("patternProperties").is_none() => {
                    // Helm adds it itself
                    if name != "global" {
                        self.found.push(format!("{} is not allowed", down(name)));
                    }
                }
                None => {
                    if let Some(schema) =
                        schema.get("additionalProperties").filter(|schema| schema.is_object())
                    {
                        self.value(value, schema, &down(name), depth + 1);
                    }
                }
            }
        }
    }
}

fn named(path: &str) -> &str {
    if path.is_empty() { "all of it" } else { path }
}

fn wanted(types: &Value) -> String {
    match types {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

fn is_of_type(value: &Value, types: Option<&Value>) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => true,
    };
    match types {
        None => true,
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).any(is),
        Some(one) => one.as_str().is_none_or(is),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        impact::{
            pair::tests::words,
            tests::{files, release},
        },
        object::Role,
    };

    fn check(lens: &Lens, schemas: (&str, &str), values: &str, want: &[&str]) {
        let diff = files(&[
            ("a/values.schema.json", Role::Other, schemas.0, schemas.1),
            ("a/values.yaml", Role::Values, "x: 0", values),
        ]);
        let mut said = Vec::new();
        judge(&Sheet::new(&diff), lens, &mut said);
        assert_eq!(said.iter().map(words).collect::<Vec<_>>(), want);
    }

    #[test]
    fn values_that_helm_will_refuse_are_said_and_not_quoted() {
        let refused =
            |why: &str| format!("high value-refused: Helm refuses your values by values.schema.json: {why}");
        let typed = r#"{"properties": {"a": {"type": "integer"}}}"#;
        check(
            &release("{a: s3cr3t}"),
            ("{}", typed),
            "a: 1",
            &[&refused("a must be integer and is a string")],
        );
        check(&release("{a: 2}"), ("{}", typed), "a: 1", &[]);
        // it was refused before
        check(&release("{a: s3cr3t}"), (typed, typed), "a: 1", &[]);
        let required = r#"{"required": ["a"]}"#;
        check(&release("{}"), ("{}", required), "b: 1", &[&refused("a is required")]);
        check(&release("{}"), ("{}", required), "a: 1", &[]);
        let one = r##"{"properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"enum": ["x", "y"]}}}"##;
        check(&release("{a: z}"), ("{}", one), "a: x", &[&refused("a must be one of x and y")]);
        let closed = r#"{"additionalProperties": false, "properties": {"a": {}}}"#;
        check(&release("{b: 1}"), ("{}", closed), "a: x", &[&refused("b is not allowed")]);
    }

    #[test]
    fn without_a_release_a_stricter_schema_is_said() {
        check(
            &Lens::Whole,
            ("{}", r#"{"required": ["a"], "properties": {"a": {}}}"#),
            "a: 1",
            &[
                "medium value-refused: values.schema.json is stricter: a (required); Helm refuses values that break it",
            ],
        );
        check(&Lens::Whole, (r#"{"properties": {"a": {}}}"#, "{}"), "a: 1", &[]);
    }
}
