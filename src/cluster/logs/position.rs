//! Tracks the position in a log, so that reading can resume without lost or repeated lines.

use jiff::Timestamp;

/// A position in a log whose lines have times.
///
/// The server prints all lines from a whole second on, in the order of the file. The lines already seen come first, so
/// they are skipped by their number, not by their times: two lines may have the same time, and stdout and stderr are
/// not always in order. For the same reason the log is requested from one second before the latest line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LogPosition {
    seen: Option<SeenLines>,
    skipping: Skipping,
    gap: bool,
    /// Whether the last file was read to its end.
    at_end: bool,
}

#[derive(Clone, Copy, Debug)]
struct SeenLines {
    /// The latest second with a line.
    second: i64,
    /// The lines of that second and the one before, and of that second alone.
    both: Window,
    one: Window,
    latest: Timestamp,
}

/// Lines that are not older than a second.
#[derive(Clone, Copy, Debug)]
struct Window {
    first: Timestamp,
    count: u64,
}

impl SeenLines {
    fn new(time: Timestamp) -> Self {
        let window = Window { first: time, count: 1 };
        Self { second: time.as_second(), both: window, one: window, latest: time }
    }

    fn add(&mut self, time: Timestamp) {
        let second = time.as_second();
        if second > self.second {
            let new = Self::new(time);
            let both = if second == self.second + 1 { self.one.plus_one() } else { new.both };
            *self = Self { both, ..new };
            return;
        }
        if second >= self.second - 1 {
            self.both = self.both.plus_one();
        }
        if second == self.second {
            self.one = self.one.plus_one();
            self.latest = self.latest.max(time);
        }
    }
}

impl Window {
    fn plus_one(self) -> Self {
        Self { count: self.count + 1, ..self }
    }
}

/// The lines to skip after reading has resumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skipping {
    #[default]
    Nothing,
    /// The pieces of a long line that began in an earlier second, up to the first line that was counted.
    ToFirst,
    Lines(u64),
    /// Another file than before: lines that are not newer than all seen ones.
    Older {
        /// Whether lines may be missing before the first newer one.
        gap: bool,
    },
}

impl LogPosition {
    /// Returns the second since 1970 from which to request the log.
    pub(super) fn since(&self) -> Option<i64> {
        self.seen.map(|seen| seen.second - 1)
    }

    /// Prepares for a new request of the same log.
    pub(super) fn resume(&mut self) {
        self.skipping = if self.seen.is_some() { Skipping::ToFirst } else { Skipping::Nothing };
    }

    /// Prepares for the log of the container's next run, which shares no line with the last one.
    pub(super) fn resume_in_next(&mut self) {
        self.skipping = if self.seen.is_some() { Skipping::Older { gap: false } } else { Skipping::Nothing };
        self.gap = false;
    }

    /// Whether lines may be missing: the file does not reach back to what was seen before.
    pub(super) fn has_gap(&self) -> bool {
        self.gap || self.skipping == Skipping::Older { gap: true }
    }

    pub(super) fn note_gap(&mut self) {
        self.gap = true;
    }

    /// Notes that the file was read to its end: if the log continues in another file, no line is missing.
    pub(super) fn note_end_of_file(&mut self) {
        self.at_end = true;
    }

    /// Whether lines that were seen before are still skipped.
    pub(super) fn is_skipping(&self) -> bool {
        matches!(self.skipping, Skipping::ToFirst | Skipping::Lines(_))
    }

    /// Whether the file begins after the lines already seen, so that it is another one than before.
    pub(super) fn is_behind(&self, time: Timestamp) -> bool {
        self.skipping == Skipping::ToFirst && self.seen.is_some_and(|seen| time > seen.both.first)
    }

    /// Adds the next line; false if it was seen before.
    pub(super) fn is_new(&mut self, time: Timestamp) -> bool {
        if self.is_behind(time) {
            self.skipping = Skipping::Older { gap: !self.at_end };
        }
        let Some(seen) = &mut self.seen else {
            self.seen = Some(SeenLines::new(time));
            return true;
        };
        match &mut self.skipping {
            Skipping::ToFirst => {
                let Window { first, count } = seen.both;
                if time == first {
                    self.skipping = if count > 1 { Skipping::Lines(count - 1) } else { Skipping::Nothing };
                }
                return false;
            }
            Skipping::Lines(left) => {
                *left -= 1;
                if *left == 0 {
                    self.skipping = Skipping::Nothing;
                }
                return false;
            }
            Skipping::Older { gap } => {
                if time <= seen.latest {
                    // If the file has the last line seen, no line is missing.
                    *gap &= time != seen.latest;
                    return false;
                }
                self.gap |= *gap;
                self.skipping = Skipping::Nothing;
            }
            Skipping::Nothing => {}
        }
        seen.add(time);
        self.at_end = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(nanoseconds: i64) -> Timestamp {
        Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap()
    }

    /// What the server prints of a log from a second on.
    fn printed(log: &[i64], since: Option<i64>) -> impl Iterator<Item = Timestamp> {
        let since = since.unwrap_or(i64::MIN / 2_000_000_000) * 1_000_000_000;
        log.iter().filter(move |time| **time >= since).map(|time| at(*time))
    }

    #[test]
    fn lines_with_the_same_time_are_kept_apart() {
        let mut position = LogPosition::default();
        let log = [500_000_000, 700_000_000, 700_000_000, 700_000_000];
        assert!(log[..3].iter().all(|time| position.is_new(at(*time))));
        position.resume();
        let new: Vec<_> = printed(&log, position.since()).map(|time| position.is_new(time)).collect();
        assert_eq!(new, [false, false, false, true]);
    }

    #[test]
    fn parts_of_a_long_line_are_not_lines() {
        // A line that began in second 1 was printed with pieces of second 2, which come by themselves later.
        let mut position = LogPosition::default();
        assert!(position.is_new(at(1_900_000_000)));
        assert!(position.is_new(at(2_200_000_000)));
        assert!(position.is_new(at(3_100_000_000)));
        position.resume();
        assert_eq!(position.since(), Some(2));
        let again = [2_000_000_000, 2_100_000_000, 2_200_000_000, 3_100_000_000, 3_200_000_000];
        assert_eq!(again.map(|time| position.is_new(at(time))), [false, false, false, false, true]);
        assert!(!position.has_gap());
    }

    #[test]
    fn a_rotated_file_leaves_a_gap_unless_it_holds_what_was_seen_last() {
        let seen = || {
            let mut position = LogPosition::default();
            assert!([1_100_000_000, 1_200_000_000].iter().all(|time| position.is_new(at(*time))));
            position.resume();
            position
        };
        let mut position = seen();
        assert!(!position.is_new(at(1_200_000_000)));
        assert!(position.is_new(at(1_300_000_000)));
        assert!(!position.has_gap(), "the new file begins with the last line that was seen");
        let mut position = seen();
        assert!(position.is_new(at(1_300_000_000)));
        assert!(position.has_gap());
        position.resume_in_next();
        assert!(!position.has_gap());
        assert!(!position.is_new(at(1_300_000_000)));
        assert!(position.is_new(at(1_300_000_001)));
    }

    #[test]
    fn a_file_that_was_read_to_its_end_leaves_no_gap() {
        let mut position = LogPosition::default();
        assert!(position.is_new(at(1_100_000_000)));
        position.note_end_of_file();
        position.resume();
        assert!(position.is_skipping());
        assert!(position.is_new(at(5_000_000_000)));
        assert!(!position.has_gap() && !position.is_skipping());
        position.resume();
        assert!(position.is_new(at(9_000_000_000)));
        assert!(position.has_gap(), "the end of one file says nothing of the next one");
        position.resume();
        assert!(!position.is_new(at(9_000_000_000)));
        assert!(position.has_gap(), "what is missing stays missing");
    }

    proptest! {
        /// Whatever the times of the lines, and wherever the log is cut: each line comes once.
        #[test]
        fn every_line_comes_once(
            steps in prop::collection::vec((0_i64..12, 0_i64..4), 1..60),
            cuts in prop::collection::vec(0_usize..20, 0..12),
        ) {
            // What is written to stdout and stderr may come into the file in another order, by some tenths of a second.
            let mut now = 5_000_000_000;
            let log: Vec<i64> = steps
                .iter()
                .map(|(step, early)| {
                    now += step * 100_000_000;
                    now - early * 100_000_000
                })
                .collect();
            let (mut position, mut got) = (LogPosition::default(), Vec::new());
            for cut in cuts.into_iter().map(Some).chain([None]) {
                let since = position.since();
                let end = cut.unwrap_or(usize::MAX);
                for time in printed(&log, since).take(end).collect::<Vec<_>>() {
                    if position.is_new(time) {
                        got.push(time);
                    }
                }
                position.resume();
            }
            prop_assert_eq!(got, log.iter().map(|time| at(*time)).collect::<Vec<_>>());
        }
    }
}
