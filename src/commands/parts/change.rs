//! The changes of the verbs that change Jobs: find the Jobs, check every change, ask before work is lost, apply, print.

use std::sync::Arc;

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;
use serde_json::{Value, json};

use super::output::{self, OutputChoice};
use super::{Context, find};
use crate::args::{DryRun, ObjectArgs, ObjectFormat, TargetArgs};
use crate::cluster::{Cluster, Submission};
use crate::error::{Error, Exit, Hint, Kind};
use crate::state::{self, Outcome};
use crate::view::plural;

pub(crate) struct VerbWords {
    /// As in `suspend job "x"`.
    pub(crate) verb: &'static str,
    /// As in `job.batch/x suspended`.
    pub(crate) done: &'static str,
}

/// A planned change of a Job. The default changes nothing.
#[derive(Default)]
pub(crate) struct PlannedChange {
    /// The fields to change; None if the Job already has the wanted values.
    pub(crate) patch: Option<Value>,
    /// The number of running Pods that end.
    pub(crate) ends: usize,
    pub(crate) notes: Vec<String>,
    pub(crate) hint: Option<Hint>,
}

pub(crate) fn name(job: &Job) -> &str {
    job.metadata.name.as_deref().unwrap_or_default()
}

/// Returns the number of Pods that have not ended.
pub(crate) fn active(job: &Job) -> usize {
    let active = job.status.as_ref().and_then(|status| status.active);
    active.and_then(|n| usize::try_from(n).ok()).unwrap_or(0)
}

/// Returns a note about running indexes that end, and `when` they start again.
pub(crate) fn note_of_ends(ends: usize, job: &Job, when: Option<&str>) -> Option<String> {
    let (verb, each) = if ends == 1 { ("ends", "it starts") } else { ("end", "they start") };
    let running = plural(ends, "running index", "running indexes");
    let restart = when.map_or_else(String::new, |when| format!("; {each} again {when}"));
    (ends > 0).then(|| format!("{running} of job {} {verb}{restart}", name(job)))
}

/// # Errors
/// If the Job has ended or is being deleted: a change has no effect.
pub(crate) fn check_unfinished(job: &Job, verb: &str) -> Result<(), Error> {
    let name = name(job);
    let refused = |why: &str| Error::new(Kind::Failed, format!("can't {verb} job {name:?}: {why}"));
    if job.metadata.deletion_timestamp.is_some() {
        return Err(refused("it is being deleted"));
    }
    match state::outcome(job) {
        None => Ok(()),
        Some(Outcome::Complete) => {
            Err(refused("it has completed").hint(Hint::indexed(&["describe", name], "shows it")))
        }
        Some(Outcome::Failed) => Err(refused("it has failed")
            .hint(Hint::indexed(&["describe", name], "shows why"))
            .hint(Hint::indexed(&["retry", name], "runs the outstanding indexes as a new Job"))),
    }
}

/// # Errors
/// If Kueue decides when the Job runs: it would undo the change.
pub(crate) fn check_not_queued(job: &Job, verb: &str, active: bool) -> Result<(), Error> {
    let Some(queue) = state::queue(job) else { return Ok(()) };
    let uid = job.metadata.uid.as_deref().unwrap_or_default();
    let patch = json!({"spec": {"active": active}}).to_string();
    Err(Error::new(
        Kind::Failed,
        format!(
            "can't {verb} job {:?}: Kueue decides when it runs (queue {queue}) and would undo the change",
            name(job)
        ),
    )
    .hint(Hint::kubectl(&["get", "workloads", "-l", &format!("kueue.x-k8s.io/job-uid={uid}")], "names its workload"))
    .hint(Hint::kubectl(
        &["patch", "workloads", "WORKLOAD", "--type", "merge", "-p", &patch],
        &format!("has Kueue {verb} the Job"),
    ))
    .hint(Hint::kubectl(
        &["label", "job", name(job), "kueue.x-k8s.io/queue-name-"],
        "leaves the queue where no Kueue runs",
    )))
}

/// Applies the changes that `decide` returns. Nothing is changed if `decide` refuses a named Job.
pub(crate) async fn carry_out(
    words: &VerbWords,
    target: TargetArgs,
    how: ObjectArgs,
    yes: bool,
    decide: impl Fn(&Job) -> Result<PlannedChange, Error>,
    context: &mut Context,
) -> Result<Exit> {
    let ObjectArgs { dry_run, output, field_manager } = how;
    let output = output::read(output, true)?;
    let (cluster, jobs) = find_targets(&target, words, context).await?;
    let (mut changes, mut wrong) = (Vec::new(), Vec::new());
    for job in jobs {
        match decide(&job) {
            Ok(change) => changes.push((job, change)),
            Err(error) => wrong.push(error),
        }
    }
    let is_chosen = target.all || target.selector.is_some();
    if !is_chosen && let Some(last) = wrong.pop() {
        for error in wrong {
            context.ui.error(&error.into());
        }
        return Err(last.into());
    }
    for error in wrong {
        context.ui.warning(&format!("{error}: left unchanged"));
    }
    let losing: Vec<_> = changes.iter().filter(|(_, change)| change.ends > 0).collect();
    if losing.len() > 1 && !yes && dry_run == DryRun::None {
        let ends: usize = losing.iter().map(|(_, change)| change.ends).sum();
        let list: Vec<_> =
            losing.iter().map(|(job, change)| format!("  {}: {}", name(job), pods(change.ends))).collect();
        context.ui.note(&list.join("\n"));
        let what = format!("{} of {} jobs", pods(ends), losing.len());
        if !confirm(&format!("end {what}?"), &format!("would end {what}"), context)? {
            return Ok(Exit::Failure);
        }
    }
    apply_changes(words, changes, &cluster, dry_run, output, &field_manager, context).await
}

fn pods(number: usize) -> String {
    plural(number, "running Pod", "running Pods")
}

/// Asks a yes-or-no question on the terminal.
pub(crate) fn confirm(question: &str, consequence: &str, context: &mut Context) -> Result<bool> {
    match context.ui.confirm(question)? {
        Some(true) => Ok(true),
        Some(false) => {
            context.ui.status("nothing was changed");
            Ok(false)
        }
        None => {
            let error = Error::usage(format!("this {consequence}, and there is no terminal to ask on"));
            Err(error.hint("add --yes (-y) to go on without a question").into())
        }
    }
}

/// Returns the Jobs that are named or selected by labels, else the newest.
async fn find_targets(
    target: &TargetArgs,
    words: &VerbWords,
    context: &mut Context,
) -> Result<(Arc<Cluster>, Vec<Job>)> {
    let TargetArgs { jobs, selector, all } = target;
    if *all || selector.is_some() {
        let cluster = Arc::new(context.cluster().await?);
        let mut open = cluster.jobs(false, selector.as_deref()).await?;
        open.retain(|job| {
            state::is_indexed(job) && state::outcome(job).is_none() && job.metadata.deletion_timestamp.is_none()
        });
        if open.is_empty() {
            let which = selector.as_ref().map_or_else(String::new, |selector| format!(" with the labels {selector}"));
            let place = cluster.namespace();
            context.ui.status(&format!(
                "nothing to {}: no Indexed Job{which} in namespace {place} is unfinished",
                words.verb
            ));
        }
        return Ok((cluster, open));
    }
    find::connect_and_find_jobs(jobs, context).await
}

/// Changes the Jobs one by one. An error of one Job does not stop the others.
async fn apply_changes(
    words: &VerbWords,
    changes: Vec<(Job, PlannedChange)>,
    cluster: &Cluster,
    dry_run: DryRun,
    mut output: OutputChoice<ObjectFormat>,
    field_manager: &str,
    context: &mut Context,
) -> Result<Exit> {
    let submission = Submission { dry_run: dry_run == DryRun::Server, field_manager };
    let (mut printed, mut exit) = (Vec::new(), Exit::Success);
    let is_one = changes.len() == 1;
    for (job, change) in changes {
        let PlannedChange { patch, ends: _, notes, hint } = change;
        let already = if patch.is_some() { "" } else { "already " };
        let result = match patch {
            None => Ok(job.clone()),
            Some(patch) if dry_run == DryRun::Client => patch_locally(&job, &patch),
            Some(mut patch) => {
                patch["metadata"]["uid"] = json!(job.metadata.uid);
                cluster.patch_job(name(&job), &patch, submission, words.verb).await.map_err(anyhow::Error::from)
            }
        };
        let now = match result {
            Ok(now) => now,
            Err(error) => {
                context.ui.error(&error);
                exit = Exit::Failure;
                continue;
            }
        };
        match (&mut output.custom, output.word) {
            (Some(custom), _) => custom.each(&[output::object(&now)?], context)?,
            (None, None) => {
                let line = format!("job.batch/{} {already}{}{}\n", name(&job), words.done, dry_run.note());
                context.ui.data(line)?;
            }
            (None, Some(ObjectFormat::Name)) => context.ui.data(format!("job.batch/{}\n", name(&job)))?,
            (None, Some(ObjectFormat::Yaml | ObjectFormat::Json)) => printed.push(output::shown(&now)?),
        }
        for note in notes {
            context.ui.status(&note);
        }
        if let Some(hint) = hint.filter(|_| is_one) {
            context.ui.hint(hint);
        }
    }
    if let (Some(format), false) = (output.word.as_ref().and_then(output::data_format), printed.is_empty()) {
        let whole = if printed.len() == 1 { printed.remove(0) } else { output::list_of(&printed) };
        context.ui.data(output::data(&whole, format)?)?;
    }
    Ok(exit)
}

fn patch_locally(job: &Job, patch: &Value) -> Result<Job> {
    let mut value = serde_json::to_value(job)?;
    for (field, wanted) in patch["spec"].as_object().into_iter().flatten() {
        value["spec"][field] = wanted.clone();
    }
    Ok(serde_json::from_value(value)?)
}
