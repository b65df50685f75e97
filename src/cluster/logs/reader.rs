//! A log that is being read, request by request.

use std::time::Instant;

use futures::StreamExt as _;
use futures::future::OptionFuture;
use hyper::body::Bytes;
use jiff::Timestamp;
use kube::api::LogParams;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::LogOptions;
use super::batch::{ExcuseKind, LineSplitter, LogBatch, is_line_of_container, leading_time};
use super::response::{LogFailure, LogFailureCause, LogResponse};
use super::streams::{StreamTurn, Streams};
use crate::cluster::Cluster;
use crate::error::Kind;

/// A log read in one go is long if it takes more than this: an end may then be one of the way to the node.
const LONG: Duration = Duration::from_secs(1);

/// After how long without a byte a followed log is looked at by another request, at first and at the limit: sooner where
/// so much came that it may be rotated. A node that was still reading a file when that was rotated follows the old file
/// and never comes to the new one (the kubelet's `ReadLogs` watches only from the first end of the file on); nodes look
/// for what to rotate every ten seconds.
const SILENCE: Duration = Duration::from_secs(5);
const SILENCE_AFTER_MUCH: Duration = Duration::from_secs(1);
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// How often in a row a log must be ahead of its stream until that is dropped.
const LOOKS: u32 = 3;

/// How long a stream that brought much may pause after its container has ended: what is still on its way from a file
/// that was rotated comes no other way.
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// How long to wait before an empty log of a container that has just ended is looked at again. A busy node may report
/// the end first and write the log then: containerd's logger runs beside the container's end.
const LATE: Duration = Duration::from_millis(500);

/// A log of fewer bytes was not rotated: nodes do so at 10 MiB, unless they are set up otherwise.
const ROTATED: u64 = 1024 * 1024;

pub(super) struct LogReader<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) splitter: LineSplitter,
    pub(super) batches: &'a mpsc::Sender<LogBatch>,
    /// Whether the connection broke within the log, and no line has come since.
    pub(super) broke: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadEnd {
    Closed {
        /// Whether the answer said itself that this is its end.
        known: bool,
    },
    Whole,
    Yielded,
    /// Nothing came any more, though the log goes on.
    Silent,
    Ended,
    /// The file that is printed now does not reach back to what was seen before.
    FormerRun,
    Limit,
    NobodyListens,
}

/// How long a followed log may bring nothing until it is looked at.
struct Silence {
    patience: Duration,
    /// Whether all had come of the log at the last look, and nothing has come since.
    had_everything: bool,
    /// How often in a row the log had more than what came.
    behind: u32,
    /// How much had come at the last look that found no more.
    looked_at: u64,
}

impl Silence {
    fn new(progress: u64) -> Self {
        Self { patience: SILENCE, had_everything: false, behind: 0, looked_at: progress }
    }

    /// Notes a look; false if the stream is to be dropped. One that had brought all has nothing to lose by that; one
    /// that had not may have been waiting for a server that is slow.
    fn keep_stream_after_look(&mut self, is_behind: bool, progress: u64) -> bool {
        if is_behind {
            self.behind += 1;
            self.patience = SILENCE;
            return !self.had_everything && self.behind < LOOKS;
        }
        let patience = (self.patience * 2).clamp(SILENCE, LONGEST_SILENCE);
        *self = Self { patience, had_everything: true, behind: 0, looked_at: progress };
        true
    }

    fn end_with(&mut self, progress: u64) {
        self.had_everything = false;
        self.behind = 0;
        self.patience = if progress - self.looked_at >= ROTATED { SILENCE_AFTER_MUCH } else { SILENCE };
    }
}

impl LogReader<'_> {
    fn params(&self, follow: bool, previous: bool) -> LogParams {
        let container = Some(self.splitter.source.container.clone()).filter(|name| !name.is_empty());
        let needs_times = self.splitter.options.needs_times();
        let resumed = self.splitter.position.since();
        let since = resumed.or(self.splitter.options.since.map(Timestamp::as_second));
        LogParams {
            container,
            follow,
            previous,
            timestamps: needs_times,
            tail_lines: self.splitter.options.tail.filter(|_| resumed.is_none()),
            // The client rounds to the nearest second, which may lie ahead.
            since_time: since.and_then(|second| Timestamp::from_second(second).ok()),
            // The server counts the times as well.
            limit_bytes: self
                .splitter
                .options
                .limit
                .filter(|_| !needs_times)
                .and_then(|bytes| i64::try_from(bytes).ok()),
            ..LogParams::default()
        }
    }

    /// Reads what one request gives of the log as it is now: of one that is followed until `ended`.
    pub(super) async fn read(
        &mut self,
        ended: Option<&CancellationToken>,
        previous: bool,
        turn: &StreamTurn<'_>,
    ) -> Result<ReadEnd, LogFailure> {
        let params = self.params(ended.is_some(), previous);
        let is_over = OptionFuture::from(ended.map(CancellationToken::cancelled));
        let mut answer = tokio::select! {
            answer = self.cluster.request_log(&self.splitter.source.pod, &params) => answer?,
            Some(()) = is_over => return Ok(ReadEnd::Ended),
        };
        let mut silence = Silence::new(self.splitter.handed);
        loop {
            let came = match ended {
                Some(ended) => match self.next_bytes(&mut answer, &mut silence, ended, turn).await? {
                    Ok(came) => came,
                    Err(end) => return Ok(end),
                },
                None => answer.body.next().await,
            };
            silence.end_with(self.splitter.handed);
            let Some(came) = came else {
                self.check_excuse().await?;
                return Ok(ReadEnd::Closed { known: answer.has_end });
            };
            let bytes = came.map_err(|error| {
                self.broke = true;
                let mut failure = LogFailure::broken_connection("the connection was closed");
                failure.error = failure.error.caused_by(error);
                failure
            })?;
            // Nothing is noted as seen before it is handed on: reading may be cut off while it waits for that.
            let Ok(permit) = self.batches.reserve().await else { return Ok(ReadEnd::NobodyListens) };
            if let Some(batch) = self.splitter.feed(&bytes) {
                permit.send(batch);
                self.broke = false;
            }
            if self.splitter.is_full() {
                return Ok(ReadEnd::Limit);
            }
            if self.splitter.needs_former_run {
                return Ok(ReadEnd::FormerRun);
            }
        }
    }

    /// Waits for the next bytes of a followed log, or the end of the stream or of the waiting.
    async fn next_bytes(
        &mut self,
        answer: &mut LogResponse,
        silence: &mut Silence,
        ended: &CancellationToken,
        turn: &StreamTurn<'_>,
    ) -> Result<Result<Option<Result<Bytes, kube::Error>>, ReadEnd>, LogFailure> {
        loop {
            let came = tokio::select! {
                biased;
                came = turn.within_turn(timeout(silence.patience, answer.body.next())), if !ended.is_cancelled() => came,
                () = ended.cancelled() => {
                    let has_rest = self.splitter.handed >= ROTATED && !silence.had_everything;
                    let pause = if has_rest { LAST_PAUSE } else { Duration::ZERO };
                    return Ok(timeout(pause, answer.body.next()).await.map_err(|_| ReadEnd::Ended));
                }
            };
            match came {
                None => return Ok(Err(ReadEnd::Yielded)),
                Some(Ok(came)) => return Ok(Ok(came)),
                Some(Err(_)) => {
                    let last = self.last_line(self.splitter.options.needs_times()).await?;
                    let is_behind = !self.splitter.ends_with(&last);
                    if !silence.keep_stream_after_look(is_behind, self.splitter.handed) {
                        return Ok(Err(ReadEnd::Silent));
                    }
                    if !is_behind {
                        self.splitter.position.note_end_of_file();
                    }
                }
            }
        }
    }

    /// Reads a log that is not followed, or no longer; it is whole only if the end of the answer is that of the log.
    pub(super) async fn read_to_the_end(
        &mut self,
        turn: &StreamTurn<'_>,
        begun: Instant,
        again: bool,
    ) -> Result<ReadEnd, LogFailure> {
        let before = self.splitter.handed;
        let end = self.read(None, self.splitter.options.previous, turn).await?;
        let ReadEnd::Closed { known } = end else { return Ok(end) };
        let took_long = begun.elapsed() >= LONG && (!again || before != self.splitter.handed);
        if !self.is_whole(known, took_long).await? {
            return Err(LogFailure::broken_connection("it ended before the last line"));
        }
        self.send_rest().await;
        Ok(ReadEnd::Whole)
    }

    /// A line that has no end is the last one of its log.
    async fn send_rest(&mut self) {
        if let Some(batch) = self.splitter.finish() {
            // Where nobody listens, nobody misses it.
            let _ = self.batches.send(batch).await;
        }
    }

    /// Whether nothing is missing behind what came.
    async fn is_whole(&mut self, known: bool, took_long: bool) -> Result<bool, LogFailure> {
        let nothing = self.splitter.is_empty_log() && self.splitter.options.tail != Some(0);
        let doubtful = nothing || !known || self.splitter.is_behind_resume_point();
        if !doubtful && !took_long {
            return Ok(true);
        }
        if nothing && self.splitter.options.follow {
            sleep(LATE).await;
        }
        match self.last_line(self.splitter.options.needs_times()).await {
            Ok(last) if last.is_empty() => {
                self.check_refusal().await?;
                // The file that was read was rotated, and the new one is empty.
                if self.broke && self.splitter.is_behind_resume_point() {
                    self.splitter.position.note_gap();
                }
                Ok(true)
            }
            Ok(last) => Ok(self.splitter.ends_with(&last)),
            // Now it is gone; that the server says so speaks for what it said before.
            Err(failure) if failure.cause == LogFailureCause::Gone || !doubtful => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    /// Makes sure that an empty log comes from the API server, and not from something that answers everything with
    /// nothing: it must refuse a request that no API server grants.
    async fn check_refusal(&self) -> Result<(), LogFailure> {
        let params = LogParams { tail_lines: Some(-1), ..self.params(false, self.splitter.options.previous) };
        match self.cluster.request_log(&self.splitter.source.pod, &params).await {
            Ok(_) => Err(self.cluster.foreign_answer("answers every request for a log with an empty one")),
            Err(LogFailure {
                cause: LogFailureCause::Refused | LogFailureCause::Forbidden | LogFailureCause::Gone,
                ..
            }) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// Fails with the node's own message if that came in place of the log, or of its rest.
    async fn check_excuse(&self) -> Result<(), LogFailure> {
        let Some((why, text)) = self.splitter.excuse() else { return Ok(()) };
        // Without times the last words of a container may look the same; asked for with times, those have one.
        if !self.splitter.options.needs_times() && is_line_of_container(&self.last_line(true).await?, text) {
            return Ok(());
        }
        let (cause, kind) = match why {
            // It is asked again later, as often as it takes.
            ExcuseKind::CannotWait => return Ok(()),
            ExcuseKind::Gone => (LogFailureCause::Gone, Kind::NotFound),
            ExcuseKind::Runtime => (LogFailureCause::Connection, Kind::Unreachable),
            ExcuseKind::Unreadable => (LogFailureCause::Refused, Kind::Failed),
        };
        Err(LogFailure::with_reason(cause, kind, text))
    }

    /// The last line of the log as it is now, with its break; nothing of an empty one.
    async fn last_line(&self, timestamps: bool) -> Result<Vec<u8>, LogFailure> {
        let params = self.params(false, self.splitter.options.previous);
        self.read_all(&LogParams { tail_lines: Some(1), limit_bytes: None, timestamps, ..params }).await
    }

    async fn read_all(&self, params: &LogParams) -> Result<Vec<u8>, LogFailure> {
        let mut answer = self.cluster.request_log(&self.splitter.source.pod, params).await?;
        let mut all = Vec::new();
        while let Some(bytes) = answer.body.next().await {
            all.extend_from_slice(&bytes.map_err(|_| LogFailure::broken_connection("the connection was closed"))?);
        }
        Ok(all)
    }

    /// Whether the node's file begins behind the first line that was read, where that was the first of the log.
    pub(super) async fn is_cut(&self) -> bool {
        let LogOptions { previous, tail, since, .. } = self.splitter.options;
        let is_from_start = self.splitter.handed >= ROTATED && !previous && tail.is_none() && since.is_none();
        let Some(first) = self.splitter.first.filter(|_| is_from_start) else { return false };
        let beginning = LogParams { since_time: None, limit_bytes: Some(64), ..self.params(false, false) };
        self.read_all(&beginning).await.is_ok_and(|line| leading_time(&line).is_none_or(|(time, _)| time > first))
    }

    /// Reads the rest of what the container wrote before it was started again, if that is why the log that comes now
    /// does not reach back; true if lines may be missing of that.
    pub(super) async fn read_former_run(&mut self, streams: &Streams) -> bool {
        self.splitter.resume();
        self.splitter.wants_former_run = false;
        let turn = streams.take_turn().await;
        let former = self.read(None, true, &turn).await;
        if former.is_err() {
            // There was none: the file was rotated, and begins wherever it does.
            self.splitter.resume();
            return false;
        }
        self.send_rest().await;
        let gap = self.splitter.position.has_gap();
        self.splitter.resume_in_next();
        self.splitter.wants_former_run = true;
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_log_is_looked_at_ever_less_often_and_dropped_when_it_stays_behind() {
        let mut silence = Silence::new(0);
        for seconds in [5, 10, 20, 40, 60, 60] {
            assert_eq!(silence.patience.as_secs(), seconds);
            assert!(silence.keep_stream_after_look(false, 0));
        }
        assert!(!silence.keep_stream_after_look(true, 0), "all had come of the file before");
        silence.end_with(10);
        assert!(
            silence.keep_stream_after_look(true, 10) && silence.keep_stream_after_look(true, 10),
            "it may be on its way"
        );
        assert_eq!(silence.patience, SILENCE);
        assert!(!silence.keep_stream_after_look(true, 10));
        silence.end_with(10 + ROTATED);
        assert_eq!(silence.patience, SILENCE_AFTER_MUCH);
        assert!(silence.keep_stream_after_look(false, 10 + ROTATED));
        assert_eq!(silence.patience, SILENCE);
    }
}
