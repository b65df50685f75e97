//! Reads a log request by request.

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

/// After this long the end of a log may be the end of a connection on the way to the node.
const LONG: Duration = Duration::from_secs(1);

/// After this long without a byte another request checks a followed log: first, after much output that may have been
/// rotated, and at most. A node that still reads a file when that is rotated follows the old file and never opens the
/// new one (the kubelet's `ReadLogs` watches only after it has reached the end of the file). Nodes rotate every ten
/// seconds.
const SILENCE: Duration = Duration::from_secs(5);
const SILENCE_AFTER_MUCH: Duration = Duration::from_secs(1);
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
/// A stream is dropped after so many checks in a row found that it lags behind.
const LOOKS: u32 = 3;

/// How long a stream with much output may pause after its container has ended. Lines of a rotated file come by no other
/// way.
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// The pause before an empty log of an ended container is read again. A busy node may report the end before it writes
/// the log.
const LATE: Duration = Duration::from_millis(500);

/// A log of fewer bytes was not rotated: by default nodes rotate at 10 MiB.
const ROTATED: u64 = 1024 * 1024;

pub(super) struct LogReader<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) splitter: LineSplitter,
    pub(super) batches: &'a mpsc::Sender<LogBatch>,
    /// Whether the connection broke, and no line has come since.
    pub(super) broke: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadEnd {
    Closed {
        /// Whether the answer stated its length.
        known: bool,
    },
    Whole,
    Yielded,
    /// The stream is silent although the log grows.
    Silent,
    Ended,
    /// The file begins after the lines already seen.
    FormerRun,
    Limit,
    NobodyListens,
}

/// How long a followed log may be silent before it is checked.
struct Silence {
    patience: Duration,
    /// Whether the stream had everything at the last check, and was silent since.
    had_everything: bool,
    /// The checks in a row in which the stream lagged behind.
    behind: u32,
    /// The number of bytes at the last check without a lag.
    looked_at: u64,
}

impl Silence {
    fn new(progress: u64) -> Self {
        Self { patience: SILENCE, had_everything: false, behind: 0, looked_at: progress }
    }

    /// Notes a check. Returns false if the stream is to be dropped: at once if it had everything before, later if a
    /// slow server may be the reason.
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
            // kube rounds to the nearest second, which may be later.
            since_time: since.and_then(|second| Timestamp::from_second(second).ok()),
            // The server's limit includes the times.
            limit_bytes: self
                .splitter
                .options
                .limit
                .filter(|_| !needs_times)
                .and_then(|bytes| i64::try_from(bytes).ok()),
            ..LogParams::default()
        }
    }

    /// Reads the answer of one request; until `ended` if the log is followed.
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
            // The send slot is reserved first: reading may be cancelled here, and lines must not count as seen before
            // they are sent.
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

    /// Waits for the next bytes of a followed log, or for its end.
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

    /// Reads a log to its end, without following. It is complete only if the answer ends where the log does.
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

    /// Sends an incomplete line, which is the last one.
    async fn send_rest(&mut self) {
        if let Some(batch) = self.splitter.finish() {
            // A dropped receiver is no error.
            let _ = self.batches.send(batch).await;
        }
    }

    /// Whether the log ends with the last line that came.
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
                // The file was rotated, and the new one is empty.
                if self.broke && self.splitter.is_behind_resume_point() {
                    self.splitter.position.note_gap();
                }
                Ok(true)
            }
            Ok(last) => Ok(self.splitter.ends_with(&last)),
            // The log is gone by now. A server that says so was trustworthy before, too.
            Err(failure) if failure.cause == LogFailureCause::Gone || !doubtful => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    /// Checks that an empty log comes from an API server, which must refuse an invalid request, and not from something
    /// that answers everything with an empty body.
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

    /// Fails if the log ends with an error message of the node.
    async fn check_excuse(&self) -> Result<(), LogFailure> {
        let Some((why, text)) = self.splitter.excuse() else { return Ok(()) };
        // Without times a container's last line may look the same. With times it has one, unlike the node's message.
        if !self.splitter.options.needs_times() && is_line_of_container(&self.last_line(true).await?, text) {
            return Ok(());
        }
        let (cause, kind) = match why {
            // The caller retries.
            ExcuseKind::CannotWait => return Ok(()),
            ExcuseKind::Gone => (LogFailureCause::Gone, Kind::NotFound),
            ExcuseKind::Runtime => (LogFailureCause::Connection, Kind::Unreachable),
            ExcuseKind::Unreadable => (LogFailureCause::Refused, Kind::Failed),
        };
        Err(LogFailure::with_reason(cause, kind, text))
    }

    /// Returns the current last line with its break; empty for an empty log.
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

    /// Whether the node's file no longer has the first line of the log, which was read before.
    pub(super) async fn is_cut(&self) -> bool {
        let LogOptions { previous, tail, since, .. } = self.splitter.options;
        let is_from_start = self.splitter.handed >= ROTATED && !previous && tail.is_none() && since.is_none();
        let Some(first) = self.splitter.first.filter(|_| is_from_start) else { return false };
        let beginning = LogParams { since_time: None, limit_bytes: Some(64), ..self.params(false, false) };
        self.read_all(&beginning).await.is_ok_and(|line| leading_time(&line).is_none_or(|(time, _)| time > first))
    }

    /// Reads the rest of the container's former run, if a restart is why the file begins later. Returns whether lines
    /// of it may be missing.
    pub(super) async fn read_former_run(&mut self, streams: &Streams) -> bool {
        self.splitter.resume();
        self.splitter.wants_former_run = false;
        let turn = streams.take_turn().await;
        let former = self.read(None, true, &turn).await;
        if former.is_err() {
            // There was no former run: the file was rotated.
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
    fn a_silent_log_is_checked_less_and_less_often_and_dropped_if_it_lags() {
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
