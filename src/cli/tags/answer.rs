//! What is known of a repository's tags once they were listed: Flux's choice, and a closer look at the tags that matter
//! most. All others are asked nothing about.

use super::{
    asked::Asked,
    list::List,
    row::{Row, columns},
};
use crate::{
    cli::{
        args::TagsArgs,
        output::{Console, Table, document, problem_fields},
    },
    domain::{
        artifact::{Details, asked_with},
        constraint::Constraint,
        digest::Digest,
        pattern::Pattern,
        policy::{Choice, Judged, Selection, Verdict},
        problem::{Cause, Problem},
        repository::{Upstream, is_tag},
        source::Follows,
        version::newest,
    },
    port::{self, Registry},
};
use futures::future::join_all;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, json};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

pub(super) struct Answer {
    asked: Asked,
    list: List,
    pub(super) selection: Selection,
    /// What the chosen tag, the running one and the newest name now.
    looks: BTreeMap<Arc<str>, Result<Look, Problem>>,
}

/// What one tag names, and when that was made.
pub(super) struct Look {
    pub(super) digest: Digest,
    pub(super) created: Option<Box<str>>,
}

/// The document: what is said once, then the rows.
pub(super) struct TagList<'a> {
    fields: Value,
    items: &'a [Row],
}

impl Serialize for TagList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.fields.as_object().into_iter().flatten() {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("items", self.items)?;
        map.end()
    }
}

impl Answer {
    pub(super) async fn of(registry: &dyn Registry, asked: Asked, list: List) -> Self {
        let selection = list.select(&asked.policy);
        let mut answer = Self { asked, list, selection, looks: BTreeMap::new() };
        let looks = answer.worth_a_look().into_iter().map(|tag| {
            let upstream = answer.asked.upstream.clone();
            async move { (tag.clone(), look(registry, upstream, &tag).await) }
        });
        answer.looks = join_all(looks).await.into_iter().collect();
        answer.settle_choice();
        answer
    }

    /// Three at most: the tag that Flux takes, the running one and the newest.
    fn worth_a_look(&self) -> BTreeSet<Arc<str>> {
        let listed = |tag: &str| self.list.tags.iter().find(|listed| ***listed == *tag).cloned();
        let running =
            self.asked.running.as_ref().and_then(|running| listed(&running.tag()?.replace('+', "_")));
        let own = |tag: &&Arc<str>| is_tag(tag);
        let tags: Vec<&Arc<str>> = self.list.tags.iter().filter(own).collect();
        let newest = newest(&tags, |tag| self.asked.policy.dialect.read(tag)).map(|tag| Arc::clone(tag));
        let tags = [self.wanted(), running, newest].into_iter().flatten();
        tags.filter(|tag| is_tag(tag)).collect()
    }

    /// The winner, or the tag that Flux asks for directly whether the list names it or not.
    fn wanted(&self) -> Option<Arc<str>> {
        match &self.selection.chosen {
            Some(Choice::Tag(tag)) => Some(tag.clone()),
            Some(Choice::Digest(_)) => None,
            None => self.asked.policy.named_tag(),
        }
    }

    /// A tag that is followed is chosen if it is there, whatever the list says.
    fn settle_choice(&mut self) {
        let Some(followed) = self.asked.policy.named_tag() else { return };
        if !is_tag(&followed) {
            self.selection.error =
                Some(format!("spec.ref.tag {followed:?} is not a tag by the rules of OCI"));
            return;
        }
        match self.looks.get(&followed) {
            Some(Ok(_)) => self.selection.chosen = Some(Choice::Tag(followed)),
            Some(Err(problem)) if problem.cause == Cause::NotFound => {
                self.selection.chosen = None;
                self.selection.error = Some(problem.why.clone());
            }
            Some(Err(problem)) if self.list.problems.is_empty() => self.list.problems.push(problem.clone()),
            // the list failed for the same reason
            Some(Err(_)) | None => {}
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.list.is_whole()
    }

    /// Newest first by version as Flux reads it, then the others by name.
    pub(super) fn rows(&self, all: bool) -> Vec<Row> {
        let hidden =
            |judged: &&Judged| all || !matches!(judged.verdict, Verdict::Signature | Verdict::Invalid);
        let judged = self.selection.verdicts.iter().filter(hidden);
        let mut rows: Vec<Row> = judged.map(|judged| self.row(judged)).collect();
        rows.sort_by_cached_key(|row| match &row.version {
            Some(version) => (0, Some(Reverse(version.clone())), Arc::from("")),
            None => (row.rank(), None, row.tag.clone()),
        });
        rows
    }

    fn row(&self, judged: &Judged) -> Row {
        let look = self.looks.get(&judged.tag);
        let found = look.and_then(|look| look.as_ref().ok());
        let running = self.asked.running.as_ref().is_some_and(|running| {
            let named = running.tag().is_some_and(|tag| tag.replace('+', "_") == *judged.tag);
            // a tag that was moved no longer names what runs
            let moved = matches!((found, running.digest()), (Some(now), Some(then)) if now.digest != *then);
            named && !moved
        });
        Row {
            tag: judged.tag.clone(),
            version: judged.version.clone(),
            verdict: judged.verdict,
            reason: judged.reason.clone(),
            digest: found.map(|look| look.digest.clone()),
            created: found.and_then(|look| look.created.clone()),
            running,
            problem: look.and_then(|look| look.as_ref().err().cloned()),
        }
    }

    pub(super) fn document<'a>(&self, rows: &'a [Row]) -> TagList<'a> {
        let running = self.asked.running.as_ref().map(
            |running| json!({"tag": running.tag(), "digest": running.digest().map(ToString::to_string)}),
        );
        let digest_of = |tag: &Arc<str>| Some(self.looks.get(tag)?.as_ref().ok()?.digest.to_string());
        let chosen = self.selection.chosen.as_ref().map(|choice| match choice {
            Choice::Tag(tag) => json!({"tag": &**tag, "digest": digest_of(tag)}),
            Choice::Digest(digest) => json!({"tag": null, "digest": &**digest}),
        });
        let fields = json!({
            "repository": self.asked.upstream.repository.to_string(),
            "complete": self.is_whole(),
            "requests": self.list.requests,
            "hidden": self.selection.verdicts.len() - rows.len(),
            "chosen": chosen,
            "ambiguous": self.selection.ambiguous.iter().map(|tag| &**tag).collect::<Vec<_>>(),
            "error": self.selection.error,
            "running": running,
            "askedWith": self.list.asked_with.as_deref(),
            "problems": self.list.problems.iter().map(problem_fields).collect::<Vec<_>>(),
        });
        TagList { fields: document("TagList", fields), items: rows }
    }

    pub(super) fn table(&self, rows: &[Row], args: &TagsArgs) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let columns = columns(args, self.asked.policy.follows.is_some(), self.asked.running.is_some());
        let titles = columns.iter().filter_map(|(there, title)| there.then_some(*title));
        let mut table = Table::new(titles.collect());
        for row in rows {
            let shown =
                row.cells().into_iter().zip(columns).filter_map(|(cell, (there, _))| there.then_some(cell));
            table.push(&shown.collect::<Vec<String>>());
        }
        table.take(!args.no_header)
    }

    /// What the rows do not say.
    pub(super) fn comment(&self, listed: usize, console: &mut Console<'_>) {
        let unseen = self.looks.values().filter_map(|look| look.as_ref().err());
        let unseen = unseen.filter(|problem| !self.is_told(problem)).cloned();
        console.complain_all(&self.list.problems.iter().cloned().chain(unseen).collect::<Vec<_>>());
        if let Some(cut) = &self.list.cut {
            console.say(&format!("not all tags are listed: {cut}"));
        }
        if let Some(error) = &self.selection.error {
            console.say(&format!("Flux would choose nothing: {error}"));
            self.point_at_fault(console);
        }
        if self.asked.policy.filter.is_some()
            && !matches!(self.asked.policy.follows, Some(Follows::Semver(_)))
        {
            console.say("the filter plays no part: it counts beside a range only (--semver)");
        }
        if let [first, ..] = &self.selection.ambiguous[..] {
            console
                .say(&format!("{first} is as high as the chosen tag: which of them is taken is not defined"));
        }
        let all = self.selection.verdicts.len();
        if self.list.asked_with.is_none() && all == 0 {
            return;
        }
        let mut words = format!("{listed} of {all} tags of {}", self.asked.upstream.repository);
        if listed < all {
            words.push_str(" (signatures and invalid names are hidden: --all)");
        }
        let with = self.list.asked_with.as_deref();
        let with = with.map_or_else(String::new, |with| format!(", {}", asked_with(with)));
        let plural = if self.list.requests == 1 { "" } else { "s" };
        console.say(&format!("{words}; {} request{plural}{with}", self.list.requests));
        if let Some(missing) = self.missing() {
            console.say(&format!("{missing} is running and no longer in the registry"));
        }
    }

    /// Where a range that cannot be read breaks; a filter that cannot be read comes first, as in Flux.
    fn point_at_fault(&self, console: &mut Console<'_>) {
        let filter = self.asked.policy.filter.as_deref();
        if let Some(Follows::Semver(range)) = &self.asked.policy.follows
            && filter.is_none_or(|filter| Pattern::compile(filter).is_ok())
            && let Err(error) = Constraint::parse(range)
        {
            console.point(range, error.at());
        }
    }

    /// What the answer says in other words already.
    fn is_told(&self, problem: &Problem) -> bool {
        self.selection.error.as_ref() == Some(&problem.why) || !self.list.problems.is_empty()
    }

    fn missing(&self) -> Option<&str> {
        let tag = self.asked.running.as_ref()?.tag().filter(|_| self.is_whole())?;
        let here = self.selection.verdicts.iter().any(|judged| tag.replace('+', "_") == *judged.tag);
        (!here).then_some(tag)
    }
}

/// The manifest, and the config where only that says when it was made. Of what cannot be read the digest is still known.
async fn look(registry: &dyn Registry, upstream: Upstream, tag: &str) -> Result<Look, Problem> {
    match port::details(registry, upstream.clone(), tag.to_owned()).await {
        Ok(Details { manifest, created }) => Ok(Look { digest: manifest.digest, created }),
        Err(problem) if matches!(problem.cause, Cause::Invalid | Cause::Other) => {
            let found = registry.head(upstream, tag.to_owned()).await?;
            Ok(Look { digest: found.digest, created: None })
        }
        Err(problem) => Err(problem),
    }
}
