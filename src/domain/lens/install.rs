//! How Helm is asked for the manifests of a HelmRelease, and what is done to them afterwards, as helm-controller does
//! on an upgrade. It runs nothing.

use super::{Plan, ReleaseLens, generate};
use bytes::Bytes;
use serde_json::Value;

impl ReleaseLens {
    /// The composed values, as a file for Helm. They may hold what Secrets say.
    pub fn values_text(&self) -> String {
        generate::text(&self.values)
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
