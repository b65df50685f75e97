//! A Job of a family: the first Job or a retry. Maps the Job's own indexes to the original ones, those of the first
//! Job.

use std::ops::RangeInclusive;

use k8s_openapi::api::batch::v1::Job;

use super::{Outcome, outcome};
use crate::contract::{annotation, annotation_value, label};
use crate::index_set::IndexSet;

/// A Job with its status in original indexes.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    job: Box<Job>,
    /// For each range of a retry's original indexes: the own and the original index of its start.
    originals: Option<Vec<(u32, u32)>>,
    all: IndexSet,
    succeeded: IndexSet,
    /// `None` if the Job keeps no list.
    pub(super) listed_failed: Option<IndexSet>,
    pub(super) gone: bool,
}

impl Member {
    pub(super) fn new(job: Box<Job>) -> Self {
        let all = annotation_value(&job, annotation::ORIGINAL_INDEXES).map(IndexSet::from_status);
        let mut before = 0;
        let originals = all.as_ref().map(|all| {
            let counted = |range: RangeInclusive<u32>| {
                let own = before;
                before += range.end() - range.start() + 1;
                (own, *range.start())
            };
            all.ranges().map(counted).collect()
        });
        let all = all.unwrap_or_default();
        let mut member = Self { job, originals, all, succeeded: IndexSet::new(), listed_failed: None, gone: false };
        member.read_status();
        member
    }

    /// Replaces the Job by a newer version, and returns the indexes that have succeeded or failed since.
    pub(super) fn update(&mut self, job: &Job) -> IndexSet {
        self.job.as_mut().clone_from(job);
        let (succeeded, failed) = (std::mem::take(&mut self.succeeded), self.listed_failed.take().unwrap_or_default());
        self.read_status();
        let newly = self.succeeded.difference(&succeeded);
        newly.union(&self.listed_failed.as_ref().map(|now| now.difference(&failed)).unwrap_or_default())
    }

    fn read_status(&mut self) {
        if self.originals.is_none() {
            // The completions of an elastic Job may change.
            self.all = IndexSet::below(completions(&self.job));
        }
        let status = self.job.status.as_ref();
        let read = |text: Option<&String>| text.map(|text| self.original_indexes(IndexSet::from_status(text)));
        let succeeded = read(status.and_then(|status| status.completed_indexes.as_ref())).unwrap_or_default();
        let failed = read(status.and_then(|status| status.failed_indexes.as_ref()));
        (self.succeeded, self.listed_failed) = (succeeded, failed);
    }

    /// Whether the Job was deleted before it ended.
    pub(super) fn is_cut_short(&self) -> bool {
        self.gone && self.outcome().is_none()
    }

    pub(crate) fn job(&self) -> &Job {
        &self.job
    }

    pub(crate) fn name(&self) -> &str {
        self.job.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn uid(&self) -> Option<&str> {
        self.job.metadata.uid.as_deref()
    }

    pub(crate) fn is_retry(&self) -> bool {
        self.originals.is_some()
    }

    /// Returns the original indexes that the Job runs.
    pub(crate) fn all(&self) -> &IndexSet {
        &self.all
    }

    /// Returns the indexes that the Job counts as completed.
    pub(crate) fn succeeded(&self) -> &IndexSet {
        &self.succeeded
    }

    /// Returns the indexes that the Job counts neither as completed nor as failed.
    pub(super) fn unfinished(&self) -> IndexSet {
        let unfinished = self.all.difference(&self.succeeded);
        self.listed_failed.as_ref().map_or_else(|| unfinished.clone(), |failed| unfinished.difference(failed))
    }

    /// Whether the Job lists its failed indexes (`backoffLimitPerIndex`).
    pub(super) fn keeps_failed(&self) -> bool {
        self.job.spec.as_ref().is_some_and(|spec| spec.backoff_limit_per_index.is_some())
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        outcome(&self.job)
    }

    /// Returns the original index of an own index.
    pub(crate) fn original_index(&self, own: u32) -> u32 {
        let Some(starts) = &self.originals else { return own };
        let at = starts.partition_point(|&(before, _)| before <= own);
        at.checked_sub(1).map_or(own, |at| starts[at].1 + (own - starts[at].0))
    }

    fn original_indexes(&self, own: IndexSet) -> IndexSet {
        if self.is_retry() { own.iter().map(|index| self.original_index(index)).collect() } else { own }
    }

    /// Returns the Job's own indexes of original ones, without those of other Jobs.
    pub(crate) fn own_indexes(&self, originals: &IndexSet) -> IndexSet {
        if self.is_retry() { self.all.positions(originals) } else { originals.clone() }
    }

    /// Returns the indexes in an annotation of the Job.
    pub(super) fn annotated_indexes(&self, key: &str) -> IndexSet {
        annotation_value(&self.job, key).map(IndexSet::from_status).unwrap_or_default()
    }

    /// Returns the number of indexes of the first Job of the family.
    pub(crate) fn family_completions(&self) -> u32 {
        let annotated = annotation_value(&self.job, annotation::FAMILY_COMPLETIONS).and_then(|text| text.parse().ok());
        annotated.unwrap_or_else(|| completions(&self.job))
    }
}

fn completions(job: &Job) -> u32 {
    job.spec.as_ref().and_then(|spec| spec.completions).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// Returns the name and the UID of the first Job of the family of `job`.
pub(crate) fn family_root(job: &Job) -> (&str, &str) {
    let labelled = job.metadata.labels.as_ref().and_then(|labels| labels.get(label::FAMILY));
    let own = || (job.metadata.name.as_deref().unwrap_or_default(), job.metadata.uid.as_deref().unwrap_or_default());
    match (annotation_value(job, annotation::FAMILY_ROOT), labelled) {
        (Some(name), Some(uid)) => (name, uid),
        _ => own(),
    }
}
