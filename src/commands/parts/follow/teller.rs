//! What is said while a Job is followed: that the connection is gone, why nothing runs, and how far it is.

use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, Stream, StreamExt as _};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval};

use super::TICK;
use crate::cluster::Cluster;
use crate::cluster::watch::Notice;
use crate::commands::Context;
use crate::error::Error;
use crate::state::{Event, JobState};
use crate::view::progress::{self, Pace};
use crate::view::{duration, escape_control};

/// A connection that is back within this time is not worth a word: some proxies cut every long one.
const GRACE: Duration = Duration::from_secs(2);
/// How many events are looked at together at the most; a Pod takes some 3 KB.
const BURST: usize = 500;
/// How often progress is told where it can't be redrawn in place.
const PLAIN_PROGRESS: Duration = Duration::from_secs(30);
/// After how long without a Pod the events of a Job are asked for the cause.
const ASK: Duration = Duration::from_secs(9);

/// Says that the connection is gone, and that it is back.
#[derive(Debug, Default)]
pub(in crate::commands) struct ConnectionTeller {
    lost: Option<Lost>,
}

#[derive(Debug)]
struct Lost {
    since: Instant,
    why: String,
    told: bool,
}

impl ConnectionTeller {
    /// What a watch has seen, unless it tells of its connection.
    pub(in crate::commands) fn seen<T>(&mut self, notice: Notice<T>, context: &mut Context) -> Option<T> {
        match notice {
            Notice::Seen(seen) => return Some(seen),
            Notice::Reconnecting(why) => self.lost(&why),
            Notice::Connected => self.back(context),
        }
        None
    }

    /// What a watch sees next, and some of what else it has seen by then; None once it has ended. Meanwhile it is said
    /// how the connection is.
    pub(in crate::commands) async fn next<T>(
        &mut self,
        notices: &mut (impl Stream<Item = Result<Notice<T>, Error>> + Unpin),
        context: &mut Context,
    ) -> Result<Option<Vec<T>>, Error> {
        let mut tick = interval(TICK);
        loop {
            let first = tokio::select! {
                notice = notices.next() => notice,
                _ = tick.tick() => {
                    self.tick(context);
                    continue;
                }
            };
            let Some(first) = first else { return Ok(None) };
            let mut seen: Vec<_> = self.seen(first?, context).into_iter().collect();
            while seen.len() < BURST
                && let Some(Some(notice)) = notices.next().now_or_never()
            {
                seen.extend(self.seen(notice?, context));
            }
            return Ok(Some(seen));
        }
    }

    /// The connection is gone.
    fn lost(&mut self, why: &str) {
        let why = escape_control(why).into_owned();
        self.lost.get_or_insert(Lost { since: Instant::now(), why, told: false });
    }

    /// The connection is back.
    fn back(&mut self, context: &mut Context) {
        if let Some(lost) = self.lost.take().filter(|lost| lost.told) {
            let after = duration::human(i64::try_from(lost.since.elapsed().as_secs()).unwrap_or(i64::MAX));
            context.ui.note(&format!("connected again after {after}"));
        }
    }

    /// To be called now and then.
    pub(in crate::commands) fn tick(&mut self, context: &mut Context) {
        if let Some(sentence) = self.sentence() {
            context.ui.warning(&sentence);
        }
    }

    /// What is to be said now, once.
    fn sentence(&mut self) -> Option<String> {
        let lost = self.lost.as_mut().filter(|lost| !lost.told && lost.since.elapsed() >= GRACE)?;
        lost.told = true;
        Some(format!("reconnecting to the server: {}", lost.why))
    }

    /// Why the connection is gone, if it has been for a while.
    pub(in crate::commands) fn trouble(&self) -> Option<String> {
        let lost = self.lost.as_ref().filter(|lost| lost.since.elapsed() >= GRACE)?;
        Some(format!("reconnecting to the server: {}", lost.why))
    }
}

/// Says how a Job goes on, and why it does not.
#[derive(Debug)]
pub(in crate::commands) struct JobTeller {
    pub(in crate::commands) pace: Pace,
    /// Since when nothing of the Job runs or finishes.
    idle_since: Instant,
    finished: usize,
    /// What was said of its plight, until it is over.
    told: Option<String>,
    events: Option<JoinHandle<Result<Vec<Event>, Error>>>,
    asked: bool,
    plain: Instant,
}

impl JobTeller {
    pub(in crate::commands) fn new(state: &JobState, now: Timestamp) -> Self {
        Self {
            pace: Pace::new(state, now),
            idle_since: Instant::now(),
            finished: 0,
            told: None,
            events: None,
            asked: false,
            plain: Instant::now(),
        }
    }

    /// To be called now and then: looks at the Job, and says once why it does not go on.
    pub(in crate::commands) fn tick(&mut self, state: &mut JobState, cluster: &Arc<Cluster>, context: &mut Context) {
        self.look(state, context.now());
        self.ask(state, cluster);
        let plight = self.plight(state);
        // The words change with the time that passes; the trouble is the same until it is over.
        if let Some(sentence) = plight.as_ref().filter(|_| self.told.is_none()) {
            context.ui.warning(sentence);
        }
        self.told = plight.and_then(|sentence| self.told.take().or(Some(sentence)));
    }

    /// Takes a look at the Job.
    pub(in crate::commands) fn look(&mut self, state: &JobState, now: Timestamp) {
        self.pace.look(state, now);
        let counts = state.counts();
        let finished = counts.succeeded + counts.failed;
        if counts.running > 0 || finished != self.finished {
            self.idle_since = Instant::now();
        }
        self.finished = finished;
    }

    /// Why the Job does not go on.
    pub(in crate::commands) fn plight(&self, state: &JobState) -> Option<String> {
        progress::plight(state, i64::try_from(self.idle_since.elapsed().as_secs()).unwrap_or(i64::MAX))
    }

    /// Asks once for the events of a Job that has no Pod: only they tell of a quota or a webhook.
    fn ask(&mut self, state: &mut JobState, cluster: &Arc<Cluster>) {
        if let Some(events) = self.events.take_if(|events| events.is_finished())
            && let Some(Ok(Ok(events))) = events.now_or_never()
        {
            for event in events {
                state.apply(event);
            }
        }
        let idle = self.idle_since.elapsed() >= ASK;
        let podless = || state.attempts().values().flatten().all(|attempt| attempt.is_finished());
        let job = state.job().filter(|_| idle && !self.asked && podless());
        if let Some(job) = job.filter(|_| state.outcome().is_none()).cloned() {
            self.asked = true;
            let cluster = Arc::clone(cluster);
            self.events = Some(tokio::spawn(async move { cluster.happenings(&job).await }));
        }
    }

    /// Shows how far the Job is: in place, or now and then in a line that begins so.
    pub(in crate::commands) fn show_progress(&mut self, state: &JobState, start: &str, context: &mut Context) {
        if context.ui.is_live() {
            let counts = state.counts();
            let line = progress::line(state, &self.pace, context.now());
            context.ui.set_live(counts.succeeded + counts.failed, counts.total, line);
        } else if self.plain.elapsed() >= PLAIN_PROGRESS {
            self.plain = Instant::now();
            let line = progress::line(state, &self.pace, context.now());
            context.ui.status(&format!("{start}{line}"));
        }
    }
}
