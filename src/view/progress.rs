//! The progress of a Job as one line.

use jiff::Timestamp;

use super::cause::{self, Fate, IndexCause};
use super::{Wording, duration};
use crate::state::{self, JobState};

/// How fast the indexes of a Job finish, from a bounded number of samples.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    /// The times in milliseconds, each with the number of finished indexes; the oldest first.
    samples: Vec<(i64, usize)>,
    /// The shortest time between two samples, in milliseconds; it doubles when there are too many.
    spacing: i64,
}

const SAMPLES: usize = 128;
/// The speed is measured over the last minute, or over the last quarter of the time if that is longer: a burst of indexes
/// that end together is not the speed of all.
const WINDOW: i64 = 60_000;

impl Pace {
    /// Starts with the time before `now`: what finished then counts too.
    pub(crate) fn new(state: &JobState, now: Timestamp) -> Self {
        let mut pace = Self { samples: Vec::new(), spacing: 500 };
        if let (Some(start), None) = state.span() {
            pace.samples.push((start.as_millisecond().min(now.as_millisecond()), 0));
        }
        pace.sample(state, now);
        pace
    }

    pub(crate) fn sample(&mut self, state: &JobState, now: Timestamp) {
        let counts = state.counts();
        self.add_sample(now.as_millisecond(), counts.succeeded + counts.failed);
    }

    fn add_sample(&mut self, now: i64, finished: usize) {
        if self.samples.last().is_some_and(|(last, _)| now < last + self.spacing) {
            return;
        }
        self.samples.push((now, finished));
        if self.samples.len() > SAMPLES {
            self.samples = self.samples.iter().step_by(2).copied().collect();
            self.spacing *= 2;
        }
    }

    /// Returns the finished indexes per second; None in the first second, and before an index has finished.
    #[expect(clippy::cast_precision_loss, reason = "only a few digits of a speed are shown")]
    fn per_second(&self, now: i64, finished: usize) -> Option<f64> {
        let (start, _) = *self.samples.first()?;
        let window = WINDOW.max((now - start) / 4);
        let after = self.samples.partition_point(|(at, _)| *at <= now - window);
        let (from, before) = self.samples[after.saturating_sub(1)];
        let (took, done) = (now - from, finished.saturating_sub(before));
        (took >= 1000 && done > 0).then(|| done as f64 * 1000.0 / took as f64)
    }
}

/// Returns the progress of a Job: finished indexes, speed, remaining time, and elapsed time.
pub(crate) fn line(state: &JobState, pace: &Pace, now: Timestamp) -> String {
    let counts = state.counts();
    let mut parts = vec![format!("{}/{} completed", counts.succeeded, counts.total)];
    if counts.failed > 0 {
        parts.push(format!("{} failed", counts.failed));
    }
    parts.push(match wait_reason(state) {
        Some(reason) if counts.running == 0 => reason,
        _ => format!("{} running", counts.running),
    });
    let finished = counts.succeeded + counts.failed;
    let left = counts.total.saturating_sub(finished);
    if let Some(speed) = pace.per_second(now.as_millisecond(), finished).filter(|_| state.outcome().is_none()) {
        parts.push(speed_text(speed));
        // The end of an index that is evicted repeatedly can't be predicted.
        if left > 0 && !cause::blocked(state, now, Wording::default()).iter().any(|cause| cause.fate.is_permanent()) {
            parts.push(format!("about {} left", duration::human(seconds_left(left, speed))));
        }
    }
    if let (Some(start), end) = state.span() {
        let took = end.unwrap_or(now).as_second() - start.as_second();
        parts.push(format!("{} so far", duration::human(took.max(0))));
    }
    parts.join(", ")
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate in whole seconds")]
fn seconds_left(left: usize, speed: f64) -> i64 {
    (left as f64 / speed).ceil() as i64
}

/// Returns a speed in the unit that makes it a readable number.
fn speed_text(speed: f64) -> String {
    let (number, unit) = match speed {
        1.0.. => (speed, "s"),
        0.016.. => (speed * 60.0, "min"),
        _ => (speed * 3600.0, "h"),
    };
    if number < 9.95 { format!("{number:.1}/{unit}") } else { format!("{number:.0}/{unit}") }
}

/// Returns the short reason why nothing runs; None if it is unknown.
fn wait_reason(state: &JobState) -> Option<String> {
    let job = state.job()?;
    if state::is_suspended(job) {
        return Some(match state::queue(job) {
            Some(queue) => format!("waiting for the queue {queue}"),
            None => "suspended".to_owned(),
        });
    }
    let attempts = state.attempts();
    let mut reasons = attempts.values().flatten().filter(|attempt| !attempt.has_started());
    reasons.find_map(|attempt| attempt.reason.clone())
}

/// Returns why a Job, or an index of it, makes no progress; None while all do, or while the reason is unknown.
///
/// `idle` is the number of seconds in which no index has run or finished.
pub(crate) fn find_stall(state: &JobState, idle: i64, now: Timestamp, wording: Wording<'_>) -> Option<IndexCause> {
    let counts = state.counts();
    // Once the outcome is certain, only the end of running Pods is missing.
    if state.ending_condition().is_some() || counts.succeeded + counts.failed == counts.total {
        return None;
    }
    let cause = cause::blocked(state, now, wording).into_iter().find(|cause| cause.fate.is_permanent() || idle >= SOON);
    cause.or_else(|| {
        let indexes = state.pending().union(&state.running());
        let why = "no index runs, and neither Pods nor events report a reason".to_owned();
        (idle >= LATER).then(|| IndexCause { indexes, fate: Fate::Pending, why, hints: Vec::new() })
    })
}

/// The number of seconds without progress after which a known cause is reported.
const SOON: i64 = 10;
/// The number of seconds without progress after which an unknown cause is reported.
const LATER: i64 = 60;

#[cfg(test)]
mod tests;
