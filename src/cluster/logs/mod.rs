//! The log of one container, in batches of whole lines, through cut connections.

mod batch;
mod place;
mod streams;

use std::sync::Arc;
use std::time::Instant;

use futures::AsyncBufReadExt as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Cluster;
use super::connect::request_error;
use crate::error::{Error, Kind};
pub(crate) use batch::LogBatch;
use batch::{Excuse, Splitter, Why};
pub(crate) use streams::Streams;
use streams::Turn;

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogSource {
    pub(crate) index: u32,
    /// Which attempt of the index it is, from 1 on.
    pub(crate) attempt: u32,
    pub(crate) pod: String,
    /// Empty means the Pod's only container.
    pub(crate) container: String,
}

/// How to read it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogOptions {
    /// Go on until the container ends.
    pub(crate) follow: bool,
    /// Tell of each line when it was written.
    pub(crate) times: bool,
    /// Read what the container wrote before it was last started again.
    pub(crate) previous: bool,
    /// Only this many of the last lines.
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

/// How the reading of a log came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogEnd {
    /// Whether lines may be missing: the node had put the log away (it is rotated at 10 MiB, unless the node is set up
    /// otherwise) while the connection was broken.
    pub(crate) gap: bool,
    /// Whether the last line has no break in the log itself.
    pub(crate) unended: bool,
}

/// A log that could not be read to its end.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) error: Error,
    /// Whether some of it came before.
    pub(crate) begun: bool,
}

/// How often a log is asked for again that can't be reached, before it is given up: for about two minutes.
const TRIES: u32 = 20;
/// How often a log is asked for again that was given before and is refused now, for some ten seconds: a server that has
/// just started may know neither users nor rights yet, nor the way to the node, and a kubelet not its containers.
const REFUSALS: u32 = 6;

/// The first pause before a log is taken up again: after a broken connection, and after one that was closed in order.
const BROKEN: Duration = Duration::from_millis(100);
const CLOSED: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_millis(6400);

/// A log read in one go is long if it takes more than this: an end may then be one of the way to the node.
const LONG: Duration = Duration::from_secs(1);

/// A log that is being read.
struct Reading<'a> {
    cluster: &'a Cluster,
    source: &'a Arc<LogSource>,
    options: LogOptions,
    splitter: Splitter,
    batches: &'a mpsc::Sender<LogBatch>,
    /// Whether the server began to give the log, and the connection broke then.
    broke: bool,
}

/// How one answer came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    /// Others wait for their turn.
    Yielded,
    /// The file that is printed now does not reach back to what was seen before.
    Gap,
    /// All was read that was asked for.
    Limit,
    NobodyListens,
}

impl Cluster {
    /// Sends the lines of a log to `batches`; ends with the log, or when nobody receives them any more. It waits for
    /// its turn in `streams`, and lets others have theirs while it follows.
    ///
    /// A followed log is read once more to its end when `ended` says that its container writes no more. The server
    /// itself notices that up to a second later, and a connection that was closed looks the same as a log that ended:
    /// only what is read after the end is known to be all.
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
        let splitter = Splitter::new(Arc::clone(source), options);
        let mut reading = Reading { cluster: self, source, options, splitter, batches, broke: false };
        let (mut idle, mut failures, mut served, mut end) = (0_u32, 0_u32, false, LogEnd::default());
        loop {
            let before = reading.splitter.progress();
            let turn = streams.turn().await;
            let begun = Instant::now();
            let follow = options.follow && !ended.is_cancelled();
            let came = if follow {
                tokio::select! {
                    came = reading.once(true, options.previous, &turn) => came,
                    () = ended.cancelled() => {
                        reading.splitter.resume();
                        continue;
                    }
                }
            } else {
                reading.once(false, options.previous, &turn).await
            };
            drop(turn);
            let progressed = before != reading.splitter.progress();
            // A silent log may be closed for ever so often, and taken up again; only errors in a row are too many.
            idle = if progressed { 0 } else { idle + 1 };
            failures = if progressed || came.is_ok() { 0 } else { failures + 1 };
            served |= came.is_ok() || progressed || reading.broke;
            if served {
                streams.note_served();
            }
            // Of a log that is not followed only what this very log was is told by another try.
            let known = served || options.follow && streams.have_served();
            match came {
                Ok(End::NobodyListens | End::Limit) => return Ok(end),
                Ok(End::Gap) => {
                    end.gap |= reading.catch_up(streams).await;
                    continue;
                }
                Ok(End::Yielded) => {
                    idle = 0;
                    reading.splitter.resume();
                    continue;
                }
                Ok(End::Closed) if !follow => {
                    if begun.elapsed() < LONG || idle > 0 || !reading.is_cut_short().await {
                        end.gap |= reading.splitter.has_gap();
                        end.unended = reading.splitter.has_added_break();
                        return Ok(end);
                    }
                }
                // A log outlives a server that restarts; what it will never give is an error at once.
                Err(error) if failures > options.patience(error.kind(), known) => {
                    return Err(Lost { error, begun: reading.splitter.progress() > 0 });
                }
                Ok(End::Closed) | Err(_) => {}
            }
            // A log that was closed in order has most likely ended, which is about to be told; else something broke.
            let first = if matches!(came, Ok(End::Closed)) && follow { CLOSED } else { BROKEN };
            let pause = (first * (1 << idle.min(6))).min(LONGEST).mul_f64(0.75 + fastrand::f64() / 2.0);
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

impl LogOptions {
    /// How often in a row such an error is borne. `known` tells that the server has given logs before.
    fn patience(self, kind: Kind, known: bool) -> u32 {
        match kind {
            Kind::Unreachable if self.follow => TRIES,
            Kind::Unreachable | Kind::Forbidden | Kind::Failed if known => REFUSALS,
            Kind::NotFound if known && self.follow => REFUSALS,
            _ => 0,
        }
    }
}

/// Whether a node has answered that it knows no such Pod, while the API server does: its kubelet has just started.
fn is_new_kubelet(error: &kube::Error) -> bool {
    let kube::Error::Api(status) = error else { return false };
    // Of a Pod that it does not know itself the API server says that there is no such thing among `pods`.
    status.code == 404 && status.details.as_ref().is_some_and(|details| details.kind == "pods/log")
}

impl Reading<'_> {
    fn doing(&self) -> String {
        format!("read the log of pod {:?} (index {})", self.source.pod, self.source.index)
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

    /// Reads what one request gives.
    async fn once(&mut self, follow: bool, previous: bool, turn: &Turn<'_>) -> Result<End, Error> {
        let params = self.params(follow, previous);
        let doing = self.doing();
        let failed = |error| {
            let new = is_new_kubelet(&error);
            let error = request_error(&doing, &self.cluster.connection.server, error);
            if new { Error::new(Kind::Unreachable, error.to_string()) } else { error }
        };
        let stream = self.cluster.api::<Pod>().log_stream(&self.source.pod, &params).await.map_err(failed)?;
        let mut stream = std::pin::pin!(stream);
        loop {
            let came = if follow {
                let Some(came) = turn.or_over(stream.fill_buf()).await else { return Ok(End::Yielded) };
                came
            } else {
                stream.fill_buf().await
            };
            let bytes = match came {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.broke = true;
                    let message = format!("can't {doing}: the connection was closed");
                    return Err(Error::new(Kind::Unreachable, message).caused_by(error));
                }
            };
            // Nothing is noted as seen before it is handed on: reading may be cut off while it waits for that.
            let Ok(permit) = self.batches.reserve().await else { return Ok(End::NobodyListens) };
            if bytes.is_empty() {
                if let Some(Excuse { why, text }) = self.splitter.excuse() {
                    let kind = match why {
                        // It is asked again later, as often as it takes.
                        Why::CannotWait => return Ok(End::Closed),
                        Why::Gone => Kind::NotFound,
                        Why::Runtime => Kind::Unreachable,
                        Why::Unreadable => Kind::Failed,
                    };
                    return Err(Error::new(kind, format!("can't {doing}: {text}")));
                }
                // A line that has no end is the last one, or the connection ended within: it is read again as a whole.
                if !follow && let Some(batch) = self.splitter.finish() {
                    permit.send(batch);
                }
                return Ok(End::Closed);
            }
            let length = bytes.len();
            let batch = self.splitter.feed(bytes);
            stream.consume_unpin(length);
            if let Some(batch) = batch {
                permit.send(batch);
            }
            if self.splitter.is_full() {
                return Ok(End::Limit);
            }
            if self.splitter.needs_former_file() {
                return Ok(End::Gap);
            }
        }
    }

    /// Reads the rest of what the container wrote before it was started again, if that is why the log that comes now
    /// does not reach back; true if lines may be missing of that.
    async fn catch_up(&mut self, streams: &Streams) -> bool {
        self.splitter.resume();
        self.splitter.look_for_former_file(false);
        let turn = streams.turn().await;
        let former = self.once(false, true, &turn).await;
        if former.is_err() {
            // There was none: the file was rotated, and begins wherever it does.
            self.splitter.resume();
            return false;
        }
        let gap = self.splitter.has_gap();
        self.splitter.resume_in_next();
        self.splitter.look_for_former_file(true);
        gap
    }

    /// Whether a log that came to its end goes on: the last line of the file is another than the last one that came.
    async fn is_cut_short(&self) -> bool {
        let params = LogParams { tail_lines: Some(1), limit_bytes: None, ..self.params(false, self.options.previous) };
        let last = self.cluster.api::<Pod>().logs(&self.source.pod, &params).await;
        last.is_ok_and(|last| !self.splitter.ends_with(last.as_bytes()))
    }
}
