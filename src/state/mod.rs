//! The status of a Job and of each of its indexes, computed from events.
//!
//! The Job's status decides which indexes have finished. Pods provide the rest; they may be missing, duplicated or
//! late. Events may arrive in any order and more than once.

pub(crate) mod attempt;
mod attempts;
mod family;
mod items;
mod job;
pub(crate) mod member;
pub(crate) mod row;

use std::borrow::Borrow;
use std::collections::{BTreeMap, HashSet};
use std::ops::Deref;

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use serde::Deserialize;

use crate::index_set::{IndexSet, StatusWord};
use attempt::{Attempt, Phase, PodRecord};
use attempts::{Attempts, Retention};
use family::Family;
pub(crate) use items::{ItemParams, ItemTexts};
pub(crate) use job::{
    Resumed, condition, ended_at, failed_count, handover_reason, is_indexed, is_submitting, is_suspended, item_form,
    outcome, queue, resumed, status_word,
};
use member::Member;

/// News about a Job or its Pods.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Job(Box<Job>),
    JobGone {
        uid: Option<String>,
    },
    Pod(Box<PodRecord>),
    PodGone {
        uid: String,
    },
    /// A new list of the Pods of a Job begins. Pods that are not in the list by its end are gone.
    PodListBegins {
        job: Option<String>,
    },
    PodListEnds {
        job: Option<String>,
    },
    /// The API has an event about the Job.
    Reported(Box<KubeEvent>),
    /// Replaces the warnings about Pods of the namespace.
    PodsWarned(Vec<KubeEvent>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Complete,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) enum IndexStatus {
    Failed,
    Running,
    /// The node does not respond.
    Unknown,
    Starting,
    /// Failed, and will be retried.
    Retrying,
    Pending,
    Succeeded,
}

impl IndexStatus {
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) succeeded: usize,
    pub(crate) failed: usize,
    pub(crate) running: usize,
    pub(crate) total: usize,
}

/// An event of the Kubernetes API about a Job or a Pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KubeEvent {
    pub(crate) uid: String,
    /// The name of the involved object.
    pub(crate) about: String,
    pub(crate) at: Option<Timestamp>,
    pub(crate) warning: bool,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) count: i32,
}

/// The newest API events that are kept.
const MAX_KUBE_EVENTS: usize = 16;

/// A family of Jobs, or a single Job, with the attempts of its indexes. All indexes are original ones.
///
/// [`Family`] has the Jobs' own statuses.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobState {
    family: Family,
    attempts: Attempts,
    /// Whether the Job was followed before it had any Pod.
    from_start: bool,
    /// The oldest first.
    kube_events: Vec<KubeEvent>,
    pod_warnings: Vec<KubeEvent>,
}

impl Deref for JobState {
    type Target = Family;

    fn deref(&self) -> &Family {
        &self.family
    }
}

impl JobState {
    /// Returns the state of a single Job without its Pods. The state keeps all attempts.
    pub(crate) fn new(job: Job) -> Self {
        Self { family: Family::new(vec![job], None, false), ..Self::default() }
    }

    /// Returns the state of a family without its Pods. `jobs` are the oldest first; [`Family::job`] is the Job with the
    /// UID `requested`.
    pub(crate) fn family(jobs: Vec<Job>, requested: Option<&str>) -> Self {
        Self { family: Family::new(jobs, requested, true), ..Self::default() }
    }

    /// Starts following: drops the known attempts, and limits what is kept to the unfinished indexes. With `logs`, the
    /// attempts of an index stay until [`JobState::forget`].
    pub(crate) fn followed(self, logs: bool) -> Self {
        let started = |member: &Member| member.job().status.as_ref().is_some_and(|status| status.start_time.is_some());
        let from_start = !self.members().iter().any(started);
        let retention = if logs { Retention::UntilForgotten } else { Retention::Unfinished };
        Self { attempts: Attempts::new(retention), from_start, ..self }
    }

    pub(crate) fn apply(&mut self, event: impl Borrow<Event>) {
        match event.borrow() {
            Event::Job(job) => {
                let changed = self.family.update(job);
                self.attempts.mark_changed(&changed);
                let failed = self.failed();
                self.attempts.drop_finished(&self.family.succeeded, &failed);
            }
            Event::JobGone { uid } => self.family.mark_gone(uid.as_deref()),
            Event::Pod(pod) => {
                if let Some((member, attempt)) = self.family.attempt(pod) {
                    self.attempts.add(attempt, member, &pod.metadata, &self.family.succeeded);
                }
            }
            Event::PodGone { uid } => self.attempts.drop_unfinished(uid),
            Event::PodListBegins { job } => {
                if let Some(member) = self.family.position(job.as_deref()) {
                    self.attempts.listing.insert(member, HashSet::new());
                }
            }
            Event::PodListEnds { job } => {
                if let Some(member) = self.family.position(job.as_deref()) {
                    self.attempts.end_list(member);
                }
            }
            Event::Reported(kube_event) => self.apply_kube_event(kube_event),
            Event::PodsWarned(warnings) => self.pod_warnings.clone_from(warnings),
        }
    }

    fn apply_kube_event(&mut self, kube_event: &KubeEvent) {
        match self.kube_events.iter_mut().find(|known| known.uid == kube_event.uid) {
            Some(known) if (known.at, known.count) <= (kube_event.at, kube_event.count) => known.clone_from(kube_event),
            Some(_) => {}
            None => self.kube_events.push(kube_event.clone()),
        }
        self.kube_events.sort_by(|a, b| (a.at, &a.uid).cmp(&(b.at, &b.uid)));
        let surplus = self.kube_events.len().saturating_sub(MAX_KUBE_EVENTS);
        self.kube_events.drain(..surplus);
    }

    /// Returns the indexes that changed since the last call. Empty for a Job that is not followed.
    pub(crate) fn take_changed(&mut self) -> IndexSet {
        std::mem::take(&mut self.attempts.changed)
    }

    /// Marks the log of an attempt as read: the attempt may be dropped.
    pub(crate) fn mark_read(&mut self, index: u32, uid: &str) {
        self.attempts.mark_read(index, uid);
    }

    /// Drops the attempts of a succeeded index.
    pub(crate) fn forget(&mut self, index: u32) {
        self.attempts.forget(index);
    }

    /// Returns the succeeded indexes whose attempts were dropped.
    pub(crate) fn forgotten(&self) -> &IndexSet {
        &self.attempts.forgotten
    }

    /// Whether the Pods of all Jobs are listed, and no new list is in progress.
    pub(crate) fn is_listed(&self) -> bool {
        self.attempts.listing.is_empty() && self.attempts.listed.len() == self.members().len()
    }

    pub(crate) fn has_failed(&self, index: u32) -> bool {
        self.listed_failed.as_ref().map_or_else(|| self.failed().contains(index), |failed| failed.contains(index))
    }

    /// Returns the indexes that have failed for good: as the Job lists them, else those with a failed attempt of a
    /// failed Job.
    pub(crate) fn failed(&self) -> IndexSet {
        match &self.listed_failed {
            Some(failed) => failed.clone(),
            None => self.fold_failed(&|position| {
                self.attempts.indexes_where(|known| known.member == position && known.attempt.phase == Phase::Failed)
            }),
        }
    }

    /// Returns the indexes whose worker runs, or has just succeeded.
    pub(crate) fn running(&self) -> IndexSet {
        self.active(Phase::Running).union(&self.attempts.ending)
    }

    fn active(&self, phase: Phase) -> IndexSet {
        let active = self.attempts.indexes_where(|known| known.attempt.phase == phase);
        active.difference(&self.succeeded).difference(&self.failed())
    }

    /// Returns the indexes that are neither finished nor running.
    pub(crate) fn pending(&self) -> IndexSet {
        let seen = self.succeeded().union(&self.failed()).union(&self.running());
        self.all().difference(&seen)
    }

    /// Returns the unfinished indexes of an ended Job: those that were stopped, and those that never started.
    pub(crate) fn unfinished(&self) -> (IndexSet, IndexSet) {
        if self.outcome().is_none() {
            return (IndexSet::new(), IndexSet::new());
        }
        let unfinished = self.all().difference(&self.succeeded).difference(&self.failed());
        (unfinished.intersection(&self.attempts.begun), unfinished.difference(&self.attempts.begun))
    }

    /// Returns the indexes of ended Jobs whose Pods may have newer information: the watch of Pods may be late.
    pub(crate) fn unsettled(&self) -> IndexSet {
        let listed = if self.outcome() == Some(Outcome::Failed) { self.all() } else { self.failed() };
        let open = listed.union(&self.succeeded()).union(&self.attempted());
        let drops_succeeded = self.attempts.retention == Retention::Unfinished;
        let open = if drops_succeeded { open.difference(&self.succeeded) } else { open };
        open.difference(&self.attempts.settled(&self.succeeded))
    }

    /// Whether an index without a known attempt has surely never started.
    pub(crate) fn is_followed_from_start(&self) -> bool {
        self.from_start
    }

    /// Returns the indexes that a status word selects.
    pub(crate) fn indexes_with(&self, word: StatusWord) -> IndexSet {
        match word {
            StatusWord::All => self.all(),
            StatusWord::Failed => self.failed(),
            StatusWord::Succeeded => self.succeeded(),
            StatusWord::Running => self.running(),
            StatusWord::Pending => self.pending(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            succeeded: self.succeeded.len(),
            failed: self.failed().len(),
            running: self.running().len(),
            total: self.completions() as usize,
        }
    }

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
            _ if tried.contains(index) => IndexStatus::Retrying,
            _ => IndexStatus::Pending,
        };
        indexes.iter().map(|index| (index, status(index))).collect()
    }

    /// Returns the known attempts by index, the oldest first.
    pub(crate) fn attempts(&self) -> BTreeMap<u32, Vec<&Attempt>> {
        self.attempted().iter().map(|index| (index, self.attempts_of(index).collect())).collect()
    }

    /// Returns the known attempts of an index, the oldest first.
    pub(crate) fn attempts_of(&self, index: u32) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts.of_index(index).map(|known| &known.attempt)
    }

    /// Returns the known attempts of an index with their numbers, from 1. The Job controller's count, if there is one,
    /// includes earlier attempts whose Pods are gone.
    pub(crate) fn numbered_attempts_of(&self, index: u32) -> impl Iterator<Item = (u32, &Attempt)> {
        // Each retry Job counts from 0.
        let (mut before, mut last, mut member) = (0, 0, None);
        self.attempts.of_index(index).map(move |known| {
            if member != Some(known.member) {
                (before, member) = (last, Some(known.member));
            }
            last = (last + 1).max(before + known.attempt.earlier.saturating_add(1));
            (last, &known.attempt)
        })
    }

    pub(crate) fn attempted(&self) -> IndexSet {
        self.attempts.indexes()
    }

    /// Returns the newest API events about the Job, the oldest first.
    pub(crate) fn kube_events(&self) -> &[KubeEvent] {
        &self.kube_events
    }

    pub(crate) fn pod_warnings(&self) -> &[KubeEvent] {
        &self.pod_warnings
    }
}

#[cfg(test)]
mod tests;
