//! `inspect`: what an artifact is, with Flux's choice of a layer or the failure it would give. It opens no layer.

use super::{
    Ports,
    args::{ClusterArgs, InspectArgs, Summary},
    artifact::{choice, inspect, layer_fields, looked_up, name, operation, problem_or_null, size},
    exit,
    output::{Console, Table, document},
};
use crate::domain::{
    artifact::{Artifact, Descriptor, Manifest, Origin, Referrer, Referrers, asked_with},
    layer,
    problem::Problem,
};
use serde_json::{Map, Value, json};
use std::iter;

pub(super) async fn run(
    args: &InspectArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let media_type = args.layer_media_type.as_deref();
    let artifact = match inspect(&args.of, media_type, place, ports, console).await {
        Ok(artifact) => artifact,
        Err(problem) => return unanswered(args, &problem, console),
    };
    let referrers = ports.artifacts.referrers(&artifact).await;
    let answer = Answer { artifact, referrers };
    match args.output {
        Summary::Table => console.data(&answer.table()),
        Summary::Json => console.json(&answer.document()),
        Summary::Yaml => console.yaml(&answer.document()),
    }
    answer.comment(console);
    if answer.referrers.as_ref().is_ok_and(|referrers| referrers.complete) {
        exit::ANSWERED
    } else {
        exit::NOT_ANSWERED
    }
}

/// What came back. What could not be asked about the referrers leaves the rest as it is.
struct Answer {
    artifact: Artifact,
    referrers: Result<Referrers, Problem>,
}

/// Annotations whose meaning is known (`reference/flux.md` §1.10), by the name of the field that repeats them.
const MEANINGS: [(&str, &str); 3] = [
    ("source", "org.opencontainers.image.source"),
    ("revision", "org.opencontainers.image.revision"),
    ("created", "org.opencontainers.image.created"),
];

impl Answer {
    /// What the reference names: the index, where there is one.
    fn named(&self) -> &Manifest {
        self.artifact.index.as_ref().unwrap_or(&self.artifact.manifest)
    }

    fn found(&self) -> &[Referrer] {
        self.referrers.as_ref().map_or(&[], |referrers| &referrers.found)
    }

    fn document(&self) -> Value {
        let Artifact { manifest, taken, .. } = &self.artifact;
        let mut fields = json!({
            "reference": looked_up(&self.artifact.target),
            "artifact": name(&self.artifact),
            "digest": self.artifact.digest.as_str(),
            "mediaType": self.named().media_type,
            "size": self.named().size,
            "index": self.artifact.index.as_ref().map(|index| self.index_fields(index)),
            "config": manifest.config.as_ref().map(|config| self.config_fields(config)),
            "layers": self.layers(),
            "layer": taken.as_ref().ok().map(|taken| taken.layer + 1),
            "operation": taken.as_ref().ok().map(|taken| operation(taken.operation)),
            "error": taken.as_ref().err(),
            "annotations": pairs(manifest),
            "notes": self.artifact.notes,
        });
        if let Value::Object(fields) = &mut fields {
            for (field, annotation) in MEANINGS {
                fields.insert(field.to_owned(), json!(manifest.annotation(annotation)));
            }
            fields.insert("askedWith".to_owned(), json!(self.artifact.asked_with.as_deref()));
            fields.extend(self.referrer_fields());
        }
        document("Artifact", fields)
    }

    fn layers(&self) -> Vec<Value> {
        let layers = self.artifact.manifest.layers.iter().enumerate();
        layers.map(|(at, layer)| layer_fields(&self.artifact, at, layer)).collect()
    }

    fn index_fields(&self, index: &Manifest) -> Value {
        let child = |(child, platform): (&Descriptor, Option<&str>)| {
            json!({
                "mediaType": child.media_type,
                "platform": platform,
                "digest": child.digest.as_str(),
                "size": child.size,
                "selected": child.digest == self.artifact.manifest.digest,
            })
        };
        json!({
            "digest": index.digest.as_str(),
            "mediaType": index.media_type,
            "manifests": self.children(index).map(child).collect::<Vec<_>>(),
        })
    }

    /// With their platforms, where they say one.
    fn children<'a>(
        &'a self,
        index: &'a Manifest,
    ) -> impl Iterator<Item = (&'a Descriptor, Option<&'a str>)> {
        let platforms = self.artifact.platforms.iter().map(Option::as_deref);
        index.children.iter().zip(platforms.chain(iter::repeat(None)))
    }

    fn config_fields(&self, config: &Descriptor) -> Value {
        json!({
            "mediaType": config.media_type,
            "digest": config.digest.as_str(),
            "size": config.size,
            "document": self.artifact.config.as_deref(),
        })
    }

    /// Without an answer the list is null, not empty.
    fn referrer_fields(&self) -> Map<String, Value> {
        let fields = |referrer: &Referrer| {
            json!({
                "role": referrer.role().word(),
                "artifactType": referrer.artifact_type,
                "mediaType": referrer.descriptor.media_type,
                "digest": referrer.descriptor.digest.as_str(),
                "size": referrer.descriptor.size,
                "tag": referrer.tag,
                "annotations": strings(&referrer.descriptor),
            })
        };
        let found = self.referrers.as_ref().ok().map(|all| all.found.iter().map(fields).collect::<Vec<_>>());
        let mut map = Map::new();
        map.insert("referrers".to_owned(), json!(found));
        map.insert(
            "referrersComplete".to_owned(),
            json!(self.referrers.as_ref().is_ok_and(|all| all.complete)),
        );
        map.insert("problem".to_owned(), problem_or_null(self.referrers.as_ref().err()));
        map
    }

    fn table(&self) -> String {
        let mut parts = vec![self.facts(), self.layer_table()];
        parts.extend(self.artifact.index.as_ref().map(|index| self.index_table(index)));
        let annotations = &self.artifact.manifest.annotations;
        if !annotations.is_empty() {
            let mut table = Table::new(vec!["ANNOTATION", "VALUE"]);
            for (name, value) in annotations {
                table.push(&[name.to_string(), value.to_string()]);
            }
            parts.push(table.take(true));
        }
        if !self.found().is_empty() {
            parts.push(self.referrer_table());
        }
        parts.join("\n")
    }

    fn facts(&self) -> String {
        let Artifact { manifest, taken, target, .. } = &self.artifact;
        let mut table = Table::new(vec!["", ""]);
        let mut fact = |name: &str, value: String| table.push(&[format!("{name}:"), value]);
        fact("Artifact", looked_up(target));
        if matches!(target.origin, Origin::Registry { .. } | Origin::Layout { .. }) {
            fact("Digest", self.artifact.digest.to_string());
            fact("Type", typed(&self.named().media_type));
        }
        if let Some(config) = &manifest.config {
            fact("Config", format!("{}, {}", typed(&config.media_type), sized(config.size)));
        }
        if let Some(chart) = self.chart() {
            fact("Chart", chart);
        }
        for (title, (_, annotation)) in ["Source", "Revision", "Created"].into_iter().zip(MEANINGS) {
            if let Some(value) = manifest.annotation(annotation) {
                fact(title, value.to_owned());
            }
        }
        match taken {
            Ok(taken) => fact("Flux takes", format!("layer {}, {}", taken.layer + 1, choice(taken))),
            Err(words) => fact("Flux fails", words.to_string()),
        }
        table.take(false)
    }

    /// Helm's config is Chart.yaml as JSON.
    fn chart(&self) -> Option<String> {
        let config = self.artifact.config.as_deref()?;
        let field = |name: &str| config.get(name).and_then(Value::as_str);
        let (chart, version) = (field("name")?, field("version")?);
        let app = field("appVersion").map(|version| format!(", app {version}")).unwrap_or_default();
        Some(format!("{chart} {version}{app}"))
    }

    fn layer_table(&self) -> String {
        let mut table = Table::new(vec!["LAYER", "FLUX", "TYPE", "SIZE", "DIGEST"]);
        let taken = self.artifact.taken.as_ref().ok();
        let note = self.artifact.size_note();
        for (at, layer) in self.artifact.manifest.layers.iter().enumerate() {
            let mark = taken.filter(|taken| taken.layer == at).map(|_| "takes").unwrap_or_default();
            table.push(&[
                (at + 1).to_string(),
                mark.to_owned(),
                typed(&layer.media_type),
                format!("{}{note}", sized(layer.size)),
                layer.digest.to_string(),
            ]);
        }
        if table.is_empty() { "No layers\n".to_owned() } else { table.take(true) }
    }

    fn index_table(&self, index: &Manifest) -> String {
        let mut table = Table::new(vec!["IN THE INDEX", "FLUX", "TYPE", "SIZE", "DIGEST"]);
        for (child, platform) in self.children(index) {
            let takes = if child.digest == self.artifact.manifest.digest { "takes" } else { "" };
            let digest = child.digest.to_string();
            let platform = platform.unwrap_or("no platform").to_owned();
            table.push(&[platform, takes.to_owned(), typed(&child.media_type), sized(child.size), digest]);
        }
        table.take(true)
    }

    fn referrer_table(&self) -> String {
        let mut table = Table::new(vec!["REFERRER", "TYPE", "SIZE", "DIGEST", "TAG"]);
        for referrer in self.found() {
            table.push(&[
                referrer.role().word().to_owned(),
                typed(&referrer.artifact_type),
                sized(referrer.descriptor.size),
                referrer.descriptor.digest.to_string(),
                referrer.tag.as_deref().unwrap_or_default().to_owned(),
            ]);
        }
        table.take(true)
    }

    /// What the tables do not say.
    fn comment(&self, console: &mut Console<'_>) {
        self.artifact.notes.iter().for_each(|note| console.say(note));
        match &self.referrers {
            Ok(referrers) if referrers.found.is_empty() && referrers.complete => {
                console.say(&format!("nothing refers to it: {}", referrers.note));
            }
            Ok(referrers) => {
                let cut = if referrers.complete { "" } else { "not all that refers to it is listed: " };
                console.say(&format!("{cut}{}", referrers.note));
            }
            Err(problem) => console.complain(problem),
        }
        if let Some(with) = &self.artifact.asked_with {
            console.say(&asked_with(with));
        }
    }
}

/// A type by its name, with the type itself: `Flux content (application/…)`.
fn typed(media_type: &str) -> String {
    match layer::name(media_type) {
        Some(name) => format!("{name} ({media_type})"),
        None => media_type.to_owned(),
    }
}

fn sized(bytes: Option<u64>) -> String {
    bytes.map(size).unwrap_or_default()
}

fn pairs(manifest: &Manifest) -> Value {
    manifest
        .annotations
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value)))
        .collect::<Map<_, _>>()
        .into()
}

fn strings(descriptor: &Descriptor) -> Value {
    descriptor
        .annotations
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value)))
        .collect::<Map<_, _>>()
        .into()
}

/// Nothing could be read: a script still gets a document.
fn unanswered(args: &InspectArgs, problem: &Problem, console: &mut Console<'_>) -> i32 {
    console.complain(problem);
    let answer = || {
        let fields = json!({
            "reference": args.of.to_string(), "artifact": null, "digest": null, "mediaType": null, "size": null,
            "index": null, "config": null, "layers": [], "layer": null, "operation": null, "error": null,
            "annotations": {}, "notes": [], "source": null, "revision": null, "created": null, "askedWith": null,
            "referrers": null, "referrersComplete": false, "problem": problem_or_null(Some(problem)),
        });
        document("Artifact", fields)
    };
    match args.output {
        Summary::Json => console.json(&answer()),
        Summary::Yaml => console.yaml(&answer()),
        Summary::Table => {}
    }
    exit::NOT_ANSWERED
}
