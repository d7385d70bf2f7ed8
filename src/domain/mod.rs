//! WHAT IS TRUE. Pure values and rules: no async, no clock, no I/O.

pub mod nearest;
pub mod plain;
pub mod problem;
pub mod quote;

pub mod digest;
pub mod repository;
pub mod revision;
pub mod version;

pub mod condition;
pub mod consumer;
pub mod event;
pub mod identity;
pub mod inventory;
pub mod source;

pub mod fact;
pub mod standing;
pub mod world;

pub mod action;
pub mod artifact;
pub mod change;
pub mod commits;
pub mod comparison;
pub mod constraint;
pub mod diff;
pub mod history;
pub mod ignore;
pub mod impact;
pub mod layer;
pub mod lens;
pub mod object;
pub mod outlook;
pub mod pattern;
pub mod policy;
pub mod reference;
pub mod ruling;
pub mod secret;
pub mod selector;
pub mod tree;
pub mod upgrade;
pub mod widen;

#[cfg(test)]
pub(crate) mod sample;

pub use jiff::Timestamp;
