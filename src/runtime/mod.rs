//! HOW IT RUNS: wait, gather, update, perform, draw. The only place with tasks and a terminal.

mod artifacts;
mod input;
pub mod log;
mod perform;
mod terminal;

pub use terminal::width as terminal_width;

use crate::{
    app::{App, Settings, effect::Effect, message::Message},
    domain::Timestamp,
    port::Ports,
};
use futures::{Stream, StreamExt, stream::BoxStream};
use perform::{Answer, Performer};
use std::{io, time::Duration};
use terminal::Screen;
use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

/// Two frames are at least this far apart, unless a key was pressed: 60 per second.
const FRAME: Duration = Duration::from_millis(16);

/// Runs the program on the terminal of this process until the user leaves or a signal asks it to end.
/// The terminal is given back in every case, a panic included.
pub async fn run(settings: Settings, ports: Ports) -> io::Result<()> {
    let mut screen = Screen::open()?;
    let (performer, answers) = Performer::new(ports);
    let (width, height) = screen.size()?;
    let mut app = App::new(Settings { width, height, ..settings });
    let mut house = House {
        performer,
        answers,
        input: input::messages().boxed(),
        hung_up: hang_up()?.boxed(),
        copies: Vec::new(),
    };
    let result = house.live(&mut app, &mut screen).await;
    screen.close()?;
    result
}

struct House {
    performer: Performer,
    answers: Receiver<Answer>,
    input: BoxStream<'static, io::Result<Message>>,
    hung_up: BoxStream<'static, ()>,
    /// Texts on their way to the clipboard, which belongs to the terminal.
    copies: Vec<String>,
}

/// What ended a wait.
enum Woken {
    By(Box<Message>),
    /// An answer that nobody waits for any more.
    ByNothing,
    Clock,
    Leave,
    Broken(io::Error),
}

impl House {
    async fn live(&mut self, app: &mut App, screen: &mut Screen) -> io::Result<()> {
        let mut clock = interval(Duration::from_secs(1));
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut effects = app.update(Message::Tick(now()));
        effects.extend(app.start());
        if self.act(effects) {
            return Ok(());
        }
        let mut drawn = Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now);
        loop {
            if app.take_dirty() {
                screen.draw(|frame| app.draw(frame))?;
                drawn = Instant::now();
            }
            let first = match self.wait(&mut clock).await {
                Woken::By(message) => Some(message),
                Woken::Clock => None,
                Woken::ByNothing => continue,
                Woken::Leave => return Ok(()),
                Woken::Broken(error) => return Err(error),
            };
            let due = app.update(Message::Tick(now()));
            let end = self.act(due)
                || match first {
                    Some(first) => self.gather(first, app, drawn + FRAME).await?,
                    None => false,
                };
            for text in std::mem::take(&mut self.copies) {
                let copied = screen.copy(&text);
                self.performer.tell(Message::Copied(copied));
            }
            if end {
                return Ok(());
            }
        }
    }

    /// Takes in what is there, and what comes before the next frame is due; a key is not kept waiting for that.
    /// Never longer than a frame lasts, however much comes. True if the user leaves.
    async fn gather(&mut self, first: Box<Message>, app: &mut App, due: Instant) -> io::Result<bool> {
        let begun = Instant::now();
        let mut message = first;
        let mut urgent = false;
        loop {
            urgent |= matches!(*message, Message::Key(_) | Message::Resized { .. });
            let effects = app.update(*message);
            if self.act(effects) {
                return Ok(true);
            }
            message = loop {
                if begun.elapsed() >= FRAME {
                    return Ok(false);
                }
                let until = if urgent || !app.is_dirty() { begun } else { due };
                match self.more_until(until).await {
                    Woken::By(message) => break message,
                    Woken::ByNothing => {}
                    Woken::Clock => return Ok(false),
                    Woken::Leave => return Ok(true),
                    Woken::Broken(error) => return Err(error),
                }
            };
        }
    }

    async fn wait(&mut self, clock: &mut tokio::time::Interval) -> Woken {
        tokio::select! {
            biased;
            key = self.input.next() => pressed(key),
            _ = self.hung_up.next() => Woken::Leave,
            Some(answer) = self.answers.recv() => heard(self.performer.hear(answer)),
            _ = clock.tick() => Woken::Clock,
        }
    }

    /// What else arrives until then, at least what is there already; keys first.
    async fn more_until(&mut self, then: Instant) -> Woken {
        tokio::select! {
            biased;
            key = self.input.next() => pressed(key),
            Some(answer) = self.answers.recv() => heard(self.performer.hear(answer)),
            () = sleep_until(then) => Woken::Clock,
        }
    }

    /// True if one of the effects is to leave. All others are begun at once, so that what they end is not heard.
    fn act(&mut self, effects: Vec<Effect>) -> bool {
        for effect in effects {
            match effect {
                Effect::Quit => return true,
                Effect::Copy(text) => self.copies.push(text),
                other => self.performer.perform(other),
            }
        }
        false
    }
}

fn pressed(key: Option<io::Result<Message>>) -> Woken {
    match key {
        Some(Ok(message)) => Woken::By(Box::new(message)),
        Some(Err(error)) => Woken::Broken(error),
        None => Woken::Leave,
    }
}

fn heard(message: Option<Message>) -> Woken {
    message.map_or(Woken::ByNothing, |message| Woken::By(Box::new(message)))
}

/// SIGTERM and SIGHUP ask us to leave; SIGINT does only when it comes from outside the terminal.
#[cfg(unix)]
fn hang_up() -> io::Result<impl Stream<Item = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
    let mut streams = Vec::new();
    for kind in kinds {
        let listener = signal(kind)?;
        streams.push(
            futures::stream::unfold(listener, |mut listener| async move {
                listener.recv().await.map(|()| ((), listener))
            })
            .boxed(),
        );
    }
    Ok(futures::stream::select_all(streams))
}

#[cfg(not(unix))]
fn hang_up() -> io::Result<impl Stream<Item = ()> + Send> {
    Ok(futures::stream::once(async {
        let _ = tokio::signal::ctrl_c().await;
    }))
}

#[expect(clippy::disallowed_methods, reason = "the loop is where time becomes a message")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::message::{Chord, Key},
        demo::Demo,
        domain::repository::{Repository, Upstream},
        port::NoTools,
    };
    use futures::stream;
    use std::sync::Arc;

    fn house(input: BoxStream<'static, io::Result<Message>>) -> House {
        let Demo { gateway, registry, artifacts } = Demo::open(Timestamp::UNIX_EPOCH).unwrap();
        let (performer, answers) =
            Performer::new(Ports { gateway, registry, artifacts, renderer: Arc::new(NoTools) });
        House { performer, answers, input, hung_up: stream::pending().boxed(), copies: Vec::new() }
    }

    /// Answers that never end.
    async fn flood(house: &mut House) {
        house.performer.flood();
        while house.answers.len() < 512 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_frame_comes_whatever_is_answered_meanwhile() {
        let mut house = house(stream::pending().boxed());
        flood(&mut house).await;
        let mut app = App::new(Settings::default());
        let first = Box::new(Message::Copied(Ok(())));
        let due = Instant::now() + FRAME;
        let gathered = house.gather(first, &mut app, due);
        let end = tokio::time::timeout(Duration::from_secs(20), gathered).await.expect("it ends").unwrap();
        assert!(!end);
        assert!(!house.answers.is_empty(), "there was more to take in");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_key_goes_before_all_answers_that_wait() {
        let keys = [Message::Key(Chord::key(Key::Down)), Message::Key(Chord::control('c'))];
        let mut house = house(stream::iter(keys.map(Ok)).chain(stream::pending()).boxed());
        flood(&mut house).await;
        let waiting = house.answers.len();
        let mut app = App::new(Settings::default());
        let upstream =
            Upstream { repository: Repository::parse_name("ghcr.io/acme/a").unwrap(), insecure: false };
        let first = Box::new(Message::Tags(
            upstream,
            Ok(crate::domain::artifact::TagPage {
                tags: Vec::new(),
                invalid: Vec::new(),
                requests: 1,
                more: true,
                cut: None,
                asked_with: "a".into(),
            }),
        ));
        assert!(house.gather(first, &mut app, Instant::now()).await.unwrap(), "^C leaves");
        assert!(house.answers.len() >= waiting, "no answer went before the keys");
    }
}
