//! Waits for the reports of watches, signals, the deadline and the clock.

use std::time::Duration;

use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use super::signals::Signals;
use crate::cluster::watch::WatchNews;
use crate::error::Error;

/// The interval of empty reports, so that progress can be redrawn.
const TICK: Duration = Duration::from_millis(200);
/// Shorter outages of the connection are not reported: some proxies cut every long connection.
const GRACE: Duration = Duration::from_secs(2);
/// The maximum number of events in a report. A Pod takes about 3 KB.
const BURST: usize = 500;

/// A message for the user, reported once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// The connection is lost. Has the reason.
    Reconnecting(String),
    /// The connection is back. Has the length of the outage.
    Reconnected(Duration),
    /// Another Job of the family was deleted before it ended, and no longer counts. Has its name.
    JobDeleted(String),
}

/// Why waiting stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Interrupted,
    TimedOut,
}

/// The events that arrived together. Empty if only time has passed.
#[derive(Debug)]
pub(crate) struct Burst<T> {
    pub(crate) seen: Vec<T>,
    pub(crate) remark: Option<Remark>,
    pub(crate) stop: Option<Stop>,
}

impl<T> Default for Burst<T> {
    fn default() -> Self {
        Self { seen: Vec::new(), remark: None, stop: None }
    }
}

#[derive(Debug)]
struct Outage {
    since: Instant,
    why: String,
    reported: bool,
}

/// A stream of watched events, with the signals and the deadline that end the wait.
pub(crate) struct Watching<T> {
    notices: Box<dyn Stream<Item = Result<WatchNews<T>, Error>> + Send + Unpin>,
    /// The error that ended the watch, to be returned after the last burst.
    failure: Option<Error>,
    outage: Option<Outage>,
    signals: Signals,
    deadline: Option<Instant>,
    tick: Interval,
}

impl<T: Send + 'static> Watching<T> {
    /// Catches the signals from now on.
    pub(crate) fn new(
        notices: impl Stream<Item = Result<WatchNews<T>, Error>> + Send + Unpin + 'static,
        signals: &Signals,
        deadline: Option<Instant>,
    ) -> Self {
        signals.catch();
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A watch that has ended reports nothing more.
        let notices = Box::new(notices.chain(futures::stream::pending()));
        Self { notices, failure: None, outage: None, signals: signals.clone(), deadline, tick }
    }

    /// Waits for the next burst. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Burst<T>, Error> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        tokio::select! {
            biased;
            () = self.signals.first.cancelled() => Ok(Burst { stop: Some(Stop::Interrupted), ..Burst::default() }),
            () = until(self.deadline) => Ok(Burst { stop: Some(Stop::TimedOut), ..Burst::default() }),
            Some(first) = self.notices.next() => self.collect(first),
            _ = self.tick.tick() => Ok(Burst { remark: self.outage_to_report(), ..Burst::default() }),
        }
    }

    /// Adds the other events that have already arrived.
    fn collect(&mut self, first: Result<WatchNews<T>, Error>) -> Result<Burst<T>, Error> {
        let mut burst = Burst::default();
        let mut notice = Some(first);
        while let Some(next) = notice {
            match next {
                Ok(WatchNews::Seen(seen)) => burst.seen.push(seen),
                Ok(WatchNews::Reconnecting(why)) => {
                    self.outage.get_or_insert(Outage { since: Instant::now(), why, reported: false });
                }
                Ok(WatchNews::Connected) => {
                    let over = self.outage.take().filter(|outage| outage.reported);
                    burst.remark = over.map(|outage| Remark::Reconnected(outage.since.elapsed())).or(burst.remark);
                }
                Err(error) if burst.seen.is_empty() => return Err(error),
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
            notice = if burst.seen.len() < BURST { self.notices.next().now_or_never().flatten() } else { None };
        }
        Ok(burst)
    }

    fn outage_to_report(&mut self) -> Option<Remark> {
        let outage = self.outage.as_mut().filter(|outage| !outage.reported && outage.since.elapsed() >= GRACE)?;
        outage.reported = true;
        Some(Remark::Reconnecting(outage.why.clone()))
    }

    /// Returns the reason of an outage that lasts longer than [`GRACE`].
    pub(crate) fn outage(&self) -> Option<&str> {
        let outage = self.outage.as_ref().filter(|outage| outage.since.elapsed() >= GRACE)?;
        Some(&outage.why)
    }

    /// Returns what a future returns, unless a signal or the deadline comes first.
    pub(crate) async fn bounded<O>(&self, work: impl Future<Output = O>) -> Result<O, Stop> {
        tokio::select! {
            outcome = work => Ok(outcome),
            () = self.signals.first.cancelled() => Err(Stop::Interrupted),
            () = until(self.deadline) => Err(Stop::TimedOut),
        }
    }
}

/// Waits until the deadline; forever if there is none.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
