//! Results that are gathered into a folder while something else goes on: the Job is followed, or is about to be deleted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use futures::{FutureExt as _, StreamExt as _, stream};
use k8s_openapi::api::batch::v1::Job;
use tokio::task::JoinHandle;

use super::fetch::{AT_ONCE, Source};
use super::folder::{Folder, Wanted};
use super::harvest::Harvest;
use super::print::Tally;
use super::rows::{self, Messages};
use crate::args::ResultFrom;
use crate::cluster::Cluster;
use crate::cluster::watch::{Link, Notice, Pods};
use crate::commands::Context;
use crate::error::Exit;
use crate::manifest::read;
use crate::state::JobState;
use crate::view::summary::ItemTexts;

/// How many events are looked at together at the most; a Pod takes some 3 KB.
const BURST: usize = 500;

/// Makes sure that the results of a new Job can go into a folder, which is made if it is not there.
///
/// # Errors
/// If it holds anything, or can't be made.
pub(in crate::commands) fn check_folder(path: &Path) -> Result<()> {
    Folder::check_empty(path)
}

/// Whether a folder holds results of this Job.
pub(in crate::commands) fn is_of(path: &Path, job: &Job) -> bool {
    Folder::is_of(path, job)
}

/// Results that come into a folder until their Job has ended.
pub(in crate::commands) struct Alongside {
    path: PathBuf,
    folder: Arc<Folder>,
    cluster: Arc<Cluster>,
    task: JoinHandle<Result<(JobState, Tally)>>,
}

impl Alongside {
    /// Begins to gather.
    ///
    /// # Errors
    /// If the folder can't be used.
    pub(in crate::commands) fn begin(path: &Path, job: &Job, items: ItemTexts, cluster: &Arc<Cluster>) -> Result<Self> {
        let (source, folder) = into_folder(path, job, cluster)?;
        let harvest = Harvest::new(source, JobState::new(job.clone()), None, items, Messages::new(false, None), false);
        let task = tokio::spawn(to_the_end(harvest, job.clone(), Arc::clone(cluster)));
        Ok(Self { path: path.to_owned(), folder, cluster: Arc::clone(cluster), task })
    }

    /// Waits for the last result, and tells of all; `job` is the Job at its end.
    ///
    /// # Errors
    /// If a result is missing that should be there.
    pub(in crate::commands) async fn end(self, job: &Job, context: &mut Context) -> Result<Exit> {
        let Self { path, folder, cluster, task } = self;
        let ended = task.await?;
        folder.finish()?;
        match ended {
            Ok((state, tally)) if tally.is_complete() => tell(&path, &state, &tally, context),
            // What could not be had then may be had now.
            _ => {
                drop(folder);
                gather_to(&path, job, &cluster, context).await
            }
        }
    }

    /// Leaves off, with what there is; gives the folder.
    ///
    /// # Errors
    /// If the list of it can't be written.
    pub(in crate::commands) async fn leave_off(self) -> Result<PathBuf> {
        self.task.abort();
        let _ = self.task.await;
        self.folder.finish()?;
        Ok(self.path)
    }
}

/// Gathers each index as soon as it has ended, until all have.
async fn to_the_end(mut harvest: Harvest, job: Job, cluster: Arc<Cluster>) -> Result<(JobState, Tally)> {
    let mut notices = cluster.watch(&job, Pods::All, &Link::default());
    let mut tally = Tally::default();
    while harvest.goes_on() {
        tokio::select! {
            biased;
            Some(gathered) = harvest.next() => tally.count(&gathered?),
            notice = notices.next() => {
                let Some(notice) = notice else { break };
                let mut events = Vec::new();
                let mut coming = Some(notice);
                while let Some(notice) = coming {
                    if let Notice::Seen(event) = notice? {
                        events.push(event);
                    }
                    coming = if events.len() < BURST { notices.next().now_or_never().flatten() } else { None };
                }
                harvest.see(events)?;
            }
        }
    }
    if harvest.state.outcome().is_some() {
        harvest.settle().await?;
    }
    while let Some(gathered) = harvest.next().await {
        tally.count(&gathered?);
    }
    Ok((harvest.state, tally))
}

/// Gathers what there is now of a Job into a folder.
///
/// # Errors
/// If the folder can't be used, or a result can't be had; all others are in the folder then.
pub(in crate::commands) async fn gather_to(
    path: &Path,
    job: &Job,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<Exit> {
    let (source, folder) = into_folder(path, job, cluster)?;
    let items = rows::items(&JobState::new(job.clone()), None, true, cluster).await;
    let rows::Rows { state, found } =
        rows::now(JobState::new(job.clone()), None, &items, Messages::new(false, None), cluster).await?;
    let mut tally = Tally::default();
    let mut gathered = stream::iter(found).map(|found| source.gather(found)).buffer_unordered(AT_ONCE);
    let mut failed = None;
    while let Some(one) = gathered.next().await {
        match one {
            Ok(one) => tally.count(&one),
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    drop(gathered);
    folder.finish()?;
    if let Some(error) = failed {
        return Err(error);
    }
    tell(path, &state, &tally, context)
}

fn tell(path: &Path, state: &JobState, tally: &Tally, context: &mut Context) -> Result<Exit> {
    context.ui.status(&format!("{} in {}", tally.files(), path.display()));
    Ok(tally.check(state, context)?)
}

/// The logs of a Job, and the folder that they go to.
fn into_folder(path: &Path, job: &Job, cluster: &Arc<Cluster>) -> Result<(Arc<Source>, Arc<Folder>)> {
    let wanted = Wanted { job, name_by: None, from: ResultFrom::Log, container: None };
    let folder = Arc::new(Folder::open(path, &wanted)?);
    let container = read::worker_container(job).map(str::to_owned);
    Ok((Arc::new(Source::new(cluster, container, Some(Arc::clone(&folder)))), folder))
}
