//! Defaults of a chart (`values.yaml`) and the values that a release sets itself: which stay, which are taken, which the
//! chart no longer knows. It never quotes what the release sets: that may come from a Secret.

use super::{
    Danger, Impact, Place, What, chart, images,
    pair::get,
    source::{self, Sheet, folder, join, read},
    words::{quote, some, type_word},
};
use crate::domain::{
    diff::FileChange,
    lens::{Lens, ReleaseLens, ValuesState},
    object::{Dialect, Role},
};
use serde_json::{Map, Value};

/// Said one by one; more are said together.
const SINGLE: usize = 8;

/// Paths named in one sentence.
const NAMED: usize = 5;

/// One default that is another, or is there on one side only.
struct Leaf<'a> {
    path: Vec<&'a str>,
    from: Option<&'a Value>,
    to: Option<&'a Value>,
}

/// The defaults of one chart, and what is set over them.
struct Defaults<'a> {
    old: &'a Value,
    new: &'a Value,
    user: Option<&'a Value>,
    /// Names whose values go to other charts: what is under them is not all known here.
    handed_on: &'a [String],
    /// Where the values of a carried chart stand in those of its carrier.
    prefix: Option<&'a str>,
    /// Behind every sentence that a value which was not read could change.
    doubt: &'static str,
    file: usize,
    text: &'a str,
}

pub(super) fn judge(sheet: &Sheet<'_>, is_built: bool, lens: &Lens, said: &mut Vec<Impact>) {
    let release = match lens {
        Lens::Release(release) => Some(&**release),
        Lens::Whole | Lens::Kustomization(_) => None,
    };
    let mut first = None;
    for (file, change) in sheet.of(Role::Values) {
        if change.path().rsplit('/').next() != Some("values.yaml") {
            continue;
        }
        first.get_or_insert(file);
        of_file(sheet, file, change, release, is_built, lens.is_blind(), said);
    }
    if let Some(file) =
        first.or_else(|| sheet.of(Role::Chart).chain(sheet.of(Role::Template)).map(|(at, _)| at).next())
    {
        said.extend(release.and_then(|release| not_read(release, file)));
    }
}

fn impact(danger: Danger, what: What, why: String, file: usize, line: Option<usize>) -> Impact {
    Impact { danger, what, object: None, why, at: Place::File { file, line } }
}

fn not_read(release: &ReleaseLens, file: usize) -> Option<Impact> {
    let unread: Vec<String> = release
        .values_from
        .iter()
        .filter(|from| matches!(from.state, ValuesState::NotRead | ValuesState::Failed(_)))
        .map(|from| format!("{:?} {}", from.kind, from.name))
        .collect();
    if unread.is_empty() {
        return None;
    }
    let why = format!("valuesFrom not read: {}; they may override any default", some(&unread, 3));
    Some(impact(Danger::Medium, What::ValuesNotRead, why, file, None))
}

fn of_file(
    sheet: &Sheet<'_>,
    file: usize,
    change: &FileChange,
    release: Option<&ReleaseLens>,
    is_built: bool,
    is_blind: bool,
    said: &mut Vec<Impact>,
) {
    let (Some(old), Some(new)) = (defaults(change.from.as_ref()), defaults(change.to.as_ref())) else {
        return;
    };
    let home = folder(change.path());
    let carrier = sheet.carrier(home);
    let handed_on = chart::handed_on(sheet, home);
    let prefix = carrier.map(|(_, name)| name);
    let user = release.map(|release| &release.values);
    let user = prefix.map_or(user, |prefix| user.and_then(|user| get(user, &[prefix])));
    // a release that sets nothing still takes the defaults
    let nothing = Value::Object(Map::new());
    let defaults = Defaults {
        old: &old,
        new: &new,
        user: release.map(|_| user.unwrap_or(&nothing)),
        handed_on: &handed_on,
        prefix,
        doubt: if is_blind { " (valuesFrom not read)" } else { "" },
        file,
        text: change.to.as_ref().and_then(source::text).unwrap_or_default(),
    };
    let own = carrier.map(|(above, name)| (join(above, "values.yaml"), name));
    let above = own.and_then(|(path, name)| {
        let (_, change) = sheet.named(&path)?;
        get(&read(change.to.as_ref(), Dialect::Helm)?, &[name]).cloned()
    });
    defaults.judge(is_built, above.as_ref(), said);
}

fn defaults(file: Option<&crate::domain::diff::File>) -> Option<Value> {
    match file {
        None => Some(Value::Object(Map::new())),
        Some(file) => match read(Some(file), Dialect::Helm) {
            Some(value) if value.is_object() => Some(value),
            Some(Value::Null) => Some(Value::Object(Map::new())),
            Some(_) => None,
            // nothing but comments
            None => source::text(file)
                .filter(|text| {
                    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
                })
                .map(|_| Value::Object(Map::new())),
        },
    }
}

/// Every place where the two differ, as high up as one side has something else than a map.
fn leaves<'a>(old: &'a Value, new: &'a Value) -> Vec<Leaf<'a>> {
    let mut found = Vec::new();
    walk(Some(old), Some(new), &mut Vec::new(), &mut found);
    found
}

fn walk<'a>(
    from: Option<&'a Value>,
    to: Option<&'a Value>,
    path: &mut Vec<&'a str>,
    found: &mut Vec<Leaf<'a>>,
) {
    let (from, to) = (from.filter(|value| !value.is_null()), to.filter(|value| !value.is_null()));
    if from == to {
        return;
    }
    let (Some(Value::Object(old)), Some(Value::Object(new))) = (from, to) else {
        found.push(Leaf { path: path.clone(), from, to });
        return;
    };
    let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
    for key in keys {
        path.push(key);
        walk(old.get(key), new.get(key), path, found);
        path.pop();
    }
}

/// What the release sets at a path.
enum Set<'a> {
    Nothing,
    /// There, or a null or another scalar above it.
    Value(&'a Value),
}

impl<'a> Defaults<'a> {
    fn judge(&self, is_built: bool, above: Option<&Value>, said: &mut Vec<Impact>) {
        let mut leaves = leaves(self.old, self.new);
        // the carrier's own default wins over the carried chart's
        leaves.retain(|leaf| above.is_none_or(|above| matches!(set_at(above, &leaf.path), Set::Nothing)));
        if !is_built {
            self.images(&mut leaves, said);
        }
        let mut groups = Groups::default();
        for leaf in &leaves {
            self.one(leaf, &mut groups, said);
        }
        self.together(&groups, said);
    }

    fn one<'l>(&self, leaf: &'l Leaf<'a>, groups: &mut Groups<'l, 'a>, said: &mut Vec<Impact>) {
        let name = self.name(leaf);
        let set = self.user.map_or(Set::Nothing, |user| set_at(user, &leaf.path));
        match (set, leaf.from, leaf.to) {
            (Set::Value(own), from, Some(to)) if shape(own) != shape(to) && !own.is_null() => {
                let now = if from.is_none_or(|from| shape(from) == shape(to)) { "is" } else { "is now" };
                let why = format!(
                    "your value for {name} is {}, the default {now} {}",
                    type_word(own),
                    type_word(to)
                );
                said.push(self.say(Danger::High, What::ValueType, leaf, why));
            }
            (Set::Value(own), Some(from), Some(to)) if kind(own) != kind(to) && kind(own) == kind(from) => {
                let why = format!(
                    "your value for {name} is {}, the default is now {}",
                    type_word(own),
                    type_word(to)
                );
                said.push(self.say(Danger::Medium, What::ValueType, leaf, why));
            }
            (Set::Value(_), _, Some(_)) => groups.overridden.push(leaf),
            (Set::Value(_), Some(_), None) if self.is_closed(&leaf.path) => {
                let why =
                    format!("your value for {name} is unknown now: the chart's values.yaml no longer has it");
                said.push(self.say(Danger::Medium, What::ValueUnknown, leaf, why));
            }
            (Set::Value(_), _, None) => groups.overridden.push(leaf),
            (Set::Nothing, Some(from), Some(to)) if shape(from) != shape(to) => {
                let why = format!("default {name} was {} and is {}", type_word(from), type_word(to));
                said.push(self.say(Danger::Medium, What::DefaultChanged, leaf, why));
            }
            (Set::Nothing, Some(_), Some(_)) => groups.changed.push(leaf),
            (Set::Nothing, None, _) => groups.added.push(leaf),
            (Set::Nothing, Some(_), None) => groups.gone.push(leaf),
        }
    }

    fn together(&self, groups: &Groups<'_, 'a>, said: &mut Vec<Impact>) {
        let (single, rest) = groups.changed.split_at(groups.changed.len().min(SINGLE));
        for leaf in single {
            let name = self.name(leaf);
            let why = format!("default {name} {} → {}", shown(leaf, leaf.from), shown(leaf, leaf.to));
            said.push(self.say(Danger::Medium, What::DefaultChanged, leaf, why));
        }
        let (own, others) = groups.overridden.split_at(groups.overridden.len().min(SINGLE));
        for leaf in own {
            let name = self.name(leaf);
            let was = format!("{} → {}", shown(leaf, leaf.from), shown(leaf, leaf.to));
            let why = format!("your value for {name} stays; its default {was}");
            said.push(self.say(Danger::Low, What::DefaultOverridden, leaf, why));
        }
        for (leaves, danger, what, word) in [
            (rest, Danger::Medium, What::DefaultChanged, "more defaults change"),
            (
                others,
                Danger::Low,
                What::DefaultOverridden,
                "more of your values stay while their defaults change",
            ),
            (&groups.added[..], Danger::Low, What::DefaultChanged, "new defaults"),
            (&groups.gone[..], Danger::Low, What::DefaultChanged, "defaults gone"),
        ] {
            let Some(first) = leaves.first() else { continue };
            let names: Vec<String> = leaves.iter().map(|leaf| self.name(leaf)).collect();
            said.push(self.say(danger, what, first, format!("{word}: {}", some(&names, NAMED))));
        }
    }

    fn say(&self, danger: Danger, what: What, leaf: &Leaf<'_>, why: String) -> Impact {
        let line = source::line(self.text, &leaf.path);
        impact(danger, what, format!("{why}{}", self.doubt), self.file, line)
    }

    fn name(&self, leaf: &Leaf<'_>) -> String {
        let path: Vec<&str> = self.prefix.into_iter().chain(leaf.path.iter().copied()).collect();
        dotted(&path)
    }

    /// The chart says what may stand there: what it does not name, it does not read. Maps that are empty, or whose keys
    /// are the user's own, take anything.
    fn is_closed(&self, path: &[&str]) -> bool {
        const OPEN: [&str; 7] = ["annotations", "labels", "selector", "env", "config", "extra", "data"];
        let handed = path
            .first()
            .is_some_and(|first| path.len() > 1 && self.handed_on.iter().any(|name| name == first));
        let above = path.len().saturating_sub(1);
        let is_own = path[..above].iter().any(|name| {
            let name = name.to_lowercase();
            OPEN.iter().any(|open| name.ends_with(open))
        });
        if handed || is_own {
            return false;
        }
        let mut at = self.new;
        for name in &path[..above] {
            match at.get(name) {
                Some(Value::Object(map)) if map.is_empty() => return false,
                Some(Value::Null) => return false,
                Some(next) => at = next,
                None => break,
            }
        }
        at.as_object().is_some_and(|map| !map.is_empty())
    }

    /// Images that are said as such, and their leaves are taken out.
    fn images(&self, leaves: &mut Vec<Leaf<'a>>, said: &mut Vec<Impact>) {
        const PARTS: [&str; 4] = ["registry", "repository", "tag", "digest"];
        let mut done: Vec<Vec<&str>> = Vec::new();
        let is_part = |leaf: &Leaf<'_>| leaf.path.last().is_some_and(|last| PARTS.contains(last));
        let parents: Vec<Vec<&str>> = leaves
            .iter()
            .filter(|leaf| is_part(leaf))
            .map(|leaf| leaf.path[..leaf.path.len() - 1].to_vec())
            .collect();
        for parent in parents {
            if done.contains(&parent) {
                continue;
            }
            done.push(parent.clone());
            let (Some(old), Some(new)) = (self.image(self.old, &parent), self.image(self.new, &parent))
            else {
                continue;
            };
            let Some((danger, words)) = images::changed(&old, &new) else { continue };
            let is_set = |leaf: &Leaf<'_>| {
                self.user.is_some_and(|user| matches!(set_at(user, &leaf.path), Set::Value(_)))
            };
            let Some(first) =
                leaves.iter().find(|leaf| is_part(leaf) && leaf.path.starts_with(&parent) && !is_set(leaf))
            else {
                continue;
            };
            let why = format!(
                "default {}: {words}",
                self.name(&Leaf { path: parent.clone(), from: None, to: None })
            );
            said.push(self.say(danger, What::ImageChanged, first, why));
            leaves.retain(|leaf| {
                !(is_part(leaf)
                    && leaf.path.len() == parent.len() + 1
                    && leaf.path.starts_with(&parent)
                    && !is_set(leaf))
            });
        }
    }

    /// `registry/repository:tag@digest`, where the defaults say a version.
    fn image(&self, side: &Value, parent: &[&str]) -> Option<String> {
        let of = get(side, parent)?;
        let word = |field: &str| {
            let text = get(of, &[field])
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            text.filter(|text| !text.is_empty())
        };
        // what the release sets itself may be secret, so it is not part of the sentence
        let (tag, digest) = (word("tag"), word("digest"));
        if tag.is_none() && digest.is_none() {
            return None;
        }
        let registry = word("registry").map_or_else(String::new, |registry| format!("{registry}/"));
        let tag = tag.map_or_else(String::new, |tag| format!(":{tag}"));
        let digest = digest.map_or_else(String::new, |digest| format!("@{digest}"));
        Some(format!("{registry}{}{tag}{digest}", word("repository")?))
    }
}

#[derive(Default)]
struct Groups<'l, 'a> {
    overridden: Vec<&'l Leaf<'a>>,
    changed: Vec<&'l Leaf<'a>>,
    added: Vec<&'l Leaf<'a>>,
    gone: Vec<&'l Leaf<'a>>,
}

fn set_at<'a>(user: &'a Value, path: &[&str]) -> Set<'a> {
    let mut at = user;
    for name in path {
        match at {
            Value::Object(map) => match map.get(*name) {
                Some(next) => at = next,
                None => return Set::Nothing,
            },
            above => return Set::Value(above),
        }
    }
    match at {
        // merged over the default, it changes nothing
        Value::Object(map) if map.is_empty() => Set::Nothing,
        own => Set::Value(own),
    }
}

/// A default in a sentence; of one that is named like a secret nothing.
fn shown(leaf: &Leaf<'_>, value: Option<&Value>) -> String {
    let name = leaf.path.last().map(|name| name.to_lowercase()).unwrap_or_default();
    let is_secret =
        ["password", "secret", "token", "apikey", "privatekey"].iter().any(|word| name.ends_with(word));
    match value {
        Some(Value::String(text)) if is_secret && !text.is_empty() => {
            crate::domain::secret::HIDDEN.to_owned()
        }
        value => quote(value),
    }
}

/// A path as Helm's `--set` writes it.
pub(super) fn dotted(path: &[&str]) -> String {
    path.iter().map(|name| name.replace('.', "\\.")).collect::<Vec<_>>().join(".")
}

/// Map, list or scalar: what Helm cannot merge with one another.
const fn shape(value: &Value) -> u8 {
    match value {
        Value::Object(_) => 0,
        Value::Array(_) => 1,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 2,
    }
}

fn kind(value: &Value) -> std::mem::Discriminant<Value> {
    std::mem::discriminant(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::impact::{
        pair::tests::words,
        tests::{blind, files, release},
    };

    fn check(lens: &Lens, from: &str, to: &str, want: &[&str]) {
        let diff = files(&[
            ("a/values.yaml", Role::Values, from, to),
            ("a/Chart.yaml", Role::Chart, "name: a", "name: a\ndependencies: [{name: redis}]"),
        ]);
        let mut said = Vec::new();
        judge(&Sheet::new(&diff), false, lens, &mut said);
        assert_eq!(said.iter().map(words).collect::<Vec<_>>(), want, "{from} → {to}");
    }

    #[test]
    fn without_a_release_every_default_counts() {
        check(
            &Lens::Whole,
            "a: 1\nb: {c: x}",
            "a: 2\nb: {c: x, d: y}",
            &["medium default-changed: default a 1 → 2", "low default-changed: new defaults: b.d"],
        );
        check(&Lens::Whole, "a: 1", "a: 1", &[]);
        check(
            &Lens::Whole,
            "adminPassword: old",
            "adminPassword: new",
            &["medium default-changed: default adminPassword (hidden) → (hidden)"],
        );
    }

    #[test]
    fn what_the_release_sets_stays() {
        check(
            &release("{a: mine}"),
            "a: x\nb: x",
            "a: z\nb: z",
            &[
                "medium default-changed: default b x → z",
                "low default-overridden: your value for a stays; its default x → z",
            ],
        );
        check(&release("{a: {}}"), "a: {b: 1}", "a: {b: 2}", &["medium default-changed: default a.b 1 → 2"]);
        check(
            &release("{a: null}"),
            "a: {b: 1}",
            "a: {b: 2}",
            &["low default-overridden: your value for a.b stays; its default 1 → 2"],
        );
    }

    #[test]
    fn what_the_chart_no_longer_has_is_unknown() {
        let unknown = |path: &str| {
            format!(
                "medium value-unknown: your value for {path} is unknown now: the chart's values.yaml no longer has it"
            )
        };
        check(&release("{a: {b: 5}}"), "a: {b: 1, c: 2}", "a: {c: 2}", &[&unknown("a.b")]);
        check(&release("{a: {b: 5}}"), "a: {b: 1}\nx: 1", "x: 1", &[&unknown("a")]);
        // an empty map takes anything
        check(
            &release("{resources: {limits: 5}}"),
            "resources: {limits: 1}",
            "resources: {}",
            &["low default-overridden: your value for resources.limits stays; its default 1 → not set"],
        );
        check(
            &release("{podAnnotations: {x: 5}}"),
            "podAnnotations: {x: 1, y: 1}",
            "podAnnotations: {y: 1}",
            &["low default-overridden: your value for podAnnotations.x stays; its default 1 → not set"],
        );
        check(
            &release("{redis: {x: 5}}"),
            "redis: {x: 1, y: 1}",
            "redis: {y: 1}",
            &["low default-overridden: your value for redis.x stays; its default 1 → not set"],
        );
        check(&release("{}"), "a: 1\nb: 1", "b: 1", &["low default-changed: defaults gone: a"]);
    }

    #[test]
    fn a_value_of_another_shape_is_high() {
        check(
            &release("{a: s3cr3t}"),
            "a: x",
            "a: {b: x}",
            &["high value-type: your value for a is a string, the default is now a map"],
        );
        check(
            &release("{a: {b: s3cr3t}}"),
            "a: {b: x}",
            "a: x",
            &["high value-type: your value for a is a map, the default is now a string"],
        );
        check(
            &release("{a: {b: 5}}"),
            "b: 1",
            "a: x\nb: 1",
            &["high value-type: your value for a is a map, the default is a string"],
        );
        check(
            &release("{a: '5'}"),
            "a: '1'",
            "a: 1",
            &["medium value-type: your value for a is a string, the default is now a number"],
        );
    }

    #[test]
    fn many_are_said_together() {
        let values = |value: &str| (0..20).map(|i| format!("k{i:02}: {value}\n")).collect::<String>();
        let mut want: Vec<String> =
            (0..8).map(|i| format!("medium default-changed: default k{i:02} a → b")).collect();
        want.push(
            "medium default-changed: more defaults change: k08, k09, k10, k11, k12 and 7 more".to_owned(),
        );
        let want: Vec<&str> = want.iter().map(String::as_str).collect();
        check(&Lens::Whole, &values("a"), &values("b"), &want);
    }

    #[test]
    fn images_of_defaults_are_said_as_images() {
        let values = |tag: &str| format!("image: {{repository: ghcr.io/x/podinfo, tag: {tag}}}");
        check(
            &Lens::Whole,
            &values("6.9.1"),
            &values("6.9.4"),
            &["medium image-changed: default image: ghcr.io/x/podinfo 6.9.1 → 6.9.4"],
        );
        check(
            &release("{image: {tag: mine}}"),
            &values("6.9.1"),
            &values("6.9.4"),
            &["low default-overridden: your value for image.tag stays; its default 6.9.1 → 6.9.4"],
        );
        check(
            &Lens::Whole,
            "image: {repository: a, tag: ''}",
            "image: {repository: b, tag: ''}",
            &["medium default-changed: default image.repository a → b"],
        );
    }

    #[test]
    fn what_was_not_read_is_said_with_every_verdict() {
        check(
            &blind("{}"),
            "a: 1",
            "a: 2",
            &[
                "medium default-changed: default a 1 → 2 (valuesFrom not read)",
                "medium values-not-read: valuesFrom not read: Secret own-values; they may override any default",
            ],
        );
    }

    #[test]
    fn values_of_a_carried_chart_stand_under_its_name() {
        let diff = files(&[
            ("a/Chart.yaml", Role::Chart, "name: a", "name: a\nversion: 1.0.1"),
            ("a/charts/redis/values.yaml", Role::Values, "size: 1\nother: 1", "size: 2\nother: 2"),
        ]);
        let mut said = Vec::new();
        judge(&Sheet::new(&diff), false, &release("{redis: {size: 5}}"), &mut said);
        assert_eq!(
            said.iter().map(words).collect::<Vec<_>>(),
            [
                "medium default-changed: default redis.other 1 → 2",
                "low default-overridden: your value for redis.size stays; its default 1 → 2",
            ]
        );
    }
}
