//! What a Secret said, taken out of rendered manifests before anybody sees them: each text has a word of its own that
//! stands for it, so that what is not the same stays told apart. It covers too much rather than too little: short and
//! common words of a Secret may be covered where they mean something else.

use super::ReleaseLens;
use crate::domain::secret::HIDDEN;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashSet;

/// Shorter ones are everywhere, and no secret.
const SHORTEST: usize = 5;

/// What an object is stays what it is: without that no object would be known.
const KEPT: [&str; 2] = ["kind:", "apiVersion:"];

/// How objects are called, and what names them.
const NAMES: [&str; 2] = ["name:", "namespace:"];

/// A text of a Secret as it may be written, and what stands for it.
struct Word {
    text: String,
    stands: Box<str>,
    /// The release itself is called so: it is no secret in a name, and names must be found again by it.
    is_open: bool,
}

impl ReleaseLens {
    /// What covering cannot find, in one sentence; None: nothing comes from a Secret.
    pub fn cover_note(&self) -> Option<String> {
        (!self.from_secrets.is_empty()).then(|| {
            format!(
                "what Secrets say stands as {HIDDEN}, in names too; not found is what a template changes, and what is \
                 shorter than {SHORTEST} characters"
            )
        })
    }

    /// The manifests without the texts that `valuesFrom` took from Secrets.
    pub fn covered(&self, manifests: Bytes) -> Bytes {
        let words = self.secret_words();
        let Ok(text) = std::str::from_utf8(&manifests) else { return manifests };
        let words: Vec<&Word> = words.iter().filter(|word| text.contains(&word.text)).collect();
        if words.is_empty() {
            return manifests;
        }
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let field = line.trim_start().trim_start_matches("- ");
            let starts = |names: &[&str]| names.iter().any(|name| field.starts_with(name));
            if starts(&KEPT) {
                out.push_str(line);
            } else {
                let is_name = starts(&NAMES);
                cover(line, words.iter().copied().filter(|word| !(is_name && word.is_open)), &mut out);
            }
        }
        out.into()
    }

    /// Words of a tool, which may quote values.
    pub fn covered_words(&self, words: &str) -> String {
        let mut out = String::with_capacity(words.len());
        cover(words, self.secret_words().iter(), &mut out);
        out
    }

    /// Every line of every text that a Secret said, as it stands, as YAML may quote it, and encoded; the longest first.
    fn secret_words(&self) -> Vec<Word> {
        let mut texts = Vec::new();
        if !self.from_secrets.is_empty() {
            self.collect(&self.values, &mut Vec::new(), &mut texts);
        }
        let lines = |text: &String| -> Vec<String> {
            let lines = text.lines().map(str::trim).filter(|line| line.chars().count() >= SHORTEST);
            lines.map(str::to_owned).collect()
        };
        let (mut firsts, mut others) = (Vec::new(), Vec::new());
        for text in &texts {
            let mut lines = lines(text).into_iter();
            firsts.extend(lines.next());
            others.extend(lines);
        }
        let mut words = Vec::new();
        let mut known = HashSet::new();
        let plain = firsts.into_iter().chain(others);
        // as `b64enc` writes it
        let encoded = texts.iter().map(|text| STANDARD.encode(text));
        let distinct = plain.chain(encoded).filter(|text| known.insert(text.clone()));
        for (place, text) in distinct.enumerate() {
            let stands = standing(place);
            let quoted = Value::from(text.as_str()).to_string();
            let quoted = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
            for text in [text.replace('\'', "''"), quoted.replace('\'', "''"), quoted, text] {
                words.push(Word { is_open: self.is_called(&text), stands: stands.clone(), text });
            }
        }
        words.sort_by(|a, b| b.text.len().cmp(&a.text.len()).then_with(|| a.text.cmp(&b.text)));
        words.dedup_by(|a, b| a.text == b.text);
        words
    }

    fn is_called(&self, text: &str) -> bool {
        let open: [&str; 4] = [&self.release_name, &self.target_namespace, &self.id.namespace, &self.id.name];
        open.iter().any(|name| name.contains(text))
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

/// `(hidden)`, `(hidden-2)`, ...: by the place of the text in the values, so that it is the same in every rendering.
fn standing(place: usize) -> Box<str> {
    match place {
        0 => HIDDEN.into(),
        more => format!("{}-{})", HIDDEN.trim_end_matches(')'), more + 1).into(),
    }
}

/// Word after word in what no word covers yet.
fn cover<'w>(text: &str, words: impl Iterator<Item = &'w Word>, out: &mut String) {
    /// A piece of the text, and whether it is open still.
    type Piece<'a> = (&'a str, bool);
    let mut words = words.filter(|word| text.contains(&word.text)).peekable();
    if words.peek().is_none() {
        out.push_str(text);
        return;
    }
    let mut pieces: Vec<Piece<'_>> = vec![(text, true)];
    for word in words {
        let mut next: Vec<Piece<'_>> = Vec::with_capacity(pieces.len());
        for (piece, open) in pieces {
            if !open {
                next.push((piece, open));
                continue;
            }
            for (place, rest) in piece.split(&word.text).enumerate() {
                if place > 0 {
                    next.push((&word.stands, false));
                }
                next.push((rest, true));
            }
        }
        pieces = next;
    }
    out.extend(pieces.into_iter().map(|(piece, _)| piece));
}
