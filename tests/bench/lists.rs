//! The bare LISTs: what any client has to wait for. Bodies are read to their end and not looked into.

use crate::api::Api;
use futures::future::join_all;
use std::time::{Duration, Instant};

const TIMES: usize = 3;
const KINDS: [&str; 3] = [
    "/apis/source.toolkit.fluxcd.io/v1/ocirepositories",
    "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations",
    "/apis/helm.toolkit.fluxcd.io/v2/helmreleases",
];

pub struct Lists {
    /// From fastest to slowest.
    pub times: Vec<Duration>,
    pub bytes: usize,
    pub objects: usize,
}

pub async fn measure(api: &Api) -> Lists {
    let objects = join_all(KINDS.map(|kind| count(api, kind))).await.into_iter().sum();
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..TIMES {
        let start = Instant::now();
        bytes = join_all(KINDS.map(|kind| list(api.clone(), kind))).await.into_iter().sum();
        times.push(start.elapsed());
    }
    times.sort();
    Lists { times, bytes, objects }
}

async fn list(api: Api, kind: &str) -> usize {
    let (mut bytes, mut next) = (0, String::new());
    loop {
        let page = page(&api, &format!("{kind}?limit=500&continue={next}")).await;
        bytes += page.len();
        match token(&page) {
            Some(token) => next = token,
            None => return bytes,
        }
    }
}

async fn count(api: &Api, kind: &str) -> usize {
    let first = page(api, &format!("{kind}?limit=1")).await;
    let list: serde_json::Value = serde_json::from_slice(&first).expect("a list");
    let more = list["metadata"]["remainingItemCount"].as_u64().unwrap_or(0) as usize;
    list["items"].as_array().map_or(0, Vec::len) + more
}

async fn page(api: &Api, path: &str) -> Vec<u8> {
    let answer = api.get(path).await.unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(answer.code, 200, "{path}");
    answer.body
}

/// The list's metadata stand at its end, after the items: only the last bytes are looked at.
fn token(page: &[u8]) -> Option<String> {
    let end = String::from_utf8_lossy(&page[page.len().saturating_sub(2_000)..]);
    let (_, rest) = end.rsplit_once("\"continue\":\"")?;
    rest.split_once('"').map(|(token, _)| token.to_owned()).filter(|token| !token.is_empty())
}
