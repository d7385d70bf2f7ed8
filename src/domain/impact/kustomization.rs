//! `kustomization.yaml` and its like: what they build is not seen in a source diff, so the most that can be said is what
//! they say themselves. It builds nothing.

use super::{
    Danger, Impact, Place, What, images,
    pair::{list, text},
    source::{Sheet, folder, read},
    words::some,
};
use crate::domain::object::{Dialect, Role};
use serde_json::Value;

pub(super) fn judge(sheet: &Sheet<'_>, is_built: bool, said: &mut Vec<Impact>) {
    // rendered, its effects are in the objects
    if is_built {
        return;
    }
    for (file, change) in sheet.of(Role::Kustomization) {
        let at = Place::File { file, line: None };
        let say = |danger, what, why| Impact { danger, what, object: None, why, at };
        let path = change.path();
        let place = match folder(path) {
            "" => "the root".to_owned(),
            folder => folder.to_owned(),
        };
        match (read(change.from.as_ref(), Dialect::Kustomize), read(change.to.as_ref(), Dialect::Kustomize)) {
            (Some(from), Some(to)) => {
                let keys = changed_keys(&from, &to);
                if keys.is_empty() {
                    continue;
                }
                let why =
                    format!("{path}: {} edited; indirect, what it builds is not seen here", some(&keys, 4));
                said.push(say(Danger::Medium, What::KustomizationChanged, why));
                said.extend(
                    dropped(&from, &to)
                        .map(|why| say(Danger::High, What::KustomizationChanged, format!("{path}: {why}"))),
                );
                said.extend(
                    tags(&from, &to).into_iter().map(|(danger, why)| say(danger, What::ImageChanged, why)),
                );
            }
            (None, Some(_)) if change.from.is_none() => {
                let why = format!("{path} is new: of {place} only what it lists is applied");
                said.push(say(Danger::Medium, What::KustomizationChanged, why));
            }
            (Some(_), None) if change.to.is_none() => {
                let why = format!("{path} is gone: without it Flux applies every manifest in {place}");
                said.push(say(Danger::High, What::KustomizationChanged, why));
            }
            _ => {}
        }
    }
}

fn changed_keys<'a>(from: &'a Value, to: &'a Value) -> Vec<&'a str> {
    let keys = |side: &'a Value| side.as_object().into_iter().flat_map(serde_json::Map::keys);
    let mut keys: Vec<&str> = keys(from).chain(keys(to)).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|key| from.get(key) != to.get(key));
    keys
}

/// Files that are not applied any more though they may still be there.
fn dropped(from: &Value, to: &Value) -> Option<String> {
    let entries = |side: &Value| -> Vec<String> {
        let fields = ["resources", "bases", "components"];
        let all = fields.iter().flat_map(|field| list(side, &[field])).filter_map(Value::as_str);
        all.map(|entry| entry.trim_start_matches("./").trim_end_matches('/').to_owned()).collect()
    };
    let after = entries(to);
    let gone: Vec<String> = entries(from).into_iter().filter(|entry| !after.contains(entry)).collect();
    (!gone.is_empty())
        .then(|| format!("no longer lists {}: what comes from there is removed", some(&gone, 4)))
}

/// `images:` says another tag for an image.
fn tags(from: &Value, to: &Value) -> Vec<(Danger, String)> {
    let image = |entry: &Value| -> Option<String> {
        let name = text(entry, &["newName"]).or_else(|| text(entry, &["name"]))?;
        let tag = entry.get("newTag").map(|tag| tag.as_str().map_or_else(|| tag.to_string(), str::to_owned));
        let tag = tag.map_or_else(String::new, |tag| format!(":{tag}"));
        let digest = text(entry, &["digest"]).map_or_else(String::new, |digest| format!("@{digest}"));
        Some(format!("{name}{tag}{digest}"))
    };
    let mut said = Vec::new();
    for new in list(to, &["images"]) {
        let Some(name) = text(new, &["name"]) else { continue };
        let old = list(from, &["images"]).iter().find(|old| text(old, &["name"]) == Some(name));
        let (Some(old), Some(new)) = (old.and_then(image), image(new)) else { continue };
        if let Some((danger, words)) = images::changed(&old, &new) {
            said.push((danger, format!("images of the kustomization: {words}")));
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::impact::{pair::tests::words, tests::files};

    #[test]
    fn what_a_kustomization_says_of_itself_is_said() {
        let check = |from: &str, to: &str, want: &[&str]| {
            let mut said = Vec::new();
            let diff = files(&[("app/kustomization.yaml", Role::Kustomization, from, to)]);
            judge(&Sheet::new(&diff), false, &mut said);
            assert_eq!(said.iter().map(words).collect::<Vec<_>>(), want);
            said.clear();
            judge(&Sheet::new(&diff), true, &mut said);
            assert_eq!(said, []);
        };
        check(
            "resources: [a.yaml, ./b]",
            "resources: [a.yaml]\nnamespace: x",
            &[
                "medium kustomization-changed: app/kustomization.yaml: namespace and resources edited; indirect, what it builds is not seen here",
                "high kustomization-changed: app/kustomization.yaml: no longer lists b: what comes from there is removed",
            ],
        );
        check(
            "images: [{name: a, newTag: '1.0'}]",
            "images: [{name: a, newTag: '1.1'}]",
            &[
                "medium kustomization-changed: app/kustomization.yaml: images edited; indirect, what it builds is not seen here",
                "medium image-changed: images of the kustomization: a 1.0 → 1.1",
            ],
        );
        check(
            "",
            "resources: [a]",
            &[
                "medium kustomization-changed: app/kustomization.yaml is new: of app only what it lists is applied",
            ],
        );
        check(
            "resources: [a]",
            "",
            &[
                "high kustomization-changed: app/kustomization.yaml is gone: without it Flux applies every manifest in app",
            ],
        );
    }
}
