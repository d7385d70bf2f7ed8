//! What keys do on rows of objects: the same on the board and on the lists.

use super::{
    Place, Step,
    board::{open, page_of},
    diff::Chosen,
    rows::{Rows, Sort},
};
use crate::{
    app::{
        command::{Command, OnDiff, OnRevisions},
        equivalent,
        memory::Memory,
    },
    domain::{
        artifact::{Origin, Target},
        history::History,
        identity::{Kind, ObjectId},
        reference::{Reference, Unresolved},
        repository::Upstream,
        source::{HELM_CHART_LAYER, LayerSelector, SourceSpec},
        world::takes_from,
    },
    widgets::theme::Meaning,
};
use ratatui::layout::Rect;
use std::fmt::Write as _;

impl Rows {
    pub fn update(&mut self, command: Command, memory: &Memory, content: Rect) -> Step {
        let content = if memory.wide { content } else { crate::widgets::layout::with_pane(content).0 };
        if self.step(command, page_of(self, memory, content)) {
            return Step::Stay;
        }
        match command {
            Command::Open => return open(self, memory),
            Command::Yaml => {
                return self.selected_object().map_or(Step::Stay, |id| Step::Go(Place::Yaml(id.clone())));
            }
            Command::Tags => return tags_of(self.selected_object(), memory),
            Command::Artifact => return artifact_of(self.selected_object(), memory),
            Command::OnDiff(OnDiff::Show) => return diff_of(self.selected_object(), memory),
            Command::OnRevisions(OnRevisions::Show) => return revisions_of(self.selected_object()),
            Command::Mark => self.toggle_mark(),
            Command::OnRevisions(OnRevisions::ClearMarks) => self.marks.clear(),
            Command::Faults => self.toggle_faults(),
            Command::SortByName => self.sort_by(Sort::Name),
            Command::SortByAge => self.sort_by(Sort::Age),
            Command::SortByState => self.sort_by(Sort::State),
            Command::SortByRunning => self.sort_by(Sort::Running),
            Command::SortLeft => self.sort_beside(false),
            Command::SortRight => self.sort_beside(true),
            Command::CopyName => return copy_part(self.selected_object(), |id| &id.name),
            Command::CopyNamespace => return copy_part(self.selected_object(), |id| &id.namespace),
            Command::CopyCommand => return copy_command(self.selected_object()),
            Command::Reconcile => return self.reconcile(),
            Command::ReconcileSource => return reconcile_source(self.selected_object(), memory),
            _ => {}
        }
        Step::Stay
    }

    fn reconcile(&self) -> Step {
        let targets: Vec<ObjectId> = if self.marks.is_empty() {
            self.selected_object().cloned().into_iter().collect()
        } else {
            self.marks.iter().cloned().collect()
        };
        Step::Reconcile { targets, with_source: false }
    }

    pub fn obstacle(&self, command: Command, memory: &Memory) -> Option<String> {
        let selected = self.selected_object();
        let missing = selected.is_none_or(|id| memory.ledger.get(id).is_none());
        match command {
            Command::Open
            | Command::Mark
            | Command::CopyName
            | Command::CopyNamespace
            | Command::CopyCommand => match selected {
                None => Some("nothing is selected".to_owned()),
                Some(id) if missing && command == Command::Open => {
                    Some(format!("{id} is {} here", super::table::absence(id, memory)))
                }
                Some(_) => None,
            },
            Command::Yaml if selected.is_none() => Some("nothing is selected".to_owned()),
            Command::Tags => no_tags(selected, memory),
            Command::Artifact => no_artifact(selected, memory),
            Command::OnDiff(OnDiff::Show) => no_diff(selected, memory),
            Command::OnRevisions(OnRevisions::Show) => no_revisions(selected, memory),
            Command::OnRevisions(OnRevisions::ClearMarks) => {
                self.marks.is_empty().then(|| "nothing is marked".to_owned())
            }
            Command::Reconcile if self.marks.is_empty() => no_reconcile(selected, memory),
            Command::ReconcileSource => no_source(selected, memory),
            _ => None,
        }
    }

    /// `` or ` <17/412>`, and what else narrows or orders the rows.
    pub fn suffix(&self) -> String {
        let mut words = String::new();
        if !self.filter.text.is_empty() {
            let fault = if self.filter.fault.is_some() { "?" } else { "" };
            let text = crate::widgets::text::fit(&crate::widgets::text::line(&self.filter.text), 24);
            let _ = write!(words, " /{text}{fault}");
        }
        if !self.filter.text.is_empty() || self.faults {
            let _ = write!(words, " <{}/{}>", self.shown, self.total);
        }
        if self.faults {
            words.push_str(" faults only");
        }
        words.push_str(match (self.sort, self.reversed) {
            (Sort::State, false) => "",
            (Sort::State, true) => " by state, reversed",
            (Sort::Name, false) => " by name",
            (Sort::Name, true) => " by name, reversed",
            (Sort::Running, false) => " by running",
            (Sort::Running, true) => " by running, reversed",
            (Sort::Age, false) => " by age",
            (Sort::Age, true) => " by age, reversed",
        });
        words
    }

    pub fn visible_upstreams(&self, memory: &Memory, content: Rect) -> Vec<Upstream> {
        let rows = self.visible(usize::from(content.height));
        let selected = self.selected_object().and_then(|id| memory.ledger.upstream(id));
        let visible = self.view()[rows]
            .iter()
            .filter_map(|row| memory.ledger.get(row.anchor.object()?)?.upstream.as_ref());
        visible.chain(selected).cloned().collect()
    }
}

pub fn tags_of(id: Option<&ObjectId>, memory: &Memory) -> Step {
    let Some(id) = id else { return Step::Stay };
    match memory.ledger.upstream(id) {
        Some(upstream) => Step::Go(Place::Tags { upstream: upstream.clone(), about: Some(id.clone()) }),
        None => Step::Stay,
    }
}

pub fn no_tags(id: Option<&ObjectId>, memory: &Memory) -> Option<String> {
    let Some(id) = id else { return Some("nothing is selected".to_owned()) };
    if memory.ledger.upstream(id).is_some() {
        return None;
    }
    let odd = memory.ledger.get(id).and_then(|entry| entry.object.as_source()).is_some()
        && id.kind == Kind::OciRepository;
    Some(if odd {
        "its url is not one that Flux accepts".to_owned()
    } else {
        "no OCI repository with tags stands behind it".to_owned()
    })
}

pub fn no_reconcile(id: Option<&ObjectId>, memory: &Memory) -> Option<String> {
    match id {
        None => Some("nothing is selected".to_owned()),
        Some(id) if memory.ledger.get(id).is_none() => {
            Some(format!("{id} is {} here", super::table::absence(id, memory)))
        }
        Some(_) => None,
    }
}

pub fn no_source(id: Option<&ObjectId>, memory: &Memory) -> Option<String> {
    no_reconcile(id, memory).or_else(|| {
        let id = id?;
        let own = id.kind.is_source() && id.kind != Kind::HelmChart;
        (!own && source_of(id, memory).is_none()).then(|| "it names no source".to_owned())
    })
}

/// `Shift-Z`: a source reconciles itself, anything else its source.
pub fn reconcile_source(id: Option<&ObjectId>, memory: &Memory) -> Step {
    let Some(id) = id else { return Step::Stay };
    let target = if id.kind.is_source() { Some(id.clone()) } else { source_of(id, memory) };
    match target {
        Some(target) => {
            Step::Reconcile { with_source: target.kind == Kind::HelmChart, targets: vec![target] }
        }
        None => Step::Stay,
    }
}

fn source_of(id: &ObjectId, memory: &Memory) -> Option<ObjectId> {
    takes_from(&memory.ledger.get(id)?.object)
}

/// Only names that Kubernetes would accept reach the clipboard.
pub fn copy_part(id: Option<&ObjectId>, part: impl Fn(&ObjectId) -> &std::sync::Arc<str>) -> Step {
    let Some(id) = id else { return Step::Stay };
    let name = part(id);
    if equivalent::is_name(name) { Step::Copy(name.to_string()) } else { refused() }
}

pub fn copy_command(id: Option<&ObjectId>) -> Step {
    let Some(id) = id else { return Step::Stay };
    equivalent::get(id, false).map_or_else(refused, Step::Copy)
}

pub fn refused() -> Step {
    let words = "not copied: the name holds characters that Kubernetes does not allow";
    Step::Say(Meaning::Warning, words.to_owned())
}

/// What the object runs, opened.
pub fn artifact_of(id: Option<&ObjectId>, memory: &Memory) -> Step {
    let Some(id) = id else { return Step::Stay };
    match running(id, memory) {
        Ok(target) => Step::Go(Place::Artifact { target, about: Some(id.clone()) }),
        Err(why) => Step::Say(Meaning::Warning, why),
    }
}

/// Why there is nothing to open.
pub fn no_artifact(id: Option<&ObjectId>, memory: &Memory) -> Option<String> {
    match id {
        None => Some("nothing is selected".to_owned()),
        Some(id) => running(id, memory).err(),
    }
}

/// What it runs beside what Flux would take.
pub fn diff_of(id: Option<&ObjectId>, memory: &Memory) -> Step {
    compare(super::diff::to_newer(id, memory))
}

/// Why there are no two revisions to compare.
pub fn no_diff(id: Option<&ObjectId>, memory: &Memory) -> Option<String> {
    super::diff::to_newer(id, memory).err()
}

/// Opens the comparison, or says why there is none.
pub fn compare(chosen: Result<impl Into<Chosen>, String>) -> Step {
    match chosen {
        Ok(chosen) => Step::Compare(Box::new(chosen.into())),
        Err(why) => Step::Say(Meaning::Warning, why),
    }
}

/// What ran of it.
pub fn revisions_of(id: Option<&ObjectId>) -> Step {
    id.map_or(Step::Stay, |id| Step::Go(Place::Revisions(id.clone())))
}

pub fn no_revisions(id: Option<&ObjectId>, memory: &Memory) -> Option<String> {
    let Some(id) = id else { return Some("nothing is selected".to_owned()) };
    if memory.ledger.get(id).is_none() {
        return Some(format!("{id} is {} here", super::table::absence(id, memory)));
    }
    History::refusal(id.kind).map(str::to_owned)
}

pub(super) fn running(id: &ObjectId, memory: &Memory) -> Result<Target, String> {
    let reference = Reference::Running { kind: id.kind, name: (&*id.name).into() };
    match reference.resolve(&memory.ledger.world, &id.namespace) {
        Ok(resolved) => Ok(resolved.target),
        Err(Unresolved::Needs(missing)) => Err(format!("{missing} was not read")),
        Err(Unresolved::Problem(problem)) => Err(problem.why.clone()),
    }
}

/// A tag of a repository, opened.
pub fn candidate(upstream: &Upstream, tag: &str, about: Option<&ObjectId>, memory: &Memory) -> Step {
    let target = candidate_target(upstream, tag, about, memory);
    Step::Go(Place::Artifact { target, about: about.cloned() })
}

/// A tag or digest of a repository, seen with the eyes of the source from which one came.
pub fn candidate_target(
    upstream: &Upstream,
    reference: &str,
    about: Option<&ObjectId>,
    memory: &Memory,
) -> Target {
    let chain = about.map(|id| memory.ledger.world.chain(id)).unwrap_or_default();
    let source = chain.iter().find_map(|id| memory.ledger.get(id)?.object.as_source().cloned());
    let (selector, ignore) = match source.map(|source| source.spec) {
        Some(SourceSpec::Oci(spec)) => (spec.layer, spec.ignore),
        Some(SourceSpec::HelmChart { .. }) => {
            (LayerSelector { media_type: Some(HELM_CHART_LAYER.into()), copy: true }, None)
        }
        Some(
            SourceSpec::HelmRepository { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. },
        )
        | None => (LayerSelector::default(), None),
    };
    let origin = Origin::Registry { upstream: upstream.clone(), reference: reference.into() };
    Target { origin, selector, ignore }
}
