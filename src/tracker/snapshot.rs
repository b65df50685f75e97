//! Loads the Pods of a family once, without watching.

use super::family;
use super::selection::IndexSelection;
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Kind};
use crate::index_set::IndexSet;
use crate::state::attempt::PodRecord;
use crate::state::member::Member;
use crate::state::row::SucceededRows;
use crate::state::{Event, JobState};

/// Lists Pods of a family: returns succeeded Pods as rows, to save memory, and other Pods as attempts in the state.
/// Calls `visit` with each Pod first.
pub(crate) async fn load_pods(
    mut state: JobState,
    filter: PodFilter<'_>,
    cluster: &Cluster,
    mut visit: impl FnMut(&PodRecord),
) -> Result<(JobState, SucceededRows), Error> {
    let mut succeeded = SucceededRows::default();
    let members = state.members().to_vec();
    let take = |pod: PodRecord| {
        visit(&pod);
        if !succeeded.insert_succeeded(&pod, &state) {
            state.apply(Event::Pod(Box::new(pod)));
        }
    };
    family::each_pod(&members, filter, cluster, take).await?;
    for member in members.iter().filter(|member| member.outcome().is_none()) {
        // Indexes that finished after the Pods were listed are in the Job's newer status.
        match cluster.job(member.name()).await {
            Ok(job) => state.apply(Event::Job(Box::new(job))),
            // A Job that is deleted now keeps its last status.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok((state, succeeded))
}

/// Lists the Pods that the rows of the selected indexes need. Calls `visit` with each Pod first.
pub(crate) async fn load_selected(
    cluster: &Cluster,
    state: JobState,
    selection: &IndexSelection,
    visit: impl FnMut(&PodRecord),
) -> Result<(JobState, SucceededRows), Error> {
    // First of all, so that a wrong index costs no request.
    selection.check_numbers(&state)?;
    let fixed = selection.fixed_indexes();
    match selection.pod_filter(&state, fixed.as_ref()) {
        Some(filter) => load_pods(state, filter, cluster, visit).await,
        None => Ok((state, SucceededRows::default())),
    }
}

/// Lists the Pods of these indexes of ended Jobs, with retries. Includes succeeded Pods only if `succeeded`.
pub(super) async fn last_pods(
    members: &[Member],
    indexes: &IndexSet,
    succeeded: bool,
    cluster: &Cluster,
) -> Result<Vec<Event>, Error> {
    let filter = if succeeded { PodFilter::default() } else { PodFilter::UNSUCCESSFUL };
    let mut events = Vec::new();
    for member in members {
        let own = member.own_indexes(indexes);
        if !own.is_empty() {
            let mut pods = cluster.last_pods(member.job(), PodFilter { indexes: Some(&own), ..filter }).await?;
            if pods.is_empty() {
                // Servers before 1.28 set no index label on Pods: list all of them.
                pods = cluster.last_pods(member.job(), filter).await?;
            }
            events.extend(pods.into_iter().map(|pod| Event::Pod(Box::new(pod))));
        }
    }
    Ok(events)
}
