//! `retry`: creates a new Job of the outstanding indexes, each with its original item.

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};

use super::launch::Launch;
use super::submit::{JobOrigin, Submitted};
use super::{Context, find, submit};
use crate::args::{DryRun, OutstandingStatus, RetryArgs};
use crate::cluster::{Cluster, PodFilter};
use crate::contract::{annotation, label};
use crate::error::{Error, Exit, Hint, Kind};
use crate::index_set::IndexSet;
use crate::manifest::retry::{self, Lineage, RetryPlan};
use crate::spec::policy::Policy;
use crate::spec::retry::{Changes, RetryFilter};
use crate::spec::{self, name};
use crate::state::member::{self, Member};
use crate::state::row::SucceededRows;
use crate::state::{IndexStatus, JobState};
use crate::tracker::snapshot::load_pods;
use crate::tracker::{family, selection};
use crate::view::{Style, cut, numbered, plural};

const READ_AT_ONCE: usize = 4;
/// Longest set of indexes in a sentence, in characters.
const LONGEST_SET: usize = 160;

pub(super) async fn retry(args: RetryArgs, context: &mut Context) -> Result<Exit> {
    let launch = Launch::new(args.follow.clone(), args.objects.clone(), None, context)?;
    let named = args.job.clone();
    let (wanted, changes) = spec::retry::resolve(args)?;
    let (cluster, job) = find::connect_and_find_job(named.as_deref(), context).await?;
    let state = find::load_family(job, false, &cluster, context).await?;
    let (chosen, minor) =
        futures::join!(select_indexes(family::without_unsubmitted(state), &wanted, &cluster), cluster.server_minor());
    let (state, indexes) = chosen?;
    if indexes.is_empty() {
        context.ui.status(&describe_nothing_left(&state, &wanted, context.ui.style));
        return Ok(Exit::Success);
    }
    let mut source = RetrySource::load(&state, indexes, changes, minor?, &cluster).await?;
    loop {
        let (manifest, warnings) = retry::build(&source.stored, &source.config_maps, &source.plan)?;
        for warning in &warnings {
            context.ui.warning(warning);
        }
        if launch.dry_run == DryRun::Client {
            return launch.print(manifest, "created (dry run)", context);
        }
        let policy = Policy { retries: source.plan.changes.retries, ..Policy::default() };
        let name = source.plan.name.clone();
        let requirements = submit::SubmitRequirements { name: &name, policy: &policy, ask_first: true };
        if launch.dry_run == DryRun::Server {
            let checked = submit::dry_run(&manifest, &requirements, &cluster, &launch.manager).await?;
            return launch.print(checked, "created (server dry run)", context);
        }
        match submit::submit(&manifest, &requirements, &cluster, &launch.manager, context).await {
            Ok(Submitted { manifest, how }) => {
                context.ui.status(&describe_retry(&source.plan, how == JobOrigin::Unchanged, context.ui.style));
                if launch.args.detach {
                    return launch.detach(manifest, how, &name, context);
                }
                let (root, all) = (source.plan.family.root, state.all().len());
                let closing = |now: &JobState| {
                    let done = state.succeeded().union(&now.succeeded()).len();
                    Some(format!("with this retry, {done} of {all} indexes of job {root} have succeeded"))
                };
                return Box::pin(launch.follow(manifest.job, None, closing, &cluster, context)).await;
            }
            Err(error) if name_is_taken(&error) => {
                source.advance_name(&cluster).await.map_err(|other| other.unwrap_or(error))?;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn select_indexes(state: JobState, wanted: &RetryFilter, cluster: &Cluster) -> Result<(JobState, IndexSet)> {
    let outstanding = state.outstanding();
    let mut indexes = outstanding.indexes.clone();
    if let Some(selector) = &wanted.index {
        selection::check_numbers(&selector.numbers(), &state)?;
        let selected = selector.resolve(|word| state.indexes_with(word));
        // Indexes that a success policy left over run only when they are named by number.
        indexes = indexes.union(&outstanding.spare.intersection(&selector.numbers())).intersection(&selected);
    }
    if indexes.is_empty() || !wanted.needs_attempts() {
        return Ok((state, indexes));
    }
    let (state, _) = load_pods(state, PodFilter::UNSUCCESSFUL, cluster, |_| {}).await?;
    let mut rows = state.rows(&indexes, &mut SucceededRows::default());
    rows.retain(|row| {
        let status = match row.status {
            IndexStatus::Failed => OutstandingStatus::Failed,
            _ => OutstandingStatus::Pending,
        };
        let reason = row.reason.as_deref().unwrap_or_default().to_lowercase();
        let code = row.exit_code.and_then(|code| u32::try_from(code).ok());
        (wanted.statuses.is_empty() || wanted.statuses.contains(&status))
            && (wanted.reasons.is_empty() || wanted.reasons.contains(&reason))
            && wanted.exit_codes.as_ref().is_none_or(|codes| code.is_some_and(|code| codes.contains(code)))
    });
    let indexes = rows.iter().map(|row| row.index).collect();
    Ok((state, indexes))
}

fn describe_nothing_left(state: &JobState, wanted: &RetryFilter, style: Style) -> String {
    let name = state.members().first().map(Member::name).unwrap_or_default();
    let outstanding = state.outstanding();
    let selected =
        wanted.index.as_ref().map_or_else(|| state.all(), |index| index.resolve(|word| state.indexes_with(word)));
    let mut facts = Vec::new();
    for member in state.members().iter().filter(|member| member.outcome().is_none()) {
        let here = member.all().intersection(&outstanding.under_way).intersection(&selected);
        if !here.is_empty() {
            let verb = if here.len() == 1 { "is" } else { "are" };
            facts.push(format!("{} {verb} under way in job {}", describe_indexes(&here, style), member.name()));
        }
    }
    if !outstanding.indexes.is_empty() {
        let number = plural(outstanding.indexes.len(), "outstanding index", "outstanding indexes");
        facts.push(format!(
            "none of its {number} match ({})",
            cut(&outstanding.indexes.to_string(), LONGEST_SET, style)
        ));
    }
    if !outstanding.spare.is_empty() && wanted.index.is_none() {
        facts.push(format!("it succeeded without {} (--index runs them)", describe_indexes(&outstanding.spare, style)));
    }
    if facts.is_empty() {
        return match state.all().len() {
            1 => format!("nothing to retry: the only index of job {name} has succeeded"),
            all => format!("nothing to retry: all {all} indexes of job {name} have succeeded"),
        };
    }
    format!("nothing to retry of job {name}: {}", facts.join("; "))
}

fn describe_indexes(indexes: &IndexSet, style: Style) -> String {
    cut(&numbered(indexes), "indexes ".len() + LONGEST_SET, style).into_owned()
}

/// The input of the new Job.
struct RetrySource {
    /// The newest Job of the family, as stored: fields that this program does not know are kept.
    stored: Value,
    config_maps: Vec<Value>,
    plan: RetryPlan,
    number: u32,
}

impl RetrySource {
    async fn load(
        state: &JobState,
        indexes: IndexSet,
        changes: Changes,
        minor: u32,
        cluster: &Cluster,
    ) -> Result<Self> {
        let newest = state.members().last().context("the family has no job")?;
        let (root, root_uid) = member::family_root(newest.job());
        let stored = cluster.stored_job(newest.name()).await?;
        let names = retry::config_maps(&stored);
        let reads = futures::stream::iter(names.iter().map(|name| cluster.stored_config_map(name)));
        let config_maps: Vec<Option<Value>> = reads.buffered(READ_AT_ONCE).try_collect().await?;
        let retries = state.members().iter().filter(|member| member.is_retry());
        let number = retries.map(|member| family::retry_number(member.name())).max().unwrap_or(0) + 1;
        let family = Lineage {
            root: root.to_owned(),
            root_uid: root_uid.to_owned(),
            completions: newest.family_completions(),
            succeeded: state.succeeded(),
            failed: state.failed(),
        };
        let name = name::for_retry(root, number, u32::try_from(indexes.len()).unwrap_or(u32::MAX));
        let plan = RetryPlan { name, indexes, family, minor, changes };
        Ok(Self { stored, config_maps: config_maps.into_iter().flatten().collect(), plan, number })
    }

    /// Chooses the next name, if this one belongs to a Job outside the family.
    ///
    /// # Errors
    /// If somebody else retries the same Job; None if the other Job can't be read.
    async fn advance_name(&mut self, cluster: &Cluster) -> Result<(), Option<anyhow::Error>> {
        let name = &self.plan.name;
        let other = cluster.stored_job(name).await.map_err(|_| None)?;
        if other["metadata"]["labels"][label::FAMILY] == json!(self.plan.family.root_uid) {
            if !other["metadata"]["annotations"][annotation::SUBMITTING].is_null() {
                let message = format!("another retry, job {name}, was interrupted or has not started yet");
                let hint = Hint::indexed(&["delete", name], "removes it, if it was interrupted");
                return Err(Some(Error::new(Kind::AlreadyExists, message).hint(hint).into()));
            }
            let error = Error::new(Kind::AlreadyExists, format!("somebody else has just started a retry, job {name}"));
            let error = error.hint(Hint::indexed(&["logs", "-f", name], "follows it"));
            return Err(Some(error.hint("when it has ended, retry its outstanding indexes").into()));
        }
        self.number += 1;
        let number = u32::try_from(self.plan.indexes.len()).unwrap_or(u32::MAX);
        self.plan.name = name::for_retry(&self.plan.family.root, self.number, number);
        Ok(())
    }
}

fn name_is_taken(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<Error>()).any(|error| error.kind() == Kind::AlreadyExists)
}

fn describe_retry(plan: &RetryPlan, there: bool, style: Style) -> String {
    let number = if plan.indexes.len() == 1 { String::new() } else { format!(", {} in total", plan.indexes.len()) };
    let made = if there { "already exists, created by this same command" } else { "created" };
    let (name, root) = (&plan.name, &plan.family.root);
    format!("job {name} {made}: it retries {} of job {root}{number}", describe_indexes(&plan.indexes, style))
}
