//! Whatever is pressed, at whatever size: a picture comes, and nothing writes by accident.

use crate::story::{settings, shop_with_tags};
use fluxscope::app::{
    effect::Effect,
    keymap::TABLE,
    message::{Chord, Message},
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Input {
    Key(Chord),
    Size(u16, u16),
    Wait(i64),
}

fn input() -> impl Strategy<Value = Input> {
    let quits = |chord: &Chord| *chord != Chord::control('c');
    let bound: Vec<Chord> = TABLE.iter().map(|row| row.chord).filter(quits).collect();
    prop_oneof![
        8 => prop::sample::select(bound).prop_map(Input::Key),
        2 => any::<char>().prop_map(|c| Input::Key(Chord::char(c))),
        1 => (0u16..200, 0u16..60).prop_map(|(width, height)| Input::Size(width, height)),
        1 => (0i64..4_000).prop_map(Input::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_keys_and_no_size_break_the_picture_or_send_anything_while_read_only(
        inputs in prop::collection::vec(input(), 1..60)
    ) {
        let mut story = shop_with_tags(settings(100, 24));
        for input in inputs {
            match input {
                Input::Key(chord) => story.tell(Message::Key(chord)),
                Input::Size(width, height) => story.resize(width, height),
                Input::Wait(seconds) => story.wait(seconds),
            }
            story.terminal();
        }
        let asked = story.asked();
        // only the word `:write` could allow it, and chance does not type it
        let sent = asked.iter().filter(|effect| matches!(effect, Effect::Reconcile { .. })).count();
        prop_assert_eq!(sent, 0);
    }
}
