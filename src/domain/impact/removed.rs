//! Objects that are not there any more, have another name, or are new namespaces: who deletes them, and what goes with
//! them. Whether they are still in the cluster it does not know.

use super::{
    Danger, Impact, What,
    pair::{Pair, annotation, get, text},
};
use crate::domain::{diff::Change, lens::Lens};
use serde_json::Value;

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    match pair.change.change {
        Change::Removed => said.push(removed(pair)),
        Change::Renamed => said.push(renamed(pair)),
        Change::Added if pair.is("", "Namespace") => {
            said.push(pair.say(Danger::Low, What::NamespaceAdded, &[], "the namespace is new"));
        }
        Change::Changed if pair.is("", "Namespace") => said.extend(security(pair)),
        Change::Added | Change::Changed | Change::Moved | Change::Formatting => {}
    }
}

/// What becomes of an object that no file names any more.
enum Fate {
    /// By whom.
    Deleted(&'static str),
    /// Nobody said who applies it.
    Perhaps,
    /// Because of what.
    Stays(&'static str),
}

fn fate(pair: &Pair<'_>) -> Fate {
    let told = |name: &str, value: &str| pair.from.and_then(|object| said_of(object, name)) == Some(value);
    match pair.lens {
        Lens::Release(_) if told("helm.sh/resource-policy", "keep") => {
            Fate::Stays("helm.sh/resource-policy is keep")
        }
        Lens::Release(_) => Fate::Deleted("Helm"),
        Lens::Kustomization(_) | Lens::Whole if told("kustomize.toolkit.fluxcd.io/prune", "disabled") => {
            Fate::Stays("its annotation kustomize.toolkit.fluxcd.io/prune is disabled")
        }
        Lens::Kustomization(_) | Lens::Whole if told("kustomize.toolkit.fluxcd.io/reconcile", "disabled") => {
            Fate::Stays("its annotation kustomize.toolkit.fluxcd.io/reconcile is disabled")
        }
        Lens::Kustomization(lens) if lens.prune => Fate::Deleted("Flux"),
        Lens::Kustomization(_) => Fate::Stays("spec.prune is off"),
        Lens::Whole => Fate::Perhaps,
    }
}

impl Fate {
    /// What happens to `it`, and what goes with it.
    fn sentence(&self, it: &str, loss: Option<&str>) -> String {
        let (said, loss) = match self {
            Self::Deleted(who) => (format!("{who} deletes {it}"), loss),
            Self::Perhaps => (format!("{it} is deleted where the consumer prunes"), loss),
            Self::Stays(because) => (format!("{it} stays in the cluster: {because}"), None),
        };
        loss.map_or_else(|| said.clone(), |loss| format!("{said}, {loss}"))
    }
}

/// Flux looks at labels and annotations alike (`AnyInMetadata` in fluxcd/pkg/ssa).
fn said_of<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    annotation(object, name).or_else(|| text(object, &["metadata", "labels", name]))
}

fn removed(pair: &Pair<'_>) -> Impact {
    let what = match (pair.group(), pair.kind()) {
        ("", "Namespace") => What::NamespaceRemoved,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => What::CrdRemoved,
        ("admissionregistration.k8s.io", kind) if kind.ends_with("WebhookConfiguration") => {
            What::WebhookRemoved
        }
        _ => What::ObjectRemoved,
    };
    let (fate, loss) = (fate(pair), loss(pair));
    let danger = match (&fate, loss) {
        (Fate::Stays(_), _) => Danger::Low,
        (Fate::Deleted(_) | Fate::Perhaps, Some(_)) => Danger::High,
        (Fate::Deleted(_) | Fate::Perhaps, None) => Danger::Medium,
    };
    pair.say(danger, what, &[], format!("removed: {}", fate.sentence("it", loss)))
}

/// What goes with it and does not come back.
fn loss(pair: &Pair<'_>) -> Option<&'static str> {
    let from = pair.from?;
    match (pair.group(), pair.kind()) {
        ("", "Namespace") => Some("and everything in the namespace with it"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => Some("and all its custom resources with it"),
        ("", "PersistentVolumeClaim") => Some("and its data, unless the volume's reclaim policy is Retain"),
        ("", "PersistentVolume") => Some("and nothing else says where its data is"),
        ("kustomize.toolkit.fluxcd.io", "Kustomization") => applied_loss(from),
        ("helm.toolkit.fluxcd.io", "HelmRelease") => Some("which uninstalls the release"),
        ("apps", "StatefulSet")
            if text(from, &["spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted"])
                == Some("Delete") =>
        {
            Some("and its volume claims with it")
        }
        _ => None,
    }
}

/// `finalizerShouldDeleteResources` of kustomize-controller: the policy decides, and without one `spec.prune`.
fn applied_loss(kustomization: &Value) -> Option<&'static str> {
    let pruned = get(kustomization, &["spec", "prune"]).and_then(Value::as_bool) == Some(true);
    let suspended = get(kustomization, &["spec", "suspend"]).and_then(Value::as_bool) == Some(true);
    let deletes = match text(kustomization, &["spec", "deletionPolicy"]) {
        Some("Delete" | "WaitForTermination") => true,
        Some("Orphan") => false,
        _ => pruned,
    };
    (deletes && !suspended).then_some("and everything that it applied with it")
}

fn renamed(pair: &Pair<'_>) -> Impact {
    let from = pair.change.from.as_ref().map_or_else(String::new, |found| found.key.to_string());
    let (fate, loss) = (fate(pair), loss(pair));
    let danger = match (&fate, loss, pair.kind()) {
        (Fate::Deleted(_) | Fate::Perhaps, Some(_), _) => Danger::High,
        // generators put a hash of the content behind the name
        (Fate::Stays(_), _, _) | (_, None, "ConfigMap" | "Secret") => Danger::Low,
        (Fate::Deleted(_) | Fate::Perhaps, None, _) => Danger::Medium,
    };
    pair.say(danger, What::ObjectRenamed, &[], format!("was {from}: {}", fate.sentence("the old one", loss)))
}

/// Pod Security: pods that break the new level are not admitted any more.
fn security(pair: &Pair<'_>) -> Option<Impact> {
    let path = ["metadata", "labels", "pod-security.kubernetes.io/enforce"];
    let (from, to) = pair.both()?;
    let (old, new) = (text(from, &path).unwrap_or("none"), text(to, &path).unwrap_or("none"));
    let rank =
        |level: &str| ["none", "privileged", "baseline", "restricted"].iter().position(|one| *one == level);
    let why = match rank(new).cmp(&rank(old)) {
        std::cmp::Ordering::Equal => return None,
        std::cmp::Ordering::Greater => "pods that break it are refused",
        std::cmp::Ordering::Less => "pods may do more",
    };
    Some(pair.say(
        Danger::Medium,
        What::NamespaceChanged,
        &path,
        format!("enforced Pod Security level {old} → {new}: {why}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::impact::pair::tests::said;
    use crate::domain::impact::tests::{pruning, release};

    fn check(lens: &Lens, from: &str, to: &str, want: &[&str]) {
        assert_eq!(said(judge, lens, from, to), want);
    }

    #[test]
    fn who_deletes_it_is_said() {
        let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}";
        check(
            &Lens::Whole,
            map,
            "",
            &["medium object-removed: removed: it is deleted where the consumer prunes"],
        );
        check(&pruning(true), map, "", &["medium object-removed: removed: Flux deletes it"]);
        check(
            &pruning(false),
            map,
            "",
            &["low object-removed: removed: it stays in the cluster: spec.prune is off"],
        );
        check(&release("{}"), map, "", &["medium object-removed: removed: Helm deletes it"]);
        let kept = "{apiVersion: v1, kind: A, metadata: {name: a, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled, helm.sh/resource-policy: keep}}}";
        check(
            &pruning(true),
            kept,
            "",
            &[
                "low object-removed: removed: it stays in the cluster: its annotation kustomize.toolkit.fluxcd.io/prune is disabled",
            ],
        );
        check(
            &release("{}"),
            kept,
            "",
            &["low object-removed: removed: it stays in the cluster: helm.sh/resource-policy is keep"],
        );
    }

    #[test]
    fn what_goes_with_it_makes_it_worse() {
        let whole = "removed: it is deleted where the consumer prunes";
        let worse = |from: &str, what: &str, loss: &str| {
            check(&Lens::Whole, from, "", &[&format!("high {what}: {whole}, {loss}")]);
        };
        worse(
            "{apiVersion: v1, kind: Namespace}",
            "namespace-removed",
            "and everything in the namespace with it",
        );
        worse(
            "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition}",
            "crd-removed",
            "and all its custom resources with it",
        );
        worse(
            "{apiVersion: v1, kind: PersistentVolumeClaim}",
            "object-removed",
            "and its data, unless the volume's reclaim policy is Retain",
        );
        let kustomization = |spec: &str| {
            format!("{{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, spec: {{{spec}}}}}")
        };
        worse(&kustomization("prune: true"), "object-removed", "and everything that it applied with it");
        worse(
            &kustomization("prune: false, deletionPolicy: Delete"),
            "object-removed",
            "and everything that it applied with it",
        );
        let orphans = kustomization("prune: true, deletionPolicy: Orphan");
        check(&Lens::Whole, &orphans, "", &[&format!("medium object-removed: {whole}")]);
    }

    #[test]
    fn a_rename_removes_the_old_one() {
        check(
            &pruning(true),
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a-7g9hk2, namespace: apps}}",
            "{apiVersion: v1, kind: ConfigMap, metadata: {name: a-2tbd8m, namespace: apps}}",
            &["low object-renamed: was ConfigMap apps/a-7g9hk2: Flux deletes the old one"],
        );
        check(
            &pruning(true),
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a}}",
            "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: b}}",
            &[
                "high object-renamed: was PersistentVolumeClaim a: Flux deletes the old one, and its data, unless the volume's reclaim policy is Retain",
            ],
        );
    }

    #[test]
    fn namespaces_that_are_new_or_change_their_level_are_said() {
        check(
            &Lens::Whole,
            "",
            "{apiVersion: v1, kind: Namespace}",
            &["low namespace-added: the namespace is new"],
        );
        check(
            &Lens::Whole,
            "{apiVersion: v1, kind: Namespace, metadata: {name: a}}",
            "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {pod-security.kubernetes.io/enforce: restricted}}}",
            &[
                "medium namespace-changed: enforced Pod Security level none → restricted: pods that break it are refused",
            ],
        );
    }
}
