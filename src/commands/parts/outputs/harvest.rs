//! Gathering while a Job goes on: each index as soon as it has ended, before its Pod is gone.

use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::fetch::{Found, Gathered, Source};
use super::rows::Messages;
use crate::index_set::IndexSet;
use crate::state::row::{IndexRow, SucceededRows};
use crate::state::{Event, IndexStatus, ItemTexts, JobState};
use crate::tracker::selection::Selection;

/// How many indexes are taken at the most before they are printed, where that is done in turn.
const AHEAD: usize = 64;

/// The indexes of a Job that is followed. What it keeps does not grow with those that have been gathered.
pub(in crate::commands) struct Harvest {
    source: Arc<Source>,
    selection: Selection,
    items: ItemTexts,
    messages: Messages,
    /// Indexes that are gathered, or are being.
    taken: IndexSet,
    under_way: FuturesUnordered<BoxFuture<'static, Result<Gathered>>>,
    /// Where an index is taken when its turn comes: how many are taken and not yet printed.
    ahead: Option<usize>,
}

impl Harvest {
    pub(in crate::commands) fn new(
        source: Arc<Source>,
        selection: Selection,
        items: ItemTexts,
        messages: Messages,
        in_turn: bool,
    ) -> Self {
        Self {
            source,
            selection,
            items,
            messages,
            taken: IndexSet::new(),
            under_way: FuturesUnordered::new(),
            ahead: in_turn.then_some(0),
        }
    }

    /// The indexes that are asked for, which may change while they are named by status.
    pub(in crate::commands) fn selected(&self, state: &JobState) -> IndexSet {
        self.selection.indexes(state)
    }

    /// Notes what Pods wrote to their termination logs.
    pub(in crate::commands) fn see(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Pod(pod) = event {
                self.messages.see(pod);
            }
        }
    }

    /// Begins to fetch what has ended among the indexes that changed.
    pub(in crate::commands) fn take_ended(&mut self, changed: &IndexSet, state: &mut JobState) {
        let open = self.selected(state).difference(&self.taken);
        let in_turn = self.ahead.is_some();
        let open = if in_turn { open } else { open.intersection(changed) };
        for row in rows(&open, state) {
            let ended = has_ended(&row, state);
            if in_turn && (!ended || self.ahead >= Some(AHEAD)) {
                break;
            }
            if ended {
                self.take(row, state);
            }
        }
    }

    /// Begins to fetch all that is left of a Job that has ended.
    pub(in crate::commands) fn take_rest(&mut self, state: &mut JobState) {
        let left = self.selected(state).difference(&self.taken);
        for row in rows(&left, state) {
            self.take(row, state);
        }
    }

    /// Notes that an index was printed that was taken in its turn.
    pub(in crate::commands) fn is_printed(&mut self) {
        self.ahead = self.ahead.map(|ahead| ahead.saturating_sub(1));
    }

    fn take(&mut self, row: IndexRow, state: &mut JobState) {
        self.taken.insert(row.index);
        self.ahead = self.ahead.map(|ahead| ahead + 1);
        if row.status == IndexStatus::Succeeded {
            state.forget(row.index);
        }
        let found: Found = self.messages.found(row, &self.items);
        let source = Arc::clone(&self.source);
        self.under_way.push(Box::pin(async move { source.gather(found).await }));
    }

    /// The next index that is gathered, with its output; None if none is under way.
    pub(in crate::commands) async fn next(&mut self) -> Option<Result<Gathered>> {
        self.under_way.next().await
    }
}

fn rows(indexes: &IndexSet, state: &JobState) -> Vec<IndexRow> {
    if indexes.is_empty() { Vec::new() } else { state.rows(indexes, &mut SucceededRows::default()) }
}

/// Whether an index has ended, and the Pod is known that it ended with: the Job may be ahead of its Pods.
pub(in crate::commands) fn has_ended(row: &IndexRow, state: &JobState) -> bool {
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
