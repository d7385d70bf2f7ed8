//! fluxscope: the Flux objects of a cluster and the registry beside them, on one screen.
//!
//! Read in this order: [`domain`] (what is true), [`port`] (what we need from outside), [`cluster`], [`registry`] and
//! [`demo`] (who answers), [`render`] (the tools of this machine), [`app`] (what happens), [`widgets`] (what it is drawn with), [`runtime`] (how it runs),
//! [`cli`] (the same questions without a screen).
//!
//! Invariants. 1. `update` and `draw` never wait. 2. `draw` takes `&self`. 3. State changes only in `update`.
//! 4. Only `runtime::perform` starts tasks. 5. An answer is stored under what it is an answer *about* (digest,
//! repository, object id), never under the screen that asked. 6. Selection is an id, not an index. 7. Every key is a
//! row of one table; footer, help and README read that table. 8. A failed question leaves a
//! [`domain::problem::Problem`] where the answer would have stood. 9. Text from outside reaches a screen, a log or
//! stdout only through [`domain::plain::Plain`]. 10. The program is useful while half the world is unreachable.
//! 11. Nothing is drawn while nothing changed. 12. The terminal is always given back.

pub mod app;
pub mod cli;
pub mod cluster;
pub mod demo;
pub mod domain;
pub mod port;
pub mod registry;
pub mod render;
pub mod runtime;
pub mod widgets;
