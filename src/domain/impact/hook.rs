//! Helm's hooks: what runs before, after or beside an upgrade. In rendered objects by their annotations, in templates by
//! the lines that hold them; it renders nothing.

use super::{
    Danger, Impact, Place, What,
    pair::{Pair, annotation},
    source::Sheet,
    words::{count, some},
};
use crate::domain::{diff::Change, object::Role};
use serde_json::Value;

const HOOK: &str = "helm.sh/hook";

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let of = |side: Option<&'_ Value>| side.and_then(|side| annotation(side, HOOK)).map(str::to_owned);
    let path = ["metadata", "annotations"];
    let (danger, why) = match (of(pair.from), of(pair.to)) {
        (None, None) => return,
        (None, Some(new)) if pair.from.is_none() => (weight(&new), format!("a new hook: {}", when(&new))),
        (None, Some(new)) => (Danger::Medium, format!("becomes a hook: {}", when(&new))),
        (Some(old), None) if pair.to.is_none() => (Danger::Low, format!("the hook is gone: {old}")),
        (Some(old), None) => {
            (Danger::Medium, format!("is no longer a hook ({old}): it is applied with the others"))
        }
        (Some(old), Some(new)) if old != new => (weight(&new), format!("hook {old} → {new}")),
        (Some(old), Some(_)) => (weight(&old), format!("the hook changes: {}", when(&old))),
    };
    said.push(pair.say(danger, What::HookChanged, &path, why));
}

fn weight(hook: &str) -> Danger {
    let is_test = hook.split(',').all(|one| one.trim().starts_with("test"));
    if is_test { Danger::Low } else { Danger::Medium }
}

fn when(hook: &str) -> String {
    let pre = hook.split(',').any(|one| one.trim().starts_with("pre-"));
    if pre { format!("{hook}; if it fails the upgrade stops") } else { hook.to_owned() }
}

/// Templates that are hooks, where nothing was rendered.
pub(super) fn judge_templates(sheet: &Sheet<'_>, said: &mut Vec<Impact>) {
    let mut tests: Vec<(usize, &str)> = Vec::new();
    for (file, change) in sheet.of(Role::Template) {
        let text = |side: &Option<crate::domain::diff::File>| {
            side.as_ref().and_then(super::source::text).map(mentioned)
        };
        let old = text(&change.from).unwrap_or_default();
        let new = text(&change.to).unwrap_or_default();
        let path = change.path();
        let (danger, why) = match (old.is_empty(), new.is_empty()) {
            (true, true) => continue,
            (true, false) => (weight(&new), format!("{path} is a hook now: {}", when(&named(&new)))),
            (false, true) if change.change == Change::Removed => {
                (Danger::Low, format!("{path}, a hook ({}), is gone", named(&old)))
            }
            (false, true) => (Danger::Medium, format!("{path} is no longer a hook ({})", named(&old))),
            (false, false) if old != new && named(&old) == named(&new) => {
                (weight(&new), format!("{path}: the template expression of the hook changes"))
            }
            (false, false) if old != new => {
                (weight(&new), format!("{path}: hook {} → {}", named(&old), named(&new)))
            }
            // `helm test` runs them; an upgrade does not
            (false, false) if weight(&new) == Danger::Low => {
                tests.push((file, path));
                continue;
            }
            (false, false) => (weight(&new), format!("{path}, a hook, changes: {}", when(&named(&new)))),
        };
        let at = Place::File { file, line: None };
        said.push(Impact { danger, what: What::HookChanged, object: None, why, at });
    }
    if let Some((file, _)) = tests.first() {
        let paths: Vec<&str> = tests.iter().map(|(_, path)| *path).collect();
        let why = format!("{} changed: {}", count(tests.len(), "test hook"), some(&paths, 3));
        let at = Place::File { file: *file, line: None };
        said.push(Impact { danger: Danger::Low, what: What::HookChanged, object: None, why, at });
    }
}

/// What the template says itself; what an expression makes of it is known when it is rendered.
fn named(hook: &str) -> String {
    if hook.contains("{{") { "templated".to_owned() } else { hook.to_owned() }
}

/// What the lines of a template say of hooks, in their order, each once.
fn mentioned(text: &str) -> String {
    let mut found: Vec<&str> = Vec::new();
    for line in text.lines() {
        let line = line.trim().trim_start_matches(['"', '\'']);
        let Some(rest) = line.strip_prefix(HOOK) else { continue };
        let rest = rest.trim_start_matches(['"', '\'']);
        if let Some(value) = rest.trim_start().strip_prefix(':') {
            let value = value.trim().trim_matches(['"', '\'']);
            if !found.contains(&value) {
                found.push(value);
            }
        }
    }
    found.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        impact::{pair::tests::said, tests::files},
        lens::Lens,
    };

    #[test]
    fn hooks_of_rendered_objects_are_said() {
        let job = |hook: &str, image: &str| {
            let hook = if hook.is_empty() { String::new() } else { format!("helm.sh/hook: '{hook}'") };
            format!(
                "{{apiVersion: batch/v1, kind: Job, metadata: {{name: a, annotations: {{{hook}}}}}, i: {image}}}"
            )
        };
        let check =
            |from: &str, to: &str, want: &str| assert_eq!(said(judge, &Lens::Whole, from, to), [want]);
        check(
            "",
            &job("pre-upgrade,pre-install", "a"),
            "medium hook-changed: a new hook: pre-upgrade,pre-install; if it fails the upgrade stops",
        );
        check("", &job("test", "a"), "low hook-changed: a new hook: test");
        check(&job("post-upgrade", "a"), "", "low hook-changed: the hook is gone: post-upgrade");
        check(
            &job("post-upgrade", "a"),
            &job("post-upgrade", "b"),
            "medium hook-changed: the hook changes: post-upgrade",
        );
        check(
            &job("post-upgrade", "a"),
            &job("pre-upgrade", "a"),
            "medium hook-changed: hook post-upgrade → pre-upgrade",
        );
        check(
            &job("post-upgrade", "a"),
            &job("", "a"),
            "medium hook-changed: is no longer a hook (post-upgrade): it is applied with the others",
        );
        assert_eq!(said(judge, &Lens::Whole, &job("", "a"), &job("", "b")), [""; 0]);
    }

    #[test]
    fn hooks_of_templates_are_said() {
        let template = |hook: &str| {
            format!(
                "metadata:\n  annotations:\n    \"helm.sh/hook\": {hook}\n    helm.sh/hook-weight: \"1\"\n"
            )
        };
        let diff = files(&[
            ("a/templates/tests/t.yaml", Role::Template, "", &template("test-success")),
            ("a/templates/job.yaml", Role::Template, &template("post-upgrade"), &template("pre-upgrade")),
            ("a/templates/plain.yaml", Role::Template, "a: b", "a: c"),
            ("a/templates/own.yaml", Role::Template, "", &template("{{ $hookType }}")),
            ("a/templates/other.yaml", Role::Template, &template("{{ .a }}"), &template("{{ .b }}")),
            ("a/templates/now.yaml", Role::Template, &template("post-upgrade"), &template("{{ .b }}")),
            ("a/templates/tests/u.yaml", Role::Template, &template("test"), &(template("test") + "a: b")),
        ]);
        let mut said = Vec::new();
        judge_templates(&Sheet::new(&diff), &mut said);
        let said: Vec<String> = said.iter().map(crate::domain::impact::pair::tests::words).collect();
        assert_eq!(
            said,
            [
                "low hook-changed: a/templates/tests/t.yaml is a hook now: test-success",
                "medium hook-changed: a/templates/job.yaml: hook post-upgrade → pre-upgrade",
                "medium hook-changed: a/templates/own.yaml is a hook now: templated",
                "medium hook-changed: a/templates/other.yaml: the template expression of the hook changes",
                "medium hook-changed: a/templates/now.yaml: hook post-upgrade → templated",
                "low hook-changed: 1 test hook changed: a/templates/tests/u.yaml",
            ]
        );
    }
}
