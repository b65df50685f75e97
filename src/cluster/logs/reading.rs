//! A log that is being read, request by request.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use kube::api::LogParams;
use tokio::sync::mpsc;
use tokio::time::{Duration, timeout};

use super::answer::{Cause, Failure};
use super::batch::{Excuse, LogBatch, Splitter, Why, is_line_of_container, leading_time};
use super::streams::{Streams, Turn};
use super::{LogOptions, LogSource};
use crate::cluster::Cluster;
use crate::error::Kind;

/// A log read in one go is long if it takes more than this: an end may then be one of the way to the node.
const LONG: Duration = Duration::from_secs(1);

/// After how long without a byte a followed log is looked at by another request, at first and at the most: sooner where
/// so much came that it may be rotated. A node that was still reading a file when that was rotated follows the old file
/// and never comes to the new one (the kubelet's `ReadLogs` watches only from the first end of the file on); nodes look
/// for what to rotate every ten seconds.
const SILENCE: Duration = Duration::from_secs(5);
const SILENCE_AFTER_MUCH: Duration = Duration::from_secs(1);
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// A log of fewer bytes was not rotated: nodes do so at 10 MiB, unless they are set up otherwise.
const ROTATED: u64 = 1024 * 1024;

/// A log that is being read.
pub(super) struct Reading<'a> {
    cluster: &'a Cluster,
    source: &'a Arc<LogSource>,
    options: LogOptions,
    splitter: Splitter,
    batches: &'a mpsc::Sender<LogBatch>,
    /// Whether the connection broke within the log, and no line has come since.
    broke: bool,
}

/// How one answer came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Closed {
        /// Whether the answer said itself that this is its end.
        known: bool,
    },
    /// All of the log was read.
    Whole,
    /// Others wait for their turn.
    Yielded,
    /// Nothing came any more, though the log goes on.
    Silent,
    /// The file that is printed now does not reach back to what was seen before.
    FormerFile,
    /// All was read that was asked for.
    Limit,
    NobodyListens,
}

/// How long a followed log may bring nothing until it is looked at.
struct Silence {
    patience: Duration,
    /// Whether the log had more than what came when it was looked at.
    is_behind: bool,
    /// How much had come then.
    looked_at: u64,
}

impl Silence {
    fn new(progress: u64) -> Self {
        Self { patience: SILENCE, is_behind: false, looked_at: progress }
    }

    /// Notes a look; false if the log was behind before as well.
    fn goes_on(&mut self, is_behind: bool, progress: u64) -> bool {
        let goes_on = !(self.is_behind && is_behind);
        let patience = if is_behind { SILENCE } else { (self.patience * 2).clamp(SILENCE, LONGEST_SILENCE) };
        *self = Self { patience, is_behind, looked_at: progress };
        goes_on
    }

    /// Notes that something came.
    fn end(&mut self, progress: u64) {
        self.is_behind = false;
        self.patience = if progress - self.looked_at >= ROTATED { SILENCE_AFTER_MUCH } else { SILENCE };
    }
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        cluster: &'a Cluster,
        source: &'a Arc<LogSource>,
        options: LogOptions,
        batches: &'a mpsc::Sender<LogBatch>,
    ) -> Self {
        let splitter = Splitter::new(Arc::clone(source), options);
        Self { cluster, source, options, splitter, batches, broke: false }
    }

    /// How much was handed on.
    pub(super) fn progress(&self) -> u64 {
        self.splitter.progress()
    }

    /// Whether lines may be missing.
    pub(super) fn has_gap(&self) -> bool {
        self.splitter.has_gap()
    }

    /// Whether the log ended within a line, which was given a break.
    pub(super) fn has_added_break(&self) -> bool {
        self.splitter.has_added_break()
    }

    /// Whether the server began to give the log, and the connection broke then.
    pub(super) fn has_broken(&self) -> bool {
        self.broke
    }

    /// The log is about to be asked for again.
    pub(super) fn resume(&mut self) {
        self.splitter.resume();
    }

    fn params(&self, follow: bool, previous: bool) -> LogParams {
        let container = Some(self.source.container.clone()).filter(|name| !name.is_empty());
        let needs_times = self.options.needs_times();
        let resumed = self.splitter.since();
        let since = resumed.or(self.options.since.map(Timestamp::as_second));
        LogParams {
            container,
            follow,
            previous,
            timestamps: needs_times,
            tail_lines: self.options.tail.filter(|_| resumed.is_none()),
            // The client rounds to the nearest second, which may lie ahead.
            since_time: since.and_then(|second| Timestamp::from_second(second).ok()),
            // The server counts the times as well.
            limit_bytes: self.options.limit.filter(|_| !needs_times).and_then(|bytes| i64::try_from(bytes).ok()),
            ..LogParams::default()
        }
    }

    /// Reads what one request gives of the log as it is now, or of what the container wrote before.
    pub(super) async fn once(&mut self, follow: bool, turn: &Turn<'_>) -> Result<End, Failure> {
        self.read(follow, self.options.previous, turn).await
    }

    async fn read(&mut self, follow: bool, previous: bool, turn: &Turn<'_>) -> Result<End, Failure> {
        let params = self.params(follow, previous);
        let mut answer = self.cluster.ask_for_log(&self.source.pod, &params).await?;
        let mut silence = Silence::new(self.progress());
        loop {
            let came = if follow {
                match turn.or_over(timeout(silence.patience, answer.next())).await {
                    None => return Ok(End::Yielded),
                    Some(Ok(came)) => came,
                    Some(Err(_)) => {
                        let is_behind = !self.has_seen_last_line().await?;
                        if !is_behind {
                            self.splitter.note_end_of_file();
                        }
                        // What is on its way has another chance.
                        if silence.goes_on(is_behind, self.progress()) {
                            continue;
                        }
                        return Ok(End::Silent);
                    }
                }
            } else {
                answer.next().await
            };
            silence.end(self.progress());
            let Some(came) = came else {
                return match self.excuse().await? {
                    Some(failure) => Err(failure),
                    None => Ok(End::Closed { known: answer.has_end }),
                };
            };
            let bytes = came.map_err(|error| {
                self.broke = true;
                let mut failure = Failure::broken("the connection was closed");
                failure.error = failure.error.caused_by(error);
                failure
            })?;
            // Nothing is noted as seen before it is handed on: reading may be cut off while it waits for that.
            let Ok(permit) = self.batches.reserve().await else { return Ok(End::NobodyListens) };
            if let Some(batch) = self.splitter.feed(&bytes) {
                permit.send(batch);
                self.broke = false;
            }
            if self.splitter.is_full() {
                return Ok(End::Limit);
            }
            if self.splitter.needs_former_file() {
                return Ok(End::FormerFile);
            }
        }
    }

    /// Reads a log that is not followed, or no longer; it is whole only if the end of the answer is that of the log.
    pub(super) async fn read_to_the_end(
        &mut self,
        turn: &Turn<'_>,
        begun: Instant,
        again: bool,
    ) -> Result<End, Failure> {
        let before = self.progress();
        let end = self.once(false, turn).await?;
        let End::Closed { known } = end else { return Ok(end) };
        let took_long = begun.elapsed() >= LONG && (!again || before != self.progress());
        if !self.is_whole(known, took_long).await? {
            return Err(Failure::broken("it ended before the last line"));
        }
        self.hand_on_rest().await;
        Ok(End::Whole)
    }

    /// A line that has no end is the last one of its log.
    async fn hand_on_rest(&mut self) {
        if let Some(batch) = self.splitter.finish() {
            // Where nobody listens, nobody misses it.
            let _ = self.batches.send(batch).await;
        }
    }

    /// Whether nothing is missing behind what came.
    async fn is_whole(&mut self, known: bool, took_long: bool) -> Result<bool, Failure> {
        let nothing = self.splitter.has_nothing() && self.options.tail != Some(0);
        let doubtful = nothing || !known || self.splitter.is_behind_itself();
        if !doubtful && !took_long {
            return Ok(true);
        }
        match self.last_line(self.options.needs_times()).await {
            Ok(last) if last.is_empty() => {
                self.check_refusal().await?;
                // The file that was read was rotated, and the new one is empty.
                if self.broke && self.splitter.is_behind_itself() {
                    self.splitter.note_gap();
                }
                Ok(true)
            }
            Ok(last) => Ok(self.splitter.ends_with(&last)),
            // Now it is gone; that the server says so speaks for what it said before.
            Err(failure) if failure.cause == Cause::Gone || !doubtful => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    /// Makes sure that an empty log comes from the API server, and not from something that answers everything with
    /// nothing: it must refuse a request that no API server grants.
    async fn check_refusal(&self) -> Result<(), Failure> {
        let params = LogParams { tail_lines: Some(-1), ..self.params(false, self.options.previous) };
        match self.cluster.ask_for_log(&self.source.pod, &params).await {
            Ok(_) => Err(self.cluster.foreign("answers every request for a log with nothing")),
            Err(Failure { cause: Cause::Refused | Cause::Forbidden | Cause::Gone, .. }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// What the node said in place of the log, or of its rest.
    async fn excuse(&self) -> Result<Option<Failure>, Failure> {
        let Some(Excuse { why, text }) = self.splitter.excuse() else { return Ok(None) };
        // Without times the last words of a container may look the same; asked for with times, those have one.
        if !self.options.needs_times() && is_line_of_container(&self.last_line(true).await?, text) {
            return Ok(None);
        }
        let (cause, kind) = match why {
            // It is asked again later, as often as it takes.
            Why::CannotWait => return Ok(None),
            Why::Gone => (Cause::Gone, Kind::NotFound),
            Why::Runtime => (Cause::Connection, Kind::Unreachable),
            Why::Unreadable => (Cause::Refused, Kind::Failed),
        };
        Ok(Some(Failure::because(cause, kind, text)))
    }

    /// Whether the last line of the log is the last one that came.
    async fn has_seen_last_line(&self) -> Result<bool, Failure> {
        Ok(self.splitter.ends_with(&self.last_line(self.options.needs_times()).await?))
    }

    /// The last line of the log as it is now, with its break; nothing of an empty one.
    async fn last_line(&self, timestamps: bool) -> Result<Vec<u8>, Failure> {
        let params = self.params(false, self.options.previous);
        self.read_all(&LogParams { tail_lines: Some(1), limit_bytes: None, timestamps, ..params }).await
    }

    /// What one short request gives.
    async fn read_all(&self, params: &LogParams) -> Result<Vec<u8>, Failure> {
        let mut answer = self.cluster.ask_for_log(&self.source.pod, params).await?;
        let mut all = Vec::new();
        while let Some(bytes) = answer.next().await {
            let bytes = bytes.map_err(|_| Failure::broken("the connection was closed"))?;
            all.extend_from_slice(&bytes);
        }
        Ok(all)
    }

    /// Whether the node's file begins behind the first line that was read, where that was the first of the log.
    pub(super) async fn is_cut(&self) -> bool {
        let LogOptions { previous, tail, since, .. } = self.options;
        let Some(first) = self.splitter.first().filter(|_| self.progress() >= ROTATED && !previous) else {
            return false;
        };
        if tail.is_some() || since.is_some() {
            return false;
        }
        let beginning = LogParams { since_time: None, limit_bytes: Some(64), ..self.params(false, false) };
        self.read_all(&beginning).await.is_ok_and(|line| leading_time(&line).is_none_or(|(time, _)| time > first))
    }

    /// Reads the rest of what the container wrote before it was started again, if that is why the log that comes now
    /// does not reach back; true if lines may be missing of that.
    pub(super) async fn catch_up(&mut self, streams: &Streams) -> bool {
        self.resume();
        self.splitter.look_for_former_file(false);
        let turn = streams.turn().await;
        let former = self.read(false, true, &turn).await;
        if former.is_err() {
            // There was none: the file was rotated, and begins wherever it does.
            self.resume();
            return false;
        }
        self.hand_on_rest().await;
        let gap = self.has_gap();
        self.splitter.resume_in_next();
        self.splitter.look_for_former_file(true);
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_log_is_looked_at_ever_less_often_and_dropped_when_behind_twice() {
        let mut silence = Silence::new(0);
        for seconds in [5, 10, 20, 40, 60, 60] {
            assert_eq!(silence.patience.as_secs(), seconds);
            assert!(silence.goes_on(false, 0));
        }
        assert!(silence.goes_on(true, 0), "it may be on its way");
        assert_eq!(silence.patience, SILENCE);
        silence.end(10);
        assert!(silence.goes_on(true, 10), "it was");
        assert!(!silence.goes_on(true, 10));
        silence.end(10 + ROTATED);
        assert_eq!(silence.patience, SILENCE_AFTER_MUCH);
        assert!(silence.goes_on(false, 10 + ROTATED));
        assert_eq!(silence.patience, SILENCE);
    }
}
