//! The same promises against real registries: `tests/cluster/up` names them in the environment.

use super::{artifacts::open, good_pages, names, problem, registry, upstream};
use base64::{Engine, engine::general_purpose::STANDARD};
use fluxscope::{
    domain::{
        artifact::{Origin, Target},
        problem::Cause,
        source::LayerSelector,
    },
    port::{Artifacts, Registry},
    registry::{Environment, Limits, OciRegistry, Settings},
};

fn named(variable: &str) -> String {
    std::env::var(variable)
        .unwrap_or_else(|_| panic!("{variable} names no registry: source the env of tests/cluster"))
}

#[tokio::test]
#[ignore = "needs the registries of tests/cluster"]
async fn tags_heads_and_manifests_agree_on_a_paging_and_an_unpaging_registry() {
    let limits = Limits { page_size: 5, ..Limits::default() };
    let registry = OciRegistry::new(Settings { limits, ..Settings::default() }).unwrap();
    for (variable, paging) in [("REGISTRY_PAGED", true), ("REGISTRY_UNPAGED", false)] {
        let at = upstream(&format!("{}/smoke/many", named(variable)));
        let pages = good_pages(&registry, at.clone()).await;
        let tags = names(&pages);
        assert_eq!(pages.len() > 1, paging);
        println!(
            "{variable}: {} tags, {} pages, {} requests",
            tags.len(),
            pages.len(),
            pages.last().unwrap().requests
        );
        assert!(!tags.is_empty() && pages.last().unwrap().cut.is_none());
        let head = registry.head(at.clone(), tags[0].to_owned()).await.unwrap();
        let by_tag = registry.manifest(at.clone(), tags[0].to_owned()).await.unwrap();
        let by_digest = registry.manifest(at, head.digest.to_string()).await.unwrap();
        println!("{variable}: {} is {} ({}, {:?} bytes)", tags[0], head.digest, head.media_type, head.size);
        assert_eq!((&head.digest, head.size), (&by_tag.digest, Some(by_tag.size)));
        assert_eq!(by_tag, by_digest);
    }
    let gone = problem(&registry, upstream(&format!("{}/smoke/nothing", named("REGISTRY_PAGED")))).await;
    println!("{gone}");
    assert_eq!(gone.cause, Cause::NotFound);
}

#[tokio::test]
#[ignore = "needs the registries of tests/cluster"]
async fn a_registry_with_a_password_wants_it_and_takes_it() {
    let host = named("REGISTRY_AUTH");
    let at = upstream(&format!("{host}/smoke/private"));
    let without = problem(&registry(), at.clone()).await;
    println!("{without}");
    assert_eq!(without.cause, Cause::Unauthorized);
    let file = super::folder("real").join("auth.json");
    for (password, cause) in
        [("wrong".to_owned(), Cause::Unauthorized), (named("REGISTRY_AUTH_PASSWORD"), Cause::NotFound)]
    {
        let auth = STANDARD.encode(format!("{}:{password}", named("REGISTRY_AUTH_USER")));
        std::fs::write(&file, format!(r#"{{"auths":{{"{host}":{{"auth":"{auth}"}}}}}}"#)).unwrap();
        let environment = Environment { registry_auth_file: Some(file.clone()), ..Environment::default() };
        let registry = OciRegistry::new(Settings { environment, ..Settings::default() }).unwrap();
        let problem = problem(&registry, at.clone()).await;
        println!("{problem}");
        assert_eq!(problem.cause, cause);
    }
}

#[tokio::test]
#[ignore = "needs the registries of tests/cluster"]
async fn an_artifact_opens_verified_and_nothing_refers_to_it() {
    let registry = registry();
    for variable in ["REGISTRY_PAGED", "REGISTRY_UNPAGED"] {
        let at = upstream(&format!("{}/smoke/many", named(variable)));
        let pages = good_pages(&registry, at.clone()).await;
        let origin = Origin::Registry { upstream: at, reference: names(&pages)[0].into() };
        let target = Target { origin, selector: LayerSelector::default(), ignore: None };
        let artifact = registry.inspect(target).await.unwrap();
        assert!(artifact.notes.is_empty() && artifact.config.is_some(), "{:?}", artifact.notes);
        let opened = open(&registry, &artifact).await.1.unwrap();
        assert!(opened.verified && opened.tree.error.is_none());
        let found = Artifacts::referrers(&registry, &artifact).await.unwrap();
        println!("{variable}: {} ({})", found.found.len(), found.note);
        assert!(found.complete);
    }
}
