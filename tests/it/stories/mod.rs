//! What the program promises, feature by feature.

mod anything;
mod artifact;
mod board;
mod commands;
mod diff;
mod filters;
mod fresh;
mod keys;
mod newest;
mod object;
mod reconcile;
mod revisions;
mod scale;
mod tags;
mod unseen;
mod upgrades;
