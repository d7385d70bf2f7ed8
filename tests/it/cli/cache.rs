//! `cache`: where it is and what it holds, before and after it was emptied.

use super::{fake::Fake, run, sealed::Sealed};
use fluxscope::{
    domain::problem::{Cause, Problem},
    port::CacheInfo,
};
use serde_json::json;
use std::sync::Mutex;

fn with_cache(cache: Result<CacheInfo, Problem>) -> Fake {
    Fake { sealed: Sealed { cache: Mutex::new(cache), ..Sealed::default() }, ..Fake::default() }
}

#[tokio::test]
async fn the_cache_says_where_it_is_and_how_full() {
    for line in ["cache", "cache info"] {
        let ran = run(Fake::default(), line).await;
        let words = "Path:    /cache\nBlobs:   7\nSize:    3.0 MiB of at most 512.0 MiB\n";
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, words, ""));
    }
    let none = CacheInfo { path: None, bytes: 0, blobs: 0, limit: 0 };
    assert_eq!(run(with_cache(Ok(none)), "cache").await.out, "Nothing is kept on disk\n");
}

#[tokio::test]
async fn clearing_says_what_was_freed_and_what_is_left() {
    let ran = run(Fake::default(), "cache clear -o json").await;
    let expected = json!({"apiVersion": "fluxscope/v1", "kind": "Cache", "path": "/cache", "blobs": 0, "bytes": 0,
        "limit": 536_870_912, "freed": 3_145_728, "problem": null});
    assert_eq!((ran.code, ran.json()), (0, expected));
    assert_eq!(ran.err, "3.0 MiB freed\n");
}

#[tokio::test]
async fn a_cache_that_cannot_be_read_is_a_problem() {
    let problem = Problem::new(Cause::Other, "look at the cache", "permission denied");
    let ran = run(with_cache(Err(problem)), "cache -o json").await;
    assert_eq!((ran.code, ran.json()["problem"]["why"].as_str()), (2, Some("permission denied")));
}
