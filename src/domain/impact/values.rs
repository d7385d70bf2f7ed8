//! Defaults of a chart (`values.yaml`) and the values that a release sets itself: which stay, which are taken, which the
//! chart no longer knows. It never quotes what the release sets: that may come from a Secret.

use super::{
    Danger, Impact, Place, UNREAD, What, chart, images,
    pair::get,
    source::{self, Sheet, folder, join, read},
    words::{quote, some, type_word},
};
use crate::domain::{
    diff::FileChange,
    lens::{Lens, ReleaseLens, is_values_file},
    object::{Dialect, Role},
    secret,
};
use serde_json::{Map, Value};

/// Said one by one; more are said together.
const SINGLE: usize = 8;

/// Images that are said as such; of more their defaults are said.
const IMAGES: usize = 30;

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
    let scene = Scene { sheet, release, is_built, is_blind: lens.is_blind() };
    let files: Vec<(usize, &FileChange)> = sheet.of(Role::Values).collect();
    for (file, change) in &files {
        let is_own = sheet.carrier(folder(change.path())).is_none();
        let stands_in = release.is_some_and(|release| !release.values_files.is_empty());
        if !(is_own && stands_in) {
            scene.one_file(*file, change, said);
        }
    }
    if let Some(release) = release.filter(|release| !release.values_files.is_empty()) {
        scene.own_files(release, said);
    }
    let first = files.first().map(|(file, _)| *file);
    let other = || sheet.of(Role::Chart).chain(sheet.of(Role::Template)).map(|(file, _)| file).next();
    if let Some(file) = first.or_else(other) {
        said.extend(release.and_then(|release| not_read(release, file)));
    }
}

/// What all defaults of a comparison are judged with.
struct Scene<'a> {
    sheet: &'a Sheet<'a>,
    release: Option<&'a ReleaseLens>,
    is_built: bool,
    is_blind: bool,
}

fn impact(danger: Danger, what: What, why: String, file: usize, line: Option<usize>) -> Impact {
    Impact { danger, what, object: None, why, at: Place::File { file, line } }
}

fn not_read(release: &ReleaseLens, file: usize) -> Option<Impact> {
    let unread = release.unread_names();
    if unread.is_empty() {
        return None;
    }
    let why = format!("valuesFrom not read: {}; they may override any default", some(&unread, 3));
    Some(impact(Danger::Medium, What::ValuesNotRead, why, file, None))
}

impl Scene<'_> {
    fn one_file(&self, file: usize, change: &FileChange, said: &mut Vec<Impact>) {
        let (Some(old), Some(new)) = (defaults(change.from.as_ref()), defaults(change.to.as_ref())) else {
            return;
        };
        let carrier = self.sheet.carrier(folder(change.path()));
        let prefix = carrier.map(|(above, name)| chart::key_of(self.sheet, above, name));
        let above = carrier.zip(prefix.as_ref()).and_then(|((above, _), name)| {
            let (_, change) = self.sheet.named(&join(above, "values.yaml"))?;
            get(&read(change.to.as_ref(), Dialect::Helm)?, &[name]).cloned()
        });
        let doubt = if self.is_blind { UNREAD } else { "" };
        self.judge(
            &At { file, change, prefix: prefix.as_deref(), doubt },
            (&old, &new),
            above.as_ref(),
            said,
        );
    }

    /// source-controller makes `values.yaml` of these files, each over the one before.
    fn own_files(&self, release: &ReleaseLens, said: &mut Vec<Impact>) {
        let files: Vec<(&str, Option<(usize, &FileChange)>)> = release
            .values_files
            .iter()
            .map(|name| {
                let ours = |file: &FileChange| is_values_file(file.path(), name);
                let found = self.sheet.diff.files.iter().enumerate().find(|(_, file)| ours(file));
                (&**name, found)
            })
            .collect();
        let nothing = || Value::Object(Map::new());
        let (mut old, mut new) = (nothing(), nothing());
        for (_, change) in files.iter().filter_map(|(_, found)| *found) {
            merge(&mut old, &defaults(change.from.as_ref()).unwrap_or_else(nothing));
            merge(&mut new, &defaults(change.to.as_ref()).unwrap_or_else(nothing));
        }
        let Some((file, change)) = files.iter().find_map(|(_, found)| *found) else { return };
        let unseen: Vec<&str> =
            files.iter().filter(|(_, found)| found.is_none()).map(|(name, _)| *name).collect();
        let doubt = match (self.is_blind, unseen.is_empty()) {
            (false, true) => "",
            (true, true) => UNREAD,
            (false, false) => " (valuesFiles not all read)",
            (true, false) => " (valuesFrom and valuesFiles not all read)",
        };
        if !unseen.is_empty() {
            let why = format!("of valuesFiles the same on both sides, so not read: {}", some(&unseen, 3));
            said.push(impact(Danger::Low, What::ValuesNotRead, why, file, None));
        }
        self.judge(&At { file, change, prefix: None, doubt }, (&old, &new), None, said);
    }

    fn judge(
        &self,
        at: &At<'_>,
        (old, new): (&Value, &Value),
        above: Option<&Value>,
        said: &mut Vec<Impact>,
    ) {
        let handed_on = chart::handed_on(self.sheet, folder(at.change.path()));
        let user = self.release.map(|release| &release.values);
        let user = at.prefix.map_or(user, |prefix| user.and_then(|user| get(user, &[prefix])));
        // a release that sets nothing still takes the defaults
        let nothing = Value::Object(Map::new());
        let defaults = Defaults {
            old,
            new,
            user: self.release.map(|_| user.unwrap_or(&nothing)),
            handed_on: &handed_on,
            prefix: at.prefix,
            doubt: at.doubt,
            file: at.file,
            text: at.change.to.as_ref().and_then(source::text).unwrap_or_default(),
        };
        defaults.judge(self.is_built, above, said);
    }
}

/// Where defaults stand, and what is not certain about them.
struct At<'a> {
    file: usize,
    change: &'a FileChange,
    prefix: Option<&'a str>,
    doubt: &'static str,
}

/// As Helm lays values over others: maps are merged, a null takes away.
pub(super) fn merge(values: &mut Value, over: &Value) {
    let (Value::Object(below), Value::Object(above)) = (&mut *values, over) else {
        *values = over.clone();
        return;
    };
    for (key, value) in above {
        match (below.get_mut(key), value) {
            (_, Value::Null) => drop(below.remove(key)),
            (Some(old @ Value::Object(_)), Value::Object(_)) => merge(old, value),
            _ => drop(below.insert(key.clone(), value.clone())),
        }
    }
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
    Value(&'a Value),
    /// Something else than a map stands above it.
    Above,
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
            self.one(leaf, &mut groups);
        }
        self.together(&groups, said);
    }

    fn one<'l>(&self, leaf: &'l Leaf<'a>, groups: &mut Groups<'l, 'a>) {
        let set = self.user.map_or(Set::Nothing, |user| set_at(user, &leaf.path));
        let group = match (set, leaf.from, leaf.to) {
            (Set::Value(own), _, Some(to)) if shape(own) != shape(to) && !own.is_null() => {
                &mut groups.misshapen
            }
            (Set::Value(own), Some(from), Some(to)) if kind(own) != kind(to) && kind(own) == kind(from) => {
                &mut groups.mistyped
            }
            (Set::Value(_), Some(_), None) if self.is_closed(&leaf.path) => &mut groups.unknown,
            (Set::Value(_), _, _) => &mut groups.overridden,
            (Set::Above, _, _) => &mut groups.above,
            (Set::Nothing, Some(from), Some(to)) if shape(from) != shape(to) => &mut groups.reshaped,
            (Set::Nothing, Some(_), Some(_)) => &mut groups.changed,
            (Set::Nothing, None, _) => &mut groups.added,
            (Set::Nothing, Some(_), None) => &mut groups.gone,
        };
        group.push(leaf);
    }

    /// Of a value that is set: what it is, where the default is something else.
    fn against(&self, leaf: &Leaf<'a>) -> Option<String> {
        let (to, name) = (leaf.to?, self.name(leaf));
        let Set::Value(own) = set_at(self.user?, &leaf.path) else { return None };
        let is_new = leaf.from.is_some_and(|from| kind(from) != kind(to));
        let now = if is_new { "is now" } else { "is" };
        Some(format!("your value for {name} is {}, the default {now} {}", type_word(own), type_word(to)))
    }

    fn together(&self, groups: &Groups<'_, 'a>, said: &mut Vec<Impact>) {
        use Danger::{High, Low, Medium};
        let values = |leaf: &Leaf<'a>| format!("{} → {}", shown(leaf, leaf.from), shown(leaf, leaf.to));
        self.each(
            &groups.misshapen,
            (High, What::ValueType, "more of your values are of another shape"),
            said,
            |leaf| self.against(leaf).unwrap_or_default(),
        );
        self.each(
            &groups.mistyped,
            (Medium, What::ValueType, "more of your values are of another type"),
            said,
            |leaf| self.against(leaf).unwrap_or_default(),
        );
        self.each(
            &groups.unknown,
            (Medium, What::ValueUnknown, "more of your values are unknown now"),
            said,
            |leaf| {
                format!(
                    "your value for {} is unknown now: the chart's values.yaml no longer has it",
                    self.name(leaf)
                )
            },
        );
        self.each(
            &groups.reshaped,
            (Medium, What::DefaultChanged, "more defaults are of another shape"),
            said,
            |leaf| {
                let word = |side: Option<&Value>| side.map_or("not set", type_word);
                format!("default {} was {} and is {}", self.name(leaf), word(leaf.from), word(leaf.to))
            },
        );
        self.each(&groups.changed, (Medium, What::DefaultChanged, "more defaults change"), said, |leaf| {
            format!("default {} {}", self.name(leaf), values(leaf))
        });
        let word = "more of your values stay while their defaults change";
        self.each(&groups.overridden, (Low, What::DefaultOverridden, word), said, |leaf| {
            format!("your value for {} stays; its default {}", self.name(leaf), values(leaf))
        });
        let word = "what you set above them stays while these defaults change";
        self.group(&groups.above, (Low, What::DefaultOverridden, word), said);
        self.group(&groups.added, (Low, What::DefaultChanged, "new defaults"), said);
        self.group(&groups.gone, (Low, What::DefaultChanged, "defaults gone"), said);
    }

    /// The first one by one, the others in one sentence.
    fn each(
        &self,
        leaves: &[&Leaf<'a>],
        as_what: (Danger, What, &str),
        said: &mut Vec<Impact>,
        word: impl Fn(&Leaf<'a>) -> String,
    ) {
        let (single, rest) = leaves.split_at(leaves.len().min(SINGLE));
        said.extend(single.iter().map(|leaf| self.say(as_what.0, as_what.1, leaf, &word(leaf))));
        self.group(rest, as_what, said);
    }

    fn group(
        &self,
        leaves: &[&Leaf<'a>],
        (danger, what, word): (Danger, What, &str),
        said: &mut Vec<Impact>,
    ) {
        let Some(first) = leaves.first() else { return };
        let names: Vec<String> = leaves.iter().map(|leaf| self.name(leaf)).collect();
        said.push(self.say(danger, what, first, &format!("{word}: {}", some(&names, NAMED))));
    }

    fn say(&self, danger: Danger, what: What, leaf: &Leaf<'_>, why: &str) -> Impact {
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
        let is_part = |leaf: &Leaf<'_>| leaf.path.last().is_some_and(|last| PARTS.contains(last));
        let mut parents: Vec<Vec<&str>> = leaves
            .iter()
            .filter(|leaf| is_part(leaf))
            .map(|leaf| leaf.path[..leaf.path.len() - 1].to_vec())
            .collect();
        parents.dedup();
        for parent in parents.into_iter().take(IMAGES) {
            let (Some(old), Some(new)) = (Self::image(self.old, &parent), Self::image(self.new, &parent))
            else {
                continue;
            };
            let Some((danger, words)) = images::changed(&old, &new) else { continue };
            let is_set = |leaf: &Leaf<'_>| {
                self.user.is_some_and(|user| !matches!(set_at(user, &leaf.path), Set::Nothing))
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
            said.push(self.say(danger, What::ImageChanged, first, &why));
            leaves.retain(|leaf| {
                !(is_part(leaf)
                    && leaf.path.len() == parent.len() + 1
                    && leaf.path.starts_with(&parent)
                    && !is_set(leaf))
            });
        }
    }

    /// `registry/repository:tag@digest`, where the defaults say a version.
    fn image(side: &Value, parent: &[&str]) -> Option<String> {
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
    misshapen: Vec<&'l Leaf<'a>>,
    mistyped: Vec<&'l Leaf<'a>>,
    unknown: Vec<&'l Leaf<'a>>,
    reshaped: Vec<&'l Leaf<'a>>,
    overridden: Vec<&'l Leaf<'a>>,
    above: Vec<&'l Leaf<'a>>,
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
            _ => return Set::Above,
        }
    }
    match at {
        // merged over the default, it changes nothing
        Value::Object(map) if map.is_empty() => Set::Nothing,
        own => Set::Value(own),
    }
}

/// A default in a sentence; of one that is named like a secret nothing, as in the text of its file.
fn shown(leaf: &Leaf<'_>, value: Option<&Value>) -> String {
    let says_something = match value {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Number(_)) => true,
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => false,
    };
    if says_something && leaf.path.last().is_some_and(|name| secret::is_named_like_one(name)) {
        return secret::HIDDEN.to_owned();
    }
    quote(value)
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
            &["low default-overridden: what you set above them stays while these defaults change: a.b"],
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
        let values =
            |value: &str| (0..20).map(|i| format!("k{i:02}: {value}")).collect::<Vec<_>>().join("\n");
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
                "medium values-not-read: valuesFrom not read: Secret own-values (not asked for); they may override any default",
            ],
        );
    }

    #[test]
    fn files_of_the_release_stand_in_for_the_defaults() {
        let diff = files(&[
            ("a/values.yaml", Role::Values, "a: 1", "a: 2"),
            ("a/values-prod.yaml", Role::Other, "b: 1", "b: 2"),
        ]);
        let check = |names: &[&str], want: &[&str]| {
            let mut lens = release("{}");
            if let Lens::Release(release) = &mut lens {
                release.values_files = names.iter().map(|name| (*name).into()).collect();
            }
            let mut said = Vec::new();
            judge(&Sheet::new(&diff), false, &lens, &mut said);
            assert_eq!(said.iter().map(words).collect::<Vec<_>>(), want, "{names:?}");
        };
        check(&["values-prod.yaml"], &["medium default-changed: default b 1 → 2"]);
        check(
            &["values.yaml", "values-prod.yaml"],
            &["medium default-changed: default a 1 → 2", "medium default-changed: default b 1 → 2"],
        );
        check(
            &["values.yaml", "other.yaml"],
            &[
                "low values-not-read: of valuesFiles the same on both sides, so not read: other.yaml",
                "medium default-changed: default a 1 → 2 (valuesFiles not all read)",
            ],
        );
        check(&["other.yaml"], &[]);
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
