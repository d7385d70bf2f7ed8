//! What the program promises, feature by feature.

mod board;
