//! WHAT HAPPENS. The Elm loop as a value: no async, no I/O.

pub mod effect;
pub mod message;
