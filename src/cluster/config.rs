//! What a ConfigMap or a Secret holds, by one GET. Nothing of it is kept, printed or quoted in a problem.

use super::ask::{Api, segment};
use crate::domain::{
    lens::{Config, ConfigKind, ConfigRef},
    problem::{Cause, Problem},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::collections::BTreeMap;

pub(super) async fn read(api: &Api, config: &ConfigRef) -> Result<Config, Problem> {
    let what = format!("read {config}");
    match api.get(&path(config), &what).await {
        Ok(body) => decoded(config.kind, &body).ok_or_else(|| {
            let why = "the answer is not what the API says it is";
            Problem::new(Cause::Invalid, what, why)
        }),
        Err(failure) if failure.code == Some(403) => {
            let ConfigRef { kind, namespace, name } = config;
            let kinds = kind.plural();
            let hint = format!(
                "the verb get on {kinds} is missing: kubectl auth can-i get {kinds}/{name} -n {namespace}"
            );
            Err(failure.problem.with_hint(hint))
        }
        Err(failure) => Err(failure.problem),
    }
}

fn path(config: &ConfigRef) -> String {
    let (namespace, name) = (segment(&config.namespace), segment(&config.name));
    format!("/api/v1/namespaces/{namespace}/{}/{name}", config.kind.plural())
}

/// Of either kind, as much as is read: helm-controller takes nothing from `binaryData` either.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    data: Option<BTreeMap<Box<str>, String>>,
}

/// The words of a parser would quote what it could not read: they are dropped.
fn decoded(kind: ConfigKind, body: &[u8]) -> Option<Config> {
    let body: Body = serde_json::from_slice(body).ok()?;
    let data = body.data.unwrap_or_default().into_iter();
    let data = data.map(|(key, text)| match kind {
        ConfigKind::ConfigMap => Some((key, text.into_bytes())),
        ConfigKind::Secret => Some((key, STANDARD.decode(text).ok()?)),
    });
    Some(Config(data.collect::<Option<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(kind: ConfigKind) -> ConfigRef {
        ConfigRef { kind, namespace: "shop".into(), name: "../a/b".into() }
    }

    #[test]
    fn the_data_of_a_secret_is_decoded_and_that_of_a_config_map_is_text() {
        let map =
            decoded(ConfigKind::ConfigMap, br#"{"data":{"a":"YQ=="},"binaryData":{"b":"YQ=="}}"#).unwrap();
        assert_eq!(map.0.into_iter().collect::<Vec<_>>(), [("a".into(), b"YQ==".to_vec())]);
        let secret = decoded(ConfigKind::Secret, br#"{"data":{"a":"YQ=="}}"#).unwrap();
        assert_eq!(secret.0.into_iter().collect::<Vec<_>>(), [("a".into(), b"a".to_vec())]);
        assert_eq!(decoded(ConfigKind::Secret, b"{}"), Some(Config::default()));
    }

    #[test]
    fn what_cannot_be_decoded_is_no_answer() {
        assert_eq!(decoded(ConfigKind::Secret, br#"{"data":{"a":"%"}}"#), None);
        assert_eq!(decoded(ConfigKind::ConfigMap, br#"{"data":{"a":1}}"#), None);
    }

    #[test]
    fn a_name_stays_one_piece_of_the_path() {
        assert_eq!(path(&config(ConfigKind::Secret)), "/api/v1/namespaces/shop/secrets/..%2Fa%2Fb");
    }

    #[test]
    fn values_are_not_in_what_is_logged() {
        let config = Config([("key".into(), b"hunter2".to_vec())].into());
        assert_eq!(format!("{config:?}"), r#"{"key"}"#);
    }
}
