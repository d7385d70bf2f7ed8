//! YAML as Kubernetes' own readers take it: `../shared/data/yaml_cases.json` was made by running both. Every difference
//! that is left is named here with its reason. `YAML_CASES=FILE` reads other cases and only prints what differs.

use fluxscope::domain::object::{Dialect, documents, parse};
use serde_json::Value;

/// Case, reading, reason.
const DIFFERENT: &[(&str, Dialect, &str)] = &[
    ("deep 200", Dialect::Helm, "64 levels are the limit"),
    ("deep 200", Dialect::Kustomize, "64 levels are the limit"),
    (
        "json concat",
        Dialect::Helm,
        "documents are split at lines only: what Flux applies ends with the first of them",
    ),
];

#[derive(serde::Deserialize)]
struct Cases {
    cases: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    yaml: String,
    kubectl: Reading,
    kustomize: Reading,
}

#[derive(serde::Deserialize)]
struct Reading {
    documents: Option<Vec<Value>>,
    error: Option<String>,
}

/// None: it cannot be read.
fn read(text: &str, dialect: Dialect) -> Result<Vec<Value>, String> {
    let read = |document: &fluxscope::domain::object::Document| {
        parse(&text[document.at.clone()], dialect).map_err(|broken| {
            let broken = broken.under(document);
            format!("line {}: {}", broken.line, broken.why)
        })
    };
    documents(text).iter().filter_map(|document| read(document).transpose()).collect()
}

fn difference(case: &Case, dialect: Dialect) -> Option<String> {
    let expected = match dialect {
        Dialect::Helm => &case.kubectl,
        Dialect::Kustomize => &case.kustomize,
    };
    match (read(&case.yaml, dialect), &expected.error, &expected.documents) {
        (Err(_), Some(_), _) => None,
        (Err(why), None, _) => Some(format!("we cannot read it: {why}")),
        (Ok(found), Some(why), _) => Some(format!("we read {}: they {why}", Value::from(found))),
        (Ok(found), None, documents) => {
            let documents = documents.clone().unwrap_or_default();
            (found != documents)
                .then(|| format!("we read {}, they {}", Value::from(found), Value::from(documents)))
        }
    }
}

/// JSON without what lies deeper than serde_json goes: it is deeper than we go, too.
fn shallow(json: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    let mut kept = String::with_capacity(json.len());
    for c in json.chars() {
        let opens = !quoted && matches!(c, '[' | '{');
        let closes = !quoted && matches!(c, ']' | '}');
        depth += usize::from(opens);
        match (depth > 100, depth == 101 && opens) {
            (true, true) => kept.push_str("null"),
            (true, false) => {}
            (false, _) => kept.push(c),
        }
        depth -= usize::from(closes);
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
    kept
}

#[test]
fn documents_are_read_as_kubernetes_reads_them() {
    let given = std::env::var("YAML_CASES").ok();
    let path = given.as_deref().unwrap_or("../shared/data/yaml_cases.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: no {path}");
        return;
    };
    let cases: Cases = serde_json::from_str(&shallow(&text)).unwrap();
    let mut wrong = Vec::new();
    for case in &cases.cases {
        for dialect in [Dialect::Helm, Dialect::Kustomize] {
            let listed = DIFFERENT.iter().any(|&(name, of, _)| name == case.name && of == dialect);
            match difference(case, dialect) {
                Some(_) if listed => {}
                None if !listed => {}
                Some(how) => wrong.push(format!("{} ({dialect:?}) {:?}: {how}", case.name, case.yaml)),
                None => wrong.push(format!("{} ({dialect:?}) is listed and does not differ", case.name)),
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.cases.len(), wrong.join("\n"));
}
