//! At what a patch of kustomize is aimed: at Secrets, perhaps at them, or elsewhere. Targets are read as kustomize's
//! selectors are (`api/types/selector.go`); nothing is selected or patched.

use crate::domain::pattern::Pattern;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::domain) enum Aim {
    Elsewhere,
    /// Its target may select Secrets among others.
    Perhaps,
    /// Its target says so.
    Secrets,
}

impl Aim {
    /// By the fields of a target and their texts, if they are texts.
    pub(in crate::domain) fn of<'a>(target: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut aim = Self::Perhaps;
        for (name, text) in target {
            let wanted = match name.to_ascii_lowercase().as_str() {
                "kind" if text == Some("Secret") => return Self::Secrets,
                "kind" => "Secret",
                "group" => "",
                "version" => "v1",
                _ => continue,
            };
            if !text.is_none_or(|pattern| may_match(pattern, wanted)) {
                aim = Self::Elsewhere;
            }
        }
        aim
    }
}

/// Longer patterns are not tried: a text may hold thousands of them.
const LONGEST: usize = 200;

/// kustomize anchors a pattern on both sides; one that is not there matches all. What cannot be evaluated may match.
fn may_match(pattern: &str, word: &str) -> bool {
    if ["", "~", "null"].contains(&pattern) {
        return true;
    }
    if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return pattern == word;
    }
    // counted repetitions can make it as large as it likes
    if pattern.len() > LONGEST || pattern.contains('{') {
        return true;
    }
    Pattern::compile(&format!("^(?:{pattern})$")).map_or(true, |pattern| pattern.is_match(word))
}

/// kustomize takes its fields in any case.
pub(super) fn is_target(field: &str) -> bool {
    field.eq_ignore_ascii_case("target")
}

/// `patch` of an entry of `patches`, `jsonOp` of a plugin.
pub(in crate::domain) fn is_patch(field: &str) -> bool {
    field.eq_ignore_ascii_case("patch") || field.eq_ignore_ascii_case("jsonOp")
}

/// A path (RFC 6902) leads to the values of a Secret, or to all of it. The library behind kustomize does not look at
/// what stands before the first slash.
pub(super) fn leads_to_values(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    first.is_empty() || super::FIELDS.contains(&first) || path.contains("last-applied-configuration")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_read_as_kustomize_reads_it() {
        let aim = |target: &[(&str, &str)]| Aim::of(target.iter().map(|(name, text)| (*name, Some(*text))));
        assert_eq!(aim(&[("kind", "Secret"), ("group", "x")]), Aim::Secrets);
        for target in [
            &[][..],
            &[("name", "db")],
            &[("kind", "")],
            &[("Kind", "Secret|ConfigMap")],
            &[("kind", "Sec.*"), ("version", "v1")],
            &[("kind", "(Secret")],
            &[("kind", "Deployment{1,1000}")],
            &[("group", ".*"), ("version", "v1.*")],
        ] {
            assert_eq!(aim(target), Aim::Perhaps, "{target:?}");
        }
        for target in [
            &[("kind", "Deployment")][..],
            &[("kind", "Secrets")],
            &[("kind", "Secre")],
            &[("kind", ".*Secret.+")],
            &[("group", "apps")],
            &[("group", ".+")],
            &[("version", "v1beta1")],
        ] {
            assert_eq!(aim(target), Aim::Elsewhere, "{target:?}");
        }
    }

    #[test]
    fn a_path_leads_to_values_where_a_secret_keeps_them() {
        for path in ["/data", "/data/a", "/stringData/a~1b", "", "/", "x/data/a"] {
            assert!(leads_to_values(path), "{path}");
        }
        for path in ["/metadata/labels/a", "/spec/data", "/datas", "/type"] {
            assert!(!leads_to_values(path), "{path}");
        }
    }
}
