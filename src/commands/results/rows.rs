//! The indexes whose results are asked for, and how each fares: the one place that says where rows come from.

use std::collections::HashMap;

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;

use super::fetch::Found;
use crate::cluster::Cluster;
use crate::commands::find;
use crate::commands::indexes::{Asked, look};
use crate::index_set::{IndexSelector, IndexSet};
use crate::state::JobState;
use crate::state::attempt::{Attempt, PodRecord, termination_message};
use crate::state::row::IndexRow;
use crate::view::summary::ItemTexts;

/// The Job, and a row of each index that is asked for, in order.
pub(super) struct Rows {
    pub(super) state: JobState,
    pub(super) found: Vec<Found>,
}

/// What the server knows of these indexes now.
///
/// # Errors
/// If an index is named that the Job does not have, or the server can't tell.
pub(super) async fn now(
    job: &Job,
    selector: Option<IndexSelector>,
    items: &ItemTexts,
    mut messages: Messages,
    cluster: &Cluster,
) -> Result<Rows> {
    let asked = Asked { selector, statuses: Vec::new() };
    let (state, mut succeeded) = look(cluster, job, &asked, |pod| messages.see(pod)).await?;
    let rows = asked.rows(&state, &mut succeeded)?;
    let found = rows.into_iter().map(|row| messages.found(row, items)).collect();
    Ok(Rows { state, found })
}

/// The indexes whose items are needed.
pub(super) fn all(job: &Job) -> IndexSet {
    IndexSet::below(JobState::new(job.clone()).completions())
}

/// The items of a Job, of these indexes or of all.
pub(super) async fn items(
    job: &Job,
    selector: Option<&IndexSelector>,
    all_of_them: bool,
    cluster: &Cluster,
) -> ItemTexts {
    let wanted = selector.filter(|_| !all_of_them).and_then(IndexSelector::fixed).unwrap_or_else(|| all(job));
    find::items_of(&wanted, job, cluster).await
}

/// What the Pods wrote to their termination logs, as far as anybody wants to know.
pub(super) struct Messages {
    wanted: bool,
    container: Option<String>,
    /// By index, each with its Pod.
    seen: HashMap<u32, Vec<(String, String)>>,
}

impl Messages {
    pub(super) fn new(wanted: bool, container: Option<&str>) -> Self {
        Self { wanted, container: container.map(str::to_owned), seen: HashMap::new() }
    }

    /// Takes a Pod in.
    pub(super) fn see(&mut self, pod: &PodRecord) {
        if !self.wanted {
            return;
        }
        let message = termination_message(pod, self.container.as_deref());
        if let (Some(message), Some(attempt)) = (message, Attempt::from_pod(pod)) {
            let of_index = self.seen.entry(attempt.index).or_default();
            of_index.retain(|(pod, _)| *pod != attempt.pod);
            of_index.push((attempt.pod, message.to_owned()));
        }
    }

    /// An index with its item and its message, which is not kept any longer.
    pub(super) fn found(&mut self, row: IndexRow, items: &ItemTexts) -> Found {
        let seen = self.seen.remove(&row.index).unwrap_or_default();
        let message = seen.into_iter().find(|(pod, _)| row.pod.as_ref() == Some(pod)).map(|(_, message)| message);
        let item = items.get(&row.index).cloned();
        Found { row, item, message }
    }
}
