//! What is known of a Job and of each of its indexes: a fold over events.
//!
//! The Job's own ranges are the truth for what is finished; Pods tell the rest, and may be gone, doubled or late.
//! Events may come in any order and more than once.

pub(crate) mod attempt;
mod job;
pub(crate) mod row;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use crate::index_set::{IndexSet, StatusWord};
use attempt::{Attempt, Phase, PodRecord};
pub(crate) use job::{
    condition, ended_at, handed_over, is_indexed, is_submitting, is_suspended, item_form, outcome, queue, status_word,
};

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
    /// The cluster has told something about the Job.
    Happened(Box<Happening>),
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
    /// Its node does not answer.
    Unknown,
    Starting,
    /// Failed, and to be tried again.
    Retrying,
    Pending,
    Succeeded,
}

impl IndexStatus {
    /// The word for it on every screen.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Failed => "Failed",
            Self::Running => "Running",
            Self::Unknown => "Unknown",
            Self::Starting => "Starting",
            Self::Retrying => "Retrying",
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

/// Something that the cluster has told about a Job: an event of the API, which has nothing to do with [`Event`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) uid: String,
    /// When it happened last.
    pub(crate) at: Option<Timestamp>,
    pub(crate) warning: bool,
    pub(crate) reason: String,
    pub(crate) message: String,
    /// How often it happened.
    pub(crate) count: i32,
}

/// Which attempts are kept. Their number must not grow with the indexes of a Job that is only followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Keep {
    /// All, for screens that show each.
    #[default]
    All,
    /// Those of an index that succeeded until [`JobState::forget`] is told that nobody needs them any more.
    UntilForgotten,
    /// None of an index that the Job says succeeded.
    Unfinished,
}

/// How many attempts of one index are kept of a Job that is followed: the newest tell how it fares.
const ATTEMPTS: usize = 8;
/// How much of what a failed worker wrote last is kept of a Job that is followed, in bytes.
const MESSAGE: usize = 1024;
/// How many happenings are kept: the newest.
const HAPPENINGS: usize = 16;

/// An attempt, and what tells which of two pictures of it is the later one.
#[derive(Clone, Debug)]
struct Known {
    attempt: Attempt,
    version: Option<u64>,
    /// Whether its log was read, or is not wanted.
    read: bool,
    /// Whether somebody is deleting the Pod.
    deleting: bool,
}

impl Known {
    /// What has ended does not run again, whatever comes late; else the server's own order counts.
    fn order(&self) -> (bool, Option<u64>, u8, bool) {
        let progress = match self.attempt.phase {
            Phase::Starting => 0,
            Phase::Unknown => 1,
            Phase::Running => 2,
            Phase::Succeeded | Phase::Failed => 3,
        };
        (self.attempt.is_finished(), self.version, progress, self.attempt.log_ended)
    }

    fn age(&self) -> (Option<Timestamp>, &str) {
        (self.attempt.created, &self.attempt.pod)
    }
}

/// A Job and its attempts.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobState {
    job: Option<Box<Job>>,
    gone: bool,
    keep: Keep,
    /// Whether it is followed since before any Pod of it was there.
    from_start: bool,
    /// What the Job's status says, read once and not at every question.
    succeeded: IndexSet,
    listed_failed: Option<IndexSet>,
    /// By index, the oldest attempt first.
    attempts: BTreeMap<u32, Vec<Known>>,
    /// The index of each attempt that is kept, by UID.
    index_of: HashMap<String, u32>,
    /// Succeeded indexes of which no attempt is kept.
    forgotten: IndexSet,
    /// Indexes whose Pods have ended well, as far as one can see, and that the Job has not counted yet.
    ending: IndexSet,
    /// Indexes of which an attempt was seen that had begun.
    begun: IndexSet,
    /// Indexes of which something has changed.
    changed: IndexSet,
    /// UIDs named by the list of Pods that is being read.
    listing: Option<HashSet<String>>,
    /// The oldest first.
    happenings: Vec<Happening>,
}

impl JobState {
    /// The state of a Job of which no Pod is known yet; it keeps all that it is told.
    pub(crate) fn new(job: Job) -> Self {
        let mut state = Self::default();
        state.apply(Event::Job(Box::new(job)));
        state
    }

    /// The state of a Job that is followed: what it keeps does not grow with the indexes that succeed. With `logs` the
    /// attempts of an index stay until [`JobState::forget`].
    pub(crate) fn following(job: Job, logs: bool) -> Self {
        let keep = if logs { Keep::UntilForgotten } else { Keep::Unfinished };
        let from_start = job.status.as_ref().is_none_or(|status| status.start_time.is_none());
        let mut state = Self { keep, from_start, ..Self::default() };
        state.apply(Event::Job(Box::new(job)));
        state
    }

    /// Takes in what was seen.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Job(job) => self.apply_job(job),
            Event::JobGone => self.gone = true,
            Event::Pod(pod) => self.apply_pod(&pod),
            Event::PodGone { uid } => self.forget_unfinished(&uid),
            Event::PodListBegins => self.listing = Some(HashSet::new()),
            Event::PodListEnds => {
                if let Some(named) = self.listing.take() {
                    let gone: Vec<_> = self.index_of.keys().filter(|uid| !named.contains(*uid)).cloned().collect();
                    for uid in gone {
                        self.forget_unfinished(&uid);
                    }
                }
            }
            Event::Happened(happening) => self.apply_happening(*happening),
        }
    }

    fn apply_job(&mut self, job: Box<Job>) {
        if let Some(known) = &self.job {
            let version = |job: &Job| job.metadata.resource_version.as_ref().and_then(|v| v.parse::<u64>().ok());
            // A list after a broken watch may be older than what the watch had told.
            let late = matches!((version(known), version(&job)), (Some(known), Some(new)) if new < known);
            if late || job.metadata.uid != known.metadata.uid {
                return;
            }
        }
        let status = job.status.as_ref();
        let read = |text: &Option<String>| text.as_deref().map(IndexSet::from_status);
        let succeeded = status.and_then(|status| read(&status.completed_indexes)).unwrap_or_default();
        let failed = status.and_then(|status| read(&status.failed_indexes));
        self.job = Some(job);
        let newly = succeeded.difference(&self.succeeded);
        self.note(&newly);
        if let Some(failed) = &failed {
            self.note(&self.listed_failed.as_ref().map_or_else(|| failed.clone(), |known| failed.difference(known)));
        }
        self.succeeded = succeeded;
        self.listed_failed = failed;
        if self.keep == Keep::Unfinished {
            self.ending = self.ending.difference(&self.succeeded).difference(&self.failed());
            let (succeeded, index_of) = (&self.succeeded, &mut self.index_of);
            index_of.retain(|_, index| !succeeded.contains(*index));
            self.attempts.retain(|index, _| !succeeded.contains(*index));
        }
    }

    fn apply_pod(&mut self, pod: &PodRecord) {
        if !self.owns(pod) {
            return;
        }
        let Some(mut attempt) = Attempt::from_pod(pod) else { return };
        if let Some(named) = &mut self.listing {
            named.insert(attempt.uid.clone());
        }
        let index = attempt.index;
        if attempt.has_started() {
            self.begun.insert(index);
        }
        let settled = match self.keep {
            Keep::All => false,
            Keep::UntilForgotten => self.forgotten.contains(index),
            Keep::Unfinished => self.succeeded.contains(index),
        };
        if settled {
            return;
        }
        if self.keep != Keep::All {
            attempt.message = attempt.message.map(|message| last_bytes(&message, MESSAGE).to_owned());
            self.changed.insert(index);
        }
        let version = pod.metadata.resource_version.as_ref().and_then(|version| version.parse().ok());
        let deleting = pod.metadata.deletion_timestamp.is_some();
        let mut new = Known { attempt, version, read: self.keep == Keep::Unfinished, deleting };
        let attempts = self.attempts.entry(index).or_default();
        match attempts.iter_mut().find(|known| known.attempt.uid == new.attempt.uid) {
            Some(known) if known.order() <= new.order() => {
                new.read |= known.read;
                *known = new;
            }
            Some(_) => {}
            None => {
                self.index_of.insert(new.attempt.uid.clone(), index);
                self.ending = self.ending.difference(&IndexSet::from_iter([index]));
                attempts.push(new);
                attempts.sort_by(|a, b| a.age().cmp(&b.age()));
            }
        }
        self.bound(index);
    }

    /// Drops the oldest attempts of an index that has too many.
    fn bound(&mut self, index: u32) {
        let Some(attempts) = self.attempts.get_mut(&index).filter(|_| self.keep != Keep::All) else { return };
        while attempts.len() > ATTEMPTS && attempts[0].read {
            self.index_of.remove(&attempts.remove(0).attempt.uid);
        }
    }

    /// What a failed attempt told stays worth telling after its Pod is gone.
    fn forget_unfinished(&mut self, uid: &str) {
        let Some(&index) = self.index_of.get(uid) else { return };
        let Some(attempts) = self.attempts.get_mut(&index) else { return };
        let before = attempts.len();
        // Of such a Job the server tells that a Pod is gone when it has succeeded.
        let ends_well = |known: &Known| known.attempt.uid == uid && known.attempt.has_started() && !known.deleting;
        if self.keep == Keep::Unfinished
            && attempts.iter().any(|known| ends_well(known) && !known.attempt.is_finished())
        {
            self.ending.insert(index);
        }
        attempts.retain(|known| known.attempt.uid != uid || known.attempt.is_finished());
        if attempts.len() < before {
            self.index_of.remove(uid);
            if attempts.is_empty() {
                self.attempts.remove(&index);
            }
            if self.keep != Keep::All {
                self.changed.insert(index);
            }
        }
    }

    fn apply_happening(&mut self, happening: Happening) {
        match self.happenings.iter_mut().find(|known| known.uid == happening.uid) {
            Some(known) if (known.at, known.count) <= (happening.at, happening.count) => *known = happening,
            Some(_) => {}
            None => self.happenings.push(happening),
        }
        self.happenings.sort_by(|a, b| (a.at, &a.uid).cmp(&(b.at, &b.uid)));
        let surplus = self.happenings.len().saturating_sub(HAPPENINGS);
        self.happenings.drain(..surplus);
    }

    fn note(&mut self, changed: &IndexSet) {
        if self.keep != Keep::All {
            self.changed = self.changed.union(changed);
        }
    }

    /// The indexes of which something has changed since this was asked last. Only of a Job that is followed.
    pub(crate) fn take_changed(&mut self) -> IndexSet {
        std::mem::take(&mut self.changed)
    }

    /// Nobody needs the log of this attempt any more.
    pub(crate) fn mark_read(&mut self, index: u32, uid: &str) {
        let attempts = self.attempts.get_mut(&index);
        if let Some(known) = attempts.and_then(|attempts| attempts.iter_mut().find(|a| a.attempt.uid == uid)) {
            known.read = true;
            self.bound(index);
        }
    }

    /// Nobody needs the attempts any more of an index that succeeded.
    pub(crate) fn forget(&mut self, index: u32) {
        self.forgotten.insert(index);
        for known in self.attempts.remove(&index).unwrap_or_default() {
            self.index_of.remove(&known.attempt.uid);
        }
    }

    /// Succeeded indexes whose attempts were forgotten.
    pub(crate) fn forgotten(&self) -> &IndexSet {
        &self.forgotten
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
        self.succeeded.clone()
    }

    /// Whether the Job counts an index as completed.
    pub(crate) fn has_succeeded(&self, index: u32) -> bool {
        self.succeeded.contains(index)
    }

    /// Whether an index has failed for good.
    pub(crate) fn has_failed(&self, index: u32) -> bool {
        self.listed_failed.as_ref().map_or_else(|| self.failed().contains(index), |failed| failed.contains(index))
    }

    /// Indexes that have failed for good: as the Job says where it keeps a list, else those whose last attempt failed
    /// when the Job did.
    pub(crate) fn failed(&self) -> IndexSet {
        if let Some(failed) = &self.listed_failed {
            return failed.clone();
        }
        if self.keeps_failed_indexes() || self.outcome() != Some(Outcome::Failed) {
            return IndexSet::new();
        }
        self.in_phase(Phase::Failed).difference(&self.succeeded)
    }

    /// Indexes with an active attempt whose worker runs, or has just ended well.
    pub(crate) fn running(&self) -> IndexSet {
        self.active(Phase::Running).union(&self.ending)
    }

    fn active(&self, phase: Phase) -> IndexSet {
        self.in_phase(phase).difference(&self.succeeded).difference(&self.failed())
    }

    fn in_phase(&self, phase: Phase) -> IndexSet {
        let has = |attempts: &[Known]| attempts.iter().any(|known| known.attempt.phase == phase);
        self.attempts.iter().filter(|(_, attempts)| has(attempts)).map(|(&index, _)| index).collect()
    }

    /// Indexes that are neither finished nor running.
    pub(crate) fn pending(&self) -> IndexSet {
        let seen = self.succeeded().union(&self.failed()).union(&self.running());
        IndexSet::below(self.completions()).difference(&seen)
    }

    /// What became of the indexes of a Job that has ended before them: those that were stopped, and the rest.
    pub(crate) fn unfinished(&self) -> (IndexSet, IndexSet) {
        if self.outcome().is_none() {
            return (IndexSet::new(), IndexSet::new());
        }
        let unfinished = IndexSet::below(self.completions()).difference(&self.succeeded).difference(&self.failed());
        (unfinished.intersection(&self.begun), unfinished.difference(&self.begun))
    }

    /// Whether an index that was never seen has never begun; else nobody knows.
    pub(crate) fn is_followed_from_start(&self) -> bool {
        self.from_start
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
            _ if unknown.contains(index) => IndexStatus::Unknown,
            _ if starting.contains(index) => IndexStatus::Starting,
            _ if unknown.contains(index) => IndexStatus::Unknown,
            _ if tried.contains(index) => IndexStatus::Retrying,
            _ => IndexStatus::Pending,
        };
        indexes.iter().map(|index| (index, status(index))).collect()
    }

    /// Every attempt that is kept, the oldest of an index first.
    pub(crate) fn attempts(&self) -> BTreeMap<u32, Vec<&Attempt>> {
        self.attempts.keys().map(|&index| (index, self.attempts_of(index).collect())).collect()
    }

    /// The attempts of one index that are kept, the oldest first.
    pub(crate) fn attempts_of(&self, index: u32) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts.get(&index).into_iter().flatten().map(|known| &known.attempt)
    }

    /// The same with the number of each, from 1 on. The Job controller's own count tells of attempts before them whose
    /// Pods are gone, where it keeps one.
    pub(crate) fn numbered_attempts_of(&self, index: u32) -> impl Iterator<Item = (u32, &Attempt)> {
        self.attempts_of(index).scan(0, |number, attempt| {
            *number = (*number + 1).max(attempt.earlier.saturating_add(1));
            Some((*number, attempt))
        })
    }

    /// The indexes of which an attempt is kept.
    pub(crate) fn attempted(&self) -> IndexSet {
        self.attempts.keys().copied().collect()
    }

    /// What the cluster has told about the Job, the oldest first: only the newest are kept.
    pub(crate) fn happenings(&self) -> &[Happening] {
        &self.happenings
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

/// The end of a text, of at most so many bytes.
fn last_bytes(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests;
