//! The logs of a Job that is followed: which are read, and which are done.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::LogView;
use crate::cluster::Cluster;
use crate::cluster::logs::{LogLine, LogOptions, LogSource};
use crate::error::Error;
use crate::index_set::IndexSet;
use crate::state::JobState;
use crate::state::attempt::{Attempt, Phase};

/// How many logs are read at once.
const STREAMS: usize = 64;
/// How many lines are held before the readers must wait.
const HELD: usize = 4096;

/// A log that is or was read.
struct Reading {
    /// UID of the Pod.
    uid: String,
    /// Tells the reader that the log has ended.
    ended: CancellationToken,
    /// Whether all of it was handed on.
    done: bool,
}

/// How the log of an attempt ended.
pub(super) struct Ended {
    pub(super) index: u32,
    uid: String,
    pub(super) result: Result<(), Error>,
}

/// The logs that are being read.
///
/// Each change of the state is looked at once, and nothing is kept of an index that succeeded and was read, so that
/// the work and the memory for a Job do not grow with its number of indexes faster than the Job itself.
pub(super) struct Readers {
    pub(super) view: LogView,
    cluster: Arc<Cluster>,
    slots: Arc<Semaphore>,
    sender: mpsc::Sender<LogLine>,
    tasks: JoinSet<Ended>,
    /// By index.
    taken: HashMap<u32, Vec<Reading>>,
    /// Indexes that were wanted when last asked.
    wanted: IndexSet,
    /// Indexes of which no more is to come, where an index waits for all lower ones.
    passed: IndexSet,
}

impl Readers {
    pub(super) fn new(view: LogView, cluster: &Arc<Cluster>) -> (Self, mpsc::Receiver<LogLine>) {
        let (sender, receiver) = mpsc::channel(HELD);
        let readers = Self {
            view,
            cluster: Arc::clone(cluster),
            slots: Arc::new(Semaphore::new(STREAMS)),
            sender,
            tasks: JoinSet::new(),
            taken: HashMap::new(),
            wanted: IndexSet::new(),
            passed: IndexSet::new(),
        };
        (readers, receiver)
    }

    /// Whether no log is being read.
    pub(super) fn are_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Begins to read whatever has started since, and lets go of what is done.
    pub(super) fn start(&mut self, state: &mut JobState) {
        let changed = state.take_changed();
        let wanted = (self.view.wanted)(state);
        let newly = wanted.difference(&self.wanted).intersection(&state.attempted());
        for index in changed.union(&newly).iter() {
            if !self.view.keep_order && wanted.contains(index) {
                self.look_at(index, state);
            }
            self.let_go(index, &wanted, state);
        }
        if self.view.keep_order {
            self.go_on_in_order(&wanted, state);
        }
        self.wanted = wanted;
    }

    fn go_on_in_order(&mut self, wanted: &IndexSet, state: &mut JobState) {
        for index in wanted.difference(&self.passed).iter() {
            self.look_at(index, state);
            let finished = state.outcome().is_some() || state.has_succeeded(index) || state.has_failed(index);
            if !finished || self.reading(index).any(|reading| !reading.done) {
                return;
            }
            self.passed.insert(index);
            self.let_go(index, wanted, state);
        }
    }

    fn reading(&self, index: u32) -> impl Iterator<Item = &Reading> {
        self.taken.get(&index).into_iter().flatten()
    }

    /// Reads what has started of one index.
    fn look_at(&mut self, index: u32, state: &JobState) {
        for attempt in state.attempts_of(index).filter(|attempt| attempt.has_started()) {
            if self.reading(index).all(|reading| reading.uid != attempt.uid) {
                self.read(attempt);
            }
            if attempt.log_ended
                && let Some(reading) = self.reading(index).find(|reading| reading.uid == attempt.uid)
            {
                reading.ended.cancel();
            }
        }
    }

    /// Forgets an index that succeeded once its logs are read. One that nobody wants then, nobody will want later.
    fn let_go(&mut self, index: u32, wanted: &IndexSet, state: &mut JobState) {
        if !state.has_succeeded(index) {
            return;
        }
        let is_read = |attempt: &Attempt| self.reading(index).any(|reading| reading.uid == attempt.uid && reading.done);
        let done = if wanted.contains(index) {
            // Only with the attempt that succeeded are all known: the Job may be ahead of its Pods.
            state.attempts_of(index).any(|attempt| attempt.phase == Phase::Succeeded)
                && state.attempts_of(index).all(is_read)
        } else {
            self.reading(index).for_each(|reading| reading.ended.cancel());
            self.reading(index).all(|reading| reading.done)
        };
        if done {
            self.taken.remove(&index);
            state.forget(index);
        }
    }

    fn read(&mut self, attempt: &Attempt) {
        let (index, uid, ended) = (attempt.index, attempt.uid.clone(), CancellationToken::new());
        let source = LogSource { index, pod: attempt.pod.clone(), container: self.view.container.clone() };
        let (cluster, sender, slots) = (Arc::clone(&self.cluster), self.sender.clone(), Arc::clone(&self.slots));
        let options = LogOptions { follow: true, ..self.view.options };
        let reading = Reading { uid: uid.clone(), ended: ended.clone(), done: false };
        self.taken.entry(index).or_default().push(reading);
        self.tasks.spawn(async move {
            let _slot = slots.acquire().await;
            Ended { index, uid, result: cluster.read_log(&source, options, &ended, &sender).await }
        });
    }

    /// The next log that ended, and how.
    pub(super) async fn next_end(&mut self) -> Option<Ended> {
        self.tasks.join_next().await?.ok()
    }

    /// Notes that a log was read.
    pub(super) fn end(&mut self, ended: &Ended, state: &mut JobState) {
        let readings = self.taken.get_mut(&ended.index).into_iter().flatten();
        readings.filter(|reading| reading.uid == ended.uid).for_each(|reading| reading.done = true);
        state.mark_read(ended.index, &ended.uid);
        let wanted = std::mem::take(&mut self.wanted);
        self.let_go(ended.index, &wanted, state);
        self.wanted = wanted;
        if self.view.keep_order {
            self.start(state);
        }
    }
}
