//! The known attempts of a family's indexes.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::attempt::{Attempt, Phase};
use crate::index_set::IndexSet;

/// Which attempts are kept. For a followed Job their number must not grow with the number of indexes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Retention {
    /// All attempts, for views that show each.
    #[default]
    All,
    /// The attempts of a succeeded index until [`Attempts::forget`].
    UntilForgotten,
    /// Only the attempts of indexes that the Job has not counted as completed.
    Unfinished,
}

/// The number of attempts kept per index of a followed Job: the newest decide its status.
const MAX_ATTEMPTS: usize = 8;
/// The number of bytes kept of a failed worker's last output, for a followed Job.
const MAX_MESSAGE_BYTES: usize = 1024;

/// An attempt with its version.
#[derive(Clone, Debug)]
pub(super) struct KnownAttempt {
    pub(super) attempt: Attempt,
    /// The position of its Job in the family.
    pub(super) member: usize,
    version: Option<u64>,
    read: bool,
    deleting: bool,
}

impl KnownAttempt {
    /// Returns a key that orders versions: an ended attempt never runs again, else the server's order decides.
    fn version_key(&self) -> (bool, Option<u64>, u8, bool) {
        let progress = match self.attempt.phase {
            Phase::Starting => 0,
            Phase::Unknown => 1,
            Phase::Running => 2,
            Phase::Succeeded | Phase::Failed => 3,
        };
        (self.attempt.is_finished(), self.version, progress, self.attempt.log_ended)
    }

    fn age_key(&self) -> (Option<Timestamp>, &str) {
        (self.attempt.created, &self.attempt.pod)
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    pub(super) retention: Retention,
    by_index: BTreeMap<u32, Vec<KnownAttempt>>,
    /// The index of each known attempt, by UID.
    index_of: HashMap<String, u32>,
    /// Succeeded indexes whose attempts were dropped.
    pub(super) forgotten: IndexSet,
    /// Indexes whose Pods have probably succeeded, and that the Job has not counted yet.
    pub(super) ending: IndexSet,
    /// Indexes with an attempt that started.
    pub(super) begun: IndexSet,
    pub(super) changed: IndexSet,
    /// The UIDs in unfinished lists of Pods, by the position of the Job.
    pub(super) listing: HashMap<usize, HashSet<String>>,
    /// The positions of the Jobs whose Pods were listed.
    pub(super) listed: HashSet<usize>,
}

impl Attempts {
    pub(super) fn new(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    /// Adds an attempt, or replaces an older version of it.
    pub(super) fn add(&mut self, mut attempt: Attempt, member: usize, pod: &ObjectMeta, succeeded: &IndexSet) {
        for named in self.listing.values_mut() {
            named.insert(attempt.uid.clone());
        }
        let index = attempt.index;
        if attempt.has_started() {
            self.begun.insert(index);
        }
        let settled = match self.retention {
            Retention::All => false,
            Retention::UntilForgotten => self.forgotten.contains(index),
            Retention::Unfinished => succeeded.contains(index),
        };
        if settled {
            return;
        }
        if self.retention != Retention::All {
            attempt.message = attempt.message.map(|message| last_bytes(&message, MAX_MESSAGE_BYTES).to_owned());
            self.changed.insert(index);
        }
        let version = pod.resource_version.as_ref().and_then(|version| version.parse().ok());
        let deleting = pod.deletion_timestamp.is_some();
        let read = self.retention == Retention::Unfinished;
        let mut new = KnownAttempt { attempt, member, version, read, deleting };
        let attempts = self.by_index.entry(index).or_default();
        match attempts.iter_mut().find(|known| known.attempt.uid == new.attempt.uid) {
            Some(known) if known.version_key() <= new.version_key() => {
                new.read |= known.read;
                *known = new;
            }
            Some(_) => {}
            None => {
                self.index_of.insert(new.attempt.uid.clone(), index);
                self.ending = self.ending.difference(&IndexSet::from_iter([index]));
                attempts.push(new);
                attempts.sort_by(|a, b| a.age_key().cmp(&b.age_key()));
            }
        }
        self.drop_surplus(index);
    }

    /// Drops the oldest attempts of an index above the limit.
    fn drop_surplus(&mut self, index: u32) {
        let Some(attempts) = self.by_index.get_mut(&index).filter(|_| self.retention != Retention::All) else { return };
        while attempts.len() > MAX_ATTEMPTS && attempts[0].read {
            self.index_of.remove(&attempts.remove(0).attempt.uid);
        }
    }

    /// Drops an attempt whose Pod is gone, unless it had ended.
    pub(super) fn drop_unfinished(&mut self, uid: &str) {
        let Some(&index) = self.index_of.get(uid) else { return };
        let Some(attempts) = self.by_index.get_mut(&index) else { return };
        let before = attempts.len();
        // A watch of unsuccessful Pods reports a Pod as gone when it succeeds.
        let ends_well =
            |known: &KnownAttempt| known.attempt.uid == uid && known.attempt.has_started() && !known.deleting;
        if self.retention == Retention::Unfinished
            && attempts.iter().any(|known| ends_well(known) && !known.attempt.is_finished())
        {
            self.ending.insert(index);
        }
        attempts.retain(|known| known.attempt.uid != uid || known.attempt.is_finished());
        if attempts.len() < before {
            self.index_of.remove(uid);
            if attempts.is_empty() {
                self.by_index.remove(&index);
            }
            if self.retention != Retention::All {
                self.changed.insert(index);
            }
        }
    }

    /// Ends the list of Pods of the Job at this position, and drops unfinished attempts that are not in the list.
    pub(super) fn end_list(&mut self, member: usize) {
        let Some(named) = self.listing.remove(&member) else { return };
        self.listed.insert(member);
        let unnamed = |known: &&KnownAttempt| known.member == member && !named.contains(&known.attempt.uid);
        let lost = self.by_index.values().flatten().filter(unnamed).map(|known| known.attempt.uid.clone());
        for uid in lost.collect::<Vec<_>>() {
            self.drop_unfinished(&uid);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_index.is_empty() && self.index_of.is_empty()
    }

    /// Drops the attempts of indexes that the Job counts as finished.
    pub(super) fn drop_finished(&mut self, succeeded: &IndexSet, failed: &IndexSet) {
        if self.retention != Retention::Unfinished {
            return;
        }
        self.ending = self.ending.difference(succeeded).difference(failed);
        self.index_of.retain(|_, index| !succeeded.contains(*index));
        self.by_index.retain(|index, _| !succeeded.contains(*index));
    }

    /// Marks indexes as changed.
    pub(super) fn mark_changed(&mut self, changed: &IndexSet) {
        if self.retention != Retention::All {
            self.changed = self.changed.union(changed);
        }
    }

    pub(super) fn mark_read(&mut self, index: u32, uid: &str) {
        let attempts = self.by_index.get_mut(&index);
        if let Some(known) = attempts.and_then(|attempts| attempts.iter_mut().find(|a| a.attempt.uid == uid)) {
            known.read = true;
            self.drop_surplus(index);
        }
    }

    pub(super) fn forget(&mut self, index: u32) {
        self.forgotten.insert(index);
        for known in self.by_index.remove(&index).unwrap_or_default() {
            self.index_of.remove(&known.attempt.uid);
        }
    }

    /// Returns the attempts of an index, the oldest first.
    pub(super) fn of_index(&self, index: u32) -> impl DoubleEndedIterator<Item = &KnownAttempt> {
        self.by_index.get(&index).into_iter().flatten()
    }

    pub(super) fn indexes(&self) -> IndexSet {
        self.by_index.keys().copied().collect()
    }

    /// Returns the indexes whose deciding attempt is known, or was dropped.
    pub(super) fn settled(&self, succeeded: &IndexSet) -> IndexSet {
        let decided = |index: u32, attempts: &[KnownAttempt]| {
            let phase = |known: &KnownAttempt| known.attempt.phase;
            if succeeded.contains(index) {
                attempts.iter().any(|known| phase(known) == Phase::Succeeded)
            } else {
                attempts.iter().all(|known| known.attempt.is_finished())
            }
        };
        let decided = self.by_index.iter().filter(|(index, attempts)| decided(**index, attempts));
        self.forgotten.union(&decided.map(|(&index, _)| index).collect())
    }

    /// Returns the indexes with an attempt that matches.
    pub(super) fn indexes_where(&self, matches: impl Fn(&KnownAttempt) -> bool) -> IndexSet {
        self.by_index.iter().filter(|(_, known)| known.iter().any(&matches)).map(|(&index, _)| index).collect()
    }
}

fn last_bytes(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
