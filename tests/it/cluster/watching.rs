//! What the watch promises: nothing lost, nothing invented, and every failure told once and with its reason.

use super::{
    Watching, cluster,
    fake::{ApiServer, kustomization, namespace, ocirepository, ready},
    patient_cluster, whole,
};
use fluxscope::{
    domain::{
        fact::{Fact, FeedId, Scope},
        identity::{Kind, ObjectId},
        problem::Cause,
        standing::assess,
        world::Feed,
    },
    port::Cluster,
};
use futures::StreamExt;
use serde_json::json;

fn everything_answered(watching: &Watching) -> bool {
    watching.world.feeds().count() == Kind::WATCHED.len()
}

fn feed<'a>(watching: &'a Watching, id: &FeedId) -> Option<&'a Feed> {
    watching.world.feeds().find(|(found, _)| *found == id).map(|(_, feed)| feed)
}

fn is_live(watching: &Watching, kind: Kind) -> bool {
    matches!(feed(watching, &whole(kind)), Some(Feed::Live { .. }))
}

fn is_lost(watching: &Watching, kind: Kind) -> bool {
    matches!(feed(watching, &whole(kind)), Some(Feed::Lost { .. }))
}

#[tokio::test]
async fn a_list_of_many_pages_arrives_as_one_answer() {
    let fake = ApiServer::new();
    fake.page(3);
    for n in 0..10 {
        fake.put(ocirepository("apps", &format!("app-{n}")));
    }
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    let sizes: Vec<usize> = watching
        .seen
        .iter()
        .filter_map(|fact| match fact {
            Fact::Listed { feed, objects, .. } if feed.kind == Kind::OciRepository => Some(objects.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [10]);
    assert!(fake.log().iter().any(|asked| asked.uri.contains("limit=500&continue=9")));
}

#[tokio::test]
async fn changes_and_deletions_follow_the_list() {
    let fake = ApiServer::new();
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    fake.put(ocirepository("apps", "app"));
    watching.until("app", |w| w.has(Kind::OciRepository, "apps", "app")).await;
    fake.delete(Kind::OciRepository, "apps", "app");
    watching.until("no app", |w| !w.has(Kind::OciRepository, "apps", "app")).await;
}

#[tokio::test]
async fn a_relist_after_410_leaves_no_ghost_and_no_gap() {
    let fake = ApiServer::new();
    fake.put(ocirepository("apps", "ghost"));
    fake.put(ocirepository("apps", "stays"));
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("ghost", |w| w.has(Kind::OciRepository, "apps", "ghost") && everything_answered(w)).await;
    fake.stop();
    watching.until("lost", |w| is_lost(w, Kind::OciRepository)).await;
    assert!(watching.has(Kind::OciRepository, "apps", "ghost"), "what was known is kept");
    fake.delete(Kind::OciRepository, "apps", "ghost");
    fake.compact();
    fake.start();
    watching.until("no ghost", |w| !w.has(Kind::OciRepository, "apps", "ghost")).await;
    assert!(watching.has(Kind::OciRepository, "apps", "stays"));
    assert!(is_live(&watching, Kind::OciRepository));
    let empty = watching.count(
        |fact| matches!(fact, Fact::Listed { feed, objects, .. } if feed.kind == Kind::OciRepository && objects.is_empty()),
    );
    assert_eq!(empty, 0, "never an empty flash");
}

#[tokio::test]
async fn an_expired_watch_inside_a_stream_is_listed_again_at_once() {
    let fake = ApiServer::new();
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    while fake.watchers() < Kind::WATCHED.len() {
        tokio::task::yield_now().await;
    }
    fake.say(&json!({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "too old"}}));
    let relisted = |w: &Watching| {
        w.count(|fact| matches!(fact, Fact::Listed { feed, .. } if feed.kind == Kind::Kustomization)) == 2
    };
    watching.until("listed again", relisted).await;
    assert_eq!(watching.count(|fact| matches!(fact, Fact::WatchLost { .. })), 0);
}

#[tokio::test]
async fn one_forbidden_kind_names_the_verb_and_leaves_the_others_alone() {
    let fake = ApiServer::new();
    fake.put(namespace("apps"));
    fake.put(ocirepository("apps", "app"));
    fake.forbid("list", "helmreleases");
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    let Some(Feed::Refused(problem)) = feed(&watching, &whole(Kind::HelmRelease)) else {
        panic!("not refused")
    };
    assert_eq!(problem.cause, Cause::Forbidden);
    assert!(problem.what.contains("helmreleases") && problem.hint.as_ref().unwrap().contains("verb list"));
    assert!(watching.has(Kind::OciRepository, "apps", "app") && is_live(&watching, Kind::Kustomization));
}

#[tokio::test]
async fn who_may_list_and_not_watch_sees_the_list_and_its_age() {
    let fake = ApiServer::new();
    fake.put(kustomization("apps", "app"));
    fake.forbid("watch", "kustomizations");
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("lost", |w| is_lost(w, Kind::Kustomization)).await;
    let Some(Feed::Lost { problem, .. }) = feed(&watching, &whole(Kind::Kustomization)) else { panic!() };
    assert!(problem.hint.as_ref().unwrap().contains("verb watch"));
    assert!(watching.has(Kind::Kustomization, "apps", "app"));
}

#[tokio::test]
async fn a_forbidden_cluster_is_asked_namespace_by_namespace() {
    let fake = ApiServer::new();
    for name in ["apps", "shop", "secret"] {
        fake.put(namespace(name));
        fake.put(kustomization(name, "app"));
    }
    fake.forbid("list", "/v1/kustomizations");
    fake.forbid("list", "/namespaces/secret/kustomizations");
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("shop", |w| w.has(Kind::Kustomization, "shop", "app")).await;
    assert!(watching.has(Kind::Kustomization, "apps", "app"));
    assert!(!watching.has(Kind::Kustomization, "secret", "app"));
    let (kind, problem) = watching.world.narrowed().next().unwrap();
    assert_eq!(kind, Kind::Kustomization);
    assert!(problem.why.contains("2 may be read, 1 may not"), "{problem}");
    fake.put(kustomization("shop", "new"));
    watching.until("followed", |w| w.has(Kind::Kustomization, "shop", "new")).await;
}

fn restricted() -> ApiServer {
    let fake = ApiServer::new();
    for name in ["apps", "secret"] {
        fake.put(namespace(name));
        fake.put(kustomization(name, "app"));
    }
    fake
}

fn restrict(fake: &ApiServer) {
    fake.forbid("list", "/v1/kustomizations");
    fake.forbid("list", "/namespaces/secret/kustomizations");
}

fn is_narrowed(watching: &Watching) -> bool {
    watching.has(Kind::Kustomization, "apps", "app") && watching.world.narrowed().count() == 1
}

#[tokio::test]
async fn a_server_that_was_down_at_the_start_is_narrowed_when_it_is_up() {
    let fake = restricted();
    restrict(&fake);
    fake.stop();
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("refused", everything_answered).await;
    fake.start();
    watching.until("narrowed", is_narrowed).await;
    assert!(!watching.has(Kind::Kustomization, "secret", "app"));
    assert_eq!(feed(&watching, &whole(Kind::Kustomization)), None, "what was refused at first is over");
}

#[tokio::test]
async fn rights_that_are_taken_away_narrow_and_leave_no_ghost() {
    let fake = restricted();
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    assert!(watching.has(Kind::Kustomization, "secret", "app"));
    restrict(&fake);
    fake.compact();
    fake.rule("watch", "/v1/kustomizations", 410);
    fake.cut();
    watching.until("narrowed", is_narrowed).await;
    assert!(!watching.has(Kind::Kustomization, "secret", "app"), "what may not be read is not shown");
}

#[tokio::test(start_paused = true)]
async fn what_may_be_listed_whole_again_is_not_narrow_for_ever() {
    let fake = restricted();
    restrict(&fake);
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("narrowed", is_narrowed).await;
    fake.allow();
    let hour = std::time::Duration::from_secs(3600);
    watching.within(hour, "secret", |w| w.has(Kind::Kustomization, "secret", "app")).await;
    assert_eq!(watching.world.narrowed().count(), 0);
    assert!(is_live(&watching, Kind::Kustomization) && everything_answered(&watching));
    fake.put(kustomization("apps", "new"));
    watching.within(hour, "followed", |w| w.has(Kind::Kustomization, "apps", "new")).await;
}

#[tokio::test]
async fn namespaces_that_cannot_be_asked_for_now_are_asked_for_again() {
    let fake = restricted();
    fake.put(namespace("shop"));
    fake.put(kustomization("shop", "app"));
    fake.forbid("list", "/v1/kustomizations");
    fake.rule("list", "/api/v1/namespaces", 503);
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    let Some(Feed::Refused(problem)) = feed(&watching, &whole(Kind::Kustomization)) else { panic!() };
    assert_eq!(problem.cause, Cause::Unreachable, "{problem}");
    fake.allow();
    fake.forbid("list", "/v1/kustomizations");
    watching.until("shop", |w| w.has(Kind::Kustomization, "shop", "app")).await;
    assert_eq!(watching.world.narrowed().count(), 1);
}

#[tokio::test]
async fn who_may_not_list_namespaces_sees_the_one_of_the_context() {
    let fake = ApiServer::new();
    fake.put(kustomization("apps", "app"));
    fake.put(kustomization("shop", "app"));
    fake.forbid("list", "/v1/kustomizations");
    fake.forbid("list", "/api/v1/namespaces");
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("apps", |w| w.has(Kind::Kustomization, "apps", "app")).await;
    assert!(!watching.has(Kind::Kustomization, "shop", "app"));
}

#[tokio::test]
async fn a_kind_that_is_not_installed_is_quiet_and_an_older_version_is_used() {
    let fake = ApiServer::new();
    fake.serve(Kind::ExternalArtifact, None);
    fake.serve(Kind::OciRepository, Some("v1beta2"));
    fake.put(ocirepository("apps", "app"));
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    assert_eq!(feed(&watching, &whole(Kind::ExternalArtifact)), Some(&Feed::NotInstalled));
    assert!(watching.has(Kind::OciRepository, "apps", "app"));
    fake.put(ocirepository("apps", "next"));
    watching.until("watched in that version", |w| w.has(Kind::OciRepository, "apps", "next")).await;
    let id = ObjectId::new(Kind::OciRepository, "apps", "app");
    assert_eq!(cluster(&fake).fetch(id.clone()).await.unwrap().id(), &id);
}

#[tokio::test]
async fn a_lost_watch_is_told_once_and_is_back_without_any_change() {
    let fake = ApiServer::new();
    fake.put(ocirepository("apps", "app"));
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    fake.stop();
    let all =
        |kinds: fn(&Watching, Kind) -> bool| move |w: &Watching| Kind::WATCHED.iter().all(|&k| kinds(w, k));
    watching.until("lost", all(is_lost)).await;
    let Some(Feed::Lost { problem, .. }) = feed(&watching, &whole(Kind::OciRepository)) else { panic!() };
    assert_eq!(problem.cause, Cause::Unreachable);
    assert_eq!(problem.what, "ask the API server https://fake", "one problem for all kinds");
    fake.start();
    watching.until("back", all(is_live)).await;
    assert_eq!(watching.count(|fact| matches!(fact, Fact::WatchLost { .. })), Kind::WATCHED.len());
    assert_eq!(watching.count(|fact| matches!(fact, Fact::WatchBack { .. })), Kind::WATCHED.len());
    let lists = fake.log().iter().filter(|asked| asked.uri.contains("ocirepositories?limit")).count();
    assert_eq!(lists, 1, "the version was still good: nothing was listed again");
}

#[tokio::test]
async fn a_watch_that_the_server_ends_is_opened_again_without_a_word() {
    let fake = ApiServer::new();
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    fake.cut();
    fake.put(ocirepository("apps", "app"));
    watching.until("app", |w| w.has(Kind::OciRepository, "apps", "app")).await;
    assert_eq!(watching.count(|fact| matches!(fact, Fact::WatchLost { .. })), 0);
}

#[tokio::test]
async fn a_server_that_is_down_at_the_start_is_refused_and_listed_when_it_is_up() {
    let fake = ApiServer::new();
    fake.put(ocirepository("apps", "app"));
    fake.stop();
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("refused", everything_answered).await;
    assert!(
        matches!(feed(&watching, &whole(Kind::OciRepository)), Some(Feed::Refused(p)) if p.cause == Cause::Unreachable)
    );
    fake.start();
    watching.until("app", |w| w.has(Kind::OciRepository, "apps", "app")).await;
}

#[tokio::test]
async fn expired_credentials_are_told_with_a_hint() {
    let fake = ApiServer::new();
    fake.rule("list", "", 401);
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    let Some(Feed::Refused(problem)) = feed(&watching, &whole(Kind::OciRepository)) else { panic!() };
    assert_eq!(problem.cause, Cause::Unauthorized);
    assert!(problem.hint.as_ref().unwrap().contains("log in"));
}

#[tokio::test]
async fn odd_objects_cost_nothing_but_themselves() {
    let fake = ApiServer::new();
    let mut no_status = ocirepository("apps", "no-status");
    no_status.as_object_mut().unwrap().shift_remove("status");
    fake.put(no_status);
    let mut odd = ocirepository("apps", "odd");
    odd["status"]["conditions"] = json!({"Ready": "True"});
    odd["spec"]["ref"] = json!("1.0.0");
    fake.put(odd);
    let mut long = ocirepository("apps", "long");
    long["status"]["conditions"] = json!([ready("False", &"\u{1b}[2Jx".repeat(1000)), null, {"status": 7}]);
    fake.put(long);
    let mut text = ocirepository("apps", "text");
    text["status"] = json!("broken");
    text["spec"] = json!(null);
    fake.put(text);
    fake.put(ocirepository("apps", "good"));
    let mut nameless = ocirepository("apps", "");
    nameless["metadata"].as_object_mut().unwrap().shift_remove("name");
    fake.put(nameless);
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    let standing = |name: &str| {
        let object = watching.world.get(&ObjectId::new(Kind::OciRepository, "apps", name)).unwrap();
        (assess(&watching.world, object).standing.word(), object.oddities().len())
    };
    assert_eq!(standing("good"), ("ready", 0));
    assert_eq!(standing("no-status"), ("unknown", 0));
    assert_eq!(standing("odd"), ("unknown", 2));
    assert_eq!(standing("long").0, "failing");
    assert_eq!(standing("text").0, "unknown");
    let (_, problem) = watching.world.unreadable().next().unwrap();
    assert!(problem.why.contains("no name"), "{problem}");
}

#[tokio::test]
async fn dropping_the_stream_ends_the_watches() {
    let fake = ApiServer::new();
    let mut watching = Watching::start(&fake, Scope::AllNamespaces);
    watching.until("all kinds", everything_answered).await;
    while fake.watchers() < Kind::WATCHED.len() {
        tokio::task::yield_now().await;
    }
    drop(watching);
    let gone = async {
        while fake.watchers() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(super::BOUND, gone).await.unwrap();
}

#[tokio::test]
async fn a_list_alone_ends_when_every_kind_has_answered() {
    let fake = ApiServer::new();
    fake.put(ocirepository("apps", "app"));
    fake.serve(Kind::HelmChart, None);
    let batches: Vec<Vec<Fact>> = cluster(&fake).list(Scope::Namespace("apps".into())).collect().await;
    assert_eq!(batches.concat().len(), Kind::WATCHED.len());
    assert!(fake.log().iter().all(|asked| !asked.uri.contains("watch")));
}

#[tokio::test]
async fn a_timeout_that_no_clock_can_count_to_is_no_timeout() {
    let fake = ApiServer::new();
    fake.put(ocirepository("apps", "app"));
    let patient = patient_cluster(&fake, std::time::Duration::MAX);
    let mut facts = patient.watch(Scope::AllNamespaces);
    let mut kinds = std::collections::BTreeSet::new();
    while kinds.len() < Kind::WATCHED.len() {
        let batch = tokio::time::timeout(super::BOUND, facts.next()).await.unwrap().unwrap();
        kinds.extend(batch.iter().filter_map(|fact| match fact {
            Fact::Listed { feed, .. } => Some(feed.kind),
            _ => None,
        }));
    }
    fake.put(ocirepository("apps", "next"));
    let next = tokio::time::timeout(super::BOUND, facts.next()).await.unwrap().unwrap();
    assert!(matches!(&next[0], Fact::Changed(object) if &*object.id().name == "next"));
}
