//! The attempts of the indexes of a family, and how long each is kept.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::attempt::{Attempt, Phase};
use crate::index_set::IndexSet;

/// Which attempts are kept. Their number must not grow with the indexes of a Job that is only followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Retention {
    /// All, for screens that show each.
    #[default]
    All,
    /// Those of an index that succeeded until [`Attempts::forget`].
    UntilForgotten,
    /// None of an index that the Job says succeeded.
    Unfinished,
}

/// How many attempts of one index are kept of a Job that is followed: the newest say its status.
const ATTEMPTS: usize = 8;
/// How much of what a failed worker wrote last is kept of a Job that is followed, in bytes.
const MESSAGE: usize = 1024;

/// An attempt, and what says which of two versions of it is the later one.
#[derive(Clone, Debug)]
pub(super) struct KnownAttempt {
    pub(super) attempt: Attempt,
    /// The position of its Job among the members of the family.
    pub(super) member: usize,
    version: Option<u64>,
    read: bool,
    deleting: bool,
}

impl KnownAttempt {
    /// An attempt that has ended does not run again, whatever comes late; else the server's own order counts.
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

#[derive(Clone, Debug, Default)]
pub(super) struct Attempts {
    pub(super) retention: Retention,
    by_index: BTreeMap<u32, Vec<KnownAttempt>>,
    /// The index of each attempt that is kept, by UID.
    index_of: HashMap<String, u32>,
    /// Succeeded indexes of which no attempt is kept.
    pub(super) forgotten: IndexSet,
    /// Indexes whose Pods seem to have succeeded, and that the Job has not counted yet.
    pub(super) ending: IndexSet,
    /// Indexes of which an attempt was seen that had begun.
    pub(super) begun: IndexSet,
    pub(super) changed: IndexSet,
    /// UIDs named by the lists of Pods that are being read, by the position of the Job.
    pub(super) listing: HashMap<usize, HashSet<String>>,
    /// The positions of the Jobs whose Pods were listed.
    pub(super) listed: HashSet<usize>,
}

impl Attempts {
    pub(super) fn new(retention: Retention) -> Self {
        Self { retention, ..Self::default() }
    }

    /// Adds an attempt, or replaces an older version of it.
    pub(super) fn take(&mut self, mut attempt: Attempt, member: usize, pod: &ObjectMeta, succeeded: &IndexSet) {
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
            attempt.message = attempt.message.map(|message| last_bytes(&message, MESSAGE).to_owned());
            self.changed.insert(index);
        }
        let version = pod.resource_version.as_ref().and_then(|version| version.parse().ok());
        let deleting = pod.deletion_timestamp.is_some();
        let read = self.retention == Retention::Unfinished;
        let mut new = KnownAttempt { attempt, member, version, read, deleting };
        let attempts = self.by_index.entry(index).or_default();
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
        let Some(attempts) = self.by_index.get_mut(&index).filter(|_| self.retention != Retention::All) else { return };
        while attempts.len() > ATTEMPTS && attempts[0].read {
            self.index_of.remove(&attempts.remove(0).attempt.uid);
        }
    }

    /// Drops an attempt whose Pod is gone, unless it had ended: how it ended stays worth knowing.
    pub(super) fn lose(&mut self, uid: &str) {
        let Some(&index) = self.index_of.get(uid) else { return };
        let Some(attempts) = self.by_index.get_mut(&index) else { return };
        let before = attempts.len();
        // A watch of Pods that have not succeeded reports a Pod that succeeds as gone.
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

    /// Ends the list of Pods of the Job at this position, and loses the attempts of the Job that it did not name.
    pub(super) fn end_list(&mut self, member: usize) {
        let Some(named) = self.listing.remove(&member) else { return };
        self.listed.insert(member);
        let unnamed = |known: &&KnownAttempt| known.member == member && !named.contains(&known.attempt.uid);
        let lost = self.by_index.values().flatten().filter(unnamed).map(|known| known.attempt.uid.clone());
        for uid in lost.collect::<Vec<_>>() {
            self.lose(&uid);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_index.is_empty() && self.index_of.is_empty()
    }

    /// Drops what a Job has made superfluous that counts more indexes now.
    pub(super) fn drop_finished(&mut self, succeeded: &IndexSet, failed: &IndexSet) {
        if self.retention != Retention::Unfinished {
            return;
        }
        self.ending = self.ending.difference(succeeded).difference(failed);
        self.index_of.retain(|_, index| !succeeded.contains(*index));
        self.by_index.retain(|index, _| !succeeded.contains(*index));
    }

    /// Notes indexes that changed otherwise than by a Pod.
    pub(super) fn note(&mut self, changed: &IndexSet) {
        if self.retention != Retention::All {
            self.changed = self.changed.union(changed);
        }
    }

    pub(super) fn mark_read(&mut self, index: u32, uid: &str) {
        let attempts = self.by_index.get_mut(&index);
        if let Some(known) = attempts.and_then(|attempts| attempts.iter_mut().find(|a| a.attempt.uid == uid)) {
            known.read = true;
            self.bound(index);
        }
    }

    pub(super) fn forget(&mut self, index: u32) {
        self.forgotten.insert(index);
        for known in self.by_index.remove(&index).unwrap_or_default() {
            self.index_of.remove(&known.attempt.uid);
        }
    }

    /// The attempts of one index, the oldest first.
    pub(super) fn of(&self, index: u32) -> impl DoubleEndedIterator<Item = &KnownAttempt> {
        self.by_index.get(&index).into_iter().flatten()
    }

    pub(super) fn indexes(&self) -> IndexSet {
        self.by_index.keys().copied().collect()
    }

    /// Indexes whose deciding attempt is known, or of which nobody wants to know more.
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

    /// The indexes of which such an attempt is kept.
    pub(super) fn with(&self, is_meant: impl Fn(&KnownAttempt) -> bool) -> IndexSet {
        self.by_index.iter().filter(|(_, known)| known.iter().any(&is_meant)).map(|(&index, _)| index).collect()
    }
}

fn last_bytes(text: &str, most: usize) -> &str {
    let mut start = text.len().saturating_sub(most);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
