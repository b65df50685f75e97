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

/// How many ways of failing are told one by one.
const TOLD: usize = 10;
/// How many items are named of those that failed in the same way.
const NAMED: usize = 3;
/// Longest line and item in a sentence, in characters.
const LINE: usize = 120;
/// Longest set of indexes, in characters; `describe` shows them whole.
const RANGES: usize = 160;
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

/// What became of the indexes, and of those that failed the causes: one for each way of failing, the most frequent
/// first. Empty if all completed.
pub(crate) fn failures(state: &JobState, items: &ItemTexts) -> String {
    let failed = state.failed();
    let groups = groups(state, items, &failed);
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
pub(crate) fn failures_among(state: &JobState, items: &ItemTexts, failed: &IndexSet) -> String {
    let mut text = String::new();
    causes(&mut text, state, items, &groups(state, items, failed));
    text
}

fn causes(text: &mut String, state: &JobState, items: &ItemTexts, groups: &[Group]) {
    for group in groups.iter().take(TOLD) {
        let [index] = group.indexes[..] else {
            group.tell(text, state, items);
            continue;
        };
        failure(text, index, items.get(&index), state.attempts_of(index).last(), state.attempts_of(index).count());
    }
    let rest: IndexSet = groups.iter().skip(TOLD).flat_map(|group| group.indexes.iter().copied()).collect();
    if !rest.is_empty() {
        let ways = plural(groups.len() - TOLD, "other way", "other ways");
        let more = plural(rest.len(), "more index", "more indexes");
        let _ = writeln!(text, "{more} failed in {ways}: {}", short(&rest));
    }
}

/// Indexes that failed in the same way.
struct Group {
    /// What they have in common, and then the last line of each where all wrote the same, else what is the same of it.
    cause: String,
    line: String,
    indexes: Vec<u32>,
}

impl Group {
    fn tell(&self, text: &mut String, state: &JobState, items: &ItemTexts) {
        let set: IndexSet = self.indexes.iter().copied().collect();
        let _ = write!(text, "{} × {}", self.indexes.len(), self.cause);
        if !self.line.is_empty() {
            let _ = write!(text, ": {:?}", cut(&self.line, LINE));
        }
        let _ = writeln!(text, " (indexes {})", short(&set));
        let named: Vec<_> = self.indexes.iter().filter_map(|index| items.get(index)).collect();
        let mut about = Vec::new();
        if !named.is_empty() {
            let first: Vec<_> = named.iter().take(NAMED).map(|item| format!("{:?}", cut(item, LINE))).collect();
            let more = named.len() - first.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            about.push(format!("items {}{more}", first.join(", ")));
        }
        let example = state.attempts_of(self.indexes[0]).last();
        let lines = example.map(last_lines).unwrap_or_default();
        // A single line has been told already.
        let told = lines.len() <= 1 && lines.first().is_none_or(|line| *line == self.line);
        if let Some(attempt) = example.filter(|_| !told) {
            about.push(format!("index {}, pod {}, wrote last:", attempt.index, attempt.pod));
        }
        if !about.is_empty() {
            let _ = writeln!(text, "  {}", about.join("; "));
        }
        for line in lines.iter().filter(|_| !told) {
            let _ = writeln!(text, "  | {}", escape_control(line));
        }
    }
}

/// Puts together what failed in the same way: the largest group first, of equals the one with the lowest index.
fn groups(state: &JobState, items: &ItemTexts, failed: &IndexSet) -> Vec<Group> {
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    for index in failed.iter() {
        let attempt = state.attempts_of(index).last();
        let cause = attempt.map_or_else(|| "failed; the pod is gone".to_owned(), cause);
        let line = attempt.map(last_lines).unwrap_or_default().last().copied().unwrap_or_default().trim().to_owned();
        let item = items.get(&index).map_or("", String::as_str);
        let common = common(&line, &[item, attempt.map_or("", |attempt| &attempt.pod)]);
        let group = groups.entry((cause.clone(), common.clone())).or_insert_with(|| Group {
            cause,
            line: line.clone(),
            indexes: Vec::new(),
        });
        if group.line != line {
            group.line = common;
        }
        group.indexes.push(index);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.indexes.len()), group.indexes[0]));
    groups
}

/// A line without what differs from index to index: the words given, numbers, and identifiers made of hex digits.
fn common(line: &str, own: &[&str]) -> String {
    let mut line = line.to_owned();
    for word in own.iter().filter(|word| !word.is_empty()) {
        line = without_word(&line, word);
    }
    let mut out = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some(c) = rest.chars().next() {
        let uuid = rest.get(..36).is_some_and(is_uuid);
        let run = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..run];
        let hex = run >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit()) && word.bytes().any(|b| b.is_ascii_digit());
        let length = if uuid {
            36
        } else if hex {
            run
        } else {
            rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())
        };
        if length > 0 {
            differs(&mut out);
            rest = &rest[length..];
        } else {
            // The rest of a word goes with its beginning, so that no number is seen inside of an identifier.
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()).max(c.len_utf8());
            out.push_str(&rest[..letters]);
            rest = &rest[letters..];
        }
    }
    out
}

/// Adds what stands for something that differs; the parts of a time or a version are one.
fn differs(out: &mut String) {
    let joined = out.char_indices().next_back().filter(|(_, c)| matches!(c, '.' | ':' | ',' | '-' | '/'));
    match joined {
        Some((at, _)) if out[..at].ends_with('…') => out.truncate(at),
        _ if out.ends_with('…') => {}
        _ => out.push('…'),
    }
}

fn is_uuid(text: &str) -> bool {
    text.bytes()
        .enumerate()
        .all(|(at, b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// A line without a word, where it stands for itself and is not part of another.
fn without_word(line: &str, word: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut from = 0;
    for (at, _) in line.match_indices(word) {
        let end = at + word.len();
        let part = line[..at].ends_with(char::is_alphanumeric) || line[end..].starts_with(char::is_alphanumeric);
        if !part {
            out.push_str(&line[from..at]);
            out.push('…');
            from = end;
        }
    }
    out.push_str(&line[from..]);
    out
}

/// Why an attempt failed, without where.
fn cause(attempt: &Attempt) -> String {
    let mut causes = Vec::new();
    if let Some(code) = attempt.exit_code {
        causes.push(match signal(code) {
            Some(signal) => format!("exit code {code} ({signal})"),
            None => format!("exit code {code}"),
        });
    }
    // "Error" says no more than the exit code does.
    causes.extend(attempt.reason.clone().filter(|reason| reason != "Error" || attempt.exit_code.is_none()));
    if causes.is_empty() { "failed".to_owned() } else { causes.join(", ") }
}

/// The signal that ended a process, by the exit code that a shell and a container runtime give it.
pub(crate) fn signal(exit_code: i32) -> Option<&'static str> {
    Some(match exit_code - 128 {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        _ => return None,
    })
}

fn last_lines(attempt: &Attempt) -> Vec<&str> {
    let lines: Vec<_> = attempt.message.as_deref().unwrap_or_default().lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
}

/// A set that fits a few lines.
fn short(set: &IndexSet) -> String {
    let whole = set.to_string();
    match whole.char_indices().skip(RANGES).find(|(_, c)| *c == ',') {
        Some((at, _)) => format!("{},… ({} in all)", &whole[..at], set.len()),
        None => whole,
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
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
    let _ = writeln!(text, ": {}, pod {}", cause(attempt), attempt.pod);
    for line in last_lines(attempt) {
        let _ = writeln!(text, "  | {}", escape_control(line));
    }
}

#[cfg(test)]
mod tests;
