//! The family of a Job: the Job that it began with and all that retry it, told of as one.

use futures::stream::{SelectAll, select_all};
use k8s_openapi::api::batch::v1::Job;

use crate::cluster::watch::{Link, Notices, Pods};
use crate::cluster::{Cluster, PodFilter};
use crate::contract::label;
use crate::error::{Error, Kind};
use crate::index_set::IndexSet;
use crate::state::attempt::PodRecord;
use crate::state::member::{self, Member};
use crate::state::{self, JobState};

/// The state of the whole family of a Job, of which no Pod is known yet; with `only_this` of the Job alone. Either way
/// it speaks of original indexes.
///
/// # Errors
/// If the server can't be asked. Where the user may not list Jobs, the Job is alone.
pub(in crate::commands) async fn load(job: Job, only_this: bool, cluster: &Cluster) -> Result<JobState, Error> {
    if only_this {
        return Ok(JobState::new(job));
    }
    let (name, uid) = member::root(&job);
    let selector = format!("{}={uid}", label::FAMILY);
    let is_root = job.metadata.uid.as_deref() == Some(uid);
    let root = async {
        if is_root {
            return Ok(Some(job.clone()));
        }
        match cluster.job(name).await {
            // Another Job may have the name by now.
            Ok(root) => Ok(Some(root).filter(|root| root.metadata.uid.as_deref() == Some(uid))),
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let (root, retries) = futures::join!(root, cluster.jobs(false, Some(&selector)));
    let mut retries = match retries {
        Ok(retries) => retries,
        Err(error) if error.kind() == Kind::Forbidden => return Ok(JobState::new(job)),
        Err(error) => return Err(error),
    };
    if is_root && retries.is_empty() {
        return Ok(JobState::new(job));
    }
    if !is_root && !retries.iter().any(|retry| retry.metadata.uid == job.metadata.uid) {
        retries.push(job.clone());
    }
    retries.sort_by_key(|retry| number(retry.metadata.name.as_deref().unwrap_or_default()));
    let asked = job.metadata.uid.clone();
    Ok(JobState::family(root?.into_iter().chain(retries).collect(), asked.as_deref()))
}

/// As [`load`], without the retries whose submission was cut off: nothing of them has run, and the same retry again
/// takes them up.
///
/// # Errors
/// As [`load`].
pub(in crate::commands) async fn load_begun(job: Job, cluster: &Cluster) -> Result<JobState, Error> {
    let family = load(job, false, cluster).await?;
    let is_begun = |member: &&Member| !(member.is_retry() && state::is_submitting(member.job()));
    let mut begun: Vec<_> = family.members().iter().filter(is_begun).map(|member| member.job().clone()).collect();
    Ok(match begun.len() {
        0 => family,
        number if number == family.members().len() => family,
        // Told as it was when it had no retry yet.
        1 if family.members()[0].job().metadata.uid == begun[0].metadata.uid => JobState::new(begun.remove(0)),
        _ => JobState::family(begun, None),
    })
}

/// Hands over the Pods of the Jobs of a family, one Job after the other; the indexes of the filter are original ones.
pub(in crate::commands) async fn each_pod(
    members: &[Member],
    filter: PodFilter<'_>,
    cluster: &Cluster,
    mut take: impl FnMut(PodRecord),
) -> Result<(), Error> {
    for member in members {
        let wanted = filter.indexes.map(|indexes| member.own_of(indexes));
        if wanted.as_ref().is_some_and(IndexSet::is_empty) {
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
            // Servers before 1.28 give Pods no label with their index.
            if seen || own.indexes.take().is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Watches the Jobs of a family and their Pods.
pub(in crate::commands) fn watch(state: &JobState, pods: Pods, cluster: &Cluster) -> SelectAll<Notices> {
    let link = Link::default();
    select_all(state.members().iter().map(|member| cluster.watch(member.job(), pods, &link)))
}

/// The Job with what its whole family has completed in place of its own indexes: those are numbered anew in each.
pub(in crate::commands) fn as_told(mut job: Job, state: &JobState) -> Job {
    if let Some(status) =
        job.status.as_mut().filter(|_| state.is_merged() || state.members().iter().any(Member::is_retry))
    {
        status.completed_indexes = Some(state.succeeded().to_string());
    }
    job
}

/// Which retry a Job is, by its name `NAME-rN`.
pub(in crate::commands) fn number(name: &str) -> u32 {
    name.rsplit_once("-r").and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}
