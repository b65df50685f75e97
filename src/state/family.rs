//! What a Job says of its indexes, and what a family of Jobs says together: an index that failed in one and succeeded
//! in the next has succeeded.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use super::attempt::{Attempt, Phase, PodRecord};
use super::job::worker;
use super::member::Member;
use super::{JobState, Outcome, condition};
use crate::index_set::IndexSet;

impl JobState {
    /// The state of a family, the oldest Job first, of which no Pod is known yet; the one of the UID `asked` is the one
    /// that [`JobState::job`] gives.
    pub(crate) fn family(jobs: Vec<Job>, asked: Option<&str>) -> Self {
        let members: Vec<_> = jobs.into_iter().map(|job| Member::new(Box::new(job))).collect();
        let asked = members.iter().position(|member| member.uid() == asked).unwrap_or(0);
        let mut state = Self { members, asked, whole_family: true, ..Self::default() };
        state.sum_up();
        state
    }

    /// Takes together what the Jobs say of themselves.
    pub(super) fn sum_up(&mut self) {
        let mut succeeded = IndexSet::new();
        for member in &self.members {
            succeeded = succeeded.union(member.succeeded());
            if self.is_merged() {
                succeeded = succeeded.union(&member.succeeded_before());
            }
        }
        self.succeeded = succeeded;
        self.known_failed = self.fold_failed(&|member, _| {
            let known = member.listed_failed().cloned();
            let none = member.keeps_failed() || member.outcome() != Some(Outcome::Failed);
            known.or_else(|| none.then(IndexSet::new))
        });
    }

    /// What has failed by the word of the last Job that has an index; None if one of them does not know.
    fn fold_failed(&self, of: &dyn Fn(&Member, usize) -> Option<IndexSet>) -> Option<IndexSet> {
        let mut failed = IndexSet::new();
        for (position, member) in self.members.iter().enumerate() {
            if self.is_merged() {
                // What was noted of Jobs that may be gone; a Job that is still there was folded in before.
                failed = failed.union(&member.failed_before());
            }
            failed = failed.difference(member.all()).union(&of(member, position)?);
        }
        Some(if self.is_merged() { failed.difference(&self.succeeded) } else { failed })
    }

    /// The attempt that a Pod is, with its original index, and the position of its Job; None for a Pod that is not of
    /// these very Jobs, as one of a namesake that was deleted before.
    pub(super) fn attempt(&self, pod: &PodRecord) -> Option<(usize, Attempt)> {
        let labels = pod.metadata.labels.as_ref();
        let controller = ["batch.kubernetes.io/controller-uid", "controller-uid"]
            .iter()
            .find_map(|key| labels.and_then(|labels| labels.get(*key)));
        let position = match controller {
            _ if self.members.is_empty() => 0,
            None => 0,
            Some(uid) => self.members.iter().position(|member| member.uid().is_none_or(|known| known == uid))?,
        };
        let member = self.members.get(position);
        let mut attempt = Attempt::from_pod(pod, member.and_then(|member| worker(member.job())))?;
        if let Some(member) = member {
            attempt.index = member.original(attempt.index);
        }
        Some((position, attempt))
    }

    /// The original index of a Pod.
    pub(crate) fn index_of_pod(&self, pod: &PodRecord) -> Option<u32> {
        self.attempt(pod).map(|(_, attempt)| attempt.index)
    }

    /// The position of the Job of an attempt that is kept.
    pub(super) fn member_of(&self, uid: &str) -> Option<usize> {
        let attempts = self.attempts.get(self.index_of.get(uid)?)?;
        attempts.iter().find(|known| known.attempt.uid == uid).map(|known| known.member)
    }

    /// What a member is called, where there are several.
    pub(super) fn job_of(&self, member: usize) -> Option<String> {
        (self.members.len() > 1).then(|| self.members.get(member).map(|member| member.name().to_owned()))?
    }

    /// The Job of a Pod, where there are several.
    pub(super) fn job_of_pod(&self, index: u32, pod: Option<&str>) -> Option<String> {
        let known = self.attempts.get(&index)?.iter().find(|known| Some(known.attempt.pod.as_str()) == pod)?;
        self.job_of(known.member)
    }

    /// The Job as last seen: of a family the one that was asked for.
    pub(crate) fn job(&self) -> Option<&Job> {
        self.members.get(self.asked).map(Member::job)
    }

    /// The Jobs of the family, the oldest first; a Job that is alone, or looked at alone, is the only one.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The Job whose list of items reaches furthest: the one that the family began with, else the newest.
    pub(crate) fn items_job(&self) -> Option<&Job> {
        let root = self.members.iter().find(|member| !member.is_retry());
        root.or(self.members.last()).map(Member::job)
    }

    /// Whether the indexes of a whole family are told of.
    pub(crate) fn is_merged(&self) -> bool {
        self.whole_family
    }

    /// Every index that is told of.
    pub(crate) fn all(&self) -> IndexSet {
        if self.is_merged() {
            return IndexSet::below(self.members.iter().map(Member::family_completions).max().unwrap_or(0));
        }
        self.members.first().map(|member| member.all().clone()).unwrap_or_default()
    }

    /// How many indexes there are.
    pub(crate) fn completions(&self) -> u32 {
        u32::try_from(self.all().len()).unwrap_or(u32::MAX)
    }

    /// Whether the Jobs keep their own lists of failed indexes (`backoffLimitPerIndex`).
    pub(crate) fn keeps_failed_indexes(&self) -> bool {
        !self.members.is_empty() && self.members.iter().all(Member::keeps_failed)
    }

    /// How the Job ended, if it did. A family has ended when all its Jobs have: well if every index succeeded, or if
    /// what succeeded was enough for the Job that it began with.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        if !self.is_merged() {
            return self.members.first().and_then(Member::outcome);
        }
        let ends = self.members.iter().map(Member::outcome).collect::<Option<Vec<_>>>()?;
        let was_enough =
            self.members.iter().zip(ends).any(|(member, end)| !member.is_retry() && end == Outcome::Complete);
        let done = self.all().difference(&self.succeeded).is_empty();
        Some(if done || was_enough { Outcome::Complete } else { Outcome::Failed })
    }

    /// The condition that ended the Job, or is about to; of a family the one of the newest Job.
    pub(crate) fn ending_condition(&self) -> Option<&JobCondition> {
        let of = |type_: &&str| self.members.iter().rev().find_map(|member| condition(member.job(), type_));
        ["Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"].iter().find_map(of)
    }

    /// Whether an index has failed for good.
    pub(crate) fn has_failed(&self, index: u32) -> bool {
        self.known_failed.as_ref().map_or_else(|| self.failed().contains(index), |failed| failed.contains(index))
    }

    /// Indexes that have failed for good: as the Job says where it keeps a list, else those whose last attempt failed
    /// when the Job did.
    pub(crate) fn failed(&self) -> IndexSet {
        if let Some(failed) = &self.known_failed {
            return failed.clone();
        }
        let by_attempts = |member: &Member, position| {
            if let Some(failed) = member.listed_failed() {
                return Some(failed.clone());
            }
            if member.keeps_failed() || member.outcome() != Some(Outcome::Failed) {
                return Some(IndexSet::new());
            }
            Some(self.in_phase_of(position, Phase::Failed).difference(&self.succeeded))
        };
        self.fold_failed(&by_attempts).unwrap_or_default()
    }

    /// The indexes of which one of the Jobs has an attempt in that phase.
    fn in_phase_of(&self, position: usize, phase: Phase) -> IndexSet {
        let attempts = self.attempts.iter().filter(|(_, attempts)| {
            attempts.iter().any(|known| known.member == position && known.attempt.phase == phase)
        });
        attempts.map(|(&index, _)| index).collect()
    }

    /// Indexes that a Job which has not ended still runs, or is going to.
    pub(crate) fn under_way(&self) -> IndexSet {
        let going = self.members.iter().filter(|member| member.outcome().is_none());
        let going = going.filter(|member| member.job().metadata.deletion_timestamp.is_none());
        let open = going.map(|member| {
            member.all().difference(member.succeeded()).difference(&member.listed_failed().cloned().unwrap_or_default())
        });
        open.fold(IndexSet::new(), |all, open| all.union(&open)).difference(&self.succeeded)
    }

    /// Indexes to be run again: those that failed, and those that never ended because their Job did. What a Job left
    /// over that had enough is among `spare`.
    pub(crate) fn outstanding(&self) -> Outstanding {
        let under_way = self.under_way();
        let open = self.all().difference(&self.succeeded).difference(&under_way);
        let mut left = IndexSet::new();
        for member in &self.members {
            left = left.difference(member.all());
            if member.outcome() == Some(Outcome::Complete) {
                let failed = member.listed_failed().cloned().unwrap_or_default();
                left = left.union(&member.all().difference(member.succeeded()).difference(&failed));
            }
        }
        let spare = open.intersection(&left);
        Outstanding { indexes: open.difference(&spare), spare, under_way }
    }

    /// The Job's start and, once it ended, its end; of a family the first start and the last end.
    pub(crate) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let spans = || self.members.iter().map(|member| span(member.job()));
        let start = spans().filter_map(|(start, _)| start).min();
        let ends = spans().map(|(_, end)| end).collect::<Option<Vec<_>>>();
        (start, ends.and_then(|ends| ends.into_iter().max()))
    }
}

/// What is left to be done of a family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outstanding {
    /// Failed, or never run to their end because their Job ended.
    pub(crate) indexes: IndexSet,
    /// Not run to their end because what had succeeded was enough.
    pub(crate) spare: IndexSet,
    /// At work, or about to be.
    pub(crate) under_way: IndexSet,
}

fn span(job: &Job) -> (Option<Timestamp>, Option<Timestamp>) {
    let Some(status) = &job.status else { return (None, None) };
    let completed = status.completion_time.as_ref();
    // The API sets a completion time only on success.
    let failed = condition(job, "Failed").and_then(|condition| condition.last_transition_time.as_ref());
    (status.start_time.as_ref().map(|time| time.0), completed.or(failed).map(|time| time.0))
}
