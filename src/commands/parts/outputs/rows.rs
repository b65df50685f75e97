//! Loads the rows of indexes whose outputs are to be fetched.

use std::collections::HashMap;

use anyhow::Result;

use super::fetch::OutputRequest;
use crate::cluster::Cluster;
use crate::index_set::IndexSet;
use crate::state::attempt::{PodRecord, termination_message};
use crate::state::row::IndexRow;
use crate::state::{IndexStatus, JobState};
use crate::tracker::selection::IndexSelection;
use crate::tracker::snapshot::load_selected;

/// Loads the Job and a row for each selected index, in index order.
pub(crate) async fn load(
    state: JobState,
    selection: &IndexSelection,
    mut messages: Messages,
    cluster: &Cluster,
) -> Result<(JobState, Vec<OutputRequest>)> {
    let (known, mut succeeded) = load_selected(cluster, state.clone(), selection, |pod| messages.note(pod)).await?;
    let mut rows = known.rows(&selection.indexes(&known), &mut succeeded);
    // The Job is read after its Pods: some may have ended in between.
    let behind: IndexSet = rows.iter().filter(|row| is_behind(row)).map(|row| row.index).collect();
    if known.outcome().is_none()
        && !behind.is_empty()
        && let Ok(selector) = behind.to_string().parse()
    {
        let behind = IndexSelection::new(Some(selector), Vec::new());
        let (known, mut succeeded) = load_selected(cluster, state, &behind, |pod| messages.note(pod)).await?;
        for row in known.rows(&behind.indexes(&known), &mut succeeded) {
            if let Ok(at) = rows.binary_search_by_key(&row.index, |row| row.index) {
                rows[at] = row;
            }
        }
    }
    let requests = rows.into_iter().map(|row| messages.request(row)).collect();
    Ok((known, requests))
}

/// Whether an index has ended, and its Pod does not show it yet.
fn is_behind(row: &IndexRow) -> bool {
    let ended = matches!(row.status, IndexStatus::Succeeded | IndexStatus::Failed);
    ended && row.pod.is_some() && row.exit_code.is_none() && row.reason.is_none() && row.finished.is_none()
}

/// The termination messages of Pods, by the name of the Pod.
pub(crate) struct Messages {
    /// Whether any are kept.
    wanted: bool,
    container: Option<String>,
    texts: HashMap<String, Result<String, usize>>,
}

impl Messages {
    pub(crate) fn new(wanted: bool, container: Option<&str>) -> Self {
        Self { wanted, container: container.map(str::to_owned), texts: HashMap::new() }
    }

    pub(crate) fn note(&mut self, pod: &PodRecord) {
        if !self.wanted {
            return;
        }
        let message = termination_message(pod, self.container.as_deref());
        if let (Some(message), Some(name)) = (message, &pod.metadata.name) {
            self.texts.insert(name.clone(), message.map(str::to_owned));
        }
    }

    /// Returns a request with the message of the Pod, which is no longer kept here.
    pub(crate) fn request(&mut self, row: IndexRow) -> OutputRequest {
        let message = row.pod.as_ref().and_then(|pod| self.texts.remove(pod));
        OutputRequest { row, message }
    }
}
