//! One place that waits: for what watches report, for signals, for a deadline and for the clock.

use std::time::Duration;

use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};

use super::signals::Signals;
use crate::cluster::watch::Notice;
use crate::error::Error;

/// How often something is reported when nothing happens, so that progress can be redrawn.
const TICK: Duration = Duration::from_millis(200);
/// A connection that is back within this time is not worth a word: some proxies cut every long one.
const GRACE: Duration = Duration::from_secs(2);
/// The most events that are reported together; a Pod takes some 3 KB.
const BURST: usize = 500;

/// What is worth a word to the user, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    /// The connection is lost, for this reason.
    Reconnecting(String),
    /// The connection is back, after so long.
    Reconnected(Duration),
    /// This retry or original of the Job was deleted before it ended, and no longer counts.
    JobDeleted(String),
}

/// Why nobody waits any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Interrupted,
    TimedOut,
}

/// What came at once: nothing at all when only time has passed.
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

/// A watch, with all else that may end the waiting.
pub(crate) struct Watching<T> {
    notices: Box<dyn Stream<Item = Result<Notice<T>, Error>> + Send + Unpin>,
    /// Why watching has ended, where something came with it that is reported first.
    failure: Option<Error>,
    outage: Option<Outage>,
    signals: Signals,
    deadline: Option<Instant>,
    tick: Interval,
}

impl<T: Send + 'static> Watching<T> {
    /// Catches the signals from now on.
    pub(crate) fn new(
        notices: impl Stream<Item = Result<Notice<T>, Error>> + Send + Unpin + 'static,
        signals: &Signals,
        deadline: Option<Instant>,
    ) -> Self {
        signals.catch();
        let mut tick = interval_at(Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // A watch that has ended brings nothing, as one of nothing at all.
        let notices = Box::new(notices.chain(futures::stream::pending()));
        Self { notices, failure: None, outage: None, signals: signals.clone(), deadline, tick }
    }

    /// Waits for the next burst. Nothing is lost if the future is dropped.
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

    /// Takes what else is there already: events come in bursts, of which only the outcome is looked at.
    fn collect(&mut self, first: Result<Notice<T>, Error>) -> Result<Burst<T>, Error> {
        let mut burst = Burst::default();
        let mut notice = Some(first);
        while let Some(next) = notice {
            match next {
                Ok(Notice::Seen(seen)) => burst.seen.push(seen),
                Ok(Notice::Reconnecting(why)) => {
                    self.outage.get_or_insert(Outage { since: Instant::now(), why, reported: false });
                }
                Ok(Notice::Connected) => {
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

    /// Why the connection is lost, if it has been for a while.
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

/// Waits until the deadline; for ever if there is none.
pub(crate) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
