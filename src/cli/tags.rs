//! `tags`: what a registry holds beside one source, or without any cluster. It evaluates no ranges.

use super::{
    Ports,
    args::{ClusterArgs, Format, TagsArgs},
    connect, exit, namespace,
    output::{Console, Table, document, problem_fields},
    subject::{Named, TagsOf},
};
use crate::{
    domain::{
        digest::Digest,
        fact::Object,
        identity::ObjectId,
        problem::{Cause, Problem},
        repository::{Repository, Upstream, is_signature_tag, is_tag},
        source::{Follows, Source, SourceSpec},
        version::{Version, newest_first},
    },
    port::Registry,
};
use futures::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn run(
    args: &TagsArgs,
    place: &ClusterArgs,
    ports: &Ports,
    console: &mut Console<'_>,
) -> i32 {
    let asked = match &args.of {
        TagsOf::Repository(repository) => Ok(Asked::repository(repository.clone())),
        TagsOf::Object(named) => source(named, place, ports).await,
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(problem) => return unasked(args, &problem, console),
    };
    let mut list = List::read(&*ports.registry, &asked, args.all).await;
    let choice = Choice::of(&*ports.registry, &asked).await;
    list.problems.extend(choice.problem.clone());
    let items = list.items(&asked, &choice);
    match args.output {
        Format::Table | Format::Wide => console.data(&table(&items, &asked, args)),
        Format::Name => console.data(&names(&items)),
        Format::Json => console.json(&list.document(&asked, &choice, &items)),
        Format::Yaml => console.yaml(&list.document(&asked, &choice, &items)),
    }
    list.comment(&asked, &choice, items.len(), console);
    match (list.problems.is_empty() && list.cut.is_none(), &choice.error) {
        (false, _) => exit::NOT_ANSWERED,
        (true, Some(_)) => exit::NO,
        (true, None) => exit::ANSWERED,
    }
}

/// Whose tags, and for whom.
struct Asked {
    upstream: Upstream,
    source: Option<Source>,
}

impl Asked {
    fn repository(repository: Repository) -> Self {
        Self { upstream: Upstream { repository, insecure: false }, source: None }
    }

    fn follows(&self) -> Option<Follows> {
        self.source.as_ref()?.follows()
    }

    /// With this selector Flux reads `_` in a tag as `+`.
    fn is_chart(&self) -> bool {
        self.source.as_ref().is_some_and(|source| match &source.spec {
            SourceSpec::Oci(spec) => spec.layer.is_helm(),
            SourceSpec::HelmRepository { .. }
            | SourceSpec::HelmChart { .. }
            | SourceSpec::ExternalArtifact { .. }
            | SourceSpec::Other { .. } => false,
        })
    }

    fn running(&self) -> Option<(Option<&str>, Option<&str>)> {
        let revision = self.source.as_ref()?.revision()?;
        Some((revision.tag(), revision.digest().map(Digest::as_str)))
    }
}

async fn source(named: &Named, place: &ClusterArgs, ports: &Ports) -> Result<Asked, Problem> {
    let cluster = connect(place, ports).await?;
    let id = ObjectId::new(named.kind, namespace(place, &*cluster), named.name.as_str());
    let object = cluster.fetch(id.clone()).await?;
    let wrong = |why: String| Problem::new(Cause::Invalid, format!("list the tags of {id}"), why);
    let Object::Source(source) = &*object else { return Err(wrong("it is no source".to_owned())) };
    let upstream = match (&source.spec, source.upstream()) {
        (_, Some(upstream)) => upstream,
        (SourceSpec::Oci(spec), None) => {
            let why = spec.repository.as_ref().err().map_or_else(String::new, ToString::to_string);
            return Err(wrong(format!("spec.url {} is not usable: {why}", spec.url)));
        }
        (_, None) => return Err(wrong("it names no repository".to_owned())),
    };
    Ok(Asked { upstream, source: Some(source.clone()) })
}

/// What the registry holds, newest first.
#[derive(Default)]
struct List {
    tags: Vec<Tag>,
    invalid: Vec<String>,
    hidden: usize,
    requests: u32,
    cut: Option<String>,
    asked_with: Option<Arc<str>>,
    problems: Vec<Problem>,
}

/// A tag, and the text that is read as its version.
struct Tag {
    name: Arc<str>,
    read_as: Arc<str>,
}

impl AsRef<str> for Tag {
    fn as_ref(&self) -> &str {
        &self.read_as
    }
}

impl List {
    async fn read(registry: &dyn Registry, asked: &Asked, all: bool) -> Self {
        let mut list = Self::default();
        let chart = asked.is_chart();
        let mut pages = registry.tags(asked.upstream.clone());
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => {
                    list.requests = page.requests;
                    list.asked_with = Some(page.asked_with);
                    list.cut = page.cut.or(list.cut);
                    list.invalid.extend(page.invalid);
                    list.tags.extend(page.tags.into_iter().map(|name| {
                        let read_as = if chart { name.replace('_', "+").into() } else { name.clone() };
                        Tag { name, read_as }
                    }));
                }
                Err(problem) => list.problems.push(problem),
            }
        }
        if !all {
            list.hide(asked.follows().as_ref());
        }
        newest_first(&mut list.tags);
        list.invalid.sort();
        list
    }

    /// Signatures and names that are no tags; never what the source follows.
    fn hide(&mut self, follows: Option<&Follows>) {
        let before = self.tags.len() + self.invalid.len();
        let followed =
            |tag: &str| follows.is_some_and(|follows| follows.by() == "tag" && follows.text() == tag);
        self.tags.retain(|tag| followed(&tag.name) || !is_signature_tag(&tag.name));
        self.invalid.clear();
        self.hidden = before - self.tags.len();
    }

    fn items(&self, asked: &Asked, choice: &Choice) -> Vec<Item> {
        let running = asked.running().and_then(|(tag, _)| tag);
        let tags = self.tags.iter().map(|tag| {
            let (verdict, reason) = choice.verdict(&tag.name);
            Item {
                tag: tag.name.to_string(),
                version: Version::parse_tag(&tag.read_as).ok().map(|version| version.to_string()),
                verdict,
                reason,
                digest: choice.digest.clone().filter(|_| verdict == Verdict::Chosen),
                running: running == Some(&*tag.name),
            }
        });
        let invalid = self.invalid.iter().map(|name| Item {
            tag: name.clone(),
            version: None,
            verdict: Verdict::Invalid,
            reason: "not a tag by the rules of OCI".to_owned(),
            digest: None,
            running: false,
        });
        tags.chain(invalid).collect()
    }

    fn document(&self, asked: &Asked, choice: &Choice, items: &[Item]) -> Value {
        let running = asked.running().map(|(tag, digest)| json!({"tag": tag, "digest": digest}));
        let problems: Vec<Value> = self.problems.iter().map(problem_fields).collect();
        tag_list(json!({
            "repository": asked.upstream.repository.to_string(),
            "complete": self.problems.is_empty() && self.cut.is_none(),
            "requests": self.requests,
            "hidden": self.hidden,
            "chosen": choice.fields(),
            "ambiguous": [],
            "error": choice.error,
            "running": running,
            "askedWith": self.asked_with.as_deref(),
            "problems": problems,
            "items": items.iter().map(Item::fields).collect::<Vec<_>>(),
        }))
    }

    /// What the rows do not say.
    fn comment(&self, asked: &Asked, choice: &Choice, listed: usize, console: &mut Console<'_>) {
        console.complain_all(&self.problems);
        if let Some(cut) = &self.cut {
            console.say(&format!("not all tags are listed: {cut}"));
        }
        if let Some(error) = &choice.error {
            console.say(&format!("the source chooses no tag: {error}"));
        }
        if self.asked_with.is_none() && listed == 0 {
            return;
        }
        let mut words = format!("{listed} of {} tags of {}", listed + self.hidden, asked.upstream.repository);
        if self.hidden > 0 {
            words.push_str(" (signatures and invalid names are hidden: --all)");
        }
        let with = self.asked_with.as_deref().map_or_else(String::new, |with| format!(", asked with {with}"));
        console.say(&format!("{words}; {} request(s){with}", self.requests));
        if let Some((Some(tag), _)) =
            asked.running().filter(|_| self.problems.is_empty() && self.cut.is_none())
            && !self.tags.iter().any(|listed| &*listed.name == tag)
        {
            console.say(&format!("{tag} is running and no longer in the registry"));
        }
    }
}

/// One row.
struct Item {
    tag: String,
    version: Option<String>,
    verdict: Verdict,
    reason: String,
    digest: Option<String>,
    running: bool,
}

impl Item {
    fn fields(&self) -> Value {
        json!({
            "tag": self.tag,
            "version": self.version,
            "verdict": self.verdict.word(),
            "reason": self.reason,
            "digest": self.digest,
            "created": null,
            "running": self.running,
        })
    }
}

/// The verdicts of `design.md` §10 that need no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Chosen,
    Signature,
    Invalid,
    NotFollowed,
    NotJudged,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Signature => "signature",
            Self::Invalid => "invalid",
            Self::NotFollowed => "not-followed",
            Self::NotJudged => "not-judged",
        }
    }
}

/// What the source takes, as far as that needs no range.
struct Choice {
    follows: Option<Follows>,
    /// The followed tag or digest is one that Flux could take.
    made: bool,
    digest: Option<String>,
    error: Option<String>,
    problem: Option<Problem>,
}

impl Choice {
    /// Asks what the followed tag is now: one HEAD, nothing for ranges and digests.
    async fn of(registry: &dyn Registry, asked: &Asked) -> Self {
        let follows = asked.follows();
        let mut choice = Self { follows, made: false, digest: None, error: None, problem: None };
        match choice.follows.clone() {
            None | Some(Follows::Semver(_)) => {}
            Some(Follows::Digest(digest)) => {
                choice.made = true;
                choice.digest = Some(digest.into());
            }
            Some(follows @ (Follows::Tag(_) | Follows::Latest)) => {
                choice.look_at(registry, asked, follows.text()).await;
            }
        }
        choice
    }

    async fn look_at(&mut self, registry: &dyn Registry, asked: &Asked, tag: &str) {
        if !is_tag(tag) {
            self.error = Some(format!("spec.ref.tag {tag:?} is not a tag by the rules of OCI"));
            return;
        }
        match registry.head(asked.upstream.clone(), tag.to_owned()).await {
            Ok(found) => {
                self.made = true;
                self.digest = Some(found.digest.as_str().to_owned());
            }
            Err(problem) if problem.cause == Cause::NotFound => self.error = Some(problem.why),
            Err(problem) => {
                self.made = true;
                self.problem = Some(problem);
            }
        }
    }

    /// The tag by which the artifact is taken; a digest is taken without one.
    fn tag(&self) -> Option<&str> {
        let follows = self.follows.as_ref().filter(|follows| self.made && follows.by() == "tag")?;
        Some(follows.text())
    }

    fn verdict(&self, tag: &str) -> (Verdict, String) {
        if self.tag() == Some(tag) {
            let reason = match &self.follows {
                Some(Follows::Latest) => "without spec.ref Flux takes this tag",
                Some(Follows::Tag(_) | Follows::Semver(_) | Follows::Digest(_)) | None => {
                    "spec.ref names this tag"
                }
            };
            return (Verdict::Chosen, reason.to_owned());
        }
        if is_signature_tag(tag) {
            return (Verdict::Signature, "a signature or what belongs to one".to_owned());
        }
        match &self.follows {
            None => (Verdict::NotJudged, "no source was named".to_owned()),
            Some(Follows::Semver(range)) => {
                (Verdict::NotJudged, format!("ranges are not evaluated yet in this version: semver {range}"))
            }
            Some(follows) => {
                (Verdict::NotFollowed, format!("spec.ref follows the {} {}", follows.by(), follows.text()))
            }
        }
    }

    fn fields(&self) -> Value {
        if self.made { json!({"tag": self.tag(), "digest": self.digest}) } else { Value::Null }
    }
}

fn table(items: &[Item], asked: &Asked, args: &TagsArgs) -> String {
    let wide = args.output == Format::Wide;
    let judged = asked.source.is_some();
    let columns = [
        (true, "TAG"),
        (wide, "VERSION"),
        (judged, "RUNNING"),
        (judged || wide || args.all, "VERDICT"),
        (wide, "REASON"),
    ];
    let shown = |all: [String; 5]| -> Vec<String> {
        all.into_iter().zip(columns).filter_map(|(cell, (there, _))| there.then_some(cell)).collect()
    };
    let mut table = Table::new(columns.iter().filter_map(|(there, title)| there.then_some(*title)).collect());
    for item in items {
        let running = if item.running { "running" } else { "" };
        table.push(&shown([
            item.tag.clone(),
            item.version.clone().unwrap_or_default(),
            running.to_owned(),
            item.verdict.word().to_owned(),
            item.reason.clone(),
        ]));
    }
    if items.is_empty() { String::new() } else { table.take(!args.no_header) }
}

fn names(items: &[Item]) -> String {
    items.iter().map(|item| super::safe_line(&item.tag)).collect()
}

fn tag_list(fields: Value) -> Value {
    document("TagList", fields)
}

/// The repository is not known: a script still gets a document.
fn unasked(args: &TagsArgs, problem: &Problem, console: &mut Console<'_>) -> i32 {
    console.complain(problem);
    let document = || {
        tag_list(json!({
            "repository": null, "complete": false, "requests": 0, "hidden": 0, "chosen": null, "ambiguous": [],
            "error": null, "running": null, "askedWith": null, "problems": [problem_fields(problem)], "items": [],
        }))
    };
    match args.output {
        Format::Json => console.json(&document()),
        Format::Yaml => console.yaml(&document()),
        Format::Table | Format::Wide | Format::Name => {}
    }
    exit::NOT_ANSWERED
}
