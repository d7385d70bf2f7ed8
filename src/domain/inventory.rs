//! What a consumer manages: inventory ids as cli-utils writes them.

use std::fmt;

/// `<namespace>_<name>_<group>_<kind>` and the version beside it (`reference/flux.md` §3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryEntry {
    pub id: Box<str>,
    pub version: Box<str>,
}

/// An inventory id, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventoried {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    pub name: String,
    /// Empty for the core group.
    pub group: String,
    pub kind: String,
}

impl InventoryEntry {
    /// Kind and group are split off from the right before `__` is turned back into `:`.
    pub fn parse(&self) -> Option<Inventoried> {
        let (namespace, rest) = self.id.split_once('_')?;
        let (rest, kind) = rest.rsplit_once('_')?;
        let (name, group) = rest.rsplit_once('_')?;
        if name.is_empty() || kind.is_empty() {
            return None;
        }
        Some(Inventoried {
            namespace: namespace.to_owned(),
            name: name.replace("__", ":"),
            group: group.to_owned(),
            kind: kind.to_owned(),
        })
    }
}

impl fmt::Display for Inventoried {
    /// `Deployment apps/podinfo`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, expected: Option<[&str; 4]>) {
        let entry = InventoryEntry { id: id.into(), version: "v1".into() };
        let parts = entry.parse().map(|i| [i.namespace, i.name, i.group, i.kind]);
        assert_eq!(parts.as_ref().map(|p| p.each_ref().map(String::as_str)), expected, "{id}");
    }

    #[test]
    fn ids_are_split_from_the_right_before_colons_are_restored() {
        check("_flux-system__Namespace", Some(["", "flux-system", "", "Namespace"]));
        check("apps_podinfo_apps_Deployment", Some(["apps", "podinfo", "apps", "Deployment"]));
        check("apps_podinfo__Service", Some(["apps", "podinfo", "", "Service"]));
        check(
            "_system__coredns_rbac.authorization.k8s.io_ClusterRole",
            Some(["", "system:coredns", "rbac.authorization.k8s.io", "ClusterRole"]),
        );
        check("nonsense", None);
    }
}
