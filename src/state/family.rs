//! The Jobs of a family. An index that failed in one Job and succeeded in a retry has succeeded.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::{Job, JobCondition};

use super::attempt::{Attempt, PodRecord};
use super::member::Member;
use super::{Outcome, condition, ended_at};
use crate::contract::{annotation, worker_name};
use crate::index_set::IndexSet;

/// A Job with its retries, or a single Job, without Pods.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    /// The oldest first.
    members: Vec<Member>,
    /// The position of the requested Job.
    requested: usize,
    /// Whether the members are the whole family: then their annotations about earlier Jobs count.
    whole: bool,
    /// Cached from the statuses of the Jobs.
    pub(super) succeeded: IndexSet,
    /// `None` if only the attempts show which indexes failed.
    pub(super) listed_failed: Option<IndexSet>,
}

impl Family {
    pub(super) fn new(jobs: Vec<Job>, requested: Option<&str>, whole: bool) -> Self {
        let members: Vec<_> = jobs.into_iter().map(|job| Member::new(Box::new(job))).collect();
        let requested = members.iter().position(|member| member.uid() == requested).unwrap_or(0);
        let mut family = Self { members, requested, whole, ..Self::default() };
        family.merge_statuses();
        family
    }

    /// Replaces a Job by a newer version, and returns the indexes that changed.
    pub(super) fn update(&mut self, job: &Job) -> IndexSet {
        let Some(at) = self.position(job.metadata.uid.as_deref()) else { return IndexSet::new() };
        let version = |job: &Job| job.metadata.resource_version.as_ref().and_then(|v| v.parse::<u64>().ok());
        let known = &mut self.members[at];
        // A list after a broken watch may be older than the last version that the watch reported.
        if matches!((version(known.job()), version(job)), (Some(known), Some(new)) if new < known) {
            return IndexSet::new();
        }
        let (all, outcome) = (self.all(), self.outcome());
        let newly = self.members[at].update(job);
        self.merge_statuses();
        if outcome == self.outcome() { newly.union(&self.all().difference(&all)) } else { self.all() }
    }

    pub(super) fn mark_gone(&mut self, uid: Option<&str>) {
        if let Some(at) = self.position(uid) {
            self.members[at].gone = true;
            self.merge_statuses();
        }
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.members.get(self.requested).is_some_and(|member| member.gone)
    }

    pub(crate) fn is_cut_short(&self) -> bool {
        self.members.get(self.requested).is_some_and(Member::is_cut_short)
    }

    /// Returns the names of other Jobs of the family that were deleted before they ended. They no longer count.
    pub(crate) fn lost_members(&self) -> impl Iterator<Item = &str> {
        let members = self.members.iter().enumerate();
        members.filter(|(at, member)| self.is_lost(*at, member)).map(|(_, member)| member.name())
    }

    fn is_lost(&self, at: usize, member: &Member) -> bool {
        at != self.requested && member.is_cut_short()
    }

    /// Returns the members that count, with their positions.
    fn counted_members(&self) -> impl Iterator<Item = (usize, &Member)> {
        self.members.iter().enumerate().filter(|(at, member)| !self.is_lost(*at, member))
    }

    pub(super) fn position(&self, uid: Option<&str>) -> Option<usize> {
        self.members.iter().position(|member| member.uid() == uid)
    }

    fn merge_statuses(&mut self) {
        self.succeeded = self.members.iter().fold(IndexSet::new(), |all, member| {
            let before =
                if self.whole { member.annotated_indexes(annotation::SUCCEEDED_BEFORE) } else { IndexSet::new() };
            all.union(member.succeeded()).union(&before)
        });
        let lists_all = |member: &Member| {
            let none_failed = member.keeps_failed() || member.outcome() != Some(Outcome::Failed);
            member.listed_failed.is_some() || none_failed
        };
        self.listed_failed = self.members.iter().all(lists_all).then(|| self.fold_failed(&|_| IndexSet::new()));
    }

    /// Returns the indexes that failed in the last Job that ran them. `by_attempts` returns the failed indexes of a Job
    /// without a list, by its position.
    pub(super) fn fold_failed(&self, by_attempts: &dyn Fn(usize) -> IndexSet) -> IndexSet {
        let mut failed = IndexSet::new();
        for (position, member) in self.counted_members() {
            if self.whole {
                // The annotation covers deleted Jobs. Existing Jobs were merged before.
                failed = failed.union(&member.annotated_indexes(annotation::FAILED_BEFORE));
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

    /// Returns the indexes that the Jobs count as completed.
    pub(crate) fn succeeded(&self) -> IndexSet {
        self.succeeded.clone()
    }

    pub(crate) fn has_succeeded(&self, index: u32) -> bool {
        self.succeeded.contains(index)
    }

    /// Returns the attempt of a Pod with its original index, and the position of its Job. `None` for a Pod of another
    /// Job, such as a deleted one of the same name.
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
            attempt.index = member.original_index(attempt.index);
        }
        Some((position, attempt))
    }

    /// Returns the name of a member if there are several.
    pub(super) fn job_name(&self, member: usize) -> Option<String> {
        (self.members.len() > 1).then(|| self.members.get(member).map(|member| member.name().to_owned()))?
    }

    /// Returns the latest version of the requested Job.
    pub(crate) fn job(&self) -> Option<&Job> {
        self.members.get(self.requested).map(Member::job)
    }

    /// Returns the Jobs of the family, the oldest first.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Returns the Job with the most items: the first Job of the family, else the newest.
    pub(crate) fn items_job(&self) -> Option<&Job> {
        let root = self.members.iter().find(|member| !member.is_retry());
        root.or(self.members.last()).map(Member::job)
    }

    /// Whether the state covers a whole family.
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

    /// Whether the Jobs list their failed indexes (`backoffLimitPerIndex`).
    pub(crate) fn keeps_failed_indexes(&self) -> bool {
        !self.members.is_empty() && self.members.iter().all(Member::keeps_failed)
    }

    /// Returns the outcome of an ended Job. A family ends with its last Job. It completes if every index succeeded, or
    /// if its first Job completed.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        if !self.is_merged() {
            return self.members.first().and_then(Member::outcome);
        }
        let ends =
            self.counted_members().map(|(_, member)| Some((member, member.outcome()?))).collect::<Option<Vec<_>>>()?;
        let was_enough = ends.iter().any(|(member, end)| !member.is_retry() && *end == Outcome::Complete);
        let done = self.all().difference(&self.succeeded).is_empty();
        Some(if done || was_enough { Outcome::Complete } else { Outcome::Failed })
    }

    /// Returns the condition that ended the Job, or will end it; in a family, that of the newest Job.
    pub(crate) fn ending_condition(&self) -> Option<&JobCondition> {
        let of = |type_: &&str| self.members.iter().rev().find_map(|member| condition(member.job(), type_));
        ["Failed", "Complete", "FailureTarget", "SuccessCriteriaMet"].iter().find_map(of)
    }

    /// Returns the indexes that a running Job has not finished.
    pub(crate) fn under_way(&self) -> IndexSet {
        let going = self.members.iter().filter(|member| member.outcome().is_none() && !member.is_cut_short());
        let going = going.filter(|member| member.job().metadata.deletion_timestamp.is_none());
        going.fold(IndexSet::new(), |all, member| all.union(&member.unfinished())).difference(&self.succeeded)
    }

    /// Returns the indexes that a retry would run, and the other unfinished ones.
    pub(crate) fn outstanding(&self) -> Outstanding {
        let under_way = self.under_way();
        let open = self.all().difference(&self.succeeded).difference(&under_way);
        let mut left = IndexSet::new();
        for member in &self.members {
            left = left.difference(member.all());
            if member.outcome() == Some(Outcome::Complete) {
                left = left.union(&member.unfinished());
            }
        }
        let spare = open.intersection(&left);
        Outstanding { indexes: open.difference(&spare), spare, under_way }
    }

    /// Returns the start and the end of the Job; in a family, the first start and the last end.
    pub(crate) fn span(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        let jobs = || self.counted_members().map(|(_, member)| member.job());
        let start = jobs().filter_map(|job| job.status.as_ref()?.start_time.as_ref()).map(|time| time.0).min();
        let ends = jobs().map(ended_at).collect::<Option<Vec<_>>>();
        (start, ends.and_then(|ends| ends.into_iter().max()))
    }
}

/// The unfinished indexes of a family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outstanding {
    /// Failed, or unfinished when their Job ended.
    pub(crate) indexes: IndexSet,
    /// Unfinished when their Job completed: its success policy was met.
    pub(crate) spare: IndexSet,
    /// Running, or about to run.
    pub(crate) under_way: IndexSet,
}
