//! Times as a person reads them. Reads no clock: now is handed in.

use crate::domain::Timestamp;
use std::time::Duration;

/// `8s`, `3m`, `2h`, `12d`: how long ago. A time in the future is `0s`: clocks differ.
pub fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(since.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// `0.8 s`, `12 s`, `3 min`: how long something took.
pub fn took(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", elapsed.as_secs_f64()),
        10..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

/// `12:01:30`, in UTC as Kubernetes writes it.
pub fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_short_and_never_negative() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (ago, words) in
            [(-5, "0s"), (59, "59s"), (60, "1m"), (7_200, "2h"), (169_200, "47h"), (200_000, "2d")]
        {
            assert_eq!(age(Timestamp::from_second(1_000_000 - ago).unwrap(), now), words);
        }
        assert_eq!(took(Duration::from_millis(840)), "0.8 s");
        assert_eq!(took(Duration::from_secs(300)), "5 min");
    }
}
