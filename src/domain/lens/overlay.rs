//! One kustomization file: what it names, and what of it would reach out of the artifact. It is read as kustomize reads
//! it (`api/types/kustomization.go`), field names in any case; nothing is followed here.

use crate::domain::{
    object::{self, Dialect},
    secret::Aim,
};
use serde_json::{Map, Value};

/// `konfig.RecognizedKustomizationFileNames`, in its order.
pub(super) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// A kustomization file, by its name.
pub(super) fn is_one(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| NAMES.contains(&name))
}

/// The fields of a kustomization file; Flux drops all others from the file that it builds.
const FIELDS: [&str; 34] = [
    "apiVersion",
    "kind",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];

/// Plugins inside kustomize, and the fields by which their configuration names files. Those that are not here are
/// programs or containers, or fetch charts.
const BUILTIN: [(&str, &[&str]); 19] = [
    ("AnnotationsTransformer", &[]),
    ("ConfigMapGenerator", &["files", "envs", "env"]),
    ("HashTransformer", &[]),
    ("IAMPolicyGenerator", &[]),
    ("ImageTagTransformer", &[]),
    ("LabelTransformer", &[]),
    ("LegacyOrderTransformer", &[]),
    ("NamespaceTransformer", &[]),
    ("PatchJson6902Transformer", &["path"]),
    ("PatchStrategicMergeTransformer", &["paths"]),
    ("PatchTransformer", &["path"]),
    ("PrefixSuffixTransformer", &[]),
    ("PrefixTransformer", &[]),
    ("ReplacementTransformer", &["replacements"]),
    ("ReplicaCountTransformer", &[]),
    ("SecretGenerator", &["files", "envs", "env"]),
    ("SortOrderTransformer", &[]),
    ("SuffixTransformer", &[]),
    ("ValueAddTransformer", &[]),
];

/// A kustomization file as it was read.
#[derive(Debug, Clone)]
pub(super) struct Overlay {
    pub(super) map: Map<String, Value>,
}

/// What a file is named for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// A file of any kind.
    File,
    /// A file of objects, or a folder with a kustomization file.
    Resource,
    /// A folder with a kustomization file.
    Folder,
    /// The configuration of plugins: a file of objects, or a folder with a kustomization file.
    Plugin,
}

/// One path in a kustomization file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    /// Where it stands, e.g. `resources[2]`.
    pub(super) field: String,
    pub(super) path: String,
    pub(super) used: Use,
}

/// What keeps a kustomization from being rendered here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Barred {
    HelmCharts,
    /// The kind of the plugin.
    Plugin(String),
}

impl Overlay {
    /// The first document, as kustomize takes it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let first =
            object::documents(text).first().map_or("", |at| text.get(at.at.clone()).unwrap_or_default());
        match object::parse(first, Dialect::Helm) {
            Ok(None | Some(Value::Null)) => Ok(Self { map: Map::new() }),
            Ok(Some(Value::Object(map))) => Ok(Self { map }),
            Ok(Some(_)) => Err("it is not a map".to_owned()),
            Err(broken) => Err(format!("line {}: {}", broken.line, broken.why)),
        }
    }

    /// Every path that it names, in the order of kustomize's fields.
    pub(super) fn mentions(&self) -> Vec<Mention> {
        let mut found = Vec::new();
        for (field, used) in [
            ("resources", Use::Resource),
            ("bases", Use::Resource),
            ("components", Use::Folder),
            ("crds", Use::File),
            ("configurations", Use::File),
        ] {
            self.each_text(field, |at, text| found.push(mention(at, text, used)));
        }
        for field in ["generators", "transformers", "validators"] {
            self.each_text(field, |at, text| match inline(text) {
                Some(objects) => {
                    found.extend(objects.iter().filter_map(|object| of_plugin(&at, object)).flatten());
                }
                None => found.push(mention(at, text, Use::Plugin)),
            });
        }
        self.each_text("patchesStrategicMerge", |at, text| {
            if inline(text).is_none() {
                found.push(mention(at, text, Use::File));
            }
        });
        for field in ["patches", "patchesJson6902", "replacements"] {
            self.each(field, |at, item| found.extend(in_field(&at, item, "path")));
        }
        for field in ["configMapGenerator", "secretGenerator"] {
            self.each(field, |at, item| {
                for field in ["files", "envs", "env"] {
                    found.extend(in_field(&at, item, field));
                }
            });
        }
        for value in folded(&self.map, "openapi") {
            found.extend(in_field("openapi", value, "path"));
        }
        found
    }

    /// Files of patches whose target may be Secrets.
    pub(super) fn aimed_patches(&self) -> Vec<(&str, Aim)> {
        let mut found = Vec::new();
        for field in ["patches", "patchesJson6902"] {
            self.each(field, |_, entry| {
                let texts = |field| entry.as_object().into_iter().flat_map(move |map| folded(map, field));
                for target in texts("target").filter_map(Value::as_object) {
                    let aim = Aim::of(target.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                    let paths = texts("path").filter_map(Value::as_str);
                    found.extend(paths.filter(|_| aim != Aim::Elsewhere).map(|path| (path, aim)));
                }
            });
        }
        found
    }

    /// What it holds that is never run here, and where.
    pub(super) fn barred(&self) -> Vec<(String, Barred)> {
        let mut found = Vec::new();
        for field in ["helmCharts", "helmChartInflationGenerator"] {
            self.each(field, |at, _| found.push((at, Barred::HelmCharts)));
        }
        for field in ["generators", "transformers", "validators"] {
            self.each_text(field, |at, text| {
                for object in inline(text).iter().flatten() {
                    found.extend(barred_plugin(object).map(|barred| (at.clone(), barred)));
                }
            });
        }
        found
    }

    /// Folders of charts that it inflates, relative to its own.
    pub(super) fn chart_homes(&self) -> Vec<String> {
        if self.barred().iter().all(|(_, barred)| *barred != Barred::HelmCharts) {
            return Vec::new();
        }
        let named = folded(&self.map, "helmGlobals").filter_map(Value::as_object);
        let named = named.flat_map(|globals| folded(globals, "chartHome")).filter_map(Value::as_str);
        let named: Vec<String> = named.filter(|home| !home.is_empty()).map(str::to_owned).collect();
        if named.is_empty() { vec!["charts".to_owned()] } else { named }
    }

    /// With kustomize's own spelling of its fields, without unknown ones: as Flux writes the file that it builds.
    pub(super) fn known(&self) -> Map<String, Value> {
        let mut known = Map::new();
        for field in FIELDS {
            if let Some(value) = folded(&self.map, field).last() {
                let mut value = value.clone();
                as_text(&mut value, PAIRS.contains(&&*fold(field)));
                known.insert(field.to_owned(), value);
            }
        }
        known
    }

    /// The items of a list field, wherever it stands.
    fn each<'a>(&'a self, field: &str, mut visit: impl FnMut(String, &'a Value)) {
        for value in folded(&self.map, field) {
            for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                visit(format!("{field}[{place}]"), item);
            }
        }
    }

    fn each_text<'a>(&'a self, field: &str, mut visit: impl FnMut(String, &'a str)) {
        self.each(field, |at, item| {
            if let Some(text) = item.as_str() {
                visit(at, text);
            }
        });
    }
}

/// Fields of a kustomization file that are no texts.
const NO_TEXT: [&str; 12] = [
    "count",
    "index",
    "create",
    "immutable",
    "includecrds",
    "includeselectors",
    "includetemplates",
    "skiphooks",
    "skiptests",
    "disablenamesuffixhash",
    "allownamechange",
    "allowkindchange",
];

/// Fields that are a map of texts (`map[string]string` in `api/types`): their keys are names of somebody's own.
const PAIRS: [&str; 6] = ["pairs", "labels", "annotations", "commonlabels", "commonannotations", "openapi"];

/// What is to be a text is one for Flux, also where a number is written (`newTag: 1.10` is `1.1`): it reads the file that
/// it builds more kindly than kustomize does. `pairs`: the map holds names of somebody's own.
fn as_text(value: &mut Value, pairs: bool) {
    match value {
        Value::Bool(set) => *value = set.to_string().into(),
        Value::Number(number) => *value = number_as_text(number).into(),
        Value::Array(items) => items.iter_mut().for_each(|item| as_text(item, false)),
        Value::Object(map) => {
            for (key, value) in map {
                let key = fold(key);
                let scalar = value.is_boolean() || value.is_number();
                if pairs || !scalar || !NO_TEXT.contains(&&*key) {
                    as_text(value, PAIRS.contains(&&*key));
                }
            }
        }
        Value::Null | Value::String(_) => {}
    }
}

/// As Go prints it.
fn number_as_text(number: &serde_json::Number) -> String {
    const PLAIN: std::ops::Range<f64> = 1e-4..1e21;
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) if float == 0.0 || PLAIN.contains(&float.abs()) => float.to_string(),
        Some(float) => {
            let text = format!("{float:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => number.to_string(),
    }
}

fn mention(field: String, path: &str, used: Use) -> Mention {
    Mention { field, path: path.to_owned(), used }
}

/// Paths in one field of a map: a text, or a list of texts or of maps with a `path`. Generators write `key=path`.
fn in_field(at: &str, value: &Value, field: &str) -> Vec<Mention> {
    let named = |place: Option<usize>, text: &str| {
        let field = match place {
            Some(place) => format!("{at}.{field}[{place}]"),
            None => format!("{at}.{field}"),
        };
        let path = match text.split_once('=') {
            Some((_, path)) if field.contains(".files[") && !is_remote(text) => path,
            _ => text,
        };
        mention(field, path, Use::File)
    };
    let mut found = Vec::new();
    let fields = value.as_object().into_iter().flat_map(|map| folded(map, field));
    for value in fields {
        match value {
            Value::String(text) if !text.is_empty() => found.push(named(None, text)),
            Value::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    match item {
                        Value::String(text) if inline(text).is_none() => found.push(named(Some(place), text)),
                        Value::Object(_) => {
                            found.extend(in_field(&format!("{at}.{field}[{place}]"), item, "path"));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The files that the configuration of a plugin inside kustomize names; None: it is not inside kustomize.
pub(super) fn of_plugin(at: &str, object: &Value) -> Option<Vec<Mention>> {
    if barred_plugin(object).is_some() {
        return None;
    }
    let kind = object.get("kind").and_then(Value::as_str)?;
    let (_, fields) = BUILTIN.iter().find(|(name, _)| *name == kind)?;
    Some(fields.iter().flat_map(|field| in_field(at, object, field)).collect())
}

/// A plugin that is a program, a container or a fetcher of charts.
pub(super) fn barred_plugin(object: &Value) -> Option<Barred> {
    let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default();
    if text("kind") == "HelmChartInflationGenerator" {
        return Some(Barred::HelmCharts);
    }
    let annotations = object.pointer("/metadata/annotations").and_then(Value::as_object);
    let runs = annotations.into_iter().flat_map(Map::keys).any(|key| {
        key.starts_with("config.kubernetes.io/function") || key.starts_with("config.k8s.io/function")
    });
    let known = text("apiVersion") == "builtin" && BUILTIN.iter().any(|(name, _)| *name == text("kind"));
    (runs || !known).then(|| Barred::Plugin(format!("{} {}", text("apiVersion"), text("kind"))))
}

/// The objects that a text holds itself, instead of naming a file that does. What names none is taken for a path, as
/// kustomize does when it can read no object from it.
pub(super) fn inline(text: &str) -> Option<Vec<Value>> {
    if is_remote(text) || !text.contains(':') {
        return None;
    }
    objects(text).filter(|objects| !objects.is_empty() && objects.iter().all(is_object))
}

/// All documents of a text; None: one of them cannot be read.
pub(super) fn objects(text: &str) -> Option<Vec<Value>> {
    let mut objects = Vec::new();
    for document in object::documents(text) {
        let value = object::parse(text.get(document.at.clone())?, Dialect::Kustomize).ok()?;
        objects.extend(value.filter(|value| !value.is_null()));
    }
    Some(objects)
}

fn is_object(value: &Value) -> bool {
    let says = |value: &Value, field: &str| {
        value.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    };
    let name = value.get("metadata").is_some_and(|metadata| says(metadata, "name"));
    says(value, "apiVersion") && says(value, "kind") && name
}

/// kustomize would fetch this (`api/internal/git/repospec.go`, `internal/loader/fileloader.go`), or might: whatever
/// looks like a URL, or like GitHub.
pub(super) fn is_remote(path: &str) -> bool {
    let path = path.trim_start();
    let low = path.to_ascii_lowercase();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| low.starts_with(prefix));
    begins(&[
        "git::",
        "gh:",
        "http:",
        "https:",
        "ssh:",
        "git:",
        "file:",
        "oci:",
        "s3:",
        "hg::",
        "github.com/",
        "github.com:",
    ]) || path.contains("://")
        || path.contains("?ref=")
        || path.contains("?version=")
}

/// `user@host…`, which Git would ask by SSH; a file may be called so too.
pub(super) fn is_login(path: &str) -> bool {
    path.split_once('@').is_some_and(|(user, _)| {
        user.starts_with(|c: char| c.is_ascii_alphabetic())
            && user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    })
}

/// The values of a field, its name in any case, as Go's JSON reads it.
pub(super) fn folded<'a>(map: &'a Map<String, Value>, field: &str) -> impl Iterator<Item = &'a Value> {
    let wanted = fold(field);
    map.iter().filter(move |(key, _)| fold(key) == wanted).map(|(_, value)| value)
}

/// Two letters beyond ASCII fold to it: the long s and the sign of Kelvin.
fn fold(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'ſ' => 's',
            'K' => 'k',
            c => c.to_ascii_lowercase(),
        })
        .collect()
}
