//! How far the question has come, on stderr: one line that is written anew on a terminal, else one line per registry.

use crate::cli::output::Console;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// No eye follows more than four lines a second.
const PAUSE: Duration = Duration::from_millis(250);

pub(super) struct Progress<'a, 'b> {
    console: &'a mut Console<'b>,
    /// Repositories per registry: how many, how many were looked at, how many of those did not answer.
    hosts: BTreeMap<String, Count>,
    shown: Option<Instant>,
}

#[derive(Default, Clone, Copy)]
struct Count {
    all: usize,
    done: usize,
    failed: usize,
}

impl<'a, 'b> Progress<'a, 'b> {
    pub(super) fn new(console: &'a mut Console<'b>) -> Self {
        Self { console, hosts: BTreeMap::new(), shown: None }
    }

    pub(super) fn expect(&mut self, host: &str) {
        self.hosts.entry(host.to_owned()).or_default().all += 1;
    }

    pub(super) fn begin(&mut self) {
        let all: usize = self.hosts.values().map(|count| count.all).sum();
        if all > 0 && !self.console.is_watched() {
            self.console.say(&format!("asking {} at {}", plural(all, "repository", "repositories"), {
                plural(self.hosts.len(), "registry", "registries")
            }));
        }
        self.show();
    }

    pub(super) fn done(&mut self, host: &str, answered: bool) {
        let Some(count) = self.hosts.get_mut(host) else { return };
        count.done += 1;
        count.failed += usize::from(!answered);
        let count = *count;
        if self.console.is_watched() {
            self.show();
        } else if count.done == count.all {
            let failed = match count.failed {
                0 => String::new(),
                failed => format!(", {failed} not answered"),
            };
            let asked = plural(count.all, "repository", "repositories");
            self.console.say(&format!("{host}: {asked} asked{failed}"));
        }
    }

    fn show(&mut self) {
        let now = Instant::now();
        if self.shown.is_some_and(|shown| now - shown < PAUSE) {
            return;
        }
        self.shown = Some(now);
        let sum = |of: fn(&Count) -> usize| self.hosts.values().map(of).sum::<usize>();
        let waiting: Vec<&str> = self
            .hosts
            .iter()
            .filter(|(_, count)| count.done < count.all)
            .map(|(host, _)| host.as_str())
            .collect();
        let who = match waiting[..] {
            [] => return,
            [one] => one.to_owned(),
            [one, ..] => format!("{one} and {} more", waiting.len() - 1),
        };
        let (done, all) = (sum(|count| count.done), sum(|count| count.all));
        self.console.progress(&format!("asked {done} of {all} repositories, waiting for {who}"));
    }
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
