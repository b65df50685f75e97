//! Logs that wait until it is their turn to be printed, each in a lane of its own: in memory while they are few, else
//! in a file that has no name and is gone with the program.

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

/// How many bytes of lines wait in memory, of all logs together.
const IN_MEMORY: usize = 16 * 1024 * 1024;
/// How long a log may be silent before others go on without it, where the order is that of time and it is followed.
const SILENCE: Duration = Duration::from_secs(1);
/// The same for a log that has not come yet at all.
const NOT_COME: Duration = Duration::from_secs(5);

/// Where a log stands in index order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LaneKey {
    pub(crate) index: u32,
    pub(crate) attempt: u32,
    /// The place of the container within the Pod.
    pub(crate) container: usize,
}

#[derive(Debug, Default)]
struct Store {
    lanes: BTreeMap<LaneKey, Lane>,
    /// Where the order is that of time: the lanes whose next line is known, by its time, and all others, by the time
    /// before which they have none.
    heads: BTreeSet<(Timestamp, LaneKey)>,
    headless: BTreeSet<(Timestamp, LaneKey)>,
    in_memory: usize,
    file: Option<File>,
    /// Where the file ends, and how many batches of it are still to be printed.
    end: u64,
    stored: usize,
}

#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Held>,
    /// The batch that is being printed, and how many of its lines were.
    begun: Option<(LogBatch, usize)>,
    ended: bool,
    /// When something came last, and whether anything did.
    last: Instant,
    has_come: bool,
}

#[derive(Debug)]
enum Held {
    Memory(LogBatch),
    File { source: Arc<LogSource>, offset: u64, lines: usize, bytes: usize },
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Lanes {
    store: Arc<Mutex<Store>>,
    pub(crate) news: Arc<Notify>,
}

impl Lanes {
    fn with<T>(&self, act: impl FnOnce(&mut Store) -> T) -> T {
        act(&mut self.store.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A log that is going to come; none of its lines is older than `not_before`.
    pub(crate) fn open(&self, key: LaneKey, not_before: Option<Timestamp>) {
        let lane = Lane { waiting: VecDeque::new(), begun: None, ended: false, last: Instant::now(), has_come: false };
        self.with(|store| {
            store.lanes.insert(key, lane);
            store.headless.insert((not_before.unwrap_or(Timestamp::MIN), key));
        });
    }

    fn push(&self, key: LaneKey, batch: LogBatch) -> io::Result<()> {
        let pushed = self.with(|store| store.push(key, batch));
        self.news.notify_one();
        pushed
    }

    fn end(&self, key: LaneKey) {
        self.with(|store| {
            if let Some(lane) = store.lanes.get_mut(&key) {
                lane.ended = true;
            }
        });
        self.news.notify_one();
    }

    /// Hands what is read of a log to its lane, until it ends.
    pub(crate) async fn fill(&self, key: LaneKey, mut batches: mpsc::Receiver<LogBatch>) -> io::Result<()> {
        while let Some(batch) = batches.recv().await {
            self.push(key, batch)?;
        }
        self.end(key);
        Ok(())
    }

    pub(crate) fn are_empty(&self) -> bool {
        self.with(|store| store.lanes.is_empty())
    }

    /// Prints what is there of one index, in order. Returns whether no more is going to come of the logs that were opened.
    pub(crate) fn print_index(&self, index: u32, printer: &mut LogPrinter, ui: &mut Ui) -> Result<bool> {
        let first = LaneKey { index, attempt: 0, container: 0 };
        let last = LaneKey { index, attempt: u32::MAX, container: usize::MAX };
        loop {
            let front = self.with(|store| store.lanes.range(first..=last).next().map(|(key, _)| *key));
            let Some(key) = front else { return Ok(true) };
            while let Some(batch) = self.with(|store| store.pop(key))? {
                printer.batch(&batch, ui)?;
            }
            // A later attempt of the index waits for the one before it.
            if !self.with(|store| store.close_if_done(key)) {
                return Ok(false);
            }
        }
    }

    /// Prints the lines that can be printed in the order of their times. Where logs are followed, `turn` is how long one
    /// may wait until it is read at all; no line waits much longer than that and a second for others that may never
    /// come.
    pub(crate) fn print_by_time(&self, turn: Option<Duration>, printer: &mut LogPrinter, ui: &mut Ui) -> Result<()> {
        let now = Instant::now();
        loop {
            let ready = self.with(|store| store.next_by_time(now, turn))?;
            let Some(Ready { key, batch, from, until }) = ready else { return Ok(()) };
            let mut position = from;
            for (time, line) in batch.lines().skip(from) {
                if position > from && until.is_some_and(|until| time.is_some_and(|time| time > until)) {
                    break;
                }
                printer.lines(&batch.source, [(time, line)], ui)?;
                position += 1;
            }
            self.with(|store| store.put_back(key, batch, position));
        }
    }
}

/// Lines of one lane that are older than those of all others.
struct Ready {
    key: LaneKey,
    batch: LogBatch,
    /// How many lines of the batch are printed.
    from: usize,
    /// Up to which time lines may be printed before another lane has its turn.
    until: Option<Timestamp>,
}

impl Store {
    fn push(&mut self, key: LaneKey, batch: LogBatch) -> io::Result<()> {
        let held = if self.in_memory + batch.bytes.len() <= IN_MEMORY {
            self.in_memory += batch.bytes.len();
            Held::Memory(batch)
        } else {
            self.store(batch)?
        };
        if let Some(lane) = self.lanes.get_mut(&key) {
            lane.waiting.push_back(held);
            lane.last = Instant::now();
            lane.has_come = true;
        }
        Ok(())
    }

    fn store(&mut self, batch: LogBatch) -> io::Result<Held> {
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
        Ok(Held::File { source: batch.source, offset, lines: batch.times.len(), bytes: batch.bytes.len() })
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
            // Nothing of it is wanted any more.
            file.set_len(0)?;
            self.end = 0;
        }
        Ok(batch)
    }

    fn pop(&mut self, key: LaneKey) -> Result<Option<LogBatch>> {
        let Some(lane) = self.lanes.get_mut(&key) else { return Ok(None) };
        match lane.waiting.pop_front() {
            None => Ok(None),
            Some(Held::Memory(batch)) => {
                self.in_memory -= batch.bytes.len();
                Ok(Some(batch))
            }
            Some(Held::File { source, offset, lines, bytes }) => {
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

    /// The lane whose next line is the oldest of all, if that is known.
    fn next_by_time(&mut self, now: Instant, turn: Option<Duration>) -> Result<Option<Ready>> {
        let held_back = self.find_heads(now, turn)?;
        let Some(&(time, key)) = self.heads.first() else { return Ok(None) };
        if held_back.is_some_and(|from| time >= from) {
            return Ok(None);
        }
        self.heads.pop_first();
        let second = self.heads.first().map(|(time, _)| *time);
        let Some((batch, from)) = self.lanes.get_mut(&key).and_then(|lane| lane.begun.take()) else { return Ok(None) };
        Ok(Some(Ready { key, batch, from, until: [second, held_back].into_iter().flatten().min() }))
    }

    /// Looks what is next in the lanes of which that is not known; returns the time from which on one may have lines
    /// that have not come.
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
                let patience = if lane.has_come { SILENCE } else { NOT_COME };
                silent.push((from, key));
                // All that are left begin no earlier than this one.
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

    /// What is printed next, in the order of time.
    fn by_time(lanes: &Lanes, turn: Option<Duration>) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(ready) = lanes.with(|store| store.next_by_time(Instant::now(), turn)).unwrap() {
            let mut printed = ready.from;
            for (time, line) in ready.batch.lines().skip(ready.from) {
                if printed > ready.from && ready.until.is_some_and(|until| time.unwrap() > until) {
                    break;
                }
                told.push(String::from_utf8(line.to_vec()).unwrap());
                printed += 1;
            }
            lanes.with(|store| store.put_back(ready.key, ready.batch, printed));
        }
        told
    }

    #[test]
    fn lines_of_several_logs_come_in_the_order_of_time() {
        let lanes = Lanes::default();
        for index in 0..3 {
            lanes.open(key(index), None);
        }
        lanes.push(key(0), batch(0, &[1, 5, 9])).unwrap();
        lanes.push(key(1), batch(1, &[2, 3, 6])).unwrap();
        assert!(by_time(&lanes, None).is_empty(), "the third may have older ones");
        lanes.push(key(2), batch(2, &[4])).unwrap();
        assert_eq!(by_time(&lanes, None), ["0:1", "1:2", "1:3", "2:4"]);
        lanes.end(key(2));
        assert_eq!(by_time(&lanes, None), ["0:5", "1:6"]);
        (0..2).for_each(|index| lanes.end(key(index)));
        assert_eq!(by_time(&lanes, None), ["0:9"]);
        assert!(lanes.are_empty());
    }

    #[test]
    fn a_log_that_begins_later_holds_nobody_up_before() {
        let lanes = Lanes::default();
        lanes.open(key(0), None);
        lanes.open(key(1), Timestamp::from_second(5).ok());
        lanes.push(key(0), batch(0, &[1, 4, 7])).unwrap();
        assert_eq!(by_time(&lanes, None), ["0:1", "0:4"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_log_that_is_followed_holds_nobody_up_for_long() {
        let lanes = Lanes::default();
        lanes.open(key(0), None);
        lanes.open(key(1), None);
        lanes.push(key(0), batch(0, &[1])).unwrap();
        lanes.push(key(1), batch(1, &[2])).unwrap();
        let turn = Duration::from_secs(2);
        assert_eq!(by_time(&lanes, Some(turn)), ["0:1"]);
        tokio::time::advance(SILENCE).await;
        assert!(by_time(&lanes, Some(turn)).is_empty(), "it may not have had its turn");
        assert_eq!(by_time(&lanes, Some(Duration::ZERO)), ["1:2"], "it has had a second to write something older");
    }

    #[test]
    fn what_is_too_much_for_memory_is_the_same_from_disk() {
        let lanes = Lanes::default();
        lanes.open(key(0), None);
        lanes.with(|store| store.in_memory = IN_MEMORY);
        for second in 0..5 {
            lanes.push(key(0), batch(0, &[second, second])).unwrap();
        }
        assert_eq!(lanes.with(|store| store.stored), 5);
        for second in 0..5 {
            assert_eq!(lanes.with(|store| store.pop(key(0))).unwrap(), Some(batch(0, &[second, second])));
        }
        assert_eq!(lanes.with(|store| (store.stored, store.end)), (0, 0));
        lanes.end(key(0));
        assert!(lanes.with(|store| store.close_if_done(key(0))));
    }
}
