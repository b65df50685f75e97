//! What the server knows of a Job and its Pods at one time.

use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Kind};
use crate::state::attempt::PodRecord;
use crate::state::row::SucceededRows;
use crate::state::{Event, JobState};

/// Lists these Pods of a Job: rows of those that succeeded, of which there may be many, and attempts of the others. Each
/// is shown to `see` first.
pub(super) async fn gather(
    mut state: JobState,
    mut filter: PodFilter<'_>,
    cluster: &Cluster,
    mut see: impl FnMut(&PodRecord),
) -> Result<(JobState, SucceededRows), Error> {
    let mut succeeded = SucceededRows::default();
    let Some(job) = state.job().cloned() else { return Ok((state, succeeded)) };
    loop {
        let mut seen = false;
        cluster
            .each_pod(&job, filter, |pod| {
                seen = true;
                see(&pod);
                if !succeeded.take(&pod) {
                    state.apply(Event::Pod(Box::new(pod)));
                }
            })
            .await?;
        // Servers before 1.28 give Pods no label with their index.
        if seen || filter.indexes.take().is_none() {
            break;
        }
    }
    if state.outcome().is_none() {
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
