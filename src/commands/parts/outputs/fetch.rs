//! What an index gave: from the log of its last attempt, from the termination message, or from a folder that has it.

use std::env::temp_dir;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use tempfile::SpooledTempFile;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::cut::{CutLogs, PUT_AWAY};
use super::folder::{Folder, Kept};
use crate::args::ResultFrom;
use crate::cluster::Cluster;
use crate::cluster::logs::{LogEnd, LogOptions, LogSource, Lost, Streams};
use crate::error::Kind;
use crate::state::IndexStatus;
use crate::state::row::IndexRow;

pub(crate) const AT_ONCE: usize = 32;
/// How much of an output is held in memory until it is printed, in bytes; the rest is in a file without a name.
const HELD: usize = 64 * 1024;
/// How many batches of lines wait to be written.
const BATCHES: usize = 4;
/// Why an output can't be had whose Pod was deleted.
const GONE: &str = "the pod is gone";

/// An index, and what its Pod told at its end.
pub(crate) struct Found {
    pub(crate) row: IndexRow,
    pub(crate) item: Option<String>,
    /// Its termination message, or after how many bytes the node has cut that.
    pub(crate) message: Option<Result<String, usize>>,
}

pub(crate) struct Gathered {
    pub(crate) row: IndexRow,
    pub(crate) item: Option<String>,
    pub(crate) output: Output,
}

pub(crate) enum Output {
    Unasked,
    Unfinished,
    /// It can't be had any more, or not now: why.
    Missing(String),
    Here(Box<SpooledTempFile>),
    /// It is in the folder, and whether it was there before.
    File {
        kept: Box<Kept>,
        before: bool,
    },
}

impl Output {
    /// All of it; None if there is none.
    pub(crate) fn read(&mut self) -> Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        match self {
            Self::Unasked | Self::Unfinished | Self::Missing(_) => return Ok(None),
            Self::Here(spool) => {
                spool.seek(SeekFrom::Start(0))?;
                spool.read_to_end(&mut bytes)?;
            }
            Self::File { kept, .. } => {
                bytes = fs::read(&kept.path).with_context(|| format!("reading {}", kept.path.display()))?;
            }
        }
        Ok(Some(bytes))
    }

    pub(crate) fn length(&mut self) -> u64 {
        match self {
            Self::Unasked | Self::Unfinished | Self::Missing(_) => 0,
            Self::Here(spool) => spool.seek(SeekFrom::End(0)).unwrap_or(0),
            Self::File { kept, .. } => kept.bytes,
        }
    }
}

/// Where outputs come from, and where they go.
pub(crate) struct Source {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) container: Option<String>,
    pub(crate) from: ResultFrom,
    pub(crate) outputs: bool,
    pub(crate) folder: Option<Arc<Folder>>,
    pub(crate) cut: CutLogs,
    /// Bounds the files that are open, too.
    pub(crate) slots: Semaphore,
    pub(crate) streams: Streams,
}

impl Source {
    /// The logs of a container, on their way to a folder or into the hands of the one who asks.
    pub(crate) fn new(
        cluster: &Arc<Cluster>,
        container: Option<String>,
        folder: Option<Arc<Folder>>,
        cut: CutLogs,
    ) -> Self {
        Self {
            cluster: Arc::clone(cluster),
            container,
            from: ResultFrom::Log,
            outputs: true,
            folder,
            cut,
            slots: Semaphore::new(AT_ONCE),
            streams: Streams::new(AT_ONCE),
        }
    }

    /// Fetches the output of an index. Returns an error for a local failure; the [`Output`] reports one of the cluster.
    pub(crate) async fn gather(&self, found: Found) -> Result<Gathered> {
        let Found { mut row, item, message } = found;
        let output = self.output(&mut row, item.as_ref(), message).await?;
        Ok(Gathered { row, item, output })
    }

    async fn output(
        &self,
        row: &mut IndexRow,
        item: Option<&String>,
        message: Option<Result<String, usize>>,
    ) -> Result<Output> {
        if !self.outputs {
            return Ok(Output::Unasked);
        }
        if !matches!(row.status, IndexStatus::Succeeded | IndexStatus::Failed) {
            return Ok(Output::Unfinished);
        }
        if let Some(kept) = self.folder.as_ref().and_then(|folder| folder.kept(row)) {
            // What is known of an index whose Pod is gone was noted then.
            if row.pod.is_none() {
                *row = kept.row.clone();
            }
            return Ok(Output::File { kept: Box::new(kept), before: true });
        }
        let Some(pod) = &row.pod else { return Ok(Output::Missing(GONE.to_owned())) };
        if self.from == ResultFrom::Log && self.cut.has(pod) {
            return Ok(Output::Missing(PUT_AWAY.to_owned()));
        }
        let _slot = self.slots.acquire().await?;
        let Some(folder) = &self.folder else {
            let mut spool = SpooledTempFile::new(HELD);
            let keeping = || format!("keeping the output of index {} in {}", row.index, temp_dir().display());
            return Ok(match self.fetch(row, pod, message, &mut spool).await.with_context(keeping)? {
                Ok(()) => Output::Here(Box::new(spool)),
                Err(why) => Output::Missing(why),
            });
        };
        let writing = || format!("writing {}", folder.place_of(row.index).display());
        let mut part = folder.begin().with_context(writing)?;
        if let Err(why) = self.fetch(row, pod, message, part.as_file_mut()).await.with_context(writing)? {
            return Ok(Output::Missing(why));
        }
        let (folder, row, item) = (Arc::clone(folder), row.clone(), item.cloned());
        let keep = move || folder.keep(part, &row, item.as_ref(), Timestamp::now());
        let kept = Box::new(tokio::task::spawn_blocking(keep).await??);
        Ok(Output::File { kept, before: false })
    }

    /// Writes an output to `sink`; gives the reason if it can't be had.
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
                Err(limit) => Err(format!("its termination message was cut by the node at {limit} bytes")),
            });
        }
        Ok(match self.log(row, pod, sink).await? {
            Ok(LogEnd { gap: false, unended, .. }) => {
                if unended {
                    sink.drop_last()?;
                }
                Ok(())
            }
            Ok(LogEnd { gap: true, .. }) => Err(PUT_AWAY.to_owned()),
            Err(Lost { error, .. }) if error.kind() == Kind::NotFound => Err(GONE.to_owned()),
            Err(Lost { error, .. }) => Err(error.to_string()),
        })
    }

    /// Writes the whole log of an attempt that has ended.
    async fn log(&self, row: &IndexRow, pod: &str, sink: &mut impl Write) -> Result<Result<LogEnd, Lost>> {
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

/// Where an output is written to.
pub(crate) trait Sink: Write {
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
