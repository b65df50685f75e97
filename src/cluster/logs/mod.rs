//! The log of one container, in batches of whole lines, through cut connections.

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
    /// Which attempt of the index it is, from 1 on.
    pub(crate) attempt: u32,
    pub(crate) pod: String,
    /// Empty means the Pod's only container.
    pub(crate) container: String,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogOptions {
    /// Go on until the container ends.
    pub(crate) follow: bool,
    /// Tell of each line when it was written.
    pub(crate) times: bool,
    /// Read what the container wrote before it was last started again.
    pub(crate) previous: bool,
    pub(crate) tail: Option<i64>,
    /// Only what is not older; the server counts in whole seconds.
    pub(crate) since: Option<Timestamp>,
    /// Only so many bytes of the log.
    pub(crate) limit: Option<u64>,
}

impl LogOptions {
    /// Only by its time can a line be known again of a log that goes on; one that does not is known by its bytes.
    fn needs_times(self) -> bool {
        self.times || self.follow || self.tail.is_some()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// Whether lines may be missing: the node had put the log away (it is rotated at 10 MiB, unless the node is set up
    /// otherwise) while the connection was broken.
    pub(crate) gap: bool,
    /// Whether the node no longer has all that was read of a followed log.
    pub(crate) cut: bool,
    /// Whether the last line has no break in the log itself.
    pub(crate) unended: bool,
}

#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) error: Error,
    /// Whether some of it came before.
    pub(crate) begun: bool,
}

/// How often a log that can't be reached is asked for again after its container has ended: for about two minutes.
const MAX_FAILURES: u32 = 20;
/// How often a log is asked for again that was given before and is refused now, for some ten seconds: a server that has
/// just started may know neither users nor rights yet, nor the way to the node, and a kubelet not its containers.
const MAX_REFUSALS: u32 = 6;
/// How often a log is asked for again that nobody waits for and that never came: for half a second.
const MAX_FAILURES_UNSEEN: u32 = 2;

/// A request that failed after some seconds waited for a silent server, and counts as one for each second, up to so
/// many: nobody waits for ten such requests.
const SLOW_COUNTS: u64 = 10;

/// The first pause before a log is taken up again: after a broken connection, and after one that was closed in order.
const BROKEN: Duration = Duration::from_millis(100);
const CLOSED: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_millis(6400);

impl Cluster {
    /// Sends the lines of a log to `batches`; ends with the log, or when nobody receives them any more. It waits for
    /// its turn in `streams`, and lets others have theirs while it follows.
    ///
    /// A followed log is read once more to its end when `ended` says that its container writes no more. The server
    /// itself notices that up to a second later, and a connection that was closed looks the same as a log that ended:
    /// only what is read after the end is known to be all. Until then no failure of the server or of the way to it
    /// gives the log up.
    ///
    /// # Errors
    /// If the log can't be had: the container has not started, its Pod is gone, no permission; or if it broke and could
    /// not be taken up again.
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
                // The last read has all its tries.
                tries.failures = 0;
                continue;
            }
            tries.note_read(&came, before != reading.splitter.handed, reading.broke, begun.elapsed());
            if tries.served {
                streams.note_served();
            }
            // An end in order is most likely that of the log, which is about to be reported; else something broke.
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
                    // Of a log that is not followed only what this very log was is a reason to try again.
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
                // That it has ended is known already, and must not cut the pause short.
                sleep(pause).await;
            }
            reading.splitter.resume();
        }
    }
}

/// The requests for one log so far.
#[derive(Debug, Default)]
struct LogTries {
    /// How many in a row brought no line, and how many of these failed: a silent log may be closed for ever so often.
    idle: u32,
    failures: u32,
    /// Whether the server has given this log.
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

/// How many failures in a row of this cause are borne. `known` says that the server has given logs before.
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
    fn only_a_refusal_gives_a_followed_log_up_before_its_container_ends() {
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
