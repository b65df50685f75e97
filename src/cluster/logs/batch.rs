//! Splits the bytes of an answer into batches of lines.

use std::sync::Arc;

use jiff::Timestamp;

use super::position::LogPosition;
use super::{LogOptions, LogSource};

/// Complete lines of one log, each with its line break. They may hold any bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogBatch {
    pub(crate) source: Arc<LogSource>,
    pub(crate) bytes: Vec<u8>,
    /// When each line was written; empty if not requested.
    pub(crate) times: Vec<Timestamp>,
}

impl LogBatch {
    /// Returns the lines without their breaks, each with its time if that is known.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (Option<Timestamp>, &[u8])> {
        let mut times = self.times.iter().copied();
        whole_lines(&self.bytes).map(move |line| (times.next(), line))
    }
}

fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr_iter(b'\n', bytes).scan(0, |start, end| Some(&bytes[std::mem::replace(start, end + 1)..end]))
}

/// Splits bytes into lines, and skips lines that were seen before.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact that stands alone")]
pub(super) struct LineSplitter {
    pub(super) source: Arc<LogSource>,
    pub(super) options: LogOptions,
    timed: bool,
    /// The start of an incomplete line.
    begun: Vec<u8>,
    pub(super) position: LogPosition,
    /// For a log without times: the number of bytes already emitted, and how many of them are still to skip.
    taken: u64,
    skipping: u64,
    /// The number of emitted bytes.
    pub(super) handed: u64,
    /// The time of the first line of the container's current run.
    pub(super) first: Option<Timestamp>,
    /// The end of the last line, to recognise it.
    last: Vec<u8>,
    /// Whether to read the container's former run if a file begins after the lines already seen, and whether such a
    /// file came.
    pub(super) wants_former_run: bool,
    pub(super) needs_former_run: bool,
    /// Whether the last line lacked a line break.
    pub(super) added_break: bool,
}

/// The number of bytes of a line that are kept to recognise it.
const KEPT: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExcuseKind {
    Gone,
    /// The node has the log, but can't follow it.
    CannotWait,
    /// The container runtime did not answer, and may later.
    Runtime,
    Unreadable,
}

/// The start of an error message in a log, and a text within it. The kubelet (`GetContainerLogs`, `ReadLogs`) starts
/// its answer before it finds the container, so its errors come as the last bytes of the log.
const EXCUSES: [(&str, &str, ExcuseKind); 11] = [
    ("unable to retrieve container logs for ", "", ExcuseKind::Gone),
    ("failed to try resolving symlinks in path \"", "", ExcuseKind::Gone),
    ("failed to open log file \"", "", ExcuseKind::Gone),
    // The limits of inotify on the node are used up.
    ("failed to create fsnotify watcher: ", "", ExcuseKind::CannotWait),
    ("failed to watch directory \"", "", ExcuseKind::CannotWait),
    ("rpc error: code = ", " desc = ", ExcuseKind::Runtime),
    ("failed to tail ", " lines of log file \"", ExcuseKind::Unreadable),
    ("failed to seek ", " in log file \"", ExcuseKind::Unreadable),
    ("failed to read log file \"", "", ExcuseKind::Unreadable),
    ("failed to reset seek in log file \"", "", ExcuseKind::Unreadable),
    ("failed to get parse function: ", "", ExcuseKind::Unreadable),
];

impl LineSplitter {
    pub(super) fn new(source: Arc<LogSource>, options: LogOptions) -> Self {
        let (timed, wants_former_run) = (options.needs_times(), options.follow);
        Self { source, options, timed, wants_former_run, ..Self::default() }
    }

    pub(super) fn resume(&mut self) {
        self.begun = Vec::new();
        self.needs_former_run = false;
        self.added_break = false;
        self.position.resume();
        self.skipping = self.taken;
    }

    /// Prepares for the container's next run.
    pub(super) fn resume_in_next(&mut self) {
        self.begun = Vec::new();
        self.first = None;
        self.position.resume_in_next();
    }

    /// Whether no byte of the log has come so far.
    pub(super) fn is_empty_log(&self) -> bool {
        self.handed == 0 && self.begun.is_empty()
    }

    /// Whether the repeated log has not reached the last line seen yet.
    pub(super) fn is_behind_resume_point(&self) -> bool {
        self.skipping > 0 || self.position.is_skipping()
    }

    pub(super) fn is_full(&self) -> bool {
        self.options.limit.is_some_and(|limit| self.handed >= limit)
    }

    /// Whether this is the last line, with or without its break.
    pub(super) fn ends_with(&self, line: &[u8]) -> bool {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let last = if self.begun.is_empty() { &self.last } else { &self.begun };
        line_end(last) == line_end(line)
    }

    /// Returns the lines that these bytes complete; `None` if there are none.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<LogBatch> {
        if !self.timed {
            return self.feed_plain(bytes);
        }
        let Some(end) = memchr::memrchr(b'\n', bytes) else {
            self.begun.extend_from_slice(bytes);
            return None;
        };
        let mut batch = self.new_batch(bytes.len() + self.begun.len());
        let mut rest = &bytes[..=end];
        if !self.begun.is_empty() {
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let mut line = std::mem::take(&mut self.begun);
            line.extend_from_slice(&rest[..end - 1]);
            rest = &rest[end..];
            self.add_line(&line, &mut batch);
        }
        for line in whole_lines(rest) {
            // The following lines belong to another file.
            if self.needs_former_run || self.is_full() {
                break;
            }
            self.add_line(line, &mut batch);
        }
        self.begun.extend_from_slice(&bytes[end + 1..]);
        (!batch.bytes.is_empty()).then_some(batch)
    }

    /// Returns the node's error message instead of a log or of its rest. Unlike a container's lines it has no line
    /// break.
    pub(super) fn excuse(&self) -> Option<(ExcuseKind, &str)> {
        let text = std::str::from_utf8(&self.begun).ok()?;
        // Programs print such messages, too. Only with times are those told from the node's.
        let said = EXCUSES.iter().find(|(start, within, why)| {
            (self.timed || *why != ExcuseKind::Runtime) && text.starts_with(start) && text.contains(within)
        });
        said.map(|(.., why)| (*why, text))
    }

    /// Returns an incomplete last line; `None` if there is none.
    pub(super) fn finish(&mut self) -> Option<LogBatch> {
        let line = std::mem::take(&mut self.begun);
        if line.is_empty() || self.is_full() {
            return None;
        }
        let mut batch = self.new_batch(line.len() + 1);
        self.added_break = true;
        if self.timed {
            self.add_line(&line, &mut batch);
        } else {
            self.taken += line.len() as u64;
            self.keep_last(&line);
            batch.bytes = line;
            self.close_line(&mut batch, 0);
        }
        (!batch.bytes.is_empty()).then_some(batch)
    }

    /// Splits a log without times, and skips bytes that were emitted before.
    fn feed_plain(&mut self, bytes: &[u8]) -> Option<LogBatch> {
        let known = usize::try_from(self.skipping).unwrap_or(usize::MAX).min(bytes.len());
        self.skipping -= known as u64;
        let bytes = &bytes[known..];
        let Some(end) = memchr::memrchr(b'\n', bytes) else {
            self.begun.extend_from_slice(bytes);
            return None;
        };
        let mut batch = self.new_batch(0);
        let mut whole = std::mem::take(&mut self.begun);
        whole.extend_from_slice(&bytes[..=end]);
        self.begun.extend_from_slice(&bytes[end + 1..]);
        self.taken += whole.len() as u64;
        let lines = &whole[..whole.len() - 1];
        let start = memchr::memrchr(b'\n', lines).map_or(0, |start| start + 1);
        self.keep_last(&lines[start..]);
        batch.bytes = whole;
        self.close_line(&mut batch, 0);
        Some(batch)
    }

    fn new_batch(&self, capacity: usize) -> LogBatch {
        LogBatch { source: Arc::clone(&self.source), bytes: Vec::with_capacity(capacity), times: Vec::new() }
    }

    /// Adds a line without its break, unless it was seen before.
    fn add_line(&mut self, line: &[u8], batch: &mut LogBatch) {
        let (time, text) = match leading_time(line) {
            Some((time, length)) => (Some(time), &line[length..]),
            // A line without a time is a message of the kubelet, not of the container.
            None => (None, line),
        };
        if self.wants_former_run && time.is_some_and(|time| self.position.is_behind(time)) {
            self.needs_former_run = true;
            return;
        }
        if time.is_some_and(|time| !self.position.is_new(time)) {
            return;
        }
        self.first = self.first.or(time);
        self.keep_last(line);
        let from = batch.bytes.len();
        batch.bytes.extend_from_slice(text);
        self.close_line(batch, from);
        if self.options.times
            && let Some(time) = time.or(batch.times.last().copied())
        {
            batch.times.push(time);
        }
    }

    /// Ends the last line, and cuts the batch at the limit.
    fn close_line(&mut self, batch: &mut LogBatch, from: usize) {
        if !batch.bytes[from..].ends_with(b"\n") {
            batch.bytes.push(b'\n');
        }
        let left = self.options.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.handed));
        let kept = usize::try_from(left).unwrap_or(usize::MAX).min(batch.bytes.len() - from);
        batch.bytes.truncate(from + kept);
        self.handed += kept as u64;
        if kept > 0 && !batch.bytes.ends_with(b"\n") {
            batch.bytes.push(b'\n');
        }
    }

    fn keep_last(&mut self, line: &[u8]) {
        self.last.clear();
        self.last.extend_from_slice(line_end(line));
    }
}

fn line_end(line: &[u8]) -> &[u8] {
    &line[line.len().saturating_sub(KEPT)..]
}

/// Whether a line requested with its time is this text behind a time, so that a container wrote it.
pub(super) fn is_line_of_container(line: &[u8], text: &str) -> bool {
    leading_time(line).is_some_and(|(_, length)| line[length..] == *text.as_bytes())
}

/// Returns the time at the start of a line, and its length including the blank.
pub(super) fn leading_time(line: &[u8]) -> Option<(Timestamp, usize)> {
    let length = memchr::memchr(b' ', &line[..line.len().min(64)])?;
    let time = std::str::from_utf8(&line[..length]).ok()?.parse().ok()?;
    Some((time, length + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn splitter(options: LogOptions) -> LineSplitter {
        let source = LogSource { index: 0, attempt: 1, pod: String::new(), container: String::new() };
        LineSplitter::new(Arc::new(source), options)
    }

    fn text(batches: impl IntoIterator<Item = LogBatch>) -> String {
        batches.into_iter().map(|batch| String::from_utf8(batch.bytes).unwrap()).collect()
    }

    #[test]
    fn a_line_begins_with_its_time() {
        let line = b"2026-01-01T00:00:00.123456789Z foo bar";
        let time = "2026-01-01T00:00:00.123456789Z".parse().unwrap();
        assert_eq!(leading_time(line), Some((time, 31)));
        assert_eq!(leading_time(b"foo bar"), None);
        assert_eq!(leading_time(b"2026-01-01T00:00:00Z ").unwrap().1, 21);
    }

    #[test]
    fn a_limit_cuts_within_a_line() {
        for follow in [false, true] {
            let mut splitter = splitter(LogOptions { limit: Some(6), follow, ..LogOptions::default() });
            let lines: &[u8] = if follow {
                b"2026-01-01T00:00:00.1Z one\n2026-01-01T00:00:00.2Z two\n2026-01-01T00:00:00.3Z three\n"
            } else {
                b"one\ntw"
            };
            let batches: Vec<_> = splitter.feed(lines).into_iter().chain(splitter.finish()).collect();
            assert_eq!(text(batches), "one\ntw\n", "follow {follow}");
            assert!(splitter.is_full());
        }
    }

    #[test]
    fn a_line_without_an_end_gets_one() {
        let mut splitter = splitter(LogOptions::default());
        assert_eq!(text(splitter.feed(b"one\ntwo")), "one\n");
        assert_eq!(text(splitter.finish()), "two\n");
        assert!(splitter.ends_with(b"two\n"));
    }

    #[test]
    fn an_error_message_of_the_node_is_not_a_line() {
        let excuses = [
            ("unable to retrieve container logs for containerd://0123", ExcuseKind::Gone),
            (
                r#"failed to try resolving symlinks in path "/var/log/0.log": lstat /var: no such file"#,
                ExcuseKind::Gone,
            ),
            ("failed to create fsnotify watcher: too many open files", ExcuseKind::CannotWait),
            (r#"failed to tail 3 lines of log file "/var/log/0.log": input/output error"#, ExcuseKind::Unreadable),
        ];
        for times in [false, true] {
            for (text_of_node, why) in excuses {
                let mut splitter = splitter(LogOptions { times, ..LogOptions::default() });
                assert_eq!(text(splitter.feed(text_of_node.as_bytes())), "");
                assert_eq!(splitter.excuse(), Some((why, text_of_node)));
                splitter.resume();
                splitter.feed(format!("{text_of_node}\n").as_bytes());
                assert_eq!(splitter.excuse(), None, "a container may write so");
            }
            let mut splitter = splitter(LogOptions { times, ..LogOptions::default() });
            splitter.feed(b"rpc error: code = Unavailable desc = connection refused");
            assert_eq!(splitter.excuse().map(|excuse| excuse.0), times.then_some(ExcuseKind::Runtime));
            splitter.resume();
            splitter.feed(b"failed to tail a cat");
            assert_eq!(splitter.excuse(), None);
        }
    }

    proptest! {
        /// Every line comes once, however the answers are split and wherever they break.
        #[test]
        fn every_byte_comes_once(
            lines in prop::collection::vec("[a-c ]{0,9}", 0..30),
            cuts in prop::collection::vec((0_usize..400, 1_usize..40), 0..8),
            timed in any::<bool>(),
        ) {
            let line = |(number, line): (usize, &String)| {
                let time = format!("2026-01-01T00:00:{:02}.{:09}Z ", number / 7, number % 7);
                format!("{}{line}\n", if timed { time.as_str() } else { "" })
            };
            let printed: Vec<String> = lines.iter().enumerate().map(line).collect();
            let mut splitter = splitter(LogOptions { times: timed, ..LogOptions::default() });
            let mut got = Vec::new();
            for (end, step) in cuts.into_iter().map(|(end, step)| (Some(end), step)).chain([(None, 1000)]) {
                // The server prints from a second on.
                let from = splitter.position.since().map_or(0, |second| {
                    let begin: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
                    usize::try_from((second - begin.as_second()).max(0)).unwrap() * 7
                });
                let answer = printed[from.min(printed.len())..].concat();
                let broken = &answer[..end.unwrap_or(usize::MAX).min(answer.len())];
                got.extend(broken.as_bytes().chunks(step).filter_map(|piece| splitter.feed(piece)));
                if end.is_none() {
                    got.extend(splitter.finish());
                } else {
                    splitter.resume();
                }
            }
            prop_assert!(got.iter().all(|batch| batch.lines().count() == batch.times.len() || !timed));
            prop_assert!(!splitter.position.has_gap());
            prop_assert_eq!(text(got), lines.iter().map(|line| line.clone() + "\n").collect::<String>());
        }
    }
}
