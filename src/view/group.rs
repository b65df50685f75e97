//! What is the same of many attempts, so that one line can tell of all.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::line::last_state;
use crate::state::attempt::{Attempt, signal};

/// Indexes of which the same can be told.
#[derive(Clone, Debug)]
pub(super) struct Group<T> {
    /// In the order in which they came, at least one.
    pub(super) indexes: Vec<u32>,
    pub(super) told: T,
}

/// Puts together what has the same key: the largest group first, of equals the one with the lowest index. `join` adds
/// what is to be told of one more index to what is told of those before.
pub(super) fn groups<K: Ord, T>(
    members: impl IntoIterator<Item = (u32, K, T)>,
    join: impl Fn(&K, &mut T, T),
) -> Vec<Group<T>> {
    let mut groups: BTreeMap<K, Group<T>> = BTreeMap::new();
    for (index, key, told) in members {
        if let Some(group) = groups.get_mut(&key) {
            group.indexes.push(index);
            join(&key, &mut group.told, told);
        } else {
            groups.insert(key, Group { indexes: vec![index], told });
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| (Reverse(group.indexes.len()), group.indexes.first().copied()));
    groups
}

/// How an attempt ended: its exit code, with the signal that it stands for, and the reason where that says more.
pub(super) fn end(attempt: &Attempt) -> (Option<String>, Option<String>) {
    let other = attempt.container.as_ref().filter(|_| attempt.is_other_container);
    let init = if attempt.failed_init().is_some() { "init " } else { "" };
    let of = other.map_or_else(String::new, |name| format!(" of {init}container {name}"));
    let code = attempt.exit_code.map(|code| match signal(code) {
        Some(signal) => format!("exit code {code} ({signal}){of}"),
        None => format!("exit code {code}{of}"),
    });
    // "Error" says no more than the exit code does.
    let reason = attempt.reason.clone().filter(|reason| reason != "Error" || code.is_none());
    (code, reason)
}

/// Returns the attempt that explains how an index failed, if its Pod is known to have ended.
pub(super) fn ending<'a>(mut attempts: impl DoubleEndedIterator<Item = &'a Attempt>) -> Option<&'a Attempt> {
    attempts.rfind(|attempt| attempt.explains_an_end())
}

/// Returns the last line of a message that says something: the one behind which a program gave up.
pub(super) fn last_line(message: Option<&str>) -> String {
    let mut lines = message.unwrap_or_default().lines().rev().map(|line| last_state(line).trim().to_owned());
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// A line without what differs from index to index: the words given, numbers, and identifiers made of hex digits.
pub(super) fn common(line: &str, own: &[&str]) -> String {
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

#[cfg(test)]
mod tests;
