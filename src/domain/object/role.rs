//! A path -> what its file is for. Nothing is read.

use super::Role;

/// What the file of this path is for. `charts`: folders that hold a `Chart.yaml`, without a slash behind; the root is
/// empty. The innermost chart decides: a chart inside `charts/` of another is one of its own.
///
/// `.yaml` and `.yml` are what Flux looks at when it writes a `kustomization.yaml` itself (`fluxcd/pkg/kustomize`,
/// `scanManifests`); `.json` is a manifest only if a `kustomization.yaml` names it. Endings are compared as they are
/// written: Flux takes no `.YAML`. In a chart only what Helm takes has a role of its own.
pub fn role(path: &str, charts: &[&str]) -> Role {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
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
    name.rsplit_once('.').is_some_and(|(_, ending)| matches!(ending, "yaml" | "yml" | "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_for_what_its_path_says() {
        let charts = ["app", "app/charts/db"];
        let cases = [
            ("deploy/web.yaml", Role::Manifests),
            ("web.yml", Role::Manifests),
            (".yaml", Role::Manifests),
            ("web.json", Role::Manifests),
            ("web.YAML", Role::Other),
            ("web.yaml.tmpl", Role::Other),
            ("README", Role::Other),
            ("deploy/kustomization.yaml", Role::Kustomization),
            ("kustomization.yml", Role::Kustomization),
            ("deploy/Kustomization", Role::Kustomization),
            ("Kustomization.yaml", Role::Manifests),
            ("values.yaml", Role::Manifests),
            ("app/Chart.yaml", Role::Chart),
            ("app/values.yaml", Role::Values),
            ("app/values-prod.yaml", Role::Other),
            ("app/values.schema.json", Role::Other),
            ("app/templates/_helpers.tpl", Role::Template),
            ("app/templates/tests/t.yaml", Role::Template),
            ("app/crds/a.yaml", Role::ChartCrd),
            ("app/crds/deep/a.json", Role::ChartCrd),
            ("app/crds/README.md", Role::Other),
            ("app/charts/db/Chart.yaml", Role::Chart),
            ("app/charts/db/values.yaml", Role::Values),
            ("app/charts/db/templates/x.yaml", Role::Template),
            ("app/charts/db/crds/x.yaml", Role::ChartCrd),
            ("app/charts/db-1.0.0.tgz", Role::Other),
            ("apple/web.yaml", Role::Manifests),
        ];
        for (path, expected) in cases {
            assert_eq!(role(path, &charts), expected, "{path}");
        }
        assert_eq!(role("templates/x.yaml", &[""]), Role::Template, "the root is a chart");
        assert_eq!(role("templates/x.yaml", &[]), Role::Manifests);
    }
}
