//! A fresh order for a comparison or an artifact asks anew; who only comes back finds what was there.

use super::diff::{asked, diff, reference, sample};
use crate::story::{Story, digest, settings, shop, shop_with_tags, upstream};
use fluxscope::{
    app::{effect::Effect, message::Message, shelf::artifacts, shelf::comparisons::News},
    domain::{
        comparison::Question,
        problem::{Cause, Problem},
    },
};

fn order(story: &mut Story, words: &str) {
    story.press(":");
    story.kind(words);
    story.press("Enter");
}

fn answer(story: &mut Story, question: Box<Question>) {
    let answer = sample(&question, diff(vec![], vec![]), vec![]);
    story.tell(Message::Compared(question, News::Answered(Ok(answer))));
}

fn fail(story: &mut Story, question: Box<Question>) {
    let problem = Problem::new(Cause::Unreachable, "read the manifest", "Connection refused");
    story.tell(Message::Compared(question, News::Answered(Err(problem))));
}

#[track_caller]
fn folders_compared() -> Story {
    let mut story = Story::with(settings(120, 30), shop());
    order(&mut story, "diff ./a ./b");
    let question = asked(&mut story);
    answer(&mut story, question);
    story
}

fn asks_nothing(story: &mut Story) {
    let compares = |effect: &Effect| matches!(effect, Effect::Compare(_));
    assert!(!story.asked().iter().any(compares), "asked on\n{}", story.screen());
}

/// Opened, answered, left, ordered again.
fn ordered_twice(words: &str) -> Story {
    let mut story = Story::with(settings(120, 30), shop());
    order(&mut story, words);
    let question = asked(&mut story);
    answer(&mut story, question);
    story.shows("source diff");
    story.press("Esc");
    order(&mut story, words);
    story
}

#[test]
fn what_may_hold_something_else_by_now_is_compared_anew() {
    for words in [
        "diff ./a ./b",
        "diff ./a.tgz ./b.tgz",
        "diff oci-layout:./a oci-layout:./b",
        "diff oci://ghcr.io/shop/podinfo:6.9.1 oci://ghcr.io/shop/podinfo:6.9.4",
        "diff ks/podinfo oci://ghcr.io/shop/podinfo:6.9.4 -n shop",
    ] {
        let mut story = ordered_twice(words);
        story.hides("source diff");
        story.shows("comparing, for");
        asked(&mut story);
    }
}

#[test]
fn two_digests_hold_the_same_for_good_but_a_consumer_may_be_another_one() {
    let pair = ['a', 'b'].map(|c| format!("oci://ghcr.io/shop/podinfo@{}", digest(c))).join(" ");
    let mut story = ordered_twice(&format!("diff {pair}"));
    asks_nothing(&mut story);
    story.shows("source diff");
    let mut story = ordered_twice(&format!("diff {pair} -n shop --consumer ks/podinfo"));
    asked(&mut story);
}

#[test]
fn a_failure_and_a_cancelled_one_are_asked_again_by_the_next_order() {
    let pair = ['a', 'b'].map(|c| format!("oci://ghcr.io/shop/podinfo@{}", digest(c))).join(" ");
    for words in ["diff ./a ./b", &format!("diff {pair}")] {
        let mut story = Story::with(settings(120, 30), shop());
        order(&mut story, words);
        let question = asked(&mut story);
        fail(&mut story, question);
        story.shows("Connection refused");
        story.press("Esc");
        order(&mut story, words);
        story.hides("Connection refused");
        asked(&mut story);
        story.press("Esc");
        story.shows("it was cancelled by a key");
        story.press("Esc");
        order(&mut story, words);
        story.hides("it was cancelled by a key");
        asked(&mut story);
    }
}

#[test]
fn shift_d_asks_again_what_failed() {
    let mut story = shop_with_tags(settings(120, 30));
    story.press("j D");
    let question = asked(&mut story);
    fail(&mut story, question);
    story.press("Esc D");
    story.hides("Connection refused");
    asked(&mut story);
}

#[test]
fn who_comes_back_finds_what_was_there() {
    let mut story = folders_compared();
    story.press("-");
    story.shows("board");
    story.press("-");
    story.shows("source diff");
    asks_nothing(&mut story);
    story.press("Esc -");
    story.shows("source diff");
    asks_nothing(&mut story);
}

#[test]
fn no_older_answer_stands_one_key_away_from_a_fresh_one() {
    for again in ["order", "^R"] {
        let mut story = Story::with(settings(120, 30), shop());
        let words = "diff oci://ghcr.io/shop/podinfo:6.9.1 oci://ghcr.io/shop/podinfo:6.9.4";
        order(&mut story, words);
        for key in ["S", "S"] {
            let question = asked(&mut story);
            answer(&mut story, question);
            story.press(key);
        }
        asks_nothing(&mut story);
        if again == "^R" {
            story.press("^R");
        } else {
            story.press("Esc");
            order(&mut story, words);
        }
        let question = asked(&mut story);
        answer(&mut story, question);
        story.press("S");
        asked(&mut story);
    }
}

#[test]
fn other_eyes_that_failed_are_asked_again_by_the_next_key() {
    let mut story = folders_compared();
    story.press("S");
    let question = asked(&mut story);
    fail(&mut story, question);
    story.shows("Connection refused");
    story.press("S");
    asks_nothing(&mut story);
    story.shows("source diff");
    story.press("S");
    story.hides("Connection refused");
    asked(&mut story);
}

#[test]
fn from_the_tags_the_digest_of_the_row_is_compared_and_the_tag_is_named() {
    let mut story = shop_with_tags(settings(120, 30));
    let podinfo = upstream("ghcr.io/shop/podinfo");
    story.press("j t");
    for now in ['4', '5'] {
        story.head(&podinfo, "6.9.4", now);
        // another tag of the same digest is not what was chosen
        story.head(&podinfo, "latest", now);
        story.press("g j");
        assert!(story.selected().contains("6.9.4"), "{}", story.selected());
        story.asked();
        story.press("D");
        let question = asked(&mut story);
        assert_eq!(reference(&question.to), digest(now));
        story.shows(&format!("oci://ghcr.io/shop/podinfo:6.9.4@{}", digest(now)));
        story.shows("diff podinfo@aaaaaaaa podinfo:6.9.4");
        answer(&mut story, question);
        story.shows("→ 6.9.4@aaaaaaaa");
        story.press("Esc");
    }
}

#[test]
fn the_digest_that_an_artifact_shows_is_compared() {
    let mut story = shop_with_tags(settings(120, 30));
    order(&mut story, "artifact ocirepo/podinfo:6.9.4 -n shop");
    let target = story.asked().into_iter().find_map(|effect| match effect {
        Effect::Inspect(target) => Some(target),
        _ => None,
    });
    let target = target.expect("the artifact is asked for");
    let question = Question {
        from: target.clone(),
        to: target.clone(),
        consumer: None,
        read_secrets: false,
        build: false,
    };
    let shown = sample(&question, diff(vec![], vec![]), vec![]).from.artifact.clone();
    story.tell(Message::Artifact(artifacts::News::Inspected(target, Ok(shown))));
    story.press("D");
    let question = asked(&mut story);
    assert_eq!(reference(&question.to), digest('0'));
    story.shows("diff podinfo@aaaaaaaa podinfo:6.9.4");
}

#[test]
fn a_tag_is_opened_anew_and_a_digest_is_not() {
    let inspects = |story: &mut Story| {
        story.asked().into_iter().find_map(|effect| match effect {
            Effect::Inspect(target) => Some(target),
            _ => None,
        })
    };
    let refused = || Err(Problem::new(Cause::Unreachable, "read the manifest", "Connection refused"));
    let pinned = format!("artifact oci://ghcr.io/shop/podinfo@{}", digest('0'));
    for (words, anew) in [("artifact oci://ghcr.io/shop/podinfo:6.9.4", true), (&*pinned, false)] {
        let mut story = Story::with(settings(120, 30), shop());
        order(&mut story, words);
        let target = inspects(&mut story).expect("it is asked for");
        story.tell(Message::Artifact(artifacts::News::Inspected(target.clone(), refused())));
        story.shows("Connection refused");
        story.press("Esc");
        order(&mut story, words);
        assert!(inspects(&mut story).is_some(), "a failure is asked again: {words}");
        let question = Question {
            from: target.clone(),
            to: target.clone(),
            consumer: None,
            read_secrets: false,
            build: false,
        };
        let shown = sample(&question, diff(vec![], vec![]), vec![]).from.artifact.clone();
        story.tell(Message::Artifact(artifacts::News::Inspected(target, Ok(shown))));
        story.press("-");
        story.press("-");
        assert_eq!(inspects(&mut story), None, "who comes back finds it: {words}");
        // a layer is on its way: the first one ends that
        story.press("Esc Esc");
        order(&mut story, words);
        assert_eq!(inspects(&mut story).is_some(), anew, "{words}");
    }
}

#[test]
fn a_chart_that_ran_is_named_by_its_version() {
    let mut story = super::revisions::open("hr/web", settings(120, 30));
    story.press("j D");
    let question = asked(&mut story);
    answer(&mut story, question);
    let screen = story.screen();
    assert!(!screen.contains(" @") && screen.contains("@00000000"), "a side has no version:\n{screen}");
}
