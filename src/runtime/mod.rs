//! HOW IT RUNS: wait, gather, update, perform, draw. The only place with tasks and a terminal.

mod input;
pub mod log;
mod perform;
mod terminal;

use crate::{
    app::{App, Settings, effect::Effect, message::Message},
    domain::Timestamp,
    port::Ports,
};
use futures::{Stream, StreamExt, stream::BoxStream};
use perform::Performer;
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
    let mut house =
        House { performer, answers, input: input::messages().boxed(), hung_up: hang_up()?.boxed() };
    let result = house.live(&mut app, &mut screen).await;
    screen.close()?;
    result
}

struct House {
    performer: Performer,
    answers: Receiver<Message>,
    input: BoxStream<'static, io::Result<Message>>,
    hung_up: BoxStream<'static, ()>,
}

/// What ended a wait.
enum Woken {
    By(Box<Message>),
    Clock,
    Leave,
    Broken(io::Error),
}

impl House {
    async fn live(&mut self, app: &mut App, screen: &mut Screen) -> io::Result<()> {
        let mut clock = interval(Duration::from_secs(1));
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        app.update(Message::Tick(now()));
        let effects = app.start();
        if self.act(effects, screen) {
            return Ok(());
        }
        let mut drawn = Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now);
        loop {
            if app.take_dirty() {
                screen.draw(|frame| app.draw(frame))?;
                drawn = Instant::now();
            }
            let first = match self.wait(&mut clock).await {
                Woken::By(message) => Some(*message),
                Woken::Clock => None,
                Woken::Leave => return Ok(()),
                Woken::Broken(error) => return Err(error),
            };
            let mut urgent = matches!(first, Some(Message::Key(_) | Message::Resized { .. }));
            app.update(Message::Tick(now()));
            let mut next = first;
            loop {
                while let Some(message) = next {
                    urgent |= matches!(message, Message::Key(_));
                    let effects = app.update(message);
                    if self.act(effects, screen) {
                        return Ok(());
                    }
                    next = self.answers.try_recv().ok();
                }
                if urgent || !app.is_dirty() || drawn.elapsed() >= FRAME {
                    break;
                }
                next = self.more_until(drawn + FRAME).await;
                if next.is_none() {
                    break;
                }
            }
        }
    }

    async fn wait(&mut self, clock: &mut tokio::time::Interval) -> Woken {
        tokio::select! {
            biased;
            key = self.input.next() => match key {
                Some(Ok(message)) => Woken::By(Box::new(message)),
                Some(Err(error)) => Woken::Broken(error),
                None => Woken::Leave,
            },
            _ = self.hung_up.next() => Woken::Leave,
            Some(message) = self.answers.recv() => Woken::By(Box::new(message)),
            _ = clock.tick() => Woken::Clock,
        }
    }

    /// What else arrives before the next frame is due; keys are never kept waiting.
    async fn more_until(&mut self, frame: Instant) -> Option<Message> {
        tokio::select! {
            biased;
            Some(Ok(message)) = self.input.next() => Some(message),
            Some(message) = self.answers.recv() => Some(message),
            () = sleep_until(frame) => None,
        }
    }

    /// True if one of the effects is to leave.
    fn act(&mut self, effects: Vec<Effect>, screen: &mut Screen) -> bool {
        for effect in effects {
            match effect {
                Effect::Quit => return true,
                Effect::Copy(text) => {
                    let copied = screen.copy(&text);
                    self.performer.tell(Message::Copied(copied));
                }
                other => self.performer.perform(other),
            }
        }
        false
    }
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
