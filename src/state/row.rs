//! What is known of one index, by its attempts: a row of a table, lean enough to keep a hundred thousand of them.

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
    /// How often it was tried; None where nobody knows any more.
    pub(crate) attempts: Option<u32>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) node: Option<String>,
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
    /// The Pod of the attempt that the rest is told of.
    pub(crate) pod: Option<String>,
    /// The Job of that Pod, where a family has several.
    pub(crate) job: Option<String>,
}

impl IndexRow {
    /// An index of that status, by its attempts, the oldest first.
    pub(crate) fn new(index: u32, status: IndexStatus, attempts: &[&Attempt]) -> Self {
        // Of several attempts the last tells how it stands, but a success is not undone by a late double.
        let succeeded = attempts.iter().find(|a| a.phase == Phase::Succeeded && status == IndexStatus::Succeeded);
        let told = succeeded.or(attempts.last()).copied();
        let finished = matches!(status, IndexStatus::Succeeded | IndexStatus::Failed);
        let begun = attempts.iter().map(|attempt| 1 + u32::try_from(attempt.restarts).unwrap_or(0)).sum::<u32>();
        // Of Pods that are gone only the Job controller's count is left.
        let counted = attempts.iter().map(|attempt| attempt.earlier + 1).max().unwrap_or(0);
        // What kept a Pod waiting is no cause of an end that the Job counted later.
        let explained = told.filter(|told| !finished || told.explains_an_end());
        Self {
            index,
            status,
            // A finished index without a Pod was tried; how often, nobody knows any more.
            attempts: (told.is_some() || !finished).then_some(begun.max(counted)),
            exit_code: explained.and_then(|told| told.exit_code),
            reason: explained.and_then(|told| told.reason.clone()),
            message: explained.and_then(|told| told.message.clone()),
            node: told.and_then(|told| told.node.clone()),
            started: told.filter(|told| told.has_started()).and_then(|told| told.started),
            finished: told.and_then(|told| told.finished),
            pod: told.map(|told| told.pod.clone()),
            job: None,
        }
    }

    pub(crate) fn signal(&self) -> Option<&'static str> {
        self.exit_code.and_then(signal)
    }

    /// How many seconds the attempt took, or takes since it started.
    pub(crate) fn seconds(&self, now: Timestamp) -> Option<i64> {
        let at_work = matches!(self.status, IndexStatus::Running | IndexStatus::Retrying | IndexStatus::Unknown);
        let end = self.finished.or(at_work.then_some(now))?;
        Some((end.as_second() - self.started?.as_second()).max(0))
    }
}

/// Rows of Pods that succeeded, of which there may be very many: kept in place of their attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct SucceededRows(BTreeMap<u32, IndexRow>);

impl SucceededRows {
    /// Takes a Pod in, if it succeeded; false if it did not.
    pub(crate) fn take(&mut self, pod: &PodRecord, state: &JobState) -> bool {
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
    /// A row for each of the indexes, in order; those of `succeeded` are given out, and are gone then.
    pub(crate) fn rows(&self, indexes: &IndexSet, succeeded: &mut SucceededRows) -> Vec<IndexRow> {
        let attempts = self.attempts();
        let ending = self.ending_condition().filter(|_| self.outcome() == Some(Outcome::Failed));
        let statuses = self.statuses(indexes).into_iter();
        let rows = statuses.map(|(index, status)| {
            let attempts = attempts.get(&index).map(Vec::as_slice).unwrap_or_default();
            let last = attempts.last();
            // The Job counts an attempt a second or two after it has ended.
            let uncounted = last.is_some_and(|last| last.phase == Phase::Succeeded) || succeeded.0.contains_key(&index);
            let looping = last.and_then(|last| last.reason.as_deref()) == Some("CrashLoopBackOff");
            let status = match status {
                IndexStatus::Pending | IndexStatus::Retrying if uncounted => IndexStatus::Succeeded,
                IndexStatus::Running if looping => IndexStatus::Retrying,
                status => status,
            };
            let mut row = IndexRow::new(index, status, attempts);
            let known = self.attempts.of(index).find(|known| row.pod.as_ref() == Some(&known.attempt.pod));
            row.job = known.and_then(|known| self.job_name(known.member));
            if status == IndexStatus::Succeeded
                && let Some(told) = succeeded.0.remove(&index)
            {
                // Others are of attempts before it, as far as their Pods are still there.
                let others = attempts.iter().filter(|attempt| told.pod.as_ref() != Some(&attempt.pod)).count();
                let known = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
                row = IndexRow { attempts: told.attempts.map(|counted| counted.max(known)), ..told };
            }
            if status == IndexStatus::Pending {
                // It will not run any more; why, the Job tells.
                row.reason = row.reason.or_else(|| ending?.reason.clone());
                row.message = row.message.or_else(|| ending?.message.clone());
            }
            row
        });
        rows.collect()
    }
}
