//! What refers to a manifest: by the referrers API, by its tag schema, and by cosign's older tags. A registry that
//! could not be asked is never taken for one that has none.

use super::{
    auth::{Office, Question},
    document::{self, Document},
    failure::Failure,
    link::next_page,
    manifest,
    place::Place,
    transport::{Answer, Body, Call, Request},
};
use crate::domain::{
    artifact::{Descriptor, Referrer, Referrers},
    digest::Digest,
    problem::{Cause, Problem},
    repository::Upstream,
};
use futures::{StreamExt, future::join_all, stream};
use reqwest::header::LINK;
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

/// cosign's tags beside a manifest, and what is under them (`reference/registries.md` §7).
pub(super) const COSIGN: [(&str, &str); 3] = [
    (".sig", "application/vnd.dev.cosign.artifact.sig.v1+json"),
    (".att", "application/vnd.dsse.envelope.v1+json"),
    (".sbom", "application/vnd.dev.cosign.artifact.sbom.v1+json"),
];
/// Asked for by themselves where the whole list is too long.
const SIGNATURES: [&str; 2] =
    ["application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.cncf.notary.signature"];
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const MOST_PAGES: usize = 20;
/// Entries without a type whose manifests are read for it.
const MOST_UNTYPED: usize = 16;

/// `sha256-<hex>`: the tag schema's name for a manifest.
pub(super) fn schema_tag(digest: &Digest) -> String {
    format!("{}-{}", digest.algorithm(), digest.hex())
}

/// The entries of an index that lists referrers.
pub(super) fn listed(index: &Document) -> impl Iterator<Item = Referrer> {
    let types = index.children.iter().map(|child| child.artifact_type.clone().unwrap_or_default());
    let descriptors = index.manifest.children.iter().cloned();
    descriptors.zip(types).map(|(descriptor, artifact_type)| Referrer {
        descriptor,
        artifact_type,
        tag: None,
    })
}

/// What a manifest is, where the list does not say: its own word, else the type of its config, else of its layer.
pub(super) fn type_of(document: &Document) -> Box<str> {
    let config = document.manifest.config.as_ref().map(|config| config.media_type.clone());
    let layer = document.manifest.layers.first().map(|layer| layer.media_type.clone());
    let mut kinds = [document.artifact_type.clone(), config, layer].into_iter().flatten();
    kinds.find(|kind| !kind.is_empty() && **kind != *EMPTY).unwrap_or_default()
}

/// Each digest once, in the order they were found.
pub(super) fn distinct(found: Vec<Referrer>) -> Vec<Referrer> {
    let mut seen = HashSet::new();
    found.into_iter().filter(|one| seen.insert(one.descriptor.digest.clone())).collect()
}

pub(super) async fn find(
    office: Arc<Office>,
    upstream: Upstream,
    digest: Digest,
) -> Result<Referrers, Problem> {
    let what = format!("ask what refers to {digest} in {}", upstream.repository);
    let wrong = |why: String| Problem::new(Cause::Usage, what.as_str(), why);
    if !digest.is_oci() {
        return Err(wrong("registries know sha256, sha384 and sha512".to_owned()));
    }
    let place = Place::of(&upstream.repository).map_err(wrong)?;
    let question = Question { what: what.clone(), upstream, place };
    let search = Search { office: &office, question, digest };
    let (linked, tagged) = futures::join!(search.linked(), search.tagged());
    search.sum_up(linked, tagged).await
}

struct Search<'a> {
    office: &'a Office,
    question: Question,
    digest: Digest,
}

/// What one way of asking brought.
#[derive(Default)]
struct Part {
    found: Vec<Referrer>,
    /// How it was asked, and what is missing.
    words: Vec<String>,
    cut: bool,
    /// It could not be asked, or not to the end.
    problem: Option<Problem>,
}

/// One page of the API.
enum Page {
    List {
        index: Box<Document>,
        next: Option<String>,
        cut: Option<String>,
    },
    /// The registry has no such list.
    NoApi,
}

impl Search<'_> {
    async fn sum_up(&self, linked: Part, tagged: Part) -> Result<Referrers, Problem> {
        let problem = linked.problem.or(tagged.problem);
        let found = distinct(linked.found.into_iter().chain(tagged.found).collect());
        if let Some(problem) = problem.clone().filter(|_| found.is_empty()) {
            let what = self.question.what.clone();
            return Err(Problem { what, ..problem });
        }
        let complete = problem.is_none() && !linked.cut && !tagged.cut;
        let mut words = [linked.words, tagged.words].concat();
        words.extend(problem.map(|problem| format!("not all could be asked: {}", problem.why)));
        let found = self.name_types(found).await;
        Ok(Referrers { found, note: words.join("; ").into(), complete })
    }

    /// By the API; by the tag schema where there is none or it fails.
    async fn linked(&self) -> Part {
        let mut part = Part::default();
        let has_api = self.pages(None, &mut part).await;
        if has_api && part.problem.is_none() {
            if part.cut {
                // the list is longer than anybody reads: the signatures are asked for by themselves
                for kind in SIGNATURES {
                    self.pages(Some(kind), &mut part).await;
                }
            }
            return part;
        }
        let tag = schema_tag(&self.digest);
        match manifest::find(self.office, self.question.upstream.clone(), &tag).await {
            Ok(Some(fetched)) if fetched.document.is_index() => {
                part.words.push("by the tag schema".to_owned());
                part.cut |= fetched.document.entries > fetched.document.manifest.children.len();
                part.found.extend(listed(&fetched.document));
            }
            Ok(Some(_)) => part.words.push(format!("the tag {tag} is no index")),
            Ok(None) if part.problem.is_none() => {
                part.words
                    .push("the registry has no referrers API, and no index by the tag schema".to_owned());
            }
            Ok(None) => {}
            Err(problem) => part.problem = part.problem.or(Some(problem)),
        }
        part
    }

    /// False: there is no API.
    async fn pages(&self, kind: Option<&str>, part: &mut Part) -> bool {
        let query =
            kind.map(|kind| format!("?artifactType={}", kind.replace('+', "%2B").replace('/', "%2F")));
        let tail = self.question.place.referrers_tail(&self.digest) + &query.unwrap_or_default();
        let (mut next, mut asked, mut pages) = (Some(tail), HashSet::new(), 0);
        while let Some(tail) = next.take() {
            let page = self.page(&tail).await;
            asked.insert(tail);
            pages += 1;
            match page {
                Ok(Page::List { index, next: following, cut }) => {
                    let mut found: Vec<Referrer> = listed(&index).collect();
                    // the registry may or may not have applied the filter
                    found.retain(|one| kind.is_none_or(|kind| &*one.artifact_type == kind));
                    part.found.append(&mut found);
                    part.cut |= cut.is_some();
                    part.words.extend(cut);
                    next = self.follow(following, &asked, pages, part);
                }
                Ok(Page::NoApi) if pages == 1 => return false,
                Ok(Page::NoApi) => {
                    part.cut = true;
                    part.words.push("the next page of the list is missing".to_owned());
                }
                Err(problem) => part.problem = Some(problem),
            }
        }
        if kind.is_none() {
            part.words.insert(0, "by the referrers API".to_owned());
        }
        true
    }

    fn follow(
        &self,
        next: Option<String>,
        asked: &HashSet<String>,
        pages: usize,
        part: &mut Part,
    ) -> Option<String> {
        let next = next?;
        let most = self.office.transport.limits.listed;
        let why = if asked.contains(&next) {
            "the registry repeats a page of the list: referrers may be missing".to_owned()
        } else if pages >= MOST_PAGES || part.found.len() >= most {
            format!("stopped after {} referrers: more exist", part.found.len())
        } else {
            return Some(next);
        };
        part.cut = true;
        part.words.push(why);
        None
    }

    async fn page(&self, tail: &str) -> Result<Page, Problem> {
        let limits = &self.office.transport.limits;
        let request = Request { body: Body::Here, ..Request::document(INDEX, limits) };
        let answer = self.office.ask(&self.question, &Call::new(limits), tail, &request).await?.answer;
        match answer.status.as_u16() {
            200 => {}
            // some registries send a browser elsewhere instead
            300..=399 | 400 | 404..=406 | 415 | 501 => return Ok(Page::NoApi),
            _ => return Err(Failure::of_status(&answer).into_problem(&self.question.what)),
        }
        let digest = document::digest_of("sha256", &answer.body);
        let read =
            digest.and_then(|digest| document::read(&answer.body, answer.content_type().as_deref(), digest));
        match read {
            Ok(index) if index.is_index() => {
                let listed = index.manifest.children.len();
                let cut = (index.entries > listed)
                    .then(|| format!("a page of {} referrers: the first {listed} are listed", index.entries));
                let (next, refused) = self.next_page(&answer);
                Ok(Page::List { index: Box::new(index), next, cut: cut.or(refused) })
            }
            Ok(_) | Err(_) => Ok(Page::NoApi),
        }
    }

    fn next_page(&self, answer: &Answer) -> (Option<String>, Option<String>) {
        let mut links = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let Some(target) = links.find_map(next_page) else { return (None, None) };
        let tail = answer.url.join(target).ok().and_then(|url| self.question.place.own_tail(&url));
        match tail {
            Some(tail) => (Some(tail), None),
            None => (None, Some("the next page is not at this registry: it is not asked for".to_owned())),
        }
    }

    /// cosign's tags, one HEAD each.
    async fn tagged(&self) -> Part {
        let schema = schema_tag(&self.digest);
        let heads = COSIGN.iter().map(|(ending, kind)| {
            let tag = format!("{schema}{ending}");
            async move {
                let upstream = self.question.upstream.clone();
                let head = manifest::head_if_there(self.office, upstream, &tag).await?;
                Ok(head.map(|descriptor| Referrer {
                    descriptor,
                    artifact_type: (*kind).into(),
                    tag: Some(tag.into()),
                }))
            }
        });
        let mut part = Part::default();
        for head in join_all(heads).await {
            match head {
                Ok(found) => part.found.extend(found),
                Err(problem) => part.problem = part.problem.or(Some(problem)),
            }
        }
        let words = if part.found.is_empty() { "no tag of cosign's" } else { "by cosign's tags" };
        if !part.found.is_empty() || part.problem.is_none() {
            part.words.push(words.to_owned());
        }
        part
    }

    /// Some lists do not say what an entry is; its manifest does.
    async fn name_types(&self, mut found: Vec<Referrer>) -> Vec<Referrer> {
        let untyped = |one: &&Referrer| one.artifact_type.is_empty() || &*one.artifact_type == EMPTY;
        let digests: Vec<Digest> = found
            .iter()
            .filter(untyped)
            .take(MOST_UNTYPED)
            .map(|one| one.descriptor.digest.clone())
            .collect();
        let types: BTreeMap<Digest, Box<str>> = stream::iter(digests)
            .map(|digest| async move {
                let upstream = self.question.upstream.clone();
                let fetched = manifest::document(self.office, upstream, digest.as_str()).await.ok()?;
                Some((digest, type_of(&fetched.document)))
            })
            .buffer_unordered(4)
            .filter_map(|typed| async { typed })
            .collect()
            .await;
        for one in &mut found {
            if let Some(kind) = types.get(&one.descriptor.digest) {
                one.artifact_type.clone_from(kind);
            }
        }
        found
    }
}

/// The descriptor of a tag that a layout holds.
pub(super) fn under_tag(tag: &str, descriptor: &Descriptor, digest: &Digest) -> Option<Referrer> {
    let ending = tag.strip_prefix(&schema_tag(digest))?;
    let (_, kind) = COSIGN.iter().find(|(known, _)| *known == ending)?;
    let artifact_type = (*kind).into();
    Some(Referrer { descriptor: descriptor.clone(), artifact_type, tag: Some(tag.into()) })
}
