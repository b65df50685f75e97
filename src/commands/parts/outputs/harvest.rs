//! Gathering while a Job goes on: each index as soon as it has ended, before its Pod is gone.

use std::sync::Arc;

use anyhow::Result;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::fetch::{Gathered, Source};
use super::rows::Messages;
use crate::index_set::IndexSet;
use crate::state::row::{IndexRow, SucceededRows};
use crate::state::{Event, IndexStatus, ItemTexts, JobState};
use crate::tracker::selection::IndexSelection;

/// How many indexes are taken at the most before they are printed, where that is done in turn.
const AHEAD: usize = 64;

/// The indexes of a Job that is followed. What it keeps does not grow with those that have been gathered.
pub(crate) struct Harvest {
    pub(crate) source: Arc<Source>,
    pub(crate) selection: IndexSelection,
    pub(crate) items: ItemTexts,
    pub(crate) messages: Messages,
    taken: IndexSet,
    pub(crate) under_way: FuturesUnordered<BoxFuture<'static, Result<Gathered>>>,
    /// Whether an index is fetched only when its turn comes. A folder holds what can't be printed yet.
    pub(crate) in_turn: bool,
    /// How many indexes are taken and not yet printed.
    pub(crate) ahead: usize,
}

impl Harvest {
    pub(crate) fn new(source: Source, selection: IndexSelection, items: ItemTexts, messages: Messages) -> Self {
        Self {
            source: Arc::new(source),
            selection,
            items,
            messages,
            taken: IndexSet::new(),
            under_way: FuturesUnordered::new(),
            in_turn: false,
            ahead: 0,
        }
    }

    /// Notes what Pods wrote to their termination logs.
    pub(crate) fn see(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Pod(pod) = event {
                self.messages.see(pod);
            }
        }
    }

    /// Begins to fetch what has ended among the indexes that changed.
    pub(crate) fn take_ended(&mut self, changed: &IndexSet, state: &mut JobState) {
        let open = self.selection.indexes(state).difference(&self.taken);
        let open = if self.in_turn { open } else { open.intersection(changed) };
        for row in rows(&open, state) {
            let ended = has_ended(&row, state);
            if self.in_turn && (!ended || self.ahead >= AHEAD) {
                break;
            }
            if ended {
                self.take(row, state);
            }
        }
    }

    /// Begins to fetch all that is left of a Job that has ended.
    pub(crate) fn take_rest(&mut self, state: &mut JobState) {
        let left = self.selection.indexes(state).difference(&self.taken);
        for row in rows(&left, state) {
            self.take(row, state);
        }
    }

    fn take(&mut self, row: IndexRow, state: &mut JobState) {
        self.taken.insert(row.index);
        self.ahead += 1;
        if row.status == IndexStatus::Succeeded {
            state.forget(row.index);
        }
        let found = self.messages.found(row, &self.items);
        let source = Arc::clone(&self.source);
        self.under_way.push(Box::pin(async move { source.gather(found).await }));
    }
}

fn rows(indexes: &IndexSet, state: &JobState) -> Vec<IndexRow> {
    if indexes.is_empty() { Vec::new() } else { state.rows(indexes, &mut SucceededRows::default()) }
}

/// Whether an index has ended, and the Pod is known that it ended with: the Job may be ahead of its Pods.
pub(crate) fn has_ended(row: &IndexRow, state: &JobState) -> bool {
    matches!(row.status, IndexStatus::Succeeded | IndexStatus::Failed)
        && state.attempts_of(row.index).any(|attempt| attempt.is_finished() && row.pod.as_ref() == Some(&attempt.pod))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::batch::v1::Job;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_index_has_ended_when_its_last_pod_has() {
        let job = |failed: &str| {
            let job = json!({
                "metadata": {"name": "j", "uid": "u"},
                "spec": {"completions": 2, "completionMode": "Indexed", "backoffLimitPerIndex": 1, "template": {}},
                "status": {"failedIndexes": failed, "startTime": "2026-01-01T00:00:00Z"},
            });
            serde_json::from_value::<Job>(job).unwrap()
        };
        let pod = |number: u32, phase: &str, index: &str| {
            let pod = json!({
                "metadata": {
                    "name": format!("j-{number}"), "uid": format!("{number}"),
                    "creationTimestamp": format!("2026-01-01T00:00:0{number}Z"),
                    "labels": {"batch.kubernetes.io/job-completion-index": index},
                },
                "status": {"phase": phase},
            });
            Event::Pod(Box::new(serde_json::from_value(pod).unwrap()))
        };
        let mut state = JobState::new(job("")).followed(true);
        let ended = |state: &JobState| {
            let rows = state.rows(&IndexSet::below(2), &mut SucceededRows::default());
            rows.iter().map(|row| has_ended(row, state)).collect::<Vec<_>>()
        };
        state.apply(pod(1, "Failed", "0"));
        state.apply(pod(2, "Running", "0"));
        // The Pod tells of a success before the Job counts it.
        state.apply(pod(3, "Succeeded", "1"));
        assert_eq!(ended(&state), [false, true]);
        // The Job tells of a failure before the Pod does.
        state.apply(Event::Job(Box::new(job("0"))));
        assert_eq!(ended(&state), [false, true]);
        state.apply(pod(2, "Failed", "0"));
        assert_eq!(ended(&state), [true, true]);
    }
}
