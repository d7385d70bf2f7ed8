//! WHAT HAPPENS. The Elm loop as a value: no async, no I/O.

pub mod command;
pub mod effect;
pub mod equivalent;
pub mod filter;
pub mod keymap;
pub mod ledger;
pub mod memory;
pub mod message;
pub mod rollout;
pub mod screen;
pub mod shelf;
