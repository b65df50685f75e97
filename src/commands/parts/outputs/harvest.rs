//! Gathers outputs while a Job runs: each as soon as its index has ended, before its Pod is deleted.

use std::sync::Arc;

use anyhow::Result;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::fetch::{Gathered, OutputSource};
use super::rows::Messages;
use crate::index_set::IndexSet;
use crate::state::row::{IndexRow, SucceededRows};
use crate::state::{Event, IndexStatus, JobState};
use crate::tracker::selection::IndexSelection;

/// The maximum number of indexes that are fetched and not yet printed, where they are printed in index order.
const MAX_AHEAD: usize = 64;

/// The indexes of a Job that is followed. Its memory does not grow with the indexes that were gathered.
pub(crate) struct Harvest {
    pub(crate) source: Arc<OutputSource>,
    pub(crate) selection: IndexSelection,
    pub(crate) messages: Messages,
    /// Indexes whose fetch was started.
    started: IndexSet,
    pub(crate) under_way: FuturesUnordered<BoxFuture<'static, Result<Gathered>>>,
    /// Whether indexes are fetched in order, so that few outputs wait to be printed.
    pub(crate) in_order: bool,
    /// The number of indexes whose fetch was started and that are not yet printed.
    pub(crate) ahead: usize,
}

impl Harvest {
    pub(crate) fn new(source: OutputSource, selection: IndexSelection, messages: Messages) -> Self {
        Self {
            source: Arc::new(source),
            selection,
            messages,
            started: IndexSet::new(),
            under_way: FuturesUnordered::new(),
            in_order: false,
            ahead: 0,
        }
    }

    /// Keeps the termination messages of Pods.
    pub(crate) fn note_messages(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Pod(pod) = event {
                self.messages.note(pod);
            }
        }
    }

    /// Starts to fetch the outputs of changed indexes that have ended.
    pub(crate) fn fetch_ended(&mut self, changed: &IndexSet, state: &mut JobState) {
        let open = self.selection.indexes(state).difference(&self.started);
        let open = if self.in_order { open } else { open.intersection(changed) };
        for row in rows(&open, state) {
            let ended = has_ended(&row, state);
            if self.in_order && (!ended || self.ahead >= MAX_AHEAD) {
                break;
            }
            if ended {
                self.start_fetch(row, state);
            }
        }
    }

    /// Starts to fetch all other outputs of a Job that has ended.
    pub(crate) fn fetch_rest(&mut self, state: &mut JobState) {
        let left = self.selection.indexes(state).difference(&self.started);
        for row in rows(&left, state) {
            self.start_fetch(row, state);
        }
    }

    fn start_fetch(&mut self, row: IndexRow, state: &mut JobState) {
        self.started.insert(row.index);
        self.ahead += 1;
        if row.status == IndexStatus::Succeeded {
            state.forget(row.index);
        }
        let request = self.messages.request(row);
        let source = Arc::clone(&self.source);
        self.under_way.push(Box::pin(async move { source.gather(request).await }));
    }
}

fn rows(indexes: &IndexSet, state: &JobState) -> Vec<IndexRow> {
    if indexes.is_empty() { Vec::new() } else { state.rows(indexes, &mut SucceededRows::default()) }
}

/// Whether an index has ended and its last Pod is known: the status of a Job may be newer than the list of its Pods.
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
        // The Pod reports a success before the Job counts it.
        state.apply(pod(3, "Succeeded", "1"));
        assert_eq!(ended(&state), [false, true]);
        // The Job reports a failure before the Pod does.
        state.apply(Event::Job(Box::new(job("0"))));
        assert_eq!(ended(&state), [false, true]);
        state.apply(pod(2, "Failed", "0"));
        assert_eq!(ended(&state), [true, true]);
    }
}
