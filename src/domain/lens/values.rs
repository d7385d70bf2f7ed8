//! The values of a HelmRelease, composed as helm-controller does (`pkg/chartutil/values.go`): what `valuesFrom` names in
//! its order, then `spec.values`. It remembers what came from a Secret; it reads nothing itself.

use super::{
    Config, ConfigKind, ConfigRef, ReleaseLens, SecretPaths, ValuesFrom, ValuesState,
    node::{Fields, Node},
    set,
};
use crate::domain::{
    object::{self, Dialect},
    problem::{Cause, Problem},
    quote::quote,
};
use serde_json::Value;
use std::collections::BTreeSet;

type Answers<'a> = &'a [(ConfigRef, Result<Config, Problem>)];

impl ReleaseLens {
    /// What `valuesFrom` names and may be read, each object once.
    pub(super) fn needs(&self, read_secrets: bool) -> Vec<ConfigRef> {
        let wanted = self.values_from.iter().filter(|from| match from.kind {
            ConfigKind::ConfigMap => true,
            ConfigKind::Secret => read_secrets,
        });
        let once: BTreeSet<ConfigRef> = wanted.map(|from| self.reference(from)).collect();
        once.into_iter().collect()
    }

    pub(super) fn fill(&mut self, answers: Answers<'_>) {
        let own = self.spec.get("values").cloned().unwrap_or_default();
        let own = Node::of(own, false).fields().unwrap_or_default();
        let mut merged = Fields::default();
        for place in 0..self.values_from.len() {
            let from = &self.values_from[place];
            let state = match self.found(from, answers) {
                Ok(bytes) => match apply(&mut merged, &own, from, bytes) {
                    Ok(()) => ValuesState::Read,
                    Err(why) => ValuesState::Failed(self.unfit(from, why)),
                },
                Err(state) => state,
            };
            self.values_from[place].state = state;
        }
        let merged = Node::map(merged.merged(&own));
        self.from_secrets = SecretPaths { paths: merged.secret_paths() };
        self.values = merged.value();
    }

    fn reference(&self, from: &ValuesFrom) -> ConfigRef {
        ConfigRef { kind: from.kind, namespace: (&*self.id.namespace).into(), name: from.name.clone() }
    }

    /// The bytes that an entry stands for, or why there are none.
    fn found<'a>(&self, from: &ValuesFrom, answers: Answers<'a>) -> Result<&'a [u8], ValuesState> {
        let reference = self.reference(from);
        let Some((_, answer)) = answers.iter().find(|(asked, _)| *asked == reference) else {
            return Err(ValuesState::NotRead);
        };
        match answer {
            Ok(config) => match config.0.get(&from.key) {
                Some(bytes) => Ok(bytes),
                None if from.optional => Err(ValuesState::Absent),
                None => Err(ValuesState::NoKey),
            },
            Err(problem) if problem.cause == Cause::NotFound => {
                Err(if from.optional { ValuesState::Absent } else { ValuesState::Missing })
            }
            Err(problem) => Err(ValuesState::Failed(problem.clone())),
        }
    }

    fn unfit(&self, from: &ValuesFrom, why: String) -> Problem {
        let reference = self.reference(from);
        // what cannot be read would be quoted
        let why = match from.kind {
            ConfigKind::ConfigMap => why,
            ConfigKind::Secret => "it does not fit (why is not said of a Secret)".to_owned(),
        };
        Problem::new(Cause::Invalid, format!("take key {} of {reference} as values", quote(&from.key)), why)
    }
}

/// One of `valuesFiles`, in the chart or in the folder that a package of it has.
pub(in crate::domain) fn is_values_file(path: &str, name: &str) -> bool {
    path.strip_suffix(name).is_some_and(|folder| {
        folder.matches('/').count() <= 1 && (folder.is_empty() || folder.ends_with('/'))
    })
}

/// One entry into what is merged so far. After an error that is as helm-controller leaves it, which then gives up.
fn apply(merged: &mut Fields, own: &Fields, from: &ValuesFrom, bytes: &[u8]) -> Result<(), String> {
    let secret = from.kind == ConfigKind::Secret;
    if let Some(path) = &from.target_path {
        // what is set by path stands over `spec.values`, as far as both share a map
        *merged = merged.merged(own);
        let text = String::from_utf8_lossy(bytes);
        return set::at_path(merged, path, &text, from.literal, secret);
    }
    let values = parsed(bytes)?;
    *merged = merged.merged(&Node::of(values, secret).fields().unwrap_or_default());
    Ok(())
}

/// As `common.ReadValues`: the first document, a map or nothing.
fn parsed(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let first =
        object::documents(text).first().map_or("", |first| text.get(first.at.clone()).unwrap_or_default());
    match object::parse(first, Dialect::Helm) {
        Ok(None | Some(Value::Null)) => Ok(Value::Object(serde_json::Map::new())),
        Ok(Some(map @ Value::Object(_))) => Ok(map),
        Ok(Some(_)) => Err("it is not a map".to_owned()),
        Err(broken) => Err(format!("line {}: {}", broken.line, broken.why)),
    }
}
