//! What the server knows of a Job and its Pods at one time.

use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Kind};
use crate::index_set::IndexSet;
use crate::state::row::SucceededRows;
use crate::state::{self, Event, JobState};

/// Lists these Pods of a Job, or of all Jobs of a family: rows of those that succeeded, of which there may be many, and attempts of the others.
pub(super) async fn gather(
    mut state: JobState,
    filter: PodFilter<'_>,
    cluster: &Cluster,
) -> Result<(JobState, SucceededRows), Error> {
    let mut succeeded = SucceededRows::default();
    let of: Vec<_> = state.members().iter().map(|member| member.job().clone()).collect();
    for (position, job) in of.iter().enumerate() {
        let member = &state.members()[position];
        let wanted = filter.indexes.map(|indexes| member.own_of(indexes));
        if wanted.as_ref().is_some_and(IndexSet::is_empty) {
            continue;
        }
        let mut own = PodFilter { indexes: wanted.as_ref(), ..filter };
        loop {
            let mut seen = false;
            cluster
                .each_pod(job, own, |pod| {
                    seen = true;
                    if !succeeded.take(&pod, &state) {
                        state.apply(Event::Pod(Box::new(pod)));
                    }
                })
                .await?;
            // Servers before 1.28 give Pods no label with their index.
            if seen || own.indexes.take().is_none() {
                break;
            }
        }
    }
    for job in of {
        if state::outcome(&job).is_some() {
            continue;
        }
        // What has ended since then is in the Job, and no longer among the Pods that were listed.
        match cluster.job(job.metadata.name.as_deref().unwrap_or_default()).await {
            Ok(job) => state.apply(Event::Job(Box::new(job))),
            // One that was deleted meanwhile is told as it was.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok((state, succeeded))
}
