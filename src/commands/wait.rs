//! `wait`: waits until Jobs, or some of their indexes, have completed or failed.

use std::sync::Arc;

use anyhow::Result;
use tokio::time::Instant;

use super::follow::report::{self, Progress, print_remark};
use super::{Context, find};
use crate::args::{WaitArgs, WaitFor};
use crate::cluster::Cluster;
use crate::error::{Error, Exit, Hint, Kind};
use crate::spec::duration;
use crate::state::{JobState, Outcome};
use crate::tracker::watching::{Stop, until};
use crate::tracker::{Interest, Tracker, TrackingEnd, selection};
use crate::view::{numbered, progress, summary};

pub(super) async fn wait(args: WaitArgs, context: &mut Context) -> Result<Exit> {
    let WaitArgs { jobs, goal, only_this, timeout, quiet } = args;
    let limit = duration::parse(&timeout).map_err(|problem| {
        Error::usage(format!("--timeout {timeout:?}: {problem}")).hint("write it as 90s, 10m or 2h")
    })?;
    find::job_names(&jobs)?;
    context.ui.voice.quiet = quiet;
    // The timeout includes the time to connect.
    let deadline = limit.map(|limit| Instant::now() + limit);
    let timeout_error =
        |what: &str| Error::new(Kind::TimedOut, format!("timed out after {timeout} waiting for {what}"));
    let (cluster, jobs) = tokio::select! {
        found = Box::pin(find_families(&jobs, only_this, context)) => found?,
        () = until(deadline) => return Err(timeout_error("the server").into()),
    };
    if let Some(WaitFor::Indexes(indexes)) = &goal {
        jobs.iter().try_for_each(|state| selection::check_numbers(indexes, state))?;
    }
    let waiting = |state: &JobState| {
        let name = state.job().and_then(|job| job.metadata.name.clone()).unwrap_or_default();
        Waiting { name, progress: Progress::new(state, context.now()), exit: None }
    };
    let mut waiting: Vec<_> = jobs.iter().map(waiting).collect();
    let mut tracker = Tracker::new(&cluster, jobs, Interest::Outcome, &context.signals, deadline);
    let end = wait_for_all(&mut waiting, goal.as_ref(), &mut tracker, &cluster, context).await;
    context.ui.end_live();
    let open = || waiting.iter().enumerate().filter(|(_, waiting)| waiting.exit.is_none());
    match end? {
        None => {
            let met = waiting.iter().all(|waiting| waiting.exit == Some(Exit::Success));
            Ok(if met { Exit::Success } else { Exit::Failure })
        }
        Some(Stop::Interrupted) => {
            let names: Vec<_> = open().map(|(_, waiting)| waiting.name.as_str()).collect();
            let (noun, verb) = if names.len() == 1 { ("job", "goes") } else { ("jobs", "go") };
            Err(Error::new(Kind::Interrupted, format!("interrupted: {noun} {} {verb} on", names.join(", ")))
                .hint(Hint::indexed(&[&["wait"], &names[..]].concat(), "waits again"))
                .into())
        }
        Some(Stop::TimedOut) => {
            let sentences: Vec<_> =
                open().map(|(job, _)| summary::sentence(tracker.state(job), context.now())).collect();
            let hints = open().map(|(_, open)| Hint::indexed(&["describe", &open.name], "shows why"));
            Err(hints.fold(timeout_error(&sentences.join("; ")), Error::hint).into())
        }
    }
}

async fn find_families(
    names: &[String],
    only_this: bool,
    context: &mut Context,
) -> Result<(Arc<Cluster>, Vec<JobState>)> {
    let (cluster, jobs) = find::connect_and_find_jobs(names, context).await?;
    let mut families = Vec::new();
    for job in jobs {
        families.push(find::load_family(job, only_this, &cluster, context).await?);
    }
    Ok((cluster, families))
}

struct Waiting {
    name: String,
    progress: Progress,
    exit: Option<Exit>,
}

impl Waiting {
    async fn report(
        &mut self,
        job: usize,
        goal: Option<&WaitFor>,
        tracker: &mut Tracker,
        cluster: &Cluster,
        context: &mut Context,
    ) -> Result<(), Stop> {
        let name = &self.name;
        let mut items = summary::ItemTexts::new();
        let failed = tracker.state(job).failed();
        if !failed.is_empty() {
            tracker.settle_failed_indexes(job).await?;
            // Without the list only the items are left out: the outcome is known.
            let listing = tracker.state(job).items_job().cloned();
            let texts = Box::pin(find::load_items_of(&failed, listing.as_ref(), cluster));
            items = tracker.watching.bounded(texts).await?.unwrap_or_default();
        }
        let (state, now) = (tracker.state(job), context.now());
        let exit = match (goal, state.outcome()) {
            (None | Some(WaitFor::Complete), _) => report::report_outcome(state, &items, context),
            (Some(WaitFor::Failed), Some(Outcome::Complete)) => {
                let error = Error::new(Kind::Failed, format!("{}: it did not fail", summary::sentence(state, now)));
                context.ui.error(&error.into());
                Exit::Failure
            }
            (Some(WaitFor::Failed), _) => {
                context.ui.status(&summary::sentence(state, now));
                Exit::Success
            }
            (Some(WaitFor::Indexes(indexes)), _) => {
                let missing = indexes.difference(&state.succeeded());
                let failed = indexes.intersection(&state.failed());
                if missing.is_empty() {
                    context.ui.status(&format!("{} of job {name} completed", numbered(indexes)));
                    Exit::Success
                } else {
                    let message = if failed.is_empty() {
                        format!("{}; {} did not complete", summary::sentence(state, now), numbered(&missing))
                    } else {
                        format!("{} of job {name} failed", numbered(&failed))
                    };
                    let error =
                        Error::new(Kind::Failed, message).hint(Hint::indexed(&["describe", name], "shows every index"));
                    let wording = context.ui.message_wording();
                    let failures = summary::failures_among(state, &items, &failed, wording);
                    context.ui.error_with(&error.into(), &failures);
                    Exit::Failure
                }
            }
        };
        self.exit = Some(exit);
        Ok(())
    }
}

/// Waits until the goal of each Job is decided. Returns the reason if the waiting stopped before that.
async fn wait_for_all(
    waiting: &mut [Waiting],
    goal: Option<&WaitFor>,
    tracker: &mut Tracker,
    cluster: &Cluster,
    context: &mut Context,
) -> Result<Option<Stop>> {
    // Decided once all these indexes have completed, or one has failed.
    let is_decided = |job: usize, tracker: &Tracker| {
        let (succeeded, failed) = (tracker.state(job).succeeded(), tracker.state(job).failed());
        matches!(goal, Some(WaitFor::Indexes(indexes))
            if indexes.difference(&succeeded).is_empty() || !indexes.intersection(&failed).is_empty())
    };
    let mut decided: Vec<_> = (0..waiting.len()).filter(|job| is_decided(*job, tracker)).collect();
    loop {
        for job in decided.drain(..) {
            if waiting[job].exit.is_none()
                && let Err(stop) = waiting[job].report(job, goal, tracker, cluster, context).await
            {
                return Ok(Some(stop));
            }
        }
        if waiting.iter().all(|waiting| waiting.exit.is_some()) {
            return Ok(None);
        }
        let step = tracker.next().await?;
        if step.is_tick() {
            context.ui.begin_live();
            show_progress(waiting, tracker, context);
        }
        print_remark(step.remark, context);
        match &step.ended {
            Some(TrackingEnd::Stopped(why)) => return Ok(Some(*why)),
            Some(TrackingEnd::Deleted) if waiting[step.job].exit.is_none() => {
                context.ui.error(&tracker.deletion_error(step.job).into());
                waiting[step.job].exit = Some(Exit::Failure);
            }
            // Missing details of its Pods are left out: the outcome is known.
            Some(TrackingEnd::Finished(_) | TrackingEnd::Deleted) => decided.push(step.job),
            None => decided.extend(is_decided(step.job, tracker).then_some(step.job)),
        }
    }
}

fn show_progress(waiting: &mut [Waiting], tracker: &Tracker, context: &mut Context) {
    let ended = waiting.iter().filter(|waiting| waiting.exit.is_some()).count();
    let all = waiting.len();
    for (job, open) in waiting.iter_mut().enumerate().filter(|(_, waiting)| waiting.exit.is_none()) {
        open.progress.tick(tracker, job, context);
    }
    if let [only] = waiting {
        only.progress.show_progress(tracker.state(0), "", context);
        return;
    }
    let mut open = waiting.iter_mut().enumerate().filter(|(_, waiting)| waiting.exit.is_none());
    if !context.ui.is_live() {
        for (job, open) in open {
            let start = format!("job {}: ", open.name);
            open.progress.show_progress(tracker.state(job), &start, context);
        }
    } else if let Some((job, first)) = open.next() {
        let line = progress::line(tracker.state(job), &first.progress.pace, context.now());
        context.ui.set_live(ended, all, format!("{ended}/{all} jobs ended; {}: {line}", first.name));
    }
}
