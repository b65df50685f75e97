//! What the server knows of a family and its Pods at one time.

use super::family;
use super::selection::IndexSelection;
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Kind};
use crate::index_set::IndexSet;
use crate::state::attempt::PodRecord;
use crate::state::member::Member;
use crate::state::row::SucceededRows;
use crate::state::{Event, JobState};

/// Lists these Pods of all Jobs of a family: rows of those that succeeded, of which there may be many, and attempts of
/// the others. Each is shown to `see` first.
pub(crate) async fn load_pods(
    mut state: JobState,
    filter: PodFilter<'_>,
    cluster: &Cluster,
    mut see: impl FnMut(&PodRecord),
) -> Result<(JobState, SucceededRows), Error> {
    let mut succeeded = SucceededRows::default();
    let members = state.members().to_vec();
    let take = |pod: PodRecord| {
        see(&pod);
        if !succeeded.take(&pod, &state) {
            state.apply(Event::Pod(Box::new(pod)));
        }
    };
    family::each_pod(&members, filter, cluster, take).await?;
    for member in members.iter().filter(|member| member.outcome().is_none()) {
        // What has ended since then is in the Job, and no longer among the Pods that were listed.
        match cluster.job(member.name()).await {
            Ok(job) => state.apply(Event::Job(Box::new(job))),
            // A Job that was deleted meanwhile is shown as it was.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok((state, succeeded))
}

/// Lists the Pods that rows of these indexes need; each is shown to `see` first.
pub(crate) async fn load_selected(
    cluster: &Cluster,
    state: JobState,
    selection: &IndexSelection,
    see: impl FnMut(&PodRecord),
) -> Result<(JobState, SucceededRows), Error> {
    // Before anything is listed, so that a wrong index costs nothing.
    selection.check(&state)?;
    let fixed = selection.fixed();
    match selection.pods(&state, fixed.as_ref()) {
        Some(filter) => load_pods(state, filter, cluster, see).await,
        None => Ok((state, SucceededRows::default())),
    }
}

/// Lists the Pods of these indexes of Jobs that have ended, patiently. Pods that succeeded are left out unless
/// `succeeded`.
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
                // Servers before 1.28 give Pods no label with their index.
                pods = cluster.last_pods(member.job(), filter).await?;
            }
            events.extend(pods.into_iter().map(|pod| Event::Pod(Box::new(pod))));
        }
    }
    Ok(events)
}
