//! The Jobs of a family. An index that failed in one Job and succeeded in the next has succeeded.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use super::attempt::{Attempt, PodRecord};
use super::member::Member;
use super::{Outcome, condition, ended_at};
use crate::contract::{annotation, worker_name};
use crate::index_set::IndexSet;

/// A Job with its retries, or one Job alone: statuses only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    /// The oldest first.
    members: Vec<Member>,
    asked: usize,
    /// Whether the members are all that is left of a family, so that what they note of others counts.
    whole: bool,
    /// What the Jobs' statuses say, read once and not at every question.
    pub(super) succeeded: IndexSet,
    /// None where only the attempts say which indexes failed.
    pub(super) listed_failed: Option<IndexSet>,
}

impl Family {
    pub(super) fn new(jobs: Vec<Job>, asked: Option<&str>, whole: bool) -> Self {
        let members: Vec<_> = jobs.into_iter().map(|job| Member::new(Box::new(job))).collect();
        let asked = members.iter().position(|member| member.uid() == asked).unwrap_or(0);
        let mut family = Self { members, asked, whole, ..Self::default() };
        family.sum_up();
        family
    }

    /// Replaces a Job by a newer version of itself, and returns the indexes that changed.
    pub(super) fn renew(&mut self, job: &Job) -> IndexSet {
        let Some(at) = self.position(job.metadata.uid.as_deref()) else { return IndexSet::new() };
        let version = |job: &Job| job.metadata.resource_version.as_ref().and_then(|v| v.parse::<u64>().ok());
        let known = &mut self.members[at];
        // A list after a broken watch may be older than what the watch had reported.
        if matches!((version(known.job()), version(job)), (Some(known), Some(new)) if new < known) {
            return IndexSet::new();
        }
        let (all, outcome) = (self.all(), self.outcome());
        let newly = self.members[at].renew(job);
        self.sum_up();
        if outcome == self.outcome() { newly.union(&self.all().difference(&all)) } else { self.all() }
    }

    pub(super) fn mark_gone(&mut self, uid: Option<&str>) {
        if let Some(at) = self.position(uid) {
            self.members[at].gone = true;
            self.sum_up();
        }
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.members.get(self.asked).is_some_and(|member| member.gone)
    }

    pub(crate) fn is_cut_short(&self) -> bool {
        self.members.get(self.asked).is_some_and(Member::is_cut_short)
    }

    /// The names of other Jobs of the family that were deleted before they ended. They no longer count.
    pub(crate) fn lost_members(&self) -> impl Iterator<Item = &str> {
        let members = self.members.iter().enumerate();
        members.filter(|(at, member)| self.is_lost(*at, member)).map(|(_, member)| member.name())
    }

    fn is_lost(&self, at: usize, member: &Member) -> bool {
        at != self.asked && member.is_cut_short()
    }

    fn counting(&self) -> impl Iterator<Item = (usize, &Member)> {
        self.members.iter().enumerate().filter(|(at, member)| !self.is_lost(*at, member))
    }

    pub(super) fn position(&self, uid: Option<&str>) -> Option<usize> {
        self.members.iter().position(|member| member.uid() == uid)
    }

    fn sum_up(&mut self) {
        self.succeeded = self.members.iter().fold(IndexSet::new(), |all, member| {
            let before = if self.whole { member.noted(annotation::SUCCEEDED_BEFORE) } else { IndexSet::new() };
            all.union(member.succeeded()).union(&before)
        });
        let lists_all = |member: &Member| {
            let none_failed = member.keeps_failed() || member.outcome() != Some(Outcome::Failed);
            member.listed_failed.is_some() || none_failed
        };
        self.listed_failed = self.members.iter().all(lists_all).then(|| self.fold_failed(&|_| IndexSet::new()));
    }

    /// The indexes that failed by the last Job that has each; `by_attempts` is for a Job, by position, without a list.
    pub(super) fn fold_failed(&self, by_attempts: &dyn Fn(usize) -> IndexSet) -> IndexSet {
        let mut failed = IndexSet::new();
        for (position, member) in self.counting() {
            if self.whole {
                // Noted of Jobs that may be gone; a Job that is still there was folded in before.
                failed = failed.union(&member.noted(annotation::FAILED_BEFORE));
            }
            let own = match &member.listed_failed {
                Some(listed) => listed.clone(),
                None if member.keeps_failed() || member.outcome() != Some(Outcome::Failed) => IndexSet::new(),
                None => by_attempts(position).difference(&self.succeeded),
            };
            failed = failed.difference(member.all()).union(&own);
        }
        if self.whole { failed.difference(&self.succeeded) } else { failed }
    }

    /// Indexes that the Jobs count as completed.
    pub(crate) fn succeeded(&self) -> IndexSet {
        self.succeeded.clone()
    }

    pub(crate) fn has_succeeded(&self, index: u32) -> bool {
        self.succeeded.contains(index)
    }

    /// The attempt that a Pod is, with its original index, and the position of its Job; None for a Pod that is not of
    /// these very Jobs, as one of a namesake that was deleted before.
    pub(super) fn attempt(&self, pod: &PodRecord) -> Option<(usize, Attempt)> {
        let labels = pod.metadata.labels.as_ref();
        let keys = ["batch.kubernetes.io/controller-uid", "controller-uid"];
        let position = match keys.iter().find_map(|key| labels?.get(*key)) {
            Some(uid) if !self.members.is_empty() => {
                self.members.iter().position(|member| member.uid().is_none_or(|known| known == uid))?
            }
            _ => 0,
        };
        let member = self.members.get(position);
        let mut attempt = Attempt::from_pod(pod, member.and_then(|member| worker_name(member.job())))?;
        if let Some(member) = member {
            attempt.index = member.original(attempt.index);
        }
        Some((position, attempt))
    }

    /// What a member is called, where there are several.
    pub(super) fn job_name(&self, member: usize) -> Option<String> {
        (self.members.len() > 1).then(|| self.members.get(member).map(|member| member.name().to_owned()))?
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

    pub(crate) fn is_merged(&self) -> bool {
        self.whole
    }

    pub(crate) fn all(&self) -> IndexSet {
        if self.is_merged() {
            return IndexSet::below(self.members.iter().map(Member::family_completions).max().unwrap_or(0));
        }
        self.members.first().map(|member| member.all().clone()).unwrap_or_default()
    }

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
        let ends = self.counting().map(|(_, member)| Some((member, member.outcome()?))).collect::<Option<Vec<_>>>()?;
        let was_enough = ends.iter().any(|(member, end)| !member.is_retry() && *end == Outcome::Complete);
        let done = self.all().difference(&self.succeeded).is_empty();
        Some(if done || was_enough { Outcome::Complete } else { Outcome::Failed })
    }

    /// The condition that ended the Job, or is about to; of a family the one of the newest Job.
    pub(crate) fn ending_condition(&self) -> Option<&JobCondition> {
        let of = |type_: &&str| self.members.iter().rev().find_map(|member| condition(member.job(), type_));
        ["Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"].iter().find_map(of)
    }

    /// Indexes that a Job which has not ended still runs, or is going to.
    pub(crate) fn under_way(&self) -> IndexSet {
        let going = self.members.iter().filter(|member| member.outcome().is_none() && !member.is_cut_short());
        let going = going.filter(|member| member.job().metadata.deletion_timestamp.is_none());
        going.fold(IndexSet::new(), |all, member| all.union(&member.open())).difference(&self.succeeded)
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
                left = left.union(&member.open());
            }
        }
        let spare = open.intersection(&left);
        Outstanding { indexes: open.difference(&spare), spare, under_way }
    }

    /// The Job's start and, once it ended, its end; of a family the first start and the last end.
    pub(crate) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let jobs = || self.counting().map(|(_, member)| member.job());
        let start = jobs().filter_map(|job| job.status.as_ref()?.start_time.as_ref()).map(|time| time.0).min();
        let ends = jobs().map(ended_at).collect::<Option<Vec<_>>>();
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
