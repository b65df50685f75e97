//! Results that are kept in a folder: while their Job is followed, or before it is deleted.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, stream};
use k8s_openapi::api::batch::v1::Job;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::cut::CutLogs;
use super::fetch::{AT_ONCE, Sink as _, Source};
use super::folder::{Folder, Wanted};
use super::harvest::has_ended;
use super::rows::{self, Messages};
use super::tally::Tally;
use crate::args::ResultFrom;
use crate::cluster::Cluster;
use crate::cluster::logs::{LogBatch, LogEnd, LogSource, Lost};
use crate::commands::Context;
use crate::error::Exit;
use crate::index_set::IndexSet;
use crate::manifest::read;
use crate::state::row::SucceededRows;
use crate::state::{IndexStatus, ItemTexts, JobState};
use crate::tracker::selection::Selection;

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

/// Keeps what is printed while a Job is followed: each log is read once, and what was followed is what is kept.
pub(in crate::commands) struct Keeper {
    path: PathBuf,
    folder: Arc<Folder>,
    items: ItemTexts,
    /// Whole logs of attempts that may turn out not to be the last of their index, by Pod.
    parts: HashMap<u32, Vec<(String, NamedTempFile)>>,
    /// Logs that can't be fetched again as they were.
    cut: CutLogs,
    tally: Tally,
}

impl Keeper {
    /// Opens the folder.
    ///
    /// # Errors
    /// If the folder can't be used.
    pub(in crate::commands) fn open(path: &Path, job: &Job, items: ItemTexts) -> Result<Self> {
        let folder = Arc::new(open_folder(path, job)?);
        Ok(Self {
            path: path.to_owned(),
            folder,
            items,
            parts: HashMap::new(),
            cut: CutLogs::default(),
            tally: Tally::default(),
        })
    }

    /// Begins the file for the log of an attempt.
    pub(in crate::commands) fn begin(&self, source: &LogSource) -> Result<Copy> {
        let path = self.folder.place_of(source.index);
        let file = self.folder.begin().with_context(|| format!("writing {}", path.display()))?;
        Ok(Copy { file, path })
    }

    /// Takes the file of a log that was read to its end. One that is not whole is dropped, and fetched at the end.
    pub(in crate::commands) fn take(
        &mut self,
        source: &LogSource,
        mut copy: Copy,
        result: &Result<LogEnd, Lost>,
    ) -> Result<()> {
        self.cut.see(source, result);
        let Ok(LogEnd { gap: false, unended, .. }) = result else { return Ok(()) };
        if *unended {
            copy.file.as_file_mut().drop_last().with_context(|| format!("writing {}", copy.path.display()))?;
        }
        self.parts.entry(source.index).or_default().push((source.pod.clone(), copy.file));
        Ok(())
    }

    /// Gives the file of an index its name, if the index has ended with an attempt whose log is whole.
    pub(in crate::commands) fn keep(&mut self, index: u32, state: &JobState) -> Result<()> {
        if !self.parts.contains_key(&index) {
            return Ok(());
        }
        let rows = state.rows(&IndexSet::from_iter([index]), &mut SucceededRows::default());
        let Some(row) = rows.into_iter().next().filter(|row| has_ended(row, state)) else { return Ok(()) };
        let parts = self.parts.remove(&index).unwrap_or_default();
        for (pod, part) in parts {
            if row.pod.as_ref() == Some(&pod) {
                self.folder.keep(part, &row, self.items.get(&index), jiff::Timestamp::now())?;
                self.tally.written();
            }
        }
        Ok(())
    }

    /// Ends the gathering; `state` is the Job at its end. What could not be kept while it ran is fetched now.
    ///
    /// # Errors
    /// If a result is missing that should be there, or the folder can't be written.
    pub(in crate::commands) async fn finish(
        self,
        state: &JobState,
        cluster: &Arc<Cluster>,
        context: &mut Context,
    ) -> Result<Exit> {
        let Self { path, folder, tally: mut kept, cut, .. } = self;
        folder.finish()?;
        let mut complete = true;
        for row in state.rows(&state.all(), &mut SucceededRows::default()) {
            match row.status {
                IndexStatus::Succeeded | IndexStatus::Failed => complete &= folder.kept(&row).is_some(),
                _ => kept.unfinished(row.index),
            }
        }
        if complete {
            return tell(&path, state, &kept, context);
        }
        drop(folder);
        let job = state.job().cloned().unwrap_or_default();
        gather(&path, &job, Some(cut), cluster, context).await
    }

    /// Ends the gathering before the Job has ended, and returns the folder.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub(in crate::commands) fn leave_off(self) -> Result<PathBuf> {
        self.folder.finish()?;
        Ok(self.path)
    }
}

/// The output of an attempt on its way into the folder, and where it belongs.
pub(in crate::commands) struct Copy {
    file: NamedTempFile,
    path: PathBuf,
}

impl Copy {
    /// Writes each batch to the file before it is sent on.
    pub(in crate::commands) async fn write(
        mut self,
        mut batches: mpsc::Receiver<LogBatch>,
        output: &mpsc::Sender<LogBatch>,
    ) -> Result<Self> {
        while let Some(batch) = batches.recv().await {
            self.file.write_all(&batch.bytes).with_context(|| format!("writing {}", self.path.display()))?;
            if output.send(batch).await.is_err() {
                break;
            }
        }
        Ok(self)
    }
}

/// Gathers what there is now of a Job into a folder.
///
/// # Errors
/// If the folder can't be used, or a result is missing; all others are in the folder then.
pub(in crate::commands) async fn gather_to(
    path: &Path,
    job: &Job,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<Exit> {
    gather(path, job, None, cluster, context).await
}

/// The same, also behind the following of a Job, which saw which logs are `cut`: then all files count as new.
async fn gather(
    path: &Path,
    job: &Job,
    cut: Option<CutLogs>,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<Exit> {
    let folder = Arc::new(open_folder(path, job)?);
    let container = read::worker_container(job).map(str::to_owned);
    let state = JobState::new(job.clone());
    let fresh = cut.is_some();
    let cut = cut.unwrap_or_else(|| CutLogs::of(&state));
    let source = Source::new(cluster, container, Some(Arc::clone(&folder)), cut);
    let items = rows::items(&state, &Selection::default(), true, cluster).await;
    let items = crate::commands::find::items_or_warning(items, context)?;
    let rows::Rows { state, found } =
        rows::now(state, &Selection::default(), &items, Messages::new(false, None), cluster).await?;
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
    if fresh {
        tally.count_all_as_new();
    }
    tell(path, &state, &tally, context)
}

fn tell(path: &Path, state: &JobState, tally: &Tally, context: &mut Context) -> Result<Exit> {
    context.ui.status(&format!("{} in {}", tally.files(), path.display()));
    Ok(tally.check(state, context)?)
}

fn open_folder(path: &Path, job: &Job) -> Result<Folder> {
    Folder::open(path, &Wanted { job, name_by: None, from: ResultFrom::Log, container: None })
}
