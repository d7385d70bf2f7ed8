//! Definitions in `crds/` of a chart: Helm renders them with the rest, and helm-controller applies them apart, by a
//! policy. It takes back what is rendered and does not happen; what it means is said by [`crate::domain::impact`].

use super::{Lens, ReleaseLens};
use crate::domain::{
    diff::{Change, Diff, ObjectChange},
    object::{self, Key, Role},
};
use std::collections::HashSet;

impl Lens {
    /// `source`: the chart as it is stored, which knows what stands in `crds/`.
    pub fn settle_definitions(&self, built: &mut Diff, source: &Diff) {
        let Self::Release(lens) = self else { return };
        let definitions = definitions(source);
        let stays = |object: &ObjectChange| {
            let key = object.found().map(|found| &found.key);
            key.is_some_and(|key| definitions.contains(key)) && lens.leaves(object.change)
        };
        built.objects.retain(|object| !stays(object));
    }
}

impl ReleaseLens {
    /// What is in the cluster stays as it is. Nobody ever deletes a definition of a chart.
    fn leaves(&self, change: Change) -> bool {
        match change {
            Change::Removed => true,
            Change::Added => !self.upgrades_crds(),
            Change::Changed | Change::Renamed | Change::Moved | Change::Formatting => !self.replaces_crds(),
        }
    }
}

/// What Helm printed: definitions of the chart's `crds/`, and the rest, which is what post-renderers get. Other objects
/// in `crds/` are dropped, as helm-controller drops them (`internal/action/crds.go`).
pub fn definitions_apart(manifests: &str) -> (String, &str) {
    const SOURCE: &str = "---\n# Source: ";
    if !manifests.starts_with(SOURCE) {
        return (String::new(), manifests);
    }
    let starts = manifests.match_indices(SOURCE).map(|(at, _)| at);
    let is_template = |at: &usize| {
        let line = manifests.get(at + SOURCE.len()..).and_then(|rest| rest.lines().next());
        line.is_some_and(|path| path.contains("/templates/") || !path.contains("/crds/"))
    };
    // those in `crds/` come first
    let end = starts.into_iter().find(is_template).unwrap_or(manifests.len());
    let (head, rest) = manifests.split_at(end);
    let mut kept = String::new();
    for document in object::documents(head) {
        let named = object::scan_document(head, &document);
        let ours = |named: &object::Named| &*named.kind == "CustomResourceDefinition";
        if named.is_empty() || named.iter().any(ours) {
            kept.push_str("---\n");
            kept.push_str(head.get(document.at.clone()).unwrap_or_default().trim_matches('\n'));
            kept.push('\n');
        }
    }
    (kept, rest)
}

fn definitions(source: &Diff) -> HashSet<&Key> {
    let files = source.files.iter().filter(|file| file.role == Role::ChartCrd);
    let paths: HashSet<&str> = files.map(crate::domain::diff::FileChange::path).collect();
    let found = source.objects.iter().filter_map(ObjectChange::found);
    found.filter(|found| paths.contains(&*found.path)).map(|found| &found.key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diff::{File, Side, compare};
    use serde_json::json;

    fn definition(name: &str, text: &str) -> String {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: {name}}}\n\
             spec: {{group: {text}}}\n---\n"
        )
    }

    fn side(files: &[(&str, String)]) -> Side {
        let file = |(path, text): &(&str, String)| File {
            path: (*path).into(),
            size: text.len() as u64,
            sha256: None,
            executable: false,
            bytes: Some(text.clone().into_bytes().into()),
        };
        Side { files: files.iter().map(file).collect() }
    }

    #[track_caller]
    fn check(upgrade: &serde_json::Value, want: &[Change]) {
        let lens = Lens::read(&json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "web", "namespace": "shop"}, "spec": {"upgrade": upgrade},
        }));
        let crds = [
            [definition("stays.x", "a"), definition("goes.x", "a")].concat(),
            [definition("stays.x", "b"), definition("comes.x", "b")].concat(),
        ];
        let template = |text: &str| definition("templated.x", text);
        let [before, after] = crds;
        let stored = |crds: &str| {
            side(&[("c/Chart.yaml", "name: c\n".to_owned()), ("c/crds/all.yaml", crds.to_owned())])
        };
        let source = compare(&stored(&before), &stored(&after), &|| true);
        let rendered = |crds: &str, text: &str| side(&[("rendered.yaml", crds.to_owned() + &template(text))]);
        let mut built = compare(&rendered(&before, "a"), &rendered(&after, "b"), &|| true);
        lens.unwrap().settle_definitions(&mut built, &source);
        let changes: Vec<Change> = built.objects.iter().map(|object| object.change).collect();
        assert_eq!(changes, want, "{upgrade}");
    }

    #[test]
    fn post_renderers_never_get_what_stands_in_crds_and_only_definitions_of_it_count() {
        let crd =
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\n";
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\n";
        let rest =
            format!("---\n# Source: c/templates/crds/t.yaml\n{crd}---\n# Source: c/templates/m.yaml\n{map}");
        let whole = format!("---\n# Source: c/crds/a.yaml\n{crd}---\n{map}\n{rest}");
        let (definitions, others) = definitions_apart(&whole);
        assert_eq!(others, rest);
        assert_eq!(definitions, format!("---\n# Source: c/crds/a.yaml\n{crd}"));
        assert_eq!(definitions_apart(&rest), (String::new(), &*rest));
    }

    #[test]
    fn definitions_of_a_chart_change_as_the_policy_says_and_are_never_deleted() {
        // comes.x, stays.x, templated.x
        check(&json!({"crds": "CreateReplace"}), &[Change::Added, Change::Changed, Change::Changed]);
        check(&json!({}), &[Change::Added, Change::Changed, Change::Changed]);
        check(&json!({"serverSideApply": "disabled"}), &[Change::Added, Change::Changed]);
        check(&json!({"crds": "Skip"}), &[Change::Changed]);
    }
}
