//! A comparison as a document for scripts (`design.md` §9). Values of Secrets are masked here too.

use super::{
    super::{
        args::DiffArgs,
        artifact::{layer_fields, looked_up, name, problem_or_null},
        output::document,
    },
    count::{self, Counts},
    view::{Cell, View, odd},
};
use crate::domain::{
    commits::Commits,
    comparison::{Half, Tier},
    diff::{Change, FieldChange, FieldFate, FileChange, ObjectChange, Which},
    impact::Impact,
    lens::{Lens, ValuesFrom, ValuesState},
    problem::Problem,
};
use serde_json::{Map, Value, json};

pub(super) fn write(view: &View<'_>) -> Value {
    let comparison = view.comparison;
    let mut fields = json!({
        "from": name(&comparison.from.artifact),
        "to": name(&comparison.to.artifact),
        "tier": comparison.tier.word(),
        "tierWords": view.tier(),
        "renderedBy": match &comparison.tier {
            Tier::Source { .. } => Value::Null,
            Tier::Built { by } => json!(by),
        },
        "consumer": comparison.question.consumer.as_ref().map(
            |id| json!({"kind": id.kind.name(), "namespace": &*id.namespace, "name": &*id.name})),
        "valuesFrom": values_from(&comparison.lens),
        "same": view.is_same(),
        "complete": comparison.is_whole(),
        "sides": Value::Object(view.halves().map(|(word, half)| (word.to_owned(), side(half))).into_iter().collect()),
        "compareUrl": Commits::between(&comparison.from.artifact, &comparison.to.artifact).link,
        "counts": {
            "objects": Counts::objects(view).fields(),
            "files": Counts::files(view).fields(),
            "impact": count::impact_fields(&comparison.impact),
        },
        "notes": comparison.notes,
        "problem": null,
    });
    if let Value::Object(fields) = &mut fields {
        parts(view, fields);
    }
    document("Diff", fields)
}

fn parts(view: &View<'_>, fields: &mut Map<String, Value>) {
    if view.show.files.is_some() {
        fields.insert("files".to_owned(), files(view));
    }
    if view.show.objects {
        let loud = view.objects().filter(|object| !object.change.is_quiet());
        let objects: Value = loud.map(|change| object(view, change)).collect();
        fields.insert("objects".to_owned(), objects);
        fields.insert("quiet".to_owned(), quiet(view));
    }
    if view.show.impact {
        let impact: Value = view.comparison.impact.iter().map(|impact| danger(view, impact)).collect();
        fields.insert("impact".to_owned(), impact);
    }
    let oddities = view.oddities().map(|oddity| {
        let (what, line, why) = (odd(&oddity.what), oddity.what.line(), oddity.what.why());
        let side = match oddity.which {
            Which::From => "from",
            Which::To => "to",
            Which::Both => "both",
        };
        json!({"side": side, "path": &*oddity.path, "line": line, "what": what, "why": why})
    });
    fields.insert("oddities".to_owned(), oddities.collect());
}

/// What the values of a HelmRelease are made of, and what of it is not known.
fn values_from(lens: &Lens) -> Vec<Value> {
    let Lens::Release(release) = lens else { return Vec::new() };
    let entry = |from: &ValuesFrom| {
        let problem = match &from.state {
            ValuesState::Failed(problem) => Some(problem),
            ValuesState::NotRead
            | ValuesState::Read
            | ValuesState::Absent
            | ValuesState::Missing
            | ValuesState::NoKey => None,
        };
        json!({
            "kind": from.kind.name(), "namespace": &*release.id.namespace, "name": &*from.name, "key": &*from.key,
            "targetPath": from.target_path, "optional": from.optional, "state": from.state.word(),
            "problem": problem_or_null(problem),
        })
    };
    release.values_from.iter().map(entry).collect()
}

/// Nothing could be compared.
pub(super) fn blank(args: &DiffArgs, problem: &Problem) -> Value {
    let files = json!({"added": [], "removed": [], "changed": [], "renamed": [], "formattingOnly": []});
    let fields = json!({
        "from": args.from.to_string(), "to": args.to.to_string(), "tier": null, "tierWords": null, "renderedBy": null,
        "consumer": null, "valuesFrom": [], "same": null, "complete": false, "sides": null, "compareUrl": null, "counts": null,
        "notes": [], "problem": problem_or_null(Some(problem)), "files": files, "objects": [], "quiet": [],
        "impact": [], "oddities": [],
    });
    document("Diff", fields)
}

fn side(half: &Half) -> Value {
    let artifact = &half.artifact;
    let layer = artifact.taken.as_ref().ok().map(|taken| taken.layer);
    let layer = layer.and_then(|at| Some(layer_fields(artifact, at, artifact.manifest.layers.get(at)?)));
    json!({
        "reference": looked_up(&artifact.target),
        "digest": artifact.digest.as_str(),
        "layer": layer,
        "created": artifact.created(),
        "source": artifact.annotation("org.opencontainers.image.source"),
        "revision": artifact.annotation("org.opencontainers.image.revision"),
        "verified": half.verified,
        "complete": half.tree.complete && half.tree.cut.is_none(),
        "notes": half.notes,
    })
}

fn files(view: &View<'_>) -> Value {
    let paths = |wanted: Change| -> Vec<&str> {
        view.files().filter(|file| file.change == wanted).map(FileChange::path).collect()
    };
    let renamed = view.files().filter(|file| matches!(file.change, Change::Renamed | Change::Moved));
    let renamed = renamed.map(|file| {
        let path = |file: &Option<crate::domain::diff::File>| file.as_ref().map(|file| file.path.to_string());
        json!({"from": path(&file.from), "to": path(&file.to)})
    });
    json!({
        "added": paths(Change::Added),
        "removed": paths(Change::Removed),
        "changed": paths(Change::Changed),
        "renamed": renamed.collect::<Vec<_>>(),
        "formattingOnly": paths(Change::Formatting),
    })
}

/// One word, as `design.md` §9 writes it.
const fn word(change: Change) -> &'static str {
    match change {
        Change::Formatting => "formattingOnly",
        Change::Removed | Change::Added | Change::Changed | Change::Renamed | Change::Moved => change.word(),
    }
}

/// Who an object is, and where it stands on each side.
fn identity(change: &ObjectChange) -> Map<String, Value> {
    let found = change.found();
    let key = found.map(|found| &found.key);
    let fields = json!({
        "change": word(change.change),
        "apiVersion": found.map(|found| &*found.api_version),
        "kind": key.map(|key| &*key.kind),
        "namespace": key.and_then(|key| key.namespace.as_deref()),
        "name": key.map(|key| &*key.name),
        "paths": {
            "from": change.from.as_ref().map(|found| &*found.path),
            "to": change.to.as_ref().map(|found| &*found.path),
        },
        "lines": {
            "from": change.from.as_ref().map(|found| found.line),
            "to": change.to.as_ref().map(|found| found.line),
        },
    });
    match fields {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

fn object(view: &View<'_>, change: &ObjectChange) -> Value {
    let mut fields = identity(change);
    let before = change.from.as_ref().filter(|_| change.change == Change::Renamed);
    let before = before.map(|found| json!({"namespace": found.key.namespace, "name": found.key.name}));
    fields.insert("renamedFrom".to_owned(), before.into());
    fields.insert("fields".to_owned(), change.fields.iter().map(|change| field(view, change)).collect());
    fields.insert("cut".to_owned(), change.cut.into());
    fields.into()
}

/// What is not a change of what is applied: moved, or formatted otherwise.
fn quiet(view: &View<'_>) -> Value {
    view.objects().filter(|object| object.change.is_quiet()).map(identity).collect()
}

fn field(view: &View<'_>, change: &FieldChange) -> Value {
    let (from, to) = view.cells(change);
    let word = match change.change {
        FieldFate::Added { .. } => "added",
        FieldFate::Removed => "removed",
        FieldFate::Changed => "changed",
        FieldFate::Reordered => "reordered",
    };
    let at = match change.change {
        FieldFate::Added { at } => at,
        FieldFate::Removed | FieldFate::Changed | FieldFate::Reordered => None,
    };
    let mut fields =
        json!({"path": change.path.to_string(), "change": word, "from": plain(&from), "to": plain(&to)});
    if let (Value::Object(fields), true) = (&mut fields, from.is_masked() || to.is_masked()) {
        fields.insert("masked".to_owned(), true.into());
        fields.insert("lengths".to_owned(), json!({"from": length(&from), "to": length(&to)}));
    }
    if let (Value::Object(fields), Some(at)) = (&mut fields, at) {
        fields.insert("at".to_owned(), at.into());
    }
    fields
}

fn plain(cell: &Cell) -> Value {
    match cell {
        Cell::Absent => Value::Null,
        Cell::Open(value) => value.clone(),
        Cell::Masked(word, _) => json!(word),
    }
}

const fn length(cell: &Cell) -> Option<usize> {
    match cell {
        Cell::Masked(_, length) => Some(*length),
        Cell::Absent | Cell::Open(_) => None,
    }
}

fn danger(view: &View<'_>, impact: &Impact) -> Value {
    let seen = view.place(impact);
    let object = impact.object.as_ref().map(|object| {
        let key = &object.key;
        json!({
            "apiVersion": object.api_version, "kind": key.kind, "namespace": key.namespace, "name": key.name,
        })
    });
    json!({
        "danger": impact.danger.word(), "what": impact.what.word(), "object": object, "why": impact.why,
        "path": seen.path, "line": seen.line, "field": seen.field,
    })
}
