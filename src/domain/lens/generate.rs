//! The kustomization file that Flux's controllers write before they build: the artifact's own, or one that names all
//! YAML, with the consumer's spec put into it (`pkg/kustomize/kustomize_generator.go`). It writes nothing itself.

use super::{
    KustomizationLens,
    overlay::{NAMES, Overlay, inline},
    walk::{Tree, Walk},
};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What helm-controller calls the chart's manifests while kustomize works on them.
pub(super) const HELM_OUTPUT: &str = "helm-output.yaml";

/// Path and text of the file for the folder of the consumer.
pub(super) fn root(lens: &KustomizationLens, tree: &Tree<'_>, walk: &Walk) -> (String, String) {
    let path =
        |name: &str| if lens.path.is_empty() { name.to_owned() } else { format!("{}/{name}", lens.path) };
    let own = NAMES.iter().map(|name| path(name)).find(|path| tree.file(path).is_some());
    let (path, mut map) = match own {
        Some(own) => {
            let known = walk.overlays.get(own.as_str()).map(Overlay::known);
            (own, known.unwrap_or_default())
        }
        None => (path(NAMES[0]), generated(walk.generated.as_deref().unwrap_or_default())),
    };
    map.entry("apiVersion").or_insert_with(|| "kustomize.config.k8s.io/v1beta1".into());
    map.entry("kind").or_insert_with(|| "Kustomization".into());
    if walk.generated.is_none() && is_empty(map.get("resources")) {
        map.insert("buildMetadata".to_owned(), json!(["originAnnotations"]));
    }
    put_spec(&mut map, lens, tree);
    (path, text(&Value::Object(map)))
}

fn generated(resources: &[String]) -> Map<String, Value> {
    let mut map = Map::new();
    if resources.is_empty() {
        map.insert("namespace".to_owned(), "_placeholder".into());
    } else {
        map.insert("resources".to_owned(), resources.into());
    }
    map
}

fn put_spec(map: &mut Map<String, Value>, lens: &KustomizationLens, tree: &Tree<'_>) {
    let spec = &lens.spec;
    for (field, own) in
        [("targetNamespace", "namespace"), ("namePrefix", "namePrefix"), ("nameSuffix", "nameSuffix")]
    {
        if let Some(text) =
            spec.get(field).filter(|value| value.as_str().is_some_and(|text| !text.is_empty()))
        {
            map.insert(own.to_owned(), text.clone());
        }
    }
    append(map, "patches", list(spec, "patches").iter().map(patch).collect());
    let components = lens.components(tree).into_iter().map(|component| component.path.into()).collect();
    append(map, "components", components);
    // a text that names no object would be taken for a path
    let merges = list(spec, "patchesStrategicMerge").iter().map(Value::to_string);
    let merges = merges.filter(|patch| inline(patch).is_some()).map(Into::into).collect();
    append(map, "patchesStrategicMerge", merges);
    append(map, "patchesJson6902", list(spec, "patchesJson6902").iter().map(json_patch).collect());
    put_images(map, list(spec, "images"));
    if !list(spec, "buildMetadata").is_empty() {
        map.insert("buildMetadata".to_owned(), list(spec, "buildMetadata").into());
    }
    if let Some(metadata) = spec.get("commonMetadata") {
        append(map, "transformers", transformers(metadata));
    }
}

fn list<'a>(spec: &'a Value, field: &str) -> &'a [Value] {
    spec.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn is_empty(value: Option<&Value>) -> bool {
    value.and_then(Value::as_array).is_none_or(Vec::is_empty)
}

fn append(map: &mut Map<String, Value>, field: &str, more: Vec<Value>) {
    if more.is_empty() {
        return;
    }
    let mut all = map.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    all.extend(more);
    map.insert(field.to_owned(), all.into());
}

/// `patch` and `target`: never a path.
fn patch(own: &Value) -> Value {
    let mut patch = json!({ "patch": own.get("patch").and_then(Value::as_str).unwrap_or_default() });
    if let Some(target) = own.get("target").filter(|target| target.is_object()) {
        patch["target"] = selector(target);
    }
    patch
}

fn json_patch(own: &Value) -> Value {
    let target = own.get("target").map(selector).unwrap_or_default();
    json!({ "patch": own.get("patch").map(Value::to_string).unwrap_or_default(), "target": target })
}

fn selector(target: &Value) -> Value {
    let fields = ["group", "version", "kind", "name", "namespace", "labelSelector", "annotationSelector"];
    let fields = fields.into_iter().filter_map(|field| Some((field.to_owned(), target.get(field)?.clone())));
    Value::Object(fields.collect())
}

/// An image of the spec replaces fields of the one with its name; tag and digest are one choice.
fn put_images(map: &mut Map<String, Value>, images: &[Value]) {
    if images.is_empty() {
        return;
    }
    let mut all = map.get("images").and_then(Value::as_array).cloned().unwrap_or_default();
    for image in images {
        let field = |name: &str| image.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let known = all.iter_mut().find(|known| known.get("name") == image.get("name"));
        let Some(known) = known.and_then(Value::as_object_mut) else {
            let fields = ["name", "newName", "newTag", "digest"].into_iter();
            let fields = fields.filter_map(|name| Some((name.to_owned(), field(name)?.into())));
            all.push(Value::Object(fields.collect()));
            continue;
        };
        if let Some(name) = field("newName") {
            known.insert("newName".to_owned(), name.into());
        }
        if field("newTag").is_some() || field("digest").is_some() {
            for name in ["newTag", "digest"] {
                known.insert(name.to_owned(), field(name).unwrap_or_default().into());
            }
        }
    }
    map.insert("images".to_owned(), all.into());
}

/// Labels and annotations of the objects themselves, nowhere deeper, as Flux sets them.
fn transformers(metadata: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    for (field, kind) in [("labels", "LabelTransformer"), ("annotations", "AnnotationsTransformer")] {
        let Some(pairs) =
            metadata.get(field).filter(|pairs| pairs.as_object().is_some_and(|map| !map.is_empty()))
        else {
            continue;
        };
        let transformer = json!({
            "apiVersion": "builtin", "kind": kind, "metadata": { "name": field }, field: pairs,
            "fieldSpecs": [{ "path": format!("metadata/{field}"), "create": true }],
        });
        all.push(text(&transformer).into());
    }
    all
}

pub(super) fn post_renderer(own: &Value) -> Map<String, Value> {
    let mut map = of_helm_output();
    append(&mut map, "patches", list(own, "patches").iter().map(patch).collect());
    put_images(&mut map, list(own, "images"));
    map
}

pub(super) fn common_metadata(metadata: &Value) -> Map<String, Value> {
    let mut map = of_helm_output();
    append(&mut map, "transformers", transformers(metadata));
    map
}

fn of_helm_output() -> Map<String, Value> {
    let map = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": [HELM_OUTPUT],
    });
    map.as_object().cloned().unwrap_or_default()
}

/// JSON that every reader of YAML takes for what it is: characters that are line breaks or forbidden in YAML are
/// written as escapes.
pub(super) fn text(value: &Value) -> String {
    let plain = value.to_string();
    let mut out = String::with_capacity(plain.len() + 1);
    for c in plain.chars() {
        match c {
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                // writing into a String cannot fail
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('\n');
    out
}
