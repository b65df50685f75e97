//! Groups of indexes that ended in the same way, so that one line describes all of them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Style;
use super::line::last_state;
use crate::state::attempt::{Attempt, signal};

#[derive(Clone, Debug)]
pub(super) struct IndexGroup<T> {
    /// In the order in which they came, at least one.
    pub(super) indexes: Vec<u32>,
    /// What all indexes have in common.
    pub(super) shared: T,
}

/// Groups indexes by key: the largest group first, of equals the one with the lowest index. `join` merges the value of one
/// more index into the shared value.
pub(super) fn group_indexes<K: Ord, T>(
    members: impl IntoIterator<Item = (u32, K, T)>,
    join: impl Fn(&K, &mut T, T),
) -> Vec<IndexGroup<T>> {
    let mut groups: BTreeMap<K, IndexGroup<T>> = BTreeMap::new();
    for (index, key, value) in members {
        if let Some(group) = groups.get_mut(&key) {
            group.indexes.push(index);
            join(&key, &mut group.shared, value);
        } else {
            groups.insert(key, IndexGroup { indexes: vec![index], shared: value });
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| (Reverse(group.indexes.len()), group.indexes.first().copied()));
    groups
}

/// Returns how an attempt ended: the exit code with its signal, and the reason if it says more.
pub(super) fn end_of(attempt: &Attempt) -> (Option<String>, Option<String>) {
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
pub(super) fn explaining_attempt<'a>(
    mut attempts: impl DoubleEndedIterator<Item = &'a Attempt>,
) -> Option<&'a Attempt> {
    attempts.rfind(|attempt| attempt.explains_an_end())
}

/// Returns the last line of a message that is not blank.
pub(super) fn last_line(message: Option<&str>) -> String {
    let mut lines = message.unwrap_or_default().lines().rev().map(|line| last_state(line).trim().to_owned());
    lines.find(|line| !line.is_empty()).unwrap_or_default()
}

/// Returns a line without what differs from index to index: the `own` words, numbers, and identifiers of hex digits. An
/// ellipsis stands for each.
pub(super) fn without_differences(line: &str, own: &[&str], style: Style) -> String {
    let ellipsis = style.ellipsis();
    let mut line = line.to_owned();
    for word in own.iter().filter(|word| !word.is_empty()) {
        line = without_word(&line, word, ellipsis);
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
            push_ellipsis(&mut out, ellipsis);
            rest = &rest[length..];
        } else {
            // The rest of a word follows its beginning, so that a digit in an identifier is no number.
            let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()).max(c.len_utf8());
            out.push_str(&rest[..letters]);
            rest = &rest[letters..];
        }
    }
    out
}

/// Adds an ellipsis; the parts of a time or a version get one together.
fn push_ellipsis(out: &mut String, ellipsis: &str) {
    let joined = out.char_indices().next_back().filter(|(_, c)| matches!(c, '.' | ':' | ',' | '-' | '/'));
    match joined {
        Some((at, _)) if out[..at].ends_with(ellipsis) => out.truncate(at),
        _ if out.ends_with(ellipsis) => {}
        _ => out.push_str(ellipsis),
    }
}

fn is_uuid(text: &str) -> bool {
    text.bytes()
        .enumerate()
        .all(|(at, b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() })
}

/// Replaces a word of a line by an ellipsis, unless it is part of another word.
fn without_word(line: &str, word: &str, ellipsis: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut from = 0;
    for (at, _) in line.match_indices(word) {
        let end = at + word.len();
        let part = line[..at].ends_with(char::is_alphanumeric) || line[end..].starts_with(char::is_alphanumeric);
        if !part {
            out.push_str(&line[from..at]);
            out.push_str(ellipsis);
            from = end;
        }
    }
    out.push_str(&line[from..]);
    out
}

#[cfg(test)]
mod tests;
