//! From what the user calls a Job to the Job, and to its items.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;

use super::Context;
use crate::cluster::Cluster;
use crate::error::{Error, Kind};
use crate::index_set::{IndexSelector, IndexSet};
use crate::manifest::read::{self, ItemSource};
use crate::spec::near;
use crate::state::member::Member;
use crate::state::{self, JobState};
use crate::view::summary::ItemTexts;

/// The name in `NAME`, `job/NAME` or `jobs.batch/NAME`.
///
/// # Errors
/// A usage error if another kind of object is named.
pub(in crate::commands) fn job_name(text: &str) -> Result<String, Error> {
    let kinds = ["job", "jobs", "job.batch", "jobs.batch", "jobs.v1.batch"];
    let (_, name) = text.rsplit_once('/').unwrap_or(("", text));
    if name.is_empty() {
        return Err(Error::usage(format!("{text:?} names no job")).hint("write NAME, job/NAME or jobs.batch/NAME"));
    }
    match text.split_once('/') {
        None => Ok(text.to_owned()),
        Some((kind, name)) if kinds.contains(&kind.to_lowercase().as_str()) && !name.contains('/') => {
            Ok(name.to_owned())
        }
        Some((kind, name)) => {
            let error = Error::usage(format!("{text:?} is not a job: it names a {kind:?}"))
                .hint("write NAME, job/NAME or jobs.batch/NAME");
            let is_index = name.parse::<IndexSet>().is_ok();
            Err(if is_index {
                error.hint(format!("--index {name} chooses an index, in the verbs that take one"))
            } else {
                error
            })
        }
    }
}

/// The names of Jobs as [`job_name`] reads them, each once.
///
/// # Errors
/// As [`job_name`].
pub(in crate::commands) fn job_names(texts: &[String]) -> Result<Vec<String>, Error> {
    let mut names: Vec<String> = Vec::new();
    for text in texts {
        let name = job_name(text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// The cluster, and the Indexed Job in it that is meant.
///
/// # Errors
/// As [`job_name`], before the cluster is asked, and as [`job`].
pub(in crate::commands) async fn here(named: Option<&str>, context: &mut Context) -> Result<(Arc<Cluster>, Job)> {
    named.map(job_name).transpose()?;
    let cluster = Arc::new(context.cluster().await?);
    let job = job(named, &cluster, context).await?;
    Ok((cluster, job))
}

/// The Indexed Job that is meant; the newest of the namespace when none is named, said on stderr.
///
/// # Errors
/// If it is not there, or not Indexed.
pub(in crate::commands) async fn job(named: Option<&str>, cluster: &Cluster, context: &mut Context) -> Result<Job> {
    let Some(text) = named else {
        let job = newest(cluster).await?;
        let name = job.metadata.name.as_deref().unwrap_or_default();
        context.ui.status(&format!("newest Indexed Job in namespace {}: {name}", cluster.namespace()));
        return Ok(job);
    };
    let name = job_name(text)?;
    let job = match cluster.job(&name).await {
        Err(error) if error.kind() == Kind::NotFound => return Err(with_nearest(error, &name, cluster).await.into()),
        found => found?,
    };
    check_indexed(&job)?;
    Ok(job)
}

/// An error about a Job that is not there, with the one that may be meant.
pub(in crate::commands) async fn with_nearest(error: Error, name: &str, cluster: &Cluster) -> Error {
    // Who may not list Jobs goes without.
    let jobs = cluster.jobs(false, None).await.unwrap_or_default();
    let names = jobs.iter().filter(|job| state::is_indexed(job)).filter_map(|job| job.metadata.name.as_deref());
    let names: Vec<_> = names.collect();
    let of_pod = names.iter().filter_map(|job| Some((index_in(name, job)?.0, job))).max_by_key(|(_, job)| job.len());
    if let Some((index, job)) = of_pod {
        return error.hint(format!("did you mean {job}? Pods of such a name are those of its index {index}"));
    }
    match near::nearest(name, names) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error,
    }
}

/// The index in the name of a Pod of this Job, which is that of the Job, the index and something random; and the last.
pub(in crate::commands) fn index_in<'a>(pod: &'a str, job: &str) -> Option<(u32, &'a str)> {
    let rest = pod.strip_prefix(job)?.strip_prefix('-')?;
    let (index, random) = rest.split_once('-').unwrap_or((rest, ""));
    Some((index.parse().ok()?, random))
}

/// # Errors
/// If the Job gives its Pods no index.
pub(in crate::commands) fn check_indexed(job: &Job) -> Result<(), Error> {
    if state::is_indexed(job) {
        return Ok(());
    }
    let name = job.metadata.name.as_deref().unwrap_or_default();
    Err(Error::new(
        Kind::Failed,
        format!("job {name:?} is not Indexed: its Pods have no completion index (completionMode: NonIndexed)"),
    )
    .hint(format!("kubectl describe job {name} shows it")))
}

/// Sorts Jobs by age, and those of the same second by name.
pub(in crate::commands) fn newest_first(jobs: &mut [Job]) {
    jobs.sort_by(|a, b| {
        let newest_first = b.metadata.creation_timestamp.cmp(&a.metadata.creation_timestamp);
        newest_first.then_with(|| a.metadata.name.cmp(&b.metadata.name))
    });
}

/// # Errors
/// If the namespace has none.
pub(in crate::commands) async fn newest(cluster: &Cluster) -> Result<Job> {
    let mut jobs = cluster.jobs(false, None).await?;
    jobs.retain(state::is_indexed);
    newest_first(&mut jobs);
    jobs.into_iter().next().ok_or_else(|| {
        Error::new(Kind::NotFound, format!("there is no Indexed Job in namespace {:?}", cluster.namespace()))
            .hint("kubectl indexed run --items foo,bar,baz -- rev makes one; -n NAMESPACE looks elsewhere")
            .into()
    })
}

/// The indexes that are asked for; all, if none is named.
///
/// # Errors
/// As [`check`].
pub(in crate::commands) fn select(selector: Option<&IndexSelector>, state: &JobState) -> Result<IndexSet, Error> {
    let Some(selector) = selector else { return Ok(state.all()) };
    check(&selector.numbers(), state)?;
    Ok(selector.resolve(|word| state.meaning(word)))
}

/// # Errors
/// If one of the indexes is not the Job's.
pub(in crate::commands) fn check(named: &IndexSet, state: &JobState) -> Result<(), Error> {
    let all = state.all();
    let outside = named.difference(&all);
    if outside.is_empty() {
        return Ok(());
    }
    Err(Error::usage(format!("the job has no index {outside}: its indexes are {all}")).hint("the first index is 0"))
}

/// The indexes of these items, each given as it is or with `*` and `?` for what may be anything.
///
/// # Errors
/// A usage error if the items of the Job can't be known, or if it has no such item.
pub(in crate::commands) fn with_items(named: &[String], items: &ItemTexts, job: &Job) -> Result<IndexSet, Error> {
    let job = job.metadata.name.as_deref().unwrap_or_default();
    if items.is_empty() {
        return Err(Error::usage(format!("the items of job {job} are not known: it has no list that can be read"))
            .hint("--index chooses by number"));
    }
    let mut found = IndexSet::new();
    for name in named {
        // An item may have a star in it.
        let mut these: IndexSet = items.iter().filter(|(_, item)| *item == name).map(|(&index, _)| index).collect();
        if these.is_empty() {
            let pattern = regex::escape(name).replace(r"\*", ".*").replace(r"\?", ".");
            let pattern = regex::Regex::new(&format!("(?s)^{pattern}$"))
                .map_err(|problem| Error::usage(format!("--item {name:?}: {problem}")))?;
            these = items.iter().filter(|(_, item)| pattern.is_match(item)).map(|(&index, _)| index).collect();
        }
        if these.is_empty() {
            return Err(Error::usage(format!("job {job} has no item {name:?}"))
                .hint(format!("kubectl indexed indexes {job} lists them; * stands for any characters")));
        }
        found = found.union(&these);
    }
    Ok(found)
}

/// The items of a Job as people read them; empty where they can't be known.
pub(in crate::commands) async fn items(job: &Job, cluster: &Cluster) -> ItemTexts {
    // The list of a Job that retries another is that of its family.
    let completions = JobState::new(job.clone()).members().first().map_or(0, Member::family_completions);
    items_of(&IndexSet::below(completions), job, cluster).await
}

/// The items of these indexes; only the ConfigMaps that hold them are asked for.
pub(in crate::commands) async fn items_of(wanted: &IndexSet, job: &Job, cluster: &Cluster) -> ItemTexts {
    let listing = match read::item_source(job) {
        ItemSource::Here(list) => return list.texts(),
        ItemSource::ConfigMaps(listing) => listing,
        ItemSource::Unknown => return ItemTexts::new(),
    };
    let mut items = ItemTexts::new();
    for name in listing.config_maps(wanted) {
        // Without the list, or the permission to read it, all else can still be told.
        if let Ok(Some(config_map)) = Box::pin(cluster.config_map(name)).await {
            items.extend(listing.items_in(config_map, wanted));
        }
    }
    items
}
