//! How a Job ended, and what became of the indexes that failed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::{duration, escape_control, plural};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::{JobState, Outcome};

/// The items of a Job, as people read them.
pub(crate) type ItemTexts = BTreeMap<u32, String>;

/// How many failed indexes are told one by one.
const TOLD: usize = 10;
/// How many of a failed worker's last lines are shown.
const LAST_LINES: usize = 5;

/// One sentence: the outcome, how many indexes, how long.
pub(crate) fn sentence(state: &JobState, now: Timestamp) -> String {
    let job = state.job().and_then(|job| job.metadata.name.as_deref()).unwrap_or_default();
    let counts = state.counts();
    let (start, end) = state.span();
    let took = start.map(|start| duration::human(end.unwrap_or(now).as_second() - start.as_second()));
    let took = took.map_or_else(String::new, |took| format!(" in {took}"));
    let done = format!("{} of {} completed", counts.succeeded, plural(counts.total, "index", "indexes"));
    match state.outcome() {
        Some(Outcome::Complete) => format!("job {job} completed: {done}{took}"),
        Some(Outcome::Failed) => {
            let condition = state.ending_condition();
            let reason = condition.and_then(|condition| condition.reason.as_deref());
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            format!("job {job} failed{reason}: {done}, {} failed{took}", counts.failed)
        }
        None => format!("job {job}: {done}, {} failed, {} running", counts.failed, counts.running),
    }
}

/// The indexes that failed, each with item, exit code, reason and last lines; empty if none did.
pub(crate) fn failures(state: &JobState, items: &ItemTexts) -> String {
    let failed = state.failed();
    let attempts = state.attempts();
    let mut text = String::new();
    for index in failed.iter().take(TOLD) {
        let last = attempts.get(&index).and_then(|attempts| attempts.last()).copied();
        let tries = attempts.get(&index).map_or(0, Vec::len);
        failure(&mut text, index, items.get(&index), last, tries);
    }
    let rest: IndexSet = failed.iter().skip(TOLD).collect();
    if !rest.is_empty() {
        let _ = writeln!(text, "{} more failed: {rest}", plural(rest.len(), "index", "indexes"));
    }
    text
}

fn failure(text: &mut String, index: u32, item: Option<&String>, attempt: Option<&Attempt>, tries: usize) {
    let _ = write!(text, "index {index}");
    if let Some(item) = item {
        let _ = write!(text, " (item {item:?})");
    }
    let Some(attempt) = attempt else {
        text.push_str(" failed; its pod is gone\n");
        return;
    };
    text.push_str(" failed");
    if tries > 1 {
        let _ = write!(text, " after {tries} attempts");
    }
    let mut causes = Vec::new();
    if let Some(code) = attempt.exit_code {
        causes.push(format!("exit code {code}"));
    }
    // "Error" says no more than the exit code does.
    causes.extend(attempt.reason.clone().filter(|reason| reason != "Error" || attempt.exit_code.is_none()));
    causes.push(format!("pod {}", attempt.pod));
    let _ = writeln!(text, ": {}", causes.join(", "));
    let lines: Vec<_> = attempt.message.as_deref().unwrap_or_default().lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(LAST_LINES)) {
        let _ = writeln!(text, "  | {}", escape_control(line));
    }
}
