//! What a Secret said, taken out of rendered manifests before anybody sees them. It covers too much rather than too
//! little: short and common words of a Secret may be covered where they mean something else.

use super::ReleaseLens;
use crate::domain::secret::HIDDEN;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;

/// Shorter ones are everywhere, and no secret.
const SHORTEST: usize = 5;

/// Names and kinds stay what they are: without them no object would be known.
const KEPT: [&str; 4] = ["name:", "namespace:", "kind:", "apiVersion:"];

impl ReleaseLens {
    /// The manifests without the texts that `valuesFrom` took from Secrets.
    pub fn covered(&self, manifests: Bytes) -> Bytes {
        let words = self.secret_words();
        let Ok(text) = std::str::from_utf8(&manifests) else { return manifests };
        if !words.iter().any(|word| text.contains(word.as_str())) {
            return manifests;
        }
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let field = line.trim_start().trim_start_matches("- ");
            if KEPT.iter().any(|kept| field.starts_with(kept)) {
                out.push_str(line);
            } else {
                out.push_str(&words.iter().fold(line.to_owned(), |line, word| line.replace(word, HIDDEN)));
            }
        }
        out.into()
    }

    /// Words of a tool, which may quote values.
    pub fn covered_words(&self, words: &str) -> String {
        self.secret_words().iter().fold(words.to_owned(), |words, word| words.replace(word, HIDDEN))
    }

    /// Every line of every text that a Secret said, as it stands, as YAML may quote it, and encoded; the longest first.
    fn secret_words(&self) -> Vec<String> {
        let (mut words, mut texts) = (Vec::new(), Vec::new());
        if !self.from_secrets.is_empty() {
            self.collect(&self.values, &mut Vec::new(), &mut texts);
        }
        // as `b64enc` writes it
        let encoded: Vec<String> = texts.iter().map(|text| STANDARD.encode(text)).collect();
        for text in &texts {
            let lines = text.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST);
            words.extend(lines.map(str::to_owned));
        }
        let quoted: Vec<String> = words.iter().map(|word| Value::from(word.as_str()).to_string()).collect();
        words.extend(quoted.iter().map(|word| word.trim_matches('"').to_owned()));
        words.extend(words.iter().map(|word| word.replace('\'', "''")).collect::<Vec<_>>());
        words.extend(encoded);
        words.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        words.dedup();
        words
    }

    fn collect(&self, value: &Value, path: &mut Vec<Box<str>>, texts: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    path.push(key.as_str().into());
                    if self.from_secrets.covers(path) {
                        self.collect(value, path, texts);
                    }
                    path.pop();
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item, path, texts)),
            Value::String(text) => {
                texts.extend(Some(text.clone()).filter(|text| text.chars().count() >= SHORTEST));
            }
            Value::Number(number) => {
                texts.extend(Some(number.to_string()).filter(|word| word.len() >= SHORTEST));
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}
