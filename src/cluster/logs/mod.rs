//! Reads the log of one container in batches of whole lines, and survives broken connections.

mod batch;
mod position;
mod reader;
mod response;
mod streams;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Cluster;
use crate::error::Error;
use batch::LineSplitter;
pub(crate) use batch::LogBatch;
use reader::{LogReader, ReadEnd};
use response::{LogFailure, LogFailureCause};
pub(crate) use streams::Streams;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogSource {
    pub(crate) index: u32,
    /// The number of the attempt, from 1.
    pub(crate) attempt: u32,
    pub(crate) pod: String,
    /// Empty for the Pod's only container.
    pub(crate) container: String,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogOptions {
    /// Read until the container ends.
    pub(crate) follow: bool,
    /// Add the time of each line.
    pub(crate) times: bool,
    /// Read the log of the container's former run.
    pub(crate) previous: bool,
    pub(crate) tail: Option<i64>,
    /// Only lines from this time on; the server counts in whole seconds.
    pub(crate) since: Option<Timestamp>,
    /// The maximum number of bytes.
    pub(crate) limit: Option<u64>,
}

impl LogOptions {
    /// Whether lines need times to resume the log. A log that does not grow is resumed by bytes.
    fn needs_times(self) -> bool {
        self.times || self.follow || self.tail.is_some()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// Whether lines may be missing, because the node rotated the log (by default at 10 MiB) while the connection was
    /// broken.
    pub(crate) gap: bool,
    /// Whether the node no longer has all lines that were read of a followed log.
    pub(crate) cut: bool,
    /// Whether the last line of the log has no line break.
    pub(crate) unended: bool,
}

#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) error: Error,
    /// Whether a part of the log was read before.
    pub(crate) begun: bool,
}

/// The number of retries of an unreachable log after its container has ended: for about two minutes.
const MAX_FAILURES: u32 = 20;
/// The number of retries of a log that was readable before and is refused now: for about ten seconds. A server that has
/// just started may not know users, permissions or nodes yet, and a kubelet not its containers.
const MAX_REFUSALS: u32 = 6;
/// The number of retries of a log that is not followed and was never readable: for half a second.
const MAX_FAILURES_UNSEEN: u32 = 2;

/// A request that waited for a silent server counts as one failure for each second, up to this many.
const SLOW_COUNTS: u64 = 10;

/// The first pause before a log is resumed: after a broken connection, and after an orderly end.
const BROKEN: Duration = Duration::from_millis(100);
const CLOSED: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_millis(6400);

impl Cluster {
    /// Sends the lines of a log to `batches` until the log ends or the receiver is dropped. Takes turns with other logs
    /// in `streams`.
    ///
    /// When `ended` says that the container has ended, a followed log is read once more to its end: only such a read is
    /// known to be complete, because a closed connection looks like the end of a log. Until then it is retried after
    /// every failure of the server or the connection.
    ///
    /// # Errors The log is not readable: the container has not started, its Pod is gone, or permission is missing. Or
    /// the log broke and could not be resumed.
    pub(crate) async fn read_log(
        &self,
        source: &Arc<LogSource>,
        options: LogOptions,
        streams: &Streams,
        ended: &CancellationToken,
        batches: &mpsc::Sender<LogBatch>,
    ) -> Result<LogEnd, Lost> {
        let splitter = LineSplitter::new(Arc::clone(source), options);
        let mut reading = LogReader { cluster: self, splitter, batches, broke: false };
        let (mut tries, mut end) = (LogTries::default(), LogEnd::default());
        loop {
            let before = reading.splitter.handed;
            let turn = streams.take_turn().await;
            let begun = Instant::now();
            let follow = options.follow && !ended.is_cancelled();
            let came = if follow {
                reading.read(Some(ended), options.previous, &turn).await
            } else {
                reading.read_to_the_end(&turn, begun, tries.idle > 0).await
            };
            drop(turn);
            if matches!(came, Ok(ReadEnd::Ended)) {
                reading.splitter.resume();
                // The last read gets all retries.
                tries.failures = 0;
                continue;
            }
            tries.note_read(&came, before != reading.splitter.handed, reading.broke, begun.elapsed());
            if tries.served {
                streams.note_served();
            }
            // An orderly end is most likely the end of the log, which `ended` is about to report.
            let (first, wait) = match came {
                Ok(ReadEnd::NobodyListens | ReadEnd::Limit) => return Ok(end),
                Ok(ReadEnd::Whole) => {
                    end.gap |= reading.splitter.position.has_gap();
                    end.cut = options.follow && reading.is_cut().await;
                    end.unended = reading.splitter.added_break;
                    return Ok(end);
                }
                Ok(ReadEnd::FormerRun) => {
                    end.gap |= reading.read_former_run(streams).await;
                    continue;
                }
                Ok(ReadEnd::Yielded | ReadEnd::Silent | ReadEnd::Ended) => {
                    tries.idle = 0;
                    reading.splitter.resume();
                    continue;
                }
                Ok(ReadEnd::Closed { .. }) => (CLOSED, Duration::ZERO),
                Err(LogFailure { cause, error, wait }) => {
                    // A log that is not followed is retried only if this very log was readable before.
                    let known = tries.served || options.follow && streams.have_served();
                    if tries.failures > max_failures(cause, options.follow, follow, known) {
                        return Err(Lost { error, begun: reading.splitter.handed > 0 });
                    }
                    (BROKEN, wait)
                }
            };
            let pause = (first * (1 << tries.idle.min(6))).min(LONGEST).mul_f64(0.75 + fastrand::f64() / 2.0).max(wait);
            if follow {
                let _ = timeout(pause, ended.cancelled()).await;
            } else {
                // `ended` is set already, and must not shorten the pause.
                sleep(pause).await;
            }
            reading.splitter.resume();
        }
    }
}

/// Counts the requests for one log.
#[derive(Debug, Default)]
struct LogTries {
    /// The requests in a row that returned no line, and how many of them failed. A silent log may be closed any number
    /// of times.
    idle: u32,
    failures: u32,
    /// Whether the server has returned this log.
    served: bool,
}

impl LogTries {
    fn note_read(&mut self, came: &Result<ReadEnd, LogFailure>, progressed: bool, has_broken: bool, took: Duration) {
        self.idle = if progressed { 0 } else { self.idle + 1 };
        let count = u32::try_from(took.as_secs().clamp(1, SLOW_COUNTS)).unwrap_or(1);
        self.failures = if progressed || came.is_ok() { 0 } else { self.failures.saturating_add(count) };
        self.served |= came.is_ok() || progressed || has_broken;
    }
}

/// Returns how many failures in a row are retried. `known` says that the server has returned logs before.
fn max_failures(cause: LogFailureCause, to_follow: bool, follows: bool, known: bool) -> u32 {
    match cause {
        LogFailureCause::Connection | LogFailureCause::Server if follows => u32::MAX,
        LogFailureCause::Connection if to_follow => MAX_FAILURES,
        LogFailureCause::Server if to_follow => MAX_REFUSALS,
        LogFailureCause::Gone if !to_follow => 0,
        _ if known => MAX_REFUSALS,
        LogFailureCause::Connection | LogFailureCause::Server => MAX_FAILURES_UNSEEN,
        LogFailureCause::Forbidden | LogFailureCause::Refused | LogFailureCause::Gone => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_ends_a_followed_log_before_its_container() {
        for cause in [LogFailureCause::Connection, LogFailureCause::Server] {
            assert_eq!(max_failures(cause, true, true, false), u32::MAX);
            assert!(max_failures(cause, true, false, false) >= MAX_REFUSALS, "and it is read after the end");
            assert_eq!(
                (max_failures(cause, false, false, false), max_failures(cause, false, false, true)),
                (MAX_FAILURES_UNSEEN, MAX_REFUSALS)
            );
        }
        for cause in [LogFailureCause::Forbidden, LogFailureCause::Refused, LogFailureCause::Gone] {
            assert_eq!(max_failures(cause, true, true, false), 0);
            assert_eq!(max_failures(cause, true, true, true), MAX_REFUSALS, "a server that has just started");
        }
        assert_eq!(max_failures(LogFailureCause::Gone, false, false, true), 0);
    }
}
