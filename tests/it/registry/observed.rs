//! What source-controller was refused by a registry, and what the command says of the same repository: the registry's
//! own code, and no choice. The other observed cases are decided by the list of tags alone (`vectors.rs`).

use super::{
    registry,
    server::{Seen, Server, complaint, manifest, tags},
};
use crate::cli::fake::{Fake, Handle};
use axum::{body::Body, http::Response};
use fluxscope::{
    cli::{self, args, output::Console},
    domain::source::HELM_CHART_LAYER,
    port::Ports,
};
use serde_json::Value;
use std::{path::Path, sync::Arc};

#[tokio::test]
async fn what_a_registry_refused_flux_it_refuses_here_and_the_code_is_told() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/flux_selection_observed.json");
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: {} is absent", path.display());
        return;
    };
    let observed: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let refused = observed.iter().filter(|row| text(row, "message").contains(" GET http"));
    let mut judged = 0;
    for row in refused {
        let code = text(row, "message")
            .split([' ', ':'])
            .find(|word| word.ends_with("_UNKNOWN"))
            .expect("a code of the distribution specification");
        let held: Vec<String> =
            row["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect();
        let server = Server::start(move |seen, _| Some(answer(seen, &held))).await;
        let (exit, list) = ask(&server, row).await;
        assert!(list["chosen"].is_null() && exit != 0, "{exit} {list:#}");
        let told = format!("{} {}", list["error"], list["problems"]);
        assert!(told.contains(code), "{code} is not told: {told} for {row}");
        judged += 1;
    }
    assert!(judged >= 3, "{judged}");
}

/// As the registry of distribution: a repository without tags is not known.
fn answer(seen: &Seen, held: &[String]) -> Response<Body> {
    let names: Vec<&str> = held.iter().map(String::as_str).collect();
    let reference = seen.path().rsplit('/').next().unwrap_or_default();
    if !seen.path().contains("/manifests/") {
        if names.is_empty() { complaint(404, &[], "NAME_UNKNOWN", "unknown") } else { tags(&names) }
    } else if names.contains(&reference) {
        manifest()
    } else {
        complaint(404, &[], "MANIFEST_UNKNOWN", "unknown")
    }
}

async fn ask(server: &Server, row: &Value) -> (i32, Value) {
    let mut line = vec![
        "fluxscope".to_owned(),
        "tags".to_owned(),
        format!("oci://{}/observed", server.address),
        format!("--semver={}", text(row, "semver")),
        format!("--filter-regex={}", text(row, "filter")),
        "--output=json".to_owned(),
    ];
    if row["helm"] == true {
        line.push(format!("--layer-media-type={HELM_CHART_LAYER}"));
    }
    let typed = args::parse(line.into_iter().map(Into::into)).unwrap();
    let ports = Ports { registry: Arc::new(registry()), ..Handle(Arc::new(Fake::default())).ports() };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = cli::run(&typed, &ports, &mut Console::new(&mut out, &mut err)).await;
    (exit, serde_json::from_slice(&out).unwrap())
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_default()
}
