//! Ten thousand objects: what is kept is not made again, and a frame formats what it shows.

use crate::story::{Story, consumer, digest, id, ready, repository, settings};
use fluxscope::domain::{
    fact::{Fact, Object},
    identity::Kind,
    source::Follows,
};
use std::{sync::Arc, time::Instant};

fn many() -> Vec<Object> {
    let held = format!("1.0.0@{}", digest('a'));
    let mut objects = Vec::new();
    for n in 0..2_000 {
        let path = format!("team-{:02}/app-{n:04}", n % 50);
        objects.push(Object::Source(repository(&path, Follows::Latest, &held, ready(60))));
        for m in 0..4 {
            let takes = Some(id(Kind::OciRepository, &path));
            let own = format!("{path}-{m}");
            objects.push(Object::Consumer(consumer(Kind::Kustomization, &own, takes, &held, ready(60))));
        }
    }
    objects
}

#[test]
fn ten_thousand_objects_are_shown_moved_over_and_filtered() {
    let started = Instant::now();
    let mut story = Story::with(settings(160, 45), many());
    println!("listed in {:?}", started.elapsed());
    story.shows("2000 sources · 8000 consumers · 0 need you");
    let started = Instant::now();
    let arranged = story.app.arrangements();
    for _ in 0..100 {
        story.press("j");
    }
    assert_eq!(story.app.arrangements(), arranged, "a move arranges nothing");
    println!("100 moves in {:?}", started.elapsed());
    story.press("G");
    assert!(story.selected().contains("app-1999-3"), "{}", story.selected());
    let started = Instant::now();
    story.kind("/app-0042");
    let typed = story.app.arrangements() - arranged;
    assert!(typed <= 9, "arranged {typed} times for 8 letters");
    println!("9 typed letters in {:?}", started.elapsed());
    story.shows("<5/10000>");
}

#[test]
fn a_change_that_moves_no_row_arranges_nothing_again() {
    let mut story = Story::with(settings(160, 45), many());
    story.press("G");
    let before = story.selected();
    let arranged = story.app.arrangements();
    let started = Instant::now();
    for n in 0..200 {
        let path = format!("team-{:02}/app-{n:04}", n % 50);
        let held = format!("1.0.0@{}", digest('a'));
        let mut same = repository(&path, Follows::Latest, &held, ready(60));
        same.status.last_handled_reconcile_at = Some("now".into());
        story.observe(vec![Fact::Changed(Arc::new(Object::Source(same)))]);
    }
    println!("200 changes in {:?}", started.elapsed());
    assert_eq!(story.app.arrangements(), arranged);
    assert_eq!(story.selected(), before);
    story.observe(vec![Fact::Gone(id(Kind::Kustomization, "team-00/app-0000-0"))]);
    assert_eq!(story.app.arrangements(), arranged + 1, "a row that goes moves the others");
}
