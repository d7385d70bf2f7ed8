//! The edit that would take an upgrade: what would be sent, where it belongs, and who would take it back. Pure; nothing
//! is ever sent from it.

use super::{
    action::Patch,
    identity::{Kind, Manager, Meta, ObjectId},
    outlook::Readings,
    policy::{Choice, Dialect, Policy},
    source::{Follows, Source},
    upgrade::Upgrade,
    version::Version,
    widen::widened,
    world::World,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// An edit of what a source follows: what would be sent, where it belongs, and who would take it back.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Of the source, or of the HelmRelease that a HelmChart was made for. Never sent from here.
    pub patch: Patch,
    /// `spec.ref: semver`, as a person reads it.
    pub field: &'static str,
    pub from: Box<str>,
    pub to: Follows,
    /// Who would revert it in the cluster (`reference/flux.md` §3.3).
    pub managed_by: Option<Manager>,
    /// The object that declares it was read; else nobody knows who manages it.
    pub read: bool,
    /// Its Kustomization was told to leave it alone.
    pub detached: bool,
}

impl Change {
    /// What would take the version beyond the range. In range it comes by itself; a digest is moved by a digest only.
    pub fn beyond(upgrade: &Upgrade, world: &World, source: &Source) -> Option<Self> {
        let tag = &upgrade.beyond.as_ref()?.tag;
        let policy = Policy::of(source)?;
        let version = policy.dialect.read(tag).ok()?;
        let to = match source.follows()? {
            Follows::Semver(exact) if is_exact_chart(policy.dialect, &exact) => {
                Follows::Semver(tag.replace('_', "+").into())
            }
            Follows::Semver(range) => Follows::Semver(widened(&range, &version)?.into()),
            Follows::Tag(_) | Follows::Latest => Follows::Tag((&**tag).into()),
            Follows::Digest(_) => return None,
        };
        Self::of(world, source, to)
    }

    /// None for kinds that follow nothing by themselves.
    pub fn of(world: &World, source: &Source, to: Follows) -> Option<Self> {
        let declared = declared_in(world, source);
        let (field, body) = match (source.meta.id.kind, declared.kind) {
            (Kind::OciRepository, _) => {
                let field = match to.by() {
                    "semver" => "spec.ref: semver",
                    "digest" => "spec.ref: digest",
                    _ => "spec.ref: tag",
                };
                (field, json!({"spec": {"ref": {to.by(): to.text()}}}))
            }
            (Kind::HelmChart, Kind::HelmRelease) => {
                ("spec.chart.spec.version:", json!({"spec": {"chart": {"spec": {"version": to.text()}}}}))
            }
            (Kind::HelmChart, _) => ("spec.version:", json!({"spec": {"version": to.text()}})),
            _ => return None,
        };
        let own = world.get(&declared).map(|object| object.meta());
        let meta = if declared == source.meta.id { Some(&source.meta) } else { own };
        Some(Self {
            patch: Patch { object: declared, body },
            field,
            from: source.follows()?.text().into(),
            to,
            read: meta.is_some(),
            managed_by: meta.and_then(Meta::manager),
            detached: meta.is_some_and(|meta| meta.detached),
        })
    }

    /// The tag that Flux would choose after it, of tags in the registry's order: with pre-releases admitted that may
    /// be one above the candidate.
    pub fn would_choose(&self, source: &Source, tags: &[Arc<str>]) -> Option<Arc<str>> {
        let policy = Policy { follows: Some(self.to.clone()), ..Policy::of(source)? };
        match policy.outlook(&Readings::new(tags)).chosen? {
            Choice::Tag(tag) => Some(tag),
            Choice::Digest(_) => None,
        }
    }

    /// The changed part of the spec as YAML, to be put where the object is declared. None: the text of it could mean
    /// something else there.
    pub fn yaml(&self) -> Option<String> {
        let mut out = String::new();
        write_yaml(&self.patch.body, 0, &mut out)?;
        Some(out)
    }
}

/// Nested mappings with texts at their ends. Texts are quoted, since 1.10 would be a number and `*` an alias.
fn write_yaml(value: &Value, depth: usize, out: &mut String) -> Option<()> {
    for (key, value) in value.as_object()? {
        out.push_str(&"  ".repeat(depth));
        out.push_str(key);
        out.push(':');
        let Some(text) = value.as_str() else {
            out.push('\n');
            write_yaml(value, depth + 1, out)?;
            continue;
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-+:*|<>=!~^, ".contains(c);
        if !text.chars().all(plain) {
            return None;
        }
        for piece in [" '", text, "'\n"] {
            out.push_str(piece);
        }
    }
    Some(())
}

/// The object whose spec says what is followed: a HelmChart that helm-controller made has it from its HelmRelease.
pub fn declared_in(world: &World, source: &Source) -> ObjectId {
    let id = &source.meta.id;
    if id.kind != Kind::HelmChart {
        return id.clone();
    }
    let made_for = |consumer: &&ObjectId| {
        let consumer = world.get(consumer).and_then(|object| object.as_consumer());
        consumer.is_some_and(|consumer| consumer.chart.is_some())
    };
    if let Some(release) = world.dependents(id).find(made_for) {
        return release.clone();
    }
    // the release may not be ours to read; the chart made for it is called after it (`reference/flux.md` §3.2)
    match source.meta.manager() {
        Some(Manager::Object(owner))
            if owner.kind == Kind::HelmRelease
                && *id.name == *format!("{}-{}", owner.namespace, owner.name) =>
        {
            owner
        }
        _ => id.clone(),
    }
}

/// Helm takes an exact version for a tag without looking for others.
fn is_exact_chart(dialect: Dialect, version: &str) -> bool {
    dialect == Dialect::HelmChart && Version::parse_tag(version).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        fact::{Fact, Object},
        sample::{chart, digest, release_of_chart, repository},
        source::SourceSpec,
    };

    fn names(tags: &[&str]) -> Vec<Arc<str>> {
        tags.iter().map(|tag| Arc::from(*tag)).collect()
    }

    /// A source that runs `1.0.0` and follows the ref.
    fn following(follows: Follows) -> Source {
        let Object::Source(mut source) = repository("shop/a") else {
            unreachable!("a repository is a source")
        };
        if let SourceSpec::Oci(spec) = &mut source.spec {
            spec.follows = follows;
        }
        source
    }

    fn changed(follows: Follows, tags: &[&str]) -> Option<Change> {
        let source = following(follows);
        let upgrade = Upgrade::of(&World::default(), &source, &names(tags), None).unwrap();
        Change::beyond(&upgrade, &World::default(), &source)
    }

    #[test]
    fn the_change_is_the_exact_patch_of_what_is_followed() {
        let tags = ["1.0.0", "2.3.4"];
        let change = changed(Follows::Semver("1.0.x".into()), &tags).unwrap();
        assert_eq!(change.patch.body, json!({"spec": {"ref": {"semver": "2.3.x"}}}));
        assert_eq!((change.field, &*change.from, change.to.text()), ("spec.ref: semver", "1.0.x", "2.3.x"));
        assert_eq!(change.yaml().unwrap(), "spec:\n  ref:\n    semver: '2.3.x'\n");
        let change = changed(Follows::Tag("1.0.0".into()), &tags).unwrap();
        assert_eq!(change.patch.body, json!({"spec": {"ref": {"tag": "2.3.4"}}}));
        assert_eq!(changed(Follows::Digest(digest('a').into()), &tags), None);
        assert_eq!(changed(Follows::Semver(">=1.0.0".into()), &tags), None, "it comes by itself");
    }

    #[test]
    fn a_text_that_could_mean_something_else_in_yaml_is_not_handed_out() {
        let source = following(Follows::Tag("1.0.0".into()));
        let change = Change::of(&World::default(), &source, Follows::Tag("a'\nevil: b".into())).unwrap();
        assert_eq!(change.yaml(), None);
    }

    #[test]
    fn where_pre_releases_are_admitted_the_change_may_take_a_higher_one() {
        let tags = ["1.0.0", "2.0.0", "2.1.0-rc.1"];
        let change = changed(Follows::Semver("1.x-0".into()), &tags).unwrap();
        assert_eq!(change.to.text(), "2.x-0");
        let source = following(Follows::Semver("1.x-0".into()));
        assert_eq!(change.would_choose(&source, &names(&tags)).as_deref(), Some("2.1.0-rc.1"));
    }

    /// A chart of this range, its release, and the change that takes `2.0.0`.
    fn chart_change(range: &str, made: bool) -> Change {
        let mut world = World::default();
        let Object::Source(mut source) = chart("infra/infra-app", "infra/charts") else {
            unreachable!("a chart is a source")
        };
        if let SourceSpec::HelmChart { version, .. } = &mut source.spec {
            *version = range.into();
        }
        let Object::Consumer(mut release) = release_of_chart("infra/app", "infra/infra-app") else {
            unreachable!("a release is a consumer")
        };
        release.chart = made.then(|| ("app".into(), range.into()));
        for (end, name) in [("name", "infra"), ("namespace", "flux-system")] {
            release.meta.labels.insert(format!("kustomize.toolkit.fluxcd.io/{end}").into(), name.into());
        }
        world.observe(Fact::Changed(Arc::new(Object::Consumer(release))));
        let upgrade = Upgrade::of(&world, &source, &names(&["1.0.0", "2.0.0_b"]), None).unwrap();
        Change::beyond(&upgrade, &world, &source).unwrap()
    }

    #[test]
    fn a_chart_that_a_release_made_is_changed_in_the_release() {
        let change = chart_change("1.x", true);
        assert_eq!(change.patch.object.to_string(), "hr infra/app");
        assert_eq!(change.patch.body, json!({"spec": {"chart": {"spec": {"version": "2.x"}}}}));
        assert_eq!(change.managed_by.unwrap().to_string(), "ks flux-system/infra");
        let own = chart_change("1.x", false);
        assert_eq!((own.patch.object.kind, own.field), (Kind::HelmChart, "spec.version:"));
        let exact = chart_change("1.0.0", true);
        assert_eq!(exact.to.text(), "2.0.0+b", "an exact version of a chart is the tag itself");
    }
}
