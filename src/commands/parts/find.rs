//! Finds Jobs by name, and loads their families and items.

use std::borrow::Borrow;
use std::sync::Arc;

use anyhow::Result;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use super::Context;
use crate::cluster::Cluster;
use crate::error::{Error, Hint, Kind};
use crate::index_set::IndexSet;
use crate::manifest::read::{self, ItemSource};
use crate::spec::items::{Columns, Item};
use crate::spec::near;
use crate::state::member::Member;
use crate::state::{self, ItemTexts, JobState};
use crate::tracker::family;
use crate::view::cause;

/// The names of the Job kind in kubectl.
pub(crate) const KINDS: [&str; 5] = ["job", "jobs", "job.batch", "jobs.batch", "jobs.v1.batch"];

/// Parses `NAME`, `job/NAME` or `jobs.batch/NAME`, and returns the name.
pub(crate) fn job_name(text: &str) -> Result<String, Error> {
    let (_, name) = text.rsplit_once('/').unwrap_or(("", text));
    if name.is_empty() {
        return Err(Error::usage(format!("{text:?} names no job")).hint("write NAME, job/NAME or jobs.batch/NAME"));
    }
    match text.split_once('/') {
        None => Ok(text.to_owned()),
        Some((kind, name)) if KINDS.contains(&kind.to_lowercase().as_str()) && !name.contains('/') => {
            Ok(name.to_owned())
        }
        Some((kind, name)) => {
            let is_index = name.parse::<IndexSet>().is_ok();
            Err(Error::usage(format!("{text:?} is not a job: it names a {kind:?}"))
                .hint("write NAME, job/NAME or jobs.batch/NAME")
                .hint_if(is_index.then(|| format!("--index {name} selects an index"))))
        }
    }
}

/// Parses names of Jobs as [`job_name`] does, and returns each once.
///
/// # Errors
/// Also if the first word is a kind, as in `kubectl delete job x`.
pub(crate) fn job_names(texts: &[String]) -> Result<Vec<String>, Error> {
    if let [kind, name, ..] = texts
        && KINDS.contains(&kind.as_str())
    {
        let message = format!("{kind:?} before {name:?} would be the name of a Job");
        return Err(Error::usage(message).hint(format!("write {name}, or job/{name}")));
    }
    let mut names = Vec::new();
    for text in texts {
        let name = job_name(text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// Returns the cluster and one Indexed Job in it, as [`connect_and_find_jobs`] finds it.
pub(crate) async fn connect_and_find_job(named: Option<&str>, context: &mut Context) -> Result<(Arc<Cluster>, Job)> {
    let (cluster, mut jobs) = connect_and_find_jobs(named.map(str::to_owned).as_slice(), context).await?;
    Ok((cluster, jobs.remove(0)))
}

/// Returns the cluster and the named Indexed Jobs. If no name is given, finds the newest Indexed Job of the namespace and
/// names it on stderr.
///
/// # Errors
/// As [`job_name`], before any request; and if a Job does not exist or is not Indexed.
pub(crate) async fn connect_and_find_jobs(named: &[String], context: &mut Context) -> Result<(Arc<Cluster>, Vec<Job>)> {
    let wanted = job_names(named)?;
    let cluster = Arc::new(context.cluster().await?);
    let mut jobs = Vec::new();
    for name in &wanted {
        let job = match cluster.job(name).await {
            Err(error) if error.kind() == Kind::NotFound => {
                return Err(suggest_nearest(error, name, &cluster).await.into());
            }
            found => found?,
        };
        check_indexed(&job)?;
        jobs.push(job);
    }
    if wanted.is_empty() {
        let job = find_newest(&cluster).await?;
        let name = job.metadata.name.as_deref().unwrap_or_default();
        context.ui.status(&format!("newest Indexed Job in namespace {}: {name}", cluster.namespace()));
        jobs.push(job);
    }
    Ok((cluster, jobs))
}

/// Adds the most similar name to the error about a missing Job.
pub(crate) async fn suggest_nearest(error: Error, name: &str, cluster: &Cluster) -> Error {
    // Without permission to list Jobs, no name is suggested.
    let jobs = cluster.jobs(false, None).await.unwrap_or_default();
    let names = jobs.iter().filter(|job| state::is_indexed(job)).filter_map(|job| job.metadata.name.as_deref());
    let names: Vec<_> = names.collect();
    let of_pod =
        names.iter().filter_map(|job| Some((parse_pod_name(name, job)?.0, job))).max_by_key(|(_, job)| job.len());
    if let Some((index, job)) = of_pod {
        return error.hint(format!("did you mean {job}? That name belongs to a Pod of its index {index}"));
    }
    error.hint_if(near::nearest(name, names).map(|near| format!("did you mean {near}?")))
}

/// Parses `JOB-INDEX-RANDOM`, the name of a Pod of this Job, and returns the index and the random part.
pub(crate) fn parse_pod_name<'a>(pod: &'a str, job: &str) -> Option<(u32, &'a str)> {
    let rest = pod.strip_prefix(job)?.strip_prefix('-')?;
    let (index, random) = rest.split_once('-').unwrap_or((rest, ""));
    Some((index.parse().ok()?, random))
}

pub(crate) fn check_indexed(job: &Job) -> Result<(), Error> {
    if state::is_indexed(job) {
        return Ok(());
    }
    let name = job.metadata.name.as_deref().unwrap_or_default();
    Err(Error::new(
        Kind::Failed,
        format!("job {name:?} is not Indexed: its Pods have no completion index (completionMode: NonIndexed)"),
    )
    .hint(Hint::kubectl(&["describe", "job", name], "shows it")))
}

/// Sorts Jobs by age, and those of the same second by name.
pub(crate) fn sort_newest_first(jobs: &mut [Job]) {
    jobs.sort_by(|a, b| {
        let newest_first = b.metadata.creation_timestamp.cmp(&a.metadata.creation_timestamp);
        newest_first.then_with(|| a.metadata.name.cmp(&b.metadata.name))
    });
}

pub(crate) async fn find_newest(cluster: &Cluster) -> Result<Job> {
    let mut jobs = cluster.jobs(false, None).await?;
    jobs.retain(state::is_indexed);
    sort_newest_first(&mut jobs);
    jobs.into_iter().next().ok_or_else(|| {
        Error::new(Kind::NotFound, format!("there is no Indexed Job in namespace {:?}", cluster.namespace()))
            .hint(Hint::indexed(&["run", "--items", "foo,bar,baz", "--", "rev"], "creates one"))
            .hint("-n NAMESPACE selects another namespace")
            .into()
    })
}

/// Loads the whole family of a Job, or with `only_this` the Job alone; warns where retries may be missing.
pub(crate) async fn load_family(
    job: Job,
    only_this: bool,
    cluster: &Cluster,
    context: &mut Context,
) -> Result<JobState> {
    let (state, incomplete) = Box::pin(family::load(job, only_this, cluster)).await?;
    if let Some(error) = incomplete {
        let name = state.job().and_then(|job| job.metadata.name.as_deref()).unwrap_or_default();
        context.ui.warning(&format!("retries of job {name} are left out: {error}"));
    }
    Ok(state)
}

pub(crate) async fn load_items(state: &JobState, cluster: &Cluster) -> Result<ItemTexts, Error> {
    // The list of a Job that retries another is that of its family.
    let completions = state.members().first().map_or(0, Member::family_completions);
    load_items_of(&IndexSet::below(completions), state.items_job(), cluster).await
}

/// The items of these indexes as people read them; only the ConfigMaps that hold them are requested. Empty where the
/// Job notes no list.
pub(crate) async fn load_items_of(wanted: &IndexSet, job: Option<&Job>, cluster: &Cluster) -> Result<ItemTexts, Error> {
    let Some(job) = job else { return Ok(ItemTexts::new()) };
    let columns = read::item_columns(job);
    let listing = match read::item_source(job) {
        ItemSource::Inline(list) => return Ok(item_texts(&columns, list.items())),
        ItemSource::ConfigMaps(listing) => listing,
        ItemSource::Unknown => return Ok(ItemTexts::new()),
    };
    let mut items = Vec::new();
    for name in listing.config_maps(wanted) {
        let config_map = Box::pin(cluster.config_map(name)).await?;
        let missing = || Error::new(Kind::NotFound, format!("configmap {name:?}, which holds items, is missing"));
        items.extend(listing.items(config_map.ok_or_else(missing)?, wanted));
    }
    Ok(item_texts(&columns, items))
}

/// Returns items as people read them.
pub(crate) fn item_texts(columns: &Columns, items: impl IntoIterator<Item = (u32, impl Borrow<Item>)>) -> ItemTexts {
    let names = if let Columns::Named(names) = columns { names.clone() } else { Vec::new() };
    let mut texts = ItemTexts::with_columns(names);
    for (index, item) in items {
        let item = item.borrow();
        let value = |column| String::from_utf8_lossy(item.value(column)).into_owned();
        texts.add(index, item.display(columns), (0..item.value_count()).map(value).collect());
    }
    texts
}

/// Returns the items, or none with a warning if the list is missing or the user may not read it.
///
/// # Errors
/// If the list can't be read for any other reason: output without it would be wrong.
pub(crate) fn items_or_warning(items: Result<ItemTexts, Error>, context: &mut Context) -> Result<ItemTexts, Error> {
    match items {
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => {
            context.ui.warning(&format!("items are left out: {error}"));
            Ok(ItemTexts::new())
        }
        items => items,
    }
}

/// Adds the events that explain unfinished indexes, if needed. Without permission none are added.
pub(crate) async fn add_events(state: &mut JobState, cluster: &Cluster, now: Timestamp) {
    let mut events = Vec::new();
    if let Some(job) = state.job().filter(|_| cause::needs_job_events(state)) {
        events = cluster.list_events(job).await.unwrap_or_default();
    }
    if cause::needs_pod_events(state, now) {
        events.extend(cluster.pod_warnings().await.unwrap_or_default());
    }
    for event in events {
        state.apply(event);
    }
}
