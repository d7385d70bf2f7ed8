//! Standing of real objects: what kubectl printed on a cluster where Flux's own controllers had made each situation.

use fluxscope::{
    cluster::convert,
    domain::{
        Timestamp,
        fact::{Fact, FeedId, Object},
        identity::{Kind, ObjectId},
        standing::assess,
        world::World,
    },
};
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// All documents of a file that are Flux objects.
fn objects(yaml: &str) -> Vec<Arc<Object>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    let flux = documents.iter().filter(|document| document["kind"] != "Event");
    flux.map(|document| convert::object_in(document).unwrap()).collect()
}

/// A world in which every watched kind was listed, and these objects were found.
fn world(objects: &[Arc<Object>]) -> World {
    let mut world = World::default();
    for kind in Kind::WATCHED {
        let found = objects.iter().filter(|object| object.id().kind == kind).cloned().collect();
        let feed = FeedId { kind, namespace: None };
        world.observe(Fact::Listed { feed, objects: found, at: Timestamp::UNIX_EPOCH });
    }
    world
}

#[test]
fn every_situation_stands_as_flux_left_it() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/situations");
    let Ok(expected) = std::fs::read(folder.join("expected.json")) else {
        println!("skipped: {} is not there", folder.display());
        return;
    };
    let expected: Vec<BTreeMap<String, String>> = serde_json::from_slice(&expected).unwrap();
    assert!(expected.len() >= 35);
    let mut wrong = Vec::new();
    for row in &expected {
        let file = folder.join(format!("{}.yaml", row["situation"]));
        let objects = objects(&std::fs::read_to_string(file).unwrap());
        let world = world(&objects);
        let kind = Kind::from_name(&row["kind"]).unwrap();
        let id = ObjectId::new(kind, row["namespace"].as_str(), row["name"].as_str());
        let object = world.get(&id).unwrap();
        assert_eq!(object.oddities(), [""; 0], "{id} of {}", row["situation"]);
        let found = assess(&world, object);
        if found.standing.word() != row["standing"] {
            wrong.push(format!("{}: {id} is {found:?}, expected {}", row["situation"], row["standing"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_ocirepository_as_kubectl_prints_it_is_read_whole() {
    let read = objects(include_str!("fixtures/ocirepository.yaml"));
    let source = read[0].as_source().unwrap();
    assert_eq!(assess(&world(&read), &read[0]).standing.word(), "ready");
    assert_eq!(source.follows().unwrap().text(), "6.x");
    assert_eq!(source.upstream().unwrap().repository.to_string(), "ghcr.io/stefanprodan/charts/podinfo");
    assert_eq!(read[0].revision().unwrap().short(), "6.9.1@3b6cdcc7");
    assert_eq!(source.meta.manager().unwrap().to_string(), "ks flux-system/infra");
    assert_eq!(source.meta.requested_at, source.status.last_handled_reconcile_at);
    assert_eq!(source.verify().unwrap().identities.len(), 1);
    assert_eq!(source.oddities, [""; 0]);
}

#[test]
fn a_helmrelease_that_tried_another_digest_than_its_source_holds_is_stale() {
    let mut read = objects(include_str!("fixtures/ocirepository.yaml"));
    read.extend(objects(include_str!("fixtures/helmrelease.yaml")));
    let release = read[1].as_consumer().unwrap();
    assert_eq!(release.source.as_ref(), Some(read[0].id()));
    assert_eq!(
        release.revision().unwrap().as_str(),
        "6.9.0+aaaaaaaaaaaa",
        "the deployed one, not the newest"
    );
    assert_eq!(release.applied.last_attempted_digest.as_ref().unwrap().short(), "aaaaaaaa");
    assert_eq!(release.depends_on[0].to_string(), "hr infra/cert-manager");
    let found = assess(&world(&read), &read[1]);
    assert_eq!((found.standing.word(), found.reason.as_str()), ("stale", "RevisionBehind"));
}
