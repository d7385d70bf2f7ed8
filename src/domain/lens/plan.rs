//! What is written to disk so that a tool renders what the consumer would apply: only files that were looked at, and of
//! what steers a tool only what was read here. What could reach out of the artifact or run a program is refused.

use super::{
    KustomizationLens, MOST_OF_A_KIND, ReleaseLens, generate,
    look::chart_root,
    node::{Fields, Node},
    paths, sealed,
    walk::{Snag, Tree, Walk, What},
};
use crate::domain::{
    diff::{File, Side},
    object::{self, Dialect},
    problem::{Cause, Problem},
    quote::quote,
    secret::{self, Secrets},
};
use bytes::Bytes;
use serde_json::{Map, Value};

/// Files for a tool, in a folder of its own.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Where the tool is to look, below the folder; empty for the folder itself.
    pub root: Box<str>,
    /// Paths are relative and clean; each once.
    pub files: Vec<(Box<str>, Bytes)>,
    /// Of a chart: its schemas name nothing that Helm would fetch, so it may check values against them.
    pub checks_schema: bool,
    /// What the result cannot know, each in one sentence.
    pub notes: Vec<String>,
}

impl KustomizationLens {
    /// What `kustomize build` needs: the artifact's files as far as they are used, and the kustomization file that
    /// kustomize-controller would write.
    pub fn plan(&self, side: &Side) -> Result<Plan, Problem> {
        let tree = Tree::new(side);
        if !tree.has_folder(&self.path) {
            let why = format!("spec.path {} is not in the artifact", quote(&self.path));
            return Err(self.refused(Cause::NotFound, why));
        }
        let walk = self.walk(&tree);
        if let Some(snag) = walk.snags.iter().min_by_key(|snag| snag.gravity()) {
            return Err(self.refused(Cause::Refused, format!("{} {}", snag.place(), snag.words())));
        }
        let (steering, text) = generate::root(self, &tree, &walk);
        let mut files = Vec::new();
        for path in walk.used.iter().filter(|path| ***path != *steering) {
            let file = tree.file(path).and_then(|file| rewritten(&walk, file));
            let Some(bytes) = file else {
                return Err(self.refused(Cause::Other, format!("{} was not read", quote(path))));
            };
            files.push((safe(path).map_err(|why| self.refused(Cause::Refused, why))?, bytes));
        }
        let mut notes = self.unknown();
        if text.contains("transformerAnnotations") && text.contains("\"transformers\"") {
            notes.push(
                "annotations of transformations name commonMetadata, which Flux sets without them".to_owned(),
            );
        }
        files.push((steering.into(), text.into()));
        Ok(Plan { root: self.path.clone(), files, checks_schema: false, notes })
    }

    /// kustomize-controller refuses what names no object, and the API server labels that are no texts. What is odd,
    /// each in one sentence.
    pub fn settle(&self, manifests: &[u8]) -> Result<Vec<String>, Problem> {
        let text = String::from_utf8_lossy(manifests);
        let mut notes = Vec::new();
        for document in object::documents(&text) {
            let read = text.get(document.at.clone()).map(|text| object::parse(text, Dialect::Kustomize));
            let Some(Ok(Some(value))) = read else { continue };
            let is_named = |value: Option<&Value>| match value {
                Some(Value::String(text)) => !text.is_empty(),
                other => other.is_some_and(|value| !value.is_null()),
            };
            let named = [value.get("kind"), value.get("apiVersion"), value.pointer("/metadata/name")];
            let kind = value.get("kind").and_then(Value::as_str).unwrap_or("an object");
            if !named.into_iter().all(is_named) {
                let why = format!("{} has no apiVersion, kind or name: Flux would fail", quote(kind));
                return Err(self.refused(Cause::Invalid, why));
            }
            let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
            if let Some(field) = not_text(&value) {
                notes.push(format!("{field} of {kind} {} are not all texts: Flux would fail", quote(name)));
            }
        }
        notes.truncate(MOST_OF_A_KIND);
        Ok(notes)
    }

    fn refused(&self, cause: Cause, why: String) -> Problem {
        Problem::new(cause, format!("render {}", self.id), why)
    }

    fn unknown(&self) -> Vec<String> {
        let decrypted = self.spec.get("decryption").is_some_and(|value| !value.is_null());
        let note = "nothing is decrypted: encrypted values are compared as they are stored";
        decrypted.then(|| note.to_owned()).into_iter().collect()
    }
}

/// The field of labels or annotations that holds more than texts.
fn not_text(value: &Value) -> Option<&'static str> {
    ["labels", "annotations"].into_iter().find(|field| {
        let pairs = value.pointer(&format!("/metadata/{field}")).and_then(Value::as_object);
        pairs.is_some_and(|pairs| !pairs.values().all(Value::is_string))
    })
}

impl Snag {
    /// What is worst is told first.
    const fn gravity(&self) -> u8 {
        match self.what {
            What::Remote(_) => 0,
            What::Barred(_) => 1,
            What::Outside(_) => 2,
            What::Missing(_) | What::NoOverlay(_) | What::Unread(_) | What::Several => 3,
        }
    }
}

/// What steers kustomize is written as it was read here, so that the tool reads nothing else than was judged.
fn rewritten(walk: &Walk, file: &File) -> Option<Bytes> {
    if let Some(overlay) = walk.overlays.get(&file.path) {
        return Some(generate::text(&Value::Object(overlay.map.clone())).into());
    }
    if let Some(objects) = walk.plugins.get(&file.path) {
        let objects: Vec<String> = objects.iter().map(generate::text).collect();
        return Some(objects.join("---\n").into());
    }
    file.bytes.clone()
}

/// A path that stays below the folder it is joined to.
fn safe(path: &str) -> Result<Box<str>, String> {
    let parts = || path.split('/');
    let odd = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(['\0', '\\']);
    if parts().any(odd) { Err(format!("{} is no path for a file", quote(path))) } else { Ok(path.into()) }
}

impl ReleaseLens {
    /// What `helm template` needs: the chart. The values are [`ReleaseLens::values`]. Dependencies that are not in it
    /// are never fetched: Helm then says what is missing.
    pub fn plan(&self, side: &Side) -> Result<Plan, Problem> {
        let refused = |cause, why: String| Problem::new(cause, format!("render {}", self.id), why);
        let Some(root) = chart_root(side) else {
            return Err(refused(Cause::NotFound, "there is no Chart.yaml in the artifact".to_owned()));
        };
        let mut plan = Plan::default();
        for file in side.files.iter().filter(|file| paths::is_below(&file.path, root)) {
            let path = file.path.strip_prefix(root).unwrap_or(&file.path);
            let path = path.strip_prefix('/').unwrap_or(path);
            // it is heeded where a folder is packed, not where a packed chart is read
            if path == ".helmignore" {
                continue;
            }
            let path = safe(path).map_err(|why| refused(Cause::Refused, why))?;
            let Some(bytes) = file.bytes.clone() else {
                return Err(refused(Cause::Other, format!("{} was not read", quote(&file.path))));
            };
            plan.files.push((path, bytes));
        }
        self.stand_in(&mut plan).map_err(|why| refused(Cause::Invalid, why))?;
        plan.checks_schema = self.checks_schema() && plan.has_closed_schemas();
        plan.notes = self.unknown(&plan);
        Ok(plan)
    }

    /// `spec.chart.spec.valuesFiles`, as source-controller packs the chart: their merge stands in for `values.yaml`.
    fn stand_in(&self, plan: &mut Plan) -> Result<(), String> {
        if self.values_files.is_empty() {
            return Ok(());
        }
        let spec = self.spec.pointer("/chart/spec/ignoreMissingValuesFiles");
        let may_miss = spec.and_then(Value::as_bool).unwrap_or_default();
        let mut merged = Fields::default();
        for name in &self.values_files {
            let path = paths::cleaned(name);
            match plan.yaml(&path) {
                Some(values) => merged = merged.merged(&Node::of(values, false).fields().unwrap_or_default()),
                None if may_miss => {}
                None => {
                    return Err(format!(
                        "values file {} is not in the chart, or cannot be read",
                        quote(name)
                    ));
                }
            }
        }
        plan.files.retain(|(path, _)| **path != *"values.yaml");
        plan.files.push(("values.yaml".into(), generate::text(&Node::map(merged).value()).into()));
        Ok(())
    }

    fn unknown(&self, plan: &Plan) -> Vec<String> {
        let mut notes = vec!["which APIs the cluster serves is not known to the templates".to_owned()];
        if !plan.checks_schema && self.checks_schema() {
            notes.push("values are not checked against the chart's values.schema.json".to_owned());
        }
        let skips = |path: &str| self.skips_tests() && format!("/{path}").contains("/templates/tests/");
        let is_template = |path: &str| format!("/{path}").contains("/templates/") && !skips(path);
        let templates = plan.files.iter().filter(|(path, _)| is_template(path));
        let uses = |words: &[&str]| {
            let says = |bytes: &Bytes| words.iter().any(|word| contains(bytes, word));
            let first = templates.clone().find(|(_, bytes)| says(bytes));
            first.map(|(path, _)| path)
        };
        if let Some(path) = uses(&RANDOM) {
            notes.push(format!(
                "{} makes values of chance or of the time: they differ in every rendering",
                quote(path)
            ));
        }
        if let Some(path) = uses(&["lookup "]) {
            notes.push(format!(
                "{} looks into the cluster, which is not there while it is rendered",
                quote(path)
            ));
        }
        if let Some(path) = uses(&[".Release.Revision", ".Release.IsInstall", ".Release.IsUpgrade"]) {
            notes.push(format!(
                "{} asks for the state of the release: it is rendered as an upgrade, as revision 1",
                quote(path)
            ));
        }
        if self.post_render_strategy() == "nohooks" && self.is_post_rendered() {
            notes.push("hooks are post-rendered here, although postRenderStrategy is nohooks".to_owned());
        }
        if self.spec.pointer("/upgrade/preserveValues").and_then(Value::as_bool) == Some(true) {
            notes.push("values of the last release (upgrade.preserveValues) are not known".to_owned());
        }
        notes
    }
}

/// Functions of Sprig whose result is another one every time.
const RANDOM: [&str; 14] = [
    "randAlpha",
    "randNumeric",
    "randAscii",
    "randBytes",
    "randInt",
    "uuidv4",
    "genCA",
    "genPrivateKey",
    "genSelfSignedCert",
    "genSignedCert",
    "htpasswd",
    "bcrypt",
    "now |",
    "now)",
];

/// The drafts of JSON Schema that Helm brings along.
const DRAFTS: [&str; 5] = [
    "json-schema.org/draft-04/schema",
    "json-schema.org/draft-06/schema",
    "json-schema.org/draft-07/schema",
    "json-schema.org/draft/2019-09/schema",
    "json-schema.org/draft/2020-12/schema",
];

/// A schema that names nothing but itself and the published drafts, which Helm holds.
fn is_closed(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.iter().all(|(key, value)| match (key.as_str(), value) {
            ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(to)) => to.starts_with('#'),
            ("$schema", Value::String(draft)) => {
                let draft = draft.split_once("://").map_or("", |(_, draft)| draft);
                DRAFTS.contains(&draft.trim_end_matches('#'))
            }
            (_, value) => is_closed(value),
        }),
        Value::Array(items) => items.iter().all(is_closed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

fn contains(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|window| window == word.as_bytes())
}

impl Plan {
    /// Of packed dependencies that is not known.
    fn has_closed_schemas(&self) -> bool {
        self.files.iter().all(|(path, bytes)| match path.rsplit('/').next() {
            Some("values.schema.json") => {
                serde_json::from_slice(bytes).is_ok_and(|schema| is_closed(&schema))
            }
            _ => !(format!("/{path}").contains("/charts/") && path.ends_with(".tgz")),
        })
    }

    /// Words of a tool that say what a Secret says, as far as the files tell.
    pub fn quotes_a_secret(&self, words: &str) -> bool {
        self.secrets().any(|(text, secrets)| secrets.are_quoted(&text, words))
    }

    /// The text of each file, and what is secret in it.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (String, Secrets)> {
        let files = self.files.iter().map(|(path, bytes)| File {
            path: (&**path).into(),
            size: bytes.len() as u64,
            sha256: None,
            executable: false,
            bytes: Some(bytes.clone()),
        });
        let side = Side { files: files.collect() };
        let sealed = sealed(&side);
        side.files.into_iter().map(move |file| {
            let text = secret::decoded(file.bytes.as_deref().unwrap_or_default());
            let whole = sealed.contains(&*file.path);
            let secrets = if whole { Secrets::whole(&text) } else { Secrets::find(&text) };
            (text, secrets)
        })
    }

    /// A YAML file of it that holds a map.
    fn yaml(&self, path: &str) -> Option<Value> {
        let (_, bytes) = self.files.iter().find(|(name, _)| **name == *path)?;
        let text = std::str::from_utf8(bytes).ok()?;
        object::parse(text, Dialect::Helm).ok().flatten().filter(Value::is_object)
    }

    /// A Kustomization for the flux CLI that asks for nothing: all of its spec is in the files already.
    pub fn flux_object(&self, name: &str, namespace: &str) -> String {
        generate::text(&serde_json::json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": { "name": name, "namespace": namespace },
            "spec": {
                "interval": "1h",
                "path": format!("./{}", self.root),
                "prune": false,
                "sourceRef": { "kind": "OCIRepository", "name": name },
            },
        }))
    }

    /// What a post-renderer of kustomize kind needs (helm-controller's `internal/postrender/kustomize.go`).
    pub fn of_post_renderer(renderer: &Value, manifests: Bytes) -> Option<Self> {
        let own = renderer.get("kustomize")?;
        let map = generate::post_renderer(own);
        let text = generate::text(&Value::Object(map)).into();
        let files = vec![("kustomization.yaml".into(), text), (generate::HELM_OUTPUT.into(), manifests)];
        Some(Self { files, ..Self::default() })
    }

    /// The same for `spec.commonMetadata`.
    pub fn of_common_metadata(metadata: &Value, manifests: Bytes) -> Self {
        let map: Map<String, Value> = generate::common_metadata(metadata);
        let text = generate::text(&Value::Object(map)).into();
        let files = vec![("kustomization.yaml".into(), text), (generate::HELM_OUTPUT.into(), manifests)];
        Self { files, ..Self::default() }
    }
}
