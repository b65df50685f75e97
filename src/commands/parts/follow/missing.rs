//! Logs that are missing: the indexes, and the reasons.

use std::collections::BTreeMap;

use anyhow::Result;
use k8s_openapi::api::core::v1::Event as Happened;

use super::pick::{Pick, Picked};
use super::print::LogPrinter;
use crate::cluster::logs::{LogEnd, LogSource, Lost};
use crate::commands::Context;
use crate::commands::find::parse_pod_name;
use crate::commands::outputs::cut::{CutLogs, ROTATED};
use crate::error::{Error, chain};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::{JobState, Outcome};
use crate::view::{Style, beginning, numbered};

/// Longest part of an event's message that is printed, in characters.
const LONGEST_MESSAGE: usize = 200;

/// The indexes without a log, or without a part of it, and why.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    /// The Pod is gone, and nothing says why.
    gone: IndexSet,
    /// By reason: a part of the log is missing.
    torn: BTreeMap<String, IndexSet>,
    /// By reason: the whole log is missing.
    unread: BTreeMap<String, IndexSet>,
    /// By reason: there is no log, and there will be none.
    unstarted: BTreeMap<String, IndexSet>,
    /// By reason: there is no log yet, but the Job still runs.
    waiting: BTreeMap<String, IndexSet>,
    /// Logs that are known to be incomplete on their nodes.
    cut: CutLogs,
    /// For each index, the last attempt whose log could not be read to its end.
    lost: BTreeMap<u32, u32>,
    /// For each index with several attempts, the last attempt whose log was read to its end.
    read: BTreeMap<u32, u32>,
}

impl Missing {
    pub(crate) fn new(cut: CutLogs) -> Self {
        Self { cut, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let logs = [&self.torn, &self.unread, &self.unstarted, &self.waiting];
        logs.iter().all(|logs| logs.is_empty()) && self.gone.is_empty()
    }

    /// Whether the events of Pods may explain more.
    pub(crate) fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// Notes a log that could not be read to its end, and returns a warning about it. `begun` says whether a part was read,
    /// `has_message` whether the termination message was printed instead.
    fn add_lost(&mut self, source: &LogSource, error: &Error, begun: bool, has_message: bool) -> String {
        let index = source.index;
        self.lost.insert(index, source.attempt);
        let why =
            chain(std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source()));
        if begun {
            return self.add_torn(index, &why);
        }
        let instead = if has_message { "; its termination message is printed instead" } else { "" };
        let why = format!(": {why}{instead}");
        let warning = format!("no log from {}", describe_unread(&IndexSet::from_iter([index]), &why));
        self.add_unread(index, why);
        warning
    }

    /// Notes a log that may lack lines, and returns a warning about it.
    fn add_gap(&mut self, index: u32) -> String {
        self.add_torn(index, ROTATED)
    }

    fn add_torn(&mut self, index: u32, why: &str) -> String {
        self.torn.entry(why.to_owned()).or_default().insert(index);
        describe_torn(&IndexSet::from_iter([index]), why)
    }

    /// Notes why no log of an index was begun.
    pub(crate) fn add_unstarted(&mut self, index: u32, pick: &Pick, state: &JobState) {
        let finished = state.has_succeeded(index) || state.has_failed(index);
        let Some((number, attempt)) = state.numbered_attempts_of(index).last() else {
            if finished {
                self.gone.insert(index);
            } else {
                let logs = if state.outcome().is_none() { &mut self.waiting } else { &mut self.unstarted };
                logs.entry(reason_without_pod(state)).or_default().insert(index);
            }
            return;
        };
        let may_start = !finished && state.outcome().is_none();
        let (why, may_start) = if !(1..=number).any(|number| pick.takes_attempt(number)) {
            (format!(" (it has no such attempt: the last is {number})"), false)
        } else if attempt.has_started() {
            let has_ended = attempt.log_ended || attempt.failed_init().is_some();
            (reason_without_log(attempt), may_start && !has_ended && !pick.is_previous())
        } else {
            let reason = attempt.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
            (format!(" (not started{reason})"), may_start)
        };
        let logs = if may_start { &mut self.waiting } else { &mut self.unstarted };
        logs.entry(why).or_default().insert(index);
    }

    /// Takes out the indexes that may still start, except those in `named`. Returns a sentence about them.
    pub(crate) fn take_waiting(&mut self, named: &IndexSet) -> Option<String> {
        let mut parts = Vec::new();
        for (why, indexes) in &mut self.waiting {
            let others = indexes.difference(named);
            *indexes = indexes.intersection(named);
            if !others.is_empty() {
                parts.push(describe_unread(&others, why));
            }
        }
        self.waiting.retain(|_, indexes| !indexes.is_empty());
        (!parts.is_empty()).then(|| format!("no log yet from {}", parts.join("; ")))
    }

    /// Keeps the logs of indexes that ended by themselves. An index that the Job's end stopped, or kept from starting,
    /// is reported with the Job. If another attempt followed, as after an eviction, the warning was enough.
    pub(crate) fn of_ended(mut self, state: &JobState) -> Self {
        let ended = state.succeeded().union(&state.failed());
        self.unstarted.clear();
        self.waiting.clear();
        self.gone = self.gone.intersection(&ended);
        self.lost.retain(|index, lost| self.read.get(index).is_some_and(|read| read > lost));
        let ended = ended.difference(&self.lost.keys().copied().collect());
        for logs in [&mut self.torn, &mut self.unread] {
            for indexes in logs.values_mut() {
                *indexes = indexes.intersection(&ended);
            }
            logs.retain(|_, indexes| !indexes.is_empty());
        }
        self
    }

    fn add_unread(&mut self, index: u32, why: String) {
        self.unread.entry(why).or_default().insert(index);
    }

    /// Explains by events why Pods are gone.
    pub(crate) fn explain(&mut self, events: &[Happened], job: &str, style: Style) {
        for index in self.gone.iter().collect::<Vec<_>>() {
            let event = events.iter().rfind(|event| {
                let name = event.involved_object.name.as_deref().unwrap_or_default();
                // A name with more parts behind the index is that of another Job's Pod.
                parse_pod_name(name, job)
                    .is_some_and(|(of, random)| of == index && !random.is_empty() && !random.contains('-'))
            });
            let Some(event) = event else { continue };
            let reason = event.reason.as_deref().unwrap_or_default();
            let message =
                event.message.as_deref().map(|message| format!(": {}", beginning(message, LONGEST_MESSAGE, style)));
            let why = format!(" (its pod is gone: {reason}{})", message.unwrap_or_default());
            self.gone = self.gone.difference(&IndexSet::from_iter([index]));
            self.add_unread(index, why);
        }
    }

    /// Returns one sentence: which logs are missing or not complete, and why.
    pub(crate) fn sentence(&self) -> String {
        let mut parts = Vec::new();
        for (why, indexes) in self.unread.iter().chain(&self.unstarted).chain(&self.waiting) {
            parts.push(describe_unread(indexes, why));
        }
        if !self.gone.is_empty() {
            let pods = if self.gone.len() == 1 { "its pod is gone" } else { "their pods are gone" };
            parts.push(format!("{} ({pods}: deleted by somebody, or by the cluster)", numbered(&self.gone)));
        }
        let unread = (!parts.is_empty()).then(|| format!("no log from {}", parts.join("; ")));
        let torn = self.torn.iter().map(|(why, indexes)| describe_torn(indexes, why));
        unread.into_iter().chain(torn).collect::<Vec<_>>().join("; ")
    }
}

fn describe_unread(indexes: &IndexSet, why: &str) -> String {
    format!("{}{why}", numbered(indexes))
}

fn describe_torn(indexes: &IndexSet, why: &str) -> String {
    let logs = if indexes.len() == 1 { "the log" } else { "each log" };
    format!("{logs} of {} is not complete: {why}", numbered(indexes))
}

/// Whether an event explains why a Pod ended. All other events are about its start.
pub(crate) fn is_about_end(event: &Happened) -> bool {
    let reason = event.reason.as_deref().unwrap_or_default();
    ["Killing", "Evicted", "Preempted", "Preempting", "TaintManagerEviction", "NodeNotReady", "Shutdown", "DeletingPod"]
        .contains(&reason)
}

/// Returns why an unfinished index has no Pod.
fn reason_without_pod(state: &JobState) -> String {
    match (state.outcome(), state.ending_condition().and_then(|condition| condition.reason.as_deref())) {
        (Some(Outcome::Failed), Some(reason)) => format!(" (stopped or never started when the job failed: {reason})"),
        (Some(_), Some(reason)) => format!(" (stopped or never started when the job ended: {reason})"),
        (Some(_), None) => " (stopped or never started when the job ended)".to_owned(),
        (None, _) => " (not started: no pod yet)".to_owned(),
    }
}

/// Returns why an attempt that has started has no log.
fn reason_without_log(attempt: &Attempt) -> String {
    match (attempt.failed_init(), attempt.exit_code) {
        (Some(init), Some(code)) => {
            format!(" (not started: init container {} failed with exit code {code}; --init prints its log)", init.name)
        }
        _ => match &attempt.reason {
            Some(reason) => format!(" (not started: {reason})"),
            None => " (no such log)".to_owned(),
        },
    }
}

/// Notes how the reading of a log ended. If no line was read and the log is still `picked`, prints the container's
/// termination message instead. Returns a warning, which only a followed log needs.
pub(crate) fn note_end(
    source: &LogSource,
    picked: Option<&Picked<'_>>,
    result: &Result<LogEnd, Lost>,
    printer: &mut LogPrinter,
    missing: &mut Missing,
    context: &mut Context,
) -> Result<Option<String>> {
    match result {
        Ok(LogEnd { gap, .. }) => {
            printer.finish_log(source)?;
            if source.attempt > 1 {
                missing.read.insert(source.index, source.attempt);
            }
            Ok((*gap || missing.cut.contains(&source.pod)).then(|| missing.add_gap(source.index)))
        }
        Err(Lost { error, begun }) => {
            let has_message = match picked {
                // If lines were read, the message repeats the last of them.
                Some(picked) if !begun => print_message(picked, printer, context)?,
                _ => false,
            };
            Ok(Some(missing.add_lost(source, error, *begun, has_message)))
        }
    }
}

/// Prints the termination message of a container. Returns whether there is one.
fn print_message(picked: &Picked<'_>, printer: &mut LogPrinter, context: &mut Context) -> Result<bool> {
    let Picked { source, attempt, .. } = picked;
    let of_this = attempt.container.as_ref() == Some(&source.container);
    let Some(message) = attempt.own_message().filter(|_| of_this) else {
        return Ok(false);
    };
    let lines = message.lines().map(|line| (attempt.finished, line.as_bytes()));
    printer.print_lines(source, lines, &mut context.ui)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_missing_logs_first_and_incomplete_logs_last() {
        let mut missing = Missing::default();
        assert_eq!(missing.add_gap(3), "the log of index 3 is not complete: its node has deleted a part of the log");
        missing.add_gap(7);
        let torn = "each log of indexes 3,7 is not complete: its node has deleted a part of the log";
        assert_eq!(missing.sentence(), torn);
        missing.add_unread(1, " (not started)".to_owned());
        assert_eq!(missing.sentence(), format!("no log from index 1 (not started); {torn}"));
        let error = Error::new(crate::error::Kind::NotFound, "pods \"x\" not found");
        let source = |index| LogSource { index, attempt: 1, pod: "x".to_owned(), container: String::new() };
        let broken = "the log of index 2 is not complete: pods \"x\" not found";
        assert_eq!(missing.add_lost(&source(2), &error, true, false), broken);
        assert_eq!(missing.add_lost(&source(4), &error, false, false), "no log from index 4: pods \"x\" not found");
        assert_eq!(
            missing.sentence(),
            format!("no log from index 1 (not started); index 4: pods \"x\" not found; {torn}; {broken}")
        );
    }

    #[test]
    fn an_index_that_may_still_start_is_missing_only_if_it_was_named() {
        let mut missing = Missing::default();
        missing.waiting.insert(" (not started)".to_owned(), IndexSet::below(3));
        let note = missing.take_waiting(&IndexSet::from_iter([2]));
        assert_eq!(note.as_deref(), Some("no log yet from indexes 0,1 (not started)"));
        assert_eq!(missing.sentence(), "no log from index 2 (not started)");
        assert_eq!((missing.take_waiting(&IndexSet::below(3)), missing.is_empty()), (None, false));
    }
}
