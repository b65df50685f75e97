//! Messages while a Job is followed, and at its end.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use tokio::time::Instant;

use super::missing::Missing;
use crate::cluster::Cluster;
use crate::commands::Context;
use crate::error::{Error, Exit, Hint, Kind};
use crate::state::{self, ItemTexts, JobState, Outcome};
use crate::tracker::Tracker;
use crate::tracker::watching::Remark;
use crate::view::cause::IndexCause;
use crate::view::progress::{self, Pace};
use crate::view::{duration, summary};

/// Time between two lines of progress where it can't be redrawn in place.
const PLAIN_PROGRESS: Duration = Duration::from_secs(30);
/// A Job with a shorter TTL, in seconds, is gone before the user has typed a command.
const SHORT_TTL: i32 = 30;
/// Timeout of the last request for a Job.
const LAST_LOOK: Duration = Duration::from_secs(5);

pub(crate) fn print_remark(remark: Option<Remark>, context: &mut Context) {
    match remark {
        None => {}
        Some(Remark::Reconnecting(why)) => context.ui.warning(&reconnecting(&why)),
        Some(Remark::Reconnected(after)) => {
            let after = duration::human(i64::try_from(after.as_secs()).unwrap_or(i64::MAX));
            context.ui.note(&format!("connected again after {after}"));
        }
        Some(Remark::JobDeleted(name)) => {
            context.ui.warning(&format!("job {name} was deleted before it ended, and no longer counts"));
        }
    }
}

pub(crate) fn reconnecting(why: &str) -> String {
    format!("reconnecting to the server: {why}")
}

/// Prints the progress of a Job, and why it does not continue.
#[derive(Debug)]
pub(crate) struct Progress {
    pub(crate) pace: Pace,
    /// The cause that was printed; None again once the Job continues.
    said: Option<IndexCause>,
    printed: Instant,
}

impl Progress {
    pub(crate) fn new(state: &JobState, now: Timestamp) -> Self {
        Self { pace: Pace::new(state, now), said: None, printed: Instant::now() }
    }

    /// Prints once why the Job does not continue. Is called at each tick.
    pub(crate) fn tick(&mut self, tracker: &Tracker, job: usize, context: &mut Context) {
        self.pace.sample(tracker.state(job), context.now());
        let plight = plight(tracker, job, context);
        // The sentence changes with time. The cause is the same until it is over.
        if let Some(plight) = plight.as_ref().filter(|_| self.said.is_none()) {
            let name = tracker.state(job).job().and_then(|job| job.metadata.name.as_deref()).unwrap_or_default();
            context.ui.warning(&format!("job {name}: {}", plight.sentence(context.ui.style)));
            for hint in &plight.hints {
                context.ui.hint(hint);
            }
        }
        self.said = plight.and_then(|plight| self.said.take().or(Some(plight)));
    }

    /// Shows the progress: in place, or now and then as a line that begins with `start`.
    pub(crate) fn show_progress(&mut self, state: &JobState, start: &str, context: &mut Context) {
        if context.ui.is_live() {
            let counts = state.counts();
            let line = progress::line(state, &self.pace, context.now());
            context.ui.set_live(counts.succeeded + counts.failed, counts.total, line);
        } else if self.printed.elapsed() >= PLAIN_PROGRESS {
            self.printed = Instant::now();
            let line = progress::line(state, &self.pace, context.now());
            context.ui.status(&format!("{start}{line}"));
        }
    }
}

pub(crate) fn plight(tracker: &Tracker, job: usize, context: &Context) -> Option<IndexCause> {
    let idle = i64::try_from(tracker.idle(job).as_secs()).unwrap_or(i64::MAX);
    progress::find_stall(tracker.state(job), idle, context.now(), context.ui.message_wording())
}

/// Reports the outcome of a Job that has ended, and returns its exit code.
pub(crate) fn report_outcome(state: &JobState, items: &ItemTexts, context: &mut Context) -> Exit {
    let failures = summary::failures(state, items, context.ui.message_wording());
    let sentence = summary::sentence(state, context.now());
    if state.outcome() == Some(Outcome::Complete) {
        context.ui.status(&sentence);
        // A completed Job may have failed indexes.
        context.ui.status(&failures);
        return Exit::Success;
    }
    let name = state.job().and_then(|job| job.metadata.name.clone()).unwrap_or_default();
    let cause = state.ending_condition().and_then(|condition| condition.message.clone());
    let error = Error::new(Kind::Failed, sentence);
    let mut error = if state.failed().is_empty() { error.caused_by(cause.unwrap_or_default()) } else { error };
    let ttl = state.job().and_then(|job| job.spec.as_ref()?.ttl_seconds_after_finished);
    if let Some(ttl) = ttl.filter(|ttl| *ttl < SHORT_TTL) {
        error =
            error.hint(format!("the job, its Pods and their logs are deleted after {ttl}s: a longer --ttl keeps them"));
    } else {
        if !state.failed().is_empty() {
            error = error.hint(Hint::indexed(&["logs", &name, "--index", "failed"], "prints their output"));
        }
        error = error.hint(Hint::indexed(&["describe", &name], "shows every index"));
        error = error.hint(Hint::indexed(&["retry", &name], "runs them again"));
    }
    context.ui.error_with(&error.into(), &failures);
    Exit::Failure
}

pub(crate) fn report_missing(missing: &Missing, job: &str) -> Result<Exit> {
    if missing.is_empty() {
        return Ok(Exit::Success);
    }
    Err(Error::new(Kind::Failed, missing.sentence())
        .hint(Hint::indexed(&["describe", job], "shows the status of each index"))
        .into())
}

/// Returns the commands that follow, show and delete a Job that goes on.
pub(crate) fn follow_up_hint(name: &str) -> Hint {
    Hint::indexed(&["logs", "-f", name], "follows it")
        .and(Hint::indexed(&["describe", name], "shows it"))
        .and(Hint::indexed(&["delete", name], "deletes it"))
}

/// Returns the error for a submitted Job that can't be followed: stdout is closed or full, or a request failed. It says
/// whether the Job goes on.
pub(crate) async fn not_followed_error(name: &str, error: anyhow::Error, cluster: &Cluster) -> anyhow::Error {
    let last_look = tokio::time::timeout(LAST_LOOK, cluster.job(name)).await;
    let fate = match last_look {
        Ok(Err(last_look)) if last_look.kind() == Kind::NotFound => return error,
        Ok(Ok(job)) if state::outcome(&job).is_some() => "has ended",
        Ok(Ok(_)) => "goes on",
        Ok(Err(_)) | Err(_) => "probably goes on",
    };
    Error::new(Kind::Failed, format!("job {name} {fate}, but can't be followed"))
        .caused_by(error.into_boxed_dyn_error())
        .hint(follow_up_hint(name))
        .into()
}
