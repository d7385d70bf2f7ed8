//! When a list of tags is asked for again by itself: only while it is seen, and never more often than once a minute.

use super::{Asking, TagList};
use crate::domain::Timestamp;

/// Seconds that always lie between two questions nobody asked for (`reference/registries.md` §9).
const LEAST: i64 = 60;
/// A list that is seen is asked for again after so many seconds.
const USUAL: i64 = 600;
/// However often it failed, it is tried again after so many seconds.
const LONGEST: i64 = 1_800;

/// Its time has come. What is under way, or in line, is not asked twice.
pub(super) fn is_due(list: &TagList, now: Timestamp) -> bool {
    next(list).is_some_and(|next| now >= next)
}

/// When a list that failed is tried again.
pub(super) fn retried(list: &TagList) -> Option<Timestamp> {
    matches!(list.asking, Asking::Failed(..)).then(|| next(list)).flatten()
}

fn next(list: &TagList) -> Option<Timestamp> {
    let (at, wait) = match &list.asking {
        Asking::Queued | Asking::Since(_) => return None,
        Asking::Done(at) if list.outrun => (at, LEAST),
        Asking::Done(at) => (at, USUAL),
        Asking::Failed(at, _) => (at, back_off(list.failures)),
    };
    Timestamp::from_second(at.as_second().saturating_add(wait)).ok()
}

/// It doubles with every failure.
fn back_off(failures: u32) -> i64 {
    let doublings = failures.saturating_sub(1).min(16);
    (LEAST << doublings).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_doubles_the_wait_up_to_half_an_hour() {
        let waits: Vec<i64> = (1..=8).map(back_off).collect();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1_800, 1_800, 1_800]);
        assert_eq!(back_off(u32::MAX), 1_800);
    }
}
