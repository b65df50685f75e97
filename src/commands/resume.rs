//! `resume`: resumes suspended Jobs.

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use super::Context;
use super::change::{self, PlannedChange, VerbWords, name};
use crate::args::ResumeArgs;
use crate::error::{Error, Exit, Hint, Kind};
use crate::state;

const WORDS: VerbWords = VerbWords { verb: "resume", done: "resumed" };

pub(super) async fn resume(args: ResumeArgs, context: &mut Context) -> Result<Exit> {
    let ResumeArgs { target, how } = args;
    change::carry_out(&WORDS, target, how, true, decide, context).await
}

fn decide(job: &Job) -> Result<PlannedChange, Error> {
    change::check_unfinished(job, WORDS.verb)?;
    change::check_not_queued(job, WORDS.verb, true)?;
    let (name, spec) = (name(job), job.spec.clone().unwrap_or_default());
    if spec.suspend != Some(true) {
        return Ok(PlannedChange::default());
    }
    if state::is_submitting(job) {
        return Err(Error::new(
            Kind::Failed,
            format!("can't resume job {name:?}: its submission has not finished, and items may be missing"),
        )
        .hint("run the command that created it again, with this name, to finish the submission")
        .hint(Hint::indexed(&["delete", name], "removes it")));
    }
    let mut notes = Vec::new();
    let mut hint = Hint::indexed(&["logs", "-f", name], "follows it");
    if spec.parallelism == Some(0) {
        notes.push(format!("job {name} starts no index: its parallelism is 0"));
        hint = Hint::indexed(&["scale", name, "-j", "N"], "changes the parallelism");
    }
    let hint = Some(hint);
    Ok(PlannedChange { patch: Some(json!({"spec": {"suspend": false}})), ends: 0, notes, hint })
}
