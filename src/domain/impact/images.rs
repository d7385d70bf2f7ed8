//! What containers run, by tag and digest, wherever a pod is described. It asks no registry what a tag names.

use super::{
    Danger, Impact, What,
    pair::{Pair, get, text, whole_list},
};
use crate::domain::{upgrade::Distance, version::Version};
use serde_json::Value;
use std::collections::HashMap;

/// Where a pod may stand in an object.
const PODS: [&[&str]; 4] = [
    &["spec", "jobTemplate", "spec", "template", "spec"],
    &["spec", "template", "spec"],
    &["template", "spec"],
    &["spec"],
];

const CONTAINERS: [(&str, &str); 3] = [
    ("containers", "container"),
    ("initContainers", "init container"),
    ("ephemeralContainers", "ephemeral container"),
];

/// A container of a pod, with the way to it.
pub(super) struct Container<'a> {
    pub(super) word: &'static str,
    pub(super) name: &'a str,
    pub(super) value: &'a Value,
    pub(super) path: Vec<&'a str>,
}

/// The pod that an object describes, and the way to it.
pub(super) fn pod(object: &Value) -> Option<(&'static [&'static str], &Value)> {
    PODS.iter().find_map(|path| {
        let pod = get(object, path)?;
        CONTAINERS
            .iter()
            .any(|(field, _)| pod.get(field).is_some_and(Value::is_array))
            .then_some((*path, pod))
    })
}

pub(super) fn containers(object: &Value) -> Vec<Container<'_>> {
    let Some((path, pod)) = pod(object) else { return Vec::new() };
    let mut found = Vec::new();
    for (field, word) in CONTAINERS {
        let all = whole_list(pod, &[field]);
        found.extend(all.iter().filter_map(|value| {
            let name = text(value, &["name"])?;
            Some(Container { word, name, value, path: [path, &[field, name]].concat() })
        }));
    }
    found
}

/// However many there are: what is not looked up would be called gone.
pub(super) fn by_name<'a, 'b>(
    containers: &'b [Container<'a>],
) -> HashMap<(&'static str, &'a str), &'b Container<'a>> {
    let mut known = HashMap::new();
    for container in containers {
        known.entry((container.word, container.name)).or_insert(container);
    }
    known
}

pub(super) fn judge(pair: &Pair<'_>, said: &mut Vec<Impact>) {
    let Some((from, to)) = pair.both() else { return };
    let (before, after) = (containers(from), containers(to));
    let (known, kept) = (by_name(&before), by_name(&after));
    for new in &after {
        let path = [&new.path[..], &["image"]].concat();
        let image = text(new.value, &["image"]).unwrap_or_default();
        let Some(old) = known.get(&(new.word, new.name)) else {
            let danger = if before.is_empty() { continue } else { Danger::Medium };
            said.push(pair.say(
                danger,
                What::ImageChanged,
                &new.path,
                format!("new {} {}: {image}", new.word, new.name),
            ));
            continue;
        };
        if let Some((danger, words)) = changed(text(old.value, &["image"]).unwrap_or_default(), image) {
            said.push(pair.say(
                danger,
                What::ImageChanged,
                &path,
                format!("{} {}: {words}", new.word, new.name),
            ));
        }
    }
    for old in before.iter().filter(|old| !kept.contains_key(&(old.word, old.name))) {
        if after.is_empty() {
            break;
        }
        let why = format!("{} {} is gone", old.word, old.name);
        said.push(pair.say(Danger::Medium, What::ImageChanged, &old.path, why));
    }
    said.extend(single(pair, from, to));
}

/// A custom resource that names what its controller runs, maybe beside containers of its own (`Prometheus`).
fn single(pair: &Pair<'_>, from: &Value, to: &Value) -> Option<Impact> {
    let path = ["spec", "image"];
    let (danger, words) = changed(text(from, &path)?, text(to, &path)?)?;
    Some(pair.say(danger, What::ImageChanged, &path, words))
}

/// A reference as a runtime reads it.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
struct Image<'a> {
    registry: &'a str,
    repository: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

impl<'a> Image<'a> {
    fn parse(text: &'a str) -> Self {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (registry, repository) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => ("docker.io", name),
        };
        let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
        let repository =
            repository.strip_prefix("library/").filter(|_| registry == "docker.io").unwrap_or(repository);
        Self { registry, repository, tag, digest }
    }

    /// Without tag and digest: `latest`.
    fn version(&self) -> String {
        match (self.tag, self.digest.map(short)) {
            (Some(tag), Some(digest)) => format!("{tag}@{digest}"),
            (Some(tag), None) => tag.to_owned(),
            (None, Some(digest)) => digest,
            (None, None) => "latest".to_owned(),
        }
    }

    fn is_floating(&self) -> bool {
        self.digest.is_none() && matches!(self.tag, None | Some("latest"))
    }
}

/// `sha256:` and twelve digits.
fn short(digest: &str) -> String {
    let end = digest.find(':').map_or(12, |colon| colon + 13);
    digest.chars().take(end).collect()
}

/// How one image replaces another; None: they are the same.
pub(super) fn changed(from: &str, to: &str) -> Option<(Danger, String)> {
    if from == to {
        return None;
    }
    let (old, new) = (Image::parse(from), Image::parse(to));
    if old == new {
        return None;
    }
    if from.is_empty() || to.is_empty() {
        let word = |image: &str| if image.is_empty() { "none".to_owned() } else { image.to_owned() };
        return Some((Danger::Medium, format!("{} → {}", word(from), word(to))));
    }
    if (old.registry, old.repository) != (new.registry, new.repository) {
        let what = if old.registry == new.registry { "another repository" } else { "another registry" };
        let full = |image: Image<'_>| format!("{}/{} {}", image.registry, image.repository, image.version());
        return Some((Danger::High, format!("from {what}: {} → {}", full(old), full(new))));
    }
    let written = to.split('@').next().unwrap_or(to);
    let name =
        new.tag.and_then(|tag| written.strip_suffix(tag)).map_or(written, |name| name.trim_end_matches(':'));
    let (danger, note) = note(old, new);
    let note = note.map_or_else(String::new, |note| format!(", {note}"));
    Some((danger, format!("{name} {} → {}{note}", old.version(), new.version())))
}

/// What is odd about another version of the same repository.
fn note(old: Image<'_>, new: Image<'_>) -> (Danger, Option<&'static str>) {
    if new.is_floating() {
        return (Danger::Medium, Some("whatever that names when a pod starts"));
    }
    if old.tag == new.tag {
        return match (old.digest, new.digest) {
            (Some(_), Some(_)) => (Danger::Medium, Some("another content of the same tag")),
            (None, Some(_)) => (Danger::Low, Some("now pinned by digest")),
            (_, None) => (Danger::Medium, Some("no longer pinned by digest")),
        };
    }
    // a bare number may count builds
    let version = |image: Image<'_>| Version::parse(image.tag.filter(|tag| tag.contains('.'))?).ok();
    match (version(old), version(new)) {
        (Some(old), Some(new)) if new < old => (Danger::High, Some("a downgrade")),
        (Some(old), Some(new)) if Distance::between(&old, &new) == Distance::Major => {
            (Danger::Medium, Some("a major version"))
        }
        _ => (Danger::Medium, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{impact::pair::tests::said, lens::Lens};

    #[test]
    fn images_are_compared_by_their_parts() {
        let check = |from: &str, to: &str, want: &str| {
            let said = changed(from, to).map(|(danger, words)| format!("{} {words}", danger.word()));
            assert_eq!(said.as_deref().unwrap_or_default(), want, "{from} → {to}");
        };
        let digest = |c: char| format!("sha256:{}", c.to_string().repeat(64));
        check("ghcr.io/x/podinfo:6.9.1", "ghcr.io/x/podinfo:6.9.1", "");
        check("ghcr.io/x/podinfo:6.9.1", "ghcr.io/x/podinfo:6.9.4", "medium ghcr.io/x/podinfo 6.9.1 → 6.9.4");
        check("nginx:1.27", "docker.io/library/nginx:1.27", "");
        check("nginx:1.27", "nginx:1.26", "high nginx 1.27 → 1.26, a downgrade");
        check("a/b:1.9.0", "a/b:2.0.0", "medium a/b 1.9.0 → 2.0.0, a major version");
        check("a/b:1", "quay.io/a/b:1", "high from another registry: docker.io/a/b 1 → quay.io/a/b 1");
        check("q.io/a/b:1", "q.io/a/c:1", "high from another repository: q.io/a/b 1 → q.io/a/c 1");
        check(
            "localhost:5000/b:1",
            "localhost:5000/b",
            "medium localhost:5000/b 1 → latest, whatever that names when a pod starts",
        );
        let tag = |digest: &str| format!("q.io/a:1.0@{digest}");
        check(
            &tag(&digest('a')),
            &tag(&digest('b')),
            "medium q.io/a 1.0@sha256:aaaaaaaaaaaa → 1.0@sha256:bbbbbbbbbbbb, another content of the same tag",
        );
        check(
            "q.io/a:1.0",
            &tag(&digest('a')),
            "low q.io/a 1.0 → 1.0@sha256:aaaaaaaaaaaa, now pinned by digest",
        );
        check(
            &tag(&digest('a')),
            "q.io/a:1.0",
            "medium q.io/a 1.0@sha256:aaaaaaaaaaaa → 1.0, no longer pinned by digest",
        );
        check("q.io/a:1.0", &format!("q.io/a@{}", digest('a')), "medium q.io/a 1.0 → sha256:aaaaaaaaaaaa");
    }

    #[test]
    fn every_container_of_every_shape_is_found() {
        let check = |shape: &str, want: &[&str]| {
            let object =
                |image: &str| format!("{{apiVersion: x/v1, kind: X, {}}}", shape.replace("IMAGE", image));
            assert_eq!(said(judge, &Lens::Whole, &object("a:1"), &object("a:2")), want, "{shape}");
        };
        let main = "medium image-changed: container main: a 1 → 2";
        check("spec: {containers: [{name: main, image: 'IMAGE'}]}", &[main]);
        check("spec: {template: {spec: {containers: [{name: main, image: 'IMAGE'}]}}}", &[main]);
        check(
            "spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: main, image: 'IMAGE'}]}}}}}",
            &[main],
        );
        check("template: {spec: {containers: [{name: main, image: 'IMAGE'}]}}", &[main]);
        check(
            "spec: {template: {spec: {containers: [{name: main, image: 'a:1'}], initContainers: [{name: up, image: 'IMAGE'}], ephemeralContainers: [{name: debug, image: 'IMAGE'}]}}}",
            &[
                "medium image-changed: init container up: a 1 → 2",
                "medium image-changed: ephemeral container debug: a 1 → 2",
            ],
        );
        check("spec: {image: 'IMAGE'}", &["medium image-changed: a 1 → 2"]);
        check(
            "spec: {image: 'IMAGE', containers: [{name: main, args: [a]}]}",
            &["medium image-changed: a 1 → 2"],
        );
        check("data: {image: 'IMAGE'}", &[]);
    }

    #[test]
    fn none_of_many_containers_is_called_gone_for_where_it_stands() {
        let pod = |numbers: &mut dyn Iterator<Item = u32>| {
            let all: Vec<String> = numbers.map(|number| format!("{{name: c{number}, image: i}}")).collect();
            format!("{{apiVersion: v1, kind: Pod, spec: {{containers: [{}]}}}}", all.join(", "))
        };
        assert!(said(judge, &Lens::Whole, &pod(&mut (0..5_000)), &pod(&mut (0..5_000).rev())).is_empty());
    }

    #[test]
    fn containers_that_come_and_go_are_said() {
        let pod = |name: &str| {
            format!(
                "{{apiVersion: v1, kind: Pod, spec: {{containers: [{{name: a, image: i}}, {{name: {name}, image: j}}]}}}}"
            )
        };
        assert_eq!(
            said(judge, &Lens::Whole, &pod("b"), &pod("c")),
            ["medium image-changed: new container c: j", "medium image-changed: container b is gone",]
        );
    }
}
