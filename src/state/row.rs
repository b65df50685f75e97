//! A row per index, small enough for a hundred thousand of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::attempt::{Attempt, Phase, PodRecord, signal};
use super::{IndexStatus, JobState, Outcome};
use crate::index_set::IndexSet;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IndexRow {
    pub(crate) index: u32,
    pub(crate) status: IndexStatus,
    /// The number of attempts; `None` if unknown.
    pub(crate) attempts: Option<u32>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) node: Option<String>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
    /// The Pod of the attempt that the other fields describe.
    pub(crate) pod: Option<String>,
    /// The Job of that Pod, if the family has several.
    pub(crate) job: Option<String>,
}

impl IndexRow {
    /// Builds the row of an index from its attempts, the oldest first.
    pub(crate) fn new(index: u32, status: IndexStatus, attempts: &[&Attempt]) -> Self {
        // The last attempt decides, but a late duplicate does not undo a success.
        let succeeded = attempts.iter().find(|a| a.phase == Phase::Succeeded && status == IndexStatus::Succeeded);
        let shown = succeeded.or(attempts.last()).copied();
        let finished = matches!(status, IndexStatus::Succeeded | IndexStatus::Failed);
        let begun = attempts.iter().map(|attempt| 1 + u32::try_from(attempt.restarts).unwrap_or(0)).sum::<u32>();
        // The Job controller's count includes Pods that are gone.
        let counted = attempts.iter().map(|attempt| attempt.earlier + 1).max().unwrap_or(0);
        // The reason of a waiting Pod does not explain a failure that the Job counted later.
        let explained = shown.filter(|shown| !finished || shown.explains_an_end());
        Self {
            index,
            status,
            // A finished index without a Pod had an unknown number of attempts.
            attempts: (shown.is_some() || !finished).then_some(begun.max(counted)),
            exit_code: explained.and_then(|attempt| attempt.exit_code),
            reason: explained.and_then(|attempt| attempt.reason.clone()),
            message: explained.and_then(|attempt| attempt.message.clone()),
            node: shown.and_then(|attempt| attempt.node.clone()),
            started: shown.filter(|attempt| attempt.has_started()).and_then(|attempt| attempt.started),
            finished: shown.and_then(|attempt| attempt.finished),
            pod: shown.map(|attempt| attempt.pod.clone()),
            job: None,
        }
    }

    pub(crate) fn signal(&self) -> Option<&'static str> {
        self.exit_code.and_then(signal)
    }

    /// Returns the duration of the attempt in seconds, until now if it runs.
    pub(crate) fn seconds(&self, now: Timestamp) -> Option<i64> {
        let at_work = matches!(self.status, IndexStatus::Running | IndexStatus::Retrying | IndexStatus::Unknown);
        let end = self.finished.or(at_work.then_some(now))?;
        Some((end.as_second() - self.started?.as_second()).max(0))
    }
}

/// The rows of succeeded Pods, kept instead of their attempts to save memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct SucceededRows(BTreeMap<u32, IndexRow>);

impl SucceededRows {
    /// Adds the row of a succeeded Pod; returns whether the Pod succeeded.
    pub(crate) fn insert_succeeded(&mut self, pod: &PodRecord, state: &JobState) -> bool {
        if pod.status.phase.as_deref() != Some("Succeeded") {
            return false;
        }
        if let Some((member, attempt)) = state.attempt(pod) {
            let row = IndexRow::new(attempt.index, IndexStatus::Succeeded, &[&attempt]);
            self.0.insert(attempt.index, IndexRow { job: state.job_name(member), ..row });
        }
        true
    }
}

impl JobState {
    /// Returns a row for each of the indexes, in order. Moves rows out of `succeeded`.
    pub(crate) fn rows(&self, indexes: &IndexSet, succeeded: &mut SucceededRows) -> Vec<IndexRow> {
        let attempts = self.attempts();
        let ending = self.ending_condition().filter(|_| self.outcome() == Some(Outcome::Failed));
        let statuses = self.statuses(indexes).into_iter();
        let rows = statuses.map(|(index, status)| {
            let attempts = attempts.get(&index).map(Vec::as_slice).unwrap_or_default();
            let last = attempts.last();
            // The Job counts an attempt one or two seconds after its end.
            let uncounted = last.is_some_and(|last| last.phase == Phase::Succeeded) || succeeded.0.contains_key(&index);
            let looping = last.and_then(|last| last.reason.as_deref()) == Some("CrashLoopBackOff");
            let status = match status {
                IndexStatus::Pending | IndexStatus::Retrying if uncounted => IndexStatus::Succeeded,
                IndexStatus::Running if looping => IndexStatus::Retrying,
                status => status,
            };
            let mut row = IndexRow::new(index, status, attempts);
            let known = self.attempts.of_index(index).find(|known| row.pod.as_ref() == Some(&known.attempt.pod));
            row.job = known.and_then(|known| self.job_name(known.member));
            if status == IndexStatus::Succeeded
                && let Some(row_of_pod) = succeeded.0.remove(&index)
            {
                // The other attempts came before it.
                let others = attempts.iter().filter(|attempt| row_of_pod.pod.as_ref() != Some(&attempt.pod)).count();
                let known = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
                row = IndexRow { attempts: row_of_pod.attempts.map(|counted| counted.max(known)), ..row_of_pod };
            }
            if status == IndexStatus::Pending {
                // The index will not run; the Job has the reason.
                row.reason = row.reason.or_else(|| ending?.reason.clone());
                row.message = row.message.or_else(|| ending?.message.clone());
            }
            row
        });
        rows.collect()
    }
}
