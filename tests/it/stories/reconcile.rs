//! Making Flux act: what would be sent, by whom it is allowed, and what came of it.

use crate::story::{NOW, Story, at, id, settings, shop_with_tags};
use fluxscope::{
    app::{Settings, effect::Effect, message::Message},
    domain::{
        action::{Step, What},
        identity::{Kind, ObjectId},
        problem::{Cause, Problem},
    },
};
use std::time::Duration;

fn writable(width: u16, height: u16) -> Story {
    shop_with_tags(Settings { write: true, ..settings(width, height) })
}

fn step(object: &ObjectId, what: What, revision: Option<&str>, message: Option<&str>) -> Step {
    Step {
        object: object.clone(),
        what,
        at: at(NOW),
        elapsed: Duration::from_millis(840),
        revision: revision.map(str::to_owned),
        message: message.map(str::to_owned),
    }
}

fn stepped(story: &mut Story, target: &ObjectId, object: &ObjectId, what: What, revision: Option<&str>) {
    let step = step(object, what, revision, None);
    story.tell(Message::Stepped { target: target.clone(), step });
}

fn chart_release() -> (ObjectId, ObjectId) {
    (id(Kind::HelmRelease, "shop/podinfo"), id(Kind::OciRepository, "shop/podinfo-chart"))
}

#[test]
fn the_dialog_shows_exactly_what_would_be_sent_and_read_only_sends_nothing() {
    let mut story = shop_with_tags(settings(100, 30));
    story.press("G R");
    story.shows("PATCH helmreleases.helm.toolkit.fluxcd.io/podinfo -n shop");
    story.shows("reconcile.fluxcd.io/requestedAt");
    story.shows("flux reconcile helmrelease podinfo -n shop");
    story.shows("read-only: :write allows it for this session, --write from the start");
    story.asked();
    story.press("Enter");
    assert!(story.asked().is_empty());
    story.shows("read-only");
    story.press("Esc");
    story.hides("PATCH");
}

#[test]
fn the_dialog_with_its_source() {
    for (width, height) in [(80, 24), (160, 45)] {
        let mut story = writable(width, height);
        story.press("G R Space");
        story.shows("[x] with source");
        story.snapshot(&format!("dialog-{width}x{height}"));
    }
}

#[test]
fn enter_sends_the_plan_and_the_token_that_were_shown() {
    let mut story = writable(120, 40);
    let (release, chart) = chart_release();
    story.press("G R Tab");
    story.asked();
    let screen = story.screen().replace(['\n', ' ', '│'], "");
    story.press("Enter");
    let asked = story.asked();
    let [Effect::Reconcile { plan, token }] = asked.as_slice() else { panic!("{asked:?}") };
    let sent: Vec<ObjectId> = plan.patches(token).into_iter().map(|patch| patch.object).collect();
    assert_eq!(sent, [chart, release], "the source first");
    assert!(screen.contains(token.as_str()), "{screen}");
}

#[test]
fn the_row_follows_the_action_to_its_end() {
    let mut story = writable(120, 30);
    let (release, chart) = chart_release();
    story.press("G R Space Enter");
    stepped(&mut story, &release, &chart, What::Requested, None);
    story.wait(4);
    story.shows("source: requested → … 4 s");
    stepped(&mut story, &release, &chart, What::Handled, None);
    stepped(&mut story, &release, &chart, What::Stored, Some("6.9.5@sha256:0000"));
    stepped(&mut story, &release, &release, What::Requested, None);
    story.shows("source: requested → handled 0.8 s → stored 6.9.5");
    stepped(&mut story, &release, &release, What::Handled, None);
    stepped(&mut story, &release, &release, What::Applied, Some("6.9.5+abcdef012345"));
    story.tell(Message::Acted(release.clone()));
    story.shows("hr: requested → handled 0.8 s → applied 6.9.5");
    story.shows("hr shop/podinfo applied 6.9.5@abcdef01");
    story.wait(60);
    story.hides("handled 0.8 s");
    story.press("Enter");
    story.shows("last action");
}

#[test]
fn a_row_keeps_the_last_step_whole_and_gives_its_columns_back_soon() {
    let mut story = writable(80, 24);
    let (release, chart) = chart_release();
    story.press("G R Space Enter");
    for (object, what, revision) in [
        (&chart, What::Requested, None),
        (&chart, What::Handled, None),
        (&chart, What::Stored, Some("6.9.5@sha256:0000")),
        (&release, What::Requested, None),
        (&release, What::Handled, None),
        (&release, What::Applied, Some("6.9.5+abcdef012345")),
    ] {
        stepped(&mut story, &release, object, what, revision);
        let row = story.selected();
        let (_, trail) = row.split_once("shop/podinfo").unwrap();
        assert!(!trail.contains('…') || trail.contains("→ …"), "{row}");
        assert!(trail.contains(what.word()), "{row}");
        assert!(!trail.trim_start().starts_with('…'), "{row}");
    }
    story.tell(Message::Acted(release));
    assert!(story.selected().contains("applied 6.9.5@abcdef01"), "{}", story.selected());
    story.wait(8);
    assert!(story.selected().ends_with("6.9.4@44444444"), "{}", story.selected());
    story.shows("source: requested → handled 0.8 s → stored 6.9.5");
}

#[test]
fn a_failure_stays_until_a_key_with_its_message() {
    let mut story = writable(120, 30);
    let (release, _) = chart_release();
    story.press("G R Enter");
    let failed = step(&release, What::Failed, None, Some("Helm upgrade failed: timed out"));
    story.tell(Message::Stepped { target: release.clone(), step: failed });
    story.tell(Message::Acted(release));
    story.wait(600);
    story.shows("hr shop/podinfo: failed: Helm upgrade failed: timed out");
    story.press("j");
    story.hides("hr shop/podinfo: failed");
}

#[test]
fn a_suspended_object_is_refused_with_words() {
    let mut story = writable(120, 30);
    story.kind("/team-a");
    story.press("Enter R");
    story.shows("ocirepo team-a/config is suspended");
    story.shows("resume it first");
    story.asked();
    story.press("Enter");
    assert!(story.asked().is_empty());
}

#[test]
fn what_is_refused_is_not_offered() {
    let mut story = writable(120, 30);
    story.kind("/team-a");
    story.press("Enter R");
    story.hides("with source");
    let foot = story.lines().pop().unwrap();
    assert!(foot.contains("Enter send (not now: ocirepo team-a/config is suspended)"), "{foot}");
    story.shows("│ Enter send (not now: ocirepo team-a/config is suspended)");
    let mut read_only = shop_with_tags(settings(80, 24));
    read_only.press("G R");
    let foot = read_only.lines().pop().unwrap();
    assert!(foot.contains("Enter send (not now: read-only)"), "{foot}");
    read_only.shows("read-only: :write allows it");
}

#[test]
fn from_the_tags_a_source_is_reconciled_as_itself_and_a_consumer_with_its_source() {
    let mut story = writable(120, 30);
    story.press("j t R");
    story.shows("┌ reconcile ocirepo shop/podinfo ─");
    story.press("Esc Esc j t R");
    story.shows("┌ reconcile ks shop/podinfo with its source ─");
}

#[test]
fn the_smallest_dialog_shows_everything_before_it_sends() {
    let mut story = writable(60, 15);
    story.press("G R Space");
    for words in [
        "reconcile hr shop/podinfo with its source",
        "ocirepositories.source.toolkit.fluxcd.io",
        "helmreleases.helm.toolkit.fluxcd.io",
        "[x] with source",
        "Enter send",
    ] {
        story.shows(words);
    }
    story.press("Esc g");
    story.kind("/ns:shop");
    story.press("Enter g Space Space Space Space R");
    story.shows("more lines below: j");
    story.asked();
    story.press("Enter");
    assert!(!story.asked().iter().any(|effect| matches!(effect, Effect::Reconcile { .. })));
    story.shows("below: j or Shift-G");
    let mut seen = story.screen();
    for _ in 0..40 {
        story.press("j");
        seen.push_str(&story.screen());
    }
    for words in ["ocirepositories", "kustomizations", "podinfo-eu -n shop"] {
        assert!(seen.contains(words), "{words}");
    }
    story.shows("above: k");
    story.press("Enter");
    assert!(story.asked().iter().any(|effect| matches!(effect, Effect::Reconcile { .. })));
}

#[test]
fn shift_z_reconciles_the_source() {
    let mut story = writable(120, 30);
    story.press("G Z");
    story.shows("reconcile ocirepo shop/podinfo-chart");
    story.asked();
    story.press("Enter");
    let asked = story.asked();
    let [Effect::Reconcile { plan, .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(plan.target, id(Kind::OciRepository, "shop/podinfo-chart"));
}

#[test]
fn a_source_that_is_not_watched_is_read_for_the_plan_once() {
    let mut story = writable(120, 30);
    story.kind("/infra$");
    story.press("Enter R");
    story.asked();
    story.press("Space");
    let git = id(Kind::GitRepository, "flux-system/flux-system");
    assert_eq!(story.asked(), [Effect::Fetch(git.clone())]);
    story.shows("reading gitrepo flux-system/flux-system");
    let problem =
        Problem::new(Cause::Forbidden, "read gitrepo flux-system/flux-system", "403: no right to get");
    story.tell(Message::Fetched(git, Err(problem)));
    story.shows("nothing is sent: 403: no right to get");
    assert!(story.asked().is_empty());
}

#[test]
fn marked_rows_are_reconciled_together() {
    let mut story = writable(120, 40);
    story.kind("/kind:ks ns:shop");
    story.press("Enter g Space Space R");
    story.shows("reconcile 2 objects");
    story.asked();
    story.press("Enter");
    assert_eq!(story.asked().iter().filter(|e| matches!(e, Effect::Reconcile { .. })).count(), 2);
}

#[test]
fn no_key_writes_without_the_dialog() {
    let mut story = writable(120, 40);
    story.asked();
    for key in ('a'..='z').chain('A'..='Z') {
        story.press(&key.to_string());
        story.press("Esc Esc Esc Esc");
    }
    assert!(!story.asked().iter().any(|effect| matches!(effect, Effect::Reconcile { .. })));
}
