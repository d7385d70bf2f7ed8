//! What a change means for whoever takes it: each danger once, the worst first, with the place that shows it. It says
//! nothing that the compared texts do not say.

mod chart;
mod crd;
mod flux;
mod hook;
mod images;
mod immutable;
mod kustomization;
mod oddity;
mod pair;
mod rbac;
mod removed;
mod schema;
mod secret;
mod source;
mod storage;
mod value_schema;
mod values;
mod webhook;
mod words;
mod workload;

use super::{
    diff::{Diff, ObjectChange},
    lens::Lens,
    object::{Key, Role},
};
use pair::{Pair, Where};
use source::Sheet;
use std::collections::{BTreeMap, BTreeSet};

/// Of a sentence, in characters.
const LONGEST: usize = 1_000;

/// Behind every sentence that a value which was not read could change.
const UNREAD: &str = " (valuesFrom not read)";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Danger {
    High,
    Medium,
    Low,
}

/// The closed list of what can be said. [`What::word`] is the word of scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// It is not in the second; whether it is deleted is said.
    ObjectRemoved,
    /// The old one goes, another comes.
    ObjectRenamed,
    /// It stands in several places.
    ObjectDoubled,
    /// A document that cannot be read.
    DocumentBroken,
    NamespaceAdded,
    /// And everything in it.
    NamespaceRemoved,
    /// Its enforced Pod Security level.
    NamespaceChanged,
    /// The API server refuses the update.
    ImmutableField,
    CrdAdded,
    /// And all its custom resources.
    CrdRemoved,
    CrdVersionDropped,
    CrdVersionNotServed,
    CrdStoredVersion,
    CrdScopeChanged,
    /// And it has no default.
    CrdFieldRequired,
    CrdFieldRemoved,
    CrdTypeChanged,
    CrdEnumNarrowed,
    /// Bounds, patterns and rules that refuse more.
    CrdTightened,
    /// How versions are made of one another.
    CrdConversion,
    /// In `crds/` of a chart: `spec.upgrade.crds` decides whether they are taken.
    CrdInChart,
    /// A new role or binding.
    RbacAdded,
    RbacWidened,
    RbacNarrowed,
    /// Of a container, of a default, or of a kustomization.
    ImageChanged,
    /// Or a rule of admission.
    WebhookAdded,
    WebhookChanged,
    WebhookRemoved,
    /// Claims, volumes, classes, and what pods mount.
    StorageChanged,
    /// Or the bounds of an autoscaler, or a Job that is suspended.
    ReplicasChanged,
    /// Requests, limits, quotas.
    ResourcesChanged,
    DisruptionBudget,
    /// Type, selector, ports.
    ServiceChanged,
    /// Its keys; never a value.
    SecretChanged,
    /// What one of Flux's own objects is told.
    FluxChanged,
    /// Indirect: what it builds is not seen in a source diff.
    KustomizationChanged,
    /// Indirect: what they render is not seen in a source diff.
    TemplatesChanged,
    /// Or its appVersion.
    ChartVersion,
    /// kubeVersion, type, deprecated.
    ChartRequires,
    ChartDependency,
    ChartAgainstManifests,
    /// A default of `values.yaml` that nobody overrides.
    DefaultChanged,
    /// The release sets it itself.
    DefaultOverridden,
    /// The release sets what the chart no longer has.
    ValueUnknown,
    /// The release's value and the default are of different types.
    ValueType,
    /// `values.schema.json` does not allow it.
    ValueRefused,
    /// Values that were not read could change verdicts.
    ValuesNotRead,
    /// A hook of Helm.
    HookChanged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impact {
    pub danger: Danger,
    pub what: What,
    pub object: Option<Object>,
    /// One sentence. May hold text from outside; never the value of a Secret.
    pub why: String,
    pub at: Place,
}

/// The object that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub api_version: Box<str>,
    pub key: Key,
}

/// Where it can be seen. Objects and oddities are those of the rendered diff where there is one, files always those of
/// the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    Object { object: usize, field: Option<usize> },
    File { file: usize, line: Option<usize> },
    Oddity(usize),
}

impl Place {
    /// Among the objects that are shown: the rendered ones where there are some. Definitions in `crds/` of a chart, which
    /// no value reaches, are then in their file.
    const fn is_of_shown(self) -> bool {
        match self {
            Self::Object { .. } | Self::Oddity(_) => true,
            Self::File { .. } => false,
        }
    }
}

impl Danger {
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

impl What {
    /// The whole list.
    pub const ALL: [Self; 48] = [
        Self::ObjectRemoved,
        Self::ObjectRenamed,
        Self::ObjectDoubled,
        Self::DocumentBroken,
        Self::NamespaceAdded,
        Self::NamespaceRemoved,
        Self::NamespaceChanged,
        Self::ImmutableField,
        Self::CrdAdded,
        Self::CrdRemoved,
        Self::CrdVersionDropped,
        Self::CrdVersionNotServed,
        Self::CrdStoredVersion,
        Self::CrdScopeChanged,
        Self::CrdFieldRequired,
        Self::CrdFieldRemoved,
        Self::CrdTypeChanged,
        Self::CrdEnumNarrowed,
        Self::CrdTightened,
        Self::CrdConversion,
        Self::CrdInChart,
        Self::RbacAdded,
        Self::RbacWidened,
        Self::RbacNarrowed,
        Self::ImageChanged,
        Self::WebhookAdded,
        Self::WebhookChanged,
        Self::WebhookRemoved,
        Self::StorageChanged,
        Self::ReplicasChanged,
        Self::ResourcesChanged,
        Self::DisruptionBudget,
        Self::ServiceChanged,
        Self::SecretChanged,
        Self::FluxChanged,
        Self::KustomizationChanged,
        Self::TemplatesChanged,
        Self::ChartVersion,
        Self::ChartRequires,
        Self::ChartDependency,
        Self::ChartAgainstManifests,
        Self::DefaultChanged,
        Self::DefaultOverridden,
        Self::ValueUnknown,
        Self::ValueType,
        Self::ValueRefused,
        Self::ValuesNotRead,
        Self::HookChanged,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::ObjectRemoved => "object-removed",
            Self::ObjectRenamed => "object-renamed",
            Self::ObjectDoubled => "object-doubled",
            Self::DocumentBroken => "document-broken",
            Self::NamespaceAdded => "namespace-added",
            Self::NamespaceRemoved => "namespace-removed",
            Self::NamespaceChanged => "namespace-changed",
            Self::ImmutableField => "immutable-field",
            Self::CrdAdded => "crd-added",
            Self::CrdRemoved => "crd-removed",
            Self::CrdVersionDropped => "crd-version-dropped",
            Self::CrdVersionNotServed => "crd-version-not-served",
            Self::CrdStoredVersion => "crd-stored-version",
            Self::CrdScopeChanged => "crd-scope-changed",
            Self::CrdFieldRequired => "crd-field-required",
            Self::CrdFieldRemoved => "crd-field-removed",
            Self::CrdTypeChanged => "crd-type-changed",
            Self::CrdEnumNarrowed => "crd-enum-narrowed",
            Self::CrdTightened => "crd-tightened",
            Self::CrdConversion => "crd-conversion",
            Self::CrdInChart => "crd-in-chart",
            Self::RbacAdded => "rbac-added",
            Self::RbacWidened => "rbac-widened",
            Self::RbacNarrowed => "rbac-narrowed",
            Self::ImageChanged => "image-changed",
            Self::WebhookAdded => "webhook-added",
            Self::WebhookChanged => "webhook-changed",
            Self::WebhookRemoved => "webhook-removed",
            Self::StorageChanged => "storage-changed",
            Self::ReplicasChanged => "replicas-changed",
            Self::ResourcesChanged => "resources-changed",
            Self::DisruptionBudget => "disruption-budget",
            Self::ServiceChanged => "service-changed",
            Self::SecretChanged => "secret-changed",
            Self::KustomizationChanged => "kustomization-changed",
            Self::FluxChanged => "flux-changed",
            Self::TemplatesChanged => "templates-changed",
            Self::ChartVersion => "chart-version",
            Self::ChartRequires => "chart-requires",
            Self::ChartDependency => "chart-dependency",
            Self::ChartAgainstManifests => "chart-against-manifests",
            Self::DefaultChanged => "default-changed",
            Self::DefaultOverridden => "default-overridden",
            Self::ValueUnknown => "value-unknown",
            Self::ValueType => "value-type",
            Self::ValueRefused => "value-refused",
            Self::ValuesNotRead => "values-not-read",
            Self::HookChanged => "hook-changed",
        }
    }
}

/// What the change means for this consumer, by danger, then in the order of the diff. Objects are judged as rendered
/// where they were, charts and their values by the source.
pub fn judge(source: &Diff, built: Option<&Diff>, lens: &Lens) -> Vec<Impact> {
    let shown = built.unwrap_or(source);
    let sheet = Sheet::new(source);
    if let Some(other) = chart::other_kind(&sheet) {
        return vec![other];
    }
    let in_charts = definitions_in_charts(source);
    let mut said = Vec::new();
    for (place, change) in shown.objects.iter().enumerate().filter(|(_, change)| !change.change.is_quiet()) {
        let is_in_chart = change.found().is_some_and(|found| in_charts.keys.contains(&found.key));
        if !is_in_chart {
            object(&Pair::new(change, lens, Where::Object(place)), &mut said);
        }
    }
    for (place, change) in in_charts.objects {
        let at = match (built, change.found()) {
            (Some(_), Some(found)) => in_charts
                .files
                .get(&*found.path)
                .map_or(Where::Object(place), |file| Where::File { file: *file, line: found.line }),
            _ => Where::Object(place),
        };
        crd::judge_in_chart(&Pair::new(change, lens, at), &mut said);
    }
    files(&sheet, built.is_some(), lens, &mut said);
    oddity::judge(shown, lens, &mut said);
    for impact in &mut said {
        bound(&mut impact.why);
        // any value may decide anything of what was rendered
        if built.is_some() && lens.is_blind() && impact.at.is_of_shown() {
            impact.why.push_str(UNREAD);
        }
    }
    // stable: within a danger the order of the diff stays
    said.sort_by_key(|impact| impact.danger);
    said
}

/// Everything that files can say which are no manifests.
fn files(sheet: &Sheet<'_>, is_built: bool, lens: &Lens, said: &mut Vec<Impact>) {
    chart::judge(sheet, is_built, said);
    values::judge(sheet, is_built, lens, said);
    value_schema::judge(sheet, lens, said);
    if !is_built {
        hook::judge_templates(sheet, said);
    }
    kustomization::judge(sheet, is_built, said);
}

/// A sentence, whatever names a file may hold.
fn bound(why: &mut String) {
    if let Some((end, _)) = why.char_indices().nth(LONGEST) {
        why.truncate(end);
        why.push('…');
    }
}

/// Everything that one object can say.
fn object(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    removed::judge(pair, said);
    immutable::judge(pair, said);
    crd::judge(pair, said);
    rbac::judge(pair, said);
    images::judge(pair, said);
    workload::judge(pair, said);
    storage::judge(pair, said);
    webhook::judge(pair, said);
    secret::judge(pair, said);
    flux::judge(pair, said);
    hook::judge(pair, said);
}

/// What stands in `crds/` of charts: Helm handles it apart, rendered or not.
struct InCharts<'a> {
    keys: BTreeSet<&'a Key>,
    objects: Vec<(usize, &'a ObjectChange)>,
    /// Their files, by path.
    files: BTreeMap<&'a str, usize>,
}

fn definitions_in_charts(source: &Diff) -> InCharts<'_> {
    let files: BTreeMap<&str, usize> = source
        .files
        .iter()
        .enumerate()
        .filter(|(_, file)| file.role == Role::ChartCrd)
        .map(|(place, file)| (file.path(), place))
        .collect();
    let objects: Vec<(usize, &ObjectChange)> = source
        .objects
        .iter()
        .enumerate()
        .filter(|(_, change)| !change.change.is_quiet())
        .filter(|(_, change)| change.found().is_some_and(|found| files.contains_key(&*found.path)))
        .collect();
    let keys = objects.iter().filter_map(|(_, change)| Some(&change.found()?.key)).collect();
    InCharts { keys, objects, files }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        diff::{Change, File, FileChange, Odd, Oddity, Which},
        identity::{Kind, ObjectId},
        lens::{ConfigKind, KustomizationLens, ReleaseLens, SecretPaths, ValuesFrom, ValuesState},
    };
    use bytes::Bytes;
    use serde_json::{Value, json};

    fn id(kind: Kind) -> ObjectId {
        ObjectId::new(kind, "apps", "podinfo")
    }

    fn kustomization(prune: bool, spec: Value) -> Lens {
        Lens::Kustomization(Box::new(KustomizationLens {
            id: id(Kind::Kustomization),
            path: "".into(),
            prune,
            target_namespace: None,
            spec,
            on_top: Vec::new(),
            post_build: false,
            suspended: false,
        }))
    }

    pub(super) fn pruning(prune: bool) -> Lens {
        kustomization(prune, json!({"prune": prune}))
    }

    pub(super) fn forcing() -> Lens {
        kustomization(true, json!({"force": true}))
    }

    fn read(values: &str) -> Value {
        crate::domain::object::parse(values, crate::domain::object::Dialect::Helm).unwrap().unwrap()
    }

    fn releasing(values: &str, upgrade_crds: &str, state: Option<ValuesState>) -> Lens {
        let from = state.map(|state| ValuesFrom {
            kind: ConfigKind::Secret,
            name: "own-values".into(),
            key: "values.yaml".into(),
            target_path: None,
            optional: false,
            literal: false,
            state,
        });
        Lens::Release(Box::new(ReleaseLens {
            id: id(Kind::HelmRelease),
            release_name: "podinfo".into(),
            target_namespace: "apps".into(),
            values: read(values),
            values_from: from.into_iter().collect(),
            upgrade_crds: upgrade_crds.into(),
            on_top: Vec::new(),
            spec: json!({}),
            suspended: false,
            from_secrets: SecretPaths::default(),
            values_files: Vec::new(),
        }))
    }

    pub(super) fn release(values: &str) -> Lens {
        releasing(values, "Skip", None)
    }

    pub(super) fn release_crds(policy: &str) -> Lens {
        releasing("{}", policy, None)
    }

    pub(super) fn blind(values: &str) -> Lens {
        releasing(values, "Skip", Some(ValuesState::NotRead))
    }

    /// Changed files: path, role, before and after; an empty text is no file.
    pub(super) fn files(given: &[(&str, Role, &str, &str)]) -> Diff {
        let file = |path: &str, text: &str| {
            (!text.is_empty()).then(|| File {
                path: path.into(),
                size: text.len() as u64,
                sha256: None,
                executable: false,
                bytes: Some(Bytes::from(text.to_owned())),
            })
        };
        let files = given.iter().map(|(path, role, from, to)| {
            let (from, to) = (file(path, from), file(path, to));
            let change = match (&from, &to) {
                (_, None) => Change::Removed,
                (None, _) => Change::Added,
                (Some(_), Some(_)) => Change::Changed,
            };
            FileChange { change, role: *role, from, to }
        });
        Diff { files: files.collect(), ..Diff::default() }
    }

    #[test]
    fn the_worst_comes_first_and_the_diff_keeps_its_order() {
        let objects = [
            ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}", ""),
            ("{apiVersion: v1, kind: Namespace, metadata: {name: b}}", ""),
            ("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", ""),
        ];
        let objects = objects.iter().map(|(from, to)| pair::tests::change(from, to).unwrap()).collect();
        let said = judge(&Diff { objects, ..Diff::default() }, None, &Lens::Whole);
        let names: Vec<&str> =
            said.iter().filter_map(|impact| Some(&*impact.object.as_ref()?.key.name)).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(said[0].at, Place::Object { object: 1, field: None });
    }

    #[test]
    fn every_word_is_its_own_and_kebab_case() {
        let words: BTreeSet<&str> = What::ALL.iter().map(|what| what.word()).collect();
        assert_eq!(words.len(), What::ALL.len());
        assert!(words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
        assert_eq!(What::ALL.last().map(|what| *what as usize + 1), Some(What::ALL.len()));
    }

    #[test]
    fn quiet_changes_say_nothing() {
        let mut change = pair::tests::change("{apiVersion: v1, kind: Namespace}", "").unwrap();
        change.change = Change::Moved;
        assert_eq!(judge(&Diff { objects: vec![change], ..Diff::default() }, None, &Lens::Whole), []);
    }

    #[test]
    fn definitions_of_charts_are_seen_by_their_file_once_rendered() {
        let crd = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {b: c}}";
        let mut source = files(&[("all.yaml", Role::ChartCrd, "x", "y")]);
        source.objects = vec![pair::tests::change(crd, &crd.replace("b: c", "b: d")).unwrap()];
        let whole = judge(&source, None, &Lens::Whole);
        assert_eq!((whole.len(), whole[0].at), (1, Place::Object { object: 0, field: None }));
        let built = Diff::default();
        let whole = judge(&source, Some(&built), &Lens::Whole);
        assert_eq!((whole.len(), whole[0].at), (1, Place::File { file: 0, line: Some(1) }));
    }

    #[test]
    fn everything_that_was_rendered_without_all_values_is_doubted() {
        let object = "{apiVersion: v1, kind: Namespace, metadata: {name: a}}";
        let crd = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {b: c}}";
        let mut source = files(&[
            ("all.yaml", Role::ChartCrd, "x", "y"),
            ("Chart.yaml", Role::Chart, "name: a\nversion: 1.0.0\n", "name: a\nversion: 1.1.0\n"),
        ]);
        source.objects = vec![pair::tests::change(crd, &crd.replace("b: c", "b: d")).unwrap()];
        let broken = crate::domain::object::Broken::new(1, "tab");
        let odd = Oddity { which: Which::To, path: "rendered.yaml".into(), what: Odd::Broken(broken) };
        let objects = vec![pair::tests::change(object, "").unwrap()];
        let built = Diff { objects, oddities: vec![odd], ..Diff::default() };
        let doubts = |lens: &Lens, built: Option<&Diff>| -> Vec<&str> {
            let said = judge(&source, built, lens);
            assert!(said.len() > 2, "{said:#?}");
            let doubted = said.iter().filter(|impact| impact.why.ends_with("(valuesFrom not read)"));
            doubted.map(|impact| impact.what.word()).collect()
        };
        assert_eq!(doubts(&blind("{}"), Some(&built)), ["namespace-removed", "document-broken"]);
        assert_eq!(doubts(&release("{}"), Some(&built)), [""; 0]);
        assert_eq!(doubts(&blind("{}"), None), [""; 0]);
    }

    #[test]
    fn words_are_each_said_once() {
        let object = "{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: s3cr3t}, type: A, immutable: true}";
        let change =
            pair::tests::change(object, &object.replace("s3cr3t", "oth3r").replace("type: A", "type: B"))
                .unwrap();
        let said = judge(&Diff { objects: vec![change], ..Diff::default() }, None, &Lens::Whole);
        let words: Vec<&str> = said.iter().map(|impact| impact.what.word()).collect();
        assert_eq!(words, ["immutable-field", "secret-changed"]);
        assert!(!format!("{said:?}").contains("s3cr3t") && !format!("{said:?}").contains("oth3r"));
    }
}
