//! Everything that can happen. Time is a message: nothing in `app` reads a clock.

use super::{
    page::{Page, PageId},
    shelf::{artifacts::News, comparisons},
};
use crate::domain::{
    Timestamp,
    action::Step,
    artifact::{Descriptor, Details, TagPage},
    comparison::Question,
    event::Event,
    fact::{Fact, Object},
    identity::{About, ObjectId},
    problem::Problem,
    repository::Upstream,
};
use std::sync::Arc;

#[derive(Debug, Clone)]
pub enum Message {
    /// The clock; sent before every batch, and once a second.
    Tick(Timestamp),
    Key(Chord),
    /// Text pasted by the terminal: never a command by itself.
    Pasted(String),
    Resized {
        width: u16,
        height: u16,
    },
    Contexts(Result<Vec<String>, Problem>),
    /// Answer to `Effect::Connect`.
    Connected(Result<About, Problem>),
    Observed(Vec<Fact>),
    /// The watch ended by itself; it is begun anew.
    WatchBroke(Problem),
    /// One page, in order. After a problem or a page without `more` nothing follows.
    Tags(Upstream, Result<TagPage, Problem>),
    Headed {
        upstream: Upstream,
        reference: String,
        answer: Result<Descriptor, Problem>,
    },
    Described {
        upstream: Upstream,
        reference: String,
        answer: Result<Details, Problem>,
    },
    /// An answer about an artifact.
    Artifact(News),
    /// News of a comparison: progress, then the answer.
    Compared(Box<Question>, comparisons::News),
    /// The lines of one changed object or file.
    Page(PageId, Result<Arc<Page>, Problem>),
    /// All events of an object, whole, newest first.
    Events(ObjectId, Result<Vec<Event>, Problem>),
    /// The object as YAML, secrets masked.
    Raw(ObjectId, Result<String, Problem>),
    Fetched(ObjectId, Result<Arc<Object>, Problem>),
    Namespaces(Result<Vec<String>, Problem>),
    /// A step of the action on this target.
    Stepped {
        target: ObjectId,
        step: Step,
    },
    /// The action on this target is over.
    Acted(ObjectId),
    Copied(Result<(), Problem>),
}

/// One key press, as the terminal tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    pub key: Key,
    pub control: bool,
    pub alt: bool,
    /// Only for keys without a character; `Char('R')` says it by itself.
    pub shift: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    Char(char),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

impl Chord {
    pub const fn char(c: char) -> Self {
        Self { key: Key::Char(c), control: false, alt: false, shift: false }
    }

    pub const fn control(c: char) -> Self {
        Self { key: Key::Char(c), control: true, alt: false, shift: false }
    }

    pub const fn key(key: Key) -> Self {
        Self { key, control: false, alt: false, shift: false }
    }
}
