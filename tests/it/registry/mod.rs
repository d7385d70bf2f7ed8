//! The registry adapter against registries in this process: dialects of paging, logins, faults, and who was told what.
mod artifacts;
mod auth;
mod blobs;
mod cache;
mod large;
mod local;
mod manifests;
mod observed;
mod outdated;
mod paging;
mod real;
mod referrers;
mod server;
mod store;
mod transport;
mod withheld;

use fluxscope::{
    domain::{
        artifact::TagPage,
        problem::Problem,
        repository::{Repository, Upstream},
    },
    port::Registry,
    registry::{Limits, OciRegistry, Settings},
};
use futures::StreamExt;
use server::Server;
use std::{path::PathBuf, time::Duration};

/// No proxies, no logins; retries come at once.
fn settings() -> Settings {
    let limits = Limits { per_second: 10_000, retry_after: Duration::from_millis(1), ..Limits::default() };
    Settings { limits, ..Settings::default() }
}

fn registry() -> OciRegistry {
    OciRegistry::new(settings()).unwrap()
}

impl Server {
    fn upstream(&self, path: &str) -> Upstream {
        upstream(&format!("{}/{path}", self.address))
    }
}

fn upstream(name: &str) -> Upstream {
    Upstream { repository: Repository::parse_url(&format!("oci://{name}")).unwrap(), insecure: false }
}

fn insecure(name: &str) -> Upstream {
    Upstream { insecure: true, ..upstream(name) }
}

async fn pages(registry: &OciRegistry, upstream: Upstream) -> Vec<Result<TagPage, Problem>> {
    registry.tags(upstream).collect().await
}

/// All pages, none of them a problem.
async fn good_pages(registry: &OciRegistry, upstream: Upstream) -> Vec<TagPage> {
    pages(registry, upstream).await.into_iter().collect::<Result<_, _>>().unwrap()
}

/// The only item, a problem.
async fn problem(registry: &OciRegistry, upstream: Upstream) -> Problem {
    let mut pages = pages(registry, upstream).await;
    assert_eq!(pages.len(), 1, "{pages:?}");
    pages.remove(0).unwrap_err()
}

fn names(pages: &[TagPage]) -> Vec<&str> {
    pages.iter().flat_map(|page| &page.tags).map(AsRef::as_ref).collect()
}

/// A new, empty folder that only this test uses.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("registry").join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
