//! WHAT HAPPENS. The Elm loop as a value: no async, no I/O.

pub mod command;
pub mod effect;
pub mod filter;
pub mod keymap;
pub mod message;
