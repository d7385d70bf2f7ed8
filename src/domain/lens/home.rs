//! Where objects go that name no namespace: an object that names its consumer's own one is the same object. It looks
//! at what was compared and finds nothing anew.

use super::Lens;
use crate::domain::diff::{Change, Diff, FieldPath, ObjectChange, Step};

impl Lens {
    /// Charts begin to write `namespace: {{ .Release.Namespace }}`: for the cluster nothing gets another name by that.
    pub fn settle_namespaces(&self, diff: &mut Diff) {
        let Some(home) = self.home() else { return };
        for object in diff.objects.iter_mut().filter(|object| names_home(object, home)) {
            let only = object.fields.iter().all(|field| is_namespace(&field.path));
            object.change = match only && !object.cut {
                true if is_moved(object) => Change::Moved,
                true => Change::Formatting,
                false => Change::Changed,
            };
            if object.change.is_quiet() {
                object.fields.clear();
            }
        }
    }

    fn home(&self) -> Option<&str> {
        match self {
            Self::Whole => None,
            Self::Kustomization(lens) => lens.target_namespace.as_deref(),
            Self::Release(lens) => Some(&lens.target_namespace),
        }
    }
}

/// It is called the same, and one of both sides leaves out where it is at home.
fn names_home(object: &ObjectChange, home: &str) -> bool {
    let (Change::Renamed, Some(from), Some(to)) = (object.change, &object.from, &object.to) else {
        return false;
    };
    let (from, to) = (&from.key, &to.key);
    let at_home = |namespace: &Option<Box<str>>| namespace.as_deref().is_none_or(|own| own == home);
    from.name == to.name && from.kind == to.kind && at_home(&from.namespace) && at_home(&to.namespace)
}

fn is_moved(object: &ObjectChange) -> bool {
    object.from.as_ref().map(|found| &found.path) != object.to.as_ref().map(|found| &found.path)
}

fn is_namespace(path: &FieldPath) -> bool {
    let field = |step: &Step, name: &str| matches!(step, Step::Field(own) if **own == *name);
    matches!(&path.0[..], [one, two] if field(one, "metadata") && field(two, "namespace"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diff::{File, Side, compare};
    use serde_json::json;

    fn lens(kind: &str, group: &str) -> Lens {
        let object = json!({
            "apiVersion": format!("{group}.toolkit.fluxcd.io/v1"), "kind": kind,
            "metadata": {"name": "web", "namespace": "flux"}, "spec": {"targetNamespace": "shop"},
        });
        Lens::read(&object).unwrap()
    }

    fn config(namespace: &str, text: &str) -> String {
        let namespace =
            if namespace.is_empty() { String::new() } else { format!("  namespace: {namespace}\n") };
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n{namespace}data:\n  text: {text}\n")
    }

    fn side(text: String) -> Side {
        let size = text.len() as u64;
        let bytes = Some(text.into_bytes().into());
        Side { files: vec![File { path: "a.yaml".into(), size, sha256: None, executable: false, bytes }] }
    }

    #[track_caller]
    fn check(lens: &Lens, from: (&str, &str), to: (&str, &str), want: Change) {
        let mut diff = compare(&side(config(from.0, from.1)), &side(config(to.0, to.1)), &|| true);
        lens.settle_namespaces(&mut diff);
        let changes: Vec<Change> = diff.objects.iter().map(|object| object.change).collect();
        assert_eq!(changes, [want], "{from:?} {to:?}");
    }

    #[test]
    fn an_object_that_names_its_consumers_own_namespace_is_the_same_object() {
        for lens in [lens("HelmRelease", "helm"), lens("Kustomization", "kustomize")] {
            check(&lens, ("", "x"), ("shop", "x"), Change::Formatting);
            check(&lens, ("shop", "x"), ("", "x"), Change::Formatting);
            check(&lens, ("", "x"), ("shop", "y"), Change::Changed);
            check(&lens, ("", "x"), ("elsewhere", "x"), Change::Renamed);
        }
        check(&Lens::Whole, ("", "x"), ("shop", "x"), Change::Renamed);
    }
}
