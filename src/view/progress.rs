//! The one line that says how a Job goes on.

use jiff::Timestamp;

use super::duration;
use crate::state::{self, JobState};

/// How far a Job is, without its name.
pub(crate) fn line(state: &JobState, now: Timestamp) -> String {
    let counts = state.counts();
    let mut parts = vec![format!("{}/{} completed", counts.succeeded, counts.total)];
    if counts.failed > 0 {
        parts.push(format!("{} failed", counts.failed));
    }
    parts.push(match waiting_for(state) {
        Some(reason) if counts.running == 0 => reason,
        _ => format!("{} running", counts.running),
    });
    if let (Some(start), _) = state.span() {
        parts.push(duration::human((now.as_second() - start.as_second()).max(0)));
    }
    parts.join(", ")
}

/// Why nothing runs, where that is known.
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
