//! What the server knows of a Job and its Pods at one time.

use super::family;
use crate::cluster::{Cluster, PodFilter};
use crate::error::{Error, Kind};
use crate::state::attempt::PodRecord;
use crate::state::row::SucceededRows;
use crate::state::{Event, JobState};

/// Lists these Pods of a Job, or of all Jobs of a family: rows of those that succeeded, of which there may be many, and
/// attempts of the others. Each is shown to `see` first.
pub(in crate::commands) async fn gather(
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
            // One that was deleted meanwhile is told as it was.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok((state, succeeded))
}
