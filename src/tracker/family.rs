//! Loads the family of a Job: the first Job and all its retries, shown as one.

use std::collections::HashMap;

use k8s_openapi::api::batch::v1::Job;

use crate::cluster::{Cluster, PodFilter};
use crate::contract::label;
use crate::error::{Error, Kind};
use crate::state::attempt::PodRecord;
use crate::state::member::{self, Member};
use crate::state::{self, JobState, Outcome};

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

/// Returns the retries that completed a family: for the UID of each failed Job in it, the name of the newest retry that
/// is complete, without the name of the first Job: `r2`.
pub(crate) fn completing_retries<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> HashMap<String, String> {
    let mut families: HashMap<&str, Vec<&Job>> = HashMap::new();
    for job in jobs {
        families.entry(member::family_root(job).1).or_default().push(job);
    }
    let mut retries = HashMap::new();
    for (root, mut jobs) in families.into_iter().filter(|(_, jobs)| jobs.len() > 1) {
        let name = |job: &Job| job.metadata.name.clone().unwrap_or_default();
        let is_retry = |job: &Job| job.metadata.uid.as_deref() != Some(root);
        jobs.sort_by_key(|job| (is_retry(job), retry_number(&name(job))));
        let family = JobState::family(jobs.iter().copied().cloned().collect(), None);
        let is_complete = |job: &&&Job| is_retry(job) && state::outcome(job) == Some(Outcome::Complete);
        let completing = jobs.iter().rev().find(is_complete).filter(|_| family.outcome() == Some(Outcome::Complete));
        let Some(completing) = completing else { continue };
        let (whole, first) = (name(completing), member::family_root(completing).0);
        let short = whole.strip_prefix(first).and_then(|rest| rest.strip_prefix('-')).unwrap_or(&whole);
        let failed = jobs.iter().filter(|job| state::outcome(job) == Some(Outcome::Failed));
        retries.extend(failed.filter_map(|job| Some((job.metadata.uid.clone()?, short.to_owned()))));
    }
    retries
}

/// Returns N for a retry called `NAME-rN`, else 0.
pub(crate) fn retry_number(name: &str) -> u32 {
    name.rsplit_once("-r").and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn job(name: &str, condition: Option<&str>, completed: &str, original: Option<&str>) -> Job {
        let mut job = json!({
            "metadata": {"name": name, "uid": name},
            "spec": {"completions": 3, "completionMode": "Indexed", "backoffLimitPerIndex": 0, "template": {}},
            "status": {"completedIndexes": completed,
                "conditions": condition.map(|type_| json!({"type": type_, "status": "True"})).into_iter().collect::<Vec<_>>()},
        });
        if let Some(original) = original {
            job["metadata"]["labels"] = json!({"kubectl-indexed/family": "x"});
            job["metadata"]["annotations"] = json!({"kubectl-indexed/family-root": "x",
                "kubectl-indexed/family-completions": "3", "kubectl-indexed/original-indexes": original});
            job["spec"]["completions"] = json!(original.split(',').count());
        }
        from_value(job).unwrap()
    }

    #[test]
    fn a_family_that_its_retries_completed_names_the_last_of_them() {
        let root = job("x", Some("Failed"), "0", None);
        let first = job("x-r1", Some("Failed"), "0", Some("1,2"));
        let second = |condition, completed| job("x-r2", condition, completed, Some("2"));
        let other = job("y", Some("Failed"), "", None);
        let completing = |jobs: &[&Job]| {
            let mut retries: Vec<_> = completing_retries(jobs.iter().copied()).into_iter().collect();
            retries.sort();
            retries
        };
        let done = second(Some("Complete"), "0");
        let by = |uid: &str| (uid.to_owned(), "r2".to_owned());
        assert_eq!(completing(&[&done, &other, &first, &root]), [by("x"), by("x-r1")]);
        assert_eq!(completing(&[&root, &first, &second(None, "")]), []);
        assert_eq!(completing(&[&root, &first, &second(Some("Failed"), "")]), []);
        assert_eq!(completing(&[&root, &first, &other]), []);
    }
}
