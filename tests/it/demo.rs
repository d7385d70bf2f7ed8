//! The recorded world: whole, honest, and moved by a reconcile as Flux would move it. The clock is the test's.

use bytes::Bytes;
use fluxscope::{
    demo::Demo,
    domain::{
        Timestamp,
        action::{Step, What},
        artifact::{Artifact, Origin, Referrer, Role, Target},
        fact::{Fact, Scope},
        identity::{Kind, ObjectId},
        problem::Cause,
        repository::{Repository, Upstream, is_signature_tag},
        source::LayerSelector,
        standing::{Standing, assess},
        tree::Fate,
        version::Version,
        world::World,
    },
    port::{Cluster, Opened, Opening, carry_out, plan_reconcile},
    registry::layout::Layout,
};
use futures::StreamExt;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

fn now() -> Timestamp {
    "2030-01-02T03:04:05.678Z".parse().unwrap()
}

fn open() -> Demo {
    Demo::open(now()).unwrap()
}

async fn cluster(demo: &Demo) -> Arc<dyn Cluster> {
    demo.gateway.connect(None).await.unwrap()
}

async fn world(cluster: &dyn Cluster) -> World {
    let mut world = World::default();
    let facts: Vec<Vec<Fact>> = cluster.list(Scope::AllNamespaces).collect().await;
    for fact in facts.into_iter().flatten() {
        world.observe(fact);
    }
    world
}

fn upstream(name: &str) -> Upstream {
    Upstream { repository: Repository::parse_name(name).unwrap(), insecure: false }
}

fn ks(namespace: &str, name: &str) -> ObjectId {
    ObjectId::new(Kind::Kustomization, namespace, name)
}

fn hr(namespace: &str, name: &str) -> ObjectId {
    ObjectId::new(Kind::HelmRelease, namespace, name)
}

async fn reconcile(cluster: &Arc<dyn Cluster>, target: &ObjectId, with_source: bool) -> Vec<Step> {
    let (plan, _) = plan_reconcile(&**cluster, target, with_source).await.unwrap();
    carry_out(cluster.clone(), plan, "token-1".into(), Duration::from_secs(60)).collect().await
}

fn words(steps: &[Step]) -> Vec<(String, &'static str)> {
    steps.iter().map(|step| (step.object.to_string(), step.what.word())).collect()
}

fn revision(step: Option<&Step>) -> &str {
    step.unwrap().revision.as_deref().unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_standing_can_be_seen_and_every_object_is_read_whole() {
    let world = world(&*cluster(&open()).await).await;
    let mut seen = BTreeSet::new();
    for object in world.objects() {
        assert!(object.oddities().is_empty(), "{}: {:?}", object.id(), object.oddities());
        seen.insert(assess(&world, object).standing);
        let born = object.meta().created.unwrap();
        assert!(born < now(), "{} was made in the future", object.id());
        for since in object.status().conditions.iter().filter_map(|condition| condition.since) {
            assert!((born..now()).contains(&since), "{}: {since}", object.id());
        }
    }
    assert_eq!(seen, BTreeSet::from(Standing::ALL));
    assert_eq!(world.unreadable().count(), 0);
    let sources = world.objects().filter(|object| object.id().kind.is_source()).count();
    assert!(sources >= 12 && world.len() - sources >= 20, "{sources} of {}", world.len());
}

#[tokio::test(start_paused = true)]
async fn a_red_source_leaves_its_green_consumers_stale_since_minutes() {
    let world = world(&*cluster(&open()).await).await;
    let stale = assess(&world, world.get(&ks("payments", "ledger")).unwrap());
    assert_eq!((stale.standing, stale.reason.as_str()), (Standing::Stale, "SourceFailing"));
    assert!(stale.message.contains("UNAUTHORIZED"), "{}", stale.message);
    let source = ObjectId::new(Kind::OciRepository, "payments", "ledger");
    let since = world.get(&source).unwrap().status().ready().unwrap().since.unwrap();
    assert_eq!(now().duration_since(since).as_mins(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_reconcile_with_source_stores_the_newest_in_range_and_applies_it() {
    let demo = open();
    let cluster = cluster(&demo).await;
    let steps = reconcile(&cluster, &ks("shop", "podinfo"), true).await;
    let expected =
        ["requested", "handled", "progressing", "stored"].map(|word| ("ocirepo shop/podinfo", word));
    let then = ["requested", "handled", "progressing", "applied"].map(|word| ("ks shop/podinfo", word));
    let told: Vec<_> = expected.into_iter().chain(then).map(|(id, word)| (id.to_owned(), word)).collect();
    assert_eq!(words(&steps), told);
    let pushed =
        demo.registry.head(upstream("ghcr.io/acme/manifests/podinfo"), "6.9.4".into()).await.unwrap();
    assert_eq!(revision(steps.last()), format!("6.9.4@{}", pushed.digest));
    let world = world(&*cluster).await;
    let applied = world.get(&ks("shop", "podinfo")).unwrap();
    assert_eq!(assess(&world, applied).standing, Standing::Ready);
    assert_eq!(applied.revision().unwrap().tag(), Some("6.9.4"));
}

#[tokio::test(start_paused = true)]
async fn the_other_consumers_of_a_moved_source_follow_by_themselves() {
    let cluster = cluster(&open()).await;
    let mut facts = cluster.watch(Scope::Namespace("shop".into()));
    let mut world = World::default();
    let id = ks("shop", "podinfo-eu");
    let mut stood = Vec::new();
    let steps = reconcile(&cluster, &ObjectId::new(Kind::OciRepository, "shop", "podinfo"), false).await;
    assert_eq!(steps.last().unwrap().what, What::Stored);
    while stood.len() < 4 {
        let batch = tokio::time::timeout(Duration::from_secs(30), facts.next()).await.unwrap().unwrap();
        for fact in batch {
            world.observe(fact);
        }
        let standing = assess(&world, world.get(&id).unwrap()).standing;
        if stood.last() != Some(&standing) {
            stood.push(standing);
        }
        if stood.len() > 1 && standing == Standing::Ready {
            break;
        }
    }
    assert_eq!(stood, [Standing::Stale, Standing::Progressing, Standing::Ready]);
    assert_eq!(world.get(&id).unwrap().revision().unwrap().tag(), Some("6.9.4"));
}

#[tokio::test(start_paused = true)]
async fn a_helm_release_moves_with_its_chart_and_its_static_repository_is_skipped() {
    let cluster = cluster(&open()).await;
    let steps = reconcile(&cluster, &hr("infra", "cert-manager"), true).await;
    assert_eq!(steps[0].what, What::Skipped);
    assert_eq!(steps.iter().filter(|step| step.what == What::Stored).count(), 1);
    assert_eq!((steps.last().unwrap().what, revision(steps.last())), (What::Applied, "1.14.5"));
    let steps = reconcile(&cluster, &hr("shop", "podinfo"), true).await;
    assert_eq!(steps.last().unwrap().what, What::Applied);
    assert!(revision(steps.last()).starts_with("6.9.4+"), "{:?}", steps.last());
}

#[tokio::test(start_paused = true)]
async fn a_failing_source_fails_again_with_its_message_and_its_event_counts_on() {
    let cluster = cluster(&open()).await;
    let source = ObjectId::new(Kind::OciRepository, "payments", "ledger");
    let mut events = cluster.events(source.clone());
    let before = events.next().await.unwrap().unwrap();
    let steps = reconcile(&cluster, &ks("payments", "ledger"), true).await;
    assert_eq!(words(&steps).last().unwrap(), &(source.to_string(), "failed"));
    assert!(steps.last().unwrap().message.as_ref().unwrap().contains("UNAUTHORIZED"));
    let after = events.next().await.unwrap().unwrap();
    assert_eq!(after[0].count, before[0].count + 1);
    assert!(after[0].last > before[0].last);
}

#[tokio::test(start_paused = true)]
async fn what_is_suspended_is_refused_and_an_unknown_object_is_not_found() {
    let cluster = cluster(&open()).await;
    let problem = plan_reconcile(&*cluster, &ks("team-a", "web"), false).await.unwrap_err();
    assert_eq!(problem.cause, Cause::Refused);
    for problem in [
        plan_reconcile(&*cluster, &ks("team-a", "nobody"), false).await.unwrap_err(),
        cluster.follow(ks("team-a", "nobody")).next().await.unwrap().unwrap_err(),
        cluster.raw(ks("team-a", "nobody")).await.unwrap_err(),
    ] {
        assert_eq!(problem.cause, Cause::NotFound);
    }
}

async fn tags(demo: &Demo, name: &str) -> Vec<Arc<str>> {
    let pages: Vec<_> = demo.registry.tags(upstream(name)).map(Result::unwrap).collect().await;
    let (last, others) = pages.split_last().unwrap();
    assert!(!last.more && others.iter().all(|page| page.more));
    pages.into_iter().flat_map(|page| page.tags).collect()
}

#[tokio::test(start_paused = true)]
async fn the_repositories_hold_tags_of_all_kinds() {
    let demo = open();
    for (name, least) in [("ghcr.io/acme/manifests/podinfo", 40), ("ghcr.io/acme/charts/podinfo", 15)] {
        let tags = tags(&demo, name).await;
        assert!(tags.len() >= least, "{name} has {}", tags.len());
        assert!(tags.iter().any(|tag| is_signature_tag(tag)), "{name}");
        assert!(tags.iter().any(|tag| Version::parse_tag(tag).is_ok_and(|v| v.is_prerelease())), "{name}");
        assert!(tags.iter().any(|tag| **tag == *"latest"), "{name}");
    }
    let manifests = tags(&demo, "ghcr.io/acme/manifests/podinfo").await;
    assert!(manifests.iter().any(|tag| tag.starts_with('v')) && manifests.iter().any(|tag| **tag == *"6.9"));
    let manifest =
        demo.registry.manifest(upstream("ghcr.io/acme/manifests/podinfo"), "6.9.4".into()).await.unwrap();
    for annotation in ["created", "source", "revision"] {
        assert!(manifest.annotation(&format!("org.opencontainers.image.{annotation}")).is_some());
    }
    let created: Timestamp = manifest.created().unwrap().parse().unwrap();
    assert_eq!(now().duration_since(created).as_hours(), 3, "its age moves along with the world");
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_cannot_be_asked_says_why() {
    let demo = open();
    for (name, cause) in [
        ("ghcr.io/acme/private/ledger", Cause::Unauthorized),
        ("registry.edge.acme.example/gateway", Cause::Unreachable),
        ("ghcr.io/acme/nothing", Cause::NotFound),
    ] {
        let answer = demo.registry.tags(upstream(name)).next().await.unwrap();
        assert_eq!(answer.unwrap_err().cause, cause, "{name}");
    }
}

fn artifact(name: &str, reference: &str) -> Target {
    let origin = Origin::Registry { upstream: upstream(name), reference: reference.into() };
    Target { origin, selector: LayerSelector::default(), ignore: None }
}

async fn opened(demo: &Demo, artifact: &Artifact) -> Opened {
    let mut steps: Vec<_> = demo.artifacts.open(artifact, 0).map(Result::unwrap).collect().await;
    let Some(Opening::Opened(opened)) = steps.pop() else { panic!("not opened") };
    assert!(matches!(steps.as_slice(), [Opening::Progress { from_cache: false, .. }]));
    opened
}

#[tokio::test(start_paused = true)]
async fn an_artifact_opens_with_all_that_flux_makes_of_it() {
    let demo = open();
    let looked = demo.artifacts.inspect(artifact("ghcr.io/acme/config/team-a", "latest")).await.unwrap();
    let opened = opened(&demo, &looked).await;
    let fates: Vec<_> = opened.tree.entries.iter().map(|entry| (&*entry.path, entry.fate)).collect();
    assert_eq!(
        fates,
        [
            (".sourceignore", Fate::Written),
            ("base.yaml", Fate::Emptied),
            ("current.yaml", Fate::Skipped),
            ("drafts/next.yaml", Fate::Ignored),
            ("toggles.yaml", Fate::Written),
            ("token.yaml", Fate::Written),
        ]
    );
    assert!(opened.verified);
    let at = opened.tree.find("toggles.yaml").unwrap();
    let read: Vec<_> = opened.contents.read(vec![at]).map(Result::unwrap).collect().await;
    assert!(read[0].1.starts_with(b"apiVersion: v1\nkind: ConfigMap\n"));
    let created: Timestamp = looked.config.as_ref().unwrap()["created"].as_str().unwrap().parse().unwrap();
    assert_eq!(now().duration_since(created).as_hours(), 2, "its age moves along with the world");
}

#[tokio::test(start_paused = true)]
async fn a_chart_opens_and_its_signature_is_found() {
    let demo = open();
    let looked = demo.artifacts.inspect(artifact("ghcr.io/acme/charts/podinfo", "6.9.4")).await.unwrap();
    assert_eq!(looked.config.as_ref().unwrap()["name"], "podinfo");
    let paths: Vec<_> =
        opened(&demo, &looked).await.tree.stored().map(|entry| entry.path.to_string()).collect();
    assert!(paths.contains(&"podinfo/Chart.yaml".to_owned()), "{paths:?}");
    let found = demo.artifacts.referrers(&looked).await.unwrap();
    let roles: Vec<_> = found.found.iter().map(Referrer::role).collect();
    assert_eq!((roles, found.complete), (vec![Role::Signature], true));
    let same = demo.registry.referrers(upstream("ghcr.io/acme/charts/podinfo"), looked.digest.clone()).await;
    assert_eq!(same.unwrap(), found);
    let blob = looked.manifest.layers[0].clone();
    let bytes: Vec<_> = demo.registry.blob(upstream("ghcr.io/acme/charts/podinfo"), blob).collect().await;
    assert_eq!(bytes[0].as_ref().unwrap().len() as u64, looked.manifest.layers[0].size.unwrap());
    let unsigned = demo.artifacts.inspect(artifact("ghcr.io/acme/charts/podinfo", "6.5.0")).await.unwrap();
    assert!(demo.artifacts.referrers(&unsigned).await.unwrap().found.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_artifact_that_cannot_be_had_says_why() {
    let demo = open();
    for (name, reference, cause) in [
        ("ghcr.io/acme/private/ledger", "2.3.1", Cause::Unauthorized),
        ("ghcr.io/acme/nothing", "1", Cause::NotFound),
        ("ghcr.io/acme/fleet", "absent", Cause::NotFound),
    ] {
        assert_eq!(
            demo.artifacts.inspect(artifact(name, reference)).await.unwrap_err().cause,
            cause,
            "{name}"
        );
    }
    let file = Target { origin: Origin::Archive("x.tgz".into()), ..artifact("ghcr.io/acme/fleet", "latest") };
    assert_eq!(demo.artifacts.inspect(file).await.unwrap_err().cause, Cause::Refused);
    assert_eq!(demo.artifacts.cache().await.unwrap().path, None);
}

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn the_embedded_list_is_the_folder() {
    let list = std::fs::read_to_string(assets().join("../../src/demo/recorded.rs")).unwrap();
    let listed: BTreeSet<String> = list
        .lines()
        .filter_map(|line| Some(line.split_once("/assets/demo/")?.1.split_once('"')?.0.to_owned()))
        .collect();
    let found: BTreeSet<String> = ["objects", "registry"]
        .iter()
        .flat_map(|folder| files(&assets().join(folder)))
        .map(|path| path.strip_prefix(assets()).unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(listed, found);
}

#[test]
fn every_blob_is_what_its_digest_says_and_none_is_missing() {
    for folder in std::fs::read_dir(assets().join("registry")).unwrap() {
        let folder = folder.unwrap().path();
        let read: Vec<(String, Bytes)> = files(&folder)
            .into_iter()
            .map(|path| {
                let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
                (name, std::fs::read(&path).unwrap().into())
            })
            .collect();
        let layout = Layout::read(read.iter().map(|(name, bytes)| (name.as_str(), bytes.clone()))).unwrap();
        let mut used = BTreeSet::new();
        for tag in layout.tags() {
            let manifest = layout.manifest(tag).unwrap();
            for descriptor in manifest.layers.iter().chain(&manifest.config) {
                let blob = layout.blob(&descriptor.digest).unwrap();
                assert_eq!(descriptor.size, Some(blob.len() as u64));
                used.insert(descriptor.digest.clone());
            }
            used.insert(manifest.digest);
        }
        assert_eq!(used.len() + 2, read.len(), "{} holds files that nothing names", folder.display());
    }
}
