//! Following a Job to its end: its output, its progress, its results.

pub(in crate::commands) mod lanes;
pub(in crate::commands) mod missing;
pub(in crate::commands) mod pick;
pub(in crate::commands) mod print;
mod readers;
pub(in crate::commands) mod report;

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::mpsc;

use super::Context;
use crate::cluster::Cluster;
use crate::cluster::logs::{LogBatch, LogOptions, Streams};
use crate::commands::outputs::cut::CutLogs;
use crate::commands::outputs::keep::Keeper;
use crate::index_set::IndexSet;
use crate::state::JobState;
use crate::tracker::{End, Interest, Tracker};
use missing::Missing;
use pick::Pick;
use print::LogPrinter;
use readers::Readers;
use report::Progress;

/// What to follow, and how.
pub(in crate::commands) struct Follow<'a> {
    pub(in crate::commands) cluster: &'a Arc<Cluster>,
    /// A Job, or a family of Jobs. No Pod is known yet.
    pub(in crate::commands) state: JobState,
    pub(in crate::commands) logs: LogView,
    /// Where the output of each index is kept as well.
    pub(in crate::commands) keeper: Option<&'a mut Keeper>,
}

/// Which logs are shown, and how.
pub(in crate::commands) struct LogView {
    pub(in crate::commands) wanted: Box<dyn Fn(&JobState) -> IndexSet + Send>,
    pub(in crate::commands) pick: Pick,
    pub(in crate::commands) options: LogOptions,
    pub(in crate::commands) printer: LogPrinter,
    pub(in crate::commands) order: LineOrder,
    pub(in crate::commands) streams: Streams,
    /// Logs whose beginning is known to be missing.
    pub(in crate::commands) cut: CutLogs,
}

/// In which order the lines of several logs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::commands) enum LineOrder {
    AsTheyCome,
    /// An index waits until all lower ones are done.
    ByIndex,
    /// By the times at which they were written.
    ByTime,
}

/// How following ended.
pub(in crate::commands) enum FollowEnd {
    /// The Job has ended, and all its output is printed but what is missing.
    Finished(Box<JobState>, Missing),
    Interrupted,
}

/// Follows a Job until it has ended and all its output is printed.
///
/// # Errors
/// If the Job is deleted meanwhile, if it can't be watched, or if nobody reads the output any more.
pub(in crate::commands) async fn follow(follow: Follow<'_>, context: &mut Context) -> Result<FollowEnd> {
    let Follow { cluster, state, logs, keeper } = follow;
    let mut tracker = Tracker::new(cluster, vec![state], Interest::Indexes, &context.signals, None);
    let (mut readers, mut batches) = Readers::new(logs, keeper, cluster);
    let lanes = readers.lanes.clone();
    let mut progress = Progress::new(tracker.state(0), context.now());
    context.ui.begin_live();
    let mut finished = false;
    loop {
        if finished && readers.are_idle() {
            // What the readers have sent is printed before the end is reported.
            print_ready(&mut batches, &mut readers, context)?;
            readers.print_lanes(tracker.state_mut(0), context)?;
            if readers.have_printed_all() {
                let missing = readers.finish(tracker.state(0), context).await?;
                context.ui.end_live();
                return Ok(FollowEnd::Finished(Box::new(tracker.into_state()), missing));
            }
        }
        tokio::select! {
            biased;
            step = tracker.next() => {
                let step = step?;
                if step.is_tick() {
                    readers.print_lanes(tracker.state_mut(0), context)?;
                    progress.tick(&tracker, 0, context);
                    progress.show(tracker.state(0), "", context);
                }
                report::say(step.remark, context);
                readers.start(tracker.state_mut(0), &step.changed)?;
                match step.ended {
                    None => {}
                    Some(End::Finished(settled)) => {
                        settled?;
                        finished = true;
                    }
                    Some(End::Deleted) => {
                        print_ready(&mut batches, &mut readers, context)?;
                        return Err(tracker.deleted(0).into());
                    }
                    Some(End::Interrupted | End::TimedOut) => {
                        print_ready(&mut batches, &mut readers, context)?;
                        return Ok(FollowEnd::Interrupted);
                    }
                }
            }
            Some(batch) = batches.recv() => {
                readers.printer.batch(&batch, &mut context.ui)?;
                print_ready(&mut batches, &mut readers, context)?;
            }
            () = lanes.news() => readers.print_lanes(tracker.state_mut(0), context)?,
            Some(ended) = readers.next_end() => readers.end(ended?, tracker.state_mut(0), context)?,
        }
    }
}

/// Prints the lines that are there, without waiting for more.
fn print_ready(batches: &mut mpsc::Receiver<LogBatch>, readers: &mut Readers<'_>, context: &mut Context) -> Result<()> {
    while let Ok(batch) = batches.try_recv() {
        readers.printer.batch(&batch, &mut context.ui)?;
    }
    Ok(context.ui.flush()?)
}
