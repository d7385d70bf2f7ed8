//! Keys pressed one after the other, each from its byte to the first bytes of its paint.

use crate::pty::Pty;
use std::time::Duration;

#[derive(Default)]
pub struct Painted {
    /// From fastest to slowest.
    pub times: Vec<Duration>,
    /// Keys after which nothing was drawn within a second.
    pub silent: usize,
}

impl<'a> FromIterator<&'a Painted> for Painted {
    fn from_iter<T: IntoIterator<Item = &'a Self>>(all: T) -> Self {
        let mut together = Self::default();
        for painted in all {
            together.times.extend_from_slice(&painted.times);
            together.silent += painted.silent;
        }
        together.times.sort();
        together
    }
}

pub fn press(pty: &mut Pty, keys: &[&str]) -> Painted {
    let mut painted = Painted::default();
    for key in keys {
        match pty.paint_after(key) {
            Some(time) => painted.times.push(time),
            None => painted.silent += 1,
        }
    }
    painted.times.sort();
    painted
}
