//! What `flux build` hid of what SOPS encrypted: both sides would look the same.

use crate::domain::object::{self, Dialect};
use serde_json::{Map, Value};

/// What `flux build` writes over encrypted values of a Secret, as a text and in base64 (fluxcd/flux2
/// `internal/build/build.go`).
const MASKS: [&str; 3] = ["**SOPS**", "KipTT1BTKio=", "eyJtYXNrIjoiKipTT1BTKioifQ=="];

/// A value of a Secret is hidden in it. Anything else may say the same words and hides nothing. What
/// cannot be read is not taken for open.
pub fn is_masked(manifests: &[u8]) -> bool {
    let says = |text: &str| MASKS.iter().any(|mask| text.contains(mask));
    let hides = |object: Value| {
        let values = ["data", "stringData"].map(|field| object.get(field).and_then(Value::as_object));
        let mut values = values.into_iter().flatten().flat_map(Map::values);
        object["kind"] == "Secret" && values.any(|value| value.as_str().is_some_and(says))
    };
    let text = String::from_utf8_lossy(manifests);
    let documents = object::documents(&text);
    let mut masked = documents.iter().filter_map(|document| text.get(document.at.clone()));
    masked.any(|text| {
        says(text)
            && match object::parse(text, Dialect::Kustomize) {
                Ok(value) => value.into_iter().flat_map(object::unroll).any(hides),
                Err(_) => true,
            }
    })
}
