//! Results that are kept in a folder: while their Job is followed, or before it is deleted.

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
use super::fetch::{AT_ONCE, Sink as _, Source};
use super::folder::{Folder, Wanted};
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

/// Keeps what is printed while a Job is followed: each log is read once, and what was followed is what is kept.
pub(crate) struct Keeper {
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
    pub(crate) fn open(path: &Path, job: &Job, items: ItemTexts) -> Result<Self> {
        let folder = Arc::new(Folder::open(path, &Wanted::logs_of(job))?);
        Ok(Self {
            path: path.to_owned(),
            folder,
            items,
            parts: HashMap::new(),
            cut: CutLogs::default(),
            tally: Tally::default(),
        })
    }

    pub(crate) fn begin(&self, source: &LogSource) -> Result<Copy> {
        let path = self.folder.place_of(source.index);
        let file = self.folder.begin().with_context(|| format!("writing {}", path.display()))?;
        Ok(Copy { file, path })
    }

    /// Takes the file of a log that was read to its end. One that is not whole is dropped, and fetched at the end.
    pub(crate) fn take(&mut self, source: &LogSource, mut copy: Copy, result: &Result<LogEnd, Lost>) -> Result<()> {
        self.cut.see(source, result);
        let Ok(LogEnd { gap: false, unended, .. }) = result else { return Ok(()) };
        if *unended {
            copy.file.as_file_mut().drop_last().with_context(|| format!("writing {}", copy.path.display()))?;
        }
        self.parts.entry(source.index).or_default().push((source.pod.clone(), copy.file));
        Ok(())
    }

    /// Gives the file of an index its name, if the index has ended with an attempt whose log is whole.
    pub(crate) fn keep(&mut self, index: u32, state: &JobState) -> Result<()> {
        if !self.parts.contains_key(&index) {
            return Ok(());
        }
        let rows = state.rows(&IndexSet::from_iter([index]), &mut SucceededRows::default());
        let Some(row) = rows.into_iter().next().filter(|row| has_ended(row, state)) else { return Ok(()) };
        let parts = self.parts.remove(&index).unwrap_or_default();
        for (pod, part) in parts {
            if row.pod.as_ref() == Some(&pod) {
                self.folder.keep(part, &row, self.items.get(&index), jiff::Timestamp::now())?;
                self.tally.written += 1;
            }
        }
        Ok(())
    }

    /// Ends the gathering; `state` is the Job at its end. What could not be kept while it ran is fetched now.
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
            return tell(&path, state, &kept, context);
        }
        drop(folder);
        let job = state.job().cloned().unwrap_or_default();
        gather(&path, &job, Some(cut), cluster, context).await
    }

    /// Ends the gathering before the Job has ended, and returns the folder.
    pub(crate) fn leave_off(self) -> Result<PathBuf> {
        self.folder.finish()?;
        Ok(self.path)
    }
}

/// The output of an attempt on its way into the folder, and where it belongs.
pub(crate) struct Copy {
    file: NamedTempFile,
    path: PathBuf,
}

impl Copy {
    /// Writes each batch to the file before it is sent on.
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

/// Gathers what there is now of a Job into a folder. Behind the following of a Job, which saw which logs are `cut`, all
/// files count as new. Where a result is missing, all others are in the folder.
pub(crate) async fn gather(
    path: &Path,
    job: &Job,
    cut: Option<CutLogs>,
    cluster: &Arc<Cluster>,
    context: &mut Context,
) -> Result<Exit> {
    let folder = Arc::new(Folder::open(path, &Wanted::logs_of(job))?);
    let container = contract::worker_name(job).map(str::to_owned);
    let state = JobState::new(job.clone());
    let fresh = cut.is_some();
    let cut = cut.unwrap_or_else(|| CutLogs::of(&state));
    let source = Source::new(cluster, container, Some(Arc::clone(&folder)), cut);
    let items = find::items_of(&state.all(), state.items_job(), cluster).await;
    let items = find::items_or_warning(items, context)?;
    let (state, found) =
        rows::now(state, &IndexSelection::default(), &items, Messages::new(false, None), cluster).await?;
    let mut tally = Tally::default();
    let gathered = stream::iter(found).map(|found| source.gather(found)).buffer_unordered(AT_ONCE);
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
    tell(path, &state, &tally, context)
}

fn tell(path: &Path, state: &JobState, tally: &Tally, context: &mut Context) -> Result<Exit> {
    context.ui.status(&format!("{} in {}", tally.files(), path.display()));
    Ok(tally.check(state, context)?)
}
