//! What the exit code says to a script (`design.md` §10).

/// The question was answered.
pub const ANSWERED: i32 = 0;
/// It was answered, and the answer is no.
pub const NO: i32 = 1;
/// It, or a part of it, was not answered: usage, refused, timeout, could not be asked.
pub const NOT_ANSWERED: i32 = 2;
