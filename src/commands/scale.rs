//! `scale`: sets the parallelism of a Job, and the completions of an elastic Job.

use anyhow::Result;
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use serde_json::json;

use super::Context;
use super::change::{self, PlannedChange, VerbWords, active, name};
use crate::args::ScaleArgs;
use crate::error::{Error, Exit, Hint, Kind};
use crate::state::{self, member};
use crate::view::plural;

const WORDS: VerbWords = VerbWords { verb: "scale", done: "scaled" };
#[derive(Clone, Copy, Debug)]
struct ScaleGoal {
    parallelism: i32,
    completions: Option<i32>,
}

pub(super) async fn scale(args: ScaleArgs, context: &mut Context) -> Result<Exit> {
    let ScaleArgs { target, parallelism, completions, yes, how } = args;
    let goal = resolve_goal(parallelism, completions)?;
    let stated = parallelism.is_some();
    let decide = |job: &Job| decide(job, goal, stated);
    change::carry_out(&WORDS, target, how, yes, decide, context).await
}

fn resolve_goal(parallelism: Option<i32>, completions: Option<i32>) -> Result<ScaleGoal, Error> {
    match (parallelism, completions) {
        (Some(at_once), Some(completions)) if at_once != completions => Err(Error::usage(format!(
            "--completions {completions} and --parallelism {at_once} differ: Kubernetes changes completions only \
             together with an equal parallelism"
        ))
        .hint(format!("leave one out, or set both to {completions}"))),
        _ => Ok(ScaleGoal { parallelism: parallelism.or(completions).unwrap_or_default(), completions }),
    }
}

fn decide(job: &Job, goal: ScaleGoal, stated: bool) -> Result<PlannedChange, Error> {
    change::check_unfinished(job, WORDS.verb)?;
    let (name, spec) = (name(job), job.spec.clone().unwrap_or_default());
    let (before, at_once) = (spec.completions.unwrap_or(0), spec.parallelism.unwrap_or(1));
    let completions = goal.completions.unwrap_or(before);
    if completions != before {
        check_elastic(job, &spec, completions, stated)?;
    }
    if (completions, goal.parallelism) == (before, at_once) {
        return Ok(PlannedChange::default());
    }
    let mut patch = json!({"spec": {"parallelism": goal.parallelism}});
    if completions != before {
        patch["spec"]["completions"] = json!(completions);
    }
    let active = active(job);
    let ends = active.saturating_sub(usize::try_from(goal.parallelism).unwrap_or(0));
    let when = (completions >= before).then_some("when there is room");
    let mut notes = Vec::from_iter(change::note_of_ends(ends, job, when));
    let mut hint = None;
    if goal.parallelism == 0 {
        notes.push(format!("job {name} starts no index while its parallelism is 0"));
        hint = Some(Hint::indexed(&["scale", name, "-j", &at_once.max(1).to_string()], "starts indexes again"));
    }
    if goal.parallelism > completions {
        let indexes = plural(usize::try_from(completions).unwrap_or(0), "index", "indexes");
        notes.push(format!("job {name} has only {indexes}: no more than that run at once"));
    }
    if completions < before {
        notes.push(format!("job {name} now has only the indexes below {completions}; the others no longer count"));
    }
    if let Some(queue) = state::queue(job) {
        notes.push(format!(
            "Kueue (queue {queue}) must admit job {name} again with this parallelism: running Pods stop until then"
        ));
    } else if spec.suspend == Some(true) {
        notes.push(format!("job {name} is suspended: the change takes effect when it is resumed"));
    }
    Ok(PlannedChange { patch: Some(patch), ends, notes, hint })
}

/// # Errors
/// If Kubernetes refuses to change the completions, or a new index would have no item.
fn check_elastic(job: &Job, spec: &JobSpec, completions: i32, stated: bool) -> Result<(), Error> {
    let (name, before) = (name(job), spec.completions.unwrap_or(0));
    let refused =
        |why: String| Error::new(Kind::Failed, format!("can't change the completions of job {name:?}: {why}"));
    if spec.parallelism != spec.completions && !stated {
        let at_once = spec.parallelism.unwrap_or(1);
        return Err(refused(format!(
            "its parallelism is {at_once}, and Kubernetes changes completions ({before}) only together with an equal \
             parallelism"
        ))
        .hint(format!("--completions {completions} --parallelism {completions} lets all of them run at once")));
    }
    let (root, root_uid) = member::family_root(job);
    if completions > before && Some(root_uid) != job.metadata.uid.as_deref() {
        return Err(refused(format!("it retries job {root}, which has no such index"))
            .hint(Hint::indexed(&["describe", root], "shows its indexes")));
    }
    let has_items = state::item_form(job).is_some_and(|(_, store)| store.is_some());
    if completions > before && has_items {
        return Err(refused(format!("its list has {before} items, so index {before} would have no item"))
            .hint("run the new items as another Job"));
    }
    Ok(())
}
