//! How a Job ended, and what became of the indexes that failed.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::cause::{self, Explanation, Target};
use super::group::{Group, common, ending, groups};
use super::line::last_state;
use super::text::up_to_comma;
use super::{beginning, duration, plural};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::member;
use crate::state::{JobState, Outcome};

pub(crate) use crate::state::ItemTexts;

/// How many ways of failing are told one by one.
const TOLD: usize = 10;
/// How many items are named of those that failed in the same way.
const NAMED: usize = 3;
/// Longest line and item in a sentence, in characters.
const LINE: usize = 120;
/// Longest set of indexes, in characters; `describe` shows them whole.
const RANGES: usize = 160;
const LAST_LINES: usize = 5;

/// One sentence: the outcome, how many indexes, how long.
pub(crate) fn sentence(state: &JobState, now: Timestamp) -> String {
    let job = match state.members() {
        [first, _, ..] => format!("{} with its retries", member::family_root(first.job()).0),
        _ => state.job().and_then(|job| job.metadata.name.clone()).unwrap_or_default(),
    };
    let counts = state.counts();
    let (start, end) = state.span();
    let took = start.map(|start| duration::human(end.unwrap_or(now).as_second() - start.as_second()));
    let took = took.map_or_else(String::new, |took| format!(" in {took}"));
    let done = format!("{} of {} completed", counts.succeeded, plural(counts.total, "index", "indexes"));
    let condition = state.ending_condition();
    let reason = condition.and_then(|condition| condition.reason.as_deref());
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    // A Job may end before all of its indexes have.
    let left = counts.total.saturating_sub(counts.succeeded + counts.failed);
    let left = if left > 0 { format!(", {left} unfinished") } else { String::new() };
    match state.outcome() {
        Some(Outcome::Complete) if counts.succeeded == counts.total => format!("job {job} completed: {done}{took}"),
        Some(Outcome::Complete) => {
            let failed = if counts.failed > 0 { format!(", {} failed", counts.failed) } else { String::new() };
            format!("job {job} completed{reason}: {done}{failed}{left}{took}")
        }
        Some(Outcome::Failed) => {
            format!("job {job} failed{reason}: {done}, {} failed{left}{took}", counts.failed)
        }
        None => format!("job {job}: {done}, {} failed, {} running", counts.failed, counts.running),
    }
}

/// What became of the indexes, then each way of failing, the most frequent first. Empty if all completed.
pub(crate) fn failures(state: &JobState, items: &ItemTexts, flags: &str) -> String {
    let failed = state.failed();
    let groups = same(state, items, &failed, flags);
    let mut text = String::new();
    let (stopped, rest) = state.unfinished();
    if failed.len() > 1 || !stopped.is_empty() || !rest.is_empty() {
        let several = groups.len() > 1;
        let rest_is = if state.is_followed_from_start() { "not run" } else { "unfinished" };
        let sets = [
            ("completed", state.succeeded(), true),
            ("failed", failed, several),
            ("stopped", stopped, true),
            (rest_is, rest, true),
        ];
        for (word, set, _) in sets.iter().filter(|(_, set, told)| *told && !set.is_empty()) {
            let _ = writeln!(text, "{word}: {}", short(set));
        }
    }
    causes(&mut text, state, items, &groups);
    text
}

/// As [`failures`], of these indexes only.
pub(crate) fn failures_among(state: &JobState, items: &ItemTexts, failed: &IndexSet, flags: &str) -> String {
    let mut text = String::new();
    causes(&mut text, state, items, &same(state, items, failed, flags));
    text
}

fn causes(text: &mut String, state: &JobState, items: &ItemTexts, groups: &[Group<Explanation>]) {
    for group in groups.iter().take(TOLD) {
        let [index] = group.indexes[..] else {
            group.tell(text, state, items);
            continue;
        };
        let attempt = ending(state.attempts_of(index));
        failure(text, index, items.get(&index), attempt, state.attempts_of(index).count(), &group.told);
        group.tell_cure(text);
    }
    let rest: IndexSet = groups.iter().skip(TOLD).flat_map(|group| group.indexes.iter().copied()).collect();
    if !rest.is_empty() {
        let ways = plural(groups.len() - TOLD, "other way", "other ways");
        let more = plural(rest.len(), "more index", "more indexes");
        let _ = writeln!(text, "{more} failed in {ways}: {}", short(&rest));
    }
}

impl Group<Explanation> {
    fn tell(&self, text: &mut String, state: &JobState, items: &ItemTexts) {
        let set: IndexSet = self.indexes.iter().copied().collect();
        let _ = write!(text, "{} × {}", self.indexes.len(), self.told.how);
        if !self.told.words.is_empty() {
            let _ = write!(text, ": {:?}", beginning(&self.told.words, LINE));
        }
        let _ = writeln!(text, " (indexes {})", short(&set));
        let named: Vec<_> = self.indexes.iter().filter_map(|index| items.get(index)).collect();
        let mut about = Vec::new();
        if !named.is_empty() {
            let first: Vec<_> = named.iter().take(NAMED).map(|item| format!("{:?}", beginning(item, LINE))).collect();
            let more = named.len() - first.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            about.push(format!("items {}{more}", first.join(", ")));
        }
        let example = ending(state.attempts_of(self.indexes[0]));
        let lines = example.map(last_lines).unwrap_or_default();
        // A single line has been told already.
        let told = lines.len() <= 1 && lines.first().is_none_or(|line| *line == self.told.words);
        if let Some(attempt) = example.filter(|_| !told) {
            about.push(format!("index {}, pod {}, wrote last:", attempt.index, attempt.pod));
        }
        if !about.is_empty() {
            let _ = writeln!(text, "  {}", about.join("; "));
        }
        for line in lines.iter().filter(|_| !told) {
            let _ = writeln!(text, "  | {line}");
        }
        self.tell_cure(text);
    }

    fn tell_cure(&self, text: &mut String) {
        for hint in &self.told.hints {
            let _ = writeln!(text, "  hint: {hint}");
        }
    }
}

fn same(state: &JobState, items: &ItemTexts, failed: &IndexSet, flags: &str) -> Vec<Group<Explanation>> {
    let members = failed.iter().map(|index| {
        let attempt = ending(state.attempts_of(index));
        let explained = attempt.and_then(|attempt| Some(cause::ended(attempt, Target { job: state.job()?, flags })));
        let explained = explained.unwrap_or_else(Explanation::gone);
        let item = items.get(&index).map_or("", String::as_str);
        let common = common(&explained.words, &[item, attempt.map_or("", |attempt| &attempt.pod)]);
        (index, (explained.how.clone(), common), explained)
    });
    groups(members, |(_, common), told, next| {
        if told.words != next.words {
            told.words.clone_from(common);
        }
    })
}

fn last_lines(attempt: &Attempt) -> Vec<String> {
    let lines: Vec<_> = attempt.own_message().unwrap_or_default().lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].iter().map(|line| last_state(line).into_owned()).collect()
}

/// A set that fits a few lines.
fn short(set: &IndexSet) -> String {
    let whole = set.to_string();
    up_to_comma(&whole, RANGES).map(|start| format!("{start}… ({} in all)", set.len())).unwrap_or(whole)
}

fn failure(
    text: &mut String,
    index: u32,
    item: Option<&String>,
    attempt: Option<&Attempt>,
    tries: usize,
    same: &Explanation,
) {
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
    let _ = writeln!(text, ": {}, pod {}", same.how, attempt.pod);
    for line in last_lines(attempt) {
        let _ = writeln!(text, "  | {line}");
    }
}

#[cfg(test)]
mod tests;
