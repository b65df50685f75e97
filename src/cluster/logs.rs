//! The log of one container, line by line, through cut connections.

use futures::{AsyncBufRead, AsyncBufReadExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Cluster;
use super::connect::request_error;
use crate::error::{Error, Kind};

/// What to read.
#[derive(Clone, Debug)]
pub(crate) struct LogSource {
    pub(crate) index: u32,
    pub(crate) pod: String,
    /// None reads the Pod's only container.
    pub(crate) container: Option<String>,
}

/// How to read it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LogOptions {
    /// Go on until the container ends.
    pub(crate) follow: bool,
    /// Begin each line with the time at which it was written.
    pub(crate) timestamps: bool,
    /// Only this many of the last lines.
    pub(crate) tail: Option<i64>,
}

/// One line, without its line break. Any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogLine {
    pub(crate) index: u32,
    pub(crate) pod: String,
    pub(crate) container: String,
    pub(crate) bytes: Vec<u8>,
}

/// How often a log is asked for again that can't be reached, before it is given up: for about two minutes.
const TRIES: u32 = 20;
/// How often a log is asked for again that was given before and is refused now: a server that has just started may know
/// neither users nor rights yet, nor the way to the node.
const REFUSALS: u32 = 6;

/// How often in a row such an error is borne.
fn patience(kind: Kind, served: bool) -> u32 {
    match kind {
        Kind::Unreachable => TRIES,
        Kind::Forbidden | Kind::Failed if served => REFUSALS,
        _ => 0,
    }
}

/// The first pause before a log is taken up again: after a broken connection, and after one that was closed in order.
const BROKEN: Duration = Duration::from_millis(100);
const CLOSED: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_millis(6400);

/// Where a log that broke is to be taken up again.
///
/// The server rounds the time from which it prints to whole seconds, so lines come twice; they are told by their own
/// times, which have nanoseconds, and by how many of one time have been seen.
#[derive(Debug, Default)]
struct Place {
    last: Option<Timestamp>,
    at_last: usize,
    /// How many lines of `last` are still to be passed over.
    to_skip: usize,
}

impl Place {
    fn resume(&mut self) {
        self.to_skip = self.at_last;
    }

    /// Whether a line of that time has been seen before.
    fn has_seen(&mut self, time: Timestamp) -> bool {
        match self.last {
            Some(last) if time < last => true,
            Some(last) if time == last && self.to_skip > 0 => {
                self.to_skip -= 1;
                true
            }
            _ => false,
        }
    }

    /// Notes a line that was handed on. Not before: reading may be cut off while it waits to be taken.
    fn note(&mut self, time: Timestamp) {
        if self.last == Some(time) {
            self.at_last += 1;
        } else {
            *self = Self { last: Some(time), at_last: 1, to_skip: 0 };
        }
    }
}

impl Cluster {
    /// Sends the lines of a log to `lines`; ends with the log, or when nobody receives them any more.
    ///
    /// A followed log is read once more to its end when `ended` says that its container writes no more. The server
    /// itself notices that up to a second later, and a connection that was closed looks the same as a log that ended:
    /// only what is read after the end is known to be all.
    ///
    /// # Errors
    /// If the log can't be had: the container has not started, its Pod is gone, no permission; or if a followed log
    /// broke and could not be taken up again.
    pub(crate) async fn read_log(
        &self,
        source: &LogSource,
        options: LogOptions,
        ended: &CancellationToken,
        lines: &mpsc::Sender<LogLine>,
    ) -> Result<(), Error> {
        let mut place = Place::default();
        let (mut tries, mut served) = (0, false);
        loop {
            let before = (place.last, place.at_last);
            let follow = options.follow && !ended.is_cancelled();
            let end = if follow {
                tokio::select! {
                    end = self.read_once(source, options, follow, &mut place, lines) => end,
                    () = ended.cancelled() => {
                        place.resume();
                        continue;
                    }
                }
            } else {
                self.read_once(source, options, follow, &mut place, lines).await
            };
            let progressed = before != (place.last, place.at_last);
            tries = if progressed { 0 } else { tries + 1 };
            let closed = matches!(end, Ok(End::Closed));
            served |= closed || progressed;
            match end {
                Ok(End::NobodyListens) => return Ok(()),
                Ok(End::Closed) if !follow => return Ok(()),
                // A log outlives a server that restarts; what it will never give is an error at once.
                Err(error) if !options.follow || tries > patience(error.kind(), served) => return Err(error),
                Ok(End::Closed) | Err(_) => {}
            }
            // A log that was closed in order has most likely ended, which is about to be told; else something broke.
            let first = if closed { CLOSED } else { BROKEN };
            let pause = (first * (1 << tries.min(6))).min(LONGEST).mul_f64(0.75 + fastrand::f64() / 2.0);
            if follow {
                let _ = timeout(pause, ended.cancelled()).await;
            } else {
                // That it has ended is known already, and must not cut the pause short.
                sleep(pause).await;
            }
            place.resume();
        }
    }

    async fn read_once(
        &self,
        source: &LogSource,
        options: LogOptions,
        follow: bool,
        place: &mut Place,
        lines: &mpsc::Sender<LogLine>,
    ) -> Result<End, Error> {
        let doing = format!("read the log of pod {:?} (index {})", source.pod, source.index);
        let failed = |error| request_error(&doing, &self.connection.server, error);
        let params = LogParams {
            container: source.container.clone(),
            follow,
            // Only by its time can a line be known again.
            timestamps: options.timestamps || options.follow,
            tail_lines: options.tail.filter(|_| place.last.is_none()),
            // The client rounds to the nearest second, which may lie ahead.
            since_time: place.last.and_then(|last| Timestamp::from_second(last.as_second()).ok()),
            ..LogParams::default()
        };
        let stream = self.api::<Pod>().log_stream(&source.pod, &params).await.map_err(failed)?;
        let mut stream = std::pin::pin!(stream);
        loop {
            let mut bytes = Vec::new();
            if let Err(error) = read_line(&mut stream, &mut bytes).await {
                return Err(
                    Error::new(Kind::Unreachable, format!("can't {doing}: the connection was closed")).caused_by(error)
                );
            }
            if bytes.is_empty() {
                return Ok(End::Closed);
            }
            if bytes.ends_with(b"\n") {
                bytes.pop();
            } else if follow {
                // The connection ended within a line, or the last line of all has no end: it is read again as a whole.
                return Ok(End::Closed);
            }
            let time = if options.follow { leading_time(&bytes) } else { None };
            if let Some((time, length)) = time {
                if place.has_seen(time) {
                    continue;
                }
                if !options.timestamps {
                    bytes.drain(..length);
                }
            }
            let line = LogLine {
                index: source.index,
                pod: source.pod.clone(),
                container: source.container.clone().unwrap_or_default(),
                bytes,
            };
            if lines.send(line).await.is_err() {
                return Ok(End::NobodyListens);
            }
            if let Some((time, _)) = time {
                place.note(time);
            }
        }
    }
}

/// How reading came to an end.
enum End {
    Closed,
    NobodyListens,
}

async fn read_line(stream: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> std::io::Result<usize> {
    stream.read_until(b'\n', line).await
}

/// The time at the start of a line, and how many bytes it takes with the blank behind it.
fn leading_time(line: &[u8]) -> Option<(Timestamp, usize)> {
    let length = line.iter().take(64).position(|&byte| byte == b' ')?;
    let time = std::str::from_utf8(&line[..length]).ok()?.parse().ok()?;
    Some((time, length + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_log_taken_up_again_passes_over_what_was_seen() {
        let (first, second) = (time("2026-01-01T00:00:00.5Z"), time("2026-01-01T00:00:00.7Z"));
        let mut place = Place::default();
        let is_new = |place: &mut Place, time| {
            let new = !place.has_seen(time);
            if new {
                place.note(time);
            }
            new
        };
        assert!(is_new(&mut place, first));
        assert!(is_new(&mut place, second));
        assert!(is_new(&mut place, second), "two lines of one time are two lines");
        place.resume();
        assert!(!is_new(&mut place, first));
        assert!(!is_new(&mut place, second));
        assert!(!is_new(&mut place, second));
        assert!(is_new(&mut place, second), "a third line of that time is new");
        assert!(is_new(&mut place, time("2026-01-01T00:00:01Z")));
    }

    #[test]
    fn a_line_begins_with_its_time() {
        let line = b"2026-01-01T00:00:00.123456789Z foo bar";
        assert_eq!(leading_time(line), Some((time("2026-01-01T00:00:00.123456789Z"), 31)));
        assert_eq!(leading_time(b"foo bar"), None);
        assert_eq!(leading_time(b"2026-01-01T00:00:00Z "), Some((time("2026-01-01T00:00:00Z"), 21)));
    }
}
