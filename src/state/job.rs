//! What a Job says of itself.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use super::Outcome;
use crate::contract::{annotation, annotation_value, label};
use crate::index_set::IndexSet;

pub(crate) fn condition<'a>(job: &'a Job, type_: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == type_ && condition.status == "True")
}

pub(crate) fn outcome(job: &Job) -> Option<Outcome> {
    if condition(job, "Complete").is_some() {
        Some(Outcome::Complete)
    } else {
        condition(job, "Failed").map(|_| Outcome::Failed)
    }
}

pub(crate) fn is_indexed(job: &Job) -> bool {
    job.spec.as_ref().is_some_and(|spec| spec.completion_mode.as_deref() == Some("Indexed"))
}

/// Whether a Job is held back. Its condition alone does not tell: it follows a release by a second or two.
pub(crate) fn is_suspended(job: &Job) -> bool {
    let asked = job.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false);
    asked && condition(job, "Suspended").is_some()
}

/// How many indexes failed where the Job counts them, else how many Pods: either is what the Job itself calls failed.
pub(crate) fn failed_count(job: &Job) -> usize {
    let Some(status) = &job.status else { return 0 };
    match &status.failed_indexes {
        Some(failed) => IndexSet::from_status(failed).len(),
        None => status.failed.and_then(|pods| usize::try_from(pods).ok()).unwrap_or(0),
    }
}

/// The status of a Job in one word, by kubectl's own order of precedence (`printJob` in `pkg/printers`).
pub(crate) fn status_word(job: &Job) -> &'static str {
    let has = |type_: &str| condition(job, type_).is_some();
    match () {
        () if has("Complete") => "Complete",
        () if has("Failed") => "Failed",
        () if job.metadata.deletion_timestamp.is_some() => "Terminating",
        () if is_suspended(job) => "Suspended",
        () if has("FailureTarget") => "FailureTarget",
        () if has("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

/// The item form, and the store if there are items, that this program noted on a Job that it made.
pub(crate) fn item_form(job: &Job) -> Option<(&str, Option<&str>)> {
    Some((annotation_value(job, annotation::ITEM_AS)?, annotation_value(job, annotation::ITEM_STORE)))
}

/// Why the items of a Job that this program made are handed over as they are, in words.
pub(crate) fn handover_reason(job: &Job) -> Option<&str> {
    annotation_value(job, annotation::HANDED_OVER)
}

/// The Job whose list a Job was made to finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumed<'a> {
    /// The Job that its family began with.
    pub(crate) name: &'a str,
    pub(crate) uid: &'a str,
    /// How many items were left out, because they had succeeded.
    pub(crate) skipped: usize,
}

pub(crate) fn resumed(job: &Job) -> Option<Resumed<'_>> {
    let (name, uid) = annotation_value(job, annotation::RESUMES)?.split_once('/')?;
    let skipped = annotation_value(job, annotation::SKIPPED).and_then(|number| number.parse().ok()).unwrap_or(0);
    Some(Resumed { name, uid, skipped })
}

/// Whether the submission of a Job is under way, or was cut off before its release.
pub(crate) fn is_submitting(job: &Job) -> bool {
    annotation_value(job, annotation::SUBMITTING).is_some()
}

/// When a Job ended, if it did. The API sets a completion time only on success.
pub(crate) fn ended_at(job: &Job) -> Option<Timestamp> {
    let completed = job.status.as_ref().and_then(|status| status.completion_time.as_ref());
    let failed = || condition(job, "Failed").and_then(|condition| condition.last_transition_time.as_ref());
    completed.or_else(failed).map(|time| time.0)
}

/// The Kueue queue that has to admit a Job.
pub(crate) fn queue(job: &Job) -> Option<&str> {
    job.metadata.labels.as_ref()?.get(label::KUEUE_QUEUE).map(String::as_str)
}
