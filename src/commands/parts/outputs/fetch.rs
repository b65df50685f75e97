//! Fetches the output of an index: from the log of its last attempt, from its termination message, or from a folder.

use std::env::temp_dir;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use tempfile::SpooledTempFile;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::cut::{CutLogs, ROTATED};
use super::folder::{Folder, Kept};
use crate::args::ResultFrom;
use crate::cluster::Cluster;
use crate::cluster::logs::{LogEnd, LogOptions, LogSource, Lost, Streams};
use crate::error::Kind;
use crate::state::row::IndexRow;
use crate::state::{IndexStatus, ItemTexts};

/// The number of outputs that are fetched at the same time.
pub(crate) const AT_ONCE: usize = 32;
/// The number of bytes of an output that stay in memory until they are printed; the rest is in an unnamed file.
const IN_MEMORY: usize = 64 * 1024;
/// The number of batches of lines that may wait to be written.
const BATCHES: usize = 4;
const POD_GONE: &str = "the pod is gone";

/// An index whose output is to be fetched.
pub(crate) struct OutputRequest {
    pub(crate) row: IndexRow,
    /// The termination message of its Pod, or the number of bytes after which the node has cut it.
    pub(crate) message: Option<Result<String, usize>>,
}

/// An index with its output.
pub(crate) struct Gathered {
    pub(crate) row: IndexRow,
    pub(crate) output: IndexOutput,
}

pub(crate) enum IndexOutput {
    NotRequested,
    /// The index has not ended.
    Unfinished,
    /// The output can't be read, for this reason.
    Missing(String),
    Spooled(Box<SpooledTempFile>),
    /// The output is in the folder; `before` if an earlier command wrote it.
    File {
        kept: Box<Kept>,
        before: bool,
    },
}

impl IndexOutput {
    /// Reads the whole output; None if there is none.
    pub(crate) fn read(&mut self) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match self {
            Self::NotRequested | Self::Unfinished | Self::Missing(_) => return Ok(None),
            Self::Spooled(spool) => {
                spool.seek(SeekFrom::Start(0))?;
                spool.read_to_end(&mut bytes)?;
            }
            Self::File { kept, .. } => {
                bytes = fs::read(&kept.path).with_context(|| format!("reading {}", kept.path.display()))?;
            }
        }
        Ok(Some(bytes))
    }

    /// Returns the number of bytes.
    pub(crate) fn length(&mut self) -> u64 {
        match self {
            Self::NotRequested | Self::Unfinished | Self::Missing(_) => 0,
            Self::Spooled(spool) => spool.seek(SeekFrom::End(0)).unwrap_or(0),
            Self::File { kept, .. } => kept.bytes,
        }
    }
}

/// Where outputs are read from, and where they are written to.
pub(crate) struct OutputSource {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) container: Option<String>,
    pub(crate) from: ResultFrom,
    /// Whether outputs are fetched at all.
    pub(crate) outputs: bool,
    pub(crate) folder: Option<Arc<Folder>>,
    pub(crate) items: Arc<ItemTexts>,
    pub(crate) cut: CutLogs,
    /// Also limits the number of open files.
    pub(crate) slots: Semaphore,
    pub(crate) streams: Streams,
}

impl OutputSource {
    /// The logs of a container; with a folder, each is written to a file in it.
    pub(crate) fn new(
        cluster: &Arc<Cluster>,
        container: Option<String>,
        folder: Option<Arc<Folder>>,
        items: ItemTexts,
        cut: CutLogs,
    ) -> Self {
        Self {
            cluster: Arc::clone(cluster),
            container,
            from: ResultFrom::Log,
            outputs: true,
            folder,
            items: Arc::new(items),
            cut,
            slots: Semaphore::new(AT_ONCE),
            streams: Streams::new(AT_ONCE),
        }
    }

    /// Fetches the output of an index.
    ///
    /// # Errors
    /// If something fails on this machine. [`IndexOutput`] reports what fails in the cluster.
    pub(crate) async fn gather(&self, request: OutputRequest) -> Result<Gathered> {
        let OutputRequest { mut row, message } = request;
        let output = self.find_output(&mut row, message).await?;
        Ok(Gathered { row, output })
    }

    async fn find_output(&self, row: &mut IndexRow, message: Option<Result<String, usize>>) -> Result<IndexOutput> {
        if !self.outputs {
            return Ok(IndexOutput::NotRequested);
        }
        if !matches!(row.status, IndexStatus::Succeeded | IndexStatus::Failed) {
            return Ok(IndexOutput::Unfinished);
        }
        if let Some(kept) = self.folder.as_ref().and_then(|folder| folder.kept(row)) {
            // The Pod is gone: the folder has the exit code and times that were known before.
            if row.pod.is_none() {
                *row = kept.row.clone();
            }
            return Ok(IndexOutput::File { kept: Box::new(kept), before: true });
        }
        let Some(pod) = &row.pod else { return Ok(IndexOutput::Missing(POD_GONE.to_owned())) };
        if self.from == ResultFrom::Log && self.cut.contains(pod) {
            return Ok(IndexOutput::Missing(ROTATED.to_owned()));
        }
        let _slot = self.slots.acquire().await?;
        let Some(folder) = &self.folder else {
            let mut spool = SpooledTempFile::new(IN_MEMORY);
            let keeping = || format!("keeping the output of index {} in {}", row.index, temp_dir().display());
            return Ok(match self.fetch(row, pod, message, &mut spool).await.with_context(keeping)? {
                Ok(()) => IndexOutput::Spooled(Box::new(spool)),
                Err(why) => IndexOutput::Missing(why),
            });
        };
        let writing = || format!("writing {}", folder.path_of(row.index).display());
        let mut part = folder.create_part().with_context(writing)?;
        if let Err(why) = self.fetch(row, pod, message, part.as_file_mut()).await.with_context(writing)? {
            return Ok(IndexOutput::Missing(why));
        }
        let (folder, row, items) = (Arc::clone(folder), row.clone(), Arc::clone(&self.items));
        let keep = move || folder.keep(part, &row, &items, Timestamp::now());
        let kept = Box::new(tokio::task::spawn_blocking(keep).await??);
        Ok(IndexOutput::File { kept, before: false })
    }

    /// Writes an output to `sink`, or returns why it can't be read.
    async fn fetch(
        &self,
        row: &IndexRow,
        pod: &str,
        message: Option<Result<String, usize>>,
        sink: &mut impl Sink,
    ) -> Result<Result<(), String>> {
        if self.from == ResultFrom::TerminationMessage {
            return Ok(match message.unwrap_or(Ok(String::new())) {
                Ok(message) => Ok(sink.write_all(message.as_bytes())?),
                Err(limit) => Err(format!("the node has cut its termination message at {limit} bytes")),
            });
        }
        Ok(match self.read_log(row, pod, sink).await? {
            Ok(LogEnd { gap: false, unended, .. }) => {
                if unended {
                    sink.drop_last()?;
                }
                Ok(())
            }
            Ok(LogEnd { gap: true, .. }) => Err(ROTATED.to_owned()),
            Err(Lost { error, .. }) if error.kind() == Kind::NotFound => Err(POD_GONE.to_owned()),
            Err(Lost { error, .. }) => Err(error.to_string()),
        })
    }

    /// Writes the whole log of an attempt that has ended.
    async fn read_log(&self, row: &IndexRow, pod: &str, sink: &mut impl Write) -> Result<Result<LogEnd, Lost>> {
        let source = Arc::new(LogSource {
            index: row.index,
            attempt: row.attempts.unwrap_or(1),
            pod: pod.to_owned(),
            container: self.container.clone().unwrap_or_default(),
        });
        let (sender, mut batches) = mpsc::channel(BATCHES);
        let read = async move {
            let (options, ended) = (LogOptions::default(), CancellationToken::new());
            self.cluster.read_log(&source, options, &self.streams, &ended, &sender).await
        };
        let write = async move {
            while let Some(batch) = batches.recv().await {
                sink.write_all(&batch.bytes)?;
            }
            sink.flush()
        };
        let (read, written) = futures::join!(read, write);
        written?;
        Ok(read)
    }
}

/// A file that an output is written to.
pub(crate) trait Sink: Write {
    /// Removes the last byte.
    fn drop_last(&mut self) -> io::Result<()>;
}

impl Sink for SpooledTempFile {
    fn drop_last(&mut self) -> io::Result<()> {
        let length = self.seek(SeekFrom::End(-1))?;
        self.set_len(length)
    }
}

impl Sink for File {
    fn drop_last(&mut self) -> io::Result<()> {
        let length = self.seek(SeekFrom::End(-1))?;
        self.set_len(length)
    }
}
