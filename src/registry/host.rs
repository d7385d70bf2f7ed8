//! One host's share of our attention: how many requests at once and per second, and when it asked us to wait.
//! It knows no request.

use super::{
    failure::{Failure, span},
    memory::Memory,
    place::Scheme,
    settings::Limits,
};
use crate::domain::problem::Cause;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until},
};

/// A host that asks for a longer pause is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// Good answers in a row before one more request at once is tried again after a 429.
const RECOVERY: u32 = 10;

/// Hosts are named by objects of the cluster: no more of them are remembered.
const MOST: usize = 256;

pub(super) struct Hosts(Mutex<Memory<String, Host>>);

impl Default for Hosts {
    fn default() -> Self {
        Self(Mutex::new(Memory::new(MOST)))
    }
}

impl Hosts {
    pub(super) fn of(&self, authority: &str, limits: &Limits) -> Arc<Host> {
        let mut hosts = lock(&self.0);
        hosts.get(authority).unwrap_or_else(|| hosts.insert(authority.to_owned(), Host::new(limits)))
    }
}

pub(super) struct Host {
    turns: Arc<Semaphore>,
    pace: Mutex<Pace>,
    patience: Duration,
    /// The scheme that was spoken, without and with `insecure`.
    schemes: Mutex<[Option<Scheme>; 2]>,
    /// https with a certificate that can be checked was not to be had here.
    pub(super) unprotected: AtomicBool,
    /// Pages of 1000 tags were refused here.
    pub(super) small_pages: AtomicBool,
}

struct Pace {
    interval: Duration,
    burst: Duration,
    /// When the next request would start if all came evenly; it may lie ahead of now by `burst`.
    due: Instant,
    paused_until: Option<Instant>,
    most: usize,
    allowed: usize,
    /// Turns to take away as they come back.
    surplus: usize,
    good: u32,
}

/// Permission for one request; coming back is its drop.
pub(super) struct Turn {
    host: Arc<Host>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Host {
    fn new(limits: &Limits) -> Self {
        let rate = limits.per_second.max(1);
        let interval = Duration::from_secs(1) / rate;
        let most = limits.at_once.max(1);
        let pace = Pace {
            interval,
            burst: interval * (rate - 1),
            due: Instant::now(),
            paused_until: None,
            most,
            allowed: most,
            surplus: 0,
            good: 0,
        };
        Self {
            turns: Arc::new(Semaphore::new(most)),
            pace: Mutex::new(pace),
            patience: limits.total,
            schemes: Mutex::default(),
            unprotected: AtomicBool::new(false),
            small_pages: AtomicBool::new(false),
        }
    }

    /// Waits for a turn. Fails at once while the host asks for a pause longer than anyone waits for an answer.
    /// What is not paced waits for its turn and for the end of a pause, and for nothing else.
    pub(super) async fn admit(self: &Arc<Self>, paced: bool) -> Result<Turn, Failure> {
        let permit = Arc::clone(&self.turns).acquire_owned().await.ok();
        let turn = Turn { host: Arc::clone(self), permit };
        loop {
            let now = Instant::now();
            let start = {
                let mut pace = lock(&self.pace);
                match pace.pause(now, self.patience)? {
                    None if paced => pace.next_start(now),
                    pause => pause,
                }
            };
            match start {
                Some(start) => sleep_until(start).await,
                None => return Ok(turn),
            }
        }
    }

    /// 429, or `Retry-After`: nobody asks this host again before `delay` is over, and then fewer at once.
    pub(super) fn slow_down(&self, delay: Duration) {
        lock(&self.pace).slow_down(Instant::now(), delay);
    }

    pub(super) fn answered_well(&self) {
        let mut pace = lock(&self.pace);
        pace.good += 1;
        if pace.good >= RECOVERY && pace.allowed < pace.most {
            pace.good = 0;
            pace.allowed += 1;
            match pace.surplus.checked_sub(1) {
                Some(fewer) => pace.surplus = fewer,
                None => self.turns.add_permits(1),
            }
        }
    }

    pub(super) fn scheme(&self, insecure: bool) -> Option<Scheme> {
        lock(&self.schemes)[usize::from(insecure)]
    }

    pub(super) fn remember_scheme(&self, insecure: bool, scheme: Scheme) {
        lock(&self.schemes)[usize::from(insecure)] = Some(scheme);
    }
}

impl Pace {
    fn slow_down(&mut self, now: Instant, delay: Duration) {
        if self.paused_until.is_none_or(|paused| paused <= now) {
            let fewer = (self.allowed / 2).max(1);
            self.surplus += self.allowed - fewer;
            self.allowed = fewer;
        }
        self.good = 0;
        self.paused_until = self.paused_until.max(Some(now + delay.min(LONGEST_PAUSE)));
    }

    /// When the pause that the host asked for is over; None: there is none.
    fn pause(&self, now: Instant, patience: Duration) -> Result<Option<Instant>, Failure> {
        let Some(until) = self.paused_until.filter(|&until| until > now) else { return Ok(None) };
        let rest = until - now;
        if rest > patience {
            let why = "too many requests: the registry asked for a pause";
            let left = format!("{} of it are left", span(rest));
            return Err(Failure::new(Cause::RateLimited, why).with_hint(left));
        }
        Ok(Some(until))
    }

    /// None: now, and the start is counted. Else when to ask again.
    fn next_start(&mut self, now: Instant) -> Option<Instant> {
        let due = self.due.max(now);
        if due - now > self.burst {
            return Some(due - self.burst);
        }
        self.due = due + self.interval;
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut pace = lock(&self.host.pace);
        if let Some(fewer) = pace.surplus.checked_sub(1)
            && let Some(permit) = self.permit.take()
        {
            pace.surplus = fewer;
            permit.forget();
        }
    }
}

/// The values behind these locks stay whole even if a task dies between two of their lines.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(at_once: usize, per_second: u32) -> Arc<Host> {
        Hosts::default().of("h", &Limits { at_once, per_second, ..Limits::default() })
    }

    /// Starts `count` requests as early as they may; how long that took.
    fn start(host: &Host, count: u32, from: Instant) -> Duration {
        let mut now = from;
        for _ in 0..count {
            let ask = |now| {
                let mut pace = lock(&host.pace);
                pace.pause(now, Duration::from_secs(30)).unwrap().or_else(|| pace.next_start(now))
            };
            while let Some(later) = ask(now) {
                now = later;
            }
        }
        now - from
    }

    #[test]
    fn a_burst_starts_together_and_the_rest_at_the_pace() {
        let host = host(100, 10);
        let now = Instant::now() + Duration::from_secs(1);
        assert_eq!(start(&host, 10, now), Duration::ZERO);
        assert_eq!(start(&host, 20, now), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_paced_waits_for_a_pause_only() {
        let host = host(4, 10);
        let before = Instant::now();
        for _ in 0..100 {
            drop(host.admit(false).await.ok().unwrap());
        }
        assert_eq!(before.elapsed(), Duration::ZERO);
        drop(host.admit(true).await.ok().unwrap());
        assert_eq!(before.elapsed(), Duration::ZERO, "it took nothing from what is paced");
        host.slow_down(Duration::from_secs(3));
        drop(host.admit(false).await.ok().unwrap());
        assert!(before.elapsed() >= Duration::from_secs(3));
    }

    #[tokio::test]
    async fn after_a_429_everybody_waits_and_fewer_ask_at_once() {
        let host = host(4, 1000);
        let now = Instant::now();
        let turns = [host.admit(true).await, host.admit(true).await];
        lock(&host.pace).slow_down(now, Duration::from_secs(3));
        lock(&host.pace).slow_down(now, Duration::from_secs(2));
        drop(turns);
        assert_eq!(start(&host, 1, now), Duration::from_secs(3));
        assert_eq!(host.turns.available_permits(), 2);
        for _ in 0..2 * RECOVERY {
            host.answered_well();
        }
        assert_eq!(host.turns.available_permits(), 4);
    }

    #[test]
    fn a_pause_longer_than_anyone_waits_is_said_at_once_and_ends() {
        let host = host(4, 10);
        let now = Instant::now();
        let ask = |now| lock(&host.pace).pause(now, Duration::from_secs(30));
        lock(&host.pace).slow_down(now, Duration::from_secs(86_400));
        let failure = ask(now).err().unwrap();
        assert_eq!(
            (failure.cause, failure.hint.as_deref()),
            (Cause::RateLimited, Some("5 min of it are left"))
        );
        assert!(ask(now + LONGEST_PAUSE).unwrap().is_none());
    }
}
