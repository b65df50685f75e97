//! The log of one container, line by line, through cut connections.

use futures::{AsyncBufRead, AsyncBufReadExt as _};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use tokio::sync::mpsc;
use tokio::time::{Duration, sleep};

use super::Cluster;
use super::connect::request_error;
use crate::error::{Error, Kind};
use crate::state::attempt::{Attempt, PodRecord};

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

/// How often a broken log is taken up again with nothing new read in between, before it is given up.
const TRIES: u32 = 8;

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

    /// Whether a line of that time is new.
    fn is_new(&mut self, time: Timestamp) -> bool {
        match self.last {
            Some(last) if time < last => false,
            Some(last) if time == last && self.to_skip > 0 => {
                self.to_skip -= 1;
                false
            }
            Some(last) if time == last => {
                self.at_last += 1;
                true
            }
            _ => {
                self.last = Some(time);
                self.at_last = 1;
                self.to_skip = 0;
                true
            }
        }
    }
}

impl Cluster {
    /// Sends the lines of a log to `lines`; ends with the log, or when nobody receives them any more.
    ///
    /// # Errors
    /// If the log can't be had: the container has not started, its Pod is gone, no permission; or if a followed log
    /// broke and could not be taken up again.
    pub(crate) async fn read_log(
        &self,
        source: &LogSource,
        options: LogOptions,
        lines: &mpsc::Sender<LogLine>,
    ) -> Result<(), Error> {
        let mut place = Place::default();
        let mut tries = 0;
        loop {
            let before = (place.last, place.at_last);
            let end = self.read_once(source, options, &mut place, lines).await;
            let progressed = before != (place.last, place.at_last);
            match end {
                Ok(End::Closed) if !options.follow => return Ok(()),
                Ok(End::Closed) if self.has_ended(source).await? => return Ok(()),
                Ok(End::NobodyListens) => return Ok(()),
                // A followed log outlives a server that restarts; what it will never give is an error at once.
                Err(error) if !options.follow || error.kind() != Kind::Unreachable || tries >= TRIES => {
                    return Err(error);
                }
                Ok(End::Closed) | Err(_) => {}
            }
            tries = if progressed { 0 } else { tries + 1 };
            if tries > TRIES {
                let message = format!("the log of pod {:?} breaks off again and again", source.pod);
                return Err(Error::new(Kind::Unreachable, message));
            }
            sleep(Duration::from_millis(100 << tries.min(6))).await;
            place.resume();
        }
    }

    async fn read_once(
        &self,
        source: &LogSource,
        options: LogOptions,
        place: &mut Place,
        lines: &mpsc::Sender<LogLine>,
    ) -> Result<End, Error> {
        let doing = format!("read the log of pod {:?} (index {})", source.pod, source.index);
        let failed = |error| request_error(&doing, &self.connection.server, error);
        let params = LogParams {
            container: source.container.clone(),
            follow: options.follow,
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
            }
            if options.follow
                && let Some((time, length)) = leading_time(&bytes)
            {
                if !place.is_new(time) {
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
        }
    }

    /// Whether the container of a log that was closed has really ended, and not the connection only.
    async fn has_ended(&self, source: &LogSource) -> Result<bool, Error> {
        let doing = format!("get pod {:?} in namespace {:?}", source.pod, self.namespace());
        match self.connection.timed(&doing, self.api::<PodRecord>().get_opt(&source.pod)).await {
            Ok(None) => Ok(true),
            Ok(Some(pod)) => {
                let named = |name: &str| source.container.as_deref().is_none_or(|container| container == name);
                let statuses = pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses);
                let mut states =
                    statuses.filter(|status| named(&status.name)).filter_map(|status| status.state.as_ref());
                Ok(Attempt::from_pod(&pod).is_some_and(|attempt| attempt.is_finished())
                    || states.any(|state| state.terminated.is_some()))
            }
            // Not known: the log is asked for again, and that answer counts.
            Err(error) if error.kind() == Kind::Unreachable => Ok(false),
            Err(error) => Err(error),
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
        assert!(place.is_new(first));
        assert!(place.is_new(second));
        assert!(place.is_new(second), "two lines of one time are two lines");
        place.resume();
        assert!(!place.is_new(first));
        assert!(!place.is_new(second));
        assert!(!place.is_new(second));
        assert!(place.is_new(second), "a third line of that time is new");
        assert!(place.is_new(time("2026-01-01T00:00:01Z")));
    }

    #[test]
    fn a_line_begins_with_its_time() {
        let line = b"2026-01-01T00:00:00.123456789Z foo bar";
        assert_eq!(leading_time(line), Some((time("2026-01-01T00:00:00.123456789Z"), 31)));
        assert_eq!(leading_time(b"foo bar"), None);
        assert_eq!(leading_time(b"2026-01-01T00:00:00Z "), Some((time("2026-01-01T00:00:00Z"), 21)));
    }
}
