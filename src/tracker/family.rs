//! Loads the family of a Job: the first Job and all its retries, shown as one.

use k8s_openapi::api::batch::v1::Job;

use crate::cluster::{Cluster, PodFilter};
use crate::contract::label;
use crate::error::{Error, Kind};
use crate::state::attempt::PodRecord;
use crate::state::member::{self, Member};
use crate::state::{self, JobState};

/// Loads the family of a Job without its Pods; with `only_this`, only the Job. Indexes are original ones in both cases.
/// Also returns an error if retries may be missing because the user may not list Jobs.
pub(crate) async fn load(job: Job, only_this: bool, cluster: &Cluster) -> Result<(JobState, Option<Error>), Error> {
    if only_this {
        return Ok((JobState::new(job), None));
    }
    let (name, uid) = member::family_root(&job);
    let selector = format!("{}={uid}", label::FAMILY);
    let is_root = job.metadata.uid.as_deref() == Some(uid);
    let root = async {
        if is_root {
            return Ok(Some(job.clone()));
        }
        match cluster.job(name).await {
            // Another Job may have the same name now.
            Ok(root) => Ok(Some(root).filter(|root| root.metadata.uid.as_deref() == Some(uid))),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let (root, retries) = futures::join!(root, cluster.jobs(false, Some(&selector)));
    let mut retries = match retries {
        Ok(retries) => retries,
        Err(error) if error.kind() == Kind::Forbidden => {
            return Ok((JobState::new(job), Some(error)));
        }
        Err(error) => return Err(error),
    };
    if is_root && retries.is_empty() {
        return Ok((JobState::new(job), None));
    }
    if !is_root && !retries.iter().any(|retry| retry.metadata.uid == job.metadata.uid) {
        retries.push(job.clone());
    }
    retries.sort_by_key(|retry| retry_number(retry.metadata.name.as_deref().unwrap_or_default()));
    let requested = job.metadata.uid.clone();
    Ok((JobState::family(root?.into_iter().chain(retries).collect(), requested.as_deref()), None))
}

/// Removes the retries whose submission was interrupted: they have run nothing, and the same retry completes them.
pub(crate) fn without_unsubmitted(family: JobState) -> JobState {
    let is_submitted = |member: &&Member| !(member.is_retry() && state::is_submitting(member.job()));
    let mut submitted: Vec<_> =
        family.members().iter().filter(is_submitted).map(|member| member.job().clone()).collect();
    match submitted.len() {
        0 => family,
        number if number == family.members().len() => family,
        // The first Job alone, as before its first retry.
        1 if family.members()[0].job().metadata.uid == submitted[0].metadata.uid => JobState::new(submitted.remove(0)),
        _ => JobState::family(submitted, None),
    }
}

/// Lists the Pods of a family, one Job after the other, and calls `take` with each. The filter has original indexes.
pub(crate) async fn each_pod(
    members: &[Member],
    filter: PodFilter<'_>,
    cluster: &Cluster,
    mut take: impl FnMut(PodRecord),
) -> Result<(), Error> {
    for member in members {
        let wanted = filter.indexes.map(|indexes| member.own_indexes(indexes));
        if wanted.as_ref().is_some_and(|wanted| wanted.is_empty()) {
            continue;
        }
        let mut own = PodFilter { indexes: wanted.as_ref(), ..filter };
        loop {
            let mut seen = false;
            let mut seeing = |pod| {
                seen = true;
                take(pod);
            };
            cluster.each_pod(member.job(), own, &mut seeing).await?;
            // Servers before 1.28 set no index label on Pods: list all of them.
            if seen || own.indexes.take().is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Replaces the Job's completed indexes by those of its family: each Job numbers its own indexes from 0.
pub(crate) fn with_family_completions(mut job: Job, state: &JobState) -> Job {
    if let Some(status) =
        job.status.as_mut().filter(|_| state.is_merged() || state.members().iter().any(Member::is_retry))
    {
        status.completed_indexes = Some(state.succeeded().to_string());
    }
    job
}

/// Returns N for a retry called `NAME-rN`, else 0.
pub(crate) fn retry_number(name: &str) -> u32 {
    name.rsplit_once("-r").and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}
