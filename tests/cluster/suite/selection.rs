//! Which tag: what source-controller takes or says, and what we say, for tags, refs, filters and layers of many kinds.
//! Nothing is expected here in advance: the real controller on a real registry has the word.

use crate::{
    artifacts::charts,
    cluster::{HELM_CHART, HELM_REPOSITORY, Kind, OCI_REPOSITORY, Place, condition, eventually, push},
    program::{Ran, fluxscope},
    specs,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};

/// By name: what each repository holds. Each tag has a digest of its own, and two layers, the second a chart's.
const REPOSITORIES: &[(&str, &str)] = &[
    (
        "versions",
        "0.0.0 0.0.1 0.0.3 0.1.0 0.2.0 0.2.3-rc.1 1.0.0 1.2.0 1.2.3-0 1.2.3-rc.1 1.2.3-rc.10 1.2.3-rc.9 \
         1.2.3-rc10 1.2.3-rc9 1.2.3 1.2.4-alpha 1.10.0 2.0.0-alpha 2.0.0 v2.1.0 3.0.0-0 3.0.0-beta.11 \
         latest main 1.14 v5 6 1.2.3.4 7.0.0.1",
    ),
    (
        "odd",
        "V1.2.3 v1.2.2 01.2.3 1.02.4 1.2.03 1.0.0_a 1.0.0_b.1 1.1.0_a_b 1.2-beta.1 1-a.b.c 1-2-3 2024.01.15 \
         20240115 99999999999999999999.0.0 18446744073709551615.0.0 1.0.0-01 1.0.0-0a 1.0.0- 1.0.0--x \
         1.0.0-a..b _1.0.0 x.y.z 1.2.x",
    ),
    ("ties", "1.0.0 v1.0.0 01.0.0 0.9.0_b 0.9.0_a"),
    ("unreleased", "1.0.0-rc.1 1.0.0-rc.2 v1.0.0-beta 1.0.0-rc.10"),
    ("calendar", "2023.12.31 2024.01.02 2024.1.1 2024.10.02 v2024.9.9 2024.09.10"),
    ("nothing", ""),
];

/// A repository, whether the chart's layer is selected, and `spec.ref`; nothing stands for no ref at all.
const CASES: &[(&str, Layer, &str)] = &[
    // ranges
    ("versions", Layer::Any, r#"{"semver": "*"}"#),
    ("versions", Layer::Any, r#"{"semver": "*-0"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=0.0.0-0 <3"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.x"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.2"}"#),
    ("versions", Layer::Any, r#"{"semver": "v1.2"}"#),
    ("versions", Layer::Any, r#"{"semver": "~1.2.3-0"}"#),
    ("versions", Layer::Any, r#"{"semver": "^0.0.3"}"#),
    ("versions", Layer::Any, r#"{"semver": "^0.0.x"}"#),
    ("versions", Layer::Any, r#"{"semver": "^0.2"}"#),
    ("versions", Layer::Any, r#"{"semver": "^1.2.3-beta.2"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.2.3-rc.1 - 1.2.3-rc.9"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.0.0 - 1.2"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.1-3"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=1, 1.0.0 - 2.0.0"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.x || 3.x-0"}"#),
    ("versions", Layer::Any, r#"{"semver": "0.0.1||>=2.0.0-0 <2.0.0"}"#),
    ("versions", Layer::Any, r#"{"semver": "!=*"}"#),
    ("versions", Layer::Any, r#"{"semver": "!=1.2.3 ~1.2.0"}"#),
    ("versions", Layer::Any, r#"{"semver": "!=1 <2.1"}"#),
    ("versions", Layer::Any, r#"{"semver": "<=*"}"#),
    ("versions", Layer::Any, r#"{"semver": "=>1.2,=<1.5"}"#),
    ("versions", Layer::Any, r#"{"semver": "~>1.2.0"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=1.2.3-rc.9 <1.2.3-rc9"}"#),
    ("versions", Layer::Any, r#"{"semver": "  1.x\t<1.5\n"}"#),
    (
        "versions",
        Layer::Any,
        r#"{"semver": ">=0.0.1 >=0.0.2 >=0.0.3 >=0.1 >=0.2 >=0.2.1 >=0.3 <10 <9 <8 <7 <6 <5 <4 <3 <2 || ~0.1 || ~0.2"}"#,
    ),
    // ranges that take nothing, or are none
    ("versions", Layer::Any, r#"{"semver": ">=7"}"#),
    ("versions", Layer::Any, r#"{"semver": "<*"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.14.x"}"#),
    ("versions", Layer::Any, r#"{"semver": "1.2.3.4"}"#),
    ("versions", Layer::Any, r#"{"semver": " "}"#),
    ("versions", Layer::Any, r#"{"semver": "||1"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=1 1.0.0 - 2.0.0"}"#),
    ("versions", Layer::Any, r#"{"semver": "==1"}"#),
    ("versions", Layer::Any, r#"{"semver": "V1"}"#),
    ("versions", Layer::Any, r#"{"semver": "latest"}"#),
    ("versions", Layer::Any, r#"{"semver": "1|2"}"#),
    ("versions", Layer::Any, r#"{"semver": "99999999999999999999"}"#),
    ("versions", Layer::Any, r#"{"semver": "\u00a01.x\u3000\"\\\u0301\u200b\u0001"}"#),
    // filters
    ("versions", Layer::Any, r#"{"semver": ">=0.0.0-0", "semverFilter": "^v"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=0.0.0-0", "semverFilter": "\\Q1.2.3\\E"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=0.0.0-0", "semverFilter": "(?i)RC\\pN$"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=0.0.0-0", "semverFilter": "[[:alpha:]]\\z"}"#),
    ("versions", Layer::Any, r#"{"semver": ">=0.0.0-0", "semverFilter": "^(?P<main>\\d+)\\.0\\.0(?U)-?"}"#),
    ("versions", Layer::Any, r#"{"semver": "*", "semverFilter": "rc"}"#),
    ("versions", Layer::Any, r#"{"semver": "*", "semverFilter": "(?!rc)"}"#),
    ("versions", Layer::Any, r#"{"semver": "*", "semverFilter": "a{1001}"}"#),
    ("versions", Layer::Any, r#"{"semver": "*", "semverFilter": "\\C"}"#),
    ("versions", Layer::Any, r#"{"semver": "neither", "semverFilter": "("}"#),
    ("versions", Layer::Any, r#"{"semver": "", "semverFilter": "(", "tag": "1.0.0"}"#),
    // what comes first
    ("versions", Layer::Any, ""),
    ("versions", Layer::Any, "{}"),
    ("versions", Layer::Any, r#"{"semver": ""}"#),
    ("versions", Layer::Any, r#"{"tag": "1.14"}"#),
    ("versions", Layer::Any, r#"{"tag": "nowhere", "semver": "1.x"}"#),
    ("versions", Layer::Any, r#"{"digest": "", "semver": "", "tag": "main"}"#),
    ("versions", Layer::Any, r#"{"digest": "DIGEST OF main"}"#),
    ("versions", Layer::Any, r#"{"digest": "DIGEST OF main", "semver": "((", "tag": "1.0.0"}"#),
    ("versions", Layer::Any, r#"{"digest": "sha256:abc"}"#),
    ("versions", Layer::Any, r#"{"digest": "main"}"#),
    ("versions", Layer::Any, r#"{"digest": "sha512:00"}"#),
    ("versions", Layer::Any, r#"{"digest": "sha256:00é"}"#),
    ("versions", Layer::Any, r#"{"tag": "nowhere"}"#),
    ("versions", Layer::Any, r#"{"tag": "no tag"}"#),
    ("ties", Layer::Any, ""),
    // odd tags, as they are and as charts
    ("odd", Layer::Any, r#"{"semver": "*"}"#),
    ("odd", Layer::Chart, r#"{"semver": "*"}"#),
    ("odd", Layer::Any, r#"{"semver": "1.2.x"}"#),
    ("odd", Layer::Chart, r#"{"semver": "=1.2.2"}"#),
    ("odd", Layer::Any, r#"{"semver": "=1.0.0"}"#),
    ("odd", Layer::Chart, r#"{"semver": "1.1.0+any"}"#),
    ("odd", Layer::Chart, r#"{"semver": "*", "semverFilter": "_a$"}"#),
    ("odd", Layer::Chart, r#"{"semver": "*", "semverFilter": "\\+"}"#),
    ("odd", Layer::Any, r#"{"semver": "*", "semverFilter": "_"}"#),
    ("odd", Layer::Any, r#"{"semver": "<2-0"}"#),
    ("odd", Layer::Any, r#"{"semver": "<=1.0.0-0a"}"#),
    ("odd", Layer::Any, r#"{"semver": "<1.0.0--x"}"#),
    ("odd", Layer::Any, r#"{"semver": "2024.x"}"#),
    // up to twelve, the first of equals in the registry's order is taken
    ("ties", Layer::Any, r#"{"semver": "1.x"}"#),
    ("ties", Layer::Chart, r#"{"semver": "0.x"}"#),
    ("unreleased", Layer::Any, r#"{"semver": "*"}"#),
    ("unreleased", Layer::Any, r#"{"semver": "1.0.0-0"}"#),
    ("unreleased", Layer::Any, r#"{"semver": "~1.0.0-0"}"#),
    ("calendar", Layer::Any, r#"{"semver": "2024.x"}"#),
    ("calendar", Layer::Any, r#"{"semver": "~2024.1"}"#),
    ("calendar", Layer::Any, r#"{"semver": "2024.09"}"#),
    // a repository that is not there
    ("nothing", Layer::Any, ""),
    ("nothing", Layer::Any, r#"{"semver": "(", "semverFilter": "("}"#),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Any,
    Chart,
}

#[test]
fn a_source_takes_the_tag_that_we_say() {
    let place = Place::new("selection");
    let digests = pushed(&place, REPOSITORIES.iter().map(|(name, tags)| (*name, words(tags))));
    let main = &digests["versions main"];
    let cases: Vec<Case> = CASES
        .iter()
        .map(|(repository, layer, reference)| {
            let reference = reference.replace("DIGEST OF main", main);
            Case::new(repository, *layer, (!reference.is_empty()).then(|| parsed(&reference)))
        })
        .collect();
    let verdicts = judged(&place, &cases);
    let count = |kind: fn(&Said) -> bool| verdicts.iter().filter(|said| kind(said)).count();
    // Flux had something to say of every kind: a registry that is down would refuse everything
    assert!(count(|said| matches!(said, Said::Took(_))) >= 40, "{verdicts:?}");
    assert!(count(|said| matches!(said, Said::Refused(_))) >= 20, "{verdicts:?}");
    assert!(count(|said| matches!(said, Said::Registry(_))) >= 4, "{verdicts:?}");
}

/// Answers that source-controller gave elsewhere, and that no list of tags decides: its registry had the last word.
#[test]
fn what_the_registry_refused_before_is_refused_again_and_told() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/flux_selection_observed.json");
    let Ok(bytes) = std::fs::read(&path) else {
        eprintln!("SKIPPED: {} is absent", path.display());
        return;
    };
    let observed: Vec<Value> = serde_json::from_slice(&bytes).expect("a list of cases");
    let refused: Vec<&Value> = observed
        .iter()
        .filter(|row| row["message"].as_str().is_some_and(|said| said.contains(" GET http")))
        .collect();
    assert!(!refused.is_empty(), "{} holds none of them any more", path.display());
    let place = Place::new("observed");
    let names: Vec<String> = (0..refused.len()).map(|number| format!("observed-{number}")).collect();
    let tags = refused.iter().map(|row| row["tags"].as_array().expect("tags").iter().map(text).collect());
    pushed(&place, names.iter().map(String::as_str).zip(tags));
    let case = |(name, row): (&String, &&Value)| {
        let layer = if row["helm"] == true { Layer::Chart } else { Layer::Any };
        let mut reference = json!({"semver": row["semver"]});
        if let Some(filter) = row["filter"].as_str() {
            reference["semverFilter"] = json!(filter);
        }
        Case::new(name, layer, Some(reference))
    };
    let cases: Vec<Case> = names.iter().zip(&refused).map(case).collect();
    for (said, row) in judged(&place, &cases).iter().zip(refused) {
        let code = row["message"].as_str().and_then(error_code);
        assert!(matches!(said, Said::Registry(words) if error_code(words) == code), "{said:?} for {row}");
    }
}

const CHART_TAGS: &str =
    "0.9.0 1.0.0 1.2.3-rc.1 1.2.3 1.10.0 2.0.0_build.5 3.0.0-beta.1 v4.0.0 2024.01.02 1.2 latest";
/// `spec.version` of a HelmChart.
const CHART_VERSIONS: [&str; 20] = [
    "*",
    "",
    "1.x",
    "~1.2.0",
    "~1.2.3-0",
    ">=1.0.0-0",
    "*-0",
    "2.x",
    "2.0.0+build.5",
    "2.0.0",
    "=2.0.0",
    "4.x",
    "v4.0.0",
    "1.2",
    "2024.x",
    "2024.01.02",
    "1.2.4",
    ">=7",
    "((",
    "latest",
];

/// Helm's own strict reading of tags, through a HelmRepository of type oci.
#[test]
fn a_chart_comes_from_the_tag_that_we_say() {
    let place = Place::new("chart-versions");
    let charts = charts();
    let repository = place.repository("REGISTRY_PAGED", charts.name);
    let first = charts.push_first(&repository);
    let mut retag = vec!["tag", &repository, first.tag];
    retag.extend(words(CHART_TAGS));
    push(&retag);
    push(&["rm", &repository, first.tag]);
    let parent = place.repository("REGISTRY_PAGED", "");
    place.apply(HELM_REPOSITORY, "charts", &specs::helm_repository(parent.trim_end_matches('/')));
    for (number, version) in CHART_VERSIONS.iter().enumerate() {
        place.apply(HELM_CHART, &name(number), &specs::chart("charts", charts.name, version));
    }
    let mut differ = Vec::new();
    for (number, version) in CHART_VERSIONS.iter().enumerate() {
        let said = Said::of(&settled(&place, HELM_CHART, &name(number)));
        let ours = tags(&place, &format!("hc/{}", name(number)));
        let list = ours.json();
        let agrees = match &said {
            Said::Took(revision) => {
                ours.code == 0
                    && list["chosen"]["tag"].as_str().map(|tag| tag.replace('_', "+")).as_ref()
                        == Some(revision)
            }
            Said::Refused(cause) => {
                ours.code == 1
                    && list["chosen"].is_null()
                    && list["error"].as_str().is_some_and(|error| cause.ends_with(error))
            }
            Said::Registry(words) => refusal_is_told(words, &ours),
        };
        if !agrees {
            differ.push(format!("{version:?}\n  Flux: {said:?}\n  ours: {}", in_short(&ours)));
        }
    }
    assert!(differ.is_empty(), "{} of {} differ\n{}", differ.len(), CHART_VERSIONS.len(), differ.join("\n"));
}

/// One policy and the repository that it is held against.
#[derive(Debug)]
struct Case {
    repository: String,
    layer: Layer,
    reference: Option<Value>,
}

impl Case {
    fn new(repository: &str, layer: Layer, reference: Option<Value>) -> Self {
        Self { repository: repository.to_owned(), layer, reference }
    }

    fn spec(&self, place: &Place) -> Value {
        let repository = place.repository("REGISTRY_PAGED", &self.repository);
        let reference = self.reference.clone().unwrap_or_default();
        let mut spec = match self.layer {
            Layer::Any => specs::source(&repository, &reference),
            Layer::Chart => specs::chart_source(&repository, &reference),
        };
        if self.reference.is_none() {
            spec.as_object_mut().expect("an object").remove("ref");
        }
        spec
    }
}

/// What source-controller made of it.
#[derive(Debug)]
enum Said {
    /// The revision that it stored, or would have if its registry had it.
    Took(String),
    /// Its own cause, without what stands in front.
    Refused(String),
    /// The registry's answer, as it tells it.
    Registry(String),
}

impl Said {
    fn of(object: &Value) -> Self {
        let ready = condition(object, "Ready").expect("a verdict");
        if ready["status"] == "True" {
            return Self::Took(text(&object["status"]["artifact"]["revision"]).to_owned());
        }
        let message = text(&ready["message"]);
        if message.starts_with("failed to pull artifact from") {
            return Self::Took(text(&object["spec"]["ref"]["digest"]).to_owned());
        }
        let cause = match message.split_once("failed to determine the artifact tag for '") {
            Some((_, named)) => named.split_once("': ").map_or(named, |(_, cause)| cause),
            None => message.strip_prefix("failed to determine artifact digest: ").unwrap_or(message),
        };
        if cause.contains("GET http") || cause.contains("failed to perform \"FetchReference\"") {
            Self::Registry(cause.to_owned())
        } else {
            Self::Refused(cause.to_owned())
        }
    }
}

/// All at once, then one after the other: what Flux said of each, none of them otherwise than we say.
fn judged(place: &Place, cases: &[Case]) -> Vec<Said> {
    for (number, case) in cases.iter().enumerate() {
        place.apply(OCI_REPOSITORY, &name(number), &case.spec(place));
    }
    let (mut all, mut differ) = (Vec::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        let said = Said::of(&settled(place, OCI_REPOSITORY, &name(number)));
        let ours = tags(place, &format!("ocirepo/{}", name(number)));
        if !agrees(&said, &ours) {
            differ.push(format!("{case:?}\n  Flux: {said:?}\n  ours: {}", in_short(&ours)));
        }
        all.push(said);
    }
    assert!(differ.is_empty(), "{} of {} differ\n{}", differ.len(), cases.len(), differ.join("\n"));
    all
}

fn agrees(said: &Said, ours: &Ran) -> bool {
    let list = ours.json();
    let chosen = &list["chosen"];
    match said {
        Said::Took(revision) => {
            let taken = [chosen["tag"].as_str(), chosen["digest"].as_str()].into_iter().flatten();
            let same = taken.collect::<Vec<_>>().join("@") == *revision;
            ours.code == 0 && list["error"].is_null() && (same || may_tie(&list, revision))
        }
        Said::Refused(cause) => ours.code == 1 && chosen.is_null() && list["error"] == cause.as_str(),
        Said::Registry(words) => chosen.is_null() && refusal_is_told(words, ours),
    }
}

/// Between more than twelve matches Go's sort may take any of those that tie, and we say which they are.
fn may_tie(list: &Value, revision: &str) -> bool {
    let in_range = ["chosen", "in-range"];
    let matches =
        crate::program::items(list).filter(|item| in_range.contains(&text(&item["verdict"]))).count();
    let tag = revision.split('@').next().unwrap_or_default();
    matches > 12 && list["ambiguous"].as_array().is_some_and(|tied| tied.iter().any(|other| other == tag))
}

/// The words differ, since Flux's name a Go client; the registry's own code, or else its status, is in both.
fn refusal_is_told(words: &str, ours: &Ran) -> bool {
    let list = ours.json();
    let problems = list["problems"].as_array().into_iter().flatten().map(|problem| text(&problem["why"]));
    let told: Vec<&str> = list["error"].as_str().into_iter().chain(problems).collect();
    let known = match error_code(words) {
        Some(code) => told.iter().any(|told| told.contains(code)),
        // no tag by the rules of OCI, or Helm's words, which hold no code
        None => (words.contains("404") || words.ends_with(": not found")) && !told.is_empty(),
    };
    known && ours.code != 0
}

/// A code of the distribution specification, such as `MANIFEST_UNKNOWN`.
fn error_code(words: &str) -> Option<&str> {
    words.split([' ', ':', ';']).find(|word| word.ends_with("_UNKNOWN") || word.ends_with("_INVALID"))
}

fn tags(place: &Place, source: &str) -> Ran {
    fluxscope().run(&["tags", source, "-n", &place.namespace, "-o", "json"])
}

fn in_short(ran: &Ran) -> String {
    let list = ran.json();
    let part = |name: &str| list[name].to_string();
    let told = ["chosen", "ambiguous", "error", "problems"].map(part).join(" ");
    format!("exit {}, {told}", ran.code)
}

/// As soon as its controller has said anything final about it. The condition is written first, then the artifact.
pub fn settled(place: &Place, kind: Kind, name: &str) -> Value {
    eventually(&format!("{} {name} is ready or not", kind.name), || {
        let object = place.object(kind, name)?;
        let is_stored = !object["status"]["artifact"].is_null();
        match condition(&object, "Ready").map(|ready| text(&ready["status"])) {
            Some("True") if is_stored => Ok(object),
            Some("False") => Ok(object),
            _ => Err(object["status"].to_string()),
        }
    })
}

/// Pushes the tags of each repository; the digests by `REPOSITORY TAG`.
fn pushed<'a>(
    place: &Place,
    repositories: impl Iterator<Item = (&'a str, Vec<&'a str>)>,
) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    for (name, tags) in repositories.filter(|(_, tags)| !tags.is_empty()) {
        let repository = place.repository("REGISTRY_PAGED", name);
        let mut arguments = vec!["tags", &repository];
        arguments.extend(&tags);
        let printed = push(&arguments);
        digests.extend(
            tags.iter()
                .zip(printed.lines())
                .map(|(tag, digest)| (format!("{name} {tag}"), digest.to_owned())),
        );
    }
    digests
}

fn name(number: usize) -> String {
    format!("case-{number:03}")
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn parsed(reference: &str) -> Value {
    serde_json::from_str(reference).unwrap_or_else(|error| panic!("{reference}: {error}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
