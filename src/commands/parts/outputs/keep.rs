//! Keeps results in a folder: while their Job is followed, or before it is deleted.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use k8s_openapi::api::batch::v1::Job;
use tempfile::NamedTempFile;
use tokio::sync::mpsc;

use super::cut::CutLogs;
use super::fetch::{AT_ONCE, OutputSource, Sink as _};
use super::folder::{Folder, FolderContents};
use super::harvest::has_ended;
use super::rows::{self, Messages};
use super::tally::Tally;
use crate::cluster::Cluster;
use crate::cluster::logs::{LogBatch, LogEnd, LogSource, Lost};
use crate::commands::{Context, find};
use crate::contract;
use crate::error::Exit;
use crate::index_set::IndexSet;
use crate::state::row::SucceededRows;
use crate::state::{IndexStatus, ItemTexts, JobState};
use crate::tracker::selection::IndexSelection;

/// Keeps the logs of a Job that is followed: each is read once, and printed and kept.
pub(crate) struct Keeper {
    path: PathBuf,
    folder: Arc<Folder>,
    items: ItemTexts,
    /// By index: the Pods of attempts, with their complete logs. Only the last attempt is kept.
    parts: HashMap<u32, Vec<(String, NamedTempFile)>>,
    cut: CutLogs,
    tally: Tally,
}

impl Keeper {
    pub(crate) fn open(path: &Path, job: &Job, items: ItemTexts) -> Result<Self> {
        let folder = Arc::new(Folder::open(path, &FolderContents::logs_of(job))?);
        Ok(Self {
            path: path.to_owned(),
            folder,
            items,
            parts: HashMap::new(),
            cut: CutLogs::default(),
            tally: Tally::default(),
        })
    }

    pub(crate) fn create_copy(&self, source: &LogSource) -> Result<LogCopy> {
        let path = self.folder.path_of(source.index);
        let file = self.folder.create_part().with_context(|| format!("writing {}", path.display()))?;
        Ok(LogCopy { file, path })
    }

    /// Adds the file of a log that was read to its end. An incomplete one is dropped, and fetched at the end.
    pub(crate) fn add(&mut self, source: &LogSource, mut copy: LogCopy, result: &Result<LogEnd, Lost>) -> Result<()> {
        self.cut.add_if_cut(source, result);
        let Ok(LogEnd { gap: false, unended, .. }) = result else { return Ok(()) };
        if *unended {
            copy.file.as_file_mut().drop_last().with_context(|| format!("writing {}", copy.path.display()))?;
        }
        self.parts.entry(source.index).or_default().push((source.pod.clone(), copy.file));
        Ok(())
    }

    /// Keeps the file of an index if the index has ended and the log of its last attempt is complete.
    pub(crate) fn keep(&mut self, index: u32, state: &JobState) -> Result<()> {
        if !self.parts.contains_key(&index) {
            return Ok(());
        }
        let rows = state.rows(&IndexSet::from_iter([index]), &mut SucceededRows::default());
        let Some(row) = rows.into_iter().next().filter(|row| has_ended(row, state)) else { return Ok(()) };
        let parts = self.parts.remove(&index).unwrap_or_default();
        for (pod, part) in parts {
            if row.pod.as_ref() == Some(&pod) {
                self.folder.keep(part, &row, &self.items, jiff::Timestamp::now())?;
                self.tally.written += 1;
            }
        }
        Ok(())
    }

    /// Ends the gathering of a Job that has ended, and fetches the outputs that are missing.
    pub(crate) async fn finish(self, state: &JobState, cluster: &Arc<Cluster>, context: &mut Context) -> Result<Exit> {
        let Self { path, folder, tally: mut kept, cut, .. } = self;
        folder.finish()?;
        let mut complete = true;
        for row in state.rows(&state.all(), &mut SucceededRows::default()) {
            match row.status {
                IndexStatus::Succeeded | IndexStatus::Failed => complete &= folder.kept(&row).is_some(),
                _ => kept.unfinished.insert(row.index),
            }
        }
        if complete {
            return report_tally(&path, state, &kept, context);
        }
        drop(folder);
        let job = state.job().cloned().unwrap_or_default();
        gather(&path, &job, Some(cut), cluster, context).await
    }

    /// Ends the gathering before the Job has ended, and returns the path of the folder.
    pub(crate) fn stop(self) -> Result<PathBuf> {
        self.folder.finish()?;
        Ok(self.path)
    }
}

/// A copy of the log of an attempt, for the folder.
pub(crate) struct LogCopy {
    file: NamedTempFile,
    /// The path that it gets if it is kept.
    path: PathBuf,
}

impl LogCopy {
    /// Writes each batch to the file and then sends it to `output`.
    pub(crate) async fn write(
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

/// Gathers the results that a Job has now into a folder. After the Job was followed, `cut` has the logs that its reader
/// found incomplete, and all files count as new.
///
/// # Errors
/// Also if some results are missing; all others are then in the folder.
pub(crate) async fn gather(
    path: &Path,
    job: &Job,
    cut: Option<CutLogs>,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<Exit> {
    let folder = Arc::new(Folder::open(path, &FolderContents::logs_of(job))?);
    let container = contract::worker_name(job).map(str::to_owned);
    let state = JobState::new(job.clone());
    let fresh = cut.is_some();
    let cut = cut.unwrap_or_else(|| CutLogs::of(&state));
    let items = find::load_items_of(&state.all(), state.items_job(), cluster).await;
    let items = find::items_or_warning(items, context)?;
    let source = OutputSource::new(cluster, container, Some(Arc::clone(&folder)), items, cut);
    let (state, requests) = rows::load(state, &IndexSelection::default(), Messages::new(false, None), cluster).await?;
    let mut tally = Tally::default();
    let gathered = stream::iter(requests).map(|request| source.gather(request)).buffer_unordered(AT_ONCE);
    let counted = gathered.try_for_each(|one| {
        tally.count(&one);
        std::future::ready(Ok(()))
    });
    let counted = counted.await;
    folder.finish()?;
    counted?;
    if fresh {
        tally.written += std::mem::take(&mut tally.before);
    }
    report_tally(path, &state, &tally, context)
}

fn report_tally(path: &Path, state: &JobState, tally: &Tally, context: &mut Context) -> Result<Exit> {
    context.ui.status(&format!("{} in {}", tally.files(), path.display()));
    Ok(tally.check(state, context)?)
}
