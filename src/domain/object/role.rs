//! A path -> what its file is for. Nothing is read.

use super::Role;

/// What the file of this path is for. `charts`: folders that hold a `Chart.yaml`, without a slash behind; the root is
/// empty. The innermost chart decides: a chart inside `charts/` of another is one of its own.
///
/// `.yaml` and `.yml` are what Flux looks at when it writes a `kustomization.yaml` itself (`fluxcd/pkg/kustomize`,
/// `scanManifests`); `.json` is a manifest only if a `kustomization.yaml` names it. Endings are compared as they are
/// written: Flux takes no `.YAML`.
pub fn role(path: &str, charts: &[&str]) -> Role {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let chart = charts.iter().filter_map(|chart| Some((chart.len(), below(path, chart)?))).max();
    if let Some((_, inside)) = chart {
        match inside {
            "Chart.yaml" => return Role::Chart,
            "values.yaml" => return Role::Values,
            _ => {}
        }
        if inside.starts_with("templates/") {
            return Role::Template;
        }
        if inside.starts_with("crds/") && is_manifest(name) {
            return Role::ChartCrd;
        }
    }
    let _ = folder;
    match name {
        "kustomization.yaml" | "kustomization.yml" | "Kustomization" => Role::Kustomization,
        name if chart.is_none() && is_manifest(name) => Role::Manifests,
        _ => Role::Other,
    }
}

/// The path as its chart sees it.
fn below<'a>(path: &'a str, chart: &str) -> Option<&'a str> {
    if chart.is_empty() { Some(path) } else { path.strip_prefix(chart)?.strip_prefix('/') }
}

fn is_manifest(name: &str) -> bool {
    // a name that is nothing but its ending is none
    name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "yaml" | "yml" | "json"))
}
