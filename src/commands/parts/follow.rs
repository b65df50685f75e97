//! Following a Job to its end: its output, its progress, and how it went.

pub(in crate::commands) mod lanes;
pub(in crate::commands) mod missing;
pub(in crate::commands) mod pick;
pub(in crate::commands) mod print;
mod readers;
pub(in crate::commands) mod teller;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use futures::{FutureExt as _, Stream, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep_until};

use super::{Context, family};
use crate::cluster::logs::{LogBatch, LogOptions, Streams};
use crate::cluster::watch::{Notice, Pods};
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Exit, Kind};
use crate::index_set::IndexSet;
use crate::state::{Event, JobState, Outcome};
use crate::view::summary;
use crate::view::summary::ItemTexts;
use missing::Missing;
use pick::Pick;
use print::LogPrinter;
use readers::Readers;
use teller::{ConnectionTeller, JobTeller};

/// How often progress is redrawn where it can be.
pub(in crate::commands) const TICK: Duration = Duration::from_millis(200);
/// What is kept for fewer seconds than this after its end is gone before anybody has typed a command about it.
const SHORT: i32 = 30;

/// What to follow, and how.
pub(in crate::commands) struct Follow<'a> {
    pub(in crate::commands) cluster: &'a Arc<Cluster>,
    /// A Job, or a family of Jobs, of which no Pod is known yet.
    pub(in crate::commands) state: JobState,
    pub(in crate::commands) logs: LogView,
}

/// Which logs are shown, and how.
pub(in crate::commands) struct LogView {
    pub(in crate::commands) wanted: Box<dyn Fn(&JobState) -> IndexSet + Send>,
    pub(in crate::commands) pick: Pick,
    pub(in crate::commands) options: LogOptions,
    pub(in crate::commands) printer: LogPrinter,
    pub(in crate::commands) order: Order,
    pub(in crate::commands) streams: Streams,
}

/// In which order the lines of several logs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum Order {
    AsTheyCome,
    /// An index waits until all lower ones are done.
    ByIndex,
    /// By the times at which they were written.
    ByTime,
}

/// How following ended.
pub(in crate::commands) enum End {
    Finished(Box<JobState>),
    Interrupted,
}

/// Follows a Job until it has ended and all its output is printed; tells also which logs could not be had.
///
/// # Errors
/// If the Job is deleted meanwhile, if it can't be watched, or if nobody reads the output any more.
pub(in crate::commands) async fn follow(follow: Follow<'_>, context: &mut Context) -> Result<(End, Missing)> {
    let Follow { cluster, state, logs } = follow;
    let mut notices = family::watch(&state, Pods::All, cluster);
    let mut state = state.followed(true);
    let (mut readers, mut batches) = Readers::new(logs, cluster);
    let lanes = readers.lanes.clone();
    let (mut connection, mut teller) = (ConnectionTeller::default(), JobTeller::new(&state, context.now()));
    let mut tick = interval(TICK);
    let interrupt = tokio::signal::ctrl_c();
    tokio::pin!(interrupt);
    context.ui.begin_live();
    let mut settled = false;

    loop {
        if state.outcome().is_some() && !settled {
            tokio::select! {
                settled = settle(&mut state, cluster) => settled?,
                _ = &mut interrupt => return Ok((End::Interrupted, Missing::default())),
            }
            settled = true;
            readers.start(&mut state);
        }
        if settled && readers.are_idle() {
            // What the readers have sent is printed before the end is told.
            print_ready(&mut batches, &mut readers, context)?;
            readers.print_lanes(&mut state, context)?;
            if readers.have_printed_all() {
                readers.printer.end(&mut context.ui)?;
                readers.note_unread(&state);
                context.ui.end_live();
                return Ok((End::Finished(Box::new(state)), readers.missing));
            }
        }
        tokio::select! {
            // A line that is there is printed before anything else is looked at.
            biased;
            Some(batch) = batches.recv() => {
                readers.printer.batch(&batch, &mut context.ui)?;
                print_ready(&mut batches, &mut readers, context)?;
            }
            () = lanes.news() => readers.print_lanes(&mut state, context)?,
            Some(ended) = readers.next_end() => readers.end(ended?, &mut state, context)?,
            _ = &mut interrupt => return Ok((End::Interrupted, Missing::default())),
            notice = notices.next() => {
                take_all_in(notice, &mut notices, &mut state, &mut connection, cluster, context)?;
                readers.start(&mut state);
            }
            _ = tick.tick() => {
                readers.print_lanes(&mut state, context)?;
                connection.tick(context);
                teller.tick(&mut state, cluster, context);
                teller.show_progress(&state, "", context);
            }
        }
    }
}

/// Takes in what a watch tells, and all else that it has to tell already: events come in bursts, of which only the
/// outcome is looked at.
///
/// # Errors
/// If watching has ended, or the Job was deleted.
pub(in crate::commands) fn take_all_in(
    first: Option<Result<Notice, Error>>,
    notices: &mut (impl Stream<Item = Result<Notice, Error>> + Unpin),
    state: &mut JobState,
    connection: &mut ConnectionTeller,
    cluster: &Cluster,
    context: &mut Context,
) -> Result<(), Error> {
    let mut notice = Some(first);
    while let Some(one) = notice {
        take_in(one, state, connection, context)?;
        notice = notices.next().now_or_never();
    }
    // Whoever deletes it once it has ended does no harm to what is known.
    if state.is_gone() && state.outcome().is_none() { Err(gone(state, cluster)) } else { Ok(()) }
}

/// Takes in what a watch tells.
///
/// # Errors
/// If watching has ended.
pub(in crate::commands) fn take_in(
    notice: Option<Result<Notice, Error>>,
    state: &mut JobState,
    connection: &mut ConnectionTeller,
    context: &mut Context,
) -> Result<(), Error> {
    let notice = notice.ok_or_else(|| Error::new(Kind::Failed, "the watch of the job has ended"))?;
    if let Some(event) = connection.seen(notice?, context) {
        state.apply(event);
    }
    Ok(())
}

/// Prints the lines that are there, without waiting for more.
fn print_ready(batches: &mut mpsc::Receiver<LogBatch>, readers: &mut Readers, context: &mut Context) -> Result<()> {
    while let Ok(batch) = batches.try_recv() {
        readers.printer.batch(&batch, &mut context.ui)?;
    }
    Ok(context.ui.flush()?)
}

/// What the Pods have to add once the Job has ended; the watch may not have told it yet.
async fn settle(state: &mut JobState, cluster: &Cluster) -> Result<(), Error> {
    let known = state.attempted().union(state.forgotten());
    // The Pods of indexes that succeeded matter only for their logs.
    let unknown = !state.succeeded().difference(&known).is_empty();
    if !unknown && state.outcome() == Some(Outcome::Complete) {
        return Ok(());
    }
    ask_again(state, if unknown { PodFilter::default() } else { PodFilter::UNSUCCESSFUL }, cluster).await
}

/// What the Pods have to add of indexes that failed.
pub(in crate::commands) async fn settle_failed(state: &mut JobState, cluster: &Cluster) -> Result<(), Error> {
    if state.outcome() != Some(Outcome::Failed) && state.failed().is_empty() {
        return Ok(());
    }
    ask_again(state, PodFilter::UNSUCCESSFUL, cluster).await
}

async fn ask_again(state: &mut JobState, which: PodFilter<'_>, cluster: &Cluster) -> Result<(), Error> {
    let jobs: Vec<_> = state.members().iter().map(|member| member.job().clone()).collect();
    for job in jobs {
        for pod in cluster.last_pods(&job, which.fields).await? {
            state.apply(Event::Pod(Box::new(pod)));
        }
    }
    Ok(())
}

/// What comes of something, or None when the user does not want to wait for it. An interrupt no longer ends the program
/// by itself once following has begun.
pub(in crate::commands) async fn unless_interrupted<T>(what: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        outcome = what => Some(outcome),
        _ = tokio::signal::ctrl_c() => None,
    }
}

/// A Job that somebody has deleted meanwhile.
pub(in crate::commands) fn gone(state: &JobState, cluster: &Cluster) -> Error {
    let name = state.job().and_then(|job| job.metadata.name.as_deref()).unwrap_or_default();
    let done = state.counts();
    let message = format!(
        "job {name:?} in namespace {:?} was deleted before it ended: {} of {} indexes had completed",
        cluster.namespace(),
        done.succeeded,
        done.total
    );
    Error::new(Kind::NotFound, message)
}

/// The end of the time that is given.
pub(in crate::commands) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Tells how a Job that has ended went, and gives the exit code for it.
pub(in crate::commands) fn report(state: &JobState, items: &ItemTexts, context: &mut Context) -> Exit {
    let sentence = summary::sentence(state, context.now());
    if state.outcome() == Some(Outcome::Complete) {
        context.ui.status(&sentence);
        // What was enough for the Job may not be all.
        context.ui.status(&summary::failures(state, items));
        return Exit::Success;
    }
    let name = state.job().and_then(|job| job.metadata.name.clone()).unwrap_or_default();
    let cause = state.ending_condition().and_then(|condition| condition.message.clone());
    let error = Error::new(Kind::Failed, sentence);
    let mut error = if state.failed().is_empty() { error.caused_by(cause.unwrap_or_default()) } else { error };
    let ttl = state.job().and_then(|job| job.spec.as_ref()?.ttl_seconds_after_finished);
    if let Some(ttl) = ttl.filter(|ttl| *ttl < SHORT) {
        error =
            error.hint(format!("the job, its pods and their logs are kept for {ttl}s only: a longer --ttl keeps them"));
    } else {
        if !state.failed().is_empty() {
            error =
                error.hint(format!("{} prints what they wrote", context.again(&format!("logs {name} --index failed"))));
        }
        error = error.hint(format!("{} shows every index", context.again(&format!("describe {name}"))));
        error = error.hint(format!("{} runs them again", context.again(&format!("retry {name}"))));
    }
    let failures = summary::failures(state, items);
    context.ui.error_with(&error.into(), &failures);
    Exit::Failure
}
