//! Logs that can't be had: whose, why, and what is left of them.

use std::collections::BTreeMap;

use anyhow::Result;
use k8s_openapi::api::core::v1::Event as Happened;

use super::pick::{Pick, Picked};
use super::print::LogPrinter;
use crate::cluster::logs::{LogEnd, LogSource, Lost};
use crate::commands::Context;
use crate::commands::find::index_in;
use crate::commands::outputs::cut::{CutLogs, PUT_AWAY};
use crate::error::{Error, chain};
use crate::index_set::IndexSet;
use crate::state::attempt::Attempt;
use crate::state::{JobState, Outcome};
use crate::view::{beginning, numbered};

/// How much of a message is told, in characters.
const MESSAGE: usize = 200;

/// The indexes without a log, or without a part of it, and why.
#[derive(Debug, Default)]
pub(crate) struct Missing {
    gone: IndexSet,
    /// A part is missing, for this reason.
    torn: BTreeMap<String, IndexSet>,
    told: BTreeMap<String, IndexSet>,
    /// No log was begun, for this reason.
    unstarted: BTreeMap<String, IndexSet>,
    /// Which logs are known not to be whole on their nodes.
    cut: CutLogs,
    /// The last attempt of each index whose log could not be read to its end.
    lost: BTreeMap<u32, u32>,
    /// The last one whose log was, of an index that had several.
    read: BTreeMap<u32, u32>,
}

impl Missing {
    pub(crate) fn new(cut: CutLogs) -> Self {
        Self { cut, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        [&self.torn, &self.told, &self.unstarted].iter().all(|logs| logs.is_empty()) && self.gone.is_empty()
    }

    /// Whether the events of Pods could tell more.
    pub(crate) fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// The log could not be read to its end, from which a part has come, or the last words of the container. Returns what is
    /// to be said of it at once.
    fn lost(&mut self, source: &LogSource, error: &Error, begun: bool, has_message: bool) -> String {
        let index = source.index;
        self.lost.insert(index, source.attempt);
        let why =
            chain(std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source()));
        if begun {
            return self.tear(index, &why);
        }
        let instead = if has_message { "; its termination message is printed instead" } else { "" };
        let why = format!(": {why}{instead}");
        let said = none(&IndexSet::from_iter([index]), &why);
        self.tell(index, why);
        format!("no log from {said}")
    }

    /// Lines may be missing of the log. Returns what is to be said of it at once.
    fn gap(&mut self, index: u32) -> String {
        self.tear(index, PUT_AWAY)
    }

    fn tear(&mut self, index: u32, why: &str) -> String {
        self.torn.entry(why.to_owned()).or_default().insert(index);
        torn(&IndexSet::from_iter([index]), why)
    }

    pub(crate) fn none_of(&mut self, index: u32, pick: &Pick, state: &JobState) {
        let finished = state.has_succeeded(index) || state.has_failed(index);
        let Some((number, attempt)) = state.numbered_attempts_of(index).last() else {
            if finished {
                self.gone.insert(index);
            } else {
                self.unstarted(index, never_begun(state));
            }
            return;
        };
        if !(1..=number).any(|number| pick.takes_attempt(number)) {
            self.unstarted(index, format!(" (it has no such attempt: the last is {number})"));
        } else if attempt.has_started() {
            self.unstarted(index, not_started_within(attempt));
        } else {
            let reason = attempt.reason.as_deref().map_or_else(String::new, |reason| format!(": {reason}"));
            self.unstarted(index, format!(" (not started{reason})"));
        }
    }

    fn unstarted(&mut self, index: u32, why: String) {
        self.unstarted.entry(why).or_default().insert(index);
    }

    /// Keeps the logs of indexes that ended by themselves. An index that the Job's end stopped, or kept from starting,
    /// is reported with the Job. Of an attempt that another one followed, as after an eviction, the warning was enough.
    pub(crate) fn of_ended(mut self, state: &JobState) -> Self {
        let ended = state.succeeded().union(&state.failed());
        self.unstarted.clear();
        self.gone = self.gone.intersection(&ended);
        self.lost.retain(|index, lost| self.read.get(index).is_some_and(|read| read > lost));
        let ended = ended.difference(&self.lost.keys().copied().collect());
        for logs in [&mut self.torn, &mut self.told] {
            for indexes in logs.values_mut() {
                *indexes = indexes.intersection(&ended);
            }
            logs.retain(|_, indexes| !indexes.is_empty());
        }
        self
    }

    fn tell(&mut self, index: u32, why: String) {
        self.told.entry(why).or_default().insert(index);
    }

    /// What the events of Pods tell of those that are gone.
    pub(crate) fn explain(&mut self, events: &[Happened], job: &str) {
        for index in self.gone.iter().collect::<Vec<_>>() {
            let event = events.iter().rfind(|event| {
                let name = event.involved_object.name.as_deref().unwrap_or_default();
                // What has more behind the index is a Pod of another Job.
                index_in(name, job)
                    .is_some_and(|(of, random)| of == index && !random.is_empty() && !random.contains('-'))
            });
            let Some(event) = event else { continue };
            let reason = event.reason.as_deref().unwrap_or_default();
            let message = event.message.as_deref().map(|message| format!(": {}", beginning(message, MESSAGE)));
            let why = format!(" (its pod is gone: {reason}{})", message.unwrap_or_default());
            self.gone = self.gone.difference(&IndexSet::from_iter([index]));
            self.tell(index, why);
        }
    }

    /// One sentence: which logs are missing or not complete, and why.
    pub(crate) fn sentence(&self) -> String {
        let mut parts = Vec::new();
        for (why, indexes) in self.told.iter().chain(&self.unstarted) {
            parts.push(none(indexes, why));
        }
        if !self.gone.is_empty() {
            let pods = if self.gone.len() == 1 { "its pod is gone" } else { "their pods are gone" };
            parts.push(format!("{} ({pods}: deleted by somebody, or by the cluster)", numbered(&self.gone)));
        }
        let none = (!parts.is_empty()).then(|| format!("no log from {}", parts.join("; ")));
        let torn = self.torn.iter().map(|(why, indexes)| torn(indexes, why));
        none.into_iter().chain(torn).collect::<Vec<_>>().join("; ")
    }
}

fn none(indexes: &IndexSet, why: &str) -> String {
    format!("{}{why}", numbered(indexes))
}

fn torn(indexes: &IndexSet, why: &str) -> String {
    let logs = if indexes.len() == 1 { "the log" } else { "each log" };
    format!("{logs} of {} is not complete: {why}", numbered(indexes))
}

/// Reasons that the events of a Pod give for its end; all others tell how it began.
pub(crate) fn tells_an_end(event: &Happened) -> bool {
    let reason = event.reason.as_deref().unwrap_or_default();
    ["Killing", "Evicted", "Preempted", "Preempting", "TaintManagerEviction", "NodeNotReady", "Shutdown", "DeletingPod"]
        .contains(&reason)
}

/// Why an index has no Pod that the Job has not finished.
fn never_begun(state: &JobState) -> String {
    match (state.outcome(), state.ending_condition().and_then(|condition| condition.reason.as_deref())) {
        (Some(Outcome::Failed), Some(reason)) => format!(" (stopped or never started when the job failed: {reason})"),
        (Some(_), Some(reason)) => format!(" (stopped or never started when the job ended: {reason})"),
        (Some(_), None) => " (stopped or never started when the job ended)".to_owned(),
        (None, _) => " (not started: no pod yet)".to_owned(),
    }
}

/// Why no log has begun of an attempt that has.
fn not_started_within(attempt: &Attempt) -> String {
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

/// Notes how the reading of a log ended. If no line was read, prints the container's termination message instead, where
/// the log is still `picked`. Returns a warning for a log that is followed.
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
            printer.done(source)?;
            if source.attempt > 1 {
                missing.read.insert(source.index, source.attempt);
            }
            Ok((*gap || missing.cut.has(&source.pod)).then(|| missing.gap(source.index)))
        }
        Err(Lost { error, begun }) => {
            let has_message = match picked {
                // The message is the end of what came, or has that.
                Some(picked) if !begun => print_message(picked, printer, context)?,
                _ => false,
            };
            Ok(Some(missing.lost(source, error, *begun, has_message)))
        }
    }
}

/// Prints the last words that the cluster has kept of a container.
fn print_message(picked: &Picked<'_>, printer: &mut LogPrinter, context: &mut Context) -> Result<bool> {
    let Picked { source, attempt, .. } = picked;
    let of_this = attempt.container.as_ref() == Some(&source.container);
    let Some(message) = attempt.own_message().filter(|_| of_this) else {
        return Ok(false);
    };
    let lines = message.lines().map(|line| (attempt.finished, line.as_bytes()));
    printer.lines(source, lines, &mut context.ui)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_torn() {
        let mut missing = Missing::default();
        assert_eq!(missing.gap(3), "the log of index 3 is not complete: its node has put a part of the log away");
        missing.gap(7);
        let torn = "each log of indexes 3,7 is not complete: its node has put a part of the log away";
        assert_eq!(missing.sentence(), torn);
        missing.tell(1, " (not started)".to_owned());
        assert_eq!(missing.sentence(), format!("no log from index 1 (not started); {torn}"));
        let error = Error::new(crate::error::Kind::NotFound, "pods \"x\" not found");
        let source = |index| LogSource { index, attempt: 1, pod: "x".to_owned(), container: String::new() };
        let broken = "the log of index 2 is not complete: pods \"x\" not found";
        assert_eq!(missing.lost(&source(2), &error, true, false), broken);
        assert_eq!(missing.lost(&source(4), &error, false, false), "no log from index 4: pods \"x\" not found");
        assert_eq!(
            missing.sentence(),
            format!("no log from index 1 (not started); index 4: pods \"x\" not found; {torn}; {broken}")
        );
    }
}
