//! What is known of a Job and of each of its indexes: a fold over events.
//!
//! The Job's own ranges are the truth for what is finished; Pods tell the rest, and may be gone, doubled or late.
//! Events may come in any order and more than once.

pub(crate) mod attempt;
mod family;
mod job;
pub(crate) mod member;
pub(crate) mod row;

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;

use crate::index_set::{IndexSet, StatusWord};
use attempt::{Attempt, Phase, PodRecord};
pub(crate) use job::{
    Resumed, condition, ended_at, failed_count, handed_over, is_indexed, is_submitting, is_suspended, item_form,
    outcome, queue, resumed, status_word,
};
use member::Member;

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
    /// A new list of the Pods of a Job begins: what it does not name is gone by its end.
    PodListBegins {
        /// The UID of the Job.
        job: Option<String>,
    },
    /// The list of Pods is complete.
    PodListEnds {
        /// The UID of the Job.
        job: Option<String>,
    },
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
    /// The Job that it is of, as a position among the members.
    member: usize,
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

/// A Job and its attempts, or a family of Jobs and theirs: all that is told is of original indexes.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobState {
    /// The oldest first.
    members: Vec<Member>,
    /// Which of them was asked for.
    asked: usize,
    /// Whether the members are all that is left of a family, so that what they note of others counts.
    whole_family: bool,
    gone: bool,
    keep: Keep,
    /// Whether it is followed since before any Pod of it was there.
    from_start: bool,
    /// What the Jobs' status says, read once and not at every question.
    succeeded: IndexSet,
    /// None where only the attempts tell.
    known_failed: Option<IndexSet>,
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
    /// UIDs named by the lists of Pods that are being read, by the UID of the Job.
    listing: HashMap<Option<String>, HashSet<String>>,
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

    /// The same Jobs, from now on followed; no Pod may be known yet. What is kept does not grow with the indexes that
    /// succeed; with `logs` the attempts of an index stay until [`JobState::forget`].
    pub(crate) fn followed(self, logs: bool) -> Self {
        let started = |member: &Member| member.job().status.as_ref().is_some_and(|status| status.start_time.is_some());
        let from_start = !self.members.iter().any(started);
        Self { keep: if logs { Keep::UntilForgotten } else { Keep::Unfinished }, from_start, ..self }
    }

    /// Takes in what was seen.
    pub(crate) fn apply(&mut self, event: Event) {
        match event {
            Event::Job(job) => self.apply_job(job),
            Event::JobGone => self.gone = true,
            Event::Pod(pod) => self.apply_pod(&pod),
            Event::PodGone { uid } => self.forget_unfinished(&uid),
            Event::PodListBegins { job } => {
                self.listing.insert(job, HashSet::new());
            }
            Event::PodListEnds { job } => {
                if let Some(named) = self.listing.remove(&job) {
                    let member = self.members.iter().position(|member| member.uid() == job.as_deref());
                    let of_job = |uid: &&String| self.member_of(uid) == member;
                    let gone: Vec<_> =
                        self.index_of.keys().filter(|uid| !named.contains(*uid)).filter(of_job).cloned().collect();
                    for uid in gone {
                        self.forget_unfinished(&uid);
                    }
                }
            }
            Event::Happened(happening) => self.apply_happening(*happening),
        }
    }

    fn apply_job(&mut self, job: Box<Job>) {
        let known = self.members.iter().position(|member| member.uid() == job.metadata.uid.as_deref());
        let newly = match known {
            Some(at) => {
                let known = &mut self.members[at];
                let version = |job: &Job| job.metadata.resource_version.as_ref().and_then(|v| v.parse::<u64>().ok());
                // A list after a broken watch may be older than what the watch had told.
                if matches!((version(known.job()), version(&job)), (Some(known), Some(new)) if new < known) {
                    return;
                }
                known.renew(job)
            }
            None if self.members.is_empty() => {
                let member = Member::new(job);
                let newly = member.succeeded().union(&member.listed_failed().cloned().unwrap_or_default());
                self.members.push(member);
                newly
            }
            None => return,
        };
        self.note(&newly);
        self.sum_up();
        if self.keep == Keep::Unfinished {
            self.ending = self.ending.difference(&self.succeeded).difference(&self.failed());
            let (succeeded, index_of) = (&self.succeeded, &mut self.index_of);
            index_of.retain(|_, index| !succeeded.contains(*index));
            self.attempts.retain(|index, _| !succeeded.contains(*index));
        }
    }

    fn apply_pod(&mut self, pod: &PodRecord) {
        let Some((member, mut attempt)) = self.attempt(pod) else { return };
        for named in self.listing.values_mut() {
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
        let mut new = Known { attempt, member, version, read: self.keep == Keep::Unfinished, deleting };
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

    /// Whether the Job was deleted.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Indexes that the Job counts as completed.
    pub(crate) fn succeeded(&self) -> IndexSet {
        self.succeeded.clone()
    }

    /// Whether the Job counts an index as completed.
    pub(crate) fn has_succeeded(&self, index: u32) -> bool {
        self.succeeded.contains(index)
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
        self.all().difference(&seen)
    }

    /// What became of the indexes of a Job that has ended before them: those that were stopped, and the rest.
    pub(crate) fn unfinished(&self) -> (IndexSet, IndexSet) {
        if self.outcome().is_none() {
            return (IndexSet::new(), IndexSet::new());
        }
        let unfinished = self.all().difference(&self.succeeded).difference(&self.failed());
        (unfinished.intersection(&self.begun), unfinished.difference(&self.begun))
    }

    /// Whether an index that was never seen has never begun; else nobody knows.
    pub(crate) fn is_followed_from_start(&self) -> bool {
        self.from_start
    }

    /// The indexes that a status word means.
    pub(crate) fn meaning(&self, word: StatusWord) -> IndexSet {
        match word {
            StatusWord::All => self.all(),
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
        // A Job that retries another counts anew.
        let (mut before, mut last, mut of) = (0, 0, None);
        self.attempts.get(&index).into_iter().flatten().map(move |known| {
            if of != Some(known.member) {
                (before, of) = (last, Some(known.member));
            }
            last = (last + 1).max(before + known.attempt.earlier.saturating_add(1));
            (last, &known.attempt)
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
