//! What a chart says of itself: versions, what Kubernetes it needs, which charts it carries. It fetches no dependency.

use super::{
    Danger, Impact, Place, What,
    pair::{get, list, text},
    source::{Sheet, folder, join, read},
    words::{count, quote, some},
};
use crate::domain::{
    diff::{Change, FileChange},
    object::{Dialect, Role},
    upgrade::Distance,
    version::Version,
};
use serde_json::Value;

pub(super) fn judge(sheet: &Sheet<'_>, is_built: bool, said: &mut Vec<Impact>) {
    for (file, change) in sheet.of(Role::Chart) {
        one(sheet, file, change, said);
    }
    archives(sheet, said);
    if !is_built {
        said.extend(templates(sheet));
    }
}

fn impact(danger: Danger, what: What, why: impl Into<String>, file: usize) -> Impact {
    Impact { danger, what, object: None, why: why.into(), at: Place::File { file, line: None } }
}

/// A chart on one side, plain manifests on the other: nothing can be compared.
pub(super) fn other_kind(sheet: &Sheet<'_>) -> Option<Impact> {
    if sheet.diff.same_objects > 0 || sheet.diff.same_files > 0 {
        return None;
    }
    let charts: Vec<(usize, &FileChange)> = sheet.of(Role::Chart).collect();
    let (file, first) = *charts.first()?;
    if charts.iter().any(|(_, chart)| chart.change != first.change) {
        return None;
    }
    let (other, why) = match first.change {
        Change::Removed => {
            (Change::Added, "a chart is replaced by plain manifests: a HelmRelease cannot take it")
        }
        Change::Added => {
            (Change::Removed, "plain manifests are replaced by a chart: a Kustomization cannot take it")
        }
        Change::Changed | Change::Renamed | Change::Moved | Change::Formatting => return None,
    };
    let plain = |role| matches!(role, Role::Manifests | Role::Kustomization);
    let has_plain = sheet.diff.files.iter().any(|file| file.change == other && plain(file.role));
    has_plain.then(|| impact(Danger::High, What::ChartAgainstManifests, why, file))
}

fn one(sheet: &Sheet<'_>, file: usize, change: &FileChange, said: &mut Vec<Impact>) {
    let from = read(change.from.as_ref(), Dialect::Helm);
    let to = read(change.to.as_ref(), Dialect::Helm);
    let chart = folder(change.path());
    let carried = sheet.carrier(chart).map(|(_, name)| name);
    let (from, to) = match (from, to) {
        (Some(from), Some(to)) => (from, to),
        (None, Some(to)) if carried.is_none() && change.from.is_none() => {
            let why = format!("chart {} is new", title(&to));
            said.push(impact(Danger::Low, What::ChartVersion, why, file));
            return;
        }
        (Some(from), None) if carried.is_none() && change.to.is_none() => {
            let why = format!("chart {} is gone", title(&from));
            said.push(impact(Danger::High, What::ChartVersion, why, file));
            return;
        }
        _ => return,
    };
    if let Some(name) = carried {
        let why = format!("carried chart {name} {} → {}", version(&from), version(&to));
        if version(&from) != version(&to) {
            said.push(impact(Danger::Low, What::ChartDependency, why, file));
        }
        return;
    }
    versions(&from, &to, file, said);
    needs(&from, &to, file, said);
    dependencies(&from, &to, file, said);
}

fn title(chart: &Value) -> String {
    format!("{} {}", text(chart, &["name"]).unwrap_or("?"), version(chart))
}

fn version(chart: &Value) -> String {
    quote(get(chart, &["version"]))
}

fn versions(from: &Value, to: &Value, file: usize, said: &mut Vec<Impact>) {
    let (old, new) = (version(from), version(to));
    let name = text(to, &["name"]).unwrap_or("?");
    if text(from, &["name"]) != text(to, &["name"]) {
        let why = format!("another chart: {} → {}", title(from), title(to));
        said.push(impact(Danger::High, What::ChartVersion, why, file));
    } else if old != new {
        let (danger, distance) = distance(&old, &new);
        said.push(impact(
            danger,
            What::ChartVersion,
            format!("chart {name} {old} → {new}, {distance}"),
            file,
        ));
    }
    let app = |side| quote(get(side, &["appVersion"]));
    if app(from) != app(to) {
        let (danger, distance) = distance(&app(from), &app(to));
        let why = format!("appVersion {} → {}, {distance}", app(from), app(to));
        said.push(impact(danger, What::ChartVersion, why, file));
    }
}

/// How far it is, in words.
pub(super) fn distance(old: &str, new: &str) -> (Danger, &'static str) {
    let (Ok(old), Ok(new)) = (Version::parse(old), Version::parse(new)) else {
        return (Danger::Medium, "how far is not known");
    };
    if new < old {
        return (Danger::High, "a downgrade");
    }
    match Distance::between(&old, &new) {
        Distance::Major => (Danger::Medium, "a major version"),
        Distance::Minor => (Danger::Low, "a minor version"),
        Distance::Patch => (Danger::Low, "a patch"),
        Distance::None => (Danger::Low, "the same precedence"),
        Distance::Unknown => (Danger::Medium, "how far is not known"),
    }
}

fn needs(from: &Value, to: &Value, file: usize, said: &mut Vec<Impact>) {
    let kube = |side| quote(get(side, &["kubeVersion"]));
    if kube(from) != kube(to) {
        let why = format!("needs Kubernetes {} → {}: Helm refuses another", kube(from), kube(to));
        let danger = if get(to, &["kubeVersion"]).is_some() { Danger::Medium } else { Danger::Low };
        said.push(impact(danger, What::ChartRequires, why, file));
    }
    let kind = |side| text(side, &["type"]).unwrap_or("application").to_owned();
    if kind(from) != kind(to) {
        let danger = if kind(to) == "library" { Danger::High } else { Danger::Medium };
        let note = if kind(to) == "library" { ": it cannot be installed" } else { "" };
        let why = format!("type {} → {}{note}", kind(from), kind(to));
        said.push(impact(danger, What::ChartRequires, why, file));
    }
    let deprecated = |side| get(side, &["deprecated"]).and_then(Value::as_bool) == Some(true);
    if deprecated(to) && !deprecated(from) {
        said.push(impact(Danger::Low, What::ChartRequires, "the chart is deprecated now", file));
    }
}

fn dependencies(from: &Value, to: &Value, file: usize, said: &mut Vec<Impact>) {
    let name = |dependency: &Value| {
        text(dependency, &["alias"]).or_else(|| text(dependency, &["name"])).unwrap_or("?").to_owned()
    };
    let path = ["dependencies"];
    for new in list(to, &path) {
        let Some(old) = list(from, &path).iter().find(|old| name(old) == name(new)) else {
            let why = format!("now depends on {} {}", name(new), version(new));
            said.push(impact(Danger::Medium, What::ChartDependency, why, file));
            continue;
        };
        let mut words = Vec::new();
        let mut danger = Danger::Low;
        if version(old) != version(new) {
            words.push(format!("{} → {}", version(old), version(new)));
            danger = danger.min(distance(&version(old), &version(new)).0);
        }
        for field in ["repository", "condition", "tags", "name"] {
            let (was, is) = (get(old, &[field]), get(new, &[field]));
            if was != is {
                words.push(format!("{field} {} → {}", quote(was), quote(is)));
                danger = danger.min(Danger::Medium);
            }
        }
        if !words.is_empty() {
            let why = format!("dependency {} {}", name(new), words.join(", "));
            said.push(impact(danger, What::ChartDependency, why, file));
        }
    }
    for old in list(from, &path) {
        if !list(to, &path).iter().any(|new| name(new) == name(old)) {
            let why = format!("no longer depends on {}: what it installed is deleted", name(old));
            said.push(impact(Danger::Medium, What::ChartDependency, why, file));
        }
    }
}

/// Charts that are carried packed.
fn archives(sheet: &Sheet<'_>, said: &mut Vec<Impact>) {
    for (file, change) in sheet.of(Role::Other) {
        let path = change.path();
        let name = path.rsplit('/').next().unwrap_or(path);
        let above = folder(path);
        let carries = above == "charts" || above.ends_with("/charts");
        if carries && std::path::Path::new(name).extension().is_some_and(|end| end == "tgz") {
            let why = format!("carried chart {name} {}: it is not looked into", change.change.word());
            said.push(impact(Danger::Low, What::ChartDependency, why, file));
        }
    }
}

/// Without rendering nobody knows what a template makes.
fn templates(sheet: &Sheet<'_>) -> Option<Impact> {
    let changed: Vec<(usize, &FileChange)> = sheet.of(Role::Template).collect();
    let (file, _) = *changed.first()?;
    let gone: Vec<&str> =
        changed.iter().filter(|(_, file)| file.to.is_none()).map(|(_, file)| file.path()).collect();
    let gone = if gone.is_empty() { String::new() } else { format!(", {} gone", some(&gone, 3)) };
    let render = if changed.len() == 1 { "what it renders" } else { "what they render" };
    let why = format!("{} changed{gone}: {render} is not seen here", count(changed.len(), "template"));
    let danger = if gone.is_empty() { Danger::Low } else { Danger::Medium };
    Some(impact(danger, What::TemplatesChanged, why, file))
}

/// Under which key a chart hands values to one that it carries: the alias, else its name.
pub(super) fn key_of(sheet: &Sheet<'_>, chart: &str, carried: &str) -> String {
    let alias = sheet.named(&join(chart, "Chart.yaml")).and_then(|(_, change)| {
        let read = read(change.to.as_ref(), Dialect::Helm)?;
        let dependencies = list(&read, &["dependencies"]);
        let own = dependencies.iter().find(|own| text(own, &["name"]) == Some(carried))?;
        text(own, &["alias"]).map(str::to_owned)
    });
    alias.unwrap_or_else(|| carried.to_owned())
}

/// Names under which a chart hands values to others.
pub(super) fn handed_on(sheet: &Sheet<'_>, chart: &str) -> Vec<String> {
    let mut names = vec!["global".to_owned()];
    let Some((_, change)) = sheet.named(&join(chart, "Chart.yaml")) else { return names };
    for side in [&change.from, &change.to] {
        let Some(read) = read(side.as_ref(), Dialect::Helm) else { continue };
        for dependency in list(&read, &["dependencies"]) {
            names.extend(
                ["alias", "name"].iter().filter_map(|field| text(dependency, &[field])).map(str::to_owned),
            );
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        impact::{pair::tests::words, tests::files},
        lens::Lens,
    };

    fn check(given: &[(&str, Role, &str, &str)], want: &[&str]) {
        let mut said = Vec::new();
        judge(&Sheet::new(&files(given)), false, &mut said);
        assert_eq!(said.iter().map(words).collect::<Vec<_>>(), want);
    }

    fn chart(from: &str, to: &str, want: &[&str]) {
        check(&[("a/Chart.yaml", Role::Chart, &format!("name: a\n{from}"), &format!("name: a\n{to}"))], want);
    }

    #[test]
    fn versions_are_said_with_their_distance() {
        chart("version: 1.0.0", "version: 1.0.1", &["low chart-version: chart a 1.0.0 → 1.0.1, a patch"]);
        chart(
            "version: 1.0.0",
            "version: 2.0.0",
            &["medium chart-version: chart a 1.0.0 → 2.0.0, a major version"],
        );
        chart(
            "version: 1.1.0",
            "version: 1.0.0",
            &["high chart-version: chart a 1.1.0 → 1.0.0, a downgrade"],
        );
        chart(
            "appVersion: v1.0.0",
            "appVersion: v1.1.0",
            &["low chart-version: appVersion v1.0.0 → v1.1.0, a minor version"],
        );
        chart("version: 1.0.0", "version: 1.0.0\nhome: x", &[]);
    }

    #[test]
    fn what_a_chart_needs_is_said() {
        chart(
            "kubeVersion: '>=1.23.0-0'",
            "kubeVersion: '>=1.25.0-0'",
            &["medium chart-requires: needs Kubernetes >=1.23.0-0 → >=1.25.0-0: Helm refuses another"],
        );
        chart(
            "type: application",
            "type: library\ndeprecated: true",
            &[
                "high chart-requires: type application → library: it cannot be installed",
                "low chart-requires: the chart is deprecated now",
            ],
        );
        chart(
            "dependencies: [{name: r, version: 1.0.0}, {name: old}]",
            "dependencies: [{name: r, version: 2.0.0}, {name: new, version: 1.0.0}]",
            &[
                "medium chart-dependency: dependency r 1.0.0 → 2.0.0",
                "medium chart-dependency: now depends on new 1.0.0",
                "medium chart-dependency: no longer depends on old: what it installed is deleted",
            ],
        );
    }

    #[test]
    fn carried_charts_and_templates_are_counted() {
        check(
            &[
                ("a/Chart.yaml", Role::Chart, "name: a\nversion: 1.0.0", "name: a\nversion: 1.0.1"),
                ("a/charts/r/Chart.yaml", Role::Chart, "name: r\nversion: 1.0.0", "name: r\nversion: 2.0.0"),
                ("a/charts/s-1.0.0.tgz", Role::Other, "x", ""),
                ("a/templates/x.yaml", Role::Template, "a", "b"),
                ("a/templates/y.yaml", Role::Template, "a", ""),
            ],
            &[
                "low chart-version: chart a 1.0.0 → 1.0.1, a patch",
                "low chart-dependency: carried chart r 1.0.0 → 2.0.0",
                "low chart-dependency: carried chart s-1.0.0.tgz removed: it is not looked into",
                "medium templates-changed: 2 templates changed, a/templates/y.yaml gone: what they render is not seen here",
            ],
        );
    }

    #[test]
    fn a_chart_against_manifests_is_one_item() {
        let diff = files(&[
            ("a/Chart.yaml", Role::Chart, "name: a\nversion: 1.0.0", ""),
            ("a/values.yaml", Role::Values, "a: 1", ""),
            ("a/templates/x.yaml", Role::Template, "helm.sh/hook: test", ""),
            ("all.yaml", Role::Manifests, "", "a"),
            ("kustomization.yaml", Role::Kustomization, "", "resources: [all.yaml]"),
        ]);
        let said = crate::domain::impact::judge(&diff, None, &Lens::Whole);
        assert_eq!(
            said.iter().map(words).collect::<Vec<_>>(),
            [
                "high chart-against-manifests: a chart is replaced by plain manifests: a HelmRelease cannot take it",
            ]
        );
    }
}
