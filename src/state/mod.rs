//! What is known of a Job and of each of its indexes: a fold over events.
//!
//! The Job's own ranges are the truth for what is finished; Pods tell the rest, and may be gone, doubled or late.
//! Events may come in any order and more than once.

pub(crate) mod attempt;
pub(crate) mod row;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use crate::contract::{annotation, label};
use crate::index_set::{IndexSet, StatusWord};
use attempt::{Attempt, Phase, PodRecord};

/// Something that was seen in the cluster.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The Job as it now is.
    Job(Box<Job>),
    /// The Job is no longer there.
    JobGone,
    /// A Pod as it now is.
    Pod(Box<PodRecord>),
    /// A Pod is no longer there.
    PodGone {
        /// Its UID.
        uid: String,
    },
    /// A new list of Pods begins: what it does not name is gone by its end.
    PodListBegins,
    /// The list of Pods is complete.
    PodListEnds,
}

/// How a Job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    Failed,
}

/// How an index fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IndexStatus {
    Failed,
    Running,
    Starting,
    /// Failed, and to be tried again.
    Retrying,
    /// Its node does not answer.
    Unknown,
    Pending,
    Succeeded,
}

impl IndexStatus {
    /// The word for it on every screen.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Running => "Running",
            Self::Starting => "Starting",
            Self::Retrying => "Retrying",
            Self::Unknown => "Unknown",
            Self::Pending => "Pending",
            Self::Succeeded => "Succeeded",
        }
    }
}

/// How many indexes there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) running: usize,
    /// All indexes of the Job.
    pub(crate) total: usize,
}

/// A Job and its attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobState {
    job: Option<Box<Job>>,
    gone: bool,
    attempts: BTreeMap<String, Attempt>,
    /// UIDs named by the list of Pods that is being read.
    listing: Option<Vec<String>>,
}

impl JobState {
    /// The state of a Job of which no Pod is known yet.
    pub(crate) fn new(job: Job) -> Self {
        let mut state = Self::default();
        state.apply(Event::Job(Box::new(job)));
        state
    }

    /// Takes in what was seen.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Job(job) => self.apply_job(job),
            Event::JobGone => self.gone = true,
            Event::Pod(pod) => self.apply_pod(&pod),
            Event::PodGone { uid } => {
                // What a failed attempt told stays worth telling after its Pod is gone.
                if self.attempts.get(&uid).is_some_and(|attempt| !attempt.is_finished()) {
                    self.attempts.remove(&uid);
                }
            }
            Event::PodListBegins => self.listing = Some(Vec::new()),
            Event::PodListEnds => {
                if let Some(named) = self.listing.take() {
                    self.attempts.retain(|uid, attempt| attempt.is_finished() || named.contains(uid));
                }
            }
        }
    }

    fn apply_job(&mut self, job: Box<Job>) {
        let version = |job: &Job| job.metadata.resource_version.as_ref().and_then(|v| v.parse::<u64>().ok());
        let (known, new) = (self.job.as_deref().and_then(version), version(&job));
        // A list after a broken watch may be older than what the watch had told.
        if matches!((known, new), (Some(known), Some(new)) if new < known) {
            return;
        }
        self.job = Some(job);
    }

    fn apply_pod(&mut self, pod: &PodRecord) {
        if !self.owns(pod) {
            return;
        }
        if let Some(attempt) = Attempt::from_pod(pod) {
            if let Some(named) = &mut self.listing {
                named.push(attempt.uid.clone());
            }
            let ended_before = self.attempts.get(&attempt.uid).is_some_and(Attempt::is_finished);
            // What has ended does not run again; such an event is late.
            if !ended_before || attempt.is_finished() {
                self.attempts.insert(attempt.uid.clone(), attempt);
            }
        }
    }

    /// Whether a Pod is of this very Job, and not of a namesake that was deleted before.
    fn owns(&self, pod: &PodRecord) -> bool {
        let Some(uid) = self.job.as_ref().and_then(|job| job.metadata.uid.as_deref()) else { return true };
        let labels = pod.metadata.labels.as_ref();
        let controller = ["batch.kubernetes.io/controller-uid", "controller-uid"]
            .iter()
            .find_map(|key| labels.and_then(|labels| labels.get(*key)));
        controller.is_none_or(|controller| controller == uid)
    }

    /// The Job as last seen.
    pub(crate) fn job(&self) -> Option<&Job> {
        self.job.as_deref()
    }

    /// Whether the Job was deleted.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// How many indexes the Job has.
    pub(crate) fn completions(&self) -> u32 {
        let completions = self.job().and_then(|job| job.spec.as_ref()).and_then(|spec| spec.completions);
        completions.and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
    }

    /// Whether the Job keeps its own list of failed indexes (`backoffLimitPerIndex`).
    pub(crate) fn keeps_failed_indexes(&self) -> bool {
        self.job().and_then(|job| job.spec.as_ref()).is_some_and(|spec| spec.backoff_limit_per_index.is_some())
    }

    /// How the Job ended, if it did.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.job().and_then(outcome)
    }

    /// The condition that ended the Job, or is about to.
    pub(crate) fn ending_condition(&self) -> Option<&JobCondition> {
        let job = self.job()?;
        ["Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"].iter().find_map(|type_| condition(job, type_))
    }

    /// Indexes that the Job counts as completed.
    pub(crate) fn succeeded(&self) -> IndexSet {
        let status = self.job().and_then(|job| job.status.as_ref());
        status.and_then(|status| status.completed_indexes.as_deref()).map(IndexSet::from_status).unwrap_or_default()
    }

    /// Indexes that have failed for good: as the Job says where it keeps a list, else those whose last attempt failed
    /// when the Job did.
    pub(crate) fn failed(&self) -> IndexSet {
        let status = self.job().and_then(|job| job.status.as_ref());
        if let Some(failed) = status.and_then(|status| status.failed_indexes.as_deref()) {
            return IndexSet::from_status(failed);
        }
        if self.keeps_failed_indexes() || self.outcome() != Some(Outcome::Failed) {
            return IndexSet::new();
        }
        let failed: IndexSet =
            self.attempts.values().filter(|attempt| attempt.phase == Phase::Failed).map(|a| a.index).collect();
        failed.difference(&self.succeeded())
    }

    /// Indexes with an active attempt whose worker runs.
    pub(crate) fn running(&self) -> IndexSet {
        self.active(Phase::Running)
    }

    fn active(&self, phase: Phase) -> IndexSet {
        let indexes: IndexSet = self.attempts.values().filter(|a| a.phase == phase).map(|a| a.index).collect();
        indexes.difference(&self.succeeded()).difference(&self.failed())
    }

    /// Indexes that are neither finished nor running.
    pub(crate) fn pending(&self) -> IndexSet {
        let seen = self.succeeded().union(&self.failed()).union(&self.running());
        IndexSet::below(self.completions()).difference(&seen)
    }

    /// The indexes that a status word means.
    pub(crate) fn meaning(&self, word: StatusWord) -> IndexSet {
        match word {
            StatusWord::All => IndexSet::below(self.completions()),
            StatusWord::Failed => self.failed(),
            StatusWord::Succeeded => self.succeeded(),
            StatusWord::Running => self.running(),
            StatusWord::Pending => self.pending(),
        }
    }

    /// How many indexes there are of each kind.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            succeeded: self.succeeded().len(),
            failed: self.failed().len(),
            running: self.running().len(),
            total: self.completions() as usize,
        }
    }

    /// How each index fares that is asked for, in order.
    pub(crate) fn statuses(&self, indexes: &IndexSet) -> Vec<(u32, IndexStatus)> {
        let (succeeded, failed) = (self.succeeded(), self.failed());
        let (running, starting) = (self.running(), self.active(Phase::Starting));
        let unknown = self.active(Phase::Unknown);
        let tried = if self.outcome().is_none() { self.active(Phase::Failed) } else { IndexSet::new() };
        let status = |index| match index {
            _ if succeeded.contains(index) => IndexStatus::Succeeded,
            _ if failed.contains(index) => IndexStatus::Failed,
            _ if running.contains(index) => IndexStatus::Running,
            _ if starting.contains(index) => IndexStatus::Starting,
            _ if unknown.contains(index) => IndexStatus::Unknown,
            _ if tried.contains(index) => IndexStatus::Retrying,
            _ => IndexStatus::Pending,
        };
        indexes.iter().map(|index| (index, status(index))).collect()
    }

    /// Every attempt that is known, the oldest of an index first.
    pub(crate) fn attempts(&self) -> BTreeMap<u32, Vec<&Attempt>> {
        let mut by_index: BTreeMap<u32, Vec<&Attempt>> = BTreeMap::new();
        for attempt in self.attempts.values() {
            by_index.entry(attempt.index).or_default().push(attempt);
        }
        for attempts in by_index.values_mut() {
            attempts.sort_by(|a, b| (a.created, &a.pod).cmp(&(b.created, &b.pod)));
        }
        by_index
    }

    /// The Job's start and, once it ended, its end.
    pub(crate) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let Some(status) = self.job().and_then(|job| job.status.as_ref()) else { return (None, None) };
        let completed = status.completion_time.as_ref();
        // The API sets a completion time only on success.
        let failed = self.job().and_then(|job| condition(job, "Failed")).and_then(|c| c.last_transition_time.as_ref());
        (status.start_time.as_ref().map(|time| time.0), completed.or(failed).map(|time| time.0))
    }
}

/// The condition of that type, if it is true.
pub(crate) fn condition<'a>(job: &'a Job, type_: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == type_ && condition.status == "True")
}

/// How a Job ended, if it did.
pub(crate) fn outcome(job: &Job) -> Option<Outcome> {
    if condition(job, "Complete").is_some() {
        Some(Outcome::Complete)
    } else {
        condition(job, "Failed").map(|_| Outcome::Failed)
    }
}

/// Whether a Job gives each of its Pods an index.
pub(crate) fn is_indexed(job: &Job) -> bool {
    job.spec.as_ref().is_some_and(|spec| spec.completion_mode.as_deref() == Some("Indexed"))
}

/// Whether a Job is held back. Its condition alone does not tell: it follows a release by a second or two.
pub(crate) fn is_suspended(job: &Job) -> bool {
    let asked = job.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false);
    asked && condition(job, "Suspended").is_some()
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
    let annotations = job.metadata.annotations.as_ref()?;
    let noted = |key: &str| annotations.get(key).map(String::as_str);
    Some((noted(annotation::ITEM_AS)?, noted(annotation::ITEM_STORE)))
}

/// The Kueue queue that has to admit a Job.
pub(crate) fn queue(job: &Job) -> Option<&str> {
    job.metadata.labels.as_ref()?.get(label::KUEUE_QUEUE).map(String::as_str)
}

#[cfg(test)]
mod tests;
