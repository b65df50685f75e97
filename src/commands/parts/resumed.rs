//! `run --resume`: finds the items that succeeded before, in a Job, its retries, and the Jobs that it resumed.

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;

use super::{Context, find};
use crate::args::RunArgs;
use crate::cluster::Cluster;
use crate::contract::label;
use crate::error::{Error, Hint, Kind};
use crate::index_set::IndexSet;
use crate::manifest::read::{self, ItemSource};
use crate::manifest::work::Work;
use crate::spec::resume::{self, RemainingItems, ResumedJob, SuccessCounts};
use crate::spec::{self, Inputs, Resolved};
use crate::state::member::{self, Member};
use crate::state::{self, JobState, Resumed};
use crate::view::{Style, cut, plural};

/// Longest command or list of names in a sentence, in characters.
const LONGEST_LIST: usize = 160;

/// Resolves the command line. With `--resume`, leaves out the items that succeeded before; None if no item is left.
pub(crate) async fn resolve(args: RunArgs, inputs: Inputs, context: &mut Context) -> Result<Option<Resolved>> {
    let Some(named) = args.resume.clone() else { return Ok(Some(spec::resolve(args, inputs)?)) };
    // The whole list is resolved first: how an item reaches the worker is part of the comparison.
    let whole = spec::resolve(args.clone(), inputs.clone())?.spec;
    resume::check(&whole)?;
    let (cluster, job) = find::connect_and_find_job(Some(&named), context).await?;
    if job.metadata.name.as_deref() == Some(&whole.name) {
        let message = format!("job {:?} can't resume itself: the rest of the list becomes a new job", whole.name);
        return Err(Error::usage(message).hint("choose another --name, or leave --name out to generate one").into());
    }
    let (root, uid) = member::family_root(&job);
    let (root, uid) = (root.to_owned(), uid.to_owned());
    let mut history = History::new(Work::of_spec(&whole));
    Box::pin(history.follow(job, &cluster, context)).await?;
    let payload = whole.handover.payload();
    let History { succeeded, jobs, running, .. } = history;
    let positions = succeeded.remaining(whole.items.iter().map(|item| payload.bytes(item)));
    context.ui.status(&describe_skipped(whole.items.len(), positions.len(), &jobs, context.ui.style));
    if positions.is_empty() {
        return Ok(None);
    }
    if !running.is_empty() {
        context.ui.warning(&format!(
            "{} not ended: items that still run there run here too",
            describe_jobs(&running, context.ui.style)
        ));
    }
    hint_at_other_resumes(&uid, &whole.name, &cluster, context).await;
    let resumes = ResumedJob { name: root, uid, skipped: whole.items.len() - positions.len() };
    Ok(Some(spec::resolve(args, Inputs { remaining: Some(RemainingItems { positions, resumes }), ..inputs })?))
}

/// Returns a sentence about the items that are skipped.
fn describe_skipped(all: usize, left: usize, jobs: &[String], style: Style) -> String {
    let noun = if jobs.len() == 1 { "job" } else { "jobs" };
    let same = format!("{noun} {} with this command and image", cut(&jobs.join(", "), LONGEST_LIST, style));
    let items = plural(all, "item", "items");
    match all - left {
        0 => format!("none of {items} has succeeded in {same}: nothing is skipped"),
        _ if left == 0 && all == 1 => format!("nothing to run: the only item has succeeded in {same}"),
        _ if left == 0 => format!("nothing to run: all {items} have succeeded in {same}"),
        skipped => {
            let have = if skipped == 1 { "has" } else { "have" };
            let run = if left == 1 { "runs" } else { "run" };
            format!("{skipped} of {items} {have} succeeded in {same}: skipped; {left} {run}")
        }
    }
}

/// `job a has`, `jobs a, b have`.
fn describe_jobs(jobs: &[String], style: Style) -> String {
    match jobs {
        [one] => format!("job {one} has"),
        several => format!("jobs {} have", cut(&several.join(", "), LONGEST_LIST, style)),
    }
}

/// Hints at Jobs that resumed the same Job before. Their successes are not counted, because the same command must always
/// mean the same Job.
async fn hint_at_other_resumes(uid: &str, name: &str, cluster: &Cluster, context: &mut Context) {
    let selector = format!("{}={uid}", label::RESUMES);
    // Without permission to list Jobs there is no hint.
    let Ok(jobs) = cluster.jobs(false, Some(&selector)).await else { return };
    let is_retry = |job: &Job| job.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(label::FAMILY));
    let others = jobs.into_iter().filter(|job| !is_retry(job)).filter_map(|job| job.metadata.name);
    let others: Vec<_> = others.filter(|other| other != name).collect();
    if let Some(last) = others.last() {
        let list = cut(&others.join(", "), LONGEST_LIST, context.ui.style).into_owned();
        context.ui.hint(format!("{list} resumed it before: --resume {last} counts those successes too"));
    }
}

/// The items that succeeded before, as far as they are known.
struct History {
    work: Work,
    succeeded: SuccessCounts,
    /// The first Job of each family, the latest first.
    jobs: Vec<String>,
    /// Those with Jobs that have not ended.
    running: Vec<String>,
}

impl History {
    fn new(work: Work) -> Self {
        Self { work, succeeded: SuccessCounts::default(), jobs: Vec::new(), running: Vec::new() }
    }

    /// Counts the successes in the family of `job`, and in the families that it resumed, while they exist.
    async fn follow(&mut self, job: Job, cluster: &Cluster, context: &mut Context) -> Result<()> {
        let mut seen = vec![member::family_root(&job).1.to_owned()];
        let mut next = Some(job);
        while let Some(job) = next.take() {
            let is_named = self.jobs.is_empty();
            let name = member::family_root(&job).0.to_owned();
            let state = find::load_family(job, false, cluster, context).await?;
            if let Err(error) = self.count_successes(&state, cluster, context).await {
                if is_named || !matches!(error.kind(), Kind::Usage | Kind::NotFound) {
                    return Err(error.into());
                }
                context.ui.warning(&format!("items that succeeded in job {name} run again: {error}"));
            }
            if !state.under_way().is_empty() {
                self.running.push(name.clone());
            }
            self.jobs.push(name);
            next = find_resumed_job(&state, &mut seen, cluster, context).await?;
        }
        Ok(())
    }

    /// Counts the successes of a family: each index once, in a Job with the same work.
    async fn count_successes(
        &mut self,
        state: &JobState,
        cluster: &Cluster,
        context: &mut Context,
    ) -> Result<(), Error> {
        let (mut counted, mut there) = (IndexSet::new(), IndexSet::new());
        for member in state.members() {
            there = there.union(member.succeeded());
            let new = member.succeeded().difference(&counted);
            if new.is_empty() {
                continue;
            }
            if let Some(difference) = self.work.difference(&Work::of_job(member.job())) {
                let (name, difference) = (member.name(), cut(&difference, LONGEST_LIST, context.ui.style));
                context.ui.status(&format!("job {name} ran {difference}; its successes do not count"));
                continue;
            }
            for content in load_contents(member, &new, cluster).await? {
                self.succeeded.add(content);
            }
            counted = counted.union(&new);
        }
        let lost = state.succeeded().difference(&there);
        if !lost.is_empty() {
            let number = plural(lost.len(), "index", "indexes");
            let name = state.members().first().map(Member::name).unwrap_or_default();
            context.ui.warning(&format!(
                "{number} of job {name} succeeded in a retry that is gone: their items are not known, and run again"
            ));
        }
        Ok(())
    }
}

/// Returns the Job that a family resumed, if it exists, or a retry of it.
async fn find_resumed_job(
    state: &JobState,
    seen: &mut Vec<String>,
    cluster: &Cluster,
    context: &mut Context,
) -> Result<Option<Job>, Error> {
    let noted = state.members().iter().find_map(|member| Some((member, state::resumed(member.job())?)));
    let Some((member, Resumed { name, uid, skipped })) = noted else { return Ok(None) };
    if seen.iter().any(|known| known == uid) {
        return Ok(None);
    }
    seen.push(uid.to_owned());
    match cluster.job(name).await {
        // Another Job may have the name by now.
        Ok(job) if job.metadata.uid.as_deref() == Some(uid) => return Ok(Some(job)),
        Err(error) if error.kind() != Kind::NotFound => return Err(error),
        _ => {}
    }
    let retries = cluster.jobs(false, Some(&format!("{}={uid}", label::FAMILY))).await?;
    if retries.is_empty() {
        let resumed = member::family_root(member.job()).0;
        context.ui.warning(&format!(
            "job {name}, which job {resumed} resumed, is gone: items that succeeded there are not known, and run again \
             (job {resumed} skipped {})",
            plural(skipped, "item", "items")
        ));
    }
    Ok(retries.into_iter().next())
}

/// Warns if a list that others may edit has changed since `job` was created: the current items are shown. Without
/// permission to read the list, nothing is shown.
pub(crate) async fn warn_of_changed_list(job: &Job, cluster: &Cluster, context: &mut Context) {
    let ItemSource::ConfigMaps(listing) = read::item_source(job) else { return };
    let Some(list) = listing.shared_config_map() else { return };
    let name = job.metadata.name.as_deref().unwrap_or_default();
    match cluster.config_map(list).await {
        Ok(Some(config_map)) if listing.has_changed(&config_map, job) => context.ui.warning(&format!(
            "configmap {list} has changed since job {name} was made: the items shown may not be those that ran"
        )),
        Ok(None) => context.ui.warning(&format!("configmap {list} with the items of job {name} is gone")),
        _ => {}
    }
}

/// Returns the bytes of the items of these indexes.
///
/// # Errors
/// A usage error if the list is gone or has changed; else if the request fails.
async fn load_contents(member: &Member, wanted: &IndexSet, cluster: &Cluster) -> Result<Vec<Vec<u8>>, Error> {
    let name = member.name();
    let unknown = |why: String| {
        Error::usage(format!("can't tell which items of job {name} succeeded: {why}"))
            .hint(Hint::indexed(&["retry", name], "runs its outstanding indexes"))
            .hint("without --resume the whole list runs")
    };
    let items = match read::item_source(member.job()) {
        ItemSource::Unknown => return Err(unknown("it has no list that can be read".to_owned())),
        ItemSource::Inline(list) => list.stored(wanted),
        ItemSource::ConfigMaps(listing) => {
            let mut items = Vec::new();
            for list in listing.config_maps(wanted) {
                let Some(config_map) = cluster.config_map(list).await? else {
                    return Err(unknown(format!("its configmap {list} is gone")));
                };
                if listing.has_changed(&config_map, member.job()) {
                    return Err(unknown(format!("configmap {list} has changed since the job was created"))
                        .hint("a list of --items-file is kept with its job, and never changes"));
                }
                items.extend(listing.stored(config_map, wanted));
            }
            items
        }
    };
    if items.len() != wanted.len() {
        let missing = wanted.len().saturating_sub(items.len());
        return Err(unknown(format!("its list has nothing for {} of them", plural(missing, "index", "indexes"))));
    }
    Ok(items)
}
