//! What `/` and `^Z` leave on the screen.

use crate::story::{settings, shop_with_tags};

#[test]
fn a_filter_holds_while_it_is_typed_and_counts_what_it_leaves() {
    let mut story = shop_with_tags(settings(100, 24));
    story.kind("/kind:ks ns:shop");
    story.shows("<2/8>");
    story.shows("ks    shop/podinfo-eu");
    story.hides("ocirepo  infra/dns");
    story.press("Enter");
    story.shows("/kind:ks ns:shop <2/8>");
}

#[test]
fn escape_clears_the_filter_first_and_leaves_second() {
    let mut story = shop_with_tags(settings(100, 24));
    story.kind("/podinfo");
    story.press("Enter Esc");
    story.shows("infra/dns");
    story.press("Enter");
    story.shows("CONDITIONS");
    story.press("Esc");
    story.hides("CONDITIONS");
    story.press("Esc");
    story.hides("Quit fluxscope?");
    story.shows("prod-eu › board › all namespaces");
}

#[test]
fn a_filter_that_is_typed_again_replaces_the_old_one() {
    let mut story = shop_with_tags(settings(100, 24));
    story.kind("/podinfo");
    story.press("Enter");
    story.kind("/");
    story.shows("<5/8>");
    story.kind("dns");
    story.press("Enter");
    story.shows("/dns <1/8>");
    story.kind("/");
    story.press("Backspace");
    story.kind("x");
    story.press("Enter");
    story.shows("/dnx <0/8>");
}

#[test]
fn a_bad_expression_says_so_and_filters_nothing() {
    let mut story = shop_with_tags(settings(100, 24));
    story.kind("/(");
    story.shows("not a regular expression: (: nothing is filtered");
    story.shows("infra/dns");
}

#[test]
fn inverse_labels_and_standing_work_on_the_rows() {
    for (filter, left) in [
        ("!podinfo", "<3/8>"),
        ("-l app=web", "<1/8>"),
        ("standing:stale", "<2/8>"),
        ("ready:false", "<2/8>"),
    ] {
        let mut story = shop_with_tags(settings(100, 24));
        story.kind(&format!("/{filter}"));
        story.shows(left);
    }
}

#[test]
fn nothing_left_says_how_to_come_back() {
    let mut story = shop_with_tags(settings(100, 24));
    story.kind("/no-such-thing");
    story.press("Enter");
    story.shows("none of 8 matches no-such-thing. Esc clears the filter.");
}

#[test]
fn faults_only_shows_what_needs_somebody() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("^Z");
    story.shows("<4/8> faults only");
    story.hides("team-a/config");
    story.press("^Z");
    story.shows("team-a/config");
}

#[test]
fn a_filter_is_kept_per_view() {
    let mut story = shop_with_tags(settings(100, 24));
    story.kind("/podinfo");
    story.press("Enter");
    story.kind(":ks");
    story.press("Enter");
    story.shows("flux-system/infra");
    story.press("Esc");
    story.shows("board /podinfo");
    story.hides("infra/dns");
}

#[test]
fn rows_come_and_go_with_what_they_say_while_a_filter_holds() {
    use crate::story::{digest, ready, repository};
    use fluxscope::domain::{
        fact::{Fact, Object},
        source::Follows,
    };
    let mut story = shop_with_tags(settings(100, 24));
    story.kind("/ready:false");
    story.press("Enter");
    story.shows("<2/8>");
    let calm = repository("infra/dns", Follows::Tag("1.4".into()), &format!("1.4@{}", digest('c')), ready(1));
    story.observe(vec![Fact::Changed(std::sync::Arc::new(Object::Source(calm)))]);
    story.shows("<1/8>");
}
