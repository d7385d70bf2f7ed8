//! Terminal events -> messages. Nothing above this file knows crossterm.

use crate::app::message::{Chord, Key, Message};
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures::{Stream, StreamExt};
use std::io;

pub(super) fn messages() -> impl Stream<Item = io::Result<Message>> + Send {
    EventStream::new().filter_map(|event| async { event.map(message).transpose() })
}

fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => chord(key).map(Message::Key),
        Event::Paste(text) => Some(Message::Pasted(text)),
        Event::Resize(width, height) => Some(Message::Resized { width, height }),
        Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
    }
}

fn chord(event: KeyEvent) -> Option<Chord> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let key = match event.code {
        // what a legacy terminal sends for ^\\ is read as ^4
        KeyCode::Char('4') if control => Key::Char('\\'),
        // Without a legacy terminal's help a shifted letter may come in lower case.
        KeyCode::Char(c) if shift && !control => Key::Char(c.to_uppercase().next().unwrap_or(c)),
        KeyCode::Char(c) => Key::Char(if control { c.to_ascii_lowercase() } else { c }),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    };
    let lettered = matches!(key, Key::Char(_) | Key::BackTab);
    Some(Chord { key, control, alt: event.modifiers.contains(KeyModifiers::ALT), shift: shift && !lettered })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: KeyCode, modifiers: KeyModifiers, expected: Chord) {
        assert_eq!(chord(KeyEvent::new(code, modifiers)), Some(expected));
    }

    #[test]
    fn a_shifted_letter_is_its_capital_and_control_letters_are_lower_case() {
        check(KeyCode::Char('R'), KeyModifiers::SHIFT, Chord::char('R'));
        check(KeyCode::Char('r'), KeyModifiers::SHIFT, Chord::char('R'));
        check(KeyCode::Char('F'), KeyModifiers::CONTROL, Chord::control('f'));
        check(KeyCode::BackTab, KeyModifiers::SHIFT, Chord::key(Key::BackTab));
        check(KeyCode::Char('4'), KeyModifiers::CONTROL, Chord::control('\\'));
    }

    #[test]
    fn letting_a_key_go_means_nothing() {
        let mut event = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        event.kind = KeyEventKind::Release;
        assert_eq!(chord(event), None);
    }
}
