//! Fields that two readers of the same JSON would take for different ones. Go, and so Flux, takes a field in any case
//! and the last of several; whoever does otherwise could be shown another document than Flux uses.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{collections::HashSet, fmt};

const FIELDS: [&str; 15] = [
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "annotations",
    "digest",
    "size",
    "urls",
    "platform",
    "os",
    "architecture",
    "variant",
    "subject",
    "artifactType",
];

/// What could be read in two ways, in words. What is no JSON at all is not told here.
pub(super) fn ambiguity(document: &[u8]) -> Option<String> {
    let mut reader = serde_json::Deserializer::from_slice(document);
    Spelling.deserialize(&mut reader).ok().flatten()
}

/// Looks at the names of all fields, and at nothing else.
#[derive(Clone, Copy)]
struct Spelling;

fn oddity(name: &str, seen: &mut HashSet<String>) -> Option<String> {
    let folded = fold(name);
    let meant = FIELDS.iter().find(|field| fold(field) == folded);
    if let Some(field) = meant.filter(|field| **field != name) {
        return Some(format!("the field {name:?} would be read as {field:?} by some"));
    }
    (!seen.insert(name.to_owned())).then(|| format!("the field {name:?} stands twice in one place"))
}

/// Go compares the names of fields so.
fn fold(name: &str) -> String {
    let fold = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(fold).collect()
}

impl<'de> DeserializeSeed<'de> for Spelling {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Spelling {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut seen, mut found) = (HashSet::new(), None);
        while let Some(name) = fields.next_key::<String>()? {
            found = found.or_else(|| oddity(&name, &mut seen));
            // the names of annotations are free
            if name == "annotations" {
                fields.next_value::<IgnoredAny>()?;
            } else {
                let below = fields.next_value_seed(self)?;
                found = found.or(below);
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(below) = items.next_element_seed(self)? {
            found = found.or(below);
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::ambiguity;

    #[test]
    fn fields_that_go_would_read_otherwise_are_found_wherever_they_stand() {
        for (document, words) in [
            (r#"{"layers":[],"Layers":[1]}"#, "\"Layers\" would be read as \"layers\""),
            (r#"{"layers":[],"layers":[1]}"#, "\"layers\" stands twice"),
            (r#"{"layers":[{"digest":"a","DIGEST":"b"}]}"#, "\"DIGEST\" would be read as \"digest\""),
            (r#"{"config":{"digeſt":"b"}}"#, "would be read as \"digest\""),
            (r#"{"x":{"y":1,"y":2}}"#, "\"y\" stands twice"),
        ] {
            let found = ambiguity(document.as_bytes()).unwrap_or_default();
            assert!(found.contains(words), "{document}: {found}");
        }
        for fine in [
            r#"{"layers":[{"size":1,"annotations":{"Size":"a","size":"b"}}],"x":true,"y":[null,1.5,-1]}"#,
            "[]",
            "no JSON",
        ] {
            assert_eq!(ambiguity(fine.as_bytes()), None, "{fine}");
        }
    }
}
