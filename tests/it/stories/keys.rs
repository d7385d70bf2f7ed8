//! Keys: one table for what they do, what the last line says, and the help.

use crate::story::{settings, shop_with_tags};
use fluxscope::app::effect::Effect;

#[test]
fn the_help_of_the_board() {
    let mut story = shop_with_tags(settings(80, 24));
    story.press("?");
    story.snapshot("help-80x24");
    let mut story = shop_with_tags(settings(160, 45));
    story.press("?");
    story.snapshot("help-160x45");
}

#[test]
fn help_is_about_the_view_it_was_opened_on_and_says_why_a_key_does_nothing() {
    let mut story = shop_with_tags(settings(160, 60));
    story.press("?");
    story.shows("mark or unmark a row");
    story.shows("[not now: there is no view before]");
    story.shows("[not now: read-only, it only shows what would be sent: :write]");
    story.press("Esc Enter ?");
    story.hides("mark or unmark a row");
    story.shows("to the next relation");
}

#[test]
fn help_can_be_searched() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("? /");
    story.kind("reconcile");
    story.press("Enter");
    story.shows("Shift-R");
    story.hides("one page down");
    story.press("Esc");
    story.shows("mark or unmark a row");
    story.press("Esc");
    story.shows("infra/dns");
}

#[test]
fn a_key_that_can_do_nothing_says_why() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("[");
    story.shows("there is no view before");
    story.press("9");
    story.shows("only 4 namespaces hold Flux objects");
}

#[test]
fn q_at_the_first_screen_asks_and_control_c_does_not() {
    let mut story = shop_with_tags(settings(100, 24));
    story.asked();
    story.press("q");
    story.shows("Quit fluxscope?");
    story.press("Esc");
    story.hides("Quit fluxscope?");
    story.press("q y");
    assert_eq!(story.asked(), [Effect::Quit]);
    story.press("^C");
    assert_eq!(story.asked(), [Effect::Quit]);
}

#[test]
fn escape_at_the_first_screen_does_nothing_and_enter_stays_in_the_quit_question() {
    let mut story = shop_with_tags(settings(100, 24));
    story.asked();
    story.press("Esc Esc");
    story.hides("Quit fluxscope?");
    story.press("q");
    story.shows("y quits; Enter or Esc stays.");
    story.press("Enter");
    story.hides("Quit fluxscope?");
    assert!(story.asked().is_empty());
    story.kind("/dns");
    story.press("Enter Esc");
    story.shows("shop/podinfo-chart");
    story.hides("Quit fluxscope?");
}

#[test]
fn a_long_word_of_the_program_is_whole_and_leaves_the_line_of_keys() {
    let mut story = shop_with_tags(settings(60, 15));
    story.kind(":tags ghcr.io/some-organisation/some-repository-with-a-name");
    story.press("Enter");
    story.shows("ghcr.io/some-organisation/some-repository-with-a-name:");
    story.shows("needs oci:// in front; t lists the tags of what is");
    assert!(story.lines()[14].ends_with("? help"), "{}", story.screen());
}

#[test]
fn movement_is_that_of_k9s() {
    let mut story = shop_with_tags(settings(100, 24));
    story.press("G");
    assert!(story.selected().contains("hr         shop/podinfo"), "{}", story.selected());
    story.press("g");
    assert!(story.selected().contains("infra/dns"));
    story.press("Down Down Down Up");
    assert!(story.selected().contains("ks         shop/podinfo "));
    story.press("h");
    assert!(story.selected().contains("ocirepo  shop/podinfo "), "left goes to its source");
    story.press("l");
    assert!(story.selected().contains("ks         shop/podinfo "), "right goes to its first consumer");
    story.press("End Home ^F ^B PgDn");
    assert!(story.selected().contains("hr "));
}

#[test]
fn sorting_by_name_age_and_state_and_back() {
    let mut story = shop_with_tags(settings(100, 24));
    let first = |story: &mut crate::story::Story| story.lines()[2].clone();
    story.press("N");
    assert!(first(&mut story).contains("flux-system"), "{}", first(&mut story));
    story.shows("by name");
    story.press("N");
    assert!(first(&mut story).contains("team-a/config"));
    story.press("A");
    assert!(first(&mut story).contains("shop/podinfo "), "three minutes old");
    story.press("S");
    assert!(first(&mut story).contains("infra/dns"));
}

#[test]
fn namespaces_by_digit_narrow_what_is_shown_and_ask_nothing() {
    let mut story = shop_with_tags(settings(100, 24));
    story.asked();
    story.press("1");
    story.shows("namespace shop");
    story.hides("infra/dns");
    story.press("0");
    story.shows("all namespaces");
    assert!(story.asked().is_empty());
}

#[test]
fn history_goes_back_and_forward_and_to_the_last_view() {
    let mut story = shop_with_tags(settings(100, 30));
    story.press("j Enter");
    story.shows("› ocirepo shop/podinfo");
    story.press("t");
    story.shows("tags of ghcr.io/shop/podinfo");
    story.press("[");
    story.shows("CONDITIONS");
    story.press("[");
    story.shows("infra/dns");
    story.press("] ]");
    story.shows("tags of ghcr.io/shop/podinfo");
    story.press("-");
    story.shows("CONDITIONS");
    story.press("-");
    story.shows("tags of ghcr.io/shop/podinfo");
}

#[test]
fn copies_hold_names_and_commands() {
    let mut story = shop_with_tags(settings(100, 24));
    story.asked();
    story.press("j c n C");
    let copies: Vec<Effect> = story.asked();
    assert_eq!(
        copies,
        [
            Effect::Copy("podinfo".to_owned()),
            Effect::Copy("shop".to_owned()),
            Effect::Copy("kubectl get ocirepositories.source.toolkit.fluxcd.io podinfo -n shop".to_owned()),
        ]
    );
}

#[test]
fn the_last_line_drops_hints_but_never_help() {
    for width in [60, 80, 100, 160] {
        let mut story = shop_with_tags(settings(width, 24));
        let lines = story.lines();
        assert!(lines[23].ends_with("? help"), "{width}: {}", lines[23]);
    }
}

#[test]
fn the_wide_view_names_the_namespaces_of_the_digits() {
    let mut story = shop_with_tags(settings(160, 24));
    story.press("^W");
    story.shows("0 all  1 shop (5)");
    story.shows("REASON");
    story.shows("ghcr.io/shop/podinfo");
}
