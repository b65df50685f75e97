//! The one line that says how a Job goes on.

use jiff::Timestamp;

use super::cause::{self, Cause, Fate};
use super::duration;
use crate::state::{self, JobState};

/// How fast the indexes of a Job finish, from a bounded number of looks at it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    /// When, in milliseconds, and how many had finished; the oldest first.
    looks: Vec<(i64, usize)>,
    /// The least time from one look to the next, in milliseconds; it doubles when there are too many.
    spacing: i64,
}

const LOOKS: usize = 128;
/// The speed is that of the last minute, or of the last quarter of the time where that is longer: then a burst of
/// indexes that end together is not taken for the speed of all.
const WINDOW: i64 = 60_000;

impl Pace {
    /// The pace of a Job that is looked at for the first time.
    pub(crate) fn new(state: &JobState, now: Timestamp) -> Self {
        let mut pace = Self { looks: Vec::new(), spacing: 500 };
        // What finished before we came tells the pace too.
        if let (Some(start), None) = state.span() {
            pace.looks.push((start.as_millisecond().min(now.as_millisecond()), 0));
        }
        pace.look(state, now);
        pace
    }

    pub(crate) fn look(&mut self, state: &JobState, now: Timestamp) {
        let counts = state.counts();
        self.note(now.as_millisecond(), counts.succeeded + counts.failed);
    }

    fn note(&mut self, now: i64, finished: usize) {
        if self.looks.last().is_some_and(|(last, _)| now < last + self.spacing) {
            return;
        }
        self.looks.push((now, finished));
        if self.looks.len() > LOOKS {
            self.looks = self.looks.iter().step_by(2).copied().collect();
            self.spacing *= 2;
        }
    }

    /// Finished indexes a second; None before any has finished, and in the first second.
    #[expect(clippy::cast_precision_loss, reason = "of a speed that a person reads, a few digits are shown")]
    fn per_second(&self, now: i64, finished: usize) -> Option<f64> {
        let (start, _) = *self.looks.first()?;
        let window = WINDOW.max((now - start) / 4);
        let after = self.looks.partition_point(|(at, _)| *at <= now - window);
        let (from, before) = self.looks[after.saturating_sub(1)];
        let (took, done) = (now - from, finished.saturating_sub(before));
        (took >= 1000 && done > 0).then(|| done as f64 * 1000.0 / took as f64)
    }
}

/// How far a Job is, without its name: finished indexes, speed, what is left, and how long it took so far.
pub(crate) fn line(state: &JobState, pace: &Pace, now: Timestamp) -> String {
    let counts = state.counts();
    let mut parts = vec![format!("{}/{} completed", counts.succeeded, counts.total)];
    if counts.failed > 0 {
        parts.push(format!("{} failed", counts.failed));
    }
    parts.push(match waiting_for(state) {
        Some(reason) if counts.running == 0 => reason,
        _ => format!("{} running", counts.running),
    });
    let finished = counts.succeeded + counts.failed;
    let left = counts.total.saturating_sub(finished);
    if let Some(speed) = pace.per_second(now.as_millisecond(), finished).filter(|_| state.outcome().is_none()) {
        parts.push(per(speed));
        // An index that is evicted again and again has no end that could be foreseen.
        if left > 0 && !cause::not_done(state, now, "").iter().any(|cause| cause.fate.lasts()) {
            parts.push(format!("about {} left", duration::human(seconds(left, speed))));
        }
    }
    if let (Some(start), end) = state.span() {
        let took = end.unwrap_or(now).as_second() - start.as_second();
        parts.push(format!("{} so far", duration::human(took.max(0))));
    }
    parts.join(", ")
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate, cut to whole seconds")]
fn seconds(left: usize, speed: f64) -> i64 {
    (left as f64 / speed).ceil() as i64
}

/// A speed in the unit in which it is a readable number.
fn per(speed: f64) -> String {
    let (number, unit) = match speed {
        1.0.. => (speed, "s"),
        0.016.. => (speed * 60.0, "min"),
        _ => (speed * 3600.0, "h"),
    };
    if number < 9.95 { format!("{number:.1}/{unit}") } else { format!("{number:.0}/{unit}") }
}

/// Why nothing runs, in a word, where that is known.
fn waiting_for(state: &JobState) -> Option<String> {
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

/// Why a Job, or an index of it, does not go on; None while all do, or while nobody can tell.
///
/// `idle` is for how many seconds nothing of it has run or finished.
pub(crate) fn plight(state: &JobState, idle: i64, now: Timestamp, flags: &str) -> Option<Cause> {
    let counts = state.counts();
    // Once the outcome is certain, only Pods that are to end are waited for.
    if state.ending_condition().is_some() || counts.succeeded + counts.failed == counts.total {
        return None;
    }
    let cause = cause::not_done(state, now, flags).into_iter().find(|cause| cause.fate.lasts() || idle >= SOON);
    cause.or_else(|| {
        let indexes = state.pending().union(&state.running());
        let why = "none of them runs, and neither their Pods nor events say why".to_owned();
        (idle >= LATER).then(|| Cause { indexes, fate: Fate::Pending, why, hints: Vec::new() })
    })
}

/// How long what is wrong may last before it is worth a word.
const SOON: i64 = 10;
const LATER: i64 = 60;

#[cfg(test)]
mod tests;
