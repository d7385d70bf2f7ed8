//! How Helm is asked for the manifests of a HelmRelease, and what is done to them afterwards, as helm-controller does
//! on an upgrade. It runs nothing.

use super::{MOST_OF_A_KIND, Plan, ReleaseLens, generate};
use crate::domain::{
    object::{self, Dialect},
    quote::quote,
    secret::Secrets,
};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashSet;

/// The annotation that makes a hook, and says of what.
const HOOK: &str = "helm.sh/hook";

fn hook_of(text: &str) -> Option<String> {
    let value = object::parse(text, Dialect::Helm).ok().flatten()?;
    value.get("metadata")?.get("annotations")?.get(HOOK)?.as_str().map(str::to_owned)
}

fn only_tests(events: &str) -> bool {
    events.split(',').all(|event| matches!(event.trim(), "test" | "test-success" | "test-failure"))
}

impl ReleaseLens {
    /// The composed values, as a file for Helm. They may hold what Secrets say.
    pub fn values_text(&self) -> String {
        generate::text(&self.values)
    }

    /// Words of a tool that say what a Secret inside `spec.values` says. Of those that `valuesFrom` names see
    /// [`ReleaseLens::covered_words`].
    pub fn quotes_a_secret(&self, words: &str) -> bool {
        let text = self.values_text();
        Secrets::find(&text).are_quoted(&text, words)
    }

    /// CRDs of the chart are among what an upgrade applies.
    pub fn upgrades_crds(&self) -> bool {
        &*self.upgrade_crds != "Skip"
    }

    /// A definition that is there already is written over. `Create` does that too where Helm applies server-side,
    /// which is how helm-controller 1.5 and newer install (seen on a real one, `tests/cluster/suite/diff.rs`); a release
    /// that was once applied client-side stays so, which its status does not tell.
    pub fn replaces_crds(&self) -> bool {
        match &*self.upgrade_crds {
            "Skip" => false,
            "CreateReplace" => true,
            _ => !self.applies_client_side(),
        }
    }

    pub fn applies_client_side(&self) -> bool {
        self.spec.pointer("/upgrade/serverSideApply").and_then(Value::as_str) == Some("disabled")
    }

    pub fn skips_hooks(&self) -> bool {
        self.spec.pointer("/upgrade/disableHooks").and_then(Value::as_bool) == Some(true)
    }

    pub fn checks_schema(&self) -> bool {
        self.spec.pointer("/upgrade/disableSchemaValidation").and_then(Value::as_bool) != Some(true)
    }

    /// Hooks that only `helm test` runs are not among what an upgrade applies.
    pub fn skips_tests(&self) -> bool {
        self.spec.pointer("/test/enable").and_then(Value::as_bool) != Some(true)
    }

    /// What Helm printed of the templates, without hooks that only test; and what helm-controller would fail of, each in
    /// one sentence: it labels all that it applies with kustomize, which takes no object twice.
    pub fn settle(&self, manifests: &str) -> (String, Vec<String>) {
        let together = ["", "combined"].contains(&self.post_render_strategy());
        let (mut kept, mut notes) = (String::with_capacity(manifests.len()), Vec::new());
        let (mut known, mut whole) = (HashSet::new(), true);
        for document in object::documents(manifests) {
            let text = manifests.get(document.at.clone()).unwrap_or_default();
            let hook = text.contains(HOOK).then(|| hook_of(text)).flatten();
            if self.skips_tests() && hook.as_deref().is_some_and(only_tests) {
                whole = false;
                continue;
            }
            for named in object::scan_document(manifests, &document) {
                if (together || hook.is_none()) && !known.insert((named.api_version.clone(), named.key())) {
                    notes.push(format!(
                        "{} is rendered twice: Flux would fail",
                        quote(&named.key().to_string())
                    ));
                }
            }
            kept.push_str("---\n");
            kept.push_str(text.trim_matches('\n'));
            kept.push('\n');
        }
        notes.sort();
        notes.dedup();
        notes.truncate(MOST_OF_A_KIND);
        (if whole { manifests.to_owned() } else { kept }, notes)
    }

    /// How hooks and templates get to the post-renderers; empty: as `combined`.
    pub(super) fn post_render_strategy(&self) -> &str {
        self.spec.get("postRenderStrategy").and_then(Value::as_str).unwrap_or_default()
    }

    /// Post-renderers, and `commonMetadata` after them.
    pub fn post_renders(&self) -> usize {
        self.renderers().len() + usize::from(self.common_metadata().is_some())
    }

    pub fn is_post_rendered(&self) -> bool {
        self.post_renders() > 0
    }

    /// What kustomize needs for one of them; None: it is of no known kind.
    pub fn post_render(&self, step: usize, manifests: Bytes) -> Option<Plan> {
        match (self.renderers().get(step), self.common_metadata()) {
            (Some(renderer), _) => Plan::of_post_renderer(renderer, manifests),
            (None, Some(metadata)) => Some(Plan::of_common_metadata(metadata, manifests)),
            (None, None) => None,
        }
    }

    fn renderers(&self) -> &[Value] {
        self.spec.get("postRenderers").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn common_metadata(&self) -> Option<&Value> {
        let pairs = |metadata: &Value, field: &str| {
            metadata.get(field).and_then(Value::as_object).is_some_and(|pairs| !pairs.is_empty())
        };
        let metadata = self.spec.get("commonMetadata");
        metadata.filter(|metadata| pairs(metadata, "labels") || pairs(metadata, "annotations"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Lens;
    use serde_json::json;

    fn hook(name: &str, events: &str) -> String {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations:\n    helm.sh/hook: {events}\n"
        )
    }

    #[test]
    fn hooks_that_only_test_are_left_out_and_what_is_there_twice_is_said() {
        let lens = |spec: serde_json::Value| match Lens::read(
            &json!({"kind": "HelmRelease", "metadata": {"name": "web"}, "spec": spec}),
        ) {
            Ok(Lens::Release(lens)) => *lens,
            other => panic!("{other:?}"),
        };
        let both = hook("b", "test,pre-upgrade");
        let text = [hook("a", "test"), both.clone()].concat();
        assert_eq!(lens(json!({})).settle(&text), (both.clone(), vec![]));
        assert_eq!(lens(json!({"test": {"enable": true}})).settle(&text).0, text);
        let twice = both.repeat(2);
        let notes = lens(json!({})).settle(&twice).1;
        assert_eq!(notes, ["\"ConfigMap b\" is rendered twice: Flux would fail"]);
        let often = [both.repeat(9), hook("a", "pre-upgrade").repeat(2)].concat();
        let notes = lens(json!({})).settle(&often).1;
        assert_eq!(notes.len(), 2, "each is said once: {notes:?}");
        assert!(lens(json!({"postRenderStrategy": "separate"})).settle(&twice).1.is_empty());
    }
}
