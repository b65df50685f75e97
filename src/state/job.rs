//! Reads the status and the annotations of a Job.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use super::Outcome;
use crate::contract::{annotation, annotation_value, label};
use crate::index_set::IndexSet;

/// Returns the condition of this type if it is true.
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

/// Whether a Job is suspended. The condition alone is not enough: it lags behind a release by one or two seconds.
pub(crate) fn is_suspended(job: &Job) -> bool {
    let in_spec = job.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false);
    in_spec && condition(job, "Suspended").is_some()
}

/// Returns the number of failed indexes if the Job lists them, else of failed Pods.
pub(crate) fn failed_count(job: &Job) -> usize {
    let Some(status) = &job.status else { return 0 };
    match &status.failed_indexes {
        Some(failed) => IndexSet::from_status(failed).len(),
        None => status.failed.and_then(|pods| usize::try_from(pods).ok()).unwrap_or(0),
    }
}

/// Returns the status of a Job in one word, by kubectl's precedence (`printJob` in `pkg/printers`).
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

/// Returns the annotated item form of a Job, and the store if there are items.
pub(crate) fn item_form(job: &Job) -> Option<(&str, Option<&str>)> {
    Some((annotation_value(job, annotation::ITEM_AS)?, annotation_value(job, annotation::ITEM_STORE)))
}

/// Returns the annotated sentence with the reason for the item form.
pub(crate) fn handover_reason(job: &Job) -> Option<&str> {
    annotation_value(job, annotation::HANDED_OVER)
}

/// The Job whose unfinished items another Job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resumed<'a> {
    /// The name of the first Job of its family.
    pub(crate) name: &'a str,
    pub(crate) uid: &'a str,
    /// The number of items left out because they had succeeded.
    pub(crate) skipped: usize,
}

/// Returns the Job whose unfinished items `job` runs.
pub(crate) fn resumed(job: &Job) -> Option<Resumed<'_>> {
    let (name, uid) = annotation_value(job, annotation::RESUMES)?.split_once('/')?;
    let skipped = annotation_value(job, annotation::SKIPPED).and_then(|number| number.parse().ok()).unwrap_or(0);
    Some(Resumed { name, uid, skipped })
}

/// Whether the submission of a Job is in progress, or was interrupted before its release.
pub(crate) fn is_submitting(job: &Job) -> bool {
    annotation_value(job, annotation::SUBMITTING).is_some()
}

/// Returns the end of a Job. The API sets a completion time only on success.
pub(crate) fn ended_at(job: &Job) -> Option<Timestamp> {
    let completed = job.status.as_ref().and_then(|status| status.completion_time.as_ref());
    let failed = || condition(job, "Failed").and_then(|condition| condition.last_transition_time.as_ref());
    completed.or_else(failed).map(|time| time.0)
}

/// Returns the Kueue queue that must admit a Job.
pub(crate) fn queue(job: &Job) -> Option<&str> {
    job.metadata.labels.as_ref()?.get(label::KUEUE_QUEUE).map(String::as_str)
}
