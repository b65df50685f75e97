//! Holds logs until their turn to be printed, each in its own lane: in memory up to a limit, else in an unnamed temporary
//! file.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::print::LogPrinter;
use crate::cluster::logs::{LogBatch, LogSource};
use crate::ui::Ui;

/// Limit of bytes that wait in memory, for all logs together.
const IN_MEMORY: usize = 16 * 1024 * 1024;
/// In time order: how long a followed log may be silent before the others are printed without it.
const LONGEST_SILENCE: Duration = Duration::from_secs(1);
/// In time order: the same for a log without any line yet.
const LONGEST_START: Duration = Duration::from_secs(5);

/// The place of a log in index order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) index: u32,
    pub(crate) attempt: u32,
    /// The place of the container within the Pod.
    pub(crate) container: usize,
}

#[derive(Debug, Default)]
struct LaneStore {
    lanes: BTreeMap<LaneKey, Lane>,
    /// In time order: the lanes whose next line is known, by its time; and the other lanes, by the time before which they
    /// have no line.
    heads: BTreeSet<(Timestamp, LaneKey)>,
    headless: BTreeSet<(Timestamp, LaneKey)>,
    in_memory: usize,
    file: Option<File>,
    /// The end of the file, and the number of its batches that are not printed yet.
    end: u64,
    stored: usize,
}

#[derive(Debug)]
struct Lane {
    waiting: VecDeque<WaitingBatch>,
    /// The batch that is being printed, and the number of its printed lines.
    begun: Option<(LogBatch, usize)>,
    ended: bool,
    /// When lines came last, and whether any came.
    last: Instant,
    has_lines: bool,
}

#[derive(Debug)]
enum WaitingBatch {
    Memory(LogBatch),
    File { source: Arc<LogSource>, offset: u64, lines: usize, bytes: usize },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    store: Arc<Mutex<LaneStore>>,
    pub(crate) news: Arc<Notify>,
}

impl Lanes {
    fn with_store<T>(&self, act: impl FnOnce(&mut LaneStore) -> T) -> T {
        act(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens a lane for a log. No line of it is older than `not_before`.
    pub(crate) fn open(&self, key: LaneKey, not_before: Option<Timestamp>) {
        let lane = Lane { waiting: VecDeque::new(), begun: None, ended: false, last: Instant::now(), has_lines: false };
        self.with_store(|store| {
            store.lanes.insert(key, lane);
            store.headless.insert((not_before.unwrap_or(Timestamp::MIN), key));
        });
    }

    fn push(&self, key: LaneKey, batch: LogBatch) -> io::Result<()> {
        let pushed = self.with_store(|store| store.push(key, batch));
        self.news.notify_one();
        pushed
    }

    fn close(&self, key: LaneKey) {
        self.with_store(|store| {
            if let Some(lane) = store.lanes.get_mut(&key) {
                lane.ended = true;
            }
        });
        self.news.notify_one();
    }

    /// Moves the batches of a log into its lane until the log ends.
    pub(crate) async fn fill(&self, key: LaneKey, mut batches: mpsc::Receiver<LogBatch>) -> io::Result<()> {
        while let Some(batch) = batches.recv().await {
            self.push(key, batch)?;
        }
        self.close(key);
        Ok(())
    }

    pub(crate) fn are_empty(&self) -> bool {
        self.with_store(|store| store.lanes.is_empty())
    }

    /// Prints the waiting lines of one index, in order. Returns whether all its opened logs have ended.
    pub(crate) fn print_index(&self, index: u32, printer: &mut LogPrinter, ui: &mut Ui) -> Result<bool> {
        let first = LaneKey { index, attempt: 0, container: 0 };
        let last = LaneKey { index, attempt: u32::MAX, container: usize::MAX };
        loop {
            let front = self.with_store(|store| store.lanes.range(first..=last).next().map(|(key, _)| *key));
            let Some(key) = front else { return Ok(true) };
            while let Some(batch) = self.with_store(|store| store.pop(key))? {
                printer.print_batch(&batch, ui)?;
            }
            // A later attempt of the index waits for the one before it.
            if !self.with_store(|store| store.close_if_done(key)) {
                return Ok(false);
            }
        }
    }

    /// Prints the lines that are ready, in the order of their times. For followed logs, `turn` is how long a log may wait
    /// until it is read. A line waits for others for about that time and a second.
    pub(crate) fn print_by_time(&self, turn: Option<Duration>, printer: &mut LogPrinter, ui: &mut Ui) -> Result<()> {
        let now = Instant::now();
        loop {
            let ready = self.with_store(|store| store.next_by_time(now, turn))?;
            let Some(ReadyLines { key, batch, from, until }) = ready else { return Ok(()) };
            let mut position = from;
            for (time, line) in batch.lines().skip(from) {
                if position > from && until.is_some_and(|until| time.is_some_and(|time| time > until)) {
                    break;
                }
                printer.print_lines(&batch.source, [(time, line)], ui)?;
                position += 1;
            }
            self.with_store(|store| store.put_back(key, batch, position));
        }
    }
}

/// Lines of one lane that are older than those of all other lanes.
struct ReadyLines {
    key: LaneKey,
    batch: LogBatch,
    /// The number of lines of the batch that are printed.
    from: usize,
    /// The time up to which lines are printed before another lane's turn.
    until: Option<Timestamp>,
}

impl LaneStore {
    fn push(&mut self, key: LaneKey, batch: LogBatch) -> io::Result<()> {
        let held = if self.in_memory + batch.bytes.len() <= IN_MEMORY {
            self.in_memory += batch.bytes.len();
            WaitingBatch::Memory(batch)
        } else {
            self.store(batch)?
        };
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.waiting.push_back(held);
            lane.last = Instant::now();
            lane.has_lines = true;
        }
        Ok(())
    }

    fn store(&mut self, batch: LogBatch) -> io::Result<WaitingBatch> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile()?),
        };
        let mut bytes = Vec::with_capacity(batch.times.len() * 16 + batch.bytes.len());
        for time in &batch.times {
            bytes.extend_from_slice(&time.as_nanosecond().to_le_bytes());
        }
        bytes.extend_from_slice(&batch.bytes);
        let offset = self.end;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(&bytes)?;
        self.end += bytes.len() as u64;
        self.stored += 1;
        Ok(WaitingBatch::File { source: batch.source, offset, lines: batch.times.len(), bytes: batch.bytes.len() })
    }

    fn load(&mut self, source: Arc<LogSource>, offset: u64, lines: usize, bytes: usize) -> io::Result<LogBatch> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut times = vec![0; lines * 16];
        file.read_exact(&mut times)?;
        let mut batch = LogBatch { source, bytes: vec![0; bytes], times: Vec::with_capacity(lines) };
        file.read_exact(&mut batch.bytes)?;
        for time in times.chunks_exact(16) {
            let nanoseconds = time.try_into().map(i128::from_le_bytes).unwrap_or_default();
            batch.times.push(Timestamp::from_nanosecond(nanoseconds).unwrap_or_default());
        }
        self.stored -= 1;
        if self.stored == 0 {
            // Every batch in the file is printed.
            file.set_len(0)?;
            self.end = 0;
        }
        Ok(batch)
    }

    fn pop(&mut self, key: LaneKey) -> Result<Option<LogBatch>> {
        let Some(lane) = self.lanes.get_mut(&key) else { return Ok(None) };
        match lane.waiting.pop_front() {
            None => Ok(None),
            Some(WaitingBatch::Memory(batch)) => {
                self.in_memory -= batch.bytes.len();
                Ok(Some(batch))
            }
            Some(WaitingBatch::File { source, offset, lines, bytes }) => {
                let loaded = self.load(source, offset, lines, bytes);
                loaded.map(Some).context("reading back lines that were kept on disk")
            }
        }
    }

    fn close_if_done(&mut self, key: LaneKey) -> bool {
        let is_done = |lane: &Lane| lane.ended && lane.waiting.is_empty() && lane.begun.is_none();
        let done = self.lanes.get(&key).is_some_and(is_done);
        if done {
            self.lanes.remove(&key);
        }
        done
    }

    /// Returns the lane with the oldest next line, if that is known.
    fn next_by_time(&mut self, now: Instant, turn: Option<Duration>) -> Result<Option<ReadyLines>> {
        let held_back = self.find_heads(now, turn)?;
        let Some(&(time, key)) = self.heads.first() else { return Ok(None) };
        if held_back.is_some_and(|from| time >= from) {
            return Ok(None);
        }
        self.heads.pop_first();
        let second = self.heads.first().map(|(time, _)| *time);
        let Some((batch, from)) = self.lanes.get_mut(&key).and_then(|lane| lane.begun.take()) else { return Ok(None) };
        Ok(Some(ReadyLines { key, batch, from, until: [second, held_back].into_iter().flatten().min() }))
    }

    /// Finds the next line of lanes where it is not known. Returns the time from which on a lane may have lines that have not
    /// come.
    fn find_heads(&mut self, now: Instant, turn: Option<Duration>) -> Result<Option<Timestamp>> {
        let mut silent = Vec::new();
        let mut held_back = None;
        while let Some((from, key)) = self.headless.pop_first() {
            if let Some(batch) = self.pop(key)? {
                let head = batch.times.first().copied().unwrap_or(from);
                self.heads.insert((head, key));
                if let Some(lane) = self.lanes.get_mut(&key) {
                    lane.begun = Some((batch, 0));
                }
            } else if let Some(lane) = self.lanes.get(&key).filter(|lane| !lane.ended) {
                let patience = if lane.has_lines { LONGEST_SILENCE } else { LONGEST_START };
                silent.push((from, key));
                // The remaining lanes begin no earlier than this one.
                if turn.is_none_or(|turn| now.duration_since(lane.last) < turn + patience) {
                    held_back = Some(from);
                    break;
                }
            } else {
                self.lanes.remove(&key);
            }
        }
        self.headless.extend(silent);
        Ok(held_back)
    }

    fn put_back(&mut self, key: LaneKey, batch: LogBatch, printed: usize) {
        let Some(lane) = self.lanes.get_mut(&key) else { return };
        if let Some(&next) = batch.times.get(printed) {
            self.heads.insert((next, key));
            lane.begun = Some((batch, printed));
        } else {
            let last = batch.times.last().copied().unwrap_or(Timestamp::MIN);
            self.headless.insert((last, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(index: u32) -> LaneKey {
        LaneKey { index, attempt: 1, container: 0 }
    }

    fn batch(index: u32, seconds: &[i64]) -> LogBatch {
        let source = LogSource { index, attempt: 1, pod: String::new(), container: String::new() };
        LogBatch {
            source: Arc::new(source),
            bytes: seconds.iter().flat_map(|second| format!("{index}:{second}\n").into_bytes()).collect(),
            times: seconds.iter().map(|second| Timestamp::from_second(*second).unwrap()).collect(),
        }
    }

    /// Returns the lines that are printed next, in time order.
    fn by_time(lanes: &Lanes, turn: Option<Duration>) -> Vec<String> {
        let mut printed_lines = Vec::new();
        while let Some(ready) = lanes.with_store(|store| store.next_by_time(Instant::now(), turn)).unwrap() {
            let mut printed = ready.from;
            for (time, line) in ready.batch.lines().skip(ready.from) {
                if printed > ready.from && ready.until.is_some_and(|until| time.unwrap() > until) {
                    break;
                }
                printed_lines.push(String::from_utf8(line.to_vec()).unwrap());
                printed += 1;
            }
            lanes.with_store(|store| store.put_back(ready.key, ready.batch, printed));
        }
        printed_lines
    }

    #[test]
    fn lines_of_several_logs_are_printed_in_time_order() {
        let lanes = Lanes::default();
        for index in 0..3 {
            lanes.open(key(index), None);
        }
        lanes.push(key(0), batch(0, &[1, 5, 9])).unwrap();
        lanes.push(key(1), batch(1, &[2, 3, 6])).unwrap();
        assert!(by_time(&lanes, None).is_empty(), "the third may have older ones");
        lanes.push(key(2), batch(2, &[4])).unwrap();
        assert_eq!(by_time(&lanes, None), ["0:1", "1:2", "1:3", "2:4"]);
        lanes.close(key(2));
        assert_eq!(by_time(&lanes, None), ["0:5", "1:6"]);
        (0..2).for_each(|index| lanes.close(key(index)));
        assert_eq!(by_time(&lanes, None), ["0:9"]);
        assert!(lanes.are_empty());
    }

    #[test]
    fn a_log_that_begins_later_does_not_delay_earlier_lines() {
        let lanes = Lanes::default();
        lanes.open(key(0), None);
        lanes.open(key(1), Timestamp::from_second(5).ok());
        lanes.push(key(0), batch(0, &[1, 4, 7])).unwrap();
        assert_eq!(by_time(&lanes, None), ["0:1", "0:4"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_followed_log_delays_others_only_briefly() {
        let lanes = Lanes::default();
        lanes.open(key(0), None);
        lanes.open(key(1), None);
        lanes.push(key(0), batch(0, &[1])).unwrap();
        lanes.push(key(1), batch(1, &[2])).unwrap();
        let turn = Duration::from_secs(2);
        assert_eq!(by_time(&lanes, Some(turn)), ["0:1"]);
        tokio::time::advance(LONGEST_SILENCE).await;
        assert!(by_time(&lanes, Some(turn)).is_empty(), "it may not have been read yet");
        assert_eq!(by_time(&lanes, Some(Duration::ZERO)), ["1:2"], "it was silent for a second");
    }

    #[test]
    fn lines_that_waited_on_disk_come_back_unchanged() {
        let lanes = Lanes::default();
        lanes.open(key(0), None);
        lanes.with_store(|store| store.in_memory = IN_MEMORY);
        for second in 0..5 {
            lanes.push(key(0), batch(0, &[second, second])).unwrap();
        }
        assert_eq!(lanes.with_store(|store| store.stored), 5);
        for second in 0..5 {
            assert_eq!(lanes.with_store(|store| store.pop(key(0))).unwrap(), Some(batch(0, &[second, second])));
        }
        assert_eq!(lanes.with_store(|store| (store.stored, store.end)), (0, 0));
        lanes.close(key(0));
        assert!(lanes.with_store(|store| store.close_if_done(key(0))));
    }
}
