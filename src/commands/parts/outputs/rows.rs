//! The indexes whose results are asked for, and how each fares: the one place that says where rows come from.

use std::collections::HashMap;

use anyhow::Result;

use super::fetch::Found;
use crate::cluster::Cluster;
use crate::index_set::IndexSet;
use crate::state::attempt::{PodRecord, termination_message};
use crate::state::row::IndexRow;
use crate::state::{IndexStatus, ItemTexts, JobState};
use crate::tracker::selection::IndexSelection;
use crate::tracker::snapshot::load_selected;

/// What the server knows of these indexes now: the Job, and a row of each, in order.
pub(crate) async fn now(
    state: JobState,
    selection: &IndexSelection,
    items: &ItemTexts,
    mut messages: Messages,
    cluster: &Cluster,
) -> Result<(JobState, Vec<Found>)> {
    let (known, mut succeeded) = load_selected(cluster, state.clone(), selection, |pod| messages.see(pod)).await?;
    let mut rows = known.rows(&selection.indexes(&known), &mut succeeded);
    // A Job that goes on is asked for after its Pods, of which some may have ended in between.
    let behind: IndexSet = rows.iter().filter(|row| is_behind(row)).map(|row| row.index).collect();
    if known.outcome().is_none()
        && !behind.is_empty()
        && let Ok(selector) = behind.to_string().parse()
    {
        let behind = IndexSelection::new(Some(selector), Vec::new());
        let (known, mut succeeded) = load_selected(cluster, state, &behind, |pod| messages.see(pod)).await?;
        for row in known.rows(&behind.indexes(&known), &mut succeeded) {
            if let Ok(at) = rows.binary_search_by_key(&row.index, |row| row.index) {
                rows[at] = row;
            }
        }
    }
    let found = rows.into_iter().map(|row| messages.found(row, items)).collect();
    Ok((known, found))
}

/// Whether an index has ended and its Pod does not tell of that.
fn is_behind(row: &IndexRow) -> bool {
    let ended = matches!(row.status, IndexStatus::Succeeded | IndexStatus::Failed);
    ended && row.pod.is_some() && row.exit_code.is_none() && row.reason.is_none() && row.finished.is_none()
}

/// What the Pods wrote to their termination logs, as far as anybody wants to know.
pub(crate) struct Messages {
    wanted: bool,
    container: Option<String>,
    seen: HashMap<String, Result<String, usize>>,
}

impl Messages {
    pub(crate) fn new(wanted: bool, container: Option<&str>) -> Self {
        Self { wanted, container: container.map(str::to_owned), seen: HashMap::new() }
    }

    pub(crate) fn see(&mut self, pod: &PodRecord) {
        if !self.wanted {
            return;
        }
        let message = termination_message(pod, self.container.as_deref());
        if let (Some(message), Some(name)) = (message, &pod.metadata.name) {
            self.seen.insert(name.clone(), message.map(str::to_owned));
        }
    }

    /// An index with its item and its message, which is not kept any longer.
    pub(crate) fn found(&mut self, row: IndexRow, items: &ItemTexts) -> Found {
        let message = row.pod.as_ref().and_then(|pod| self.seen.remove(pod));
        let item = items.get(&row.index).cloned();
        Found { row, item, message }
    }
}
