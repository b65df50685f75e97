//! The end of a Job: the outcome, and why indexes failed.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use super::cause::{self, Explanation, Subject};
use super::group::{IndexGroup, explaining_attempt, group_indexes, without_differences};
use super::line::last_state;
use super::{Wording, beginning, cut, duration, plural};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::member;
use crate::state::{JobState, Outcome};

pub(crate) use crate::state::ItemTexts;

/// The number of ways of failing that are described.
const WAYS: usize = 10;
/// The number of items that are named for one way of failing.
const ITEMS: usize = 3;
/// The longest line or item in a sentence, in characters.
const TEXT: usize = 120;
/// The longest set of indexes, in characters; `describe` shows them whole.
const RANGES: usize = 160;
const LAST_LINES: usize = 5;

/// Returns one sentence: the outcome, the number of indexes, and the duration.
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
    // A Job can end before all of its indexes.
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

/// Returns the sets of indexes by state, then each way of failing, the most frequent first. Empty if all completed.
pub(crate) fn failures(state: &JobState, items: &ItemTexts, wording: Wording<'_>) -> String {
    let failed = state.failed();
    let groups = group_failures(state, items, &failed, wording);
    let mut text = String::new();
    let (stopped, rest) = state.unfinished();
    if failed.len() > 1 || !stopped.is_empty() || !rest.is_empty() {
        // A single way of failing names all failed indexes.
        let failed = if groups.len() > 1 { failed } else { IndexSet::new() };
        let rest_word = if state.is_followed_from_start() { "not run" } else { "unfinished" };
        let sets = [("completed", state.succeeded()), ("failed", failed), ("stopped", stopped), (rest_word, rest)];
        for (word, set) in sets.iter().filter(|(_, set)| !set.is_empty()) {
            let room = wording.width.map_or(RANGES, |width| RANGES.min(width.saturating_sub(word.len() + 2)));
            let end = format!("{} ({} in all)", wording.style.ellipsis(), set.len());
            let _ = writeln!(text, "{word}: {}", shortened(set, room, &end));
        }
    }
    push_groups(&mut text, state, items, &groups, wording);
    text
}

/// As [`failures`], of these indexes only.
pub(crate) fn failures_among(state: &JobState, items: &ItemTexts, failed: &IndexSet, wording: Wording<'_>) -> String {
    let mut text = String::new();
    push_groups(&mut text, state, items, &group_failures(state, items, failed, wording), wording);
    text
}

fn push_groups(
    text: &mut String,
    state: &JobState,
    items: &ItemTexts,
    groups: &[IndexGroup<Explanation>],
    wording: Wording<'_>,
) {
    for group in groups.iter().take(WAYS) {
        match group.indexes[..] {
            [index] => push_failure(text, index, items.get(&index), state, &group.shared, wording),
            _ => push_group(text, group, state, items, wording),
        }
        for hint in &group.shared.hints {
            let _ = writeln!(text, "  hint: {hint}");
        }
    }
    let rest: IndexSet = groups.iter().skip(WAYS).flat_map(|group| group.indexes.iter().copied()).collect();
    if let (false, Some(job)) = (rest.is_empty(), state.job()) {
        let ways = plural(groups.len() - WAYS, "other way", "other ways");
        let more = plural(rest.len(), "more index", "more indexes");
        let command = Subject { job, wording }.command("indexes", " --status failed");
        let _ = writeln!(text, "{more} failed in {ways}, see {command}");
    }
}

/// Describes indexes that failed in the same way.
fn push_group(
    text: &mut String,
    group: &IndexGroup<Explanation>,
    state: &JobState,
    items: &ItemTexts,
    wording: Wording<'_>,
) {
    let (IndexGroup { indexes, shared }, style) = (group, wording.style);
    let mut start = format!("{} {} {}", indexes.len(), style.times(), shared.manner);
    if !shared.last_line.is_empty() {
        let _ = write!(start, ": {:?}", beginning(&shared.last_line, TEXT, style));
    }
    let room = wording.width.map_or(RANGES, |width| RANGES.min(width / 3));
    let end = format!(" (indexes {})", shortened(&indexes.iter().copied().collect(), room, style.ellipsis()));
    let _ = writeln!(text, "{}{end}", fitted(&start, end.width(), wording));
    let named: Vec<_> = indexes.iter().filter_map(|index| items.get(index)).collect();
    if !named.is_empty() {
        let _ = writeln!(text, "{}", item_list(&named, wording));
    }
    let Some(example) = explaining_attempt(state.attempts_of(indexes[0])) else { return };
    let lines = last_lines(example);
    // A single line stands in the first sentence.
    if lines.len() > 1 || lines.first().is_some_and(|line| *line != shared.last_line) {
        let title = format!("  last output of index {}, Pod {}:", example.index, example.pod);
        let _ = writeln!(text, "{}", fitted(&title, 0, wording));
        push_output(text, &lines, wording);
    }
}

/// Returns the first items of a group, on a terminal as many as fit a line.
fn item_list(named: &[&String], wording: Wording<'_>) -> String {
    let list_of = |count: usize| {
        let quoted = |item: &&String| format!("{:?}", beginning(item, TEXT, wording.style));
        let first: Vec<_> = named.iter().take(count).map(quoted).collect();
        let more = named.len() - first.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (format!("  items {}", first.join(", ")), more)
    };
    let width = wording.width.unwrap_or(usize::MAX);
    let mut lists = (1..=ITEMS).rev().map(list_of);
    let (list, more) = lists.find(|(list, more)| list.width() + more.len() <= width).unwrap_or_else(|| list_of(1));
    format!("{}{more}", fitted(&list, more.len(), wording))
}

/// Describes an index that failed in its own way.
fn push_failure(
    text: &mut String,
    index: u32,
    item: Option<&String>,
    state: &JobState,
    explanation: &Explanation,
    wording: Wording<'_>,
) {
    let attempt = explaining_attempt(state.attempts_of(index));
    let attempts = match state.attempts_of(index).count() {
        0 | 1 => String::new(),
        _ if attempt.is_none() => String::new(),
        count => format!(" after {count} attempts"),
    };
    let end = match attempt {
        Some(attempt) => format!(" failed{attempts}: {}, pod {}", explanation.manner, attempt.pod),
        None => " failed; its Pod no longer exists".to_owned(),
    };
    let item = item.map_or_else(String::new, |item| {
        let used = format!("index {index} (item \"\")").len() + end.width() + 1;
        let room = wording.width.map_or(TEXT, |width| width.saturating_sub(used).clamp(12, TEXT));
        format!(" (item {:?})", beginning(item, room, wording.style))
    });
    let _ = writeln!(text, "{}", fitted(&format!("index {index}{item}{end}"), 0, wording));
    push_output(text, &attempt.map(last_lines).unwrap_or_default(), wording);
}

fn push_output(text: &mut String, lines: &[String], wording: Wording<'_>) {
    for line in lines {
        let _ = writeln!(text, "{}", fitted(&format!("  | {line}"), 0, wording));
    }
}

/// Groups indexes that failed in the same way.
fn group_failures(
    state: &JobState,
    items: &ItemTexts,
    failed: &IndexSet,
    wording: Wording<'_>,
) -> Vec<IndexGroup<Explanation>> {
    let members = failed.iter().map(|index| {
        let attempt = explaining_attempt(state.attempts_of(index));
        let explain = |attempt| Some(cause::explain_end(attempt, Subject { job: state.job()?, wording }));
        let explanation = attempt.and_then(explain).unwrap_or_else(Explanation::gone);
        let own = [items.get(&index).map_or("", String::as_str), attempt.map_or("", |attempt| &attempt.pod)];
        let common = without_differences(&explanation.last_line, &own, wording.style);
        (index, (explanation.manner.clone(), common), explanation)
    });
    group_indexes(members, |(_, common), shared, next| {
        if shared.last_line != next.last_line {
            shared.last_line.clone_from(common);
        }
    })
}

fn last_lines(attempt: &Attempt) -> Vec<String> {
    let lines: Vec<_> = attempt.own_message().unwrap_or_default().lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].iter().map(|line| last_state(line).into_owned()).collect()
}

/// Returns a line cut to the width of the terminal, with `reserved` columns for more.
fn fitted<'a>(line: &'a str, reserved: usize, wording: Wording<'_>) -> Cow<'a, str> {
    wording.width.map_or(Cow::Borrowed(line), |width| cut(line, width.saturating_sub(reserved), wording.style))
}

/// Returns a set of at most `room` characters; `end` stands for the rest.
fn shortened(set: &IndexSet, room: usize, end: &str) -> String {
    let whole = set.to_string();
    if whole.len() <= room {
        return whole;
    }
    let start = &whole[..room.saturating_sub(end.width())];
    format!("{}{end}", start.rfind(',').map_or("", |comma| &start[..=comma]))
}

#[cfg(test)]
mod tests;
