//! `suspend`: suspends Jobs, which ends their Pods.

use anyhow::Result;
use k8s_openapi::api::batch::v1::Job;
use serde_json::json;

use super::Context;
use super::change::{self, PlannedChange, VerbWords, active, name};
use crate::args::SuspendArgs;
use crate::error::{Error, Exit, Hint};

const WORDS: VerbWords = VerbWords { verb: "suspend", done: "suspended" };

pub(super) async fn suspend(args: SuspendArgs, context: &mut Context) -> Result<Exit> {
    let SuspendArgs { target, yes, how } = args;
    change::carry_out(&WORDS, target, how, yes, decide, context).await
}

fn decide(job: &Job) -> Result<PlannedChange, Error> {
    change::check_unfinished(job, WORDS.verb)?;
    change::check_not_queued(job, WORDS.verb, false)?;
    let (name, spec) = (name(job), job.spec.clone().unwrap_or_default());
    if spec.suspend == Some(true) {
        return Ok(PlannedChange::default());
    }
    let ends = active(job);
    let mut notes = Vec::from_iter(change::note_of_ends(ends, job, Some("once it is resumed")));
    if let Some(limit) = spec.active_deadline_seconds {
        notes.push(format!("the time limit of job {name} ({limit}s) starts again when it is resumed"));
    }
    let hint = Some(Hint::indexed(&["resume", name], "resumes it"));
    Ok(PlannedChange { patch: Some(json!({"spec": {"suspend": true}})), ends, notes, hint })
}
