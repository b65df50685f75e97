//! Follows a Job to its end: its output, its progress, its results.

pub(crate) mod lanes;
pub(crate) mod missing;
pub(crate) mod pick;
pub(crate) mod print;
mod readers;
pub(crate) mod report;

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
use crate::tracker::{Interest, Tracker, TrackingEnd};
use missing::Missing;
use pick::Pick;
use print::LogPrinter;
use readers::Readers;
use report::Progress;

pub(crate) struct LogView {
    pub(crate) wanted: Box<dyn Fn(&JobState) -> IndexSet + Send>,
    pub(crate) pick: Pick,
    pub(crate) options: LogOptions,
    pub(crate) printer: LogPrinter,
    pub(crate) order: LineOrder,
    pub(crate) streams: Arc<Streams>,
    /// Logs that are known to be incomplete on their nodes.
    pub(crate) cut: CutLogs,
}

/// The order in which the lines of several logs are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineOrder {
    AsTheyCome,
    /// The lines of an index wait until all lower indexes are printed.
    ByIndex,
    ByTime,
}

/// How following a Job ended.
pub(crate) enum FollowEnd {
    /// The Job has ended and all its output is printed.
    Finished(Box<JobState>, Box<Missing>),
    /// A signal asked the program to end. The Job may have ended before, while its last Pods were listed.
    Interrupted { job_has_ended: bool },
}

/// Follows a Job or a family of Jobs until it has ended and all its output is printed. `state` has no Pods yet. The
/// `keeper` also writes the output of each index to a file.
///
/// # Errors
/// If the Job is deleted meanwhile, if it can't be watched, or if stdout is closed.
pub(crate) async fn follow(
    state: JobState,
    logs: LogView,
    keeper: Option<&mut Keeper>,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<FollowEnd> {
    let mut tracker = Tracker::new(cluster, vec![state], Interest::Indexes, &context.signals, None);
    let (mut readers, mut batches) = Readers::new(logs, keeper, cluster);
    let lanes = readers.lanes.clone();
    let mut progress = Progress::new(tracker.state(0), context.now());
    context.ui.begin_live();
    let mut finished = false;
    loop {
        if finished && readers.tasks.is_empty() {
            // What the readers have sent is printed before the end is reported.
            print_ready(&mut batches, &mut readers, context)?;
            readers.print_lanes(tracker.state_mut(0), context)?;
            if lanes.are_empty() {
                let missing = readers.finish(tracker.state(0), context).await?;
                context.ui.end_live();
                return Ok(FollowEnd::Finished(Box::new(tracker.into_state()), Box::new(missing)));
            }
        }
        tokio::select! {
            biased;
            step = tracker.next() => {
                let step = step?;
                if step.is_tick() {
                    readers.print_lanes(tracker.state_mut(0), context)?;
                    progress.tick(&tracker, 0, context);
                    progress.show_progress(tracker.state(0), "", context);
                }
                report::print_remark(step.remark, context);
                readers.start_readers(tracker.state_mut(0), &step.changed)?;
                match step.ended {
                    None => {}
                    Some(TrackingEnd::Finished(settled)) => {
                        settled?;
                        finished = true;
                    }
                    Some(TrackingEnd::Deleted) => {
                        print_ready(&mut batches, &mut readers, context)?;
                        return Err(tracker.deletion_error(0).into());
                    }
                    Some(TrackingEnd::Stopped(_)) => {
                        print_ready(&mut batches, &mut readers, context)?;
                        return Ok(FollowEnd::Interrupted { job_has_ended: tracker.state(0).outcome().is_some() });
                    }
                }
            }
            Some(batch) = batches.recv() => {
                readers.view.printer.print_batch(&batch, &mut context.ui)?;
                print_ready(&mut batches, &mut readers, context)?;
            }
            () = lanes.news.notified() => readers.print_lanes(tracker.state_mut(0), context)?,
            Some(ended) = readers.tasks.join_next() => readers.finish_reader(ended??, tracker.state_mut(0), context)?,
        }
    }
}

/// Prints the lines that have been read, without waiting for more.
fn print_ready(batches: &mut mpsc::Receiver<LogBatch>, readers: &mut Readers<'_>, context: &mut Context) -> Result<()> {
    while let Ok(batch) = batches.try_recv() {
        readers.view.printer.print_batch(&batch, &mut context.ui)?;
    }
    Ok(context.ui.flush()?)
}
