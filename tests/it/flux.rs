//! What kustomize-controller and helm-controller were seen to make of files and specs, beside what is said of them here.
//! The cases were recorded by running their code; more of them, and the real tools, are named by the environment.

use super::lens::file;
use fluxscope::{
    domain::{
        diff::Side,
        lens::Lens,
        object::{self, Dialect, Key},
    },
    port::Renderer,
    render::Tools,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

struct Case {
    name: String,
    side: Side,
    lens: Lens,
    /// What was seen.
    seen: Value,
}

fn cases(text: &str) -> Vec<Case> {
    let lines = text.lines().filter(|line| line.contains("\"files\":"));
    let lines = lines.map(|line| line.trim_end_matches(','));
    lines.map(|line| case(serde_json::from_str(line).unwrap())).collect()
}

fn case(seen: Value) -> Case {
    let files = seen["files"].as_object().unwrap();
    let mut files: Vec<_> =
        files.iter().map(|(path, text)| file(path, text.as_str().unwrap().as_bytes())).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let kind = seen["consumer"].as_str().unwrap_or("Kustomization");
    let object = json!({
        "kind": kind, "metadata": {"namespace": "shop", "name": "web"}, "spec": seen["spec"],
    });
    let lens = Lens::read(&object).unwrap();
    Case { name: seen["name"].as_str().unwrap().to_owned(), side: Side { files }, lens, seen }
}

impl Case {
    /// None: it built.
    fn error(&self) -> Option<&str> {
        self.seen["error"].as_str()
    }

    /// Every file that the build read is among those that concern the consumer.
    fn concerns(&self) -> Vec<String> {
        let seen = self.lens.look(&self.side);
        let concerned: BTreeSet<&str> = seen.side.files.iter().map(|file| &*file.path).collect();
        let reads = self.seen["reads"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let missed = reads.filter(|path| self.side.files.iter().any(|file| &*file.path == *path));
        let missed: Vec<&str> = missed.filter(|path| !concerned.contains(path)).collect();
        if missed.is_empty() { Vec::new() } else { vec![format!("read but not concerned: {missed:?}")] }
    }

    /// The kustomization file says what Flux writes into it.
    fn steers(&self) -> Vec<String> {
        let written = &self.seen["written"];
        let Lens::Kustomization(lens) = &self.lens else { return Vec::new() };
        let plan = match lens.plan(&self.side) {
            Ok(plan) => plan,
            Err(problem) if self.error().is_none() => return vec![problem.to_string()],
            Err(_) => return Vec::new(),
        };
        if written.is_null() {
            return Vec::new();
        }
        let at = self.seen["at"].as_str().unwrap();
        let Some((_, bytes)) = plan.files.iter().find(|(path, _)| **path == *at) else {
            return vec![format!("{at} is not written")];
        };
        let mut own: Value = serde_json::from_slice(bytes).unwrap();
        // set after the build by Flux
        let sets = self.seen["spec"]["commonMetadata"].is_object();
        if let Some(map) = own.as_object_mut().filter(|_| sets) {
            map.remove("transformers");
        }
        let (own, written) = (bare(&own), bare(written));
        if own == written || sets { Vec::new() } else { vec![format!("writes {own}\n  not {written}")] }
    }

    /// Documents are read as kustomize reads them.
    fn reads(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (path, plain) in self.seen["plain"].as_object().into_iter().flatten() {
            let text = self.seen["files"][path].as_str().unwrap();
            let read = objects(text).map(|mut read| {
                read.retain(|value| *value != json!({}));
                read
            });
            match (plain.as_array(), read) {
                (Some(want), Some(read)) if sorted(want) == sorted(&read) => {}
                (None, None) => {}
                (Some(want), read) => wrong.push(format!("{path}: {read:?}\n  not {want:?}\n  {text:?}")),
                // what names nothing is an error there, and here a document beside others
                (None, Some(read)) if read.iter().any(|value| !is_named(value)) => {}
                (None, Some(read)) => wrong.push(format!("{path}: {read:?}\n  not {plain}\n  {text:?}")),
            }
        }
        wrong
    }

    /// Of a folder where nothing is steered the objects of the files are what is applied.
    fn is_plain(&self) -> bool {
        let Lens::Kustomization(lens) = &self.lens else { return false };
        let steering = |file: &fluxscope::domain::diff::File| {
            ["kustomization.yaml", "kustomization.yml", "Kustomization"]
                .contains(&file.path.rsplit('/').next().unwrap_or_default())
        };
        lens.on_top.is_empty() && !self.lens.look(&self.side).side.files.iter().any(steering)
    }

    fn applies(&self) -> Vec<String> {
        if !self.is_plain() || self.error().is_some() {
            return Vec::new();
        }
        let seen = self.lens.look(&self.side);
        let mut all = Vec::new();
        for file in &seen.side.files {
            let text = std::str::from_utf8(file.bytes.as_ref().unwrap()).unwrap();
            all.extend(objects(text).unwrap_or_default());
        }
        all.retain(|value| Key::of(value).is_some());
        differs(&all, self.seen["objects"].as_array().unwrap())
    }

    async fn renders(&self, tools: &Tools) -> Vec<String> {
        match (tools.render(self.lens.clone(), self.side.clone()).await, self.error()) {
            (Err(_), Some(_)) => Vec::new(),
            (Err(problem), None) => vec![format!("does not render: {problem}")],
            (Ok(rendered), _)
                if rendered.notes.iter().any(|note| SAID.iter().any(|said| note.contains(said))) =>
            {
                Vec::new()
            }
            (Ok(rendered), Some(error)) => {
                let text = String::from_utf8_lossy(&rendered.manifests);
                vec![format!("renders, but Flux says {error}\n  {} bytes, {:?}", text.len(), rendered.notes)]
            }
            (Ok(rendered), None) => {
                let text = String::from_utf8_lossy(&rendered.manifests);
                match objects(&text) {
                    Some(mut own) => {
                        // without a name that is a text they are dropped
                        own.retain(|value| Key::of(value).is_some());
                        differs(&own, self.seen["objects"].as_array().unwrap())
                    }
                    None => vec![format!("broken: {text}")],
                }
            }
        }
    }
}

/// None: one of the documents is broken.
fn objects(text: &str) -> Option<Vec<Value>> {
    let mut all = Vec::new();
    for document in object::documents(text) {
        let value = object::parse(&text[document.at.clone()], Dialect::Kustomize).ok()?;
        all.extend(value.into_iter().filter(|value| !value.is_null()).flat_map(object::unroll));
    }
    Some(all)
}

fn is_named(value: &Value) -> bool {
    Key::of(value).is_some() && !value["metadata"]["name"].is_null()
}

fn sorted(values: &[Value]) -> Vec<String> {
    let mut all: Vec<String> = values.iter().map(|value| numbers(value).to_string()).collect();
    all.sort();
    all
}

fn differs(own: &[Value], want: &[Value]) -> Vec<String> {
    let (own, want) = (sorted(own), sorted(want));
    if own == want {
        return Vec::new();
    }
    let more: Vec<&String> = own.iter().filter(|value| !want.contains(value)).collect();
    let less: Vec<&String> = want.iter().filter(|value| !own.contains(value)).collect();
    vec![format!("applies {more:?}\n  not {less:?}")]
}

/// `1.0` is written as `1` by Go's JSON.
fn numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 9e15 => json!(format!("{float:.0}")),
            Some(float) => json!(float),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(numbers).collect(),
        Value::Object(map) => {
            // this label names the program, which is another one here
            let own = |key: &str| key != "app.kubernetes.io/managed-by";
            let fields = map.iter().filter(|(key, _)| own(key));
            let sorted: std::collections::BTreeMap<_, _> =
                fields.map(|(key, value)| (key.clone(), numbers(value))).collect();
            sorted.into_iter().collect()
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

/// Without fields that say nothing: Flux writes them or not.
fn bare(value: &Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(set) => !set,
        Value::Number(_) => false,
    };
    match value {
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, value)| (key.clone(), bare(value)));
            fields.filter(|(_, value)| !empty(value)).collect()
        }
        other => numbers(other),
    }
}

/// What is said in words may differ.
const SAID: [&str; 4] = [
    "Flux would fail",
    "asks for the state of the release",
    "although postRenderStrategy is nohooks",
    "annotations of transformations name commonMetadata",
];

const OBSERVED: &str = "FLUXSCOPE_OBSERVED";
const KUSTOMIZE: &str = "FLUXSCOPE_KUSTOMIZE";

#[tokio::test]
async fn what_flux_was_seen_to_apply_is_what_is_said_of_it() {
    let more = std::env::var_os(OBSERVED).map(|path| std::fs::read_to_string(path).unwrap());
    let tools = std::env::var_os(KUSTOMIZE).map(|folder| Tools::new(Some(&folder)));
    if more.is_none() || tools.is_none() {
        println!("no further cases, or not rendered: {OBSERVED} and {KUSTOMIZE} name them");
    }
    let mut cases = cases(include_str!("fixtures/flux_observed.json"));
    cases.extend(self::cases(more.as_deref().unwrap_or("")));
    let mut wrong = Vec::new();
    let mut built = 0;
    for case in cases.iter().filter(|case| !case.seen.to_string().contains("NOT-A-NUMBER")) {
        built += usize::from(case.error().is_none());
        let found = [
            ("concerns", case.concerns()),
            ("steers", case.steers()),
            ("reads", case.reads()),
            ("applies", case.applies()),
            ("renders", if let Some(tools) = &tools { case.renders(tools).await } else { Vec::new() }),
        ];
        for (what, words) in found {
            wrong.extend(words.iter().map(|words| format!("{} {what}: {words}", case.name)));
        }
    }
    println!("{} cases, {built} of them build", cases.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
