//! The rendering tools of this machine, run in a clean place: a folder of their own, no configuration, no credentials,
//! a deadline. What may be rendered and of what files is decided by [`crate::domain::lens`]; nothing is rendered here.

mod find;
mod room;
mod run;

pub use run::Limits;

use crate::{
    domain::{
        diff::Side,
        lens::{KustomizationLens, Lens, Plan, ReleaseLens, definitions_apart, is_masked},
        problem::{Cause, Problem},
    },
    port::{Rendered, Renderer},
};
use bytes::Bytes;
use find::Tool;
use futures::{FutureExt, future::BoxFuture};
use room::Room;
use run::{Job, Said};
use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// What is found in the folders of `PATH`.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    folders: Arc<[PathBuf]>,
    limits: Limits,
    /// By path: what each tool said of itself.
    versions: Arc<Mutex<HashMap<PathBuf, String>>>,
}

impl Tools {
    /// `path`: the value of `PATH`. Relative folders in it are never looked into.
    pub fn new(path: Option<&OsStr>) -> Self {
        Self { folders: find::folders(path), ..Self::default() }
    }

    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    fn find(&self, name: &'static str) -> Option<Tool> {
        find::tool(&self.folders, name)
    }

    /// `helm v4.2.2`; only its name if it does not say.
    async fn version(&self, tool: &Tool) -> Result<String, Problem> {
        let known = |map: &HashMap<PathBuf, String>| map.get(&tool.path).cloned();
        if let Some(version) = known(&self.versions.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(version);
        }
        let arguments: &[&str] = match tool.name {
            "helm" => &["version", "--short"],
            "flux" => &["--version"],
            _ => &["version"],
        };
        let room = furnished(Plan::default(), "ask a tool for its version").await?;
        let job = self.job(tool, &room, "", arguments.iter().map(Into::into).collect());
        let said = run::run(&job, &format!("ask {} for its version", tool.name)).await;
        room.close().await;
        let version = find::version(tool.name, &said.map(|said| said.output).unwrap_or_default());
        self.versions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(tool.path.clone(), version.clone());
        Ok(version)
    }

    fn job(&self, tool: &Tool, room: &Room, below: &str, arguments: Vec<OsString>) -> Job {
        Job {
            tool: tool.path.clone(),
            name: tool.name,
            arguments,
            folder: room.files(below),
            environment: room.environment(&self.folders),
            hidden: room.path().to_owned(),
            limits: self.limits,
        }
    }

    async fn kustomization(self, lens: Box<KustomizationLens>, side: Side) -> Result<Rendered, Problem> {
        let what = format!("render {}", lens.id);
        let kustomize = self.find("kustomize");
        let Some(tool) = kustomize.or_else(|| self.find("flux")) else {
            return Err(missing(&what, "neither kustomize nor flux is on PATH"));
        };
        let (name, namespace) = (lens.id.name.clone(), lens.id.namespace.clone());
        let planned = lens.clone();
        let plan = aside(&what, move || planned.plan(&side)).await?;
        let by = self.version(&tool).await?;
        let mut notes = plan.notes.clone();
        let (manifests, warning) = match tool.name {
            "flux" => self.flux_build(&tool, plan, (&name, &namespace), &what).await?,
            _ => self.kustomize_build(&tool, plan, &what).await?,
        };
        notes.extend(warning);
        let built = manifests.clone();
        notes.extend(aside(&what, move || lens.settle(&built)).await?);
        Ok(Rendered { manifests, by, notes })
    }

    /// The folder is the working directory, so that its name is never read as a URL.
    async fn kustomize_build(
        &self,
        tool: &Tool,
        plan: Plan,
        what: &str,
    ) -> Result<(Bytes, Option<String>), Problem> {
        let (below, known) = (plan.root.clone(), plan.clone());
        let room = furnished(plan, what).await?;
        let arguments = ["build", "--load-restrictor", "LoadRestrictionsNone", "."];
        let job = self.job(tool, &room, &below, arguments.iter().map(Into::into).collect());
        let said = run::run(&job, what).await;
        room.close().await;
        discreet(tool, said, what, move |words| known.quotes_a_secret(words)).await
    }

    /// All of the spec is in the kustomization file already: the object that flux is given holds none of it, so nothing
    /// is substituted and nothing put in twice.
    async fn flux_build(
        &self,
        tool: &Tool,
        mut plan: Plan,
        (name, namespace): (&str, &str),
        what: &str,
    ) -> Result<(Bytes, Option<String>), Problem> {
        let object = plan.flux_object(name, namespace);
        plan.notes.clear();
        let (below, known) = (plan.root.clone(), plan.clone());
        let room = furnished(plan, what).await?;
        let file =
            room.write_beside("kustomization.json", object.as_bytes()).map_err(|why| failed(what, &why))?;
        let mut arguments: Vec<OsString> = ["build", "kustomization", "--dry-run"].map(Into::into).into();
        arguments.extend([
            "--namespace".into(),
            namespace.into(),
            "--path".into(),
            room.files(&below).into(),
        ]);
        arguments.extend(["--kustomization-file".into(), file.into(), "--".into(), name.into()]);
        let job = self.job(tool, &room, "", arguments);
        let said = run::run(&job, what).await;
        room.close().await;
        let (manifests, warning) =
            discreet(tool, said, what, move |words| known.quotes_a_secret(words)).await?;
        let built = manifests.clone();
        if aside(what, move || Ok(is_masked(&built))).await? {
            let why = "flux build hides what SOPS encrypted, and so whether that changed";
            let problem = Problem::new(Cause::Refused, what, why);
            return Err(problem.with_hint("with kustomize on PATH it is compared as it is stored"));
        }
        Ok((manifests, warning))
    }

    async fn release(self, lens: Box<ReleaseLens>, side: Side) -> Result<Rendered, Problem> {
        let what = format!("render {}", lens.id);
        let Some(tool) = self.find("helm") else {
            return Err(missing(&what, "helm is not on PATH"));
        };
        let lens = Arc::new(*lens);
        let made = self.rendered_release(&tool, &lens, side, &what).await;
        // tools quote values in what they complain of
        let covered = |words: String| lens.covered_words(&words);
        match made {
            Ok(Rendered { manifests, by, notes }) => {
                let notes = notes.into_iter().map(covered).collect();
                Ok(Rendered { manifests, by, notes })
            }
            Err(problem) => {
                let hint = problem.hint.map(covered);
                Err(Problem { why: covered(problem.why), hint, ..problem })
            }
        }
    }

    async fn rendered_release(
        &self,
        tool: &Tool,
        lens: &Arc<ReleaseLens>,
        side: Side,
        what: &str,
    ) -> Result<Rendered, Problem> {
        let planned = lens.clone();
        let plan = aside(what, move || planned.plan(&side)).await?;
        let mut notes = plan.notes.clone();
        let mut by = self.version(tool).await?;
        let (printed, warning) = self.helm_template(tool, plan, lens, what).await?;
        notes.extend(warning);
        let text = String::from_utf8_lossy(&printed);
        let (definitions, rest) = definitions_apart(&text);
        let (rest, odd) = lens.settle(rest);
        notes.extend(odd);
        let manifests = Bytes::from(rest);
        let manifests = match self.find("kustomize") {
            Some(kustomize) if lens.is_post_rendered() => {
                by = format!("{by} and {}", self.version(&kustomize).await?);
                self.post_render(&kustomize, lens, manifests, what).await?
            }
            None if lens.is_post_rendered() => {
                let note = "post-renderers and commonMetadata are not applied: kustomize is not on PATH";
                notes.push(note.to_owned());
                manifests
            }
            Some(_) | None => manifests,
        };
        // no value reaches what stands in `crds/`
        let manifests = lens.covered(manifests);
        let mut whole = definitions.into_bytes();
        if !whole.is_empty() && !manifests.starts_with(b"---") {
            whole.extend(b"---\n");
        }
        whole.extend(&manifests);
        Ok(Rendered { manifests: whole.into(), by, notes })
    }

    async fn helm_template(
        &self,
        tool: &Tool,
        plan: Plan,
        lens: &Arc<ReleaseLens>,
        what: &str,
    ) -> Result<(Bytes, Option<String>), Problem> {
        let (known, chart) = (lens.clone(), plan.clone());
        let values = lens.values_text();
        let checks_schema = plan.checks_schema;
        let room = furnished(plan, what).await?;
        let file = room.write_beside("values.json", values.as_bytes()).map_err(|why| failed(what, &why))?;
        let mut arguments: Vec<OsString> = ["template", "--is-upgrade"].map(Into::into).into();
        arguments.extend(["--namespace".into(), (&*lens.target_namespace).into()]);
        arguments.extend(["--values".into(), file.into()]);
        arguments.extend((!checks_schema).then(|| "--skip-schema-validation".into()));
        arguments.extend(lens.upgrades_crds().then(|| "--include-crds".into()));
        arguments.extend(lens.skips_hooks().then(|| "--no-hooks".into()));
        arguments.extend(["--".into(), (&*lens.release_name).into(), ".".into()]);
        let job = self.job(tool, &room, "", arguments);
        let said = run::run(&job, what).await;
        room.close().await;
        let quotes = move |words: &str| known.quotes_a_secret(words) || chart.quotes_a_literal(words);
        discreet(tool, said, what, quotes).await
    }

    /// In helm-controller's order: each post-renderer, then `commonMetadata`.
    async fn post_render(
        &self,
        tool: &Tool,
        lens: &ReleaseLens,
        mut manifests: Bytes,
        what: &str,
    ) -> Result<Bytes, Problem> {
        for step in 0..lens.post_renders() {
            let Some(plan) = lens.post_render(step, manifests.clone()) else { continue };
            manifests = self.kustomize_build(tool, plan, what).await?.0;
        }
        Ok(manifests)
    }
}

impl Renderer for Tools {
    fn render(&self, lens: Lens, files: Side) -> BoxFuture<'static, Result<Rendered, Problem>> {
        let tools = self.clone();
        match lens {
            Lens::Kustomization(lens) => tools.kustomization(lens, files).boxed(),
            Lens::Release(lens) => tools.release(lens, files).boxed(),
            Lens::Whole => {
                let why =
                    "a Kustomization or a HelmRelease says how it is to be rendered, and none was chosen";
                futures::future::ready(Err(Problem::new(Cause::Usage, "render the files", why))).boxed()
            }
        }
    }
}

fn missing(what: &str, why: &str) -> Problem {
    Problem::new(Cause::NotFound, what, why)
}

fn failed(what: &str, error: &std::io::Error) -> Problem {
    Problem::new(Cause::Other, what, format!("a temporary folder: {error}"))
}

/// Work that takes a processor or a disk, off the tasks that answer.
async fn aside<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Problem::new(Cause::Other, what, error.to_string())),
    }
}

/// Tools quote what they complain of: words that quote a Secret are not handed on.
async fn discreet(
    tool: &Tool,
    said: Result<Said, Problem>,
    what: &str,
    quotes: impl FnOnce(&str) -> bool + Send + 'static,
) -> Result<(Bytes, Option<String>), Problem> {
    let asked = |words: &str| {
        let words = words.to_owned();
        aside(what, move || Ok(quotes(&words)))
    };
    match said {
        Ok(Said { output, warning: Some(words) }) => {
            let quoting = format!("{} says something that quotes a Secret", tool.name);
            let warning = if asked(&words).await? { quoting } else { words };
            Ok((output, Some(warning)))
        }
        Ok(Said { output, warning: None }) => Ok((output, None)),
        Err(problem) => {
            let quoting = format!("{} failed, and its words quote a Secret", tool.name);
            let why = if asked(&problem.why).await? { quoting } else { problem.why };
            Err(Problem { why, ..problem })
        }
    }
}

async fn furnished(plan: Plan, what: &str) -> Result<Room, Problem> {
    let named = what.to_owned();
    aside(what, move || Room::open(&plan).map_err(|error| failed(&named, &error))).await
}
